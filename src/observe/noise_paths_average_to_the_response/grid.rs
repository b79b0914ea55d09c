//! The law of a sampler on a line, and means over noise paths given the end state, by quadrature over states.

use super::{MAPS, World};
use crate::drift::{Channel, Denoise, Denoiser, LearningError};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Maps, StochasticSampler};
use num_dual::{Dual, DualNum};

/// Spacing of states in units of the smallest noise of a map: the trapezoid rule errs by about e^{−2π²/h²},
/// 1e-10 on the grid that is twice as wide.
const SPACING: f64 = 0.45;

/// Rounding of sums over a grid, relative to the largest response.
const ROUNDING: f64 = 1e-12;

/// Quantiles of the end law at which responses are compared.
const QUANTILES: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// What is carried at every state: the law with its derivative in ε, its slope in x, and sums over the past of paths
/// that end there, each times the density.
#[derive(Clone, Copy)]
struct Carried {
    density: f64,
    /// ρ^ε with its derivative in ε, by a dual through every map and its noise: no weight enters.
    law: Dual<f64>,
    /// dρ/dx.
    slope: f64,
    sums: [f64; 6],
}

impl Default for Carried {
    fn default() -> Self {
        Self { density: 0.0, law: Dual::from(0.0), slope: 0.0, sums: [0.0; 6] }
    }
}

/// The sums, by index.
const WEIGHT: usize = 0;
const BY_VARIANCE: usize = 1;
const LAST_WEIGHT: usize = 2;
const TRACE: usize = 3;
const SCORE: usize = 4;
const SCORE_BEFORE: usize = 5;

/// One map at one state, without its noise.
struct Jet {
    mean: f64,
    slope: f64,
    bend: f64,
    error: f64,
    error_slope: f64,
}

type Sampler<'a> = StochasticSampler<'a, Denoiser, LearningError>;

impl Jet {
    fn of(maps: &Sampler<'_>, k: usize, x: f64) -> Self {
        let noise = maps.coefficients(k).2 * maps.noise(k)[0];
        let at = |x: Dual<Dual<f64>>, epsilon: Dual<Dual<f64>>| {
            let mut y = [x];
            maps.map(k, epsilon, &mut y);
            y[0] - noise
        };
        let inner = Dual::new(x, 1.0);
        let twice = at(Dual::new(inner, 1.0.into()), 0.0.into());
        let error = at(Dual::from_re(inner), Dual::new(0.0.into(), 1.0.into()));
        Self {
            mean: twice.re.re,
            slope: twice.re.eps,
            bend: twice.eps.eps,
            error: error.eps.re,
            error_slope: error.eps.eps,
        }
    }
}

/// The end law on one grid of states.
struct End {
    carried: Vec<Carried>,
    spacing: f64,
    /// Σ_k E|w_k|²/γ_k² and Σ_k |E w_k|²/γ_k².
    energy: [f64; 2],
    /// The divergence formula of the last map alone.
    last_term: Vec<f64>,
    /// The least |dF| where there is mass: at 0 the divergence formula of the maps has no value.
    least_slope: f64,
}

fn run(world: &World, denoiser: &Denoiser, maps: &Sampler<'_>, spacing: f64) -> End {
    let reach = world
        .times
        .iter()
        .map(|t| {
            let (a, b) = world.schedule.coefficients(*t);
            4.0 * a + 9.0 * b
        })
        .fold(0.0, f64::max);
    let half = (reach / spacing).ceil() as i32;
    let states: Vec<f64> = (-half..=half).map(|i| f64::from(i) * spacing).collect();
    let (a, b) = world.schedule.coefficients(world.times[0]);
    let channel = Channel { signal: a, noise_variance: b * b };
    let mut carried: Vec<Carried> = states
        .iter()
        .map(|x| {
            let log = denoiser.log_density(channel.lift(), &[Dual::new(*x, 1.0)]);
            let density = log.re.exp();
            Carried { density, law: density.into(), slope: density * log.eps, ..Carried::default() }
        })
        .collect();
    let mut energy = [0.0; 2];
    let mut least_slope = f64::INFINITY;
    let mut last_term = Vec::new();
    for k in 0..MAPS {
        let noise = maps.coefficients(k).2;
        let mut next = vec![Carried::default(); states.len()];
        last_term = vec![0.0; states.len()];
        let mut mean = 0.0;
        for (x, from) in states.iter().zip(&carried).filter(|(_, from)| from.density > 1e-30) {
            let jet = Jet::of(maps, k, *x);
            let mass = from.density * spacing;
            if from.density > 1e-20 {
                least_slope = least_slope.min(jet.slope);
            }
            energy[0] += mass * (jet.error / noise).powi(2);
            mean += mass * jet.error / noise;
            // The score of the law of the mean, before the noise is added (T1.3, map version).
            let before = from.slope / from.density;
            let score = (before - jet.bend / jet.slope) / jet.slope;
            let (trace, inner) = (jet.error_slope / jet.slope, jet.error * score);
            let first =
                (((jet.mean - 12.0 * noise) - states[0]) / spacing).ceil().max(0.0) as usize;
            for (j, y) in states.iter().enumerate().skip(first) {
                let off = (y - jet.mean) / noise;
                if off > 12.0 {
                    break;
                }
                let kernel =
                    (-0.5 * off * off).exp() / (noise * std::f64::consts::TAU.sqrt()) * spacing;
                let weight = jet.error * off / noise;
                let to = &mut next[j];
                to.density += from.density * kernel;
                let moved = (Dual::new(jet.mean, jet.error) - *y) / noise;
                let scale = spacing / (noise * std::f64::consts::TAU.sqrt());
                to.law += from.law * (-(moved * moved) * 0.5).exp() * scale;
                to.slope -= from.density * kernel * off / noise;
                let mut add = |sum: usize, term: f64| {
                    to.sums[sum] += (from.sums[sum] + from.density * term) * kernel;
                };
                add(WEIGHT, jet.error * off / noise);
                add(BY_VARIANCE, weight / noise);
                add(TRACE, trace);
                add(SCORE, inner);
                add(SCORE_BEFORE, jet.error * before);
                to.sums[LAST_WEIGHT] += from.density * weight * kernel;
                last_term[j] -= from.density * (trace + inner) * kernel;
            }
        }
        energy[1] += mean * mean;
        carried = next;
    }
    End { carried, spacing, energy, last_term, least_slope }
}

