//! Counterexamples of T7 run in R^D, measured in the resting frame of M.

use super::Observation;
use super::compressing_maps_force_alignment::Maps;
use super::frames::blocks_in_frame;
use super::resolved::{Resolved, Stage as Leg};
use crate::claims::counterexample_maps::NUMBERS;
use crate::drift::{Counterexample, Drift, Embedded, Lanes, Stage, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity, nullable};
use crate::flow::{Method, Sampler, uniform_times};
use crate::linalg::{
    frame_from_normals, largest_angle, least_singular_value, mu_max, spectral_norm,
};
use crate::random::{Knobs, Stream};
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Intervals of the time grid of a stage, a multiple of 4: quarter points.
const STEPS: usize = 96;

/// Rounding of an angle on the way, before it is amplified.
const ROUNDING: f64 = 1e-13;

/// Directions of either kind in which blocks and Jacobians are measured; further ones move like the last.
const MEASURED: usize = 2;

/// A planar counterexample as a block in R^D, in random axes.
#[derive(Clone, Serialize)]
pub struct PlanarWorld {
    /// Its number in T7.
    pub number: &'static str,
    /// Its field and parameters: what is predicted from.
    pub example: Counterexample,
    /// τ.
    pub span: f64,
    /// D.
    pub dim: usize,
    /// d, at most D − 1.
    pub tangent: usize,
    /// l_0; ∞ for a plane that contains the normal direction of the block.
    #[serde(with = "nullable")]
    pub start_slope: f64,
    /// (x, y) of the state at the start.
    pub start: [f64; 2],
    /// The flow that is run.
    pub flow: Vec<Stage>,
    /// The flow from which its displacement is measured, if any.
    pub exact: Option<Vec<Stage>>,
    /// The axes.
    #[serde(skip)]
    pub axes: Stream,
}

/// A flow in its axes, ready to run.
struct Prepared {
    fields: Vec<Embedded>,
    samplers: Vec<(Sampler, Sampler)>,
}

impl Prepared {
    fn new(stages: &[Stage], axes: &DMatrix<f64>, d: usize) -> Result<Self> {
        let tangent = axes.columns(0, d).into_owned();
        let normal: DVector<f64> = axes.column(d).into_owned();
        let embed = |stage: &Stage| Embedded::new(stage.field, tangent.clone(), normal.clone());
        let fields = stages.iter().map(embed).collect::<Result<_>>()?;
        let sampler = |stage: &Stage| {
            let times = uniform_times(0.0, stage.duration, STEPS);
            let sampler = Sampler::new(Method::DormandPrince, times);
            let refined = sampler.refined();
            (sampler, refined)
        };
        Ok(Self { fields, samplers: stages.iter().map(sampler).collect() })
    }

    fn run(&self, start: &[f64]) -> Result<Resolved<'_, Embedded>> {
        let legs = self.fields.iter().zip(&self.samplers);
        let legs: Vec<_> =
            legs.map(|(drift, (sampler, refined))| Leg { drift, sampler, refined }).collect();
        Resolved::staged(&legs, start)
    }

    /// The times of the whole grid with the field that acts there, the later one where two meet.
    fn times(&self) -> Vec<(f64, &Embedded)> {
        let mut begin = 0.0;
        let mut times: Vec<(f64, &Embedded)> = Vec::new();
        for (field, (sampler, _)) in self.fields.iter().zip(&self.samplers) {
            times.pop();
            times.extend(sampler.times().iter().map(|t| (begin + t, field)));
            begin = times.last().map_or(begin, |(t, _)| *t);
        }
        times
    }
}

impl PlanarWorld {
    /// A counterexample in a random number of dimensions, at most 8 in most worlds, at rest in its exact field.
    pub fn new(
        number: &'static str,
        example: Counterexample,
        span: f64,
        start_slope: f64,
        knobs: &mut Knobs,
    ) -> Self {
        let many = knobs.unit() > 0.97;
        let (dim, tangent) = match many {
            false => {
                let dim = knobs.count(2, 8);
                (dim, knobs.count(1, dim - 1))
            }
            true => (64, knobs.count(1, 3)),
        };
        let (flow, axes) = (example.stages(span), knobs.stream("axes"));
        let start = [0.0, 1.0];
        Self { number, example, span, dim, tangent, start_slope, start, flow, exact: None, axes }
    }

    /// The same world, run with its error and measured against its exact flow.
    pub fn with_error(mut self) -> Self {
        self.flow = self.example.perturbed(self.span);
        self.exact = Some(self.example.stages(self.span));
        self
    }

    /// `[U_T U_N]`, `D×D`.
    fn frame(&self) -> DMatrix<f64> {
        frame_from_normals(self.dim, self.dim, &self.axes.normals(self.dim * self.dim))
    }

