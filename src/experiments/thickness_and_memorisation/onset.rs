//! The noise level at which alignment sets in, in up to many dimensions (T6.5).

use super::{median, power};
use crate::claims::radial_law::RadialLaw;
use crate::drift::{Canonical, Denoiser, Lanes, Moved, Sphere};
use crate::error::Result;
use crate::experiments::words::with_bar;
use crate::facts::{Grade, Quantity};
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};
use crate::flow::{Method, Sampler, StepWorkspace, geometric_times};
use crate::linalg::dot;
use crate::random::{Stream, unit_vector};
use crate::record::{Chapter, Relation};
use nalgebra::DMatrix;
use rayon::prelude::*;

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

/// What grows with the dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The unit sphere S^{D−1} in R^D: one normal direction, the radius.
    Sphere,
    /// The unit circle in the first two of D coordinates: one tangent direction.
    Circle,
}

/// One trajectory at all noise levels.
struct Track {
    /// Largest normal over tangential stretch.
    ratio: Vec<f64>,
    /// Tangent of the angle of a random plane.
    slope: Vec<f64>,
    /// |y| at the start and at the end.
    radii: [f64; 2],
}

/// The tracks of one family in one dimension.
pub struct Onset {
    /// D.
    pub dim: usize,
    tracks: Vec<Track>,
}

fn sampler() -> Sampler {
    Sampler::new(Method::DormandPrince, geometric_times(LEVELS.0, LEVELS.1, STEPS))
}

impl Onset {
    /// Runs the family in dimension D, from typical starts.
    ///
    /// *Errors*: never for D ≥ 2.
    pub fn new(family: Family, dim: usize, trajectories: usize, stream: Stream) -> Result<Self> {
        let law: Denoiser = match family {
            Family::Sphere => Sphere::new(dim, 1.0)?.into(),
            Family::Circle => {
                let frame = DMatrix::identity(dim, 2);
                Moved::new(Sphere::new(2, 1.0)?.into(), frame, vec![0.0; dim])?.into()
            }
        };
        let track = |i: usize| track(family, &law, dim, stream.indexed(i as u64));
        Ok(Self { dim, tracks: (0..trajectories).into_par_iter().map(track).collect() })
    }

    /// Median ratio of the largest normal to the tangential stretch at each noise level.
    pub fn ratios(&self) -> Vec<Quantity> {
        self.medians(|track| &track.ratio)
    }

    /// Median tangent of the angle of a random plane at each noise level.
    pub fn slopes(&self) -> Vec<Quantity> {
        self.medians(|track| &track.slope)
    }

    fn medians(&self, of: impl Fn(&Track) -> &Vec<f64>) -> Vec<Quantity> {
        let at =
            |k: usize| median(&self.tracks.iter().map(|track| of(track)[k]).collect::<Vec<_>>());
        (0..self.tracks[0].ratio.len()).map(at).collect()
    }

    /// Largest relative difference of J_r/J_T at the end from the radial quantile map of a sphere.
    fn off_the_quantile_map(&self) -> f64 {
        let law = |sigma: f64| RadialLaw { dim: self.dim, radius: 1.0, sigma };
        let (start, end) = (law(LEVELS.0), law(LEVELS.1));
        let off = |track: &Track| {
            let [from, to] = track.radii;
            let radial = start.density(from) / end.density(to);
            let last = track.ratio.len() - 1;
            (track.ratio[last] / (radial * from / to) - 1.0).abs()
        };
        self.tracks.iter().map(off).fold(0.0, f64::max)
    }
}

