//! Curves by equations: their lengths in closed form, their pieces, laws on them.

use driftproof::formula::Names;
use driftproof::manifold::{Chart, Density, Implicit, Law, Manifold, Variable};
use driftproof::random::Stream;
use nalgebra::DMatrix;
use std::f64::consts::{PI, SQRT_2, TAU};

/// The zeros of formulas of x, y and z within these ranges.
fn curve(equations: &[&str], ranges: &[(f64, f64)]) -> Implicit {
    let mut names = Names::default();
    let variable = |(name, &(from, to)): (&str, &(f64, f64))| {
        names.number(name).unwrap();
        Variable { name: name.to_owned(), from, to }
    };
    let variables = ["x", "y", "z"].into_iter().zip(ranges).map(variable).collect();
    Implicit::new(variables, names.field(equations).unwrap()).unwrap()
}

#[test]
fn lengths_are_those_in_closed_form() {
    let wide = [(-4.0, 4.0), (-3.0, 3.0)];
    // The complete elliptic integral: 8 E(√3/2).
    let ellipse = 9.688_448_220_547_675;
    // ∫ √(1 + 4x²) over [−1, 1].
    let parabola = 5_f64.sqrt() + 0.5 * 2_f64.asinh();
    for (equations, ranges, length) in [
        (&["x^2/4 + y^2 - 1"][..], &wide[..], ellipse),
        (&["x^2 + y^2 - 2.25"], &wide, 1.5 * TAU),
        // Two pieces, and two that nearly meet.
        (&["((x - 2)^2 + y^2 - 0.25)*((x + 2)^2 + y^2 - 1)"], &wide, 1.5 * TAU),
        (&["((x - 1.02)^2 + y^2 - 1)*((x + 1.02)^2 + y^2 - 1)"], &wide, 2.0 * TAU),
        (&["((x - 1.0002)^2 + y^2 - 1)*((x + 1.0002)^2 + y^2 - 1)"], &wide, 2.0 * TAU),
        (&["(x^2 + y^2 - 1)*(x^2 + y^2 - 1.0001)"], &wide, TAU * (1.0 + 1.0001_f64.sqrt())),
        // So small that it bends within the first step.
        (&["x^2 + y^2 - 3e-9"], &wide, TAU * 3e-9_f64.sqrt()),
        (&["x^2 + y^2 - 1"], &[(-0.9999, 0.9999), (-3.0, 3.0)], 4.0 * 0.9999_f64.asin()),
        // Of what goes beyond the ranges the part within: from edge to edge, once and in two pieces.
        (&["y - x^2"], &[(-1.0, 1.0), (-1.0, 2.0)], parabola),
        (&["x^2 + y^2 - 1"], &[(-2.0, 2.0), (-0.5, 0.5)], TAU / 3.0),
        (&["cos(z) - x", "sin(z) - y"], &[(-2.0, 2.0), (-2.0, 2.0), (0.0, TAU)], TAU * SQRT_2),
    ] {
        let found = curve(equations, ranges).length().unwrap();
        assert!((found / length - 1.0).abs() < 1e-7, "{equations:?}: {found} {length}");
    }
}

#[test]
fn ripples_are_followed_and_not_stepped_over() {
    // ∫ √(1 + (A w cos wx)²) over [−3, 3] by the trapezoidal rule.
    for (height, waves) in [(0.003, 26.0), (0.01, 22.0), (0.003, 50.0), (5e-4, 48.0)] {
        let speed = |x: f64| (1.0 + (height * waves * f64::cos(waves * x)).powi(2)).sqrt();
        let ends = 0.5 * (speed(-3.0) + speed(3.0));
        let inner: f64 = (1..20_000).map(|k| speed(f64::from(k) * 3e-4 - 3.0)).sum();
        let wanted = 3e-4 * (ends + inner);
        let found = curve(&[&format!("y - {height}*sin({waves}*x)")], &[(-3.0, 3.0); 2]).length();
        assert!(
            (found.unwrap() / wanted - 1.0).abs() < 2e-6,
            "{height} {waves}: {found:?} {wanted}"
        );
    }
}

#[test]
fn strands_that_nearly_meet_are_kept_apart() {
    // Ovals of Cassini near the figure of eight, whose length is 7.4163 (the lemniscate constant times √8).
    for shift in [1e-4, -5e-5] {
        let oval = format!("(x^2 + y^2)^2 - 2*(x^2 - y^2) - {shift}").replace("- -", "+ ");
        let whole = curve(&[&oval], &[(-2.0, 2.0), (-2.0, 2.0)]).length().unwrap();
        assert!((whole - 7.4163).abs() < 0.03, "{shift}: {whole}");
        let right = curve(&[&oval], &[(0.0, 2.0), (-2.0, 2.0)]).length().unwrap();
        assert!((right / whole - 0.5).abs() < 1e-6, "{shift}: {right} of {whole}");
    }
}

