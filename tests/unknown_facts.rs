use driftproof::campaign;
use driftproof::claims::ALL;
use driftproof::facts::{Facts, Quantity};
use driftproof::verdict::Verdict;
use driftproof::observe::observe;
use std::collections::BTreeMap;

fn altered(facts: &Facts, name: &str, alter: impl Fn(&[Quantity]) -> Vec<Quantity>) -> Facts {
    let mut out = Facts::new();
    for (n, s) in facts.iter() {
        out.set_series(n, if n == name { alter(s) } else { s.to_vec() });
    }
    out
}

#[test]
fn explore() {
    for claim in ALL {
        let mut table: BTreeMap<(String, &str), (usize, usize, usize)> = BTreeMap::new();
        let mut worlds = 0;
        for i in 0..60 {
            let Ok(seen) = observe(claim.id, &mut campaign::knobs(claim, 7, i)) else { continue };
            let base = claim.judge(&seen.facts);
            if base.verdict() != Verdict::Holds { continue }
            worlds += 1;
            let names: Vec<String> = seen.facts.iter().map(|(n, _)| n.to_owned()).collect();
            for name in names {
                let ways: [(&str, Facts); 5] = [
                    ("all", altered(&seen.facts, &name, |s| vec![Quantity::UNKNOWN; s.len()])),
                    ("none", altered(&seen.facts, &name, |_| vec![])),
                    ("last", altered(&seen.facts, &name, |s| { let mut s = s.to_vec(); if let Some(l) = s.last_mut() { *l = Quantity::UNKNOWN }; s })),
                    ("first", altered(&seen.facts, &name, |s| { let mut s = s.to_vec(); if let Some(l) = s.first_mut() { *l = Quantity::UNKNOWN }; s })),
                    ("short", altered(&seen.facts, &name, |s| s[..s.len().max(1) - 1].to_vec())),
                ];
                for (way, facts) in ways {
                    let Ok(j) = std::panic::catch_unwind(|| claim.judge(&facts)) else { println!("PANIC {} {name} {way}", claim.id); continue };
                    let e = table.entry((name.clone(), way)).or_default();
                    e.2 += 1;
                    if j.verdict() == Verdict::Holds {
                        e.0 += 1;
                        let same = format!("{j:?}") == format!("{base:?}");
                        if same { e.1 += 1 }
                    }
                }
            }
        }
        println!("## {} ({worlds} worlds)", claim.id);
        for ((name, way), (holds, same, all)) in table {
            if holds > 0 || all == 0 { println!("  {name} {way}: holds {holds}/{all}, unchanged {same}"); }
        }
    }
}
