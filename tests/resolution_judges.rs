//! Judges on facts written by hand: which of many numbers decides, and from which bar on nothing is decided.

use driftproof::claims::find;
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::verdict::{Judgement, Margin, Verdict};

/// The place of flow matching among the families of paths.
const FLOW_MATCHING: f64 = 5.0;

/// The resolution of integrals on grids.
const GRIDS: f64 = 0.03;

fn exact(values: &[f64]) -> Vec<Quantity> {
    values.iter().copied().map(Quantity::exact).collect()
}

/// Numbers, and series, by name.
fn facts(numbers: &[(&str, f64)], series: &[(&str, &[f64])]) -> Facts {
    let mut facts = Facts::new();
    numbers.iter().for_each(|(name, value)| facts.set(name, Quantity::exact(*value)));
    series.iter().for_each(|(name, values)| facts.set_series(name, exact(values)));
    facts
}

fn barred(value: f64, bar: f64) -> Quantity {
    Quantity::new(value, bar, Grade::Estimated)
}

fn judge(id: &str, facts: &Facts) -> Judgement {
    find(id).unwrap().judge(facts)
}

fn verdict(judgement: &Judgement, name: &str) -> Verdict {
    let named: Vec<&Margin> = judgement.conclusions.iter().filter(|m| m.name == name).collect();
    assert_eq!(named.len(), 1, "{name} among {:#?}", judgement.conclusions);
    named[0].verdict()
}

#[test]
fn one_far_point_among_many_is_enough_to_refute_the_distance() {
    let id = "normal_part_of_the_error_moves_singular_laws";
    let world = |distances: [f64; 3]| {
        facts(
            &[
                ("response_scale", 1.0),
                ("tangent_term", 0.2),
                ("normal_term", 0.3),
                ("response", 0.5),
                ("dipole_limit", 0.4),
                ("delta_square", 1.0),
                ("delta", 1.0),
                ("delta_normal", 0.6),
                ("distance_rate", 0.6),
                ("delta_normal_square", 0.4),
                ("square_rate", 0.4),
                ("curvature", 0.5),
                ("reach", 2.0),
                ("closed", 1.0),
            ],
            &[
                ("dipole", &[0.4; 3]),
                ("dipole_size", &[1.4, 0.37, 0.09]),
                // From 0.1 − 0.04/3.8 = 0.0895 to 0.1 + 0.5·0.04/2 = 0.11.
                ("large_normal", &[0.1; 3]),
                ("large_tangent", &[0.2; 3]),
                ("large_distance", &distances),
            ],
        )
    };
    let of = |distances| judge(id, &world(distances)).verdict();
    assert_eq!(of([0.09, 0.1, 0.109]), Verdict::Holds);
    for at in 0..3 {
        for (distance, expected) in
            [(0.111, Verdict::Violated), (0.089, Verdict::Violated), (f64::NAN, Verdict::Undecided)]
        {
            let mut distances = [0.1; 3];
            distances[at] = distance;
            assert_eq!(of(distances), expected, "{distance} at {at}");
        }
    }
    // Test functions h sin(kφ)/k are at most 3/(2k).
    let mut large = world([0.1; 3]);
    large.set_series("dipole_size", exact(&[1.4, 0.38, 0.09]));
    assert_eq!(judge(id, &large).verdict(), Verdict::Violated);
}

