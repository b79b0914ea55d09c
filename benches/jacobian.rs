//! `D×D` Jacobians of a mixture's score at many points, one thread.
//!
//! Prints the arithmetic that the job needs beside the best time: `cargo bench --bench jacobian`.

mod inputs;

use criterion::{Criterion, criterion_group, criterion_main};
use inputs::{JacobianWork, ScoreJacobians, stopwatch::Stopwatch};

/// (D, atoms, points).
const CASES: [(usize, usize, usize); 4] =
    [(2, 64, 20000), (8, 256, 4000), (64, 1000, 200), (784, 1000, 8)];

fn jacobian(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("jacobian");
    group.sample_size(10);
    for (dim, atoms, points) in CASES {
        let mut stopwatch = Stopwatch::default();
        let case = format!("{dim}x{atoms}");
        let mut arithmetic = 0.0;
        group.bench_function(&case, |bencher| {
            let job = ScoreJacobians::new(dim, atoms, points);
            let (mut jacobians, mut work) = (Vec::new(), JacobianWork::default());
            arithmetic = job.arithmetic();
            bencher.iter_custom(|runs| stopwatch.time(runs, || job.run(&mut jacobians, &mut work)));
        });
        stopwatch.print(&format!("jacobian/{case}"), arithmetic);
    }
    group.finish();
}

criterion_group!(benches, jacobian);
criterion_main!(benches);
