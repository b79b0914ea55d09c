//! Displacements by an error of finite size, at first order, and under white errors, for T4.2.

use super::Observation;
use super::frames::blocks_in_frame;
use super::linear::{Blocks, LinearWorld};
use super::resolved::Resolved;
use crate::drift::{
    Channel, Denoise, Denoiser, Drift, Gaussian, Inexact, Lanes, LearningError, Product, Rotating,
    Sphere, Workspace,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{InexactFlow, Method, Sampler, Trajectory, uniform_times};
use crate::linalg::{complement, mu_max};
use crate::random::{Knobs, Stream};
use crate::response::sensitivities;
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Steps of the flow; even, for Simpson's rule.
const STEPS: usize = 48;

/// Intervals of the segment between both orbits on which blocks are sampled, where they depend on the state.
const SEGMENT: usize = 3;

/// Growth of a linear world in all, as a logarithm.
const MOST_GROWTH: f64 = 4.0;

/// Rounding of displacements relative to their size on the way.
const ROUNDING: f64 = 1e-12;

/// As in [`super::resolved`]: a share of the largest difference of two resolutions so far.
const FLOOR: f64 = 1.0 / 8.0;

/// The exact flow.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Flow {
    /// Linear, with prescribed blocks in a turning frame.
    Linear(Rotating),
    /// y' = D − y in u = −log σ, for a sphere times a Gaussian with flat directions, in a frame at rest.
    Path {
        /// Dimension of the space of the sphere and its radius.
        sphere: Option<(usize, f64)>,
        /// Variances of the other coordinates.
        variances: Vec<f64>,
    },
}

#[derive(Serialize)]
struct World {
    flow: Flow,
    /// Tangent directions d.
    tangent: usize,
    from: f64,
    to: f64,
    start: Vec<f64>,
    error: LearningError,
    epsilon: f64,
    /// Intensity of white errors.
    white: f64,
    /// `[U_T U_N]` of a frame at rest.
    #[serde(skip)]
    frame: DMatrix<f64>,
}

/// The canonical flow in u = −log σ.
struct InLogNoise(Denoiser);

impl Drift for InLogNoise {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn velocity<S: Scalar>(&self, u: S, y: &[S], out: &mut [S]) {
        self.0.denoise(Channel::canonical((-u).exp()), y, out);
        out.iter_mut().zip(y).for_each(|(v, y)| *v -= *y);
    }
}

