//! The page of a trained model.

mod pictures;
mod robustness;
mod verdicts;

pub use verdicts::{checks_in_words, convention_in_words};

use crate::experiments::words::{number, short, with_bar};
use crate::facts::{Facts, Quantity};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::observe::model::conventions::Comparison;
use crate::observe::model::spectrum::Run;
use crate::points::PointSet;
use crate::record::{Chapter, Relation, TrajectoryRecord};
use nalgebra::DMatrix;

/// What was found of a model.
pub struct Found<'a> {
    /// Name of the page's folder.
    pub name: &'a str,
    /// The command that made it.
    pub command: String,
    /// File, inputs, convention, steps.
    pub about: String,
    /// The seed.
    pub seed: u64,
    /// What was measured.
    pub facts: &'a Facts,
    /// `D×n`.
    pub samples: &'a DMatrix<f64>,
    /// The data, where they are given.
    pub data: Option<&'a PointSet>,
    /// Trajectories with their spectra.
    pub runs: &'a [Run],
    /// Angle to the tangent plane of each, in radians.
    pub angles: &'a [f64],
    /// What tangent planes are taken from.
    pub tangent: &'a str,
    /// Rows and columns of a state that is an image.
    pub shape: Option<(usize, usize)>,
    /// The declared convention and its rivals.
    pub comparison: Option<&'a Comparison>,
    /// Claims judged on trajectories.
    pub judged: &'a [TrajectoryRecord],
}

/// The page as a chapter: figures, tables and findings, all from the numbers.
pub fn chapter(found: &Found<'_>) -> Chapter {
    let title = format!("The trained model {}", found.name);
    let mut chapter = Chapter::new(found.name, &title, found.about.clone(), found.seed);
    chapter.command.clone_from(&found.command);
    chapter.figures.push(pictures::samples(found));
    spectrum(found, &mut chapter);
    alignment(found, &mut chapter);
    symmetry(found, &mut chapter);
    robustness::response(found, &mut chapter);
    robustness::denoiser(found, &mut chapter);
    robustness::distance(found, &mut chapter);
    chapter.figures.extend(pictures::vectors(found));
    verdicts::conventions(found, &mut chapter);
    verdicts::claims(found, &mut chapter);
    verdicts::checks(found, &mut chapter);
    chapter.tables.push(verdicts::numbers(found.facts));
    chapter
}

fn values(series: &[Quantity]) -> Vec<f64> {
    series.iter().map(|q| q.value).collect()
}

fn bars(series: &[Quantity]) -> Vec<f64> {
    series.iter().map(|q| if q.bar.is_finite() { q.bar } else { 0.0 }).collect()
}

/// Markers with their bars.
fn marks(x: &[Quantity], y: &[Quantity]) -> Mark {
    Mark::points_with_bars(values(x), values(y), bars(y))
}

fn spectrum(found: &Found<'_>, chapter: &mut Chapter) {
    let facts = found.facts;
    let growth = facts.series("log_growth");
    let nth: Vec<f64> = (1..=growth.len()).map(|i| i as f64).collect();
    let axis = || Axis::new("number of the singular value");
    let mark = Mark::points_with_bars(nth, values(growth), bars(growth));
    let mut panels = vec![Panel::new("spectrum", axis(), Axis::new("log singular value")).with(
        "flow of the network, mean over trajectories",
        Ink::Lyapunov,
        mark,
    )];
    let intrinsic = facts.series("intrinsic_growth");
    if !intrinsic.is_empty() {
        let nth = (1..=intrinsic.len()).map(|i| i as f64).collect();
        let mark = Mark::points_with_bars(nth, values(intrinsic), bars(intrinsic));
        panels[0] = panels[0].clone().with("within the space of states", Ink::Tangent, mark);
    }
    let (gap, null) = (facts.series("gap"), facts.series("null_gap"));
    if !gap.is_empty() {
        let nth: Vec<f64> = (1..=gap.len()).map(|i| i as f64).collect();
        let panel = Panel::new(
            "gaps",
            Axis::new("below singular value"),
            Axis::new("log ratio to the next"),
        )
        .with("learned flow", Ink::Lyapunov, Mark::points(nth.clone(), values(gap)))
        .with(
            "Gaussian data of the same covariance",
            Ink::Null,
            Mark::points_with_bars(nth, values(null), bars(null)),
        );
        panels.push(panel);
    }
    let iteration = match facts.get("pairs_angle_bound").value {
        bound if bound.is_nan() => {
            "Bars: 95 % over trajectories, plus the change from twice the steps.".to_owned()
        }
        bound => format!(
            "Leading pairs by block iteration with J and its transpose, {} rounds; the leading subspace may be off by {}°, and bars are what \
             the residual of each pair allows.",
            facts.get("pairs_rounds").value,
            short(bound.to_degrees())
        ),
    };
    let figure = Figure::new("spectrum", "Finite-time spectrum of the learned flow", panels);
    chapter.figures.push(figure.says(
        format!("Log singular values of the tangent map of the flow {}. {iteration}", span(facts)),
        "Vectors, and exponents of one QR sweep, which are not these.",
    ));
    let (relation, said) = gap_in_words(facts);
    chapter.find(relation, "spectrum", "a gap in the spectrum tells tangents from normals", said);
    if let [.., last] = intrinsic {
        let leaves = facts.get("leaves_space");
        let said = format!(
            "log growth within from {} to {}; tangent vectors leave the space by {} of their length",
            with_bar(intrinsic[0]),
            with_bar(*last),
            with_bar(leaves)
        );
        chapter.find(Relation::Open, "spectrum", "the flow stays on its space of states", said);
    }
}

