//! More digits: a carrier that has them, maps carried in it, and counterexamples that do not survive them.

use driftproof::claims;
use driftproof::error::Result;
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::flow::{Carried, Maps, Orbit, carried};
use driftproof::lyapunov::product;
use driftproof::observe::{KNOBS, extended, observe};
use driftproof::random::{Knobs, Stream};
use driftproof::scalar::{Extended, Real, Scalar};
use driftproof::search::confirm::{self, confirm};
use driftproof::search::stated::Stated;
use driftproof::search::{Point, Score, Target, Worlds, store};
use driftproof::verdict::{Judgement, Margin, Verdict};
use nalgebra::DMatrix;
use num_dual::{Dual, DualNum, DualStruct};
use std::f64::consts::{E, LN_2, PI, SQRT_2};
use std::path::Path;

/// A few units of the last of 31 digits.
const LAST: f64 = 1e-30;

fn number(high: f64, low: f64) -> Extended {
    Extended::from(high) + low
}

fn near(found: Extended, expected: Extended) -> bool {
    (found - expected).re().abs() <= LAST * expected.re().abs().max(1.0)
}

/// Digits from the tables of the constants, cut into two f64.
#[test]
fn functions_have_31_digits() {
    let one = Extended::from(1.0);
    for (found, high, low) in [
        (Extended::pi(), PI, 1.2246467991473532e-16),
        (one.exp(), E, 1.4456468917292502e-16),
        ((one * 2.0).ln(), LN_2, 2.3190468138462996e-17),
        ((one * 2.0).sqrt(), SQRT_2, -9.667293313452913e-17),
        ((one / 2.0).atan(), 0.4636476090008061, 2.2698777452961687e-17),
        (one.sin(), 0.8414709848078965, 1.776845092935536e-18),
        (one.tanh(), 0.7615941559557649, 3.7090214482164924e-17),
    ] {
        assert!(near(found, number(high, low)), "{found} {high}");
    }
    // And derivatives: (tanh)' = 1 − tanh².
    let x = Dual::new(number(0.3, 1e-18), one);
    let tanh = x.re.tanh();
    assert!(near(x.tanh().eps, one - tanh * tanh));
    // A third is not what f64 takes for it.
    assert!((one / 3.0 - 1.0 / 3.0).re().abs() > 1e-17);
}

#[test]
fn what_is_known_in_f64_alone_is_not_a_number() {
    let x = number(0.3, 1e-18);
    assert!(x.erf().re().is_nan() && x.bessel_ratio(3).re().is_nan());
    assert!(Dual::new(x, x).erf().re().is_nan());
    assert!(x.truncated_mean(x, 0.0, 1.0).re().is_nan());
    assert!(Scalar::erf(0.3_f64).is_finite());
}

/// One map: t tᵀ + n nᵀ/2 with t = (c, s), n = (−s, c), however c² + s² is rounded.
struct Halving {
    turn: f64,
    maps: usize,
}

impl Halving {
    fn axes(&self) -> [[f64; 2]; 2] {
        let (s, c) = self.turn.sin_cos();
        [[c, s], [-s, c]]
    }
}

impl Maps for Halving {
    fn dim(&self) -> usize {
        2
    }
    fn maps(&self) -> usize {
        self.maps
    }
    fn map<S: Scalar>(&self, _: usize, _: S, x: &mut [S]) {
        let image = self.axes().map(|axis| x[0] * axis[0] + x[1] * axis[1]);
        let [t, n] = self.axes();
        for i in 0..2 {
            x[i] = image[0] * t[i] + image[1] * n[i] * 0.5;
        }
    }
}

/// nᵀ J n/|n|², J the product of the maps: (|n|²/2)^K in closed form, beside |t|^2K along the tangent.
fn normal_growth<R: Real>(jacobians: &[DMatrix<R>], normal: [f64; 2]) -> R {
    let whole = jacobians.iter().fold(DMatrix::identity(2, 2), |whole, j| j * whole);
    let normal = DMatrix::from_column_slice(2, 1, &normal).map(R::from);
    (normal.tr_mul(&whole) * &normal)[(0, 0)] / (normal.tr_mul(&normal))[(0, 0)]
}

/// Normal growth of at most `most`, judged with bars that know nothing of cancellation.
struct Cancelling {
    world: Halving,
    most: f64,
}

