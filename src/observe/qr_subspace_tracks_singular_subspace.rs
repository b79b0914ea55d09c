//! Random products of non-normal maps, for T3.

use super::Observation;
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::linalg::{self, frame_from_normals};
use crate::lyapunov::{product, qr_sweep, spectrum};
use crate::random::{Knobs, Stream};
use crate::scenario::Labels;
use nalgebra::DMatrix;
use serde::Serialize;

/// Starts drawn to see how often the random-start bound is exceeded.
const STARTS: usize = 400;

#[derive(Serialize)]
struct World {
    /// State dimension D and subspace dimension d.
    dim: usize,
    subspace: usize,
    /// Number of maps.
    maps: usize,
    /// Size of the random non-normal part of each map.
    disorder: f64,
    /// log gap per map between the first d and the other directions.
    gap: f64,
    /// Whether the start subspace is random, or the normal one of a symmetric problem.
    random_start: bool,
    /// D and d of the draws of (c), which concerns the start alone: the law of t_0 is the same for every V_d.
    start_dim: usize,
    start_subspace: usize,
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let random_start = knobs.unit() < 0.85;
    let dim = knobs.count(2, 10);
    let mut world = World {
        dim,
        subspace: knobs.count(1, dim - 1),
        maps: knobs.count(1, 20),
        // The fixed start is the trap of symmetric problems (C5): no disorder there.
        disorder: if random_start { knobs.log_range(0.01, 0.5) } else { 0.0 },
        gap: knobs.range(0.0, 0.3),
        random_start,
        start_dim: 2,
        start_subspace: 1,
    };
    // √d counts in high dimensions only, which take longer.
    if knobs.unit() < 0.85 {
        world.start_dim = knobs.count(2, 12);
        world.start_subspace = knobs.count(1, world.start_dim - 1);
    } else {
        world.start_dim = knobs.count(52, 64);
        world.start_subspace = knobs.count(20, 32);
    }
    let stream = knobs.stream("qr");
    let maps = maps(&world, stream.named("maps"));
    let start = match world.random_start {
        true => random_frame(world.dim, world.dim, stream.named("start")),
        false => DMatrix::from_fn(world.dim, world.dim, |r, c| f64::from(r + c + 1 == world.dim)),
    };
    let facts = measure(&world, &maps, &start, stream)?;
    let labels = match random_start {
        true => Labels::of("random products"),
        false => Labels::against("symmetric product, normal start"),
    };
    Ok(Observation::new(&world, facts).labelled(labels.in_dimension(world.start_dim)))
}

fn maps(world: &World, stream: Stream) -> Vec<DMatrix<f64>> {
    let d = world.dim;
    let growth = DMatrix::from_fn(d, d, |r, c| match r == c {
        true if r < world.subspace => (0.5 * world.gap).exp(),
        true => (-0.5 * world.gap).exp(),
        false => 0.0,
    });
    let scale = world.disorder / (d as f64).sqrt();
    (0..world.maps)
        .map(|k| {
            let noise = stream.indexed(k as u64).normals(d * d);
            &growth + DMatrix::from_vec(d, d, noise) * scale
        })
        .collect()
}

fn random_frame(dim: usize, k: usize, stream: Stream) -> DMatrix<f64> {
    frame_from_normals(dim, k, &stream.normals(dim * k))
}

/// Measures one sequence of maps; `start` is a full frame, its first d columns the start subspace.
fn measure(
    world: &World,
    maps: &[DMatrix<f64>],
    start: &DMatrix<f64>,
    stream: Stream,
) -> Result<Facts> {
    let (dim, d) = (world.dim, world.subspace);
    let whole = product(maps);
    let exact = spectrum(&whole)?;
    let sweep = qr_sweep(maps, start);
    let condition = (exact.log_growth[0] - exact.log_growth[dim - 1]).exp();
    // Rounding of the product and of its decomposition, seen from the smallest value kept.
    let rounding = 16.0 * (dim * (1 + maps.len())) as f64 * f64::EPSILON;
    let relative = |k: usize| rounding * (exact.log_growth[0] - exact.log_growth[k]).exp();

    let mut facts = Facts::new();
    let estimated = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
    facts.set("start_is_random", Quantity::exact(f64::from(world.random_start)));
    facts.set("sigma_d", estimated(exact.log_growth[d - 1].exp(), rounding * condition));
    let ratio = (exact.log_growth[d] - exact.log_growth[d - 1]).exp();
    facts.set("singular_ratio", estimated(ratio, ratio * (relative(d) + relative(d - 1))));

    let tangent_between = |frame: &DMatrix<f64>, basis: &DMatrix<f64>| -> Result<f64> {
        let top = basis.columns(0, d).into_owned();
        Ok(linalg::largest_angle(&frame.columns(0, d).into_owned(), &top)?.tan())
    };
    let t0 = tangent_between(start, &exact.start_vectors)?;
    let end = tangent_between(&sweep.frame, &exact.end_vectors)?;
    // Singular vectors move by rounding over the relative gap at d.
    let vectors = relative(d) / (1.0 - ratio).max(rounding);
    let cotangent = t0.recip();
    facts.set("start_cotangent", estimated(cotangent, vectors * (1.0 + cotangent * cotangent)));
    facts.set("end_tangent", estimated(end, vectors * (1.0 + end * end)));

    for k in 1..=dim {
        let overlap = exact.start_vectors.columns(0, k).tr_mul(&start.columns(0, k));
        let determinant = overlap.determinant().abs();
        let gap =
            if k < dim { 1.0 - (exact.log_growth[k] - exact.log_growth[k - 1]).exp() } else { 1.0 };
        let moved = relative(k.min(dim - 1)) / gap.max(rounding) / determinant.max(rounding);
        facts.push("start_bias", estimated(-determinant.ln(), moved));
        facts.push("log_sigma", estimated(exact.log_growth[k - 1], relative(k - 1)));
        facts.push("log_growth", estimated(sweep.log_growth[k - 1], relative(k - 1)));
    }

    let (dim_c, d_c) = (world.start_dim, world.start_subspace);
    facts.set("start_dim", Quantity::exact(dim_c as f64));
    facts.set("start_subspace", Quantity::exact(d_c as f64));
    let reference = DMatrix::identity(dim_c, d_c);
    for i in 0..STARTS {
        let frame = match world.random_start {
            true => random_frame(dim_c, d_c, stream.named("starts").indexed(i as u64)),
            false => DMatrix::from_fn(dim_c, d_c, |r, c| f64::from(r + c + 1 == dim_c)),
        };
        // The cotangent stays finite where the start is not transversal.
        let cotangent = linalg::largest_angle(&frame, &reference)?.tan().recip();
        let rounding = 16.0 * dim_c as f64 * f64::EPSILON * (1.0 + cotangent * cotangent);
        facts.push("drawn_cotangent", estimated(cotangent, rounding));
    }

    let plane = random_frame(dim, d, stream.named("plane"));
    let top = exact.end_vectors.columns(0, d).into_owned();
    let e_frame = sweep.frame.columns(0, d).into_owned();
    let to_plane = linalg::largest_angle(&top, &plane)?;
    facts.set("angle_to_random_plane", estimated(to_plane, vectors));
    let of_e = linalg::largest_angle(&e_frame, &plane)?;
    facts.set("angle_of_e_to_random_plane", estimated(of_e, rounding));
    Ok(facts)
}
