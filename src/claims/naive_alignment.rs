//! Wordings of the sufficient condition for alignment that lack a hypothesis; T7 refutes each.
//!
//! They are judged from what is common to all worlds, so that only the worlds that meet what they
//! do ask for can refute them.

use super::Variant;
use super::counterexample_maps::Example;
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// What counts as aligned: the sine of the angle at the end.
const ALIGNED: f64 = 0.1;

/// What counts as no cross derivative, per time.
const VANISHING: f64 = 1e-6;

/// The share of the time that is most of it.
const MOST: f64 = 0.7;

/// What counts as small: κ against γ.
const SMALL: f64 = 0.05;

/// The sine of the angle at the end is small.
pub(super) fn aligned(facts: &Facts) -> Margin {
    Margin::at_most("aligned at the end", facts.get("end_sine"), Quantity::exact(ALIGNED))
}

/// The judgement of the naive wording of that name; None for any other variant.
pub(super) fn naive(facts: &Facts, example: &Example, v: Variant) -> Option<Judgement> {
    let exact = Quantity::exact;
    let stretch = |name: &str| facts.get(&format!("{name}_stretch"));
    let shrunk =
        |by: f64| Margin::at_most("normal directions shrunk", stretch("normal"), exact(by));
    let compression = |by: f64| {
        let factor = stretch("tangent") / stretch("normal");
        Margin::at_least("compression factor", factor, exact(by))
    };
    let largest = |name: &str| {
        let series = facts.series(name).iter().copied();
        series.reduce(Quantity::max).unwrap_or(Quantity::UNKNOWN)
    };
    let least = |name: &str| -> Quantity {
        let series = facts.series(name).iter().copied();
        series.reduce(Quantity::min).unwrap_or(Quantity::UNKNOWN)
    };
    let vanishing =
        |name: &str| Margin::at_most(format!("{name} vanishes"), largest(name), exact(VANISHING));
    let positive = |name: &str| Margin::at_least(format!("{name} > 0"), least(name), exact(0.0));
    let cosine = facts.series("cosine").first().copied().unwrap_or(Quantity::UNKNOWN);
    let transversal = || Margin::at_least("start transversal", cosine, exact(0.1));
    let slopes = facts.series("slope");
    let start = slopes.first().copied().unwrap_or(Quantity::UNKNOWN);
    let of = |hypotheses, conclusions| Some(Judgement { hypotheses, conclusions });
    let stays_below = |bound: Quantity| {
        let quarters = (1..=4).filter_map(|q| slopes.get((slopes.len().max(1) - 1) * q / 4));
        quarters.map(|l| Margin::at_most("slope on the way", *l, bound)).collect()
    };

    if v.is("absolute_compression_aligns") {
        return of(vec![shrunk(0.05), transversal()], vec![aligned(facts)]);
    }
    if v.is("vanishing_cross_derivatives_align") {
        let asked = vec![vanishing("kappa"), vanishing("eta"), transversal()];
        return of(asked, vec![aligned(facts)]);
    }
    if v.is("generative_flows_align") {
        let asked = Margin::condition("a flow to a sphere", example.number == "C1c");
        return of(vec![asked, shrunk(0.1), transversal()], vec![aligned(facts)]);
    }
    if v.is("total_compression_aligns") {
        return of(vec![compression(20.0), transversal()], vec![aligned(facts)]);
    }
    if v.is("compression_at_most_times_aligns") {
        let (time, gamma, kappa) =
            (facts.series("time"), facts.series("gamma"), facts.series("kappa"));
        let calm = time.windows(2).zip(gamma.iter().zip(kappa));
        let calm = calm.filter(|(_, (gamma, kappa))| kappa.value <= SMALL * gamma.value);
        let calm: f64 = calm.map(|(t, _)| t[1].value - t[0].value).sum();
        let share = Margin::at_least("calm times", exact(calm / example.span), exact(MOST));
        return of(
            vec![share, compression(20.0), vanishing("eta"), transversal()],
            vec![aligned(facts)],
        );
    }
    if v.is("jacobian_on_manifold_suffices") {
        let asked = vec![vanishing("kappa_on"), vanishing("eta_on"), positive("gamma_on")];
        let bound = start * (least("gamma_on") * -example.span).exp();
        let end = slopes.last().copied().unwrap_or(Quantity::UNKNOWN);
        // A factor 2 for the bars of a slope that has shrunk to them.
        return of(asked, vec![Margin::at_most("slope at the end", end, bound * 2.0)]);
    }
    if v.is("every_start_slope_shrinks") {
        return of(vec![vanishing("kappa"), positive("gamma")], stays_below(start));
    }
    if v.is("cross_terms_add_linearly") {
        let bound = start.max(largest("kappa") / least("gamma"));
        return of(vec![positive("gamma")], stays_below(bound * (1.0 + 1e-6)));
    }
    if v.is("every_start_plane_aligns") {
        let asked = vec![vanishing("kappa"), vanishing("eta"), compression(100.0)];
        return of(asked, vec![aligned(facts)]);
    }
    if v.is("compression_factor_above_one_aligns") {
        let asked = vec![vanishing("kappa"), vanishing("eta"), compression(1.01), transversal()];
        return of(asked, vec![aligned(facts)]);
    }
    None
}
