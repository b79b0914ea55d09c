//! Whether a chapter that was computed again agrees with its record.

use crate::figure::{Axis, Cell, Figure, Layer, Mark, Panel, Table};
use crate::record::Chapter;

/// What rounding to six digits changes, twice, as a share of a number.
const SIX_DIGITS: f64 = 1e-5;

/// Numbers on a logarithmic axis that are this close may be rounding errors both.
const ROUNDING: f64 = 1e-12;

/// One figure or table of two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Its name.
    pub name: String,
    /// The largest difference in units of what is allowed: at most 1 where they agree; infinite where they cannot be
    /// compared.
    pub misfit: f64,
    /// Where that difference is, or why there is none to take.
    pub at: String,
}

/// Compares figure by figure and table by table, in the order of the new one.
///
/// Two numbers may differ by their bars, by their last digit, and by the tolerance of the figure as a share of what its
/// layer spans; on a logarithmic axis that share is of its decades.
pub fn compare(old: &Chapter, new: &Chapter) -> Vec<Agreement> {
    let mut found = Vec::new();
    for figure in &new.figures {
        let other = old.figures.iter().find(|other| other.name == figure.name);
        found.push(of_figures(other, figure));
    }
    for table in &new.tables {
        let other = old.tables.iter().find(|other| other.name == table.name);
        found.push(of_tables(other, table));
    }
    let names: Vec<String> = found.iter().map(|agreement| agreement.name.clone()).collect();
    let figures = old.figures.iter().map(|figure| &figure.name);
    for name in figures.chain(old.tables.iter().map(|table| &table.name)) {
        if !names.contains(name) {
            found.push(differs(name, "is in the record and is made no more"));
        }
    }
    found.push(of_findings(old, new));
    found
}

/// The same claims come out the same way; the words, which tell numbers, may differ in their digits.
fn of_findings(old: &Chapter, new: &Chapter) -> Agreement {
    let told = |chapter: &Chapter| -> Vec<_> {
        let findings = chapter.findings.iter();
        findings.map(|found| (found.claim.clone(), found.relation, found.figure.clone())).collect()
    };
    let name = format!("findings of {}", new.name);
    match told(old) == told(new) {
        true => Agreement { name, misfit: 0.0, at: String::new() },
        false => differs(&name, "a claim came out another way, or is another"),
    }
}

fn differs(name: &str, at: impl Into<String>) -> Agreement {
    Agreement { name: name.to_owned(), misfit: f64::INFINITY, at: at.into() }
}

fn of_figures(old: Option<&Figure>, new: &Figure) -> Agreement {
    let Some(old) = old else { return differs(&new.name, "is not in the record") };
    let mut worst = Agreement { name: new.name.clone(), misfit: 0.0, at: String::new() };
    if old.panels.len() != new.panels.len() {
        return differs(&new.name, "has other panels");
    }
    for (panel, other) in new.panels.iter().zip(&old.panels) {
        if panel.layers.len() != other.layers.len() {
            return differs(&new.name, format!("panel `{}` has other layers", panel.title));
        }
        for (layer, other) in panel.layers.iter().zip(&other.layers) {
            let at = format!("panel `{}`, `{}`", panel.title, layer.name);
            let misfit = of_layers(other, layer, panel, new.tolerance);
            if misfit > worst.misfit {
                worst = Agreement { misfit, at, ..worst };
            }
        }
    }
    worst
}

