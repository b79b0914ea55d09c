//! The `driftproof` command: see [`driftproof::cli`].

fn main() -> std::process::ExitCode {
    driftproof::cli::main()
}
