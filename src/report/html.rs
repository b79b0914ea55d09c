//! Pages: one file each, drawings and formulas in it, readable without a network, light and dark.

use super::{csv, draw, text};
use crate::error::Result;
use crate::figure::{Cell, Figure, Table};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The look of all pages.
const STYLE: &str = include_str!("style.css");

/// A page with that title and body.
pub fn page(title: &str, body: &Markup) -> String {
    let dark = format!("@media (prefers-color-scheme: dark){{{}}}", draw::DARK);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(dark)) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}

/// A paragraph or more of Markdown.
///
/// *Errors*: as [`text::html`].
pub fn prose(markdown: &str) -> Result<Markup> {
    text::html(markdown).map(PreEscaped)
}

/// Markdown inside a line.
///
/// *Errors*: as [`text::html`].
pub fn words(markdown: &str) -> Result<Markup> {
    text::inline(markdown).map(PreEscaped)
}

/// A figure with its caption and the command that makes it again.
///
/// With a folder of its files (relative, ending in `/` or empty) the page refers to them; without one the drawing and its
/// numbers are in the page.
///
/// *Errors*: as [`draw::svg`] and [`text::html`].
pub fn figure(figure: &Figure, command: &str, files: Option<&str>) -> Result<Markup> {
    let wide = if figure.columns > 1 { "drawing wide" } else { "drawing" };
    let title = plain(&figure.title);
    let drawing = match files {
        Some(folder) => html! {
            div class=(wide) { img src={ (folder) (figure.name) ".svg" } alt=(title) loading="lazy"; }
        },
        None => html! {
            div class=(wide) role="img" aria-label=(title) { (PreEscaped(draw::svg(figure)?)) }
        },
    };
    Ok(html! {
        figure id=(figure.name) {
            h3 { (words(&figure.title)?) }
            (drawing)
            figcaption {
                (prose(&figure.caption)?)
                @if !figure.not_shown.is_empty() {
                    p.not-shown { b { "Not shown: " } (words(&figure.not_shown)?) }
                }
                p.repeat {
                    @if let Some(folder) = files {
                        @for ending in ["svg", "png", "csv"] {
                            a href={ (folder) (figure.name) "." (ending) } { (ending) } " "
                        }
                        "· "
                    }
                    code { (command) }
                }
            }
            @if files.is_none() {
                details { summary { "numbers" } pre.numbers { (csv::of_figure(figure)) } }
            }
        }
    })
}

/// A table with its caption.
///
/// *Errors*: as [`text::html`].
pub fn table(table: &Table) -> Result<Markup> {
    let number = |cell: &Cell| matches!(cell, Cell::Number { .. });
    Ok(html! {
        figure id=(table.name) {
            h3 { (words(&table.title)?) }
            div.scroll {
                table {
                    thead { tr { @for head in &table.head { th { (words(head)?) } } } }
                    tbody {
                        @for row in &table.rows {
                            tr { @for cell in row {
                                td class=[number(cell).then_some("number")] { (words(&shown(cell))?) }
                            } }
                        }
                    }
                }
            }
            figcaption { (prose(&table.caption)?) }
        }
    })
}

/// A cell as text: a number to four digits, or to those that its bar leaves.
pub fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Words(words) => words.clone(),
        Cell::Number { value, .. } if !value.is_finite() => "–".to_owned(),
        Cell::Number { value, bar } if *bar == 0.0 => digits(*value, 4),
        Cell::Number { value, bar } if !bar.is_finite() => {
            format!("{} (no bar)", digits(*value, 3))
        }
        Cell::Number { value, bar } => {
            let kept = (value.abs().log10().floor() - bar.log10().floor() + 2.0).clamp(1.0, 6.0);
            format!("{} ± {}", digits(*value, kept as usize), digits(*bar, 2))
        }
    }
}

/// A number to so many digits, whole numbers in full.
fn digits(value: f64, digits: usize) -> String {
    let size = value.abs();
    let text = if value == 0.0 || (value.fract() == 0.0 && size < 1e6) {
        format!("{value}")
    } else if (1e-3..1e5).contains(&size) {
        let decimals = (digits as f64 - 1.0 - size.log10().floor()).max(0.0) as usize;
        format!("{value:.decimals$}")
    } else {
        format!("{value:.*e}", digits.saturating_sub(1))
    };
    text.replace('-', "−")
}

/// Without the marks of formulas and code: for titles that cannot have them.
pub fn plain(markdown: &str) -> String {
    markdown.replace(['$', '`'], "")
}
