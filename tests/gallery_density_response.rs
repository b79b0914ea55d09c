//! What the figures of the chapter on the density response rest on: closed forms, identities and symmetries.

use driftproof::drift::{
    Channel, Denoise, GaussianPath, InVelocity, LearningError, Parametrisation, Schedule, Sphere,
};
use driftproof::experiments::density_response::{
    Chain, Circle, Leak, Moons, circle, finite, leaks, mass, moons, noise, singular,
};
use driftproof::facts::{Grade, LEVEL, Quantity};
use driftproof::flow::{Method, Sampler, StepWorkspace, uniform_times};
use driftproof::manifold::{Outline, Part};
use driftproof::random::Stream;
use driftproof::record::Relation;
use driftproof::response::{AccruedPoints, CarriedPoints, NoisyLaw};
use std::f64::consts::PI;

#[test]
fn both_formulas_give_one_response_of_the_moons_and_agree_better_with_more_steps() {
    let moons = Moons::new(Stream::root(3)).unwrap();
    let points = [0.0, 1.0, -0.9, 0.6, 1.5, -0.4, 0.5, 0.3];
    let apart = |steps: usize| {
        let (carried, accrued) = moons.both(&points, steps);
        let size = carried.iter().map(|g| g.abs()).fold(0.0, f64::max);
        assert!(size > 0.1, "the error matters");
        carried.iter().zip(&accrued).map(|(c, a)| (c - a).abs()).fold(0.0, f64::max) / size
    };
    let (rough, fine) = (apart(40), apart(80));
    // RK4: a sixteenth, and much less than the response.
    assert!(rough < 1e-2 && fine < rough / 8.0, "{rough} {fine}");
    // The flow carries the closed-form density.
    let carried = moons.carried(&points, 160, &moons.path(), &moons.error);
    for ((at, _), y) in carried.iter().zip(points.chunks_exact(2)) {
        assert!((at.log_density - moons.density(y).ln()).abs() < 1e-4);
    }
}

/// N(0, 1) data on the trigonometric path rest, so w = x gives g = τ(y² − 1): q = ∫ div w + ⟨w, s⟩ = τ(1 − y²).
#[test]
fn the_response_from_the_error_alone_is_that_of_a_stretched_gaussian() {
    struct Stretch;
    impl driftproof::drift::Drift for Stretch {
        fn dim(&self) -> usize {
            1
        }
        fn velocity<S: driftproof::scalar::Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
            out.copy_from_slice(x);
        }
    }
    let law = driftproof::drift::Gaussian::diagonal(&[1.0]).unwrap();
    let path = GaussianPath { schedule: Schedule::Trigonometric, denoiser: &law };
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, 0.6, 30));
    let mut points = AccruedPoints::new(1, &[0.3, -1.7]);
    points.run(&sampler, (path.schedule, &path), &Stretch, &mut StepWorkspace::default());
    assert_eq!(points.count(), 2);
    for (i, y) in [0.3, -1.7].into_iter().enumerate() {
        assert!((points.state(i)[0] - y).abs() < 1e-12);
        assert!((points.accrued(i) - 0.6 * (1.0 - y * y)).abs() < 1e-12);
    }
}

#[test]
fn tangent_and_normal_responses_add_up_and_are_odd_across_the_error() {
    let (circle, sigma) = (Circle::new().unwrap(), 0.15);
    let points = [0.3, 0.95, 0.3, -0.95, -0.3, 0.95, 1.1, 0.0];
    let [tangent, normal] =
        [Part::Tangent, Part::Normal].map(|part| circle.responses(sigma, part, &points));
    for g in [&tangent, &normal] {
        // The error is (0, 1): symmetric in x₁, odd in x₂.
        assert!((g[0] + g[1]).abs() < 1e-9 && (g[0] - g[2]).abs() < 1e-9 && g[3].abs() < 1e-9);
        assert!(g[0].abs() > 0.1);
    }
    // The whole error, split by nobody.
    let (law, schedule) =
        (Sphere::new(2, 1.0).unwrap(), Schedule::Ve { sigma_min: sigma, sigma_max: 1.0 });
    let constant = LearningError::constant(&[0.0, 1.0]);
    let error =
        InVelocity { error: &constant, parametrisation: Parametrisation::Denoiser, schedule };
    let sampler = Sampler::new(Method::Rk4, uniform_times(1.0, 0.0, 60));
    let path = GaussianPath { schedule, denoiser: &law };
    let mut carried = CarriedPoints::new(2, &points);
    carried.run(&sampler, &path, &error, &mut StepWorkspace::default());
    let noise = NoisyLaw { denoiser: &law, channel: Channel::canonical(1.0) };
    for i in 0..4 {
        let whole = carried.at_start(i, &noise);
        // RK4 with steps of 0.08 and 0.03 in log σ.
        assert!((whole.response - tangent[i] - normal[i]).abs() < 1e-3, "{i}");
        let density = law.log_density(Channel::canonical(sigma), &points[2 * i..2 * i + 2]);
        assert!((whole.log_density - density).abs() < 1e-5);
    }
}

