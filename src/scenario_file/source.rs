//! The text of a scenario file, and what is said of mistakes in it.

use super::format::File;
use super::located::At;
use crate::error::{Error, Result};
use crate::formula::{Mistake, Position, Span, closest, listed};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Larger files are no scenario files.
const LARGEST: u64 = 1 << 20;

/// Most characters of a line that a message shows.
const WIDEST: usize = 96;

/// The text of a scenario file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is from.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Reads a file.
    ///
    /// *Errors*: [`Error::File`] when it is absent, too large, or no text.
    pub fn read(path: &Path) -> Result<Self> {
        let refuse = |problem: String| {
            Error::file(path, problem, "a scenario file: `driftproof new NAME` writes one")
        };
        let unreadable = |error: std::io::Error| refuse(format!("cannot be read ({error})"));
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(refuse("not a regular file".to_owned()));
        }
        if metadata.len() > LARGEST {
            return Err(refuse(format!("{} bytes, more than {LARGEST}", metadata.len())));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// The keys of the file.
    ///
    /// *Errors*: [`Error::Input`], with line and column, for text that is no TOML and for keys and values that do not fit.
    pub fn parse(&self) -> Result<File> {
        toml::from_str(&self.text).map_err(|error| {
            let (problem, hint) = explained(error.message());
            self.error(&error.span().unwrap_or(0..0), problem, hint)
        })
    }

    /// Bad input at these bytes: the place, the line with a mark below it, and what to try.
    pub fn error(
        &self,
        span: &Range<usize>,
        problem: impl AsRef<str>,
        hint: impl Into<String>,
    ) -> Error {
        let start = span.start.min(self.text.len());
        let Position { line, column } =
            Span::new(start, start).position(&self.text, Position { line: 1, column: 1 });
        let shown = self.text.lines().nth(line - 1).unwrap_or_default();
        let length = self.text.get(start..span.end.max(start)).unwrap_or_default();
        let length = length.lines().next().unwrap_or_default().chars().count().max(1);
        // A long line is shown from a little before the place.
        let skipped = column.saturating_sub(WIDEST / 2) * usize::from(column > WIDEST / 2);
        let window: String = shown.chars().skip(skipped).take(WIDEST).collect();
        let before = column - 1 - skipped;
        let marks = "^".repeat(length.min(WIDEST.saturating_sub(before)).max(1));
        let what = format!("{}:{line}:{column}", self.path.display());
        let gutter = " ".repeat(line.to_string().len());
        let problem = format!(
            "{}\n  {line} | {}\n  {gutter} | {}{marks}",
            problem.as_ref(),
            window.replace('\t', " "),
            " ".repeat(before),
        );
        Error::input(what, problem, hint)
    }

    /// A mistake in a formula: `text` is the value of the string at `span`.
    pub fn formula_error(&self, text: &At<String>, mistake: Mistake) -> Error {
        let raw = self.text.get(text.span.clone()).unwrap_or_default();
        let skip = ["\"\"\"\r\n", "\"\"\"\n", "\"\"\"", "'''\r\n", "'''\n", "'''", "\"", "'"]
            .into_iter()
            .find(|open| raw.strip_prefix(open).is_some_and(|rest| rest.starts_with(&text.value)));
        let span = match skip {
            Some(open) => {
                let start = text.span.start + open.len();
                start + mistake.span.start..start + mistake.span.end
            }
            // Escapes move the characters: the whole string is marked.
            None => text.span.clone(),
        };
        self.error(&span, mistake.problem, mistake.hint)
    }

    /// The same file seen from its folder.
    pub fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    /// A preset of noise levels; the file of a table seen from the folder of this one.
    pub fn beside_preset(&self, preset: &str) -> String {
        match preset.strip_prefix("table:") {
            Some(table) => format!("table:{}", self.beside(table).display()),
            None => preset.to_owned(),
        }
    }
}

/// What the reader of TOML says, in other words, and what to try.
fn explained(message: &str) -> (String, String) {
    let quoted = || message.split('`').skip(1).step_by(2).collect::<Vec<_>>();
    let wrong = |kind: &str, name: &str, known: &[&str]| {
        let hint = match (closest(name, known.iter().copied()), known.is_empty()) {
            (Some(near), _) => format!("{near}, which is nearest"),
            (None, true) => "delete it".to_owned(),
            (None, false) => format!("one of {}", all(known)),
        };
        let expected = if known.is_empty() { "none".to_owned() } else { all(known) };
        (format!("unknown {kind} `{name}`; expected {expected}"), hint)
    };
    let first_line = message.lines().next().unwrap_or_default();
    if let Some(rest) = message.strip_prefix("unexpected keys in table: ") {
        let (name, known) = rest.split_once(", available keys: ").unwrap_or((rest, ""));
        let name = name.split(',').next().unwrap_or_default();
        let known: Vec<&str> = known.split(", ").filter(|key| !key.is_empty()).collect();
        return wrong("key", name, &known);
    }
    let names = quoted();
    match names.as_slice() {
        [name, known @ ..] if message.starts_with("unknown field") => wrong("key", name, known),
        [name, known @ ..] if message.starts_with("unknown variant") => wrong("kind", name, known),
        [name] if message.starts_with("missing field") => (
            format!("the key `{name}` is missing here"),
            format!("add {name} = …; `driftproof new` shows files that have it"),
        ),
        [name] if message.starts_with("duplicate field") => {
            (format!("the key `{name}` stands here twice"), "delete one of the two".to_owned())
        }
        _ if message.starts_with("duplicate key") => (
            "this key stands here twice; expected it once".to_owned(),
            "delete one of the two".to_owned(),
        ),
        _ if message.contains("more than 1 element") => (
            "two kinds in one table; expected exactly one".to_owned(),
            "delete the tables of all but one".to_owned(),
        ),
        _ if message.contains("found 0 elements") => (
            "an empty table; expected one kind, as in [manifold.circle]".to_owned(),
            "name the kind after a dot in the head of the table".to_owned(),
        ),
        _ if message.contains("invalid type: unit variant") => (
            "found a name alone; expected a table of its keys".to_owned(),
            "write the name after a dot, as in [manifold.circle], and its keys below".to_owned(),
        ),
        _ if message.starts_with("wanted string or table") => (
            "wrong type; expected a kind by name, or a table of it".to_owned(),
            "write as in [manifold.circle], or \"flow-matching\" where a kind has no keys"
                .to_owned(),
        ),
        _ if message.starts_with("invalid type") || message.starts_with("invalid value") => {
            let rest = first_line.split_once(": ").map_or(first_line, |(_, rest)| rest);
            let (found, expected) =
                rest.split_once(", expected ").unwrap_or((rest, "another type"));
            let expected = match expected {
                "f64" => "a number",
                "u32" | "u64" => "a whole number of at least 0",
                "a string" => "text between quotes",
                "a sequence" => "a list, as [1, 2] or [\"x\", \"y\"]",
                "a map" => "a table",
                other if other.starts_with("struct ") => "a table",
                other => other,
            };
            (format!("found {found}; expected {expected}"), format!("write {expected} here"))
        }
        _ => (
            format!("this is no TOML: {first_line}"),
            "quotes around text and formulas, brackets around lists, one key a line".to_owned(),
        ),
    }
}

fn all(names: &[&str]) -> String {
    listed(names.iter().copied())
}
