//! Perturbed Gaussian paths in tubes around products of spheres and planes, for T4.1.

mod orbits;

use super::Observation;
use super::inexact::{Foot, Setting};
use super::picture::{STEPS, Scene, Size, samples, scattered};
use crate::drift::{
    Channel, Denoiser, Drift, Gaussian, GaussianPath, InVelocity, LearningError, Product, Sphere,
};
use crate::error::Result;
use crate::facts::Facts;
use crate::figure::{Ink, Mark, Panel};
use crate::flow::{InexactFlow, Method, Sampler, Trajectory};
use crate::manifold::{self, Chart, Flat, Manifold, Motion};
use crate::random::Knobs;
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::DVector;
use serde::Serialize;

/// Pieces of the edge of a tube that is drawn.
const EDGE: usize = 60;

/// Which sets M_t the distance is measured from.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Family {
    /// Carried by the exact flow: spheres of the radii of an exact orbit.
    Invariant,
    /// The data manifold times the signal a(t), which the flow does not preserve.
    Data,
}

/// A law on a product of spheres and a plane, possibly thick, with a shear, a family of sets and an error.
#[derive(Serialize)]
struct World {
    setting: Setting,
    /// Dimension of the space of each sphere, and its radius.
    spheres: Vec<(usize, f64)>,
    /// Variances along the plane.
    plane: Vec<f64>,
    /// Variances along the normals of the plane; M is at 0.
    normals: Vec<f64>,
    /// Turns the first two coordinates at this rate times the first normal one: N moves T, and M stays.
    shear: f64,
    family: Family,
    /// That of the maps.
    map_family: Family,
    start: Vec<f64>,
    /// A point of M at the start.
    foot: Vec<f64>,
    error: LearningError,
    epsilon: f64,
    /// r̄.
    tube: f64,
    maps: usize,
    /// Steps of the flow.
    #[serde(skip)]
    steps: usize,
}

/// The exact path with a shear.
struct Sheared<'a> {
    path: GaussianPath<'a, Denoiser>,
    shear: f64,
    normal: usize,
}

impl Drift for Sheared<'_> {
    fn dim(&self) -> usize {
        self.path.dim()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.path.velocity(t, x, out);
        if self.shear != 0.0 {
            // ⟨x, Ex⟩ = 0 in the first two coordinates: radii do not change.
            let turn = x[self.normal] * self.shear;
            out[0] -= turn * x[1];
            out[1] += turn * x[0];
        }
    }
}

impl World {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let count = knobs.pick(&[1, 1, 1, 2, 2, 0]);
        let mut spheres: Vec<(usize, f64)> = (0..count)
            .map(|_| (knobs.pick(&[2, 2, 3, 4, 8, 16]), knobs.log_range(1.0, 2.0)))
            .collect();
        let least_plane = usize::from(count == 0);
        let plane: Vec<f64> =
            (0..knobs.count(least_plane, 2)).map(|_| knobs.log_range(1.0, 0.2)).collect();
        let thick = knobs.unit() > 0.7;
        let normals: Vec<f64> = (0..knobs.count(least_plane, 2))
            .map(|_| if thick { knobs.log_range(0.3, 0.01) } else { 0.0 })
            .collect();
        let start = knobs.log_range(0.2, 1.0);
        let end = start * knobs.log_range(0.3, 0.03);
        let setting = Setting::decode(knobs, (start, end));
        let family = if knobs.unit() < 0.65 { Family::Invariant } else { Family::Data };
        let map_family = if knobs.unit() < 0.9 { Family::Invariant } else { Family::Data };
        let (own, share) = (knobs.unit(), knobs.unit());
        let times = setting.times(1);
        let rate = (setting.sigma_start / setting.sigma_end).ln() / (times[1] - times[0]);
        // One tube in five is too thin for what happens in it.
        let thin = knobs.unit() > 0.8;
        if let (true, Some(sphere)) = (thin, spheres.first_mut()) {
            sphere.0 = 8;
        }
        let sheared = !spheres.is_empty() && !normals.is_empty() && knobs.unit() < 0.5;
        let shear = if sheared { rate * knobs.range(0.2, 3.0) } else { 0.0 };
        let stream = knobs.stream("tube");

