//! The response of the density under maps F_k^ε: exact, without truncation (T1.3, map version).

use super::source::LogDensity;
use crate::error::{Error, Result};
use crate::flow::Maps;
use crate::linalg::{inverse, spectral_norm};
use crate::scalar::{TANGENT_LANES, Tangents, seeded};
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;

/// Relative rounding of a field and its first two derivatives: some ten operations, special functions among them.
const FIELD_ROUNDING: f64 = 16.0 * f64::EPSILON;

/// A carrier with one outer direction and [`TANGENT_LANES`] inner ones.
type Nested = Dual<Tangents>;

/// The law and its response along one orbit of the exact maps; every series has K + 1 entries, at x_0, …, x_K.
#[derive(Clone, Debug)]
pub struct MapResponse {
    /// The states x_k.
    pub states: Vec<DVector<f64>>,
    /// The sensitivity δ_k = dx_k/dε: δ_{k+1} = dF_k δ_k + w_k.
    pub delta: Vec<DVector<f64>>,
    /// div δ_k, of the field δ_k at x_k.
    pub divergence: Vec<f64>,
    /// log ρ_k(x_k).
    pub log_density: Vec<f64>,
    /// The score s_k(x_k), pulled through the maps.
    pub score: Vec<DVector<f64>>,
    /// g_k by −(div δ_k + ⟨δ_k, s_k⟩).
    pub from_divergence: Vec<f64>,
    /// g_k by −Σ_{j<k} [tr(dw_j dF_j⁻¹) + ⟨w_j, s_{j+1}⟩].
    pub from_error: Vec<f64>,
    /// An estimate of the rounding in either g_k, in log ρ^ε and in div δ_k: units of the largest terms,
    /// times the condition of dx_k/dx_0, times what is lost where single maps contract.
    pub rounding: Vec<f64>,
    /// The errors w_k = ∂F_k/∂ε at x_k of the K maps.
    pub error: Vec<DVector<f64>>,
    /// Their Jacobians dw_k.
    pub error_slope: Vec<DMatrix<f64>>,
    /// The Jacobian dx_K/dx_0, `D×D`.
    pub jacobian: DMatrix<f64>,
}

/// One map around a state, with the derivatives that the response needs.
struct Jet {
    value: DVector<f64>,
    jacobian: DMatrix<f64>,
    /// w_k = ∂F_k/∂ε.
    error: DVector<f64>,
    /// dw_k.
    error_slope: DMatrix<f64>,
    /// D²F_k[δ, ·].
    bent: DMatrix<f64>,
}

impl Jet {
    fn of(maps: &impl Maps, k: usize, x: &DVector<f64>, delta: &DVector<f64>) -> Self {
        let none = DVector::zeros(x.len());
        let along_error = Second::of(maps, k, x, &none, 1.0);
        let along_delta = Second::of(maps, k, x, delta, 0.0);
        Self {
            value: along_error.value,
            jacobian: along_error.jacobian,
            error: along_error.direction,
            error_slope: along_error.mixed,
            bent: along_delta.mixed,
        }
    }
}

/// Value and Jacobian of a map in x, and the derivative of both along one direction of (x, ε).
struct Second {
    value: DVector<f64>,
    jacobian: DMatrix<f64>,
    direction: DVector<f64>,
    mixed: DMatrix<f64>,
}

impl Second {
    fn of(maps: &impl Maps, k: usize, x: &DVector<f64>, to: &DVector<f64>, error: f64) -> Self {
        let mut out = Self::at(x.len());
        for first in (0..x.len()).step_by(TANGENT_LANES) {
            let mut carried = nested(x, to, first);
            maps.map(k, Dual::new(0.0.into(), error.into()), &mut carried);
            out.read(&carried, first);
        }
        out
    }

    /// The whole model instead of one map.
    fn of_all(maps: &impl Maps, x: &DVector<f64>, to: &DVector<f64>, error: f64) -> Self {
        let mut out = Self::at(x.len());
        for first in (0..x.len()).step_by(TANGENT_LANES) {
            let mut carried = nested(x, to, first);
            for k in 0..maps.maps() {
                maps.map(k, Dual::new(0.0.into(), error.into()), &mut carried);
            }
            out.read(&carried, first);
        }
        out
    }

