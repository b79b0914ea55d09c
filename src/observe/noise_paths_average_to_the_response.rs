//! Stochastic samplers with an error of the denoiser, by noise paths and by their laws on a grid, for T1.4.

mod grid;

use super::Observation;
use super::laws::RandomLaw;
use super::paths::decode_schedule;
use super::picture::{ORBITS, Scene, Size, samples};
use crate::drift::{Atoms, Denoise, Denoiser, Drift, Gaussian, LearningError, Schedule, Segment};
use crate::error::Result;
use crate::facts::{Facts, Grade, LEVEL, Quantity};
use crate::figure::Panel;
use crate::flow::{Scheme, StochasticSampler};
use crate::linalg::dot;
use crate::random::{Knobs, Stream};
use crate::response::sensitivities;
use crate::scenario::Labels;
use serde::Serialize;

/// Maps of a sampler.
const MAPS: usize = 8;

/// Noise paths of a sampled world, and the waves that test its law.
const PATHS: usize = 4000;
const FUNCTIONS: usize = 2;

#[derive(Serialize)]
pub struct World {
    schedule: Schedule,
    scheme: Scheme,
    /// Generating times, increasing; the last has noise left, unless the world is out of scope.
    times: Vec<f64>,
    error: LearningError,
    law: Law,
    #[serde(skip)]
    stream: Stream,
}

/// On a line the law itself is followed; elsewhere noise paths are drawn.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Law {
    Line(Line),
    Space(RandomLaw),
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Gaussian { variance: f64 },
    Segment { half_length: f64 },
    Atoms { points: Vec<f64> },
}

impl World {
    fn decode(knobs: &mut Knobs) -> Self {
        let (on_line, kind) = (knobs.unit() < 0.6, knobs.count(0, 2));
        let mut scheme = knobs.pick(&[Scheme::Ancestral, Scheme::EulerMaruyama]);
        let mut schedule = decode_schedule(knobs);
        let (high, low) = (knobs.log_range(0.8, 2.0), knobs.log_range(0.25, 0.6));
        let stream = knobs.stream("noise paths");
        let (size, length) = (knobs.log_range(0.05, 1.0), knobs.range(0.5, 2.0));
        let constant = knobs.unit() > 0.7;
        let ends_without_noise = knobs.unit() > 0.9;
        let ratio = (low / high).ln() / MAPS as f64;
        let level = |k: usize| high * (ratio * k as f64).exp();
        let mut times: Vec<f64> = (0..=MAPS).map(|k| schedule.time_at_sigma(level(k))).collect();
        if ends_without_noise {
            // Only these paths end at the data; the others keep a little noise, too little for a grid.
            (schedule, scheme) = (Schedule::FlowMatching, Scheme::Ancestral);
            times = (0..=MAPS).map(|k| 0.4 + 0.6 * k as f64 / MAPS as f64).collect();
        }
        let law = match (on_line, kind) {
            (true, 0) => Law::Line(Line::Gaussian { variance: 0.5 * length }),
            (true, 1) => Law::Line(Line::Segment { half_length: length }),
            (true, _) => Law::Line(Line::Atoms { points: stream.named("points").normals(5) }),
            (false, _) => Law::Space(RandomLaw::decode(knobs)),
        };
        let dim = match &law {
            Law::Line(_) => 1,
            Law::Space(law) => law.dim,
        };
        let error = match constant {
            true => LearningError::constant(&vec![size; dim]),
            false => LearningError::fourier(dim, 3, length, size, stream.named("error")),
        };
        Self { schedule, scheme, times, error, law, stream }
    }

    fn denoiser(&self) -> Result<Denoiser> {
        Ok(match &self.law {
            Law::Line(Line::Gaussian { variance }) => Gaussian::diagonal(&[*variance])?.into(),
            Law::Line(Line::Segment { half_length }) => Segment::new(*half_length)?.into(),
            Law::Line(Line::Atoms { points }) => Atoms::new(1, points.clone(), None, 0.0)?.into(),
            Law::Space(law) => law.denoiser()?,
        })
    }

