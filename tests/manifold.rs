//! Laws of manifolds: tangent frames, curvature, reach, parameters. Nearest points and laws have their own files.

mod common;

use common::{KNOBS, any_manifold, fixed, places};
use driftproof::facts::{Grade, Quantity};
use driftproof::linalg::{complement, largest_angle};
use driftproof::manifold::{
    Arc, Axis, Chart, Closed, Ellipse, Family, Flat, Graph, Manifold, Motion, Piece, Place, Sphere,
    Spiral, Torus, Wave,
};
use driftproof::random::{Knobs, Stream};
use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;
use std::f64::consts::{FRAC_2_PI, PI};

/// Central differences of the chart, `D×m`: error h² in theory, ε/h in rounding, both near 1e-10.
fn differences(manifold: &Manifold, place: &Place) -> DMatrix<f64> {
    const H: f64 = 1e-5;
    let piece = &manifold.pieces()[place.piece];
    let at = |i: usize, h: f64| {
        let mut u = place.u.clone();
        u[i] += h;
        let mut x = vec![0.0; piece.chart.ambient()];
        piece.chart.point(&u, &mut x);
        piece.motion.matrix() * DVector::from_vec(x)
    };
    let columns: Vec<DVector<f64>> =
        (0..place.u.len()).map(|i| (at(i, H) - at(i, -H)) / (2.0 * H)).collect();
    DMatrix::from_columns(&columns)
}

/// How far the frame at `frame_at` is from an orthonormal basis of what the chart's differences at `at` span.
fn frame_defect(manifold: &Manifold, frame_at: &Place, at: &Place) -> f64 {
    let frame = manifold.tangent_frame(frame_at);
    let d = manifold.dim();
    let orthonormal = (frame.transpose() * &frame - DMatrix::identity(d, d)).amax();
    let differences = differences(manifold, at);
    let outside = &differences - &frame * (frame.transpose() * &differences);
    // Rank: the frame must not contain directions that the differences miss.
    let inside = frame.transpose() * &differences;
    let least = driftproof::linalg::singular_values(&inside.transpose()).unwrap()[d - 1];
    let missed = if least > 1e-3 { 0.0 } else { 1.0 };
    orthonormal.max(outside.amax() / differences.amax()).max(missed)
}

proptest! {
    #![proptest_config(fixed(64))]

    #[test]
    fn tangent_frame_is_an_orthonormal_basis_of_the_charts_differences(manifold in any_manifold()) {
        for place in places(&manifold, 3, "frame") {
            let defect = frame_defect(&manifold, &place, &place);
            prop_assert!(defect < 1e-8, "defect {defect:e}");
        }
    }

    #[test]
    fn every_knob_position_is_a_manifold_and_survives_json(
        family in 0..Family::ALL.len(),
        ambient in 4..=20_usize,
        knobs in prop::collection::vec(-0.5..1.5_f64, 0..KNOBS),
    ) {
        let manifold = Manifold::draw(Family::ALL[family], ambient, &mut Knobs::new(&knobs)).unwrap();
        prop_assert_eq!(manifold.ambient(), ambient);
        prop_assert!(manifold.dim() >= 1 && manifold.dim() < ambient);
        let text = serde_json::to_string(&manifold).unwrap();
        let back: Manifold = serde_json::from_str(&text).unwrap();
        for place in places(&manifold, 3, "json") {
            // Reading decimal numbers may cost the last bit.
            prop_assert!((manifold.point(&place) - back.point(&place)).amax() < 1e-13);
        }
    }

    #[test]
    fn a_rigid_motion_moves_points_and_frames_and_keeps_curvature(manifold in any_manifold()) {
        let larger = manifold.ambient() + 2;
        let motion = Motion::random(manifold.ambient(), larger, Stream::root(5).named("m")).unwrap();
        let shift: Vec<f64> = (0..larger).map(|i| i as f64 - 1.5).collect();
        let motion = motion.shifted(&shift).unwrap();
        let moved = manifold.moved(&motion).unwrap();
        for place in places(&manifold, 3, "motion") {
            let expected = motion.apply(manifold.point(&place).as_slice());
            prop_assert!((moved.point(&place) - DVector::from_vec(expected)).amax() < 1e-12);
            let turned = motion.matrix() * manifold.tangent_frame(&place);
            prop_assert!(largest_angle(&moved.tangent_frame(&place), &turned).unwrap() < 1e-7);
            let (before, after) = (manifold.curvature_at(&place), moved.curvature_at(&place));
            prop_assert!((before - after).abs() <= 1e-9 * (1.0 + before));
        }
    }
}

