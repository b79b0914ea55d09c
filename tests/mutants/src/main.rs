//! Runs the mutants that cargo-mutants lists, from one build: see ../README.md.
//!
//! `mutants WORK [--only PREFIX]... [--skip PREFIX]... [--test TARGET]... [--share X]
//! [--budget SECONDS] [--jobs N] [--again]`, from the root of the package. Outcomes are appended to
//! WORK/outcomes and not run twice; `--again` runs the missed ones again. Linux only.

mod build;
mod report;
mod run;
mod schemata;

use std::path::PathBuf;

/// What was asked for.
pub struct Options {
    /// Where the copy and the outcomes go.
    pub work: PathBuf,
    /// Only files that start so, e.g. `src/claims`.
    pub only: Vec<String>,
    /// Test targets to build, `lib` among them; none means all.
    pub tests: Vec<String>,
    /// Files that are left as they are.
    pub skip: Vec<String>,
    /// The share of each file's mutants to run, chosen by a hash of their names.
    pub share: f64,
    /// A mutant counts as missed when tests that take so long without it do not notice.
    pub budget: f64,
    /// Tests that run at the same time.
    pub jobs: usize,
    /// Run those again that were missed.
    pub again: bool,
}

impl Options {
    /// Whether the mutants of a file are to be run.
    pub fn asks(&self, file: &str) -> bool {
        let starts = |prefixes: &[String]| prefixes.iter().any(|p| file.starts_with(p));
        let all = self.only.is_empty() || starts(&self.only);
        all && !starts(&self.skip) && !["src/main.rs", "src/lib.rs"].contains(&file)
    }
}

fn options() -> Options {
    let mut words = std::env::args().skip(1);
    let work = PathBuf::from(words.next().expect("a folder for the copy and the outcomes"));
    let mut options = Options {
        work,
        only: Vec::new(),
        tests: Vec::new(),
        skip: Vec::new(),
        share: 1.0,
        budget: 60.0,
        jobs: 1,
        again: false,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match word.as_str() {
            "--only" => options.only.push(value()),
            "--test" => options.tests.push(value()),
            "--skip" => options.skip.push(value()),
            "--share" => options.share = value().parse().expect("a number"),
            "--budget" => options.budget = value().parse().expect("seconds"),
            "--jobs" => options.jobs = value().parse().expect("a count"),
            "--again" => options.again = true,
            _ => panic!("unknown option {word}"),
        }
    }
    options
}

fn main() {
    let options = options();
    std::fs::create_dir_all(&options.work).unwrap();
    let package = std::env::current_dir().unwrap();
    let listed = build::prepare(&package, &options);
    run::run(&options, &listed);
    report::print(&options, &listed);
}
