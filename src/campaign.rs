//! Many worlds: draws, observes and judges them in parallel, and sums up.

use crate::claims::Claim;
use crate::facts::nullable;
use crate::observe::{KNOBS, Observation, observe};
use crate::random::{Knobs, Stream};
use crate::verdict::{Judgement, Verdict};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF};
use std::sync::atomic::{AtomicBool, Ordering};

/// Fewer worlds than this are too few to expect every mutant to meet its counterexample.
pub const LEAST_WORLDS_FOR_MUTANTS: usize = 100;

/// A claim is undecided when fewer of its worlds in scope than this could be decided.
pub const LEAST_DECIDED: f64 = 0.9;

/// Confidence of [`ClaimSummary::violation_rate_bound`].
pub const CONFIDENCE: f64 = 0.95;

/// One world of one claim: what was seen and judged.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    (0..worlds)
        .into_par_iter()
        .filter_map(|index| {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let result = judge_world(claim, seed, index);
            after_each();
            Some(result)
        })
        .collect()
}

/// What a campaign says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No violation, enough worlds in scope and decided, every mutant refuted.
    Stands,
    /// At least one world violates the claim.
    Fell,
    /// A wrong version of the claim was never refuted: the check may be unable to fail.
    MutantSurvived,
    /// Too many worlds in scope could not be decided.
    Undecided,
    /// Too few worlds met the hypotheses.
    Vacuous,
}

/// A mutant and the worlds that refuted it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MutantSummary {
    /// Its name.
    pub name: String,
    /// How many worlds refuted it.
    pub refuted_by: usize,
    /// The first of them.
    pub first: Option<usize>,
}

/// The smallest slack of a campaign and where it was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tightest {
    /// Index of the world.
    pub index: usize,
    /// Which conclusion.
    pub conclusion: String,
    /// Its slack, relative.
    #[serde(with = "nullable")]
    pub slack: f64,
}

/// A campaign summed up, claim by claim.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimSummary {
    /// The claim.
    pub claim: String,
    /// What the campaign says of it.
    pub outcome: Outcome,
    /// Worlds finished.
    pub worlds: usize,
    /// Worlds that met every hypothesis.
    pub in_scope: usize,
    /// Worlds that could not be decided, computed worlds or not.
    pub undecided: usize,
    /// Worlds that violate the claim.
    pub violated: usize,
    /// Upper Clopper–Pearson bound on the violation rate among decided worlds in scope, at [`CONFIDENCE`].
    #[serde(with = "nullable")]
    pub violation_rate_bound: f64,
    /// The smallest slack, and where.
    pub tightest: Option<Tightest>,
    /// Quantiles 0, 0.25, 0.5, 0.75 and 1 of the smallest slack of each decided world in scope.
    pub slack_quantiles: Option<[f64; 5]>,
    /// The wrong versions.
    pub mutants: Vec<MutantSummary>,
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
    result.observed.is_ok()
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
