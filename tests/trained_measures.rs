//! What is measured on a trained model, against models whose answers are in closed form.

use driftproof::claims::posterior_spread_and_denoiser_error_bound_the_distance::judge_path;
use driftproof::claims::relative_compression_forces_alignment::CLAIM;
use driftproof::drift::{Atoms, Convention, Drift, Prediction, Trained};
use driftproof::facts::Facts;
use driftproof::flow::{Method, uniform_times};
use driftproof::manifold::{Chart, Manifold, Sphere};
use driftproof::observe::model::space::Space;
use driftproof::observe::model::spectrum::{self, Leading};
use driftproof::observe::model::{
    Model, Tangent, alignment, compression, conventions, denoiser, ends, response, selfchecks,
    symmetry,
};
use driftproof::points::PointSet;
use driftproof::random::Stream;
use driftproof::scalar::Scalar;
use driftproof::verdict::Verdict;
use nalgebra::DMatrix;

/// The velocity of flow matching for N(0, diag(λ)): x S'/(2S), S = (1 − t)² + t² λ, with an antisymmetric part beside it.
struct Diagonal {
    variances: Vec<f64>,
    turning: f64,
}

impl Drift for Diagonal {
    fn dim(&self) -> usize {
        self.variances.len()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let one = S::from(1.0);
        for (i, lambda) in self.variances.iter().enumerate() {
            let square = (one - t) * (one - t) + t * t * *lambda;
            out[i] = x[i] * (t * *lambda - (one - t)) / square;
        }
        out[0] += x[1] * self.turning;
        out[1] -= x[0] * self.turning;
    }
}

fn flow() -> Convention {
    Convention::preset("flow", Prediction::Velocity, None).unwrap()
}

fn model<N: Drift>(trained: &Trained<N>) -> Model<'_, N> {
    Model { trained, space: Space::Flat, method: Method::Rk4, steps: 100, span: (0.0, 1.0) }
}

const LEADING: Leading = Leading { pairs: 2, angle: 1e-8, rounds: 60 };

#[test]
fn the_spectrum_of_a_gaussian_flow_is_the_root_of_its_variances() {
    let variances = vec![4.0, 1.0, 0.01];
    let trained = Trained {
        network: Diagonal { variances: variances.clone(), turning: 0.0 },
        convention: flow(),
    };
    let model = model(&trained);
    let starts = model.starts(3, Stream::root(1));
    let runs =
        spectrum::run(&model, &starts, uniform_times(0.0, 1.0, 100), LEADING, Stream::root(2))
            .unwrap();
    let mut facts = Facts::new();
    spectrum::state(&runs, &mut facts);
    for (growth, lambda) in facts.series("log_growth").iter().zip(&variances) {
        // J = √λ (T6.1); the bar is the change from twice the steps.
        assert!(
            (growth.value - 0.5 * lambda.ln()).abs() <= growth.bar.max(1e-9),
            "{growth:?} {lambda}"
        );
        assert!(growth.bar < 1e-3, "{growth:?}");
    }
    // Σ log growth = ∫ div = ½ Σ log λ.
    selfchecks::measure(&model, &runs[0], Stream::root(3), &mut facts).unwrap();
    let whole: f64 = variances.iter().map(|l| 0.5 * l.ln()).sum();
    for name in ["check_growth", "check_divergence"] {
        let found = facts.get(name);
        assert!(
            (found.value - whole).abs() <= 2.0 * found.bar + 1e-9 && found.bar < 1e-2,
            "{name} {found:?} {whole}"
        );
    }
    assert!(facts.get("check_difference").value < 1e-8 && facts.get("check_adjoint").value < 1e-12);
    // The plane of the two large variances, known from data in it.
    let flat =
        DMatrix::from_fn(
            3,
            60,
            |r, i| if r == 2 { 0.0 } else { ((7 * i + 3 * r * i) as f64).sin() },
        );
    let set = PointSet::of_points("flat", flat);
    let tangent = Tangent::Local { set: &set, dimension: 2, neighbours: 16 };
    let angles = alignment::measure(&runs, &tangent, Stream::root(4), &mut facts).unwrap();
    assert!(angles.iter().all(|angle| *angle < 1e-6), "{angles:?}");
    // The largest angle of a random plane in R³ to a fixed one has cosine uniform: median 60°.
    assert!((facts.get("alignment_random").value.to_degrees() - 60.0).abs() < 6.0);
}

