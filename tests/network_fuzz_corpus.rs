//! The corpus of the fuzzer: files that once reached new code, and cuts and flips of them, are read without a panic.

use std::path::Path;

#[test]
fn the_corpus_and_its_neighbours_do_not_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/network");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        driftproof::network::try_all(&bytes);
        for at in (0..bytes.len()).step_by(7) {
            driftproof::network::try_all(&bytes[..at]);
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            driftproof::network::try_all(&flipped);
        }
        files += 1;
    }
    assert!(files > 50);
}