#[test]
fn a_translated_disc_leaks_by_the_closed_form() {
    let disc = Outline::Ellipsoid { half_axes: vec![1.0, 1.0], mirror: vec![0.0, 0.0] };
    let error = LearningError::constant(&[1.0, 0.0]);
    let leaks = leaks(&disc, None, &error, Stream::root(0)).unwrap();
    // (1/(k+1)) ∫ c cos₊^{k+1}, with c = 2^k (k+1)/π: 2/π, 1, 16/(3π).
    for (leak, exact) in leaks.iter().zip([2.0 / PI, 1.0, 16.0 / (3.0 * PI)]) {
        // The kink of cos₊ on 128 directions.
        assert!((leak.predicted - exact).abs() < 1e-3, "{} {exact}", leak.predicted);
        assert!((leak.prefactor.value - leak.predicted).abs() <= leak.prefactor.bar + 1e-9);
        let order = f64::from(leak.order + 1);
        assert!((leak.power.value - order).abs() <= leak.power.bar && leak.power.bar < 0.2);
    }
    // The lens of two unit discs at distance ε, exactly: the share outside for k = 0.
    for (epsilon, mass) in leaks[0].epsilons.iter().zip(&leaks[0].mass) {
        let half: f64 = 0.5 * epsilon;
        let lens = 2.0 * half.acos() - epsilon * (1.0 - half * half).sqrt();
        assert!((mass - (1.0 - lens / PI)).abs() < 1e-3 * mass, "{mass}");
    }
}

#[test]
fn the_weight_of_a_noise_path_is_the_response_of_the_chain() {
    let chain = Chain { variance: 0.5, error: 0.4 };
    let (mean, variance) = chain.end().unwrap();
    // Euler–Maruyama of 80 steps: near λ + σ².
    assert!((variance / (0.5 + 0.15 * 0.15) - 1.0).abs() < 0.1, "{variance}");
    let pairs = chain.weights(4000, Stream::root(5)).unwrap();
    let sampled = |of: fn(&(f64, f64)) -> f64| {
        Quantity::sampled_mean(&pairs.iter().map(of).collect::<Vec<_>>(), LEVEL)
    };
    let (derivative, total) = (sampled(|(x, z)| x * z), sampled(|(_, z)| *z));
    // d/dε E X = E[X Z], and E Z = 0.
    assert!((derivative.value - mean).abs() <= derivative.bar);
    assert!(total.value.abs() <= total.bar);
    // A weight of the other sign, or of half the size, would be seen.
    assert!(derivative.bar < 0.5 * mean.abs());
}

fn number(value: f64, bar: f64) -> Quantity {
    Quantity::new(value, bar, Grade::Sampled)
}

/// A body whose density vanishes to that order and from which mass leaves by these numbers.
fn leak(order: i32, power: f64, prefactor: f64, rate: f64) -> Leak {
    Leak {
        order,
        epsilons: vec![0.1, 0.05],
        mass: vec![1e-2, 1e-3],
        power: number(power, 0.05),
        prefactor: number(prefactor, 0.01),
        rate: number(rate, 0.01),
        predicted: 0.5,
    }
}

#[test]
fn false_masses_contradict_the_theory_or_the_paper_each_by_its_own_numbers() {
    let right = [leak(0, 1.0, 0.5, 0.3), leak(1, 2.01, 0.495, 0.0)];
    let all = || right.iter().collect::<Vec<_>>();
    assert_eq!(mass::as_predicted(&all()), Relation::Agrees);
    assert_eq!(mass::claim_of_the_support(&all()), Relation::Sharpens);
    // Another power, or another constant, is against T1.5 (b) and says nothing of the paper.
    for wrong in [leak(1, 1.0, 0.5, 0.0), leak(1, 2.0, 0.7, 0.0)] {
        assert_eq!(mass::as_predicted(&[&right[0], &wrong]), Relation::Contradicts);
        assert_eq!(mass::claim_of_the_support(&[&right[0], &wrong]), Relation::Sharpens);
    }
    // Mass of first order where the density vanishes at the boundary is against the paper.
    let first_order = leak(1, 2.0, 0.5, 0.2);
    assert_eq!(mass::claim_of_the_support(&[&right[0], &first_order]), Relation::Contradicts);
    let unknown = Leak { power: Quantity::UNKNOWN, ..leak(1, 2.0, 0.5, 0.0) };
    assert_eq!(mass::as_predicted(&[&unknown]), Relation::Open);
    let none_leaves = Leak { mass: vec![0.0, 0.0], ..leak(1, 2.0, 0.5, 0.0) };
    assert_eq!(mass::claim_of_the_support(&[&none_leaves]), Relation::Agrees);
}

