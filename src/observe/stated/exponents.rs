//! Asymptotic exponents: averages along a long run.

use super::{Resolved, Run};
use crate::facts::{Facts, Grade, Quantity, REPORTED};
use crate::linalg::{frame_from_normals, orthonormalise};

/// Stretches of equal length whose averages give the bars.
const BLOCKS: usize = 20;

/// `exponent` and `exponent_sum`, where the world asks for them.
///
/// *Accuracy*: Student's bar at 95 % over the averages of 20 stretches, which are long against the memory of the system or
/// else too few to tell; of flows also the difference to a run of half the step.
pub fn asymptotic(resolved: &Resolved<'_>, index: usize, facts: &mut Facts) {
    let Some(transient) = resolved.world.transient else { return };
    let rough = averages(resolved, &resolved.rough, 1, transient, index);
    let fine = resolved.fine.as_ref().map(|run| averages(resolved, run, 2, transient, index));
    let best = fine.as_ref().unwrap_or(&rough);
    let quantity = |blocks: &[f64], other: &[f64]| {
        let mean = Quantity::sampled_mean(blocks, REPORTED);
        let other = Quantity::sampled_mean(other, REPORTED);
        mean.widened(mean.value - other.value)
    };
    let each = best.iter().zip(&rough).map(|(blocks, other)| quantity(blocks, other));
    facts.set_series("exponent", each.collect());
    // The sum is averaged block by block: its parts may vary far more than it does.
    let sum = |exponents: &[Vec<f64>]| -> Vec<f64> {
        (0..BLOCKS).map(|b| exponents.iter().map(|blocks| blocks[b]).sum()).collect()
    };
    let total = quantity(&sum(best), &sum(&rough));
    facts.set("exponent_sum", Quantity { grade: Grade::Sampled, ..total });
}

/// For each exponent its average over each block, per time.
fn averages(
    resolved: &Resolved<'_>,
    run: &Run<'_>,
    ratio: usize,
    transient: f64,
    index: usize,
) -> Vec<Vec<f64>> {
    let (dim, from) = (resolved.world.dim, resolved.times[0]);
    let stream = resolved.world.stream.named("exponents").indexed(index as u64);
    let mut frame = frame_from_normals(dim, dim, &stream.normals(dim * dim));
    let first = resolved.times.partition_point(|t| (t - from).abs() < transient).max(1);
    let last = resolved.last();
    // Of the rough times that bound the blocks.
    let bound = |b: usize| first + (last - first) * b / BLOCKS;
    let mut averages = vec![vec![0.0; BLOCKS]; dim];
    let mut block = 0;
    for k in 0..last * ratio {
        frame = run.cocycle.push(k, &frame);
        let logs = orthonormalise(&mut frame);
        if k < first * ratio {
            continue;
        }
        while k >= bound(block + 1) * ratio {
            block += 1;
        }
        let length = (resolved.times[bound(block + 1)] - resolved.times[bound(block)]).abs();
        averages.iter_mut().zip(logs).for_each(|(blocks, log)| blocks[block] += log / length);
    }
    averages
}
