//! What the numbers of a trained network mean: its noise levels, its time, and what it predicts.

use super::schedule::{rates, time_at_sigma};
use super::{NoiseTable, Schedule};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Where a coefficient is not finite, a run begins or ends so far inside [0, 1].
const INSIDE: f64 = 1e-3;

/// Signal a(s) and noise b(s) in generating time s, 0 noise and 1 data.
#[derive(Clone, Debug, PartialEq)]
pub enum NoiseLevels {
    /// By a formula.
    Formula(Schedule),
    /// By numbers at some times.
    Table(NoiseTable),
}

impl NoiseLevels {
    /// (a(s), b(s)).
    pub fn coefficients<S: Scalar>(&self, s: S) -> (S, S) {
        match self {
            Self::Formula(schedule) => schedule.coefficients(s),
            Self::Table(table) => table.coefficients(s),
        }
    }

    /// (a, b, a', b') at s.
    pub fn rates<S: Scalar>(&self, s: S) -> (S, S, S, S) {
        rates(s, |s| self.coefficients(s))
    }

    /// σ(s) = b/a.
    pub fn sigma(&self, s: f64) -> f64 {
        let (a, b) = self.coefficients(s);
        b / a
    }

    /// The time within a span at which σ has this value; the nearer end where it is never reached.
    pub fn time_at_sigma(&self, sigma: f64, span: (f64, f64)) -> f64 {
        time_at_sigma(sigma, span, |s| self.sigma(s))
    }
}

/// What a network predicts at x = a X + b ξ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prediction {
    /// dx/dt of the path, t the network's own time: generating time s where it is given that, else 1 − s.
    Velocity,
    /// ∇ log p(x).
    Score,
    /// ε = E[ξ|x].
    Noise,
    /// x0 = E[X|x].
    Data,
    /// v = a ε − b x0.
    V,
    /// D(x/a; σ) = E[X|x], with the state in units of the data (Karras et al. 2022).
    EdmDenoiser,
    /// F in D = c_skip y + c_out F(c_in y), y = x/a, for data of this deviation (Karras et al. 2022, Table 1).
    EdmF {
        /// σ_data.
        sigma_data: f64,
    },
}

