//! Two moons under every model class.

use super::study::{Response, Study};
use crate::drift::Parametrisation;
use crate::error::Result;
use crate::experiments::model_class::{Class, Flaw, Range, SIGMA_END};
use crate::experiments::words::{band, bars, short, values, with_bar};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};
use crate::record::{Chapter, Relation};
use std::f64::consts::PI;

/// Size of the error in the pictures of samples.
const SHOWN: f64 = 0.3;
/// Samples drawn in each picture.
const DRAWN: usize = 250;
/// Bins of densities.
const BINS: usize = 24;

/// Every class with every error that it can have.
pub struct All {
    rows: Vec<(Class, Parametrisation, Response)>,
}

impl All {
    /// Measures them.
    ///
    /// *Errors*: as [`Study::measure`].
    pub fn measure(study: &Study) -> Result<Self> {
        let mut rows = Vec::new();
        for class in Class::ALL {
            for parametrisation in Parametrisation::ALL {
                if class.predicts(parametrisation) {
                    rows.push((class, parametrisation, study.measure(class, parametrisation)?));
                }
            }
        }
        Ok(Self { rows })
    }

    fn of(&self, class: Class, parametrisation: Parametrisation) -> Option<&Response> {
        let found =
            |row: &&(Class, Parametrisation, Response)| (row.0, row.1) == (class, parametrisation);
        self.rows.iter().find(found).map(|row| &row.2)
    }

    fn rows_of(
        &self,
        parametrisation: Parametrisation,
    ) -> impl Iterator<Item = (Class, &Response)> {
        self.rows.iter().filter(move |row| row.1 == parametrisation).map(|row| (row.0, &row.2))
    }
}

/// As axes and titles say it.
pub fn error_of(parametrisation: Parametrisation) -> &'static str {
    match parametrisation {
        Parametrisation::Denoiser => "error of the denoiser",
        Parametrisation::Noise => "error of the noise prediction",
        Parametrisation::Score => "error of the score",
        Parametrisation::Velocity => "error of the velocity",
    }
}

/// Size of an error, with its unit: that of the data is 1.
pub fn size_axis(parametrisation: Parametrisation) -> Axis {
    let unit = match parametrisation {
        Parametrisation::Denoiser => "length",
        Parametrisation::Noise => "no unit",
        Parametrisation::Score => "1/length",
        Parametrisation::Velocity => "length/time",
    };
    Axis::log(format!("size ε ({unit})"))
}

/// The median |w_N| of a random error of unit root mean square in D dimensions, taken as Gaussian, in codimension 1.
pub fn normal_share(dim: usize) -> f64 {
    0.674_489_750_196_081_7 / (dim as f64).sqrt()
}

fn cloud(points: &[f64], dim: usize) -> Mark {
    let coordinate = |i: usize| points.chunks_exact(dim).take(DRAWN).map(|p| p[i]).collect();
    Mark::points(coordinate(0), coordinate(1))
}

