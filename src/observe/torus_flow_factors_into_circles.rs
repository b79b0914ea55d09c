//! Canonical flows of flat tori, for T6.6.

use super::Observation;
use super::picture::of_flow;
use super::resolved::Resolved;
use crate::drift::{Atoms, Canonical, Denoiser, Moved, Product, Sphere};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Method, Sampler, geometric_times};
use crate::linalg::{frame_from_normals, largest_angle};
use crate::lyapunov::Spectrum;
use crate::random::Knobs;
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;
use std::f64::consts::TAU;

/// Step of log σ on the coarser grid; Dormand–Prince then errs by about 1e-8.
const STEP: f64 = 0.15;

#[derive(Serialize)]
struct World {
    /// R_i, one for each circle.
    radii: Vec<f64>,
    sigma_start: f64,
    sigma_end: f64,
    /// 0 for the uniform law, else that many equally spaced points on the first circle.
    points: usize,
    /// Whether the torus is turned in R^{2m}, so that its blocks are not coordinate blocks.
    turned: bool,
    /// The state at `sigma_start`, in the coordinates of the circles.
    start: Vec<f64>,
    /// Every step is cut into so many.
    #[serde(skip)]
    finer: usize,
}

/// The world, and the orthogonal matrix that turns its torus.
fn decode(knobs: &mut Knobs) -> (World, DMatrix<f64>) {
    let sampled = knobs.unit() > 0.9;
    let circles = match knobs.unit() {
        _ if sampled => 2,
        u if u < 0.9 => 1 + (u * 4.5) as usize,
        u if u < 0.99 => 6,
        _ => 32,
    };
    let sigma_end = knobs.log_range(0.02, 0.3);
    let sigma_start = knobs.log_range(1.0, 20.0);
    let points = if sampled { knobs.count(3, 7) } else { 0 };
    let turned = knobs.unit() > 0.3;
    // Radii around 1, or spread so far that small circles drown in the noise.
    let spread = knobs.range(0.0, 3.0);
    let stream = knobs.stream("torus");
    let radii: Vec<f64> =
        stream.named("radii").uniforms(circles).iter().map(|u| (-spread * u).exp()).collect();
    let noise = stream.named("noise").normals(2 * circles);
    let angles = stream.named("angles").uniforms(circles);
    let start = (0..2 * circles)
        .map(|c| {
            let (sin, cos) = (TAU * angles[c / 2]).sin_cos();
            radii[c / 2] * if c % 2 == 0 { cos } else { sin } + sigma_start * noise[c]
        })
        .collect();
    let finer = knobs.steps(1);
    let world = World { radii, sigma_start, sigma_end, points, turned, start, finer };
    let dim = 2 * circles;
    let turn = match turned {
        true => frame_from_normals(dim, dim, &stream.named("turn").normals(dim * dim)),
        false => DMatrix::identity(dim, dim),
    };
    (world, turn)
}

pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let (world, turn) = decode(knobs);
    let denoiser = denoiser(&world, &turn)?;
    let drift = &Canonical { denoiser: &denoiser };
    of_flow((drift, &world.sampler()), &world.turned_start(&turn), (&denoiser, 1.0))
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let (world, turn) = decode(knobs);
    let facts = measure(&world, &turn)?;
    let labels = match world.points {
        0 => Labels::of("torus"),
        _ => Labels::against("points of a circle"),
    };
    Ok(Observation::new(&world, facts).labelled(labels.in_dimension(turn.nrows())))
}

impl World {
    fn sampler(&self) -> Sampler {
        let steps = ((self.sigma_start / self.sigma_end).ln() / STEP).ceil() as usize;
        let times = geometric_times(self.sigma_start, self.sigma_end, steps);
        Sampler::new(Method::DormandPrince, times).finer(self.finer)
    }

    fn turned_start(&self, turn: &DMatrix<f64>) -> Vec<f64> {
        (turn * DVector::from_column_slice(&self.start)).as_slice().to_vec()
    }
}

/// The exact posterior mean of the torus turned by the orthogonal matrix `turn`.
fn denoiser(world: &World, turn: &DMatrix<f64>) -> Result<Denoiser> {
    let mut factors = Vec::new();
    for (i, &radius) in world.radii.iter().enumerate() {
        factors.push(match (i, world.points) {
            (0, points) if points > 0 => {
                let angles = (0..points).map(|i| TAU * i as f64 / points as f64);
                let polygon = angles.flat_map(|t| [radius * t.cos(), radius * t.sin()]).collect();
                Atoms::new(2, polygon, None, 0.0)?.into()
            }
            _ => Sphere::new(2, radius)?.into(),
        });
    }
    let shift = vec![0.0; turn.nrows()];
    Ok(Moved::new(Product::new(factors)?.into(), turn.clone(), shift)?.into())
}

fn measure(world: &World, turn: &DMatrix<f64>) -> Result<Facts> {
    let (m, dim) = (world.radii.len(), turn.nrows());
    let denoiser = denoiser(world, turn)?;
    let flow = Canonical { denoiser: &denoiser };
    let sampler = world.sampler();
    let steps = sampler.maps();
    let refined = sampler.refined();
    let start = world.turned_start(turn);
    let orbit = Resolved::new(&flow, &sampler, &refined, &start)?;

    let mut facts = Facts::new();
    facts.set("points", Quantity::exact(world.points as f64));
    facts.set("sigma_start", Quantity::exact(world.sigma_start));
    facts.set("sigma_end", Quantity::exact(world.sigma_end));
    let (end, bar) = orbit.state(steps);
    let end = turn.tr_mul(end);
    // The frame: the tangents of all circles, then their radii, at the start.
    let mut frame = DMatrix::zeros(dim, dim);
    for i in 0..m {
        let (x, y) = (world.start[2 * i], world.start[2 * i + 1]);
        let rho = x.hypot(y);
        for (column, direction) in [(i, [-y / rho, x / rho]), (m + i, [x / rho, y / rho])] {
            frame.view_mut((2 * i, column), (2, 1)).copy_from_slice(&direction);
        }
        facts.push("radius", Quantity::exact(world.radii[i]));
        facts.push("distance_start", Quantity::rounded(rho, 2.0));
        let rho = end[2 * i].hypot(end[2 * i + 1]);
        facts.push("distance_end", Quantity::new(rho, bar, Grade::Estimated));
    }
    let jacobian = orbit.jacobian_in(&(turn * frame));
    for i in 0..m {
        facts.push("tangential_factor", jacobian.at(i, i));
        facts.push("radial_factor", jacobian.at(m + i, m + i));
    }
    facts.set("leak", jacobian.leak());

    let spectra = jacobian.spectra()?;
    for k in 0..dim {
        facts.push("singular_value", jacobian.singular_value(&spectra, k));
    }
    let top = |s: &Spectrum| s.end_vectors.columns(0, m).into_owned();
    let (fine, coarse) = (top(&spectra.0), top(&spectra.1));
    let angle = largest_angle(&fine, &DMatrix::identity(dim, m))?;
    // Rounding turns a subspace by its size over the gap.
    let value = |k: usize| spectra.0.log_growth[k].exp();
    let rounding = 1e-12 * value(0) / (value(m - 1) - value(m)).abs();
    let bar = largest_angle(&fine, &coarse)? + rounding;
    facts.set("angle_to_tangents", Quantity::new(angle, bar, Grade::Estimated));
    Ok(facts)
}
