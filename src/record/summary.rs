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

/// The probabilities of the quantiles in a [`Distribution`].
pub const QUANTILES: [f64; 7] = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];

/// How one number is distributed over the margins of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many margins have it.
    pub count: usize,
    /// Its quantiles at [`QUANTILES`], each the value of one margin.
    pub quantiles: [f64; 7],
    /// How many fall into each of eight equal parts from the least to the most.
    pub histogram: [usize; 8],
}

impl Distribution {
    /// Of these numbers, in any order; None for none at all.
    ///
    /// ```
    /// use driftproof::record::Distribution;
    /// let whole = Distribution::of((0..=100).map(f64::from).collect()).unwrap();
    /// assert_eq!(whole.quantiles, [0.0, 5.0, 25.0, 50.0, 75.0, 95.0, 100.0]);
    /// assert_eq!(whole.histogram, [13, 12, 13, 12, 13, 12, 13, 13]); // 0 to 12.5, to 25, …
    /// ```
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let at = |q: f64| values[((values.len() - 1) as f64 * q).round() as usize];
        let mut histogram = [0; 8];
        for value in &values {
            // Halved, since the difference of the largest numbers is infinite.
            let share = (0.5 * value - 0.5 * least) / (0.5 * most - 0.5 * least);
            let part = if share.is_nan() { 0.0 } else { 8.0 * share };
            histogram[(part as usize).min(7)] += 1;
        }
        Some(Self { count: values.len(), quantiles: QUANTILES.map(at), histogram })
    }
}

/// The hypotheses or conclusions of one form, such as `slope at #`, in the worlds that count.
///
/// For a conclusion these are the worlds in scope, for a hypothesis all that could be computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormSummary {
    /// Their name without its numbers.
    pub form: String,
    /// How many worlds decided one of them.
    pub judged: usize,
    /// How many worlds met all of them that they state.
    #[serde(default)]
    pub met: usize,
    /// The least slack, each less its bar, among those decided.
    #[serde(with = "nullable")]
    pub least_slack: f64,
    /// How many of them, over all worlds, could not be decided.
    #[serde(default)]
    pub undecided: usize,
    /// [`crate::verdict::Margin::room`] of the inequalities.
    #[serde(default)]
    pub room: Option<Distribution>,
    /// [`crate::verdict::Margin::misfit`] of the equalities.
    #[serde(default)]
    pub misfit: Option<Distribution>,
    /// Both sides of those that compare numbers, up to 200.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub pairs: Pairs,
}

/// Left against right of inequalities, measured against predicted of equalities, to six digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pairs {
    /// The world of each.
    pub world: Vec<usize>,
    /// Left, or measured.
    #[serde(with = "crate::figure::rounding")]
    pub left: Vec<f64>,
    /// Right, or predicted.
    #[serde(with = "crate::figure::rounding")]
    pub right: Vec<f64>,
}

impl Pairs {
    /// One more pair.
    pub fn push(&mut self, world: usize, [left, right]: [f64; 2]) {
        self.world.push(world);
        self.left.push(left);
        self.right.push(right);
    }

    /// True for no pair.
    pub fn is_empty(&self) -> bool {
        self.world.is_empty()
    }
}

impl FormSummary {
    /// True when no world that counts decided it.
    pub fn never_judged(&self) -> bool {
        self.judged == 0
    }
}

/// The worlds of one family, or with one corner, by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// The family or the corner.
    pub name: String,
    /// False for a family that is drawn to break a hypothesis, so that mutants without it fall.
    pub meant_in_scope: bool,
    /// How many there are.
    pub worlds: usize,
    /// Worlds that met every hypothesis.
    pub in_scope: usize,
    /// Worlds in which every conclusion holds.
    pub holds: usize,
    /// Worlds that could not be decided, computed worlds or not.
    pub undecided: usize,
    /// Worlds that violate the claim.
    pub violated: usize,
}

impl GroupSummary {
    /// True when none of its worlds met the hypotheses although they are meant to.
    pub fn never_in_scope(&self) -> bool {
        self.meant_in_scope && self.in_scope == 0
    }
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
    /// Every form of hypothesis that some world states.
    #[serde(default)]
    pub hypotheses: Vec<FormSummary>,
    /// Every form of conclusion that some world states.
    pub conclusions: Vec<FormSummary>,
    /// The worlds by family, in alphabetical order; those that could not be computed have none.
    #[serde(default)]
    pub families: Vec<GroupSummary>,
    /// The worlds by corner; a world may have several, or none.
    #[serde(default)]
    pub corners: Vec<GroupSummary>,
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
        self.conclusions.iter().filter(|c| c.never_judged()).map(|c| c.form.as_str())
    }
}
