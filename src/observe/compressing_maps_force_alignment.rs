//! Random sequences of maps in random frames, for T2.2.

use super::Observation;
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::linalg::{
    frame_from_normals, graph_operator, least_singular_value, orthonormalise, spectral_norm,
    symmetric_eigen,
};
use crate::random::{Knobs, Stream};
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Planes of the start cone whose images are measured.
const PLANES: usize = 40;

#[derive(Serialize)]
struct World {
    dim: usize,
    tangent: usize,
    maps: usize,
    /// Factor of the tangent block of each map.
    stretch: f64,
    /// Factor of the normal block relative to the tangent one.
    compression: f64,
    /// Size of the cross blocks.
    cross: f64,
    /// Size of the random part within the blocks.
    unevenness: f64,
    /// Slope of the start plane.
    start_slope: f64,
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let dim = knobs.count(2, 8);
    let world = World {
        dim,
        tangent: knobs.count(1, dim - 1),
        maps: knobs.count(1, 12),
        stretch: knobs.log_range(0.3, 2.0),
        compression: knobs.range(0.2, 1.1),
        cross: knobs.range(0.0, 0.3),
        unevenness: knobs.range(0.0, 0.1),
        start_slope: knobs.log_range(0.02, 8.0),
    };
    let stream = knobs.stream("maps");
    let blocks: Vec<DMatrix<f64>> =
        (0..world.maps).map(|k| block_map(&world, stream.indexed(k as u64))).collect();
    let facts = measure(&world, &blocks, stream)?;
    Ok(Observation::new(&world, facts))
}

/// One map in its frames: J^k = U_{k+1}ᵀ dF_k U_k.
fn block_map(world: &World, stream: Stream) -> DMatrix<f64> {
    let (dim, d) = (world.dim, world.tangent);
    let noise = stream.normals(dim * dim);
    let size = (dim as f64).sqrt().recip();
    DMatrix::from_fn(dim, dim, |r, c| {
        let diagonal = match (r == c, r < d) {
            (true, true) => 1.0,
            (true, false) => world.compression,
            _ => 0.0,
        };
        let inside = (r < d) == (c < d);
        let random = if inside { world.unevenness } else { world.cross };
        world.stretch * (diagonal + random * size * noise[c * dim + r])
    })
}

fn measure(world: &World, blocks: &[DMatrix<f64>], stream: Stream) -> Result<Facts> {
    let (dim, d) = (world.dim, world.tangent);
    // The maps act in ambient coordinates, where the frames U_k are random and unrelated.
    let frames: Vec<DMatrix<f64>> = (0..=world.maps)
        .map(|k| {
            frame_from_normals(
                dim,
                dim,
                &stream.named("frames").indexed(k as u64).normals(dim * dim),
            )
        })
        .collect();
    let jacobians: Vec<DMatrix<f64>> = blocks
        .iter()
        .enumerate()
        .map(|(k, block)| &frames[k + 1] * block * frames[k].transpose())
        .collect();
    let rounding = 32.0 * dim as f64 * f64::EPSILON;

    let mut facts = Facts::new();
    let state = |facts: &mut Facts, prefix: &str, j: &DMatrix<f64>, steps: f64| -> Result<()> {
        let bar = rounding * steps * spectral_norm(j)?;
        let part = |r, c, h, w| j.view((r, c), (h, w)).into_owned();
        for (name, value) in [
            ("tt", least_singular_value(&part(0, 0, d, d))?),
            ("nn", spectral_norm(&part(d, d, dim - d, dim - d))?),
            ("nt", spectral_norm(&part(d, 0, dim - d, d))?),
            ("tn", spectral_norm(&part(0, d, d, dim - d))?),
        ] {
            facts.push(&format!("{prefix}_{name}"), Quantity::new(value, bar, Grade::Symbolic));
        }
        Ok(())
    };
    let mut product = DMatrix::identity(dim, dim);
    for (k, jacobian) in jacobians.iter().enumerate() {
        state(&mut facts, "step", &(frames[k + 1].tr_mul(jacobian) * &frames[k]), 1.0)?;
        product = jacobian * product;
    }
    let whole = frames[world.maps].tr_mul(&product) * &frames[0];
    state(&mut facts, "product", &whole, world.maps as f64)?;

    let split =
        |u: &DMatrix<f64>| (u.columns(0, d).into_owned(), u.columns(d, dim - d).into_owned());
    let graph = random_graph(dim, d, world.start_slope, stream.named("plane"))?;
    let (ut, un) = split(&frames[0]);
    let mut plane = &ut + &un * &graph;
    orthonormalise(&mut plane);
    for (k, frame) in frames.iter().enumerate() {
        let (ut, un) = split(frame);
        let slope = match graph_operator(&plane, &ut, &un) {
            Ok(graph) => spectral_norm(&graph)?,
            Err(_) => f64::NAN,
        };
        let bar = rounding * (1 + k) as f64 * (1.0 + slope * slope) * 10.0;
        facts.push("slope", Quantity::new(slope, bar, Grade::Estimated));
        if let Some(jacobian) = jacobians.get(k) {
            plane = jacobian * plane;
            orthonormalise(&mut plane);
        }
    }

    let cone = cone_slope(&blocks[0], d, world.start_slope);
    facts.set("cone_slope", Quantity::new(cone, 1e-9 * (1.0 + cone), Grade::Estimated));
    let mut worst: f64 = 0.0;
    for i in 0..PLANES {
        let graph =
            random_graph(dim, d, world.start_slope, stream.named("cone").indexed(i as u64))?;
        let mut start = DMatrix::identity(dim, d);
        start.view_mut((d, 0), (dim - d, d)).copy_from(&graph);
        let image = &blocks[0] * start;
        let slope =
            image.rows(d, dim - d) * crate::linalg::inverse(&image.rows(0, d).into_owned())?;
        worst = worst.max(spectral_norm(&slope)?);
    }
    let bar = 1e3 * rounding * (1.0 + worst * worst);
    facts.set("cone_image_slope", Quantity::new(worst, bar, Grade::Sampled));
    Ok(facts)
}

