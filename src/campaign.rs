//! Many worlds: draws, observes and judges them in parallel, and sums up.

pub use crate::record::{
    ClaimSummary, ConclusionSummary, Extreme, MutantSummary, Outcome, Tightest,
};

use crate::claims::Claim;
use crate::facts::{Facts, largest_share};
use crate::observe::{KNOBS, Observation, observe};
use crate::random::{Knobs, Stream};
use crate::record::{ClaimRecord, Detail, WorldRecord};
use crate::verdict::{Judgement, Margin, Verdict};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
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

    let seen =
        || results.iter().filter(|r| matches!(r.verdict, Verdict::Holds | Verdict::Violated));
    let tightest = seen()
        .filter_map(|r| Some((r.index, r.judgement.tightest()?)))
        .min_by(|(_, a), (_, b)| a.beyond().total_cmp(&b.beyond()));
    let extreme =
        |index, margin: &Margin, value| Extreme { index, conclusion: margin.name.clone(), value };
    let mut rooms: Vec<Extreme> = seen()
        .filter_map(|r| r.judgement.least_room().map(|m| extreme(r.index, m, m.room)))
        .collect();
    rooms.sort_by(|a, b| a.value.total_cmp(&b.value));
    let quantile = |q: f64| rooms[((rooms.len() - 1) as f64 * q).round() as usize].value;
    let largest_misfit = seen()
        .filter_map(|r| {
            let margin = r.judgement.largest_misfit()?;
            Some(extreme(r.index, margin, margin.misfit()?))
        })
        .max_by(|a, b| a.value.total_cmp(&b.value));
    let conclusions = conclusions(results);

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
    let out_of_scope = count(Verdict::OutOfScope);
    let maybe_in_scope = results.len() - out_of_scope;
    let never_judged = results.len() >= LEAST_WORLDS_FOR_MUTANTS
        && conclusions.iter().any(|conclusion| conclusion.judged == 0);
    let outcome = if violated > 0 {
        Outcome::Fell
    } else if survived {
        Outcome::MutantSurvived
    } else if maybe_in_scope > 0 && share(decided, maybe_in_scope) < LEAST_DECIDED {
        Outcome::Undecided
    } else if share(in_scope, results.len()) < claim.least_in_scope || never_judged {
        Outcome::Vacuous
    } else {
        Outcome::Stands
    };
    ClaimSummary {
        claim: claim.id.to_owned(),
        outcome,
        worlds: results.len(),
        in_scope,
        out_of_scope,
        undecided: count(Verdict::Undecided),
        violated,
        violation_rate_bound: violation_rate_bound(violated, decided),
        tightest: tightest.map(|(index, margin)| Tightest {
            index,
            conclusion: margin.name.clone(),
            slack: margin.slack,
        }),
        room_quantiles: (!rooms.is_empty()).then(|| [0.0, 0.25, 0.5, 0.75, 1.0].map(quantile)),
        least_room: rooms.into_iter().next(),
        largest_misfit,
        conclusions,
        mutants,
    }
}

/// Every form of conclusion that some world states, and how the worlds in scope judged it.
fn conclusions(results: &[WorldResult]) -> Vec<ConclusionSummary> {
    let mut forms: BTreeMap<String, ConclusionSummary> = BTreeMap::new();
    for result in results {
        let counts = meets_hypotheses(result);
        let mut judged = BTreeSet::new();
        for margin in &result.judgement.conclusions {
            let form = margin.form();
            let entry = forms.entry(form.clone()).or_insert_with(|| ConclusionSummary {
                form: form.clone(),
                judged: 0,
                least_slack: f64::NAN,
            });
            if counts && margin.verdict() != Verdict::Undecided {
                // min ignores the NaN of a form that was not judged yet.
                entry.least_slack = entry.least_slack.min(margin.beyond());
                entry.judged += usize::from(judged.insert(form));
            }
        }
    }
    forms.into_values().collect()
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
    if trials == 0 { 1.0 } else { largest_share(failures, trials, 1.0 - CONFIDENCE) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::qr_subspace_tracks_singular_subspace::CLAIM;

    /// A world with one hypothesis and conclusions of the given slacks.
    fn world(index: usize, hypothesis: f64, conclusions: &[(&str, f64)]) -> WorldResult {
        let margin = |name: &str, slack| Margin { name: name.into(), slack, bar: 0.0, room: slack };
        let judgement = Judgement {
            hypotheses: vec![margin("H1", hypothesis)],
            conclusions: conclusions.iter().map(|(name, slack)| margin(name, *slack)).collect(),
        };
        let observed = Ok(Observation { world: serde_json::Value::Null, facts: Facts::new() });
        let (verdict, refutes) = (judgement.verdict(), vec![true; CLAIM.mutants.len()]);
        WorldResult { index, observed, judgement, verdict, refutes }
    }

    fn outcome(worlds: impl Iterator<Item = WorldResult>) -> Outcome {
        summarise(&CLAIM, &worlds.collect::<Vec<_>>()).outcome
    }

    #[test]
    fn worlds_that_could_not_be_computed_count_against_a_claim() {
        let failing = |share: usize| {
            outcome((0..200).map(|i| {
                let mut result = world(i, 1.0, &[("bound", 0.5)]);
                if i % 100 < share {
                    result.observed = Err("singular".into());
                    (result.judgement, result.verdict) = (Judgement::default(), Verdict::Undecided);
                }
                result
            }))
        };
        assert_eq!(failing(9), Outcome::Stands);
        assert_eq!(failing(11), Outcome::Undecided);
    }

    #[test]
    fn worlds_with_undecided_hypotheses_count_against_a_claim_and_those_out_of_scope_do_not() {
        let with = |slack: f64| {
            let hypothesis = move |i: usize| if i % 100 < 20 { slack } else { 1.0 };
            outcome((0..200).map(move |i| world(i, hypothesis(i), &[("bound", 0.5)])))
        };
        assert_eq!(with(f64::NAN), Outcome::Undecided);
        assert_eq!(with(-1.0), Outcome::Stands);
    }

    #[test]
    fn a_conclusion_that_no_world_in_scope_judged_does_not_stand() {
        let with = |in_scope: f64| {
            let rare = move |i: usize| match i {
                7 => world(i, in_scope, &[("bound", 0.5), ("rare 3", 0.25)]),
                _ => world(i, 1.0, &[("bound", 0.5)]),
            };
            summarise(&CLAIM, &(0..200).map(rare).collect::<Vec<_>>())
        };
        let (once, never) = (with(1.0), with(-1.0));
        assert_eq!((once.outcome, never.outcome), (Outcome::Stands, Outcome::Vacuous));
        assert_eq!(never.never_judged().collect::<Vec<_>>(), ["rare #"]);
        let rare = once.conclusions.iter().find(|c| c.form == "rare #").unwrap();
        assert_eq!((rare.judged, rare.least_slack), (1, 0.25));
    }
}
