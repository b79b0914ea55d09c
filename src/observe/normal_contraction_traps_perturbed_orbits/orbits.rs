//! Distances, rates and errors along the perturbed flow and the perturbed maps.

use super::{Family, Sheared, World};
use crate::drift::{Drift, Inexact, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{InexactFlow, Maps, Method, Orbit, Sampler};
use crate::linalg::mu_max;
use crate::observe::inexact::Foot;
use crate::observe::resolved::Resolved;
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;

/// Steps of the flow.
pub(super) const STEPS: usize = 48;

/// Intervals of a normal segment on which derivatives are sampled.
const SEGMENT: usize = 4;

/// Rounding of distances and blocks, relative to sizes of order one.
const ROUNDING: f64 = 1e-12;

/// The largest of samples along a segment, and a quarter of the largest jump between neighbours.
fn supremum(samples: &[f64]) -> f64 {
    let jump = samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
    samples.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 0.25 * jump
}

/// Along y' = v + ε w; rates are per u = −log σ.
pub(super) fn along_the_flow(
    world: &World,
    exact: &Sheared<'_>,
    error: &impl Drift,
    facts: &mut Facts,
) -> Result<()> {
    let sampler = Sampler::new(Method::Rk4, world.setting.times(world.steps));
    let refined = sampler.refined();
    let inexact = Inexact { exact, error, epsilon: world.epsilon };
    let perturbed = Resolved::new(&inexact, &sampler, &refined, &world.start)?;
    let carried = Resolved::new(exact, &sampler, &refined, &world.foot)?;
    facts.set("tube", Quantity::exact(world.tube));
    let (mut work, dim) = (Workspace::default(), world.start.len());
    for (k, &t) in sampler.times().iter().enumerate() {
        let ((x, state), (orbit, moved)) = (perturbed.state(k), carried.state(k));
        let radii = world.radii_of(world.family, t, orbit.as_slice());
        let manifold = world.manifold(&radii)?;
        let Foot { nearest: foot, normal, .. } = Foot::of(&manifold, x)?;
        // In u = −log σ the rates are of order one: s' = 1/(a'/a − b'/b).
        let (a, b, da, db) = world.setting.schedule.rates(t);
        let pace = (da / a - db / b).recip();
        let off = state + moved + foot.residual + ROUNDING;
        facts.push("time", Quantity::exact(-(b / a).ln()));
        facts.push("distance", Quantity::new(foot.distance, off, Grade::Estimated));

        let samples: Vec<f64> = (0..=SEGMENT)
            .map(|i| {
                let at = &foot.point + (x - &foot.point) * (i as f64 / SEGMENT as f64);
                let a = exact.jacobian(t, at.as_slice(), &mut work);
                pace * mu_max(&(normal.tr_mul(&a) * &normal))
            })
            .collect();
        let rate = samples.iter().fold(1.0, |m: f64, s| m.max(s.abs()));
        let bend = 1.0 + radii.iter().fold(0.0, |m: f64, r| m.max(r.recip()));
        let compression = |value: f64| {
            Quantity::new(value, rate * (16.0 * bend * off + ROUNDING), Grade::Estimated)
        };
        facts.push("compression", compression(-supremum(&samples)));
        facts.push("tube_compression", compression(pace * world.tube_compression(t, &radii)));

        let mut push = |name: &str, value: f64, size: f64| {
            let bar = 16.0 * size * (off * bend + ROUNDING);
            facts.push(name, Quantity::new(value, bar, Grade::Estimated));
        };
        let mut w = DVector::zeros(dim);
        error.velocity(t, x.as_slice(), w.as_mut_slice());
        let factor = world.setting.parametrisation.velocity_factor(&world.setting.schedule, t);
        let [most, slope, _] = world.error.bounds().map(|bound| bound * factor.abs() * pace);
        let size = world.epsilon * (most + slope);
        push("error", pace * world.epsilon * normal.tr_mul(&w).norm(), size);
        push("tube_error", world.epsilon * most, 0.0);
        // The defect is that of the foot point; by symmetry it is the same all over M_t.
        let mut v = DVector::zeros(dim);
        exact.velocity(t, foot.point.as_slice(), v.as_mut_slice());
        let (defect, size) = match world.family {
            Family::Invariant => (0.0, 0.0),
            Family::Data => {
                let gap = &v - &foot.point * (da / a);
                (normal.tr_mul(&gap).norm(), v.norm() + foot.point.norm() * da / a)
            }
        };
        push("defect", pace * defect, pace * size);
    }
    Ok(())
}

/// Along Euler steps of the same field.
pub(super) fn along_the_maps(
    world: &World,
    exact: &Sheared<'_>,
    error: &impl Drift,
    facts: &mut Facts,
) -> Result<()> {
    let sampler = Sampler::new(Method::Euler, world.setting.times(world.maps));
    let maps = InexactFlow { sampler: &sampler, drift: exact, error };
    let perturbed = Orbit::from(&maps, world.epsilon, &world.start)?;
    let carried = Orbit::from(&maps, 0.0, &world.foot)?;
    let manifold_at = |k: usize| {
        let (time, orbit) = (sampler.times()[k], carried.states[k].as_slice());
        world.manifold(&world.radii_of(world.map_family, time, orbit))
    };
    let dim = world.start.len();
    let mut here = manifold_at(0)?;
    for k in 0..=maps.maps() {
        let x = &perturbed.states[k];
        let foot = here.nearest(x.as_slice())?;
        let size = 1.0 + x.norm();
        let rounded = |value: f64| Quantity::new(value, ROUNDING * size, Grade::Estimated);
        facts.push("map_distance", rounded(foot.distance));
        if k == maps.maps() {
            break;
        }
        let next = manifold_at(k + 1)?;
        let mut q = foot.point.clone();
        maps.map(k, 0.0, q.as_mut_slice());
        let image = Foot::of(&next, &q)?;
        facts.push("map_defect", rounded(image.nearest.distance));
        // dF(p + s n) n by a dual in s.
        let off = x - &foot.point;
        let n = if foot.distance > 0.0 { &off / foot.distance } else { DVector::zeros(dim) };
        let slope = |i: usize| -> DVector<f64> {
            let at = &foot.point + &off * (i as f64 / SEGMENT as f64);
            let mut carried: Vec<Dual<f64>> =
                at.iter().zip(&n).map(|(x, n)| Dual::new(*x, *n)).collect();
            maps.map(k, Dual::from(0.0), &mut carried);
            DVector::from_iterator(dim, carried.iter().map(|x| x.eps))
        };
        let slopes: Vec<DVector<f64>> = (0..=SEGMENT).map(slope).collect();
        let most = |frame: &DMatrix<f64>| {
            supremum(&slopes.iter().map(|s| frame.tr_mul(s).norm()).collect::<Vec<_>>())
        };
        facts.push("map_normal", rounded(most(&image.normal)));
        facts.push("map_tangent", rounded(most(&image.tangent)));
        let mut unperturbed = x.clone();
        maps.map(k, 0.0, unperturbed.as_mut_slice());
        let moved = &perturbed.states[k + 1] - unperturbed;
        facts.push("map_error_normal", rounded(image.normal.tr_mul(&moved).norm()));
        facts.push("map_error_tangent", rounded(image.tangent.tr_mul(&moved).norm()));
        facts.push("map_curvature", Quantity::rounded(next.curvature_at_most(), 8.0));
        here = next;
    }
    Ok(())
}
