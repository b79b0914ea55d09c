//! The mass off a body on rays from its centre, and what the boundary says of it.

use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::Maps;
use crate::linalg::dot;
use crate::manifold::{Body, BoundaryPoint};
use crate::observe::displaced::Displaced;
use crate::observe::limits::{limit, power};
use crate::special::gauss_legendre;
use std::f64::consts::TAU;

/// Sizes of the error: ε_0 halved so many times.
const SIZES: usize = 6;

/// Nodes of the inner integral over the depth.
const DEPTHS: usize = 12;

/// Rounding of a relative depth: a few units in the gauge, times the maps before it.
const ROUNDING: f64 = 1e-13;
/// One ray: its boundary point, ψ around it, and what δ is there.
struct Ray<'a, M> {
    direction: &'a [f64],
    /// Share of the directions.
    weight: f64,
    edge: BoundaryPoint,
    around: Displaced<'a, M>,
    delta: Vec<f64>,
}

impl<'a, M: Maps> Ray<'a, M> {
    /// ⟨δ, n⟩.
    fn outward(&self) -> f64 {
        dot(&self.delta, &self.edge.normal)
    }

    /// The relative depth down to which points of the ray leave the body; 0 when none does.
    fn depth(&self, body: &Body, epsilon: f64) -> Result<f64> {
        let beyond = |t: f64| -> Result<f64> {
            let y = body.at_depth(self.direction, t);
            Ok(body.gauge_square(self.around.moved(&y, epsilon)?.as_slice()) - 1.0)
        };
        let (mut t, mut g) = (0.0, beyond(0.0)?);
        // Less than the rounding of the gauge is no exit.
        if g <= 0.1 * ROUNDING {
            return Ok(0.0);
        }
        // To first order q² changes by −2 for each unit of relative depth.
        let mut next = 0.5 * g;
        for _ in 0..40 {
            let there = beyond(next)?;
            let step = there * (next - t) / (there - g);
            (t, g) = (next, there);
            if g == 0.0 || !step.is_finite() {
                return Ok(t);
            }
            next = t - step;
            if step.abs() <= 0.2 * ROUNDING {
                return Ok(next);
            }
            if !(-0.5..0.9).contains(&next) {
                break;
            }
        }
        Err(Error::numeric("exit of a ray", format!("not found for ε = {epsilon:e}")))
    }
}

