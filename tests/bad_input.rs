//! Malformed input of every kind: one message that names the thing, exit code 2, nothing written, no panic.

mod support;

use std::path::Path;
use support::{CHEAP, npy, run, stderr, stdout};
use tempfile::tempdir;

/// Fewer cases than this would not be a test of robustness.
const LEAST_CASES: usize = 100;

/// Throws one malformed input at the command, in a folder that must stay as it is.
///
/// `named` is what the message must contain.
fn refused(folder: &Path, arguments: &[&str], named: &str) {
    let entries = || std::fs::read_dir(folder).unwrap().count();
    let before = entries();
    let output = run(folder, arguments);
    let (out, message) = (stdout(&output), stderr(&output));
    let case = format!("driftproof {arguments:?}\n{message}");
    assert_eq!(output.status.code(), Some(2), "exit code of {case}");
    assert!(message.contains(named), "{named:?} is not named by {case}");
    assert_eq!(message.matches("error:").count(), 1, "one message in {case}");
    assert!(message.contains("try"), "what to try in {case}");
    assert!(!message.contains("panicked") && !message.contains("bug"), "{case}");
    assert!(out.is_empty(), "standard output of {case}: {out}");
    assert_eq!(entries(), before, "something was written by {case}");
}

const LONG: &str = "a_very_long_name_";

#[test]
fn options() {
    let cases: &[(&[&str], &str)] = &[
        (&["chekc"], "'check'"),
        (&["claim"], "'claims'"),
        (&["reprot"], "'reprot'"),
        (&["--worlds", "3"], "--worlds"),
        (&[""], "subcommand ''"),
        (&["check", "--nope"], "--nope"),
        (&["check", "--world-count", "3"], "--world-count"),
        (&["check", "--thread", "2"], "'--threads'"),
        (&["check", "-x"], "-x"),
        (&["check", "--worlds"], "--worlds"),
        (&["check", "--worlds", ""], "--worlds"),
        (&["check", "--worlds", "0"], "1..=100000"),
        (&["check", "--worlds", "-1"], "'-1' for '--worlds"),
        (&["check", "--worlds", "1.5"], "'1.5' for '--worlds"),
        (&["check", "--worlds", "1e18"], "'1e18' for '--worlds"),
        (&["check", "--worlds", "many"], "'many' for '--worlds"),
        (&["check", "--worlds", "NaN"], "'NaN' for '--worlds"),
        (&["check", "--worlds", "0x10"], "'0x10' for '--worlds"),
        (&["check", "--worlds", "100001"], "1..=100000"),
        (&["check", "--worlds", "1000000000000000000"], "--worlds"),
        (&["check", "--worlds", "99999999999999999999999"], "--worlds"),
        (&["check", "--worlds", "3", "--worlds", "4"], "--worlds"),
        (&["check", "--threads"], "--threads"),
        (&["check", "--threads", "0"], "1..=1024"),
        (&["check", "--threads", "-2"], "'-2' for '--threads"),
        (&["check", "--threads", "1025"], "1..=1024"),
        (&["check", "--threads", "1000000000000000000"], "--threads"),
        (&["check", "--threads", "all"], "'all' for '--threads"),
        (&["check", "--threads", "2.0"], "'2.0' for '--threads"),
        (&["check", "--seed"], "--seed"),
        (&["check", "--seed", ""], "--seed"),
        (&["check", "--seed", "-1"], "'-1' for '--seed"),
        (&["check", "--seed", "1e18"], "'1e18' for '--seed"),
        (&["check", "--seed", "1.5"], "'1.5' for '--seed"),
        (&["check", "--seed", "lucky"], "'lucky' for '--seed"),
        (&["check", "--seed", "18446744073709551616"], "--seed"),
        (&["check", "--seed", "1", "--seed", "2"], "--seed"),
        (&["check", CHEAP, "--world"], "--world"),
        (&["check", CHEAP, "--world", "-1"], "'-1' for '--world"),
        (&["check", CHEAP, "--world", "x"], "'x' for '--world"),
        (&["check", CHEAP, "--world", "1e18"], "'1e18' for '--world"),
        (&["check", CHEAP, "--world", "4294967296"], "--world"),
        (&["check", CHEAP, "--world", "1", "--worlds", "2"], "--worlds"),
        (&["check", CHEAP, "--world", "1", "--data", "a.npy"], "--data"),
        (&["check", "--world", "1"], "CLAIM"),
        (&["check", CHEAP, "--world", "1", "--normals"], "--normals"),
        (&["check", "--normals"], "--data"),
        (&["check", "--normal", "--data", "a.npy"], "'--normals'"),
        (&["check", "--data", "a.npy", "--normals=yes"], "--normals"),
        (&["check", "--scale", "loud"], "'loud' for '--scale"),
        (&["check", "--scale", "NONE"], "'NONE' for '--scale"),
        (&["check", "--scale", ""], "--scale"),
        (&["check", "--data"], "--data"),
        (&["check", "--data", ""], "--data"),
        (&["check", "--out"], "--out"),
        (&["check", "--out", ""], "--out"),
        (&["check", "--json=3"], "--json"),
        (&["claims", "--worlds", "3"], "--worlds"),
        (&["claims", CHEAP, CHEAP], CHEAP),
    ];
    let folder = tempdir().unwrap();
    for (arguments, named) in cases {
        refused(folder.path(), arguments, named);
    }
}

