//! Worlds in which alignment and robustness part, for T7.

use super::Observation;
use super::picture::{ORBITS, Scene, Size, of_flow};
use super::planar::PlanarWorld;
use super::resolved::Resolved;
use crate::claims::counterexample_maps::NUMBERS;
use crate::drift::{
    Canonical, Channel, Counterexample, Denoise, Denoiser, Embedded, Gaussian, PlaneField,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{InexactFlow, Method, Sampler, geometric_times, uniform_times};
use crate::linalg::{frame_from_normals, largest_angle};
use crate::random::{Knobs, Stream};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector, dmatrix, dvector};
use serde::Serialize;
use std::f64::consts::TAU;

/// Intervals of the time grid of a ridge and of a slab.
pub const STEPS: usize = 64;

/// Points of the boundary of a slab that are drawn.
const BOUNDARY: usize = 80;

/// The counterexamples; the plainest is C6, which is C1.
const DRAWN: [&str; 6] = ["C1", "C7", "C8", "C9", "C10", "C12"];

/// Orbits of one of the counterexamples.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    match knobs.pick(&DRAWN) {
        "C10" => Ridge::decode(knobs).picture(),
        "C12" => Slab::decode(knobs).picture(),
        number => decode(number, knobs).picture(),
    }
}

/// One of the counterexamples.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    match knobs.pick(&DRAWN) {
        "C10" => Ridge::decode(knobs).observe(),
        "C12" => Slab::decode(knobs).observe(),
        number => decode(number, knobs).observe(),
    }
}

/// A planar counterexample of that number, with its error.
fn decode(number: &'static str, knobs: &mut Knobs) -> PlanarWorld {
    let span = knobs.range(0.5, 2.0);
    let total = knobs.log_range(0.5, 10.0);
    let slope = knobs.log_range(0.02, 5.0);
    let (first, second) = (knobs.unit(), knobs.unit());
    let between = |low: f64, high: f64, unit: f64| low * (high / low).powf(unit);
    let rate = total / span;
    let mut start = [0.0, 1.0];
    let example = match number {
        "C7" => Counterexample::Expansion { rate: 0.5 * rate },
        "C8" => Counterexample::LateError { rate, last: span * between(0.003, 0.2, first) },
        "C9" => {
            let (slope, height) = (rate * between(0.2, 3.0, first), between(1e-3, 0.05, second));
            start = [TAU * knobs.unit() * height / slope, 0.5];
            Counterexample::Ripple { rate, slope, height }
        }
        _ => Counterexample::IsotropicCompression { rate },
    };
    let mut world = PlanarWorld::new(number, example, span, slope, knobs);
    world.start = start;
    world.with_error()
}

fn state_number(facts: &mut Facts, number: &str, parameters: [f64; 3]) {
    let place = NUMBERS.iter().position(|n| *n == number).expect("a number of the list");
    facts.set("counterexample", Quantity::exact(place as f64));
    facts.set_series("parameters", parameters.map(Quantity::exact).to_vec());
}

/// C10: the data N(0, diag(1, s²)), seen on or off the ridge.
#[derive(Clone, Serialize)]
pub struct Ridge {
    /// D.
    pub dim: usize,
    /// d, at most D − 1.
    pub tangent: usize,
    /// s.
    pub thickness: f64,
    /// The first noise level.
    pub sigma_start: f64,
    /// The last one.
    pub sigma_end: f64,
    /// l_0.
    pub start_slope: f64,
    /// Distance from the ridge at the start, in deviations.
    pub offset: f64,
    /// Of the axes, and of the state along the ridge.
    #[serde(skip)]
    pub stream: Stream,
    /// Time steps.
    #[serde(skip)]
    pub steps: usize,
}

impl Ridge {
    fn decode(knobs: &mut Knobs) -> Self {
        let dim = knobs.count(2, 8);
        let thickness = knobs.log_range(0.01, 0.3);
        Self {
            dim,
            tangent: knobs.count(1, dim - 1),
            thickness,
            sigma_start: knobs.log_range(1.0, 20.0),
            sigma_end: thickness * knobs.log_range(0.1, 1.0),
            start_slope: knobs.log_range(0.02, 5.0),
            offset: if knobs.unit() > 0.8 { knobs.range(0.3, 2.0) } else { 0.0 },
            stream: knobs.stream("ridge"),
            steps: knobs.steps(STEPS),
        }
    }

