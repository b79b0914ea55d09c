//! Schedules against their closed forms, and every path against the continuity equation.

use driftproof::drift::{
    Atoms, Canonical, Channel, Denoise, Denoiser, Drift, Gaussian, GaussianPath, Moved, Product,
    Schedule, Segment, Sphere, Thick, Workspace,
};
use driftproof::linalg::frame_from_normals;
use driftproof::random::Stream;
use nalgebra::{DMatrix, DVector};
use num_dual::{Dual, Dual64};
use std::f64::consts::{FRAC_PI_2, PI};

const ROUNDING: f64 = 1e-12;

const VP: Schedule = Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 };
const SUB_VP: Schedule = Schedule::SubVp { beta_min: 0.1, beta_max: 20.0 };
const COSINE: Schedule = Schedule::VpCosine { offset: 0.008 };
const VE: Schedule = Schedule::Ve { sigma_min: 0.01, sigma_max: 50.0 };
const EDM: Schedule = Schedule::Edm { sigma_min: 0.002, sigma_max: 80.0, rho: 7 };
const FLOW: Schedule = Schedule::FlowMatching;
const TRIGONOMETRIC: Schedule = Schedule::Trigonometric;
const ALL: [Schedule; 7] = [VP, SUB_VP, COSINE, VE, EDM, FLOW, TRIGONOMETRIC];

/// Inside times, where every schedule has a > 0 and b > 0.
const TIMES: [f64; 5] = [0.02, 0.25, 0.5, 0.8, 0.97];

/// (a, b, a', b') at s by the formulas of the papers, differentiated by hand.
fn by_hand(schedule: Schedule, s: f64) -> [f64; 4] {
    let t = 1.0 - s;
    // ∫_0^t β = β_min t + (β_max − β_min) t²/2 with β_min = 0.1, β_max = 20; d/ds = −d/dt.
    let (integral, beta) = (0.1 * t + 9.95 * t * t, 0.1 + 19.9 * t);
    let a = (-0.5 * integral).exp();
    match schedule {
        Schedule::VpLinear { .. } => {
            let b = (1.0 - a * a).sqrt();
            [a, b, 0.5 * beta * a, -0.5 * beta * a * a / b]
        }
        Schedule::SubVp { .. } => [a, 1.0 - a * a, 0.5 * beta * a, -beta * a * a],
        Schedule::VpCosine { offset } => {
            let start = (FRAC_PI_2 * offset / (1.0 + offset)).cos();
            let (sin, cos) = (FRAC_PI_2 * (t + offset) / (1.0 + offset)).sin_cos();
            let (a, slope) = (cos / start, FRAC_PI_2 / (1.0 + offset) * sin / start);
            let b = (1.0 - a * a).sqrt();
            [a, b, slope, -a * slope / b]
        }
        Schedule::Ve { .. } => {
            let b = 50.0 * (0.01_f64 / 50.0).powf(s);
            [1.0, b, 0.0, b * (0.01_f64 / 50.0).ln()]
        }
        Schedule::Edm { .. } => {
            let (high, low) = (80.0_f64.powf(1.0 / 7.0), 0.002_f64.powf(1.0 / 7.0));
            let root = high + s * (low - high);
            [1.0, root.powi(7), 0.0, 7.0 * root.powi(6) * (low - high)]
        }
        Schedule::FlowMatching => [s, 1.0 - s, 1.0, -1.0],
        Schedule::Trigonometric => {
            let (sin, cos) = (FRAC_PI_2 * s).sin_cos();
            [sin, cos, FRAC_PI_2 * cos, -FRAC_PI_2 * sin]
        }
    }
}

#[test]
fn rates_agree_with_derivatives_by_hand() {
    for schedule in ALL {
        for s in TIMES {
            let (a, b, da, db) = schedule.rates(s);
            for (found, expected) in [a, b, da, db].into_iter().zip(by_hand(schedule, s)) {
                let error = (found - expected).abs();
                assert!(error < ROUNDING * (1.0 + expected.abs()), "{schedule:?} {s}: {error:e}");
            }
        }
    }
}

#[test]
fn variance_is_preserved_by_those_that_say_so() {
    for schedule in [VP, COSINE, TRIGONOMETRIC] {
        for s in TIMES {
            let (a, b): (f64, f64) = schedule.coefficients(s);
            assert!((a * a + b * b - 1.0).abs() < ROUNDING, "{schedule:?} {s}");
        }
    }
    // And not by the others.
    for schedule in [SUB_VP, VE, EDM, FLOW] {
        let (a, b): (f64, f64) = schedule.coefficients(0.5);
        assert!((a * a + b * b - 1.0).abs() > 1e-3, "{schedule:?}");
    }
}