/// Samples of every class, and of one class under every error.
///
/// *Errors*: as [`Study::samples`].
pub fn samples(study: &Study, chapter: &mut Chapter) -> Result<()> {
    let error = study.error(0);
    let stream = study.stream.named("pictures");
    let (x, y) = study.shape.outline(60);
    let panel = |title: &str, class: Class, parametrisation| -> Result<(Panel, f64)> {
        let flaw = Flaw { error: &error, parametrisation };
        let (exact, moved) = study.samples(class, flaw, SHOWN, stream)?;
        let distances = moved.chunks_exact(2).map(|y| Ok(study.shape.spot(y)?.distance()));
        let distances: Vec<f64> = distances.collect::<Result<_>>()?;
        let panel = Panel::plane(title)
            .with("without error", Ink::Null, cloud(&exact, 2))
            .with("with error", Ink::Error, cloud(&moved, 2))
            .with("data manifold", Ink::Data, Mark::line(x.clone(), y.clone()));
        Ok((panel, distances.iter().sum::<f64>() / distances.len() as f64))
    };
    let (mut panels, mut said) = (Vec::new(), Vec::new());
    for class in Class::ALL {
        let (drawn, distance) = panel(class.name(), class, Parametrisation::Velocity)?;
        panels.push(drawn);
        said.push(format!("{} {}", class.name(), short(distance)));
    }
    let thickness = study.shape.thickness.hypot(SIGMA_END);
    let without = thickness * (2.0 / PI).sqrt();
    let caption = format!(
        "Samples of each model class without error and with one and the same random error of its velocity, of size ε = \
         {SHOWN}: the same field $w(x)$, of correlation length 1. Mean distance from the moons with the error: {}; without \
         error it is {} (the law has thickness {}). The moons are deformed along themselves more than they are left.",
        said.join(", "),
        short(without),
        short(thickness),
    );
    let not_shown = "The size ε is the same number for all classes, not the same error: a velocity error of one class is \
                     another denoiser error than that of the next (T6.4). Times run over [0, 1] for all.";
    let name = "samples-by-class";
    let figure = Figure::new(name, "Two moons under an error of the velocity", panels);
    chapter.figures.push(figure.in_columns(3).says(caption, not_shown).within(1e-3));

    let (mut panels, mut said) = (Vec::new(), Vec::new());
    for parametrisation in Parametrisation::ALL {
        let title = error_of(parametrisation);
        let (drawn, distance) = panel(title, Class::ScoreOde, parametrisation)?;
        panels.push(drawn);
        said.push(format!("{title} {}", short(distance)));
    }
    let caption = format!(
        "The probability flow of the score-based model under the same random field of size ε = {SHOWN} as an error of each of \
         its four predictions. Mean distance from the moons: {}; without error {}. The denoiser's error leaves the \
         manifold: nothing contracts it, because it keeps acting until the last step (T4.3, C8).",
        said.join(", "),
        short(without),
    );
    let not_shown = "Four errors of equal size in four units: of a trained model one would have to know in which prediction \
                     its error is about constant over time.";
    let figure =
        Figure::new("samples-by-error", "Two moons: one model, four kinds of error", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(1e-3));
    Ok(())
}

/// Densities along the moons and across them, with and without error.
///
/// *Errors*: as [`Study::samples`].
pub fn densities(study: &Study, chapter: &mut Chapter) -> Result<()> {
    let many = Study { samples: 4000, sizes: Vec::new(), ..*study };
    let error = many.error(0);
    let size = SHOWN / 3.0;
    let reach = 5.0 * study.shape.thickness;
    // Position along a moon in radians, both moons together, and height over it.
    let coordinates = |points: &[f64]| -> Result<(Vec<f64>, Vec<f64>)> {
        let mut pairs = (Vec::new(), Vec::new());
        for y in points.chunks_exact(2) {
            let spot = study.shape.spot(y)?;
            pairs.0.push(spot.foot()[0]);
            pairs.1.push(spot.offset[1]);
        }
        Ok(pairs)
    };
    let shares = |values: &[f64], (from, to): (f64, f64)| -> Vec<Quantity> {
        let width = (to - from) / BINS as f64;
        let inside = |bin: usize| {
            let low = from + bin as f64 * width;
            values.iter().filter(|v| (low..low + width).contains(v)).count()
        };
        (0..BINS).map(|bin| Quantity::sampled_share(inside(bin), values.len(), REPORTED)).collect()
    };
    let ranges = [(-1.0, 2.0), (-reach, reach)];
    let labels = ["x₁ of the nearest point", "height over the nearest moon"];
    let titles = ["along: density of the nearest point", "off: density of the height"];
    let mut panels: Vec<Panel> = titles
        .iter()
        .zip(labels)
        .map(|(title, label)| {
            Panel::new(*title, Axis::new(label), Axis::new("share of samples in a bin"))
        })
        .collect();
    let mut spreads = Vec::new();
    let kinds = [Parametrisation::Noise, Parametrisation::Denoiser];
    for (index, parametrisation) in kinds.into_iter().enumerate() {
        let flaw = Flaw { error: &error, parametrisation };
        let stream = study.stream.named("densities");
        let (exact, moved) = many.samples(Class::ScoreOde, flaw, size, stream)?;
        let (exact, moved) = (coordinates(&exact)?, coordinates(&moved)?);
        let spread = |h: &[f64]| (h.iter().map(|h| h * h).sum::<f64>() / h.len() as f64).sqrt();
        if index == 0 {
            spreads.push(spread(&exact.1));
        }
        spreads.push(spread(&moved.1));
        let both = [(&exact.0, &moved.0), (&exact.1, &moved.1)];
        for ((panel, range), (exact, moved)) in panels.iter_mut().zip(ranges).zip(both) {
            let mut drawn = std::mem::take(panel);
            if index == 0 {
                let mark = Mark::histogram(exact, range.0, range.1, BINS);
                drawn = drawn.with("without error", Ink::Data, mark);
            }
            let shares = shares(moved, range);
            let width = (range.1 - range.0) / BINS as f64;
            let at = (0..BINS).map(|bin| range.0 + (bin as f64 + 0.5) * width).collect();
            let mark = Mark::points_with_bars(at, values(&shares), bars(&shares));
            let ink = [Ink::Measured, Ink::Error][index];
            *panel = drawn.with(error_of(parametrisation), ink, mark);
        }
    }
    let caption = format!(
        "Where 4000 samples of the score-based flow lie along the moons (left) and across them (right), without error and with \
         the same random field of size ε = {} as error of the noise prediction and of the denoiser. Root mean square height: \
         {} without error, {} with the error of the noise prediction, {} with that of the denoiser. Both reshape the density \
         along the moons; only the second one visibly moves it off them.",
        short(size),
        short(spreads[0]),
        short(spreads[1]),
        short(spreads[2]),
    );
    let not_shown = "One random error; samples beyond the range of the heights are in no bin. That the first-order response \
                     of the density is supported where the density is holds for both errors, and tells them not apart (T1.2).";
    let figure = Figure::new("densities", "Density along and across the moons", panels);
    chapter.figures.push(figure.says(caption, not_shown).within(2e-2));
    Ok(())
}

