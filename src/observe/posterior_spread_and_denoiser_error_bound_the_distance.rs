//! Laws on sets of positive reach, run with an error of the prediction, for T4.3.

use super::Observation;
use super::inexact::Setting;
use super::resolved::Resolved;
use crate::drift::{
    Atoms, Channel, Denoise, Denoiser, Drift, Gaussian, GaussianPath, InVelocity, Inexact,
    LearningError, Moved, Parametrisation, Schedule, Sphere,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{
    Maps, Method, Orbit, Sampler, Scheme, StochasticSampler, adaptive_times, geometric_times,
};
use crate::linalg::{complement, frame_from_normals, mu_max};
use crate::manifold::{self, Chart, Family, Law, Manifold, Motion, Nearest};
use crate::random::{Knobs, Stream};
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Families with a proven positive reach.
const FAMILIES: &[Family] = &[
    Family::Circle,
    Family::Ellipse,
    Family::Sphere,
    Family::Flat,
    Family::Cuboid,
    Family::Cuboid,
    Family::Cuboid,
    Family::FlatTorus,
    Family::Torus,
    Family::Arc,
    Family::Moons,
    Family::Graph,
    Family::ClosedCurve,
    Family::Product,
];

/// Local error of a step of the state, on which the time grid is chosen.
const TOLERANCE: f64 = 1e-8;

/// Nodes of a quadrature rule on a curve.
const NODES: usize = 120;

/// Steps of the flat runs.
const FLAT_STEPS: usize = 48;

/// Rounding of distances and moments, relative to sizes of order one.
const ROUNDING: f64 = 1e-12;

/// How the data lie on their set.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Data {
    /// Uniform on a sphere, in closed form.
    UniformSphere,
    /// A quadrature rule of the uniform law.
    Quadrature,
    /// So many weighted points.
    Points(usize),
}

#[derive(Serialize)]
struct World {
    setting: Setting,
    manifold: Manifold,
    data: Data,
    /// Standard deviation of the data off their set.
    thickness: f64,
    /// y at the start.
    start: Vec<f64>,
    error: LearningError,
    epsilon: f64,
    /// The single DDIM maps.
    map: MapRun,
    flat: FlatRun,
    #[serde(skip)]
    stream: Stream,
}

/// One DDIM map at some states of the run, with an error of its own.
#[derive(Serialize)]
struct MapRun {
    /// ρ.
    kept: f64,
    /// |e|.
    size: f64,
    /// The angle of e with the normal, in radians.
    angle: f64,
}

/// Gaussian data on a plane, with a constant error along a normal.
#[derive(Serialize)]
struct FlatRun {
    /// Variances along random axes; 0 along the normal.
    variances: Vec<f64>,
    parametrisation: Parametrisation,
    /// Of the error.
    size: f64,
    /// Distance along the normal at the start.
    start: f64,
}

impl World {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let closed_form = knobs.unit() < 0.4;
        let stream = knobs.stream("spread");
        let (manifold, data) = if closed_form {
            let n = knobs.pick(&[2, 3, 4, 8, 32]);
            let sphere = manifold::Sphere { dim: n - 1, radius: knobs.log_range(1.0, 0.3) };
            let motion = Motion::identity(n, n + knobs.count(0, 1))?;
            (Manifold::embedded(Chart::Sphere(sphere), motion)?, Data::UniformSphere)
        } else {
            let family = knobs.pick(FAMILIES);
            let ambient = knobs.pick(&[2, 3, 4, 6, 10]).max(family.least_ambient());
            let manifold = Manifold::draw(family, ambient, knobs)?;
            let count = knobs.count(2, 60);
            let few = manifold.dim() > 1 || knobs.unit() < 0.5;
            let data = if few { Data::Points(count) } else { Data::Quadrature };
            (manifold, data)
        };
        let length = manifold.reach_at_least().min(2.0);
        let sigma = length * knobs.log_range(0.15, 1.2);
        let end = sigma * knobs.log_range(0.3, 0.03);
        let setting = Setting::decode(knobs, (sigma, end));
        // One world in ten has data that are not on the set.
        let thick = data != Data::UniformSphere && knobs.unit() > 0.8;
        let thickness = if thick { length * knobs.range(0.05, 0.3) } else { 0.0 };

