//! T6.1: Gaussian data, where flow, Jacobian and exponents are known.

use super::agreement::{Relative, agree};
use super::schedules::Path;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the predicted number, decide nothing.
const RESOLUTION: f64 = 1e-5;

/// Singular values whose logarithms lie closer than this do not separate a top subspace.
const LEAST_GAP: f64 = 1e-2;

/// How noise and data are coupled, as the fact `coupling`.
pub const INDEPENDENT: f64 = 0.0;
/// Optimal displacement x_s = (1 − s) x_0 + s Λ^{1/2} x_0.
pub const OPTIMAL: f64 = 1.0;
/// Any other coupling of the same two Gaussians.
pub const OTHER: f64 = 2.0;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "gaussian_data_has_a_closed_form_flow",
    theory: &["T6.1"],
    summary: "On Gaussian data every schedule moves each principal coordinate by the ratio of its deviations, \
              and all flows from N(0, I) share end Jacobian, exponents and top subspace",
    page: include_str!("../../theorems/gaussian_data_has_a_closed_form_flow.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant { name: "square_root_dropped", what: "coordinates move by S(t)/S(s)" },
        Mutant { name: "time_reversed", what: "coordinates move by √(S(s)/S(t))" },
        Mutant { name: "noise_dropped", what: "S = a²λ" },
        Mutant { name: "signal_not_squared", what: "S = aλ + b²" },
        Mutant { name: "exponents_not_halved", what: "log σ_i = log(S_i(t)/S_i(s))" },
        Mutant {
            name: "displacement_as_a_gaussian_path",
            what: "optimal displacement moves like flow matching at every time, not only at the end",
        },
        Mutant { name: "small_variances_on_top", what: "the top subspace belongs to the least λ" },
        Mutant { name: "end_jacobian_is_the_covariance", what: "the shared end Jacobian is Λ" },
        Mutant { name: "without_H1", what: "any law with that mean and covariance" },
        Mutant { name: "without_H2", what: "any coupling of the two Gaussians" },
    ],
    margins,
};

/// x ↦ growth·x for a principal coordinate with variance `lambda`, from time `s` to `t`.
fn growth(path: Option<Path>, lambda: f64, (s, t): (f64, f64), v: Variant) -> f64 {
    let power = v.scale("square_root_dropped", 2.0) * v.scale("time_reversed", -1.0);
    let Some(path) = path else {
        let stretch = |s: f64| match v.is("displacement_as_a_gaussian_path") {
            true => ((1.0 - s).powi(2) + s * s * lambda).sqrt(),
            false => 1.0 - s + s * lambda.sqrt(),
        };
        return (stretch(t) / stretch(s)).powf(power);
    };
    let variance = |s: f64| {
        let at = path.at(s);
        let signal = if v.is("signal_not_squared") { at.signal } else { at.signal.powi(2) };
        signal * lambda + v.scale("noise_dropped", 0.0) * at.noise.powi(2)
    };
    (variance(t) / variance(s)).sqrt().powf(power)
}

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let coupling = facts.get("coupling").value;
    let path = if coupling == OPTIMAL { None } else { Path::of(facts) };
    let (s, t) = (facts.get("start_time").value, facts.get("end_time").value);
    let signal = |s: f64| path.map_or(s, |path| path.at(s).signal);
    let lambdas: Vec<f64> = facts.series("variance").iter().map(|q| q.value).collect();
    let rounded = |x: f64| Quantity::rounded(x, 256.0);
    let growths: Vec<f64> = lambdas.iter().map(|l| growth(path, *l, (s, t), v)).collect();

    let starts = facts.series("start").iter().zip(facts.series("mean"));
    let ends: Vec<Quantity> = starts
        .zip(&growths)
        .map(|((x, m), g)| (*x - *m * signal(s)) * rounded(*g) + *m * signal(t))
        .collect();
    let diagonal: Vec<Quantity> = growths.iter().map(|g| rounded(*g)).collect();
    // Each tangent stays on its axis: what leaves it, relative to what stays.
    let off = growths.iter().enumerate().map(|(i, g)| facts.at("off_axis", i) * g.recip());
    let off: Vec<Quantity> = off.collect();
    let zeros = vec![Quantity::exact(0.0); off.len()];
    let doubled = v.scale("exponents_not_halved", 2.0);
    let mut logs: Vec<f64> = growths.iter().map(|g| doubled * g.ln()).collect();
    logs.sort_by(|a, b| b.total_cmp(a));
    let exponents: Vec<Quantity> =
        logs.iter().map(|g| Quantity::new(*g, 1e-13, Grade::Symbolic)).collect();
    let unit = Relative::To(1.0);
    let mut conclusions = vec![
        agree("(a) end state", facts.series("end"), &ends, Relative::Vector, RESOLUTION),
        agree(
            "(b) Jacobian on the axes",
            facts.series("jacobian"),
            &diagonal,
            Relative::Entry,
            RESOLUTION,
        ),
        agree("(b) Jacobian off the axes", &off, &zeros, unit, RESOLUTION),
        agree("(c) exponents", facts.series("log_growth"), &exponents, unit, RESOLUTION),
    ];
    conclusions.extend(top_subspace(facts, &growths, v));
    let shared = facts.get("shared").value;
    if shared.is_nan() {
        conclusions.push(Margin::unknown("(d) whether ends are compared"));
    } else if shared == 1.0 {
        conclusions.extend(shared_end(facts, &lambdas, v));
    }
    let hypotheses = vec![
        Margin::condition("H1 Gaussian data", facts.get("gaussian").value == 1.0),
        Margin::condition("H2 independent or optimal coupling", coupling != OTHER),
    ];
    Judgement { hypotheses, conclusions }
}

