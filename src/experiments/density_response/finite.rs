//! What the derivative in ε says of errors that are not small.

use super::moons::{END, LEAST_DENSITY, Moons, STEPS, Seen};
use super::{picture, root_mean_square};
use crate::drift::{Inexact, LearningError};
use crate::error::Result;
use crate::experiments::relation::{self, met};
use crate::facts::Quantity;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::InexactFlow;
use crate::observe::limits::power;
use crate::record::{Chapter, Relation};
use crate::response::{along_maps, log_density_slope};

/// The size that is drawn in the plane.
const LARGE: f64 = 0.1;

/// Sizes at which the remainder is measured, decreasing.
const SIZES: [f64; 7] = [0.16, 0.08, 0.04, 0.02, 0.01, 0.005, 0.0025];

/// log ρ^ε at fixed points, by the flow of v + εw run back to the noise.
fn log_densities(moons: &Moons, points: &[f64], epsilon: f64) -> Vec<f64> {
    let (path, none) = (moons.path(), LearningError::constant(&[0.0, 0.0]));
    let drift = Inexact { exact: &path, error: &moons.error, epsilon };
    let at = moons.carried(points, STEPS, &drift, &none);
    at.into_iter().map(|(at, _)| at.log_density).collect()
}

/// The points that are followed over ε: on the ridge of a moon, at its outer and inner edge, between the moons.
const PLACES: [(&str, [f64; 2]); 4] = [
    ("on the ridge", [0.0, 1.0]),
    ("outer edge", [-0.9, 0.9]),
    ("inner edge", [0.0, 0.75]),
    ("between the moons", [0.5, 0.25]),
];

