//! Stochastic samplers: the response as a mean over noise paths that end at one place (T1.4).

use super::moons::Moons;
use crate::drift::{Channel, Denoise, Drift, Gaussian, Lanes, LearningError, Schedule, Workspace};
use crate::error::Result;
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::{Maps, Scheme, StochasticSampler, geometric_times};
use crate::linalg::dot;
use crate::manifold::Law;
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use rayon::prelude::*;

/// Noise levels between which the samplers run.
const LEVELS: (f64, f64) = (3.0, 0.15);

/// Maps of a sampler.
const MAPS: usize = 80;

/// Noise paths.
const PATHS: usize = 16_000;

/// Bins of a coordinate.
const BINS: usize = 16;

/// The size of the differences with the same noise.
const SIZE: f64 = 0.05;

const SCHEDULE: Schedule = Schedule::Ve { sigma_min: LEVELS.1, sigma_max: LEVELS.0 };

fn times() -> Vec<f64> {
    let levels = geometric_times(LEVELS.0, LEVELS.1, MAPS);
    let last = levels.len() - 1;
    let time = |(k, sigma): (usize, f64)| match k {
        0 => 0.0,
        k if k == last => 1.0,
        _ => SCHEDULE.time_at_sigma(sigma),
    };
    levels.into_iter().enumerate().map(time).collect()
}

/// An Euler–Maruyama chain for N(0, λ) data on a line with a constant error: everything is in closed form.
pub struct Chain {
    /// λ.
    pub variance: f64,
    /// The error of the denoiser.
    pub error: f64,
}

/// One noise path.
struct Path {
    end: Vec<f64>,
    /// Σ⟨w, z⟩/γ: the Girsanov weight of the chain.
    weight: f64,
    /// −Σ(div w + ⟨w, s⟩)h.
    accrued: f64,
    /// The ends at ±SIZE with the same noise.
    moved: [Vec<f64>; 2],
}

/// Runs one path of the sampler from `start`.
fn path<N: Denoise>(
    denoiser: &N,
    error: &LearningError,
    start: &[f64],
    noise: Stream,
) -> Result<Path> {
    let dim = denoiser.dim();
    let times = times();
    let scheme = Scheme::EulerMaruyama;
    let maps = StochasticSampler::new(SCHEDULE, scheme, times.clone(), denoiser, error, noise)?;
    let (mut x, mut moved) = (start.to_vec(), [start.to_vec(), start.to_vec()]);
    let (mut weight, mut accrued) = (0.0, 0.0);
    let (mut w, mut mean, mut divergence) = (vec![0.0; dim], vec![0.0; dim], [0.0]);
    let mut work = Workspace::default();
    for (k, time) in times.iter().take(MAPS).enumerate() {
        let (_, of_mean, of_noise) = maps.coefficients(k);
        error.push_with_divergence(*time, &x, Lanes::single(0), &mut w, &mut divergence, &mut work);
        let sigma = SCHEDULE.coefficients(*time).1;
        denoiser.denoise(Channel::canonical(sigma), &x, &mut mean);
        let score: f64 = w.iter().zip(mean.iter().zip(&x)).map(|(w, (m, x))| w * (m - x)).sum();
        weight += of_mean / of_noise * dot(&w, maps.noise(k));
        accrued -= of_mean * (divergence[0] + score / (sigma * sigma));
        maps.map(k, 0.0, &mut x);
        maps.map(k, SIZE, &mut moved[0]);
        maps.map(k, -SIZE, &mut moved[1]);
    }
    Ok(Path { end: x, weight, accrued, moved })
}

/// Independent paths from the exact law at the first level.
fn paths<N: Denoise>(
    denoiser: &N,
    error: &LearningError,
    data: &(dyn Fn(usize) -> Vec<f64> + Sync),
    count: usize,
    stream: Stream,
) -> Result<Vec<Path>> {
    let run = |i: usize| {
        let stream = stream.indexed(i as u64);
        let noise = stream.named("start").normals(denoiser.dim());
        let start: Vec<f64> = data(i).iter().zip(&noise).map(|(x, z)| x + LEVELS.0 * z).collect();
        path(denoiser, error, &start, stream.named("noise"))
    };
    (0..count).into_par_iter().map(run).collect()
}

impl Chain {
    /// Mean (per unit of ε) and variance of X_K, by the recursion of a linear chain.
    ///
    /// *Errors*: never for a positive variance.
    pub fn end(&self) -> Result<(f64, f64)> {
        let (law, error) = self.parts()?;
        let scheme = Scheme::EulerMaruyama;
        let noise = Stream::root(0);
        let maps = StochasticSampler::new(SCHEDULE, scheme, times(), &law, &error, noise)?;
        let (mut mean, mut variance) = (0.0, self.variance + LEVELS.0 * LEVELS.0);
        for (k, time) in times().iter().take(MAPS).enumerate() {
            let (of_x, of_mean, of_noise) = maps.coefficients(k);
            let sigma = SCHEDULE.coefficients(*time).1;
            let slope = of_x + of_mean * self.variance / (self.variance + sigma * sigma);
            mean = slope * mean + of_mean * self.error;
            variance = slope * slope * variance + of_noise * of_noise;
        }
        Ok((mean, variance))
    }

