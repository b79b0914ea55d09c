//! Calls of functions.

use super::function::{Function, functions, is_function};
use super::graph::{Graph, Id};
use super::lexer::shortened;
use super::mistake::{Parsed, Span, listed, nearest};
use super::resolve::{Resolver, Value};
use super::syntax::Syntax;

impl Resolver<'_> {
    pub(super) fn call(
        &mut self,
        name: &str,
        name_span: Span,
        arguments: &[Syntax],
        span: Span,
    ) -> Parsed<Value> {
        if !is_function(name) {
            let is_value = self.names.find(name).is_some()
                || ["pi", "e"].contains(&name)
                || self.indices.iter().any(|(index, _)| index == name);
            let short = shortened(name);
            if is_value {
                let problem = format!("{short} is not a function");
                return self.mistake(
                    name_span,
                    problem,
                    format!("write a product as {short}*(...), a component as {short}[i]"),
                );
            }
            let hint = match nearest(name, functions()) {
                _ if name == "pow" || name == "powf" => "write x^y".to_owned(),
                Some(meant) => format!("did you mean {}?", Function::usage(&meant)),
                None => format!("functions are {}", listed(functions())),
            };
            return self.mistake(name_span, format!("there is no function {short}"), hint);
        }
        let least = match name {
            "if" => 3..=3,
            "atan2" | "dot" | "bessel_ratio" | "bessel_quotient" => 2..=2,
            "min" | "max" => 1..=usize::MAX,
            _ => 1..=1,
        };
        if !least.contains(&arguments.len()) {
            let count = match (*least.start(), *least.end()) {
                (1, 1) => "1 argument".to_owned(),
                (n, m) if n == m => format!("{n} arguments"),
                (n, _) => format!("at least {n} argument"),
            };
            let problem = format!("{name} takes {count}, found {}", arguments.len());
            return self.mistake(span, problem, format!("write {}", Function::usage(name)));
        }
        if name != "if"
            && let Some(condition) = arguments.iter().find(|argument| argument.is_condition())
        {
            let problem = format!("{name} takes numbers, found a condition");
            return self.mistake(condition.span, problem, "write if(condition, 1, 0)");
        }
        if let Some(function) = Function::named(name) {
            let argument = self.number(&arguments[0])?;
            if !function.is_smooth() && self.graph.constant(argument).is_none() {
                self.kink(function.name(), span);
            }
            return Ok(Value::Number(self.graph.apply(function, argument)));
        }
        Ok(Value::Number(match name {
            "if" => return self.branches(arguments, span),
            "min" => self.extreme("min", arguments, span, Graph::min)?,
            "max" => self.extreme("max", arguments, span, Graph::max)?,
            "atan2" => {
                let (y, x) = (self.number(&arguments[0])?, self.number(&arguments[1])?);
                self.graph.angle(y, x)
            }
            "dot" => {
                let (a, b) = (self.vector(&arguments[0])?, self.vector(&arguments[1])?);
                if a.len() != b.len() {
                    let problem = format!(
                        "dot takes two vectors of one size, found {} and {}",
                        a.len(),
                        b.len()
                    );
                    return self.mistake(span, problem, "choose vectors of the same size");
                }
                self.dot(&a, &b)
            }
            "norm2" => {
                let x = self.vector(&arguments[0])?;
                self.dot(&x, &x)
            }
            "norm" => {
                let x = self.vector(&arguments[0])?;
                let square = self.dot(&x, &x);
                if self.graph.constant(square).is_none() {
                    self.kink("norm", span);
                }
                self.graph.apply(Function::Sqrt, square)
            }
            "sum" => {
                let x = self.vector(&arguments[0])?;
                self.total(&x)
            }
            "bessel_ratio" => {
                let order = self.order(&arguments[0])?;
                let kappa = self.number(&arguments[1])?;
                let square = self.graph.integer(kappa, 2);
                let quotient = self.graph.apply(Function::BesselQuotient(order), square);
                self.graph.mul(kappa, quotient)
            }
            "bessel_quotient" => {
                let order = self.order(&arguments[0])?;
                let square = self.number(&arguments[1])?;
                self.graph.apply(Function::BesselQuotient(order), square)
            }
            _ => {
                let problem = format!("{name} takes an index and a range");
                return self.mistake(span, problem, format!("write {}", Function::usage(name)));
            }
        }))
    }

    fn dot(&mut self, a: &[Id], b: &[Id]) -> Id {
        let products: Vec<Id> = a.iter().zip(b).map(|(a, b)| self.graph.mul(*a, *b)).collect();
        self.total(&products)
    }

    fn order(&mut self, syntax: &Syntax) -> Parsed<u32> {
        match self.whole(syntax, "the dimension n of the Bessel ratio")? {
            n @ 1..=100_000 => Ok(n as u32),
            n => self.mistake(
                syntax.span,
                format!("the dimension n of the Bessel ratio is {n}; expected 1 to 100000"),
                "n = 2 is I1/I0",
            ),
        }
    }

    /// The least or largest of numbers, or of the components of one vector.
    fn extreme(
        &mut self,
        name: &'static str,
        arguments: &[Syntax],
        span: Span,
        join: fn(&mut Graph, Id, Id) -> Id,
    ) -> Parsed<Id> {
        let parts = match arguments {
            [one] => self.vector(one)?,
            more => more.iter().map(|argument| self.number(argument)).collect::<Parsed<_>>()?,
        };
        let extreme =
            parts[1..].iter().fold(parts[0], |extreme, part| join(&mut self.graph, extreme, *part));
        if self.graph.constant(extreme).is_none() && parts.len() > 1 {
            self.kink(name, span);
        }
        Ok(extreme)
    }
}