#[test]
fn asymmetry_is_that_of_the_turning_part() {
    let of = |turning: f64| {
        let trained = Trained {
            network: Diagonal { variances: vec![1.0, 1.0], turning },
            convention: flow(),
        };
        let model = model(&trained);
        let starts = model.starts(2, Stream::root(1));
        let runs =
            spectrum::run(&model, &starts, uniform_times(0.0, 1.0, 100), LEADING, Stream::root(2))
                .unwrap();
        let mut facts = Facts::new();
        symmetry::measure(&model, &runs, Stream::root(3), &mut facts);
        let (times, found) = (facts.series("asymmetry_time"), facts.series("asymmetry"));
        let pairs: Vec<(f64, f64)> =
            times.iter().zip(found).map(|(s, q)| (s.value, q.value)).collect();
        pairs
    };
    assert!(of(0.0).iter().all(|(_, share)| *share < 1e-12));
    for (s, share) in of(0.5) {
        // λ = 1: the score is −x/S, and an error w of the velocity is one of W b/a·… in it: score = (a' x − a v)/(b W), W = −1.
        let whole = (1.0 - s).powi(2) + s * s;
        let turned = s / (1.0 - s) * 0.5;
        let wanted = 2.0 * turned / (1.0 / (whole * whole) + turned * turned).sqrt();
        assert!((share - wanted).abs() < 1e-9, "{s}: {share} {wanted}");
    }
}

/// Flow matching for N(0, I), with a turn in each plane of two coordinates beside it.
struct Turning {
    dim: usize,
    speed: f64,
}

impl Drift for Turning {
    fn dim(&self) -> usize {
        self.dim
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        let variance = (s - 1.0) * (s - 1.0) + s * s;
        for (out, x) in out.chunks_exact_mut(2).zip(x.chunks_exact(2)) {
            for i in 0..2 {
                out[i] = x[i] * (s * 2.0 - 1.0) / variance;
            }
            out[0] -= x[1] * self.speed;
            out[1] += x[0] * self.speed;
        }
    }
}

#[test]
fn asymmetry_by_images_of_random_directions_is_that_of_the_whole_jacobian() {
    let dim = spectrum::WHOLE + 2 - spectrum::WHOLE % 2;
    for speed in [0.0, 0.5] {
        let trained = Trained { network: Turning { dim, speed }, convention: flow() };
        let model = model(&trained);
        let starts = model.starts(1, Stream::root(1));
        let times = uniform_times(0.0, 1.0, 20);
        let model = Model { steps: 20, ..model };
        let runs = spectrum::run(&model, &starts, times, LEADING, Stream::root(2)).unwrap();
        let mut facts = Facts::new();
        symmetry::measure(&model, &runs, Stream::root(3), &mut facts);
        let (times, found) = (facts.series("asymmetry_time"), facts.series("asymmetry"));
        assert!(!found.is_empty());
        for (s, share) in times.iter().zip(found).map(|(s, q)| (s.value, q.value)) {
            // The score is −x/S, and the turn is one of speed s/(1 − s) in it, whatever the direction.
            let whole = (1.0 - s).powi(2) + s * s;
            let turned = s / (1.0 - s) * speed;
            let wanted = 2.0 * turned / (1.0 / (whole * whole) + turned * turned).sqrt();
            assert!((share - wanted).abs() < 1e-9, "{s}: {share} {wanted}");
        }
    }
}

