//! Figures and the table of the chapter.

use super::{Outcome, Sweep, Tally, degrees};
use crate::experiments::plane_accuracy::Method;
use crate::experiments::words::{measured, values};
use crate::facts::Quantity;
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};

/// Angles depend on draws only; sums of exponentials are rounded in another order on other machines, and a tie
/// between scales may break the other way.
const TOLERANCE: f64 = 1e-3;

/// Median angles along every sweep.
pub fn accuracy(sweeps: &[Sweep]) -> Figure {
    let panels: Vec<Panel> = sweeps.iter().map(panel).collect();
    let all: Vec<&Outcome> = sweeps.iter().flat_map(|sweep| &sweep.outcomes).collect();
    let trends: Vec<String> = sweeps.iter().map(trend).collect();
    let caption = format!(
        "Median angle between estimated and true tangent planes. {} {} From the first to the last sample of each panel, at \
         best scales: {}. Bars: 95 % over independent samples.",
        Tally::of(&all, Method::Neighbours, true).words(
            "local PCA",
            "each at its best scale",
            sweeps
        ),
        Tally::of(&all, Method::Posterior, true).words(
            "the posterior covariance (the last step without its history)",
            "each at its best level",
            sweeps
        ),
        trends.join("; "),
    );
    let not_shown = "Best scales are chosen with the true planes at hand: nobody can make that choice on real data. One \
        family of closed manifolds a panel, noise equal in all directions, exact denoisers: nothing is said of learned \
        ones, nor of boundaries.";
    Figure::new("accuracy", "Accuracy of tangent planes on noisy samples", panels)
        .says(caption, not_shown)
        .in_columns(3)
        .within(TOLERANCE)
}

fn panel(sweep: &Sweep) -> Panel {
    let x = if sweep.log { Axis::log(sweep.axis) } else { Axis::new(sweep.axis) };
    let y = Axis::log("angle (degrees)");
    let series = [
        ("flow, best σ", Ink::Lyapunov, Method::Flow, true, false),
        ("flow, fixed σ", Ink::Lyapunov, Method::Flow, false, true),
        ("local PCA, best k", Ink::Null, Method::Neighbours, true, false),
        ("local PCA, fixed k", Ink::Null, Method::Neighbours, false, true),
        ("posterior covariance, best σ", Ink::Series(3), Method::Posterior, true, false),
    ];
    series.into_iter().fold(
        Panel::new(sweep.title, x, y),
        |panel, (name, ink, method, best, dashed)| {
            let at: Vec<f64> = sweep.outcomes.iter().map(|outcome| outcome.at).collect();
            let angles: Vec<Quantity> =
                sweep.outcomes.iter().map(|outcome| outcome.angle(method, best)).collect();
            let line = if dashed { Mark::dashed } else { Mark::line };
            let panel = panel.with(name, ink, line(at.clone(), values(&angles)));
            if dashed { panel } else { panel.with(name, ink, measured(at, &angles)) }
        },
    )
}

/// From the first to the last sample.
fn trend(sweep: &Sweep) -> String {
    let ends = |method| -> String {
        let [first, last] = [sweep.outcomes.first(), sweep.outcomes.last()]
            .map(|outcome| outcome.map_or(f64::NAN, |outcome| outcome.angle(method, true).value));
        format!("{first:.1}° to {last:.1}°")
    };
    format!("{}: flow {}, local PCA {}", sweep.title, ends(Method::Flow), ends(Method::Neighbours))
}

