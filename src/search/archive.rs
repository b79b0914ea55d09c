//! The worst world at each place of a plane of two measures: where alignment holds, where it fails, and where the
//! condition says nothing although it holds.

use super::cma::folded;
use super::journal::Journal;
use super::{BATCH, Effort, Stopped};
use crate::claims::{self, Claim};
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::observe::{KNOBS, observe};
use crate::random::{Knobs, Stream};
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Cells along each measure.
pub const SIDE: usize = 16;

/// Batches that are drawn before any world is varied.
const DRAWN: usize = 16;

/// A plane whose sine of the angle to the tangent is below this counts as aligned: 30°.
pub const ALIGNED: f64 = 0.5;

/// What a map of a claim shows: two measures of a world, each the integral of a series of facts along its path.
pub struct Chart {
    /// The claim.
    pub claim: &'static Claim,
    /// Names of the two series, what they are, and the range that is mapped.
    pub axes: [Axis; 2],
    /// The conclusion whose right side bounds the angle.
    conclusion: &'static str,
    /// The sine of the angle that this side allows.
    sine: fn(f64) -> f64,
}

/// One of the measures.
#[derive(Clone, Copy)]
pub struct Axis {
    /// The series of facts.
    pub series: &'static str,
    /// What it is, as the label of an axis.
    pub label: &'static str,
    /// The range that is mapped; worlds beyond lie in the outermost cells.
    pub range: [f64; 2],
}

/// The claims that have a map.
///
/// *Errors*: [`Error::Input`] for another one.
pub fn chart(claim: &Claim) -> Result<Chart> {
    let relative = &claims::relative_compression_forces_alignment::CLAIM;
    let adiabatic = &claims::adiabatic_gap_forces_alignment::CLAIM;
    let axis = |series, label, range| Axis { series, label, range };
    if claim.id == relative.id {
        let compression = "relative compression of the whole run, ∫γ";
        let axes = [
            axis("gamma", compression, [-4.0, 12.0]),
            axis("kappa", "cross term of the whole run, ∫κ", [0.0, 4.0]),
        ];
        let conclusion = "sine of the angle";
        return Ok(Chart { claim: relative, axes, conclusion, sine: |sine| sine });
    }
    if claim.id == adiabatic.id {
        let axes = [
            axis("gap", "gap of the spectrum over the whole run, ∫gap", [0.0, 16.0]),
            axis("turning", "turning of the eigenspace in the whole run, ∫‖P'‖", [0.0, 4.0]),
        ];
        let conclusion = "slope below the Riccati bound";
        let sine = |slope: f64| slope / slope.hypot(1.0);
        return Ok(Chart { claim: adiabatic, axes, conclusion, sine });
    }
    let problem = format!("there is no map of {}", claim.id);
    let hint = format!("explore {} --archive, or {}", relative.id, adiabatic.id);
    Err(Error::input("--archive", problem, hint))
}

/// What is seen of a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Its two measures; none where it could not be computed.
    pub at: Option<[f64; 2]>,
    /// Sine of the angle at the end between the plane and the tangent space.
    pub sine: f64,
    /// What the claim bounds it by; none where it is silent.
    pub bound: Option<f64>,
}

/// The worst world of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Elite {
    /// Its knobs.
    pub knobs: Vec<f64>,
    /// What was seen of it.
    pub look: Look,
    /// The worlds of the cell that were seen, this one among them.
    pub worlds: usize,
}

/// How alignment stands in a cell, judged by its worst world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Aligned, and the condition says so.
    Guaranteed,
    /// Aligned, though the condition does not say so: it is sufficient and not necessary.
    Silent,
    /// Not aligned.
    Fails,
}

impl Elite {
    /// How alignment stands there.
    pub fn standing(&self) -> Standing {
        match (self.look.sine < ALIGNED, self.look.bound) {
            (false, _) => Standing::Fails,
            (true, Some(bound)) if bound < ALIGNED => Standing::Guaranteed,
            (true, _) => Standing::Silent,
        }
    }
}

/// The worst worlds so far.
pub struct Archive {
    /// Row by row from the least of both measures; none where no world was seen.
    pub cells: Vec<Option<Elite>>,
    /// Worlds looked at.
    pub worlds: usize,
}

