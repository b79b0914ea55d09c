//! Special functions of the exactly solvable laws: plain numerical analysis, no fields.
//!
//! Each function returns Taylor coefficients, so that [`crate::scalar::Scalar::compose`]
//! carries it to every number type.

use num_dual::{Dual3, DualNum};
use std::sync::LazyLock;

/// Order from which the uniform expansion is used; smaller orders are reached by recurrence.
const LEAST_ORDER: f64 = 24.0;

/// Terms of the uniform expansion: at [`LEAST_ORDER`] the next one is below 1e-17 for every argument.
const TERMS: usize = 14;

/// Coefficients of r_k(τ) = Σ_j R[k][j] τ^j in the uniform expansion of log I_ν.
///
/// F = κ I_ν'/I_ν solves κF' = κ² + ν² − F². With S = √(κ² + ν²), τ = ν²/S²
/// and F = Σ S^{1−k} q_k(τ), q_0 = 1, comparing powers of S gives
/// 2 q_k = −(1−τ)[(2−k) q_{k−1} − 2τ q'_{k−1}] − Σ_{0<i<k} q_i q_{k−i};
/// every q_k, k ≥ 1, is (1−τ) r_k, and dividing that factor out by hand is
/// what avoids the cancellation at small κ.
const R: [[f64; TERMS + 1]; TERMS + 1] = {
    let mut r = [[0.0; TERMS + 1]; TERMS + 1];
    let mut q = [[0.0; TERMS + 2]; TERMS + 1];
    q[0][0] = 1.0;
    let mut k = 1;
    while k <= TERMS {
        let mut sum = [0.0; TERMS + 2]; // Σ r_i r_{k−i}
        let mut i = 1;
        while i < k {
            let mut j = 0;
            while j < i {
                let mut l = 0;
                while l < k - i {
                    sum[j + l] += r[i][j] * r[k - i][l];
                    l += 1;
                }
                j += 1;
            }
            i += 1;
        }
        let mut j = 0;
        while j < k {
            let below = if j > 0 { sum[j - 1] } else { 0.0 };
            let linear = (2.0 - k as f64 - 2.0 * j as f64) * q[k - 1][j];
            r[k][j] = -0.5 * (linear + sum[j] - below);
            j += 1;
        }
        let mut j = 0;
        while j <= k {
            q[k][j] = r[k][j] - if j > 0 { r[k][j - 1] } else { 0.0 };
            j += 1;
        }
        k += 1;
    }
    r
};

/// Σ_k s^{-k} Σ_j c(k, j) τ^j over 1 ≤ k ≤ `terms`, j ≤ k, by Horner's rule.
fn expansion<D: DualNum<Primitive = f64> + Copy>(
    inverse_s: D,
    tau: D,
    terms: usize,
    c: impl Fn(usize, usize) -> f64,
) -> D {
    (1..=terms).rev().fold(D::from(0.0), |sum, k| {
        let inner = (0..=k).rev().fold(D::from(0.0), |p, j| p * tau + c(k, j));
        (sum + inner) * inverse_s
    })
}

/// Steps of the recurrence n ← n + 2 after which the order n/2 − 1 reaches [`LEAST_ORDER`].
fn steps(n: usize) -> usize {
    (2 * (LEAST_ORDER as usize + 1)).saturating_sub(n).div_ceil(2)
}

/// The order ν ≥ [`LEAST_ORDER`] at which the recurrence for dimension n starts.
fn start_order(n: usize) -> f64 {
    (n + 2 * steps(n)) as f64 / 2.0 - 1.0
}

