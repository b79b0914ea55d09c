//! Search for a world in which a claim fails: the worlds of a campaign, moved instead of drawn.
//!
//! The worlds are those that the observer of a claim makes, or those of a [scenario file](stated) with free constants.
//! A claim is searched as it is stated, or in one of its wrong wordings, such as the one without hypothesis H1. What is made
//! small is the [`Score`] of a world: above 1 while a hypothesis fails, the room of the conclusions where all are met,
//! negative for a counterexample. Draws come first, which bound the rate of counterexamples among them; then the
//! covariance matrix adaptation of [`cma`] starts from the best of them and from an even sequence. What is found is
//! [simplified](simplify), [confirmed](confirm) at finer resolution and in more digits, and [stored](store) as a file that replays it.

pub mod archive;
pub mod cma;
pub mod confirm;
pub mod journal;
pub mod map;
mod score;
pub mod simplify;
pub mod stated;
pub mod store;

pub use score::{Score, Target};

use crate::campaign::violation_rate_bound;
use crate::error::Result;
use crate::facts::Facts;
use crate::random::{Knobs, Stream};
use crate::verdict::Judgement;
use cma::Adaptation;
use journal::Journal;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Worlds that are drawn before any is moved.
const DRAWS: usize = 512;

/// Worlds that are computed side by side, in a search and for a map: a fixed number, so that threads change nothing.
const BATCH: usize = 32;

/// Generations without a better world after which an adaptation is begun anew.
const PATIENCE: usize = 25;

/// A counterexample fails by this much at least, in [`Score::value`]; less may be rounding.
pub const CLEAR: f64 = 0.01;

/// Worlds that a search moves through, each named by its knobs.
pub trait Worlds: Sync {
    /// What is searched, as journals and files call it.
    fn name(&self) -> String;
    /// How many knobs there are.
    fn knobs(&self) -> usize;
    /// Computes, judges and scores a world.
    fn score(&self, knobs: &mut Knobs) -> Score;
    /// Plainer positions of a knob, the plainest first.
    fn plainer(&self, nth: usize, value: f64) -> Vec<f64>;
    /// What facts amount to.
    fn judge(&self, facts: &Facts) -> Judgement;
    /// The facts of a world in f64, and those of them that were carried in extended precision; for each of its trajectories.
    ///
    /// None where the worlds are not of finite maps, or carrying them would take too long.
    ///
    /// *Errors*: as [`crate::observe::extended`].
    fn twice(&self, knobs: &[f64]) -> Result<Vec<[Facts; 2]>>;
}

impl<W: Worlds> Worlds for &W {
    fn name(&self) -> String {
        (*self).name()
    }
    fn knobs(&self) -> usize {
        (*self).knobs()
    }
    fn score(&self, knobs: &mut Knobs) -> Score {
        (*self).score(knobs)
    }
    fn plainer(&self, nth: usize, value: f64) -> Vec<f64> {
        (*self).plainer(nth, value)
    }
    fn judge(&self, facts: &Facts) -> Judgement {
        (*self).judge(facts)
    }
    fn twice(&self, knobs: &[f64]) -> Result<Vec<[Facts; 2]>> {
        (*self).twice(knobs)
    }
}

/// How long to search.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Time for worlds that are computed; those of a journal cost none.
    pub budget: Duration,
    /// Worlds at most.
    pub worlds: usize,
    /// The seed of all that is drawn.
    pub seed: u64,
}

impl Effort {
    /// Why it is over after so many worlds and so much time, if it is.
    fn over(&self, worlds: usize, spent: Duration, stop: &AtomicBool) -> Option<Stopped> {
        if stop.load(Ordering::Relaxed) {
            Some(Stopped::Asked)
        } else if worlds >= self.worlds {
            Some(Stopped::Worlds)
        } else if spent >= self.budget {
            Some(Stopped::Budget)
        } else {
            None
        }
    }
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// A clear counterexample was found.
    Found,
    /// The time was up.
    Budget,
    /// All worlds that were asked for were seen.
    Worlds,
    /// The user asked for it.
    Asked,
}

/// A world by its knobs, and how it does.
#[derive(Clone, Debug)]
pub struct Point {
    /// Positions in [0, 1]; see [`Knobs`].
    pub knobs: Vec<f64>,
    /// What was seen.
    pub score: Score,
}

impl Point {
    /// How many parameters of the world are not at their plainest, where that is 0.
    pub fn moved(&self) -> usize {
        let read = self.score.read.min(self.knobs.len());
        self.knobs[..read].iter().filter(|knob| **knob != 0.0).count()
    }
}

/// What a search has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Worlds looked at.
    pub worlds: usize,
    /// Of them, those that met every hypothesis.
    pub in_scope: usize,
    /// Worlds in scope of each family.
    pub families: BTreeMap<String, usize>,
    /// Draws in scope, and those of them that are counterexamples.
    pub drawn: (usize, usize),
    /// Adaptations begun.
    pub adaptations: usize,
    /// Knobs that a world read, at most.
    pub knobs: usize,
    /// The world with the smallest score.
    pub best: Option<Point>,
    /// Each score that was smaller than all before, and the worlds seen with it.
    pub progress: Vec<(usize, f64)>,
}

impl Seen {
    fn add(&mut self, knobs: &[f64], score: &Score, drawn: bool) {
        self.worlds += 1;
        self.knobs = self.knobs.max(score.read);
        if score.in_scope() {
            self.in_scope += 1;
            *self.families.entry(score.family.clone()).or_default() += 1;
            if drawn {
                self.drawn.0 += 1;
                self.drawn.1 += usize::from(score.value < 0.0);
            }
        }
        if self.best.as_ref().is_none_or(|best| score.value < best.score.value) {
            self.best = Some(Point { knobs: knobs.to_vec(), score: score.clone() });
            self.progress.push((self.worlds, score.value));
        }
    }

