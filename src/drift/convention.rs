//! What the numbers of a trained network mean: its noise levels, its time, and what it predicts.

use super::{NoiseTable, Schedule};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use num_dual::Dual;
use std::path::Path;

/// Where a coefficient is not finite, a run begins or ends so far inside [0, 1].
const INSIDE: f64 = 1e-3;

/// Signal a(s) and noise b(s) in generating time s, 0 noise and 1 data.
#[derive(Clone, Debug)]
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
        let (a, b) = self.coefficients(Dual::new(s, S::from(1.0)));
        (a.re, b.re, a.eps, b.eps)
    }

    /// σ(s) = b/a.
    pub fn sigma(&self, s: f64) -> f64 {
        let (a, b) = self.coefficients(s);
        b / a
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
            return Err(Error::input("--sigma-data", problem, "0.5, or the deviation of the data"));
        }
        let all = Self::all(sigma_data);
        all.into_iter().find(|(known, _)| *known == name).map(|(_, found)| found).ok_or_else(|| {
            let shown: String = name.chars().take(40).collect();
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            Error::input(format!("--predicts {shown}"), "no such prediction", names.join(", "))
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
    /// As a formula of s.
    pub fn formula(self) -> String {
        match self {
            Self::Generating => "s".to_owned(),
            Self::Noise => "1 − s".to_owned(),
            Self::Index { last } => format!("{last}·(1 − s)"),
            Self::Sigma => "σ(s) = b/a".to_owned(),
            Self::LogSigma => "log σ(s)".to_owned(),
            Self::QuarterLogSigma => "(log σ(s))/4".to_owned(),
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
                return Err(Error::input(format!("--time {shown}"), "no such time", names));
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

/// Names of the presets.
pub const PRESETS: [&str; 10] = [
    "flow",
    "flow-reversed",
    "vp-linear",
    "vp-cosine",
    "ddpm:1000",
    "ve",
    "sub-vp",
    "edm",
    "trig",
    "table:FILE",
];

impl Convention {
    /// The preset of that name with a prediction, and another time than its own where one is given.
    ///
    /// Two numbers may follow the names of `vp-linear` and `sub-vp` (β_min, β_max: `vp-linear:0.1,20`), `ve` and `edm`
    /// (σ_min, σ_max).
    ///
    /// *Errors*: [`Error::Input`] for an unknown name or parameters out of range; [`Error::File`] for a table.
    pub fn preset(preset: &str, predicts: Prediction, time: Option<&str>) -> Result<Self> {
        let (levels, own, steps) = levels_of(preset)?;
        let own = match (predicts, own) {
            // F is trained with c_noise as its time.
            (Prediction::EdmF { .. }, TimeInput::Sigma) => TimeInput::QuarterLogSigma,
            _ => own,
        };
        let time = time.map_or(Ok(own), |name| TimeInput::named(name, (steps - 1) as f64))?;
        let name = format!("{preset}, {}", predicts.name());
        Ok(Self { name, levels, predicts, time })
    }

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
        let regular = |s: f64| {
            let w = self.weights(s);
            let all = [w.state, w.network, w.input, w.time];
            // Coefficients of 1/a at a = cos(π/2) are rounding.
            all.iter().all(|c| c.is_finite() && c.abs() < 1e8)
        };
        let from = if regular(0.0) { 0.0 } else { INSIDE };
        (from, if regular(1.0) { 1.0 } else { 1.0 - INSIDE })
    }

    /// The same read with its time reversed: what is noise is taken for data. None where the time is a noise level.
    pub fn reversed(&self) -> Option<Self> {
        let time = match self.time {
            TimeInput::Generating => TimeInput::Noise,
            TimeInput::Noise => TimeInput::Generating,
            _ => return None,
        };
        Some(Self { name: format!("{}, time reversed", self.name), time, ..self.clone() })
    }

    /// What it may have been mistaken for: other predictions of the preset, neighbouring presets, reversed time.
    pub fn rivals(&self, preset: &str, sigma_data: f64) -> Vec<Self> {
        let others =
            Prediction::all(sigma_data).into_iter().filter(|(_, other)| *other != self.predicts);
        let of_edm = matches!(preset.split(':').next(), Some("edm" | "ve"));
        let predictions = others
            .filter(|(name, _)| of_edm || !name.starts_with("edm"))
            .filter_map(|(_, other)| Self::preset(preset, other, None).ok());
        let neighbours: &[&str] = match preset.split(':').next().unwrap_or_default() {
            "flow" => &["flow-reversed", "trig"],
            "flow-reversed" => &["flow", "trig"],
            "trig" => &["flow", "flow-reversed"],
            "vp-linear" => &["vp-cosine", "sub-vp", "ddpm:1000", "flow-reversed"],
            "ddpm" => &["vp-linear", "vp-cosine"],
            "vp-cosine" => &["vp-linear", "sub-vp", "flow-reversed"],
            "sub-vp" => &["vp-linear", "vp-cosine"],
            "ve" => &["edm"],
            "edm" => &["ve"],
            _ => &["vp-linear", "vp-cosine", "flow"],
        };
        let near =
            neighbours.iter().filter_map(|name| Self::preset(name, self.predicts, None).ok());
        predictions.chain(near).chain(self.reversed()).collect()
    }
}

/// Noise levels, time and number of steps of a preset.
fn levels_of(preset: &str) -> Result<(NoiseLevels, TimeInput, usize)> {
    let shown: String = preset.chars().take(60).collect();
    let (name, rest) =
        preset.split_once(':').map_or((preset, None), |(name, rest)| (name, Some(rest)));
    let refuse = |problem: &str| {
        Error::input(format!("--preset {shown}"), problem.to_owned(), PRESETS.join(", "))
    };
    let two = |usual: (f64, f64)| -> Result<(f64, f64)> {
        let Some(rest) = rest else { return Ok(usual) };
        let numbers: Vec<f64> = rest.split(',').filter_map(|n| n.trim().parse().ok()).collect();
        match numbers[..] {
            [low, high] if rest.split(',').count() == 2 => Ok((low, high)),
            _ => Err(refuse("two numbers are expected after the colon, as in vp-linear:0.1,20")),
        }
    };
    let (schedule, time) = match name {
        "vp-linear" | "sub-vp" => {
            let (beta_min, beta_max) = two((0.1, 20.0))?;
            let linear = Schedule::VpLinear { beta_min, beta_max };
            let sub = Schedule::SubVp { beta_min, beta_max };
            (if name == "sub-vp" { sub } else { linear }, TimeInput::Noise)
        }
        "ve" => {
            let (sigma_min, sigma_max) = two((0.01, 50.0))?;
            (Schedule::Ve { sigma_min, sigma_max }, TimeInput::Sigma)
        }
        "edm" => {
            let (sigma_min, sigma_max) = two((0.002, 80.0))?;
            (Schedule::Edm { sigma_min, sigma_max, rho: 7 }, TimeInput::Sigma)
        }
        "ddpm" => {
            let steps = rest
                .unwrap_or("1000")
                .parse()
                .map_err(|_| refuse("ddpm:N needs a number of steps"))?;
            let table = NoiseLevels::Table(NoiseTable::ddpm(steps)?);
            return Ok((table, TimeInput::Index { last: (steps - 1) as f64 }, steps));
        }
        "table" => {
            let file = rest.ok_or_else(|| refuse("table:FILE needs a file"))?;
            return Ok((
                NoiseLevels::Table(NoiseTable::read(Path::new(file))?),
                TimeInput::Noise,
                1000,
            ));
        }
        _ if rest.is_some() => return Err(refuse("takes no parameters, or is no preset")),
        "flow" => (Schedule::FlowMatching, TimeInput::Generating),
        "flow-reversed" => (Schedule::FlowMatching, TimeInput::Noise),
        "vp-cosine" => (Schedule::VpCosine { offset: 0.008 }, TimeInput::Noise),
        "trig" => (Schedule::Trigonometric, TimeInput::Generating),
        _ => return Err(refuse("no such preset")),
    };
    schedule.validate()?;
    Ok((NoiseLevels::Formula(schedule), time, 1000))
}