#[test]
fn the_power_is_judged_where_mass_leaves_outward_and_as_finely_as_it_says() {
    let id = "off_support_mass_follows_the_order_of_vanishing";
    let name = "(b) power of ε";
    let world = |outward: f64, power: Quantity| {
        let mut facts = facts(
            &[("order", 0.0), ("whole", 1.0), ("either_way", 0.5), ("outward", outward)],
            &[],
        );
        facts.set("power", power);
        judge(id, &facts)
    };
    let judged = |outward: f64| {
        world(outward, Quantity::exact(1.0)).conclusions.iter().any(|m| m.name == name)
    };
    // A law that jumps at its boundary moves mass at a rate, one that does not has none.
    let form = |order: f64| {
        let judgement = judge(id, &facts(&[("order", order), ("whole", 1.0)], &[]));
        judgement.conclusions.last().unwrap().name.split(':').next().unwrap().to_owned()
    };
    assert_eq!((form(0.0), form(1.0)), ("(c) jump".to_owned(), "(c) no jump".to_owned()));
    // Next to nothing either way counts as tangential: a millionth of the whole.
    let small = |either: f64| {
        let numbers =
            [("order", 0.0), ("whole", 1e-3), ("either_way", either), ("outward", either)];
        judge(id, &facts(&numbers, &[])).conclusions.iter().any(|m| m.name == name)
    };
    assert!(small(1.1e-9) && !small(0.9e-9));
    // A tenth of what moves either way.
    assert!(judged(0.051) && !judged(0.049));
    assert_eq!(verdict(&world(0.5, barred(1.1, 0.15)), name), Verdict::Holds);
    assert_eq!(verdict(&world(0.5, barred(1.1, 0.25)), name), Verdict::Undecided);
    assert_eq!(verdict(&world(0.5, barred(1.3, 0.15)), name), Verdict::Violated);
}

#[test]
fn every_time_counts_in_its_quarter_unless_its_direction_is_lost() {
    let id = "posterior_spread_and_denoiser_error_bound_the_distance";
    let count = 13;
    let times: Vec<f64> = (0..count).map(|k| 0.1 * k as f64).collect();
    let mut plain = facts(
        &[("off_the_set", 0.0), ("reach", 1.0), ("closed", 0.0), ("kept", 0.5)],
        &[("time", &times), ("distance", &[1e-3; 13]), ("spread", &[0.4; 13])],
    );
    plain.set_series("error", exact(&[0.1; 13]));
    let violated = |lean: Quantity, at: usize| -> Vec<usize> {
        let mut facts = plain.clone();
        let mut leans = exact(&[0.1; 13]);
        leans[at] = lean;
        facts.set_series("lean", leans);
        let judgement = judge(id, &facts);
        let name = |quarter: &usize| format!("(a) lean in quarter {quarter}");
        (1..=4).filter(|q| verdict(&judgement, &name(q)) == Verdict::Violated).collect()
    };
    for at in 0..count {
        // V/(2 rch) = 0.2; both ends of a quarter belong to it.
        let expected: Vec<usize> =
            (1..=4).filter(|q| (3 * (q - 1)..=3 * q).contains(&at)).collect();
        assert_eq!(violated(Quantity::exact(2.0), at), expected, "time {at}");
        assert!(violated(Quantity::exact(0.19), at).is_empty());
        // A bar of half the resolution of 5 % of the lean itself.
        assert_eq!(violated(barred(2.0, 0.0499), at), expected);
        assert!(violated(barred(2.0, 0.0501), at).is_empty());
    }
}

