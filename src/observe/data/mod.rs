//! What is true of a data set, seen as the atoms of an exact denoiser.

mod condition;
mod exponents;
mod noise;
mod tangents;

use super::Observation;
use crate::drift::{Atoms, Denoiser};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::points::PointSet;
use crate::random::Stream;
use serde::Serialize;
use std::sync::atomic::AtomicBool;

/// Trajectories run on a data set, and on each draw of the null: more where they are cheap.
fn trajectories(dim: usize) -> usize {
    match dim {
        0..=8 => 24,
        9..=128 => 4,
        _ => 2,
    }
}

#[derive(Serialize)]
struct World {
    /// Rows of the file, distinct points, ambient dimension.
    rows: usize,
    points: usize,
    dim: usize,
    /// Columns that hold one value only, counted from 0.
    constant_columns: Vec<usize>,
}

/// Sets of trajectories that are run: on the data, and on each draw of the null.
pub const FLOWS: usize = 1 + exponents::NULL_DRAWS;

/// Who watches a long observation.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Once set, no further draw of the null is begun, and the gap is left unjudged.
    pub stop: &'a AtomicBool,
    /// Called after each of the [`FLOWS`].
    pub after_each: &'a (dyn Fn() + Sync),
}

/// A data set described, and the facts of single trajectories on which claims can be judged.
pub struct DataObservation {
    /// The data set as a world, with its facts.
    pub observation: Observation,
    /// Facts for the claim on adiabatic gaps (T2.4), one entry a trajectory and dimension d.
    pub adiabatic: Vec<(usize, Facts)>,
}

/// Measures a data set: spacing, noise levels, exponents and gap, tangent planes, alignment condition.
///
/// Facts:
/// - `spacing_least`, `spacing_median`, `spacing_largest`: distances to the nearest other point;
/// - `sigma_start`, `sigma_end`: noise levels between which the canonical flow is run: from the root
///   mean square distance to the mean, to where a posterior still averages over several points;
/// - `basin_sigma`: below it a typical posterior sees a single point, each atom is its own basin, and
///   alignment with a tangent plane is lost; `effective_atoms` at `sigma_level`, medians;
/// - `log_growth`: log singular values of the flow's Jacobian, means over trajectories;
/// - `gap`, `null_gap`, `null_gap_deviation`: differences of neighbours, and those of Gaussian data of
///   the same mean, covariance and size; `gap_p_value`, and `gap_index` only where it is significant;
/// - `tangent_angle`, `pca_angle`, `pca_neighbours`: angles in radians of the top end-point vectors, and
///   of local PCA, to the known tangent plane (data on the unit sphere: `tangent_known` = 1), or of one
///   to the other; only where there is a dimension to compare at.
///
/// *Errors*: as the flow's: non-finite states, failed factorisations.
pub fn observe(set: &PointSet, seed: u64, watch: Watch<'_>) -> Result<DataObservation> {
    let stream = Stream::root(seed).named("data").named(&set.name);
    let mut facts = spacing(set);
    let levels = noise::levels(set, stream.named("levels"), &mut facts);
    let denoiser: Denoiser =
        Atoms::new(set.dim(), set.points.as_slice().to_vec(), Some(set.log_weights.clone()), 0.0)?
            .into();
    let runs = exponents::run(set, &denoiser, levels, stream)?;
    (watch.after_each)();
    let gap = exponents::against_null(set, &runs, levels, stream, watch, &mut facts)?;
    tangents::compare(set, &runs, gap, levels, &mut facts)?;
    let adiabatic = condition::along(&denoiser, &runs, levels, stream)?;
    let world = World {
        rows: set.rows,
        points: set.len(),
        dim: set.dim(),
        constant_columns: set.constant_columns.clone(),
    };
    Ok(DataObservation { observation: Observation::new(&world, facts), adiabatic })
}

fn spacing(set: &PointSet) -> Facts {
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
    facts
}

/// The median of some numbers; NaN for none.
fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    let n = values.len();
    0.5 * (values[(n - 1) / 2] + values[n / 2])
}
