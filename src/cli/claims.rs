//! `driftproof claims`: what is checked.

use super::{Exit, names, print, terminal};
use crate::claims::{self, Claim};
use crate::error::Result;
use serde_json::{Value, json};

/// The options of `driftproof claims`.
#[derive(clap::Args)]
pub struct Options {
    /// A claim, or a number of the theory such as T3: print its statement
    claim: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the list of claims, or the statement of one.
pub fn run(options: &Options) -> Result<Exit> {
    let chosen = match &options.claim {
        Some(name) => names::resolve(name)?,
        None => claims::ALL.to_vec(),
    };
    let text = if options.json {
        let list: Vec<Value> = chosen.iter().map(|claim| as_json(claim)).collect();
        serde_json::to_string_pretty(&list).expect("plain data") + "\n"
    } else if options.claim.is_some() {
        let pages: Vec<String> = chosen.iter().map(|claim| terminal::page(claim.page)).collect();
        pages.join("\n\n")
    } else {
        list(&chosen)
    };
    print(&text)?;
    Ok(Exit::Stands)
}

fn list(claims: &[&Claim]) -> String {
    let mut text = String::new();
    for claim in claims {
        text += &format!("{}  ({})\n", claim.id, claim.theory.join(", "));
        let row = |name: &str, what: &str| vec![format!("  {name}"), what.to_owned()];
        let names: Vec<&str> = claim.mutants.iter().map(|mutant| mutant.name).collect();
        text += &terminal::broken_table(&[
            row("states", claim.summary),
            row("standing", &claim.standing()),
            row("mutants", &names.join(", ")),
        ]);
        text.push('\n');
    }
    text + "`driftproof claims CLAIM` prints a statement; `driftproof check CLAIM` checks it.\n"
}

fn as_json(claim: &Claim) -> Value {
    let mutants = claim.mutants.iter().map(|m| json!({ "name": m.name, "what": m.what }));
    json!({
        "claim": claim.id,
        "theory": claim.theory,
        "states": claim.summary,
        "standing": claim.standing(),
        "least_share_in_scope": claim.least_in_scope,
        "mutants": mutants.collect::<Vec<_>>(),
        "page": claim.page,
    })
}
