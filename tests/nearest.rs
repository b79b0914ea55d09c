//! Laws of nearest points.

mod common;

use common::{any_manifold, fixed, places, unit_normal};
use driftproof::manifold::{Arc, Chart, Ellipse, Flat, Manifold, Motion, Sphere, Spiral, Torus};
use driftproof::random::{Stream, unit_vector};
use nalgebra::DVector;
use proptest::prelude::*;
use std::f64::consts::PI;

/// Newton's method stops at rounding, amplified near the reach.
const FOOT: f64 = 1e-9;

proptest! {
    #![proptest_config(fixed(64))]

    #[test]
    fn a_point_lifted_along_a_normal_by_less_than_the_reach_falls_back(
        manifold in any_manifold(),
        fraction in 0.0..0.8_f64,
    ) {
        // An infinite reach allows any height.
        let height = fraction * manifold.reach().value.min(3.0);
        for (i, place) in places(&manifold, 8, "lift").iter().enumerate() {
            let normal = unit_normal(&manifold, place, Stream::root(i as u64).named("n")).unwrap();
            let foot = manifold.point(place);
            let y = &foot + normal * height;
            let found = manifold.nearest(y.as_slice()).unwrap();
            prop_assert!((&found.point - &foot).norm() < FOOT, "{:e}", (found.point - foot).norm());
            prop_assert!((found.distance - height).abs() < FOOT);
            prop_assert!(found.residual < FOOT && !found.boundary);
        }
    }

    #[test]
    fn no_sample_is_nearer_and_the_offset_is_normal(manifold in any_manifold(), seed in 0..1000_u64) {
        let samples = places(&manifold, 300, "rivals");
        for i in 0..4 {
            // From close by to far away.
            let stream = Stream::root(seed).indexed(i);
            let direction = unit_vector(&mut stream.named("y").rng(), manifold.ambient());
            let y = manifold.point(&samples[i as usize]) + DVector::from_vec(direction) * (0.2 + i as f64);
            let found = manifold.nearest(y.as_slice()).unwrap();
            let offset = &y - &found.point;
            prop_assert!((offset.norm() - found.distance).abs() < 1e-12 * (1.0 + found.distance));
            prop_assert!((manifold.point(&found.place) - &found.point).norm() == 0.0);
            for rival in &samples {
                let other = (&y - manifold.point(rival)).norm();
                prop_assert!(found.distance <= other + 1e-12, "{} > {other}", found.distance);
            }
            prop_assert!(found.residual < 1e-8, "residual {:e}", found.residual);
            prop_assert!(found.gap() >= 0.0);
            if !found.boundary {
                let along = manifold.tangent_frame(&found.place).transpose() * offset;
                prop_assert!(along.norm() < 1e-8);
            }
        }
    }

    #[test]
    fn nearest_commutes_with_rigid_motions(manifold in any_manifold(), seed in 0..1000_u64) {
        let n = manifold.ambient();
        let motion = Motion::random(n, n, Stream::root(seed).named("turn")).unwrap();
        let motion = motion.shifted(&vec![0.7; n]).unwrap();
        let y = unit_vector(&mut Stream::root(seed).named("y").rng(), n);
        let found = manifold.nearest(&y).unwrap();
        let moved = manifold.moved(&motion).unwrap().nearest(&motion.apply(&y)).unwrap();
        prop_assert!((moved.distance - found.distance).abs() < 1e-10);
        if found.gap() > 1e-6 {
            let expected = DVector::from_vec(motion.apply(found.point.as_slice()));
            prop_assert!((moved.point - expected).norm() < 1e-7);
        }
    }
}

