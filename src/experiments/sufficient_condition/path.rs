//! γ, κ, η and H·r along single orbits, with the bounds that they give.

use crate::error::Result;
use crate::experiments::along::{Along, Bounded};
use crate::experiments::curve::{Curve, End};
use crate::experiments::words::number;
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Panel};
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use nalgebra::Vector2;

/// The noise level at which the orbits end.
const SIGMA: f64 = 0.02;

/// Starts among which the orbits are chosen by where they end.
const STARTS: usize = 600;

/// Distance from the curve at which an end is of the usual kind, in σ.
const OFF: f64 = 1.0;

/// Slopes that are drawn: flatter and steeper ones are out of the picture.
const LEAST: f64 = 1e-3;
const LARGEST: f64 = 30.0;

/// A slope above a bound by more than this share would refute it: 100 steps of order 4 leave 10⁻⁵.
const RESOLUTION: f64 = 1e-3;

/// A chosen orbit.
struct Chosen {
    what: &'static str,
    along: Along,
    /// H·r along it.
    second: Vec<f64>,
}

pub(super) fn add(chapter: &mut Chapter, stream: Stream) -> Result<()> {
    let (moons, ellipse) = (Curve::moons()?, Curve::ellipse()?);
    let off = |e: &End| (e.foot.distance / SIGMA - OFF).abs();
    let to = |e: &End, x: f64, y: f64| (Vector2::new(x, y) - point(e)).norm() / SIGMA;
    let chosen = [
        choose(&moons, "inside an arc", stream, &|e| to(e, 0.0, 1.0) + off(e))?,
        // One σ beyond the tip of the lower moon, nearest to no other.
        choose(&moons, "beyond a tip", stream, &|e| {
            let beyond = e.state - Vector2::new(2.0, 0.5 + SIGMA);
            beyond.norm() / SIGMA
        })?,
        choose(&ellipse, "where it bends most", stream, &|e| to(e, 1.5, 0.0) + off(e))?,
    ];
    let above: Vec<Panel> = chosen.iter().map(coefficients).collect();
    let seen = || chosen.iter().flat_map(Chosen::slopes);
    let range = (
        0.8 * seen().fold(f64::INFINITY, f64::min).max(LEAST),
        1.25 * seen().fold(0.0, f64::max).min(LARGEST),
    );
    let below: Vec<Panel> = chosen.iter().map(|chosen| slopes(chosen, range)).collect();
    let words: Vec<String> = chosen.iter().map(Chosen::words).collect();
    let caption = format!(
        "Above: compression $\\gamma$, cross terms $\\kappa$ and $\\eta$ with the turning of the frame, and $Hr$, the largest second derivative \
         between nearest point and state times their distance, per unit of $u=\\log(\\sigma_1/\\sigma)$. T2.5 expects $\\gamma\\to1$ inside the \
         curve, and that the rest dies like $\\sigma$. Below: the slope of a carried line and the bounds. {}.",
        words.join(". ")
    );
    let hidden = "Three orbits, chosen by where they end; shares over many are in the chapter on Lyapunov vectors. $H$ is sampled at 17 \
                  points of the segment. T2.3 bounds $\\kappa$ by $Hr$ where the family of manifolds is invariant, which data in \
                  general are not: here $Hr$ is shown beside $\\kappa$, not as a bound. Numbers are exact to $10^{-3}$ of themselves, so \
                  there are no bars.";
    let title = "Compression, cross terms and second derivatives along an orbit";
    let panels = above.into_iter().chain(below).collect();
    chapter.figures.push(
        Figure::new("along-an-orbit", title, panels)
            .says(caption, hidden)
            .in_columns(3)
            .within(1e-3),
    );
    let [inside, _, bent] = &chosen;
    let ends = [inside, bent].map(|chosen| {
        let slope = *chosen.along.slope.last().expect("a start at least");
        (slope.abs(), chosen.along.certificate.as_ref().and_then(|bound| bound.y.last().copied()))
    });
    chapter.find(
        certified(&ends),
        "along-an-orbit",
        "Our reading of the paper's sufficient condition: late compression, cross derivatives near 0 and bounded second derivatives suffice for alignment. T2.5.",
        format!("{}.", words.join(". ")),
    );
    Ok(())
}

