//! Constants that a search may move.

use crate::scenario_file::located::{At, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The range of a free constant, which holds its value in `let`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreeRange {
    /// Its least value.
    pub low: At<Value>,
    /// Its largest value.
    pub high: At<Value>,
    /// How values are spread over the range; evenly when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<At<Scale>>,
}

/// How values are spread over a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Evenly.
    Linear,
    /// Evenly in the logarithm, of positive values.
    Log,
}
