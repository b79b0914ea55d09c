#![doc = include_str!("RECORD.md")]

mod file;
mod gallery;
mod scenario;
mod summary;

pub use file::{
    FILE_NAME, as_stored, check_writable, read, read_chapter, to_json, write, write_file,
};
pub use gallery::{Chapter, Finding, GALLERY_MINOR, GALLERY_SCHEMA, GALLERY_VERSION, Relation};
pub use scenario::{CheckRecord, ScenarioRecord, ScenarioTrajectory};
pub use summary::{
    ClaimSummary, Distribution, Extreme, FormSummary, GroupSummary, MutantSummary, Outcome, Pairs,
    QUANTILES, Tightest,
};

use crate::drift::kernel::Level;
use crate::facts::Facts;
use crate::figure::Panel;
use crate::scenario::Labels;
use crate::verdict::{Judgement, Margin, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name by which a record is recognised.
pub const SCHEMA: &str = "driftproof-record";

/// Raised whenever a key changes its meaning or goes away; new keys raise [`MINOR`].
pub const VERSION: u32 = 1;

/// Raised whenever keys are added; a reader of an older one need not mind.
///
/// 1: distributions of hypotheses and conclusions, families, corners. 2: both sides of margins, pictures of worlds.
/// 3: compiler, vectors and cores. 4: scenario files.
pub const MINOR: u32 = 4;

/// Everything that is kept of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// What this file is.
    pub schema: Schema,
    /// What wrote it.
    pub versions: Versions,
    /// What was asked.
    pub parameters: Parameters,
    /// Whether the run was stopped: worlds and claims are then missing at the end.
    pub interrupted: bool,
    /// One entry a claim, in the order they were checked.
    pub claims: Vec<ClaimRecord>,
    /// One entry a data set.
    pub data: Vec<DataRecord>,
    /// The scenario file that was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<ScenarioRecord>,
    /// The only part that differs between two runs of the same parameters.
    pub timing: Timing,
}

/// The name and version of the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// [`SCHEMA`].
    pub name: String,
    /// [`VERSION`].
    pub version: u32,
    /// [`MINOR`].
    #[serde(default)]
    pub minor: u32,
}

impl Schema {
    /// The schema of this release.
    pub fn current() -> Self {
        Self { name: SCHEMA.to_owned(), version: VERSION, minor: MINOR }
    }
}

/// Program and platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Version of this crate.
    pub driftproof: String,
    /// Version of the compiler.
    #[serde(default)]
    pub rustc: String,
    /// Processor and operating system, e.g. `x86_64-linux`.
    pub target: String,
    /// The widest vectors that the kernels ran with, e.g. `avx512`: with others the last digits differ.
    #[serde(default)]
    pub vectors: String,
    /// Cores of the machine; 0 where unknown. Numbers do not depend on it.
    #[serde(default)]
    pub cores: usize,
}

impl Versions {
    /// Of the running program.
    pub fn current() -> Self {
        use std::env::consts::{ARCH, OS};
        Self {
            driftproof: env!("CARGO_PKG_VERSION").to_owned(),
            rustc: rustc_version_runtime::version().to_string(),
            target: format!("{ARCH}-{OS}"),
            vectors: Level::best().name().to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
        }
    }

    /// The compiler, e.g. `rustc 1.96.0`.
    pub fn compiler(&self) -> String {
        if self.rustc.is_empty() { "unknown".to_owned() } else { format!("rustc {}", self.rustc) }
    }

    /// The machine in a few words.
    pub fn machine(&self) -> String {
        let known = |part: &&String| !part.is_empty();
        let cores = match self.cores {
            0 => String::new(),
            1 => "1 core".to_owned(),
            cores => format!("{cores} cores"),
        };
        let parts = [&self.target, &self.vectors, &cores];
        parts.into_iter().filter(known).cloned().collect::<Vec<_>>().join(", ")
    }
}

/// What decides every number of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Claims asked for, by id.
    pub claims: Vec<String>,
    /// Data sets asked for, as typed; `built-in` for those that come with the command.
    pub data: Vec<String>,
    /// Whether the last half of the columns of those files were taken for normals.
    #[serde(default)]
    pub normals: bool,
    /// Scaling of the data.
    pub scale: String,
    /// Worlds asked for, for each claim.
    pub worlds: usize,
    /// The one world that was repeated, where it was one.
    pub world: Option<usize>,
    /// The seed.
    pub seed: u64,
}

/// One claim: the summary and its worlds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimRecord {
    /// The campaign summed up.
    pub summary: ClaimSummary,
    /// Every finished world, in order of its index.
    pub worlds: Vec<WorldRecord>,
}

/// One world of one claim.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorldRecord {
    /// With seed and claim it repeats the world.
    pub index: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// The parameters of the world; absent when it could not be computed.
    pub world: Option<serde_json::Value>,
    /// What kind of world it is, and what makes it hard; absent when it could not be computed.
    #[serde(default)]
    pub labels: Option<Labels>,
    /// Why it could not be computed.
    pub error: Option<String>,
    /// The hypothesis with the least slack, 0 where it is unknown: in a world out of scope, the one that fails.
    pub hypothesis: Option<Margin>,
    /// The conclusion with the least slack less its bar.
    pub conclusion: Option<Margin>,
    /// Names of the mutants that this world refutes.
    pub refutes: Vec<String>,
    /// Everything, for the tightest world and those that do not hold.
    pub detail: Option<Detail>,
}

/// What a verdict rests on, in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Detail {
    /// All margins.
    pub judgement: Judgement,
    /// All facts.
    pub facts: Facts,
    /// The world drawn, where its observer can draw it.
    #[serde(default)]
    pub picture: Option<Panel>,
}

/// One data set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DataRecord {
    /// The file.
    pub name: String,
    /// What was done to it.
    pub notes: Vec<String>,
    /// The data set as a world: its parameters.
    pub world: serde_json::Value,
    /// What was measured on it.
    pub facts: Facts,
    /// Claims judged on single trajectories of its flow.
    pub trajectories: Vec<TrajectoryRecord>,
    /// Why not everything could be measured; the facts are those measured before.
    #[serde(default)]
    pub error: Option<String>,
}

/// A claim judged on one trajectory over a data set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrajectoryRecord {
    /// The claim.
    pub claim: String,
    /// The dimension d at which it was judged.
    pub dimension: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// All margins.
    pub judgement: Judgement,
}

/// How long it took, and on how many threads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timing {
    /// Worker threads.
    pub threads: usize,
    /// Wall-clock seconds in all.
    pub seconds: f64,
    /// Wall-clock seconds of each claim.
    pub claims: BTreeMap<String, f64>,
}
