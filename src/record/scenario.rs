//! What is kept of a run of a scenario file.

use super::TrajectoryRecord;
use crate::facts::{Facts, Quantity};
use crate::figure::Figure;
use crate::scenario_file::Outcome;
use serde::{Deserialize, Serialize};

/// One scenario file, run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScenarioRecord {
    /// The file, as it was called.
    pub file: String,
    /// Its text, so that the run can be repeated.
    pub text: String,
    /// The title of the world.
    pub name: String,
    /// The world as it was run, every default filled in, in words.
    pub resolved: String,
    /// What weakens the evidence.
    pub notes: Vec<String>,
    /// One entry a start.
    pub trajectories: Vec<ScenarioTrajectory>,
    /// What was expected, and what became of it.
    pub checks: Vec<CheckRecord>,
    /// The world drawn.
    pub figures: Vec<Figure>,
}

/// One trajectory of a scenario file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScenarioTrajectory {
    /// Where it starts.
    pub start: Vec<f64>,
    /// What was measured on it.
    pub facts: Facts,
    /// The claims that could be judged on it.
    pub claims: Vec<TrajectoryRecord>,
    /// Claims whose facts could not be measured on it, and why.
    pub silent: Vec<(String, String)>,
    /// Why it could not be measured to the end.
    #[serde(default)]
    pub error: Option<String>,
}

impl ScenarioTrajectory {
    /// Why a claim was not judged on it, where that is known.
    pub fn why_silent(&self, claim: &str) -> Option<&str> {
        let silent = self.silent.iter().find(|(id, _)| id == claim);
        silent.map(|(_, why)| why.as_str()).or(self.error.as_deref())
    }
}

/// One expectation of a scenario file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckRecord {
    /// The expectation in words.
    pub expected: String,
    /// What became of it: the worst over all trajectories.
    pub outcome: Outcome,
    /// The trajectory that decides.
    pub trajectory: usize,
    /// The number there, for a fact.
    #[serde(default)]
    pub measured: Option<Quantity>,
    /// What there is instead of a number.
    #[serde(default)]
    pub found: Option<String>,
}

impl ScenarioRecord {
    /// The worst outcome of its checks; passed where there are none.
    pub fn outcome(&self) -> Outcome {
        self.checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Pass)
    }
}