/// The figure.
pub fn add(chapter: &mut Chapter, moons: &Moons) -> Result<()> {
    let grid = moons.grid();
    let seen = Seen::new(&grid, LEAST_DENSITY, |y| moons.density(y));
    let exact = moons.carried(&seen.points, STEPS, &moons.path(), &moons.error);
    let change = |epsilon: f64| -> Vec<f64> {
        let logs = log_densities(moons, &seen.points, epsilon);
        logs.iter().zip(&exact).map(|(log, (at, _))| (log - at.log_density).exp_m1()).collect()
    };
    let size = root_mean_square(
        exact.iter().zip(&seen.density).map(|((at, _), weight)| (at.response, *weight)),
    );

    // Remainders in L²(ρ).
    let (mut one_sided, mut central) = (Vec::new(), Vec::new());
    for epsilon in SIZES {
        let (plus, minus) = (change(epsilon), change(-epsilon));
        let rest = |of: &dyn Fn(usize) -> f64| {
            let terms = exact.iter().zip(&seen.density).enumerate();
            root_mean_square(
                terms.map(|(i, ((at, _), weight))| (of(i) - epsilon * at.response, *weight)),
            )
        };
        one_sided.push(rest(&|i| plus[i]));
        central.push(rest(&|i| 0.5 * (plus[i] - minus[i])));
    }
    let (second, third) = (power(&SIZES, &one_sided), power(&SIZES, &central));
    let first: Vec<f64> = SIZES.iter().map(|e| e * size).collect();
    let remainders = Panel::new(
        "what the first order leaves out",
        Axis::log("size ε of the error"),
        Axis::log("size in L²(ρ)"),
    )
    .with("ε‖g‖", Ink::Predicted, Mark::dashed(SIZES.to_vec(), first))
    .with("ρ^ε/ρ − 1 − εg", Ink::Measured, Mark::points(SIZES.to_vec(), one_sided.clone()))
    .with("the same, odd part", Ink::Error, Mark::points(SIZES.to_vec(), central.clone()));

    // Fixed points over ε, with the nested-dual derivative through the whole model.
    let mut along = Panel::new(
        "at fixed points; line: nested dual",
        Axis::new("size ε of the error"),
        Axis::new("log ρ^ε(y) − log ρ(y)"),
    );
    let points: Vec<f64> = PLACES.iter().flat_map(|(_, y)| *y).collect();
    let at = moons.carried(&points, STEPS, &moons.path(), &moons.error);
    let epsilons: Vec<f64> = (-8..=8).map(|i| 0.02 * f64::from(i)).collect();
    let curves: Vec<Vec<f64>> =
        epsilons.iter().map(|e| log_densities(moons, &points, *e)).collect();
    let (sampler, path, noise) = (moons.forward(STEPS), moons.path(), moons.law_at(0.0));
    let maps = InexactFlow { sampler: &sampler, drift: &path, error: &moons.error };
    let mut apart = 0.0_f64;
    for (i, (name, _)) in PLACES.iter().enumerate() {
        let response = along_maps(&maps, &noise, &at[i].1)?;
        let slope = log_density_slope(&maps, &noise, &response)?;
        apart = apart.max((slope - at[i].0.response).abs());
        let ink = Ink::Series(i as u8 + 1);
        let change: Vec<f64> = curves.iter().map(|logs| logs[i] - at[i].0.log_density).collect();
        let line: Vec<f64> = epsilons.iter().map(|e| e * slope).collect();
        along = along.with("", ink, Mark::dashed(epsilons.clone(), line)).with(
            name,
            ink,
            Mark::points(epsilons.clone(), change),
        );
    }

    let finite = change(LARGE);
    let linear: Vec<f64> =
        exact.iter().zip(&seen.density).map(|((at, _), rho)| LARGE * at.response * rho).collect();
    let true_change: Vec<f64> = finite.iter().zip(&seen.density).map(|(c, rho)| c * rho).collect();
    let missed = {
        let off: f64 = linear.iter().zip(&true_change).map(|(l, t)| (l - t).abs()).sum();
        off / true_change.iter().map(|t| t.abs()).sum::<f64>()
    };
    let most = true_change.iter().chain(&linear).map(|t| t.abs()).fold(0.0, f64::max);
    let with_curve = |panel: Panel| panel.with("moons", Ink::Data, moons.curve());
    let panels = vec![
        with_curve(picture(
            &format!("ρ^ε − ρ at ε = {LARGE}"),
            &grid,
            seen.fill(true_change),
            true,
        )),
        with_curve(picture(&format!("ε ρ g at ε = {LARGE}"), &grid, seen.fill(linear), true)),
        remainders,
        along,
    ];
    let half = {
        let share = one_sided.iter().zip(SIZES).map(|(rest, e)| (rest / (e * size), e));
        // It grows as ε: carried on from the largest that is small enough.
        share
            .filter(|(share, _)| *share <= 0.1)
            .map(|(share, e)| e * 0.1 / share)
            .fold(0.0, f64::max)
    };
    let caption = format!(
        "The density of the inexact model itself, by running its own flow back to the noise, against the first order. What the \
         first order leaves out falls as ε to the power {:.2} ± {:.2}, its odd part {:.2} ± {:.2} (a derivative leaves \
         2 and 3). It describes the change to 10 % up to ε of about {half:.2} ($g$ has a root mean square of {size:.1}); at ε = {LARGE} it misses {:.0} % of $\\int |\\rho^\\varepsilon - \\rho|$. In the pictures orange is more and blue is less, to ±{most:.3}. Dashed \
         lines in the last panel have the slope of the nested-dual derivative of $\\log \\rho^\\varepsilon(y)$ through all {STEPS} \
         steps, which differs from the carried one by {apart:.1e} at most. Deterministic: the bars of the powers are those of \
         the fit.",
        second.value,
        second.bar,
        third.value,
        third.bar,
        100.0 * missed,
    );
    let not_shown = format!(
        "Densities at t = {END}, where some noise is left; nothing here says that a trained model's error is small in the \
         sense of the derivative."
    );
    let figure = Figure::new("finite-errors", "Finite errors against the first order", panels)
        .says(caption, not_shown)
        .in_columns(2)
        .within(1e-3);
    chapter.figures.push(figure);
    chapter.find(
        is_derivative(second, third),
        "finite-errors",
        "T1.3: g is the derivative of log ρ^ε in ε",
        format!(
            "what the first order leaves out falls as ε to the power {:.2} ± {:.2}, its odd part {:.2} ± {:.2} (a derivative: 2 and 3)",
            second.value, second.bar, third.value, third.bar
        ),
    );
    chapter.find(
        claim_of_small_errors(is_derivative(second, third), half),
        "finite-errors",
        "Paper: infinitesimal errors change the density only on the data manifold",
        format!(
            "infinitesimal is small here: the first order describes the change of two moons of thickness {} to 10 % up to errors of about {half:.2} \
             (root mean square, in radii per unit of time), of sizes up to {} that were run",
            super::moons::THICKNESS,
            SIZES[0],
        ),
    );
    Ok(())
}

/// Whether what the first order leaves out is of order 2, and its odd part of order 3.
pub fn is_derivative(second: Quantity, third: Quantity) -> Relation {
    // Seven sizes within two decades: their fit knows powers to about a tenth.
    relation::all([met(second, 2.0, 0.1), met(third, 3.0, 0.1)])
}

/// What a first order that is good up to `half` says of a statement on infinitesimal errors; nothing where it is no derivative.
pub fn claim_of_small_errors(is_derivative: Relation, half: f64) -> Relation {
    match is_derivative {
        Relation::Agrees if half >= SIZES[0] => Relation::Agrees,
        Relation::Agrees => Relation::Sharpens,
        _ => Relation::Open,
    }
}
