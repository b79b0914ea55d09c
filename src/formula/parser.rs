//! From tokens to syntax, by precedence climbing.
//!
//! From loose to tight: `or`, `and`, `not`, comparison, `+ -`, `* /`, unary minus, `^` (from the right), `x[i]`.

use super::lexer::{Token, shortened, tokens};
use super::mistake::{Mistake, Parsed, Span};
use super::syntax::{Kind, Syntax};

/// Deepest nesting of parentheses, signs and powers: far beyond what is readable, far below what a stack holds.
pub(crate) const DEEPEST: usize = 100;

/// Longest text of one formula, in bytes.
const LONGEST: usize = 1 << 20;

/// The syntax of a formula.
pub(crate) fn parse(text: &str) -> Parsed<Syntax> {
    if text.len() > LONGEST {
        return Err(Mistake::new(
            Span::new(LONGEST, text.len()),
            format!("the formula has {} bytes, more than {LONGEST}", text.len()),
            "split it into helpers",
        ));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    if parser.token() == Token::End {
        return Err(Mistake::new(
            Span::new(0, text.len()),
            "the formula is empty; expected a number, a name or a function",
            "write 0 for a field that vanishes",
        ));
    }
    let found = parser.expression()?;
    let problem = match parser.token() {
        Token::End => return Ok(found),
        Token::Close | Token::CloseList => ("closes nothing", "delete it, or open it before"),
        Token::Comma => {
            ("stands outside of a call or a list", "write a vector in brackets, as in [a, b]")
        }
        Token::Dots => ("stands outside of a range", "write sum(i in 0..3, x[i])"),
        Token::Compare(_) => ("follows a comparison", "join two comparisons by `and`"),
        _ => ("does not belong here", "write an operator such as * before it"),
    };
    Err(Mistake::new(
        parser.span(),
        format!("`{}` {}; expected the end", parser.here(), problem.0),
        problem.1,
    ))
}

pub(super) struct Parser<'a> {
    text: &'a str,
    pub(super) tokens: Vec<(Token, Span)>,
    pub(super) at: usize,
    depth: usize,
}

