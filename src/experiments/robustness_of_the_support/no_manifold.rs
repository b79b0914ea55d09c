//! A density of full dimension, which has no manifold to leave.

use super::errors::{class_axis, classes, error_of, ink_of_kind, size_axis};
use super::study::Exact;
use crate::drift::{
    Atoms, Channel, Denoiser, GaussianPath, InVelocity, LearningError, Pairs, Parametrisation,
};
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::model_class::{
    Class, Flaw, Model, Range, SIGMA_END, SIGMA_START, VARIANCE_PRESERVING,
};
use crate::experiments::words::{band, ends, measured, short, values, with_bar};
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

/// Pairs of the coupling by optimal transport, and its batches.
const PAIRS: (usize, usize) = (512, 256);

/// Random errors, and samples of each.
const EFFORT: (u64, usize) = (8, 96);

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
pub fn without_manifold(setting: &Setting, chapter: &mut Chapter) -> Result<()> {
    let (law, denoiser) = free_law()?;
    let stream = setting.stream(super::NAME).named("no manifold");
    let points = law.sample(PAIRS.0, stream.named("pairs"))?;
    let widths = (0.3, 0.15);
    let pairs =
        &Pairs::minibatch(2, points.as_slice(), PAIRS.1, widths, stream.named("pair noise"))?;
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
    let exact = exact_ends(&model, &law, stream)?;
    let mut panels = vec![picture];
    let mut said = Vec::new();
    let mut parts = Vec::new();
    for kind in Parametrisation::ALL {
        let found = across_levels(&model, &exact, kind, &sizes, &error_of_draw, stream)?;
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
        parts.push((kind, across[0], within[0]));
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
         off. First panel: $\\mu=\\mathrm{{d}}\\rho^\\varepsilon/\\mathrm{{d}}\\varepsilon$ at ε = 0 for an error of the noise prediction (orange \
         and blue: more and less density, largest |μ|/ρ shown {}), with samples at ε = {size}; ∫|μ| = {}, ∫μ = {}. Others: shifts \
         along the score of the data at the sample, towards another density, and across it, with 95 % bands over {} random errors. \
         At ε = {}, for each unit of error, {}.",
        short(largest),
        short(size_of_response),
        if total.abs() < 1e-3 * size_of_response {
            "0 to a thousandth of it".to_owned()
        } else {
            short(total)
        },
        EFFORT.0,
        sizes[0],
        said.join("; ")
    );
    let not_shown = "The statement that the response lives on the support of the density is empty here: every point belongs to it. \
                     What an error does to such a law is measured by the size of μ/ρ (T1.6), not by its support.";
    let figure =
        Figure::new("no-manifold", "A density of full dimension: nothing to leave", panels);
    chapter.figures.push(figure.in_columns(3).says(caption, not_shown).within(5e-3));
    let ratios = parts.iter().map(|(_, across, within)| across.value / within.value);
    let (least, most) = ends(ratios);
    chapter.find(
        without_support(total / size_of_response, (least, most)),
        "no-manifold",
        "The analysis applies to targets that do not satisfy the manifold hypothesis (abstract of the paper; T1.2).",
        format!(
            "∫μ is {} of ∫|μ|, as of a change of density; the support, the whole plane, protects nothing: shifts along the score are {} to {} times those across it, \
             over four kinds of error.",
            short((total / size_of_response).abs()),
            short(least),
            short(most),
        ),
    );
    by_class(&model, &law, &error_of_draw, stream, chapter)
}

/// What the total of a response, over that of its size, and shifts along the score over those across it, from the least to the
/// largest, say of the analysis without a manifold.
pub fn without_support(total: f64, (least, most): (f64, f64)) -> Relation {
    match (total.abs() < 1e-2, least > 0.3 && most < 3.0) {
        _ if !(total + least + most).is_finite() => Relation::Open,
        (false, _) => Relation::Contradicts,
        // No direction is protected.
        (true, true) => Relation::Sharpens,
        (true, false) => Relation::Agrees,
    }
}

