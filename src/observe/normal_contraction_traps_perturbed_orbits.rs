//! Perturbed Gaussian paths in tubes around products of spheres and planes, for T4.1.

use super::Observation;
use super::inexact::Setting;
use super::resolved::Resolved;
use crate::drift::{
    Channel, Denoiser, Drift, Gaussian, GaussianPath, InVelocity, Inexact, LearningError, Product,
    Sphere, Workspace,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{InexactFlow, Maps, Method, Orbit, Sampler};
use crate::linalg::{complement, mu_max};
use crate::manifold::{self, Chart, Flat, Manifold, Motion, Nearest};
use crate::random::Knobs;
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;
use serde::Serialize;

/// Steps of the flow.
const STEPS: usize = 48;

/// Intervals of a normal segment on which derivatives are sampled.
const SEGMENT: usize = 4;

/// Rounding of distances and blocks, relative to sizes of order one.
const ROUNDING: f64 = 1e-12;

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
        // One tube in eight is too thin for what happens in it.
        let thin = knobs.unit() < 0.125;
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
        let tangent = Frames::at(&world.manifold(&world.radii(foot.as_slice()))?, &foot)?.tangent;
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

    /// The radii of M_t: those of an exact orbit on it, or those of the data.
    fn radii_of(&self, family: Family, time: f64, orbit: &[f64]) -> Vec<f64> {
        match family {
            Family::Invariant => self.radii(orbit),
            Family::Data => self.spheres.iter().map(|s| self.signal(time) * s.1).collect(),
        }
    }
}

/// A nearest point with its frames.
struct Frames {
    foot: Nearest,
    tangent: DMatrix<f64>,
    normal: DMatrix<f64>,
}

impl Frames {
    fn at(manifold: &Manifold, x: &DVector<f64>) -> Result<Self> {
        let foot = manifold.nearest(x.as_slice())?;
        let tangent = manifold.tangent_frame(&foot.place);
        let normal = complement(&tangent);
        Ok(Self { foot, tangent, normal })
    }
}

/// The largest of samples along a segment, and a quarter of the largest jump between neighbours.
fn supremum(samples: &[f64]) -> f64 {
    let jump = samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
    samples.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 0.25 * jump
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let denoiser = world.denoiser()?;
    let exact = Sheared {
        path: GaussianPath { schedule: world.setting.schedule, denoiser: &denoiser },
        shear: world.shear,
        normal: world.start.len() - world.normals.len(),
    };
    let Setting { schedule, parametrisation, .. } = world.setting;
    let error = InVelocity { error: &world.error, parametrisation, schedule };
    let mut facts = Facts::new();
    along_the_flow(&world, &exact, &error, &mut facts)?;
    along_the_maps(&world, &exact, &error, &mut facts)?;
    Ok(Observation::new(&world, facts))
}

fn along_the_flow(
    world: &World,
    exact: &Sheared<'_>,
    error: &impl Drift,
    facts: &mut Facts,
) -> Result<()> {
    let sampler = Sampler::new(Method::Rk4, world.setting.times(STEPS));
    let refined = sampler.refined();
    let inexact = Inexact { exact, error, epsilon: world.epsilon };
    let perturbed = Resolved::new(&inexact, &sampler, &refined, &world.start)?;
    let carried = Resolved::new(exact, &sampler, &refined, &world.foot)?;
    facts.set("tube", Quantity::exact(world.tube));
    let (mut work, dim) = (Workspace::default(), world.start.len());
    for (k, &t) in sampler.times().iter().enumerate() {
        let ((x, state), (orbit, moved)) = (perturbed.state(k), carried.state(k));
        let radii = world.radii_of(world.family, t, orbit.as_slice());
        let manifold = world.manifold(&radii)?;
        let Frames { foot, normal, .. } = Frames::at(&manifold, x)?;
        // In u = −log σ the rates are of order one: s' = 1/(a'/a − b'/b).
        let (a, b, da, db) = world.setting.schedule.rates(t);
        let pace = (da / a - db / b).recip();
        let off = state + moved + foot.residual + ROUNDING;
        facts.push("time", Quantity::exact(-(b / a).ln()));
        facts.push("distance", Quantity::new(foot.distance, off, Grade::Estimated));

        let samples: Vec<f64> = (0..=SEGMENT)
            .map(|i| {
                let at = &foot.point + (x - &foot.point) * (i as f64 / SEGMENT as f64);
                let a = exact.jacobian(t, at.as_slice(), &mut work);
                pace * mu_max(&(normal.tr_mul(&a) * &normal))
            })
            .collect();
        let rate = samples.iter().fold(1.0, |m: f64, s| m.max(s.abs()));
        let bend = 1.0 + radii.iter().fold(0.0, |m: f64, r| m.max(r.recip()));
        let compression = |value: f64| {
            Quantity::new(value, rate * (16.0 * bend * off + ROUNDING), Grade::Estimated)
        };
        facts.push("compression", compression(-supremum(&samples)));
        facts.push("tube_compression", compression(pace * world.tube_compression(t, &radii)));

        let mut push = |name: &str, value: f64, size: f64| {
            let bar = 16.0 * size * (off * bend + ROUNDING);
            facts.push(name, Quantity::new(value, bar, Grade::Estimated));
        };
        let mut w = DVector::zeros(dim);
        error.velocity(t, x.as_slice(), w.as_mut_slice());
        let factor = world.setting.parametrisation.velocity_factor(&world.setting.schedule, t);
        let [most, slope, _] = world.error.bounds().map(|bound| bound * factor.abs() * pace);
        let size = world.epsilon * (most + slope);
        push("error", pace * world.epsilon * normal.tr_mul(&w).norm(), size);
        push("tube_error", world.epsilon * most, 0.0);
        // The defect is that of the foot point; by symmetry it is the same all over M_t.
        let mut v = DVector::zeros(dim);
        exact.velocity(t, foot.point.as_slice(), v.as_mut_slice());
        let (defect, size) = match world.family {
            Family::Invariant => (0.0, 0.0),
            Family::Data => {
                let gap = &v - &foot.point * (da / a);
                (normal.tr_mul(&gap).norm(), v.norm() + foot.point.norm() * da / a)
            }
        };
        push("defect", pace * defect, pace * size);
    }
    Ok(())
}

