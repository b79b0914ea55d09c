//! Branches: conditions, and what they choose between.

use super::graph::Id;
use super::mistake::{Parsed, Span};
use super::resolve::{Resolver, Value};
use super::syntax::{Comparison, Kind, Syntax};

/// A condition of numbers in the graph.
enum Test {
    Compare(Comparison, Id, Id),
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
}

impl Resolver<'_> {
    pub(super) fn branches(&mut self, arguments: &[Syntax], span: Span) -> Parsed<Value> {
        let test = self.test(&arguments[0])?;
        let decided = self.decided(&test);
        let then = self.branch(&arguments[1], decided == Some(false))?;
        let otherwise = self.branch(&arguments[2], decided == Some(true))?;
        if decided.is_none() {
            self.kink("if", span);
        }
        let (a, b) = (then.ids(), otherwise.ids());
        if matches!(then, Value::Number(_)) != matches!(otherwise, Value::Number(_))
            || a.len() != b.len()
        {
            return self.mistake(
                arguments[1].span.to(arguments[2].span),
                format!("the two branches have {} and {} components", a.len(), b.len()),
                "give both branches the same size",
            );
        }
        let chosen: Vec<Id> = a.iter().zip(b).map(|(a, b)| self.choose(&test, *a, *b)).collect();
        Ok(match then {
            Value::Number(_) => Value::Number(chosen[0]),
            Value::Vector(_) => Value::Vector(chosen),
        })
    }

    fn branch(&mut self, syntax: &Syntax, dead: bool) -> Parsed<Value> {
        self.dead += usize::from(dead);
        let value = self.value(syntax);
        self.dead -= usize::from(dead);
        value
    }

    fn test(&mut self, syntax: &Syntax) -> Parsed<Test> {
        Ok(match &syntax.kind {
            Kind::Compare(comparison, a, b) => {
                Test::Compare(*comparison, self.number(a)?, self.number(b)?)
            }
            Kind::All(parts) => Test::All(self.tests(parts, false)?),
            Kind::Any(parts) => Test::Any(self.tests(parts, true)?),
            Kind::Not(part) => Test::Not(Box::new(self.test(part)?)),
            _ => {
                return self.mistake(
                    syntax.span,
                    "expected a condition, found a number or vector",
                    "compare it, as in x > 0",
                );
            }
        })
    }

    /// Parts of a test, of which those after one with the given outcome do not matter.
    fn tests(&mut self, parts: &[Syntax], outcome: bool) -> Parsed<Vec<Test>> {
        let (mut tests, mut settled) = (Vec::new(), false);
        for part in parts {
            self.dead += usize::from(settled);
            let test = self.test(part)?;
            self.dead -= usize::from(settled);
            settled = settled || self.decided(&test) == Some(outcome);
            tests.push(test);
        }
        Ok(tests)
    }

    /// The outcome of a test of constants.
    fn decided(&self, test: &Test) -> Option<bool> {
        match test {
            Test::Compare(comparison, a, b) => {
                Some(comparison.holds(self.graph.constant(*a)?, self.graph.constant(*b)?))
            }
            Test::All(parts) => {
                parts.iter().try_fold(true, |all, part| Some(all && self.decided(part)?))
            }
            Test::Any(parts) => {
                parts.iter().try_fold(false, |any, part| Some(any || self.decided(part)?))
            }
            Test::Not(part) => self.decided(part).map(|holds| !holds),
        }
    }

    fn choose(&mut self, test: &Test, then: Id, otherwise: Id) -> Id {
        match test {
            Test::Compare(comparison, a, b) => {
                self.graph.choose(*comparison, [*a, *b, then, otherwise])
            }
            Test::All(parts) => {
                parts.iter().rev().fold(then, |then, part| self.choose(part, then, otherwise))
            }
            Test::Any(parts) => parts
                .iter()
                .rev()
                .fold(otherwise, |otherwise, part| self.choose(part, then, otherwise)),
            Test::Not(part) => self.choose(part, otherwise, then),
        }
    }
}
