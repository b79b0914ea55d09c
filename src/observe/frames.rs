//! Block quantities of T2.0 in a moving frame, two independent ways.

use crate::error::Result;
use crate::linalg::{graph_operator, mu_max, mu_min, spectral_norm};
use crate::scalar::Real;
use nalgebra::DMatrix;

/// γ, κ and η at one time.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    /// Relative normal compression μ_min(PAP|_T) − μ_max(P_⊥AP_⊥|_N).
    pub gamma: f64,
    /// Cross derivative T→N, frame rotation included.
    pub kappa: f64,
    /// Cross derivative N→T, frame rotation included.
    pub eta: f64,
}

/// From the moving-frame matrix Ã = UᵀAU − UᵀU', U = [U_T U_N] with d tangent columns.
pub fn blocks_in_frame(moving: &DMatrix<f64>, d: usize) -> Result<Blocks> {
    let n = moving.nrows() - d;
    let part = |r, c, h, w| moving.view((r, c), (h, w)).into_owned();
    Ok(Blocks {
        gamma: mu_min(&part(0, 0, d, d)) - mu_max(&part(d, d, n, n)),
        kappa: spectral_norm(&part(d, 0, n, d))?,
        eta: spectral_norm(&part(0, d, d, n))?,
    })
}

/// From A, frames of the tangent and normal spaces, and P', by the projector formulas.
pub fn blocks_by_projector(
    a: &DMatrix<f64>,
    tangent: &DMatrix<f64>,
    normal: &DMatrix<f64>,
    projector_rate: &DMatrix<f64>,
) -> Result<Blocks> {
    Ok(Blocks {
        gamma: mu_min(&(tangent.tr_mul(a) * tangent)) - mu_max(&(normal.tr_mul(a) * normal)),
        kappa: spectral_norm(&(normal.tr_mul(&(a - projector_rate)) * tangent))?,
        eta: spectral_norm(&(tangent.tr_mul(&(a + projector_rate)) * normal))?,
    })
}

/// The slope of a plane over a tangent frame; NaN for a plane that contains a normal direction.
pub fn slope_over<R: Real>(
    plane: &DMatrix<R>,
    tangent: &DMatrix<R>,
    normal: &DMatrix<R>,
) -> Result<R> {
    match graph_operator(plane, tangent, normal) {
        Ok(graph) => spectral_norm(&graph),
        Err(_) => Ok(R::from(f64::NAN)),
    }
}
