//! Finite-time Lyapunov vectors of the VP probability flow: RK4 × 200, a QR at every step, one thread.
//!
//! Prints the arithmetic that the job needs beside the best time: `cargo bench --bench ftlv`.

mod inputs;

use criterion::{Criterion, criterion_group, criterion_main};
use driftproof::flow::StepWorkspace;
use inputs::{Flow, stopwatch::Stopwatch};

/// (D, atoms, tangents, trajectories).
const CASES: [(usize, usize, usize, usize); 3] =
    [(2, 200, 2, 1000), (64, 1000, 8, 32), (784, 1000, 16, 4)];

fn ftlv(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ftlv");
    group.sample_size(10);
    for (dim, atoms, tangents, trajectories) in CASES {
        let mut stopwatch = Stopwatch::default();
        let case = format!("{dim}d");
        let mut arithmetic = 0.0;
        group.bench_function(&case, |bencher| {
            let flow = Flow::new(dim, atoms, tangents, trajectories);
            let mut work = StepWorkspace::default();
            arithmetic = flow.arithmetic();
            bencher.iter_custom(|runs| stopwatch.time(runs, || flow.run(&mut work)));
        });
        stopwatch.print(&format!("ftlv/{case}"), arithmetic);
    }
    group.finish();
}

criterion_group!(benches, ftlv);
criterion_main!(benches);
