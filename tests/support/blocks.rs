//! Parts of pages that are generated from the code, and compared with it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Pages are rewritten by one test at a time.
static PAGES: Mutex<()> = Mutex::new(());

/// How a stale part is mended.
const MEND: &str = "mend it: UPDATE_README=1 cargo test --release --test readme --test theorem_table -- --include-ignored";

/// A file of the repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// True when stale parts are to be rewritten.
pub fn updating() -> bool {
    std::env::var_os("UPDATE_README").is_some()
}

/// The part of a page between `<!-- name -->` and `<!-- /name -->`.
pub fn part(page: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path(page)).unwrap();
    let (_, rest) = text.split_once(&format!("<!-- {name} -->\n")).expect("the part begins");
    let (part, _) = rest.split_once(&format!("<!-- /{name} -->")).expect("the part ends");
    part.to_owned()
}

/// Compares a part of a page with what the code says, after `mask`; rewrites it under `UPDATE_README=1`.
pub fn same(page: &str, name: &str, generated: &str, mask: impl Fn(&str) -> String) {
    let _guard = PAGES.lock().unwrap();
    let committed = part(page, name);
    if mask(&committed) == mask(generated) {
        return;
    }
    if updating() {
        let text = std::fs::read_to_string(path(page)).unwrap();
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let old = format!("{begin}{committed}{end}");
        let text = text.replace(&old, &format!("{begin}{generated}{end}"));
        // Renamed into place: tests beside this one read the page meanwhile.
        let beside = path(&format!("{page}.new"));
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, path(page)).unwrap();
    } else {
        let (left, right) = (mask(&committed), mask(generated));
        panic!("{page}, part {name}, says\n{left}\nbut the code says\n{right}\n{MEND}");
    }
}
