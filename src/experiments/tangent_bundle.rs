//! The tangent bundle from the dynamics, beside local PCA, on noisy samples of known manifolds.

mod pictures;
mod study;

pub use study::{FIXED_LEVEL, FIXED_SIZE, Outcome, Sample};

use super::Setting;
use super::plane_accuracy::Method;
use crate::error::Result;
use crate::facts::Quantity;
use crate::manifold::{Chart, Sphere};
use crate::record::{Chapter, Relation};

/// Draws of each sample, and points of each draw at which planes are estimated.
const EFFORT: (usize, usize) = (12, 24);

/// One of the axes along which samples differ from the plainest.
pub struct Sweep {
    /// What changes, for people.
    pub title: &'static str,
    /// The quantity on its axis.
    pub axis: &'static str,
    /// Powers are at equal distances.
    pub log: bool,
    /// What was measured, in order.
    pub outcomes: Vec<Outcome>,
}

/// The unit sphere S² in R⁶ with noise: the sample from which every sweep starts.
pub fn plainest() -> Sample {
    let chart = sphere(2);
    Sample { chart, ambient: 6, points: 1000, noise: 0.05, tilt: 0.0 }
}

fn sphere(dim: usize) -> Chart {
    Chart::Sphere(Sphere { dim, radius: 1.0 })
}

/// Name of the chapter.
pub const NAME: &str = "tangent-bundle";

/// What it is about.
pub const TITLE: &str = "Tangent bundle: the dynamics beside local PCA";

/// Figures and tables of the chapter.
pub const FIGURES: &[&str] = &["accuracy", "scales", "accuracy-table"];

/// Computes the chapter.
///
/// *Errors*: as [`Outcome::of`].
pub fn run(setting: &Setting<'_>) -> Result<Chapter> {
    let sweeps = sweeps(setting, EFFORT)?;
    let all: Vec<&Outcome> = sweeps.iter().flat_map(|sweep| &sweep.outcomes).collect();
    let about = format!(
        "Noisy samples of known manifolds: N points drawn by volume from a manifold of dimension d, put into R^D by a \
         random rotation, plus normal noise of deviation s in each of the D coordinates. The plainest is the unit \
         sphere S² in R⁶ with N = 1000 and s = 0.05. At {queries} points of the sample the tangent plane at the nearest \
         point of the manifold is estimated in three ways: by the d end-point Lyapunov vectors of most growth of the \
         flow of the exact denoiser of the sample, ended at that point at a noise level σ; by the d leading \
         eigenvectors of the posterior covariance at the same σ (the last step of that flow, without its history); \
         by local PCA of the k nearest points. The error is the largest principal angle. σ and k are fixed \
         beforehand (σ where a typical posterior averages over 12 points, k = {FIXED_SIZE}), or the best \
         of ten levels σ·2^(j/d) and of up to 13 sizes from 8 to 512, chosen with the true planes at hand, in favour of each. \
         Numbers are means over {draws} independent samples of the median over the points, with 95 % bars.",
        queries = EFFORT.1,
        draws = EFFORT.0,
    );
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    chapter.figures = vec![pictures::accuracy(&sweeps), pictures::scales(&sweeps)];
    chapter.tables = vec![pictures::table(&sweeps)];

    let plain = &sweeps[0].outcomes[2];
    let flow = plain.angle(Method::Flow, true);
    let pca = plain.angle(Method::Neighbours, true);
    let tally = Tally::of(&all, Method::Neighbours, true);
    let fixed = Tally::of(&all, Method::Neighbours, false);
    chapter.find(
        if tally.loses.is_empty() { Relation::Agrees } else { Relation::Sharpens },
        "accuracy",
        "Paper: for robust models alignment automatically leads to accurate estimates of the tangent bundle.",
        format!(
            "On the plainest sample the flow at its best level is off by {}, local PCA at its best size by {}. {} {}",
            degrees(flow),
            degrees(pca),
            tally.words("local PCA", "each at its best scale", &sweeps),
            fixed.words("local PCA", "each at the scale fixed beforehand", &sweeps),
        ),
    );
    let history = Tally::of(&all, Method::Posterior, true);
    let decided = history.loses.len() + history.wins.len();
    chapter.find(
        if decided == 0 { Relation::Agrees } else { Relation::Sharpens },
        "accuracy",
        "T6.3: with one last step to σ = 0 the top subspace is the range of the posterior covariance alone.",
        format!(
            "{} {} On the plainest sample at that level: flow {}, posterior covariance {}.",
            history.words("the posterior covariance at a single level", "each at its best level", &sweeps),
            Tally::of(&all, Method::Posterior, false).words(
                "it",
                "both at the level fixed beforehand",
                &sweeps
            ),
            degrees(plain.angle(Method::Flow, false)),
            degrees(plain.angle(Method::Posterior, false)),
        ),
    );
    Ok(chapter)
}