    /// A basis of E(0): slope l_0 in the plane of the block, tangent otherwise.
    fn plane(&self, axes: &DMatrix<f64>) -> DMatrix<f64> {
        let mut plane = axes.columns(0, self.tangent).into_owned();
        let normal = axes.column(self.tangent);
        match self.start_slope.is_finite() {
            true => plane.column_mut(0).axpy(self.start_slope, &normal, 1.0),
            false => plane.set_column(0, &normal),
        }
        plane
    }

    fn start_in(&self, axes: &DMatrix<f64>) -> DVector<f64> {
        axes.column(0) * self.start[0] + axes.column(self.tangent) * self.start[1]
    }

    /// The world and its facts.
    ///
    /// *Errors*: as [`PlanarWorld::measure`].
    pub fn observe(&self) -> Result<Observation> {
        Ok(Observation::new(self, self.measure()?))
    }

    /// Along the path `time`, `gamma`, `kappa`, `eta`, `normal_compression`, `slope` and `end_sine` as in
    /// T2.1, the signed `cosine` of the largest angle to M, and the blocks `gamma_on`, … at the foot point;
    /// at the end the Jacobian in the frame, its log singular values, and the displacement by the error.
    ///
    /// *Errors*: as [`Resolved::staged`], and as [`crate::linalg::svd`].
    pub fn measure(&self) -> Result<Facts> {
        let (d, axes) = (self.tangent, self.frame());
        let prepared = Prepared::new(&self.flow, &axes, d)?;
        let orbit = prepared.run(self.start_in(&axes).as_slice())?;
        let mut facts = self.parameters();

        // Blocks and Jacobians in the first tangent and normal directions.
        let (tangents, normals) = (d.min(MEASURED), (self.dim - d).min(MEASURED));
        let chosen: Vec<usize> = (0..tangents).chain(d..d + normals).collect();
        let frame = axes.select_columns(&chosen);
        let jacobian = orbit.jacobian_in(&frame);
        // The blocks at a state that is off change what they carry by so much in a time t, from the start on.
        let bent = |off: f64, time: f64| off * self.bend() * time;
        let times = prepared.times();
        let late = bent(orbit.state(times.len() - 1).1, self.span);
        let entries = (0..chosen.len() * chosen.len())
            .map(|k| jacobian.at(k / chosen.len(), k % chosen.len()).widened(late))
            .collect();
        facts.set_series("jacobian", entries);
        facts.set("measured_tangents", Quantity::exact(tangents as f64));
        let outside = Quantity::new(jacobian.outside, jacobian.bar(), Grade::Estimated);
        facts.set("jacobian_outside", outside);
        let spectra = jacobian.spectra()?;
        let logs = (0..chosen.len())
            .map(|k| jacobian.singular_value(&spectra, k).widened(late).ln())
            .collect();
        facts.set_series("log_singular_value", logs);
        let block = |m: &DMatrix<f64>, at: usize, n: usize| m.view((at, at), (n, n)).into_owned();
        let stretch = |value: f64| Quantity::new(value, jacobian.bar() + late, Grade::Estimated);
        let tt = least_singular_value(&block(&jacobian.values, 0, tangents))?;
        let nn = spectral_norm(&block(&jacobian.values, tangents, normals))?;
        facts.set("tangent_stretch", stretch(tt));
        facts.set("normal_stretch", stretch(nn));
        // Rounding of a direction grows at most by the condition number of J.
        let logs = &spectra.0.log_growth;
        let amplified = ROUNDING * (logs[0] - logs[logs.len() - 1]).exp();

        let tangent = axes.columns(0, d).into_owned();
        let normal = axes.columns(d, self.dim - d).into_owned();
        let foot = &tangent * tangent.transpose();
        let planes = orbit.planes(&self.plane(&axes));
        let slopes = orbit.slopes(&self.plane(&axes), &tangent, &normal)?;
        let sign = tangent.tr_mul(&planes[0].0).determinant();
        let sign = if sign < 0.0 { -1.0 } else { 1.0 };
        let mut work = Workspace::default();
        for (k, ((time, field), (fine, coarse))) in times.iter().zip(&planes).enumerate() {
            let (state, off) = orbit.state(k);
            let mut push_blocks = |state: &DVector<f64>, suffix: &str| -> Result<()> {
                let a = jacobian_in_frame(*field, state, &frame, &mut work);
                let blocks = blocks_in_frame(&a, tangents)?;
                let rounding = 1e3 * f64::EPSILON * (1.0 + a.norm());
                let bar = rounding + off * self.bend();
                let exact = |value: f64| Quantity::new(value, bar, Grade::Estimated);
                facts.push(&format!("gamma{suffix}"), exact(blocks.gamma));
                facts.push(&format!("kappa{suffix}"), exact(blocks.kappa));
                facts.push(&format!("eta{suffix}"), exact(blocks.eta));
                if suffix.is_empty() {
                    let normal = -mu_max(&block(&a, tangents, normals));
                    facts.push("normal_compression", exact(normal));
                    facts.push("kappa_of_a", exact(blocks.kappa));
                }
                Ok(())
            };
            push_blocks(state, "")?;
            push_blocks(&(&foot * state), "_on")?;
            facts.push("time", Quantity::exact(*time));
            let bent = bent(off, *time);
            facts.push("slope", slopes[k].0.widened(bent));
            let overlap = |plane: &DMatrix<f64>| sign * tangent.tr_mul(plane).determinant();
            let (cosine, rough) = (overlap(fine), overlap(coarse));
            let bar = (cosine - rough).abs() + orbit.relative() + amplified + bent;
            facts.push("cosine", Quantity::new(cosine, bar, Grade::Estimated));
            if k + 1 == planes.len() {
                let sine = largest_angle(fine, &tangent)?.sin();
                let bar = largest_angle(fine, coarse)? + orbit.relative() + amplified + bent;
                facts.set("end_sine", Quantity::new(sine, bar, Grade::Estimated));
            }
        }
        if let Some(exact) = &self.exact {
            let exact = Prepared::new(exact, &axes, d)?;
            let exact = exact.run(self.start_in(&axes).as_slice())?;
            let last = planes.len() - 1;
            let ((moved, bar), (kept, kept_bar)) = (orbit.state(last), exact.state(last));
            let difference = moved - kept;
            let part = |size: f64| Quantity::new(size, bar + kept_bar, Grade::Estimated);
            let across = normal.tr_mul(&difference);
            facts.set("displacement_along", part(tangent.tr_mul(&difference).norm()));
            facts.set("displacement_across", part(across[0]));
            let elsewhere = across.rows(1, across.len() - 1).norm();
            facts.set("displacement_elsewhere", part(elsewhere));
            let (fine, coarse) = &exact.planes(&self.plane(&axes))[last];
            let bar = largest_angle(fine, coarse)? + exact.relative() + amplified;
            let sine = largest_angle(fine, &tangent)?.sin();
            facts.set("exact_end_sine", Quantity::new(sine, bar, Grade::Estimated));
            let (size, time) = self.example.error(self.span);
            facts.set("error_size", Quantity::exact(size));
            facts.set("error_total", Quantity::exact(size * time));
        }
        Ok(facts)
    }

