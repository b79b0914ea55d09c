//! T2.3. Statement: curvature_and_second_derivatives_bound_the_blocks.md.

mod support;
mod wordings;

use driftproof::claims::curvature_and_second_derivatives_bound_the_blocks::CLAIM;
use driftproof::facts::{Facts, Quantity};
use driftproof::verdict::{Judgement, Verdict};
use wordings::judged;

#[test]
fn no_random_field_violates_the_bounds() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// Closed forms, known to a few roundings.
fn rounded(table: &[(&str, f64)]) -> Facts {
    let mut facts = Facts::new();
    for (name, value) in table {
        facts.set(name, Quantity::rounded(*value, 8.0));
    }
    facts
}

/// Everything a judge reads, of a field v and its map x ↦ x + h v near a line in the plane (K = 0).
struct Line {
    /// Distance from the line.
    r: f64,
    /// sup ‖D²v‖ on the segment down to it.
    second: f64,
    /// v_N, ∂v_N/∂t and ∂v_N/∂n at the state; v_T = 0.
    normal: (f64, f64, f64),
    /// ∂v_N/∂n on the line.
    normal_on: f64,
    /// The step h of the map.
    step: f64,
}

impl Line {
    fn facts(&self) -> Facts {
        let (value, across, along) = self.normal;
        let (h, on) = (self.step, self.normal_on);
        let table = [
            ("second_derivative", self.second),
            ("curvature", 0.0),
            ("reach", 1e9),
            ("distance", self.r),
            // A = [[0, 0], [∂_t v_N, ∂_n v_N]]: γ = 0 − ∂_n v_N, κ = |∂_t v_N|, η = 0.
            ("gamma", -along),
            ("kappa", across.abs()),
            ("eta", 0.0),
            ("gamma_on", -on),
            ("kappa_on", 0.0),
            ("eta_on", 0.0),
            ("foot_slip", 0.0),
            // dF = I + h A.
            ("map_second_derivative", h * self.second),
            ("map_distance_after", (self.r + h * value).abs()),
            ("map_foot_distance", 0.0),
            ("map_foot_arc", 0.0),
            ("map_norm", 1.0_f64.max((1.0 + h * on).abs())),
            ("map_tangent_norm", 1.0),
            ("map_normal_norm", (1.0 + h * on).abs()),
            ("map_tt", 1.0),
            ("map_nn", (1.0 + h * along).abs()),
            ("map_nt", (h * across).abs()),
            ("map_tn", 0.0),
            ("map_tt_on", 1.0),
            ("map_nn_on", (1.0 + h * on).abs()),
            ("map_tn_on", 0.0),
        ];
        rounded(&table)
    }
}

/// C3: v = (0, −c y + φ(y) x), φ(y) = k y²/(y² + e²), at (1, r): on y = 0 the Jacobian is diag(0, −c) exactly.
fn c3(c: f64, k: f64, e: f64, r: f64) -> Line {
    let square = r * r + e * e;
    let (phi, slope) = (k * r * r / square, 2.0 * k * r * e * e / (square * square));
    Line {
        r,
        // D²v_N = [[0, φ'], [φ', φ'']]: φ'' is at most 2k/e² in size and φ' at most (3√3/8) k/e.
        second: (2.0 * k / (e * e)).hypot(2.0_f64.sqrt() * 0.65 * k / e),
        normal: (-c * r + phi, phi, -c + slope),
        normal_on: -c,
        step: 0.1,
    }
}

fn verdict(facts: &Facts, mutant: Option<&str>) -> Verdict {
    judged(&CLAIM, facts, mutant).verdict()
}

#[test]
fn a_jacobian_known_on_the_manifold_only_says_nothing_without_the_second_derivative() {
    // At y ≫ e: κ = φ ≈ k, though κ = 0 on the line.
    let facts = c3(1.0, 1.0, 0.02, 0.5).facts();
    assert!(facts.get("kappa").value > 0.99); // 0.25/0.2504
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    assert_eq!(verdict(&facts, Some("second_derivative_dropped")), Verdict::Violated);
    // With e = 1 as well, where nothing is extreme.
    let gentle = c3(1.0, 1.0, 1.0, 0.5).facts();
    assert!((gentle.get("kappa").value - 0.2).abs() < 1e-15); // 0.25/1.25
    assert_eq!(verdict(&gentle, None), Verdict::Holds);
    assert_eq!(verdict(&gentle, Some("second_derivative_dropped")), Verdict::Violated);
}

/// v = (0, −c y + b x y) at (t, r): D²v_N = [[0, b], [b, 0]] has norm b everywhere, and κ = b r.
fn bilinear(b: f64, r: f64, t: f64) -> Line {
    let c = 1.0;
    Line {
        r,
        second: b,
        normal: (-c * r + b * t * r, b * r, -c + b * t),
        normal_on: -c + b * t,
        step: 0.1,
    }
}

