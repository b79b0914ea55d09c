//! Where alignment fails: ends of arcs and the medial axis.

use super::{ALIGNED, SIGMA, SIGMA_OF_PICTURES};
use crate::error::Result;
use crate::experiments::curve::{Curve, End};
use crate::experiments::relation::below;
use crate::experiments::words::{number, percent, short};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::manifold::Chart;
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use crate::special::TruncatedGaussian;
use nalgebra::Vector2;

/// Orbits over the moons, and over the ellipse at each noise level.
const ORBITS: (usize, usize) = (8000, 3000);

/// Of fewer ends no median is told.
const FEW: usize = 20;

/// Ends drawn of each.
const DRAWN: usize = 310;

/// Noise levels at which the orbits over the ellipse end; its reach is 3/8.
const LEVELS: [f64; 3] = [SIGMA, 0.15, 0.4];

/// Points across and up of a map of angles.
const MAP: (usize, usize) = (84, 54);

/// Ends of orbits drawn on a map.
const ON_MAP: usize = 90;

/// Widths of the bins in which medians are drawn.
const BINS: usize = 14;

/// How near the end of an arc is, in units of σ, for an end to be counted there.
const NEAR: f64 = 2.0;

pub(super) fn add(
    chapter: &mut Chapter,
    [moons, ellipse]: &[Curve; 2],
    stream: Stream,
) -> Result<()> {
    let maps = [
        map(moons, [-1.6, 2.6, -1.1, 1.6], stream)?,
        map(ellipse, [-2.1, 2.1, -1.35, 1.35], stream)?,
    ];
    let ends = moons.ends(SIGMA, &moons.starts(ORBITS.0, stream.named("moons"))?)?;
    let starts = ellipse.starts(ORBITS.1, stream.named("ellipse"))?;
    let levels =
        LEVELS.iter().map(|sigma| ellipse.ends(*sigma, &starts)).collect::<Result<Vec<_>>>()?;
    let [map_of_moons, map_of_ellipse] = maps;
    let [angle_by_place, gamma_by_place, kappa_by_place] = by_place(moons, &ends);
    let [angle_by_axis, gamma_by_axis, kappa_by_axis] = by_axis(&levels);
    let panels = vec![
        map_of_moons,
        map_of_ellipse,
        angle_by_place,
        angle_by_axis,
        gamma_by_place,
        gamma_by_axis,
        kappa_by_place,
        kappa_by_axis,
    ];

    let share = |ends: &[&End]| {
        let off = ends.iter().filter(|e| e.angle() > ALIGNED).count();
        Quantity::sampled_share(off, ends.len(), REPORTED)
    };
    let place = |e: &&End| arc_position(moons, e);
    let beyond: Vec<&End> = ends.iter().filter(|e| place(e) < 0.0).collect();
    let near: Vec<&End> = ends.iter().filter(|e| (0.0..NEAR).contains(&place(e))).collect();
    let within: Vec<&End> = ends.iter().filter(|e| place(e) >= NEAR).collect();
    let at_ends = format!(
        "over the moons at σ = {SIGMA}, {} of the ends beyond a tip are off by more than {}°, {} of those up to {}σ before it, {} of \
         the others",
        percent(share(&beyond)),
        number(ALIGNED, 2),
        percent(share(&near)),
        number(NEAR, 2),
        percent(share(&within)),
    );
    let each = |(ends, sigma): (&Vec<End>, &f64)| {
        let (off, on): (Vec<&End>, Vec<&End>) = ends.iter().partition(|e| e.angle() > ALIGNED);
        let all: Vec<&End> = ends.iter().collect();
        let shares = format!("{} at σ = {sigma}", percent(share(&all)));
        if off.len() < FEW {
            return shares;
        }
        let medians = |of: &dyn Fn(&End) -> f64| {
            let [off, on] = [&off, &on].map(|ends| short(median(ends, of)));
            format!("{off} against {on}")
        };
        format!(
            "{shares} (medians of those against the others: distance to the medial axis {}, γ {}, κ {}; γ ≤ 0 at {} of those)",
            medians(&|e| to_medial_axis(&e.state)),
            medians(&|e| e.gamma),
            medians(&|e| e.kappa),
            percent(negative(&off)),
        )
    };
    let at_axis = levels.iter().zip(&LEVELS).map(each).collect::<Vec<_>>().join(", ");
    let gamma = |ends: &[&End]| short(median(ends, &|e| e.gamma));
    let furthest = ends
        .iter()
        .filter(|e| (-2.0..8.0).contains(&place(e)))
        .map(|e| (e.gamma - half_line_gamma(place(&e))).abs())
        .fold(0.0, f64::max);
    let caption = format!(
        "Above: the angle for an orbit that ends at any point of the plane (flow run backwards), with ends at \
         $\\sigma={SIGMA_OF_PICTURES}$ as points. Left: {at_ends}. Their median $\\gamma$ at the end is {}, {} and {}; it is that of half a line, \
         $1-zh-h^2$ with $h=\\varphi(z)/\\Phi(z)$ (line; $z$ is the distance from the tip in $\\sigma$), up to {} at all ends up to 2σ beyond a tip. \
         Right: over the ellipse {at_axis} are off by more than {}°. Which of compression and cross terms differ there is said by the medians; the figure \
         does not prove a cause.",
        gamma(&beyond),
        gamma(&near),
        gamma(&within),
        short(furthest),
        number(ALIGNED, 2),
    );
    let hidden = format!(
        "The maps show places, not how many orbits end there. $\\gamma$ and $\\kappa$ (with the turning of the frame) are those at the end, while the angle \
         comes from the whole orbit. Points: {DRAWN} of {} and of {} ends; medians over bins of distance with 95 % intervals.",
        ORBITS.0, ORBITS.1
    );
    let title = "Where alignment fails";
    chapter.figures.push(
        Figure::new("where-it-fails", title, panels)
            .says(caption, hidden)
            .in_columns(2)
            .within(1e-3),
    );
    chapter.find(
        fails_at_tips(share(&beyond), share(&within)),
        "where-it-fails",
        "Paper: alignment holds along the boundary of the data manifold. T2.5 asks for interior nearest points within the reach.",
        format!("At tips: {at_ends}. Over the ellipse (reach 3/8): off are {at_axis}."),
    );
    Ok(())
}

