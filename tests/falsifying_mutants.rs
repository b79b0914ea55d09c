//! The wrong versions of claims predict what they say, on facts written by hand: they fall for their own reason.

use driftproof::claims::find;
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::verdict::Judgement;
use std::f64::consts::FRAC_PI_2;

fn facts(table: &[(&str, &[f64])]) -> Facts {
    let mut facts = Facts::new();
    for (name, values) in table {
        facts.set_series(name, values.iter().map(|v| Quantity::exact(*v)).collect());
    }
    facts
}

/// Numbers half of a bar beside those expected.
fn beside(facts: &mut Facts, name: &str, expected: &[f64]) {
    let off = |x: &f64| Quantity::new(x + 0.5e-7, 1e-7, Grade::Estimated);
    facts.set_series(name, expected.iter().map(off).collect());
}

fn judge(id: &str, mutant: &str, facts: &Facts) -> Judgement {
    let claim = find(id).expect("a claim of that id");
    let mutant = claim.mutant(mutant).expect("a mutant of that name");
    claim.judge_mutant(facts, mutant)
}

/// The slacks of equalities whose names start so are 1/2.
#[track_caller]
fn assert_halves(judgement: &Judgement, start: &str, count: usize) {
    let found: Vec<_> =
        judgement.conclusions.iter().filter(|m| m.name.starts_with(start)).collect();
    assert_eq!(found.len(), count, "{start}");
    for margin in found {
        assert!((margin.slack - 0.5).abs() < 1e-3, "{margin:?}");
    }
}

#[test]
fn overlap_without_the_normal_score_or_with_the_angle_squared() {
    let id = "tangential_alignment_bounds_score_overlap";
    let world = facts(&[
        ("sine", &[0.6]),
        ("score_tangential", &[0.3]),
        ("score_normal", &[0.4]),
        ("overlap", &[0.2]),
        ("same_plane", &[0.0]),
    ]);
    for (mutant, bound) in [
        ("normal_score_dropped", 0.3),
        ("tangential_score_dropped", 0.24),
        ("alignment_alone", 0.3), // 0.6·√(0.09 + 0.16)
        ("angle_squared", 0.444), // 0.3 + 0.36·0.4
        ("without_H1", 0.54),
    ] {
        let judgement = judge(id, mutant, &world);
        assert!((judgement.conclusions[0].room - (bound - 0.2) / bound).abs() < 1e-12, "{mutant}");
        assert_eq!(judgement.hypotheses.len(), usize::from(mutant != "without_H1"));
    }
}

#[test]
fn displacement_as_if_it_were_flow_matching() {
    let growth = |l: f64| ((0.09 + 0.49 * l) / (0.64 + 0.04 * l)).sqrt();
    let mut world = facts(&[
        ("coupling", &[1.0]),
        ("start_time", &[0.2]),
        ("end_time", &[0.7]),
        ("variance", &[4.0, 0.25]),
    ]);
    beside(&mut world, "jacobian", &[growth(4.0), growth(0.25)]);
    let id = "gaussian_data_has_a_closed_form_flow";
    let judgement = judge(id, "displacement_as_a_gaussian_path", &world);
    assert_halves(&judgement, "(b) Jacobian on the axes", 1);
}

#[test]
fn gaussian_data_with_a_term_or_a_power_wrong() {
    let square = |l: f64| (0.49 * l + 0.09) / (0.04 * l + 0.64);
    for (mutant, growth) in [
        ("square_root_dropped", square(4.0)),
        ("time_reversed", square(4.0).sqrt().recip()),
        ("noise_dropped", 3.5),
        ("signal_not_squared", ((0.7 * 4.0 + 0.09) / (0.2 * 4.0 + 0.64_f64)).sqrt()),
    ] {
        let mut world = facts(&[
            ("coupling", &[0.0]),
            ("family", &[5.0]),
            ("start_time", &[0.2]),
            ("end_time", &[0.7]),
            ("variance", &[4.0]),
        ]);
        beside(&mut world, "jacobian", &[growth]);
        let judgement = judge("gaussian_data_has_a_closed_form_flow", mutant, &world);
        assert_halves(&judgement, "(b) Jacobian on the axes", 1);
    }
}

#[test]
fn errors_converted_by_a_wrong_factor() {
    // Trigonometric at 1/3: a = 1/2, b = √3/2, a' = (π/2) b, b' = −(π/2) a.
    let (a, b) = (0.5, 0.75_f64.sqrt());
    let share = FRAC_PI_2 / b;
    for (mutant, model, factor) in [
        ("signal_rate_dropped", "denoiser", FRAC_PI_2 * a * a / b),
        ("noise_rate_dropped", "denoiser", FRAC_PI_2 * b),
        ("flow_matching_everywhere", "denoiser", 1.5),
        ("noise_level_is_b", "noise", -b * share),
        ("noise_sign_flipped", "noise", b / a * share),
        ("score_like_scaled_noise", "score", b / a * share),
    ] {
        let mut world = facts(&[("family", &[6.0]), ("time", &[1.0 / 3.0]), ("error", &[0.4])]);
        beside(&mut world, &format!("velocity_error_of_{model}"), &[0.4 * factor]);
        let judgement = judge("errors_convert_between_parametrisations", mutant, &world);
        assert_halves(&judgement, &format!("(a) velocity error, {model}"), 1);
    }
}

#[test]
fn a_segment_as_a_gaussian_of_its_variance() {
    let mut world = facts(&[
        ("sigma", &[2.0, 0.5]),
        ("place", &[1.8, 1.0]),
        ("signal", &[0.4, 0.8]),
        ("half_length", &[1.5]),
    ]);
    // Variances h²/3 + σ² = 0.75 + σ².
    beside(&mut world, "segment_factor", &[2.0 * (1.0_f64 / 4.75).sqrt()]);
    let judgement = judge("segment_flow_is_a_quantile_map", "gaussian_instead", &world);
    assert_halves(&judgement, "(c) factor along the segment", 1);
}
