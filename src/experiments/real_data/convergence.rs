//! How fast the leading singular pairs converge, beside the bound of T3.

use super::images::Images;
use super::spectra::{TOLERANCE, number};
use crate::error::Result;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::Trajectory;
use crate::linalg::largest_angle;
use crate::lyapunov::{Spectrum, TopPairs, product, spectrum, top_pairs};
use crate::observe::data::exponents;
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use crate::scenario::canonical;
use rayon::prelude::*;

/// Sweeps that are allowed, in turn.
const SWEEPS: [usize; 5] = [1, 2, 4, 8, 12];

/// Which of them the rest of the chapter takes.
const USED: usize = 3;

/// A bound below this angle, in degrees, tells something.
const TELLING: f64 = 80.0;

/// The part of the leading subspace that is drawn elsewhere.
const DRAWN: usize = 3;

/// How leading pairs of one trajectory converge.
pub struct Rounds {
    sweeps: Vec<f64>,
    /// Of the iteration of a few pairs alone.
    bounds: Vec<f64>,
    alone: Vec<f64>,
    /// Of the iteration of all leading pairs.
    leading: Vec<f64>,
    drawn: Vec<f64>,
    growth: f64,
    exact: bool,
}

impl Rounds {
    /// The largest error of the leading log growths after the sweeps that the chapter takes, and whether the whole decomposition says so.
    pub fn growth(&self) -> (f64, bool) {
        (self.growth, self.exact)
    }
}

/// Leading pairs of the first trajectory after some sweeps, against the whole decomposition where it is at hand, or
/// else against the most sweeps.
///
/// *Errors*: as [`top_pairs`].
pub fn rounds(seen: &Images, stream: Stream) -> Result<Rounds> {
    let (flow, sampler) =
        (canonical(&seen.denoiser), exponents::sampler(seen.levels, seen.plan.steps));
    let trajectory = Trajectory::from(&flow, &sampler, &seen.runs[0].start)?;
    let k = seen.plan.leading;
    let exact = seen.runs[0].spectrum.log_growth.len() == seen.set.dim();
    let after = |k: usize| {
        SWEEPS
            .into_par_iter()
            .map(|sweeps| top_pairs(&trajectory, k, 0.0, sweeps, stream))
            .collect::<Result<Vec<_>>>()
    };
    let (all, few) = (after(k)?, after(DRAWN)?);
    let last = SWEEPS.len() - 1;
    let reference: Spectrum =
        if exact { spectrum(&product(&trajectory))? } else { all[last].spectrum.clone() };
    // The reference itself has no distance.
    let shown = if exact { last + 1 } else { last };
    let angles = |found: &[TopPairs], k: usize| -> Result<Vec<f64>> {
        let off = |found: &TopPairs| {
            let [a, b] = [&found.spectrum, &reference]
                .map(|spectrum| spectrum.start_vectors.columns(0, k).into_owned());
            Ok(largest_angle(&a, &b)?.to_degrees())
        };
        found[..shown].iter().map(off).collect()
    };
    let used = &all[USED].spectrum.log_growth;
    let differences = used.iter().zip(&reference.log_growth).map(|(a, b)| (a - b).abs());
    Ok(Rounds {
        sweeps: SWEEPS[..shown].iter().map(|sweeps| *sweeps as f64).collect(),
        bounds: few[..shown].iter().map(|found| found.angle_bound.to_degrees()).collect(),
        alone: angles(&few, DRAWN)?,
        leading: angles(&all, k)?,
        drawn: angles(&all, DRAWN)?,
        growth: differences.fold(0.0, f64::max),
        exact,
    })
}

/// Adds the figure and what it says.
pub fn add(images: [&Images; 2], found: &[Rounds; 2], chapter: &mut Chapter) {
    let mut panels = Vec::new();
    let mut words = Vec::new();
    let (mut kept, mut told) = (true, false);
    for (seen, rounds) in images.into_iter().zip(found) {
        let k = seen.plan.leading;
        let against = if rounds.exact { "whole SVD" } else { "most sweeps" };
        let axes = (Axis::log("sweeps"), Axis::log("angle (degrees)"));
        let title = format!("{}, against the {against}", seen.plan.name);
        let series = [
            (format!("bound, {DRAWN} alone"), Ink::Bound, &rounds.bounds),
            (format!("top {DRAWN}, {DRAWN} alone"), Ink::Lyapunov, &rounds.alone),
            (format!("top {DRAWN} of {k}"), Ink::Series(2), &rounds.drawn),
            (format!("top {k}"), Ink::Series(3), &rounds.leading),
        ];
        let mut panel = Panel::new(title, axes.0, axes.1);
        for (name, ink, angles) in series {
            let x = rounds.sweeps.clone();
            panel = panel.with(&name, ink, Mark::line(x.clone(), angles.clone())).with(
                &name,
                ink,
                Mark::points(x, angles.clone()),
            );
        }
        panels.push(panel);
        kept &= rounds.alone.iter().zip(&rounds.bounds).all(|(angle, bound)| angle <= bound);
        told |= rounds.bounds.iter().any(|bound| *bound < TELLING);
        let end = rounds.bounds.len() - 1;
        words.push(format!(
            "{}, after {} sweeps against the {against}: top {k} off by {}°, their first {DRAWN} by {}°, log growths by {}; {DRAWN} \
             pairs alone after {} sweeps off by {}°, bound {}°",
            seen.plan.name,
            SWEEPS[USED],
            number(rounds.leading[USED]),
            number(rounds.drawn[USED]),
            number(rounds.growth),
            rounds.sweeps[end],
            number(rounds.alone[end]),
            number(rounds.bounds[end]),
        ));
    }
    let caption = format!(
        "The leading start-point subspace of one trajectory by block iteration, one push and one pull a sweep. {}. A bound of \
         90° tells nothing.",
        words.join(". ")
    );
    let not_shown = "One trajectory each, no sampling, so no bars. The spectra and vectors of the clothing in this chapter are \
        those after as many sweeps; against the most sweeps an error common to both would not be seen.";
    let figure = Figure::new("leading-pairs", "Convergence of leading pairs", panels)
        .says(caption, not_shown)
        .within(TOLERANCE.max(0.05));
    chapter.figures.push(figure);
    let relation = match (kept, told) {
        (false, _) => Relation::Contradicts,
        (true, true) => Relation::Agrees,
        (true, false) => Relation::Open,
    };
    let claim = "T3: the subspace found by QR iteration is off by at most (σ_{d+1}/σ_d)^{2(n−1)} t_0 after n sweeps, or the \
        residual over the gap.";
    chapter.find(relation, "leading-pairs", claim, format!("{}.", words.join(". ")));
}
