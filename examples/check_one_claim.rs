//! Checks one claim on random worlds, and looks closer at its tightest world.
//!
//! `cargo run --release --example check_one_claim -- T3`

use driftproof::{campaign, claims};
use std::sync::atomic::AtomicBool;

fn main() {
    let number = std::env::args().nth(1).unwrap_or_else(|| "T3".to_owned());
    let Some(claim) = claims::ALL.iter().find(|claim| claim.theory.contains(&number.as_str()))
    else {
        eprintln!("no claim covers {number}");
        return;
    };
    println!("{}\n{}\n", claim.id, claim.summary);

    let (seed, worlds, never) = (1, 50, AtomicBool::new(false));
    let results = campaign::run(claim, seed, worlds, &never, &|| ());
    let summary = campaign::summarise(claim, &results);
    println!("{:?} in {} of {worlds} worlds in scope", summary.outcome, summary.in_scope);

    if let Some(tightest) = summary.tightest {
        let world = &results[tightest.index];
        println!(
            "tightest in world {}: {} (slack {:.2e})",
            tightest.index, tightest.conclusion, tightest.slack
        );
        if let Ok(seen) = &world.observed {
            println!("which is {}", seen.world);
        }
    }
}
