//! Worlds of flows with finer steps are the same worlds: what is measured of them agrees within the bars.

use driftproof::claims;
use driftproof::facts::Grade;
use driftproof::observe::{KNOBS, observe};
use driftproof::random::{Knobs, Stream};

/// Worlds of each claim.
const WORLDS: u64 = 6;

/// The claims some of whose worlds are flows in steps.
const STEPPED: &[&str] = &[
    "two_formulas_give_one_response",
    "relative_compression_forces_alignment",
    "adiabatic_gap_forces_alignment",
    "normal_contraction_traps_perturbed_orbits",
    "normal_errors_and_cross_derivatives_bound_the_displacement",
    "posterior_spread_and_denoiser_error_bound_the_distance",
    "alignment_persists_under_c1_small_errors",
    "gaussian_data_has_a_closed_form_flow",
    "gaussian_paths_share_one_flow",
    "sphere_flow_is_a_radial_quantile_map",
    "torus_flow_factors_into_circles",
    "rotated_coupling_solves_the_riccati_equation",
    "segment_flow_is_a_quantile_map",
    "compression_alone_does_not_align",
    "alignment_and_robustness_are_independent",
];

#[test]
fn finer_steps_are_taken_and_change_nothing_beyond_the_bars() {
    let stream = Stream::root(5).named("finer");
    for claim in claims::ALL {
        let (mut stepped, mut compared, mut moved) = (0, 0, false);
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
                // Series along the path have a time for each step.
                if other.len() != series.len() {
                    moved = true;
                    continue;
                }
                for (a, b) in series.iter().zip(other) {
                    if a.grade == Grade::Sampled || !(a.value.is_finite() && b.value.is_finite()) {
                        continue;
                    }
                    moved |= a.value != b.value;
                    let apart = (a.value - b.value).abs();
                    let rounding = 1e-12 * (1.0 + a.value.abs());
                    assert!(apart <= a.bar + b.bar + rounding, "{} {name}: {a:?} {b:?}", claim.id);
                    compared += 1;
                }
            }
        }
        assert_eq!(stepped > 0, STEPPED.contains(&claim.id), "{}: {stepped}", claim.id);
        // A factor that reaches nothing would leave every number as it was.
        assert!(stepped == 0 || (moved && compared > 0), "{}: nothing is finer", claim.id);
    }
}
