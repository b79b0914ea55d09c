//! Sums of waves: graphs over a box, closed curves and closed surfaces.

use super::{Axis, Patch, check_length, check_storage};
use crate::error::{Error, Result};
use crate::linalg::dot;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_2_PI, TAU};

/// Points that the nearest-point search may store for one chart.
const MOST_SEEDS: usize = 2_400;

/// One term amplitude·cos(⟨frequency, u⟩ + phase).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wave {
    /// Radians per unit of each parameter; whole numbers on a [`Closed`] chart.
    pub frequency: Vec<f64>,
    /// Phase, in radians.
    pub phase: f64,
    /// The vector that is scaled.
    pub amplitude: Vec<f64>,
}

impl Wave {
    fn check(&self, dim: usize, values: usize) -> Result<()> {
        let numbers = self.frequency.iter().chain(&self.amplitude).chain([&self.phase]);
        if self.frequency.len() == dim
            && self.amplitude.len() == values
            && numbers.into_iter().all(|x| x.is_finite() && x.abs() < 1e6)
        {
            return Ok(());
        }
        let problem = format!("needs {dim} frequencies and {values} amplitudes, all below 1e6");
        Err(Error::input("wave", problem, "give every wave of a chart the same shape"))
    }

    fn size(&self) -> f64 {
        dot(&self.amplitude, &self.amplitude).sqrt()
    }

    /// The most its value changes per unit of parameter `axis`.
    fn slope(&self, axis: usize) -> f64 {
        self.frequency[axis].abs() * self.size()
    }
}

/// An upper bound L of |D²Σ waves[v, v]| over unit v.
fn bending(waves: &[Wave]) -> f64 {
    waves.iter().map(|w| dot(&w.frequency, &w.frequency) * w.size()).sum()
}

/// Adds the waves to `out`.
fn add_waves<S: Scalar>(waves: &[Wave], u: &[S], out: &mut [S]) {
    for wave in waves {
        let start = S::from(wave.phase);
        let angle = wave.frequency.iter().zip(u).fold(start, |sum, (&w, &u)| sum + u * w);
        let cos = angle.cos();
        for (x, &a) in out.iter_mut().zip(&wave.amplitude) {
            *x += cos * a;
        }
    }
}

/// An upper bound of ⟨c, Σ waves⟩.
fn waves_support(waves: &[Wave], c: &[f64]) -> f64 {
    waves.iter().map(|wave| dot(&wave.amplitude, c).abs()).sum()
}

/// u ↦ (u, Σ waves(u)) over the box |u_i| ≤ half_widths_i, whose faces are boundary.
///
/// An embedding whatever the waves. Curvature and reach are estimated; proven
/// are K ≤ L and reach ≥ 1/L with L = Σ|frequency|²|amplitude|: the tangent
/// vector (v, Df v) misses the chord (v, f(u+v) − f(u)) by at most L|v|²/2 ≤ L|chord|²/2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// Half widths of the box; its length is the dimension d.
    pub half_widths: Vec<f64>,
    /// Number of further coordinates.
    pub height: usize,
    /// The function, with values in R^height; none is the zero function.
    pub waves: Vec<Wave>,
}

impl Patch for Graph {
    fn check(&self) -> Result<()> {
        let dim = self.half_widths.len();
        if dim == 0 || self.height == 0 {
            return Err(Error::input("graph", "has dimension or height 0", "give at least 1"));
        }
        check_storage("graph", dim.saturating_add(self.height), MOST_SEEDS + dim)?;
        self.half_widths.iter().try_for_each(|&h| check_length("graph half width", h))?;
        self.waves.iter().try_for_each(|wave| wave.check(dim, self.height))
    }
    fn ambient(&self) -> usize {
        self.half_widths.len() + self.height
    }
    fn dim(&self) -> usize {
        self.half_widths.len()
    }
    fn axes(&self) -> Vec<Axis> {
        self.half_widths.iter().map(|&h| Axis::Interval { from: -h, to: h }).collect()
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let (base, height) = out.split_at_mut(self.half_widths.len());
        base.copy_from_slice(u);
        height.fill(S::from(0.0));
        add_waves(&self.waves, u, height);
    }
    fn curvature_at_most(&self) -> f64 {
        bending(&self.waves)
    }
    fn reach_at_least(&self) -> f64 {
        1.0 / bending(&self.waves)
    }
    fn guess(&self, y: &[f64]) -> Option<Vec<f64>> {
        Some(y.iter().zip(&self.half_widths).map(|(y, &half)| y.clamp(-half, half)).collect())
    }
    fn oscillations(&self) -> f64 {
        let along = |wave: &Wave| {
            let turns =
                wave.frequency.iter().zip(&self.half_widths).map(|(w, h)| 2.0 * w * h / TAU);
            turns.map(f64::abs).fold(0.0, f64::max)
        };
        self.waves.iter().map(along).fold(1.0, f64::max)
    }
    /// Hadamard: the volume of a parallelepiped is at most the product of its edges.
    fn stretch(&self) -> f64 {
        let edge = |axis| self.waves.iter().map(|w| w.slope(axis)).sum::<f64>().hypot(1.0);
        (0..self.dim()).map(edge).product()
    }
    fn support(&self, c: &[f64]) -> f64 {
        let (base, height) = c.split_at(self.half_widths.len());
        let flat: f64 = base.iter().zip(&self.half_widths).map(|(c, half)| c.abs() * half).sum();
        flat + waves_support(&self.waves, height)
    }
}

