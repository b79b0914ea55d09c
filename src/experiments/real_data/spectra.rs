//! Exponent spectra of images with a null band, and the verdict on a gap.

use super::convergence::Rounds;
use super::images::{Images, gaps, mean_growth};
use crate::error::Result;
use crate::experiments::words::measured;
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::Trajectory;
use crate::lyapunov::top_pairs;
use crate::observe::data::exponents::{self, Run};
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use crate::scenario::canonical;

/// Rounding of sums over thousands of atoms, through some hundred evaluations.
pub const TOLERANCE: f64 = 1e-4;

/// Log growths and their gaps, with the band of the null.
///
/// *Errors*: as [`Trajectory::from`].
pub fn figure(images: [&Images; 2], converged: &[Rounds; 2]) -> Result<Figure> {
    let growth = images.map(|seen| {
        let observed = |run: &Run| run.spectrum.log_growth.clone();
        panel(seen, "log growth", &seen.null, observed)
    });
    let gap = images.map(|seen| {
        let null: Vec<Vec<f64>> = seen.null.iter().map(|growth| gaps(growth)).collect();
        panel(seen, "gap to the next", &null, |run| gaps(&run.spectrum.log_growth))
    });
    let panels = growth.into_iter().chain(gap).collect();
    let draws = images.map(|seen| seen.null.len());
    let trajectories = images.map(|seen| seen.runs.len());
    let iterated: Vec<String> = images
        .iter()
        .zip(converged)
        .map(|(seen, rounds)| match rounds.growth() {
            // Where all pairs are at hand, none of the spectra comes from sweeps.
            (_, true) => format!("Spectra of the {} come from whole decompositions", seen.plan.name),
            (off, false) => format!(
                "the leading log growths of the {} come from sweeps, on one trajectory within {} of those after the most sweeps (leading-pairs)",
                seen.plan.name,
                number(off)
            ),
        })
        .collect();
    let caption = format!(
        "Logarithms of the singular values of the flow's Jacobian (above) and their gaps (below): means over {} and {} \
         trajectories with 95 % bars, beside the range of the means of {} and {} draws of Gaussian data of the same mean and \
         covariance. {}; {}. Halving the steps changes the log growths of one trajectory by at most {} and {}. {}.",
        trajectories[0],
        trajectories[1],
        draws[0],
        draws[1],
        images[0].verdict(),
        images[1].verdict(),
        number(step_error(images[0])?),
        number(step_error(images[1])?),
        iterated.join("; "),
    );
    let not_shown = format!(
        "Of the clothing, the {} leading of 784. The test compares as many trajectories as each draw of the null has ({} and \
         {}); the band holds the whole range of the draws at each index, not jointly. That no gap stands out does not \
         say that there is no manifold: with so few images none may be resolved.",
        images[1].plan.leading, images[0].plan.of_null, images[1].plan.of_null,
    );
    let title = "Exponents of images against a null without manifold";
    Ok(Figure::new("exponents", title, panels)
        .says(caption, not_shown)
        .in_columns(2)
        .within(TOLERANCE))
}

/// A small number for people.
pub fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.0e}") } else { format!("{value:.3}") }
}

fn panel(
    seen: &Images,
    quantity: &str,
    null: &[Vec<f64>],
    observed: impl Fn(&Run) -> Vec<f64>,
) -> Panel {
    let by_run: Vec<Vec<f64>> = seen.runs.iter().map(observed).collect();
    let count = by_run[0].len();
    let x: Vec<f64> = (1..=count).map(|i| i as f64).collect();
    let means: Vec<Quantity> = (0..count)
        .map(|i| {
            let values: Vec<f64> = by_run.iter().map(|values| values[i]).collect();
            Quantity::sampled_mean(&values, REPORTED)
        })
        .collect();
    let end = |i: usize, choose: fn(f64, f64) -> f64| {
        null.iter().map(|values| values[i]).reduce(choose).unwrap_or(f64::NAN)
    };
    let band = Mark::Band {
        x: x.clone(),
        low: (0..count).map(|i| end(i, f64::min)).collect(),
        high: (0..count).map(|i| end(i, f64::max)).collect(),
    };
    let axes = (Axis::new("direction"), Axis::new(quantity));
    let panel = Panel::new(format!("{}: {quantity}", seen.plan.name), axes.0, axes.1)
        .with("Gaussian null", Ink::Null, band)
        .with("data", Ink::Measured, measured(x, &means));
    match seen.test.index {
        Some(index) => {
            let rule = Mark::Rule { at: index as f64 + 0.5, vertical: true };
            panel.with("significant gap", Ink::Guide, rule)
        }
        None => panel,
    }
}

/// By how much the log growths of the first trajectory change when the steps are halved.
fn step_error(seen: &Images) -> Result<f64> {
    let (run, flow) = (&seen.runs[0], canonical(&seen.denoiser));
    let growth = |steps: usize| -> Result<Vec<f64>> {
        let sampler = exponents::sampler(seen.levels, steps);
        let trajectory = Trajectory::from(&flow, &sampler, &run.start)?;
        // The same random start for both: their subspaces are the same up to the steps.
        let pairs = top_pairs(&trajectory, 8, 1e-6, 2, Stream::root(0).named("step error"))?;
        Ok(pairs.spectrum.log_growth)
    };
    let (coarse, fine) = (growth(seen.plan.steps)?, growth(2 * seen.plan.steps)?);
    Ok(coarse.iter().zip(&fine).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
}

/// The rows of the front page.
pub fn findings(images: [&Images; 2], chapter: &mut Chapter) {
    let found: Vec<String> = images.iter().map(|seen| seen.verdict()).collect();
    let singled_out = images.iter().filter(|seen| seen.test.index.is_some()).count();
    let ranges: Vec<String> = images
        .iter()
        .map(|seen| {
            let growth = mean_growth(&seen.runs);
            let (first, last) = (growth[0], growth[growth.len() - 1]);
            format!("{}: from {first:.2} to {last:.2}", seen.plan.name)
        })
        .collect();
    chapter.find(
        if singled_out == images.len() { Relation::Agrees } else { Relation::Open },
        "exponents",
        "Paper: the top Lyapunov vectors give the tangent bundle. T3: which ones is told by a gap in the exponents.",
        format!("{}. Mean log growths of the directions computed: {}.", found.join(". "), ranges.join(", ")),
    );
}