fn of_layers(old: &Layer, new: &Layer, panel: &Panel, tolerance: f64) -> f64 {
    let (before, after) = (old.mark.columns(), new.mark.columns());
    let names = |columns: &[(&'static str, &[f64])]| -> Vec<(&'static str, usize)> {
        columns.iter().map(|(name, series)| (*name, series.len())).collect()
    };
    if old.name != new.name || names(&before) != names(&after) {
        return f64::INFINITY;
    }
    let bars_of = |layer: &Layer| match &layer.mark {
        Mark::Points { bars, .. } => bars.clone(),
        _ => Vec::new(),
    };
    let bars = [bars_of(old), bars_of(new)];
    // The shorter one: a bar that grows excuses nothing.
    let least = |nth: usize| {
        let of =
            |bars: &Vec<f64>| bars.get(nth).copied().filter(|bar| bar.is_finite()).unwrap_or(0.0);
        of(&bars[0]).min(of(&bars[1]))
    };
    let mut worst = 0.0_f64;
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let log = along(panel, &new.mark, name).is_some_and(|axis| axis.log);
        let decades = |series: &[f64]| -> Vec<f64> { series.iter().map(|v| v.log10()).collect() };
        let spans = match log {
            true => [span(&decades(before)), span(&decades(after))],
            false => [span(before), span(after)],
        };
        let share = tolerance.max(SIX_DIGITS) * spans[0].max(spans[1]);
        for (nth, (a, b)) in before.iter().zip(*after).enumerate() {
            let [a, b] = [*a, *b].map(|value| seen(panel, &new.mark, name, value));
            // A bar is itself an estimate, and speaks of the value that it belongs to.
            let bar = match *name {
                "y" => 2.0 * least(nth),
                "bar" => least(nth),
                _ => 0.0,
            };
            let close = bar + SIX_DIGITS * a.abs().max(b.abs());
            worst = worst.max(match log {
                true => {
                    let linear = misfit(a, b, close + ROUNDING);
                    linear.min(misfit(a.log10(), b.log10(), share))
                }
                false => misfit(a, b, close + share),
            });
        }
    }
    worst
}

/// The axis along which a column of numbers is drawn.
fn along<'a>(panel: &'a Panel, mark: &Mark, column: &str) -> Option<&'a Axis> {
    match (column, mark) {
        ("x" | "edge", _) | ("at", Mark::Rule { vertical: true, .. }) => Some(&panel.x),
        ("y" | "low" | "high" | "height" | "at", _) => Some(&panel.y),
        _ => None,
    }
}

/// What a reader sees of a number: those beyond the range of their axis are all alike.
fn seen(panel: &Panel, mark: &Mark, column: &str, value: f64) -> f64 {
    match along(panel, mark, column).and_then(|axis| axis.range) {
        Some([low, high]) if low < high => value.clamp(low, high),
        _ => value,
    }
}

/// What the finite numbers of a series span, its largest size where they are all alike.
fn span(series: &[f64]) -> f64 {
    let finite = || series.iter().copied().filter(|value| value.is_finite());
    let (least, most) =
        (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let size = least.abs().max(most.abs());
    match most - least {
        span if span > 0.0 => span.max(1e-3 * size),
        _ if size.is_finite() && size > 0.0 => size,
        _ => 1.0,
    }
}

/// |a − b| in units of what is allowed; two gaps agree.
fn misfit(a: f64, b: f64, allowed: f64) -> f64 {
    match (a.is_finite(), b.is_finite()) {
        (false, false) => 0.0,
        (true, true) if a == b => 0.0,
        (true, true) => (a - b).abs() / allowed,
        _ => f64::INFINITY,
    }
}

fn of_tables(old: Option<&Table>, new: &Table) -> Agreement {
    let Some(old) = old else { return differs(&new.name, "is not in the record") };
    if old.head != new.head || old.rows.len() != new.rows.len() {
        return differs(&new.name, "has other rows or columns");
    }
    let mut worst = Agreement { name: new.name.clone(), misfit: 0.0, at: String::new() };
    for (nth, (row, other)) in new.rows.iter().zip(&old.rows).enumerate() {
        for (column, (cell, other)) in row.iter().zip(other).enumerate() {
            let misfit = match (other, cell) {
                (Cell::Number { value: a, bar: p }, Cell::Number { value: b, bar: q }) => {
                    let allowed = new.tolerance.max(SIX_DIGITS);
                    let bar = 2.0 * p.min(*q);
                    let values = misfit(*a, *b, bar + allowed * a.abs().max(b.abs()));
                    values.max(misfit(*p, *q, p.min(*q) + allowed * p.max(*q)))
                }
                (a, b) if a == b => 0.0,
                _ => f64::INFINITY,
            };
            if misfit > worst.misfit {
                let at = format!("row {}, column `{}`", nth + 1, new.head[column]);
                worst = Agreement { misfit, at, ..worst };
            }
        }
    }
    worst
}
