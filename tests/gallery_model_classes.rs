//! What the numbers of two chapters obey: robustness of the support, and model classes.

use driftproof::drift::{
    Canonical, Channel, Denoise, Denoiser, Gaussian, GaussianPath, LearningError, Parametrisation,
    Schedule,
};
use driftproof::experiments::model_class::{Class, Flaw, Model, Range, SIGMA_START};
use driftproof::experiments::model_classes::{conjugacy, contraction, coupling, held_fixed};
use driftproof::experiments::robustness_of_the_support::first_order::claim_of_the_classes;
use driftproof::experiments::robustness_of_the_support::manifolds::{along_not_off, as_on_a_flat};
use driftproof::experiments::robustness_of_the_support::{no_manifold, pairs_of};
use driftproof::experiments::shape::Shape;
use driftproof::facts::{Grade, Quantity};
use driftproof::manifold::Law;
use driftproof::random::Stream;
use driftproof::record::Relation;

/// Both ends far beyond anything that the closed forms over all times see.
const WIDE: Range = Range { start: 1e7, end: 1e-9 };

fn close(value: f64, expected: f64, share: f64) {
    assert!((value / expected - 1.0).abs() < share, "{value} {expected}");
}

#[test]
fn flat_shifts_by_velocity_errors_are_those_of_gaussian_data() {
    for s in [0.3_f64, 0.05] {
        let shift = |class: Class| class.flat_shift(Parametrisation::Velocity, s, WIDE) / s;
        let flow = (s.asinh() + s.recip().asinh()) / s.hypot(1.0);
        close(shift(Class::FlowMatching), flow, 1e-5);
        close(shift(Class::OptimalTransport), s.recip().ln() / (1.0 - s), 1e-5);
        // (2/π) K(m = 1 − s²) = 1/agm(1, s), Gauss.
        let (mut a, mut g) = (1.0, s);
        for _ in 0..8 {
            (a, g) = (0.5 * (a + g), (a * g).sqrt());
        }
        close(shift(Class::Interpolant), 1.0 / a, 1e-5);
    }
}

#[test]
fn flat_shifts_by_other_errors_are_their_integrals_over_the_noise_level() {
    let (s, range) = (0.05_f64, Range { start: 5.0, end: 0.01 });
    let thick = s.hypot(range.end);
    for class in [Class::ScoreOde, Class::FlowMatching, Class::Interpolant] {
        let denoiser = thick / s * ((s / range.end).asinh() - (s / range.start).asinh());
        close(class.flat_shift(Parametrisation::Denoiser, s, range), denoiser, 1e-8);
        let noise = thick * ((range.start / s).asinh() - (range.end / s).asinh());
        close(class.flat_shift(Parametrisation::Noise, s, range), noise, 1e-8);
    }
    // 2(s² + σ_1²) ∫ dσ/(σ(s² + σ²)): the contraction of the SDE is squared, and its error doubled.
    let primitive = |sigma: f64| (sigma * sigma / (s * s + sigma * sigma)).ln() / (s * s);
    let stochastic = thick * thick * (primitive(range.start) - primitive(range.end));
    close(Class::ScoreSde.flat_shift(Parametrisation::Denoiser, s, range), stochastic, 1e-8);
}

#[test]
fn duals_through_the_samplers_meet_the_closed_forms_on_a_flat() {
    let s = 0.05;
    let range = Range { start: 50.0, end: 0.02 * s };
    for class in Class::ALL {
        for kind in Parametrisation::ALL.into_iter().filter(|kind| class.predicts(*kind)) {
            let (steps, share) = if class == Class::ScoreSde { (800, 2e-2) } else { (200, 1e-4) };
            let measured = held_fixed::measured(class, kind, s, steps).unwrap();
            close(measured, class.flat_shift(kind, s, range), share);
        }
    }
}

