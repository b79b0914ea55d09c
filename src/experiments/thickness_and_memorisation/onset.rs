//! The noise level at which alignment sets in, in up to many dimensions (T6.5).

mod tracks;

pub use tracks::{Family, Onset};

use super::power;
use crate::error::Result;
use crate::experiments::relation::met;
use crate::experiments::words::{ends, measured, short, with_bar};
use crate::facts::{Grade, Quantity};
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};
use crate::flow::{Method, Sampler, geometric_times};
use crate::random::Stream;
use crate::record::{Chapter, Relation};

/// Noise levels between which trajectories run.
const LEVELS: (f64, f64) = (20.0, 4e-4);

/// Steps, each of 0.1 in log σ.
const STEPS: usize = 108;

/// Trajectories for each dimension.
const TRAJECTORIES: usize = 240;

/// Dimensions of the fits, and those drawn as curves.
const DIMS: [usize; 9] = [2, 4, 8, 16, 32, 64, 128, 256, 512];
const SHOWN: [usize; 4] = [2, 8, 64, 512];

/// Dimensions from which powers are fitted.
const LEAST_FITTED: usize = 16;

fn sampler() -> Sampler {
    Sampler::new(Method::DormandPrince, geometric_times(LEVELS.0, LEVELS.1, STEPS))
}

/// The noise level at which a falling series of medians passes a value, by interpolation of logarithms; its bar is where the ends
/// of their bars do.
fn crossing(series: &[Quantity], level: f64) -> Quantity {
    let sigmas = sampler().times().to_vec();
    let cross = |side: f64| {
        let value = |k: usize| (series[k].value + side * series[k].bar).max(f64::MIN_POSITIVE);
        let at = (1..series.len()).rev().find(|k| value(k - 1) >= level && value(*k) < level);
        at.map_or(f64::NAN, |k| {
            let share = (value(k - 1) / level).ln() / (value(k - 1) / value(k)).ln();
            sigmas[k - 1] * (sigmas[k] / sigmas[k - 1]).powf(share)
        })
    };
    let (value, low, high) = (cross(0.0), cross(1.0), cross(-1.0));
    Quantity::new(value, (value - low).abs().max((high - value).abs()), Grade::Sampled)
}

/// Every third level, for marks.
fn thinned<T: Clone>(values: &[T]) -> Vec<T> {
    values.iter().step_by(3).cloned().collect()
}

