//! What is true of a data set.

use super::Observation;
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::points::PointSet;
use serde::Serialize;

#[derive(Serialize)]
struct World {
    /// Rows of the file, distinct points, ambient dimension.
    rows: usize,
    points: usize,
    dim: usize,
    /// Columns that hold one value only, counted from 0.
    constant_columns: Vec<usize>,
}

/// Describes a data set and measures how far apart its points are.
///
/// Facts: `spacing_least`, `spacing_median`, `spacing_largest`, distances to the nearest other point.
pub fn observe(set: &PointSet) -> Result<Observation> {
    let spacing = set.spacing();
    // A difference of two vectors: one rounding a component, and those of the norm.
    let ulps = set.dim() as f64 + 2.0;
    let exhaustive = spacing.queries == set.len();
    let mut facts = Facts::new();
    for (name, value) in [
        ("spacing_least", spacing.least),
        ("spacing_median", spacing.median),
        ("spacing_largest", spacing.largest),
    ] {
        let grade = if exhaustive { Grade::Estimated } else { Grade::Sampled };
        facts.set(name, Quantity { grade, ..Quantity::rounded(value, ulps) });
    }
    let world = World {
        rows: set.rows,
        points: set.len(),
        dim: set.dim(),
        constant_columns: set.constant_columns.clone(),
    };
    Ok(Observation::new(&world, facts))
}
