//! What minibatch optimal transport changes: its cost and its shifts, against the size of the batch.

use crate::drift::{LearningError, Pairs, Parametrisation};
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::model_class::{Class, Flaw, Model, Range};
use crate::experiments::robustness_of_the_support::pairs_of;
use crate::experiments::shape::Shape;
use crate::experiments::words::{measured, short, with_bar};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::{Chapter, Relation};
use rayon::prelude::*;

/// Sizes of the batches, pairs in all, and draws of everything.
const BATCHES: [usize; 5] = [1, 4, 16, 64, 256];
const PAIRS: usize = 768;
const DRAWS: u64 = 6;
/// Samples of each draw.
const SAMPLES: usize = 24;
/// Pairs that are drawn.
const DRAWN: usize = 50;

/// Cost of the pairs, and median |δ_T| and |δ_N| for an error of the velocity.
fn measure(setting: &Setting, shape: &Shape, batch: usize, draw: u64) -> Result<[f64; 3]> {
    let stream = setting.stream("model-classes").named("coupling").indexed(draw);
    let pairs = pairs_of(shape, PAIRS, batch, stream)?;
    let model = Model {
        class: Class::OptimalTransport,
        denoiser: &shape.denoiser,
        transport: &pairs,
        steps: 48,
        range: Range::USUAL,
    };
    let error = LearningError::fourier(2, 8, 1.0, 1.0, stream.named("error"));
    let flaw = Flaw { error: &error, parametrisation: Parametrisation::Velocity };
    let starts = model.starts(&shape.law, SAMPLES, stream.named("samples"))?;
    let (ends, deltas) = model.first_order(&starts, flaw, stream)?;
    let (mut along, mut off) = (Vec::new(), Vec::new());
    for (y, delta) in ends.chunks_exact(2).zip(deltas.chunks_exact(2)) {
        let (tangent, normal) = shape.spot(y)?.split(delta);
        along.push(tangent);
        off.push(normal);
    }
    let median = |draws: &[f64]| Quantity::sampled_median(draws, REPORTED).value;
    Ok([pairs.cost(), median(&along), median(&off)])
}

