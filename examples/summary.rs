use driftproof::*;
use std::sync::atomic::AtomicBool;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let n = args.first().and_then(|a| a.parse().ok()).unwrap_or(200);
    for claim in claims::ALL.iter().filter(|c| args.len() < 2 || c.id.contains(&args[1])) {
        let t = std::time::Instant::now();
        let r = campaign::run(claim, 1, n, &AtomicBool::new(false), &|| ());
        let s = campaign::summarise(claim, &r);
        println!(
            "{:?} {} {:?} scope {} undecided {} violated {} tightest {:?} q {:?}",
            t.elapsed(),
            s.claim,
            s.outcome,
            s.in_scope,
            s.undecided,
            s.violated,
            s.tightest,
            s.slack_quantiles
        );
        for m in &s.mutants {
            println!("   {} {}", m.name, m.refuted_by);
        }
        for w in r
            .iter()
            .filter(|w| {
                w.verdict != verdict::Verdict::Holds && w.verdict != verdict::Verdict::OutOfScope
            })
            .take(4)
        {
            println!("{} {:?} {:?}", w.index, w.observed.as_ref().err(), w.judgement);
        }
    }
}
