//! Many worlds: draws, observes and judges them in parallel, and sums up.

pub use crate::record::{ClaimSummary, MutantSummary, Outcome, Tightest};

use crate::claims::Claim;
use crate::facts::Facts;
use crate::observe::{KNOBS, Observation, observe};
use crate::random::{Knobs, Stream};
use crate::record::{ClaimRecord, Detail, WorldRecord};
use crate::verdict::{Judgement, Margin, Verdict};
use rayon::prelude::*;
use statrs::distribution::{Beta, ContinuousCDF};
use std::sync::atomic::{AtomicBool, Ordering};

/// Fewer worlds than this are too few to expect every mutant to meet its counterexample.
pub const LEAST_WORLDS_FOR_MUTANTS: usize = 100;

/// A claim is undecided when fewer of its worlds in scope than this could be decided.
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
        in_full.extend((0..results.len()).filter(|at| results[*at].verdict == verdict));
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
        worlds[at].detail = Some(Detail { judgement: result.judgement, facts: seen.facts });
    }
    ClaimRecord { summary, worlds }
}

/// A world without its details.
fn world_record(claim: &Claim, result: &WorldResult) -> WorldRecord {
    let room = |m: &&Margin| if m.slack.is_nan() { 0.0 } else { m.slack };
    let least = result.judgement.hypotheses.iter().min_by(|a, b| room(a).total_cmp(&room(b)));
    let refuted = claim.mutants.iter().zip(&result.refutes).filter(|(_, refuted)| **refuted);
    WorldRecord {
        index: result.index,
        verdict: result.verdict,
        world: result.observed.as_ref().ok().map(|seen| seen.world.clone()),
        error: result.observed.as_ref().err().cloned(),
        hypothesis: least.cloned(),
        conclusion: result.judgement.tightest().cloned(),
        refutes: refuted.map(|(mutant, _)| mutant.name.to_owned()).collect(),
        detail: None,
    }
}

/// Sums up the results of one claim.
pub fn summarise(claim: &Claim, results: &[WorldResult]) -> ClaimSummary {
    let count = |verdict| results.iter().filter(|r| r.verdict == verdict).count();
    let (violated, holds) = (count(Verdict::Violated), count(Verdict::Holds));
    let in_scope = results.iter().filter(|r| meets_hypotheses(r)).count();
    let decided = violated + holds;

    let mut slacks: Vec<(f64, usize, &str)> = results
        .iter()
        .filter(|r| matches!(r.verdict, Verdict::Holds | Verdict::Violated))
        .filter_map(|r| r.judgement.tightest().map(|m| (m.slack, r.index, m.name.as_str())))
        .collect();
    slacks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let quantile = |q: f64| slacks[((slacks.len() - 1) as f64 * q).round() as usize].0;

    let mutants: Vec<MutantSummary> = claim
        .mutants
        .iter()
        .enumerate()
        .map(|(i, mutant)| {
            let by: Vec<usize> = results.iter().filter(|r| r.refutes[i]).map(|r| r.index).collect();
            MutantSummary {
                name: mutant.name.to_owned(),
                refuted_by: by.len(),
                first: by.first().copied(),
            }
        })
        .collect();

    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let survived = results.len() >= LEAST_WORLDS_FOR_MUTANTS
        && mutants.iter().any(|mutant| mutant.refuted_by == 0);
    let outcome = if violated > 0 {
        Outcome::Fell
    } else if survived {
        Outcome::MutantSurvived
    } else if share(in_scope, results.len()) < claim.least_in_scope {
        Outcome::Vacuous
    } else if share(decided, in_scope) < LEAST_DECIDED {
        Outcome::Undecided
    } else {
        Outcome::Stands
    };
    ClaimSummary {
        claim: claim.id.to_owned(),
        outcome,
        worlds: results.len(),
        in_scope,
        undecided: count(Verdict::Undecided),
        violated,
        violation_rate_bound: violation_rate_bound(violated, decided),
        tightest: slacks.first().map(|(slack, index, conclusion)| Tightest {
            index: *index,
            conclusion: (*conclusion).to_owned(),
            slack: *slack,
        }),
        slack_quantiles: (!slacks.is_empty()).then(|| [0.0, 0.25, 0.5, 0.75, 1.0].map(quantile)),
        mutants,
    }
}

fn meets_hypotheses(result: &WorldResult) -> bool {
    // A judgement without conclusions comes of missing facts: it says nothing.
    result.observed.is_ok()
        && !result.judgement.conclusions.is_empty()
        && result.judgement.hypotheses.iter().all(|m| m.verdict() == Verdict::Holds)
}

/// The one-sided Clopper–Pearson upper bound on a rate: `failures` seen in `trials`, at [`CONFIDENCE`].
///
/// ```
/// // No failure in n trials: 1 − 0.05^(1/n), about 3/n.
/// let bound = driftproof::campaign::violation_rate_bound(0, 200);
/// assert!((bound - (1.0 - 0.05_f64.powf(1.0 / 200.0))).abs() < 1e-9);
/// ```
pub fn violation_rate_bound(failures: usize, trials: usize) -> f64 {
    if failures >= trials {
        return 1.0;
    }
    let (more, rest) = (failures as f64 + 1.0, (trials - failures) as f64);
    Beta::new(more, rest).expect("positive shape parameters").inverse_cdf(CONFIDENCE)
}
