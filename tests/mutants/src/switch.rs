//! Put into the copied crate: which mutant is on, read once from the environment.
//!
//! `MUTANT=site:number` turns one on. `MUTANT_REACH=file` appends the sites that were evaluated.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

const SITES: usize = include!("mutant_sites");
static TRIPPED: [AtomicBool; SITES] = [const { AtomicBool::new(false) }; SITES];
static SEEN: [AtomicBool; SITES] = [const { AtomicBool::new(false) }; SITES];
static ACTIVE: AtomicU32 = AtomicU32::new(0);

/// 0 where the code is as written, else the number of the mutant that is on.
#[inline(always)]
pub fn at(site: usize) -> u32 {
    if TRIPPED[site].load(Relaxed) { tripped(site) } else { 0 }
}

#[cold]
#[inline(never)]
fn tripped(site: usize) -> u32 {
    let active = ACTIVE.load(Relaxed);
    if active == 0 {
        // Only to be seen, once.
        TRIPPED[site].store(false, Relaxed);
        SEEN[site].store(true, Relaxed);
    }
    active
}

// Before main and after it, also in programs that a test starts.
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;
#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end;

extern "C" fn start() {
    if std::env::var_os("MUTANT_REACH").is_some() {
        TRIPPED.iter().for_each(|site| site.store(true, Relaxed));
    } else if let Ok(on) = std::env::var("MUTANT") {
        let (site, mutant) = on.split_once(':').expect("MUTANT=site:number");
        TRIPPED[site.parse::<usize>().unwrap()].store(true, Relaxed);
        ACTIVE.store(mutant.parse().unwrap(), Relaxed);
    }
}

extern "C" fn end() {
    use std::io::Write;
    let Some(path) = std::env::var_os("MUTANT_REACH") else { return };
    let seen = (0..SITES).filter(|site| SEEN[*site].load(Relaxed));
    let text: String = seen.map(|site| format!("{site}\n")).collect();
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("MUTANT_REACH is writable");
}
