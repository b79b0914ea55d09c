//! Canonical flows of laws on random manifolds, for T2.5.

use super::Observation;
use super::frames::slope_over;
use crate::drift::{Channel, Denoise, Denoiser, Drift};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Sampler, Trajectory};
use crate::linalg::{complement, largest_angle, mu_max, mu_min, spectral_norm};
use crate::lyapunov::qr_history;
use crate::manifold::{Family, Manifold, Nearest};
use crate::random::Knobs;
use crate::scenario::{Scenario, canonical};
use nalgebra::{DMatrix, DVector};

/// Rounding of a state in units of σ, and of a slope.
pub(super) const ROUNDING: f64 = 1e-12;

/// A data world of any family, and its facts.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let scenario = Scenario::decode(knobs, &Family::ALL)?;
    let facts = measure(&scenario, knobs.steps(1))?;
    Ok(Observation::new(&scenario, facts).labelled(scenario.labels()))
}

/// The world as a picture.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    super::picture::of_scenario(&Scenario::decode(knobs, &Family::ALL)?).map(Some)
}

/// What is run: a law on a manifold, its posterior, and the maps of a flow with a plane that they carry along.
///
/// The flow is given apart from the posterior whose moments are measured, so that a test can put a
/// wrong one beside the right moments.
pub struct Run<'a, F> {
    /// Where the data lie.
    pub manifold: &'a Manifold,
    /// The posterior of the data.
    pub denoiser: &'a Denoiser,
    /// The canonical flow of that posterior.
    pub flow: &'a F,
    /// Its maps, on decreasing noise levels.
    pub sampler: &'a Sampler,
    /// The state at the first noise level.
    pub start: &'a [f64],
    /// The plane carried along, `D×d`.
    pub plane: &'a DMatrix<f64>,
}

/// [`Run::measure`] for the canonical flow of a scenario, each step of which is cut into so many.
///
/// *Errors*: as [`Run::measure`].
fn measure(scenario: &Scenario, finer: usize) -> Result<Facts> {
    let (manifold, denoiser) = (scenario.manifold(), scenario.denoiser()?);
    let run = Run {
        manifold,
        denoiser: &denoiser,
        flow: &canonical(&denoiser),
        sampler: &scenario.sampler().finer(finer),
        start: &scenario.start,
        plane: &scenario.plane(manifold.dim()),
    };
    run.measure()
}

/// How far the numbers of one time may be off because the state and its foot point are.
pub(super) struct Errors {
    /// Of the state: the difference of two resolutions. That of the finer one is about a fifteenth of it.
    pub state: f64,
    /// Of the foot point, (state + residual)/(1 − Kr).
    pub foot: f64,
    /// Of the tangent projector.
    pub turned: f64,
}

impl Errors {
    /// From the error of the state, its foot point, and ‖II‖ there.
    pub fn new(state: f64, nearest: &Nearest, bend: f64) -> Self {
        let lever = 1.0 - bend * nearest.distance;
        // Beyond the focal distance nothing is claimed; the numbers there serve a mutant only.
        let foot = (state + nearest.residual) / if lever > 0.0 { lever } else { 1.0 };
        Self { state, foot, turned: turning(bend, foot) }
    }

    /// Of the blocks of C/σ², whose norm is `size`: dC/dy is a third cumulant, and the frame turns.
    pub fn of_blocks(&self, sigma: f64, size: f64) -> f64 {
        self.state / sigma * (1.0 + size).powf(1.5) + 2.0 * size * self.turned
    }
}

