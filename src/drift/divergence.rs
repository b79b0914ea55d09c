//! Exact divergences of fields, and their derivatives along tangents.

use super::{Lanes, Workspace};
use crate::scalar::{SecondTangents, TANGENT_LANES, Tangents};
use nalgebra::SVector;
use num_dual::Derivative;

/// [`super::Drift::push_with_divergence`] of a field written over both carriers, by nested duals.
///
/// Unit vectors go in the lanes of [`Tangents`], [`TANGENT_LANES`] at a time; a
/// tangent is the outer direction of [`SecondTangents`].
pub(crate) fn push_with_divergence_generic(
    d: usize,
    (block, lanes): (&[f64], Lanes),
    (out, divergence): (&mut [f64], &mut [f64]),
    work: &mut Workspace,
    first: impl Fn(&[Tangents], &mut [Tangents]),
    second: impl Fn(&[SecondTangents], &mut [SecondTangents]),
) {
    let width = d * (1 + lanes.tangents);
    divergence.fill(0.0);
    let trajectories = block.chunks_exact(width).zip(out.chunks_exact_mut(width));
    for ((from, to), divergence) in
        trajectories.zip(divergence.chunks_exact_mut(1 + lanes.tangents))
    {
        let (state, tangents) = from.split_at(d);
        let (value, products) = to.split_at_mut(d);
        let (divergence, derivatives) = divergence.split_at_mut(1);
        if lanes.tangents == 0 {
            work.duals.resize(2 * d, Tangents::from(0.0));
            let (input, output) = work.duals.split_at_mut(d);
            for start in (0..d).step_by(TANGENT_LANES) {
                for (row, dual) in input.iter_mut().enumerate() {
                    *dual = unit(state[row], row, start);
                }
                first(input, output);
                divergence[0] += trace(output, start, |dual| dual);
            }
            value.iter_mut().zip(&*output).for_each(|(v, dual)| *v = dual.re);
            continue;
        }
        work.nested.resize(2 * d, SecondTangents::from(0.0));
        let (input, output) = work.nested.split_at_mut(d);
        let tangents = tangents.chunks_exact(d).zip(products.chunks_exact_mut(d));
        for ((tangent, product), derivative) in tangents.zip(derivatives) {
            divergence[0] = 0.0; // The same for every tangent.
            for start in (0..d).step_by(TANGENT_LANES) {
                for (row, dual) in input.iter_mut().enumerate() {
                    let re = unit(state[row], row, start);
                    *dual = SecondTangents::new(re, Tangents::from(tangent[row]));
                }
                second(input, output);
                divergence[0] += trace(output, start, |dual| &dual.re);
                *derivative += trace(output, start, |dual| &dual.eps);
            }
            value.iter_mut().zip(&*output).for_each(|(v, dual)| *v = dual.re.re);
            product.iter_mut().zip(&*output).for_each(|(v, dual)| *v = dual.eps.re);
        }
    }
}

/// The coordinate `row` of a state, with the unit vectors from `start` on in its lanes.
fn unit(x: f64, row: usize, start: usize) -> Tangents {
    let mut eps = SVector::<f64, TANGENT_LANES>::zeros();
    if (start..start + TANGENT_LANES).contains(&row) {
        eps[row - start] = 1.0;
    }
    Tangents::new(x, Derivative::some(eps))
}

/// Σ ∂f_i/∂x_i over the unit vectors from `start` on.
fn trace<T>(output: &[T], start: usize, part: impl Fn(&T) -> &Tangents) -> f64 {
    let rows = output[start..].iter().take(TANGENT_LANES).enumerate();
    rows.map(|(lane, dual)| part(dual).eps.0.map_or(0.0, |eps| eps[lane])).sum()
}

/// Turns the divergence of a field f, and its derivatives, into those of linear·x + factor·f.
pub(crate) fn combine_divergence(
    d: usize,
    lanes: Lanes,
    divergence: &mut [f64],
    linear: f64,
    factor: f64,
) {
    divergence.iter_mut().for_each(|entry| *entry *= factor);
    divergence.iter_mut().step_by(1 + lanes.tangents).for_each(|entry| *entry += linear * d as f64);
}
