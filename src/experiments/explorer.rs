//! What searches for counterexamples find: how soon, how plain, and where a condition is silent.

pub mod needed;
pub mod rediscovered;

use super::Setting;
use crate::claims::relative_compression_forces_alignment::CLAIM as RELATIVE;
use crate::error::Result;
use crate::record::{Chapter, Relation};
use crate::search::archive::{self, Archive, Standing};
use crate::search::journal::Journal;
use crate::search::{Effort, map};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The name of the chapter.
pub const NAME: &str = "explorer";

/// What it is about.
pub const TITLE: &str = "The explorer: worlds that were searched for";

/// Its figures, and its table.
pub const FIGURES: &[&str] = &["searches", "rediscovered-1", "rediscovered-2", "map", "wordings"];

/// Worlds that the map is made of.
const MAPPED: usize = 1024;

/// So many worlds, whatever time they take: a record must repeat.
pub(crate) fn effort(worlds: usize, seed: u64) -> Effort {
    Effort { budget: Duration::MAX, worlds, seed }
}

/// Computes the chapter.
///
/// *Errors*: of the computations.
pub fn run(setting: &Setting) -> Result<Chapter> {
    let about = "`driftproof explore` moves the worlds of a claim towards its counterexamples: random draws first, then an evolution \
                 strategy (CMA-ES). It searches a claim as it is stated, or in a wording that leaves a hypothesis or a term out; what \
                 it finds is made plain while it still fails, and confirmed with finer time steps, on its neighbours and, where the \
                 world is one of finite maps, with twice the digits. Here: how soon each part of the sufficient condition T2.1 is \
                 missed, how near a search comes to T2.1 as it is stated, which of the known counterexamples are found again from \
                 random starts, and the worst worlds at each place of the plane of compression and cross terms.";
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    (setting.begin)("searches without a hypothesis");
    needed::add(&mut chapter, setting.seed)?;
    (setting.begin)("known counterexamples, found again");
    rediscovered::add(&mut chapter)?;
    (setting.begin)("the map");
    add_map(&mut chapter, setting.seed)?;
    Ok(chapter)
}

fn add_map(chapter: &mut Chapter, seed: u64) -> Result<()> {
    let chart = archive::chart(&RELATIVE)?;
    let (journal, stop) = (Journal::none(), AtomicBool::new(false));
    let watch = |_: &Archive| ();
    let (archive, _) = archive::fill(&chart, effort(MAPPED, seed), &journal, &stop, &watch)?;
    // A world may change its cell where rounding is another.
    chapter.figures.push(map::figure(&chart, &archive, "map").within(0.1));
    let [guaranteed, silent, fails] =
        [Standing::Guaranteed, Standing::Silent, Standing::Fails].map(|how| archive.count(how));
    let all = archive.cells.iter().flatten();
    let wrong =
        all.filter(|elite| elite.look.bound.is_some_and(|bound| elite.look.sine > bound + 1e-6));
    let wrong = wrong.count();
    chapter.find(
        if wrong == 0 { Relation::Agrees } else { Relation::Contradicts },
        "map",
        "T2.1 is sufficient for alignment, not necessary.",
        format!(
            "The worst of {} worlds at each place: aligned as the condition says in {guaranteed} cells, aligned where it is silent in \
             {silent}, not aligned in {fails}; beyond its bound in {wrong}.",
            archive.worlds
        ),
    );
    Ok(())
}
