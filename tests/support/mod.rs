//! The command as a child process, in a folder of its own.
#![allow(dead_code)] // Each test target uses its part.

pub mod blocks;

use std::path::Path;
use std::process::{Command, Output};

/// A claim whose worlds are cheap.
pub const CHEAP: &str = "qr_subspace_tracks_singular_subspace";

/// The command, not yet started.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftproof"));
    command.current_dir(folder).args(arguments);
    command
}

/// The command, run to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the command starts")
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// An `.npy` file of version 1 with that header text and data.
pub fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}
