//! The comparison equation (R) of T2.1: y' = κ − γ y + η y².

use crate::facts::{Grade, Quantity};

/// Coefficients of (R) on a grid of times.
#[derive(Clone, Copy, Debug)]
pub struct Coefficients<'a> {
    /// K + 1 increasing times.
    pub times: &'a [Quantity],
    /// γ, κ and η at these times.
    pub gamma: &'a [Quantity],
    /// Cross derivative T→N.
    pub kappa: &'a [Quantity],
    /// Cross derivative N→T.
    pub eta: &'a [Quantity],
}

/// The least favourable constants of a whole path, bars and curvature between the times included.
///
/// The bar of each says how far within it the true extreme may lie.
#[derive(Clone, Copy, Debug)]
pub struct LeastFavourable {
    /// The smallest γ.
    pub gamma: Quantity,
    /// The largest κ.
    pub kappa: Quantity,
    /// The largest η.
    pub eta: Quantity,
}

impl Coefficients<'_> {
    /// The constants of the explicit form. With them (R) dominates [`riccati_bound`] (F3).
    pub fn least_favourable(&self) -> LeastFavourable {
        let complete = self.complete();
        let extreme = |series: &[Quantity], sign: f64| {
            if !complete {
                return Quantity::UNKNOWN;
            }
            let ends = (1..series.len()).map(|k| sign * envelope(series, k - 1, sign));
            let value = sign * ends.fold(f64::NEG_INFINITY, f64::max);
            let bar = series.iter().map(|q| q.bar).fold(0.0, f64::max);
            Quantity::new(value, 2.0 * bar, Grade::Estimated)
        };
        LeastFavourable {
            gamma: extreme(self.gamma, -1.0),
            kappa: extreme(self.kappa, 1.0),
            eta: extreme(self.eta, 1.0),
        }
    }

    /// Every series measured at every time, and the times increasing.
    fn complete(&self) -> bool {
        let finite = |q: &Quantity| q.value.is_finite() && q.bar.is_finite();
        let series = [self.times, self.gamma, self.kappa, self.eta];
        self.times.len() >= 2
            && series.iter().all(|s| s.len() == self.times.len() && s.iter().all(finite))
            && self.times.is_sorted_by(|a, b| a.value < b.value)
    }
}

/// The solution of (R), as an upper bound, at every time of the grid.
#[derive(Clone, Debug)]
pub struct RiccatiBound {
    /// y at the times of the grid; after a pole, the formula continued through it.
    pub y: Vec<f64>,
    /// True while y stayed finite: only then is it a bound.
    pub exists: bool,
}

/// The least favourable value of a series on the interval [k, k+1], for an upper (`sign` = 1) or
/// lower (−1) envelope: the worse end, its bar, and an allowance for curvature between the ends
/// (an eighth of the largest second difference nearby).
pub(super) fn envelope(series: &[Quantity], k: usize, sign: f64) -> f64 {
    let at = |i: usize| series[i].value;
    let bend = |i: usize| {
        if i == 0 || i + 1 >= series.len() {
            0.0
        } else {
            (at(i - 1) - 2.0 * at(i) + at(i + 1)).abs() / 8.0
        }
    };
    let end = |i: usize| sign * at(i) + series[i].bar;
    sign * (end(k).max(end(k + 1)) + bend(k).max(bend(k + 1)))
}

/// Solves (R) from y(t_0) = `start` with the least favourable constant coefficients on every interval.
///
/// Larger κ and η and smaller γ give larger y (F3), so the result bounds the
/// solution for the true coefficients. `None` when a series is missing, a
/// number in it was not measured, or the times do not increase.
pub fn riccati_bound(c: Coefficients<'_>, start: f64) -> Option<RiccatiBound> {
    if !c.complete() || !start.is_finite() {
        return None;
    }
    let mut bound = RiccatiBound { y: vec![start], exists: true };
    let mut y = start;
    for k in 0..c.times.len() - 1 {
        let h = c.times[k + 1].value - c.times[k].value;
        let gamma = envelope(c.gamma, k, -1.0);
        let (kappa, eta) = (envelope(c.kappa, k, 1.0), envelope(c.eta, k, 1.0));
        let (next, pole) = constant_step(gamma, kappa, eta, h, y);
        y = next;
        bound.exists &= !pole && y.is_finite();
        bound.y.push(y);
    }
    Some(bound)
}

