//! Confidence bars of sampled facts: the only place where random draws become numbers with bars.
//!
//! A bar is a two-sided confidence interval: it covers the truth with probability
//! `level` at least. Facts that are judged take [`LEVEL`].

use super::{Grade, Quantity};
use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

/// The confidence level of sampled facts that are judged: two-sided, one failure in 10⁹.
///
/// A campaign of 10⁵ worlds with ten sampled facts each then meets a bar that
/// fails, and perhaps a false violation, once in a thousand campaigns.
pub const LEVEL: f64 = 1.0 - 1e-9;

/// The confidence level of sampled facts that are only reported.
pub const REPORTED: f64 = 0.95;

impl Quantity {
    /// The mean of independent draws, with Student's bar: s/√n times the quantile of n − 1 degrees of freedom.
    ///
    /// Exact for normal draws of any number; few draws make it wide (2 draws at
    /// [`LEVEL`]: 6·10⁸ s/√2), not wrong. Skewed draws fall outside more often, by
    /// a share of order skewness/√n of the failures: take thirty or more, or, where the draws
    /// are bounded, [`Quantity::sampled_bounded_mean`]. Rounding is in the bar.
    /// NaN for fewer than two draws, draws that are not finite, and a level
    /// outside (0, 1).
    ///
    /// ```
    /// use driftproof::facts::Quantity;
    /// let mean = Quantity::sampled_mean(&[1.0, 2.0, 3.0], 0.95);
    /// assert_eq!(mean.value, 2.0);
    /// assert!((mean.bar - 4.302653 / 3.0_f64.sqrt()).abs() < 1e-6); // t(0.975; 2)·s/√n
    /// assert!(Quantity::sampled_mean(&[1.0], 0.95).value.is_nan());
    /// ```
    pub fn sampled_mean(draws: &[f64], level: f64) -> Self {
        let Some((mean, deviation)) = mean_and_deviation(draws, level) else {
            return Self::UNKNOWN;
        };
        let n = draws.len();
        let bar = student(n - 1, 0.5 * (1.0 - level)) * deviation / (n as f64).sqrt();
        Self::new(mean, bar, Grade::Sampled).widened(rounding(draws))
    }

    /// The mean of independent draws from [low, high], whatever their law: the smaller of Hoeffding's bar and the empirical
    /// Bernstein bar of Maurer and Pontil (2009, theorem 4), each at half of the risk.
    ///
    /// NaN as [`Quantity::sampled_mean`], and for draws outside [low, high].
    pub fn sampled_bounded_mean(draws: &[f64], low: f64, high: f64, level: f64) -> Self {
        let Some((mean, deviation)) = mean_and_deviation(draws, level) else {
            return Self::UNKNOWN;
        };
        if !draws.iter().all(|x| (low..=high).contains(x)) {
            return Self::UNKNOWN;
        }
        let (n, range, risk) = (draws.len() as f64, high - low, 0.5 * (1.0 - level));
        let hoeffding = range * ((2.0 / risk).ln() / (2.0 * n)).sqrt();
        let odds = (4.0 / risk).ln();
        let bernstein =
            deviation * (2.0 * odds / n).sqrt() + 7.0 * range * odds / (3.0 * (n - 1.0));
        Self::new(mean, hoeffding.min(bernstein), Grade::Sampled).widened(rounding(draws))
    }

    /// The share of successes in independent trials, with a bar that holds the whole Clopper–Pearson interval.
    ///
    /// NaN without trials, with more successes than trials, and for a level outside (0, 1).
    ///
    /// ```
    /// use driftproof::facts::Quantity;
    /// let share = Quantity::sampled_share(0, 10, 0.95);
    /// assert_eq!(share.value, 0.0);
    /// assert!((share.bar - (1.0 - 0.025_f64.powf(0.1))).abs() < 1e-9);
    /// ```
    pub fn sampled_share(successes: usize, trials: usize, level: f64) -> Self {
        if trials == 0 || successes > trials || !is_level(level) {
            return Self::UNKNOWN;
        }
        let risk = 0.5 * (1.0 - level);
        let (low, high) =
            (least_share(successes, trials, risk), largest_share(successes, trials, risk));
        let share = successes as f64 / trials as f64;
        Self::new(share, (high - share).max(share - low), Grade::Sampled)
    }

