//! The same fields in Rust and as formulas, for values and for tangents.
//!
//! Prints the ratio of the best times, which is steadier than that of the means: `cargo bench --bench formula`.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use driftproof::formula::{Formula, Names, Workspace};
use driftproof::scalar::{Scalar, TANGENT_LANES, Tangents};
use nalgebra::SVector;
use num_dual::Derivative;
use std::hint::black_box;
use std::time::Instant;

/// A field in Rust, on any carrier.
trait Field {
    const NAME: &'static str;
    const DIM: usize;

    /// Called, as formulas are, by code that does not know it.
    fn rust<S: Scalar>(x: &[S], out: &mut [S]);

    fn formula() -> Formula;
}

/// Centres and weights of three Gaussians in the plane, of variance [`VARIANCE`].
const GAUSSIANS: [([f64; 2], f64); 3] = [([1.0, 0.2], 0.5), ([-0.8, 0.7], 0.3), ([0.1, -1.1], 0.2)];
const VARIANCE: f64 = 0.3;

/// The score of a mixture of three Gaussians.
struct Score;

impl Field for Score {
    const NAME: &'static str = "score";
    const DIM: usize = 2;

    #[inline(never)]
    fn rust<S: Scalar>(x: &[S], out: &mut [S]) {
        let mut mass = S::from(0.0);
        let mut mean = [S::from(0.0); 2];
        for (centre, weight) in GAUSSIANS {
            let offset = [x[0] - centre[0], x[1] - centre[1]];
            let square = offset[0] * offset[0] + offset[1] * offset[1];
            let w = (square / (-2.0 * VARIANCE)).exp() * weight;
            mass += w;
            mean[0] += w * centre[0];
            mean[1] += w * centre[1];
        }
        for (i, out) in out.iter_mut().enumerate() {
            *out = (mean[i] / mass - x[i]) / VARIANCE;
        }
    }

    fn formula() -> Formula {
        let mut names = Names::default();
        names.vector("x", 2).unwrap();
        names.constant("variance", VARIANCE).unwrap();
        for (k, ([a, b], weight)) in GAUSSIANS.iter().enumerate() {
            names.helper(&format!("c{k}"), &format!("[{a}, {b}]")).unwrap();
            let density = format!("{weight}*exp(-norm2(x - c{k})/(2*variance))");
            names.helper(&format!("w{k}"), &density).unwrap();
        }
        names.helper("mean", "(w0*c0 + w1*c1 + w2*c2)/(w0 + w1 + w2)").unwrap();
        names.formula("(mean - x)/variance").unwrap()
    }
}

/// The field of Lorenz (1963).
struct Lorenz;

impl Field for Lorenz {
    const NAME: &'static str = "lorenz";
    const DIM: usize = 3;

    #[inline(never)]
    fn rust<S: Scalar>(x: &[S], out: &mut [S]) {
        out[0] = (x[1] - x[0]) * 10.0;
        out[1] = x[0] * (-x[2] + 28.0) - x[1];
        out[2] = x[0] * x[1] - x[2] * (8.0 / 3.0);
    }

    fn formula() -> Formula {
        let mut names = Names::default();
        for name in ["x", "y", "z"] {
            names.number(name).unwrap();
        }
        names.constant("sigma", 10.0).unwrap();
        names.constant("rho", 28.0).unwrap();
        names.helper("beta", "8/3").unwrap();
        names.field(&["sigma*(y - x)", "x*(rho - z) - y", "x*y - beta*z"]).unwrap()
    }
}

/// A point with its own unit tangents in the first lanes.
fn seeded(x: &[f64]) -> Vec<Tangents> {
    let lane = |(i, x): (usize, &f64)| {
        let mut eps = SVector::<f64, TANGENT_LANES>::zeros();
        eps[i] = 1.0;
        Tangents::new(*x, Derivative::some(eps))
    };
    x.iter().enumerate().map(lane).collect()
}

/// Least nanoseconds of a call, over batches that are short beside the slices of a busy machine.
fn fastest(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 500;
    let mut least = f64::INFINITY;
    for _ in 0..2000 {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        least = least.min(start.elapsed().as_secs_f64());
    }
    least / f64::from(CALLS) * 1e9
}

/// Times one field on one carrier, and prints the ratio.
fn carrier<F: Field, S: Scalar>(criterion: &mut Criterion, carrier: &str, point: &[S]) {
    let formula = F::formula();
    let mut group = criterion.benchmark_group(format!("{}/{carrier}", F::NAME));
    group.sample_size(20);
    group.bench_function("rust", |bencher| {
        let run = |mut out: Vec<S>| {
            F::rust(black_box(point), &mut out);
            out
        };
        bencher.iter_batched(|| vec![S::from(0.0); F::DIM], run, BatchSize::SmallInput);
    });
    group.bench_function("formula", |bencher| {
        let mut work = Workspace::default();
        let run = |mut out: Vec<S>| {
            formula.evaluate(black_box(point), &mut work, &mut out);
            out
        };
        bencher.iter_batched(|| vec![S::from(0.0); F::DIM], run, BatchSize::SmallInput);
    });
    group.finish();
    let (mut work, mut out) = (Workspace::default(), vec![S::from(0.0); F::DIM]);
    let rust = fastest(|| F::rust(black_box(point), black_box(&mut out)));
    let found = fastest(|| formula.evaluate(black_box(point), &mut work, black_box(&mut out)));
    let print = |job: &str, rust: f64, found: f64| {
        let (field, ratio) = (F::NAME, found / rust);
        println!(
            "{field}/{carrier}{job}: Rust {rust:.1} ns, formula {found:.1} ns, ratio {ratio:.2}"
        );
    };
    print("", rust, found);
    let mut stages = vec![S::from(0.0); 2 * F::DIM];
    let rust = fastest(|| step(black_box(point), &mut stages, black_box(&mut out), F::rust));
    let found = fastest(|| {
        let field = |x: &[S], slope: &mut [S]| formula.evaluate(x, &mut work, slope);
        step(black_box(point), &mut stages, black_box(&mut out), field);
    });
    print(" (a Runge-Kutta step)", rust, found);
}

/// A classical Runge–Kutta step, the least that a field is evaluated for.
fn step<S: Scalar>(
    x: &[S],
    stages: &mut [S],
    out: &mut [S],
    mut field: impl FnMut(&[S], &mut [S]),
) {
    const H: f64 = 0.01;
    let (at, slope) = stages.split_at_mut(x.len());
    at.copy_from_slice(x);
    out.copy_from_slice(x);
    for (reach, weight) in [(0.5, 1.0), (0.5, 2.0), (1.0, 2.0), (0.0, 1.0)] {
        field(at, slope);
        for i in 0..x.len() {
            at[i] = x[i] + slope[i] * (reach * H);
            out[i] += slope[i] * (weight * H / 6.0);
        }
    }
}

fn field<F: Field>(criterion: &mut Criterion) {
    let point: Vec<f64> = [0.4, -0.3, 1.7].into_iter().take(F::DIM).collect();
    carrier::<F, f64>(criterion, "values", &point);
    carrier::<F, Tangents>(criterion, "tangents", &seeded(&point));
}

criterion_group!(benches, field::<Score>, field::<Lorenz>);
criterion_main!(benches);
