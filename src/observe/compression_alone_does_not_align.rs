//! Worlds that compress and do not align, for T7.

use super::Observation;
use super::picture::of_flow;
use super::planar::PlanarWorld;
use super::resolved::Resolved;
use crate::claims::counterexample_maps::NUMBERS;
use crate::drift::{Canonical, Counterexample, Denoiser, Sphere};
use crate::error::Result;
use crate::facts::{Facts, Quantity};
use crate::figure::Panel;
use crate::flow::{Method, Sampler, geometric_times};
use crate::linalg::{complement, largest_angle};
use crate::random::{Knobs, Stream, unit_vector};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Intervals between the noise levels of a flow to a sphere.
const LEVELS: usize = 64;

/// The counterexamples; the plainest is C1.
const DRAWN: [&str; 10] = ["C1", "C1b", "C1c", "C2", "C2b", "C3", "C4", "C4b", "C5", "C13"];

/// Orbits of one of the counterexamples.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    match knobs.pick(&DRAWN) {
        "C1c" => SmallSphere::decode(knobs).picture(),
        number => decode(number, knobs).picture(),
    }
}

/// One of the counterexamples.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let number = knobs.pick(&DRAWN);
    if number == "C1c" {
        return SmallSphere::decode(knobs).observe();
    }
    decode(number, knobs).observe()
}

/// A planar counterexample of that number.
fn decode(number: &'static str, knobs: &mut Knobs) -> PlanarWorld {
    let span = knobs.range(0.5, 2.0);
    // The compression over the whole time, e^{−total}.
    let total = knobs.log_range(0.5, 12.0);
    let slope = knobs.log_range(0.02, 5.0);
    let (first, second, choice) = (knobs.unit(), knobs.unit(), knobs.unit());
    let between = |low: f64, high: f64, unit: f64| low * (high / low).powf(unit);
    let rate = total / span;
    // One world in seven of C4 and C4b does not turn over, and is out of scope.
    let turning = choice > 0.15;
    let (example, span, slope) = match number {
        "C1b" => (Counterexample::NormalExpansion { rate: 0.5 * rate }, span, slope),
        "C2" => {
            let shear = rate * between(0.05, 3.0, first);
            (Counterexample::Shear { rate, shear }, span, slope)
        }
        "C2b" => {
            let (shear, last) = (between(0.1, 2.0, first), span * between(0.002, 0.3, second));
            (Counterexample::LateShear { rate, shear, last }, span, slope)
        }
        "C3" => {
            let (shear, width) = (rate * between(0.1, 2.0, first), between(1e-3, 2.0, second));
            (Counterexample::HiddenShear { rate, shear, width }, span, slope)
        }
        "C4" => {
            let (rate, feedback) = (0.3 * rate, between(0.2, 3.0, first));
            let beyond = if turning { between(1.05, 8.0, second) } else { 0.3 + 0.6 * second };
            let slope = beyond * rate / feedback;
            // Half of them end when the plane is normal, half later.
            let normal = -(-beyond.recip()).ln_1p() / rate;
            let after = if choice > 0.6 { 1.0 } else { 1.2 + choice };
            let span = if turning { normal * after } else { span };
            (Counterexample::Feedback { rate, feedback }, span, slope)
        }
        "C4b" => {
            let ratio = if turning { between(1.3, 30.0, second) } else { 0.2 + 0.7 * second };
            let (rate, shear) = (0.3 * rate, between(0.2, 3.0, first));
            let feedback = ratio * rate * rate / (4.0 * shear);
            // Half of them end when the plane is back, half after some turns more.
            let period = std::f64::consts::PI / (0.5 * rate * (ratio - 1.0).abs().sqrt());
            let span =
                if turning { period * if choice > 0.6 { 1.0 } else { 1.2 + choice } } else { span };
            (Counterexample::Turning { rate, shear, feedback }, span, slope)
        }
        "C5" => (Counterexample::NormalCompression { rate }, span, f64::INFINITY),
        "C13" => {
            let factor = between(1.02, 1.5, first);
            (Counterexample::NormalCompression { rate: factor.ln() / span }, span, slope)
        }
        _ => (Counterexample::IsotropicCompression { rate }, span, slope),
    };
    let mut world = PlanarWorld::new(number, example, span, slope, knobs);
    // On x = 0, where C3 has a closed form.
    world.start = [0.0, 0.2 + knobs.unit()];
    world
}

