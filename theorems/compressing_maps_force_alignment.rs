//! T2.2. Statement: compressing_maps_force_alignment.md.

mod support;
mod wordings;

use driftproof::claims::compressing_maps_force_alignment::CLAIM;
use driftproof::facts::{Facts, Quantity};
use driftproof::linalg::{inverse, least_singular_value, spectral_norm};
use driftproof::observe::compressing_maps_force_alignment::DataWorld;
use driftproof::observe::{KNOBS, observe};
use driftproof::random::{Knobs, Stream};
use driftproof::verdict::{Judgement, Verdict};
use nalgebra::{DMatrix, dmatrix};
use wordings::judged;

#[test]
fn no_random_maps_violate_the_slope_bounds() {
    support::no_world_violates(&CLAIM, 100, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// States the four block sizes of a map under a prefix.
fn state(facts: &mut Facts, prefix: &str, j: &DMatrix<f64>, d: usize) {
    let n = j.nrows() - d;
    let part = |r, c, h, w| j.view((r, c), (h, w)).into_owned();
    for (name, value) in [
        ("tt", least_singular_value(&part(0, 0, d, d)).unwrap()),
        ("nn", spectral_norm(&part(d, d, n, n)).unwrap()),
        ("nt", spectral_norm(&part(d, 0, n, d)).unwrap()),
        ("tn", spectral_norm(&part(0, d, d, n)).unwrap()),
    ] {
        facts.push(&format!("{prefix}_{name}"), Quantity::rounded(value, 16.0));
    }
}

/// Slopes of the plane {(u, Lu)} under the maps, in resting frames with d tangent axes.
fn slopes(maps: &[DMatrix<f64>], d: usize, graph: &DMatrix<f64>) -> Vec<f64> {
    let n = graph.nrows();
    let mut plane = DMatrix::identity(d + n, d);
    plane.view_mut((d, 0), (n, d)).copy_from(graph);
    let slope = |e: &DMatrix<f64>| {
        let top = inverse(&e.rows(0, d).into_owned()).unwrap();
        spectral_norm(&(e.rows(d, n) * top)).unwrap()
    };
    let mut all = vec![slope(&plane)];
    for map in maps {
        plane = map * plane;
        all.push(slope(&plane));
    }
    all
}

/// Facts of maps given by `blocks`, of a plane whose slopes were measured, and of the product as computed.
fn facts(blocks: &[DMatrix<f64>], d: usize, product: &DMatrix<f64>, slopes: &[f64]) -> Facts {
    let mut facts = Facts::new();
    blocks.iter().for_each(|j| state(&mut facts, "step", j, d));
    state(&mut facts, "product", product, d);
    let bar = 1e-14 * blocks.len() as f64;
    let slopes = slopes.iter().map(|l| Quantity::rounded(*l, 16.0).widened(bar)).collect();
    facts.set_series("slope", slopes);
    // These tests are not about the cone form (d): an image within an equal cone.
    facts.set("cone_slope", Quantity::exact(0.0).widened(1e-300));
    facts.set("cone_image_slope", Quantity::exact(0.0));
    facts
}

/// The judgement without form (d), which the facts of these tests leave out.
fn judge(facts: &Facts, mutant: Option<&str>) -> Judgement {
    let mut judgement = judged(&CLAIM, facts, mutant);
    judgement.conclusions.retain(|margin| !margin.name.starts_with("(d)"));
    judgement
}

/// The slack of one conclusion.
fn slack(judgement: &Judgement, name: &str) -> f64 {
    judgement.conclusions.iter().find(|margin| margin.name == name).unwrap().slack
}

fn product(maps: &[DMatrix<f64>]) -> DMatrix<f64> {
    let d = maps[0].nrows();
    maps.iter().fold(DMatrix::identity(d, d), |j, map| map * j)
}

/// The honest facts of these maps and the line or plane of this graph.
fn honest(maps: &[DMatrix<f64>], d: usize, graph: &DMatrix<f64>) -> Facts {
    facts(maps, d, &product(maps), &slopes(maps, d, graph))
}

#[test]
fn a_compression_slightly_above_one_divides_the_slope_by_itself_only() {
    // C13: diag(1, 1/C): l = l_0/C exactly, however much larger than 0.
    for c in [1.01, 1.3, 4.0] {
        let facts = honest(&[dmatrix![1.0, 0.0; 0.0, 1.0 / c]], 1, &dmatrix![0.8]);
        assert!((facts.series("slope")[1].value - 0.8 / c).abs() < 1e-15);
        let judgement = judge(&facts, None);
        assert_eq!(judgement.verdict(), Verdict::Holds);
        assert_eq!(judge(&facts, Some("start_forgotten")).verdict(), Verdict::Violated);
        // One step is exact in the diagonal plane: no slack beyond the bars.
        assert!(slack(&judgement, "(a) step 1") < 1e-12);
        assert!(slack(&judgement, "(b) product") < 1e-12);
    }
}

#[test]
fn isotropic_contraction_has_compression_one_and_aligns_nothing() {
    // C1: e^{−c} I: the normal factor may be as small as one likes, C = 1.
    for c in [0.1_f64, 3.0, 12.0] {
        let facts = honest(&[DMatrix::identity(3, 3) * (-c).exp()], 2, &dmatrix![0.3, 0.4]);
        assert!((facts.series("slope")[1].value - 0.5).abs() < 1e-14);
        assert_eq!(judge(&facts, None).verdict(), Verdict::Holds);
        let absolute = judge(&facts, Some("tangent_contraction_ignored"));
        assert_eq!(absolute.verdict(), Verdict::Violated);
    }
}

#[test]
fn perfect_compression_followed_by_a_shear_leaves_the_shear() {
    // C2b: the last map alone decides: l = k + c l_0.
    let maps = [dmatrix![1.0, 0.0; 0.0, 1e-6], dmatrix![1.0, 0.0; 0.7, 1.0]];
    let facts = honest(&maps, 1, &dmatrix![0.9]);
    assert!((facts.series("slope")[2].value - (0.7 + 0.9e-6)).abs() < 1e-14);
    assert_eq!(judge(&facts, None).verdict(), Verdict::Holds);
    assert_eq!(judge(&facts, Some("cross_terms_dropped")).verdict(), Verdict::Violated);
}

#[test]
fn uniform_rates_are_attained_and_tend_to_the_fixed_point() {
    // L ↦ (a + cL)/(1 − bL) is what [[1, −b], [a, c]] does; l_- = 2a/((1−c) + √((1−c)² − 4ab)).
    let (a, b, c) = (0.1_f64, 0.2, 0.5);
    let map = dmatrix![1.0, -b; a, c];
    let root = ((1.0 - c) * (1.0 - c) - 4.0 * a * b).sqrt();
    let (low, barrier) = (2.0 * a / (1.0 - c + root), (1.0 - c + root) / (2.0 * b));
    for start in [0.0, 0.1, 0.99 * barrier] {
        let maps = vec![map.clone(); 12];
        let facts = honest(&maps, 1, &dmatrix![start]);
        let judgement = judge(&facts, None);
        assert_eq!(judgement.verdict(), Verdict::Holds, "{judgement:?}");
        assert!(slack(&judgement, "(c) uniform rates").abs() < 1e-9);
    }
    let far = slopes(&vec![map.clone(); 80], 1, &dmatrix![0.99 * barrier]);
    assert!((far.last().unwrap() - low).abs() < 1e-12);
    // Beyond the barrier the line passes the normal: some denominator is not positive.
    let facts = honest(&vec![map; 12], 1, &dmatrix![1.2 * barrier]);
    assert_eq!(judge(&facts, None).verdict(), Verdict::OutOfScope);
}

#[test]
fn a_wrong_factor_order_violates_the_product_form() {
    let maps = [dmatrix![1.0, 0.0; 0.0, 0.1], dmatrix![1.0, 0.0; 0.7, 1.0]];
    let slopes = slopes(&maps, 1, &dmatrix![0.2]);
    let wrong = &maps[0] * &maps[1];
    let judgement = judge(&facts(&maps, 1, &wrong, &slopes), None);
    assert!(slack(&judgement, "(b) product") < -0.1);
    assert_eq!(judgement.verdict(), Verdict::Violated);
    assert!(slack(&judge(&honest(&maps, 1, &dmatrix![0.2]), None), "(b) product") >= 0.0);
}

#[test]
fn transposed_maps_and_unrotated_frames_violate_the_step_form() {
    let maps = [dmatrix![1.0, 0.1, 0.0; 0.0, 0.9, 0.1; 0.6, 0.1, 0.4]];
    let graph = dmatrix![0.1, 0.1];
    assert_eq!(judge(&honest(&maps, 2, &graph), None).verdict(), Verdict::Holds);
    let transposed = [maps[0].transpose()];
    let right = slopes(&maps, 2, &graph);
    let wrong = facts(&transposed, 2, &transposed[0], &right);
    assert_eq!(judge(&wrong, None).verdict(), Verdict::Violated, "a transposed Jacobian");
    // The ambient map turns the frame by 0.6 rad; the slope is measured against the frame before it.
    let (sin, cos) = 0.6_f64.sin_cos();
    let turned = dmatrix![cos, 0.0, -sin; 0.0, 1.0, 0.0; sin, 0.0, cos] * &maps[0];
    let blocks = [dmatrix![1.0, 0.0, 0.0; 0.0, 1.0, 0.0; 0.0, 0.0, 0.4]];
    let ambient = [dmatrix![cos, 0.0, -sin; 0.0, 1.0, 0.0; sin, 0.0, cos] * &blocks[0]];
    let unrotated = facts(&blocks, 2, &blocks[0], &slopes(&ambient, 2, &graph));
    assert_eq!(judge(&unrotated, None).verdict(), Verdict::Violated, "a frame not rotated");
    // The same map judged in the frames of its own blocks is in order.
    assert_eq!(judge(&honest(&[turned], 2, &graph), None).verdict(), Verdict::Holds);
}

#[test]
fn the_cone_condition_is_necessary_in_the_plane() {
    // The two lines at the edges of the cone decide: their images attain the least image cone (S-lemma).
    let mut compared = 0;
    for index in 0..60 {
        let mut values = Stream::root(31).indexed(index).uniforms(KNOBS);
        values[0] = 0.0; // matrices
        (values[1], values[2]) = (0.0, 0.0); // dimension 2
        let seen = observe(CLAIM.id, &mut Knobs::new(&values)).unwrap();
        let (cone, image) = (seen.facts.get("cone_slope"), seen.facts.get("cone_image_slope"));
        if CLAIM.judge(&seen.facts).verdict() == Verdict::Holds {
            assert!((cone.value / image.value - 1.0).abs() < 1e-6, "{cone:?} {image:?}");
            compared += 1;
        }
    }
    assert!(compared > 20);
}

#[test]
fn the_cone_form_is_the_step_form_on_a_diagonal_plane_map() {
    // Knobs at 0: a plane, one map stretch·diag(1, 0.2): the cone l goes to the cone 0.2 l.
    let seen = observe(CLAIM.id, &mut Knobs::new(&[])).unwrap();
    let start = seen.facts.series("slope")[0].value;
    assert!((seen.facts.get("cone_slope").value / (0.2 * start) - 1.0).abs() < 1e-6);
    assert_eq!(CLAIM.judge(&seen.facts).verdict(), Verdict::Holds);
}

#[test]
fn unmeasured_facts_decide_nothing() {
    let full = observe(CLAIM.id, &mut Knobs::draw(Stream::root(1), KNOBS)).unwrap().facts;
    assert_eq!(CLAIM.judge(&full).verdict(), Verdict::Holds);
    let names: Vec<String> = full.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let mut facts = full.clone();
        let length = facts.series(&name).len();
        facts.set_series(&name, vec![Quantity::UNKNOWN; length]);
        assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Undecided, "{name} unknown");
        facts.set_series(&name, Vec::new());
        assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Undecided, "{name} missing");
    }
}

