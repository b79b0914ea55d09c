//! What is true of a world that a scenario file states.

mod claims;
mod compared;
mod conditions;
mod convention;
mod denoiser;
mod exponents;
mod manifold;
mod picture;

pub use convention::rivals;

use crate::drift::{Denoiser, Drift};
use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Figure;
use crate::flow::{Orbit, Sampler, StochasticSampler, Trajectory};
use crate::linalg::spectral_norm;
use crate::lyapunov::{Cocycle, Spectrum, product, spectrum};
use crate::scenario_file::{CLAIMS, InDenoiser, System, World};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Relative rounding of one map, with room.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

/// Less data than this, to one part of noise, is rounding.
const FAINT: f64 = 1e-8;

/// Jacobians that are compared with symbolic ones.
const COMPARED: usize = 50;

/// What was measured on one trajectory.
pub struct TrajectoryFacts {
    /// Where it starts.
    pub start: Vec<f64>,
    /// What is true of it.
    pub facts: Facts,
    /// The facts that claims are judged from, for each claim that speaks of it.
    pub claims: Vec<(&'static str, Facts)>,
    /// Claims that could be judged on other trajectories, and why not on this one.
    pub silent: Vec<(&'static str, String)>,
    /// Why it could not be measured to the end.
    pub error: Option<Error>,
    /// Its states, thinned out.
    states: Vec<DVector<f64>>,
}

/// Most numbers of the Jacobians of one run that are kept; longer products are computed again where they are needed.
const KEPT: usize = 20_000_000;

/// The Jacobians of a run.
struct Stored(Vec<DMatrix<f64>>);

impl Stored {
    /// Those of a cocycle, where they are not too many to be kept.
    fn of(cocycle: &dyn Cocycle) -> Option<Self> {
        let (dim, maps) = (cocycle.dim(), cocycle.len());
        let identity = DMatrix::identity(dim, dim);
        let all = || (0..maps).map(|k| cocycle.push(k, &identity)).collect();
        (maps * dim * dim <= KEPT).then(|| Self(all()))
    }
}

impl Cocycle for Stored {
    fn dim(&self) -> usize {
        self.0.as_slice().dim()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn push(&self, k: usize, directions: &DMatrix<f64>) -> DMatrix<f64> {
        self.0.as_slice().push(k, directions)
    }
    fn pull(&self, k: usize, covectors: &DMatrix<f64>) -> DMatrix<f64> {
        self.0.as_slice().pull(k, covectors)
    }
}

/// An orbit with the cocycle of its Jacobians.
struct Run<'a> {
    states: &'a [DVector<f64>],
    cocycle: &'a dyn Cocycle,
}

/// The orbit as it is stepped, and the same flow with twice as many steps; maps are exact, and have no second one.
struct Resolved<'a> {
    world: &'a World,
    times: &'a [f64],
    rough: Run<'a>,
    fine: Option<Run<'a>>,
    /// D×d.
    plane: &'a DMatrix<f64>,
}

impl<'a> Run<'a> {
    fn new(states: &'a [DVector<f64>], orbit: &'a dyn Cocycle, stored: &'a Option<Stored>) -> Self {
        Self { states, cocycle: stored.as_ref().map_or(orbit, |stored| stored) }
    }
}

impl<'a> Resolved<'a> {
    /// The better one.
    fn best(&self) -> &Run<'a> {
        self.fine.as_ref().unwrap_or(&self.rough)
    }

    /// Its state at the time of that number.
    fn state(&self, k: usize) -> &DVector<f64> {
        match &self.fine {
            Some(fine) => &fine.states[2 * k],
            None => &self.rough.states[k],
        }
    }

    /// How far that state may be off by its steps.
    fn off(&self, k: usize) -> f64 {
        (self.state(k) - &self.rough.states[k]).norm() + ROUNDING * self.state(k).norm()
    }

    fn last(&self) -> usize {
        self.times.len() - 1
    }

