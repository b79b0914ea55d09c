//! `driftproof model`: a trained network, its convention, and what is true of its flow.

mod known;

use super::stages::Stages;
use super::{Exit, interrupt, print, program, report, terminal};
use crate::claims::posterior_spread_and_denoiser_error_bound_the_distance as distance;
use crate::claims::relative_compression_forces_alignment::CLAIM as COMPRESSION;
use crate::drift::{Atoms, Convention, Prediction, Trained};
use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, uniform_times};
use crate::manifold::Manifold;
use crate::network::{Batch, Field, Network, Port};
use crate::observe::data::{Watch, dimension, noise, tangents};
use crate::observe::model::conventions::{self, Comparison};
use crate::observe::model::space::Space;
use crate::observe::model::spectrum::{self, Leading, Run};
use crate::observe::model::{self, Model, Tangent};
use crate::points::{Columns, PointSet, Scaling};
use crate::random::Stream;
use crate::record::{self, TrajectoryRecord};
use crate::report::{gallery, model as page};
use crate::verdict::{Judgement, Margin, Verdict};
use clap::ValueEnum;
use nalgebra::DMatrix;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Where the page goes unless `--out` says otherwise.
const FOLDER: &str = "driftproof-out";

/// Above so many multiply-adds a state, less is run.
const LARGE: u64 = 1_000_000;

/// The options of `driftproof model`.
#[derive(clap::Args)]
pub struct Options {
    /// The network: .onnx, or .safetensors of a plain perceptron
    file: PathBuf,
    /// Noise levels and time: flow, flow-reversed, vp-linear, vp-cosine, ddpm:1000, ve, sub-vp, edm, trig, table:FILE
    #[arg(long, value_name = "PRESET")]
    preset: String,
    /// What the network predicts: velocity, score, eps, x0, v, edm-denoiser, edm-f
    #[arg(long, value_name = "WHAT")]
    predicts: String,
    /// What the network is given as its time, unlike its preset: s, 1-s, index, sigma, log-sigma, log-sigma/4
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// σ_data of edm-f
    #[arg(long, value_name = "SIGMA", default_value_t = 0.5)]
    sigma_data: f64,
    /// Name of the input that is the state, where it cannot be told
    #[arg(long, value_name = "NAME")]
    state: Option<String>,
    /// Name of the input that is the time, where it cannot be told
    #[arg(long, value_name = "NAME")]
    time_input: Option<String>,
    /// The training data, .npy or .csv, rows as points
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The network was trained on data/N + SHIFT
    #[arg(long, value_name = "N", requires = "data", default_value_t = 1.0)]
    divide: f64,
    /// See --divide
    #[arg(
        long,
        value_name = "SHIFT",
        requires = "data",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    shift: f64,
    /// The manifold of the data, where it is known: moons, circle, sphere; :R after the name for a radius
    #[arg(long, value_name = "NAME")]
    manifold: Option<String>,
    /// Dimension of the tangent planes; by default that of the manifold, of a significant gap, or estimated from the data
    #[arg(long, value_name = "D")]
    dimension: Option<usize>,
    /// Where states live: the flow starts there, and its spectrum within is shown
    #[arg(long, value_enum, default_value_t)]
    space: Where,
    /// Rows and columns of a state that is an image
    #[arg(long, value_name = "HxW")]
    shape: Option<String>,
    /// Steps of the flow, equal in generating time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    steps: u32,
    /// The scheme of each step
    #[arg(long, value_enum, default_value_t)]
    sampler: Scheme,
    /// Generating time at which the flow starts, 0 noise; by default the first at which it is defined
    #[arg(long, value_name = "S")]
    from: Option<f64>,
    /// Generating time at which it ends, 1 data; by default the last at which it is defined
    #[arg(long, value_name = "S")]
    until: Option<f64>,
    /// Leading singular pairs above 128 dimensions
    #[arg(long, value_name = "K", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=256))]
    top: u16,
    /// Samples that are drawn, and compared with the data under each convention
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(8..=100_000))]
    samples: Option<u32>,
    /// Trajectories whose spectrum is computed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    trajectories: Option<u32>,
    /// Go on though another convention fits the data better
    #[arg(long)]
    force: bool,
    /// Seed of all random numbers
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Worker threads, 1 to 1024; by default one a core
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Folder of the page [default: driftproof-out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the record, as JSON, in place of the text
    #[arg(long)]
    json: bool,
}