/// Figure and table.
pub fn add(chapter: &mut Chapter, stream: Stream) -> Result<()> {
    let families = [(Family::Sphere, "sphere S^(D−1) in R^D"), (Family::Circle, "circle in R^D")];
    let mut all = Vec::new();
    for (f, (family, _)) in families.into_iter().enumerate() {
        let stream = stream.indexed(f as u64);
        let onset =
            |dim: &usize| Onset::new(family, *dim, TRAJECTORIES, stream.indexed(*dim as u64));
        all.push(DIMS.iter().map(onset).collect::<Result<Vec<_>>>()?);
    }
    let sigmas = sampler().times().to_vec();
    let axis = || Axis::log("σ√D/R").from_to(1e-2, 1e2);
    let stretch = |title: &str| Panel::new(title, axis(), Axis::log("normal/tangential stretch"));
    let mut ratio = stretch("spheres: stretch ratio");
    let mut flat = stretch("circles in R^D: stretch ratio");
    let mut lean =
        Panel::new("spheres: random planes", axis(), Axis::log("angle to the tangent (degrees)"));
    let mut shares = Vec::new();
    for (i, dim) in SHOWN.into_iter().enumerate() {
        let ink = Ink::Ramp((1000 * i / (SHOWN.len() - 1)) as u16);
        let of = |family: usize| all[family].iter().find(|onset| onset.dim == dim);
        let (Some(sphere), Some(circle)) = (of(0), of(1)) else { continue };
        let x: Vec<f64> = sigmas.iter().map(|s| s * (dim as f64).sqrt()).collect();
        let degrees = |q: &Quantity| q.atan() * 1.0_f64.to_degrees();
        let name = format!("D = {dim}");
        let ratios = sphere.ratios();
        let angles: Vec<Quantity> = sphere.slopes().iter().map(degrees).collect();
        let mark = |values: &[Quantity]| measured(thinned(&x), &thinned(values));
        ratio = ratio.with(&name, ink, mark(&ratios));
        flat = flat.with(&name, ink, mark(&circle.ratios()));
        lean = lean.with(&name, ink, mark(&angles));
        let last = ratios.len() - 1;
        shares.push((dim, ratios[last].value / (2.0_f64.sqrt() * x[last]) - 1.0));
    }
    let relation = ratio_of_spheres(&shares.iter().map(|share| share.1).collect::<Vec<_>>());
    let shares: Vec<String> =
        shares.iter().map(|(dim, share)| format!("{:+.1} % (D = {dim})", 100.0 * share)).collect();
    let x: Vec<f64> = (0..=40).map(|i| 10.0_f64.powf(-2.0 + f64::from(i) / 20.0)).collect();
    let y: Vec<f64> = x.iter().map(|x| 2.0_f64.sqrt() * x).filter(|y| *y <= 1.0).collect();
    ratio = ratio.with("T6.5: σ√(2D)/R", Ink::Predicted, Mark::dashed(x[..y.len()].to_vec(), y));

    // RadialLaw is good to n = 200.
    let off = all[0].iter().filter(|onset| onset.dim <= 128).map(Onset::off_the_quantile_map);
    let off = off.fold(0.0, f64::max);

    let mut levels = Panel::new(
        "where alignment sets in",
        Axis::log("dimension D"),
        Axis::log("noise level σ/R"),
    );
    let mut table = Table::new(
        "onsets",
        "Noise levels at which alignment sets in, against the dimension",
        "Median over trajectories with 95 % bars, in radii: where the largest normal stretch is half of the tangential one, and where a random \
         plane is at 45° to the tangent space.",
        ["manifold", "D", "stretch ratio 1/2", "random plane at 45°"],
    );
    table.tolerance = 1e-3;
    let mut powers = Vec::new();
    let mut scaled = [String::new(), String::new()];
    for (f, (_, name)) in families.into_iter().enumerate() {
        let dims: Vec<f64> = DIMS.iter().map(|d| *d as f64).collect();
        let half: Vec<Quantity> =
            all[f].iter().map(|onset| crossing(&onset.ratios(), 0.5)).collect();
        let turned: Vec<Quantity> =
            all[f].iter().map(|onset| crossing(&onset.slopes(), 1.0)).collect();
        for (i, dim) in DIMS.into_iter().enumerate() {
            table.rows.push(vec![
                Cell::from(name),
                Cell::from(dim),
                Cell::from(half[i]),
                Cell::from(turned[i]),
            ]);
        }
        let first = DIMS.iter().position(|d| *d >= LEAST_FITTED).unwrap_or(0);
        let fitted = |q: &[Quantity]| {
            let values: Vec<f64> = q[first..].iter().map(|q| q.value).collect();
            power(&dims[first..], &values)
        };
        powers.push([fitted(&half), fitted(&turned)]);
        // In units of R/√D, over the dimensions at which the level was seen.
        if f == 0 {
            scaled = [&half, &turned].map(|levels| {
                let all = levels.iter().zip(&dims).map(|(q, d)| q.value * d.sqrt());
                let (low, high) = ends(all.filter(|v| v.is_finite()));
                format!("{} to {}", short(low), short(high))
            });
        }
        let short = if f == 0 { "sphere" } else { "circle" };
        levels = levels
            .with(
                &format!("{short}: ratio 1/2"),
                Ink::Series(2 * f as u8),
                measured(dims.clone(), &half),
            )
            .with(
                &format!("{short}: plane at 45°"),
                Ink::Series(2 * f as u8 + 1),
                measured(dims.clone(), &turned),
            );
    }
    let guide = |power: f64| -> Vec<f64> { DIMS.iter().map(|d| (*d as f64).powf(power)).collect() };
    let dims: Vec<f64> = DIMS.iter().map(|d| *d as f64).collect();
    levels = levels.with("R/√D and R/D", Ink::Guide, Mark::dashed(dims.clone(), guide(-0.5))).with(
        "",
        Ink::Guide,
        Mark::dashed(dims, guide(-1.0)),
    );
    let say = |q: Quantity| match q.value.is_finite() {
        true => with_bar(q),
        // Levels below the last one cannot be seen.
        false => "unknown (too few levels seen)".to_owned(),
    };
    let [[sphere_ratio, sphere_plane], [circle_ratio, circle_plane]] = [powers[0], powers[1]];
    let caption = format!(
        "Typical trajectories from σ = {} down to {} radii; medians over {TRAJECTORIES} with 95 % bars. Left: on spheres S^(D−1) the radial over \
         the tangential stretch, which is the ratio of the singular values on both sides of the gap, passes one half at σ√D/R = {} for D from {} to {}; at the end it is \
         off σ√(2D)/R by {}. It agrees with the radial quantile map, by quadrature without Bessel functions, to {off:.0e} up to \
         D = 128. Middle: a random plane, which starts at a slope of about √D (T3 (c)), is at 45° at σ√D/R = {}. Right: circles in R^D; their ratio is one half at \
         σ ∝ D to the power {}, that of spheres at D to the power {}.",
        LEVELS.0,
        LEVELS.1,
        scaled[0],
        DIMS[0],
        DIMS[DIMS.len() - 1],
        shares.join(", "),
        scaled[1],
        say(circle_ratio),
        say(sphere_ratio),
    );
    let not_shown = "Laws that are uniform on their sphere, so tangent and normal directions do not mix; the plane of the sphere is followed by \
                     its normal, l ↦ l J_r/J_T (T6.5). Real data have no such symmetry.";
    let figure =
        Figure::new("onset", "The onset of alignment in many dimensions", vec![ratio, lean, flat])
            .says(caption, not_shown)
            .within(1e-3);
    chapter.figures.push(figure);
    let caption = format!(
        "Noise levels at which medians pass a value, with the bars of those medians. The normal stretch is half of the tangential one at σ ∝ D to the power \
         {} on spheres; a random plane is at 45° at σ ∝ D to the power {}. For a circle in R^D the powers are {} and {} (fits from \
         D = {LEAST_FITTED}; the bars of powers are those of the fit). Dashed: R/√D and R/D.",
        say(sphere_ratio),
        say(sphere_plane),
        say(circle_ratio),
        say(circle_plane),
    );
    let not_shown =
        "Half and 45° are conventions: another value moves the curves up or down, not their slope.";
    let figure =
        Figure::new("onset-levels", "Noise level of the onset against the dimension", vec![levels])
            .says(caption, not_shown)
            .within(1e-3);
    chapter.figures.push(figure);
    chapter.tables.push(table);
    chapter.find(
        relation,
        "onset",
        "T6.5: J_r/J_T ≈ √(2D) σ_min/R for typical starts on S^(D−1)",
        format!("the median is off by {} at σ = {}", shares.join(", "), LEVELS.1),
    );
    chapter.find(
        onset_of_spheres(sphere_ratio, sphere_plane),
        "onset-levels",
        "T6.5: alignment of S^(D−1) sets in at σ ~ R/√D",
        format!(
            "the stretches differ by a factor of two at σ ∝ D to the power {}; a plane iterated from a random one, whose slope is of order √D (T3 (c)), is at 45° \
             at σ ∝ D to the power {}; for a circle in R^D the powers are {} and {}",
            say(sphere_ratio), say(sphere_plane), say(circle_ratio), say(circle_plane)
        ),
    );
    Ok(())
}

/// What ratios over those of T6.5, less 1, from few to many dimensions, say of it: it is a limit of many dimensions.
pub fn ratio_of_spheres(off: &[f64]) -> Relation {
    match off.last() {
        Some(last) if off.iter().all(|off| off.is_finite()) => match last.abs() < 0.02 {
            true if off.iter().all(|off| off.abs() < 0.1) => Relation::Agrees,
            true => Relation::Sharpens,
            false => Relation::Contradicts,
        },
        _ => Relation::Open,
    }
}

/// What the powers of D at which the gap and a random plane set in say of σ ~ R/√D.
pub fn onset_of_spheres(gap: Quantity, plane: Quantity) -> Relation {
    // A fit over the dimensions from 16 to 512 knows powers to a few hundredths.
    let of = |power: Quantity| met(power, -0.5, 0.05);
    match (of(gap), of(plane)) {
        (Relation::Agrees, Relation::Agrees) => Relation::Agrees,
        (Relation::Agrees, Relation::Contradicts) => Relation::Sharpens,
        (Relation::Contradicts, _) => Relation::Contradicts,
        _ => Relation::Open,
    }
}
