//! Statement pages: Markdown as plain text.

use super::{broken, broken_table, prose};

/// A statement page (Markdown) as plain text: titles underlined, prose as wide as the terminal allows, tables
/// aligned, code left alone, no marks of emphasis or formulas.
pub fn page(markdown: &str) -> String {
    shown(markdown, prose())
}

/// What a line of Markdown belongs to.
#[derive(PartialEq)]
enum Block {
    Empty,
    Prose,
    Table,
    Code,
    /// On a line of its own.
    Formula,
}

fn shown(markdown: &str, width: usize) -> String {
    let (mut text, mut prose, mut rows) = (String::new(), String::new(), Vec::new());
    for line in markdown.lines().chain([""]) {
        let item = line.trim_start().starts_with("- ");
        let block = match line {
            _ if line.trim().is_empty() => Block::Empty,
            _ if line.starts_with('|') => Block::Table,
            _ if line.starts_with("    ") => Block::Code,
            _ if line.starts_with("$$") => Block::Formula,
            _ => Block::Prose,
        };
        let heading = line.starts_with('#');
        if !prose.is_empty() && (block != Block::Prose || heading || item) {
            // Further lines of an item stand below its first word.
            let indent = prose.len() - prose.trim_start().len();
            let hanging = if prose.trim_start().starts_with("- ") { indent + 2 } else { indent };
            text += &(broken(&plain(&prose), width, hanging) + "\n");
            prose.clear();
        }
        if !rows.is_empty() && block != Block::Table {
            text += &broken_table(&std::mem::take(&mut rows));
        }
        match block {
            Block::Empty => text.push('\n'),
            Block::Table => rows.extend(cells(line, rows.is_empty())),
            Block::Code => text += &format!("{line}\n"),
            Block::Formula => text += &format!("    {}\n", plain(line)),
            Block::Prose if heading => {
                let title = plain(line.trim_start_matches('#').trim());
                let rule = if line.starts_with("##") { "-" } else { "=" };
                text += &format!("{title}\n{}\n", rule.repeat(title.chars().count()));
            }
            Block::Prose if prose.is_empty() => prose = line.to_owned(),
            Block::Prose => prose += &format!(" {}", line.trim()),
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// The cells of a row; nothing of the rule below the head.
fn cells(line: &str, is_head: bool) -> Option<Vec<String>> {
    // A bar that stands for itself is written \|.
    let row = line.replace("\\|", "\0");
    let row = row.trim_start_matches('|').trim_end_matches('|');
    let cell = |cell: &str| plain(cell.trim()).replace('\0', "|");
    let cells: Vec<String> = row.split('|').map(cell).collect();
    let rule = cells.iter().all(|cell| cell.chars().all(|c| "-: ".contains(c)));
    (is_head || !rule).then_some(cells)
}

fn plain(line: &str) -> String {
    line.replace("**", "").replace(['`', '$'], "")
}

#[cfg(test)]
mod tests {

    #[test]
    fn a_page_loses_its_marks_and_keeps_its_words() {
        let page =
            "# Title\n\n**Bold** `code`\nmore\n\n| a | long head |\n|---|---|\n| x | \\|y\\| |\n";
        let shown = super::shown(page, 100);
        assert_eq!(shown, "Title\n=====\n\nBold code more\n\na  long head\nx  |y|\n");
    }

    #[test]
    fn formulas_lose_their_marks() {
        let page = "for $x ≥ 0$,\n\n$$y = x²,   x = 1.$$\n";
        assert_eq!(super::shown(page, 100), "for x ≥ 0,\n\n    y = x²,   x = 1.\n");
    }

    #[test]
    fn prose_and_items_are_broken_and_code_is_not() {
        let page = "one two three\nfour\n\n- (a) five six\n  seven\n- (b) eight\n\n    x = a + b + c + d\n";
        let shown = super::shown(page, 13);
        assert_eq!(
            shown,
            "one two three\nfour\n\n- (a) five\n  six seven\n- (b) eight\n\n    x = a + b + c + d\n"
        );
    }
}
