//! Each judge on facts written by hand: what it predicts, to many digits.
//!
//! An inequality shows its prediction in its room. An equality shows it when the measured number is
//! half a bar beside the number expected here: the slack is then 1/2.

use driftproof::claims::schedules::Path;
use driftproof::claims::{self, Claim};
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::verdict::{Judgement, Verdict};
use std::f64::consts::{FRAC_PI_2, PI};

fn facts(table: &[(&str, &[f64])]) -> Facts {
    let mut facts = Facts::new();
    for (name, values) in table {
        facts.set_series(name, values.iter().map(|v| Quantity::exact(*v)).collect());
    }
    facts
}

/// States numbers half of a bar beside those expected.
fn beside(facts: &mut Facts, name: &str, expected: &[f64], bar: f64) {
    let off = |x: &f64| Quantity::new(x + 0.5 * bar, bar, Grade::Estimated);
    facts.set_series(name, expected.iter().map(off).collect());
}

fn judge(id: &str, facts: &Facts) -> Judgement {
    let claim: &Claim = claims::find(id).expect("a claim of that id");
    claim.judge(facts)
}

/// The rooms of these conclusions, each (right − left)/max(|left|, |right|).
#[track_caller]
fn assert_rooms(judgement: &Judgement, expected: &[(&str, f64, f64)]) {
    for (name, left, right) in expected {
        let margin = judgement.conclusions.iter().find(|m| m.name == *name);
        let margin = margin.unwrap_or_else(|| panic!("{name} is not among {judgement:#?}"));
        let room = (right - left) / left.abs().max(right.abs());
        assert!((margin.room - room).abs() < 1e-9, "{name}: {} is not {room}", margin.room);
    }
}

/// Every equality has a slack of 1/2.
#[track_caller]
fn assert_halves(judgement: &Judgement, equalities: usize) {
    let halves: Vec<_> = judgement.conclusions.iter().filter(|m| m.room.is_nan()).collect();
    assert_eq!(halves.len(), equalities, "{judgement:#?}");
    for margin in halves {
        assert!((margin.slack - 0.5).abs() < 1e-3, "{margin:?}");
    }
}

fn names(judgement: &Judgement) -> Vec<&str> {
    judgement.conclusions.iter().map(|m| m.name.as_str()).collect()
}

#[test]
fn claims_are_found_by_their_id_and_say_their_standing() {
    for claim in claims::ALL {
        assert_eq!(claims::find(claim.id).map(|found| found.id), Some(claim.id));
        let standing = claim.standing();
        assert!(!standing.is_empty() && claim.page.contains(standing.split(' ').next().unwrap()));
        assert!(!standing.contains('\n') && standing != "xyzzy");
    }
    assert!(claims::find("no_such_claim").is_none());
}

