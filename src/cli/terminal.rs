//! Plain text for a terminal: tables, numbers, and statement pages.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

/// Pages are broken at this width.
pub const WIDTH: u16 = 100;

/// The head of a column, and on which side its cells stand.
pub struct Column {
    title: String,
    alignment: CellAlignment,
}

impl Column {
    /// A column of words.
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), alignment: CellAlignment::Left }
    }

    /// A column of numbers.
    pub fn number(title: impl Into<String>) -> Self {
        Self { title: title.into(), alignment: CellAlignment::Right }
    }
}

/// A table as wide as its content, one line a row.
pub fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.style_mut().row_separator = comfy_table::LineStyle::none();
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|c| Cell::new(&c.title).set_alignment(c.alignment)));
    for row in rows {
        let cells = row.into_iter().zip(columns);
        table.add_row(cells.map(|(text, c)| Cell::new(text).set_alignment(c.alignment)));
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 1));
    });
    ended(&table)
}

/// A table broken at [`WIDTH`]; the last column takes what is left.
pub fn broken_table(rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.add_rows(rows);
    // The first column holds names, which are not broken.
    let longest = table.column_max_content_widths().first().copied().unwrap_or(0);
    if let Some(first) = table.column_mut(0) {
        first.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(
            (longest + 2).min(WIDTH / 2),
        )));
    }
    ended(&table)
}

/// Words broken into lines of at most [`WIDTH`].
pub fn paragraph(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("never empty");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > usize::from(WIDTH)
        {
            lines.push(word.to_owned());
        } else {
            *last += if last.is_empty() { "" } else { " " };
            *last += word;
        }
    }
    lines.join("\n") + "\n"
}

fn ended(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Three digits, in the shorter of the two notations; a dash for what is not known.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&size) {
        let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    } else {
        format!("{value:.2e}")
    }
}

/// A number of three digits with its error bar, in as many decimals; the bar is left out where there is none.
pub fn with_bar(value: f64, bar: f64, unit: &str) -> String {
    let shown = number(value);
    if !bar.is_finite() {
        return format!("{shown}{unit}");
    }
    let decimals = shown.split_once('.').map_or(0, |(_, rest)| rest.len());
    let bar = if shown.contains('e') { number(bar) } else { format!("{bar:.decimals$}") };
    format!("{shown}{unit} ± {bar}{unit}")
}

/// A statement page (Markdown) as plain text: titles underlined, tables aligned, no marks of emphasis.
pub fn page(markdown: &str) -> String {
    let mut text = String::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in markdown.lines().chain([""]) {
        if let Some(row) = line.strip_prefix('|') {
            let cells: Vec<String> =
                row.trim_end_matches('|').split('|').map(|cell| plain(cell.trim())).collect();
            if !cells.iter().all(|cell| cell.chars().all(|c| "-: ".contains(c))) || rows.is_empty()
            {
                rows.push(cells);
            }
            continue;
        }
        if !rows.is_empty() {
            text += &broken_table(std::mem::take(&mut rows));
        }
        let title = line.trim_start_matches('#');
        if title.len() < line.len() {
            let title = plain(title.trim());
            let rule = if line.starts_with("##") { "-" } else { "=" };
            text += &format!("{title}\n{}\n", rule.repeat(title.chars().count()));
        } else {
            text += &plain(line);
            text.push('\n');
        }
    }
    text.trim_end().to_owned() + "\n"
}

fn plain(line: &str) -> String {
    line.replace("**", "").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [0.0, 1.0, 0.012_345, 123_456.0, 4.5e-7, 99_999.0, -0.5].map(number);
        assert_eq!(shown, ["0", "1.00", "0.0123", "1.23e5", "4.50e-7", "99999", "-0.500"]);
        assert_eq!(number(f64::NAN), "–");
    }

    #[test]
    fn bars_have_the_decimals_of_their_numbers() {
        assert_eq!(with_bar(6.001, 0.823, "°"), "6.00° ± 0.82°");
        assert_eq!(with_bar(17.02, 3.5, ""), "17.0 ± 3.5");
        assert_eq!(with_bar(-4.5e-7, 1.23e-8, ""), "-4.50e-7 ± 1.23e-8");
        assert_eq!(with_bar(2.0, f64::INFINITY, "°"), "2.00°");
    }

    #[test]
    fn a_page_loses_its_marks_and_keeps_its_words() {
        let shown = page("# Title\n\n**Bold** `code`\n\n| a | long head |\n|---|---|\n| x | y |\n");
        assert_eq!(shown, "Title\n=====\n\nBold code\n\n a  long head\n x  y\n");
    }
}