impl Prediction {
    /// All, by the names under which they are asked for.
    pub fn all(sigma_data: f64) -> [(&'static str, Self); 7] {
        [
            ("velocity", Self::Velocity),
            ("score", Self::Score),
            ("eps", Self::Noise),
            ("x0", Self::Data),
            ("v", Self::V),
            ("edm-denoiser", Self::EdmDenoiser),
            ("edm-f", Self::EdmF { sigma_data }),
        ]
    }

    /// The prediction of that name.
    ///
    /// *Errors*: [`Error::Input`] with the names that there are, and for σ_data that is not positive.
    pub fn named(name: &str, sigma_data: f64) -> Result<Self> {
        if !(sigma_data > 0.0 && sigma_data.is_finite()) {
            let problem = format!("{sigma_data} is not a positive number");
            return Err(Error::input("sigma_data", problem, "0.5, or the deviation of the data"));
        }
        let all = Self::all(sigma_data);
        all.into_iter().find(|(known, _)| *known == name).map(|(_, found)| found).ok_or_else(|| {
            let shown: String = name.chars().take(40).collect();
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            Error::input(
                format!("prediction {shown:?}"),
                "there is none of this name",
                names.join(", "),
            )
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let same = |other: Self| std::mem::discriminant(&other) == std::mem::discriminant(&self);
        Self::all(1.0).into_iter().find(|(_, other)| same(*other)).expect("all are listed").0
    }
}

/// What a network is given as its time, as a function of s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeInput {
    /// s: 0 noise, 1 data.
    Generating,
    /// 1 − s: 0 data, 1 noise.
    Noise,
    /// (N − 1)(1 − s): the index in a chain of N steps, 0 data.
    Index {
        /// N − 1.
        last: f64,
    },
    /// σ = b/a.
    Sigma,
    /// log σ.
    LogSigma,
    /// (log σ)/4: c_noise of Karras et al.
    QuarterLogSigma,
}

impl TimeInput {
    /// As a formula of s and of the levels a, b.
    pub fn formula(self) -> String {
        match self {
            Self::Generating => "s".to_owned(),
            Self::Noise => "1 - s".to_owned(),
            Self::Index { last } => format!("{last}*(1 - s)"),
            Self::Sigma => "b/a".to_owned(),
            Self::LogSigma => "log(b/a)".to_owned(),
            Self::QuarterLogSigma => "log(b/a)/4".to_owned(),
        }
    }

    /// By name, for a chain of `last` + 1 steps where it is an index.
    ///
    /// *Errors*: [`Error::Input`] with the names that there are.
    pub fn named(name: &str, last: f64) -> Result<Self> {
        Ok(match name {
            "s" => Self::Generating,
            "1-s" => Self::Noise,
            "index" => Self::Index { last },
            "sigma" => Self::Sigma,
            "log-sigma" => Self::LogSigma,
            "log-sigma/4" => Self::QuarterLogSigma,
            other => {
                let shown: String = other.chars().take(40).collect();
                let names = "s, 1-s, index, sigma, log-sigma, log-sigma/4";
                let problem = "no network is given this";
                return Err(Error::input(format!("time {shown:?}"), problem, names));
            }
        })
    }
}

/// How the velocity of the flow is made of a network N: v(s, x) = state·x + network·N(input·x, time).
#[derive(Clone, Copy, Debug)]
pub struct Weights<S> {
    /// Factor of the state.
    pub state: S,
    /// Factor of the network's value.
    pub network: S,
    /// Factor of the state that the network is given.
    pub input: S,
    /// The time that the network is given.
    pub time: S,
}

/// The convention under which a network was trained.
#[derive(Clone, Debug)]
pub struct Convention {
    /// As it was asked for, with its prediction.
    pub name: String,
    /// The noise levels.
    pub levels: NoiseLevels,
    /// What the network predicts.
    pub predicts: Prediction,
    /// Its time.
    pub time: TimeInput,
}

impl Convention {
    /// The coefficients at s.
    pub fn weights<S: Scalar>(&self, s: S) -> Weights<S> {
        let (a, b, da, db) = self.levels.rates(s);
        let one = S::from(1.0);
        // W = a b' − a' b = a² σ', negative.
        let w = a * db - da * b;
        let (state, network, input) = match self.predicts {
            Prediction::Velocity => {
                let along = if self.time == TimeInput::Generating { 1.0 } else { -1.0 };
                (S::from(0.0), S::from(along), one)
            }
            Prediction::Noise => (da / a, w / a, one),
            Prediction::Score => (da / a, -b * w / a, one),
            Prediction::Data => (db / b, -w / b, one),
            Prediction::V => {
                let square = a * a + b * b;
                ((a * da + b * db) / square, w / square, one)
            }
            Prediction::EdmDenoiser => (db / b, -w / b, a.recip()),
            Prediction::EdmF { sigma_data } => {
                let (sigma, slope) = (b / a, w / (a * a));
                let total = sigma * sigma + sigma_data * sigma_data;
                let root = total.sqrt();
                (da / a + slope * sigma / total, -a * slope * sigma_data / root, (a * root).recip())
            }
        };
        let time = match self.time {
            TimeInput::Generating => s,
            TimeInput::Noise => one - s,
            TimeInput::Index { last } => (one - s) * last,
            TimeInput::Sigma => b / a,
            TimeInput::LogSigma => (b / a).ln(),
            TimeInput::QuarterLogSigma => (b / a).ln() * 0.25,
        };
        Weights { state, network, input, time }
    }

    /// [`Convention::weights`] as a formula of N, the levels a, b, and W = a b' − a' b.
    pub fn velocity(&self) -> String {
        let time = self.time.formula();
        match self.predicts {
            Prediction::Velocity if self.time == TimeInput::Generating => format!("N(x, {time})"),
            Prediction::Velocity => format!("-N(x, {time})"),
            Prediction::Noise => format!("a'/a*x + W/a*N(x, {time})"),
            Prediction::Score => format!("a'/a*x - b*W/a*N(x, {time})"),
            Prediction::Data => format!("b'/b*x - W/b*N(x, {time})"),
            Prediction::V => format!("((a*a' + b*b')*x + W*N(x, {time}))/(a^2 + b^2)"),
            Prediction::EdmDenoiser => format!("b'/b*x - W/b*N(x/a, {time})"),
            Prediction::EdmF { sigma_data: c } => format!(
                "b'/b*x - W/b*({c}^2/q^2*x/a + b/a*{c}/q*N(x/(a*q), {time})), q = sqrt({c}^2 + b^2/a^2)"
            ),
        }
    }

    /// (c_x, c_v) with E[X|x] = c_x x + c_v v for the velocity v of the path: the prediction of the data behind any other.
    pub fn denoiser_weights(&self, s: f64) -> (f64, f64) {
        let (a, b, da, db) = self.levels.rates(s);
        let w = a * db - da * b;
        (db / w, -b / w)
    }

    /// (c_x, c_v) with ∇ log p(x) = c_x x + c_v v.
    pub fn score_weights(&self, s: f64) -> (f64, f64) {
        // E[ξ|x] = (a v − a' x)/W, and the score is −E[ξ|x]/b.
        let (a, b, da, db) = self.levels.rates(s);
        let w = a * db - da * b;
        (da / (b * w), -a / (b * w))
    }

    /// The largest part of [0, 1] at whose ends every coefficient is finite; 1e-3 is left out at an end where one is not.
    pub fn span(&self) -> (f64, f64) {
        let from = if self.is_regular(0.0) { 0.0 } else { INSIDE };
        (from, if self.is_regular(1.0) { 1.0 } else { 1.0 - INSIDE })
    }

    /// Whether every coefficient is finite at s.
    pub fn is_regular(&self, s: f64) -> bool {
        let w = self.weights(s);
        let all = [w.state, w.network, w.input, w.time];
        // Coefficients of 1/a at a = cos(π/2) are rounding.
        all.iter().all(|c| c.is_finite() && c.abs() < 1e8)
    }
}
