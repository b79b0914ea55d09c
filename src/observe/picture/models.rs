//! Models with an error as pictures: where the exact model goes, where the error carries it, and the error itself.

use super::{Arrows, View, seen};
use crate::drift::{Canonical, Denoise, Denoiser, Drift};
use crate::error::Result;
use crate::figure::{Ink, Mark, Panel};
use crate::flow::{Maps, Method, Orbit, Sampler, Steps, Trajectory, geometric_times};
use crate::lyapunov::{product, spectrum};
use crate::observe::inexact_models::{Kind, Model, ModelMaps};
use crate::random::Stream;
use crate::response::sensitivities;
use nalgebra::{DMatrix, DVector};

/// Orbits of a picture; the first is the one that is judged.
pub const ORBITS: usize = 8;

/// Steps of a flow that is run for a picture only.
pub const STEPS: usize = 40;

/// Points of the data, and states of an orbit that are drawn.
const SIZES: (usize, usize) = (150, 40);

/// Arrows of the error along one side of their grid.
const GRID: usize = 9;

/// States farther from the data than so many times their reach are left out: runs begin in the noise.
const FAR: f64 = 2.5;

/// In more dimensions Lyapunov vectors cost too much for a picture.
const MOST_DIMENSIONS: usize = 16;

/// Log growths that are nearer than this are one.
const LEAST_GAP: f64 = 1e-9;

/// How large an error is drawn.
#[derive(Clone, Copy)]
pub enum Size {
    /// There is none.
    None,
    /// As it is in the world.
    Of(f64),
    /// Such that to first order it moves the orbit judged by a quarter of what is seen: where ε → 0 is judged.
    Visible,
}

/// What is drawn: maps with an error of that size, run from some starts.
pub struct Scene<'a, M> {
    /// The model.
    pub maps: &'a M,
    /// The size of its error.
    pub size: Size,
    /// At least one.
    pub starts: &'a [Vec<f64>],
    /// Points of the data, columns, if there are any.
    pub data: Option<DMatrix<f64>>,
}

/// An exact flow to the law of that denoiser, which ends at signal a; None on the line.
///
/// *Errors*: as [`Scene::draw`].
pub fn of_flow(
    (drift, sampler): (&impl Drift, &Sampler),
    start: &[f64],
    data: (&Denoiser, f64),
) -> Result<Option<Panel>> {
    let (maps, starts) = (&Steps { drift, sampler }, &scattered(start));
    Scene { maps, size: Size::None, starts, data: Some(samples(data)?) }.draw()
}

/// A world of T1; None on the line.
///
/// *Errors*: as [`Scene::draw`].
pub fn of_model(model: &Model, maps: &ModelMaps<'_>, starts: &[Vec<f64>]) -> Result<Option<Panel>> {
    let end = model.times[model.times.len() - 1];
    let data = match model.kind {
        Kind::Waves => None,
        _ => Some(samples((model.denoiser(), model.channel(end).signal))?),
    };
    Scene { maps, size: Size::Visible, starts, data }.draw()
}

/// The start, and others that are as far from the origin, in random directions.
pub fn scattered(start: &[f64]) -> Vec<Vec<f64>> {
    let length = start.iter().map(|x| x * x).sum::<f64>().sqrt();
    let stream = Stream::root(0).named("picture").named("starts");
    let other = |nth: usize| {
        let z = stream.indexed(nth as u64).normals(start.len());
        let norm = z.iter().map(|z| z * z).sum::<f64>().sqrt();
        z.iter().map(|z| z * length / norm).collect()
    };
    std::iter::once(start.to_vec()).chain((1..ORBITS).map(other)).collect()
}

/// Samples of the law of that denoiser, columns, at that signal a: the exact flow to it from far out.
///
/// *Errors*: as [`Trajectory::from`].
pub fn samples((denoiser, signal): (&Denoiser, f64)) -> Result<DMatrix<f64>> {
    let (from, to, steps) = (30.0, 0.01, 24);
    let flow = Canonical { denoiser };
    let sampler = Sampler::new(Method::Heun, geometric_times(from, to, steps));
    let stream = Stream::root(0).named("picture").named("data");
    let sample = |nth: usize| {
        let z = stream.indexed(nth as u64).normals(denoiser.dim());
        let start: Vec<f64> = z.iter().map(|z| z * from).collect();
        Ok(Trajectory::from(&flow, &sampler, &start)?.end() * signal)
    };
    // A posterior mean costs up to D².
    let count = SIZES.0.min(2400 / denoiser.dim()).max(20);
    Ok(DMatrix::from_columns(&(0..count).map(sample).collect::<Result<Vec<_>>>()?))
}

