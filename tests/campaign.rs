//! Campaigns summed up and recorded, on worlds written by hand.

use driftproof::campaign::{
    DETAILED_QUANTITIES, LEAST_WORLDS_FOR_MUTANTS, Outcome, WorldResult, record, run, run_frugally,
    summarise, violation_rate_bound,
};
use driftproof::claims::{Claim, Mutant, find};
use driftproof::facts::{Facts, Quantity};
use driftproof::observe::Observation;
use driftproof::verdict::{Judgement, Margin, Verdict};
use std::sync::atomic::AtomicBool;

/// A claim with one mutant, of which half of the worlds must be in scope.
const CLAIM: Claim = Claim {
    id: "a claim made up here",
    theory: &[],
    summary: "",
    page: "",
    least_in_scope: 0.5,
    mutants: &[Mutant { name: "m", what: "" }],
    margins: |_, _| Judgement::default(),
};

/// A world with one hypothesis and one conclusion, which holds `quantities` numbers.
fn world(index: usize, hypothesis: f64, conclusion: f64, quantities: usize) -> WorldResult {
    let margin =
        |name: &str, slack| Margin { name: name.into(), slack, bar: 0.0, room: slack, sides: None };
    let judgement = Judgement {
        hypotheses: vec![margin("H1", hypothesis)],
        conclusions: vec![margin("c", conclusion)],
    };
    let mut facts = Facts::new();
    facts.set_series("numbers", vec![Quantity::exact(1.0); quantities]);
    let observed = Ok(Observation::new(&(), facts));
    let verdict = judgement.verdict();
    WorldResult { index, observed, judgement, verdict, refutes: vec![true] }
}

const HOLDS: (f64, f64) = (1.0, 0.5);
const VIOLATED: (f64, f64) = (1.0, -0.5);
const UNDECIDED: (f64, f64) = (1.0, f64::NAN);
const OUT: (f64, f64) = (-1.0, 0.5);

fn worlds(kinds: &[((f64, f64), usize)]) -> Vec<WorldResult> {
    let all = kinds.iter().flat_map(|(kind, count)| std::iter::repeat_n(*kind, *count));
    all.enumerate().map(|(index, (h, c))| world(index, h, c, 1)).collect()
}

fn outcome(kinds: &[((f64, f64), usize)]) -> Outcome {
    summarise(&CLAIM, &worlds(kinds)).outcome
}

#[test]
fn a_campaign_says_what_its_worlds_amount_to() {
    assert_eq!(outcome(&[(HOLDS, 10)]), Outcome::Stands);
    assert_eq!(outcome(&[(HOLDS, 10), (VIOLATED, 1)]), Outcome::Fell);
    // Nine of ten decided are enough, half in scope are.
    assert_eq!(outcome(&[(HOLDS, 9), (UNDECIDED, 1)]), Outcome::Stands);
    assert_eq!(outcome(&[(HOLDS, 8), (UNDECIDED, 1)]), Outcome::Undecided);
    assert_eq!(outcome(&[(HOLDS, 5), (OUT, 5)]), Outcome::Stands);
    assert_eq!(outcome(&[(HOLDS, 5), (OUT, 6)]), Outcome::Vacuous);
    assert_eq!(outcome(&[(OUT, 10)]), Outcome::Vacuous);
}

#[test]
fn mutants_must_fall_where_worlds_are_many() {
    for (count, expected) in [
        (LEAST_WORLDS_FOR_MUTANTS, Outcome::MutantSurvived),
        (LEAST_WORLDS_FOR_MUTANTS - 1, Outcome::Stands),
    ] {
        let mut results = worlds(&[(HOLDS, count)]);
        results.iter_mut().for_each(|result| result.refutes = vec![false]);
        assert_eq!(summarise(&CLAIM, &results).outcome, expected);
        results[7].refutes = vec![true];
        let summary = summarise(&CLAIM, &results);
        assert_eq!(summary.outcome, Outcome::Stands);
        assert_eq!((summary.mutants[0].refuted_by, summary.mutants[0].first), (1, Some(7)));
    }
}

