//! ONNX files.

use super::proto::{
    AttributeProto, NodeProto, OperatorSet, TensorProto, ValueInfo, decode, records,
};
use super::{Allowance, COPY_AGAIN, MOST_AXES, Stored, check_finite, entries, external};
use crate::error::{Error, Result};
use crate::network::graph::{Attribute, Graph, Node, Port, Tensor};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Versions of the operators whose meaning is known here.
const OPSETS: std::ops::RangeInclusive<i64> = 13..=25;

/// Reads a model; weights in other files are looked for beside `path`.
pub(in crate::network) fn parse(path: &Path, bytes: &[u8]) -> Result<Graph> {
    let reader = Reader { path, allowance: Allowance::new() };
    let model = records(bytes).map_err(|problem| {
        let hint = "give a file written by torch.onnx.export, or copy it again";
        Error::file(path, format!("not an ONNX file, or a damaged one: {problem}"), hint)
    })?;
    let mut graph = Graph { opset: reader.opset(&model)?, ..Graph::default() };
    let Some((_, body)) = model.iter().find(|(tag, _)| *tag == 7) else {
        return Err(reader.fault("no graph in it"));
    };
    let parts = records(body).map_err(|problem| reader.damaged(&problem))?;
    for (tag, part) in parts {
        match tag {
            1 => graph.nodes.push(reader.node(part)?),
            5 => {
                let tensor: TensorProto = reader.decode(part, &[13])?;
                let name = tensor.name.clone();
                let tensor = reader.tensor(&name, tensor)?;
                if graph.constants.insert(name.clone(), tensor).is_some() {
                    return Err(reader.fault(&format!("two weights are called {name:?}")));
                }
            }
            11 => graph.inputs.push(reader.port(part)?),
            12 => graph.outputs.push(reader.port(part)?),
            15 => return Err(reader.fault("sparse weights, which are not read")),
            _ => (),
        }
    }
    // Before version 4 of the format, weights were inputs too.
    graph.inputs.retain(|port| !graph.constants.contains_key(&port.name));
    reader.check_names(&graph)?;
    Ok(graph)
}

struct Reader<'a> {
    path: &'a Path,
    allowance: Allowance,
}

