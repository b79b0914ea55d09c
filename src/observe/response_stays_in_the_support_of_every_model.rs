//! Densities of compact support, and laws on curves, under errors of any size, for T1.2.

use super::Observation;
use super::displaced::start_of;
use super::inexact_models::{Choice, Kind, Model, ModelMaps, kink};
use super::picture::{ORBITS, of_model};
use crate::drift::Drift;
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Maps, Orbit};
use crate::linalg::{dot, frame_from_normals, inverse, singular_values};
use crate::lyapunov::product;
use crate::random::{Knobs, Stream};
use crate::response::{
    LogDensity, along_maps, divergence_by_volume, log_density_slope, sensitivities,
};
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;
use serde::Serialize;
use std::f64::consts::TAU;

/// How far ε moves a state, as part of the radius 1 of the support; differences err by its square.
const STEP: f64 = 5e-4;

/// Sizes of the error at which values are taken, as parts of the step.
const SIZES: [f64; 7] = [-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0];

/// Points inside the support.
const INSIDE: usize = 3;

/// Points of the law on a curve.
const CURVE: usize = 12;

/// Newton steps to the nearest point of a curve.
const MOST_STEPS: usize = 8;

/// Rounding of a few maps and their Jacobians, relative to the states and the condition.
const ROUNDING: f64 = 1e-13;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Look {
    /// A density at points inside, on the boundary, and outside of its support.
    Density,
    /// A law on a closed curve, which has no density.
    Curve,
}

/// (1 − |x|²)₊^power (|x|² − hole²)² e^{⟨tilt, x⟩}, without the second factor when there is no hole.
#[derive(Serialize)]
struct Bump {
    power: f64,
    hole: Option<f64>,
    tilt: Vec<f64>,
}

impl Bump {
    fn density(&self, x: &[f64]) -> f64 {
        let square = dot(x, x);
        let hole = self.hole.map_or(1.0, |a| (square - a * a).powi(2));
        (1.0 - square).max(0.0).powf(self.power) * hole * dot(&self.tilt, x).exp()
    }

    /// |∇density| at most.
    fn steepest(&self) -> f64 {
        let tilt = dot(&self.tilt, &self.tilt).sqrt();
        (2.0 * self.power + 4.0 + tilt) * tilt.exp()
    }
}

/// Inside of the support.
impl LogDensity for Bump {
    fn log_density<S: Scalar>(&self, x: &[S]) -> S {
        let square = x.iter().fold(S::from(0.0), |sum, x| sum + *x * *x);
        let tilt = x.iter().zip(&self.tilt).fold(S::from(0.0), |sum, (x, &c)| sum + *x * c);
        let hole = self.hole.map_or(S::from(0.0), |a| {
            let gap = square - a * a;
            (gap * gap).ln()
        });
        (-square + 1.0).ln() * self.power + hole + tilt
    }
}

#[derive(Serialize)]
struct World {
    look: Look,
    model: Model,
    base: Bump,
    #[serde(skip)]
    stream: Stream,
}

impl World {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let look = knobs.pick(&[Look::Density, Look::Density, Look::Curve]);
        let power = knobs.pick(&[2.0, 3.0, 2.5, 2.0, 3.0, 1.0]);
        let hole = knobs.pick(&[None, Some(0.6)]);
        // Up to errors that move all mass far off.
        let wild = knobs.log_range(1.0, 30.0);
        let kinds = [Kind::Waves, Kind::Flow, Kind::Canonical, Kind::Ancestral];
        let (invertible, smooth, dims) = (true, false, &[2, 2, 2, 3, 3, 4]);
        let choice = Choice { kinds: &kinds, dims, most_maps: 6, invertible, smooth };
        let mut model = Model::decode(knobs, &choice)?;
        model.error.waves = model.error.waves.clone().scaled(wild);
        let stream = knobs.stream("world");
        let tilt = stream.named("tilt").normals(model.dim()).iter().map(|z| 0.4 * z).collect();
        Ok(Self { look, model, base: Bump { power, hole, tilt }, stream })
    }

    fn maps(&self) -> Result<ModelMaps<'_>> {
        self.model.maps(self.stream.named("noise"))
    }

    /// A point at that distance from the centre of the support.
    fn point(&self, name: &str, index: usize, radius: f64) -> Vec<f64> {
        let z = self.stream.named(name).indexed(index as u64).normals(self.model.dim());
        let norm = dot(&z, &z).sqrt();
        z.iter().map(|z| z * radius / norm).collect()
    }

    /// One of the points inside the support, on whose orbits the density is judged.
    fn inside(&self, nth: usize) -> Vec<f64> {
        let radius = 0.15 + 0.75 * self.stream.named("radius").uniforms(nth + 1)[nth];
        self.point("inside", nth, radius)
    }

    /// ε that moves states by about [`STEP`], where the error moves them at this rate.
    fn step(&self, rate: f64) -> f64 {
        STEP / (1.0 + rate + self.model.error.waves.bounds()[1])
    }
}

pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs)?;
    let maps = world.maps()?;
    let nth = |i: usize| TAU * i as f64 / ORBITS as f64;
    let starts: Vec<Vec<f64>> = match world.look {
        Look::Density => (0..ORBITS).map(|i| world.inside(i)).collect(),
        Look::Curve => {
            let image = Image::of(&world, &maps);
            (0..ORBITS).map(|i| image.start(nth(i)).as_slice().to_vec()).collect()
        }
    };
    of_model(&world.model, &maps, &starts)
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let mut facts = Facts::new();
    facts.set("dim", Quantity::exact(world.model.dim() as f64));
    match world.look {
        Look::Density => density(&world, &mut facts)?,
        Look::Curve => curve(&world, &mut facts)?,
    }
    let labels = match world.look {
        Look::Curve => Labels::of("law on a curve"),
        Look::Density if world.base.power <= 1.0 => Labels::against("density with a kink"),
        Look::Density => world.model.labels(),
    };
    Ok(Observation::new(&world, facts).labelled(labels))
}

fn density(world: &World, facts: &mut Facts) -> Result<()> {
    let (maps, base) = (world.maps()?, &world.base);
    let estimated = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
    let mut append = |name: &str, quantity: Quantity| facts.push(name, quantity);
    let mut worst: f64 = 1.0;
    // ρ^ε at the end y of the orbit from x, at [`SIZES`] of the error.
    let mut values =
        |x: &[f64], name: &str, append: &mut dyn FnMut(&str, Quantity)| -> Result<()> {
            let orbit = Orbit::from(&maps, 0.0, x)?;
            let jacobian = product(&orbit);
            let sizes = singular_values(&jacobian)?;
            let condition = sizes[0] / sizes[sizes.len() - 1];
            worst = worst.max(condition);
            let (end, delta) = sensitivities(&maps, x)?.pop().expect("there is a start");
            let back = -(inverse(&jacobian)? * &delta);
            let step = world.step(back.norm().max(delta.norm()));
            append(&format!("{name}_step"), Quantity::exact(step));
            let mut starts = Vec::new();
            for epsilon in SIZES.map(|size| size * step) {
                let guess = DVector::from_column_slice(x) + &back * epsilon;
                let (start, jacobian) = start_of(&maps, epsilon, &end, guess)?;
                let volume = jacobian.determinant().abs();
                let value = base.density(start.as_slice()) / volume;
                let bar = ROUNDING * condition * (base.steepest() / volume + value);
                append(&format!("{name}_value"), estimated(value, bar));
                starts.push(start);
            }
            // What the starts bend within the step moves ρ^ε by at most so much.
            let bends = kink([0, 1, 3, 5, 6].map(|at| &starts[at]), step);
            let most = base.steepest() / jacobian.determinant().abs();
            append(&format!("{name}_bend"), Quantity::exact(bends * most));
            Ok(())
        };
    for i in 0..INSIDE {
        let x = world.inside(i);
        let radius = dot(&x, &x).sqrt();
        let response = along_maps(&maps, base, &x)?;
        let last = maps.maps();
        let volume = response.jacobian.determinant().abs();
        // Near zeros the score of the source is a quotient by what is left of a difference.
        let gap = base.hole.map_or(1.0, |a| (radius * radius - a * a).abs());
        let loss = world.model.split_loss(&response.states);
        let rounding = response.rounding[last] * loss * (1.0 + gap.recip());
        append("start_density", Quantity::rounded(base.density(&x), 64.0 * (1.0 + gap.recip())));
        append("volume", estimated(volume, rounding * volume));
        append("divergence", estimated(response.divergence[last], rounding));
        // ⟨δ, s⟩ as a sum of terms with one bar.
        let share = rounding / x.len() as f64;
        for (d, s) in response.delta[last].iter().zip(response.score[last].iter()) {
            append("delta_along_score", estimated(d * s, share));
        }
        for (d, s) in response.delta[last].iter().zip(response.score[0].iter()) {
            append("delta_along_start_score", estimated(d * s, share));
        }
        let fixed = log_density_slope(&maps, base, &response)?;
        append("slope_at_fixed_point", estimated(fixed, rounding));
        values(&x, "inside", &mut append)?;
    }
    // Where ρ = 0: on the boundary, just outside, outside, and on the sphere inside on which it vanishes.
    let zeros = [Some(1.0), Some(1.0 + 0.5 * STEP), Some(1.5), base.hole];
    for (i, radius) in zeros.into_iter().flatten().enumerate() {
        let x = world.point("zero", i, radius);
        let divergence = divergence_by_volume(&maps, &x)?;
        append("zero_divergence", estimated(divergence, ROUNDING * (1.0 + divergence.abs())));
        values(&x, "zero", &mut append)?;
    }
    facts.set("power", Quantity::exact(base.power));
    facts.set("condition", Quantity::exact(worst));
    Ok(())
}