#[test]
fn derivatives_of_expectations_are_resolved_against_the_sizes_of_their_terms() {
    let id = "sensitivity_carries_the_response_of_any_law";
    let sizes = |dim: f64, maps: f64| {
        [("dim", dim), ("maps", maps), ("test_functions", 1.0), ("step", 0.01), ("ramp", 0.0)]
    };
    // Two atoms in the plane, one map: δ = w, and Σ w_i ⟨∇f, δ⟩ = (5·2)/4 + 3 (1·4)/4 with |∇f||δ| as large.
    let world = |bar: f64| {
        let mut facts = facts(
            &sizes(2.0, 1.0),
            &[
                ("weight", &[0.25, 0.75]),
                ("jacobian", &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]),
                ("map_error", &[1.2, 1.6, 0.0, 4.0]),
                ("gradient", &[3.0, 4.0, 0.0, 1.0]),
                ("value", &[0.0; 8]),
                ("kink", &[0.0; 2]),
            ],
        );
        facts.set_series("dual_slope", vec![barred(5.5 + 0.5 * bar, bar)]);
        verdict(&judge(id, &facts), "(a) derivative of test function 0")
    };
    // One in a million of 5.5 and the least size of a thousandth.
    assert_eq!(world(5.49e-6), Verdict::Holds);
    assert_eq!(world(5.52e-6), Verdict::Undecided);
    // Without coordinates, or without maps, there is nothing to judge.
    let one: [(&str, &[f64]); 4] =
        [("weight", &[1.0]), ("value", &[0.0; 4]), ("kink", &[0.0]), ("dual_slope", &[0.0])];
    assert_eq!(judge(id, &facts(&sizes(0.0, 1.0), &one)), Judgement::default());
    let mut still = facts(&sizes(1.0, 0.0), &one);
    still.set_series("gradient", exact(&[1.0]));
    assert_eq!(judge(id, &still), Judgement::default());
}

#[test]
fn differences_of_expectations_have_the_bars_of_their_values_and_need_every_series() {
    let id = "sensitivity_carries_the_response_of_any_law";
    let name = "(b) difference quotient of test function 0";
    // One atom on the line, one map: everything is 1, and so is the slope over steps of 0.01.
    let world = |bar: f64, kink: f64| {
        let numbers = [("dim", 1.0), ("maps", 1.0), ("test_functions", 1.0), ("step", 0.01)];
        let ones = ["weight", "jacobian", "map_error", "gradient", "dual_slope"];
        let mut facts = facts(&numbers, &ones.map(|name| (name, &[1.0][..])));
        let values = [-0.01, -0.005, 0.005, 0.01].map(|value| barred(value, bar));
        facts.set_series("value", values.to_vec());
        facts.set_series("kink", exact(&[kink]));
        facts
    };
    // Both quotients, 2b/0.02 and 2b/0.01, doubled: 600 b against 2 % of 1.001.
    assert_eq!(verdict(&judge(id, &world(3.3e-5, 0.0)), name), Verdict::Holds);
    assert_eq!(verdict(&judge(id, &world(3.4e-5, 0.0)), name), Verdict::Undecided);
    // An orbit whose two one-sided derivatives differ by 3 % of them decides nothing.
    assert_eq!(verdict(&judge(id, &world(0.0, 0.01)), name), Verdict::Holds);
    assert_eq!(verdict(&judge(id, &world(0.0, 0.03)), name), Verdict::Undecided);
    for series in ["jacobian", "map_error", "gradient", "value", "kink", "dual_slope"] {
        let mut longer = world(0.0, 0.0);
        longer.push(series, Quantity::exact(1.0));
        assert_eq!(judge(id, &longer), Judgement::default(), "{series}");
    }
}

#[test]
fn displacements_without_cross_derivatives_are_bounded_by_their_own_errors() {
    let id = "normal_errors_and_cross_derivatives_bound_the_displacement";
    let name = "(c) normal errors alone";
    // Both rates −1, errors 0.3 and 0.2: the bounds are 0.3 (1 − e^{−t}) and 0.2 (1 − e^{−t}).
    let world = |kappa: f64| {
        let times: Vec<f64> = (0..9).map(|k| 0.125 * f64::from(k)).collect();
        let mut facts = facts(&[], &[("time", &times)]);
        for first in ["", "first_"] {
            let numbers = [
                ("rate_tangent", -1.0),
                ("rate_normal", -1.0),
                ("kappa", kappa),
                ("eta", 0.0),
                ("error_tangent", 0.3),
                ("error_normal", 0.2),
            ];
            for (name, value) in numbers {
                facts.set_series(&format!("{first}{name}"), exact(&[value; 9]));
            }
        }
        for measured in ["displacement", "delta"] {
            for (part, error) in [("tangent", 0.3), ("normal", 0.2)] {
                let values: Vec<f64> = times.iter().map(|t| -0.9 * error * (-t).exp_m1()).collect();
                facts.set_series(&format!("{measured}_{part}"), exact(&values));
            }
        }
        facts
    };
    let judgement = judge(id, &world(0.0));
    let bounds: Vec<&Margin> = judgement.conclusions[..16].iter().collect();
    for margin in bounds {
        assert!((margin.room - 0.1).abs() < 1e-9, "{margin:?}");
    }
    let alone = |judgement: &Judgement| judgement.conclusions.iter().any(|m| m.name == name);
    assert_eq!(verdict(&judgement, name), Verdict::Holds);
    assert!(!alone(&judge(id, &world(0.1))), "with a cross derivative it says nothing");
    let mut far = world(0.0);
    far.set_series("delta_normal", exact(&[0.2; 9]));
    assert_eq!(verdict(&judge(id, &far), name), Verdict::Violated);
}

