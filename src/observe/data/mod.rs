//! What is true of a data set, seen as the atoms of an exact denoiser.

mod condition;
pub mod dimension;
mod displacement;
pub mod exponents;
pub mod noise;
pub mod planes;
pub mod robustness;
pub mod tangents;
#[cfg(test)]
mod tests;

use self::exponents::Effort;
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
    let robustness = if is_robustness_measured(set) { robustness::flows(set.dim()) } else { 0 };
    1 + exponents::null_draws(set.dim()) + robustness
}

/// Displacements are split by local PCA planes, which are for data without exact ones; a line has no normals.
fn is_robustness_measured(set: &PointSet) -> bool {
    planes::exact_normals(set).is_none() && set.dim() > 1
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

/// Measures a data set: spacing, noise levels, exponents and gap, tangent planes, robustness, alignment condition.
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
/// - `tangent_known`: 1 where the exact tangent planes are known (the file gives normals, or the points lie on
///   the unit sphere); `tangent_dimension` is then D − 1, else `gap_index`. Planes are compared only where
///   there is a dimension, and as many singular pairs, `tangent_pairs`;
/// - at `plane_points` random points, angles in radians to the exact planes, `…_angle_median` and
///   `…_angle_90` (90 % quantile), bars the larger side of a 95 % interval: `flow` at `sigma_end`,
///   `best_flow` at the `best_flow_sigma` chosen in its favour, `pca` at the `pca_neighbours` chosen in its
///   favour; `flow_closer_share`, `best_flow_closer_share`: at which share of points they are closer than
///   local PCA. What the choices were made from: `flow_angle_at_sigma` for each `plane_sigma` (medians at the
///   first 64 points), `pca_angle_at_neighbours` for each `plane_neighbours` (medians);
/// - `pca_angle`, `pca_neighbours`: where no exact planes are known, the median angle between the top
///   end-point vectors and local PCA, at a size fixed beforehand.
///
/// - `intrinsic_dimension`: by the distances to the two nearest points;
/// - of data without exact planes, where there is a dimension `robust_dimension` (`gap_index`, or else the
///   `intrinsic_dimension` rounded): what errors of root mean square `robust_epsilon` in each coordinate of a
///   prediction do to samples, by flow matching from data whose deviation `robust_unit` is divided out. Each
///   error (`denoiser`, `noise`, `score` or `velocity`, `_constant` or `_fourier`) has series of two entries, at
///   the two levels `robust_sigma`: medians over `robust_trajectories` of `normal_over_tangent_of_…`
///   (|δ_N|/|δ_T|, δ_T in the local PCA plane of `robust_neighbours`), `normal_over_spacing_of_…` and
///   `displacement_over_spacing_of_…` (|δ_N| and |δ| times the error's size over `spacing_median`),
///   `nearest_over_spacing_of_…` (distance of the inexact flow's end from the nearest point) and
///   `nearest_change_over_spacing_of_…` (the same less that of the exact flow); `null_…`: the same on
///   `robust_null_draws` Gaussian sets of the same covariance, their mean with two deviations.
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
    let runs = exponents::run(set, &denoiser, levels, Effort::of(set.dim()), stream)?;
    (watch.after_each)();
    let gap = exponents::against_null(set, &runs, levels, stream, watch, facts)?;
    tangents::compare(set, &denoiser, &runs, gap, levels, stream, facts)?;
    let dimension = dimension::state(set, facts);
    if let (true, Some(d)) = (is_robustness_measured(set), gap.or(dimension)) {
        let d = d.clamp(1, set.dim() - 1);
        robustness::measure(set, levels, d, stream, watch, facts)?;
    }
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
