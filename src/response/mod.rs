//! TEMP
mod density;
mod source;
pub use density::{CarriedPoints, DensityAt};
pub use source::{LogDensity, NoisyLaw};
