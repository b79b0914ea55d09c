//! A network as a field of one state.

use super::builder::{Builder, Value};
use super::graph::{Graph, Port};
use super::lower::lower;
use super::push::{Columns, Room};
use super::shapes::{Fault, count};
use super::tape::{Place, STATE, Tape};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use nalgebra::DMatrix;
use std::collections::HashMap;
use std::path::Path;

/// How the axis of the file that counts states became one of length 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// The file leaves it free, has length 1, or has no such axis.
    Free,
    /// The file was exported for this many states; the same operators work for one.
    Rewritten(usize),
    /// The file works for this many states only: the state is repeated, at as many times the cost.
    Repeated(usize),
}

/// out = N(x, t): as many numbers as the state has, flattened row-major.
#[derive(Clone, Debug)]
pub struct Field {
    tape: Tape,
    shape: Vec<usize>,
    batch: Batch,
}

impl Field {
    /// Dimension D of the state.
    pub fn dim(&self) -> usize {
        self.shape.iter().product()
    }

    /// The shape of one state.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// What became of the axis that counts states.
    pub fn batch(&self) -> Batch {
        self.batch
    }

    /// N(x, t) over any carrier: the definition, which the other ways must agree with.
    pub fn eval<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.tape.eval(t, x, out);
    }

    /// N of `trajectories` states and the Jacobian times `tangents` tangents of each, in one pass.
    ///
    /// *Shapes*: `block` and `out` are `D × trajectories·(1 + tangents)`, column-major: for each
    /// trajectory its state, then its tangents.
    pub fn push(
        &self,
        t: f64,
        block: &[f64],
        trajectories: usize,
        tangents: usize,
        out: &mut [f64],
        work: &mut Room,
    ) {
        self.tape.push(t, block, Columns { trajectories, tangents }, out, work);
    }

    /// The transposed Jacobian at one state times covectors, `D×k`.
    pub fn pull(
        &self,
        t: f64,
        state: &[f64],
        covectors: &DMatrix<f64>,
        work: &mut Room,
    ) -> DMatrix<f64> {
        self.tape.pull(t, state, covectors, work)
    }

    /// Multiply-adds of the matrix products and weighted sums for each column of a block.
    pub fn multiply_adds(&self) -> u64 {
        self.tape.multiply_adds()
    }
}

/// Lowers the graph to the field of one state.
pub(super) fn compile(
    path: &Path,
    graph: &Graph,
    state: &str,
    time: Option<&str>,
) -> Result<Field> {
    let compiler = Compiler {
        path,
        graph,
        state: port(path, graph, state)?,
        time: time.map(|name| port(path, graph, name)).transpose()?,
    };
    compiler.check_others()?;
    compiler.run()
}

fn port<'a>(path: &Path, graph: &'a Graph, name: &str) -> Result<&'a Port> {
    graph.inputs.iter().find(|port| port.name == name).ok_or_else(|| {
        let names: Vec<&str> = graph.inputs.iter().map(|port| port.name.as_str()).collect();
        let problem = format!("no input {name:?}; it has {}", names.join(", "));
        Error::file(path, problem, "name the state and time as the file does")
    })
}

struct Compiler<'a> {
    path: &'a Path,
    graph: &'a Graph,
    state: &'a Port,
    time: Option<&'a Port>,
}