impl<M: Maps> Scene<'_, M> {
    /// Exact orbits with their top Lyapunov vectors, the same with the error, and what the error adds in the last
    /// map; None in one dimension.
    ///
    /// *Errors*: as [`Orbit::from`], [`Trajectory::from`] and [`spectrum`].
    pub fn draw(&self) -> Result<Option<Panel>> {
        if self.maps.dim() < 2 {
            return Ok(None);
        }
        let orbits = |epsilon: f64| -> Result<Vec<Orbit<'_, M>>> {
            self.starts.iter().map(|start| Orbit::from(self.maps, epsilon, start)).collect()
        };
        let exact = orbits(0.0)?;
        let data = &self.data;
        let view = match data {
            Some(data) => View::of(data),
            None => View::of(&columns(exact.iter().flat_map(|orbit| &orbit.states))),
        };
        let epsilon = self.epsilon(view.reach)?;
        let title = match epsilon {
            Some(epsilon) => match (0.01..100.0).contains(&epsilon) {
                true => format!("error of size ε = {epsilon:.2}"),
                false => format!("error of size ε = {epsilon:.1e}"),
            },
            None => "exact model".to_owned(),
        };
        let mut panel = view.panel(title);
        if let Some(data) = data {
            let (x, y) = seen(&view, data.column_iter().map(|point| point.into_owned()));
            panel = panel.with("data", Ink::Data, Mark::points(x, y));
        }
        if let Some(epsilon) = epsilon {
            let about = match data {
                Some(data) => seen(&view, data.column_iter().map(|point| point.into_owned())),
                None => seen(&view, exact.iter().map(|orbit| orbit.end().clone())),
            };
            let arrows = self.error(&view, epsilon, about);
            panel = panel.with("error of the last map", Ink::Error, arrows.mark(false));
        }
        for (nth, orbit) in exact.iter().enumerate().rev() {
            let (name, ink) = match nth {
                0 => ("orbit judged", Ink::Measured),
                _ => ("other orbits", Ink::Guide),
            };
            let (x, y) = line(&view, &orbit.states);
            panel = panel.with(name, ink, Mark::line(x, y));
        }
        if let Some(epsilon) = epsilon {
            for orbit in &orbits(epsilon)? {
                let (x, y) = line(&view, &orbit.states);
                panel = panel.with("with the error", Ink::Error, Mark::dashed(x, y));
            }
        }
        let top = lyapunov(&view, &exact)?;
        Ok(Some(panel.with("top Lyapunov vector", Ink::Lyapunov, top.mark(true))))
    }

    fn epsilon(&self, reach: f64) -> Result<Option<f64>> {
        Ok(match self.size {
            Size::None | Size::Of(0.0) => None,
            Size::Of(epsilon) => Some(epsilon),
            Size::Visible => {
                let path = sensitivities(self.maps, &self.starts[0])?;
                let moved = path.last().map_or(0.0, |(_, delta)| delta.norm());
                Some(if moved > 0.0 { 0.25 * reach / moved } else { 1.0 })
            }
        })
    }

    /// What the error adds in the last map, on a grid about what is seen.
    fn error(&self, view: &View, epsilon: f64, (x, y): (Vec<f64>, Vec<f64>)) -> Arrows {
        let ends = |values: &[f64]| {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
        };
        let ((left, right), (low, high)) = (ends(&x), ends(&y));
        let cell = (right - left).max(high - low) / (GRID - 1) as f64;
        let centre = [0.5 * (left + right), 0.5 * (low + high)];
        let last = self.maps.maps() - 1;
        let place = |nth: usize| cell * (nth as f64 - 0.5 * (GRID - 1) as f64);
        let arrow = |nth: usize| {
            let at = [centre[0] + place(nth % GRID), centre[1] + place(nth / GRID)];
            let at = view.lifted(at);
            let (mut exact, mut moved) = (at.clone(), at.clone());
            self.maps.map(last, 0.0, exact.as_mut_slice());
            self.maps.map(last, epsilon, moved.as_mut_slice());
            (at, moved - exact)
        };
        let arrows: Vec<_> = (0..GRID * GRID).map(arrow).collect();
        let length = |v: &DVector<f64>| {
            let [x, y] = view.direction(v);
            x.hypot(y)
        };
        let longest = arrows.iter().map(|(_, v)| length(v)).filter(|l| l.is_finite());
        let longest = longest.fold(0.0, f64::max);
        let mut drawn = Arrows::default();
        for (at, v) in arrows.iter().filter(|(_, v)| length(v) > 1e-3 * longest) {
            drawn.push(view, at, &(v * (0.6 * cell / longest)));
        }
        drawn
    }
}

/// Lyapunov vectors at the ends of orbits; a model that rests or forgets its start has none.
fn lyapunov<M: Maps>(view: &View, orbits: &[Orbit<'_, M>]) -> Result<Arrows> {
    let mut top = Arrows::default();
    for orbit in orbits.iter().filter(|orbit| orbit.maps.dim() <= MOST_DIMENSIONS) {
        let jacobian = product(orbit);
        if jacobian.norm() == 0.0 {
            continue;
        }
        let found = spectrum(&jacobian)?;
        // Where a model rests, no direction is the top one.
        if found.log_growth[0] > found.log_growth[1] + LEAST_GAP {
            let vector = found.end_vectors.column(0) * (0.25 * view.reach);
            top.push(view, orbit.end(), &vector);
        }
    }
    Ok(top)
}

/// The states that are near enough, some of them.
fn line(view: &View, states: &[DVector<f64>]) -> (Vec<f64>, Vec<f64>) {
    let last = states.len() - 1;
    let near = |x: &DVector<f64>| {
        let [x, y] = view.point(x);
        let [centre_x, centre_y] = view.middle;
        (x - centre_x).hypot(y - centre_y) <= FAR * view.reach
    };
    // A line has two ends.
    let first = states.iter().position(near).unwrap_or(last).min(last.saturating_sub(1));
    let stride = (last - first + 1).div_ceil(SIZES.1);
    let kept = (first..=last).filter(|k| (k - first) % stride == 0 || *k == last);
    seen(view, kept.map(|k| states[k].clone()))
}

fn columns<'a>(states: impl Iterator<Item = &'a DVector<f64>>) -> DMatrix<f64> {
    DMatrix::from_columns(&states.cloned().collect::<Vec<_>>())
}