        let place = Law::uniform(manifold.clone()).sample(1, stream.named("start"))?;
        let noise = stream.named("noise").normals(manifold.ambient());
        let mut start = place.column(0).into_owned();
        let away = knobs.range(-1.0, 1.0);
        if closed_form {
            // Within the sphere the bound is attained.
            start *= 1.0 + 0.6 * away;
        } else {
            start += DVector::from_vec(noise) * (sigma * away);
        }
        let foot = Frames::at(&manifold, &start)?;
        let off = &start - &foot.foot.point;
        let dim = start.len();
        let random = DVector::from_vec(stream.named("along").normals(dim));
        let along = &foot.tangent * foot.tangent.tr_mul(&random);
        let out = if off.norm() > 1e-9 { off } else { &random - &along };
        let angle = knobs.pick(&[0.0, 0.0, 1.0, 0.5]) * std::f64::consts::FRAC_PI_2;
        let unit = |v: &DVector<f64>| v / v.norm().max(1e-9);
        let direction = unit(&out) * angle.cos() + unit(&along) * angle.sin();
        let error = setting.decode_error(knobs, direction.as_slice(), stream);
        let factor = setting
            .times(16)
            .into_iter()
            .map(|s| of_denoiser(setting.parametrisation, &setting.schedule, s).abs())
            .fold(0.0, f64::max);
        let share = knobs.range(-0.2, 1.0).max(0.0);
        let epsilon = 0.5 * length * share / (factor * error.bounds()[0]).max(1e-9);
        // Large enough to slide off an edge, where there is one.
        let edged = manifold.pieces().iter().any(|piece| has_boundary(&piece.chart));
        let map = MapRun {
            kept: knobs.range(0.02, 0.95),
            size: if edged { 2.0 } else { 0.5 } * length * knobs.unit(),
            angle: knobs.pick(&[1.0, 0.0, 0.7]) * std::f64::consts::FRAC_PI_2,
        };

        let mut variances = stream.named("flat").uniforms(knobs.count(2, 5));
        variances[0] = 0.0;
        let flat = FlatRun {
            variances,
            parametrisation: knobs.pick(&[Parametrisation::Denoiser, Parametrisation::Noise]),
            size: knobs.log_range(0.1, 1.0),
            start: knobs.range(0.0, 1.0),
        };
        let start = start.as_slice().to_vec();
        Ok(Self { setting, manifold, data, thickness, start, error, epsilon, map, flat, stream })
    }

    /// Any law on the set will do; points are drawn with unequal weights.
    fn denoiser(&self) -> Result<Denoiser> {
        let law = Law::uniform(self.manifold.clone());
        let dim = self.manifold.ambient();
        Ok(match self.data {
            Data::UniformSphere => {
                let piece = &self.manifold.pieces()[0];
                let Chart::Sphere(sphere) = &piece.chart else { unreachable!("a sphere") };
                let inner = Sphere::new(sphere.dim + 1, sphere.radius)?;
                Moved::new(inner.into(), piece.motion.matrix(), vec![0.0; dim])?.into()
            }
            Data::Quadrature => {
                let (points, weights) = law.quadrature(NODES)?;
                Atoms::quadrature(dim, points.as_slice(), &weights, self.thickness)?.into()
            }
            Data::Points(count) => {
                let points = law.sample(count, self.stream.named("points"))?;
                let logs = self.stream.named("weights").normals(count);
                Atoms::new(dim, points.as_slice().to_vec(), Some(logs), self.thickness)?.into()
            }
        })
    }

    /// The furthest that data lie off the set.
    fn off_the_set(&self, denoiser: &Denoiser) -> Result<f64> {
        let Denoiser::Atoms(atoms) = denoiser else { return Ok(0.0) };
        let mut most = self.thickness;
        for point in atoms.points().chunks_exact(self.start.len()) {
            most = most.max(self.manifold.nearest(point)?.distance);
        }
        Ok(most)
    }
}