/// What slopes say of the bounds on them, if there are any.
pub fn certified(ends: &[(f64, Option<f64>)]) -> Relation {
    let broken = |(slope, bound): &(f64, Option<f64>)| {
        bound.is_some_and(|b| *slope > b * (1.0 + RESOLUTION))
    };
    match ends.iter().all(|(slope, bound)| slope.is_finite() && bound.is_some()) {
        _ if ends.iter().any(broken) => Relation::Contradicts,
        true => Relation::Agrees,
        false => Relation::Open,
    }
}

fn point(end: &End) -> Vector2<f64> {
    Vector2::new(end.foot.point[0], end.foot.point[1])
}

/// The orbit whose end has the least cost.
fn choose(
    curve: &Curve,
    what: &'static str,
    stream: Stream,
    cost: &dyn Fn(&End) -> f64,
) -> Result<Chosen> {
    let starts = curve.starts(STARTS, stream.named(curve.name))?;
    let ends = curve.ends(SIGMA, &starts)?;
    let nearest = (0..STARTS).min_by(|i, j| cost(&ends[*i]).total_cmp(&cost(&ends[*j])));
    let start = starts[nearest.unwrap_or_default()];
    let along = Along::new(curve, SIGMA, start, Vector2::new(0.6, 0.8))?;
    let second = (0..along.time.len())
        .map(|k| along.second_derivative(curve, k) * along.feet[k].distance)
        .collect();
    Ok(Chosen { what, along, second })
}

impl Chosen {
    /// All slopes and bounds on them.
    fn slopes(&self) -> Vec<f64> {
        let bounds = [&self.along.riccati, &self.along.certificate];
        let bounds = bounds.into_iter().flatten().flat_map(|bound| bound.y.iter().copied());
        self.along.slope.iter().map(|l| l.abs()).chain(bounds).collect()
    }

    fn words(&self) -> String {
        let Self { what, along, second } = self;
        let last = along.time.len() - 1;
        let slope = along.slope[last].abs();
        let bound = |bound: &Option<Bounded>| match bound {
            Some(bound) => number(bound.y[bound.y.len() - 1], 2),
            None => "none".to_owned(),
        };
        format!(
            "{}: at the end γ = {}, κ = {}, η = {}, Hr = {}, slope {}, bound T2.1 {}, T2.5 {}",
            what,
            number(along.gamma[last], 2),
            number(along.kappa[last], 2),
            number(along.eta[last], 2),
            number(second[last], 2),
            number(slope, 2),
            bound(&along.riccati),
            bound(&along.certificate),
        )
    }
}

fn coefficients(Chosen { what, along, second }: &Chosen) -> Panel {
    let line = |y: &[f64]| Mark::line(along.time.clone(), y.to_vec());
    Panel::new(*what, Axis::new("u = log(σ₁/σ)"), Axis::new("per unit of u"))
        .with("", Ink::Guide, Mark::Rule { at: 0.0, vertical: false })
        .with("H r", Ink::Series(3), {
            let (x, y) = (along.time.clone(), second.clone());
            Mark::Line { x, y, dash: Dash::Dotted }
        })
        .with("η", Ink::Series(2), Mark::dashed(along.time.clone(), along.eta.clone()))
        .with("κ", Ink::Series(1), line(&along.kappa))
        .with("γ", Ink::Series(0), line(&along.gamma))
}

fn slopes(Chosen { what, along, .. }: &Chosen, (least, most): (f64, f64)) -> Panel {
    let mut panel = Panel::new(
        format!("{what}: slope"),
        Axis::new("u = log(σ₁/σ)"),
        Axis::log("slope over the tangent").from_to(least, most),
    );
    if let Some(bound) = &along.certificate {
        let x = along.time[bound.first..].to_vec();
        panel = panel.with("bound T2.5", Ink::Bound, Mark::dashed(x, bound.y.clone()));
    }
    if let Some(bound) = &along.riccati {
        let x = along.time[bound.first..].to_vec();
        panel = panel.with("bound T2.1", Ink::Series(4), Mark::line(x, bound.y.clone()));
    }
    let slopes = along.slope.iter().map(|l| l.abs()).collect();
    panel.with("carried line", Ink::Measured, Mark::line(along.time.clone(), slopes))
}
