//! Tangent planes from the flow, beside the known ones or local PCA.

use super::exponents::Run;
use super::noise::Levels;
use crate::error::Result;
use crate::facts::{Facts, Quantity, REPORTED};
use crate::linalg::{complement, largest_angle, svd};
use crate::points::PointSet;
use nalgebra::{DMatrix, DVector};

/// Neighbourhood sizes that local PCA may choose from.
const NEIGHBOURS: [usize; 6] = [8, 16, 32, 64, 128, 256];

/// Points this close to the unit sphere, relative to 1, lie on it.
const ON_SPHERE: f64 = 1e-9;

/// Compares the top end-point vectors with the tangent planes at the end points.
///
/// Nothing is compared where the dimension exceeds the singular pairs at hand (`tangent_pairs`).
/// Data on the unit sphere have known planes, and the dimension D − 1 of the
/// sphere; other data are compared with local PCA at the dimension of their
/// gap, with a number of neighbours fixed beforehand, and not at all when there is none.
pub fn compare(
    set: &PointSet,
    runs: &[Run],
    gap: Option<usize>,
    levels: Levels,
    facts: &mut Facts,
) -> Result<()> {
    let sphere = on_sphere(set);
    facts.set("tangent_known", Quantity::exact(f64::from(sphere)));
    facts.set("noise_over_radius", Quantity::exact(levels.end / levels.start));
    let Some(d) = (if sphere { Some(set.dim() - 1) } else { gap }) else { return Ok(()) };
    facts.set("tangent_dimension", Quantity::exact(d as f64));
    let pairs = runs[0].spectrum.end_vectors.ncols();
    facts.set("tangent_pairs", Quantity::exact(pairs as f64));
    if d > pairs {
        return Ok(());
    }
    let planes: Vec<DMatrix<f64>> =
        runs.iter().map(|run| run.spectrum.end_vectors.columns(0, d).into_owned()).collect();
    let known = |run: &Run| -> DMatrix<f64> {
        let normal =
            DMatrix::from_column_slice(set.dim(), 1, (&run.end / run.end.norm()).as_slice());
        complement(&normal)
    };
    let mut best: Option<(Quantity, usize)> = None;
    for neighbours in sizes(d, set.len(), sphere) {
        let angles = runs
            .iter()
            .zip(&planes)
            .map(|(run, plane)| {
                let pca = local_plane(set, &run.end, neighbours, d)?;
                largest_angle(&pca, &if sphere { known(run) } else { plane.clone() })
            })
            .collect::<Result<Vec<f64>>>()?;
        let angle = Quantity::sampled_median(&angles, REPORTED);
        if best.is_none_or(|(least, _)| angle.value < least.value) {
            best = Some((angle, neighbours));
        }
    }
    if let Some((angle, neighbours)) = best {
        facts.set("pca_angle", angle);
        facts.set("pca_neighbours", Quantity::exact(neighbours as f64));
    }
    if sphere {
        let angles = runs.iter().zip(&planes).map(|(run, plane)| largest_angle(plane, &known(run)));
        let angles = angles.collect::<Result<Vec<f64>>>()?;
        facts.set("tangent_angle", Quantity::sampled_median(&angles, REPORTED));
    }
    Ok(())
}

/// Neighbourhood sizes to try. Against known planes all that span a plane: the one that suits PCA best
/// will count. Chosen by agreement with the flow it would prove nothing, so otherwise there is one, the
/// next from 2d.
fn sizes(d: usize, points: usize, known: bool) -> Vec<usize> {
    let least = if known { d + 1 } else { 2 * d };
    let most = if known { NEIGHBOURS.len() } else { 1 };
    let large = NEIGHBOURS.into_iter().filter(|k| *k >= least).take(most);
    large.filter(|k| *k <= points).collect()
}

/// Whether the points lie on the unit sphere S^{D−1}, D ≥ 2.
pub fn on_sphere(set: &PointSet) -> bool {
    set.dim() > 1 && set.points.column_iter().all(|x| (x.norm() - 1.0).abs() < ON_SPHERE)
}

/// The `D×d` plane of local PCA: leading directions of the nearest points about their mean.
fn local_plane(
    set: &PointSet,
    at: &DVector<f64>,
    neighbours: usize,
    d: usize,
) -> Result<DMatrix<f64>> {
    let mut order: Vec<(f64, usize)> =
        set.points.column_iter().enumerate().map(|(i, x)| ((x - at).norm_squared(), i)).collect();
    order.select_nth_unstable_by(neighbours - 1, |a, b| a.0.total_cmp(&b.0));
    let chosen: Vec<usize> = order[..neighbours].iter().map(|(_, i)| *i).collect();
    let mut near = set.points.select_columns(&chosen);
    let mean = near.column_mean();
    near.column_iter_mut().for_each(|mut x| x -= &mean);
    Ok(svd(&near)?.left.columns(0, d).into_owned())
}

#[cfg(test)]
mod tests {
    use super::sizes;

    #[test]
    fn without_known_planes_the_neighbourhood_is_fixed_beforehand() {
        assert_eq!(sizes(1, 1000, false), [8]);
        assert_eq!(sizes(8, 1000, false), [16]);
        assert_eq!(sizes(9, 1000, false), [32]);
        assert!(sizes(53, 100, false).is_empty());
        assert_eq!(sizes(39, 200, true), [64, 128]);
    }
}
