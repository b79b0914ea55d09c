//! Every mutant against the tests that reach it, until one fails.

use crate::Options;
use crate::build::Listed;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

/// A mutant in which a test takes so many times longer counts as caught…
const PATIENCE: f64 = 20.0;
/// …but never sooner than after so many seconds.
const LEAST_LIMIT: f64 = 5.0;
/// Memory that a test may take, in bytes.
const MEMORY: &str = "8000000000";

struct Test {
    program: PathBuf,
    target: String,
    name: String,
    seconds: f64,
    sites: HashSet<usize>,
}

/// Passed, failed, or stopped after its time.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Passed,
    Failed,
    Stopped,
}

fn start(tree: &Path, program: &Path, name: &str, limit: f64, (key, value): (&str, &str)) -> End {
    let started = Instant::now();
    let status = Command::new("prlimit")
        .arg(format!("--as={MEMORY}"))
        .args(["timeout", "-s", "KILL", &limit.to_string()])
        .arg(program)
        .args([name, "--exact", "--test-threads=1"])
        .envs([("CARGO_MANIFEST_DIR", tree.as_os_str()), (key, value.as_ref())])
        .env("RAYON_NUM_THREADS", "1")
        .current_dir(tree)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("prlimit and timeout are there");
    match status.success() {
        true => End::Passed,
        false if started.elapsed().as_secs_f64() >= limit => End::Stopped,
        false => End::Failed,
    }
}

/// Builds the tests of the copy and runs each once alone, as written: its time and what it reaches.
fn tests(tree: &Path, options: &Options) -> Vec<Test> {
    let build = ["test", "--release", "--no-run", "--message-format=json"];
    let mut cargo = Command::new("cargo");
    cargo.args(build).current_dir(tree).stderr(Stdio::inherit());
    for target in &options.tests {
        cargo.args(if target == "lib" { vec!["--lib"] } else { vec!["--test", target] });
    }
    let built = cargo.output().expect("cargo starts");
    assert!(built.status.success(), "the tests do not compile");
    let mut tests = Vec::new();
    for line in String::from_utf8(built.stdout).unwrap().lines() {
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        let Some(program) = value["executable"].as_str() else { continue };
        if value["profile"]["test"] != true {
            continue;
        }
        let target = value["target"]["name"].as_str().unwrap();
        tests.extend(reach(tree, &options.work, Path::new(program), target));
    }
    tests
}

/// The tests of one program; known from the last time while the program is the same.
fn reach(tree: &Path, work: &Path, program: &Path, target: &str) -> Vec<Test> {
    let built = program.metadata().and_then(|data| data.modified()).unwrap();
    let built = built.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let known = work.join(format!("reach-{target}-{built}"));
    let (mut table, seen) = (String::new(), work.join("reach"));
    let list = Command::new(program).args(["--list", "--format=terse"]).output().unwrap();
    let list = if known.exists() { String::new() } else { String::from_utf8(list.stdout).unwrap() };
    for name in list.lines().filter_map(|line| line.strip_suffix(": test")) {
        std::fs::remove_file(&seen).ok();
        let started = Instant::now();
        let on = ("MUTANT_REACH", seen.to_str().unwrap());
        if start(tree, program, name, 600.0, on) != End::Passed {
            println!("fails without a mutant, left out: {target} {name}");
            continue;
        }
        let seconds = started.elapsed().as_secs_f64();
        let sites = std::fs::read_to_string(&seen).unwrap_or_default().replace('\n', " ");
        table += &format!("{name}\t{seconds}\t{sites}\n");
    }
    if !known.exists() {
        std::fs::write(&known, table).unwrap();
    }
    let read = |line: &str| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap();
        let name = next().to_owned();
        let seconds = next().parse().unwrap();
        let sites = next().split_whitespace().map(|site| site.parse().unwrap()).collect();
        Test { program: program.to_owned(), target: target.to_owned(), name, seconds, sites }
    };
    std::fs::read_to_string(known).unwrap().lines().map(read).collect()
}

/// Random tests store their failures beside them; the next mutant must not see them.
struct Stored(PathBuf, HashMap<PathBuf, Vec<u8>>);

impl Stored {
    fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
        let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|e| e == "regressions"))
    }

    fn keep(folder: PathBuf) -> Self {
        let kept = Self::files(&folder).map(|path| (path.clone(), std::fs::read(path).unwrap()));
        let kept = kept.collect();
        Self(folder, kept)
    }

    fn restore(&self) {
        for path in Self::files(&self.0) {
            match self.1.get(&path) {
                Some(bytes) => std::fs::write(path, bytes).unwrap(),
                None => std::fs::remove_file(path).unwrap(),
            }
        }
    }
}

