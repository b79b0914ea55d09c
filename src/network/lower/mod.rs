//! From the operators of ONNX to the primitives of the tape.

mod attention;
mod convolution;
mod einsum;
mod elementwise;
mod matrix;
mod norm;
mod reduce;
mod resize;
mod shape;

use super::builder::{Builder, Value};
use super::graph::{Attribute, Graph, Node};
use super::shapes::{Fault, Lowered, axis, invalid, unsupported};
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// A node about to be lowered: its inputs, its attributes, and the tape that it writes to.
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
    pub(super) inputs: Vec<Option<Value>>,
    pub(super) tape: &'a mut Builder,
}

impl Call<'_> {
    /// Input i, which must be there.
    pub(super) fn input(&self, i: usize) -> Lowered<Value> {
        match self.optional(i) {
            Some(value) => Ok(value),
            None => invalid(format!("input {i} is missing")),
        }
    }

    /// Input i, unless it is left out.
    pub(super) fn optional(&self, i: usize) -> Option<Value> {
        self.inputs.get(i).cloned().flatten()
    }

    pub(super) fn float(&self, name: &str, default: f64) -> Lowered<f64> {
        match self.node.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Float(value)) => Ok(*value),
            Some(_) => invalid(format!("attribute {name} is not a number")),
        }
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> Lowered<i64> {
        Ok(self.integer_if(name)?.unwrap_or(default))
    }

    pub(super) fn integer_if(&self, name: &str) -> Lowered<Option<i64>> {
        match self.node.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Integer(value)) => Ok(Some(*value)),
            Some(_) => invalid(format!("attribute {name} is not an integer")),
        }
    }

    pub(super) fn text(&self, name: &str, default: &str) -> Lowered<String> {
        match self.node.attributes.get(name) {
            None => Ok(default.to_owned()),
            Some(Attribute::Text(value)) => Ok(value.clone()),
            Some(_) => invalid(format!("attribute {name} is not a text")),
        }
    }

    pub(super) fn integers(&self, name: &str) -> Lowered<Option<Vec<i64>>> {
        match self.node.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Integers(values)) => Ok(Some(values.clone())),
            Some(_) => invalid(format!("attribute {name} is not a list of integers")),
        }
    }

    /// The integers of input i, which must be known before the run.
    pub(super) fn known_integers(&self, i: usize) -> Lowered<Option<Vec<i64>>> {
        let Some(value) = self.optional(i) else {
            return Ok(None);
        };
        match self.tape.known(&value) {
            Some(data) => Ok(Some(data.iter().map(|x| *x as i64).collect())),
            None => unsupported(format!(
                "input {i} is computed from the state or from time, and must be a constant"
            )),
        }
    }

    /// A list that is an attribute in some versions and input `i` in others.
    pub(super) fn list(&self, name: &str, i: usize) -> Lowered<Option<Vec<i64>>> {
        Ok(match self.integers(name)? {
            Some(list) => Some(list),
            None => self.known_integers(i)?,
        })
    }

    /// Axes by number, each once.
    pub(super) fn axes(&self, numbers: &[i64], rank: usize) -> Lowered<Vec<usize>> {
        let axes = numbers.iter().map(|n| axis(*n, rank)).collect::<Lowered<Vec<usize>>>()?;
        if axes.iter().collect::<HashSet<_>>().len() != axes.len() {
            return invalid(format!("an axis is named twice in {numbers:?}"));
        }
        Ok(axes)
    }
}

