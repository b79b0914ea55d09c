//! The pages of the gallery: a folder a chapter, and the front page.

mod agreement;

pub use agreement::{Agreement, compare};

use super::{csv, draw, html as page, markdown};
use crate::error::Result;
use crate::figure::Figure;
use crate::record::{Chapter, FILE_NAME, Finding, Relation, to_json};
use maud::{Markup, html};

/// A file of the gallery: its path from the root of the gallery, with `/`, and its bytes.
pub type File = (String, Vec<u8>);

/// What the gallery is, at the head of its front page.
const ABOUT: &str = "\
What the theory of *when and how inexact generative models still sample from the data manifold* (Chandramoorthy and \
de Clercq, NeurIPS 2025) says, beside what our experiments show. The settings are ours: no figure is a reproduction of \
one of the paper. Every figure can be drawn again from the record beside it, and computed again by the command below it.";

/// The command that computes a figure or a chapter again.
pub fn command(name: &str) -> String {
    format!("driftproof report --only {name}")
}

/// The command that computes a figure of a chapter again.
fn repeat(chapter: &Chapter, name: &str) -> String {
    if chapter.command.is_empty() { command(name) } else { chapter.command.clone() }
}

/// The files of one chapter; with `only` those of that figure or table alone.
///
/// *Errors*: as [`draw::svg`], and for captions that cannot be set.
pub fn chapter(chapter: &Chapter, only: Option<&str>) -> Result<Vec<File>> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut files = Vec::new();
    let mut add =
        |name: String, bytes: Vec<u8>| files.push((format!("{}/{name}", chapter.name), bytes));
    for figure in chapter.figures.iter().filter(|figure| wanted(&figure.name)) {
        of_figure(figure)?.into_iter().for_each(|(name, bytes)| add(name, bytes));
    }
    for table in chapter.tables.iter().filter(|table| wanted(&table.name)) {
        add(format!("{}.csv", table.name), csv::of_table(table).into_bytes());
    }
    if only.is_none() {
        add(FILE_NAME.to_owned(), to_json(chapter).into_bytes());
        add("index.html".to_owned(), html_page(chapter)?.into_bytes());
        add("README.md".to_owned(), markdown_page(chapter).into_bytes());
    }
    Ok(files)
}

/// A figure as image, numbers and drawing, named after it.
///
/// *Errors*: as [`draw::svg`].
pub fn of_figure(figure: &Figure) -> Result<Vec<File>> {
    let svg = draw::svg(figure)?;
    Ok(vec![
        (format!("{}.png", figure.name), draw::png(&svg)?),
        (format!("{}.csv", figure.name), csv::of_figure(figure).into_bytes()),
        (format!("{}.svg", figure.name), draw::standalone(&svg).into_bytes()),
    ])
}

/// The paths that the figures and tables of a chapter have, or had.
pub fn paths(chapter: &Chapter) -> impl Iterator<Item = String> {
    let of_figures = chapter.figures.iter().flat_map(|figure| {
        ["png", "csv", "svg"].map(|ending| format!("{}/{}.{ending}", chapter.name, figure.name))
    });
    let of_tables =
        chapter.tables.iter().map(|table| format!("{}/{}.csv", chapter.name, table.name));
    of_figures.chain(of_tables)
}

/// Whether two chapters hold the same figure or table of that name.
pub fn same(a: &Chapter, b: &Chapter, name: &str) -> bool {
    // As text: gaps are no numbers, and equal none.
    let figure = |of: &Chapter| of.figures.iter().find(|figure| figure.name == name).map(to_json);
    let table = |of: &Chapter| of.tables.iter().find(|table| table.name == name).map(to_json);
    figure(a) == figure(b) && table(a) == table(b)
}

