//! Special functions against identities, bounds and 60-digit reference values.

use driftproof::special::{
    TruncatedGaussian, bessel_ratio_slope, bessel_ratio_taylor, erf_taylor, gauss_legendre,
    log_bessel_taylor,
};

/// A few roundings on top of the recurrence of at most 25 steps, each contracting.
const ROUNDING: f64 = 1e-14;

fn relative(found: f64, expected: f64) -> f64 {
    ((found - expected) / expected).abs()
}

/// Values of A_n(κ)/κ, its Taylor coefficients in κ², A_n'(κ), and the logarithm of
/// Γ(n/2)(2/κ)^{n/2−1} I_{n/2−1}(κ) less √(κ²+n²/4) − n/2.
struct Row {
    n: usize,
    kappa: f64,
    taylor: [f64; 4],
    slope: f64,
    log: f64,
}

/// mpmath 1.3.0 with 60 to 90 digits: `besseli` and `loggamma` directly; the Taylor coefficients from
/// g_n' = g_n (g_{n+2} − g_n)/2, the slope from 1 − A² − (n−1)A/κ (which cancels, hence the digits).
#[rustfmt::skip]
#[allow(clippy::excessive_precision, clippy::unreadable_literal)]
const REFERENCE: [Row; 16] = [
    Row { n: 1, kappa: 2.0, taylor: [0.48201379003790844197, -0.051420370648092997036, 0.0075129025054687956759, -0.0011475273334158698636], slope: 0.070650824853164465686, log: -0.23655006545096584397 },
    Row { n: 2, kappa: 1.0e-3, taylor: [0.49999993750001041666, -0.062499979166672037759, 0.010416661295574772135, -0.0017903633463547012892], slope: 0.49999981250005208332, log: -2.4999989062506076385e-7 },
    Row { n: 2, kappa: 7.0e-1, taylor: [0.47168184218953008679, -0.053449721328777008569, 0.0081745728695185385328, -0.0012936940277978753517], slope: 0.41930111528732861839, log: -0.10171495766276843054 },
    Row { n: 2, kappa: 1.0e1, taylor: [0.094859982595484595897, -0.00044780797496266618435, 3.2215673601264186815e-6, -2.5906756208290221571e-8], slope: 0.0052983876029513590269, log: -1.1069035380021947157 },
    Row { n: 2, kappa: 6.0e1, taylor: [0.016527189168736812874, -2.2759879009214932095e-6, 4.7145030495360106611e-10, -1.0862779082272902001e-13], slope: 0.0001400762821020617653, log: -1.972342565054848586 },
    Row { n: 2, kappa: 1.0e3, taylor: [0.0009994998748748042802, -4.9949981224951049632e-10, 3.7449976524914306203e-16, -3.1199972606121418403e-22], slope: 5.0025037578328755973e-7, log: -3.373191110005535391 },
    Row { n: 2, kappa: 1.0e8, taylor: [9.999999949999999875e-9, -4.9999999499999998125e-25, 3.7499999499999997656e-41, -3.1249999499999997266e-57], slope: 5.000000025000000375e-17, log: -9.1292789089308554716 },
    Row { n: 5, kappa: 4.0, taylor: [0.14553531095636957284, -0.0020801557045163384704, 0.000047939353591712918831, -1.2341097004330913211e-6], slope: 0.078970328411846741783, log: -0.87123730447248211508 },
    Row { n: 7, kappa: 1.0e5, taylor: [9.99970000300003e-6, -4.99970000450006e-16, 3.74970000562509e-26, -3.12470000656262e-36], slope: 2.9999399991000000005e-10, log: -29.023964624518401746 },
    Row { n: 20, kappa: 1.5e1, taylor: [0.036121232565989190375, -0.000035537612864880809626, 6.0813457278557645485e-8, -1.2211208542662976393e-10], slope: 0.020129306776792826043, log: -3.3325251222853319077 },
    Row { n: 64, kappa: 4.0e1, taylor: [0.012059588029725488933, -1.4085923178589287182e-6, 2.9561989198100191871e-10, -7.4047021578485689675e-14], slope: 0.0075520926125769170345, log: -8.3780587748058117496 },
    Row { n: 101, kappa: 1.0e4, taylor: [0.000099501225115012343361, -4.9501837726279450585e-13, 3.7002297209736949567e-21, -3.0752680128352665647e-29], slope: 4.9754966245344219131e-7, log: -230.35593376604958537 },
    Row { n: 1000, kappa: 1.0, taylor: [0.00099999900199799603485, -9.9800001591927343897e-10, 1.9880409336644088216e-15, -4.9424137057280364074e-21], slope: 0.0009999970059979641963, log: -0.00049999924950266665698 },
    Row { n: 1000, kappa: 3.0e2, taylor: [0.00092339259117541949816, -7.3022302671380635272e-10, 1.1123645243278173007e-15, -2.0853258272006521613e-21], slope: 0.00079195244636693435467, log: -39.908481393821192945 },
    Row { n: 1000, kappa: 1.0e4, taylor: [0.000095129435390594034959, -4.5191581957261110572e-13, 3.2738137064083337659e-21, -2.6526886858138266152e-29], slope: 4.7462714760718138143e-6, log: -1175.4279359518330452 },
    Row { n: 1000, kappa: 1.0e8, taylor: [9.9999500501245003762e-9, -4.999950050186750565e-25, 3.7499500502334382069e-41, -3.1249500502723445753e-57], slope: 4.9949750999246268089e-14, log: -5751.0551716800208386 },
];

