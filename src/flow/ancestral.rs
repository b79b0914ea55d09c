//! The ancestral step of a variance-exploding model: a map with frozen noise.

use super::{Maps, StepWorkspace};
use crate::drift::{Channel, Denoise, Lanes};
use crate::scalar::Scalar;

/// Moves a block of states and tangents by one ancestral step from noise level `from` to `to` (T6.3).
///
/// y ← D_σ(y) + ρ² (y − D_σ(y)) + to·√(1 − ρ²) z, ρ = to/from: a draw from the law of the
/// less noisy state given y and X = D_σ(y). The noise z is frozen, so tangents
/// move by dF = ρ² I + (1 − ρ²) C/σ², which does not depend on it.
///
/// *Shapes*: `block` is `D × lanes.columns()`, column-major; `noise` holds z, `D × trajectories`.
/// 0 ≤ `to` < `from`; at `to` = 0 the state becomes D_σ(y).
///
/// ```
/// use driftproof::drift::{Atoms, Lanes};
/// use driftproof::flow::{StepWorkspace, ancestral_step};
/// // One point at 0: D = 0, so y shrinks by ρ² = 1/4 and gains noise of deviation 1·√(3/4).
/// let point = Atoms::new(1, vec![0.0], None, 0.0)?;
/// let mut block = [8.0, 1.0]; // a state and a tangent
/// let (lanes, mut work) = (Lanes::single(1), StepWorkspace::default());
/// ancestral_step(&point, 2.0, 1.0, &[2.0], &mut block, lanes, &mut work);
/// assert!((block[0] - (2.0 + 2.0 * 0.75_f64.sqrt())).abs() < 1e-15);
/// assert_eq!(block[1], 0.25);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
pub fn ancestral_step<N: Denoise>(
    denoiser: &N,
    from: f64,
    to: f64,
    noise: &[f64],
    block: &mut [f64],
    lanes: Lanes,
    work: &mut StepWorkspace,
) {
    let d = denoiser.dim();
    let (kept, deviation) = kept_and_deviation(from, to);
    work.stages.resize(block.len(), 0.0);
    denoiser.push(Channel::canonical(from), block, lanes, &mut work.stages, &mut work.field);
    for (y, mean) in block.iter_mut().zip(&work.stages) {
        *y = kept * *y + (1.0 - kept) * mean;
    }
    for (column, z) in block.chunks_exact_mut(d * (1 + lanes.tangents)).zip(noise.chunks_exact(d)) {
        column.iter_mut().zip(z).for_each(|(y, z)| *y += deviation * z);
    }
}

/// ρ² and to·√(1 − ρ²).
fn kept_and_deviation(from: f64, to: f64) -> (f64, f64) {
    let kept = (to / from).powi(2);
    (kept, to * (1.0 - kept).sqrt())
}

/// The ancestral steps between noise levels, on any carrier: the reference that [`ancestral_step`] must agree with.
#[derive(Clone, Copy, Debug)]
pub struct AncestralSteps<'a, N> {
    /// D_σ.
    pub denoiser: &'a N,
    /// σ_0 > … > σ_K ≥ 0.
    pub levels: &'a [f64],
    /// z of each step.
    pub noise: &'a [Vec<f64>],
}

impl<N: Denoise> Maps for AncestralSteps<'_, N> {
    fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    fn maps(&self) -> usize {
        self.levels.len().saturating_sub(1)
    }

    fn map<S: Scalar>(&self, k: usize, _: S, x: &mut [S]) {
        let (from, to) = (self.levels[k], self.levels[k + 1]);
        let (kept, deviation) = kept_and_deviation(from, to);
        let mut mean = x.to_vec();
        self.denoiser.denoise(Channel::canonical(S::from(from)), x, &mut mean);
        for ((y, mean), z) in x.iter_mut().zip(mean).zip(&self.noise[k]) {
            *y = *y * kept + mean * (1.0 - kept) + deviation * z;
        }
    }
}
