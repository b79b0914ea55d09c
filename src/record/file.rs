//! Records on disk: whole or absent, and refused when damaged or foreign.

use super::{
    Chapter, GALLERY_MINOR, GALLERY_SCHEMA, GALLERY_VERSION, MINOR, Record, SCHEMA, Schema, VERSION,
};
use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The name of a record in its folder.
pub const FILE_NAME: &str = "record.json";

/// The bytes of a record, of a run or of the gallery: compact JSON and a line end.
pub fn to_json(record: &impl Serialize) -> String {
    let mut text = serde_json::to_string(record).expect("a record is plain data with string keys");
    text.push('\n');
    text
}

/// What a reader of the record gets.
pub fn as_stored<T: Serialize + DeserializeOwned>(record: &T) -> T {
    serde_json::from_str(&to_json(record)).expect("what was written can be read")
}

/// Writes the record into a folder, made if needed, and returns its path.
///
/// An older record of that name is replaced only by a whole new one.
///
/// *Errors*: [`Error::File`] when the folder cannot be made or written to, or is full.
pub fn write(record: &Record, folder: &Path, file_name: &str) -> Result<PathBuf> {
    write_file(folder, file_name, to_json(record).as_bytes())
}

/// Writes a file into a folder, made if needed, and returns its path.
///
/// An older file of that name is replaced only by a whole new one.
///
/// *Errors*: as [`write()`].
pub fn write_file(folder: &Path, file_name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let failed = |error: std::io::Error| {
        let problem = format!("{file_name} cannot be written ({error})");
        Error::file(folder, problem, "--out DIR with a folder that is writable and has room")
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = temporary(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let path = folder.join(file_name);
    file.persist(&path).map_err(|refused| failed(refused.error))?;
    Ok(path)
}

/// A new file in the folder, gone again unless it is kept.
///
/// In the same folder as the record: a rename across file systems would be a copy.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".record-");
    // As any other file, and not for the owner only, as temporary files are.
    #[cfg(unix)]
    let permissions: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(folder)
}

/// Refuses a folder that no record could be written to; makes it if needed.
///
/// Asked before a long run, so that its result is not lost.
pub fn check_writable(folder: &Path) -> Result<()> {
    let refused = |error: std::io::Error| {
        let problem = format!("no record can be written there ({error})");
        Error::file(folder, problem, "--out DIR with a folder that is writable")
    };
    std::fs::create_dir_all(folder).map_err(refused)?;
    temporary(folder).map_err(refused)?;
    Ok(())
}

/// Reads a record back.
///
/// *Errors*: [`Error::File`] when the file is truncated, damaged, not a record, or of another version.
pub fn read(path: &Path) -> Result<Record> {
    let hint = "a record.json that `driftproof check` wrote; run it again to get one";
    let record: Record = read_as(path, (SCHEMA, VERSION, MINOR), hint)?;
    let refuse = |problem: String| Error::file(path, problem, hint);
    for claim in &record.claims {
        let (told, found) = (claim.summary.worlds, claim.worlds.len());
        if told != found {
            let id = &claim.summary.claim;
            return Err(refuse(format!(
                "a damaged record: {id} tells of {told} worlds and holds {found}"
            )));
        }
    }
    Ok(record)
}

/// Reads a chapter of the gallery back.
///
/// *Errors*: as [`read`].
pub fn read_chapter(path: &Path) -> Result<Chapter> {
    let hint = "a record.json that `driftproof report` wrote; run it again to get one";
    read_as(path, (GALLERY_SCHEMA, GALLERY_VERSION, GALLERY_MINOR), hint)
}

fn read_as<T: DeserializeOwned>(
    path: &Path,
    (schema, version, minor): (&str, u32, u32),
    hint: &str,
) -> Result<T> {
    let refuse = |problem: String| Error::file(path, problem, hint);
    let text =
        std::fs::read_to_string(path).map_err(|e| refuse(format!("cannot be read ({e})")))?;

    #[derive(Deserialize)]
    struct Envelope {
        schema: Schema,
    }
    let expected = format!("expected a record of schema {schema} version {version}");
    let envelope = serde_json::from_str::<Envelope>(&text).map_err(|error| {
        refuse(match error.classify() {
            serde_json::error::Category::Eof => {
                format!("truncated: the JSON text ends in the middle (line {})", error.line())
            }
            serde_json::error::Category::Data => format!("not a record ({error}); {expected}"),
            _ => format!("not JSON, or damaged ({error}); {expected}"),
        })
    })?;
    let found = envelope.schema;
    if found.name != schema || found.version != version {
        let told = format!("schema {} version {}; {expected}", found.name, found.version);
        return Err(refuse(told));
    }
    serde_json::from_str(&text).map_err(|error| {
        refuse(match found.minor == minor {
            true => format!("a damaged record ({error})"),
            // Keys that this version cannot do without.
            false => format!(
                "of version {version}.{}, which another driftproof wrote; this one reads {version}.{minor} ({error})",
                found.minor
            ),
        })
    })
}
