//! Numbers in sentences, and measured curves as marks.

use crate::facts::Quantity;
use crate::figure::Mark;

/// A number to so many significant digits, as captions say it.
///
/// ```
/// use driftproof::experiments::words::number;
/// assert_eq!([number(0.0123, 2), number(2.0, 2), number(512.3, 2)], ["0.012", "2.0", "512"]);
/// assert_eq!(number(-1.5e-7, 2), "-1.5·10⁻⁷");
/// ```
pub fn number(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let order = value.abs().log10().floor() as i32;
    let digits = digits.max(1) as i32;
    if (-4..6).contains(&order) {
        return format!("{value:.*}", (digits - 1 - order).max(0) as usize);
    }
    let mantissa = value / 10_f64.powi(order);
    format!("{mantissa:.*}·10{}", (digits - 1) as usize, superscript(order))
}

/// A whole number, raised.
pub fn superscript(exponent: i32) -> String {
    let raised = |digit: char| match digit.to_digit(10) {
        Some(n) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][n as usize],
        None => '⁻',
    };
    exponent.to_string().chars().map(raised).collect()
}

/// A number with two significant digits.
pub fn short(value: f64) -> String {
    number(value, 2)
}

/// A value with its bar, to the second digit of the bar.
///
/// ```
/// use driftproof::{experiments::words::with_bar, facts::{Grade, Quantity}};
/// assert_eq!(with_bar(Quantity::new(1.23456, 0.0123, Grade::Sampled)), "1.235 ± 0.012");
/// ```
pub fn with_bar(quantity: Quantity) -> String {
    let Quantity { value, bar, .. } = quantity;
    if !(bar > 0.0 && bar.is_finite()) {
        return number(value, 3);
    }
    let order = bar.log10().floor() as i32;
    if !(-4..6).contains(&order) {
        return format!("{} ± {}", short(value), short(bar));
    }
    let decimals = (1 - order).max(0) as usize;
    format!("{value:.decimals$} ± {bar:.decimals$}")
}

/// A share in per cent with its bar.
pub fn percent(share: Quantity) -> String {
    format!("{} %", with_bar(share * 100.0))
}

/// The confidence band of a curve, for axes of powers of ten: a lower end below a hundredth of the value is drawn there.
pub fn band(x: &[f64], curve: &[Quantity]) -> Mark {
    Mark::Band {
        x: x.to_vec(),
        low: curve.iter().map(|q| (q.value - q.bar).max(0.01 * q.value)).collect(),
        high: curve.iter().map(|q| q.value + q.bar).collect(),
    }
}

/// A text of at most so many letters, the last one a mark of what is left out.
pub fn shortened(text: &str, letters: usize) -> String {
    match text.chars().count() > letters {
        true => text.chars().take(letters - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// The least and the largest of some values.
pub fn ends(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    values.into_iter().fold(start, |(least, most), value| (least.min(value), most.max(value)))
}

/// A curve as points with bars.
pub fn measured(x: Vec<f64>, curve: &[Quantity]) -> Mark {
    Mark::points_with_bars(x, values(curve), bars(curve))
}

/// The values of a curve.
pub fn values(curve: &[Quantity]) -> Vec<f64> {
    curve.iter().map(|q| q.value).collect()
}

/// Their bars.
pub fn bars(curve: &[Quantity]) -> Vec<f64> {
    curve.iter().map(|q| q.bar).collect()
}
