//! Bodies: compact sets with a smooth boundary, with densities that vanish at it to a given order.

use super::chart::{check_length, check_storage};
use crate::error::{Error, Result};
use crate::linalg::dot;
use crate::random::{Stream, unit_vector};
use crate::scalar::Scalar;
use num_dual::Dual;
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, TAU};

/// The shape of a [`Body`]: {q ≤ 1} for a gauge q, homogeneous of degree 1 about the centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outline", rename_all = "kebab-case")]
pub enum Outline {
    /// Half axes a_i along the coordinates, then reflected in the hyperplane orthogonal to `mirror`.
    Ellipsoid {
        /// The half axes.
        half_axes: Vec<f64>,
        /// A unit vector; zeros for no reflection.
        mirror: Vec<f64>,
    },
    /// In the plane, r(θ) = radius·(1 + Σ_{m≥1} c_m cos mθ + s_m sin mθ).
    Star {
        /// The mean radius.
        radius: f64,
        /// c_1, c_2, ….
        cosines: Vec<f64>,
        /// s_1, s_2, …, as many.
        sines: Vec<f64>,
    },
}

/// A compact set Ω = {q ≤ 1} with the density C (1 − q²)^order on it, normalised in closed form.
///
/// With z on ∂Ω and n the outer normal there, ρ(z − s n) = c(z) s^order (1 + O(s)), c = C |∇(q²)|^order.
///
/// ```
/// use driftproof::manifold::{Body, Outline};
/// // The ball of radius 2 in R³ with density C (1 − |x|²/4): C = 15/(8π·8), and c = C·|∇(|x|²/4)| = C.
/// let outline = Outline::Ellipsoid { half_axes: vec![2.0; 3], mirror: vec![0.0; 3] };
/// let ball = Body::new(vec![0.0; 3], outline, 1)?;
/// let constant = 15.0 / (64.0 * std::f64::consts::PI);
/// assert!((ball.density(&[1.0, 0.0, 0.0]) - 0.75 * constant).abs() < 1e-15);
/// let edge = ball.boundary_point(&[0.0, 0.0, 1.0]);
/// assert!((edge.coefficient - constant).abs() < 1e-15 && edge.normal == [0.0, 0.0, 1.0]);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    centre: Vec<f64>,
    outline: Outline,
    order: i32,
}

/// A point z of the boundary of a [`Body`].
#[derive(Clone, Debug)]
pub struct BoundaryPoint {
    /// z.
    pub point: Vec<f64>,
    /// The outer unit normal.
    pub normal: Vec<f64>,
    /// c(z): the density at depth s is c s^order to leading order.
    pub coefficient: f64,
    /// |∇(q²)|.
    pub slope: f64,
    /// dS/dω: surface per unit of directions (angle in the plane, surface of the unit sphere).
    pub area: f64,
}

impl Body {
    /// The body of that outline about `centre`.
    ///
    /// *Errors*: [`Error::Input`] for half axes or radii that are not positive, sizes that do not fit,
    /// a mirror that is neither 0 nor a unit vector, a star whose terms add up to 1 or more, order < 0.
    pub fn new(centre: Vec<f64>, outline: Outline, order: i32) -> Result<Self> {
        let bad = |problem: &str, hint: &str| Err(Error::input("body", problem, hint));
        if order < 0 {
            return bad("a density of negative order", "give 0, 1, 2, …");
        }
        if !centre.iter().all(|c| c.is_finite()) {
            return bad("the centre is not finite", "give finite coordinates");
        }
        match &outline {
            Outline::Ellipsoid { half_axes, mirror } => {
                if half_axes.len() < 2 || [mirror.len(), centre.len()] != [half_axes.len(); 2] {
                    return bad(
                        "sizes do not fit",
                        "give D ≥ 2 half axes, and D entries of centre and mirror",
                    );
                }
                check_storage("body", half_axes.len(), half_axes.len())?;
                half_axes.iter().try_for_each(|&a| check_length("half axis", a))?;
                let square = dot(mirror, mirror);
                if !(square == 0.0 || (square - 1.0).abs() <= 1e-12) {
                    return bad("the mirror is no unit vector", "divide it by its length");
                }
            }
            Outline::Star { radius, cosines, sines } => {
                check_length("star radius", *radius)?;
                if centre.len() != 2 || cosines.len() != sines.len() {
                    return bad(
                        "sizes do not fit",
                        "a star is planar, with as many sines as cosines",
                    );
                }
                let sum: f64 = cosines.iter().chain(sines).map(|c| c.abs()).sum();
                if sum.is_nan() || sum >= 1.0 {
                    return bad("the radius may vanish", "keep Σ|c_m| + |s_m| below 1");
                }
            }
        }
        Ok(Self { centre, outline, order })
    }

