//! Worlds a second that each claim can be checked on, one thread.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use driftproof::campaign::judge_world;
use driftproof::claims::ALL;
use std::hint::black_box;

/// Worlds judged in one go: enough to average over their sizes.
const WORLDS: usize = 20;

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10).throughput(Throughput::Elements(WORLDS as u64));
    for claim in ALL {
        group.bench_function(claim.id, |bencher| {
            bencher.iter(|| (0..WORLDS).for_each(|i| drop(black_box(judge_world(claim, 1, i)))));
        });
    }
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
