//! The drift that carries noise to data, each field written once over [`Scalar`].
//!
//! Every Gaussian-path model is a [`Schedule`] applied to a [`Denoise`]
//! ([`GaussianPath`]); a [`Drift`] is any velocity field of generating time.

mod assignment;
mod atoms;
mod convention;
mod counterexample;
mod coupling;
mod denoiser;
mod divergence;
mod gaussian;
pub mod kernel;
mod law;
mod learning_error;
mod moved;
mod noise_table;
mod pairs;
mod parametrisation;
mod path;
mod presets;
mod product;
mod rotating;
mod schedule;
mod segment;
mod sphere;
mod thick;
mod trained;
mod transport;

pub use assignment::{Assignment, assignment};
pub use atoms::Atoms;
pub use convention::{Convention, NoiseLevels, Prediction, TimeInput, Weights};
pub use counterexample::{Counterexample, Embedded, PlaneField, Stage};
pub use coupling::LinearCoupling;
pub use denoiser::{Channel, Denoise};
pub use gaussian::Gaussian;
pub use law::Denoiser;
pub use learning_error::{ErrorWave, InVelocity, Inexact, LearningError, Onset, PartOf};
pub use moved::Moved;
pub use noise_table::NoiseTable;
pub use pairs::Pairs;
pub use parametrisation::Parametrisation;
pub use path::{Canonical, GaussianPath};
pub use presets::PRESETS;
pub use product::Product;
pub use rotating::{Rotating, Turn};
pub use schedule::Schedule;
pub use segment::Segment;
pub use sphere::Sphere;
pub use thick::Thick;
pub use trained::Trained;
pub use transport::{GaussianTransport, MonotoneMap, ProductTransport};

use crate::error::{Error, Result};
use crate::scalar::{Scalar, SecondTangents, TANGENT_LANES, Tangents};
use divergence::push_with_divergence_generic;
use nalgebra::{DMatrix, SVector};
use num_dual::Derivative;

/// Relative rounding of [`Drift::push`] over atoms: log weights lose up to 2^12 roundings (see the kernel).
pub const PUSH_ROUNDING: f64 = 4096.0 * f64::EPSILON;

/// The columns of a block `D × trajectories·(1 + tangents)`: for each trajectory its state, then its tangents.
///
/// Blocks are column-major slices, so one trajectory is contiguous, and all of
/// them together are the right-hand side of one matrix product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Trajectories side by side.
    pub trajectories: usize,
    /// Tangents carried by each.
    pub tangents: usize,
}

impl Lanes {
    /// One trajectory with `tangents` tangents.
    pub fn single(tangents: usize) -> Self {
        Self { trajectories: 1, tangents }
    }

    /// Columns of the whole block.
    pub fn columns(self) -> usize {
        self.trajectories * (1 + self.tangents)
    }
}

/// Scratch memory of a sampler, grown on first use and then reused: the step loop allocates nothing.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Plain scratch of the matrix-product paths.
    pub plain: Vec<f64>,
    /// Inputs and outputs of the generic path.
    pub duals: Vec<Tangents>,
    /// The same with second derivatives.
    pub nested: Vec<SecondTangents>,
    /// Of a trained network.
    pub network: crate::network::Room,
}

/// `length` numbers of scratch; contents are left over from the last use.
pub fn scratch(buffer: &mut Vec<f64>, length: usize) -> &mut [f64] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}

/// Refuses a length that is not positive and finite.
fn check_positive(what: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::input(what, format!("{value} is not positive and finite"), "give a positive number"))
}

/// A velocity field dx/dt = v(t, x).
pub trait Drift: Sync {
    /// Dimension D of the state.
    fn dim(&self) -> usize;

