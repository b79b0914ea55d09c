//! Flow matching with any coupling of noise and data: straight lines between pairs, and their velocity field.

use super::{Drift, Lanes, Workspace, assignment, push_generic};
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::scalar::Scalar;

/// Pairs whose posterior odds are below e^−45 of the likeliest one's change no digit.
const LEAST_LOG_ODDS: f64 = -45.0;

/// The displacement x_s = (1 − s) X_0 + s X_1 of a coupling that is a mixture of pairs.
///
/// Pair j is X_0 = p_j + h ξ, X_1 = q_j + r ξ with one ξ ~ N(0, I): the optimal transport between two
/// round Gaussians. All pairs are equally likely, and the velocity is E[X_1 − X_0 | x_s = x], exactly: what flow matching
/// learns from these pairs. One pair with p = 0, h = 1 and r = 0 for each data point is the independent coupling.
///
/// ```
/// use driftproof::drift::{Drift, Pairs};
/// // One pair, from N(0, 1) to N(3, 0.25): x_s = (1 − s) ξ + s (3 + ξ/2), so ξ = (x − 3s)/(1 − s/2).
/// let pair = Pairs::new(1, vec![0.0], vec![3.0], (1.0, 0.5))?;
/// let mut v = [0.0];
/// pair.velocity(0.5, &[2.25], &mut v);
/// assert!((v[0] - 2.5).abs() < 1e-15); // ξ = 1 and 3 − ξ/2
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pairs {
    dim: usize,
    starts: Vec<f64>,
    ends: Vec<f64>,
    widths: (f64, f64),
}

impl Pairs {
    /// Pairs of the columns of `starts` and `ends` (`dim`×N each), with deviations h and r around them.
    ///
    /// *Errors*: [`Error::Input`] for no pairs, sizes that do not fit, numbers that are not finite, h ≤ 0 or r < 0.
    pub fn new(dim: usize, starts: Vec<f64>, ends: Vec<f64>, widths: (f64, f64)) -> Result<Self> {
        let whole = dim > 0 && !starts.is_empty() && starts.len().is_multiple_of(dim);
        if !whole || starts.len() != ends.len() {
            let problem =
                format!("{} and {} coordinates in dimension {dim}", starts.len(), ends.len());
            return Err(Error::input("pairs", problem, "give one end for each start"));
        }
        if !starts.iter().chain(&ends).all(|x| x.is_finite()) {
            return Err(Error::input("pairs", "a point is not finite", "remove its pair"));
        }
        super::check_positive("width of the starts", widths.0)?;
        if !(widths.1 >= 0.0 && widths.1.is_finite()) {
            let problem = format!("{} is not a standard deviation", widths.1);
            return Err(Error::input("width of the ends", problem, "give a number ≥ 0"));
        }
        Ok(Self { dim, starts, ends, widths })
    }

    /// Minibatch optimal transport: each batch of `batch` points pairs as many draws of noise with them as cheaply as
    /// can be, at cost |p − q|².
    ///
    /// Starts are drawn from N(0, (1 − h²) I), so that X_0 ~ N(0, I) up to their finite number. With batches
    /// of 1 the coupling is the independent one. Points of an incomplete last batch are left out.
    ///
    /// *Errors*: as [`Pairs::new`], for 0 < h < 1 not met, and for fewer points than a batch.
    pub fn minibatch(
        dim: usize,
        points: &[f64],
        batch: usize,
        widths: (f64, f64),
        noise: Stream,
    ) -> Result<Self> {
        if !(widths.0 > 0.0 && widths.0 < 1.0) {
            let problem = format!("{} is not between 0 and 1", widths.0);
            return Err(Error::input("width of the starts", problem, "give 0.3, say"));
        }
        let spread = (1.0 - widths.0 * widths.0).sqrt();
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        let size = (dim * batch).max(1);
        for (index, points) in points.chunks_exact(size).enumerate() {
            let drawn = noise.indexed(index as u64).normals(size);
            let drawn: Vec<f64> = drawn.iter().map(|z| spread * z).collect();
            let cost = |i: usize, j: usize| {
                let pair = drawn[i * dim..][..dim].iter().zip(&points[j * dim..][..dim]);
                pair.map(|(p, q)| (p - q).powi(2)).sum()
            };
            for &j in &assignment(batch, cost).columns {
                ends.extend_from_slice(&points[j * dim..][..dim]);
            }
            starts.extend(drawn);
        }
        Self::new(dim, starts, ends, widths)
    }

