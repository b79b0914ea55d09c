//! What was typed → what it means → exit code.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | every claim asked for stands |
//! | 1 | a counterexample was found |
//! | 2 | usage, bad input, or a record that cannot be written |
//! | 3 | undecided or vacuous: too few worlds could be decided or met the hypotheses, or the run was stopped |
//! | 4 | a mutant survived: the check may be unable to fail |
//! | 70 | our bug |
//! | 130 | given up at a second Ctrl-C, before anything was recorded |
//!
//! The result goes to standard output, everything else to standard error.

mod check;
mod claims;
mod data;
mod detail;
mod explore;
mod interrupt;
mod kept;
mod model;
mod names;
mod planes;
mod progress;
mod replay;
mod report;
mod robustness;
mod scenario;
mod stages;
mod summary;
mod terminal;

use crate::error::{Error, Result};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Stands = 0,
    Counterexample = 1,
    BadInput = 2,
    Undecided = 3,
    MutantSurvived = 4,
    OurBug = 70,
}

/// Checks when and how inexact generative models still sample from the data manifold.
#[derive(Parser)]
#[command(name = "driftproof", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "No command means `check`: all claims and the built-in data sets.

Exit codes: 0 all stands; 1 a counterexample; 2 usage or bad input;
            3 undecided, vacuous or stopped; 4 a mutant survived; 70 our bug";

#[derive(Subcommand)]
enum Command {
    /// Check claims on random worlds, and look at data sets
    #[command(after_help = EXIT_CODES)]
    Check(check::Options),
    /// Search for a world in which a claim fails, or map where it is silent
    #[command(after_help = EXIT_CODES)]
    Explore(explore::Options),
    /// Make the gallery: experiments as pages and figures
    Report(report::Options),
    /// What is checked: the list of claims, or the statement of one
    Claims(claims::Options),
    /// Look at a trained network: its convention, its finite-time spectrum, and what its errors do
    #[command(after_help = EXIT_CODES)]
    Model(Box<model::Options>),
    /// Compute what is known of the world of a scenario file
    Run(scenario::Run),
    /// Print the world of a scenario file with every default filled in
    Explain(scenario::Explain),
    /// Write a scenario file from an example
    New(scenario::New),
}

/// Runs the command with the arguments of the process.
pub fn main() -> ExitCode {
    let exit = guarded(|| {
        let arguments = match Arguments::try_parse() {
            Ok(arguments) => arguments,
            // Help and version are printed to standard output and are no errors.
            Err(message) => {
                let exit = if message.use_stderr() { Exit::BadInput } else { Exit::Stands };
                return message.print().map_or(Exit::BadInput, |()| exit);
            }
        };
        match run(arguments) {
            Ok(exit) => exit,
            Err(error) => {
                eprintln!("error: {error}");
                if error.is_input() { Exit::BadInput } else { Exit::Undecided }
            }
        }
    });
    ExitCode::from(exit as u8)
}

fn run(arguments: Arguments) -> Result<Exit> {
    match arguments.command.unwrap_or_else(|| Command::Check(check::Options::default())) {
        Command::Check(options) => check::run(&options),
        Command::Explore(options) => explore::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Claims(options) => claims::run(&options),
        Command::Model(options) => model::run(&options),
        Command::Run(options) => scenario::run(&options),
        Command::Explain(options) => scenario::explain(&options),
        Command::New(options) => scenario::new(&options),
    }
}

/// Runs the command; a panic becomes a report to us, without a backtrace, and exit code 70.
fn guarded(command: impl FnOnce() -> Exit + std::panic::UnwindSafe) -> Exit {
    std::panic::set_hook(Box::new(|panic| {
        let line: Vec<String> = std::env::args().collect();
        eprintln!(
            "error: this is a bug of driftproof {}, not your mistake: {panic}\n  \
             try: report this message and the command `{}` to the authors",
            env!("CARGO_PKG_VERSION"),
            line.join(" "),
        );
    }));
    std::panic::catch_unwind(command).unwrap_or(Exit::OurBug)
}

/// So many worker threads; one a core unless told otherwise.
fn pool(threads: Option<u16>) -> Result<rayon::ThreadPool> {
    let threads = match threads {
        Some(threads) => usize::from(threads),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| {
        Error::input("--threads", format!("{threads} threads: {error}"), "fewer threads")
    })
}

/// Prints the result. A reader that went away (`driftproof | head`) is no error.
fn print(text: &str) -> Result<()> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::input(
            "standard output",
            format!("cannot be written ({error})"),
            "another place for the output",
        )),
        _ => Ok(()),
    }
}

/// How this program was called, so that a printed command repeats as it stands.
fn program() -> String {
    // cargo names itself to what it runs.
    if std::env::var_os("CARGO").is_some() {
        return "cargo run --release --".to_owned();
    }
    std::env::args().next().unwrap_or_else(|| "driftproof".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_exit_code_70() {
        assert_eq!(guarded(|| panic!("the sky fell")), Exit::OurBug);
        assert_eq!(guarded(|| Exit::Stands), Exit::Stands);
        drop(std::panic::take_hook());
    }

    #[test]
    fn the_options_have_no_conflicting_names() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
