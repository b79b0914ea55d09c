//! The counterexamples of the theory page, found again from random starts.

use super::needed::Find;
use crate::claims::{
    Claim, alignment_and_robustness_are_independent, compression_alone_does_not_align,
};
use crate::error::{Error, Result};
use crate::figure::{Figure, Panel};
use crate::observe::{observe, picture};
use crate::random::Knobs;
use crate::record::{Chapter, Relation};
use crate::search::{Point, Target};

/// Of each family: its number, and a wording that it refutes.
const FAMILIES: &[(&str, &Claim, &str)] = {
    let alone = &compression_alone_does_not_align::CLAIM;
    let apart = &alignment_and_robustness_are_independent::CLAIM;
    &[
        ("C1", alone, "vanishing_cross_derivatives_align"),
        ("C2", alone, "total_compression_aligns"),
        ("C3", alone, "jacobian_on_manifold_suffices"),
        ("C7", apart, "alignment_implies_robustness"),
        ("C8", apart, "compression_attenuates_every_error"),
        ("C9", apart, "c0_small_errors_keep_alignment"),
    ]
};

/// Seeds that are tried until the search ends in that family, and worlds of each search.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=8;
const WORLDS: usize = 3000;

/// Families in a figure.
const SHOWN: usize = 3;

pub(super) fn add(chapter: &mut Chapter) -> Result<()> {
    let mut missing = Vec::new();
    for (part, families) in FAMILIES.chunks(SHOWN).enumerate() {
        let (mut found, mut plain, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for (number, claim, wording) in families {
            let Some(again) = rediscover(number, claim, wording)? else {
                missing.push(*number);
                continue;
            };
            found.push(drawn(claim, &again.find.found, format!("{number}, as found"))?);
            plain.push(drawn(claim, &again.plain, format!("{number}, made plain"))?);
            words.push(format!(
                "{number} against “{}”: seed {}, after {} worlds, with {} parameters and then {}",
                wording.replace('_', " "),
                again.seed,
                again.find.worlds,
                again.find.found.moved(),
                again.plain.moved()
            ));
        }
        let caption = format!(
            "Above the world in which a search ended, below the plainest near it that still fails: orbits, the Lyapunov vector of most \
             growth at their ends, and errors where there are some. {}.",
            words.join(". ")
        );
        let not_shown = "Worlds as found have up to 64 dimensions in random axes; the pictures show the two in which most happens.";
        let columns = found.len();
        found.append(&mut plain);
        let (name, parts) = (format!("rediscovered-{}", part + 1), FAMILIES.len() / SHOWN);
        let title = format!("Known counterexamples, found again ({} of {parts})", part + 1);
        let figure = Figure::new(&name, &title, found).says(caption, not_shown);
        chapter.figures.push(figure.in_columns(columns).within(1e-3));
    }
    let found = match missing.is_empty() {
        true => format!("all {} are found again, and confirmed", FAMILIES.len()),
        false => format!("not found again: {}", missing.join(", ")),
    };
    chapter.find(
        if missing.is_empty() { Relation::Agrees } else { Relation::Open },
        "rediscovered-1",
        "T7: counterexamples C1, C2, C3, C7, C8, C9 to weaker conditions.",
        format!("Searches from random starts among all worlds of the two claims that have them: {found}."),
    );
    Ok(())
}

/// A family found again.
struct Again {
    seed: u64,
    find: Find,
    plain: Point,
}

/// A confirmed counterexample of that family, from the first seed that ends in one.
fn rediscover(number: &str, claim: &'static Claim, wording: &str) -> Result<Option<Again>> {
    let wording = claim.mutant(wording).ok_or_else(|| {
        Error::input(wording, "is not a mutant of the claim", "see the page of the claim")
    })?;
    let target = Target { claim, wording: Some(wording) };
    for seed in SEEDS {
        let Some(find) = Find::search(target, WORLDS, seed)? else { continue };
        let (plain, confirmed) = find.plain(target);
        let world = observe(claim.id, &mut Knobs::new(&plain.knobs))?.world;
        // C1b is a variant of C1.
        let of = world["number"].as_str().unwrap_or_default();
        if of.trim_end_matches('b') == number && confirmed {
            return Ok(Some(Again { seed, find, plain }));
        }
    }
    Ok(None)
}

fn drawn(claim: &Claim, point: &Point, title: String) -> Result<Panel> {
    let panel = picture(claim.id, &mut Knobs::new(&point.knobs))?;
    let none = || Error::numeric("a counterexample", "its world has no picture");
    Ok(Panel { title, ..panel.ok_or_else(none)? })
}
