//! Displacement drifts x_s = (1 − s) x_0 + s T(x_0), from noise N(0, I) at s = 0 to data at s = 1.
//!
//! The velocity is T(x_0) − x_0 at the x_0 that the line starts from. T is the
//! gradient of a convex function here, which makes it optimal transport (T6.1,
//! T6.2); [`super::LinearCoupling`] is the displacement that is not.

use super::gaussian::check_gaussian;
use super::{Drift, check_positive};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use nalgebra::DMatrix;
use std::f64::consts::SQRT_2;

/// Optimal transport to N(mean, Q diag(λ) Qᵀ): T(x) = mean + Q diag(√λ) Qᵀ x (T6.1).
///
/// With some λ = 0 the velocity is infinite at s = 1, where all lines of that direction meet.
///
/// ```
/// use driftproof::drift::{Drift, GaussianTransport};
/// let field = GaussianTransport::new(vec![0.0], nalgebra::DMatrix::identity(1, 1), vec![4.0])?;
/// let mut v = [0.0];
/// field.velocity(0.5, &[3.0], &mut v);
/// assert_eq!(v, [2.0]); // x = (0.5 + 0.5·2) x_0 gives x_0 = 2, and T(x_0) − x_0 = 2
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GaussianTransport {
    mean: Vec<f64>,
    axes: DMatrix<f64>,
    deviations: Vec<f64>,
}

impl GaussianTransport {
    /// Transport to the Gaussian with variances λ ≥ 0 along the columns of the orthogonal `axes`.
    ///
    /// *Errors*: as [`super::Gaussian::new`].
    pub fn new(mean: Vec<f64>, axes: DMatrix<f64>, variances: Vec<f64>) -> Result<Self> {
        check_gaussian(&mean, &axes, &variances)?;
        let deviations = variances.iter().map(|v| v.sqrt()).collect();
        Ok(Self { mean, axes, deviations })
    }
}

impl Drift for GaussianTransport {
    fn dim(&self) -> usize {
        self.mean.len()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        for (o, m) in out.iter_mut().zip(&self.mean) {
            *o = S::from(*m);
        }
        for (i, &deviation) in self.deviations.iter().enumerate() {
            let column = self.axes.column(i);
            let mut coordinate = S::from(0.0);
            for ((q, x), m) in column.iter().zip(x).zip(&self.mean) {
                coordinate += (*x - s * *m) * *q;
            }
            let stretch = S::from(1.0) - s + s * deviation;
            let rate = coordinate * (deviation - 1.0) / stretch;
            for (o, q) in out.iter_mut().zip(column.iter()) {
                *o += rate * *q;
            }
        }
    }
}

/// The increasing map T of R that carries N(0, 1) to a law: its quantile map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MonotoneMap {
    /// To N(mean, deviation²): T(x) = mean + deviation·x.
    Gaussian {
        /// The mean.
        mean: f64,
        /// The standard deviation, positive.
        deviation: f64,
    },
    /// To the uniform law on [−h, h]: T(x) = h(2Φ(x) − 1) = h erf(x/√2) (T6.8).
    Segment {
        /// h, positive.
        half_length: f64,
    },
}

impl MonotoneMap {
    /// Refuses parameters that are not positive, or not finite.
    ///
    /// *Errors*: [`Error::Input`].
    pub fn validate(&self) -> Result<()> {
        match *self {
            Self::Gaussian { mean, deviation } => {
                if !mean.is_finite() {
                    let problem = format!("{mean} is not finite");
                    return Err(Error::input("mean", problem, "give a finite number"));
                }
                check_positive("standard deviation", deviation)
            }
            Self::Segment { half_length } => check_positive("segment half length", half_length),
        }
    }

    /// T(x).
    pub fn value<S: Scalar>(&self, x: S) -> S {
        match *self {
            Self::Gaussian { mean, deviation } => x * deviation + mean,
            Self::Segment { half_length } => (x / SQRT_2).erf() * half_length,
        }
    }

