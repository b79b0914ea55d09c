//! The tape run backwards: transposed Jacobian products of many covectors at one state.

use super::entrywise::partials;
use super::product::gemm;
use super::push::{Columns, Room, grown};
use super::tape::{Op, Place, STATE, Step, Tape, largest};
use nalgebra::DMatrix;
use num_dual::Dual64;

impl Tape {
    /// Jᵀ·W at one state.
    pub(super) fn pull(
        &self,
        t: f64,
        state: &[f64],
        covectors: &DMatrix<f64>,
        room: &mut Room,
    ) -> DMatrix<f64> {
        let (dim, width) = (self.slots[STATE].length, self.slots[self.output].length);
        assert_eq!(state.len(), dim, "the state does not fit the network");
        assert_eq!(covectors.nrows(), width, "the covectors do not fit the network");
        let count = covectors.ncols();
        self.run_time(t, room);
        grown(&mut room.values[STATE], dim).copy_from_slice(state);
        let once = Columns { trajectories: 1, tangents: 0 };
        let varying = |step: &&Step| matches!(self.slots[step.output].place, Place::State);
        for step in self.steps.iter().filter(varying) {
            self.single(step, once, room);
        }
        room.buffers.resize_with(self.plan.lengths.len().max(room.buffers.len()), Vec::new);
        grown(&mut room.buffers[self.plan.buffer[self.output]], width * count)
            .copy_from_slice(covectors.as_slice());
        for (i, step) in self.steps.iter().enumerate().rev().filter(|(_, step)| varying(step)) {
            for (place, input) in step.inputs.iter().enumerate() {
                if !matches!(self.slots[*input].place, Place::State) {
                    continue;
                }
                let buffer = self.plan.buffer[*input];
                let mut held = std::mem::take(&mut room.buffers[buffer]);
                let sums = grown(&mut held, self.slots[*input].length * count);
                let first =
                    self.plan.last[*input] == Some(i) && !step.inputs[..place].contains(input);
                if first && *input != self.output {
                    sums.fill(0.0);
                }
                let back = Back { tape: self, step, place, count };
                back.add(
                    &room.values,
                    &room.buffers[self.plan.buffer[step.output]],
                    sums,
                    &mut room.slopes,
                );
                room.buffers[buffer] = held;
            }
        }
        let sums = &room.buffers[self.plan.buffer[STATE]][..dim * count];
        DMatrix::from_column_slice(dim, count, sums)
    }
}

/// The way back through one input of a step.
struct Back<'a> {
    tape: &'a Tape,
    step: &'a Step,
    /// Which input.
    place: usize,
    /// Covectors.
    count: usize,
}

impl Back<'_> {
    fn value<'a>(&'a self, values: &'a [Vec<f64>], input: usize) -> &'a [f64] {
        self.tape.source(self.step.inputs[input], values, &[], 0).value(0)
    }

    /// Adds what the covectors of the output say of the input.
    fn add(&self, values: &[Vec<f64>], from: &[f64], to: &mut [f64], slopes: &mut Vec<f64>) {
        let length = self.tape.slots[self.step.output].length;
        let width = self.tape.slots[self.step.inputs[self.place]].length;
        let from = &from[..length * self.count];
        let lanes = from.chunks_exact(length.max(1)).zip(to.chunks_exact_mut(width.max(1)));
        match &self.step.op {
            Op::Join => {
                let before = self.step.inputs[..self.place].iter();
                let start: usize = before.map(|input| self.tape.slots[*input].length).sum();
                for (from, to) in lanes {
                    to.iter_mut().zip(&from[start..]).for_each(|(to, from)| *to += from);
                }
            }
            Op::Take(map) => {
                for (from, to) in lanes {
                    for (from, index) in from.iter().zip(map.iter()) {
                        if let Some(to) = to.get_mut(*index as usize) {
                            *to += from;
                        }
                    }
                }
            }
            Op::Sparse(sparse) => {
                for (from, to) in lanes {
                    for (r, from) in from.iter().enumerate() {
                        sparse.row(r).for_each(|(c, w)| to[c] += w * from);
                    }
                }
            }
            Op::Sum(width) => {
                for (from, to) in lanes {
                    for (from, to) in from.iter().zip(to.chunks_exact_mut(*width)) {
                        to.iter_mut().for_each(|to| *to += from);
                    }
                }
            }
            Op::Linear(linear) => linear.back(self.count, from, to),
            Op::Convolution(convolution) => convolution.back(self.count, from, to, slopes),
            Op::Product(product) => {
                let (m, k, n) = (product.rows, product.depth, product.columns);
                let other = self.value(values, 1 - self.place);
                for (from, to) in lanes {
                    for i in 0..product.batch {
                        let from = (&from[i * m * n..], (n, 1));
                        if self.place == 0 {
                            // dA = dC Bᵀ.
                            let b = (&other[i * k * n..], (1, n));
                            gemm([m, n, k], from, b, 1.0, (&mut to[i * m * k..], (k, 1)));
                        } else {
                            // dB = Aᵀ dC.
                            let a = (&other[i * m * k..], (1, k));
                            gemm([k, m, n], a, from, 1.0, (&mut to[i * k * n..], (n, 1)));
                        }
                    }
                }
            }
            Op::Unary(_) | Op::Binary(_) | Op::Select => {
                let slopes = grown(slopes, length);
                self.slopes(values, slopes);
                for (from, to) in lanes {
                    for ((to, from), slope) in to.iter_mut().zip(from).zip(&*slopes) {
                        *to += from * slope;
                    }
                }
            }
            Op::Max { held: true, .. } => (),
            Op::Max { width, held: false } => {
                let x = self.value(values, 0);
                for (from, to) in lanes {
                    let rows = x.chunks_exact(*width).zip(to.chunks_exact_mut(*width));
                    for ((x, to), from) in rows.zip(from) {
                        to[largest(x.iter().copied())] += from;
                    }
                }
            }
        }
    }

    /// Derivatives of an elementwise step along this input.
    fn slopes(&self, values: &[Vec<f64>], slopes: &mut [f64]) {
        let x = self.value(values, 0);
        for (i, slope) in slopes.iter_mut().enumerate() {
            *slope = match &self.step.op {
                Op::Unary(function) => function.eval(Dual64::new(x[i], 1.0)).eps,
                Op::Binary(pairing) => {
                    partials(*pairing, x[i], self.value(values, 1)[i])[self.place]
                }
                // The condition itself has no derivative.
                _ => f64::from(u8::from(self.place == if x[i] == 0.0 { 2 } else { 1 })),
            };
        }
    }
}
