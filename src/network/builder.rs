//! Writing a tape: tensors with static shapes, and constants computed on the way.

use super::function::{Function, Pairing};
use super::graph::{Kind, Tensor};
use super::plan::Plan;
pub(super) use super::tape::{GAP, Gather, Linear, Op, Sparse};
use super::tape::{Place, Product, Slot, Step, Tape};
use std::sync::Arc;

/// Numbers that one tape may hold in all (a gigabyte): a graph that declares more is refused before it is allocated.
///
/// The fuzzer looks for panics among small graphs.
pub(super) const MOST_NUMBERS: usize = if cfg!(fuzzing) { 1 << 20 } else { 1 << 27 };
/// Multiply-adds that folding constants may take.
const MOST_FOLDED: u64 = (MOST_NUMBERS as u64) << 5;

/// Why a node cannot be lowered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// What it asks for is not among what is read here.
    Unsupported(String),
    /// It contradicts itself or its inputs.
    Invalid(String),
}

pub(super) type Lowered<T> = Result<T, Fault>;

/// A contradiction.
pub(super) fn invalid<T>(problem: impl Into<String>) -> Lowered<T> {
    Err(Fault::Invalid(problem.into()))
}

/// A request that is not read here.
pub(super) fn unsupported<T>(problem: impl Into<String>) -> Lowered<T> {
    Err(Fault::Unsupported(problem.into()))
}

/// A tensor of the tape: a slot seen with a shape.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) slot: usize,
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
}

impl Value {
    pub(super) fn rank(&self) -> usize {
        self.shape.len()
    }

    pub(super) fn length(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A tape in the making.
#[derive(Debug)]
pub(super) struct Builder {
    slots: Vec<Slot>,
    steps: Vec<Step>,
    time: usize,
    state: usize,
    numbers_left: usize,
    folds_left: u64,
}

/// Entries of a shape; neither they nor the product of any of its lengths are too many to count.
pub(super) fn count(shape: &[usize]) -> Lowered<usize> {
    let size = shape.iter().try_fold(1_usize, |product, n| product.checked_mul((*n).max(1)));
    if size.is_none_or(|n| n > MOST_NUMBERS) {
        return invalid(format!(
            "a tensor of shape {shape:?} is larger than {MOST_NUMBERS} numbers"
        ));
    }
    Ok(shape.iter().product())
}

/// Distance between neighbours along each axis of a row-major tensor.
pub(super) fn strides(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as isize;
    }
    strides
}

/// Calls `visit` with offset + Σ i·stride for each index of `shape`, the last axis fastest.
pub(super) fn walk(
    shape: &[usize],
    strides: &[isize],
    offset: isize,
    mut visit: impl FnMut(isize),
) {
    if shape.contains(&0) {
        return;
    }
    let mut index = vec![0; shape.len()];
    let mut at = offset;
    loop {
        visit(at);
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis] as isize;
            index[axis] = 0;
        }
    }
}

/// The axis that a possibly negative number means.
pub(super) fn axis(number: i64, rank: usize) -> Lowered<usize> {
    let found = if number < 0 { number + rank as i64 } else { number };
    match usize::try_from(found).ok().filter(|axis| *axis < rank) {
        Some(axis) => Ok(axis),
        None => invalid(format!("axis {number} of a tensor with {rank} axes")),
    }
}

/// The common shape of tensors under the rules of broadcasting.
pub(super) fn common(a: &[usize], b: &[usize]) -> Lowered<Vec<usize>> {
    let rank = a.len().max(b.len());
    let length = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
    };
    (0..rank)
        .map(|axis| match (length(a, axis), length(b, axis)) {
            (m, n) if m == n => Ok(m),
            (1, n) | (n, 1) => Ok(n),
            _ => invalid(format!("shapes {a:?} and {b:?} cannot be broadcast together")),
        })
        .collect()
}

impl Builder {
    /// A tape whose state has this length.
    pub(super) fn new(dim: usize) -> Self {
        let slots =
            vec![Slot { length: 1, place: Place::Time }, Slot { length: dim, place: Place::State }];
        Self {
            slots,
            steps: Vec::new(),
            time: 0,
            state: 1,
            numbers_left: MOST_NUMBERS,
            folds_left: MOST_FOLDED,
        }
    }

    /// The state, with this shape.
    pub(super) fn state(&self, shape: Vec<usize>) -> Value {
        Value { slot: self.state, shape, kind: Kind::Float }
    }

