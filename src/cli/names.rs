//! Claims by name, with the nearest name for a mistyped one.

use crate::claims::{self, Claim};
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
    let mut near: Vec<&str> = claims::ALL.iter().map(|claim| claim.id).collect();
    near.sort_by_key(|id| distance(name, id));
    near.truncate(OFFERED);
    let shown: String = name.chars().take(60).collect();
    Error::input(
        format!("claim {shown:?}"),
        "no claim of that name or number of the theory",
        format!("{}; `driftproof claims` lists all", near.join(", ")),
    )
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(200).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

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
