//! What a family of charts knows of itself.

use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::scalar::Scalar;

/// The most numbers one matrix may hold; more is refused before it is allocated.
pub(crate) const MOST_NUMBERS: usize = 100_000_000;

/// Refuses a matrix of more than [`MOST_NUMBERS`] entries.
pub(crate) fn check_storage(what: &str, rows: usize, columns: usize) -> Result<()> {
    match rows.checked_mul(columns) {
        Some(size) if size <= MOST_NUMBERS => Ok(()),
        _ => Err(Error::input(
            what,
            format!("{rows} × {columns} numbers are more than {MOST_NUMBERS}"),
            "lower the dimension or the number of points",
        )),
    }
}

/// Refuses a length that is not positive and finite.
pub(crate) fn check_length(what: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::input(what, format!("{value} is not a positive number"), "give a positive length"))
}

/// What one parameter of a chart ranges over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Axis {
    /// All real numbers; points are drawn from [−half, half].
    Line {
        /// Half width of the box that points are drawn from.
        half: f64,
    },
    /// An angle in radians, of period 2π.
    Angle,
    /// A closed interval, whose ends are boundary of the manifold.
    Interval {
        /// The lower end.
        from: f64,
        /// The upper end.
        to: f64,
    },
    /// A coordinate of a nonzero vector of which only the direction counts.
    Direction,
    /// A coordinate of the space around the manifold, whose points move onto it; it is looked for from those of a box.
    Ambient {
        /// Where the box begins.
        from: f64,
        /// Where it ends.
        to: f64,
    },
}

/// The nearest point of a chart, and how near the next local minimum of the distance comes.
#[derive(Clone, Debug)]
pub(crate) struct Foot {
    /// Parameters of the nearest point.
    pub u: Vec<f64>,
    /// Squared distance.
    pub square: f64,
    /// Squared distance of the next distinct local minimum; ∞ when there is none.
    pub runner_up: f64,
    /// Starting points that were looked at; 1 for a closed form.
    pub candidates: usize,
}

/// What a family of charts knows of itself; one short file each.
pub(crate) trait Patch {
    /// Refuses degenerate parameters.
    fn check(&self) -> Result<()>;
    /// Dimension n of the chart's own space.
    fn ambient(&self) -> usize;
    /// Intrinsic dimension d.
    fn dim(&self) -> usize;
    /// The range of each parameter.
    fn axes(&self) -> Vec<Axis>;
    /// Writes the point of these parameters.
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]);
    /// The sup norm of the second fundamental form, where a closed form is known.
    fn curvature(&self) -> Option<Quantity> {
        None
    }
    /// The reach, where a closed form is known.
    fn reach(&self) -> Option<Quantity> {
        None
    }
    /// A proven upper bound of the curvature; ∞ when none is known.
    fn curvature_at_most(&self) -> f64 {
        self.curvature().map_or(f64::INFINITY, |k| k.value + k.bar)
    }
    /// A proven lower bound of the reach; 0 when none is known.
    fn reach_at_least(&self) -> f64 {
        self.reach().map_or(0.0, |reach| reach.value - reach.bar)
    }
    /// The nearest point in closed form, where one is known.
    fn foot(&self, _y: &[f64]) -> Option<Foot> {
        None
    }
    /// A guess for the nearest parameters, which need not be any good.
    fn guess(&self, _y: &[f64]) -> Option<Vec<f64>> {
        None
    }
    /// Oscillations along one axis: sets how fine the grids must be.
    fn oscillations(&self) -> f64 {
        1.0
    }
    /// A proven upper bound of the volume density.
    fn stretch(&self) -> f64;
    /// A proven upper bound of ⟨c, x⟩ over the points x that are drawn.
    fn support(&self, c: &[f64]) -> f64;
}
