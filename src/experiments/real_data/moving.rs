//! Moving an end state along top and along bottom Lyapunov vectors.

use super::images::Images;
use super::mosaic::{mosaic, panel, with_rows};
use super::spectra::TOLERANCE;
use crate::error::Result;
use crate::experiments::relation::below;
use crate::experiments::words::{measured, values};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::{Chapter, Relation};
use nalgebra::{DMatrix, DVector, DVectorView};

/// Lengths of moves, in units of the median distance between nearest images.
const LENGTHS: [f64; 9] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0];

/// The length that is told in words.
const TOLD: usize = 4;

/// Moves shown as images, in the same unit.
const SHOWN: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];

/// Vectors at each end.
const VECTORS: usize = 3;

/// What moves along some vectors do; one value a trajectory, means over its vectors and both signs.
pub struct Moves {
    /// Distance to the nearest point, for each length.
    pub distance: Vec<Vec<f64>>,
    /// The share of the move that the denoiser leaves, |D(y + hv) − D(y)|/h, for each length above 0.
    pub kept: Vec<Vec<f64>>,
}

/// Moves every end state along its vectors, by each length (the first is 0), in units of the data.
pub fn moves(seen: &Images, vectors: &[DMatrix<f64>], lengths: &[f64]) -> Moves {
    let distance = |y: &DVector<f64>| {
        let squares = seen.set.points.column_iter().map(|x| (x - y).norm_squared());
        squares.fold(f64::INFINITY, f64::min).sqrt()
    };
    let mean = |length: f64, value: &dyn Fn(&DVector<f64>, usize) -> f64| -> Vec<f64> {
        let of_run = |(i, frame): (usize, &DMatrix<f64>)| {
            let moved = frame
                .column_iter()
                .flat_map(|v| [-length, length].map(|h| value(&(&seen.runs[i].end + v * h), i)));
            moved.sum::<f64>() / (2.0 * frame.ncols() as f64)
        };
        vectors.iter().enumerate().map(of_run).collect()
    };
    let rest: Vec<DVector<f64>> = seen.runs.iter().map(|run| seen.denoised(&run.end)).collect();
    Moves {
        distance: lengths.iter().map(|h| mean(*h, &|y, _| distance(y))).collect(),
        kept: lengths[1..]
            .iter()
            .map(|h| mean(*h, &|y, i| (seen.denoised(y) - &rest[i]).norm() / h))
            .collect(),
    }
}

/// Adds the figure and what it says.
///
/// *Errors*: none today.
pub fn add(images: [&Images; 2], chapter: &mut Chapter) -> Result<()> {
    let mut pictures = Vec::new();
    let mut curves = Vec::new();
    let mut words = Vec::new();
    let mut rises = Vec::new();
    for seen in images {
        let unit = seen.spacing.median;
        let top: Vec<DMatrix<f64>> = seen
            .runs
            .iter()
            .map(|run| run.spectrum.end_vectors.columns(0, VECTORS).into_owned())
            .collect();
        let bottom: Vec<DMatrix<f64>> =
            seen.bottom.iter().map(|(frame, _)| frame.columns(0, VECTORS).into_owned()).collect();
        let lengths = LENGTHS.map(|h| h * unit);
        let [along_top, along_bottom] =
            [&top, &bottom].map(|vectors| moves(seen, vectors, &lengths));
        pictures.push(picture(seen, &top, &bottom));
        curves.push(curve(seen, &along_top, &along_bottom));
        let told = |values: &[Vec<f64>], at: usize, unit: f64| {
            let values: Vec<f64> = values[at].iter().map(|v| v / unit).collect();
            Quantity::sampled_mean(&values, REPORTED)
        };
        let rise = |moves: &Moves| -> Quantity {
            let rises: Vec<f64> = moves.distance[TOLD]
                .iter()
                .zip(&moves.distance[0])
                .map(|(moved, rest)| (moved - rest) / unit)
                .collect();
            Quantity::sampled_mean(&rises, REPORTED)
        };
        let (up, down) = (rise(&along_top), rise(&along_bottom));
        rises.push((up, down));
        let kept = [&along_top, &along_bottom].map(|moves| told(&moves.kept, TOLD - 1, 1.0));
        words.push(format!(
            "{}: a move by the spacing takes a state {} spacings further from the nearest image along the top vectors, {} along \
             the bottom ones; one step of the denoiser leaves {} and {} of it",
            seen.plan.name,
            with_bar(up),
            with_bar(down),
            with_bar(kept[0]),
            with_bar(kept[1]),
        ));
    }
    let caption = format!(
        "Above: posterior means of one end state moved by −2, −1, 0, 1, 2 median distances between nearest images (the spacing) along its first \
         (upper row) and its last vector. Below: how much the distance to the nearest image grows, means over end states, three vectors each \
         and both signs, 95 % bars; dotted, √(r² + h²) − r for a move at a right angle to all images. {}.",
        words.join(". ")
    );
    let not_shown = "The nearest image is that of a finite set: along a true manifold the distance would grow too, where there \
        are no images. The states themselves are noisy and not shown.";
    let panels = pictures.into_iter().chain(curves).collect();
    let figure = Figure::new("moving", "Moving along top and bottom vectors", panels)
        .says(caption, not_shown)
        .in_columns(2)
        .within(TOLERANCE.max(0.05));
    chapter.figures.push(figure);
    chapter.find(
        along_the_data(&rises),
        "moving",
        "Paper: the most sensitive directions lie along the data, so that errors shift samples along the support.",
        format!("{}.", words.join(". ")),
    );
    Ok(())
}

