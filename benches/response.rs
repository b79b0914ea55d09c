//! The response of a density to an error of the VP probability flow: RK4 × 200 with exact divergence, one thread.
//!
//! Prints the arithmetic that the job needs beside the best time: `cargo bench --bench response`.

mod inputs;

use criterion::{Criterion, criterion_group, criterion_main};
use driftproof::flow::StepWorkspace;
use inputs::{Response, stopwatch::Stopwatch};

fn response(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("response");
    group.sample_size(10);
    let mut stopwatch = Stopwatch::default();
    let mut arithmetic = 0.0;
    group.bench_function("2d", |bencher| {
        let job = Response::new(200, 1000);
        let mut work = StepWorkspace::default();
        arithmetic = job.arithmetic();
        bencher.iter_custom(|runs| stopwatch.time(runs, || job.run(&mut work)));
    });
    stopwatch.print("response/2d", arithmetic);
    group.finish();
}

criterion_group!(benches, response);
criterion_main!(benches);