    /// What the judge predicts from.
    fn parameters(&self) -> Facts {
        let mut facts = Facts::new();
        let place = NUMBERS.iter().position(|n| *n == self.number);
        let place = place.map_or(f64::NAN, |place| place as f64);
        facts.set("counterexample", Quantity::exact(place));
        let exact = |values: &[f64]| values.iter().map(|p| Quantity::exact(*p)).collect();
        facts.set_series("parameters", exact(&self.example.parameters()));
        facts.set_series("start", exact(&self.start));
        facts.set("span", Quantity::exact(self.span));
        facts.set("start_slope", Quantity::exact(self.start_slope));
        facts
    }

    /// How fast the blocks change with the state on x = 0 (C3), where |φ'| < k/e, and anywhere in C9, k²/e.
    fn bend(&self) -> f64 {
        let bend = |Stage { field, .. }: &Stage| {
            field.lift.abs() / field.width + field.ripple.abs() * field.frequency.powi(2)
        };
        self.flow.iter().map(bend).fold(0.0, f64::max)
    }

    /// The maps of the sampler with the plane that they carry along, for T2.2.
    ///
    /// *Errors*: as [`Resolved::staged`].
    pub fn maps(&self) -> Result<Maps> {
        let axes = self.frame();
        let prepared = Prepared::new(&self.flow, &axes, self.tangent)?;
        let orbit = prepared.run(self.start_in(&axes).as_slice())?;
        let jacobians = orbit.jacobians();
        let planes =
            orbit.planes(&self.plane(&axes)).into_iter().map(|(_, coarse)| coarse).collect();
        let frames = vec![axes; jacobians.len() + 1];
        Ok(Maps::new(self.tangent, jacobians, frames, planes, self.start_slope, self.axes))
    }
}

/// Uᵀ A U for the columns of a frame.
fn jacobian_in_frame(
    field: &Embedded,
    state: &DVector<f64>,
    frame: &DMatrix<f64>,
    work: &mut Workspace,
) -> DMatrix<f64> {
    let mut block = frame.clone().insert_column(0, 0.0);
    block.set_column(0, state);
    let mut out = block.clone();
    field.push(0.0, block.as_slice(), Lanes::single(frame.ncols()), out.as_mut_slice(), work);
    frame.tr_mul(&out.remove_column(0))
}
