//! Writing a tape: tensors with static shapes, and constants computed on the way.

use super::graph::{Kind, Tensor};
use super::plan::Plan;
use super::shapes::{Lowered, MOST_NUMBERS, common, count, invalid, strides, walk};
use super::tape::{Op, Place, STATE, Slot, Step, TIME, Tape};
use std::sync::Arc;

/// Multiply-adds that folding constants may take.
const MOST_FOLDED: u64 = (MOST_NUMBERS as u64) << 5;

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
    numbers_left: usize,
    folds_left: u64,
}

impl Builder {
    /// A tape whose state has this length.
    pub(super) fn new(dim: usize) -> Self {
        let slots =
            vec![Slot { length: 1, place: Place::Time }, Slot { length: dim, place: Place::State }];
        Self { slots, steps: Vec::new(), numbers_left: MOST_NUMBERS, folds_left: MOST_FOLDED }
    }

    /// The state, with this shape.
    pub(super) fn state(&self, shape: Vec<usize>) -> Value {
        Value { slot: STATE, shape, kind: Kind::Float }
    }

    /// Time, a number.
    pub(super) fn time(&self) -> Value {
        Value { slot: TIME, shape: Vec::new(), kind: Kind::Float }
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
        let plan = Plan::new(&slots, &steps, output.slot);
        Tape { slots, steps, output: output.slot, plan }
    }
}
