//! Points spread over a chart's parameters: where searches start.

use super::chart::{Axis, Chart};
use statrs::distribution::{ContinuousCDF, Normal};
use std::f64::consts::TAU;

/// Parameters spread over a chart, its boundary included.
pub(crate) struct Scatter {
    /// One vector of parameters for each point.
    pub places: Vec<Vec<f64>>,
    /// Points along each axis when they form a grid (first axis slowest); empty otherwise.
    pub grid: Vec<usize>,
}

impl Scatter {
    /// A grid of `per_axis` points along each axis, or `total` points of a low-discrepancy sequence.
    ///
    /// It is a grid when the chart has at most two parameters and no directions.
    pub fn new(chart: &Chart, per_axis: usize, total: usize) -> Self {
        let axes = chart.axes();
        match chart {
            Chart::Implicit(_) => {
                let found = sequence(&axes, total).into_iter().filter_map(|u| chart.settled(&u));
                return Self { places: found.collect(), grid: Vec::new() };
            }
            Chart::Ridge(ridge) => {
                return Self { places: ridge.places(total), grid: Vec::new() };
            }
            _ => (),
        }
        if axes.len() > 2 || axes.contains(&Axis::Direction) {
            return Self { places: sequence(&axes, total), grid: Vec::new() };
        }
        let mut places = vec![Vec::new()];
        for axis in &axes {
            let extended = |place: Vec<f64>| {
                (0..per_axis).map(move |i| {
                    // The end of a period is its start; the ends of an interval are both wanted.
                    let steps = if *axis == Axis::Angle { per_axis } else { per_axis - 1 };
                    let mut longer = place.clone();
                    longer.push(spread(axis, i as f64 / steps as f64));
                    longer
                })
            };
            places = places.into_iter().flat_map(extended).collect();
        }
        Self { places, grid: vec![per_axis; axes.len()] }
    }

    /// The neighbours of grid point `index`, diagonals included.
    pub fn neighbours(&self, axes: &[Axis], index: usize) -> Vec<usize> {
        let mut found = vec![0];
        let mut weight: usize = self.grid.iter().product();
        for (&count, axis) in self.grid.iter().zip(axes) {
            weight /= count;
            let here = index / weight % count;
            let mut along = vec![here];
            if here > 0 || *axis == Axis::Angle {
                along.push((here + count - 1) % count);
            }
            if here + 1 < count || *axis == Axis::Angle {
                along.push((here + 1) % count);
            }
            let extended = |base: usize| along.iter().map(move |i| base + i * weight);
            found = found.into_iter().flat_map(extended).collect();
        }
        found.retain(|&i| i != index);
        found
    }
}

/// The parameter at the fraction t ∈ [0, 1] of an axis.
fn spread(axis: &Axis, t: f64) -> f64 {
    match *axis {
        Axis::Line { half } => (2.0 * t - 1.0) * half,
        Axis::Angle => TAU * t,
        Axis::Interval { from, to } | Axis::Ambient { from, to } => from + (to - from) * t,
        Axis::Direction => Normal::standard().inverse_cdf(t.clamp(1e-12, 1.0 - 1e-12)),
    }
}

/// Points of the Kronecker sequence with the powers of the generalised golden ratio
/// (the root of x^{m+1} = x + 1; Roberts 2018). Intervals are stretched by a
/// tenth at both ends and cut off, so that faces and corners are visited too.
fn sequence(axes: &[Axis], total: usize) -> Vec<Vec<f64>> {
    let exponent = 1.0 / (axes.len() as f64 + 1.0);
    let ratio = (0..60).fold(2.0_f64, |x, _| (x + 1.0).powf(exponent));
    let along = |i: usize, (k, axis): (usize, &Axis)| {
        let t = (0.5 + ratio.powi(-(k as i32 + 1)) * (i + 1) as f64).fract();
        match axis {
            Axis::Interval { .. } => spread(axis, (1.2 * t - 0.1).clamp(0.0, 1.0)),
            _ => spread(axis, t),
        }
    };
    (0..total).map(|i| axes.iter().enumerate().map(|axis| along(i, axis)).collect()).collect()
}

/// Puts parameters back into their intervals.
pub(crate) fn clamp(axes: &[Axis], u: &mut [f64]) {
    for (u, axis) in u.iter_mut().zip(axes) {
        if let Axis::Interval { from, to } = *axis {
            *u = u.clamp(from, to);
        }
    }
}

