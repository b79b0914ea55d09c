use driftproof::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let c = claims::find(&a[1]).unwrap();
    let n: usize = a[2].parse().unwrap();
    let m: usize = a[3].parse().unwrap();
    for i in n..m {
        let w = campaign::judge_world(c, 1, i);
        if a.len() > 4 || w.verdict == verdict::Verdict::Violated {
            println!("{}", serde_json::to_string(&w).unwrap());
        }
    }
}