/// What the shares of misaligned ends beyond a tip and inside the arcs say of "along the boundary".
pub fn fails_at_tips(beyond: Quantity, within: Quantity) -> Relation {
    match (within, beyond) {
        (within, _) if below(Quantity::exact(0.5), within) => Relation::Contradicts,
        (within, beyond) if below(within, beyond) => Relation::Sharpens,
        (within, beyond) if [within, beyond].iter().all(|s| below(*s, Quantity::exact(0.1))) => {
            Relation::Agrees
        }
        _ => Relation::Open,
    }
}

fn median(ends: &[&End], of: &dyn Fn(&End) -> f64) -> f64 {
    let values: Vec<f64> = ends.iter().map(|e| of(e)).collect();
    Quantity::sampled_median(&values, REPORTED).value
}

/// The share of these ends at which nothing is compressed relative to the tangent.
fn negative(ends: &[&End]) -> Quantity {
    Quantity::sampled_share(ends.iter().filter(|e| e.gamma <= 0.0).count(), ends.len(), REPORTED)
}

/// Angles at all points of a window.
fn map(curve: &Curve, extent: [f64; 4], stream: Stream) -> Result<Panel> {
    let [left, right, low, high] = extent;
    let (columns, rows) = MAP;
    let along =
        |k: usize, n: usize, from: f64, to: f64| from + (to - from) * (k as f64 + 0.5) / n as f64;
    let points: Vec<Vector2<f64>> = (0..rows)
        .flat_map(|r| {
            let y = along(r, rows, high, low);
            (0..columns).map(move |c| Vector2::new(along(c, columns, left, right), y))
        })
        .collect();
    let values: Vec<f64> =
        curve.ends_at(SIGMA_OF_PICTURES, &points)?.iter().map(End::angle).collect();
    let (x, y) = curve.outline(100);
    let starts = curve.starts(ON_MAP, stream.named("map").named(curve.name))?;
    let ends = curve.ends(SIGMA_OF_PICTURES, &starts)?;
    let points = ends.iter().map(|e| (e.state[0], e.state[1])).unzip();
    let mut panel = Panel::plane(format!("{}: angle in degrees", curve.name))
        .with("", Ink::Guide, Mark::Raster { extent, columns, values, signed: false })
        .with("ends of orbits", Ink::Measured, Mark::points(points.0, points.1))
        .with("data", Ink::Data, Mark::line(x, y));
    panel.x.range = Some([left, right]);
    panel.y.range = Some([low, high]);
    Ok(panel)
}

/// Arc length from the nearer end of its arc to the nearest point, in units of σ; negative beyond the end.
pub fn arc_position(curve: &Curve, end: &End) -> f64 {
    let place = &end.foot.place;
    let Chart::Arc(arc) = &curve.manifold.pieces()[place.piece].chart else { return f64::INFINITY };
    let (before, after) = (place.u[0] - arc.from, arc.to - place.u[0]);
    if !end.foot.boundary {
        return arc.radius * before.min(after) / end.sigma;
    }
    let (tangent, _) = curve.frame(place);
    let point = Vector2::new(end.foot.point[0], end.foot.point[1]);
    -(tangent.dot(&(end.state - point))).abs() / end.sigma
}

/// The distance of a point from the medial axis of the ellipse of half axes 3/2 and 3/4: the segment
/// between the centres of curvature at the ends of the long axis, |x₁| ≤ (a² − b²)/a.
pub fn to_medial_axis(state: &Vector2<f64>) -> f64 {
    let half = (1.5 * 1.5 - 0.75 * 0.75) / 1.5;
    (state[0].abs() - half).max(0.0).hypot(state[1])
}