impl<F: Drift> Run<'_, F> {
    /// Posterior moments, nearest points and the slope of the plane, at every noise level.
    ///
    /// Series: `time` u = −log σ; `gamma`, `cross_moment`, `foot_drift` |P(m−p)|, `distance`, `interior`,
    /// `curvature` ‖II‖ at p, `slope`, `normal_variance`; `foot_speed` |dp/du| and `turning` ‖dP/du‖ by
    /// differences; `foot_step`, the distance from the foot point before; and `fourth_moment`
    /// E|X−p|⁴ where the law has atoms and the scalar `reach` is a proven bound.
    ///
    /// *Accuracy*: everything is taken along the run of twice the resolution. The bar of C/σ² is
    /// (1 + ‖C/σ²‖)^{3/2} times the error of the state in units of σ, since dC/dy is a third
    /// cumulant, and 2‖C/σ²‖ times the turning of P for the error of the foot point.
    /// *Errors*: [`crate::error::Error::Numeric`] when a state leaves the finite numbers.
    pub fn measure(&self) -> Result<Facts> {
        let refined = self.sampler.refined();
        let trajectory = Trajectory::from(self.flow, self.sampler, self.start)?;
        let finer = Trajectory::from(self.flow, &refined, self.start)?;
        let coarse = qr_history(&trajectory, self.plane);
        let fine = qr_history(&finer, self.plane);

        let mut facts = Facts::new();
        // A proven lower bound: the estimated reach is an upper one, which would make the bound too strict.
        let reach = self.manifold.reach_at_least();
        facts.set("reach", Quantity::rounded(reach, 4.0));
        let (mut feet, mut tangents, mut curvatures) = (Vec::new(), Vec::new(), Vec::new());
        for (k, sigma) in self.sampler.times().iter().enumerate() {
            let y = &finer.states[2 * k];
            let foot = self.manifold.nearest(y.as_slice())?;
            let tangent = self.manifold.tangent_frame(&foot.place);
            let normal = complement(&tangent);
            // ‖II‖ at the foot point itself is all that the proof needs of K.
            let bend = self.manifold.curvature_at(&foot.place);
            let state = (y - &trajectory.states[k]).norm() + ROUNDING * sigma;
            let errors = Errors::new(state, &foot, bend);
            self.moments(&mut facts, *sigma, y, &foot, (&tangent, &normal), &errors)?;

            let slope_of = |plane| slope_over(plane, &tangent, &normal);
            let (l, l_coarse) = (slope_of(&fine[2 * k])?, slope_of(&coarse[k])?);
            let turned = errors.turned + ROUNDING;
            let bar = (l - l_coarse).abs() + turned * (1.0 + l * l);
            facts.push("slope", Quantity::new(l, bar, Grade::Estimated));
            curvatures.push((bend, errors.foot));
            feet.push(foot.point);
            tangents.push(tangent);
        }
        facts.set_series("curvature", curvature_bars(&curvatures, &feet));
        let step = |k: usize| (&feet[k] - &feet[k.saturating_sub(1)]).norm();
        let steps = (0..feet.len()).map(|k| Quantity::new(step(k), 0.0, Grade::Estimated));
        facts.set_series("foot_step", steps.collect());
        let u: Vec<f64> = self.sampler.times().iter().map(|s| -s.ln()).collect();
        facts.set_series("foot_speed", foot_speeds(&u, &feet));
        facts.set_series("turning", turning_rates(&u, &tangents)?);
        Ok(facts)
    }

    /// The posterior moments at one state, in the frames of its foot point.
    fn moments(
        &self,
        facts: &mut Facts,
        sigma: f64,
        y: &DVector<f64>,
        foot: &Nearest,
        (tangent, normal): (&DMatrix<f64>, &DMatrix<f64>),
        errors: &Errors,
    ) -> Result<()> {
        let (mean, covariance) = self.denoiser.posterior(Channel::canonical(sigma), y.as_slice());
        let scaled = covariance / (sigma * sigma);
        let (ct, cn) = (tangent.tr_mul(&(&scaled * tangent)), normal.tr_mul(&(&scaled * normal)));
        let size = spectral_norm(&scaled)?;
        let bar = errors.of_blocks(sigma, size);
        let estimated = |value: f64| Quantity::new(value, bar, Grade::Estimated);
        let away = DVector::from_vec(mean) - &foot.point;
        let away_bar = errors.state * size + errors.foot + errors.turned * away.norm();
        facts.push("time", Quantity::exact(-sigma.ln()));
        facts.push("gamma", estimated(mu_min(&ct) - mu_max(&cn)));
        let cross = spectral_norm(&normal.tr_mul(&(&scaled * tangent)))?;
        facts.push("cross_moment", estimated(cross));
        let drift = tangent.tr_mul(&away).norm();
        facts.push("foot_drift", Quantity::new(drift, away_bar, Grade::Estimated));
        let distance_bar = errors.state + foot.residual;
        facts.push("distance", Quantity::new(foot.distance, distance_bar, Grade::Estimated));
        facts.push("interior", Quantity::exact(f64::from(!foot.boundary)));
        let reach = facts.get("reach").value;
        if let (Denoiser::Atoms(_), true) = (self.denoiser, reach > 0.0 && reach.is_finite()) {
            facts.push("normal_variance", estimated(mu_max(&cn)) * (sigma * sigma));
            let fourth = fourth_moment(self.denoiser, sigma, y.as_slice(), &foot.point);
            // d log E|X−p|⁴: its covariance with X over σ², and 4/|X−p| for the foot point.
            let tilt = 4.0 * (1.0 + size).sqrt() * errors.state / sigma;
            let bar = fourth * (tilt + 4.0 * errors.foot / fourth.powf(0.25));
            facts.push("fourth_moment", Quantity::new(fourth, bar, Grade::Estimated));
        }
        Ok(())
    }
}