#[test]
fn maps_that_compress_are_bounded_step_by_step_by_the_product_by_rates_and_by_the_cone() {
    let id = "compressing_maps_force_alignment";
    let world = |start: f64, normal: [f64; 2]| {
        facts(&[
            ("step_tt", &[2.0, 1.6]),
            ("step_nn", &normal),
            ("step_nt", &[0.2, 0.1]),
            ("step_tn", &[0.4, 0.3]),
            ("slope", &[start, 0.2, 0.1]),
            ("product_tt", &[3.0]),
            ("product_nn", &[0.2]),
            ("product_nt", &[0.4]),
            ("product_tn", &[0.6]),
            ("cone_slope", &[0.24]),
            ("cone_image_slope", &[0.12]),
        ])
    };
    let judgement = judge(id, &world(0.5, [0.5, 0.4]));
    let first = (0.2 + 0.5 * 0.5) / (2.0 - 0.4 * 0.5);
    assert_rooms(
        &judgement,
        &[
            ("(a) step 1", 0.2, first),
            ("(a) step 2", 0.1, (0.1 + 0.4 * 0.2) / (1.6 - 0.3 * 0.2)),
            ("(a) all steps", 0.1, (0.1 + 0.4 * first) / (1.6 - 0.3 * first)),
            ("(b) product", 0.1, (0.4 + 0.2 * 0.5) / (3.0 - 0.6 * 0.5)),
            // Worst rates a = 0.1, b = 0.2, c = 0.25: l ↦ (a + c l)/(1 − b l), twice.
            ("(c) uniform rates", 0.1, (0.1 + 0.25 * 0.25) / (1.0 - 0.2 * 0.25)),
            ("(d) planes of the cone", 0.12, 0.24),
            ("(d) at most the step form", 0.24, first),
        ],
    );
    assert_eq!(judgement.verdict(), Verdict::Holds);
    // The barrier of (c) is (0.75 + √0.4825)/0.4 = 3.61…; a step needs 0.4 l < 2, 0.3 l < 1.6, the product 0.6 l < 3.
    let has = |start: f64, normal: [f64; 2], name: &str| {
        names(&judge(id, &world(start, normal))).contains(&name)
    };
    assert!(has(3.61, [0.5, 0.4], "(c) uniform rates"));
    assert!(!has(3.62, [0.5, 0.4], "(c) uniform rates"));
    assert!(has(4.99, [0.5, 0.4], "(b) product") && !has(5.01, [0.5, 0.4], "(b) product"));
    assert!(has(4.99, [0.5, 0.4], "(a) step 1") && !has(5.01, [0.5, 0.4], "(a) step 1"));
    assert!(!has(5.01, [0.5, 0.4], "(d) at most the step form"));
    // (c) needs c < 1 and (1 − c)² > 4ab = 0.08: c below 1 − √0.08 = 0.71716.
    assert!(has(0.5, [1.434, 0.4], "(c) uniform rates"));
    assert!(!has(0.5, [1.435, 0.4], "(c) uniform rates"));
    assert!(!has(0.5, [2.8, 0.4], "(c) uniform rates"));
    // Past a denominator the world is out of scope; the least of the two decides: 1.6 − 0.3 l_1 < 0.
    assert_eq!(judge(id, &world(4.8, [2.0, 0.4])).verdict(), Verdict::OutOfScope);
    let short = facts(&[("slope", &[0.5])]);
    assert_eq!(judge(id, &short), Judgement::default());
    let mut uneven = world(0.5, [0.5, 0.4]);
    uneven.push("step_tn", Quantity::exact(0.1));
    assert_eq!(judge(id, &uneven), Judgement::default());
}

#[test]
fn blocks_off_the_manifold_are_bounded_by_curvature_and_second_derivatives() {
    let id = "curvature_and_second_derivatives_bound_the_blocks";
    let judgement = judge(
        id,
        &facts(&[
            ("second_derivative", &[0.5]),
            ("curvature", &[0.4]),
            ("distance", &[0.25]),
            ("eta_on", &[0.3]),
            ("kappa_on", &[0.1]),
            ("gamma_on", &[1.0]),
            ("kappa", &[0.15]),
            ("eta", &[0.5]),
            ("gamma", &[0.875]),
            ("foot_slip", &[0.1]),
            ("reach", &[2.0]),
            ("map_second_derivative", &[0.8]),
            ("map_distance_after", &[0.1]),
            ("map_normal_norm", &[0.6]),
            ("map_foot_distance", &[0.15]),
            ("map_foot_arc", &[0.2]),
            ("map_tangent_norm", &[1.5]),
            ("map_norm", &[2.0]),
            ("map_nt", &[0.3]),
            ("map_tn", &[0.4]),
            ("map_tn_on", &[0.1]),
            ("map_tt", &[0.75]),
            ("map_tt_on", &[1.0]),
            ("map_nn", &[0.8]),
            ("map_nn_on", &[0.6]),
        ]),
    );
    // (0.3 + 0.1) r + H r²/2 over 1 − K r; then H r + K times that.
    let slip = (0.1 + 0.015_625) / 0.9;
    let rest = 0.125 + 0.4 * slip;
    assert_rooms(
        &judgement,
        &[
            ("slip of the foot point", 0.1, slip),
            ("kappa", 0.15, rest),
            ("eta", 0.5, 0.4 + rest),
            ("gamma", 0.75, 0.875), // 1 − 2 H r
            // (0.6 r + 0.8 r²/2)/(1 − 0.1/2).
            ("map: distance of the foot points", 0.15, 0.175 / 0.95),
            ("map: cross T to N", 0.3, 0.32), // 0.8 r + 0.4·0.2·1.5
            ("map: cross N to T", 0.4, 0.46), // 0.1 + 0.8 r + 0.4·0.2·2
            ("map: tangent stretch", 0.64, 0.75),
            ("map: normal stretch", 0.8, 0.96),
        ],
    );
    let slacks: Vec<f64> = judgement.hypotheses.iter().map(|m| m.slack).collect();
    assert!((slacks[0] - 0.9).abs() < 1e-12 && (slacks[1] - 0.95).abs() < 1e-12);
}