/// A closed curve (d = 1) or a closed surface of torus topology (d = 2, and so on):
/// circles (R_i cos u_i, R_i sin u_i) side by side, filled up with zeros to R^n, plus waves.
///
/// It is refused unless the waves change by less than (2/π) min R_i per unit
/// of |u|. Then it is an embedding: the circles alone move by at least
/// (2/π) min R_i times the angular distance, because a chord is at least 2/π of its arc.
///
/// Curvature and reach are estimated. Proven, with s the slope of the waves and
/// C = max R_i + Σ|frequency|²|amplitude| ≥ |D²x|: K ≤ C/(min R − s)², as |Jv| ≥ (min R − s)|v|;
/// and reach ≥ ((2/π) min R − s)²/C, as |q − p| ≥ ((2/π) min R − s)|v| for
/// parameters v apart, while the tangent vector Jv misses q − p by at most C|v|²/2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// Radii R_i of the base circles; its length is the dimension d.
    pub radii: Vec<f64>,
    /// Dimension n ≥ 2d of the chart's own space.
    pub ambient: usize,
    /// The deviation from the flat torus, with whole frequencies.
    pub waves: Vec<Wave>,
}

impl Closed {
    fn least_radius(&self) -> f64 {
        self.radii.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// An upper bound of what the waves change per unit of |u|.
    fn slope(&self) -> f64 {
        let steepness = |w: &Wave| dot(&w.frequency, &w.frequency).sqrt() * w.size();
        self.waves.iter().map(steepness).sum()
    }

    /// An upper bound of |D²x[v, v]| over unit v.
    fn bending(&self) -> f64 {
        self.radii.iter().copied().fold(0.0, f64::max) + bending(&self.waves)
    }
}

impl Patch for Closed {
    fn check(&self) -> Result<()> {
        let dim = self.radii.len();
        if dim == 0 || self.ambient < 2 * dim {
            let problem = format!("dimension {dim} does not fit into ambient {}", self.ambient);
            return Err(Error::input("closed", problem, "give d ≥ 1 radii and ambient ≥ 2d"));
        }
        check_storage("closed", self.ambient, MOST_SEEDS + dim)?;
        self.radii.iter().try_for_each(|&r| check_length("closed radius", r))?;
        self.waves.iter().try_for_each(|wave| wave.check(dim, self.ambient))?;
        if self.waves.iter().any(|wave| wave.frequency.iter().any(|w| w.fract() != 0.0)) {
            let problem = "a frequency is not a whole number";
            return Err(Error::input("closed", problem, "use a graph for other waves"));
        }
        let (least, slope) = (self.least_radius(), self.slope());
        if slope < FRAC_2_PI * least {
            return Ok(());
        }
        let problem = format!("waves of slope {slope} may tie a knot into radius {least}");
        Err(Error::input("closed", problem, "keep Σ|frequency||amplitude| below (2/π) min R"))
    }
    fn ambient(&self) -> usize {
        self.ambient
    }
    fn dim(&self) -> usize {
        self.radii.len()
    }
    fn axes(&self) -> Vec<Axis> {
        vec![Axis::Angle; self.radii.len()]
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        out.fill(S::from(0.0));
        for ((pair, &u), &radius) in out.chunks_exact_mut(2).zip(u).zip(&self.radii) {
            let (sin, cos) = u.sin_cos();
            pair[0] = cos * radius;
            pair[1] = sin * radius;
        }
        add_waves(&self.waves, u, out);
    }
    fn curvature_at_most(&self) -> f64 {
        self.bending() / (self.least_radius() - self.slope()).powi(2)
    }
    fn reach_at_least(&self) -> f64 {
        (FRAC_2_PI * self.least_radius() - self.slope()).powi(2) / self.bending()
    }
    fn guess(&self, y: &[f64]) -> Option<Vec<f64>> {
        Some((0..self.dim()).map(|i| y[2 * i + 1].atan2(y[2 * i])).collect())
    }
    fn oscillations(&self) -> f64 {
        let along = |wave: &Wave| wave.frequency.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
        self.waves.iter().map(along).fold(1.0, f64::max)
    }
    fn stretch(&self) -> f64 {
        let edge = |(axis, radius): (usize, &f64)| {
            radius + self.waves.iter().map(|w| w.slope(axis)).sum::<f64>()
        };
        self.radii.iter().enumerate().map(edge).product()
    }
    fn support(&self, c: &[f64]) -> f64 {
        let circle = |(i, radius): (usize, &f64)| radius * c[2 * i].hypot(c[2 * i + 1]);
        self.radii.iter().enumerate().map(circle).sum::<f64>() + waves_support(&self.waves, c)
    }
}