/// One trajectory with a radial tangent, one along the manifold, and one out of the span.
fn track(family: Family, law: &Denoiser, dim: usize, stream: Stream) -> Track {
    let span = if family == Family::Sphere { dim } else { 2 };
    let mut rng = stream.named("point").rng();
    let mut start = unit_vector(&mut rng, span);
    start.resize(dim, 0.0);
    let noise = stream.named("noise").normals(dim);
    start.iter_mut().zip(&noise).for_each(|(y, z)| *y += LEVELS.0 * z);

    let inside = dot(&start[..span], &start[..span]).sqrt();
    let mut radial: Vec<f64> = start[..span].iter().map(|y| y / inside).collect();
    radial.resize(dim, 0.0);
    // Any direction of the span orthogonal to the radius.
    let mut along = vec![0.0; dim];
    let (first, second) = (radial[0], radial[1]);
    let size = first.hypot(second);
    (along[0], along[1]) = (-second / size, first / size);
    let mut block = [start.clone(), radial.clone(), along.clone()].concat();
    let mut tangents = 2;
    if family == Family::Circle {
        if dim > 2 {
            block.extend((0..dim).map(|i| f64::from(u8::from(i == 2))));
            tangents += 1;
        }
        // The random line itself.
        block.extend(unit_vector(&mut stream.named("plane").rng(), dim));
        tangents += 1;
    }
    // A random hyperplane is known by its normal m: its slope over the tangents is l = |m_T|/|m_r|, and J/J_T takes l to l J_r/J_T.
    let normal = unit_vector(&mut stream.named("plane").rng(), dim);
    let up = dot(&normal, &radial);
    let slope = (1.0 - up * up).max(0.0).sqrt() / up.abs();

    let (sampler, lanes) = (sampler(), Lanes::single(tangents));
    let mut work = StepWorkspace::default();
    let mut out = Track { ratio: vec![1.0], slope: Vec::new(), radii: [inside, 0.0] };
    let column = |block: &[f64], i: usize| -> Vec<f64> { block[i * dim..(i + 1) * dim].to_vec() };
    let lean = |block: &[f64], ratio: f64| match family {
        Family::Sphere => slope * ratio,
        Family::Circle => {
            let line = column(block, tangents);
            let tangent = dot(&line, &along);
            (dot(&line, &line) - tangent * tangent).max(0.0).sqrt() / tangent.abs()
        }
    };
    out.slope.push(lean(&block, 1.0));
    for k in 0..sampler.maps() {
        sampler.step(&Canonical { denoiser: law }, k, &mut block, lanes, &mut work);
        let stretch = |i: usize, direction: &[f64]| dot(&column(&block, i), direction).abs();
        let mut normal = stretch(1, &radial);
        if family == Family::Circle && dim > 2 {
            normal = normal.max(block[3 * dim + 2].abs());
        }
        let ratio = normal / stretch(2, &along);
        out.ratio.push(ratio);
        out.slope.push(lean(&block, ratio));
    }
    out.radii[1] = dot(&block[..span], &block[..span]).sqrt();
    out
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

fn with_bars(x: Vec<f64>, y: &[Quantity]) -> Mark {
    let (values, bars) = y.iter().map(|q| (q.value, q.bar)).unzip();
    Mark::points_with_bars(x, values, bars)
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
        let mark = |values: &[Quantity]| with_bars(thinned(&x), &thinned(values));
        ratio = ratio.with(&name, ink, mark(&ratios));
        flat = flat.with(&name, ink, mark(&circle.ratios()));
        lean = lean.with(&name, ink, mark(&angles));
        let last = ratios.len() - 1;
        shares.push((dim, ratios[last].value / (2.0_f64.sqrt() * x[last]) - 1.0));
    }
    let worst = shares.iter().map(|(_, share)| share.abs()).fold(0.0, f64::max);
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
        let short = if f == 0 { "sphere" } else { "circle" };
        levels = levels
            .with(
                &format!("{short}: ratio 1/2"),
                Ink::Series(2 * f as u8),
                with_bars(dims.clone(), &half),
            )
            .with(
                &format!("{short}: plane at 45°"),
                Ink::Series(2 * f as u8 + 1),
                with_bars(dims.clone(), &turned),
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
         the tangential stretch, which is the ratio of the singular values on both sides of the gap, is one curve of σ√D/R; at the end it is \
         off σ√(2D)/R by {}. It agrees with the radial quantile map, by quadrature without Bessel functions, to {off:.0e} up to \
         D = 128. Middle: the angle of a random plane is not one curve, because a random plane starts at a slope of about √D. Right: a \
         circle in R^D has its onset at σ ∝ D to the power {}: what counts is the dimension of the sphere, not that of the space.",
        LEVELS.0,
        LEVELS.1,
        shares.join(", "),
        say(circle_ratio),
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
        if worst < 0.1 { Relation::Agrees } else { Relation::Sharpens },
        "onset",
        "T6.5: J_r/J_T ≈ √(2D) σ_min/R for typical starts on S^(D−1)",
        format!("the median is off by {} at σ = {}", shares.join(", "), LEVELS.1),
    );
    let as_said = (sphere_plane.value + 0.5).abs() <= sphere_plane.bar + 0.05;
    let relation = match sphere_plane.value.is_finite() {
        true if as_said => Relation::Agrees,
        true => Relation::Sharpens,
        false => Relation::Open,
    };
    chapter.find(
        relation,
        "onset-levels",
        "T6.5: alignment of S^(D−1) sets in at σ ~ R/√D",
        format!(
            "so for the gap (power {} of D); a plane iterated from a random one needs σ ∝ D to the power {}, since it starts at a slope of order \
             √D (T3 (c)); for a circle in R^D the powers are {} and {}",
            say(sphere_ratio), say(sphere_plane), say(circle_ratio), say(circle_plane)
        ),
    );
    Ok(())
}
