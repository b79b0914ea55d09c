//! Series in JSON: six digits, `null` for what is not finite.

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serializer};

/// Digits that are kept: more than an eye sees, fewer than machines differ in.
const DIGITS: usize = 6;

/// The number with six digits.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

/// Writes rounded numbers.
pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(values.len()))?;
    for value in values {
        match rounded(*value) {
            finite if finite.is_finite() => sequence.serialize_element(&finite)?,
            _ => sequence.serialize_element(&None::<f64>)?,
        }
    }
    sequence.end()
}

/// Reads numbers; `null` is NaN.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let values = Vec::<Option<f64>>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

#[cfg(test)]
mod tests {
    use crate::figure::Mark;

    #[test]
    fn six_digits_and_gaps_survive() {
        let mark = Mark::line(vec![1.0 / 3.0, f64::NAN, -2.5e-300], vec![1e6 + 0.4, 0.0, 1.0]);
        let text = serde_json::to_string(&mark).unwrap();
        assert!(text.contains("[0.333333,null,-2.5e-300]"), "{text}");
        let Mark::Line { x, y, .. } = serde_json::from_str(&text).unwrap() else { panic!() };
        assert!(x[1].is_nan());
        assert_eq!((x[0], y[0]), (0.333333, 1e6));
    }
}