/// [`Space`] on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Where {
    /// In R^D
    #[default]
    Flat,
    /// On the unit sphere
    Sphere,
    /// On a product of unit circles
    Torus,
}

/// [`Method`] on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Scheme {
    /// Order 1
    Euler,
    /// Order 2
    Heun,
    /// Order 4
    #[default]
    Rk4,
}

/// Everything that the options ask for, checked.
struct Asked {
    trained: Trained<Field>,
    data: Option<PointSet>,
    manifold: Option<Manifold>,
    shape: Option<(usize, usize)>,
    about: String,
}

/// All that was found.
#[derive(Default)]
struct Findings {
    facts: Facts,
    runs: Vec<Run>,
    angles: Vec<f64>,
    tangent: String,
    comparison: Option<Comparison>,
    judged: Vec<TrajectoryRecord>,
}

/// Examines the network and writes its page.
pub fn run(options: &Options) -> Result<Exit> {
    let asked = asked(options)?;
    let folder = options.out.as_deref().unwrap_or(Path::new(FOLDER));
    let pool = super::pool(options.threads)?;
    record::check_writable(folder)?;
    let stages = Stages::begin(&options.file.display().to_string(), (1, 1));
    let (found, samples) = pool.install(|| examine(options, &asked, &stages))?;
    let name = name(&options.file);
    let mut chapter = page::chapter(&page::Found {
        name: &name,
        command: command(options),
        about: asked.about.clone(),
        seed: options.seed,
        facts: &found.facts,
        samples: &samples,
        data: asked.data.as_ref(),
        runs: &found.runs,
        angles: &found.angles,
        tangent: &found.tangent,
        shape: asked.shape,
        comparison: found.comparison.as_ref(),
        judged: &found.judged,
    });
    stages.next("drawing");
    chapter = record::as_stored(&chapter);
    pool.install(|| report::write_files(folder, gallery::chapter(&chapter, None)?))?;
    chapter.seconds = stages.end();
    if options.json {
        print(&record::to_json(&chapter))?;
    } else {
        print(&shown(&chapter, &found, folder))?;
    }
    let violated = found.judged.iter().any(|judged| judged.verdict == Verdict::Violated);
    Ok(if violated { Exit::Counterexample } else { Exit::Stands })
}

/// Reads and checks everything before anything is computed.
fn asked(options: &Options) -> Result<Asked> {
    let predicts = Prediction::named(&options.predicts, options.sigma_data)?;
    let convention = Convention::preset(&options.preset, predicts, options.time.as_deref())?;
    let network = Network::read(&options.file)?;
    let (state, time) = ports(options, &network)?;
    let field = network.field(&state, time.as_deref())?;
    let (inputs, kinks) = (said_of(network.inputs()), network.kinks());
    let mut about = format!(
        "Network: `{}`, inputs {inputs}; state `{state}` of {} numbers, time {}, {} multiply-adds a state. Convention: {}; \
         the network's time is {}. ",
        options.file.file_name().unwrap_or_default().to_string_lossy(),
        field.dim(),
        time.as_ref().map_or("none".to_owned(), |name| format!("`{name}`")),
        field.multiply_adds(),
        convention.name,
        convention.time.formula(),
    );
    match field.batch() {
        Batch::Free => {}
        Batch::Rewritten(n) => {
            about += &format!("It was exported for {n} states and rewritten for one. ")
        }
        Batch::Repeated(n) => {
            about += &format!("It works for {n} states only: each is run {n} times over. ")
        }
    }
    if !kinks.is_empty() {
        let of: Vec<String> = kinks
            .iter()
            .take(8)
            .map(|kink| format!("{} ({})", kink.operator, kink.meaning))
            .collect();
        let mut of = of;
        of.dedup();
        about += &format!("**Not smooth** at {} nodes: {}. ", kinks.len(), of.join("; "));
    }
    let dim = field.dim();
    let shape = shape(options.shape.as_deref(), dim)?;
    let data = options.data.as_deref().map(|path| data(path, options, dim)).transpose()?;
    let manifold =
        options.manifold.as_deref().map(|name| known::manifold(name, dim)).transpose()?;
    if let Some(d) = options.dimension
        && !(1..dim).contains(&d)
    {
        let problem = format!("{d} is not between 1 and {}", dim.saturating_sub(1));
        return Err(Error::input("--dimension", problem, "the dimension of the data"));
    }
    if options.space == Where::Torus && !dim.is_multiple_of(2) {
        let problem = format!("{dim} coordinates are no product of circles");
        return Err(Error::input(
            "--space torus",
            problem,
            "a network of states (cos, sin, cos, sin, …)",
        ));
    }
    Ok(Asked { trained: Trained { network: field, convention }, data, manifold, shape, about })
}