#[test]
fn small_errors_shift_samples_by_their_first_order() {
    let moons = Shape::moons().unwrap();
    let pairs = pairs_of(&moons, 64, 16, Stream::root(1)).unwrap();
    let error = LearningError::fourier(2, 4, 1.0, 1.0, Stream::root(2));
    for class in Class::ALL {
        let (transport, steps) = (&pairs, 48);
        let model =
            Model { class, denoiser: &moons.denoiser, transport, steps, range: Range::USUAL };
        let starts = model.starts(&moons.law, 3, Stream::root(3)).unwrap();
        for kind in Parametrisation::ALL.into_iter().filter(|kind| class.predicts(*kind)) {
            let flaw = Flaw { error: &error, parametrisation: kind };
            let (exact, deltas) = model.first_order(&starts, flaw, Stream::root(4)).unwrap();
            let ends = |size: f64| model.ends(&starts, flaw, size, Stream::root(4)).unwrap();
            let (up, down) = (ends(1e-5), ends(-1e-5));
            let size = deltas.iter().fold(0.0, |m: f64, d| m.max(d.abs()));
            for i in 0..deltas.len() {
                // Central differences: the third derivative is below 1e6 deltas here.
                let slope = (up[i] - down[i]) / 2e-5;
                assert!((slope - deltas[i]).abs() < 1e-3 * size, "{class:?} {kind:?}");
                assert!((exact[i] - 0.5 * (up[i] + down[i])).abs() < 1e-5 * size);
            }
        }
    }
}

#[test]
fn shifts_are_split_at_the_nearest_points() {
    let sphere = Shape::sphere().unwrap();
    let spot = |y: &[f64]| sphere.spot(y).unwrap();
    // A quarter turn, and from 0.1 outside to 0.2 inside.
    let (along, off) = spot(&[1.1, 0.0, 0.0]).shift(&spot(&[0.0, 0.8, 0.0]));
    assert!((along - 2.0_f64.sqrt()).abs() < 1e-12 && (off - 0.3).abs() < 1e-12);
    let (tangent, normal) = spot(&[0.0, 0.0, 1.3]).split(&[3.0, 4.0, 12.0]);
    assert!((tangent - 5.0).abs() < 1e-12 && (normal - 12.0).abs() < 1e-12);
    // Heights over a moon have a sign, on the lower one too: outwards from its own centre (1, 1/2).
    let moons = Shape::moons().unwrap();
    let (_, off) = moons.spot(&[1.0, -0.6]).unwrap().shift(&moons.spot(&[1.0, -0.4]).unwrap());
    assert!((off - 0.2).abs() < 1e-12);
    // Beyond a tip the point is off the manifold, although y − p is tangent there.
    let (along, off) = moons.spot(&[-1.0, -0.1]).unwrap().shift(&moons.spot(&[-1.0, 0.0]).unwrap());
    assert!(along < 1e-12 && (off - 0.1).abs() < 1e-12);
}

#[test]
fn the_curved_outlines_lie_where_the_laws_are() {
    for shape in [Shape::moons().unwrap(), Shape::ellipse().unwrap()] {
        let (x, y) = shape.outline(7);
        for (x, y) in x.iter().zip(&y).filter(|(x, _)| x.is_finite()) {
            assert!(shape.spot(&[*x, *y]).unwrap().distance() < 1e-12, "{}", shape.name);
        }
    }
}

