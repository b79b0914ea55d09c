//! Trained networks from ONNX and safetensors files, evaluated with tangents and covectors.
//!
//! A file is read into a graph of named nodes ([`Network`]). For a field dx/dt = N(x, t) the graph is
//! lowered, for one state, to a tape of a few primitives with static shapes (`tape`): shapes and integers
//! are folded away, and what depends on constants only is computed once. The tape runs over any
//! [`Scalar`](crate::scalar::Scalar), which is its definition; over blocks of states with tangents (`push`), where a linear
//! primitive is one matrix product for all columns; and backwards with covectors (`pull`).

mod arithmetic;
mod builder;
mod convolution;
mod entrywise;
mod field;
mod function;
mod graph;
mod linear;
mod lower;
mod plan;
mod ports;
mod product;
mod pull;
mod push;
mod read;
mod shapes;
mod tape;

pub use field::{Batch, Field};
pub use graph::Port;
pub use ports::Opened;
pub use push::Room;

use crate::error::{Error, Result};
use function::{CORNER, JUMP};
use graph::Graph;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A network as its file says it.
#[derive(Clone, Debug)]
pub struct Network {
    path: PathBuf,
    graph: Graph,
}

/// A node where the network has no second derivative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kink {
    /// Its name in the file.
    pub node: String,
    /// Its operator.
    pub operator: String,
    /// What that does to the field.
    pub meaning: &'static str,
}

impl Network {
    /// Reads a `.onnx` file, or a `.safetensors` file of a plain perceptron with its description
    /// (in the metadata, or in a `.toml` file of the same name next to it).
    pub fn read(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("onnx") => Self::from_onnx(path, &read::bytes(path)?),
            Some("safetensors") => Self::from_safetensors(path, &read::bytes(path)?),
            _ => {
                let problem = "neither a .onnx nor a .safetensors file";
                let hint =
                    "export the network: torch.onnx.export(model.eval(), (x, t), 'FILE.onnx')";
                Err(Error::file(path, problem, hint))
            }
        }
    }

    /// Reads the bytes of an ONNX file; weights in other files are looked for beside `path`.
    pub fn from_onnx(path: &Path, bytes: &[u8]) -> Result<Self> {
        Ok(Self { path: path.to_path_buf(), graph: read::onnx::parse(path, bytes)? })
    }

    /// Reads the bytes of a safetensors file; a description is looked for beside `path`.
    pub fn from_safetensors(path: &Path, bytes: &[u8]) -> Result<Self> {
        Ok(Self { path: path.to_path_buf(), graph: read::safetensors::parse(path, bytes)? })
    }

    /// The inputs, in the order of the file.
    pub fn inputs(&self) -> &[Port] {
        &self.graph.inputs
    }

    /// The outputs, in the order of the file.
    pub fn outputs(&self) -> &[Port] {
        &self.graph.outputs
    }

    /// Where the network is not twice differentiable in its inputs.
    pub fn kinks(&self) -> Vec<Kink> {
        let mut moving: HashSet<&str> =
            self.graph.inputs.iter().map(|port| port.name.as_str()).collect();
        let mut kinks = Vec::new();
        for node in &self.graph.nodes {
            // The shape of a tensor does not move with its entries.
            let still = ["Shape", "Size"].contains(&node.operator.as_str());
            if still || !node.inputs.iter().any(|name| moving.contains(name.as_str())) {
                continue;
            }
            moving.extend(node.outputs.iter().map(String::as_str));
            if let Some(meaning) = meaning(&node.operator) {
                let name =
                    if node.name.is_empty() { node.outputs.first() } else { Some(&node.name) };
                let node_name = name.cloned().unwrap_or_default();
                kinks.push(Kink { node: node_name, operator: node.operator.clone(), meaning });
            }
        }
        kinks
    }

    /// The field out = N(x, t) of one state: `state` names the input x, `time` the input t, if there is one.
    ///
    /// All other inputs must be constants. The output is the first with as many numbers as the state.
    /// The first of several axes of the state counts states, and the field is that of one, unless the results
    /// of states side by side depend on one another: then the axis belongs to the state.
    ///
    /// ```
    /// use driftproof::network::{Network, Room};
    /// use std::path::Path;
    /// let network = Network::read(Path::new("data/models/moons_vp_eps_mlp3x128.ts17.onnx"))?;
    /// let field = network.field("x", Some("t"))?;
    /// // One state with two tangents, which are the columns of the Jacobian J.
    /// let block = [0.3, -0.2, 1.0, 0.0, 0.0, 1.0];
    /// let (mut out, mut room) = ([0.0; 6], Room::default());
    /// field.push(0.5, &block, 1, 2, &mut out, &mut room);
    /// // The first column of Jᵀ is the first row of J.
    /// let covector = nalgebra::DMatrix::from_column_slice(2, 1, &[1.0, 0.0]);
    /// let row = field.pull(0.5, &block[..2], &covector, &mut room);
    /// assert!((row[0] - out[2]).abs() < 1e-14 && (row[1] - out[4]).abs() < 1e-14);
    /// # Ok::<(), driftproof::error::Error>(())
    /// ```
    pub fn field(&self, state: &str, time: Option<&str>) -> Result<Field> {
        field::compile(&self.path, &self.graph, state, time)
    }
}

/// What an operator without a second derivative means; nothing for smooth ones.
fn meaning(operator: &str) -> Option<&'static str> {
    match operator {
        "Relu" | "LeakyRelu" | "PRelu" | "Selu" | "Abs" | "Clip" | "Max" | "Min" | "MaxPool"
        | "ReduceMax" | "ReduceMin" | "ReduceL1" => Some(CORNER),
        "Elu" | "Celu" => {
            Some("its second derivative jumps: the field is C¹ but, with alpha = 1, not C²")
        }
        "Greater" | "Less" | "GreaterOrEqual" | "LessOrEqual" | "Equal" | "Floor" | "Ceil"
        | "Round" | "Sign" | "Not" => Some(JUMP),
        _ => None,
    }
}

/// Reads any bytes as either kind of file and evaluates what comes out, for the fuzzer and the test of its corpus.
///
/// Errors are expected. Panics are not, nor that the ways of evaluation differ in their shapes.
#[doc(hidden)]
pub fn try_all(bytes: &[u8]) {
    let path = Path::new("/nonexistent/fuzz");
    let networks = [Network::from_onnx(path, bytes), Network::from_safetensors(path, bytes)];
    for network in networks.into_iter().flatten() {
        network.kinks();
        let names: Vec<&str> = network.inputs().iter().map(|port| port.name.as_str()).collect();
        for state in &names {
            let time = names.iter().find(|name| *name != state).copied();
            let Ok(field) = network.field(state, time) else {
                continue;
            };
            let d = field.dim();
            if d > 64 || field.multiply_adds() > 1 << 20 {
                continue;
            }
            let block = vec![0.5; 4 * d];
            let (mut out, room) = (vec![0.0; 4 * d], &mut Room::default());
            field.push(0.5, &block, 2, 1, &mut out, room);
            field.eval(0.5_f64, &block[..d], &mut out[..d]);
            field.pull(0.5, &block[..d], &nalgebra::DMatrix::from_element(d, 2, 0.5), room);
        }
    }
}
