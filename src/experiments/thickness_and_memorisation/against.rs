//! Angle and gap against the last noise level and against the number of points.

use super::clouds::{Cloud, END, Seen, pass};
use super::median;
use crate::drift::Atoms;
use crate::error::Result;
use crate::experiments::relation::below;
use crate::experiments::words::{ends, measured, short, values, with_bar};
use crate::facts::Quantity;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::random::Stream;
use crate::record::{Chapter, Relation};

/// Numbers of points.
const NUMBERS: [usize; 9] = [8, 16, 32, 64, 128, 256, 512, 1024, 2048];

/// Those drawn against the noise level.
const SHOWN: [usize; 4] = [16, 64, 256, 1024];

/// Noise level of the figure against the number of points.
const LEVEL: f64 = 0.03;

/// One model of a cloud, and what was seen of its flow.
pub struct Run {
    /// Number of points; None for the law itself.
    pub points: Option<(usize, Atoms)>,
    /// Median distance between neighbours, 0 for the law.
    pub spacing: f64,
    /// For each noise level, each trajectory.
    pub seen: Vec<Vec<Seen>>,
}

/// The models of one cloud, from the same starts.
pub struct Fleet {
    /// Noise levels.
    pub levels: Vec<f64>,
    /// The law first, then its points in growing number.
    pub runs: Vec<Run>,
    /// Largest difference of the medians of angle (degrees) and gap with twice the steps, for 64 points.
    pub resolved: [f64; 2],
}

impl Run {
    fn medians(&self, of: impl Fn(&Seen) -> f64) -> Vec<Quantity> {
        self.seen.iter().map(|level| median(&level.iter().map(&of).collect::<Vec<_>>())).collect()
    }

    /// Median angles of random planes, in degrees.
    pub fn angles(&self) -> Vec<Quantity> {
        self.medians(|seen| seen.angle.to_degrees())
    }

    /// Median gaps.
    pub fn gaps(&self) -> Vec<Quantity> {
        self.medians(|seen| seen.gap)
    }
}

/// Runs all models of all clouds.
///
/// *Errors*: as [`pass`].
pub fn fleets(clouds: &[Cloud], stream: Stream) -> Result<Vec<Fleet>> {
    let fleet = |(c, cloud): (usize, &Cloud)| -> Result<Fleet> {
        let stream = stream.indexed(c as u64);
        let (starts, planes) = (cloud.starts(stream.named("starts"))?, stream.named("planes"));
        let (levels, seen) = pass(cloud, &cloud.exact, &starts, 1, planes)?;
        let mut runs = vec![Run { points: None, spacing: 0.0, seen }];
        let mut resolved = [0.0_f64; 2];
        for n in NUMBERS {
            let (atoms, spacing) = cloud.drawn(n, stream.named("atoms").indexed(n as u64))?;
            let (_, seen) = pass(cloud, &atoms, &starts, 1, planes)?;
            let run = Run { points: Some((n, atoms)), spacing, seen };
            if n == 64 {
                let (_, atoms) = run.points.as_ref().expect("a run of points has them");
                let (_, seen) = pass(cloud, atoms, &starts, 2, planes)?;
                let fine = Run { points: None, spacing, seen };
                let pairs = [(run.angles(), fine.angles()), (run.gaps(), fine.gaps())];
                for (resolved, (rough, fine)) in resolved.iter_mut().zip(pairs) {
                    let off = rough.iter().zip(&fine).map(|(r, f)| (r.value - f.value).abs());
                    *resolved = off.fold(0.0, f64::max);
                }
            }
            runs.push(run);
        }
        Ok(Fleet { levels, runs, resolved })
    };
    clouds.iter().enumerate().map(fleet).collect()
}

fn line(x: &[f64], y: &[Quantity]) -> Mark {
    Mark::line(x.to_vec(), values(y))
}

/// Log of R/(√(2D) σ), what T6.5 says of the gap of a sphere.
fn predicted_gap(cloud: &Cloud, sigma: f64) -> f64 {
    -((2.0 * cloud.span as f64).sqrt() * sigma).ln()
}

/// The largest noise level at and below which the gaps of points are less than those of the law by more than both bars; NaN where
/// they are not.
fn departure(sigma: &[f64], law: &[Quantity], points: &[Quantity]) -> f64 {
    let apart = law.iter().zip(points).map(|(law, points)| below(*points, *law));
    let together = apart.collect::<Vec<bool>>();
    let last = together.iter().rposition(|apart| !apart).map_or(0, |k| k + 1);
    sigma.get(last).copied().unwrap_or(f64::NAN)
}

