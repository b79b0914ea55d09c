//! Data sets: rows of a file as points, checked, scaled, and with repeated rows merged.
//!
//! The points become the atoms of an exact denoiser, so nothing is repaired in
//! silence: what can be used is used and noted ([`PointSet::notes`]), what
//! cannot is refused with the row and the column.

mod csv;
mod energy;
mod local;
mod normals;
mod npy;
mod spacing;

pub use energy::{Energy, deviation};
pub use local::local_planes;
pub use spacing::{MOST_QUERIES, Spacing, nearest_distances};

use crate::error::{Error, Result};
use crate::random::chosen;
use nalgebra::DMatrix;
use std::path::Path;

/// Larger files are refused: their points would not fit the memory of a small machine.
pub const LARGEST_FILE: u64 = 1 << 30;

/// Larger entries are refused, so that squares and sums of squares stay finite.
pub const LARGEST_ENTRY: f64 = 1e100;

/// Points whose coordinates spread less or more, after scaling, are refused: fourth powers of lengths
/// (norms of covariances) shall neither vanish nor overflow.
pub const SPREAD: std::ops::RangeInclusive<f64> = 1e-70..=1e70;

/// The built-in sets, and what their columns hold. Where they come from is told in `data/README.md`.
const BUILT_IN: &[(&str, Columns, &[u8])] = &[
    ("digits8x8_1797x64.npy", Columns::Points, include_bytes!("../../data/digits8x8_1797x64.npy")),
    (
        "s2_gvp_volcanoes_xyz.npy",
        Columns::Points,
        include_bytes!("../../data/s2_gvp_volcanoes_xyz.npy"),
    ),
    (
        "s2_vega_earthquakes_xyz.npy",
        Columns::Points,
        include_bytes!("../../data/s2_vega_earthquakes_xyz.npy"),
    ),
    (
        "mesh_bunny_5000pts_with_normals.npy",
        Columns::PointsAndNormals,
        include_bytes!("../../data/mesh_bunny_5000pts_with_normals.npy"),
    ),
];

/// A further set that comes with the library: too large to be looked at without being asked for.
const CLOTHING: (&str, Columns, &[u8]) = (
    "fashion_2000x28x28_u8.npy",
    Columns::Points,
    include_bytes!("../../data/fashion_2000x28x28_u8.npy"),
);

/// What the columns of a file hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// The coordinates of a point.
    #[default]
    Points,
    /// The D coordinates of a point of a hypersurface, then the D entries of its unit normal there.
    PointsAndNormals,
}

/// How coordinates are scaled before anything is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scaling {
    /// As in the file.
    #[default]
    None,
    /// Divided by one number, so that the largest |entry| is 1. Keeps angles.
    Unit,
    /// The mean subtracted, then divided by one number, so that the mean square distance from the mean is 1.
    /// Keeps angles.
    Centred,
    /// Each column to mean 0 and variance 1, constant columns to 0. Changes angles.
    Standard,
}

/// Rows of numbers as read from a file, all finite, at least two, at least one column.
#[derive(Debug)]
struct Rows {
    columns: usize,
    /// Lengths of the axes of one row, as the file has them; a plain row has one.
    shape: Vec<usize>,
    /// Row after row.
    values: Vec<f64>,
}

/// Distinct points with the share of rows that each stands for.
#[derive(Clone, Debug)]
pub struct PointSet {
    /// The file, without its folder.
    pub name: String,
    /// Rows of the file.
    pub rows: usize,
    /// `D×N`: the distinct points as columns, in the order of their first row.
    pub points: DMatrix<f64>,
    /// Logarithm of the share of rows equal to each point; the shares sum to 1.
    pub log_weights: Vec<f64>,
    /// Columns of coordinates in the file (counted from 0) that hold one value only.
    pub constant_columns: Vec<usize>,
    /// `D×N`, where the file gives them: the exact unit normal at each point, NaN where equal points have
    /// different ones.
    pub normals: Option<DMatrix<f64>>,
    /// What a reader should know: merged rows, constant columns, scaling.
    pub notes: Vec<String>,
}

impl PointSet {
    /// The points of a `.npy` or `.csv` file.
    ///
    /// *Errors*: [`Error::File`] names the file, the row and column where there is one, and what to try.
    pub fn read(path: &Path, columns: Columns, scaling: Scaling) -> Result<Self> {
        let read: fn(&Path, &[u8]) -> Result<Rows> = match extension(path).as_str() {
            "npy" => npy::read,
            "csv" => csv::read,
            other => {
                let found =
                    if other.is_empty() { "no extension".into() } else { format!(".{other}") };
                let problem = format!("{found}: not a format that is read");
                return Err(Error::file(path, problem, "a .npy file (numpy.save) or a .csv file"));
            }
        };
        Self::from_rows(path, read(path, &bytes_of(path)?)?, columns, scaling)
    }