impl Cancelling {
    fn facts(growth: f64) -> Facts {
        let mut facts = Facts::new();
        let bar = 8.0 * f64::EPSILON * growth.abs();
        facts.set("normal_growth", Quantity::new(growth.abs(), bar, Grade::Estimated));
        facts
    }

    fn usual(&self) -> f64 {
        let orbit = Orbit::from(&self.world, 0.0, &[0.3, 0.4]).unwrap();
        normal_growth(&[product(&orbit)], self.world.axes()[1])
    }
}

impl Worlds for Cancelling {
    fn name(&self) -> String {
        "cancelling".to_owned()
    }
    fn knobs(&self) -> usize {
        0
    }
    fn score(&self, _: &mut Knobs) -> Score {
        let judged = self.judge(&Self::facts(self.usual()));
        let value = judged.conclusions[0].slack;
        Score { value, verdict: judged.verdict(), family: String::new(), read: 0 }
    }
    fn plainer(&self, _: usize, _: f64) -> Vec<f64> {
        Vec::new()
    }
    fn judge(&self, facts: &Facts) -> Judgement {
        let most = Quantity::exact(self.most);
        let margin = Margin::at_most("normal growth", facts.get("normal_growth"), most);
        Judgement { hypotheses: Vec::new(), conclusions: vec![margin] }
    }
    fn twice(&self, _: &[f64]) -> Result<Vec<[Facts; 2]>> {
        let Carried { jacobians, .. } = carried::<Extended>(&self.world, 0.0, &[0.3, 0.4])?;
        let growth = normal_growth(&jacobians, self.world.axes()[1]);
        Ok(vec![[Self::facts(self.usual()), Self::facts(growth.re())]])
    }
}

fn looked_at(worlds: impl Worlds, knobs: Vec<f64>) -> confirm::Confirmation {
    let score = worlds.score(&mut Knobs::new(&knobs));
    assert_eq!(score.verdict, Verdict::Violated);
    confirm(worlds, &Point { knobs, score })
}

/// Beside a tangent growth of 1 a normal one of 2⁻⁶⁶ is lost in f64, however fine the steps and whatever its neighbours say.
#[test]
fn a_counterexample_of_cancellation_does_not_survive_more_digits() {
    let world = |maps, most| Cancelling { world: Halving { turn: 0.7, maps }, most };
    let lost = world(66, 1e-18);
    let [_, [a, b]] = lost.world.axes();
    let exact = (0.5 * (a * a + b * b)).powi(66);
    assert!((exact * 2.0_f64.powi(66) - 1.0).abs() < 1e-12 && lost.usual().abs() > 1e-18);
    let Carried { jacobians, .. } = carried::<Extended>(&lost.world, 0.0, &[0.3, 0.4]).unwrap();
    let growth = normal_growth(&jacobians, [a, b]).re();
    assert!((growth / exact - 1.0).abs() < 1e-9, "{growth:e} {exact:e}");

    let looked = looked_at(lost, Vec::new());
    assert!(looked.refined.iter().all(|value| *value < 0.0) && looked.neighbours == 1.0);
    let confirm::Extended::Carried { facts, misfit, verdict, .. } = &looked.extended else {
        panic!("{:?}", looked.extended)
    };
    assert_eq!((facts.as_slice(), *verdict), (&["normal_growth".to_owned()][..], Verdict::Holds));
    assert!(*misfit > 1.0 && !looked.is_confirmed());
    // Where it fails also in more digits, but by another number, f64 was right by chance.
    let looked = looked_at(world(66, 1e-21), Vec::new());
    assert!(matches!(
        looked.extended,
        confirm::Extended::Carried { verdict: Verdict::Violated, .. }
    ));
    assert!(!looked.is_confirmed());
    // Nothing is lost in three maps: 1/8 in both.
    let looked = looked_at(world(3, 1e-3), Vec::new());
    assert!(looked.is_confirmed(), "{looked:?}");
}

/// Through the formula, the generic field and duals of the other carrier; within the bars of what f64 said.
#[test]
fn facts_of_maps_agree_with_those_of_more_digits() {
    agree_with_more_digits(claims::compressing_maps_force_alignment::CLAIM.id, "matrices");
    agree_with_more_digits(claims::sampler_maps_contract_normals_exactly::CLAIM.id, "");
}

