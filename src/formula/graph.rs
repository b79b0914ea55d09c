//! Formulas as a graph of numbers in which equal parts are one node.
//!
//! Vectors and sums are written out, so that a node is one number. Operands come before the nodes that use them: the
//! order of the list is an order of evaluation.

use super::function::{self, Function};
use super::syntax::Comparison;
use std::collections::HashMap;

/// A node by its place in the list.
pub(crate) type Id = u32;

/// Integer exponents up to this are multiplied out.
const MOST_FACTORS: f64 = 1024.0;

/// A number, made of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// A constant, by its bits.
    Number(u64),
    Variable(u32),
    Add(Id, Id),
    Sub(Id, Id),
    Mul(Id, Id),
    Div(Id, Id),
    Neg(Id),
    /// A power with an integer exponent.
    Integer(Id, i32),
    Power(Id, Id),
    Min(Id, Id),
    Max(Id, Id),
    /// The angle of a point, by its second and its first coordinate.
    Angle(Id, Id),
    Apply(Function, Id),
    /// The third where the comparison of the first two holds, the fourth where it fails.
    Choose(Comparison, [Id; 4]),
}

impl Node {
    /// Visits the operands.
    pub(crate) fn operands(self, mut visit: impl FnMut(Id)) {
        match self {
            Self::Number(_) | Self::Variable(_) => (),
            Self::Neg(a) | Self::Integer(a, _) | Self::Apply(_, a) => visit(a),
            Self::Add(a, b)
            | Self::Sub(a, b)
            | Self::Mul(a, b)
            | Self::Div(a, b)
            | Self::Power(a, b)
            | Self::Min(a, b)
            | Self::Max(a, b)
            | Self::Angle(a, b) => [a, b].into_iter().for_each(visit),
            Self::Choose(_, parts) => parts.into_iter().for_each(visit),
        }
    }
}

/// The nodes of one or more formulas.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, Id>,
}

impl Graph {
    pub(crate) fn node(&self, id: Id) -> Node {
        self.nodes[id as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The value of a node that is a constant.
    pub(crate) fn constant(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Which nodes the outputs are made of.
    pub(crate) fn reached(&self, outputs: &[Id]) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        outputs.iter().for_each(|id| reached[*id as usize] = true);
        for id in (0..self.len()).rev() {
            if reached[id] {
                self.nodes[id].operands(|operand| reached[operand as usize] = true);
            }
        }
        reached
    }

    fn insert(&mut self, node: Node) -> Id {
        let swapped = match node {
            Node::Add(a, b) => Node::Add(b, a),
            Node::Mul(a, b) => Node::Mul(b, a),
            other => other,
        };
        if let Some(id) = self.known.get(&node).or_else(|| self.known.get(&swapped)) {
            return *id;
        }
        let id = self.nodes.len() as Id;
        self.nodes.push(node);
        self.known.insert(node, id);
        id
    }

    pub(crate) fn number(&mut self, value: f64) -> Id {
        self.insert(Node::Number(value.to_bits()))
    }

    pub(crate) fn variable(&mut self, slot: usize) -> Id {
        self.insert(Node::Variable(slot as u32))
    }

    /// The number by which a node multiplies another, and that other.
    fn coefficient(&self, id: Id) -> (f64, Id) {
        match self.node(id) {
            Node::Neg(a) => (-1.0, a),
            Node::Mul(a, b) => self.constant(a).map_or((1.0, id), |c| (c, b)),
            _ => (1.0, id),
        }
    }

    fn negated(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Neg(a) => Some(a),
            _ => None,
        }
    }

    pub(crate) fn add(&mut self, a: Id, b: Id) -> Id {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => return self.number(x + y),
            (Some(0.0), _) => return b,
            (_, Some(0.0)) => return a,
            _ => (),
        }
        let ((c, x), (d, y)) = (self.coefficient(a), self.coefficient(b));
        if x == y {
            return self.scaled(c + d, x);
        }
        match (self.negated(a), self.negated(b)) {
            (_, Some(b)) => self.sub(a, b),
            (Some(a), _) => self.sub(b, a),
            _ => self.insert(Node::Add(a, b)),
        }
    }