/// The figure against σ_min.
pub fn against_sigma(chapter: &mut Chapter, clouds: &[Cloud], fleets: &[Fleet]) {
    let (mut angles, mut gaps) = (Vec::new(), Vec::new());
    let (mut lines, mut trends) = (Vec::new(), Vec::new());
    let mut departures = (f64::INFINITY, 0.0_f64);
    let mut apart = 0.0_f64;
    for (cloud, fleet) in clouds.iter().zip(fleets) {
        let sigma = &fleet.levels;
        let mut angle = Panel::new(
            format!("{}: angle", cloud.name),
            Axis::log("last noise level σ (radii)"),
            Axis::log("angle to the tangent (degrees)"),
        );
        let mut gap = Panel::new(
            format!("{}: gap", cloud.name),
            Axis::log("last noise level σ (radii)"),
            Axis::new("gap of log singular values"),
        );
        let small: Vec<f64> =
            sigma.iter().copied().filter(|s| predicted_gap(cloud, *s) > 0.0).collect();
        let line_of = small.iter().map(|s| predicted_gap(cloud, *s)).collect();
        gap = gap.with("T6.5: log(R/σ√(2D))", Ink::Predicted, Mark::dashed(small, line_of));
        for run in &fleet.runs {
            let (name, ink) = match &run.points {
                None => ("law".to_owned(), Ink::Measured),
                Some((n, _)) => match SHOWN.iter().position(|shown| shown == n) {
                    Some(i) => {
                        (format!("N = {n}"), Ink::Ramp((1000 * i / (SHOWN.len() - 1)) as u16))
                    }
                    None => continue,
                },
            };
            for (panel, values) in [(&mut angle, run.angles()), (&mut gap, run.gaps())] {
                let mut drawn = std::mem::take(panel);
                if run.points.is_some() {
                    drawn = drawn.with(
                        "median spacing",
                        ink,
                        Mark::Rule { at: run.spacing, vertical: true },
                    );
                }
                *panel = drawn.with("", ink, line(sigma, &values)).with(
                    &name,
                    ink,
                    measured(sigma.clone(), &values),
                );
            }
        }
        let (law, last) = (&fleet.runs[0], sigma.len() - 1);
        let (law_angles, law_gaps) = (law.angles(), law.gaps());
        for run in fleet.runs.iter().filter(|run| run.points.is_some()) {
            let share = departure(sigma, &law_gaps, &run.gaps()) / run.spacing;
            // None where the points follow the law down to the last level.
            if share.is_finite() {
                departures = (departures.0.min(share), departures.1.max(share));
            }
        }
        let (law_angle, law_gap) = (law_angles[last], law_gaps[last]);
        trends.push(format!(
            "from {}° to {}° ({})",
            with_bar(law_angles[0]),
            with_bar(law_angle),
            cloud.name
        ));
        let few =
            fleet.runs.iter().find(|run| matches!(&run.points, Some((n, _)) if *n == SHOWN[0]));
        let few = few.expect("the numbers that are shown are run");
        let (few_angle, few_gap) = (few.angles()[last], few.gaps()[last]);
        apart = apart.max((law_gap.value - predicted_gap(cloud, sigma[last])).abs());
        lines.push(format!(
            "{}: {:.2} ± {:.2}° and gap {:.2} ± {:.2} for the law, {:.1} ± {:.1}° and {:.2} ± {:.2} for {} points",
            cloud.name, law_angle.value, law_angle.bar, law_gap.value, law_gap.bar, few_angle.value,
            few_angle.bar, few_gap.value, few_gap.bar, SHOWN[0],
        ));
        angles.push(angle);
        gaps.push(gap);
    }
    angles.extend(gaps);
    let resolved = fleets.iter().fold([0.0_f64; 2], |most, fleet| {
        [most[0].max(fleet.resolved[0]), most[1].max(fleet.resolved[1])]
    });
    let caption = format!(
        "Medians over trajectories with 95 % bars; vertical lines mark the median distance between neighbours among the N points. \
         From σ = {} to {END} the median angle of the law goes {}. The gap of N points is less than that of the law by more than both bars at all σ below {} to {} spacings \
         (least and largest over N and manifolds). At σ = {END}: {}. The gap of \
         the laws is within {apart:.2} of $\\log(R/\\sigma\\sqrt{{2D}})$ there. With twice the steps the medians of 64 points change by at most \
         {:.0e}° and {:.0e}.",
        short(fleets[0].levels[0]),
        trends.join(", "),
        short(departures.0),
        short(departures.1),
        lines.join("; "),
        resolved[0],
        resolved[1],
    );
    let not_shown = "The angle is that of a random plane; that of the top singular subspace of the laws is 0 on circle and sphere by \
                     symmetry, at every σ. Learned denoisers smooth over the spacing and may follow the law further.";
    let figure = Figure::new("against-sigma", "Angle and gap against the last noise level", angles)
        .says(caption, not_shown)
        .in_columns(clouds.len())
        .within(1e-2);
    chapter.figures.push(figure);
}