#[test]
fn the_overlap_is_bounded_by_the_angle_until_it_turns_past_the_score() {
    let judgement = judge(
        "tangential_alignment_bounds_score_overlap",
        &facts(&[
            ("sine", &[0.6, 0.8, 0.6]),
            ("score_tangential", &[0.3, 0.4, 0.4]),
            ("score_normal", &[0.4, 0.3, 0.3]),
            ("overlap", &[0.2, 0.25, 0.3]),
            ("same_plane", &[1.0, 1.0, 1.0]),
        ]),
    );
    assert_rooms(
        &judgement,
        &[
            ("overlap at noise level 0", 0.2, 0.54),    // 0.3 + 0.6·0.4
            ("overlap at noise level 1", 0.25, 0.64),   // 0.4 + 0.8·0.3
            ("angle form at noise level 0", 0.2, 0.48), // 0.3·0.8 + 0.6·0.4
            ("angle form at noise level 1", 0.25, 0.5), // past the score: all of it
            ("angle form at noise level 2", 0.3, 0.5),  // just at it
        ],
    );
    let uneven = facts(&[("sine", &[0.5]), ("score_normal", &[1.0])]);
    assert!(names(&judge("tangential_alignment_bounds_score_overlap", &uneven)).is_empty());
}

#[test]
fn qr_sums_and_angles_are_bounded_by_overlap_and_gap() {
    let mut world = facts(&[
        ("singular_ratio", &[0.5]),
        ("start_cotangent", &[0.8]),
        ("end_tangent", &[0.4]),
        ("log_sigma", &[1.0, 0.2]),
        ("log_growth", &[0.9, 0.25]),
        ("start_bias", &[0.3, 0.4]),
        ("angle_to_random_plane", &[0.5]),
        ("angle_of_e_to_random_plane", &[0.25]),
        ("start_is_random", &[1.0]),
        ("sigma_d", &[0.1]),
        // The start bound is √4 (√9 + √4 + 3)/0.1 = 160.
        ("start_dim", &[13.0]),
        ("start_subspace", &[4.0]),
        ("drawn_cotangent", &[0.006_26; 20]),
    ]);
    let id = "qr_subspace_tracks_singular_subspace";
    let judgement = judge(id, &world);
    assert_rooms(&judgement, &[("(a) angle to W_d", 0.32, 0.5)]);
    let room = |judgement: &Judgement, name: &str| {
        judgement.conclusions.iter().find(|m| m.name == name).unwrap().room
    };
    for (name, expected) in [
        // Sums of log σ − log R: 0.1, then 0.1 − 0.05; b_1 = 0.3, b_2 = 0.4.
        ("(b) sum of 1 at least", 0.1),
        ("(b) sum of 1 at most", 0.2),
        ("(b) value 1 at least", 0.2),
        ("(b) value 1 at most", 0.1),
        ("(b) sum of 2 at least", 0.05),
        ("(b) sum of 2 at most", 0.35),
        ("(b) value 2 at least", 0.45),
        ("(b) value 2 at most", 0.25),
        ("(c) random start", 1.0),
        ("(d) triangle with a plane", 0.625_f64.atan() + 0.25 - 0.5),
    ] {
        assert!((room(&judgement, name) - expected).abs() < 1e-12, "{name}");
    }
    // Twenty of twenty beyond the bound happen by chance 1 − LEVEL = 1e-9 where each has (1e-9)^{1/20}.
    world.set_series("drawn_cotangent", vec![Quantity::exact(0.006_24); 20]);
    let (chance, least) = (0.1 + (-4.5_f64).exp(), 1e-9_f64.powf(0.05));
    let measured = room(&judge(id, &world), "(c) random start");
    assert!((measured - (chance - least) / chance).abs() < 1e-6);
    // An unknown bar decides nothing; bars count in favour of the claim.
    world.set_series("drawn_cotangent", vec![Quantity::new(1.0, f64::NAN, Grade::Sampled)]);
    assert!(room(&judge(id, &world), "(c) random start").is_nan());
    let vague = Quantity::new(0.006_24, 0.000_02, Grade::Estimated);
    world.set_series("drawn_cotangent", vec![vague; 20]);
    assert_eq!(room(&judge(id, &world), "(c) random start"), 1.0);
    for starts in [vec![], vec![Quantity::UNKNOWN]] {
        world.set_series("drawn_cotangent", starts);
        let judgement = judge(id, &world);
        let margin = judgement.conclusions.iter().find(|m| m.name == "(c) random start").unwrap();
        assert_eq!(margin.verdict(), Verdict::Undecided);
    }
}