proptest! {
    #![proptest_config(fixed(16))]

    /// Federer (F2): |P_⊥(q−p)| ≤ |q−p|²/(2 reach); and no point is curved more than 1/reach.
    #[test]
    fn reach_bounds_normal_deviation_and_curvature(manifold in any_manifold()) {
        let reach = manifold.reach();
        let found = places(&manifold, 40, "federer");
        // An estimated reach is an upper bound, so the inequality has the bar's room, and 1 % more.
        let room = match reach.grade {
            Grade::Symbolic => 1.0 + 1e-9,
            _ => 1.01 + reach.bar / reach.value,
        };
        for p in &found {
            prop_assert!(manifold.curvature_at(p) <= room / reach.value + 1e-12);
            for q in &found {
                prop_assert!(federer_holds(&manifold, p, q, reach.value / room));
            }
        }
        // The proven bounds enclose what was estimated, and hold on every pair without room.
        let curvature = manifold.curvature();
        prop_assert!(curvature.value <= manifold.curvature_at_most() * (1.0 + 1e-9) + 1e-12);
        let least = manifold.reach_at_least();
        prop_assert!(reach.value >= least * (1.0 - 1e-9));
        if least > 0.0 {
            prop_assert!(found.iter().all(|q| federer_holds(&manifold, &found[0], q, least)));
        }
        prop_assert!(curvature.value - curvature.bar <= room / reach.value + 1e-12);
    }
}

fn federer_holds(manifold: &Manifold, p: &Place, q: &Place, reach: f64) -> bool {
    let v = manifold.point(q) - manifold.point(p);
    let normal = (complement(&manifold.tangent_frame(p)).transpose() * &v).norm();
    normal <= v.norm_squared() / (2.0 * reach) + 1e-12
}

#[test]
fn federers_inequality_rejects_a_reach_that_is_too_large() {
    // On a sphere it is an equality for every pair.
    let sphere = Manifold::new(Chart::Sphere(Sphere { dim: 2, radius: 1.5 })).unwrap();
    let found = places(&sphere, 10, "pairs");
    assert!(found.iter().all(|p| found.iter().all(|q| federer_holds(&sphere, p, q, 1.5 - 1e-9))));
    assert!(!found.iter().all(|p| found.iter().all(|q| federer_holds(&sphere, p, q, 1.6))));
}

#[test]
fn a_frame_at_the_wrong_place_is_rejected() {
    for family in [Family::Graph, Family::ClosedSurface, Family::Torus, Family::Sphere] {
        let manifold = Manifold::draw(family, 6, &mut Knobs::new(&[0.6; KNOBS])).unwrap();
        let found = places(&manifold, 2, "wrong");
        assert!(frame_defect(&manifold, &found[0], &found[0]) < 1e-8);
        assert!(frame_defect(&manifold, &found[1], &found[0]) > 1e-3, "{family:?}");
    }
}

#[test]
fn implicit_gradients_annihilate_the_frame() {
    let sphere = Manifold::new(Chart::Sphere(Sphere { dim: 8, radius: 2.0 })).unwrap();
    for place in places(&sphere, 20, "sphere") {
        assert!((sphere.tangent_frame(&place).transpose() * sphere.point(&place)).amax() < 1e-14);
    }
    // F = (ρ − R)² + z² − r².
    let torus = Manifold::new(Chart::Torus(Torus { major: 2.0, minor: 0.7 })).unwrap();
    for place in places(&torus, 20, "torus") {
        let x = torus.point(&place);
        let rho = x[0].hypot(x[1]);
        let s = (rho - 2.0) / rho;
        let gradient = DVector::from_vec(vec![s * x[0], s * x[1], x[2]]);
        assert!((torus.tangent_frame(&place).transpose() * gradient).amax() < 1e-14);
    }
}