/// With y = X + σξ, E⟨X − D(y), D(y)⟩ = 0: a conditional mean is an orthogonal projection.
#[test]
fn the_posterior_means_of_the_shapes_are_those_of_their_laws() {
    let shapes =
        [Shape::moons(), Shape::ellipse(), Shape::sphere(), Shape::torus(), Shape::swiss_roll()];
    for shape in shapes {
        let shape = shape.unwrap();
        let d = shape.manifold.ambient();
        let data = shape.law.sample(1500, Stream::root(5)).unwrap();
        let noise = Stream::root(6).normals(data.len());
        let sigma = 0.4;
        let mean = |scale: f64| {
            let draw = |(x, z): (&[f64], &[f64])| -> f64 {
                let y: Vec<f64> = x.iter().zip(z).map(|(x, z)| x + sigma * z).collect();
                let mut mean = vec![0.0; d];
                shape.denoiser.denoise(Channel::canonical(sigma), &y, &mut mean);
                x.iter().zip(&mean).map(|(x, m)| (x - scale * m) * scale * m).sum()
            };
            let pairs = data.as_slice().chunks_exact(d).zip(noise.chunks_exact(d));
            Quantity::sampled_mean(&pairs.map(draw).collect::<Vec<f64>>(), 1.0 - 1e-6)
        };
        assert!(mean(1.0).value.abs() < mean(1.0).bar, "{}: {:?}", shape.name, mean(1.0));
        // The posterior mean of a law 1.2 times as large is noticed.
        assert!(mean(1.2).value.abs() > mean(1.2).bar, "{}: {:?}", shape.name, mean(1.2));
    }
}

#[test]
fn schedules_agree_on_ends_vectors_and_gaps_and_transport_does_not() {
    let moons = Shape::moons().unwrap();
    let noise = Stream::root(7).normals(8);
    let points: Vec<f64> = noise.iter().map(|z| SIGMA_START * z).collect();
    let reference = Canonical { denoiser: &moons.denoiser };
    let reference = conjugacy::carry(&reference, None, 400, &points).unwrap();
    for (name, schedule) in conjugacy::SCHEDULES {
        let path = GaussianPath { schedule, denoiser: &moons.denoiser };
        let ends = conjugacy::carry(&path, Some(schedule), 400, &points).unwrap();
        // Fourth order at 400 steps of log σ, each 0.016 long.
        assert!(ends.differ(&reference).iter().all(|d| *d < 1e-4), "{name}");
    }
    let pairs = pairs_of(&moons, 64, 64, Stream::root(8)).unwrap();
    let other = conjugacy::carry(&pairs, Some(Schedule::FlowMatching), 64, &points).unwrap();
    assert!(other.differ(&reference)[0] > 1e-2);
}

#[test]
fn gaps_of_gaussian_data_are_known() {
    // J_i = √((λ_i + σ_1²)/(λ_i + σ_0²)) on the axes of the data.
    let (wide, thin): (f64, f64) = (1.0, 0.01);
    let law: Denoiser = Gaussian::diagonal(&[wide, thin]).unwrap().into();
    let field = Canonical { denoiser: &law };
    let ends = conjugacy::carry(&field, None, 200, &[1.0, 2.0]).unwrap();
    let range = Range::USUAL;
    let log = |variance: f64| {
        0.5 * ((variance + range.end.powi(2)) / (variance + range.start.powi(2))).ln()
    };
    assert!((ends.gaps[0] - (log(wide) - log(thin))).abs() < 1e-6);
    assert!((ends.top[0][0].abs() - 1.0).abs() < 1e-12);
}

#[test]
fn responses_of_a_density_have_no_mass() {
    let error = LearningError::fourier(2, 4, 1.0, 1.0, Stream::root(9));
    let (total, size) = no_manifold::total_response(&error, Parametrisation::Noise).unwrap();
    // The grid of cells of 0.125 is fine beside the width 0.5, its ends are 7 widths out.
    assert!(size > 0.1 && total.abs() < 2e-3 * size, "{total} {size}");
}

fn number(value: f64, bar: f64) -> Quantity {
    Quantity::new(value, bar, Grade::Sampled)
}