#[test]
fn alignment_is_the_angle_between_what_the_flow_stretches_and_the_data() {
    let trained = Trained {
        network: Diagonal { variances: vec![1.0, 1e-4], turning: 0.0 },
        convention: flow(),
    };
    let model = model(&trained);
    let starts = model.starts(4, Stream::root(4));
    let times = uniform_times(0.0, 1.0, 100);
    let runs = spectrum::run(&model, &starts, times, LEADING, Stream::root(2)).unwrap();
    for angle in [0.0, 0.5, 1.2] {
        let (sin, cos) = f64::sin_cos(angle);
        let line = DMatrix::from_fn(2, 80, |r, i| [cos, sin][r] * (0.05 * i as f64 - 2.0));
        let set = PointSet::of_points("line", line);
        let of = |dimension| Tangent::Local { set: &set, dimension, neighbours: 8 };
        let mut facts = Facts::new();
        let found = alignment::measure(&runs, &of(1), Stream::root(5), &mut facts).unwrap();
        assert!(found.len() == 4 && found.iter().all(|a| (a - angle).abs() < 1e-6), "{found:?}");
        // The whole plane is aligned with everything: nothing is said.
        let mut nothing = Facts::new();
        assert!(
            alignment::measure(&runs, &of(2), Stream::root(5), &mut nothing).unwrap().is_empty()
        );
        assert_eq!(nothing, Facts::new());
    }
}

#[test]
fn errors_of_a_network_displace_in_proportion_and_along_what_is_not_contracted() {
    let trained = Trained {
        network: Diagonal { variances: vec![1.0, 1e-4], turning: 0.0 },
        convention: flow(),
    };
    let line = DMatrix::from_fn(2, 80, |r, i| if r == 0 { 0.05 * i as f64 - 2.0 } else { 0.0 });
    let set = PointSet::of_points("line", line);
    let tangent = Tangent::Local { set: &set, dimension: 1, neighbours: 8 };
    let mut facts = Facts::new();
    let model = model(&trained);
    let starts = model.starts(96, Stream::root(4));
    let ends = ends(&trained, &model.sampler(), &starts);
    response::measure(&model, &tangent, (&starts, &ends), false, Stream::root(5), &mut facts)
        .unwrap();
    let (size, off, along) = (
        facts.series("response_size"),
        facts.series("response_off"),
        facts.series("response_along"),
    );
    // Small errors: linear.
    let linear = (off[1].value / off[0].value) / (size[1].value / size[0].value);
    assert!((linear - 1.0).abs() < 0.05, "{linear}");
    // δ_i = ∫ √(S(1)/S(t)) w dt: about 1 along λ = 1 (S ≥ 1/2), and s log(2/s) across (T6.1), s = 0.01: 0.053.
    let ratio = off[0].value / along[0].value;
    assert!(ratio > 0.01 && ratio < 0.15, "{ratio}");
}

