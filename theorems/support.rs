//! What every theorem test does: random worlds with shrinking, and refuted mutants.

use driftproof::campaign::{self, LEAST_WORLDS_FOR_MUTANTS, Outcome};
use driftproof::claims::Claim;
use driftproof::observe::{KNOBS, observe};
use driftproof::random::Knobs;
use driftproof::verdict::Verdict;
use proptest::collection::vec;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngSeed, TestCaseError, TestError, TestRunner,
};
use std::sync::atomic::AtomicBool;

/// The seed of every theorem test: failures repeat.
const SEED: u64 = 20_251_208;

/// Worlds of the campaign behind [`stands_and_refutes_its_mutants`].
const WORLDS: usize = 2 * LEAST_WORLDS_FOR_MUTANTS;

/// So many worlds in scope violate nothing; a failure is shrunk towards the plainest world and stored.
///
/// A world out of scope, undecided or not computed is rejected, and does not
/// count as one of the `cases`. More rejects than the least share in scope
/// explains are a failure.
pub fn no_world_violates(claim: &Claim, cases: u32, source: &'static str) {
    let config = Config {
        cases,
        max_global_rejects: (f64::from(cases) * (1.0 / claim.least_in_scope - 1.0)).ceil() as u32,
        rng_seed: RngSeed::Fixed(SEED),
        source_file: Some(source),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&vec(0.0..1.0_f64, KNOBS), |values| {
        let observation = observe(claim.id, &mut Knobs::new(&values))
            .map_err(|error| TestCaseError::reject(error.to_string()))?;
        let judgement = claim.judge(&observation.facts);
        match judgement.verdict() {
            Verdict::Holds => Ok(()),
            Verdict::Violated => {
                let worst = judgement.tightest().expect("a violation has a conclusion");
                Err(TestCaseError::fail(format!("{worst:?} in {}", observation.world)))
            }
            Verdict::OutOfScope => Err(TestCaseError::reject("out of scope")),
            Verdict::Undecided => Err(TestCaseError::reject("undecided")),
        }
    });
    match outcome {
        Ok(()) => (),
        Err(TestError::Fail(why, values)) => {
            panic!("{} is violated: {why}\nknobs: {values:?}", claim.id)
        }
        Err(abort) => panic!("{}: {abort}", claim.id),
    }
}

/// A campaign stands: in scope, decided, without violation, and every mutant is refuted.
pub fn stands_and_refutes_its_mutants(claim: &Claim) {
    let results = campaign::run(claim, SEED, WORLDS, &AtomicBool::new(false), &|| ());
    let summary = campaign::summarise(claim, &results);
    let repeat = format!("driftproof check {} --seed {SEED} --worlds {WORLDS}", claim.id);
    assert_eq!(summary.outcome, Outcome::Stands, "{summary:#?}\nrepeat: {repeat}");
}