/// y' = κ − γ y + η y² by Runge–Kutta.
fn riccati(gamma: f64, kappa: f64, eta: f64, span: f64, start: f64) -> f64 {
    let rate = |y: f64| kappa - gamma * y + eta * y * y;
    let (steps, mut y) = (4000, start);
    let h = span / f64::from(steps);
    for _ in 0..steps {
        let k1 = rate(y);
        let k2 = rate(y + 0.5 * h * k1);
        let k3 = rate(y + 0.5 * h * k2);
        let k4 = rate(y + h * k3);
        y += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
    }
    y
}

#[test]
fn a_path_with_constant_rates_is_bounded_by_its_riccati_solution() {
    let (gamma, kappa, eta, start) = (2.5, 0.5, 1.5, 0.4);
    let times: Vec<f64> = (0..9).map(|k| 0.25 + 0.1 * f64::from(k)).collect();
    let y = |k: usize| riccati(gamma, kappa, eta, 0.1 * k as f64, start);
    let mut world = facts(&[
        ("time", &times),
        ("gamma", &[gamma; 9]),
        ("kappa", &[kappa; 9]),
        ("eta", &[eta; 9]),
        ("slope", &[start, 0.1, 0.12, 0.1, 0.14, 0.1, 0.16, 0.1, 0.18]),
        ("end_sine", &[0.15]),
    ]);
    let id = "relative_compression_forces_alignment";
    let end = y(8);
    let expected = [
        ("slope at 1/4", 0.12, y(2)),
        ("slope at 2/4", 0.14, y(4)),
        ("slope at 3/4", 0.16, y(6)),
        ("slope at 4/4", 0.18, end),
        ("sine of the angle", 0.15, end / (1.0 + end * end).sqrt()),
        ("explicit constant form", 0.18, end),
    ];
    let judgement = judge(id, &world);
    assert_rooms(&judgement, &expected);
    assert_eq!(judgement.verdict(), Verdict::Holds);
    // The bound starts at the upper end of the first slope, in the explicit form as well.
    let slopes = world.series("slope")[1..].to_vec();
    let wide = |value: f64, bar: f64| {
        let mut series = vec![Quantity::new(value, bar, Grade::Estimated)];
        series.extend(slopes.iter().copied());
        series
    };
    world.set_series("slope", wide(0.3, 0.1));
    assert_rooms(&judge(id, &world), &expected[..5]);
    assert_rooms(&judge(id, &world), &expected[5..]);
    // The explicit form applies below the barrier, (2.5 + √3.25)/3 = 1.434…, and where γ and Δ are positive.
    let explicit = |world: &Facts| names(&judge(id, world)).contains(&"explicit constant form");
    world.set_series("slope", wide(1.43, 0.0));
    assert!(explicit(&world));
    world.set_series("slope", wide(1.44, 0.0));
    assert!(!explicit(&world));
    world.set_series("slope", wide(0.1, 0.0));
    world.set_series("gamma", vec![Quantity::exact(-2.5); 9]);
    assert!(!explicit(&world));
    world.set_series("gamma", vec![Quantity::exact(1.7); 9]); // γ² < 4κη = 3
    assert!(!explicit(&world));
}

