//! What kind of world it is: its family, and the corners that make it hard.

use serde::{Deserialize, Serialize};

/// From this dimension on a world counts as one of high dimension.
pub const HIGH_DIMENSION: usize = 64;

/// From this number of modes on a law counts as one of many.
pub const MANY_MODES: usize = 3;

/// What makes a world hard.
///
/// A world without a corner either lacks it, or its observer does not look for it: laws in closed form are not
/// asked for their reach, linear systems not for their modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corner {
    /// A radius of curvature below a quarter of the spread of the data.
    HighCurvature,
    /// A reach below half of the least radius of curvature: sheets that lie close together.
    ThinReach,
    /// The point of the manifold nearest to the start of the run lies on its boundary.
    Boundary,
    /// The law of the data has [`MANY_MODES`] modes or more: atoms, or ridges across the manifold.
    ManyModes,
    /// Dimension [`HIGH_DIMENSION`] or more.
    HighDimension,
}

impl Corner {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::HighCurvature,
        Self::ThinReach,
        Self::Boundary,
        Self::ManyModes,
        Self::HighDimension,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::HighCurvature => "high curvature",
            Self::ThinReach => "thin reach",
            Self::Boundary => "boundary",
            Self::ManyModes => "many modes",
            Self::HighDimension => "D ≥ 64",
        }
    }
}

/// What kind of world it is.
///
/// ```
/// use driftproof::scenario::{Corner, Labels};
/// let labels = Labels::of("atoms").with(Corner::ManyModes, true).in_dimension(3);
/// assert_eq!((labels.family.as_str(), labels.corners), ("atoms", vec![Corner::ManyModes]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// A short word or two: the family of manifolds, or the kind of law or system.
    pub family: String,
    /// False for a family that is drawn to break a hypothesis, so that mutants without it fall.
    pub meant_in_scope: bool,
    /// What makes it hard.
    pub corners: Vec<Corner>,
}

impl Labels {
    /// A world of that family, without corners.
    pub fn of(family: impl Into<String>) -> Self {
        Self { family: family.into(), meant_in_scope: true, corners: Vec::new() }
    }

    /// A world of a family in which some hypothesis fails by design.
    pub fn against(family: impl Into<String>) -> Self {
        Self { meant_in_scope: false, ..Self::of(family) }
    }

    /// The same with a corner, where it has it.
    pub fn with(mut self, corner: Corner, has: bool) -> Self {
        if has {
            self.corners.push(corner);
        }
        self
    }

    /// The same in R^`dim`.
    pub fn in_dimension(self, dim: usize) -> Self {
        self.with(Corner::HighDimension, dim >= HIGH_DIMENSION)
    }
}
