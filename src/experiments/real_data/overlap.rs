//! Planes of images, where none are known: the flow against local PCA, and local PCA against itself.

use super::images::Images;
use super::spectra::TOLERANCE;
use crate::error::Result;
use crate::experiments::words::{measured, values};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Panel};
use crate::observe::data::tangents::size;
use crate::points::local_planes;
use nalgebra::DMatrix;

/// Dimensions at which planes are compared.
const DIMENSIONS: [usize; 5] = [1, 2, 4, 8, 16];

/// The share of one plane that lies in another of the same dimension: ‖AᵀB‖²/d, the mean of cos² of the principal angles.
///
/// Between a plane and a random one it is d/D on average.
pub fn overlap(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    a.tr_mul(b).norm_squared() / a.ncols() as f64
}

/// Overlaps over dimension.
///
/// *Errors*: as [`local_planes`].
pub fn figure(images: [&Images; 2]) -> Result<Figure> {
    let mut panels = Vec::new();
    let mut words = Vec::new();
    for seen in images {
        let usable = |d: &usize| {
            *d <= seen.runs[0].spectrum.end_vectors.ncols()
                && size(*d, seen.set.len()).is_some_and(|k| 2 * k <= seen.set.len())
        };
        let dimensions: Vec<usize> = DIMENSIONS.into_iter().filter(usable).collect();
        let (mut with_flow, mut with_itself) = (Vec::new(), Vec::new());
        for d in dimensions.iter().copied() {
            let k = size(d, seen.set.len()).unwrap_or(2 * d);
            let (mut flow, mut itself) = (Vec::new(), Vec::new());
            for run in &seen.runs {
                let planes = local_planes(&seen.set, &run.end, &[k, 2 * k], d)?;
                let vectors = run.spectrum.end_vectors.columns(0, d).into_owned();
                flow.push(overlap(&vectors, &planes[0]));
                itself.push(overlap(&planes[0], &planes[1]));
            }
            with_flow.push(Quantity::sampled_mean(&flow, REPORTED));
            with_itself.push(Quantity::sampled_mean(&itself, REPORTED));
        }
        let x: Vec<f64> = dimensions.iter().map(|d| *d as f64).collect();
        let chance: Vec<f64> = x.iter().map(|d| d / seen.set.dim() as f64).collect();
        let axes = (Axis::log("dimension d"), Axis::new("overlap").from_to(0.0, 1.0));
        let mut panel = Panel::new(seen.plan.name, axes.0, axes.1);
        for (name, ink, overlaps) in [
            ("top d and local PCA", Ink::Lyapunov, &with_flow),
            ("local PCA, k and 2k", Ink::Null, &with_itself),
        ] {
            let line = Mark::line(x.clone(), values(overlaps));
            panel = panel.with(name, ink, line).with(name, ink, measured(x.clone(), overlaps));
        }
        let dotted = Mark::Line { x: x.clone(), y: chance, dash: Dash::Dotted };
        panels.push(panel.with("random plane, d/D", Ink::Predicted, dotted));
        let told = |overlaps: &[Quantity], i: usize| {
            format!("{:.2} ± {:.2}", overlaps[i].value, overlaps[i].bar)
        };
        let last = dimensions.len() - 1;
        words.push(format!(
            "{}: {} at d = {} and {} at d = {} (local PCA with itself at twice the size: {} and {})",
            seen.plan.name,
            told(&with_flow, 0),
            dimensions[0],
            told(&with_flow, last),
            dimensions[last],
            told(&with_itself, 0),
            told(&with_itself, last),
        ));
    }
    let caption = format!(
        "The share of local PCA's plane (k the first of 8, 16, … from 2d) that lies in the span of the top d Lyapunov vectors at \
         the end states, means over trajectories with 95 % bars. {}. Dotted: a random plane.",
        words.join("; ")
    );
    let not_shown = "No true planes are known: agreement is not accuracy, and local PCA's own change with its size says how little \
        the planes are defined.";
    Ok(Figure::new("image-planes", "Planes of images: the flow and local PCA", panels)
        .says(caption, not_shown)
        .within(TOLERANCE.max(0.05)))
}
