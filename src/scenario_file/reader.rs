//! Numbers and formulas of a file, with the names that they may use.

use super::format::{File, State};
use super::located::{At, Components, Value};
use super::source::Source;
use crate::error::{Error, Result};
use crate::formula::{Formula, Mistake, Names};
use std::ops::Range;

/// Most coordinates of a state: Jacobians are formed.
pub(super) const MOST_COORDINATES: u32 = 256;

/// Reads the values of one file.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The file.
    pub source: &'a Source,
    file: &'a File,
    /// The names of the coordinates, as they are printed; empty without a state.
    pub coordinates: Vec<String>,
    /// State, time and definitions.
    names: Names,
    /// Definitions alone: what is constant may use nothing else.
    constants: Names,
    /// The time of the formulas, where it has a name.
    pub time: Option<String>,
}

impl<'a> Reader<'a> {
    /// Declares the state, the time and the definitions.
    ///
    /// *Errors*: [`Error::Input`] with the place of a name that cannot be used, or of a mistake in a definition.
    pub fn new(source: &'a Source, file: &'a File, time: Option<&At<String>>) -> Result<Self> {
        let (mut names, mut constants) = (Names::default(), Names::default());
        let coordinates = declare(source, file, &mut names)?;
        if let Some(time) = time {
            let declared = names.number(&time.value);
            declared.map_err(|mistake| source.formula_error(time, mistake))?;
        }
        for table in [&mut names, &mut constants] {
            define(source, file, table)?;
        }
        let time = time.map(|time| time.value.clone());
        let reader = Self { source, file, coordinates, names, constants, time };
        let checked = reader.names.check();
        checked.map_err(|mistake| reader.mistake(&At::default(), mistake))?;
        Ok(reader)
    }

    /// A mistake in a formula of the file, or in a definition that it uses.
    fn mistake(&self, text: &At<String>, mistake: Mistake) -> Error {
        let of = |(key, _): &(&toml::Spanned<String>, &At<Value>)| {
            Some(key.get_ref().as_str()) == mistake.helper.as_deref()
        };
        match self.file.definitions.iter().find(of) {
            Some((_, At { value: Value::Formula(definition), span })) => {
                let definition = At { value: definition.clone(), span: span.clone() };
                self.source.formula_error(&definition, mistake)
            }
            _ => self.source.formula_error(text, mistake),
        }
    }

    /// Bad input at these bytes.
    pub fn refuse<T>(
        &self,
        span: &Range<usize>,
        problem: impl AsRef<str>,
        hint: impl Into<String>,
    ) -> Result<T> {
        Err(self.source.error(span, problem, hint))
    }

