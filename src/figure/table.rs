//! Tables as data.

use crate::facts::{Quantity, nullable};
use serde::{Deserialize, Serialize};

/// A table of numbers and words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Name of its file, in kebab-case.
    pub name: String,
    /// What it is.
    pub title: String,
    /// What to see, and what it does not show.
    pub caption: String,
    /// Heads of the columns, with units.
    pub head: Vec<String>,
    /// Cells, row by row.
    pub rows: Vec<Vec<Cell>>,
    /// As [`super::Figure::tolerance`], as a share of each number.
    pub tolerance: f64,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number with its error bar, 0 for none.
    Number {
        /// The number.
        #[serde(with = "nullable")]
        value: f64,
        /// Half the length of its bar.
        #[serde(with = "nullable")]
        bar: f64,
    },
    /// Words.
    Words(String),
}

impl Table {
    /// An empty table.
    pub fn new<S: Into<String>>(
        name: &str,
        title: &str,
        caption: impl Into<String>,
        head: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            caption: caption.into(),
            head: head.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
            tolerance: 1e-6,
        }
    }
}

impl From<&str> for Cell {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Cell {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number { value, bar: 0.0 }
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self::from(value as f64)
    }
}

impl From<Quantity> for Cell {
    fn from(quantity: Quantity) -> Self {
        Self::Number { value: quantity.value, bar: quantity.bar }
    }
}