    /// Writes v(t, x) to `out`; `x` and `out` have length D.
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]);

    /// Velocities of states, and Jacobian products A·V of their tangents, in one pass.
    ///
    /// *Shapes*: `block` and `out` are `D × lanes.columns()`, column-major.
    /// The default differentiates [`Drift::velocity`] exactly; a faster
    /// override must agree with it.
    fn push(&self, t: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        push_generic(self.dim(), block, lanes, out, work, |x, v| {
            self.velocity(Tangents::from(t), x, v);
        });
    }

    /// [`Drift::push`], and the divergence of v with its derivatives along the tangents.
    ///
    /// *Shapes*: `divergence` has length `lanes.columns()`: for each trajectory
    /// div v(t, x) = tr A, then ⟨∇ div v, V⟩ for each tangent V. The default
    /// differentiates [`Drift::velocity`] twice, exactly; a faster override must agree with it.
    ///
    /// ```
    /// use driftproof::drift::{Atoms, Canonical, Drift, Lanes, Workspace};
    /// // The points ±1 at σ = 1: v(y) = y − tanh y, so v' = tanh² y and v'' = 2 tanh y/cosh² y.
    /// let pair = Atoms::new(1, vec![-1.0, 1.0], None, 0.0)?;
    /// let (mut out, mut divergence) = ([0.0; 2], [0.0; 2]);
    /// let (lanes, work) = (Lanes::single(1), &mut Workspace::default());
    /// let field = Canonical { denoiser: &pair };
    /// field.push_with_divergence(1.0, &[0.3, 1.0], lanes, &mut out, &mut divergence, work);
    /// let tanh = 0.3_f64.tanh();
    /// assert!((divergence[0] - tanh * tanh).abs() < 1e-15);
    /// assert!((divergence[1] - 2.0 * tanh / 0.3_f64.cosh().powi(2)).abs() < 1e-15);
    /// # Ok::<(), driftproof::error::Error>(())
    /// ```
    fn push_with_divergence(
        &self,
        t: f64,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Workspace,
    ) {
        push_with_divergence_generic(
            self.dim(),
            (block, lanes),
            (out, divergence),
            work,
            |x, v| self.velocity(Tangents::from(t), x, v),
            |x, v| self.velocity(SecondTangents::from(t), x, v),
        );
    }

    /// Transposed Jacobian products Aᵀ·W at one state, for pulling covectors back.
    ///
    /// *Shapes*: `state` has length D, `covectors` and `out` are `D×k`.
    /// The default forms the Jacobian; fields with a symmetric Jacobian push instead.
    fn pull(
        &self,
        t: f64,
        state: &[f64],
        covectors: &DMatrix<f64>,
        work: &mut Workspace,
    ) -> DMatrix<f64> {
        self.jacobian(t, state, work).tr_mul(covectors)
    }

    /// The Jacobian A = Dv(t, x), `D×D`.
    fn jacobian(&self, t: f64, state: &[f64], work: &mut Workspace) -> DMatrix<f64> {
        let d = self.dim();
        jacobian_by_push(d, state, |block, lanes, out| self.push(t, block, lanes, out, work))
    }
}

/// The `D×D` Jacobian from a push of the unit vectors.
pub(crate) fn jacobian_by_push(
    d: usize,
    state: &[f64],
    mut push: impl FnMut(&[f64], Lanes, &mut [f64]),
) -> DMatrix<f64> {
    let mut block = DMatrix::zeros(d, d + 1);
    block.column_mut(0).copy_from_slice(state);
    for i in 0..d {
        block[(i, i + 1)] = 1.0;
    }
    let mut out = DMatrix::zeros(d, d + 1);
    push(block.as_slice(), Lanes::single(d), out.as_mut_slice());
    out.columns(1, d).into_owned()
}

/// Pushes a block through a field written over [`Tangents`], [`TANGENT_LANES`] tangents at a time.
pub(crate) fn push_generic(
    d: usize,
    block: &[f64],
    lanes: Lanes,
    out: &mut [f64],
    work: &mut Workspace,
    mut field: impl FnMut(&[Tangents], &mut [Tangents]),
) {
    work.duals.resize(2 * d, Tangents::from(0.0));
    let (input, output) = work.duals.split_at_mut(d);
    let width = d * (1 + lanes.tangents);
    for (from, to) in block.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let (state, tangents) = from.split_at(d);
        let (value, products) = to.split_at_mut(d);
        let mut first = 0;
        loop {
            let carried = (lanes.tangents - first).min(TANGENT_LANES);
            for (row, dual) in input.iter_mut().enumerate() {
                let mut eps = SVector::<f64, TANGENT_LANES>::zeros();
                for lane in 0..carried {
                    eps[lane] = tangents[(first + lane) * d + row];
                }
                // A state without tangents is carried without derivatives, at the price of a plain one.
                let eps = if carried > 0 { Derivative::some(eps) } else { Derivative::none() };
                *dual = Tangents::new(state[row], eps);
            }
            field(input, output);
            for (row, dual) in output.iter().enumerate() {
                value[row] = dual.re;
                if let Some(eps) = dual.eps.0 {
                    for lane in 0..carried {
                        products[(first + lane) * d + row] = eps[lane];
                    }
                } else {
                    for lane in 0..carried {
                        products[(first + lane) * d + row] = 0.0;
                    }
                }
            }
            first += carried;
            if first >= lanes.tangents {
                break;
            }
        }
    }
}
