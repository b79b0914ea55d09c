//! The reach: Federer's quotient over pairs of points, and the gaps of a union.

use super::boundary::Cone;
use super::chart::{self, Chart, Patch};
use super::nearest::extent;
use super::scatter::{Scatter, compass};
use super::{Manifold, Piece, Place, curvature};
use crate::facts::{Grade, Quantity};

/// Pairs closer than this fraction of the diameter are left to the curvature:
/// their quotient tends to a radius of curvature, but is a quotient of rounding errors.
const CLOSE: f64 = 0.02;
/// Relative accuracy that the local improvement is trusted with.
const IMPROVED: f64 = 1e-6;
/// Pairs that are improved locally.
const IMPROVE: usize = 4;

/// An upper bound of the reach of a chart: the least of 1/K and of the quotients found.
///
/// Federer (1959, 4.18): reach = inf |q−p|²/(2 dist(q−p, Tan_p)) over pairs of
/// points. A product has the least reach of its leaves.
pub(super) fn estimated(chart: &Chart) -> Quantity {
    let of = |leaf: &Chart| {
        let curvature = curvature::estimated(leaf);
        let (coarse, fine) = (least_quotient(leaf, 1.0), least_quotient(leaf, 1.5));
        let value = coarse.min(fine);
        let bar = if value.is_finite() { (coarse - fine).abs() + IMPROVED * value } else { 0.0 };
        let pairs = Quantity::new(value, bar, Grade::Estimated);
        if curvature.value > 1e-12 { pairs.min(Quantity::exact(1.0) / curvature) } else { pairs }
    };
    chart.leaves().into_iter().map(of).reduce(Quantity::min).unwrap_or(Quantity::UNKNOWN)
}

/// |v|²/(2 dist(v, Tan_p)); ∞ when v lies in the tangent cone to rounding.
fn quotient(cone: &Cone, p: &[f64], q: &[f64], closest: f64) -> f64 {
    let v: Vec<f64> = q.iter().zip(p).map(|(q, p)| q - p).collect();
    let (inside, outside) = cone.split(&v);
    let square = inside * inside + outside * outside;
    if square < closest * closest || outside < 1e-12 * square.sqrt() {
        return f64::INFINITY;
    }
    square / (2.0 * outside)
}

fn point(leaf: &Chart, u: &[f64]) -> Vec<f64> {
    let mut x = vec![0.0; leaf.ambient()];
    leaf.point(u, &mut x);
    x
}

