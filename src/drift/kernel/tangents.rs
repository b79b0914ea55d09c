//! Posterior covariances and their products with tangents, D > 4.

use super::pack::{Columns, PANEL, Panels, pack, round_up};
use super::product::{Dense, Product, Shape, Weighted};
use super::simd::{Kernel, Level, Simd};
use super::states::InnerProducts;
use std::ops::Range;

/// Panels of atoms whose products with tangents are made before they are used: they stay in the cache.
pub(super) const PRODUCT_BLOCK: usize = 10;

/// Panels of atoms whose weighted deviations are made before they are used.
pub(super) const COVARIANCE_BLOCK: usize = 20;

/// Whether D columns of a symmetric product cost less than two products for each of `tangents`.
///
/// An atom takes D (D + 1) + 6 D operations one way, a sixth more for tiles
/// across the diagonal, and 4 D·tangents the other.
pub(super) fn covariance_is_cheaper(dim: usize, tangents: usize) -> bool {
    4 * tangents > dim + dim / 6 + 7
}

/// The posterior of a few states: unnormalised weights of atoms, and means.
#[derive(Clone, Copy)]
pub(super) struct Posterior<'a> {
    /// The instruction set.
    pub(super) level: Level,
    /// Dimension D.
    pub(super) dim: usize,
    /// Centred atoms in panels of atoms.
    pub(super) by_atom: &'a [f64],
    /// The same in panels of coordinates.
    pub(super) by_coordinate: &'a [f64],
    /// Unnormalised weights, `padded atoms×T`.
    pub(super) weights: &'a [f64],
    /// Their sums, T.
    pub(super) masses: &'a [f64],
    /// Means, T columns of D rounded up to whole panels.
    pub(super) means: &'a [f64],
}

/// Scratch of [`Posterior::products`].
pub(super) struct ProductRoom<'a> {
    /// One number a column.
    pub(super) centre: &'a mut [f64],
    /// Eight a column.
    pub(super) totals: &'a mut [f64],
    /// [`PRODUCT_BLOCK`] panels a column.
    pub(super) products: &'a mut [f64],
}

/// Scratch of [`Posterior::covariance`].
pub(super) struct CovarianceRoom<'a> {
    /// [`COVARIANCE_BLOCK`] panels a coordinate.
    pub(super) weighted: &'a mut [f64],
    /// Eight a coordinate.
    pub(super) totals: &'a mut [f64],
}

impl<'a> Posterior<'a> {
    fn padded(&self) -> usize {
        self.weights.len() / self.masses.len()
    }

    /// D rounded up to whole panels: the stride of means and products.
    fn stride(&self) -> usize {
        round_up(self.dim, PANEL)
    }

    /// The posterior of state t alone.
    pub(super) fn single(&self, t: usize) -> Self {
        Self {
            weights: &self.weights[t * self.padded()..][..self.padded()],
            masses: &self.masses[t..=t],
            means: &self.means[t * self.stride()..][..self.stride()],
            ..*self
        }
    }

    /// Runs of at most `longest` panels of atoms, without those whose weights are all 0.
    fn runs(&self, longest: usize) -> impl Iterator<Item = Range<usize>> {
        let posterior = *self;
        let panels = self.padded() / PANEL;
        let counts = move |p: usize| {
            let columns = posterior.weights.chunks_exact(posterior.padded());
            columns.into_iter().any(|w| w[p * PANEL..][..PANEL].iter().any(|w| *w != 0.0))
        };
        let mut next = 0;
        std::iter::from_fn(move || {
            let start = (next..panels).find(|p| counts(*p))?;
            let last = panels.min(start.saturating_add(longest));
            let end = (start + 1..last).find(|p| !counts(*p));
            next = end.unwrap_or(last);
            Some(start..next)
        })
    }

