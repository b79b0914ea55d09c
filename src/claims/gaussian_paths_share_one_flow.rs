//! T6.2: one canonical flow behind every Gaussian path.

use super::agreement::{Relative, agree};
use super::schedules::Path;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the size of a vector, or in logarithms or radians, decide nothing.
const RESOLUTION: f64 = 1e-5;

/// Singular values whose logarithms lie closer than this do not separate a top subspace.
const LEAST_GAP: f64 = 1e-2;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "gaussian_paths_share_one_flow",
    theory: &["T6.2"],
    summary: "For any data, a Gaussian path is the canonical variance-exploding flow in scaled coordinates: \
              all schedules share end subspaces, alignment angles and exponent gaps",
    page: include_str!("../../theorems/gaussian_paths_share_one_flow.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant {
            name: "end_not_scaled", what: "x_t = Φ(x/a_s): the end is not multiplied by a_t"
        },
        Mutant {
            name: "noise_part_dropped",
            what: "the velocity is a' times the mean of the data, without that of the noise",
        },
        Mutant { name: "noise_level_is_b", what: "the canonical flow runs between b_s and b_t" },
        Mutant { name: "jacobian_not_scaled", what: "the Jacobian is that of the canonical flow" },
        Mutant { name: "jacobian_scaled_by_end", what: "Jacobian = a_t × canonical Jacobian" },
        Mutant { name: "exponents_shared", what: "not only gaps: the exponents are equal" },
        Mutant { name: "scale_inverted", what: "exponents differ by log(a_s/a_t)" },
        Mutant { name: "without_H1", what: "any coupling of noise and data" },
        Mutant { name: "without_H2", what: "any source of noise" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let Some(path) = Path::of(facts) else {
        return Judgement::default();
    };
    let (start, end) =
        (path.at(facts.get("start_time").value), path.at(facts.get("end_time").value));
    let scaled = |name: &str, factor: f64| -> Vec<Quantity> {
        facts.series(name).iter().map(|q| *q * Quantity::rounded(factor, 16.0)).collect()
    };
    let (a_s, a_t) = (start.signal, end.signal);
    let ratio = match () {
        () if v.is("jacobian_not_scaled") => 1.0,
        () if v.is("jacobian_scaled_by_end") => a_t,
        () => a_t / a_s,
    };
    let levels = [start, end].map(|at| Quantity::rounded(at.sigma(), 1e6));
    let flow = if v.is("noise_level_is_b") { "flow_between_b" } else { "canonical_end" };
    let ends = scaled(flow, if v.is("end_not_scaled") { 1.0 } else { a_t });
    let jacobians = scaled("canonical_jacobian", ratio);
    let logs = facts.series("canonical_log_growth");
    // Exponents differ by one common shift, so gaps do not.
    let shift = match () {
        () if v.is("exponents_shared") => 0.0,
        () => (a_t / a_s).ln() * v.scale("scale_inverted", -1.0),
    };
    let shift = Quantity::new(shift, 1e-12, Grade::Symbolic);
    let shifted: Vec<Quantity> = logs.iter().map(|g| *g + shift).collect();
    let gaps = |name: &str| -> Vec<Quantity> {
        facts.series(name).windows(2).map(|g| g[0] - g[1]).collect()
    };
    let unit = Relative::To(1.0);
    let judge = |name: &str, series: &str, predicted: &[Quantity], relative: Relative| {
        agree(name, facts.series(series), predicted, relative, RESOLUTION)
    };
    let mut conclusions = vec![
        judge("(a) noise levels", "canonical_levels", &levels, Relative::Entry),
        judge("(a) end state", "end", &ends, Relative::Vector),
        judge("(b) Jacobian", "jacobian", &jacobians, Relative::Vector),
        judge("(c) exponents", "log_growth", &shifted, unit),
    ];
    // The velocity as it is defined, E[a'X + b'ξ | x], from posterior sums that know no denoiser.
    let named = ["velocity", "posterior_data", "posterior_noise"];
    if named.iter().any(|name| !facts.series(name).is_empty()) {
        let rate = start.noise_rate * v.scale("noise_part_dropped", 0.0);
        let part = |i: usize| [facts.at(named[1], i), facts.at(named[2], i)];
        let average = (0..facts.rows(&named)).map(part);
        let average: Vec<Quantity> =
            average.map(|[x, xi]| x * start.signal_rate + xi * rate).collect();
        conclusions.push(judge("(a) velocity", "velocity", &average, Relative::Vector));
    }
    if logs.len() > 1 {
        let canonical = gaps("canonical_log_growth");
        conclusions.push(agree("(c) gaps", &gaps("log_growth"), &canonical, unit, RESOLUTION));
    }
    let d = facts.get("subspace_dim").value;
    if d.is_nan() {
        conclusions.push(Margin::unknown("(c) top subspaces"));
    }
    let d = d as usize;
    if d > 0 && d < logs.len() && (logs[d - 1] - logs[d]).value > LEAST_GAP {
        let angle = facts.get("angle_of_top_subspaces");
        let name = "(c) top subspaces";
        conclusions.push(agree(name, &[angle], &[Quantity::exact(0.0)], unit, RESOLUTION));
        let (ours, canonical) = (facts.get("alignment"), facts.get("canonical_alignment"));
        conclusions.push(agree("(c) alignment angle", &[ours], &[canonical], unit, RESOLUTION));
    }
    let met = |name: &str| facts.get(name).value == 1.0;
    let hypotheses = vec![
        Margin::condition("H1 independent coupling", met("independent")),
        Margin::condition("H2 source N(0, I)", met("standard_source")),
    ];
    Judgement { hypotheses, conclusions }
}
