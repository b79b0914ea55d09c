//! Laws on closed manifolds under inexact models, for T1.5 (d).

use super::Observation;
use super::displaced::Displaced;
use super::limits::limit;
use super::picture::{ORBITS, Scene, Size};
use crate::drift::{Drift, LearningError, PartOf};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{InexactFlow, Maps, Method, Sampler, uniform_times};
use crate::linalg::dot;
use crate::manifold::{Axis, Density, Family, Law, Manifold, Part};
use crate::random::{Knobs, Stream};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Families of manifolds, plainest first; the last two have a boundary and are out of scope.
const FAMILIES: [Family; 10] = [
    Family::Circle,
    Family::Ellipse,
    Family::Sphere,
    Family::Circle,
    Family::FlatTorus,
    Family::Sphere,
    Family::ClosedCurve,
    Family::ClosedCurve,
    Family::Arc,
    Family::Cuboid,
];

/// Sizes of the error: each a third of the one before.
const SIZES: usize = 4;

/// Atoms of the law on a curve, along each axis of a surface, and drawn where no rule serves.
const CURVE: usize = 16;
const SURFACE: usize = 4;
const DRAWN: usize = 12;

/// Wave numbers k of the dipole's test functions h sin(kφ)/k.
pub const WAVE_NUMBERS: [f64; 3] = [1.0, 4.0, 16.0];

/// Points of M in a picture.
const POINTS: usize = 150;

/// δ has no normal part where it is less than this share of δ.
const NO_NORMAL: f64 = 1e-6;

#[derive(Serialize)]
struct World {
    family: Family,
    law: Law,
    /// The exact velocity; None for a model that rests.
    exact: Option<LearningError>,
    error: LearningError,
    /// The part of the error that is kept; None for all of it.
    part: Option<Part>,
    /// ε_0, and the larger size at which distances are bounded.
    epsilon: f64,
    large: f64,
    /// f(x) = sin⟨wave, x⟩, h(x) = 1 + sin⟨wave, x⟩/2.
    wave: Vec<f64>,
    #[serde(skip)]
    stream: Stream,
}

