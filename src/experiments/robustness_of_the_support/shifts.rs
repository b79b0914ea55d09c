//! Shifts of samples of two moons against the size of the error.

use super::errors::{All, error_of, ink_of, normal_share, size_axis};
use super::manifolds::along_not_off;
use super::study::Study;
use crate::drift::Parametrisation;
use crate::experiments::model_class::{Class, Range, SIGMA_END};
use crate::experiments::words::{band, ends, short, values, with_bar};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::Chapter;

/// Shifts of one class against size, one panel for each prediction.
pub fn by_parametrisation(study: &Study, all: &All, chapter: &mut Chapter) {
    let thickness = study.shape.thickness.hypot(SIGMA_END);
    let sizes = &study.sizes;
    let (mut panels, mut said, mut nearest) = (Vec::new(), Vec::new(), 0.0_f64);
    for parametrisation in Parametrisation::ALL {
        let Some(found) = all.of(Class::ScoreOde, parametrisation) else { continue };
        let (along, off) = found.first_order;
        let flat = Class::ScoreOde.flat_shift(parametrisation, study.shape.thickness, Range::USUAL)
            * normal_share(2);
        for (shift, slope) in [(found.along[0], along), (found.off[0], off)] {
            nearest = nearest.max((shift.value / (slope.value * sizes[0]) - 1.0).abs());
        }
        let line =
            |slope: f64| Mark::dashed(sizes.clone(), sizes.iter().map(|s| s * slope).collect());
        let panel = Panel::new(
            error_of(parametrisation),
            size_axis(parametrisation),
            Axis::log("median shift (length)"),
        );
        panels.push(
            panel
                .with("", Ink::Tangent, band(sizes, &found.along))
                .with("", Ink::Normal, band(sizes, &found.off))
                .with(
                    "along the manifold",
                    Ink::Tangent,
                    Mark::points(sizes.clone(), values(&found.along)),
                )
                .with(
                    "off the manifold",
                    Ink::Normal,
                    Mark::points(sizes.clone(), values(&found.off)),
                )
                .with("along, first order", Ink::Tangent, line(along.value))
                .with("off, first order", Ink::Normal, line(off.value))
                .with("off a flat, T6.1", Ink::Predicted, line(flat))
                .with(
                    "thickness of the data",
                    Ink::Guide,
                    Mark::Rule { at: thickness, vertical: false },
                ),
        );
        said.push(format!(
            "{}: along {}, off {} (flat, constant error: {})",
            error_of(parametrisation),
            with_bar(along),
            with_bar(off),
            short(flat)
        ));
    }
    let caption = format!(
        "Median shift of samples of the score-based flow along the moons (distance between nearest points) and off them \
         (change of the offset from the nearest point), with 95 % bands over {} random errors. Shifts for each unit of a small error: \
         {}. The lines are those slopes, $\\varepsilon|\\delta_T|$ and $\\varepsilon|\\delta_N|$, by duals; at the smallest size \
         the measured shifts are within {} of them.",
        study.errors,
        said.join("; "),
        short(nearest)
    );
    let not_shown = "That the response of the density is supported on the data's support is a theorem for every smooth error (T1.2), so it is no evidence of \
                     robustness; only the sizes of shifts are.";
    let figure =
        Figure::new("shift-by-error", "Shift along and off the moons, by kind of error", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(5e-3));
    claim_of_the_support(all, thickness, chapter);
}

fn claim_of_the_support(all: &All, thickness: f64, chapter: &mut Chapter) {
    let part =
        |parametrisation| all.of(Class::ScoreOde, parametrisation).map(|found| found.first_order);
    let (Some(denoiser), Some(noise)) =
        (part(Parametrisation::Denoiser), part(Parametrisation::Noise))
    else {
        return;
    };
    let parts = Parametrisation::ALL.map(part);
    chapter.find(
        along_not_off(&parts.into_iter().flatten().collect::<Vec<_>>()),
        "shift-by-error",
        "Paper: samples appear to shift along the support of the data but not away from it. (That infinitesimal errors change the density only on the manifold, T1.2, \
         holds for every smooth model and tells none from another.)",
        format!(
            "On two moons a small error of size ε moves the median sample off by ({})ε when it is one of the denoiser, ({})ε when it is one of the noise prediction, \
             beside ({})ε and ({})ε along. The first becomes as large as the thickness {} of the data at ε = {}, the second at ε = {}.",
            with_bar(denoiser.1),
            with_bar(noise.1),
            with_bar(denoiser.0),
            with_bar(noise.0),
            short(thickness),
            short(thickness / denoiser.1.value),
            short(thickness / noise.1.value),
        ),
    );
}

/// The shift off the moons of all classes against size, one panel for each prediction.
pub fn by_class(study: &Study, all: &All, chapter: &mut Chapter) {
    let thickness = study.shape.thickness.hypot(SIGMA_END);
    let sizes = &study.sizes;
    let panel = |parametrisation| {
        let mut panel = Panel::new(
            error_of(parametrisation),
            size_axis(parametrisation),
            Axis::log("median shift off (length)"),
        );
        for (class, found) in all.rows_of(parametrisation) {
            let ink = ink_of(class);
            panel = panel.with("", ink, band(sizes, &found.off)).with(
                class.name(),
                ink,
                Mark::points(sizes.clone(), values(&found.off)),
            );
        }
        panel.with(
            "thickness of the data",
            Ink::Guide,
            Mark::Rule { at: thickness, vertical: false },
        )
    };
    let panels = Parametrisation::ALL.map(panel).to_vec();
    let said: Vec<String> = Parametrisation::ALL
        .iter()
        .filter_map(|p| Some(format!("{}, {}", error_of(*p), spread(all, *p)?)))
        .collect();
    let ratio = |kind| {
        let part = |class| all.of(class, kind).map(|found| found.first_order.1.value);
        Some(part(Class::ScoreSde)? / part(Class::ScoreOde)?)
    };
    let stochastic: Vec<String> = Parametrisation::ALL
        .iter()
        .filter_map(|kind| Some(format!("{}, {} times", error_of(*kind), short(ratio(*kind)?))))
        .collect();
    let caption = format!(
        "Median shift off the moons of every model class, with 95 % bands over {} random errors; the error field and the \
         data are the same for all. Between the least and the largest first-order shift off of the three flows of Gaussian \
         paths (score ODE, flow matching, interpolant) lie factors of: {}. The stochastic sampler beside its flow: {}.",
        study.errors,
        said.join("; "),
        stochastic.join("; ")
    );
    let not_shown = "Errors here are functions of the state x of each model, which is scaled differently from class to class; \
                     the chapter on model classes takes the same function of x/a, and then the three flows agree to rounding where it is an \
                     error of the denoiser or of the noise prediction, not where it is one of the score or the velocity, whose share in the denoiser depends on a.";
    let figure = Figure::new("shift-by-class", "Shift off the moons, by model class", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(5e-3));
}

/// Of the three flows of Gaussian paths: largest over least |δ_N|.
fn spread(all: &All, parametrisation: Parametrisation) -> Option<String> {
    let flows = [Class::ScoreOde, Class::FlowMatching, Class::Interpolant];
    let sizes =
        flows.iter().map(|class| Some(all.of(*class, parametrisation)?.first_order.1.value));
    let sizes: Vec<f64> = sizes.collect::<Option<_>>()?;
    let (least, most) = ends(sizes);
    Some(short(most / least))
}