#[test]
fn beyond_the_reach_the_foot_moves_away() {
    // From the end (a, 0) of the long axis inwards: the foot stays up to b²/a = 0.5 and not beyond.
    let ellipse = Manifold::new(Chart::Ellipse(Ellipse { a: 2.0, b: 1.0 })).unwrap();
    let foot = |depth: f64| ellipse.nearest(&[2.0 - depth, 0.0]).unwrap();
    assert!((foot(0.49).point[0] - 2.0).abs() < 1e-9);
    assert!((foot(0.60).point[0] - 2.0).abs() > 1e-2);
    // There two mirror images are nearest.
    assert!(foot(0.60).gap() < 1e-12);
    // Critical: cos t = a y/(a²−b²), so x = a² y/(a²−b²) = 4·1.4/3.
    assert!((foot(0.60).point[0] - 4.0 * 1.4 / 3.0).abs() < 1e-9);
}

#[test]
fn runner_up_is_the_next_local_minimum() {
    let ellipse = Manifold::new(Chart::Ellipse(Ellipse { a: 2.0, b: 1.0 })).unwrap();
    // On the short axis the feet are (0, ±b).
    let found = ellipse.nearest(&[0.0, 0.1]).unwrap();
    assert!((found.distance - 0.9).abs() < 1e-12 && (found.gap() - 0.2).abs() < 1e-12);
    // Outside there is one minimum only.
    assert_eq!(ellipse.nearest(&[5.0, 1.0]).unwrap().gap(), f64::INFINITY);
    // A product exchanges the factor that costs least: 0.9² → 1.1² beside a circle at distance 1.
    let factors = vec![Chart::circle(1.0), Chart::Ellipse(Ellipse { a: 2.0, b: 1.0 })];
    let product = Manifold::new(Chart::Product { factors }).unwrap();
    let found = product.nearest(&[2.0, 0.0, 0.0, 0.1]).unwrap();
    assert!((found.distance - (1.0_f64 + 0.81).sqrt()).abs() < 1e-12);
    assert!((found.runner_up - (1.0_f64 + 1.21).sqrt()).abs() < 1e-12);
    // Between the moons: (0, ½) is the tip of one, ½ below the crest of the other.
    let found = Manifold::moons(1.0).unwrap().nearest(&[0.0, 0.6]).unwrap();
    assert!((found.distance - 0.1).abs() < 1e-12 && found.boundary && found.place.piece == 1);
    assert!((found.runner_up - 0.4).abs() < 1e-12);
}

#[test]
fn the_nearest_point_of_a_union_is_that_of_its_nearest_piece() {
    // All with nearest points in closed form, which say how far they are without looking at the point.
    let sheet = |half_widths: Vec<f64>, bounded| Chart::Flat(Flat { half_widths, bounded });
    let curves = [
        Chart::circle(1.2),
        Chart::Arc(Arc { radius: 1.6, from: 0.4, to: 5.9 }),
        Chart::Arc(Arc { radius: 0.7, from: -1.0, to: 1.5 }),
        sheet(vec![0.8], true),
    ];
    let surfaces = [
        Chart::Torus(Torus { major: 1.5, minor: 0.4 }),
        Chart::Sphere(Sphere { dim: 2, radius: 0.7 }),
        sheet(vec![0.8, 0.5], true),
        sheet(vec![1.0, 1.0], false),
    ];
    for (ambient, charts) in [(2, curves), (3, surfaces)] {
        let shifted = |chart: &Chart, index: usize| {
            let motion = Motion::identity(chart.ambient(), ambient).unwrap();
            let shift = Stream::root(21).indexed(index as u64).normals(ambient);
            Manifold::embedded(chart.clone(), motion.shifted(&shift).unwrap()).unwrap()
        };
        let single: Vec<Manifold> = charts.iter().zip(0..).map(|(c, i)| shifted(c, i)).collect();
        for (a, b) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            let pieces = [&single[a], &single[b]].map(|one| one.pieces()[0].clone());
            let union = Manifold::union(pieces.to_vec()).unwrap();
            for seed in 0..40 {
                let y = Stream::root(22).indexed(seed).normals(ambient);
                let y: Vec<f64> = y.iter().map(|y| 1.5 * y).collect();
                let [first, second] = [&single[a], &single[b]].map(|m| m.nearest(&y).unwrap());
                let found = union.nearest(&y).unwrap();
                assert!(first.candidates == 1 && second.candidates == 1 && found.candidates == 2);
                let (near, far) = if first.distance < second.distance {
                    (first, second)
                } else {
                    (second, first)
                };
                assert_eq!(found.distance, near.distance, "{a} {b} {y:?}");
                // The other piece's nearest point is a local minimum too.
                let next = near.runner_up.min(far.distance);
                assert!((found.runner_up - next).abs() < 1e-12, "{a} {b} {y:?}");
            }
        }
    }
}