/// C1c: the flow to a sphere that is small against σ_min √n, from a typical state.
#[derive(Serialize)]
struct SmallSphere {
    ambient: usize,
    radius: f64,
    sigma_start: f64,
    sigma_end: f64,
    start_slope: f64,
    #[serde(skip)]
    stream: Stream,
    /// Time steps.
    #[serde(skip)]
    steps: usize,
}

impl SmallSphere {
    fn decode(knobs: &mut Knobs) -> Self {
        let ambient = knobs.count(2, 8);
        let sigma_end = knobs.log_range(0.01, 1.0);
        Self {
            ambient,
            radius: knobs.log_range(0.02, 0.4) * sigma_end * (ambient as f64).sqrt(),
            sigma_start: knobs.log_range(12.0, 100.0) * sigma_end,
            sigma_end,
            start_slope: knobs.log_range(0.2, 5.0),
            stream: knobs.stream("sphere"),
            steps: knobs.steps(LEVELS),
        }
    }

    fn sampler(&self) -> Sampler {
        let levels = geometric_times(self.sigma_start, self.sigma_end, self.steps);
        Sampler::new(Method::DormandPrince, levels)
    }

    /// Orbits to the sphere.
    fn picture(&self) -> Result<Option<Panel>> {
        let law: Denoiser = Sphere::new(self.ambient, self.radius)?.into();
        let (sampler, (_, start)) = (&self.sampler(), self.start());
        of_flow((&Canonical { denoiser: &law }, sampler), start.as_slice(), (&law, 1.0))
    }

    /// A direction, and the state there at the radius of typical states; it shrinks as fast as σ, or slower.
    fn start(&self) -> (DVector<f64>, DVector<f64>) {
        let outward = DVector::from_vec(unit_vector(&mut self.stream.rng(), self.ambient));
        let start = &outward * (self.sigma_start * (self.ambient as f64).sqrt());
        (outward, start)
    }

    fn observe(&self) -> Result<Observation> {
        let n = self.ambient;
        let law = Sphere::new(n, self.radius)?;
        let flow = Canonical { denoiser: &law };
        let sampler = self.sampler();
        let refined = sampler.refined();
        let (outward, start) = self.start();
        let orbit = Resolved::new(&flow, &sampler, &refined, start.as_slice())?;
        let normal = DMatrix::from_column_slice(n, 1, outward.as_slice());
        let tangent = complement(&normal);
        let mut plane = tangent.clone();
        plane.column_mut(0).axpy(self.start_slope, &outward, 1.0);

        let mut facts = Facts::new();
        let place = NUMBERS.iter().position(|number| *number == "C1c").unwrap_or_default();
        facts.set("counterexample", Quantity::exact(place as f64));
        for (name, value) in
            [("radius", self.radius), ("sigma", self.sigma_end), ("ambient", n as f64)]
        {
            facts.set(name, Quantity::exact(value));
        }
        let (end, bar) = orbit.state(self.steps);
        facts.set("widest", Quantity::exact((end.norm() + bar) / self.sigma_end));
        let slopes = orbit.slopes(&plane, &tangent, &normal)?;
        facts.set_series("slope", vec![slopes[0].0, slopes[self.steps].0]);
        let planes = orbit.planes(&plane);
        let rounding = orbit.relative();
        let sine = |k: usize| -> Result<Quantity> {
            let (fine, coarse) = &planes[k];
            let bar = largest_angle(fine, coarse)? + rounding;
            let sine = largest_angle(fine, &tangent)?.sin();
            Ok(Quantity::new(sine, bar, slopes[k].0.grade))
        };
        let (first, last) = (sine(0)?, sine(self.steps)?);
        let cosine = |s: Quantity| (Quantity::exact(1.0) - s * s).sqrt();
        facts.set_series("cosine", vec![cosine(first), cosine(last)]);
        facts.set("end_sine", last);
        let across = orbit.jacobian_in(&normal).at(0, 0);
        let along = orbit.jacobian_in(&tangent.columns(0, 1).into_owned()).at(0, 0);
        facts.set("normal_stretch", across);
        facts.set("tangent_stretch", along);
        Ok(Observation::new(self, facts).labelled(Labels::of("data without alignment")))
    }
}