/// The variance of N(z, 1) restricted to x > 0, 1 − zh − h² with h = φ(z)/Φ(z): γ of a flat half line at z, in units of σ.
pub fn half_line_gamma(z: f64) -> f64 {
    // d/dz of the mean of e^{zu − u²/2} on u > 0; forty deviations are all of it.
    TruncatedGaussian::new(z, 1.0, 0.0, 40.0).mean_taylor()[1][0]
}

fn by_place(moons: &Curve, ends: &[End]) -> [Panel; 3] {
    let (least, most) = (-3.0, 8.0);
    let place: Vec<f64> = ends.iter().map(|e| arc_position(moons, e)).collect();
    let near = |of: &dyn Fn(&End) -> f64| -> Vec<(f64, f64)> {
        let pairs = place.iter().zip(ends).map(|(z, e)| (*z, of(e)));
        pairs.filter(|(z, _)| (least..=most).contains(z)).collect()
    };
    let axis = || Axis::new("arc length from the tip (σ)").from_to(least, most);
    let angle = scattered(
        Panel::new("moons: angle near a tip", axis(), Axis::log("angle to the tangent (degrees)")),
        &[("ends over the moons", Ink::Lyapunov, near(&End::angle))],
        (least, most),
    );
    let z: Vec<f64> = (0..=110).map(|k| least + (most - least) * f64::from(k) / 110.0).collect();
    let closed = z.iter().map(|z| half_line_gamma(*z)).collect();
    let gamma = scattered(
        Panel::new("moons: γ near a tip", axis(), Axis::new("γ per unit of u")),
        &[("ends over the moons", Ink::Lyapunov, near(&|e| e.gamma))],
        (least, most),
    )
    .with("half a line, closed form", Ink::Predicted, Mark::line(z, closed));
    let kappa = scattered(
        Panel::new("moons: κ near a tip", axis(), Axis::log("κ per unit of u").from_to(1e-5, 10.0)),
        &[("ends over the moons", Ink::Lyapunov, near(&|e| e.kappa))],
        (least, most),
    );
    [angle, gamma, kappa]
}

/// Values against their place.
type Cloud = Vec<(f64, f64)>;

fn by_axis(levels: &[Vec<End>]) -> [Panel; 3] {
    let (least, most) = (0.0, 1.2);
    let inks = [Ink::Ramp(1000), Ink::Ramp(500), Ink::Ramp(0)];
    let of = |of: &dyn Fn(&End) -> f64| -> Vec<(String, Ink, Cloud)> {
        let pairs = |ends: &Vec<End>| -> Vec<(f64, f64)> {
            let pairs = ends.iter().map(|e| (to_medial_axis(&e.state), of(e)));
            pairs.filter(|(z, _)| (least..=most).contains(z)).collect()
        };
        let named = levels.iter().zip(LEVELS).zip(inks);
        named.map(|((ends, sigma), ink)| (format!("σ = {sigma}"), ink, pairs(ends))).collect()
    };
    let axis = || Axis::new("distance to the medial axis").from_to(least, most);
    let draw = |panel: Panel, values: Vec<(String, Ink, Cloud)>| {
        let named: Vec<_> = values.iter().map(|(n, i, v)| (n.as_str(), *i, v.clone())).collect();
        scattered(panel, &named, (least, most))
    };
    let angle = Panel::new("ellipse: angle", axis(), Axis::log("angle to the tangent (degrees)"));
    let gamma = Panel::new("ellipse: γ", axis(), Axis::new("γ per unit of u"));
    let kappa = Panel::new("ellipse: κ", axis(), Axis::log("κ per unit of u").from_to(1e-5, 10.0));
    [draw(angle, of(&End::angle)), draw(gamma, of(&|e| e.gamma)), draw(kappa, of(&|e| e.kappa))]
}

/// Points, and medians with bars over bins of the horizontal axis that hold enough of them.
fn scattered(mut panel: Panel, series: &[(&str, Ink, Cloud)], (least, most): (f64, f64)) -> Panel {
    for (name, ink, pairs) in series {
        let (x, y) = pairs.iter().take(DRAWN).copied().unzip();
        panel = panel.with(name, *ink, Mark::points(x, y));
    }
    for (name, ink, pairs) in series {
        let (mut at, mut medians, mut bars) = (Vec::new(), Vec::new(), Vec::new());
        for bin in 0..BINS {
            let edge = |k: usize| least + (most - least) * k as f64 / BINS as f64;
            let inside = |z: f64| (edge(bin)..edge(bin + 1)).contains(&z);
            let values: Vec<f64> = pairs.iter().filter(|p| inside(p.0)).map(|p| p.1).collect();
            let median = Quantity::sampled_median(&values, REPORTED);
            if median.bar.is_finite() {
                at.push(0.5 * (edge(bin) + edge(bin + 1)));
                medians.push(median.value);
                bars.push(median.bar);
            }
        }
        let name = format!("{name}, medians");
        panel = panel.with(&name, *ink, Mark::line(at.clone(), medians.clone())).with(
            &name,
            *ink,
            Mark::points_with_bars(at, medians, bars),
        );
    }
    panel
}
