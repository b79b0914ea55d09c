//! Inputs of the benchmarks, rebuilt bit for bit by any language: splitmix64, Box–Muller, two mixtures.
#![allow(dead_code)] // Each benchmark uses its part.

pub mod stopwatch;

use driftproof::drift::{Atoms, Channel, Denoise, Drift, GaussianPath, Schedule};
use driftproof::flow::{Bundle, Method, Sampler, StepWorkspace, uniform_times};
use driftproof::response::{CarriedPoints, DensityAt, LogDensity};
use driftproof::scalar::Scalar;
use nalgebra::DMatrix;
use std::f64::consts::{PI, TAU};

/// The i-th number of the stream, i = 1, 2, ….
fn splitmix64(seed: u64, i: u64) -> u64 {
    let mut z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn uniform(seed: u64, i: u64) -> f64 {
    (splitmix64(seed, i) >> 11) as f64 * 0.5_f64.powi(53)
}

/// `count` standard normal numbers.
pub fn normals(seed: u64, count: usize) -> Vec<f64> {
    let normal = |j: u64| {
        let (u, v) = (uniform(seed, 2 * j + 1), uniform(seed, 2 * j + 2));
        (-2.0 * (-u).ln_1p()).sqrt() * (TAU * v).cos()
    };
    (0..count as u64).map(normal).collect()
}

/// An isotropic Gaussian mixture: centres `D×N` column-major, and their width.
pub struct Mixture {
    pub dim: usize,
    pub centres: Vec<f64>,
    pub width: f64,
}

impl Mixture {
    /// Two moons for D = 2, else centres near a torus in R^D.
    pub fn new(dim: usize, count: usize) -> Self {
        if dim == 2 { Self::moons(count) } else { Self::torus(dim, count) }
    }

    fn moons(count: usize) -> Self {
        let half = count / 2;
        let angle = |i: usize| PI * (i as f64 + 0.5) / half as f64;
        let upper = (0..half).flat_map(|i| [angle(i).cos(), angle(i).sin()]);
        let lower = (0..half).flat_map(|i| [1.0 - angle(i).cos(), 0.5 - angle(i).sin()]);
        Self { dim: 2, centres: upper.chain(lower).collect(), width: 0.05 }
    }

    fn torus(dim: usize, count: usize) -> Self {
        let map = normals(12, dim * 6);
        let jitter = normals(13, count * dim);
        let root = (dim as f64).sqrt();
        let mut centres = Vec::with_capacity(count * dim);
        for i in 0..count {
            let a = TAU * uniform(11, 2 * i as u64 + 1);
            let b = TAU * uniform(11, 2 * i as u64 + 2);
            let f = [a.cos(), a.sin(), b.cos(), b.sin(), (a + b).cos(), (a + b).sin()];
            for d in 0..dim {
                let image: f64 = (0..6).map(|j| 1.5 * f[j] * (map[d * 6 + j] / root)).sum();
                centres.push(image + 0.1 / root * jitter[i * dim + d]);
            }
        }
        Self { dim, centres, width: 0.3 }
    }

    pub fn count(&self) -> usize {
        self.centres.len() / self.dim
    }

    pub fn atoms(&self, thickness: f64) -> Atoms {
        Atoms::new(self.dim, self.centres.clone(), None, thickness).expect("a finite mixture")
    }

    /// `count` points, each at a centre plus noise of the mixture's width.
    pub fn near_points(&self, seed: u64, count: usize) -> Vec<f64> {
        let mut points = normals(seed, count * self.dim);
        for (b, point) in points.chunks_exact_mut(self.dim).enumerate() {
            let centre = &self.centres[(b * 7919) % self.count() * self.dim..];
            point.iter_mut().zip(centre).for_each(|(x, c)| *x = c + self.width * *x);
        }
        points
    }
}

/// Jacobians of a mixture's score at many points: (C/v − I)/v, C the posterior covariance at noise variance v.
pub struct ScoreJacobians {
    pub atoms: Atoms,
    pub points: Vec<f64>,
    pub variance: f64,
}

impl ScoreJacobians {
    pub fn new(dim: usize, count: usize, points: usize) -> Self {
        let mixture = Mixture::new(dim, count);
        let variance = mixture.width * mixture.width;
        Self { atoms: mixture.atoms(0.0), points: mixture.near_points(21, points), variance }
    }

    pub fn dim(&self) -> usize {
        self.atoms.dim()
    }

    /// All of them, `D·D×B`.
    pub fn run(&self, jacobians: &mut Vec<f64>, work: &mut JacobianWork) {
        let dim = self.dim();
        let channel = Channel { signal: 1.0, noise_variance: self.variance };
        jacobians.resize(self.points.len() * dim, 0.0);
        work.means.resize(self.points.len(), 0.0);
        self.atoms.posteriors(channel, &self.points, &mut work.means, jacobians, &mut work.room);
        for jacobian in jacobians.chunks_exact_mut(dim * dim) {
            for (j, column) in jacobian.chunks_exact_mut(dim).enumerate() {
                column.iter_mut().for_each(|entry| *entry /= self.variance * self.variance);
                column[j] -= 1.0 / self.variance;
            }
        }
    }

    /// Least arithmetic: inner products, 20 for an exponential, means, a symmetric product.
    pub fn arithmetic(&self) -> f64 {
        let (d, n) = (self.dim() as f64, self.atoms.log_weights().len() as f64);
        (self.points.len() / self.dim()) as f64 * (4.0 * n * d + 20.0 * n + n * d * (d + 1.0))
    }
}

/// Scratch of [`ScoreJacobians::run`].
#[derive(Default)]
pub struct JacobianWork {
    means: Vec<f64>,
    room: Vec<f64>,
}

/// The mean trace of `D×D` matrices.
pub fn mean_trace(dim: usize, matrices: &[f64]) -> f64 {
    let trace = |m: &[f64]| (0..dim).map(|i| m[i * dim + i]).sum::<f64>();
    let count = (matrices.len() / (dim * dim)) as f64;
    matrices.chunks_exact(dim * dim).map(trace).sum::<f64>() / count
}

/// The finite-time Lyapunov job: probability flow of the linear VP schedule, tangents from the first unit vectors.
pub struct Flow {
    pub atoms: Atoms,
    pub tangents: usize,
    pub starts: Vec<f64>,
    pub sampler: Sampler,
}

/// The density response job: back along the probability flow from points near the data, with the error −g in generating
/// time, g(x) = (sin(x0 + x1), cos(x0 − x1)).
pub struct Response {
    pub atoms: Atoms,
    pub points: Vec<f64>,
    pub sampler: Sampler,
}

/// −g, differentiated by the library.
struct Backwards;

impl Drift for Backwards {
    fn dim(&self) -> usize {
        2
    }

    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        out[0] = -(x[0] + x[1]).sin();
        out[1] = -(x[0] - x[1]).cos();
    }
}

