//! Linear flows with turning frames, for T2.0.

use super::Observation;
use super::frames::{Blocks, blocks_by_projector, blocks_in_frame};
use super::linear::{self, LinearWorld};
use crate::drift::Drift;
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Sampler, uniform_times};
use crate::linalg::{complement, frame_from_normals, orthonormalise, spectral_norm};
use crate::random::Knobs;
use nalgebra::DMatrix;

/// Half the time step of the numerical derivative of a transported projector.
const DIFFERENCE: f64 = 1e-3;

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = LinearWorld::decode(knobs, linear::Blocks::Full);
    let stream = knobs.stream("gauge");
    let (d, dim) = (world.tangent, world.flow.dim());
    let t = 0.5 * world.span;
    let a = DMatrix::from_vec(dim, dim, world.flow.generator(t));
    let (u, du) = world.flow.frame_and_rate(t);

    let moving = u.tr_mul(&a) * &u - u.tr_mul(&du);
    let frame = blocks_in_frame(&moving, d)?;
    // Another gauge: the same tangent and normal spaces in frames that turn within them.
    let spin = |n: usize, name: &str| {
        let q = frame_from_normals(n, n, &stream.named(name).normals(n * n));
        let g = DMatrix::from_vec(n, n, stream.named(name).indexed(1).normals(n * n));
        let skew = (&g - g.transpose()) * 0.5;
        (q.clone(), &q * skew)
    };
    let ((qt, dqt), (qn, dqn)) = (spin(d, "tangent"), spin(dim - d, "normal"));
    let mut q = DMatrix::zeros(dim, dim);
    let mut dq = DMatrix::zeros(dim, dim);
    for (target, tangent, normal) in [(&mut q, &qt, &qn), (&mut dq, &dqt, &dqn)] {
        target.view_mut((0, 0), (d, d)).copy_from(tangent);
        target.view_mut((d, d), (dim - d, dim - d)).copy_from(normal);
    }
    let (v, dv) = (&u * &q, &du * &q + &u * &dq);
    let gauged = blocks_in_frame(&(v.tr_mul(&a) * &v - v.tr_mul(&dv)), d)?;

    let (ut, un) = (u.columns(0, d).into_owned(), u.columns(d, dim - d).into_owned());
    let dut = du.columns(0, d).into_owned();
    let rate = &dut * ut.transpose() + &ut * dut.transpose();
    let still = DMatrix::zeros(dim, dim);

    let size = spectral_norm(&a)? + spectral_norm(&rate)?;
    let bar = 64.0 * dim as f64 * f64::EPSILON * size;
    let mut facts = Facts::new();
    let mut state = |route: &str, b: Blocks| {
        for (name, value) in [("gamma", b.gamma), ("kappa", b.kappa), ("eta", b.eta)] {
            let quantity = Quantity::new(value, bar, Grade::Symbolic);
            facts.set(&format!("{name}_{route}"), quantity);
        }
    };
    state("frame", frame);
    state("gauged", gauged);
    state("projector", blocks_by_projector(&a, &ut, &un, &rate)?);
    state("of_a", blocks_by_projector(&a, &ut, &un, &still)?);
    state("flipped", blocks_by_projector(&a, &ut, &un, &-&rate)?);
    let rates = moving.diagonal();
    let diagonal = rates.rows(0, d).min() - rates.rows(d, dim - d).max();
    facts.set("gamma_diagonal", Quantity::new(diagonal, bar, Grade::Symbolic));
    facts.set("size", Quantity::rounded(size, 1e2));
    facts.set("frame_speed", Quantity::rounded(spectral_norm(&rate)?, 1e2).widened(bar));

    let (transported, error) = transported_kappa(&world, &ut, &a, t)?;
    facts.set("kappa_transported", Quantity::new(transported, error, Grade::Estimated));
    let frozen = blocks_by_projector(&a, &ut, &un, &still)?.kappa;
    facts.set("kappa_frozen", Quantity::new(frozen, error, Grade::Estimated));
    let labels = world.labels();
    Ok(Observation::new(&world, facts).labelled(labels))
}

/// κ of the bundle that the flow itself transports from span U_T, P' by differences of the
/// propagated projector (fourth order, from two step sizes), with its error estimate.
fn transported_kappa(
    world: &LinearWorld,
    tangent: &DMatrix<f64>,
    a: &DMatrix<f64>,
    t: f64,
) -> Result<(f64, f64)> {
    let projector = |h: f64| -> DMatrix<f64> {
        let mut plane = tangent.clone();
        let sampler = Sampler::new(Method::Rk4, uniform_times(t, t + h, 4));
        let lanes = crate::drift::Lanes { trajectories: plane.ncols(), tangents: 0 };
        let mut work = crate::flow::StepWorkspace::default();
        for k in 0..4 {
            sampler.step(&world.flow, k, plane.as_mut_slice(), lanes, &mut work);
        }
        orthonormalise(&mut plane);
        &plane * plane.transpose()
    };
    let central = |h: f64| (projector(h) - projector(-h)) / (2.0 * h);
    let (wide, narrow) = (central(2.0 * DIFFERENCE), central(DIFFERENCE));
    let rate = (&narrow * 4.0 - &wide) / 3.0;
    let normal = complement(tangent);
    let kappa = blocks_by_projector(a, tangent, &normal, &rate)?.kappa;
    // The fourth-order remainder is far below the difference of the two second-order ones.
    let rounding = 64.0 * f64::EPSILON / DIFFERENCE;
    Ok((kappa, 0.1 * spectral_norm(&(narrow - wide))? + rounding))
}