#[test]
fn a_turning_eigenspace_is_followed_within_the_riccati_solution() {
    let (gap, speed, start) = (2.0, 0.5, 0.3);
    let times: Vec<f64> = (0..5).map(|k| 0.5 + 0.2 * f64::from(k)).collect();
    let mut world = facts(&[
        ("time", &times),
        ("gap", &[gap; 5]),
        ("turning", &[speed; 5]),
        ("slope", &[start, 0.2, 0.2, 0.2, 0.15]),
    ]);
    // The bound starts at the upper end of the first slope.
    let mut slope = world.series("slope").to_vec();
    slope[0] = Quantity::new(0.2875, 0.0125, Grade::Estimated);
    world.set_series("slope", slope);
    let judgement = judge("adiabatic_gap_forces_alignment", &world);
    let y = riccati(gap, speed, speed, 0.8, start);
    let both = ["slope below the Riccati bound", "slope below the explicit bound"];
    assert_rooms(&judgement, &both.map(|name| (name, 0.15, y)));
    // H1: 0.5 against 1; H2: 0.2875 against (2 + √3)/1.
    assert!((judgement.hypotheses[0].slack - 0.5).abs() < 1e-12);
    let barrier = 2.0 + 3.0_f64.sqrt();
    assert!((judgement.hypotheses[1].slack - (1.0 - 0.2875 / barrier)).abs() < 1e-12);
}

#[test]
fn moving_frame_blocks_agree_by_every_route() {
    let mut world = facts(&[("size", &[2.0]), ("frame_speed", &[0.5])]);
    let bar = 1e-7;
    for (block, value) in [("gamma", 0.7), ("kappa", 0.3), ("eta", 0.2)] {
        world.set(&format!("{block}_frame"), Quantity::exact(value));
        for route in ["projector", "gauged"] {
            beside(&mut world, &format!("{block}_{route}"), &[value], bar);
        }
    }
    world.set("kappa_transported", Quantity::new(0.5 * bar, bar, Grade::Estimated));
    let id = "moving_frame_blocks_are_gauge_invariant";
    let judgement = judge(id, &world);
    assert_halves(&judgement, 6);
    assert_rooms(&judgement, &[]);
    let room = judgement.conclusions.last().unwrap().room;
    assert!((room + 0.25 * bar).abs() < 1e-18); // −0.5 bar/2
    assert_eq!(judgement.verdict(), Verdict::Holds);
    // Bars are compared with 1e-6 of the size 2, however small the block.
    for (bar, verdict) in [(1.9e-6, Verdict::Holds), (2.1e-6, Verdict::Undecided)] {
        beside(&mut world, "eta_gauged", &[0.2], bar);
        assert_eq!(judge(id, &world).verdict(), verdict);
    }
}

#[test]
fn sampler_maps_are_predicted_step_by_step() {
    let mut world = facts(&[
        ("levels", &[2.0, 1.0, 0.5]),
        ("probe", &[1.0, 2.0]),
        ("covariance_of_probe", &[0.3, -0.4]),
        ("normal_noise", &[0.3, -0.2]),
        ("last_covariance_of_probe", &[0.1, 0.2]),
        ("range_condition", &[10.0]),
        ("normal_width", &[2.5e-13]),
    ]);
    let bar = 1e-9;
    // ρ p + (1 − ρ) C p/4 with ρ = 1/2, and with ρ² for ancestral steps.
    beside(&mut world, "ddim_of_probe", &[0.5 + 0.15 / 4.0, 1.0 - 0.2 / 4.0], bar);
    beside(&mut world, "ancestral_of_probe", &[0.25 + 0.225 / 4.0, 0.5 - 0.3 / 4.0], bar);
    let start = Quantity::exact(3.0);
    let shed = 0.75_f64.sqrt();
    let second = 0.75 + 0.3 * shed;
    beside(&mut world, "normal_ddim", &[3.0, 1.5, 0.75], bar);
    beside(&mut world, "normal_ancestral", &[3.0, second, second / 4.0 - 0.1 * shed], bar);
    // The first coordinate is where both start.
    for name in ["normal_ddim", "normal_ancestral"] {
        let mut series = world.series(name).to_vec();
        series[0] = start;
        world.set_series(name, series);
    }
    beside(&mut world, "normal_growth_ddim", &[0.25], bar);
    beside(&mut world, "normal_growth_ancestral", &[0.0625], 1e-10);
    beside(&mut world, "last_of_probe", &[0.4, 0.8], bar);
    beside(&mut world, "last_normal_growth", &[0.0], bar);
    beside(&mut world, "range_angle", &[0.0], bar);
    let id = "sampler_maps_contract_normals_exactly";
    let judgement = judge(id, &world);
    assert_halves(&judgement, 9);
    assert!((judgement.hypotheses[0].slack - 0.75).abs() < 1e-12);
    for (condition, equalities) in [(0.99e5, 9), (1e5, 8)] {
        world.set("range_condition", Quantity::exact(condition));
        assert_halves(&judge(id, &world), equalities);
    }
}

