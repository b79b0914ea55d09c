//! What went wrong when we could not look.
//!
//! A refuted claim, an unmet hypothesis and an undecided margin are values
//! (see [`crate::verdict`]); an [`Error`] is returned only when the question
//! could not be asked: bad input, a non-finite state, an unreadable file.

use std::path::PathBuf;

/// Why the tool could not look. The message names the thing, what was
/// expected, and what to try.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value outside its range, an unknown name, a shape that does not fit.
    #[error("{what}: {problem}\n  try: {hint}")]
    Input {
        /// The option, parameter or key at fault.
        what: String,
        /// What was found and what was expected.
        problem: String,
        /// What to do about it.
        hint: String,
    },
    /// A file that cannot be read, written or understood.
    #[error("{}: {problem}\n  try: {hint}", path.display())]
    File {
        /// The file at fault.
        path: PathBuf,
        /// What was found and what was expected, with the row or byte.
        problem: String,
        /// What to do about it.
        hint: String,
    },
    /// A computation left the finite numbers or failed to converge.
    #[error("{stage}: {problem}")]
    Numeric {
        /// Which computation, with time and step where there are any.
        stage: String,
        /// What happened.
        problem: String,
    },
}

impl Error {
    /// Bad input: `what` is at fault, because of `problem`; `hint` mends it.
    pub fn input(
        what: impl Into<String>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Input { what: what.into(), problem: problem.into(), hint: hint.into() }
    }

    /// A bad file, with what to try.
    pub fn file(
        path: impl Into<PathBuf>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::File { path: path.into(), problem: problem.into(), hint: hint.into() }
    }

    /// A failed computation at `stage`.
    pub fn numeric(stage: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Numeric { stage: stage.into(), problem: problem.into() }
    }

    /// True when the user's input is at fault (exit code 2).
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Input { .. } | Self::File { .. })
    }
}

/// The result of a computation that may be impossible to carry out.
pub type Result<T> = std::result::Result<T, Error>;