    fn at(dim: usize) -> Self {
        Self {
            value: DVector::zeros(dim),
            jacobian: DMatrix::zeros(dim, dim),
            direction: DVector::zeros(dim),
            mixed: DMatrix::zeros(dim, dim),
        }
    }

    fn read(&mut self, carried: &[Nested], first: usize) {
        for (i, y) in carried.iter().enumerate() {
            self.value[i] = y.re.re;
            self.direction[i] = y.eps.re;
            for j in first..carried.len().min(first + TANGENT_LANES) {
                self.jacobian[(i, j)] = y.re.eps.0.map_or(0.0, |eps| eps[j - first]);
                self.mixed[(i, j)] = y.eps.eps.0.map_or(0.0, |eps| eps[j - first]);
            }
        }
    }
}

/// x with unit tangents in the inner lanes and the direction `to` in the outer one.
fn nested(x: &DVector<f64>, to: &DVector<f64>, first: usize) -> Vec<Nested> {
    let pairs = x.iter().zip(to).enumerate();
    pairs.map(|(i, (&x, &to))| Dual::new(seeded(x, i, first), Tangents::from(to))).collect()
}

/// Follows law, score, sensitivity and response along the orbit from `start`.
///
/// `source` is the law at the start. The divergence formula takes D²F from nested duals;
/// the error formula sees second derivatives in the score only.
///
/// ```
/// use driftproof::drift::{Channel, Gaussian, GaussianPath, LearningError, Schedule};
/// use driftproof::flow::{InexactFlow, Method, Sampler, uniform_times};
/// use driftproof::response::{NoisyLaw, along_maps};
/// let data = Gaussian::diagonal(&[4.0, 0.25])?;
/// let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &data };
/// let error = LearningError::constant(&[0.0, 1.0]);
/// let sampler = Sampler::new(Method::Euler, uniform_times(0.0, 0.9, 9));
/// let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
/// let noise = NoisyLaw { denoiser: &data, channel: Channel { signal: 0.0, noise_variance: 1.0 } };
/// let response = along_maps(&maps, &noise, &[0.5, -1.0])?;
/// // Two formulas without a common term.
/// assert!((response.from_error[9] - response.from_divergence[9]).abs() < 1e-13);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
///
/// *Errors*: [`Error::Numeric`] when a state is not finite or a Jacobian is singular.
pub fn along_maps(
    maps: &impl Maps,
    source: &impl LogDensity,
    start: &[f64],
) -> Result<MapResponse> {
    let dim = maps.dim();
    let mut slope = DMatrix::zeros(dim, dim); // Dδ_k
    let mut back = DMatrix::identity(dim, dim); // dx_0/dx_k
    let mut lost: f64 = 1.0; // units of rounding, at the worst map
    let mut out = MapResponse {
        states: vec![DVector::from_column_slice(start)],
        delta: vec![DVector::zeros(dim)],
        divergence: vec![0.0],
        log_density: vec![source.log_density(start)],
        score: vec![source.score(start)],
        from_divergence: vec![0.0],
        from_error: vec![0.0],
        rounding: vec![0.0],
        error: Vec::new(),
        error_slope: Vec::new(),
        jacobian: DMatrix::identity(dim, dim),
    };
    for k in 0..maps.maps() {
        let (x, delta) = (&out.states[k], &out.delta[k]);
        let jet = Jet::of(maps, k, x, delta);
        if !jet.value.iter().all(|v| v.is_finite()) {
            return Err(Error::numeric("response", format!("not finite after map {k}")));
        }
        let inverse = inverse(&jet.jacobian)?;
        let volume_slope = DVector::from_fn(dim, |i, _| {
            let mut unit = DVector::zeros(dim);
            unit[i] = 1.0;
            (Second::of(maps, k, x, &unit, 0.0).mixed * &inverse).trace()
        });
        let score = inverse.tr_mul(&(&out.score[k] - volume_slope));
        let delta = &jet.jacobian * delta + &jet.error;
        slope = (&jet.jacobian * &slope + &jet.bent + &jet.error_slope) * &inverse;
        let error_divergence = (&jet.error_slope * &inverse).trace();
        let growth = jet.jacobian.clone().lu().determinant().abs().ln();
        out.jacobian = &jet.jacobian * &out.jacobian;
        back *= &inverse;
        let condition = spectral_norm(&out.jacobian)? * spectral_norm(&back)?;
        // A map near the identity is 1 + small: what contracts it cancels.
        lost = lost.max((1.0 + jet.jacobian.norm()) * inverse.norm());
        // <s, δ> once here and once at the start, where it is <J's, J⁻¹δ>.
        let at_start = out.score[0].norm() + out.jacobian.tr_mul(&score).norm();
        let inner = (delta.norm() + jet.error.norm()) * score.norm();
        let terms = 1.0 + slope.norm() + inner + (&back * &delta).norm() * at_start;
        out.rounding.push(out.rounding[k] + FIELD_ROUNDING * condition * lost * terms);
        out.from_error.push(out.from_error[k] - error_divergence - jet.error.dot(&score));
        out.from_divergence.push(-(slope.trace() + delta.dot(&score)));
        out.divergence.push(slope.trace());
        out.log_density.push(out.log_density[k] - growth);
        out.states.push(jet.value);
        out.delta.push(delta);
        out.score.push(score);
        out.error.push(jet.error);
        out.error_slope.push(jet.error_slope);
    }
    Ok(out)
}

