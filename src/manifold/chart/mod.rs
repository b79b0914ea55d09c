//! Charts: one function from parameters to points, written once over [`Scalar`].
//!
//! A chart lives in its own small space R^n; a [`Motion`](super::Motion) puts
//! it into the ambient space. A product of charts is cut into *leaves*, and
//! nearest points, samples, quadrature, curvature and reach are found leaf by
//! leaf: all of them split exactly over a product.

mod arc;
mod ellipse;
mod flat;
mod implicit;
mod jet;
mod kernel;
mod patch;
mod ridge;
mod sphere;
mod spiral;
mod stated;
mod torus;
mod traced;
mod waves;
mod written;
mod zeros;

pub use arc::Arc;
pub use ellipse::Ellipse;
pub use flat::Flat;
pub use implicit::{Implicit, Variable};
pub(crate) use jet::{Adapted, half_square, half_square_sum, jacobian, jet};
pub use patch::Axis;
pub(crate) use patch::{Foot, Patch, check_length, check_storage};
pub use ridge::Ridge;
pub use sphere::Sphere;
pub use spiral::Spiral;
pub use stated::{Coordinate, Stated};
pub use torus::Torus;
pub use waves::{Closed, Graph, Wave};

use super::scatter::clamp;
use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::scalar::Scalar;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use zeros::Zeros;

/// A parametrised piece of manifold, in a space of its own.
///
/// ```
/// use driftproof::manifold::{Chart, Torus};
/// let torus = Chart::Torus(Torus { major: 2.0, minor: 0.5 });
/// let mut x = [0.0; 3];
/// torus.point(&[0.0, std::f64::consts::FRAC_PI_2], &mut x);
/// assert!((x[0] - 2.0).abs() < 1e-15 && x[2] == 0.5); // top of the tube: (R, 0, r)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "chart", rename_all = "kebab-case")]
pub enum Chart {
    /// Euclidean space, or a box in it.
    Flat(Flat),
    /// An ellipse, or a circle.
    Ellipse(Ellipse),
    /// A round sphere of any dimension.
    Sphere(Sphere),
    /// The torus of revolution in R³.
    Torus(Torus),
    /// An arc of a circle.
    Arc(Arc),
    /// A stretch of Archimedean spiral.
    Spiral(Spiral),
    /// The graph of a sum of waves over a box.
    Graph(Graph),
    /// A closed curve or surface (of torus topology) given by its Fourier terms.
    Closed(Closed),
    /// Formulas of coordinates.
    Stated(Stated),
    /// Equations.
    Implicit(Implicit),
    /// Samples.
    Ridge(Ridge),
    /// The Cartesian product of charts.
    Product {
        /// The factors, in the order of their coordinates.
        factors: Vec<Chart>,
    },
}

/// Evaluates an expression with `$patch` bound to the family's struct.
macro_rules! each {
    ($chart:expr, $patch:ident => $value:expr, $factors:ident => $product:expr) => {
        match $chart {
            Chart::Flat($patch) => $value,
            Chart::Ellipse($patch) => $value,
            Chart::Sphere($patch) => $value,
            Chart::Torus($patch) => $value,
            Chart::Arc($patch) => $value,
            Chart::Spiral($patch) => $value,
            Chart::Graph($patch) => $value,
            Chart::Closed($patch) => $value,
            Chart::Stated($patch) => $value,
            Chart::Implicit($patch) => $value,
            Chart::Ridge($patch) => $value,
            Chart::Product { factors: $factors } => $product,
        }
    };
}

impl Chart {
    /// A circle of radius `radius`, with its angle as parameter.
    pub fn circle(radius: f64) -> Self {
        Self::Ellipse(Ellipse { a: radius, b: radius })
    }

    /// The flat torus S¹(R_1) × … × S¹(R_m) in R^{2m}.
    pub fn flat_torus(radii: &[f64]) -> Self {
        Self::Product { factors: radii.iter().map(|&r| Self::circle(r)).collect() }
    }

    /// A Swiss-roll strip in R³: a spiral times a segment of length 2·`half_width`.
    pub fn swiss_roll(spiral: Spiral, half_width: f64) -> Self {
        let strip = Flat { half_widths: vec![half_width], bounded: true };
        Self::Product { factors: vec![Self::Spiral(spiral), Self::Flat(strip)] }
    }

    /// Refuses degenerate or absurd parameters.
    ///
    /// *Errors*: [`Error::Input`] for a length that is not positive, an empty
    /// product, a torus without a hole, a map that is not an embedding.
    pub fn check(&self) -> Result<()> {
        each!(self, patch => patch.check(), factors => {
            if factors.is_empty() {
                return Err(Error::input("product", "has no factors", "give at least one"));
            }
            factors.iter().try_for_each(Chart::check)
        })
    }

    /// Dimension n of the chart's own space.
    pub fn ambient(&self) -> usize {
        each!(self, patch => patch.ambient(), factors => factors.iter().map(Chart::ambient).sum())
    }

    /// Intrinsic dimension d.
    pub fn dim(&self) -> usize {
        each!(self, patch => patch.dim(), factors => factors.iter().map(Chart::dim).sum())
    }

    /// The range of each parameter; there may be more parameters than dimensions (the sphere).
    pub fn axes(&self) -> Vec<Axis> {
        each!(self, patch => patch.axes(), factors => {
            factors.iter().flat_map(Chart::axes).collect()
        })
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.axes().len()
    }