#[test]
fn gaussian_data_move_by_the_ratio_of_their_deviations() {
    // Flow matching from 0.2 to 0.7: S = s²λ + (1 − s)².
    let growth = |l: f64| ((0.49 * l + 0.09) / (0.04 * l + 0.64)).sqrt();
    let (g, h) = (growth(4.0), growth(0.25));
    let mut world = facts(&[
        ("coupling", &[claims::gaussian_data_has_a_closed_form_flow::INDEPENDENT]),
        ("gaussian", &[1.0]),
        ("family", &[5.0]),
        ("start_time", &[0.2]),
        ("end_time", &[0.7]),
        ("variance", &[4.0, 0.25]),
        ("start", &[1.5, -0.5]),
        ("mean", &[0.5, 2.0]),
        ("subspace_dim", &[1.0]),
        ("shared", &[1.0]),
        ("shared_sigma", &[0.5]),
        ("shared_start", &[0.6, -0.8]),
    ]);
    let bar = 1e-7;
    beside(&mut world, "end", &[1.4 * g + 0.35, -0.9 * h + 1.4], bar);
    beside(&mut world, "jacobian", &[g, h], bar);
    beside(&mut world, "off_axis", &[0.0, 0.0], bar);
    beside(&mut world, "log_growth", &[g.ln(), h.ln()], bar);
    beside(&mut world, "distance_from_top", &[0.0, 1.0], bar);
    for (model, square) in [("flow_matching", 0.25), ("trigonometric", 0.25), ("displacement", 0.0)]
    {
        let ends = [4.0, 0.25].map(|l: f64| (l + square).sqrt());
        beside(&mut world, &format!("end_jacobian_{model}"), &ends, bar);
        let states = [0.6 * ends[0], -0.8 * ends[1]];
        beside(&mut world, &format!("end_state_{model}"), &states, bar);
    }
    let id = "gaussian_data_has_a_closed_form_flow";
    let judgement = judge(id, &world);
    assert_halves(&judgement, 11);
    assert_eq!(judgement.verdict(), Verdict::Holds);
    world.set("shared", Quantity::exact(0.0));
    assert_halves(&judge(id, &world), 5);
    // Where growths lie closer than a hundredth there is no top subspace; nor at d = 0 or at d = D.
    for (dim, equalities) in [(0.0, 4), (2.0, 4), (1.0, 5)] {
        world.set("subspace_dim", Quantity::exact(dim));
        assert_halves(&judge(id, &world), equalities);
    }
    let close = |ratio: f64| {
        let mut world = world.clone();
        world.set("coupling", Quantity::exact(1.0));
        world.set("start_time", Quantity::exact(0.0));
        world.set("end_time", Quantity::exact(1.0));
        // Displacement all the way grows by √λ.
        let variance = [4.0, 4.0 * ratio * ratio].map(Quantity::exact);
        world.set_series("variance", variance.to_vec());
        names(&judge(id, &world)).contains(&"(c) top subspace")
    };
    assert!(close(0.01_f64.exp() + 1e-6) && !close(0.01_f64.exp() - 1e-6));
}