    /// The points p, `D×N`.
    pub fn starts(&self) -> &[f64] {
        &self.starts
    }

    /// The points q, `D×N`.
    pub fn ends(&self) -> &[f64] {
        &self.ends
    }

    /// The mean of |p − q|²: the cost of the transport between the points.
    pub fn cost(&self) -> f64 {
        let square: f64 = self.starts.iter().zip(&self.ends).map(|(p, q)| (p - q).powi(2)).sum();
        square / (self.starts.len() / self.dim) as f64
    }

    /// A draw of x_s.
    pub fn sample(&self, s: f64, stream: Stream) -> Vec<f64> {
        let count = self.starts.len() / self.dim;
        let pair = (stream.named("pair").uniforms(1)[0] * count as f64) as usize;
        let at = pair.min(count - 1) * self.dim..;
        let width = (1.0 - s) * self.widths.0 + s * self.widths.1;
        let xi = stream.named("within").normals(self.dim);
        let centre = self.starts[at.clone()].iter().zip(&self.ends[at]);
        centre.zip(xi).map(|((p, q), xi)| (1.0 - s) * p + s * q + width * xi).collect()
    }
}

impl Drift for Pairs {
    fn dim(&self) -> usize {
        self.dim
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        let one = S::from(1.0);
        let (h, r) = self.widths;
        let width = (one - s) * h + s * r;
        let precision = (width * width).recip();
        let pairs = || self.starts.chunks_exact(self.dim).zip(self.ends.chunks_exact(self.dim));
        // Odds are compared with the likeliest pair's, by real parts: any reference gives the same field.
        let (re, half) = (s.re(), 0.5 * precision.re());
        let log_odds = |(p, q): (&[f64], &[f64])| -> f64 {
            let line = x.iter().zip(p.iter().zip(q));
            line.map(|(x, (p, q))| -half * (x.re() - (1.0 - re) * p - re * q).powi(2)).sum()
        };
        let logs: Vec<f64> = pairs().map(log_odds).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut mass = S::from(0.0);
        out.fill(S::from(0.0));
        let mut offset = vec![S::from(0.0); self.dim];
        for ((p, q), _) in pairs().zip(&logs).filter(|(_, log)| **log - top > LEAST_LOG_ODDS) {
            let mut square = S::from(0.0);
            for ((o, x), (p, q)) in offset.iter_mut().zip(x).zip(p.iter().zip(q)) {
                *o = *x - (one - s) * *p - s * *q;
                square += *o * *o;
            }
            let odds = (-square * precision * 0.5 - top).exp();
            mass += odds;
            let stretch = S::from(r - h) / width;
            for ((out, o), (p, q)) in out.iter_mut().zip(&offset).zip(p.iter().zip(q)) {
                *out += odds * (*o * stretch + (q - p));
            }
        }
        out.iter_mut().for_each(|v| *v /= mass);
    }

    fn push(&self, t: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        if lanes.tangents > 0 {
            return push_generic(self.dim, block, lanes, out, work, |x, v| {
                self.velocity(t.into(), x, v);
            });
        }
        for (x, v) in block.chunks_exact(self.dim).zip(out.chunks_exact_mut(self.dim)) {
            self.velocity(t, x, v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{Atoms, GaussianPath, Schedule};

    #[test]
    fn a_source_of_one_point_is_flow_matching_with_the_independent_coupling() {
        let atoms = Stream::root(3).normals(2 * 9);
        let pairs = Pairs::new(2, vec![0.0; 18], atoms.clone(), (1.0, 0.0)).unwrap();
        let denoiser = Atoms::new(2, atoms, None, 0.0).unwrap();
        let path = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &denoiser };
        for (i, s) in [0.1, 0.5, 0.9].into_iter().enumerate() {
            let x = Stream::root(4).indexed(i as u64).normals(2);
            let (mut ours, mut theirs) = ([0.0; 2], [0.0; 2]);
            pairs.velocity(s, &x, &mut ours);
            path.velocity(s, &x, &mut theirs);
            // Rounding, times 1/(1 − s) from dividing by the noise.
            assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-12), "{s}");
        }
    }

