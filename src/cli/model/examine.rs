//! The measurements of `driftproof model`, in order.

use super::asked::Asked;
use super::{Options, Scheme, Where};
use crate::claims::posterior_spread_and_denoiser_error_bound_the_distance as distance;
use crate::claims::relative_compression_forces_alignment::CLAIM as COMPRESSION;
use crate::cli::interrupt;
use crate::cli::stages::Stages;
use crate::drift::Atoms;
use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, uniform_times};
use crate::manifold::Manifold;
use crate::network::Field;
use crate::observe::data::{Watch, dimension, noise, tangents};
use crate::observe::model::conventions::{self, Comparison};
use crate::observe::model::space::Space;
use crate::observe::model::spectrum::{self, Leading, Run};
use crate::observe::model::{self, Model, Tangent};
use crate::random::Stream;
use crate::record::TrajectoryRecord;
use crate::report::model as page;
use crate::verdict::{Judgement, Margin};
use nalgebra::DMatrix;
use rayon::prelude::*;

/// All that was found.
#[derive(Default)]
pub struct Findings {
    /// What was measured.
    pub facts: Facts,
    /// Trajectories with their spectra.
    pub runs: Vec<Run>,
    /// To the tangent planes, one a trajectory.
    pub angles: Vec<f64>,
    /// Where the tangent planes are from.
    pub tangent: String,
    /// The declared convention and its rivals.
    pub comparison: Option<Comparison>,
    /// Claims on trajectories.
    pub judged: Vec<TrajectoryRecord>,
}

pub fn examine(
    options: &Options,
    asked: &Asked,
    stages: &Stages,
) -> Result<(Findings, DMatrix<f64>)> {
    let model = model(options, asked)?;
    let stream = Stream::root(options.seed).named("model");
    let large = asked.trained.network.multiply_adds() > model::LARGE;
    let mut found = Findings { facts: Facts::new(), ..Findings::default() };
    let count = options.samples.map_or(if large { 24 } else { 400 }, |n| n as usize);
    if let Some(set) = &asked.data {
        stages.next("conventions");
        let rivals = model.trained.convention.rivals(&options.preset, options.sigma_data);
        let comparison =
            conventions::compare(&model, rivals, set, count, stream.named("conventions"));
        if let Some(better) = comparison.better().filter(|_| !options.force) {
            let (_, said) = page::convention_in_words(&comparison);
            let problem = format!("{}: {said}", comparison.declared.name);
            let hint = format!(
                "the convention `{}`, or --force to go on with the declared one",
                better.name
            );
            return Err(Error::input(
                "the declared convention does not fit the data",
                problem,
                hint,
            ));
        }
        found.comparison = Some(comparison);
    }
    stages.next("samples");
    let noise = model.starts(count, stream.named("samples"));
    let samples = model::ends(model.trained, &model.sampler(), &noise);
    model::check_finite(&samples)?;

    stages.next("spectrum");
    let dim = model.dim();
    let trajectories = options.trajectories.map_or(spectrum::trajectories(dim), |n| n as usize);
    let starts = model.starts(trajectories, stream.named("trajectories"));
    let leading = Leading {
        pairs: usize::from(options.top),
        angle: 1e-2,
        rounds: if large { 6 } else { 12 },
    };
    let times = uniform_times(model.span.0, model.span.1, model.steps);
    found.runs = spectrum::run(&model, &starts, times, leading, stream.named("pairs"))?;
    spectrum::state(&found.runs, &mut found.facts);
    found.facts.set_series("flow_time", [model.span.0, model.span.1].map(Quantity::exact).to_vec());
    let (first, last) = model.sigmas();
    found.facts.set_series("flow_sigma", [first, last].map(Quantity::exact).to_vec());
    found.facts.set("flow_steps", Quantity::exact(model.steps as f64));
    spectrum::intrinsic(model.space, &found.runs, &mut found.facts)?;
    stages.next("self-checks");
    model::selfchecks::measure(&model, &found.runs[0], stream.named("checks"), &mut found.facts)?;
    stages.next("symmetry");
    model::symmetry::measure(&model, &found.runs, stream.named("symmetry"), &mut found.facts);

    let mut gap = None;
    let mut levels = None;
    if let Some(set) = &asked.data {
        stages.next("gap against the null");
        let mut of_data = Facts::new();
        let found_levels = noise::levels(set, stream.named("levels"), &mut of_data)?;
        let watch = Watch { stop: interrupt::flag(), after_each: &|| {} };
        gap = spectrum::against_null(
            &model,
            set,
            found_levels,
            stream.named("gap"),
            watch,
            &mut found.facts,
        )?;
        levels = Some(found_levels);
    }
    let tangent = tangent(options, asked, gap, &mut found.facts);
    if let Some(tangent) = &tangent {
        found.tangent = tangent.said();
        stages.next("alignment");
        found.angles = model::alignment::measure(
            &found.runs,
            tangent,
            stream.named("alignment"),
            &mut found.facts,
        )?;
        stages.next("response to errors");
        model::response::measure(
            &model,
            tangent,
            (&noise, &samples),
            large,
            stream.named("response"),
            &mut found.facts,
        )?;
    }
    if let (Some(set), Some(levels), Some(tangent)) = (&asked.data, levels, &tangent) {
        stages.next("denoiser");
        let points = set.points.as_slice().to_vec();
        let atoms = Atoms::new(dim, points, Some(set.log_weights.clone()), 0.0)?;
        let (first, last) = model.sigmas();
        let between = (levels.start.min(first), (0.25 * levels.end).max(last));
        model::denoiser::compare(&model, &atoms, tangent, &starts, between, &mut found.facts)?;
        stages.next("claims");
        let d = tangent.dimension();
        found.judged.extend(compressions(&model, &starts, d, between, stream.named("planes"))?);
        if let Some(manifold) = &asked.manifold {
            let judged = distances(&model, &atoms, manifold, &starts, between, &mut found.facts)?;
            found.judged.extend(judged);
        }
    }
    Ok((found, samples))
}

