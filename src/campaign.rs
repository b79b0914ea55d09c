//! Many worlds: draws, observes and judges them in parallel, and sums up.

pub mod scenario;
mod summary;

pub use crate::record::{
    ClaimSummary, Distribution, Extreme, FormSummary, GroupSummary, MutantSummary, Outcome,
    Tightest,
};
pub use summary::{summarise, violation_rate_bound};

use crate::claims::Claim;
use crate::facts::Facts;
use crate::observe::{KNOBS, Observation, observe, picture};
use crate::random::{Knobs, Stream};
use crate::record::{ClaimRecord, Detail, WorldRecord};
use crate::verdict::{Judgement, Margin, Verdict};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Fewer worlds than this are too few to expect every mutant to meet its counterexample.
pub const LEAST_WORLDS_FOR_MUTANTS: usize = 100;

/// A claim is undecided when fewer of its worlds than this, those out of scope aside, could be decided.
///
/// A world that could not be computed, or whose hypotheses could not be
/// decided, may be in scope: it counts against the claim.
pub const LEAST_DECIDED: f64 = 0.9;

/// Confidence of [`ClaimSummary::violation_rate_bound`].
pub const CONFIDENCE: f64 = 0.95;

/// A record holds the details of worlds up to so many quantities a claim, and always of the tightest world.
pub const DETAILED_QUANTITIES: usize = 4000;

/// One world of one claim: what was seen and judged.
#[derive(Clone, Debug)]
pub struct WorldResult {
    /// Its index in the campaign; with the seed and the claim it repeats the world.
    pub index: usize,
    /// World and facts, or why they could not be computed.
    pub observed: Result<Observation, String>,
    /// Hypotheses and conclusions.
    pub judgement: Judgement,
    /// The verdict; undecided when the world could not be computed.
    pub verdict: Verdict,
    /// For each mutant of the claim, whether this world refutes it.
    pub refutes: Vec<bool>,
}

/// The knobs of a world: a function of seed, claim and index alone.
pub fn knobs(claim: &Claim, seed: u64, index: usize) -> Knobs {
    Knobs::draw(Stream::root(seed).named(claim.id).indexed(index as u64), KNOBS)
}

/// Observes and judges one world.
pub fn judge_world(claim: &Claim, seed: u64, index: usize) -> WorldResult {
    match observe(claim.id, &mut knobs(claim, seed, index)) {
        Ok(observation) => {
            let judgement = claim.judge(&observation.facts);
            let refutes = claim
                .mutants
                .iter()
                .map(|m| {
                    let verdict = claim.judge_mutant(&observation.facts, m).verdict();
                    verdict == Verdict::Violated
                })
                .collect();
            let verdict = judgement.verdict();
            WorldResult { index, observed: Ok(observation), judgement, verdict, refutes }
        }
        Err(error) => WorldResult {
            index,
            observed: Err(error.to_string()),
            judgement: Judgement::default(),
            verdict: Verdict::Undecided,
            refutes: vec![false; claim.mutants.len()],
        },
    }
}

/// Judges worlds 0..`worlds` of a claim on the current rayon pool.
///
/// The results are in order of their index and the same for every number of
/// threads. `after_each` is called as worlds finish; once `stop` is set, no
/// new world is begun and the finished ones are returned.
pub fn run(
    claim: &Claim,
    seed: u64,
    worlds: usize,
    stop: &AtomicBool,
    after_each: &(dyn Fn() + Sync),
) -> Vec<WorldResult> {
    run_keeping(claim, seed, worlds, stop, after_each, |result| result)
}

/// [`run`], which keeps facts only where they are needed: in worlds violated or undecided.
///
/// Long campaigns would otherwise fill the memory with facts that hold;
/// [`record`] observes the tightest world once more.
pub fn run_frugally(
    claim: &Claim,
    seed: u64,
    worlds: usize,
    stop: &AtomicBool,
    after_each: &(dyn Fn() + Sync),
) -> Vec<WorldResult> {
    run_keeping(claim, seed, worlds, stop, after_each, |mut result| {
        if let (Verdict::Holds | Verdict::OutOfScope, Ok(seen)) =
            (result.verdict, &mut result.observed)
        {
            seen.facts = Facts::new();
        }
        result
    })
}

fn run_keeping(
    claim: &Claim,
    seed: u64,
    worlds: usize,
    stop: &AtomicBool,
    after_each: &(dyn Fn() + Sync),
    keep: impl Fn(WorldResult) -> WorldResult + Sync,
) -> Vec<WorldResult> {
    (0..worlds)
        .into_par_iter()
        .filter_map(|index| {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let result = judge_world(claim, seed, index);
            after_each();
            Some(keep(result))
        })
        .collect()
}

/// The record of a campaign: every world, in full where it matters (see [`crate::record`]).
pub fn record(claim: &Claim, seed: u64, results: &[WorldResult]) -> ClaimRecord {
    let summary = summarise(claim, results);
    let mut worlds: Vec<WorldRecord> = results.iter().map(|r| world_record(claim, r)).collect();
    let mut in_full = Vec::new();
    if let Some(tightest) = &summary.tightest {
        in_full.extend(results.iter().position(|r| r.index == tightest.index));
    }
    for verdict in [Verdict::Violated, Verdict::Undecided] {
        let tightest = in_full.first().copied();
        let others = (0..results.len()).filter(|at| Some(*at) != tightest);
        in_full.extend(others.filter(|at| results[*at].verdict == verdict));
    }
    let mut quantities = 0;
    for (nth, at) in in_full.into_iter().enumerate() {
        let result = match results[at].verdict {
            // Its facts may have been dropped: see `run_frugally`.
            Verdict::Holds => judge_world(claim, seed, results[at].index),
            _ => results[at].clone(),
        };
        let Ok(seen) = result.observed else { continue };
        quantities += seen.facts.iter().map(|(_, series)| series.len()).sum::<usize>();
        if nth > 0 && quantities > DETAILED_QUANTITIES {
            break;
        }
        // What cannot be drawn has been measured all the same.
        let drawn = picture(claim.id, &mut knobs(claim, seed, result.index)).ok().flatten();
        let (judgement, facts) = (result.judgement, seen.facts);
        worlds[at].detail = Some(Detail { judgement, facts, picture: drawn });
    }
    ClaimRecord { summary, worlds }
}

/// A world without its details.
fn world_record(claim: &Claim, result: &WorldResult) -> WorldRecord {
    let slack = |m: &&Margin| if m.slack.is_nan() { 0.0 } else { m.slack };
    let least = result.judgement.hypotheses.iter().min_by(|a, b| slack(a).total_cmp(&slack(b)));
    let refuted = claim.mutants.iter().zip(&result.refutes).filter(|(_, refuted)| **refuted);
    WorldRecord {
        index: result.index,
        verdict: result.verdict,
        world: result.observed.as_ref().ok().map(|seen| seen.world.clone()),
        labels: result.observed.as_ref().ok().map(|seen| seen.labels.clone()),
        error: result.observed.as_ref().err().cloned(),
        hypothesis: least.cloned(),
        conclusion: result.judgement.tightest().cloned(),
        refutes: refuted.map(|(mutant, _)| mutant.name.to_owned()).collect(),
        detail: None,
    }
}