#[test]
fn bessel_ratio_agrees_with_sixty_digit_references_to_third_order() {
    for row in &REFERENCE {
        let found = bessel_ratio_taylor(row.n, row.kappa * row.kappa);
        for (order, (found, expected)) in found.into_iter().zip(row.taylor).enumerate() {
            // Each derivative of 1/(n + z g) subtracts a same-sized term once more.
            let bound = ROUNDING * 4.0_f64.powi(order as i32);
            let error = relative(found, expected);
            assert!(error < bound, "n={} κ={} order {order}: {error:e}", row.n, row.kappa);
        }
    }
}

#[test]
fn radial_variance_keeps_its_digits_where_the_textbook_form_loses_all() {
    for row in &REFERENCE {
        let error = relative(bessel_ratio_slope(row.n, row.kappa), row.slope);
        assert!(error < 1e-13, "n={} κ={}: {error:e}", row.n, row.kappa);
    }
    let (n, kappa) = (2, 1e8);
    let a = bessel_ratio_taylor(n, kappa * kappa)[0] * kappa;
    let textbook = 1.0 - a * a - (n as f64 - 1.0) * a / kappa;
    assert!(relative(textbook, bessel_ratio_slope(n, kappa)) > 0.5, "{textbook:e}");
}

#[test]
fn log_bessel_agrees_with_sixty_digit_references() {
    for row in &REFERENCE {
        let found = log_bessel_taylor(row.n, row.kappa * row.kappa)[0];
        let error = (found - row.log).abs() / row.log.abs().max(1.0);
        assert!(error < ROUNDING, "n={} κ={}: {error:e}", row.n, row.kappa);
    }
}

/// κ from 1e-4 to 1e8.
fn kappas() -> impl Iterator<Item = f64> {
    (-16..=32).map(|i| 10.0_f64.powf(f64::from(i) / 4.0))
}

#[test]
fn lowest_ratios_are_the_hyperbolic_tangent_and_the_langevin_function() {
    for kappa in kappas() {
        let ratio = |n| bessel_ratio_taylor(n, kappa * kappa)[0] * kappa;
        assert!(relative(ratio(1), kappa.tanh()) < ROUNDING, "κ={kappa}");
        if kappa > 1.0 {
            assert!(relative(ratio(3), 1.0 / kappa.tanh() - 1.0 / kappa) < ROUNDING, "κ={kappa}");
        }
    }
}

#[test]
fn ratios_satisfy_the_recurrence_between_dimensions() {
    // I_{μ−1} − I_{μ+1} = (2μ/κ) I_μ: 1/g_n = n + κ² g_{n+2}, also across the start of the recurrence.
    for n in [1, 2, 3, 17, 48, 49, 50, 51, 52, 200, 1000, 5000] {
        for z in kappas().map(|kappa| kappa * kappa) {
            let (low, high) = (bessel_ratio_taylor(n, z)[0], bessel_ratio_taylor(n + 2, z)[0]);
            assert!(relative(1.0 / low, n as f64 + z * high) < ROUNDING, "n={n} z={z}");
        }
    }
}

#[test]
fn ratios_lie_between_the_bounds_of_amos() {
    // Amos (1974) at order m = n/2 − 1:
    // κ/(m + ½ + √(κ² + (m + 3/2)²)) ≤ A_n ≤ κ/(m + √(κ² + (m + 2)²)).
    for n in 1..=1000 {
        for kappa in kappas() {
            let (m, g) = (n as f64 / 2.0 - 1.0, bessel_ratio_taylor(n, kappa * kappa)[0]);
            let low = 1.0 / (m + 0.5 + kappa.hypot(m + 1.5));
            let high = 1.0 / (m + kappa.hypot(m + 2.0));
            assert!(g >= low * (1.0 - ROUNDING) && g <= high * (1.0 + ROUNDING), "n={n} κ={kappa}");
        }
    }
}

