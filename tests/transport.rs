//! Displacement drifts against their own straight lines, and against the laws they carry.

use driftproof::drift::{
    Drift, GaussianTransport, LinearCoupling, MonotoneMap, ProductTransport, Workspace,
};
use driftproof::linalg::frame_from_normals;
use driftproof::random::Stream;
use nalgebra::{DMatrix, DVector, Rotation2};
use num_dual::{Dual, Dual64};

/// Rounding through a linear solve or a Newton iteration of condition about ten.
const ROUNDING: f64 = 1e-12;

fn velocity(field: &impl Drift, s: f64, x: &DVector<f64>) -> DVector<f64> {
    let mut out = DVector::zeros(x.len());
    field.velocity(s, x.as_slice(), out.as_mut_slice());
    out
}

/// A line x_0 + s (T(x_0) − x_0) is an orbit: the velocity on it is its slope at every time.
fn assert_lines_are_orbits(
    name: &str,
    field: &impl Drift,
    start: &DVector<f64>,
    end: &DVector<f64>,
) {
    let slope = end - start;
    for s in [0.0, 0.2, 0.5, 0.9, 0.99] {
        let x = start + &slope * s;
        let error = (velocity(field, s, &x) - &slope).norm();
        assert!(error < ROUNDING * 100.0, "{name} at s = {s}: {error:e}");
    }
}

/// v is constant along lines: ∂_s v + Dv·v = 0 (pressureless Euler), by duals in time and space.
fn assert_lines_are_straight(name: &str, field: &impl Drift, s: f64, x: &DVector<f64>) {
    let v = velocity(field, s, x);
    let moving: Vec<Dual64> = x.iter().zip(v.iter()).map(|(x, v)| Dual::new(*x, *v)).collect();
    let mut out = vec![Dual64::from(0.0); x.len()];
    field.velocity(Dual::new(s, 1.0), &moving, &mut out);
    for o in &out {
        assert!(o.eps.abs() < ROUNDING * 1e3, "{name} at s = {s}: {:e}", o.eps);
    }
}

fn gaussian() -> (DVector<f64>, DMatrix<f64>, Vec<f64>, GaussianTransport) {
    let axes = frame_from_normals(3, 3, &Stream::root(1).named("axes").normals(9));
    let (mean, variances) = (vec![0.4, -1.0, 0.3], vec![4.0, 0.25, 0.0]);
    let field = GaussianTransport::new(mean.clone(), axes.clone(), variances.clone()).unwrap();
    (DVector::from_vec(mean), axes, variances, field)
}

fn product() -> ProductTransport {
    let gaussian = MonotoneMap::Gaussian { mean: -0.3, deviation: 0.2 };
    let segment = |half_length| MonotoneMap::Segment { half_length };
    ProductTransport::new(vec![segment(1.0), gaussian, segment(0.01), segment(5.0)]).unwrap()
}

fn coupling() -> LinearCoupling {
    LinearCoupling::rotated(&[2.0, 0.09, 0.5], 0.8).unwrap()
}

#[test]
fn gaussian_transport_moves_along_the_lines_of_its_monge_map() {
    let (mean, axes, variances, field) = gaussian();
    let deviations = DVector::from_iterator(3, variances.iter().map(|v| v.sqrt()));
    let map = &axes * DMatrix::from_diagonal(&deviations) * axes.transpose();
    // A Monge map is the gradient of a convex function, and carries I to the covariance.
    assert!((&map - map.transpose()).norm() < ROUNDING);
    for seed in 0..5 {
        let start = DVector::from_vec(Stream::root(seed).normals(3));
        assert_lines_are_orbits("gaussian", &field, &start, &(&map * &start + &mean));
        assert_lines_are_straight("gaussian", &field, 0.4, &start);
    }
    let jacobian = field.jacobian(0.6, &[0.1, 0.2, 0.3], &mut Workspace::default());
    assert!((&jacobian - jacobian.transpose()).norm() < ROUNDING);
}

#[test]
fn product_transport_moves_along_the_lines_of_its_quantile_maps() {
    let field = product();
    for seed in 0..20 {
        let start = DVector::from_vec(Stream::root(seed).normals(4)) * 1.5;
        let maps = start.iter().zip(field.maps()).map(|(x, map)| map.value(*x));
        let end = DVector::from_iterator(4, maps);
        assert_lines_are_orbits("product", &field, &start, &end);
        let s = 0.1 + 0.04 * seed as f64;
        assert_lines_are_straight("product", &field, s, &(&start + (end - &start) * s));
    }
}

