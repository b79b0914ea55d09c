//! Conventions of trained networks: networks in closed form on Gaussian data, under every prediction and preset.

use driftproof::drift::{
    Convention, Drift, Lanes, NoiseLevels, NoiseTable, Prediction, Trained, Workspace,
};
use driftproof::formula::Names;
use driftproof::random::Stream;
use driftproof::scalar::Scalar;
use nalgebra::DMatrix;
use std::f64::consts::FRAC_PI_2;

/// Variances of the data along the coordinates: N(0, diag(λ)).
const VARIANCES: [f64; 3] = [1.7, 0.4, 0.05];

/// σ_data of the EDM networks, not the deviation of the data.
const SIGMA_DATA: f64 = 0.8;

const PRESETS: [&str; 7] =
    ["flow", "flow-reversed", "vp-linear", "vp-cosine", "ve", "sub-vp", "trig"];

/// Signal and noise by the formulas of the papers, as functions of s = 0 (noise) … 1 (data).
fn by_hand(preset: &str, s: f64) -> (f64, f64) {
    let t = 1.0 - s;
    let vp = (-0.5 * (0.1 * t + 9.95 * t * t)).exp();
    let cosine = (FRAC_PI_2 * (t + 0.008) / 1.008).cos() / (FRAC_PI_2 * 0.008 / 1.008).cos();
    let root = |sigma: f64| sigma.powf(1.0 / 7.0);
    match preset {
        "flow" | "flow-reversed" => (s, t),
        "trig" => ((FRAC_PI_2 * s).sin(), (FRAC_PI_2 * s).cos()),
        "vp-linear" => (vp, (1.0 - vp * vp).sqrt()),
        "sub-vp" => (vp, 1.0 - vp * vp),
        "vp-cosine" => (cosine, (1.0 - cosine * cosine).sqrt()),
        "ve" => (1.0, 50.0 * (0.01_f64 / 50.0).powf(s)),
        "edm" => (1.0, (root(80.0) + s * (root(0.002) - root(80.0))).powi(7)),
        other => panic!("{other}"),
    }
}

/// What the customary network of a preset is told of s.
fn time_by_hand(preset: &str, predicts: &str, s: f64) -> f64 {
    let (a, b) = by_hand(preset, s);
    match (preset, predicts) {
        ("ve" | "edm", "edm-f") => (b / a).ln() / 4.0,
        ("ve" | "edm", _) => b / a,
        ("flow" | "trig", _) => s,
        _ => 1.0 - s,
    }
}

/// The exact velocity x S'/(2S) along each coordinate, S = a²λ + b² (T6.1); S' by central differences.
fn velocity_by_hand(preset: &str, s: f64, x: &[f64]) -> Vec<f64> {
    let of = |lambda: f64, s: f64| {
        let (a, b) = by_hand(preset, s);
        a * a * lambda + b * b
    };
    let h = 1e-5;
    // (log S)'/2, to the fourth order.
    let log = |lambda: f64, k: f64| of(lambda, s + k * h).ln();
    let slope = |lambda: f64| {
        (8.0 * (log(lambda, 1.0) - log(lambda, -1.0)) - log(lambda, 2.0) + log(lambda, -2.0))
            / (12.0 * h)
    };
    x.iter().zip(VARIANCES).map(|(x, lambda)| x * slope(lambda) / 2.0).collect()
}

/// A network that is exact on the Gaussian, at one s: linear in its input, deaf to nothing else.
///
/// It answers only to the time it was trained for: at another it returns what is right for s by [`Self::at_time`].
struct Exact {
    preset: &'static str,
    predicts: &'static str,
    sigma_data: f64,
}

