//! The table of outcomes by module.

use crate::Options;
use crate::build::Listed;
use crate::run::outcomes;
use statrs::distribution::{Beta, ContinuousCDF};
use std::collections::BTreeMap;

const COLUMNS: [&str; 5] = ["caught", "timeout", "missed", "unviable", "not run"];

/// Prints counts by module, and the share caught with its 95 % interval where not all were run.
pub fn print(options: &Options, listed: &[Listed]) {
    let outcomes = outcomes(&options.work);
    let mut table: BTreeMap<String, [usize; 5]> = BTreeMap::new();
    for mutant in listed {
        let module = mutant.file.trim_start_matches("src/").split('/').next().unwrap();
        let outcome = match outcomes.get(&mutant.name) {
            _ if !mutant.viable => "unviable",
            None => "not run",
            Some(outcome) => outcome,
        };
        let column = COLUMNS.iter().position(|name| *name == outcome).expect("a known outcome");
        for row in [module.trim_end_matches(".rs"), "total"] {
            table.entry(row.to_owned()).or_default()[column] += 1;
        }
    }
    println!("| Module | {} | share caught |", COLUMNS.join(" | "));
    println!("|---|{}", "---:|".repeat(COLUMNS.len() + 1));
    let total = table.remove("total").unwrap_or_default();
    for (module, counts) in table.into_iter().chain([("total".to_owned(), total)]) {
        let cells = counts.map(|count| count.to_string()).join(" | ");
        println!("| {module} | {cells} | {} |", share(&counts));
    }
}

fn share(counts: &[usize; 5]) -> String {
    let (caught, missed) = (counts[0] + counts[1], counts[2]);
    let n = caught + missed;
    if n == 0 {
        return "–".to_owned();
    }
    let share = format!("{:.1} %", 100.0 * caught as f64 / n as f64);
    if counts[4] == 0 {
        return share;
    }
    // Clopper–Pearson.
    let end = |a: usize, b: usize, level: f64, edge: f64| {
        let beta = Beta::new(a as f64, b as f64);
        beta.map_or(edge, |beta| 100.0 * beta.inverse_cdf(level))
    };
    let (low, high) = (end(caught, missed + 1, 0.025, 0.0), end(caught + 1, missed, 0.975, 100.0));
    format!("{share} ({low:.1}–{high:.1})")
}
