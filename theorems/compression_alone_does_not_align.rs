//! T7, alignment. Statement: compression_alone_does_not_align.md.

mod support;
mod wordings;

use driftproof::campaign::judge_world;
use driftproof::claims::compression_alone_does_not_align::CLAIM;
use driftproof::claims::{
    Claim, adiabatic_gap_forces_alignment, compressing_maps_force_alignment,
    posterior_moments_certify_alignment, qr_subspace_tracks_singular_subspace,
    relative_compression_forces_alignment,
};
use driftproof::drift::{Counterexample, Denoiser, Embedded, PlaneField, Sphere};
use driftproof::drift::{Drift, Workspace};
use driftproof::facts::{Facts, Quantity};
use driftproof::flow::{Method, Sampler, geometric_times};
use driftproof::manifold::{Chart, Manifold};
use driftproof::observe::planar::PlanarWorld;
use driftproof::observe::posterior_moments_certify_alignment::Run;
use driftproof::random::Knobs;
use driftproof::scenario::canonical;
use driftproof::verdict::Verdict;
use nalgebra::{DMatrix, dmatrix, dvector};
use wordings::judged;

#[test]
fn no_counterexample_departs_from_its_closed_form() {
    support::no_world_violates(&CLAIM, 150, file!());
}

#[test]
fn the_counterexamples_stand_and_the_naive_wordings_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// A world in R^5 with d = 2, in axes of their own.
fn world(number: &'static str, example: Counterexample, span: f64, slope: f64) -> PlanarWorld {
    let mut world = PlanarWorld::new(number, example, span, slope, &mut Knobs::new(&[0.3]));
    (world.dim, world.tangent) = (5, 2);
    world
}

/// Every planar counterexample, strong enough to refute; τ = 1 but for C4 and C4b, which run past t*.
fn gallery() -> Vec<PlanarWorld> {
    use Counterexample as C;
    let shear = C::Shear { rate: 6.0, shear: 4.0 };
    let late = C::LateShear { rate: 8.0, shear: 0.7, last: 0.05 };
    let hidden = C::HiddenShear { rate: 3.0, shear: 2.0, width: 0.01 };
    let turning = C::Turning { rate: 0.5, shear: 0.8, feedback: 0.9 };
    // t* = log(1.5·3/(1.5·3 − 2))/2 = 0.294 and atan2(q, 0.9·0.4 − 0.25)/q = 1.774 with q = 0.811.
    vec![
        world("C1", C::IsotropicCompression { rate: 9.0 }, 1.0, 0.7),
        world("C1b", C::NormalExpansion { rate: 2.0 }, 1.0, 0.2),
        world("C2", shear, 1.0, 0.3),
        world("C2b", late, 1.0, 0.3),
        world("C3", hidden, 1.0, 0.0),
        world("C4", C::Feedback { rate: 2.0, feedback: 1.5 }, 0.4, 3.0),
        world("C4b", turning, 2.0, 0.4),
        world("C5", C::NormalCompression { rate: 7.0 }, 1.0, f64::INFINITY),
        world("C13", C::NormalCompression { rate: 0.1 }, 1.0, 0.5),
    ]
}

fn verdict(claim: &Claim, facts: &Facts, mutant: Option<&str>) -> Verdict {
    judged(claim, facts, mutant).verdict()
}

#[test]
fn each_naive_wording_is_refuted_by_its_own_counterexample() {
    let own = [
        ("C1", "absolute_compression_aligns"),
        ("C1b", "vanishing_cross_derivatives_align"),
        ("C2", "total_compression_aligns"),
        ("C2b", "compression_at_most_times_aligns"),
        ("C3", "jacobian_on_manifold_suffices"),
        ("C4", "every_start_slope_shrinks"),
        ("C4b", "cross_terms_add_linearly"),
        ("C5", "every_start_plane_aligns"),
        ("C13", "compression_factor_above_one_aligns"),
    ];
    for (world, (number, naive)) in gallery().iter().zip(own) {
        assert_eq!(world.number, number);
        let facts = world.measure().unwrap();
        assert_eq!(
            verdict(&CLAIM, &facts, None),
            Verdict::Holds,
            "{number}: {:#?}",
            CLAIM.judge(&facts)
        );
        assert_eq!(verdict(&CLAIM, &facts, Some(naive)), Verdict::Violated, "{number}: {naive}");
    }
}