#[test]
fn curvature_at_a_place_is_the_largest_principal_curvature() {
    let ellipse = Manifold::new(Chart::Ellipse(Ellipse { a: 2.0, b: 0.7 })).unwrap();
    let torus = Manifold::new(Chart::Torus(Torus { major: 1.0, minor: 0.6 })).unwrap();
    for i in 0..12 {
        let t = 0.1 + f64::from(i) * 0.5;
        // κ = ab/(a² sin² + b² cos²)^{3/2}.
        let expected = 1.4 / (4.0 * t.sin().powi(2) + 0.49 * t.cos().powi(2)).powf(1.5);
        let place = ellipse.place(0, &[t]).unwrap();
        assert!((ellipse.curvature_at(&place) / expected - 1.0).abs() < 1e-12);
        let expected = (1.0 / 0.6_f64).max(t.cos().abs() / (1.0 + 0.6 * t.cos()));
        let place = torus.place(0, &[1.0, t]).unwrap();
        assert!((torus.curvature_at(&place) / expected - 1.0).abs() < 1e-12);
    }
    // Product of circles of radii 1 and ½: |II(a,a)|² = a_1⁴ + 4 a_2⁴, at most 4.
    let flat = Manifold::new(Chart::flat_torus(&[1.0, 0.5])).unwrap();
    let place = flat.place(0, &[0.3, 1.7]).unwrap();
    assert!((flat.curvature_at(&place) - 2.0).abs() < 1e-12);
    // Over-complete parameters, away from the unit vector.
    let sphere = Manifold::new(Chart::Sphere(Sphere { dim: 3, radius: 0.25 })).unwrap();
    let place = sphere.place(0, &[0.3, -2.0, 0.1, 1.0]).unwrap();
    assert!((sphere.curvature_at(&place) - 4.0).abs() < 1e-11);
    // Two waves in two different normal directions; at the crest II = −diag(A w_x²) e_1 − diag(B w_y²) e_2,
    // and a mixed wave: cos(x+y) has Hessian −[[1,1],[1,1]], of norm 2.
    let wave = |frequency: [f64; 2], amplitude: [f64; 2]| Wave {
        frequency: frequency.to_vec(),
        phase: 0.0,
        amplitude: amplitude.to_vec(),
    };
    let crest = |waves: Vec<Wave>| {
        let chart = Chart::Graph(Graph { half_widths: vec![1.0, 2.0], height: 2, waves });
        let graph = Manifold::new(chart).unwrap();
        graph.curvature_at(&graph.place(0, &[0.0, 0.0]).unwrap())
    };
    let apart = crest(vec![wave([2.0, 0.0], [0.5, 0.0]), wave([0.0, 1.0], [0.0, 1.0])]);
    assert!((apart - 2.0).abs() < 1e-12); // max(½·2², 1·1²)
    assert!((crest(vec![wave([1.0, 1.0], [0.6, 0.8])]) - 2.0).abs() < 1e-12);
}

/// Estimated K from below, estimated reach from above, both within their bars (and 1e-5).
fn assert_estimates(chart: Chart, curvature: f64, reach: f64) {
    let name = format!("{chart:?}");
    let manifold = Manifold::new(chart).unwrap();
    let (k, r) = (manifold.estimated_curvature(), manifold.estimated_reach());
    assert!(k.grade == Grade::Estimated && r.grade == Grade::Estimated);
    assert!(k.value <= curvature * (1.0 + 1e-9), "{name}: K {k:?}, not above {curvature}");
    assert!(k.value >= curvature - k.bar - 1e-5 * curvature, "{name}: K {k:?} is not {curvature}");
    assert!(r.value >= reach * (1.0 - 1e-6), "{name}: reach {r:?}, not below {reach}");
    assert!(r.value <= reach + r.bar + 1e-5 * reach, "{name}: reach {r:?} is not {reach}");
    let known = (manifold.curvature(), manifold.reach());
    if known.0.grade == Grade::Symbolic {
        assert!((known.0.value / curvature - 1.0).abs() < 1e-13, "{name}");
    }
    if known.1.grade == Grade::Symbolic {
        assert!((known.1.value / reach - 1.0).abs() < 1e-13, "{name}");
    }
}

