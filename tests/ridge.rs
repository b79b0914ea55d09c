//! Manifolds by samples: ridges of kernel densities, against closed forms.

use driftproof::linalg::largest_angle;
use driftproof::manifold::{Chart, Ellipse, Manifold, Ridge, Sphere};
use driftproof::special::bessel_ratio_taylor;
use nalgebra::{DMatrix, dmatrix};
use std::f64::consts::TAU;

fn ridge(samples: Vec<Vec<f64>>, dimension: usize, width: f64) -> Manifold {
    let samples = samples.into_iter().map(|x| (x, 0.0)).collect();
    Manifold::new(Chart::Ridge(Ridge::new(samples, dimension, width).unwrap())).unwrap()
}

/// I_{n/2}(κ)/I_{n/2−1}(κ).
fn mean_resultant(n: usize, kappa: f64) -> f64 {
    kappa * bessel_ratio_taylor(n, kappa * kappa)[0]
}

/// r = R·ratio(rR/w²), by iteration, which contracts like w²/R².
fn radius(large: f64, width: f64, ratio: impl Fn(f64) -> f64) -> f64 {
    (0..200).fold(large, |r, _| large * ratio(r * large / (width * width)))
}

#[test]
fn the_ridge_of_a_circle_is_the_circle_at_which_the_mean_of_von_mises_and_fisher_lies() {
    // Forty samples at distances h; the kernel's deviation 2h leaves exp(−2π²·4) of their graininess.
    let (large, count) = (1.5, 40);
    let width = 2.0 * large * TAU / count as f64;
    let r = radius(large, width, |kappa| mean_resultant(2, kappa));
    assert!((large - r - 0.5 * width * width / large).abs() < width.powi(4));
    for space in [2, 3, 5] {
        let sample = |i: usize| {
            let t = 0.3 + TAU * i as f64 / count as f64;
            let mut x = vec![0.5; space];
            (x[0], x[space - 1]) = (large * t.cos(), large * t.sin());
            x
        };
        let made = ridge((0..count).map(sample).collect(), 1, width);
        for (rho, theta) in [(0.7_f64, 0.1_f64), (1.4, 2.0), (r, -1.0), (2.5, 3.3), (9.0, 4.0)] {
            let mut y = vec![0.5; space];
            (y[0], y[space - 1]) = (rho * theta.cos(), rho * theta.sin());
            let foot = made.nearest(&y).unwrap();
            assert!((foot.distance - (rho - r).abs()).abs() < 1e-12, "{rho}: {}", foot.distance);
            assert!(foot.residual < 1e-11 && !foot.boundary, "{}", foot.residual);
            let mut tangent = DMatrix::zeros(space, 1);
            (tangent[0], tangent[space - 1]) = (-theta.sin(), theta.cos());
            let off = largest_angle(&made.tangent_frame(&foot.place), &tangent).unwrap();
            assert!(off < 1e-11, "{off}");
            let bend = made.curvature_at(&foot.place);
            assert!((bend - 1.0 / r).abs() < 1e-9, "{bend}");
        }
    }
}

#[test]
fn the_ridge_of_a_sphere_with_weights_has_its_closed_form_too() {
    let (large, width) = (1.0, 0.3);
    let sphere = Manifold::new(Chart::Sphere(Sphere { dim: 2, radius: large })).unwrap();
    let (points, weights) = sphere.quadrature(40).unwrap();
    let samples = points.column_iter().zip(&weights);
    let samples = samples.map(|(x, w)| (x.iter().copied().collect(), w.ln())).collect();
    let made = Chart::Ridge(Ridge::new(samples, 2, width).unwrap());
    let made = Manifold::new(made).unwrap();
    let r = radius(large, width, |kappa| mean_resultant(3, kappa));
    for y in [[0.2, 0.9, 0.4], [1.0, -1.0, 1.0], [0.1, 0.2, -2.5], [-0.5, 0.1, 0.1]] {
        let foot = made.nearest(&y).unwrap();
        let rho = y.iter().map(|y| y * y).sum::<f64>().sqrt();
        assert!((foot.distance - (rho - r).abs()).abs() < 1e-9, "{} {}", foot.distance, rho - r);
        let outward = DMatrix::from_iterator(3, 1, y.map(|y| y / rho));
        assert!(made.tangent_frame(&foot.place).tr_mul(&outward).amax() < 1e-8);
        assert!((made.curvature_at(&foot.place) - 1.0 / r).abs() < 1e-6);
    }
}

