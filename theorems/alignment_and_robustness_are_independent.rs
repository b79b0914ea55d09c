//! T7, robustness. Statement: alignment_and_robustness_are_independent.md.

mod support;
mod wordings;

use driftproof::campaign::judge_world;
use driftproof::claims::alignment_and_robustness_are_independent::CLAIM;
use driftproof::claims::{
    Claim, alignment_persists_under_c1_small_errors, normal_contraction_traps_perturbed_orbits,
    normal_errors_and_cross_derivatives_bound_the_displacement,
    off_support_mass_follows_the_order_of_vanishing, relative_compression_forces_alignment,
    response_stays_in_the_support_of_every_model, tangential_alignment_bounds_score_overlap,
};
use driftproof::drift::{
    Counterexample, Drift, Embedded, LearningError, PlaneField, Stage, Workspace,
};
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::flow::{InexactFlow, Method, Sampler, uniform_times};
use driftproof::manifold::{Body, Outline};
use driftproof::observe::alignment_and_robustness_are_independent::{Ridge, STEPS, Slab};
use driftproof::observe::normal_errors_and_cross_derivatives_bound_the_displacement::measure_linear;
use driftproof::observe::off_support_mass_follows_the_order_of_vanishing::measure as mass_outside;
use driftproof::observe::planar::PlanarWorld;
use driftproof::random::{Knobs, Stream};
use driftproof::verdict::Verdict;
use nalgebra::{DVector, dmatrix, dvector};
use std::f64::consts::{E, FRAC_PI_2};
use wordings::judged;

#[test]
fn no_world_departs_from_its_closed_form() {
    support::no_world_violates(&CLAIM, 120, file!());
}

#[test]
fn the_worlds_stand_and_the_naive_wordings_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// A world in R^5 with d = 2 and τ = 1, run with its error.
fn world(number: &'static str, example: Counterexample, slope: f64) -> PlanarWorld {
    let mut world = PlanarWorld::new(number, example, 1.0, slope, &mut Knobs::new(&[0.3]));
    (world.dim, world.tangent) = (5, 2);
    world.with_error()
}

const ISOTROPIC: Counterexample = Counterexample::IsotropicCompression { rate: 2.0 };
const EXPANSION: Counterexample = Counterexample::Expansion { rate: 1.0 };
const LATE: Counterexample = Counterexample::LateError { rate: 8.0, last: 0.02 };
const RIPPLE: Counterexample = Counterexample::Ripple { rate: 4.0, slope: 2.0, height: 0.01 };

fn ridge() -> Ridge {
    Ridge {
        dim: 4,
        tangent: 2,
        thickness: 0.05,
        sigma_start: 5.0,
        sigma_end: 0.02,
        start_slope: 0.8,
        offset: 0.0,
        stream: Stream::root(5),
        steps: STEPS,
    }
}

fn slab() -> Slab {
    Slab { rate: 1.5, span: 1.0, constant: 0.6, gradient: 0.2, size: 0.01, steps: STEPS }
}

fn verdict(claim: &Claim, facts: &Facts, mutant: Option<&str>) -> Verdict {
    judged(claim, facts, mutant).verdict()
}

fn end_slope(facts: &Facts) -> f64 {
    facts.series("slope").last().unwrap().value
}

#[test]
fn each_naive_wording_is_refuted_by_its_own_world() {
    let planar = |number, example, slope| world(number, example, slope).measure().unwrap();
    for (facts, naive) in [
        (planar("C7", EXPANSION, 0.1), "alignment_implies_robustness"),
        (planar("C1", ISOTROPIC, 0.5), "robustness_implies_alignment"),
        (planar("C8", LATE, 0.5), "compression_attenuates_every_error"),
        (planar("C9", RIPPLE, 0.5), "c0_small_errors_keep_alignment"),
        (ridge().observe().unwrap().facts, "score_orthogonality_is_alignment"),
        (slab().observe().unwrap().facts, "response_on_support_keeps_mass"),
    ] {
        assert_eq!(
            verdict(&CLAIM, &facts, None),
            Verdict::Holds,
            "{naive}: {:#?}",
            CLAIM.judge(&facts)
        );
        assert_eq!(verdict(&CLAIM, &facts, Some(naive)), Verdict::Violated, "{naive}");
    }
}

