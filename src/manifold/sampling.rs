//! Points drawn from a density on a manifold, by rejection with proven bounds.

use super::chart::{Adapted, Axis, Chart, jacobian};
use super::{Density, Manifold, Place};
use crate::error::{Error, Result};
use crate::linalg::dot;
use crate::random::{chosen, unit_vector};
use rand::{Rng, RngExt};
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{PI, TAU};

/// Proposals for one point after which we give up: the density is too peaked for rejection.
const MOST_PROPOSALS: usize = 1_000_000;

/// The volume density of a leaf, with a direction taken at its unit vector.
pub(super) fn leaf_volume(leaf: &Chart, u: &[f64]) -> f64 {
    // Curves by equations are measured by their length.
    if let Chart::Implicit(_) = leaf {
        return 1.0;
    }
    let volume = Adapted::new(&jacobian(leaf, u), leaf.dim()).volume;
    match leaf {
        // The Jacobian of R u/|u| scales as 1/|u| in each of its d directions.
        Chart::Sphere(_) => volume * dot(u, u).sqrt().powi(leaf.dim() as i32),
        _ => volume,
    }
}

/// One factor of a piece with the part of the density that it carries.
///
/// All densities here are products over the factors, times a constant.
struct Factor<'a> {
    leaf: &'a Chart,
    axes: Vec<Axis>,
    /// The tilt exp⟨c, x⟩ in the leaf's own coordinates; empty when there is none.
    tilt: Vec<f64>,
    /// exp(strength·cos⟨w, x⟩) in the leaf's own coordinates; w is empty when there is none.
    ripples: (Vec<f64>, f64),
    /// exp(strength·cos u_axis) for an axis of this leaf.
    cosine: Option<(usize, f64)>,
    /// Logarithm of the proven bound of volume density × density.
    log_bound: f64,
    /// Logarithm of the measure of the parameter domain.
    log_measure: f64,
}

impl<'a> Factor<'a> {
    fn new(
        leaf: &'a Chart,
        tilt: Vec<f64>,
        ripples: (Vec<f64>, f64),
        cosine: Option<(usize, f64)>,
    ) -> Self {
        let axes = leaf.axes();
        let log_measure = match leaf {
            Chart::Sphere(sphere) => {
                let half = (sphere.dim as f64 + 1.0) / 2.0;
                2.0_f64.ln() + half * PI.ln() - ln_gamma(half)
            }
            Chart::Implicit(curve) => curve.length().map_or(f64::NAN, f64::ln),
            _ => axes.iter().map(|axis| super::nearest::extent(axis).ln()).sum(),
        };
        let peak = cosine.map_or(0.0, |(_, strength)| strength.abs()) + ripples.1.abs();
        let top = if tilt.is_empty() { 0.0 } else { leaf.support(&tilt) };
        let log_bound = leaf.stretch().ln() + top + peak;
        Self { leaf, axes, tilt, ripples, cosine, log_bound, log_measure }
    }

    /// The logarithm of an unnormalised density, by volume, at u.
    fn log_density(&self, u: &[f64]) -> f64 {
        let mut log = self.cosine.map_or(0.0, |(axis, strength)| strength * u[axis].cos());
        if !self.tilt.is_empty() || !self.ripples.0.is_empty() {
            let mut x = vec![0.0; self.leaf.ambient()];
            self.leaf.point(u, &mut x);
            if !self.tilt.is_empty() {
                log += dot(&self.tilt, &x);
            }
            if let (frequency @ [_, ..], strength) = (self.ripples.0.as_slice(), self.ripples.1) {
                log += strength * dot(frequency, &x).cos();
            }
        }
        log
    }

    /// Uniform parameters and the logarithm of the probability to accept them.
    fn propose(&self, rng: &mut impl Rng) -> (Vec<f64>, f64) {
        if let Chart::Sphere(_) = self.leaf {
            let u = unit_vector(rng, self.leaf.ambient());
            let log = self.log_density(&u) + self.leaf.stretch().ln();
            return (u, log - self.log_bound);
        }
        if let Chart::Implicit(curve) = self.leaf {
            // A point that is not found is drawn again.
            return curve.at_share(rng.random()).map_or((Vec::new(), f64::NEG_INFINITY), |u| {
                let log = self.log_density(&u) - self.log_bound;
                (u, log)
            });
        }
        let uniform = |axis: &Axis| match *axis {
            Axis::Line { half } => rng.random_range(-half..half),
            Axis::Angle | Axis::Direction => rng.random_range(0.0..TAU),
            Axis::Interval { from, to } | Axis::Ambient { from, to } => rng.random_range(from..to),
        };
        let u: Vec<f64> = self.axes.iter().map(uniform).collect();
        let log = self.log_density(&u) + leaf_volume(self.leaf, &u).ln();
        (u, log - self.log_bound)
    }
}

/// A sampler of a density on a manifold.
pub(super) struct Sampler<'a> {
    pieces: Vec<Vec<Factor<'a>>>,
    /// Probabilities of proposing each piece.
    shares: Vec<f64>,
    /// Logarithm of each piece's bound times measure.
    log_envelopes: Vec<f64>,
}

