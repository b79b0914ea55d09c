//! T1.5 (d). Statement: normal_part_of_the_error_moves_singular_laws.md.

mod support;

use driftproof::claims::normal_part_of_the_error_moves_singular_laws::CLAIM;
use driftproof::drift::{LearningError, PartOf};
use driftproof::facts::{Facts, Quantity};
use driftproof::flow::{InexactFlow, Maps, Method, Sampler, uniform_times};
use driftproof::manifold::{Chart, Ellipse, Manifold, Part};
use driftproof::observe::normal_part_of_the_error_moves_singular_laws::Test;
use driftproof::random::Stream;
use driftproof::scalar::Scalar;
use driftproof::verdict::Verdict;

#[test]
fn no_singular_law_violates_its_response() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

fn measured(manifold: &Manifold, direction: &LearningError, maps: &impl Maps) -> Facts {
    let test = Test {
        manifold,
        atoms: manifold.quadrature(16).unwrap(),
        direction,
        wave: &[0.7, -1.1],
        resting: true,
        epsilon: 0.01,
        large: 0.3,
    };
    test.measure(maps).unwrap()
}

fn euler() -> Sampler {
    Sampler::new(Method::Euler, uniform_times(0.0, 1.0, 1))
}

fn close(measured: Quantity, expected: f64) {
    let error = (measured.value - expected).abs();
    assert!(error <= 1e-5 && error <= measured.bar + 1e-12, "{measured:?} against {expected}");
}

#[test]
fn a_shifted_circle_is_in_closed_form() {
    let circle = Manifold::new(Chart::circle(1.0)).unwrap();
    let shift = LearningError::constant(&[1.0, 0.0]);
    let (rest, sampler) = (LearningError::constant(&[0.0; 2]), euler());
    let maps = InexactFlow { sampler: &sampler, drift: &rest, error: &shift };
    let facts = measured(&circle, &shift, &maps);
    // Σ|cos(2πi/16)| = 2 cot(π/16), and N = δ_N at the sixteen atoms.
    let cotangent = (std::f64::consts::PI / 16.0).tan().recip();
    close(facts.get("delta_normal"), cotangent / 8.0);
    assert!((facts.get("distance_rate").value - cotangent / 8.0).abs() < 2e-3);
    close(facts.get("square_rate"), 0.5);
    // At (0, ±1) the shift is tangent: the distance is √(1 + t²) − 1 for t = 0.3.
    let (far, off) = (facts.series("large_distance"), facts.series("large_normal"));
    let at = (0..16).min_by(|i, j| off[*i].value.total_cmp(&off[*j].value)).unwrap();
    close(far[at], 1.09_f64.sqrt() - 1.0);
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
}

#[test]
fn dipoles_are_there_exactly_for_normal_errors() {
    let ellipse = Manifold::new(Chart::Ellipse(Ellipse { a: 1.5, b: 1.0 })).unwrap();
    let error = LearningError::fourier(2, 3, 1.0, 0.5, Stream::root(4));
    let (rest, sampler) = (LearningError::constant(&[0.0; 2]), euler());
    let of_part = |part: Part| {
        let error_part = PartOf { error: &error, part, manifold: &ellipse };
        let maps = InexactFlow { sampler: &sampler, drift: &rest, error: &error_part };
        measured(&ellipse, &error, &maps)
    };
    let (normal, tangent) = (of_part(Part::Normal), of_part(Part::Tangent));
    for (facts, size) in [(&normal, 1.0), (&tangent, 0.0)] {
        assert_eq!(CLAIM.judge(facts).verdict(), Verdict::Holds);
        let dipoles = facts.series("dipole");
        for dipole in dipoles {
            // The same at every wave number, though the test functions shrink with it.
            assert!((dipole.value - dipoles[0].value).abs() < 1e-4);
            assert_eq!(dipole.value.abs() > 0.01, size > 0.0, "{dipole:?}");
        }
        let shrunk = facts.series("dipole_size");
        assert!(shrunk.iter().zip([1.0, 4.0, 16.0]).all(|(s, k)| s.value <= 1.5 / k));
    }
    close(tangent.get("distance_rate"), 0.0);
}

/// The first-order error of one model, and the moved points of another.
struct Switched<'a, A, B>(&'a A, &'a B);

impl<A: Maps, B: Maps> Maps for Switched<'_, A, B> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn maps(&self) -> usize {
        self.0.maps()
    }
    fn map<S: Scalar>(&self, k: usize, epsilon: S, x: &mut [S]) {
        if epsilon.re() == 0.0 { self.0.map(k, epsilon, x) } else { self.1.map(k, epsilon, x) }
    }
}

#[test]
fn exchanged_parts_and_an_error_of_the_other_sign_are_caught() {
    let ellipse = Manifold::new(Chart::Ellipse(Ellipse { a: 1.5, b: 1.0 })).unwrap();
    let error = LearningError::fourier(2, 3, 1.0, 0.5, Stream::root(4));
    let (rest, sampler) = (LearningError::constant(&[0.0; 2]), euler());
    let part = |part| PartOf { error: &error, part, manifold: &ellipse };
    let (normal, tangent, other) =
        (part(Part::Normal), part(Part::Tangent), error.clone().scaled(-1.0));
    let flow = |error| InexactFlow { sampler: &sampler, drift: &rest, error };
    let (of_normal, of_tangent) = (flow(&normal), flow(&tangent));
    let (whole, flipped) = (
        InexactFlow { sampler: &sampler, drift: &rest, error: &error },
        InexactFlow { sampler: &sampler, drift: &rest, error: &other },
    );
    let verdict = |facts: &Facts| CLAIM.judge(facts).verdict();
    let exchanged = measured(&ellipse, &error, &Switched(&of_normal, &of_tangent));
    assert_eq!(verdict(&exchanged), Verdict::Violated);
    let exchanged = measured(&ellipse, &error, &Switched(&of_tangent, &of_normal));
    assert_eq!(verdict(&exchanged), Verdict::Violated);
    assert_eq!(verdict(&measured(&ellipse, &error, &whole)), Verdict::Holds);
    let facts = measured(&ellipse, &error, &Switched(&whole, &flipped));
    assert_eq!(verdict(&facts), Verdict::Violated);
}
