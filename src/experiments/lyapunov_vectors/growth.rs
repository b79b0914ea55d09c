//! How alignment grows along the flow, under the bounds of T2.1 and T2.5.

use super::SIGMA;
use crate::error::Result;
use crate::experiments::along::{Along, Bounded};
use crate::experiments::curve::Curve;
use crate::experiments::words::{number, percent, with_bar};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Panel};
use crate::flow::geometric_times;
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use nalgebra::Vector2;
use rayon::prelude::*;

/// Orbits of each curve.
const ORBITS: usize = 160;

/// Levels at which singular vectors are taken.
const LEVELS: usize = 10;

/// A measured slope above a bound by more than this share would refute it: 100 steps of order 4 leave 10⁻⁵.
const RESOLUTION: f64 = 1e-3;

pub(super) fn add(chapter: &mut Chapter, curves: &[Curve; 2], stream: Stream) -> Result<()> {
    let (mut single, mut many, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for curve in curves {
        let stream = stream.named(curve.name);
        let starts = curve.starts(ORBITS, stream)?;
        let lines = stream.named("lines").uniforms(ORBITS);
        let orbits: Vec<Along> = starts
            .par_iter()
            .zip(&lines)
            .map(|(start, turn)| {
                let (y, x) = (turn * std::f64::consts::PI).sin_cos();
                Along::new(curve, SIGMA, *start, Vector2::new(x, y))
            })
            .collect::<Result<_>>()?;
        let summary = Summary::of(curve.name, &orbits);
        single.push(one_orbit(curve.name, &orbits));
        many.push(of_all(curve, &starts, &orbits)?);
        all.push(summary);
    }
    let words: Vec<String> = all.iter().map(Summary::words).collect();
    let caption = format!(
        "Above: one orbit over each curve, the one whose bound T2.5 is the median of those that have one. Blue: the slope $l=\\tan\\angle$ of a \
         random line carried by the flow; each bound starts at the earliest time from which (R) has a solution. Below: angles of all {ORBITS} orbits; an orbit without a bound yet counts as 90°. {}.",
        words.join(". ")
    );
    let hidden = "T2.5 needs posterior moments, nearest points and the curvature $K$ along the orbit, T2.1 also how fast the nearest \
                  point moves; neither says anything before its start, at ends of arcs (T2.5), or where the nearest point jumps. The band \
                  is between the 10 % and 90 % quantiles of the orbits, not an error bar; numbers of single orbits are \
                  exact to $10^{-3}$ of themselves.";
    let title = "Alignment along the flow, and the bounds on it";
    let panels = single.into_iter().chain(many).collect();
    chapter.figures.push(
        Figure::new("growth", title, panels).says(caption, hidden).in_columns(2).within(1e-3),
    );
    let above: usize = all.iter().map(|s| s.above).sum();
    let relation = if above == 0 { Relation::Agrees } else { Relation::Contradicts };
    let found = format!(
        "{above} of {} slopes along {} orbits are above a bound that is in force. {}.",
        all.iter().map(|s| s.compared).sum::<usize>(),
        2 * ORBITS,
        words.join(". ")
    );
    let claim = "T2.1, T2.5: along one orbit the Riccati equation bounds the slope of a carried plane over the tangent.";
    chapter.find(relation, "growth", claim, found);
    Ok(())
}

/// Slopes against bounds of the orbits over one curve.
struct Summary {
    name: &'static str,
    /// The share of orbits that have the bound T2.5 at the end, and T2.1.
    certified: Quantity,
    bounded: Quantity,
    /// Medians of angle and bound T2.5 at the end over those that have one, in degrees.
    angle: Quantity,
    bound: Quantity,
    compared: usize,
    above: usize,
}

impl Summary {
    fn of(name: &'static str, orbits: &[Along]) -> Self {
        let (mut compared, mut above) = (0, 0);
        let (mut angles, mut bounds, mut riccati) = (Vec::new(), Vec::new(), 0);
        for orbit in orbits {
            riccati += usize::from(orbit.riccati.is_some());
            for bound in [&orbit.certificate, &orbit.riccati].into_iter().flatten() {
                let slopes = &orbit.slope[bound.first..];
                compared += slopes.len();
                let is_above = |(l, y): &(&f64, &f64)| l.abs() > **y * (1.0 + RESOLUTION);
                above += slopes.iter().zip(&bound.y).filter(is_above).count();
            }
            if let Some(bound) = &orbit.certificate {
                angles.push(degrees(*orbit.slope.last().expect("a start at least")));
                bounds.push(degrees(*bound.y.last().expect("a start at least")));
            }
        }
        let share = |count| Quantity::sampled_share(count, orbits.len(), REPORTED);
        let median = |values: &[f64]| Quantity::sampled_median(values, REPORTED);
        let (certified, bounded) = (share(bounds.len()), share(riccati));
        let (angle, bound) = (median(&angles), median(&bounds));
        Self { name, certified, bounded, angle, bound, compared, above }
    }

    fn words(&self) -> String {
        format!(
            "{}: T2.5 certifies the end of {} of the orbits, T2.1 {}; of the certified ones the median angle is {}° and the \
             median bound {}°, {} times as large",
            self.name,
            percent(self.certified),
            percent(self.bounded),
            with_bar(self.angle),
            with_bar(self.bound),
            number(self.bound.value / self.angle.value, 2)
        )
    }
}

/// The angle of a slope, in degrees; 90 for a slope that is not a number, at a normal direction.
fn degrees(slope: f64) -> f64 {
    if slope.is_nan() { 90.0 } else { slope.abs().atan().to_degrees() }
}

/// The slope and its bounds along the orbit whose bound T2.5 is the median one.
fn one_orbit(name: &str, orbits: &[Along]) -> Panel {
    let end = |bound: &Bounded| *bound.y.last().expect("a start at least");
    let mut certified: Vec<(f64, &Along)> =
        orbits.iter().filter_map(|o| o.certificate.as_ref().map(|c| (end(c), o))).collect();
    certified.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut panel = Panel::new(
        format!("{name}: one orbit"),
        Axis::new("u = log(σ₁/σ)"),
        Axis::log("slope over the tangent"),
    );
    let Some((_, orbit)) = certified.get(certified.len() / 2) else { return panel };
    let from = |bound: &Bounded| orbit.time[bound.first..].to_vec();
    if let Some(bound) = &orbit.certificate {
        let line = Mark::Line { x: from(bound), y: bound.y.clone(), dash: Dash::Dashed };
        panel = panel.with("bound T2.5", Ink::Bound, line);
    }
    if let Some(bound) = &orbit.riccati {
        let line = Mark::Line { x: from(bound), y: bound.y.clone(), dash: Dash::Dotted };
        panel = panel.with("bound T2.1", Ink::Bound, line);
    }
    let slopes = orbit.slope.iter().map(|l| l.abs()).collect();
    panel.with("carried line", Ink::Measured, Mark::line(orbit.time.clone(), slopes))
}

/// Angles of all orbits against time: carried lines, singular vectors, and bounds.
fn of_all(curve: &Curve, starts: &[Vector2<f64>], orbits: &[Along]) -> Result<Panel> {
    let times = orbits[0].time.clone();
    let quantile = |part: f64, of: &dyn Fn(&Along, usize) -> f64| -> Vec<f64> {
        (0..times.len())
            .map(|k| {
                let mut values: Vec<f64> = orbits.iter().map(|o| of(o, k)).collect();
                values.sort_by(f64::total_cmp);
                values[((values.len() - 1) as f64 * part).round() as usize]
            })
            .collect()
    };
    let slope = |orbit: &Along, k: usize| degrees(orbit.slope[k]);
    let bound = |k: usize| {
        let at = |c: &Option<Bounded>| match c {
            Some(c) if k >= c.first => degrees(c.y[k - c.first]),
            _ => 90.0,
        };
        let mut values: Vec<f64> = orbits.iter().map(|orbit| at(&orbit.certificate)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let levels = geometric_times(curve.sigma_start, SIGMA, LEVELS);
    let (mut at, mut tops, mut bars) = (Vec::new(), Vec::new(), Vec::new());
    for sigma in &levels[1..] {
        let angles: Vec<f64> = curve.ends(*sigma, starts)?.iter().map(|e| e.angle()).collect();
        let median = Quantity::sampled_median(&angles, REPORTED);
        at.push((curve.sigma_start / sigma).ln());
        tops.push(median.value);
        bars.push(median.bar);
    }
    let band =
        Mark::Band { x: times.clone(), low: quantile(0.1, &slope), high: quantile(0.9, &slope) };
    // The order of T2.5, through the last singular vector.
    let end = tops.last().copied().unwrap_or(f64::NAN) / SIGMA;
    let order = levels.iter().map(|sigma| end * sigma).collect();
    let order = Mark::Line {
        x: levels.iter().map(|sigma| (curve.sigma_start / sigma).ln()).collect(),
        y: order,
        dash: Dash::Dashed,
    };
    let panel = Panel::new(
        format!("{}: {ORBITS} orbits", curve.name),
        Axis::new("u = log(σ₁/σ)"),
        Axis::log("angle to the tangent (degrees)"),
    )
    .with("carried lines, 10 to 90 %", Ink::Measured, band)
    .with("in proportion to σ", Ink::Guide, order)
    .with("carried line", Ink::Measured, Mark::line(times.clone(), quantile(0.5, &slope)))
    .with("top Lyapunov vector", Ink::Lyapunov, Mark::points_with_bars(at, tops, bars))
    .with("bound T2.5", Ink::Bound, {
        let y = (0..times.len()).map(bound).collect();
        Mark::Line { x: times.clone(), y, dash: Dash::Dashed }
    });
    Ok(panel)
}
