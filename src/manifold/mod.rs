//! Data manifolds: points, exact tangent frames, nearest points, curvature, reach, and laws on them.
//!
//! A [`Manifold`] is a union of pieces; a [`Piece`] is a [`Chart`] put into
//! R^D by a [`Motion`]. Tangents come from duals through the chart, second
//! fundamental forms from duals of duals. What has a closed form is stated as
//! [`Grade::Symbolic`], the rest as [`Grade::Estimated`], with proven bounds beside it.

mod body;
mod boundary;
mod carried;
mod chart;
mod curvature;
mod family;
mod law;
mod motion;
mod nearest;
mod quadrature;
mod reach;
mod sampling;
mod scatter;

pub use body::{Body, BoundaryPoint, Outline};
pub use carried::Part;
pub use chart::{
    Arc, Axis, Chart, Closed, Coordinate, Ellipse, Flat, Graph, Implicit, Ridge, Sphere, Spiral,
    Stated, Torus, Variable, Wave,
};
pub use family::Family;
pub use law::{Component, Density, Law};
pub use motion::Motion;
pub use nearest::Nearest;

use crate::error::{Error, Result};
use crate::facts::{Grade, Quantity};
use chart::{Adapted, jacobian};
use nalgebra::{DMatrix, DVector};
use nearest::Seeds;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// A chart and where it lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// The shape.
    pub chart: Chart,
    /// Its isometric embedding into R^D.
    pub motion: Motion,
}

/// The parameters of a [`Manifold`]: what a file or a record holds of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifoldParams {
    /// Pieces of equal dimension in the same space, which do not meet.
    pub pieces: Vec<Piece>,
}

/// A point of a manifold, named by its piece and its parameters there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Index of the piece.
    pub piece: usize,
    /// Parameters of the piece's chart.
    pub u: Vec<f64>,
}

/// A union of disjoint embedded pieces, each with or without boundary.
///
/// ```
/// use driftproof::manifold::{Chart, Manifold, Sphere};
/// let sphere = Manifold::new(Chart::Sphere(Sphere { dim: 2, radius: 2.0 })).unwrap();
/// let foot = sphere.nearest(&[0.0, 3.0, 0.0]).unwrap();
/// assert_eq!(foot.distance, 1.0); // |y| − R
/// assert_eq!(sphere.curvature().value, 0.5); // 1/R
/// let frame = sphere.tangent_frame(&foot.place); // the plane orthogonal to y
/// assert!(frame.row(1).norm() < 1e-15);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "ManifoldParams", into = "ManifoldParams")]
pub struct Manifold {
    pieces: Vec<Piece>,
    /// For each piece and each leaf of its chart without closed-form nearest point: where to start looking.
    seeds: Vec<Vec<Option<Seeds>>>,
}

impl PartialEq for Manifold {
    fn eq(&self, other: &Self) -> bool {
        self.pieces == other.pieces
    }
}

impl TryFrom<ManifoldParams> for Manifold {
    type Error = Error;
    fn try_from(params: ManifoldParams) -> Result<Self> {
        Self::union(params.pieces)
    }
}

impl From<Manifold> for ManifoldParams {
    fn from(manifold: Manifold) -> Self {
        Self { pieces: manifold.pieces }
    }
}

impl Manifold {
    /// The manifold of one chart, in the chart's own space.
    ///
    /// *Errors*: [`Error::Input`] when the chart's parameters are degenerate.
    pub fn new(chart: Chart) -> Result<Self> {
        chart.check()?;
        let motion = Motion::identity(chart.ambient(), chart.ambient())?;
        Self::embedded(chart, motion)
    }

    /// The manifold of one chart, moved into R^D.
    ///
    /// *Errors*: as [`Manifold::new`], and when the motion does not fit the chart.
    pub fn embedded(chart: Chart, motion: Motion) -> Result<Self> {
        Self::union(vec![Piece { chart, motion }])
    }

    /// The union of pieces, which must not meet (that is not checked: a union that meets has reach 0).
    ///
    /// *Errors*: as [`Manifold::embedded`]; when there are no pieces, or dimensions differ.
    pub fn union(pieces: Vec<Piece>) -> Result<Self> {
        let Some(first) = pieces.first() else {
            return Err(Error::input("manifold", "has no pieces", "give at least one"));
        };
        for piece in &pieces {
            piece.chart.check()?;
            piece.motion.check(piece.chart.ambient())?;
            let same = piece.chart.dim() == first.chart.dim();
            if !same || piece.motion.ambient() != first.motion.ambient() {
                let problem = "pieces have different dimensions";
                return Err(Error::input("manifold", problem, "give pieces of one dimension"));
            }
        }
        let of_piece = |piece: &Piece| piece.chart.leaves().into_iter().map(Seeds::new).collect();
        let seeds = pieces.iter().map(of_piece).collect();
        Ok(Self { pieces, seeds })
    }

