//! The dimension of a data set from the distances to the two nearest points (TwoNN).

use crate::facts::{Facts, Grade, Quantity};
use crate::points::PointSet;
use rayon::prelude::*;

/// At most so many points are asked for their two nearest others, evenly spread over the set.
const QUERIES: usize = 1000;

/// States `intrinsic_dimension`, (n − 1)/Σ log(r₂/r₁) over n points, and returns it as a whole number.
///
/// Where points are spread evenly over the distance r₂ along a d-dimensional surface, (r₁/r₂)^d is uniform
/// (Facco, d'Errico, Rodriguez, Laio, Scientific Reports 7, 2017, there as a fit), so that the sum is n/d on
/// average with deviation √n/d: the bar is two deviations. Nothing for fewer than four points.
pub fn state(set: &PointSet, facts: &mut Facts) -> Option<usize> {
    let asked = set.len().min(QUERIES);
    if set.len() < 4 {
        return None;
    }
    let logs: Vec<f64> = (0..asked)
        .into_par_iter()
        .map(|i| {
            let at = i * set.len() / asked;
            let (mut first, mut second) = (f64::INFINITY, f64::INFINITY);
            for (_, x) in set.points.column_iter().enumerate().filter(|(j, _)| *j != at) {
                let square = (x - set.points.column(at)).norm_squared();
                if square < first {
                    (first, second) = (square, first);
                } else if square < second {
                    second = square;
                }
            }
            0.5 * (second / first).ln()
        })
        .collect();
    let n = asked as f64;
    let dimension = (n - 1.0) / logs.iter().sum::<f64>();
    if !dimension.is_finite() {
        return None;
    }
    let bar = 2.0 * dimension / n.sqrt();
    facts.set("intrinsic_dimension", Quantity::new(dimension, bar, Grade::Sampled));
    Some(dimension.round().clamp(1.0, set.dim() as f64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use nalgebra::DMatrix;

    #[test]
    fn a_flat_plane_in_more_dimensions_has_its_own() {
        for d in [1, 2, 5] {
            let plane = DMatrix::from_vec(d, 4000, Stream::root(5).uniforms(4000 * d));
            let points = plane.resize_vertically(8, 0.5);
            let set = PointSet {
                name: "plane".into(),
                rows: 4000,
                points,
                log_weights: vec![-4000.0_f64.ln(); 4000],
                constant_columns: Vec::new(),
                normals: None,
                notes: Vec::new(),
            };
            let mut facts = Facts::new();
            assert_eq!(state(&set, &mut facts), Some(d));
            let found = facts.get("intrinsic_dimension");
            // Near the edges of the cube neighbours are fewer.
            assert!((found.value - d as f64).abs() < found.bar + 0.05 * d as f64, "{found:?}");
        }
    }
}
