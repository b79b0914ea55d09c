//! The norm of the second fundamental form, by second derivatives through the chart.

use super::chart::{Adapted, Chart, jet};
use super::nearest::extent;
use super::scatter::{Scatter, compass};
use crate::facts::{Grade, Quantity};
use crate::linalg::symmetric_eigen;
use nalgebra::{DMatrix, DVector};

/// Relative accuracy that the local improvement is trusted with.
const IMPROVED: f64 = 1e-7;

/// II(e_a, e_b) for an orthonormal frame e: normal vectors, at index a·d + b.
fn second_form(chart: &Chart, u: &[f64]) -> (usize, Vec<DVector<f64>>) {
    let d = chart.dim();
    let jet = jet(chart, u);
    let Adapted { frame, directions, .. } = Adapted::new(&jet.jacobian, d);
    let mut form = vec![DVector::zeros(chart.ambient()); d * d];
    for a in 0..d {
        // Σ_i A_ia ∂_i∂_j x, then the other slot, then the normal part:
        // valid for overcomplete parameters too, as a chart's second
        // derivative along Aα differs from II only by tangent vectors.
        let mut row = DMatrix::zeros(chart.ambient(), u.len());
        for (i, second) in jet.second.iter().enumerate() {
            row += second * directions[(i, a)];
        }
        let both = row * &directions;
        let normal = &both - &frame * frame.tr_mul(&both);
        for b in 0..d {
            form[a * d + b] = normal.column(b).into_owned();
        }
    }
    (d, form)
}

/// max |II(a, a)| over unit tangents a at parameters u.
///
/// It equals max |II(a, b)| over pairs, since for each unit normal n the form
/// ⟨n, II⟩ is symmetric. The maximum is climbed by turns: the best a for a
/// normal (an eigenvector), then the best normal for a.
pub(super) fn norm_at(chart: &Chart, u: &[f64]) -> f64 {
    /// Starts of the climb.
    const STARTS: usize = 4;
    let (d, form) = second_form(chart, u);
    if d == 1 {
        return form[0].norm();
    }
    let mut order: Vec<usize> = (0..d * d).filter(|i| i / d <= i % d).collect();
    order.sort_by(|&i, &j| form[j].norm().total_cmp(&form[i].norm()));
    order.iter().take(STARTS).map(|&i| climb(d, &form, form[i].clone())).fold(0.0, f64::max)
}

fn climb(d: usize, form: &[DVector<f64>], mut normal: DVector<f64>) -> f64 {
    /// Turns allowed; codimension 1 needs one.
    const TURNS: usize = 60;
    let mut best = 0.0;
    for _ in 0..TURNS {
        let length = normal.norm();
        if length == 0.0 {
            break;
        }
        normal /= length;
        let shape = DMatrix::from_fn(d, d, |a, b| form[a * d + b].dot(&normal));
        let (values, vectors) = symmetric_eigen(&shape);
        let at = if values[0].abs() >= values[d - 1].abs() { 0 } else { d - 1 };
        let direction = vectors.column(at);
        normal = DVector::zeros(normal.len());
        for a in 0..d {
            for b in 0..d {
                normal.axpy(direction[a] * direction[b], &form[a * d + b], 1.0);
            }
        }
        let found = normal.norm();
        if found <= best * (1.0 + 1e-12) {
            return best.max(found);
        }
        best = found;
    }
    best
}

/// K of a chart: the largest norm on a grid, improved locally; the bar compares two grids.
///
/// Products are taken leaf by leaf.
pub(super) fn estimated(chart: &Chart) -> Quantity {
    let of = |leaf: &Chart| {
        let (coarse, fine) = (largest(leaf, 1.0), largest(leaf, 1.6));
        let value = coarse.max(fine);
        Quantity::new(value, (fine - coarse).abs() + IMPROVED * value, Grade::Estimated)
    };
    chart.leaves().into_iter().map(of).reduce(Quantity::max).unwrap_or(Quantity::UNKNOWN)
}

/// The largest norm over a grid of relative fineness `fineness`, improved by a compass search.
fn largest(leaf: &Chart, fineness: f64) -> f64 {
    let axes = leaf.axes();
    // Second derivatives in many parameters are dear.
    let improved = if axes.len() > 2 { 1 } else { 2 };
    let waves = leaf.oscillations();
    let per_axis = match axes.len() {
        1 => (32.0 * waves).clamp(64.0, 800.0),
        _ => (7.0 * waves).clamp(10.0, 20.0),
    } * fineness;
    let scatter = Scatter::new(leaf, per_axis as usize, (100.0 * fineness) as usize);
    let mut found: Vec<(f64, &Vec<f64>)> =
        scatter.places.iter().map(|u| (norm_at(leaf, u), u)).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let step = axes.iter().map(extent).fold(f64::INFINITY, f64::min) / per_axis.max(8.0);
    let improve =
        |(_, u): &(f64, &Vec<f64>)| -compass(&axes, u, step, step * 1e-4, |u| -norm_at(leaf, u)).1;
    found.iter().take(improved).map(improve).fold(0.0, f64::max)
}
