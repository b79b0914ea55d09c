//! Shifts along and off other manifolds.

use super::errors::{error_of, normal_share};
use super::study::Study;
use crate::drift::{Pairs, Parametrisation};
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::model_class::{Class, Range, SIGMA_END};
use crate::experiments::shape::Shape;
use crate::experiments::words::{band, short, values, with_bar};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::record::{Chapter, Relation};

/// Shifts along and off an ellipse, a sphere, a torus and a Swiss roll.
///
/// *Errors*: as [`Study::measure`].
pub fn shifts(setting: &Setting, pairs: &Pairs, chapter: &mut Chapter) -> Result<()> {
    let kinds = [Parametrisation::Noise, Parametrisation::Denoiser];
    let sizes: Vec<f64> = [0.003, 0.01, 0.03, 0.1, 0.3].to_vec();
    let (mut panels, mut said, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for shape in [Shape::ellipse()?, Shape::sphere()?, Shape::torus()?, Shape::swiss_roll()?] {
        (setting.begin)(shape.name);
        let stream = setting.stream("robustness-of-the-support").named(shape.name);
        // The torus is 5184 atoms: fewer steps than the moons have.
        let study = Study {
            shape: &shape,
            pairs,
            sizes: sizes.clone(),
            errors: 6,
            samples: 48,
            steps: 48,
            stream,
        };
        let label = "size ε of the error";
        let mut panel =
            Panel::new(shape.name, Axis::log(label), Axis::log("median shift (length)"));
        for kind in kinds {
            let found = study.measure(Class::ScoreOde, kind)?;
            let dim = shape.manifold.ambient();
            let flat =
                Class::ScoreOde.flat_shift(kind, shape.thickness, Range::USUAL) * normal_share(dim);
            let (along, off) = found.first_order;
            let name = |part: &str| {
                format!("{part}, {}", error_of(kind).trim_start_matches("error of the "))
            };
            let inks = match kind {
                Parametrisation::Noise => [Ink::Tangent, Ink::Normal],
                _ => [Ink::Measured, Ink::Error],
            };
            for (ink, part, curve) in
                [(inks[0], "along", &found.along), (inks[1], "off", &found.off)]
            {
                panel = panel.with("", ink, band(&sizes, curve)).with(
                    &name(part),
                    ink,
                    Mark::points(sizes.clone(), values(curve)),
                );
            }
            let line = sizes.iter().map(|size| flat * size).collect();
            panel =
                panel.with("off a flat, T6.1", Ink::Predicted, Mark::dashed(sizes.clone(), line));
            said.push(format!(
                "{} ({}): along {}, off {}, flat {}",
                shape.name,
                error_of(kind),
                with_bar(along),
                with_bar(off),
                short(flat)
            ));
            ratios.push((off.value / flat, kind));
        }
        let thickness = shape.thickness.hypot(SIGMA_END);
        panels.push(panel.with(
            "thickness of the data",
            Ink::Guide,
            Mark::Rule { at: thickness, vertical: false },
        ));
    }
    let caption = format!(
        "Median shift of samples of the score-based flow along and off four other manifolds by errors of the noise prediction and \
         of the denoiser, with 95 % bands over 6 random errors. For each unit of a small error: {}.",
        said.join("; ")
    );
    let not_shown = "Manifolds of codimension 1 and thickness 0.05 or 0.1 only; the uniform law on each. The flat prediction \
                     knows neither curvature nor that the error varies along the path.";
    let figure = Figure::new("other-manifolds", "Ellipse, sphere, torus, Swiss roll", panels);
    chapter.figures.push(figure.in_columns(2).says(caption, not_shown).within(5e-3));
    let within = |kind| {
        let of_kind = ratios.iter().filter(move |r| r.1 == kind).map(|r| r.0);
        of_kind.fold((f64::INFINITY, 0.0_f64), |(l, m), r| (l.min(r), m.max(r)))
    };
    let (noise, denoiser) = (within(Parametrisation::Noise), within(Parametrisation::Denoiser));
    let all = [noise.0, denoiser.0, noise.1.recip(), denoiser.1.recip()];
    // Within a tenth the closed form is as good as that of a flat; within a factor of two it gives the size.
    let least = all.into_iter().fold(1.0_f64, f64::min);
    let relation = match least {
        least if least > 0.9 => Relation::Agrees,
        least if least > 0.5 => Relation::Sharpens,
        _ => Relation::Contradicts,
    };
    chapter.find(
        relation,
        "other-manifolds",
        "The shift off a flat manifold in closed form (T6.1, T4.2) for each kind of error.",
        format!(
            "On the curved ones the measured first-order shift off is {} to {} times that of the flat for errors of the noise \
             prediction, {} to {} times for those of the denoiser.",
            short(noise.0),
            short(noise.1),
            short(denoiser.0),
            short(denoiser.1)
        ),
    );
    Ok(())
}
