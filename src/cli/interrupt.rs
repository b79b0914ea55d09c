//! Ctrl-C: finish what was begun, then report; a second one gives up.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// The exit code of a process ended by Ctrl-C, by convention 128 + SIGINT.
const ABANDONED: i32 = 130;

/// A flag that Ctrl-C sets.
pub fn flag() -> &'static AtomicBool {
    // Also where a shell has told background jobs to ignore it. Fails only when our handler is in
    // place already. Hang-ups and terminations keep their meaning: nohup shall work.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(ABANDONED);
        }
        eprintln!("\nstopping after the worlds already begun; Ctrl-C again gives up");
    });
    &STOP
}