impl Parser<'_> {
    pub(super) fn token(&self) -> Token {
        self.tokens[self.at].0
    }

    pub(super) fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    pub(super) fn here(&self) -> &str {
        self.slice(self.span())
    }

    pub(super) fn slice(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    pub(super) fn after(&self, steps: usize) -> Token {
        self.tokens.get(self.at + steps).map_or(Token::End, |(token, _)| *token)
    }

    /// Steps over a token; the end is never passed.
    pub(super) fn advance(&mut self) -> Span {
        let span = self.span();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        span
    }

    pub(super) fn takes(&mut self, token: Token) -> bool {
        let found = self.token() == token;
        if found {
            self.advance();
        }
        found
    }

    fn is_word(&self, word: &str) -> bool {
        self.token() == Token::Name && self.here() == word
    }

    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn found(&self) -> String {
        match self.token() {
            Token::End => "the formula ends".to_owned(),
            _ => format!("found `{}`", shortened(self.here())),
        }
    }

    /// The closing sign of what was opened at `open`.
    pub(super) fn close(&mut self, close: Token, open: Span) -> Parsed<Span> {
        if self.token() == close {
            return Ok(self.advance());
        }
        let sign = if close == Token::Close { ")" } else { "]" };
        let opened = self.slice(open);
        let problem = format!("{}; expected `{sign}` to close `{opened}`", self.found());
        let span = if self.token() == Token::End { open } else { self.span() };
        Err(Mistake::new(span, problem, format!("add `{sign}`, or an operator before this")))
    }

    fn nested(&mut self, part: impl FnOnce(&mut Self) -> Parsed<Syntax>) -> Parsed<Syntax> {
        if self.depth == DEEPEST {
            return Err(Mistake::new(
                self.span(),
                format!("the formula is nested more than {DEEPEST} deep"),
                "give parts of it names as helpers",
            ));
        }
        self.depth += 1;
        let found = part(self);
        self.depth -= 1;
        found
    }

    /// Parts joined by a word, as one node when there is more than one.
    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Parsed<Syntax>,
        join: fn(Vec<Syntax>) -> Kind,
    ) -> Parsed<Syntax> {
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.takes_word(word) {
            parts.push(part(self)?);
        }
        let span = parts[0].span.to(parts[parts.len() - 1].span);
        Ok(Syntax { kind: join(parts), span })
    }

    pub(super) fn expression(&mut self) -> Parsed<Syntax> {
        self.joined("or", Self::conjunction, Kind::Any)
    }

    fn conjunction(&mut self) -> Parsed<Syntax> {
        self.joined("and", Self::negation, Kind::All)
    }

    fn negation(&mut self) -> Parsed<Syntax> {
        if !self.is_word("not") {
            return self.comparison();
        }
        let start = self.advance();
        let part = self.nested(Self::negation)?;
        let span = start.to(part.span);
        Ok(Syntax { kind: Kind::Not(Box::new(part)), span })
    }

    fn comparison(&mut self) -> Parsed<Syntax> {
        let left = self.sum()?;
        let Token::Compare(comparison) = self.token() else { return Ok(left) };
        self.advance();
        let right = self.sum()?;
        let span = left.span.to(right.span);
        if let Token::Compare(next) = self.token() {
            let (a, b) = (self.slice(left.span), self.slice(right.span));
            let (first, second) = (comparison.symbol(), next.symbol());
            return Err(Mistake::new(
                span.to(self.span()),
                "comparisons cannot be chained",
                format!("write {a} {first} {b} and {b} {second} ..."),
            ));
        }
        Ok(Syntax { kind: Kind::Compare(comparison, Box::new(left), Box::new(right)), span })
    }

    /// A chain of operands joined by two operators, the second of which inverts.
    fn chain(
        &mut self,
        [plain, inverse]: [Token; 2],
        operand: fn(&mut Self) -> Parsed<Syntax>,
        join: fn(Vec<(bool, Syntax)>) -> Kind,
    ) -> Parsed<Syntax> {
        let first = operand(self)?;
        if self.token() != plain && self.token() != inverse {
            return Ok(first);
        }
        let mut parts = vec![(false, first)];
        while self.token() == plain || self.token() == inverse {
            let inverted = self.token() == inverse;
            self.advance();
            parts.push((inverted, operand(self)?));
        }
        let span = parts[0].1.span.to(parts[parts.len() - 1].1.span);
        Ok(Syntax { kind: join(parts), span })
    }

    pub(super) fn sum(&mut self) -> Parsed<Syntax> {
        self.chain([Token::Plus, Token::Minus], Self::product, Kind::Sum)
    }

    fn product(&mut self) -> Parsed<Syntax> {
        self.chain([Token::Star, Token::Slash], Self::factor, Kind::Product)
    }

    /// A factor, behind which no other one may stand without an operator.
    fn factor(&mut self) -> Parsed<Syntax> {
        let factor = self.unary()?;
        let joins = ["and", "or", "in"].contains(&self.here());
        let follows = match self.token() {
            Token::Number(_) | Token::Open => true,
            Token::Name => !joins,
            _ => false,
        };
        if !follows {
            return Ok(factor);
        }
        let left = shortened(self.slice(factor.span));
        let right = if self.token() == Token::Open { "(...)" } else { self.here() };
        let problem = match self.here() {
            "not" => format!("found `not` after {left}; expected an operator"),
            _ => format!("no operator between {left} and {right}"),
        };
        let hint = format!("write the multiplication out: {left}*{right}");
        Err(Mistake::new(factor.span.to(self.span()), problem, hint))
    }

    fn unary(&mut self) -> Parsed<Syntax> {
        self.nested(|parser| {
            let start = parser.span();
            if parser.takes(Token::Minus) {
                let part = parser.unary()?;
                let span = start.to(part.span);
                return Ok(Syntax { kind: Kind::Negative(Box::new(part)), span });
            }
            if parser.takes(Token::Plus) {
                return parser.unary();
            }
            let base = parser.postfix()?;
            if !parser.takes(Token::Caret) {
                return Ok(base);
            }
            let exponent = parser.unary()?;
            let span = base.span.to(exponent.span);
            Ok(Syntax { kind: Kind::Power(Box::new(base), Box::new(exponent)), span })
        })
    }
}
