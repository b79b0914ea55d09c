//! Figures and tables as Markdown, for repositories; formulas stay between dollar signs.

use super::html::shown;
use crate::figure::{Figure, Table};

/// A figure as an image in that folder beside the page (empty, or ending in `/`), with its caption.
pub fn figure(figure: &Figure, command: &str, folder: &str) -> String {
    let Figure { name, title, caption, not_shown, .. } = figure;
    let mut out = format!(
        "### {title}\n\n![{}]({folder}{name}.svg)\n\n{caption}\n",
        super::html::plain(title)
    );
    if !not_shown.is_empty() {
        out.push_str(&format!("\n*Not shown:* {not_shown}\n"));
    }
    out.push_str(&format!("\n[png]({folder}{name}.png) [csv]({folder}{name}.csv) · `{command}`\n"));
    out
}

/// A table with its caption.
pub fn table(table: &Table) -> String {
    let row = |cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut out = format!("### {}\n\n{}", table.title, row(table.head.clone()));
    out.push_str(&format!("|{}\n", "---|".repeat(table.head.len())));
    for cells in &table.rows {
        out.push_str(&row(cells.iter().map(shown).collect()));
    }
    out.push_str(&format!("\n{}\n", table.caption));
    out
}
