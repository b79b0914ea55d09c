//! Points of data files, and the manifolds that they lie about.

use super::located::At;
use super::reader::Reader;
use crate::error::Result;
use crate::manifold::{Chart, Manifold, Ridge};
use crate::points::{Columns, PointSet, Scaling};

/// The points of a data file; relative paths start at the folder of the scenario file.
pub(super) fn points(reader: &Reader<'_>, file: &At<String>) -> Result<PointSet> {
    let path = reader.source.beside(&file.value);
    reader.located(&file.span, PointSet::read(&path, Columns::Points, Scaling::None))
}

/// The points of a data set that comes with the library.
pub(super) fn built_in(reader: &Reader<'_>, name: &At<String>) -> Result<PointSet> {
    reader.located(&name.span, PointSet::named(&name.value, Scaling::None))
}

/// The ridge of points, of that dimension, under a kernel that spreads as far as so many neighbours of a point.
///
/// It is refused where twice the width shows no ridge: then nothing would tell how far it may be off.
pub(super) fn ridge(
    reader: &Reader<'_>,
    set: &PointSet,
    dimension: &At<u32>,
    neighbours: Option<&At<u32>>,
) -> Result<Manifold> {
    let most = u32::try_from(set.len() - 1).unwrap_or(u32::MAX);
    let d = reader.count(dimension, 1, u32::try_from(set.dim()).unwrap_or(u32::MAX))?;
    let count = match neighbours {
        Some(count) => reader.count(count, 2, most)?,
        None => 2_usize.saturating_mul(4_usize.saturating_pow(d as u32)).min(most as usize),
    };
    // Rows spread evenly over a ball of that radius have this deviation in each direction.
    let width = set.neighbour_distance(count) / (d as f64 + 2.0).sqrt();
    let samples = set.points.column_iter().zip(&set.log_weights);
    let samples = samples.map(|(x, log)| (x.iter().copied().collect(), *log)).collect();
    let made = Ridge::new(samples, d, width).and_then(|ridge| {
        ridge.coarser()?;
        Manifold::new(Chart::Ridge(ridge))
    });
    reader.located(&dimension.span, made)
}
