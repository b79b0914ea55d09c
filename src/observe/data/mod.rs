//! What is true of a data set, seen as the atoms of an exact denoiser.

mod condition;
mod exponents;
mod noise;
mod tangents;
#[cfg(test)]
mod tests;

use super::Observation;
use crate::drift::{Atoms, Denoiser};
use crate::error::{Error, Result};
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
pub fn flows(set: &PointSet) -> usize {
    1 + exponents::null_draws(set.dim())
}

/// Who watches a long observation.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Once set, no further draw of the null is begun, and the gap is left unjudged.
    pub stop: &'a AtomicBool,
    /// Called after each of the [`flows`].
    pub after_each: &'a (dyn Fn() + Sync),
}

/// A data set described, and the facts of single trajectories on which claims can be judged.
pub struct DataObservation {
    /// The data set as a world, with its facts.
    pub observation: Observation,
    /// Facts for the claim on adiabatic gaps (T2.4), one entry a trajectory and dimension d.
    pub adiabatic: Vec<(usize, Facts)>,
    /// Facts for the certificate by posterior moments (T2.5), one entry a trajectory; where the data lie
    /// on the unit sphere.
    pub certified: Vec<(usize, Facts)>,
    /// Why not everything could be measured; what was measured before is kept.
    pub error: Option<Error>,
}

/// Measures a data set: spacing, noise levels, exponents and gap, tangent planes, alignment condition.
///
/// Facts:
/// - `spacing_least`, `spacing_median`, `spacing_largest`: distances to the nearest other point;
/// - `sigma_start`, `sigma_end`: noise levels between which the canonical flow is run: from the root
///   mean square distance to the mean, to where a posterior still averages over several points;
/// - `effective_atoms` at each `sigma_level`, medians; `basin_sigma`: the highest level at which a typical
///   posterior sees a single point, if one was found; `basin_covariance`: the largest eigenvalue of C/σ²
///   at half that level, median (1 along a resolved surface, 0 at a single point);
/// - `log_growth`: log singular values of the flow's Jacobian, means over trajectories;
/// - `pairs_angle_bound`: above dimension 128, where only leading pairs are computed, the largest angle in
///   radians that their subspace may be off;
/// - `gap`, `null_gap`: differences of neighbours, and those of `null_draws` Gaussian data sets of the
///   same mean, covariance and size; `gap_p_value`, and `gap_index` only where it is significant;
/// - `tangent_angle`, `pca_angle`, `pca_neighbours`: angles in radians of the top end-point vectors, and
///   of local PCA, to the known tangent plane (data on the unit sphere: `tangent_known` = 1), or of one
///   to the other; only where there is a dimension to compare at, `tangent_dimension`, and as many
///   singular pairs, `tangent_pairs`.
///
/// What fails (non-finite states, factorisations) ends the measurement and is told in
/// [`DataObservation::error`].
pub fn observe(set: &PointSet, seed: u64, watch: Watch<'_>) -> DataObservation {
    let world = World {
        rows: set.rows,
        points: set.len(),
        dim: set.dim(),
        constant_columns: set.constant_columns.clone(),
    };
    let mut seen = DataObservation {
        observation: Observation::new(&world, spacing(set)),
        adiabatic: Vec::new(),
        certified: Vec::new(),
        error: None,
    };
    seen.error = measure(set, seed, watch, &mut seen).err();
    seen
}

fn measure(set: &PointSet, seed: u64, watch: Watch<'_>, seen: &mut DataObservation) -> Result<()> {
    let stream = Stream::root(seed).named("data").named(&set.name);
    let facts = &mut seen.observation.facts;
    let levels = noise::levels(set, stream.named("levels"), facts)?;
    let denoiser: Denoiser =
        Atoms::new(set.dim(), set.points.as_slice().to_vec(), Some(set.log_weights.clone()), 0.0)?
            .into();
    let runs = exponents::run(set, &denoiser, levels, stream)?;
    (watch.after_each)();
    let gap = exponents::against_null(set, &runs, levels, stream, watch, facts)?;
    tangents::compare(set, &runs, gap, levels, facts)?;
    seen.adiabatic = condition::along(&denoiser, &runs, levels, stream)?;
    seen.certified = condition::certified(set, &denoiser, &runs, levels, stream)?;
    Ok(())
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