/// The factor from an error of the prediction to one of the posterior mean.
fn of_denoiser(parametrisation: Parametrisation, schedule: &Schedule, s: f64) -> f64 {
    parametrisation.error_factor(Parametrisation::Denoiser, schedule, s)
}

/// A nearest point with its frames.
struct Frames {
    foot: Nearest,
    tangent: DMatrix<f64>,
    normal: DMatrix<f64>,
}

impl Frames {
    fn at(manifold: &Manifold, y: &DVector<f64>) -> Result<Self> {
        let foot = manifold.nearest(y.as_slice())?;
        let tangent = manifold.tangent_frame(&foot.place);
        let normal = complement(&tangent);
        Ok(Self { foot, tangent, normal })
    }
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let denoiser = world.denoiser()?;
    let mut facts = Facts::new();
    facts.set("off_the_set", Quantity::new(world.off_the_set(&denoiser)?, 1e-12, Grade::Estimated));
    facts.set("reach", Quantity::rounded(world.manifold.reach_at_least(), 8.0));
    facts.set("curvature", Quantity::rounded(world.manifold.curvature_at_most(), 8.0));
    along_the_flow(&world, &denoiser, &mut facts)?;
    on_a_flat(&world, &mut facts)?;
    Ok(Observation::new(&world, facts))
}

/// Distance, posterior spread and error along the perturbed flow, in canonical coordinates y = x/a.
fn along_the_flow(world: &World, denoiser: &Denoiser, facts: &mut Facts) -> Result<()> {
    let Setting { schedule, parametrisation, sigma_start, sigma_end } = world.setting;
    let exact = GaussianPath { schedule, denoiser };
    let error = InVelocity { error: &world.error, parametrisation, schedule };
    let inexact = Inexact { exact: &exact, error: &error, epsilon: world.epsilon };
    let ends = [sigma_start, sigma_end].map(|sigma| schedule.time_at_sigma(sigma));
    let signal = |s: f64| schedule.coefficients(s).0;
    let start: Vec<f64> = world.start.iter().map(|y| y * signal(ends[0])).collect();
    let times = adaptive_times(&inexact, ends[0], ends[1], &start, TOLERANCE)?;
    let sampler = Sampler::new(Method::DormandPrince, times);
    let refined = sampler.refined();
    let orbit = Resolved::new(&inexact, &sampler, &refined, &start)?;
    let last = sampler.maps();
    for (k, &s) in sampler.times().iter().enumerate() {
        let (x, state) = orbit.state(k);
        let (y, state, sigma) = (x / signal(s), state / signal(s), schedule.sigma(s));
        let seen = Seen::new(world, denoiser, (s, sigma), &y, state)?;
        facts.push("time", Quantity::exact(-sigma.ln()));
        seen.state(facts);
        if (1..=4).any(|quarter| k == last * quarter / 4) {
            seen.map(world, facts)?;
        }
    }
    let edged = world.manifold.pieces().iter().any(|piece| has_boundary(&piece.chart));
    facts.set("closed", Quantity::exact(f64::from(u8::from(!edged))));
    Ok(())
}

fn has_boundary(chart: &Chart) -> bool {
    chart.axes().iter().any(|axis| matches!(axis, manifold::Axis::Interval { .. }))
}

/// What is seen from one state.
struct Seen {
    y: DVector<f64>,
    frames: Frames,
    mean: DVector<f64>,
    /// E|X − p|².
    spread: f64,
    /// e, of the posterior mean.
    error: DVector<f64>,
    /// Bounds of the errors of y, of the mean and of the spread.
    bars: [f64; 3],
}