fn agree_with_more_digits(claim: &str, quick: &str) {
    let (mut carried, mut families) = (0, std::collections::BTreeSet::new());
    for world in 0..40 {
        let knobs = Stream::root(11).indexed(world).uniforms(KNOBS);
        let usual = observe(claim, &mut Knobs::new(&knobs)).unwrap();
        // Data worlds take a second each: a few of them.
        if usual.labels.family != quick && families.len() > 4 {
            continue;
        }
        let Ok(Some(longer)) = extended(claim, &mut Knobs::new(&knobs)) else { continue };
        families.insert(usual.labels.family);
        carried += 1;
        for (name, series) in longer.iter() {
            assert_eq!(series.len(), usual.facts.series(name).len());
            for (a, b) in usual.facts.series(name).iter().zip(series) {
                let apart = (a.value - b.value).abs();
                assert!(apart <= a.bar + b.bar, "{world} {name}: {a:?} {b:?}");
                assert!(b.bar <= f64::EPSILON * (1.0 + b.value.abs()), "{name} {b:?}");
            }
        }
    }
    assert!(carried >= 20 && families.len() >= 3, "{carried} {families:?}");
}

#[test]
fn stored_counterexamples_of_maps_survive_more_digits_and_flows_say_that_there_are_none() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/counterexamples");
    for (file, finite) in [
        ("compressing_maps_force_alignment--cross_terms_dropped", true),
        ("compressing_maps_force_alignment--without_H1", true),
        ("relative_compression_forces_alignment--eta_dropped", false),
    ] {
        let kept = store::read(&folder.join(format!("{file}.toml"))).unwrap();
        let target: Target = kept.target().unwrap();
        let looked = looked_at(target, kept.knobs.clone());
        assert!(looked.is_confirmed(), "{file}: {looked:?}");
        match (&looked.extended, &kept.confirmed.extended, finite) {
            (
                confirm::Extended::Carried { slack, facts, .. },
                confirm::Extended::Carried { slack: stored, facts: names, .. },
                true,
            ) => {
                assert!((slack - stored).abs() < 1e-9 && facts == names, "{file} {slack}");
                assert!((slack - kept.fails.slack).abs() < 1e-9, "{file} {slack}");
            }
            (
                confirm::Extended::NotApplicable(why),
                confirm::Extended::NotApplicable(stored),
                false,
            ) => assert_eq!(why, stored),
            (extended, ..) => panic!("{file}: {extended:?}"),
        }
    }
}

/// (x, y) ← (x, kx + y/2) from slope 1/10: the slope after n maps is 2k (1 − 2⁻ⁿ) + 2⁻ⁿ/10.
const COUPLED: &str = r#"
[state]
names = ["x", "y"]
[let]
k = 0
[free]
k = { low = 0, high = 2 }
[manifold.flat]
dim = 1
[model.map]
image = ["x", "k*x + y/2"]
maps = 8
[start]
points = [[1, 0]]
plane = [[1, 0.1]]
"#;

#[test]
fn stated_maps_are_carried_too_and_functions_without_digits_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let claim = &claims::compressing_maps_force_alignment::CLAIM;
    let target = Target { claim, wording: claim.mutant("cross_terms_dropped") };
    let stated = |text: &str| {
        let path = folder.path().join("coupled.toml");
        std::fs::write(&path, text).unwrap();
        Stated::read(target, &path).unwrap()
    };
    let worlds = stated(COUPLED);
    let twice = worlds.twice(&[0.5]).unwrap();
    let slopes = twice[0][1].series("slope");
    let exact = 2.0 * (1.0 - 0.5_f64.powi(8)) + 0.1 * 0.5_f64.powi(8);
    assert!((slopes[8].value - exact).abs() < 1e-15 && slopes[8].bar < 1e-15);
    let looked = looked_at(&worlds, vec![0.5]);
    assert!(looked.is_confirmed() && matches!(looked.extended, confirm::Extended::Carried { .. }));
    let looked = looked_at(stated(&COUPLED.replace("k*x +", "k*x + 1e-9*erf(x) +")), vec![0.5]);
    let confirm::Extended::NotApplicable(why) = looked.extended else { panic!("{looked:?}") };
    assert!(why.contains("only f64 values are known"), "{why}");
}
