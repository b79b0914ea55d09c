//! Trained networks of a file.

use super::format::Model;
use super::located::{At, Value};
use super::reader::{MOST_COORDINATES, Reader};
use crate::drift::{Convention, Drift, Prediction, Trained};
use crate::error::Result;
use crate::network::{Field, Network, Opened};

/// A network under its convention, with what there is to say of it.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    /// The velocity in generating time.
    pub trained: Trained<Field>,
    /// The file of the network, and its inputs in order.
    pub about: String,
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
        let predicts = prediction(reader, predicts, sigma_data.as_ref())?;
        let time = time.as_ref().map(|time| time.value.as_str());
        let convention =
            Convention::preset(&reader.source.beside_preset(&preset.value), predicts, time);
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
        Ok(Some(Self { trained: Trained { network: field, convention }, about, kinks }))
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

/// What the network predicts; σ_data is stated where it is used, and nowhere else.
fn prediction(
    reader: &Reader<'_>,
    predicts: &At<String>,
    sigma_data: Option<&At<Value>>,
) -> Result<Prediction> {
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
        None => 1.0,
    };
    reader.located(&predicts.span, Prediction::named(&predicts.value, own))
}
