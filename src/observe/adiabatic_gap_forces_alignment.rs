//! Symmetric linear flows whose eigenframe turns, for T2.4.

use super::Observation;
use super::linear::{Blocks, LinearWorld};
use crate::drift::Drift;
use crate::error::Result;
use crate::facts::{Grade, Quantity};
use crate::linalg::{spectral_norm, symmetric_eigen};
use crate::random::Knobs;
use nalgebra::DMatrix;

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let mut world = LinearWorld::decode(knobs, Blocks::Spectral).stepped(knobs);
    let (d, dim) = (world.tangent, world.flow.dim());
    let slope = knobs.log_range(0.01, 30.0);
    let stream = knobs.stream("plane");
    let (u, _) = world.flow.frame_and_rate(0.0);
    let graph = DMatrix::from_vec(dim - d, d, stream.normals((dim - d) * d));
    let graph = &graph * (slope / spectral_norm(&graph)?);
    let plane = u.columns(0, d) + u.columns(d, dim - d) * graph;
    let mut facts = world.measure(plane.clone())?;
    let times: Vec<f64> = facts.series("time").iter().map(|t| t.value).collect();
    for (k, t) in times.into_iter().enumerate() {
        // The gap from the eigenvalues of A, the turning from the derivative of the eigenframe.
        let a = DMatrix::from_vec(dim, dim, world.flow.generator(t));
        let (values, _) = symmetric_eigen(&a);
        let (u, du) = world.flow.frame_and_rate(t);
        let (ut, dut) = (u.columns(0, d), du.columns(0, d));
        let rate = dut * ut.transpose() + ut * dut.transpose();
        let bar = 64.0 * dim as f64 * f64::EPSILON * (spectral_norm(&a)? + 1.0);
        // Where the tangent frame is not the top eigenspace there is no gap: the blocks cross.
        let gap = (values[d - 1] - values[d]).min(facts.series("gamma")[k].value + bar);
        facts.push("gap", Quantity::new(gap, bar, Grade::Estimated));
        facts.push("turning", Quantity::new(spectral_norm(&rate)?, bar, Grade::Symbolic));
    }
    // The same world with the sign of A reversed, in which the top eigenspace repels.
    world.flow.mean.neg_mut();
    world.flow.wave.neg_mut();
    let reversed = world.measure(plane)?.series("slope").to_vec();
    world.flow.mean.neg_mut();
    world.flow.wave.neg_mut();
    facts.set_series("slope_reversed", reversed);
    let labels = world.labels();
    Ok(Observation::new(&world, facts).labelled(labels))
}
