//! Tubes about manifolds, Gaussian paths and their errors, for T1.6.

mod paths;

use super::Observation;
use super::limits::power;
use super::picture::{self, STEPS, Scene, Size, samples};
use crate::drift::{
    Channel, Denoise, Denoiser, Drift, Gaussian, GaussianPath, Lanes, LearningError,
    Parametrisation, PartOf, Schedule, Sphere, Workspace,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{InexactFlow, Method, Sampler, uniform_times};
use crate::linalg::{complement, dot, largest_angle, orthonormalise, svd};
use crate::manifold::{Chart, Flat, Manifold, Motion, Part};
use crate::observe::paths::decode_schedule;
use crate::random::{Knobs, Stream, unit_vector};
use crate::response::{NoisyLaw, along_maps};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Thicknesses: each a third of the one before.
const THICKNESSES: usize = 6;

/// Points of a tube, the same at every thickness; in pairs of opposite noise, on which the product
/// of the tangential and the normal term, which would make corrections of order √s, cancels.
const POINTS: usize = 16;

/// Orbits along which the splitting of the response is looked at.
const ORBITS: u64 = 3;

/// Maps of the model behind them.
const MAPS: usize = 6;

/// A world.
#[derive(Serialize)]
struct World {
    /// A round sphere in all of R^D; otherwise a flat with a Gaussian on it.
    round: bool,
    ambient: usize,
    tangent: usize,
    /// s_0.
    thickness: f64,
    /// The normal error is s^exponent times a fixed field.
    exponent: f64,
    /// Size of the graph that is a plane tilted against the tangent space.
    tilt: f64,
    length: f64,
    schedule: Schedule,
    /// Predicts the velocity, or the noise.
    parametrisation: Parametrisation,
    /// Noise levels σ at the two ends that are compared.
    ends: [f64; 2],
    /// Whether norms over the law of a field that varies are sampled, and of which one.
    sampled: Option<Field>,
    #[serde(skip)]
    stream: Stream,
    /// Every step of a path is cut into so many.
    #[serde(skip)]
    finer: usize,
}

/// A velocity error that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Field {
    /// A random Fourier field.
    Fourier,
    /// w_i = sin x_i / √D: nearly parallel to the score of pure noise.
    Sines,
    /// One short wave along its wave vector: nearly all divergence.
    Wave,
}

impl World {
    /// Decodes a world; the plainest is the unit circle with a constant velocity error of flow matching.
    fn decode(knobs: &mut Knobs) -> Self {
        let round = knobs.unit() < 0.5;
        let ambient = knobs.pick(&[2, 3, 4, 6]);
        let flat = knobs.count(1, ambient - 1);
        let tangent = if round { ambient - 1 } else { flat };
        let thickness = knobs.log_range(0.03, 0.1);
        let exponent = knobs.pick(&[0.0, 0.5, 1.0, 1.5]);
        let tilt = knobs.log_range(0.01, 3.0);
        let length = knobs.log_range(0.7, 3.0);
        let kind = knobs.count(0, 2);
        let beta = knobs.range(4.0, 12.0);
        let other = decode_schedule(knobs);
        let (schedule, parametrisation) = match kind {
            0 => (Schedule::FlowMatching, Parametrisation::Velocity),
            1 => {
                let constant = Schedule::VpLinear { beta_min: beta, beta_max: beta };
                (constant, Parametrisation::Velocity)
            }
            _ => (other, Parametrisation::Noise),
        };
        let last = knobs.log_range(0.003, 0.03);
        let ends = [last * knobs.range(3.0, 10.0), last];
        let sampled = knobs.pick(&[
            None,
            None,
            None,
            Some(Field::Sines),
            Some(Field::Fourier),
            Some(Field::Wave),
        ]);
        let stream = knobs.stream("size");
        Self {
            round,
            ambient,
            tangent,
            thickness,
            exponent,
            tilt,
            length,
            schedule,
            parametrisation,
            ends,
            sampled,
            stream,
            finer: knobs.steps(1),
        }
    }

    fn denoiser(&self) -> Result<Denoiser> {
        if self.round {
            return Ok(Sphere::new(self.ambient, 1.0)?.into());
        }
        Ok(Gaussian::diagonal(&self.variances())?.into())
    }