    /// Two moons: the upper half circle of `radius` about the origin, and the lower one about (1, ½)·radius.
    ///
    /// K = 1/radius, reach radius/4: the tip of each moon is radius/2 away from the other moon.
    ///
    /// *Errors*: [`Error::Input`] when the radius is not positive.
    pub fn moons(radius: f64) -> Result<Self> {
        let upper = Chart::Arc(Arc { radius, from: 0.0, to: PI });
        let lower = Chart::Arc(Arc { radius, from: PI, to: 2.0 * PI });
        let home = Motion::identity(2, 2)?;
        let away = home.clone().shifted(&[radius, 0.5 * radius])?;
        let pieces = vec![(upper, home), (lower, away)];
        Self::union(pieces.into_iter().map(|(chart, motion)| Piece { chart, motion }).collect())
    }

    /// The same manifold after a further isometric embedding.
    ///
    /// *Errors*: [`Error::Input`] when the motion does not start from R^D.
    pub fn moved(&self, motion: &Motion) -> Result<Self> {
        let moved = |piece: &Piece| {
            let motion = piece.motion.then(motion)?;
            motion.check(piece.chart.ambient())?;
            Ok(Piece { chart: piece.chart.clone(), motion })
        };
        let pieces = self.pieces.iter().map(moved).collect::<Result<_>>()?;
        // Seeds are places of the charts, which have not moved.
        Ok(Self { pieces, seeds: self.seeds.clone() })
    }

    /// The pieces.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Dimension D of the space around it.
    pub fn ambient(&self) -> usize {
        self.pieces[0].motion.ambient()
    }

    /// Dimension d of the manifold itself.
    pub fn dim(&self) -> usize {
        self.pieces[0].chart.dim()
    }

    /// The place of these parameters on a piece.
    ///
    /// *Errors*: [`Error::Input`] when there is no such piece, or `u` is not one
    /// finite number for each axis, inside its interval, or gives no direction.
    pub fn place(&self, piece: usize, u: &[f64]) -> Result<Place> {
        let bad = |problem: &str| Err(Error::input("place", problem, "see Chart::axes"));
        let Some(found) = self.pieces.get(piece) else { return bad("there is no such piece") };
        let axes = found.chart.axes();
        if u.len() != axes.len() {
            return bad(&format!("has {} parameters, not {}", u.len(), axes.len()));
        }
        let inside = |(&u, axis): (&f64, &Axis)| match *axis {
            Axis::Interval { from, to } => (from..=to).contains(&u),
            _ => u.is_finite(),
        };
        if !u.iter().zip(&axes).all(inside) {
            return bad("a parameter is not finite or outside its interval");
        }
        let place = Place { piece, u: u.to_vec() };
        if self.point(&place).iter().all(|x| x.is_finite()) {
            return Ok(place);
        }
        bad("a direction is the zero vector")
    }

    /// The point of a place, in R^D.
    ///
    /// *Panics* when the place belongs to another manifold.
    pub fn point(&self, place: &Place) -> DVector<f64> {
        let piece = &self.pieces[place.piece];
        let mut local = vec![0.0; piece.chart.ambient()];
        piece.chart.point(&place.u, &mut local);
        DVector::from_vec(piece.motion.apply(&local))
    }

    /// An orthonormal basis of the tangent space at a place, `D×d`.
    ///
    /// *Accuracy*: rounding; the Jacobian comes from duals through the chart.
    /// *Panics* when the place belongs to another manifold.
    pub fn tangent_frame(&self, place: &Place) -> DMatrix<f64> {
        let piece = &self.pieces[place.piece];
        let adapted = Adapted::new(&jacobian(&piece.chart, &place.u), piece.chart.dim());
        piece.motion.matrix() * adapted.frame
    }

    /// The volume density √det(JᵀJ) of the chart at a place.
    ///
    /// It is the volume per unit of the parameters' own measure: length on
    /// lines, intervals and angles, surface of the unit sphere on directions
    /// (there taken at the unit vector of the place).
    /// *Panics* when the place belongs to another manifold.
    pub fn volume_density(&self, place: &Place) -> f64 {
        let (mut rest, mut density) = (place.u.as_slice(), 1.0);
        for leaf in self.pieces[place.piece].chart.leaves() {
            let (u, after) = rest.split_at(leaf.parameters());
            density *= sampling::leaf_volume(leaf, u);
            rest = after;
        }
        density
    }

