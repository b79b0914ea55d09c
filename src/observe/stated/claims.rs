//! Facts of further claims, by the measurements of their own observers.

use super::manifold::Foot;
use super::{Resolved, noisy};
use crate::drift::{Canonical, Schedule};
use crate::error::Result;
use crate::facts::Facts;
use crate::flow::{Carried, Method, Sampler, Steps, carried};
use crate::lyapunov::{Cocycle, qr_history};
use crate::observe::compressing_maps_force_alignment::Maps;
use crate::observe::frames::slope_over;
use crate::observe::more_digits::MOST_DIMENSIONS;
use crate::observe::posterior_moments_certify_alignment::Run as Certificate;
use crate::random::Stream;
use crate::scalar::Extended;
use crate::scenario_file::{DataLaw, System, Velocity, World};
use nalgebra::{DMatrix, DVector};
use num_dual::DualStruct;

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
    if let Some(why) = resolved.without_data() {
        return Ok(Err(why));
    }
    let framed = frames(world, resolved.times, resolved.rough.states, resolved.plane)?;
    let Framed { frames, slope } = match framed {
        Ok(framed) => framed,
        Err(reason) => return Ok(Err(reason)),
    };
    let jacobians = (0..last).map(|k| cocycle.push(k, &DMatrix::identity(dim, dim))).collect();
    let planes = qr_history(cocycle, resolved.plane);
    let d = resolved.plane.ncols();
    Maps::new(d, jacobians, frames, planes, slope, cones(world, index)).measure().map(Ok)
}

/// Facts of T2.2 for the maps of a run, carried in extended precision; None where that takes too long.
///
/// *Errors*: as [`carried`] and [`crate::manifold::Manifold::nearest`].
pub fn extended(world: &World, index: usize) -> Result<Option<Facts>> {
    let (start, plane) = (&world.starts[index], &world.planes[index]);
    let times = world.times(start)?;
    if world.manifold.is_none() || world.dim > MOST_DIMENSIONS || times.len() > MOST_MAPS + 1 {
        return Ok(None);
    }
    let Carried { states, jacobians } = match &world.system {
        System::Map(maps) => carried(maps, 0.0, start)?,
        System::Noisy { .. } => carried(&noisy(world, index)?, 1.0, start)?,
        System::Flow { velocity, steps, .. } => {
            let sampler = &Sampler::new(steps.method(), times.clone());
            carried(&Steps { sampler, drift: velocity }, 0.0, start)?
        }
    };
    let states: Vec<DVector<f64>> =
        states.iter().map(|x: &DVector<Extended>| x.map(|x| x.re())).collect();
    let Ok(Framed { frames, slope }) = frames(world, &times, &states, plane)? else {
        return Ok(None);
    };
    let (d, plane) = (plane.ncols(), plane.map(Extended::from));
    let maps = Maps::along(d, jacobians, &frames, plane, slope, cones(world, index));
    maps.facts().map(Some)
}

/// The planes of the start cone that are looked at.
fn cones(world: &World, index: usize) -> Stream {
    world.stream.named("cones").indexed(index as u64)
}

/// What T2.2 compares planes with.
struct Framed {
    /// `[U_T U_N]` at the nearest points of states.
    frames: Vec<DMatrix<f64>>,
    /// The slope of the start plane.
    slope: f64,
}

/// The frames of a run; or why T2.2 does not speak of it.
///
/// *Errors*: as [`crate::manifold::Manifold::nearest`].
fn frames(
    world: &World,
    times: &[f64],
    states: &[DVector<f64>],
    plane: &DMatrix<f64>,
) -> Result<std::result::Result<Framed, String>> {
    let manifold = world.manifold.as_ref().expect("asked for where there is one");
    if states.len() > MOST_MAPS + 1 {
        return Ok(Err(format!("more than {MOST_MAPS} maps")));
    }
    let (mut frames, mut slope) = (Vec::new(), f64::NAN);
    for (k, state) in states.iter().enumerate() {
        let foot = Foot::of(world, manifold, times[k], state)?;
        if k == 0 {
            slope = slope_over(plane, &foot.tangent, &foot.normal)?;
        }
        let columns = [foot.tangent.as_slice(), foot.normal.as_slice()].concat();
        frames.push(DMatrix::from_vec(world.dim, world.dim, columns));
    }
    match SLOPES.contains(&slope) {
        true => Ok(Ok(Framed { frames, slope })),
        false => Ok(Err(format!("the start plane has slope {slope:.3e}"))),
    }
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
