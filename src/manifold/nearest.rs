//! Nearest points, with a certificate of what was looked at.

use super::boundary::{Cone, sides};
use super::chart::{Axis, Chart, Foot, half_square, half_square_sum};
use super::scatter::Scatter;
use super::{Manifold, Place};
use crate::error::{Error, Result};
use crate::linalg::symmetric_eigen;
use nalgebra::{DMatrix, DVector};
use std::sync::Arc;

/// Local minima of a grid that are refined for one query, at most.
const MOST_STARTS: usize = 6;
/// Scattered starting points in three and more parameters.
const SCATTERED: usize = 256;
/// The nearest of those that are refined: they know no basins, and descents in many parameters are dear.
const SCATTERED_STARTS: usize = 3;

/// The nearest point of a manifold and how it is known.
///
/// It is the global minimum where a closed form decides; elsewhere the best
/// of the local minima found from a grid of `candidates`, so a narrow basin
/// between grid points could be missed. Ask [`Nearest::gap`] whether the
/// answer is clear-cut.
#[derive(Clone, Debug)]
pub struct Nearest {
    /// Where it is.
    pub place: Place,
    /// The nearest point p, in R^D.
    pub point: DVector<f64>,
    /// |y − p|.
    pub distance: f64,
    /// True when p lies on the boundary, where y − p need not be normal.
    pub boundary: bool,
    /// Starting points looked at: the grid's, or 1 for a closed form.
    pub candidates: usize,
    /// Length of the projection of y − p on the tangent cone at p: 0 for an exact stationary point.
    /// At interior points it is |P(y − p)|.
    pub residual: f64,
    /// Distance of the next distinct local minimum; ∞ when none was found, `distance` when p is not unique.
    pub runner_up: f64,
}

impl Nearest {
    /// How much farther the next local minimum is: 0 where the nearest point is not unique.
    pub fn gap(&self) -> f64 {
        self.runner_up - self.distance
    }
}

impl Manifold {
    /// The nearest point of the manifold to y.
    ///
    /// Closed forms for flats, circles, spheres, arcs and tori; otherwise
    /// Newton's method from the local minima over a stored grid. Products and
    /// motions are taken apart exactly.
    ///
    /// *Errors*: [`Error::Input`] when y has not length D; [`Error::Numeric`] when it is not finite.
    /// *Accuracy*: see [`Nearest::residual`]; rounding in practice.
    pub fn nearest(&self, y: &[f64]) -> Result<Nearest> {
        if y.len() != self.ambient() {
            let problem = format!("has length {}, not {}", y.len(), self.ambient());
            return Err(Error::input("point", problem, "give one number for each coordinate"));
        }
        if !y.iter().all(|x| x.is_finite()) {
            return Err(Error::numeric("nearest point", "the point is not finite"));
        }
        let mut best: Option<(usize, Foot)> = None;
        for (index, (piece, seeds)) in self.pieces.iter().zip(&self.seeds).enumerate() {
            let (local, off) = piece.motion.pull(y);
            let mut foot = nearest_on(&piece.chart, seeds, &local);
            foot.square += off;
            foot.runner_up += off;
            best = Some(match best {
                None => (index, foot),
                Some(held) => better(held, (index, foot)),
            });
        }
        let Some((piece, foot)) = best else {
            return Err(Error::numeric("nearest point", "the manifold has no pieces"));
        };
        let place = Place { piece, u: foot.u };
        let point = self.point(&place);
        let off = DVector::from_column_slice(y) - &point;
        let found = &self.pieces[piece];
        let cone = Cone::new(&found.chart, &found.chart.axes(), &place.u);
        let residual = cone.split(&found.motion.turn_back(off.as_slice())).0;
        let distance = off.norm();
        Ok(Nearest {
            boundary: cone.is_boundary() || found.chart.ends_at(&place.u),
            candidates: foot.candidates,
            // Both from the same formula when they tie, so that the gap is 0 and not a rounding error.
            runner_up: if foot.runner_up == foot.square { distance } else { foot.runner_up.sqrt() },
            place,
            point,
            distance,
            residual,
        })
    }
}

/// The nearer of two feet on different pieces; the other one is a local minimum too.
fn better(a: (usize, Foot), b: (usize, Foot)) -> (usize, Foot) {
    let candidates = a.1.candidates + b.1.candidates;
    let (mut near, far) = if b.1.square < a.1.square { (b, a) } else { (a, b) };
    near.1.runner_up = near.1.runner_up.min(far.1.square);
    near.1.candidates = candidates;
    near
}

