//! Canonical flows of spheres, for T6.5.

use super::Observation;
use super::picture::of_flow;
use super::resolved::Resolved;
use crate::drift::{Atoms, Canonical, Denoiser, Moved, Sphere};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Method, Sampler, geometric_times};
use crate::linalg::{complement, frame_from_normals};
use crate::random::{Knobs, Stream};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;
use std::f64::consts::TAU;

/// Step of log σ on the coarser grid; Dormand–Prince then errs by about 1e-8.
const STEP: f64 = 0.12;

/// Directions of the sphere's span that are followed: all of them up to this dimension.
const FOLLOWED: usize = 6;

#[derive(Serialize)]
struct World {
    /// The sphere is S^{n−1}(R) in a random n-plane of R^D.
    sphere_dim: usize,
    dim: usize,
    radius: f64,
    sigma_start: f64,
    sigma_end: f64,
    /// 0 for the uniform law, else that many equally spaced points of a circle.
    points: usize,
    /// Slope of the plane followed, over the tangents of the sphere.
    slope: f64,
    /// The state at `sigma_start`, from the centre.
    start: Vec<f64>,
    /// Every step is cut into so many.
    #[serde(skip)]
    finer: usize,
}

/// The world, the n-plane of its sphere, and where further random numbers come from.
fn decode(knobs: &mut Knobs) -> (World, DMatrix<f64>, Stream) {
    let sampled = knobs.unit() > 0.9;
    let sphere_dim = match knobs.unit() {
        _ if sampled => 2,
        u if u < 0.85 => 2 + (u * 10.0) as usize,
        u if u < 0.985 => 10 + ((u - 0.85) * 400.0) as usize,
        _ => 200,
    };
    let flats = knobs.count(0, 2);
    let radius = knobs.log_range(0.3, 3.0);
    let sigma_end = radius * knobs.log_range(0.02, 1.0);
    let sigma_start = radius * knobs.log_range(1.5, 40.0);
    let points = if sampled { knobs.count(3, 7) } else { 0 };
    let slope = knobs.log_range(0.05, 5.0);
    let stream = knobs.stream("sphere");
    let dim = sphere_dim + flats;
    let span = frame_from_normals(dim, sphere_dim, &stream.named("span").normals(dim * sphere_dim));
    // A point of the sphere, then noise.
    let point = frame_from_normals(sphere_dim, 1, &stream.named("point").normals(sphere_dim));
    let noise = DVector::from_vec(stream.named("noise").normals(dim)) * sigma_start;
    let start = (&span * point.column(0) * radius + noise).as_slice().to_vec();
    let finer = knobs.steps(1);
    let world =
        World { sphere_dim, dim, radius, sigma_start, sigma_end, points, slope, start, finer };
    (world, span, stream)
}

pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let (world, span, _) = decode(knobs);
    let denoiser = denoiser(&world, &span)?;
    let drift = &Canonical { denoiser: &denoiser };
    of_flow((drift, &world.sampler()), &world.start, (&denoiser, 1.0))
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let (world, span, stream) = decode(knobs);
    let facts = measure(&world, &span, stream.named("plane").normals(world.sphere_dim))?;
    let labels = match world.points {
        0 => Labels::of("sphere"),
        _ => Labels::against("points of a circle"),
    };
    Ok(Observation::new(&world, facts).labelled(labels.in_dimension(world.dim)))
}

impl World {
    fn sampler(&self) -> Sampler {
        let steps = ((self.sigma_start / self.sigma_end).ln() / STEP).ceil() as usize;
        // An even number of steps, so that half-way is a time of the grid.
        let times = geometric_times(self.sigma_start, self.sigma_end, steps + steps % 2);
        Sampler::new(Method::DormandPrince, times).finer(self.finer)
    }
}