    fn parts(&self) -> Result<(Gaussian, LearningError)> {
        Ok((Gaussian::diagonal(&[self.variance])?, LearningError::constant(&[self.error])))
    }

    /// Σ|w|²/γ², the bound of ‖g‖²; attained by nothing but a single map here.
    fn energy(&self) -> Result<f64> {
        let (law, error) = self.parts()?;
        let scheme = Scheme::EulerMaruyama;
        let maps =
            StochasticSampler::new(SCHEDULE, scheme, times(), &law, &error, Stream::root(0))?;
        let term = |k: usize| {
            let (_, of_mean, of_noise) = maps.coefficients(k);
            (of_mean * self.error / of_noise).powi(2)
        };
        Ok((0..MAPS).map(term).sum())
    }

    /// End states with their Girsanov weights.
    ///
    /// *Errors*: never for a positive variance.
    pub fn weights(&self, count: usize, stream: Stream) -> Result<Vec<(f64, f64)>> {
        let (law, error) = self.parts()?;
        let data = |i: usize| {
            let z = stream.named("data").indexed(i as u64).normals(1);
            vec![self.variance.sqrt() * z[0]]
        };
        let paths = paths(&law, &error, &data, count, stream)?;
        Ok(paths.into_iter().map(|path| (path.end[0], path.weight)).collect())
    }
}

/// Means of values in bins of a coordinate with equally many paths: middle of the bin, mean and bar.
fn binned(pairs: &[(f64, f64)], bins: usize) -> Vec<(f64, Quantity)> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let bin = |chunk: &[(f64, f64)]| {
        let values: Vec<f64> = chunk.iter().map(|(_, value)| *value).collect();
        let middle = chunk.iter().map(|(x, _)| x).sum::<f64>() / chunk.len() as f64;
        (middle, Quantity::sampled_mean(&values, REPORTED))
    };
    sorted.chunks(pairs.len().div_ceil(bins)).map(bin).collect()
}

fn with_bars(at: &[(f64, Quantity)]) -> Mark {
    let x = at.iter().map(|(x, _)| *x).collect();
    let (y, bars) = at.iter().map(|(_, q)| (q.value, q.bar)).unzip();
    Mark::points_with_bars(x, y, bars)
}

fn band(at: &[(f64, Quantity)]) -> Mark {
    let x = at.iter().map(|(x, _)| *x).collect();
    let (low, high) = at.iter().map(|(_, q)| (q.value - q.bar, q.value + q.bar)).unzip();
    Mark::Band { x, low, high }
}