/// Leaf by leaf: |y − x|² is a sum over the factors, so each is minimised by itself,
/// and the next local minimum exchanges one factor's foot for its runner-up.
fn nearest_on(chart: &Chart, seeds: &[Option<Seeds>], y: &[f64]) -> Foot {
    let mut whole = Foot { u: Vec::new(), square: 0.0, runner_up: f64::INFINITY, candidates: 0 };
    let mut least_rise = f64::INFINITY;
    let mut rest = y;
    for (leaf, seeds) in chart.leaves().into_iter().zip(seeds) {
        let (own, after) = rest.split_at(leaf.ambient());
        rest = after;
        let foot = match seeds {
            Some(seeds) => seeds.descend(leaf, own),
            None => leaf.known_foot(own).expect("a leaf without seeds has a closed form"),
        };
        whole.u.extend_from_slice(&foot.u);
        whole.square += foot.square;
        whole.candidates = whole.candidates.max(foot.candidates);
        least_rise = least_rise.min(foot.runner_up - foot.square);
    }
    whole.runner_up = whole.square + least_rise;
    whole
}

/// Starting points of the search on a leaf without closed form, shared by clones of a manifold.
#[derive(Clone, Debug)]
pub(super) struct Seeds {
    table: Arc<Table>,
}

#[derive(Debug)]
struct Table {
    axes: Vec<Axis>,
    places: Vec<Vec<f64>>,
    /// The points, `n×N` column-major.
    points: Vec<f64>,
    /// For each grid point its neighbours; empty when the points form no grid.
    neighbours: Vec<Vec<usize>>,
    /// The farthest one Newton step may go.
    trust: f64,
}

impl Seeds {
    /// The starting points of a leaf; `None` when its nearest point has a closed form.
    pub fn new(leaf: &Chart) -> Option<Self> {
        if leaf.known_foot(&vec![0.5; leaf.ambient()]).is_some() {
            return None;
        }
        let axes = leaf.axes();
        // A dozen points along the shortest wave leave no basin between two of them.
        let waves = leaf.oscillations().ceil();
        let per_axis = match axes.len() {
            1 => (24.0 * waves).clamp(64.0, 2_400.0),
            _ => (8.0 * waves).clamp(12.0, 48.0),
        };
        let scattered = if matches!(leaf, Chart::Ridge(_)) { usize::MAX } else { SCATTERED };
        let scatter = Scatter::new(leaf, per_axis as usize, scattered);
        let n = leaf.ambient();
        let mut points = vec![0.0; n * scatter.places.len()];
        for (u, x) in scatter.places.iter().zip(points.chunks_exact_mut(n)) {
            leaf.point(u, x);
        }
        let all = 0..scatter.places.len();
        let (neighbours, trust) = match leaf {
            Chart::Ridge(ridge) => (ridge.neighbours(), ridge.width()),
            _ => (
                match scatter.grid.is_empty() {
                    true => Vec::new(),
                    false => all.map(|i| scatter.neighbours(&axes, i)).collect(),
                },
                axes.iter().map(extent).fold(f64::INFINITY, f64::min) / per_axis.min(8.0),
            ),
        };
        let table = Table { axes, places: scatter.places, points, neighbours, trust };
        Some(Self { table: Arc::new(table) })
    }

    /// The best local minimum of the squared distance and the next distinct one.
    fn descend(&self, leaf: &Chart, y: &[f64]) -> Foot {
        let table = &*self.table;
        let square = |x: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
        let squares: Vec<f64> = table.points.chunks_exact(y.len()).map(square).collect();
        let lowest = |i: &usize| {
            table
                .neighbours
                .get(*i)
                .is_none_or(|near| near.iter().all(|&j| squares[*i] <= squares[j]))
        };
        let mut order: Vec<usize> = (0..squares.len()).filter(lowest).collect();
        order.sort_by(|&i, &j| squares[i].total_cmp(&squares[j]));
        order.truncate(if table.neighbours.is_empty() { SCATTERED_STARTS } else { MOST_STARTS });
        let starts = order.iter().map(|&i| table.places[i].clone()).chain(leaf.guess(y));

        let mut minima: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
        for start in starts {
            let u = within(leaf, &start, newton(leaf, &table.axes, y, start.clone(), table.trust));
            let mut x = vec![0.0; y.len()];
            leaf.point(&u, &mut x);
            let found = square(&x);
            minima.push((u, x, found));
        }
        minima.sort_by(|a, b| a.2.total_cmp(&b.2));
        let (u, x, least) = minima.swap_remove(0);
        // Two descents to one minimum agree to rounding; a distinct minimum is far from that.
        let size = x.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        let distinct =
            |other: &Vec<f64>| x.iter().zip(other).any(|(a, b)| (a - b).abs() > SAME_POINT * size);
        let others = minima.iter().filter(|m| distinct(&m.1)).map(|m| m.2);
        let runner_up = others.fold(f64::INFINITY, f64::min);
        Foot { u, square: least, runner_up, candidates: squares.len() }
    }
}

