//! The plainest world near one that fails: fewer dimensions, fewer modes, rounder numbers.

use super::{CLEAR, Point, Worlds};
use crate::random::Knobs;
use rayon::prelude::*;

/// Worlds that a simplification may look at.
const MOST: usize = 4000;

/// A simplified counterexample still fails by this share of [`CLEAR`].
const SHARE: f64 = 0.5;

/// Puts one knob after another to its plainest value, or to a plainer one, while the world still fails clearly.
///
/// Knobs at the front choose what kind of world it is, and are tried first. Knobs that the world does not read are 0 in
/// what comes back.
pub fn simplify(worlds: impl Worlds, found: &Point) -> Point {
    let fails = |knobs: Vec<f64>| -> Option<Point> {
        let score = worlds.score(&mut Knobs::new(&knobs));
        (score.value < -SHARE * CLEAR).then_some(Point { knobs, score })
    };
    let mut best = found.clone();
    let mut looked = 0;
    loop {
        let before = best.knobs.clone();
        best.knobs.truncate(best.score.read);
        for nth in 0..best.knobs.len() {
            if nth >= best.knobs.len() || looked >= MOST {
                break;
            }
            let tries: Vec<Vec<f64>> = worlds
                .plainer(nth, best.knobs[nth])
                .into_iter()
                .map(|value| {
                    let mut knobs = best.knobs.clone();
                    knobs[nth] = value;
                    knobs
                })
                .collect();
            looked += tries.len();
            // The plainest of those that fail, whatever the threads do.
            let failing: Vec<Option<Point>> = tries.into_par_iter().map(fails).collect();
            if let Some(point) = failing.into_iter().flatten().next() {
                best = point;
            }
        }
        if best.knobs == before || looked >= MOST {
            return best;
        }
    }
}

/// Plainer values of a knob whose plainest is 0: rounder numbers.
pub(super) fn plainer(value: f64) -> Vec<f64> {
    let rounded = |digits: i32| {
        let unit = 10_f64.powi(digits);
        (value * unit).round() / unit
    };
    let mut values = vec![0.0, 1.0, 0.5, rounded(1), rounded(2), rounded(3)];
    let at = values.iter().position(|other| *other == value).unwrap_or(values.len());
    values.truncate(at);
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plainer_values_come_in_order_and_end() {
        assert_eq!(plainer(0.0), Vec::<f64>::new());
        assert_eq!(plainer(0.5), [0.0, 1.0]);
        assert_eq!(plainer(0.37), [0.0, 1.0, 0.5, 0.4]);
        assert_eq!(plainer(0.123456), [0.0, 1.0, 0.5, 0.1, 0.12, 0.123]);
    }
}
