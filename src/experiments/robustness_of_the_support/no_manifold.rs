//! A density of full dimension, which has no manifold to leave.

use super::errors::{error_of, size_axis};
use crate::drift::{
    Atoms, Channel, Denoiser, GaussianPath, InVelocity, LearningError, Pairs, Parametrisation,
};
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::model_class::{
    Class, Flaw, Model, Range, SIGMA_END, SIGMA_START, VARIANCE_PRESERVING,
};
use crate::experiments::words::{band, short, values, with_bar};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::{Method, Sampler, StepWorkspace, geometric_times};
use crate::manifold::{Component, Law};
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use crate::response::{CarriedPoints, LogDensity, NoisyLaw};
use rayon::prelude::*;

/// Centres and width of the density without a manifold.
const CENTRES: [[f64; 2]; 3] = [[-1.0, -0.6], [1.0, -0.6], [0.0, 1.0]];
const WIDTH: f64 = 0.5;

/// The response g = μ/ρ of the density, and μ, at points of the plane: T1.2 by the flow back to noise.
fn response_at(
    points: &[f64],
    law: &Denoiser,
    error: &LearningError,
    kind: Parametrisation,
) -> Vec<(f64, f64)> {
    let schedule = VARIANCE_PRESERVING;
    let times: Vec<f64> = geometric_times(SIGMA_END, SIGMA_START, 64)
        .into_iter()
        .map(|sigma| schedule.time_at_sigma(sigma))
        .collect();
    let (last, first) = (times[0], times[times.len() - 1]);
    let ((a, _), (a0, b0)) = (schedule.coefficients(last), schedule.coefficients(first));
    let sampler = Sampler::new(Method::Rk4, times);
    let path = GaussianPath { schedule, denoiser: law };
    let velocity = InVelocity { error, parametrisation: kind, schedule };
    let noise =
        NoisyLaw { denoiser: law, channel: Channel { signal: a0, noise_variance: b0 * b0 } };
    let states: Vec<f64> = points.iter().map(|y| a * y).collect();
    let blocks: Vec<&[f64]> = states.chunks(2 * 64).collect();
    let carried = blocks.into_par_iter().map(|block| {
        let mut carried = CarriedPoints::new(2, block);
        carried.run(&sampler, &path, &velocity, &mut StepWorkspace::default());
        (0..carried.count()).map(|i| carried.at_start(i, &noise)).collect::<Vec<_>>()
    });
    // ρ of y = x/a in the plane is a² ρ of x.
    let pair = |d: crate::response::DensityAt| {
        (d.response, d.response * (d.log_density + 2.0 * a.ln()).exp())
    };
    carried.collect::<Vec<_>>().into_iter().flatten().map(pair).collect()
}

/// The centres of a grid of squares on [−half, half]², upper row first.
fn grid(half: f64, per_side: usize) -> Vec<f64> {
    let at = |k: usize| half * (2.0 * (k as f64 + 0.5) / per_side as f64 - 1.0);
    let row = |i: usize| (0..per_side).flat_map(move |j| [at(j), -at(i)]);
    (0..per_side).flat_map(row).collect()
}

/// The law without a manifold, and its posterior mean.
///
/// *Errors*: none in practice.
pub fn free_law() -> Result<(Law, Denoiser)> {
    let component = |mean: &[f64; 2]| Component { weight: 1.0, mean: mean.to_vec(), width: WIDTH };
    let law = Law::Mixture { components: CENTRES.iter().map(component).collect() };
    Ok((law, Atoms::new(2, CENTRES.concat(), None, WIDTH)?.into()))
}

/// ∫μ over a grid of the plane, which is 0, and ∫|μ| beside it.
///
/// *Errors*: none in practice.
pub fn total_response(error: &LearningError, kind: Parametrisation) -> Result<(f64, f64)> {
    let (half, per_side) = (4.5, 72);
    let found = response_at(&grid(half, per_side), &free_law()?.1, error, kind);
    let cell = (2.0 * half / per_side as f64).powi(2);
    let sum = |of: fn(f64) -> f64| found.iter().map(|(_, mu)| of(*mu) * cell).sum();
    Ok((sum(|mu| mu), sum(f64::abs)))
}

