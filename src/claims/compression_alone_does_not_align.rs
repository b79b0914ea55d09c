//! T7: compression without a relative gap, with cross terms, or from a bad start, does not align.

use super::agreement::{Relative, agree, vanish};
use super::counterexample_maps::Example;
use super::naive_alignment::naive;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to what is predicted, decide nothing.
const RESOLUTION: f64 = 1e-3;

/// A cosine below this is judged as a cosine alone: the slope is about to leave the chart.
const LEAST_COSINE: f64 = 0.02;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "compression_alone_does_not_align",
    theory: &["T7"],
    summary: "Ten fields that compress towards a plane and do not align with it do what their closed forms say",
    page: include_str!("../../theorems/compression_alone_does_not_align.md"),
    least_in_scope: 0.7,
    mutants: &[
        Mutant {
            name: "absolute_compression_aligns",
            what: "normal directions shrunk twentyfold align (C1)",
        },
        Mutant {
            name: "vanishing_cross_derivatives_align",
            what: "κ = η = 0 aligns, whatever the gap (C1, C1b)",
        },
        Mutant {
            name: "generative_flows_align",
            what: "a flow from noise to a sphere aligns at whatever level it ends (C1c)",
        },
        Mutant { name: "total_compression_aligns", what: "C ≥ 20 aligns, whatever κ is (C2)" },
        Mutant {
            name: "compression_at_most_times_aligns",
            what: "C ≥ 20 while κ is small, for most of the time, aligns (C2b)",
        },
        Mutant {
            name: "jacobian_on_manifold_suffices",
            what: "the blocks at the foot point bound the slope (C3)",
        },
        Mutant {
            name: "every_start_slope_shrinks",
            what: "γ > 0 and κ = 0 shrink every slope (C4)",
        },
        Mutant {
            name: "cross_terms_add_linearly", what: "l ≤ max(l_0, κ/γ), whatever η is (C4b)"
        },
        Mutant { name: "every_start_plane_aligns", what: "C ≥ 100 and κ = η = 0 align (C5)" },
        Mutant {
            name: "compression_factor_above_one_aligns",
            what: "C > 1 and κ = η = 0 align (C13)",
        },
        Mutant { name: "shear_limit_is_k", what: "C2 tends to the slope k" },
        Mutant {
            name: "late_shear_attenuated",
            what: "C2b: compression before the shear attenuates it",
        },
        Mutant { name: "expansion_sign_flipped", what: "C1b: l = l_0 e^{−ct}" },
        Mutant { name: "normal_time_without_start", what: "C4: t* = log(1 + c/h)/c for every l_0" },
        Mutant { name: "turning_from_the_tangent", what: "C4b: t* as if l_0 = 0" },
        Mutant { name: "without_H1", what: "C4 from a start below c/h, C4b with 4κη ≤ γ²" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let Some(example) = Example::of(facts, v) else {
        return Judgement::default();
    };
    if let Some(judgement) = naive(facts, &example, v) {
        return judgement;
    }
    let conclusions = match example.number {
        "C1c" => small_sphere(facts),
        _ => match planar(facts, &example) {
            planar if planar.is_empty() => return Judgement::default(),
            planar => [planar, normal_times(facts, &example)].concat(),
        },
    };
    let turns = example.turns_over().map(|room| {
        let room = Quantity::rounded(room, 16.0);
        Margin::at_least("H1 C4, C4b: the plane turns over", room, Quantity::exact(0.0))
    });
    Judgement { hypotheses: turns.into_iter().collect(), conclusions }
}

/// A closed form: rounding relative to the size of its terms.
fn closed(value: f64, size: f64) -> Quantity {
    Quantity::new(value, 1e-13 * (value.abs() + size), Grade::Symbolic)
}

/// Angles, the Jacobian, exponents and blocks against the closed forms; shared with the claim on robustness.
pub(super) fn planar(facts: &Facts, example: &Example) -> Vec<Margin> {
    let (time, cosine, slope) =
        (facts.series("time"), facts.series("cosine"), facts.series("slope"));
    let named = ["gamma", "kappa", "eta", "gamma_on", "kappa_on", "eta_on"];
    let complete = named.iter().all(|name| facts.series(name).len() == time.len());
    if time.len() < 5 || cosine.len() != time.len() || slope.len() != time.len() || !complete {
        return Vec::new();
    }
    let last = time.len() - 1;
    let mut conclusions = Vec::new();
    for quarter in 1..=4 {
        let k = last * quarter / 4;
        let [x, y] = example.direction(time[k].value);
        let (size, length) = (1.0 + finite(example.slope), x.hypot(y));
        let predicted = closed(x / length, size / length);
        let name = format!("(a) cosine at {quarter}/4");
        conclusions.push(agree(name, &[cosine[k]], &[predicted], Relative::To(1.0), RESOLUTION));
        if (x / length).abs() > LEAST_COSINE {
            let predicted = closed((y / x).abs(), y.abs() * size / (x * x));
            let name = format!("(a) slope at {quarter}/4");
            conclusions.push(Margin::equal(name, slope[k], predicted, RESOLUTION));
        }
    }

    let (map, others) = (example.map(example.span), example.others(example.span));
    let jacobian = facts.series("jacobian");
    let order = jacobian.len().isqrt();
    let tangents = facts.get("measured_tangents").value as usize;
    let size = map.as_flattened().iter().chain(&others).fold(0.0, |m: f64, x| m.max(x.abs()));
    let entry = |r: usize, c: usize| {
        let place = |i: usize| [0, tangents].iter().position(|first| *first == i);
        match (place(r), place(c)) {
            (Some(r), Some(c)) => map[r][c],
            _ if r == c => others[usize::from(r >= tangents)],
            _ => 0.0,
        }
    };
    let predicted: Vec<_> =
        (0..order * order).map(|k| closed(entry(k / order, k % order), size)).collect();
    let name = "(b) Jacobian of the flow";
    conclusions.push(agree(name, jacobian, &predicted, Relative::Vector, RESOLUTION));
    let outside = [facts.get("jacobian_outside")];
    conclusions.push(vanish("(b) no other direction", &outside, size, RESOLUTION));

    let mut values = singular_values(map).to_vec();
    (0..order).filter(|i| ![0, tangents].contains(i)).for_each(|i| values.push(entry(i, i)));
    values.sort_by(|a, b| b.total_cmp(a));
    let predicted: Vec<_> = values.iter().map(|s| closed(s.ln(), size / s)).collect();
    let measured = facts.series("log_singular_value");
    let name = "(c) log singular values";
    conclusions.push(agree(name, measured, &predicted, Relative::To(1.0), RESOLUTION));

    for k in [0, last / 2, last] {
        let (on_the_way, on_manifold) = example.blocks(time[k].value);
        let place = match k {
            0 => "start",
            k if k == last => "end",
            _ => "half time",
        };
        for (suffix, predicted) in [("", on_the_way), ("_on", on_manifold)] {
            let measured =
                ["gamma", "kappa", "eta"].map(|name| facts.series(&format!("{name}{suffix}"))[k]);
            let size = 1.0 + predicted.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let predicted = predicted.map(|x| closed(x, size));
            let where_ = if suffix.is_empty() { "" } else { " on M" };
            let name = format!("(d) blocks{where_} at the {place}");
            conclusions.push(agree(name, &measured, &predicted, Relative::To(size), RESOLUTION));
        }
    }
    conclusions
}

/// 0 in place of ∞.
fn finite(slope: f64) -> f64 {
    if slope.is_finite() { slope } else { 0.0 }
}

/// Of a 2×2 matrix, decreasing.
fn singular_values([[a, b], [c, d]]: [[f64; 2]; 2]) -> [f64; 2] {
    let largest = 0.5 * ((a + d).hypot(b - c) + (a - d).hypot(b + c));
    [largest, (a * d - b * c).abs() / largest]
}

/// C4 and C4b: on which side of the normal direction the plane is, and that it has passed it by the end.
fn normal_times(facts: &Facts, example: &Example) -> Vec<Margin> {
    let (time, cosine) = (facts.series("time"), facts.series("cosine"));
    let Some((first, period)) = example.normal_times() else {
        return Vec::new();
    };
    let reached = cosine.iter().any(|c| c.value <= c.bar);
    let mut conclusions = vec![Margin::condition("(e) reaches the normal direction", reached)];
    for quarter in 1..=4 {
        let k = (time.len() - 1) * quarter / 4;
        let (since, bar) = (time[k].value - first, cosine[k].bar);
        let passed = if since < 0.0 { 0.0 } else { (since / period).floor() + 1.0 };
        let side = if passed % 2.0 == 0.0 { 1.0 } else { -1.0 };
        let met = match since.abs() <= 1e-9 * example.span {
            true => cosine[k].value.abs() <= bar + 1e-9,
            false => side * cosine[k].value > bar,
        };
        // An unknown time is no prediction.
        if !since.is_nan() {
            conclusions
                .push(Margin::condition(format!("(e) side of the normal at {quarter}/4"), met));
        }
    }
    conclusions
}

/// C1c: log(l_0/l) = ∫ (R²/σ²)(A/κ − A') dσ/σ with 0 ≤ A/κ − A' ≤ A² ≤ κ²/n², κ = R|y|/σ².
fn small_sphere(facts: &Facts) -> Vec<Margin> {
    let [Some(start), Some(end)] = [facts.series("slope").first(), facts.series("slope").last()]
    else {
        return Vec::new();
    };
    let square = (facts.get("radius") / facts.get("sigma")).value.powi(2);
    let widest = facts.get("widest").value / facts.get("ambient").value;
    let lost = Quantity::rounded(0.25 * (square * widest).powi(2), 1e3);
    let at_most = |name: &str, left: Quantity, right: Quantity| {
        Margin::attained(name, left, right, start.value, RESOLUTION)
    };
    vec![
        at_most("(f) small sphere keeps the slope", *start * (-lost).exp(), *end),
        at_most("(f) small sphere adds no slope", *end, *start),
    ]
}