    /// The median of independent draws of any continuous law, with a bar that holds the interval between two order
    /// statistics; infinite where the draws are too few for the level (below 31 at [`LEVEL`]).
    ///
    /// NaN as [`Quantity::sampled_mean`].
    pub fn sampled_median(draws: &[f64], level: f64) -> Self {
        Self::sampled_quantile(draws, 0.5, level)
    }

    /// The `part`-quantile (0.9: a tenth lies above) of independent draws of any continuous law, 0 < part < 1, with a bar
    /// that holds the interval between two order statistics; infinite where the draws are too few for the level.
    ///
    /// NaN as [`Quantity::sampled_mean`].
    pub fn sampled_quantile(draws: &[f64], part: f64, level: f64) -> Self {
        if mean_and_deviation(draws, level).is_none() || !is_level(part) {
            return Self::UNKNOWN;
        }
        let mut sorted = draws.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let at = part * (n - 1) as f64;
        let (floor, rest) = (at.floor() as usize, at.fract());
        let quantile = sorted[floor] + rest * (sorted[(floor + 1).min(n - 1)] - sorted[floor]);
        // At most k draws lie below the quantile with the chance of at most k successes of probability `part` in n, which is
        // the distribution function of Beta(n − k, k + 1) at 1 − part; more than k, that of Beta(k + 1, n − k) at part.
        let risk = 0.5 * (1.0 - level);
        let few = |k: &usize| beta(n - k, k + 1).cdf(1.0 - part) <= risk;
        let many = |k: &usize| beta(k + 1, n - k).cdf(part) <= risk;
        let (low, high) = ((0..n).take_while(few).last(), (0..n).rev().take_while(many).last());
        let bar = match (low, high) {
            (Some(low), Some(high)) => (quantile - sorted[low]).max(sorted[high] - quantile),
            _ => f64::INFINITY,
        };
        Self::new(quantile, bar, Grade::Sampled).widened(rounding(draws))
    }
}

/// The chance at which so many successes or more come with probability `risk`: the lower Clopper–Pearson limit, one-sided.
///
/// ```
/// // All of n succeed with probability p^n.
/// let least = driftproof::facts::least_share(20, 20, 1e-4);
/// assert!((least - 1e-4_f64.powf(1.0 / 20.0)).abs() < 1e-9);
/// ```
pub fn least_share(successes: usize, trials: usize, risk: f64) -> f64 {
    match successes {
        0 => 0.0,
        _ => beta(successes, trials - successes + 1).inverse_cdf(risk),
    }
}

/// The chance at which so many successes or fewer come with probability `risk`: the upper Clopper–Pearson limit, one-sided.
pub fn largest_share(successes: usize, trials: usize, risk: f64) -> f64 {
    // By the failures: a risk close to 0 keeps its digits.
    1.0 - least_share(trials - successes, trials, risk)
}

fn beta(a: usize, b: usize) -> Beta {
    Beta::new(a as f64, b as f64).expect("positive shape parameters")
}

/// The quantile of Student's law with so many degrees of freedom, one or more, that is exceeded with probability `risk`.
pub fn student(freedom: usize, risk: f64) -> f64 {
    // The Cauchy law has a closed form; statrs 0.19 loses a factor of 8 there at 5e-10.
    if freedom == 1 {
        return 1.0 / (std::f64::consts::PI * risk).tan();
    }
    let law = StudentsT::new(0.0, 1.0, freedom as f64).expect("positive degrees of freedom");
    // In the lower tail a small risk keeps its digits.
    -law.inverse_cdf(risk)
}

/// Mean and sample deviation; None where no bar can be given.
fn mean_and_deviation(draws: &[f64], level: f64) -> Option<(f64, f64)> {
    let n = draws.len() as f64;
    if draws.len() < 2 || !is_level(level) || !draws.iter().all(|x| x.is_finite()) {
        return None;
    }
    let mean = draws.iter().sum::<f64>() / n;
    let square: f64 = draws.iter().map(|x| (x - mean).powi(2)).sum();
    Some((mean, (square / (n - 1.0)).sqrt()))
}

fn is_level(level: f64) -> bool {
    0.0 < level && level < 1.0
}

