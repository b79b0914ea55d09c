//! Local principal components: planes of nearest points.

use super::PointSet;
use crate::error::Result;
use crate::linalg::svd;
use nalgebra::{DMatrix, DVector};

/// The `D×d` planes of local PCA at a point, one for each number of neighbours (increasing, more than d): leading
/// directions of the nearest points about their mean.
///
/// *Errors*: as [`crate::linalg::svd`].
pub fn local_planes(
    set: &PointSet,
    at: &DVector<f64>,
    sizes: &[usize],
    d: usize,
) -> Result<Vec<DMatrix<f64>>> {
    let Some(&most) = sizes.last() else { return Ok(Vec::new()) };
    let mut order: Vec<(f64, usize)> =
        set.points.column_iter().enumerate().map(|(i, x)| ((x - at).norm_squared(), i)).collect();
    order.select_nth_unstable_by(most - 1, |a, b| a.0.total_cmp(&b.0));
    order.truncate(most);
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let plane = |&neighbours: &usize| {
        let chosen: Vec<usize> = order[..neighbours].iter().map(|(_, i)| *i).collect();
        let mut near = set.points.select_columns(&chosen);
        let mean = near.column_mean();
        near.column_iter_mut().for_each(|mut x| x -= &mean);
        Ok(svd(&near)?.left.columns(0, d).into_owned())
    };
    sizes.iter().map(plane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::largest_angle;
    use nalgebra::dmatrix;

    #[test]
    fn neighbours_on_a_chord_and_on_an_arc_have_the_tangent_of_their_middle() {
        // The unit circle at 0°, 10°, …: the 2m + 1 nearest to a point lie evenly about it, and are spread most
        // along its tangent.
        let angle = |i: usize| (10.0 * i as f64).to_radians();
        let circle = DMatrix::from_fn(2, 36, |r, i| [angle(i).cos(), angle(i).sin()][r]);
        let set = PointSet::of_points("circle", circle.clone());
        let at = circle.column(4).into_owned();
        let tangent = dmatrix![-angle(4).sin(); angle(4).cos()];
        for plane in local_planes(&set, &at, &[3, 5, 7], 1).unwrap() {
            assert!(largest_angle(&plane, &tangent).unwrap() < 1e-12);
        }
        // Two neighbours: the chord from 40° to 50° or 30°, 5° off the tangent.
        let chord = &local_planes(&set, &at, &[2], 1).unwrap()[0];
        assert!((largest_angle(chord, &tangent).unwrap() - 5_f64.to_radians()).abs() < 1e-12);
    }
}
