//! Reaches and curvatures in closed form, and gaps of unions against the distances of their points.

use driftproof::facts::Grade;
use driftproof::manifold::{Arc, Chart, Closed, Manifold, Motion, Piece, Spiral, Torus, Wave};
use driftproof::random::Stream;
use std::f64::consts::PI;

#[test]
fn the_proven_reach_of_a_closed_curve_is_in_closed_form() {
    // Slope ω A = 0.6 and bending R + ω² A = 3.2 of one wave: (2R/π − 0.6)²/3.2.
    for (amplitude, frequency) in [([0.0, 0.0, 0.3], 2.0), ([0.18, 0.24, 0.0], 2.0)] {
        let wave = Wave { frequency: vec![frequency], phase: 0.4, amplitude: amplitude.to_vec() };
        let closed = Closed { radii: vec![2.0], ambient: 3, waves: vec![wave] };
        let curve = Manifold::new(Chart::Closed(closed)).unwrap();
        let expected = (4.0 / PI - 0.6_f64).powi(2) / 3.2;
        assert!((curve.reach_at_least() / expected - 1.0).abs() < 1e-14);
        assert!((curve.curvature_at_most() / (3.2 / 1.4_f64.powi(2)) - 1.0).abs() < 1e-14);
    }
}

#[test]
fn the_gap_of_two_arcs_in_any_plane_is_the_least_distance_of_their_points() {
    let (mut crossing, mut bound) = (0, 0);
    for index in 0..60 {
        let stream = Stream::root(21).indexed(index);
        let u = stream.uniforms(8);
        let arc = |k: usize| Arc {
            radius: 0.5 + 1.5 * u[k],
            from: 6.0 * u[k + 1],
            to: 6.0 * u[k + 1] + 0.3 + 3.0 * u[k + 2],
        };
        let arcs = [arc(0), arc(3)];
        let planes = [[0.0, 0.0], [4.0 * u[6] - 2.0, 4.0 * u[7] - 2.0]];
        let plane = Motion::identity(2, 2).unwrap();
        // The same plane somewhere in R³.
        let home = Motion::random(2, 3, stream.named("plane")).unwrap();
        let away = home.clone().shifted(&home.apply(&planes[1])).unwrap();
        let piece = |arc: &Arc, motion: Motion| Piece { chart: Chart::Arc(arc.clone()), motion };
        let flat = [plane.clone(), plane.shifted(&planes[1]).unwrap()];
        let count = 400;
        let points = |k: usize| -> Vec<[f64; 2]> {
            let Arc { radius, from, to } = arcs[k];
            let angle = |i: i32| from + (to - from) * f64::from(i) / f64::from(count);
            let point = |t: f64| [radius * t.cos() + planes[k][0], radius * t.sin() + planes[k][1]];
            (0..=count).map(|i| point(angle(i))).collect()
        };
        let (first, second) = (points(0), points(1));
        let distance = |p: &[f64; 2], q: &[f64; 2]| (p[0] - q[0]).hypot(p[1] - q[1]);
        let least = first
            .iter()
            .flat_map(|p| second.iter().map(move |q| distance(p, q)))
            .fold(f64::INFINITY, f64::min);
        // Neighbours are at most 2·3.3/400 apart, so that the least distance is at most half of two such steps off.
        let spacing = 2.0 * 3.3 / f64::from(count);
        let alone = |arc: &Arc| Manifold::new(Chart::Arc(arc.clone())).unwrap().reach().value;
        let within = alone(&arcs[0]).min(alone(&arcs[1]));
        let motions = [flat, [home, away]];
        for motions in motions {
            let [a, b] = motions;
            let union = Manifold::union(vec![piece(&arcs[0], a), piece(&arcs[1], b)]).unwrap();
            let reach = union.reach();
            let expected = within.min(0.5 * least);
            assert!(reach.value <= expected + 1e-9, "{index}: {reach:?} {expected}");
            assert!(reach.value >= expected - 0.5 * spacing, "{index}: {reach:?} {expected}");
            assert!(reach.grade <= Grade::Enclosed, "in closed form");
        }
        crossing += usize::from(least < spacing);
        bound += usize::from(0.5 * least < within && least > spacing);
    }
    assert!(crossing >= 5 && bound >= 10, "{crossing} cross, {bound} are close");
}

#[test]
fn linked_circles_are_one_radius_apart() {
    // (1 + cos φ, 0, sin φ) is 1 from the unit circle for every φ; each of the arcs has a reach of sin 2 > ½.
    let arc = |middle: f64| Chart::Arc(Arc { radius: 1.0, from: middle - 2.0, to: middle + 2.0 });
    let across = serde_json::json!({
        "columns": [1.0, 0.0, 0.0, 0.0, 0.0, 1.0], "shift": [1.0, 0.0, 0.0]
    });
    let pieces = [
        (arc(0.0), Motion::identity(2, 3).unwrap()),
        (arc(PI), serde_json::from_value(across).unwrap()),
    ];
    let pieces = pieces.map(|(chart, motion)| Piece { chart, motion });
    let reach = Manifold::union(pieces.to_vec()).unwrap().reach();
    assert!((reach.value - 0.5).abs() <= reach.bar + 1e-9 && reach.bar < 0.01, "{reach:?}");
}

#[test]
fn closed_forms_of_reach_and_curvature_are_used_where_there_are_any() {
    // Up to half a turn an arc has the reach of its circle, then that of half its opening.
    for (angle, reach) in [(1.0, 2.0), (3.1, 2.0), (4.0, 2.0 * 2.0_f64.sin())] {
        let arc = Manifold::new(Chart::Arc(Arc { radius: 2.0, from: 0.5, to: 0.5 + angle }));
        assert!((arc.unwrap().reach().value - reach).abs() < 1e-14, "{angle}");
    }
    let torus = Manifold::new(Chart::Torus(Torus { major: 2.0, minor: 0.7 })).unwrap();
    assert!(torus.reach().grade <= Grade::Enclosed && torus.curvature().grade <= Grade::Enclosed);
    assert!((torus.reach().value - 0.7).abs() < 1e-15);
    // r = 1 + t/2: κ = (r² + 2g²)/(r² + g²)^{3/2} is largest at the inner end.
    let spiral = Chart::Spiral(Spiral { inner: 1.0, growth: 0.5, angle: 4.0 });
    let curvature = Manifold::new(spiral).unwrap().curvature();
    assert!((curvature.value - 1.5 / 1.25_f64.powf(1.5)).abs() < 1e-14);
    assert!(curvature.grade <= Grade::Enclosed, "{curvature:?}");
}
