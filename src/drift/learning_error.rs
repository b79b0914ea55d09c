//! Learning errors w(t, x): what a trained model adds to the exact field.

use super::{Drift, Lanes, Workspace};
use crate::linalg::dot;
use crate::manifold::{Manifold, Part};
use crate::random::Stream;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// One term coefficient · sin(⟨wave_vector, x⟩ + phase) of a [`LearningError`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorWave {
    /// Radians per unit length; 0 for a constant.
    pub wave_vector: Vec<f64>,
    /// Phase, in radians.
    pub phase: f64,
    /// The vector that is scaled.
    pub coefficient: Vec<f64>,
}

/// A rise from 0 to 1 at `time`, over a few `width`: (1 + erf((t − time)/width))/2.
///
/// A negative width makes it a fall: "late" in a time that runs down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Onset {
    /// Where it is 1/2.
    pub time: f64,
    /// How fast it rises.
    pub width: f64,
}

/// A smooth error field: a sum of waves, all along or late only.
///
/// Constants, random Fourier fields, and ripples that are small but steep are all sums of
/// waves, so sup |w|, sup ‖Dw‖ and sup ‖D²w‖ have bounds that hold everywhere.
///
/// ```
/// use driftproof::drift::{Drift, LearningError};
/// // Small in C⁰, not in C¹: |w| ≤ 1e-3, ‖Dw‖ = 1.
/// let ripple = LearningError::ripple(&[0.0, 1e-3], &[1e3, 0.0]);
/// assert_eq!(ripple.bounds(), [1e-3, 1.0, 1e3]);
/// let mut w = [0.0; 2];
/// ripple.velocity(0.0, &[0.0, 5.0], &mut w);
/// assert_eq!(w, [0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearningError {
    dim: usize,
    waves: Vec<ErrorWave>,
    onset: Option<Onset>,
}

impl LearningError {
    /// The same vector everywhere.
    pub fn constant(direction: &[f64]) -> Self {
        let wave = ErrorWave {
            wave_vector: vec![0.0; direction.len()],
            phase: std::f64::consts::FRAC_PI_2,
            coefficient: direction.to_vec(),
        };
        Self { dim: direction.len(), waves: vec![wave], onset: None }
    }

    /// coefficient · sin⟨wave_vector, x⟩: with a short wave, C⁰-small but C¹-large. Both have length D.
    pub fn ripple(coefficient: &[f64], wave_vector: &[f64]) -> Self {
        let wave = ErrorWave {
            wave_vector: wave_vector.to_vec(),
            phase: 0.0,
            coefficient: coefficient.to_vec(),
        };
        Self { dim: coefficient.len(), waves: vec![wave], onset: None }
    }

    /// These waves, in R^`dim`; vectors of other lengths are cut.
    pub fn sum(dim: usize, waves: Vec<ErrorWave>) -> Self {
        Self { dim, waves, onset: None }
    }

    /// A random Fourier field: `count` waves with normal wave vectors of the given correlation `length`,
    /// whose mean square |w|² over space is `amplitude²`; `count` ≥ 1.
    pub fn fourier(dim: usize, count: usize, length: f64, amplitude: f64, stream: Stream) -> Self {
        // Each wave has mean square |c|²/2, and E|c|² = D.
        let scale = amplitude * (2.0 / (count * dim) as f64).sqrt();
        let waves = (0..count as u64).map(|m| {
            let stream = stream.indexed(m);
            let scaled = |name: &str, by: f64| -> Vec<f64> {
                stream.named(name).normals(dim).iter().map(|z| z * by).collect()
            };
            ErrorWave {
                wave_vector: scaled("wave vector", length.recip()),
                phase: std::f64::consts::TAU * stream.named("phase").uniforms(1)[0],
                coefficient: scaled("coefficient", scale),
            }
        });
        Self { dim, waves: waves.collect(), onset: None }
    }

    /// The same field, only after its onset.
    pub fn late(self, onset: Onset) -> Self {
        Self { onset: Some(onset), ..self }
    }

    /// The same field times a number.
    pub fn scaled(mut self, factor: f64) -> Self {
        self.waves.iter_mut().flat_map(|wave| &mut wave.coefficient).for_each(|c| *c *= factor);
        self
    }

    /// The waves.
    pub fn waves(&self) -> &[ErrorWave] {
        &self.waves
    }

    /// When it sets in; None for all along.
    pub fn onset(&self) -> Option<Onset> {
        self.onset
    }