struct StandardNormal;

impl LogDensity for StandardNormal {
    fn log_density<S: Scalar>(&self, x: &[S]) -> S {
        let squares: S = x.iter().map(|x| *x * *x).sum();
        squares * -0.5 - 0.5 * x.len() as f64 * TAU.ln()
    }
}

impl Response {
    pub fn new(count: usize, points: usize) -> Self {
        let mixture = Mixture::new(2, count);
        Self {
            atoms: mixture.atoms(mixture.width),
            points: mixture.near_points(61, points),
            sampler: Sampler::new(Method::Rk4, uniform_times(1.0 - 1e-3, 0.0, 200)),
        }
    }

    /// Log-density and response at every point.
    pub fn run(&self, work: &mut StepWorkspace) -> Vec<DensityAt> {
        let drift = GaussianPath {
            schedule: Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 },
            denoiser: &self.atoms,
        };
        let mut points = CarriedPoints::new(2, &self.points);
        points.run(&self.sampler, &drift, &Backwards, work);
        (0..points.count()).map(|i| points.at_start(i, &StandardNormal)).collect()
    }

    /// Least arithmetic, for an atom and evaluation: inner products and means 8, an exponential and its sum 21,
    /// second moments 8, third moments 8; and 60 for a state.
    pub fn arithmetic(&self) -> f64 {
        let evaluations = (self.points.len() / 2 * self.sampler.maps() * 4) as f64;
        evaluations * (self.atoms.log_weights().len() as f64 * 45.0 + 60.0)
    }
}

/// Mean |x|, and the mean log growth of each tangent.
pub struct FlowSums {
    pub x_mean_abs: f64,
    pub log_growth: Vec<f64>,
}

impl Flow {
    pub fn new(dim: usize, count: usize, tangents: usize, trajectories: usize) -> Self {
        let mixture = Mixture::new(dim, count);
        Self {
            atoms: mixture.atoms(mixture.width),
            tangents,
            starts: normals(41, dim * trajectories),
            sampler: Sampler::new(Method::Rk4, uniform_times(0.0, 1.0 - 1e-3, 200)),
        }
    }

    /// Runs all trajectories side by side on this thread.
    pub fn run(&self, work: &mut StepWorkspace) -> Bundle {
        let dim = self.starts.len() / self.trajectories();
        let drift = GaussianPath {
            schedule: Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 },
            denoiser: &self.atoms,
        };
        let frame = DMatrix::identity(dim, self.tangents);
        let mut bundle = Bundle::new(dim, &self.starts, &frame);
        for k in 0..self.sampler.maps() {
            bundle.step(&self.sampler, &drift, k, work);
        }
        bundle
    }

    pub fn trajectories(&self) -> usize {
        self.starts.len() / self.atoms.dim()
    }

    /// Least arithmetic: inner products and means for state and tangents, 20 for an exponential, the QR.
    pub fn arithmetic(&self) -> f64 {
        let d = self.atoms.dim() as f64;
        let (n, k) = (self.atoms.log_weights().len() as f64, self.tangents as f64);
        let steps = self.sampler.maps() as f64;
        let evaluation = 4.0 * n * d * (k + 1.0) + 20.0 * n + 2.0 * k * n;
        self.trajectories() as f64 * (4.0 * steps * evaluation + steps * 4.0 * d * k * k)
    }
}

impl FlowSums {
    pub fn of(bundle: &Bundle) -> Self {
        let count = bundle.lanes().trajectories;
        let dim = bundle.state(0).len();
        let states = (0..count).flat_map(|t| bundle.state(t));
        let x_mean_abs = states.map(|x| x.abs()).sum::<f64>() / (count * dim) as f64;
        let mut log_growth = vec![0.0; bundle.lanes().tangents];
        for t in 0..count {
            let logs = log_growth.iter_mut().zip(bundle.log_growth(t));
            logs.for_each(|(sum, log)| *sum += log / count as f64);
        }
        Self { x_mean_abs, log_growth }
    }
}
