//! The blocks of T2.0 along one orbit near a curve, and the bounds T2.1 and T2.5 on its plane.

use super::curve::Curve;
use crate::claims::riccati::{Coefficients, riccati_bound};
use crate::drift::{Canonical, Channel, Denoise, Lanes};
use crate::error::Result;
use crate::facts::Quantity;
use crate::flow::StepWorkspace;
use crate::manifold::Nearest;
use nalgebra::Vector2;
use num_dual::Dual;

/// Points of the segment from the curve to the state on which the second derivative is taken.
const SEGMENT: usize = 16;

/// Directions of the half turn in which the largest third derivative is looked for: the maximum of a
/// trigonometric polynomial of degree 3 is then off by (3π/720)²/2 < 10⁻⁴.
const DIRECTIONS: usize = 720;

/// Tangents that turn by more than this from one noise level to the next belong to feet on two sheets.
const LARGEST_TURN: f64 = 0.3;

/// One orbit with the frames of its nearest points, at every noise level of a grid; time is u = log(σ_1/σ).
#[derive(Clone, Debug, Default)]
pub struct Along {
    /// σ.
    pub sigma: Vec<f64>,
    /// u.
    pub time: Vec<f64>,
    /// y.
    pub state: Vec<Vector2<f64>>,
    /// The nearest points.
    pub feet: Vec<Nearest>,
    /// γ.
    pub gamma: Vec<f64>,
    /// κ, with the turning of the frame.
    pub kappa: Vec<f64>,
    /// η.
    pub eta: Vec<f64>,
    /// What T2.5 puts in place of both: |NᵀCT|/σ² + K|P(m − p)|/(1 − Kr).
    pub certified: Vec<f64>,
    /// Kr.
    pub stretch: Vec<f64>,
    /// The signed slope L of the line that is carried along over the tangent.
    pub slope: Vec<f64>,
    /// The first time after which no nearest point jumps to another sheet.
    pub on_sheet: usize,
    /// The solution of (R) from the earliest time on from which it exists until the end (T2.1).
    pub riccati: Option<Bounded>,
    /// The same with the coefficients of T2.5, from where the nearest points are interior with Kr < 1.
    pub certificate: Option<Bounded>,
}

/// A bound on the slope from some time on.
#[derive(Clone, Debug)]
pub struct Bounded {
    /// The place in the grid at which it starts, as high as the slope.
    pub first: usize,
    /// The bound from there on.
    pub y: Vec<f64>,
}

impl Along {
    /// The orbit from `start` down to σ, with the line in direction `line`.
    ///
    /// *Errors*: as [`Curve::ends`].
    pub fn new(curve: &Curve, sigma: f64, start: Vector2<f64>, line: Vector2<f64>) -> Result<Self> {
        let sampler = curve.sampler(sigma);
        let mut along = Self::default();
        let flow = Canonical { denoiser: &curve.denoiser };
        let mut block = [start[0], start[1], line[0], line[1]];
        let (mut before, mut work) = (None::<Vector2<f64>>, StepWorkspace::default());
        for (k, sigma) in sampler.times().iter().enumerate() {
            let (state, line) =
                (Vector2::new(block[0], block[1]), Vector2::new(block[2], block[3]));
            let foot = curve.nearest(&state)?;
            let (mut tangent, mut normal) = curve.frame(&foot.place);
            if before.is_some_and(|b| b.dot(&tangent) < 0.0) {
                (tangent, normal) = (-tangent, -normal);
            }
            if before.is_some_and(|b| b.perp(&tangent).abs() > LARGEST_TURN) {
                along.on_sheet = k;
            }
            let moments = curve.moments(*sigma, &state, &foot, (&tangent, &normal));
            let bend = curve.bend(&foot.place, &normal);
            let turning = curve.turning(&state, &foot, &normal, moments.along);
            let stretch = bend.abs() * foot.distance;
            let moved = bend.abs() * moments.along.abs() / (1.0 - stretch);
            along.sigma.push(*sigma);
            along.time.push((sampler.times()[0] / sigma).ln());
            along.state.push(state);
            along.gamma.push(moments.tangent - moments.normal);
            // UᵀU' = [[0, −ω], [ω, 0]].
            along.kappa.push((moments.cross - turning).abs());
            along.eta.push((moments.cross + turning).abs());
            along.certified.push(moments.cross.abs() + moved);
            along.stretch.push(stretch);
            along.slope.push(normal.dot(&line) / tangent.dot(&line));
            along.feet.push(foot);
            before = Some(tangent);
            if k < sampler.maps() {
                sampler.step(&flow, k, &mut block, Lanes::single(1), &mut work);
            }
        }
        along.riccati = along.bound(along.on_sheet, &along.kappa, &along.eta);
        along.certificate = along.certified_bound();
        Ok(along)
    }

