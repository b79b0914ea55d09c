//! Points of known surfaces: how far estimated planes are off, at every scale.

use crate::error::Result;
use crate::experiments::plane_accuracy::{Angles, Method, Scales, angles, exact_denoiser};
use crate::experiments::words::{short, with_bar};
use crate::facts::{Facts, Quantity, REPORTED};
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Panel, Table};
use crate::linalg::complement;
use crate::observe::data::noise;
use crate::observe::data::planes::exact_normals;
use crate::observe::data::tangents::size;
use crate::points::{PointSet, Scaling};
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use nalgebra::{DMatrix, DVector};

/// Files, and what is on them, for people.
const SETS: [(&str, &str); 3] = [
    ("s2_gvp_volcanoes_xyz.npy", "volcanoes"),
    ("s2_vega_earthquakes_xyz.npy", "earthquakes"),
    ("mesh_bunny_5000pts_with_normals.npy", "bunny"),
];

/// Points at which planes are estimated.
const POINTS: usize = 128;

/// Noise levels over the fixed one: half octaves.
const OCTAVES: std::ops::RangeInclusive<i32> = -7..=4;

/// Neighbourhood sizes.
const SIZES: [usize; 11] = [3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256];

/// Angles depend on sums of exponentials, rounded in another order elsewhere.
const TOLERANCE: f64 = 1e-3;

/// What was measured on one surface.
pub struct Surface {
    /// What it is.
    pub name: String,
    /// Points asked.
    pub points: usize,
    /// The scales.
    pub scales: Scales,
    /// Index of the noise level fixed beforehand.
    pub fixed_level: usize,
    /// Index of the size fixed beforehand.
    pub fixed_size: usize,
    /// The angles, in radians.
    pub angles: Angles,
}

/// Estimates planes at random points of a set whose normals are known; none where they are not.
///
/// *Errors*: as [`angles`].
pub fn surface(
    set: &PointSet,
    name: &str,
    points: usize,
    stream: Stream,
) -> Result<Option<Surface>> {
    let Some(normals) = exact_normals(set) else { return Ok(None) };
    let levels = noise::levels(set, stream.named("levels"), &mut Facts::new())?;
    let uniforms = stream.named("points").uniforms(set.len());
    let mut order: Vec<usize> = (0..set.len()).filter(|i| !normals[(0, *i)].is_nan()).collect();
    order.sort_by(|i, j| uniforms[*i].total_cmp(&uniforms[*j]));
    order.truncate(points);
    let at: Vec<DVector<f64>> = order.iter().map(|i| set.points.column(*i).into()).collect();
    let known: Vec<DMatrix<f64>> =
        order.iter().map(|i| complement(&normals.columns(*i, 1).into_owned())).collect();
    let sigma = |half: i32| levels.end * 2.0_f64.powf(0.5 * f64::from(half));
    let within = |half: &i32| *half == 0 || sigma(*half) < 0.7 * levels.start;
    let halves: Vec<i32> = OCTAVES.filter(within).collect();
    let d = set.dim() - 1;
    let sizes: Vec<usize> = SIZES.into_iter().filter(|k| *k > d && *k <= set.len()).collect();
    let fixed = size(d, set.len());
    let scales = Scales {
        start: levels.start,
        sigmas: halves.iter().map(|half| sigma(*half)).collect(),
        sizes,
    };
    let angles = angles(set, &exact_denoiser(set)?, &scales, &at, &known)?;
    Ok(Some(Surface {
        name: name.to_owned(),
        points: at.len(),
        fixed_level: halves.iter().position(|half| *half == 0).unwrap_or(0),
        fixed_size: scales.sizes.iter().position(|k| Some(*k) == fixed).unwrap_or(0),
        scales,
        angles,
    }))
}

impl Surface {
    fn scale(&self, method: Method, best: bool) -> usize {
        match (best, method) {
            (true, _) => self.angles.best(method),
            (false, Method::Neighbours) => self.fixed_size,
            (false, _) => self.fixed_level,
        }
    }

    /// The median angle in degrees, at the best or at the fixed scale.
    pub fn angle(&self, method: Method, best: bool) -> Quantity {
        self.angles.medians(method)[self.scale(method, best)] * 1.0_f64.to_degrees()
    }

    /// At which share of the points the flow is closer than another method, each at its best or its fixed scale.
    pub fn closer(&self, other: Method, best: bool) -> Quantity {
        let of = |method| &self.angles.of(method)[self.scale(method, best)];
        let closer = of(Method::Flow).iter().zip(of(other)).filter(|(flow, other)| flow < other);
        Quantity::sampled_share(closer.count(), self.points, REPORTED)
    }
}

/// Adds figure, table and findings.
///
/// *Errors*: as [`surface`].
pub fn add(stream: Stream, chapter: &mut Chapter) -> Result<()> {
    let mut surfaces = Vec::new();
    for (file, name) in SETS {
        let set = PointSet::named(file, Scaling::None)?;
        surfaces.extend(surface(&set, name, POINTS, stream.named(name))?);
    }
    let levels: Vec<Panel> = surfaces.iter().map(by_level).collect();
    let sizes: Vec<Panel> = surfaces.iter().map(by_size).collect();
    let words: Vec<String> = surfaces.iter().map(words).collect();
    let caption = format!(
        "Median angle between estimated and exact tangent planes at {POINTS} random points, 95 % bars; above over the noise \
         level at which the flow ends (dashed: the level fixed beforehand), below over the neighbours of local PCA; dashed \
         lines across: the other method at its best. {}.",
        words.join(". ")
    );
    let not_shown = "The points asked belong to the data. Best scales are chosen with the exact planes at hand, in favour of each \
        method. Points of one surface stand for no other.";
    let panels = levels.into_iter().chain(sizes).collect();
    let figure = Figure::new("surfaces", "Tangent planes of known surfaces", panels)
        .says(caption, not_shown)
        .in_columns(3)
        .within(TOLERANCE);
    chapter.figures.push(figure);
    chapter.tables.push(table(&surfaces));
    let loses = surfaces
        .iter()
        .filter(|surface| outcome(surface.closer(Method::Neighbours, true)) == "loses")
        .count();
    let relation = if loses == 0 { Relation::Agrees } else { Relation::Sharpens };
    chapter.find(
        relation,
        "surfaces",
        "Paper: alignment automatically leads to accurate estimates of the tangent bundle.",
        format!(
            "Of {} real surfaces the flow loses to local PCA on {loses}, each at its best scale. {}.",
            surfaces.len(),
            words.join(". ")
        ),
    );
    Ok(())
}

