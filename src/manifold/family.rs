//! Random families of manifolds, decoded from knobs.

use super::{
    Arc, Chart, Closed, Ellipse, Flat, Graph, Manifold, Motion, Sphere, Spiral, Torus, Wave,
};
use crate::error::{Error, Result};
use crate::random::{Knobs, Stream};
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_2_PI, PI, TAU};

/// The largest intrinsic dimension that is drawn.
const MOST_DIM: usize = 8;
/// The largest dimension of a chart of waves; a motion fills the rest.
const MOST_WAVE_DIM: usize = 16;

/// A kind of manifold to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// A circle.
    Circle,
    /// An ellipse.
    Ellipse,
    /// A sphere S^k.
    Sphere,
    /// An affine subspace.
    Flat,
    /// A box in an affine subspace, with boundary.
    Cuboid,
    /// A product of circles.
    FlatTorus,
    /// The torus of revolution.
    Torus,
    /// An arc of a circle, with boundary.
    Arc,
    /// Two moons, with boundary.
    Moons,
    /// A Swiss-roll strip, with boundary.
    SwissRoll,
    /// The graph of a random sum of waves over a box, with boundary.
    Graph,
    /// A random closed curve.
    ClosedCurve,
    /// A random closed surface of torus topology.
    ClosedSurface,
    /// A product of two or three of the simpler ones.
    Product,
}

impl Family {
    /// All families, plainest first.
    pub const ALL: [Self; 14] = [
        Self::Circle,
        Self::Ellipse,
        Self::Sphere,
        Self::Flat,
        Self::Cuboid,
        Self::FlatTorus,
        Self::Torus,
        Self::Arc,
        Self::Moons,
        Self::SwissRoll,
        Self::Graph,
        Self::ClosedCurve,
        Self::ClosedSurface,
        Self::Product,
    ];

    /// As in records, e.g. `swiss-roll`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Ellipse => "ellipse",
            Self::Sphere => "sphere",
            Self::Flat => "flat",
            Self::Cuboid => "cuboid",
            Self::FlatTorus => "flat-torus",
            Self::Torus => "torus",
            Self::Arc => "arc",
            Self::Moons => "moons",
            Self::SwissRoll => "swiss-roll",
            Self::Graph => "graph",
            Self::ClosedCurve => "closed-curve",
            Self::ClosedSurface => "closed-surface",
            Self::Product => "product",
        }
    }

    /// The least ambient dimension that the family fits into.
    pub fn least_ambient(self) -> usize {
        match self {
            Self::Torus | Self::SwissRoll | Self::Product => 3,
            Self::ClosedSurface => 4,
            _ => 2,
        }
    }
}

impl Manifold {
    /// A manifold of the family in R^`ambient`, at these knobs.
    ///
    /// Every knob position is a manifold; all knobs at 0 give the plainest one:
    /// smallest dimension, unit size, no waves, first coordinates, no shift.
    ///
    /// *Errors*: [`Error::Input`] when `ambient` is below [`Family::least_ambient`] or above 10 000.
    ///
    /// ```
    /// use driftproof::manifold::{Family, Manifold};
    /// use driftproof::random::Knobs;
    /// let plain = Manifold::draw(Family::Ellipse, 5, &mut Knobs::new(&[])).unwrap();
    /// assert_eq!(plain.reach().value, 1.0); // the unit circle: b²/a
    /// ```
    pub fn draw(family: Family, ambient: usize, knobs: &mut Knobs) -> Result<Self> {
        if !(family.least_ambient()..=10_000).contains(&ambient) {
            let problem = format!("ambient dimension {ambient} for {family:?}");
            let hint = format!("give {} to 10000", family.least_ambient());
            return Err(Error::input("manifold", problem, hint));
        }
        let shape = if family == Family::Moons {
            Self::moons(knobs.log_range(1.0, 2.0))?
        } else {
            Self::new(draw_chart(family, ambient, knobs))?
        };
        let turned = knobs.pick(&[false, true]);
        let stream = knobs.stream("motion");
        let shift = knobs.range(0.0, 1.0);
        let n = shape.ambient();
        let motion = match turned {
            true => Motion::random(n, ambient, stream.named("frame"))?,
            false => Motion::identity(n, ambient)?,
        };
        let toward = crate::random::unit_vector(&mut stream.named("shift").rng(), ambient);
        let shift: Vec<f64> = toward.into_iter().map(|x| shift * x).collect();
        shape.moved(&motion.shifted(&shift)?)
    }
}

/// A number of dimensions from 1 to the most that leaves a codimension.
fn intrinsic(ambient: usize, knobs: &mut Knobs) -> usize {
    knobs.count(1, MOST_DIM.min(ambient - 1))
}