/// The figure.
///
/// *Errors*: as [`Pairs::minibatch`].
pub fn figure(setting: &Setting, shape: &Shape, chapter: &mut Chapter) -> Result<()> {
    let jobs: Vec<(usize, u64)> =
        BATCHES.iter().flat_map(|batch| (0..DRAWS).map(|draw| (*batch, draw))).collect();
    let found: Vec<[f64; 3]> = jobs
        .par_iter()
        .map(|(batch, draw)| measure(setting, shape, *batch, *draw))
        .collect::<Result<_>>()?;
    let curve = |which: usize| -> Vec<Quantity> {
        let of = |draws: &[[f64; 3]]| {
            let draws: Vec<f64> = draws.iter().map(|draw| draw[which]).collect();
            Quantity::sampled_mean(&draws, REPORTED)
        };
        found.chunks_exact(DRAWS as usize).map(of).collect()
    };
    let (cost, along, off) = (curve(0), curve(1), curve(2));
    let x: Vec<f64> = BATCHES.iter().map(|batch| *batch as f64).collect();
    // Independent draws: E|p|² + E|q|² − 2⟨Ep, Eq⟩ with Ep = 0 and E|p|² = D (1 − h²).
    let (nodes, weights) = shape.manifold.quadrature(200)?;
    let square: f64 = nodes.column_iter().zip(&weights).map(|(q, w)| w * q.norm_squared()).sum();
    let independent = 2.0 * (1.0 - 0.09) + square;
    let mut panels = Vec::new();
    let (outline_x, outline_y) = shape.outline(60);
    let stream = setting.stream("model-classes").named("coupling").named("picture");
    for batch in [1, 256] {
        let pairs = pairs_of(shape, 256, batch, stream)?;
        panels.push(pictured(&pairs, batch).with(
            "data manifold",
            Ink::Data,
            Mark::line(outline_x.clone(), outline_y.clone()),
        ));
    }
    panels.push(
        Panel::new(
            "cost of transport",
            Axis::log("points in a batch"),
            Axis::new("mean |p − q|²").from_to(0.0, 1.25 * independent),
        )
        .with("", Ink::Measured, measured(x.clone(), &cost))
        .with(
            "independent, closed form",
            Ink::Predicted,
            Mark::Rule { at: independent, vertical: false },
        ),
    );
    panels.push(
        Panel::new(
            "shift by an error of the velocity",
            Axis::log("points in a batch"),
            Axis::log("shift per unit of error"),
        )
        .with("along the manifold", Ink::Tangent, measured(x.clone(), &along))
        .with("off the manifold", Ink::Normal, measured(x, &off)),
    );
    let last = BATCHES.len() - 1;
    let caption = format!(
        "Flow matching over pairs of noise and data, {PAIRS} in all, assigned exactly within batches. Upper row: {DRAWN} pairs of the independent \
         coupling and of batches of 256. The cost falls from {} (batches of 1; independent draws have {} in closed form) to {} (256). First-order \
         shifts for each unit of an error of the velocity, medians of {SAMPLES} samples, with 95 % intervals over {DRAWS} draws of data, pairs and \
         error: along from {} to {}, off from {} to {}.",
        with_bar(cost[0]),
        short(independent),
        with_bar(cost[last]),
        with_bar(along[0]),
        with_bar(along[last]),
        with_bar(off[0]),
        with_bar(off[last]),
    );
    let not_shown = "Pairs are thickened (0.3 at the noise, 0.05 at the data) so that the velocity is a smooth posterior mean over them; with few pairs \
                     this flow memorises them. A trained network smooths in its own way.";
    let figure = Figure::new("coupling", "What the coupling changes", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(5e-3));
    // Draw by draw, with the same error and data: most of the spread of single shifts is the error's.
    let (first, finest) = (&found[..DRAWS as usize], &found[last * DRAWS as usize..]);
    let ratios: Vec<f64> = first.iter().zip(finest).map(|(a, b)| b[2] / a[2]).collect();
    let ratio = Quantity::sampled_mean(&ratios, REPORTED);
    let cheaper = cost[last].value + cost[last].bar < cost[0].value - cost[0].bar;
    let apart = claim_of_the_coupling(cheaper, ratio) == Relation::Agrees;
    chapter.find(
        claim_of_the_coupling(cheaper, ratio),
        "coupling",
        "T6.2: a measured difference between flow matching and score-based models may come from another coupling.",
        format!(
            "Batches of 256 carry noise to data at {} of the cost of independent pairs. The shift off by the same \
             error of the velocity is {} times that of independent pairs: {}.",
            with_bar(cost[last] / cost[0]),
            with_bar(ratio),
            if apart { "another one" } else { "no difference that these draws could tell" },
        ),
    );
    Ok(())
}

/// Whether another coupling, cheaper or not, moves samples off by another distance (the ratio).
pub fn claim_of_the_coupling(cheaper: bool, ratio: Quantity) -> Relation {
    match (ratio.value - 1.0).abs() > ratio.bar {
        true if cheaper => Relation::Agrees,
        _ => Relation::Open,
    }
}

/// Lines from the noise to the data of the first pairs.
fn pictured(pairs: &Pairs, batch: usize) -> Panel {
    let both = || pairs.starts().chunks_exact(2).zip(pairs.ends().chunks_exact(2)).take(DRAWN);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (p, q) in both() {
        x.extend([p[0], q[0], f64::NAN]);
        y.extend([p[1], q[1], f64::NAN]);
    }
    let title = match batch {
        1 => "independent pairs".to_owned(),
        _ => format!("pairs of batches of {batch}"),
    };
    let starts = |i: usize| both().map(|(p, _)| p[i]).collect();
    let plane = Panel {
        x: Axis::new("x₁").from_to(-3.2, 2.8),
        y: Axis::new("x₂").from_to(-2.6, 2.8),
        ..Panel::plane(title)
    };
    plane.with("pairs", Ink::Guide, Mark::line(x, y)).with(
        "noise",
        Ink::Measured,
        Mark::points(starts(0), starts(1)),
    )
}