/// A_n(√z)/√z on any dual number: continued fraction closed by the uniform expansion.
///
/// `visit` sees each dimension m = …, n + 2, n below the start, with its g_m.
fn ratio<D: DualNum<Primitive = f64> + Copy>(n: usize, z: D, mut visit: impl FnMut(usize, D)) -> D {
    let (steps, nu) = (steps(n), start_order(n));
    let s = (z + nu * nu).sqrt();
    let inverse = s.recip();
    let tau = inverse * inverse * (nu * nu);
    // z g_{2ν+2} = F − ν, and S − ν = z/(S + ν).
    let corrections = expansion(inverse, tau, TERMS, |k, j| R[k][j]);
    let mut g = (s + nu).recip() + corrections * inverse;
    for order in (0..steps).rev().map(|k| n + 2 * k) {
        // I_{μ−1} = I_{μ+1} + (2μ/κ) I_μ; the map contracts errors by A² < 1.
        g = (z * g + order as f64).recip();
        visit(order, g);
    }
    g
}

/// Taylor coefficients at z ≥ 0 of g_n(z) = A_n(√z)/√z, A_n(κ) = I_{n/2}(κ)/I_{n/2−1}(κ), n ≥ 1.
///
/// g_n is analytic at 0 with g_n(0) = 1/n; A_n(κ) is the mean resultant length
/// of a von Mises–Fisher law on S^{n−1} (T6.5).
/// *Accuracy*: a few 1e-16 relative, uniformly in n and z ≤ 1e300.
///
/// ```
/// use driftproof::special::bessel_ratio_taylor;
/// let kappa: f64 = 2.5;
/// let langevin = 1.0 / kappa.tanh() - 1.0 / kappa; // A_3
/// assert!((bessel_ratio_taylor(3, kappa * kappa)[0] * kappa - langevin).abs() < 1e-15);
/// ```
pub fn bessel_ratio_taylor(n: usize, z: f64) -> [f64; 4] {
    let g = ratio(n, Dual3::from_re(z).derivative(), |_, _| {});
    [g.re, g.v1, g.v2 / 2.0, g.v3 / 6.0]
}

/// A_n'(κ), n ≥ 1, κ ≥ 0: the variance along the mean of a von Mises–Fisher law.
///
/// The textbook form 1 − A² − (n−1)A/κ loses all digits for large κ. Here
/// A_n' = g_n²(n − κ² A'_{n+2}) is started from the uniform expansion, losing
/// at most a factor of about 2·LEAST_ORDER/(n − 1) to the subtractions.
/// *Accuracy*: 1e-13 relative, the worst at n = 2 and large κ.
pub fn bessel_ratio_slope(n: usize, kappa: f64) -> f64 {
    if n == 1 {
        return kappa.cosh().powi(-2); // A_1 = tanh; the recurrence below would subtract equals
    }
    let z = kappa * kappa;
    let nu = start_order(n);
    let s = (z + nu * nu).sqrt();
    let (inverse, tau) = (1.0 / s, (nu / s) * (nu / s));
    // z A' = κF' − F + ν, F = S + Σ S^{1−k} q_k; see R.
    let corrections = expansion(inverse, tau, TERMS, |k, j| {
        let q = |j: usize| R[k][j] - if j > 0 { R[k][j - 1] } else { 0.0 };
        (1.0 - k as f64 - 2.0 * j as f64) * q(j) - R[k][j]
    });
    let mut slope = nu * inverse / (s + nu) + corrections * inverse;
    ratio(n, z, |order, g| slope = g * g * (order as f64 - z * slope));
    slope
}