fn slack(judgement: &Judgement, name: &str) -> f64 {
    judgement.conclusions.iter().find(|m| m.name == name).expect("a conclusion of that name").slack
}

#[test]
fn the_bound_on_kappa_is_attained_on_a_flat() {
    let line = bilinear(0.7, 0.3, 0.2);
    let facts = line.facts();
    let judgement = CLAIM.judge(&facts);
    assert_eq!(judgement.verdict(), Verdict::Holds);
    for name in ["kappa", "map: cross T to N"] {
        assert!(slack(&judgement, name).abs() < 1e-12, "{name}: κ = H r");
    }
    // One percent less second derivative, and the same field refutes it.
    let less = Line { second: 0.99 * 0.7, ..line };
    assert_eq!(verdict(&less.facts(), None), Verdict::Violated);
}

#[test]
fn without_second_derivative_and_curvature_the_blocks_are_those_on_the_manifold() {
    let linear = bilinear(0.0, 0.8, 0.2);
    let judgement = CLAIM.judge(&linear.facts());
    assert_eq!(judgement.verdict(), Verdict::Holds);
    for margin in &judgement.conclusions {
        // The foot points of a shear coincide, whatever the room that the bound leaves them.
        if margin.name != "map: distance of the foot points" {
            assert!(margin.slack.abs() < 1e-12, "{margin:?}: an equality");
        }
    }
    let mut facts = linear.facts();
    facts.set("kappa", Quantity::exact(1e-3));
    assert_eq!(verdict(&facts, None), Verdict::Violated);
}

#[test]
fn on_the_manifold_the_blocks_are_those_on_the_manifold() {
    // r = 0: however large H, nothing is allowed to differ.
    let facts = bilinear(50.0, 0.0, 0.2).facts();
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    for name in ["kappa", "eta", "foot_slip", "map_nt", "map_tn"] {
        let mut off = facts.clone();
        off.set(name, Quantity::exact(1e-3));
        assert_eq!(verdict(&off, None), Verdict::Violated, "{name} off the manifold's at r = 0");
    }
    for name in ["gamma", "map_tt"] {
        let mut off = facts.clone();
        off.set(name, Quantity::exact(facts.get(name).value - 1e-2));
        assert_eq!(verdict(&off, None), Verdict::Violated, "{name} off the manifold's at r = 0");
    }
}

/// v = (1 − |x|²)(0, a) at (1 + r, 0), off the unit circle, whose every point rests; and the map x ↦ x.
///
/// D²v = −2 (0, a) ⊗ I, so H = 2|a|. A(x) = −2(1 + r) (0, a)(1, 0)ᵀ. The foot point turns at
/// s = −a(2r + r²)/(1 + r), and P' = −s(t nᵀ + n tᵀ): κ = |s|, η = |−2a(1 + r) − s|.
fn at_rest_on_the_circle(a: f64, r: f64) -> Facts {
    let s = -a * (2.0 * r + r * r) / (1.0 + r);
    rounded(&[
        ("second_derivative", 2.0 * a.abs()),
        ("curvature", 1.0),
        ("reach", 1.0),
        ("distance", r),
        ("gamma", 0.0),
        ("kappa", s.abs()),
        ("eta", (2.0 * a * (1.0 + r) + s).abs()),
        ("gamma_on", 0.0),
        ("kappa_on", 0.0),
        ("eta_on", 2.0 * a.abs()),
        ("foot_slip", s.abs()),
        ("map_second_derivative", 0.0),
        ("map_distance_after", r),
        ("map_foot_distance", 0.0),
        ("map_foot_arc", 0.0),
        ("map_norm", 1.0),
        ("map_tangent_norm", 1.0),
        ("map_normal_norm", 1.0),
        ("map_tt", 1.0),
        ("map_nn", 1.0),
        ("map_nt", 0.0),
        ("map_tn", 0.0),
        ("map_tt_on", 1.0),
        ("map_nn_on", 1.0),
        ("map_tn_on", 0.0),
    ])
}

#[test]
fn the_foot_slips_on_a_circle_as_fast_as_the_bound_to_first_order() {
    for a in [1.0, 0.4, -2.0] {
        for r in [0.01, 0.05, 0.2] {
            let facts = at_rest_on_the_circle(a, r);
            let judgement = CLAIM.judge(&facts);
            assert_eq!(judgement.verdict(), Verdict::Holds, "a = {a}, r = {r}");
            // Both are 2|a| r (1 + O(r)).
            assert!(slack(&judgement, "slip of the foot point") < 2.5 * r, "a = {a}, r = {r}");
            assert_eq!(verdict(&facts, Some("foot_slip_halved")), Verdict::Violated);
        }
        // K r ≥ 1: the state is beyond the centre of curvature, and the claim says nothing.
        assert_eq!(verdict(&at_rest_on_the_circle(a, 1.5), None), Verdict::OutOfScope);
    }
}