#[test]
fn segment_map_is_the_quantile_map_of_the_segment() {
    // P(T ≤ y) = Φ(x) at T(x) = y must be (y + h)/2h; reference values of Φ from mpmath 1.3.0, `ncdf`.
    let map = MonotoneMap::Segment { half_length: 3.0 };
    let values: [(f64, f64); 4] = [
        (0.0, 0.5),
        (1.0, 0.841_344_746_068_542_9),
        (-2.5, 0.006_209_665_325_776_132),
        (0.3, 0.617_911_422_188_952_8),
    ];
    for (x, phi) in values {
        assert!(((map.value(x) + 3.0) / 6.0 - phi).abs() < 1e-15, "x={x}");
        let dual = map.value(Dual64::new(x, 1.0));
        assert!((dual.eps / map.slope(x) - 1.0).abs() < 1e-14);
    }
}

#[test]
fn origins_are_found_at_every_time_and_place() {
    for half_length in [1e-6, 1.0, 1e3] {
        let map = MonotoneMap::Segment { half_length };
        for s in [0.0, 1e-3, 0.5, 0.999, 1.0 - 1e-9, 1.0] {
            for start in [-7.0, -2.0, -1e-8, 0.0, 0.3, 4.0] {
                let x = (1.0 - s) * start + s * map.value(start);
                let found = map.origin(s, x);
                // x is rounded, and dx_0/dx = 1/((1 − s) + s T').
                let condition = (x.abs() + half_length) / ((1.0 - s) + s * map.slope(start));
                let bound = 1e-15 + 8.0 * f64::EPSILON * (condition + start.abs());
                if bound < 1e-3 {
                    assert!((found - start).abs() < bound, "h={half_length} s={s} {start} {found}");
                }
            }
        }
        // Outside the support there is no line at s = 1, and no panic.
        assert!(map.origin(1.0, 2.0 * half_length).is_nan());
        assert!(map.origin(0.5, f64::NAN).is_nan());
    }
}

#[test]
fn origins_have_exact_derivatives_to_third_order() {
    // The origin inverts x(x_0) = (1−s) x_0 + s T(x_0): composed with it, on nested duals, it is the identity.
    type Third = Dual<Dual<Dual<f64>>>;
    let variable = |x: f64| -> Third {
        Dual::new(Dual::new(Dual::new(x, 1.0), Dual::from(1.0)), Dual::from(1.0))
    };
    let map = MonotoneMap::Segment { half_length: 1.4 };
    for (s, start) in [(0.3, 0.7), (0.8, -1.2), (1.0, 0.5)] {
        let time = Third::from(s);
        let line = |x: Third| (Third::from(1.0) - time) * x + time * map.value(x);
        let back = map.origin(time, line(variable(start)));
        assert!((back.re.re.re - start).abs() < ROUNDING);
        assert!((back.re.re.eps - 1.0).abs() < ROUNDING);
        assert!(back.re.eps.eps.abs() < ROUNDING * 10.0, "{:e}", back.re.eps.eps);
        assert!(back.eps.eps.eps.abs() < ROUNDING * 100.0, "{:e}", back.eps.eps.eps);
    }
}

#[test]
fn coupling_moves_along_its_lines_with_a_field_that_is_not_a_gradient() {
    let field = coupling();
    for seed in 0..5 {
        let start = DVector::from_vec(Stream::root(seed).normals(3));
        assert_lines_are_orbits("coupling", &field, &start, &(field.map() * &start));
        assert_lines_are_straight("coupling", &field, 0.3, &start);
    }
    let jacobian = field.jacobian(0.6, &[0.1, 0.2, 0.3], &mut Workspace::default());
    assert!((&jacobian - jacobian.transpose()).norm() > 0.1);
    // A = J'J⁻¹, with the inverse taken by nalgebra.
    let start = field.jacobian_from_start(0.6);
    let slope = field.map() - DMatrix::identity(3, 3);
    let expected = slope * start.try_inverse().unwrap();
    assert!((&jacobian - &expected).norm() < ROUNDING);
    assert!((jacobian - expected.transpose()).norm() > 0.1, "a transpose would show");
}

#[test]
fn a_coupling_without_zeros_moves_along_its_lines() {
    // Every step of the elimination has something to subtract, and rows to exchange.
    let entries = Stream::root(4).named("map").normals(16);
    let map = DMatrix::from_vec(4, 4, entries) * 0.4 + DMatrix::identity(4, 4) * 1.5;
    let field = LinearCoupling::new(map.clone()).unwrap();
    for seed in 0..5 {
        let start = DVector::from_vec(Stream::root(seed).normals(4));
        assert_lines_are_orbits("dense coupling", &field, &start, &(&map * &start));
        assert_lines_are_straight("dense coupling", &field, 0.3, &start);
    }
}

