//! A nearly singular law on the circle: distances, the dipole, and the size of g.

use super::circle::{Circle, PARTS, SCHEDULE, SINGULAR, START};
use crate::drift::{Drift, InVelocity, Parametrisation};
use crate::error::Result;
use crate::experiments::relation::{self, met};
use crate::experiments::words::{measured, short, with_bar};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::{InexactFlow, Orbit};
use crate::linalg::dot;
use crate::manifold::{Law, Part};
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use crate::response::sensitivities;
use rayon::prelude::*;

/// Orbits of the singular law.
const ORBITS: usize = 600;

/// The wave number at which a vanishing test function is told of: a wave still longer than the noise that is left.
const WAVE: f64 = 100.0;

impl Circle {
    /// For each orbit from the exact law at the start: the end without error, δ there, and ends at each ε.
    fn orbits(&self, error: &impl Drift, epsilons: &[f64], starts: &[f64]) -> Result<Vec<Run>> {
        let (sampler, path) = (self.sampler(SINGULAR, true), self.path());
        let error =
            InVelocity { error, parametrisation: Parametrisation::Denoiser, schedule: SCHEDULE };
        let maps = InexactFlow { sampler: &sampler, drift: &path, error: &error };
        let run = |start: &[f64]| {
            let (end, delta) = sensitivities(&maps, start)?.pop().expect("an orbit has a start");
            let mut distances = Vec::new();
            for epsilon in epsilons {
                let orbit = Orbit::from(&maps, *epsilon, start)?;
                distances.push((orbit.end().norm() - 1.0).abs());
            }
            Ok(Run { end: [end[0], end[1]], delta: [delta[0], delta[1]], distances })
        };
        starts.par_chunks(2).map(run).collect()
    }
}

/// One orbit to the singular law.
struct Run {
    end: [f64; 2],
    delta: [f64; 2],
    distances: Vec<f64>,
}

impl Run {
    /// The normal part of δ.
    fn outward(&self) -> f64 {
        dot(&self.delta, &self.end) / dot(&self.end, &self.end).sqrt()
    }
}