#[test]
fn claims() {
    let long = LONG.repeat(1000);
    let cases: &[(&[&str], &str)] = &[
        (&["check", "nope"], "\"nope\""),
        (&["check", "T99"], "\"T99\""),
        (&["check", "T"], "\"T\""),
        (&["check", ""], "\"\""),
        (&["check", "qr_subspace_tracks_singular_subspaces"], CHEAP),
        (&["check", "qr_subspace"], "driftproof claims"),
        (&["check", "../x"], "\"../x\""),
        (&["check", "ℓ∞"], "ℓ∞"),
        (&["check", CHEAP, "nope"], "\"nope\""),
        (&["check", &long], LONG),
        (&["check", "nope", "--world", "1"], "\"nope\""),
        (&["claims", "nope"], "\"nope\""),
        (&["claims", "nope", "--json"], "\"nope\""),
        (&["claims", "T"], "\"T\""),
    ];
    let folder = tempdir().unwrap();
    for (arguments, named) in cases {
        refused(folder.path(), arguments, named);
    }
}

#[test]
fn folders() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for out in ["file", "file/inside", "/proc/driftproof", "/dev/null/inside"] {
        refused(folder.path(), &["check", CHEAP, "--worlds", "3", "--out", out], out);
        refused(folder.path(), &["check", CHEAP, "--world", "3", "--out", out], out);
    }
    std::fs::write(folder.path().join("driftproof-out"), "in the way").unwrap();
    refused(folder.path(), &["check", CHEAP, "--worlds", "3"], "driftproof-out");
}

#[test]
fn paths() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("folder.npy")).unwrap();
    for name in ["none", "a.txt", "a.json", "a.npz", "a.CSVX", ".npy"] {
        std::fs::write(at(name), "1,2\n3,4\n").unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/dev/zero", at("zeros.npy")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("dangling.csv")).unwrap();
        refused(folder.path(), &["check", "--data", "zeros.npy"], "not a regular file");
        refused(folder.path(), &["check", "--data", "dangling.csv"], "dangling.csv");
    }
    let huge = std::fs::File::create(at("huge.npy")).unwrap();
    huge.set_len(1 << 31).unwrap();
    for (name, named) in [
        ("missing.npy", "missing.npy"),
        ("missing/inside.csv", "missing/inside.csv"),
        ("none/inside.csv", "none/inside.csv"),
        ("folder.npy", "not a regular file"),
        (".", "no extension"),
        ("none", "no extension"),
        ("a.txt", ".txt"),
        ("a.json", ".json"),
        ("a.npz", ".npz"),
        ("a.CSVX", ".csvx"),
        (".npy", "no extension"),
        ("huge.npy", "2147483648 bytes"),
    ] {
        refused(folder.path(), &["check", "--data", name], named);
    }
    // One bad file among good ones, and beside a claim.
    std::fs::write(at("good.csv"), "1,2\n3,4\n").unwrap();
    refused(folder.path(), &["check", "--data", "good.csv", "--data", "no.csv"], "no.csv");
    refused(folder.path(), &["check", CHEAP, "--data", "no.csv"], "no.csv");
}