/// The inputs that are state and time: the time has one number a state.
fn ports(options: &Options, network: &Network) -> Result<(String, Option<String>)> {
    let single = |port: &&Port| port.shape.iter().skip(1).all(|n| *n == Some(1));
    let inputs = network.inputs();
    let time = match &options.time_input {
        Some(name) => Some(name.clone()),
        None if inputs.len() < 2 => None,
        None => {
            let found: Vec<&Port> = inputs
                .iter()
                .filter(|port| Some(&port.name) != options.state.as_ref())
                .filter(single)
                .collect();
            match found[..] {
                [only] => Some(only.name.clone()),
                _ => {
                    let problem =
                        format!("inputs {}: which is the time cannot be told", said_of(inputs));
                    return Err(Error::file(
                        &options.file,
                        problem,
                        "--state NAME --time-input NAME",
                    ));
                }
            }
        }
    };
    let state = match &options.state {
        Some(name) => name.clone(),
        None => {
            let rest: Vec<&Port> =
                inputs.iter().filter(|port| Some(&port.name) != time.as_ref()).collect();
            match rest[..] {
                [only] => only.name.clone(),
                _ => {
                    let problem =
                        format!("inputs {}: which is the state cannot be told", said_of(inputs));
                    return Err(Error::file(
                        &options.file,
                        problem,
                        "--state NAME --time-input NAME",
                    ));
                }
            }
        }
    };
    Ok((state, time))
}