/// Shifts of one class against size, one panel for each prediction.
pub fn by_parametrisation(study: &Study, all: &All, chapter: &mut Chapter) {
    let thickness = study.shape.thickness.hypot(SIGMA_END);
    let sizes = &study.sizes;
    let (mut panels, mut said) = (Vec::new(), Vec::new());
    for parametrisation in Parametrisation::ALL {
        let Some(found) = all.of(Class::ScoreOde, parametrisation) else { continue };
        let (along, off) = found.first_order;
        let flat = Class::ScoreOde.flat_shift(parametrisation, study.shape.thickness, Range::USUAL)
            * normal_share(2);
        let line =
            |slope: f64| Mark::dashed(sizes.clone(), sizes.iter().map(|s| s * slope).collect());
        let panel = Panel::new(
            error_of(parametrisation),
            size_axis(parametrisation),
            Axis::log("median shift (length)"),
        );
        panels.push(
            panel
                .with("", Ink::Tangent, band(sizes, &found.along))
                .with("", Ink::Normal, band(sizes, &found.off))
                .with(
                    "along the manifold",
                    Ink::Tangent,
                    Mark::points(sizes.clone(), values(&found.along)),
                )
                .with(
                    "off the manifold",
                    Ink::Normal,
                    Mark::points(sizes.clone(), values(&found.off)),
                )
                .with("first order, by duals", Ink::Guide, line(along.value))
                .with("first order, by duals", Ink::Guide, line(off.value))
                .with("off a flat, T6.1", Ink::Predicted, line(flat))
                .with(
                    "thickness of the data",
                    Ink::Bound,
                    Mark::Rule { at: thickness, vertical: false },
                ),
        );
        said.push(format!(
            "{}: along {}, off {} (flat, constant error: {})",
            error_of(parametrisation),
            with_bar(along),
            with_bar(off),
            short(flat)
        ));
    }
    let caption = format!(
        "Median shift of samples of the score-based flow along the moons (distance between nearest points) and off them \
         (change of the offset from the nearest point), with 95 % bands over {} random errors. Shifts for each unit of a small error: \
         {}. Small errors follow the first-order lines $\\varepsilon|\\delta_T|$ and $\\varepsilon|\\delta_N|$; the shift off saturates where samples come near the other moon.",
        study.errors,
        said.join("; ")
    );
    let not_shown = "That the response of the density is supported on the data's support holds in every panel, also in those \
                     where samples leave the manifold, so it is no evidence of robustness (T1.2); only the sizes are.";
    let figure =
        Figure::new("shift-by-error", "Shift along and off the moons, by kind of error", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(5e-3));
    claim_of_the_support(all, thickness, chapter);
}

