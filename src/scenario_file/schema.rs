//! The JSON schema of the format, for editors.

use super::format::File;

/// The schema as JSON text, with a line end.
pub fn schema() -> String {
    let schema = schemars::schema_for!(File);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text.push('\n');
    text
}