impl<'a> Sampler<'a> {
    /// A sampler for a density that fits the manifold.
    pub fn new(manifold: &'a Manifold, density: &Density) -> Self {
        let mut pieces = Vec::new();
        let mut log_envelopes = Vec::new();
        for piece in manifold.pieces() {
            let tilt = match density {
                Density::Tilt { direction } => piece.motion.turn_back(direction),
                _ => Vec::new(),
            };
            // ⟨c, shift + Qx⟩: the shift matters between pieces only.
            let shift = match density {
                Density::Tilt { direction } => {
                    dot(direction, &piece.motion.apply(&vec![0.0; piece.chart.ambient()]))
                }
                _ => 0.0,
            };
            let (mut waves, strength) = match density {
                Density::Ripples { frequency, strength } => (frequency.as_slice(), *strength),
                _ => (&[][..], 0.0),
            };
            let (mut rest, mut first) = (tilt.as_slice(), 0);
            let mut factors = Vec::new();
            for leaf in piece.chart.leaves() {
                let width = if rest.is_empty() { 0 } else { leaf.ambient() };
                let (own, after) = rest.split_at(width);
                let (wave, other_waves) =
                    waves.split_at(if waves.is_empty() { 0 } else { leaf.ambient() });
                let axes = leaf.parameters();
                let cosine = match *density {
                    Density::Cosine { axis, strength } if (first..first + axes).contains(&axis) => {
                        Some((axis - first, strength))
                    }
                    _ => None,
                };
                factors.push(Factor::new(leaf, own.to_vec(), (wave.to_vec(), strength), cosine));
                (rest, waves, first) = (after, other_waves, first + axes);
            }
            let log: f64 = factors.iter().map(|f| f.log_bound + f.log_measure).sum();
            log_envelopes.push(log + shift);
            pieces.push(factors);
        }
        let top = log_envelopes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = log_envelopes.iter().map(|log| (log - top).exp()).collect();
        let total: f64 = shares.iter().sum();
        let shares = shares.iter().map(|share| share / total).collect();
        Self { pieces, shares, log_envelopes }
    }

    /// The logarithm of the unnormalised density by volume at a place.
    pub fn log_density(&self, place: &Place) -> f64 {
        let mut rest = place.u.as_slice();
        let factors = &self.pieces[place.piece];
        let mut log = self.log_envelopes[place.piece];
        for factor in factors {
            let (u, after) = rest.split_at(factor.axes.len());
            log += factor.log_density(u) - factor.log_bound - factor.log_measure;
            rest = after;
        }
        log
    }

    /// One place drawn from the density.
    ///
    /// *Errors*: [`Error::Numeric`] when a million proposals were rejected.
    pub fn draw(&self, rng: &mut impl Rng) -> Result<Place> {
        let single = self.pieces.len() == 1;
        for _ in 0..MOST_PROPOSALS {
            let piece = chosen(rng.random(), self.shares.iter().copied());
            let mut u = Vec::new();
            let mut log_accept = 0.0;
            for factor in &self.pieces[piece] {
                // Factors are independent: on a single piece each is accepted by itself,
                // which keeps the acceptance rate of a product from being a product.
                let (own, log) =
                    if single { draw_factor(factor, rng)? } else { factor.propose(rng) };
                u.extend(own);
                log_accept += log;
            }
            if single || rng.random::<f64>() < log_accept.exp() {
                return Ok(Place { piece, u });
            }
        }
        Err(too_peaked())
    }
}

fn draw_factor(factor: &Factor, rng: &mut impl Rng) -> Result<(Vec<f64>, f64)> {
    for _ in 0..MOST_PROPOSALS {
        let (u, log) = factor.propose(rng);
        if rng.random::<f64>() < log.exp() {
            return Ok((u, 0.0));
        }
    }
    Err(too_peaked())
}

fn too_peaked() -> Error {
    let problem = format!("{MOST_PROPOSALS} proposals in a row were rejected; lower the strength");
    Error::numeric("sampling", problem)
}

#[cfg(test)]
mod tests {
    use super::super::{Family, Implicit, Variable};
    use super::*;
    use crate::random::{Knobs, Stream};

    /// A bound that fails would bend the law silently.
    #[test]
    fn no_proposal_exceeds_the_proven_bounds() {
        for (i, family) in Family::ALL.into_iter().cycle().take(70).enumerate() {
            let stream = Stream::root(1).indexed(i as u64);
            let manifold = Manifold::draw(family, 9, &mut Knobs::draw(stream, 30)).unwrap();
            let density = Density::Tilt { direction: stream.named("tilt").normals(9) };
            let sampler = Sampler::new(&manifold, &density);
            let mut rng = stream.named("proposals").rng();
            for factor in sampler.pieces.iter().flatten() {
                let leaf = factor.leaf;
                for _ in 0..200 {
                    let (u, log_accept) = factor.propose(&mut rng);
                    // The room is rounding.
                    assert!(log_accept < 1e-12, "{family:?}");
                    assert!(leaf_volume(leaf, &u) < leaf.stretch() * (1.0 + 1e-12), "{family:?}");
                    assert!(
                        factor.log_density(&u) < leaf.support(&factor.tilt) + 1e-12,
                        "{family:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_bound_of_a_tilt_on_a_curve_by_its_equation_is_near_its_top_wherever_the_curve_lies() {
        let mut names = crate::formula::Names::default();
        names.number("x").unwrap();
        names.number("y").unwrap();
        let variable = |name: &str, from: f64| Variable { name: name.into(), from, to: from + 6.0 };
        let formula = names.formula("(x - 10)^2 + y^2 - 1").unwrap();
        let circle = Implicit::new(vec![variable("x", 7.0), variable("y", -3.0)], formula).unwrap();
        let bound = Chart::Implicit(circle).support(&[-3.0, 0.0]);
        assert!((-27.0..-26.9).contains(&bound), "{bound}");
    }
}
