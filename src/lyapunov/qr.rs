//! QR iteration of a frame.

use super::Cocycle;
use crate::linalg::orthonormalise;
use nalgebra::DMatrix;

/// The result of QR iteration from one frame: Q_{k+1} R_{k+1} = dF_k Q_k.
#[derive(Clone, Debug)]
pub struct QrSweep {
    /// Q_K, `D×q`: its first k columns span J times the span of the first k columns of Q_0.
    pub frame: DMatrix<f64>,
    /// Σ_k log (R_k)_ii, one for each column: log growth over the whole sweep, not divided by time.
    pub log_growth: Vec<f64>,
}

/// QR iteration from `start` (`D×q`, orthonormal columns; take a random frame, see T3c).
///
/// The sum of the log growths of a full frame is log|det J| exactly; single
/// ones are not log singular values (T3b).
pub fn qr_sweep(cocycle: &(impl Cocycle + ?Sized), start: &DMatrix<f64>) -> QrSweep {
    let mut log_growth = vec![0.0; start.ncols()];
    let mut frame = start.clone();
    for k in 0..cocycle.len() {
        frame = cocycle.push(k, &frame);
        for (sum, log_r) in log_growth.iter_mut().zip(orthonormalise(&mut frame)) {
            *sum += log_r;
        }
    }
    QrSweep { frame, log_growth }
}

/// The frames Q_0, …, Q_K of a QR iteration.
pub fn qr_history(cocycle: &(impl Cocycle + ?Sized), start: &DMatrix<f64>) -> Vec<DMatrix<f64>> {
    let mut frames = vec![start.clone()];
    for k in 0..cocycle.len() {
        let mut frame = cocycle.push(k, &frames[k]);
        orthonormalise(&mut frame);
        frames.push(frame);
    }
    frames
}
