use super::*;
use nalgebra::DMatrix;
use std::f64::consts::TAU;

fn set(dim: usize, entries: Vec<f64>, weights: Option<Vec<f64>>) -> PointSet {
    let count = entries.len() / dim;
    let weights = weights.unwrap_or_else(|| vec![1.0 / count as f64; count]);
    PointSet {
        log_weights: weights.iter().map(|w| w.ln()).collect(),
        ..PointSet::of_points("test", DMatrix::from_vec(dim, count, entries))
    }
}

/// 98 rows at (5, 0), and one at each of 40 points within 0.01 of the origin.
fn heavy() -> PointSet {
    let near = (0..40).flat_map(|i| {
        let angle = TAU * f64::from(i) / 40.0;
        [0.01 * angle.cos(), 0.01 * angle.sin()]
    });
    let weights = [0.98].into_iter().chain(std::iter::repeat_n(0.02 / 40.0, 40)).collect();
    set(2, [5.0, 0.0].into_iter().chain(near).collect(), Some(weights))
}

#[test]
fn trajectories_start_at_rows_not_at_distinct_points() {
    let set = heavy();
    let atoms = Atoms::new(2, set.points.as_slice().to_vec(), Some(set.log_weights.clone()), 0.0);
    let levels = noise::Levels { start: 0.1, end: 0.05 };
    let runs = exponents::run(&set, &atoms.unwrap().into(), levels, Effort::of(2), Stream::root(1))
        .unwrap();
    let at_heavy = runs.iter().filter(|run| run.start[0] > 2.5).count();
    // 24 draws of 0.98; distinct points drawn alike would give 24/41.
    assert!(at_heavy >= 20, "{at_heavy}");
}

#[test]
fn probes_of_the_noise_levels_see_what_most_rows_see() {
    let set = heavy();
    let mut facts = spacing(&set);
    noise::levels(&set, Stream::root(1), &mut facts).unwrap();
    // A row is alone within 5; the points about the origin are 0.0016 apart.
    let basin = facts.get("basin_sigma").value;
    assert!(basin > 0.1, "{basin}");
}

#[test]
fn points_of_the_sphere_are_measured_against_the_unit_sphere() {
    // The corners of a dodecahedron, of golden rectangles and a cube.
    let golden = f64::midpoint(1.0, 5.0_f64.sqrt());
    let signs = [-1.0, 1.0];
    let mut corners = Vec::new();
    for a in signs {
        for b in signs {
            let (x, y) = (a / golden, b * golden);
            corners.extend([0.0, x, y, x, y, 0.0, y, 0.0, x]);
            corners.extend(signs.iter().flat_map(|c| [a, b, *c]));
        }
    }
    corners.iter_mut().for_each(|x| *x /= 3.0_f64.sqrt());
    let stop = AtomicBool::new(true);
    let watch = Watch { stop: &stop, after_each: &|| () };
    let seen = observe(&set(3, corners, None), 1, watch);
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.certified.len(), 24);
    for (d, facts) in &seen.certified {
        assert_eq!(*d, 2);
        // ‖II‖ of the unit sphere is 1.
        assert!(facts.series("curvature").iter().all(|k| (k.value - 1.0).abs() < 1e-9));
    }
}