#[test]
fn estimates_agree_with_closed_forms() {
    // a/b² and b²/a.
    assert_estimates(Chart::Ellipse(Ellipse { a: 2.0, b: 0.8 }), 3.125, 0.32);
    assert_estimates(Chart::Ellipse(Ellipse { a: 0.5, b: 1.0 }), 4.0, 0.25);
    // max(1/r, 1/(R−r)), with the tube or the hole narrower.
    assert_estimates(Chart::Torus(Torus { major: 2.0, minor: 0.5 }), 2.0, 0.5);
    assert_estimates(Chart::Torus(Torus { major: 1.0, minor: 0.8 }), 5.0, 0.2);
    assert_estimates(Chart::Sphere(Sphere { dim: 3, radius: 2.0 }), 0.5, 2.0);
    // R sin(opening/2) beyond a half circle: the ends face each other.
    let arc = |to: f64| Chart::Arc(Arc { radius: 2.0, from: 0.3, to: 0.3 + to });
    assert_estimates(arc(1.0), 0.5, 2.0);
    assert_estimates(arc(1.5 * PI), 0.5, 2.0_f64.sqrt());
    // At the inner end, (ρ² + 2g²)/(ρ² + g²)^{3/2} with ρ = 3, g = 4: (9 + 32)/125.
    let tight = Spiral { inner: 3.0, growth: 4.0, angle: 1.0 };
    assert_estimates(Chart::Spiral(tight), 41.0 / 125.0, 125.0 / 41.0);
    // Least over the factors.
    let factors = vec![Chart::circle(3.0), Chart::Ellipse(Ellipse { a: 2.0, b: 1.0 })];
    assert_estimates(Chart::Product { factors }, 2.0, 0.5);
    // x ↦ A cos(wx) over whole waves: K = A w² at the crests, reach its inverse while A w² is large.
    let wave = Wave { frequency: vec![PI], phase: 0.0, amplitude: vec![0.2] };
    let graph = Graph { half_widths: vec![1.0], height: 1, waves: vec![wave] };
    let proven = Manifold::new(Chart::Graph(graph.clone())).unwrap();
    assert!((proven.curvature_at_most() / (0.2 * PI * PI) - 1.0).abs() < 1e-12);
    assert!((proven.reach_at_least() * (0.2 * PI * PI) - 1.0).abs() < 1e-12);
    assert_estimates(Chart::Graph(graph), 0.2 * PI * PI, 1.0 / (0.2 * PI * PI));
    // A closed chart without waves is the flat torus.
    let plain = Closed { radii: vec![1.0, 2.0], ambient: 4, waves: vec![] };
    assert_estimates(Chart::Closed(plain), 1.0, 1.0);
}

#[test]
fn narrow_gap_between_turns_bounds_the_reach_of_a_roll() {
    // A thin spiral far out: neighbouring turns are 2πg/√(1+(g/ρ)²) apart at most, and nearly that.
    let growth = 0.1;
    let roll = Chart::swiss_roll(Spiral { inner: 4.0, growth, angle: 4.0 * PI }, 1.0);
    let reach = Manifold::new(roll).unwrap().reach();
    assert!(reach.grade == Grade::Estimated);
    assert!((reach.value / (PI * growth) - 1.0).abs() < 2e-3, "{reach:?}"); // (g/ρ)² ≈ 6e-4
}