    /// Why nearest points to x/a are unknown at the first time.
    fn without_data(&self) -> Option<String> {
        let (a, b) = self.world.system.levels(self.times[0])?;
        (a < FAINT * b).then(|| "the first states hold no data: x/a has no size there".to_owned())
    }

    /// The length of the run in the units that exponents are given in.
    fn length(&self) -> f64 {
        let (from, to) = (self.times[0], self.times[self.last()]);
        match &self.world.path {
            Some((schedule, _)) => (schedule.sigma(from) / schedule.sigma(to)).ln(),
            None => (to - from).abs(),
        }
    }
}

/// Measures every trajectory of a world. The same numbers come out for any number of threads.
pub fn measure(world: &World) -> Vec<TrajectoryFacts> {
    all(world, None)
}

/// The facts of one claim alone, on each trajectory that it speaks of, with its number.
pub fn measure_for(world: &World, claim: &str) -> Vec<(usize, Facts)> {
    let measured = all(world, Some(claim)).into_iter().enumerate();
    measured
        .flat_map(|(i, found)| found.claims.into_iter().map(move |(_, facts)| (i, facts)))
        .collect()
}

/// Every trajectory; where samples are all that is known of the manifold, beside one seen more coarsely.
fn all(world: &World, alone: Option<&str>) -> Vec<TrajectoryFacts> {
    let coarser = world.coarser();
    let one = |i: usize| match &coarser {
        None => trajectory(world, i, alone),
        Some(Ok(coarser)) => trajectory(world, i, alone).compared(trajectory(coarser, i, alone)),
        Some(Err(error)) => {
            let error = Error::numeric("the manifold seen more coarsely", error.to_string());
            TrajectoryFacts { error: Some(error), ..TrajectoryFacts::unmeasured(world, i) }
        }
    };
    (0..world.starts.len()).into_par_iter().map(one).collect()
}

/// The facts of a claim on each trajectory that it speaks of, in f64 and carried in extended precision; none where the claim
/// is not one of finite maps, or they take too long.
///
/// *Errors*: as [`crate::flow::carried`] and [`crate::manifold::Manifold::nearest`].
pub fn measure_twice(world: &World, claim: &str) -> Result<Vec<[Facts; 2]>> {
    if claim != CLAIMS[1] {
        return Ok(Vec::new());
    }
    let of = |index: usize| -> Result<Option<[Facts; 2]>> {
        let usual = trajectory(world, index, Some(claim)).claims.pop();
        let Some((_, usual)) = usual else { return Ok(None) };
        Ok(claims::extended(world, index)?.map(|extended| [usual, extended]))
    };
    let all: Result<Vec<_>> = (0..world.starts.len()).into_par_iter().map(of).collect();
    Ok(all?.into_iter().flatten().collect())
}

/// The maps of a world that is stepped with noise, with the noise of a trajectory.
fn noisy(world: &World, index: usize) -> Result<StochasticSampler<'_, Denoiser, InDenoiser>> {
    let System::Noisy { schedule, scheme, law, errors, times } = &world.system else {
        unreachable!("asked for where there is one")
    };
    let noise = world.stream.named("sampler noise").indexed(index as u64);
    StochasticSampler::new(*schedule, *scheme, times.clone(), &law.denoiser, errors, noise)
}

/// The world drawn, and what was measured along its first trajectory.
pub fn figures(world: &World, measured: &[TrajectoryFacts]) -> Vec<Figure> {
    picture::figures(world, measured)
}

fn trajectory(world: &World, index: usize, alone: Option<&str>) -> TrajectoryFacts {
    let mut found = TrajectoryFacts::unmeasured(world, index);
    found.error = run(world, index, alone, &mut found).err();
    found
}

