//! The only computer: knobs → world → facts. One file per claim.

mod adiabatic_gap_forces_alignment;
pub mod alignment_and_robustness_are_independent;
mod alignment_persists_under_c1_small_errors;
pub mod compressing_maps_force_alignment;
mod compression_alone_does_not_align;
mod curvature_and_second_derivatives_bound_the_blocks;
pub mod data;
mod displaced;
mod embedded;
mod errors_convert_between_parametrisations;
mod flat_laws;
mod frames;
mod gaussian_data_has_a_closed_form_flow;
mod gaussian_paths_share_one_flow;
mod inexact;
mod inexact_models;
mod later_stage;
mod laws;
pub mod limits;
mod linear;
pub mod model;
mod more_digits;
mod moving_frame_blocks_are_gauge_invariant;
mod noise_paths_average_to_the_response;
mod normal_contraction_traps_perturbed_orbits;
mod normal_error_over_thickness_bounds_the_response;
pub mod normal_errors_and_cross_derivatives_bound_the_displacement;
pub mod normal_part_of_the_error_moves_singular_laws;
pub mod off_support_mass_follows_the_order_of_vanishing;
mod paths;
mod picture;
pub mod planar;
pub mod posterior_moments_certify_alignment;
mod posterior_spread_and_denoiser_error_bound_the_distance;
mod qr_subspace_tracks_singular_subspace;
pub mod relative_compression_forces_alignment;
mod resolved;
mod response_stays_in_the_support_of_every_model;
mod rotated_coupling_solves_the_riccati_equation;
mod sampler_maps_contract_normals_exactly;
mod segment_flow_is_a_quantile_map;
mod sensitivity_carries_the_response_of_any_law;
mod sphere_flow_is_a_radial_quantile_map;
pub mod stated;
mod tangential_alignment_bounds_score_overlap;
mod torus_flow_factors_into_circles;
mod two_formulas_give_one_response;

use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::figure::Panel;
use crate::random::Knobs;
use crate::scenario::Labels;
use serde::{Deserialize, Serialize};

/// Knobs drawn for one world; decoding is total, so reading fewer or more is fine.
pub const KNOBS: usize = 48;

/// A world, described, with what is true of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Observation {
    /// The parameters of the world, readable.
    pub world: serde_json::Value,
    /// What was measured.
    pub facts: Facts,
    /// What kind of world it is.
    pub labels: Labels,
}

/// The family of a world whose observer states none.
pub const UNNAMED: &str = "unnamed";

impl Observation {
    /// A described world with its facts.
    pub fn new(world: &impl Serialize, facts: Facts) -> Self {
        let world = serde_json::to_value(world).expect("parameters are plain data");
        Self { world, facts, labels: Labels::of(UNNAMED) }
    }

    /// The same, said what kind of world it is.
    pub fn labelled(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }
}

/// From knobs to facts, for the claim of that id.
type Observer = fn(&mut Knobs) -> Result<Observation>;

/// Who observes what: one line a claim.
const OBSERVERS: &[(&str, Observer)] = &[
    (
        "sensitivity_carries_the_response_of_any_law",
        sensitivity_carries_the_response_of_any_law::observe,
    ),
    (
        "response_stays_in_the_support_of_every_model",
        response_stays_in_the_support_of_every_model::observe,
    ),
    ("two_formulas_give_one_response", two_formulas_give_one_response::observe),
    ("noise_paths_average_to_the_response", noise_paths_average_to_the_response::observe),
    (
        "off_support_mass_follows_the_order_of_vanishing",
        off_support_mass_follows_the_order_of_vanishing::observe,
    ),
    (
        "normal_part_of_the_error_moves_singular_laws",
        normal_part_of_the_error_moves_singular_laws::observe,
    ),
    (
        "normal_error_over_thickness_bounds_the_response",
        normal_error_over_thickness_bounds_the_response::observe,
    ),
    ("moving_frame_blocks_are_gauge_invariant", moving_frame_blocks_are_gauge_invariant::observe),
    ("relative_compression_forces_alignment", relative_compression_forces_alignment::observe),
    ("compressing_maps_force_alignment", compressing_maps_force_alignment::observe),
    (
        "curvature_and_second_derivatives_bound_the_blocks",
        curvature_and_second_derivatives_bound_the_blocks::observe,
    ),
    ("adiabatic_gap_forces_alignment", adiabatic_gap_forces_alignment::observe),
    ("posterior_moments_certify_alignment", posterior_moments_certify_alignment::observe),
    (
        "tangential_alignment_bounds_score_overlap",
        tangential_alignment_bounds_score_overlap::observe,
    ),
    ("qr_subspace_tracks_singular_subspace", qr_subspace_tracks_singular_subspace::observe),
    (
        "normal_contraction_traps_perturbed_orbits",
        normal_contraction_traps_perturbed_orbits::observe,
    ),
    (
        "normal_errors_and_cross_derivatives_bound_the_displacement",
        normal_errors_and_cross_derivatives_bound_the_displacement::observe,
    ),
    (
        "posterior_spread_and_denoiser_error_bound_the_distance",
        posterior_spread_and_denoiser_error_bound_the_distance::observe,
    ),
    ("alignment_persists_under_c1_small_errors", alignment_persists_under_c1_small_errors::observe),
    ("gaussian_data_has_a_closed_form_flow", gaussian_data_has_a_closed_form_flow::observe),
    ("gaussian_paths_share_one_flow", gaussian_paths_share_one_flow::observe),
    ("sampler_maps_contract_normals_exactly", sampler_maps_contract_normals_exactly::observe),
    ("errors_convert_between_parametrisations", errors_convert_between_parametrisations::observe),
    ("sphere_flow_is_a_radial_quantile_map", sphere_flow_is_a_radial_quantile_map::observe),
    ("torus_flow_factors_into_circles", torus_flow_factors_into_circles::observe),
    (
        "rotated_coupling_solves_the_riccati_equation",
        rotated_coupling_solves_the_riccati_equation::observe,
    ),
    ("segment_flow_is_a_quantile_map", segment_flow_is_a_quantile_map::observe),
    ("compression_alone_does_not_align", compression_alone_does_not_align::observe),
    ("alignment_and_robustness_are_independent", alignment_and_robustness_are_independent::observe),
];