    /// T'(x) > 0.
    pub fn slope<S: Scalar>(&self, x: S) -> S {
        match *self {
            Self::Gaussian { deviation, .. } => S::from(deviation),
            Self::Segment { half_length } => {
                (x * x * -0.5).exp() * (half_length * SQRT_2) / S::pi().sqrt()
            }
        }
    }

    /// The x_0 whose line passes x at time s: (1 − s) x_0 + s T(x_0) = x.
    ///
    /// NaN where there is none: at s = 1 outside the law's support.
    pub fn origin<S: Scalar>(&self, s: S, x: S) -> S {
        let one = S::from(1.0);
        // Newton's step squares the error, also its nilpotent part: from a value that is exact
        // in f64, two steps make three derivatives exact (implicit differentiation).
        let mut start = S::from(self.origin_plain(s.re(), x.re()));
        for _ in 0..2 {
            let miss = (one - s) * start + s * self.value(start) - x;
            start -= miss / (one - s + s * self.slope(start));
        }
        start
    }

    /// [`MonotoneMap::origin`] in f64.
    fn origin_plain(&self, s: f64, x: f64) -> f64 {
        let half_length = match *self {
            Self::Gaussian { mean, deviation } => {
                return (x - s * mean) / (1.0 - s + s * deviation);
            }
            Self::Segment { half_length } => half_length,
        };
        if !(s.is_finite() && x.is_finite()) {
            return f64::NAN;
        }
        if s == 1.0 {
            let start = SQRT_2 * statrs::function::erf::erf_inv(x / half_length);
            return if x.abs() < half_length { start } else { f64::NAN };
        }
        // |T| ≤ h brackets the root of the increasing left side; Newton inside, bisection at need.
        let mut low = (x - s * half_length) / (1.0 - s);
        let mut high = (x + s * half_length) / (1.0 - s);
        let mut start = x.max(low).min(high);
        for _ in 0..200 {
            let miss = (1.0 - s) * start + s * self.value(start) - x;
            if miss > 0.0 {
                high = start
            } else {
                low = start
            }
            let mut next = start - miss / (1.0 - s + s * self.slope(start));
            if !(next > low && next < high) {
                next = 0.5 * (low + high);
            }
            let moved = (next - start).abs();
            start = next;
            if moved <= f64::EPSILON * start.abs() {
                break;
            }
        }
        start
    }
}

/// Independent one-dimensional displacements, one for each coordinate: optimal transport to a product law.
///
/// ```
/// use driftproof::drift::{Drift, MonotoneMap, ProductTransport};
/// let field = ProductTransport::new(vec![MonotoneMap::Segment { half_length: 1.0 }])?;
/// let mut v = [0.0];
/// field.velocity(0.0, &[0.5], &mut v);
/// assert!((v[0] - (0.38292492254802624 - 0.5)).abs() < 1e-15); // T(x) − x, 2Φ(0.5) − 1 = 0.38292…
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProductTransport {
    maps: Vec<MonotoneMap>,
}

impl ProductTransport {
    /// The displacement with these maps.
    ///
    /// *Errors*: [`Error::Input`] for no maps, or as [`MonotoneMap::validate`].
    pub fn new(maps: Vec<MonotoneMap>) -> Result<Self> {
        if maps.is_empty() {
            return Err(Error::input(
                "transport",
                "it has no coordinates",
                "give at least one map",
            ));
        }
        maps.iter().try_for_each(MonotoneMap::validate)?;
        Ok(Self { maps })
    }

    /// The maps, one for each coordinate.
    pub fn maps(&self) -> &[MonotoneMap] {
        &self.maps
    }
}

impl Drift for ProductTransport {
    fn dim(&self) -> usize {
        self.maps.len()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        for ((map, x), o) in self.maps.iter().zip(x).zip(out) {
            let start = map.origin(s, *x);
            *o = map.value(start) - start;
        }
    }
}