/// Taylor coefficients at z = κ² of log E[e^{κ u}] − (√(z + n²/4) − n/2), u the first coordinate of a uniform point of S^{n−1}.
///
/// E[e^{κu}] = Γ(n/2) (2/κ)^{n/2−1} I_{n/2−1}(κ) = ₀F₁(; n/2; z/4). What is
/// subtracted is its leading growth, smooth in z, so that the remainder is
/// O(n log κ) and the caller can cancel the growth in closed form.
/// *Accuracy*: a few 1e-16 of max(1, n log κ).
pub fn log_bessel_taylor(n: usize, z: f64) -> [f64; 4] {
    let argument = Dual3::from_re(z).derivative();
    // H_n = H_{n+2} − log(n g_n) carries the expansion at the start order down to n.
    let mut log_fractions = 0.0;
    let g = ratio(n, argument, |order, g| log_fractions += (order as f64 * g.re).ln());
    let (half, nu) = (n as f64 / 2.0, start_order(n));
    let (s, s_half) = ((z + nu * nu).sqrt(), (z + half * half).sqrt());
    // S^{-k} e_k(τ) integrates F_{k+1}: k e_k + 2τ e_k' = −r_{k+1}; normalised to vanish at κ = 0.
    let e = |k: usize, j: usize| -R[k + 1][j] / (k as f64 + 2.0 * j as f64);
    let corrections = expansion(1.0 / s, (nu / s) * (nu / s), TERMS - 1, e)
        - expansion(1.0 / nu, 1.0, TERMS - 1, e);
    let grown = z / (s + nu); // S − ν
    let uniform = corrections - nu * (grown / (2.0 * nu)).ln_1p() - 0.5 * (grown / nu).ln_1p();
    let change = (half - nu) + (nu - half) * (nu + half) / (s + s_half);
    let value = uniform + change - log_fractions;
    // The derivative is (g_n − 1/√(z + n²/4))/2.
    let slope = (g - (argument + half * half).sqrt().recip()) * 0.5;
    [value, slope.re, slope.v1 / 2.0, slope.v2 / 6.0]
}

/// Taylor coefficients of the error function at x.
///
/// From libm, good to one unit in the last place; the one of statrs 0.19 errs by 5e-11 at x = 0.5.
pub fn erf_taylor(x: f64) -> [f64; 4] {
    let slope = std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp();
    [libm::erf(x), slope, -x * slope, (2.0 * x * x - 1.0) / 3.0 * slope]
}

/// Pairs of node (increasing) and weight of Gauss–Legendre quadrature on [−1, 1], exact to degree 2n − 1.
///
/// *Source*: Newton's method on the Legendre recurrence from the Tricomi guess.
///
/// ```
/// let rule = driftproof::special::gauss_legendre(3);
/// let fourth: f64 = rule.iter().map(|(x, w)| w * x.powi(4)).sum();
/// assert!((fourth - 2.0 / 5.0).abs() < 1e-15); // ∫ x⁴ = 2/5
/// ```
pub fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let legendre = |x: f64| {
        let (mut below, mut p) = (0.0, 1.0);
        for k in 0..n {
            let k = k as f64;
            (below, p) = (p, ((2.0 * k + 1.0) * x * p - k * below) / (k + 1.0));
        }
        (p, n as f64 * (below - x * p) / ((1.0 - x) * (1.0 + x)))
    };
    let node = |i: usize| {
        // Tricomi's guess is within 1/n² of the root: five Newton steps square the error past rounding.
        let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        for _ in 0..5 {
            let (p, slope) = legendre(x);
            x -= p / slope;
        }
        let (_, slope) = legendre(x);
        (x, 2.0 / ((1.0 - x) * (1.0 + x) * slope * slope))
    };
    (0..n).map(node).collect()
}

/// Below e^{−CUT} of its mode a truncated Gaussian is not integrated; its eighth moment there is below 1e-12.
const CUT: f64 = 48.0;

/// The rule for truncated Gaussians: at e^{−CUT} decay its error is below 1e-18 of the mode.
static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| gauss_legendre(48));

/// A Gaussian restricted to an interval: the density proportional to e^{pu − qu²/2} on [low, high], q ≥ 0.
#[derive(Clone, Copy, Debug)]
pub struct TruncatedGaussian {
    /// log ∫ e^{pu − qu²/2} du.
    pub log_mass: f64,
    /// The mean of u.
    pub mean: f64,
    /// Joint cumulants of (u, …i times…, −u²/2, …j times) at `[i][j]`, 2 ≤ i + j ≤ 4, which are
    /// ∂_p^i ∂_q^j of `log_mass`; first order too, but then i + j = 1.
    pub cumulants: [[f64; 5]; 5],
}