#[test]
fn the_sufficient_conditions_never_call_a_counterexample_aligned() {
    // T2.1: its bound is attained in the plane, so it holds and says "not aligned"; past the normal
    // direction it is out of scope, and so it is from there (C5), or does not know: l_0 is 1/rounding.
    let t21 = &relative_compression_forces_alignment::CLAIM;
    let expected = [
        ("C1", Verdict::Holds, Some("absolute_compression")),
        ("C1b", Verdict::Holds, None),
        ("C2", Verdict::Holds, Some("cross_terms_dropped")),
        ("C2b", Verdict::Holds, Some("cross_terms_dropped")),
        ("C3", Verdict::Holds, Some("cross_terms_dropped")),
        ("C4", Verdict::OutOfScope, Some("eta_dropped")),
        ("C4b", Verdict::OutOfScope, Some("eta_dropped")),
        ("C5", Verdict::OutOfScope, None),
        ("C13", Verdict::Holds, Some("gamma_doubled")),
    ];
    for (world, (number, stated, naive)) in gallery().iter().zip(expected) {
        assert_eq!(world.number, number);
        let facts = world.measure().unwrap();
        let seen = verdict(t21, &facts, None);
        let unknown = number == "C5" && seen == Verdict::Undecided;
        assert!(seen == stated || unknown, "{number}: {:#?}", t21.judge(&facts));
        if let Some(naive) = naive {
            assert_eq!(verdict(t21, &facts, Some(naive)), Verdict::Violated, "{number}: {naive}");
        }
        // "Aligned" is what nobody may conclude: the angle is above 0.1 in all of them.
        assert!(facts.get("end_sine").value > 0.1, "{number}");
    }
}

#[test]
fn the_discrete_condition_says_the_same_of_the_maps() {
    let t22 = &compressing_maps_force_alignment::CLAIM;
    let expected = [
        ("C1", Verdict::Holds, Some("tangent_contraction_ignored")),
        ("C2", Verdict::Holds, Some("cross_terms_dropped")),
        ("C2b", Verdict::Holds, Some("cross_terms_dropped")),
        ("C4", Verdict::OutOfScope, None),
        ("C4b", Verdict::OutOfScope, None),
        ("C13", Verdict::Holds, Some("start_forgotten")),
    ];
    for (number, stated, naive) in expected {
        let world = gallery().into_iter().find(|w| w.number == number).unwrap();
        let facts = world.maps().unwrap().measure().unwrap();
        assert_eq!(verdict(t22, &facts, None), stated, "{number}: {:#?}", t22.judge(&facts));
        if let Some(naive) = naive {
            assert_eq!(verdict(t22, &facts, Some(naive)), Verdict::Violated, "{number}: {naive}");
        }
    }
}

#[test]
fn without_a_gap_the_adiabatic_condition_does_not_hold() {
    // C1 and C1b have a symmetric A and a resting eigenframe; the gap is 0, or below.
    let t24 = &adiabatic_gap_forces_alignment::CLAIM;
    let mut verdicts = Vec::new();
    for world in gallery().into_iter().take(2) {
        let mut facts = world.measure().unwrap();
        let gap = facts.series("gamma").to_vec();
        facts.set_series("turning", vec![Quantity::exact(0.0); gap.len()]);
        facts.set_series("gap", gap);
        verdicts.push(verdict(t24, &facts, None));
    }
    assert_eq!(verdicts, [Verdict::Undecided, Verdict::OutOfScope]);
}

#[test]
fn a_small_sphere_never_meets_the_condition_on_posterior_moments() {
    // C1c: R = 0.02 and σ from 5 to 0.2, so R/(σ √2) < 0.08: Kr ≥ 1 at every level.
    let t25 = &posterior_moments_certify_alignment::CLAIM;
    let denoiser: Denoiser = Sphere::new(2, 0.02).unwrap().into();
    let run = Run {
        manifold: &Manifold::new(Chart::circle(0.02)).unwrap(),
        denoiser: &denoiser,
        flow: &canonical(&denoiser),
        sampler: &Sampler::new(Method::Rk4, geometric_times(5.0, 0.2, 100)),
        start: &[7.0, 0.0],
        plane: &dmatrix![0.8; 1.0],
    };
    let facts = run.measure().unwrap();
    assert_eq!(verdict(t25, &facts, None), Verdict::OutOfScope);
    let slopes = facts.series("slope");
    // The plane starts at slope 0.8 over the tangent (0, 1) and keeps it.
    assert!((slopes[0].value - 0.8).abs() < 1e-12 && (slopes[100].value - 0.8).abs() < 1e-4);
}

