//! Linear flows with turning frames, for T2.1.

use super::Observation;
use super::linear::{Blocks, LinearWorld};
use crate::drift::{Drift, Rotating};
use crate::error::Result;
use crate::linalg::spectral_norm;
use crate::random::Knobs;
use nalgebra::{DMatrix, dmatrix};

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let sharp = knobs.unit() > 0.8;
    let mut world = LinearWorld::decode(knobs, Blocks::Full);
    if sharp {
        // The constant 2×2 system on which the bound is attained.
        let (gamma, kappa, eta) =
            (knobs.range(0.2, 3.0), knobs.range(0.0, 0.6), knobs.range(0.0, 0.6));
        world.tangent = 1;
        world.flow = Rotating {
            turns: Vec::new(),
            mean: dmatrix![0.0, -eta; kappa, -gamma],
            wave: DMatrix::zeros(2, 2),
            frequency: 0.0,
            carried: true,
        };
    }
    // A random start plane, or one at a chosen slope, also beyond the barrier.
    let (d, dim) = (world.tangent, world.flow.dim());
    let (u, _) = world.flow.frame_and_rate(0.0);
    let slope = knobs.log_range(0.01, 10.0);
    let stream = knobs.stream("plane");
    let graph = DMatrix::from_vec(dim - d, d, stream.normals(dim * dim)[..(dim - d) * d].to_vec());
    let graph = &graph * (slope / spectral_norm(&graph)?);
    let plane = u.columns(0, d) + u.columns(d, dim - d) * graph;
    let facts = world.measure(plane)?;
    Ok(Observation::new(&world, facts))
}
