//! Markdown with formulas → HTML with MathML, which needs no script and no network.

use super::formula::latex;
use crate::error::{Error, Result};
use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};
use std::sync::OnceLock;

/// HTML of Markdown; `$…$` and `$$…$$` are formulas, in LaTeX or as plain Unicode.
///
/// Raw HTML in the source is shown as text.
///
/// *Errors*: [`Error::Input`] for a formula that cannot be read, with the formula.
pub fn html(markdown: &str) -> Result<String> {
    let options = Options::ENABLE_MATH | Options::ENABLE_TABLES;
    let mut events = Vec::new();
    let mut parser = Parser::new_ext(markdown, options).peekable();
    while let Some(event) = parser.next() {
        events.push(match event {
            Event::InlineMath(formula) => {
                let set = mathml(&formula, MathDisplay::Inline)?;
                let mark = |c: char| ",.;:)".contains(c);
                match parser.peek_mut() {
                    // No line begins with the mark that follows a formula.
                    Some(Event::Text(text)) if text.starts_with(mark) => {
                        let rest = text.trim_start_matches(mark);
                        let marks = &text[..text.len() - rest.len()];
                        let whole = format!("<span class=\"whole\">{set}{marks}</span>");
                        *text = CowStr::from(rest.to_owned());
                        Event::InlineHtml(CowStr::from(whole))
                    }
                    _ => Event::InlineHtml(CowStr::from(set)),
                }
            }
            Event::DisplayMath(formula) => {
                Event::InlineHtml(CowStr::from(mathml(&formula, MathDisplay::Block)?))
            }
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            // Records may come from others: a page asks nothing of the network and runs nothing.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => continue,
            Event::Start(Tag::Link { dest_url, link_type, title, id }) => {
                let inside = !dest_url.contains(':') && !dest_url.starts_with("//");
                let dest_url = if inside { dest_url } else { CowStr::from("#") };
                Event::Start(Tag::Link { dest_url, link_type, title, id })
            }
            event => event,
        });
    }
    let mut text = String::new();
    pulldown_cmark::html::push_html(&mut text, events.into_iter());
    Ok(text)
}

/// Words that are no Markdown, such as names and messages, so that they are shown as they are.
pub fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
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
    let refuse = |why: String| {
        let problem = format!("not a formula that can be set ({why})");
        Error::input(format!("${formula}$"), problem, "LaTeX, or Unicode such as `γ² > 4κη`")
    };
    if depth(formula) > DEEPEST {
        return Err(refuse(format!("nested more than {DEEPEST} times")));
    }
    let converted = converter.convert_with_local_state(&latex(formula), display);
    converted.map(|result| result.mathml).map_err(|error| refuse(error.to_string()))
}

/// Formulas are read by functions that call themselves: records from elsewhere may not exhaust the stack.
const DEEPEST: usize = 50;

/// How many brackets and roots are open at once, at most; more where they do not close.
fn depth(formula: &str) -> usize {
    let mut depths = (0_usize, 0);
    for c in formula.chars() {
        match c {
            '(' | '[' | '{' | '√' => depths.0 += 1,
            ')' | ']' | '}' => depths.0 = depths.0.saturating_sub(1),
            _ => {}
        }
        depths.1 = depths.1.max(depths.0);
    }
    depths.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_mathml_and_raw_html_becomes_text() {
        let text = inline("the bound $l ≤ y^2$ <script>").unwrap();
        assert!(text.starts_with("the bound <math><mi>l</mi><mo>≤</mo><msup>"), "{text}");
        assert!(text.ends_with("&lt;script&gt;"), "{text}");
        assert!(inline("of $d$), and").unwrap().contains("<mi>d</mi></math>),</span> and"));
        assert!(inline("$\\nonsense x$").unwrap_err().to_string().contains("\\nonsense"));
        for (open, close) in [("√(", ""), ("√(", ")"), ("x^{", "}"), ("\\sqrt{", "}")] {
            let deep = format!("${}x{}$", open.repeat(50_000), close.repeat(50_000));
            assert!(inline(&deep).unwrap_err().to_string().contains("nested"), "{open}");
        }
    }
}