fn along_the_maps(
    world: &World,
    exact: &Sheared<'_>,
    error: &impl Drift,
    facts: &mut Facts,
) -> Result<()> {
    let sampler = Sampler::new(Method::Euler, world.setting.times(world.maps));
    let maps = InexactFlow { sampler: &sampler, drift: exact, error };
    let perturbed = Orbit::from(&maps, world.epsilon, &world.start)?;
    let carried = Orbit::from(&maps, 0.0, &world.foot)?;
    let manifold_at = |k: usize| {
        let (time, orbit) = (sampler.times()[k], carried.states[k].as_slice());
        world.manifold(&world.radii_of(world.map_family, time, orbit))
    };
    let dim = world.start.len();
    let mut here = manifold_at(0)?;
    for k in 0..=maps.maps() {
        let x = &perturbed.states[k];
        let Frames { foot, .. } = Frames::at(&here, x)?;
        let size = 1.0 + x.norm();
        let rounded = |value: f64| Quantity::new(value, ROUNDING * size, Grade::Estimated);
        facts.push("map_distance", rounded(foot.distance));
        if k == maps.maps() {
            break;
        }
        let next = manifold_at(k + 1)?;
        let mut q = foot.point.clone();
        maps.map(k, 0.0, q.as_mut_slice());
        let image = Frames::at(&next, &q)?;
        facts.push("map_defect", rounded(image.foot.distance));
        // dF(p + s n) n by a dual in s.
        let off = x - &foot.point;
        let n = if foot.distance > 0.0 { &off / foot.distance } else { DVector::zeros(dim) };
        let slope = |i: usize| -> DVector<f64> {
            let at = &foot.point + &off * (i as f64 / SEGMENT as f64);
            let mut carried: Vec<Dual<f64>> =
                at.iter().zip(&n).map(|(x, n)| Dual::new(*x, *n)).collect();
            maps.map(k, Dual::from(0.0), &mut carried);
            DVector::from_iterator(dim, carried.iter().map(|x| x.eps))
        };
        let slopes: Vec<DVector<f64>> = (0..=SEGMENT).map(slope).collect();
        let most = |frame: &DMatrix<f64>| {
            supremum(&slopes.iter().map(|s| frame.tr_mul(s).norm()).collect::<Vec<_>>())
        };
        facts.push("map_normal", rounded(most(&image.normal)));
        facts.push("map_tangent", rounded(most(&image.tangent)));
        let mut unperturbed = x.clone();
        maps.map(k, 0.0, unperturbed.as_mut_slice());
        let moved = &perturbed.states[k + 1] - unperturbed;
        facts.push("map_error_normal", rounded(image.normal.tr_mul(&moved).norm()));
        facts.push("map_error_tangent", rounded(image.tangent.tr_mul(&moved).norm()));
        facts.push("map_curvature", Quantity::rounded(next.curvature_at_most(), 8.0));
        here = next;
    }
    Ok(())
}
