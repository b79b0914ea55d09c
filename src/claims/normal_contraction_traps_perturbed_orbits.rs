//! T4.1: errors of finite size, a normally contracting family of sets, and the tube that is not left.

use super::agreement::attained;
use super::riccati::{Coefficients, RiccatiBound, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::verdict::{Judgement, Margin, Verdict};

/// Wider bars than this, relative to the larger side, decide nothing.
const RESOLUTION: f64 = 0.05;

/// Distances below this count as this: the sets themselves are of size one.
const LEAST_SIZE: f64 = 1e-5;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "normal_contraction_traps_perturbed_orbits",
    theory: &["T4.1"],
    summary: "Orbits of a model with an error of finite size stay within R(t) of a family of sets, R from the \
              normal compression, the normal error and the defect of the family; maps add a curvature term",
    page: include_str!("../../theorems/normal_contraction_traps_perturbed_orbits.md"),
    least_in_scope: 0.95,
    mutants: &[
        Mutant { name: "compression_doubled", what: "e^{−2∫a} in place of e^{−∫a}" },
        Mutant { name: "defect_dropped", what: "c = 0: any family is as good as an invariant one" },
        Mutant { name: "error_dropped", what: "ω = 0: the tube needs no error" },
        Mutant { name: "error_halved", what: "half of the normal error counts" },
        Mutant { name: "start_forgotten", what: "r_1 = 0: every orbit starts on M" },
        Mutant { name: "curvature_dropped", what: "maps: r' ≤ ν r + ε ω" },
        Mutant { name: "curvature_halved", what: "maps: K/4 in place of K/2" },
        Mutant {
            name: "cross_dropped",
            what: "maps: the normal offset moves nothing tangentially",
        },
        Mutant {
            name: "tangential_error_dropped",
            what: "maps: tangential errors cannot lift off a curved set",
        },
        Mutant { name: "normal_factor_squared", what: "maps: ν² in place of ν" },
        Mutant { name: "without_H1", what: "also where R leaves the tube in which a was taken" },
        Mutant {
            name: "map_defect_dropped",
            what: "maps: F_k(M_k) counts as if it were in M_{k+1}",
        },
    ],
    margins,
};

/// R(t) from series of a, ε ω and the defect.
fn tube(facts: &Facts, v: Variant, kind: &str) -> Option<RiccatiBound> {
    let named = |name: &str| facts.series(&format!("{kind}{name}"));
    let (time, distance) = (facts.series("time"), facts.series("distance").first()?);
    let doubled = v.scale("compression_doubled", 2.0);
    let compression: Vec<Quantity> = named("compression").iter().map(|a| *a * doubled).collect();
    let weight = v.scale("error_dropped", 0.0) * v.scale("error_halved", 0.5);
    let keep = v.scale("defect_dropped", 0.0);
    let pairs = named("error").iter().zip(facts.series("defect"));
    let push: Vec<Quantity> = pairs.map(|(w, c)| *w * weight + *c * keep).collect();
    let none = vec![Quantity::exact(0.0); time.len()];
    // (R) of T2.1 without its quadratic term.
    let coefficients = Coefficients { times: time, gamma: &compression, kappa: &push, eta: &none };
    let start = (distance.value + distance.bar) * v.scale("start_forgotten", 0.0);
    riccati_bound(coefficients, start)
}

fn at_most(name: String, left: Quantity, right: Quantity) -> Margin {
    attained(name, left, right, LEAST_SIZE, RESOLUTION)
}

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let distance = facts.series("distance");
    if facts.series("time").len() != distance.len() {
        return Judgement::default();
    }
    let (Some(whole), Some(own)) = (tube(facts, v, "tube_"), tube(facts, v, "")) else {
        return Judgement::default();
    };
    let bound = |value: f64| Quantity::new(value, 0.0, Grade::Estimated);
    let mut conclusions = Vec::new();
    let last = distance.len() - 1;
    let most = whole.y.iter().copied().fold(0.0, f64::max);
    let inside =
        Margin::at_most("(a) R below the width of the tube", bound(most), facts.get("tube"));
    let in_the_tube = match inside.verdict() {
        Verdict::Holds => true,
        // H1 fails: (a) says nothing. The other conclusions do not look at the tube.
        Verdict::Violated => v.is("without_H1"),
        _ => {
            conclusions.push(Margin::unknown("(a) whether R stays in the tube"));
            false
        }
    };
    for quarter in 1..=4 {
        let times = last * (quarter - 1) / 4..=last * quarter / 4;
        let judged = [("(a) tube", &whole.y, in_the_tube), ("(b) own segments", &own.y, true)];
        for (name, y, _) in judged.iter().filter(|(.., judged)| *judged) {
            let ratio = |k: &usize| (distance[*k].value + LEAST_SIZE) / (y[*k] + LEAST_SIZE);
            let worst = times.clone().max_by(|i, j| ratio(i).total_cmp(&ratio(j)));
            let k = worst.unwrap_or(last);
            let name = format!("{name} in quarter {quarter}");
            conclusions.push(at_most(name, distance[k], bound(y[k])));
        }
    }

    let map = |name: &str| facts.series(&format!("map_{name}"));
    let distances = map("distance");
    let step = |k: usize, r: Quantity| {
        let squared = v.is("normal_factor_squared");
        let nu = map("normal")[k];
        let nu = if squared { nu * nu } else { nu };
        let omega = map("error_normal")[k] * v.scale("error_dropped", 0.0);
        let omega = omega * v.scale("error_halved", 0.5);
        let cross = map("tangent")[k] * r * v.scale("cross_dropped", 0.0);
        let along = map("error_tangent")[k] * v.scale("tangential_error_dropped", 0.0);
        let half = 0.5 * v.scale("curvature_dropped", 0.0) * v.scale("curvature_halved", 0.5);
        let slide = cross + along;
        let defect = map("defect")[k] * v.scale("map_defect_dropped", 0.0);
        defect + nu * r + omega + map("curvature")[k] * slide * slide * half
    };
    let maps = distances.len().saturating_sub(1);
    let complete = ["defect", "normal", "tangent", "error_normal", "error_tangent", "curvature"];
    if maps == 0 || complete.iter().any(|name| map(name).len() != maps) {
        return Judgement::default();
    }
    for quarter in 0..4 {
        let k = maps * quarter / 4;
        let name = format!("(c) one map at {quarter}/4");
        conclusions.push(at_most(name, distances[k + 1], step(k, distances[k])));
    }
    let start = distances[0] * v.scale("start_forgotten", 0.0);
    let end = (0..maps).fold(start, |r, k| step(k, r));
    conclusions.push(at_most("(d) all maps".into(), distances[maps], end));

    Judgement { hypotheses: Vec::new(), conclusions }
}