#[test]
fn noise_to_signal_ratio_falls_strictly_and_is_inverted() {
    for schedule in ALL {
        let mut last = f64::INFINITY;
        for i in 1..100 {
            let s = f64::from(i) / 100.0;
            let sigma = schedule.sigma(s);
            assert!(sigma < last && sigma > 0.0, "{schedule:?} {s}");
            assert!((schedule.time_at_sigma(sigma) - s).abs() < ROUNDING, "{schedule:?} {s}");
            last = sigma;
        }
        // Out of reach: the nearer end.
        assert!(schedule.time_at_sigma(1e300) < ROUNDING, "{schedule:?}");
        assert!(schedule.time_at_sigma(0.0) > 1.0 - ROUNDING, "{schedule:?}");
    }
}

#[test]
fn ends_are_noise_and_data() {
    for schedule in [FLOW, TRIGONOMETRIC, COSINE] {
        let (a, b): (f64, f64) = schedule.coefficients(0.0);
        assert!(a.abs() < ROUNDING && (b - 1.0).abs() < ROUNDING, "{schedule:?}");
    }
    for schedule in [VP, SUB_VP, FLOW, TRIGONOMETRIC, COSINE] {
        let (a, b): (f64, f64) = schedule.coefficients(1.0);
        assert!((a - 1.0).abs() < ROUNDING && b.abs() < ROUNDING, "{schedule:?}");
    }
    for (schedule, high, low) in [(VE, 50.0, 0.01), (EDM, 80.0, 0.002)] {
        assert!((schedule.sigma(0.0) / high - 1.0).abs() < ROUNDING, "{schedule:?}");
        assert!((schedule.sigma(1.0) / low - 1.0).abs() < ROUNDING, "{schedule:?}");
    }
    // Near the data, VP keeps the digits of its small noise: b² = ∫β + O(∫β²).
    let t = 1e-9;
    let (_, b): (f64, f64) = VP.coefficients(1.0 - t);
    assert!((b * b / (0.1 * t) - 1.0).abs() < 1e-6);
}

/// Laws that are neither centred nor aligned with the axes.
fn laws() -> Vec<(&'static str, Denoiser)> {
    let normals = Stream::root(4).normals(60);
    let axes = frame_from_normals(3, 3, &normals);
    let embedding = frame_from_normals(3, 2, &normals[9..]);
    let weights = Some(vec![0.1, -0.7, 0.3, 0.0]);
    let atoms = Atoms::new(3, normals[15..27].to_vec(), weights, 0.2).unwrap();
    let circle = Sphere::new(2, 1.1).unwrap();
    let segment = Segment::new(0.9).unwrap();
    let cylinder = Product::new(vec![circle.into(), segment.into()]).unwrap();
    vec![
        ("atoms", atoms.into()),
        (
            "gaussian",
            Gaussian::new(vec![0.3, -0.5, 1.0], axes, vec![1.5, 0.1, 0.0]).unwrap().into(),
        ),
        ("sphere", Sphere::new(3, 1.2).unwrap().into()),
        ("cylinder", cylinder.into()),
        ("circle", Moved::new(circle.into(), embedding, vec![0.1, 0.4, -0.2]).unwrap().into()),
        ("thick", Thick::new(Sphere::new(3, 0.9).unwrap().into(), 0.3).unwrap().into()),
    ]
}

/// A plausible state at time s: of the size of x_s.
fn plausible(schedule: Schedule, s: f64, seed: u64) -> Vec<f64> {
    let (a, b): (f64, f64) = schedule.coefficients(s);
    let normals = Stream::root(seed).named("state").normals(6);
    (0..3).map(|i| a * normals[i] + b * normals[3 + i]).collect()
}

