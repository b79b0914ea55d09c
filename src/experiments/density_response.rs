//! What an error does to the density: the relative response g computed twice, on and off the manifold, off compact
//! supports, at finite sizes, and for stochastic samplers.

pub mod circle;
pub mod finite;
pub mod mass;
pub mod moons;
pub mod noise;
pub mod singular;

pub use circle::Circle;
pub use mass::{Leak, leaks};
pub use moons::{Grid, Moons};
pub use noise::Chain;

use super::Setting;
use crate::error::Result;
use crate::figure::{Axis, Mark, Panel};
use crate::record::Chapter;
use rayon::prelude::*;

/// Its name.
pub const NAME: &str = "density-response";

/// What it is about.
pub const TITLE: &str = "Density response: where an error changes the density, and by how much";

/// Its figures and tables.
pub const FIGURES: &[&str] = &[
    "two-formulas",
    "on-and-off-the-circle",
    "singular-law",
    "mass-off-the-support",
    "finite-errors",
    "noise-paths",
    "powers",
];

/// Computes the chapter.
///
/// *Errors*: as the laws and flows that it runs.
pub fn run(setting: &Setting) -> Result<Chapter> {
    let stream = setting.stream(NAME);
    let about = format!(
        "$\\rho^\\varepsilon$ is the law of a model whose velocity is $v + \\varepsilon w$, \
         $g = \\partial_\\varepsilon \\log \\rho^\\varepsilon$ at $\\varepsilon = 0$ its relative response. In the plane: two moons of \
         radius 1 and thickness {} (exact denoiser, flow matching up to t = {}) with a random Fourier error of the velocity; \
         the unit circle with a constant error of the denoiser, split into its tangent and its normal part; bodies with a \
         boundary; and Euler–Maruyama samplers on a line and on the moons.",
        moons::THICKNESS,
        moons::END,
    );
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    let moons = Moons::new(stream.named("moons"))?;
    (setting.begin)("density response: two formulas");
    moons::two_formulas(&mut chapter, &moons)?;
    (setting.begin)("density response: on and off a circle");
    let ring = Circle::new()?;
    circle::add(&mut chapter, &ring)?;
    singular::add(&mut chapter, &ring, stream.named("circle"))?;
    (setting.begin)("density response: mass off bodies");
    mass::add(&mut chapter, stream.named("bodies"))?;
    (setting.begin)("density response: finite errors");
    finite::add(&mut chapter, &moons)?;
    (setting.begin)("density response: noise paths");
    noise::add(&mut chapter, &moons, stream.named("noise paths"))?;
    Ok(chapter)
}

/// `f` of the columns of `points` (`dim`×N), in chunks on all threads; the order is that of the points.
fn side_by_side<T: Send>(
    dim: usize,
    points: &[f64],
    f: impl Fn(&[f64]) -> Vec<T> + Send + Sync,
) -> Vec<T> {
    points.par_chunks(64 * dim).flat_map_iter(f).collect()
}

/// The weighted root mean square.
fn root_mean_square(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, mass) = values.fold((0.0, 0.0), |(sum, mass), (value, weight)| {
        (sum + weight * value * value, mass + weight)
    });
    (sum / mass).sqrt()
}

/// A picture of the plane with values on a grid.
fn picture(title: &str, grid: &Grid, values: Vec<f64>, signed: bool) -> Panel {
    let [left, right, low, high] = grid.extent;
    let mark = Mark::Raster { extent: grid.extent, columns: grid.columns, values, signed };
    let mut panel = Panel::plane(title).with("", crate::figure::Ink::Measured, mark);
    panel.x = Axis::new("x₁").from_to(left, right);
    panel.y = Axis::new("x₂").from_to(low, high);
    panel
}
