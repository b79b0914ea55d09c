//! A network as its file says it: named nodes between named tensors.

use std::collections::HashMap;
use std::sync::Arc;

/// What the entries of a tensor count as; all are kept as `f64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Floating point of any width.
    Float,
    /// Integers: division truncates.
    Integer,
    /// 0 or 1.
    Boolean,
}

/// A constant, row-major.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    pub(super) data: Arc<[f64]>,
}

/// The value of an attribute of a node.
#[derive(Clone, Debug)]
pub(super) enum Attribute {
    Float(f64),
    Integer(i64),
    Text(String),
    Floats(Vec<f64>),
    Integers(Vec<i64>),
    Tensor(Tensor),
    /// A subgraph or another kind that no operator read here uses.
    Other,
}

/// One operator applied to named tensors; an empty name is an input or output left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) operator: String,
    /// Empty for the operators of ONNX itself.
    pub(super) domain: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) attributes: HashMap<String, Attribute>,
}

/// An input or output of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in the file.
    pub name: String,
    /// Length of each axis; `None` where it is free.
    pub shape: Vec<Option<usize>>,
}

/// Nodes in an order in which each comes after those it needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    /// Version of the operators.
    pub(super) opset: i64,
    pub(super) nodes: Vec<Node>,
    pub(super) constants: HashMap<String, Tensor>,
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
}

impl Node {
    /// How messages call it.
    pub(super) fn title(&self) -> String {
        let operator = if self.domain.is_empty() {
            self.operator.clone()
        } else {
            format!("{}.{}", self.domain, self.operator)
        };
        match (&self.name, self.outputs.first()) {
            (name, Some(output)) if name.is_empty() => format!("{operator} (writes {output:?})"),
            (name, _) => format!("{name:?} ({operator})"),
        }
    }
}

impl Graph {
    /// Which nodes the named tensor needs.
    pub(super) fn needed(&self, output: &str) -> Vec<bool> {
        let producer: HashMap<&str, usize> = self
            .nodes
            .iter()
            .enumerate()
            .flat_map(|(i, node)| node.outputs.iter().map(move |name| (name.as_str(), i)))
            .collect();
        let mut needed = vec![false; self.nodes.len()];
        let mut open = vec![output];
        while let Some(name) = open.pop() {
            if let Some(&i) = producer.get(name).filter(|_| !name.is_empty())
                && !needed[i]
            {
                needed[i] = true;
                open.extend(self.nodes[i].inputs.iter().map(String::as_str));
            }
        }
        needed
    }
}
