//! Energy distance: how far two samples are from coming from one law.

use crate::facts::{Grade, Quantity};
use crate::random::Stream;
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Resampled pairs of samples behind a bar.
const RESAMPLED: usize = 200;

/// The pairwise distances of two samples, from which their energy distance and its sampling noise follow.
pub struct Energy {
    /// `m×n`: |x_i − y_j|.
    across: DMatrix<f64>,
    /// `m×m`: |x_i − x_j|.
    first: DMatrix<f64>,
    /// `n×n`: |y_i − y_j|.
    second: DMatrix<f64>,
}

impl Energy {
    /// Of the columns of two matrices, at least two columns each.
    pub fn of(x: &DMatrix<f64>, y: &DMatrix<f64>) -> Self {
        Self { across: distances(x, y), first: distances(x, x), second: distances(y, y) }
    }

    /// 2 E|X − Y| − E|X − X'| − E|Y − Y'|, without bias: 0 on average when both come from one law, when it may be negative.
    pub fn distance(&self) -> f64 {
        let mean = |d: &DMatrix<f64>| d.sum() / (d.nrows() * d.ncols()) as f64;
        let apart = |d: &DMatrix<f64>| d.sum() / (d.nrows() * (d.nrows() - 1)) as f64;
        2.0 * mean(&self.across) - apart(&self.first) - apart(&self.second)
    }

    /// The same of samples drawn again from these two (the bootstrap); a point drawn twice is not paired with itself.
    ///
    /// Draw by draw, two of these from one stream choose the same columns: their differences have the noise of paired samples.
    pub fn draws(&self, stream: Stream) -> Vec<f64> {
        (0..RESAMPLED as u64)
            .into_par_iter()
            .map(|draw| {
                let stream = stream.indexed(draw);
                let first = counts(self.across.nrows(), stream.named("first"));
                let second = counts(self.across.ncols(), stream.named("second"));
                2.0 * weighted(&self.across, &first, &second)
                    - weighted_apart(&self.first, &first)
                    - weighted_apart(&self.second, &second)
            })
            .collect()
    }

    /// The distance with the standard deviation that it has over samples of this size as its bar.
    pub fn measured(&self, stream: Stream) -> Quantity {
        Quantity::new(self.distance(), deviation(&self.draws(stream)), Grade::Sampled)
    }
}

/// Standard deviation (n − 1).
pub fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let square: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (square / (values.len() - 1) as f64).sqrt()
}

fn distances(x: &DMatrix<f64>, y: &DMatrix<f64>) -> DMatrix<f64> {
    let columns: Vec<f64> = (0..y.ncols())
        .into_par_iter()
        .flat_map_iter(|j| x.column_iter().map(move |x| (x - y.column(j)).norm()))
        .collect();
    DMatrix::from_vec(x.ncols(), y.ncols(), columns)
}

/// How often each of n is drawn in n draws.
fn counts(n: usize, stream: Stream) -> Vec<f64> {
    let mut counts = vec![0.0; n];
    for uniform in stream.uniforms(n) {
        counts[((uniform * n as f64) as usize).min(n - 1)] += 1.0;
    }
    counts
}

/// Σ p_i q_j d_ij / (Σ p Σ q).
fn weighted(d: &DMatrix<f64>, p: &[f64], q: &[f64]) -> f64 {
    let row = |(column, q): (nalgebra::DVectorView<'_, f64>, &f64)| {
        q * column.iter().zip(p).map(|(d, p)| d * p).sum::<f64>()
    };
    let total: f64 = d.column_iter().zip(q).map(row).sum();
    total / (p.iter().sum::<f64>() * q.iter().sum::<f64>())
}

/// The same over pairs of different points.
fn weighted_apart(d: &DMatrix<f64>, p: &[f64]) -> f64 {
    let (sum, squares) = (p.iter().sum::<f64>(), p.iter().map(|p| p * p).sum::<f64>());
    weighted(d, p, p) * sum * sum / (sum * sum - squares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn of_two_pairs_it_is_in_closed_form() {
        // X in {0, 1}, Y in {0, 3}: 2·(0 + 3 + 1 + 2)/4 − 1 − 3.
        let (x, y) = (
            DMatrix::from_row_slice(1, 2, &[0.0, 1.0]),
            DMatrix::from_row_slice(1, 2, &[0.0, 3.0]),
        );
        assert!((Energy::of(&x, &y).distance() - (3.0 - 4.0)).abs() < 1e-15);
    }

    #[test]
    fn between_gaussians_it_is_that_of_their_laws_within_its_bar() {
        // E|N(m, s²)| = s √(2/π) e^{−m²/2s²} + m erf(m/(s√2)); here X − Y ~ N(1, 5), X − X' ~ N(0, 2), Y − Y' ~ N(0, 8).
        let mean = |m: f64, s: f64| {
            s * (2.0 / PI).sqrt() * (-m * m / (2.0 * s * s)).exp()
                + m * statrs::function::erf::erf(m / (s * 2.0_f64.sqrt()))
        };
        let wanted =
            2.0 * mean(1.0, 5.0_f64.sqrt()) - mean(0.0, 2.0_f64.sqrt()) - mean(0.0, 8.0_f64.sqrt());
        let mut off = 0.0;
        for seed in 0..10 {
            let stream = Stream::root(seed);
            let x = DMatrix::from_vec(1, 400, stream.named("x").normals(400));
            let y =
                DMatrix::from_vec(1, 300, stream.named("y").normals(300)).map(|z| 1.0 + 2.0 * z);
            let found = Energy::of(&x, &y).measured(stream.named("bar"));
            // Four deviations, and a bar that is neither nothing nor all.
            assert!((found.value - wanted).abs() < 4.0 * found.bar, "{found:?} {wanted}");
            assert!(found.bar > 0.02 * wanted && found.bar < wanted, "{found:?} {wanted}");
            off += ((found.value - wanted) / found.bar).powi(2) / 10.0;
        }
        // The mean square of ten standardised misses lies in this range with probability 0.999.
        assert!((0.1..3.5).contains(&off), "{off}");
    }

    #[test]
    fn of_one_law_it_is_zero_within_its_noise() {
        let over = (0..20).map(|seed| {
            let stream = Stream::root(100 + seed);
            let x = DMatrix::from_vec(2, 200, stream.named("x").normals(400));
            let y = DMatrix::from_vec(2, 200, stream.named("y").normals(400));
            let found = Energy::of(&x, &y).measured(stream.named("bar"));
            usize::from(found.value > 3.0 * found.bar)
        });
        assert_eq!(over.sum::<usize>(), 0);
    }
}
