//! Counterexamples of T7 run in R^D, measured in the resting frame of M.

use super::Observation;
use super::compressing_maps_force_alignment::Maps;
use super::embedded::{Beside, Frame, Prepared, STEPS, jacobian_in_frame};
use super::frames::blocks_in_frame;
use super::picture::{ORBITS, Scene, Size};
use super::resolved::Resolved;
use crate::claims::counterexample_maps::NUMBERS;
use crate::drift::{Counterexample, Embedded, Stage};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity, nullable};
use crate::figure::Panel;
use crate::linalg::{
    frame_from_normals, largest_angle, least_singular_value, mu_max, spectral_norm,
};
use crate::random::{Knobs, Stream};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Rounding of an angle on the way, before it is amplified.
const ROUNDING: f64 = 1e-13;

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
    /// Time steps of each stage.
    #[serde(skip)]
    pub steps: usize,
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
        let (start, steps, exact) = ([0.0, 1.0], knobs.steps(STEPS), None);
        Self { number, example, span, dim, tangent, start_slope, start, flow, exact, axes, steps }
    }

    /// The same world, run with its error and measured against its exact flow.
    pub fn with_error(mut self) -> Self {
        self.flow = self.example.perturbed(self.span);
        self.exact = Some(self.example.stages(self.span));
        self
    }

    fn frame(&self) -> Frame {
        Frame::new(self.axes, self.dim, self.tangent)
    }

    /// A basis of E(0): slope l_0 in the plane of the block, tangent otherwise.
    fn plane(&self, frame: &Frame) -> DMatrix<f64> {
        let (mut plane, normal) = (frame.tangent.clone(), frame.normal.column(0));
        match self.start_slope.is_finite() {
            true => plane.column_mut(0).axpy(self.start_slope, &normal, 1.0),
            false => plane.set_column(0, &normal),
        }
        plane
    }

    /// The world and its facts.
    ///
    /// *Errors*: as [`PlanarWorld::measure`].
    pub fn observe(&self) -> Result<Observation> {
        Ok(Observation::new(self, self.measure()?).labelled(Labels::of("planar")))
    }

    /// Orbits in the plane of the block, from the start and around.
    ///
    /// *Errors*: as the trajectories.
    pub fn picture(&self) -> Result<Option<Panel>> {
        let frame = self.frame();
        let flow = Prepared::new(&self.flow, &frame, self.steps)?;
        let radius = self.start[0].hypot(self.start[1]);
        let other = |nth: usize| {
            let (sin, cos) = (std::f64::consts::TAU * nth as f64 / ORBITS as f64).sin_cos();
            frame.start([radius * sin, radius * cos])
        };
        let mut starts: Vec<_> = (0..ORBITS).map(other).collect();
        starts[0] = frame.start(self.start);
        let (starts, data) = (&starts, None);
        match &self.exact {
            Some(exact) => {
                let maps =
                    &Beside { exact: &Prepared::new(exact, &frame, self.steps)?, flow: &flow };
                Scene { maps, size: Size::Of(1.0), starts, data }.draw()
            }
            None => Scene { maps: &flow, size: Size::None, starts, data }.draw(),
        }
    }

    /// Along the path `time`, `gamma`, `kappa`, `eta`, `normal_compression`, `slope` and `end_sine` as in
    /// T2.1, the signed `cosine` of the largest angle to M, and the blocks `gamma_on`, … at the foot point;
    /// at the end the Jacobian in the frame, its log singular values, and the displacement by the error.
    ///
    /// *Errors*: as [`crate::flow::Trajectory::from`], and as [`crate::linalg::svd`].
    pub fn measure(&self) -> Result<Facts> {
        let frame = self.frame();
        let prepared = Prepared::new(&self.flow, &frame, self.steps)?;
        let orbit = prepared.run(&frame.start(self.start))?;
        let mut facts = self.parameters();
        let amplified = self.state_jacobian(&mut facts, &orbit, &frame)?;
        self.state_path(&mut facts, &prepared, &orbit, &frame, amplified)?;
        if let Some(exact) = &self.exact {
            let exact = Prepared::new(exact, &frame, self.steps)?;
            let exact = exact.run(&frame.start(self.start))?;
            self.state_displacement(&mut facts, &orbit, &exact, &frame, amplified)?;
        }
        Ok(facts)
    }

    /// J at the end; returns how far rounding on the way may have turned a direction.
    fn state_jacobian(
        &self,
        facts: &mut Facts,
        orbit: &Resolved<'_, Embedded>,
        frame: &Frame,
    ) -> Result<f64> {
        let (jacobian, order) = (orbit.jacobian_in(&frame.measured), frame.measured.ncols());
        let bent = self.bent(orbit.state(self.flow.len() * self.steps).1, self.span);
        let entry = |k: usize| jacobian.at(k / order, k % order).widened(bent);
        facts.set_series("jacobian", (0..order * order).map(entry).collect());
        facts.set("measured_tangents", Quantity::exact(frame.tangents as f64));
        let outside = Quantity::new(jacobian.outside, jacobian.bar(), Grade::Estimated);
        facts.set("jacobian_outside", outside);
        let spectra = jacobian.spectra()?;
        let log = |k: usize| jacobian.singular_value(&spectra, k).widened(bent).ln();
        facts.set_series("log_singular_value", (0..order).map(log).collect());
        let stretch = |value: f64| Quantity::new(value, jacobian.bar() + bent, Grade::Estimated);
        let tangent = least_singular_value(&frame.tangent_block(&jacobian.values))?;
        let normal = spectral_norm(&frame.normal_block(&jacobian.values))?;
        facts.set("tangent_stretch", stretch(tangent));
        facts.set("normal_stretch", stretch(normal));
        // A direction turns at most by the condition number of J times what turned it on the way.
        let logs = &spectra.0.log_growth;
        Ok(ROUNDING * (logs[0] - logs[order - 1]).exp())
    }

    /// Blocks and the plane at every time of the grid.
    fn state_path(
        &self,
        facts: &mut Facts,
        prepared: &Prepared,
        orbit: &Resolved<'_, Embedded>,
        frame: &Frame,
        amplified: f64,
    ) -> Result<()> {
        let Frame { tangent, normal, .. } = frame;
        let planes = orbit.planes(&self.plane(frame));
        let slopes = orbit.slopes(&self.plane(frame), tangent, normal)?;
        let sign = match tangent.tr_mul(&planes[0].0).determinant() < 0.0 {
            true => -1.0,
            false => 1.0,
        };
        let overlap = |plane: &DMatrix<f64>| sign * tangent.tr_mul(plane).determinant();
        let foot = tangent * tangent.transpose();
        let mut bar = 0.0;
        for (k, ((time, field), (fine, coarse))) in prepared.times().iter().zip(&planes).enumerate()
        {
            let (state, off) = orbit.state(k);
            let steep = off * self.bend();
            self.state_blocks(facts, field, state, frame, steep, "")?;
            self.state_blocks(facts, field, &(&foot * state), frame, steep, "_on")?;
            facts.push("time", Quantity::exact(*time));
            let bent = self.bent(off, *time);
            facts.push("slope", slopes[k].0.widened(bent));
            let (cosine, rough) = (overlap(fine), overlap(coarse));
            bar = orbit.relative() + amplified + bent;
            let off = (cosine - rough).abs() + bar;
            facts.push("cosine", Quantity::new(cosine, off, Grade::Estimated));
        }
        facts.set("end_sine", end_sine(&planes, tangent)?.widened(bar));
        Ok(())
    }

    /// γ, κ and η of one state.
    fn state_blocks(
        &self,
        facts: &mut Facts,
        field: &Embedded,
        state: &DVector<f64>,
        frame: &Frame,
        bar: f64,
        suffix: &str,
    ) -> Result<()> {
        let a = jacobian_in_frame(field, state, &frame.measured);
        let blocks = blocks_in_frame(&a, frame.tangents)?;
        let bar = 1e3 * f64::EPSILON * (1.0 + a.norm()) + bar;
        let mut push = |name: &str, value: f64| {
            let value = Quantity::new(value, bar, Grade::Estimated);
            facts.push(&format!("{name}{suffix}"), value);
        };
        push("gamma", blocks.gamma);
        push("kappa", blocks.kappa);
        push("eta", blocks.eta);
        // The frame rests, so these are what T2.1 calls them.
        if suffix.is_empty() {
            push("kappa_of_a", blocks.kappa);
            push("normal_compression", -mu_max(&frame.normal_block(&a)));
        }
        Ok(())
    }

    /// What the error does to the end, and the angle without it.
    fn state_displacement(
        &self,
        facts: &mut Facts,
        orbit: &Resolved<'_, Embedded>,
        exact: &Resolved<'_, Embedded>,
        frame: &Frame,
        amplified: f64,
    ) -> Result<()> {
        let last = self.flow.len() * self.steps;
        let ((moved, bar), (kept, kept_bar)) = (orbit.state(last), exact.state(last));
        let difference = moved - kept;
        let part = |size: f64| Quantity::new(size, bar + kept_bar, Grade::Estimated);
        let across = frame.normal.tr_mul(&difference);
        facts.set("displacement_along", part(frame.tangent.tr_mul(&difference).norm()));
        facts.set("displacement_across", part(across[0]));
        let elsewhere = across.rows(1, across.len() - 1).norm();
        facts.set("displacement_elsewhere", part(elsewhere));
        let sine = end_sine(&exact.planes(&self.plane(frame)), &frame.tangent)?;
        facts.set("exact_end_sine", sine.widened(exact.relative() + amplified));
        let (size, time) = self.example.error(self.span);
        facts.set("error_size", Quantity::exact(size));
        facts.set("error_total", Quantity::exact(size * time));
        Ok(())
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

    /// The blocks at a state that is off turn a plane by so much in a time t, from the start on.
    fn bent(&self, off: f64, time: f64) -> f64 {
        off * self.bend() * time
    }

    /// The maps of the sampler with the plane that they carry along, for T2.2.
    ///
    /// *Errors*: as [`crate::flow::Trajectory::from`].
    pub fn maps(&self) -> Result<Maps> {
        let frame = self.frame();
        let prepared = Prepared::new(&self.flow, &frame, self.steps)?;
        let orbit = prepared.run(&frame.start(self.start))?;
        let jacobians = orbit.jacobians();
        let planes = orbit.planes(&self.plane(&frame)).into_iter().map(|(_, coarse)| coarse);
        let axes = frame_from_normals(self.dim, self.dim, &self.axes.normals(self.dim * self.dim));
        let frames = vec![axes; jacobians.len() + 1];
        let planes = planes.collect();
        Ok(Maps::new(self.tangent, jacobians, frames, planes, self.start_slope, self.axes))
    }
}

/// The sine of the largest angle between the last of these planes and M.
fn end_sine(planes: &[(DMatrix<f64>, DMatrix<f64>)], tangent: &DMatrix<f64>) -> Result<Quantity> {
    let (fine, coarse) = planes.last().expect("a start at least");
    let sine = largest_angle(fine, tangent)?.sin();
    Ok(Quantity::new(sine, largest_angle(fine, coarse)?, Grade::Estimated))
}
