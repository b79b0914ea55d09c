//! From characters to tokens.

use super::mistake::{Mistake, Parsed, Span};
use super::syntax::Comparison;

/// A word of the language. A name is the text of its span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    Name,
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Dots,
    Compare(Comparison),
    End,
}

/// Characters and pairs of them that people write for something else, and what to write here.
const FOREIGN: &[(&str, &str)] = &[
    ("**", "powers are written with ^, as in x^2"),
    ("&&", "write `and` between the two conditions"),
    ("||", "write `or` between the two conditions, or norm(x) for a length"),
    ("&", "write `and` between two conditions"),
    ("|", "write abs(x), or norm(x) of a vector"),
    ("!", "write `not` before a condition, != for unequal"),
    ("=", "write == to compare; a helper is defined in the table of helpers"),
    ("%", "there is no remainder: write x - m*floor(x/m)"),
    ("{", "group with parentheses, list with square brackets"),
    ("}", "group with parentheses, list with square brackets"),
    (";", "write one formula at a time, and commas between arguments"),
    (":", "a range is written 0..3"),
    ("?", "write if(condition, then, otherwise)"),
    ("'", "name the derivative in the table, without a prime"),
    ("\"", "formulas hold no text"),
    ("\\", "write plain names and functions, without TeX"),
    ("×", "write *"),
    ("·", "write *, or dot(x, y)"),
    ("⋅", "write *, or dot(x, y)"),
    ("÷", "write /"),
    ("−", "write the plain minus sign -"),
    ("–", "write the plain minus sign -"),
    ("²", "write ^2"),
    ("³", "write ^3"),
    ("≤", "write <="),
    ("≥", "write >="),
    ("≠", "write !="),
    ("π", "write pi"),
    ("√", "write sqrt(x)"),
    ("∞", "every number is finite; write a large one such as 1e30"),
    ("…", "a range is written 0..3"),
];

/// The tokens of a text with their bytes; the last one is the end.
pub(crate) fn tokens(text: &str) -> Parsed<Vec<(Token, Span)>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = if c.is_ascii_digit() || (c == '.' && digits(&text[at + 1..]) > 0) {
            number(text, at)?
        } else if c.is_ascii_alphabetic() || c == '_' {
            (Token::Name, word(&text[at..]))
        } else {
            symbol(text, at)?
        };
        found.push((token, Span::new(at, at + length)));
        at += length;
    }
    found.push((Token::End, Span::new(text.len(), text.len())));
    Ok(found)
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Length of the name that the text starts with.
pub(crate) fn word(text: &str) -> usize {
    text.bytes().take_while(|c| c.is_ascii_alphanumeric() || *c == b'_').count()
}

fn number(text: &str, at: usize) -> Parsed<(Token, usize)> {
    let rest = &text[at..];
    let mut length = digits(rest);
    // `0..3` is a range, not the number `0.`.
    if rest[length..].starts_with('.') && !rest[length..].starts_with("..") {
        length += 1 + digits(&rest[length + 1..]);
        if rest[length..].starts_with('.') && digits(&rest[length + 1..]) > 0 {
            let span = Span::new(at, at + length + 1 + digits(&rest[length + 1..]));
            return Err(Mistake::new(
                span,
                format!("{} has two decimal points", &text[span.start..span.end]),
                "write a number such as 1.25, or a range such as 0..3",
            ));
        }
    }
    // An exponent needs digits: otherwise `2e` is 2 and Euler's number.
    let tail = &rest[length..];
    if tail.starts_with(['e', 'E']) {
        let sign = usize::from(tail[1..].starts_with(['+', '-']));
        let exponent = digits(&tail[1 + sign..]);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    match rest[..length].parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Token::Number(value), length)),
        _ => Err(Mistake::new(
            Span::new(at, at + length),
            format!("{} is too large for a double-precision number", shortened(&rest[..length])),
            "numbers reach up to 1.79e308",
        )),
    }
}

/// The text itself, or its start when it is long.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(24) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text.to_owned(),
    }
}

fn symbol(text: &str, at: usize) -> Parsed<(Token, usize)> {
    let rest = &text[at..];
    let known = [
        ("..", Token::Dots),
        ("<=", Token::Compare(Comparison::AtMost)),
        (">=", Token::Compare(Comparison::AtLeast)),
        ("==", Token::Compare(Comparison::Equal)),
        ("!=", Token::Compare(Comparison::Unequal)),
        ("<", Token::Compare(Comparison::Less)),
        (">", Token::Compare(Comparison::Greater)),
        ("+", Token::Plus),
        ("-", Token::Minus),
        ("*", Token::Star),
        ("/", Token::Slash),
        ("^", Token::Caret),
        ("(", Token::Open),
        (")", Token::Close),
        ("[", Token::OpenList),
        ("]", Token::CloseList),
        (",", Token::Comma),
    ];
    let foreign = FOREIGN.iter().find(|(written, _)| rest.starts_with(written));
    // `**` before `*`.
    if let Some((written, hint)) =
        foreign.filter(|(written, _)| !rest.starts_with("!=") || *written != "!")
        && !rest.starts_with("==")
    {
        let span = Span::new(at, at + written.len());
        return Err(Mistake::new(span, format!("`{written}` is not part of a formula"), *hint));
    }
    if let Some((written, token)) = known.iter().find(|(written, _)| rest.starts_with(written)) {
        return Ok((*token, written.len()));
    }
    let c = rest.chars().next().unwrap_or_default();
    let hint = if c.is_alphabetic() {
        "names are made of the letters a-z and A-Z, digits and _"
    } else {
        "formulas are made of numbers, names, + - * / ^ ( ) [ ] , .. and comparisons"
    };
    let span = Span::new(at, at + c.len_utf8());
    Err(Mistake::new(span, format!("{c:?} is not part of a formula"), hint))
}
