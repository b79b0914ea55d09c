//! Bounds against what they bound, over random worlds of the checkers.

use crate::claims;
use crate::error::{Error, Result};
use crate::experiments::words::{number, with_bar};
use crate::facts::{Facts, Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::manifold::Family;
use crate::observe::{KNOBS, Observation, observe};
use crate::random::{Knobs, Stream};
use crate::record::{Chapter, Relation};
use crate::verdict::{Judgement, Margin, Verdict};
use rayon::prelude::*;

/// Worlds of each claim.
const WORLDS: usize = 500;

/// Sizes below this are rounding, and not drawn.
const LEAST: f64 = 1e-8;

/// A conclusion of a claim: how it is called there, and the fact that it bounds.
struct Bounding {
    id: &'static str,
    margin: &'static str,
    fact: &'static str,
    title: &'static str,
    axis: &'static str,
}

const BOUNDS: [Bounding; 4] = [
    Bounding {
        id: "relative_compression_forces_alignment",
        margin: "slope at 4/4",
        fact: "slope",
        title: "T2.1: Riccati equation",
        axis: "slope",
    },
    Bounding {
        id: "relative_compression_forces_alignment",
        margin: "explicit constant form",
        fact: "slope",
        title: "T2.1: worst constants",
        axis: "slope",
    },
    Bounding {
        id: "curvature_and_second_derivatives_bound_the_blocks",
        margin: "kappa",
        fact: "kappa",
        title: "T2.3: κ from H r and K r",
        axis: "κ",
    },
    Bounding {
        id: "posterior_moments_certify_alignment",
        margin: "slope at 4/4",
        fact: "slope",
        title: "T2.5: posterior moments",
        axis: "slope",
    },
];

/// One world in which a bound is in force.
struct Point {
    bound: f64,
    measured: Quantity,
    synthetic: bool,
}

/// One world of a claim, and what the judge says of it.
type Judged = (Observation, Judgement);

pub(super) fn add(chapter: &mut Chapter, stream: Stream) -> Result<()> {
    let (mut panels, mut words) = (Vec::new(), Vec::new());
    // One set of worlds a claim, whatever is read of it.
    let mut sets: Vec<(&str, Vec<Judged>)> = Vec::new();
    for bounding in &BOUNDS {
        if !sets.iter().any(|(id, _)| *id == bounding.id) {
            sets.push((bounding.id, worlds(bounding.id, stream.named(bounding.id))?));
        }
        let set = sets.iter().find(|(id, _)| *id == bounding.id).map_or(&[][..], |(_, set)| set);
        let points: Vec<Point> = set.iter().filter_map(|world| point(bounding, world)).collect();
        let ratios: Vec<f64> = points.iter().map(|p| p.bound / p.measured.value).collect();
        words.push(format!(
            "{}: in force in {} of {WORLDS} worlds, bound/measured {} in the median and {} at least",
            bounding.title,
            points.len(),
            with_bar(Quantity::sampled_median(&ratios, REPORTED)),
            number(ratios.iter().copied().fold(f64::INFINITY, f64::min), 6)
        ));
        panels.push(panel(bounding, &points));
    }
    let verdicts: Vec<Verdict> =
        sets.iter().flat_map(|(_, set)| set).map(|(_, judgement)| judgement.verdict()).collect();
    let count = |verdict: Verdict| verdicts.iter().filter(|v| **v == verdict).count();
    let violated = count(Verdict::Violated);
    let points = violated + count(Verdict::Holds);
    let caption = format!(
        "Each point is a random world of the checkers in which the bound is in force; no point may lie above the line of equality, \
         up to its bar. {}.",
        words.join(". ")
    );
    let hidden = format!(
        "Worlds in which a hypothesis fails, or that are undecided, are not drawn; nor are sizes below {} (rounding). Bars of the measured \
         values are drawn where they can be seen. The worlds are the checkers' mixture, not a model of any data: medians say \
         how tight the bounds are there.",
        number(LEAST, 1)
    );
    chapter.figures.push(
        Figure::new("bounds-against-truth", "Bounds against truth", panels)
            .says(caption, hidden)
            .in_columns(2)
            .within(1e-4),
    );
    let relation = if violated == 0 { Relation::Agrees } else { Relation::Contradicts };
    let found = format!("Violated in {violated} of {points} decided worlds. {}.", words.join(". "));
    let claim = "T2.1, T2.3, T2.5: sufficient conditions bound the angle between carried plane and tangent.";
    chapter.find(relation, "bounds-against-truth", claim, found);
    Ok(())
}

/// Worlds of a claim that can be computed.
fn worlds(id: &str, stream: Stream) -> Result<Vec<Judged>> {
    let claim = claims::find(id)
        .ok_or_else(|| Error::input(id, "is not a claim", "driftproof claims lists them"))?;
    let world = |index: u64| match observe(id, &mut Knobs::draw(stream.indexed(index), KNOBS)) {
        Ok(observed) => {
            let judgement = claim.judge(&observed.facts);
            Ok(Some((observed, judgement)))
        }
        // A world that cannot be computed shows nothing.
        Err(Error::Numeric { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    let all: Vec<Option<Judged>> =
        (0..WORLDS as u64).into_par_iter().map(world).collect::<Result<_>>()?;
    Ok(all.into_iter().flatten().collect())
}

/// What is bounded in a world in which the hypotheses hold and the comparison is decided.
fn point(bounding: &Bounding, (observed, judgement): &Judged) -> Option<Point> {
    let met = judgement.hypotheses.iter().all(|m| m.verdict() == Verdict::Holds);
    let margin = judgement.conclusions.iter().find(|m| m.name == bounding.margin)?;
    let decided = matches!(margin.verdict(), Verdict::Holds | Verdict::Violated);
    let measured = last(&observed.facts, bounding.fact)?;
    let synthetic = !Family::ALL.iter().any(|f| f.name() == observed.labels.family);
    let bound = bound_of(margin, measured.value);
    (met && decided && measured.value > LEAST).then_some(Point { bound, measured, synthetic })
}

fn last(facts: &Facts, name: &str) -> Option<Quantity> {
    facts.series(name).last().copied()
}

/// The right side of left ≤ right, from the left one and what the judge says is left: (right − left)/(the larger of them).
pub fn bound_of(margin: &Margin, left: f64) -> f64 {
    if margin.room >= 0.0 { left / (1.0 - margin.room) } else { left * (1.0 + margin.room) }
}

fn panel(bounding: &Bounding, points: &[Point]) -> Panel {
    let all = || points.iter().flat_map(|p| [p.bound, p.measured.value]);
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    let (least, most) = (0.7 * least, 1.4 * most);
    let axis = |what: &str| Axis::log(format!("{} {what}", bounding.axis)).from_to(least, most);
    let mut panel = Panel::new(bounding.title, axis("bound"), axis("measured"));
    panel = panel.with("equality", Ink::Guide, Mark::line(vec![least, most], vec![least, most]));
    for (synthetic, name, ink) in
        [(true, "synthetic flows", Ink::Series(1)), (false, "flows to data", Ink::Series(0))]
    {
        let of: Vec<&Point> = points.iter().filter(|p| p.synthetic == synthetic).collect();
        if of.is_empty() {
            continue;
        }
        let x = of.iter().map(|p| p.bound).collect();
        let y = of.iter().map(|p| p.measured.value).collect();
        let bars = of.iter().map(|p| p.measured.bar).collect();
        panel = panel.with(name, ink, Mark::points_with_bars(x, y, bars));
    }
    panel
}
