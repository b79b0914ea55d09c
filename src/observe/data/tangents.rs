//! Tangent planes from the flow, beside the known ones or local PCA.

use super::exponents::Run;
use super::noise::Levels;
use super::planes;
use crate::drift::Denoiser;
use crate::error::Result;
use crate::facts::{Facts, Quantity, REPORTED};
use crate::linalg::largest_angle;
use crate::points::{PointSet, local_planes};
use crate::random::Stream;

/// Neighbourhood sizes of local PCA where no exact planes are known.
const NEIGHBOURS: [usize; 6] = [8, 16, 32, 64, 128, 256];

/// Points this close to the unit sphere, relative to 1, lie on it.
const ON_SPHERE: f64 = 1e-9;

/// Compares planes of the flow with the exact tangent planes, where these are known, or else with local PCA.
///
/// Exact planes have dimension D − 1 (see [`planes::compare`]). Other data are compared at the dimension of
/// their gap, with a number of neighbours fixed beforehand, and not at all when there is none. Nothing is
/// compared where the dimension exceeds the singular pairs at hand (`tangent_pairs`).
pub fn compare(
    set: &PointSet,
    denoiser: &Denoiser,
    runs: &[Run],
    gap: Option<usize>,
    levels: Levels,
    stream: Stream,
    facts: &mut Facts,
) -> Result<()> {
    let normals = planes::exact_normals(set);
    facts.set("tangent_known", Quantity::exact(f64::from(normals.is_some())));
    facts.set("noise_over_radius", Quantity::exact(levels.end / levels.start));
    let Some(d) = (if normals.is_some() { Some(set.dim() - 1) } else { gap }) else {
        return Ok(());
    };
    facts.set("tangent_dimension", Quantity::exact(d as f64));
    let pairs = runs[0].spectrum.end_vectors.ncols();
    facts.set("tangent_pairs", Quantity::exact(pairs as f64));
    if d > pairs {
        return Ok(());
    }
    if let Some(normals) = normals {
        return planes::compare(set, &normals, denoiser, levels, stream, facts);
    }
    let Some(neighbours) = size(d, set.len()) else { return Ok(()) };
    let angles = runs
        .iter()
        .map(|run| {
            let plane = run.spectrum.end_vectors.columns(0, d).into_owned();
            largest_angle(&local_planes(set, &run.end, &[neighbours], d)?[0], &plane)
        })
        .collect::<Result<Vec<f64>>>()?;
    facts.set("pca_angle", Quantity::sampled_median(&angles, REPORTED));
    facts.set("pca_neighbours", Quantity::exact(neighbours as f64));
    Ok(())
}

/// The neighbourhood size of local PCA, the next from 2d. Chosen by agreement with the flow it would prove
/// nothing, so it is fixed beforehand.
pub fn size(d: usize, points: usize) -> Option<usize> {
    NEIGHBOURS.into_iter().find(|k| *k >= 2 * d).filter(|k| *k <= points)
}

/// Whether the points lie on the unit sphere S^{D−1}, D ≥ 2.
pub fn on_sphere(set: &PointSet) -> bool {
    set.dim() > 1 && set.points.column_iter().all(|x| (x.norm() - 1.0).abs() < ON_SPHERE)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn without_known_planes_the_neighbourhood_is_fixed_beforehand() {
        assert_eq!(size(1, 1000), Some(8));
        assert_eq!(size(8, 1000), Some(16));
        assert_eq!(size(9, 1000), Some(32));
        assert_eq!(size(53, 100), None);
    }
}
