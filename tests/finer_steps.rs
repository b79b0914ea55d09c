//! Worlds of flows with finer steps are the same worlds: what is measured of them agrees within the bars.

use driftproof::claims;
use driftproof::facts::Grade;
use driftproof::observe::{KNOBS, observe};
use driftproof::random::{Knobs, Stream};

/// Worlds of each claim.
const WORLDS: u64 = 6;

/// Coarse steps err by some 10⁻⁸.
const MOVES: f64 = 1e-7;

/// The claims some of whose worlds are flows in steps, and whether their facts are of times that stay where they are.
const STEPPED: &[(&str, bool)] = &[
    ("two_formulas_give_one_response", true),
    ("normal_error_over_thickness_bounds_the_response", true),
    ("relative_compression_forces_alignment", false),
    ("adiabatic_gap_forces_alignment", false),
    ("posterior_moments_certify_alignment", false),
    ("normal_contraction_traps_perturbed_orbits", false),
    ("normal_errors_and_cross_derivatives_bound_the_displacement", false),
    ("posterior_spread_and_denoiser_error_bound_the_distance", true),
    ("alignment_persists_under_c1_small_errors", false),
    ("gaussian_data_has_a_closed_form_flow", true),
    ("gaussian_paths_share_one_flow", true),
    ("sphere_flow_is_a_radial_quantile_map", true),
    ("torus_flow_factors_into_circles", true),
    ("rotated_coupling_solves_the_riccati_equation", true),
    ("segment_flow_is_a_quantile_map", true),
    ("compression_alone_does_not_align", true),
    ("alignment_and_robustness_are_independent", true),
];

#[test]
fn finer_steps_are_taken_and_change_nothing_beyond_the_bars() {
    let stream = Stream::root(5).named("finer");
    let (mut listed, mut compared) = (Vec::new(), 0);
    for claim in claims::ALL {
        let (mut stepped, mut moved) = (0, false);
        for world in 0..WORLDS {
            let knobs = stream.named(claim.id).indexed(world).uniforms(KNOBS);
            let mut finer = Knobs::new(&knobs).refined(2);
            let Ok(fine) = observe(claim.id, &mut finer) else { continue };
            if !finer.has_steps() {
                continue;
            }
            stepped += 1;
            let usual = observe(claim.id, &mut Knobs::new(&knobs)).unwrap();
            assert_eq!(usual.world, fine.world, "{}: another world", claim.id);
            for (name, series) in usual.facts.iter() {
                let other = fine.facts.series(name);
                let fixed = STEPPED.iter().any(|(id, fixed)| *id == claim.id && *fixed);
                // Series along the path have a time for each step.
                if !fixed || other.len() != series.len() {
                    moved |= other != series;
                    continue;
                }
                for (a, b) in series.iter().zip(other) {
                    if a.grade == Grade::Sampled || !(a.value.is_finite() && b.value.is_finite()) {
                        continue;
                    }
                    moved |= a.value != b.value;
                    let apart = (a.value - b.value).abs();
                    // What is known exactly of a place moves with the place, which is integrated.
                    let moves = MOVES * (1.0 + a.value.abs());
                    assert!(apart <= a.bar + b.bar + moves, "{} {name}: {a:?} {b:?}", claim.id);
                    compared += 1;
                }
            }
        }
        listed.extend((stepped > 0).then_some(claim.id));
        // A factor that reaches nothing would leave every number as it was.
        assert!(stepped == 0 || moved, "{}: nothing is finer", claim.id);
    }
    assert!(compared > 200, "{compared}");
    let named: Vec<&str> = STEPPED.iter().map(|(id, _)| *id).collect();
    assert_eq!(listed, named);
}