#[test]
fn displacements_and_slopes_are_those_by_hand() {
    let measure = |world: PlanarWorld| {
        let facts = world.measure().unwrap();
        (facts.get("displacement_across").value, end_slope(&facts))
    };
    let close = |measured: f64, expected: f64| {
        assert!((measured - expected).abs() < 1e-8, "{measured} against {expected}");
    };
    // C6: (1 − e^{−2})/2, and the slope as it was.
    let (moved, slope) = measure(world("C1", ISOTROPIC, 0.5));
    close(moved, 0.5 - 0.5 / (E * E));
    close(slope, 0.5);
    // C7: (e − 1), and the slope divided by e.
    let (moved, slope) = measure(world("C7", EXPANSION, 0.1));
    close(moved, E - 1.0);
    close(slope, 0.1 / E);
    // C8: (1 − e^{−0.16})/8 of at most 0.02, after a compression by e^8.
    let (moved, slope) = measure(world("C8", LATE, 0.5));
    close(moved, (1.0 - (-0.16_f64).exp()) / 8.0);
    close(slope, 0.5 * (-8.0_f64).exp());
    // C9 at x = 0: no displacement, and the slope (k/c)(1 − e^{−4}); a quarter wave on, the reverse.
    let lag = 1.0 - (-4.0_f64).exp();
    let (moved, slope) = measure(world("C9", RIPPLE, 0.0));
    close(moved, 0.0);
    close(slope, 0.5 * lag);
    let mut crest = world("C9", RIPPLE, 0.0);
    crest.start[0] = FRAC_PI_2 * 0.01 / 2.0;
    let (moved, slope) = measure(crest);
    close(moved, 0.01 / 4.0 * lag);
    close(slope, 0.0);
}

#[test]
fn alignment_is_certified_where_displacement_grows_and_lost_where_it_is_small() {
    // T2.1 speaks of angles alone: it holds for C7 and C8, whose errors are not damped.
    let t21 = &relative_compression_forces_alignment::CLAIM;
    for (number, example) in [("C7", EXPANSION), ("C8", LATE)] {
        let facts = world(number, example, 0.1).measure().unwrap();
        assert_eq!(verdict(t21, &facts, None), Verdict::Holds, "{number}");
        assert!(facts.get("end_sine").value < 0.1);
    }
    // C9: with the blocks of the perturbed flow it holds; with those of the exact one it would not.
    let mut facts = world("C9", RIPPLE, 0.1).measure().unwrap();
    assert_eq!(verdict(t21, &facts, None), Verdict::Holds);
    assert_eq!(verdict(t21, &facts, Some("cross_terms_dropped")), Verdict::Violated);
    let zeros = vec![Quantity::exact(0.0); facts.series("kappa").len()];
    facts.set_series("kappa", zeros);
    assert_eq!(verdict(t21, &facts, None), Verdict::Violated);
}

