//! Tables: as wide as their content where the terminal has room for it, else narrower with every number whole.

use super::{broken, glued, prose, room};
use textwrap::core::display_width;

/// Between two columns.
const GAP: usize = 2;

/// In front of the cells that stand below the first one of their row.
const INDENT: &str = "  ";

/// The head of a column, on which side its cells stand, and whether they can be done without.
#[derive(Clone, Debug)]
pub struct Column {
    title: String,
    is_text: bool,
    rank: Option<u8>,
}

impl Column {
    /// A column of words.
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), is_text: true, rank: None }
    }

    /// A column of numbers.
    pub fn number(title: impl Into<String>) -> Self {
        Self { title: title.into(), is_text: false, rank: None }
    }

    /// The same as one that a narrow terminal does without, those of lower rank first.
    pub fn minor(self, rank: u8) -> Self {
        Self { rank: Some(rank), ..self }
    }

    /// Its title on one line.
    fn name(&self) -> String {
        self.title.replace("-\n", "").replace('\n', " ").trim().to_owned()
    }
}

/// A table, one line a row, as wide as its content; on a terminal too narrow for that, without minor columns
/// or with the first cell of each row on a line of its own.
pub fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    fitted(columns, &rows, room().unwrap_or(usize::MAX))
}

/// A table whose first `keys` columns are repeated where a narrow terminal makes it continue below itself;
/// of the others `group` stay together.
pub fn folded_table(columns: &[Column], rows: &[Vec<String>], keys: usize, group: usize) -> String {
    folded(columns, rows, keys, group, room().unwrap_or(usize::MAX))
}

/// A table without head, as wide as prose, with the words of its cells broken into lines.
pub fn broken_table(rows: &[Vec<String>]) -> String {
    headless(rows, prose())
}

fn fitted(columns: &[Column], rows: &[Vec<String>], room: usize) -> String {
    let mut minor: Vec<usize> = (0..columns.len()).filter(|i| columns[*i].rank.is_some()).collect();
    minor.sort_by_key(|i| columns[*i].rank);
    let kept = |dropped: usize| {
        let stays = |i: &usize| !minor[..dropped].contains(i);
        Grid::of(columns, rows, (0..columns.len()).filter(stays))
    };
    let layouts =
        [false, true].into_iter().flat_map(|stacked| (0..=minor.len()).map(move |n| (stacked, n)));
    let mut fits = layouts.filter(|(stacked, n)| kept(*n).width(*stacked) <= room);
    // Where nothing fits, words are broken into lines.
    let (stacked, dropped) = fits.next().unwrap_or((true, minor.len()));
    let mut text = kept(dropped).shown(stacked, room);
    if dropped > 0 {
        let names: Vec<String> = minor[..dropped].iter().map(|i| columns[*i].name()).collect();
        let note = format!("Left out for want of width: {}.", names.join(", "));
        text += &(broken(&note, room, INDENT.len()) + "\n");
    }
    text
}

fn folded(
    columns: &[Column],
    rows: &[Vec<String>],
    keys: usize,
    group: usize,
    room: usize,
) -> String {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let others: Vec<usize> = (keys..columns.len()).collect();
    for group in others.chunks(group) {
        let width = |part: &[usize]| Grid::of(columns, rows, part.iter().copied()).width(false);
        let longer = parts.last().map(|part| [part, group].concat());
        match longer.filter(|part| width(part) <= room) {
            Some(part) => *parts.last_mut().expect("there is one") = part,
            None => parts.push((0..keys).chain(group.iter().copied()).collect()),
        }
    }
    parts.into_iter().map(|part| Grid::of(columns, rows, part).shown(false, room)).collect()
}

fn headless(rows: &[Vec<String>], room: usize) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let columns = vec![Column::text(""); count];
    let grid = Grid::of(&columns, rows, 0..count);
    let widths = grid.widths(0, room);
    grid.rows.iter().map(|row| joined(&grid.lines(row, &widths, 0))).collect()
}

/// Some columns of a table.
struct Grid<'a> {
    columns: Vec<&'a Column>,
    rows: Vec<Vec<&'a str>>,
}

impl<'a> Grid<'a> {
    fn of(
        columns: &'a [Column],
        rows: &'a [Vec<String>],
        kept: impl IntoIterator<Item = usize>,
    ) -> Self {
        let kept: Vec<usize> = kept.into_iter().collect();
        let cells =
            |row: &'a Vec<String>| kept.iter().map(|i| row.get(*i).map_or("", |c| c)).collect();
        Self {
            columns: kept.iter().map(|i| &columns[*i]).collect(),
            rows: rows.iter().map(cells).collect(),
        }
    }