/// Between which times and noise levels the flow is run.
fn span(facts: &Facts) -> String {
    let at = |end: usize| {
        let of = |name: &str| facts.series(name).get(end).map_or(f64::NAN, |q| q.value);
        let sigma = of("flow_sigma");
        let level = if sigma < 1e6 { short(sigma) } else { "∞".to_owned() };
        format!("s = {} (σ = {level})", of("flow_time"))
    };
    let steps = facts.get("flow_steps").value;
    format!("from {} to {} in {steps} steps", at(0), at(1))
}

/// Whether a gap stands out of the null.
pub fn gap_in_words(facts: &Facts) -> (Relation, String) {
    let (p, draws) = (facts.get("gap_p_value").value, facts.get("null_draws").value);
    let levels = || {
        let of = |name: &str| short(facts.get(name).value);
        format!("from noise level {} to {}", of("null_sigma_start"), of("null_sigma_end"))
    };
    match facts.get("gap_index").value {
        _ if p.is_nan() => (Relation::Open, "not judged: the null needs --data".to_owned()),
        index if index.is_nan() => {
            let words = format!(
                "no significant gap {}: p = {} among {draws} draws of Gaussian data of the same covariance",
                levels(),
                number(p, 2)
            );
            (Relation::Open, words)
        }
        index => {
            let words = format!(
                "gap below singular value {index} {}: p = {}, larger than in any of {draws} draws of Gaussian data of the same covariance",
                levels(),
                number(p, 2)
            );
            (Relation::Agrees, words)
        }
    }
}

fn alignment(found: &Found<'_>, chapter: &mut Chapter) {
    let facts = found.facts;
    if found.angles.is_empty() {
        return;
    }
    let degrees: Vec<f64> = found.angles.iter().map(|a| a.to_degrees()).collect();
    let random = facts.get("alignment_random").value.to_degrees();
    let d = facts.get("alignment_dimension").value;
    let panel = Panel::new(
        "",
        Axis::new("angle (degrees)").from_to(0.0, 90.0),
        Axis::new("share of trajectories"),
    )
    .with(
        "top vectors to the tangent plane",
        Ink::Lyapunov,
        Mark::histogram(&degrees, 0.0, 90.0, 30),
    )
    .with("median of random planes", Ink::Null, Mark::Rule { at: random, vertical: true });
    let figure = Figure::new(
        "alignment",
        &format!("Angle of the top {d} end-point vectors to the tangent plane"),
        vec![panel],
    );
    chapter.figures.push(figure.says(
        format!(
            "Largest principal angle at the end of each trajectory. Tangent planes: {}.",
            found.tangent
        ),
        "Where along the manifold the large angles are.",
    ));
    let angle = facts.get("alignment_angle");
    let said = format!(
        "median angle {}°, of random planes {}°, by {}",
        with_bar(angle * 1.0_f64.to_degrees()),
        short(random),
        found.tangent
    );
    let aligned = angle.value + angle.bar < 0.5 * facts.get("alignment_random").value;
    let relation = if aligned { Relation::Agrees } else { Relation::Open };
    chapter.find(
        relation,
        "alignment",
        "the top Lyapunov vectors lie along the data manifold",
        said,
    );
}

fn symmetry(found: &Found<'_>, chapter: &mut Chapter) {
    let (sigma, share) = (found.facts.series("asymmetry_sigma"), found.facts.series("asymmetry"));
    if share.is_empty() {
        return;
    }
    let panel = Panel::new("", Axis::log("noise level σ = b/a"), Axis::log("‖J − Jᵀ‖/‖J‖")).with(
        "implied score",
        Ink::Score,
        marks(sigma, share),
    );
    let figure = Figure::new("symmetry", "Symmetry of the implied score", vec![panel]);
    chapter.figures.push(figure.says(
        "J is the Jacobian of the score that the network implies; that of an exact score is a Hessian. Medians over trajectories.",
        "Where in space a score is far from a gradient.",
    ));
    let largest = share.iter().map(|q| q.value).fold(f64::NAN, f64::max);
    let relation = if largest < 0.05 { Relation::Agrees } else { Relation::Sharpens };
    let said = format!("‖J − Jᵀ‖/‖J‖ up to {} (medians)", short(largest));
    chapter.find(
        relation,
        "symmetry",
        "T2.4, T2.5 take symmetric Jacobians, as of an exact score",
        said,
    );
}