/// A random `(D−d)×d` graph operator of the given norm, half of them of rank one (the extreme ones).
fn random_graph(dim: usize, d: usize, slope: f64, stream: Stream) -> Result<DMatrix<f64>> {
    let noise = stream.normals((dim - d) * d + dim);
    let graph = if noise[0] > 0.0 {
        let (v, u) = (&noise[1..1 + dim - d], &noise[1 + dim - d..1 + dim]);
        DVector::from_column_slice(v) * DVector::from_column_slice(&u[..d]).transpose()
    } else {
        DMatrix::from_column_slice(dim - d, d, &noise[..(dim - d) * d])
    };
    let norm = spectral_norm(&graph)?;
    Ok(graph * (slope / norm))
}

/// The least l' for which some s ≥ 0 gives JᵀQ_{l'}J − s Q_l ⪰ 0 (T2.2d), by bisection;
/// ∞ when no l' up to 10⁶ does.
fn cone_slope(j: &DMatrix<f64>, d: usize, slope: f64) -> f64 {
    let dim = j.nrows();
    let form = |l: f64| {
        DMatrix::from_diagonal(&DVector::from_fn(dim, |i, _| if i < d { l * l } else { -1.0 }))
    };
    let inner = form(slope);
    let includes = |image_slope: f64| {
        let pulled = j.tr_mul(&(form(image_slope) * j));
        // λ_min(pulled − s·inner) is concave in s, with a kink at its top: golden section to rounding.
        let least = |s: f64| *symmetric_eigen(&(&pulled - &inner * s)).0.last().expect("D > 0");
        let scale = pulled.amax() * dim as f64;
        let (mut low, mut high) = (0.0, scale * (1.0 + 1.0 / (slope * slope)));
        for _ in 0..80 {
            let (left, right) = (low + 0.382 * (high - low), low + 0.618 * (high - low));
            if least(left) < least(right) { low = left } else { high = right }
        }
        least(0.5 * (low + high)) >= -1e-13 * scale
    };
    let (mut low, mut high) = (1e-9_f64, 1e6_f64);
    if !includes(high) {
        return f64::INFINITY;
    }
    for _ in 0..48 {
        let middle = (low * high).sqrt();
        if includes(middle) { high = middle } else { low = middle }
    }
    high
}
