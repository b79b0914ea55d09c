//! The chapter on real data: what its parts say of data where everything is known.

use driftproof::experiments::plane_accuracy::Method;
use driftproof::experiments::real_data::moving::along_the_data;
use driftproof::experiments::real_data::{Images, Plan, mosaic, moves, overlap, surface};
use driftproof::facts::{Grade, Quantity};
use driftproof::figure::Mark;
use driftproof::linalg::frame_from_normals;
use driftproof::points::{PointSet, Scaling};
use driftproof::random::Stream;
use driftproof::record::Relation;
use nalgebra::DMatrix;
use std::f64::consts::{PI, TAU};

/// Random points of the unit circle, in the first two of `dim` coordinates.
fn circle(dim: usize, count: usize) -> PointSet {
    let angles = Stream::root(3).uniforms(count);
    let at = |r: usize, c: usize| match r {
        0 => (TAU * angles[c]).cos(),
        1 => (TAU * angles[c]).sin(),
        _ => 0.0,
    };
    PointSet::of_points("circle", DMatrix::from_fn(dim, count, at))
}

/// Many trajectories on each draw of the null, or a few where it is not looked at.
fn plan(side: usize, (trajectories, draws): (usize, usize)) -> Plan {
    let plan = Plan { name: "circle", side, draws, ..Plan::CLOTHING };
    Plan { trajectories, of_null: trajectories, ..plan }
}

#[test]
fn a_circle_among_idle_pixels_has_one_direction_and_what_idles_grows_by_the_ratio_of_noise() {
    // 16 coordinates: the whole decomposition. 144: leading pairs, and the last by the flow run back.
    for (side, effort) in [(4, (12, 19)), (12, (4, 2))] {
        let dim = side * side;
        let plan = plan(side, effort);
        let seen = Images::of_set(circle(dim, 150), &plan, Stream::root(1)).unwrap();
        if side == 4 {
            // Gaussian data of the same covariance fill the plane of the circle: there the gap is after two.
            assert_eq!(seen.test.index, Some(1), "{:?}", seen.test);
            assert_eq!(seen.test.p_value, 1.0 / 20.0);
        }
        let ratio = (seen.levels.end / seen.levels.start).ln();
        // Where the data do not vary y' = y/σ: the step error is below 1e-4. The iteration may mix such directions with the
        // radius of the circle, along which the data vary by the square of the noise.
        let (growth_error, tilt) = if side == 4 { (1e-4, 1e-9) } else { (0.05, 1e-3) };
        for (run, (bottom, growth)) in seen.runs.iter().zip(&seen.bottom) {
            assert!(growth.iter().all(|g| (g - ratio).abs() < growth_error), "{growth:?} {ratio}");
            assert_eq!(bottom.ncols(), 3);
            // The top vector lies in the plane of the circle, across the radius.
            let top = run.spectrum.end_vectors.column(0);
            assert!((top.rows(0, 2).norm() - 1.0).abs() < tilt, "{}", top.rows(0, 2).norm());
            let radial = run.end.rows(0, 2).normalize();
            assert!(top.rows(0, 2).dot(&radial).abs() < 0.2);
        }
        let top: Vec<DMatrix<f64>> = seen
            .runs
            .iter()
            .map(|run| run.spectrum.end_vectors.columns(0, 1).into_owned())
            .collect();
        let bottom: Vec<DMatrix<f64>> =
            seen.bottom.iter().map(|(frame, _)| frame.clone()).collect();
        let lengths = [0.0, 0.1, 0.4];
        let (off, along) = (moves(&seen, &bottom, &lengths), moves(&seen, &top, &lengths));
        // The denoiser takes moves off the plane back, and leaves those along the circle.
        assert!(off.kept.iter().flatten().all(|kept| *kept < 0.2), "{:?}", off.kept);
        assert!(along.kept[0].iter().all(|kept| *kept > 0.5), "{:?}", along.kept);
        if side > 4 {
            continue;
        }
        for (i, (run, frame)) in seen.runs.iter().zip(&bottom).enumerate() {
            assert!(frame.rows(0, 2).norm() < 1e-6);
            let rest = off.distance[0][i];
            for (h, off) in lengths.iter().zip(&off.distance) {
                // All data have the same distance along v: r² + h² ± 2 h⟨y, v⟩.
                let moved = frame.column_iter().flat_map(|v| {
                    let along = run.end.dot(&v);
                    [-h, *h].map(|h| (rest * rest + h * h + 2.0 * h * along).sqrt())
                });
                let expected = moved.sum::<f64>() / 6.0;
                assert!((off[i] - expected).abs() < 1e-6, "{} {expected} {h}", off[i]);
            }
        }
    }
}

