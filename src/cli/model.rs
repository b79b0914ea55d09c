//! `driftproof model`: a trained network, its convention, and what is true of its flow.

mod asked;
mod examine;
mod known;

use super::stages::Stages;
use super::{Exit, print, program, report, terminal};
use crate::error::Result;
use crate::experiments::words::with_bar;
use crate::record;
use crate::report::{gallery, model as page};
use crate::verdict::Verdict;
use clap::ValueEnum;
use examine::Findings;
use std::path::{Path, PathBuf};

/// Where the page goes unless `--out` says otherwise.
const FOLDER: &str = "driftproof-out";

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
    /// Samples that are drawn, and (at most 2000) compared with the data under each convention
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

/// Examines the network and writes its page.
pub fn run(options: &Options) -> Result<Exit> {
    let asked = asked::asked(options)?;
    let folder = options.out.as_deref().unwrap_or(Path::new(FOLDER));
    let pool = super::pool(options.threads)?;
    record::check_writable(folder)?;
    let stages = Stages::begin(&options.file.display().to_string(), (1, 1));
    let (found, samples) = pool.install(|| examine::examine(options, &asked, &stages))?;
    let name = name(&options.file);
    let mut chapter = page::chapter(&page::Found {
        name: &name,
        command: command(),
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
    chapter.seconds = stages.seconds();
    pool.install(|| report::write_files(folder, gallery::chapter(&chapter, None)?))?;
    stages.end();
    if options.json {
        print(&record::to_json(&chapter))?;
    } else {
        print(&shown(&chapter, &found, folder))?;
    }
    let violated = found.judged.iter().any(|judged| judged.verdict == Verdict::Violated);
    Ok(if violated { Exit::Counterexample } else { Exit::Stands })
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
fn command() -> String {
    let typed = std::env::args().skip(1).map(|word| match word.contains(char::is_whitespace) {
        true => format!("'{word}'"),
        false => word,
    });
    format!("{} {}", program(), typed.collect::<Vec<_>>().join(" "))
}

fn shown(chapter: &record::Chapter, found: &Findings, folder: &Path) -> String {
    let plain = chapter.about.replace("**", "").replace('`', "");
    let mut text = terminal::paragraph(&plain);
    text.push('\n');
    let growth = found.facts.series("log_growth");
    let first: Vec<String> = growth.iter().take(8).map(|q| with_bar(*q)).collect();
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
