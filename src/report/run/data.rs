//! One data set of a run: the spectrum of its flow, and the numbers measured.

use super::Section;
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};
use crate::record::{DataRecord, Record};
use crate::report::text::escaped;
use crate::verdict::Verdict;
use std::collections::BTreeMap;

/// Values of a spectrum that are drawn.
const SHOWN: usize = 60;

pub fn section(record: &Record, set: &DataRecord) -> Section {
    let seed = record.parameters.seed;
    let file = if record.parameters.data.iter().any(|name| name == "built-in") {
        format!("data/{}", set.name)
    } else {
        set.name.clone()
    };
    let mut found =
        set.notes.iter().map(|note| format!("- {}\n", escaped(note))).collect::<String>();
    if let Some(error) = &set.error {
        found.push_str(&format!("- **could not be measured**: {}\n", escaped(error)));
    }
    Section {
        name: set.name.clone(),
        statement: String::new(),
        found,
        figures: figure(set).into_iter().collect(),
        tables: vec![trajectories(set), numbers(set)],
        command: format!("driftproof check --data {file} --seed {seed}"),
    }
}

/// The exponents of its flow.
fn figure(set: &DataRecord) -> Option<Figure> {
    let growth = set.facts.series("log_growth");
    if growth.is_empty() {
        return None;
    }
    let shown = &growth[..growth.len().min(SHOWN)];
    let x: Vec<f64> = (1..=shown.len()).map(|nth| nth as f64).collect();
    let y: Vec<f64> = shown.iter().map(|quantity| quantity.value).collect();
    let bars: Vec<f64> = shown.iter().map(|quantity| quantity.bar).collect();
    let marks = match bars.iter().all(|bar| *bar == 0.0) {
        true => Mark::points(x, y),
        false => Mark::points_with_bars(x, y, bars),
    };
    let panel =
        Panel::new("", Axis::new("number of the singular value"), Axis::new("log singular value"))
            .with("flow from noise to data, median of its trajectories", Ink::Lyapunov, marks);
    let name = set.name.replace(['.', '_'], "-");
    let figure = Figure::new(
        &name,
        &format!("Finite-time exponents of the flow to {}", set.name),
        vec![panel],
    );
    Some(figure.says(
        "Log singular values of the tangent map of the flow from the largest to the smallest noise level. Values far above the \
         rest belong to directions that the flow keeps: candidates for tangents.",
        "Whether a gap is more than that of Gaussian data of the same covariance: the table of numbers says so (`gap…`).",
    ))
}

/// The claims that were judged on trajectories of its flow.
fn trajectories(set: &DataRecord) -> Table {
    let name = format!("{}-trajectories", set.name.replace(['.', '_'], "-"));
    let caption = "How many trajectories of the flow to these data each claim holds on; out of scope: a hypothesis is not met.";
    let head = ["claim", "dimension", "holds", "violated", "undecided", "out of scope"];
    let mut table = Table::new(&name, "Claims on its trajectories", caption, head);
    let mut counts: BTreeMap<(&str, usize), [usize; 4]> = BTreeMap::new();
    for judged in &set.trajectories {
        let count = counts.entry((&judged.claim, judged.dimension)).or_default();
        count[match judged.verdict {
            Verdict::Holds => 0,
            Verdict::Violated => 1,
            Verdict::Undecided => 2,
            Verdict::OutOfScope => 3,
        }] += 1;
    }
    for ((claim, dimension), count) in counts {
        let mut row = vec![Cell::Words(escaped(claim)), dimension.into()];
        row.extend(count.map(Cell::from));
        table.rows.push(row);
    }
    table
}

/// All single numbers that were measured.
fn numbers(set: &DataRecord) -> Table {
    let name = format!("{}-numbers", set.name.replace(['.', '_'], "-"));
    let caption = "Angles in radians. RECORD.md of the package explains every name.";
    let mut table = Table::new(&name, "Measured", caption, ["quantity", "value"]);
    for (name, series) in set.facts.iter() {
        if let [quantity] = series {
            table.rows.push(vec![Cell::Words(format!("`{name}`")), (*quantity).into()]);
        }
    }
    table
}
