//! Shifts along and off other manifolds, by kind of error and by model class.

use super::errors::{All, class_axis, classes, error_of, ink_of_kind, name_of, normal_share};
use super::manifold_pictures;
use super::pairs_of;
use super::study::{Response, Study};
use crate::drift::Parametrisation;
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::model_class::{Class, Range, SIGMA_END};
use crate::experiments::relation::below;
use crate::experiments::shape::Shape;
use crate::experiments::words::{band, ends, measured, short, values, with_bar};
use crate::facts::Quantity;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::{Chapter, Relation};

/// Random errors, and samples of each.
const EFFORT: (usize, usize) = (6, 32);

/// Steps of the samplers: the torus is 5184 atoms, so fewer than the moons have.
pub const STEPS: usize = 40;

/// Pairs of the coupling by optimal transport, and its batches.
const PAIRS: (usize, usize) = (512, 256);

/// Sizes of the error.
const SIZES: [f64; 5] = [0.003, 0.01, 0.03, 0.1, 0.3];

/// One manifold and what was measured on it.
struct Seen {
    shape: Shape,
    /// Every class with every error that it can have, to first order.
    all: All,
    /// The score-based flow at every size, kind by kind.
    sizes: Vec<(Parametrisation, Response)>,
}

impl Seen {
    fn measure(shape: Shape, setting: &Setting) -> Result<Self> {
        let stream = setting.stream(super::NAME).named(shape.name);
        let pairs = pairs_of(&shape, PAIRS.0, PAIRS.1, stream)?;
        let (errors, samples) = EFFORT;
        let study = |sizes: &[f64]| Study {
            shape: &shape,
            pairs: &pairs,
            sizes: sizes.to_vec(),
            errors,
            samples,
            steps: STEPS,
            stream,
        };
        let all = All::measure(&study(&[]))?;
        let of_sizes = study(&SIZES);
        let measured = |kind| Ok((kind, of_sizes.measure(Class::ScoreOde, kind)?));
        let sizes = Parametrisation::ALL.into_iter().map(measured).collect::<Result<_>>()?;
        Ok(Self { shape, all, sizes })
    }

    fn flat(&self, class: Class, kind: Parametrisation) -> f64 {
        class.flat_shift(kind, self.shape.thickness, Range::USUAL)
            * normal_share(self.shape.manifold.ambient())
    }
}

/// Which part of a shift: along the manifold, and off it.
const PARTS: [&str; 2] = ["along", "off"];

/// Shifts, samples and densities on an ellipse, a sphere, a torus and a Swiss roll.
///
/// *Errors*: as [`Study::measure`].
pub fn add(setting: &Setting, chapter: &mut Chapter) -> Result<()> {
    let mut seen = Vec::new();
    for shape in [Shape::ellipse()?, Shape::sphere()?, Shape::torus()?, Shape::swiss_roll()?] {
        (setting.begin)(shape.name);
        seen.push(Seen::measure(shape, setting)?);
    }
    chapter.figures.push(by_size(&seen));
    chapter.figures.push(by_class(&seen));
    (setting.begin)("samples and densities of other manifolds");
    let shapes: Vec<&Shape> = seen.iter().map(|seen| &seen.shape).collect();
    manifold_pictures::add(setting, &shapes, chapter)?;
    find(&seen, chapter);
    Ok(())
}

/// The score-based flow: shifts against the size of each kind of error.
fn by_size(seen: &[Seen]) -> Figure {
    let mut panels = Vec::new();
    for Seen { shape, sizes, .. } in seen {
        for (part, which) in PARTS.into_iter().enumerate() {
            let axes = (Axis::log("size ε of the error"), Axis::log("median shift (length)"));
            let mut panel = Panel::new(format!("{}: {which}", shape.name), axes.0, axes.1);
            for (kind, found) in sizes {
                let curve = if part == 0 { &found.along } else { &found.off };
                let (ink, name) = (ink_of_kind(*kind), error_of(*kind));
                panel = panel
                    .with("", ink, band(&SIZES, curve))
                    .with(name, ink, Mark::line(SIZES.to_vec(), values(curve)))
                    .with(name, ink, Mark::points(SIZES.to_vec(), values(curve)));
            }
            let thickness = shape.thickness.hypot(SIGMA_END);
            panels.push(panel.with(
                "thickness of the data",
                Ink::Guide,
                Mark::Rule { at: thickness, vertical: false },
            ));
        }
    }
    let each = |seen: &Seen| {
        let kinds = seen.sizes.iter().map(|(kind, found)| {
            let (along, off) = found.first_order;
            let flat = short(seen.flat(Class::ScoreOde, *kind));
            format!("{}: {}, {} (flat {flat})", name_of(*kind), with_bar(along), with_bar(off))
        });
        format!("{} {}", seen.shape.name, kinds.collect::<Vec<_>>().join("; "))
    };
    let caption = format!(
        "Median shift of samples of the score-based flow along and off four other manifolds under errors of each of its four predictions, with 95 % bands over \
         {} random errors. Shifts along and off for each unit of a small error, by duals, beside that off a flat (T6.1): {}.",
        EFFORT.0,
        seen.iter().map(each).collect::<Vec<_>>().join(". ")
    );
    let not_shown = "Manifolds of codimension 1 and thickness 0.05 or 0.1 only; the uniform law on each. The sizes of the four kinds have four units. The flat \
                     prediction knows neither curvature nor that the error varies along the path.";
    let title = "Ellipse, sphere, torus, Swiss roll: shifts by kind of error";
    Figure::new("other-manifolds", title, panels)
        .in_columns(2)
        .says(caption, not_shown)
        .within(5e-3)
}

