//! Laws of the number types: a dual is its product, quotient and chain rule.

use driftproof::scalar::{Scalar, TANGENT_LANES, Tangents};
use nalgebra::SVector;
use num_dual::{Derivative, Dual, Dual64, DualNum};
use quickcheck::{TestResult, quickcheck};

/// Rounding of a handful of operations on numbers of size ten.
const ROUNDING: f64 = 1e-11;

/// Any number, pulled into [−3, 3]; quickcheck offers NaN and infinities, which have their own test.
fn tame(x: f64) -> Option<f64> {
    x.is_finite().then(|| 3.0 * (x * 0.37).sin())
}

/// The law at tamed numbers; discarded when one of them is not finite.
fn law<const N: usize>(numbers: [f64; N], holds: impl FnOnce([f64; N]) -> bool) -> TestResult {
    let tamed: Option<Vec<f64>> = numbers.into_iter().map(tame).collect();
    match tamed.and_then(|v| <[f64; N]>::try_from(v).ok()) {
        Some(tamed) => TestResult::from_bool(holds(tamed)),
        None => TestResult::discard(),
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= ROUNDING * (1.0 + a.abs() + b.abs())
}

fn tangents(value: f64, slopes: [f64; 2]) -> Tangents {
    let mut eps = SVector::<f64, TANGENT_LANES>::zeros();
    (eps[0], eps[TANGENT_LANES - 1]) = (slopes[0], slopes[1]);
    Tangents::new(value, Derivative::some(eps))
}

fn slopes(x: Tangents) -> [f64; 2] {
    x.eps.0.map_or([0.0; 2], |eps| [eps[0], eps[TANGENT_LANES - 1]])
}

type Third = Dual<Dual<Dual<f64>>>;

/// A third-order number with every part nonzero.
fn third(p: [f64; 8]) -> Third {
    let second = |p: &[f64]| Dual::new(Dual::new(p[0], p[1]), Dual::new(p[2], p[3]));
    Dual::new(second(&p[..4]), second(&p[4..]))
}

fn parts(x: Third) -> [f64; 8] {
    let second = |x: Dual<Dual<f64>>| [x.re.re, x.re.eps, x.eps.re, x.eps.eps];
    let (a, b) = (second(x.re), second(x.eps));
    [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]]
}

fn same(x: Third, y: Third) -> bool {
    parts(x).into_iter().zip(parts(y)).all(|(a, b)| close(a, b))
}