#[test]
fn responses_are_bounded_by_errors_over_the_noise_level() {
    let id = "normal_error_over_thickness_bounds_the_response";
    // Flow matching from 0 to 1/2 and 3/4: ∫|w|/b of a velocity error of size 0.4 is 0.4 ln 2 and 0.4 ln 4.
    let constant = |share: f64| {
        let (first, last) = (0.4 * 2.0_f64.ln(), 0.4 * 4.0_f64.ln());
        judge(
            id,
            &facts(
                &[
                    ("family", FLOW_MATCHING),
                    ("from", 0.0),
                    ("predicts_velocity", 1.0),
                    ("error_size", 0.4),
                    ("flat_error_size", 0.4),
                ],
                &[
                    ("end", &[0.5, 0.75]),
                    ("norm", &[first * share, last * share]),
                    ("flat_norm", &[first, last]),
                ],
            ),
        )
    };
    for level in ["first", "last"] {
        let name = format!("(b) response at most ∫|w|/b at the {level} level");
        assert_eq!(verdict(&constant(0.99), &name), Verdict::Holds);
        assert_eq!(verdict(&constant(1.01), &name), Verdict::Violated);
    }
    assert_eq!(verdict(&constant(1.0), "(b) attained by flat directions"), Verdict::Holds);
    // In four dimensions: 0.15 + 2·0.2·3 = 1.35, and at b = 0.1 the score term is at most 2·0.2/0.1.
    let varying = |norm: f64, term: f64| {
        judge(
            id,
            &facts(
                &[
                    ("dim", 4.0),
                    ("field_sup", 0.2),
                    ("varies", 1.0),
                    ("divergence_total", 0.15),
                    ("inverse_noise", 3.0),
                    ("sampled_norm", norm),
                ],
                &[("score_term", &[term]), ("noise_level", &[0.1])],
            ),
        )
    };
    let (whole, step) = (
        "(b) response at most ∫(‖div w‖_{L²} + √D‖w‖_∞/b)",
        "(b) ‖⟨w,s⟩‖ at most √D‖w‖_∞/b at time 0",
    );
    let (near, far) = (varying(1.34, 3.99), varying(1.36, 4.01));
    assert_eq!([whole, step].map(|name| verdict(&near, name)), [Verdict::Holds; 2]);
    assert_eq!([whole, step].map(|name| verdict(&far, name)), [Verdict::Violated; 2]);
}

