//! Schedules drawn at random, and flows integrated at two resolutions, shared by the claims of T6.

use crate::claims::schedules::FAMILIES;
use crate::drift::{Drift, Lanes, Schedule};
use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Sampler, StepWorkspace, adaptive_times};
use crate::linalg;
use crate::lyapunov::{Spectrum, spectrum};
use crate::random::Knobs;
use nalgebra::{DMatrix, DVector};

/// Local error of a step of the state, on which the time grid is chosen.
const TOLERANCE: f64 = 1e-10;

/// Rounding of a flow relative to its size on the way: some hundred steps of six stages, each a few units.
const ROUNDING: f64 = 1e-12;

/// Largest noise level of the schedules that have one, and the smallest.
const SIGMA_MAX: f64 = 80.0;
const SIGMA_MIN: f64 = 5e-4;

/// Decodes a schedule; the plainest is flow matching.
pub fn decode_schedule(knobs: &mut Knobs) -> Schedule {
    let kind = knobs.count(0, FAMILIES.len() - 1);
    let (low, high) = (knobs.unit(), knobs.unit());
    let (beta_min, beta_max) = (0.1 + 0.9 * low, 8.0 + 12.0 * high);
    let sigma_max = SIGMA_MAX * (1.0 - 0.7 * high);
    let sigma_min = SIGMA_MIN * (1.0 + low);
    match kind {
        0 => Schedule::FlowMatching,
        1 => Schedule::Trigonometric,
        2 => Schedule::VpLinear { beta_min, beta_max },
        3 => Schedule::VpCosine { offset: 0.001 + 0.02 * low },
        4 => Schedule::SubVp { beta_min, beta_max },
        5 => Schedule::Ve { sigma_min, sigma_max },
        _ => Schedule::Edm { sigma_min, sigma_max, rho: 2 + (6.0 * low) as i32 },
    }
}

/// States which schedule it is, in the words of the judges.
pub fn state_schedule(facts: &mut Facts, schedule: &Schedule) {
    let (name, parameters) = match *schedule {
        Schedule::VpLinear { beta_min, beta_max } => ("vp-linear", vec![beta_min, beta_max]),
        Schedule::SubVp { beta_min, beta_max } => ("sub-vp", vec![beta_min, beta_max]),
        Schedule::VpCosine { offset } => ("vp-cosine", vec![offset]),
        Schedule::Ve { sigma_min, sigma_max } => ("ve", vec![sigma_min, sigma_max]),
        Schedule::Edm { sigma_min, sigma_max, rho } => {
            ("edm", vec![sigma_min, sigma_max, f64::from(rho)])
        }
        Schedule::FlowMatching => ("flow-matching", Vec::new()),
        Schedule::Trigonometric => ("trigonometric", Vec::new()),
    };
    let place = FAMILIES.iter().position(|f| *f == name).expect("every schedule has its family");
    facts.set("family", Quantity::exact(place as f64));
    facts.set_series("parameters", parameters.into_iter().map(Quantity::exact).collect());
}

/// The end of a flow: the state, and the tangents that travelled with it.
pub struct End {
    /// Length D.
    pub state: DVector<f64>,
    /// J·V, `D×k`.
    pub tangents: DMatrix<f64>,
}

/// A flow on a grid and on its refinement.
pub struct Flow {
    /// At the finer resolution.
    pub fine: End,
    /// Size of the state on its way, at both ends at least.
    size: f64,
    /// Bound on the relative error of the state and of each column of J·V, in norm.
    relative: f64,
}

