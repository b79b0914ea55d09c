//! T6.6: the flow to a flat torus.

use super::radial_law::RadialLaw;
use super::sphere_flow_is_a_radial_quantile_map::vanishes;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};
use std::f64::consts::FRAC_PI_2;

/// Wider bars than this, relative or in radians, decide nothing.
const RESOLUTION: f64 = 1e-5;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "torus_flow_factors_into_circles",
    theory: &["T6.6"],
    summary: "The flow to a flat torus moves its circles independently; its top singular subspace is the \
              tangent plane exactly when every radius contracts more than every tangent",
    page: include_str!("../../theorems/torus_flow_factors_into_circles.md"),
    least_in_scope: 0.7,
    mutants: &[
        Mutant { name: "radii_shared", what: "every circle has the radius of the first" },
        Mutant { name: "torus_as_sphere", what: "radii follow the χ law of R^{2m}, not of R²" },
        Mutant { name: "densities_swapped", what: "J_r = f_T/f_0 in each block" },
        Mutant { name: "blocks_kept_in_order", what: "sorted exponents stay with their blocks" },
        Mutant {
            name: "separation_within_blocks",
            what: "E^m is tangent when J_r < J_T in each block",
        },
        Mutant { name: "separation_reversed", what: "E^m is tangent when max J_T < min J_r" },
        Mutant { name: "without_H1", what: "also for finitely many points on one circle" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let radii = facts.series("radius");
    let (start, end) = (facts.series("distance_start"), facts.series("distance_end"));
    let (radial, tangential) = (facts.series("radial_factor"), facts.series("tangential_factor"));
    let m = radii.len();
    if m == 0 || [start, end, radial, tangential].iter().any(|s| s.len() != m) {
        return Judgement::default();
    }
    let law = |i: usize, sigma: &str| RadialLaw {
        dim: if v.is("torus_as_sphere") { 2 * m } else { 2 },
        radius: radii[if v.is("radii_shared") { 0 } else { i }].value,
        sigma: facts.get(sigma).value,
    };
    let mut conclusions = Vec::new();
    let (mut j_radial, mut j_tangential) = (Vec::new(), Vec::new());
    for i in 0..m {
        let (before, after) = (law(i, "sigma_start"), law(i, "sigma_end"));
        let above = start[i].value > before.centre();
        let quantile = before.tail_at(start[i], above);
        let name = format!("(a) quantile of circle {i}");
        conclusions.push(equal(name, after.tail_at(end[i], above), quantile));

        let (f_start, f_end) = (before.density_at(start[i]), after.density_at(end[i]));
        let swapped = v.is("densities_swapped");
        j_radial.push(if swapped { f_end / f_start } else { f_start / f_end });
        j_tangential.push(end[i] / start[i]);
        conclusions.push(equal(format!("(b) radial factor {i}"), radial[i], j_radial[i]));
        conclusions.push(equal(
            format!("(b) tangential factor {i}"),
            tangential[i],
            j_tangential[i],
        ));
    }
    let largest = j_tangential.iter().fold(0.0, |a: f64, q| a.max(q.value));
    conclusions.push(vanishes("(b) entries off the diagonal", facts.get("leak"), largest));

    // (c) The spectrum is the union over the blocks, sorted.
    let mut union: Vec<Quantity> =
        j_tangential.iter().zip(&j_radial).flat_map(|(t, r)| [*t, *r]).collect();
    if !v.is("blocks_kept_in_order") {
        union.sort_by(|a, b| b.value.total_cmp(&a.value));
    }
    for (k, predicted) in union.iter().enumerate() {
        let measured = facts.at("singular_value", k);
        conclusions.push(equal(format!("(c) singular value {}", k + 1), measured, *predicted));
    }

    // (d) E^m is the sum of the tangents, or contains a radius and then misses a tangent altogether.
    let most = |s: &[Quantity]| s.iter().copied().fold(Quantity::exact(0.0), Quantity::max);
    let least = |s: &[Quantity]| s.iter().copied().fold(Quantity::exact(f64::MAX), Quantity::min);
    let gap = least(&j_tangential) - most(&j_radial);
    let separated = match v.is("separation_reversed") {
        true => most(&j_tangential).value < least(&j_radial).value,
        false => gap.value > 0.0 || v.is("separation_within_blocks"),
    };
    let angle = facts.get("angle_to_tangents");
    let off = if separated { angle } else { Quantity::exact(FRAC_PI_2) - angle };
    conclusions.push(vanishes("(d) top subspace", off, 1.0));

    let nowhere = least(start);
    let hypotheses = vec![
        Margin::condition("H1 uniform on every circle", facts.get("points").value == 0.0),
        Margin::at_most("H2 start off every centre", Quantity::exact(0.0), nowhere),
        Margin::at_most("H3 no tie at m", Quantity::exact(0.0), gap.abs()),
    ];
    Judgement { hypotheses, conclusions }
}

fn equal(name: impl Into<String>, measured: Quantity, predicted: Quantity) -> Margin {
    Margin::equal(name, measured, predicted, RESOLUTION)
}
