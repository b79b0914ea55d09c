//! A circle under tangent and normal errors: the change of the density on it, and the dipole layer off it.

use super::moons::{Grid, Seen};
use super::{picture, root_mean_square, side_by_side};
use crate::drift::{
    Channel, Denoise, GaussianPath, InVelocity, LearningError, Parametrisation, PartOf, Schedule,
    Sphere,
};
use crate::error::Result;
use crate::experiments::words::short;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::{Method, Sampler, StepWorkspace, uniform_times};
use crate::manifold::{Chart, Manifold, Part, Sphere as Round};
use crate::record::{Chapter, Relation};
use crate::response::{CarriedPoints, NoisyLaw};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Noise level at which the error sets in: the law there is exact.
pub const START: f64 = 1.0;

/// Noise level of the pictures.
const DRAWN: f64 = 0.15;

/// Noise levels of the sections.
const LEVELS: [f64; 4] = [0.2, 0.1, 0.05, 0.025];

/// Noise level that stands for a singular law.
pub const SINGULAR: f64 = 0.003;

/// The unit circle with a constant error of the denoiser, all of it or one part.
pub struct Circle {
    /// The circle.
    pub manifold: Manifold,
    law: Sphere,
    error: LearningError,
}

/// Which part of the error acts.
pub const PARTS: [(&str, Part, Ink); 2] =
    [("tangent part", Part::Tangent, Ink::Tangent), ("normal part", Part::Normal, Ink::Normal)];

/// Noise levels between which it runs.
pub const SCHEDULE: Schedule = Schedule::Ve { sigma_min: SINGULAR, sigma_max: START };

impl Circle {
    /// With the unit error (0, 1).
    ///
    /// *Errors*: never.
    pub fn new() -> Result<Self> {
        Ok(Self {
            manifold: Manifold::new(Chart::Sphere(Round { dim: 1, radius: 1.0 }))?,
            law: Sphere::new(2, 1.0)?,
            error: LearningError::constant(&[0.0, 1.0]),
        })
    }

    /// The exact velocity.
    pub fn path(&self) -> GaussianPath<'_, Sphere> {
        GaussianPath { schedule: SCHEDULE, denoiser: &self.law }
    }

    /// The law at that noise level.
    pub fn law_at(&self, sigma: f64) -> NoisyLaw<'_, Sphere> {
        NoisyLaw { denoiser: &self.law, channel: Channel::canonical(sigma) }
    }

    /// One part of the error.
    pub fn part(&self, part: Part) -> PartOf<'_, LearningError> {
        PartOf { error: &self.error, part, manifold: &self.manifold }
    }

    /// ρ at that noise level.
    pub fn density(&self, sigma: f64, y: &[f64]) -> f64 {
        self.law.log_density(Channel::canonical(sigma), y).exp()
    }

    /// Equal steps of log σ from the start to that level, or back.
    pub fn sampler(&self, sigma: f64, forward: bool) -> Sampler {
        let end = SCHEDULE.time_at_sigma(sigma);
        let steps = (12.0 * (START / sigma).ln()).ceil() as usize;
        let (from, to) = if forward { (0.0, end) } else { (end, 0.0) };
        Sampler::new(Method::Rk4, uniform_times(from, to, steps))
    }

    /// g at points of noise level σ.
    pub fn responses(&self, sigma: f64, part: Part, points: &[f64]) -> Vec<f64> {
        let (sampler, path, noise) = (self.sampler(sigma, false), self.path(), self.law_at(START));
        let kept = self.part(part);
        let error = InVelocity {
            error: &kept,
            parametrisation: Parametrisation::Denoiser,
            schedule: SCHEDULE,
        };
        side_by_side(2, points, |points| {
            let mut carried = CarriedPoints::new(2, points);
            carried.run(&sampler, &path, &error, &mut StepWorkspace::default());
            (0..carried.count()).map(|i| carried.at_start(i, &noise).response).collect()
        })
    }

    /// ‖g‖ in L²(ρ) at noise level σ, by polar quadrature; with the rule of half as many nodes.
    pub fn size(&self, sigma: f64, part: Part) -> [f64; 2] {
        [1, 2].map(|coarser| {
            let (angles, radii) = (16 / coarser, 24 / coarser);
            let reach = (4.5_f64).min(0.95 / sigma);
            let (mut points, mut weights) = (Vec::new(), Vec::new());
            for i in 0..angles {
                // By symmetry the right half is enough.
                let angle = PI * ((i as f64 + 0.5) / angles as f64 - 0.5);
                for j in 0..radii {
                    let u = reach * (2.0 * (j as f64 + 0.5) / radii as f64 - 1.0);
                    let radius = 1.0 + sigma * u;
                    let y = [radius * angle.cos(), radius * angle.sin()];
                    weights.push(radius * self.density(sigma, &y));
                    points.extend(y);
                }
            }
            let g = self.responses(sigma, part, &points);
            root_mean_square(g.into_iter().zip(weights))
        })
    }
}

