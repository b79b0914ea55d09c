//! Functions of one or two numbers.

use super::{Call, Lower, Lowered, Value, invalid};
use crate::network::function::{Function, Pairing};
use crate::network::graph::{Attribute, Kind};
use crate::network::read::Stored;
use crate::network::shapes::{common, unsupported};

pub(super) fn operator(name: &str) -> Option<Lower> {
    macro_rules! unary {
        ($function:expr) => {
            |call| {
                let x = call.input(0)?;
                Ok(vec![call.tape.unary($function, &x)?])
            }
        };
    }
    macro_rules! binary {
        ($pairing:expr) => {
            |call| {
                let (a, b) = (call.input(0)?, call.input(1)?);
                Ok(vec![call.tape.binary($pairing, &a, &b)?])
            }
        };
    }
    Some(match name {
        "Neg" => unary!(Function::Negate),
        "Sqrt" => unary!(Function::Sqrt),
        "Reciprocal" => unary!(Function::Reciprocal),
        "Exp" => unary!(Function::Exp),
        "Log" => unary!(Function::Log),
        "Sin" => unary!(Function::Sin),
        "Cos" => unary!(Function::Cos),
        "Tanh" => unary!(Function::Tanh),
        "Sigmoid" => unary!(Function::Sigmoid),
        "Erf" => unary!(Function::Erf),
        "Softplus" => unary!(Function::Softplus),
        "Mish" => unary!(Function::Mish),
        "Abs" => unary!(Function::Abs),
        "Relu" => unary!(Function::Leaky(0.0)),
        "Floor" => unary!(Function::Floor),
        "Ceil" => unary!(Function::Ceil),
        "Round" => unary!(Function::Round),
        "Sign" => unary!(Function::Sign),
        "Not" => unary!(Function::Not),
        "Gelu" => gelu,
        "Swish" => |call| {
            let (x, alpha) = (call.input(0)?, call.float("alpha", 1.0)?);
            Ok(vec![call.tape.unary(Function::Swish(alpha), &x)?])
        },
        "LeakyRelu" | "Elu" | "Selu" | "Celu" => parametric,
        "Clip" => clip,
        "Cast" | "CastLike" => cast,
        "Identity" | "Dropout" => |call| Ok(vec![call.input(0)?]),
        "Pow" => power,
        "Add" => binary!(Pairing::Add),
        "Sub" => binary!(Pairing::Sub),
        "Mul" | "And" => binary!(Pairing::Mul),
        "Or" => binary!(Pairing::Max),
        "Div" => binary!(Pairing::Div),
        "Greater" => binary!(Pairing::Greater),
        "Less" => binary!(Pairing::Less),
        "Equal" => binary!(Pairing::Equal),
        "GreaterOrEqual" => binary!(Pairing::GreaterOrEqual),
        "LessOrEqual" => binary!(Pairing::LessOrEqual),
        "PRelu" => binary!(Pairing::Prelu),
        "Max" | "Min" | "Sum" => fold,
        "Where" => |call| {
            let (c, a, b) = (call.input(0)?, call.input(1)?, call.input(2)?);
            Ok(vec![call.tape.select(&c, &a, &b)?])
        },
        _ => return None,
    })
}

fn gelu(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let function = match call.text("approximate", "none")?.as_str() {
        "none" => Function::Gelu,
        "tanh" => Function::GeluTanh,
        other => return unsupported(format!("approximate = {other:?}; read are none and tanh")),
    };
    let x = call.input(0)?;
    Ok(vec![call.tape.unary(function, &x)?])
}