    fn coordinates(&self) -> Panels<'a> {
        Panels { data: self.by_coordinate, rows: self.dim, depth: self.padded() }
    }

    /// Writes the means, a column every [`Posterior::stride`].
    pub(super) fn mean(&self, out: &mut [f64]) {
        let stride = self.stride();
        out.fill(0.0);
        for run in self.runs(usize::MAX) {
            let atoms = run.start * PANEL..run.end * PANEL;
            let weights = &self.weights[atoms.start..];
            let product = Product {
                a: self.coordinates(),
                panels: 0..self.dim.div_ceil(PANEL),
                depth: atoms,
                b: Columns::plain(weights, self.padded(), self.masses.len()),
                shape: Shape::Full,
            };
            self.level.run((product, Dense { out, stride, add: true }));
        }
        for (column, mass) in out.chunks_exact_mut(stride).zip(self.masses) {
            column.iter_mut().for_each(|entry| *entry /= mass);
        }
    }

    /// Writes C v for every column v to `out`, a column every [`Posterior::stride`].
    pub(super) fn products(
        &self,
        tangents: Columns<'_>,
        room: &mut ProductRoom<'_>,
        out: &mut [f64],
    ) {
        let ProductRoom { centre, totals, products } = room;
        let (dim, padded, stride) = (self.dim, self.padded(), self.stride());
        let centre = &mut centre[..tangents.count];
        self.level.run(InnerProducts {
            means: self.means,
            stride,
            columns: tangents,
            dim,
            out: centre,
        });
        totals.fill(0.0);
        out.fill(0.0);
        for run in self.runs(PRODUCT_BLOCK) {
            let atoms = run.start * PANEL..run.end * PANEL;
            let there = Product {
                a: Panels { data: self.by_atom, rows: padded, depth: dim },
                panels: run,
                depth: 0..dim,
                b: tangents,
                shape: Shape::Full,
            };
            let weighted = Weighted {
                weights: self.weights,
                weights_stride: padded,
                group: tangents.group,
                centre,
                out: products,
                stride: PRODUCT_BLOCK * PANEL,
                first: atoms.start,
                totals,
            };
            self.level.run((there, weighted));
            let back = Product {
                a: self.coordinates(),
                panels: 0..dim.div_ceil(PANEL),
                depth: atoms,
                b: Columns::plain(products, PRODUCT_BLOCK * PANEL, tangents.count),
                shape: Shape::Full,
            };
            self.level.run((back, Dense { out, stride, add: true }));
        }
        for (j, column) in out.chunks_exact_mut(stride).enumerate() {
            let t = j / tangents.group;
            normalise(column, &self.means[t * stride..], &totals[j * 8..][..8], self.masses[t]);
        }
    }

    /// Writes the lower triangle of C to the `D×D` matrix `out`, a column every [`Posterior::stride`]. One state only.
    pub(super) fn covariance(&self, room: &mut CovarianceRoom<'_>, out: &mut [f64]) {
        let CovarianceRoom { weighted, totals } = room;
        let stride = self.stride();
        totals.fill(0.0);
        out.fill(0.0);
        for run in self.runs(COVARIANCE_BLOCK) {
            let atoms = run.start * PANEL..run.end * PANEL;
            self.level.run(Deviations { posterior: *self, run, out: weighted, totals });
            let product = Product {
                a: self.coordinates(),
                panels: 0..self.dim.div_ceil(PANEL),
                depth: atoms,
                b: Columns::plain(weighted, COVARIANCE_BLOCK * PANEL, self.dim),
                shape: Shape::Lower,
            };
            self.level.run((product, Dense { out, stride, add: true }));
        }
        for (j, column) in out.chunks_exact_mut(stride).enumerate() {
            normalise(column, self.means, &totals[j * 8..][..8], self.masses[0]);
        }
    }

    /// Writes C v for every column v to `out`, from the lower triangle of C; `packed` is scratch.
    pub(super) fn apply(
        &self,
        lower: &[f64],
        tangents: Columns<'_>,
        packed: &mut [f64],
        out: &mut [f64],
    ) {
        let (dim, stride) = (self.dim, self.stride());
        pack(PANEL, dim, dim, packed, |i, j| lower[i.min(j) * stride + i.max(j)]);
        let product = Product {
            a: Panels { data: packed, rows: dim, depth: dim },
            panels: 0..dim.div_ceil(PANEL),
            depth: 0..dim,
            b: tangents,
            shape: Shape::Full,
        };
        self.level.run((product, Dense { out, stride, add: false }));
    }
}

/// Turns Σ w p q, q the weighted deviations, into the mean of (p − m) q: divides by the
/// mass, and removes what the sum of q (0 but for rounding) took of the mean.
fn normalise(column: &mut [f64], mean: &[f64], totals: &[f64], mass: f64) {
    let total: f64 = totals.iter().sum();
    for (entry, m) in column.iter_mut().zip(mean) {
        *entry = (*entry - m * total) / mass;
    }
}

/// w_i (p_i − m) for the atoms of a run of panels, a column for each coordinate, and the sums of each.
struct Deviations<'a> {
    posterior: Posterior<'a>,
    run: Range<usize>,
    out: &'a mut [f64],
    totals: &'a mut [f64],
}

impl Kernel for Deviations<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Posterior { dim, by_atom, weights, means, .. } = self.posterior;
        for (block, p) in self.run.enumerate() {
            let panel = &by_atom[p * PANEL * dim..][..PANEL * dim];
            let weights = &weights[p * PANEL..][..PANEL];
            let columns = self.out.chunks_exact_mut(COVARIANCE_BLOCK * PANEL);
            let sums = columns.zip(self.totals.chunks_exact_mut(8));
            for ((atoms, mean), (column, totals)) in panel.chunks_exact(PANEL).zip(means).zip(sums)
            {
                let column = &mut column[block * PANEL..][..PANEL];
                let mean = s.splat(*mean);
                let mut total = s.load(totals);
                for i in (0..PANEL).step_by(S::LANES) {
                    let deviation = s.sub(s.load(&atoms[i..]), mean);
                    let product = s.mul(s.load(&weights[i..]), deviation);
                    total = s.add(total, product);
                    s.store(product, &mut column[i..]);
                }
                s.store(total, totals);
            }
        }
    }
}
