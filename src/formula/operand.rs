//! What operators join: numbers, names, calls, lists and components.

use super::function::{Function, is_function, reserved};
use super::lexer::Token;
use super::mistake::{Mistake, Parsed, Span};
use super::parser::Parser;
use super::syntax::{Binder, Kind, Over, Syntax};

impl Parser<'_> {
    pub(super) fn postfix(&mut self) -> Parsed<Syntax> {
        let mut part = self.primary()?;
        while self.token() == Token::OpenList {
            let open = self.advance();
            let index = self.expression()?;
            let close = self.close(Token::CloseList, open)?;
            let span = part.span.to(close);
            part = Syntax { kind: Kind::Index(Box::new(part), Box::new(index)), span };
            // Indexing lists in lists could nest without end.
            if self.token() == Token::OpenList {
                return Err(Mistake::new(
                    self.span(),
                    "only one index can follow; there are no matrices",
                    "make each row a vector of its own",
                ));
            }
        }
        Ok(part)
    }

    fn primary(&mut self) -> Parsed<Syntax> {
        let span = self.span();
        match self.token() {
            Token::Number(value) => {
                self.advance();
                Ok(Syntax { kind: Kind::Number(value), span })
            }
            Token::Name => self.name(),
            Token::Open => {
                self.advance();
                let inner = self.expression()?;
                let close = self.close(Token::Close, span)?;
                Ok(Syntax { kind: inner.kind, span: span.to(close) })
            }
            Token::OpenList => {
                self.advance();
                let parts = self.arguments(Token::CloseList)?;
                let close = self.close(Token::CloseList, span)?;
                Ok(Syntax { kind: Kind::List(parts), span: span.to(close) })
            }
            _ => Err(Mistake::new(
                span,
                format!("{}; expected a number, a name or `(`", self.found()),
                "add what is missing, or delete the operator before it",
            )),
        }
    }

    /// Expressions between commas; none before the closing sign.
    fn arguments(&mut self, close: Token) -> Parsed<Vec<Syntax>> {
        let mut parts = Vec::new();
        if self.token() == close {
            return Ok(parts);
        }
        loop {
            parts.push(self.expression()?);
            if !self.takes(Token::Comma) {
                return Ok(parts);
            }
        }
    }

    fn name(&mut self) -> Parsed<Syntax> {
        let span = self.advance();
        let name = self.slice(span).to_owned();
        if self.token() == Token::Open {
            return self.call(name, span);
        }
        if ["and", "or", "not", "in"].contains(&name.as_str()) {
            let problem = format!("found `{name}`; expected a number, a name or `(`");
            return Err(Mistake::new(span, problem, format!("{} is a word of the language", name)));
        }
        if is_function(&name) {
            let usage = Function::usage(&name);
            let problem = format!("{name} is a function; expected its arguments in parentheses");
            return Err(Mistake::new(span, problem, format!("write {usage}")));
        }
        Ok(Syntax { kind: Kind::Name(name), span })
    }

    fn call(&mut self, name: String, name_span: Span) -> Parsed<Syntax> {
        let open = self.advance();
        let binder = match name.as_str() {
            "sum" => Some(Binder::Sum),
            "product" => Some(Binder::Product),
            "vector" => Some(Binder::Vector),
            _ => None,
        };
        let next = self.after(1);
        let over = binder.filter(|_| {
            let is_in = self.tokens.get(self.at + 1).is_some_and(|(_, s)| self.slice(*s) == "in");
            self.token() == Token::Name && (is_in || matches!(next, Token::Number(_)))
        });
        let kind = match over {
            Some(binder) => Kind::Over(Box::new(self.over(binder)?)),
            None => Kind::Call(name, name_span, self.arguments(Token::Close)?),
        };
        let close = self.close(Token::Close, open)?;
        Ok(Syntax { kind, span: name_span.to(close) })
    }

    fn over(&mut self, binder: Binder) -> Parsed<Over> {
        let index_span = self.advance();
        let index = self.slice(index_span).to_owned();
        if reserved(&index) {
            let problem = format!("{index} cannot be an index: it is a word of the language");
            return Err(Mistake::new(index_span, problem, "choose another letter, such as i"));
        }
        if !self.takes_word("in") {
            let problem = format!("{}; expected `in` after the index {index}", self.found());
            return Err(Mistake::new(self.span(), problem, "write sum(i in 0..3, x[i])"));
        }
        let from = self.sum()?;
        if !self.takes(Token::Dots) {
            let problem = format!("{}; expected `..` and the end of the range", self.found());
            let hint = "0..3 stands for 0, 1, 2";
            return Err(Mistake::new(self.span(), problem, hint));
        }
        let to = self.sum()?;
        if !self.takes(Token::Comma) {
            let problem = format!("{}; expected `,` after the range", self.found());
            return Err(Mistake::new(self.span(), problem, "write sum(i in 0..3, x[i])"));
        }
        let body = self.expression()?;
        Ok(Over { binder, index, index_span, from, to, body })
    }
}
