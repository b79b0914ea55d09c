//! A generative model with an error, as a family of maps F_k^ε, and its orbits.

use super::Sampler;
use super::trajectory::shown;
use crate::drift::{Drift, Lanes, Workspace, push_generic};
use crate::error::{Error, Result};
use crate::lyapunov::Cocycle;
use crate::scalar::{Real, Scalar, TANGENT_LANES, Tangents, seeded};
use nalgebra::{DMatrix, DVector};

/// Maps F_0^ε, …, F_{K−1}^ε: the exact model at ε = 0, a model with an error at any other ε.
///
/// The size ε is an argument on the carrier, so that the sensitivity ∂F_k/∂ε = w_k, its
/// derivatives and the response of the density are duals through the model itself.
pub trait Maps: Sync {
    /// Dimension D of the state.
    fn dim(&self) -> usize;

    /// Number of maps K.
    fn maps(&self) -> usize;

    /// x ← F_k^ε(x).
    fn map<S: Scalar>(&self, k: usize, epsilon: S, x: &mut [S]);
}

/// The steps of a sampler on one velocity, whatever ε.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a, V> {
    /// The steps.
    pub sampler: &'a Sampler,
    /// The velocity.
    pub drift: &'a V,
}

impl<V: Drift> Maps for Steps<'_, V> {
    fn dim(&self) -> usize {
        self.drift.dim()
    }

    fn maps(&self) -> usize {
        self.sampler.maps()
    }

    fn map<S: Scalar>(&self, k: usize, _: S, x: &mut [S]) {
        self.sampler.map(self.drift, k, x);
    }
}

/// The steps of a sampler on v + ε w.
#[derive(Clone, Copy, Debug)]
pub struct InexactFlow<'a, V, W> {
    /// The steps.
    pub sampler: &'a Sampler,
    /// The exact velocity v.
    pub drift: &'a V,
    /// The error w.
    pub error: &'a W,
}

impl<V: Drift, W: Drift> Maps for InexactFlow<'_, V, W> {
    fn dim(&self) -> usize {
        self.drift.dim()
    }

    fn maps(&self) -> usize {
        self.sampler.maps()
    }

    fn map<S: Scalar>(&self, k: usize, epsilon: S, x: &mut [S]) {
        let velocity = |t: S, x: &[S], out: &mut [S]| {
            let mut error = out.to_vec();
            self.drift.velocity(t, x, out);
            self.error.velocity(t, x, &mut error);
            out.iter_mut().zip(&error).for_each(|(v, w)| *v += *w * epsilon);
        };
        self.sampler.map_field(velocity, k, x);
    }
}

/// An orbit of maps in another number.
#[derive(Debug)]
pub struct Carried<R> {
    /// x_0, …, x_K.
    pub states: Vec<DVector<R>>,
    /// dF_0, …, dF_{K−1}, `D×D`.
    pub jacobians: Vec<DMatrix<R>>,
}

/// The orbit from `start` at error size `epsilon` in another number, with its Jacobians by duals over that.
///
/// *Errors*: [`Error::Numeric`] with the map after which something was not finite.
pub fn carried<R: Real>(maps: &impl Maps, epsilon: f64, start: &[f64]) -> Result<Carried<R>> {
    let dim = maps.dim();
    let mut states = vec![DVector::from_iterator(dim, start.iter().map(|x| R::from(*x)))];
    let mut jacobians = Vec::new();
    for k in 0..maps.maps() {
        let (mut state, mut jacobian) = (states[k].clone(), DMatrix::zeros(dim, dim));
        for first in (0..dim).step_by(TANGENT_LANES) {
            let mut x: Vec<_> =
                states[k].iter().enumerate().map(|(i, x)| seeded(*x, i, first)).collect();
            maps.map(k, epsilon.into(), &mut x);
            for (row, x) in x.iter().enumerate() {
                state[row] = x.re;
                for (lane, slope) in x.eps.0.iter().flat_map(|eps| eps.iter().enumerate()) {
                    if first + lane < dim {
                        jacobian[(row, first + lane)] = *slope;
                    }
                }
            }
        }
        if !state.iter().chain(&jacobian).all(|x| x.re().is_finite()) {
            let why =
                if R::LONG { ", or a function of which only f64 values are known" } else { "" };
            let problem = format!("a state that is not finite after map {k}{why}");
            return Err(Error::numeric("orbit", problem));
        }
        states.push(state);
        jacobians.push(jacobian);
    }
    Ok(Carried { states, jacobians })
}

/// The states x_0, …, x_K of one orbit of maps at a fixed ε, with the Jacobians of the maps.
#[derive(Debug)]
pub struct Orbit<'a, M> {
    /// The maps.
    pub maps: &'a M,
    /// The size of the error.
    pub epsilon: f64,
    /// K + 1 states.
    pub states: Vec<DVector<f64>>,
}

impl<'a, M: Maps> Orbit<'a, M> {
    /// The orbit from `start` at error size `epsilon`.
    ///
    /// *Errors*: [`Error::Numeric`] with the map after which the state was not finite.
    pub fn from(maps: &'a M, epsilon: f64, start: &[f64]) -> Result<Self> {
        let mut x = DVector::from_column_slice(start);
        let mut states = vec![x.clone()];
        for k in 0..maps.maps() {
            maps.map(k, epsilon, x.as_mut_slice());
            if !x.iter().all(|v| v.is_finite()) {
                let problem = format!("not finite after map {k}, from x = {}", shown(&states[k]));
                return Err(Error::numeric("orbit", problem));
            }
            states.push(x.clone());
        }
        Ok(Self { maps, epsilon, states })
    }

    /// The state x_K.
    pub fn end(&self) -> &DVector<f64> {
        self.states.last().expect("an orbit has a start")
    }
}

impl<M: Maps> Cocycle for Orbit<'_, M> {
    fn dim(&self) -> usize {
        self.maps.dim()
    }

    fn len(&self) -> usize {
        self.maps.maps()
    }

    fn push(&self, k: usize, frame: &DMatrix<f64>) -> DMatrix<f64> {
        let mut block = frame.clone().insert_column(0, 0.0);
        block.set_column(0, &self.states[k]);
        let mut out = block.clone();
        let lanes = Lanes::single(frame.ncols());
        let map = |x: &[Tangents], y: &mut [Tangents]| {
            y.copy_from_slice(x);
            self.maps.map(k, Tangents::from(self.epsilon), y);
        };
        let work = &mut Workspace::default();
        push_generic(self.dim(), block.as_slice(), lanes, out.as_mut_slice(), work, map);
        out.remove_column(0)
    }

    fn pull(&self, k: usize, covectors: &DMatrix<f64>) -> DMatrix<f64> {
        self.push(k, &DMatrix::identity(self.dim(), self.dim())).tr_mul(covectors)
    }
}
