//! What a learning error does: the sensitivity δ, its divergence, and the relative response g of the density.
//!
//! ρ^ε is the law of a model with error ε w, μ = dρ^ε/dε at ε = 0, and g = μ/ρ
//! where ρ > 0. Two formulas that share no derivative (T1.3):
//! - g = −(div δ + ⟨δ, s⟩), which needs second derivatives of the model;
//! - g = −Σ or −∫ of div w + ⟨w, s⟩, which needs the error and the score only.
//!
//! [`along_maps`] computes both for maps, without truncation; [`Lagrangian`] for a velocity
//! field; [`log_density_slope`] differentiates log ρ^ε at a fixed point through the whole model;
//! [`CarriedPoints`] does so for many points of a velocity field at once, with exact divergence, and
//! [`AccruedPoints`] takes the second formula there.

mod accrued;
mod density;
mod lagrangian;
mod maps;
mod source;

pub use accrued::AccruedPoints;
pub use density::{CarriedPoints, DensityAt};
pub use lagrangian::{Lagrangian, LagrangianState};
pub use maps::{MapResponse, along_maps, divergence_by_volume, log_density_slope, sensitivities};
pub use source::{LogDensity, NoisyLaw};
