//! T1.6: the size of the response relative to the density.

use super::agreement::{Relative, agree, attained};
use super::schedules::Path;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to what is compared, decide nothing.
const RESOLUTION: f64 = 0.05;

/// Wider bars than this of an exponent decide nothing.
const EXPONENT: f64 = 0.25;

/// Vectors of the tilted plane.
const TILTED: usize = 4;

/// Times at which norms of varying errors are compared.
const STILL: usize = 3;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "normal_error_over_thickness_bounds_the_response",
    theory: &["T1.6"],
    summary: "Relative to the density the response is at most |div δ| + |δ_T||s_T| + |δ_N||s_N|, so it stays bounded as a \
              tube thins exactly where the normal error shrinks with it; along Gaussian paths where |w|/b is integrable",
    page: include_str!("../../theorems/normal_error_over_thickness_bounds_the_response.md"),
    least_in_scope: 0.9,
    mutants: &[
        Mutant { name: "divergence_dropped", what: "|g| ≤ |δ_T||s_T| + |δ_N||s_N|" },
        Mutant { name: "tangent_term_dropped", what: "|g| ≤ |div δ| + |δ_N||s_N|" },
        Mutant { name: "normal_term_dropped", what: "|g| ≤ |div δ| + |δ_T||s_T|" },
        Mutant {
            name: "bounded_whatever_the_error",
            what: "g stays bounded for every normal error",
        },
        Mutant { name: "root_of_thickness_suffices", what: "bounded where |δ_N| = O(√s)" },
        Mutant { name: "angle_squared", what: "|δ_N| ≤ |δ| sin²θ" },
        Mutant { name: "bound_halved", what: "‖μ/ρ‖ ≤ ½∫|w|/b for w constant in x" },
        Mutant { name: "noise_level_forgotten", what: "‖μ/ρ‖ ≤ ∫|w|" },
        Mutant { name: "velocity_error_bounded", what: "flow matching: no logarithm" },
        Mutant { name: "drift_error_diverges", what: "variance preserving: a logarithm too" },
        Mutant { name: "noise_error_bounded", what: "noise prediction: no logarithm" },
        Mutant {
            name: "dimension_factor_dropped", what: "‖⟨w,s⟩‖ ≤ ‖w‖_∞/b for every w"
        },
        Mutant {
            name: "divergence_norm_dropped", what: "‖div w + ⟨w,s⟩‖ ≤ √D‖w‖_∞/b for every w"
        },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let mut conclusions = Vec::new();
    conclusions.push(split(facts, v));
    // The normal error is s^p times a field, and s_N is z/s.
    let p = facts.get("exponent").value;
    let rate = match () {
        () if v.is("bounded_whatever_the_error") => 0.0,
        () if v.is("root_of_thickness_suffices") => (2.0 * p - 1.0).min(0.0),
        () => (p - 1.0).min(0.0),
    };
    conclusions.push(agree(
        "(a) power of the thickness",
        &[facts.get("growth")],
        &[Quantity::exact(rate)],
        Relative::To(1.0),
        EXPONENT,
    ));
    let angle = facts.get("tilt");
    let sine = Quantity::new(angle.value.sin(), angle.bar, angle.grade);
    let most = if v.is("angle_squared") { sine * sine } else { sine };
    let shares = (0..TILTED).map(|i| facts.at("tilted_normal", i));
    let share = shares.fold(Quantity::exact(0.0), Quantity::max);
    let name = "(a) normal share at most sin of the angle";
    conclusions.push(Margin::attained(name, share, most, sine.value, RESOLUTION));
    let unknown = || vec![Margin::unknown("(b) schedule and levels")];
    conclusions.extend(constant(facts, v).unwrap_or_else(unknown));
    match facts.get("varies").value {
        0.0 => (),
        1.0 => conclusions.extend(varying(facts, v)),
        _ => conclusions.push(Margin::unknown("(b) whether the error varies")),
    }
    let last = facts.series("end").last().map_or(f64::NAN, |end| end.value);
    let noise = Path::of(facts).map_or(f64::NAN, |path| path.at(last).noise);
    let name = "H1 noise up to the end";
    let hypotheses = vec![Margin::at_least(name, Quantity::exact(noise), Quantity::exact(1e-12))];
    Judgement { hypotheses, conclusions }
}

/// |g| ≤ |div δ| + |δ_T||s_T| + |δ_N||s_N| at every end point; the tightest of them.
fn split(facts: &Facts, v: Variant) -> Margin {
    let names = ["response", "divergence", "delta_tangent", "delta_normal", "score_tangent"];
    let terms = |i: usize| {
        let at = |name: &str| facts.at(name, i);
        let divergence = at("divergence").abs() * v.scale("divergence_dropped", 0.0);
        let tangent = at("delta_tangent") * at("score_tangent");
        let normal = at("delta_normal") * at("score_normal");
        divergence
            + tangent * v.scale("tangent_term_dropped", 0.0)
            + normal * v.scale("normal_term_dropped", 0.0)
    };
    let margin = |i: usize| {
        let (name, most) = ("(a) |g| at most the sum of its parts", terms(i));
        attained(name, facts.at("response", i).abs(), most, 0.0, RESOLUTION)
    };
    let least = |a: Margin, b: Margin| if b.slack < a.slack || b.slack.is_nan() { b } else { a };
    (1..facts.rows(&names)).map(margin).fold(margin(0), least)
}