fn model<'a>(options: &Options, asked: &'a Asked) -> Result<Model<'a, Field>> {
    let (first, last) = asked.trained.convention.span();
    let span = (options.from.unwrap_or(first), options.until.unwrap_or(last));
    if !(0.0 <= span.0 && span.0 < span.1 && span.1 <= 1.0) {
        let problem = format!("from {} until {} is not a part of [0, 1]", span.0, span.1);
        return Err(Error::input(
            "--from and --until",
            problem,
            format!("--from {first} --until {last}"),
        ));
    }
    let space = match options.space {
        Where::Flat => Space::Flat,
        Where::Sphere => Space::Sphere,
        Where::Torus => Space::Torus,
    };
    let method = match options.sampler {
        Scheme::Euler => Method::Euler,
        Scheme::Heun => Method::Heun,
        Scheme::Rk4 => Method::Rk4,
    };
    Ok(Model { trained: &asked.trained, space, method, steps: options.steps as usize, span })
}

/// T2.1 on each trajectory; where no later stage meets its hypothesis it is out of scope.
fn compressions(
    model: &Model<'_, Field>,
    starts: &DMatrix<f64>,
    d: usize,
    between: (f64, f64),
    stream: Stream,
) -> Result<Vec<TrajectoryRecord>> {
    if model.dim() > spectrum::WHOLE || d == 0 || d >= model.dim() {
        return Ok(Vec::new());
    }
    let each = |i: usize| {
        let start = starts.column(i).into_owned();
        let facts = model::compression::along(model, &start, d, between, stream.indexed(i as u64))?;
        let judgement = match facts {
            Some(facts) => COMPRESSION.judge(&facts),
            None => Judgement {
                hypotheses: vec![Margin::condition("H1 Riccati solution exists", false)],
                conclusions: Vec::new(),
            },
        };
        let (claim, verdict) = (COMPRESSION.id.to_owned(), judgement.verdict());
        Ok(TrajectoryRecord { claim, dimension: d, verdict, judgement })
    };
    (0..starts.ncols()).into_par_iter().map(each).collect()
}

/// T4.3 (a), (b) on each trajectory that comes near the known manifold; the last distances and their bounds go to the facts
/// `distance_end` and `distance_bound`.
fn distances(
    model: &Model<'_, Field>,
    atoms: &Atoms,
    manifold: &Manifold,
    starts: &DMatrix<f64>,
    between: (f64, f64),
    all: &mut Facts,
) -> Result<Vec<TrajectoryRecord>> {
    let off = model::denoiser::off_the_set(atoms, manifold)?;
    let path = |i: usize| {
        let start = starts.column(i).into_owned();
        model::denoiser::path(model, atoms, (manifold, off), &start, between)
    };
    let found: Vec<Option<Facts>> =
        (0..starts.ncols()).into_par_iter().map(path).collect::<Result<_>>()?;
    let mut judged = Vec::new();
    for facts in found.into_iter().flatten() {
        if let (Some(bound), Some(end)) =
            (distance::distance_bound(&facts), facts.series("distance").last())
        {
            let bound = bound.last().copied().unwrap_or(f64::NAN);
            all.push("distance_bound", Quantity::new(bound, 0.0, Grade::Estimated));
            all.push("distance_end", *end);
        }
        let judgement = distance::judge_path(&facts);
        let (claim, verdict) = (distance::CLAIM.id.to_owned(), judgement.verdict());
        judged.push(TrajectoryRecord { claim, dimension: manifold.dim(), verdict, judgement });
    }
    Ok(judged)
}

/// Known planes, or those of local PCA at a dimension that is asked for, of the gap, or estimated.
fn tangent<'a>(
    options: &Options,
    asked: &'a Asked,
    gap: Option<usize>,
    facts: &mut Facts,
) -> Option<Tangent<'a>> {
    if let Some(manifold) = &asked.manifold {
        return Some(Tangent::Known(manifold));
    }
    let set = asked.data.as_ref()?;
    let estimated = dimension::state(set, facts);
    let dimension =
        options.dimension.or(gap).or(estimated)?.clamp(1, set.dim().saturating_sub(1).max(1));
    facts.set("tangent_dimension", Quantity::exact(dimension as f64));
    let neighbours = tangents::size(dimension, set.len())?;
    (set.dim() > 1).then_some(Tangent::Local { set, dimension, neighbours })
}