/// All classes: shifts for each unit of an infinitesimal error.
fn by_class(seen: &[Seen]) -> Figure {
    let mut panels = Vec::new();
    for Seen { shape, all, .. } in seen {
        for (part, which) in PARTS.into_iter().enumerate() {
            let title = format!("{}: {which}", shape.name);
            let panel = Panel::new(title, class_axis(), Axis::log("shift per unit of error"));
            panels.push(by_kind(panel, all, |found| match part {
                0 => found.first_order.0,
                _ => found.first_order.1,
            }));
        }
    }
    let ratio = |found: &Response| found.first_order.1.value / found.first_order.0.value;
    let ratios = ends(seen.iter().flat_map(|seen| seen.all.responses().map(ratio)));
    let caption = format!(
        "Median shifts along and off for each unit of an infinitesimal error of each prediction, by duals through every model class, with 95 % intervals over {} \
         random errors. Classes: {}. The shift off is between {} and {} times the one along.",
        EFFORT.0,
        classes(),
        short(ratios.0),
        short(ratios.1),
    );
    let not_shown = format!(
        "Medians of {} samples. Optimal transport has no score of its own to be wrong about, and runs over {} pairs that are assigned in batches of {}: its law is \
         not quite the one of the others.",
        EFFORT.1, PAIRS.0, PAIRS.1
    );
    let title = "Ellipse, sphere, torus, Swiss roll: first-order shifts by model class";
    let figure = Figure::new("other-manifolds-by-class", title, panels);
    figure.in_columns(2).says(caption, not_shown).within(5e-3)
}

/// One number of every class with every error, classes side by side, the kinds of error beside each other.
pub fn by_kind(panel: Panel, all: &All, of: impl Fn(&Response) -> Quantity) -> Panel {
    let kinds = Parametrisation::ALL.into_iter().enumerate();
    kinds.fold(panel, |panel, (nth, kind)| {
        let (mut at, mut found) = (Vec::new(), Vec::new());
        for (class, response) in all.rows_of(kind) {
            at.push(class.place() as f64 + 0.16 * (nth as f64 - 1.5));
            found.push(of(response));
        }
        panel.with(error_of(kind), ink_of_kind(kind), measured(at, &found))
    })
}

fn find(seen: &[Seen], chapter: &mut Chapter) {
    let range = |kind: Parametrisation| {
        let of_shape = |seen: &Seen| {
            let found = seen.sizes.iter().find(|(other, _)| *other == kind)?;
            Some(found.1.first_order.1.value / seen.flat(Class::ScoreOde, kind))
        };
        let ratios = seen.iter().map(|seen| of_shape(seen).unwrap_or(f64::NAN));
        ratios.fold((f64::INFINITY, 0.0_f64), |(low, high), ratio| match ratio.is_nan() {
            true => (ratio, ratio),
            false => (if low < ratio || low.is_nan() { low } else { ratio }, high.max(ratio)),
        })
    };
    let ranges = Parametrisation::ALL.map(range);
    let words: Vec<String> = Parametrisation::ALL
        .iter()
        .zip(&ranges)
        .map(|(kind, (low, high))| {
            format!("{} to {} ({})", short(*low), short(*high), name_of(*kind))
        })
        .collect();
    chapter.find(
        as_on_a_flat(&ranges),
        "other-manifolds",
        "A rule of thumb, no theorem: the shift off a flat manifold in closed form (T6.1, T4.2) is that off a curved one to a factor of two, for each kind of error.",
        format!(
            "On the curved ones the measured first-order shift off is so many times that of the flat: {}.",
            words.join(", ")
        ),
    );
    let parts: Vec<(Quantity, Quantity)> =
        seen.iter().flat_map(|seen| seen.all.responses().map(|found| found.first_order)).collect();
    let less = parts.iter().filter(|(along, off)| below(*off, *along)).count();
    let more = parts.iter().filter(|(along, off)| below(*along, *off)).count();
    chapter.find(
        along_not_off(&parts),
        "other-manifolds-by-class",
        "Paper: samples appear to shift along the support of the data but not away from it.",
        format!(
            "Over four manifolds, five model classes and four kinds of error the median shift off is less than the one along in {less} of {} cases, more in {more}, \
             and the bars do not tell in {}; it is above 0 in {}.",
            parts.len(),
            parts.len() - less - more,
            parts.iter().filter(|(_, off)| off.value > off.bar).count(),
        ),
    );
}

/// What ratios to the closed form of a flat, from the least to the largest for each kind, say of it: within a tenth it is as good
/// as on a flat; within a factor of two it gives the size.
pub fn as_on_a_flat(ranges: &[(f64, f64)]) -> Relation {
    let worst = ranges.iter().flat_map(|(low, high)| [*low, high.recip()]);
    // Unknown if one of them is.
    match worst.fold(1.0_f64, |a, b| if a < b || a.is_nan() { a } else { b }) {
        worst if worst > 0.9 => Relation::Agrees,
        worst if worst > 0.5 => Relation::Sharpens,
        worst if worst.is_nan() => Relation::Open,
        _ => Relation::Contradicts,
    }
}

/// What shifts along and off say of "along, not away".
pub fn along_not_off(parts: &[(Quantity, Quantity)]) -> Relation {
    let less = parts.iter().filter(|(along, off)| below(*off, *along)).count();
    let more = parts.iter().filter(|(along, off)| below(*along, *off)).count();
    let away = parts.iter().any(|(_, off)| off.value > off.bar);
    match (less, more) {
        (0, 0) => Relation::Open,
        (less, more) if more > less => Relation::Contradicts,
        (less, _) if less == parts.len() && !away => Relation::Agrees,
        _ => Relation::Sharpens,
    }
}
