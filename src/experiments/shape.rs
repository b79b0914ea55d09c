//! Known data manifolds of codimension 1 with their exact posterior means, and shifts along and off them.

use crate::drift::{Atoms, Denoiser, Product, Segment, Sphere, Thick};
use crate::error::Result;
use crate::linalg::{complement, dot};
use crate::manifold::{self, Chart, Density, Ellipse, Law, Manifold, Place, Spiral, Torus};
use nalgebra::{DMatrix, DVector};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// A data law near a hypersurface.
pub struct Shape {
    /// What it is.
    pub name: &'static str,
    /// Where the data lie.
    pub manifold: Manifold,
    /// Uniform on the manifold, with Gaussian noise of deviation `thickness`.
    pub law: Law,
    /// The posterior mean of that law.
    pub denoiser: Denoiser,
    /// The deviation of the data off the manifold.
    pub thickness: f64,
    /// A vector that is never tangent at a point of a piece: it tells one side from the other.
    side: fn(usize, &[f64]) -> Vec<f64>,
}

/// A point beside the manifold: its foot, and what is left in coordinates that turn with the foot.
pub struct Spot {
    foot: DVector<f64>,
    /// Tangential parts (0 unless the foot is on the boundary), then the height.
    pub offset: DVector<f64>,
    /// [T N], `D×D`.
    frame: DMatrix<f64>,
    tangents: usize,
}

impl Shape {
    fn new(
        name: &'static str,
        manifold: Manifold,
        denoiser: Denoiser,
        thickness: f64,
        side: fn(usize, &[f64]) -> Vec<f64>,
    ) -> Self {
        let law =
            Law::OnManifold { manifold: manifold.clone(), density: Density::Uniform, thickness };
        Self { name, manifold, law, denoiser, thickness, side }
    }

    /// A shape whose law is a quadrature rule.
    fn quadrature(
        name: &'static str,
        manifold: Manifold,
        per_axis: usize,
        thickness: f64,
        side: fn(usize, &[f64]) -> Vec<f64>,
    ) -> Result<Self> {
        let (nodes, weights) = manifold.quadrature(per_axis)?;
        let atoms = Atoms::quadrature(manifold.ambient(), nodes.as_slice(), &weights, thickness)?;
        Ok(Self::new(name, manifold, atoms.into(), thickness, side))
    }

    /// Two moons of radius 1, thickness 0.05.
    ///
    /// *Errors*: none in practice; as the constructors.
    pub fn moons() -> Result<Self> {
        Self::moons_of(0.05)
    }

    /// Two moons without thickness, for noise levels of at least 0.02.
    ///
    /// *Errors*: as [`Shape::moons`].
    pub fn thin_moons() -> Result<Self> {
        Self::moons_of(0.0)
    }

    fn moons_of(thickness: f64) -> Result<Self> {
        // Nodes at most 0.025 apart: seen through σ ≥ 0.02 the rule errs by e^{−2π²(0.02/0.025)²} = 3e-6.
        let side = |piece: usize, p: &[f64]| match piece {
            0 => p.to_vec(),
            _ => vec![p[0] - 1.0, p[1] - 0.5],
        };
        Self::quadrature("two moons", Manifold::moons(1.0)?, 200, thickness, side)
    }

    /// An ellipse with half axes 1.2 and 0.7, thickness 0.05.
    ///
    /// *Errors*: as [`Shape::moons`].
    pub fn ellipse() -> Result<Self> {
        let manifold = Manifold::new(Chart::Ellipse(Ellipse { a: 1.2, b: 0.7 }))?;
        Self::quadrature("ellipse", manifold, 200, 0.05, |_, p| p.to_vec())
    }

    /// The unit sphere of R³, thickness 0.05.
    ///
    /// *Errors*: as [`Shape::moons`].
    pub fn sphere() -> Result<Self> {
        let manifold = Manifold::new(Chart::Sphere(manifold::Sphere { dim: 2, radius: 1.0 }))?;
        let denoiser = Thick::new(Sphere::new(3, 1.0)?.into(), 0.05)?;
        Ok(Self::new("sphere", manifold, denoiser.into(), 0.05, |_, p| p.to_vec()))
    }

    /// A torus of revolution with radii 1 and 0.4, thickness 0.1.
    ///
    /// *Errors*: as [`Shape::moons`].
    pub fn torus() -> Result<Self> {
        // Nodes at most 2π·1.4/72 = 0.122 apart: e^{−2π²(0.1/0.122)²} = 2e-6.
        let side = |_: usize, p: &[f64]| {
            let ring = p[0].hypot(p[1]).recip();
            vec![p[0] - p[0] * ring, p[1] - p[1] * ring, p[2]]
        };
        let manifold = Manifold::new(Chart::Torus(Torus { major: 1.0, minor: 0.4 }))?;
        Self::quadrature("torus", manifold, 72, 0.1, side)
    }