impl World {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let linear = knobs.unit() < 0.6;
        let triangular = knobs.unit() < 0.25;
        // Nothing turns and nothing cancels: with D = 2 the bounds are attained.
        let aligned = knobs.unit() < 0.4;
        let size = knobs.log_range(0.01, 1.0);
        let angle = knobs.unit() * std::f64::consts::FRAC_PI_2;
        let kind = knobs.unit();
        let white = knobs.log_range(0.1, 1.0);
        let stream = knobs.stream("displacement");
        let (flow, tangent, from, to, frame) = match linear {
            true => Self::linear(knobs, triangular, aligned),
            false => Self::path(knobs, stream),
        };
        let dim = frame.nrows();
        let mut start = DVector::from_vec(stream.named("start").normals(dim));
        if let Flow::Path { sphere: Some((n, radius)), .. } = flow {
            // Along the first normal of the frame, which then is the radius.
            let out = frame.view((0, tangent), (n, 1)) * (radius * (0.5 + angle));
            start.rows_mut(0, n).copy_from(&out.column(0));
        }
        let mut direction = DVector::zeros(dim);
        let weights = stream.named("error").normals(dim);
        for (i, weight) in weights.iter().enumerate() {
            let share = if i < tangent { angle.cos() } else { angle.sin() };
            let weight = if aligned { weight.abs() } else { *weight };
            direction += frame.column(i) * (share * weight);
        }
        let direction = direction.as_slice();
        let error = match kind {
            k if aligned || k < 0.4 => LearningError::constant(direction),
            k if k < 0.7 => LearningError::ripple(direction, &stream.named("ripple").normals(dim)),
            _ => LearningError::fourier(dim, 2, 1.0, 1.0, stream.named("fourier")),
        };
        let start = start.as_slice().to_vec();
        Ok(Self { flow, tangent, from, to, start, error, epsilon: size, white, frame })
    }

    fn linear(
        knobs: &mut Knobs,
        triangular: bool,
        aligned: bool,
    ) -> (Flow, usize, f64, f64, DMatrix<f64>) {
        let LinearWorld { tangent, span, mut flow } = LinearWorld::decode(knobs, Blocks::Full);
        let dim = flow.mean.nrows();
        // Blocks of A itself in a frame that turns past it: κ and η are then those of the turning.
        flow.carried = knobs.unit() < 0.6;
        if aligned {
            flow.turns.iter_mut().for_each(|turn| turn.rate = 0.0);
        }
        for r in 0..dim {
            for c in 0..dim {
                if triangular && r >= tangent && c < tangent {
                    (flow.mean[(r, c)], flow.wave[(r, c)]) = (0.0, 0.0);
                }
                if aligned && r != c {
                    // |mean| + |wave| (1 + sin) stays positive.
                    flow.wave[(r, c)] = flow.wave[(r, c)].abs();
                    flow.mean[(r, c)] = flow.mean[(r, c)].abs() + flow.wave[(r, c)];
                }
            }
        }
        let (frame, _) = flow.frame_and_rate(0.0);
        let span = span.min(MOST_GROWTH / (flow.mean.norm() + flow.wave.norm()).max(1e-9));
        (Flow::Linear(flow), tangent, 0.0, span, frame)
    }

    fn path(knobs: &mut Knobs, stream: Stream) -> (Flow, usize, f64, f64, DMatrix<f64>) {
        let round = knobs.unit() < 0.6;
        let sphere = round.then(|| (knobs.pick(&[2, 3, 4]), knobs.log_range(1.0, 2.0)));
        let least = usize::from(!round);
        let (plane, flat) = (knobs.count(least, 2), knobs.count(least, 2));
        let mut variances: Vec<f64> = (0..plane).map(|_| knobs.log_range(1.0, 0.2)).collect();
        variances.extend(vec![0.0; flat]);
        let n = sphere.map_or(0, |(n, _)| n);
        let dim = n + plane + flat;
        let tangent = n.saturating_sub(1) + plane;
        let mut normal = DMatrix::zeros(dim, dim - tangent);
        if n > 0 {
            let out = DVector::from_vec(stream.named("radius").normals(n)).normalize();
            normal.view_mut((0, 0), (n, 1)).copy_from(&out);
        }
        for j in 0..flat {
            normal[(n + plane + j, usize::from(n > 0) + j)] = 1.0;
        }
        let tangents = complement(&normal);
        let column = |c: usize| match c < tangent {
            true => tangents.column(c).into_owned(),
            false => normal.column(c - tangent).into_owned(),
        };
        let frame = DMatrix::from_columns(&(0..dim).map(column).collect::<Vec<_>>());
        let from = -knobs.range(0.0, 1.0);
        let to = from + knobs.range(1.0, 3.0);
        (Flow::Path { sphere, variances }, tangent, from, to, frame)
    }

    /// (U, U') at a time.
    fn frame_and_rate(&self, t: f64) -> (DMatrix<f64>, DMatrix<f64>) {
        match &self.flow {
            Flow::Linear(flow) => flow.frame_and_rate(t),
            Flow::Path { .. } => (self.frame.clone(), DMatrix::zeros(0, 0)),
        }
    }

    fn measure<V: Drift>(&self, drift: &V) -> Result<Facts> {
        let mut facts = Facts::new();
        self.displacements(drift, &mut facts)?;
        self.covariances(drift, &mut facts)?;
        Ok(facts)
    }

    /// Both orbits, the sensitivity, and the blocks at the exact orbit and between both.
    fn displacements<V: Drift>(&self, drift: &V, facts: &mut Facts) -> Result<()> {
        let sampler = Sampler::new(Method::Rk4, uniform_times(self.from, self.to, STEPS));
        let refined = sampler.refined();
        let inexact = Inexact { exact: drift, error: &self.error, epsilon: self.epsilon };
        let exact = Resolved::new(drift, &sampler, &refined, &self.start)?;
        let perturbed = Resolved::new(&inexact, &sampler, &refined, &self.start)?;
        let first_order = |sampler: &Sampler| {
            sensitivities(&InexactFlow { sampler, drift, error: &self.error }, &self.start)
        };
        let (coarse, fine) = (first_order(&sampler)?, first_order(&refined)?);
        let (d, dim) = (self.tangent, self.start.len());
        let (mut work, mut apart) = (Workspace::default(), 0.0_f64);
        for (k, &t) in sampler.times().iter().enumerate() {
            let (u, rate) = self.frame_and_rate(t);
            let ((x, bar_x), (y, bar_y)) = (exact.state(k), perturbed.state(k));
            facts.push("time", Quantity::exact(t));
            let z = u.tr_mul(&(y - x));
            let bar = bar_x + bar_y + ROUNDING;
            let measured = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
            facts.push("displacement_tangent", measured(z.rows(0, d).norm(), bar));
            facts.push("displacement_normal", measured(z.rows(d, dim - d).norm(), bar));
            let delta = &fine[2 * k].1;
            apart = apart.max((delta - &coarse[k].1).norm());
            let bar =
                (delta - &coarse[k].1).norm() + FLOOR * apart + ROUNDING * (1.0 + delta.norm());
            let delta = u.tr_mul(delta);
            facts.push("delta_tangent", measured(delta.rows(0, d).norm(), bar));
            facts.push("delta_normal", measured(delta.rows(d, dim - d).norm(), bar));

            for (name, at, size, bar) in
                [("error", y, self.epsilon, bar_y), ("first_error", x, 1.0, bar_x)]
            {
                let mut w = DVector::zeros(dim);
                self.error.velocity(t, at.as_slice(), w.as_mut_slice());
                let w = u.tr_mul(&w) * size;
                let [most, slope, _] = self.error.bounds();
                let bar = size * most.min(bar * slope) + ROUNDING;
                facts.push(&format!("{name}_tangent"), measured(w.rows(0, d).norm(), bar));
                facts.push(&format!("{name}_normal"), measured(w.rows(d, dim - d).norm(), bar));
            }

            let (segment, bent) = match &self.flow {
                Flow::Linear(_) => (0, 0.0),
                Flow::Path { .. } => (SEGMENT, 8.0 * (bar_x + bar_y)),
            };
            let mut samples = Vec::new();
            for i in 0..=segment {
                let at = x + (y - x) * (i as f64 / SEGMENT as f64);
                let a = u.tr_mul(&(drift.jacobian(t, at.as_slice(), &mut work) * &u));
                samples.push(Sample::of(&a, &u, &rate, d)?);
            }
            for (index, name) in Sample::NAMES.iter().enumerate() {
                let series: Vec<f64> = samples.iter().map(|s| s.0[index]).collect();
                let jump = series.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
                let most = series.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 0.25 * jump;
                let bar = (1.0 + most.abs()) * (bent + ROUNDING);
                facts.push(name, measured(most, bar));
                facts.push(&format!("first_{name}"), measured(series[0], bar));
            }
        }
        Ok(())
    }

    /// Cov by its equation, and as ∫ q² J(τ,u) J(τ,u)ᵀ du by Simpson's rule on the Jacobians of the maps.
    fn covariances<V: Drift>(&self, drift: &V, facts: &mut Facts) -> Result<()> {
        let (d, dim) = (self.tangent, self.start.len());
        let sampler = Sampler::new(Method::Rk4, uniform_times(self.from, self.to, STEPS / 2));
        let (u, _) = self.frame_and_rate(self.to);
        let traces = |covariance: &DMatrix<f64>| {
            let inside = u.tr_mul(&(covariance * &u));
            let part = |range: std::ops::Range<usize>| range.map(|i| inside[(i, i)]).sum::<f64>();
            [part(0..d), part(d..dim)]
        };
        // State and covariance side by side: its columns are tangents, so one push gives A Cov.
        let pushed = |t: f64, block: &[f64], out: &mut [f64]| {
            drift.push(t, block, Lanes::single(dim), out, &mut Workspace::default());
            let product = DMatrix::from_column_slice(dim, dim, &out[dim..]);
            let rate = &product + product.transpose();
            out[dim..].copy_from_slice(rate.as_slice());
            (0..dim).for_each(|i| out[dim + i * dim + i] += self.white * self.white);
        };
        let by_equation = |sampler: &Sampler| {
            let mut block = self.start.clone();
            block.resize(dim + dim * dim, 0.0);
            (0..sampler.maps()).for_each(|k| sampler.map_field(pushed, k, &mut block));
            traces(&DMatrix::from_column_slice(dim, dim, &block[dim..]))
        };
        let by_integral = |sampler: &Sampler| -> Result<[f64; 2]> {
            let steps = sampler.maps();
            let maps = Trajectory::from(drift, sampler, &self.start)?.jacobians();
            let mut tail = DMatrix::identity(dim, dim);
            let mut sum = tail.clone();
            for k in (0..steps).rev() {
                tail *= &maps[k];
                let weight = match k {
                    0 => 1.0,
                    _ if k % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                sum += &tail * tail.transpose() * weight;
            }
            let step = (self.to - self.from) / steps as f64;
            Ok(traces(&(sum * (self.white * self.white * step / 3.0))))
        };
        let mut state = |kind: &str, coarse: [f64; 2], fine: [f64; 2]| {
            for (part, name) in ["tangent", "normal"].iter().enumerate() {
                let apart =
                    (0..2).map(|i| (fine[i] - coarse[i]).abs() / fine[i]).fold(0.0, f64::max);
                let bar = (fine[part] - coarse[part]).abs()
                    + fine[part] * (FLOOR * apart + 16.0 * ROUNDING);
                let value = Quantity::new(fine[part], bar, Grade::Estimated);
                facts.set(&format!("{kind}_{name}"), value);
            }
        };
        let refined = sampler.refined();
        state("covariance", by_equation(&sampler), by_equation(&refined));
        state("integral", by_integral(&sampler)?, by_integral(&refined)?);
        facts.set("tangents", Quantity::exact(d as f64));
        facts.set("normals", Quantity::exact((dim - d) as f64));
        facts.set("white", Quantity::exact(self.white));
        if let Flow::Path { sphere: None, variances } = &self.flow {
            let exact = variances.iter().map(|v| Quantity::exact(*v)).collect();
            facts.set_series("variances", exact);
        }
        Ok(())
    }
}