#[test]
fn npy_files() {
    fn header(descr: &str, order: &str, shape: &str) -> String {
        format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")
    }
    let array = |descr: &str, shape: &str, data: &[u8]| npy(&header(descr, "False", shape), data);
    let floats = |shape: &str, numbers: &[f64]| {
        let data: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        array("'<f8'", shape, &data)
    };
    let mut version_9 = floats("(2, 1)", &[1.0, 2.0]);
    version_9[6] = 9;
    let mut long_header = floats("(2, 1)", &[1.0, 2.0]);
    (long_header[8], long_header[9]) = (0xff, 0xff);
    let mut version_2_long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec();
    version_2_long.extend(b"{'descr'");
    let cut = floats("(2, 1)", &[1.0, 2.0]);
    let not_text = npy("{'descr': '<f8'}", b"").iter().map(|b| b | 0x80).collect::<Vec<_>>();
    let mut not_text_inside = floats("(2, 1)", &[1.0, 2.0]);
    not_text_inside[20] = 0xff;
    let nan = f64::NAN;
    let nested = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {}", "(".repeat(9000));
    let axes = format!("({})", "1, ".repeat(100));
    let huge = "(1000000000000, 1000000)";
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "not an .npy file"),
        (b"\x93NUM".to_vec(), "not an .npy file"),
        (b"1,2\n3,4\n".to_vec(), "not an .npy file"),
        (not_text, "not an .npy file"),
        (b"\x93NUMPY".to_vec(), "truncated inside the header"),
        (b"\x93NUMPY\x01\x00\x40".to_vec(), "truncated inside the header"),
        (cut[..40].to_vec(), "truncated inside the header"),
        (version_9, "version 9"),
        (long_header, "truncated inside the header"),
        (version_2_long, "truncated inside the header"),
        (not_text_inside, "not text"),
        (npy("", b""), "no key 'descr'"),
        (npy("hello", b""), "no key 'descr'"),
        (npy("{'fortran_order': False, 'shape': (2, 1)}", &[0; 16]), "no key 'descr'"),
        (npy("{'descr': '<f8', 'shape': (2, 1)}", &[0; 16]), "no key 'fortran_order'"),
        (npy("{'descr': '<f8', 'fortran_order': False}", &[0; 16]), "no key 'shape'"),
        (npy(&header("'<f8'", "None", "(2, 1)"), &[0; 16]), "neither True nor False"),
        (npy(&nested, b""), "shape is not a tuple"),
        (array("'<f8'", "2", &[0; 16]), "shape is not a tuple"),
        (array("'<f8'", "[2, 1]", &[0; 16]), "shape is not a tuple"),
        (array("'<f8'", "(-2, 1)", &[0; 16]), "-2 is not the length"),
        (array("'<f8'", "(2.0, 1)", &[0; 16]), "2.0 is not the length"),
        (array("'<f8'", "(1e18, 1)", &[0; 16]), "1e18 is not the length"),
        (array("'<f8'", "((2, 1), 2)", &[0; 16]), "is not the length"),
        (array("'<f8'", "(99999999999999999999, 1)", &[0; 16]), "is not the length"),
        (array("'<f8'", &axes, &[0; 8]), "100 axes"),
        (array("'<f8'", "(1099511627776, 1099511627776)", &[0; 16]), "more bytes than can be"),
        (array("'<f8'", huge, &[0; 16]), "takes 8000000000000000000 bytes, but 16"),
        (array("'|u1'", "(1000000000000, 3)", &[0; 16]), "takes 3000000000000 bytes, but 16"),
        (array("'|b1'", "(2, 1)", &[0; 2]), "|b1"),
        (array("'<c16'", "(2, 1)", &[0; 32]), "<c16"),
        (array("'<f2'", "(2, 1)", &[0; 4]), "<f2"),
        (array("'<u8'", "(2, 1)", &[0; 16]), "<u8"),
        (array("'|S3'", "(2, 1)", &[0; 6]), "|S3"),
        (array("'<U2'", "(2, 1)", &[0; 16]), "<U2"),
        (array("'|O'", "(2, 1)", &[0; 16]), "|O"),
        (array("'<M8[ns]'", "(2, 1)", &[0; 16]), "<M8[ns]"),
        (array("'nonsense'", "(2, 1)", &[0; 16]), "nonsense"),
        (array("''", "(2, 1)", &[0; 16]), "entries of type"),
        (array("[('x', '<f4'), ('y', '<f4')]", "(2,)", &[0; 16]), "structured"),
        (array("None", "(2, 1)", &[0; 16]), "structured"),
        (array("'<f8'", "(2, 1)", &[0; 15]), "but 15 follow"),
        (array("'<f8'", "(2, 1)", &[0; 17]), "but 17 follow"),
        (array("'<f8'", "(2, 1)", &[]), "but 0 follow"),
        (array("'<f8'", "()", &[0; 8]), "0 axes"),
        (array("'<f8'", "(0, 3)", &[]), "no rows"),
        (array("'<f8'", "(0,)", &[]), "no rows"),
        (array("'<f8'", "(3, 0)", &[]), "rows without columns"),
        (array("'<f8'", "(3, 2, 0)", &[]), "rows without columns"),
        (floats("(1, 3)", &[1.0, 2.0, 3.0]), "one row only"),
        (floats("(2, 2)", &[1.0, 2.0, 3.0, nan]), "NaN at row 1, column 1"),
        (floats("(2, 2)", &[1.0, f64::INFINITY, 3.0, nan]), "inf at row 0, column 1"),
        (floats("(2, 2)", &[1.0, 2.0, f64::NEG_INFINITY, 4.0]), "-inf at row 1, column 0"),
        (floats("(2, 2)", &[1.0, 2.0, 3.0, 1e300]), "at row 1, column 1"),
        (floats("(2, 2)", &[1.0, 2.0, 1.0, 2.0]), "same point"),
        (array("'|u1'", "(5, 4)", &[7; 20]), "all 5 rows are the same point"),
    ];
    let folder = tempdir().unwrap();
    for (bytes, named) in cases {
        std::fs::write(folder.path().join("bad.npy"), bytes).unwrap();
        refused(folder.path(), &["check", "--data", "bad.npy"], named);
    }
    // In Fortran order the place is still that of numpy's index.
    let data: Vec<u8> =
        [1.0, 2.0, nan, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let fortran = npy(&header("'<f8'", "True", "(2, 3)"), &data);
    std::fs::write(folder.path().join("bad.npy"), fortran).unwrap();
    refused(folder.path(), &["check", "--data", "bad.npy"], "NaN at row 0, column 1");
}