#[test]
fn false_differences_between_classes_change_what_is_said_of_them() {
    let order = number(4.0, 0.1);
    assert_eq!(conjugacy::one_flow([1e-11, 1e-10, 1e-9], order), Relation::Agrees);
    assert_eq!(conjugacy::one_flow([1e-11, 1e-2, 1e-9], order), Relation::Contradicts);
    assert_eq!(conjugacy::one_flow([1e-11; 3], number(1.0, 0.1)), Relation::Contradicts);
    assert_eq!(conjugacy::one_flow([f64::NAN; 3], order), Relation::Open);
    assert_eq!(conjugacy::claim_of_the_class(1e-11, 0.03), Relation::Sharpens);
    assert_eq!(conjugacy::claim_of_the_class(0.1, 0.03), Relation::Agrees);
    assert_eq!(conjugacy::claim_of_the_class(1e-11, 1e-12), Relation::Contradicts);
    assert_eq!(contraction::contracts(number(1.0, 0.01), number(2.0, 0.02)), Relation::Agrees);
    assert_eq!(contraction::contracts(number(1.0, 0.01), number(1.0, 0.02)), Relation::Contradicts);
    assert_eq!(held_fixed::grows(1e-3, [1.15, 1.54], 1.55), Relation::Agrees);
    assert_eq!(held_fixed::grows(1e-3, [1.5, 1.54], 1.55), Relation::Contradicts);
    assert_eq!(held_fixed::grows(1e-3, [1.15, 1.0], 1.55), Relation::Contradicts);
    assert_eq!(held_fixed::grows(0.3, [1.15, 1.54], 1.55), Relation::Contradicts);
    assert_eq!(coupling::claim_of_the_coupling(true, number(1.5, 0.2)), Relation::Agrees);
    assert_eq!(coupling::claim_of_the_coupling(true, number(1.1, 0.2)), Relation::Open);
}

#[test]
fn false_shifts_change_what_is_said_of_robustness() {
    let (small, large) = (number(0.1, 0.02), number(1.0, 0.1));
    assert_eq!(along_not_off(&[(large, small), (large, number(0.0, 0.01))]), Relation::Sharpens);
    assert_eq!(along_not_off(&[(large, number(0.0, 0.01))]), Relation::Agrees);
    assert_eq!(along_not_off(&[(small, large)]), Relation::Contradicts);
    assert_eq!(along_not_off(&[(large, large)]), Relation::Open);
    assert_eq!(as_on_a_flat(&[(0.95, 1.05)]), Relation::Agrees);
    assert_eq!(as_on_a_flat(&[(0.95, 1.05), (1.2, 1.7)]), Relation::Sharpens);
    assert_eq!(as_on_a_flat(&[(0.95, 3.0)]), Relation::Contradicts);
    assert_eq!(as_on_a_flat(&[(f64::NAN, 1.0)]), Relation::Open);
    // The score-based model first.
    assert_eq!(claim_of_the_classes(&[(small, large), (small, large)]), Relation::Agrees);
    assert_eq!(claim_of_the_classes(&[(small, small), (small, large)]), Relation::Sharpens);
    assert_eq!(claim_of_the_classes(&[(small, small), (large, small)]), Relation::Contradicts);
    assert_eq!(no_manifold::without_support(1e-4, (0.9, 1.1)), Relation::Sharpens);
    assert_eq!(no_manifold::without_support(1e-4, (0.01, 0.1)), Relation::Agrees);
    assert_eq!(no_manifold::without_support(0.3, (0.9, 1.1)), Relation::Contradicts);
}

#[test]
fn profiles_of_the_shapes_lie_on_their_outlines() {
    for shape in [Shape::ellipse(), Shape::sphere(), Shape::torus(), Shape::swiss_roll()] {
        let shape = shape.unwrap();
        let (x, y) = shape.profile_outline(400);
        let points = Law::uniform(shape.manifold.clone()).sample(40, Stream::root(11)).unwrap();
        for point in points.column_iter() {
            let [a, b] = shape.profile(point.as_slice());
            let off = x.iter().zip(&y).map(|(x, y)| (x - a).hypot(y - b)).fold(f64::NAN, f64::min);
            // Chords of pieces 0.04 long at most, with radii of 0.4 at least.
            assert!(off < 0.03, "{}: {off}", shape.name);
        }
    }
}
