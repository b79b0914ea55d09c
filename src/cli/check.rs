//! `driftproof check`: claims on random worlds, data sets, the table and the record.

use super::data::{self, Scale};
use super::terminal::{self, Column};
use super::{Exit, interrupt, names, print, progress::Progress, replay};
use crate::campaign;
use crate::claims::Claim;
use crate::error::{Error, Result};
use crate::record::{
    self, ClaimRecord, ClaimSummary, Outcome, Parameters, Record, Schema, Timing, TrajectoryRecord,
    Versions,
};
use crate::verdict::Verdict;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Worlds of each claim unless `--worlds` says otherwise.
pub const WORLDS: u32 = 200;

/// More worlds than this do not fit the memory of a small machine.
const MOST_WORLDS: i64 = 100_000;

/// Where the record goes unless `--out` says otherwise.
const FOLDER: &str = "driftproof-out";

/// The options of `driftproof check`.
#[derive(clap::Args)]
pub struct Options {
    /// Claims by name or number of the theory (T3); without any, all of them
    pub claims: Vec<String>,
    /// Random worlds for each claim, 1 to 100000
    #[arg(long, value_name = "N", default_value_t = WORLDS, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=MOST_WORLDS))]
    pub worlds: u32,
    /// Judge this world again and print all that is known of it
    #[arg(long, value_name = "I", requires = "claims", conflicts_with_all = ["worlds", "data", "scale"], allow_negative_numbers = true)]
    pub world: Option<u32>,
    /// Seed of all random worlds
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u64,
    /// Worker threads, 1 to 1024; by default one a core
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// A data set, .npy or .csv, rows as points; may be repeated
    #[arg(long, value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// How data are scaled
    #[arg(long, value_enum, default_value_t)]
    pub scale: Scale,
    /// Folder of the record [default: driftproof-out]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the record, as JSON, in place of the table
    #[arg(long)]
    pub json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            claims: Vec::new(),
            worlds: WORLDS,
            world: None,
            seed: 1,
            threads: None,
            data: Vec::new(),
            scale: Scale::None,
            out: None,
            json: false,
        }
    }
}

impl Options {
    /// The command that repeats one world of a claim.
    pub fn repeat_world(&self, claim: &str, index: usize) -> String {
        format!("driftproof check {claim} --world {index} --seed {}", self.seed)
    }

    /// The command that repeats the campaign of a claim.
    fn repeat(&self, claim: &str) -> String {
        format!("driftproof check {claim} --worlds {} --seed {}", self.worlds, self.seed)
    }

    /// The claims and data sets that are asked for: only those named, or everything.
    fn wanted(&self) -> (bool, bool) {
        let everything = self.claims.is_empty() && self.data.is_empty();
        (everything || !self.claims.is_empty(), everything || !self.data.is_empty())
    }
}

/// Checks what was asked for and says how it stands.
pub fn run(options: &Options) -> Result<Exit> {
    // Everything that can be refused is refused before anything is computed or written.
    let claims = names::resolve_all(&options.claims)?;
    let (with_claims, with_data) = options.wanted();
    let threads = match options.threads {
        Some(threads) => usize::from(threads),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| {
        Error::input("--threads", format!("{threads} threads: {error}"), "fewer threads")
    })?;
    if options.world.is_some() {
        return replay::run(options, &claims, threads);
    }
    let sets = if with_data { data::read(&options.data, options.scale)? } else { Vec::new() };
    let folder = options.out.as_deref().unwrap_or(Path::new(FOLDER));
    record::check_writable(folder)?;

    let claims = if with_claims { claims } else { Vec::new() };
    let started = Instant::now();
    let stop = interrupt::flag();
    let mut record = begin(options, &claims, with_data, threads);
    for claim in &claims {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (checked, seconds) = pool.install(|| campaign_of(claim, options));
        record.timing.claims.insert(claim.id.to_owned(), seconds);
        record.claims.push(checked);
    }
    for set in &sets {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        eprintln!("{}: {} points in {} dimensions", set.name, set.len(), set.dim());
        record.data.push(pool.install(|| data::examine(set, options.seed))?);
    }
    record.interrupted = stop.load(Ordering::Relaxed);
    record.timing.seconds = started.elapsed().as_secs_f64();

    let written = record::write(&record, folder, record::FILE_NAME);
    // A full disk shall not cost the result of a long run: it is shown in any case.
    if options.json {
        print(&record::to_json(&record))?;
    } else {
        print(&shown(options, &record, written.as_deref().ok()))?;
    }
    written?;
    Ok(exit(&record))
}

