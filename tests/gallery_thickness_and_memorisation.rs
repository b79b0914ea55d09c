//! What the figures of the chapter on thickness and memorisation rest on: closed forms of spheres, and the end of basins.

use driftproof::claims::radial_law::RadialLaw;
use driftproof::drift::Atoms;
use driftproof::experiments::thickness_and_memorisation::against::while_dense;
use driftproof::experiments::thickness_and_memorisation::onset::{
    onset_of_spheres, ratio_of_spheres,
};
use driftproof::experiments::thickness_and_memorisation::{Cloud, Family, Onset, Seen, pass};
use driftproof::facts::{Grade, Quantity};
use driftproof::random::Stream;
use driftproof::record::Relation;

const START: f64 = 10.0;

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn the_gap_of_a_circle_is_that_of_its_quantile_map() {
    let cloud = Cloud::circle().unwrap();
    let starts = &cloud.starts(Stream::root(1)).unwrap()[..32];
    let (levels, seen) = pass(&cloud, &cloud.exact, starts, 1, Stream::root(2)).unwrap();
    let before = RadialLaw { dim: 2, radius: 1.0, sigma: START };
    for (sigma, seen) in levels.iter().zip(&seen) {
        let after = RadialLaw { dim: 2, radius: 1.0, sigma: *sigma };
        for (seen, start) in seen.iter().zip(starts.chunks_exact(2)) {
            let (from, to) = (norm(start), norm(&seen.state));
            let radial = before.density(from) / after.density(to);
            let gap = (to / from / radial).ln();
            // Dormand–Prince with steps of 0.095 in log σ.
            assert!((seen.gap - gap).abs() < 1e-3, "{} {gap}", seen.gap);
            assert!(seen.singular_angle < 1e-6, "{}", seen.singular_angle);
        }
    }
    // A random line is not aligned before the flow; at the end only one that started within 1° of the radius is not.
    let aligned = |level: &[Seen]| level.iter().filter(|seen| seen.angle < 0.3).count();
    assert!(aligned(&seen[0]) <= 12 && aligned(seen.last().unwrap()) >= 13);
}

#[test]
fn flat_directions_shrink_as_the_noise_beside_the_surface() {
    let cloud = Cloud::sphere().unwrap();
    let starts = &cloud.starts(Stream::root(3)).unwrap()[..64];
    let (levels, seen) = pass(&cloud, &cloud.exact, starts, 1, Stream::root(4)).unwrap();
    let before = RadialLaw { dim: 3, radius: 1.0, sigma: START };
    for (sigma, seen) in levels.iter().zip(&seen) {
        let after = RadialLaw { dim: 3, radius: 1.0, sigma: *sigma };
        for (seen, start) in seen.iter().zip(starts.chunks_exact(8)) {
            let (from, to) = (norm(&start[..3]), norm(&seen.state[..3]));
            let normal = (before.density(from) / after.density(to)).max(sigma / START);
            assert!((seen.gap - (to / from / normal).ln()).abs() < 1e-3);
        }
    }
}

#[test]
fn far_below_the_spacing_every_sample_is_at_a_point_and_nothing_is_kept() {
    let cloud = Cloud::circle().unwrap();
    let corners = (0..8).flat_map(|i| {
        let (sin, cos) = (std::f64::consts::FRAC_PI_4 * f64::from(i)).sin_cos();
        [cos, sin]
    });
    let atoms = Atoms::new(2, corners.collect(), None, 0.0).unwrap();
    let starts = &cloud.starts(Stream::root(6)).unwrap()[..32];
    let (levels, seen) = pass(&cloud, &atoms, starts, 1, Stream::root(7)).unwrap();
    assert!(levels.windows(2).all(|w| w[1] < w[0]));
    let (sigma, last) = (levels.last().unwrap(), seen.last().unwrap());
    for seen in last {
        let off = |p: &[f64]| norm(&[seen.state[0] - p[0], seen.state[1] - p[1]]);
        let nearest = atoms.points().chunks_exact(2).map(off).fold(f64::INFINITY, f64::min);
        // A Gaussian of level σ about its point, and no posterior spread.
        assert!(nearest < 6.0 * sigma, "{nearest}");
        assert!(seen.spread[0] < 1e-3, "{:?}", seen.spread);
    }
    // Drawn points are as far apart as asked one by one.
    let (drawn, spacing) = cloud.drawn(9, Stream::root(5)).unwrap();
    let points: Vec<&[f64]> = drawn.points().chunks_exact(2).collect();
    let apart = |p: &[f64], q: &[f64]| norm(&[p[0] - q[0], p[1] - q[1]]);
    let mut nearest: Vec<f64> = (0..9)
        .map(|i| {
            let others = (0..9).filter(|j| *j != i);
            others.map(|j| apart(points[i], points[j])).fold(f64::INFINITY, f64::min)
        })
        .collect();
    nearest.sort_by(f64::total_cmp);
    assert!((spacing - nearest[4]).abs() < 1e-12);
    // The law itself keeps its tangent direction: C/σ² → 1 along it.
    let (_, law) = pass(&cloud, &cloud.exact, starts, 1, Stream::root(7)).unwrap();
    assert!(law.last().unwrap().iter().all(|seen| (seen.spread[0] - 1.0).abs() < 0.01));
}

#[test]
fn spheres_of_any_dimension_share_one_ratio() {
    for dim in [2, 8, 64] {
        let onset = Onset::new(Family::Sphere, dim, 24, Stream::root(8)).unwrap();
        let ratio = onset.ratios().last().unwrap().value;
        let expected = (2.0 * dim as f64).sqrt() * 4e-4;
        // Medians over 24 starts of a |y| that varies by 1/√(2D); D = 2 is the worst.
        let spread = 4.0 / ((2 * dim) as f64).sqrt() / 24.0_f64.sqrt();
        assert!((ratio / expected - 1.0).abs() < 0.02 + spread, "{dim}: {ratio} {expected}");
    }
    // A circle has the same ratio in any space around it.
    let [few, many] = [2, 64].map(|dim| {
        let onset = Onset::new(Family::Circle, dim, 24, Stream::root(9)).unwrap();
        onset.ratios().last().unwrap().value
    });
    assert!((many / few - 1.0).abs() < 1.0, "{few} {many}");
}

#[test]
fn false_onsets_change_what_is_said_of_them() {
    let dense = |shares: &[f64]| while_dense(shares.iter().copied());
    assert_eq!(dense(&[1.0, 0.8]), Relation::Sharpens);
    assert_eq!(dense(&[0.0, 0.0]), Relation::Agrees);
    assert_eq!(dense(&[1.0, 30.0]), Relation::Contradicts);
    assert_eq!(dense(&[1.0, f64::NAN]), Relation::Open);
    assert_eq!(ratio_of_spheres(&[-0.05, 0.001]), Relation::Agrees);
    assert_eq!(ratio_of_spheres(&[-0.2, 0.001]), Relation::Sharpens);
    assert_eq!(ratio_of_spheres(&[-0.05, 0.3]), Relation::Contradicts);
    assert_eq!(ratio_of_spheres(&[]), Relation::Open);
    let power = |value: f64| Quantity::new(value, 0.01, Grade::Estimated);
    assert_eq!(onset_of_spheres(power(-0.5), power(-0.5)), Relation::Agrees);
    assert_eq!(onset_of_spheres(power(-0.5), power(-1.0)), Relation::Sharpens);
    assert_eq!(onset_of_spheres(power(-1.0), power(-0.5)), Relation::Contradicts);
    assert_eq!(onset_of_spheres(power(-0.5), Quantity::UNKNOWN), Relation::Open);
}
