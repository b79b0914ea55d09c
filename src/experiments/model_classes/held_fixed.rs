//! One prediction's error held fixed at a time: the shift off a flat manifold against its thickness.

use crate::drift::{
    Drift, Gaussian, GaussianPath, GaussianTransport, InVelocity, LearningError, Parametrisation,
};
use crate::error::Result;
use crate::experiments::model_class::{Class, Flaw, Model, Range};
use crate::experiments::robustness_of_the_support::{error_of, name_of};
use crate::experiments::words::{number, short};
use crate::figure::{Axis, Figure, Ink, Mark, Panel, Table};
use crate::flow::{InexactFlow, Method, Sampler};
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use crate::response::sensitivities;
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Noise levels for a thickness: wide enough that neither end matters to the shapes of the curves.
fn range(thickness: f64) -> Range {
    Range { start: 50.0, end: 0.02 * thickness }
}

/// The shift off N(0, diag(1, s²)) by a constant normal unit error, by duals through the sampler.
///
/// *Errors*: as [`sensitivities`].
pub fn measured(class: Class, kind: Parametrisation, thickness: f64, steps: usize) -> Result<f64> {
    let law = Gaussian::diagonal(&[1.0, thickness * thickness])?;
    let error = LearningError::constant(&[0.0, 1.0]);
    let schedule = class.schedule();
    let range = range(thickness);
    let start = [0.7, 0.3];
    let delta = match class {
        Class::ScoreSde => {
            let model = Model { class, denoiser: &law.into(), transport: &error, steps, range };
            let flaw = Flaw { error: &error, parametrisation: kind };
            return Ok(model.first_order(&start, flaw, Stream::root(0))?.1[1].abs());
        }
        Class::OptimalTransport => {
            let axes = DMatrix::identity(2, 2);
            let drift =
                GaussianTransport::new(vec![0.0; 2], axes, vec![1.0, thickness * thickness])?;
            through(&drift, class, kind, &error, &range.times(schedule, steps), &start)?
        }
        _ => {
            let drift = GaussianPath { schedule, denoiser: &law };
            through(&drift, class, kind, &error, &range.times(schedule, steps), &start)?
        }
    };
    Ok(delta.abs())
}

fn through<V: Drift>(
    drift: &V,
    class: Class,
    parametrisation: Parametrisation,
    error: &LearningError,
    times: &[f64],
    start: &[f64],
) -> Result<f64> {
    let schedule = class.schedule();
    let error = InVelocity { error, parametrisation, schedule };
    let sampler = Sampler::new(Method::Rk4, times.to_vec());
    let along = sensitivities(&InexactFlow { sampler: &sampler, drift, error: &error }, start)?;
    let last = times.last().copied().unwrap_or(1.0);
    Ok(along.last().map_or(f64::NAN, |(_, delta)| delta[1]) / schedule.coefficients(last).0)
}

