//! T6.3: deterministic and ancestral samplers as maps.

use super::agreement::{Relative, agree, vanish};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to what is compared, decide nothing.
const RESOLUTION: f64 = 1e-8;

/// Width along a normal, relative to the size of the data, that counts as rounding.
const FLAT: f64 = 1e-12;

/// The range of C is compared where its condition number on the tangent directions is below this.
const MOST_CONDITION: f64 = 1e5;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "sampler_maps_contract_normals_exactly",
    theory: &["T6.3"],
    summary: "DDIM contracts flat normals by exactly ρ = σ_{k+1}/σ_k and ancestral steps by ρ², however large \
              the steps; the last step maps onto the range of the posterior covariance",
    page: include_str!("../../theorems/sampler_maps_contract_normals_exactly.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant {
            name: "ddim_contracts_twice", what: "DDIM contracts by ρ², like ancestral steps"
        },
        Mutant {
            name: "ancestral_contracts_once",
            what: "ancestral steps contract by ρ, like DDIM",
        },
        Mutant { name: "identity_dropped", what: "dF = (1−ρ) C/σ²" },
        Mutant { name: "covariance_over_sigma", what: "C/σ in place of C/σ²" },
        Mutant { name: "covariance_counts_fully", what: "dF = ρI + C/σ²" },
        Mutant { name: "covariance_sign_flipped", what: "dF = ρI − (1−ρ) C/σ²" },
        Mutant { name: "noise_dropped", what: "the ancestral state moves without noise" },
        Mutant { name: "noise_of_full_level", what: "the noise has deviation σ_{k+1}" },
        Mutant {
            name: "last_step_keeps_normals",
            what: "the last step leaves normals as they are",
        },
        Mutant { name: "without_H1", what: "data with any width along the normal" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let levels: Vec<f64> = facts.series("levels").iter().map(|q| q.value).collect();
    let (Some(&first), Some(&last)) = (levels.first(), levels.last()) else {
        return Judgement::default();
    };
    // ρ enters as ρ^once in DDIM and ρ^twice in ancestral steps.
    let once = v.scale("ddim_contracts_twice", 2.0);
    let twice = 2.0 * v.scale("ancestral_contracts_once", 0.5);
    let rounded = |x: f64| Quantity::rounded(x, 64.0);

    let rho = levels.get(1).map_or(f64::NAN, |next| next / first);
    let jacobian = |kept: f64| -> Vec<Quantity> {
        let kept = rounded(kept);
        let weight = match v.is("covariance_counts_fully") {
            true => Quantity::exact(1.0),
            false => (Quantity::exact(1.0) - kept) * v.scale("covariance_sign_flipped", -1.0),
        };
        let share = weight * rounded(first.powi(-2)) * v.scale("covariance_over_sigma", first);
        let kept = kept * v.scale("identity_dropped", 0.0);
        let pairs = facts.series("probe").iter().zip(facts.series("covariance_of_probe"));
        pairs.map(|(p, c)| *p * kept + *c * share).collect()
    };
    let entries = |name: &str, series: &str, predicted: &[Quantity]| {
        agree(name, facts.series(series), predicted, Relative::Vector, RESOLUTION)
    };
    let mut conclusions = vec![
        entries("(a) DDIM Jacobian", "ddim_of_probe", &jacobian(rho.powf(once))),
        entries("(b) ancestral Jacobian", "ancestral_of_probe", &jacobian(rho.powf(twice))),
    ];

    // The coordinate along the normal, step by step; one number a level.
    let start = facts.series("normal_ddim").first().copied().unwrap_or(Quantity::UNKNOWN);
    let (mut ddim, mut ancestral) = (vec![start], vec![start]);
    for (step, noise) in levels.windows(2).zip(facts.series("normal_noise")) {
        let rho = step[1] / step[0];
        let shed = if v.is("noise_of_full_level") { 1.0 } else { (1.0 - rho * rho).sqrt() };
        let kick = *noise * rounded(step[1] * shed * v.scale("noise_dropped", 0.0));
        ddim.push(ddim[ddim.len() - 1] * rounded(rho.powf(once)));
        ancestral.push(ancestral[ancestral.len() - 1] * rounded(rho.powf(twice)) + kick);
    }
    conclusions.push(entries("(a) DDIM normal coordinate", "normal_ddim", &ddim));
    conclusions.push(entries("(b) ancestral normal coordinate", "normal_ancestral", &ancestral));
    let total = [(last / first).powf(once), (last / first).powf(twice)].map(rounded);
    for (name, series, total) in [
        ("(a) DDIM normal growth", "normal_growth_ddim", total[0]),
        ("(b) ancestral normal growth", "normal_growth_ancestral", total[1]),
    ] {
        conclusions.push(agree(name, facts.series(series), &[total], Relative::Entry, RESOLUTION));
    }

    let scale = rounded(last.powi(-2)) * v.scale("covariance_over_sigma", last);
    let image: Vec<Quantity> =
        facts.series("last_covariance_of_probe").iter().map(|c| *c * scale).collect();
    // Where one atom has all the weight C vanishes: compared with the identity, not with itself.
    let (name, measured) = ("(c) last Jacobian", facts.series("last_of_probe"));
    conclusions.push(agree(name, measured, &image, Relative::To(1.0), RESOLUTION));
    let kept = Quantity::exact(if v.is("last_step_keeps_normals") { 1.0 } else { 0.0 });
    let left = facts.get("last_normal_growth") - kept;
    conclusions.push(vanish("(c) normals after the last step", &[left], 1.0, RESOLUTION));
    let condition = facts.get("range_condition").value;
    if condition.is_nan() {
        conclusions.push(Margin::unknown("(c) end subspace is the range of C"));
    } else if condition < MOST_CONDITION {
        let angle = facts.get("range_angle");
        conclusions.push(vanish("(c) end subspace is the range of C", &[angle], 1.0, RESOLUTION));
    }
    let flat = Quantity::exact(FLAT);
    let width = facts.get("normal_width");
    let hypotheses = vec![Margin::at_most("H1 flat along the normal", width, flat)];
    Judgement { hypotheses, conclusions }
}
