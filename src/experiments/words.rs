//! Numbers in sentences, and measured curves as marks.

use crate::facts::Quantity;
use crate::figure::Mark;

/// A number with two significant digits, as captions say it.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let exponent = value.abs().log10().floor();
    match exponent as i32 {
        -3..=-1 => format!("{value:.*}", (1.0 - exponent) as usize),
        0 => format!("{value:.1}"),
        1..=3 => format!("{value:.0}"),
        _ => {
            let mantissa = value / 10_f64.powf(exponent);
            format!("{mantissa:.1}·10^{exponent:.0}")
        }
    }
}

/// A number with its bar.
pub fn with_bar(quantity: Quantity) -> String {
    format!("{} ± {}", short(quantity.value), short(quantity.bar))
}

/// The confidence band of a curve, for axes of powers of ten: a lower end below a hundredth of the value is drawn there.
pub fn band(x: &[f64], curve: &[Quantity]) -> Mark {
    Mark::Band {
        x: x.to_vec(),
        low: curve.iter().map(|q| (q.value - q.bar).max(0.01 * q.value)).collect(),
        high: curve.iter().map(|q| q.value + q.bar).collect(),
    }
}

/// The values of a curve.
pub fn values(curve: &[Quantity]) -> Vec<f64> {
    curve.iter().map(|q| q.value).collect()
}

/// Their bars.
pub fn bars(curve: &[Quantity]) -> Vec<f64> {
    curve.iter().map(|q| q.bar).collect()
}