impl Reader<'_> {
    fn fault(&self, problem: &str) -> Error {
        Error::file(self.path, problem, "export the network again with torch.onnx.export")
    }

    fn damaged(&self, problem: &str) -> Error {
        Error::file(self.path, format!("a damaged ONNX file: {problem}"), COPY_AGAIN)
    }

    fn decode<M: prost::Message + Default>(&self, bytes: &[u8], nested: &[u32]) -> Result<M> {
        decode(bytes, nested).map_err(|problem| self.damaged(&problem))
    }

    fn opset(&self, model: &[(u32, &[u8])]) -> Result<i64> {
        for (_, part) in model.iter().filter(|(tag, _)| *tag == 8) {
            let set: OperatorSet = self.decode(part, &[])?;
            if !["", "ai.onnx"].contains(&set.domain.as_str()) {
                continue;
            }
            if OPSETS.contains(&set.version) {
                return Ok(set.version);
            }
            let problem = format!(
                "operators of opset {}; read are {} to {}",
                set.version,
                OPSETS.start(),
                OPSETS.end()
            );
            return Err(Error::file(self.path, problem, "torch.onnx.export(…, opset_version=17)"));
        }
        Err(self.fault("not an ONNX file, or one that does not say its opset"))
    }

    fn node(&self, bytes: &[u8]) -> Result<Node> {
        let node: NodeProto = self.decode(bytes, &[])?;
        let domain = if node.domain == "ai.onnx" { String::new() } else { node.domain };
        let mut attributes = HashMap::new();
        for (_, part) in records(bytes).unwrap_or_default().iter().filter(|(tag, _)| *tag == 5) {
            let attribute: AttributeProto = self.decode(part, &[5])?;
            let name = attribute.name.clone();
            let value = self.attribute(&node.name, attribute)?;
            if attributes.insert(name.clone(), value).is_some() {
                return Err(
                    self.fault(&format!("node {:?} has two attributes {name:?}", node.name))
                );
            }
        }
        Ok(Node {
            name: node.name,
            operator: node.op_type,
            domain,
            inputs: node.input,
            outputs: node.output,
            attributes,
        })
    }

    fn attribute(&self, node: &str, attribute: AttributeProto) -> Result<Attribute> {
        Ok(match attribute.kind {
            1 => Attribute::Float(f64::from(attribute.f)),
            2 => Attribute::Integer(attribute.i),
            3 => Attribute::Text(String::from_utf8_lossy(&attribute.s).into_owned()),
            4 => match attribute.t {
                Some(tensor) => {
                    let name = format!("{} of node {node}", attribute.name);
                    Attribute::Tensor(self.tensor(&name, tensor)?)
                }
                None => Attribute::Other,
            },
            6 => Attribute::Floats(attribute.floats.into_iter().map(f64::from).collect()),
            7 => Attribute::Integers(attribute.ints),
            _ => Attribute::Other,
        })
    }

    fn tensor(&self, name: &str, tensor: TensorProto) -> Result<Tensor> {
        let Some(stored) = Stored::numbered(tensor.data_type) else {
            let problem = format!(
                "tensor {name:?} of data type {}; read are floating point of 16 to 64 bits, integers and booleans",
                tensor.data_type
            );
            return Err(Error::file(self.path, problem, "export with model.float()"));
        };
        let shape: Option<Vec<usize>> =
            tensor.dims.iter().map(|n| usize::try_from(*n).ok()).collect();
        let length = shape.as_ref().and_then(|shape| entries(shape)?.checked_mul(stored.width));
        let (Some(shape), Some(bytes)) = (shape, length) else {
            return Err(
                self.fault(&format!("tensor {name:?} has the impossible shape {:?}", tensor.dims))
            );
        };
        self.allowance.take(self.path, name, bytes / stored.width)?;
        let data = if tensor.data_location == 1 {
            let entries: Vec<(String, String)> =
                tensor.external_data.into_iter().map(|entry| (entry.key, entry.value)).collect();
            stored.decode(&external::read(self.path, name, &entries, bytes)?)
        } else if !tensor.raw_data.is_empty() {
            if tensor.raw_data.len() != bytes {
                return Err(self.fault(&format!(
                    "tensor {name:?} of shape {shape:?} takes {bytes} bytes and has {}",
                    tensor.raw_data.len()
                )));
            }
            stored.decode(&tensor.raw_data)
        } else {
            listed(&tensor)
        };
        if data.len() * stored.width != bytes {
            return Err(self
                .fault(&format!("tensor {name:?} of shape {shape:?} has {} entries", data.len())));
        }
        let tensor = Tensor { kind: stored.kind, shape, data: data.into() };
        check_finite(self.path, name, &tensor)?;
        Ok(tensor)
    }

    fn port(&self, bytes: &[u8]) -> Result<Port> {
        let info: ValueInfo = self.decode(bytes, &[2])?;
        let shape = info.kind.and_then(|kind| kind.tensor).and_then(|tensor| tensor.shape);
        let Some(shape) = shape.filter(|shape| shape.dim.len() <= MOST_AXES) else {
            return Err(
                self.fault(&format!("{:?} is not a tensor of a known number of axes", info.name))
            );
        };
        let length = |n: Option<i64>| n.and_then(|n| usize::try_from(n).ok());
        Ok(Port { name: info.name, shape: shape.dim.iter().map(|dim| length(dim.value)).collect() })
    }

    /// Every tensor is written once.
    fn check_names(&self, graph: &Graph) -> Result<()> {
        let inputs = graph.inputs.iter().map(|port| &port.name).chain(graph.constants.keys());
        let written = graph.nodes.iter().flat_map(|node| &node.outputs);
        let mut seen = HashSet::new();
        for name in inputs.chain(written).filter(|name| !name.is_empty()) {
            if !seen.insert(name) {
                return Err(self.fault(&format!("{name:?} is written twice")));
            }
        }
        if graph.outputs.is_empty() || graph.inputs.is_empty() {
            return Err(self.fault("a network without inputs or without outputs"));
        }
        Ok(())
    }
}

/// Entries given as a list and not as bytes.
fn listed(tensor: &TensorProto) -> Vec<f64> {
    let half = |x: &i32, width: i32| {
        let bits = (*x as u16).to_le_bytes();
        Stored::numbered(width).map_or(0.0, |stored| (stored.decode)(&bits))
    };
    match tensor.data_type {
        1 => tensor.float_data.iter().map(|x| f64::from(*x)).collect(),
        7 => tensor.int64_data.iter().map(|x| *x as f64).collect(),
        11 => tensor.double_data.clone(),
        12 | 13 => tensor.uint64_data.iter().map(|x| *x as f64).collect(),
        10 | 16 => tensor.int32_data.iter().map(|x| half(x, tensor.data_type)).collect(),
        _ => tensor.int32_data.iter().map(|x| f64::from(*x)).collect(),
    }
}