#[test]
fn where_no_foot_is_unique_the_gap_is_zero() {
    let circle = Manifold::new(Chart::circle(1.5)).unwrap();
    let sphere = Manifold::new(Chart::Sphere(Sphere { dim: 3, radius: 1.5 })).unwrap();
    let torus = Manifold::new(Chart::Torus(Torus { major: 2.0, minor: 0.5 })).unwrap();
    for (manifold, y, distance) in [
        (&circle, vec![0.0, 0.0], 1.5),
        (&sphere, vec![0.0; 4], 1.5),
        (&torus, vec![0.0, 0.0, 0.0], 1.5), // R − r
        (&torus, vec![2.0, 0.0, 0.0], 0.5), // r
    ] {
        let found = manifold.nearest(&y).unwrap();
        assert_eq!((found.distance, found.gap()), (distance, 0.0));
    }
}

#[test]
fn boundary_feet_are_told_from_interior_ones() {
    let check = |chart: Chart, y: &[f64], expected: &[f64], boundary: bool| {
        let found = Manifold::new(chart.clone()).unwrap().nearest(y).unwrap();
        let expected = DVector::from_column_slice(expected);
        assert!((&found.point - expected).norm() < 1e-9, "{chart:?} {}", found.point);
        assert_eq!(found.boundary, boundary, "{chart:?}");
        assert!(found.residual < 1e-9);
    };
    let arc = Chart::Arc(Arc { radius: 1.0, from: 0.0, to: PI });
    check(arc.clone(), &[0.0, 3.0], &[0.0, 1.0], false);
    check(arc.clone(), &[0.5, -1.0], &[1.0, 0.0], true);
    check(arc, &[-0.5, -1.0], &[-1.0, 0.0], true);
    let plate = Chart::Flat(Flat { half_widths: vec![1.0, 2.0], bounded: true });
    check(plate.clone(), &[0.5, 1.0], &[0.5, 1.0], false);
    check(plate.clone(), &[0.5, 5.0], &[0.5, 2.0], true);
    check(plate, &[-9.0, 5.0], &[-1.0, 2.0], true);
    // The whole plane has no boundary.
    let plane = Chart::Flat(Flat { half_widths: vec![1.0, 2.0], bounded: false });
    check(plane, &[-9.0, 5.0], &[-9.0, 5.0], false);
    // Inner end (1, 0) of a spiral; the strip's edge at height ½ beside the outer end.
    let spiral = Spiral { inner: 1.0, growth: 0.5, angle: 2.0 * PI };
    check(Chart::Spiral(spiral.clone()), &[1.0, -0.3], &[1.0, 0.0], true);
    let roll = Chart::swiss_roll(spiral, 0.5);
    let outer = 1.0 + PI;
    check(roll, &[outer, 0.4, 0.9], &[outer, 0.0, 0.5], true);
}

#[test]
fn what_is_not_a_point_is_refused() {
    let circle = Manifold::new(Chart::circle(1.0)).unwrap();
    assert!(circle.nearest(&[1.0]).is_err_and(|e| e.is_input()));
    assert!(circle.nearest(&[1.0, f64::NAN]).is_err_and(|e| !e.is_input()));
}
