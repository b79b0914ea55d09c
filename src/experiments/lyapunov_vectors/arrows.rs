//! Top vectors, tangents and scores at end points, as arrows.

use super::SIGMA_OF_PICTURES as SIGMA;
use crate::error::Result;
use crate::experiments::curve::{Curve, End};
use crate::experiments::words::{number, percent};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::random::Stream;
use crate::record::Chapter;

/// Orbits of each curve; the close-ups show those which end there.
const ORBITS: usize = 1200;

/// Ends drawn in a picture of the whole curve, and in a close-up.
const DRAWN: (usize, usize) = (60, 45);

/// Centres of the close-ups and half their width: a tip of a moon, and the end of the long axis.
const CLOSE_UPS: [([f64; 2], f64); 2] = [([1.0, 0.0], 0.4), ([1.5, 0.0], 0.4)];

/// Lengths of tangents and top vectors as shares of the width of the picture.
const LENGTHS: (f64, f64) = (0.075, 0.045);

pub(super) fn add(chapter: &mut Chapter, curves: &[Curve; 2], stream: Stream) -> Result<()> {
    let (mut whole, mut close) = (Vec::new(), Vec::new());
    let (mut shares, mut ridges) = (Vec::new(), Vec::new());
    for (curve, (centre, half)) in curves.iter().zip(CLOSE_UPS) {
        let ends = curve.ends(SIGMA, &curve.starts(ORBITS, stream.named(curve.name))?)?;
        let aligned = ends.iter().filter(|e| e.angle() <= super::ALIGNED).count();
        shares.push(Quantity::sampled_share(aligned, ORBITS, REPORTED));
        let ridge: Vec<&End> = ends.iter().filter(|e| e.score_ratio() > 1.0).collect();
        let aligned = ridge.iter().filter(|e| e.angle() <= super::ALIGNED).count();
        ridges.push(Quantity::sampled_share(aligned, ridge.len(), REPORTED));
        let (x, y) = (curve.outline(100), 4.2);
        whole.push(picture(curve.name, x, &ends[..DRAWN.0], y));
        let inside = |e: &&End| (0..2).all(|i| (e.state[i] - centre[i]).abs() < 0.95 * half);
        let near: Vec<End> = ends.iter().filter(inside).take(DRAWN.1).cloned().collect();
        let part = match curve.name {
            "ellipse" => "end of the long axis",
            _ => "tip of the upper moon",
        };
        let mut panel = picture(part, curve.outline(800), &near, 2.0 * half);
        panel.x.range = Some([centre[0] - half, centre[0] + half]);
        panel.y.range = Some([centre[1] - half, centre[1] + half]);
        close.push(panel);
    }
    let caption = format!(
        "At $\\sigma={SIGMA}$ the top Lyapunov vector is within {}° of the tangent of the nearest point at {} \
         of {ORBITS} ends over the moons and at {} over the ellipse; where $|s_T|>|s_N|$, so that the score lies along the curve, at {} and {} of the ends. Each \
         score arrow is $\\sigma^2 s$: its head is the posterior mean.",
        number(super::ALIGNED, 2),
        percent(shares[0]),
        percent(shares[1]),
        percent(ridges[0]),
        percent(ridges[1]),
    );
    let hidden = "A vector has no sign: lines, not arrows, are drawn for tangents and Lyapunov vectors. No bars: each line is one \
                  orbit, exact to $10^{-4}$ of its length. How often vectors are off is in the next figure.";
    let panels = whole.into_iter().chain(close).collect();
    let title = "Top Lyapunov vectors at end points, with tangents and scores";
    chapter.figures.push(
        Figure::new("arrows", title, panels).says(caption, hidden).in_columns(2).within(1e-4),
    );
    Ok(())
}

/// The curve with the vectors of these ends, in a picture of that width.
fn picture(title: &str, (x, y): (Vec<f64>, Vec<f64>), ends: &[End], width: f64) -> Panel {
    let get = |of: &dyn Fn(&End) -> f64| ends.iter().map(of).collect::<Vec<f64>>();
    let arrows = |dx: &dyn Fn(&End) -> f64, dy: &dyn Fn(&End) -> f64, headless: bool| {
        let (x, y) = (get(&|e| e.state[0]), get(&|e| e.state[1]));
        Mark::Arrows { x, y, dx: get(dx), dy: get(dy), headless }
    };
    let (long, short) = (LENGTHS.0 * width, LENGTHS.1 * width);
    let square = SIGMA * SIGMA;
    let mut panel = Panel::plane(title)
        .with("data", Ink::Data, Mark::line(x, y))
        .with(
            "tangent at the nearest point",
            Ink::Tangent,
            arrows(&|e| long * e.tangent[0], &|e| long * e.tangent[1], true),
        )
        .with(
            "score × σ²",
            Ink::Score,
            arrows(&|e| square * e.score[0], &|e| square * e.score[1], false),
        )
        .with(
            "top Lyapunov vector",
            Ink::Lyapunov,
            arrows(&|e| short * e.top[0], &|e| short * e.top[1], true),
        );
    (panel.x, panel.y) = (Axis::new("x₁"), Axis::new("x₂"));
    panel
}