/// The image of a circle under the exact maps.
struct Image<'a> {
    maps: &'a ModelMaps<'a>,
    /// `D×2`.
    plane: DMatrix<f64>,
}

impl<'a> Image<'a> {
    fn of(world: &World, maps: &'a ModelMaps<'a>) -> Self {
        let dim = world.model.dim();
        let normals = world.stream.named("plane").normals(2 * dim);
        Self { maps, plane: frame_from_normals(dim, 2, &normals) }
    }

    /// The start at that angle.
    fn start(&self, angle: f64) -> DVector<f64> {
        self.plane.column(0) * angle.cos() + self.plane.column(1) * angle.sin()
    }

    /// The point of the curve at that angle, and its derivative.
    fn jet(&self, angle: f64) -> (DVector<f64>, DVector<f64>) {
        let (start, slope) = (self.start(angle), self.start(angle + 0.25 * TAU));
        let mut x: Vec<Dual<f64>> =
            start.iter().zip(slope.iter()).map(|(x, m)| Dual::new(*x, *m)).collect();
        (0..self.maps.maps()).for_each(|k| self.maps.map(k, 0.0.into(), &mut x));
        let part = |of: fn(&Dual<f64>) -> f64| DVector::from_iterator(x.len(), x.iter().map(of));
        (part(|x| x.re), part(|x| x.eps))
    }

    /// The distance of x to the curve, the nearest point being close to `angle`.
    fn distance(&self, x: &DVector<f64>, mut angle: f64) -> f64 {
        for _ in 0..MOST_STEPS {
            let (point, slope) = self.jet(angle);
            angle += (x - point).dot(&slope) / slope.norm_squared();
        }
        (x - self.jet(angle).0).norm()
    }
}

fn curve(world: &World, facts: &mut Facts) -> Result<()> {
    let maps = world.maps()?;
    let image = Image::of(world, &maps);
    let end = |start: &DVector<f64>, epsilon: f64| -> Result<DVector<f64>> {
        Ok(Orbit::from(&maps, epsilon, start.as_slice())?.end().clone())
    };
    let angles: Vec<f64> = (0..CURVE).map(|i| TAU * i as f64 / CURVE as f64).collect();
    let mut deltas = Vec::new();
    for angle in &angles {
        let (_, delta) =
            sensitivities(&maps, image.start(*angle).as_slice())?.pop().expect("start");
        deltas.push(delta);
    }
    let rate = deltas.iter().map(|d| d.norm()).fold(0.0, f64::max);
    let step = world.step(rate);
    facts.set("step", Quantity::exact(step));

    // A bump around the place where the error of size 1 brings the first point, clear of the curve.
    let far = end(&image.start(angles[0]), 1.0)?;
    let samples = (0..16 * CURVE).map(|i| image.jet(TAU * i as f64 / (16 * CURVE) as f64).0);
    let clear = samples.map(|p| (p - &far).norm()).fold(f64::INFINITY, f64::min);
    let bump = |x: &DVector<f64>| {
        let square = (x - &far).norm_squared() / (0.25 * clear * clear);
        (1.0 - square).max(0.0).powi(2)
    };
    facts.set("off_mass", Quantity::exact(bump(&far) / CURVE as f64));
    facts.set("off_distance", Quantity::exact(clear));

    let (mut condition, mut flattest) = (0.0_f64, f64::INFINITY);
    for (angle, delta) in angles.iter().zip(&deltas) {
        let start = image.start(*angle);
        let (point, tangent) = image.jet(*angle);
        let length = tangent.norm();
        (condition, flattest) = (condition.max(length), flattest.min(length));
        let unit = tangent / length;
        let normal = delta - &unit * unit.dot(delta);
        let ends: Vec<DVector<f64>> =
            SIZES.iter().map(|size| end(&start, size * step)).collect::<Result<_>>()?;
        let bar = ROUNDING * (1.0 + delta.norm()) + kink([0, 1, 3, 5, 6].map(|at| &ends[at]), step);
        facts.push("delta_normal", Quantity::new(normal.norm(), bar, Grade::Estimated));
        facts.push("delta_size", Quantity::new(delta.norm(), bar, Grade::Estimated));
        for (name, end) in [("distance_half", &ends[5]), ("distance", &ends[6])] {
            let bar = ROUNDING * (1.0 + point.norm());
            let distance = image.distance(end, *angle);
            facts.push(name, Quantity::new(distance, bar, Grade::Estimated));
        }
        for end in &ends {
            let value = bump(end);
            facts.push("off_value", Quantity::new(value, ROUNDING * value, Grade::Estimated));
        }
    }
    facts.set("condition", Quantity::exact(condition.max(1.0) / flattest));
    Ok(())
}
