//! The bar that says which colour is which value, beside panels with a raster.

use super::axes::{Frame, TEXT};
use super::layers::ends_of_colours;
use super::scale::Scale;
use super::{Area, GAP, failed, palette, px};
use crate::error::Result;
use crate::figure::{Mark, Panel};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Room at the right for the bar and its numbers, in pixels.
pub const ROOM: u32 = 66;

/// Width of the bar, and pieces of it.
const WIDTH: f64 = 9.0;
const PIECES: i32 = 60;

/// The raster of a panel whose colours are to be told: images without axes are shapes, not values.
fn raster(panel: &Panel) -> Option<(f64, f64, bool)> {
    if panel.x.hidden || panel.y.hidden {
        return None;
    }
    panel.layers.iter().find_map(|layer| match &layer.mark {
        Mark::Raster { values, signed, .. } => {
            let (least, most) = ends_of_colours(values, *signed);
            (most - least).is_normal().then_some((least, most, *signed))
        }
        _ => None,
    })
}

/// Room at the right of a panel, in pixels.
pub fn room(panel: &Panel) -> u32 {
    raster(panel).map_or(GAP, |_| ROOM)
}

/// Draws the bar at the right of the frame.
pub fn draw(area: &Area, frame: &Frame, panel: &Panel) -> Result<()> {
    let Some((least, most, signed)) = raster(panel) else { return Ok(()) };
    let scale = Scale::between(least, most);
    let (base, _) = area.get_base_pixel();
    let (inside, top) = frame.area.get_base_pixel();
    let top = top - area.get_base_pixel().1;
    let (left, height) = (inside - base + frame.size.0 as i32 + px(8.0), frame.size.1);
    let right = left + px(WIDTH);
    let at = |share: f64| top + ((1.0 - share) * height).round() as i32;
    for nth in 0..PIECES {
        let share = |nth: i32| f64::from(nth) / f64::from(PIECES);
        let middle = share(nth) + 0.5 / f64::from(PIECES);
        let value = if signed { 2.0 * middle - 1.0 } else { middle };
        let piece = [(left, at(share(nth + 1))), (right, at(share(nth)))];
        let colour = palette::of_value(value, signed).filled();
        area.draw(&Rectangle::new(piece, colour)).map_err(failed)?;
    }
    let style = TextStyle::from(("sans-serif", px(TEXT - 2.0)).into_font())
        .color(&palette::INK)
        .pos(Pos::new(HPos::Left, VPos::Center));
    for tick in scale.ticks() {
        let Some(share) = scale.share(tick) else { continue };
        let place = (right + px(4.0), at(share));
        area.draw(&Text::new(scale.say(tick), place, style.clone())).map_err(failed)?;
    }
    Ok(())
}
