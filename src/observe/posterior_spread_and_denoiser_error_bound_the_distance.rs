//! Laws on sets of positive reach, run with an error of the prediction, for T4.3.

mod along;
mod flat;

use super::Observation;
use super::inexact::{Foot, Setting};
use super::picture::{ORBITS, STEPS, Scene, Size, samples};
use crate::drift::{
    Atoms, Denoiser, GaussianPath, InVelocity, LearningError, Moved, Parametrisation, Schedule,
    Sphere,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{InexactFlow, Method, Sampler};
use crate::manifold::{self, Chart, Family, Law, Manifold, Motion};
use crate::random::{Knobs, Stream};
use crate::scenario::{Corner, Labels};
use flat::FlatRun;
use nalgebra::DVector;
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

/// Nodes of a quadrature rule on a curve.
const NODES: usize = 120;

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
        let foot = Foot::of(&manifold, &start)?;
        let off = &start - &foot.nearest.point;
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
            angle: knobs.pick(&[1.0, 1.0, 0.0, 0.7]) * std::f64::consts::FRAC_PI_2,
        };

        let flat = FlatRun::decode(knobs, stream);
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

    /// The error of the velocity.
    fn error(&self) -> InVelocity<'_, LearningError> {
        self.setting.in_velocity(&self.error)
    }

    /// x = a y at the start.
    fn path_start(&self) -> Vec<f64> {
        let Setting { schedule, sigma_start, .. } = self.setting;
        let signal = schedule.coefficients(schedule.time_at_sigma(sigma_start)).0;
        self.start.iter().map(|y| y * signal).collect()
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

fn has_boundary(chart: &Chart) -> bool {
    chart.axes().iter().any(|axis| matches!(axis, manifold::Axis::Interval { .. }))
}

pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs)?;
    let (denoiser, schedule) = (world.denoiser()?, world.setting.schedule);
    let sampler = Sampler::new(Method::Rk4, world.setting.times(STEPS));
    let drift = &GaussianPath { schedule, denoiser: &denoiser };
    let maps = &InexactFlow { sampler: &sampler, drift, error: &world.error() };
    let signal = |s: f64| schedule.coefficients(s).0;
    let (first, last) = (signal(sampler.times()[0]), signal(sampler.times()[STEPS]));
    // Others start at points of the set, in the noise.
    let stream = world.stream.named("picture");
    let points = Law::uniform(world.manifold.clone()).sample(ORBITS, stream)?;
    let noise = stream.named("noise");
    let other = |nth: usize| {
        let noise = DVector::from_vec(noise.indexed(nth as u64).normals(points.nrows()));
        ((points.column(nth) + noise * world.setting.sigma_start) * first).as_slice().to_vec()
    };
    let starts: Vec<_> =
        std::iter::once(world.path_start()).chain((1..ORBITS).map(other)).collect();
    let (size, data) = (Size::Of(world.epsilon), Some(samples((&denoiser, last))?));
    Scene { maps, size, starts: &starts, data }.draw()
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let denoiser = world.denoiser()?;
    let mut facts = Facts::new();
    facts.set("off_the_set", Quantity::new(world.off_the_set(&denoiser)?, 1e-12, Grade::Estimated));
    facts.set("reach", Quantity::rounded(world.manifold.reach_at_least(), 8.0));
    facts.set("curvature", Quantity::rounded(world.manifold.curvature_at_most(), 8.0));
    along::measure(&world, &denoiser, &mut facts)?;
    let (setting, stream) = (&world.setting, world.stream);
    world.flat.measure(setting, stream, &mut facts)?;
    let labels = Labels::of(match world.data {
        Data::UniformSphere => "uniform sphere",
        Data::Quadrature => "uniform law",
        Data::Points(_) => "weighted points",
    });
    let beyond = world.manifold.nearest(&world.start)?.boundary;
    let labels = labels.with(Corner::Boundary, beyond).in_dimension(world.start.len());
    Ok(Observation::new(&world, facts).labelled(labels))
}