#[test]
fn csv_files() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "no rows"),
        (b"\n\n\n", "no rows"),
        (b"# only a comment\n", "no rows"),
        (b"x,y\n", "no rows"),
        (b"x,y\n1,2\n", "one row only"),
        (b"1,2\n", "one row only"),
        (b"1,2\n3\n", "line 2 has 1 cells, the lines before 2"),
        (b"1,2\n3,4,5\n", "line 2 has 3 cells"),
        (b"x,y\n1,2,3\n", "line 2 has 3 cells"),
        (b"x,y\n1,2\n\n3,4,\n", "line 4 has 3 cells"),
        (b"1,2\n3,abc\n", "\"abc\", not a number, in line 2, column 2"),
        (b"1,abc\n3,4\n", "\"abc\", not a number, in line 1, column 2"),
        (b"x,y\nu,v\n1,2\n", "line 2, column 1"),
        (b"1,2\n3,\n", "an empty cell in line 2, column 2"),
        (b"1,2\n,\n", "an empty cell in line 2, column 1"),
        (b"x,y\n1,2\nNaN,4\n", "NaN at line 3, column 1"),
        (b"1,2\n3,inf\n", "inf at line 2, column 2"),
        (b"1,2\n3,-1e999\n", "-inf at line 2, column 2"),
        (b"1,2\n3,1e200\n", "at line 2, column 2"),
        (b"1,2\nNaN,NaN\n", "2 such entries"),
        (b"1,2\n1,2\n1,2\n", "all 3 rows are the same point"),
        (b"0,1\n-0,1\n", "same point"),
        (b"1 2\n3 4\n5 6\n", "\"3 4\", not a number, in line 2"),
        (b"1,5;2,5\n3,5;4,5\n", "\"5;2\", not a number, in line 1, column 2"),
        (b"0x10,1\n2,3\n", "\"0x10\""),
        (b"1_000,1\n2,3\n", "\"1_000\""),
        (b"1,2\n3,\"4\n", "quotation mark"),
        (b"1,2\n\xff\xfe,3\n", "not a number, in line 2, column 1"),
        (b"\x93NUMPY\x01\x00", "no rows"),
        (b"{\"points\": [[1, 2], [3, 4]]}\n1,2\n", "cells"),
        (b"\0\0\0\0\n1\n", "one row only"),
        (b"1e-160,0\n0,1e-160\n0,0\n", "bad.csv: coordinates spread over 1e-160"),
        (b"0,0\n1e80,0\n", "bad.csv: coordinates spread over 1e80"),
    ];
    let folder = tempdir().unwrap();
    for (bytes, named) in cases {
        std::fs::write(folder.path().join("bad.csv"), bytes).unwrap();
        refused(folder.path(), &["check", "--data", "bad.csv"], named);
    }
    let wide = "word".repeat(10_000) + ",1\n2,3\n";
    std::fs::write(folder.path().join("bad.csv"), wide).unwrap();
    refused(folder.path(), &["check", "--data", "bad.csv", "--scale", "unit"], "wordword");
}