    /// How many worlds it took to a clear counterexample.
    pub fn found(&self) -> Option<usize> {
        self.progress.iter().find(|(_, value)| *value < -CLEAR).map(|(worlds, _)| *worlds)
    }

    /// With 95 % confidence counterexamples are rarer than this among draws in scope; 1 where there was none.
    pub fn rate_bound(&self) -> f64 {
        violation_rate_bound(self.drawn.1, self.drawn.0)
    }
}

/// One search, from its first world to its last.
pub struct Search<'a, W> {
    worlds: W,
    effort: Effort,
    journal: &'a Journal<Score>,
    stop: &'a AtomicBool,
    /// Called after each batch.
    watch: &'a dyn Fn(&Seen),
    stream: Stream,
    seen: Seen,
    spent: Duration,
}

impl<'a, W: Worlds> Search<'a, W> {
    /// A search that has seen nothing yet. Worlds that the journal knows are not computed again.
    pub fn new(
        worlds: W,
        effort: Effort,
        journal: &'a Journal<Score>,
        stop: &'a AtomicBool,
        watch: &'a dyn Fn(&Seen),
    ) -> Self {
        let stream = Stream::root(effort.seed).named("search").named(&worlds.name());
        let (seen, spent) = (Seen::default(), Duration::ZERO);
        Self { worlds, effort, journal, stop, watch, stream, seen, spent }
    }

    /// Searches until a counterexample is clear, or the effort is spent.
    ///
    /// *Errors*: as [`Journal::look`].
    pub fn run(mut self) -> Result<(Seen, Stopped)> {
        let mut points: Vec<Point> = Vec::new();
        let (draws, knobs) = (self.stream.named("draws"), self.worlds.knobs());
        for from in (0..DRAWS).step_by(BATCH) {
            let drawn = |i: usize| draws.indexed(i as u64).uniforms(knobs);
            let batch = self.look((from..from + BATCH).map(drawn).collect(), true)?;
            points.extend(batch);
            if let Some(stopped) = self.stopped() {
                return Ok((self.seen, stopped));
            }
        }
        points.sort_by(|a, b| a.score.value.total_cmp(&b.score.value));
        for round in 0.. {
            // The best draws, one after the other, and between them points that fill the cube evenly.
            let (start, size) = match (round % 2, points.get(round / 2)) {
                (0, Some(point)) => (point.knobs.clone(), 0.15),
                _ => (evenly(round as u64, knobs), 0.35),
            };
            if let Some(stopped) = self.adapt(start, size, round)? {
                return Ok((self.seen, stopped));
            }
        }
        unreachable!("rounds end by their effort")
    }

    /// One adaptation; None where it came to rest.
    fn adapt(&mut self, start: Vec<f64>, size: f64, round: usize) -> Result<Option<Stopped>> {
        self.seen.adaptations += 1;
        let mut adaptation = Adaptation::new(start, size, BATCH);
        let stream = self.stream.named("adaptation").indexed(round as u64);
        let (mut best, mut idle) = (f64::INFINITY, 0);
        for generation in 0_u64.. {
            let steps = adaptation.ask(stream.indexed(generation));
            let worlds = steps.iter().map(|step| cma::folded(step)).collect();
            let batch = self.look(worlds, false)?;
            let values: Vec<f64> = batch.iter().map(|point| point.score.value).collect();
            if let Some(stopped) = self.stopped() {
                return Ok(Some(stopped));
            }
            adaptation.tell(&steps, &values);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            idle = if least < best - 1e-6 { 0 } else { idle + 1 };
            best = best.min(least);
            if idle >= PATIENCE || adaptation.size() < 1e-6 {
                break;
            }
        }
        Ok(None)
    }

    /// Looks at these worlds side by side, in order.
    fn look(&mut self, worlds: Vec<Vec<f64>>, drawn: bool) -> Result<Vec<Point>> {
        let see = |knobs: &[f64]| self.worlds.score(&mut Knobs::new(knobs));
        let (scores, spent) = self.journal.look(self.seen.worlds, &worlds, see)?;
        self.spent += spent;
        let points: Vec<Point> =
            worlds.into_iter().zip(scores).map(|(knobs, score)| Point { knobs, score }).collect();
        for point in &points {
            self.seen.add(&point.knobs, &point.score, drawn);
        }
        (self.watch)(&self.seen);
        Ok(points)
    }

    fn stopped(&self) -> Option<Stopped> {
        let clear = |best: &Point| best.score.value < -CLEAR;
        match self.seen.best.as_ref().is_some_and(clear) {
            true => Some(Stopped::Found),
            false => self.effort.over(self.seen.worlds, self.spent, self.stop),
        }
    }
}

/// The n-th point of a sequence that fills the cube of so many knobs evenly: multiples of the powers of the inverse of the
/// root of x^(K+1) = x + 1, modulo 1 (Roberts' generalisation of the golden ratio).
fn evenly(n: u64, knobs: usize) -> Vec<f64> {
    let k = knobs as f64;
    let root = (0..64).fold(1.5_f64, |x, _| (1.0 + x).powf(1.0 / (k + 1.0)));
    (1..=knobs).map(|i| (0.5 + (n as f64 + 1.0) * root.powi(-(i as i32))).fract()).collect()
}