    fn sampler<'a>(
        &'a self,
        denoiser: &'a Denoiser,
        noise: Stream,
    ) -> Result<StochasticSampler<'a, Denoiser, LearningError>> {
        let times = self.times.clone();
        StochasticSampler::new(self.schedule, self.scheme, times, denoiser, &self.error, noise)
    }

    /// Where a path starts, of N(0, (a² + b²) I).
    fn start(&self, path: u64, dim: usize) -> Vec<f64> {
        let (a, b) = self.schedule.coefficients(self.times[0]);
        let z = self.stream.indexed(path).named("start").normals(dim);
        z.iter().map(|z| a.hypot(b) * z).collect()
    }

    /// Averages over noise paths of one sampler, from N(0, (a² + b²) I).
    fn sample(&self, denoiser: &Denoiser, facts: &mut Facts) -> Result<()> {
        let dim = denoiser.dim();
        let waves: Vec<Vec<f64>> = (0..FUNCTIONS as u64)
            .map(|j| self.stream.named("wave").indexed(j).normals(dim))
            .collect();
        let last = self.schedule.coefficients(self.times[MAPS]);
        let length = last.0.hypot(last.1) * (dim as f64).sqrt();
        let mut draws = vec![vec![Vec::new(); 5]; FUNCTIONS];
        let mut energies = Vec::new();
        for path in 0..PATHS as u64 {
            let stream = self.stream.indexed(path);
            let maps = self.sampler(denoiser, stream.named("noise"))?;
            let orbit = sensitivities(&maps, &self.start(path, dim))?;
            let other = stream.named("other noise").normals(dim * MAPS);
            // The weight of a path, with its wrong versions: by γ², of other noise, of the last map.
            let (mut weight, mut wrong, mut energy) = (0.0, [0.0; 3], 0.0);
            for k in 0..MAPS {
                let (_, of_mean, of_noise) = maps.coefficients(k);
                let mut w = vec![0.0; dim];
                self.error.velocity(self.times[k], orbit[k].0.as_slice(), &mut w);
                w.iter_mut().for_each(|w| *w *= of_mean / of_noise);
                let term = dot(&w, maps.noise(k));
                weight += term;
                wrong[0] += term / of_noise;
                wrong[1] += dot(&w, &other[k * dim..(k + 1) * dim]);
                wrong[2] = term;
                energy += dot(&w, &w);
            }
            energies.push(energy);
            let (end, delta) = orbit.last().expect("an orbit has a start");
            for (wave, draws) in waves.iter().zip(&mut draws) {
                let phase = dot(wave, end.as_slice()) / length;
                let (value, slope) =
                    (phase.sin(), phase.cos() * dot(wave, delta.as_slice()) / length);
                let weights = [weight, wrong[0], wrong[1], wrong[2], -weight];
                draws.iter_mut().zip(weights).for_each(|(d, w)| d.push(slope - value * w));
            }
        }
        let mean = |draws: &[f64]| Quantity::sampled_mean(draws, LEVEL);
        let names = [
            "difference",
            "difference_by_variance",
            "difference_of_other_noise",
            "difference_of_last_map",
            "difference_of_flipped_weight",
        ];
        let energy = mean(&energies);
        for draws in &draws {
            names.iter().zip(draws).for_each(|(name, draws)| facts.push(name, mean(draws)));
            // |E f Z| is at most the root of E Z².
            facts.push("size", Quantity::new(energy.value.sqrt(), 0.0, Grade::Sampled));
        }
        Ok(())
    }
}

/// The first noise path; None on the line.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs);
    let denoiser = world.denoiser()?;
    let maps = world.sampler(&denoiser, world.stream.indexed(0).named("noise"))?;
    let starts: Vec<_> = (0..ORBITS).map(|path| world.start(path as u64, denoiser.dim())).collect();
    let data = Some(samples((&denoiser, world.schedule.coefficients(world.times[MAPS]).0))?);
    Scene { maps: &maps, size: Size::Visible, starts: &starts, data }.draw()
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs);
    let denoiser = world.denoiser()?;
    let maps = world.sampler(&denoiser, world.stream)?;
    let noise = (0..MAPS).map(|k| maps.coefficients(k).2).fold(f64::INFINITY, f64::min);
    let mut facts = Facts::new();
    facts.set("least_noise", Quantity::rounded(noise, 64.0));
    let on_line = matches!(world.law, Law::Line(_));
    facts.set("on_the_line", Quantity::exact(f64::from(u8::from(on_line))));
    if noise > 1e-6 {
        match &world.law {
            Law::Line(_) => grid::measure(&world, &denoiser, &maps, &mut facts)?,
            Law::Space(_) => world.sample(&denoiser, &mut facts)?,
        }
    }
    let labels = match &world.law {
        Law::Line(Line::Gaussian { .. }) => Labels::of("gaussian on a line"),
        Law::Line(Line::Segment { .. }) => Labels::of("segment on a line"),
        Law::Line(Line::Atoms { .. }) => Labels::of("atoms on a line"),
        Law::Space(law) => law.labels(),
    };
    Ok(Observation::new(&world, facts).labelled(labels))
}
