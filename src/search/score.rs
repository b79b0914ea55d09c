//! How near a world comes to a counterexample.

use super::Worlds;
use super::simplify::plainer;
use crate::claims::{Claim, Mutant};
use crate::error::Result;
use crate::facts::Facts;
use crate::observe::{KNOBS, extended, observe};
use crate::random::Knobs;
use crate::scenario_file::Wording;
use crate::verdict::{Judgement, Margin, Verdict};
use serde::{Deserialize, Serialize};

/// The wording of a claim whose counterexamples are wanted.
#[derive(Clone, Copy)]
pub struct Target {
    /// The claim.
    pub claim: &'static Claim,
    /// The wrong version of it that is searched in its place, if any.
    pub wording: Option<&'static Mutant>,
}

impl Target {
    /// The judgement of that wording.
    pub fn judge(&self, facts: &Facts) -> Judgement {
        match self.wording {
            Some(mutant) => self.claim.judge_mutant(facts, mutant),
            None => self.claim.judge(facts),
        }
    }
}

/// The worlds that the observer of the claim makes.
impl Worlds for Target {
    /// `CLAIM`, or `CLAIM--MUTANT`.
    fn name(&self) -> String {
        let wrong = self.wording.map(|mutant| mutant.name);
        Wording { claim: self.claim.id, wrong }.name()
    }

    fn knobs(&self) -> usize {
        KNOBS
    }

    fn score(&self, knobs: &mut Knobs) -> Score {
        match observe(self.claim.id, knobs) {
            Ok(seen) => Score::of(&self.judge(&seen.facts), seen.labels.family, knobs.read()),
            Err(_) => Score::not_computed(knobs.read()),
        }
    }

    fn plainer(&self, _: usize, value: f64) -> Vec<f64> {
        plainer(value)
    }

    fn judge(&self, facts: &Facts) -> Judgement {
        Target::judge(self, facts)
    }

    fn twice(&self, knobs: &[f64]) -> Result<Vec<[Facts; 2]>> {
        let Some(extended) = extended(self.claim.id, &mut Knobs::new(knobs))? else {
            return Ok(Vec::new());
        };
        Ok(vec![[observe(self.claim.id, &mut Knobs::new(knobs))?.facts, extended]])
    }
}

/// The score of a world that could not be computed.
const NOT_COMPUTED: f64 = 3.0;

/// What a search knows of a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Smaller is nearer to a counterexample: from 1 to 2 while hypotheses are not met, from −1 to 1 for the least room
    /// of a conclusion beyond its bar, below 0 for a counterexample; 3 where nothing could be computed.
    pub value: f64,
    /// The verdict of the wording that is searched.
    pub verdict: Verdict,
    /// The family of the world.
    pub family: String,
    /// How many knobs it read.
    pub read: usize,
}

impl Score {
    /// That of a world of a family, by its judgement.
    pub(super) fn of(judgement: &Judgement, family: String, read: usize) -> Self {
        Self { value: value(judgement), verdict: judgement.verdict(), family, read }
    }

    /// That of a world that could not be computed.
    pub(super) fn not_computed(read: usize) -> Self {
        let (verdict, family) = (Verdict::Undecided, String::new());
        Self { value: NOT_COMPUTED, verdict, family, read }
    }

    /// Whether every hypothesis is met beyond doubt.
    pub fn in_scope(&self) -> bool {
        self.value < 1.0
    }
}

/// x/(1 + |x|): keeps the sign and the order, within (−1, 1).
fn squashed(x: f64) -> f64 {
    match x.is_infinite() {
        true => x.signum(),
        false => x / (1.0 + x.abs()),
    }
}

fn value(judgement: &Judgement) -> f64 {
    let lacking = |margin: &Margin| {
        let beyond = margin.slack - margin.bar;
        // What is unknown is as bad as can be.
        if beyond.is_nan() { 1.0 } else { squashed((-beyond).max(0.0)) }
    };
    let missed = judgement.hypotheses.iter().filter(|margin| margin.verdict() != Verdict::Holds);
    let lacks: Vec<f64> = missed.map(lacking).collect();
    if !lacks.is_empty() {
        return 1.0 + lacks.iter().sum::<f64>() / lacks.len() as f64;
    }
    let room = |margin: &Margin| Some(margin.slack + margin.bar).filter(|room| !room.is_nan());
    let least = judgement.conclusions.iter().filter_map(room).min_by(f64::total_cmp);
    // Just below 1: in scope, and nothing was decided.
    squashed(least.unwrap_or(f64::INFINITY)).min(1.0 - 1e-9)
}
