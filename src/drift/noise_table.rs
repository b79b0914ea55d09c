//! Signal and noise levels given as numbers at some times, in place of a formula.

use crate::error::{Error, Result};
use crate::scalar::Scalar;
use std::path::Path;

/// Signal and noise levels a(s), b(s) through given nodes.
///
/// Interpolated are the angle θ = atan2(b, a) and log √(a² + b²), which stay finite where a or b is 0, by monotone cubic
/// pieces (Fritsch & Carlson, SIAM J. Numer. Anal. 17 (1980)): θ, hence σ = tan θ, decreases between the nodes too.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseTable {
    angle: Cubic,
    log_size: Cubic,
}

/// A C¹ piecewise cubic function of s.
#[derive(Clone, Debug, PartialEq)]
struct Cubic {
    times: Vec<f64>,
    /// For each interval, the coefficients of the powers of s − (its start).
    pieces: Vec<[f64; 4]>,
}

impl NoiseTable {
    /// The table of times from noise (0) to data (1), increasing, with the levels (a, b) at each.
    ///
    /// *Errors*: [`Error::Input`] when there are fewer than two nodes, times do not increase from 0 to 1, levels are
    /// negative or not finite, or b/a does not decrease.
    pub fn new(nodes: &[(f64, f64, f64)]) -> Result<Self> {
        Self::through(nodes, |row, problem| {
            let hint = "rows from noise to data, with signal a and noise level b at least 0 and b/a decreasing";
            Error::input(format!("noise table, row {}", row + 1), problem, hint)
        })
    }

    /// Through the nodes; `refuse` makes the error of what is wrong with one of them.
    fn through(nodes: &[(f64, f64, f64)], refuse: impl Fn(usize, String) -> Error) -> Result<Self> {
        let refuse = |row: usize, problem: String| Err(refuse(row, problem));
        if nodes.len() < 2 {
            return refuse(0, "fewer than two rows".into());
        }
        for (row, (s, a, b)) in nodes.iter().enumerate() {
            let levels = *a >= 0.0 && *b >= 0.0 && a.hypot(*b) > 0.0 && a.hypot(*b).is_finite();
            if !(s.is_finite() && levels) {
                return refuse(row, format!("time {s}, a = {a}, b = {b}"));
            }
        }
        if nodes[0].0 != 0.0 || nodes[nodes.len() - 1].0 != 1.0 {
            return refuse(0, "generating time does not run from 0 to 1".into());
        }
        let angles: Vec<f64> = nodes.iter().map(|(_, a, b)| b.atan2(*a)).collect();
        for row in 1..nodes.len() {
            if nodes[row].0 <= nodes[row - 1].0 {
                return refuse(row, format!("time {} does not increase", nodes[row].0));
            }
            if angles[row] >= angles[row - 1] {
                return refuse(row, "b/a does not decrease".into());
            }
        }
        let times: Vec<f64> = nodes.iter().map(|node| node.0).collect();
        let sizes: Vec<f64> = nodes.iter().map(|(_, a, b)| a.hypot(*b).ln()).collect();
        Ok(Self {
            angle: Cubic::through(&times, &angles),
            log_size: Cubic::through(&times, &sizes),
        })
    }

    /// The levels of a discrete variance-preserving chain: a² = ᾱ_i at index i = 0 … N − 1, from data to noise.
    ///
    /// *Errors*: as [`NoiseTable::new`].
    pub fn of_cumulative_products(products: &[f64]) -> Result<Self> {
        Self::new(&chain(products))
    }

    /// The chain of Ho, Jain & Abbeel (2020): β from 1e-4 to 0.02 in `steps` equal steps, scaled by 1000/`steps`.
    ///
    /// *Errors*: [`Error::Input`] for fewer than 21 steps, where the scaled β exceeds 1.
    pub fn ddpm(steps: usize) -> Result<Self> {
        if !(21..=100_000).contains(&steps) {
            let problem = format!("{steps} steps; β would not be between 0 and 1");
            return Err(Error::input(
                "preset ddpm",
                problem,
                "ddpm:1000, or another number from 21 to 100000",
            ));
        }
        let scale = 1000.0 / steps as f64;
        let beta = |i: usize| scale * (1e-4 + (0.02 - 1e-4) * i as f64 / (steps - 1) as f64);
        let mut product = 1.0;
        let products: Vec<f64> = (0..steps)
            .map(|i| {
                product *= 1.0 - beta(i);
                product
            })
            .collect();
        Self::of_cumulative_products(&products)
    }

