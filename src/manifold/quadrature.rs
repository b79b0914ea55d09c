//! Quadrature on manifolds: periodic trapezoid on angles, Gauss–Legendre on intervals.

use super::chart::{Axis, Chart, check_storage};
use super::sampling::leaf_volume;
use super::{Manifold, Place};
use crate::error::{Error, Result};
use crate::special::gauss_legendre;
use nalgebra::DMatrix;
use std::f64::consts::TAU;

/// Nodes of each piece of a curve by equations, at least.
const LEAST_NODES: usize = 8;

/// Nodes of one axis with their weights.
fn axis_rule(axis: &Axis, n: usize) -> Vec<(f64, f64)> {
    let scaled = |from: f64, to: f64| {
        let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0);
        gauss_legendre(n).into_iter().map(|(x, w)| (middle + half * x, half * w)).collect()
    };
    match *axis {
        Axis::Line { half } => scaled(-half, half),
        Axis::Interval { from, to } | Axis::Ambient { from, to } => scaled(from, to),
        // On a period the trapezoid rule converges faster than any power of 1/n.
        Axis::Angle | Axis::Direction => {
            (0..n).map(|i| (TAU * i as f64 / n as f64, TAU / n as f64)).collect()
        }
    }
}

type Nodes = Vec<(Vec<f64>, f64)>;

/// All pairs of nodes.
fn product(a: &Nodes, b: &[(Vec<f64>, f64)]) -> Nodes {
    let pair = |(u, w): &(Vec<f64>, f64)| {
        let (u, w) = (u.clone(), *w);
        b.iter().map(move |(v, x)| ([u.clone(), v.clone()].concat(), w * x)).collect::<Nodes>()
    };
    a.iter().flat_map(pair).collect()
}

/// Nodes of a leaf with weights that include the volume density.
fn leaf_nodes(leaf: &Chart, n: usize) -> Result<Nodes> {
    let axes = leaf.axes();
    let single =
        |rule: Vec<(f64, f64)>| -> Nodes { rule.into_iter().map(|(u, w)| (vec![u], w)).collect() };
    let parameters: Nodes = match (leaf, leaf.dim()) {
        (Chart::Sphere(_), 1) => {
            let on_circle = |(t, w): (f64, f64)| (vec![t.cos(), t.sin()], w);
            axis_rule(&Axis::Angle, n).into_iter().map(on_circle).collect()
        }
        // Archimedes: height and longitude carry the surface of S² evenly.
        (Chart::Sphere(_), 2) => {
            let on_sphere = |(u, w): (Vec<f64>, f64)| {
                let rim = (1.0 - u[0] * u[0]).sqrt();
                (vec![rim * u[1].cos(), rim * u[1].sin(), u[0]], w)
            };
            let heights = single(gauss_legendre(n));
            product(&heights, &single(axis_rule(&Axis::Angle, n)))
                .into_iter()
                .map(on_sphere)
                .collect()
        }
        // Equal lengths on closed curves, of which each has its share of the nodes.
        (Chart::Implicit(curve), _) => {
            let (pieces, mut found) = (curve.pieces(), Vec::new());
            let total: f64 = pieces.iter().map(|(length, _)| length).sum();
            for (piece, (length, closed)) in pieces.into_iter().enumerate() {
                let n = ((n as f64 * length / total).ceil() as usize).max(LEAST_NODES);
                let axis = match closed {
                    true => Axis::Angle,
                    false => Axis::Interval { from: 0.0, to: TAU },
                };
                for (angle, weight) in axis_rule(&axis, n) {
                    let u = curve.at(piece, angle / TAU).ok_or_else(|| {
                        Error::numeric("quadrature", "a point of the curve was not found")
                    })?;
                    found.push((u, length * weight / TAU));
                }
            }
            found
        }
        (Chart::Sphere(_), dim) => {
            let problem = format!("has no rule for a sphere of dimension {dim}");
            return Err(Error::input("quadrature", problem, "use samples instead"));
        }
        _ => axes.iter().fold(vec![(Vec::new(), 1.0)], |nodes, axis| {
            product(&nodes, &single(axis_rule(axis, n)))
        }),
    };
    let weighted = |(u, w): (Vec<f64>, f64)| {
        let volume = leaf_volume(leaf, &u);
        (u, w * volume)
    };
    Ok(parameters.into_iter().map(weighted).collect())
}

impl Manifold {
    /// Points (`D×N`) and weights (sum 1) of the uniform law: E f ≈ Σ w_i f(x_i).
    ///
    /// `per_axis` nodes along each angle (trapezoid) and each interval
    /// (Gauss–Legendre), so N = pieces·per_axis^d; of a curve by equations each part has its share of them, 8 at least. Unbounded flats are cut to the box that
    /// points are drawn from.
    ///
    /// *Errors*: [`Error::Input`] when `per_axis` is 0, when D·N exceeds 1e8,
    /// or for spheres of dimension above 2.
    /// *Accuracy*: spectral in `per_axis`: compare two of them.
    pub fn quadrature(&self, per_axis: usize) -> Result<(DMatrix<f64>, Vec<f64>)> {
        let places = self.weighted_places(per_axis)?;
        let (mut points, mut weights) = (Vec::new(), Vec::new());
        for (place, weight) in places {
            points.extend_from_slice(self.point(&place).as_slice());
            weights.push(weight);
        }
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        Ok((DMatrix::from_vec(self.ambient(), weights.len(), points), weights))
    }

    /// The volume of the manifold, from the weights of [`Manifold::quadrature`]; its errors too.
    pub fn volume(&self, per_axis: usize) -> Result<f64> {
        Ok(self.weighted_places(per_axis)?.iter().map(|(_, weight)| weight).sum())
    }

    /// Places with their share of the volume.
    pub(super) fn weighted_places(&self, per_axis: usize) -> Result<Vec<(Place, f64)>> {
        if per_axis == 0 {
            return Err(Error::input("quadrature", "has no nodes", "give per_axis ≥ 1"));
        }
        self.check_volume()?;
        let count = u32::try_from(self.dim())
            .ok()
            .and_then(|dim| per_axis.checked_pow(dim))
            .and_then(|count| count.checked_mul(self.pieces().len()))
            .unwrap_or(usize::MAX);
        check_storage("quadrature", self.ambient(), count)?;
        let mut places = Vec::with_capacity(count);
        for (piece, found) in self.pieces().iter().enumerate() {
            let mut nodes = vec![(Vec::new(), 1.0)];
            for leaf in found.chart.leaves() {
                nodes = product(&nodes, &leaf_nodes(leaf, per_axis)?);
            }
            places.extend(nodes.into_iter().map(|(u, weight)| (Place { piece, u }, weight)));
        }
        Ok(places)
    }
}
