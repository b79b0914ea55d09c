//! T2.6. Statement: tangential_alignment_bounds_score_overlap.md.

mod support;
mod wordings;

use driftproof::claims::tangential_alignment_bounds_score_overlap::CLAIM;
use driftproof::drift::{Channel, Denoise, Gaussian};
use driftproof::facts::{Facts, Quantity};
use driftproof::linalg::{complement, frame_from_normals, largest_angle};
use driftproof::random::Stream;
use driftproof::verdict::{Judgement, Verdict};
use nalgebra::{DMatrix, DVector, dmatrix};
use std::f64::consts::FRAC_PI_2;
use wordings::judged;

#[test]
fn no_random_flow_violates_the_overlap_bounds() {
    support::no_world_violates(&CLAIM, 100, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

fn facts(sine: f64, tangential: f64, normal: f64, overlap: f64) -> Facts {
    let mut facts = Facts::new();
    let entries = [
        ("sine", sine),
        ("score_tangential", tangential),
        ("score_normal", normal),
        ("overlap", overlap),
    ];
    for (name, value) in entries {
        facts.push(name, Quantity::rounded(value, 8.0));
    }
    facts.push("same_plane", Quantity::exact(1.0));
    facts
}

fn verdict(facts: &Facts, mutant: Option<&str>) -> Verdict {
    judged(&CLAIM, facts, mutant).verdict()
}

fn slack(judgement: &Judgement, start: &str) -> f64 {
    judgement.conclusions.iter().find(|m| m.name.starts_with(start)).unwrap().slack
}

#[test]
fn on_the_ridge_a_perfectly_aligned_plane_lies_along_the_score() {
    // N(0, diag(1, s²)) + σ²: at y_2 = 0 the score is −y_1/(1 + σ²) along the ridge (C10).
    let (s, sigma, y) = (0.05_f64, 0.1_f64, [1.5, 0.0]);
    let law = Gaussian::new(vec![0.0; 2], DMatrix::identity(2, 2), vec![1.0, s * s]).unwrap();
    let mut mean = [0.0; 2];
    law.denoise(Channel::canonical(sigma), &y, &mut mean);
    let score: Vec<f64> = (0..2).map(|i| (mean[i] - y[i]) / (sigma * sigma)).collect();
    assert!((score[0] + 1.5 / 1.01).abs() < 1e-12 && score[1] == 0.0);
    // E = T = the first axis: sin Θ = 0, yet the cosine is 1.
    let ridge = facts(0.0, score[0].abs(), 0.0, score[0].abs());
    let judgement = CLAIM.judge(&ridge);
    assert_eq!(judgement.verdict(), Verdict::Holds);
    assert!(slack(&judgement, "overlap").abs() < 1e-12, "an equality");
    assert_eq!(verdict(&ridge, Some("alignment_alone")), Verdict::Violated);
    assert_eq!(verdict(&ridge, Some("tangential_score_dropped")), Verdict::Violated);
}

#[test]
fn in_the_plane_the_angle_form_is_an_equality() {
    for phi in [0.2_f64, 0.7, 1.1, 1.5] {
        for theta in [0.0_f64, 0.05, 0.15, 0.6, 1.2, FRAC_PI_2] {
            // E turned by Θ towards the score: the overlap is |s| cos(φ − Θ).
            let attained = facts(theta.sin(), phi.cos(), phi.sin(), (phi - theta).cos());
            let judgement = CLAIM.judge(&attained);
            assert_eq!(judgement.verdict(), Verdict::Holds, "Θ = {theta}, φ = {phi}");
            if theta < phi {
                let room = slack(&judgement, "angle form");
                assert!(room.abs() < 1e-12, "Θ = {theta}, φ = {phi}: {room}");
                let excess = facts(theta.sin(), phi.cos(), phi.sin(), 1.001 * (phi - theta).cos());
                assert_eq!(verdict(&excess, None), Verdict::Violated, "Θ = {theta}, φ = {phi}");
            }
        }
    }
}

#[test]
fn a_score_normal_to_the_manifold_is_overlapped_by_the_sine() {
    // s_T = 0 and E at Θ: equality, so neither the square nor a dropped s_N will do.
    let aligned = facts(0.01, 0.0, 3.0, 0.03);
    assert!(slack(&CLAIM.judge(&aligned), "overlap").abs() < 1e-12);
    assert_eq!(verdict(&aligned, None), Verdict::Holds);
    assert_eq!(verdict(&aligned, Some("angle_squared")), Verdict::Violated);
    assert_eq!(verdict(&aligned, Some("normal_score_dropped")), Verdict::Violated);
}

#[test]
fn random_planes_in_space_obey_both_forms() {
    // D = 5, d = 2: several principal angles, so that one of them is not the largest.
    for index in 0..200 {
        let stream = Stream::root(31).indexed(index);
        let frame = |name: &str| frame_from_normals(5, 2, &stream.named(name).normals(10));
        let tangent = frame("tangent");
        let mut plane = &tangent + frame("turn") * (0.002 * index as f64);
        driftproof::linalg::orthonormalise(&mut plane);
        let score = DVector::from_vec(stream.named("score").normals(5));
        let measured = facts(
            largest_angle(&plane, &tangent).unwrap().sin(),
            tangent.tr_mul(&score).norm(),
            complement(&tangent).tr_mul(&score).norm(),
            plane.tr_mul(&score).norm(),
        );
        assert_ne!(verdict(&measured, None), Verdict::Violated, "plane {index}");
    }
}

#[test]
fn an_angle_to_another_plane_says_nothing() {
    let mut other = facts(0.0, 0.0, 1.0, 1.0);
    assert_eq!(verdict(&other, None), Verdict::Violated);
    other.set("same_plane", Quantity::exact(0.0));
    assert_eq!(verdict(&other, None), Verdict::OutOfScope);
    assert_eq!(verdict(&other, Some("without_H1")), Verdict::Violated);
}

#[test]
fn a_frame_that_is_not_rotated_with_its_plane_is_caught() {
    // The overlap is measured with E, the angle with the plane before the last map.
    let before = dmatrix![1.0; 0.0];
    let after = dmatrix![0.8; 0.6];
    let score = DVector::from_vec(vec![0.0, 2.0]);
    let sine = |e: &DMatrix<f64>| largest_angle(e, &before).unwrap().sin();
    let overlap = after.tr_mul(&score).norm();
    assert_eq!(verdict(&facts(sine(&after), 0.0, 2.0, overlap), None), Verdict::Holds);
    assert_eq!(verdict(&facts(sine(&before), 0.0, 2.0, overlap), None), Verdict::Violated);
}
