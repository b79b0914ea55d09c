//! Trained networks of a file.

use super::format::Model;
use super::located::{At, Value};
use super::reader::{MOST_COORDINATES, Reader};
use crate::drift::{Convention, Drift, Prediction, TimeInput, Trained};
use crate::error::Result;
use crate::network::{Field, Network, Opened};

/// A network under its convention, with what there is to say of it.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    /// The velocity in generating time.
    pub trained: Trained<Field>,
    /// The file of the network, and its inputs in order.
    pub about: String,
    /// The preset of its convention, a table by its whole path.
    pub preset: String,
    /// σ_data, of a convention that uses it.
    pub sigma_data: f64,
    /// Where the network is not twice differentiable, an operator each.
    pub kinks: Vec<String>,
}

impl TrainedModel {
    /// The network of a file; None where the model is none.
    pub(super) fn read(reader: &Reader<'_>, model: &Model) -> Result<Option<Self>> {
        let Model::Network { file, preset, predicts, sigma_data, time, state, time_input, .. } =
            model
        else {
            return Ok(None);
        };
        let (predicts, sigma_data) = prediction(reader, predicts, sigma_data.as_ref())?;
        if let Some(time) = time {
            reader.located(&time.span, TimeInput::named(&time.value, 1.0))?;
        }
        let time = time.as_ref().map(|time| time.value.as_str());
        let whole = reader.source.beside_preset(&preset.value);
        let convention = Convention::preset(&whole, predicts, time);
        let convention = reader.located(&preset.span, convention)?;
        let name = |input: &Option<At<String>>| input.as_ref().map(|name| name.value.clone());
        let (state, time) = (name(state), name(time_input));
        let path = reader.source.beside(&file.value);
        let opened = Network::open(&path, state.as_deref(), time.as_deref());
        let Opened { field, about, kinks } = reader.located(&file.span, opened)?;
        let dim = field.dim();
        if dim > MOST_COORDINATES as usize {
            let problem =
                format!("a network of {dim} numbers; expected at most {MOST_COORDINATES}");
            let hint = "`driftproof model`, which finds the leading part of its spectrum";
            return reader.refuse(&file.span, problem, hint);
        }
        if !reader.coordinates.is_empty() && reader.coordinates.len() != dim {
            let found = reader.coordinates.len();
            let problem = format!("a network of {dim} numbers; the state has {found}");
            return reader.refuse(&file.span, problem, "a state of as many coordinates");
        }
        let trained = Trained { network: field, convention };
        Ok(Some(Self { trained, about, preset: whole, sigma_data, kinks }))
    }

    /// Refuses a time at which the velocity or the levels are not finite numbers.
    pub(super) fn check_time(&self, reader: &Reader<'_>, time: &At<Value>) -> Result<f64> {
        let (s, convention) = (reader.number(time)?, &self.trained.convention);
        let (first, last) = convention.span();
        let hint = format!("a time from {first} to {last}");
        if !(0.0..=1.0).contains(&s) {
            let problem = format!("{s}; expected a generating time, 0 for noise and 1 for data");
            return reader.refuse(&time.span, problem, hint);
        }
        if !convention.is_regular(s) {
            let problem = format!("at {s} the coefficients of this convention are not finite");
            return reader.refuse(&time.span, problem, hint);
        }
        Ok(s)
    }

    /// Dimension D of the state.
    pub fn dim(&self) -> usize {
        self.trained.dim()
    }
}

/// What the network predicts, and σ_data, which is stated where it is used, and nowhere else.
fn prediction(
    reader: &Reader<'_>,
    predicts: &At<String>,
    sigma_data: Option<&At<Value>>,
) -> Result<(Prediction, f64)> {
    let used = predicts.value == "edm-f";
    let own = match sigma_data {
        Some(value) if !used => {
            let problem = "only predicts = \"edm-f\" uses it";
            return reader.refuse(&value.span, problem, "delete it");
        }
        None if used => {
            let problem = "edm-f is scaled by the deviation of the data";
            return reader.refuse(&predicts.span, problem, "add sigma_data = 0.5, as in training");
        }
        Some(value) => reader.positive(value)?,
        // Of rivals that do.
        None => 0.5,
    };
    Ok((reader.located(&predicts.span, Prediction::named(&predicts.value, own))?, own))
}
