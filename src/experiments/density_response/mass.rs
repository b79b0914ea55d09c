//! Mass off compact supports against the size of the error, for densities that vanish to order 0, 1 and 2.

use crate::drift::{Drift, LearningError};
use crate::error::Result;
use crate::experiments::relation::{self, met};
use crate::experiments::words::{ends, measured, short, with_bar};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};
use crate::flow::{InexactFlow, Method, Sampler, uniform_times};
use crate::manifold::{Body, Law, Outline};
use crate::observe::off_support_mass_follows_the_order_of_vanishing::measure;
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use rayon::prelude::*;

/// The largest size of the error.
const LARGEST: f64 = 0.16;

/// Points drawn for the independent count.
const DRAWN: usize = 300_000;

/// A count is drawn where at least so many points are expected outside.
const LEAST_EXPECTED: f64 = 20.0;

/// The mass off one body.
pub struct Leak {
    /// Order k to which the density vanishes.
    pub order: i32,
    /// ε.
    pub epsilons: Vec<f64>,
    /// Mass outside, by quadrature over rays.
    pub mass: Vec<f64>,
    /// The power of ε, with its bar.
    pub power: Quantity,
    /// lim P/ε^{k+1}.
    pub prefactor: Quantity,
    /// lim P/ε.
    pub rate: Quantity,
    /// (1/(k+1)) ∫ c⟨δ,n⟩₊^{k+1} dS.
    pub predicted: f64,
}

/// Mass off the body under one explicit map x + εw, or under a flow with a field of its own.
///
/// *Errors*: as [`measure`].
pub fn leaks(
    outline: &Outline,
    exact: Option<&LearningError>,
    error: &LearningError,
    stream: Stream,
) -> Result<Vec<Leak>> {
    let rest = LearningError::constant(&[0.0, 0.0]);
    let (method, maps) = if exact.is_some() { (Method::Heun, 3) } else { (Method::Euler, 1) };
    let sampler = Sampler::new(method, uniform_times(0.0, 1.0, maps));
    let maps = InexactFlow { sampler: &sampler, drift: exact.unwrap_or(&rest), error };
    let leak = |order: i32| {
        let body = Body::new(vec![0.0, 0.0], outline.clone(), order)?;
        let directions = body.directions(128, stream);
        let facts = measure(&body, &maps, exact.is_none(), &directions, LARGEST)?;
        let values = |name: &str| facts.series(name).iter().map(|q| q.value).collect();
        Ok(Leak {
            order,
            epsilons: values("epsilon"),
            mass: values("mass"),
            power: facts.get("power"),
            prefactor: facts.get("prefactor"),
            rate: facts.get("rate"),
            predicted: facts.get("outward").value / f64::from(order + 1),
        })
    };
    (0..3).map(leak).collect()
}

/// Shares of points of a disc, drawn, that x + εw takes out of it.
fn counted(
    leak: &Leak,
    error: &LearningError,
    stream: Stream,
) -> Result<(Vec<f64>, Vec<Quantity>)> {
    let law = Law::Ball { dim: 2, radius: 1.0, power: f64::from(leak.order) };
    let points = law.sample(DRAWN, stream.indexed(leak.order as u64))?;
    let moves: Vec<f64> = points
        .as_slice()
        .par_chunks(2)
        .flat_map_iter(|x| {
            let mut w = [0.0; 2];
            error.velocity(0.0, x, &mut w);
            w
        })
        .collect();
    let expected = |e: f64| leak.predicted * e.powi(leak.order + 1) * DRAWN as f64;
    let seen: Vec<f64> =
        leak.epsilons.iter().copied().filter(|e| expected(*e) >= LEAST_EXPECTED).collect();
    let share = |epsilon: &f64| {
        let pairs = points.as_slice().chunks_exact(2).zip(moves.chunks_exact(2));
        let outside =
            pairs.filter(|(x, w)| (x[0] + epsilon * w[0]).hypot(x[1] + epsilon * w[1]) > 1.0);
        Quantity::sampled_share(outside.count(), DRAWN, REPORTED)
    };
    let shares = seen.iter().map(share).collect();
    Ok((seen, shares))
}