fn claim_of_the_support(all: &All, thickness: f64, chapter: &mut Chapter) {
    let part =
        |parametrisation| all.of(Class::ScoreOde, parametrisation).map(|found| found.first_order);
    let (Some(denoiser), Some(noise)) =
        (part(Parametrisation::Denoiser), part(Parametrisation::Noise))
    else {
        return;
    };
    let leaves = denoiser.1.value > denoiser.1.bar && noise.1.value > noise.1.bar;
    chapter.find(
        if leaves { Relation::Sharpens } else { Relation::Open },
        "shift-by-error",
        "Claim 1 of the paper: infinitesimal learning errors change the density only on the data manifold (T1.2, T1.5d).",
        format!(
            "True of every smooth model, so no evidence of robustness: on two moons a small error of size ε moves the median sample off \
             by ({})ε when it is one of the denoiser, ({})ε when it is one of the noise prediction, beside ({})ε and ({})ε \
             along. The first becomes as large as the thickness {} of the data at ε = {}, the second at ε = {}.",
            with_bar(denoiser.1),
            with_bar(noise.1),
            with_bar(denoiser.0),
            with_bar(noise.0),
            short(thickness),
            short(thickness / denoiser.1.value),
            short(thickness / noise.1.value),
        ),
    );
}

/// The shift off the moons of all classes against size, one panel for each prediction.
pub fn by_class(study: &Study, all: &All, chapter: &mut Chapter) {
    let thickness = study.shape.thickness.hypot(SIGMA_END);
    let sizes = &study.sizes;
    let panel = |parametrisation| {
        let mut panel = Panel::new(
            error_of(parametrisation),
            size_axis(parametrisation),
            Axis::log("median shift off (length)"),
        );
        for (class, found) in all.rows_of(parametrisation) {
            let ink = ink_of(class);
            panel = panel.with("", ink, band(sizes, &found.off)).with(
                class.name(),
                ink,
                Mark::points(sizes.clone(), values(&found.off)),
            );
        }
        panel.with(
            "thickness of the data",
            Ink::Bound,
            Mark::Rule { at: thickness, vertical: false },
        )
    };
    let panels = Parametrisation::ALL.map(panel).to_vec();
    let said: Vec<String> = Parametrisation::ALL
        .iter()
        .filter_map(|p| Some(format!("{}, {}", error_of(*p), spread(all, *p)?)))
        .collect();
    let caption = format!(
        "Median shift off the moons of every model class, with 95 % bands over {} random errors; the error field and the \
         data are the same for all. Between the least and the largest first-order shift off of the three flows of Gaussian \
         paths (score ODE, flow matching, interpolant) lie factors of: {}. The stochastic sampler is the one that \
         differs where the kind of error is one of the denoiser or the noise.",
        study.errors,
        said.join("; ")
    );
    let not_shown = "Errors here are functions of the state x of each model, which is scaled differently from class to class; \
                     the chapter on model classes takes the same function of x/a, and then the three flows agree to rounding.";
    let figure = Figure::new("shift-by-class", "Shift off the moons, by model class", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(5e-3));
}

/// Of the three flows of Gaussian paths: largest over least |δ_N|.
fn spread(all: &All, parametrisation: Parametrisation) -> Option<String> {
    let flows = [Class::ScoreOde, Class::FlowMatching, Class::Interpolant];
    let sizes =
        flows.iter().map(|class| Some(all.of(*class, parametrisation)?.first_order.1.value));
    let sizes: Vec<f64> = sizes.collect::<Option<_>>()?;
    let (least, most) =
        sizes.iter().fold((f64::INFINITY, 0.0_f64), |(l, m), v| (l.min(*v), m.max(*v)));
    Some(short(most / least))
}

/// The same class has the same colour in every figure.
pub fn ink_of(class: Class) -> Ink {
    Ink::Series(Class::ALL.iter().position(|other| *other == class).unwrap_or(0) as u8)
}