    /// A Swiss roll: one turn and a half of a spiral with radii from 0.5 to 1.9, times a segment of length 1;
    /// thickness 0.05.
    ///
    /// *Errors*: as [`Shape::moons`].
    pub fn swiss_roll() -> Result<Self> {
        let angle = 3.0 * PI;
        let spiral = Spiral { inner: 0.5, growth: 0.15, angle };
        let manifold = Manifold::new(Chart::swiss_roll(spiral.clone(), 0.5))?;
        let curve = Manifold::new(Chart::Spiral(spiral))?;
        let (nodes, weights) = curve.quadrature(400)?;
        let turns = Atoms::quadrature(2, nodes.as_slice(), &weights, 0.0)?;
        let product = Product::new(vec![turns.into(), Segment::new(0.5)?.into()])?;
        let denoiser = Thick::new(product.into(), 0.05)?;
        let side = |_: usize, p: &[f64]| vec![p[0], p[1], 0.0];
        Ok(Self::new("Swiss roll", manifold, denoiser.into(), 0.05, side))
    }

    /// Where a point is, seen from the manifold.
    ///
    /// *Errors*: as [`Manifold::nearest`].
    pub fn spot(&self, y: &[f64]) -> Result<Spot> {
        let foot = self.manifold.nearest(y)?;
        let frame = self.frame(&foot.place, &foot.point);
        let offset = frame.tr_mul(&(DVector::from_column_slice(y) - &foot.point));
        Ok(Spot { foot: foot.point, offset, frame, tangents: self.manifold.dim() })
    }

    /// The distances of points, one after the other, from the manifold.
    ///
    /// *Errors*: as [`Shape::spot`].
    pub fn distances(&self, points: &[f64]) -> Result<Vec<f64>> {
        let each = points.chunks_exact(self.manifold.ambient());
        each.map(|y| Ok(self.spot(y)?.distance())).collect()
    }

    /// [T N] at a place, N towards the same side all over a piece.
    fn frame(&self, place: &Place, point: &DVector<f64>) -> DMatrix<f64> {
        let tangent = self.manifold.tangent_frame(place);
        let normal = complement(&tangent);
        let side = (self.side)(place.piece, point.as_slice());
        let sign = dot(normal.column(0).as_slice(), &side).signum();
        let last = tangent.ncols();
        let mut frame = tangent.insert_column(last, 0.0);
        frame.set_column(last, &(normal.column(0) * sign));
        frame
    }

    /// A picture of a point in the plane: distance from the axis and height for surfaces of revolution, else the first two
    /// coordinates. The manifold is a curve there.
    pub fn profile(&self, y: &[f64]) -> [f64; 2] {
        match &self.manifold.pieces()[0].chart {
            Chart::Sphere(_) | Chart::Torus(_) => [y[0].hypot(y[1]), y[2]],
            _ => [y[0], y[1]],
        }
    }

    /// The manifold in that picture, piece by piece with a gap of NaN between them.
    pub fn profile_outline(&self, per_piece: usize) -> (Vec<f64>, Vec<f64>) {
        let turn = |from: f64, size: f64, centre: f64, radius: f64| {
            (0..=per_piece)
                .map(|k| {
                    let (sin, cos) = (from + size * k as f64 / per_piece as f64).sin_cos();
                    (centre + radius * cos, radius * sin)
                })
                .unzip()
        };
        match &self.manifold.pieces()[0].chart {
            Chart::Sphere(sphere) => turn(-FRAC_PI_2, PI, 0.0, sphere.radius),
            Chart::Torus(torus) => turn(0.0, TAU, torus.major, torus.minor),
            _ => self.outline(per_piece),
        }
    }

    /// Its [outline].
    pub fn outline(&self, per_piece: usize) -> (Vec<f64>, Vec<f64>) {
        outline(&self.manifold, per_piece)
    }
}

/// Outlines of a curve, or of the first parameter of a surface, in the first two coordinates, piece by piece with a gap of NaN after each.
pub fn outline(manifold: &Manifold, per_piece: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (index, piece) in manifold.pieces().iter().enumerate() {
        let (from, to) = match piece.chart.axes().first() {
            Some(manifold::Axis::Interval { from, to }) => (*from, *to),
            _ => (0.0, TAU),
        };
        for k in 0..=per_piece {
            let mut place = vec![0.0; manifold.dim()];
            place[0] = from + (to - from) * k as f64 / per_piece as f64;
            if let Ok(place) = manifold.place(index, &place) {
                let point = manifold.point(&place);
                x.push(point[0]);
                y.push(point[1]);
            }
        }
        x.push(f64::NAN);
        y.push(f64::NAN);
    }
    (x, y)
}

impl Spot {
    /// How far one point has moved to become the other: the distance of the feet, and of what is left in coordinates that
    /// turn with them. For small displacements δ the second is |δ_N| in the interior.
    pub fn shift(&self, to: &Self) -> (f64, f64) {
        ((&to.foot - &self.foot).norm(), (&to.offset - &self.offset).norm())
    }

    /// |δ_T| and |δ_N| of a displacement at this point.
    pub fn split(&self, delta: &[f64]) -> (f64, f64) {
        let parts = self.frame.tr_mul(&DVector::from_column_slice(delta));
        let normal = parts.len() - self.tangents;
        (parts.rows(0, self.tangents).norm(), parts.rows(self.tangents, normal).norm())
    }

    /// The foot.
    pub fn foot(&self) -> &[f64] {
        self.foot.as_slice()
    }

    /// The distance from the manifold.
    pub fn distance(&self) -> f64 {
        self.offset.norm()
    }
}
