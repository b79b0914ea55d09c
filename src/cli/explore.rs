//! `driftproof explore`: search for a counterexample, or map where a claim is silent.

use super::kept::{Keep, Stored, shown};
use super::progress::Watch;
use super::terminal::{self, number};
use super::{Exit, interrupt, names, print, program};
use crate::campaign::CONFIDENCE;
use crate::claims::Claim;
use crate::error::Result;
use crate::record;
use crate::report::gallery;
use crate::search::archive::{self, Archive, Standing};
use crate::search::confirm::confirm;
use crate::search::journal::Journal;
use crate::search::map;
use crate::search::simplify::simplify;
use crate::search::stated::Stated;
use crate::search::store::{self, Found};
use crate::search::{Effort, Score, Search, Seen, Stopped, Target, Worlds};
use crate::verdict::Verdict;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The options of `driftproof explore`.
#[derive(clap::Args)]
pub struct Options {
    /// The claim
    #[arg(value_name = "CLAIM", required_unless_present = "replay")]
    pub claim: Option<String>,
    /// Search the claim without a hypothesis (H1), or in another of its wrong wordings
    #[arg(long, value_name = "HYPOTHESIS")]
    pub drop: Option<String>,
    /// Move the free constants of this scenario file in place of the claim's own worlds
    #[arg(long, value_name = "FILE", conflicts_with_all = ["archive", "replay"])]
    pub scenario: Option<PathBuf>,
    /// How long to search, e.g. 90s or 10m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub budget: Duration,
    /// Worlds to look at, at most
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    pub worlds: usize,
    /// Seed of all random numbers
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u64,
    /// Map the claim: the worst world at each place of a plane of two measures
    #[arg(long, conflicts_with = "drop")]
    pub archive: bool,
    /// Go on with an interrupted search of this claim and seed
    #[arg(long)]
    pub resume: bool,
    /// Judge a stored counterexample again
    #[arg(long, value_name = "FILE", conflicts_with_all = ["claim", "drop", "archive", "resume"])]
    pub replay: Option<PathBuf>,
    /// Folder of what is found
    #[arg(long, value_name = "DIR", default_value = "reports/counterexamples")]
    pub out: PathBuf,
    /// Worker threads, 1 to 1024; by default one a core
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Searches, maps or replays.
pub fn run(options: &Options) -> Result<Exit> {
    if let Some(path) = &options.replay {
        return replay(path);
    }
    let name = options.claim.as_deref().unwrap_or_default();
    let claim = names::claim(name)?;
    let wording = options.drop.as_deref().map(|drop| names::wording(claim, drop));
    let target = Target { claim, wording: wording.transpose()? };
    let stated = options.scenario.as_ref().map(|path| Stated::read(target, path)).transpose()?;
    let pool = super::pool(options.threads)?;
    record::check_writable(&options.out)?;
    pool.install(|| match (options.archive, &stated) {
        (true, _) => chart(options, claim),
        (false, Some(stated)) => search(options, target, stated),
        (false, None) => search(options, target, &target),
    })
}

impl Options {
    fn effort(&self) -> Effort {
        Effort { budget: self.budget, worlds: self.worlds, seed: self.seed }
    }