/// The last stage of a counterexample in the plane, from a point of M = {y = 0}, as T4.1 sees it: a
/// flow, and Euler maps.
fn tube(example: Counterexample, span: f64) -> Facts {
    let field =
        |field: PlaneField| Embedded::new(field, dmatrix![1.0; 0.0], dvector![0.0, 1.0]).unwrap();
    let [exact, moved] = [example.stages(span), example.perturbed(span)]
        .map(|stages| stages.last().map(|s| (field(s.field), s.duration)).unwrap());
    let ((exact, time), (moved, _)) = (exact, moved);
    let measured = |value: f64| Quantity::new(value, 1e-11, Grade::Estimated);
    let velocity = |field: &Embedded, x: &[f64]| {
        let mut v = [0.0; 2];
        field.velocity(0.0, x, &mut v);
        DVector::from_row_slice(&v)
    };
    let mut facts = Facts::new();
    facts.set("tube", Quantity::exact(10.0));
    let sampler = Sampler::new(Method::DormandPrince, uniform_times(0.0, time, 48));
    let mut x = vec![0.3, 0.0];
    for (k, t) in sampler.times().iter().enumerate() {
        let rate = exact.jacobian(0.0, &x, &mut Workspace::default())[(1, 1)];
        let error = (velocity(&moved, &x) - velocity(&exact, &x))[1].abs();
        facts.push("time", Quantity::exact(*t));
        facts.push("distance", measured(x[1].abs()));
        for kind in ["", "tube_"] {
            facts.push(&format!("{kind}compression"), measured(-rate));
            facts.push(&format!("{kind}error"), measured(error));
        }
        facts.push("defect", measured(velocity(&exact, &[x[0], 0.0])[1].abs()));
        if k < sampler.maps() {
            sampler.map(&moved, k, &mut x);
        }
    }
    let maps = Sampler::new(Method::Euler, uniform_times(0.0, time, 8));
    let step = time / 8.0;
    let mut x = vec![0.3, 0.0];
    facts.push("map_distance", measured(0.0));
    for k in 0..maps.maps() {
        let a = exact.jacobian(0.0, &x, &mut Workspace::default());
        let w = velocity(&moved, &x) - velocity(&exact, &x);
        let mut foot = vec![x[0], 0.0];
        maps.map(&exact, k, &mut foot);
        maps.map(&moved, k, &mut x);
        let of_map = [
            ("distance", x[1].abs()),
            ("defect", foot[1].abs()),
            ("normal", (1.0 + step * a[(1, 1)]).abs()),
            ("tangent", (step * a[(0, 1)]).abs()),
            ("error_normal", (step * w[1]).abs()),
            ("error_tangent", (step * w[0]).abs()),
            ("curvature", 0.0),
        ];
        of_map
            .iter()
            .for_each(|(name, value)| facts.push(&format!("map_{name}"), measured(*value)));
    }
    facts
}

#[test]
fn the_bounds_on_displacement_hold_and_say_how_little_is_damped() {
    // T4.1 and T4.2 hold on C6 to C8, with bounds that are attained: what they bound is 0.43, 1.7 and 0.92 h.
    let late = (1.0 - (-0.16_f64).exp()) / 8.0;
    for (number, example, matrix, span, expected) in [
        ("C6", ISOTROPIC, dmatrix![-2.0, 0.0; 0.0, -2.0], 1.0, 0.5 - 0.5 / (E * E)),
        ("C7", EXPANSION, dmatrix![2.0, 0.0; 0.0, 1.0], 1.0, E - 1.0),
        ("C8", LATE, dmatrix![0.0, 0.0; 0.0, -8.0], 0.02, late),
    ] {
        let t41 = &normal_contraction_traps_perturbed_orbits::CLAIM;
        let t42 = &normal_errors_and_cross_derivatives_bound_the_displacement::CLAIM;
        let whole = if number == "C8" { 1.0 } else { span };
        let linear = measure_linear(&matrix, 1, span, &[0.3, 0.0], &[0.0, 1.0]).unwrap();
        for (claim, facts, name, end) in [
            (t41, tube(example, whole), "distance", "(a) tube in quarter 4"),
            (t42, linear, "displacement_normal", "(a) finite normal at 4/4"),
        ] {
            let moved = facts.series(name).last().unwrap().value;
            assert!((moved - expected).abs() < 1e-7, "{number}: {moved} against {expected}");
            let judgement = claim.judge(&facts);
            assert_eq!(judgement.verdict(), Verdict::Holds, "{number}: {judgement:#?}");
            // The bound is no smaller than the displacement, and hardly larger: it promises nothing more.
            let margin = judgement.conclusions.iter().find(|m| m.name == end).expect("a bound");
            assert!(margin.room.abs() < 1e-3, "{number}: {margin:?}");
            assert_eq!(verdict(claim, &facts, Some("error_halved")), Verdict::Violated, "{number}");
        }
    }
}