    fn certified_bound(&self) -> Option<Bounded> {
        let inside = |k: &usize| !self.feet[*k].boundary && self.stretch[*k] < 1.0;
        let outside = (0..self.time.len()).rev().find(|k| !inside(k));
        let first = outside.map_or(0, |k| k + 1).max(self.on_sheet);
        self.bound(first, &self.certified, &self.certified)
    }

    fn bound(&self, first: usize, kappa: &[f64], eta: &[f64]) -> Option<Bounded> {
        let exact = |values: &[f64]| -> Vec<Quantity> {
            values.iter().copied().map(Quantity::exact).collect()
        };
        let (times, gamma) = (exact(&self.time), exact(&self.gamma));
        let (kappa, eta) = (exact(kappa), exact(eta));
        (first..self.time.len().saturating_sub(1)).find_map(|k| {
            let coefficients = Coefficients {
                times: &times[k..],
                gamma: &gamma[k..],
                kappa: &kappa[k..],
                eta: &eta[k..],
            };
            let bound = riccati_bound(coefficients, self.slope[k].abs())?;
            bound.exists.then_some(Bounded { first: k, y: bound.y })
        })
    }

    /// The largest |D²v| on the segment from the nearest point to the state, of the velocity v in the time u.
    ///
    /// D²v is the third cumulant of the posterior over σ⁴: symmetric, so its norm is attained on one direction.
    pub fn second_derivative(&self, curve: &Curve, k: usize) -> f64 {
        let foot = Vector2::new(self.feet[k].point[0], self.feet[k].point[1]);
        let at = |i: usize| foot + (self.state[k] - foot) * (i as f64 / SEGMENT as f64);
        (0..=SEGMENT)
            .map(|i| largest_bend(&curve.denoiser, self.sigma[k], at(i)))
            .fold(0.0, f64::max)
    }
}

/// max |⟨a, D²m[a, a]⟩| over unit vectors a, from four directions: a binary cubic form has four coefficients.
pub fn largest_bend(denoiser: &impl Denoise, sigma: f64, at: Vector2<f64>) -> f64 {
    let form = |a: [f64; 2]| second_along(denoiser, sigma, at, a);
    // f(x, y) = c30 x³ + c21 x²y + c12 xy² + c03 y³.
    let (c30, c03) = (form([1.0, 0.0]), form([0.0, 1.0]));
    let (plus, minus) = (form([1.0, 1.0]), form([1.0, -1.0]));
    let (c21, c12) = (0.5 * (plus - minus) - c03, 0.5 * (plus + minus) - c30);
    let value = |i: usize| {
        let (y, x) = (std::f64::consts::PI * i as f64 / DIRECTIONS as f64).sin_cos();
        (c30 * x * x * x + c21 * x * x * y + c12 * x * y * y + c03 * y * y * y).abs()
    };
    (0..DIRECTIONS).map(value).fold(0.0, f64::max)
}

/// ⟨a, d²/dt² m(at + ta)⟩ at t = 0, by duals of duals.
fn second_along(denoiser: &impl Denoise, sigma: f64, at: Vector2<f64>, a: [f64; 2]) -> f64 {
    let carried = |i: usize| Dual::new(Dual::new(at[i], a[i]), Dual::new(a[i], 0.0));
    let mut mean = [Dual::from(0.0); 2];
    let channel = Channel::canonical(Dual::from(sigma));
    denoiser.denoise(channel, &[carried(0), carried(1)], &mut mean);
    mean.iter().zip(a).map(|(m, a)| m.eps.eps * a).sum()
}