#[test]
fn rooms_are_summed_up_by_their_quantiles() {
    let rooms = [0.5, 0.1, 0.9, 0.3, 0.7];
    let results: Vec<_> =
        rooms.iter().enumerate().map(|(k, room)| world(k, 1.0, *room, 1)).collect();
    let summary = summarise(&CLAIM, &results);
    assert_eq!(summary.room_quantiles, Some([0.1, 0.3, 0.5, 0.7, 0.9]));
    assert_eq!(summary.least_room.map(|least| (least.index, least.value)), Some((1, 0.1)));
    assert_eq!(summary.tightest.map(|tightest| tightest.index), Some(1));
    assert_eq!(summarise(&CLAIM, &[]).room_quantiles, None);
}

#[test]
fn the_rate_bound_is_that_of_the_binomial_tail() {
    // None of n: (1 − p)^n = 1/20. All but one: 1 − p^n = 1/20. All: no bound.
    let near = |bound: f64, expected: f64| assert!((bound - expected).abs() < 1e-9, "{bound}");
    near(violation_rate_bound(0, 40), 1.0 - 0.05_f64.powf(1.0 / 40.0));
    near(violation_rate_bound(39, 40), 0.95_f64.powf(1.0 / 40.0));
    assert_eq!((violation_rate_bound(40, 40), violation_rate_bound(0, 0)), (1.0, 1.0));
}

#[test]
fn a_record_keeps_undecided_worlds_up_to_its_limit() {
    let kept = |sizes: &[usize]| -> Vec<bool> {
        let sized = sizes.iter().enumerate();
        let results: Vec<_> = sized.map(|(k, size)| world(k, 1.0, f64::NAN, *size)).collect();
        record(&CLAIM, 1, &results).worlds.iter().map(|w| w.detail.is_some()).collect()
    };
    let quarter = DETAILED_QUANTITIES / 4;
    assert_eq!(kept(&[quarter; 6]), [true, true, true, true, false, false]);
    // The first in any case.
    assert_eq!(kept(&[2 * DETAILED_QUANTITIES, 1]), [true, false]);
    let mixed = worlds(&[(OUT, 1), (UNDECIDED, 1)]);
    let details: Vec<_> =
        record(&CLAIM, 1, &mixed).worlds.iter().map(|w| w.detail.is_some()).collect();
    assert_eq!(details, [false, true]);
}

#[test]
fn the_tightest_world_is_recorded_in_full_though_its_facts_were_dropped() {
    let claim = find("tangential_alignment_bounds_score_overlap").unwrap();
    let stop = AtomicBool::new(false);
    let (full, frugal) =
        (run(claim, 5, 8, &stop, &|| ()), run_frugally(claim, 5, 8, &stop, &|| ()));
    assert_eq!((full.len(), frugal.len()), (8, 8));
    for (kept, dropped) in full.iter().zip(&frugal) {
        assert_eq!((kept.verdict, &kept.judgement), (dropped.verdict, &dropped.judgement));
        let facts = |r: &WorldResult| r.observed.as_ref().unwrap().facts.iter().count();
        let gone = matches!(kept.verdict, Verdict::Holds | Verdict::OutOfScope);
        assert!(facts(kept) > 0 && (facts(dropped) == 0) == gone);
        // A world refutes the mutants that it violates, and those alone.
        for (mutant, refutes) in claim.mutants.iter().zip(&kept.refutes) {
            let judged = claim.judge_mutant(&kept.observed.as_ref().unwrap().facts, mutant);
            assert_eq!(judged.verdict() == Verdict::Violated, *refutes, "{}", mutant.name);
        }
    }
    let tightest = summarise(claim, &full).tightest.unwrap().index;
    let worlds = record(claim, 5, &frugal).worlds;
    let detailed: Vec<usize> = (0..8).filter(|at| worlds[*at].detail.is_some()).collect();
    assert_eq!(detailed, [tightest]);
    let facts = &full[tightest].observed.as_ref().unwrap().facts;
    assert_eq!(&worlds[tightest].detail.as_ref().unwrap().facts, facts);
}