    /// Dimension D.
    pub fn dim(&self) -> usize {
        self.centre.len()
    }

    /// The order to which the density vanishes at the boundary; 0 is a jump.
    pub fn order(&self) -> i32 {
        self.order
    }

    /// The centre.
    pub fn centre(&self) -> &[f64] {
        &self.centre
    }

    /// The outline.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// q(x)²; at the centre of a star it has no derivative.
    pub fn gauge_square<S: Scalar>(&self, x: &[S]) -> S {
        let from: Vec<S> = x.iter().zip(&self.centre).map(|(&x, &c)| x - c).collect();
        match &self.outline {
            Outline::Ellipsoid { half_axes, mirror } => {
                let turned = reflect(mirror, &from);
                let terms = turned.iter().zip(half_axes).map(|(&u, &a)| u * u / (a * a));
                terms.fold(S::from(0.0), |sum, term| sum + term)
            }
            Outline::Star { .. } => {
                let square = from[0] * from[0] + from[1] * from[1];
                let scale = square.sqrt().recip();
                let radius = self.star_radius(from[0] * scale, from[1] * scale);
                square / (radius * radius)
            }
        }
    }

    /// r(θ) of a star from cos θ and sin θ; cos mθ and sin mθ by turning.
    fn star_radius<S: Scalar>(&self, cos: S, sin: S) -> S {
        let Outline::Star { radius, cosines, sines } = &self.outline else {
            unreachable!("only stars ask for their radius")
        };
        let (mut c, mut s, mut sum) = (cos, sin, S::from(1.0));
        for (&a, &b) in cosines.iter().zip(sines) {
            sum += c * a + s * b;
            (c, s) = (c * cos - s * sin, s * cos + c * sin);
        }
        sum * *radius
    }

    /// The density at x; 0 outside.
    pub fn density(&self, x: &[f64]) -> f64 {
        let inside = 1.0 - self.gauge_square(x);
        if inside < 0.0 { 0.0 } else { self.constant() * inside.powi(self.order) }
    }

    /// The point at relative depth t on the ray of the unit vector `direction`: 0 is the boundary, 1 the centre.
    pub fn at_depth(&self, direction: &[f64], t: f64) -> Vec<f64> {
        let share = 1.0 - t;
        self.tip(direction).iter().zip(&self.centre).map(|(b, c)| c + share * b).collect()
    }

    /// B(ω): the boundary point of a direction, from the centre. Directions of an ellipsoid are stretched by its axes.
    fn tip(&self, direction: &[f64]) -> Vec<f64> {
        match &self.outline {
            Outline::Ellipsoid { half_axes, mirror } => {
                let stretched: Vec<f64> =
                    direction.iter().zip(half_axes).map(|(u, a)| u * a).collect();
                reflect(mirror, &stretched)
            }
            Outline::Star { .. } => {
                let radius = self.star_radius(direction[0], direction[1]);
                vec![radius * direction[0], radius * direction[1]]
            }
        }
    }

    /// The boundary on the ray of the unit vector `direction`.
    pub fn boundary_point(&self, direction: &[f64]) -> BoundaryPoint {
        let point = self.at_depth(direction, 0.0);
        let gradient = self.gauge_slope(&point);
        let slope = dot(&gradient, &gradient).sqrt();
        let area = match &self.outline {
            // Of u ↦ A u: det A |A^{−T} u|.
            Outline::Ellipsoid { half_axes, .. } => {
                let squeezed: f64 =
                    direction.iter().zip(half_axes).map(|(u, a)| (u / a).powi(2)).sum();
                half_axes.iter().product::<f64>() * squeezed.sqrt()
            }
            // √(r² + r'²).
            Outline::Star { .. } => {
                let along = |v: f64| Dual::new(v, 0.0);
                let turn = [
                    along(direction[0]) - Dual::new(0.0, direction[1]),
                    along(direction[1]) + Dual::new(0.0, direction[0]),
                ];
                let radius = self.star_radius(turn[0], turn[1]);
                radius.re.hypot(radius.eps)
            }
        };
        BoundaryPoint {
            point,
            normal: gradient.iter().map(|g| g / slope).collect(),
            coefficient: self.constant() * slope.powi(self.order),
            slope,
            area,
        }
    }

    /// ∇(q²), by duals.
    fn gauge_slope(&self, x: &[f64]) -> Vec<f64> {
        let slope = |i: usize| {
            let seed = |j: usize| f64::from(u8::from(i == j));
            let x: Vec<Dual<f64>> =
                x.iter().enumerate().map(|(j, &x)| Dual::new(x, seed(j))).collect();
            self.gauge_square(&x).eps
        };
        (0..x.len()).map(slope).collect()
    }