#[test]
fn second_moments_of_a_unit_vector_sum_to_one() {
    // E|u|² = 1: A² + A' + (n − 1) A/κ = 1, with A' from its own recurrence.
    for n in [1, 2, 3, 10, 100, 1000] {
        for kappa in kappas() {
            let g = bessel_ratio_taylor(n, kappa * kappa)[0];
            let mean = g * kappa;
            let sum = mean * mean + bessel_ratio_slope(n, kappa) + (n as f64 - 1.0) * g;
            assert!((sum - 1.0).abs() < ROUNDING, "n={n} κ={kappa}: {sum}");
        }
    }
}

#[test]
fn ratio_is_regular_at_zero_and_far_beyond_all_uses() {
    for n in [1, 2, 9, 1000] {
        let nf = n as f64;
        let at_zero = bessel_ratio_taylor(n, 0.0);
        assert!(relative(at_zero[0], 1.0 / nf) < ROUNDING);
        assert!(relative(at_zero[1], -1.0 / (nf * nf * (nf + 2.0))) < ROUNDING);
        assert!(relative(bessel_ratio_slope(n, 0.0), 1.0 / nf) < ROUNDING);
        assert!(log_bessel_taylor(n, 0.0)[0].abs() < ROUNDING);
        // A_n = 1 − (n − 1)/2κ + …
        assert!(relative(bessel_ratio_taylor(n, 1e200)[0] * 1e100, 1.0) < ROUNDING);
    }
}

#[test]
fn log_bessel_derivatives_integrate_to_its_values() {
    // The value comes from the expansion of log I, the derivative from the ratio: integrate one, compare.
    let rule = gauss_legendre(40);
    for n in [1, 2, 5, 60, 1000] {
        for (low, high) in [(0.0, 1.0), (9.0, 25.0), (1e4, 4e4), (1e10, 1.5e10)] {
            let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
            let integral: f64 = (rule.iter())
                .map(|(x, w)| w * half * log_bessel_taylor(n, middle + half * x)[1])
                .sum();
            let (a, b) = (log_bessel_taylor(n, low)[0], log_bessel_taylor(n, high)[0]);
            // The derivative is g less 1/√(z + n²/4), each rounded: ∫ ε/κ dz = 2ε κ.
            let bound = ROUNDING * (1.0 + a.abs()) + 4.0 * f64::EPSILON * high.sqrt();
            assert!(
                (b - a - integral).abs() < bound,
                "n={n} [{low}, {high}]: {}",
                b - a - integral
            );
        }
    }
}

#[test]
fn log_bessel_is_the_logarithm_of_an_exponential_mean_over_the_sphere() {
    // E[e^{κu}] over the polar angle φ, u = cos φ with density proportional to sin^{n−2} φ.
    let rule = gauss_legendre(200);
    for n in [2, 3, 6, 25] {
        for kappa in [0.3, 4.0, 30.0] {
            let (mut top, mut bottom) = (0.0, 0.0);
            for (x, w) in &rule {
                let angle = std::f64::consts::FRAC_PI_2 * (1.0 + x);
                let base = w * angle.sin().powi(n - 2);
                top += base * (kappa * (angle.cos() - 1.0)).exp();
                bottom += base;
            }
            let expected = kappa + (top / bottom).ln();
            let half = f64::from(n) / 2.0;
            let growth = (kappa * kappa + half * half).sqrt() - half;
            let found = log_bessel_taylor(n as usize, kappa * kappa)[0] + growth;
            assert!((found - expected).abs() < 1e-13 * expected.max(1.0), "n={n} κ={kappa}");
        }
    }
}

#[test]
fn quadrature_is_exact_to_its_degree_and_not_beyond() {
    for n in [1, 2, 5, 20, 48] {
        let rule = gauss_legendre(n);
        for degree in 0..2 * n + 2 {
            let sum: f64 = rule.iter().map(|(x, w)| w * x.powi(degree as i32)).sum();
            let exact = if degree % 2 == 0 { 2.0 / (degree as f64 + 1.0) } else { 0.0 };
            let error = (sum - exact).abs();
            if degree < 2 * n {
                assert!(error < ROUNDING, "n={n} degree {degree}: {error:e}");
            } else if degree == 2 * n && n < 10 {
                assert!(error > 1e-7, "n={n} degree {degree}: {error:e}");
            }
        }
    }
}

