//! Covariance matrix adaptation (CMA-ES; Hansen, "The CMA evolution strategy: a tutorial", 2016) in the unit cube.

use crate::random::Stream;
use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// A normal distribution of worlds that moves towards small scores and takes their shape.
pub struct Adaptation {
    mean: DVector<f64>,
    size: f64,
    covariance: DMatrix<f64>,
    /// Eigenvectors of the covariance, and the roots of its eigenvalues.
    axes: (DMatrix<f64>, DVector<f64>),
    path: DVector<f64>,
    size_path: DVector<f64>,
    weights: Vec<f64>,
    generation: usize,
    batch: usize,
}

/// A place in all of space as one in the unit cube, as if its walls were mirrors.
pub fn folded(step: &[f64]) -> Vec<f64> {
    let fold = |x: &f64| {
        let x = x.rem_euclid(2.0);
        if x > 1.0 { 2.0 - x } else { x }
    };
    step.iter().map(fold).collect()
}

impl Adaptation {
    /// Begins around a point, with that standard deviation of every coordinate and so many points a generation.
    pub fn new(start: Vec<f64>, size: f64, batch: usize) -> Self {
        let n = start.len();
        let raw: Vec<f64> =
            (1..=batch / 2).map(|i| (0.5 * (batch as f64 + 1.0)).ln() - (i as f64).ln()).collect();
        let whole: f64 = raw.iter().sum();
        Self {
            mean: DVector::from_vec(start),
            size,
            covariance: DMatrix::identity(n, n),
            axes: (DMatrix::identity(n, n), DVector::from_element(n, 1.0)),
            path: DVector::zeros(n),
            size_path: DVector::zeros(n),
            weights: raw.iter().map(|weight| weight / whole).collect(),
            generation: 0,
            batch,
        }
    }

    /// The standard deviation that multiplies the shape.
    pub fn size(&self) -> f64 {
        self.size
    }

    /// The points of the next generation, in all of space: see [`folded`].
    pub fn ask(&self, stream: Stream) -> Vec<Vec<f64>> {
        let n = self.mean.len();
        let (vectors, roots) = &self.axes;
        let point = |i: usize| {
            let z = DVector::from_vec(stream.indexed(i as u64).normals(n));
            (&self.mean + self.size * (vectors * z.component_mul(roots))).as_slice().to_vec()
        };
        (0..self.batch).map(point).collect()
    }

    /// Moves on to the next generation; `values` of those points, smaller is better.
    pub fn tell(&mut self, points: &[Vec<f64>], values: &[f64]) {
        let n = self.mean.len() as f64;
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let steps: Vec<DVector<f64>> = order
            .iter()
            .take(self.weights.len())
            .map(|&i| (DVector::from_column_slice(&points[i]) - &self.mean) / self.size)
            .collect();
        let mut shift = DVector::zeros(self.mean.len());
        for (weight, step) in self.weights.iter().zip(&steps) {
            shift.axpy(*weight, step, 1.0);
        }
        // The constants of the tutorial (its table 1), without negative weights.
        let mass = 1.0 / self.weights.iter().map(|w| w * w).sum::<f64>();
        let of_size = (mass + 2.0) / (n + mass + 5.0);
        let damping = 1.0 + 2.0 * (((mass - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + of_size;
        let of_path = (4.0 + mass / n) / (n + 4.0 + 2.0 * mass / n);
        let of_one = 2.0 / ((n + 1.3).powi(2) + mass);
        let of_all =
            (1.0 - of_one).min(2.0 * (mass - 2.0 + 1.0 / mass) / ((n + 2.0).powi(2) + mass));
        let length = n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n));

        self.generation += 1;
        self.mean.axpy(self.size, &shift, 1.0);
        let (vectors, roots) = &self.axes;
        let white = vectors * vectors.tr_mul(&shift).component_div(roots);
        self.size_path =
            &self.size_path * (1.0 - of_size) + white * (of_size * (2.0 - of_size) * mass).sqrt();
        let expected = (1.0 - (1.0 - of_size).powi(2 * self.generation as i32)).sqrt();
        let stalled = self.size_path.norm() / expected < (1.4 + 2.0 / (n + 1.0)) * length;
        let moved = if stalled { 1.0 } else { 0.0 };
        self.path = &self.path * (1.0 - of_path)
            + &shift * (moved * (of_path * (2.0 - of_path) * mass).sqrt());
        let kept = 1.0 - of_one - of_all + (1.0 - moved) * of_one * of_path * (2.0 - of_path);
        self.covariance *= kept;
        self.covariance.ger(of_one, &self.path, &self.path, 1.0);
        for (weight, step) in self.weights.iter().zip(&steps) {
            self.covariance.ger(of_all * weight, step, step, 1.0);
        }
        self.size *= (of_size / damping * (self.size_path.norm() / length - 1.0)).exp();
        // Rounding must not make it unsymmetric, nor its least axes nothing.
        let symmetric = 0.5 * (&self.covariance + self.covariance.transpose());
        let eigen = SymmetricEigen::new(symmetric);
        let largest = eigen.eigenvalues.max();
        let roots = eigen.eigenvalues.map(|value| value.max(1e-14 * largest).sqrt());
        self.axes = (eigen.eigenvectors, roots);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimised(f: impl Fn(&[f64]) -> f64, start: Vec<f64>, generations: u64) -> f64 {
        let mut adaptation = Adaptation::new(start, 0.3, 16);
        let mut best = f64::INFINITY;
        for generation in 0..generations {
            let points = adaptation.ask(Stream::root(1).indexed(generation));
            let values: Vec<f64> = points.iter().map(|point| f(point)).collect();
            best = values.iter().copied().fold(best, f64::min);
            adaptation.tell(&points, &values);
        }
        best
    }

    #[test]
    fn a_narrow_and_turned_valley_is_followed_to_its_bottom() {
        // Rosenbrock's function, with its minimum 0 at (1, …, 1).
        let rosenbrock = |x: &[f64]| -> f64 {
            x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum()
        };
        assert!(minimised(rosenbrock, vec![0.0; 5], 600) < 1e-12);
        // An ellipsoid with axes from 1 to 1000.
        let ellipsoid =
            |x: &[f64]| x.iter().enumerate().map(|(i, x)| 10_f64.powi(i as i32) * x * x).sum();
        assert!(minimised(ellipsoid, vec![0.7; 7], 400) < 1e-12);
    }

    #[test]
    fn mirrors_keep_every_place_in_the_cube() {
        assert_eq!(folded(&[0.25, 1.25, -0.25, 2.25, -1.25]), [0.25, 0.75, 0.25, 0.25, 0.75]);
    }
}
