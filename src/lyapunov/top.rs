//! The leading singular pairs of a long product, by block iteration with J and its transpose.

use super::{Cocycle, Spectrum};
use crate::error::Result;
use crate::linalg::{frame_from_normals, orthonormalise, svd};
use crate::random::Stream;
use nalgebra::DMatrix;

/// Extra columns carried beyond the wanted ones; they speed convergence when the gap at k is small.
const OVERSAMPLING: usize = 4;

/// Leading singular pairs with a measured bound on the angle of each leading subspace.
#[derive(Clone, Debug)]
pub struct TopPairs {
    /// The k leading pairs.
    pub spectrum: Spectrum,
    /// Bound on the angle between the computed and the true top-k start-point subspace, in radians:
    /// the smaller of T3(a) over all rounds, with t_0 from T3(c) (exceeded with probability below
    /// 0.002 over the random start), and of the residual ‖JᵀJ V − V S²‖ over the gap of squared
    /// values (Davis–Kahan). In both the first discarded Ritz value stands for σ_{k+1}, which it
    /// underestimates at first: an estimate, not an enclosure. π/2 when there is no gap to speak of.
    pub angle_bound: f64,
    /// For each pair, ‖JᵀJ v − σ² v‖/(2σ²) of the last round: JᵀJ has an eigenvalue within ‖JᵀJ v − σ² v‖ of σ²
    /// (Bauer–Fike), so that some log singular value is this near, to first order.
    pub residuals: Vec<f64>,
    /// Rounds of one push and one pull.
    pub sweeps: usize,
}

/// The `k` leading singular pairs of J = dF_{K−1} ⋯ dF_0 without forming it.
///
/// Stops when [`TopPairs::angle_bound`] is below `angle`, or after `most_sweeps`
/// rounds; the bound says which. Each round costs `k + 4` tangents and as many
/// covectors along the orbit. The frame is renormalised by QR at every map, so
/// products that overflow or are ill conditioned are no problem.
///
/// *Errors*: as [`crate::linalg::svd`].
pub fn top_pairs(
    cocycle: &(impl Cocycle + ?Sized),
    k: usize,
    angle: f64,
    most_sweeps: usize,
    stream: Stream,
) -> Result<TopPairs> {
    let d = cocycle.dim();
    let width = (k + OVERSAMPLING).min(d);
    let mut start = frame_from_normals(d, width, &stream.normals(d * width));
    let mut sweeps = 0;
    loop {
        sweeps += 1;
        // J·start = end·forward, and Jᵀ·end = next·backward.
        let (end, forward, forward_scale) = sweep(cocycle, &start, false);
        let (next, backward, backward_scale) = sweep(cocycle, &end, true);
        // Rayleigh–Ritz: the small factor carries the singular pairs of J on span(start).
        let small = svd(&forward)?;
        let ritz = &start * &small.right;
        // JᵀJ·ritz = next · (backward · forward · right): its distance from ritz·S² is the residual.
        let image = &next * (&backward * &forward * &small.right);
        let rescale = (backward_scale - forward_scale).exp();
        let residual_of = |i: usize| {
            (image.column(i) * rescale - ritz.column(i) * small.values[i].powi(2)).norm()
        };
        let residual = (0..k).map(|i| residual_of(i).powi(2)).sum::<f64>().sqrt();
        let discarded = if k < width { small.values[k] } else { 0.0 };
        let gap = small.values[k - 1].powi(2) - discarded.powi(2);
        let by_residual =
            if gap > residual { (residual / gap).asin() } else { std::f64::consts::FRAC_PI_2 };
        // The residual has a floor of ε σ_1²: T3 also serves pairs far below the first.
        let ratio = discarded / small.values[k - 1];
        let rounds = i32::try_from(2 * (sweeps - 1)).unwrap_or(i32::MAX);
        let by_iteration = (ratio.powi(rounds) * start_tangent(d, k)).atan();
        let angle_bound = if k == d { 0.0 } else { by_residual.min(by_iteration) };
        if angle_bound <= angle || sweeps >= most_sweeps {
            let log_growth = small.values.iter().take(k).map(|s| s.ln() + forward_scale).collect();
            let spectrum = Spectrum {
                log_growth,
                end_vectors: (end * &small.left).columns(0, k).into_owned(),
                start_vectors: ritz.columns(0, k).into_owned(),
            };
            let residuals =
                (0..k).map(|i| residual_of(i) / (2.0 * small.values[i].powi(2))).collect();
            return Ok(TopPairs { spectrum, angle_bound, residuals, sweeps });
        }
        start = next;
    }
}

/// T3(c): tan∠(E_0, V_k) of a random start in R^d stays below this with probability at least
/// 1 − 10⁻³ − e^{−8}.
fn start_tangent(d: usize, k: usize) -> f64 {
    let (d, k) = (d as f64, k as f64);
    k.sqrt() * ((d - k).max(0.0).sqrt() + k.sqrt() + 4.0) / 1e-3
}

/// Pushes (or pulls, in reverse order) a frame through all maps: returns the end frame Q, and R
/// with its scale e^s taken out, so that (product)·frame = Q·R·e^s.
fn sweep(
    cocycle: &(impl Cocycle + ?Sized),
    start: &DMatrix<f64>,
    transposed: bool,
) -> (DMatrix<f64>, DMatrix<f64>, f64) {
    let width = start.ncols();
    let (mut frame, mut factor, mut scale) = (start.clone(), DMatrix::identity(width, width), 0.0);
    for step in 0..cocycle.len() {
        let image = if transposed {
            cocycle.pull(cocycle.len() - 1 - step, &frame)
        } else {
            cocycle.push(step, &frame)
        };
        frame = image.clone();
        orthonormalise(&mut frame);
        factor = frame.tr_mul(&image) * factor;
        let size = factor.amax();
        if size > 0.0 {
            factor /= size;
            scale += size.ln();
        }
    }
    (frame, factor, scale)
}
