//! T4.2. Statement: normal_errors_and_cross_derivatives_bound_the_displacement.md.

mod support;
mod tampering;
mod wordings;

use driftproof::claims::normal_errors_and_cross_derivatives_bound_the_displacement::CLAIM;
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::observe::observe;
use driftproof::random::Knobs;
use driftproof::verdict::Verdict;
use tampering::held;
use wordings::judged;

#[test]
fn no_displacement_exceeds_the_comparison_system() {
    support::no_world_violates(&CLAIM, 100, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

#[test]
fn the_plainest_world_holds() {
    let facts = observe(CLAIM.id, &mut Knobs::new(&[])).unwrap().facts;
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
}

fn series(values: impl Iterator<Item = f64>) -> Vec<Quantity> {
    values.map(|v| Quantity::new(v, 1e-12, Grade::Symbolic)).collect()
}

/// z' = [[a, h], [k, b]] z + (w_T, w_N) from 0 on [0, 1.5] in the plane; a ≠ b, h k = 0 or not.
struct Plane {
    rates: [f64; 2],
    /// η and κ.
    cross: [f64; 2],
    error: [f64; 2],
}

const SPAN: f64 = 1.5;

impl Plane {
    /// z(t) = Σ tᵏ M^{k−1} w/k!: the series, which shares nothing with the judge.
    fn displacement(&self, t: f64) -> [f64; 2] {
        let mut term = self.error.map(|w| w * t);
        let mut sum = term;
        for k in 2..60 {
            let step = t / f64::from(k);
            term = [
                step * (self.rates[0] * term[0] + self.cross[0] * term[1]),
                step * (self.cross[1] * term[0] + self.rates[1] * term[1]),
            ];
            (0..2).for_each(|i| sum[i] += term[i]);
        }
        sum
    }

    fn facts(&self) -> Facts {
        let times = || (0..=48).map(|k| SPAN * f64::from(k) / 48.0);
        let constant = |value: f64| series(times().map(move |_| value));
        let mut facts = Facts::new();
        facts.set_series("time", series(times()));
        for first in ["", "first_"] {
            let coefficients = [
                ("rate_tangent", self.rates[0]),
                ("rate_normal", self.rates[1]),
                ("eta", self.cross[0]),
                ("kappa", self.cross[1]),
                // In a frame that turns past A the cross derivatives are those of the turning.
                ("still_eta", 0.0),
                ("still_kappa", 0.0),
                ("error_tangent", self.error[0]),
                ("error_normal", self.error[1]),
            ];
            for (name, value) in coefficients {
                facts.set_series(&format!("{first}{name}"), constant(value));
            }
        }
        for kind in ["displacement", "delta"] {
            for (i, part) in ["tangent", "normal"].iter().enumerate() {
                let values = times().map(|t| self.displacement(t)[i]);
                facts.set_series(&format!("{kind}_{part}"), series(values));
            }
        }
        facts.set("tangents", Quantity::exact(2.0));
        facts.set("normals", Quantity::exact(1.0));
        facts.set("gaussian", Quantity::exact(0.0));
        for kind in ["covariance", "integral", "kicked"] {
            facts.set(&format!("{kind}_tangent"), Quantity::rounded(3.0, 1e3));
            facts.set(&format!("{kind}_normal"), Quantity::rounded(0.25, 1e3));
        }
        facts
    }
}

const PLAIN: Plane = Plane { rates: [0.3, -1.2], cross: [0.4, 0.7], error: [0.5, 0.2] };

fn verdict(facts: &Facts, mutant: Option<&str>) -> Verdict {
    judged(&CLAIM, facts, mutant).verdict()
}

#[test]
fn in_the_plane_the_bound_is_the_displacement() {
    let facts = PLAIN.facts();
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    for name in [
        "cross_dropped",
        "return_dropped",
        "frame_rotation_dropped",
        "rates_exchanged",
        "normal_rate_doubled",
        "error_halved",
        "tangential_error_dropped",
        "normal_error_alone",
        "ratio_not_per_direction",
    ] {
        assert_eq!(verdict(&facts, Some(name)), Verdict::Violated, "{name}");
    }
    for least in CLAIM.judge(&facts).conclusions.iter().filter(|m| !m.room.is_nan()) {
        // Four Gauss nodes on an interval of 1/32.
        assert!(least.room.abs() < 1e-9, "{least:?}");
    }
}

#[test]
fn a_hundredth_more_displacement_is_refuted() {
    for name in ["displacement_tangent", "displacement_normal", "delta_tangent", "delta_normal"] {
        let mut facts = PLAIN.facts();
        let more = facts.series(name).iter().map(|z| *z * 1.01).collect();
        facts.set_series(name, more);
        assert_eq!(verdict(&facts, None), Verdict::Violated, "{name}");
    }
}

#[test]
fn degenerate_systems_have_their_closed_forms() {
    // Equal rates without cross derivatives (q = 0), a double root, and pure growth.
    for plane in [
        Plane { rates: [-0.5, -0.5], cross: [0.0, 0.0], error: [0.3, 0.1] },
        Plane { rates: [0.0, 0.0], cross: [0.0, 1.0], error: [1.0, 0.0] },
        Plane { rates: [2.0, -3.0], cross: [1.0, 0.0], error: [0.1, 1.0] },
    ] {
        assert_eq!(verdict(&plane.facts(), None), Verdict::Holds);
    }
    // [[0, 0], [1, 0]] and w = (1, 0): z = (t, t²/2).
    let shear = Plane { rates: [0.0, 0.0], cross: [0.0, 1.0], error: [1.0, 0.0] };
    let end = shear.displacement(SPAN);
    assert!((end[1] - 0.5 * SPAN * SPAN).abs() < 1e-14 && end[0] == SPAN);
}

#[test]
fn variances_of_gaussian_data_are_those_by_hand() {
    let mut facts = PLAIN.facts();
    // λ = 1 and 0, u from 0 to SPAN, q = 1.
    facts.set_series("variances", series([1.0, 0.0].into_iter()));
    facts.set("white", Quantity::exact(1.0));
    // Simpson's rule for ∫ (λ + e^{−2τ})/(λ + e^{−2u}) du.
    let end = (-2.0 * SPAN).exp();
    let simpson = |lambda: f64| {
        let f = |u: f64| (lambda + end) / (lambda + (-2.0 * u).exp());
        let h = SPAN / 400.0;
        let weight = |k: u32| match k {
            0 | 400 => 1.0,
            k if k % 2 == 1 => 4.0,
            _ => 2.0,
        };
        (0..=400).map(|k| weight(k) * f(h * f64::from(k))).sum::<f64>() * h / 3.0
    };
    facts.set("gaussian", Quantity::exact(1.0));
    for kind in ["covariance", "integral", "kicked"] {
        for (part, lambda) in [("tangent", 1.0), ("normal", 0.0)] {
            let value = Quantity::new(simpson(lambda), 1e-9, Grade::Estimated);
            facts.set(&format!("{kind}_{part}"), value);
        }
    }
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    assert_eq!(verdict(&facts, Some("growth_counts_once")), Verdict::Violated);
}

#[test]
fn missing_facts_decide_nothing() {
    for name in ["kappa", "first_rate_normal", "delta_normal", "error_tangent"] {
        let mut facts = PLAIN.facts();
        facts.set_series(name, Vec::new());
        assert_eq!(verdict(&facts, None), Verdict::Undecided, "{name}");
    }
}

/// How many of 40 worlds that hold are violated after `tamper`, and how many hold.
fn caught(tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    tampering::caught(&CLAIM, held(&CLAIM, 7, 40), tamper)
}

fn rescaled(names: &[&str], factor: f64) -> impl Fn(&mut Facts) {
    move |facts: &mut Facts| {
        for name in names {
            let series = facts.series(name).iter().map(|q| *q * factor).collect();
            facts.set_series(name, series);
        }
    }
}

#[test]
fn exchanged_tangents_and_normals_are_caught() {
    let (violated, all) = caught(|facts| {
        let pairs = ["displacement", "delta"];
        for kind in pairs {
            let [one, other] = ["tangent", "normal"].map(|part| format!("{kind}_{part}"));
            let (a, b) = (facts.series(&one).to_vec(), facts.series(&other).to_vec());
            facts.set_series(&one, b);
            facts.set_series(&other, a);
        }
    });
    assert!(all >= 30 && 2 * violated > all, "{violated} of {all}");
}

#[test]
fn a_time_that_runs_at_half_its_pace_is_caught() {
    let (violated, all) = caught(rescaled(&["time"], 0.5));
    assert!(all >= 30 && 2 * violated > all, "{violated} of {all}");
}

#[test]
fn a_sensitivity_of_twice_its_size_is_caught() {
    let (violated, all) = caught(rescaled(&["delta_tangent", "delta_normal"], 2.0));
    assert!(all >= 30 && 2 * violated > all, "{violated} of {all}");
}

/// The claim reads their ratios; their sizes, in units of the white error squared, have to agree as well.
#[test]
fn the_covariance_is_the_integral_of_squared_jacobians_and_the_sum_of_kicks() {
    for seen in held(&CLAIM, 7, 20) {
        let seen = seen.facts;
        let white = seen.get("white").value;
        for part in ["tangent", "normal"] {
            let [one, two, three] = ["covariance", "integral", "kicked"]
                .map(|kind| seen.get(&format!("{kind}_{part}")) * white.powi(-2));
            for other in [two, three] {
                let apart = (one.value - other.value).abs();
                assert!(apart <= one.bar + other.bar, "{part}: {one:?} {other:?}");
                assert!(one.bar + other.bar < 0.05 * one.value, "{part}: {one:?} {other:?}");
            }
        }
    }
}

#[test]
fn a_covariance_of_a_wrong_part_is_caught() {
    let (violated, all) = caught(rescaled(&["covariance_normal"], 0.5));
    assert!(all >= 30 && violated == all, "{violated} of {all}");
}
