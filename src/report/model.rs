//! The page of a trained model.

mod pictures;

use crate::experiments::words::{number, short, with_bar};
use crate::facts::{Facts, Quantity};
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};
use crate::observe::model::conventions::Comparison;
use crate::observe::model::spectrum::Run;
use crate::points::PointSet;
use crate::record::{Chapter, Relation, TrajectoryRecord};
use crate::verdict::Verdict;
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
    response(found, &mut chapter);
    denoiser(found, &mut chapter);
    distance(found, &mut chapter);
    chapter.figures.extend(pictures::vectors(found));
    conventions(found, &mut chapter);
    claims(found, &mut chapter);
    checks(found, &mut chapter);
    chapter.tables.push(numbers(found.facts));
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
        format!(
            "Log singular values of the tangent map from the first to the last time. {iteration}"
        ),
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

fn response(found: &Found<'_>, chapter: &mut Chapter) {
    let facts = found.facts;
    let size = facts.series("response_size");
    let (off, along) = (facts.series("response_off"), facts.series("response_along"));
    if size.is_empty() {
        return;
    }
    let panel = Panel::new(
        "",
        Axis::log("error of the network's value, root mean square a coordinate"),
        Axis::log("displacement of samples"),
    )
    .with("off the tangent plane", Ink::Normal, marks(size, off))
    .with("along it", Ink::Tangent, marks(size, along))
    .with(
        "growth of the distance",
        Ink::Measured,
        marks(size, facts.series("response_change")),
    );
    let figure = Figure::new(
        "response",
        "Response of samples to smooth errors of growing size",
        vec![panel],
    );
    chapter.figures.push(figure.says(
        format!(
            "Smooth random fields are added to the network's value all along; medians over {} samples of the parts of the displacement off \
             and along the tangent plane ({}), and of the growth of the distance to the manifold, or to the nearest data point.",
            facts.get("response_samples").value,
            found.tangent
        ),
        "Errors that are not smooth, or only late.",
    ));
    let ratio = off[0] / along[0];
    let relation = if ratio.value + ratio.bar < 0.5 { Relation::Agrees } else { Relation::Open };
    let said = format!(
        "an error of {} moves samples by {} off and {} along: ratio {}",
        short(size[0].value),
        with_bar(off[0]),
        with_bar(along[0]),
        with_bar(ratio)
    );
    chapter.find(relation, "response", "errors push samples along the manifold, not off it", said);
}

fn denoiser(found: &Found<'_>, chapter: &mut Chapter) {
    let facts = found.facts;
    let sigma = facts.series("error_sigma");
    if sigma.is_empty() {
        return;
    }
    let x = values(sigma);
    let first = Panel::new("error", Axis::log("noise level σ"), Axis::log("distance"))
        .with("|e|, learned less exact denoiser", Ink::Error, marks(sigma, facts.series("error")))
        .with("its normal part", Ink::Normal, marks(sigma, facts.series("error_normal")))
        .with("σ", Ink::Guide, Mark::dashed(x.clone(), x));
    let mut panels = vec![first];
    let slope = facts.series("error_slope");
    if slope.iter().any(|q| q.value.is_finite()) {
        panels.push(
            Panel::new("slope", Axis::log("noise level σ"), Axis::log("‖De‖"))
                .with("‖De‖", Ink::Error, marks(sigma, slope))
                .with(
                    "(γ − 2κ)/4: T5(b) needs less",
                    Ink::Bound,
                    marks(sigma, facts.series("error_allowed")),
                ),
        );
    }
    let figure = Figure::new(
        "denoiser",
        "The learned denoiser against the exact one of its training data",
        panels,
    );
    chapter.figures.push(figure.says(
        format!(
            "Medians along learned trajectories, in y = x/a. Exact: the posterior mean over the training points. The normal part is that across \
             the tangent plane ({}).",
            found.tangent
        ),
        "Whether the difference is an error: below the spacing of the points an exact denoiser memorises them, and a good network does not.",
    ));
    let turns = facts.series("error_turns");
    let able: Vec<&Quantity> = turns.iter().filter(|q| q.value.is_finite()).collect();
    let said = match able.iter().map(|q| q.value).fold(f64::NAN, f64::min) {
        least if least.is_nan() => {
            "says nothing: ‖De‖ is above (γ − 2κ)/4 at every noise level".to_owned()
        }
        least => format!(
            "‖De‖ is below (γ − 2κ)/4 at {} of {} noise levels, and at best allows planes to turn by {}°; measured from the tangent: {}°",
            able.len(),
            turns.len(),
            short(least.atan().to_degrees()),
            with_bar(facts.get("alignment_angle") * 1.0_f64.to_degrees())
        ),
    };
    chapter.find(
        Relation::Open,
        "denoiser",
        "T5(b): what the slope of the error allows planes to turn",
        said,
    );
}

fn distance(found: &Found<'_>, chapter: &mut Chapter) {
    let (bound, end) = (found.facts.series("distance_bound"), found.facts.series("distance_end"));
    if bound.is_empty() {
        return;
    }
    let most = values(bound).into_iter().fold(0.0, f64::max);
    let panel = Panel::new("", Axis::new("bound by T4.3"), Axis::new("distance measured"))
        .with("trajectories", Ink::Measured, marks(bound, end))
        .with("bound attained", Ink::Bound, Mark::dashed(vec![0.0, most], vec![0.0, most]));
    let figure = Figure::new(
        "distance",
        "Distance of samples from the manifold, beside what T4.3 predicts",
        vec![panel],
    );
    chapter.figures.push(figure.says(
        "The bound follows from the posterior spread over twice the reach and from the measured normal error of the denoiser along each \
         trajectory, from where it comes nearer than the reach.",
        "Trajectories that never come so near.",
    ));
}

