//! Displacements, sensitivities, blocks and covariances of one world.

use super::{Flow, World};
use crate::drift::{Drift, Inexact, Lanes, Workspace};
use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{InexactFlow, Method, Sampler, Trajectory, uniform_times};
use crate::linalg::mu_max;
use crate::observe::frames::blocks_in_frame;
use crate::response::sensitivities;
use nalgebra::{DMatrix, DVector};

/// Steps of the flow; even, for Simpson's rule.
pub(super) const STEPS: usize = 48;

/// Intervals of the segment between both orbits on which blocks are sampled, where they depend on the state.
const SEGMENT: usize = 3;

/// Size of the kicks by which white errors are run through the model; twice that for the bar.
const KICK: f64 = 5e-3;

/// Rounding of displacements relative to their size on the way.
const ROUNDING: f64 = 1e-12;

/// As in [`crate::observe::resolved`]: a share of the largest difference of two resolutions so far.
const FLOOR: f64 = 1.0 / 8.0;

impl World {
    /// Everything that is judged.
    pub(super) fn measure<V: Drift>(&self, drift: &V) -> Result<Facts> {
        let mut facts = Facts::new();
        self.displacements(drift, &mut facts)?;
        self.covariances(drift, &mut facts)?;
        Ok(facts)
    }

    /// Both orbits, the sensitivity, and the blocks at the exact orbit and between both.
    fn displacements<V: Drift>(&self, drift: &V, facts: &mut Facts) -> Result<()> {
        let sampler = Sampler::new(Method::Rk4, uniform_times(self.from, self.to, self.steps));
        let refined = sampler.refined();
        let inexact = Inexact { exact: drift, error: &self.error, epsilon: self.epsilon };
        let states =
            |sampler| Ok::<_, Error>(Trajectory::from(drift, sampler, &self.start)?.states);
        let moved =
            |sampler| Ok::<_, Error>(Trajectory::from(&inexact, sampler, &self.start)?.states);
        let (x_coarse, x_fine) = (states(&sampler)?, states(&refined)?);
        let (y_coarse, y_fine) = (moved(&sampler)?, moved(&refined)?);
        let first_order = |sampler: &Sampler| {
            sensitivities(&InexactFlow { sampler, drift, error: &self.error }, &self.start)
        };
        let (coarse, fine) = (first_order(&sampler)?, first_order(&refined)?);
        let (d, dim) = (self.tangent, self.start.len());
        let mut work = Workspace::default();
        // The largest differences of two resolutions so far: of x, y, their displacement and δ.
        let mut apart = [0.0_f64; 4];
        for (k, &t) in sampler.times().iter().enumerate() {
            let (u, rate) = self.frame_and_rate(t);
            let (x, y) = (&x_fine[2 * k], &y_fine[2 * k]);
            let z = y - x;
            let delta = &fine[2 * k].1;
            let differences = [
                (x - &x_coarse[k]).norm(),
                (y - &y_coarse[k]).norm(),
                (&z - (&y_coarse[k] - &x_coarse[k])).norm(),
                (delta - &coarse[k].1).norm(),
            ];
            let sizes = [x.norm(), y.norm(), x.norm() + y.norm(), 1.0 + delta.norm()];
            let mut bars = [0.0; 4];
            for (i, difference) in differences.into_iter().enumerate() {
                apart[i] = apart[i].max(difference);
                bars[i] = difference + FLOOR * apart[i] + ROUNDING * sizes[i];
            }
            let [bar_x, bar_y, bar_z, bar_delta] = bars;
            facts.push("time", Quantity::exact(t));
            let z = u.tr_mul(&z);
            let measured = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
            facts.push("displacement_tangent", measured(z.rows(0, d).norm(), bar_z));
            facts.push("displacement_normal", measured(z.rows(d, dim - d).norm(), bar_z));
            let delta = u.tr_mul(delta);
            facts.push("delta_tangent", measured(delta.rows(0, d).norm(), bar_delta));
            facts.push("delta_normal", measured(delta.rows(d, dim - d).norm(), bar_delta));

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

    /// Cov by its equation, by kicks of finite size, and as ∫ q² J(τ,u) J(τ,u)ᵀ du by Simpson's rule on the Jacobians of the maps.
    fn covariances<V: Drift>(&self, drift: &V, facts: &mut Facts) -> Result<()> {
        let (d, dim) = (self.tangent, self.start.len());
        let sampler = Sampler::new(Method::Rk4, uniform_times(self.from, self.to, self.steps / 2));
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
        // Runs of the model itself, kicked either way along each axis at every second step, and Simpson's rule.
        let half = sampler.maps() / 2;
        let mut orbit = vec![self.start.clone()];
        for k in 0..sampler.maps() {
            let mut x = orbit[k].clone();
            sampler.map(drift, k, &mut x);
            orbit.push(x);
        }
        let traces_of = |vectors: &[DVector<f64>]| {
            let squares = vectors.iter().map(|v| v * v.transpose());
            traces(&squares.fold(DMatrix::zeros(dim, dim), |sum, square| sum + square))
        };
        let kicked = |node: usize, size: f64| {
            let run = |i: usize, kick: f64| {
                let mut x = orbit[2 * node].clone();
                x[i] += kick;
                (2 * node..sampler.maps()).for_each(|k| sampler.map(drift, k, &mut x));
                DVector::from_vec(x)
            };
            let moved = |i: usize| (run(i, size) - run(i, -size)) / (2.0 * size);
            traces_of(&(0..dim).map(moved).collect::<Vec<_>>())
        };
        let simpson = |values: &[[f64; 2]], stride: usize| -> [f64; 2] {
            let step = (self.to - self.from) * stride as f64 / half as f64;
            [0, 1].map(|part| {
                let terms = (0..=half).step_by(stride).enumerate().map(|(n, k)| match k {
                    0 => values[k][part],
                    k if k == half => values[k][part],
                    _ if n % 2 == 1 => 4.0 * values[k][part],
                    _ => 2.0 * values[k][part],
                });
                self.white * self.white * step / 3.0 * terms.sum::<f64>()
            })
        };
        let narrow: Vec<_> = (0..=half).map(|k| kicked(k, KICK)).collect();
        // Kicks twice as wide at every second time are enough to see what their size does.
        let wide: Vec<_> =
            (0..=half).map(|k| if k % 2 == 0 { kicked(k, 2.0 * KICK) } else { [0.0; 2] }).collect();
        let (fine, coarse) = (simpson(&narrow, 1), simpson(&narrow, 2));
        let wide = simpson(&wide, 2);
        let changed =
            |part: usize| (fine[part] - coarse[part]).abs() + (coarse[part] - wide[part]).abs();
        state("kicked", [0, 1].map(|part| fine[part] - changed(part)), fine);
        facts.set("tangents", Quantity::exact(d as f64));
        facts.set("normals", Quantity::exact((dim - d) as f64));
        facts.set("white", Quantity::exact(self.white));
        let gaussian = matches!(self.flow, Flow::Path { sphere: None, .. });
        facts.set("gaussian", Quantity::exact(f64::from(u8::from(gaussian))));
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
