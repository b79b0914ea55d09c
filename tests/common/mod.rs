//! What the tests of manifolds share: a random manifold at knobs, with places on it.
#![allow(dead_code, reason = "every test target uses a part of it")]

use driftproof::linalg::complement;
use driftproof::manifold::{Density, Family, Manifold, Place};
use driftproof::random::{Knobs, Stream};
use nalgebra::DVector;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Knobs that a manifold is decoded from, at most.
pub const KNOBS: usize = 24;

/// The same cases on every machine and every day.
pub fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(20_260_101), ..ProptestConfig::default() }
}

/// Manifolds of all families, in ambient dimensions up to 12 (and sometimes 64).
pub fn any_manifold() -> impl Strategy<Value = Manifold> {
    let ambients = prop_oneof![9 => 4..=12_usize, 1 => Just(64)];
    (0..Family::ALL.len(), ambients, prop::collection::vec(0.0..1.0_f64, KNOBS)).prop_map(
        |(family, ambient, knobs)| {
            Manifold::draw(Family::ALL[family], ambient, &mut Knobs::new(&knobs)).unwrap()
        },
    )
}

/// Places drawn uniformly; almost surely none is on the boundary.
pub fn places(manifold: &Manifold, n: usize, name: &str) -> Vec<Place> {
    manifold.sample_places(&Density::Uniform, n, Stream::root(11).named(name)).unwrap()
}

/// A random unit normal vector at a place; `None` when the manifold fills the space.
pub fn unit_normal(manifold: &Manifold, place: &Place, stream: Stream) -> Option<DVector<f64>> {
    let normals = complement(&manifold.tangent_frame(place));
    if normals.ncols() == 0 {
        return None;
    }
    let mix = driftproof::random::unit_vector(&mut stream.rng(), normals.ncols());
    Some(normals * DVector::from_vec(mix))
}
