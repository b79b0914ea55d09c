//! Weights kept in a second file, which must lie beside the model.

use super::{COPY_AGAIN, MOST_BYTES};
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// `length` bytes of the tensor `name`, from the place that these entries give.
pub(super) fn read(
    model: &Path,
    name: &str,
    entries: &[(String, String)],
    length: usize,
) -> Result<Vec<u8>> {
    let entry = |key: &str| entries.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str());
    let refuse = |problem: String| {
        let hint = "keep model and data in one folder, and name the data by its plain file name";
        Error::file(model, format!("external data of {name:?}: {problem}"), hint)
    };
    let location = entry("location").ok_or_else(|| refuse("no location".into()))?;
    let number = |key: &str, missing: u64| match entry(key) {
        None => Ok(missing),
        Some(text) => text.parse().map_err(|_| refuse(format!("{key} = {text:?} is not a number"))),
    };
    let (offset, declared) = (number("offset", 0)?, number("length", length as u64)?);
    if declared != length as u64 {
        return Err(refuse(format!("{declared} bytes, but its shape and type take {length}")));
    }
    let path =
        beside(model, location).map_err(|problem| refuse(format!("{location:?} {problem}")))?;
    let unreadable = |e: std::io::Error| {
        Error::file(&path, e.to_string(), "put the data file next to the model")
    };
    let mut file = File::open(&path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    let end = offset.checked_add(declared);
    if !about.is_file() || declared > MOST_BYTES || end.is_none_or(|end| end > about.len()) {
        let problem = format!(
            "{name:?} takes {declared} bytes from byte {offset}, but the file has {}: truncated or not its data",
            about.len()
        );
        return Err(Error::file(&path, problem, COPY_AGAIN));
    }
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
    file.read_exact(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// The file of that name in the folder of the model, never one outside.
fn beside(model: &Path, location: &str) -> std::result::Result<PathBuf, &'static str> {
    let plain = Path::new(location).components().all(|part| matches!(part, Component::Normal(_)));
    if location.is_empty() || !plain {
        return Err("leaves the folder of the model, and is refused");
    }
    let mut path = model.parent().map(Path::to_path_buf).unwrap_or_default();
    for part in Path::new(location).components() {
        path.push(part);
        if path.symlink_metadata().is_ok_and(|about| about.is_symlink()) {
            return Err("is a symbolic link, which could lead outside the folder, and is refused");
        }
    }
    Ok(path)
}
