//! Propagated planes, tangent planes and scores along canonical flows, for T2.6.

use super::Observation;
use crate::drift::{Channel, Denoise, Denoiser, Gaussian};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Method, Sampler, Trajectory, geometric_times};
use crate::linalg::{complement, frame_from_normals, largest_angle};
use crate::lyapunov::qr_history;
use crate::manifold::Family;
use crate::random::Knobs;
use crate::scenario::{Labels, Scenario, canonical};
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Noise levels at which the overlap is measured: this many steps apart.
const STRIDE: usize = 20;

/// The ridge of a thin Gaussian: the score is tangential although the plane is perfectly aligned (C10).
#[derive(Serialize)]
struct Ridge {
    /// Deviations of the data along and across.
    along: f64,
    across: f64,
    /// How far off the ridge the trajectory starts, in deviations.
    offset: f64,
}

/// Those whose nearest points are quickly found.
const FAMILIES: [Family; 7] = [
    Family::Circle,
    Family::Sphere,
    Family::FlatTorus,
    Family::ClosedCurve,
    Family::Ellipse,
    Family::Arc,
    Family::Moons,
];

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    // An angle to a plane other than the one that splits the score says nothing.
    let same_plane = knobs.unit() < 0.95;
    if knobs.unit() > 0.7 {
        let ridge = Ridge {
            along: knobs.range(0.5, 2.0),
            across: knobs.log_range(0.01, 0.1),
            offset: knobs.pick(&[0.0, 0.1, 2.0]),
        };
        let facts = on_ridge(&ridge, same_plane)?;
        return Ok(Observation::new(&ridge, facts).labelled(Labels::of("gaussian ridge")));
    }
    let scenario = Scenario::decode(knobs, &FAMILIES)?;
    let manifold = scenario.manifold();
    let denoiser = scenario.denoiser()?;
    let sampler = scenario.sampler();
    let foot_frame = |y: &DVector<f64>| -> Result<DMatrix<f64>> {
        Ok(manifold.tangent_frame(&manifold.nearest(y.as_slice())?.place))
    };
    let plane = scenario.plane(manifold.dim());
    let facts = measure(&denoiser, &sampler, &scenario.start, &plane, &foot_frame, same_plane)?;
    Ok(Observation::new(&scenario, facts).labelled(scenario.labels()))
}

/// A data world as a picture; none of a ridge.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let _same_plane = knobs.unit();
    if knobs.unit() > 0.7 {
        return Ok(None);
    }
    super::picture::of_scenario(&Scenario::decode(knobs, &FAMILIES)?).map(Some)
}

fn on_ridge(ridge: &Ridge, same_plane: bool) -> Result<Facts> {
    let variances = vec![ridge.along.powi(2), ridge.across.powi(2)];
    let gaussian = Gaussian::new(vec![0.0; 2], DMatrix::identity(2, 2), variances)?;
    let sampler = Sampler::new(Method::Rk4, geometric_times(5.0, 0.1 * ridge.across, 100));
    let start = [3.0, ridge.offset * 5.0];
    let axis = DMatrix::identity(2, 1);
    let frame = |_: &DVector<f64>| Ok(DMatrix::identity(2, 1));
    measure(&gaussian.into(), &sampler, &start, &axis, &frame, same_plane)
}

/// sin Θ, |s_T|, |s_N| and ‖P_E s‖ along one trajectory of the canonical flow.
fn measure(
    denoiser: &Denoiser,
    sampler: &Sampler,
    start: &[f64],
    plane: &DMatrix<f64>,
    tangent_at: &dyn Fn(&DVector<f64>) -> Result<DMatrix<f64>>,
    same_plane: bool,
) -> Result<Facts> {
    let flow = canonical(denoiser);
    let trajectory = Trajectory::from(&flow, sampler, start)?;
    let planes = qr_history(&trajectory, plane);
    let mut facts = Facts::new();
    for k in (STRIDE..=sampler.maps()).step_by(STRIDE) {
        let (y, sigma) = (&trajectory.states[k], sampler.times()[k]);
        let mut mean = vec![0.0; y.len()];
        denoiser.denoise(Channel::canonical(sigma), y.as_slice(), &mut mean);
        // Tweedie: s = (D − y)/σ².
        let score = (DVector::from_vec(mean) - y) / (sigma * sigma);
        let tangent = tangent_at(y)?;
        let measured = match same_plane {
            true => tangent.clone(),
            false => planes[k].clone(),
        };
        let split = match same_plane {
            true => tangent,
            false => {
                let seed = crate::random::Stream::root(k as u64);
                frame_from_normals(y.len(), plane.ncols(), &seed.normals(y.len() * plane.ncols()))
            }
        };
        let rounding = 1e-12 * score.norm();
        let exact = |value: f64| Quantity::new(value, rounding, Grade::Symbolic);
        let sine = largest_angle(&planes[k], &measured)?.sin();
        facts.push("sine", Quantity::new(sine, 1e-12, Grade::Symbolic));
        facts.push("score_tangential", exact(split.tr_mul(&score).norm()));
        facts.push("score_normal", exact(complement(&split).tr_mul(&score).norm()));
        facts.push("overlap", exact(planes[k].tr_mul(&score).norm()));
        facts.push("same_plane", Quantity::exact(f64::from(same_plane)));
    }
    Ok(facts)
}
