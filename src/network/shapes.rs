//! Shapes: how many entries, where they lie, which fit together; and why a node cannot be lowered.

use super::tape::GAP;

/// Numbers that one tape may hold in all (a gigabyte): a graph that declares more is refused before it is allocated.
///
/// The fuzzer looks for panics among small graphs.
pub(super) const MOST_NUMBERS: usize = if cfg!(fuzzing) { 1 << 20 } else { 1 << 27 };

/// Why a node cannot be lowered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// What it asks for is not among what is read here.
    Unsupported(String),
    /// It contradicts itself or its inputs.
    Invalid(String),
}

pub(super) type Lowered<T> = Result<T, Fault>;

/// A contradiction.
pub(super) fn invalid<T>(problem: impl Into<String>) -> Lowered<T> {
    Err(Fault::Invalid(problem.into()))
}

/// A request that is not read here.
pub(super) fn unsupported<T>(problem: impl Into<String>) -> Lowered<T> {
    Err(Fault::Unsupported(problem.into()))
}

/// Entries of a shape; neither they nor the product of any of its lengths are too many to count.
pub(super) fn count(shape: &[usize]) -> Lowered<usize> {
    let size = shape.iter().try_fold(1_usize, |product, n| product.checked_mul((*n).max(1)));
    if size.is_none_or(|n| n > MOST_NUMBERS) {
        return invalid(format!(
            "a tensor of shape {shape:?} is larger than {MOST_NUMBERS} numbers"
        ));
    }
    Ok(shape.iter().product())
}

/// Distance between neighbours along each axis of a row-major tensor.
pub(super) fn strides(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as isize;
    }
    strides
}

/// Calls `visit` with offset + Σ i·stride for each index of `shape`, the last axis fastest.
pub(super) fn walk(
    shape: &[usize],
    strides: &[isize],
    offset: isize,
    mut visit: impl FnMut(isize),
) {
    if shape.contains(&0) {
        return;
    }
    let mut index = vec![0; shape.len()];
    let mut at = offset;
    loop {
        visit(at);
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis] as isize;
            index[axis] = 0;
        }
    }
}

/// The axis that a possibly negative number means.
pub(super) fn axis(number: i64, rank: usize) -> Lowered<usize> {
    let found = if number < 0 { number + rank as i64 } else { number };
    match usize::try_from(found).ok().filter(|axis| *axis < rank) {
        Some(axis) => Ok(axis),
        None => invalid(format!("axis {number} of a tensor with {rank} axes")),
    }
}

/// The common shape of tensors under the rules of broadcasting.
pub(super) fn common(a: &[usize], b: &[usize]) -> Lowered<Vec<usize>> {
    let rank = a.len().max(b.len());
    let length = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
    };
    (0..rank)
        .map(|axis| match (length(a, axis), length(b, axis)) {
            (m, n) if m == n => Ok(m),
            (1, n) | (n, 1) => Ok(n),
            _ => invalid(format!("shapes {a:?} and {b:?} cannot be broadcast together")),
        })
        .collect()
}

/// An index of a `Take`, or a gap.
pub(super) fn entry(at: Option<usize>) -> u32 {
    at.map_or(GAP, |at| at as u32)
}