/// A record of nothing yet.
pub fn begin(options: &Options, claims: &[&Claim], with_data: bool, threads: usize) -> Record {
    let files = options.data.iter().map(|file| file.display().to_string());
    let data = match (with_data, options.data.is_empty()) {
        (true, true) => vec!["built-in".to_owned()],
        _ => files.collect(),
    };
    Record {
        schema: Schema::current(),
        versions: Versions::current(),
        parameters: Parameters {
            claims: claims.iter().map(|claim| claim.id.to_owned()).collect(),
            data,
            scale: options.scale.name(),
            worlds: options.worlds as usize,
            world: options.world.map(|index| index as usize),
            seed: options.seed,
        },
        interrupted: false,
        claims: Vec::new(),
        data: Vec::new(),
        timing: Timing { threads, seconds: 0.0, claims: BTreeMap::new() },
    }
}

fn campaign_of(claim: &Claim, options: &Options) -> (ClaimRecord, f64) {
    let (worlds, seed) = (options.worlds as usize, options.seed);
    let progress = Progress::begin(claim.id, worlds);
    let advance = || progress.advance();
    let results = campaign::run_frugally(claim, seed, worlds, interrupt::flag(), &advance);
    let seconds = progress.end();
    let checked = campaign::record(claim, seed, &results);
    // The first result is on the screen long before the table is.
    let s = &checked.summary;
    eprintln!(
        "{}: {}, {} of {} worlds in scope, {} violated ({seconds:.1} s)",
        s.claim,
        words(s.outcome),
        s.in_scope,
        s.worlds,
        s.violated
    );
    (checked, seconds)
}

/// The worst outcome decides; a stopped run shows at best that nothing fell so far.
fn exit(record: &Record) -> Exit {
    let any = |outcome| record.claims.iter().any(|claim| claim.summary.outcome == outcome);
    let violated = |t: &TrajectoryRecord| t.verdict == Verdict::Violated;
    if any(Outcome::Fell) || record.data.iter().flat_map(|d| &d.trajectories).any(violated) {
        Exit::Counterexample
    } else if any(Outcome::MutantSurvived) {
        Exit::MutantSurvived
    } else if any(Outcome::Undecided) || any(Outcome::Vacuous) || record.interrupted {
        Exit::Undecided
    } else {
        Exit::Stands
    }
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Stands => "stands",
        Outcome::Fell => "COUNTEREXAMPLE",
        Outcome::MutantSurvived => "mutant survived",
        Outcome::Undecided => "undecided",
        Outcome::Vacuous => "vacuous",
    }
}

/// Everything that is printed without `--json`.
fn shown(options: &Options, record: &Record, path: Option<&Path>) -> String {
    let mut text = String::new();
    if !record.claims.is_empty() {
        text += &claim_table(record);
        let example = record.claims.iter().find_map(|claim| {
            let tightest = claim.summary.tightest.as_ref()?;
            Some(options.repeat_world(&claim.summary.claim, tightest.index))
        });
        if let Some(command) = example {
            text += &format!("Repeat a world: {command}\n");
        }
    }
    if !record.data.is_empty() {
        text += &format!("\n{}", data::table(&record.data));
    }
    for claim in record.claims.iter().filter(|c| c.summary.outcome != Outcome::Stands) {
        text += &format!("\n{}", reason(options, claim));
    }
    text + &format!("\n{}\n", conclusion(record, path))
}

fn claim_table(record: &Record) -> String {
    let columns = [
        Column::text("claim"),
        Column::text("outcome"),
        Column::number("worlds"),
        Column::number("in\nscope"),
        Column::number("un-\ndecided"),
        Column::number("vio-\nlated"),
        Column::number("least\nslack"),
        Column::number("in\nworld"),
        Column::number("median\nslack"),
        Column::number("rate\nbelow"),
        Column::number("mutants\ncaught"),
    ];
    let rows = record.claims.iter().map(|claim| {
        let s = &claim.summary;
        let unknown = || "–".to_owned();
        vec![
            s.claim.clone(),
            words(s.outcome).to_owned(),
            s.worlds.to_string(),
            s.in_scope.to_string(),
            s.undecided.to_string(),
            s.violated.to_string(),
            s.tightest.as_ref().map_or_else(unknown, |t| terminal::number(t.slack)),
            s.tightest.as_ref().map_or_else(unknown, |t| t.index.to_string()),
            s.slack_quantiles.map_or_else(unknown, |q| terminal::number(q[2])),
            terminal::number(s.violation_rate_bound),
            format!("{}/{}", s.mutants_caught(), s.mutants.len()),
        ]
    });
    terminal::table(&columns, rows)
}

