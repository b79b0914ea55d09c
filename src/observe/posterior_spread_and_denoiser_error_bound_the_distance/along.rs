//! The perturbed flow: distance, posterior spread and error, and single maps from its states.

use super::{MapRun, World, has_boundary, of_denoiser};
use crate::drift::{Channel, Denoise, Denoiser, Drift, GaussianPath, Inexact};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Sampler, adaptive_times};
use crate::linalg::mu_max;
use crate::observe::inexact::{Foot, Setting};
use crate::observe::resolved::Resolved;
use nalgebra::DVector;

/// Local error of a step of the state, on which the time grid is chosen.
const TOLERANCE: f64 = 1e-8;

/// Rounding of distances and moments, relative to sizes of order one.
const ROUNDING: f64 = 1e-12;

/// Distance, posterior spread and error along the perturbed flow, in canonical coordinates y = x/a.
pub(super) fn measure(world: &World, denoiser: &Denoiser, facts: &mut Facts) -> Result<()> {
    let Setting { schedule, sigma_start, sigma_end, .. } = world.setting;
    let exact = GaussianPath { schedule, denoiser };
    let error = world.error();
    let inexact = Inexact { exact: &exact, error: &error, epsilon: world.epsilon };
    let ends = [sigma_start, sigma_end].map(|sigma| schedule.time_at_sigma(sigma));
    let signal = |s: f64| schedule.coefficients(s).0;
    let start = world.path_start();
    let times = adaptive_times(&inexact, ends[0], ends[1], &start, TOLERANCE)?;
    let sampler = Sampler::new(Method::DormandPrince, times);
    let refined = sampler.refined();
    let orbit = Resolved::new(&inexact, &sampler, &refined, &start)?;
    let last = sampler.maps();
    for (k, &s) in sampler.times().iter().enumerate() {
        let (x, state) = orbit.state(k);
        let (y, state, sigma) = (x / signal(s), state / signal(s), schedule.sigma(s));
        let seen = Seen::new(world, denoiser, (s, sigma), &y, state)?;
        facts.push("time", Quantity::exact(-sigma.ln()));
        seen.state(facts);
        if (1..=4).any(|quarter| k == last * quarter / 4) {
            seen.map(world, facts)?;
        }
    }
    let edged = world.manifold.pieces().iter().any(|piece| has_boundary(&piece.chart));
    facts.set("closed", Quantity::exact(f64::from(u8::from(!edged))));
    Ok(())
}

/// What is seen from one state.
struct Seen {
    y: DVector<f64>,
    frames: Foot,
    mean: DVector<f64>,
    /// E|X − p|².
    spread: f64,
    /// e, of the posterior mean.
    error: DVector<f64>,
    /// Bounds of the errors of y, of the mean, of the spread and of e.
    bars: [f64; 4],
}

impl Seen {
    fn new(
        world: &World,
        denoiser: &Denoiser,
        (s, sigma): (f64, f64),
        y: &DVector<f64>,
        state: f64,
    ) -> Result<Self> {
        let Setting { schedule, parametrisation, .. } = world.setting;
        let frames = Foot::of(&world.manifold, y)?;
        let (mean, covariance) = denoiser.posterior(Channel::canonical(sigma), y.as_slice());
        let mean = DVector::from_vec(mean);
        let away = &mean - &frames.nearest.point;
        let spread = away.norm_squared() + covariance.trace();
        let signal = schedule.coefficients(s).0;
        let x = y * signal;
        let mut error = DVector::zeros(y.len());
        world.error.velocity(s, x.as_slice(), error.as_mut_slice());
        let factor = world.epsilon * of_denoiser(parametrisation, &schedule, s);
        error *= factor;
        let slope = world.error.bounds()[1] * (factor * signal).abs();
        let size = mu_max(&covariance) / (sigma * sigma);
        let state = state + frames.nearest.residual + ROUNDING * (1.0 + y.norm());
        let moved = state * (1.0 + size);
        // d E|X−p|² is its covariance with X over σ².
        let tilt = 4.0 * spread * (1.0 + size).sqrt() * state / sigma + 4.0 * spread.sqrt() * moved;
        // The normal turns with y, and e changes with it.
        let of_error = state * (16.0 * error.norm() + slope);
        let bars = [state, moved, tilt + ROUNDING * (1.0 + y.norm()), of_error];
        Ok(Self { y: y.clone(), frames, mean, spread, error, bars })
    }

    fn state(&self, facts: &mut Facts) {
        let foot = &self.frames.nearest;
        let [state, moved, tilt, of_error] = self.bars;
        let measured = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
        facts.push("distance", measured(foot.distance, state));
        facts.push("spread", measured(self.spread, tilt));
        // On the normal cone of an edge only the length of the whole error is known to bound its part.
        let normal = match foot.boundary {
            true => self.error.norm(),
            false => self.frames.normal.tr_mul(&self.error).norm(),
        };
        facts.push("error", measured(normal, of_error));
        // ⟨n, D − p⟩; n turns by the error of y over r.
        let off = &self.y - &foot.point;
        let away = &self.mean - &foot.point;
        let lean = off.dot(&away) / foot.distance.max(f64::MIN_POSITIVE);
        let turn = 2.0 * state / foot.distance.max(f64::MIN_POSITIVE);
        facts.push("lean", measured(lean, moved + state + turn * away.norm()));
    }

    /// One DDIM map with the factor ρ and the error of the world.
    fn map(&self, world: &World, facts: &mut Facts) -> Result<()> {
        let MapRun { kept, size, angle } = world.map;
        let Foot { nearest: foot, tangent, normal } = &self.frames;
        let random = DVector::from_vec(world.stream.named("map").normals(self.y.len()));
        let unit = |v: DVector<f64>| &v / v.norm().max(1e-9);
        let along = unit(tangent * tangent.tr_mul(&random));
        let out = unit(normal * normal.tr_mul(&random));
        let error = (out * angle.cos() + along * angle.sin()) * size;
        let pulled = &self.mean + &error;
        let image = &self.y + (&pulled - &self.y) * (1.0 - kept);
        let bar = 64.0 * ROUNDING * (1.0 + self.y.norm() + size);
        let rounded = |value: f64| Quantity::new(value, bar, Grade::Estimated);
        facts.set("kept", Quantity::exact(kept));
        facts.push("map_start", rounded(foot.distance));
        facts.push("map_spread", rounded(self.spread));
        facts.push("map_error", rounded(normal.tr_mul(&error).norm()));
        facts.push("map_slide", rounded(tangent.tr_mul(&(&pulled - &foot.point)).norm()));
        facts.push("map_distance", rounded(world.manifold.nearest(image.as_slice())?.distance));
        Ok(())
    }
}
