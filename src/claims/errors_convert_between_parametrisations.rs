//! T6.4: what an error of the denoiser, the noise prediction or the score is as an error of the velocity.

use super::agreement::{Relative, agree};
use super::schedules::Path;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the largest entry, decide nothing.
const RESOLUTION: f64 = 1e-6;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "errors_convert_between_parametrisations",
    theory: &["T6.4"],
    summary: "An error of the denoiser, the noise prediction or the score is an error of the velocity times a \
              factor of the schedule alone, exactly and at any size",
    page: include_str!("../../theorems/errors_convert_between_parametrisations.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant { name: "noise_sign_flipped", what: "e_D = +σ e_ε" },
        Mutant { name: "signal_rate_dropped", what: "w = −(a b'/b) e_D" },
        Mutant { name: "noise_rate_dropped", what: "w = a' e_D" },
        Mutant { name: "noise_level_is_b", what: "e_D = −b e_ε on every schedule" },
        Mutant { name: "score_like_scaled_noise", what: "e_D = (b/a) e_score" },
        Mutant { name: "flow_matching_everywhere", what: "w = e_D/(1−s) on every schedule" },
        Mutant { name: "without_H2", what: "also when predictions are clipped to the data range" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let Some(path) = Path::of(facts) else {
        return Judgement::default();
    };
    let s = facts.get("time").value;
    let at = path.at(s);
    let (a, b) = (at.signal, at.noise);
    let denoiser = match () {
        () if v.is("signal_rate_dropped") => -a * at.noise_rate / b,
        () if v.is("noise_rate_dropped") => at.signal_rate,
        () if v.is("flow_matching_everywhere") => (1.0 - s).recip(),
        () => at.mean_share(),
    };
    // e_D = −σ e_ε and e_D = (b²/a) e_score.
    let of_noise = if v.is("noise_level_is_b") { b } else { b / a };
    let of_noise = -of_noise * v.scale("noise_sign_flipped", -1.0);
    let of_score = if v.is("score_like_scaled_noise") { b / a } else { b * b / a };
    let error = facts.series("error");
    let scaled = |factor: f64| -> Vec<Quantity> {
        error.iter().map(|e| *e * Quantity::rounded(factor, 1e4)).collect()
    };
    let judge = |name: String, series: &str, predicted: &[Quantity]| {
        agree(name, facts.series(series), predicted, Relative::Vector, RESOLUTION)
    };
    let mut conclusions = Vec::new();
    // e_D = factor · e for an error e of each prediction.
    let of_velocity = denoiser.recip();
    let models =
        [("denoiser", 1.0), ("noise", of_noise), ("score", of_score), ("velocity", of_velocity)];
    for (model, factor) in models {
        let predicted = scaled(factor * denoiser);
        let series = format!("velocity_error_of_{model}");
        conclusions.push(judge(
            format!("(a) velocity error, {model} perturbed"),
            &series,
            &predicted,
        ));
        // The same factor carries the C¹ size of the error.
        let slope: Vec<Quantity> = facts
            .series("error_slope")
            .iter()
            .map(|e| *e * Quantity::rounded(factor * denoiser, 1e4))
            .collect();
        let series = format!("velocity_slope_of_{model}");
        conclusions.push(judge(
            format!("(a) velocity Jacobian, {model} perturbed"),
            &series,
            &slope,
        ));
        let series = format!("denoiser_error_of_{model}");
        conclusions.push(judge(
            format!("(b) denoiser error, {model} perturbed"),
            &series,
            &scaled(factor),
        ));
    }
    conclusions.push(judge(
        "(b) canonical velocity error, noise perturbed".into(),
        "canonical_error_of_noise",
        // dy/dσ = (y − D)/σ is ε itself.
        &scaled(-of_noise / at.sigma()),
    ));
    if path.family() == "flow-matching" {
        let sigma = at.sigma();
        let series = "velocity_error_of_denoiser";
        let halved: Vec<Quantity> =
            facts.series(series).iter().map(|w| *w * (sigma / (1.0 + sigma))).collect();
        let name = "(c) flow matching: e_D = σ w/(1 + σ)";
        conclusions.push(agree(name, &halved, error, Relative::Vector, RESOLUTION));
    }
    let positive =
        |x: f64| Margin::at_least("H1 0 < σ < ∞", Quantity::exact(x), Quantity::exact(1e-12));
    let hypotheses = vec![
        positive(a.min(b)),
        Margin::condition("H2 predictions used as they are", facts.get("clipped").value == 0.0),
    ];
    Judgement { hypotheses, conclusions }
}