/// The figure.
pub fn add(chapter: &mut Chapter, moons: &Moons, stream: Stream) -> Result<()> {
    let chain = Chain { variance: 0.5, error: 0.4 };
    let (mean, variance) = chain.end()?;
    let means = binned(&chain.weights(PATHS, stream.named("line"))?, BINS);
    let slope = mean / variance;
    let held = means.iter().filter(|(x, q)| (q.value - slope * x).abs() <= q.bar).count();
    let ends: Vec<f64> = [means[0].0, means[BINS - 1].0].to_vec();
    let line = ends.iter().map(|x| slope * x).collect();
    let on_line = Panel::new(
        "Gaussian on a line, closed form",
        Axis::new("end state y"),
        Axis::new("response g"),
    )
    .with("closed form", Ink::Predicted, Mark::dashed(ends, line))
    .with("E[Σ⟨w, z⟩/γ | y]", Ink::Measured, with_bars(&means));

    let law = Law::OnManifold {
        manifold: moons.manifold.clone(),
        density: crate::manifold::Density::Uniform,
        thickness: super::moons::THICKNESS,
    };
    let data = law.sample(PATHS, stream.named("moons data"))?;
    let draw = |i: usize| data.column(i).iter().copied().collect::<Vec<f64>>();
    let all = paths(&moons.law, &moons.error, &draw, PATHS, stream.named("moons"))?;
    let mut panels = vec![on_line];
    let (mut inside, mut wrong, mut bins) = (0, 0, 0);
    let mut widest = 0.0_f64;
    for (j, label) in ["x₁", "x₂"].into_iter().enumerate() {
        let of = |value: &dyn Fn(&Path) -> f64| -> Vec<(f64, Quantity)> {
            binned(&all.iter().map(|path| (path.end[j], value(path))).collect::<Vec<_>>(), BINS)
        };
        let (weights, accrued) = (of(&|path| path.weight), of(&|path| path.accrued));
        // The same bins, counted at ±ε with the same noise.
        let mut sorted: Vec<f64> = all.iter().map(|path| path.end[j]).collect();
        sorted.sort_by(f64::total_cmp);
        let width = all.len().div_ceil(BINS);
        let edge = |b: usize| match b {
            0 => f64::NEG_INFINITY,
            b if b * width >= sorted.len() => f64::INFINITY,
            b => sorted[b * width],
        };
        let counted: Vec<(f64, Quantity)> = (0..weights.len())
            .map(|b| {
                let within = |x: &[f64]| f64::from(u8::from(edge(b) <= x[j] && x[j] < edge(b + 1)));
                let share = 1.0 / BINS as f64;
                let draws: Vec<f64> = all
                    .iter()
                    .map(|path| {
                        (within(&path.moved[0]) - within(&path.moved[1])) / (2.0 * SIZE * share)
                    })
                    .collect();
                (weights[b].0, Quantity::sampled_mean(&draws, REPORTED))
            })
            .collect();
        for ((a, b), c) in weights.iter().zip(&accrued).zip(&counted) {
            for other in [b, c] {
                bins += 1;
                let agree = |sign: f64| {
                    let off = a.1.value - sign * other.1.value;
                    usize::from(off.abs() <= a.1.bar.hypot(other.1.bar))
                };
                (inside, wrong) = (inside + agree(1.0), wrong + agree(-1.0));
            }
        }
        widest = weights.iter().map(|(_, q)| q.bar).fold(widest, f64::max);
        let x = accrued.iter().map(|(x, _)| *x).collect();
        let middle = accrued.iter().map(|(_, q)| q.value).collect();
        let panel = Panel::new(
            format!("moons, in bins of {label}"),
            Axis::new(format!("end state {label}")),
            Axis::new("response g"),
        )
        .with("−E[Σ(div w + ⟨w, s⟩)h | y]", Ink::Score, band(&accrued))
        .with("", Ink::Score, Mark::line(x, middle))
        .with("E[Σ⟨w, z⟩/γ | y]", Ink::Measured, with_bars(&weights))
        .with("counts at ±ε", Ink::Error, with_bars(&counted));
        panels.push(panel);
    }
    let (norm, energy) = (slope * variance.sqrt(), chain.energy()?.sqrt());
    let caption = format!(
        "Euler–Maruyama with {MAPS} maps from σ = {} to {}, {PATHS} noise paths, 95 % bars and bands of {BINS} bins of equally many. Left: a \
         Gaussian with a constant error, where $g(y) = y\\, m/v$ with mean and variance of the chain in closed form: {held} of {BINS} bars \
         hold it; ‖g‖ = {norm:.3}, the bound $(\\sum E|w|^2/\\gamma^2)^{{1/2}}$ is {energy:.3}. Middle and right: the moons with the error field of \
         the other figures as error of the denoiser. The weight of the noise path, the error with the score along it, and counts of the \
         bins at ε = ±{SIZE} with the same noise are three different means of one response: {inside} of {bins} pairs agree within their joint bars \
         (95 % would be {:.0}).",
        LEVELS.0,
        LEVELS.1,
        0.95 * bins as f64,
    );
    let not_shown = "The second form is that of continuous time, so it is off by a share of the order of one step; bins average g over all \
                     that they hold. With noise at the end the support is the whole plane, and no claim on it can be tested.";
    let figure =
        Figure::new("noise-paths", "The response of stochastic samplers, from noise paths", panels)
            .says(caption, not_shown)
            .within(1e-3);
    chapter.figures.push(figure);
    chapter.find(
        one_response((inside, bins), (held, BINS), wrong),
        "noise-paths",
        "T1.4: g(y) = E[∫⟨w/σ, dW⟩ | y] = −E[∫(div w + ⟨w, s⟩) dt | y]",
        format!(
            "{inside} of {bins} pairs of means agree within joint 95 % bars (widest bar {widest:.2}), {wrong} of them would if one were of the other sign; closed \
             form held by {held} of {BINS} bars"
        ),
    );
    Ok(())
}

/// Whether so many of so many pairs, and of closed forms, are within their 95 % bars: judged at four standard errors of their
/// number; open where means of the wrong sign would do as well.
pub fn one_response(pairs: (usize, usize), closed: (usize, usize), wrong: usize) -> Relation {
    let enough = |(inside, of): (usize, usize)| {
        let of = of as f64;
        inside as f64 >= 0.95 * of - 4.0 * (0.0475 * of).sqrt()
    };
    match enough(pairs) && enough(closed) {
        true if enough((wrong, pairs.1)) => Relation::Open,
        true => Relation::Agrees,
        false => Relation::Contradicts,
    }
}
