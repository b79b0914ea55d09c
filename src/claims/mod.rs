//! What the paper says, as judges over facts. Imports no solver.
//!
//! One file per claim. A judge turns [`Facts`] into signed margins; its
//! falsifying mutants are the same judge with one constant altered or one
//! hypothesis dropped, written where they bite: `v.scale("gamma_doubled", 2.0)`
//! is 1 in the claim and 2 in the mutant of that name.

pub mod adiabatic_gap_forces_alignment;
pub mod agreement;
pub mod alignment_and_robustness_are_independent;
pub mod alignment_persists_under_c1_small_errors;
pub mod compressing_maps_force_alignment;
pub mod compression_alone_does_not_align;
pub mod counterexample_maps;
pub mod curvature_and_second_derivatives_bound_the_blocks;
pub mod errors_convert_between_parametrisations;
pub mod gaussian_data_has_a_closed_form_flow;
pub mod gaussian_paths_share_one_flow;
pub mod moving_frame_blocks_are_gauge_invariant;
mod naive_alignment;
pub mod noise_paths_average_to_the_response;
pub mod normal_contraction_traps_perturbed_orbits;
pub mod normal_error_over_thickness_bounds_the_response;
pub mod normal_errors_and_cross_derivatives_bound_the_displacement;
pub mod normal_part_of_the_error_moves_singular_laws;
pub mod off_support_mass_follows_the_order_of_vanishing;
pub mod posterior_moments_certify_alignment;
pub mod posterior_spread_and_denoiser_error_bound_the_distance;
pub mod qr_subspace_tracks_singular_subspace;
pub mod radial_law;
pub mod relative_compression_forces_alignment;
pub mod response_stays_in_the_support_of_every_model;
pub mod riccati;
pub mod rotated_coupling_solves_the_riccati_equation;
pub mod sampler_maps_contract_normals_exactly;
pub mod schedules;
pub mod segment_flow_is_a_quantile_map;
pub mod sensitivity_carries_the_response_of_any_law;
pub mod sphere_flow_is_a_radial_quantile_map;
pub mod tangential_alignment_bounds_score_overlap;
pub mod torus_flow_factors_into_circles;
pub mod two_formulas_give_one_response;

use crate::facts::Facts;
use crate::verdict::Judgement;

/// Which wording of a claim is judged: the true one, or one of its mutants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant(Option<&'static str>);

impl Variant {
    /// The claim as stated.
    pub const STATED: Self = Self(None);

    /// 1 in the claim as stated, `factor` in the mutant of that name.
    pub fn scale(self, mutant: &'static str, factor: f64) -> f64 {
        if self.is(mutant) { factor } else { 1.0 }
    }

    /// True in the mutant of that name.
    pub fn is(self, mutant: &'static str) -> bool {
        self.0 == Some(mutant)
    }
}

/// A wrong version of a claim, which some world must refute.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// Its name, as in the judge; `without_H2` drops hypothesis H2.
    pub name: &'static str,
    /// What is wrong about it.
    pub what: &'static str,
}

/// A statement that can be judged from facts.
pub struct Claim {
    /// Its name on the command line and the stem of its files under theorems/.
    pub id: &'static str,
    /// The numbers of the theory that it covers, e.g. `["T2.0"]`.
    pub theory: &'static [&'static str],
    /// The statement in one line.
    pub summary: &'static str,
    /// The statement page, `theorems/<id>.md`.
    pub page: &'static str,
    /// A campaign in which a smaller share of worlds met the hypotheses is vacuous.
    pub least_in_scope: f64,
    /// Wrong versions that the checks must refute.
    pub mutants: &'static [Mutant],
    /// Margins of the given wording; dropped hypotheses are handled by [`Claim::judge_mutant`].
    pub margins: fn(&Facts, Variant) -> Judgement,
}

impl Claim {
    /// The judgement of the claim as stated.
    pub fn judge(&self, facts: &Facts) -> Judgement {
        (self.margins)(facts, Variant::STATED)
    }

    /// How far the statement is proved and where it is from: what its page says after **Standing**, on one line.
    ///
    /// What precedes the first semicolon, such as `proved, but for (e)`, says how far it is proved.
    pub fn standing(&self) -> String {
        let rest = self.page.split_once("**Standing**").map_or("", |(_, rest)| rest);
        let paragraph = rest.split("\n\n").next().unwrap_or_default();
        let words = paragraph.split("**").next().unwrap_or_default().split_whitespace();
        words.collect::<Vec<_>>().join(" ")
    }

    /// The part of its page from the statement up to the proof, Markdown with formulas between dollar signs.
    pub fn statement(&self) -> &'static str {
        let rest = self.page.split_once("\n## Statement\n").map_or("", |(_, rest)| rest);
        rest.split("\n## ").next().unwrap_or_default().trim()
    }

    /// Its mutant of that name.
    pub fn mutant(&self, name: &str) -> Option<&'static Mutant> {
        self.mutants.iter().find(|mutant| mutant.name == name)
    }

    /// The judgement of a mutant.
    pub fn judge_mutant(&self, facts: &Facts, mutant: &Mutant) -> Judgement {
        let judgement = (self.margins)(facts, Variant(Some(mutant.name)));
        match mutant.name.strip_prefix("without_") {
            Some(hypothesis) => judgement.without_hypothesis(hypothesis),
            None => judgement,
        }
    }
}

/// Every claim, in the order of the theory.
pub const ALL: &[&Claim] = &[
    &sensitivity_carries_the_response_of_any_law::CLAIM,
    &response_stays_in_the_support_of_every_model::CLAIM,
    &two_formulas_give_one_response::CLAIM,
    &noise_paths_average_to_the_response::CLAIM,
    &off_support_mass_follows_the_order_of_vanishing::CLAIM,
    &normal_part_of_the_error_moves_singular_laws::CLAIM,
    &normal_error_over_thickness_bounds_the_response::CLAIM,
    &moving_frame_blocks_are_gauge_invariant::CLAIM,
    &relative_compression_forces_alignment::CLAIM,
    &compressing_maps_force_alignment::CLAIM,
    &curvature_and_second_derivatives_bound_the_blocks::CLAIM,
    &adiabatic_gap_forces_alignment::CLAIM,
    &posterior_moments_certify_alignment::CLAIM,
    &tangential_alignment_bounds_score_overlap::CLAIM,
    &qr_subspace_tracks_singular_subspace::CLAIM,
    &normal_contraction_traps_perturbed_orbits::CLAIM,
    &normal_errors_and_cross_derivatives_bound_the_displacement::CLAIM,
    &posterior_spread_and_denoiser_error_bound_the_distance::CLAIM,
    &alignment_persists_under_c1_small_errors::CLAIM,
    &gaussian_data_has_a_closed_form_flow::CLAIM,
    &gaussian_paths_share_one_flow::CLAIM,
    &sampler_maps_contract_normals_exactly::CLAIM,
    &errors_convert_between_parametrisations::CLAIM,
    &sphere_flow_is_a_radial_quantile_map::CLAIM,
    &torus_flow_factors_into_circles::CLAIM,
    &rotated_coupling_solves_the_riccati_equation::CLAIM,
    &segment_flow_is_a_quantile_map::CLAIM,
    &compression_alone_does_not_align::CLAIM,
    &alignment_and_robustness_are_independent::CLAIM,
];

/// The claim of that id.
pub fn find(id: &str) -> Option<&'static Claim> {
    ALL.iter().copied().find(|claim| claim.id == id)
}
