//! Samples of other manifolds, and how they lie along and off them, with and without error.

use super::errors::{error_of, ink_of_kind, name_of};
use super::manifolds::STEPS;
use super::pictures::shares;
use super::study::Study;
use crate::drift::{Pairs, Parametrisation};
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::model_class::{Class, Flaw};
use crate::experiments::shape::Shape;
use crate::experiments::words::{ends, measured, short};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::Chapter;
use rayon::prelude::*;

/// Size of the error in the pictures, and of that in the densities.
const SIZES: (f64, f64) = (0.3, 0.1);

/// Samples of a density, and how many of them are drawn in a picture.
const SAMPLES: (usize, usize) = (1600, 45);

/// Bins of a density.
const BINS: usize = 14;

/// Samples of one shape without error and under each kind of it, at both sizes, `D×samples`.
struct Drawn {
    exact: Vec<f64>,
    /// Some at the first size, all at the second.
    moved: Vec<(Parametrisation, Vec<f64>, Vec<f64>)>,
}

fn draw(setting: &Setting, shape: &Shape) -> Result<Drawn> {
    let stream = setting.stream(super::NAME).named(shape.name).named("pictures");
    // The score-based flow has no use for pairs.
    let dim = shape.manifold.ambient();
    let none = Pairs::new(dim, vec![0.0; dim], vec![0.0; dim], (0.3, 0.3))?;
    let study = Study {
        shape,
        pairs: &none,
        sizes: Vec::new(),
        errors: 1,
        samples: SAMPLES.0,
        steps: STEPS,
        stream,
    };
    let (model, error) = (study.model(Class::ScoreOde), study.error(0));
    let starts = model.starts(&shape.law, SAMPLES.0, stream.named("start"))?;
    let some = &starts[..SAMPLES.1 * shape.manifold.ambient()];
    let ends = |starts: &[f64], kind, size: f64| {
        let flaw = Flaw { error: &error, parametrisation: kind };
        model.ends(starts, flaw, size, stream)
    };
    let jobs = Parametrisation::ALL.to_vec();
    let moved = jobs
        .into_par_iter()
        .map(|kind| Ok((kind, ends(some, kind, SIZES.0)?, ends(&starts, kind, SIZES.1)?)))
        .collect::<Result<_>>()?;
    Ok(Drawn { exact: ends(&starts, Parametrisation::Noise, 0.0)?, moved })
}

/// Both figures.
///
/// *Errors*: as the models.
pub fn add(setting: &Setting, shapes: &[&Shape], chapter: &mut Chapter) -> Result<()> {
    let drawn: Vec<Drawn> =
        shapes.iter().map(|shape| draw(setting, shape)).collect::<Result<_>>()?;
    let (mut pictures, mut densities) = (Vec::new(), Vec::new());
    let (mut far, mut heights) = (Vec::new(), Vec::new());
    for (shape, drawn) in shapes.iter().zip(&drawn) {
        let mut distances = Vec::new();
        let window = window(shape, drawn);
        for (kind, moved, _) in &drawn.moved {
            pictures.push(picture(shape, *kind, window, &drawn.exact, moved));
            let off = shape.distances(moved)?;
            let mean = off.iter().sum::<f64>() / off.len() as f64;
            distances.push(format!("{} {}", name_of(*kind), short(mean)));
        }
        far.push(format!("{}: {}", shape.name, distances.join(", ")));
        let (along, off, spreads) = density(shape, drawn)?;
        densities.extend([along, off]);
        heights.push(format!("{}: {spreads}", shape.name));
    }
    let caption = format!(
        "{} samples of the score-based flow without error and with one random error of size ε = {} of each prediction (columns), in profile: distance from the axis \
         and height for sphere and torus, the first two coordinates for the ellipse and the Swiss roll. Mean distance from the manifold with the error: {}.",
        SAMPLES.1,
        SIZES.0,
        far.join("; ")
    );
    let not_shown = "A profile shows what is off the manifold, not where along the axis of symmetry samples move to. One random error.";
    let title = "Samples of ellipse, sphere, torus and Swiss roll by kind of error";
    let figure = Figure::new("other-manifolds-samples", title, pictures);
    chapter.figures.push(figure.in_columns(4).says(caption, not_shown).within(1e-3));
    let caption = format!(
        "Where {} samples of the score-based flow lie along (left) and off (right) four manifolds, without error and with the same random error of size ε = {} of each \
         prediction, 95 % intervals of shares. Root mean square height without error, and over it with an error: {}.",
        SAMPLES.0,
        SIZES.1,
        heights.join("; ")
    );
    let not_shown = "One random error; samples beyond the range of the heights are in no bin, but in the root mean squares.";
    let title = "Density along and off ellipse, sphere, torus and Swiss roll";
    let figure = Figure::new("other-manifolds-densities", title, densities);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(2e-2));
    Ok(())
}