#[test]
fn compression_of_a_gaussian_flow_is_that_of_its_posterior() {
    for turning in [0.0, 0.4] {
        let trained = Trained {
            network: Diagonal { variances: vec![1.0, 1e-4], turning },
            convention: flow(),
        };
        let model = model(&trained);
        let start = model.starts(1, Stream::root(21)).column(0).into_owned();
        let facts =
            compression::along(&model, &start, 1, (1.0, 0.02), Stream::root(22)).unwrap().unwrap();
        for (u, gamma) in facts.series("time").iter().zip(facts.series("gamma")) {
            // A = C/σ² − I in u = −log σ (T2.5), C/σ² = λ/(λ + σ²); the turn is antisymmetric, and the symmetric part is as it was.
            let square = (-2.0 * u.value).exp();
            let wanted = 1.0 / (1.0 + square) - 1e-4 / (1e-4 + square);
            assert!((gamma.value - wanted).abs() < 1e-9, "{gamma:?} {wanted}");
        }
        for (name, (u, q)) in ["kappa", "eta"].into_iter().flat_map(|name| {
            facts.series("time").iter().zip(facts.series(name)).map(move |pair| (name, pair))
        }) {
            // dt/du = (1 − t)t, t = 1/(1 + σ).
            let sigma = (-u.value).exp();
            let wanted = turning * sigma / (1.0 + sigma).powi(2);
            assert!((q.value - wanted).abs() < 1e-7, "{name} {q:?} {wanted}");
        }
        let verdict = CLAIM.judge(&facts).verdict();
        assert_eq!(verdict, Verdict::Holds, "turning {turning}");
        // Half of the slope's own start is violated: the facts can refute.
        let mut wrong = facts.clone();
        let swollen = facts.series("slope").iter().enumerate();
        let swollen = swollen.map(|(k, q)| if k == 0 { *q } else { *q * 3.0 }).collect();
        wrong.set_series("slope", swollen);
        assert_eq!(CLAIM.judge(&wrong).verdict(), Verdict::Violated);
    }
}

/// dx/dt = e_3 − x_3 x on the unit sphere: conformal, from the south to the north pole.
struct Northwards;

impl Drift for Northwards {
    fn dim(&self) -> usize {
        3
    }

    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        for i in 0..3 {
            out[i] = -(x[2] * x[i]);
        }
        out[2] += 1.0;
    }
}

#[test]
fn a_conformal_flow_of_the_sphere_stretches_alike_within_it() {
    let trained = Trained { network: Northwards, convention: flow() };
    let model = Model { space: Space::Sphere, ..model(&trained) };
    let starts = model.starts(5, Stream::root(7));
    assert!(starts.column_iter().all(|x| (x.norm() - 1.0).abs() < 1e-14));
    let runs =
        spectrum::run(&model, &starts, uniform_times(0.0, 1.0, 100), LEADING, Stream::root(2))
            .unwrap();
    let mut facts = Facts::new();
    spectrum::intrinsic(Space::Flat, &runs, &mut facts).unwrap();
    assert_eq!(facts, Facts::new(), "the growth of R^3 is told already");
    spectrum::intrinsic(model.space, &runs, &mut facts).unwrap();
    let mean = |x: f64| -(1_f64.cosh() + x * 1_f64.sinh()).ln() / 5.0;
    let wanted: f64 = runs.iter().map(|run| mean(run.start[2])).sum();
    let growth = facts.series("intrinsic_growth");
    assert!(growth.len() == 2 && growth.iter().all(|g| (g.value - wanted).abs() < 1e-8));
    for run in &runs {
        let (growth, leaves) =
            model.space.intrinsic(run.jacobian.as_ref().unwrap(), &run.start, &run.end).unwrap();
        // The Möbius flow: both factors are sin θ(1)/sin θ(0) = 1/(cosh 1 + z sinh 1).
        let wanted = -(1_f64.cosh() + run.start[2] * 1_f64.sinh()).ln();
        assert!(growth.iter().all(|g| (g - wanted).abs() < 1e-8), "{growth:?} {wanted}");
        assert!(leaves < 1e-8, "{leaves}");
    }
}

/// The exact denoiser of points D(y; σ), with the error c + M y/|y|.
#[derive(Clone)]
struct Learned {
    atoms: Atoms,
    constant: [f64; 2],
    turned: [[f64; 2]; 2],
}

impl Drift for Learned {
    fn dim(&self) -> usize {
        2
    }

    fn velocity<S: Scalar>(&self, sigma: S, y: &[S], out: &mut [S]) {
        use driftproof::drift::{Channel, Denoise};
        self.atoms.denoise(Channel::canonical(sigma), y, out);
        let norm = (y[0] * y[0] + y[1] * y[1]).sqrt();
        for ((out, c), row) in out.iter_mut().zip(self.constant).zip(self.turned) {
            *out += (y[0] * row[0] + y[1] * row[1]) / norm + c;
        }
    }
}

