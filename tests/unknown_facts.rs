//! What is not known decides nothing: in worlds where a claim holds, each fact is taken away in turn.

use driftproof::campaign::{judge_world, knobs};
use driftproof::claims::{ALL, Claim};
use driftproof::facts::{Facts, Quantity};
use driftproof::observe::observe;
use driftproof::verdict::{Judgement, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Worlds of each claim, and the seed they are drawn from.
const WORLDS: usize = 60;
const SEED: u64 = 7;

/// Facts that the stated claim never reads: its mutants do, or they are reported only.
const NEVER_READ: &[(&str, &[&str])] = &[
    ("sensitivity_carries_the_response_of_any_law", &["value_redrawn"]),
    (
        "response_stays_in_the_support_of_every_model",
        &["delta_along_start_score", "off_distance", "off_mass", "zero_divergence"],
    ),
    (
        "noise_paths_average_to_the_response",
        &[
            "difference_by_variance",
            "difference_of_flipped_weight",
            "difference_of_last_map",
            "difference_of_other_noise",
            "energy_of_the_mean",
            "last_map_term",
            "score_part_before",
            "weight_by_variance",
            "weight_of_last_map",
        ],
    ),
    (
        "off_support_mass_follows_the_order_of_vanishing",
        &["epsilon", "inward", "mass", "old_winding_inside"],
    ),
    ("normal_part_of_the_error_moves_singular_laws", &["dipole_whole"]),
    (
        "moving_frame_blocks_are_gauge_invariant",
        &[
            "eta_flipped",
            "eta_of_a",
            "gamma_diagonal",
            "gamma_flipped",
            "gamma_of_a",
            "kappa_flipped",
            "kappa_frozen",
            "kappa_of_a",
        ],
    ),
    ("relative_compression_forces_alignment", &["kappa_of_a", "normal_compression"]),
    (
        "adiabatic_gap_forces_alignment",
        &[
            "end_sine",
            "eta",
            "gamma",
            "kappa",
            "kappa_of_a",
            "normal_compression",
            "slope_reversed",
        ],
    ),
    (
        "normal_errors_and_cross_derivatives_bound_the_displacement",
        &["first_still_eta", "first_still_kappa", "still_eta", "still_kappa"],
    ),
    ("gaussian_paths_share_one_flow", &["flow_between_b"]),
    ("rotated_coupling_solves_the_riccati_equation", &["start_angle_to_axes"]),
    (
        "compression_alone_does_not_align",
        &["end_sine", "kappa_of_a", "normal_compression", "normal_stretch", "tangent_stretch"],
    ),
    (
        "alignment_and_robustness_are_independent",
        &[
            "end_sine",
            "error_size",
            "error_total",
            "exact_end_sine",
            "kappa_of_a",
            "normal_compression",
            "normal_stretch",
            "tangent_stretch",
        ],
    ),
];

/// Facts that are not read in every world, or not at every place: they decide alternatives and
/// conclusions of which other facts say whether they apply.
const READ_WHERE_IT_APPLIES: &[(&str, &[&str])] = &[
    ("response_stays_in_the_support_of_every_model", &["dim"]),
    (
        "two_formulas_give_one_response",
        &["carried_score", "delta", "divergence", "rounding", "score", "trace_before"],
    ),
    ("off_support_mass_follows_the_order_of_vanishing", &["power"]),
    (
        "normal_error_over_thickness_bounds_the_response",
        &["exponent", "family", "parameters", "predicts_velocity"],
    ),
    (
        "posterior_moments_certify_alignment",
        &[
            "cross_moment",
            "curvature",
            "distance",
            "foot_drift",
            "foot_speed",
            "foot_step",
            "fourth_moment",
            "gamma",
            "interior",
            "normal_variance",
            "reach",
            "slope",
            "time",
            "turning",
        ],
    ),
    (
        "normal_errors_and_cross_derivatives_bound_the_displacement",
        &["delta_normal", "delta_tangent", "displacement_normal", "displacement_tangent", "white"],
    ),
    (
        "posterior_spread_and_denoiser_error_bound_the_distance",
        &[
            "curvature",
            "flat_error_of_noise",
            "kept",
            "map_distance",
            "map_error",
            "map_slide",
            "map_spread",
            "map_start",
            "spread",
        ],
    ),
    ("alignment_persists_under_c1_small_errors", &["jacobian_difference", "slope_difference"]),
    (
        "gaussian_data_has_a_closed_form_flow",
        &["coupling", "distance_from_top", "family", "parameters"],
    ),
    ("gaussian_paths_share_one_flow", &["family", "parameters"]),
    ("sampler_maps_contract_normals_exactly", &["range_angle"]),
    ("errors_convert_between_parametrisations", &["family", "parameters"]),
    ("compression_alone_does_not_align", &["cosine", "slope", "start", "start_slope", "time"]),
    ("alignment_and_robustness_are_independent", &["cosine", "slope", "start", "time"]),
];

/// Facts without which the claim may hold with other margins, and why that is honest.
const OTHER_EVIDENCE: &[(&str, &[&str], &str)] = &[
    (
        "posterior_moments_certify_alignment",
        &["cross_moment", "curvature", "distance", "foot_drift", "gamma", "interior", "slope"],
        "a time at which the condition is not known to hold is before the later stage",
    ),
    (
        "qr_subspace_tracks_singular_subspace",
        &["drawn_cotangent"],
        "fewer draws have a wider confidence limit",
    ),
    (
        "sphere_flow_is_a_radial_quantile_map",
        &["flat_factor", "tangential_factor"],
        "how many directions are followed is not stated; one at least has to be",
    ),
    (
        "segment_flow_is_a_quantile_map",
        &["flat_factor"],
        "how many directions are followed is not stated; one at least has to be",
    ),
    (
        "compression_alone_does_not_align",
        &["slope"],
        "C1c compares the ends of a path, however long",
    ),
];

fn with(facts: &Facts, name: &str, series: Vec<Quantity>) -> Facts {
    let mut changed = facts.clone();
    changed.set_series(name, series);
    changed
}

/// The ways to take a fact away: all of it, its values, one of them, or its last place.
fn without(facts: &Facts, name: &str) -> Vec<Facts> {
    let series = facts.series(name);
    let unknown_at = |at: usize| {
        let mut series = series.to_vec();
        series[at] = Quantity::UNKNOWN;
        series
    };
    let mut ways = vec![Vec::new(), vec![Quantity::UNKNOWN; series.len()]];
    if let Some(last) = series.len().checked_sub(1) {
        ways.extend([unknown_at(0), unknown_at(last), series[..last].to_vec()]);
    }
    ways.into_iter().map(|series| with(facts, name, series)).collect()
}

/// The same margins; NaN is like itself.
fn same(a: &Judgement, b: &Judgement) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

/// What became of the verdict when a fact was taken away, over all worlds and ways.
#[derive(Default)]
struct Fate {
    decided_nothing: bool,
    unchanged: bool,
    otherwise: bool,
}

fn fates(claim: &Claim) -> BTreeMap<String, Fate> {
    let mut fates: BTreeMap<String, Fate> = BTreeMap::new();
    for index in 0..WORLDS {
        let Ok(seen) = observe(claim.id, &mut knobs(claim, SEED, index)) else { continue };
        let whole = claim.judge(&seen.facts);
        if whole.verdict() != Verdict::Holds {
            continue;
        }
        for (name, _) in seen.facts.iter() {
            let fate = fates.entry(name.to_owned()).or_default();
            for facts in without(&seen.facts, name) {
                let judgement = claim.judge(&facts);
                match judgement.verdict() {
                    Verdict::Holds if same(&judgement, &whole) => fate.unchanged = true,
                    Verdict::Holds => fate.otherwise = true,
                    _ => fate.decided_nothing = true,
                }
            }
        }
    }
    assert!(!fates.is_empty(), "{} holds in none of {WORLDS} worlds", claim.id);
    fates
}

fn of<'a>(list: &[(&str, &'a [&'a str])], claim: &Claim) -> BTreeSet<&'a str> {
    list.iter().filter(|(id, _)| *id == claim.id).flat_map(|(_, names)| *names).copied().collect()
}

/// A fact may be missing and the claim still hold only where the claim does not ask for it. A new fact
/// that is not read everywhere is declared above, so that no conclusion is left out by accident.
#[test]
fn a_claim_does_not_hold_without_a_fact_that_it_reads() {
    for claim in ALL {
        let evidence: Vec<_> = OTHER_EVIDENCE.iter().map(|(id, names, _)| (*id, *names)).collect();
        let declared = [
            ("holds with other margins without", of(&evidence, claim)),
            ("never reads", of(NEVER_READ, claim)),
            ("does not always read", of(READ_WHERE_IT_APPLIES, claim)),
        ];
        let fates = fates(claim);
        let found = |pick: fn(&Fate) -> bool| -> BTreeSet<&str> {
            fates.iter().filter(|(_, fate)| pick(fate)).map(|(name, _)| name.as_str()).collect()
        };
        let found = [
            found(|f| f.otherwise),
            found(|f| f.unchanged && !f.otherwise && !f.decided_nothing),
            found(|f| f.unchanged && f.decided_nothing),
        ];
        for ((how, declared), found) in declared.iter().zip(&found) {
            assert_eq!(
                found, declared,
                "{} {how} these: found, and declared in this file",
                claim.id
            );
        }
    }
}

/// A fact that no judge reads at all is there for the reader of a record.
#[test]
fn facts_that_nobody_reads_are_declared() {
    let mut unread = Vec::new();
    for (id, names) in NEVER_READ {
        let claim = driftproof::claims::find(id).unwrap();
        for name in *names {
            let read = (0..WORLDS).any(|index| {
                let Ok(seen) = judge_world(claim, SEED, index).observed else { return false };
                let blank = vec![Quantity::UNKNOWN; seen.facts.series(name).len()];
                let blank = with(&seen.facts, name, blank);
                let mutants = claim.mutants.iter();
                mutants.clone().any(|mutant| {
                    let [a, b] = [&seen.facts, &blank].map(|f| claim.judge_mutant(f, mutant));
                    !same(&a, &b)
                })
            });
            if !read {
                unread.push((*id, *name));
            }
        }
    }
    assert_eq!(unread, REPORTED_ONLY);
}

/// Facts that neither a claim nor any of its mutants reads.
const REPORTED_ONLY: &[(&str, &str)] = &[
    ("response_stays_in_the_support_of_every_model", "off_distance"),
    ("response_stays_in_the_support_of_every_model", "off_mass"),
    ("off_support_mass_follows_the_order_of_vanishing", "epsilon"),
    ("off_support_mass_follows_the_order_of_vanishing", "mass"),
    ("moving_frame_blocks_are_gauge_invariant", "gamma_flipped"),
    ("moving_frame_blocks_are_gauge_invariant", "gamma_of_a"),
    ("adiabatic_gap_forces_alignment", "end_sine"),
    ("adiabatic_gap_forces_alignment", "eta"),
    ("adiabatic_gap_forces_alignment", "gamma"),
    ("adiabatic_gap_forces_alignment", "kappa"),
    ("adiabatic_gap_forces_alignment", "kappa_of_a"),
    ("adiabatic_gap_forces_alignment", "normal_compression"),
    ("compression_alone_does_not_align", "kappa_of_a"),
    ("compression_alone_does_not_align", "normal_compression"),
    ("alignment_and_robustness_are_independent", "kappa_of_a"),
    ("alignment_and_robustness_are_independent", "normal_compression"),
];
