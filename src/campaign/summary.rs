//! Many worlds in numbers: counts, extremes, distributions, groups.

use super::{CONFIDENCE, LEAST_DECIDED, LEAST_WORLDS_FOR_MUTANTS, WorldResult};
use crate::claims::Claim;
use crate::facts::largest_share;
use crate::record::{
    ClaimSummary, Distribution, Extreme, FormSummary, GroupSummary, MutantSummary, Outcome, Pairs,
    Tightest,
};
use crate::verdict::{Judgement, Margin, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// In place of the family of worlds that have none.
const NOT_COMPUTED: &str = "not computed";

/// So many pairs of sides are kept of each form, those of the first worlds.
const MOST_PAIRS: usize = 200;

/// Sums up the results of one claim.
pub fn summarise(claim: &Claim, results: &[WorldResult]) -> ClaimSummary {
    let count = |verdict| results.iter().filter(|r| r.verdict == verdict).count();
    let (violated, holds) = (count(Verdict::Violated), count(Verdict::Holds));
    let in_scope = results.iter().filter(|r| meets_hypotheses(r)).count();
    let decided = violated + holds;

    let seen =
        || results.iter().filter(|r| matches!(r.verdict, Verdict::Holds | Verdict::Violated));
    let tightest = seen()
        .filter_map(|r| Some((r.index, r.judgement.tightest()?)))
        .min_by(|(_, a), (_, b)| a.beyond().total_cmp(&b.beyond()));
    let extreme =
        |index, margin: &Margin, value| Extreme { index, conclusion: margin.name.clone(), value };
    let mut rooms: Vec<Extreme> = seen()
        .filter_map(|r| r.judgement.least_room().map(|m| extreme(r.index, m, m.room)))
        .collect();
    rooms.sort_by(|a, b| a.value.total_cmp(&b.value));
    let quantile = |q: f64| rooms[((rooms.len() - 1) as f64 * q).round() as usize].value;
    let largest_misfit = seen()
        .filter_map(|r| {
            let margin = r.judgement.largest_misfit()?;
            Some(extreme(r.index, margin, margin.misfit()?))
        })
        .max_by(|a, b| a.value.total_cmp(&b.value));
    let computed = |r: &WorldResult| r.observed.is_ok();
    let hypotheses = forms(results, |judgement| &judgement.hypotheses, computed);
    let conclusions = forms(results, |judgement| &judgement.conclusions, meets_hypotheses);
    let (families, corners) = groups(results);

    let mutants: Vec<MutantSummary> = claim
        .mutants
        .iter()
        .enumerate()
        .map(|(i, mutant)| {
            let by: Vec<usize> = results.iter().filter(|r| r.refutes[i]).map(|r| r.index).collect();
            MutantSummary {
                name: mutant.name.to_owned(),
                refuted_by: by.len(),
                first: by.first().copied(),
            }
        })
        .collect();

    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let survived = results.len() >= LEAST_WORLDS_FOR_MUTANTS
        && mutants.iter().any(|mutant| mutant.refuted_by == 0);
    let out_of_scope = count(Verdict::OutOfScope);
    let maybe_in_scope = results.len() - out_of_scope;
    let never_judged = results.len() >= LEAST_WORLDS_FOR_MUTANTS
        && conclusions.iter().any(FormSummary::never_judged);
    let outcome = if violated > 0 {
        Outcome::Fell
    } else if survived {
        Outcome::MutantSurvived
    } else if maybe_in_scope > 0 && share(decided, maybe_in_scope) < LEAST_DECIDED {
        Outcome::Undecided
    } else if share(in_scope, results.len()) < claim.least_in_scope || never_judged {
        Outcome::Vacuous
    } else {
        Outcome::Stands
    };
    ClaimSummary {
        claim: claim.id.to_owned(),
        outcome,
        worlds: results.len(),
        in_scope,
        out_of_scope,
        undecided: count(Verdict::Undecided),
        violated,
        violation_rate_bound: violation_rate_bound(violated, decided),
        tightest: tightest.map(|(index, margin)| Tightest {
            index,
            conclusion: margin.name.clone(),
            slack: margin.slack,
        }),
        room_quantiles: (!rooms.is_empty()).then(|| [0.0, 0.25, 0.5, 0.75, 1.0].map(quantile)),
        least_room: rooms.into_iter().next(),
        largest_misfit,
        hypotheses,
        conclusions,
        families,
        corners,
        mutants,
    }
}

/// Every form of margin that some world states, and how those margins came out that count.
fn forms<'a>(
    results: &'a [WorldResult],
    margins: fn(&'a Judgement) -> &'a [Margin],
    counts: fn(&WorldResult) -> bool,
) -> Vec<FormSummary> {
    let mut forms: BTreeMap<String, Form> = BTreeMap::new();
    for result in results {
        let (counts, mut judged) = (counts(result), BTreeSet::new());
        let (mut stated, mut unmet) = (BTreeSet::new(), BTreeSet::new());
        for margin in margins(&result.judgement) {
            let name = margin.form();
            let form = forms.entry(name.clone()).or_default();
            if !counts {
                continue;
            }
            stated.insert(name.clone());
            if margin.verdict() != Verdict::Holds {
                unmet.insert(name.clone());
            }
            form.rooms.push(margin.room);
            form.misfits.extend(margin.misfit());
            if let (Some(sides), true) = (margin.sides, form.pairs.world.len() < MOST_PAIRS) {
                form.pairs.push(result.index, sides);
            }
            if margin.verdict() == Verdict::Undecided {
                form.undecided += 1;
            } else {
                form.slacks.push(margin.beyond());
                form.judged += usize::from(judged.insert(name));
            }
        }
        for met in stated.difference(&unmet) {
            forms.entry(met.clone()).or_default().met += 1;
        }
    }
    forms.into_iter().map(|(name, form)| form.summed(name)).collect()
}

/// The margins of one form.
#[derive(Default)]
struct Form {
    judged: usize,
    met: usize,
    undecided: usize,
    slacks: Vec<f64>,
    rooms: Vec<f64>,
    misfits: Vec<f64>,
    pairs: Pairs,
}

impl Form {
    fn summed(self, form: String) -> FormSummary {
        FormSummary {
            form,
            judged: self.judged,
            met: self.met,
            least_slack: self.slacks.into_iter().fold(f64::NAN, f64::min),
            undecided: self.undecided,
            room: Distribution::of(self.rooms),
            misfit: Distribution::of(self.misfits),
            pairs: self.pairs,
        }
    }
}

/// The worlds by family, and by corner.
fn groups(results: &[WorldResult]) -> (Vec<GroupSummary>, Vec<GroupSummary>) {
    let (mut families, mut corners) = (BTreeMap::new(), BTreeMap::new());
    for result in results {
        let Ok(seen) = &result.observed else {
            let lost: &mut GroupSummary = families.entry(NOT_COMPUTED).or_default();
            (lost.worlds, lost.undecided) = (lost.worlds + 1, lost.undecided + 1);
            continue;
        };
        let labels = &seen.labels;
        let family: &mut GroupSummary = families.entry(labels.family.as_str()).or_default();
        // A family is judged by those of its worlds that are meant to count.
        family.meant_in_scope |= labels.meant_in_scope;
        count(family, result);
        for corner in &labels.corners {
            let group: &mut GroupSummary = corners.entry(*corner).or_default();
            group.meant_in_scope |= labels.meant_in_scope;
            count(group, result);
        }
    }
    let named = |(name, group): (&str, GroupSummary)| GroupSummary { name: name.into(), ..group };
    let corners = corners.into_iter().map(|(corner, group)| named((corner.name(), group)));
    (families.into_iter().map(named).collect(), corners.collect())
}

fn count(group: &mut GroupSummary, result: &WorldResult) {
    group.worlds += 1;
    group.in_scope += usize::from(meets_hypotheses(result));
    match result.verdict {
        Verdict::Holds => group.holds += 1,
        Verdict::Violated => group.violated += 1,
        Verdict::Undecided => group.undecided += 1,
        Verdict::OutOfScope => (),
    }
}

fn meets_hypotheses(result: &WorldResult) -> bool {
    // A judgement without conclusions comes of missing facts: it says nothing.
    result.observed.is_ok()
        && !result.judgement.conclusions.is_empty()
        && result.judgement.hypotheses.iter().all(|m| m.verdict() == Verdict::Holds)
}

/// The one-sided Clopper–Pearson upper bound on a rate: `failures` seen in `trials`, at [`CONFIDENCE`].
///
/// ```
/// // No failure in n trials: 1 − 0.05^(1/n), about 3/n.
/// let bound = driftproof::campaign::violation_rate_bound(0, 200);
/// assert!((bound - (1.0 - 0.05_f64.powf(1.0 / 200.0))).abs() < 1e-9);
/// ```
pub fn violation_rate_bound(failures: usize, trials: usize) -> f64 {
    if trials == 0 { 1.0 } else { largest_share(failures, trials, 1.0 - CONFIDENCE) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::qr_subspace_tracks_singular_subspace::CLAIM;
    use crate::facts::Facts;
    use crate::observe::Observation;
    use crate::scenario::{Corner, Labels};

    /// A world with one hypothesis and conclusions of the given slacks.
    fn world(index: usize, hypothesis: f64, conclusions: &[(&str, f64)]) -> WorldResult {
        let margin = |name: &str, slack| Margin {
            name: name.into(),
            slack,
            bar: 0.0,
            room: slack,
            sides: None,
        };
        let judgement = Judgement {
            hypotheses: vec![margin("H1", hypothesis)],
            conclusions: conclusions.iter().map(|(name, slack)| margin(name, *slack)).collect(),
        };
        let labels = Labels::of(if index.is_multiple_of(2) { "even" } else { "odd" });
        let labels = labels.with(Corner::Boundary, index < 10);
        let observed = Ok(Observation::new(&(), Facts::new()).labelled(labels));
        let (verdict, refutes) = (judgement.verdict(), vec![true; CLAIM.mutants.len()]);
        WorldResult { index, observed, judgement, verdict, refutes }
    }

    fn outcome(worlds: impl Iterator<Item = WorldResult>) -> Outcome {
        summarise(&CLAIM, &worlds.collect::<Vec<_>>()).outcome
    }

    #[test]
    fn worlds_that_could_not_be_computed_count_against_a_claim() {
        let failing = |share: usize| {
            outcome((0..200).map(|i| {
                let mut result = world(i, 1.0, &[("bound", 0.5)]);
                if i % 100 < share {
                    result.observed = Err("singular".into());
                    (result.judgement, result.verdict) = (Judgement::default(), Verdict::Undecided);
                }
                result
            }))
        };
        assert_eq!(failing(9), Outcome::Stands);
        assert_eq!(failing(11), Outcome::Undecided);
    }

    #[test]
    fn worlds_with_undecided_hypotheses_count_against_a_claim_and_those_out_of_scope_do_not() {
        let with = |slack: f64| {
            let hypothesis = move |i: usize| if i % 100 < 20 { slack } else { 1.0 };
            outcome((0..200).map(move |i| world(i, hypothesis(i), &[("bound", 0.5)])))
        };
        assert_eq!(with(f64::NAN), Outcome::Undecided);
        assert_eq!(with(-1.0), Outcome::Stands);
    }

    #[test]
    fn a_conclusion_that_no_world_in_scope_judged_does_not_stand() {
        let with = |in_scope: f64| {
            let rare = move |i: usize| match i {
                7 => world(i, in_scope, &[("bound", 0.5), ("rare 3", 0.25)]),
                _ => world(i, 1.0, &[("bound", 0.5)]),
            };
            summarise(&CLAIM, &(0..200).map(rare).collect::<Vec<_>>())
        };
        let (once, never) = (with(1.0), with(-1.0));
        assert_eq!((once.outcome, never.outcome), (Outcome::Stands, Outcome::Vacuous));
        assert_eq!(never.never_judged().collect::<Vec<_>>(), ["rare #"]);
        let rare = once.conclusions.iter().find(|c| c.form == "rare #").unwrap();
        assert_eq!((rare.judged, rare.least_slack), (1, 0.25));
    }

    #[test]
    fn every_slack_is_in_the_distribution_of_its_form() {
        // Rooms 0/100 to 100/100; one misfit, one margin undecided, one world out of scope.
        let mut worlds: Vec<WorldResult> = (0..=100)
            .map(|i| world(i, 1.0, &[("slope 3", i as f64 / 100.0), ("slope 4", 0.5)]))
            .collect();
        let equal =
            Margin { name: "same".into(), slack: 0.25, bar: 0.0, room: f64::NAN, sides: None };
        let unknown = Margin { slack: f64::NAN, ..equal.clone() };
        worlds[7].judgement.conclusions.extend([equal, unknown]);
        worlds.push(world(101, -1.0, &[("slope 3", -9.0)]));
        let summary = summarise(&CLAIM, &worlds);
        let [same, slope] = &summary.conclusions[..] else { panic!("two forms") };
        let rooms = slope.room.as_ref().unwrap();
        assert_eq!((slope.form.as_str(), rooms.count, slope.judged), ("slope #", 202, 101));
        // Of 101 even steps and as many halves: positions 0, 10, 50, 100 or 101, 151, 191, 201 of the sorted list.
        assert_eq!(rooms.quantiles, [0.0, 0.1, 0.5, 0.5, 0.5, 0.9, 1.0].map(|q: f64| q));
        assert_eq!(rooms.histogram.iter().sum::<usize>(), 202);
        assert!(slope.misfit.is_none() && same.room.is_none());
        let misfits = same.misfit.as_ref().unwrap();
        assert_eq!((misfits.count, misfits.quantiles, same.undecided), (1, [0.75; 7], 1));
        // Hypotheses are summed over every world, that out of scope too.
        let [hypothesis] = &summary.hypotheses[..] else { panic!("one form") };
        let rooms = hypothesis.room.as_ref().unwrap();
        assert_eq!((rooms.count, rooms.quantiles[0], rooms.quantiles[6]), (102, -1.0, 1.0));
    }

    #[test]
    fn worlds_are_counted_by_family_and_by_corner() {
        let mut worlds: Vec<WorldResult> = (0..100)
            .map(|i| {
                let hypothesis = if usize::is_multiple_of(i, 2) { 1.0 } else { -1.0 };
                world(i, hypothesis, &[("bound", if i == 4 { -0.5 } else { 0.5 })])
            })
            .collect();
        let labels = Labels::against("broken");
        worlds[1].observed = Ok(Observation::new(&(), Facts::new()).labelled(labels));
        worlds[0].observed = Err("singular".into());
        worlds[0].verdict = Verdict::Undecided;
        let summary = summarise(&CLAIM, &worlds);
        let counts = |g: &GroupSummary| (g.worlds, g.in_scope, g.holds, g.undecided, g.violated);
        let shown: Vec<_> = summary.families.iter().map(|g| (g.name.as_str(), counts(g))).collect();
        assert_eq!(
            shown,
            [
                ("broken", (1, 0, 0, 0, 0)),
                ("even", (49, 49, 48, 0, 1)),
                ("not computed", (1, 0, 0, 1, 0)),
                ("odd", (49, 0, 0, 0, 0)),
            ]
        );
        let never: Vec<_> = summary.families.iter().filter(|g| g.never_in_scope()).collect();
        assert_eq!(never.iter().map(|g| g.name.as_str()).collect::<Vec<_>>(), ["odd"]);
        let [corner] = &summary.corners[..] else { panic!("one corner") };
        // Worlds 2 to 9; world 0 has no labels, world 1 others.
        assert_eq!((corner.name.as_str(), counts(corner)), ("boundary", (8, 4, 3, 0, 1)));
    }
}
