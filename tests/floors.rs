//! Every import points down: the layout of the modules, kept by reading their `use` lines.

use std::collections::BTreeMap;
use std::path::Path;

/// The floor of each module, and its step on that floor; an import lands on a lower one.
const FLOORS: &[(&str, (u8, u8))] = &[
    ("error", (0, 0)),
    ("special", (0, 1)),
    ("facts", (0, 2)),
    ("linalg", (0, 3)),
    ("network", (0, 3)),
    ("random", (0, 2)),
    ("scalar", (0, 2)),
    ("formula", (0, 3)),
    ("drift", (1, 1)),
    ("lyapunov", (1, 1)),
    ("manifold", (1, 0)),
    ("verdict", (1, 0)),
    ("figure", (1, 0)),
    ("claims", (2, 0)),
    ("flow", (2, 0)),
    ("scenario", (2, 1)),
    ("points", (3, 0)),
    ("record", (3, 2)),
    ("response", (3, 0)),
    ("scenario_file", (3, 1)),
    ("observe", (4, 0)),
    ("campaign", (5, 0)),
    ("experiments", (5, 2)),
    ("search", (5, 1)),
    ("report", (6, 0)),
    ("cli", (7, 0)),
];

/// The judging tower sees plain data, and what closed forms are made of (functions, small matrices):
/// a judge that cannot integrate cannot hide an integration bug.
const CLAIMS_MAY_SEE: &[&str] = &["facts", "verdict", "error", "special", "linalg"];

/// The computing tower does not know what is claimed.
const COMPUTING: &[&str] = &[
    "scalar",
    "special",
    "linalg",
    "random",
    "network",
    "drift",
    "manifold",
    "lyapunov",
    "flow",
    "scenario",
    "response",
    "points",
    "formula",
    "scenario_file",
];

fn floor(module: &str) -> Result<(u8, u8), String> {
    let found = FLOORS.iter().find(|(name, _)| *name == module);
    found
        .map(|(_, floor)| *floor)
        .ok_or_else(|| format!("module {module} has no floor: give it one in tests/floors.rs"))
}

/// The modules of this crate that a source text names, in `use` lines or inline.
fn imports(source: &str) -> Vec<String> {
    let code: Vec<&str> =
        source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` and `crate::` alike; not `my_crate::`.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| -> String {
            let text = text.trim_start();
            text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        match rest.strip_prefix('{') {
            None => found.push(word(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut names = vec![word(group)];
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => names.push(word(&group[i + 1..])),
                        _ => (),
                    }
                }
                found.extend(names.into_iter().filter(|name| !name.is_empty()));
            }
        }
    }
    found
}

fn breach(import: &str) -> String {
    format!("claims judge facts, and may not import {import}")
}

/// Why `module` may not import what this source imports; nothing when it may.
fn complaints(module: &str, source: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let own = match floor(module) {
        Ok(own) => own,
        Err(complaint) => return vec![complaint],
    };
    // From a file in a folder this reaches the crate, from a module inside it only the folder.
    for (_, rest) in
        source.match_indices("super::super::").map(|(at, up)| source.split_at(at + up.len()))
    {
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name != module && floor(&name).is_ok() {
            complaints
                .push(format!("{module}: write crate::{name} in place of super::super::{name}"));
        }
    }
    for import in imports(source).into_iter().filter(|import| import != module) {
        let other = match floor(&import) {
            Ok(other) => other,
            Err(complaint) => {
                complaints.push(complaint);
                continue;
            }
        };
        if other >= own {
            complaints.push(format!("{module} (floor {own:?}) imports {import} (floor {other:?})"));
        }
        if module == "claims" && !CLAIMS_MAY_SEE.contains(&import.as_str()) {
            complaints.push(breach(&import));
        }
        if COMPUTING.contains(&module) && ["claims", "verdict"].contains(&import.as_str()) {
            complaints.push(format!("{module} computes, and may not import {import}"));
        }
    }
    complaints
}

/// All source files with the module each belongs to.
fn sources(folder: &Path, module: Option<&str>, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let module = module.unwrap_or(&stem);
        if path.is_dir() {
            sources(&path, Some(module), found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["lib", "main"].contains(&module)
        {
            found.push((module.to_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_import_points_down() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), None, &mut files);
    assert!(files.len() > 20);
    let mut by_module: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, source) in &files {
        by_module.entry(module.clone()).or_default().extend(complaints(module, source));
    }
    let all: Vec<String> = by_module.into_values().flatten().collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn every_module_of_the_library_has_a_floor() {
    let library = include_str!("../src/lib.rs");
    for line in library.lines().filter_map(|line| line.trim().strip_prefix("pub mod ")) {
        floor(line.trim_end_matches(';')).unwrap();
    }
}

#[test]
fn wrong_imports_are_rejected() {
    for (module, source) in [
        ("claims", "use crate::flow::Sampler;"),
        ("claims", "use crate::facts::Facts;\nuse crate::lyapunov;"),
        ("claims", "let x = crate::random::Stream::root(1);"),
        ("verdict", "use crate::claims::Claim;"),
        ("record", "use crate::{facts::{Facts, Grade}, campaign::Outcome};"),
        ("drift", "use crate::{\n    error::Error,\n    flow,\n};"),
        ("flow", "use crate::verdict::Margin;"),
        ("facts", "use crate::linalg::svd;"),
        ("flow", "use crate::scenario::Scenario;"),
        ("observe", "use crate::cli;"),
        ("linalg", "use super::super::random;"),
        ("gossip", "use crate::facts::Facts;"),
        ("campaign", "use crate::gossip;"),
    ] {
        assert_eq!(complaints(module, source).len().min(1), 1, "{module}: {source}");
    }
}

#[test]
fn right_imports_are_accepted() {
    for (module, source) in [
        ("claims", "use crate::facts::Facts;\nuse crate::verdict::{Judgement, Margin};"),
        ("claims", "// as crate::flow does\nuse super::Claim;"),
        ("linalg", "use crate::error::{Error, Result};"),
        ("cli", "use crate::{campaign, record::{self, Record}};"),
        ("record", "use crate::record::summary;"),
    ] {
        assert_eq!(complaints(module, source), Vec::<String>::new(), "{module}: {source}");
    }
}