/// The facts of a body under a model with errors of size ε_0 2^{−j}, on the rays of `directions`.
///
/// Series: `epsilon`, `mass` P(X^ε ∉ Ω); planar bodies also `moved_winding_inside`, `moved_winding_outside`
/// and `old_winding_inside`. Scalars: `dim` D; `order` k; `power` of the mass; `prefactor` lim P/ε^{k+1};
/// `rate` lim P/ε; `edge_misfit` of ρ = c s^k at a small depth s; `remainder` max |ψ_ε − id − εδ|/ε
/// at the least ε beside `largest_delta`; and the integrals over the boundary of c⟨δ,n⟩₊^{k+1} (`outward`), of the same
/// with ⟨δ,n⟩₋ (`inward`), with |⟨δ,n⟩| (`either_way`) and with |δ| (`whole`).
///
/// *Accuracy*: both sides are sums over the same directions. Limits are parabolas through the last three ε; rays that
/// begin or cease to leave as ε → 0 are in the bar with all that they carry.
///
/// *Errors*: [`Error::Numeric`] when the start of a point or the exit of a ray is not found.
pub fn measure(
    body: &Body,
    maps: &impl Maps,
    resting: bool,
    directions: &[(Vec<f64>, f64)],
    epsilon: f64,
) -> Result<Facts> {
    let epsilons: Vec<f64> = (0..SIZES as i32).map(|j| epsilon * 0.5_f64.powi(j)).collect();
    let mut guess: Option<Vec<f64>> = None;
    let mut rays = Vec::new();
    for (direction, weight) in directions {
        let edge = body.boundary_point(direction);
        let around = match resting {
            true => Displaced::resting(maps, &edge.point),
            false => {
                // Neighbours in the plane have neighbouring starts.
                let from = guess.as_deref().filter(|_| body.dim() == 2).unwrap_or(&edge.point);
                Displaced::near(maps, from, &edge.point)?
            }
        };
        guess = Some(around.start().as_slice().to_vec());
        let delta = around.delta()?.as_slice().to_vec();
        rays.push(Ray { direction, weight: *weight, edge, around, delta });
    }

    let mut facts = Facts::new();
    let order = body.order();
    facts.set("order", Quantity::exact(f64::from(order)));
    facts.set("dim", Quantity::exact(body.dim() as f64));
    let integral = |of: &dyn Fn(&Ray<_>) -> f64| -> Quantity {
        let terms = rays.iter().map(|ray| {
            ray.weight * ray.edge.area * ray.edge.coefficient * of(ray).max(0.0).powi(order + 1)
        });
        let sum: f64 = terms.sum();
        Quantity::new(sum, 1e-11 * sum.abs(), Grade::Estimated)
    };
    facts.set("outward", integral(&|ray| ray.outward()));
    facts.set("inward", integral(&|ray| -ray.outward()));
    facts.set("either_way", integral(&|ray| ray.outward().abs()));
    facts.set("whole", integral(&|ray| dot(&ray.delta, &ray.delta).sqrt()));

    // H1: at a small depth the density is c s^k. H2: ψ is id + εδ to first order.
    let layer = body.layer(256);
    let (mut shallow, mut bent) = (0.0_f64, 0.0_f64);
    let (small, size) = (
        epsilons[SIZES - 1],
        rays.iter().map(|ray| dot(&ray.delta, &ray.delta).sqrt()).fold(0.0, f64::max),
    );
    for ray in &rays {
        let depth = 1e-6 * layer;
        let inside: Vec<f64> =
            ray.edge.point.iter().zip(&ray.edge.normal).map(|(z, n)| z - depth * n).collect();
        let ratio = body.density(&inside) / (ray.edge.coefficient * depth.powi(order));
        shallow = shallow.max((ratio - 1.0).abs());
        let moved = ray.around.moved(&ray.edge.point, small)?;
        let rest = moved.iter().zip(&ray.edge.point).zip(&ray.delta);
        let rest: f64 = rest.map(|((m, z), d)| (m - z - small * d).powi(2)).sum();
        bent = bent.max(rest.sqrt() / small);
    }
    facts.set("edge_misfit", Quantity::new(shallow, 1e-6, Grade::Estimated));
    facts.set("remainder", Quantity::new(bent, 1e-12 / small, Grade::Estimated));
    facts.set("largest_delta", Quantity::new(size, 1e-12 * size, Grade::Estimated));

    let rule = gauss_legendre(DEPTHS);
    let mut shares = vec![Vec::new(); rays.len()]; // each ray's mass/ε^{k+1}, at each ε
    let mut masses = Vec::new();
    for &epsilon in &epsilons {
        let (mut mass, mut bar) = (0.0, 0.0);
        for (ray, shares) in rays.iter().zip(&mut shares) {
            let depth = ray.depth(body, epsilon)?;
            let own = ray.weight * body.mass_above(ray.direction, depth, &rule);
            mass += own;
            // d own/d depth is at most about (k+1) own/depth.
            bar += if depth > 0.0 { f64::from(order + 1) * own / depth * ROUNDING } else { 0.0 };
            bar += ray.weight * body.mass_above(ray.direction, ROUNDING, &rule);
            shares.push(own / epsilon.powi(order + 1));
        }
        masses.push(Quantity::new(mass, bar, Grade::Estimated));
        facts.push("epsilon", Quantity::exact(epsilon));
    }
    let values: Vec<f64> = masses.iter().map(|m| m.value).collect();
    let rounding = masses[SIZES - 3..].iter().map(|m| m.bar).fold(0.0, f64::max);
    let least = epsilons[SIZES - 1];
    facts.set_series("mass", masses);
    // The error is scaled so that corrections are of relative size ε, give or take a small factor.
    let small = epsilons[SIZES - 4];
    facts.set("power", power(&epsilons, &values).widened(small));
    let over =
        |p: i32| -> Vec<f64> { values.iter().zip(&epsilons).map(|(m, e)| m / e.powi(p)).collect() };
    // Rays on which ⟨δ,n⟩ is so small that the second order decides whether they leave.
    let flips: f64 = rays
        .iter()
        .zip(&shares)
        .map(|(ray, shares)| {
            let last = &shares[SIZES - 3..];
            let leaves = ray.outward() > 0.0;
            let flips = last.iter().any(|s| (*s > 0.0) != leaves);
            let first = ray.weight * ray.edge.area * ray.edge.coefficient;
            let first = first * ray.outward().max(0.0).powi(order + 1);
            if flips { last.iter().fold(first, |m: f64, s| m.max(*s)) } else { 0.0 }
        })
        .sum();
    let last = epsilons[SIZES - 3];
    facts.set(
        "prefactor",
        limit(&epsilons, &over(order + 1))
            .widened(3.0 * (flips + rounding / least.powi(order + 1))),
    );
    facts.set(
        "rate",
        limit(&epsilons, &over(1)).widened(3.0 * (flips * last.powi(order) + rounding / least)),
    );
    if body.dim() == 2 {
        windings(&mut facts, body, &rays, epsilon)?;
    }
    Ok(facts)
}

/// Windings of the moved boundary about moved points from within and from without, and of the old boundary about the former.
fn windings<M: Maps>(facts: &mut Facts, body: &Body, rays: &[Ray<M>], epsilon: f64) -> Result<()> {
    let moved = |ray: &Ray<M>, t: f64| ray.around.moved(&body.at_depth(ray.direction, t), epsilon);
    let mut rim = Vec::new();
    for ray in rays {
        rim.push(moved(ray, 0.0)?.as_slice().to_vec());
    }
    let old: Vec<Vec<f64>> = rays.iter().map(|ray| ray.edge.point.clone()).collect();
    // Deeper than a polygon departs from the curve, and where that allows less deep than the body moves.
    let layer = body.layer(256);
    let spacing = TAU / rays.len() as f64;
    let depth = (0.3 * epsilon * layer).max(0.5 * spacing * spacing / layer).min(0.5);
    for ray in rays.iter().step_by(rays.len() / 16) {
        let (inner, outer) = (moved(ray, depth)?, moved(ray, -depth)?);
        let turns = [
            ("moved_winding_inside", winding(&rim, inner.as_slice())),
            ("old_winding_inside", winding(&old, inner.as_slice())),
            ("moved_winding_outside", winding(&rim, outer.as_slice())),
        ];
        for (name, turns) in turns {
            facts.push(name, Quantity::new(turns, 1e-9, Grade::Estimated));
        }
    }
    Ok(())
}

/// How often a closed polygon winds about a point, either way round.
fn winding(polygon: &[Vec<f64>], x: &[f64]) -> f64 {
    let turn = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        let (a, b) = ([a[0] - x[0], a[1] - x[1]], [b[0] - x[0], b[1] - x[1]]);
        (a[0] * b[1] - a[1] * b[0]).atan2(a[0] * b[0] + a[1] * b[1])
    };
    let next = polygon.iter().cycle().skip(1);
    (polygon.iter().zip(next).map(turn).sum::<f64>() / TAU).abs()
}
