//! Judgements: signed margins with error bars, and what they amount to.

use crate::facts::{Quantity, nullable};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a judge says of one world, or of one margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every hypothesis is met and every conclusion has slack beyond its bar.
    Holds,
    /// Every hypothesis is met and a conclusion fails by more than its bar.
    Violated,
    /// Some margin lies inside its bar, or was not measured.
    Undecided,
    /// A hypothesis fails by more than its bar: the claim says nothing here.
    OutOfScope,
}

/// In words.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::Violated => "VIOLATED",
            Self::Undecided => "undecided",
            Self::OutOfScope => "out of scope",
        })
    }
}

/// A signed slack with its own error bar, both relative to the size of what is compared.
///
/// Positive slack is room to spare. `slack` of [`Margin::at_most`] lies in
/// [-1, 1] when both sides are nonnegative: 1 − lhs/rhs where it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// What is compared, e.g. `H2 initial slope below the barrier`.
    pub name: String,
    /// Signed slack, at least 0 where the comparison holds.
    #[serde(with = "nullable")]
    pub slack: f64,
    /// Error bar of the slack.
    #[serde(with = "nullable")]
    pub bar: f64,
    /// What an inequality leaves without its bars, (right − left)/scale; NaN for an equality.
    ///
    /// Wide bars do not add to it. Where a bound is attained it may be below 0 by as much as the bars.
    #[serde(with = "nullable")]
    pub room: f64,
    /// Left and right of an inequality, measured and predicted of an equality, where these are finite numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<[f64; 2]>,
}

/// Both sides, if they can be kept.
pub(crate) fn sides(left: Quantity, right: Quantity) -> Option<[f64; 2]> {
    (left.value.is_finite() && right.value.is_finite()).then_some([left.value, right.value])
}

impl Margin {
    /// `left <= right`, relative to the larger side.
    ///
    /// ```
    /// use driftproof::{facts::Quantity, verdict::{Margin, Verdict}};
    /// let m = Margin::at_most("angle", Quantity::exact(0.5), Quantity::exact(2.0));
    /// assert_eq!(m.slack, 0.75); // (2 - 0.5) / 2
    /// assert_eq!(m.verdict(), Verdict::Holds);
    /// ```
    pub fn at_most(name: impl Into<String>, left: Quantity, right: Quantity) -> Self {
        if right.value == f64::INFINITY && left.value.is_finite() {
            return Self { name: name.into(), slack: 1.0, bar: 0.0, room: 1.0, sides: None };
        }
        let scale = left.value.abs().max(right.value.abs());
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let slack = (right.value - left.value) / scale;
        let (bar, sides) = ((left.bar + right.bar) / scale, sides(left, right));
        Self { name: name.into(), slack, bar, room: slack, sides }
    }

    /// `left >= right`, relative to the larger side.
    pub fn at_least(name: impl Into<String>, left: Quantity, right: Quantity) -> Self {
        Self::at_most(name, right, left)
    }

    /// `measured = predicted` within their bars: slack is 1 − |difference| / (sum of bars).
    ///
    /// Undecided when the bars exceed `resolution` times the predicted size:
    /// two numbers with wide bars agree too easily to be evidence.
    pub fn equal(
        name: impl Into<String>,
        measured: Quantity,
        predicted: Quantity,
        resolution: f64,
    ) -> Self {
        let tolerance = measured.bar + predicted.bar;
        let difference = (measured.value - predicted.value).abs();
        let size = predicted.value.abs().max(measured.value.abs()).max(f64::MIN_POSITIVE);
        let slack = match difference == 0.0 && !tolerance.is_nan() {
            true => 1.0,
            // Unequal numbers without bars disagree by an infinite multiple of them.
            false => finite_below(1.0 - difference / tolerance),
        };
        let coarse = tolerance > resolution * size;
        Self {
            name: name.into(),
            // A disagreement beyond wide bars still counts; an agreement within them does not.
            slack: if coarse && slack >= 0.0 { f64::NAN } else { slack },
            bar: 0.0,
            room: f64::NAN,
            sides: sides(measured, predicted),
        }
    }

