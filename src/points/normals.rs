//! Exact normals of a hypersurface, given beside its points.

use super::Rows;
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use std::path::Path;

/// Lengths this close to 1 are those of unit vectors written with three digits or more.
const LENGTH_TOLERANCE: f64 = 1e-3;

/// Normals n, n' of one point with 1 − |⟨n, n'⟩| below this (0.8°) are the same but for rounding and sign.
const SAME_NORMAL: f64 = 1e-4;

/// Points, and their normals as columns, from rows that hold a point and then its unit normal.
///
/// *Errors*: [`Error::File`] when the columns are not two halves of at least two, or a normal is not a unit vector.
pub fn split(path: &Path, rows: Rows) -> Result<(Rows, DMatrix<f64>)> {
    let columns = rows.columns;
    if columns < 4 || columns % 2 == 1 {
        let problem = format!(
            "{columns} column{}, but with --normals a row is a point and its normal: twice the dimension, at least 4",
            if columns == 1 { "" } else { "s" }
        );
        let hint = "x, y, z, then the three entries of the unit normal; leave out --normals where the file has none";
        return Err(Error::file(path, problem, hint));
    }
    let dim = columns / 2;
    let count = rows.values.len() / columns;
    let all = DMatrix::from_vec(columns, count, rows.values);
    let normals = all.rows(dim, dim).into_owned();
    let wrong = |length: f64| (length - 1.0).abs() > LENGTH_TOLERANCE;
    let bad: Vec<usize> = (0..count).filter(|i| wrong(normals.column(*i).norm())).collect();
    if let Some(&first) = bad.first() {
        let rest = if bad.len() > 1 {
            format!(" ({} such normals in all)", bad.len())
        } else {
            String::new()
        };
        let problem = format!(
            "the normal of point {first} (counted from 0), its last {dim} columns, has length {}, not 1{rest}",
            normals.column(first).norm()
        );
        return Err(Error::file(
            path,
            problem,
            "normals divided by their lengths; leave out --normals where the last half of the columns are none",
        ));
    }
    let points = all.rows(0, dim).into_owned();
    let values = points.as_slice().to_vec();
    Ok((Rows { columns: dim, shape: vec![dim], values }, normals))
}

/// The unit normals after each coordinate x_c was divided by `units[c]`: tangents shrink with the points, so
/// that normals grow.
pub fn rescaled(mut normals: DMatrix<f64>, units: &[f64]) -> DMatrix<f64> {
    // Lengths of 1e100 as units: only their ratios count.
    let largest = units.iter().copied().fold(0.0, f64::max);
    for (mut row, unit) in normals.row_iter_mut().zip(units) {
        row *= unit / largest;
    }
    normals.column_iter_mut().for_each(|mut normal| {
        normal.normalize_mut();
    });
    normals
}

/// One normal for each group of equal points; NaN where they differ, at a crease or a crossing.
pub fn merged(all: &DMatrix<f64>, groups: &[Vec<usize>]) -> DMatrix<f64> {
    let mut merged = DMatrix::from_element(all.nrows(), groups.len(), f64::NAN);
    for (mut normal, group) in merged.column_iter_mut().zip(groups) {
        let first = all.column(group[0]);
        if group.iter().all(|i| 1.0 - first.dot(&all.column(*i)).abs() < SAME_NORMAL) {
            normal.copy_from(&first);
        }
    }
    merged
}

/// What a reader should know of points without one normal.
pub fn note(normals: &DMatrix<f64>) -> Option<String> {
    let without = normals.row(0).iter().filter(|entry| entry.is_nan()).count();
    (without > 0).then(|| {
        format!("{without} points stand in several rows with different normals; their planes are not compared")
    })
}
