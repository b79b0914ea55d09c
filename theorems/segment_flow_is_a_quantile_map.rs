//! T6.8. Statement: segment_flow_is_a_quantile_map.md.

mod support;

use driftproof::claims::segment_flow_is_a_quantile_map::{CLAIM, NoisySegment};
use driftproof::drift::{
    Atoms, Canonical, Channel, Denoise, Drift, GaussianPath, MonotoneMap, Schedule, Segment,
};
use driftproof::flow::{Method, Sampler, Trajectory, geometric_times};
use driftproof::lyapunov::product;
use driftproof::manifold::{Law, Manifold};
use driftproof::special::gauss_legendre;

#[test]
fn no_random_segment_violates_the_quantile_map() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// ∫ f over [low, high].
fn integral(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let half = 0.5 * (high - low);
    gauss_legendre(100).iter().map(|(x, w)| w * half * f(low + half * (1.0 + x))).sum()
}

#[test]
fn density_score_and_tail_belong_together() {
    for (half_length, sigma) in [(1.0, 0.5), (0.3, 2.0), (2.0, 0.4)] {
        let law = NoisySegment { half_length, sigma };
        for x in [0.2, 0.9, 2.3] {
            // The density is the average of bells over the segment.
            let bell = |c: f64| {
                (-0.5 * ((x - c) / sigma).powi(2)).exp()
                    / (sigma * (2.0 * std::f64::consts::PI).sqrt())
            };
            let average = integral(-half_length, half_length, bell) / (2.0 * half_length);
            assert!((law.density(x) / average - 1.0).abs() < 1e-12, "{law:?} at {x}");
            // The score integrates to the change of the log density.
            let change = integral(x, x + 0.5, |y| law.score(y));
            let expected = (law.density(x + 0.5) / law.density(x)).ln();
            assert!((change - expected).abs() < 1e-11);
            let mass = integral(x, x + 0.5, |y| law.density(y));
            assert!((law.tail(x) - law.tail(x + 0.5) - mass).abs() < 1e-13);
            assert_eq!(law.score(-x), -law.score(x));
        }
        assert!((law.tail(0.0) - 0.5).abs() < 1e-14);
    }
}

#[test]
fn from_large_to_small_noise_the_flow_is_the_monotone_transport() {
    let segment = Segment::new(0.7).unwrap();
    let flow = Canonical { denoiser: &segment };
    let sampler = Sampler::new(Method::DormandPrince, geometric_times(700.0, 1e-4, 200));
    let transport = MonotoneMap::Segment { half_length: 0.7 };
    for z in [-1.3, 0.2, 0.8] {
        let end = Trajectory::from(&flow, &sampler, &[700.0 * z]).unwrap().end()[0];
        // Off by the noise left and by (h/σ_0)².
        assert!((end - transport.value(z)).abs() < 2e-6, "{end}");
    }
}

/// How far the quantile and, relatively, the Jacobian are from the closed form.
fn misses(flow: &impl Drift, method: Method, times: Vec<f64>, sigmas: (f64, f64)) -> (f64, f64) {
    let sampler = Sampler::new(method, times);
    let orbit = Trajectory::from(flow, &sampler, &[1.7]).unwrap();
    let law = |sigma| NoisySegment { half_length: 1.0, sigma };
    let (first, last, x) = (law(sigmas.0), law(sigmas.1), orbit.end()[0]);
    let predicted = first.density(1.7) / last.density(x);
    ((last.tail(x) - first.tail(1.7)).abs(), (product(&orbit)[0] / predicted - 1.0).abs())
}

#[test]
fn a_wrong_direction_a_wrong_law_and_a_crude_method_are_caught() {
    let (segment, wrong) = (Segment::new(1.0).unwrap(), Segment::new(1.1).unwrap());
    let (flow, other) = (Canonical { denoiser: &segment }, Canonical { denoiser: &wrong });
    let (down, up) = (geometric_times(2.0, 0.1, 80), geometric_times(0.1, 2.0, 80));
    let (fine, range) = (Method::DormandPrince, (2.0, 0.1));
    let (quantile, jacobian) = misses(&flow, fine, down.clone(), range);
    assert!(quantile < 1e-9 && jacobian < 1e-8, "{quantile:e}, {jacobian:e}");
    for caught in [
        misses(&flow, fine, up, range),
        misses(&other, fine, down.clone(), range),
        misses(&flow, Method::Euler, down, range),
    ] {
        assert!(caught.0 > 1e-3 && caught.1 > 1e-3, "{caught:?}");
    }
}

#[test]
fn every_schedule_gives_the_same_map_up_to_its_signal() {
    let segment = Segment::new(1.0).unwrap();
    let mut ends = Vec::new();
    for schedule in [
        Schedule::Ve { sigma_min: 0.01, sigma_max: 10.0 },
        Schedule::FlowMatching,
        Schedule::Trigonometric,
        Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 },
    ] {
        let flow = GaussianPath { schedule, denoiser: &segment };
        let times: Vec<f64> =
            geometric_times(2.0, 0.1, 80).iter().map(|s| schedule.time_at_sigma(*s)).collect();
        let signal = |s: f64| schedule.coefficients(s).0;
        let (a_0, a_t) = (signal(times[0]), signal(times[80]));
        let sampler = Sampler::new(Method::DormandPrince, times);
        ends.push(Trajectory::from(&flow, &sampler, &[1.7 * a_0]).unwrap().end()[0] / a_t);
    }
    assert!(ends.iter().all(|end| (end - ends[0]).abs() < 1e-9), "{ends:?}");
}

#[test]
fn quadrature_of_the_moons_converges_past_any_power() {
    let law = Law::uniform(Manifold::moons(1.0).unwrap());
    let mean = |nodes: usize| {
        let (points, weights) = law.quadrature(nodes).unwrap();
        let atoms = Atoms::quadrature(2, points.as_slice(), &weights, 0.0).unwrap();
        let mut mean = [0.0; 2];
        atoms.denoise(Channel::canonical(0.1), &[0.4, 0.6], &mut mean);
        nalgebra::Vector2::from(mean)
    };
    let exact = mean(640);
    let error = |nodes| (mean(nodes) - exact).norm();
    // Spacing σ at about 50 nodes a moon: the error falls from 0.1 to rounding within a factor of 6.
    assert!(error(10) > 1e-3 && error(60) < 1e-8, "{:e} {:e}", error(10), error(60));
}
