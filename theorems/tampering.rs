//! Facts of worlds that hold, tampered with as a wrong computation would: the judge must see it.

use driftproof::campaign::knobs;
use driftproof::claims::Claim;
use driftproof::facts::Facts;
use driftproof::observe::{Observation, observe};
use driftproof::verdict::Verdict;

/// Those of the first worlds of a campaign that hold.
pub fn held(claim: &Claim, seed: u64, worlds: usize) -> impl Iterator<Item = Observation> {
    let seen = move |index| observe(claim.id, &mut knobs(claim, seed, index)).unwrap();
    let holds = |seen: &Observation| claim.judge(&seen.facts).verdict() == Verdict::Holds;
    (0..worlds).map(seen).filter(holds)
}

/// How many of these worlds are violated after `tamper`, and how many there are.
pub fn caught(
    claim: &Claim,
    held: impl Iterator<Item = Observation>,
    tamper: impl Fn(&mut Facts),
) -> (usize, usize) {
    let (mut violated, mut all) = (0, 0);
    for Observation { mut facts, .. } in held {
        tamper(&mut facts);
        all += 1;
        violated += usize::from(claim.judge(&facts).verdict() == Verdict::Violated);
    }
    (violated, all)
}
