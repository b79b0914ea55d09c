//! What is true of a world: plain numbers with error bars and evidence grades.
//!
//! The computing tower writes facts, the judging tower reads them; neither
//! sees the other. A quantity that was not measured is NaN, and NaN makes
//! every margin undecided: unknown is never "holds".

mod sampled;

pub use sampled::{LEVEL, REPORTED, largest_share, least_share, student};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// How a number is known; a combination is only as good as its weakest part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// A closed form, evaluated to rounding.
    Symbolic,
    /// A rigorous enclosure.
    Enclosed,
    /// A numerical method with an error estimate.
    Estimated,
    /// A statistic over random draws, with a confidence bar: see [`Quantity::sampled_mean`] and its like.
    Sampled,
}

/// A number with an absolute error bar and its evidence grade.
///
/// Arithmetic propagates bars to first order, in the worst case (bars add).
///
/// ```
/// use driftproof::facts::{Grade, Quantity};
/// let a = Quantity::new(2.0, 0.1, Grade::Estimated);
/// let b = Quantity::exact(3.0);
/// assert_eq!((a * b).value, 6.0);
/// assert!(((a * b).bar - 0.3).abs() < 1e-15); // |b| * bar(a) = 3 * 0.1
/// assert_eq!((a * b).grade, Grade::Estimated);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// The number; NaN (`null` in JSON) when it was not measured.
    #[serde(with = "nullable")]
    pub value: f64,
    /// Absolute error bar, at least 0.
    #[serde(with = "nullable")]
    pub bar: f64,
    /// How it is known.
    pub grade: Grade,
}

impl Quantity {
    /// What was not measured.
    pub const UNKNOWN: Self = Self { value: f64::NAN, bar: f64::NAN, grade: Grade::Sampled };

    /// A value with its bar and grade.
    pub fn new(value: f64, bar: f64, grade: Grade) -> Self {
        Self { value, bar, grade }
    }

    /// A number that is exact by definition: a parameter, a count.
    pub fn exact(value: f64) -> Self {
        Self::new(value, 0.0, Grade::Symbolic)
    }

    /// A closed form carried out in floating point: `ulps` units of rounding relative to |value|.
    pub fn rounded(value: f64, ulps: f64) -> Self {
        Self::new(value, ulps * f64::EPSILON * value.abs(), Grade::Symbolic)
    }

    /// The same number with `bar` added to its error bar.
    pub fn widened(self, bar: f64) -> Self {
        Self::new(self.value, self.bar + bar.abs(), self.grade)
    }

    /// f(self), given f and |f'| there.
    fn map(self, f: impl Fn(f64) -> f64, slope: f64) -> Self {
        let value = f(self.value);
        let bar = slope.abs() * self.bar + f64::EPSILON * value.abs();
        Self::new(value, bar, self.grade)
    }

    /// The square root.
    pub fn sqrt(self) -> Self {
        self.map(f64::sqrt, 0.5 / self.value.sqrt())
    }

    /// The exponential.
    pub fn exp(self) -> Self {
        self.map(f64::exp, self.value.exp())
    }

    /// The natural logarithm.
    pub fn ln(self) -> Self {
        self.map(f64::ln, 1.0 / self.value)
    }

    /// The arctangent, in radians.
    pub fn atan(self) -> Self {
        self.map(f64::atan, 1.0 / (1.0 + self.value * self.value))
    }

    /// The absolute value.
    pub fn abs(self) -> Self {
        Self::new(self.value.abs(), self.bar, self.grade)
    }

    /// The larger of two; the bar reaches the upper end of either.
    pub fn max(self, other: Self) -> Self {
        let (larger, smaller) = if other.value > self.value || other.value.is_nan() {
            (other, self)
        } else {
            (self, other)
        };
        larger.reaching(smaller)
    }

    /// The smaller of two; the bar reaches the lower end of either.
    pub fn min(self, other: Self) -> Self {
        -(-self).max(-other)
    }

    /// The winner of a comparison: the loser's true value may lie beyond by its bar less the gap.
    fn reaching(self, loser: Self) -> Self {
        let beyond = loser.bar - (self.value - loser.value).abs();
        let bar = match (self.value.is_infinite(), loser.bar.is_nan()) {
            (true, _) => self.bar,
            (false, true) => f64::NAN,
            (false, false) if beyond > self.bar => beyond,
            (false, false) => self.bar,
        };
        Self::new(self.value, bar, self.grade.max(loser.grade))
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self::new(self.value + o.value, self.bar + o.bar, self.grade.max(o.grade))
    }
}
impl Sub for Quantity {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        self + -o
    }
}
impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.value, self.bar, self.grade)
    }
}
impl Mul for Quantity {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        let bar = self.value.abs() * o.bar + o.value.abs() * self.bar + self.bar * o.bar;
        Self::new(self.value * o.value, bar, self.grade.max(o.grade))
    }
}
impl Mul<f64> for Quantity {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        self * Self::exact(factor)
    }
}
impl Div for Quantity {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        let value = self.value / o.value;
        // The divisor's bar may reach 0: then the quotient is unknown.
        let least = o.value.abs() - o.bar;
        let bar =
            if least > 0.0 { (self.bar + value.abs() * o.bar) / least } else { f64::INFINITY };
        Self::new(value, bar, self.grade.max(o.grade))
    }
}

