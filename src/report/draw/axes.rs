//! Axes of a panel: its frame, grid, ticks and labels.

use super::scale::{LONGEST, Scale, has_equal_units};
use super::{Area, FINE, GAP, TITLE, colours, failed, palette, px};
use crate::error::Result;
use crate::experiments::words::shortened;
use crate::figure::Panel;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Room below for the numbers and the label.
const BELOW: u32 = 44;

/// Room at the left for the numbers and the label.
const LEFT: u32 = 68;

/// Room at the very left.
const EDGE: u32 = 5;

/// Height of a panel for its width, where units need not be equal.
const SHAPE: f64 = 0.68;

/// Size of text, in pixels.
pub const TEXT: f64 = 14.5;

/// The inside of a panel, in units of the drawing from its upper left corner.
pub struct Frame<'a> {
    /// Where to draw.
    pub area: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
    /// Width and height.
    pub size: (f64, f64),
}

/// The margins of a panel: left and below.
fn margins(panel: &Panel) -> (u32, u32) {
    let left = match (panel.y.hidden, panel.y.categories.is_empty()) {
        (true, _) => GAP,
        (false, true) => LEFT,
        // Names are longer than numbers.
        (false, false) => {
            let names =
                panel.y.categories.iter().map(|name| shortened(name, LONGEST).chars().count());
            let longest = names.max();
            LEFT.max(34 + 8 * longest.unwrap_or_default() as u32)
        }
    };
    (left, if panel.x.hidden { 6 } else { BELOW })
}

/// The height of a panel of that width, in pixels.
pub fn height(panel: &Panel, (x, y): &(Scale, Scale), width: u32) -> u32 {
    let (left, below) = margins(panel);
    let across = f64::from(width.saturating_sub(left + colours::room(panel)));
    let shape = if has_equal_units(panel) { y.span() / x.span() } else { SHAPE };
    TITLE + below + (across * shape).round() as u32 + 6
}

/// Draws title, grid, ticks and labels, and returns the inside.
pub fn draw<'a>(area: &Area<'a>, panel: &Panel, x: &Scale, y: &Scale) -> Result<Frame<'a>> {
    let (left, below) = margins(panel);
    let right = colours::room(panel);
    let bold = ("sans-serif", px(TEXT + 0.5)).into_font().style(FontStyle::Bold);
    let centre = Pos::new(HPos::Center, VPos::Center);
    let title = TextStyle::from(bold).color(&palette::INK).pos(centre);
    let (width, height) = area.dim_in_pixel();
    let middle = (width + left * FINE) as i32 / 2 - (right * FINE) as i32 / 2;
    area.draw(&Text::new(panel.title.clone(), (middle, px(0.5 * f64::from(TITLE))), title))
        .map_err(failed)?;

    let top = TITLE * FINE;
    let inside = (
        width.saturating_sub((left + right) * FINE),
        // A panel with equal units may be lower than its row.
        height.saturating_sub(top + (below + 6) * FINE),
    );
    let inside = match has_equal_units(panel) {
        true => (inside.0, (f64::from(inside.0) * y.span() / x.span()).round() as u32),
        false => inside,
    };
    let plot = area
        .clone()
        .shrink((0, top), (inside.0 + (left + right) * FINE, inside.1 + (below + 6) * FINE));
    let text =
        |size: f64| TextStyle::from(("sans-serif", px(size)).into_font()).color(&palette::INK);
    let mut builder = ChartBuilder::on(&plot);
    builder
        // plotters puts the label of the vertical axis on the very edge.
        .margin_left(EDGE * FINE)
        .margin_right(right * FINE)
        .margin_bottom(6 * FINE)
        .x_label_area_size(below * FINE)
        .y_label_area_size((left - EDGE) * FINE);
    let mut chart = builder.build_cartesian_2d(x.clone(), y.clone()).map_err(failed)?;
    let grid = palette::GRID.stroke_width(FINE);
    let axis = palette::INK.stroke_width(FINE);
    let (hidden_x, hidden_y) = (panel.x.hidden, panel.y.hidden);
    // A label is no longer than its axis.
    let fitted = |label: &str, length: u32| {
        let font = ("sans-serif", px(TEXT + 0.5)).into_font();
        let (long, _) = font.box_size(label).unwrap_or_default();
        (TEXT + 0.5) * (f64::from(length) / f64::from(long.max(1))).min(1.0)
    };
    let label = fitted(&panel.y.label, inside.1).min(fitted(&panel.x.label, inside.0));
    let mut mesh = chart.configure_mesh();
    mesh.max_light_lines(0)
        .bold_line_style(grid)
        .light_line_style(TRANSPARENT)
        .axis_style(axis)
        .label_style(text(TEXT))
        .axis_desc_style(text(label))
        .set_all_tick_mark_size(px(5.0))
        .x_desc(if hidden_x { "" } else { &panel.x.label })
        .y_desc(if hidden_y { "" } else { &panel.y.label });
    if hidden_x {
        mesh.disable_x_mesh().disable_x_axis();
    }
    if hidden_y {
        mesh.disable_y_mesh().disable_y_axis();
    }
    if !panel.x.categories.is_empty() {
        mesh.disable_x_mesh();
    }
    mesh.draw().map_err(failed)?;
    let inside = chart.plotting_area().strip_coord_spec();
    let (width, height) = inside.dim_in_pixel();
    Ok(Frame { area: inside, size: (f64::from(width), f64::from(height)) })
}