/// What growths of the distance along top and along bottom vectors say of "along the data".
pub fn along_the_data(rises: &[(Quantity, Quantity)]) -> Relation {
    match rises.iter().all(|(top, bottom)| below(*top, *bottom)) {
        true => Relation::Agrees,
        false if rises.iter().any(|(top, bottom)| below(*bottom, *top)) => Relation::Contradicts,
        false => Relation::Open,
    }
}

fn with_bar(quantity: Quantity) -> String {
    format!("{:.2} ± {:.2}", quantity.value, quantity.bar)
}

fn picture(seen: &Images, top: &[DMatrix<f64>], bottom: &[DMatrix<f64>]) -> Panel {
    let end = &seen.runs[0].end;
    let row = |v: DVectorView<'_, f64>| -> Vec<Vec<f64>> {
        let sign = if v.sum() < 0.0 { -1.0 } else { 1.0 };
        let moved = |h: &f64| {
            seen.denoised(&(end + v * (sign * h * seen.spacing.median))).as_slice().to_vec()
        };
        SHOWN.iter().map(moved).collect()
    };
    let rows = [row(top[0].column(0)), row(bottom[0].column(0))];
    let images = mosaic(&rows, seen.plan.side, false);
    let title = format!("{}: moved, denoised", seen.plan.name);
    with_rows(panel(title).with("", Ink::Data, images), &["1st", "last"], seen.plan.side)
}

fn curve(seen: &Images, along_top: &Moves, along_bottom: &Moves) -> Panel {
    let unit = seen.spacing.median;
    let mean = |values: &[f64]| {
        let scaled: Vec<f64> = values.iter().map(|v| v / unit).collect();
        Quantity::sampled_mean(&scaled, REPORTED)
    };
    let marks = |moves: &Moves| {
        let rise = |values: &Vec<f64>| -> Vec<f64> {
            values.iter().zip(&moves.distance[0]).map(|(moved, rest)| moved - rest).collect()
        };
        let means: Vec<Quantity> =
            moves.distance.iter().map(|values| mean(&rise(values))).collect();
        [Mark::line(LENGTHS.to_vec(), values(&means)), measured(LENGTHS.to_vec(), &means)]
    };
    let orthogonal: Vec<f64> = LENGTHS
        .iter()
        .map(|h| {
            let each: Vec<f64> =
                along_top.distance[0].iter().map(|rest| rest.hypot(h * unit) - rest).collect();
            mean(&each).value
        })
        .collect();
    let axes = (Axis::new("move / spacing"), Axis::new("growth of distance / spacing"));
    let mut panel = Panel::new(seen.plan.name, axes.0, axes.1);
    for mark in marks(along_top) {
        panel = panel.with("along the top three", Ink::Lyapunov, mark);
    }
    for mark in marks(along_bottom) {
        panel = panel.with("along the bottom three", Ink::Normal, mark);
    }
    let dotted =
        Mark::Line { x: LENGTHS.to_vec(), y: orthogonal, dash: crate::figure::Dash::Dotted };
    panel.with("right angle to all data", Ink::Predicted, dotted)
}
