//! Robustness of the support: what errors of growing size do to samples, along the data manifold and off it.

mod errors;
pub mod first_order;
mod manifold_pictures;
pub mod manifolds;
pub mod no_manifold;
mod pictures;
pub mod shifts;
pub mod study;

pub use errors::{error_of, name_of};

use super::Setting;
use super::model_class::{SIGMA_END, SIGMA_START};
use super::shape::Shape;
use crate::drift::Pairs;
use crate::error::Result;
use crate::manifold::Law;
use crate::random::Stream;
use crate::record::Chapter;
use study::Study;

/// Name of the chapter.
pub const NAME: &str = "robustness-of-the-support";

/// What it is about.
pub const TITLE: &str = "Robustness of the support";

/// Figures and tables of the chapter.
pub const FIGURES: &[&str] = &[
    "samples-by-class",
    "samples-by-error",
    "shift-by-error",
    "shift-by-class",
    "first-order-by-class",
    "first-order-shifts",
    "densities",
    "other-manifolds",
    "other-manifolds-by-class",
    "other-manifolds-samples",
    "other-manifolds-densities",
    "no-manifold",
    "no-manifold-by-class",
];

/// Pairs of the minibatch coupling, and its batches.
const PAIRS: usize = 1024;
const BATCH: usize = 256;

/// Computes the chapter.
///
/// *Errors*: none in practice; as the models.
pub fn run(setting: &Setting) -> Result<Chapter> {
    let about = format!(
        "Exact models of known laws, with errors added: a score-based model (variance preserving, β from 0.1 to 20) by its \
         probability flow and by ancestral steps, flow matching with the independent coupling and with a minibatch \
         optimal-transport coupling ({PAIRS} pairs in batches of {BATCH}, assigned exactly; the velocity is the posterior mean \
         over the pairs), and the trigonometric stochastic interpolant. All start from their exact law at noise level σ = \
         {SIGMA_START} and end at σ = {SIGMA_END}. An error is a random Fourier field of correlation length 1 and unit root mean \
         square, times ε, added to one of four predictions: velocity, score, noise, denoiser (T6.4). Shifts are medians over samples: \
         their means are ruled by the few that start near the divide between the moons and change sides, of which medians say \
         nothing (T1.5 (d) speaks of a mean). These are our settings; the paper's are not known to us."
    );
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    let stream = setting.stream(NAME);
    let moons = Shape::moons()?;
    (setting.begin)("optimal transport of minibatches");
    let pairs = pairs_of(&moons, PAIRS, BATCH, stream)?;
    let sizes = (0..6).map(|k| 3e-3 * 10_f64.powf(0.5 * f64::from(k))).collect();
    let study = Study {
        shape: &moons,
        pairs: &pairs,
        sizes,
        errors: 10,
        samples: 64,
        steps: 64,
        stream: stream.named("moons"),
    };
    (setting.begin)("samples of two moons");
    pictures::samples(&Study { samples: 250, sizes: Vec::new(), ..study }, &mut chapter)?;
    (setting.begin)("shifts of two moons");
    let all = errors::All::measure(&study)?;
    shifts::by_parametrisation(&study, &all, &mut chapter);
    shifts::by_class(&study, &all, &mut chapter);
    first_order::first_order(&study, &all, &mut chapter);
    (setting.begin)("densities");
    pictures::densities(&study, &mut chapter)?;
    manifolds::add(setting, &mut chapter)?;
    (setting.begin)("a density without a manifold");
    no_manifold::without_manifold(setting, &mut chapter)?;
    Ok(chapter)
}

/// Minibatch optimal transport from noise to a shape.
///
/// *Errors*: as [`Pairs::minibatch`].
pub fn pairs_of(shape: &Shape, count: usize, batch: usize, stream: Stream) -> Result<Pairs> {
    let points = Law::uniform(shape.manifold.clone()).sample(count, stream.named("pairs"))?;
    let (dim, widths) = (shape.manifold.ambient(), (0.3, shape.thickness));
    Pairs::minibatch(dim, points.as_slice(), batch, widths, stream.named("pair noise"))
}