/// The figure and the table of it.
///
/// *Errors*: as [`measured`].
pub fn figure(chapter: &mut Chapter) -> Result<()> {
    let widths: Vec<f64> = (0..7).map(|k| 0.3 * 10_f64.powf(-f64::from(k) / 3.0)).collect();
    let jobs: Vec<(Parametrisation, Class, f64)> = Parametrisation::ALL
        .into_iter()
        .flat_map(|kind| Class::ALL.map(|class| (kind, class)))
        .filter(|(kind, class)| class.predicts(*kind))
        .flat_map(|(kind, class)| widths.iter().map(move |s| (kind, class, *s)))
        .collect();
    let steps = |class: Class| if class == Class::ScoreSde { 1600 } else { 200 };
    let shifts: Vec<f64> = jobs
        .par_iter()
        .map(|(kind, class, s)| Ok(measured(*class, *kind, *s, steps(*class))? / s))
        .collect::<Result<_>>()?;
    let mut table = Table::new(
        "shift-off-a-flat",
        "Shift off a flat manifold of thickness s by a constant normal unit error, in units of s",
        "By duals through the samplers, beside the closed forms of T6.1 and T4.3 cut off at the noise levels of the run (50 and s/50).",
        ["error of", "model class", "s", "measured", "closed form"],
    );
    let mut panels = Vec::new();
    let mut worst: f64 = 0.0;
    let (mut growth, mut late) = (Vec::new(), Vec::new());
    for kind in Parametrisation::ALL {
        let mut panel = Panel::new(
            error_of(kind),
            Axis::log("thickness s (length)"),
            Axis::log("shift off/s per unit of error"),
        );
        for (n, class) in
            Class::ALL.into_iter().enumerate().filter(|(_, class)| class.predicts(kind))
        {
            let of = |(_, job): &(usize, &(Parametrisation, Class, f64))| {
                (job.0, job.1) == (kind, class)
            };
            let at: Vec<usize> = jobs.iter().enumerate().filter(of).map(|(i, _)| i).collect();
            let values: Vec<f64> = at.iter().map(|i| shifts[*i]).collect();
            let flat = |s: &f64| class.flat_shift(kind, *s, range(*s)) / s;
            let predicted: Vec<f64> = widths.iter().map(flat).collect();
            for ((s, value), flat) in widths.iter().zip(&values).zip(&predicted) {
                worst = worst.max((value / flat - 1.0).abs());
                table.rows.push(vec![
                    name_of(kind).into(),
                    class.name().into(),
                    (*s).into(),
                    (*value).into(),
                    (*flat).into(),
                ]);
            }
            let last = values.len() - 1;
            growth.push((kind, class, values[last] / values[0]));
            late.push((kind, class, values[last] / values[last / 2]));
            panel = panel
                .with("closed form", Ink::Predicted, Mark::dashed(widths.clone(), predicted))
                .with(class.name(), Ink::Series(n as u8), Mark::points(widths.clone(), values));
        }
        panels.push(panel);
    }
    table.tolerance = 1e-4;
    let grown =
        |kind, class| growth.iter().find(|g| (g.0, g.1) == (kind, class)).map_or(f64::NAN, |g| g.2);
    let thinner = widths[0] / widths[widths.len() - 1];
    let say = |kind| {
        let of = |class: &Class| format!("{} {}", class.name(), short(grown(kind, *class)));
        let all: Vec<String> = Class::ALL.iter().filter(|c| c.predicts(kind)).map(of).collect();
        all.join(", ")
    };
    let caption = format!(
        "Data N(0, diag(1, s²)): shift off the line in units of its thickness s, for each unit of an error that is constant over time \
         and normal, with the error of one prediction held fixed at a time. Markers: duals through the samplers; dashes: closed forms \
         (T6.1, T4.3), which they meet within {} of their value. When s shrinks by a factor of {}, the shift in units of s grows by these \
         factors: velocity: {}; noise: {}; denoiser: {}.",
        short(worst),
        short(thinner),
        say(Parametrisation::Velocity),
        say(Parametrisation::Noise),
        say(Parametrisation::Denoiser),
    );
    let not_shown = "No bars: nothing is sampled. A flat manifold and constant errors only; that a curve stays bounded as s → 0 is read off \
                     the closed form, not off seven points.";
    let figure = Figure::new("error-held-fixed", "Each kind of error held fixed in turn", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(1e-4));
    chapter.tables.push(table);
    let (score, flow) = (
        grown(Parametrisation::Velocity, Class::ScoreOde),
        grown(Parametrisation::Velocity, Class::FlowMatching),
    );
    let last = widths.len() - 1;
    let log_growth = |from: usize| (2.0 / widths[last]).ln() / (2.0 / widths[from]).ln();
    let later = |class| {
        let of =
            |g: &&(Parametrisation, Class, f64)| (g.0, g.1) == (Parametrisation::Velocity, class);
        late.iter().find(of).map_or(f64::NAN, |g| g.2)
    };
    let late_half = [later(Class::ScoreOde), later(Class::FlowMatching)];
    chapter.find(
        grows(worst, late_half, log_growth(last / 2)),
        "error-held-fixed",
        "T1.6b: shifts in units of the thickness stay bounded for a constant velocity error of the variance-preserving path, and grow like log(2/s) \
         for flow matching.",
        format!(
            "From s = {} to {} they grow by a factor of {} (score, ODE) and {} (flow matching), log(2/s) by {}; in the later half of these \
             steps by {}, {} and {}. The same two classes under equal errors of the noise prediction: {} and {}.",
            short(widths[0]),
            short(widths[widths.len() - 1]),
            short(score),
            short(flow),
            short(log_growth(0)),
            number(late_half[0], 3),
            number(late_half[1], 3),
            number(log_growth(last / 2), 3),
            short(grown(Parametrisation::Noise, Class::ScoreOde)),
            short(grown(Parametrisation::Noise, Class::FlowMatching)),
        ),
    );
    Ok(())
}

/// Whether shifts meet their closed forms (the worst share by which they miss), and over the later half of the thicknesses grow as the
/// logarithm for flow matching (the second) and by less than half of that growth for the score-based model (the first).
pub fn grows(worst: f64, [score, flow]: [f64; 2], logarithm: f64) -> Relation {
    match (worst + score + flow).is_finite() {
        false => Relation::Open,
        true if worst < 0.02
            && (flow / logarithm - 1.0).abs() < 0.05
            && score - 1.0 < 0.5 * (logarithm - 1.0) =>
        {
            Relation::Agrees
        }
        true => Relation::Contradicts,
    }
}