#[test]
fn a_jump_is_out_of_scope_of_the_response_and_its_mass_is_that_of_the_order_of_vanishing() {
    // C12 on a disc: T1.5 holds, and says that 2ε|δ|/π of the mass leaves, for k = 1 none at first order.
    let t15 = &off_support_mass_follows_the_order_of_vanishing::CLAIM;
    let push = LearningError::constant(&[0.6, 0.0]);
    let rest = LearningError::constant(&[0.0, 0.0]);
    let sampler = Sampler::new(Method::Euler, uniform_times(0.0, 1.0, 1));
    let maps = InexactFlow { sampler: &sampler, drift: &rest, error: &push };
    let facts = [0, 1].map(|order| {
        let outline = Outline::Ellipsoid { half_axes: vec![1.0; 2], mirror: vec![0.0; 2] };
        let body = Body::new(vec![0.0; 2], outline, order).unwrap();
        let directions = body.directions(128, Stream::root(1));
        mass_outside(&body, &maps, true, &directions, 0.02).unwrap()
    });
    for facts in &facts {
        assert_eq!(verdict(t15, facts, None), Verdict::Holds, "{:#?}", t15.judge(facts));
        for naive in ["support_stays", "power_is_the_order"] {
            assert_eq!(verdict(t15, facts, Some(naive)), Verdict::Violated, "{naive}");
        }
    }
    let rates = facts.map(|facts| facts.get("rate").value);
    assert!((rates[0] - 1.2 / std::f64::consts::PI).abs() < 1e-3 && rates[1].abs() < 1e-3);
    // T1.2 asks for a C¹ density: on its own worlds without one it is out of scope.
    let t12 = &response_stays_in_the_support_of_every_model::CLAIM;
    let rough: Vec<_> = (0..60)
        .map(|index| judge_world(t12, 1, index))
        .filter(|r| r.observed.as_ref().is_ok_and(|seen| seen.facts.get("power").value == 1.0))
        .collect();
    assert!(rough.len() >= 3 && rough.iter().all(|r| r.verdict == Verdict::OutOfScope));
}

#[test]
fn the_modulus_of_alignment_needs_the_slope_of_the_error() {
    // T5 on C9: H = 0, ‖Du‖ = k, and a path that moves by at most e/c.
    let t5 = &alignment_persists_under_c1_small_errors::CLAIM;
    let mut still = world("C9", RIPPLE, 0.1);
    still.flow = still.exact.take().unwrap();
    let (mut facts, moved) =
        (still.measure().unwrap(), world("C9", RIPPLE, 0.1).measure().unwrap());
    let slopes = facts.series("slope").iter().zip(moved.series("slope"));
    facts.set_series("slope_difference", slopes.map(|(l, m)| *m - *l).collect());
    facts.set_series("slope_perturbed", moved.series("slope").to_vec());
    let path = vec![Quantity::exact(0.01 / 4.0); facts.series("time").len()];
    facts.set_series("displacement", path);
    // The Jacobians differ in the cross derivative alone.
    let crossed = facts.series("kappa").iter().zip(moved.series("kappa"));
    facts.set_series("jacobian_difference", crossed.map(|(k, m)| (*m - *k).abs()).collect());
    facts.set("second_derivative", Quantity::exact(0.0));
    facts.set("error_slope", Quantity::exact(2.0));
    facts.set("turning", Quantity::exact(0.1));
    assert_eq!(verdict(t5, &facts, None), Verdict::Holds, "{:#?}", t5.judge(&facts));
    assert_eq!(verdict(t5, &facts, Some("c0_small_suffices")), Verdict::Violated);
}

