//! What is expected of a world.

use crate::scenario_file::located::{At, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is expected: of a `fact`, which is compared, or of a `claim`, which has a `verdict`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// A measured number, as `end_angle` or `exponent[0]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<At<String>>,
    /// What it is, together with `within`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<At<Value>>,
    /// How far from `equals` it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<At<Value>>,
    /// What it may not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<At<Value>>,
    /// What it may not stay below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<At<Value>>,
    /// A claim by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<At<String>>,
    /// The wrong wording of the claim that is judged in its place, as `without_H1`; `driftproof claims NAME` lists them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<At<String>>,
    /// What is said of it in this world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<At<Expected>>,
    /// The one trajectory that is meant, the first being 0; by default all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trajectory: Option<At<u32>>,
}

/// A verdict of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// Its hypotheses are met, and its conclusions.
    Holds,
    /// Its hypotheses are met and a conclusion is not.
    Violated,
    /// A hypothesis is not met.
    OutOfScope,
}

impl Expected {
    /// What it says of a claim.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated => "is violated",
            Self::OutOfScope => "is out of scope",
        }
    }

    /// That of a claim, on every trajectory or on one.
    pub fn of(self, claim: &str, trajectory: Option<usize>) -> String {
        format!("{claim} {}{}", self.words(), on(trajectory))
    }
}

/// The trajectory that is meant, in words.
pub(in crate::scenario_file) fn on(trajectory: Option<usize>) -> String {
    trajectory.map_or(String::new(), |i| format!(" on trajectory {i}"))
}