impl Exact {
    /// s from the network's own time, by bisection of the formulas by hand.
    fn at_time(&self, time: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        let of = |s: f64| time_by_hand(self.preset, self.predicts, s);
        let rising = of(0.9) > of(0.1);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if (of(middle) < time) == rising { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

impl Drift for Exact {
    fn dim(&self) -> usize {
        VARIANCES.len()
    }

    fn velocity<S: Scalar>(&self, t: S, input: &[S], out: &mut [S]) {
        let s = self.at_time(t.re());
        let (a, b) = by_hand(self.preset, s);
        let (sigma, own) = (b / a, self.sigma_data);
        let total = sigma * sigma + own * own;
        for (i, lambda) in VARIANCES.into_iter().enumerate() {
            let whole = a * a * lambda + b * b;
            // E[X|x] = a λ x/S and E[ξ|x] = b x/S; along y = x/a the first is λ y/(λ + σ²).
            let factor = match self.predicts {
                "score" => -1.0 / whole,
                "eps" => b / whole,
                "x0" => a * lambda / whole,
                "v" => (a * b - b * a * lambda) / whole,
                "edm-denoiser" => lambda / (lambda + sigma * sigma),
                "edm-f" => {
                    // The input is c_in y, F = (D − c_skip y)/c_out.
                    let (skip, out) = (own * own / total, sigma * own / total.sqrt());
                    total.sqrt() * (lambda / (lambda + sigma * sigma) - skip) / out
                }
                "velocity" => {
                    let along = if matches!(self.preset, "flow" | "trig") { 1.0 } else { -1.0 };
                    along * velocity_by_hand(self.preset, s, &[1.0; 3])[i]
                }
                other => panic!("{other}"),
            };
            out[i] = input[i] * factor;
        }
    }
}

fn trained(preset: &'static str, predicts: &'static str) -> Trained<Exact> {
    let predicted = Prediction::named(predicts, SIGMA_DATA).unwrap();
    Trained {
        network: Exact { preset, predicts, sigma_data: SIGMA_DATA },
        convention: Convention::preset(preset, predicted, None).unwrap(),
    }
}

fn cases() -> Vec<(&'static str, &'static str)> {
    let plain = ["velocity", "score", "eps", "x0", "v"];
    let mut cases: Vec<_> =
        PRESETS.iter().flat_map(|preset| plain.map(|predicts| (*preset, predicts))).collect();
    for predicts in ["velocity", "score", "eps", "x0", "v", "edm-denoiser", "edm-f"] {
        cases.push(("edm", predicts));
    }
    cases.extend([("ve", "edm-denoiser"), ("ve", "edm-f"), ("vp-linear", "edm-denoiser")]);
    cases
}

const STATE: [f64; 3] = [0.7, -1.3, 0.4];

fn largest_miss(got: &[f64], wanted: &[f64]) -> f64 {
    let size = wanted.iter().map(|w| w.abs()).fold(0.0, f64::max);
    got.iter().zip(wanted).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max) / size
}

#[test]
fn exact_networks_give_the_exact_velocity_under_every_convention() {
    for (preset, predicts) in cases() {
        let model = trained(preset, predicts);
        for s in [0.05, 0.3, 0.55, 0.8, 0.97] {
            let mut v = [0.0; 3];
            model.velocity(s, &STATE, &mut v);
            let miss = largest_miss(&v, &velocity_by_hand(preset, s, &STATE));
            // Central differences of the fourth order in steps of 1e-5: rounding 1e-11, and the slope of √ near s = 1.
            assert!(miss < 1e-8, "{preset} {predicts} at {s}: {miss:e}");
        }
    }
}

#[test]
fn denoiser_and_score_behind_any_prediction_are_those_of_the_gaussian() {
    let mut work = Workspace::default();
    for (preset, predicts) in cases() {
        let model = trained(preset, predicts);
        for s in [0.1, 0.6, 0.9] {
            let (a, b) = by_hand(preset, s);
            let of = |factor: fn(f64, f64, f64) -> f64| -> Vec<f64> {
                VARIANCES.iter().map(|lambda| factor(a, a * a * lambda + b * b, *lambda)).collect()
            };
            let (denoised, score) =
                (of(|a, whole, lambda| a * lambda / whole), of(|_, whole, _| -1.0 / whole));
            for (wanted, (value, jacobian)) in [
                (denoised, model.denoised(s, &STATE, &mut work)),
                (score, model.score(s, &STATE, &mut work)),
            ] {
                let at: Vec<f64> = wanted.iter().zip(STATE).map(|(w, x)| w * x).collect();
                // The denoiser takes b' out of v, which may be σ_max/σ times as large.
                let tolerance = 1e-8 * (1.0 + b / a);
                assert!(
                    largest_miss(&value, &at) < tolerance,
                    "{preset} {predicts} {s} {value:?} {at:?}"
                );
                let jacobian: Vec<f64> = jacobian.iter().copied().collect();
                let diagonal = DMatrix::from_diagonal(&nalgebra::DVector::from_vec(wanted));
                assert!(
                    largest_miss(&jacobian, diagonal.as_slice()) < tolerance,
                    "{preset} {predicts} {s}"
                );
            }
        }
    }
}

#[test]
fn the_velocity_is_the_formula_that_is_printed() {
    let names = ["a", "b", "da", "db", "W", "s", "x", "n", "q"];
    let value = |text: &str, values: &[f64; 9]| {
        let mut table = Names::default();
        names.iter().for_each(|name| table.number(name).unwrap());
        table.formula(text).unwrap().values(values)[0]
    };
    for (preset, predicts) in cases() {
        let model = trained(preset, predicts);
        // FORMULA with N(INPUT, TIME), and for some ", q = FORMULA".
        let text = model.convention.velocity().replace("a'", "da").replace("b'", "db");
        let (text, q) = text.split_once(", q = ").unwrap_or((&text, "1"));
        let (before, rest) = text.split_once("N(").unwrap();
        let (input, rest) = rest.split_once(", ").unwrap();
        let inside = |depth: &mut i32, c: char| {
            *depth += i32::from(c == '(') - i32::from(c == ')');
            Some(*depth >= 0)
        };
        let end = rest.chars().scan(0, inside).position(|inside| !inside).unwrap();
        let (time, after) = (&rest[..end], &rest[end + 1..]);
        for s in [0.2, 0.7] {
            let (a, b, da, db) = model.convention.levels.rates(s);
            let mut known = [a, b, da, db, a * db - da * b, s, 0.0, 0.0, 1.0];
            known[8] = value(q, &known);
            let with_state = |x: f64, n: f64| {
                let mut known = known;
                (known[6], known[7]) = (x, n);
                known
            };
            let inputs = STATE.map(|x| value(input, &with_state(x, 0.0)));
            let (mut n, mut v) = ([0.0; 3], [0.0; 3]);
            model.network.velocity(value(time, &known), &inputs, &mut n);
            let whole = format!("{before}n{after}");
            let printed: Vec<f64> =
                (0..3).map(|i| value(&whole, &with_state(STATE[i], n[i]))).collect();
            model.velocity(s, &STATE, &mut v);
            assert!(largest_miss(&v, &printed) < 1e-12, "{preset} {predicts}: {whole}");
        }
    }
}

/// A network that is not linear, not symmetric, and depends on time.
struct Curved;

impl Drift for Curved {
    fn dim(&self) -> usize {
        2
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        out[0] = (x[0] * 1.3 + x[1] * 0.4).sin() + t * x[1];
        out[1] = x[0] * x[1] - t * t * x[0] * 0.7;
    }
}

/// A field with nothing but its velocity: tangents by duals.
struct Plain<'a>(&'a Trained<Curved>);

impl Drift for Plain<'_> {
    fn dim(&self) -> usize {
        2
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        self.0.velocity(s, x, out);
    }
}