impl TruncatedGaussian {
    /// The law of tilt p and precision q on [low, high].
    ///
    /// By quadrature over the stretch where the density matters: the same few
    /// lines hold for a uniform density (q = 0), a Gaussian far narrower than
    /// the interval and an exponential tail at its edge, where each closed form
    /// in erf needs its own rescue. *Accuracy*: 1e-15 of the law's own width.
    pub fn new(p: f64, q: f64, low: f64, high: f64) -> Self {
        let mode = if p >= q * high {
            high
        } else if p <= q * low {
            low
        } else {
            p / q
        };
        let slope = if mode == high || mode == low { (p - q * mode).abs() } else { 0.0 };
        let reach = 2.0 * CUT / (slope + (slope * slope + 2.0 * q * CUT).sqrt());
        let (left, right) = ((mode - low).min(reach), (high - mode).min(reach));
        let (middle, half) = ((right - left) / 2.0, (right + left) / 2.0);
        let tilt = p - q * mode;
        let law: Vec<(f64, f64)> = RULE
            .iter()
            .map(|(node, weight)| {
                let v = middle + half * node;
                (v, weight * half * (tilt * v - 0.5 * q * v * v).exp())
            })
            .collect();
        let mass: f64 = law.iter().map(|(_, w)| w).sum();
        let expect =
            |f: &dyn Fn(f64) -> f64| law.iter().map(|&(v, w)| w * f(v)).sum::<f64>() / mass;
        let offset = expect(&|v| v);
        let mean = mode + offset;
        // −u²/2 up to a constant, with u = mean + t.
        let square = |t: f64| -t * (mean + 0.5 * t);
        let mean_square = expect(&|v| square(v - offset));
        let mut c = [[0.0; 5]; 5];
        for &(v, w) in &law {
            let t = v - offset;
            let s = square(t) - mean_square;
            let mut left = w / mass;
            for (i, row) in c.iter_mut().enumerate() {
                let mut term = left;
                for entry in &mut row[..5 - i] {
                    *entry += term;
                    term *= s;
                }
                left *= t;
            }
        }
        let (uu, us, ss) = (c[2][0], c[1][1], c[0][2]);
        c[4][0] -= 3.0 * uu * uu;
        c[3][1] -= 3.0 * uu * us;
        c[2][2] -= uu * ss + 2.0 * us * us;
        c[1][3] -= 3.0 * us * ss;
        c[0][4] -= 3.0 * ss * ss;
        c[1][0] = mean;
        c[0][1] = mean_square - 0.5 * mean * mean;
        let log_mass = p * mode - 0.5 * q * mode * mode + mass.ln();
        Self { log_mass, mean, cumulants: c }
    }

    /// Taylor coefficients `[i][j]` of log mass in (p, q), to third order.
    pub fn log_mass_taylor(&self) -> [[f64; 4]; 4] {
        let mut taylor = self.taylor(0);
        taylor[0][0] = self.log_mass;
        taylor
    }

    /// Taylor coefficients `[i][j]` of the mean in (p, q), to third order.
    pub fn mean_taylor(&self) -> [[f64; 4]; 4] {
        self.taylor(1)
    }

    /// ∂_p^{i+order} ∂_q^j log mass/(i! j!).
    fn taylor(&self, order: usize) -> [[f64; 4]; 4] {
        const FACTORIAL: [f64; 4] = [1.0, 1.0, 2.0, 6.0];
        let mut taylor = [[0.0; 4]; 4];
        for (i, row) in taylor.iter_mut().enumerate() {
            for (j, entry) in row[..4 - i].iter_mut().enumerate() {
                *entry = self.cumulants[i + order][j] / (FACTORIAL[i] * FACTORIAL[j]);
            }
        }
        taylor
    }
}