/// How an operator is lowered, to one value for each output.
type Lower = fn(&mut Call<'_>) -> Lowered<Vec<Value>>;

/// The operators of ONNX that are read.
fn operator(name: &str) -> Option<Lower> {
    elementwise::operator(name)
        .or_else(|| matrix::operator(name))
        .or_else(|| shape::operator(name))
        .or_else(|| reduce::operator(name))
        .or_else(|| norm::operator(name))
        .or_else(|| convolution::operator(name))
        .or_else(|| resize::operator(name))
        .or_else(|| einsum::operator(name))
        .or_else(|| attention::operator(name))
}

/// What makes an exporter write only what is read here.
const EXPORT_AGAIN: &str = "export the plain network in evaluation mode with standard operators: model.eval(), then \
    torch.onnx.export(model, (x, t), 'FILE.onnx', opset_version=17, dynamo=False, \
    dynamic_axes={'x': {0: 'B'}, 't': {0: 'B'}}); replace by hand what is named above, or simplify with \
    `python -m onnxsim FILE.onnx FILE.onnx`";

/// Lowers the nodes that `output` needs, from these values of the inputs.
pub(super) fn lower(
    path: &Path,
    graph: &Graph,
    tape: &mut Builder,
    inputs: HashMap<String, Value>,
    output: &str,
) -> Result<Value> {
    let mut values = inputs;
    for (name, tensor) in &graph.constants {
        if !values.contains_key(name) {
            let value = tape.tensor(tensor);
            values.insert(name.clone(), value);
        }
    }
    let needed = graph.needed(output);
    let mut poisoned: HashSet<&str> = HashSet::new();
    let mut failed = Vec::new();
    for (node, _) in graph.nodes.iter().zip(&needed).filter(|(_, needed)| **needed) {
        let poison = node.inputs.iter().any(|name| poisoned.contains(name.as_str()));
        let known = operator(&node.operator).filter(|_| node.domain.is_empty());
        let result = match known {
            None => unsupported("not among the operators read here"),
            Some(_) if poison => {
                poisoned.extend(node.outputs.iter().map(String::as_str));
                continue;
            }
            Some(lower) => apply(path, graph, node, lower, tape, &mut values)?,
        };
        match result {
            Ok(()) => (),
            Err(Fault::Unsupported(problem)) => {
                poisoned.extend(node.outputs.iter().map(String::as_str));
                failed.push(format!("{}: {problem}", node.title()));
            }
            Err(Fault::Invalid(problem)) => {
                let hint = "check the file with onnx.checker.check_model(FILE, full_check=True), and export it again";
                return Err(Error::file(path, format!("node {}: {problem}", node.title()), hint));
            }
        }
    }
    if !failed.is_empty() {
        let problem = format!(
            "{} of {} nodes cannot be evaluated (opset {}):\n    {}",
            failed.len(),
            needed.iter().filter(|needed| **needed).count(),
            graph.opset,
            failed.join("\n    ")
        );
        return Err(Error::file(path, problem, EXPORT_AGAIN));
    }
    values.remove(output).ok_or_else(|| {
        let problem = format!("nothing writes the output {output:?}");
        Error::file(path, problem, "export the network again")
    })
}

/// Lowers one node.
fn apply(
    path: &Path,
    graph: &Graph,
    node: &Node,
    lower: Lower,
    tape: &mut Builder,
    values: &mut HashMap<String, Value>,
) -> Result<Lowered<()>> {
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for name in &node.inputs {
        let value = values.get(name).cloned();
        if value.is_none() && !name.is_empty() {
            let later = graph.nodes.iter().any(|other| other.outputs.contains(name));
            let problem = format!(
                "node {} reads {name:?}, which {}",
                node.title(),
                if later {
                    "only a later node writes: the graph has a cycle or is not sorted"
                } else {
                    "nothing writes"
                }
            );
            return Err(Error::file(path, problem, "export the network again"));
        }
        inputs.push(value);
    }
    let outputs = match lower(&mut Call { node, inputs, tape }) {
        Ok(outputs) => outputs,
        Err(fault) => return Ok(Err(fault)),
    };
    for (i, name) in node.outputs.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        match outputs.get(i) {
            Some(value) => values.insert(name.clone(), value.clone()),
            None => return Ok(unsupported(format!("its output {i} ({name:?})"))),
        };
    }
    Ok(Ok(()))
}
