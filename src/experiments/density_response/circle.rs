//! A circle under tangent and normal errors: the change of the density on it, and the dipole layer off it.

use super::moons::{Grid, Seen};
use super::{picture, root_mean_square, side_by_side};
use crate::drift::{
    Channel, Denoise, GaussianPath, InVelocity, LearningError, Parametrisation, PartOf, Schedule,
    Sphere,
};
use crate::error::Result;
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
    let mut shares = Vec::new();
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
        let mut halves = Vec::new();
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
            // The net of a section, against its size: 0 for a dipole, 1 for one sign.
            let (net, whole) = (mu.iter().sum::<f64>(), mu.iter().map(|m| m.abs()).sum::<f64>());
            halves.push((net / whole).abs());
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
        shares.push(halves);
    }
    panels.extend(sections);
    let last = LEVELS.len() - 1;
    let caption = format!(
        "The first-order change of the density μ of a unit circle seen at noise level σ (pictures: σ = {DRAWN}), under the error (0, 1) of \
         the denoiser, switched on at σ = {START}. The tangent part moves mass along the circle: across it μ has one sign and the \
         profile of the density itself, of height 1/σ. The normal part makes a dipole layer of height 1/σ²: at σ = {} the net \
         of the section is {:.3} of its size, {:.3} for the tangent part. The support of μ shrinks to the circle in both cases. The \
         numbers are deterministic, so there are no bars.",
        LEVELS[last], shares[1][last], shares[0][last],
    );
    let not_shown = "A constant error and a law that is uniform along the circle. The height of the tangent part grows with \
                     log(1/σ) besides, since denoiser errors add up along directions that are not contracted.";
    let figure = Figure::new(
        "on-and-off-the-circle",
        "The change on the manifold, and the dipole off it",
        panels,
    )
    .says(caption, not_shown)
    .in_columns(2)
    .within(1e-4);
    chapter.figures.push(figure);
    let dipole = shares[1][last] < 0.1 && shares[0][last] > 0.9;
    chapter.find(
        if dipole { Relation::Sharpens } else { Relation::Contradicts },
        "on-and-off-the-circle",
        "Paper: infinitesimal errors change the density only on the data manifold",
        format!(
            "the support of the change shrinks to the circle for tangent and normal errors alike; what differs is its order: a \
             layer of one sign (net share {:.2}) against a dipole layer (net share {:.2}) at σ = {}",
            shares[0][last], shares[1][last], LEVELS[last]
        ),
    );
    Ok(())
}
