//! How angles to the tangent and overlaps with the score are distributed.

use super::{ALIGNED, SIGMA};
use crate::error::Result;
use crate::experiments::curve::{Curve, End};
use crate::experiments::relation::{below, positive};
use crate::experiments::words::{number, percent, with_bar};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use std::f64::consts::FRAC_PI_2;

/// Orbits of each curve.
const ORBITS: usize = 4000;

/// Points drawn of them where each is a marker.
const DRAWN: usize = 700;

/// Range of the angles, in degrees; smaller ones are in the first bin.
const ANGLES: (f64, f64) = (1e-3, 90.0);

/// Range of the overlaps; smaller ones are in the first bin.
const OVERLAP: (f64, f64) = (1e-5, 1.0);

/// Bins, equal in the logarithm.
const BINS: usize = 30;

/// An overlap above which nobody would call two directions orthogonal: 60°.
const OVERLAPS: f64 = 0.5;

pub(super) fn add(chapter: &mut Chapter, curves: &[Curve; 2], stream: Stream) -> Result<()> {
    let (mut panels, mut words, mut ridge) = (Vec::new(), Vec::new(), Vec::new());
    let mut aligned_shares = Vec::new();
    let (mut ratios, mut above) = (Vec::new(), Vec::new());
    for curve in curves {
        let ends = curve.ends(SIGMA, &curve.starts(ORBITS, stream.named(curve.name))?)?;
        panels.extend(of_curve(curve.name, &ends));
        let of = |f: &dyn Fn(&End) -> f64| ends.iter().map(f).collect::<Vec<f64>>();
        let share = |is: &dyn Fn(&&End) -> bool| {
            let count = ends.iter().filter(is).count();
            Quantity::sampled_share(count, ends.len(), REPORTED)
        };
        let median = Quantity::sampled_median(&of(&End::angle), REPORTED);
        let aligned = share(&|e| e.angle() <= ALIGNED);
        let broken = share(&|e| e.angle() <= ALIGNED && e.overlap() > OVERLAPS);
        let overlap = Quantity::sampled_median(&of(&End::overlap), REPORTED);
        let overlapping = share(&|e| e.overlap() > OVERLAPS);
        words.push(format!(
            "{}: median angle {}°, within {}° at {}; median overlap with the score {}, above {OVERLAPS} at {}",
            curve.name,
            with_bar(median),
            number(ALIGNED, 2),
            percent(aligned),
            with_bar(overlap),
            percent(overlapping),
        ));
        ridge.push(format!("{} ({})", percent(broken), curve.name));
        let ratio = Quantity::sampled_median(&of(&End::score_ratio), REPORTED);
        ratios.push(format!("{} ({})", with_bar(ratio), curve.name));
        let off_line = share(&|e| e.overlap() > 2.0 * e.tangent_share());
        above.push(format!("{} ({})", percent(off_line), curve.name));
        aligned_shares.push((curve.name, aligned, median, broken));
    }
    let caption = format!(
        "{}. Of all ends, {} are aligned and still overlap with the score by more than {OVERLAPS}. \
         Right: the line is the overlap $t/\\sqrt{{1+t^2}}$, $t=|s_T|/|s_N|$, of an exactly aligned vector, small only where the score \
         is normal, $|s_N|\\gg|s_T|$ (T2.6). The median of $t$ is {}; above twice the line are {} of the ends.",
        words.join(". "),
        ridge.join(", "),
        ratios.join(", "),
        above.join(", "),
    );
    let hidden = format!(
        "Shares are of {ORBITS} independent orbits (95 % intervals in the text; a bar of share $p$ is uncertain by about \
         $2\\sqrt{{p(1-p)/{ORBITS}}}$). The law of the ends is that of noisy data at $\\sigma={SIGMA}$: how vectors lie where it has little \
         mass is in another figure."
    );
    chapter.figures.push(
        Figure::new(
            "angles-and-overlaps",
            "Angles to the tangent, overlaps with the score",
            panels,
        )
        .says(caption, hidden)
        .in_columns(3)
        .within(3.0 / ORBITS as f64),
    );
    find(chapter, &aligned_shares);
    Ok(())
}