impl Seen {
    fn new(
        world: &World,
        denoiser: &Denoiser,
        (s, sigma): (f64, f64),
        y: &DVector<f64>,
        state: f64,
    ) -> Result<Self> {
        let Setting { schedule, parametrisation, .. } = world.setting;
        let frames = Frames::at(&world.manifold, y)?;
        let (mean, covariance) = denoiser.posterior(Channel::canonical(sigma), y.as_slice());
        let mean = DVector::from_vec(mean);
        let away = &mean - &frames.foot.point;
        let spread = away.norm_squared() + covariance.trace();
        let x = y * schedule.coefficients(s).0;
        let mut error = DVector::zeros(y.len());
        world.error.velocity(s, x.as_slice(), error.as_mut_slice());
        error *= world.epsilon * of_denoiser(parametrisation, &schedule, s);
        let size = mu_max(&covariance) / (sigma * sigma);
        let state = state + frames.foot.residual + ROUNDING * (1.0 + y.norm());
        let moved = state * (1.0 + size);
        // d E|X−p|² is its covariance with X over σ².
        let tilt = 4.0 * spread * (1.0 + size).sqrt() * state / sigma + 4.0 * spread.sqrt() * moved;
        let bars = [state, moved, tilt + ROUNDING * (1.0 + y.norm())];
        Ok(Self { y: y.clone(), frames, mean, spread, error, bars })
    }

    fn state(&self, facts: &mut Facts) {
        let foot = &self.frames.foot;
        let [state, moved, tilt] = self.bars;
        let measured = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
        facts.push("distance", measured(foot.distance, state));
        facts.push("spread", measured(self.spread, tilt));
        // On the normal cone of an edge only the length of the whole error is known to bound its part.
        let normal = match foot.boundary {
            true => self.error.norm(),
            false => self.frames.normal.tr_mul(&self.error).norm(),
        };
        facts.push("error", measured(normal, 16.0 * state * self.error.norm()));
        // ⟨n, D − p⟩; n turns by the error of y over r.
        let off = &self.y - &foot.point;
        let away = &self.mean - &foot.point;
        let lean = off.dot(&away) / foot.distance.max(f64::MIN_POSITIVE);
        let turn = 2.0 * state / foot.distance.max(f64::MIN_POSITIVE);
        facts.push("lean", measured(lean, moved + state + turn * away.norm()));
    }

    /// One DDIM map with the factor ρ and the error of the world.
    fn map(&self, world: &World, facts: &mut Facts) -> Result<()> {
        let MapRun { kept, size, angle } = world.map;
        let Frames { foot, tangent, normal } = &self.frames;
        let random = DVector::from_vec(world.stream.named("map").normals(self.y.len()));
        let unit = |v: DVector<f64>| &v / v.norm().max(1e-9);
        let along = unit(tangent * tangent.tr_mul(&random));
        let out = unit(normal * normal.tr_mul(&random));
        let error = (out * angle.cos() + along * angle.sin()) * size;
        let pulled = &self.mean + &error;
        let image = &self.y + (&pulled - &self.y) * (1.0 - kept);
        let bar = 64.0 * ROUNDING * (1.0 + self.y.norm() + size);
        let rounded = |value: f64| Quantity::new(value, bar, Grade::Estimated);
        facts.set("kept", Quantity::exact(kept));
        facts.push("map_start", rounded(foot.distance));
        facts.push("map_spread", rounded(self.spread));
        facts.push("map_error", rounded(normal.tr_mul(&error).norm()));
        facts.push("map_slide", rounded(tangent.tr_mul(&(&pulled - &foot.point)).norm()));
        facts.push("map_distance", rounded(world.manifold.nearest(image.as_slice())?.distance));
        Ok(())
    }
}

/// An error of the prediction, as one of the posterior mean.
struct InDenoiser<'a> {
    error: &'a LearningError,
    parametrisation: Parametrisation,
    schedule: Schedule,
}

