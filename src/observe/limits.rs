//! Limits and powers at ε → 0 from values at a few ε, with bars.

use crate::facts::{Grade, Quantity};

/// The value at 0 of a function that is smooth on [0, ε_0], from its values at four or more decreasing ε.
///
/// *Accuracy*: the parabola through the last three. The bar is what it changed against the line through the last two, and
/// against the parabola one ε before; and, since corrections of two orders may cancel in those, the square of what
/// the last value is away, relative to the values.
pub fn limit(epsilons: &[f64], values: &[f64]) -> Quantity {
    let n = epsilons.len();
    if n < 4 || n != values.len() {
        return Quantity::UNKNOWN;
    }
    let line = |i: usize, j: usize, x: f64, y: f64| {
        (epsilons[i] * y - epsilons[j] * x) / (epsilons[i] - epsilons[j])
    };
    let near = |i: usize| line(i, i + 1, values[i], values[i + 1]);
    let parabola = |i: usize| line(i, i + 2, near(i), near(i + 1));
    let (value, before) = (parabola(n - 3), parabola(n - 4));
    let (last, size) = (values[n - 1], value.abs().max(values[n - 1].abs()));
    let square = (last - value) * (last - value) / size.max(f64::MIN_POSITIVE);
    let bar = (value - near(n - 2)).abs() + (value - before).abs() + square;
    Quantity::new(value, bar, Grade::Estimated)
}

/// The power p of values ∼ ε^p as ε → 0: the slope of log value against log ε, by least squares over the smaller half
/// of the ε (four at least).
///
/// *Accuracy*: its bar is the difference from the slope over the larger half, and twice the largest deviation of a step
/// from one ε to the next. Where the halves are a factor q apart, a correction of relative size O(ε) is q times
/// as large in the larger one, so that difference alone is q − 1 times the error.
pub fn power(epsilons: &[f64], values: &[f64]) -> Quantity {
    let n = epsilons.len();
    if n < 6 || n != values.len() || !values.iter().all(|v| *v > 0.0) {
        return Quantity::UNKNOWN;
    }
    let half = (n / 2).max(4);
    let large = slope(&epsilons[..half], &values[..half]);
    let small = slope(&epsilons[n - half..], &values[n - half..]);
    // Corrections of two orders may cancel in that difference, but not from step to step.
    let steps = (n - half..n - 1).map(|i| slope(&epsilons[i..i + 2], &values[i..i + 2]));
    let spread = steps.map(|step| (step - small).abs()).fold(0.0, f64::max);
    let bar = (small - large).abs() + 2.0 * spread + 1e-9;
    Quantity::new(small, bar, Grade::Estimated)
}

/// The slope of log value against log ε by least squares.
pub fn slope(epsilons: &[f64], values: &[f64]) -> f64 {
    let logs = |v: &[f64]| -> Vec<f64> { v.iter().map(|v| v.ln()).collect() };
    let (x, y) = (logs(epsilons), logs(values));
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mx, my) = (mean(&x), mean(&y));
    let (mut top, mut bottom) = (0.0, 0.0);
    for (x, y) in x.iter().zip(&y) {
        top += (x - mx) * (y - my);
        bottom += (x - mx) * (x - mx);
    }
    top / bottom
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPSILONS: [f64; 6] = [0.08, 0.04, 0.02, 0.01, 0.005, 0.0025];

    #[test]
    fn limits_and_powers_of_closed_forms_lie_within_their_bars() {
        for (f, value) in [
            ((|e: f64| (2.0 * e).exp()) as fn(f64) -> f64, 1.0),
            (|e| e.sin() / e, 1.0),
            (|e| 3.0 - 7.0 * e + 40.0 * e * e, 3.0),
            (|e| e * e, 0.0),
        ] {
            let found = limit(&EPSILONS, &EPSILONS.map(f));
            assert!((found.value - value).abs() <= found.bar && found.bar < 0.02, "{found:?}");
        }
        for (f, p) in [
            ((|e: f64| e * e * (3.0 * e).exp()) as fn(f64) -> f64, 2.0),
            (|e| e.powi(3) / (1.0 + 5.0 * e), 3.0),
            (|e| 2.0 * e, 1.0),
        ] {
            let found = power(&EPSILONS, &EPSILONS.map(f));
            assert!((found.value - p).abs() <= found.bar && found.bar < 0.4, "{found:?}");
        }
        // A power itself has no corrections, on any grid.
        let uneven = [0.08, 0.05, 0.02, 0.014, 0.005, 0.002];
        let found = power(&uneven, &uneven.map(|e: f64| 3.0 * e.powi(2)));
        assert!((found.value - 2.0).abs() < 1e-12 && found.bar < 1e-8, "{found:?}");
        // A value of 0 has no power.
        assert!(power(&EPSILONS, &[0.0; 6]).value.is_nan());
    }
}
