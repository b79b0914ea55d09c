//! Canonical flows of laws on random manifolds, for T2.5.

use super::Observation;
use crate::drift::{Channel, Denoise, Denoiser};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Sampler, Trajectory};
use crate::linalg::{complement, graph_operator, mu_max, mu_min, spectral_norm};
use crate::lyapunov::qr_history;
use crate::manifold::{Family, Nearest};
use crate::random::Knobs;
use crate::scenario::{Scenario, canonical};
use nalgebra::DVector;

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let scenario = Scenario::decode(knobs, &Family::ALL)?;
    let facts = measure(&scenario)?;
    Ok(Observation::new(&scenario, facts))
}

/// Posterior moments, nearest points and the slope of a propagated plane along one trajectory.
pub fn measure(scenario: &Scenario) -> Result<Facts> {
    let manifold = scenario.manifold();
    let d = manifold.dim();
    let denoiser = scenario.denoiser()?;
    let flow = canonical(&denoiser);
    let (sampler, start) = (scenario.sampler(), &scenario.start);
    let refined = sampler.refined();
    let trajectory = Trajectory::from(&flow, &sampler, start)?;
    let finer = Trajectory::from(&flow, &refined, start)?;
    let plane = scenario.plane(d);
    let coarse = qr_history(&trajectory, &plane);
    let fine = qr_history(&finer, &plane);

    let mut facts = Facts::new();
    // A proven lower bound: the estimated reach is an upper one, which would make the bound too strict.
    let reach = manifold.reach_at_least();
    facts.set("reach", Quantity::rounded(reach, 4.0));
    let mut feet: Vec<Nearest> = Vec::new();
    for (k, sigma) in sampler.times().iter().enumerate() {
        let y = &finer.states[2 * k];
        // States differ between the resolutions by this much; everything at y inherits it.
        let error = (y - &trajectory.states[k]).norm() / sigma;
        let foot = manifold.nearest(y.as_slice())?;
        let tangent = manifold.tangent_frame(&foot.place);
        let normal = complement(&tangent);
        let (mean, covariance) = denoiser.posterior(Channel::canonical(*sigma), y.as_slice());
        let scaled = covariance / (sigma * sigma);
        let (ct, cn) = (tangent.tr_mul(&(&scaled * &tangent)), normal.tr_mul(&(&scaled * &normal)));
        let size = spectral_norm(&scaled)?;
        let bar = (error + 1e-12) * (1.0 + size);
        let estimated = |value: f64| Quantity::new(value, bar, Grade::Estimated);
        let drift = tangent.tr_mul(&(DVector::from_vec(mean) - &foot.point)).norm();
        facts.push("time", Quantity::exact(-sigma.ln()));
        facts.push("gamma", estimated(mu_min(&ct) - mu_max(&cn)));
        facts
            .push("cross_moment", estimated(spectral_norm(&normal.tr_mul(&(&scaled * &tangent)))?));
        facts.push("foot_drift", Quantity::new(drift, bar * sigma, Grade::Estimated));
        facts.push("distance", Quantity::new(foot.distance, bar * sigma, Grade::Estimated));
        facts.push("interior", Quantity::exact(f64::from(!foot.boundary)));
        let variance = estimated(mu_max(&cn)) * (sigma * sigma);
        facts.push("normal_variance", variance);
        // ‖II‖ at the foot point itself is all that the proof needs of K.
        let curvature = manifold.curvature_at(&foot.place);
        facts.push("curvature", Quantity::new(curvature, 1e-9 * curvature, Grade::Symbolic));
        if let (Denoiser::Atoms(_), true) = (&denoiser, reach > 0.0 && reach.is_finite()) {
            let fourth = fourth_moment(&denoiser, *sigma, y.as_slice(), &foot.point);
            facts.push("fourth_moment", Quantity::new(fourth, bar * fourth, Grade::Estimated));
        }
        let slope_of = |frame| match graph_operator(frame, &tangent, &normal) {
            Ok(graph) => spectral_norm(&graph),
            Err(_) => Ok(f64::NAN),
        };
        let (l, l_coarse) = (slope_of(&fine[2 * k])?, slope_of(&coarse[k])?);
        let bar = (l - l_coarse).abs() + (bar + 1e-12) * (1.0 + l * l);
        facts.push("slope", Quantity::new(l, bar, Grade::Estimated));
        feet.push(foot);
    }
    for speed in foot_speeds(&sampler, &feet) {
        facts.push("foot_speed", speed);
    }
    Ok(facts)
}

/// |dp/du| by central differences of the nearest points in u = −log σ, with the difference of two
/// step sizes as bar; unknown at the ends and across a jump to another sheet.
fn foot_speeds(sampler: &Sampler, feet: &[Nearest]) -> Vec<Quantity> {
    let u: Vec<f64> = sampler.times().iter().map(|s| -s.ln()).collect();
    let secant = |a: usize, b: usize| (&feet[b].point - &feet[a].point).norm() / (u[b] - u[a]);
    (0..feet.len())
        .map(|k| match (2..feet.len() - 2).contains(&k) {
            true => {
                let (near, far) = (secant(k - 1, k + 1), secant(k - 2, k + 2));
                Quantity::new(near, (near - far).abs() + 1e-9, Grade::Estimated)
            }
            false => Quantity::UNKNOWN,
        })
        .collect()
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
