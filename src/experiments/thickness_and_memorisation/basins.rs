//! The regime in which every point is its own basin.

use super::against::{Fleet, Run};
use super::clouds::{Cloud, nearest_atom};
use super::median;
use crate::error::Result;
use crate::experiments::words::{ends, measured, values};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::{Chapter, Relation};

/// Numbers of points that are drawn, and that of the picture.
const SHOWN: [usize; 4] = [16, 64, 256, 1024];
const PICTURED: usize = 16;

/// Trajectories in the picture.
const LINES: usize = 48;

/// A sample is at a point when the posterior mean is so near to it, in spacings.
const NEAR: f64 = 0.01;

fn points(run: &Run) -> Option<usize> {
    run.points.as_ref().map(|(n, _)| *n)
}

/// The angle of a point of the plane, in degrees.
fn degrees(x: &[f64]) -> f64 {
    x[1].atan2(x[0]).to_degrees()
}

/// The figure.
///
/// *Errors*: never.
pub fn add(chapter: &mut Chapter, cloud: &Cloud, fleet: &Fleet) -> Result<()> {
    let axis = || Axis::log("noise level σ/spacing").from_to(0.03, 30.0);
    let mut stretch =
        Panel::new("largest eigenvalue of C/σ²", axis(), Axis::new("largest eigenvalue of C/σ²"))
            .with("σ = spacing", Ink::Guide, Mark::Rule { at: 1.0, vertical: true });
    let mut share = Panel::new(
        "samples at a point",
        axis(),
        Axis::new("share of samples").from_to(-0.05, 1.05),
    )
    .with("σ = spacing", Ink::Guide, Mark::Rule { at: 1.0, vertical: true });
    let mut angle = Panel::new("angle to the tangent", axis(), Axis::log("angle (degrees)")).with(
        "",
        Ink::Guide,
        Mark::Rule { at: 1.0, vertical: true },
    );
    let mut halves = Vec::new();
    let (mut last_spread, mut last_share, mut last_angles) = (Vec::new(), Vec::new(), Vec::new());
    let (mut peak, mut smooth) = (0.0_f64, Vec::new());
    for (i, n) in SHOWN.into_iter().enumerate() {
        let Some(run) = fleet.runs.iter().find(|run| points(run) == Some(n)) else { continue };
        let Some((_, atoms)) = &run.points else { continue };
        let ink = Ink::Ramp((1000 * i / (SHOWN.len() - 1)) as u16);
        let x: Vec<f64> = fleet.levels.iter().map(|sigma| sigma / run.spacing).collect();
        let quantile = |part: f64| -> Vec<Quantity> {
            let of = |level: &Vec<super::Seen>| {
                let values: Vec<f64> = level.iter().map(|seen| seen.spread[0]).collect();
                Quantity::sampled_quantile(&values, part, REPORTED)
            };
            run.seen.iter().map(of).collect()
        };
        let (low, middle, high) = (quantile(0.1), quantile(0.5), quantile(0.9));
        peak = high.iter().map(|q| q.value).fold(peak, f64::max);
        stretch = stretch
            .with("", ink, Mark::Band { x: x.clone(), low: values(&low), high: values(&high) })
            .with(&format!("N = {n}"), ink, Mark::line(x.clone(), values(&middle)));
        let shares: Vec<Quantity> = run
            .seen
            .iter()
            .map(|level| {
                let near = level
                    .iter()
                    .filter(|seen| nearest_atom(atoms, &seen.mean) < NEAR * run.spacing);
                Quantity::sampled_share(near.count(), level.len(), REPORTED)
            })
            .collect();
        share = share.with("", ink, Mark::line(x.clone(), values(&shares))).with(
            &format!("N = {n}"),
            ink,
            measured(x.clone(), &shares),
        );
        // Levels fall: the first at which half of the samples are at a point.
        if let Some(at) = shares.iter().position(|q| q.value >= 0.5) {
            halves.push(x[at]);
        }
        if n == SHOWN[SHOWN.len() - 1] {
            let levels = fleet.levels.iter().zip(&middle);
            let looks = |sigma: &f64| 3.0 * run.spacing < *sigma && *sigma < 0.3;
            smooth.extend(levels.filter(|(sigma, _)| looks(sigma)).map(|(_, q)| q.value));
        }
        let angles = run.angles();
        angle = angle.with("", ink, Mark::line(x.clone(), values(&angles))).with(
            &format!("N = {n}"),
            ink,
            measured(x, &angles),
        );
        let last = fleet.levels.len() - 1;
        // Where the last level is well below the spacing.
        if fleet.levels[last] < 0.1 * run.spacing {
            last_spread.push(middle[last].value);
            last_share.push(shares[last].value);
            let directions: Vec<f64> =
                run.seen[last].iter().map(|seen| seen.singular_angle.to_degrees()).collect();
            let off = |level: &usize| (fleet.levels[*level] / run.spacing).ln().abs();
            let at_spacing = (0..=last).min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(last);
            last_angles.push((n, angles[at_spacing], angles[last], median(&directions)));
        }
    }

    let pictured = fleet.runs.iter().find(|run| points(run) == Some(PICTURED));
    let mut picture = Panel::new(
        format!("{PICTURED} points: trajectories"),
        Axis::log("noise level σ/spacing"),
        Axis::new("angle along the circle (degrees)").from_to(-180.0, 180.0),
    );
    if let Some(Run { points: Some((_, atoms)), spacing, seen }) = pictured {
        let x: Vec<f64> = fleet.levels.iter().map(|sigma| sigma / spacing).collect();
        for atom in atoms.points().chunks_exact(2) {
            picture = picture.with(
                "data point",
                Ink::Data,
                Mark::Rule { at: degrees(atom), vertical: false },
            );
        }
        for line in 0..LINES.min(cloud.trajectories) {
            let mut y: Vec<f64> = seen.iter().map(|level| degrees(&level[line].state)).collect();
            // A line does not jump from one side to the other.
            for k in (1..y.len()).rev() {
                if (y[k] - y[k - 1]).abs() > 180.0 {
                    y[k - 1] = f64::NAN;
                }
            }
            picture = picture.with("trajectory", Ink::Measured, Mark::line(x.clone(), y));
        }
    }
    let range = |values: &[f64]| {
        let (low, high) = ends(values.iter().copied());
        format!("{low:.2} to {high:.2}")
    };
    let angles: Vec<String> = last_angles
        .iter()
        .map(|(n, before, plane, singular)| {
            format!(
                "from {:.1} ± {:.1}° at σ = spacing to {:.1} ± {:.1}° at the end (top singular vector {:.1} ± {:.1}°) for N = {n}",
                before.value, before.bar, plane.value, plane.bar, singular.value, singular.bar
            )
        })
        .collect();
    let most = last_spread.iter().copied().fold(0.0, f64::max);
    let spread = if most < 1e-6 { "below 1e-6".to_owned() } else { format!("at most {most:.1e}") };
    let caption = format!(
        "Points drawn on a unit circle; σ in units of the median distance between neighbours. First: the angle along the circle of {} trajectories of the model of \
         {PICTURED} points, and of these points. \
         Second: the largest eigenvalue of the posterior covariance over σ² \
         (median, and the range of the middle 80 % of the samples) has medians of {} for N = {} and σ between \
         three spacings and 0.3 radii, is at least {peak:.1} in a tenth of the samples at its largest, and at the last σ is {spread} in the median for the N whose spacing is above ten σ. Third: the share of samples whose \
         posterior mean is within {NEAR} spacings of a point passes one half at σ/spacing = {}. Fourth: \
         the angle of a random line goes {}. Bars 95 %.",
        LINES.min(cloud.trajectories),
        range(&smooth),
        SHOWN[SHOWN.len() - 1],
        range(&halves),
        angles.join(", "),
    );
    let not_shown = "Sampled with the exact denoiser of the points. A median angle hides the spread over trajectories, of which the second panel shows some.";
    let figure = Figure::new(
        "basins",
        "When every point is its own basin",
        vec![picture, stretch, share, angle],
    )
    .says(caption, not_shown)
    .in_columns(2)
    .within(1e-2);
    chapter.figures.push(figure);
    let collapsed = most < 0.1 && last_share.iter().all(|share| *share > 0.8);
    chapter.find(
        if collapsed { Relation::Sharpens } else { Relation::Open },
        "basins",
        "Paper: alignment of the top Lyapunov vectors with the tangent spaces leads to robustness of the support",
        format!(
            "where the last σ is below a tenth of the spacing of the data, a share of {} of the samples sits at data points and the median \
             of the largest eigenvalue of C/σ² is {spread}; the angle goes {}",
            range(&last_share),
            angles.join(", ")
        ),
    );
    Ok(())
}