/// ∂_s log p + div v + v·∇ log p, and the size of its terms: 0 says that v transports p.
fn continuity<F: Drift>(
    schedule: Schedule,
    law: &Denoiser,
    field: &F,
    s: f64,
    x: &[f64],
) -> (f64, f64) {
    let channel = |s: Dual64| {
        let (a, b) = schedule.coefficients(s);
        Channel { signal: a, noise_variance: b * b }
    };
    let fixed: Vec<Dual64> = x.iter().map(|x| Dual64::from(*x)).collect();
    let in_time = law.log_density(channel(Dual::new(s, 1.0)), &fixed).eps;
    let (mut divergence, mut advection, mut size) = (0.0, 0.0, in_time.abs());
    for i in 0..x.len() {
        let mut moved = fixed.clone();
        moved[i].eps = 1.0;
        let mut v = fixed.clone();
        field.velocity(Dual64::from(s), &moved, &mut v);
        let slope = law.log_density(channel(Dual64::from(s)), &moved).eps;
        divergence += v[i].eps;
        advection += v[i].re * slope;
        size += v[i].eps.abs() + (v[i].re * slope).abs();
    }
    (in_time + divergence + advection, size)
}

/// The residual relative to its terms, the worst over laws, times and states.
fn worst_residual(schedule: Schedule, mutate: impl Fn(Schedule, &Denoiser) -> f64) -> f64 {
    laws().iter().map(|(_, law)| mutate(schedule, law)).fold(0.0, f64::max)
}

#[test]
fn paths_satisfy_the_continuity_equation() {
    for schedule in ALL {
        for (name, law) in &laws() {
            let path = GaussianPath { schedule, denoiser: law };
            for (seed, s) in TIMES.into_iter().enumerate() {
                let x = plausible(schedule, s, seed as u64);
                let (residual, size) = continuity(schedule, law, &path, s, &x);
                assert!(size > 1e-3, "nothing was tested");
                // The terms themselves are differences of terms larger by up to 1/σ².
                let bound = 1e-11 * size * (1.0 + schedule.sigma(s).powi(-2));
                assert!(
                    residual.abs() < bound,
                    "{schedule:?} {name} {s}: {residual:e} of {size:e}"
                );
            }
        }
    }
}

/// A field with one mistake.
struct Mutant<'a> {
    path: GaussianPath<'a, Denoiser>,
    mistake: Mistake,
}

#[derive(Clone, Copy, Debug)]
enum Mistake {
    TimeReversed,
    NoSignalRate,
    NoDrag,
    NoiseRateDoubled,
    PosteriorShrunk,
}

impl Drift for Mutant<'_> {
    fn dim(&self) -> usize {
        self.path.dim()
    }

    fn velocity<S: driftproof::scalar::Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        let (a, b, da, db) = self.path.schedule.rates(s);
        let channel = Channel { signal: a, noise_variance: b * b };
        self.path.denoiser.denoise(channel, x, out);
        for (o, x) in out.iter_mut().zip(x) {
            let (drag, pull) = (*x * db / b, *o * (da - a * db / b));
            *o = match self.mistake {
                Mistake::TimeReversed => -drag - pull,
                Mistake::NoSignalRate => drag - *o * a * db / b,
                Mistake::NoDrag => pull,
                Mistake::NoiseRateDoubled => drag + pull + (*x - *o * a) * db / b,
                Mistake::PosteriorShrunk => drag + pull * 0.999,
            };
        }
    }
}

#[test]
fn mutated_paths_break_the_continuity_equation() {
    use Mistake::{NoDrag, NoSignalRate, NoiseRateDoubled, PosteriorShrunk, TimeReversed};
    for schedule in ALL {
        for mistake in [TimeReversed, NoSignalRate, NoDrag, NoiseRateDoubled, PosteriorShrunk] {
            if matches!(
                (mistake, schedule),
                (NoSignalRate, Schedule::Ve { .. } | Schedule::Edm { .. })
            ) {
                continue; // a' = 0 there: this is no mistake
            }
            let worst = worst_residual(schedule, |schedule, law| {
                let path = GaussianPath { schedule, denoiser: law };
                let field = Mutant { path, mistake };
                let x = plausible(schedule, 0.5, 1);
                let (residual, size) = continuity(schedule, law, &field, 0.5, &x);
                residual.abs() / size
            });
            assert!(worst > 1e-6, "{mistake:?} passes for {schedule:?}: {worst:e}");
        }
    }
}

#[test]
fn canonical_drift_is_the_path_in_its_own_coordinates() {
    // y = x/a, σ = b/a: dy/dσ = (v − a' y)/(a σ') (T6.2).
    for schedule in ALL {
        for (name, law) in &laws() {
            let s = 0.6;
            let (a, b, da, db) = schedule.rates(s);
            let x = plausible(schedule, s, 9);
            let mut v = [0.0; 3];
            GaussianPath { schedule, denoiser: law }.velocity(s, &x, &mut v);
            let y: Vec<f64> = x.iter().map(|x| x / a).collect();
            let mut canonical = [0.0; 3];
            Canonical { denoiser: law }.velocity(b / a, &y, &mut canonical);
            let rate = (db - b * da / a) / a;
            for i in 0..3 {
                let expected = (v[i] - da * y[i]) / (a * rate);
                let error = (canonical[i] - expected).abs();
                assert!(error < ROUNDING * (1.0 + expected.abs()) * 100.0, "{schedule:?} {name}");
            }
        }
    }
}

