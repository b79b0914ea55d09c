//! Tables: conventions, claims, self-checks, numbers.

use super::Found;
use crate::claims::relative_compression_forces_alignment::CLAIM as COMPRESSION;
use crate::experiments::words::{short, with_bar};
use crate::facts::{Facts, Quantity};
use crate::figure::{Cell, Table};
use crate::observe::model::conventions::{APART, Comparison};
use crate::observe::model::spectrum::WHOLE;
use crate::record::{Chapter, Relation};
use crate::verdict::Verdict;

pub fn conventions(found: &Found<'_>, chapter: &mut Chapter) {
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
    let said = law_in_words(comparison.declared.distance);
    let claim = "the model samples from the law of the data";
    chapter.find(Relation::Open, "conventions", claim, said);
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
            (Relation::Open, words)
        }
    }
}

/// Whether samples of the declared convention are of the law of the data: a test can refute that, and not show it.
fn law_in_words(distance: Quantity) -> String {
    let what = match distance.value < APART * distance.bar {
        true => "these samples do not tell them apart",
        false => "samples are not those of the data",
    };
    format!("{what}: energy distance {}, 0 on average for one law", with_bar(distance))
}

pub fn claims(found: &Found<'_>, chapter: &mut Chapter) {
    if found.judged.is_empty() {
        let why = match found.data {
            None => "not judged: its noise levels are those of --data".to_owned(),
            Some(_) => format!("not judged: the whole Jacobian is formed up to {WHOLE} dimensions"),
        };
        chapter.find(Relation::Open, "spectrum", COMPRESSION.id, why);
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

pub fn checks(found: &Found<'_>, chapter: &mut Chapter) {
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
    let checked = match facts.get("check_divergence").value.is_nan() {
        true => "J is a derivative",
        false => "growth is the integrated divergence, and J a derivative",
    };
    chapter.find(relation, "self-checks", checked, said);
}

/// A number with the digits that its bar leaves, however small, up to nine decimals.
fn to_its_bar(quantity: Quantity) -> String {
    let decimals = (1.0 - quantity.bar.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{:.decimals$} ± {}", quantity.value, short(quantity.bar))
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
        false => format!("Σ log growth {} beside {}; ", to_its_bar(growth), to_its_bar(divergence)),
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
pub fn numbers(facts: &Facts) -> Table {
    let caption = "Angles in radians, lengths in the units of the network's state.";
    let mut table = Table::new("numbers", "Measured", caption, ["quantity", "value"]);
    for (name, series) in facts.iter() {
        if let [quantity] = series {
            table.rows.push(vec![Cell::Words(format!("`{name}`")), (*quantity).into()]);
        }
    }
    table
}