#[test]
fn pushed_and_pulled_tangents_are_those_of_the_velocity() {
    let convention = |preset: &str, predicts: &str| {
        Convention::preset(preset, Prediction::named(predicts, 0.6).unwrap(), None).unwrap()
    };
    for (preset, predicts) in
        [("vp-linear", "v"), ("edm", "edm-f"), ("flow", "velocity"), ("ddpm:1000", "eps")]
    {
        let model = Trained { network: Curved, convention: convention(preset, predicts) };
        let mut work = Workspace::default();
        let lanes = Lanes { trajectories: 2, tangents: 2 };
        let block = Stream::root(5).normals(12);
        let (mut fast, mut generic) = (vec![0.0; 12], vec![0.0; 12]);
        model.push(0.4, &block, lanes, &mut fast, &mut work);
        Plain(&model).push(0.4, &block, lanes, &mut generic, &mut work);
        assert!(largest_miss(&fast, &generic) < 1e-14, "{preset} {fast:?} {generic:?}");
        let state = &block[..2];
        let covectors = DMatrix::from_vec(2, 2, vec![0.3, -1.0, 0.5, 0.2]);
        let pulled = model.pull(0.4, state, &covectors, &mut work);
        let jacobian = model.jacobian(0.4, state, &mut work);
        let wanted = jacobian.transpose() * covectors;
        assert!((pulled - &wanted).norm() < 1e-13 * (1.0 + wanted.norm()), "{preset}");
    }
}

