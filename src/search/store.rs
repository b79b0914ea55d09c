//! A counterexample as a file that a person reads and the program replays.

use super::confirm::Confirmation;
use super::{Point, Target, Worlds};
use crate::claims;
use crate::error::{Error, Result};
use crate::observe::observe;
use crate::random::Knobs;
use crate::record::write_file;
use crate::verdict::{Judgement, Verdict};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A world in which a wording of a claim fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// The claim.
    pub claim: String,
    /// The wrong wording that fails here; the claim as stated where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    /// Where each parameter of the world stands in its range, the plainest at 0; all further ones are 0.
    pub knobs: Vec<f64>,
    /// How it was found.
    pub found: Found,
    /// The conclusion that fails by most.
    pub fails: Failure,
    /// What a closer look said.
    pub confirmed: Confirmation,
    /// The parameters of the world, to be read: `knobs` decide.
    pub world: toml::Table,
}

/// How a counterexample was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Version of this crate.
    pub driftproof: String,
    /// Seed of the search.
    pub seed: u64,
    /// How many worlds it had seen.
    pub worlds: usize,
}

/// A conclusion that fails: its two sides where they are numbers, slack and bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What is compared.
    pub conclusion: String,
    /// Left and right side of an inequality, measured and predicted of an equality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<[f64; 2]>,
    /// Below 0, relative to the larger side.
    pub slack: f64,
    /// Error bar of the slack.
    pub bar: f64,
}

impl Failure {
    /// The one that fails by most.
    pub(super) fn worst<T>(all: impl Iterator<Item = T>, of: impl Fn(&T) -> &Self) -> Option<T> {
        let beyond = |one: &T| of(one).slack + of(one).bar;
        all.min_by(|a, b| beyond(a).total_cmp(&beyond(b)))
    }
}

impl Counterexample {
    /// Describes a point that a search found.
    ///
    /// *Errors*: [`Error::Numeric`] where the world cannot be computed, or is no counterexample.
    pub fn new(
        target: Target,
        point: &Point,
        found: Found,
        confirmed: Confirmation,
    ) -> Result<Self> {
        let seen = observe(target.claim.id, &mut Knobs::new(&point.knobs))?;
        let fails = failure(&target.judge(&seen.facts)).ok_or_else(|| {
            Error::numeric("a counterexample", "the world does not violate that wording")
        })?;
        Ok(Self {
            claim: target.claim.id.to_owned(),
            wording: target.wording.map(|mutant| mutant.name.to_owned()),
            knobs: point.knobs.clone(),
            found,
            fails,
            confirmed,
            world: described(seen.world),
        })
    }

    /// The wording that it speaks of.
    ///
    /// *Errors*: [`Error::Input`] for a claim or wording that this version does not have.
    pub fn target(&self) -> Result<Target> {
        let unknown = |what: &str, name: &str| {
            Error::input(what, format!("`{name}` is not known"), "driftproof claims")
        };
        let claim =
            claims::find(&self.claim).ok_or_else(|| unknown("claim of the file", &self.claim))?;
        let wording = match &self.wording {
            None => None,
            Some(name) => {
                Some(claim.mutant(name).ok_or_else(|| unknown("wording of the file", name))?)
            }
        };
        Ok(Target { claim, wording })
    }

    /// Judges the world again: by its wording, and by the claim as stated.
    ///
    /// *Errors*: as [`Counterexample::target`] and [`observe`]; [`Error::Input`] where this version reads another world from the knobs.
    pub fn replay(&self) -> Result<[Judgement; 2]> {
        let target = self.target()?;
        let seen = observe(target.claim.id, &mut Knobs::new(&self.knobs))?;
        if described(seen.world) != self.world {
            let problem = format!(
                "they are another world in this version than the one told, which {} found",
                self.found.driftproof
            );
            return Err(Error::input("knobs of the file", problem, "search again"));
        }
        Ok([target.judge(&seen.facts), target.claim.judge(&seen.facts)])
    }

    /// Writes it into a folder as `CLAIM--WORDING.toml`.
    ///
    /// *Errors*: as [`write_file`].
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let name = self.target()?.name();
        write_file(folder, &format!("{name}.toml"), self.text(folder, &name).as_bytes())
    }

    fn text(&self, folder: &Path, name: &str) -> String {
        let body = toml::to_string(self).expect("tables, numbers and words");
        let path = folder.join(format!("{name}.toml"));
        let wording = self.wording.as_deref().unwrap_or("as stated");
        format!(
            "# A world in which {} ({wording}) fails: {}.\n# Replay: driftproof explore --replay {}\n\n{body}",
            self.claim,
            self.fails.conclusion,
            path.display()
        )
    }
}

/// A world in words, as a file holds it.
fn described(world: serde_json::Value) -> toml::Table {
    match without_nulls(world) {
        Some(toml::Value::Table(world)) => world,
        other => other.map(|world| ("world".to_owned(), world)).into_iter().collect(),
    }
}

/// Reads a counterexample back.
///
/// *Errors*: [`Error::File`] for what is not one, with the line.
pub fn read(path: &Path) -> Result<Counterexample> {
    let hint = "a file that `driftproof explore` wrote";
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::file(path, format!("cannot be read ({error})"), hint))?;
    toml::from_str(&text)
        .map_err(|error| Error::file(path, error.to_string().trim_end().to_owned(), hint))
}

/// The conclusion that fails by most, where the world is in scope.
pub(super) fn failure(judgement: &Judgement) -> Option<Failure> {
    if judgement.verdict() != Verdict::Violated {
        return None;
    }
    let failing = judgement.conclusions.iter().filter(|m| m.verdict() == Verdict::Violated);
    let failures = failing.map(|margin| Failure {
        conclusion: margin.name.clone(),
        sides: margin.sides,
        slack: margin.slack,
        bar: margin.bar,
    });
    Failure::worst(failures, |failure| failure)
}

/// As TOML, which has no null.
fn without_nulls(value: serde_json::Value) -> Option<toml::Value> {
    use serde_json::Value;
    Some(match value {
        Value::Null => return None,
        Value::Bool(yes) => yes.into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(words) => words.into(),
        Value::Array(items) => {
            toml::Value::Array(items.into_iter().filter_map(without_nulls).collect())
        }
        Value::Object(entries) => toml::Value::Table(
            (entries.into_iter())
                .filter_map(|(key, value)| Some((key, without_nulls(value)?)))
                .collect(),
        ),
    })
}