type Share = (&'static str, Quantity, Quantity, Quantity);

fn find(chapter: &mut Chapter, shares: &[Share]) {
    let each = |(name, aligned, median, _): &Share| {
        let (aligned, median) = (percent(*aligned), with_bar(*median));
        format!("{name}: median angle {median}°, within {}° at {aligned}", number(ALIGNED, 2))
    };
    let found = shares.iter().map(each).collect::<Vec<_>>().join("; ");
    chapter.find(
        aligned(shares.iter().map(|share| share.1)),
        "angles-and-overlaps",
        "Paper: the top Lyapunov vectors align with the tangent spaces along the boundary of the data manifold.",
        format!("At σ = {SIGMA} with exact scores. {found}."),
    );
    let each = |(name, _, _, broken): &Share| format!("{} over the {name}", percent(*broken));
    let found = shares.iter().map(each).collect::<Vec<_>>().join(", ");
    chapter.find(
        orthogonal(shares.iter().map(|share| share.3)),
        "angles-and-overlaps",
        "Our reading (the abstract of the paper does not say it): aligned vectors are orthogonal to the score along the boundary of the data (T2.6: where the score \
         is normal).",
        format!(
            "Of all ends, {found} are aligned to {}° and yet overlap with the score by more than {OVERLAPS}.",
            number(ALIGNED, 2)
        ),
    );
}

/// What shares of aligned ends say of alignment: seen at nine of ten, contradicted where it is known to fail at most ends.
pub fn aligned(shares: impl Iterator<Item = Quantity> + Clone) -> Relation {
    match shares.clone().all(|share| below(Quantity::exact(0.9), share)) {
        true => Relation::Agrees,
        false if { shares }.any(|share| below(share, Quantity::exact(0.5))) => {
            Relation::Contradicts
        }
        false => Relation::Sharpens,
    }
}

/// What shares of aligned ends that overlap with the score say of orthogonality.
pub fn orthogonal(broken: impl Iterator<Item = Quantity> + Clone) -> Relation {
    match broken.clone().any(positive) {
        true if { broken }.any(|share| below(Quantity::exact(0.5), share)) => Relation::Contradicts,
        true => Relation::Sharpens,
        false => Relation::Agrees,
    }
}

fn of_curve(name: &str, ends: &[End]) -> Vec<Panel> {
    let of = |f: &dyn Fn(&End) -> f64| ends.iter().map(f).collect::<Vec<f64>>();
    let of_random = |(least, most), distribution: &dyn Fn(f64) -> f64| {
        let edges = edges(least, most);
        // What is below the first edge is in the first bin here too.
        let share = |e: &[f64]| {
            let below = if e[0] <= least { 0.0 } else { distribution(e[0]) };
            distribution(e[1]) - below
        };
        let heights = edges.windows(2).map(share).collect();
        Mark::Steps { edges, heights }
    };
    let angle = Panel::new(
        format!("{name}: angle"),
        Axis::log("angle to the tangent (degrees)"),
        Axis::new("share of ends"),
    )
    .with("random direction", Ink::Null, of_random(ANGLES, &|angle| angle / 90.0))
    .with("top Lyapunov vector", Ink::Lyapunov, logarithmic(&of(&End::angle), ANGLES));

    let overlap = Panel::new(
        format!("{name}: overlap with the score"),
        Axis::log("part of the score, 0 to 1"),
        Axis::new("share of ends"),
    )
    .with("random direction", Ink::Null, of_random(OVERLAP, &|part| part.asin() / FRAC_PI_2))
    .with("|s_T|/|s|, tangent", Ink::Tangent, logarithmic(&of(&End::tangent_share), OVERLAP))
    .with("top Lyapunov vector", Ink::Lyapunov, logarithmic(&of(&End::overlap), OVERLAP));

    let some = &ends[..DRAWN];
    let ratio: Vec<f64> = some.iter().map(End::score_ratio).collect();
    let line: Vec<f64> = (0..=80).map(|k| 10_f64.powf(-5.0 + 7.0 * f64::from(k) / 80.0)).collect();
    let aligned = line.iter().map(|t| t / t.hypot(1.0)).collect();
    let scatter = Panel::new(
        format!("{name}: ridge to flank"),
        Axis::log("|s_T|/|s_N|").from_to(1e-5, 1e2),
        Axis::log("overlap with the score").from_to(1e-5, 1.5),
    )
    .with("top Lyapunov vector", Ink::Lyapunov, {
        Mark::points(ratio, some.iter().map(End::overlap).collect())
    })
    .with("exactly aligned", Ink::Predicted, Mark::line(line, aligned));
    vec![angle, overlap, scatter]
}

/// Edges of bins that are equal in the logarithm.
fn edges(least: f64, most: f64) -> Vec<f64> {
    (0..=BINS).map(|k| least * (most / least).powf(k as f64 / BINS as f64)).collect()
}

/// A histogram in these bins; what is below the first edge is in the first bin.
fn logarithmic(values: &[f64], (least, most): (f64, f64)) -> Mark {
    let mut heights = vec![0.0; BINS];
    for value in values {
        let bin = (value / least).ln() / (most / least).ln() * BINS as f64;
        heights[(bin.max(0.0) as usize).min(BINS - 1)] += 1.0 / values.len() as f64;
    }
    Mark::Steps { edges: edges(least, most), heights }
}