/// Who is closer at most points.
fn outcome(share: Quantity) -> &'static str {
    match share {
        share if share.value + share.bar < 0.5 => "loses",
        share if share.value - share.bar > 0.5 => "wins",
        _ => "undecided",
    }
}

fn degrees(angle: Quantity) -> String {
    format!("{}°", with_bar(angle))
}

fn words(surface: &Surface) -> String {
    let share = surface.closer(Method::Neighbours, true);
    format!(
        "{}: flow {} at its best σ = {}, {} at the fixed one; posterior covariance {} and {}; local PCA {} at its best size {}, \
         {} at {}; at best the flow is closer at {:.0} % ± {:.0} % of the points and {}",
        surface.name,
        degrees(surface.angle(Method::Flow, true)),
        short(surface.scales.sigmas[surface.scale(Method::Flow, true)]),
        degrees(surface.angle(Method::Flow, false)),
        degrees(surface.angle(Method::Posterior, true)),
        degrees(surface.angle(Method::Posterior, false)),
        degrees(surface.angle(Method::Neighbours, true)),
        surface.scales.sizes[surface.scale(Method::Neighbours, true)],
        degrees(surface.angle(Method::Neighbours, false)),
        surface.scales.sizes[surface.fixed_size],
        100.0 * share.value,
        100.0 * share.bar,
        match outcome(share) {
            "undecided" => "neither wins",
            decided => decided,
        },
    )
}

fn marks(x: &[f64], angles: Vec<Quantity>) -> [Mark; 2] {
    let values: Vec<f64> = angles.iter().map(|q| q.value.to_degrees()).collect();
    let bars = angles.iter().map(|q| q.bar.to_degrees()).collect();
    [Mark::line(x.to_vec(), values.clone()), Mark::points_with_bars(x.to_vec(), values, bars)]
}

fn across(x: &[f64], angle: Quantity) -> Mark {
    let ends = vec![x[0], x[x.len() - 1]];
    Mark::Line { x: ends, y: vec![angle.value; 2], dash: Dash::Dashed }
}

fn by_level(surface: &Surface) -> Panel {
    let x = &surface.scales.sigmas;
    let axes = (Axis::log("σ (units of the data)"), Axis::log("angle (degrees)"));
    let mut panel = Panel::new(surface.name.clone(), axes.0, axes.1);
    for mark in marks(x, surface.angles.medians(Method::Flow)) {
        panel = panel.with("flow", Ink::Lyapunov, mark);
    }
    for mark in marks(x, surface.angles.medians(Method::Posterior)) {
        panel = panel.with("posterior covariance", Ink::Series(3), mark);
    }
    let best = across(x, surface.angle(Method::Neighbours, true));
    let fixed = Mark::Rule { at: x[surface.fixed_level], vertical: true };
    panel.with("local PCA at its best", Ink::Null, best).with("fixed scale", Ink::Guide, fixed)
}

fn by_size(surface: &Surface) -> Panel {
    let x: Vec<f64> = surface.scales.sizes.iter().map(|k| *k as f64).collect();
    let axes = (Axis::log("neighbours k"), Axis::log("angle (degrees)"));
    let mut panel = Panel::new(surface.name.clone(), axes.0, axes.1);
    for mark in marks(&x, surface.angles.medians(Method::Neighbours)) {
        panel = panel.with("local PCA", Ink::Null, mark);
    }
    let best = across(&x, surface.angle(Method::Flow, true));
    let fixed = Mark::Rule { at: x[surface.fixed_size], vertical: true };
    panel.with("flow at its best", Ink::Lyapunov, best).with("fixed scale", Ink::Guide, fixed)
}

fn table(surfaces: &[Surface]) -> Table {
    let caption = "Median angle to the exact plane in degrees, and the share of points at which the flow is closer than local \
        PCA, with 95 % bars; loses where the interval of the share lies below one half.";
    let head = [
        "surface",
        "points",
        "scales",
        "flow (°)",
        "σ",
        "posterior covariance (°)",
        "local PCA (°)",
        "k",
        "flow closer (share)",
        "the flow",
    ];
    let mut table = Table::new("surfaces-table", "Tangent planes of known surfaces", caption, head);
    table.tolerance = TOLERANCE;
    for surface in surfaces {
        for best in [true, false] {
            let share = surface.closer(Method::Neighbours, best);
            let [flow, neighbours] =
                [Method::Flow, Method::Neighbours].map(|method| surface.scale(method, best));
            table.rows.push(vec![
                surface.name.clone().into(),
                surface.points.into(),
                if best { "best" } else { "fixed" }.into(),
                surface.angle(Method::Flow, best).into(),
                surface.scales.sigmas[flow].into(),
                surface.angle(Method::Posterior, best).into(),
                surface.angle(Method::Neighbours, best).into(),
                surface.scales.sizes[neighbours].into(),
                share.into(),
                outcome(share).into(),
            ]);
        }
    }
    table
}