    /// Volume per unit of directions and of q^{D−1} dq: det A, or r(θ)².
    pub fn stretch(&self, direction: &[f64]) -> f64 {
        match &self.outline {
            Outline::Ellipsoid { half_axes, .. } => half_axes.iter().product(),
            Outline::Star { .. } => self.star_radius(direction[0], direction[1]).powi(2),
        }
    }

    /// The probability per unit of directions between the boundary and relative depth t, t in [0, 1].
    ///
    /// *Accuracy*: rounding where (1 − s)^{D−1} s^order is well resolved by the nodes of `rule` on [0, t].
    pub fn mass_above(&self, direction: &[f64], t: f64, rule: &[(f64, f64)]) -> f64 {
        let inner = |&(node, weight): &(f64, f64)| {
            let s = 0.5 * t * (1.0 + node);
            let density = (s * (2.0 - s)).powi(self.order);
            0.5 * t * weight * density * (1.0 - s).powi(self.dim() as i32 - 1)
        };
        self.constant() * self.stretch(direction) * rule.iter().map(inner).sum::<f64>()
    }

    /// C, with C ∫ (1 − q²)^k dx = 1: the inner integral over q is B(D/2, k+1)/2.
    fn constant(&self) -> f64 {
        let half = 0.5 * self.dim() as f64;
        let mut beta = 1.0 / half;
        for j in 1..=self.order {
            beta *= f64::from(j) / (half + f64::from(j));
        }
        let directions = match &self.outline {
            Outline::Ellipsoid { half_axes, .. } => {
                sphere_surface(self.dim()) * half_axes.iter().product::<f64>()
            }
            // ∫ r² dθ, by Parseval.
            Outline::Star { radius, cosines, sines } => {
                let waves: f64 = cosines.iter().chain(sines).map(|c| c * c).sum();
                TAU * radius * radius * (1.0 + 0.5 * waves)
            }
        };
        2.0 / (beta * directions)
    }

    /// `count` directions with weights that add up to the surface of the unit sphere: evenly spaced in the
    /// plane (spectrally accurate for smooth integrands), drawn from `stream` in more dimensions.
    pub fn directions(&self, count: usize, stream: Stream) -> Vec<(Vec<f64>, f64)> {
        let weight = sphere_surface(self.dim()) / count as f64;
        let direction = |i: usize| match self.dim() {
            2 => {
                let angle = TAU * (i as f64 + 0.5) / count as f64;
                vec![angle.cos(), angle.sin()]
            }
            dim => unit_vector(&mut stream.indexed(i as u64).rng(), dim),
        };
        (0..count).map(|i| (direction(i), weight)).collect()
    }

    /// The depth on which the leading order of the density and of the boundary holds:
    /// the least of the radii of curvature and of (least radius)/(D − 1), on `count` nodes for a star.
    pub fn layer(&self, count: usize) -> f64 {
        match &self.outline {
            Outline::Ellipsoid { half_axes, .. } => {
                let least = half_axes.iter().copied().fold(f64::INFINITY, f64::min);
                let most = half_axes.iter().copied().fold(0.0, f64::max);
                (least * least / most).min(least / (self.dim() - 1) as f64)
            }
            Outline::Star { .. } => {
                let at = |i: usize| {
                    let angle = TAU * i as f64 / count as f64;
                    let jet = Dual::new(Dual::new(angle, 1.0), Dual::new(1.0, 0.0));
                    let (sin, cos) = num_dual::DualNum::sin_cos(&jet);
                    let r = self.star_radius(cos, sin);
                    let (r, d, dd) = (r.re.re, r.re.eps, r.eps.eps);
                    let bend = (r * r + 2.0 * d * d - r * dd).abs();
                    r.min((r * r + d * d).powf(1.5) / bend)
                };
                (0..count).map(at).fold(f64::INFINITY, f64::min)
            }
        }
    }
}

/// x − 2⟨v, x⟩v.
fn reflect<S: Scalar>(v: &[f64], x: &[S]) -> Vec<S> {
    let along = x.iter().zip(v).fold(S::from(0.0), |sum, (&x, &v)| sum + x * v);
    x.iter().zip(v).map(|(&x, &v)| x - along * (2.0 * v)).collect()
}

/// The surface of the unit sphere S^{n−1} of R^n: 2, 2π, 4π, …, by |S^{n−1}| = 2π/(n−2) |S^{n−3}|.
fn sphere_surface(n: usize) -> f64 {
    match n {
        1 => 2.0,
        2 => 2.0 * PI,
        _ => TAU / (n - 2) as f64 * sphere_surface(n - 2),
    }
}
