//! Facts of further claims, by the measurements of their own observers.

use super::Resolved;
use super::manifold::Foot;
use crate::drift::{Canonical, Schedule};
use crate::error::Result;
use crate::facts::Facts;
use crate::flow::{Method, Sampler};
use crate::lyapunov::{Cocycle, qr_history};
use crate::observe::compressing_maps_force_alignment::Maps;
use crate::observe::frames::slope_over;
use crate::observe::posterior_moments_certify_alignment::Run as Certificate;
use crate::scenario_file::{DataLaw, Velocity};
use nalgebra::DMatrix;

/// Most maps of a product whose blocks are measured one by one.
const MOST_MAPS: usize = 400;

/// Most noise levels of a certificate.
const MOST_LEVELS: usize = 400;

/// Slopes of the start plane for which cones are looked at.
const SLOPES: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// Facts of T2.2 for the maps of a run in the frames of its nearest points; or why there are none.
///
/// *Errors*: as [`crate::manifold::Manifold::nearest`].
pub fn maps(
    resolved: &Resolved<'_>,
    cocycle: &dyn Cocycle,
    index: usize,
) -> Result<std::result::Result<Facts, String>> {
    let (world, last, dim) = (resolved.world, resolved.last(), resolved.world.dim);
    let manifold = world.manifold.as_ref().expect("asked for where there is one");
    if last > MOST_MAPS {
        return Ok(Err(format!("more than {MOST_MAPS} maps")));
    }
    if let Some(why) = resolved.without_data() {
        return Ok(Err(why));
    }
    let mut frames = Vec::new();
    let mut first_slope = f64::NAN;
    for (k, state) in resolved.rough.states.iter().enumerate() {
        let foot = Foot::of(world, manifold, resolved.times[k], state)?;
        if k == 0 {
            first_slope = slope_over(resolved.plane, &foot.tangent, &foot.normal)?;
        }
        let columns = [foot.tangent.as_slice(), foot.normal.as_slice()].concat();
        frames.push(DMatrix::from_vec(dim, dim, columns));
    }
    if !SLOPES.contains(&first_slope) {
        return Ok(Err(format!("the start plane has slope {first_slope:.3e}")));
    }
    let jacobians = (0..last).map(|k| cocycle.push(k, &DMatrix::identity(dim, dim))).collect();
    let planes = qr_history(cocycle, resolved.plane);
    let stream = world.stream.named("cones").indexed(index as u64);
    let maps = Maps::new(manifold.dim(), jacobians, frames, planes, first_slope, stream);
    maps.measure().map(Ok)
}

/// Facts of T2.5 along an exact path, in canonical time; or why there are none.
///
/// *Errors*: as [`Certificate::measure`].
pub fn certificate(
    resolved: &Resolved<'_>,
    velocity: &Velocity,
    schedule: &Schedule,
    law: &DataLaw,
) -> Result<std::result::Result<Facts, String>> {
    let world = resolved.world;
    let manifold = world.manifold.as_ref().expect("asked for where there is one");
    if !velocity.errors.is_empty() {
        return Ok(Err("it speaks of models without errors".to_owned()));
    }
    let levels: Vec<f64> = resolved.times.iter().map(|s| schedule.sigma(*s)).collect();
    if levels.len() > MOST_LEVELS {
        return Ok(Err(format!("more than {MOST_LEVELS} noise levels")));
    }
    let start: Vec<f64> =
        resolved.state(0).iter().map(|x| x / world.signal(resolved.times[0])).collect();
    let run = Certificate {
        manifold,
        denoiser: &law.denoiser,
        flow: &Canonical { denoiser: &law.denoiser },
        sampler: &Sampler::new(Method::Rk4, levels),
        start: &start,
        plane: resolved.plane,
    };
    run.measure().map(Ok)
}