fn ring() -> Mark {
    let (x, y) = (0..=80).map(|i| (TAU * f64::from(i) / 80.0).sin_cos()).unzip();
    Mark::line(x, y)
}

/// The figure: μ in the plane, and on a section across the circle.
pub fn add(chapter: &mut Chapter, circle: &Circle) -> Result<()> {
    let grid = Grid { extent: [-1.7, 1.7, -1.7, 1.7], columns: 46, rows: 46 };
    let seen = Seen::new(&grid, 1e-4, |y| circle.density(DRAWN, y));
    let mut panels = Vec::new();
    let mut sections = Vec::new();
    let mut layers = Vec::new();
    for (name, part, _) in PARTS {
        let g = circle.responses(DRAWN, part, &seen.points);
        let values = g.iter().zip(&seen.density).map(|(g, rho)| g * rho);
        let title = format!("μ = ρg, {name} of the error");
        panels.push(picture(&title, &grid, seen.fill(values), true).with(
            "circle",
            Ink::Data,
            ring(),
        ));

        // Across the circle at the top, where the error points along the normal.
        let power = if part == Part::Normal { 2 } else { 1 };
        let mut section = Panel::new(
            format!("across the circle, {name}"),
            Axis::new("(|x| − 1)/σ"),
            Axis::new(if power == 2 { "μ σ²" } else { "μ σ" }),
        );
        let mut layer = Vec::new();
        for (i, sigma) in LEVELS.into_iter().enumerate() {
            let reach = (4.0_f64).min(0.95 / sigma);
            let u: Vec<f64> = (0..=60).map(|i| reach * (f64::from(i) / 30.0 - 1.0)).collect();
            // The tangent part is largest at the side, but changes the density most at the top.
            let (cos, sin) = (FRAC_PI_2.cos(), FRAC_PI_2.sin());
            let points: Vec<f64> =
                u.iter().flat_map(|u| [(1.0 + sigma * u) * cos, (1.0 + sigma * u) * sin]).collect();
            let g = circle.responses(sigma, part, &points);
            let mu: Vec<f64> = g
                .iter()
                .zip(points.chunks_exact(2))
                .map(|(g, y)| g * circle.density(sigma, y) * sigma.powi(power))
                .collect();
            layer.push(Layer::of(sigma, power, &u, &mu));
            let ink = Ink::Ramp((1000 * i / (LEVELS.len() - 1)) as u16);
            section = section.with(&format!("σ = {sigma}"), ink, Mark::line(u, mu));
        }
        if part == Part::Normal {
            let u: Vec<f64> = (0..=60).map(|i| 4.0 * (f64::from(i) / 30.0 - 1.0)).collect();
            // δ_N → 1 at the top: −∂ of the profile e^{−u²/2}/√(2π) of the law on a circle of length 2π.
            let dipole = u.iter().map(|u| u * (-0.5 * u * u).exp() / TAU.powf(1.5)).collect();
            section = section.with("dipole, σ → 0", Ink::Predicted, Mark::dashed(u, dipole));
        }
        sections.push(section);
        layers.push(layer);
    }
    panels.extend(sections);
    let last = LEVELS.len() - 1;
    let [tangent, normal] = [&layers[0], &layers[1]];
    let height = |layer: &[Layer]| {
        let [before, end] = [&layer[last - 1], &layer[last]];
        (end.height / before.height).ln() / (LEVELS[last] / LEVELS[last - 1]).ln()
    };
    let widths =
        |layer: &[Layer]| format!("{} to {}", short(layer[0].width), short(layer[last].width));
    let caption = format!(
        "The first-order change of the density μ of a unit circle seen at noise level σ (pictures: σ = {DRAWN}), under the error (0, 1) of \
         the denoiser, switched on at σ = {START}. Under the tangent part the net of the section at σ = {} is {:.3} of its size (1 for one \
         sign, 0 for a dipole), under the normal part {:.3}; the largest |μ| on it goes as σ to the power {:.2} and {:.2} at the last two levels (a layer \
         of one sign: −1, a dipole layer: −2). From σ = {} to {} the mean distance of |μ| from the circle goes from {} and from \
         {}. The numbers are deterministic, so there are no bars.",
        LEVELS[last],
        tangent[last].net,
        normal[last].net,
        height(tangent),
        height(normal),
        LEVELS[0],
        LEVELS[last],
        widths(tangent),
        widths(normal),
    );
    let not_shown = "A constant error and a law that is uniform along the circle. Denoiser errors add up along directions that are not \
                     contracted, which puts a factor log(1/σ) on the height of the tangent part.";
    let figure = Figure::new(
        "on-and-off-the-circle",
        "The change on the manifold, and the dipole off it",
        panels,
    )
    .says(caption, not_shown)
    .in_columns(2)
    .within(1e-4);
    chapter.figures.push(figure);
    chapter.find(
        claim_of_the_manifold(tangent, normal),
        "on-and-off-the-circle",
        "Paper: infinitesimal errors change the density only on the data manifold",
        format!(
            "from σ = {} to {} the mean distance of the change from the circle goes from {} (tangent error) and from {} (normal error); \
             the net of the change across it is {:.2} and {:.2} of its size",
            LEVELS[0],
            LEVELS[last],
            widths(tangent),
            widths(normal),
            tangent[last].net,
            normal[last].net,
        ),
    );
    chapter.find(
        is_dipole(&tangent[last], &normal[last]),
        "on-and-off-the-circle",
        "T1.5 (d): tangent errors change a singular law by a layer of one sign, normal errors by a dipole layer",
        format!(
            "net over size across the circle at σ = {}: {:.3} under the tangent part, {:.3} under the normal part",
            LEVELS[last], tangent[last].net, normal[last].net,
        ),
    );
    Ok(())
}

