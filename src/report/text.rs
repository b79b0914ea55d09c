//! Markdown with formulas → HTML with MathML, which needs no script and no network.

use crate::error::{Error, Result};
use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};
use pulldown_cmark::{CowStr, Event, Options, Parser};
use std::sync::OnceLock;

/// Names of functions, set upright.
const FUNCTIONS: &[&str] = &[
    "arcsin", "arctan", "artanh", "cos", "cosh", "cot", "coth", "cov", "Cov", "det", "dim", "dist",
    "div", "erf", "exp", "grad", "ker", "log", "ln", "max", "median", "min", "rank", "rch", "sign",
    "sin", "sinh", "sup", "supp", "tan", "tanh", "tr", "vol",
];

/// HTML of Markdown; `$…$` and `$$…$$` are formulas, in LaTeX or as plain Unicode.
///
/// Raw HTML in the source is shown as text.
///
/// *Errors*: [`Error::Input`] for a formula that cannot be read, with the formula.
pub fn html(markdown: &str) -> Result<String> {
    let options = Options::ENABLE_MATH | Options::ENABLE_TABLES;
    let mut events = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        events.push(match event {
            Event::InlineMath(formula) => {
                Event::InlineHtml(CowStr::from(mathml(&formula, MathDisplay::Inline)?))
            }
            Event::DisplayMath(formula) => {
                Event::InlineHtml(CowStr::from(mathml(&formula, MathDisplay::Block)?))
            }
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            event => event,
        });
    }
    let mut text = String::new();
    pulldown_cmark::html::push_html(&mut text, events.into_iter());
    Ok(text)
}

/// [`html`] of one paragraph, without its paragraph marks.
///
/// *Errors*: as there.
pub fn inline(markdown: &str) -> Result<String> {
    let text = html(markdown)?;
    let text = text.trim();
    let inside = text.strip_prefix("<p>").and_then(|text| text.strip_suffix("</p>"));
    Ok(inside.unwrap_or(text).to_owned())
}

fn mathml(formula: &str, display: MathDisplay) -> Result<String> {
    static CONVERTER: OnceLock<LatexToMathML> = OnceLock::new();
    let converter = CONVERTER.get_or_init(|| {
        LatexToMathML::new(MathCoreConfig::default()).expect("no macros, hence none that is wrong")
    });
    let latex = latex(formula);
    let converted = converter.convert_with_local_state(&latex, display);
    converted.map(|result| result.mathml).map_err(|error| {
        let problem = format!("not a formula that can be set ({})", error);
        Error::input(format!("${formula}$"), problem, "LaTeX, or Unicode such as `γ² > 4κη`")
    })
}

/// Unicode formulas as LaTeX: raised and lowered digits, roots, names of functions.
fn latex(formula: &str) -> String {
    let mut out = String::with_capacity(formula.len());
    let mut rest = formula.chars().peekable();
    let mut raised = String::new();
    while let Some(next) = rest.next() {
        if let Some(plain) = of_superscript(next) {
            raised.push(plain);
            if rest.peek().copied().and_then(of_superscript).is_none() {
                out.push_str(&format!("^{{{raised}}}"));
                raised.clear();
            }
            continue;
        }
        match next {
            // A command of LaTeX stays as it is.
            '\\' => {
                out.push(next);
                while let Some(letter) = rest.next_if(char::is_ascii_alphabetic) {
                    out.push(letter);
                }
            }
            '√' if rest.peek() == Some(&'(') => {
                rest.next();
                let mut depth = 1;
                let inside: String = rest
                    .by_ref()
                    .take_while(|c| {
                        depth += match c {
                            '(' => 1,
                            ')' => -1,
                            _ => 0,
                        };
                        depth > 0
                    })
                    .collect();
                out.push_str(&format!("\\sqrt{{{}}}", latex(&inside)));
            }
            '√' => {
                let inside: String =
                    std::iter::from_fn(|| rest.next_if(|c| c.is_alphanumeric())).collect();
                out.push_str(&format!("\\sqrt{{{inside}}}"));
            }
            c if c.is_ascii_alphabetic() => {
                let mut word = String::from(c);
                while let Some(letter) = rest.next_if(char::is_ascii_alphabetic) {
                    word.push(letter);
                }
                match FUNCTIONS.contains(&word.as_str()) {
                    true => out.push_str(&format!("\\operatorname{{{word}}}")),
                    false => out.push_str(&word),
                }
            }
            c => match of_subscript(c) {
                Some(digit) => out.push_str(&format!("_{digit}")),
                None => out.push(c),
            },
        }
    }
    out
}

fn of_superscript(c: char) -> Option<char> {
    Some(match c {
        '⁰' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁴'..='⁹' => char::from_digit(c as u32 - '⁴' as u32 + 4, 10)?,
        '⁻' => '-',
        'ᵀ' => 'T',
        _ => return None,
    })
}

fn of_subscript(c: char) -> Option<char> {
    char::from_digit((c as u32).checked_sub('₀' as u32).filter(|digit| *digit < 10)?, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_is_set_like_latex() {
        assert_eq!(latex("√(γ² − 4κη)"), "\\sqrt{γ^{2} − 4κη}");
        assert_eq!(latex("λ_max(C)x⁻¹⁰ + x₁"), "λ_\\operatorname{max}(C)x^{-10} + x_1");
        assert_eq!(latex("\\tan θ + tan θ"), "\\tan θ + \\operatorname{tan} θ");
    }

    #[test]
    fn formulas_become_mathml_and_raw_html_becomes_text() {
        let text = inline("the bound $l ≤ y^2$ <script>").unwrap();
        assert!(text.starts_with("the bound <math><mi>l</mi><mo>≤</mo><msup>"), "{text}");
        assert!(text.ends_with("&lt;script&gt;"), "{text}");
        assert!(inline("$\\nonsense$").unwrap_err().to_string().contains("\\nonsense"));
    }
}