    /// `left <= right` where equality is attained, so that it counts as met up to the bars.
    ///
    /// Slack is (right − left + bars)/scale, with no bar of its own. Undecided
    /// when the bars exceed `resolution` times `scale`: see [`Margin::equal`].
    pub fn attained(
        name: impl Into<String>,
        left: Quantity,
        right: Quantity,
        scale: f64,
        resolution: f64,
    ) -> Self {
        let bars = left.bar + right.bar;
        let slack = finite_below((right.value - left.value + bars) / scale);
        let coarse = bars > resolution * scale;
        Self {
            name: name.into(),
            slack: if coarse && slack >= 0.0 { f64::NAN } else { slack },
            bar: 0.0,
            room: finite_below((right.value - left.value) / scale),
            sides: sides(left, right),
        }
    }

    /// A comparison of which nobody knows whether it applies, or what it compares: always undecided.
    pub fn unknown(name: impl Into<String>) -> Self {
        Self { name: name.into(), slack: f64::NAN, bar: 0.0, room: f64::NAN, sides: None }
    }

    /// A condition that is known to be true or false.
    pub fn condition(name: impl Into<String>, met: bool) -> Self {
        let slack = if met { 1.0 } else { -1.0 };
        Self { name: name.into(), slack, bar: 0.0, room: slack, sides: None }
    }

    /// Of an equality, |difference| in units of the bars, at most 1 where it holds; None for an inequality.
    pub fn misfit(&self) -> Option<f64> {
        (self.room.is_nan() && self.slack.is_finite()).then_some(1.0 - self.slack)
    }

    /// The name without its numbers: `slope at 3/4` is of the form `slope at #`.
    pub fn form(&self) -> String {
        let number = |word: &str| {
            let digits = word.strip_prefix('-').unwrap_or(word);
            digits.starts_with(|c: char| c.is_ascii_digit())
        };
        let words = self.name.split(' ').map(|word| if number(word) { "#" } else { word });
        words.collect::<Vec<_>>().join(" ")
    }

    /// What is left of the slack beyond its bar; −∞ when it is unknown.
    pub(crate) fn beyond(&self) -> f64 {
        let beyond = self.slack - self.bar;
        if beyond.is_nan() { f64::NEG_INFINITY } else { beyond }
    }

    /// Holds, violated, or undecided when the slack is inside its bar or not finite.
    pub fn verdict(&self) -> Verdict {
        if !(self.slack.is_finite() && self.bar.is_finite()) {
            Verdict::Undecided
        } else if self.slack < -self.bar {
            Verdict::Violated
        } else if self.slack < self.bar {
            Verdict::Undecided
        } else {
            Verdict::Holds
        }
    }
}

/// The margins of one claim in one world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Hypotheses, in the order of the statement.
    pub hypotheses: Vec<Margin>,
    /// Conclusions; all must hold.
    pub conclusions: Vec<Margin>,
}

impl Judgement {
    /// The verdict of the claim in this world.
    ///
    /// Out of scope wins over undecided: a world that fails one hypothesis
    /// for certain says nothing, whatever the others are. No conclusion at
    /// all is undecided.
    pub fn verdict(&self) -> Verdict {
        let hypotheses: Vec<_> = self.hypotheses.iter().map(Margin::verdict).collect();
        let conclusions: Vec<_> = self.conclusions.iter().map(Margin::verdict).collect();
        if hypotheses.contains(&Verdict::Violated) {
            Verdict::OutOfScope
        } else if hypotheses.contains(&Verdict::Undecided) || conclusions.is_empty() {
            Verdict::Undecided
        } else if conclusions.contains(&Verdict::Violated) {
            Verdict::Violated
        } else if conclusions.contains(&Verdict::Undecided) {
            Verdict::Undecided
        } else {
            Verdict::Holds
        }
    }