    fn sampler(&self) -> Sampler {
        let levels = geometric_times(self.sigma_start, self.sigma_end, self.steps);
        Sampler::new(Method::DormandPrince, levels)
    }

    /// Orbits to the ridge.
    fn picture(&self) -> Result<Option<Panel>> {
        let (law, axes) = self.law()?;
        let (law, sampler): (Denoiser, _) = (law.into(), &self.sampler());
        let start = self.start(&axes).0;
        of_flow((&Canonical { denoiser: &law }, sampler), start.as_slice(), (&law, 1.0))
    }

    /// The data, with the tangent directions as first columns of its axes.
    fn law(&self) -> Result<(Gaussian, DMatrix<f64>)> {
        let (dim, d) = (self.dim, self.tangent);
        let axes = frame_from_normals(dim, dim, &self.stream.named("axes").normals(dim * dim));
        let variance = |i: usize| if i < d { 1.0 } else { self.thickness * self.thickness };
        let law = Gaussian::new(vec![0.0; dim], axes.clone(), (0..dim).map(variance).collect())?;
        Ok((law, axes))
    }

    /// The state at the first noise level, and its tangential part in deviations.
    fn start(&self, axes: &DMatrix<f64>) -> (DVector<f64>, DVector<f64>) {
        let along = DVector::from_vec(self.stream.named("along").normals(self.tangent));
        let scale = self.sigma_start.hypot(1.0);
        let tangent = axes.columns(0, self.tangent);
        ((tangent * &along + axes.column(self.tangent) * self.offset) * scale, along)
    }

    /// The slope, the sine of the angle, and the overlap with the score at the end.
    ///
    /// *Errors*: as [`crate::flow::Trajectory::from`].
    pub fn observe(&self) -> Result<Observation> {
        let (dim, d) = (self.dim, self.tangent);
        let (law, axes) = self.law()?;
        let flow = Canonical { denoiser: &law };
        let sampler = self.sampler();
        let refined = sampler.refined();
        let (tangent, normal) =
            (axes.columns(0, d).into_owned(), axes.columns(d, dim - d).into_owned());
        let (start, along) = self.start(&axes);
        let orbit = Resolved::new(&flow, &sampler, &refined, start.as_slice())?;
        let mut plane = tangent.clone();
        plane.column_mut(0).axpy(self.start_slope, &normal.column(0), 1.0);

        let mut facts = Facts::new();
        let parameters = [self.thickness, self.sigma_start, self.sigma_end];
        state_number(&mut facts, "C10", parameters);
        facts.set("start_slope", Quantity::exact(self.start_slope));
        facts.set("offset", Quantity::exact(self.offset));
        facts.set("share", Quantity::exact(along[0] * along[0] / along.norm_squared()));
        let slope = orbit.end_slope(&plane, &tangent, &normal)?;
        facts.set("slope", slope);
        let planes = orbit.planes(&plane);
        let (fine, coarse) = &planes[self.steps];
        let turned = largest_angle(fine, coarse)? + orbit.relative();
        let sine = largest_angle(fine, &tangent)?.sin();
        facts.set("end_sine", Quantity::new(sine, turned, Grade::Estimated));

        let (state, off) = orbit.state(self.steps);
        let mut mean = vec![0.0; dim];
        law.denoise(Channel::canonical(self.sigma_end), state.as_slice(), &mut mean);
        let square = self.sigma_end * self.sigma_end;
        let score = (DVector::from_vec(mean) - state) / square;
        let overlap = fine.tr_mul(&score).norm() / score.norm();
        // The score turns with the state, and cancellation of D − y is rounding of y/σ².
        let steepest = (self.thickness * self.thickness + square).recip();
        let rounding = 16.0 * f64::EPSILON * state.norm() / square;
        let bar = 2.0 * (off * steepest + rounding) / score.norm() + turned;
        facts.set("overlap", Quantity::new(overlap, bar, Grade::Estimated));
        let across = normal.tr_mul(&score).norm() / score.norm();
        facts.set("score_normal", Quantity::new(across, bar, Grade::Estimated));
        Ok(Observation::new(self, facts).labelled(Labels::of("ridge")))
    }
}