#[test]
fn normals() {
    let cases: &[(&[u8], &str)] = &[
        (b"1,2,3\n4,5,6\n", "3 columns, but with --normals"),
        (b"1,1\n2,1\n", "2 columns, but with --normals"),
        (b"1\n2\n", "1 column, but with --normals"),
        (
            b"0,0,1,0\n1,1,2,0\n",
            "the normal of point 1 (counted from 0), its last 2 columns, has length 2",
        ),
        (b"0,0,1,0\n1,1,0,0\n", "has length 0, not 1"),
        (b"0,0,0.9,0\n1,1,0.99,0\n", "(2 such normals in all)"),
        (b"1,0,0,0\n0,1,5,5\n", "normal of point 0"),
        (b"0,0,1,0\n1,1,NaN,0\n", "NaN at line 2, column 3"),
        (b"0,0,1,0\n0,0,0,1\n", "all 2 rows are the same point"),
    ];
    let folder = tempdir().unwrap();
    for (bytes, named) in cases {
        std::fs::write(folder.path().join("bad.csv"), bytes).unwrap();
        refused(folder.path(), &["check", "--data", "bad.csv", "--normals"], named);
    }
}

#[test]
fn there_are_at_least_a_hundred_cases() {
    let source = include_str!("bad_input.rs");
    let is_case = |line: &&str| {
        let line = line.trim_start();
        ["(&[\"", "(b\"", "(npy(", "(array(", "(floats("]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let cases = source.lines().filter(is_case).count();
    assert!(cases >= LEAST_CASES, "{cases} cases");
}
