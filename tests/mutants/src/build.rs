//! A copy of the package with all its mutants in it, and the ones among them that compile.

use crate::Options;
use crate::run::lot;
use crate::schemata::{Mutant, Rewritten, rewrite};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

/// What became of a listed mutant in the build.
pub struct Listed {
    /// As cargo-mutants writes it: file, line, column, what is replaced.
    pub name: String,
    pub file: String,
    /// Where the switch stands; none in a constant or in a skipped file.
    pub site: Option<usize>,
    pub viable: bool,
}

fn lines(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    String::from_utf8(output.stdout).expect("the output is text")
}

/// Copies what git knows of, or has not been told to ignore, except the files that are rewritten.
fn copy(from: &Path, to: &Path, rewritten: &BTreeMap<String, (String, Vec<Mutant>)>) {
    let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    for name in lines(Command::new("git").args(listed).current_dir(from)).split_terminator('\0') {
        if name == "src/lib.rs" || rewritten.contains_key(name) {
            continue;
        }
        let (source, target) = (from.join(name), to.join(name));
        let Ok(bytes) = std::fs::read(&source) else { continue };
        if std::fs::read(&target).is_ok_and(|old| old == bytes) {
            continue;
        }
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(&target, bytes).unwrap();
    }
}

/// The byte at a line and column, both from 1, the column in characters.
fn byte(source: &str, place: &Value) -> usize {
    let at = |key: &str| place[key].as_u64().unwrap() as usize;
    let start: usize = source.split_inclusive('\n').take(at("line") - 1).map(str::len).sum();
    let rest = &source[start..];
    start + rest.char_indices().nth(at("column") - 1).map_or(rest.len(), |(byte, _)| byte)
}

/// Every mutant, in a copy of the package `from` under `work`/tree that compiles.
pub fn prepare(from: &Path, options: &Options) -> Vec<Listed> {
    let work = &options.work;
    let tree = work.join("tree");
    let list = lines(Command::new("cargo").args(["mutants", "--list", "--json"]).current_dir(from));
    let list: Vec<Value> = serde_json::from_str(&list).expect("cargo-mutants lists in JSON");
    let mut by_file: BTreeMap<String, (String, Vec<Mutant>)> = BTreeMap::new();
    let mut hasher = DefaultHasher::new();
    let mut listed = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        let file = text("file");
        let (source, mutants) = by_file.entry(file.clone()).or_insert_with(|| {
            let source = std::fs::read_to_string(from.join(&file)).unwrap();
            source.hash(&mut hasher);
            (source, Vec::new())
        });
        let span = byte(source, &value["span"]["start"])..byte(source, &value["span"]["end"]);
        let (name, genre, replacement) = (text("name"), text("genre"), text("replacement"));
        // Those that are not asked for are not written: the compiler has enough to do.
        if lot(&name) < options.share {
            mutants.push(Mutant { number: index + 1, genre, span, replacement });
        }
        listed.push(Listed { name, file, site: None, viable: true });
    }
    by_file.retain(|file, _| options.asks(file));
    copy(from, &tree, &by_file);
    // What did not compile last time, if these are the same sources.
    let known = work.join(format!("unviable-{:x}", hasher.finish()));
    let mut unviable: HashSet<usize> = std::fs::read_to_string(&known)
        .map(|text| text.lines().map(|number| number.parse().unwrap()).collect())
        .unwrap_or_default();
    loop {
        let mut sites = 0;
        let mut files = HashMap::new();
        for (file, (source, mutants)) in &by_file {
            let live: Vec<Mutant> =
                mutants.iter().filter(|m| !unviable.contains(&m.number)).cloned().collect();
            let mut new = rewrite(source, &live, &mut sites);
            unviable.extend(&new.broken);
            new.text.push('\n');
            write(&tree.join(file), &new.text);
            files.insert(file.clone(), new);
        }
        let library = std::fs::read_to_string(from.join("src/lib.rs")).unwrap();
        write(&tree.join("src/lib.rs"), &format!("{library}pub mod mutant_switch;\n"));
        write(&tree.join("src/mutant_switch.rs"), include_str!("switch.rs"));
        write(&tree.join("src/mutant_sites"), &sites.to_string());
        let wrong = errors(&tree, &files);
        println!("{sites} sites; {} more mutants do not compile", wrong.len());
        if wrong.is_empty() {
            for (number, site) in files.values().flat_map(|file| &file.sites) {
                listed[number - 1].site = Some(*site);
            }
            break;
        }
        unviable.extend(wrong);
    }
    let text: String = unviable.iter().map(|number| format!("{number}\n")).collect();
    std::fs::write(known, text).unwrap();
    unviable.iter().for_each(|number| listed[number - 1].viable = false);
    listed
}

/// Leaves a file alone that is as it should be, and with it what was built from it.
fn write(path: &Path, text: &str) {
    if std::fs::read_to_string(path).map_or(true, |old| old != text) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The mutants in which the compiler finds an error.
fn errors(tree: &Path, files: &HashMap<String, Rewritten>) -> HashSet<usize> {
    let check = ["check", "--release", "--lib", "--message-format=json"];
    let (mut wrong, mut elsewhere) = (HashSet::new(), String::new());
    for line in lines(Command::new("cargo").args(check).current_dir(tree)).lines() {
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        let message = &value["message"];
        if value["reason"] != "compiler-message" || message["level"] != "error" {
            continue;
        }
        let mut places = Vec::new();
        spans(message, &mut places);
        let of_place = |(file, start, end): &(String, usize, usize)| {
            let alternatives = &files.get(file)?.alternatives;
            let (_, number) =
                alternatives.iter().find(|(at, _)| at.start <= *start && *end <= at.end)?;
            Some(*number)
        };
        match places.iter().find_map(of_place) {
            Some(number) => drop(wrong.insert(number)),
            // A closing line such as "aborting due to 3 errors" has no place.
            None if places.is_empty() => (),
            None => elsewhere += message["rendered"].as_str().unwrap_or_default(),
        }
    }
    assert!(elsewhere.is_empty(), "errors outside of all mutants:\n{elsewhere}");
    wrong
}

/// File, start and end of all that a message points at: primary places first, then notes.
fn spans(message: &Value, places: &mut Vec<(String, usize, usize)>) {
    let all = message["spans"].as_array().unwrap();
    let (first, rest): (Vec<_>, Vec<_>) = all.iter().partition(|span| span["is_primary"] == true);
    for span in first.into_iter().chain(rest) {
        let mut span = span;
        while !span.is_null() {
            let at = |key: &str| span[key].as_u64().unwrap() as usize;
            let file = span["file_name"].as_str().unwrap().to_owned();
            places.push((file, at("byte_start"), at("byte_end")));
            span = &span["expansion"]["span"];
        }
    }
    message["children"].as_array().unwrap().iter().for_each(|child| spans(child, places));
}