/// The chart of a family; moons are two arcs, so [`Manifold::draw`] makes them, and here they are circles.
fn draw_chart(family: Family, ambient: usize, knobs: &mut Knobs) -> Chart {
    match family {
        Family::Circle | Family::Moons => Chart::circle(knobs.log_range(1.0, 2.0)),
        Family::Ellipse => {
            let a = knobs.log_range(1.0, 2.0);
            Chart::Ellipse(Ellipse { a, b: a * knobs.log_range(1.0, 0.3) })
        }
        Family::Sphere => {
            let dim = intrinsic(ambient, knobs);
            Chart::Sphere(Sphere { dim, radius: knobs.log_range(1.0, 2.0) })
        }
        Family::Flat | Family::Cuboid => {
            let dim = intrinsic(ambient, knobs);
            let half_widths = (0..dim).map(|_| knobs.log_range(1.0, 2.0)).collect();
            Chart::Flat(Flat { half_widths, bounded: family == Family::Cuboid })
        }
        Family::FlatTorus => {
            let circles = knobs.count(1, (ambient / 2).min(MOST_DIM));
            let radii: Vec<f64> = (0..circles).map(|_| knobs.log_range(1.0, 2.0)).collect();
            Chart::flat_torus(&radii)
        }
        Family::Torus => {
            let minor = knobs.log_range(1.0, 0.3);
            Chart::Torus(Torus { major: minor + knobs.log_range(1.0, 0.3), minor })
        }
        Family::Arc => {
            let radius = knobs.log_range(1.0, 2.0);
            Chart::Arc(Arc { radius, from: 0.0, to: knobs.range(PI, 1.8 * PI) })
        }
        Family::SwissRoll => {
            let angle = knobs.range(TAU, 2.0 * TAU);
            let growth = knobs.log_range(0.3, 0.6);
            let inner = knobs.log_range(1.0, 2.0);
            Chart::swiss_roll(Spiral { inner, growth, angle }, knobs.log_range(1.0, 2.0))
        }
        Family::Graph => draw_graph(ambient, knobs),
        Family::ClosedCurve => draw_closed(1, ambient, knobs),
        Family::ClosedSurface => draw_closed(2, ambient, knobs),
        Family::Product => draw_product(ambient, knobs),
    }
}

/// Waves whose slopes |frequency||amplitude| add up to `steepness`.
fn draw_waves(
    count: usize,
    dim: usize,
    values: usize,
    steepness: f64,
    stream: Stream,
    frequency: impl Fn(usize, Stream) -> Vec<f64>,
) -> Vec<Wave> {
    if steepness == 0.0 {
        return Vec::new();
    }
    let wave = |i: usize| {
        let stream = stream.indexed(i as u64);
        let frequency = frequency(dim, stream.named("frequency"));
        let pace = frequency.iter().map(|w| w * w).sum::<f64>().sqrt();
        let toward = crate::random::unit_vector(&mut stream.named("amplitude").rng(), values);
        let size = steepness / (count as f64 * pace);
        let phase = TAU * stream.named("phase").uniforms(1)[0];
        Wave { frequency, phase, amplitude: toward.into_iter().map(|x| size * x).collect() }
    };
    (0..count).map(wave).collect()
}

fn draw_graph(ambient: usize, knobs: &mut Knobs) -> Chart {
    let dim = intrinsic(ambient, knobs);
    let height = knobs.count(1, (ambient - dim).min(MOST_WAVE_DIM));
    let half_widths = (0..dim).map(|_| knobs.log_range(1.0, 2.0)).collect();
    let count = knobs.count(1, 4);
    let steepness = knobs.range(0.0, 1.0);
    let pace = knobs.log_range(1.0, 3.0);
    let frequency = |dim: usize, stream: Stream| -> Vec<f64> {
        let toward = crate::random::unit_vector(&mut stream.rng(), dim);
        toward.into_iter().map(|x| pace * x).collect()
    };
    let waves = draw_waves(count, dim, height, steepness, knobs.stream("waves"), frequency);
    Chart::Graph(Graph { half_widths, height, waves })
}

fn draw_closed(dim: usize, ambient: usize, knobs: &mut Knobs) -> Chart {
    let n = knobs.count(2 * dim, ambient.min(MOST_WAVE_DIM).max(2 * dim));
    let radii: Vec<f64> = (0..dim).map(|_| knobs.log_range(1.0, 2.0)).collect();
    let least = radii.iter().copied().fold(f64::INFINITY, f64::min);
    let count = knobs.count(1, 4);
    // Nine tenths of what keeps the chart an embedding.
    let steepness = knobs.range(0.0, 0.9) * FRAC_2_PI * least;
    let frequency = |dim: usize, stream: Stream| -> Vec<f64> {
        let drawn = stream.uniforms(dim + 1);
        let mut whole: Vec<f64> = drawn[..dim].iter().map(|t| (5.0 * t).floor() - 2.0).collect();
        if whole.iter().all(|w| *w == 0.0) {
            whole[(drawn[dim] * dim as f64) as usize] = 3.0;
        }
        whole
    };
    let waves = draw_waves(count, dim, n, steepness, knobs.stream("waves"), frequency);
    Chart::Closed(Closed { radii, ambient: n, waves })
}

fn draw_product(ambient: usize, knobs: &mut Knobs) -> Chart {
    let segment = Chart::Flat(Flat { half_widths: vec![knobs.log_range(1.0, 2.0)], bounded: true });
    let mut factors = vec![Chart::circle(knobs.log_range(1.0, 2.0)), segment];
    let simple = [Family::Circle, Family::Ellipse, Family::Arc, Family::Sphere, Family::Torus];
    let extra = knobs.count(0, 2);
    for _ in 0..extra {
        let family = knobs.pick(&simple);
        let used: usize = factors.iter().map(Chart::ambient).sum();
        let room = (ambient - used).min(4);
        if room >= family.least_ambient() {
            factors.push(draw_chart(family, room, knobs));
        }
    }
    Chart::Product { factors }
}