/// Runs the system of a world at its resolutions, and measures all of it, or what one claim asks for `alone`.
fn run(
    world: &World,
    index: usize,
    alone: Option<&str>,
    found: &mut TrajectoryFacts,
) -> Result<()> {
    let wants = |claim: &str| world.manifold.is_some() && alone.is_none_or(|one| one == claim);
    // The other claims take products of their own.
    let stored = |cocycle: &dyn Cocycle| {
        alone.is_none_or(|one| one == CLAIMS[0]).then(|| Stored::of(cocycle)).flatten()
    };
    let (start, plane) = (&world.starts[index], &world.planes[index]);
    let times = world.times(start)?;
    match &world.system {
        System::Flow { velocity, steps, .. } => {
            let sampler = Sampler::new(steps.method(), times.clone());
            let refined = sampler.refined();
            let rough = Trajectory::from(velocity, &sampler, start)?;
            let fine = Trajectory::from(velocity, &refined, start)?;
            let stored = (stored(&rough), stored(&fine));
            let resolved = Resolved {
                world,
                times: &times,
                rough: Run::new(&rough.states, &rough, &stored.0),
                fine: Some(Run::new(&fine.states, &fine, &stored.1)),
                plane,
            };
            if alone.is_none() {
                common(&resolved, index, found)?;
            }
            if alone.is_none() && !velocity.errors.is_empty() {
                let exact = velocity.without_errors();
                let end = |sampler: &Sampler| -> Result<DVector<f64>> {
                    Ok(Trajectory::from(&exact, sampler, start)?.end().clone())
                };
                let (rough, fine) = (end(&sampler)?, end(&refined)?);
                manifold::displacement(&resolved, [&fine, &rough], &mut found.facts)?;
            }
            if wants(CLAIMS[0]) {
                let t21 = conditions::along(&resolved, velocity, &mut found.facts)?;
                keep(found, CLAIMS[0], t21);
            }
            if wants(CLAIMS[1]) {
                let t22 = claims::maps(&resolved, &rough, index)?;
                keep(found, CLAIMS[1], t22);
            }
            if world.network().is_some() && wants(CLAIMS[2]) {
                let why = "it speaks of exact denoisers, and that of a network is learned";
                keep(found, CLAIMS[2], Err(why.to_owned()));
            }
            if let Some((schedule, law)) = world.path.as_ref().filter(|_| wants(CLAIMS[2])) {
                let t25 = claims::certificate(&resolved, velocity, schedule, law)?;
                keep(found, CLAIMS[2], t25);
            }
        }
        System::Map(maps) => {
            let orbit = Orbit::from(maps, 0.0, start)?;
            let stored = stored(&orbit);
            let rough = Run::new(&orbit.states, &orbit, &stored);
            let resolved = Resolved { world, times: &times, rough, fine: None, plane };
            if alone.is_none() {
                common(&resolved, index, found)?;
            }
            if wants(CLAIMS[1]) {
                let t22 = claims::maps(&resolved, &orbit, index)?;
                keep(found, CLAIMS[1], t22);
            }
        }
        System::Noisy { errors, times, .. } => {
            let sampler = noisy(world, index)?;
            let orbit = Orbit::from(&sampler, 1.0, start)?;
            let stored = stored(&orbit);
            let rough = Run::new(&orbit.states, &orbit, &stored);
            let resolved = Resolved { world, times, rough, fine: None, plane };
            if alone.is_none() {
                common(&resolved, index, found)?;
            }
            if alone.is_none() && !errors.errors.is_empty() {
                let exact = Orbit::from(&sampler, 0.0, start)?;
                let end = exact.end();
                manifold::displacement(&resolved, [end, end], &mut found.facts)?;
            }
            if wants(CLAIMS[1]) {
                let t22 = claims::maps(&resolved, &orbit, index)?;
                keep(found, CLAIMS[1], t22);
            }
        }
    }
    Ok(())
}

fn keep(
    found: &mut TrajectoryFacts,
    claim: &'static str,
    facts: std::result::Result<Facts, String>,
) {
    match facts {
        Ok(facts) => found.claims.push((claim, facts)),
        Err(reason) => found.silent.push((claim, reason)),
    }
}