/// The front page, as HTML and as Markdown.
///
/// *Errors*: as [`chapter`].
pub fn front(chapters: &[Chapter]) -> Result<Vec<File>> {
    let findings = || chapters.iter().flat_map(|c| c.findings.iter().map(move |f| (c, f)));
    let title = "Gallery of driftproof";
    let body = html! {
        h1 { (title) }
        (page::prose(ABOUT)?)
        h2 { "Claims and findings" }
        div.scroll { table {
            thead { tr { th { "claim of the paper or the theory" } th { "what we found" } th {} th { "figure" } } }
            tbody {
                @for (chapter, finding) in findings() {
                    tr {
                        td { (page::words(&finding.claim)?) }
                        td { (page::words(&finding.found)?) }
                        td { (relation(finding)) }
                        td { a href={ (chapter.name) "/index.html#" (finding.figure) } { (finding.figure) } }
                    }
                }
            }
        } }
        h2 { "Chapters" }
        ul.cards {
            @for chapter in chapters {
                li {
                    a href={ (chapter.name) "/index.html" } {
                        @if let Some(figure) = chapter.figures.first() {
                            img src={ (chapter.name) "/" (figure.name) ".svg" } alt=(page::plain(&figure.title));
                        }
                        b { (chapter.title) }
                    }
                    p.soft { (chapter.figures.len()) " figures, " (chapter.tables.len()) " tables" }
                }
            }
        }
        h2 { "How to repeat" }
        (page::prose("`driftproof report` computes and draws everything; `driftproof report --redraw` draws from the \
            records that lie here; `driftproof report --check` computes again and says whether the numbers agree.")?)
        (log(chapters))
    };
    let mut text = format!("# {title}\n\n{ABOUT}\n\n## Claims and findings\n\n");
    text.push_str(
        "| claim of the paper or the theory | what we found | | figure |\n|---|---|---|---|\n",
    );
    for (chapter, finding) in findings() {
        let cell = |words: &str| words.replace('|', "\\|");
        text.push_str(&format!(
            "| {} | {} | {} | [{}]({}/README.md#{}) |\n",
            cell(&finding.claim),
            cell(&finding.found),
            said(finding.relation),
            finding.figure,
            chapter.name,
            anchor(chapter, &finding.figure),
        ));
    }
    text.push_str("\n## Chapters\n\n");
    for chapter in chapters {
        text.push_str(&format!("- [{}]({}/README.md)\n", chapter.title, chapter.name));
    }
    text.push_str("\n`driftproof report` makes all of this, `driftproof report --check` computes it again and compares.\n");
    Ok(vec![
        ("index.html".to_owned(), page::page(title, &body).into_bytes()),
        ("README.md".to_owned(), text.into_bytes()),
    ])
}

/// How a repository's viewer names the heading of a figure or table.
fn anchor(chapter: &Chapter, name: &str) -> String {
    let figures = chapter.figures.iter().map(|figure| (&figure.name, &figure.title));
    let tables = chapter.tables.iter().map(|table| (&table.name, &table.title));
    let title = figures.chain(tables).find(|(of, _)| *of == name).map_or("", |(_, title)| title);
    let kept = title.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

fn html_page(chapter: &Chapter) -> Result<String> {
    let body = html! {
        @if chapter.command.is_empty() {
            p.repeat { a href="../index.html" { "gallery" } }
        } @else {
            p.repeat { code { (chapter.command) } }
        }
        h1 { (chapter.title) }
        (page::prose(&chapter.about)?)
        @if !chapter.findings.is_empty() {
            ul {
                @for finding in &chapter.findings {
                    li {
                        (page::words(&finding.claim)?) " — " (relation(finding)) ": " (page::words(&finding.found)?)
                        " (" a href={ "#" (finding.figure) } { (finding.figure) } ")"
                    }
                }
            }
        }
        @for figure in &chapter.figures { (page::figure(figure, &repeat(chapter, &figure.name), Some(""))?) }
        @for table in &chapter.tables { (page::table(table)?) }
        (log(std::slice::from_ref(chapter)))
    };
    Ok(page::page(&chapter.title, &body))
}

fn markdown_page(chapter: &Chapter) -> String {
    let mut out = format!("# {}\n\n{}\n\n", chapter.title, chapter.about);
    for finding in &chapter.findings {
        let Finding { claim, found, figure, .. } = finding;
        let link = anchor(chapter, figure);
        let said = said(finding.relation);
        out.push_str(&format!("- {claim} — **{said}**: {found} ([{figure}](#{link}))\n"));
    }
    for figure in &chapter.figures {
        out.push_str(&format!(
            "\n{}",
            markdown::figure(figure, &repeat(chapter, &figure.name), "")
        ));
    }
    for table in &chapter.tables {
        out.push_str(&format!("\n{}", markdown::table(table)));
    }
    out.push_str(&format!(
        "\nSeed {}, driftproof {}.\n",
        chapter.seed, chapter.versions.driftproof
    ));
    out
}

/// Versions, machine, seeds and times.
fn log(chapters: &[Chapter]) -> Markup {
    html! {
        h2 { "Log" }
        div.scroll { table {
            thead { tr { th { "chapter" } th { "seed" } th { "driftproof" } th { "compiler" } th { "machine" } th { "time" } } }
            tbody { @for chapter in chapters { tr {
                td { (chapter.name) }
                td.number { (chapter.seed) }
                td { (chapter.versions.driftproof) }
                td { (chapter.versions.compiler()) }
                td { (chapter.versions.machine()) }
                td.number { (format!("{:.1} s", chapter.seconds)) }
            } } }
        } }
    }
}

fn relation(finding: &Finding) -> Markup {
    let class = match finding.relation {
        Relation::Agrees => "good",
        Relation::Contradicts => "bad",
        Relation::Sharpens | Relation::Open => "open",
    };
    html! { span class=(class) { (said(finding.relation)) } }
}

/// The relation in a word.
fn said(relation: Relation) -> &'static str {
    match relation {
        Relation::Agrees => "seen",
        Relation::Sharpens => "to be sharpened",
        Relation::Contradicts => "contradicted",
        Relation::Open => "open",
    }
}