/// A number in [0, 1) that depends on the name alone: the sample is the mutants below the share.
pub fn lot(name: &str) -> f64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish() as f64 / 2.0_f64.powi(64)
}

/// Outcomes so far by name; the last word counts.
pub fn outcomes(work: &Path) -> HashMap<String, String> {
    let text = std::fs::read_to_string(work.join("outcomes")).unwrap_or_default();
    let pair = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        Some((columns.next()?, columns.next()?))
    };
    text.lines().filter_map(pair).collect()
}

/// Runs what was asked for and has no outcome yet.
pub fn run(options: &Options, listed: &[Listed]) {
    let tree = options.work.join("tree");
    let tests = tests(&tree, options);
    let total: f64 = tests.iter().map(|test| test.seconds).sum();
    println!("{} tests, {total:.0} s", tests.len());
    let stored = Stored::keep(tree.join("theorems"));
    let done = outcomes(&options.work);
    let path = options.work.join("outcomes");
    let out = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    let shared = Mutex::new((out, Kills::new()));
    let asked = |mutant: &Listed| {
        let open = |outcome: &String| options.again && outcome == "missed";
        mutant.viable && done.get(&mutant.name).is_none_or(open)
    };
    let cost = |site: usize| -> f64 {
        tests.iter().filter(|test| test.sites.contains(&site)).map(|test| test.seconds).sum()
    };
    let left = listed.iter().enumerate().filter(|(_, mutant)| asked(mutant));
    let mut left: Vec<_> =
        left.filter_map(|(at, mutant)| Some((cost(mutant.site?), at + 1, mutant))).collect();
    // Dear ones last: what every test reaches takes the longest to be missed.
    left.sort_by(|a, b| a.0.total_cmp(&b.0));
    let left = Mutex::new(left.into_iter());
    let worker = || {
        loop {
            let next = left.lock().unwrap().next();
            let Some((_, number, mutant)) = next else { break };
            let site = mutant.site.expect("only those with a site are left");
            let mut reaching: Vec<usize> =
                (0..tests.len()).filter(|at| tests[*at].sites.contains(&site)).collect();
            {
                // Short tests first, and those that caught others of this file.
                let kills = &shared.lock().unwrap().1;
                let cost = |at: usize| {
                    let caught = kills.get(&(mutant.file.as_str(), at)).unwrap_or(&0.0);
                    tests[at].seconds / (1.0 + caught)
                };
                reaching.sort_by(|a, b| cost(*a).total_cmp(&cost(*b)));
            }
            let nowhere = reaching.is_empty();
            let reaching = reaching.into_iter().map(|at| (at, &tests[at]));
            let on = format!("{site}:{number}");
            let (outcome, by) = judge(&tree, reaching, &on, options.budget);
            if outcome != "missed" {
                stored.restore();
            }
            let (out, kills) = &mut *shared.lock().unwrap();
            if let Some(at) = by {
                *kills.entry((&mutant.file, at)).or_default() += 1.0;
            }
            let by = match by {
                Some(at) => format!("{} {}", tests[at].target, tests[at].name),
                None if nowhere => "no test comes here".to_owned(),
                None => String::new(),
            };
            writeln!(out, "{}\t{outcome}\t{by}", mutant.name).unwrap();
        }
    };
    std::thread::scope(|scope| (0..options.jobs).for_each(|_| drop(scope.spawn(worker))));
}

/// How many mutants of a file each test caught.
type Kills<'a> = HashMap<(&'a str, usize), f64>;

/// Runs tests until one notices: the outcome and the test.
fn judge<'a>(
    tree: &Path,
    reaching: impl Iterator<Item = (usize, &'a Test)>,
    on: &str,
    budget: f64,
) -> (&'static str, Option<usize>) {
    let mut spent = 0.0;
    for (at, test) in reaching {
        spent += test.seconds;
        if spent > budget {
            break;
        }
        let limit = (PATIENCE * test.seconds).max(LEAST_LIMIT);
        match start(tree, &test.program, &test.name, limit, ("MUTANT", on)) {
            End::Passed => (),
            End::Failed => return ("caught", Some(at)),
            End::Stopped => return ("timeout", Some(at)),
        }
    }
    ("missed", None)
}