#[test]
fn maps_of_samplers_are_bounded_and_their_mistakes_are_caught() {
    let (mut met, mut transposed, mut unrotated) = (0, 0, 0);
    for index in 0..24 {
        let mut knobs = Knobs::draw(Stream::root(22).indexed(index), KNOBS);
        let maps = DataWorld::decode(&mut knobs).unwrap().maps().unwrap();
        let honest = maps.measure().unwrap();
        let verdict = CLAIM.judge(&honest).verdict();
        assert_ne!(verdict, Verdict::Violated, "world {index}");
        if verdict != Verdict::Holds {
            continue;
        }
        met += 1;
        // Blocks of other maps beside the slopes of the right ones.
        let with = |block: &dyn Fn(usize) -> DMatrix<f64>| {
            let mut facts = Facts::new();
            for (name, series) in honest.iter().filter(|(name, _)| !name.starts_with("step_")) {
                facts.set_series(name, series.to_vec());
            }
            (0..maps.jacobians.len())
                .for_each(|k| state(&mut facts, "step", &block(k), maps.tangent));
            CLAIM.judge(&facts).verdict() == Verdict::Violated
        };
        let block = |k: usize| maps.frames[k + 1].tr_mul(&maps.jacobians[k]) * &maps.frames[k];
        assert!(!with(&block));
        transposed += usize::from(with(&|k| block(k).transpose()));
        // The frame before the map on both sides: that of the wrong point.
        unrotated +=
            usize::from(with(&|k| maps.frames[k].tr_mul(&maps.jacobians[k]) * &maps.frames[k]));
    }
    assert!(met >= 12, "{met} of 24 met the hypothesis");
    assert!(transposed >= 2 && unrotated >= 2, "{transposed} and {unrotated} of {met} caught");
}
