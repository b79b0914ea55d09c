//! What a model predicts, and how an error in it becomes an error of the velocity (T6.4).

use super::Schedule;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// The quantity that a model of a Gaussian path x = a X + b ξ predicts at each (s, x).
///
/// Each is an affine function of each other at fixed (s, x), so an error in one
/// is a multiple of the error in another, exactly and at any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parametrisation {
    /// The posterior mean D = E[X|x] of the data.
    Denoiser,
    /// The posterior mean ε = E[ξ|x] of the noise.
    Noise,
    /// The score ∇ log p_s(x) = −ε/b.
    Score,
    /// The velocity v = a' D + b' ε.
    Velocity,
}

impl Parametrisation {
    /// Every parametrisation.
    pub const ALL: [Self; 4] = [Self::Denoiser, Self::Noise, Self::Score, Self::Velocity];

    /// The factor c(s) by which an error e of this prediction moves the velocity: w = c e.
    ///
    /// Denoiser a' − a b'/b; noise −(b/a)(a' − a b'/b); score (b²/a)(a' − a b'/b); velocity 1 (T6.4).
    /// Not finite where a or b is 0: at pure noise, x says nothing of X, and ε is x/b whatever D is.
    ///
    /// ```
    /// use driftproof::drift::{Parametrisation, Schedule};
    /// // Flow matching: w = e_D/(1 − t).
    /// let factor = Parametrisation::Denoiser.velocity_factor(&Schedule::FlowMatching, 0.75);
    /// assert_eq!(factor, 4.0);
    /// ```
    pub fn velocity_factor<S: Scalar>(self, schedule: &Schedule, s: S) -> S {
        self.velocity_factor_of(schedule.rates(s))
    }

    /// The same from (a, b, a', b').
    pub fn velocity_factor_of<S: Scalar>(self, (a, b, da, db): (S, S, S, S)) -> S {
        let denoiser = da - a * db / b;
        match self {
            Self::Denoiser => denoiser,
            Self::Noise => -denoiser * b / a,
            Self::Score => denoiser * b * b / a,
            Self::Velocity => S::from(1.0),
        }
    }

    /// The factor by which an error of this prediction appears in another: e_other = factor · e_self.
    pub fn error_factor<S: Scalar>(self, other: Self, schedule: &Schedule, s: S) -> S {
        self.velocity_factor(schedule, s) / other.velocity_factor(schedule, s)
    }

    /// The posterior mean D of the data behind a prediction at (s, x), entry by entry.
    pub fn denoised<S: Scalar>(self, schedule: &Schedule, s: S, x: S, prediction: S) -> S {
        let (a, b, da, db) = schedule.rates(s);
        match self {
            Self::Denoiser => prediction,
            Self::Noise => (x - b * prediction) / a,
            Self::Score => (x + b * b * prediction) / a,
            Self::Velocity => (b * prediction - db * x) / (b * da - a * db),
        }
    }

    /// This prediction at (s, x), from the posterior mean D of the data, entry by entry.
    pub fn predicted<S: Scalar>(self, schedule: &Schedule, s: S, x: S, denoised: S) -> S {
        let (a, b, da, db) = schedule.rates(s);
        let noise = (x - a * denoised) / b;
        match self {
            Self::Denoiser => denoised,
            Self::Noise => noise,
            Self::Score => -noise / b,
            Self::Velocity => da * denoised + db * noise,
        }
    }
}