#[test]
fn a_start_fixed_in_advance_is_out_of_scope_of_qr_iteration() {
    // C5: the coordinate frames of T3's own worlds.
    let t3 = &qr_subspace_tracks_singular_subspace::CLAIM;
    let fixed: Vec<_> = (0..60)
        .map(|index| judge_world(t3, 1, index))
        .filter(|r| r.observed.as_ref().unwrap().world["random_start"] == false)
        .collect();
    assert!(fixed.len() >= 3 && fixed.iter().all(|r| r.verdict == Verdict::OutOfScope));
}

#[test]
fn the_hidden_shear_leaves_the_angles_of_the_theory() {
    // C3 with c = 3, k = 2, y_0 = ½, x = 0, τ = 1, l_0 = 0: 0.6334 for e = 1/2000 and 0.0073 for e = 1;
    // the limit e → 0 is (k/c)(1 − e^{−c}) = 0.63348.
    for (width, expected) in [(5e-4, 0.6334), (1.0, 0.0073)] {
        let example = Counterexample::HiddenShear { rate: 3.0, shear: 2.0, width };
        let mut world = world("C3", example, 1.0, 0.0);
        world.start = [0.0, 0.5];
        let slope = *world.measure().unwrap().series("slope").last().unwrap();
        assert!((slope.value - expected).abs() < 5e-5 && slope.bar < 1e-4, "{slope:?}");
    }
    // On y = 0 the Jacobian is diag(0, −c) exactly, at every x; off it the shear is there.
    let field = PlaneField { normal_rate: -3.0, lift: 2.0, width: 1e-3, ..PlaneField::default() };
    let field = Embedded::new(field, dmatrix![1.0; 0.0], dvector![0.0, 1.0]).unwrap();
    let at = |x, y| field.jacobian(0.0, &[x, y], &mut Workspace::default());
    assert_eq!(at(0.8, 0.0), dmatrix![0.0, 0.0; 0.0, -3.0]);
    assert!((at(0.8, 0.5)[(1, 0)] - 2.0).abs() < 1e-5); // φ = 2·0.25/(0.25 + 1e-6)
}

#[test]
fn a_plane_at_its_normal_time_is_normal_and_only_there() {
    // C4, c = 2, h = 1.5, l_0 = 3: h l_0/(h l_0 − c) = 4.5/2.5.
    let time = (4.5_f64 / 2.5).ln() / 2.0;
    let example = Counterexample::Feedback { rate: 2.0, feedback: 1.5 };
    let cosine = |span: f64| {
        let facts = world("C4", example, span, 3.0).measure().unwrap();
        *facts.series("cosine").last().unwrap()
    };
    let at = cosine(time);
    assert!(at.value.abs() <= at.bar && at.bar < 1e-8, "{at:?}");
    assert!(cosine(0.8 * time).value > 0.08 && cosine(1.2 * time).value < -0.09);
    // C4b, κη > γ²/4: back at the start slope after π/q, upside down.
    let q = (0.8_f64 * 0.9 - 0.25 * 0.25).sqrt();
    let turning = Counterexample::Turning { rate: 0.5, shear: 0.8, feedback: 0.9 };
    let facts = world("C4b", turning, std::f64::consts::PI / q, 0.4).measure().unwrap();
    let (first, last) = (facts.series("cosine")[0], *facts.series("cosine").last().unwrap());
    assert!((first.value + last.value).abs() < 1e-8);
}

#[test]
fn a_normal_start_stays_until_rounding_is_amplified() {
    // C5: in turned axes rounding seeds a tangent part of 1e-16, which compression amplifies by e^{cτ}.
    let run = |rate: f64| {
        let example = Counterexample::NormalCompression { rate };
        world("C5", example, 1.0, f64::INFINITY).measure().unwrap()
    };
    let mild = run(10.0);
    assert!(mild.series("cosine").last().unwrap().value.abs() < 1e-10);
    assert_eq!(verdict(&CLAIM, &mild, None), Verdict::Holds);
    // Beyond e^{36} the computed plane aligns; its bar knows, and nothing is decided.
    let strong = run(60.0);
    assert_eq!(verdict(&CLAIM, &strong, None), Verdict::Undecided);
}