/// Why a claim does not stand, and the command that repeats it.
fn reason(options: &Options, claim: &ClaimRecord) -> String {
    let s: &ClaimSummary = &claim.summary;
    let world = |verdict| claim.worlds.iter().find(|world| world.verdict == verdict);
    let repeat_world = |index| options.repeat_world(&s.claim, index);
    let (why, command) = match s.outcome {
        Outcome::Stands => return String::new(),
        Outcome::Fell => {
            let tightest = s.tightest.as_ref().expect("a violated world has a slack");
            let (index, slack) = (tightest.index, terminal::number(tightest.slack));
            let why = format!(
                "{} of {} worlds violate it; worst: world {index}, {}, slack {slack}",
                s.violated, s.in_scope, tightest.conclusion
            );
            (why, repeat_world(index))
        }
        Outcome::MutantSurvived => {
            let survivors = s.mutants.iter().filter(|mutant| mutant.refuted_by == 0);
            let names: Vec<&str> = survivors.map(|mutant| mutant.name.as_str()).collect();
            let why = format!("no world refutes its wrong version {}", names.join(", "));
            (why, options.repeat(&s.claim))
        }
        Outcome::Vacuous => {
            let outside = world(crate::verdict::Verdict::OutOfScope);
            let example = outside.and_then(|w| Some((w.index, w.hypothesis.as_ref()?)));
            let example = example.map_or_else(String::new, |(index, hypothesis)| {
                format!("; e.g. world {index} fails {}", hypothesis.name)
            });
            let why =
                format!("only {} of {} worlds met the hypotheses{example}", s.in_scope, s.worlds);
            (why, options.repeat(&s.claim))
        }
        Outcome::Undecided => {
            let first = world(crate::verdict::Verdict::Undecided);
            let example = first.map_or_else(String::new, |w| match (&w.error, &w.conclusion) {
                (Some(error), _) => format!("; e.g. world {}: {error}", w.index),
                (None, Some(c)) => format!(
                    "; e.g. world {}: {}, slack {} ± {}",
                    w.index,
                    c.name,
                    terminal::number(c.slack),
                    terminal::number(c.bar)
                ),
                (None, None) => format!("; e.g. world {} has no conclusion", w.index),
            });
            let why =
                format!("{} of {} worlds could not be decided{example}", s.undecided, s.worlds);
            (why, first.map_or_else(|| options.repeat(&s.claim), |w| repeat_world(w.index)))
        }
    };
    format!("{}: {}\n  {why}\n  repeat: {command}\n", words(s.outcome), s.claim)
}

/// The last lines: how it all ends, and where the record is.
fn conclusion(record: &Record, path: Option<&Path>) -> String {
    let standing = record.claims.iter().filter(|c| c.summary.outcome == Outcome::Stands).count();
    let worlds: usize = record.claims.iter().map(|claim| claim.summary.worlds).sum();
    let (asked, sets) = (record.parameters.claims.len(), record.data.len());
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let mut parts = Vec::new();
    if asked > 0 {
        let verb = if standing == 1 { "stands" } else { "stand" };
        let of = plural(asked, "claim");
        parts.push(format!("{standing} of {of} {verb} in {}", plural(worlds, "random world")));
    }
    if sets > 0 {
        parts.push(format!("{} described", plural(sets, "data set")));
    }
    if record.interrupted {
        parts.push("STOPPED before the end".to_owned());
    }
    let (seed, seconds) = (record.parameters.seed, record.timing.seconds);
    let mut text = format!("{} (seed {seed}, {seconds:.1} s).", parts.join("; "));
    if let Some(path) = path {
        text += &format!("\nRecord: {}", path.display());
    }
    text
}