fn circle(n: usize) -> Vec<f64> {
    let angle = |i: usize| std::f64::consts::TAU * i as f64 / n as f64;
    (0..n).flat_map(|i| [angle(i).cos(), angle(i).sin()]).collect()
}

#[test]
fn a_known_error_of_the_denoiser_is_found_and_its_bound_kept() {
    let points = circle(240);
    let atoms = || Atoms::new(2, points.clone(), None, 0.0).unwrap();
    let convention = Convention::preset("edm:0.02,10", Prediction::EdmDenoiser, None).unwrap();
    let trained = Trained {
        network: Learned { atoms: atoms(), constant: [0.03, 0.0], turned: [[0.0; 2]; 2] },
        convention,
    };
    let model = model(&trained);
    let starts = model.starts(40, Stream::root(9));
    let circle = Manifold::new(Chart::Sphere(Sphere { dim: 1, radius: 1.0 })).unwrap();
    let mut facts = Facts::new();
    denoiser::compare(&model, &atoms(), &Tangent::Known(&circle), &starts, (1.0, 0.05), &mut facts)
        .unwrap();
    for k in 0..facts.series("error").len() {
        assert!((facts.at("error", k).value - 0.03).abs() < 1e-9);
        // |cos θ| of directions spread over the circle: median 1/√2.
        let normal = facts.at("error_normal", k).value / 0.03;
        assert!(normal > 0.45 && normal < 0.95, "{normal}");
        assert!(facts.at("error_slope", k).value < 1e-9, "a constant error has no slope");
    }
    let off = denoiser::off_the_set(&atoms(), &circle).unwrap();
    assert!(off < 1e-12, "{off}");
    let (mut judged, mut entered) = (0, 0);
    for start in starts.column_iter() {
        let start = start.into_owned();
        let Some(facts) =
            denoiser::path(&model, &atoms(), (&circle, off), &start, (1.0, 0.05)).unwrap()
        else {
            continue;
        };
        // A state that starts beyond the reach is followed from where it stays within.
        let first = facts.at("time", 0).value;
        entered += usize::from(first > 1e-9);
        assert!(facts.series("distance").iter().all(|distance| distance.value < 1.0));
        let judgement = judge_path(&facts);
        assert_ne!(judgement.verdict(), Verdict::Violated, "{judgement:?}");
        judged += usize::from(judgement.verdict() == Verdict::Holds);
        // Told that there is no error and no spread, the bound falls: it is not loose by orders.
        let mut none = facts.clone();
        for name in ["error", "spread"] {
            none.set_series(
                name,
                vec![driftproof::facts::Quantity::exact(0.0); facts.series(name).len()],
            );
        }
        if facts.series("error").iter().all(|e| e.value > 0.02) {
            assert_eq!(judge_path(&none).verdict(), Verdict::Violated);
        }
        // Data off the set are out of scope, and a fact that is missing is not "holds".
        let mut off = facts.clone();
        off.set("off_the_set", driftproof::facts::Quantity::exact(0.1));
        assert_eq!(judge_path(&off).verdict(), Verdict::OutOfScope);
        let mut unknown = facts.clone();
        unknown.set_series(
            "spread",
            vec![driftproof::facts::Quantity::UNKNOWN; facts.series("spread").len()],
        );
        assert_ne!(judge_path(&unknown).verdict(), Verdict::Holds);
    }
    assert!(judged > 20, "{judged} of 40 hold");
    assert!(entered >= 3, "{entered} of 40 come from beyond the reach");
}