#[test]
fn an_embedded_field_is_its_block_and_moves_the_rest_at_its_rates() {
    let field = PlaneField {
        tangent_rate: 0.3,
        normal_rate: -1.1,
        shear: 0.7,
        feedback: 0.2,
        lift: 0.5,
        width: 0.4,
        ripple: 0.1,
        frequency: 2.0,
        push: [0.05, -0.02],
    };
    let tangent = DMatrix::identity(4, 2);
    let embedded = Embedded::new(field, tangent, dvector![0.0, 0.0, 1.0, 0.0]).unwrap();
    let mut v = [0.0; 4];
    let (x, y) = (0.9_f64, 0.3_f64);
    embedded.velocity(0.0, &[x, 2.0, y, 5.0], &mut v);
    // By hand: φ = 0.5·0.09/(0.09 + 0.16).
    let across = -1.1 * y + 0.7 * x + 0.18 * x + 0.1 * (2.0 * x).sin() - 0.02;
    for (v, expected) in v.iter().zip([0.3 * x - 0.2 * y + 0.05, 0.6, across, -5.5]) {
        assert!((v - expected).abs() < 1e-15, "{v} against {expected}");
    }
    let a = embedded.jacobian(0.0, &[x, 2.0, y, 5.0], &mut Workspace::default());
    let lift = 0.5 * 2.0 * y * 0.16 / (0.25 * 0.25) * x;
    let expected = dmatrix![
        0.3, 0.0, -0.2, 0.0;
        0.0, 0.3, 0.0, 0.0;
        0.7 + 0.18 + 0.2 * (2.0 * x).cos(), 0.0, -1.1 + lift, 0.0;
        0.0, 0.0, 0.0, -1.1
    ];
    assert!((a - expected).amax() < 1e-14);
    assert!(Embedded::new(field, DMatrix::identity(3, 1), dvector![0.0, 1.0]).is_err());
}

#[test]
fn counterexamples_are_read_back_as_they_are_written() {
    for PlanarWorld { example, .. } in gallery() {
        let text = serde_json::to_string(&example).unwrap();
        assert_eq!(serde_json::from_str::<Counterexample>(&text).unwrap(), example);
    }
    let text = r#"{"counterexample":"late-shear","rate":2.0,"shear":0.5,"last":0.1}"#;
    let read: Counterexample = serde_json::from_str(text).unwrap();
    assert_eq!(read, Counterexample::LateShear { rate: 2.0, shear: 0.5, last: 0.1 });
}

/// The numbers of the gallery that notice a tampered flow.
fn noticed(tamper: impl Fn(&mut PlaneField)) -> Vec<&'static str> {
    let violated = gallery().into_iter().filter_map(|mut world| {
        world.flow.iter_mut().for_each(|stage| tamper(&mut stage.field));
        let facts = world.measure().unwrap();
        (verdict(&CLAIM, &facts, None) == Verdict::Violated).then_some(world.number)
    });
    violated.collect()
}

#[test]
fn a_wrong_computation_is_noticed() {
    assert!(noticed(|_| ()).is_empty());
    let backwards = noticed(|f| {
        (f.tangent_rate, f.normal_rate) = (-f.tangent_rate, -f.normal_rate);
        (f.shear, f.feedback, f.lift) = (-f.shear, -f.feedback, -f.lift);
    });
    assert_eq!(backwards.len(), gallery().len(), "{backwards:?}");
    let transposed = noticed(|f| (f.shear, f.feedback) = (-f.feedback, -f.shear));
    assert_eq!(transposed, ["C2", "C2b", "C4", "C4b"]);
    assert_eq!(noticed(|f| f.lift = 0.0), ["C3"]);
    assert_eq!(noticed(|f| f.shear *= 1.001), ["C2", "C2b", "C4b"]);
    assert_eq!(noticed(|f| f.feedback = 0.0), ["C4", "C4b"]);
}

#[test]
fn a_stage_left_out_and_a_start_not_turned_are_noticed() {
    let mut late = gallery().into_iter().find(|w| w.number == "C2b").unwrap();
    late.flow.swap(0, 1);
    assert_eq!(verdict(&CLAIM, &late.measure().unwrap(), None), Verdict::Violated);
    // Facts of a plane that starts at another slope than the one stated.
    let mut isotropic = gallery().remove(0).measure().unwrap();
    isotropic.set("start_slope", Quantity::exact(0.701));
    assert_eq!(verdict(&CLAIM, &isotropic, None), Verdict::Violated);
}