    /// Writes the point of parameters `u` (one for each axis) to `out` (length n).
    ///
    /// Generic over the carrier: on duals it gives tangents, on nested duals curvature.
    pub fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        each!(self, patch => patch.point(u, out), factors => {
            let (mut u, mut out) = (u, out);
            for factor in factors {
                let (own_u, rest_u) = u.split_at(factor.parameters());
                let (own_out, rest_out) = out.split_at_mut(factor.ambient());
                factor.point(own_u, own_out);
                (u, out) = (rest_u, rest_out);
            }
        })
    }

    /// Puts parameters back to where the chart is defined: into their intervals, or onto the manifold.
    pub(crate) fn settle(&self, axes: &[Axis], u: &mut Vec<f64>) {
        match self {
            Self::Implicit(_) | Self::Ridge(_) => {
                if let Some(settled) = self.settled(u) {
                    *u = settled;
                }
            }
            _ => clamp(axes, u),
        }
    }

    /// A point of the space around a chart without coordinates, moved onto it; none where that does not succeed.
    pub(crate) fn settled(&self, u: &[f64]) -> Option<Vec<f64>> {
        match self {
            Self::Implicit(implicit) => implicit.solved(u),
            Self::Ridge(ridge) => ridge.settled(u),
            _ => None,
        }
    }

    /// Whether a chart without coordinates ends at a point of it; those with coordinates end where these do.
    pub(crate) fn ends_at(&self, u: &[f64]) -> bool {
        matches!(self, Self::Ridge(ridge) if ridge.ends_at(u))
    }

    /// Directions of the parameters that span the tangent space; none where the parameters are coordinates.
    pub(crate) fn directions(&self, u: &[f64]) -> Option<DMatrix<f64>> {
        match self {
            Self::Implicit(implicit) => implicit.tangents(u),
            Self::Ridge(ridge) => ridge.tangents(u),
            _ => None,
        }
    }

    /// Whether volumes are known through the chart: not of samples, and by equations of curves only.
    pub fn has_volume(&self) -> bool {
        self.leaves().iter().all(|leaf| match leaf {
            Self::Implicit(implicit) => implicit.length().is_some(),
            Self::Ridge(_) => false,
            _ => true,
        })
    }

    /// The factors that are not products themselves, in the order of their coordinates.
    pub(crate) fn leaves(&self) -> Vec<&Chart> {
        match self {
            Self::Product { factors } => factors.iter().flat_map(Chart::leaves).collect(),
            leaf => vec![leaf],
        }
    }

    /// The closed form of the sup norm of the second fundamental form, if there is one.
    ///
    /// A product has the largest of its factors: |II(a,a)|² = Σ|II_i(a_i,a_i)|² ≤ max K_i² (Σ|a_i|²)².
    pub(crate) fn known_curvature(&self) -> Option<Quantity> {
        each!(self, patch => patch.curvature(), factors => {
            factors.iter().map(Chart::known_curvature).reduce(|a, b| Some(a?.max(b?))).flatten()
        })
    }

    /// The closed form of the reach, if there is one; a product has the least of its factors.
    pub(crate) fn known_reach(&self) -> Option<Quantity> {
        each!(self, patch => patch.reach(), factors => {
            factors.iter().map(Chart::known_reach).reduce(|a, b| Some(a?.min(b?))).flatten()
        })
    }

    /// A proven upper bound of the curvature; ∞ when none is known.
    pub(crate) fn curvature_at_most(&self) -> f64 {
        each!(self, patch => patch.curvature_at_most(), factors => {
            factors.iter().map(Chart::curvature_at_most).fold(0.0, f64::max)
        })
    }

    /// A proven lower bound of the reach; 0 when none is known.
    pub(crate) fn reach_at_least(&self) -> f64 {
        each!(self, patch => patch.reach_at_least(), factors => {
            factors.iter().map(Chart::reach_at_least).fold(f64::INFINITY, f64::min)
        })
    }

    /// The nearest point in closed form, for a leaf that has one.
    pub(crate) fn known_foot(&self, y: &[f64]) -> Option<Foot> {
        each!(self, patch => patch.foot(y), _factors => None)
    }

    /// A guess for the nearest parameters of a leaf.
    pub(crate) fn guess(&self, y: &[f64]) -> Option<Vec<f64>> {
        each!(self, patch => patch.guess(y), _factors => None)
    }

    /// Oscillations along one axis.
    pub(crate) fn oscillations(&self) -> f64 {
        each!(self, patch => patch.oscillations(), factors => {
            factors.iter().map(Chart::oscillations).fold(1.0, f64::max)
        })
    }

    /// A proven upper bound of the volume density.
    pub(crate) fn stretch(&self) -> f64 {
        each!(self, patch => patch.stretch(), factors => factors.iter().map(Chart::stretch).product())
    }

    /// A proven upper bound of ⟨c, x⟩ over the points that are drawn.
    pub(crate) fn support(&self, c: &[f64]) -> f64 {
        each!(self, patch => patch.support(c), factors => {
            let mut rest = c;
            let mut total = 0.0;
            for factor in factors {
                let (own, after) = rest.split_at(factor.ambient());
                total += factor.support(own);
                rest = after;
            }
            total
        })
    }
}
