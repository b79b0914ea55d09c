//! Functions of one or two numbers on all columns.

use super::function::{Function, Pairing};
use super::push::Source;
use num_dual::Dual64;

/// Values, and tangents times the derivative at the value.
pub(super) fn unary<'a>(
    function: Function,
    x: Source<'_>,
    trajectory: usize,
    value: &mut [f64],
    lanes: impl ExactSizeIterator<Item = (usize, &'a mut [f64])>,
    slopes: &mut [f64],
) {
    if lanes.len() == 0 {
        for (value, x) in value.iter_mut().zip(x.value(trajectory)) {
            *value = function.eval(*x);
        }
        return;
    }
    for ((value, slope), x) in value.iter_mut().zip(&mut *slopes).zip(x.value(trajectory)) {
        let dual = function.eval(Dual64::new(*x, 1.0));
        (*value, *slope) = (dual.re, dual.eps);
    }
    for (lane, out) in lanes {
        match x.tangent(trajectory, lane) {
            Some(tangent) => {
                for ((out, x), slope) in out.iter_mut().zip(tangent).zip(&*slopes) {
                    *out = x * slope;
                }
            }
            None => out.fill(0.0),
        }
    }
}

/// The derivatives of a function of two numbers at a pair.
pub(super) fn partials(pairing: Pairing, a: f64, b: f64) -> [f64; 2] {
    match pairing {
        Pairing::Add => [1.0, 1.0],
        Pairing::Sub => [1.0, -1.0],
        Pairing::Mul => [b, a],
        _ => [
            pairing.eval(Dual64::new(a, 1.0), Dual64::from(b)).eps,
            pairing.eval(Dual64::from(a), Dual64::new(b, 1.0)).eps,
        ],
    }
}

pub(super) fn binary<'a>(
    pairing: Pairing,
    [a, b]: [Source<'_>; 2],
    trajectory: usize,
    value: &mut [f64],
    lanes: impl ExactSizeIterator<Item = (usize, &'a mut [f64])>,
    slopes: &mut [f64],
) {
    let (va, vb) = (a.value(trajectory), b.value(trajectory));
    for ((value, a), b) in value.iter_mut().zip(va).zip(vb) {
        *value = pairing.eval(*a, *b);
    }
    if lanes.len() == 0 {
        return;
    }
    let (along_a, along_b) = slopes.split_at_mut(va.len());
    for (i, (a, b)) in va.iter().zip(vb).enumerate() {
        [along_a[i], along_b[i]] = partials(pairing, *a, *b);
    }
    for (lane, out) in lanes {
        match (a.tangent(trajectory, lane), b.tangent(trajectory, lane)) {
            (Some(da), Some(db)) => {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = da[i] * along_a[i] + db[i] * along_b[i];
                }
            }
            (Some(tangent), None) => scaled(tangent, along_a, out),
            (None, Some(tangent)) => scaled(tangent, along_b, out),
            (None, None) => out.fill(0.0),
        }
    }
}

fn scaled(tangent: &[f64], slopes: &[f64], out: &mut [f64]) {
    for ((out, x), slope) in out.iter_mut().zip(tangent).zip(slopes) {
        *out = x * slope;
    }
}