#[test]
fn what_cannot_be_followed_has_no_length() {
    let range = (-2.0, 2.0);
    assert_eq!(curve(&["x^2 + y^2 + z^2 - 1"], &[range; 3]).length(), None);
    // Corners; wholly outside of the ranges; along their edge, where rounding decides; too long.
    assert_eq!(curve(&["abs(x) + abs(y) - 1"], &[range; 2]).length(), None);
    assert_eq!(curve(&["x^2 + y^2 - 1"], &[(1.5, 3.0), (-1.0, 1.0)]).length(), None);
    let _ = curve(&["y^2 - 2"], &[(-1.0, 1.0), (0.0, SQRT_2)]).length();
    assert_eq!(curve(&["y + 0*x"], &[(-1e4, 1e4), (-1.0, 1.0)]).length(), None);
}

#[test]
fn means_over_a_curve_are_line_integrals() {
    // On the ellipse (2 cos t, sin t): ∫ x² |p'| dt/∫ |p'| dt, by the trapezoidal rule in t.
    let speed = |t: f64| (4.0 * t.sin().powi(2) + t.cos().powi(2)).sqrt();
    let angles = || (0..400).map(|k| TAU * f64::from(k) / 400.0);
    let total: f64 = angles().map(speed).sum();
    let wanted = angles().map(|t| 4.0 * t.cos().powi(2) * speed(t)).sum::<f64>() / total;
    let ellipse = Chart::Implicit(curve(&["x^2/4 + y^2 - 1"], &[(-4.0, 4.0), (-3.0, 3.0)]));
    let law = Law::uniform(Manifold::new(ellipse).unwrap());
    let (points, weights) = law.quadrature(60).unwrap();
    let mean = |points: &DMatrix<f64>, weights: &[f64]| -> f64 {
        points.column_iter().zip(weights).map(|(x, w)| w * x[0] * x[0]).sum()
    };
    assert!((mean(&points, &weights) - wanted).abs() < 1e-7);
    // Draws have it up to their noise: x² ≤ 4.
    let drawn = law.sample(4000, Stream::root(3)).unwrap();
    let found = mean(&drawn, &[1.0 / 4000.0; 4000]);
    assert!((found - wanted).abs() < 6.0 / 4000_f64.sqrt(), "{found} {wanted}");
    assert!(drawn.column_iter().all(|x| (x[0] * x[0] / 4.0 + x[1] * x[1] - 1.0).abs() < 1e-12));
}

#[test]
fn a_tilt_on_a_circle_by_its_equation_is_von_mises() {
    // E cos = I_1(2)/I_0(2), of the modified Bessel functions.
    let ratio = 0.697_774_657_964_008;
    let circle = Chart::Implicit(curve(&["x^2 + y^2 - 1"], &[(-2.0, 2.0), (-2.0, 2.0)]));
    let manifold = Manifold::new(circle).unwrap();
    let density = Density::Tilt { direction: vec![2.0, 0.0] };
    let law = Law::OnManifold { manifold, density, thickness: 0.0 };
    let (points, weights) = law.quadrature(40).unwrap();
    let mean: f64 = points.column_iter().zip(&weights).map(|(x, w)| w * x[0]).sum();
    assert!((mean - ratio).abs() < 1e-7, "{mean}");
    let drawn = law.sample(4000, Stream::root(5)).unwrap();
    let found = drawn.row(0).mean();
    assert!((found - ratio).abs() < 5.0 / 4000_f64.sqrt(), "{found}");
}

#[test]
fn each_piece_has_its_share_of_the_draws() {
    let two = "((x - 2)^2 + y^2 - 0.25)*((x + 2)^2 + y^2 - 1)";
    let chart = Chart::Implicit(curve(&[two], &[(-4.0, 4.0), (-3.0, 3.0)]));
    let law = Law::uniform(Manifold::new(chart).unwrap());
    let drawn = law.sample(3000, Stream::root(8)).unwrap();
    let right = drawn.row(0).iter().filter(|x| **x > 0.0).count();
    assert!(right.abs_diff(1000) < 130, "{right} of 3000");
    // On each the angle is even.
    let angles = drawn.column_iter().filter(|x| x[0] > 0.0).map(|x| x[1].atan2(x[0] - 2.0));
    let quarter = angles.filter(|angle| (0.0..PI / 2.0).contains(angle)).count();
    assert!(quarter.abs_diff(right / 4) < 70, "{quarter} of {right}");
}