    fn titles(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.title.as_str()).collect()
    }

    /// The widest of `size` in each column from `first` on, head included.
    fn largest(&self, first: usize, size: impl Fn(&str) -> usize) -> Vec<usize> {
        let titles = self.titles();
        let cells = |i: usize| self.rows.iter().map(move |row| row[i]);
        let widest = |i| cells(i).chain([titles[i]]).map(&size).max().unwrap_or(0);
        (first..self.columns.len()).map(widest).collect()
    }

    /// How wide it is when no cell is broken.
    fn width(&self, stacked: bool) -> usize {
        let first = usize::from(stacked);
        total(&self.largest(first, line_width)) + first * INDENT.len()
    }

    /// Widths of the columns from `first` on: those of words are narrowed, the widest first, until all fit the room.
    fn widths(&self, first: usize, room: usize) -> Vec<usize> {
        let least = self.largest(first, word_width);
        let mut widths = self.largest(first, line_width);
        while total(&widths) > room {
            let narrower = |i: &usize| self.columns[first + i].is_text && widths[*i] > least[*i];
            let Some(widest) = (0..widths.len()).filter(narrower).max_by_key(|i| widths[*i]) else {
                break;
            };
            widths[widest] -= 1;
        }
        widths
    }

    fn shown(&self, stacked: bool, room: usize) -> String {
        let first = usize::from(stacked);
        let widths = self.widths(first, room.saturating_sub(first * INDENT.len()));
        let indent = if stacked { INDENT } else { "" };
        let row = |cells: &[&str]| {
            let head = if stacked { cells[0] } else { "" };
            let head = head.lines().map(str::to_owned);
            let lines = self.lines(cells, &widths, first);
            let rest = lines.into_iter().map(|line| format!("{indent}{line}"));
            joined(&head.chain(rest).collect::<Vec<_>>())
        };
        let rule = |dash: &str| dash.repeat(total(&widths) + indent.len()) + "\n";
        let body: String = self.rows.iter().map(|cells| row(cells)).collect();
        format!("{}{}{}{body}{}", rule("─"), row(&self.titles()), rule("═"), rule("─"))
    }

    /// The lines of a row, of its cells from `first` on.
    fn lines(&self, row: &[&str], widths: &[usize], first: usize) -> Vec<String> {
        let broken_cell = |(text, width): (&&str, &usize)| {
            broken(text, *width, 0).lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let cells: Vec<Vec<String>> = row[first..].iter().zip(widths).map(broken_cell).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let line = |i: usize| {
            let placed = cells.iter().zip(widths).zip(&self.columns[first..]).map(
                |((cell, width), column)| {
                    let text = cell.get(i).map_or("", String::as_str);
                    let fill = " ".repeat(width.saturating_sub(display_width(text)));
                    if column.is_text { format!("{text}{fill}") } else { format!("{fill}{text}") }
                },
            );
            placed.collect::<Vec<_>>().join(&" ".repeat(GAP))
        };
        (0..height).map(line).collect()
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

fn line_width(text: &str) -> usize {
    text.lines().map(display_width).max().unwrap_or(0)
}

fn word_width(text: &str) -> usize {
    glued(text).split([' ', '\n']).map(display_width).max().unwrap_or(0)
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Vec<Column>, Vec<Vec<String>>) {
        let columns = vec![
            Column::text("name"),
            Column::number("un-\ndecided").minor(1),
            Column::number("least\nroom"),
            Column::text("outcome"),
        ];
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = vec![
            row(["a_long_name", "0", "-1.2e-7 ± 3e-8", "12.3 % ± 4.1 %: loses"]),
            row(["b", "11", "0.5", "wins"]),
        ];
        (columns, rows)
    }

    /// The widest line.
    fn width(text: &str) -> usize {
        text.lines().map(display_width).max().unwrap()
    }

    #[test]
    fn a_wide_table_has_one_line_a_row() {
        let (columns, rows) = sample();
        let wide = fitted(&columns, &rows, usize::MAX);
        assert_eq!(
            wide,
            "───────────────────────────────────────────────────────────\n\
             name             un-           least  outcome\n             decided            room\n\
             ═══════════════════════════════════════════════════════════\n\
             a_long_name        0  -1.2e-7 ± 3e-8  12.3 % ± 4.1 %: loses\n\
             b                 11             0.5  wins\n\
             ───────────────────────────────────────────────────────────\n"
        );
        assert_eq!(fitted(&columns, &rows, width(&wide)), wide);
    }

    #[test]
    fn a_narrow_table_first_loses_minor_columns_then_stacks_then_breaks_words_but_no_number() {
        let (columns, rows) = sample();
        let full = width(&fitted(&columns, &rows, usize::MAX));
        // The least: what cannot be broken, "-1.2e-7 ± 3e-8" and "12.3 % ± 4.1 %:", with gap and indent.
        for room in 33..full {
            let shown = fitted(&columns, &rows, room);
            assert!(width(&shown) <= room, "{room}:\n{shown}");
            for whole in ["a_long_name", "-1.2e-7 ± 3e-8", "0.5", "wins"] {
                assert!(shown.contains(whole), "{whole} at {room}:\n{shown}");
            }
        }
        let shown = fitted(&columns, &rows, full - 1);
        assert!(shown.contains("\na_long_name  -1.2e-7"), "{shown}");
        assert!(shown.ends_with("\nLeft out for want of width: undecided.\n"), "{shown}");
        let stacked = fitted(&columns, &rows, 40);
        assert!(
            stacked.contains("\na_long_name\n  -1.2e-7 ± 3e-8  12.3 % ± 4.1 %: loses\n"),
            "{stacked}"
        );
        let shown = fitted(&columns, &rows, 34);
        assert!(shown.contains("12.3 % ± 4.1 %:\n"), "{shown}");
    }

    #[test]
    fn a_folded_table_repeats_its_keys_and_keeps_its_groups() {
        let heads = ["key", "a", "A", "b", "B"];
        let columns = heads.map(Column::number).to_vec();
        let rows = vec![["k", "1.00", "2.00", "3.00", "4.00"].map(str::to_owned).to_vec()];
        assert_eq!(folded(&columns, &rows, 1, 2, 99), fitted(&columns, &rows, 99));
        let two = folded(&columns, &rows, 1, 2, 16);
        assert_eq!(two.matches("key").count(), 2);
        assert!(two.contains("  k  1.00  2.00\n") && two.contains("  k  3.00  4.00\n"), "{two}");
    }

    #[test]
    fn words_of_a_headless_table_are_broken_between_words() {
        let rows = [vec!["H1".to_owned(), "data lie on the set".to_owned()]];
        assert_eq!(headless(&rows, 14), "H1  data lie\n    on the set\n");
    }
}