    /// Time, a number.
    pub(super) fn time(&self) -> Value {
        Value { slot: self.time, shape: Vec::new(), kind: Kind::Float }
    }

    /// Takes so many numbers off what the tape may hold.
    pub(super) fn charge(&mut self, numbers: usize) -> Lowered<()> {
        match self.numbers_left.checked_sub(numbers) {
            Some(left) => {
                self.numbers_left = left;
                Ok(())
            }
            None => invalid(format!("the network needs more than {MOST_NUMBERS} numbers in all")),
        }
    }

    /// A constant of the file.
    pub(super) fn tensor(&mut self, tensor: &Tensor) -> Value {
        let place = Place::Constant(Arc::clone(&tensor.data));
        self.slots.push(Slot { length: tensor.data.len(), place });
        Value { slot: self.slots.len() - 1, shape: tensor.shape.clone(), kind: tensor.kind }
    }

    /// A constant made here.
    pub(super) fn constant(
        &mut self,
        kind: Kind,
        shape: Vec<usize>,
        data: Vec<f64>,
    ) -> Lowered<Value> {
        self.charge(data.len())?;
        debug_assert_eq!(count(&shape), Ok(data.len()));
        Ok(self.tensor(&Tensor { kind, shape, data: data.into() }))
    }

    /// A constant number.
    pub(super) fn number(&mut self, value: f64) -> Lowered<Value> {
        self.constant(Kind::Float, Vec::new(), vec![value])
    }

    /// The entries of a value that does not depend on state or time.
    pub(super) fn known(&self, value: &Value) -> Option<Arc<[f64]>> {
        match &self.slots[value.slot].place {
            Place::Constant(data) => Some(Arc::clone(data)),
            _ => None,
        }
    }

    /// True when the value depends on the state.
    pub(super) fn varies(&self, value: &Value) -> bool {
        matches!(self.slots[value.slot].place, Place::State)
    }

    /// One more step, or its result where all inputs are known.
    pub(super) fn apply(
        &mut self,
        op: Op,
        inputs: &[&Value],
        shape: Vec<usize>,
        kind: Kind,
    ) -> Lowered<Value> {
        let length = count(&shape)?;
        self.charge(length)?;
        if length == 0 {
            return self.constant(kind, shape, Vec::new());
        }
        let place = match inputs.iter().map(|v| self.known(v)).collect::<Option<Vec<_>>>() {
            Some(known) => {
                let Some(left) = self.folds_left.checked_sub(op.multiply_adds()) else {
                    return invalid("computing the constants of the network takes too long");
                };
                self.folds_left = left;
                let known: Vec<&[f64]> = known.iter().map(|data| &data[..]).collect();
                let mut data = vec![0.0; length];
                op.eval(&known, &mut data);
                Place::Constant(data.into())
            }
            None if inputs.iter().any(|v| self.varies(v)) => Place::State,
            None => Place::Time,
        };
        let output = self.slots.len();
        if !matches!(place, Place::Constant(_)) {
            self.steps.push(Step { op, inputs: inputs.iter().map(|v| v.slot).collect(), output });
        }
        self.slots.push(Slot { length, place });
        Ok(Value { slot: output, shape, kind })
    }

    /// The same entries with another shape.
    pub(super) fn reshape(&self, value: &Value, shape: Vec<usize>) -> Lowered<Value> {
        if count(&shape)? != value.length() {
            return invalid(format!("{:?} cannot be given the shape {shape:?}", value.shape));
        }
        Ok(Value { shape, ..value.clone() })
    }

    /// Entries by index, [`GAP`] for 0.
    pub(super) fn take(
        &mut self,
        value: &Value,
        shape: Vec<usize>,
        map: Vec<u32>,
    ) -> Lowered<Value> {
        self.charge(map.len() / 2)?;
        self.apply(Op::Take(map.into()), &[value], shape, value.kind)
    }

    /// Entries offset + Σ i·stride.
    pub(super) fn strided(
        &mut self,
        value: &Value,
        shape: Vec<usize>,
        strides: &[isize],
        offset: isize,
    ) -> Lowered<Value> {
        let mut map = Vec::with_capacity(count(&shape)?);
        walk(&shape, strides, offset, |at| map.push(at as u32));
        let same =
            map.len() == value.length() && map.iter().enumerate().all(|(i, at)| *at == i as u32);
        if same { self.reshape(value, shape) } else { self.take(value, shape, map) }
    }

