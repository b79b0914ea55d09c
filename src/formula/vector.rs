//! Vectors and sums, written out into their components.

use super::graph::{Graph, Id};
use super::lexer::shortened;
use super::mistake::{Parsed, Span};
use super::names::Meaning;
use super::resolve::{Resolver, Value};
use super::syntax::{Binder, Kind, Over, Syntax};

impl Resolver<'_> {
    /// Sum or difference of two numbers, or of two vectors.
    pub(super) fn joined(
        &mut self,
        a: Value,
        b: Value,
        span: Span,
        join: fn(&mut Graph, Id, Id) -> Id,
    ) -> Parsed<Value> {
        let shape = |value: &Value| match value {
            Value::Number(_) => "a number".to_owned(),
            Value::Vector(ids) => format!("a vector with {} components", ids.len()),
        };
        match (&a, &b) {
            (Value::Number(a), Value::Number(b)) => {
                Ok(Value::Number(join(&mut self.graph, *a, *b)))
            }
            (Value::Vector(a), Value::Vector(b)) if a.len() == b.len() => {
                let pairs = a.iter().zip(b);
                Ok(Value::Vector(pairs.map(|(a, b)| join(&mut self.graph, *a, *b)).collect()))
            }
            _ => self.mistake(
                span,
                format!("{} and {} cannot be added", shape(&a), shape(&b)),
                "make both numbers, or vectors of the same size",
            ),
        }
    }

    pub(super) fn multiplied(
        &mut self,
        a: Value,
        b: Value,
        divides: bool,
        span: Span,
    ) -> Parsed<Value> {
        let join = if divides { Graph::div } else { Graph::mul };
        Ok(match (a, b) {
            (Value::Number(a), Value::Number(b)) => Value::Number(join(&mut self.graph, a, b)),
            (Value::Vector(a), Value::Number(b)) => {
                Value::Vector(a.into_iter().map(|a| join(&mut self.graph, a, b)).collect())
            }
            (Value::Number(a), Value::Vector(b)) if !divides => {
                Value::Vector(b.into_iter().map(|b| self.graph.mul(a, b)).collect())
            }
            (_, Value::Vector(_)) if divides => {
                return self.mistake(
                    span,
                    "cannot divide by a vector",
                    "divide by norm(x), or by a component",
                );
            }
            _ => {
                return self.mistake(
                    span,
                    "two vectors have no product",
                    "write dot(x, y) for the inner one",
                );
            }
        })
    }

    pub(super) fn component(&mut self, vector: &Syntax, index: &Syntax) -> Parsed<Value> {
        let at = self.whole(index, "the index")?;
        let names = self.names;
        let place = |len: usize| usize::try_from(at).ok().filter(|at| *at < len);
        // Names are not evaluated: a sum takes a component of the same vector again and again.
        let known = match &vector.kind {
            Kind::Name(name) => names.find(name),
            _ => None,
        };
        let (len, found) = match known {
            Some((_, Meaning::Vector(slots))) => {
                let slot = place(slots.len()).map(|at| slots.start + at);
                (slots.len(), slot.map(|slot| self.graph.variable(slot)))
            }
            _ => match self.value(vector)? {
                Value::Vector(parts) => (parts.len(), place(parts.len()).map(|at| parts[at])),
                Value::Number(_) => {
                    return self.mistake(
                        vector.span,
                        "a number has no components",
                        "delete the index [...]",
                    );
                }
            },
        };
        match found {
            Some(id) => Ok(Value::Number(id)),
            None if self.dead > 0 => Ok(Value::Number(self.graph.number(f64::NAN))),
            None => {
                let problem =
                    format!("the index is {at}; the vector has components 0 to {}", len - 1);
                let hint = if at == len as i64 {
                    "components are counted from 0"
                } else {
                    "change the index"
                };
                self.mistake(index.span, problem, hint)
            }
        }
    }

    pub(super) fn over(&mut self, over: &Over) -> Parsed<Value> {
        if self.names.find(&over.index).is_some()
            || self.indices.iter().any(|(name, _)| *name == over.index)
        {
            let problem = format!(
                "the index {} is already the name of something else",
                shortened(&over.index)
            );
            return self.mistake(over.index_span, problem, "choose another letter for the index");
        }
        let (from, to) = (
            self.whole(&over.from, "the start of the range")?,
            self.whole(&over.to, "the end of the range")?,
        );
        let span = over.from.span.to(over.to.span);
        if to < from || (to == from && over.binder == Binder::Vector) {
            let problem = format!(
                "the range {from}..{to} is {}",
                if to < from { "descending" } else { "empty" }
            );
            return self.mistake(
                span,
                problem,
                "write the smaller end first: 0..3 stands for 0, 1, 2",
            );
        }
        let mut parts = Vec::new();
        self.indices.push((over.index.clone(), 0.0));
        for at in from..to {
            if let Some(index) = self.indices.last_mut() {
                index.1 = at as f64;
            }
            parts.push(self.number(&over.body)?);
        }
        self.indices.pop();
        Ok(match over.binder {
            Binder::Sum => Value::Number(self.total(&parts)),
            Binder::Product => {
                let one = self.graph.number(1.0);
                Value::Number(
                    parts.into_iter().fold(one, |product, part| self.graph.mul(product, part)),
                )
            }
            Binder::Vector => Value::Vector(parts),
        })
    }

    pub(super) fn total(&mut self, parts: &[Id]) -> Id {
        let zero = self.graph.number(0.0);
        parts.iter().fold(zero, |sum, part| self.graph.add(sum, *part))
    }
}
