//! Tables of numbers as text: one point a line, separated by commas, semicolons or tabs.

use super::{Rows, check};
use crate::error::{Error, Result};
use std::path::Path;

/// Rows of a table; a first line without any number is a header, lines after `#` are skipped.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Rows> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The reader takes the end of the file for the end of a quotation.
    if bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        let problem = "a quotation mark without its partner: truncated or damaged";
        return Err(Error::file(path, problem, "copy or write the file again"));
    }
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(::csv::Trim::All)
        .comment(Some(b'#'))
        .delimiter(delimiter(bytes))
        .from_reader(bytes);
    let (mut columns, mut values, mut lines) = (None, Vec::new(), Vec::new());
    let mut lines_before = LineCounter { bytes, at: 0, line: 1 };
    for record in reader.byte_records() {
        let record = record.map_err(|error| {
            Error::file(path, format!("not a table ({error})"), "one line of numbers a point")
        })?;
        let line = lines_before.line_of(record.position().map_or(0, |at| at.byte() as usize));
        let cells: Vec<String> =
            record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        let numbers: Vec<Option<f64>> = cells.iter().map(|cell| cell.parse().ok()).collect();
        let width = *columns.get_or_insert(cells.len());
        if cells.len() != width {
            let problem =
                format!("line {line} has {} cells, the lines before {width}", cells.len());
            return Err(Error::file(path, problem, "the same number of cells in every line"));
        }
        // A header has no number at all; a line with some is data with a bad cell.
        if values.is_empty() && lines.is_empty() && numbers.iter().all(Option::is_none) {
            lines.push(line);
            continue;
        }
        if let Some(bad) = numbers.iter().position(Option::is_none) {
            let found = if cells[bad].is_empty() {
                "an empty cell".to_owned()
            } else {
                format!("{:?}, not a number,", cells[bad].chars().take(40).collect::<String>())
            };
            let problem = format!("{found} in line {line}, column {}", bad + 1);
            let hint = "decimal points, and commas, semicolons or tabs between cells; \
                        no number at all in a header";
            return Err(Error::file(path, problem, hint));
        }
        lines.push(line);
        values.extend(numbers.into_iter().flatten());
    }
    let columns = columns.unwrap_or(1);
    let header = lines.len() - values.len() / columns;
    check(path, Rows { columns, shape: vec![columns], values }, |row, column| {
        format!("line {}, column {}", lines[row + header], column + 1)
    })
}

/// The first of comma, semicolon and tab in the first line that is not a comment.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|byte| *byte == b'\n').find(|line| !line.starts_with(b"#"));
    let line = line.unwrap_or_default();
    b",;\t".iter().copied().find(|mark| line.contains(mark)).unwrap_or(b',')
}

/// Counts lines: the reader's own count stops before the empty and comment lines that precede a record.
struct LineCounter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl LineCounter<'_> {
    /// The line, from 1, of the record that starts at this byte or behind skipped lines after it.
    fn line_of(&mut self, start: usize) -> usize {
        let mut in_comment = false;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    in_comment = false;
                }
                b'#' if self.at >= start => in_comment = true,
                b'\r' => (),
                _ if self.at >= start && !in_comment => break,
                _ => (),
            }
            self.at += 1;
        }
        self.line
    }
}
