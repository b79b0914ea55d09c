//! Exponents and vectors of a linear cocycle: matrices in, frames out.
//!
//! Three different objects, often confused:
//! - [`qr_sweep`]: growth of one frame under repeated QR. Its first columns
//!   span J·E_0, which tends to the top *end-point* subspace; its exponents
//!   carry a bias of up to log|det V_kᵀQ_0| (T3b). One sweep is not the spectrum.
//! - [`spectrum`]: the singular values of the whole product J, with *end-point*
//!   (left) and *start-point* (right) Lyapunov vectors.
//! - [`top_pairs`]: the leading part of the spectrum without the `D×D` matrix.

mod qr;
mod spectrum;
mod top;

pub use qr::{QrSweep, qr_history, qr_sweep};
pub use spectrum::{Spectrum, spectrum};
pub use top::{TopPairs, top_pairs};

use nalgebra::DMatrix;

/// The Jacobians dF_0, …, dF_{K−1} of a sequence of maps along one orbit.
pub trait Cocycle {
    /// Dimension D.
    fn dim(&self) -> usize;

    /// Number of maps K.
    fn len(&self) -> usize;

    /// True when there are no maps.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// dF_k · V for directions V, `D×q`.
    fn push(&self, k: usize, directions: &DMatrix<f64>) -> DMatrix<f64>;

    /// dF_kᵀ · W for covectors W, `D×q`.
    fn pull(&self, k: usize, covectors: &DMatrix<f64>) -> DMatrix<f64>;
}

impl Cocycle for [DMatrix<f64>] {
    fn dim(&self) -> usize {
        self.first().map_or(0, DMatrix::nrows)
    }

    fn len(&self) -> usize {
        <[DMatrix<f64>]>::len(self)
    }

    fn push(&self, k: usize, directions: &DMatrix<f64>) -> DMatrix<f64> {
        &self[k] * directions
    }

    fn pull(&self, k: usize, covectors: &DMatrix<f64>) -> DMatrix<f64> {
        self[k].tr_mul(covectors)
    }
}

/// The whole product J = dF_{K−1} ⋯ dF_0, `D×D`; the identity of size 0 for no maps.
pub fn product(cocycle: &(impl Cocycle + ?Sized)) -> DMatrix<f64> {
    let d = cocycle.dim();
    (0..cocycle.len()).fold(DMatrix::identity(d, d), |j, k| cocycle.push(k, &j))
}
