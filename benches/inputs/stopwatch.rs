//! CPU time of this thread, and memory of this process where the system tells it.

use cpu_time::ThreadTime;
use std::time::{Duration, Instant};

/// Runs a job again and again, remembering the best times.
pub struct Stopwatch {
    /// Least wall-clock time of a run.
    pub wall: Duration,
    /// Least CPU time of a run, the steadier of the two on a shared machine.
    pub cpu: Duration,
    /// Runs so far.
    pub runs: u64,
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self { wall: Duration::MAX, cpu: Duration::MAX, runs: 0 }
    }
}

impl Stopwatch {
    /// Wall-clock time of `runs` runs, for criterion.
    pub fn time<T>(&mut self, runs: u64, mut job: impl FnMut() -> T) -> Duration {
        let mut total = Duration::ZERO;
        for _ in 0..runs {
            let (wall, cpu) = (Instant::now(), ThreadTime::now());
            std::hint::black_box(job());
            let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
            self.wall = self.wall.min(wall);
            self.cpu = self.cpu.min(cpu);
            self.runs += 1;
            total += wall;
        }
        total
    }

    /// Prints the arithmetic a job needs beside what it took; nothing when it did not run.
    pub fn print(&self, case: &str, arithmetic: f64) {
        if self.runs == 0 {
            return;
        }
        let best = self.cpu.as_secs_f64();
        let memory = peak_memory().map_or(String::new(), |mb| format!(", peak {mb:.0} MB"));
        println!(
            "{case}: {:.3} GFlop needed; best of {}: {:.4} s CPU, {:.4} s wall, {:.1} GF/s{memory}",
            arithmetic / 1e9,
            self.runs,
            best,
            self.wall.as_secs_f64(),
            arithmetic / best / 1e9,
        );
    }
}

/// The most memory this process has held, in MB (Linux).
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