#[test]
fn displaced_gaussian_data_move_on_straight_lines() {
    // 1 − s + s√λ from 0.2 to 0.7; the mean moves like s.
    let growth = |root: f64| (0.3 + 0.7 * root) / (0.8 + 0.2 * root);
    let (g, h) = (growth(2.0), growth(0.5));
    let mut world = facts(&[
        ("coupling", &[claims::gaussian_data_has_a_closed_form_flow::OPTIMAL]),
        ("gaussian", &[1.0]),
        ("start_time", &[0.2]),
        ("end_time", &[0.7]),
        ("variance", &[4.0, 0.25]),
        ("start", &[1.5, -0.5]),
        ("mean", &[0.5, 2.0]),
        ("subspace_dim", &[0.0]),
        ("shared", &[0.0]),
    ]);
    let bar = 1e-7;
    beside(&mut world, "end", &[1.4 * g + 0.35, -0.9 * h + 1.4], bar);
    beside(&mut world, "jacobian", &[g, h], bar);
    beside(&mut world, "off_axis", &[0.0, 0.0], bar);
    beside(&mut world, "log_growth", &[g.ln(), h.ln()], bar);
    let id = "gaussian_data_has_a_closed_form_flow";
    assert_halves(&judge(id, &world), 4);
    world.set("coupling", Quantity::exact(claims::gaussian_data_has_a_closed_form_flow::OTHER));
    assert_eq!(judge(id, &world).hypotheses[1].verdict(), Verdict::Violated);
}

#[test]
fn a_path_is_the_canonical_flow_in_scaled_coordinates() {
    // Flow matching from 1/4 to 3/4: levels 3 and 1/3, a_t/a_s = 3.
    let mut world = facts(&[
        ("family", &[5.0]),
        ("start_time", &[0.25]),
        ("end_time", &[0.75]),
        ("canonical_end", &[0.8, -0.4]),
        ("canonical_jacobian", &[0.5, 0.25, -0.125, 0.75]),
        ("canonical_log_growth", &[0.5, 0.25]),
        ("posterior_data", &[0.3, 0.1]),
        ("posterior_noise", &[-0.2, 0.4]),
        ("subspace_dim", &[1.0]),
        ("canonical_alignment", &[0.2]),
        ("independent", &[1.0]),
        ("standard_source", &[1.0]),
    ]);
    let bar = 1e-7;
    beside(&mut world, "canonical_levels", &[3.0, 1.0 / 3.0], 1e-6);
    beside(&mut world, "end", &[0.6, -0.3], bar);
    beside(&mut world, "jacobian", &[1.5, 0.75, -0.375, 2.25], bar);
    beside(&mut world, "velocity", &[0.5, -0.3], bar); // E[X − ξ | x]
    let shift = 3.0_f64.ln();
    beside(&mut world, "log_growth", &[0.5 + shift, 0.25 + shift], bar);
    beside(&mut world, "angle_of_top_subspaces", &[0.0], bar);
    beside(&mut world, "alignment", &[0.2], bar);
    let id = "gaussian_paths_share_one_flow";
    let judgement = judge(id, &world);
    // All but the gaps, in which the halves of the bars cancel, and the levels, whose own bar counts.
    for margin in &judgement.conclusions {
        let slack = match margin.name.as_str() {
            "(c) gaps" => 1.0,
            _ => 0.5,
        };
        assert!((margin.slack - slack).abs() < 2e-3, "{margin:?}");
    }
    assert_eq!(judgement.conclusions.len(), 8);
    // Gaps of at least a hundredth, and a d inside, make a top subspace.
    for (gap, dim, conclusions) in
        [(0.0101, 1.0, 8), (0.0099, 1.0, 6), (0.25, 0.0, 6), (0.25, 2.0, 6)]
    {
        let logs = [0.5, 0.5 - gap].map(Quantity::exact);
        world.set_series("canonical_log_growth", logs.to_vec());
        world.set("subspace_dim", Quantity::exact(dim));
        assert_eq!(names(&judge(id, &world)).len(), conclusions, "{gap} {dim}");
    }
    world.set_series("canonical_log_growth", vec![Quantity::exact(0.5)]);
    assert!(!names(&judge(id, &world)).contains(&"(c) gaps"));
}

