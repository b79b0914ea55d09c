//! What is wrong with a formula, and where.

use crate::error::Error;

/// The bytes of a formula from `start` up to `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

/// A place in a file, as editors count: from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Character of that line, from 1.
    pub column: usize,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this one to the end of the other.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// Where the span starts in a file, if the first character of `text` is at `origin` there.
    ///
    /// ```
    /// use driftproof::formula::{Position, Span};
    /// let origin = Position { line: 7, column: 10 };
    /// let at = |start| Span::new(start, start).position("a +\nb", origin);
    /// assert_eq!(at(2), Position { line: 7, column: 12 });
    /// assert_eq!(at(4), Position { line: 8, column: 1 });
    /// ```
    pub fn position(self, text: &str, origin: Position) -> Position {
        let before = text.char_indices().take_while(|(at, _)| *at < self.start);
        before.fold(origin, |at, (_, c)| match c {
            '\n' => Position { line: at.line + 1, column: 1 },
            _ => Position { column: at.column + 1, ..at },
        })
    }
}

/// Why a formula, or the name of a variable, cannot be understood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{problem}\n  try: {hint}")]
pub struct Mistake {
    /// The helper expression whose text is at fault; none for the formula itself.
    pub helper: Option<String>,
    /// The offending bytes of that text.
    pub span: Span,
    /// What was found and what was expected.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl Mistake {
    pub(crate) fn new(span: Span, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { helper: None, span, problem: problem.into(), hint: hint.into() }
    }

    pub(crate) fn within(mut self, helper: Option<&str>) -> Self {
        self.helper = helper.map(str::to_owned);
        self
    }

    /// The same as an error of the crate; `what` says which formula, and where it stands.
    pub fn into_error(self, what: impl Into<String>) -> Error {
        Error::input(what, self.problem, self.hint)
    }
}

/// A result, or what is wrong with the formula.
pub(crate) type Parsed<T> = std::result::Result<T, Mistake>;

/// What other languages call a function that is known here by another name.
const SYNONYMS: &[(&str, &str)] = &[
    ("ln", "log"),
    ("arcsin", "asin"),
    ("arccos", "acos"),
    ("arctan", "atan"),
    ("arctan2", "atan2"),
    ("sgn", "sign"),
    ("signum", "sign"),
    ("logistic", "sigmoid"),
    ("exp_m1", "expm1"),
    ("ln_1p", "log1p"),
    ("fabs", "abs"),
    ("length", "norm"),
    ("prod", "product"),
    ("inner", "dot"),
    ("where", "if"),
    ("fmin", "min"),
    ("fmax", "max"),
];

/// The known name that was probably meant, by synonym or else by edit distance.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    if let Some((_, meant)) = SYNONYMS.iter().find(|(other, _)| *other == lower) {
        return Some((*meant).to_owned());
    }
    closest(name, known)
}

/// The known name with the fewest wrong letters, unless they are too many.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    let scored = known.map(|other| {
        (strsim::damerau_levenshtein(&lower, &other.to_lowercase()), other != name, other)
    });
    // A third of the letters may be wrong, at most three, and never all.
    let most = lower.len().div_ceil(3).min(3).min(lower.len().saturating_sub(1));
    scored.filter(|(distance, ..)| *distance <= most).min().map(|(_, _, other)| other.to_owned())
}

/// Names as a list for a message, cut when there are many.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    let more = names.len() > 12;
    names.truncate(12);
    names.join(", ") + if more { ", ..." } else { "" }
}