/// Least and largest coordinates of all that is drawn of a shape, with some room: its pictures have one scale.
fn window(shape: &Shape, drawn: &Drawn) -> [[f64; 2]; 2] {
    let some = SAMPLES.1 * shape.manifold.ambient();
    let clouds = drawn.moved.iter().map(|(_, moved, _)| moved.as_slice());
    let points = clouds.chain([&drawn.exact[..some]]);
    let points = points.flat_map(|cloud| cloud.chunks_exact(shape.manifold.ambient()));
    let (x, y) = shape.profile_outline(60);
    let outline = x.into_iter().zip(y).filter(|(x, _)| x.is_finite()).map(|(x, y)| [x, y]);
    let all: Vec<[f64; 2]> = points.map(|y| shape.profile(y)).chain(outline).collect();
    [0, 1].map(|i| {
        let (low, high) = ends(all.iter().map(|point| point[i]));
        let room = 0.04 * (high - low);
        [low - room, high + room]
    })
}

/// Samples in profile.
fn picture(
    shape: &Shape,
    kind: Parametrisation,
    [across, up]: [[f64; 2]; 2],
    exact: &[f64],
    moved: &[f64],
) -> Panel {
    let cloud = |points: &[f64]| {
        let some = points.chunks_exact(shape.manifold.ambient()).take(SAMPLES.1);
        let (x, y) = some.map(|y| shape.profile(y)).map(|[x, y]| (x, y)).unzip();
        Mark::points(x, y)
    };
    let (x, y) = shape.profile_outline(60);
    let plane = Panel {
        x: Axis::hidden().from_to(across[0], across[1]),
        y: Axis::hidden().from_to(up[0], up[1]),
        ..Panel::plane(format!("{}: {}", shape.name, name_of(kind)))
    };
    plane
        .with("without error", Ink::Measured, cloud(exact))
        .with("with error", Ink::Error, cloud(moved))
        .with("data manifold", Ink::Data, Mark::line(x, y))
}

/// Densities of the nearest points and of the heights, and the spread of the heights in words.
fn density(shape: &Shape, drawn: &Drawn) -> Result<(Panel, Panel, String)> {
    let coordinates = |points: &[f64]| -> Result<[Vec<f64>; 2]> {
        let mut parts = [Vec::new(), Vec::new()];
        for y in points.chunks_exact(shape.manifold.ambient()) {
            let spot = shape.spot(y)?;
            parts[0].push(spot.foot()[0]);
            parts[1].push(spot.offset[spot.offset.len() - 1]);
        }
        Ok(parts)
    };
    let spread = |h: &[f64]| (h.iter().map(|h| h * h).sum::<f64>() / h.len() as f64).sqrt();
    let exact = coordinates(&drawn.exact)?;
    let widest = exact[0].iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let ranges = [(-widest, widest), (-5.0 * shape.thickness, 5.0 * shape.thickness)];
    let (mut panels, mut words) = (Vec::new(), vec![short(spread(&exact[1]))]);
    let labels = ["x₁ of the nearest point", "height over the manifold"];
    for (part, title) in ["along", "off"].into_iter().enumerate() {
        let (from, to) = ranges[part];
        let panel = Panel::new(
            format!("{}: {title}", shape.name),
            Axis::new(labels[part]),
            Axis::new("share of samples in a bin"),
        );
        panels.push(panel.with(
            "without error",
            Ink::Data,
            Mark::histogram(&exact[part], from, to, BINS),
        ));
    }
    for (nth, (kind, _, moved)) in drawn.moved.iter().enumerate() {
        let moved = coordinates(moved)?;
        words.push(format!("{} {}", name_of(*kind), short(spread(&moved[1]) / spread(&exact[1]))));
        for (part, panel) in panels.iter_mut().enumerate() {
            let (from, to) = ranges[part];
            let width = (to - from) / BINS as f64;
            let found = shares(&moved[part], ranges[part], BINS);
            let beside = 0.5 + 0.2 * (nth as f64 - 1.5);
            let at = (0..BINS).map(|bin| from + (bin as f64 + beside) * width).collect();
            *panel = std::mem::take(panel).with(
                error_of(*kind),
                ink_of_kind(*kind),
                measured(at, &found),
            );
        }
    }
    let off = panels.pop().unwrap_or_default();
    Ok((panels.pop().unwrap_or_default(), off, words.join(", ")))
}
