//! What `driftproof explore` shows and stores of a counterexample, found among the worlds of a claim or of a scenario file.

use super::terminal::number;
use crate::error::Result;
use crate::figure::Figure;
use crate::observe;
use crate::random::Knobs;
use crate::record;
use crate::report::draw;
use crate::search::confirm::Confirmation;
use crate::search::stated;
use crate::search::store::{Counterexample, Failure, Found};
use crate::search::{Point, Target, Worlds};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What is kept of a counterexample.
pub trait Keep: Worlds {
    /// Which worlds a search without a counterexample speaks of.
    const SPAN: &str;
    /// How many parameters of a world are not at their plainest.
    fn moved(&self, point: &Point) -> usize;
    /// The world of a point, to be shown and stored.
    fn kept(&self, plain: &Point, found: Found, confirmed: &Confirmation) -> Result<Kept>;
}

/// Stores a counterexample in a folder.
pub type Storing = Box<dyn FnOnce(&Path) -> Result<Stored>>;

/// A counterexample in words, and what stores it.
pub struct Kept {
    /// The conclusion that fails, and the world.
    pub words: String,
    /// Stores it.
    pub store: Storing,
}

/// Where it was stored, and the arguments that replay it.
pub struct Stored {
    /// The file.
    pub path: PathBuf,
    /// What comes after the name of the program.
    pub replay: String,
}

impl Keep for Target {
    const SPAN: &str = "of the worlds that the claim's observer can make alone";

    fn moved(&self, point: &Point) -> usize {
        point.moved()
    }

    fn kept(&self, plain: &Point, found: Found, confirmed: &Confirmation) -> Result<Kept> {
        let kept = Counterexample::new(*self, plain, found, confirmed.clone())?;
        let (claim, knobs) = (self.claim.id, plain.knobs.clone());
        let words = shown(&kept);
        let store = move |folder: &Path| {
            let path = kept.write(folder)?;
            if let Some(panel) = observe::picture(claim, &mut Knobs::new(&knobs))? {
                let svg = draw::standalone(&draw::svg(&Figure::new("world", "", vec![panel]))?);
                let name = path.with_extension("svg");
                let name = name.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                record::write_file(folder, name, svg.as_bytes())?;
            }
            let replay = format!("explore --replay {}", path.display());
            Ok(Stored { path, replay })
        };
        Ok(Kept { words, store: Box::new(store) })
    }
}

impl Keep for stated::Stated {
    const SPAN: &str = "of the worlds that the ranges of the file span alone";

    fn moved(&self, point: &Point) -> usize {
        self.moved(&point.knobs)
    }

    fn kept(&self, plain: &Point, found: Found, confirmed: &Confirmation) -> Result<Kept> {
        let kept = self.counterexample(plain, &found, confirmed)?;
        let mut words = failing(&kept.fails) + "\nWorld\n";
        for (name, value) in &kept.values {
            let _ = writeln!(words, "{name} = {value}");
        }
        let store = move |folder: &Path| {
            let path = kept.write(folder)?;
            let replay = format!("run {}", path.display());
            Ok(Stored { path, replay })
        };
        Ok(Kept { words, store: Box::new(store) })
    }
}

/// The conclusion that fails.
fn failing(fails: &Failure) -> String {
    let sides = fails.sides.map_or(String::new(), |[left, right]| {
        format!(": {} against {}", number(left), number(right))
    });
    format!(
        "\nFails: {}{sides} (slack {} ± {})\n",
        fails.conclusion,
        number(fails.slack),
        number(fails.bar)
    )
}

/// The counterexample as its file tells it.
pub fn shown(kept: &Counterexample) -> String {
    let world = toml::to_string(&kept.world).unwrap_or_default();
    format!("{}\nWorld\n{world}", failing(&kept.fails))
}
