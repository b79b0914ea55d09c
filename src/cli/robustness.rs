//! The table of robustness: what errors of each parametrisation do to the samples of a data set.

use super::terminal::{self, Column, number};
use crate::facts::{Facts, Quantity};
use crate::observe::data::robustness::errors;
use crate::record::DataRecord;

/// What is asked, at which level, in which unit.
const MEASURES: [(&str, usize, f64); 4] = [
    ("normal_over_tangent", 0, 1.0),
    ("normal_over_tangent", 1, 1.0),
    ("normal_over_spacing", 1, 100.0),
    ("nearest_change_over_spacing", 1, 100.0),
];

/// The table of a data set with what to read it by; empty where robustness was not measured.
pub fn table(set: &DataRecord) -> String {
    let facts = &set.facts;
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
    let rows: Vec<Vec<String>> = rows.collect();
    let (d, dim) = (value("robust_dimension"), facts.get("robust_ambient").value);
    let below = |level: usize| {
        let lower = |name: &str| {
            let (data, null) = pair(facts, "normal_over_tangent", name, level);
            data.value + data.bar < null.value - null.bar
        };
        errors().filter(|(_, _, name)| lower(name)).count()
    };
    let notes = format!(
        "Robustness of {}: displacements δ by errors of root mean square {} in each coordinate of the prediction (data and \
         noise of deviation 1, the data's being {} in the file), by flow matching, at σ = {} and {}. δ_T lies in the \
         plane of local PCA ({} neighbours, d = {d}), δ_N is orthogonal to it; a δ without preferred direction has \
         |δ_N|/|δ_T| ≈ {}. spacing: median distance of nearest neighbours; farther: how much farther from the \
         nearest point the inexact flow ends. Medians of {} trajectories with 95 % bars, and of {} Gaussian sets of \
         the same covariance with two deviations.",
        set.name,
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
    format!("\n{}{paragraphs}", terminal::folded_table(&columns, &rows, 2, 2))
}

/// A measure of one error at one level: on the data, and on Gaussian data.
fn pair(facts: &Facts, part: &str, error: &str, level: usize) -> (Quantity, Quantity) {
    let at = |name: String| facts.series(&name).get(level).copied().unwrap_or(Quantity::UNKNOWN);
    (at(format!("{part}_of_{error}")), at(format!("null_{part}_of_{error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Grade;

    /// A record with equal measures for every error, but for the ratio of one.
    fn record(ratio: f64) -> DataRecord {
        let mut facts = Facts::new();
        let exact = |value| vec![Quantity::exact(value); 2];
        facts.set_series("robust_sigma", exact(1.0));
        for (name, value) in [("robust_dimension", 1.0), ("robust_ambient", 5.0)] {
            facts.set(name, Quantity::exact(value));
        }
        for (_, _, name) in errors() {
            for (part, ..) in MEASURES {
                facts.set_series(&format!("{part}_of_{name}"), exact(3.0));
                let null = vec![Quantity::new(3.0, 0.5, Grade::Sampled); 2];
                facts.set_series(&format!("null_{part}_of_{name}"), null);
            }
        }
        let one = [Quantity::exact(3.0), Quantity::new(ratio, 0.5, Grade::Sampled)];
        facts.set_series("normal_over_tangent_of_score_fourier", one.to_vec());
        DataRecord {
            name: "a.csv".into(),
            notes: Vec::new(),
            world: serde_json::Value::Null,
            facts,
            trajectories: Vec::new(),
            error: None,
        }
    }

    #[test]
    fn errors_count_as_tangential_only_beyond_both_bars() {
        let counted = |ratio| {
            let words = table(&record(ratio)).split_whitespace().collect::<Vec<_>>().join(" ");
            let (_, rest) = words.split_once("beyond the bars: ").unwrap();
            rest.to_owned()
        };
        // 3 ± 0.5 against 1.9 ± 0.5, 2.1 ± 0.5 and 4 ± 0.5.
        assert_eq!(counted(1.9), "0 of 8 errors at the higher level, 1 of 8 at the lower.");
        assert_eq!(counted(2.1), "0 of 8 errors at the higher level, 0 of 8 at the lower.");
        assert_eq!(counted(4.0), "0 of 8 errors at the higher level, 0 of 8 at the lower.");
        let shown = table(&record(1.9));
        assert!(shown.contains("Robustness of a.csv: ") && shown.contains("≈ 2.00"), "{shown}");
        assert!(shown.contains("score") && shown.contains("300 ± 50"), "{shown}");
    }

    #[test]
    fn what_was_not_measured_has_no_table() {
        let nothing = DataRecord { facts: Facts::new(), ..record(1.0) };
        assert_eq!(table(&nothing), "");
    }
}
