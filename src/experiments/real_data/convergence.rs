//! How fast the leading singular pairs converge, beside the bound of T3.

use super::images::Images;
use super::spectra::{TOLERANCE, number};
use crate::error::Result;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::Trajectory;
use crate::linalg::largest_angle;
use crate::lyapunov::{Spectrum, product, spectrum, top_pairs};
use crate::observe::data::exponents;
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use crate::scenario::canonical;

/// Sweeps that are allowed, in turn: of small and of large images.
const SWEEPS: (usize, usize) = (6, 4);

/// The part of the leading subspace that is drawn elsewhere.
const DRAWN: usize = 3;

struct Rounds {
    sweeps: Vec<f64>,
    bounds: Vec<f64>,
    leading: Vec<f64>,
    drawn: Vec<f64>,
    growth: f64,
    exact: bool,
}

/// Leading pairs of the first trajectory after 1, 2, … sweeps, against the whole decomposition where it is at hand, or
/// else against one sweep more.
fn rounds(seen: &Images, stream: Stream) -> Result<Rounds> {
    let (flow, sampler) =
        (canonical(&seen.denoiser), exponents::sampler(seen.levels, seen.plan.steps));
    let trajectory = Trajectory::from(&flow, &sampler, &seen.runs[0].start)?;
    let k = seen.plan.leading;
    let exact = seen.runs[0].spectrum.log_growth.len() == seen.set.dim();
    let count = if exact { SWEEPS.0 } else { SWEEPS.1 };
    let pairs = |sweeps| top_pairs(&trajectory, k, 0.0, sweeps, stream);
    let after = (1..=count).map(pairs).collect::<Result<Vec<_>>>()?;
    let reference: Spectrum =
        if exact { spectrum(&product(&trajectory))? } else { after[count - 1].spectrum.clone() };
    // The reference itself has no distance.
    let shown = if exact { count } else { count - 1 };
    let off = |found: &Spectrum, k: usize| {
        let [a, b] = [found, &reference].map(|s| s.start_vectors.columns(0, k).into_owned());
        Ok(largest_angle(&a, &b)?.to_degrees())
    };
    let angles = |k: usize| -> Result<Vec<f64>> {
        after[..shown].iter().map(|found| off(&found.spectrum, k)).collect()
    };
    let last = &after[1.min(count - 1)].spectrum;
    let differences = last.log_growth.iter().zip(&reference.log_growth).map(|(a, b)| (a - b).abs());
    Ok(Rounds {
        sweeps: (1..=shown).map(|sweep| sweep as f64).collect(),
        bounds: after[..shown].iter().map(|found| found.angle_bound.to_degrees()).collect(),
        leading: angles(k)?,
        drawn: angles(DRAWN)?,
        growth: differences.fold(0.0, f64::max),
        exact,
    })
}

/// Adds the figure and what it says.
///
/// *Errors*: as [`top_pairs`].
pub fn add(images: [&Images; 2], stream: Stream, chapter: &mut Chapter) -> Result<()> {
    let mut panels = Vec::new();
    let mut words = Vec::new();
    let mut kept = true;
    for seen in images {
        let rounds = rounds(seen, stream.named(seen.plan.name))?;
        let k = seen.plan.leading;
        let against = if rounds.exact { "whole SVD" } else { "last sweep" };
        let axes = (Axis::new("sweeps"), Axis::log("angle (degrees)"));
        let title = format!("{}, against the {against}", seen.plan.name);
        let series = [
            (format!("bound, top {k}"), Ink::Bound, &rounds.bounds),
            (format!("top {k}"), Ink::Lyapunov, &rounds.leading),
            (format!("top {DRAWN}"), Ink::Series(2), &rounds.drawn),
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
        let second = 1.min(rounds.leading.len() - 1);
        kept &= rounds.leading.iter().zip(&rounds.bounds).all(|(angle, bound)| angle <= bound);
        words.push(format!(
            "{}, after 2 sweeps against the {against}: top {k} off by {}°, bound {}°, top {DRAWN} by {}°, log growths by {}",
            seen.plan.name,
            number(rounds.leading[second]),
            number(rounds.bounds[second]),
            number(rounds.drawn[second]),
            number(rounds.growth),
        ));
    }
    let caption = format!(
        "The leading start-point subspace of one trajectory by block iteration, one push and one pull a sweep. {}. The bound is \
         90° where the next singular value is too close to tell.",
        words.join(". ")
    );
    let not_shown = "One trajectory each, no sampling, so no bars. The spectra and vectors of the clothing in this chapter are \
        those after two sweeps; against its last sweep an error common to both would not be seen.";
    let figure = Figure::new("leading-pairs", "Convergence of leading pairs", panels)
        .says(caption, not_shown)
        .within(TOLERANCE.max(0.05));
    chapter.figures.push(figure);
    let relation = if kept { Relation::Agrees } else { Relation::Contradicts };
    let claim = "T3: the subspace found by QR iteration is off by at most (σ_{d+1}/σ_d)^{2(n−1)} t_0 after n sweeps, or the \
        residual over the gap.";
    chapter.find(relation, "leading-pairs", claim, words.join(". "));
    Ok(())
}