impl Drift for InDenoiser<'_> {
    fn dim(&self) -> usize {
        self.error.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        self.error.velocity(s, x, out);
        let factor =
            self.parametrisation.error_factor(Parametrisation::Denoiser, &self.schedule, s);
        out.iter_mut().for_each(|e| *e *= factor);
    }
}

/// The flow and the reverse diffusion on a flat, with a constant error of the denoiser or the noise prediction.
fn on_a_flat(world: &World, facts: &mut Facts) -> Result<()> {
    let FlatRun { ref variances, parametrisation, size, start } = world.flat;
    let Setting { schedule, sigma_start, sigma_end, .. } = world.setting;
    let dim = variances.len();
    let axes = frame_from_normals(dim, dim, &world.stream.named("axes").normals(dim * dim));
    let normal = axes.column(0).into_owned();
    let data = Gaussian::new(vec![0.0; dim], axes, variances.clone())?;
    // e_D = −σ e_ε: the sign makes both errors push along the normal.
    let sign = if parametrisation == Parametrisation::Noise { -1.0 } else { 1.0 };
    let error = LearningError::constant((&normal * (sign * size)).as_slice());
    let exactly = |name: &str, value: f64, facts: &mut Facts| {
        facts.set(name, Quantity::exact(value));
    };
    exactly("sigma_start", sigma_start, facts);
    exactly("sigma_end", sigma_end, facts);
    exactly("flat_error", size, facts);
    exactly("flat_start", start, facts);
    let of_noise = parametrisation == Parametrisation::Noise;
    exactly("flat_error_of_noise", f64::from(u8::from(of_noise)), facts);

    let levels = geometric_times(sigma_start, sigma_end, FLAT_STEPS);
    let times: Vec<f64> = levels.iter().map(|sigma| schedule.time_at_sigma(*sigma)).collect();
    let sampler = Sampler::new(Method::Rk4, times);
    let refined = sampler.refined();
    let signal = |s: f64| schedule.coefficients(s).0;
    let first = signal(sampler.times()[0]);
    let other = DVector::from_vec(world.stream.named("flat start").normals(dim)) * first;
    let aside = &other - &normal * normal.dot(&other);
    let from = &aside + &normal * (start * first);

    let exact = GaussianPath { schedule, denoiser: &data };
    let velocity = InVelocity { error: &error, parametrisation, schedule };
    let inexact = Inexact { exact: &exact, error: &velocity, epsilon: 1.0 };
    let orbit = Resolved::new(&inexact, &sampler, &refined, from.as_slice())?;
    let (x, bar) = orbit.state(FLAT_STEPS);
    let last = signal(sampler.times()[FLAT_STEPS]);
    facts.set("flat_flow", Quantity::new(normal.dot(x) / last, bar / last, Grade::Estimated));

    // The same noise with and without error, from starts that differ along the normal.
    let denoised = InDenoiser { error: &error, parametrisation, schedule };
    let apart = |sampler: &Sampler| -> Result<f64> {
        let times = sampler.times().to_vec();
        let noise = world.stream.named("path");
        let maps =
            StochasticSampler::new(schedule, Scheme::Ancestral, times, &data, &denoised, noise)?;
        let moved = Orbit::from(&maps, 1.0, from.as_slice())?;
        let exact = Orbit::from(&maps, 0.0, aside.as_slice())?;
        debug_assert_eq!(maps.maps(), sampler.maps());
        Ok(normal.dot(&(moved.end() - exact.end())) / last)
    };
    let (coarse, fine) = (apart(&sampler)?, apart(&refined)?);
    // Left sums of a smooth integrand: the error is of first order in the step.
    let (value, bar) = (2.0 * fine - coarse, 0.25 * (fine - coarse).abs() + 1e-11 * (1.0 + size));
    facts.set("flat_diffusion", Quantity::new(value, bar, Grade::Estimated));
    Ok(())
}
