//! Random linear flows with a turning frame, shared by the claims of T2.

use super::frames::{blocks_by_projector, slope_over};
use crate::drift::{Drift, Rotating, Turn};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Sampler, Trajectory, uniform_times};
use crate::linalg::{largest_angle, mu_max, orthonormalise, spectral_norm};
use crate::lyapunov::qr_history;
use crate::random::Knobs;
use crate::scenario::Labels;
use nalgebra::DMatrix;
use serde::Serialize;

/// Intervals of the time grid; planes are propagated on this grid and on its refinement.
const STEPS: usize = 100;

/// A linear world: the flow, how many directions are tangent, and for how long it runs.
#[derive(Serialize)]
pub struct LinearWorld {
    /// Tangent directions d; the first d columns of the frame.
    pub tangent: usize,
    /// The time span τ.
    pub span: f64,
    /// The flow.
    pub flow: Rotating,
    /// Intervals of the time grid.
    #[serde(skip)]
    pub steps: usize,
}

/// What the blocks of a linear world look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// Full blocks of random size, frame carried along (T2.0, T2.1).
    Full,
    /// Diagonal, so that the frame is the eigenframe of a symmetric A (T2.4).
    Spectral,
}

impl LinearWorld {
    /// Decodes a world; the plainest is a diagonal 2×2 contraction in a resting frame.
    pub fn decode(knobs: &mut Knobs, blocks: Blocks) -> Self {
        let dim = knobs.count(2, 8);
        let tangent = knobs.count(1, dim - 1);
        let span = knobs.range(0.5, 4.0);
        // Compression rate between the blocks, from slightly negative to strong.
        let compression = knobs.range(-0.5, 4.0);
        let cross = knobs.range(0.0, 1.2);
        let unevenness = knobs.range(0.0, 0.6);
        let swing = knobs.range(0.0, 0.5);
        // Some eigenframes turn too fast for their gap: out of scope of T2.4, where its mutants fall.
        let hasty = blocks == Blocks::Spectral && knobs.unit() > 0.8;
        let turning = knobs.range(0.0, 1.0) * if hasty { 5.0 } else { 1.0 };
        let frequency = knobs.range(0.0, 3.0);
        // A common rate changes absolute compression, never the relative one.
        let common = 6.0 * (knobs.unit() - 0.5);
        let stream = knobs.stream("linear");
        let noise = stream.named("mean").normals(dim * dim);
        let waves = stream.named("wave").normals(dim * dim);
        let scale = |r: usize, c: usize| {
            let inside = (r < tangent) == (c < tangent);
            match blocks {
                Blocks::Spectral if r != c => 0.0,
                // Uneven rates may not close the gap: kept within a third of it.
                Blocks::Spectral => unevenness * compression.abs() / 9.0,
                Blocks::Full if inside => unevenness / (dim as f64).sqrt(),
                Blocks::Full => cross / (dim as f64).sqrt(),
            }
        };
        let rate = |r: usize| if r < tangent { 0.5 * compression } else { -0.5 * compression };
        let entry = |r: usize, c: usize| {
            let diagonal = if r == c { common + rate(r) } else { 0.0 };
            diagonal + scale(r, c) * noise[c * dim + r]
        };
        let mean = DMatrix::from_fn(dim, dim, entry);
        let wave = DMatrix::from_fn(dim, dim, |r, c| swing * scale(r, c) * waves[c * dim + r]);
        let rates = stream.named("turns").normals(2 * dim);
        let turns = (0..dim)
            .map(|i| Turn {
                i,
                j: (i + 1) % dim,
                phase: 3.0 * rates[2 * i],
                rate: 1.5 * turning * rates[2 * i + 1] / (dim as f64).sqrt(),
            })
            .collect();
        let carried = blocks == Blocks::Full;
        let flow = Rotating { turns, mean, wave, frequency, carried };
        Self { tangent, span, flow, steps: STEPS }
    }

    /// The same system, to be run in as many time steps as the knobs ask for.
    pub fn stepped(self, knobs: &mut Knobs) -> Self {
        Self { steps: knobs.steps(STEPS), ..self }
    }

    /// A linear system, whatever its blocks.
    pub fn labels(&self) -> Labels {
        Labels::of("linear").in_dimension(self.flow.dim())
    }

    /// Blocks along the path, and the slope of the plane propagated from `plane` (`D×d`).
    pub fn measure(&self, mut plane: DMatrix<f64>) -> Result<Facts> {
        let (d, dim) = (self.tangent, self.flow.dim());
        orthonormalise(&mut plane);
        let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, self.span, self.steps));
        let refined = sampler.refined();
        let rest = vec![0.0; dim];
        let coarse = qr_history(&Trajectory::from(&self.flow, &sampler, &rest)?, &plane);
        let fine = qr_history(&Trajectory::from(&self.flow, &refined, &rest)?, &plane);

        let mut facts = Facts::new();
        for (k, t) in sampler.times().iter().enumerate() {
            let a = DMatrix::from_vec(dim, dim, self.flow.generator(*t));
            let (u, du) = self.flow.frame_and_rate(*t);
            let (ut, un) = (u.columns(0, d).into_owned(), u.columns(d, dim - d).into_owned());
            let dut = du.columns(0, d).into_owned();
            let rate = &dut * ut.transpose() + &ut * dut.transpose();
            let blocks = blocks_by_projector(&a, &ut, &un, &rate)?;
            let still = blocks_by_projector(&a, &ut, &un, &DMatrix::zeros(dim, dim))?;
            let rounding = 64.0 * dim as f64 * f64::EPSILON * (spectral_norm(&a)? + 1.0);
            let exact = |value: f64| Quantity::new(value, rounding, Grade::Symbolic);
            facts.push("time", Quantity::exact(*t));
            facts.push("gamma", exact(blocks.gamma));
            facts.push("kappa", exact(blocks.kappa));
            facts.push("eta", exact(blocks.eta));
            facts.push("kappa_of_a", exact(still.kappa));
            facts.push("normal_compression", exact(-mu_max(&(un.tr_mul(&a) * &un))));
            let slope = |plane: &DMatrix<f64>| slope_over(plane, &ut, &un);
            let (l, l_coarse) = (slope(&fine[2 * k])?, slope(&coarse[k])?);
            let bar = (l - l_coarse).abs() + 1e3 * f64::EPSILON * (1.0 + l * l);
            facts.push("slope", Quantity::new(l, bar, Grade::Estimated));
            if k == self.steps {
                let angle = largest_angle(&fine[2 * k], &ut)?;
                let bar = largest_angle(&fine[2 * k], &coarse[k])? + 1e3 * f64::EPSILON;
                facts.set("end_sine", Quantity::new(angle.sin(), bar, Grade::Estimated));
            }
        }
        Ok(facts)
    }
}