fn said_of(ports: &[Port]) -> String {
    let axis = |n: &Option<usize>| n.map_or("free".to_owned(), |n| n.to_string());
    let one = |port: &Port| {
        let axes: Vec<String> = port.shape.iter().map(axis).collect();
        format!("`{}` [{}]", port.name, axes.join(", "))
    };
    ports.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn shape(asked: Option<&str>, dim: usize) -> Result<Option<(usize, usize)>> {
    let Some(text) = asked else { return Ok(None) };
    let sides: Option<(usize, usize)> =
        text.split_once('x').and_then(|(h, w)| Some((h.parse().ok()?, w.parse().ok()?)));
    match sides {
        Some((h, w)) if h.checked_mul(w) == Some(dim) => Ok(Some((h, w))),
        _ => {
            let problem = format!("{text:?} is not a height and width of {dim} numbers");
            Err(Error::input("--shape", problem, "as in --shape 28x28"))
        }
    }
}

fn data(path: &Path, options: &Options, dim: usize) -> Result<PointSet> {
    let mut set = PointSet::read(path, Columns::Points, Scaling::None)?;
    if set.dim() != dim {
        let problem = format!("points have {} numbers, the network's state {dim}", set.dim());
        return Err(Error::file(path, problem, "the data on which the network was trained"));
    }
    if !(options.divide.is_finite() && options.divide != 0.0 && options.shift.is_finite()) {
        let problem = format!("data/{} + {} is not a scaling", options.divide, options.shift);
        return Err(Error::input("--divide and --shift", problem, "as in --divide 8 --shift -1"));
    }
    set.points.iter_mut().for_each(|x| *x = *x / options.divide + options.shift);
    Ok(set)
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

fn examine(options: &Options, asked: &Asked, stages: &Stages) -> Result<(Findings, DMatrix<f64>)> {
    let model = model(options, asked)?;
    let stream = Stream::root(options.seed).named("model");
    let cost = asked.trained.network.multiply_adds();
    let large = cost > LARGE;
    let mut found = Findings { facts: Facts::new(), ..Findings::default() };
    let count = options.samples.map_or(if large { 24 } else { 300 }, |n| n as usize);
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
    let samples =
        model::ends(model.trained, &model.sampler(), &model.starts(count, stream.named("samples")));
    model::check_finite(&samples)?;

    stages.next("spectrum");
    let dim = model.dim();
    let trajectories = options.trajectories.map_or(spectrum::trajectories(dim), |n| n as usize);
    let starts = model.starts(trajectories, stream.named("trajectories"));
    let leading = Leading {
        pairs: usize::from(options.top),
        angle: 1e-2,
        rounds: if large { 3 } else { 12 },
    };
    let times = uniform_times(model.span.0, model.span.1, model.steps);
    found.runs = spectrum::run(&model, &starts, times, leading, stream.named("pairs"))?;
    spectrum::state(&found.runs, &mut found.facts);
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
            cost,
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
    let mut judged = Vec::new();
    for start in starts.column_iter() {
        let Some(facts) =
            model::denoiser::path(model, atoms, manifold, &start.into_owned(), between)?
        else {
            continue;
        };
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

/// The stem of the file, as the name of a folder.
fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let kept: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let kept = kept.trim_matches('-').to_owned();
    if kept.is_empty() { "model".to_owned() } else { kept }
}

/// The command, as it was typed.
fn command(_: &Options) -> String {
    let typed = std::env::args().skip(1).map(|word| match word.contains(char::is_whitespace) {
        true => format!("'{word}'"),
        false => word,
    });
    format!("{} {}", program(), typed.collect::<Vec<_>>().join(" "))
}

fn shown(chapter: &record::Chapter, found: &Findings, folder: &Path) -> String {
    let plain = chapter.about.replace(['`', '*'], "");
    let mut text = terminal::paragraph(&plain);
    text.push('\n');
    let growth = found.facts.series("log_growth");
    let first: Vec<String> =
        growth.iter().take(8).map(|q| terminal::with_bar(q.value, q.bar, "")).collect();
    let dots = if growth.len() > 8 { ", …" } else { "" };
    text += &terminal::note(&format!("log singular values: {}{dots}", first.join(", ")), 4);
    for finding in &chapter.findings {
        text +=
            &terminal::note(&format!("{}: {}", finding.claim, finding.found.replace("**", "")), 4);
    }
    text += &format!("\nPage: {}\n", folder.join(&chapter.name).join("index.html").display());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::PRESETS;

    #[test]
    fn folders_are_named_after_files() {
        assert_eq!(name(Path::new("a/Moons eps_v2.ts17.onnx")), "moons-eps-v2-ts17");
        assert_eq!(name(Path::new("../...onnx")), "model");
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        assert_eq!(shape(Some("8x8"), 64).unwrap(), Some((8, 8)));
        assert_eq!(shape(None, 64).unwrap(), None);
        for bad in ["8", "8x9", "x8", "-8x-8", "9999999999999999999x8", "4294967296x4294967296"] {
            assert!(shape(Some(bad), 64).unwrap_err().to_string().contains("--shape"), "{bad}");
        }
    }

    #[test]
    fn help_names_every_preset() {
        use clap::CommandFactory;
        #[derive(clap::Parser)]
        struct Command {
            #[command(flatten)]
            options: Options,
        }
        let help = Command::command().render_long_help().to_string();
        assert!(PRESETS.iter().all(|preset| help.contains(preset)), "{help}");
    }
}
