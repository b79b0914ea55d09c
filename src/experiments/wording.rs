//! Numbers as words of captions and findings.

use crate::facts::Quantity;

/// A number to so many significant digits, without an exponent where it is readable without.
pub fn number(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let order = value.abs().log10().floor() as i32;
    if !(-4..6).contains(&order) {
        return format!("{value:.*e}", digits.saturating_sub(1));
    }
    let decimals = (digits as i32 - 1 - order).max(0) as usize;
    format!("{value:.decimals$}")
}

/// A value with its bar, to the second digit of the bar.
pub fn with_bar(quantity: Quantity) -> String {
    let Quantity { value, bar, .. } = quantity;
    if !(bar > 0.0 && bar.is_finite()) {
        return number(value, 3);
    }
    let decimals = (1 - bar.log10().floor() as i32).max(0) as usize;
    format!("{value:.decimals$} ± {bar:.decimals$}")
}

/// A share in per cent with its bar.
pub fn percent(share: Quantity) -> String {
    format!("{} %", with_bar(share * 100.0))
}