#[test]
fn error_function_taylor_series_continues_it() {
    for x in [-3.0, -0.4, 0.0, 0.9, 2.5] {
        let (c, h) = (erf_taylor(x), 1e-3);
        let near = ((c[3] * h + c[2]) * h + c[1]) * h + c[0];
        // The next term is erfh⁴/24, and |erf| < 10.
        assert!((near - erf_taylor(x + h)[0]).abs() < 10.0 * h.powi(4) / 24.0 + ROUNDING, "x={x}");
    }
    // mpmath 1.3.0 at 30 digits: erf(0.5).
    assert!((erf_taylor(0.5)[0] - 0.520_499_877_813_046_5).abs() < 1e-15);
}

#[test]
fn truncated_gaussian_has_its_three_limits() {
    // Uniform tilted by e^{pu} on [−1, 1]: the Langevin function, and its derivative.
    for p in [0.5_f64, 3.0, -8.0, 200.0, -1e6] {
        let law = TruncatedGaussian::new(p, 0.0, -1.0, 1.0);
        assert!(relative(law.mean, 1.0 / p.tanh() - 1.0 / p) < 1e-13, "p={p}");
        let variance = 1.0 / (p * p) - p.sinh().powi(-2);
        assert!(relative(law.cumulants[2][0], variance) < 1e-12, "p={p}");
        let log_mass = p.abs() + (-(-2.0 * p.abs()).exp_m1() / p.abs()).ln();
        assert!(relative(law.log_mass, log_mass) < 1e-13, "p={p}");
    }
    // A Gaussian well inside the interval: mean p/q, variance 1/q, no higher cumulants.
    let law = TruncatedGaussian::new(3e4, 1e6, -1.0, 1.0);
    assert!((law.mean - 0.03).abs() < 1e-16);
    assert!(relative(law.cumulants[2][0], 1e-6) < 1e-13);
    assert!(law.cumulants[3][0].abs() < 1e-13 * 1e-9 && law.cumulants[4][0].abs() < 1e-13 * 1e-12);
    // Half a Gaussian: E = √(2/πq), variance (1 − 2/π)/q, third cumulant √(2/π)(4/π − 1) q^{-3/2}.
    let law = TruncatedGaussian::new(0.0, 1e8, 0.0, 1.0);
    let pi = std::f64::consts::PI;
    assert!(relative(law.mean, (2.0 / pi).sqrt() * 1e-4) < 1e-13);
    assert!(relative(law.cumulants[2][0], (1.0 - 2.0 / pi) * 1e-8) < 1e-13);
    assert!(relative(law.cumulants[3][0], (2.0 / pi).sqrt() * (4.0 / pi - 1.0) * 1e-12) < 1e-12);
}

#[test]
fn truncated_gaussian_cumulants_are_derivatives_of_its_log_mass() {
    // Central differences with one Richardson step, h⁴ error, at an asymmetric interval.
    let log_mass = |p: f64, q: f64| TruncatedGaussian::new(p, q, -0.7, 1.2).log_mass;
    let mean = |p: f64, q: f64| TruncatedGaussian::new(p, q, -0.7, 1.2).mean;
    let slope = |f: &dyn Fn(f64) -> f64| {
        let difference = |h: f64| (f(h) - f(-h)) / (2.0 * h);
        (4.0 * difference(1e-3) - difference(2e-3)) / 3.0
    };
    for (p, q) in [(0.4, 0.0), (2.0, 3.0), (-5.0, 1.0), (9.0, 4.0)] {
        let law = TruncatedGaussian::new(p, q + 0.01, -0.7, 1.2);
        let q = q + 0.01;
        let c = law.cumulants;
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-10;
        assert!(close(slope(&|h| log_mass(p + h, q)), c[1][0]));
        assert!(close(slope(&|h| log_mass(p, q + h)), c[0][1]));
        assert!(close(slope(&|h| mean(p + h, q)), c[2][0]));
        assert!(close(slope(&|h| mean(p, q + h)), c[1][1]));
        let raise = |i: usize, j: usize, dp: f64, dq: f64| {
            slope(&|h| TruncatedGaussian::new(p + h * dp, q + h * dq, -0.7, 1.2).cumulants[i][j])
        };
        for (i, j) in [(2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3)] {
            assert!(close(raise(i, j, 1.0, 0.0), c[i + 1][j]), "∂p of [{i}][{j}]");
            assert!(close(raise(i, j, 0.0, 1.0), c[i][j + 1]), "∂q of [{i}][{j}]");
        }
    }
}