/// From knobs to the facts of a world of finite maps, carried in extended precision; None where that takes too long.
type Extension = fn(&mut Knobs) -> Result<Option<Facts>>;

/// Whose worlds are finite maps that can be carried so.
const EXTENSIONS: &[(&str, Extension)] = &[
    ("compressing_maps_force_alignment", compressing_maps_force_alignment::extended),
    ("sampler_maps_contract_normals_exactly", sampler_maps_contract_normals_exactly::extended),
];

/// From knobs to a picture, None for worlds of another kind than the picture is for.
type Painter = fn(&mut Knobs) -> Result<Option<Panel>>;

/// Who draws its worlds.
const PAINTERS: &[(&str, Painter)] = &[
    ("alignment_and_robustness_are_independent", alignment_and_robustness_are_independent::picture),
    ("sphere_flow_is_a_radial_quantile_map", sphere_flow_is_a_radial_quantile_map::picture),
    ("torus_flow_factors_into_circles", torus_flow_factors_into_circles::picture),
    ("compression_alone_does_not_align", compression_alone_does_not_align::picture),
    (
        "sensitivity_carries_the_response_of_any_law",
        sensitivity_carries_the_response_of_any_law::picture,
    ),
    (
        "response_stays_in_the_support_of_every_model",
        response_stays_in_the_support_of_every_model::picture,
    ),
    ("two_formulas_give_one_response", two_formulas_give_one_response::picture),
    ("noise_paths_average_to_the_response", noise_paths_average_to_the_response::picture),
    (
        "normal_contraction_traps_perturbed_orbits",
        normal_contraction_traps_perturbed_orbits::picture,
    ),
    (
        "normal_errors_and_cross_derivatives_bound_the_displacement",
        normal_errors_and_cross_derivatives_bound_the_displacement::picture,
    ),
    (
        "posterior_spread_and_denoiser_error_bound_the_distance",
        posterior_spread_and_denoiser_error_bound_the_distance::picture,
    ),
    ("alignment_persists_under_c1_small_errors", alignment_persists_under_c1_small_errors::picture),
    ("relative_compression_forces_alignment", relative_compression_forces_alignment::picture),
    ("compressing_maps_force_alignment", compressing_maps_force_alignment::picture),
    ("posterior_moments_certify_alignment", posterior_moments_certify_alignment::picture),
    (
        "tangential_alignment_bounds_score_overlap",
        tangential_alignment_bounds_score_overlap::picture,
    ),
    (
        "off_support_mass_follows_the_order_of_vanishing",
        off_support_mass_follows_the_order_of_vanishing::picture,
    ),
    (
        "normal_part_of_the_error_moves_singular_laws",
        normal_part_of_the_error_moves_singular_laws::picture,
    ),
    (
        "normal_error_over_thickness_bounds_the_response",
        normal_error_over_thickness_bounds_the_response::picture,
    ),
    ("gaussian_data_has_a_closed_form_flow", gaussian_data_has_a_closed_form_flow::picture),
    ("gaussian_paths_share_one_flow", gaussian_paths_share_one_flow::picture),
    ("sampler_maps_contract_normals_exactly", sampler_maps_contract_normals_exactly::picture),
    ("errors_convert_between_parametrisations", errors_convert_between_parametrisations::picture),
    ("segment_flow_is_a_quantile_map", segment_flow_is_a_quantile_map::picture),
];

/// The world of these knobs as a picture; None where its observer has none.
///
/// *Errors*: as [`observe`].
pub fn picture(claim: &str, knobs: &mut Knobs) -> Result<Option<Panel>> {
    match PAINTERS.iter().find(|(id, _)| *id == claim) {
        Some((_, painter)) => painter(knobs),
        None => Ok(None),
    }
}

/// What is true of the world of these knobs, carried in [extended precision](crate::scalar::Extended): those of its facts that
/// have a value there. None where its claim is not one of finite maps, or carrying them would take too long.
///
/// *Errors*: [`Error::Numeric`] where something is not finite, as a function of which only f64 values are known.
pub fn extended(claim: &str, knobs: &mut Knobs) -> Result<Option<Facts>> {
    match EXTENSIONS.iter().find(|(id, _)| *id == claim) {
        Some((_, extension)) => extension(knobs),
        None => Ok(None),
    }
}

/// Builds the world of these knobs for a claim and measures it.
///
/// *Errors*: [`Error::Input`] for an unknown claim; [`Error::Numeric`] when the world could not be computed.
pub fn observe(claim: &str, knobs: &mut Knobs) -> Result<Observation> {
    let (_, observer) = OBSERVERS.iter().find(|(id, _)| *id == claim).ok_or_else(|| {
        Error::input(claim, "no observer for this claim", "driftproof claims lists them")
    })?;
    observer(knobs)
}