    pub(crate) fn sub(&mut self, a: Id, b: Id) -> Id {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => return self.number(x - y),
            (Some(0.0), _) => return self.neg(b),
            (_, Some(0.0)) => return a,
            _ => (),
        }
        let ((c, x), (d, y)) = (self.coefficient(a), self.coefficient(b));
        if x == y {
            return self.scaled(c - d, x);
        }
        match self.negated(b) {
            Some(b) => self.add(a, b),
            None => self.insert(Node::Sub(a, b)),
        }
    }

    fn scaled(&mut self, factor: f64, a: Id) -> Id {
        let factor = self.number(factor);
        self.mul(factor, a)
    }

    /// A base with its positive integer exponent.
    fn base(&self, id: Id) -> (Id, i32) {
        match self.node(id) {
            Node::Integer(a, n) if n > 0 => (a, n),
            _ => (id, 1),
        }
    }

    pub(crate) fn mul(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = if self.constant(b).is_some() { (b, a) } else { (a, b) };
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => return self.number(x * y),
            (Some(0.0), _) => return a,
            (Some(1.0), _) => return b,
            (Some(-1.0), _) => return self.neg(b),
            (Some(x), _) => {
                let (y, rest) = self.coefficient(b);
                // Where the product of the two would leave the normal numbers, the order matters.
                if rest != b && (x * y).is_normal() {
                    return self.scaled(x * y, rest);
                }
                return self.insert(Node::Mul(a, b));
            }
            _ => (),
        }
        let ((c, x), (d, y)) = (self.coefficient(a), self.coefficient(b));
        if (x, y) != (a, b) && (c * d).is_normal() {
            let product = self.mul(x, y);
            return self.scaled(c * d, product);
        }
        let ((x, n), (y, m)) = (self.base(a), self.base(b));
        if x == y {
            return self.integer(x, n.saturating_add(m));
        }
        match (self.node(a), self.node(b)) {
            (Node::Div(one, x), _) if self.constant(one) == Some(1.0) => self.div(b, x),
            (_, Node::Div(one, x)) if self.constant(one) == Some(1.0) => self.div(a, x),
            _ => self.insert(Node::Mul(a, b)),
        }
    }

    pub(crate) fn div(&mut self, a: Id, b: Id) -> Id {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => return self.number(x / y),
            (Some(0.0), _) => return a,
            (_, Some(1.0)) => return a,
            (_, Some(-1.0)) => return self.neg(a),
            _ => (),
        }
        if let (Node::Mul(c, x), Some(d)) = (self.node(a), self.constant(b))
            && let Some(factor) = self.constant(c).map(|c| c / d)
            && factor.is_normal()
        {
            return self.scaled(factor, x);
        }
        match (self.negated(a), self.negated(b)) {
            (Some(a), Some(b)) => self.div(a, b),
            (Some(x), None) => {
                let quotient = self.div(x, b);
                self.neg(quotient)
            }
            (None, Some(x)) => {
                let quotient = self.div(a, x);
                self.neg(quotient)
            }
            _ => self.insert(Node::Div(a, b)),
        }
    }

    pub(crate) fn neg(&mut self, a: Id) -> Id {
        match self.node(a) {
            Node::Number(bits) => self.number(-f64::from_bits(bits)),
            Node::Neg(a) => a,
            Node::Sub(x, y) => self.sub(y, x),
            Node::Mul(x, y) => match self.constant(x) {
                Some(c) => self.scaled(-c, y),
                None => self.insert(Node::Neg(a)),
            },
            _ => self.insert(Node::Neg(a)),
        }
    }

    pub(crate) fn integer(&mut self, a: Id, n: i32) -> Id {
        match (self.node(a), n) {
            (_, 0) => self.number(1.0),
            (_, 1) => a,
            (Node::Number(bits), _) => {
                self.number(function::integer_power(f64::from_bits(bits), n))
            }
            (_, -1) => {
                let one = self.number(1.0);
                self.div(one, a)
            }
            (Node::Integer(x, m), _)
                if m > 0 && n > 0 && f64::from(m) * f64::from(n) <= MOST_FACTORS =>
            {
                self.integer(x, m * n)
            }
            (Node::Neg(x), _) => {
                let power = self.integer(x, n);
                if n % 2 == 0 { power } else { self.neg(power) }
            }
            _ => self.insert(Node::Integer(a, n)),
        }
    }

    pub(crate) fn power(&mut self, a: Id, b: Id) -> Id {
        match (self.constant(a), self.constant(b)) {
            (_, Some(n)) if n.fract() == 0.0 && n.abs() <= MOST_FACTORS => {
                self.integer(a, n as i32)
            }
            (Some(x), Some(y)) => self.number(x.powf(y)),
            (_, Some(0.5)) => self.apply(Function::Sqrt, a),
            (Some(1.0), _) => a,
            _ => self.insert(Node::Power(a, b)),
        }
    }

    pub(crate) fn apply(&mut self, function: Function, a: Id) -> Id {
        match self.constant(a) {
            Some(x) => self.number(function.apply(x)),
            None => self.insert(Node::Apply(function, a)),
        }
    }

    pub(crate) fn min(&mut self, a: Id, b: Id) -> Id {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => self.number(function::smaller(x, y)),
            _ if a == b => a,
            _ => self.insert(Node::Min(a, b)),
        }
    }

    pub(crate) fn max(&mut self, a: Id, b: Id) -> Id {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) => self.number(function::larger(x, y)),
            _ if a == b => a,
            _ => self.insert(Node::Max(a, b)),
        }
    }

    pub(crate) fn angle(&mut self, y: Id, x: Id) -> Id {
        match (self.constant(y), self.constant(x)) {
            (Some(y), Some(x)) => self.number(y.atan2(x)),
            _ => self.insert(Node::Angle(y, x)),
        }
    }

    pub(crate) fn choose(
        &mut self,
        comparison: Comparison,
        [a, b, then, otherwise]: [Id; 4],
    ) -> Id {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) if x.is_nan() || y.is_nan() => self.number(f64::NAN),
            (Some(x), Some(y)) => {
                if comparison.holds(x, y) {
                    then
                } else {
                    otherwise
                }
            }
            _ if then == otherwise => then,
            _ => self.insert(Node::Choose(comparison, [a, b, then, otherwise])),
        }
    }
}