/// The facts of one world, by name; a scalar is a series of length 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts {
    table: BTreeMap<String, Vec<Quantity>>,
}

impl Facts {
    /// No facts.
    pub fn new() -> Self {
        Self::default()
    }

    /// States a scalar fact.
    pub fn set(&mut self, name: &str, quantity: Quantity) {
        self.table.insert(name.to_owned(), vec![quantity]);
    }

    /// States a series of facts.
    pub fn set_series(&mut self, name: &str, series: Vec<Quantity>) {
        self.table.insert(name.to_owned(), series);
    }

    /// Appends to a series.
    pub fn push(&mut self, name: &str, quantity: Quantity) {
        self.table.entry(name.to_owned()).or_default().push(quantity);
    }

    /// The scalar fact of that name; [`Quantity::UNKNOWN`] when it was not measured.
    pub fn get(&self, name: &str) -> Quantity {
        match self.table.get(name).map(Vec::as_slice) {
            Some([only]) => *only,
            _ => Quantity::UNKNOWN,
        }
    }

    /// The series of that name; empty when it was not measured.
    pub fn series(&self, name: &str) -> &[Quantity] {
        self.table.get(name).map_or(&[], Vec::as_slice)
    }

    /// The entry of a series; [`Quantity::UNKNOWN`] where the series is shorter or was not measured.
    pub fn at(&self, name: &str, index: usize) -> Quantity {
        self.series(name).get(index).copied().unwrap_or(Quantity::UNKNOWN)
    }

    /// How many rows series that belong together have: as many as the longest, and one at least.
    ///
    /// With [`Facts::at`], a series that is missing or short leaves unknown rows, not fewer conclusions.
    pub fn rows(&self, names: &[&str]) -> usize {
        names.iter().map(|name| self.series(name).len()).max().unwrap_or(0).max(1)
    }

    /// The same facts with bars that reach those of another, rougher look at the same things, at best estimated; what that
    /// look does not have, or has otherwise many of, is unknown.
    pub fn compared(&self, rougher: &Self) -> Self {
        let compared = |(name, series): (&String, &Vec<Quantity>)| {
            let others = rougher.series(name);
            let one = |(i, quantity): (usize, &Quantity)| match others.get(i) {
                Some(other) if others.len() == series.len() => {
                    // Equal infinities differ by nothing.
                    let same = quantity.value == other.value;
                    let off = if same { 0.0 } else { quantity.value - other.value };
                    let grade = quantity.grade.max(Grade::Estimated);
                    Quantity { grade, ..quantity.widened(off) }
                }
                _ => Quantity::UNKNOWN,
            };
            (name.clone(), series.iter().enumerate().map(one).collect())
        };
        Self { table: self.table.iter().map(compared).collect() }
    }

    /// All names with their series, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Quantity])> {
        self.table.iter().map(|(name, series)| (name.as_str(), series.as_slice()))
    }
}

/// JSON has no NaN and no infinity: they are written as `null` and read as NaN.
pub mod nullable {
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes a finite number, or `null`.
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            serializer.serialize_some(value)
        } else {
            serializer.serialize_none()
        }
    }

    /// Reads a number; `null` is NaN.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_and_the_smaller_reach_as_far_as_either() {
        let (sure, vague) = (Quantity::exact(1.0), Quantity::new(0.75, 1.0, Grade::Sampled));
        for larger in [sure.max(vague), vague.max(sure)] {
            // The true maximum lies in [1, 1.75].
            assert_eq!(larger, Quantity::new(1.0, 0.75, Grade::Sampled));
        }
        for smaller in [(-sure).min(-vague), (-vague).min(-sure)] {
            assert_eq!(smaller, Quantity::new(-1.0, 0.75, Grade::Sampled));
        }
        // Far below, a bar does not matter; unknown, everything is.
        assert_eq!(sure.max(Quantity::new(-9.0, 1.0, Grade::Symbolic)).bar, 0.0);
        assert!(sure.max(Quantity::UNKNOWN).value.is_nan());
        assert!(Quantity::UNKNOWN.min(sure).value.is_nan());
        assert!(sure.max(Quantity::new(0.0, f64::NAN, Grade::Sampled)).bar.is_nan());
    }
}
