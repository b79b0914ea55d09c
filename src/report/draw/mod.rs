//! Figures as SVG and PNG, by plotters and resvg.

mod axes;
mod colours;
mod layers;
mod legend;
mod palette;
mod png;
mod scale;

pub use palette::DARK;
pub use png::png;

use crate::error::{Error, Result};
use crate::figure::{Figure, Mark, Panel};
use plotters::prelude::*;
use scale::Scale;
use std::sync::Once;

/// Units of the drawing in a pixel of the page: plotters rounds to whole units.
const FINE: u32 = 4;

/// Width of a figure of two or more columns, in pixels.
const WIDTH: u32 = 960;

/// Width of a panel at most, in pixels.
const WIDEST: u32 = 560;

/// Room for the title above a panel.
const TITLE: u32 = 26;

/// Room around a panel.
const GAP: u32 = 14;

/// A piece of the drawing.
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Any failure to draw is a bug or a figure that cannot be drawn: the message says which.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::numeric("drawing a figure", error.to_string())
}

/// Pixels of the page as units of the drawing.
fn px(pixels: f64) -> i32 {
    (pixels * f64::from(FINE)).round() as i32
}

/// The figure as an SVG document with a white ground.
///
/// *Errors*: [`Error::Numeric`] for a figure without panels, and for series of different lengths.
pub fn svg(figure: &Figure) -> Result<String> {
    register_fonts();
    check(figure)?;
    let columns = figure.columns.clamp(1, figure.panels.len()) as u32;
    let width = (WIDTH / columns).min(WIDEST);
    let scales: Vec<(Scale, Scale)> = figure.panels.iter().map(scale::of_panel).collect();
    let heights: Vec<u32> = figure
        .panels
        .chunks(columns as usize)
        .zip(scales.chunks(columns as usize))
        .map(|(panels, scales)| {
            let height = |(panel, scales)| axes::height(panel, scales, width);
            panels.iter().zip(scales).map(height).max().unwrap_or_default()
        })
        .collect();
    let panels_height: u32 = heights.iter().sum();
    let entries = legend::entries(figure);
    let whole = (width * columns, panels_height + legend::height(&entries, width * columns));

    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (whole.0 * FINE, whole.1 * FINE))
            .into_drawing_area();
        root.fill(&palette::PAPER).map_err(failed)?;
        for (nth, (panel, scales)) in figure.panels.iter().zip(scales).enumerate() {
            let (row, column) = (nth / columns as usize, nth as u32 % columns);
            let top: u32 = heights[..row].iter().sum();
            let area = root
                .clone()
                .shrink((column * width * FINE, top * FINE), (width * FINE, heights[row] * FINE));
            draw_panel(&area, panel, scales)?;
        }
        let strip = root
            .clone()
            .shrink((0, panels_height * FINE), (whole.0 * FINE, (whole.1 - panels_height) * FINE));
        legend::draw(&strip, &entries)?;
        root.present().map_err(failed)?;
    }
    Ok(in_pixels(&text, whole))
}

/// One panel: axes, then its layers.
fn draw_panel(area: &Area, panel: &Panel, (x, y): (Scale, Scale)) -> Result<()> {
    let frame = axes::draw(area, panel, &x, &y)?;
    for layer in &panel.layers {
        layers::draw(&frame, layer, &x, &y)?;
    }
    colours::draw(area, &frame, panel)
}

/// Its size in pixels of the page, its units finer.
fn in_pixels(svg: &str, (width, height): (u32, u32)) -> String {
    let fine = format!("width=\"{}\" height=\"{}\"", width * FINE, height * FINE);
    svg.replacen(&fine, &format!("width=\"{width}\" height=\"{height}\""), 1)
        // plotters-svg 0.3.7 leaves out the first half of the type.
        .replace("href=\"data:png;", "href=\"data:image/png;")
        // What is so without being said makes up a third of the drawing.
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\" stroke-width=\"1\"", "")
        .replace(" stroke=\"none\"", "")
}

/// The drawing as a file of its own, which turns dark with the reader's screen.
pub fn standalone(svg: &str) -> String {
    let style = format!("<style>@media (prefers-color-scheme: dark){{{DARK}}}</style>\n");
    match svg.find(">\n") {
        Some(end) => format!("{}{style}{}", &svg[..end + 2], &svg[end + 2..]),
        None => svg.to_owned(),
    }
}

/// Series of one mark are of one length, and there is something to draw.
fn check(figure: &Figure) -> Result<()> {
    if figure.panels.is_empty() {
        return Err(failed(format!("{}: no panel", figure.name)));
    }
    for panel in &figure.panels {
        for layer in &panel.layers {
            let columns = layer.mark.columns();
            let (_, first) = columns[0];
            let worded = match &layer.mark {
                Mark::Words { words, .. } => words.len() == first.len(),
                _ => true,
            };
            let fits = worded
                && columns.iter().all(|(name, series)| match *name {
                    "height" => series.len() + 1 == first.len(),
                    _ => series.len() == first.len(),
                });
            if !fits {
                let at = format!("{}: {} ({})", figure.name, panel.title, layer.name);
                return Err(failed(format!("{at}: series of different lengths")));
            }
        }
    }
    Ok(())
}

/// The font that text is measured with; pages fall back to it in PNG files only.
fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let fonts =
            [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())];
        for (style, bytes) in fonts {
            // A font of a crate is whole.
            let registered = plotters::style::register_font("sans-serif", style, bytes);
            assert!(registered.is_ok(), "the font of the crate `dejavu` is not a font");
        }
    });
}
