//! What a file expects, and what became of it.

use super::format::{Check, Expected};
use super::located::At;
use super::reader::Reader;
use crate::error::Result;
use crate::facts::Quantity;
use serde::{Deserialize, Serialize};

/// What is expected of what.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// A fact or a claim.
    pub subject: Subject,
    /// The one trajectory that is meant; all of them where there is none.
    pub trajectory: Option<usize>,
    /// The expectation in words.
    pub words: String,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A fact, its component, and what it is compared with.
    Fact(&'static str, usize, Comparison),
    /// A claim or a wrong wording of it, and the verdict that is expected of it.
    Claim(Wording, Expected),
}

/// A claim, or a wrong wording of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wording {
    /// The claim.
    pub claim: &'static str,
    /// The wording, where it is not the claim as stated.
    pub wrong: Option<&'static str>,
}

impl Wording {
    /// `CLAIM`, or `CLAIM--WORDING`.
    pub fn name(&self) -> String {
        match self.wrong {
            Some(wrong) => format!("{}--{wrong}", self.claim),
            None => self.claim.to_owned(),
        }
    }
}

/// What a number is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    /// It is this, up to so much.
    Equals(f64, f64),
    /// It is no more than this.
    AtMost(f64),
    /// It is no less than this.
    AtLeast(f64),
}

/// What became of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is met, whatever the number is within its bar.
    Pass,
    /// The bar leaves it open, or the number is not known.
    Inconclusive,
    /// It is not met, whatever the number is within its bar.
    Fail,
}

impl Comparison {
    /// The comparison of a check of a fact.
    pub(super) fn read(reader: &Reader<'_>, check: &At<Check>) -> Result<Self> {
        let Check { equals, within, at_most, at_least, .. } = &check.value;
        match (equals, within, at_most, at_least) {
            (Some(value), Some(within), None, None) => {
                Ok(Self::Equals(reader.number(value)?, reader.positive(within)?))
            }
            (None, None, Some(most), None) => Ok(Self::AtMost(reader.number(most)?)),
            (None, None, None, Some(least)) => Ok(Self::AtLeast(reader.number(least)?)),
            (Some(value), None, None, None) => {
                let problem = "how far from this it may be is not given";
                reader.refuse(&value.span, problem, "within = 0.01")
            }
            (None, Some(within), None, None) => {
                reader.refuse(&within.span, "within what, is not given", "equals = 1.0")
            }
            (None, None, None, None) => {
                let problem = "the fact is compared with nothing";
                reader.refuse(&check.span, problem, "equals and within, at_most or at_least")
            }
            _ => {
                let problem = "several comparisons in one check";
                reader.refuse(&check.span, problem, "one [[checks]] for each")
            }
        }
    }

    /// Whether a number meets it with its whole error bar.
    ///
    /// ```
    /// use driftproof::facts::{Grade, Quantity};
    /// use driftproof::scenario_file::{Comparison, Outcome};
    /// let measured = |bar| Quantity::new(1.02, bar, Grade::Estimated);
    /// let comparison = Comparison::Equals(1.0, 0.05);
    /// assert_eq!(comparison.outcome(measured(0.01)), Outcome::Pass);
    /// assert_eq!(comparison.outcome(measured(0.1)), Outcome::Inconclusive);
    /// assert_eq!(Comparison::AtMost(1.0).outcome(measured(0.01)), Outcome::Fail);
    /// assert_eq!(Comparison::AtMost(1.0).outcome(Quantity::UNKNOWN), Outcome::Inconclusive);
    /// ```
    pub fn outcome(self, measured: Quantity) -> Outcome {
        // How much room it leaves.
        let room = match self {
            Self::Equals(value, within) => within - (measured.value - value).abs(),
            Self::AtMost(most) => most - measured.value,
            Self::AtLeast(least) => measured.value - least,
        };
        if !(room.is_finite() && measured.bar.is_finite()) {
            Outcome::Inconclusive
        } else if room >= measured.bar {
            Outcome::Pass
        } else if room < -measured.bar {
            Outcome::Fail
        } else {
            Outcome::Inconclusive
        }
    }
}