    /// The real data sets that come with the command: 8×8 digits, volcanoes and earthquakes on the sphere,
    /// and the surface of a bunny with its normals.
    pub fn built_in(scaling: Scaling) -> Result<Vec<Self>> {
        BUILT_IN.iter().map(|found| Self::from_bytes(*found, scaling)).collect()
    }

    /// One set that comes with the library, by the name of its file: one of [`PointSet::built_in`], or the clothing.
    ///
    /// *Errors*: [`Error::Input`] for an unknown name.
    pub fn named(name: &str, scaling: Scaling) -> Result<Self> {
        let known = || BUILT_IN.iter().copied().chain([CLOTHING]);
        let Some(found) = known().find(|(known, ..)| *known == name) else {
            let names: Vec<&str> = known().map(|(name, ..)| name).collect();
            return Err(Error::input(
                name,
                "no data set of this name is built in",
                names.join(", "),
            ));
        };
        Self::from_bytes(found, scaling)
    }

    fn from_bytes(
        (name, columns, bytes): (&str, Columns, &[u8]),
        scaling: Scaling,
    ) -> Result<Self> {
        let path = Path::new(name);
        Self::from_rows(path, npy::read(path, bytes)?, columns, scaling)
    }

    /// Equally likely points, the columns of a matrix, which must differ.
    pub fn of_points(name: &str, points: DMatrix<f64>) -> Self {
        let count = points.ncols();
        Self {
            name: name.to_owned(),
            rows: count,
            points,
            log_weights: vec![-(count as f64).ln(); count],
            constant_columns: Vec::new(),
            normals: None,
            notes: Vec::new(),
        }
    }

    fn from_rows(path: &Path, rows: Rows, columns: Columns, scaling: Scaling) -> Result<Self> {
        let shape = rows.shape.clone();
        let (rows, normals) = match columns {
            Columns::Points => (rows, None),
            Columns::PointsAndNormals => {
                let (points, normals) = normals::split(path, rows)?;
                (points, Some(normals))
            }
        };
        let (dim, count) = (rows.columns, rows.values.len() / rows.columns);
        let mut all = DMatrix::from_vec(dim, count, rows.values);
        // −0 and 0 are one point.
        all.iter_mut().for_each(|entry| *entry += 0.0);
        let constant_columns: Vec<usize> =
            (0..dim).filter(|&c| all.row(c).iter().all(|entry| *entry == all[(c, 0)])).collect();
        let mut notes = Vec::new();
        if shape.len() > 1 {
            let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
            notes.push(format!("each row is an array of {} numbers, flattened", axes.join("×")));
        }
        let (units, note) = scale(&mut all, scaling);
        notes.extend(note);
        let groups = equal_columns(&all);
        let first: Vec<usize> = groups.iter().map(|group| group[0]).collect();
        let points = all.select_columns(&first);
        let share = |group: &Vec<usize>| (group.len() as f64 / count as f64).ln();
        let log_weights = groups.iter().map(share).collect();
        if points.ncols() == 1 {
            let problem = format!("all {count} rows are the same point");
            return Err(Error::file(path, problem, "a file with at least two different rows"));
        }
        let spread = points.row_iter().map(|row| row.max() - row.min()).fold(0.0, f64::max);
        if !SPREAD.contains(&spread) {
            let problem = format!(
                "coordinates spread over {spread:e}, outside {:e} to {:e}: squares of lengths would \
                 be lost",
                SPREAD.start(),
                SPREAD.end()
            );
            return Err(Error::file(path, problem, "--scale unit, or another unit of length"));
        }
        if points.ncols() < count {
            notes.push(format!(
                "{} of {count} rows repeat an earlier row; merged into weights",
                count - points.ncols()
            ));
        }
        if !constant_columns.is_empty() {
            notes.push(format!("{} of {dim} columns are constant; kept", constant_columns.len()));
        }
        let normals = normals.map(|all| normals::merged(&normals::rescaled(all, &units), &groups));
        notes.extend(normals.as_ref().and_then(normals::note));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, rows: count, points, log_weights, constant_columns, normals, notes })
    }

    /// Dimension of the ambient space.
    pub fn dim(&self) -> usize {
        self.points.nrows()
    }

    /// Number of distinct points.
    pub fn len(&self) -> usize {
        self.points.ncols()
    }

    /// A random point of the law of the rows: its index, from a number uniform in [0, 1).
    ///
    /// Repeated rows count as often as they stand in the file.
    pub fn drawn(&self, uniform: f64) -> usize {
        chosen(uniform, self.log_weights.iter().map(|w| w.exp()))
    }

    /// Always false: a point set has at least two points.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// The bytes of a regular file of acceptable size.
fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| {
        Error::file(path, format!("cannot be read ({error})"), "the path and its permissions")
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::file(path, "not a regular file", "a .npy or .csv file"));
    }
    if metadata.len() > LARGEST_FILE {
        let problem =
            format!("{} bytes, more than the {LARGEST_FILE} that are read", metadata.len());
        return Err(Error::file(path, problem, "a subset of the rows"));
    }
    std::fs::read(path).map_err(unreadable)
}

/// Refuses entries that nothing can be computed from; `place` names an entry by row and column from 0.
fn check(path: &Path, rows: Rows, place: impl Fn(usize, usize) -> String) -> Result<Rows> {
    let Rows { columns, values, .. } = &rows;
    if *columns == 0 {
        return Err(Error::file(path, "rows without columns", "at least one number a row"));
    }
    if values.len() < 2 * columns {
        let problem = if values.is_empty() { "no rows" } else { "one row only" };
        return Err(Error::file(path, problem, "at least two rows: each row is a point"));
    }
    let bad = |entry: &f64| !entry.is_finite() || entry.abs() > LARGEST_ENTRY;
    if let Some(at) = values.iter().position(bad) {
        let count = values.iter().filter(|entry| bad(entry)).count();
        let rest =
            if count > 1 { format!(" ({count} such entries in all)") } else { String::new() };
        let problem = format!("{} at {}{rest}", values[at], place(at / columns, at % columns));
        let hint =
            format!("remove or fill the rows with entries not finite or beyond {LARGEST_ENTRY:e}");
        return Err(Error::file(path, problem, hint));
    }
    Ok(rows)
}

/// Scales the columns (points) of a matrix; by what each coordinate was divided, and what was done in words.
fn scale(points: &mut DMatrix<f64>, scaling: Scaling) -> (Vec<f64>, Option<String>) {
    let (dim, count) = (points.nrows(), points.ncols() as f64);
    let positive = |size: f64| if size > 0.0 { size } else { 1.0 };
    let subtract_mean = |points: &mut DMatrix<f64>| {
        let mean = points.column_mean();
        points.column_iter_mut().for_each(|mut point| point -= &mean);
    };
    match scaling {
        Scaling::None => (vec![1.0; dim], None),
        Scaling::Unit => {
            let size = positive(points.amax());
            *points /= size;
            (vec![size; dim], Some(format!("divided by {size}: the largest entry is 1")))
        }
        Scaling::Centred => {
            subtract_mean(points);
            let size = positive((points.norm_squared() / count).sqrt());
            *points /= size;
            let note =
                format!("centred and divided by {size:.6}: mean square distance from the mean 1");
            (vec![size; dim], Some(note))
        }
        Scaling::Standard => {
            let constant: Vec<bool> =
                points.row_iter().map(|row| row.iter().all(|entry| *entry == row[0])).collect();
            subtract_mean(points);
            let mut units = vec![1.0; dim];
            for ((mut row, constant), unit) in points.row_iter_mut().zip(constant).zip(&mut units) {
                // The mean of equal numbers may be off by rounding, which must not become a unit.
                if constant {
                    row.fill(0.0);
                } else {
                    *unit = positive((row.norm_squared() / count).sqrt());
                    row /= *unit;
                }
            }
            let note = "each column to mean 0 and variance 1: angles are not those of the file";
            (units, Some(note.into()))
        }
    }
}

/// The indices of equal columns, in order of their first.
fn equal_columns(all: &DMatrix<f64>) -> Vec<Vec<usize>> {
    let column = |i: usize| &all.as_slice()[i * all.nrows()..(i + 1) * all.nrows()];
    let compare = |a: usize, b: usize| {
        let differing = column(a).iter().zip(column(b)).map(|(x, y)| x.total_cmp(y));
        differing.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    };
    let mut order: Vec<usize> = (0..all.ncols()).collect();
    order.sort_by(|&a, &b| compare(a, b).then(a.cmp(&b)));
    let mut groups: Vec<Vec<usize>> =
        order.chunk_by(|&a, &b| compare(a, b).is_eq()).map(<[usize]>::to_vec).collect();
    groups.sort_unstable();
    groups
}

#[cfg(test)]
mod tests;