    /// Variances of the Gaussian data: flat along the normals.
    fn variances(&self) -> Vec<f64> {
        let drawn = self.stream.named("variances").uniforms(self.ambient);
        let variance = |(i, u): (usize, f64)| if i < self.tangent { 0.3 + 2.0 * u } else { 0.0 };
        drawn.into_iter().enumerate().map(variance).collect()
    }

    fn manifold(&self) -> Result<Manifold> {
        if self.round {
            return Manifold::new(Chart::Sphere(crate::manifold::Sphere {
                dim: self.tangent,
                radius: 1.0,
            }));
        }
        let flat = Chart::Flat(Flat { half_widths: vec![1.0; self.tangent], bounded: false });
        Manifold::embedded(flat, Motion::identity(self.tangent, self.ambient)?)
    }

    /// A draw of the data.
    fn datum(&self, stream: Stream) -> Vec<f64> {
        if self.round {
            return unit_vector(&mut stream.rng(), self.ambient);
        }
        let normals = stream.normals(self.ambient);
        normals.iter().zip(self.variances()).map(|(z, v)| z * v.sqrt()).collect()
    }

    fn error(&self, name: &str) -> LearningError {
        LearningError::fourier(self.ambient, 4, self.length, 1.0, self.stream.named(name))
    }

    fn measure(&self) -> Result<Facts> {
        let mut facts = Facts::new();
        self.split(&mut facts)?;
        self.growth(&mut facts)?;
        self.tilted(&mut facts)?;
        self.constant_errors(&mut facts)?;
        let varies = f64::from(u8::from(self.sampled.is_some()));
        facts.set("varies", Quantity::exact(varies));
        if let Some(field) = self.sampled {
            self.norms(&mut facts, field)?;
        }
        Ok(facts)
    }

    /// g against div δ and the parts of δ and s, at ends of orbits of a model with that error.
    fn split(&self, facts: &mut Facts) -> Result<()> {
        let (denoiser, manifold) = (self.denoiser()?, self.manifold()?);
        // Flow matching to a = 1/(1+s), b = s/(1+s).
        let end = 1.0 / (1.0 + self.thickness);
        let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &denoiser };
        let sampler = Sampler::new(Method::Heun, uniform_times(0.0, end, MAPS));
        let error = self.error("split");
        let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
        let source =
            NoisyLaw { denoiser: &denoiser, channel: Channel { signal: 0.0, noise_variance: 1.0 } };
        for orbit in 0..ORBITS {
            let start = self.stream.named("orbit").indexed(orbit).normals(self.ambient);
            let response = along_maps(&maps, &source, &start)?;
            let scaled = &response.states[MAPS] / end;
            let foot = manifold.nearest(scaled.as_slice())?;
            let frame = manifold.tangent_frame(&foot.place);
            let parts = |v: &DVector<f64>| {
                let tangent = &frame * frame.tr_mul(v);
                [tangent.norm(), (v - tangent).norm()]
            };
            let bar = response.rounding[MAPS];
            let mut push = |name: &str, value: f64| {
                facts.push(name, Quantity::new(value, bar + 1e-14 * value.abs(), Grade::Estimated));
            };
            push("response", response.from_error[MAPS]);
            push("divergence", response.divergence[MAPS]);
            let names = ["delta_tangent", "delta_normal", "score_tangent", "score_normal"];
            let [dt, dn] = parts(&response.delta[MAPS]);
            let [st, sn] = parts(&response.score[MAPS]);
            for (name, value) in names.iter().zip([dt, dn, st, sn]) {
                push(name, value);
            }
        }
        Ok(())
    }

    /// The root mean square of g over the same points of ever thinner tubes, for a late error whose normal part is s^exponent times a field.
    fn growth(&self, facts: &mut Facts) -> Result<()> {
        let (denoiser, manifold) = (self.denoiser()?, self.manifold()?);
        let field = self.error("late");
        let normal = PartOf { error: &field, part: Part::Normal, manifold: &manifold };
        let (mut thicknesses, mut sizes) = (Vec::new(), Vec::new());
        for j in 0..THICKNESSES as i32 {
            let s = self.thickness / 3_f64.powi(j);
            let share = s.powf(self.exponent);
            let mut sum = 0.0;
            for i in 0..POINTS as u64 {
                let stream = self.stream.named("tube").indexed(i / 2);
                let mut x = self.datum(stream.named("datum"));
                let noise = stream.named("noise").normals(self.ambient);
                let off = if i % 2 == 0 { s } else { -s };
                x.iter_mut().zip(&noise).for_each(|(x, z)| *x += off * z);
                let mut score = x.clone();
                denoiser.denoise(Channel::canonical(s), &x, &mut score);
                score.iter_mut().zip(&x).for_each(|(m, x)| *m = (*m - x) / (s * s));
                let (of_all, of_normal) = (late(&field, &x, &score), late(&normal, &x, &score));
                let g = of_all - of_normal + share * of_normal;
                sum += g * g / POINTS as f64;
            }
            thicknesses.push(s);
            sizes.push(sum.sqrt());
        }
        // Corrections are of relative size O(s) over a length of order 1.
        let corrections = 4.0 * thicknesses[2];
        facts.set("growth", power(&thicknesses, &sizes).widened(corrections));
        facts.set("exponent", Quantity::exact(self.exponent));
        Ok(())
    }

    /// Vectors of a plane that is tilted against a tangent space.
    fn tilted(&self, facts: &mut Facts) -> Result<()> {
        let manifold = self.manifold()?;
        let place = manifold.nearest(&self.datum(self.stream.named("tilted")))?.place;
        let tangent = manifold.tangent_frame(&place);
        let normal = complement(&tangent);
        let (d, codim) = (tangent.ncols(), normal.ncols());
        let drawn = self.stream.named("graph").normals(d * codim);
        let graph = DMatrix::from_vec(codim, d, drawn) * (self.tilt / ((d * codim) as f64).sqrt());
        let mut plane = &tangent + &normal * &graph;
        orthonormalise(&mut plane);
        let angle = largest_angle(&plane, &tangent)?;
        facts.set("tilt", Quantity::new(angle, 1e-7, Grade::Estimated));
        // Three vectors at random, and the steepest.
        let steepest = svd(&graph)?.right.column(0).into_owned();
        // In the orthonormal basis of the plane its steepest vector has other coordinates.
        let steepest = plane.tr_mul(&(&tangent + &normal * &graph)) * steepest;
        let random =
            |i: u64| DVector::from_vec(self.stream.named("in the plane").indexed(i).normals(d));
        for c in (0..3).map(random).chain([steepest]) {
            let delta = &plane * c;
            let share = normal.tr_mul(&delta).norm() / delta.norm();
            facts.push("tilted_normal", Quantity::new(share, 1e-12, Grade::Estimated));
        }
        Ok(())
    }
}