#[test]
fn errors_convert_by_the_factors_of_their_schedule() {
    // Trigonometric at 1/3: a = 1/2, b = √3/2, a' − a b'/b = π/2b; flow matching at 1/4.
    let b = 0.75_f64.sqrt();
    for (family, s, sigma, of_score, share) in
        [(6.0, 1.0 / 3.0, 2.0 * b, 1.5, FRAC_PI_2 / b), (5.0, 0.25, 3.0, 2.25, 4.0 / 3.0)]
    {
        let mut world = facts(&[
            ("family", &[family]),
            ("time", &[s]),
            ("error", &[0.4, -0.2]),
            ("error_slope", &[0.3]),
            ("clipped", &[0.0]),
        ]);
        let bar = 1e-7;
        let models =
            [("denoiser", 1.0), ("noise", -sigma), ("score", of_score), ("velocity", 1.0 / share)];
        for (model, factor) in models {
            let errors = [0.4 * factor, -0.2 * factor];
            beside(&mut world, &format!("denoiser_error_of_{model}"), &errors, bar);
            let errors = errors.map(|e| e * share);
            beside(&mut world, &format!("velocity_error_of_{model}"), &errors, bar);
            let slope = [0.3 * factor * share];
            beside(&mut world, &format!("velocity_slope_of_{model}"), &slope, bar);
        }
        beside(&mut world, "canonical_error_of_noise", &[0.4, -0.2], bar);
        let id = "errors_convert_between_parametrisations";
        let judgement = judge(id, &world);
        let equalities = if family == 5.0 { 14 } else { 13 };
        assert_halves(&judgement, equalities);
        assert_eq!(judgement.verdict(), Verdict::Holds);
    }
    // Outside of 0 < σ < ∞ nothing is said.
    let end = facts(&[("family", &[5.0]), ("time", &[1.0])]);
    let judgement = judge("errors_convert_between_parametrisations", &end);
    assert_eq!(judgement.hypotheses[0].verdict(), Verdict::Violated);
}

#[test]
fn schedules_are_their_formulas() {
    let near = |measured: f64, expected: f64| {
        assert!(
            (measured - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
            "{measured} {expected}"
        );
    };
    let all: [(&str, &[f64]); 7] = [
        ("vp-linear", &[0.25, 4.0]),
        ("sub-vp", &[0.25, 4.0]),
        ("vp-cosine", &[0.125]),
        ("ve", &[0.02, 30.0]),
        ("edm", &[0.02, 30.0, 3.0]),
        ("flow-matching", &[]),
        ("trigonometric", &[]),
    ];
    for s in [0.1_f64, 0.35, 0.8] {
        let t = 1.0 - s;
        // β is linear, so that its integral is t times its value half-way.
        let decay = (-t * (0.25 + 0.5 * t * 3.75)).exp();
        let angle = FRAC_PI_2 * (t + 0.125) / 1.125;
        let cosine = angle.cos() / (PI / 18.0).cos();
        let expected = [
            (decay.sqrt(), (1.0 - decay).sqrt()),
            (decay.sqrt(), 1.0 - decay),
            (cosine, (1.0 - cosine * cosine).sqrt()),
            (1.0, 0.02_f64.powf(s) * 30.0_f64.powf(t)),
            (1.0, (s * 0.02_f64.cbrt() + t * 30.0_f64.cbrt()).powi(3)),
            (s, t),
            ((FRAC_PI_2 * s).sin(), (FRAC_PI_2 * t).sin()),
        ];
        for ((family, parameters), (a, b)) in all.into_iter().zip(expected) {
            let path = Path::new(family, parameters);
            let at = path.at(s);
            assert_eq!(path.family(), family);
            near(at.signal, a);
            near(at.noise, b);
            near(at.sigma(), b / a);
            // Rates by a central difference of order 4.
            let h = 1e-3;
            let rate = |f: fn(&claims::schedules::Values) -> f64| {
                let f = |s: f64| f(&path.at(s));
                (8.0 * (f(s + h) - f(s - h)) - (f(s + 2.0 * h) - f(s - 2.0 * h))) / (12.0 * h)
            };
            let (da, db) = (rate(|v| v.signal), rate(|v| v.noise));
            assert!((at.signal_rate - da).abs() < 1e-7 * (1.0 + da.abs()), "{family} {s}");
            assert!((at.noise_rate - db).abs() < 1e-7 * (1.0 + db.abs()), "{family} {s}");
            near(at.mean_share(), at.signal_rate - a * at.noise_rate / b);
        }
    }
    let named = facts(&[("family", &[3.0]), ("parameters", &[0.5, 8.0])]);
    let path = Path::of(&named).unwrap();
    assert_eq!(path.family(), "sub-vp");
    near(path.at(0.5).noise, 1.0 - (-0.25_f64 - 0.5 * 7.5 * 0.25).exp());
    assert!(Path::of(&facts(&[("family", &[7.0])])).is_none());
}
