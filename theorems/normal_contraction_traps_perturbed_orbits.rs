//! T4.1. Statement: normal_contraction_traps_perturbed_orbits.md.

mod support;
mod tampering;
mod wordings;

use driftproof::claims::normal_contraction_traps_perturbed_orbits::CLAIM;
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::observe::observe;
use driftproof::random::Knobs;
use driftproof::verdict::Verdict;
use wordings::judged;

#[test]
fn no_perturbed_orbit_leaves_its_tube() {
    support::no_world_violates(&CLAIM, 150, file!());
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

/// z' = −a z + ω + c from z(0) = r_1 on [0, 2], and one map r ← ν r + w with a slide on a circle.
struct Line {
    compression: f64,
    error: f64,
    defect: f64,
    start: f64,
    /// Tangential displacement of each map, on the unit circle.
    slide: f64,
}

impl Line {
    const INTERVALS: usize = 48;

    /// e^{−at} r_1 + (ω + c)(1 − e^{−at})/a.
    fn distance(&self, t: f64) -> f64 {
        let lost = -(-self.compression * t).exp_m1();
        (1.0 - lost) * self.start + (self.error + self.defect) * lost / self.compression
    }

    fn facts(&self) -> Facts {
        let times = || (0..=Self::INTERVALS).map(|k| 2.0 * k as f64 / Self::INTERVALS as f64);
        let constant = |value: f64| series(times().map(move |_| value));
        let mut facts = Facts::new();
        facts.set("tube", Quantity::exact(10.0));
        facts.set_series("time", series(times()));
        facts.set_series("distance", series(times().map(|t| self.distance(t))));
        for kind in ["", "tube_"] {
            facts.set_series(&format!("{kind}compression"), constant(self.compression));
            facts.set_series(&format!("{kind}error"), constant(self.error));
        }
        facts.set_series("defect", constant(self.defect));
        // Maps that start on the unit circle and slide off along its tangent: √(1 + s²) − 1.
        let off = (1.0 + self.slide * self.slide).sqrt() - 1.0;
        facts.set_series("map_distance", series([0.0, off, 0.5 * off].into_iter()));
        let maps = [
            ("normal", [0.0, 0.5]),
            ("tangent", [0.0, 0.0]),
            ("error_normal", [0.0, 0.0]),
            ("error_tangent", [self.slide, 0.0]),
            ("curvature", [1.0, 1.0]),
            ("defect", [0.0, 0.0]),
        ];
        for (name, values) in maps {
            facts.set_series(&format!("map_{name}"), series(values.into_iter()));
        }
        facts
    }
}

const PLAIN: Line = Line { compression: 1.5, error: 0.2, defect: 0.1, start: 0.3, slide: 0.3 };

fn verdict(facts: &Facts, mutant: Option<&str>) -> Verdict {
    judged(&CLAIM, facts, mutant).verdict()
}

#[test]
fn the_bound_of_a_linear_normal_is_its_distance() {
    let facts = PLAIN.facts();
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    let mutants = [
        "compression_doubled",
        "defect_dropped",
        "error_dropped",
        "error_halved",
        "start_forgotten",
        "curvature_dropped",
        "curvature_halved",
        "tangential_error_dropped",
        "normal_factor_squared",
    ];
    for name in mutants {
        assert_eq!(verdict(&facts, Some(name)), Verdict::Violated, "{name}");
    }
    // A hundredth farther out, and the same coefficients are refuted.
    let mut farther = facts.clone();
    let moved = facts.series("distance").iter().skip(1).map(|r| *r * 1.01);
    let moved = facts.series("distance").iter().take(1).copied().chain(moved).collect();
    farther.set_series("distance", moved);
    assert_eq!(verdict(&farther, None), Verdict::Violated);
}

#[test]
fn sliding_off_a_circle_takes_half_the_curvature() {
    for slide in [0.05_f64, 0.3, 0.8] {
        let off = (1.0 + slide * slide).sqrt() - 1.0;
        assert!(off <= 0.5 * slide * slide && off > 0.25 * slide * slide);
        assert_eq!(verdict(&Line { slide, ..PLAIN }.facts(), None), Verdict::Holds);
    }
}

#[test]
fn a_tube_that_is_too_thin_says_nothing_of_its_own_bound_and_leaves_the_others() {
    let mut facts = PLAIN.facts();
    facts.set("tube", Quantity::exact(0.25));
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    let judged = |facts: &Facts, start: &str| {
        CLAIM.judge(facts).conclusions.iter().filter(|m| m.name.starts_with(start)).count()
    };
    for (start, thin, wide) in [("(a)", 0, 4), ("(b)", 4, 4), ("(c)", 4, 4), ("(d)", 1, 1)] {
        assert_eq!((judged(&facts, start), judged(&PLAIN.facts(), start)), (thin, wide), "{start}");
    }
    facts.set("tube", Quantity::UNKNOWN);
    assert_eq!(verdict(&facts, None), Verdict::Undecided);
}

#[test]
fn images_off_the_next_set_count_as_distance() {
    // A set that stands 0.1 beside the image of the one before: the map's distance grows by 0.1 at most.
    let mut facts = PLAIN.facts();
    let maps = facts.series("map_defect").len();
    facts.set_series("map_defect", series(std::iter::repeat_n(0.1, maps)));
    let mut moved = vec![facts.series("map_distance")[0]];
    for k in 0..maps {
        let at = |name: &str| facts.series(&format!("map_{name}"))[k];
        let slide = at("tangent") * moved[k] + at("error_tangent");
        let bend = at("curvature") * slide * slide * 0.5;
        moved.push(at("normal") * moved[k] + at("error_normal") + bend + Quantity::exact(0.1));
    }
    facts.set_series("map_distance", moved);
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    assert_eq!(verdict(&facts, Some("map_defect_dropped")), Verdict::Violated);
}

#[test]
fn without_compression_errors_add_up() {
    // a → 0: r = r_1 + (ω + c) t.
    let line = Line { compression: 1e-9, ..PLAIN };
    assert!((line.distance(2.0) - (0.3 + 0.3 * 2.0)).abs() < 1e-6);
    assert_eq!(verdict(&line.facts(), None), Verdict::Holds);
}

#[test]
fn missing_facts_decide_nothing() {
    for name in ["distance", "compression", "tube_compression", "map_normal"] {
        let mut facts = PLAIN.facts();
        facts.set_series(name, Vec::new());
        assert_eq!(verdict(&facts, None), Verdict::Undecided, "{name}");
    }
}

/// Facts of the worlds among the first 80 that hold.
fn held() -> impl Iterator<Item = Facts> {
    tampering::held(&CLAIM, 7, 80).map(|seen| seen.facts)
}

#[test]
fn no_segment_compresses_less_than_the_whole_tube() {
    // Duals along segments against closed forms with Bessel functions.
    let mut compared = 0;
    for facts in held() {
        let width = facts.get("tube").value;
        let pairs = facts.series("compression").iter().zip(facts.series("tube_compression"));
        for (distance, (own, tube)) in facts.series("distance").iter().zip(pairs) {
            // Where (a) is not judged an orbit may leave the tube.
            if distance.value > width {
                continue;
            }
            let bars = own.bar + tube.bar + 1e-9 * own.value.abs();
            assert!(own.value >= tube.value - bars - 0.02 * own.value.abs(), "{own:?} {tube:?}");
            compared += 1;
        }
    }
    assert!(compared > 1000);
}

/// How many worlds that hold are violated after `tamper`, and how many hold.
fn caught(tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    tampering::caught(&CLAIM, tampering::held(&CLAIM, 7, 80), tamper)
}

#[test]
fn a_time_that_runs_twice_as_fast_is_caught() {
    let (violated, all) = caught(|facts| {
        let time = facts.series("time").iter().map(|t| *t * 2.0).collect();
        facts.set_series("time", time);
        let slower = |name: &str, facts: &mut Facts| {
            let series = facts.series(name).iter().map(|w| *w * 0.5).collect();
            facts.set_series(name, series);
        };
        slower("error", facts);
        slower("defect", facts);
    });
    assert!(all >= 30 && 4 * violated > all, "{violated} of {all}");
}

#[test]
fn exchanged_blocks_of_the_maps_are_caught() {
    let (violated, all) = caught(|facts| {
        for (one, other) in [("normal", "tangent"), ("error_normal", "error_tangent")] {
            let [one, other] = [one, other].map(|name| format!("map_{name}"));
            let (a, b) = (facts.series(&one).to_vec(), facts.series(&other).to_vec());
            facts.set_series(&one, b);
            facts.set_series(&other, a);
        }
    });
    assert!(all >= 30 && 2 * violated > all, "{violated} of {all}");
}

#[test]
fn distances_of_an_earlier_map_are_caught() {
    let (violated, all) = caught(|facts| {
        let mut distance = facts.series("map_distance").to_vec();
        distance.rotate_right(1);
        facts.set_series("map_distance", distance);
    });
    assert!(all >= 30 && 2 * violated > all, "{violated} of {all}");
}