/// Figure and table.
pub fn add(chapter: &mut Chapter, stream: Stream) -> Result<()> {
    let error = LearningError::fourier(2, 3, 1.0, 0.7, stream.named("error"));
    let flow = LearningError::fourier(2, 2, 1.5, 0.3, stream.named("exact"));
    let disc = Outline::Ellipsoid { half_axes: vec![1.0, 1.0], mirror: vec![0.0, 0.0] };
    let star =
        Outline::Star { radius: 1.0, cosines: vec![0.0, 0.2, 0.1], sines: vec![0.1, 0.0, 0.1] };
    let worlds = [
        ("disc, one explicit map", leaks(&disc, None, &error, stream)?),
        ("star, Heun steps of a flow", leaks(&star, Some(&flow), &error, stream)?),
    ];
    let axes = || (Axis::log("size ε of the error"), Axis::log("mass outside"));
    let mut panels = Vec::new();
    let mut ratios =
        Panel::new("mass over its leading order", axes().0, Axis::new("P(ε)/(leading order)"))
            .with("", Ink::Predicted, Mark::Rule { at: 1.0, vertical: false });
    // Which body a line of the last panel belongs to is said by its strokes.
    for (name, mark) in [("disc", Mark::line as fn(_, _) -> Mark), ("star", Mark::dashed)] {
        ratios = ratios.with(&format!("{name} (right)"), Ink::Data, mark(Vec::new(), Vec::new()));
    }
    let mut table = Table::new(
        "powers",
        "Powers and leading orders of the mass outside",
        "Fitted powers with their bars against k + 1, and the limit of P/ε^{k+1} against the integral over the boundary. Both sides \
         are sums over the same 128 rays.",
        ["body and model", "k", "power", "limit of P/ε^(k+1)", "boundary integral", "limit of P/ε"],
    );
    table.tolerance = 1e-4;
    let mut powers = Vec::new();
    for (title, leaks) in &worlds {
        let (x, y) = axes();
        let mut panel = Panel::new(*title, x, y);
        for leak in leaks {
            let ink = Ink::Series(leak.order as u8);
            let line: Vec<f64> =
                leak.epsilons.iter().map(|e| leak.predicted * e.powi(leak.order + 1)).collect();
            let ratio = leak.mass.iter().zip(&line).map(|(m, l)| m / l).collect();
            panel = panel
                .with("leading order", Ink::Predicted, Mark::dashed(leak.epsilons.clone(), line))
                .with(
                    &format!("k = {}", leak.order),
                    ink,
                    Mark::points(leak.epsilons.clone(), leak.mass.clone()),
                );
            let (x, y) = (leak.epsilons.clone(), ratio);
            // The second body by strokes.
            let mark = if panels.is_empty() { Mark::line(x, y) } else { Mark::dashed(x, y) };
            ratios = ratios.with(&format!("k = {}", leak.order), ink, mark);
            powers.push(format!("{:.3} ± {:.3}", leak.power.value, leak.power.bar));
            table.rows.push(vec![
                Cell::from(*title),
                Cell::from(leak.order as usize),
                Cell::from(leak.power),
                Cell::from(leak.prefactor),
                Cell::from(leak.predicted),
                Cell::from(leak.rate),
            ]);
        }
        panels.push(panel);
    }
    // On the disc the same by counting.
    let mut off = Vec::new();
    for leak in &worlds[0].1 {
        let (epsilons, shares) = counted(leak, &error, stream.named("drawn"))?;
        for (e, share) in epsilons.iter().zip(&shares) {
            let at = leak.epsilons.iter().position(|other| other == e);
            let mass = at.map_or(f64::NAN, |at| leak.mass[at]);
            off.push((share.value - mass).abs() <= share.bar);
        }
        let mark = measured(epsilons, &shares);
        panels[0] = std::mem::take(&mut panels[0]).with("counted (95 %)", Ink::Error, mark);
    }
    let inside = off.iter().filter(|inside| **inside).count();
    panels.push(ratios);
    let all: Vec<&Leak> = worlds.iter().flat_map(|(_, leaks)| leaks).collect();
    let least = all.iter().filter_map(|leak| leak.epsilons.last()).copied().fold(LARGEST, f64::min);
    let caption = format!(
        "How much mass an error of size ε moves out of a compact support, for densities that vanish to order k at the \
         boundary. Fitted powers {} (disc, k = 0, 1, 2) and {} (star, whose exact model is a flow), against 1, 2, 3; dashed: \
         $\\varepsilon^{{k+1}}/(k+1) \\int c \\langle\\delta, n\\rangle_+^{{k+1}} dS$. Crosses with bars: {DRAWN} drawn points of the disc, counted; {inside} of {} \
         intervals hold the quadrature. The derivative of the mass at ε = 0 is {} (disc, k = 0, 1, 2) and {} (star); at \
         ε = {least:.1e} the least mass outside of all of them is {}.",
        powers[..3].join(", "),
        powers[3..].join(", "),
        off.len(),
        rates(&worlds[0].1),
        rates(&worlds[1].1),
        short(smallest(&all)),
    );
    let not_shown = "Errors are smooth random fields; an error that points inwards all around moves nothing out. The marks by \
                     quadrature have bars smaller than they are.";
    let figure = Figure::new("mass-off-the-support", "Mass off a compact support", panels)
        .says(caption, not_shown)
        .within(1e-4);
    chapter.figures.push(figure);
    chapter.tables.push(table);
    chapter.find(
        as_predicted(&all),
        "mass-off-the-support",
        "T1.5 (b): an error of size ε moves mass of the order of ε^(k+1) off a compact support, with the constant of an integral over its boundary",
        format!(
            "powers {} on a disc and {} on a star for k = 0, 1, 2; the limits of P/ε^(k+1) are {} times the integral",
            powers[..3].join(", "),
            powers[3..].join(", "),
            span(all.iter().map(|leak| leak.prefactor.value / leak.predicted)),
        ),
    );
    chapter.find(
        claim_of_the_support(&all),
        "mass-off-the-support",
        "Paper: infinitesimal errors change the density only on the support",
        format!(
            "the derivative of the mass outside is {} for k = 0, 1, 2 (T1.2 puts that of k = 0 on the boundary, which belongs to the support); at finite ε the \
             mass outside is {} at least",
            rates(&worlds[0].1),
            short(smallest(&all)),
        ),
    );
    Ok(())
}

