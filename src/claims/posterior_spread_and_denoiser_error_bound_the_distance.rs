//! T4.3: how far a model with an error of its prediction is from data on a set of positive reach.

use super::agreement::attained;
use super::riccati::{Coefficients, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the larger side, decide nothing.
const RESOLUTION: f64 = 0.05;

/// Distances below this count as this: the sets themselves are of size one.
const LEAST_SIZE: f64 = 1e-5;

/// Data count as on the set to this accuracy.
const ON_THE_SET: f64 = 1e-6;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "posterior_spread_and_denoiser_error_bound_the_distance",
    theory: &["T4.3"],
    summary: "For data on a set of positive reach the distance of samples is bounded by the posterior spread over \
              twice the reach plus the normal error: a denoiser error is not attenuated, a noise error is",
    page: include_str!("../../theorems/posterior_spread_and_denoiser_error_bound_the_distance.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant { name: "spread_dropped", what: "V = 0: as if every set were flat" },
        Mutant { name: "spread_halved", what: "V/(4 rch) in place of V/(2 rch)" },
        Mutant { name: "reach_forgotten", what: "V/2 whatever the reach" },
        Mutant { name: "error_dropped", what: "e = 0: the exact flow" },
        Mutant { name: "error_halved", what: "half of the normal error counts" },
        Mutant { name: "start_forgotten", what: "r_1 = 0" },
        Mutant { name: "curvature_dropped", what: "DDIM: sliding along the set lifts nothing" },
        Mutant { name: "curvature_halved", what: "DDIM: K/4 in place of K/2" },
        Mutant { name: "boundary_ignored", what: "DDIM: also on sets with a boundary" },
        Mutant {
            name: "constant_error_attenuated",
            what: "a constant denoiser error shrinks like one of the noise prediction",
        },
        Mutant {
            name: "noise_error_not_attenuated",
            what: "an error of the noise prediction stays as large as it was at the start",
        },
        Mutant { name: "diffusion_contracts_once", what: "ancestral: σ_min/σ_1, not its square" },
        Mutant { name: "diffusion_error_not_doubled", what: "ancestral: half of the error counts" },
        Mutant { name: "without_H1", what: "also for data off the set" },
    ],
    margins,
};

fn at_most(name: String, left: Quantity, right: Quantity) -> Margin {
    attained(name, left, right, LEAST_SIZE, RESOLUTION)
}

/// The displacement along a flat normal at the end, by the flow and by the reverse diffusion.
fn flat(facts: &Facts, v: Variant) -> (f64, f64) {
    let of = |name: &str| facts.get(name).value;
    let (first, last, c) = (of("sigma_start"), of("sigma_end"), of("flat_error"));
    let start = of("flat_start");
    let ratio = last / first;
    let constant = (c * (1.0 - ratio), c * (1.0 - ratio * ratio));
    let attenuated = (c * last * ratio.recip().ln(), 2.0 * c * last * (1.0 - ratio));
    let of_noise = of("flat_error_of_noise") == 1.0;
    let (flow, diffusion) = match of_noise {
        true if v.is("noise_error_not_attenuated") => (constant.0 * first, constant.1 * first),
        false if v.is("constant_error_attenuated") => attenuated,
        true => attenuated,
        false => constant,
    };
    let kept = if v.is("diffusion_contracts_once") { ratio } else { ratio * ratio };
    let diffusion = diffusion * v.scale("diffusion_error_not_doubled", 0.5);
    (ratio * start + flow, kept * start + diffusion)
}

/// The margin of least slack; one that is unknown counts as least.
fn least(margins: impl Iterator<Item = Margin>) -> Option<Margin> {
    let slack = |m: &Margin| if m.slack.is_nan() { f64::NEG_INFINITY } else { m.slack };
    margins.min_by(|a, b| slack(a).total_cmp(&slack(b)))
}

/// V/(2 rch).
fn bend(facts: &Facts, v: Variant, spread: Quantity) -> Quantity {
    let reach = if v.is("reach_forgotten") { Quantity::exact(1.0) } else { facts.get("reach") };
    // A convex set has infinite reach.
    match reach.value.is_infinite() {
        true => Quantity::exact(0.0),
        false => {
            let part = 0.5 * v.scale("spread_dropped", 0.0) * v.scale("spread_halved", 0.5);
            spread / reach * part
        }
    }
}

/// The factor of the normal error.
fn weight(v: Variant) -> f64 {
    v.scale("error_dropped", 0.0) * v.scale("error_halved", 0.5)
}

/// The bound (b) of the distance at every time of a path; none where its facts are not complete.
pub fn distance_bound(facts: &Facts) -> Option<Vec<f64>> {
    integrated(facts, Variant::STATED)
}

