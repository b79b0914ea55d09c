//! Derivatives of formulas, as formulas.
//!
//! A second route to the Jacobian beside duals: rules on the graph in place of rules on numbers. Functions with kinks
//! are differentiated piece by piece; at a kink itself the derivative is that of one of the pieces.

use super::function::Function;
use super::graph::{Graph, Id, Node};
use super::syntax::Comparison;

/// The derivatives of the outputs by the variable in a slot, in the same graph.
pub(crate) fn derivatives(graph: &mut Graph, outputs: &[Id], slot: usize) -> Vec<Id> {
    let reached = graph.reached(outputs);
    let zero = graph.number(0.0);
    let mut slopes = vec![zero; reached.len()];
    for (id, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
        slopes[id] = slope(graph, id as Id, slot, &slopes);
    }
    outputs.iter().map(|id| slopes[*id as usize]).collect()
}

/// The derivative of one node, by those of its operands.
fn slope(graph: &mut Graph, id: Id, slot: usize, slopes: &[Id]) -> Id {
    let of = |a: Id| slopes[a as usize];
    let g = graph;
    let node = g.node(id);
    // What does not depend on the variable has slope 0, whatever the rule would make of it.
    let mut constant = true;
    node.operands(|a| constant &= g.constant(of(a)) == Some(0.0));
    if let Node::Variable(other) = node {
        return g.number(f64::from(u8::from(other as usize == slot)));
    }
    if constant {
        return g.number(0.0);
    }
    match node {
        Node::Number(_) | Node::Variable(_) => g.number(0.0),
        Node::Add(a, b) => g.add(of(a), of(b)),
        Node::Sub(a, b) => g.sub(of(a), of(b)),
        Node::Neg(a) => g.neg(of(a)),
        Node::Mul(a, b) => {
            let (left, right) = (g.mul(of(a), b), g.mul(a, of(b)));
            g.add(left, right)
        }
        Node::Div(a, b) => {
            // (a/b)' = (a' − (a/b) b')/b, where a/b is at hand.
            let change = g.mul(id, of(b));
            let top = g.sub(of(a), change);
            g.div(top, b)
        }
        Node::Integer(a, n) => {
            let (power, factor) = (g.integer(a, n - 1), g.number(f64::from(n)));
            let outer = g.mul(factor, power);
            g.mul(outer, of(a))
        }
        Node::Power(a, b) => power(g, id, [a, b], [of(a), of(b)]),
        Node::Min(a, b) => g.choose(Comparison::AtMost, [a, b, of(a), of(b)]),
        Node::Max(a, b) => g.choose(Comparison::AtLeast, [a, b, of(a), of(b)]),
        Node::Angle(y, x) => {
            let (left, right) = (g.mul(x, of(y)), g.mul(y, of(x)));
            let (x2, y2) = (g.integer(x, 2), g.integer(y, 2));
            let (top, square) = (g.sub(left, right), g.add(x2, y2));
            g.div(top, square)
        }
        Node::Choose(comparison, [a, b, then, otherwise]) => {
            g.choose(comparison, [a, b, of(then), of(otherwise)])
        }
        Node::Apply(function, a) => {
            let inner = of(a);
            applied(g, function, id, a, inner)
        }
    }
}

/// (a^b)' = a^b (b' log a + b a'/a), without a term that vanishes.
fn power(g: &mut Graph, id: Id, [a, b]: [Id; 2], [da, db]: [Id; 2]) -> Id {
    if g.constant(db) == Some(0.0) {
        let one = g.number(1.0);
        let less = g.sub(b, one);
        let lower = g.power(a, less);
        let outer = g.mul(b, lower);
        return g.mul(outer, da);
    }
    let log = g.apply(Function::Log, a);
    let (left, top) = (g.mul(db, log), g.mul(b, da));
    let right = g.div(top, a);
    let sum = g.add(left, right);
    g.mul(id, sum)
}

/// The chain rule for f = `id` of a, whose derivative is `inner`.
fn applied(g: &mut Graph, function: Function, id: Id, a: Id, inner: Id) -> Id {
    let one = g.number(1.0);
    let square = g.integer(a, 2);
    // Where f' is 1/d, inner/d saves a product.
    let divisor = match function {
        Function::Log => Some(a),
        Function::Sqrt => {
            let two = g.number(2.0);
            Some(g.mul(two, id))
        }
        Function::Asin | Function::Acos => {
            let cosine = g.sub(one, square);
            Some(g.apply(Function::Sqrt, cosine))
        }
        Function::Atan => Some(g.add(one, square)),
        Function::Log1p => Some(g.add(one, a)),
        _ => None,
    };
    if let Some(divisor) = divisor {
        let quotient = g.div(inner, divisor);
        return if function == Function::Acos { g.neg(quotient) } else { quotient };
    }
    let outer = match function {
        Function::Exp => id,
        Function::Sin => g.apply(Function::Cos, a),
        Function::Cos => {
            let sine = g.apply(Function::Sin, a);
            g.neg(sine)
        }
        Function::Tan => {
            let square = g.integer(id, 2);
            g.add(one, square)
        }
        Function::Sinh => g.apply(Function::Cosh, a),
        Function::Cosh => g.apply(Function::Sinh, a),
        Function::Tanh => {
            let square = g.integer(id, 2);
            g.sub(one, square)
        }
        Function::Expm1 => g.apply(Function::Exp, a),
        Function::Sigmoid => {
            // 1 − sigmoid(a), without the cancellation.
            let opposite = g.neg(a);
            let rest = g.apply(Function::Sigmoid, opposite);
            g.mul(id, rest)
        }
        Function::Softplus => g.apply(Function::Sigmoid, a),
        Function::Erf => {
            let opposite = g.neg(square);
            let (bell, height) =
                (g.apply(Function::Exp, opposite), g.number(std::f64::consts::FRAC_2_SQRT_PI));
            g.mul(height, bell)
        }
        Function::Abs => g.apply(Function::Sign, a),
        Function::BesselQuotient(n) => {
            // From g_n (n + z g_{n+2}) = 1 and A_n' = 1 − A_n² − (n−1) g_n: g_n' = g_n (g_{n+2} − g_n)/2.
            let next = g.apply(Function::BesselQuotient(n + 2), a);
            let (difference, half) = (g.sub(next, id), g.number(0.5));
            let product = g.mul(id, difference);
            g.mul(half, product)
        }
        _ => g.number(0.0), // sign and floor are constant between their jumps; the others are above
    };
    g.mul(outer, inner)
}