/// All sweeps.
///
/// *Errors*: as [`Outcome::of`].
pub fn sweeps(setting: &Setting<'_>, effort: (usize, usize)) -> Result<Vec<Sweep>> {
    let stream = setting.stream("tangent-bundle");
    let mut known: Vec<Outcome> = Vec::new();
    let mut sweep = |title, axis, log, samples: Vec<(f64, Sample)>| -> Result<Sweep> {
        (setting.begin)(title);
        let mut outcomes = Vec::new();
        for (at, sample) in samples {
            // The plainest sample belongs to most sweeps.
            let outcome = match known.iter().find(|outcome| outcome.sample == sample) {
                Some(outcome) => Outcome { at, ..outcome.clone() },
                None => Outcome::of(sample, at, effort, stream.indexed(known.len() as u64))?,
            };
            known.push(outcome.clone());
            outcomes.push(outcome);
        }
        Ok(Sweep { title, axis, log, outcomes })
    };
    let noisy = |noise| (noise, Sample { noise, ..plainest() });
    let sized = |points| (points as f64, Sample { points, ..plainest() });
    let of_dim = |d: usize| (d as f64, Sample { chart: sphere(d), ambient: 8, ..plainest() });
    let within = |ambient: usize| (ambient as f64, Sample { ambient, ..plainest() });
    let bent = |k: f64| (k, Sample { chart: Chart::flat_torus(&[k, 1.0 / k]), ..plainest() });
    let tilted = |tilt| (tilt, Sample { tilt, ..plainest() });
    Ok(vec![
        sweep("noise", "noise s", false, [0.0, 0.025, 0.05, 0.1, 0.2].map(noisy).to_vec())?,
        sweep("sample size", "points N", true, [125, 250, 500, 1000, 2000].map(sized).to_vec())?,
        sweep(
            "dimension",
            "dimension d of S^d in R⁸",
            false,
            [1, 2, 3, 4, 6].map(of_dim).to_vec(),
        )?,
        sweep(
            "ambient dimension",
            "dimension D of the space",
            true,
            [3, 6, 12, 24].map(within).to_vec(),
        )?,
        sweep(
            "curvature",
            "curvature K of S¹(K)×S¹(1/K)",
            false,
            [1.0, 1.5, 2.0, 3.0, 4.0].map(bent).to_vec(),
        )?,
        sweep(
            "uneven density",
            "c in the density exp(c x₁)",
            false,
            [0.0, 1.0, 2.0, 4.0].map(tilted).to_vec(),
        )?,
    ])
}

/// On which samples the flow loses, wins, or neither is known.
pub struct Tally {
    /// Of all samples.
    total: usize,
    /// Indices of samples.
    pub loses: Vec<usize>,
    /// Indices of samples.
    pub wins: Vec<usize>,
}

impl Tally {
    /// Compares the flow with another method, on every sample once; decided where the 95 % interval of the ratio of angles leaves out 1.
    pub fn of(all: &[&Outcome], other: Method, best: bool) -> Self {
        let first = |i: &usize| !all[..*i].iter().any(|outcome| outcome.sample == all[*i].sample);
        let each: Vec<usize> = (0..all.len()).filter(first).collect();
        let which = |decided: fn(&Quantity) -> bool| -> Vec<usize> {
            let ratio = |i: &usize| all[*i].log_ratio(Method::Flow, other, best);
            each.iter().copied().filter(|i| decided(&ratio(i))).collect()
        };
        Self {
            total: each.len(),
            loses: which(|q| q.value - q.bar > 0.0),
            wins: which(|q| q.value + q.bar < 0.0),
        }
    }

    /// In words; samples are named by their sweep and value.
    pub fn words(&self, other: &str, how: &str, sweeps: &[Sweep]) -> String {
        let names: Vec<(&str, f64)> = sweeps
            .iter()
            .flat_map(|sweep| sweep.outcomes.iter().map(|outcome| (sweep.title, outcome.at)))
            .collect();
        let list = |indices: &[usize]| -> String {
            let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
            for (title, at) in indices.iter().map(|i| names[*i]) {
                match groups.last_mut().filter(|(name, _)| *name == title) {
                    Some((_, values)) => values.push(at.to_string()),
                    None => groups.push((title, vec![at.to_string()])),
                }
            }
            let groups: Vec<String> = groups
                .into_iter()
                .map(|(title, values)| format!("{title} {}", values.join(", ")))
                .collect();
            if groups.is_empty() { String::new() } else { format!(" ({})", groups.join("; ")) }
        };
        format!(
            "Against {other}, {how}, the flow loses on {} of {} samples{}, wins on {}{}, and on {} the bars do not tell.",
            self.loses.len(),
            self.total,
            list(&self.loses),
            self.wins.len(),
            list(&self.wins),
            self.total - self.loses.len() - self.wins.len(),
        )
    }
}

/// An angle with its bar.
fn degrees(angle: Quantity) -> String {
    format!("{:.1}° ± {:.1}°", angle.value, angle.bar)
}
