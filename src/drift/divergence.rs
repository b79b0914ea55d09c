//! Exact divergences of fields, and their derivatives along tangents.

use super::{Lanes, Workspace};
use crate::scalar::{SecondTangents, TANGENT_LANES, Tangents, seeded};

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
    let (tangents, width) = (lanes.tangents, d * (1 + lanes.tangents));
    work.duals.resize(2 * d, Tangents::from(0.0));
    work.nested.resize(2 * d, SecondTangents::from(0.0));
    divergence.fill(0.0);
    for start in (0..d).step_by(TANGENT_LANES) {
        let (input, output) = work.duals.split_at_mut(d);
        let (nested_input, nested_output) = work.nested.split_at_mut(d);
        for (row, (dual, nested)) in input.iter_mut().zip(&mut *nested_input).enumerate() {
            *dual = seeded(0.0, row, start);
            nested.re = *dual;
        }
        let trajectories = block.chunks_exact(width).zip(out.chunks_exact_mut(width));
        let divergences = divergence.chunks_exact_mut(1 + tangents);
        for ((from, to), divergence) in trajectories.zip(divergences) {
            let (state, from) = from.split_at(d);
            let (value, to) = to.split_at_mut(d);
            if tangents == 0 {
                input.iter_mut().zip(state).for_each(|(dual, x)| dual.re = *x);
                first(input, output);
                value.iter_mut().zip(&*output).for_each(|(v, dual)| *v = dual.re);
                divergence[0] += trace(output, start, |dual| dual);
                continue;
            }
            nested_input.iter_mut().zip(state).for_each(|(dual, x)| dual.re.re = *x);
            for (k, (tangent, product)) in
                from.chunks_exact(d).zip(to.chunks_exact_mut(d)).enumerate()
            {
                let duals = nested_input.iter_mut().zip(tangent);
                duals.for_each(|(dual, v)| dual.eps = Tangents::from(*v));
                second(nested_input, nested_output);
                product.iter_mut().zip(&*nested_output).for_each(|(v, dual)| *v = dual.eps.re);
                divergence[1 + k] += trace(nested_output, start, |dual| &dual.eps);
            }
            value.iter_mut().zip(&*nested_output).for_each(|(v, dual)| *v = dual.re.re);
            divergence[0] += trace(nested_output, start, |dual| &dual.re);
        }
    }
}

/// Σ ∂f_i/∂x_i over the unit vectors from `start` on.
fn trace<T>(output: &[T], start: usize, part: impl Fn(&T) -> &Tangents) -> f64 {
    let rows = output[start..].iter().take(TANGENT_LANES).enumerate();
    rows.map(|(lane, dual)| part(dual).eps.0.as_ref().map_or(0.0, |eps| eps[lane])).sum()
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
