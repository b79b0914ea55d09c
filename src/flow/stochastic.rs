//! Samplers of the reverse SDE of a Gaussian path, as maps: the noise path is frozen. DDIM is the one without noise.

use super::Maps;
use crate::drift::{Channel, Denoise, Drift, Schedule};
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// How the reverse SDE dx = (v + (g²/2) s) ds + g dW is stepped, g² = −2 b² σ'/σ, s the score.
///
/// Every Gaussian path has this SDE: with any multiple of g² its law at each time is that of
/// the path; this one is the time reversal of the noising process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// x + h (v + (g²/2) s) + g √h z, coefficients at the start of the step, which needs a > 0 there: at pure
    /// noise g² is infinite.
    EulerMaruyama,
    /// A draw from the law of the less noisy state given x and X = D(x) (T6.3): normals contract by ρ² exactly.
    Ancestral,
    /// The noise (x − a D)/b is kept and brought to its new level, and none is added (T6.3): normals contract by ρ exactly.
    Ddim,
}

/// One stochastic step on each interval of a grid of generating times, with its noise drawn beforehand.
///
/// ε multiplies an error of the *denoiser*: D + ε e. Convert from another
/// parametrisation by [`crate::drift::Parametrisation::error_factor`].
#[derive(Clone, Debug)]
pub struct StochasticSampler<'a, N, E> {
    schedule: Schedule,
    scheme: Scheme,
    times: Vec<f64>,
    denoiser: &'a N,
    error: &'a E,
    /// z, D numbers for each map.
    noise: Vec<f64>,
}

impl<'a, N: Denoise, E: Drift> StochasticSampler<'a, N, E> {
    /// One step of `scheme` on each interval of the increasing `times`; map k takes its noise z_k
    /// from `noise` at index k, so that the same stream is the same noise path.
    ///
    /// *Errors*: [`Error::Input`] when times do not increase, or Euler–Maruyama starts at pure noise.
    pub fn new(
        schedule: Schedule,
        scheme: Scheme,
        times: Vec<f64>,
        denoiser: &'a N,
        error: &'a E,
        noise: Stream,
    ) -> Result<Self> {
        if !times.windows(2).all(|w| w[0] < w[1]) {
            let problem = "generating times must increase";
            return Err(Error::input("stochastic sampler", problem, "sort them"));
        }
        let pure_noise = times.first().is_some_and(|t| schedule.coefficients(*t).0 <= 0.0);
        if scheme == Scheme::EulerMaruyama && pure_noise {
            let problem = "the reverse SDE has no finite coefficients at pure noise";
            return Err(Error::input(
                "stochastic sampler",
                problem,
                "start later, or step ancestrally",
            ));
        }
        let (maps, dim) = (times.len().saturating_sub(1), denoiser.dim());
        let noise = (0..maps as u64).flat_map(|k| noise.indexed(k).normals(dim)).collect();
        Ok(Self { schedule, scheme, times, denoiser, error, noise })
    }

    /// z_k, the noise of map k.
    pub fn noise(&self, k: usize) -> &[f64] {
        &self.noise[k * self.denoiser.dim()..][..self.denoiser.dim()]
    }

    /// (of x, of D, of z): map k is x ← α x + β D(x) + γ z_k.
    ///
    /// ```
    /// # use driftproof::drift::{Gaussian, LearningError, Schedule};
    /// # use driftproof::flow::{Scheme, StochasticSampler};
    /// # use driftproof::random::Stream;
    /// let (data, none) = (Gaussian::diagonal(&[1.0])?, LearningError::constant(&[0.0]));
    /// let times = vec![0.0, 0.5, 1.0];
    /// let schedule = Schedule::FlowMatching;
    /// let noise = Stream::root(0);
    /// let sampler = StochasticSampler::new(schedule, Scheme::Ancestral, times, &data, &none, noise)?;
    /// // From pure noise to (a, b) = (1/2, 1/2): x says nothing of X, so x ← D/2 + z/2.
    /// assert_eq!(sampler.coefficients(0), (0.0, 0.5, 0.5));
    /// // The last step returns the posterior mean.
    /// assert_eq!(sampler.coefficients(1), (0.0, 1.0, 0.0));
    /// # Ok::<(), driftproof::error::Error>(())
    /// ```
    pub fn coefficients(&self, k: usize) -> (f64, f64, f64) {
        let (from, to) = (self.times[k], self.times[k + 1]);
        match self.scheme {
            Scheme::EulerMaruyama => {
                let (a, b, da, db) = self.schedule.rates(from);
                let h = to - from;
                // g²/2 = −b² σ'/σ = −b² (b'/b − a'/a), and s = (a D − x)/b².
                let half = a * (da / a - db / b);
                let drift_x = db / b - half / a;
                let drift_d = da - a * db / b + half;
                (1.0 + h * drift_x, h * drift_d, (2.0 * h * b * b * half / a).sqrt())
            }
            Scheme::Ancestral => {
                let ((a, b), (a1, b1)) =
                    (self.schedule.coefficients(from), self.schedule.coefficients(to));
                // ρ² = (σ₁/σ)²; regular at a = 0.
                let kept = (b1 * a / (a1 * b)).powi(2);
                (b1 * b1 * a / (a1 * b * b), a1 * (1.0 - kept), b1 * (1.0 - kept).sqrt())
            }
            Scheme::Ddim => {
                let ((a, b), (a1, b1)) =
                    (self.schedule.coefficients(from), self.schedule.coefficients(to));
                (b1 / b, a1 - a * b1 / b, 0.0)
            }
        }
    }
}

impl<N: Denoise, E: Drift> Maps for StochasticSampler<'_, N, E> {
    fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    fn maps(&self) -> usize {
        self.times.len().saturating_sub(1)
    }

    fn map<S: Scalar>(&self, k: usize, epsilon: S, x: &mut [S]) {
        let time = S::from(self.times[k]);
        let (a, b) = self.schedule.coefficients(time);
        let mut mean = x.to_vec();
        self.denoiser.denoise(Channel { signal: a, noise_variance: b * b }, x, &mut mean);
        let mut error = x.to_vec();
        self.error.velocity(time, x, &mut error);
        let (of_x, of_mean, of_noise) = self.coefficients(k);
        for (i, z) in self.noise(k).iter().enumerate() {
            let denoised = mean[i] + error[i] * epsilon;
            x[i] = x[i] * of_x + denoised * of_mean + of_noise * z;
        }
    }
}
