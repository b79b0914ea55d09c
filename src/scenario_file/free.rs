//! Constants of a file that a search may move, and the file with other values of them.

use super::format::{File, Scale};
use super::located::Value;
use super::reader::Reader;
use super::source::Source;
use crate::error::{Error, Result};
use crate::formula::closest;
use std::fmt;
use toml_edit::visit_mut::{VisitMut, visit_table_like_kv_mut};
use toml_edit::{ArrayOfTables, DocumentMut, Item, KeyMut, Table};

/// Values nearer than this share of their range are one.
const SAME: f64 = 1e-9;

/// A constant that a search may move; where it stands in its range is a number from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Free {
    /// Its name in `let`.
    pub name: String,
    /// Its value there.
    pub stated: f64,
    /// Its least value.
    pub low: f64,
    /// Its largest value.
    pub high: f64,
    /// Whether values are spread evenly in the logarithm.
    pub log: bool,
}

impl fmt::Display for Free {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, stated, low, high, log } = self;
        let spread = if *log { ", evenly in the logarithm" } else { "" };
        write!(f, "{name} from {low} to {high}{spread}; here {stated}")
    }
}

/// The free constants of a file, in the order of their names.
pub(super) fn read(reader: &Reader<'_>, file: &File) -> Result<Vec<Free>> {
    let one = |(key, range): (&toml::Spanned<String>, &super::located::At<_>)| {
        let super::format::FreeRange { low, high, scale } = &range.value;
        let name = key.get_ref();
        let Some(definition) =
            file.definitions.iter().find(|(other, _)| other.get_ref() == name).map(|found| found.1)
        else {
            let names = || file.definitions.keys().map(|key| key.get_ref().as_str());
            let near = closest(name, names()).unwrap_or(format!("add {name} = … to [let]"));
            let problem = format!("`{name}` is free, but [let] gives it no value");
            return reader.refuse(&key.span(), problem, near);
        };
        let stated = reader.number(definition)?;
        let (least, most) = (reader.number(low)?, reader.number(high)?);
        if least >= most {
            let problem = format!("a range from {least} to {most}");
            return reader.refuse(&high.span, problem, "high above low");
        }
        let log = scale.as_ref().is_some_and(|scale| scale.value == Scale::Log);
        if log && least <= 0.0 {
            let problem = format!("a range from {least} has no logarithm");
            return reader.refuse(&low.span, problem, "low above 0, or scale = \"linear\"");
        }
        if !(least..=most).contains(&stated) {
            let problem =
                format!("[let] gives {name} = {stated}, out of its range {least} to {most}");
            return reader.refuse(&range.span, problem, "a range that holds it");
        }
        Ok(Free { name: name.clone(), stated, low: least, high: most, log })
    };
    file.free.iter().map(one).collect()
}

impl Free {
    /// The value at that place of the range: the stated one if it is that, else rounded to a billionth of the range.
    pub fn value(&self, knob: f64) -> f64 {
        let Self { low, high, stated, .. } = *self;
        let value = match self.log {
            true => (low.ln() + knob * (high / low).ln()).exp(),
            false => low + knob * (high - low),
        };
        if (knob - self.knob(stated)).abs() < SAME {
            return stated;
        }
        let size = if self.log { value } else { high - low };
        let decimals = 9 - size.log10().floor() as i32;
        rounded(value, decimals).clamp(low, high)
    }

    /// Where a value stands in the range.
    pub fn knob(&self, value: f64) -> f64 {
        match self.log {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    /// Plainer values than that at a place, by their places: the stated one, then those of few digits.
    pub fn plainer(&self, knob: f64) -> Vec<f64> {
        let value = self.value(knob);
        let first = if value == 0.0 { 0 } else { -value.abs().log10().floor() as i32 };
        let digits = (first..first + 4).map(|decimals| rounded(value, decimals));
        let all = [self.stated, 0.0, 1.0].into_iter().chain(digits);
        let mut plain: Vec<f64> = Vec::new();
        for other in all.take_while(|other| *other != value) {
            if (self.low..=self.high).contains(&other) && !plain.contains(&other) {
                plain.push(other);
            }
        }
        plain.into_iter().map(|other| self.knob(other)).collect()
    }
}

/// To so many decimals, which may be negative.
fn rounded(value: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals.abs());
    if decimals < 0 { (value / unit).round() * unit } else { (value * unit).round() / unit }
}

impl File {
    /// The same file with these values of its constants.
    pub fn with(&self, free: &[Free], values: &[f64]) -> Self {
        let mut file = self.clone();
        for (key, definition) in &mut file.definitions {
            let found = free.iter().zip(values).find(|(free, _)| free.name == *key.get_ref());
            if let Some((_, value)) = found {
                definition.value = Value::Number(*value);
            }
        }
        file
    }
}

/// Makes the paths of data files whole.
struct WholePaths<'a> {
    source: &'a Source,
    error: Option<std::io::Error>,
}

impl VisitMut for WholePaths<'_> {
    fn visit_table_like_kv_mut(&mut self, key: KeyMut<'_>, node: &mut Item) {
        let keys = match key.get() {
            "samples" => &["file"][..],
            "network" => &["file", "preset"],
            _ => &[],
        };
        for key in keys {
            // Item::get_mut would insert what it does not find.
            let Some(item) = node.as_table_like_mut().and_then(|table| table.get_mut(key)) else {
                continue;
            };
            // A preset is a file where it says so.
            let (kind, name) = match item.as_str() {
                Some(name) if *key == "file" => ("", name),
                Some(name) => match name.strip_prefix("table:") {
                    Some(name) => ("table:", name),
                    None => continue,
                },
                None => continue,
            };
            match std::path::absolute(self.source.beside(name)) {
                Ok(whole) => *item = toml_edit::value(format!("{kind}{}", whole.display())),
                Err(error) => self.error = Some(error),
            }
        }
        visit_table_like_kv_mut(self, key, node);
    }
}

impl Source {
    /// Its text with these values of its constants, and one expectation in place of all: the keys of a check.
    ///
    /// Comments and formulas stay as they are. Relative paths become whole ones, so that the file may lie elsewhere.
    ///
    /// *Errors*: [`Error::File`] for text that is no TOML.
    pub fn with(
        &self,
        free: &[Free],
        values: &[f64],
        check: &[(&str, toml_edit::Value)],
    ) -> Result<String> {
        let unreadable = |problem: String| Error::file(&self.path, problem, "a scenario file");
        let mut text: DocumentMut =
            self.text.parse().map_err(|error| unreadable(format!("no TOML ({error})")))?;
        for (free, value) in free.iter().zip(values) {
            if free.stated != *value
                && let Some(stated) = text["let"][&free.name].as_value_mut()
            {
                let decor = stated.decor().clone();
                *stated = (*value).into();
                *stated.decor_mut() = decor;
            }
        }
        let mut paths = WholePaths { source: self, error: None };
        paths.visit_document_mut(&mut text);
        if let Some(error) = paths.error {
            return Err(unreadable(format!("its folder has no name ({error})")));
        }
        let mut table = Table::new();
        for (key, value) in check {
            table[key] = Item::Value(value.clone());
        }
        table.decor_mut().set_prefix("\n");
        text.remove("checks");
        text["checks"] = Item::ArrayOfTables(ArrayOfTables::from_iter([table]));
        Ok(text.to_string())
    }
}