impl Compiler<'_> {
    fn fault(&self, problem: impl Into<String>, hint: &str) -> Error {
        Error::file(self.path, problem, hint)
    }

    fn check_others(&self) -> Result<()> {
        let known = |port: &&Port| {
            port.name == self.state.name || self.time.is_some_and(|time| time.name == port.name)
        };
        let others: Vec<&str> = self
            .graph
            .inputs
            .iter()
            .filter(|port| !known(port))
            .map(|port| port.name.as_str())
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let problem = format!("inputs {} are neither the state nor time", others.join(", "));
        Err(self.fault(problem, "export the network with these held fixed, e.g. torch.nn.Module wrapping model(x, t, label)"))
    }

    /// The number of states the file was exported for, where it is not free, and the shape of one.
    fn state_shape(&self) -> Result<(Option<usize>, Vec<usize>)> {
        let hint = "export with fixed lengths of all axes but the first";
        let lengths = |axes: &[Option<usize>]| axes.iter().copied().collect::<Option<Vec<usize>>>();
        let (states, shape) = match self.state.shape.split_first() {
            Some((first, rest)) if self.counts() => (*first, lengths(rest)),
            _ => (None, lengths(&self.state.shape)),
        };
        let Some(shape) = shape else {
            let problem = format!(
                "input {:?} has free axes besides the first: {:?}",
                self.state.name, self.state.shape
            );
            return Err(self.fault(problem, hint));
        };
        if shape.contains(&0) || states == Some(0) {
            return Err(self.fault(format!("input {:?} has no entries", self.state.name), hint));
        }
        count(&[&[states.unwrap_or(1)], &shape[..]].concat())
            .map_err(|fault| self.unfit(&fault))?;
        Ok((states.filter(|n| *n > 1), shape))
    }

    /// True when the first axis of the state may count states: not that of a single vector.
    fn counts(&self) -> bool {
        !matches!(self.state.shape[..], [] | [Some(_)])
    }

    fn run(&self) -> Result<Field> {
        let (states, shape) = self.state_shape()?;
        let Some(states) = states else {
            return Ok(Field { tape: self.tape(&shape, 1, false)?, shape, batch: Batch::Free });
        };
        let one = self.tape(&shape, 1, false);
        // What holds for two states needs no tape for all of them, which may be many.
        if let Ok(one) = &one
            && let Ok(two) = self.tape(&shape, 2, false)
            && separate(&two, 2)
            && agree(one, &two)
        {
            return Ok(Field { tape: one.clone(), shape, batch: Batch::Rewritten(states) });
        }
        let all = self.tape(&shape, states, false)?;
        if !separate(&all, states) {
            // The entries along the first axis interact: it is part of the state.
            let shape = [&[states], &shape[..]].concat();
            return Ok(Field { tape: all, shape, batch: Batch::Free });
        }
        let tape = self.tape(&shape, states, true)?;
        Ok(Field { tape, shape, batch: Batch::Repeated(states) })
    }

    /// The tape for so many states side by side; `repeated`: all the same, and the first of the results is kept.
    fn tape(&self, shape: &[usize], states: usize, repeated: bool) -> Result<Tape> {
        let one: usize = shape.iter().product();
        let dim = if repeated { one } else { one * states };
        let mut shapes = Vec::new();
        for port in &self.graph.outputs {
            let mut tape = Builder::new(dim);
            let inputs = self.inputs(&mut tape, shape, states, repeated)?;
            let value = lower(self.path, self.graph, &mut tape, inputs, &port.name)?;
            if value.length() != one * states {
                shapes.push(format!("{:?} has the shape {:?}", port.name, value.shape));
                continue;
            }
            let value = Value { shape: vec![states, one], ..value };
            let value = if repeated {
                tape.narrow(&value, 0, 0, 1).map_err(|fault| self.unfit(&fault))?
            } else {
                value
            };
            let tape = tape.finish(&value);
            if matches!(tape.slots[tape.output].place, Place::State) {
                return Ok(tape);
            }
            let problem = format!("the output does not depend on {:?}", self.state.name);
            return Err(self.fault(problem, "name the input that is the state"));
        }
        let problem =
            format!("no output has the {one} numbers of the state: {}", shapes.join("; "));
        Err(self.fault(problem, "export a network whose output has the shape of its state"))
    }

    fn unfit(&self, fault: &Fault) -> Error {
        self.fault(format!("its inputs do not fit together: {fault:?}"), "export the network again")
    }

    /// The inputs of the graph on a tape for so many states.
    fn inputs(
        &self,
        tape: &mut Builder,
        shape: &[usize],
        states: usize,
        repeated: bool,
    ) -> Result<HashMap<String, Value>> {
        let whole = if self.counts() { [&[states], shape].concat() } else { shape.to_vec() };
        let state = tape.state(if repeated { shape.to_vec() } else { whole.clone() });
        let state = tape.broadcast(&state, &whole).map_err(|fault| self.unfit(&fault))?;
        let mut inputs = HashMap::from([(self.state.name.clone(), state)]);
        let Some(time) = self.time else {
            return Ok(inputs);
        };
        // Free axes, and those as long as the one that counts states, count states too.
        let counted = self.counts().then(|| self.state.shape[0]).flatten();
        let length = |n: &Option<usize>| n.filter(|n| Some(*n) != counted).unwrap_or(states);
        let shape: Vec<usize> = time.shape.iter().map(length).collect();
        if shape.iter().product::<usize>() > states {
            let problem = format!(
                "time {:?} has the shape {:?}, more than one number a state",
                time.name, time.shape
            );
            return Err(self.fault(problem, "is it the state? name the inputs the other way round"));
        }
        let value = tape.broadcast(&tape.time(), &shape).map_err(|fault| self.unfit(&fault))?;
        inputs.insert(time.name.clone(), value);
        Ok(inputs)
    }
}

/// A state that nothing distinguishes.
fn somewhere(tape: &Tape) -> Vec<f64> {
    (0..tape.slots[STATE].length).map(|i| (0.7 * i as f64 + 0.3).sin()).collect()
}

/// True when the first of several results does not depend on the other states.
fn separate(all: &Tape, states: usize) -> bool {
    let x = somewhere(all);
    let one = x.len() / states;
    let covector =
        DMatrix::from_fn(
            x.len(),
            1,
            |i, _| if i < one { 1.0 + (i as f64).cos() / 2.0 } else { 0.0 },
        );
    let gradient = all.pull(0.4, &x, &covector, &mut Room::default());
    // NaN says nothing of what depends on what.
    gradient.as_slice()[one..].iter().all(|g| *g == 0.0 || g.is_nan())
}

/// True when the tape of one state gives what that of several gives for the first.
fn agree(one: &Tape, all: &Tape) -> bool {
    let (x, dim) = (somewhere(all), one.slots[STATE].length);
    let (mut alone, mut beside) = (vec![0.0; dim], vec![0.0; x.len()]);
    one.eval(0.4_f64, &x[..dim], &mut alone);
    all.eval(0.4_f64, &x, &mut beside);
    // The same sums in the same order, but for the shape of products.
    alone.iter().zip(&beside).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + a.abs()))
}
