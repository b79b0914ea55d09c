//! How numbers stand to a claim: what a finding says of it follows from these, and may be the contrary.

use crate::facts::Quantity;
use crate::record::Relation;

/// Whether a measured number is the predicted one, within its bar and what the prediction itself leaves out.
///
/// ```
/// use driftproof::{experiments::relation::met, facts::{Grade, Quantity}, record::Relation};
/// let measured = |value| Quantity::new(value, 0.1, Grade::Sampled);
/// assert_eq!(met(measured(2.05), 2.0, 0.0), Relation::Agrees);
/// assert_eq!(met(measured(2.3), 2.0, 0.0), Relation::Contradicts);
/// assert_eq!(met(measured(f64::NAN), 2.0, 0.0), Relation::Open);
/// ```
pub fn met(measured: Quantity, predicted: f64, left_out: f64) -> Relation {
    let (off, allowed) = ((measured.value - predicted).abs(), measured.bar + left_out);
    match off.is_finite() && allowed.is_finite() {
        false => Relation::Open,
        true if off <= allowed => Relation::Agrees,
        true => Relation::Contradicts,
    }
}

/// Of all parts of a claim: contradicted by one, open with one, or else seen.
pub fn all(parts: impl IntoIterator<Item = Relation>) -> Relation {
    let parts: Vec<Relation> = parts.into_iter().collect();
    [Relation::Contradicts, Relation::Open, Relation::Sharpens]
        .into_iter()
        .find(|relation| parts.contains(relation))
        .unwrap_or(if parts.is_empty() { Relation::Open } else { Relation::Agrees })
}

/// Whether the first number is known to be less than the second.
pub fn below(first: Quantity, second: Quantity) -> bool {
    first.value + first.bar < second.value - second.bar
}

/// Whether a number is known to be above 0.
pub fn positive(quantity: Quantity) -> bool {
    quantity.value - quantity.bar > 0.0
}