/// The angle at each scale, for little and for much noise.
pub fn scales(sweeps: &[Sweep]) -> Figure {
    let noise = &sweeps[0].outcomes;
    let shown = [&noise[1], &noise[2], &noise[4]];
    let inks = [Ink::Ramp(0), Ink::Ramp(500), Ink::Ramp(1000)];
    let panel = |title: &str, x: &str, method: Method| {
        let empty = Panel::new(title, Axis::log(x), Axis::log("angle (degrees)"));
        shown.into_iter().zip(inks).fold(empty, |panel, (outcome, ink)| {
            let name = format!("s = {}", outcome.at);
            let (at, angles) = (outcome.scales(method), outcome.by_scale(method));
            let line = Mark::line(at.clone(), values(&angles));
            panel.with(&name, ink, line).with(&name, ink, measured(at, &angles))
        })
    };
    let level = "σ / fixed σ";
    let panels = vec![
        panel("flow", level, Method::Flow),
        panel("posterior covariance", level, Method::Posterior),
        panel("local PCA", "neighbours k", Method::Neighbours),
    ];
    let best = |outcome: &Outcome| {
        format!(
            "s = {}: flow {} at {} times the fixed level, posterior covariance {} at {} times, local PCA {} with {} neighbours",
            outcome.at,
            degrees(outcome.angle(Method::Flow, true)),
            round(outcome.scale(Method::Flow, true)),
            degrees(outcome.angle(Method::Posterior, true)),
            round(outcome.scale(Method::Posterior, true)),
            degrees(outcome.angle(Method::Neighbours, true)),
            outcome.scale(Method::Neighbours, true),
        )
    };
    let words: Vec<String> = shown.into_iter().map(best).collect();
    let caption = format!(
        "How the scale decides: too small a scale sees the noise, too large a one the curvature. Least mean angles: {}.",
        words.join("; ")
    );
    let not_shown = "S² in R⁶ with N = 1000 only. The fixed level belongs to each sample: 1 is a larger σ where there is more noise.";
    Figure::new("scales", "The scale at which planes are estimated", panels)
        .says(caption, not_shown)
        .within(TOLERANCE)
}

fn round(factor: f64) -> f64 {
    (100.0 * factor).round() / 100.0
}

/// Every sample with all its angles.
pub fn table(sweeps: &[Sweep]) -> Table {
    let all: Vec<&Outcome> = sweeps.iter().flat_map(|sweep| &sweep.outcomes).collect();
    let caption = format!(
        "Median largest angle to the true tangent plane, in degrees, ± 95 % over independent samples. The last columns divide \
         the flow's angle by that of local PCA (geometric means over samples, paired): above 1 the flow loses. {} {}",
        Tally::of(&all, Method::Neighbours, true).words(
            "local PCA",
            "each at its best scale",
            sweeps
        ),
        Tally::of(&all, Method::Neighbours, false).words(
            "local PCA",
            "each at the scale fixed beforehand",
            sweeps
        ),
    );
    let head = [
        "sample",
        "d",
        "D",
        "N",
        "noise s",
        "flow, best σ (°)",
        "local PCA, best k (°)",
        "best k",
        "posterior cov., best σ (°)",
        "flow, fixed σ (°)",
        "posterior cov., fixed σ (°)",
        "local PCA, fixed k (°)",
        "flow/PCA, best",
        "outcome",
        "flow/PCA, fixed",
        "outcome, fixed",
    ];
    let mut table = Table::new("accuracy-table", "Accuracy of tangent planes", caption, head);
    table.tolerance = TOLERANCE;
    for sweep in sweeps {
        for outcome in &sweep.outcomes {
            table.rows.push(row(sweep, outcome));
        }
    }
    table
}

fn row(sweep: &Sweep, outcome: &Outcome) -> Vec<Cell> {
    let sample = &outcome.sample;
    let mut row: Vec<Cell> = vec![
        format!("{} {}", sweep.title, outcome.at).into(),
        sample.dim().into(),
        sample.ambient.into(),
        sample.points.into(),
        sample.noise.into(),
        outcome.angle(Method::Flow, true).into(),
        outcome.angle(Method::Neighbours, true).into(),
        outcome.scale(Method::Neighbours, true).into(),
        outcome.angle(Method::Posterior, true).into(),
        outcome.angle(Method::Flow, false).into(),
        outcome.angle(Method::Posterior, false).into(),
        outcome.angle(Method::Neighbours, false).into(),
    ];
    for best in [true, false] {
        let log = outcome.log_ratio(Method::Flow, Method::Neighbours, best);
        row.push(log.exp().into());
        row.push(verdict(log).into());
    }
    row
}

/// Whether a ratio of angles, by its logarithm, is known to be above or below 1.
pub fn verdict(log_ratio: Quantity) -> &'static str {
    match log_ratio {
        q if q.value - q.bar > 0.0 => "loses",
        q if q.value + q.bar < 0.0 => "wins",
        _ => "undecided",
    }
}
