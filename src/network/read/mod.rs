//! Networks from files.

mod external;
pub(super) mod onnx;
mod proto;
pub(super) mod safetensors;

use super::graph::{Kind, Tensor};
use crate::error::{Error, Result};
use half::{bf16, f16};
use std::cell::Cell;
use std::io::Read as _;
use std::path::Path;

/// Bytes of a file that are read: as many as float32 weights of the allowed number take.
pub(super) const MOST_BYTES: u64 = 4 * MOST_WEIGHTS as u64;

/// Weights of a network, in one file or several: a gigabyte in float64.
const MOST_WEIGHTS: usize = 1 << 27;

/// What to do with a damaged file.
const COPY_AGAIN: &str = "copy or export the file again";

/// Axes of a tensor.
const MOST_AXES: usize = 16;

/// Entries of a tensor of this shape; none where they, or the product of any of its lengths, are too many to count.
fn entries(shape: &[usize]) -> Option<usize> {
    let counted = shape.iter().try_fold(1_usize, |product, n| product.checked_mul((*n).max(1)));
    counted.filter(|n| *n <= MOST_WEIGHTS && shape.len() <= MOST_AXES)?;
    Some(shape.iter().product())
}

/// The whole of a regular file that is not too large.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>> {
    let unreadable =
        |e: std::io::Error| Error::file(path, e.to_string(), "check the path and the rights");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(Error::file(path, "not a regular file", "give the path of a file"));
    }
    if about.len() > MOST_BYTES {
        let problem =
            format!("{} bytes; networks of up to {MOST_BYTES} bytes are read", about.len());
        return Err(Error::file(path, problem, "use a smaller network"));
    }
    let mut bytes = Vec::with_capacity(about.len() as usize);
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// How the entries of a tensor are stored, little-endian.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    pub(super) kind: Kind,
    /// Bytes of an entry.
    pub(super) width: usize,
    decode: fn(&[u8]) -> f64,
}

impl Stored {
    /// The entries, one after another.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f64> {
        bytes.chunks_exact(self.width).map(self.decode).collect()
    }

    /// From the number of a data type in ONNX.
    pub(super) fn numbered(data_type: i32) -> Option<Self> {
        macro_rules! stored {
            ($kind:ident, $type:ty, $width:literal, $convert:expr) => {
                Self {
                    kind: Kind::$kind,
                    width: $width,
                    decode: |bytes| {
                        let convert: fn($type) -> f64 = $convert;
                        convert(<$type>::from_le_bytes(
                            bytes.try_into().expect("chunks of this width"),
                        ))
                    },
                }
            };
        }
        Some(match data_type {
            1 => stored!(Float, f32, 4, f64::from),
            2 => stored!(Integer, u8, 1, f64::from),
            3 => stored!(Integer, i8, 1, f64::from),
            4 => stored!(Integer, u16, 2, f64::from),
            5 => stored!(Integer, i16, 2, f64::from),
            6 => stored!(Integer, i32, 4, f64::from),
            7 => stored!(Integer, i64, 8, |x| x as f64),
            9 => stored!(Boolean, u8, 1, |x| f64::from(u8::from(x != 0))),
            10 => stored!(Float, f16, 2, f64::from),
            11 => stored!(Float, f64, 8, |x| x),
            12 => stored!(Integer, u32, 4, f64::from),
            13 => stored!(Integer, u64, 8, |x| x as f64),
            16 => stored!(Float, bf16, 2, f64::from),
            _ => return None,
        })
    }
}

/// Weights that may still be read. A small file can name one place of another file again and again.
struct Allowance(Cell<usize>);

impl Allowance {
    fn new() -> Self {
        Self(Cell::new(MOST_WEIGHTS))
    }

    fn take(&self, path: &Path, name: &str, entries: usize) -> Result<()> {
        let left = self.0.get().checked_sub(entries).ok_or_else(|| {
            let problem = format!("with {name:?}, more than {MOST_WEIGHTS} weights in all");
            Error::file(path, problem, "use a smaller network")
        })?;
        self.0.set(left);
        Ok(())
    }
}

/// Refuses weights that are not numbers; −∞ among zeros is a mask, and a single number may be a bound.
pub(super) fn check_finite(path: &Path, name: &str, tensor: &Tensor) -> Result<()> {
    let mask = || tensor.data.iter().all(|x| *x == 0.0 || *x == f64::NEG_INFINITY);
    let bad = tensor.data.iter().position(|x| !x.is_finite());
    let Some(at) = bad.filter(|at| tensor.data[*at].is_nan() || (tensor.data.len() > 1 && !mask()))
    else {
        return Ok(());
    };
    let problem = format!(
        "weight {name:?} of shape {:?} holds {} at entry {at}",
        tensor.shape, tensor.data[at]
    );
    Err(Error::file(
        path,
        problem,
        "the training diverged: export a checkpoint whose weights are finite",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_weights_together_are_bounded() {
        let allowance = Allowance::new();
        assert!(allowance.take(Path::new("a.onnx"), "v", MOST_WEIGHTS - 1).is_ok());
        let error = allowance.take(Path::new("a.onnx"), "w", 2).unwrap_err().to_string();
        assert!(error.contains("\"w\"") && error.contains("weights in all"));
    }
}
