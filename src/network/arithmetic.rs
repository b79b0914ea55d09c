//! Arithmetic of tensors on the tape, with the rules of broadcasting.

use super::builder::{Builder, Value};
use super::function::{Function, Pairing};
use super::graph::Kind;
use super::linear::Linear;
use super::product::Product;
use super::shapes::{Lowered, common, count, invalid};
use super::tape::{Op, Sparse};
use std::sync::Arc;

impl Builder {
    /// A function of each entry.
    pub(super) fn unary(&mut self, function: Function, value: &Value) -> Lowered<Value> {
        let kind = match function {
            Function::NonZero | Function::Not => Kind::Boolean,
            _ => value.kind,
        };
        self.apply(Op::Unary(function), &[value], value.shape.clone(), kind)
    }

    /// A function of pairs of entries, broadcast.
    pub(super) fn binary(&mut self, pairing: Pairing, a: &Value, b: &Value) -> Lowered<Value> {
        let shape = common(&a.shape, &b.shape)?;
        let (kind, pairing) = match pairing {
            Pairing::Greater
            | Pairing::Less
            | Pairing::Equal
            | Pairing::GreaterOrEqual
            | Pairing::LessOrEqual => (Kind::Boolean, pairing),
            Pairing::Div if a.kind == Kind::Integer => (a.kind, Pairing::Quotient),
            _ => (a.kind, pairing),
        };
        let (a, b) = (self.broadcast(a, &shape)?, self.broadcast(b, &shape)?);
        self.apply(Op::Binary(pairing), &[&a, &b], shape, kind)
    }

    pub(super) fn add(&mut self, a: &Value, b: &Value) -> Lowered<Value> {
        self.binary(Pairing::Add, a, b)
    }

    pub(super) fn sub(&mut self, a: &Value, b: &Value) -> Lowered<Value> {
        self.binary(Pairing::Sub, a, b)
    }

    pub(super) fn mul(&mut self, a: &Value, b: &Value) -> Lowered<Value> {
        self.binary(Pairing::Mul, a, b)
    }

    /// Every entry times a number.
    pub(super) fn scale(&mut self, value: &Value, factor: f64) -> Lowered<Value> {
        if factor == 1.0 {
            return Ok(value.clone());
        }
        let factor = self.number(factor)?;
        self.mul(value, &factor)
    }

    /// Weighted sums of entries.
    pub(super) fn sparse(
        &mut self,
        value: &Value,
        shape: Vec<usize>,
        sums: Sparse,
    ) -> Lowered<Value> {
        self.charge(2 * sums.weights.len())?;
        self.apply(Op::Sparse(Arc::new(sums)), &[value], shape, value.kind)
    }

    /// The given axes last, and flattened into one.
    pub(super) fn rows(&mut self, value: &Value, axes: &[usize]) -> Lowered<Value> {
        let kept: Vec<usize> = (0..value.rank()).filter(|axis| !axes.contains(axis)).collect();
        let order: Vec<usize> = kept.iter().chain(axes).copied().collect();
        let moved = self.transpose(value, &order)?;
        let mut shape: Vec<usize> = kept.iter().map(|axis| value.shape[*axis]).collect();
        shape.push(axes.iter().map(|axis| value.shape[*axis]).product());
        self.reshape(&moved, shape)
    }

    /// The sum over axes, which keep length 1.
    pub(super) fn sum(&mut self, value: &Value, axes: &[usize]) -> Lowered<Value> {
        let rows = self.rows(value, axes)?;
        let width = rows.shape[rows.rank() - 1];
        let shape = kept(&value.shape, axes);
        if width == 0 {
            let zeros = vec![0.0; count(&shape)?];
            return self.constant(value.kind, shape, zeros);
        }
        self.apply(Op::Sum(width), &[&rows], shape, value.kind)
    }

    /// The mean over axes, which keep length 1.
    pub(super) fn mean(&mut self, value: &Value, axes: &[usize]) -> Lowered<Value> {
        let size: usize = axes.iter().map(|axis| value.shape[*axis]).product();
        let sum = self.sum(value, axes)?;
        self.scale(&sum, 1.0 / size as f64)
    }

    /// The largest over axes, which keep length 1; `held`: as a constant.
    pub(super) fn max(&mut self, value: &Value, axes: &[usize], held: bool) -> Lowered<Value> {
        let rows = self.rows(value, axes)?;
        let width = rows.shape[rows.rank() - 1];
        if width == 0 {
            return invalid("the largest of no entries");
        }
        self.apply(Op::Max { width, held }, &[&rows], kept(&value.shape, axes), value.kind)
    }