#[test]
fn wrong_conventions_are_far_off() {
    // Each reads the network of a preset under another convention.
    let wrong: [(&str, &'static str, &'static str, Convention); 5] = [
        (
            "reversed time",
            "vp-linear",
            "eps",
            trained("vp-linear", "eps").convention.reversed().unwrap(),
        ),
        ("sign of a velocity", "flow-reversed", "velocity", {
            Convention { predicts: Prediction::Velocity, ..trained("flow", "velocity").convention }
        }),
        ("score for eps", "vp-linear", "eps", trained("vp-linear", "score").convention),
        ("another σ_data", "edm", "edm-f", {
            let other = Prediction::EdmF { sigma_data: 0.5 };
            Convention::preset("edm", other, None).unwrap()
        }),
        ("a neighbouring preset", "vp-linear", "v", trained("vp-cosine", "v").convention),
    ];
    for (what, preset, predicts, convention) in wrong {
        let model = Trained { convention, ..trained(preset, predicts) };
        let mut v = [0.0; 3];
        let off = |v: &[f64], s: f64| largest_miss(v, &velocity_by_hand(preset, s, &STATE));
        let worst = [0.3, 0.6, 0.9].map(|s| {
            model.velocity(s, &STATE, &mut v);
            off(&v, s)
        });
        assert!(worst.into_iter().fold(0.0, f64::max) > 0.02, "{what}: {worst:?}");
    }
    // v with its sign swapped.
    struct Swapped(Exact);
    impl Drift for Swapped {
        fn dim(&self) -> usize {
            3
        }
        fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
            self.0.velocity(t, x, out);
            out.iter_mut().for_each(|v| *v = -*v);
        }
    }
    let right = trained("vp-linear", "v");
    let model = Trained { network: Swapped(right.network), convention: right.convention };
    let mut v = [0.0; 3];
    model.velocity(0.6, &STATE, &mut v);
    assert!(largest_miss(&v, &velocity_by_hand("vp-linear", 0.6, &STATE)) > 0.5);
}

#[test]
fn coefficients_are_finite_over_the_span_and_at_ends_where_they_can_be() {
    for (preset, predicts) in cases() {
        let convention = trained(preset, predicts).convention;
        let (from, to) = convention.span();
        for s in [from, 0.5, to] {
            let w = convention.weights(s);
            assert!(
                [w.state, w.network, w.input, w.time].iter().all(|c| c.is_finite()),
                "{preset} {predicts} {s}"
            );
        }
    }
    let span = |preset, predicts| trained(preset, predicts).convention.span();
    // A velocity is regular at both ends; v is, where a and b have slopes.
    assert_eq!(span("flow", "velocity"), (0.0, 1.0));
    assert_eq!(span("trig", "v"), (0.0, 1.0));
    assert_eq!(span("edm", "edm-f"), (0.0, 1.0));
    // ε says nothing of the data at pure noise; E[X|x] nothing of the direction at b = 0; b has no slope for VP.
    assert_eq!(span("flow", "eps"), (1e-3, 1.0));
    assert_eq!(span("flow", "x0"), (0.0, 0.999));
    assert_eq!(span("vp-linear", "eps"), (0.0, 0.999));
}

