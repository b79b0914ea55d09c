//! What the figures on the sufficient condition must obey: numbers of the theory page, and readings of the judges.

use driftproof::experiments::sufficient_condition::counterexamples::{
    Side, all, claim_of_alignment, first_zero,
};
use driftproof::experiments::sufficient_condition::path::certified;
use driftproof::experiments::sufficient_condition::scatter::bound_of;
use driftproof::facts::{Grade, Quantity};
use driftproof::record::Relation;
use driftproof::verdict::Margin;
use std::f64::consts::{E, FRAC_1_SQRT_2, FRAC_PI_2};

#[test]
fn counterexamples_are_shown_with_the_numbers_of_the_theory() {
    let lag = |c: f64| (1.0 - (-c).exp()) / c;
    let q = (0.8_f64 * 0.9 - 0.0625).sqrt();
    // T7, by hand, with the rates of the gallery.
    let expected = [
        ("C1", vec![0.7]),
        ("C1b", vec![0.2 * E * E]),
        ("C2", vec![4.0 * lag(6.0) + 0.3 * (-6.0_f64).exp()]),
        ("C2b", vec![0.7 + 0.3 * (-8.0 * 0.95_f64).exp()]),
        ("C4", vec![(4.5_f64 / 2.5).ln() / 2.0]),
        ("C4b", vec![q.atan2(0.9 * 0.4 - 0.25) / q]),
        ("C5", vec![0.0]),
        ("C6", vec![0.5, lag(2.0)]),
        ("C7", vec![0.1 / E, E - 1.0]),
        ("C8", vec![0.5 * (-8.0_f64).exp(), 0.02 * lag(0.16)]),
        // An eighth of a wave: sine and cosine are 1/√2.
        (
            "C9",
            vec![
                2.0 * lag(4.0) * FRAC_1_SQRT_2 + 0.05 * (-4.0_f64).exp(),
                0.01 * lag(4.0) * FRAC_1_SQRT_2,
            ],
        ),
        ("C13", vec![0.5 * (-0.1_f64).exp()]),
    ];
    let shown = all().unwrap();
    let numbers: Vec<&str> = shown.iter().map(|s| s.number).collect();
    // All of the theory page: there is no C11.
    assert_eq!(
        numbers,
        [
            "C1", "C1b", "C1c", "C2", "C2b", "C3", "C4", "C4b", "C5", "C6", "C7", "C8", "C9",
            "C10", "C12", "C13"
        ]
    );
    let of = |number: &str| &shown.iter().find(|s| s.number == number).unwrap().values;
    for (number, expected) in expected {
        let values = of(number);
        assert_eq!(values.len(), expected.len(), "{number}");
        for (value, expected) in values.iter().zip(expected) {
            let off = 1e-9 * (1.0 + expected.abs());
            assert!((value.predicted.value - expected).abs() < off, "{number}: {expected}");
            let (measured, bar) = (value.measured.value, value.measured.bar);
            assert!((measured - expected).abs() <= bar + off, "{number}: {measured} ± {bar}");
            assert!(bar < 1e-4 * (1.0 + expected.abs()), "{number}: {bar}");
        }
    }
    // C3, to the digits of the theory page; C10: aligned (a slope of 0.8·0.054/1), and nearly along the score.
    assert!((of("C3")[0].measured.value - 0.6334).abs() < 5e-5);
    assert!(of("C10")[0].measured.value < 0.05 && of("C10")[1].measured.value > 0.99);
    // C12 to first order: ½(δ_+ + …) with a∫e^{−ct} + b at the upper face; the lower one loses nothing.
    let first = 0.5 * (0.6 * lag(1.5) + 0.2);
    let second = 3.0 * 0.01 * (0.8_f64).powi(2);
    assert!((of("C12")[0].measured.value - first).abs() < second);
    // C1c: at most the slope at the start, and nearly it.
    let kept = &of("C1c")[0];
    let (value, bar) = (kept.measured.value, kept.measured.bar + kept.predicted.bar);
    assert!((value - kept.predicted.value).abs() <= bar && kept.predicted.bar < 0.01 * value);
}

#[test]
fn a_zero_is_found_within_its_bar() {
    let exact = |values: Vec<f64>| values.into_iter().map(Quantity::exact).collect::<Vec<_>>();
    for steps in [20, 40, 80] {
        let times: Vec<f64> = (0..=steps).map(|k| 2.5 * f64::from(k) / f64::from(steps)).collect();
        let cosines = exact(times.iter().map(|t| (t * t).cos()).collect());
        let zero = first_zero(&exact(times), &cosines);
        let off = (zero.value - FRAC_PI_2.sqrt()).abs();
        assert!(
            off <= zero.bar && zero.bar < 10.0 / f64::from(steps * steps),
            "{steps}: {zero:?} {off}"
        );
    }
    // A series without one has none.
    let times = exact(vec![0.0, 1.0, 2.0, 3.0]);
    assert!(first_zero(&times, &exact(vec![1.0; 4])).value.is_nan());
}

#[test]
fn a_bound_is_read_back_from_the_room_that_a_judge_leaves() {
    for (left, right) in [(0.3, 0.8), (0.5, 0.5), (0.8, 0.3), (1e-6, 2.0)] {
        let q = |value: f64| Quantity::new(value, 1e-9, Grade::Estimated);
        let scale = f64::max(left, right);
        let margin = Margin::attained("slope", q(left), q(right), scale, 0.5);
        assert!((bound_of(&margin, left) - right).abs() < 1e-9 * right);
    }
}

#[test]
fn false_slopes_and_shifts_change_what_is_said_of_the_condition() {
    assert_eq!(certified(&[(0.07, Some(0.1)), (0.08, Some(0.1))]), Relation::Agrees);
    assert_eq!(certified(&[(0.07, Some(0.1)), (0.2, Some(0.1))]), Relation::Contradicts);
    assert_eq!(certified(&[(0.07, Some(0.1)), (0.08, None)]), Relation::Open);
    let side = |aligned: bool, shift: f64| Side {
        aligned,
        shift: Quantity::new(shift, 0.01, Grade::Estimated),
        at_rest: 1.0,
    };
    let said = |a: &Side, b: &Side| claim_of_alignment(Some(a), Some(b));
    assert_eq!(said(&side(true, 1.7), &side(false, 0.4)), Relation::Sharpens);
    // Had the aligned one been damped and the other not, nothing would speak against the paper.
    assert_eq!(said(&side(true, 0.4), &side(false, 1.7)), Relation::Agrees);
    assert_eq!(said(&side(true, 0.4), &side(false, 1.0)), Relation::Agrees);
    assert_eq!(claim_of_alignment(None, Some(&side(false, 0.4))), Relation::Open);
}
