//! Every world that a search computed, a line each: an interrupted search goes on where it was.
//!
//! A search is a function of its target and seed, so that its worlds need no other memory than their scores: a search that is
//! resumed runs again from the beginning, and computes only what the journal does not know.

use crate::error::{Error, Result};
use crate::random::hash;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line<T> {
    /// Which world of the search.
    world: usize,
    /// A hash of its knobs: what is known of another world is not taken for this one.
    knobs: u64,
    seen: T,
}

/// The first line of the file.
#[derive(Serialize, Deserialize, PartialEq)]
struct Head {
    driftproof: String,
    search: String,
    seed: u64,
}

/// What is known of a search whose worlds are kept as `T`.
pub struct Journal<T> {
    known: HashMap<(usize, u64), T>,
    file: Option<(PathBuf, Mutex<File>)>,
}

impl<T: Clone + Send + Sync + Serialize + DeserializeOwned> Journal<T> {
    /// A journal in memory, which knows nothing and keeps nothing.
    pub fn none() -> Self {
        Self { known: HashMap::new(), file: None }
    }

    /// A new journal in place of whatever is there.
    ///
    /// *Errors*: [`Error::File`] where it cannot be written.
    pub fn create(path: &Path, search: &str, seed: u64) -> Result<Self> {
        let failed = |error: std::io::Error| unwritable(path, &error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = File::create(path).map_err(failed)?;
        writeln!(file, "{}", line(&head(search, seed))).map_err(failed)?;
        Ok(Self { known: HashMap::new(), file: Some((path.to_owned(), Mutex::new(file))) })
    }

    /// The journal of an interrupted search. A last line that was cut off is forgotten.
    ///
    /// *Errors*: [`Error::File`] where it cannot be read, or is of another search, seed or version.
    pub fn resume(path: &Path, search: &str, seed: u64) -> Result<Self> {
        let refuse = |problem: String| {
            Error::file(path, problem, "the same command without --resume, which begins anew")
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| refuse(format!("no journal to resume ({error})")))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].lines();
        let found: Option<Head> = lines.next().and_then(|first| serde_json::from_str(first).ok());
        if found.as_ref() != Some(&head(search, seed)) {
            let told = found.map_or("no journal".to_owned(), |head| {
                format!(
                    "the journal of {}, seed {}, driftproof {}",
                    head.search, head.seed, head.driftproof
                )
            });
            return Err(refuse(format!("{told}; expected that of {search}, seed {seed}")));
        }
        let mut known = HashMap::new();
        for (nth, text) in lines.enumerate() {
            let Line { world, knobs, seen }: Line<T> = serde_json::from_str(text)
                .map_err(|error| refuse(format!("line {}: damaged ({error})", nth + 2)))?;
            known.insert((world, knobs), seen);
        }
        let failed = |error: std::io::Error| unwritable(path, &error);
        let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        file.set_len(whole as u64).map_err(failed)?;
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        Ok(Self { known, file: Some((path.to_owned(), Mutex::new(file))) })
    }

    /// Looks at the worlds from the `first` on of a search, side by side: what is seen of each, in order, and the time it
    /// took; none where all of them are known.
    ///
    /// *Errors*: [`Error::File`] where the file cannot be written.
    pub fn look(
        &self,
        first: usize,
        worlds: &[Vec<f64>],
        see: impl Fn(&[f64]) -> T + Sync,
    ) -> Result<(Vec<T>, Duration)> {
        let began = Instant::now();
        let one = |(nth, knobs): (usize, &Vec<f64>)| {
            let bytes = knobs.iter().flat_map(|knob| knob.to_bits().to_le_bytes());
            let key = (first + nth, hash(bytes));
            if let Some(seen) = self.known.get(&key) {
                return Ok((seen.clone(), false));
            }
            let seen = see(knobs);
            self.append(key, &seen)?;
            Ok((seen, true))
        };
        let looked: Result<Vec<(T, bool)>> = worlds.par_iter().enumerate().map(one).collect();
        let (seen, computed): (Vec<T>, Vec<bool>) = looked?.into_iter().unzip();
        let spent = if computed.contains(&true) { began.elapsed() } else { Duration::ZERO };
        Ok((seen, spent))
    }

    /// How many worlds are known from before.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is known from before.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn append(&self, (world, knobs): (usize, u64), seen: &T) -> Result<()> {
        let Some((path, file)) = &self.file else { return Ok(()) };
        let text = line(&Line { world, knobs, seen }) + "\n";
        // One call a line: a line is cut off only where the process ends in the middle of it.
        let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.write_all(text.as_bytes()).map_err(|error| unwritable(path, &error))
    }
}

fn head(search: &str, seed: u64) -> Head {
    Head { driftproof: env!("CARGO_PKG_VERSION").to_owned(), search: search.to_owned(), seed }
}

fn line(entry: &impl Serialize) -> String {
    serde_json::to_string(entry).expect("plain data")
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let hint = "--out DIR with a folder that is writable and has room";
    Error::file(path, format!("cannot be written ({error})"), hint)
}