/// The figure.
pub fn add(chapter: &mut Chapter, circle: &Circle, stream: Stream) -> Result<()> {
    let points = Law::uniform(circle.manifold.clone()).sample(ORBITS, stream.named("points"))?;
    let noise = stream.named("noise").normals(2 * ORBITS);
    let starts: Vec<f64> = points.iter().zip(&noise).map(|(p, z)| p + START * z).collect();
    let epsilons: Vec<f64> = (0..8).map(|i| 0.002 * 2.0_f64.powi(i)).collect();

    let waves: Vec<f64> = (0..25).map(|i| 10.0_f64.powf(f64::from(i) / 8.0)).collect();
    let mut distance = Panel::new(
        "distance from the circle",
        Axis::log("size ε of the error"),
        Axis::log("E dist(X^ε, M)"),
    );
    let mut dipole = Panel::new(
        "response of vanishing test functions",
        Axis::log("wave number k (1/length)"),
        Axis::new("μ(f_k)"),
    )
    .with(
        "largest |f_k|",
        Ink::Guide,
        Mark::dashed(waves.clone(), waves.iter().map(|k| 1.0 / k).collect()),
    );
    let mut size = Panel::new(
        "size of the relative response",
        Axis::log("noise level σ"),
        Axis::log("‖g‖ in L²(ρ)"),
    );
    let levels: Vec<f64> = (0..6).map(|i| 0.2 * 0.5_f64.powi(i)).collect();
    // At the end |δ_N| is (1 − σ/START) of the error's normal part, up to the pull towards the centre at first.
    let predicted: Vec<f64> =
        levels.iter().map(|s| std::f64::consts::FRAC_1_SQRT_2 * (1.0 - s / START) / s).collect();
    let (mut rates, mut least) = (Vec::new(), Quantity::UNKNOWN);
    let mut dipoles = Vec::new();
    let mut orders = Vec::new();
    for (name, part, ink) in PARTS {
        let error = circle.part(part);
        let runs = circle.orbits(&error, &epsilons, &starts)?;
        let means: Vec<Quantity> = (0..epsilons.len())
            .map(|i| {
                let draws: Vec<f64> = runs.iter().map(|run| run.distances[i]).collect();
                Quantity::sampled_mean(&draws, REPORTED)
            })
            .collect();
        let normal: Vec<f64> = runs.iter().map(|run| run.outward().abs()).collect();
        let rate = Quantity::sampled_mean(&normal, REPORTED);
        if part == Part::Normal {
            let line = epsilons.iter().map(|e| e * rate.value).collect();
            distance = distance.with(
                "predicted from δ_N",
                Ink::Predicted,
                Mark::dashed(epsilons.clone(), line),
            );
        }
        distance = distance.with(name, ink, measured(epsilons.clone(), &means));
        if part == Part::Tangent {
            least = means[0];
        }
        rates.push((rate, means[epsilons.len() - 1]));

        // f_k = h sin(kφ)/k with φ = |x| − 1 and h = x₂/|x|: ∇f_k = h cos(kφ) n + O(φ).
        let moved: Vec<Quantity> = waves
            .iter()
            .map(|k| {
                let term = |run: &Run| {
                    let radius = dot(&run.end, &run.end).sqrt();
                    let height = run.end[1] / radius;
                    let (sin, cos) = (k * (radius - 1.0)).sin_cos();
                    // The tangent part of ∇f_k: ∂h sin(kφ)/k.
                    let along = [-run.end[1], run.end[0]].map(|t| t / radius);
                    let slope = run.end[0] / (radius * radius);
                    height * cos * run.outward() + slope * sin / k * dot(&run.delta, &along)
                };
                let draws: Vec<f64> = runs.iter().map(term).collect();
                Quantity::sampled_mean(&draws, REPORTED)
            })
            .collect();
        let told = (0..waves.len())
            .min_by(|a, b| (waves[*a] - WAVE).abs().total_cmp(&(waves[*b] - WAVE).abs()));
        let told = moved[told.unwrap_or(0)];
        dipoles.push((told, moved[0]));
        let (low, high) = moved.iter().map(|q| (q.value - q.bar, q.value + q.bar)).unzip();
        let middle = moved.iter().map(|q| q.value).collect();
        dipole = dipole.with("", ink, Mark::Band { x: waves.clone(), low, high }).with(
            name,
            ink,
            Mark::line(waves.clone(), middle),
        );

        let sizes: Vec<[f64; 2]> = levels.iter().map(|sigma| circle.size(*sigma, part)).collect();
        let bars = sizes.iter().map(|[fine, rough]| (fine - rough).abs()).collect();
        let values: Vec<f64> = sizes.iter().map(|s| s[0]).collect();
        let last = values.len() - 1;
        orders
            .push((values[last] / values[last - 2]).ln() / (levels[last] / levels[last - 2]).ln());
        size = size.with(name, ink, Mark::points_with_bars(levels.clone(), values, bars));
    }
    size = size.with("predicted from δ_N", Ink::Predicted, Mark::dashed(levels.clone(), predicted));
    // A hand on the other side of the scale: all of the error, at the largest ε.
    let large = epsilons[epsilons.len() - 1];
    let ratio = rates[1].1.value / (large * rates[1].0.value);
    let caption = format!(
        "The circle at σ = {SINGULAR}, close to a singular law; {ORBITS} orbits, 95 % bars. Left: a normal error moves samples \
         off the circle by $\\varepsilon\\, E|\\delta_N|$ (E|δ_N| = {:.3} ± {:.3}; at ε = {large:.2} the measured distance is {ratio:.2} times that), under a \
         tangent error the distance is {:.4} ± {:.4} at the same ε and {:.4} at the least ε, the noise that is left. Middle: $f_k = h \\sin(k\\varphi)/k$, φ the signed \
         distance and $h = x_2/|x|$, is at most 1/k (grey): its response to the normal error is {} at k = 1 and {} at k = {}, that to the tangent one {} and {}; what \
         stays where the function vanishes is a dipole layer, no measure. Right: dashed $(E\\,\\delta_N^2)^{{1/2}}/\\sigma$; ‖g‖ goes as σ to the power {:.2} under the normal \
         error and {:.2} under the tangent one (T1.6 (a): bounded only if |δ_N| = O(σ)).",
        rates[1].0.value,
        rates[1].0.bar,
        rates[0].1.value,
        rates[0].1.bar,
        least.value,
        with_bar(dipoles[1].1),
        with_bar(dipoles[1].0),
        short(WAVE),
        with_bar(dipoles[0].1),
        with_bar(dipoles[0].0),
        orders[1],
        orders[0],
    );
    let not_shown = "Both errors have the same pointwise size in the denoiser: in another parametrisation the same words mean \
                     another error.";
    let figure = Figure::new(
        "singular-law",
        "Tangent and normal errors of a nearly singular law",
        vec![distance, dipole, size],
    )
    .says(caption, not_shown)
    .within(1e-3);
    chapter.figures.push(figure);
    let still =
        Quantity::new(rates[0].1.value - least.value, rates[0].1.bar + least.bar, rates[0].1.grade);
    chapter.find(
        moves_off(rates[1].1, rates[1].0, still, large),
        "singular-law",
        "T1.5 (d): d/dε E dist(X^ε, M) = E|δ_N|",
        format!(
            "measured distance over ε E|δ_N| = {ratio:.3} at ε = {large:.2} under the normal part; under the tangent part it grows by {} from the least ε to \
             that one",
            with_bar(still),
        ),
    );
    // Both over the response to the normal part at k = 1.
    let first = dipoles[1].1;
    let [tangent, normal] = [dipoles[0].0 / first, dipoles[1].0 / first];
    chapter.find(
        is_dipole(tangent, normal),
        "singular-law",
        "T1.5 (d): μ is a measure only if δ_N = 0",
        format!(
            "for f_k with |f_k| ≤ 1/k the response to the normal part at k = {} is {} of that at k = 1 (a measure: at most {}), to the tangent part {}",
            short(WAVE),
            with_bar(normal),
            short(1.0 / WAVE),
            with_bar(tangent),
        ),
    );
    Ok(())
}

/// Whether the mean distance under the normal part is ε E|δ_N|, and that under the tangent part does not grow as fast.
pub fn moves_off(distance: Quantity, rate: Quantity, tangent: Quantity, epsilon: f64) -> Relation {
    let predicted = epsilon * rate.value;
    // ε is not infinitesimal: the second order is left out.
    let left_out = epsilon * rate.bar + epsilon * predicted;
    relation::all([met(distance, predicted, left_out), met(tangent, 0.0, epsilon * predicted)])
}

/// Whether the response to a vanishing test function, over that to the first one, stays under the normal part and vanishes under
/// the tangent one.
pub fn is_dipole(tangent: Quantity, normal: Quantity) -> Relation {
    let measure = Quantity::exact(2.0 / WAVE);
    match (relation::below(measure, normal.abs()), relation::below(normal.abs(), measure)) {
        (true, _) => met(tangent, 0.0, measure.value),
        (_, true) => Relation::Contradicts,
        _ => Relation::Open,
    }
}