/// g = −(div w + ⟨w, s⟩) of a late error, for which δ = w: μ = −div(ρw).
fn late(error: &impl Drift, x: &[f64], score: &[f64]) -> f64 {
    let dim = x.len();
    let mut block = DMatrix::identity(dim, dim).insert_column(0, 0.0);
    block.column_mut(0).copy_from_slice(x);
    let mut out = block.clone();
    let lanes = Lanes::single(dim);
    error.push(0.0, block.as_slice(), lanes, out.as_mut_slice(), &mut Workspace::default());
    let divergence: f64 = (0..dim).map(|i| out[(i, i + 1)]).sum();
    -(divergence + dot(out.column(0).as_slice(), score))
}

/// The model whose response is split: orbits to the tube, with and without the error.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs);
    let denoiser = world.denoiser()?;
    let end = 1.0 / (1.0 + world.thickness);
    let drift = &GaussianPath { schedule: Schedule::FlowMatching, denoiser: &denoiser };
    let sampler = Sampler::new(Method::Heun, uniform_times(0.0, end, STEPS));
    let error = &world.error("split");
    let maps = &InexactFlow { sampler: &sampler, drift, error };
    let stream = world.stream.named("orbit");
    let start = |nth: usize| stream.indexed(nth as u64).normals(world.ambient);
    let starts = &(0..picture::ORBITS).map(start).collect::<Vec<_>>();
    let data = Some(samples((&denoiser, end))?);
    Scene { maps, size: Size::Visible, starts, data }.draw()
}

/// Decodes and measures.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs);
    let facts = world.measure()?;
    let family = if world.round { "tube about a sphere" } else { "tube about a flat" };
    Ok(Observation::new(&world, facts).labelled(Labels::of(family)))
}
