//! Samples of two moons, and their densities.

use super::errors::error_of;
use super::study::{Exact, Study};
use crate::drift::Parametrisation;
use crate::error::Result;
use crate::experiments::model_class::{Class, Flaw, SIGMA_END};
use crate::experiments::words::{measured, short};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::Chapter;
use std::f64::consts::PI;

/// Size of the error in the pictures of samples.
const SHOWN: f64 = 0.3;
/// Samples drawn in each picture.
const DRAWN: usize = 100;
/// Bins of densities.
const BINS: usize = 24;

fn cloud(points: &[f64], dim: usize) -> Mark {
    let coordinate = |i: usize| points.chunks_exact(dim).take(DRAWN).map(|p| p[i]).collect();
    Mark::points(coordinate(0), coordinate(1))
}

/// Samples of every class, and of one class under every error.
///
/// *Errors*: as [`Study::samples`].
pub fn samples(study: &Study, chapter: &mut Chapter) -> Result<()> {
    let error = study.error(0);
    let stream = study.stream.named("pictures");
    let (x, y) = study.shape.outline(60);
    // A picture with the mean distances from the moons with and without the error.
    let panel = |title: &str, class: Class, exact: &Exact, parametrisation| -> Result<_> {
        let flaw = Flaw { error: &error, parametrisation };
        let (model, noise) = (study.model(class), stream.named("noise"));
        let moved = model.ends(&exact.starts, flaw, SHOWN, noise)?;
        let distance = |samples: &[f64]| -> Result<f64> {
            let each = study.shape.distances(samples)?;
            Ok(each.iter().sum::<f64>() / each.len() as f64)
        };
        let panel = Panel::plane(title)
            .with("without error", Ink::Measured, cloud(&exact.ends, 2))
            .with("with error", Ink::Error, cloud(&moved, 2))
            .with("data manifold", Ink::Data, Mark::line(x.clone(), y.clone()));
        Ok((panel, [distance(&moved)?, distance(&exact.ends)?]))
    };
    let said_of = |title: &str, [with, without]: [f64; 2]| {
        format!("{title} {} ({} without)", short(with), short(without))
    };
    let (mut panels, mut said, mut most) = (Vec::new(), Vec::new(), 0.0_f64);
    for class in Class::ALL {
        let exact = study.exact(class, stream)?;
        let (drawn, distances) = panel(class.name(), class, &exact, Parametrisation::Velocity)?;
        panels.push(drawn);
        said.push(said_of(class.name(), distances));
        most = most.max(distances[0] / distances[1]);
    }
    let thickness = study.shape.thickness.hypot(SIGMA_END);
    let caption = format!(
        "Samples of each model class without error and with one and the same random error of its velocity, of size ε = \
         {SHOWN}: the same field $w(x)$, of correlation length 1. Mean distance from the moons with the error, and without: {}. \
         The law has thickness {}, which about a straight line is a mean distance of {}. The error multiplies the mean distance by up to {}.",
        said.join(", "),
        short(thickness),
        short(thickness * (2.0 / PI).sqrt()),
        short(most),
    );
    let not_shown = "The size ε is the same number for all classes, not the same error: a velocity error of one class is \
                     another denoiser error than that of the next (T6.4). Times run over [0, 1] for all.";
    let name = "samples-by-class";
    let figure = Figure::new(name, "Two moons under an error of the velocity", panels);
    chapter.figures.push(figure.in_columns(3).says(caption, not_shown).within(1e-3));

    let exact = study.exact(Class::ScoreOde, stream)?;
    let (mut panels, mut said, mut worst) = (Vec::new(), Vec::new(), ("", [0.0, 1.0]));
    for parametrisation in Parametrisation::ALL {
        let title = error_of(parametrisation);
        let (drawn, distances) = panel(title, Class::ScoreOde, &exact, parametrisation)?;
        panels.push(drawn);
        said.push(said_of(title, distances));
        if distances[0] > worst.1[0] {
            worst = (title, distances);
        }
    }
    let caption = format!(
        "The probability flow of the score-based model under the same random field of size ε = {SHOWN} as an error of each of \
         its four predictions. Mean distance from the moons: {}. The farthest off goes the {}: {} \
         times the distance without error.",
        said.join(", "),
        worst.0,
        short(worst.1[0] / worst.1[1]),
    );
    let not_shown = "Four errors of equal size in four units: of a trained model one would have to know in which prediction \
                     its error is about constant over time.";
    let figure =
        Figure::new("samples-by-error", "Two moons: one model, four kinds of error", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(1e-3));
    Ok(())
}