#[test]
fn on_the_ridge_the_bound_on_the_overlap_holds_and_alignment_alone_does_not() {
    // T2.6, with |s| = 1: the score is tangential, so the bound ‖s_T‖ + sin Θ ‖s_N‖ is 1 and attained.
    let t26 = &tangential_alignment_bounds_score_overlap::CLAIM;
    let measured = ridge().observe().unwrap().facts;
    let mut facts = Facts::new();
    facts.push("sine", measured.get("end_sine"));
    facts.push("score_tangential", Quantity::exact(1.0));
    facts.push("score_normal", measured.get("score_normal"));
    facts.push("overlap", measured.get("overlap"));
    facts.push("same_plane", Quantity::exact(1.0));
    assert!(measured.get("overlap").value > 0.999 && measured.get("end_sine").value < 0.05);
    assert_eq!(verdict(t26, &facts, None), Verdict::Holds);
    assert_eq!(verdict(t26, &facts, Some("alignment_alone")), Verdict::Violated);
}

#[test]
fn off_the_ridge_the_overlap_is_small_and_the_statement_is_out_of_scope() {
    let facts = Ridge { offset: 1.0, ..ridge() }.observe().unwrap().facts;
    assert!(facts.get("overlap").value < 0.2);
    assert_eq!(verdict(&CLAIM, &facts, None), Verdict::OutOfScope);
    assert_eq!(verdict(&CLAIM, &facts, Some("without_H1")), Verdict::Violated);
}

#[test]
fn a_jump_of_the_density_loses_mass_at_first_order() {
    // v = 0 and the error ε·1 for τ = 1: the slab [−1, 1] is shifted by ε, and ε/2 of the mass leaves.
    for size in [1e-4, 1e-2, 0.1] {
        let shifted =
            Slab { rate: 0.0, span: 1.0, constant: 1.0, gradient: 0.0, size, steps: STEPS };
        let facts = shifted.observe().unwrap().facts;
        assert!((facts.get("mass_outside").value - 0.5 * size).abs() < 1e-13);
        assert_eq!(verdict(&CLAIM, &facts, None), Verdict::Holds);
    }
    // Pushed inwards at both ends, it loses nothing.
    let kept =
        Slab { rate: 0.0, span: 1.0, constant: 0.0, gradient: -1.0, size: 0.1, steps: STEPS };
    assert_eq!(kept.observe().unwrap().facts.get("mass_outside").value, 0.0);
    // Far shifts are not of first order.
    let far = Slab { size: 0.5, ..slab() }.observe().unwrap().facts;
    assert_eq!(verdict(&CLAIM, &far, None), Verdict::OutOfScope);
}

#[test]
fn a_wrong_computation_is_noticed() {
    let tampered = |number, example, tamper: &dyn Fn(&mut Vec<Stage>)| {
        let mut world = world(number, example, 0.3);
        tamper(&mut world.flow);
        verdict(&CLAIM, &world.measure().unwrap(), None)
    };
    // The error with the wrong sign, a part of its time, and of its slope.
    let flipped = |flow: &mut Vec<Stage>| flow.iter_mut().for_each(|s| s.field.push[1] *= -1.0);
    for (number, example) in [("C1", ISOTROPIC), ("C7", EXPANSION), ("C8", LATE)] {
        assert_eq!(tampered(number, example, &|_| ()), Verdict::Holds, "{number}");
        assert_eq!(tampered(number, example, &flipped), Verdict::Violated, "{number}");
    }
    let early = |flow: &mut Vec<Stage>| flow.swap(0, 1);
    assert_eq!(tampered("C8", LATE, &early), Verdict::Violated);
    let smooth = |flow: &mut Vec<Stage>| flow[0].field.frequency *= 0.99;
    assert_eq!(tampered("C9", RIPPLE, &smooth), Verdict::Violated);
    // The slab pushed the other way, and a ridge of another thickness.
    let mut facts = slab().observe().unwrap().facts;
    let mut parameters = facts.series("parameters").to_vec();
    parameters[2] = -parameters[2];
    facts.set_series("parameters", parameters);
    assert_eq!(verdict(&CLAIM, &facts, None), Verdict::Violated);
    let mut facts = ridge().observe().unwrap().facts;
    let mut parameters = facts.series("parameters").to_vec();
    parameters[0] = Quantity::exact(0.051);
    facts.set_series("parameters", parameters);
    assert_eq!(verdict(&CLAIM, &facts, None), Verdict::Violated);
}
