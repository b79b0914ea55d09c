//! T6.5: the flow to a uniform sphere.

use super::radial_law::RadialLaw;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative, decide nothing.
const RESOLUTION: f64 = 1e-6;

/// The profile (e) is within (a + b|z|)/√n, z the start in deviations of |x|²: measured once for n = 2..200
/// by quadrature and rounded up by a fifth, not proved.
const PROFILE: (f64, f64) = (0.1, 0.8);

/// Where the profile (e) is stated: |z| at most the first, σ_0/R at least the second, and both tails at
/// least the third.
const TYPICAL: (f64, f64, f64) = (2.0, 10.0, 0.02);

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "sphere_flow_is_a_radial_quantile_map",
    theory: &["T6.5"],
    summary: "The flow to a uniform sphere keeps directions and maps radii by their quantiles; its Jacobian \
              and alignment follow in closed form",
    page: include_str!("../../theorems/sphere_flow_is_a_radial_quantile_map.md"),
    least_in_scope: 0.7,
    mutants: &[
        Mutant { name: "signal_dropped", what: "the radius follows the central χ law: R = 0" },
        Mutant {
            name: "shell_factor_dropped", what: "f is the density on R^n, without ρ^{n−1}"
        },
        Mutant { name: "densities_swapped", what: "J_r = f_T/f_0" },
        Mutant { name: "radius_scales", what: "J_r = ρ_T/ρ_0, as in the tangent directions" },
        Mutant { name: "slope_rate_squared", what: "l_T = l_0 (J_r/J_T)²" },
        Mutant { name: "flat_like_radius", what: "flat directions contract by J_r" },
        Mutant { name: "dimension_dropped", what: "onset at σ ~ R for every n: w = R²/σ²" },
        Mutant { name: "onset_dropped", what: "J_r/J_T = √(2n) σ_T/R at every σ_T" },
        Mutant { name: "without_H1", what: "any law on the sphere, also finitely many points" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let (sigma, distance) = (facts.series("sigma"), facts.series("distance"));
    if sigma.len() != distance.len() || sigma.len() < 2 {
        return Judgement::default();
    }
    let (n, big_r) = (facts.get("sphere_dim").value, facts.get("radius"));
    let law = |k: usize| RadialLaw {
        dim: n as usize,
        radius: big_r.value * v.scale("signal_dropped", 0.0),
        sigma: sigma[k].value,
    };
    let last = sigma.len() - 1;
    let mut conclusions = vec![vanishes("(a) the direction turns", facts.get("turn"), 1.0)];

    // (b) On the lighter side of the start, where tails keep their digits.
    let above = distance[0].value > law(0).centre();
    let tail = |k: usize| law(k).tail_at(distance[k], above);
    let start = tail(0);
    for k in [last / 2, last] {
        conclusions.push(equal(
            format!("(b) quantile at σ = {:.3e}", sigma[k].value),
            tail(k),
            start,
        ));
    }

    // (c) The Jacobian on the radius, on tangents and on flat directions.
    let density = |k: usize| {
        let shell = match v.is("shell_factor_dropped") {
            true => distance[k].value.powf(1.0 - n),
            false => 1.0,
        };
        law(k).density_at(distance[k]) * shell
    };
    let tangential = distance[last] / distance[0];
    let radial = match (v.is("densities_swapped"), v.is("radius_scales")) {
        (true, _) => density(last) / density(0),
        (_, true) => tangential,
        _ => density(0) / density(last),
    };
    let flat = if v.is("flat_like_radius") { radial } else { sigma[last] / sigma[0] };
    conclusions.push(equal("(c) radial factor", facts.get("radial_factor"), radial));
    for i in 0..facts.rows(&["tangential_factor"]) {
        let measured = facts.at("tangential_factor", i);
        conclusions.push(equal("(c) tangential factor", measured, tangential));
    }
    for measured in facts.series("flat_factor") {
        conclusions.push(equal("(c) flat factor", *measured, flat));
    }
    conclusions.push(vanishes("(c) mixed entries", facts.get("leak"), tangential.value));

    // (d) Alignment: no cross derivatives, so slopes and singular values are ratios of factors.
    let ratio = radial / tangential;
    let rate = if v.is("slope_rate_squared") { ratio * ratio } else { ratio };
    let slope = facts.get("slope_start") * rate;
    conclusions.push(equal("(d) slope over the sphere", facts.get("slope_end"), slope));
    let about_the_flat = ["flat_factor", "flat_slope_start", "flat_slope_end"];
    if about_the_flat.iter().any(|name| !facts.series(name).is_empty()) {
        if facts.series("flat_factor").is_empty() {
            conclusions.push(Margin::unknown("(c) flat factor"));
        }
        let slope = facts.get("flat_slope_start") * (flat / tangential);
        conclusions.push(equal("(d) slope to the flat", facts.get("flat_slope_end"), slope));
    }
    conclusions.push(equal("(d) singular value ratio", facts.get("singular_ratio"), ratio));
    conclusions.push(Margin::at_most("(d) radius contracts most", ratio, Quantity::exact(1.0)));

    // (e) The profile of a typical start.
    let z = typical(distance[0].value, sigma[0].value, n);
    let bulk = z.abs() <= TYPICAL.0 && start.value >= TYPICAL.2;
    if bulk && sigma[0].value >= TYPICAL.1 * big_r.value {
        let w = |k: usize| {
            let dim = if v.is("dimension_dropped") { 1.0 } else { n };
            (big_r.value / sigma[k].value).powi(2) / dim
        };
        let profile = |w: f64| match v.is("onset_dropped") {
            true => (2.0 / w).sqrt(),
            false => (1.0 + 2.0 * w).sqrt() / (1.0 + w),
        };
        let before = if v.is("onset_dropped") { 1.0 } else { profile(w(0)) };
        let tangents = facts.series("tangential_factor");
        let measured =
            tangents.first().map_or(Quantity::UNKNOWN, |t| facts.get("radial_factor") / *t);
        let off = (measured * (before / profile(w(last))) - Quantity::exact(1.0)).abs();
        let allowed = Quantity::exact((PROFILE.0 + PROFILE.1 * z.abs()) / n.sqrt());
        conclusions.push(Margin::at_most("(e) profile of a typical start", off, allowed));
    }

    let hypotheses = vec![
        Margin::condition("H1 uniform on the whole sphere", facts.get("points").value == 0.0),
        Margin::at_most("H2 start off the centre", Quantity::exact(0.0), distance[0]),
    ];
    Judgement { hypotheses, conclusions }
}

/// |x|²/σ² in standard deviations of χ²_n.
fn typical(rho: f64, sigma: f64, n: f64) -> f64 {
    ((rho / sigma).powi(2) - n) / (2.0 * n).sqrt()
}

fn equal(name: impl Into<String>, measured: Quantity, predicted: Quantity) -> Margin {
    Margin::equal(name, measured, predicted, RESOLUTION)
}

/// What is 0 in theory, against `scale`.
pub(super) fn vanishes(name: &str, measured: Quantity, scale: f64) -> Margin {
    Margin::attained(name, measured, Quantity::exact(0.0), scale, RESOLUTION)
}