impl Flow {
    /// Integrates `drift` from time `from` to `to` with tangents `frame` (`D×k`), on steps chosen for the state,
    /// each of them cut into `finer`.
    ///
    /// *Accuracy*: the bars are the difference of two resolutions, about 30 times the error of the finer, and rounding.
    ///
    /// *Errors*: as [`adaptive_times`], and [`Error::Numeric`] for an end that is not finite.
    pub fn integrate(
        drift: &impl Drift,
        (from, to): (f64, f64),
        start: &[f64],
        frame: &DMatrix<f64>,
        finer: usize,
    ) -> Result<Self> {
        let times = adaptive_times(drift, from, to, start, TOLERANCE)?;
        let sampler = Sampler::new(Method::DormandPrince, times).finer(finer);
        let coarse = End::of(drift, &sampler, start, frame)?;
        let fine = End::of(drift, &sampler.refined(), start, frame)?;
        let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let size = norm(fine.state.as_slice()).max(norm(start));
        let mut relative = (&fine.state - &coarse.state).norm() / size;
        // The difference of one lane may vanish by accident, the worst of all lanes does not.
        for (j, f) in fine.tangents.column_iter().enumerate() {
            let rounding = ROUNDING * (1.0 + frame.column(j).norm() / f.norm());
            relative = relative.max((f - coarse.tangents.column(j)).norm() / f.norm() + rounding);
        }
        // Both resolutions stand on steps that were chosen to this local error, once for the state:
        // their difference can be smaller by accident (1 world in 5000).
        relative = relative.max(ROUNDING) + 4.0 * TOLERANCE;
        Ok(Self { fine, size, relative })
    }

    /// A linear functional of the state, of norm at most 1.
    pub fn state_fact(&self, value: f64) -> Quantity {
        Quantity::new(value, self.relative * self.size, Grade::Estimated)
    }

    /// A linear functional, of norm at most 1, of column `j` of the tangents.
    pub fn tangent_fact(&self, j: usize, value: f64) -> Quantity {
        let bar = self.relative * self.fine.tangents.column(j).norm();
        Quantity::new(value, bar, Grade::Estimated)
    }

    /// Singular values and left singular vectors of J·V.
    ///
    /// *Errors*: as [`linalg::svd`].
    pub fn spectrum(&self) -> Result<FlowSpectrum> {
        let tangents = &self.fine.tangents;
        let Spectrum { log_growth, end_vectors, .. } = spectrum(tangents)?;
        // J·V = B diag(column norms): relative errors of columns move every singular value by at most
        // ‖ΔB‖/σ_min(B), relative to itself (Demmel and Veselić).
        let mut scaled = tangents.clone();
        scaled.column_iter_mut().for_each(|mut c| c /= c.norm());
        let error = self.relative * (tangents.ncols() as f64).sqrt();
        let bar = error / linalg::least_singular_value(&scaled)?;
        let logs = log_growth.iter().map(|g| Quantity::new(*g, bar, Grade::Estimated)).collect();
        Ok(FlowSpectrum { logs, vectors: end_vectors, error: error * tangents.norm() })
    }
}

/// Singular values and end-point vectors of a flow.
pub struct FlowSpectrum {
    /// log singular values, decreasing.
    pub logs: Vec<Quantity>,
    /// Left singular vectors as columns.
    vectors: DMatrix<f64>,
    /// Bound on the error of J·V in norm.
    error: f64,
}

impl FlowSpectrum {
    /// The d at which log σ_d − log σ_{d+1} is largest.
    pub fn best_separated(&self) -> usize {
        let gap = |d: &usize| (self.logs[d - 1] - self.logs[*d]).value;
        let all = 1..self.logs.len();
        all.max_by(|i, j| gap(i).total_cmp(&gap(j))).unwrap_or(self.logs.len())
    }

    /// The top-d end-point subspace, `D×d`, and a bound on the angle by which it is off.
    pub fn top(&self, d: usize) -> (DMatrix<f64>, f64) {
        let sigma = |k: usize| self.logs.get(k).map_or(0.0, |log| log.value.exp());
        // Wedin: singular subspaces move by at most the error over the gap; twice, for the second order.
        let bar = 2.0 * self.error / (sigma(d - 1) - sigma(d));
        (self.vectors.columns(0, d).into_owned(), bar)
    }
}

impl End {
    fn of(
        drift: &impl Drift,
        sampler: &Sampler,
        start: &[f64],
        frame: &DMatrix<f64>,
    ) -> Result<Self> {
        let mut block = frame.clone().insert_column(0, 0.0);
        block.column_mut(0).copy_from_slice(start);
        let (lanes, mut work) = (Lanes::single(frame.ncols()), StepWorkspace::default());
        for k in 0..sampler.maps() {
            sampler.step(drift, k, block.as_mut_slice(), lanes, &mut work);
        }
        if block.iter().any(|v| !v.is_finite()) {
            return Err(Error::numeric("flow", "its end is not finite"));
        }
        Ok(Self { state: block.column(0).into_owned(), tangents: block.remove_column(0) })
    }
}
