//! T2.5. Statement: posterior_moments_certify_alignment.md.

mod support;

use driftproof::claims::posterior_moments_certify_alignment::CLAIM;
use driftproof::drift::{Atoms, Canonical, Channel, Denoiser, Drift, Lanes, Sphere, Workspace};
use driftproof::facts::Facts;
use driftproof::flow::{Method, Sampler, geometric_times};
use driftproof::manifold::{Arc, Chart, Density, Ellipse, Law, Manifold};
use driftproof::observe::posterior_moments_certify_alignment::Run;
use driftproof::observe::{KNOBS, observe};
use driftproof::random::{Knobs, Stream};
use driftproof::scalar::Scalar;
use driftproof::verdict::{Judgement, Verdict};
use nalgebra::dmatrix;
use rayon::prelude::*;

#[test]
fn no_random_law_violates_the_certificate() {
    support::no_world_violates(&CLAIM, 40, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// The slack of the conclusion of that name.
fn slack(judgement: &Judgement, name: &str) -> f64 {
    judgement.conclusions.iter().find(|m| m.name == name).expect("a conclusion of that name").slack
}

/// The uniform law on the unit circle, run from σ = 0.5 to 0.02 along the ray from (1.3, 0),
/// which stays outside: r' = −r − σ²/2 to first order, positive at σ = 0.02 from r = 0.125 up.
///
/// `flow` takes the exact posterior and returns the flow to run.
fn on_the_circle<F: Drift>(flow: impl FnOnce(Denoiser) -> F) -> Facts {
    let manifold = Manifold::new(Chart::circle(1.0)).unwrap();
    let denoiser: Denoiser = Sphere::new(2, 1.0).unwrap().into();
    let flow = flow(denoiser.clone());
    let run = Run {
        manifold: &manifold,
        denoiser: &denoiser,
        flow: &flow,
        sampler: &Sampler::new(Method::Rk4, geometric_times(0.5, 0.02, 100)),
        start: &[1.3, 0.0],
        plane: &dmatrix![1.0; 1.5],
    };
    run.measure().unwrap()
}

/// What a computing tower may get wrong in the canonical flow.
#[derive(Clone, Copy)]
enum Mistake {
    None,
    /// The score is (m − y) and not (m − y)/σ², so the velocity misses 1/σ².
    ScoreWithoutVariance,
    /// States run forward, tangents backward.
    TangentsBackward,
    /// Tangential and normal blocks of the covariance exchanged (at (x, 0): the coordinates).
    BlocksExchanged,
}

struct Mistaken {
    denoiser: Denoiser,
    mistake: Mistake,
}

impl Drift for Mistaken {
    fn dim(&self) -> usize {
        2
    }

    fn velocity<S: Scalar>(&self, sigma: S, y: &[S], out: &mut [S]) {
        Canonical { denoiser: &self.denoiser }.velocity(sigma, y, out);
    }

    fn push(&self, sigma: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        let right = Canonical { denoiser: &self.denoiser };
        right.push(sigma, block, lanes, out, work);
        match self.mistake {
            Mistake::None => (),
            Mistake::ScoreWithoutVariance => out.iter_mut().for_each(|v| *v *= sigma * sigma),
            Mistake::TangentsBackward => out[2..].iter_mut().for_each(|v| *v = -*v),
            Mistake::BlocksExchanged => {
                let swapped = |v: &[f64]| -> Vec<f64> {
                    let state = v[..2].iter().copied();
                    state.chain(v[2..].chunks_exact(2).flat_map(|t| [t[1], t[0]])).collect()
                };
                right.push(sigma, &swapped(block), lanes, out, work);
                let back = swapped(out);
                out.copy_from_slice(&back);
            }
        }
    }
}

fn verdict_with(mistake: Mistake) -> Verdict {
    CLAIM.judge(&on_the_circle(|denoiser| Mistaken { denoiser, mistake })).verdict()
}

#[test]
fn mistakes_of_the_computing_tower_are_caught() {
    assert_eq!(verdict_with(Mistake::None), Verdict::Holds);
    assert_eq!(verdict_with(Mistake::ScoreWithoutVariance), Verdict::Violated);
    assert_eq!(verdict_with(Mistake::TangentsBackward), Verdict::Violated);
    assert_eq!(verdict_with(Mistake::BlocksExchanged), Verdict::Violated);
}

#[test]
fn on_the_circle_there_is_no_coupling_and_the_bound_is_attained() {
    let facts = on_the_circle(|denoiser| Mistaken { denoiser, mistake: Mistake::None });
    for name in ["cross_moment", "foot_drift", "foot_step"] {
        let largest = facts.series(name).iter().map(|q| q.value).fold(0.0, f64::max);
        assert!(largest < 1e-13, "{name} = {largest:e}: the ray through the centre is invariant");
    }
    // γ = (tangential − radial variance)/σ², in closed form (Bessel ratios).
    let circle = Sphere::new(2, 1.0).unwrap();
    let (times, gamma) = (facts.series("time"), facts.series("gamma"));
    for k in 0..times.len() {
        let sigma = (-times[k].value).exp();
        let y = 1.0 + facts.series("distance")[k].value;
        let (radial, tangential) = circle.posterior_variances(Channel::canonical(sigma), y);
        let expected = (tangential - radial) / (sigma * sigma);
        let difference = (gamma[k].value - expected).abs();
        assert!(difference < 1e-10 + gamma[k].bar, "γ at step {k} off by {difference:e}");
    }
    // l' = −γ l: the slope is l_0 e^{−∫γ} (trapezoid rule: h²/12 times the change of γ').
    let integral: f64 = (1..times.len())
        .map(|k| {
            (times[k].value - times[k - 1].value) * (gamma[k].value + gamma[k - 1].value) / 2.0
        })
        .sum();
    let slope = facts.series("slope");
    assert!(
        (slope[0].value - 1.0 / 1.5).abs() < 1e-12,
        "(1, 1.5): one part normal, 1.5 tangential"
    );
    let (last, expected) = (slope[slope.len() - 1].value, slope[0].value * (-integral).exp());
    assert!((last / expected - 1.0).abs() < 1e-3, "{last} is not {expected}");
    // The bound takes the worse end of every interval for γ: first order in the step, never below.
    let judgement = CLAIM.judge(&facts);
    assert_eq!(judgement.verdict(), Verdict::Holds);
    let room = slack(&judgement, "slope at 4/4");
    assert!((0.0..0.01).contains(&room), "attained up to the step: {room}");
}

/// The facts of the knobs drawn for `index`, of the family at that place in `Family::ALL`.
fn world(family: usize, place: Option<usize>, index: u64) -> (Facts, serde_json::Value) {
    let mut values = Stream::root(77).named(CLAIM.id).indexed(index).uniforms(KNOBS);
    values[0] = (family as f64 + 0.5) / 14.0;
    if let Some(place) = place {
        values[1] = (place as f64 + 0.5) / 7.0;
    }
    let seen = observe(CLAIM.id, &mut Knobs::new(&values)).unwrap();
    (seen.facts, seen.world)
}

/// Places in `Family::ALL`.
const CIRCLE: usize = 0;
const ELLIPSE: usize = 1;
const SPHERE: usize = 2;
const CLOSED_CURVE: usize = 11;

#[test]
fn the_median_of_bound_over_slope_stays_below_two_on_gently_curved_closed_curves() {
    // Bound/true at the end of the stage that starts where the condition first holds.
    let ratio = |index: u64| {
        let family = if index.is_multiple_of(2) { ELLIPSE } else { CLOSED_CURVE };
        let (facts, world) = world(family, None, index);
        let bend = facts.series("curvature").iter().map(|q| q.value).fold(0.0, f64::max);
        let judgement = CLAIM.judge(&facts);
        let gentle = bend * world["sigma_end"].as_f64().unwrap() <= 0.05;
        (gentle && judgement.verdict() == Verdict::Holds)
            .then(|| 1.0 / (1.0 - slack(&judgement, "slope at 4/4")))
    };
    let mut ratios: Vec<f64> = (0..40_u64).into_par_iter().filter_map(ratio).collect();
    ratios.sort_by(f64::total_cmp);
    assert!(ratios.len() >= 12, "{} worlds only", ratios.len());
    let median = ratios[ratios.len() / 2];
    assert!((1.0..2.0).contains(&median), "median {median} of {ratios:?}");
}

#[test]
fn both_ends_of_the_range_of_dimensions_are_certified() {
    for (place, dim) in [(0, 2), (6, 64)] {
        for family in [CIRCLE, ELLIPSE, SPHERE] {
            let held = (0..6).find(|index| {
                let (facts, world) = world(family, Some(place), *index);
                assert_eq!(world["start"].as_array().unwrap().len(), dim);
                CLAIM.judge(&facts).verdict() == Verdict::Holds
            });
            assert!(held.is_some(), "no world of family {family} holds in R^{dim}");
        }
    }
}

#[test]
fn a_foot_on_the_boundary_ends_the_scope_and_delays_the_stage() {
    let facts = on_the_circle(|denoiser| Mistaken { denoiser, mistake: Mistake::None });
    let with_boundary = |at: std::ops::Range<usize>| {
        let mut facts = facts.clone();
        let mut interior = facts.series("interior").to_vec();
        interior[at].iter_mut().for_each(|q| q.value = 0.0);
        facts.set_series("interior", interior);
        CLAIM.judge(&facts)
    };
    assert_eq!(with_boundary(100..101).verdict(), Verdict::OutOfScope);
    // A boundary met early only lets the certified stage start later: less time, and a tighter bound.
    let late = with_boundary(0..50);
    assert_eq!(late.verdict(), Verdict::Holds);
    assert!(slack(&late, "slope at 4/4") < slack(&CLAIM.judge(&facts), "slope at 4/4"));
}

#[test]
fn beyond_the_end_of_an_arc_the_certificate_does_not_hold() {
    let chart = Chart::Arc(Arc { radius: 1.0, from: 0.0, to: 1.5 });
    let law = Law::uniform(Manifold::new(chart).unwrap());
    let facts = quadrature_run(&law, 300, &[1.0, -0.6], 0.05, 60);
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::OutOfScope);
}

/// The exact flow of a law's quadrature rule from σ = 0.4, with a tilted plane.
fn quadrature_run(law: &Law, nodes: usize, start: &[f64], sigma: f64, steps: usize) -> Facts {
    let Law::OnManifold { manifold, .. } = law else { unreachable!() };
    let (points, weights) = law.quadrature(nodes).unwrap();
    let atoms = Atoms::quadrature(points.nrows(), points.as_slice(), &weights, 0.0).unwrap();
    let denoiser: Denoiser = atoms.into();
    let run = Run {
        manifold,
        denoiser: &denoiser,
        flow: &Canonical { denoiser: &denoiser },
        sampler: &Sampler::new(Method::Rk4, geometric_times(0.4, sigma, steps)),
        start,
        plane: &dmatrix![0.8; 0.6],
    };
    run.measure().unwrap()
}

/// Slope of the least-squares line and its standard error.
fn fit(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    let spread = n * mean(&|p| (p.0 - x).powi(2));
    let slope = n * mean(&|p| (p.0 - x) * (p.1 - y)) / spread;
    let rest = n * mean(&|p| (p.1 - y - slope * (p.0 - x)).powi(2));
    (slope, (rest / (n - 2.0) / spread).sqrt())
}

#[test]
fn the_angle_is_of_order_sigma_log_one_over_sigma_on_an_ellipse() {
    // A tilted density on an ellipse, off the axes: no symmetry makes the coupling vanish.
    let ellipse = Manifold::new(Chart::Ellipse(Ellipse { a: 1.5, b: 1.0 })).unwrap();
    let density = Density::Tilt { direction: vec![0.5, 0.3] };
    let law = Law::OnManifold { manifold: ellipse, density, thickness: 0.0 };
    let ends: Vec<f64> = (0..5).map(|j| 0.08 * 0.5_f64.powi(j)).collect();
    let at = |sigma: &f64| {
        let nodes = (8.0 / (0.3 * sigma)) as usize;
        let facts = quadrature_run(&law, nodes, &[1.1, 1.0], *sigma, 120);
        assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds, "at σ = {sigma}");
        let last = |name: &str| facts.series(name).last().unwrap().value;
        let bend = last("curvature");
        let speed = last("foot_drift") / (1.0 - bend * last("distance"));
        (last("slope"), last("cross_moment") + bend * speed)
    };
    let measured: Vec<(f64, f64)> = ends.par_iter().map(at).collect();
    let logs = |value: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        (0..ends.len()).map(|j| (ends[j].ln(), value(j).ln())).collect()
    };
    // O(σ log 1/σ): divided by σ log(0.4/σ) the angle does not grow as σ → 0.
    let (growth, error) = fit(&logs(&|j| measured[j].0 / (ends[j] * (0.4 / ends[j]).ln())));
    assert!(growth > -3.0 * error - 0.02, "σ^{growth} ± {error} over σ log 1/σ");
    // In fact of order σ: the coupling is of order σ² where the density is smooth, so its integral converges.
    let (angle, error) = fit(&logs(&|j| measured[j].0));
    assert!((angle - 1.0).abs() < 3.0 * error + 0.05, "angle σ^{angle} ± {error}");
    let (coupling, error) = fit(&logs(&|j| measured[j].1));
    assert!(
        coupling > 1.0 - 3.0 * error,
        "coupling σ^{coupling} ± {error}, at least the a-priori 1"
    );
    assert!((coupling - 2.0).abs() < 3.0 * error + 0.2, "coupling σ^{coupling} ± {error}");
}

#[test]
fn an_unmeasured_or_jumping_foot_is_never_held() {
    let facts = on_the_circle(|denoiser| Mistaken { denoiser, mistake: Mistake::None });
    let mut jumped = facts.clone();
    let mut steps = facts.series("foot_step").to_vec();
    steps[90].value = 0.5;
    jumped.set_series("foot_step", steps);
    assert_eq!(CLAIM.judge(&jumped).verdict(), Verdict::OutOfScope);
    for name in ["gamma", "cross_moment", "slope", "curvature", "interior", "turning"] {
        let mut unknown = facts.clone();
        unknown.set_series(name, Vec::new());
        assert_eq!(CLAIM.judge(&unknown).verdict(), Verdict::Undecided, "without {name}");
    }
}