quickcheck! {
    fn product_rule(f: f64, df: f64, g: f64, dg: f64) -> TestResult {
        law([f, df, g, dg], |[f, df, g, dg]| {
            let dual = Dual64::new(f, df) * Dual64::new(g, dg);
            let lanes = tangents(f, [df, -df]) * tangents(g, [dg, 2.0 * dg]);
            close(dual.re, f * g)
                && close(dual.eps, df * g + f * dg)
                && close(slopes(lanes)[0], df * g + f * dg)
                && close(slopes(lanes)[1], -df * g + 2.0 * f * dg)
        })
    }

    fn quotient_rule(f: f64, df: f64, g: f64, dg: f64) -> TestResult {
        law([f, df, g, dg], |[f, df, g, dg]| {
            let g = g + 4.0; // at least 1: away from the pole
            let dual = Dual64::new(f, df) / Dual64::new(g, dg);
            let lanes = tangents(f, [df, 0.0]) / tangents(g, [dg, dg]);
            close(dual.re, f / g)
                && close(dual.eps, (df * g - f * dg) / (g * g))
                && close(slopes(lanes)[0], (df * g - f * dg) / (g * g))
                && close(slopes(lanes)[1], -f * dg / (g * g))
        })
    }

    fn chain_rule(x: f64, dx: f64) -> TestResult {
        law([x, dx], |[x, dx]| {
            // (sin(eˣ))' = cos(eˣ) eˣ
            let slope = x.exp().cos() * x.exp() * dx;
            close(Dual64::new(x, dx).exp().sin().eps, slope)
                && close(slopes(tangents(x, [0.0, dx]).exp().sin())[1], slope)
        })
    }

    fn mixed_second_derivatives_are_symmetric(x: f64, y: f64) -> TestResult {
        law([x, y], |[x, y]| {
            // f = eˣ sin(x y): f_xy in both orders, and by hand.
            let f = |x: Dual<Dual64>, y: Dual<Dual64>| x.exp() * (x * y).sin();
            let (outer, inner) = (Dual64::from(1.0), Dual64::new(0.0, 1.0));
            let constant = |v: f64| Dual::from_re(Dual64::from(v));
            let xy = f(Dual::new(Dual64::from(x), outer), constant(y) + Dual::from_re(inner));
            let yx = f(constant(x) + Dual::from_re(inner), Dual::new(Dual64::from(y), outer));
            let by_hand = x.exp() * ((x + 1.0) * (x * y).cos() - x * y * (x * y).sin());
            close(xy.eps.eps, yx.eps.eps) && close(xy.eps.eps, by_hand)
        })
    }

    fn compose_is_exact_to_third_order(p: (f64, f64, f64, f64), q: (f64, f64, f64, f64)) -> TestResult {
        law([p.0, p.1, p.2, p.3, q.0, q.1, q.2, q.3], |p| {
            // The sine through its Taylor coefficients and through the number type's own chain rule.
            let x = third(p);
            let composed = x.compose(|r| [r.sin(), r.cos(), -r.sin() / 2.0, -r.cos() / 6.0]);
            same(composed, x.sin())
        })
    }

    fn compose2_is_exact_to_third_order(p: (f64, f64, f64, f64), q: (f64, f64, f64, f64)) -> TestResult {
        law([p.0, p.1, p.2, p.3, q.0, q.1, q.2, q.3], |p| {
            let (x, y) = (third(p), third([p[4], p[2], p[7], p[0], p[1], p[6], p[3], p[5]]));
            // e^{x − 2y}: coefficient (−2)^j e/(i! j!).
            let composed = x.compose2(y, |x, y| {
                let factorial = [1.0, 1.0, 2.0, 6.0];
                let mut c = [[0.0; 4]; 4];
                for i in 0..4 {
                    for j in 0..4 - i {
                        c[i][j] = (x - 2.0 * y).exp() * (-2.0_f64).powi(j as i32)
                            / (factorial[i] * factorial[j]);
                    }
                }
                c
            });
            same(composed, (x - y * 2.0).exp())
        })
    }

    fn compose_needs_its_third_coefficient(p: (f64, f64, f64, f64), q: (f64, f64, f64, f64)) -> TestResult {
        law([p.0, p.1, p.2, p.3, q.0, q.1, q.2, q.3], |p| {
            // The law above can fail: without f''' the sine is wrong wherever cos and the slopes are not 0.
            let x = third(p);
            let composed = x.compose(|r| [r.sin(), r.cos(), -r.sin() / 2.0, 0.0]);
            let missing = p[0].cos() * p[1] * p[2] * p[4];
            missing.abs() < 1e-6 || !same(composed, x.sin())
        })
    }

    fn special_functions_have_their_known_derivatives(x: f64) -> TestResult {
        law([x], |[x]| {
            let dual = Dual64::new(x, 1.0);
            let gaussian = 2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp();
            // A_1(κ)/κ = tanh κ/κ in z = κ²: derivative (sech² κ − tanh κ/κ)/2z.
            let kappa = x.abs() + 0.5;
            let ratio = Dual64::new(kappa * kappa, 1.0).bessel_ratio(1).eps;
            let by_hand = (kappa.cosh().powi(-2) - kappa.tanh() / kappa) / (2.0 * kappa * kappa);
            close(dual.erf().eps, gaussian) && close(ratio, by_hand)
        })
    }

    fn no_number_makes_a_carrier_panic(x: f64, y: f64) -> bool {
        fn touch<S: Scalar>(x: S, y: S) {
            let _ = (x * y / (x - y)).exp().sqrt().ln();
            let _ = (x.erf(), x.bessel_ratio(3), x.log_bessel(2), x.powi(3), x.recip());
            let _ = (x.truncated_mean(y, -1.0, 0.5), x.log_truncated_mass(y, -1.0, 0.5));
        }
        touch(x, y);
        touch(Dual64::new(x, y), Dual64::new(y, x));
        touch(tangents(x, [y, 1.0]), tangents(y, [x, y]));
        touch(third([x, y, x, y, 1.0, x, y, y]), third([y; 8]));
        true
    }
}

#[test]
fn extreme_numbers_do_not_panic_either() {
    // quickcheck draws these rarely; here every pair is certain.
    let extremes = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e300, 1e-300, -1e300];
    for x in extremes {
        for y in extremes {
            let (x, y) = (third([x, y, 1.0, 0.0, x, y, 0.0, 1.0]), third([y; 8]));
            let _ = (x.erf(), x.bessel_ratio(7), x.log_bessel(1000), x / y, x.sqrt(), x.ln());
            let _ = (x.truncated_mean(y, -1.0, 1.0), x.log_truncated_mass(y, 0.0, 2.0));
        }
    }
}