    /// A `.csv` file: a column of ᾱ from data to noise (`alphas_cumprod`), or columns t, a, b in either direction of t.
    ///
    /// Times t are stretched to [0, 1]; whether t runs towards the data or the noise is told by b/a.
    ///
    /// *Errors*: [`Error::File`] with the line.
    pub fn read(path: &Path) -> Result<Self> {
        let bad = |problem: String| {
            let hint = "a .csv file with the columns t,a,b or the one column alphas_cumprod";
            Error::file(path, problem, hint)
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(|error| bad(format!("cannot be read ({error})")))?;
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let record = record.map_err(|error| bad(error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let numbers: Vec<Option<f64>> = record.iter().map(|cell| cell.parse().ok()).collect();
            match numbers.iter().copied().collect::<Option<Vec<f64>>>() {
                Some(row) => {
                    rows.push(row);
                    lines.push(line);
                }
                // A head has no number at all.
                None if rows.is_empty() && numbers.iter().all(Option::is_none) => {}
                None => return Err(bad(format!("line {line}: not all cells are numbers"))),
            }
        }
        let nodes = match rows.first().map(Vec::len) {
            Some(1) => {
                let products: Vec<f64> = rows.iter().map(|row| row[0]).collect();
                if let Some(row) = products.iter().position(|p| !(*p > 0.0 && *p < 1.0)) {
                    let (line, product) = (lines[row], products[row]);
                    return Err(bad(format!("line {line}: {product} is not between 0 and 1")));
                }
                lines.reverse();
                chain(&products)
            }
            Some(3) => {
                let (first, last) = (&rows[0], &rows[rows.len() - 1]);
                let to_data = first[2].atan2(first[1]) > last[2].atan2(last[1]);
                let (from, to) = if to_data { (first[0], last[0]) } else { (last[0], first[0]) };
                if !to_data {
                    rows.reverse();
                    lines.reverse();
                }
                rows.iter().map(|row| ((row[0] - from) / (to - from), row[1], row[2])).collect()
            }
            Some(columns) => return Err(bad(format!("{columns} columns"))),
            None => return Err(bad("no row of numbers".into())),
        };
        Self::through(&nodes, |row, problem| bad(format!("line {}: {problem}", lines[row])))
    }

    /// (a(s), b(s)).
    pub fn coefficients<S: Scalar>(&self, s: S) -> (S, S) {
        let (angle, size) = (self.angle.at(s), self.log_size.at(s).exp());
        (size * angle.cos(), size * angle.sin())
    }
}

/// Nodes of a chain with a² = ᾱ_i, i from data to noise.
fn chain(products: &[f64]) -> Vec<(f64, f64, f64)> {
    let last = (products.len().max(2) - 1) as f64;
    let node = |(i, p): (usize, &f64)| (1.0 - i as f64 / last, p.sqrt(), (1.0 - p).sqrt());
    products.iter().enumerate().rev().map(node).collect()
}

impl Cubic {
    fn through(times: &[f64], values: &[f64]) -> Self {
        let steps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
        let chords: Vec<f64> =
            values.windows(2).zip(&steps).map(|(w, h)| (w[1] - w[0]) / h).collect();
        let last = chords.len();
        let slope = |i: usize| match i {
            // At the ends, the parabola's slope where it keeps the sign of the chord.
            0 => end_slope(&steps, &chords, 0, 1),
            i if i == last => end_slope(&steps, &chords, last - 1, last.wrapping_sub(2)),
            i if chords[i - 1] * chords[i] <= 0.0 => 0.0,
            i => {
                let (before, after) =
                    (2.0 * steps[i] + steps[i - 1], steps[i] + 2.0 * steps[i - 1]);
                (before + after) / (before / chords[i - 1] + after / chords[i])
            }
        };
        let slopes: Vec<f64> = (0..times.len()).map(slope).collect();
        let piece = |i: usize| {
            let (h, chord, from, to) = (steps[i], chords[i], slopes[i], slopes[i + 1]);
            [
                values[i],
                from,
                (3.0 * chord - 2.0 * from - to) / h,
                (from + to - 2.0 * chord) / (h * h),
            ]
        };
        Self { times: times.to_vec(), pieces: (0..last).map(piece).collect() }
    }

    fn at<S: Scalar>(&self, s: S) -> S {
        s.compose(|s| {
            let i = self.times.partition_point(|t| *t <= s).clamp(1, self.pieces.len()) - 1;
            let (h, [p, q, r, w]) = (s - self.times[i], self.pieces[i]);
            [p + h * (q + h * (r + h * w)), q + h * (2.0 * r + h * 3.0 * w), r + 3.0 * h * w, w]
        })
    }
}

/// The slope at an end, from the end chord and the one beside it.
fn end_slope(steps: &[f64], chords: &[f64], end: usize, beside: usize) -> f64 {
    let Some((&h, &chord)) = steps.get(beside).zip(chords.get(beside)) else { return chords[end] };
    let slope = ((2.0 * steps[end] + h) * chords[end] - steps[end] * chord) / (steps[end] + h);
    if slope * chords[end] <= 0.0 {
        0.0
    } else if chord * chords[end] <= 0.0 && slope.abs() > 3.0 * chords[end].abs() {
        3.0 * chords[end]
    } else {
        slope
    }
}
