//! A scenario file, run and judged.

use crate::claims;
use crate::error::Result;
use crate::facts::Quantity;
use crate::observe::stated::{self, TrajectoryFacts};
use crate::record::{CheckRecord, ScenarioRecord, ScenarioTrajectory, TrajectoryRecord};
use crate::scenario_file::{Expectation, Expected, Outcome, Source, Subject, World, explained};
use crate::verdict::Verdict;
use std::path::Path;

/// Reads a scenario file, measures its world, judges the claims that it speaks of, and looks at what it expects.
///
/// *Errors*: as [`World::read`].
pub fn run_file(path: &Path) -> Result<ScenarioRecord> {
    let (world, source) = World::read(path)?;
    Ok(run_world(&world, &source))
}

/// The same for a world that has been read.
pub fn run_world(world: &World, source: &Source) -> ScenarioRecord {
    let measured = stated::measure(world);
    let figures = stated::figures(world, &measured);
    let trajectories: Vec<ScenarioTrajectory> =
        measured.into_iter().map(|found| judged(world, found)).collect();
    let checks = world.checks.iter().map(|check| looked_at(check, &trajectories)).collect();
    ScenarioRecord {
        file: source.path.display().to_string(),
        text: source.text.clone(),
        name: world.name.clone(),
        resolved: explained(world),
        notes: world.notes.clone(),
        trajectories,
        checks,
        figures,
    }
}

fn judged(world: &World, found: TrajectoryFacts) -> ScenarioTrajectory {
    let dimension = world.manifold.as_ref().map_or(0, crate::manifold::Manifold::dim);
    let claims = found.claims.iter().filter_map(|(id, facts)| {
        let judgement = claims::find(id)?.judge(facts);
        let verdict = judgement.verdict();
        Some(TrajectoryRecord { claim: (*id).to_owned(), dimension, verdict, judgement })
    });
    ScenarioTrajectory {
        claims: claims.collect(),
        start: found.start,
        facts: found.facts,
        silent: found.silent.into_iter().map(|(id, why)| (id.to_owned(), why)).collect(),
        error: found.error.map(|error| error.to_string()),
    }
}

/// What became of an expectation: the worst over all trajectories.
fn looked_at(check: &Expectation, trajectories: &[ScenarioTrajectory]) -> CheckRecord {
    let each = trajectories.iter().enumerate().map(|(trajectory, found)| {
        let (outcome, measured, words) = match &check.subject {
            Subject::Fact(name, component, comparison) => {
                let measured = found.facts.at(name, *component);
                (comparison.outcome(measured), Some(measured), None)
            }
            Subject::Claim(id, expected) => {
                let (outcome, words) = of_claim(id, *expected, found);
                (outcome, None::<Quantity>, Some(words))
            }
        };
        let expected = check.words.clone();
        CheckRecord { expected, outcome, trajectory, measured, found: words }
    });
    // The first of the worst.
    each.reduce(|worst, next| if next.outcome > worst.outcome { next } else { worst })
        .expect("a world has a start")
}

fn of_claim(id: &str, expected: Expected, found: &ScenarioTrajectory) -> (Outcome, String) {
    let Some(judged) = found.claims.iter().find(|judged| judged.claim == id) else {
        let why =
            found.why_silent(id).unwrap_or("no facts of it are measured in this kind of world");
        return (Outcome::Inconclusive, format!("not judged: {why}"));
    };
    let met = match judged.verdict {
        Verdict::Holds => Expected::Holds,
        Verdict::Violated => Expected::Violated,
        Verdict::OutOfScope => Expected::OutOfScope,
        Verdict::Undecided => return (Outcome::Inconclusive, "undecided".to_owned()),
    };
    (if met == expected { Outcome::Pass } else { Outcome::Fail }, met.words().to_owned())
}