#[test]
fn errors_across_the_data_are_told_from_those_along_them_in_any_units_of_the_state() {
    let circle_itself = Manifold::new(Chart::Sphere(Sphere { dim: 1, radius: 1.0 })).unwrap();
    let atoms = Atoms::new(2, circle(240), None, 0.0).unwrap();
    // Under vp-linear the state is a y, and a network that is given σ tells y by itself.
    for (preset, time) in [("edm:0.02,10", None), ("vp-linear", Some("sigma"))] {
        let compared = |constant: [f64; 2], turned: [[f64; 2]; 2]| {
            let convention = Convention::preset(preset, Prediction::EdmDenoiser, time).unwrap();
            let network = Learned { atoms: atoms.clone(), constant, turned };
            let trained = Trained { network, convention };
            let model = model(&trained);
            let (starts, mut facts) = (model.starts(12, Stream::root(9)), Facts::new());
            let tangent = Tangent::Known(&circle_itself);
            denoiser::compare(&model, &atoms, &tangent, &starts, (1.0, 0.05), &mut facts).unwrap();
            facts
        };
        let all = |facts: &Facts, name: &str, wanted: f64| {
            let found = facts.series(name);
            assert!(!found.is_empty());
            assert!(found.iter().all(|q| (q.value - wanted).abs() < 1e-9), "{preset} {found:?}");
        };
        let across = compared([0.0; 2], [[0.03, 0.0], [0.0, 0.03]]);
        all(&across, "error", 0.03);
        all(&across, "error_normal", 0.03);
        let along = compared([0.0; 2], [[0.0, 0.03], [-0.03, 0.0]]);
        all(&along, "error", 0.03);
        all(&along, "error_normal", 0.0);
        // A constant error has no slope, in the units of the data as in those of the state.
        all(&compared([0.03, 0.0], [[0.0; 2]; 2]), "error_slope", 0.0);
    }
}

#[test]
fn the_convention_of_the_training_is_told_from_its_rivals() {
    let points = circle(400);
    let atoms = Atoms::new(2, points.clone(), None, 0.0).unwrap();
    let edm = |predicts| Convention::preset("edm:0.02,10", predicts, None).unwrap();
    let set = PointSet::of_points("circle", DMatrix::from_vec(2, 400, points));
    let declared = |predicts: Prediction| {
        let network = Learned { atoms: atoms.clone(), constant: [0.0; 2], turned: [[0.0; 2]; 2] };
        let trained = Trained { network, convention: edm(predicts) };
        let rivals = [Prediction::EdmDenoiser, Prediction::Noise, Prediction::V].map(edm);
        let rivals = rivals.into_iter().filter(|rival| rival.predicts != predicts).collect();
        conventions::compare(&model(&trained), rivals, &set, 200, Stream::root(11))
    };
    let right = declared(Prediction::EdmDenoiser);
    assert!(right.better().is_none() && right.alike().is_empty(), "{right:?}");
    let wrong = declared(Prediction::Noise);
    assert!(wrong.better().unwrap().name.contains("edm-denoiser"), "{wrong:?}");
    // E[X|x] of y = x is also called x0 where a = 1: nothing tells the two apart.
    let network = Learned { atoms: atoms.clone(), constant: [0.0; 2], turned: [[0.0; 2]; 2] };
    let trained = Trained { network, convention: edm(Prediction::EdmDenoiser) };
    let same = conventions::compare(
        &model(&trained),
        vec![edm(Prediction::Data)],
        &set,
        200,
        Stream::root(12),
    );
    assert_eq!(same.alike().len(), 1);
    assert!(same.better().is_none());
}

#[test]
fn samples_that_leave_the_numbers_are_told() {
    struct Explosive;
    impl Drift for Explosive {
        fn dim(&self) -> usize {
            2
        }
        fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
            out[0] = x[0].powi(5) * 1e30;
            out[1] = x[1];
        }
    }
    let trained = Trained { network: Explosive, convention: flow() };
    let model = model(&trained);
    let samples = ends(&trained, &model.sampler(), &model.starts(4, Stream::root(1)));
    let said = driftproof::observe::model::check_finite(&samples).unwrap_err().to_string();
    assert!(said.contains("4 of 4 samples"), "{said}");
}
