//! Real data under their exact denoisers: images without a known manifold, and points of known surfaces.

mod convergence;
mod images;
mod mosaic;
pub mod moving;
mod overlap;
mod spectra;
mod surfaces;
mod vectors;

pub use images::{Images, Plan};
pub use mosaic::mosaic;
pub use moving::{Moves, moves};
pub use overlap::overlap;
pub use surfaces::{Surface, surface};

use super::Setting;
use crate::error::Result;
use crate::record::Chapter;

/// Name of the chapter.
pub const NAME: &str = "real-data";

/// What it is about.
pub const TITLE: &str = "Real data under exact denoisers";

/// Figures and tables of the chapter.
pub const FIGURES: &[&str] = &[
    "exponents",
    "digits-vectors",
    "clothing-vectors",
    "moving",
    "leading-pairs",
    "image-planes",
    "surfaces",
    "surfaces-table",
];

/// Computes the chapter.
///
/// *Errors*: as the parts; [`crate::error::Error::Numeric`] when a flow leaves the finite numbers.
pub fn run(setting: &Setting<'_>) -> Result<Chapter> {
    let stream = setting.stream(NAME);
    (setting.begin)("digits");
    let digits = Images::measure(&Plan::DIGITS, stream.named("digits"))?;
    (setting.begin)("clothing");
    let clothing = Images::measure(&Plan::CLOTHING, stream.named("clothing"))?;
    let images = [&digits, &clothing];
    let about = format!(
        "The exact denoiser of a data set takes its points as the law. Its canonical flow is run from a point of the data \
         with as much noise as the data are spread, down to the noise level at which a typical posterior averages over \
         fewer than 12 points, in {} Runge–Kutta steps. Images are divided by their brightest grey level: 1797 digits of \
         8×8 pixels (σ from {:.2} to {:.2}), and 2000 pieces of clothing of 28×28 (σ from {:.2} to {:.2}), of which the {} \
         leading and {} last singular pairs of the Jacobian are computed. The null is Gaussian data of the same mean, \
         covariance and number. Earthquakes and volcanoes lie on the unit sphere; the bunny comes with its normals.",
        digits.plan.steps,
        digits.levels.start,
        digits.levels.end,
        clothing.levels.start,
        clothing.levels.end,
        clothing.plan.leading,
        clothing.plan.bottom,
    );
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    (setting.begin)("convergence of leading pairs");
    let of_pairs = stream.named("convergence");
    let converged = [
        convergence::rounds(images[0], of_pairs.named(images[0].plan.name))?,
        convergence::rounds(images[1], of_pairs.named(images[1].plan.name))?,
    ];
    chapter.figures = vec![spectra::figure(images, &converged)?];
    spectra::findings(images, &mut chapter);
    for seen in images {
        chapter.figures.push(vectors::figure(seen));
    }
    (setting.begin)("moving along Lyapunov vectors");
    moving::add(images, &mut chapter)?;
    convergence::add(images, &converged, &mut chapter);
    (setting.begin)("planes of images");
    chapter.figures.push(overlap::figure(images)?);
    (setting.begin)("surfaces with known planes");
    surfaces::add(stream.named("surfaces"), &mut chapter)?;
    Ok(chapter)
}
