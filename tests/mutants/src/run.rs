//! Every mutant against the tests that reach it, until one fails.

use crate::Options;
use crate::build::Listed;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
    let seen = options.work.join("reach");
    let mut tests = Vec::new();
    for line in String::from_utf8(built.stdout).unwrap().lines() {
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        let Some(program) = value["executable"].as_str() else { continue };
        if value["profile"]["test"] != true {
            continue;
        }
        let (program, target) = (PathBuf::from(program), value["target"]["name"].as_str().unwrap());
        let list = Command::new(&program).args(["--list", "--format=terse"]).output().unwrap();
        for name in String::from_utf8(list.stdout).unwrap().lines() {
            let Some(name) = name.strip_suffix(": test") else { continue };
            std::fs::remove_file(&seen).ok();
            let started = Instant::now();
            let reach = ("MUTANT_REACH", seen.to_str().unwrap());
            if start(tree, &program, name, 600.0, reach) != End::Passed {
                println!("fails without a mutant, left out: {target} {name}");
                continue;
            }
            let seconds = started.elapsed().as_secs_f64();
            let sites = std::fs::read_to_string(&seen).unwrap_or_default();
            let sites = sites.lines().map(|site| site.parse().unwrap()).collect();
            let (program, target, name) = (program.clone(), target.to_owned(), name.to_owned());
            tests.push(Test { program, target, name, seconds, sites });
        }
    }
    tests
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
fn lot(name: &str) -> f64 {
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
    let mut out = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    let mut kills: HashMap<(&str, usize), f64> = HashMap::new();
    for (index, mutant) in listed.iter().enumerate() {
        let Some(site) = mutant.site.filter(|_| mutant.viable) else { continue };
        let settled =
            done.get(&mutant.name).is_some_and(|outcome| !options.again || outcome != "missed");
        if settled || lot(&mutant.name) >= options.share {
            continue;
        }
        let mut reaching: Vec<usize> =
            (0..tests.len()).filter(|at| tests[*at].sites.contains(&site)).collect();
        // Short tests first, and those that caught others of this file.
        let cost = |at: usize| {
            let caught = kills.get(&(mutant.file.as_str(), at)).copied().unwrap_or(0.0);
            tests[at].seconds / (1.0 + caught)
        };
        reaching.sort_by(|a, b| cost(*a).total_cmp(&cost(*b)));
        let (mut outcome, mut by) = ("missed", String::new());
        if reaching.is_empty() {
            by = "no test comes here".to_owned();
        }
        let mut spent = 0.0;
        for at in reaching {
            let test = &tests[at];
            spent += test.seconds;
            if spent > options.budget {
                by = "out of budget".to_owned();
                break;
            }
            let limit = (PATIENCE * test.seconds).max(LEAST_LIMIT);
            let on = format!("{site}:{}", index + 1);
            let end = start(&tree, &test.program, &test.name, limit, ("MUTANT", &on));
            if end != End::Passed {
                outcome = if end == End::Failed { "caught" } else { "timeout" };
                by = format!("{} {}", test.target, test.name);
                *kills.entry((&mutant.file, at)).or_default() += 1.0;
                stored.restore();
                break;
            }
        }
        writeln!(out, "{}\t{outcome}\t{by}", mutant.name).unwrap();
        out.flush().unwrap();
    }
}