    #[test]
    fn the_cost_is_the_mean_over_pairs() {
        let pairs = Pairs::new(2, vec![0.0; 4], vec![3.0, 4.0, 1.0, 0.0], (1.0, 0.0)).unwrap();
        assert_eq!(pairs.cost(), (25.0 + 1.0) / 2.0);
    }

    #[test]
    fn the_field_carries_the_law_of_the_pairs() {
        // d/ds E f(x_s) = E ⟨∇f, v⟩ with f = |x|²: E|x_s|² is a polynomial of the pairs' moments.
        let (starts, ends) = (Stream::root(5).normals(2 * 5), Stream::root(6).normals(2 * 5));
        let (h, r, s) = (0.4, 0.2, 0.6);
        let pairs = Pairs::new(2, starts.clone(), ends.clone(), (h, r)).unwrap();
        let width = (1.0 - s) * h + s * r;
        let expected: f64 = starts
            .iter()
            .zip(&ends)
            .map(|(p, q)| 2.0 * ((1.0 - s) * p + s * q) * (q - p) / 5.0)
            .sum::<f64>()
            + 4.0 * width * (r - h);
        // E over x_s by a grid around each pair: the trapezoid rule converges beyond all orders for Gaussians.
        let mut measured = 0.0;
        let nodes: Vec<f64> = (-30..=30).map(|k| f64::from(k) * 0.25).collect();
        for (p, q) in starts.chunks_exact(2).zip(ends.chunks_exact(2)) {
            for u in &nodes {
                for w in &nodes {
                    let weight = (-0.5 * (u * u + w * w)).exp() * 0.0625 / std::f64::consts::TAU;
                    let x = [
                        (1.0 - s) * p[0] + s * q[0] + width * u,
                        (1.0 - s) * p[1] + s * q[1] + width * w,
                    ];
                    let mut v = [0.0; 2];
                    pairs.velocity(s, &x, &mut v);
                    measured += 2.0 * (x[0] * v[0] + x[1] * v[1]) * weight / 5.0;
                }
            }
        }
        assert!((measured - expected).abs() < 1e-6, "{measured} {expected}");
    }

    #[test]
    fn pushes_agree_with_the_field_on_duals() {
        let points = Stream::root(7).normals(2 * 12);
        let pairs = Pairs::minibatch(2, &points, 6, (0.5, 0.1), Stream::root(8)).unwrap();
        let (x, mut work) = ([0.3, -0.2], Workspace::default());
        let (mut plain, mut carried) = ([0.0; 2], [0.0; 6]);
        pairs.push(0.7, &x, Lanes::single(0), &mut plain, &mut work);
        let block = [0.3, -0.2, 1.0, 0.0, 0.0, 1.0];
        pairs.push(0.7, &block, Lanes::single(2), &mut carried, &mut work);
        assert!((plain[0] - carried[0]).abs() + (plain[1] - carried[1]).abs() < 1e-14);
        for (i, step) in [[1e-5, 0.0], [0.0, 1e-5]].into_iter().enumerate() {
            let at = |sign: f64| {
                let mut v = [0.0; 2];
                let x = [x[0] + sign * step[0], x[1] + sign * step[1]];
                pairs.velocity(0.7, &x, &mut v);
                v
            };
            let (up, down) = (at(1.0), at(-1.0));
            for k in 0..2 {
                let slope = (up[k] - down[k]) / 2e-5;
                // The third derivative is of order 1/width³: 1e-10 times 100.
                assert!((slope - carried[2 + 2 * i + k]).abs() < 1e-6, "{slope}");
            }
        }
    }

    #[test]
    fn larger_batches_transport_more_cheaply_and_one_batch_of_a_line_is_sorted() {
        let points = Stream::root(9).normals(2 * 64);
        let cost = |batch: usize| {
            let pairs = Pairs::minibatch(2, &points, batch, (0.3, 0.1), Stream::root(10)).unwrap();
            pairs.cost()
        };
        assert!(cost(64) < cost(8) && cost(8) < cost(1));
        let line = Stream::root(11).normals(20);
        let pairs = Pairs::minibatch(1, &line, 20, (0.3, 0.1), Stream::root(12)).unwrap();
        let mut order: Vec<usize> = (0..20).collect();
        order.sort_by(|i, j| pairs.starts()[*i].total_cmp(&pairs.starts()[*j]));
        assert!(order.windows(2).all(|w| pairs.ends()[w[0]] < pairs.ends()[w[1]]));
    }
}
