//! Formulas of a chart as text, as files and records hold them.

use crate::error::{Error, Result};
use crate::formula::{Formula, LINE, Mistake, Names};
use serde::{Deserialize, Serialize};

/// Formulas of named variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Written {
    /// Names and texts of parts of the formulas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    helpers: Vec<(String, String)>,
    formulas: Vec<String>,
}

impl Written {
    /// The text of a formula.
    pub fn of(formula: &Formula) -> Self {
        let printed = formula.print(LINE);
        Self { helpers: printed.helpers, formulas: printed.components }
    }

    /// The formula of these variables, a vector's being x[0], x[1], …; `what` is told in errors.
    ///
    /// *Errors*: [`Error::Input`] for a text that is no formula of them.
    pub fn parse<'a>(
        &self,
        what: &str,
        variables: impl Iterator<Item = &'a str>,
    ) -> Result<Formula> {
        let bad = |mistake: Mistake| {
            Error::input(what, mistake.problem, "formulas of the variables beside them")
        };
        let names = self.names(&variables.collect::<Vec<_>>()).map_err(bad)?;
        let texts: Vec<&str> = self.formulas.iter().map(String::as_str).collect();
        names.field(&texts).map_err(|(_, mistake)| bad(mistake))
    }

    fn names(&self, variables: &[&str]) -> std::result::Result<Names, Mistake> {
        let mut names = Names::default();
        match variables.first().and_then(|name| name.strip_suffix("[0]")) {
            Some(vector) => names.vector(vector, variables.len())?,
            None => variables.iter().try_for_each(|name| names.number(name))?,
        }
        self.helpers.iter().try_for_each(|(name, text)| names.helper(name, text))?;
        Ok(names)
    }
}

/// Refuses a range that is not finite, or empty.
pub(super) fn check_range(what: &str, name: &str, from: f64, to: f64) -> Result<()> {
    if from.is_finite() && to.is_finite() && from < to {
        return Ok(());
    }
    let problem = format!("{name} ranges from {from} to {to}");
    Err(Error::input(what, problem, "a finite range whose end is above its start"))
}