#[test]
fn the_discrete_chain_is_the_continuous_one_up_to_its_step() {
    let table = NoiseTable::ddpm(1000).unwrap();
    // ᾱ_i by its definition, at a node.
    let product: f64 = (0..=500).map(|i| 1.0 - (1e-4 + 0.0199 * f64::from(i) / 999.0)).product();
    let (a, b) = table.coefficients(1.0 - 500.0 / 999.0);
    assert!((a * a - product).abs() < 1e-13 && (b * b - (1.0 - product)).abs() < 1e-13);
    let discrete = NoiseLevels::Table(table);
    for s in [0.1, 0.4, 0.7, 0.95] {
        let (a, b, da, db) = discrete.rates(s);
        let (wanted_a, wanted_b) = by_hand("vp-linear", s);
        // log(1 − β) = −β − β²/2 − …, and Σ β²/4 over a thousand steps of up to 0.02 is 0.034; β at a step's end stands for it.
        assert!((a / wanted_a - 1.0).abs() < 0.04 && (b / wanted_b - 1.0).abs() < 0.02, "{s}");
        assert!((a * da + b * db).abs() < 1e-9, "a² + b² = 1");
        let beta = 0.1 + 19.9 * (1.0 - s);
        assert!((da / a / (0.5 * beta) - 1.0).abs() < 0.02, "{s}: {}", da / a / (0.5 * beta));
    }
}

#[test]
fn a_table_of_a_formula_is_the_formula() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, rows: Vec<[f64; 3]>| {
        let text: Vec<String> = rows.iter().map(|[t, a, b]| format!("{t:e},{a:e},{b:e}")).collect();
        let path = folder.path().join(name);
        std::fs::write(&path, format!("t,a,b\n{}\n", text.join("\n"))).unwrap();
        NoiseLevels::Table(NoiseTable::read(&path).unwrap())
    };
    let node = |k: i32, of: f64| {
        let s = f64::from(k) / of;
        let (a, b) = by_hand("trig", s);
        [s, a, b]
    };
    let rising = write("rising.csv", (0..=400).map(|k| node(k, 400.0)).collect());
    // The same, by the time 1000 (1 − s) of a chain, from data to noise.
    let reversed =
        (0..=400).rev().map(|k| node(k, 400.0)).map(|[s, a, b]| [1000.0 * (1.0 - s), a, b]);
    let falling = write("falling.csv", reversed.collect());
    for s in [0.0, 0.0013, 0.31, 0.77, 1.0] {
        let angle = FRAC_PI_2 * s;
        let wanted = [angle.sin(), angle.cos(), FRAC_PI_2 * angle.cos(), -FRAC_PI_2 * angle.sin()];
        for table in [&rising, &falling] {
            let (a, b, da, db) = table.rates(s);
            // The angle is linear in s, so that cubic pieces are exact.
            let off =
                [a, b, da, db].iter().zip(wanted).map(|(x, w)| (x - w).abs()).fold(0.0, f64::max);
            assert!(off < 1e-10, "{s}: {off:e}");
        }
    }
}

#[test]
fn names_that_are_none_are_refused_with_those_that_are() {
    let refused = |preset: &str| {
        let error = Convention::preset(preset, Prediction::Noise, None).unwrap_err();
        assert!(error.is_input());
        error.to_string()
    };
    for bad in [
        "vp",
        "vp-linear:1",
        "vp-linear:1,2,3",
        "flow:3",
        "ddpm:x",
        "ddpm:3",
        "ve:3,1",
        "edm:0,1",
        "table",
    ] {
        let said = refused(bad);
        assert!(said.contains("try: "), "{bad}: {said}");
    }
    assert!(refused("table:nowhere.csv").contains("nowhere.csv"));
    assert!(Prediction::named("noise", 0.5).unwrap_err().to_string().contains("eps"));
    assert!(Prediction::named("edm-f", 0.0).unwrap_err().to_string().contains("sigma_data"));
    assert!(Convention::preset("flow", Prediction::Noise, Some("tau")).is_err());
    let folder = tempfile::tempdir().unwrap();
    for (text, word) in [
        ("", "no row"),
        ("0.9\n1.2\n", "row 2"),
        ("0.9\n0.95\n", "does not decrease"),
        ("0,1,0\n0.5,x,1\n", "row 2"),
        ("0,1\n1,0\n", "2 columns"),
        ("0,0,1\n0.5,0.2,0.1\n0.4,0.9,0.1\n", "increase"),
        ("0,0,1\nNaN,0.2,0.1\n1,1,0\n", "row 1"),
    ] {
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        let error = NoiseTable::read(&path).unwrap_err();
        assert!(error.is_input() && error.to_string().contains(word), "{text:?}: {error}");
    }
}
