//! Conventions by name, and what each may be mistaken for.

use super::{Convention, NoiseLevels, NoiseTable, Prediction, Schedule, TimeInput};
use crate::error::{Error, Result};
use std::path::Path;

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
        let own = usual_time(predicts, own);
        let time = time.map_or(Ok(own), |name| TimeInput::named(name, (steps - 1) as f64))?;
        let name = format!("{preset}, {}", predicts.name());
        Ok(Self { name, levels, predicts, time })
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
        let predictions =
            others.filter(|(name, _)| of_edm || !name.starts_with("edm")).map(|(_, other)| Self {
                name: format!("{preset}, {}", other.name()),
                predicts: other,
                time: usual_time(other, self.time),
                levels: self.levels.clone(),
            });
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
        let mut rivals: Vec<Self> = Vec::new();
        for rival in predictions.chain(near).chain(self.reversed()) {
            // A neighbour may be the preset with its time reversed, or what was declared.
            if !rivals.iter().chain([self]).any(|known| known.says_the_same(&rival)) {
                rivals.push(rival);
            }
        }
        rivals
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (self.predicts, self.time) == (other.predicts, other.time) && self.levels == other.levels
    }
}

/// The time that goes with a prediction where noise levels are given as σ: F is trained with c_noise.
fn usual_time(predicts: Prediction, time: TimeInput) -> TimeInput {
    match (predicts, time) {
        (Prediction::EdmF { .. }, TimeInput::Sigma) => TimeInput::QuarterLogSigma,
        (Prediction::EdmF { .. }, other) => other,
        (_, TimeInput::QuarterLogSigma) => TimeInput::Sigma,
        (_, other) => other,
    }
}

/// Noise levels, time and number of steps of a preset.
fn levels_of(preset: &str) -> Result<(NoiseLevels, TimeInput, usize)> {
    let shown: String = preset.chars().take(60).collect();
    let (name, rest) =
        preset.split_once(':').map_or((preset, None), |(name, rest)| (name, Some(rest)));
    let refuse = |problem: &str| {
        Error::input(format!("preset {shown:?}"), problem.to_owned(), PRESETS.join(", "))
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
        _ if rest.is_some() => return Err(refuse("it takes no parameters, or is no preset")),
        "flow" => (Schedule::FlowMatching, TimeInput::Generating),
        "flow-reversed" => (Schedule::FlowMatching, TimeInput::Noise),
        "vp-cosine" => (Schedule::VpCosine { offset: 0.008 }, TimeInput::Noise),
        "trig" => (Schedule::Trigonometric, TimeInput::Generating),
        _ => return Err(refuse("there is none of this name")),
    };
    schedule.validate()?;
    Ok((NoiseLevels::Formula(schedule), time, 1000))
}
