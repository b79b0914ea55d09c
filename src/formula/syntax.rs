//! A formula as it is written, before its names mean anything.

use super::mistake::Span;

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Unequal,
}

impl Comparison {
    pub(crate) fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Greater => a > b,
            Self::AtLeast => a >= b,
            Self::Equal => a == b,
            Self::Unequal => a != b,
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::Unequal => "!=",
        }
    }
}

/// What is made of the values of a body over an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binder {
    /// `sum(i in 0..n, body)`.
    Sum,
    /// `product(i in 0..n, body)`.
    Product,
    /// `vector(i in 0..n, body)`.
    Vector,
}

/// A part of a formula, and its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Syntax {
    pub kind: Kind,
    pub span: Span,
}

/// Chains of operators are lists, so that the depth of the tree is the nesting of the text, which the parser bounds.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Number(f64),
    Name(String),
    /// Terms, and whether each is subtracted.
    Sum(Vec<(bool, Syntax)>),
    /// Factors, and whether each divides.
    Product(Vec<(bool, Syntax)>),
    Negative(Box<Syntax>),
    Power(Box<Syntax>, Box<Syntax>),
    Index(Box<Syntax>, Box<Syntax>),
    List(Vec<Syntax>),
    Call(String, Span, Vec<Syntax>),
    Over(Box<Over>),
    Compare(Comparison, Box<Syntax>, Box<Syntax>),
    All(Vec<Syntax>),
    Any(Vec<Syntax>),
    Not(Box<Syntax>),
}

/// `sum(i in from..to, body)` and its relatives.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    pub binder: Binder,
    pub index: String,
    pub index_span: Span,
    pub from: Syntax,
    pub to: Syntax,
    pub body: Syntax,
}

impl Syntax {
    /// True of conditions, which are no numbers.
    pub(crate) fn is_condition(&self) -> bool {
        matches!(self.kind, Kind::Compare(..) | Kind::All(_) | Kind::Any(_) | Kind::Not(_))
    }

    /// Visits every name that is used as a value, with its span.
    pub(crate) fn names(&self, visit: &mut impl FnMut(&str, Span)) {
        match &self.kind {
            Kind::Number(_) => (),
            Kind::Name(name) => visit(name, self.span),
            Kind::Sum(parts) | Kind::Product(parts) => {
                parts.iter().for_each(|(_, part)| part.names(visit));
            }
            Kind::Negative(part) | Kind::Not(part) => part.names(visit),
            Kind::Power(a, b) | Kind::Index(a, b) | Kind::Compare(_, a, b) => {
                a.names(visit);
                b.names(visit);
            }
            Kind::List(parts) | Kind::Call(_, _, parts) | Kind::All(parts) | Kind::Any(parts) => {
                parts.iter().for_each(|part| part.names(visit));
            }
            Kind::Over(over) => {
                over.from.names(visit);
                over.to.names(visit);
                over.body.names(visit);
            }
        }
    }
}