    /// Bounds of |w|, ‖Dw‖ and ‖D²w‖ that hold at every time and point: Σ|c|, Σ|c||k|, Σ|c||k|².
    pub fn bounds(&self) -> [f64; 3] {
        let mut bounds = [0.0; 3];
        for wave in &self.waves {
            let size = dot(&wave.coefficient, &wave.coefficient).sqrt();
            let rate = dot(&wave.wave_vector, &wave.wave_vector).sqrt();
            // A wave vector of 0 is a constant of size |c sin φ|.
            let size = if rate == 0.0 { size * wave.phase.sin().abs() } else { size };
            bounds[0] += size;
            bounds[1] += size * rate;
            bounds[2] += size * rate * rate;
        }
        bounds
    }
}

impl Drift for LearningError {
    fn dim(&self) -> usize {
        self.dim
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        out.fill(S::from(0.0));
        for wave in &self.waves {
            let start = S::from(wave.phase);
            let phase = wave.wave_vector.iter().zip(x).fold(start, |sum, (&k, &x)| sum + x * k);
            let sine = phase.sin();
            out.iter_mut().zip(&wave.coefficient).for_each(|(w, &c)| *w += sine * c);
        }
        if let Some(Onset { time, width }) = self.onset {
            let risen = (((t - time) / width).erf() + 1.0) * 0.5;
            out.iter_mut().for_each(|w| *w *= risen);
        }
    }
}

/// An error restricted to one part along a manifold: tangential or normal at the nearest point of x.
#[derive(Clone, Copy, Debug)]
pub struct PartOf<'a, W> {
    /// The whole error.
    pub error: &'a W,
    /// Which part of it is kept.
    pub part: Part,
    /// The manifold whose tangent spaces split it; points must be nearer to it than its reach.
    pub manifold: &'a Manifold,
}

impl<W: Drift> Drift for PartOf<'_, W> {
    fn dim(&self) -> usize {
        self.error.dim()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.error.velocity(t, x, out);
        self.manifold.keep_part(self.part, x, out);
    }
}

/// An error e of a model's prediction, as an error w = c(s) e of its velocity (T6.4).
#[derive(Clone, Copy, Debug)]
pub struct InVelocity<'a, E> {
    /// The error e(s, x) of the prediction.
    pub error: &'a E,
    /// What is predicted.
    pub parametrisation: super::Parametrisation,
    /// The schedule on which it is predicted.
    pub schedule: super::Schedule,
}

impl<E: Drift> Drift for InVelocity<'_, E> {
    fn dim(&self) -> usize {
        self.error.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        self.error.velocity(s, x, out);
        let factor = self.parametrisation.velocity_factor(&self.schedule, s);
        out.iter_mut().for_each(|w| *w *= factor);
    }
}

/// The field v + ε w of a model with an error of fixed size.
#[derive(Clone, Copy, Debug)]
pub struct Inexact<'a, V, W> {
    /// The exact field v.
    pub exact: &'a V,
    /// The error w.
    pub error: &'a W,
    /// ε.
    pub epsilon: f64,
}

impl<V: Drift, W: Drift> Drift for Inexact<'_, V, W> {
    fn dim(&self) -> usize {
        self.exact.dim()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let mut error = out.to_vec();
        self.error.velocity(t, x, &mut error);
        self.exact.velocity(t, x, out);
        out.iter_mut().zip(&error).for_each(|(v, w)| *v += *w * self.epsilon);
    }

    fn push(&self, t: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        // Each field by its own fast path; sums of fields are sums of Jacobians.
        self.exact.push(t, block, lanes, out, work);
        let mut error = vec![0.0; out.len()];
        self.error.push(t, block, lanes, &mut error, work);
        out.iter_mut().zip(&error).for_each(|(v, w)| *v += w * self.epsilon);
    }

    fn push_with_divergence(
        &self,
        t: f64,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Workspace,
    ) {
        self.exact.push_with_divergence(t, block, lanes, out, divergence, work);
        let (mut error, mut of_error) = (vec![0.0; out.len()], vec![0.0; divergence.len()]);
        self.error.push_with_divergence(t, block, lanes, &mut error, &mut of_error, work);
        out.iter_mut().zip(&error).for_each(|(v, w)| *v += w * self.epsilon);
        divergence.iter_mut().zip(&of_error).for_each(|(v, w)| *v += w * self.epsilon);
    }
}
