//! What a person sees while a chapter is computed: the stage it is at, and for how long.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// The stages of one piece of work, on standard error.
pub struct Stages {
    label: String,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Stages {
    /// Begins the piece of work that is the n-th of so many.
    pub fn begin(name: &str, (nth, of): (usize, usize)) -> Self {
        let label = format!("{name} ({nth} of {of})");
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}  {elapsed}");
            let bar = ProgressBar::new_spinner().with_style(style.expect("a constant template"));
            bar.set_prefix(label.clone());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if bar.is_none() {
            eprintln!("{label}");
        }
        Self { label, started: Instant::now(), bar }
    }

    /// The next stage is begun.
    pub fn next(&self, stage: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(stage.to_owned()),
            None => {
                eprintln!("{}: {stage} (after {:.1} s)", self.label, self.seconds());
            }
        }
    }

    /// Seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Clears the line and returns the seconds it took.
    pub fn end(self) -> f64 {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.seconds()
    }
}