    /// Repeated along axes of length 1 to fill `shape`.
    pub(super) fn broadcast(&mut self, value: &Value, shape: &[usize]) -> Lowered<Value> {
        if common(&value.shape, shape)? != shape {
            return invalid(format!("{:?} cannot be broadcast to {shape:?}", value.shape));
        }
        if value.shape == shape {
            return Ok(value.clone());
        }
        let missing = shape.len() - value.rank();
        let mut steps = vec![0; shape.len()];
        for (axis, stride) in strides(&value.shape).into_iter().enumerate() {
            if value.shape[axis] > 1 {
                steps[missing + axis] = stride;
            }
        }
        self.strided(value, shape.to_vec(), &steps, 0)
    }

    /// Axis i of the result is axis `order[i]`.
    pub(super) fn transpose(&mut self, value: &Value, order: &[usize]) -> Lowered<Value> {
        let from = strides(&value.shape);
        let shape = order.iter().map(|axis| value.shape[*axis]).collect();
        let steps: Vec<isize> = order.iter().map(|axis| from[*axis]).collect();
        self.strided(value, shape, &steps, 0)
    }

    /// With the last two axes swapped.
    pub(super) fn swap_last(&mut self, value: &Value) -> Lowered<Value> {
        let mut order: Vec<usize> = (0..value.rank()).collect();
        let last = order.len() - 1;
        order.swap(last, last - 1);
        self.transpose(value, &order)
    }

    /// `length` entries of an axis from `start`.
    pub(super) fn narrow(
        &mut self,
        value: &Value,
        axis: usize,
        start: usize,
        length: usize,
    ) -> Lowered<Value> {
        let steps = strides(&value.shape);
        let mut shape = value.shape.clone();
        shape[axis] = length;
        self.strided(value, shape, &steps, start as isize * steps[axis])
    }

    /// Tensors after one another along an axis.
    pub(super) fn concat(&mut self, values: &[Value], axis: usize) -> Lowered<Value> {
        let Some(first) = values.first() else {
            return invalid("nothing to put together");
        };
        let mut shape = first.shape.clone();
        shape[axis] = 0;
        for value in values {
            let fits = value.rank() == shape.len()
                && (0..shape.len()).all(|i| i == axis || value.shape[i] == first.shape[i]);
            if !fits {
                return invalid(format!(
                    "shapes {:?} and {:?} cannot be put together along axis {axis}",
                    first.shape, value.shape
                ));
            }
            shape[axis] += value.shape[axis];
        }
        let joined = self.join(values)?;
        let outer: usize = shape[..axis].iter().product();
        if outer == 1 {
            return self.reshape(&joined, shape);
        }
        let mut map = Vec::with_capacity(joined.length());
        for o in 0..outer {
            let mut start = 0;
            for value in values {
                let block = value.length() / outer;
                map.extend((0..block).map(|i| (start + o * block + i) as u32));
                start += value.length();
            }
        }
        self.take(&joined, shape, map)
    }

    /// All entries of all values, flat.
    pub(super) fn join(&mut self, values: &[Value]) -> Lowered<Value> {
        let length = values.iter().map(Value::length).sum();
        if let [only] = values {
            return self.reshape(only, vec![length]);
        }
        let kind = values[0].kind;
        self.apply(Op::Join, &values.iter().collect::<Vec<_>>(), vec![length], kind)
    }

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
                gather: None,
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
                gather: None,
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

    /// The finished tape, without steps that the output does not need.
    pub(super) fn finish(self, output: &Value) -> Tape {
        let mut needed = vec![false; self.slots.len()];
        needed[output.slot] = true;
        for step in self.steps.iter().rev() {
            if needed[step.output] {
                step.inputs.iter().for_each(|input| needed[*input] = true);
            }
        }
        let steps: Vec<Step> = self.steps.into_iter().filter(|s| needed[s.output]).collect();
        let mut slots = self.slots;
        for (slot, needed) in slots.iter_mut().zip(&needed) {
            if !needed && matches!(slot.place, Place::Constant(_)) {
                *slot = Slot { length: 0, place: Place::Constant(Arc::new([])) };
            }
        }
        let plan = Plan::new(&slots, &steps, self.state, output.slot);
        Tape { slots, steps, time: self.time, state: self.state, output: output.slot, plan }
    }
}

/// A shape whose given axes have length 1.
fn kept(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(i, n)| if axes.contains(&i) { 1 } else { *n }).collect()
}

/// An index of [`Op::Take`], or a gap.
pub(super) fn entry(at: Option<usize>) -> u32 {
    at.map_or(GAP, |at| at as u32)
}