fn least_quotient(leaf: &Chart, fineness: f64) -> f64 {
    let axes = leaf.axes();
    let per_axis = match axes.len() {
        1 => (20.0 * leaf.oscillations()).clamp(100.0, 400.0),
        _ => (5.0 * leaf.oscillations()).clamp(10.0, 16.0),
    } * fineness;
    let scatter = Scatter::new(leaf, per_axis as usize, (160.0 * fineness) as usize);
    let places = &scatter.places;
    let points: Vec<Vec<f64>> = places.iter().map(|u| point(leaf, u)).collect();
    let cones: Vec<Cone> = places.iter().map(|u| Cone::new(leaf, &axes, u)).collect();
    let from_first =
        |x: &Vec<f64>| x.iter().zip(&points[0]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
    let closest = CLOSE * points.iter().map(from_first).fold(0.0, f64::max);

    // The best partner of each point, then the best points: distinct starts for the improvement.
    let mut pairs: Vec<(f64, usize, usize)> = Vec::with_capacity(points.len());
    for (i, cone) in cones.iter().enumerate() {
        let of = |j: usize| (quotient(cone, &points[i], &points[j], closest), i, j);
        pairs.extend((0..points.len()).map(of).min_by(|a, b| a.0.total_cmp(&b.0)));
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let both: Vec<_> = axes.iter().chain(&axes).copied().collect();
    let step = axes.iter().map(extent).fold(f64::INFINITY, f64::min) / per_axis.max(8.0);
    let improve = |&(found, i, j): &(f64, usize, usize)| {
        if found.is_infinite() {
            return found;
        }
        let start = [places[i].clone(), places[j].clone()].concat();
        let value = |u: &[f64]| {
            let (p, q) = u.split_at(axes.len());
            quotient(&Cone::new(leaf, &axes, p), &point(leaf, p), &point(leaf, q), closest)
        };
        compass(&both, &start, step, step * 1e-4, value).1
    };
    pairs.iter().take(IMPROVE).map(improve).fold(f64::INFINITY, f64::min)
}

/// The least distance between two pieces of a union.
///
/// Half of it bounds the reach, and together with the pieces' own reach it is
/// the reach: a point with feet on two pieces is at least half the gap away.
pub(super) fn gap(manifold: &Manifold) -> Quantity {
    let mut least = Quantity::exact(f64::INFINITY);
    for (j, b) in manifold.pieces().iter().enumerate() {
        for a in &manifold.pieces()[..j] {
            least = least.min(arcs_gap(a, b).unwrap_or_else(|| estimated_gap(a, b)));
        }
    }
    least
}

/// The distance of two pieces by projecting to and fro, from a scatter over the first.
fn estimated_gap(a: &Piece, b: &Piece) -> Quantity {
    /// Projections to and fro; the gap shrinks at every one.
    const TURNS: usize = 400;
    let alone = |piece: &Piece| Manifold::union(vec![piece.clone()]);
    let (Ok(on_a), Ok(on_b)) = (alone(a), alone(b)) else { return Quantity::UNKNOWN };
    let least = |total: usize| {
        let start = |u: Vec<f64>| {
            let x = on_a.point(&Place { piece: 0, u });
            Some((on_b.nearest(x.as_slice()).ok()?.distance, x))
        };
        let scatter = Scatter::new(&a.chart, total, 4 * total);
        let (first, mut x) =
            scatter.places.into_iter().filter_map(start).min_by(|p, q| p.0.total_cmp(&q.0))?;
        let mut distance = first;
        for _ in 0..TURNS {
            x = on_b.nearest(x.as_slice()).ok()?.point;
            let back = on_a.nearest(x.as_slice()).ok()?;
            let gained = distance - back.distance;
            (distance, x) = (back.distance, back.point);
            if gained < 1e-12 * distance {
                break;
            }
        }
        // They meet: rounding is left.
        Some(if distance < 1e-9 * first { 0.0 } else { distance })
    };
    match (least(32), least(48)) {
        (Some(coarse), Some(fine)) => {
            let bar = (coarse - fine).abs() + IMPROVED * coarse;
            Quantity::new(coarse.min(fine), bar, Grade::Estimated)
        }
        _ => Quantity::UNKNOWN,
    }
}

/// The distance of two arcs in one plane, in closed form.
///
/// A closest pair is an end and its foot, or a crossing, or lies on the line through both centres.
fn arcs_gap(a: &Piece, b: &Piece) -> Option<Quantity> {
    /// Relative rounding of the relative motion and of "lies on the arc".
    const ROUNDING: f64 = 1e-13;
    let (Chart::Arc(arc_a), Chart::Arc(arc_b)) = (&a.chart, &b.chart) else { return None };
    let size = arc_a.radius + arc_b.radius;
    let centre_b = b.motion.apply(&[0.0, 0.0]);
    let (centre, off) = a.motion.pull(&centre_b);
    let apart = centre[0].hypot(centre[1]);
    let scale = size + apart;
    // Plane of b in coordinates of a, and how far it leaves that plane.
    let axes_b: Vec<Vec<f64>> =
        [[1.0, 0.0], [0.0, 1.0]].iter().map(|e| a.motion.turn_back(&b.motion.turn(e))).collect();
    let leaves = axes_b.iter().map(|e| (1.0 - e[0].hypot(e[1])).abs()).fold(0.0, f64::max);
    if off.sqrt() > ROUNDING * scale || leaves > ROUNDING {
        return None;
    }
    let into_b = |x: &[f64]| {
        let v = [x[0] - centre[0], x[1] - centre[1]];
        let coordinate = |e: &Vec<f64>| e[0] * v[0] + e[1] * v[1];
        [coordinate(&axes_b[0]), coordinate(&axes_b[1])]
    };
    let out_of_b = |x: &[f64]| {
        let coordinate = |k: usize| centre[k] + axes_b[0][k] * x[0] + axes_b[1][k] * x[1];
        [coordinate(0), coordinate(1)]
    };
    let to_a = |x: &[f64]| arc_a.foot(x).map_or(f64::NAN, |foot| foot.square.sqrt());
    let to_b = |x: &[f64]| arc_b.foot(&into_b(x)).map_or(f64::NAN, |foot| foot.square.sqrt());
    let end = |arc: &chart::Arc, t: f64| [arc.radius * t.cos(), arc.radius * t.sin()];

    let mut least = f64::INFINITY;
    for t in [arc_a.from, arc_a.to] {
        least = least.min(to_b(&end(arc_a, t)));
    }
    for t in [arc_b.from, arc_b.to] {
        least = least.min(to_a(&out_of_b(&end(arc_b, t))));
    }
    if apart > 0.0 {
        let (r, s) = (arc_a.radius, arc_b.radius);
        let e = [centre[0] / apart, centre[1] / apart];
        // Points of a on the line of centres, and the crossings of the two circles.
        let along = (apart * apart + r * r - s * s) / (2.0 * apart);
        let mut candidates = vec![[r * e[0], r * e[1]], [-r * e[0], -r * e[1]]];
        if along.abs() <= r {
            let aside = (r * r - along * along).sqrt();
            for side in [aside, -aside] {
                candidates.push([along * e[0] - side * e[1], along * e[1] + side * e[0]]);
            }
        }
        for x in candidates {
            if to_a(&x) <= ROUNDING * scale {
                least = least.min(to_b(&x));
            }
        }
    }
    Some(Quantity::exact(least).widened(4.0 * ROUNDING * scale))
}
