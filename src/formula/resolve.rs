//! From syntax to the graph: names get their meaning, vectors and sums are written out.

use super::graph::{Graph, Id};
use super::mistake::{Mistake, Parsed, Span};
use super::names::{Meaning, Names};
use super::syntax::{Kind, Syntax};
use super::{Formula, Kink};

/// Most parts of one formula, with its sums written out.
const MOST_STEPS: usize = 1 << 19;

/// The value of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Number(Id),
    Vector(Vec<Id>),
}

/// Builds the graph of one formula.
pub(crate) struct Resolver<'a> {
    pub(super) names: &'a Names,
    pub(super) graph: Graph,
    helpers: Vec<Option<Value>>,
    pub(super) indices: Vec<(String, f64)>,
    /// The helper whose text is read.
    source: Option<&'a str>,
    /// Inside of how many branches that are never taken: what is undefined there does not matter.
    pub(super) dead: usize,
    steps: usize,
    kinks: Vec<Kink>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(names: &'a Names) -> Self {
        Self {
            names,
            graph: Graph::default(),
            helpers: vec![None; names.len()],
            indices: Vec::new(),
            source: None,
            dead: 0,
            steps: 0,
            kinks: Vec::new(),
        }
    }

    pub(crate) fn helper(&self, at: usize) -> Option<&Value> {
        self.helpers[at].as_ref()
    }

    pub(crate) fn define(&mut self, at: usize, value: Value) {
        self.helpers[at] = Some(value);
    }

    pub(crate) fn enter(&mut self, source: Option<&'a str>) {
        self.source = source;
    }

    pub(crate) fn finish(self, values: &[Value]) -> Formula {
        let outputs = values.iter().flat_map(|value| value.ids().to_vec()).collect();
        Formula::new(self.graph, outputs, self.names.slot_names().into(), self.kinks.into())
    }

    pub(super) fn mistake<T>(
        &self,
        span: Span,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Parsed<T> {
        Err(Mistake::new(span, problem, hint).within(self.source))
    }

    pub(super) fn kink(&mut self, name: &'static str, span: Span) {
        let kink = Kink { name, helper: self.source.map(str::to_owned), span };
        if self.dead == 0 && !self.kinks.contains(&kink) {
            self.kinks.push(kink);
        }
    }

    fn constant(&self, value: &Value) -> Option<f64> {
        match value {
            Value::Number(id) => self.graph.constant(*id),
            Value::Vector(_) => None,
        }
    }

    /// An expression that is a number.
    pub(crate) fn number(&mut self, syntax: &Syntax) -> Parsed<Id> {
        match self.value(syntax)? {
            Value::Number(id) => Ok(id),
            Value::Vector(parts) => self.mistake(
                syntax.span,
                format!("expected a number, found a vector with {} components", parts.len()),
                "take a component as in x[0], or norm(x), dot(x, y), sum(x)",
            ),
        }
    }

    /// An expression that is a vector.
    pub(super) fn vector(&mut self, syntax: &Syntax) -> Parsed<Vec<Id>> {
        match self.value(syntax)? {
            Value::Vector(parts) => Ok(parts),
            Value::Number(_) => self.mistake(
                syntax.span,
                "expected a vector, found a number",
                "name a vector, or list one as in [a, b]",
            ),
        }
    }

    /// An expression whose value is known now, and is a whole number.
    pub(super) fn whole(&mut self, syntax: &Syntax, role: &str) -> Parsed<i64> {
        let id = self.number(syntax)?;
        match self.graph.constant(id) {
            Some(value) if value.fract() == 0.0 && value.abs() < 1e9 => Ok(value as i64),
            Some(value) => self.mistake(
                syntax.span,
                format!("{role} is {value:?}; expected a whole number"),
                "use whole numbers, or floor(...)",
            ),
            None => self.mistake(
                syntax.span,
                format!("{role} depends on a variable; expected a constant"),
                "use numbers, constants and the index of a sum",
            ),
        }
    }

    /// An expression.
    pub(crate) fn value(&mut self, syntax: &Syntax) -> Parsed<Value> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return self.mistake(
                syntax.span,
                format!(
                    "the formula has more than {MOST_STEPS} parts once its sums are written out"
                ),
                "use shorter ranges, or helpers for parts that do not depend on the index",
            );
        }
        let value = self.meaning(syntax)?;
        self.steps += value.ids().len();
        match self.constant(&value) {
            Some(number) if !number.is_finite() && self.dead == 0 => {
                let number =
                    if number.is_nan() { "not a number".to_owned() } else { format!("{number}") };
                self.mistake(
                    syntax.span,
                    format!("this constant part is {number}; expected a finite value"),
                    "check for divisions by 0, and for arguments outside of the domain of a function",
                )
            }
            _ => Ok(value),
        }
    }

    fn meaning(&mut self, syntax: &Syntax) -> Parsed<Value> {
        let span = syntax.span;
        Ok(match &syntax.kind {
            Kind::Number(value) => Value::Number(self.graph.number(*value)),
            Kind::Name(name) => self.name(name, span)?,
            Kind::Sum(terms) => {
                let mut sum = self.value(&terms[0].1)?;
                for (subtracted, term) in &terms[1..] {
                    let value = self.value(term)?;
                    let at = terms[0].1.span.to(term.span);
                    sum = match subtracted {
                        false => self.joined(sum, value, at, Graph::add)?,
                        true => self.joined(sum, value, at, Graph::sub)?,
                    };
                }
                sum
            }
            Kind::Product(factors) => {
                let mut product = self.value(&factors[0].1)?;
                for (divides, factor) in &factors[1..] {
                    let value = self.value(factor)?;
                    product = self.multiplied(product, value, *divides, factor.span)?;
                }
                product
            }
            Kind::Negative(part) => match self.value(part)? {
                Value::Number(id) => Value::Number(self.graph.neg(id)),
                Value::Vector(ids) => {
                    Value::Vector(ids.into_iter().map(|id| self.graph.neg(id)).collect())
                }
            },
            Kind::Power(base, exponent) => {
                let (base, exponent) = (self.number(base)?, self.number(exponent)?);
                Value::Number(self.graph.power(base, exponent))
            }
            Kind::Index(vector, index) => self.component(vector, index)?,
            Kind::List(parts) if parts.is_empty() => {
                return self.mistake(
                    span,
                    "the vector has no components",
                    "list numbers as in [a, b]",
                );
            }
            Kind::List(parts) => {
                Value::Vector(parts.iter().map(|part| self.number(part)).collect::<Parsed<_>>()?)
            }
            Kind::Call(name, name_span, arguments) => {
                self.call(name, *name_span, arguments, span)?
            }
            Kind::Over(over) => self.over(over)?,
            Kind::Compare(..) | Kind::All(_) | Kind::Any(_) | Kind::Not(_) => {
                return self.mistake(
                    span,
                    "expected a number, found a condition",
                    "write if(condition, 1, 0)",
                );
            }
        })
    }

    fn name(&mut self, name: &str, span: Span) -> Parsed<Value> {
        if let Some((_, value)) = self.indices.iter().find(|(index, _)| index == name) {
            return Ok(Value::Number(self.graph.number(*value)));
        }
        let names = self.names;
        Ok(match names.find(name) {
            Some((_, Meaning::Number(slot))) => Value::Number(self.graph.variable(*slot)),
            Some((_, Meaning::Vector(slots))) => {
                Value::Vector(slots.clone().map(|slot| self.graph.variable(slot)).collect())
            }
            Some((_, Meaning::Constant(value))) => Value::Number(self.graph.number(*value)),
            Some((at, Meaning::Helper(_))) => match &self.helpers[at] {
                Some(value) => value.clone(),
                None => {
                    return self.mistake(
                        span,
                        format!("{name} is not resolved yet"),
                        "report this",
                    );
                }
            },
            None if name == "pi" => Value::Number(self.graph.number(std::f64::consts::PI)),
            None if name == "e" => Value::Number(self.graph.number(std::f64::consts::E)),
            None => {
                let indices = self.indices.iter().map(|(index, _)| index.as_str());
                return Err(names.unknown(name, span, indices).within(self.source));
            }
        })
    }
}
