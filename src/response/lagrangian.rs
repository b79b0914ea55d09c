//! The response along a trajectory of a velocity field, as one larger velocity field (T1.3).

use crate::drift::Drift;
use crate::scalar::{Scalar, TANGENT_LANES, seeded};
use nalgebra::{Const, DVector};
use num_dual::{Dual, DualVec};

/// [`TANGENT_LANES`] directions on any carrier.
type Lanes<S> = DualVec<S, Const<TANGENT_LANES>>;

/// x, δ, s, div δ, ⟨δ, s⟩, g and log ρ along a trajectory of v with error w, as a [`Drift`] in 3D + 4 dimensions.
///
/// Equations (i)–(iv) of T1.3, every derivative exact:
/// δ' = Aδ + w, s' = −Aᵀs − ∇div v, (div δ)' = ⟨∇div v, δ⟩ + div w,
/// ⟨δ,s⟩' = ⟨w,s⟩ − ⟨δ, ∇div v⟩, g' = −(div w + ⟨w,s⟩), (log ρ)' = −div v.
///
/// Any [`crate::flow::Sampler`] integrates it; read a state with [`LagrangianState::read`].
#[derive(Clone, Copy, Debug)]
pub struct Lagrangian<'a, V, W> {
    /// The exact velocity v.
    pub drift: &'a V,
    /// The error w.
    pub error: &'a W,
}

/// One state of [`Lagrangian`], by name.
#[derive(Clone, Debug)]
pub struct LagrangianState {
    /// x.
    pub state: DVector<f64>,
    /// δ.
    pub delta: DVector<f64>,
    /// s.
    pub score: DVector<f64>,
    /// div δ, by (i).
    pub divergence: f64,
    /// ⟨δ, s⟩, by (iii).
    pub inner: f64,
    /// g, by (iv).
    pub from_error: f64,
    /// log ρ.
    pub log_density: f64,
}

impl LagrangianState {
    /// The start: no sensitivity yet, with the score and log density of the law there.
    pub fn start(state: &[f64], score: &DVector<f64>, log_density: f64) -> Vec<f64> {
        let mut x = state.to_vec();
        x.resize(2 * state.len(), 0.0);
        x.extend(score);
        x.extend([0.0, 0.0, 0.0, log_density]);
        x
    }

    /// The state in the 3D + 4 coordinates `x` of [`Lagrangian`]; panics on fewer than 4.
    pub fn read(x: &[f64]) -> Self {
        let dim = (x.len() - 4) / 3;
        let part = |i: usize| DVector::from_column_slice(&x[i * dim..(i + 1) * dim]);
        let rest = &x[3 * dim..];
        Self {
            state: part(0),
            delta: part(1),
            score: part(2),
            divergence: rest[0],
            inner: rest[1],
            from_error: rest[2],
            log_density: rest[3],
        }
    }

    /// g by −(div δ + ⟨δ, s⟩).
    pub fn from_divergence(&self) -> f64 {
        -(self.divergence + self.inner)
    }
}

impl<V: Drift, W: Drift> Drift for Lagrangian<'_, V, W> {
    fn dim(&self) -> usize {
        3 * self.drift.dim() + 4
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let dim = self.drift.dim();
        let (state, delta, score) = (&x[..dim], &x[dim..2 * dim], &x[2 * dim..3 * dim]);
        let zero = S::from(0.0);

        let carried: Vec<Dual<S>> =
            state.iter().zip(delta).map(|(&x, &d)| Dual::new(x, d)).collect();
        let mut moved = carried.clone();
        self.drift.velocity(Dual::from_re(t), &carried, &mut moved);
        let error = Jet::of(self.error, t, state);
        for i in 0..dim {
            out[i] = moved[i].re;
            out[dim + i] = moved[i].eps + error.value[i];
        }

        // One pass for each direction e_j: div v, (Aᵀs)_j and ∂_j div v.
        let (mut divergence, mut bend) = (zero, zero); // div v, ⟨∇div v, δ⟩
        for j in 0..dim {
            let seed = |i: usize| S::from(f64::from(u8::from(i == j)));
            let along: Vec<Dual<S>> =
                state.iter().enumerate().map(|(i, &x)| Dual::new(x, seed(i))).collect();
            let jet = Jet::of(self.drift, Dual::from_re(t), &along);
            divergence = jet.divergence.re;
            bend += jet.divergence.eps * delta[j];
            let pulled = jet.value.iter().zip(score).fold(zero, |sum, (v, &s)| sum + v.eps * s);
            out[2 * dim + j] = -pulled - jet.divergence.eps;
        }
        let inner = error.value.iter().zip(score).fold(zero, |sum, (&w, &s)| sum + w * s);
        out[3 * dim] = bend + error.divergence;
        out[3 * dim + 1] = inner - bend;
        out[3 * dim + 2] = -(error.divergence + inner);
        out[3 * dim + 3] = -divergence;
    }
}

/// A field and its divergence at one point.
struct Jet<S> {
    value: Vec<S>,
    divergence: S,
}

impl<S: Scalar> Jet<S> {
    fn of(field: &impl Drift, t: S, x: &[S]) -> Self {
        let (mut value, mut divergence) = (x.to_vec(), S::from(0.0));
        for first in (0..x.len()).step_by(TANGENT_LANES) {
            let carried: Vec<Lanes<S>> =
                x.iter().enumerate().map(|(i, &x)| seeded(x, i, first)).collect();
            let mut out = carried.clone();
            field.velocity(Lanes::from_re(t), &carried, &mut out);
            for (i, v) in out.iter().enumerate() {
                value[i] = v.re;
                if let (true, Some(eps)) = ((first..first + TANGENT_LANES).contains(&i), &v.eps.0) {
                    divergence += eps[i - first];
                }
            }
        }
        Self { value, divergence }
    }
}
