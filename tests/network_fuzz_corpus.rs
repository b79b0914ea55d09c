//! The corpus of the fuzzer: files that once reached new code are read, whole and cut, without a panic.

use std::path::Path;

#[test]
fn the_corpus_does_not_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/network");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        driftproof::network::try_all(&bytes);
        driftproof::network::try_all(&bytes[..bytes.len() / 2]);
        files += 1;
    }
    assert!(files > 50);
}