/// A mixture of three Gaussians of the plane: its support is everything.
///
/// *Errors*: as [`Model::ends`].
pub fn without_manifold(setting: &Setting, pairs: &Pairs, chapter: &mut Chapter) -> Result<()> {
    let (law, denoiser) = free_law()?;
    let stream = setting.stream("robustness-of-the-support").named("no manifold");
    let model = Model {
        class: Class::ScoreOde,
        denoiser: &denoiser,
        transport: pairs,
        steps: 64,
        range: Range::USUAL,
    };
    let error_of_draw =
        |n: u64| LearningError::fourier(2, 8, 1.0, 1.0, stream.named("error").indexed(n));
    let (half, per_side, size) = (2.6, 44, 0.2);
    let error = error_of_draw(0);
    let flaw = Flaw { error: &error, parametrisation: Parametrisation::Noise };
    let starts = model.starts(&law, 120, stream.named("picture"))?;
    let moved = model.ends(&starts, flaw, size, stream)?;
    let response = response_at(&grid(half, per_side), &denoiser, &error, Parametrisation::Noise);
    let coordinate = |i: usize| moved.chunks_exact(2).map(|y| y[i]).collect();
    let raster = Mark::Raster {
        extent: [-half, half, -half, half],
        columns: per_side,
        values: response.iter().map(|pair| pair.1).collect(),
        signed: true,
    };
    let picture = Panel {
        x: Axis::new("x₁").from_to(-half, half),
        y: Axis::new("x₂").from_to(-half, half),
        ..Panel::plane("response μ of the density, samples")
    };
    let picture = picture.with("", Ink::Score, raster).with(
        "samples with error",
        Ink::Error,
        Mark::points(coordinate(0), coordinate(1)),
    );

    let sizes = [0.01, 0.03, 0.1, 0.3];
    let mut panels = vec![picture];
    let mut said = Vec::new();
    let mut ratio = Vec::new();
    for kind in [Parametrisation::Noise, Parametrisation::Denoiser] {
        let found = across_levels(&model, &law, kind, &sizes, &error_of_draw, stream)?;
        let (mut across, mut within) = (Vec::new(), Vec::new());
        for pair in &found {
            across.push(pair.0);
            within.push(pair.1);
        }
        said.push(format!(
            "{}: {} along the score, {} across it",
            error_of(kind),
            with_bar(across[0] * sizes[0].recip()),
            with_bar(within[0] * sizes[0].recip())
        ));
        ratio.push(across[0].value / within[0].value);
        let panel = Panel::new(
            error_of(kind),
            size_axis(kind),
            Axis::log("mean shift of a sample (length)"),
        );
        panels.push(
            panel
                .with("", Ink::Score, band(&sizes, &across))
                .with("", Ink::Tangent, band(&sizes, &within))
                .with("along the score", Ink::Score, Mark::points(sizes.to_vec(), values(&across)))
                .with(
                    "across the score",
                    Ink::Tangent,
                    Mark::points(sizes.to_vec(), values(&within)),
                ),
        );
    }
    let (total, size_of_response) = total_response(&error, Parametrisation::Noise)?;
    let largest = response.iter().map(|pair| pair.0.abs()).fold(0.0_f64, f64::max);
    let caption = format!(
        "Three Gaussians of width {WIDTH} in the plane: the density is positive everywhere, so there is no manifold to be along or \
         off. Left: $\\mu=\\mathrm{{d}}\\rho^\\varepsilon/\\mathrm{{d}}\\varepsilon$ at ε = 0 for an error of the noise prediction (orange \
         and blue: more and less density, largest |μ|/ρ shown {}), with samples at ε = {size}; ∫|μ| = {}, ∫μ = {}. Right: shifts \
         along the score of the data at the sample, towards another density, and across it, with 95 % bands over 8 random errors. \
         At ε = {}, for each unit of error, {}.",
        short(largest),
        short(size_of_response),
        if total.abs() < 1e-3 * size_of_response {
            "0 to a thousandth of it".to_owned()
        } else {
            short(total)
        },
        sizes[0],
        said.join("; ")
    );
    let not_shown = "The statement that the response lives on the support of the density is empty here: every point belongs to it. \
                     What an error does to such a law is measured by the size of μ/ρ (T1.6), not by its support.";
    let figure =
        Figure::new("no-manifold", "A density of full dimension: nothing to leave", panels);
    chapter.figures.push(figure.says(caption, not_shown).within(5e-3));
    let comparable = ratio.iter().all(|r| (0.3..3.0).contains(r));
    chapter.find(
        if comparable { Relation::Sharpens } else { Relation::Open },
        "no-manifold",
        "The analysis applies to targets that do not satisfy the manifold hypothesis (abstract of the paper; T1.2).",
        format!(
            "It applies, but the support says nothing there: shifts along the score are {} (noise prediction) and {} (denoiser) \
             times those across it: {}.",
            short(ratio[0]),
            short(ratio[1]),
            if comparable { "no direction is protected" } else { "the two differ" },
        ),
    );
    Ok(())
}

/// Mean shifts along the score of the final law at the exact sample, and across it, with intervals over 8 errors.
fn across_levels(
    model: &Model<Pairs>,
    law: &Law,
    parametrisation: Parametrisation,
    sizes: &[f64],
    error_of_draw: &(dyn Fn(u64) -> LearningError + Sync),
    stream: Stream,
) -> Result<Vec<(Quantity, Quantity)>> {
    let score_law = NoisyLaw { denoiser: model.denoiser, channel: Channel::canonical(SIGMA_END) };
    let one = |n: u64| -> Result<Vec<(f64, f64)>> {
        let error = error_of_draw(n);
        let flaw = Flaw { error: &error, parametrisation };
        let starts = model.starts(law, 96, stream.named("samples").indexed(n))?;
        let exact = model.ends(&starts, flaw, 0.0, stream)?;
        let mut means = Vec::new();
        for size in sizes {
            let moved = model.ends(&starts, flaw, *size, stream)?;
            let (mut along, mut across) = (0.0, 0.0);
            for (from, to) in exact.chunks_exact(2).zip(moved.chunks_exact(2)) {
                let score = score_law.score(from);
                let score = &score / score.norm();
                let (u, v) = (to[0] - from[0], to[1] - from[1]);
                along += (u * score[0] + v * score[1]).abs() / 96.0;
                across += (v * score[0] - u * score[1]).abs() / 96.0;
            }
            means.push((along, across));
        }
        Ok(means)
    };
    let each: Vec<Vec<(f64, f64)>> = (0..8_u64).into_par_iter().map(one).collect::<Result<_>>()?;
    let mean = |k: usize, of: fn(&(f64, f64)) -> f64| {
        let draws: Vec<f64> = each.iter().map(|means| of(&means[k])).collect();
        Quantity::sampled_mean(&draws, REPORTED)
    };
    Ok((0..sizes.len()).map(|k| (mean(k, |m| m.0), mean(k, |m| m.1))).collect())
}
