//! What errors do: those that are put in, and that of the network itself.

use super::{Found, marks, values};
use crate::experiments::words::{short, with_bar};
use crate::facts::Quantity;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::{Chapter, Relation};

pub fn response(found: &Found<'_>, chapter: &mut Chapter) {
    let facts = found.facts;
    let size = facts.series("response_size");
    let (off, along) = (facts.series("response_off"), facts.series("response_along"));
    if size.is_empty() {
        return;
    }
    let panel = Panel::new(
        "",
        Axis::log("error of the network's value, root mean square a coordinate"),
        Axis::log("displacement of samples"),
    )
    // Side by side: they may be equal.
    .with("off the tangent plane", Ink::Normal, marks(&beside(size, 0.96), off))
    .with("along it", Ink::Tangent, marks(&beside(size, 1.04), along))
    .with(
        "growth of the distance",
        Ink::Measured,
        marks(size, facts.series("response_change")),
    );
    let figure = Figure::new(
        "response",
        "Response of samples to smooth errors of growing size",
        vec![panel],
    );
    chapter.figures.push(figure.says(
        format!(
            "Smooth random fields are added to the network's value all along; medians over {} samples of the parts of the displacement off \
             and along the tangent plane ({}), and of the growth of the distance to the manifold, or to the nearest data point. The two parts are drawn 4 % to either side of \
             their size.",
            facts.get("response_samples").value,
            found.tangent
        ),
        "Errors that are not smooth, or only late.",
    ));
    let ratio = off[0] / along[0];
    let relation = if ratio.value + ratio.bar < 0.5 { Relation::Agrees } else { Relation::Open };
    let said = format!(
        "an error of {} moves samples by {} off and {} along: {}",
        short(size[0].value),
        with_bar(off[0]),
        with_bar(along[0]),
        match ratio.bar < ratio.value {
            true => format!("ratio {}", with_bar(ratio)),
            false => "too few samples for a ratio".to_owned(),
        }
    );
    chapter.find(relation, "response", "errors push samples along the manifold, not off it", said);
}

/// Sizes moved by a factor, to draw two things that are measured at the same ones.
fn beside(sizes: &[Quantity], factor: f64) -> Vec<Quantity> {
    sizes.iter().map(|size| *size * factor).collect()
}

pub fn denoiser(found: &Found<'_>, chapter: &mut Chapter) {
    let facts = found.facts;
    let sigma = facts.series("error_sigma");
    if sigma.is_empty() {
        return;
    }
    let x = values(sigma);
    let first = Panel::new("error", Axis::log("noise level σ"), Axis::log("distance"))
        .with("|e|, learned less exact denoiser", Ink::Error, marks(sigma, facts.series("error")))
        .with("its normal part", Ink::Normal, marks(sigma, facts.series("error_normal")))
        .with("σ", Ink::Guide, Mark::dashed(x.clone(), x));
    let mut panels = vec![first];
    let slope = facts.series("error_slope");
    if slope.iter().any(|q| q.value.is_finite()) {
        let panel = Panel::new("slope", Axis::log("noise level σ"), Axis::log("‖De‖")).with(
            "‖De‖",
            Ink::Error,
            marks(sigma, slope),
        );
        let allowed = facts.series("error_allowed");
        panels.push(match allowed.iter().any(|q| q.value > 0.0) {
            true => panel.with("(γ − 2κ)/4: T5(b) needs less", Ink::Bound, marks(sigma, allowed)),
            false => panel,
        });
    }
    let figure = Figure::new(
        "denoiser",
        "The learned denoiser against the exact one of its training data",
        panels,
    );
    chapter.figures.push(figure.says(
        format!(
            "Medians along learned trajectories, in y = x/a. Exact: the posterior mean over the training points. The normal part is that across \
             the tangent plane ({}).",
            found.tangent
        ),
        "Whether the difference is an error: below the spacing of the points an exact denoiser memorises them, and a good network does not.",
    ));
    let turns = facts.series("error_turns");
    let able: Vec<&Quantity> = turns.iter().filter(|q| q.value.is_finite()).collect();
    let said = match able.iter().map(|q| q.value).fold(f64::NAN, f64::min) {
        least if least.is_nan() => {
            "says nothing: at every noise level ‖De‖ is above (γ − 2κ)/4 on most trajectories"
                .to_owned()
        }
        least => format!(
            "‖De‖ is below (γ − 2κ)/4 at {} of {} noise levels, and at best allows planes to turn by {}°; measured from the tangent: {}°",
            able.len(),
            turns.len(),
            short(least.atan().to_degrees()),
            with_bar(facts.get("alignment_angle") * 1.0_f64.to_degrees())
        ),
    };
    chapter.find(
        Relation::Open,
        "denoiser",
        "T5(b): what the slope of the error allows planes to turn",
        said,
    );
}

pub fn distance(found: &Found<'_>, chapter: &mut Chapter) {
    let (bound, end) = (found.facts.series("distance_bound"), found.facts.series("distance_end"));
    if bound.is_empty() {
        return;
    }
    let most = values(bound).into_iter().fold(0.0, f64::max);
    let panel = Panel::new("", Axis::new("bound by T4.3"), Axis::new("distance measured"))
        .with("trajectories", Ink::Measured, marks(bound, end))
        .with("bound attained", Ink::Bound, Mark::dashed(vec![0.0, most], vec![0.0, most]));
    let figure = Figure::new(
        "distance",
        "Distance of samples from the manifold, beside what T4.3 predicts",
        vec![panel],
    );
    chapter.figures.push(figure.says(
        "The bound follows from the posterior spread over twice the reach and from the measured normal error of the denoiser along each \
         trajectory, from where it comes nearer than the reach.",
        "Trajectories that never come so near.",
    ));
}
