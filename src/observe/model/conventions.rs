//! Whether the declared convention is the one under which a network was trained: its samples against those of rivals.

use super::{Model, ends};
use crate::drift::{Convention, Drift, Trained};
use crate::facts::{Grade, Quantity};
use crate::points::{Energy, PointSet, deviation};
use crate::random::Stream;
use nalgebra::DMatrix;

/// Two conventions are told apart where their energy distances differ by so many standard deviations of the difference.
pub const APART: f64 = 3.0;

/// Samples of each convention at most: what is compared is every pair of them.
const MOST: usize = 2000;

/// Steps of each flow: samples need not be better than a few hundred of them can tell.
const STEPS: usize = 60;

/// A convention with the energy distance of its samples to the data.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Its name.
    pub name: String,
    /// Energy distance with its standard deviation; infinite where samples are not finite.
    pub distance: Quantity,
    /// The same of samples drawn again, paired between conventions; empty where samples are not finite.
    draws: Vec<f64>,
}

/// What the comparison says.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The declared convention.
    pub declared: Tried,
    /// The others, nearest first.
    pub rivals: Vec<Tried>,
    /// Samples of each.
    pub samples: usize,
}

impl Comparison {
    /// The best rival, where the declared convention is worse than it by more than the sampling noise.
    pub fn better(&self) -> Option<&Tried> {
        self.rivals.first().filter(|rival| is_nearer(rival, &self.declared))
    }

    /// The rivals that these samples do not tell from the declared convention.
    pub fn alike(&self) -> Vec<&Tried> {
        let alike =
            |rival: &&Tried| !is_nearer(rival, &self.declared) && !is_nearer(&self.declared, rival);
        self.rivals.iter().filter(alike).collect()
    }
}

/// Whether the first is nearer to the data by more than the noise of their difference.
fn is_nearer(first: &Tried, second: &Tried) -> bool {
    let (near, far) = (first.distance.value, second.distance.value);
    // Samples that are not finite are far from everything, and two such are not compared.
    if first.draws.is_empty() || second.draws.is_empty() {
        return near.is_finite() && !far.is_finite();
    }
    let differences: Vec<f64> = first.draws.iter().zip(&second.draws).map(|(a, b)| a - b).collect();
    near + APART * deviation(&differences) < far
}

/// Samples, `count` but not more than 2000, under the declared convention and each rival, compared with as many data points.
pub fn compare<N: Drift + Clone>(
    model: &Model<'_, N>,
    rivals: Vec<Convention>,
    set: &PointSet,
    count: usize,
    stream: Stream,
) -> Comparison {
    let count = count.min(MOST);
    let uniforms = stream.named("data").uniforms(count);
    let chosen: Vec<usize> = uniforms.iter().map(|u| set.drawn(*u)).collect();
    let data = set.points.select_columns(&chosen);
    let tried = |convention: Convention| {
        let name = convention.name.clone();
        let span = convention.span();
        let trained = Trained { network: model.trained.network.clone(), convention };
        let span = if name == model.trained.convention.name { model.span } else { span };
        let rival = Model {
            trained: &trained,
            space: model.space,
            method: model.method,
            steps: STEPS,
            span,
        };
        // The same noise for each, in its own units.
        let samples = ends(&trained, &rival.sampler(), &rival.starts(count, stream));
        compared(name, &samples, &data, stream.named("bar"))
    };
    let declared = tried(model.trained.convention.clone());
    let mut rivals: Vec<Tried> = rivals.into_iter().map(tried).collect();
    rivals.sort_by(|a, b| a.distance.value.total_cmp(&b.distance.value));
    Comparison { declared, rivals, samples: count }
}

fn compared(name: String, samples: &DMatrix<f64>, data: &DMatrix<f64>, stream: Stream) -> Tried {
    // Squares of larger numbers are lost too.
    if !samples.iter().all(|x| x.abs() < 1e100) {
        let distance = Quantity::new(f64::INFINITY, f64::INFINITY, Grade::Sampled);
        return Tried { name, distance, draws: Vec::new() };
    }
    let energy = Energy::of(samples, data);
    let draws = energy.draws(stream);
    let distance = Quantity::new(energy.distance(), deviation(&draws), Grade::Sampled);
    Tried { name, distance, draws }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_are_not_finite_are_far_from_everything() {
        let tried = |distance: f64, draws: &[f64]| Tried {
            name: String::new(),
            distance: Quantity::exact(distance),
            draws: draws.to_vec(),
        };
        let (near, far) = (tried(1.0, &[1.0, 1.1]), tried(f64::INFINITY, &[]));
        assert!(is_nearer(&near, &far) && !is_nearer(&far, &near) && !is_nearer(&far, &far));
        // Of two finite ones without draws nothing is known.
        assert!(!is_nearer(&tried(1.0, &[]), &tried(2.0, &[])));
        assert!(is_nearer(&near, &tried(2.0, &[2.0, 2.1])) && !is_nearer(&near, &near));
    }
}