    /// The conclusion with the smallest slack beyond its bar, slack − bar; what is unknown counts as smallest.
    pub fn tightest(&self) -> Option<&Margin> {
        self.conclusions.iter().min_by(|a, b| a.beyond().total_cmp(&b.beyond()))
    }

    /// The inequality among the conclusions that leaves the smallest [`Margin::room`].
    pub fn least_room(&self) -> Option<&Margin> {
        let inequalities = self.conclusions.iter().filter(|m| !m.room.is_nan());
        inequalities.min_by(|a, b| a.room.total_cmp(&b.room))
    }

    /// The equality among the conclusions with the largest [`Margin::misfit`].
    pub fn largest_misfit(&self) -> Option<&Margin> {
        let equalities = self.conclusions.iter().filter(|m| m.misfit().is_some());
        equalities.min_by(|a, b| a.slack.total_cmp(&b.slack))
    }

    /// The same judgement with one hypothesis forgotten (by the start of its name, e.g. `H2`).
    pub fn without_hypothesis(mut self, id: &str) -> Self {
        self.hypotheses.retain(|margin| margin.name.split(' ').next() != Some(id));
        self
    }
}

/// −∞ as the lowest finite number: a certain violation, where a NaN stays undecided.
pub(crate) fn finite_below(slack: f64) -> f64 {
    if slack == f64::NEG_INFINITY { -f64::MAX } else { slack }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Grade;

    fn margin(name: &str, slack: f64, bar: f64) -> Margin {
        Margin { name: name.into(), slack, bar, room: slack, sides: None }
    }

    fn tightest(conclusions: Vec<Margin>) -> String {
        let judgement = Judgement { hypotheses: Vec::new(), conclusions };
        judgement.tightest().unwrap().name.clone()
    }

    #[test]
    fn a_wide_bar_takes_from_the_slack() {
        let sure = || margin("sure", 0.5, 0.0);
        assert_eq!(tightest(vec![sure(), margin("unsure", 0.6, 0.55)]), "unsure");
        assert_eq!(tightest(vec![margin("unknown bar", 0.9, f64::NAN), sure()]), "unknown bar");
        assert_eq!(tightest(vec![sure(), margin("unknown", f64::NAN, 0.0)]), "unknown");
    }

    #[test]
    fn unknown_bars_decide_nothing_even_where_the_values_agree() {
        let (vague, one) = (Quantity::new(1.0, f64::NAN, Grade::Sampled), Quantity::exact(1.0));
        assert_eq!(Margin::equal("equal", vague, one, 0.1).verdict(), Verdict::Undecided);
        assert_eq!(Margin::attained("at most", vague, one, 1.0, 0.1).verdict(), Verdict::Undecided);
        assert_eq!(Margin::at_most("at most", vague, one * 2.0).verdict(), Verdict::Undecided);
        assert_eq!(Margin::equal("equal", one, one, 0.1).verdict(), Verdict::Holds);
    }

    #[test]
    fn a_larger_bar_gives_no_more_room() {
        let left = |bar| Quantity::new(0.75, bar, Grade::Estimated);
        let room = |bar| Margin::attained("", left(bar), Quantity::exact(1.0), 1.0, 0.5).room;
        assert_eq!((room(0.0), room(0.25)), (0.25, 0.25)); // 1 − 0.75
        let off = Margin::equal("", left(0.5), Quantity::exact(1.0), 1.0);
        assert_eq!(off.misfit(), Some(0.5)); // 0.25/0.5
        assert!(off.room.is_nan());
    }

    #[test]
    fn the_form_of_a_name_has_no_numbers() {
        let form = |name: &str| margin(name, 0.0, 0.0).form();
        assert_eq!(form("(b) sum of 12 at least"), "(b) sum of # at least");
        assert_eq!(form("slope at 3/4"), "slope at #");
        assert_eq!(form("scalar equation at t = -0.25"), "scalar equation at t = #");
        assert_eq!(form("no number"), "no number");
    }
}
