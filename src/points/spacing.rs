//! How far apart the points are: below this scale each is its own basin of attraction.

use super::PointSet;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// At most so many points are asked for their nearest neighbour, evenly spread over the set.
pub const MOST_QUERIES: usize = 5000;

/// Queries and points multiplied at once: 128·1024 products stay in the cache of a core.
const BLOCK: (usize, usize) = (128, 1024);

/// Distances to the nearest other point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spacing {
    /// How many points were asked; all of them up to [`MOST_QUERIES`].
    pub queries: usize,
    /// The smallest distance.
    pub least: f64,
    /// The median distance.
    pub median: f64,
    /// The largest distance.
    pub largest: f64,
}

impl PointSet {
    /// The median distance to the `count`-th nearest other point, over at most [`MOST_QUERIES`]/10 of them.
    ///
    /// *Panics* when there are no so many others.
    pub fn neighbour_distance(&self, count: usize) -> f64 {
        let asked = self.len().min(MOST_QUERIES / 10);
        let distance = |i: usize| {
            let from: DVector<f64> = self.points.column(i * self.len() / asked).into();
            let mut squares: Vec<f64> =
                self.points.column_iter().map(|x| (x - &from).norm_squared()).collect();
            // The nearest is the point itself.
            squares.select_nth_unstable_by(count, f64::total_cmp).1.sqrt()
        };
        let mut distances: Vec<f64> = (0..asked).into_par_iter().map(distance).collect();
        distances.sort_by(f64::total_cmp);
        0.5 * (distances[(asked - 1) / 2] + distances[asked / 2])
    }

    /// Statistics of the distances between nearest neighbours.
    pub fn spacing(&self) -> Spacing {
        let asked = self.len().min(MOST_QUERIES);
        let queries: Vec<usize> = (0..asked).map(|i| i * self.len() / asked).collect();
        let mut distances = nearest_distances(&self.points, &queries);
        distances.sort_by(f64::total_cmp);
        let median = 0.5 * (distances[(asked - 1) / 2] + distances[asked / 2]);
        Spacing { queries: asked, least: distances[0], median, largest: distances[asked - 1] }
    }
}

/// The distance from each queried column to the nearest other column.
///
/// *Accuracy*: that of |x − y| computed directly. The matrix product
/// |x|² + |y|² − 2x·y only rules out columns that are farther by more than its
/// rounding error.
pub fn nearest_distances(points: &DMatrix<f64>, queries: &[usize]) -> Vec<f64> {
    // Rounding of the products grows with |x|: measure from the mean.
    let mean = points.column_mean();
    let mut centred = points.clone();
    centred.column_iter_mut().for_each(|mut point| point -= &mean);
    let squares: Vec<f64> = centred.column_iter().map(|point| point.norm_squared()).collect();
    let largest = squares.iter().copied().fold(0.0, f64::max);
    // An inner product of D terms errs by D·ε·|x||y| at most; two norms and their sum by as much again.
    let rounding = 4.0 * (points.nrows() as f64 + 4.0) * f64::EPSILON * largest;

    let block = |queries: &[usize]| {
        let transposed = centred.select_columns(queries).transpose();
        let mut near = vec![Candidates::default(); queries.len()];
        let mut first = 0;
        while first < points.ncols() {
            let width = BLOCK.1.min(points.ncols() - first);
            let products = &transposed * centred.columns(first, width);
            for (q, candidates) in near.iter_mut().enumerate() {
                for j in (0..width).filter(|j| first + j != queries[q]) {
                    let square = squares[queries[q]] + squares[first + j] - 2.0 * products[(q, j)];
                    candidates.offer(first + j, square, rounding);
                }
            }
            first += width;
        }
        let exact = |(query, candidates): (&usize, &Candidates)| {
            let from: DVector<f64> = points.column(*query).into();
            let distance = |&(j, _): &(usize, f64)| (&from - points.column(j)).norm();
            candidates.list.iter().map(distance).fold(f64::INFINITY, f64::min)
        };
        queries.iter().zip(&near).map(exact).collect::<Vec<f64>>()
    };
    queries.par_chunks(BLOCK.0).flat_map_iter(block).collect()
}

/// The columns that may be nearest, given an uncertainty of their squared distances.
#[derive(Clone, Debug)]
struct Candidates {
    list: Vec<(usize, f64)>,
    least: f64,
}

impl Default for Candidates {
    fn default() -> Self {
        Self { list: Vec::new(), least: f64::INFINITY }
    }
}

impl Candidates {
    fn offer(&mut self, index: usize, square: f64, rounding: f64) {
        if square > self.least + 2.0 * rounding {
            return;
        }
        if square < self.least {
            self.least = square;
            self.list.retain(|(_, other)| *other <= square + 2.0 * rounding);
        }
        self.list.push((index, square));
    }
}