#[test]
fn the_ridge_of_an_ellipse_is_off_by_what_the_width_predicts_to_fourth_order() {
    let (a, b) = (2.0_f64, 1.0_f64);
    let ellipse = Manifold::new(Chart::Ellipse(Ellipse { a, b })).unwrap();
    // Where a point of the ridge lies against the prediction, and its tangent.
    let off = |width: f64, t: f64| {
        let count = (2.5 * TAU * a / width) as usize;
        let sample = |i: usize| {
            let t = TAU * i as f64 / count as f64;
            vec![a * t.cos(), b * t.sin()]
        };
        let made = ridge((0..count).map(sample).collect(), 1, width);
        let speed = (a * t.sin()).hypot(b * t.cos());
        let curvature = a * b / speed.powi(3);
        // dκ/ds = −3ab (a² − b²) sin t cos t / speed⁶.
        let slope = -3.0 * a * b * (a * a - b * b) * t.sin() * t.cos() / speed.powi(6);
        let point = [a * t.cos(), b * t.sin()];
        let (along, inward) = (
            [-a * t.sin() / speed, b * t.cos() / speed],
            [-b * t.cos() / speed, -a * t.sin() / speed],
        );
        let half = 0.5 * width * width;
        let shifted = [0, 1].map(|i| point[i] + half * curvature * inward[i]);
        let foot = made.nearest(&shifted).unwrap();
        // The offset curve turns by the slope of the offset.
        let turned = [0, 1].map(|i| along[i] + half * slope * inward[i]);
        let predicted = dmatrix![turned[0]; turned[1]].normalize();
        let angle = largest_angle(&made.tangent_frame(&foot.place), &predicted).unwrap();
        let plain = largest_angle(&made.tangent_frame(&foot.place), &dmatrix![along[0]; along[1]]);
        let on = ellipse.nearest(foot.point.as_slice()).unwrap().distance;
        // Without the prediction both are of second order, with it of fourth.
        (foot.distance, angle, on, plain.unwrap())
    };
    for t in [0.4, 0.9, 1.4, 2.2] {
        let (rough, fine) = (off(0.06, t), off(0.03, t));
        for (large, small) in [(rough.0, fine.0), (rough.1, fine.1)] {
            let order = (large / small).log2();
            assert!((3.5..4.5).contains(&order), "{t}: {order} {large:e} {small:e}");
        }
        for (large, small) in [(rough.2, fine.2), (rough.3, fine.3)] {
            let order = (large / small).log2();
            assert!((1.7..2.3).contains(&order), "{t}: {order} {large:e} {small:e}");
        }
    }
}

#[test]
fn a_ridge_ends_where_its_samples_do() {
    let step = 0.05;
    let samples = (0..=40).map(|i| vec![step * i as f64, 1.0, -0.5]).collect();
    let made = ridge(samples, 1, 2.0 * step);
    // Between the ends it is the segment itself.
    let inside = made.nearest(&[1.03, 1.3, -0.1]).unwrap();
    assert!((inside.distance - 0.5).abs() < 1e-12 && !inside.boundary);
    assert!((inside.point[0] - 1.03).abs() < 1e-12);
    for (y, end) in [([2.7, 1.0, 0.5], 2.0), ([-1.5, 0.2, -0.5], 0.0)] {
        let foot = made.nearest(&y).unwrap();
        assert!(foot.boundary, "{foot:?}");
        // To a step of where it was sampled last.
        assert!((foot.point[0] - end).abs() < step, "{foot:?}");
        assert!(foot.residual > 0.5);
    }
}

#[test]
fn samples_that_are_no_manifold_of_their_dimension_are_refused() {
    let refused = |samples: Vec<Vec<f64>>, dimension: usize, width: f64, words: &str| {
        let samples = samples.into_iter().map(|x| (x, 0.0)).collect();
        let error = Ridge::new(samples, dimension, width).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let grid: Vec<Vec<f64>> =
        (0..400).map(|i| vec![(i % 20) as f64, (i / 20) as f64, 0.0]).collect();
    refused(grid.clone(), 1, 2.0, "times that across them");
    refused(grid.clone(), 3, 2.0, "dimension 3 among samples of R^3");
    refused(grid, 2, f64::NAN, "not a positive number");
    refused(vec![vec![0.0, 1.0], vec![f64::NAN, 0.0]], 1, 1.0, "not finite");
    assert!(Ridge::new(Vec::new(), 1, 1.0).is_err());
}
