//! `driftproof check`: claims on random worlds, data sets, the table and the record.

use super::data::{self, Scale};
use super::{
    Exit, interrupt, names, print, program, progress::Progress, replay, scenario, summary,
};
use crate::campaign;
use crate::claims::Claim;
use crate::error::Result;
use crate::points::PointSet;
use crate::record::{
    self, ClaimRecord, Outcome, Parameters, Record, Schema, Timing, TrajectoryRecord, Versions,
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
pub const FOLDER: &str = "driftproof-out";

/// The options of `driftproof check`.
#[derive(clap::Args)]
pub struct Options {
    /// Claims by name or number of the theory (T3); without any, all of them
    pub claims: Vec<String>,
    /// Random worlds for each claim, 1 to 100000
    #[arg(long, value_name = "N", default_value_t = WORLDS, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=MOST_WORLDS))]
    pub worlds: u32,
    /// Judge this world again and print all that is known of it
    #[arg(long, value_name = "I", requires = "claims", conflicts_with_all = ["worlds", "data", "scale", "normals"], allow_negative_numbers = true)]
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
    /// Rows of --data hold a point of a surface, then its exact unit normal there, as x,y,z,nx,ny,nz:
    /// planes of the flow are compared with the exact ones
    #[arg(long, requires = "data")]
    pub normals: bool,
    /// Judge claims on the world of this scenario file in place of random worlds
    #[arg(long, value_name = "FILE", conflicts_with_all = ["worlds", "world", "data", "normals", "scale", "seed"])]
    pub scenario: Option<PathBuf>,
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
            normals: false,
            scenario: None,
            scale: Scale::None,
            out: None,
            json: false,
        }
    }
}

impl Options {
    /// The command that repeats one world of a claim.
    pub fn repeat_world(&self, claim: &str, index: usize) -> String {
        format!("{} check {claim} --world {index} --seed {}", program(), self.seed)
    }

    /// The command that repeats the campaign of a claim.
    pub fn repeat(&self, claim: &str) -> String {
        format!("{} check {claim} --worlds {} --seed {}", program(), self.worlds, self.seed)
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
    if let Some(file) = &options.scenario {
        return scenario::judge(options, &claims, file);
    }
    let (with_claims, with_data) = options.wanted();
    let pool = super::pool(options.threads)?;
    let threads = pool.current_num_threads();
    if options.world.is_some() {
        return replay::run(options, &claims, threads);
    }
    let sets = if with_data {
        data::read(&options.data, options.scale, options.normals)?
    } else {
        Vec::new()
    };
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
    pool.install(|| describe(&sets, options.seed, &mut record));
    record.interrupted = stop.load(Ordering::Relaxed);
    record.timing.seconds = started.elapsed().as_secs_f64();

    let written = record::write(&record, folder, record::FILE_NAME);
    // Drawn from the record as it lies there, so that it is the same when it is drawn again.
    let page = written.as_deref().map_or(Ok(()), |path| {
        pool.install(|| super::report::write_page(folder, &record::read(path)?))
    });
    // A full disk shall not cost the result of a long run: it is shown in any case.
    if options.json {
        print(&record::to_json(&record))?;
    } else {
        print(&summary::shown(options, &record, written.as_deref().ok()))?;
    }
    written?;
    page?;
    Ok(exit(&record))
}

/// Examines the sets in turn; one that fails does not keep the others from being looked at.
fn describe(sets: &[PointSet], seed: u64, record: &mut Record) {
    for set in sets {
        if interrupt::flag().load(Ordering::Relaxed) {
            break;
        }
        record.data.push(data::examine(set, seed));
    }
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
            normals: options.normals,
            scale: options.scale.name(),
            worlds: options.worlds as usize,
            world: options.world.map(|index| index as usize),
            seed: options.seed,
        },
        interrupted: false,
        claims: Vec::new(),
        data: Vec::new(),
        scenario: None,
        timing: Timing { threads, seconds: 0.0, claims: BTreeMap::new() },
    }
}

fn campaign_of(claim: &Claim, options: &Options) -> (ClaimRecord, f64) {
    let (worlds, seed) = (options.worlds as usize, options.seed);
    let progress = Progress::begin(claim.id, worlds, "worlds");
    let advance = || progress.advance();
    let results = campaign::run_frugally(claim, seed, worlds, interrupt::flag(), &advance);
    let seconds = progress.end();
    let checked = campaign::record(claim, seed, &results);
    // The first result is on the screen long before the table is.
    let s = &checked.summary;
    eprintln!(
        "{}: {}, {} of {} worlds in scope, {} violated ({seconds:.1} s)",
        s.claim,
        summary::words(s.outcome),
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
    } else if any(Outcome::Undecided)
        || any(Outcome::Vacuous)
        || record.data.iter().any(|set| set.error.is_some())
        || record.interrupted
    {
        Exit::Undecided
    } else {
        Exit::Stands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    fn set(name: &str, entries: &[f64]) -> PointSet {
        let count = entries.len() / 2;
        PointSet {
            name: name.to_owned(),
            rows: count,
            points: DMatrix::from_column_slice(2, count, entries),
            log_weights: vec![-(count as f64).ln(); count],
            constant_columns: Vec::new(),
            normals: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_set_that_fails_costs_neither_the_others_nor_the_record() {
        let (bad, good) = ([0.0, 0.0, f64::NAN, 1.0, 2.0, 2.0], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        let sets = [set("bad.csv", &bad), set("good.csv", &good)];
        let options = Options::default();
        let mut record = begin(&options, &[], true, 1);
        describe(&sets, 1, &mut record);
        assert_eq!(record.data.len(), 2);
        assert!(record.data[0].error.as_ref().unwrap().starts_with("noise levels: "));
        assert!(record.data[1].error.is_none());
        assert_eq!(record.data[1].facts.get("trajectories").value, 24.0);
        assert!(exit(&record) == Exit::Undecided);

        let text = summary::shown(&options, &record, None);
        assert!(text.contains("bad.csv\n  COULD NOT BE MEASURED: noise levels: "), "{text}");
        let folder = tempfile::tempdir().unwrap();
        let path = record::write(&record, folder.path(), record::FILE_NAME).unwrap();
        assert_eq!(record::read(&path).unwrap().data[0].error, record.data[0].error);
        record.data.remove(0);
        assert!(exit(&record) == Exit::Stands);
    }
}