/// How far P turns when the foot point moves by `shift`: ‖P_a − P_b‖ ≤ K·length, 0 on a flat whatever the shift.
fn turning(bend: f64, shift: f64) -> f64 {
    if bend == 0.0 { 0.0 } else { bend * shift }
}

/// ‖II‖ at the foot points: rounding, and its change between neighbours per length times the error of the foot.
fn curvature_bars(series: &[(f64, f64)], feet: &[DVector<f64>]) -> Vec<Quantity> {
    let change = |a: usize, b: usize| {
        let length = (&feet[b] - &feet[a]).norm();
        let change = (series[b].0 - series[a].0).abs();
        // Feet that hardly move say nothing of the derivative; nor does their error matter then.
        if length > 1e-9 { change / length } else { 0.0 }
    };
    let last = feet.len() - 1;
    let bar = |k: usize| {
        let (bend, shift) = series[k];
        let slope = change(k.saturating_sub(1), k).max(change(k, (k + 1).min(last)));
        1e-9 * bend + if slope > 0.0 { slope * shift } else { 0.0 }
    };
    (0..feet.len()).map(|k| Quantity::new(series[k].0, bar(k), Grade::Estimated)).collect()
}

/// Steps to either side that the difference quotients reach.
const WIDEST: usize = 3;

/// |dp/du|: central differences of two step sizes, extrapolated as vectors; the bar is how far the
/// extrapolation moved the vector, so it is wide where p jumps. Unknown at the ends.
fn foot_speeds(u: &[f64], feet: &[DVector<f64>]) -> Vec<Quantity> {
    let secant = |k: usize, s: usize| (&feet[k + s] - &feet[k - s]) / (u[k + s] - u[k - s]);
    let speed = |k: usize| {
        let near = secant(k, 1);
        let change = (&near - secant(k, 2)) / 3.0;
        let bar = change.norm() + 1e-9;
        Quantity::new((near + change).norm(), bar, Grade::Estimated)
    };
    (0..u.len()).map(|k| if inside(k, u.len()) { speed(k) } else { Quantity::UNKNOWN }).collect()
}

/// ‖dP/du‖ in the same way from the sines of the angles between tangent planes, which have a sign no
/// more: so the bar asks a third step size too, lest two of them agree by accident.
fn turning_rates(u: &[f64], tangents: &[DMatrix<f64>]) -> Result<Vec<Quantity>> {
    let secant = |k: usize, s: usize| -> Result<f64> {
        let sine = largest_angle(&tangents[k - s], &tangents[k + s])?.sin();
        Ok(sine / (u[k + s] - u[k - s]))
    };
    let rate = |k: usize| {
        let (near, far, farther) = (secant(k, 1)?, secant(k, 2)?, secant(k, 3)?);
        let change = (near - far) / 3.0;
        let bar = change.abs() + (near - farther).abs() / 8.0 + 1e-9;
        Ok(Quantity::new(near + change, bar, Grade::Estimated))
    };
    let or_unknown = |k| if inside(k, u.len()) { rate(k) } else { Ok(Quantity::UNKNOWN) };
    (0..u.len()).map(or_unknown).collect()
}

fn inside(k: usize, n: usize) -> bool {
    k >= WIDEST && k + WIDEST < n
}

/// E[|X − p|⁴ | y] over the atoms.
fn fourth_moment(denoiser: &Denoiser, sigma: f64, y: &[f64], p: &DVector<f64>) -> f64 {
    let Denoiser::Atoms(atoms) = denoiser else { return f64::NAN };
    let square =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum() };
    let points = atoms.points().chunks_exact(y.len());
    let logs: Vec<f64> = points
        .clone()
        .zip(atoms.log_weights())
        .map(|(x, w)| w - 0.5 * square(x, y) / (sigma * sigma))
        .collect();
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut total, mut sum) = (0.0, 0.0);
    for (x, log) in points.zip(logs) {
        let weight = (log - top).exp();
        total += weight;
        sum += weight * square(x, p.as_slice()).powi(2);
    }
    sum / total
}