#[test]
fn schedules_that_cannot_be_are_refused() {
    for schedule in ALL {
        schedule.validate().unwrap();
    }
    let (nan, infinity) = (f64::NAN, f64::INFINITY);
    let refused = [
        Schedule::VpLinear { beta_min: -0.1, beta_max: 20.0 },
        Schedule::VpLinear { beta_min: 20.0, beta_max: 0.1 },
        Schedule::VpLinear { beta_min: 0.0, beta_max: 0.0 },
        Schedule::SubVp { beta_min: 0.1, beta_max: infinity },
        Schedule::SubVp { beta_min: nan, beta_max: 1.0 },
        Schedule::VpCosine { offset: -0.1 },
        Schedule::VpCosine { offset: nan },
        Schedule::Ve { sigma_min: 0.0, sigma_max: 1.0 },
        Schedule::Ve { sigma_min: 1.0, sigma_max: 1.0 },
        Schedule::Ve { sigma_min: 1.0, sigma_max: infinity },
        Schedule::Edm { sigma_min: 2.0, sigma_max: 1.0, rho: 7 },
        Schedule::Edm { sigma_min: 0.1, sigma_max: nan, rho: 7 },
        Schedule::Edm { sigma_min: 0.1, sigma_max: 1.0, rho: 0 },
        Schedule::Edm { sigma_min: 0.1, sigma_max: 1.0, rho: -7 },
    ];
    for schedule in refused {
        let error = schedule.validate().expect_err(&format!("{schedule:?} was accepted"));
        assert!(error.is_input() && error.to_string().contains("try:"));
    }
}

#[test]
fn drifts_of_unbounded_ratio_are_regular_at_pure_noise() {
    // At s = 0: v = −x + E[X] for flow matching, (π/2) E[X] for the trigonometric path.
    for (name, law) in &laws() {
        let x = [0.3, -0.8, 1.1];
        let mut prior = [0.0; 3];
        law.denoise(Channel { signal: 0.0, noise_variance: 1.0 }, &x, &mut prior);
        let mut v = [0.0; 3];
        GaussianPath { schedule: FLOW, denoiser: law }.velocity(0.0, &x, &mut v);
        for i in 0..3 {
            assert!((v[i] - prior[i] + x[i]).abs() < ROUNDING, "{name}");
        }
        GaussianPath { schedule: TRIGONOMETRIC, denoiser: law }.velocity(0.0, &x, &mut v);
        for i in 0..3 {
            assert!((v[i] - 0.5 * PI * prior[i]).abs() < ROUNDING, "{name}");
        }
    }
}

#[test]
fn canonical_jacobian_is_the_posterior_covariance_less_the_identity() {
    // T2.5 with u = −log σ: A = C/σ² − I, here with C from the direct posterior sum over the atoms.
    let points = Stream::root(6).normals(12);
    let law = Atoms::new(3, points.clone(), None, 0.0).unwrap();
    let (sigma, y) = (0.8, [0.3, -0.5, 0.9]);
    let columns = DMatrix::from_column_slice(3, 4, &points);
    let weights: Vec<f64> = columns
        .column_iter()
        .map(|p| {
            let square: f64 = p.iter().zip(y).map(|(p, y)| (y - p).powi(2)).sum();
            (-square / (2.0 * sigma * sigma)).exp()
        })
        .collect();
    let mass: f64 = weights.iter().sum();
    let mean =
        columns.column_iter().zip(&weights).map(|(p, w)| p * *w).sum::<DVector<f64>>() / mass;
    let mut covariance = DMatrix::zeros(3, 3);
    for (point, weight) in columns.column_iter().zip(&weights) {
        let offset = point - &mean;
        covariance += &offset * offset.transpose() * (weight / mass);
    }
    let field = Canonical { denoiser: &law };
    let jacobian = field.jacobian(sigma, &y, &mut Workspace::default()) * -sigma;
    let expected = covariance / (sigma * sigma) - DMatrix::identity(3, 3);
    assert!((jacobian - expected).norm() < ROUNDING);
}