#[test]
fn rotated_coupling_ends_at_the_same_gaussian_whatever_the_angle() {
    for angle in [0.0, 0.5, -1.3, 2.2] {
        let coupling = LinearCoupling::rotated(&[2.0, 0.09], angle).unwrap();
        let covariance = coupling.map() * coupling.map().transpose();
        let expected = DMatrix::from_diagonal(&DVector::from_vec(vec![2.0, 0.09]));
        assert!((covariance - expected).norm() < ROUNDING);
        let rotation = Rotation2::new(angle).to_homogeneous();
        let expected = rotation[(1, 0)] * 0.3;
        assert!((coupling.map()[(1, 0)] - expected).abs() < ROUNDING);
    }
    // Without rotation it is the Monge map.
    let coupling = LinearCoupling::rotated(&[2.0, 0.09], 0.0).unwrap();
    let transport =
        GaussianTransport::new(vec![0.0; 2], DMatrix::identity(2, 2), vec![2.0, 0.09]).unwrap();
    let x = DVector::from_vec(vec![0.7, -0.4]);
    assert!((velocity(&coupling, 0.7, &x) - velocity(&transport, 0.7, &x)).norm() < ROUNDING);
}

#[test]
fn couplings_whose_lines_meet_are_refused_at_the_right_time() {
    // A half turn: (1 − s) − s √λ_i = 0 at s = 1/(1 + √λ_i), first for the larger deviation.
    let half_turn = DMatrix::from_row_slice(2, 2, &[-3.0, 0.0, 0.0, -0.5]);
    let time = LinearCoupling::singular_time(&half_turn).unwrap().unwrap();
    assert!((time - 0.25).abs() < ROUNDING);
    // The determinant does vanish there.
    let meeting = DMatrix::identity(2, 2) * (1.0 - time) + &half_turn * time;
    assert!(meeting.determinant().abs() < ROUNDING);
    // With unequal variances the lines meet before the half turn: eigenvalues of Λ^{1/2} R_θ are real
    // once (tr)² ≥ 4 det, |cos θ| ≥ 2 (λ_1 λ_2)^{1/4}/(√λ_1 + √λ_2), and negative when cos θ < 0.
    let edge = (2.0 * 3.0_f64.sqrt().sqrt() * 1.0 / (3.0_f64.sqrt() + 1.0)).acos();
    let angle = std::f64::consts::PI - edge;
    assert!(LinearCoupling::rotated(&[3.0, 1.0], angle - 0.01).is_ok());
    assert!(LinearCoupling::rotated(&[3.0, 1.0], angle + 0.01).is_err());
    assert!(LinearCoupling::rotated(&[1.0, 1.0], std::f64::consts::PI).is_err());
    // Whether lines meet does not depend on the unit of length of the data.
    for scale in [1e-6, 1e-3, 1.0, 1e3, 1e6] {
        let turned = |angle: f64| Rotation2::new(angle).into_inner() * scale;
        let time = |angle| {
            let map = turned(angle);
            LinearCoupling::singular_time(&DMatrix::from_column_slice(2, 2, map.as_slice()))
        };
        let half = time(std::f64::consts::PI).unwrap().unwrap();
        assert!((half * (1.0 + scale) - 1.0).abs() < ROUNDING);
        assert_eq!(time(std::f64::consts::PI - 0.01).unwrap(), None, "{scale}");
    }
    // A flat direction meets at the very end.
    let flat = DMatrix::from_row_slice(2, 2, &[1.0, 0.3, 0.0, 0.0]);
    assert_eq!(LinearCoupling::singular_time(&flat).unwrap(), Some(1.0));
    assert_eq!(LinearCoupling::singular_time(&DMatrix::identity(3, 3)).unwrap(), None);
}

#[test]
fn bad_transports_are_refused_with_advice() {
    let nan = f64::NAN;
    let refused = [
        LinearCoupling::new(DMatrix::zeros(0, 0)).err(),
        LinearCoupling::new(DMatrix::zeros(2, 3)).err(),
        LinearCoupling::new(DMatrix::from_element(2, 2, nan)).err(),
        LinearCoupling::new(DMatrix::zeros(2, 2)).err(),
        LinearCoupling::rotated(&[1.0], 0.1).err(),
        LinearCoupling::rotated(&[1.0, -1.0], 0.1).err(),
        LinearCoupling::rotated(&[1.0, 1.0], nan).err(),
        ProductTransport::new(vec![]).err(),
        ProductTransport::new(vec![MonotoneMap::Segment { half_length: 0.0 }]).err(),
        ProductTransport::new(vec![MonotoneMap::Gaussian { mean: nan, deviation: 1.0 }]).err(),
        ProductTransport::new(vec![MonotoneMap::Gaussian { mean: 0.0, deviation: -1.0 }]).err(),
        GaussianTransport::new(vec![0.0], DMatrix::identity(2, 2), vec![1.0]).err(),
    ];
    for (i, error) in refused.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("case {i} was accepted"));
        assert!(error.is_input() && error.to_string().contains("try:"), "case {i}: {error}");
    }
}