#[test]
fn false_layers_across_the_circle_change_what_is_said_of_them() {
    let layer = |net: f64, width: f64| circle::Layer { net, width, height: 1.0 };
    let shrinking = |net: f64| [layer(net, 0.2), layer(net, 0.1), layer(net, 0.05)];
    let (tangent, normal) = (shrinking(0.99), shrinking(0.02));
    assert_eq!(circle::claim_of_the_manifold(&tangent, &normal), Relation::Sharpens);
    assert_eq!(circle::is_dipole(&tangent[2], &normal[2]), Relation::Agrees);
    // A normal error whose layer has one sign is no dipole, and the paper needs no sharpening.
    assert_eq!(circle::is_dipole(&tangent[2], &tangent[2]), Relation::Contradicts);
    assert_eq!(circle::claim_of_the_manifold(&tangent, &tangent), Relation::Agrees);
    // A change that stays as wide as it is does not live on the manifold.
    let wide = [layer(0.02, 0.2), layer(0.02, 0.19), layer(0.02, 0.2)];
    assert_eq!(circle::claim_of_the_manifold(&tangent, &wide), Relation::Contradicts);
    assert_eq!(circle::is_dipole(&layer(f64::NAN, 0.1), &normal[2]), Relation::Open);
}

#[test]
fn false_distances_and_waves_contradict_the_singular_law() {
    let (rate, epsilon) = (number(0.65, 0.02), 0.26);
    let still = number(0.0, 0.001);
    let moves = |distance: f64| singular::moves_off(number(distance, 0.005), rate, still, epsilon);
    assert_eq!(moves(0.17), Relation::Agrees);
    assert_eq!(moves(0.35), Relation::Contradicts);
    assert_eq!(moves(f64::NAN), Relation::Open);
    let grows = number(0.1, 0.001);
    let tangent = singular::moves_off(number(0.17, 0.005), rate, grows, epsilon);
    assert_eq!(tangent, Relation::Contradicts);
    assert_eq!(singular::is_dipole(number(0.0, 0.003), number(0.95, 0.1)), Relation::Agrees);
    // A response that vanishes with the test function is that of a measure.
    assert_eq!(
        singular::is_dipole(number(0.0, 0.003), number(0.005, 0.003)),
        Relation::Contradicts
    );
    assert_eq!(singular::is_dipole(number(0.5, 0.003), number(0.95, 0.1)), Relation::Contradicts);
    assert_eq!(singular::is_dipole(number(0.0, 0.003), number(0.1, 0.5)), Relation::Open);
}

#[test]
fn false_orders_and_means_contradict_the_derivative_and_its_noise_paths() {
    let order = |value: f64| number(value, 0.02);
    assert_eq!(finite::is_derivative(order(2.0), order(3.0)), Relation::Agrees);
    assert_eq!(finite::is_derivative(order(1.0), order(3.0)), Relation::Contradicts);
    assert_eq!(finite::is_derivative(order(2.0), order(2.0)), Relation::Contradicts);
    assert_eq!(finite::claim_of_small_errors(Relation::Agrees, 0.05), Relation::Sharpens);
    assert_eq!(finite::claim_of_small_errors(Relation::Agrees, 0.5), Relation::Agrees);
    assert_eq!(finite::claim_of_small_errors(Relation::Contradicts, 0.05), Relation::Open);
    assert_eq!(noise::one_response((62, 64), (16, 16), 15), Relation::Agrees);
    assert_eq!(noise::one_response((40, 64), (16, 16), 15), Relation::Contradicts);
    assert_eq!(noise::one_response((62, 64), (8, 16), 15), Relation::Contradicts);
    // Bars so wide that the wrong sign fits too.
    assert_eq!(noise::one_response((64, 64), (16, 16), 63), Relation::Open);
    assert_eq!(moons::same_response(1e-5, order(4.0)), Relation::Agrees);
    assert_eq!(moons::same_response(1e-2, order(4.0)), Relation::Contradicts);
    assert_eq!(moons::same_response(1e-5, order(0.1)), Relation::Contradicts);
}