fn conventions(found: &Found<'_>, chapter: &mut Chapter) {
    let Some(comparison) = found.comparison else { return };
    let caption = format!(
        "Energy distance of {} samples of each convention to as many data points, with its standard deviation; 0 on average for samples of the \
         same law. A dash: samples that are not finite.",
        comparison.samples
    );
    let mut table = Table::new(
        "conventions",
        "The declared convention and its rivals",
        caption,
        ["convention", "energy distance"],
    );
    let row = |name: String, distance: Quantity| vec![Cell::Words(name), Cell::from(distance)];
    table.rows.push(row(
        format!("**{}** (declared)", comparison.declared.name),
        comparison.declared.distance,
    ));
    table
        .rows
        .extend(comparison.rivals.iter().map(|tried| row(tried.name.clone(), tried.distance)));
    chapter.tables.push(table);
    let (relation, said) = convention_in_words(comparison);
    chapter.find(relation, "conventions", "the declared convention is that of the training", said);
}

/// Whether the declared convention stands.
pub fn convention_in_words(comparison: &Comparison) -> (Relation, String) {
    let alike: Vec<&str> = comparison.alike().iter().map(|tried| tried.name.as_str()).collect();
    let shown = with_bar(comparison.declared.distance);
    match comparison.better() {
        Some(better) => {
            let words = format!(
                "{} is nearer to the data: {} against {shown}",
                better.name,
                with_bar(better.distance)
            );
            (Relation::Contradicts, words)
        }
        None if alike.is_empty() => {
            (Relation::Agrees, format!("energy distance {shown}; every rival is farther"))
        }
        None => {
            let words = format!(
                "energy distance {shown}; cannot be told apart from it: {}",
                alike.join("; ")
            );
            (Relation::Agrees, words)
        }
    }
}

fn claims(found: &Found<'_>, chapter: &mut Chapter) {
    if found.judged.is_empty() {
        return;
    }
    let caption = "On how many trajectories of the learned flow each claim holds; out of scope: a hypothesis is not met.";
    let head = ["claim", "holds", "violated", "undecided", "out of scope"];
    let mut table = Table::new("claims", "Claims on its trajectories", caption, head);
    let mut names: Vec<&str> = found.judged.iter().map(|judged| judged.claim.as_str()).collect();
    names.dedup();
    for name in names {
        let all = [Verdict::Holds, Verdict::Violated, Verdict::Undecided, Verdict::OutOfScope];
        let counts = all.map(|verdict| {
            found.judged.iter().filter(|j| j.claim == name && j.verdict == verdict).count()
        });
        let [holds, violated, undecided, out] = counts;
        let relation = match (holds, violated) {
            (_, 1..) => Relation::Contradicts,
            (1.., _) => Relation::Agrees,
            _ => Relation::Open,
        };
        let said = format!(
            "of {} trajectories: holds on {holds}, violated on {violated}, undecided on {undecided}, out of scope on {out}",
            counts.iter().sum::<usize>()
        );
        chapter.find(relation, "claims", name, said);
        table.rows.push(std::iter::once(Cell::from(name)).chain(counts.map(Cell::from)).collect());
    }
    chapter.tables.push(table);
}

fn checks(found: &Found<'_>, chapter: &mut Chapter) {
    let facts = found.facts;
    let caption = "Of the computation itself, on the first trajectory. Growth and divergence agree up to their bars, the change from twice the steps; the \
                   difference quotient is good to some 1e-9 where the flow bends little.";
    let mut table = Table::new("self-checks", "Self-checks", caption, ["check", "value"]);
    for (name, said) in [
        ("check_growth", "Σ log growth over all directions"),
        ("check_divergence", "integrated divergence"),
        ("check_difference", "‖J v − difference quotient‖/‖J v‖"),
        ("check_adjoint", "|⟨w, J v⟩ − ⟨Jᵀ w, v⟩|/‖J v‖"),
    ] {
        let quantity = facts.get(name);
        let cell = if quantity.value.is_nan() {
            Cell::from("not computed in so many dimensions")
        } else {
            Cell::from(quantity)
        };
        table.rows.push(vec![Cell::from(said), cell]);
    }
    chapter.tables.push(table);
    let (relation, said) = checks_in_words(facts);
    chapter.find(
        relation,
        "self-checks",
        "growth is the integrated divergence, and J a derivative",
        said,
    );
}

/// Whether the self-checks pass.
pub fn checks_in_words(facts: &Facts) -> (Relation, String) {
    let (growth, divergence) = (facts.get("check_growth"), facts.get("check_divergence"));
    let (difference, adjoint) =
        (facts.get("check_difference").value, facts.get("check_adjoint").value);
    let derivative = difference < 1e-4 && adjoint < 1e-9;
    let off = (growth.value - divergence.value).abs();
    let volume =
        off.is_nan() || off <= growth.bar + divergence.bar + 1e-6 * (1.0 + growth.value.abs());
    let relation = if derivative && volume { Relation::Agrees } else { Relation::Contradicts };
    let volume = match off.is_nan() {
        true => String::new(),
        false => format!("Σ log growth {} beside {}; ", with_bar(growth), with_bar(divergence)),
    };
    (
        relation,
        format!(
            "{volume}J off its difference quotient by {}, and off its adjoint by {}",
            short(difference),
            short(adjoint)
        ),
    )
}

/// All single numbers that were measured.
fn numbers(facts: &Facts) -> Table {
    let caption = "Angles in radians, lengths in the units of the network's state.";
    let mut table = Table::new("numbers", "Measured", caption, ["quantity", "value"]);
    for (name, series) in facts.iter() {
        if let [quantity] = series {
            table.rows.push(vec![Cell::Words(format!("`{name}`")), (*quantity).into()]);
        }
    }
    table
}