fn parametric(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let function = match call.node.operator.as_str() {
        "LeakyRelu" => Function::Leaky(call.float("alpha", f64::from(0.01_f32))?),
        "Elu" => Function::Elu { scale: 1.0, alpha: call.float("alpha", 1.0)?, stretch: 1.0 },
        "Celu" => {
            let alpha = call.float("alpha", 1.0)?;
            Function::Elu { scale: 1.0, alpha, stretch: alpha }
        }
        _ => Function::Elu {
            // The defaults of the standard, rounded to float32 as it has them.
            scale: call.float("gamma", f64::from(1.050_701_f32))?,
            alpha: call.float("alpha", f64::from(1.673_263_2_f32))?,
            stretch: 1.0,
        },
    };
    let x = call.input(0)?;
    Ok(vec![call.tape.unary(function, &x)?])
}

fn clip(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let bound = |i: usize, missing: f64| match call.optional(i) {
        None => Ok(missing),
        Some(value) => match call.tape.known(&value) {
            Some(data) if data.len() == 1 => Ok(data[0]),
            Some(_) => invalid(format!("input {i} is not one number")),
            None => unsupported(format!("input {i} is not a constant")),
        },
    };
    let (low, high) = (bound(1, f64::NEG_INFINITY)?, bound(2, f64::INFINITY)?);
    Ok(vec![call.tape.unary(Function::Clip { low, high }, &x)?])
}

fn cast(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let to = match call.node.operator.as_str() {
        "Cast" => {
            let to = call.integer("to", 1)?;
            match i32::try_from(to).ok().and_then(Stored::numbered) {
                Some(stored) => stored.kind,
                None => return unsupported(format!("a cast to the data type {to}")),
            }
        }
        _ => call.input(1)?.kind,
    };
    let converted = match (x.kind, to) {
        (Kind::Float, Kind::Integer) => call.tape.unary(Function::Truncate, &x)?,
        (Kind::Float | Kind::Integer, Kind::Boolean) => call.tape.unary(Function::NonZero, &x)?,
        _ => x,
    };
    Ok(vec![Value { kind: to, ..converted }])
}

fn power(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let (x, exponent) = (call.input(0)?, call.input(1)?);
    let known = call.tape.known(&exponent).filter(|data| !data.is_empty());
    let Some(p) = known.filter(|data| data.iter().all(|p| *p == data[0])).map(|data| data[0])
    else {
        return Ok(vec![call.tape.binary(Pairing::Power, &x, &exponent)?]);
    };
    let shape = common(&x.shape, &exponent.shape)?;
    let x = call.tape.broadcast(&x, &shape)?;
    Ok(vec![match p {
        2.0 => call.tape.mul(&x, &x)?,
        0.5 => call.tape.unary(Function::Sqrt, &x)?,
        _ => call.tape.unary(Function::Power(p), &x)?,
    }])
}

/// Max, Min and Sum of any number of inputs.
fn fold(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let pairing = match call.node.operator.as_str() {
        "Max" => Pairing::Max,
        "Min" => Pairing::Min,
        _ => Pairing::Add,
    };
    let mut result = call.input(0)?;
    for i in 1..call.inputs.len() {
        let next = call.input(i)?;
        result = call.tape.binary(pairing, &result, &next)?;
    }
    Ok(vec![result])
}

/// The constant of a node; nothing is read from a file here.
pub(super) fn constant(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let Some((name, attribute)) = call.node.attributes.iter().next() else {
        return invalid("no value");
    };
    let (kind, shape, data) = match attribute {
        Attribute::Tensor(tensor) => return Ok(vec![call.tape.tensor(tensor)]),
        Attribute::Float(x) => (Kind::Float, vec![], vec![*x]),
        Attribute::Integer(x) => (Kind::Integer, vec![], vec![*x as f64]),
        Attribute::Floats(xs) => (Kind::Float, vec![xs.len()], xs.clone()),
        Attribute::Integers(xs) => {
            (Kind::Integer, vec![xs.len()], xs.iter().map(|x| *x as f64).collect())
        }
        Attribute::Text(_) | Attribute::Other => {
            return unsupported(format!("a constant given by {name}"));
        }
    };
    Ok(vec![call.tape.constant(kind, shape, data)?])
}