/// The figure against N.
pub fn against_number(chapter: &mut Chapter, clouds: &[Cloud], fleets: &[Fleet]) {
    let axis = || Axis::log("number of points N");
    let mut angle = Panel::new(
        format!("angle at σ = {LEVEL}"),
        axis(),
        Axis::log("angle to the tangent (degrees)"),
    );
    let mut gap =
        Panel::new(format!("gap at σ = {LEVEL}"), axis(), Axis::new("gap of log singular values"));
    let mut collapse = Panel::new(
        "what is missing of the law's gap",
        Axis::log("last noise level σ/spacing"),
        Axis::new("gap of the law − gap of N points"),
    )
    .with("σ = spacing", Ink::Guide, Mark::Rule { at: 1.0, vertical: true });
    let (mut turning, mut spreads) = (Vec::new(), Vec::new());
    for (i, (cloud, fleet)) in clouds.iter().zip(fleets).enumerate() {
        let ink = Ink::Series(i as u8);
        let near = |sigma: &f64| (sigma / LEVEL).ln().abs();
        let level = (0..fleet.levels.len())
            .min_by(|a, b| near(&fleet.levels[*a]).total_cmp(&near(&fleet.levels[*b])))
            .unwrap_or(0);
        let numbers: Vec<f64> = NUMBERS.iter().map(|n| *n as f64).collect();
        for (panel, of) in [
            (&mut angle, Run::angles as fn(&Run) -> Vec<Quantity>),
            (&mut gap, Run::gaps as fn(&Run) -> Vec<Quantity>),
        ] {
            let values: Vec<Quantity> = fleet.runs[1..].iter().map(|run| of(run)[level]).collect();
            let law = of(&fleet.runs[0])[level].value;
            let ends = vec![numbers[0], numbers[numbers.len() - 1]];
            *panel = std::mem::take(panel)
                .with("", ink, Mark::dashed(ends, vec![law; 2]))
                .with("", ink, line(&numbers, &values))
                .with(cloud.name, ink, measured(numbers.clone(), &values));
        }
        // All N at all levels, against σ in units of the spacing.
        let law = fleet.runs[0].gaps();
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for run in fleet.runs[1..].iter().filter(|run| run.spacing < 0.5) {
            for ((sigma, law), own) in fleet.levels.iter().zip(&law).zip(run.gaps()) {
                let share = sigma / run.spacing;
                if *sigma < 0.3 && (0.05..20.0).contains(&share) {
                    x.push(share);
                    y.push(law.value - own.value);
                }
            }
        }
        // How much N matters at one σ/spacing, and at one σ.
        let missing = |at: &dyn Fn(&Run) -> f64| {
            let of = |run: &Run| {
                let near = |k: &usize| (fleet.levels[*k] / at(run)).ln().abs();
                let k = (0..fleet.levels.len()).min_by(|a, b| near(a).total_cmp(&near(b)))?;
                Some(law[k].value - run.gaps()[k].value)
            };
            let dense = fleet.runs[1..].iter().filter(|run| run.spacing < 0.5);
            let all = dense.filter(|run| at(run) > END).filter_map(of);
            let (low, high) = ends(all);
            format!("{low:.1} to {high:.1}")
        };
        spreads.push(format!(
            "{} at σ = half the spacing and {} at σ = {LEVEL} ({})",
            missing(&|run| 0.5 * run.spacing),
            missing(&|_| LEVEL),
            cloud.name
        ));
        // Where half a unit is missing.
        let lost: Vec<f64> = x.iter().zip(&y).filter(|(_, y)| **y > 0.5).map(|(x, _)| *x).collect();
        turning.push((cloud.name, lost.into_iter().fold(0.0, f64::max)));
        collapse = collapse.with(cloud.name, ink, Mark::points(x, y));
    }
    let words: Vec<String> =
        turning.iter().map(|(name, share)| format!("{share:.1} spacings ({name})")).collect();
    let caption = format!(
        "Left and middle: medians with 95 % bars at the last noise level nearest to σ = {LEVEL}; dashed: the law. Right: the gap that N points lack \
         against the law, over all N with a spacing below half a radius and all σ below 0.3 radii, against σ/spacing. For all these N the missing gap is {}. The largest σ at which half \
         a unit is missing is {}.",
        spreads.join(", "),
        words.join(", ")
    );
    let not_shown = "One draw of the points for each N; the bars are those of the trajectories. A dense set of points is not a law: \
                     at σ far below the spacing all of them depart.";
    let figure = Figure::new(
        "against-the-number-of-points",
        "Angle and gap against the number of points",
        vec![angle, gap, collapse],
    )
    .says(caption, not_shown)
    .within(1e-2);
    chapter.figures.push(figure);
    chapter.find(
        while_dense(turning.iter().map(|(_, share)| *share)),
        "against-the-number-of-points",
        "Paper: alignment gives accurate estimates of the tangent bundle",
        format!(
            "for the exact denoiser of N points half a unit of the gap is lost at {}: below that σ the points are not the manifold",
            words.join(", ")
        ),
    );
}

/// What the largest σ, in spacings, at which gaps of points are lost say of estimates that alignment gives: to be sharpened where
/// they are lost near the spacing, contradicted where they are lost far above it.
pub fn while_dense(shares: impl Iterator<Item = f64> + Clone) -> Relation {
    match { shares.clone() }.fold(0.0, f64::max) {
        _ if { shares }.any(f64::is_nan) => Relation::Open,
        0.0 => Relation::Agrees,
        most if most < 5.0 => Relation::Sharpens,
        _ => Relation::Contradicts,
    }
}
