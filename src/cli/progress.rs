//! What a person sees while worlds are judged: a bar on a terminal, plain lines elsewhere.

use super::terminal::number;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Between two plain lines at first; later an eighth of the time gone by, so that a log stays short.
const QUIET: Duration = Duration::from_secs(2);

/// Whether the next plain line is due, which is then the last one. A thread that finds the clock taken leaves the line to the other.
fn due(last_line: &Mutex<Instant>, started: Instant) -> bool {
    let Ok(mut last) = last_line.try_lock() else { return false };
    let due = last.elapsed() >= QUIET.max(started.elapsed() / 8);
    if due {
        *last = Instant::now();
    }
    due
}

/// The progress of one claim, on standard error.
pub struct Progress {
    label: String,
    /// What is counted, e.g. `worlds`.
    unit: &'static str,
    total: usize,
    done: AtomicUsize,
    started: Instant,
    last_line: Mutex<Instant>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows that `total` units of work are begun.
    pub fn begin(label: &str, total: usize, unit: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            // What does not fit the terminal is cut off: the end of the name, and no number.
            let template =
                format!("{{bar:24}}  {{pos}}/{{len}} {unit}, {{rate}}, {{eta}} left  {{msg}}");
            let rate = |state: &ProgressState, text: &mut dyn Write| {
                let _ = write!(text, "{}/s", number(state.per_sec()));
            };
            let style = ProgressStyle::with_template(&template).expect("a constant template");
            let style = style.with_key("rate", rate);
            let bar =
                ProgressBar::new(total as u64).with_style(style).with_message(label.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if bar.is_none() {
            eprintln!("{label}: {total} {unit}");
        }
        let now = Instant::now();
        Self {
            label: label.to_owned(),
            unit,
            total,
            done: AtomicUsize::new(0),
            started: now,
            last_line: Mutex::new(now),
            bar,
        }
    }

    /// One more unit is finished.
    pub fn advance(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
            return;
        }
        if due(&self.last_line, self.started) {
            let rate = done as f64 / self.started.elapsed().as_secs_f64();
            let left = (self.total - done) as f64 / rate;
            eprintln!(
                "{}: {done} of {} {}, {}/s, about {left:.0} s left",
                self.label,
                self.total,
                self.unit,
                number(rate)
            );
        }
    }

    /// Clears the bar and returns the seconds it took.
    pub fn end(self) -> f64 {
        let seconds = self.started.elapsed().as_secs_f64();
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        seconds
    }
}

/// The progress of a search, which has a budget in place of an end, on standard error.
pub struct Watch {
    label: String,
    budget: Duration,
    started: Instant,
    last_line: Mutex<Instant>,
    bar: Option<ProgressBar>,
}

impl Watch {
    /// Shows that a search is begun.
    pub fn begin(label: &str, budget: Duration) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}  {prefix}");
            let bar = ProgressBar::new_spinner().with_style(style.expect("a constant template"));
            bar.set_prefix(label.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if bar.is_none() {
            eprintln!("{label}: searching for {} s", budget.as_secs());
        }
        let now = Instant::now();
        let (label, last_line) = (label.to_owned(), Mutex::new(now));
        Self { label, budget, started: now, last_line, bar }
    }

    /// So many worlds were seen; what to say of them.
    pub fn show(&self, worlds: usize, said: &str) {
        let elapsed = self.started.elapsed();
        let line = || {
            let rate = number(worlds as f64 / elapsed.as_secs_f64());
            let (now, end) = (elapsed.as_secs(), self.budget.as_secs());
            format!("{worlds} worlds, {rate}/s, {said}, {now} of {end} s")
        };
        if let Some(bar) = &self.bar {
            bar.set_message(line());
            return;
        }
        if due(&self.last_line, self.started) {
            eprintln!("{}: {}", self.label, line());
        }
    }

    /// Clears the line and returns the seconds it took.
    pub fn end(self) -> f64 {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed().as_secs_f64()
    }
}