#[test]
fn the_two_formulas_are_resolved_against_the_score_after_the_map() {
    let id = "two_formulas_give_one_response";
    // One map on the line: w = δ_1 = 1, s_1 = 5, nothing stretches: g = −5 both ways, whatever s_0.
    let world_facts = |rounding: f64, mean: f64| {
        let mut facts = facts(
            &[("dim", 1.0), ("slope_at_fixed_point", -5.0), ("divergence_by_volume", 0.0)],
            &[
                ("trace", &[0.0]),
                ("trace_before", &[0.0]),
                ("divergence", &[0.0, 0.0]),
                ("delta", &[0.0, 1.0]),
                ("score", &[100.0, 5.0]),
                ("carried_score", &[100.0, 5.0]),
                ("error", &[1.0]),
                ("rounding", &[0.0, rounding]),
            ],
        );
        facts.set("mean_size", Quantity::exact(2.0));
        facts.set("mean_response", barred(0.0, mean));
        facts
    };
    let world = |rounding: f64, mean: f64| judge(id, &world_facts(rounding, mean));
    // Both sides have the bar: twice that, against a millionth of 5.
    let maps = |rounding: f64| verdict(&world(rounding, 0.0), "(a) both formulas on maps");
    assert_eq!(maps(2.49e-6), Verdict::Holds);
    assert_eq!(maps(2.51e-6), Verdict::Undecided);
    // Every series is needed whole, or maps are not judged at all.
    for series in
        ["trace_before", "divergence", "delta", "score", "carried_score", "error", "rounding"]
    {
        let mut longer = world_facts(1e-9, 0.0);
        longer.push(series, Quantity::exact(0.0));
        let judged = judge(id, &longer).conclusions;
        assert!(!judged.iter().any(|m| m.name.ends_with("on maps")), "{series}");
    }
    // Logarithms are resolved against 1, also where they are near 0.
    let mut flow = facts(&[], &[("flow_delta", &[0.0]), ("path_score", &[0.0])]);
    flow.set("path_log_density", Quantity::exact(1e-3));
    flow.set("flow_log_density", barred(0.0, 0.02));
    assert_eq!(verdict(&judge(id, &flow), "(d) log ρ"), Verdict::Holds);
    let mean = |bar: f64| verdict(&world(1e-9, bar), "(e) mean of g from the error");
    assert_eq!(mean(GRIDS * 2.0), Verdict::Holds);
    assert_eq!(mean(GRIDS * 2.002), Verdict::Undecided);
}

#[test]
fn the_bar_of_a_bounded_mean_is_hoeffdings_or_bernsteins() {
    let bar = |draws: &[f64]| Quantity::sampled_bounded_mean(draws, -1.0, 2.0, 0.9).bar;
    // Hoeffding on a range of 3: each side fails with probability e^{−2nt²/9}, both with half of the risk of 0.1.
    for n in [4, 10] {
        let wide: Vec<f64> = (0..n).map(|i| 3.0 * f64::from(i % 2) - 1.0).collect();
        let expected = 3.0 * (40.0_f64.ln() / (2.0 * f64::from(n))).sqrt();
        assert!((bar(&wide) / expected - 1.0).abs() < 1e-12, "{n} draws");
    }
    // Maurer and Pontil: s √(2 ln(2/δ)/n) + 7·3 ln(2/δ)/(3(n − 1)) fails on one side with probability δ = 0.05/2.
    let (n, log) = (4000.0, 80.0_f64.ln());
    let narrow: Vec<f64> = (0..4000).map(|i| 0.5 + 0.01 * f64::from(i % 2)).collect();
    let deviation = 0.005 * (n / (n - 1.0_f64)).sqrt();
    let expected = deviation * (2.0 * log / n).sqrt() + 7.0 * log / (n - 1.0);
    assert!((bar(&narrow) / expected - 1.0).abs() < 1e-9);
    assert_eq!(Quantity::sampled_share(3, 10, 0.9).value, 0.3);
    // Clopper and Pearson at 95 % (Brown, Cai and DasGupta 2001): the farther end of [0.1871, 0.8129], [0, 0.3085], [0.6915, 1].
    for (successes, bar) in [(5, 0.3129), (0, 0.3085), (10, 0.3085)] {
        assert!((Quantity::sampled_share(successes, 10, 0.95).bar - bar).abs() < 1e-4);
    }
}