/// The top-d subspace contains the axes that grow most and is orthogonal to the others, where d separates.
fn top_subspace(facts: &Facts, growths: &[f64], v: Variant) -> Option<Margin> {
    let d = facts.get("subspace_dim").value;
    if d.is_nan() {
        return Some(Margin::unknown("(c) top subspace"));
    }
    let d = d as usize;
    let sign = v.scale("small_variances_on_top", -1.0);
    let mut order: Vec<usize> = (0..growths.len()).collect();
    order.sort_by(|&i, &j| (sign * growths[j]).total_cmp(&(sign * growths[i])));
    let (last, next) = (growths[*order.get(d.checked_sub(1)?)?], growths[*order.get(d)?]);
    if (last / next).ln().abs() < LEAST_GAP {
        return None;
    }
    let outside = |i: &usize| Quantity::exact(f64::from(!order[..d].contains(i)));
    let predicted: Vec<Quantity> = (0..growths.len()).map(|i| outside(&i)).collect();
    let measured = facts.series("distance_from_top");
    Some(agree("(c) top subspace", measured, &predicted, Relative::To(1.0), RESOLUTION))
}

/// (d): flow matching, trigonometric and optimal displacement end with the same Jacobian diag(√λ_i).
fn shared_end(facts: &Facts, lambdas: &[f64], v: Variant) -> Vec<Margin> {
    let sigma = facts.get("shared_sigma").value;
    let mut margins = Vec::new();
    for model in ["flow_matching", "trigonometric", "displacement"] {
        // A Gaussian path stops at the noise level σ, where √(λ + σ²) is within σ²/(2√λ) of √λ.
        let stop = if model == "displacement" { 0.0 } else { sigma };
        let end = |lambda: &f64| match v.is("end_jacobian_is_the_covariance") {
            true => Quantity::rounded(*lambda, 256.0),
            false => Quantity::rounded((lambda + stop * stop).sqrt(), 256.0),
        };
        let ends: Vec<Quantity> = lambdas.iter().map(end).collect();
        let starts = facts.series("shared_start").iter();
        let states: Vec<Quantity> = starts.zip(&ends).map(|(x, end)| *x * *end).collect();
        let jacobian = facts.series(&format!("end_jacobian_{model}"));
        let name = format!("(d) end Jacobian, {model}");
        margins.push(agree(name, jacobian, &ends, Relative::Entry, RESOLUTION));
        let state = facts.series(&format!("end_state_{model}"));
        let name = format!("(d) end state, {model}");
        margins.push(agree(name, state, &states, Relative::Vector, RESOLUTION));
    }
    margins
}