/// d log ρ^ε(y)/dε at the *fixed* point y = x_K, by one pass of nested duals through the whole model.
///
/// The start moves by −J⁻¹ δ so that the end does not: log ρ^ε(y) = log ρ_0(x_0(ε)) − log|det J^ε|.
/// It equals g_K of [`along_maps`] and shares no recursion with it. `response` gives J and δ.
///
/// *Errors*: [`Error::Numeric`] when J is singular, or the end is found to move.
pub fn log_density_slope(
    maps: &impl Maps,
    source: &impl LogDensity,
    response: &MapResponse,
) -> Result<f64> {
    let inverse = inverse(&response.jacobian)?;
    let (start, delta) = (&response.states[0], &response.delta[maps.maps()]);
    let back = -(&inverse * delta);
    let all = Second::of_all(maps, start, &back, 1.0);
    // It is rounding times the condition of J: far below this share wherever the slope means anything.
    let moved = all.direction.norm();
    if moved > 1e-6 * (1.0 + delta.norm()) {
        let problem = format!("the end moves by {moved:e} where it should stay");
        return Err(Error::numeric("response at a fixed point", problem));
    }
    let volume = (all.mixed * inverse).trace();
    Ok(source.score(start.as_slice()).dot(&back) - volume)
}

/// div δ_K at x_K as d log|det dx_K^ε/dx_0|/dε at a fixed start, by one pass through the whole model.
///
/// δ_K is the velocity of ψ_ε = Φ^ε∘Φ⁻¹, so this is Liouville's formula; no map is inverted.
///
/// *Errors*: [`Error::Numeric`] when the Jacobian is singular.
pub fn divergence_by_volume(maps: &impl Maps, start: &[f64]) -> Result<f64> {
    let start = DVector::from_column_slice(start);
    let all = Second::of_all(maps, &start, &DVector::zeros(start.len()), 1.0);
    Ok((all.mixed * inverse(&all.jacobian)?).trace())
}

/// The sensitivities δ_0 = 0, …, δ_K alone, by one dual in ε through the maps; the states come with them.
///
/// *Errors*: [`Error::Numeric`] with the map after which a state was not finite.
pub fn sensitivities(maps: &impl Maps, start: &[f64]) -> Result<Vec<(DVector<f64>, DVector<f64>)>> {
    let mut x: Vec<Dual<f64>> = start.iter().map(|&x| Dual::from(x)).collect();
    let read = |x: &[Dual<f64>]| {
        let part = |of: fn(&Dual<f64>) -> f64| DVector::from_iterator(x.len(), x.iter().map(of));
        (part(|x| x.re), part(|x| x.eps))
    };
    let mut out = vec![read(&x)];
    for k in 0..maps.maps() {
        maps.map(k, Dual::new(0.0, 1.0), &mut x);
        let (state, delta) = read(&x);
        if !state.iter().chain(&delta).all(|v| v.is_finite()) {
            return Err(Error::numeric("sensitivity", format!("not finite after map {k}")));
        }
        out.push((state, delta));
    }
    Ok(out)
}