/// The share of the values in each of so many equal bins of a range.
pub fn shares(values: &[f64], (from, to): (f64, f64), bins: usize) -> Vec<Quantity> {
    let width = (to - from) / bins as f64;
    let inside = |bin: usize| {
        let low = from + bin as f64 * width;
        values.iter().filter(|v| (low..low + width).contains(v)).count()
    };
    (0..bins).map(|bin| Quantity::sampled_share(inside(bin), values.len(), REPORTED)).collect()
}

/// Densities along the moons and across them, with and without error.
///
/// *Errors*: as [`Study::samples`].
pub fn densities(study: &Study, chapter: &mut Chapter) -> Result<()> {
    let many = Study { samples: 4000, sizes: Vec::new(), ..*study };
    let error = many.error(0);
    let size = SHOWN / 3.0;
    let reach = 5.0 * study.shape.thickness;
    // Position along a moon in radians, both moons together, and height over it.
    let coordinates = |points: &[f64]| -> Result<(Vec<f64>, Vec<f64>)> {
        let mut pairs = (Vec::new(), Vec::new());
        for y in points.chunks_exact(2) {
            let spot = study.shape.spot(y)?;
            pairs.0.push(spot.foot()[0]);
            pairs.1.push(spot.offset[1]);
        }
        Ok(pairs)
    };
    let ranges = [(-1.0, 2.0), (-reach, reach)];
    let labels = ["x₁ of the nearest point", "height over the nearest moon"];
    let titles = ["along: density of the nearest point", "off: density of the height"];
    let mut panels: Vec<Panel> = titles
        .iter()
        .zip(labels)
        .map(|(title, label)| {
            Panel::new(*title, Axis::new(label), Axis::new("share of samples in a bin"))
        })
        .collect();
    let spread = |h: &[f64]| (h.iter().map(|h| h * h).sum::<f64>() / h.len() as f64).sqrt();
    let stream = many.stream.named("densities");
    let found = many.exact(Class::ScoreOde, stream)?;
    let exact = coordinates(&found.ends)?;
    for ((panel, range), exact) in panels.iter_mut().zip(ranges).zip([&exact.0, &exact.1]) {
        let mark = Mark::histogram(exact, range.0, range.1, BINS);
        *panel = std::mem::take(panel).with("without error", Ink::Data, mark);
    }
    let mut spreads = vec![spread(&exact.1)];
    let kinds = [Parametrisation::Noise, Parametrisation::Denoiser];
    for (index, parametrisation) in kinds.into_iter().enumerate() {
        let flaw = Flaw { error: &error, parametrisation };
        let (model, noise) = (many.model(Class::ScoreOde), stream.named("noise"));
        let moved = coordinates(&model.ends(&found.starts, flaw, size, noise)?)?;
        spreads.push(spread(&moved.1));
        for ((panel, range), moved) in panels.iter_mut().zip(ranges).zip([&moved.0, &moved.1]) {
            let shares = shares(moved, range, BINS);
            let width = (range.1 - range.0) / BINS as f64;
            let at = (0..BINS).map(|bin| range.0 + (bin as f64 + 0.5) * width).collect();
            let mark = measured(at, &shares);
            let ink = [Ink::Measured, Ink::Error][index];
            *panel = std::mem::take(panel).with(error_of(parametrisation), ink, mark);
        }
    }
    let caption = format!(
        "Where 4000 samples of the score-based flow lie along the moons (left) and across them (right), without error and with \
         the same random field of size ε = {} as error of the noise prediction and of the denoiser. Root mean square height: \
         {} without error, {} with the error of the noise prediction, {} with that of the denoiser (in units of the first: {} \
         and {}).",
        short(size),
        short(spreads[0]),
        short(spreads[1]),
        short(spreads[2]),
        short(spreads[1] / spreads[0]),
        short(spreads[2] / spreads[0]),
    );
    let not_shown = "One random error; samples beyond the range of the heights are in no bin. That the first-order response \
                     of the density is supported where the density is (T1.2) holds for every smooth error and tells none from another.";
    let figure = Figure::new("densities", "Density along and across the moons", panels);
    chapter.figures.push(figure.says(caption, not_shown).within(2e-2));
    Ok(())
}
