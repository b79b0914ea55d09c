//! Top end-point vectors against the tangent planes of the manifold, known or estimated.

use super::spectrum::Run;
use super::{Tangent, median};
use crate::error::Result;
use crate::facts::{Facts, Quantity};
use crate::linalg::{frame_from_normals, largest_angle};
use crate::random::Stream;
use nalgebra::DMatrix;

/// Random planes that show what no alignment looks like.
const RANDOM: usize = 400;

/// Angles, one a trajectory, between the span of the top d end-point vectors and the tangent plane at the end.
///
/// Facts: `alignment_dimension`, `alignment_angle` (median over trajectories, radians), `alignment_random` (median of random
/// planes of that dimension).
///
/// *Errors*: of nearest points and factorisations. Nothing is stated where fewer than d vectors are at hand.
pub fn measure(
    runs: &[Run],
    tangent: &Tangent<'_>,
    stream: Stream,
    facts: &mut Facts,
) -> Result<Vec<f64>> {
    let (d, dim) = (tangent.dimension(), runs[0].end.len());
    if d == 0 || d >= dim || d > runs[0].spectrum.end_vectors.ncols() {
        return Ok(Vec::new());
    }
    let angle =
        |run: &Run| tangent.angle(&run.end, &run.spectrum.end_vectors.columns(0, d).into_owned());
    let angles: Vec<f64> = runs.iter().map(angle).collect::<Result<_>>()?;
    let plane = DMatrix::identity(dim, d);
    let random = |i: u64| {
        let normals = stream.named("random planes").indexed(i).normals(dim * d);
        largest_angle(&frame_from_normals(dim, d, &normals), &plane)
    };
    let random: Vec<f64> = (0..RANDOM as u64).map(random).collect::<Result<_>>()?;
    facts.set("alignment_dimension", Quantity::exact(d as f64));
    facts.set("alignment_known", Quantity::exact(f64::from(matches!(tangent, Tangent::Known(_)))));
    facts.set("alignment_angle", median(&angles));
    facts.set("alignment_random", median(&random));
    Ok(angles)
}
