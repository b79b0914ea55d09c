//! Shifts of samples of two moons for each unit of an infinitesimal error, by class and kind of error.

use super::errors::{All, class_axis, classes, error_of, name_of, normal_share};
use super::study::Study;
use crate::drift::Parametrisation;
use crate::experiments::model_class::{Class, Range, SIGMA_END};
use crate::experiments::relation::below;
use crate::experiments::words::{measured, with_bar};
use crate::facts::Quantity;
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};
use crate::record::{Chapter, Relation};

/// First-order shifts of every class under every error, beside the flat prediction: a figure and the table behind it.
pub fn first_order(study: &Study, all: &All, chapter: &mut Chapter) {
    let caption = format!(
        "Median shifts along and off the moons for each unit of an infinitesimal error, by duals, with 95 % confidence intervals over {} \
         random errors; beside them the shift off a flat manifold of the same thickness by an error that is constant along \
         the path (T6.1, T4.3), times the median |w_N| of a Gaussian field.",
        study.errors
    );
    let mut table = Table::new(
        "first-order-shifts",
        "Shifts of samples of two moons for each unit of an infinitesimal error",
        caption.clone(),
        [
            "model class",
            "error of",
            "along",
            "off",
            "off a flat (T6.1)",
            "size at which off = thickness",
        ],
    );
    let thickness = study.shape.thickness.hypot(SIGMA_END);
    let mut panels = Vec::new();
    for parametrisation in Parametrisation::ALL {
        let (mut at, mut along, mut off, mut flat) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (class, found) in all.rows_of(parametrisation) {
            at.push(class.place() as f64);
            let (tangent, normal) = found.first_order;
            along.push(tangent);
            off.push(normal);
            flat.push(
                class.flat_shift(parametrisation, study.shape.thickness, Range::USUAL)
                    * normal_share(2),
            );
            table.rows.push(vec![
                class.name().into(),
                name_of(parametrisation).into(),
                tangent.into(),
                normal.into(),
                flat.last().copied().unwrap_or(f64::NAN).into(),
                Cell::from(thickness / normal.value),
            ]);
        }
        let y = Axis::log("shift per unit of error");
        let left: Vec<f64> = at.iter().map(|x| x - 0.12).collect();
        let right: Vec<f64> = at.iter().map(|x| x + 0.12).collect();
        panels.push(
            Panel::new(error_of(parametrisation), class_axis(), y)
                .with("along the manifold", Ink::Tangent, measured(left, &along))
                .with("off the manifold", Ink::Normal, measured(right, &off))
                .with("off a flat, T6.1", Ink::Predicted, Mark::points(at, flat)),
        );
    }
    let caption = format!("{caption} Classes: {}.", classes());
    let not_shown = "First order says nothing of errors larger than about the reach, a quarter here, over the shift per unit. \
                     Optimal transport has no score of its own to be wrong about.";
    let figure =
        Figure::new("first-order-by-class", "First-order shifts along and off the moons", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(1e-3));
    chapter.tables.push(table);
    find(all, chapter);
}

fn find(all: &All, chapter: &mut Chapter) {
    let off = |class, kind| all.of(class, kind).map(|found| found.first_order.1);
    let share = |kind| {
        Some((
            off(Class::ScoreSde, kind)?,
            off(Class::ScoreOde, kind)?,
            off(Class::FlowMatching, kind)?,
        ))
    };
    let (Some(noise), Some(velocity)) =
        (share(Parametrisation::Noise), share(Parametrisation::Velocity))
    else {
        return;
    };
    let apart = |same: bool| {
        if same { "do not differ within their bars" } else { "differ by more than their bars" }
    };
    chapter.find(
        claim_of_the_classes(&[(noise.1, noise.2), (velocity.1, velocity.2)]),
        "first-order-by-class",
        "Our reading of the paper (the abstract does not say it): score-based models have a robust support, some flow-matching \
         models less so (T6.4).",
        format!(
            "Shift off for each unit of error: noise prediction {} (score, ODE), {} (score, SDE), {} (flow matching); velocity {}, {} and {}. At equal errors of the \
             noise prediction the two flows {}, at equal errors of the velocity they {}; the stochastic sampler and flow matching, at equal errors of the noise \
             prediction, {}.",
            with_bar(noise.1),
            with_bar(noise.0),
            with_bar(noise.2),
            with_bar(velocity.1),
            with_bar(velocity.0),
            with_bar(velocity.2),
            apart(overlap(noise.1, noise.2)),
            apart(overlap(velocity.1, velocity.2)),
            apart(overlap(noise.0, noise.2)),
        ),
    );
}

fn overlap(a: Quantity, b: Quantity) -> bool {
    !below(a, b) && !below(b, a)
}

/// What shifts off of a score-based flow and of flow matching say of "the first are more robust", for several kinds of error held
/// equal in turn.
pub fn claim_of_the_classes(pairs: &[(Quantity, Quantity)]) -> Relation {
    let robust = pairs.iter().filter(|(score, flow)| below(*score, *flow)).count();
    let less = pairs.iter().filter(|(score, flow)| below(*flow, *score)).count();
    match (robust, less) {
        (robust, _) if robust == pairs.len() => Relation::Agrees,
        (0, _) => Relation::Contradicts,
        _ => Relation::Sharpens,
    }
}