impl Archive {
    fn add(&mut self, chart: &Chart, knobs: &[f64], look: &Look) {
        self.worlds += 1;
        let Some(at) = look.at else { return };
        let cell = |nth: usize| {
            let [low, high] = chart.axes[nth].range;
            let share = (at[nth] - low) / (high - low);
            ((share * SIDE as f64).max(0.0) as usize).min(SIDE - 1)
        };
        let place = &mut self.cells[cell(1) * SIDE + cell(0)];
        let worlds = place.as_ref().map_or(0, |elite| elite.worlds) + 1;
        match place {
            Some(elite) if elite.look.sine >= look.sine => elite.worlds = worlds,
            _ => *place = Some(Elite { knobs: knobs.to_vec(), look: look.clone(), worlds }),
        }
    }

    /// How many cells stand like this.
    pub fn count(&self, standing: Standing) -> usize {
        self.cells.iter().flatten().filter(|elite| elite.standing() == standing).count()
    }
}

/// Fills the map: draws first, then variations of the worst worlds of all cells (MAP-Elites; Mouret and Clune 2015).
///
/// *Errors*: as [`Journal::look`].
pub fn fill(
    chart: &Chart,
    effort: Effort,
    journal: &Journal<Look>,
    stop: &AtomicBool,
    watch: &dyn Fn(&Archive),
) -> Result<(Archive, Stopped)> {
    let mut archive = Archive { cells: vec![None; SIDE * SIDE], worlds: 0 };
    let stream = Stream::root(effort.seed).named("archive").named(chart.claim.id);
    let mut spent = Duration::ZERO;
    for batch in 0.. {
        let stream = stream.indexed(batch as u64);
        let parents: Vec<&Elite> = archive.cells.iter().flatten().collect();
        let worlds: Vec<Vec<f64>> = (0..BATCH)
            .map(|nth| {
                let stream = stream.indexed(nth as u64);
                // One in four is drawn also later on: a map must not forget what it never saw.
                match batch < DRAWN || nth % 4 == 0 || parents.is_empty() {
                    true => stream.uniforms(KNOBS),
                    false => varied(&parents, stream),
                }
            })
            .collect();
        let see = |knobs: &[f64]| look(chart, knobs);
        let (looks, took) = journal.look(archive.worlds, &worlds, see)?;
        spent += took;
        for (knobs, look) in worlds.iter().zip(&looks) {
            archive.add(chart, knobs, look);
        }
        watch(&archive);
        if let Some(stopped) = effort.over(archive.worlds, spent, stop) {
            return Ok((archive, stopped));
        }
    }
    unreachable!("batches end by their effort")
}

/// The worst world of some cell, with about a third of its knobs moved.
fn varied(parents: &[&Elite], stream: Stream) -> Vec<f64> {
    let choice = stream.named("parent").uniforms(1)[0];
    let parent = parents[((choice * parents.len() as f64) as usize).min(parents.len() - 1)];
    let (moves, steps) =
        (stream.named("which").uniforms(KNOBS), stream.named("step").normals(KNOBS));
    let moved = parent.knobs.iter().zip(moves.iter().zip(&steps));
    folded(
        &moved
            .map(|(x, (which, z))| if *which < 0.3 { x + 0.15 * z } else { *x })
            .collect::<Vec<_>>(),
    )
}

/// Observes and judges a world.
fn look(chart: &Chart, knobs: &[f64]) -> Look {
    let unseen = Look { at: None, sine: f64::MAX, bound: None };
    let Ok(seen) = observe(chart.claim.id, &mut Knobs::new(knobs)) else { return unseen };
    let sine = seen.facts.get("end_sine").value;
    let at = chart.axes.map(|axis| integral(&seen.facts, axis.series));
    if !sine.is_finite() || at.iter().any(|measure| !measure.is_finite()) {
        return unseen;
    }
    let judgement = chart.claim.judge(&seen.facts);
    let said = judgement.verdict() == Verdict::Holds;
    let margin = judgement.conclusions.iter().find(|margin| margin.name == chart.conclusion);
    let sides = margin.filter(|_| said).and_then(|margin| margin.sides);
    let bound = sides.map(|[_, right]| (chart.sine)(right));
    Look { at: Some(at), sine, bound }
}

/// The integral of a series of facts over the time of the world, by trapezia; NaN where there is none.
fn integral(facts: &Facts, name: &str) -> f64 {
    let (times, series) = (facts.series("time"), facts.series(name));
    if times.len() != series.len() || times.len() < 2 {
        return f64::NAN;
    }
    let pieces = times.windows(2).zip(series.windows(2));
    pieces.map(|(t, f)| 0.5 * (f[0].value + f[1].value) * (t[1].value - t[0].value)).sum()
}