/// (R) of T2.1 with γ = 1 and without its quadratic term.
fn integrated(facts: &Facts, v: Variant) -> Option<Vec<f64>> {
    let times = facts.series("time");
    let (distance, count) = (facts.series("distance"), times.len());
    let push: Vec<Quantity> = facts
        .series("spread")
        .iter()
        .zip(facts.series("error"))
        .map(|(spread, e)| bend(facts, v, *spread) + *e * weight(v))
        .collect();
    let (one, none) = (vec![Quantity::exact(1.0); count], vec![Quantity::exact(0.0); count]);
    let coefficients = Coefficients { times, gamma: &one, kappa: &push, eta: &none };
    let first = distance.first()?;
    let start = (first.value + first.bar) * v.scale("start_forgotten", 0.0);
    Some(riccati_bound(coefficients, start)?.y)
}

/// Hypotheses and conclusions (a), (b): what the claim says of one path of a model whose error was measured on it.
pub fn judge_path(facts: &Facts) -> Judgement {
    path(facts, Variant::STATED)
}

fn path(facts: &Facts, v: Variant) -> Judgement {
    let off = facts.get("off_the_set");
    let hypotheses = vec![
        Margin::at_most("H1 data on the set", off, Quantity::exact(ON_THE_SET)),
        Margin::condition("H2 positive reach", facts.get("reach").value > 0.0),
    ];
    if facts.get("reach").value <= 0.0 {
        return Judgement { hypotheses, conclusions: Vec::new() };
    }
    let (time, distance) = (facts.series("time"), facts.series("distance"));
    let (spread, error, lean) =
        (facts.series("spread"), facts.series("error"), facts.series("lean"));
    let count = time.len();
    if count < 2 || [distance, spread, error, lean].iter().any(|s| s.len() != count) {
        return Judgement::default();
    }
    let bend = |spread: Quantity| bend(facts, v, spread);

    // (a) ⟨n, D − p⟩ ≤ V/(2 rch), at the time where it is tightest in each quarter.
    let mut conclusions = Vec::new();
    let quarters = |quarter: usize| (count - 1) * (quarter - 1) / 4..=(count - 1) * quarter / 4;
    for quarter in 1..=4 {
        let margin = |k: usize| {
            // The direction n is not known where r is lost in its bar.
            let lost = lean[k].bar >= RESOLUTION * 0.5 * (lean[k].value.abs() + LEAST_SIZE);
            let name = format!("(a) lean in quarter {quarter}");
            (!lost).then(|| at_most(name, lean[k], bend(spread[k])))
        };
        conclusions.extend(least(quarters(quarter).filter_map(margin)));
    }

    // (b) the integrated bound.
    let Some(bound) = integrated(facts, v) else {
        return Judgement::default();
    };
    let bound: Vec<Quantity> =
        bound.iter().map(|y| Quantity::new(*y, 0.0, Grade::Estimated)).collect();
    for quarter in 1..=4 {
        let margin =
            |k: usize| at_most(format!("(b) distance in quarter {quarter}"), distance[k], bound[k]);
        conclusions.extend(least(quarters(quarter).map(margin)));
    }
    Judgement { hypotheses, conclusions }
}

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let Judgement { hypotheses, mut conclusions } = path(facts, v);
    if conclusions.is_empty() {
        return Judgement { hypotheses, conclusions };
    }

    // (c) one DDIM map from the states at the quarters.
    let kept = facts.get("kept");
    let rest = Quantity::exact(1.0) - kept;
    let half = 0.5 * v.scale("curvature_dropped", 0.0) * v.scale("curvature_halved", 0.5);
    let map = |name: &str| facts.series(&format!("map_{name}"));
    let judged = facts.get("closed").value == 1.0 || v.is("boundary_ignored");
    let named = ["start", "spread", "error", "slide", "distance"];
    let rows = map("start").len();
    if facts.get("closed").value.is_nan() || named.iter().any(|name| map(name).len() != rows) {
        return Judgement::default();
    }
    let curvature = facts.get("curvature").value;
    if judged && curvature.is_nan() {
        conclusions.push(Margin::unknown("(c) DDIM map"));
    } else if judged && curvature.is_finite() {
        let rows = map("start").iter().zip(map("spread")).zip(map("error")).zip(map("slide"));
        for (k, (((r, spread), e), slide)) in rows.enumerate() {
            let slide = rest * *slide;
            let right = kept * *r
                + rest * (bend(facts, v, *spread) + *e * weight(v))
                + facts.get("curvature") * slide * slide * half;
            let name = format!("(c) DDIM map at {}/4", k + 1);
            conclusions.push(at_most(name, map("distance")[k], right));
        }
    }

    // (d), (e) closed forms on a flat.
    let (flow, diffusion) = flat(facts, v);
    let equal = |name: &str, fact: &str, value: f64| {
        Margin::equal(name, facts.get(fact), Quantity::rounded(value, 64.0), RESOLUTION)
    };
    conclusions.push(equal("(d) flow on a flat", "flat_flow", flow));
    conclusions.push(equal("(e) reverse diffusion on a flat", "flat_diffusion", diffusion));

    Judgement { hypotheses, conclusions }
}
