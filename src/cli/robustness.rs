//! The table of robustness: what errors of each parametrisation do to the samples of a data set.

use super::terminal::{self, Column, number};
use crate::facts::{Facts, Quantity};
use crate::observe::data::robustness::errors;

/// What is asked, at which level, in which unit.
const MEASURES: [(&str, usize, f64); 4] = [
    ("normal_over_tangent", 0, 1.0),
    ("normal_over_tangent", 1, 1.0),
    ("normal_over_spacing", 1, 100.0),
    ("nearest_change_over_spacing", 1, 100.0),
];

/// The table with what to read it by; empty where robustness was not measured.
pub fn table(facts: &Facts) -> String {
    let value = |name: &str| facts.get(name).value;
    let sigmas = facts.series("robust_sigma");
    let [first, last] = sigmas else { return String::new() };
    let (first, last) = (number(first.value), number(last.value));
    let heads = [
        format!("|δ_N|/|δ_T|\nσ = {first}"),
        format!("|δ_N|/|δ_T|\nσ = {last}"),
        format!("|δ_N|, % of spacing\nσ = {last}"),
        format!("farther, % of spacing\nσ = {last}"),
    ];
    let words = [Column::text("error in\nthe prediction\nof"), Column::text("\n\nkind")];
    let numbers =
        heads.map(|head| [Column::number(format!("{head}\ndata")), Column::number("\n\nGaussian")]);
    let columns: Vec<Column> = words.into_iter().chain(numbers.into_iter().flatten()).collect();
    let rows = errors().map(|(_, kind, name)| {
        let model = name.trim_end_matches(kind).trim_end_matches('_').to_owned();
        let cells = MEASURES.iter().flat_map(|(part, level, unit)| {
            let (data, null) = pair(facts, part, &name, *level);
            [data, null].map(|q| terminal::with_bar(unit * q.value, unit * q.bar, ""))
        });
        [model, kind.to_owned()].into_iter().chain(cells).collect()
    });
    let (d, dim) = (value("robust_dimension"), facts.get("robust_ambient").value);
    let below = |level: usize| {
        let lower = |name: &str| {
            let (data, null) = pair(facts, "normal_over_tangent", name, level);
            data.value + data.bar < null.value - null.bar
        };
        errors().filter(|(_, _, name)| lower(name)).count()
    };
    let notes = format!(
        "Robustness: displacements δ by errors of root mean square {} in each coordinate of the prediction (data and \
         noise of deviation 1, the data's being {} in the file), by flow matching, at σ = {} and {}. δ_T lies in the \
         plane of local PCA ({} neighbours, d = {d}), δ_N is orthogonal to it; a δ without preferred direction has \
         |δ_N|/|δ_T| ≈ {}. spacing: median distance of nearest neighbours; farther: how much farther from the \
         nearest point the inexact flow ends. Medians of {} trajectories with 95 % bars, and of {} Gaussian sets of \
         the same covariance with two deviations.",
        number(value("robust_epsilon")),
        number(value("robust_unit")),
        first,
        last,
        value("robust_neighbours"),
        number(((dim - d) / d).sqrt()),
        value("robust_trajectories"),
        value("robust_null_draws"),
    );
    let count = errors().count();
    let verdict = format!(
        "More tangential than on Gaussian data, beyond the bars: {} of {count} errors at the higher level, {} of \
         {count} at the lower.",
        below(0),
        below(1)
    );
    let paragraphs = terminal::paragraph(&notes) + &terminal::paragraph(&verdict);
    format!("\n{}{paragraphs}", terminal::table(&columns, rows))
}

/// A measure of one error at one level: on the data, and on Gaussian data.
fn pair(facts: &Facts, part: &str, error: &str, level: usize) -> (Quantity, Quantity) {
    let at = |name: String| facts.series(&name).get(level).copied().unwrap_or(Quantity::UNKNOWN);
    (at(format!("{part}_of_{error}")), at(format!("null_{part}_of_{error}")))
}
