//! The worlds of a scenario file with free constants.

use super::confirm::Confirmation;
use super::store::{Failure, Found, failure};
use super::{Point, Score, Target, Worlds};
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::observe::stated::{measure_for, measure_twice};
use crate::random::{Knobs, hash};
use crate::record::write_file;
use crate::scenario_file::{CLAIMS, File, Free, Source, World};
use crate::verdict::Judgement;
use std::path::{Path, PathBuf};

/// A claim on the worlds of a file.
pub struct Stated {
    target: Target,
    source: Source,
    file: File,
    free: Vec<Free>,
}

/// A world of a file in which a claim fails.
pub struct StatedCounterexample {
    /// The conclusion that fails by most.
    pub fails: Failure,
    /// The values of the free constants.
    pub values: Vec<(String, f64)>,
    stem: String,
    text: String,
}

impl Stated {
    /// Reads a file whose free constants are to be moved.
    ///
    /// *Errors*: as [`World::read`]; [`Error::Input`] for a claim that is not judged on scenario files, and for a file without
    /// free constants.
    pub fn read(target: Target, path: &Path) -> Result<Self> {
        let id = target.claim.id;
        if !CLAIMS.contains(&id) {
            let problem = "is not judged on scenario files";
            return Err(Error::input(id, problem, format!("one of {}", CLAIMS.join(", "))));
        }
        let source = Source::read(path)?;
        let file = source.parse()?;
        let World { free, .. } = World::of(&source, &file)?;
        if free.is_empty() {
            let problem = "no constant is free, so that there is nothing to move";
            let hint = "[free] with a range, as k = { low = 0, high = 2 }, of a constant of [let]";
            return Err(Error::file(path, problem, hint));
        }
        Ok(Self { target, source, file, free })
    }

    /// The free constants with their values at a point.
    fn values(&self, knobs: &mut Knobs) -> Vec<f64> {
        self.free.iter().map(|free| free.value(knobs.unit())).collect()
    }

    /// How many free constants are not as the file states them.
    pub fn moved(&self, knobs: &[f64]) -> usize {
        let values = self.values(&mut Knobs::new(knobs));
        self.free.iter().zip(values).filter(|(free, value)| free.stated != *value).count()
    }

    /// The world of a point.
    fn world(&self, knobs: &mut Knobs) -> Result<World> {
        let values = self.values(knobs);
        let world = World::of(&self.source, &self.file.with(&self.free, &values))?;
        Ok(if world.has_steps() { world.refined(knobs.steps(1)) } else { world })
    }

    /// The judgements of all trajectories, by their numbers; those that could not be judged are left out.
    fn judgements(&self, world: &World) -> Vec<(usize, Judgement)> {
        let facts = measure_for(world, self.target.claim.id);
        facts.iter().map(|(i, facts)| (*i, self.target.judge(facts))).collect()
    }

    /// The world of a point, as a file of its own.
    ///
    /// *Errors*: as [`World::of`]; [`Error::Numeric`] where the world is no counterexample.
    pub fn counterexample(
        &self,
        point: &Point,
        found: &Found,
        confirmed: &Confirmation,
    ) -> Result<StatedCounterexample> {
        let world = self.world(&mut Knobs::new(&point.knobs))?;
        let failures: Vec<(usize, Failure)> = (self.judgements(&world).iter())
            .filter_map(|(i, judged)| Some((*i, failure(judged)?)))
            .collect();
        let (failing, trajectories) = (failures.len(), world.starts.len());
        let worst = Failure::worst(failures.into_iter(), |(_, failure)| failure);
        let (trajectory, fails) = worst.ok_or_else(|| {
            Error::numeric("a counterexample", "the world does not violate that wording")
        })?;
        let values = self.values(&mut Knobs::new(&point.knobs));
        let id = self.target.claim.id;
        let wording = self.target.wording.map(|mutant| ("wording", mutant.name));
        let mut check: Vec<(&str, toml_edit::Value)> = vec![("claim", id.into())];
        check.extend(wording.map(|(key, name)| (key, name.into())));
        check.push(("verdict", "violated".into()));
        if failing < trajectories {
            check.push(("trajectory", (trajectory as i64).into()));
        }
        let steps = match confirmed.has_steps {
            true => format!(
                "; at twice and four times the steps the scores are\n# {:.4} and {:.4},",
                confirmed.refined[0], confirmed.refined[1]
            ),
            false => ",".to_owned(),
        };
        let body = self.source.with(&self.free, &values, &check)?;
        let stem = self.source.path.file_stem().unwrap_or_default().to_string_lossy();
        let text = format!(
            "# A world of {} in which {} fails, on {failing} of {trajectories} trajectories:\n# {}, slack {:.3} ± {:.0e}.\n\
             # Found by driftproof {}, seed {}, after {} worlds{steps} and {:.0} % of its close neighbours fail too.\n\
             # In extended precision: {}.\n\n{body}",
            self.source.path.display(),
            self.target.name(),
            fails.conclusion,
            fails.slack,
            fails.bar,
            found.driftproof,
            found.seed,
            found.worlds,
            100.0 * confirmed.neighbours,
            confirmed.extended,
        );
        let names = self.free.iter().map(|free| free.name.clone());
        let stem = format!("{stem}--{}", self.target.name());
        Ok(StatedCounterexample { fails, values: names.zip(values).collect(), stem, text })
    }
}

impl StatedCounterexample {
    /// Writes it into a folder as `FILE--CLAIM--WORDING.toml`, with the command that replays it.
    ///
    /// *Errors*: as [`write_file`].
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let name = format!("{}.toml", self.stem);
        let replay = format!("# Replay: driftproof run {}\n", folder.join(&name).display());
        write_file(folder, &name, (replay + &self.text).as_bytes())
    }
}

impl Worlds for Stated {
    /// With a hash of the text: another file is another search.
    fn name(&self) -> String {
        let text = hash(self.source.text.bytes());
        let stem = self.source.path.file_stem().unwrap_or_default().to_string_lossy();
        format!("{}--{stem}-{text:016x}", self.target.name())
    }

    fn knobs(&self) -> usize {
        self.free.len()
    }

    /// The trajectory that comes nearest to a counterexample.
    fn score(&self, knobs: &mut Knobs) -> Score {
        let judgements = self.world(knobs).map_or_else(|_| Vec::new(), |w| self.judgements(&w));
        let family = || "the file".to_owned();
        let scores = judgements.iter().map(|(_, judged)| Score::of(judged, family(), self.knobs()));
        let least = scores.min_by(|a, b| a.value.total_cmp(&b.value));
        least.unwrap_or(Score::not_computed(self.knobs()))
    }

    fn plainer(&self, nth: usize, value: f64) -> Vec<f64> {
        self.free[nth].plainer(value)
    }

    fn judge(&self, facts: &Facts) -> Judgement {
        self.target.judge(facts)
    }

    fn twice(&self, knobs: &[f64]) -> Result<Vec<[Facts; 2]>> {
        measure_twice(&self.world(&mut Knobs::new(knobs))?, self.target.claim.id)
    }
}
