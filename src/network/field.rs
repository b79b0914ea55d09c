//! A network as a field of one state.

use super::builder::{Builder, Value};
use super::graph::{Graph, Port};
use super::lower::lower;
use super::push::{Columns, Room};
use super::tape::{Place, Tape};
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

    /// Multiply-adds of the matrix products and sums for each column of a block.
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
        let free = "export with fixed lengths of all axes but the first";
        let lengths = |axes: &[Option<usize>]| axes.iter().copied().collect::<Option<Vec<usize>>>();
        let (batch, rest) = match self.state.shape.split_first() {
            None => (None, Some(Vec::new())),
            // One axis: a batch of numbers when it is free, else one vector.
            Some((Some(n), [])) => (None, Some(vec![*n])),
            Some((first, rest)) => (*first, lengths(rest)),
        };
        let Some(shape) = rest else {
            let problem = format!(
                "input {:?} has free axes besides the first: {:?}",
                self.state.name, self.state.shape
            );
            return Err(self.fault(problem, free));
        };
        if shape.contains(&0) || batch == Some(0) {
            return Err(self.fault(format!("input {:?} has no entries", self.state.name), free));
        }
        Ok((batch.filter(|n| *n > 1), shape))
    }

    fn run(&self) -> Result<Field> {
        let (batch, shape) = self.state_shape()?;
        let Some(states) = batch else {
            return Ok(Field { tape: self.tape(&shape, 1)?, shape, batch: Batch::Free });
        };
        let one = self.tape(&shape, 1);
        let all = self.tape(&shape, states);
        match (one, all) {
            // Both ways work: the cheap one, if it is the same function.
            (Ok(one), Ok(all)) if agree(&one, &all) => {
                Ok(Field { tape: one, shape, batch: Batch::Rewritten(states) })
            }
            (_, Ok(all)) => Ok(Field { tape: all, shape, batch: Batch::Repeated(states) }),
            (_, Err(error)) => Err(error),
        }
    }

    /// The tape for one state repeated `states` times; the first of the results is kept.
    fn tape(&self, shape: &[usize], states: usize) -> Result<Tape> {
        let dim: usize = shape.iter().product();
        let mut tape = Builder::new(dim);
        let wrong = |fault| {
            let problem = format!("the inputs do not fit together: {fault:?}");
            self.fault(problem, "export the network again")
        };
        let mut inputs = HashMap::new();
        let own = self.own_axis();
        let whole: Vec<usize> = if own { [&[states], shape].concat() } else { shape.to_vec() };
        let state = tape.broadcast(&tape.state(shape.to_vec()), &whole).map_err(wrong)?;
        inputs.insert(self.state.name.clone(), state);
        if let Some(time) = self.time {
            // Free axes, and those as long as the one that counts states, count states too.
            let counted = own.then(|| self.state.shape[0]).flatten();
            let length = |n: &Option<usize>| match n {
                Some(n) if Some(*n) != counted => *n,
                _ => states,
            };
            let shape: Vec<usize> = time.shape.iter().map(length).collect();
            if shape.iter().product::<usize>() > states {
                let problem = format!(
                    "time {:?} has the shape {:?}, more than one number a state",
                    time.name, time.shape
                );
                return Err(
                    self.fault(problem, "is it the state? name the inputs the other way round")
                );
            }
            let value = tape.broadcast(&tape.time(), &shape).map_err(wrong)?;
            inputs.insert(time.name.clone(), value);
        }
        let mut shapes = Vec::new();
        for port in &self.graph.outputs {
            let fits = |value: &Value| value.length() == dim * states;
            let only = self.graph.outputs.len() == 1;
            let mut attempt = Builder::new(dim);
            std::mem::swap(&mut attempt, &mut tape);
            let value = lower(self.path, self.graph, &mut attempt, inputs.clone(), &port.name)?;
            if fits(&value) {
                return self.finish(attempt, &value, states, dim);
            }
            shapes.push(format!("{:?} has the shape {:?}", port.name, value.shape));
            if !only {
                // The next output starts from the inputs again.
                tape = Builder::new(dim);
                let state = tape.broadcast(&tape.state(shape.to_vec()), &whole).map_err(wrong)?;
                inputs.insert(self.state.name.clone(), state);
            }
        }
        let problem =
            format!("no output has the {dim} numbers of the state: {}", shapes.join("; "));
        Err(self.fault(problem, "export a network whose output has the shape of its state"))
    }

    fn finish(&self, mut tape: Builder, value: &Value, states: usize, dim: usize) -> Result<Tape> {
        let first = Value { shape: vec![states, dim], ..value.clone() };
        let first = tape
            .narrow(&first, 0, 0, 1)
            .map_err(|fault| self.fault(format!("{fault:?}"), "export the network again"))?;
        let tape = tape.finish(&first);
        if matches!(tape.slots[tape.output].place, Place::State) {
            return Ok(tape);
        }
        Err(self.fault(
            format!("the output does not depend on {:?}", self.state.name),
            "name the input that is the state",
        ))
    }

    /// True when the first axis of the state counts states.
    fn own_axis(&self) -> bool {
        match &self.state.shape[..] {
            [] | [Some(_)] => false,
            _ => true,
        }
    }
}

/// True when two tapes give the same numbers at a point that nothing distinguishes.
fn agree(a: &Tape, b: &Tape) -> bool {
    let dim = a.slots[a.state].length;
    let x: Vec<f64> = (0..dim).map(|i| (0.7 * i as f64 + 0.3).sin()).collect();
    let (mut at_a, mut at_b) = (vec![0.0; dim], vec![0.0; dim]);
    a.eval(0.4_f64, &x, &mut at_a);
    b.eval(0.4_f64, &x, &mut at_b);
    // The same sums in the same order, but for the shape of products.
    at_a.iter().zip(&at_b).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + a.abs()))
}