impl World {
    /// Decodes a world; the plainest is the uniform law on the unit circle, moved by one explicit map.
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let family = knobs.pick(&FAMILIES);
        let ambient = knobs.pick(&[2, 2, 3, 3, 4, 8, 16]).max(family.least_ambient());
        let part = knobs.pick(&[None, Some(Part::Tangent), Some(Part::Normal), None]);
        let moving = knobs.unit() > 0.6 && part.is_none() && ambient <= 4;
        let (epsilon, large) = (knobs.range(0.005, 0.02), knobs.range(0.1, 0.4));
        let length = knobs.log_range(0.7, 3.0);
        let tilt = knobs.range(0.0, 1.0);
        let stream = knobs.stream("singular");
        let manifold = Manifold::draw(family, ambient, knobs)?;
        let size = manifold.reach_at_least().min(2.0);
        let error = LearningError::fourier(ambient, 3, length, size, stream.named("error"));
        let exact =
            moving.then(|| LearningError::fourier(ambient, 2, 1.5, 0.3, stream.named("exact")));
        let scaled = |name: &str, by: f64| -> Vec<f64> {
            stream.named(name).normals(ambient).iter().map(|z| by * z).collect()
        };
        let density = match tilt {
            0.0 => Density::Uniform,
            _ => Density::Tilt { direction: scaled("tilt", tilt / (ambient as f64).sqrt()) },
        };
        let wave = scaled("wave", 1.0);
        let law = Law::OnManifold { manifold, density, thickness: 0.0 };
        Ok(Self { family, law, exact, error, part, epsilon, large, wave, stream })
    }

    fn manifold(&self) -> &Manifold {
        match &self.law {
            Law::OnManifold { manifold, .. } => manifold,
            _ => unreachable!("a world is decoded with a law on a manifold"),
        }
    }

    /// Atoms of the law and their weights: a quadrature rule, or draws. Any law on M will do.
    fn atoms(&self) -> Result<(DMatrix<f64>, Vec<f64>)> {
        match self.manifold().dim() {
            1 => self.law.quadrature(CURVE),
            2 => self.law.quadrature(SURFACE),
            _ => {
                let points = self.law.sample(DRAWN, self.stream.named("atoms"))?;
                Ok((points, vec![1.0 / DRAWN as f64; DRAWN]))
            }
        }
    }

    /// One explicit map of a model that rests, three steps of one that moves.
    fn sampler(&self) -> Sampler {
        let (method, maps) =
            if self.exact.is_none() { (Method::Euler, 1) } else { (Method::Heun, 3) };
        Sampler::new(method, uniform_times(0.0, 1.0, maps))
    }

    /// Points of M, and some of them under the exact model and under the model with the error.
    fn picture(&self) -> Result<Option<Panel>> {
        let rest = LearningError::constant(&vec![0.0; self.error.dim()]);
        let drift = self.exact.as_ref().unwrap_or(&rest);
        let sampler = &self.sampler();
        let data = self.law.sample(POINTS, self.stream.named("picture"))?;
        let start = |nth: usize| data.column(nth).iter().copied().collect::<Vec<f64>>();
        let (size, starts) = (Size::Visible, &(0..ORBITS).map(start).collect::<Vec<_>>());
        let data = Some(data);
        match self.part {
            None => {
                let maps = &InexactFlow { sampler, drift, error: &self.error };
                Scene { maps, size, starts, data }.draw()
            }
            Some(part) => {
                let error = &PartOf { error: &self.error, part, manifold: self.manifold() };
                let maps = &InexactFlow { sampler, drift, error };
                Scene { maps, size, starts, data }.draw()
            }
        }
    }

    fn measure(&self) -> Result<Facts> {
        let dim = self.error.dim();
        let rest = LearningError::constant(&vec![0.0; dim]);
        let (drift, sampler) = (self.exact.as_ref().unwrap_or(&rest), &self.sampler());
        let test = Test {
            manifold: self.manifold(),
            atoms: self.atoms()?,
            direction: &self.error,
            wave: &self.wave,
            resting: self.exact.is_none(),
            epsilon: self.epsilon,
            large: self.large,
        };
        match self.part {
            None => test.measure(&InexactFlow { sampler, drift, error: &self.error }),
            Some(part) => {
                let error = &PartOf { error: &self.error, part, manifold: self.manifold() };
                test.measure(&InexactFlow { sampler, drift, error })
            }
        }
    }
}

/// What is measured of a law on a manifold under a model with errors.
pub struct Test<'a> {
    /// M.
    pub manifold: &'a Manifold,
    /// Points of M, `D×N`, and their probabilities.
    pub atoms: (DMatrix<f64>, Vec<f64>),
    /// A field u; near an atom without normal error, N = P_⊥u is the normal field of the dipole's test functions.
    pub direction: &'a LearningError,
    /// f(x) = sin⟨wave, x⟩.
    pub wave: &'a [f64],
    /// True where the exact maps are the identity.
    pub resting: bool,
    /// ε_0.
    pub epsilon: f64,
    /// A larger size, for the bounds that hold at any.
    pub large: f64,
}

/// A point near the manifold as the test functions see it.
struct Seen {
    distance: f64,
    /// f.
    value: f64,
    /// h sin(kφ)/k for each k.
    dipoles: [f64; 3],
}