    /// The journal of a search: a new one, or that of an interrupted one.
    fn journal<T: Clone + Send + Sync + Serialize + DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Journal<T>> {
        let path = self.out.join(format!(".{name}-seed-{}.journal", self.seed));
        match self.resume {
            true => Journal::resume(&path, name, self.seed),
            false => Journal::create(&path, name, self.seed),
        }
    }
}

fn search<W: Keep>(options: &Options, target: Target, worlds: &W) -> Result<Exit> {
    let journal: Journal<Score> = options.journal(&worlds.name())?;
    let watch = Watch::begin(&target.name(), options.budget);
    let show = |seen: &Seen| {
        let best = seen.best.as_ref().map_or(f64::NAN, |best| best.score.value);
        watch.show(seen.worlds, &format!("least score {}", number(best)));
    };
    let search = Search::new(worlds, options.effort(), &journal, interrupt::flag(), &show);
    let (seen, stopped) = search.run()?;
    let seconds = watch.end();
    let mut text = told(target, &seen, stopped, seconds);
    let Some(best) = seen.best.as_ref().filter(|best| best.score.value < 0.0) else {
        text += &match target.wording {
            Some(_) => {
                "This wording met no counterexample: a longer --budget or another --seed may find one.\n".to_owned()
            }
            None => format!("No counterexample: evidence, not a proof, and {}.\n", W::SPAN),
        };
        print(&text)?;
        let intact = target.wording.is_none() && seen.in_scope > 0;
        return Ok(if intact && stopped != Stopped::Asked {
            Exit::Stands
        } else {
            Exit::Undecided
        });
    };
    let plain = simplify(worlds, best);
    let confirmation = confirm(worlds, &plain);
    let found = Found {
        driftproof: env!("CARGO_PKG_VERSION").to_owned(),
        seed: options.seed,
        worlds: seen.worlds,
    };
    let kept = worlds.kept(&plain, found, &confirmation)?;
    let _ = writeln!(
        text,
        "\nSimplified from {} parameters that are not plainest to {}; score {}.",
        worlds.moved(best),
        worlds.moved(&plain),
        number(plain.score.value)
    );
    let steps = match confirmation.has_steps {
        true => format!(
            "at twice and four times the steps {} and {}",
            number(confirmation.refined[0]),
            number(confirmation.refined[1])
        ),
        false => "it has no steps that could be finer".to_owned(),
    };
    let neighbours = 100.0 * confirmation.neighbours;
    let _ =
        writeln!(text, "Confirmed: {steps}; {neighbours:.0} % of its close neighbours fail too.");
    text += &terminal::paragraph(&format!("In extended precision: {}.", confirmation.extended));
    text += &kept.words;
    if !confirmation.is_confirmed() {
        text += "NOT CONFIRMED: it may be an artefact of rounding or of the steps, and was not stored.\n";
        print(&text)?;
        return Ok(Exit::Undecided);
    }
    let Stored { path, replay } = (kept.store)(&options.out)?;
    let _ = writeln!(text, "\nStored: {}", path.display());
    let _ = writeln!(text, "Replay: {} {replay}", program());
    print(&text)?;
    Ok(Exit::Counterexample)
}

/// What a search saw, and why it ended.
fn told(target: Target, seen: &Seen, stopped: Stopped, seconds: f64) -> String {
    let claim = target.claim;
    let mut text = format!("{}\n{}", claim.id, terminal::paragraph(claim.summary));
    if let Some(mutant) = target.wording {
        text += "\n";
        text += &terminal::paragraph(&format!(
            "Searched in the wording {}: {}.",
            mutant.name, mutant.what
        ));
    }
    let why = match stopped {
        Stopped::Found => "a clear counterexample was found",
        Stopped::Budget => "the time was up",
        Stopped::Worlds => "all worlds asked for were seen",
        Stopped::Asked => "you stopped it",
    };
    let _ =
        writeln!(text, "\nEnded because {why}, after {} worlds and {seconds:.1} s.", seen.worlds);
    let families: Vec<String> =
        seen.families.iter().map(|(name, worlds)| format!("{name} {worlds}")).collect();
    let saw = format!(
        "In scope {} of {} worlds, by family: {}; at most {} parameters each; {} adaptations.",
        seen.in_scope,
        seen.worlds,
        if families.is_empty() { "none".to_owned() } else { families.join(", ") },
        seen.knobs,
        seen.adaptations
    );
    text += &terminal::paragraph(&saw);
    if let Some(best) = &seen.best {
        let _ = writeln!(
            text,
            "Least score {} (below 0: a counterexample; from 1: out of scope).",
            number(best.score.value)
        );
    }
    let rate = format!(
        "Of {} draws in scope {} fail: with {:.0} % confidence the rate among draws is below {}.",
        seen.drawn.0,
        seen.drawn.1,
        100.0 * CONFIDENCE,
        number(seen.rate_bound())
    );
    text += &terminal::paragraph(&rate);
    text
}

fn replay(path: &Path) -> Result<Exit> {
    let kept = store::read(path)?;
    let target = kept.target()?;
    let [verdict, stated] = kept.replay()?.map(|judgement| judgement.verdict());
    let mut text = format!("{}\n", path.display());
    let _ = writeln!(text, "{}: {}", target.name(), verdict);
    if target.wording.is_some() {
        let _ = writeln!(text, "{}: {}", target.claim.id, stated);
    }
    text += &shown(&kept);
    print(&text)?;
    Ok(if verdict == Verdict::Violated { Exit::Counterexample } else { Exit::Undecided })
}

fn chart(options: &Options, claim: &Claim) -> Result<Exit> {
    let chart = archive::chart(claim)?;
    let name = format!("{}--map", claim.id);
    let journal = options.journal(&name)?;
    let watch = Watch::begin(&name, options.budget);
    let show = |archive: &Archive| {
        let filled = archive.cells.iter().flatten().count();
        watch.show(archive.worlds, &format!("{filled} of {} cells", archive.cells.len()));
    };
    let (archive, stopped) =
        archive::fill(&chart, options.effort(), &journal, interrupt::flag(), &show)?;
    let seconds = watch.end();
    let figure = map::figure(&chart, &archive, &name);
    let mut text = String::new();
    for (path, bytes) in gallery::of_figure(&figure)? {
        let path = record::write_file(&options.out, &path, &bytes)?;
        let _ = writeln!(text, "{}", path.display());
    }
    let _ = writeln!(text, "{} worlds in {seconds:.1} s", archive.worlds);
    for (standing, words) in [
        (Standing::Guaranteed, "aligned, and the condition says so"),
        (Standing::Silent, "aligned, and the condition is silent"),
        (Standing::Fails, "not aligned"),
    ] {
        let _ = writeln!(text, "{:4} cells: {words}", archive.count(standing));
    }
    print(&text)?;
    Ok(if stopped == Stopped::Asked { Exit::Undecided } else { Exit::Stands })
}