/// Whether powers and leading orders are those of T1.5 (b).
pub fn as_predicted(leaks: &[&Leak]) -> Relation {
    // Both sides are sums over the same rays.
    let rounding = 1e-9;
    relation::all(leaks.iter().flat_map(|leak| {
        let order = f64::from(leak.order + 1);
        [met(leak.power, order, 0.0), met(leak.prefactor, leak.predicted, rounding)]
    }))
}

/// What the masses say of "only on the support": contradicted where a density that vanishes at the boundary loses mass at first
/// order, to be sharpened where mass leaves at finite sizes.
pub fn claim_of_the_support(leaks: &[&Leak]) -> Relation {
    let first_order = |leak: &&&Leak| leak.order > 0;
    let at_first =
        relation::all(leaks.iter().filter(first_order).map(|leak| met(leak.rate, 0.0, 1e-9)));
    match at_first {
        Relation::Agrees if smallest(leaks) > 0.0 => Relation::Sharpens,
        other => other,
    }
}

/// The least mass that is outside at the least size, over all bodies.
fn smallest(leaks: &[&Leak]) -> f64 {
    leaks.iter().filter_map(|leak| leak.mass.last()).copied().fold(f64::INFINITY, f64::min)
}

fn rates(leaks: &[Leak]) -> String {
    leaks.iter().map(|leak| with_bar(leak.rate)).collect::<Vec<_>>().join(", ")
}

/// From the least to the largest.
fn span(values: impl Iterator<Item = f64>) -> String {
    let (low, high) = ends(values);
    format!("{low:.4} to {high:.4}")
}
