//! The `.npy` format of numpy: a Python literal as header, then the entries.
//!
//! Read here and not by a crate, because a damaged header must be refused
//! before anything is multiplied, allocated or recursed into.

use super::{Rows, check};
use crate::error::{Error, Result};
use std::path::Path;

/// What is read, as numpy names it after the byte order.
const TYPES: &str = "f4 f8 i1 i2 i4 i8 u1 u2 u4 (floating point and integers)";

/// Entries of more axes than numpy allows are not a header of numpy.
const MOST_AXES: usize = 64;

struct Header {
    /// `<f8`, `|u1`, …
    kind: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// Rows of an array: its first axis counts the points, all others are flattened.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Rows> {
    let (text, data) = split(bytes).map_err(|problem| {
        Error::file(path, problem, "write the file again with numpy.save(FILE, ARRAY)")
    })?;
    let header = parse(text).map_err(|problem| {
        Error::file(path, format!("header {text:?}: {problem}"), "numpy.save(FILE, ARRAY)")
    })?;
    let (width, entry) = decoder(&header.kind).ok_or_else(|| {
        let problem = format!("entries of type {}; read are {TYPES}", header.kind);
        Error::file(path, problem, "convert it: numpy.save(FILE, array.astype('f8'))")
    })?;
    let Some((&count, axes)) = header.shape.split_first() else {
        return Err(Error::file(path, "a single number (0 axes)", "an array with one row a point"));
    };
    let columns = axes.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
    let size = columns.and_then(|c| c.checked_mul(count)?.checked_mul(width));
    if size != Some(data.len()) {
        let claimed =
            size.map_or("more bytes than can be counted".into(), |s| format!("{s} bytes"));
        let problem = format!(
            "shape {:?} of {} takes {claimed}, but {} follow the header: truncated or damaged",
            header.shape,
            header.kind,
            data.len()
        );
        return Err(Error::file(path, problem, "copy or save the file again"));
    }
    let columns = columns.expect("the product was counted");
    let stored: Vec<f64> = data.chunks_exact(width).map(entry).collect();
    let values = if header.fortran { c_order(&stored, &header.shape) } else { stored };
    check(path, Rows { columns, shape: axes.to_vec(), values }, |row, column| {
        format!("row {row}, column {column} (counted from 0, axes flattened)")
    })
}

/// The header text and the data behind it.
fn split(bytes: &[u8]) -> std::result::Result<(&str, &[u8]), String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("not an .npy file (it starts otherwise)")?;
    let truncated = || "truncated inside the header".to_owned();
    let (version, rest) = rest.split_at_checked(2).ok_or_else(truncated)?;
    let width = match version[0] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(format!("version {other} of the format; known are 1, 2 and 3")),
    };
    let (length, rest) = rest.split_at_checked(width).ok_or_else(truncated)?;
    let length = length.iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    let (text, data) = rest.split_at_checked(length).ok_or_else(truncated)?;
    let text = std::str::from_utf8(text).map_err(|_| "a header that is not text".to_owned())?;
    Ok((text.trim(), data))
}

/// Reads `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(text: &str) -> std::result::Result<Header, String> {
    let after = |key: &str| {
        let found = text.split_once(&format!("'{key}':"));
        found.map(|(_, rest)| rest.trim_start()).ok_or(format!("no key '{key}'"))
    };
    let descr = after("descr")?;
    let kind = match descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
        Some((kind, _)) => kind.to_owned(),
        None => "structured".to_owned(),
    };
    let order = after("fortran_order")?;
    let fortran = order.starts_with("True");
    if !fortran && !order.starts_with("False") {
        return Err("fortran_order is neither True nor False".into());
    }
    let shape = after("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (shape, _) = shape.ok_or("shape is not a tuple")?;
    let axes = shape.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let shape = axes
        .map(|axis| axis.parse().map_err(|_| format!("{axis} is not the length of an axis")))
        .collect::<std::result::Result<Vec<usize>, String>>()?;
    if shape.len() > MOST_AXES {
        return Err(format!("{} axes, more than numpy's {MOST_AXES}", shape.len()));
    }
    Ok(Header { kind, fortran, shape })
}

/// Width in bytes, and the number that so many bytes mean.
type Decoder = (usize, fn(&[u8]) -> f64);

fn decoder(kind: &str) -> Option<Decoder> {
    macro_rules! entry {
        ($type:ty, $convert:ident) => {
            |bytes| <$type>::$convert(bytes.try_into().expect("chunks of this width")) as f64
        };
    }
    Some(match kind {
        "<f4" => (4, entry!(f32, from_le_bytes)),
        ">f4" => (4, entry!(f32, from_be_bytes)),
        "<f8" => (8, entry!(f64, from_le_bytes)),
        ">f8" => (8, entry!(f64, from_be_bytes)),
        "|u1" => (1, |bytes| f64::from(bytes[0])),
        "|i1" => (1, entry!(i8, from_le_bytes)),
        "<i2" => (2, entry!(i16, from_le_bytes)),
        ">i2" => (2, entry!(i16, from_be_bytes)),
        "<u2" => (2, entry!(u16, from_le_bytes)),
        ">u2" => (2, entry!(u16, from_be_bytes)),
        "<i4" => (4, entry!(i32, from_le_bytes)),
        ">i4" => (4, entry!(i32, from_be_bytes)),
        "<u4" => (4, entry!(u32, from_le_bytes)),
        ">u4" => (4, entry!(u32, from_be_bytes)),
        "<i8" => (8, entry!(i64, from_le_bytes)),
        ">i8" => (8, entry!(i64, from_be_bytes)),
        _ => return None,
    })
}

/// Entries stored with the first axis fastest, put with the last axis fastest.
fn c_order(stored: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut index = vec![0; shape.len()];
    let mut strides = vec![1; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut at = 0;
    let mut values = Vec::with_capacity(stored.len());
    for _ in 0..stored.len() {
        values.push(stored[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    values
}