/// Gaussian data, errors constant in x: the bound, where it is attained, and how it grows.
fn constant(facts: &Facts, v: Variant) -> Option<Vec<Margin>> {
    let path = Path::of(facts)?;
    let [first, last] = facts.series("end") else { return None };
    let from = facts.get("from").value;
    let velocity = facts.get("predicts_velocity").value == 1.0;
    // ∫|w|/b between two times for an error of size 1.
    let between = |from: f64, to: f64| -> f64 {
        let (start, end) = (path.at(from), path.at(to));
        match (velocity, path.family()) {
            _ if v.is("noise_level_forgotten") && velocity => to - from,
            (false, _) => (start.sigma() / end.sigma()).ln(),
            (true, "flow-matching") => (start.noise / end.noise).ln(),
            // a² = e^{−βt}: ∫ dt/√(1 − e^{−βt}) = (2/β) arcosh e^{βt/2}.
            (true, "vp-linear") => {
                let [beta, same] = facts.series("parameters") else { return f64::NAN };
                let beta = if beta == same { beta.value } else { f64::NAN };
                let primitive = |s: f64| 2.0 / beta * (0.5 * beta * (1.0 - s)).exp().acosh();
                primitive(from) - primitive(to)
            }
            _ => f64::NAN,
        }
    };
    let bounded = |family: &str| match (velocity, family) {
        (true, "flow-matching") => v.is("velocity_error_bounded"),
        (true, _) => false,
        (false, _) => v.is("noise_error_bounded"),
    };
    let rounded = |value: f64| Quantity::rounded(value, 1e5);
    let mut out = Vec::new();
    let (size, flat) = (facts.get("error_size"), facts.get("flat_error_size"));
    let half = v.scale("bound_halved", 0.5);
    for (i, (name, end)) in [("first", first), ("last", last)].into_iter().enumerate() {
        let (norm, flat_norm) = (facts.at("norm", i), facts.at("flat_norm", i));
        let integral = rounded(between(from, end.value) * half);
        let most = size * integral;
        let name = format!("(b) response at most ∫|w|/b at the {name} level");
        out.push(Margin::attained(name, norm, most, most.value, RESOLUTION));
        if end == last {
            let name = "(b) attained by flat directions";
            let (norm, most) = ([flat_norm], [flat * integral]);
            out.push(agree(name, &norm, &most, Relative::To(size.value), RESOLUTION));
        }
    }
    let grown = match () {
        () if bounded(path.family()) => 0.0,
        () if v.is("drift_error_diverges") && velocity => {
            (path.at(first.value).noise / path.at(last.value).noise).ln()
        }
        () => between(first.value, last.value),
    };
    let form = match (velocity, path.family()) {
        (true, "flow-matching") => "(b) growth between the levels, velocity of flow matching",
        (true, _) => "(b) growth between the levels, drift in variance-preserving time",
        (false, _) => "(b) growth between the levels, noise prediction",
    };
    let predicted = [flat * rounded(grown)];
    out.push(agree(
        form,
        &[facts.at("flat_norm", 1) - facts.at("flat_norm", 0)],
        &predicted,
        Relative::To(size.value),
        RESOLUTION,
    ));

    Some(out)
}

/// Errors that vary: the bound, and its step for the score.
fn varying(facts: &Facts, v: Variant) -> Vec<Margin> {
    let root = match v.is("dimension_factor_dropped") {
        true => Quantity::exact(1.0),
        false => facts.get("dim").sqrt(),
    };
    let sup = facts.get("field_sup");
    let kept = v.scale("divergence_norm_dropped", 0.0);
    let most = facts.get("divergence_total") * kept + root * sup * facts.get("inverse_noise");
    let name = "(b) response at most ∫(‖div w‖_{L²} + √D‖w‖_∞/b)";
    let mut out = vec![Margin::at_most(name, facts.get("sampled_norm"), most)];
    for i in 0..STILL {
        let most = root * sup / facts.at("noise_level", i);
        let name = format!("(b) ‖⟨w,s⟩‖ at most √D‖w‖_∞/b at time {i}");
        out.push(Margin::at_most(name, facts.at("score_term", i), most));
        let most = facts.at("divergence_norm", i) * kept + most;
        let name = format!("(b) ‖div w + ⟨w,s⟩‖ at most ‖div w‖_{{L²}} + √D‖w‖_∞/b at time {i}");
        out.push(Margin::at_most(name, facts.at("source_norm", i), most));
    }
    out
}