        let (signal, noise) = setting.schedule.coefficients(times[0]);
        // A point of M, and a unit normal there.
        let dim = spheres.iter().map(|s| s.0).sum::<usize>() + plane.len() + normals.len();
        let (mut foot, mut normal) = (DVector::zeros(dim), DVector::zeros(dim));
        let mut weights = stream.named("normal").normals(dim);
        if thin && count > 0 {
            // Inwards, where a sphere compresses least, and less so in high dimension.
            weights.fill(0.0);
            weights[0] = -1.0;
        }
        let directions = stream.named("direction").normals(dim);
        let mut first = 0;
        for (i, &(n, radius)) in spheres.iter().enumerate() {
            let out = DVector::from_column_slice(&directions[first..first + n]).normalize();
            let stretch = if family == Family::Invariant { knobs.range(1.0, 1.2) } else { 1.0 };
            foot.rows_mut(first, n).copy_from(&(&out * (signal * radius * stretch)));
            normal.rows_mut(first, n).copy_from(&(&out * weights[i]));
            first += n;
        }
        for (j, variance) in plane.iter().enumerate() {
            let spread = (signal * signal * variance + noise * noise).sqrt();
            foot[first + j] = spread * directions[first + j];
        }
        first += plane.len();
        (first..dim).for_each(|j| normal[j] = weights[j]);
        normal /= normal.norm();

        // The tube: a part of the least radius, of any width around flats.
        let world = Self {
            setting,
            spheres,
            plane,
            normals,
            shear,
            family,
            map_family,
            start: Vec::new(),
            foot: foot.as_slice().to_vec(),
            error: LearningError::constant(&[]),
            epsilon: 0.0,
            tube: 0.0,
            maps: 0,
            steps: knobs.steps(orbits::STEPS),
        };
        let radius = world.radii(foot.as_slice()).into_iter().fold(f64::INFINITY, f64::min);
        let scale = if radius.is_finite() { radius } else { 1.0 };
        let width = scale * knobs.log_range(0.1, 0.6);
        let tube = if thin { 0.05 * width } else { width };
        let distance = if own < 0.25 { 0.0 } else { 0.5 * width * own };
        let start = &foot + &normal * distance;

