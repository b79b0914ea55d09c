//! Data worlds entered where the state has come near the manifold, shared by T2.1 and T2.2.

use crate::drift::Denoiser;
use crate::error::Result;
use crate::flow::{Method, Sampler, Trajectory, geometric_times};
use crate::linalg::complement;
use crate::manifold::{Family, Nearest};
use crate::random::Knobs;
use crate::scenario::{HIGH_DIMENSION, Scenario, canonical};
use nalgebra::DMatrix;
use serde::Serialize;

/// Ambient dimensions: small, since whole Jacobians are measured.
const AMBIENTS: &[usize] = &[2, 3, 4, 6, 10];

/// Families of the worlds in high dimension: of few atoms, or of a closed form.
const HIGH_FAMILIES: [Family; 3] = [Family::Circle, Family::Sphere, Family::Arc];

/// Steps from the first noise level of the scenario to its last, on the way to the later stage.
const APPROACH: usize = 24;

/// The latest of these steps at which the later stage begins, so that two thirds of the noise levels remain at least.
const LATEST: usize = 8;

/// Where the later stage begins: curvature times distance below this.
const LARGEST_STRETCH: f64 = 0.5;

/// A data world of which only the later stage is measured.
#[derive(Serialize)]
pub struct LaterStage {
    /// The law, and the noise level at which it ends.
    pub scenario: Scenario,
    /// Noise level at which the later stage begins.
    pub sigma: f64,
    /// The state there.
    pub state: Vec<f64>,
    /// The posterior of the law.
    #[serde(skip)]
    pub denoiser: Denoiser,
}

impl LaterStage {
    /// Decodes a data world and runs it until the state is within half the radius of curvature of an
    /// interior nearest point, or a third of the noise levels has passed.
    ///
    /// The share `high` of the worlds lies in R^64: a tenth of a second each where Jacobians are whole.
    ///
    /// *Errors*: as [`Scenario::decode`] and [`Trajectory::from`].
    pub fn decode(knobs: &mut Knobs, high: f64) -> Result<Self> {
        let scenario = match knobs.unit() > 1.0 - high {
            true => Scenario::decode_in(knobs, &HIGH_FAMILIES, &[HIGH_DIMENSION])?,
            false => Scenario::decode_in(knobs, &Family::ALL, AMBIENTS)?,
        };
        let denoiser = scenario.denoiser()?;
        let levels = geometric_times(scenario.sigma_start, scenario.sigma_end, APPROACH);
        let approach = Sampler::new(Method::Heun, levels[..=LATEST].to_vec());
        let states = Trajectory::from(&canonical(&denoiser), &approach, &scenario.start)?.states;
        let mut begin = LATEST;
        for (k, state) in states.iter().enumerate().rev() {
            let foot = scenario.manifold().nearest(state.as_slice())?;
            if !is_near(&scenario, &foot) {
                break;
            }
            begin = k;
        }
        let (sigma, state) = (levels[begin], states[begin].as_slice().to_vec());
        Ok(Self { scenario, sigma, state, denoiser })
    }

    /// Noise levels from the beginning of the stage to its end, equal steps of log σ.
    pub fn levels(&self, steps: usize) -> Vec<f64> {
        geometric_times(self.sigma, self.scenario.sigma_end, steps)
    }

    /// The nearest point of a state.
    ///
    /// *Errors*: as [`crate::manifold::Manifold::nearest`].
    pub fn nearest(&self, state: &[f64]) -> Result<Nearest> {
        self.scenario.manifold().nearest(state)
    }

    /// `[U_T U_N]` at a nearest point, `D×D`.
    pub fn frame(&self, foot: &Nearest) -> DMatrix<f64> {
        let tangent = self.scenario.manifold().tangent_frame(&foot.place);
        let normal = complement(&tangent);
        let (d, dim) = (tangent.ncols(), tangent.nrows());
        DMatrix::from_fn(dim, dim, |r, c| if c < d { tangent[(r, c)] } else { normal[(r, c - d)] })
    }

    /// ‖II‖ at a nearest point.
    pub fn curvature(&self, foot: &Nearest) -> f64 {
        self.scenario.manifold().curvature_at(&foot.place)
    }

    /// True for an interior foot point with Kr < 1/2.
    pub fn is_near(&self, foot: &Nearest) -> bool {
        is_near(&self.scenario, foot)
    }
}

fn is_near(scenario: &Scenario, foot: &Nearest) -> bool {
    let bend = scenario.manifold().curvature_at(&foot.place);
    !foot.boundary && bend * foot.distance < LARGEST_STRETCH
}