/// The rounding of a sum of so many terms.
fn rounding(draws: &[f64]) -> f64 {
    f64::EPSILON * draws.iter().map(|x| x.abs()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;
    use statrs::distribution::{Binomial, DiscreteCDF};

    /// The share of intervals that cover the truth, over many samples of `n` draws.
    fn coverage(
        n: usize,
        truth: f64,
        draw: fn(&mut ChaCha8Rng) -> f64,
        bar: impl Fn(&[f64]) -> Quantity,
    ) -> f64 {
        let covers = |i: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(i);
            let draws: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
            let sampled = bar(&draws);
            (sampled.value - truth).abs() <= sampled.bar
        };
        (0..REPEATS).filter(|i| covers(*i)).count() as f64 / REPEATS as f64
    }

    const REPEATS: u64 = 10_000;

    /// Five standard errors of a share near 0.9 over the repeats.
    const NOISE: f64 = 5.0 * 0.3 / 100.0;

    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        rng.sample(StandardNormal)
    }

    #[test]
    fn a_sampled_mean_covers_the_truth_as_often_as_it_says() {
        for n in [2, 3, 5, 40] {
            let share = coverage(n, 0.0, normal, |draws| Quantity::sampled_mean(draws, 0.9));
            assert!((share - 0.9).abs() < NOISE, "{n} draws: {share}");
        }
        // A bar that forgets how few the draws are (the normal quantile) would fail the line above.
        let too_sure = |draws: &[f64]| {
            let (mean, s) = mean_and_deviation(draws, 0.9).unwrap();
            Quantity::new(mean, 1.644854 * s / (draws.len() as f64).sqrt(), Grade::Sampled)
        };
        assert!(coverage(3, 0.0, normal, too_sure) < 0.9 - NOISE);
    }

    #[test]
    fn a_bounded_mean_covers_the_truth_of_a_rare_event_where_students_bar_does_not() {
        // One draw in twenty is 1: thirty draws show none with probability 0.21.
        let rare = |rng: &mut ChaCha8Rng| f64::from(u8::from(rng.random::<f64>() < 0.05));
        let sure = |draws: &[f64]| Quantity::sampled_bounded_mean(draws, 0.0, 1.0, 0.9);
        assert!(coverage(30, 0.05, rare, sure) >= 0.9 - NOISE);
        let students = |draws: &[f64]| Quantity::sampled_mean(draws, 0.9);
        assert!(coverage(30, 0.05, rare, students) < 0.85);
        // Many draws of small deviation: Bernstein's bar is far below Hoeffding's √(ln(4/0.05)/2n).
        let narrow: Vec<f64> = (0..4000).map(|i| 0.5 + 1e-3 * (i % 2) as f64).collect();
        assert!(sure(&narrow).bar < 0.5 * ((4.0_f64 / 0.1).ln() / 8000.0).sqrt());
    }

    #[test]
    fn a_sampled_share_covers_every_chance_as_often_as_it_says() {
        // Not by sampling: the sum of the binomial weights of the counts whose interval covers p.
        for (n, level) in [(1, 0.9), (10, 0.9), (60, 0.99)] {
            let bars: Vec<Quantity> =
                (0..=n).map(|k| Quantity::sampled_share(k, n, level)).collect();
            for step in 1..200 {
                let p = f64::from(step) / 200.0;
                let law = Binomial::new(p, n as u64).unwrap();
                let covers = |k: &usize| (bars[*k].value - p).abs() <= bars[*k].bar;
                let chance = |k: usize| {
                    let below = if k > 0 { law.cdf(k as u64 - 1) } else { 0.0 };
                    law.cdf(k as u64) - below
                };
                let covered: f64 = (0..=n).filter(covers).map(chance).sum();
                assert!(covered >= level - 1e-9, "{n} trials of chance {p}: {covered}");
            }
        }
    }

    #[test]
    fn a_sampled_median_covers_the_median_of_a_skewed_law() {
        let exponential = |rng: &mut ChaCha8Rng| -(1.0 - rng.random::<f64>()).ln();
        for n in [6, 7, 40] {
            let share = coverage(n, std::f64::consts::LN_2, exponential, |draws| {
                Quantity::sampled_median(draws, 0.9)
            });
            assert!(share >= 0.9 - NOISE, "{n} draws: {share}");
        }
        // All of n draws on one side of the median: 2·2⁻ⁿ, below 1e-9 from n = 31 on.
        let draws = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<f64>>();
        assert_eq!(Quantity::sampled_median(&draws(30), LEVEL).bar, f64::INFINITY);
        assert!((Quantity::sampled_median(&draws(31), LEVEL).bar - 15.0).abs() < 1e-9);
    }

    #[test]
    fn a_sampled_quantile_covers_it_as_often_as_it_says_and_a_narrower_bar_does_not() {
        let uniform = |rng: &mut ChaCha8Rng| rng.random::<f64>();
        for part in [0.1, 0.9] {
            let bar = |draws: &[f64]| Quantity::sampled_quantile(draws, part, 0.9);
            assert!(coverage(128, part, uniform, bar) >= 0.9 - NOISE);
            let narrow = |draws: &[f64]| {
                let Quantity { value, bar, grade } = bar(draws);
                Quantity::new(value, 0.5 * bar, grade)
            };
            assert!(coverage(128, part, uniform, narrow) < 0.9 - NOISE);
        }
        // The interval of the median, up to rounding; and all of 30 draws below the 0.9-quantile: 0.9³⁰ = 0.042.
        let draws: Vec<f64> = (0..30).map(f64::from).collect();
        assert_eq!(Quantity::sampled_quantile(&draws, 0.9, 0.95).bar, f64::INFINITY);
        assert!(Quantity::sampled_quantile(&draws, 0.9, 0.9).bar.is_finite());
        assert!(Quantity::sampled_quantile(&draws, 1.0, 0.9).value.is_nan());
    }

    #[test]
    fn quantiles_and_limits_are_the_published_ones() {
        // Student's t, Abramowitz and Stegun table 26.10; far in the tail by the closed forms of 1 and 2 degrees of
        // freedom, cot(πp) and (1 − 2p)/√(2p(1 − p)).
        for (freedom, risk, t) in [
            (1, 0.025, 12.706),
            (4, 0.025, 2.776),
            (9, 0.005, 3.250),
            (30, 0.0005, 3.646),
            (120, 0.025, 1.980),
        ] {
            assert!((student(freedom, risk) - t).abs() < 6e-4, "{freedom} {risk}");
        }
        let p: f64 = 5e-10;
        assert!((student(1, p) * (std::f64::consts::PI * p).tan() - 1.0).abs() < 1e-12);
        let two = (1.0 - 2.0 * p) / (2.0 * p * (1.0 - p)).sqrt();
        assert!((student(2, p) / two - 1.0).abs() < 1e-9);
        // Clopper–Pearson at 95 %: 5 of 10 and 0 of 10 (Brown, Cai and DasGupta 2001; 1 − 0.025^(1/10)).
        let limits = |k| (least_share(k, 10, 0.025), largest_share(k, 10, 0.025));
        assert!((limits(5).0 - 0.1871).abs() < 5e-5 && (limits(5).1 - 0.8129).abs() < 5e-5);
        assert!(limits(0).0 == 0.0 && (limits(0).1 - 0.3085).abs() < 5e-5);
        assert!(limits(10).1 == 1.0 && (limits(10).0 - 0.6915).abs() < 5e-5);
    }

    #[test]
    fn the_tail_of_every_quantile_is_the_risk_that_was_asked_for() {
        for freedom in (2..40).chain([99, 999, 20_000]) {
            let law = StudentsT::new(0.0, 1.0, freedom as f64).unwrap();
            for risk in [5e-10, 1e-6, 5e-5, 0.005, 0.025, 0.05] {
                let tail = law.cdf(-student(freedom, risk));
                assert!((tail / risk - 1.0).abs() < 1e-5, "{freedom} {risk}: {tail}");
            }
        }
    }

    #[test]
    fn what_no_bar_can_be_given_to_is_unknown() {
        for draws in [&[][..], &[1.0], &[1.0, f64::NAN], &[1.0, f64::INFINITY]] {
            assert!(Quantity::sampled_mean(draws, LEVEL).value.is_nan());
            assert!(Quantity::sampled_median(draws, LEVEL).value.is_nan());
        }
        assert!(Quantity::sampled_mean(&[1.0, 2.0], 1.0).value.is_nan());
        assert!(Quantity::sampled_bounded_mean(&[0.5, 2.0], 0.0, 1.0, LEVEL).value.is_nan());
        assert!(Quantity::sampled_share(0, 0, LEVEL).value.is_nan());
        assert!(Quantity::sampled_share(2, 1, LEVEL).value.is_nan());
        // Draws that agree keep the bar of their rounding.
        assert!(Quantity::sampled_mean(&[0.1, 0.1, 0.1], LEVEL).bar > 0.0);
    }
}