#[test]
fn reach_of_a_union_is_half_the_gap_when_that_is_less() {
    // The tip (0, ½) of the lower moon is ½ away from the upper moon.
    let moons = Manifold::moons(2.0).unwrap();
    assert!((moons.reach().value - 0.5).abs() < 1e-12);
    assert!((moons.reach_at_least() - 0.5).abs() < 1e-11);
    assert_eq!((moons.reach().grade, moons.curvature().value), (Grade::Symbolic, 0.5));
    // Two spheres of radius 1 with centres 5 apart in R³: gap 3, which does not bind; 2.5 apart: ½, which does.
    let pair = |apart: f64| {
        let sphere = Chart::Sphere(Sphere { dim: 2, radius: 1.0 });
        let home = Motion::identity(3, 3).unwrap();
        let away = home.clone().shifted(&[0.0, apart, 0.0]).unwrap();
        let pieces = [home, away].map(|motion| Piece { chart: sphere.clone(), motion });
        Manifold::union(pieces.to_vec()).unwrap().reach()
    };
    assert_eq!(pair(5.0).value, 1.0);
    assert!((pair(2.5).value - 0.25).abs() < 1e-5, "{:?}", pair(2.5));
    // Arcs that cross have no reach at all.
    let arc = Chart::Arc(Arc { radius: 1.0, from: 0.0, to: PI });
    let home = Motion::identity(2, 2).unwrap();
    let away = home.clone().shifted(&[1.0, 0.0]).unwrap();
    let crossing = [home, away].map(|motion| Piece { chart: arc.clone(), motion }).to_vec();
    let reach = Manifold::union(crossing).unwrap().reach();
    assert!(reach.value <= reach.bar, "{reach:?}");
}

#[test]
fn flats_and_boxes_are_not_curved() {
    for bounded in [false, true] {
        let flat = Chart::Flat(Flat { half_widths: vec![1.0, 2.0], bounded });
        let motion = Motion::random(2, 7, Stream::root(3)).unwrap();
        let flat = Manifold::embedded(flat, motion).unwrap();
        assert_eq!(flat.curvature(), Quantity::exact(0.0));
        assert_eq!(flat.reach(), Quantity::exact(f64::INFINITY));
        assert!(flat.curvature_at(&flat.place(0, &[0.5, -1.0]).unwrap()) < 1e-15);
    }
}

#[test]
fn volume_density_is_the_closed_form() {
    let torus = Manifold::new(Chart::Torus(Torus { major: 2.0, minor: 0.5 })).unwrap();
    let place = torus.place(0, &[0.4, 1.1]).unwrap();
    let expected = 0.5 * (2.0 + 0.5 * 1.1_f64.cos()); // r(R + r cos φ)
    assert!((torus.volume_density(&place) / expected - 1.0).abs() < 1e-14);
    let sphere = Manifold::new(Chart::Sphere(Sphere { dim: 3, radius: 2.0 })).unwrap();
    let place = sphere.place(0, &[0.4, 1.1, -3.0, 0.2]).unwrap();
    assert!((sphere.volume_density(&place) - 8.0).abs() < 1e-12); // R^k
}

#[test]
fn degenerate_parameters_are_refused_as_input() {
    let closed = |size: f64, frequency: f64| {
        let wave = Wave { frequency: vec![frequency], phase: 0.0, amplitude: vec![size, 0.0, 0.0] };
        Chart::Closed(Closed { radii: vec![1.0], ambient: 3, waves: vec![wave] })
    };
    let bad = [
        Chart::circle(0.0),
        Chart::circle(f64::NAN),
        Chart::Ellipse(Ellipse { a: 1.0, b: -1.0 }),
        Chart::Sphere(Sphere { dim: 0, radius: 1.0 }),
        Chart::Sphere(Sphere { dim: usize::MAX, radius: 1.0 }),
        Chart::Sphere(Sphere { dim: 1_000_000, radius: 1.0 }),
        Chart::Torus(Torus { major: 1.0, minor: 1.0 }),
        Chart::Arc(Arc { radius: 1.0, from: 0.0, to: 7.0 }),
        Chart::Arc(Arc { radius: 1.0, from: 1.0, to: 1.0 }),
        Chart::Spiral(Spiral { inner: 1.0, growth: 0.0, angle: 1.0 }),
        Chart::Spiral(Spiral { inner: 1.0, growth: 1.0, angle: 1e9 }),
        Chart::Flat(Flat { half_widths: vec![], bounded: true }),
        Chart::Product { factors: vec![] },
        Chart::Graph(Graph { half_widths: vec![1.0], height: 0, waves: vec![] }),
        Chart::Graph(Graph { half_widths: vec![1.0], height: usize::MAX, waves: vec![] }),
        Chart::Closed(Closed { radii: vec![1.0], ambient: 1, waves: vec![] }),
        Chart::Closed(Closed { radii: vec![1.0; 4], ambient: usize::MAX, waves: vec![] }),
        closed(0.3, 2.5), // not periodic
        closed(0.4, 2.0), // slope 0.8 above 2/π
    ];
    for chart in bad {
        assert!(Manifold::new(chart.clone()).is_err_and(|e| e.is_input()), "{chart:?}");
    }
    assert!(Manifold::new(closed(0.3, 2.0)).is_ok());
    assert!(Manifold::union(vec![]).is_err_and(|e| e.is_input()));
    assert!(Motion::identity(3, 2).is_err_and(|e| e.is_input()));
    assert!(Motion::identity(usize::MAX, usize::MAX).is_err_and(|e| e.is_input()));
    assert!(Manifold::draw(Family::Torus, 2, &mut Knobs::new(&[])).is_err_and(|e| e.is_input()));
    let circle = Manifold::new(Chart::circle(1.0)).unwrap();
    assert!(circle.place(1, &[0.0]).is_err_and(|e| e.is_input()));
    assert!(circle.place(0, &[0.0, 0.0]).is_err_and(|e| e.is_input()));
    assert!(circle.place(0, &[f64::NAN]).is_err_and(|e| e.is_input()));
    let sphere = Manifold::new(Chart::Sphere(Sphere { dim: 1, radius: 1.0 })).unwrap();
    assert!(sphere.place(0, &[0.0, 0.0]).is_err_and(|e| e.is_input()));
    // A motion that is not an isometry, from a file.
    let text = r#"{"pieces":[{"chart":{"chart":"ellipse","a":1,"b":1},
        "motion":{"columns":[1,0,0.5,1],"shift":[0,0]}}]}"#;
    assert!(serde_json::from_str::<Manifold>(text).is_err());
    let mended = text.replace("0.5", "0");
    assert_eq!(serde_json::from_str::<Manifold>(&mended).unwrap(), circle);
}

