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

pub(super) fn add(chapter: &mut Chapter) -> Result<()> {
    let (mut panels, mut words, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (number, claim, wording) in FAMILIES {
        let Some((seed, find)) = rediscover(number, claim, wording)? else {
            missing.push(*number);
            continue;
        };
        for (point, how) in [(&find.found, "as found"), (&find.plain, "made plain")] {
            panels.push(drawn(claim, point, format!("{number}, {how}"))?);
        }
        words.push(format!(
            "{number} against {}: seed {seed}, after {} worlds, {} parameters and then {}",
            wording.replace('_', " "),
            find.worlds,
            find.found.moved(),
            find.plain.moved()
        ));
    }
    let caption = format!(
        "Orbits in the plane where it happens, of the world that a search ended in and of the plainest near it that still fails. {}.",
        words.join(". ")
    );
    let not_shown = "Worlds have up to 64 dimensions, of which the picture shows the two in which the field does something.";
    let figure = Figure::new("rediscovered", "Known counterexamples, found again", panels);
    chapter.figures.push(figure.says(caption, not_shown).in_columns(4).within(1e-3));
    let found = match missing.is_empty() {
        true => format!("All {} are found again, and confirmed.", FAMILIES.len()),
        false => format!("Not found again: {}.", missing.join(", ")),
    };
    chapter.find(
        if missing.is_empty() { Relation::Agrees } else { Relation::Open },
        "rediscovered",
        "T7: counterexamples C1, C2, C3, C7, C8, C9 to weaker conditions.",
        format!(
            "Searches from random starts, with these among ten and six families of worlds. {found}"
        ),
    );
    Ok(())
}

/// A confirmed counterexample of that family, from the first seed that ends in one.
fn rediscover(number: &str, claim: &'static Claim, wording: &str) -> Result<Option<(u64, Find)>> {
    let wording = claim.mutant(wording).ok_or_else(|| {
        Error::input(wording, "is not a mutant of the claim", "see the page of the claim")
    })?;
    let target = Target { claim, wording: Some(wording) };
    for seed in SEEDS {
        let Some(find) = Find::search(target, WORLDS, seed)? else { continue };
        let world = observe(claim.id, &mut Knobs::new(&find.plain.knobs))?.world;
        // C1b is a variant of C1.
        let is_family =
            world["number"].as_str().is_some_and(|of| of.trim_end_matches('b') == number);
        if is_family && find.confirmed.is_confirmed() {
            return Ok(Some((seed, find)));
        }
    }
    Ok(None)
}

fn drawn(claim: &Claim, point: &Point, title: String) -> Result<Panel> {
    let panel = picture(claim.id, &mut Knobs::new(&point.knobs))?;
    let none = || Error::numeric("a counterexample", "its world has no picture");
    Ok(Panel { title, ..panel.ok_or_else(none)? })
}
