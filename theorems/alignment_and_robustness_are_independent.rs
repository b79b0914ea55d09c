//! T7, robustness. Statement: alignment_and_robustness_are_independent.md.

mod support;

use driftproof::claims::alignment_and_robustness_are_independent::CLAIM;
use driftproof::claims::{
    Claim, alignment_persists_under_c1_small_errors, relative_compression_forces_alignment,
    tangential_alignment_bounds_score_overlap,
};
use driftproof::drift::{Counterexample, Stage};
use driftproof::facts::{Facts, Quantity};
use driftproof::observe::alignment_and_robustness_are_independent::{Ridge, Slab};
use driftproof::observe::planar::PlanarWorld;
use driftproof::random::{Knobs, Stream};
use driftproof::verdict::Verdict;
use std::f64::consts::{E, FRAC_PI_2};

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
    }
}

fn slab() -> Slab {
    Slab { rate: 1.5, span: 1.0, constant: 0.6, gradient: 0.2, size: 0.01 }
}

fn verdict(claim: &Claim, facts: &Facts, mutant: Option<&str>) -> Verdict {
    match mutant {
        None => claim.judge(facts).verdict(),
        Some(name) => {
            let mutant = claim.mutants.iter().find(|m| m.name == name).expect("a mutant");
            claim.judge_mutant(facts, mutant).verdict()
        }
    }
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
        let shifted = Slab { rate: 0.0, span: 1.0, constant: 1.0, gradient: 0.0, size };
        let facts = shifted.observe().unwrap().facts;
        assert!((facts.get("mass_outside").value - 0.5 * size).abs() < 1e-13);
        assert_eq!(verdict(&CLAIM, &facts, None), Verdict::Holds);
    }
    // Pushed inwards at both ends, it loses nothing.
    let kept = Slab { rate: 0.0, span: 1.0, constant: 0.0, gradient: -1.0, size: 0.1 };
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