impl Test<'_> {
    /// P_⊥ v at a place.
    fn normal_part(frame: &DMatrix<f64>, v: &DVector<f64>) -> DVector<f64> {
        v - frame * frame.tr_mul(v)
    }

    fn phase(&self, x: &DVector<f64>) -> f64 {
        dot(self.wave, x.as_slice())
    }

    /// What N is the normal part of, near one atom: δ there, or u where δ has no normal part.
    fn lean(&self, p: &DVector<f64>, along: Option<&DVector<f64>>) -> DVector<f64> {
        along.cloned().unwrap_or_else(|| {
            let mut u = DVector::zeros(p.len());
            self.direction.velocity(0.0, p.as_slice(), u.as_mut_slice());
            u
        })
    }

    fn see(&self, x: &DVector<f64>, along: Option<&DVector<f64>>) -> Result<Seen> {
        let foot = self.manifold.nearest(x.as_slice())?;
        let frame = self.manifold.tangent_frame(&foot.place);
        let field = Self::normal_part(&frame, &self.lean(&foot.point, along));
        let signed = field.dot(&(x - &foot.point));
        let value = self.phase(x).sin();
        let cut = 1.0 + 0.5 * value;
        let dipoles = WAVE_NUMBERS.map(|k| cut * (k * signed).sin() / k);
        Ok(Seen { distance: foot.distance, value, dipoles })
    }

    /// The facts.
    ///
    /// Scalars: `response` d/dε E f(X^ε) by differences, and `tangent_term`, `normal_term` of it by δ and
    /// the gradient of f; `distance_rate`, `square_rate` lim E dist/ε, lim E dist²/ε²; means of δ:
    /// `delta`, `delta_normal`, their squares `delta_square`, `delta_normal_square`; `dipole_limit`
    /// ∫h⟨N,δ⟩ and `dipole_whole` ∫h⟨v,δ⟩ for N = P_⊥v; proven bounds `curvature`, `reach`; `closed`. Series: `dipole`,
    /// `dipole_size` (largest |f_k| seen) for each wave number; `large_distance`, `large_normal`, `large_tangent`
    /// for each atom, of the displacement at the large size.
    ///
    /// *Accuracy*: limits are parabolas through the last three ε; distances at atoms where δ_N is too small for its sign to be
    /// settled enter the bar with their size.
    ///
    /// *Errors*: as [`Manifold::nearest`], and [`crate::error::Error::Numeric`] when the start of a point is not found.
    pub fn measure(&self, maps: &impl Maps) -> Result<Facts> {
        let epsilons: Vec<f64> = (0..SIZES as i32).map(|j| self.epsilon / 3_f64.powi(j)).collect();
        let squares: Vec<f64> = epsilons.iter().map(|e| e * e).collect();
        let mut facts = Facts::new();
        let (points, weights) = &self.atoms;
        let mut means = [0.0; 4];
        let (mut tangent_term, mut normal_term, mut flux, mut whole) = (0.0, 0.0, 0.0, 0.0);
        let mut response = [0.0; SIZES];
        let mut dipole = [[0.0; SIZES]; 3];
        let (mut distance, mut square, mut unsettled) = ([0.0; SIZES], [0.0; SIZES], 0.0);
        let mut sizes = [0.0_f64; 3];
        for (p, &weight) in points.column_iter().zip(weights) {
            let p = p.into_owned();
            let around = match self.resting {
                true => Displaced::resting(maps, p.as_slice()),
                false => Displaced::near(maps, p.as_slice(), p.as_slice())?,
            };
            let delta = around.delta()?;
            let frame = self.manifold.tangent_frame(&self.manifold.nearest(p.as_slice())?.place);
            let normal = Self::normal_part(&frame, &delta);
            let tangent = &delta - &normal;
            let sizes_of =
                [delta.norm(), normal.norm(), delta.norm_squared(), normal.norm_squared()];
            means.iter_mut().zip(sizes_of).for_each(|(mean, size)| *mean += weight * size);
            let phase = self.phase(&p);
            let gradient = DVector::from_column_slice(self.wave) * phase.cos();
            tangent_term += weight * gradient.dot(&tangent);
            normal_term += weight * gradient.dot(&normal);
            let cut = weight * (1.0 + 0.5 * phase.sin());
            // Atoms are apart: N may be any normal field near each of them.
            let along = (normal.norm() > NO_NORMAL * delta.norm()).then_some(&delta);
            let u = self.lean(&p, along);
            flux += cut * Self::normal_part(&frame, &u).dot(&delta);
            whole += cut * u.dot(&delta);
            for (j, &epsilon) in epsilons.iter().enumerate() {
                let ahead = self.see(&around.moved(p.as_slice(), epsilon)?, along)?;
                let behind = self.see(&around.moved(p.as_slice(), -epsilon)?, along)?;
                let half = 0.5 * weight / epsilon;
                response[j] += half * (ahead.value - behind.value);
                for (k, dipole) in dipole.iter_mut().enumerate() {
                    dipole[j] += half * (ahead.dipoles[k] - behind.dipoles[k]);
                    sizes[k] = sizes[k].max(ahead.dipoles[k].abs()).max(behind.dipoles[k].abs());
                }
                distance[j] += weight * ahead.distance / epsilon;
                square[j] += weight * (ahead.distance / epsilon).powi(2);
                if j == 0 {
                    let change = (ahead.distance / epsilon - sizes_of[1]).abs();
                    unsettled += if sizes_of[1] < 4.0 * change { weight * change } else { 0.0 };
                }
            }
            let moved = around.moved(p.as_slice(), self.large)?;
            let far = self.manifold.nearest(moved.as_slice())?;
            let h = &moved - &p;
            let off = Self::normal_part(&frame, &h);
            let bar = 1e-12 * (1.0 + p.norm()) + far.residual;
            let fact = |value: f64| Quantity::new(value, bar, Grade::Estimated);
            facts.push("large_distance", fact(far.distance));
            facts.push("large_normal", fact(off.norm()));
            facts.push("large_tangent", fact((h - off).norm()));
        }
        let exact = |value: f64, size: f64| Quantity::new(value, 1e-11 * size, Grade::Estimated);
        for (name, mean) in
            ["delta", "delta_normal", "delta_square", "delta_normal_square"].iter().zip(means)
        {
            facts.set(name, exact(mean, means[0].max(means[2])));
        }
        let steep = dot(self.wave, self.wave).sqrt() * means[0];
        facts.set("tangent_term", exact(tangent_term, steep));
        facts.set("normal_term", exact(normal_term, steep));
        facts.set("response_scale", Quantity::exact(steep));
        facts.set("dipole_limit", exact(flux, whole.abs() + flux.abs() + means[2]));
        facts.set("dipole_whole", exact(whole, whole.abs() + flux.abs() + means[2]));
        // Rounding of a difference over the least ε.
        let rounding = 1e-13 / epsilons[SIZES - 1];
        facts.set("response", limit(&squares, &response).widened(rounding));
        for (values, size) in dipole.iter().zip(sizes) {
            facts.push("dipole", limit(&squares, values).widened(rounding));
            facts.push("dipole_size", exact(size, 1.0));
        }
        facts.set("distance_rate", limit(&epsilons, &distance).widened(unsettled + rounding));
        facts.set("square_rate", limit(&epsilons, &square).widened(rounding * means[0]));
        facts.set("curvature", Quantity::rounded(self.manifold.curvature_at_most(), 4.0));
        facts.set("reach", Quantity::rounded(self.manifold.reach_at_least(), 4.0));
        let open = |axis: &Axis| matches!(axis, Axis::Interval { .. } | Axis::Line { .. });
        let closed =
            self.manifold.pieces().iter().all(|piece| !piece.chart.axes().iter().any(open));
        facts.set("closed", Quantity::exact(f64::from(u8::from(closed))));
        Ok(facts)
    }
}

/// The world as a picture.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    World::decode(knobs)?.picture()
}

/// Decodes and measures.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let facts = world.measure()?;
    let labels = match facts.get("closed").value {
        1.0 => Labels::of(world.family.name()),
        _ => Labels::against(world.family.name()),
    };
    Ok(Observation::new(&world, facts).labelled(labels.in_dimension(world.error.dim())))
}