/// Lowers `value` by a compass search from `start`, steps shrinking from `step` to `least`.
///
/// Needs no derivatives, and boundaries only clamp: it serves quotients that are not smooth there.
pub(crate) fn compass(
    axes: &[Axis],
    start: &[f64],
    mut step: f64,
    least: f64,
    mut value: impl FnMut(&[f64]) -> f64,
) -> (Vec<f64>, f64) {
    let mut best = (start.to_vec(), value(start));
    let mut budget = 120 * start.len();
    while step > least && budget > 0 {
        let mut improved = false;
        for i in 0..start.len() {
            for sign in [1.0, -1.0] {
                let mut trial = best.0.clone();
                trial[i] += sign * step;
                clamp(axes, &mut trial);
                let found = value(&trial);
                budget = budget.saturating_sub(1);
                if found < best.1 {
                    best = (trial, found);
                    improved = true;
                }
            }
        }
        if !improved {
            step *= 0.5;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::chart::{Flat, Torus};
    use super::*;

    #[test]
    fn grid_points_are_neighbours_of_those_one_step_away_along_each_axis() {
        // 5 × 5 points of a torus: every point has 8; of a square: 3 at corners, 5 at edges, 8 inside.
        let torus = Chart::Torus(Torus { major: 2.0, minor: 0.5 });
        let square = Chart::Flat(Flat { half_widths: vec![1.0, 1.0], bounded: true });
        for (chart, round) in [(torus, true), (square, false)] {
            let (axes, scatter) = (chart.axes(), Scatter::new(&chart, 5, 0));
            assert_eq!(scatter.places.len(), 25);
            for index in 0..25_usize {
                let step = |a: usize, b: usize| {
                    let apart = a.abs_diff(b);
                    apart <= 1 || (round && apart == 4)
                };
                let expected: Vec<usize> = (0..25)
                    .filter(|&j| j != index && step(index / 5, j / 5) && step(index % 5, j % 5))
                    .collect();
                let mut found = scatter.neighbours(&axes, index);
                found.sort_unstable();
                assert_eq!(found, expected, "{index}");
                // The first axis is the slowest.
                let at = |place: &[f64], axis: usize| (place[axis] - scatter.places[0][axis]).abs();
                let unit = at(&scatter.places[6], 0);
                assert!((at(&scatter.places[index], 0) - unit * (index / 5) as f64).abs() < 1e-12);
                assert!((at(&scatter.places[index], 1) - unit * (index % 5) as f64).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn scattered_points_fill_a_box_evenly_and_visit_all_its_faces() {
        let cube = Chart::Flat(Flat { half_widths: vec![1.0; 3], bounded: true });
        let scatter = Scatter::new(&cube, 0, 480);
        assert!(scatter.grid.is_empty() && scatter.places.len() == 480);
        for axis in 0..3 {
            let along: Vec<f64> = scatter.places.iter().map(|place| place[axis]).collect();
            // A twelfth of the points lies on each face, and each tenth between holds a tenth of the rest: 40 each.
            let share = |inside: &dyn Fn(f64) -> bool| along.iter().filter(|x| inside(**x)).count();
            let mut counts = vec![share(&|x| x == -1.0), share(&|x| x == 1.0)];
            for tenth in 0..10 {
                let from = -1.0 + 0.2 * f64::from(tenth);
                counts.push(share(&|x| x > from.max(-1.0 + 1e-15) && x < 1.0 && x <= from + 0.2));
            }
            // Far less uneven than the clusters or gaps that would leave a basin without a start.
            assert!(counts.iter().all(|count| count.abs_diff(40) <= 10), "{counts:?}");
            // No two coordinates are the same sequence.
            let other = scatter.places.iter().map(|place| place[(axis + 1) % 3]);
            assert!(along.iter().zip(other).filter(|(x, y)| (**x - y).abs() < 0.1).count() < 100);
        }
    }

    #[test]
    fn a_compass_search_descends_to_the_least_value_from_every_side_and_stops_at_the_box() {
        let axes = [Axis::Interval { from: -1.0, to: 1.0 }; 2];
        for target in [[0.3, -0.4], [-0.6, 0.7], [1.5, 0.2], [-0.1, -3.0]] {
            let value = |u: &[f64]| u.iter().zip(&target).map(|(u, t)| (u - t) * (u - t)).sum();
            for start in [[0.0, 0.0], [0.9, 0.9], [-0.9, -0.9]] {
                let (u, found) = compass(&axes, &start, 0.25, 1e-6, value);
                assert_eq!(found, value(&u));
                for (u, target) in u.iter().zip(target) {
                    assert!((u - target.clamp(-1.0, 1.0)).abs() < 2e-6, "{u} {target}");
                }
            }
        }
    }
}
