//! The marks of a layer, inside the frame of its panel.

use super::axes::{Frame, TEXT};
use super::palette::{self, Marker};
use super::scale::Scale;
use super::{Area, failed, px};
use crate::error::Result;
use crate::figure::{Dash, Layer, Mark};
use plotters::element::{BitMapElement, DashedPathElement};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// A place in units of the drawing, from the upper left corner.
type Place = (f64, f64);

/// How strong the area and the edges of a band are.
pub const BAND: f64 = 0.26;
const EDGE: f64 = 0.6;

/// More points than this are a cloud.
const CLOUD: usize = 300;

/// Draws one layer; what lies outside the frame is not drawn.
pub fn draw(frame: &Frame, layer: &Layer, x: &Scale, y: &Scale) -> Result<()> {
    let (area, (width, height)) = (&frame.area, frame.size);
    let place = |a: f64, b: f64| -> Option<Place> {
        Some((x.share(a)? * width, (1.0 - y.share(b)?) * height))
    };
    let inside =
        |(a, b): &Place| (-1.0..=width + 1.0).contains(a) && (-1.0..=height + 1.0).contains(b);
    let colour = palette::colour(layer.ink);
    let line = colour.stroke_width(px(palette::width(layer.ink)) as u32);
    match &layer.mark {
        Mark::Points { x: a, y: b, bars } => {
            let shape = shape(layer);
            for (nth, (&a, &b)) in a.iter().zip(b).enumerate() {
                let Some(at) = place(a, b).filter(inside) else { continue };
                if let Some(bar) = bars.get(nth).filter(|bar| bar.is_finite()) {
                    let ends = [b - bar, b + bar].map(|end| {
                        // The lower end of a bar on a log axis may be below all that is shown.
                        place(a, end).map_or(height, |(_, end)| end.clamp(0.0, height))
                    });
                    let bar = vec![(at.0, ends[0]), (at.0, ends[1])];
                    stroke(area, &bar, Dash::Solid, line)?;
                }
                marker(area, at, shape, colour)?;
            }
        }
        Mark::Line { x: a, y: b, dash } => {
            let dash = palette::dash(layer.ink, *dash);
            for piece in pieces(a, b, &place) {
                for seen in clipped(&piece, frame.size) {
                    stroke(area, &seen, dash, line)?;
                }
            }
        }
        Mark::Band { x: a, low, high } => {
            let within = |(a, b): Place| (a.clamp(0.0, width), b.clamp(0.0, height));
            let known: Vec<usize> =
                (0..a.len()).filter(|&n| place(a[n], high[n]).is_some()).collect();
            let upper = known.iter().filter_map(|&n| place(a[n], high[n]));
            // Below all that is shown on a log axis.
            let lower = known.iter().rev().filter_map(|&n| {
                place(a[n], low[n]).or_else(|| place(a[n], high[n]).map(|(a, _)| (a, height)))
            });
            let outline: Vec<(i32, i32)> = upper.chain(lower).map(within).map(whole).collect();
            // Bands that lie over each other are told apart by their edges.
            let edges = [&outline[..known.len()], &outline[known.len()..]].map(<[_]>::to_vec);
            area.draw(&Polygon::new(outline, colour.mix(BAND))).map_err(failed)?;
            let edge = colour.mix(EDGE).stroke_width(px(0.8) as u32);
            for points in edges {
                area.draw(&PathElement::new(points, edge)).map_err(failed)?;
            }
        }
        Mark::Arrows { x: a, y: b, dx, dy, headless } => {
            for n in 0..a.len() {
                let (from, to) = match headless {
                    true => ((-0.5, -0.5), (0.5, 0.5)),
                    false => ((0.0, 0.0), (1.0, 1.0)),
                };
                let end = |(s, t): (f64, f64)| place(a[n] + s * dx[n], b[n] + t * dy[n]);
                let (Some(from), Some(to)) = (end(from), end(to)) else { continue };
                for seen in clipped(&[from, to], frame.size) {
                    stroke(area, &seen, Dash::Solid, line)?;
                }
                if !headless && inside(&to) {
                    head(area, from, to, colour)?;
                }
            }
        }
        Mark::Steps { edges, heights } => {
            let floor = y.share(0.0).map_or(height, |share| (1.0 - share) * height);
            let floor = floor.clamp(0.0, height);
            let side = |edge: f64| (x.share(edge).unwrap_or(0.0) * width).clamp(0.0, width);
            let (mut outline, mut bars) = (Vec::new(), Vec::new());
            for (n, &value) in heights.iter().enumerate() {
                let top = place(edges[n], value).map_or(floor, |(_, top)| top).clamp(0.0, height);
                let sides = [edges[n], edges[n + 1]].map(side);
                bars.push(((sides[0], top), (sides[1], floor)));
                outline.extend([(sides[0], top), (sides[1], top)]);
            }
            for (corner, opposite) in bars {
                let bar = [whole(corner), whole(opposite)];
                area.draw(&Rectangle::new(bar, colour.mix(0.18).filled())).map_err(failed)?;
            }
            for seen in clipped(&outline, frame.size) {
                stroke(area, &seen, palette::dash(layer.ink, Dash::Solid), line)?;
            }
        }
        Mark::Raster { extent, columns, values, signed } => {
            let corners = (place(extent[0], extent[3]), place(extent[1], extent[2]));
            if let (Some(from), Some(to)) = corners {
                raster(frame, from, to, *columns, values, *signed)?;
            }
        }
        Mark::Rule { at, vertical } => {
            let share = if *vertical { x.share(*at) } else { y.share(*at) };
            let Some(share) = share.filter(|share| (0.0..=1.0).contains(share)) else {
                return Ok(());
            };
            let ends = match vertical {
                true => vec![(share * width, 0.0), (share * width, height)],
                false => vec![(0.0, (1.0 - share) * height), (width, (1.0 - share) * height)],
            };
            stroke(area, &ends, palette::rule(layer.ink), line)?;
        }
        Mark::Words { x: a, y: b, words } => {
            let style = TextStyle::from(("sans-serif", px(TEXT - 1.5)).into_font())
                .color(&palette::INK)
                .pos(Pos::new(HPos::Center, VPos::Center));
            for (n, word) in words.iter().enumerate() {
                let Some(at) = place(a[n], b[n]).filter(inside) else { continue };
                area.draw(&Text::new(word.clone(), whole(at), style.clone())).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// The marker of a layer: clouds have small ones.
pub fn shape(layer: &Layer) -> Marker {
    match &layer.mark {
        Mark::Points { x, bars, .. } if x.len() > CLOUD && bars.is_empty() => Marker::Dot,
        _ => palette::marker(layer.ink),
    }
}

/// The nearest whole units.
fn whole((a, b): Place) -> (i32, i32) {
    (a.round() as i32, b.round() as i32)
}

/// The parts of a line between its gaps.
fn pieces(a: &[f64], b: &[f64], place: &impl Fn(f64, f64) -> Option<Place>) -> Vec<Vec<Place>> {
    let mut pieces = vec![Vec::new()];
    for (&a, &b) in a.iter().zip(b) {
        match place(a, b) {
            Some(at) => pieces.last_mut().expect("begun with one").push(at),
            None => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

/// The parts of a line inside the frame (Liang and Barsky, edge by edge).
fn clipped(line: &[Place], (width, height): (f64, f64)) -> Vec<Vec<Place>> {
    let mut parts: Vec<Vec<Place>> = Vec::new();
    for ends in line.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let edges = [(-dx, from.0), (dx, width - from.0), (-dy, from.1), (dy, height - from.1)];
        for (towards, room) in edges {
            if towards == 0.0 {
                if room < 0.0 {
                    leave = -1.0;
                }
            } else if towards < 0.0 {
                enter = enter.max(room / towards);
            } else {
                leave = leave.min(room / towards);
            }
        }
        if enter > leave {
            continue;
        }
        // Far ends leave no digit for the place on the edge.
        let at =
            |t: f64| ((from.0 + t * dx).clamp(0.0, width), (from.1 + t * dy).clamp(0.0, height));
        match parts.last_mut() {
            Some(part) if part.last() == Some(&at(enter)) => part.push(at(leave)),
            _ => parts.push(vec![at(enter), at(leave)]),
        }
    }
    parts
}

/// A line with its dash.
pub fn stroke(area: &Area, line: &[Place], dash: Dash, style: ShapeStyle) -> Result<()> {
    let line: Vec<(i32, i32)> = line.iter().copied().map(whole).collect();
    match dash {
        Dash::Solid => area.draw(&PathElement::new(line, style)),
        Dash::Dashed => area.draw(&DashedPathElement::new(line, px(6.0), px(4.0), style)),
        Dash::Dotted => area.draw(&DashedPathElement::new(line, px(1.6), px(3.0), style)),
    }
    .map_err(failed)
}

/// One marker.
pub fn marker(area: &Area, at: Place, shape: Marker, colour: RGBAColor) -> Result<()> {
    let (a, b) = whole(at);
    let r = px(3.6);
    let filled = colour.filled();
    let line = colour.stroke_width(px(1.5) as u32);
    match shape {
        Marker::Disk => area.draw(&Circle::new((a, b), r, filled)),
        Marker::Dot => area.draw(&Circle::new((a, b), px(1.6), colour.mix(0.75).filled())),
        Marker::Ring => area.draw(&Circle::new((a, b), r, line)),
        Marker::Triangle => area.draw(&TriangleMarker::new((a, b), px(4.2), filled)),
        Marker::Square => {
            let r = px(3.2);
            area.draw(&Rectangle::new([(a - r, b - r), (a + r, b + r)], filled))
        }
        Marker::Diamond => {
            let r = px(4.4);
            area.draw(&Polygon::new(vec![(a - r, b), (a, b - r), (a + r, b), (a, b + r)], colour))
        }
        Marker::Cross => area.draw(&Cross::new((a, b), px(3.2), line)),
    }
    .map_err(failed)
}

/// The head of an arrow.
pub fn head(area: &Area, from: Place, to: Place, colour: RGBAColor) -> Result<()> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    if length < 1.0 {
        return Ok(());
    }
    let size = f64::from(px(7.0)).min(0.6 * length) / length;
    let (bx, by) = (to.0 - size * dx, to.1 - size * dy);
    let (nx, ny) = (-0.4 * size * dy, 0.4 * size * dx);
    let corners = vec![whole(to), whole((bx + nx, by + ny)), whole((bx - nx, by - ny))];
    area.draw(&Polygon::new(corners, colour)).map_err(failed)
}

/// The values of the first and of the last colour.
pub fn ends_of_colours(values: &[f64], signed: bool) -> (f64, f64) {
    let known = values.iter().filter(|value| value.is_finite());
    let (least, most) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
        (least.min(*value), most.max(*value))
    });
    let largest = least.abs().max(most.abs()).max(f64::MIN_POSITIVE);
    if signed { (-largest, largest) } else { (least, most) }
}

/// A grid of values as an image: the part of it that is inside the frame.
fn raster(
    frame: &Frame,
    from: Place,
    to: Place,
    columns: usize,
    values: &[f64],
    signed: bool,
) -> Result<()> {
    let columns = columns.max(1);
    let rows = values.len() / columns;
    let (least, most) = ends_of_colours(values, signed);
    let share = |value: f64| match signed {
        true => value / most,
        false => (value - least) / (most - least).max(f64::MIN_POSITIVE),
    };
    let across = Pixels::new(from.0, to.0, frame.size.0);
    let down = Pixels::new(from.1, to.1, frame.size.1);
    let size = (across.seen.len(), down.seen.len());
    if rows == 0 || size.0 == 0 || size.1 == 0 {
        return Ok(());
    }
    // An image of as many points as the drawing has, each the value of its cell: no viewer blurs it.
    let mut pixels = Vec::with_capacity(3 * size.0 * size.1);
    for b in down.seen.clone() {
        for a in across.seen.clone() {
            let cell = down.cell(b, rows) * columns + across.cell(a, columns);
            let RGBColor(red, green, blue) = palette::of_value(share(values[cell]), signed);
            pixels.extend([red, green, blue]);
        }
    }
    let corner = (across.seen.start as i32, down.seen.start as i32);
    let size = (size.0 as u32, size.1 as u32);
    let image = BitMapElement::with_owned_buffer(corner, size, pixels)
        .ok_or_else(|| failed("an image of another size than its values"))?;
    frame.area.draw(&image).map_err(failed)
}

/// One side of an image on the drawing.
struct Pixels {
    first: f64,
    count: f64,
    /// Those inside the frame.
    seen: Range<usize>,
}

impl Pixels {
    fn new(from: f64, to: f64, frame: f64) -> Self {
        let (first, count) = (from.round(), (to - from).round());
        let inside = |end: f64| end.clamp(0.0, frame.round()) as usize;
        Self { first, count, seen: inside(first)..inside(first + count) }
    }

    /// The row or column that a pixel shows.
    fn cell(&self, pixel: usize, cells: usize) -> usize {
        let nth = (pixel as f64 - self.first) * cells as f64 / self.count;
        (nth as usize).min(cells - 1)
    }
}
