//! Claims by name, with the nearest name for a mistyped one.

use crate::claims::{self, Claim, Mutant};
use crate::error::{Error, Result};

/// How many near names are offered.
const OFFERED: usize = 3;

/// The claims of that id, or that cover that number of the theory, e.g. `T2.1`.
pub fn resolve(name: &str) -> Result<Vec<&'static Claim>> {
    if let Some(claim) = claims::find(name) {
        return Ok(vec![claim]);
    }
    let covers = |claim: &&Claim| claim.theory.iter().any(|t| t.eq_ignore_ascii_case(name));
    let covering: Vec<_> = claims::ALL.iter().copied().filter(covers).collect();
    if covering.is_empty() { Err(unknown(name)) } else { Ok(covering) }
}

/// The one claim of that id or number.
pub fn claim(name: &str) -> Result<&'static Claim> {
    match resolve(name)?.as_slice() {
        [claim] => Ok(claim),
        several => {
            let ids: Vec<&str> = several.iter().map(|claim| claim.id).collect();
            let problem = format!("{name} is covered by {} claims", ids.len());
            Err(Error::input(format!("claim {name:?}"), problem, ids.join(" or ")))
        }
    }
}

/// The wrong wording of that name, or the one without that hypothesis.
pub fn wording(claim: &'static Claim, name: &str) -> Result<&'static Mutant> {
    let found = claim.mutant(name).or_else(|| claim.mutant(&format!("without_{name}")));
    found.ok_or_else(|| {
        let names: Vec<&str> = claim.mutants.iter().map(|mutant| mutant.name).collect();
        let problem = format!("no hypothesis or wrong wording of {} is called {name:?}", claim.id);
        Error::input("--drop", problem, format!("one of {}", names.join(", ")))
    })
}

/// The claims of these names, each once, in the order of the theory; all claims when none is named.
pub fn resolve_all(names: &[String]) -> Result<Vec<&'static Claim>> {
    if names.is_empty() {
        return Ok(claims::ALL.to_vec());
    }
    let mut wanted = Vec::new();
    for name in names {
        wanted.extend(resolve(name)?.iter().map(|claim| claim.id));
    }
    Ok(claims::ALL.iter().copied().filter(|claim| wanted.contains(&claim.id)).collect())
}

fn unknown(name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    let mut near: Vec<&str> = claims::ALL.iter().map(|claim| claim.id).collect();
    near.sort_by_key(|id| strsim::levenshtein(&shown, id));
    near.truncate(OFFERED);
    Error::input(
        format!("claim {shown:?}"),
        "no claim of that name or number of the theory",
        format!("{}; `driftproof claims` lists all", near.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_theory_names_its_claims() {
        for claim in claims::ALL {
            for number in claim.theory {
                let found = resolve(&number.to_lowercase()).unwrap();
                assert!(found.iter().any(|c| c.id == claim.id));
            }
        }
        assert!(resolve("T99").is_err());
    }
}