        let angle = knobs.pick(&[0.0, 0.0, 1.0, 0.5]) * std::f64::consts::FRAC_PI_2;
        let angle = if thin { 0.0 } else { angle };
        let share = if thin { 0.5 + share } else { share };
        let mut along = DVector::from_vec(stream.named("along").normals(dim));
        let tangent = Foot::of(&world.manifold(&world.radii(foot.as_slice()))?, &foot)?.tangent;
        along = &tangent * tangent.tr_mul(&along);
        let along = &along / along.norm().max(1e-9);
        // As an error of the velocity it points along the normal.
        let factor = setting.parametrisation.velocity_factor(&setting.schedule, times[1]);
        let direction = (&normal * angle.cos() + along * angle.sin()) * factor.signum();
        let error = match setting.decode_error(knobs, direction.as_slice(), stream) {
            _ if thin => LearningError::constant(direction.as_slice()),
            error => error,
        };
        let lever = setting.lever() * error.bounds()[0];
        let epsilon = 0.45 * width * share / lever;
        let logs = (setting.sigma_start / setting.sigma_end).ln();
        let maps = (logs / knobs.range(0.95, 0.1)).ceil() as usize;
        let start = start.as_slice().to_vec();
        Ok(Self { start, error, epsilon, tube, maps, ..world })
    }

    fn denoiser(&self) -> Result<Denoiser> {
        let sphere = |&(n, radius): &(usize, f64)| Ok(Sphere::new(n, radius)?.into());
        let mut factors = self.spheres.iter().map(sphere).collect::<Result<Vec<Denoiser>>>()?;
        let variances = [self.plane.as_slice(), &self.normals].concat();
        if !variances.is_empty() {
            factors.push(Gaussian::diagonal(&variances)?.into());
        }
        Ok(Product::new(factors)?.into())
    }

    fn exact<'a>(&self, denoiser: &'a Denoiser) -> Sheared<'a> {
        Sheared {
            path: GaussianPath { schedule: self.setting.schedule, denoiser },
            shear: self.shear,
            normal: self.start.len() - self.normals.len(),
        }
    }

    fn error(&self) -> InVelocity<'_, LearningError> {
        self.setting.in_velocity(&self.error)
    }

    /// |x| in the space of each sphere.
    fn radii(&self, x: &[f64]) -> Vec<f64> {
        let mut first = 0;
        let mut radius = |n: usize| {
            first += n;
            x[first - n..first].iter().map(|x| x * x).sum::<f64>().sqrt()
        };
        self.spheres.iter().map(|s| radius(s.0)).collect()
    }

    /// The product of spheres of these radii and the plane.
    fn manifold(&self, radii: &[f64]) -> Result<Manifold> {
        let of = |(s, &radius): (&(usize, f64), &f64)| {
            Chart::Sphere(manifold::Sphere { dim: s.0 - 1, radius })
        };
        let mut factors: Vec<Chart> = self.spheres.iter().zip(radii).map(of).collect();
        if !self.plane.is_empty() {
            let half_widths = vec![1.0; self.plane.len()];
            factors.push(Chart::Flat(Flat { half_widths, bounded: false }));
        }
        let chart = if factors.len() == 1 { factors.remove(0) } else { Chart::Product { factors } };
        let motion = Motion::identity(chart.ambient(), self.start.len().max(self.foot.len()))?;
        Manifold::embedded(chart, motion)
    }

    /// a(t) over the whole tube, in closed form: the radial variance of a sphere decreases with the
    /// radius (A_n is concave), so the least compression is at the inner edge.
    fn tube_compression(&self, time: f64, radii: &[f64]) -> f64 {
        let (a, b, da, db) = self.setting.schedule.rates(time);
        let channel = Channel { signal: a, noise_variance: b * b };
        let rate = |variance: f64| -db / b - (da - a * db / b) * a / (b * b) * variance;
        let radial = self.spheres.iter().zip(radii).map(|(&(n, r), radius)| {
            let sphere = Sphere::new(n, r).expect("radii of spheres are positive");
            sphere.posterior_variances(channel, (radius - self.tube).max(0.0)).0
        });
        let flat = self.normals.iter().map(|v| v * b * b / (a * a * v + b * b));
        radial.chain(flat).map(rate).fold(f64::INFINITY, f64::min)
    }

    fn signal(&self, time: f64) -> f64 {
        self.setting.schedule.coefficients(time).0
    }

    /// The edges of the tube about M_t at the end, in a picture of the plane.
    ///
    /// *Errors*: as [`Trajectory::from`].
    fn tube_at_end(&self, panel: Panel, sampler: &Sampler) -> Result<Panel> {
        let denoiser = self.denoiser()?;
        let exact = self.exact(&denoiser);
        let orbit = Trajectory::from(&exact, sampler, &self.foot)?;
        let radii = self.radii_of(self.family, sampler.times()[STEPS], orbit.end().as_slice());
        let edge = |side: f64| -> (Vec<f64>, Vec<f64>) {
            let share = |k: usize| k as f64 / EDGE as f64;
            match radii.first() {
                Some(radius) => {
                    let turn = |k: usize| (share(k) * std::f64::consts::TAU).sin_cos();
                    let radius = radius + side * self.tube;
                    (0..=EDGE).map(turn).map(|(sin, cos)| (radius * cos, radius * sin)).unzip()
                }
                // M is a line of the plane, the first axis.
                None => {
                    let reach = 2.0 * orbit.end().norm().max(self.tube);
                    let at = |k: usize| reach * (2.0 * share(k) - 1.0);
                    ((0..=EDGE).map(at).collect(), vec![side * self.tube; EDGE + 1])
                }
            }
        };
        let drawn = |panel: Panel, side: f64| {
            let (x, y) = edge(side);
            panel.with("tube about the set at the end", Ink::Bound, Mark::line(x, y))
        };
        Ok(drawn(drawn(panel, -1.0), 1.0))
    }

    /// The radii of M_t: those of an exact orbit on it, or those of the data.
    fn radii_of(&self, family: Family, time: f64, orbit: &[f64]) -> Vec<f64> {
        match family {
            Family::Invariant => self.radii(orbit),
            Family::Data => self.spheres.iter().map(|s| self.signal(time) * s.1).collect(),
        }
    }
}

pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs)?;
    let denoiser = world.denoiser()?;
    let sampler = Sampler::new(Method::Rk4, world.setting.times(STEPS));
    let (drift, error) = (&world.exact(&denoiser), &world.error());
    let maps = &InexactFlow { sampler: &sampler, drift, error };
    let data = Some(samples((&denoiser, world.signal(sampler.times()[STEPS])))?);
    let (size, starts) = (Size::Of(world.epsilon), &scattered(&world.start));
    let Some(panel) = (Scene { maps, size, starts, data }).draw()? else { return Ok(None) };
    // The tube is a curve in the plane only.
    match world.start.len() {
        2 => Ok(Some(world.tube_at_end(panel, &sampler)?)),
        _ => Ok(Some(panel)),
    }
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let denoiser = world.denoiser()?;
    let (exact, error) = (world.exact(&denoiser), world.error());
    let mut facts = Facts::new();
    orbits::along_the_flow(&world, &exact, &error, &mut facts)?;
    orbits::along_the_maps(&world, &exact, &error, &mut facts)?;
    let labels = Labels::of(match world.family {
        Family::Invariant => "sets carried by the flow",
        Family::Data => "data manifold",
    });
    Ok(Observation::new(&world, facts).labelled(labels.in_dimension(world.start.len())))
}