#[test]
fn overlaps_of_planes_are_those_of_their_angles() {
    let frame = |i: u64| frame_from_normals(10, 3, &Stream::root(5).indexed(i).normals(30));
    let a = frame(0);
    assert!((overlap(&a, &a) - 1.0).abs() < 1e-12);
    let axes = |from: usize| DMatrix::from_fn(10, 3, |r, c| f64::from(u8::from(r == from + c)));
    assert_eq!(overlap(&axes(0), &axes(3)), 0.0);
    // Random planes: d/D on average; each overlap has a deviation below 0.2.
    let mean = (1..=400).map(|i| overlap(&a, &frame(i))).sum::<f64>() / 400.0;
    assert!((mean - 0.3).abs() < 5.0 * 0.2 / 20.0, "{mean}");
}

#[test]
fn images_stand_side_by_side() {
    let rows = vec![vec![vec![1.0, 2.0, 3.0, 4.0], vec![-2.0, 0.0, 0.0, 1.0]]];
    let Mark::Raster { extent, columns, values, signed } = mosaic(&rows, 2, true) else { panic!() };
    assert_eq!((extent, columns, signed), ([0.0, 5.0, 0.0, 2.0], 5, true));
    let shown: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    assert_eq!(shown, [0.25, 0.5, -1.0, 0.0, 0.75, 1.0, 0.0, 0.5]);
    assert!(values[2].is_nan() && values[7].is_nan());
}

#[test]
fn surfaces_are_measured_against_the_normals_that_are_given() {
    // A flat lattice: planes are exact at its middle by symmetry, and everywhere in the sheet; normals turned by 20°.
    let lattice = |r: usize, c: usize| [(c % 15) as f64, 0.0, (c / 15) as f64][r];
    let mut sheet = PointSet::of_points("sheet", DMatrix::from_fn(3, 225, lattice));
    assert!(surface(&sheet, "sheet", 16, Stream::root(1)).unwrap().is_none());
    let turn = 20.0_f64.to_radians();
    sheet.normals = Some(DMatrix::from_fn(3, 225, |r, _| [turn.sin(), turn.cos(), 0.0][r]));
    let seen = surface(&sheet, "sheet", 16, Stream::root(1)).unwrap().unwrap();
    for method in Method::ALL {
        // Three neighbours in a row leave the second direction to chance.
        let angles = seen.angles.of(method);
        for angle in &angles[angles.len() / 2] {
            assert!((angle.to_degrees() - 20.0).abs() < 1e-6, "{method:?} {}", angle.to_degrees());
        }
    }
    // An even spiral over S²: better than half of the spacing over the radius at the best scales.
    let golden = PI * (3.0 - 5.0_f64.sqrt());
    let spiral = DMatrix::from_fn(3, 500, |r, c| {
        let height = 1.0 - (c as f64 + 0.5) / 250.0;
        let (radius, angle) = ((1.0 - height * height).sqrt(), golden * c as f64);
        [radius * angle.cos(), radius * angle.sin(), height][r]
    });
    let spiral = PointSet::of_points("spiral", spiral);
    let seen = surface(&spiral, "spiral", 32, Stream::root(1)).unwrap().unwrap();
    let spacing = spiral.spacing().median.to_degrees();
    for method in Method::ALL {
        let best = seen.angle(method, true);
        assert!(best.value < 0.5 * spacing, "{method:?} {best:?} {spacing}");
        assert!(best.value <= seen.angle(method, false).value);
    }
    // A share and the share of the other way round make one.
    let share = seen.closer(Method::Neighbours, true);
    assert!((0.0..=1.0).contains(&share.value) && share.bar < 0.25);
}

#[test]
fn the_clothing_is_read_as_rows_of_784_pixels() {
    let clothing = PointSet::named("fashion_2000x28x28_u8.npy", Scaling::Unit).unwrap();
    assert_eq!((clothing.rows, clothing.dim(), clothing.points.max()), (2000, 784, 1.0));
    assert!(clothing.notes.iter().any(|note| note.contains("28×28")));
    let message = PointSet::named("nothing.npy", Scaling::None).unwrap_err().to_string();
    assert!(message.contains("nothing.npy"), "{message}");
}

#[test]
fn false_rises_change_what_is_said_of_top_and_bottom_vectors() {
    let rise = |value: f64| Quantity::new(value, 0.02, Grade::Sampled);
    assert_eq!(along_the_data(&[(rise(0.0), rise(0.2))]), Relation::Agrees);
    assert_eq!(along_the_data(&[(rise(0.0), rise(0.2)), (rise(0.1), rise(0.1))]), Relation::Open);
    assert_eq!(
        along_the_data(&[(rise(0.0), rise(0.2)), (rise(0.2), rise(0.1))]),
        Relation::Contradicts
    );
}
