//! States of a model as pictures: points of the plane, or images.

use super::Found;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::linalg::symmetric_eigen;
use nalgebra::{DMatrix, DVector};

/// Points of each kind that are drawn.
const POINTS: usize = 1000;

/// Images in a row, and rows of them.
const TILES: (usize, usize) = (6, 4);

/// Vectors drawn from either end of the spectrum.
const VECTORS: usize = 8;

/// Samples beside data.
pub fn samples(found: &Found<'_>) -> Figure {
    let of_data = found.data.map(|set| &set.points);
    let panels = match found.shape {
        Some(shape) => {
            // A few entries far out would take all the colours.
            let seen = of_data.map(|points| {
                let (low, high) = (points.min(), points.max());
                found.samples.map(|x| x.clamp(low, high))
            });
            let mut panels = vec![images("samples", seen.as_ref().unwrap_or(found.samples), shape)];
            panels.extend(of_data.map(|points| images("data", &spread_out(points), shape)));
            panels
        }
        None => vec![plane(found.samples, of_data)],
    };
    let told = match (found.samples.nrows(), found.shape) {
        (_, Some(_)) => {
            "Random samples and data points; samples are cut off at the range of the data."
                .to_owned()
        }
        (1 | 2, _) => "Samples over data points.".to_owned(),
        (dim, _) => format!("The two directions of most variance, of {dim}."),
    };
    let title = if of_data.is_some() { "Samples beside data" } else { "Samples" };
    Figure::new("samples", title, panels).says(told, "How rare what is missing is.")
}

/// Top end-point and start-point vectors as images, and the bottom ones where the whole spectrum is known.
pub fn vectors(found: &Found<'_>) -> Option<Figure> {
    let (shape, run) = (found.shape?, found.runs.first()?);
    let tile = |columns: Vec<DVector<f64>>, title: &str| {
        let tiled = DMatrix::from_columns(&columns);
        let across = tiled.ncols().div_ceil(2);
        raster(title, &tiled, shape, (across, 2), true)
    };
    let ends = &run.spectrum.end_vectors;
    let column = |i: usize| ends.column(i).into_owned();
    let top = ends.ncols().min(VECTORS);
    let mut panels = vec![tile((0..top).map(column).collect(), "top end-point vectors")];
    let whole = ends.ncols() == ends.nrows();
    if whole {
        let bottom = ends.ncols().saturating_sub(VECTORS)..ends.ncols();
        panels.push(tile(bottom.map(column).collect(), "bottom end-point vectors"));
    }
    let runs = found.runs.iter().take(top);
    let ends = DMatrix::from_columns(&runs.map(|run| run.end.clone()).collect::<Vec<_>>());
    let tiles = (ends.ncols().div_ceil(2), ends.ncols().min(2));
    let title = if ends.ncols() == 1 { "the sample" } else { "samples, the first is theirs" };
    panels.push(raster(title, &ends, shape, tiles, false));
    let not_shown =
        if whole { "Vectors between." } else { "Bottom vectors: they need the whole Jacobian." };
    let columns = panels.len();
    let figure = Figure::new(
        "vectors",
        "Lyapunov vectors at the end of the first trajectory, as images",
        panels,
    );
    let caption = "In the order of their growth, row by row, all of unit length; white is no change. A small change of the noise moves the sample \
                   along the top vectors most, along the bottom ones least.";
    Some(figure.in_columns(columns).says(caption, not_shown))
}

/// Every few columns, so that sorted data show all kinds.
fn spread_out(points: &DMatrix<f64>) -> DMatrix<f64> {
    let wanted = TILES.0 * TILES.1;
    let step = (points.ncols() / wanted).max(1);
    let chosen: Vec<usize> = (0..points.ncols()).step_by(step).take(wanted).collect();
    points.select_columns(&chosen)
}

fn images(title: &str, states: &DMatrix<f64>, shape: (usize, usize)) -> Panel {
    let shown = states.columns(0, states.ncols().min(TILES.0 * TILES.1)).into_owned();
    raster(title, &shown, shape, TILES, false)
}

/// Images side by side with a pixel between them.
fn raster(
    title: &str,
    states: &DMatrix<f64>,
    (rows, columns): (usize, usize),
    (across, down): (usize, usize),
    signed: bool,
) -> Panel {
    let (width, height) = (across * (columns + 1) - 1, down * (rows + 1) - 1);
    let blank = if signed { 0.0 } else { states.min() };
    let mut values = vec![blank; width * height];
    for (i, state) in states.column_iter().enumerate().take(across * down) {
        let (left, top) = ((i % across) * (columns + 1), (i / across) * (rows + 1));
        for (at, value) in state.iter().enumerate() {
            values[(top + at / columns) * width + left + at % columns] = *value;
        }
    }
    let extent = [0.0, width as f64, 0.0, height as f64];
    let panel = Panel { equal: true, ..Panel::new(title, Axis::hidden(), Axis::hidden()) };
    panel.with("", Ink::Measured, Mark::Raster { extent, columns: width, values, signed })
}

/// The plane, or the plane of most variance of the data.
fn plane(samples: &DMatrix<f64>, data: Option<&DMatrix<f64>>) -> Panel {
    let reference = data.unwrap_or(samples);
    let mean = reference.column_mean();
    let dim = samples.nrows();
    let axes = match dim {
        1 | 2 => DMatrix::identity(dim, dim),
        _ => {
            let mut centred = reference.clone();
            centred.column_iter_mut().for_each(|mut x| x -= &mean);
            symmetric_eigen(&(&centred * centred.transpose())).1
        }
    };
    let seen = |points: &DMatrix<f64>| {
        let step = points.ncols().div_ceil(POINTS).max(1);
        let shown = || points.column_iter().step_by(step);
        let along = |i: usize| -> Vec<f64> {
            let offset = if dim > 2 { &mean * 1.0 } else { &mean * 0.0 };
            shown()
                .map(|x| if i < dim { (x - &offset).dot(&axes.column(i)) } else { 0.0 })
                .collect()
        };
        Mark::points(along(0), along(1))
    };
    let label =
        |i: &str| if dim > 2 { format!("principal component {i}") } else { format!("x{i}") };
    let mut panel =
        Panel { equal: true, ..Panel::new("", Axis::new(label("1")), Axis::new(label("2"))) };
    if let Some(data) = data {
        panel = panel.with("data", Ink::Data, seen(data));
    }
    panel.with("samples", Ink::Measured, seen(samples))
}
