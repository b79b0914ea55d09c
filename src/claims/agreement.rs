//! Equalities of whole vectors, every entry within its own bars, and bounds relative to the larger side.

use crate::facts::Quantity;
use crate::verdict::{Margin, finite_below, sides};

/// What the bars of an entry are compared with when they are to be called too wide.
#[derive(Clone, Copy, Debug)]
pub enum Relative {
    /// The size of that entry.
    Entry,
    /// The largest entry of the vector.
    Vector,
    /// A fixed size, such as 1 for logarithms and angles.
    To(f64),
}

/// `measured = predicted` entry by entry: slack is the least 1 − |difference|/(sum of bars).
///
/// As [`Margin::equal`], an agreement within bars wider than `resolution`
/// times the size is undecided, and so are vectors of different lengths.
pub fn agree(
    name: impl Into<String>,
    measured: &[Quantity],
    predicted: &[Quantity],
    relative: Relative,
    resolution: f64,
) -> Margin {
    let largest = predicted.iter().map(|p| p.value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let (mut slack, mut tightest): (f64, _) = (1.0, None);
    let mut coarse = measured.is_empty() || measured.len() != predicted.len();
    for (m, p) in measured.iter().zip(predicted) {
        let size = match relative {
            Relative::Entry => p.value.abs().max(f64::MIN_POSITIVE),
            Relative::Vector => largest,
            Relative::To(size) => size,
        };
        let (difference, tolerance) = ((m.value - p.value).abs(), m.bar + p.bar);
        // A NaN on either side must not pass as agreement.
        let room = if difference == 0.0 { 1.0 } else { 1.0 - difference / tolerance };
        coarse |= tolerance.is_nan() || size.is_nan() || tolerance > resolution * size;
        if room < slack || room.is_nan() || tightest.is_none() {
            (slack, tightest) = (room.min(slack), sides(*m, *p));
        }
        if room.is_nan() {
            slack = room;
        }
        if slack.is_nan() {
            break;
        }
    }
    let slack = if coarse && slack >= 0.0 { f64::NAN } else { finite_below(slack) };
    Margin { name: name.into(), slack, bar: 0.0, room: f64::NAN, sides: tightest }
}

/// `measured = 0` within its bars, which are compared with `scale`.
pub fn vanish(
    name: impl Into<String>,
    measured: &[Quantity],
    scale: f64,
    resolution: f64,
) -> Margin {
    let zero = vec![Quantity::exact(0.0); measured.len()];
    agree(name, measured, &zero, Relative::To(scale), resolution)
}

/// `left <= right` where equality is attained: [`Margin::attained`] relative to the larger side, or to `least` where
/// both are smaller.
pub fn attained(
    name: impl Into<String>,
    left: Quantity,
    right: Quantity,
    least: f64,
    resolution: f64,
) -> Margin {
    let scale = left.value.abs().max(right.value.abs()).max(least.max(f64::MIN_POSITIVE));
    Margin::attained(name, left, right, scale, resolution)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Grade;
    use crate::verdict::Verdict;

    #[test]
    fn an_unknown_entry_is_no_violation() {
        let known = [Quantity::exact(1.0); 2];
        let unknown = [Quantity::exact(1.0), Quantity::UNKNOWN];
        let verdict =
            |m: &[Quantity], p: &[Quantity]| agree("", m, p, Relative::Entry, 0.1).verdict();
        assert_eq!(verdict(&unknown, &known), Verdict::Undecided);
        assert_eq!(verdict(&known, &known), Verdict::Holds);
        // Without a scale, nobody knows whether the bars are wide.
        let vague = [Quantity::new(1.0, 9.0, Grade::Sampled)];
        let unscaled = agree("", &vague, &known[..1], Relative::To(f64::NAN), 0.1);
        assert_eq!(unscaled.verdict(), Verdict::Undecided);
        assert_eq!(
            verdict(&known, &[Quantity::exact(1.0), Quantity::exact(2.0)]),
            Verdict::Violated
        );
    }
}
