//! A claim in more numbers: its worlds by family and corner, and how its slacks are distributed.

use super::terminal::{self, Column, number};
use crate::record::{ClaimSummary, Distribution, FormSummary, GroupSummary};
use std::fmt::Write;

/// Width of one quantile.
const CELL: usize = 10;

/// The parts of a histogram, from nothing to the fullest.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How a shape is read.
const KEY: &str = "(shape: how many lie in each eighth of the way from least to most; the tallest bar is the fullest eighth)";

/// Everything that a summary knows and the table of claims has no room for; at most 80 columns.
pub fn shown(summary: &ClaimSummary) -> String {
    let mut text = format!("\n{}\n", summary.claim);
    text += &groups(summary);
    text +=
        &format!("\nRoom of inequalities and misfit of equalities:\n{}", terminal::note(KEY, 2));
    let heads = ["least", "5 %", "25 %", "median", "75 %", "95 %", "most"];
    let heads: String = heads.iter().map(|head| format!("{head:>CELL$}")).collect();
    let _ = writeln!(text, "{heads}  shape");
    forms(&mut text, "Hypotheses, in all worlds", &summary.hypotheses);
    forms(&mut text, "Conclusions, in the worlds in scope", &summary.conclusions);
    text
}

/// The worlds of each family, and below them those with each corner.
fn groups(summary: &ClaimSummary) -> String {
    let columns = [
        Column::text("family or corner"),
        Column::number("worlds"),
        Column::number("in scope"),
        Column::number("holds"),
        Column::number("undecided"),
        Column::number("violated"),
        Column::text(""),
    ];
    let row = |mark: &str, group: &GroupSummary| {
        let note = match (group.meant_in_scope, group.never_in_scope()) {
            (_, true) => "NEVER IN SCOPE",
            // Worlds that could not be computed are nothing that was meant.
            (false, _) if group.undecided < group.worlds => "out by design",
            _ => "",
        };
        let name = format!("{mark}{}", group.name);
        let counts = [group.worlds, group.in_scope, group.holds, group.undecided, group.violated];
        let counts = counts.map(|count| count.to_string());
        std::iter::once(name).chain(counts).chain([note.to_owned()]).collect()
    };
    let families = summary.families.iter().map(|group| row("", group));
    let corners = summary.corners.iter().map(|group| row("with ", group));
    terminal::table(&columns, families.chain(corners))
}

fn forms(text: &mut String, title: &str, forms: &[FormSummary]) {
    let _ = writeln!(text, "{title}");
    for form in forms {
        let parts = [("room", &form.room), ("misfit", &form.misfit)];
        let undecided = match form.undecided {
            0 => String::new(),
            n => format!(", {n} undecided"),
        };
        if form.room.is_none() && form.misfit.is_none() {
            let _ = writeln!(text, "  {}: nothing finite{undecided}", form.form);
        }
        for (name, distribution) in parts {
            let Some(distribution) = distribution else { continue };
            let (count, worlds) = (distribution.count, form.judged);
            let _ = writeln!(
                text,
                "  {}: {name} of {count}, decided in {worlds} worlds{undecided}",
                form.form
            );
            let _ = writeln!(text, "{}  {}", quantiles(distribution), bars(distribution));
        }
    }
}

fn quantiles(distribution: &Distribution) -> String {
    distribution.quantiles.iter().map(|value| format!("{:>CELL$}", number(*value))).collect()
}

/// The histogram; what is not empty is seen.
fn bars(distribution: &Distribution) -> String {
    let fullest = distribution.histogram.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &usize| BARS[(8 * count).div_ceil(fullest)];
    distribution.histogram.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_shows_the_least_of_its_parts() {
        let mut distribution = Distribution::of(vec![0.0, 1.0]).unwrap();
        distribution.histogram = [1000, 0, 1, 500, 999, 0, 0, 125];
        assert_eq!(bars(&distribution), "█ ▁▄█  ▁");
        assert_eq!(quantiles(&distribution).chars().count(), 7 * CELL);
    }
}