/// Where a descent from a start stops: at the end of a ridge that it ran beyond.
fn within(leaf: &Chart, start: &[f64], end: Vec<f64>) -> Vec<f64> {
    match leaf {
        Chart::Ridge(ridge) if ridge.ends_at(&end) => ridge.end_between(start, &end),
        _ => end,
    }
}

/// Descents that end closer than this (relative) found the same point.
const SAME_POINT: f64 = 1e-6;

/// The length of an axis, for steps and spacings.
pub(super) fn extent(axis: &Axis) -> f64 {
    match *axis {
        Axis::Line { half } => 2.0 * half,
        Axis::Angle => std::f64::consts::TAU,
        Axis::Interval { from, to } | Axis::Ambient { from, to } => to - from,
        Axis::Direction => 2.0,
    }
}

/// Projected Newton descent of ½|y − x(u)|², with every eigenvalue of the Hessian made
/// positive, so that it leaves saddles and maxima; returns the parameters where it stops.
fn newton(leaf: &Chart, axes: &[Axis], y: &[f64], mut u: Vec<f64>, trust: f64) -> Vec<f64> {
    /// Steps allowed; quadratic convergence needs about eight.
    const STEPS: usize = 60;
    /// Relative step at which the iteration has converged.
    const CONVERGED: f64 = 1e-13;
    /// Relative step below which the value changes by little more than its rounding.
    const POLISH: f64 = 1e-5;
    let mut x = vec![0.0; y.len()];
    let mut value_at = |u: &[f64]| {
        leaf.point(u, &mut x);
        half_square_sum(y, &x)
    };
    let mut polished = 0;
    for _ in 0..STEPS {
        let (value, gradient, hessian) = half_square(leaf, y, &u);
        let sides = sides(axes, &u);
        // A parameter at its end that wants to go beyond stays there.
        let free: Vec<usize> =
            (0..u.len()).filter(|&i| sides[i] == 0.0 || sides[i] * gradient[i] < 0.0).collect();
        if free.is_empty() {
            break;
        }
        let step = match leaf.directions(&u) {
            None => descent_step(&gradient, &hessian, &free, trust),
            Some(basis) => {
                let (slope, bend) = (basis.tr_mul(&gradient), basis.tr_mul(&(hessian * &basis)));
                let all: Vec<usize> = (0..basis.ncols()).collect();
                basis * descent_step(&slope, &bend, &all, trust)
            }
        };
        let length = step.amax();
        if length <= CONVERGED * trust || polished == 3 {
            break;
        }
        let moved = |fraction: f64| {
            let mut trial = u.clone();
            for (&i, s) in free.iter().zip(step.iter()) {
                trial[i] += fraction * s;
            }
            leaf.settle(axes, &mut trial);
            trial
        };
        if length < POLISH * trust {
            // Comparing values would stop at √ε; the gradient knows better.
            polished += 1;
            u = moved(1.0);
            continue;
        }
        let halvings = (0..30).map(|k| moved(0.5_f64.powi(k)));
        match halvings.into_iter().find(|trial| value_at(trial) < value) {
            Some(trial) => u = trial,
            None => break,
        }
    }
    u
}

/// −|H|⁻¹g on the free parameters, no longer than `trust`; at a stationary point with
/// a direction of negative curvature, a step along that direction.
fn descent_step(
    gradient: &DVector<f64>,
    hessian: &DMatrix<f64>,
    free: &[usize],
    trust: f64,
) -> DVector<f64> {
    let g = DVector::from_fn(free.len(), |i, _| gradient[free[i]]);
    let h = DMatrix::from_fn(free.len(), free.len(), |i, j| hessian[(free[i], free[j])]);
    let (values, vectors) = symmetric_eigen(&h);
    let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let mut step = DVector::zeros(free.len());
    for (vector, &value) in vectors.column_iter().zip(&values) {
        let along = g.dot(&vector);
        if value < 0.0 && along.abs() < 1e-9 * largest * trust {
            step.axpy(trust, &vector, 1.0);
        } else {
            step.axpy(-along / value.abs().max(1e-9 * largest).max(1e-300), &vector, 1.0);
        }
    }
    let length = step.amax();
    if length > trust {
        step *= trust / length;
    }
    step
}