/// All classes, to first order.
fn by_class(
    model: &Model<Pairs>,
    law: &Law,
    error_of_draw: &(dyn Fn(u64) -> LearningError + Sync),
    stream: Stream,
    chapter: &mut Chapter,
) -> Result<()> {
    let shift = || Axis::log("mean shift per unit of error");
    let mut panels = [
        Panel::new("along the score", class_axis(), shift()),
        Panel::new("across the score", class_axis(), shift()),
    ];
    let of_class = |class: Class| -> Result<_> {
        let model = Model { class, ..*model };
        let exact = exact_ends(&model, law, stream)?;
        Ok((model, exact))
    };
    let models: Vec<_> = Class::ALL.into_iter().map(of_class).collect::<Result<_>>()?;
    for (nth, kind) in Parametrisation::ALL.into_iter().enumerate() {
        let (mut at, mut parts) = (Vec::new(), [Vec::new(), Vec::new()]);
        for (model, exact) in models.iter().filter(|(model, _)| model.class.predicts(kind)) {
            let size = [FIRST_ORDER];
            let found = across_levels(model, exact, kind, &size, error_of_draw, stream)?;
            at.push(model.class.place() as f64 + 0.16 * (nth as f64 - 1.5));
            parts[0].push(found[0].0 * FIRST_ORDER.recip());
            parts[1].push(found[0].1 * FIRST_ORDER.recip());
        }
        for (panel, part) in panels.iter_mut().zip(&parts) {
            *panel = std::mem::take(panel).with(
                error_of(kind),
                ink_of_kind(kind),
                measured(at.clone(), part),
            );
        }
    }
    let caption = format!(
        "Mean shifts of samples for each unit of error at ε = {FIRST_ORDER}, along the score at the sample and across it, with 95 % intervals over {} random errors. Classes: {}.",
        EFFORT.0,
        classes(),
    );
    let not_shown = format!(
        "Means of {} samples. Optimal transport runs over {} pairs thickened by 0.15, assigned in batches of {}: its law is not quite the one of the others.",
        EFFORT.1, PAIRS.0, PAIRS.1
    );
    let title = "A density of full dimension: every model class";
    let figure = Figure::new("no-manifold-by-class", title, panels.to_vec());
    chapter.figures.push(figure.says(caption, not_shown).within(5e-3));
    Ok(())
}

/// A size at which shifts are those of first order, to a few per cent.
const FIRST_ORDER: f64 = 0.01;

/// Samples without error, a set for each random error.
fn exact_ends(model: &Model<Pairs>, law: &Law, stream: Stream) -> Result<Vec<Exact>> {
    let none = LearningError::constant(&[0.0; 2]);
    let flaw = Flaw { error: &none, parametrisation: Parametrisation::Velocity };
    let one = |n: u64| {
        let starts = model.starts(law, EFFORT.1, stream.named("samples").indexed(n))?;
        let ends = model.ends(&starts, flaw, 0.0, stream)?;
        Ok(Exact { starts, ends })
    };
    (0..EFFORT.0).into_par_iter().map(one).collect()
}

/// Mean shifts along the score of the final law at the exact sample, and across it, with intervals over the random errors.
fn across_levels(
    model: &Model<Pairs>,
    exact: &[Exact],
    parametrisation: Parametrisation,
    sizes: &[f64],
    error_of_draw: &(dyn Fn(u64) -> LearningError + Sync),
    stream: Stream,
) -> Result<Vec<(Quantity, Quantity)>> {
    let score_law = NoisyLaw { denoiser: model.denoiser, channel: Channel::canonical(SIGMA_END) };
    let one = |(n, exact): (usize, &Exact)| -> Result<Vec<(f64, f64)>> {
        let error = error_of_draw(n as u64);
        let flaw = Flaw { error: &error, parametrisation };
        let mut means = Vec::new();
        for size in sizes {
            let moved = model.ends(&exact.starts, flaw, *size, stream)?;
            let (mut along, mut across) = (0.0, 0.0);
            for (from, to) in exact.ends.chunks_exact(2).zip(moved.chunks_exact(2)) {
                let score = score_law.score(from);
                let score = &score / score.norm();
                let (u, v) = (to[0] - from[0], to[1] - from[1]);
                along += (u * score[0] + v * score[1]).abs() / EFFORT.1 as f64;
                across += (v * score[0] - u * score[1]).abs() / EFFORT.1 as f64;
            }
            means.push((along, across));
        }
        Ok(means)
    };
    let each: Vec<Vec<(f64, f64)>> =
        exact.par_iter().enumerate().map(one).collect::<Result<_>>()?;
    let mean = |k: usize, of: fn(&(f64, f64)) -> f64| {
        let draws: Vec<f64> = each.iter().map(|means| of(&means[k])).collect();
        Quantity::sampled_mean(&draws, REPORTED)
    };
    Ok((0..sizes.len()).map(|k| (mean(k, |m| m.0), mean(k, |m| m.1))).collect())
}
