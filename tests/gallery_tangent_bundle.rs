//! The chapter on tangent bundles: identities that its angles obey.

use driftproof::experiments::Setting;
use driftproof::experiments::plane_accuracy::{Method, Scales, angles, exact_denoiser};
use driftproof::experiments::tangent_bundle::{Outcome, Sample, Sweep, Tally, plainest};
use driftproof::manifold::{Chart, Flat, Sphere};
use driftproof::points::PointSet;
use driftproof::random::Stream;
use nalgebra::{DMatrix, DVector};

fn small() -> Sample {
    Sample { points: 200, ..plainest() }
}

#[test]
fn planes_of_a_flat_sample_are_exact_and_turned_planes_are_off_by_the_turn() {
    // Noiseless points of a box: the posterior covariance has no normal part, so that normals shrink by σ_end/σ_start and
    // tangents by less.
    let chart = Chart::Flat(Flat { half_widths: vec![1.0, 1.0], bounded: true });
    let flat = Sample { chart, noise: 0.0, ..small() };
    let seen = flat.measure(6, Stream::root(1)).unwrap();
    for method in Method::ALL {
        for angle in seen.of(method).iter().flatten() {
            // Rounding of angles from singular vectors whose values differ by a factor 1 + 1e-3 or more.
            assert!(*angle < 1e-9, "{method:?} {angle}");
        }
    }
    // The same points in coordinates, and known planes turned by 0.3 in the normal direction.
    let uniforms = Stream::root(2).uniforms(400);
    let points = DMatrix::from_fn(3, 200, |r, c| if r < 2 { uniforms[2 * c + r] } else { 0.0 });
    let set = PointSet::of_points("sheet", points);
    let at: Vec<DVector<f64>> = (0..4).map(|i| set.points.column(i).into()).collect();
    let turned =
        DMatrix::from_column_slice(3, 2, &[1.0, 0.0, 0.0, 0.0, 0.3_f64.cos(), 0.3_f64.sin()]);
    let scales = Scales { start: 0.5, sigmas: vec![0.1, 0.2], sizes: vec![8, 32] };
    let seen =
        angles(&set, &exact_denoiser(&set).unwrap(), &scales, &at, &vec![turned; 4]).unwrap();
    for method in Method::ALL {
        assert_eq!(seen.of(method).len(), 2);
        assert!(seen.of(method).iter().flatten().all(|angle| (angle - 0.3).abs() < 1e-9));
    }
}

#[test]
fn angles_do_not_depend_on_the_unit_of_length() {
    let sphere = |radius| Chart::Sphere(Sphere { dim: 2, radius });
    let in_unit = |unit: f64| Sample { chart: sphere(unit), noise: 0.05 * unit, ..small() };
    let [one, four] = [1.0, 4.0].map(|unit| in_unit(unit).measure(6, Stream::root(3)).unwrap());
    for method in Method::ALL {
        let pairs = one.of(method).iter().flatten().zip(four.of(method).iter().flatten());
        for (a, b) in pairs {
            assert!((a - b).abs() < 1e-7, "{method:?} {a} {b}");
        }
    }
    // The identity is not empty: with the noise left as it is, angles change.
    let other = Sample { noise: 0.05, ..in_unit(4.0) }.measure(6, Stream::root(3)).unwrap();
    assert!((other.flow[2][0] - one.flow[2][0]).abs() > 1e-3);
}

#[test]
fn less_noise_and_more_points_are_better_and_a_tally_counts() {
    let stream = Stream::root(4);
    let of = |sample: Sample, at: f64| Outcome::of(sample, at, (4, 12), stream).unwrap();
    let outcomes = vec![
        of(Sample { noise: 0.01, points: 400, ..small() }, 0.01),
        of(Sample { noise: 0.3, points: 60, ..small() }, 0.3),
    ];
    for method in Method::ALL {
        let [clean, noisy] = [0, 1].map(|i: usize| outcomes[i].angle(method, true));
        assert!(
            clean.value + clean.bar < noisy.value - noisy.bar,
            "{method:?} {clean:?} {noisy:?}"
        );
        // The best scale is never worse than the fixed one.
        for outcome in &outcomes {
            assert!(outcome.angle(method, true).value <= outcome.angle(method, false).value);
        }
    }
    // A method against itself: no ratio is off 1.
    let all: Vec<&Outcome> = outcomes.iter().collect();
    let tally = Tally::of(&all, Method::Flow, true);
    assert!(tally.loses.is_empty() && tally.wins.is_empty());
    let sweep = Sweep { title: "noise", axis: "s", log: false, outcomes };
    let words = tally.words("itself", "at best", &[sweep]);
    assert_eq!(
        words,
        "Against itself, at best, the flow loses on 0 of 2 samples, wins on 0, and on 2 the bars do not tell."
    );
}

#[test]
fn chapters_are_found_by_name() {
    assert_eq!(driftproof::experiments::find("tangent-bundle").unwrap().0.name, "tangent-bundle");
    let setting = Setting { seed: 1, begin: &|_| () };
    assert_eq!(setting.stream("a"), Setting { seed: 1, begin: &|_| () }.stream("a"));
}
