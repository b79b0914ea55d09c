//! Ctrl-C: finish what was begun, then report; a second one gives up.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// The exit code of a process ended by Ctrl-C, by convention 128 + SIGINT.
const ABANDONED: i32 = 130;

/// A flag that Ctrl-C (or a request to terminate) sets.
pub fn flag() -> &'static AtomicBool {
    // Fails only when a handler exists already, which then sets the same flag.
    let _ = ctrlc::try_set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(ABANDONED);
        }
        eprintln!("\nstopping after the worlds already begun; Ctrl-C again gives up");
    });
    &STOP
}
