//! The field of a file: which input is the state, which the time, and what there is to say of them.

use super::{Batch, Field, Network, Port};
use crate::error::{Error, Result};
use std::path::Path;

/// The field of a file, with what its file says of it.
#[derive(Clone, Debug)]
pub struct Opened {
    /// out = N(x, t).
    pub field: Field,
    /// The file, its inputs in order, which of them are state and time, and what became of a batch.
    pub about: String,
    /// Where it is not twice differentiable, an operator each.
    pub kinks: Vec<String>,
}

impl Network {
    /// Reads a file, and its field of the inputs that have these names or can be nothing else.
    ///
    /// *Errors*: as [`Network::read`] and [`Network::field`]; [`Error::File`] where state or time cannot be told.
    pub fn open(path: &Path, state: Option<&str>, time: Option<&str>) -> Result<Opened> {
        let network = Self::read(path)?;
        let (state, time) = network.ports(state, time)?;
        let field = network.field(&state, time.as_deref())?;
        let mut about = format!(
            "`{}`, inputs {}; state `{state}` of {} numbers, time {}, {} multiply-adds a state",
            path.file_name().unwrap_or_default().to_string_lossy(),
            network.inputs_in_words(),
            field.dim(),
            time.as_ref().map_or("none".to_owned(), |name| format!("`{name}`")),
            field.multiply_adds(),
        );
        about += &match field.batch() {
            Batch::Free => String::new(),
            Batch::Rewritten(n) => format!("; exported for {n} states and rewritten for one"),
            Batch::Repeated(n) => {
                format!("; works for {n} states only: each is run {n} times over")
            }
        };
        Ok(Opened { field, about, kinks: network.kinks_in_words() })
    }

    /// The inputs that are state and time: the time has one number a state.
    fn ports(&self, state: Option<&str>, time: Option<&str>) -> Result<(String, Option<String>)> {
        let only = |what: &str, found: Vec<&Port>| match found[..] {
            [one] => Ok(one.name.clone()),
            _ => {
                let inputs = self.inputs_in_words();
                let problem = format!("inputs {inputs}: which is the {what} cannot be told");
                let hint = "the names of both: --state and --time-input, in a scenario file \
                            state and time_input";
                Err(Error::file(&self.path, problem, hint))
            }
        };
        let inputs = self.inputs();
        let time = match time {
            Some(name) => Some(name.to_owned()),
            None if inputs.len() < 2 => None,
            None => {
                let single = |port: &&Port| port.shape.iter().skip(1).all(|n| *n == Some(1));
                let others = inputs.iter().filter(|port| Some(port.name.as_str()) != state);
                Some(only("time", others.filter(single).collect())?)
            }
        };
        let state = match state {
            Some(name) => name.to_owned(),
            None => {
                only("state", inputs.iter().filter(|p| Some(&p.name) != time.as_ref()).collect())?
            }
        };
        Ok((state, time))
    }

    /// The inputs with their shapes, in the order of the file.
    fn inputs_in_words(&self) -> String {
        let axis = |n: &Option<usize>| n.map_or("free".to_owned(), |n| n.to_string());
        let one = |port: &Port| {
            let axes: Vec<String> = port.shape.iter().map(axis).collect();
            format!("`{}` [{}]", port.name, axes.join(", "))
        };
        self.inputs().iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// [`Network::kinks`], the nodes of one operator together.
    fn kinks_in_words(&self) -> Vec<String> {
        let mut counted: Vec<(String, &str, usize)> = Vec::new();
        for kink in self.kinks() {
            match counted.iter_mut().find(|(operator, ..)| *operator == kink.operator) {
                Some((.., count)) => *count += 1,
                None => counted.push((kink.operator, kink.meaning, 1)),
            }
        }
        let one = |(operator, meaning, count): (String, &str, usize)| {
            format!("{operator} at {count} node{}: {meaning}", if count == 1 { "" } else { "s" })
        };
        counted.into_iter().map(one).collect()
    }
}
