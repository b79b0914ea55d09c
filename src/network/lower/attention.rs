//! Scaled dot-product attention (opset 23).

use super::reduce::softmax;
use super::{Call, Lower, Lowered, Value, invalid, unsupported};
use crate::network::function::Function;
use crate::network::graph::Kind;

pub(super) fn operator(name: &str) -> Option<Lower> {
    (name == "Attention").then_some(attention)
}

/// (batch, heads, length, width), from that or from (batch, length, heads·width).
fn by_head(call: &mut Call<'_>, i: usize, attribute: &str) -> Lowered<Value> {
    let x = call.input(i)?;
    match x.rank() {
        4 => Ok(x),
        3 => {
            let heads = usize::try_from(call.integer(attribute, 0)?).unwrap_or(0);
            if heads == 0 || x.shape[2] % heads != 0 {
                return invalid(format!(
                    "{attribute} = {heads} for input {i} of shape {:?}",
                    x.shape
                ));
            }
            let split = vec![x.shape[0], x.shape[1], heads, x.shape[2] / heads];
            let split = call.tape.reshape(&x, split)?;
            call.tape.transpose(&split, &[0, 2, 1, 3])
        }
        rank => invalid(format!("input {i} has {rank} axes, not 3 or 4")),
    }
}

/// Heads of keys and values, each repeated for the queries that share it.
fn repeated(call: &mut Call<'_>, x: &Value, heads: usize) -> Lowered<Value> {
    let own = x.shape[1];
    if own == 0 || !heads.is_multiple_of(own) {
        return invalid(format!("{heads} heads of queries for {own} of keys"));
    }
    let one = call.tape.reshape(x, vec![x.shape[0], own, 1, x.shape[2], x.shape[3]])?;
    let many = [x.shape[0], own, heads / own, x.shape[2], x.shape[3]];
    let many = call.tape.broadcast(&one, &many)?;
    call.tape.reshape(&many, vec![x.shape[0], heads, x.shape[2], x.shape[3]])
}

fn attention(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    for (i, what) in [(4, "past_key"), (5, "past_value"), (6, "nonpad_kv_seqlen")] {
        if call.optional(i).is_some() {
            return unsupported(format!("the input {what}"));
        }
    }
    let flat = call.input(0)?.rank() == 3;
    let q = by_head(call, 0, "q_num_heads")?;
    let (k, v) = (by_head(call, 1, "kv_num_heads")?, by_head(call, 2, "kv_num_heads")?);
    let heads = q.shape[1];
    let (k, v) = (repeated(call, &k, heads)?, repeated(call, &v, heads)?);
    let scale = call.float("scale", 1.0 / (q.shape[3] as f64).sqrt())?;
    let q = call.tape.scale(&q, scale)?;
    let turned = call.tape.swap_last(&k)?;
    let mut scores = call.tape.matmul(&q, &turned, None)?;
    let softcap = call.float("softcap", 0.0)?;
    if call.integer("qk_matmul_output_mode", 0)? != 0 && call.node.outputs.len() > 3 {
        return unsupported("qk_matmul_output_mode other than 0");
    }
    let raw = scores.clone();
    if softcap != 0.0 {
        let small = call.tape.scale(&scores, 1.0 / softcap)?;
        let small = call.tape.unary(Function::Tanh, &small)?;
        scores = call.tape.scale(&small, softcap)?;
    }
    if let Some(mask) = call.optional(3) {
        scores = masked(call, &scores, &mask)?;
    }
    if call.integer("is_causal", 0)? != 0 {
        let (rows, columns) = (scores.shape[2], scores.shape[3]);
        let data =
            (0..rows * columns).map(|i| f64::from(u8::from(i % columns <= i / columns))).collect();
        let mask = call.tape.constant(Kind::Boolean, vec![rows, columns], data)?;
        scores = masked(call, &scores, &mask)?;
    }
    let weights = softmax(call, &scores, 3)?;
    let result = call.tape.matmul(&weights, &v, None)?;
    let result = if flat {
        let moved = call.tape.transpose(&result, &[0, 2, 1, 3])?;
        let shape = vec![moved.shape[0], moved.shape[1], moved.shape[2] * moved.shape[3]];
        call.tape.reshape(&moved, shape)?
    } else {
        result
    };
    Ok(vec![result, k, v, raw])
}

/// A mask of truths keeps scores where it is true; one of numbers is added.
fn masked(call: &mut Call<'_>, scores: &Value, mask: &Value) -> Lowered<Value> {
    if mask.kind != Kind::Boolean {
        return call.tape.add(scores, mask);
    }
    let never = call.tape.number(f64::NEG_INFINITY)?;
    call.tape.select(mask, scores, &never)
}