/// The exact posterior mean of the world's law, centred at 0.
fn denoiser(world: &World, span: &DMatrix<f64>) -> Result<Denoiser> {
    let inner: Denoiser = match world.points {
        0 => Sphere::new(world.sphere_dim, world.radius)?.into(),
        points => {
            let angles = (0..points).map(|i| TAU * i as f64 / points as f64);
            let polygon =
                angles.flat_map(|t| [world.radius * t.cos(), world.radius * t.sin()]).collect();
            Atoms::new(2, polygon, None, 0.0)?.into()
        }
    };
    Ok(Moved::new(inner, span.clone(), vec![0.0; world.dim])?.into())
}

fn measure(world: &World, span: &DMatrix<f64>, graph: Vec<f64>) -> Result<Facts> {
    let denoiser = denoiser(world, span)?;
    let flow = Canonical { denoiser: &denoiser };
    let sampler = world.sampler();
    let steps = sampler.maps();
    let refined = sampler.refined();
    let orbit = Resolved::new(&flow, &sampler, &refined, &world.start)?;

    let mut facts = Facts::new();
    facts.set("points", Quantity::exact(world.points as f64));
    facts.set("sphere_dim", Quantity::exact(world.sphere_dim as f64));
    facts.set("radius", Quantity::exact(world.radius));
    for k in [0, steps / 2, steps] {
        let (state, bar) = orbit.state(k);
        let bar = if k == 0 { 0.0 } else { bar };
        facts.push("sigma", Quantity::exact(sampler.times()[k]));
        let distance = span.tr_mul(state).norm();
        facts.push("distance", Quantity::new(distance, bar, Grade::Estimated));
    }

    // The frame: the start's radius, tangents of the sphere, flat directions.
    let inside = span.tr_mul(&DVector::from_column_slice(&world.start));
    let radius = DMatrix::from_column_slice(world.sphere_dim, 1, inside.normalize().as_slice());
    let followed = world.sphere_dim.min(FOLLOWED);
    let tangents = span * complement(&radius).columns(0, followed - 1);
    let radius = span * radius;
    let flats = complement(span);
    let (end, bar) = orbit.state(steps);
    let end = span.tr_mul(end);
    let turned = (&end / end.norm() - inside.normalize()).norm();
    facts.set("turn", Quantity::new(turned, 2.0 * bar / end.norm(), Grade::Estimated));

    let all: Vec<_> = [&radius, &tangents, &flats].iter().flat_map(|m| m.column_iter()).collect();
    let jacobian = orbit.jacobian_in(&DMatrix::from_columns(&all));
    facts.set("radial_factor", jacobian.at(0, 0));
    for i in 1..followed {
        facts.push("tangential_factor", jacobian.at(i, i));
    }
    for i in followed..all.len() {
        facts.push("flat_factor", jacobian.at(i, i));
    }
    facts.set("leak", jacobian.leak());
    // Of the radius and the tangents alone: flat directions have their own factor.
    let inner = jacobian.leading(followed);
    let spectra = inner.spectra()?;
    let value = |k: usize| inner.singular_value(&spectra, k);
    facts.set("singular_ratio", value(followed - 1) / value(followed - 2));

    // A plane of the given slope over the tangents, and a line towards the first flat direction.
    let graph = DMatrix::from_row_slice(1, followed - 1, &graph[..followed - 1]);
    let graph = &graph * (world.slope / graph.norm());
    facts.set("slope_start", Quantity::rounded(world.slope, 8.0));
    facts.set("slope_end", orbit.end_slope(&(&tangents + &radius * graph), &tangents, &radius)?);
    if flats.ncols() > 0 {
        let (along, away) = (tangents.columns(0, 1).into_owned(), flats.columns(0, 1).into_owned());
        facts.set("flat_slope_start", Quantity::rounded(world.slope, 8.0));
        facts.set(
            "flat_slope_end",
            orbit.end_slope(&(&along + &away * world.slope), &along, &away)?,
        );
    }
    Ok(facts)
}