impl End {
    /// ‖g‖² in L²(ρ).
    fn squared_norm(&self) -> f64 {
        let terms = self.carried.iter().filter(|c| c.density > 1e-30);
        terms.map(|c| c.law.eps * c.law.eps / c.density * self.spacing).sum()
    }

    /// Indices of the states nearest to the quantiles of the law.
    fn quantiles(&self) -> Vec<usize> {
        let mut below = 0.0;
        let mut indices = Vec::new();
        for (i, c) in self.carried.iter().enumerate() {
            below += c.density * self.spacing;
            while indices.len() < QUANTILES.len() && below > QUANTILES[indices.len()] {
                indices.push(i);
            }
        }
        indices
    }
}

/// States the responses at quantiles of the end law, from two grids of which one holds the states of the other.
pub fn measure(
    world: &World,
    denoiser: &Denoiser,
    maps: &Sampler<'_>,
    facts: &mut Facts,
) -> Result<()> {
    let least = (0..MAPS).map(|k| maps.coefficients(k).2).fold(f64::INFINITY, f64::min);
    let fine = run(world, denoiser, maps, SPACING * least);
    let rough = run(world, denoiser, maps, 2.0 * SPACING * least);
    let (centre_fine, centre_rough) = (fine.carried.len() / 2, rough.carried.len() / 2);
    let mut state = |name: &str, of: &dyn Fn(&End, usize) -> f64| {
        let pairs: Vec<(f64, f64)> = rough
            .quantiles()
            .into_iter()
            .map(|i| (of(&fine, 2 * i + centre_fine - 2 * centre_rough), of(&rough, i)))
            .collect();
        // The largest difference and the largest value count everywhere: one may vanish by accident.
        let off = pairs.iter().map(|(f, r)| (f - r).abs()).fold(0.0, f64::max);
        let size = pairs.iter().map(|(f, _)| f.abs()).fold(1e-3, f64::max);
        let bar = off + ROUNDING * size;
        for (value, _) in pairs {
            facts.push(name, Quantity::new(value, bar, Grade::Estimated));
        }
    };
    state("response_of_the_law", &|end, i| end.carried[i].law.eps / end.carried[i].density);
    for (name, sum) in [
        ("weight", WEIGHT),
        ("weight_by_variance", BY_VARIANCE),
        ("weight_of_last_map", LAST_WEIGHT),
        ("trace_part", TRACE),
        ("score_part", SCORE),
        ("score_part_before", SCORE_BEFORE),
    ] {
        state(name, &|end, i| end.carried[i].sums[sum] / end.carried[i].density);
    }
    state("last_map_term", &|end, i| end.last_term[i] / end.carried[i].density);
    let scalar = |fine: f64, rough: f64| {
        let bar = (fine - rough).abs() + 1e-9 * fine.abs();
        Quantity::new(fine, bar, Grade::Estimated)
    };
    facts.set("squared_norm", scalar(fine.squared_norm(), rough.squared_norm()));
    facts.set("energy", scalar(fine.energy[0], rough.energy[0]));
    facts.set("energy_of_the_mean", scalar(fine.energy[1], rough.energy[1]));
    facts.set("least_slope", scalar(fine.least_slope, rough.least_slope));
    Ok(())
}
