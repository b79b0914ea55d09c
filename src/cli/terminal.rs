//! Plain text for a terminal: its width, numbers, and statement pages.

mod page;
mod table;

pub use page::page;
pub use table::{Column, broken_table, folded_table, table};

use textwrap::{Options, WordSeparator, WordSplitter};

/// Prose is broken at this width, or at that of the terminal where it is narrower.
const WIDEST: usize = 100;

/// No terminal is taken to be narrower than this.
const NARROWEST: usize = 40;

/// The columns of the terminal that standard output is; nothing where it goes into a file or a pipe,
/// whose reader wants whole lines.
fn room() -> Option<usize> {
    let (_, columns) = console::Term::stdout().size_checked()?;
    Some(usize::from(columns).max(NARROWEST))
}

/// How wide prose is.
pub fn prose() -> usize {
    room().map_or(WIDEST, |columns| columns.min(WIDEST))
}

/// Words broken into lines as wide as prose.
pub fn paragraph(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    broken(&words, prose(), 0) + "\n"
}

/// A line that begins as it stands; on a terminal too narrow for it, further lines begin `hanging` columns in.
pub fn note(line: &str, hanging: usize) -> String {
    match room() {
        Some(columns) => broken(line, columns, hanging) + "\n",
        None => format!("{line}\n"),
    }
}

/// `text` in lines of at most `width`, but for longer words; the later ones begin `hanging` columns in.
fn broken(text: &str, width: usize, hanging: usize) -> String {
    let indent = " ".repeat(hanging);
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(&glued(text), options).replace(GLUE, " ")
}

/// A space at which no line is broken.
const GLUE: &str = "\u{a0}";

/// The same, where a number is not torn from its bar, its unit or its name.
fn glued(text: &str) -> String {
    let joined = |text: String, sign: &str| text.replace(sign, &sign.replace(' ', GLUE));
    [" ± ", " %", " = "].into_iter().fold(text.to_owned(), joined)
}

/// Three digits, in the shorter of the two notations; more of them just below 1, which is not 1; a dash for
/// what is not known.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let below = 1.0 - size;
    if !value.is_finite() {
        "–".to_owned()
    } else if value == 0.0 {
        "0".to_owned()
    } else if (0.0..1e-6).contains(&below) && below > 0.0 {
        let (whole, sign) = if value > 0.0 { ("1", '-') } else { ("-1", '+') };
        format!("{whole}{sign}{below:.0e}")
    } else if (0.0..5e-4).contains(&below) && below > 0.0 {
        let decimals = -exponent(&format!("{below:.0e}"));
        format!("{value:.*}", decimals as usize)
    } else if (1e-3..1e5).contains(&size) {
        // The exponent of what is shown: 9.999 is shown as 10.0.
        let decimals = (2 - exponent(&format!("{size:.2e}"))).max(0);
        format!("{value:.*}", decimals as usize)
    } else {
        format!("{value:.2e}")
    }
}

/// The power of ten of a number in scientific notation.
fn exponent(shown: &str) -> i32 {
    shown.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [0.0, 1.0, 0.012_345, 123_456.0, 4.5e-7, 99_999.0, -0.5].map(number);
        assert_eq!(shown, ["0", "1.00", "0.0123", "1.23e5", "4.50e-7", "99999", "-0.500"]);
        assert_eq!(number(f64::NAN), "–");
        let rounded_up = [9.996, 99.96, 0.099_97, 0.999_6e-3].map(number);
        assert_eq!(rounded_up, ["10.0", "100", "0.100", "1.00e-3"]);
    }

    #[test]
    fn what_is_just_below_one_is_not_shown_as_one() {
        let shown = [0.999, 0.999_51, 0.999_99, -0.999_99, 0.999_999_1].map(number);
        assert_eq!(shown, ["0.999", "0.9995", "0.99999", "-0.99999", "1-9e-7"]);
        let closest = [1.0 - f64::EPSILON / 2.0, -1.0 + 1e-9, 1.0 + 1e-9].map(number);
        assert_eq!(closest, ["1-1e-16", "-1+1e-9", "1.00"]);
    }

    #[test]
    fn bars_have_the_decimals_of_their_numbers() {
        assert_eq!(with_bar(6.001, 0.823, "°"), "6.00° ± 0.82°");
        assert_eq!(with_bar(17.02, 3.5, ""), "17.0 ± 3.5");
        assert_eq!(with_bar(-4.5e-7, 1.23e-8, ""), "-4.50e-7 ± 1.23e-8");
        assert_eq!(with_bar(2.0, f64::INFINITY, "°"), "2.00°");
    }

    #[test]
    fn broken_lines_hang_and_keep_a_number_with_its_bar() {
        assert_eq!(
            broken("  a: 6.00 ± 0.82 at σ = 3", 14, 4),
            "  a:\n    6.00 ± 0.82\n    at σ = 3"
        );
        assert_eq!(broken("12.3 % of cross-derivatives", 7, 0), "12.3 %\nof\ncross-derivatives");
    }
}
