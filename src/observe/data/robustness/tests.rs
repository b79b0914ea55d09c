use super::*;
use crate::facts::Facts;
use std::sync::atomic::AtomicBool;

/// A lattice of step 1 in the plane of the first two of three coordinates, with three sites of 21.
fn sheet() -> PointSet {
    let at = |i: usize| [(i % 21) as f64 - 10.0, (i / 21) as f64 - 10.0, 0.0];
    let points = DMatrix::from_iterator(3, 441, (0..441).flat_map(at));
    PointSet {
        name: "sheet".into(),
        rows: 441,
        points,
        log_weights: vec![-441.0_f64.ln(); 441],
        constant_columns: Vec::new(),
        normals: None,
        notes: Vec::new(),
    }
}

#[test]
fn a_displacement_is_split_into_the_plane_and_off_it() {
    let plane = DMatrix::from_column_slice(3, 2, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let delta = DVector::from_vec(vec![3.0, 4.0, 12.0]);
    assert_eq!(split(&plane, delta.column(0)), (5.0, 12.0));
    // The normal in place of the plane swaps the parts.
    let normal = DMatrix::from_column_slice(3, 1, &[0.0, 0.0, 1.0]);
    assert_eq!(split(&normal, delta.column(0)), (12.0, 5.0));
}

#[test]
fn off_a_flat_sheet_displacements_are_those_of_one_point() {
    // Normal to a flat sheet D is constant, so the closed form of one point holds for the normal part of
    // every trajectory: |δ_N| = |e_N| (1 − σ/σ_0) for the denoiser. Along the sheet, data of deviation 7.4
    // hold no displacement back before σ falls below it.
    let set = sheet();
    let levels = Levels { start: 8.56, end: 2.0 };
    let problem = Problem::new(&set, levels, 0.05, (2, 8)).unwrap();
    let unit = problem.unit(levels);
    assert!((unit - 8.56 / 3.0_f64.sqrt()).abs() < 1e-12);
    assert!((problem.spacing - 1.0 / unit).abs() < 1e-12);
    let outcomes = problem.run(40, Stream::root(3)).unwrap();
    let ratio = 0.05 / 8.56;
    let normals: Vec<f64> = outcomes
        .iter()
        .map(|at_levels| at_levels[1][0].normal * problem.spacing / EPSILON / (1.0 - ratio))
        .collect();
    // |e_N| of a random direction of length √3 in R³ is uniform in [0, √3] (Archimedes): mean √3/2.
    let mean = normals.iter().sum::<f64>() / 40.0;
    assert!(normals.iter().all(|n| *n <= 3.0_f64.sqrt() + 1e-3), "{normals:?}");
    // Deviation of the mean of 40: √3/√12/√40 = 0.08.
    assert!((mean - 0.866).abs() < 0.32, "{mean}");
    // And the inexact flow ends off the sheet by ε times that, to first order and in full.
    for at_levels in &outcomes {
        let seen = at_levels[1][0];
        assert!(seen.nearest + 1e-9 >= seen.normal, "{} {}", seen.nearest, seen.normal);
    }
}

#[test]
fn half_the_steps_change_less_than_the_bars() {
    let (set, levels) = (sheet(), Levels { start: 8.56, end: 2.0 });
    let coarse = Problem::new(&set, levels, 0.1, (2, 8)).unwrap();
    let mut fine = Problem::new(&set, levels, 0.1, (2, 8)).unwrap();
    let halves = |pair: &[f64]| [pair[0], (pair[0] * pair[1]).sqrt()];
    let last = fine.sigmas.last().copied();
    fine.sigmas = fine.sigmas.windows(2).flat_map(halves).chain(last).collect();
    fine.marks.iter_mut().for_each(|mark| *mark *= 2);
    let [one, other] = [coarse, fine].map(|problem| problem.run(12, Stream::root(4)).unwrap());
    for e in 0..8 {
        let middle = |run: &Outcomes| {
            let values: Vec<f64> = run.iter().map(|t| t[1][e].normal).collect();
            Quantity::sampled_median(&values, REPORTED)
        };
        let (one, other) = (middle(&one), middle(&other));
        assert!((one.value - other.value).abs() < 0.1 * one.bar, "{e}: {one:?} {other:?}");
    }
}

#[test]
fn errors_of_the_noise_fade_with_it_and_errors_of_the_denoiser_do_not() {
    let (stop, set) = (AtomicBool::new(false), sheet());
    let watch = Watch { stop: &stop, after_each: &|| () };
    let mut facts = Facts::new();
    facts.set("basin_sigma", Quantity::exact(0.5));
    let levels = Levels { start: 8.56, end: 2.0 };
    measure(&set, levels, 2, Stream::root(6), watch, &mut facts).unwrap();
    assert_eq!(facts.series("robust_sigma").len(), 2);
    let normal = |name: &str| facts.series(&format!("normal_over_spacing_of_{name}"))[1].value;
    // σ log(σ_0/σ) and σ against 1: noise errors fade with the noise level, denoiser errors do not.
    for kind in ["constant", "fourier"] {
        let denoiser = normal(&format!("denoiser_{kind}"));
        for other in ["noise", "score", "velocity"] {
            assert!(normal(&format!("{other}_{kind}")) < 0.1 * denoiser, "{other} {kind}");
        }
    }
    // A run that was stopped states nothing.
    stop.store(true, Ordering::Relaxed);
    let mut facts = Facts::new();
    measure(&set, levels, 2, Stream::root(6), watch, &mut facts).unwrap();
    assert!(facts.series("robust_sigma").is_empty());
}

#[test]
fn the_ratio_of_the_parts_is_that_of_the_parts_that_are_told() {
    let levels = Levels { start: 8.56, end: 2.0 };
    let problem = Problem::new(&sheet(), levels, 0.05, (2, 8)).unwrap();
    for seen in problem.run(4, Stream::root(6)).unwrap().iter().flatten().flatten() {
        let tangent = (seen.size * seen.size - seen.normal * seen.normal).sqrt();
        assert!((seen.normal_over_tangent * tangent / seen.normal - 1.0).abs() < 1e-6);
    }
}
