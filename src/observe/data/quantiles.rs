//! Quantiles with confidence bounds that hold for every continuous law, also when sampling stops early.

use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF};

/// Every interval of a report covers with at least this probability.
const CONFIDENCE: f64 = 0.95;

/// A quantile of a sample with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The quantile of the sample.
    pub value: f64,
    /// Lower end of the interval; −∞ when the sample is too small for one.
    pub low: f64,
    /// Upper end of the interval; ∞ when the sample is too small for one.
    pub high: f64,
}

impl Estimate {
    /// The larger distance from the value to an end of the interval.
    pub fn bar(self) -> f64 {
        (self.value - self.low).max(self.high - self.value)
    }
}

/// The q-quantile of independent draws, at one of `looks` sizes of the sample
/// decided beforehand: all intervals of one quantile cover together with probability 0.95 (Bonferroni), so
/// sampling may stop at whichever look.
///
/// The interval lies between order statistics: k of n draws fall below the true quantile with probability
/// binomial(n, q), whatever the law. Draws without repetition from a finite set scatter less. NaN for no draws.
pub fn quantile(draws: &[f64], q: f64, looks: usize) -> Estimate {
    let (n, mut sorted) = (draws.len(), draws.to_vec());
    if n == 0 || draws.iter().any(|x| x.is_nan()) {
        return Estimate { value: f64::NAN, low: f64::NAN, high: f64::NAN };
    }
    sorted.sort_by(f64::total_cmp);
    let at = q * (n - 1) as f64;
    let (floor, part) = (at.floor() as usize, at.fract());
    let value = sorted[floor] + part * (sorted[(floor + 1).min(n - 1)] - sorted[floor]);
    let tail = (1.0 - CONFIDENCE) / (2 * looks) as f64;
    let below = Binomial::new(q, n as u64).expect("a probability");
    // P(count ≤ k − 1) ≤ tail: the k-th smallest lies above the quantile with no more than that probability.
    let low = (0..n).take_while(|k| below.cdf(*k as u64) <= tail).last();
    // P(count ≥ k) ≤ tail: the k-th smallest lies below with no more than that.
    let high = (1..=n).rev().take_while(|k| below.sf(*k as u64 - 1) <= tail).last();
    Estimate {
        value,
        low: low.map_or(f64::NEG_INFINITY, |k| sorted[k]),
        high: high.map_or(f64::INFINITY, |k| sorted[k - 1]),
    }
}

/// The share of successes among independent draws, with its Clopper–Pearson interval, at one of `looks`.
pub fn share(successes: usize, draws: usize, looks: usize) -> Estimate {
    let tail = (1.0 - CONFIDENCE) / (2 * looks) as f64;
    let failures = draws - successes;
    let beta = |a: usize, b: usize| Beta::new(a as f64, b as f64).expect("positive parameters");
    Estimate {
        value: successes as f64 / draws as f64,
        low: if successes == 0 { 0.0 } else { beta(successes, failures + 1).inverse_cdf(tail) },
        high: if failures == 0 {
            1.0
        } else {
            beta(successes + 1, failures).inverse_cdf(1.0 - tail)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn the_interval_of_a_median_is_that_of_fair_coins() {
        let draws: Vec<f64> = (1..=6).map(f64::from).collect();
        // All of six draws lie on one side of the median with probability 2/64 ≤ 0.05: (1, 6) covers.
        assert_eq!(quantile(&draws, 0.5, 1), Estimate { value: 3.5, low: 1.0, high: 6.0 });
        // With five draws it is 2/32 > 0.05; and so it is for two looks at six.
        assert_eq!(quantile(&draws[..5], 0.5, 1).high, f64::INFINITY);
        assert_eq!(quantile(&draws, 0.5, 2).low, f64::NEG_INFINITY);
    }

    #[test]
    fn intervals_cover_as_often_as_they_say_and_narrower_ones_do_not() {
        // Uniform draws: the q-quantile is q.
        for q in [0.5, 0.9] {
            let covers = |shrunk: f64| {
                let covered = |i: u64| {
                    let e = quantile(&Stream::root(8).indexed(i).uniforms(128), q, 1);
                    let (low, high) = (e.low - e.value, e.high - e.value);
                    e.value + shrunk * low <= q && q <= e.value + shrunk * high
                };
                (0..2000).filter(|i| covered(*i)).count() as f64 / 2000.0
            };
            // 0.95 less four deviations of a share of 2000.
            assert!(covers(1.0) > 0.93, "{}", covers(1.0));
            assert!(covers(0.5) < 0.8, "{}", covers(0.5));
        }
    }

    #[test]
    fn stopping_at_the_first_look_that_misses_is_paid_for() {
        // The worst stopping rule: stop where the interval misses.
        let missed = |looks: usize| {
            let misses = |i: u64| {
                let draws = Stream::root(9).indexed(i).uniforms(256);
                [32, 64, 128, 256].into_iter().any(|n| {
                    let e = quantile(&draws[..n], 0.5, looks);
                    e.low > 0.5 || e.high < 0.5
                })
            };
            (0..2000).filter(|i| misses(*i)).count() as f64 / 2000.0
        };
        assert!(missed(4) < 0.07, "{}", missed(4));
        assert!(missed(1) > 0.08, "intervals of one look do not stand four: {}", missed(1));
    }

    #[test]
    fn shares_have_the_intervals_of_clopper_and_pearson() {
        // None of n: the upper end is 1 − 0.025^(1/n); all of n mirrors it.
        let (none, all) = (share(0, 10, 1), share(10, 10, 1));
        assert_eq!((none.value, none.low, all.high), (0.0, 0.0, 1.0));
        assert!((none.high - (1.0 - 0.025_f64.powf(0.1))).abs() < 1e-9);
        assert!((all.low - 0.025_f64.powf(0.1)).abs() < 1e-9);
    }
}
