//! Facts over a manifold that samples are all that is known of, beside those over a coarser one.

use super::TrajectoryFacts;
use crate::facts::Facts;
use crate::scenario_file::World;

impl TrajectoryFacts {
    /// Nothing yet.
    pub(super) fn unmeasured(world: &World, index: usize) -> Self {
        Self {
            start: world.starts[index].clone(),
            facts: Facts::new(),
            claims: Vec::new(),
            silent: Vec::new(),
            error: None,
            states: Vec::new(),
        }
    }

    /// The facts with bars that reach those over the coarser manifold; a claim must be measured over both.
    pub(super) fn compared(self, coarser: Self) -> Self {
        let measured = |id: &str| self.claims.iter().any(|(other, _)| *other == id);
        let there = coarser.silent.into_iter().filter(|(id, _)| measured(id));
        let silent_there: Vec<_> =
            there.map(|(id, why)| (id, format!("{why}, over a kernel twice as wide"))).collect();
        let both = |(id, facts): (&'static str, Facts)| {
            let (_, other) = coarser.claims.iter().find(|(other, _)| *other == id)?;
            Some((id, facts.compared(other)))
        };
        Self {
            facts: self.facts.compared(&coarser.facts),
            claims: self.claims.into_iter().filter_map(both).collect(),
            silent: self.silent.into_iter().chain(silent_there).collect(),
            error: self.error.or(coarser.error),
            ..self
        }
    }
}
