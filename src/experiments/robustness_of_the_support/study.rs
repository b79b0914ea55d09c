//! Shifts of samples along and off a manifold, against the size of an error of one prediction.

use crate::drift::{LearningError, Pairs, Parametrisation};
use crate::error::Result;
use crate::experiments::model_class::{Class, Flaw, Model, Range};
use crate::experiments::shape::{Shape, Spot};
use crate::facts::{Quantity, REPORTED};
use crate::random::Stream;
use rayon::prelude::*;

/// What is run: one shape, many random errors, many samples for each.
pub struct Study<'a> {
    /// The data.
    pub shape: &'a Shape,
    /// The coupling of optimal transport.
    pub pairs: &'a Pairs,
    /// Sizes of the error, increasing.
    pub sizes: Vec<f64>,
    /// Random errors: what the confidence intervals are over.
    pub errors: usize,
    /// Samples for each.
    pub samples: usize,
    /// Steps of the samplers.
    pub steps: usize,
    /// All random numbers.
    pub stream: Stream,
}

/// Samples without error.
pub struct Exact {
    /// Where they start, `D×samples`.
    pub starts: Vec<f64>,
    /// Where they end.
    pub ends: Vec<f64>,
}

/// Median shifts over the samples of an error, their means over the random errors, with confidence intervals.
///
/// Medians, because the few samples that pass near a divide between parts of the data move by orders of magnitude more than
/// the others, and would be most of a mean.
pub struct Response {
    /// The distance of the feet of a sample with and without error, one for each size.
    pub along: Vec<Quantity>,
    /// The change of the offset from the foot.
    pub off: Vec<Quantity>,
    /// (|δ_T|, |δ_N|): shifts for each unit of an infinitesimal error, by duals.
    pub first_order: (Quantity, Quantity),
}

/// Medians over the samples of one error.
struct Medians {
    along: Vec<f64>,
    off: Vec<f64>,
    first_order: (f64, f64),
}

/// The median of numbers; NaN of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => f64::NAN,
        _ => 0.5 * (values[(n - 1) / 2] + values[n / 2]),
    }
}

impl Study<'_> {
    /// The n-th random error: a Fourier field of correlation length 1, of unit root mean square.
    pub fn error(&self, n: usize) -> LearningError {
        let stream = self.stream.named("error").indexed(n as u64);
        LearningError::fourier(self.shape.manifold.ambient(), 8, 1.0, 1.0, stream)
    }

    /// The model of a class for this data.
    pub fn model(&self, class: Class) -> Model<'_, Pairs> {
        let Self { shape, pairs, steps, .. } = *self;
        Model { class, denoiser: &shape.denoiser, transport: pairs, steps, range: Range::USUAL }
    }

    /// Samples of a class without error.
    ///
    /// *Errors*: as [`Model::ends`].
    pub fn exact(&self, class: Class, stream: Stream) -> Result<Exact> {
        let none = LearningError::constant(&vec![0.0; self.shape.manifold.ambient()]);
        let flaw = Flaw { error: &none, parametrisation: Parametrisation::Velocity };
        let model = self.model(class);
        let starts = model.starts(&self.shape.law, self.samples, stream.named("start"))?;
        let ends = model.ends(&starts, flaw, 0.0, stream.named("noise"))?;
        Ok(Exact { starts, ends })
    }

    /// Shifts of a class for errors of one prediction.
    ///
    /// *Errors*: as [`Model::ends`].
    pub fn measure(&self, class: Class, parametrisation: Parametrisation) -> Result<Response> {
        let each: Vec<Medians> = (0..self.errors)
            .into_par_iter()
            .map(|n| self.medians(class, parametrisation, n))
            .collect::<Result<_>>()?;
        let mean = |of: &dyn Fn(&Medians) -> f64| {
            Quantity::sampled_mean(&each.iter().map(of).collect::<Vec<f64>>(), REPORTED)
        };
        let curve = |of: &dyn Fn(&Medians) -> &Vec<f64>| {
            (0..self.sizes.len()).map(|k| mean(&|medians| of(medians)[k])).collect()
        };
        Ok(Response {
            along: curve(&|medians| &medians.along),
            off: curve(&|medians| &medians.off),
            first_order: (
                mean(&|medians| medians.first_order.0),
                mean(&|medians| medians.first_order.1),
            ),
        })
    }

    fn medians(&self, class: Class, parametrisation: Parametrisation, n: usize) -> Result<Medians> {
        let (model, error) = (self.model(class), self.error(n));
        let flaw = Flaw { error: &error, parametrisation };
        let stream = self.stream.named("samples").indexed(n as u64);
        let starts = model.starts(&self.shape.law, self.samples, stream.named("start"))?;
        let dim = self.shape.manifold.ambient();
        let spots = |points: &[f64]| -> Result<Vec<Spot>> {
            points.chunks_exact(dim).map(|y| self.shape.spot(y)).collect()
        };
        let (exact, deltas) = model.first_order(&starts, flaw, stream.named("noise"))?;
        let exact = spots(&exact)?;
        let parts: Vec<(f64, f64)> = exact
            .iter()
            .zip(deltas.chunks_exact(dim))
            .map(|(spot, delta)| spot.split(delta))
            .collect();
        let both = |shifts: &[(f64, f64)]| {
            let part = |of: fn(&(f64, f64)) -> f64| median(shifts.iter().map(of).collect());
            (part(|shift| shift.0), part(|shift| shift.1))
        };
        let (mut along, mut off) = (Vec::new(), Vec::new());
        for size in &self.sizes {
            let moved = spots(&model.ends(&starts, flaw, *size, stream.named("noise"))?)?;
            let shifts: Vec<(f64, f64)> =
                exact.iter().zip(&moved).map(|(from, to)| from.shift(to)).collect();
            let (tangent, normal) = both(&shifts);
            along.push(tangent);
            off.push(normal);
        }
        Ok(Medians { along, off, first_order: both(&parts) })
    }
}