/// C12: the law is uniform on the slab |y| ≤ 1 at the end of v = −c y; the error is ε(a + b y).
#[derive(Clone, Serialize)]
pub struct Slab {
    /// c.
    pub rate: f64,
    /// τ.
    pub span: f64,
    /// a.
    pub constant: f64,
    /// b.
    pub gradient: f64,
    /// ε.
    pub size: f64,
    /// Time steps.
    #[serde(skip)]
    pub steps: usize,
}

impl Slab {
    fn decode(knobs: &mut Knobs) -> Self {
        let span = knobs.range(0.5, 2.0);
        let rate = knobs.range(0.0, 3.0);
        let constant = knobs.range(0.2, 1.0) * if knobs.unit() > 0.5 { -1.0 } else { 1.0 };
        let gradient = knobs.range(-0.3, 1.0);
        let shift = knobs.log_range(1e-4, 0.19);
        let size = shift / ((constant.abs() + gradient.abs()) * span);
        Self { rate, span, constant, gradient, size, steps: knobs.steps(STEPS) }
    }

    fn sampler(&self) -> Sampler {
        Sampler::new(Method::DormandPrince, uniform_times(0.0, self.span, self.steps))
    }

    /// The flow of points of the slab, with and without the error; the boundary is the data.
    fn picture(&self) -> Result<Option<Panel>> {
        let embedded = |normal_rate: f64, push: f64| {
            let field = PlaneField { normal_rate, push: [0.0, push], ..PlaneField::default() };
            Embedded::new(field, dmatrix![1.0; 0.0], dvector![0.0, 1.0])
        };
        let (drift, error) =
            (&embedded(-self.rate, 0.0)?, &embedded(self.gradient, self.constant)?);
        let maps = &InexactFlow { sampler: &self.sampler(), drift, error };
        // The exact flow takes ±e^{cτ} to the boundary ±1.
        let edge = (self.rate * self.span).exp();
        let place = |k: usize, of: usize| 1.5 * (2.0 * (k / 2) as f64 / (of / 2 - 1) as f64 - 1.0);
        let side = |k: usize| if k.is_multiple_of(2) { 1.0 } else { -1.0 };
        let starts: Vec<Vec<f64>> =
            (0..ORBITS).map(|k| vec![place(k, ORBITS), side(k) * edge]).collect();
        let boundary: Vec<DVector<f64>> =
            (0..BOUNDARY).map(|k| dvector![place(k, BOUNDARY), side(k)]).collect();
        let data = Some(DMatrix::from_columns(&boundary));
        Scene { maps, size: Size::Visible, starts: &starts, data }.draw()
    }

    /// Where the point y of the end comes from, by the flow run backwards, with this part of the error.
    fn origin(&self, end: f64, part: f64) -> Result<Quantity> {
        let size = part * self.size;
        let backwards = PlaneField {
            normal_rate: self.rate - size * self.gradient,
            push: [0.0, -size * self.constant],
            ..PlaneField::default()
        };
        let field = Embedded::new(backwards, dmatrix![1.0; 0.0], dvector![0.0, 1.0])?;
        let sampler = self.sampler();
        let refined = sampler.refined();
        let orbit = Resolved::new(&field, &sampler, &refined, &[0.0, end])?;
        let (state, bar) = orbit.state(self.steps);
        Ok(Quantity::new(state[1], bar, Grade::Estimated))
    }

    /// The mass that the error puts off the slab.
    ///
    /// *Errors*: as [`crate::flow::Trajectory::from`].
    pub fn observe(&self) -> Result<Observation> {
        let mut facts = Facts::new();
        state_number(&mut facts, "C12", [self.rate, self.constant, self.gradient]);
        facts.set("span", Quantity::exact(self.span));
        facts.set("size", Quantity::exact(self.size));
        // The law starts uniform between the origins of ±1 under the exact flow.
        let lost = |end: f64| -> Result<Quantity> {
            let edge = self.origin(end, 0.0)?;
            let beyond = (edge - self.origin(end, 1.0)?) / edge * 0.5;
            Ok(beyond.max(Quantity::exact(0.0)))
        };
        facts.set("mass_outside", lost(1.0)? + lost(-1.0)?);
        Ok(Observation::new(self, facts).labelled(Labels::of("slab")))
    }
}
