//! Singular values and vectors of the whole Jacobian product.

use crate::error::Result;
use crate::linalg;
use nalgebra::DMatrix;

/// Finite-time Lyapunov spectrum: J = Σ_i exp(log_growth_i) end_i start_iᵀ.
#[derive(Clone, Debug)]
pub struct Spectrum {
    /// log singular values of J, decreasing; divide by the time for exponents per time.
    pub log_growth: Vec<f64>,
    /// End-point (left singular) vectors as columns.
    pub end_vectors: DMatrix<f64>,
    /// Start-point (right singular) vectors as columns.
    pub start_vectors: DMatrix<f64>,
}

/// The full spectrum of a Jacobian product, `D×D`.
///
/// *Accuracy*: absolute 1e-16 σ_1, so values below 1e-13 σ_1 have few digits.
///
/// *Errors*: as [`linalg::svd`].
///
/// ```
/// use driftproof::lyapunov::spectrum;
/// use nalgebra::dmatrix;
/// // A shear maps e_2 to (3, 1): the product of the singular values is det = 1.
/// let s = spectrum(&dmatrix![1.0, 3.0; 0.0, 1.0]).unwrap();
/// assert!((s.log_growth[0] + s.log_growth[1]).abs() < 1e-14);
/// ```
pub fn spectrum(jacobian: &DMatrix<f64>) -> Result<Spectrum> {
    let svd = linalg::svd(jacobian)?;
    Ok(Spectrum {
        log_growth: svd.values.iter().map(|s| s.ln()).collect(),
        end_vectors: svd.left,
        start_vectors: svd.right,
    })
}