    /// `choice` where `condition` is not 0, else `other`; all broadcast.
    pub(super) fn select(
        &mut self,
        condition: &Value,
        choice: &Value,
        other: &Value,
    ) -> Lowered<Value> {
        let shape = common(&common(&condition.shape, &choice.shape)?, &other.shape)?;
        let condition = self.broadcast(condition, &shape)?;
        let (choice, other) = (self.broadcast(choice, &shape)?, self.broadcast(other, &shape)?);
        let Some(known) = self.known(&condition) else {
            return self.apply(Op::Select, &[&condition, &choice, &other], shape, choice.kind);
        };
        // A condition that is known chooses entries once for all.
        let kind = choice.kind;
        let both = self.join(&[choice, other])?;
        let pick = |(i, c): (usize, &f64)| (if *c == 0.0 { known.len() + i } else { i }) as u32;
        let map = known.iter().enumerate().map(pick).collect();
        let chosen = self.take(&both, shape, map)?;
        Ok(Value { kind, ..chosen })
    }

    /// Products of the matrices in the last two axes, the others broadcast; `bias` is added to each row.
    pub(super) fn matmul(&mut self, a: &Value, b: &Value, bias: Option<&[f64]>) -> Lowered<Value> {
        let (m, k) = (a.shape[a.rank() - 2], a.shape[a.rank() - 1]);
        let (depth, n) = (b.shape[b.rank() - 2], b.shape[b.rank() - 1]);
        if k != depth {
            return invalid(format!(
                "matrices of shapes {:?} and {:?} cannot be multiplied",
                a.shape, b.shape
            ));
        }
        let outer = common(&a.shape[..a.rank() - 2], &b.shape[..b.rank() - 2])?;
        let batch = count(&outer)?;
        let whole = |rows: usize, columns: usize| {
            outer.iter().copied().chain([rows, columns]).collect::<Vec<usize>>()
        };
        if k == 0 {
            let zeros = vec![0.0; count(&whole(m, n))?];
            let zeros = self.constant(Kind::Float, whole(m, n), zeros)?;
            return self.biased(zeros, bias);
        }
        if let Some(weights) = self.known(b) {
            let single = weights.len() == k * n;
            let b = self.swap_last(b)?;
            let b = if single { b } else { self.broadcast(&b, &whole(n, k))? };
            let a = self.broadcast(a, &whole(m, k))?;
            let groups = if single { 1 } else { batch };
            let linear = Linear {
                parts: groups,
                groups,
                count: if single { batch * m } else { m },
                depth: k,
                rows: n,
                across: false,
                weights: self.known(&b).expect("a constant rearranged is a constant"),
                bias: bias.map_or_else(Vec::new, |bias| bias.repeat(groups)).into(),
            };
            return self.apply(Op::Linear(linear), &[&a], whole(m, n), Kind::Float);
        }
        let product = if let Some(weights) = self.known(a) {
            let single = weights.len() == m * k;
            let a = if single { a.clone() } else { self.broadcast(a, &whole(m, k))? };
            let b = self.broadcast(b, &whole(k, n))?;
            let linear = Linear {
                parts: batch,
                groups: if single { 1 } else { batch },
                count: n,
                depth: k,
                rows: m,
                across: true,
                weights: self.known(&a).expect("a constant rearranged is a constant"),
                bias: [].into(),
            };
            self.apply(Op::Linear(linear), &[&b], whole(m, n), Kind::Float)?
        } else {
            let (a, b) = (self.broadcast(a, &whole(m, k))?, self.broadcast(b, &whole(k, n))?);
            let product = Product { batch, rows: m, depth: k, columns: n };
            self.apply(Op::Product(product), &[&a, &b], whole(m, n), Kind::Float)?
        };
        self.biased(product, bias)
    }

    /// With a number added to each entry along the last axis.
    fn biased(&mut self, value: Value, bias: Option<&[f64]>) -> Lowered<Value> {
        let Some(bias) = bias else {
            return Ok(value);
        };
        let bias = self.constant(Kind::Float, vec![bias.len()], bias.to_vec())?;
        self.add(&value, &bias)
    }
}

/// A shape whose given axes have length 1.
pub(super) fn kept(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(i, n)| if axes.contains(&i) { 1 } else { *n }).collect()
}
