//! Any bytes as a network: read, lowered for each input as the state, and evaluated; an error is fine, a panic is not.
//!
//! `cargo install cargo-fuzz`, then `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none network`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| driftproof::network::try_all(bytes));