#[test]
fn limits_of_waves_and_of_storage_are_where_the_messages_say() {
    let closed = |ambient: usize, frequency: f64, amplitude: f64| {
        let mut vector = vec![0.0; ambient];
        vector[0] = amplitude;
        let wave = Wave { frequency: vec![frequency, 0.0], phase: 0.0, amplitude: vector };
        Chart::Closed(Closed { radii: vec![1.0, 1.0], ambient, waves: vec![wave] }).check()
    };
    // A slope below 2/π times the radius.
    assert!(closed(4, 1.0, 0.999 * FRAC_2_PI).is_ok() && closed(4, 1.0, FRAC_2_PI).is_err());
    // Numbers below a million.
    assert!(closed(4, 999_999.0, 1e-7).is_ok() && closed(4, 1e6, 1e-7).is_err());
    // 2400 seeds and two tangents, columns of as many numbers as there are coordinates: 1e8 in all.
    assert!(closed(41_631, 1.0, 0.1).is_ok() && closed(41_632, 1.0, 0.1).is_err());
}

#[test]
fn flats_that_are_drawn_have_no_end_and_boxes_end_everywhere() {
    for (family, bounded) in [(Family::Flat, false), (Family::Cuboid, true)] {
        for seed in 0..8 {
            let mut knobs = Knobs::draw(Stream::root(8).indexed(seed), KNOBS);
            let drawn = Manifold::draw(family, 6, &mut knobs).unwrap();
            let ends = |axis: &Axis| matches!(axis, Axis::Interval { .. });
            assert!(drawn.pieces()[0].chart.axes().iter().all(|axis| ends(axis) == bounded));
        }
    }
}

#[test]
fn places_beyond_an_interval_are_refused_and_families_are_named_as_in_records() {
    let arc = Manifold::new(Chart::Arc(Arc { radius: 1.0, from: 0.5, to: 2.0 })).unwrap();
    assert!(arc.place(0, &[0.5]).is_ok() && arc.place(0, &[2.0]).is_ok());
    assert!(arc.place(0, &[0.49]).is_err() && arc.place(0, &[2.01]).is_err());
    assert!(arc.place(1, &[1.0]).is_err() && arc.place(0, &[1.0, 1.0]).is_err());
    for family in Family::ALL {
        assert_eq!(serde_json::to_value(family).unwrap(), family.name());
    }
}