    /// What a part of the library refuses, said of the bytes that it was given.
    pub fn located<T>(&self, span: &Range<usize>, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error {
            Error::Input { what, problem, hint } => {
                self.source.error(span, format!("{what}: {problem}"), hint)
            }
            Error::File { path, problem, hint } => {
                self.source.error(span, format!("{}: {problem}", path.display()), hint)
            }
            other @ Error::Numeric { .. } => {
                self.source.error(span, other.to_string(), "other numbers")
            }
        })
    }

    /// A finite number.
    pub fn number(&self, value: &At<Value>) -> Result<f64> {
        let number = match &value.value {
            Value::Number(number) => *number,
            Value::Formula(text) => {
                let text = At { value: text.clone(), span: value.span.clone() };
                let of_constants = self.constants.formula(&text.value);
                let formula =
                    of_constants.map_err(|mistake| match self.names.formula(&text.value) {
                        // It would be a formula of the state.
                        Ok(_) => self.source.formula_error(
                            &text,
                            Mistake {
                                helper: None,
                                problem: format!("{}; expected a constant", mistake.problem),
                                hint: "numbers and names of [let] that do not depend on the state"
                                    .to_owned(),
                                ..mistake
                            },
                        ),
                        Err(_) => self.mistake(&text, mistake),
                    })?;
                if formula.dim() != 1 {
                    let problem = format!("a vector of {}; expected a number", formula.dim());
                    return self.refuse(&value.span, problem, "a component, as in v[0]");
                }
                formula.values::<f64>(&[])[0]
            }
        };
        if number.is_finite() {
            return Ok(number);
        }
        self.refuse(&value.span, format!("{number}; expected a finite number"), "a finite number")
    }

    /// A number greater than 0.
    pub fn positive(&self, value: &At<Value>) -> Result<f64> {
        let number = self.number(value)?;
        if number > 0.0 {
            return Ok(number);
        }
        self.refuse(&value.span, format!("{number}; expected more than 0"), "a positive number")
    }

    /// A number of at least 0.
    pub fn not_negative(&self, value: &At<Value>) -> Result<f64> {
        let number = self.number(value)?;
        if number >= 0.0 {
            return Ok(number);
        }
        self.refuse(&value.span, format!("{number}; expected 0 or more"), "0, or a positive number")
    }

    /// Several numbers.
    pub fn numbers(&self, values: &[At<Value>]) -> Result<Vec<f64>> {
        values.iter().map(|value| self.number(value)).collect()
    }

    /// A vector of the state space.
    pub fn vector(&self, values: &At<Vec<At<Value>>>, dim: usize) -> Result<Vec<f64>> {
        if values.value.len() != dim {
            let problem = format!("{} numbers; expected {dim}", values.value.len());
            return self.refuse(&values.span, problem, "one number for each coordinate");
        }
        self.numbers(&values.value)
    }

    /// A whole number from `least` on.
    pub fn count(&self, value: &At<u32>, least: u32, most: u32) -> Result<usize> {
        if (least..=most).contains(&value.value) {
            return Ok(value.value as usize);
        }
        let problem = format!("{}; expected {least} to {most}", value.value);
        self.refuse(&value.span, problem, "a whole number in this range")
    }

    /// A formula for each of `dim` coordinates.
    pub fn field(&self, components: &At<Components>, dim: usize) -> Result<Formula> {
        if let Components::Each(parts) = &components.value
            && parts.len() != dim
        {
            let problem = format!("{} formulas for {dim} coordinates", parts.len());
            let hint = format!("one formula each for {}", self.coordinates.join(", "));
            return self.refuse(&components.span, problem, hint);
        }
        let formula = self.formula(&self.names, components)?;
        if formula.dim() != dim {
            let problem = format!("{} components for {dim} coordinates", formula.dim());
            let hint = "a vector as long as the state, or a list of formulas";
            return self.refuse(&components.span, problem, hint);
        }
        Ok(formula)
    }

    /// A formula of variables of its own, and of definitions that use nothing else.
    pub fn formula_of(
        &self,
        variables: &[At<String>],
        components: &At<Components>,
    ) -> Result<Formula> {
        let mut names = Names::default();
        for name in variables {
            let declared = names.number(&name.value);
            declared
                .map_err(|mistake| self.source.error(&name.span, mistake.problem, mistake.hint))?;
        }
        define(self.source, self.file, &mut names)?;
        self.formula(&names, components)
    }

    /// A formula of the state alone, with as many components as it has.
    pub fn formula_of_state(&self, components: &At<Components>) -> Result<Formula> {
        let mut names = Names::default();
        declare(self.source, self.file, &mut names)?;
        define(self.source, self.file, &mut names)?;
        self.formula(&names, components)
    }

    /// A formula over a table of names.
    fn formula(&self, names: &Names, components: &At<Components>) -> Result<Formula> {
        match &components.value {
            Components::Whole(text) => {
                let text = At { value: text.clone(), span: components.span.clone() };
                names.formula(&text.value).map_err(|mistake| self.mistake(&text, mistake))
            }
            Components::Each(parts) => {
                let texts: Vec<String> = parts
                    .iter()
                    .map(|part| match &part.value {
                        Value::Number(number) => self.number(part).map(|_| format!("{number:?}")),
                        Value::Formula(text) => Ok(text.clone()),
                    })
                    .collect::<Result<_>>()?;
                let each: Vec<&str> = texts.iter().map(String::as_str).collect();
                names.field(&each).map_err(|(at, mistake)| {
                    let text = At { value: texts[at].clone(), span: parts[at].span.clone() };
                    self.mistake(&text, mistake)
                })
            }
        }
    }
}

/// Puts the definitions of a file into a table.
fn define(source: &Source, file: &File, table: &mut Names) -> Result<()> {
    for (key, value) in &file.definitions {
        let done = match &value.value {
            Value::Number(number) => table.constant(key.get_ref(), *number),
            Value::Formula(text) => table.helper(key.get_ref(), text),
        };
        done.map_err(|mistake| match &value.value {
            // A mistake in the text names its helper; one in the name does not.
            Value::Formula(text) if mistake.helper.is_some() => {
                let text = At { value: text.clone(), span: value.span.clone() };
                source.formula_error(&text, mistake)
            }
            Value::Number(number) if !number.is_finite() => {
                source.error(&value.span, mistake.problem, mistake.hint)
            }
            _ => source.error(&key.span(), mistake.problem, mistake.hint),
        })?;
    }
    Ok(())
}

/// Puts the coordinates of the state into a table; what they are called.
fn declare(source: &Source, file: &File, names: &mut Names) -> Result<Vec<String>> {
    let declared = |text: &At<String>, done: std::result::Result<(), Mistake>| {
        done.map_err(|mistake| source.formula_error(text, mistake))
    };
    let mut coordinates = Vec::new();
    match file.state.as_ref().map(|state| (&state.value, &state.span)) {
        Some((State::Names(all), span)) => {
            if all.is_empty() {
                let problem = "the state has no coordinates";
                return Err(source.error(span, problem, "names = [\"x\", \"y\"]"));
            }
            for name in all {
                declared(name, names.number(&name.value))?;
                coordinates.push(name.value.clone());
            }
        }
        Some((State::Vector { name, size }, _)) => {
            if !(1..=MOST_COORDINATES).contains(&size.value) {
                let problem = format!("a state of {} coordinates", size.value);
                let hint = format!("1 to {MOST_COORDINATES}");
                return Err(source.error(&size.span, problem, hint));
            }
            declared(name, names.vector(&name.value, size.value as usize))?;
            coordinates = (0..size.value).map(|i| format!("{}[{i}]", name.value)).collect();
        }
        None => {}
    }
    Ok(coordinates)
}
