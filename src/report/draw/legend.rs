//! The legend: a strip below the panels, so that it covers no data.

use super::axes::TEXT;
use super::palette::Marker;
use super::{Area, FINE, failed, layers, palette, px};
use crate::error::Result;
use crate::figure::{Dash, Figure, Layer, Mark};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Width of the sample of an entry, in pixels.
const SAMPLE: f64 = 30.0;

/// Height of a row, in pixels.
const ROW: u32 = 24;

/// One name and all that is drawn under it.
pub struct Entry<'a> {
    name: &'a str,
    layers: Vec<&'a Layer>,
    /// Width in pixels.
    width: f64,
}

/// The entries of a figure, in the order of their first layers.
pub fn entries(figure: &Figure) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry> = Vec::new();
    for layer in figure.panels.iter().flat_map(|panel| &panel.layers) {
        if layer.name.is_empty() {
            continue;
        }
        match entries.iter_mut().find(|entry| entry.name == layer.name) {
            Some(entry) => {
                let kind = std::mem::discriminant(&layer.mark);
                if !entry.layers.iter().any(|l| std::mem::discriminant(&l.mark) == kind) {
                    entry.layers.push(layer);
                }
            }
            None => {
                let font = ("sans-serif", px(TEXT)).into_font();
                let (text, _) = font.box_size(&layer.name).unwrap_or_default();
                let width = SAMPLE + 8.0 + f64::from(text) / f64::from(FINE) + 22.0;
                entries.push(Entry { name: &layer.name, layers: vec![layer], width });
            }
        }
    }
    entries
}

/// Entries in rows of at most that width.
fn rows<'a, 'b>(entries: &'b [Entry<'a>], width: u32) -> Vec<&'b [Entry<'a>]> {
    let mut rows = Vec::new();
    let (mut begin, mut used) = (0, 0.0);
    for (nth, entry) in entries.iter().enumerate() {
        if nth > begin && used + entry.width > f64::from(width) - 20.0 {
            rows.push(&entries[begin..nth]);
            (begin, used) = (nth, 0.0);
        }
        used += entry.width;
    }
    if begin < entries.len() {
        rows.push(&entries[begin..]);
    }
    rows
}

/// The height of the legend in pixels.
pub fn height(entries: &[Entry], width: u32) -> u32 {
    rows(entries, width).len() as u32 * ROW + 8
}

/// Draws the entries, row by row, each row in the middle.
pub fn draw(strip: &Area, entries: &[Entry]) -> Result<()> {
    let (width, _) = strip.dim_in_pixel();
    let width = width / FINE;
    let style = TextStyle::from(("sans-serif", px(TEXT)).into_font())
        .color(&palette::INK)
        .pos(Pos::new(HPos::Left, VPos::Center));
    for (nth, row) in rows(entries, width).into_iter().enumerate() {
        let used: f64 = row.iter().map(|entry| entry.width).sum();
        let mut left = (0.5 * (f64::from(width) - used)).max(8.0);
        let middle = f64::from(nth as u32 * ROW + ROW / 2);
        for entry in row {
            for layer in &entry.layers {
                sample(strip, layer, (left, middle))?;
            }
            let at = (px(left + SAMPLE + 8.0), px(middle));
            strip.draw(&Text::new(entry.name.to_owned(), at, style.clone())).map_err(failed)?;
            left += entry.width;
        }
    }
    Ok(())
}

/// A small picture of the marks of a layer, in pixels from the left and the middle.
fn sample(strip: &Area, layer: &Layer, (left, middle): (f64, f64)) -> Result<()> {
    let fine = |a: f64, b: f64| (a * f64::from(FINE), b * f64::from(FINE));
    let colour = palette::colour(layer.ink);
    let line = colour.stroke_width(px(palette::width(layer.ink)) as u32);
    let across = [fine(left, middle), fine(left + SAMPLE, middle)];
    let block = |share: f64| {
        let corners = [(px(left), px(middle - 6.0)), (px(left + SAMPLE), px(middle + 6.0))];
        strip.draw(&Rectangle::new(corners, colour.mix(share).filled())).map_err(failed)
    };
    match &layer.mark {
        Mark::Points { .. } => {
            let shape = layers::shape(layer);
            // One dot of a cloud would be missed.
            let shares: &[f64] = if shape == Marker::Dot { &[0.2, 0.5, 0.8] } else { &[0.5] };
            shares.iter().try_for_each(|share| {
                layers::marker(strip, fine(left + share * SAMPLE, middle), shape, colour)
            })
        }
        Mark::Line { dash, .. } => {
            layers::stroke(strip, &across, palette::dash(layer.ink, *dash), line)
        }
        Mark::Arrows { headless: true, .. } => layers::stroke(strip, &across, Dash::Solid, line),
        Mark::Arrows { .. } => {
            layers::stroke(strip, &across, Dash::Solid, line)?;
            layers::head(strip, across[0], across[1], colour)
        }
        Mark::Rule { .. } => layers::stroke(strip, &across, palette::rule(layer.ink), line),
        Mark::Band { .. } => block(layers::BAND),
        Mark::Steps { .. } => {
            block(0.18)?;
            layers::stroke(strip, &across, palette::dash(layer.ink, Dash::Solid), line)
        }
        Mark::Raster { .. } => block(1.0),
        Mark::Words { .. } => Ok(()),
    }
}