/// What is measured of every system.
fn common(resolved: &Resolved<'_>, index: usize, found: &mut TrajectoryFacts) -> Result<()> {
    let stride = (resolved.times.len() / picture::POINTS).max(1);
    let kept = (0..=resolved.last()).step_by(stride).chain([resolved.last()]);
    found.states = kept.map(|k| resolved.state(k).clone()).collect();
    let facts = &mut found.facts;
    let spectra = growth(resolved, facts);
    compare_jacobians(resolved, facts)?;
    exponents::asymptotic(resolved, index, facts);
    if resolved.world.manifold.is_some() {
        manifold::alignment(resolved, spectra.as_ref(), facts)?;
    }
    denoiser::compare(resolved, facts)?;
    Ok(())
}

/// The last state, and the growth of the tangent map over the whole run, whose spectra come back, the better first, where
/// they exist.
fn growth(resolved: &Resolved<'_>, facts: &mut Facts) -> Option<[Spectrum; 2]> {
    let (last, dim) = (resolved.last(), resolved.world.dim);
    let best = resolved.best();
    let whole = product(best.cocycle);
    let steps = best.states.len() as f64;
    // Rounding on the way grows as tangents do; where their product overflows nothing is known.
    let growth = spectral_norm(&whole).map_or(f64::INFINITY, |norm| norm.max(1.0));
    let amplified = ROUNDING * steps.sqrt() * growth;
    let (end, rough) = (resolved.state(last), &resolved.rough.states[last]);
    let size = end.norm();
    let coordinates = end.iter().zip(rough.iter()).map(|(fine, rough)| {
        Quantity::new(*fine, (fine - rough).abs() + amplified * size, Grade::Estimated)
    });
    facts.set_series("end_state", coordinates.collect());

    let length = resolved.length();
    let unknown = vec![Quantity::UNKNOWN; dim];
    let spectra = spectrum(&whole).ok().and_then(|fine| {
        let rough = match &resolved.fine {
            Some(_) => spectrum(&product(resolved.rough.cocycle)).ok()?,
            None => fine.clone(),
        };
        Some([fine, rough])
    });
    let logs = match &spectra {
        Some([fine, rough]) => {
            let rounding = ROUNDING * dim as f64 * steps.sqrt();
            let pairs = fine.log_growth.iter().zip(&rough.log_growth);
            pairs
                .map(|(log, other)| {
                    let lost = rounding * (fine.log_growth[0] - log).exp();
                    Quantity::new(*log, (log - other).abs() + lost, Grade::Estimated)
                })
                .collect()
        }
        None => unknown,
    };
    facts.set_series("finite_exponent", logs.iter().map(|log| *log * length.recip()).collect());
    facts.set_series("log_growth", logs);

    let volume = |run: &Run<'_>| -> f64 {
        let frame = DMatrix::identity(dim, dim);
        crate::lyapunov::qr_sweep(run.cocycle, &frame).log_growth.iter().sum()
    };
    let (fine, rough) = (volume(best), volume(&resolved.rough));
    let bar = (fine - rough).abs() + ROUNDING * steps;
    facts.set("volume_exponent", Quantity::new(fine / length, bar / length, Grade::Estimated));
    spectra
}

/// Jacobians of formulas by dual numbers against those by symbolic derivatives.
fn compare_jacobians(resolved: &Resolved<'_>, facts: &mut Facts) -> Result<()> {
    let Some(field) = resolved.world.formulas() else { return Ok(()) };
    let symbolic = field.symbolic();
    let stride = (resolved.times.len() / COMPARED).max(1);
    let mut largest = 0.0_f64;
    for k in (0..resolved.last()).step_by(stride) {
        let (t, x) = (resolved.times[k], resolved.state(k));
        let by_duals = field.jacobian(t, x.as_slice(), &mut crate::drift::Workspace::default());
        let by_rules = field.jacobian_by(&symbolic, t, x.as_slice());
        let size = by_duals.norm().max(f64::MIN_POSITIVE);
        let difference = (by_duals - by_rules).norm() / size;
        // What is not a number stays so.
        largest = if difference > largest || difference.is_nan() { difference } else { largest };
        if largest.is_nan() {
            break;
        }
    }
    facts.set("jacobian_difference", Quantity::exact(largest));
    Ok(())
}
