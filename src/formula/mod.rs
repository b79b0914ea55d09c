//! Formulas: text that is parsed once and evaluated on every number type.
//!
//! ```text
//! + - * / ^           usual precedence: -x^2 is -(x^2), 2^3^2 is 2^9; no product without *
//! < <= > >= == !=     in conditions, with and, or, not; if(condition, then, otherwise)
//! pi  e  1e-3         constants
//! exp log sqrt sin cos tan asin acos atan sinh cosh tanh expm1 log1p erf
//! sigmoid softplus atan2(y, x) bessel_ratio(n, kappa) bessel_quotient(n, z)
//! abs sign floor min max     with kinks or jumps
//! x[0]  [a, b, c]     components from 0, vectors; + - of two vectors, * / by numbers
//! sum(i in 0..n, ...) product(i in 0..n, ...) vector(i in 0..n, ...)
//! sum(x) dot(x, y) norm(x) norm2(x) min(x) max(x)    norm2 is the square of norm
//! ```
//!
//! `bessel_ratio(n, κ)` is A_n(κ) = I_{n/2}(κ)/I_{n/2−1}(κ), so n = 2 is I₁/I₀; `bessel_quotient(n, z)` is A_n(√z)/√z.
//! Where a formula is undefined its value is not a number; a comparison with such a value is not a number either, and
//! never quietly the other branch. Both branches of an `if` are computed, and one is taken.
//!
//! A [`Names`] table says what names mean. A [`Formula`] has [`Formula::evaluate`] for any
//! [`Scalar`], and [`Formula::derivative`] for its symbolic derivatives.

mod call;
mod condition;
mod derivative;
mod function;
mod graph;
mod lexer;
mod machine;
mod mistake;
mod names;
mod operand;
mod parser;
mod print;
mod program;
mod resolve;
mod syntax;
mod vector;

pub use machine::Workspace;
pub use mistake::{Mistake, Position, Span};
pub(crate) use mistake::{closest, listed};
pub use names::Names;
pub use print::{LINE, Printed};

use crate::scalar::Scalar;
use graph::{Graph, Id};
use program::Program;
use std::ops::Range;
use std::sync::Arc;

/// A place where a formula is not smooth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kink {
    /// The function or `if` that has the kink or jump.
    pub name: &'static str,
    /// The helper in whose text it stands; none for the text of the formula itself.
    pub helper: Option<String>,
    /// Its bytes.
    pub span: Span,
}

/// A number or vector as a function of the variables of a [`Names`] table.
#[derive(Clone, Debug)]
pub struct Formula {
    graph: Graph,
    outputs: Vec<Id>,
    variables: Arc<[String]>,
    kinks: Arc<[Kink]>,
    program: Program,
}

impl Formula {
    fn new(graph: Graph, outputs: Vec<Id>, variables: Arc<[String]>, kinks: Arc<[Kink]>) -> Self {
        let program = Program::new(&graph, &outputs, variables.len());
        Self { graph, outputs, variables, kinks, program }
    }

    /// How many components the value has; 1 for a number.
    pub fn dim(&self) -> usize {
        self.outputs.len()
    }

    /// Writes the components at the given values of all variables, in the order of their slots.
    ///
    /// Nothing is allocated once the workspace has grown.
    ///
    /// # Panics
    /// When a slice has the wrong length.
    ///
    /// ```
    /// use driftproof::formula::{Names, Workspace};
    /// use num_dual::Dual64;
    /// let mut names = Names::default();
    /// names.number("x")?;
    /// let formula = names.formula("tanh(3*x)")?;
    /// let (mut work, mut values) = (Workspace::default(), [Dual64::from(0.0)]);
    /// formula.evaluate(&[Dual64::new(0.0, 1.0)], &mut work, &mut values);
    /// assert_eq!((values[0].re, values[0].eps), (0.0, 3.0)); // 3 (1 − tanh² 0)
    /// # Ok::<(), driftproof::formula::Mistake>(())
    /// ```
    pub fn evaluate<S: Scalar>(&self, variables: &[S], work: &mut Workspace<S>, values: &mut [S]) {
        self.program.run(variables, work, values);
    }

    /// The components, for a single evaluation.
    pub fn values<S: Scalar>(&self, variables: &[S]) -> Vec<S> {
        let mut values = vec![S::from(0.0); self.dim()];
        self.evaluate(variables, &mut Workspace::default(), &mut values);
        values
    }

    /// The derivative by the variable in a slot, component by component.
    ///
    /// Kinks are differentiated piece by piece. *Accuracy*: that of the duals, up to rounding; where the rule divides
    /// by 0 (sqrt, log, norm at 0) it is not a number.
    ///
    /// ```
    /// # let mut names = driftproof::formula::Names::default();
    /// names.number("x")?;
    /// let formula = names.formula("x^3 - 2*x")?;
    /// assert_eq!(formula.derivative(0).to_string(), "3*x^2 - 2");
    /// assert_eq!(formula.derivative(0).derivative(0).to_string(), "6*x");
    /// # Ok::<(), driftproof::formula::Mistake>(())
    /// ```
    pub fn derivative(&self, slot: usize) -> Self {
        self.jacobian(slot..slot + 1)
    }

    /// The derivatives by the variables in these slots, one column after the other.
    ///
    /// ```
    /// # let mut names = driftproof::formula::Names::default();
    /// names.vector("x", 2)?;
    /// let field = names.formula("[x[0]*x[1], x[1]]")?;
    /// assert_eq!(field.jacobian(0..2).to_string(), "[x[1], 0, x[0], 1]");
    /// # Ok::<(), driftproof::formula::Mistake>(())
    /// ```
    pub fn jacobian(&self, slots: Range<usize>) -> Self {
        let mut graph = self.graph.clone();
        let columns = slots.map(|slot| derivative::derivatives(&mut graph, &self.outputs, slot));
        let outputs = columns.collect::<Vec<_>>().concat();
        Self::new(graph, outputs, self.variables.clone(), self.kinks.clone())
    }

    /// True when no function with kinks or jumps is used, so that derivatives of all orders are what they seem.
    ///
    /// Formulas may still be singular at the edge of their domain, as `sqrt` is at 0.
    pub fn is_smooth(&self) -> bool {
        self.kinks.is_empty()
    }

    /// The functions with kinks or jumps that are used, and where.
    ///
    /// ```
    /// # let mut names = driftproof::formula::Names::default();
    /// names.number("x")?;
    /// let formula = names.formula("1 + abs(x)")?;
    /// let kink = &formula.kinks()[0];
    /// assert_eq!((kink.name, kink.span.start, kink.span.end), ("abs", 4, 10));
    /// # Ok::<(), driftproof::formula::Mistake>(())
    /// ```
    pub fn kinks(&self) -> &[Kink] {
        &self.kinks
    }
}
