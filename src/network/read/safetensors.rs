//! Weights of plain multilayer perceptrons in safetensors files, with a small description.

use super::{Allowance, COPY_AGAIN, Stored, check_finite, entries};
use crate::error::{Error, Result};
use crate::network::graph::{Attribute, Graph, Kind, Node, Port, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What weights alone do not say; in `FILE.toml`, or as texts in the metadata of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    /// Names of the state and of time, in the order in which they are put together.
    inputs: Vec<String>,
    /// Between layers.
    activation: String,
    /// Which of the inputs is time; none when there is one input.
    #[serde(default)]
    time: Option<String>,
    /// A tensor of frequencies ω: time enters as sin ωt and cos ωt; without it as t.
    #[serde(default)]
    frequencies: Option<String>,
    /// Layers in order, each `NAME.weight` and `NAME.bias`; else all, sorted by the numbers in their names.
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// What a description looks like.
const EXAMPLE: &str = "write a description next to it, with the ending .toml, for example\n    \
    inputs = [\"x\", \"t\"]\n    time = \"t\"\n    activation = \"silu\"\n    frequencies = \"te.freqs\"\n  \
    (frequencies only when time enters as sin and cos; layers = [\"net.0\", …] when their names do not sort)";

/// Activations, and their operators.
const ACTIVATIONS: &[(&str, &str)] = &[
    ("silu", "Swish"),
    ("tanh", "Tanh"),
    ("gelu", "Gelu"),
    ("gelu_tanh", "Gelu"),
    ("softplus", "Softplus"),
    ("mish", "Mish"),
    ("elu", "Elu"),
    ("selu", "Selu"),
    ("relu", "Relu"),
    ("leaky_relu", "LeakyRelu"),
    ("sigmoid", "Sigmoid"),
    ("sin", "Sin"),
];

/// Reads the weights in `bytes`, and the description from the metadata or beside `path`.
pub(in crate::network) fn parse(path: &Path, bytes: &[u8]) -> Result<Graph> {
    let damaged = |e: safetensors::SafeTensorError| {
        Error::file(path, format!("not a safetensors file, or a damaged one: {e}"), COPY_AGAIN)
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let description = description(path, header.metadata().as_ref())?;
    let (mut tensors, allowance) = (BTreeMap::new(), Allowance::new());
    for (name, view) in file.tensors() {
        let number = match view.dtype() {
            Dtype::F32 => 1,
            Dtype::F16 => 10,
            Dtype::F64 => 11,
            Dtype::BF16 => 16,
            other => {
                let problem =
                    format!("tensor {name:?} of type {other:?}; read are F16, BF16, F32, F64");
                return Err(Error::file(path, problem, "save the weights as float32"));
            }
        };
        if entries(view.shape()).is_none() {
            return Err(Error::file(
                path,
                format!("tensor {name:?} of shape {:?}", view.shape()),
                COPY_AGAIN,
            ));
        }
        allowance.take(path, &name, view.shape().iter().product())?;
        let stored = Stored::numbered(number).expect("a type that is read");
        let data = stored.decode(view.data());
        let tensor = Tensor { kind: Kind::Float, shape: view.shape().to_vec(), data: data.into() };
        check_finite(path, &name, &tensor)?;
        tensors.insert(name, tensor);
    }
    Perceptron { path, description, tensors, graph: Graph { opset: 20, ..Graph::default() } }
        .build()
}

fn description(path: &Path, metadata: Option<&HashMap<String, String>>) -> Result<Description> {
    let beside = path.with_extension("toml");
    if let Ok(text) = std::fs::read_to_string(&beside) {
        return toml::from_str(&text)
            .map_err(|e| Error::file(&beside, e.to_string().trim_end(), EXAMPLE));
    }
    let text = |key: &str| metadata.and_then(|metadata| metadata.get(key)).cloned();
    let list = |text: String| text.split(',').map(|name| name.trim().to_owned()).collect();
    match (text("inputs"), text("activation")) {
        (Some(inputs), Some(activation)) => Ok(Description {
            inputs: list(inputs),
            activation,
            time: text("time"),
            frequencies: text("frequencies"),
            layers: text("layers").map(list),
        }),
        _ => {
            let problem =
                "weights alone do not say which activation and which inputs the network has";
            Err(Error::file(path, problem, EXAMPLE))
        }
    }
}

struct Perceptron<'a> {
    path: &'a Path,
    description: Description,
    tensors: BTreeMap<String, Tensor>,
    graph: Graph,
}

impl Perceptron<'_> {
    fn fault(&self, problem: String) -> Error {
        Error::file(self.path, problem, EXAMPLE)
    }

    fn build(mut self) -> Result<Graph> {
        let layers = self.layers();
        let Some(first) = layers.first() else {
            return Err(self.fault("no tensor NAME.weight with two axes: no layer".into()));
        };
        let Some([_, width]) = self.tensors.get(&format!("{first}.weight")).map(|w| &w.shape[..])
        else {
            return Err(self.fault(format!("{first}.weight is missing or not a matrix")));
        };
        let mut at = self.inputs(*width)?;
        let last = layers.len() - 1;
        for (i, layer) in layers.iter().enumerate() {
            let to = if i == last { "out".to_owned() } else { format!("{layer}.result") };
            let weight = self.used(&format!("{layer}.weight"))?;
            let bias = format!("{layer}.bias");
            let mut inputs = vec![at, weight];
            if self.tensors.contains_key(&bias) {
                inputs.push(self.used(&bias)?);
            }
            self.node(layer, "Gemm", inputs, &to, &[("transB", Attribute::Integer(1))]);
            at = if i == last { to } else { self.activation(layer, to)? };
        }
        if let Some(name) = self.tensors.keys().next() {
            return Err(self.fault(format!("tensor {name:?} belongs to no layer: not a plain perceptron, or not all of it is described")));
        }
        self.graph.outputs.push(Port { name: at, shape: vec![None, None] });
        Ok(self.graph)
    }

    /// Names of layers: as described, or those with a weight, sorted by the numbers in their names.
    fn layers(&self) -> Vec<String> {
        if let Some(layers) = &self.description.layers {
            return layers.clone();
        }
        let matrices = self.tensors.iter().filter(|(_, tensor)| tensor.shape.len() == 2);
        let mut names: Vec<String> = matrices
            .filter_map(|(name, _)| name.strip_suffix(".weight"))
            .map(str::to_owned)
            .collect();
        let numbers = |name: &str| -> Vec<u64> {
            name.split(|c: char| !c.is_ascii_digit())
                .filter_map(|digits| digits.parse().ok())
                .collect()
        };
        names.sort_by_key(|name| numbers(name));
        names
    }

    /// Moves a tensor into the graph; each is used once.
    fn used(&mut self, name: &str) -> Result<String> {
        let Some(tensor) = self.tensors.remove(name) else {
            return Err(self.fault(format!("no tensor {name:?}, or it is named twice")));
        };
        self.graph.constants.insert(name.to_owned(), tensor);
        Ok(name.to_owned())
    }

    fn node(
        &mut self,
        name: &str,
        operator: &str,
        inputs: Vec<String>,
        output: &str,
        attributes: &[(&str, Attribute)],
    ) {
        self.graph.nodes.push(Node {
            name: name.to_owned(),
            operator: operator.to_owned(),
            domain: String::new(),
            inputs,
            outputs: vec![output.to_owned()],
            attributes: attributes
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
        });
    }

    /// The ports, and what the first layer of this width reads.
    fn inputs(&mut self, width: usize) -> Result<String> {
        let Description { inputs, time, frequencies, .. } = self.description.clone();
        let states: Vec<&String> =
            inputs.iter().filter(|name| Some(*name) != time.as_ref()).collect();
        let [state] = states[..] else {
            return Err(self
                .fault(format!("inputs = {inputs:?} with time = {time:?}: one state is needed")));
        };
        let mut features = 0;
        let mut parts = Vec::new();
        for name in &inputs {
            if name == state {
                parts.push(state.clone());
                continue;
            }
            self.graph.constants.insert(
                "last axis".into(),
                Tensor { kind: Kind::Integer, shape: vec![1], data: [1.0].into() },
            );
            self.node(
                "time as a column",
                "Unsqueeze",
                vec![name.clone(), "last axis".into()],
                "time as a column",
                &[],
            );
            features = 1;
            let Some(omega) = &frequencies else {
                parts.push("time as a column".into());
                continue;
            };
            let omega = self.used(omega)?;
            features = 2 * self.graph.constants[&omega].data.len();
            self.node("phases", "Mul", vec!["time as a column".into(), omega], "phases", &[]);
            for (wave, operator) in [("sines", "Sin"), ("cosines", "Cos")] {
                self.node(wave, operator, vec!["phases".into()], wave, &[]);
                parts.push(wave.into());
            }
        }
        let Some(dim) = width.checked_sub(features).filter(|dim| *dim > 0) else {
            return Err(self.fault(format!(
                "the first layer has {width} inputs, but {features} are features of time"
            )));
        };
        let shape = |name: &String| if name == state { vec![None, Some(dim)] } else { vec![None] };
        self.graph.inputs =
            inputs.iter().map(|name| Port { name: name.clone(), shape: shape(name) }).collect();
        self.node("inputs", "Concat", parts, "all inputs", &[("axis", Attribute::Integer(-1))]);
        Ok("all inputs".into())
    }

    /// Adds the activation after a layer.
    fn activation(&mut self, layer: &str, from: String) -> Result<String> {
        let name = self.description.activation.clone();
        let Some((_, operator)) = ACTIVATIONS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = ACTIVATIONS.iter().map(|(known, _)| *known).collect();
            let problem = format!("activation = {name:?}; known are {}", known.join(", "));
            return Err(Error::file(
                self.path.with_extension("toml"),
                problem,
                "choose one of these",
            ));
        };
        let to = format!("{layer}.activation");
        let tanh = [("approximate", Attribute::Text("tanh".into()))];
        let attributes = if name == "gelu_tanh" { &tanh[..] } else { &[] };
        self.node(&to, operator, vec![from], &to, attributes);
        Ok(to)
    }
}