/// The exact solution of (R) with constant coefficients after time h, and whether it met a pole.
///
/// y = u/w with (u, w)' = [[−γ/2, κ], [−η, γ/2]] (u, w): a Möbius map of y.
///
/// ```
/// use driftproof::claims::riccati::constant_step;
/// // Without cross terms: y(h) = y e^{−γh}.
/// let (y, pole) = constant_step(2.0, 0.0, 0.0, 1.5, 0.7);
/// assert!((y - 0.7 * (-3.0_f64).exp()).abs() < 1e-15 && !pole);
/// // κ = η = 1, γ = 0: y = tan(t), with its pole at π/2.
/// assert!((constant_step(0.0, 1.0, 1.0, 1.0, 0.0).0 - 1.0_f64.tan()).abs() < 1e-14);
/// assert!(constant_step(0.0, 1.0, 1.0, 1.6, 0.0).1);
/// ```
pub fn constant_step(gamma: f64, kappa: f64, eta: f64, h: f64, y: f64) -> (f64, bool) {
    let quarter = 0.25 * gamma * gamma - kappa * eta; // Δ/4
    let q = quarter.abs().sqrt();
    // C = cosh(qh), S = sinh(qh)/q, both divided by e^{qh} so that they cannot overflow; or cos, sin.
    let (c, s) = if quarter > 0.0 {
        // 1 − e^{−2qh} without cancellation: near a double root q is tiny.
        let lost = -(-2.0 * q * h).exp_m1();
        (1.0 - 0.5 * lost, 0.5 * lost / q)
    } else if q > 0.0 {
        ((q * h).cos(), (q * h).sin() / q)
    } else {
        (1.0, h)
    };
    let w = c + (0.5 * gamma - eta * y) * s;
    let u = (c - 0.5 * gamma * s) * y + kappa * s;
    // w starts at 1. With Δ ≥ 0 it changes sign at most once; with Δ < 0 within half a turn.
    let turned = quarter < 0.0 && q * h >= std::f64::consts::PI;
    (u / w, w <= 0.0 || turned)
}

/// The explicit solution for constant coefficients with Δ > 0 (T2.1): the roots y_∓ and y(t).
#[derive(Clone, Copy, Debug)]
pub struct FixedPoints {
    /// The attracting root y_- = 2κ/(γ + √Δ).
    pub low: f64,
    /// The barrier y_+ = (γ + √Δ)/(2η), ∞ when η = 0.
    pub barrier: f64,
    /// √Δ, Δ = γ² − 4κη; 0 when Δ < 0, where there are no roots and the parabola's vertex stands in.
    pub root: f64,
}

impl FixedPoints {
    /// The roots of κ − γ y + η y².
    pub fn of(gamma: f64, kappa: f64, eta: f64) -> Self {
        let root = (gamma * gamma - 4.0 * kappa * eta).max(0.0).sqrt();
        let sum = gamma + root;
        let barrier = if eta > 0.0 { sum / (2.0 * eta) } else { f64::INFINITY };
        Self { low: 2.0 * kappa / sum, barrier, root }
    }

    /// y(t) from y(0) = `start`, as printed: (y − y_-)/(y_+ − y) = (y_0 − y_-)/(y_+ − y_0) e^{−√Δ t}.
    pub fn after(&self, time: f64, start: f64) -> f64 {
        let decay = (-self.root * time).exp();
        if self.barrier.is_infinite() {
            return self.low + (start - self.low) * decay;
        }
        let ratio = (start - self.low) / (self.barrier - start) * decay;
        (self.low + self.barrier * ratio) / (1.0 + ratio)
    }
}
