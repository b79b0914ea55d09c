//! What smooth errors of growing size in the network's value do to samples: off the manifold against along it.

use super::{Model, Tangent, check_finite, median};
use crate::drift::{Drift, Inexact, LearningError, Trained};
use crate::error::Result;
use crate::facts::{Facts, Quantity};
use crate::random::Stream;
use crate::scalar::Scalar;
use nalgebra::DMatrix;

/// Root mean squares of the error in each coordinate of the network's value, relative to that of the value itself.
const SIZES: [f64; 6] = [0.003, 0.01, 0.03, 0.1, 0.2, 0.4];

/// Waves of an error field.
const WAVES: usize = 16;

/// Samples that are displaced; each has the error field of its own group.
const SAMPLES: usize = 96;

/// Different error fields.
const FIELDS: usize = 4;

/// An error e of the network's value as an error of the velocity.
struct OfNetwork<'a, N> {
    trained: &'a Trained<N>,
    error: LearningError,
}

impl<N: Drift> Drift for OfNetwork<'_, N> {
    fn dim(&self) -> usize {
        self.error.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        let weights = self.trained.convention.weights(s);
        let input: Vec<S> = x.iter().map(|x| *x * weights.input).collect();
        self.error.velocity(s, &input, out);
        out.iter_mut().for_each(|w| *w *= weights.network);
    }
}

/// Displaces the first samples, from their starts to their exact ends, by errors of growing size, fewer of a `large` network: medians of the parts off and along the tangent plane at the exact end.
///
/// Facts: series `response_size`, `response_off`, `response_along`, and `response_change`: how much the distance to the manifold, or
/// to the nearest data point, grows.
///
/// *Errors*: of samples that leave the finite numbers, and of nearest points.
pub fn measure<N: Drift>(
    model: &Model<'_, N>,
    tangent: &Tangent<'_>,
    (starts, ends): (&DMatrix<f64>, &DMatrix<f64>),
    large: bool,
    stream: Stream,
    facts: &mut Facts,
) -> Result<()> {
    let dim = model.dim();
    let (samples, fields) = if large { (8, 1) } else { (SAMPLES, FIELDS) };
    let samples = samples.min(starts.ncols());
    let sampler = model.sampler();
    let mut planes = Vec::new();
    for end in ends.column_iter().take(samples) {
        let end = end.into_owned();
        planes.push((tangent.plane(&end)?, tangent.distance(&end)?));
    }
    for size in SIZES {
        let (mut off, mut along, mut change) = (Vec::new(), Vec::new(), Vec::new());
        for field in 0..fields {
            // A network's value has entries of order one: length √D in all, and the same size for the error.
            let length = (dim as f64).sqrt();
            let stream = stream.named("field").indexed(field as u64);
            let error = OfNetwork {
                trained: model.trained,
                error: LearningError::fourier(dim, WAVES, length, length, stream),
            };
            let group: Vec<usize> = (0..samples).filter(|i| i % fields == field).collect();
            let drift = Inexact { exact: model.trained, error: &error, epsilon: size };
            let moved = super::ends(&drift, &sampler, &starts.select_columns(&group));
            check_finite(&moved)?;
            for (&i, moved) in group.iter().zip(moved.column_iter()) {
                let displacement = moved - ends.column(i);
                let inside = &planes[i].0 * planes[i].0.tr_mul(&displacement);
                along.push(inside.norm());
                off.push((displacement - inside).norm());
                change.push(tangent.distance(&moved.into_owned())? - planes[i].1);
            }
        }
        facts.push("response_size", Quantity::exact(size));
        facts.push("response_off", median(&off));
        facts.push("response_along", median(&along));
        facts.push("response_change", median(&change));
    }
    facts.set("response_samples", Quantity::exact(samples as f64));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{Convention, Lanes, Prediction, Workspace};

    #[test]
    fn an_error_of_the_network_moves_the_velocity_as_the_network_with_it_does() {
        let error = LearningError::fourier(2, 3, 0.7, 1.0, Stream::root(3));
        let network = LearningError::fourier(2, 3, 0.5, 1.0, Stream::root(4));
        for (preset, predicts) in [
            ("vp-linear", Prediction::Noise),
            ("vp-linear", Prediction::EdmDenoiser),
            ("flow-reversed", Prediction::Velocity),
        ] {
            let convention = Convention::preset(preset, predicts, None).unwrap();
            let with = Inexact { exact: &network, error: &error, epsilon: 0.1 };
            let wrong = Trained { network: with, convention: convention.clone() };
            let trained = Trained { network: network.clone(), convention };
            let of = OfNetwork { trained: &trained, error: error.clone() };
            let moved = Inexact { exact: &trained, error: &of, epsilon: 0.1 };
            let (x, mut work) = ([0.3, -0.8], Workspace::default());
            let (mut wanted, mut found) = ([0.0_f64; 2], [0.0; 2]);
            wrong.velocity(0.6, &x, &mut wanted);
            moved.push(0.6, &x, Lanes::single(0), &mut found, &mut work);
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-12, "{preset}: {found} {wanted}");
            }
        }
    }
}