/// First-order shifts of every class under every error, beside the flat prediction: a figure and the table behind it.
pub fn first_order(study: &Study, all: &All, chapter: &mut Chapter) {
    let names: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
    let short_names = ["ODE", "SDE", "FM", "OT", "SI"];
    let caption = format!(
        "Median shifts along and off the moons for each unit of an infinitesimal error, by duals, with 95 % confidence intervals over {} \
         random errors; beside them the shift off a flat manifold of the same thickness by an error that is constant along \
         the path (T6.1, T4.3), times the median |w_N| of a Gaussian field.",
        study.errors
    );
    let mut table = Table::new(
        "first-order-shifts",
        "Shifts of samples of two moons for each unit of an infinitesimal error",
        caption.clone(),
        [
            "model class",
            "error of",
            "along",
            "off",
            "off a flat (T6.1)",
            "size at which off = thickness",
        ],
    );
    let thickness = study.shape.thickness.hypot(SIGMA_END);
    let mut panels = Vec::new();
    for parametrisation in Parametrisation::ALL {
        let (mut at, mut along, mut off, mut flat) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (class, found) in all.rows_of(parametrisation) {
            at.push(Class::ALL.iter().position(|other| *other == class).unwrap_or(0) as f64);
            let (tangent, normal) = found.first_order;
            along.push(tangent);
            off.push(normal);
            flat.push(
                class.flat_shift(parametrisation, study.shape.thickness, Range::USUAL)
                    * normal_share(2),
            );
            table.rows.push(vec![
                class.name().into(),
                error_of(parametrisation).trim_start_matches("error of the ").into(),
                tangent.into(),
                normal.into(),
                flat.last().copied().unwrap_or(f64::NAN).into(),
                Cell::from(thickness / normal.value),
            ]);
        }
        let y = Axis::log("shift per unit of error");
        let left: Vec<f64> = at.iter().map(|x| x - 0.12).collect();
        let right: Vec<f64> = at.iter().map(|x| x + 0.12).collect();
        panels.push(
            Panel::new(
                error_of(parametrisation),
                Axis::of("model class", short_names).from_to(-0.5, 4.5),
                y,
            )
            .with(
                "along the manifold",
                Ink::Tangent,
                Mark::points_with_bars(left, values(&along), bars(&along)),
            )
            .with(
                "off the manifold",
                Ink::Normal,
                Mark::points_with_bars(right, values(&off), bars(&off)),
            )
            .with("off a flat, T6.1", Ink::Predicted, Mark::points(at, flat)),
        );
    }
    let caption = format!(
        "{caption} Classes: {}.",
        short_names
            .iter()
            .zip(&names)
            .map(|(s, n)| format!("{s} {n}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let not_shown = "First order says nothing of errors larger than about the reach, a quarter here, over the shift per unit. \
                     Optimal transport has no score of its own to be wrong about.";
    let figure =
        Figure::new("first-order-by-class", "First-order shifts along and off the moons", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(1e-3));
    chapter.tables.push(table);
    claim_of_the_classes(all, chapter);
}

fn claim_of_the_classes(all: &All, chapter: &mut Chapter) {
    let off = |class, kind| all.of(class, kind).map(|found| found.first_order.1);
    let share = |kind| {
        Some((
            off(Class::ScoreSde, kind)?,
            off(Class::ScoreOde, kind)?,
            off(Class::FlowMatching, kind)?,
        ))
    };
    let (Some(noise), Some(velocity)) =
        (share(Parametrisation::Noise), share(Parametrisation::Velocity))
    else {
        return;
    };
    let overlap = |a: Quantity, b: Quantity| (a.value - b.value).abs() <= a.bar + b.bar;
    let same = overlap(noise.1, noise.2);
    let apart = !overlap(velocity.1, velocity.2);
    let relation = if same && apart { Relation::Sharpens } else { Relation::Open };
    chapter.find(
        relation,
        "first-order-by-class",
        "Claim 5 of the paper, as we read it: score-based models have a robust support, some flow-matching models less so (T6.4).",
        format!(
            "It depends on which error is held fixed. Shift off for each unit of error: noise prediction {} (score, ODE), {} \
             (score, SDE), {} (flow matching); velocity {}, {} and {}. At equal errors of the noise prediction the two flows {}.",
            with_bar(noise.1),
            with_bar(noise.0),
            with_bar(noise.2),
            with_bar(velocity.1),
            with_bar(velocity.0),
            with_bar(velocity.2),
            if same { "do not differ within their bars" } else { "differ by more than their bars" },
        ),
    );
}
