//! Whether a counterexample is one of the mathematics, and not of the arithmetic.

use super::{Point, Target};
use crate::random::{Knobs, Stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Factors by which the time steps of a world are refined.
const FACTORS: [usize; 2] = [2, 4];

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
}

impl Confirmation {
    /// A counterexample at every resolution, with most of its neighbours.
    pub fn is_confirmed(&self) -> bool {
        self.refined.iter().all(|value| *value < 0.0) && self.neighbours > 0.5
    }
}

/// Looks at a counterexample again, at finer steps, and at its neighbours.
pub fn confirm(target: Target, point: &Point) -> Confirmation {
    let [(twice, read), (four, _)] = FACTORS.map(|factor| {
        let mut knobs = Knobs::new(&point.knobs).refined(factor);
        (target.score(&mut knobs).value, knobs)
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
    let fails = |nth: &usize| target.score(&mut away(*nth)).value < 0.0;
    let failing = (0..NEIGHBOURS).into_par_iter().filter(fails).count();
    Confirmation {
        refined: [twice, four],
        has_steps: read.has_steps(),
        neighbours: failing as f64 / NEIGHBOURS as f64,
    }
}
