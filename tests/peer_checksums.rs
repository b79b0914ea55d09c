//! The benchmark jobs against sums that independent programs (NumPy, JAX, heyoka) agree on.

#[path = "../benches/inputs/mod.rs"]
mod inputs;

use driftproof::flow::StepWorkspace;
use inputs::{Flow, FlowSums, JacobianWork, Response, ScoreJacobians, mean_trace};

/// `digit` is the last digit published.
fn assert_agrees(what: &str, ours: f64, published: f64, digit: f64) {
    assert!((ours - published).abs() <= digit, "{what}: {ours:.15} against {published}");
}

fn assert_flow(case: (usize, usize, usize, usize), x_mean_abs: f64, sum: f64, first: [f64; 2]) {
    let (dim, atoms, tangents, trajectories) = case;
    let flow = Flow::new(dim, atoms, tangents, trajectories);
    let sums = FlowSums::of(&flow.run(&mut StepWorkspace::default()));
    assert_agrees("mean |x|", sums.x_mean_abs, x_mean_abs, 1e-12);
    assert_agrees("sum of log R", sums.log_growth.iter().sum(), sum, 1e-10);
    assert_agrees("first log R", sums.log_growth[0], first[0], 1e-10);
    assert_agrees("second log R", sums.log_growth[1], first[1], 1e-10);
}

fn assert_trace((dim, atoms, points): (usize, usize, usize), mean: f64) {
    let (mut jacobians, mut work) = (Vec::new(), JacobianWork::default());
    ScoreJacobians::new(dim, atoms, points).run(&mut jacobians, &mut work);
    assert_agrees("mean trace", mean_trace(dim, &jacobians), mean, 1e-9);
}

#[test]
fn plane_flow() {
    let published = [-0.5026254755, -2.0444297147];
    assert_flow((2, 200, 2, 1000), 0.643412998785, -2.5470551902, published);
}

#[test]
fn flow_in_64_dimensions() {
    let published = [-0.7668841965, -0.8626992429];
    assert_flow((64, 1000, 8, 32), 0.346734320029, -7.8168563120, published);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation")]
fn flow_in_784_dimensions() {
    let published = [-1.1896743471, -1.1816532911];
    assert_flow((784, 1000, 16, 4), 0.254465992086, -18.8291856610, published);
}

#[test]
fn score_jacobians() {
    assert_trace((2, 64, 20000), -414.329134424);
    assert_trace((8, 256, 4000), -70.731726660);
    assert_trace((64, 1000, 200), -690.138400306);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation")]
fn score_jacobians_in_784_dimensions() {
    assert_trace((784, 1000, 8), -8689.484991837);
}

#[test]
fn density_response() {
    let densities = Response::new(200, 1000).run(&mut StepWorkspace::default());
    let mean = |of: fn(f64, f64) -> f64| {
        densities.iter().map(|at| of(at.log_density, at.response)).sum::<f64>() / 1000.0
    };
    assert_agrees("mean log density", mean(|log, _| log), -0.28060882822953, 1e-14);
    assert_agrees("mean response", mean(|_, g| g), 0.03402922949007, 1e-14);
    assert_agrees("root mean square", mean(|_, g| g * g).sqrt(), 1.58187672936830, 1e-14);
}
