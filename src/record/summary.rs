//! A campaign in numbers.

use crate::facts::nullable;
use serde::{Deserialize, Serialize};

/// What a campaign says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No violation, enough worlds in scope and decided, every mutant refuted.
    Stands,
    /// At least one world violates the claim.
    Fell,
    /// A wrong version of the claim was never refuted: the check may be unable to fail.
    MutantSurvived,
    /// Too many worlds could not be decided, or not be computed.
    Undecided,
    /// Too few worlds met the hypotheses, or none of them judged some conclusion.
    Vacuous,
}

/// A mutant and the worlds that refuted it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MutantSummary {
    /// Its name.
    pub name: String,
    /// How many worlds refuted it.
    pub refuted_by: usize,
    /// The first of them.
    pub first: Option<usize>,
}

/// The conclusions of one form, such as `slope at #`, in the worlds in scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConclusionSummary {
    /// Their name without its numbers.
    pub form: String,
    /// How many worlds in scope decided one of them.
    pub judged: usize,
    /// The least slack, each less its bar, among those decided.
    #[serde(with = "nullable")]
    pub least_slack: f64,
}

/// A number of one world of a campaign, and the conclusion that it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    /// Index of the world.
    pub index: usize,
    /// Which conclusion.
    pub conclusion: String,
    /// The number.
    #[serde(with = "nullable")]
    pub value: f64,
}

/// The smallest slack beyond its bar of a campaign and where it was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tightest {
    /// Index of the world.
    pub index: usize,
    /// Which conclusion.
    pub conclusion: String,
    /// Its slack, relative.
    #[serde(with = "nullable")]
    pub slack: f64,
}

/// A campaign summed up, claim by claim.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimSummary {
    /// The claim.
    pub claim: String,
    /// What the campaign says of it.
    pub outcome: Outcome,
    /// Worlds finished.
    pub worlds: usize,
    /// Worlds that met every hypothesis.
    pub in_scope: usize,
    /// Worlds that fail a hypothesis beyond doubt; all others should be decided.
    pub out_of_scope: usize,
    /// Worlds that could not be decided, computed worlds or not.
    pub undecided: usize,
    /// Worlds that violate the claim.
    pub violated: usize,
    /// Upper Clopper–Pearson bound, at 95 %, on the violation rate among decided worlds in scope.
    #[serde(with = "nullable")]
    pub violation_rate_bound: f64,
    /// The smallest slack beyond its bar, and where.
    pub tightest: Option<Tightest>,
    /// The inequality that leaves the least room, without its bars.
    pub least_room: Option<Extreme>,
    /// Quantiles 0, 0.25, 0.5, 0.75 and 1 of the least room of each decided world in scope.
    pub room_quantiles: Option<[f64; 5]>,
    /// The equality with the largest difference in units of its bars.
    pub largest_misfit: Option<Extreme>,
    /// Every form of conclusion that some world states.
    pub conclusions: Vec<ConclusionSummary>,
    /// The wrong versions.
    pub mutants: Vec<MutantSummary>,
}

impl ClaimSummary {
    /// How many of the mutants some world refuted.
    pub fn mutants_caught(&self) -> usize {
        self.mutants.iter().filter(|mutant| mutant.refuted_by > 0).count()
    }

    /// Conclusions that no world in scope decided.
    pub fn never_judged(&self) -> impl Iterator<Item = &str> {
        self.conclusions.iter().filter(|c| c.judged == 0).map(|c| c.form.as_str())
    }
}