/// Λ_T, λ_N, κ and η of one matrix in the frame; and κ, η without the turning of the frame.
struct Sample([f64; 6]);

impl Sample {
    const NAMES: [&'static str; 6] =
        ["rate_tangent", "rate_normal", "kappa", "eta", "still_kappa", "still_eta"];

    fn of(a: &DMatrix<f64>, u: &DMatrix<f64>, rate: &DMatrix<f64>, d: usize) -> Result<Self> {
        let n = a.nrows() - d;
        let part = |r, h| a.view((r, r), (h, h)).into_owned();
        let still = blocks_in_frame(a, d)?;
        // UᵀU' is skew, so rates do not see it.
        let blocks = match rate.is_empty() {
            true => still,
            false => blocks_in_frame(&(a - u.tr_mul(rate)), d)?,
        };
        let rates = (mu_max(&part(0, d)), mu_max(&part(d, n)));
        Ok(Self([rates.0, rates.1, blocks.kappa, blocks.eta, still.kappa, still.eta]))
    }
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let facts = match &world.flow {
        Flow::Linear(flow) => world.measure(flow)?,
        Flow::Path { sphere, variances } => {
            let mut factors: Vec<Denoiser> = Vec::new();
            if let Some((n, radius)) = *sphere {
                factors.push(Sphere::new(n, radius)?.into());
            }
            if !variances.is_empty() {
                factors.push(Gaussian::diagonal(variances)?.into());
            }
            world.measure(&InLogNoise(Product::new(factors)?.into()))?
        }
    };
    Ok(Observation::new(&world, facts))
}
