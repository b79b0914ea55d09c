//! Whether a counterexample is one of the mathematics, and not of the arithmetic.

use super::store::{Failure, failure};
use super::{Point, Worlds};
use crate::facts::{Facts, Quantity};
use crate::random::{Knobs, Stream};
use crate::scalar::DIGITS;
use crate::verdict::Verdict;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Factors by which the time steps of a world are refined.
const FACTORS: [usize; 2] = [2, 4];

/// Why more digits are not tried, where nothing else is said.
const NOT_FINITE: &str = "the world is not one of finite maps in few dimensions";

/// Worlds near a counterexample that are looked at, and how near.
const NEIGHBOURS: usize = 32;
const NEAR: f64 = 1e-6;

/// A world looked at again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Scores with time steps refined by 2 and by 4; the same again where the world has no steps to refine.
    pub refined: [f64; 2],
    /// Whether the world has steps that were refined; of the others the observer has no finer steps, or they are
    /// maps that are what they are.
    pub has_steps: bool,
    /// The share of 32 worlds within 10⁻⁶ of each of its knobs that are counterexamples too.
    pub neighbours: f64,
    /// What more digits said.
    pub extended: Extended,
}

/// A world of finite maps carried again in extended precision: states, tangents, their product, and its singular values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extended {
    /// It cannot be, and why.
    NotApplicable(String),
    /// It was.
    Carried {
        /// Decimal digits.
        digits: u32,
        /// The facts that the failing conclusion rests on and that have a value there.
        facts: Vec<String>,
        /// The largest |difference| between the two values of one of them, in units of their bars.
        misfit: f64,
        /// The verdict by the values of more digits.
        verdict: Verdict,
        /// The slack of the same conclusion by them.
        slack: f64,
    },
}

impl Extended {
    /// Only the same verdict, from values that agree within their bars, confirms.
    fn agrees(&self) -> bool {
        match self {
            Self::NotApplicable(_) => true,
            Self::Carried { misfit, verdict, .. } => {
                *verdict == Verdict::Violated && *misfit <= 1.0
            }
        }
    }
}

impl fmt::Display for Extended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotApplicable(why) => write!(f, "not applicable, {why}"),
            Self::Carried { digits, facts, misfit, verdict, slack } => write!(
                f,
                "with {digits} digits {verdict}, slack {slack:.4}; its facts ({}) differ by {misfit:.1e} of their bars at most",
                facts.join(", ")
            ),
        }
    }
}

impl Confirmation {
    /// A counterexample at every resolution and in more digits, with most of its neighbours.
    pub fn is_confirmed(&self) -> bool {
        let finer = self.refined.iter().all(|value| *value < 0.0);
        finer && self.neighbours > 0.5 && self.extended.agrees()
    }
}

/// Looks at a counterexample again, at finer steps, and at its neighbours.
pub fn confirm(worlds: impl Worlds, point: &Point) -> Confirmation {
    let [(twice, read), (four, _)] = FACTORS.map(|factor| {
        let mut knobs = Knobs::new(&point.knobs).refined(factor);
        (worlds.score(&mut knobs).value, knobs)
    });
    let away = |nth: usize| {
        let offsets = Stream::root(nth as u64).named("neighbour").uniforms(point.knobs.len());
        // A seed near another one is another world.
        let move_by = |(i, u): (usize, &f64)| match read.moves(i) {
            true => point.knobs[i] + NEAR * (2.0 * u - 1.0),
            false => point.knobs[i],
        };
        Knobs::new(&offsets.iter().enumerate().map(move_by).collect::<Vec<_>>())
    };
    let fails = |nth: &usize| worlds.score(&mut away(*nth)).value < 0.0;
    let failing = (0..NEIGHBOURS).into_par_iter().filter(fails).count();
    Confirmation {
        refined: [twice, four],
        has_steps: read.has_steps(),
        neighbours: failing as f64 / NEIGHBOURS as f64,
        extended: extended(&worlds, &point.knobs),
    }
}

/// Judges a counterexample by facts of more digits, and compares those that its verdict rests on.
fn extended(worlds: &impl Worlds, knobs: &[f64]) -> Extended {
    let pairs = match worlds.twice(knobs) {
        Ok(pairs) => pairs,
        Err(error) => return Extended::NotApplicable(error.to_string()),
    };
    let failing = |pair| {
        let [usual, carried]: &[Facts; 2] = pair;
        Some((failure(&worlds.judge(usual))?, usual, carried))
    };
    let worst = Failure::worst(pairs.iter().filter_map(failing), |(fails, ..)| fails);
    let Some((fails, usual, carried)) = worst else {
        return Extended::NotApplicable(NOT_FINITE.to_owned());
    };
    let slack = |facts: &Facts| {
        let judgement = worlds.judge(facts);
        let margin = judgement.conclusions.iter().find(|m| m.name == fails.conclusion);
        margin.map(|margin| margin.slack)
    };
    let mut all = usual.clone();
    let (mut facts, mut misfit) = (Vec::new(), 0.0);
    for (name, series) in carried.iter() {
        all.set_series(name, series.to_vec());
        let mut without = usual.clone();
        without.set_series(name, vec![Quantity::UNKNOWN; series.len()]);
        // What a conclusion does not rest on may be unknown.
        if slack(&without) == Some(fails.slack) {
            continue;
        }
        facts.push(name.to_owned());
        for (a, b) in usual.series(name).iter().zip(series) {
            let apart = (a.value - b.value).abs();
            let units = if apart == 0.0 { 0.0 } else { apart / (a.bar + b.bar) };
            // What is unknown stays so.
            misfit = if misfit >= units || misfit.is_nan() { misfit } else { units };
        }
    }
    if facts.is_empty() {
        return Extended::NotApplicable(format!("{} rests on other facts", fails.conclusion));
    }
    let (verdict, slack) = (worlds.judge(&all).verdict(), slack(&all).unwrap_or(f64::NAN));
    Extended::Carried { digits: DIGITS, facts, misfit, verdict, slack }
}
