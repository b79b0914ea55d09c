//! Limits and powers at ε → 0 from values at a few ε, with bars.

use crate::facts::{Grade, Quantity};

/// The value at 0 of a function that is smooth on [0, ε_0], from its values at decreasing ε.
///
/// *Accuracy*: the parabola through the last three; the bar is what it changed against the line through the last two,
/// and, so that the bar cannot vanish by accident, the square of what the line changed, relative to the values.
pub fn limit(epsilons: &[f64], values: &[f64]) -> Quantity {
    let Some(n) = epsilons.len().checked_sub(3).filter(|_| epsilons.len() == values.len()) else {
        return Quantity::UNKNOWN;
    };
    let ([a, b, c], [x, y, z]) = (
        [epsilons[n], epsilons[n + 1], epsilons[n + 2]],
        [values[n], values[n + 1], values[n + 2]],
    );
    let line = |(a, x): (f64, f64), (b, y): (f64, f64)| (a * y - b * x) / (a - b);
    let (far, near) = (line((a, x), (b, y)), line((b, y), (c, z)));
    let value = line((a, far), (c, near));
    let size = value.abs().max(z.abs()).max(f64::MIN_POSITIVE);
    let bar = (value - near).abs() + (z - value) * (z - value) / size;
    Quantity::new(value, bar, Grade::Estimated)
}

/// The power p of values ∼ ε^p as ε → 0: the slope of log value against log ε, by least squares over the smaller half
/// of the ε (four at least).
///
/// *Accuracy*: its bar is the difference from the slope over the larger half. A correction of relative size O(ε)
/// changes that slope by more than it changes the result, by a factor of at least 3 where the halves are a factor of 4 apart.
pub fn power(epsilons: &[f64], values: &[f64]) -> Quantity {
    let n = epsilons.len();
    if n < 6 || n != values.len() || !values.iter().all(|v| *v > 0.0) {
        return Quantity::UNKNOWN;
    }
    let half = (n / 2).max(4);
    let large = slope(&epsilons[..half], &values[..half]);
    let small = slope(&epsilons[n - half..], &values[n - half..]);
    // The correction itself squared, for a difference that vanishes by accident.
    let drift = (values[n - 2] / values[n - 1]).ln() / (epsilons[n - 2] / epsilons[n - 1]).ln();
    let bar = (small - large).abs() + (small - drift) * (small - drift) + 1e-9;
    Quantity::new(small, bar, Grade::Estimated)
}

fn slope(epsilons: &[f64], values: &[f64]) -> f64 {
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
            assert!((found.value - p).abs() <= found.bar && found.bar < 0.2, "{found:?}");
        }
        // A value of 0 has no power.
        assert!(power(&EPSILONS, &[0.0; 6]).value.is_nan());
    }
}
