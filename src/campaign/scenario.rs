//! A scenario file, run and judged.

use crate::claims;
use crate::error::Result;
use crate::facts::Quantity;
use crate::observe::stated::{self, TrajectoryFacts};
use crate::record::{CheckRecord, ScenarioRecord, ScenarioTrajectory, TrajectoryRecord};
use crate::scenario_file::{
    Expectation, Expected, Outcome, Source, Subject, Wording, World, explained,
};
use crate::verdict::{Judgement, Verdict};
use std::collections::BTreeSet;
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
    let wordings = wrong_wordings(world);
    let dimension = world.manifold.as_ref().map_or(0, crate::manifold::Manifold::dim);
    let trajectories: Vec<ScenarioTrajectory> =
        measured.into_iter().map(|found| judged(found, dimension, &wordings)).collect();
    let checks = world.checks.iter().map(|check| looked_at(check, &trajectories)).collect();
    let notes = world.weaknesses();
    ScenarioRecord {
        file: source.path.display().to_string(),
        text: source.text.clone(),
        name: world.name.clone(),
        resolved: explained(world, &notes),
        notes: notes.into_iter().chain(stated::rivals(world)).collect(),
        trajectories,
        checks,
        figures,
    }
}

/// Its claims as they are, and in these wrong wordings.
fn judged(found: TrajectoryFacts, dimension: usize, wordings: &[Wording]) -> ScenarioTrajectory {
    let mut claims = Vec::new();
    for (id, facts) in &found.claims {
        let Some(claim) = claims::find(id) else { continue };
        let mut push = |claim: String, judgement: Judgement| {
            let verdict = judgement.verdict();
            claims.push(TrajectoryRecord { claim, dimension, verdict, judgement });
        };
        push((*id).to_owned(), claim.judge(facts));
        for said in wordings.iter().filter(|said| said.claim == *id) {
            let mutant = said.wrong.and_then(|wrong| claim.mutant(wrong));
            mutant.into_iter().for_each(|mutant| {
                push(said.name(), claim.judge_mutant(facts, mutant));
            });
        }
    }
    ScenarioTrajectory {
        claims,
        start: found.start,
        facts: found.facts,
        silent: found.silent.into_iter().map(|(id, why)| (id.to_owned(), why)).collect(),
        error: found.error.map(|error| error.to_string()),
    }
}

/// The wrong wordings of claims that a world expects something of, each once.
fn wrong_wordings(world: &World) -> Vec<Wording> {
    let wrong = |check: &Expectation| match &check.subject {
        Subject::Claim(said, _) if said.wrong.is_some() => Some(*said),
        _ => None,
    };
    let found: BTreeSet<Wording> = world.checks.iter().filter_map(wrong).collect();
    found.into_iter().collect()
}

/// What became of an expectation: the worst over the trajectories that are meant.
fn looked_at(check: &Expectation, trajectories: &[ScenarioTrajectory]) -> CheckRecord {
    let meant = |(i, _): &(usize, _)| check.trajectory.is_none_or(|nth| nth == *i);
    let each = trajectories.iter().enumerate().filter(meant).map(|(trajectory, found)| {
        let (outcome, measured, words) = match &check.subject {
            Subject::Fact(name, component, comparison) => {
                let measured = found.facts.at(name, *component);
                (comparison.outcome(measured), Some(measured), None)
            }
            Subject::Claim(said, expected) => {
                let (outcome, words) = of_claim(*said, *expected, found);
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

fn of_claim(said: Wording, expected: Expected, found: &ScenarioTrajectory) -> (Outcome, String) {
    let name = said.name();
    let Some(judged) = found.claims.iter().find(|judged| judged.claim == name) else {
        let why = found
            .why_silent(said.claim)
            .unwrap_or("no facts of it are measured in this kind of world");
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
