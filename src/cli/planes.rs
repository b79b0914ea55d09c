//! The table of tangent planes: the flow against exact planes, beside local PCA.

use super::terminal::{self, Column};
use crate::facts::{Facts, Quantity};
use crate::record::DataRecord;

/// The table, with a line on how to read it; nothing where no set has exact planes.
pub fn table(sets: &[DataRecord]) -> Option<String> {
    let compared: Vec<&DataRecord> =
        sets.iter().filter(|set| set.facts.get("plane_points").value > 0.0).collect();
    let lines: Vec<Vec<String>> = compared.iter().flat_map(|set| rows(set)).collect();
    if lines.is_empty() {
        return None;
    }
    let columns = [
        Column::text("tangent planes\nagainst exact ones"),
        Column::number("\npoints").minor(1),
        Column::text("\nestimate"),
        Column::number("angle\nmedian"),
        Column::number("\n90 % quantile"),
        Column::text("closer than local PCA\nat this share of points"),
    ];
    let text = terminal::table(&columns, lines);
    let note = "Bars: 95 % confidence. Best levels and sizes were chosen with the exact planes at hand, in favour \
                of either.";
    Some(text + &terminal::note(note, 2))
}

fn rows(set: &DataRecord) -> Vec<Vec<String>> {
    let facts = &set.facts;
    let sigma = |name: &str| terminal::number(facts.get(name).value);
    let estimates = [
        ("flow", format!("flow, at σ = {} where its run ends", sigma("sigma_end"))),
        ("best_flow", format!("flow, at its best level σ = {}", sigma("best_flow_sigma"))),
        (
            "pca",
            format!("local PCA, at its best, {} neighbours", facts.get("pca_neighbours").value),
        ),
    ];
    let known = estimates
        .iter()
        .filter(|(name, _)| facts.get(&format!("{name}_angle_median")).value >= 0.0);
    let row = |(i, (name, estimate)): (usize, &(&str, String))| {
        let first = |text: String| if i == 0 { text } else { String::new() };
        vec![
            first(set.name.clone()),
            first(facts.get("plane_points").value.to_string()),
            estimate.clone(),
            degrees(facts.get(&format!("{name}_angle_median"))),
            degrees(facts.get(&format!("{name}_angle_90"))),
            closer(facts, name),
        ]
    };
    known.enumerate().map(row).collect()
}

/// An angle with its bar.
fn degrees(angle: Quantity) -> String {
    terminal::with_bar(angle.value.to_degrees(), angle.bar.to_degrees(), "°")
}

/// How often an estimate is closer to the exact plane than local PCA, and what that means.
fn closer(facts: &Facts, name: &str) -> String {
    let share = facts.get(&format!("{name}_closer_share"));
    if share.value.is_nan() {
        return String::new();
    }
    let outcome = match share.value {
        value if value + share.bar < 0.5 => "LOSES to local PCA",
        value if value - share.bar > 0.5 => "wins",
        _ => "undecided",
    };
    format!("{:.1} % ± {:.1} %: {outcome}", 100.0 * share.value, 100.0 * share.bar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Grade;

    #[test]
    fn who_loses_is_told() {
        let said = |value, bar| {
            let mut facts = Facts::new();
            facts.set("flow_closer_share", Quantity::new(value, bar, Grade::Sampled));
            closer(&facts, "flow")
        };
        assert_eq!(said(0.1, 0.05), "10.0 % ± 5.0 %: LOSES to local PCA");
        assert!(said(0.6, 0.05).ends_with(": wins"));
        assert!(said(0.48, 0.05).ends_with(": undecided"));
        assert_eq!(closer(&Facts::new(), "flow"), "");
    }

    #[test]
    fn sets_without_exact_planes_have_no_row() {
        assert_eq!(table(&[]), None);
    }
}
