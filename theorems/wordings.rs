//! Facts judged by a claim as it is stated, or by one of its mutants.

use driftproof::claims::Claim;
use driftproof::facts::Facts;
use driftproof::verdict::Judgement;

/// The judgement of the claim, or of its mutant of that name.
#[track_caller]
pub fn judged(claim: &Claim, facts: &Facts, mutant: Option<&str>) -> Judgement {
    match mutant {
        None => claim.judge(facts),
        Some(name) => claim.judge_mutant(facts, claim.mutant(name).expect("a mutant of that name")),
    }
}