/// The change of the density on a section across the circle.
#[derive(Clone, Debug)]
pub struct Layer {
    /// |∫μ|/∫|μ|: 0 for a dipole, 1 for one sign.
    pub net: f64,
    /// The mean distance of |μ| from the circle.
    pub width: f64,
    /// The largest |μ|.
    pub height: f64,
}

impl Layer {
    /// From μσ^power at equal steps of u, the distance in units of σ.
    fn of(sigma: f64, power: i32, u: &[f64], mu: &[f64]) -> Self {
        let whole: f64 = mu.iter().map(|m| m.abs()).sum();
        let far: f64 = mu.iter().zip(u).map(|(m, u)| (m * u).abs()).sum();
        Self {
            net: (mu.iter().sum::<f64>() / whole).abs(),
            width: sigma * far / whole,
            height: mu.iter().map(|m| m.abs()).fold(0.0, f64::max) / sigma.powi(power),
        }
    }
}

/// Whether the change shrinks to the circle with the noise, level by level; to be sharpened where one error makes a dipole of it and
/// the other does not.
pub fn claim_of_the_manifold(tangent: &[Layer], normal: &[Layer]) -> Relation {
    // Half of the noise leaves half of the distance, up to a tenth.
    let shrinks =
        |layer: &[Layer]| layer.windows(2).all(|pair| pair[1].width < 0.6 * pair[0].width);
    match (tangent.last(), normal.last()) {
        (Some(t), Some(n)) if shrinks(tangent) && shrinks(normal) => match is_dipole(t, n) {
            Relation::Agrees => Relation::Sharpens,
            _ => Relation::Agrees,
        },
        (Some(_), Some(_)) => Relation::Contradicts,
        _ => Relation::Open,
    }
}

/// Whether the change is of one sign under the tangent error and cancels under the normal one, up to a tenth.
pub fn is_dipole(tangent: &Layer, normal: &Layer) -> Relation {
    match (tangent.net, normal.net) {
        (t, n) if !(t + n).is_finite() => Relation::Open,
        (t, n) if t > 0.9 && n < 0.1 => Relation::Agrees,
        _ => Relation::Contradicts,
    }
}