    /// The sup norm K of the second fundamental form over the manifold.
    ///
    /// *Accuracy*: a closed form (symbolic) where one is known. Otherwise the
    /// largest value found on a grid and improved locally, so a LOWER bound of
    /// the true K; the bar is the difference of two grids.
    pub fn curvature(&self) -> Quantity {
        let of = |piece: &Piece| {
            piece.chart.known_curvature().unwrap_or_else(|| curvature::estimated(&piece.chart))
        };
        self.pieces.iter().map(of).reduce(Quantity::max).unwrap_or(Quantity::UNKNOWN)
    }

    /// K by the estimator alone, closed form or not: what the estimator's tests look at.
    pub fn estimated_curvature(&self) -> Quantity {
        let each = self.pieces.iter().map(|piece| curvature::estimated(&piece.chart));
        each.reduce(Quantity::max).unwrap_or(Quantity::UNKNOWN)
    }

    /// The norm of the second fundamental form at a place: max |II(a, a)| over unit tangents a.
    ///
    /// *Accuracy*: derivatives to rounding; for d ≥ 2 and codimension ≥ 2 the
    /// maximum is searched from several starts, so a lower bound.
    /// *Panics* when the place belongs to another manifold.
    pub fn curvature_at(&self, place: &Place) -> f64 {
        curvature::norm_at(&self.pieces[place.piece].chart, &place.u)
    }

    /// The reach: every point closer to the manifold than this has exactly one nearest point.
    ///
    /// *Accuracy*: a closed form (symbolic) where one is known; it is infinite
    /// for convex sets. Otherwise an UPPER bound of the true reach: the least
    /// value found of 1/K and of Federer's quotient |q−p|²/(2 dist(q−p, Tan_p))
    /// over pairs of points, improved locally; the bar is the difference of
    /// two grids. A union has the least reach of its pieces, or half the least
    /// distance between two of them if that is less. Costs up to about a
    /// second in high dimension: ask once.
    pub fn reach(&self) -> Quantity {
        let of = |piece: &Piece| {
            piece.chart.known_reach().unwrap_or_else(|| reach::estimated(&piece.chart))
        };
        self.with_gaps(of)
    }

    /// The reach by the estimator alone, closed form or not: what the estimator's tests look at.
    pub fn estimated_reach(&self) -> Quantity {
        self.with_gaps(|piece| reach::estimated(&piece.chart))
    }

    /// A proven upper bound of K, to rounding; ∞ when none is known.
    ///
    /// The closed form where there is one; looser for graphs and closed charts (see there).
    pub fn curvature_at_most(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.chart.curvature_at_most()).fold(0.0, f64::max)
    }

    /// A proven lower bound of the reach, to rounding; 0 when none is known.
    ///
    /// The closed form where there is one; looser for graphs and closed charts
    /// (see there); 0 for spirals and for unions whose gap is only estimated.
    pub fn reach_at_least(&self) -> f64 {
        let within = self.pieces.iter().map(|piece| piece.chart.reach_at_least());
        let within = within.fold(f64::INFINITY, f64::min);
        if self.pieces.len() == 1 {
            return within;
        }
        let gap = reach::gap(self);
        if gap.grade > Grade::Enclosed {
            return 0.0;
        }
        within.min((gap.value - gap.bar) / 2.0).max(0.0)
    }

    /// The least distance between two pieces; ∞ for a single one.
    pub fn gap(&self) -> Quantity {
        reach::gap(self)
    }

    /// The same manifold seen more coarsely, where samples are all that is known of it: what differs tells how far they leave
    /// it open. None when no piece is one of samples.
    ///
    /// *Errors*: as [`Ridge::new`].
    pub fn coarser(&self) -> Option<Result<Self>> {
        let is_ridge = |piece: &Piece| matches!(piece.chart, Chart::Ridge(_));
        let seen = |piece: &Piece| -> Result<Piece> {
            let chart = match &piece.chart {
                Chart::Ridge(ridge) => Chart::Ridge(ridge.coarser()?),
                known => known.clone(),
            };
            Ok(Piece { chart, motion: piece.motion.clone() })
        };
        let all = || Self::union(self.pieces.iter().map(seen).collect::<Result<_>>()?);
        self.pieces.iter().any(is_ridge).then(all)
    }

    fn with_gaps(&self, of: impl Fn(&Piece) -> Quantity) -> Quantity {
        let within = self.pieces.iter().map(of).reduce(Quantity::min).unwrap_or(Quantity::UNKNOWN);
        if self.pieces.len() == 1 {
            return within;
        }
        within.min(reach::gap(self) * 0.5)
    }
}
