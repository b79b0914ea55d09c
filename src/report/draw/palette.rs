//! Colours, markers and dashes: the same for the same thing in every figure.
//!
//! The colours of Okabe and Ito (2008) can be told apart with any colour vision; in grey, markers and dashes still differ.

use crate::figure::{Dash, Ink};
use plotters::prelude::{Color, RGBAColor, RGBColor};
use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};

/// The ground.
pub const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Text and axes.
pub const INK: RGBColor = RGBColor(26, 26, 26);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(228, 228, 228);

const GREY: RGBColor = RGBColor(110, 110, 110);
const LIGHT: RGBColor = RGBColor(178, 178, 178);
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(230, 159, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const PURPLE: RGBColor = RGBColor(204, 121, 167);
const SKY: RGBColor = RGBColor(86, 180, 233);
const VERMILION: RGBColor = RGBColor(213, 94, 0);

/// Style rules that turn the colours of the page's drawings for a dark ground.
pub const DARK: &str = "\
svg [fill=\"#FFFFFF\"]{fill:#15181c}\
svg [fill=\"#1A1A1A\"]{fill:#e8e6e3}svg [stroke=\"#1A1A1A\"]{stroke:#e8e6e3}\
svg [stroke=\"#E4E4E4\"]{stroke:#343a40}\
svg [fill=\"#6E6E6E\"]{fill:#a8a8a8}svg [stroke=\"#6E6E6E\"]{stroke:#a8a8a8}\
svg [fill=\"#B2B2B2\"]{fill:#6a6f75}svg [stroke=\"#B2B2B2\"]{stroke:#6a6f75}\
svg [fill=\"#0072B2\"]{fill:#4aa8e0}svg [stroke=\"#0072B2\"]{stroke:#4aa8e0}";

/// The shape of a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Filled.
    Disk,
    /// A small disk, for clouds.
    Dot,
    /// Not filled.
    Ring,
    /// Pointing up.
    Triangle,
    /// On a side.
    Square,
    /// On a corner.
    Diamond,
    /// Two strokes.
    Cross,
}

/// The colour of an ink.
pub fn colour(ink: Ink) -> RGBAColor {
    match ink {
        Ink::Data => GREY.mix(1.0),
        Ink::Measured => BLUE.mix(1.0),
        Ink::Lyapunov => VERMILION.mix(1.0),
        Ink::Tangent => GREEN.mix(1.0),
        Ink::Normal => PURPLE.mix(1.0),
        Ink::Score => ORANGE.mix(1.0),
        Ink::Error => SKY.mix(1.0),
        Ink::Bound | Ink::Predicted => INK.mix(1.0),
        Ink::Null => GREY.mix(1.0),
        Ink::Guide => LIGHT.mix(1.0),
        Ink::Series(nth) => {
            [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY][usize::from(nth) % 6].mix(1.0)
        }
        Ink::Ramp(share) => {
            // The ends of the map are too dark, or too bright, for one of the two grounds.
            ViridisRGB.get_color(0.15 + 0.7 * f64::from(share.min(1000)) / 1000.0).mix(1.0)
        }
    }
}

/// The marker of an ink.
pub fn marker(ink: Ink) -> Marker {
    match ink {
        Ink::Data => Marker::Dot,
        Ink::Measured | Ink::Ramp(_) => Marker::Disk,
        Ink::Lyapunov => Marker::Diamond,
        Ink::Tangent => Marker::Square,
        Ink::Normal => Marker::Triangle,
        Ink::Score | Ink::Predicted => Marker::Ring,
        Ink::Error | Ink::Null | Ink::Bound | Ink::Guide => Marker::Cross,
        Ink::Series(nth) => [
            Marker::Disk,
            Marker::Triangle,
            Marker::Square,
            Marker::Diamond,
            Marker::Ring,
            Marker::Cross,
        ][usize::from(nth) % 6],
    }
}

/// The dash of a line: what its ink asks for, unless the layer asks for another.
pub fn dash(ink: Ink, asked: Dash) -> Dash {
    match (asked, ink) {
        (Dash::Solid, Ink::Bound) => Dash::Dashed,
        (Dash::Solid, Ink::Null) => Dash::Dotted,
        _ => asked,
    }
}

/// The dash of a rule across the panel.
pub fn rule(ink: Ink) -> Dash {
    match ink {
        Ink::Guide => Dash::Solid,
        Ink::Null => Dash::Dotted,
        _ => Dash::Dashed,
    }
}

/// Width of a line, in pixels.
pub fn width(ink: Ink) -> f64 {
    match ink {
        Ink::Guide => 1.0,
        _ => 1.6,
    }
}

/// The colour of a value of a raster: 0 to 1, or −1 to 1 with 0 in the middle.
pub fn of_value(value: f64, signed: bool) -> RGBColor {
    let mix = |from: RGBColor, to: RGBColor, share: f64| {
        let part = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))) as u8;
        RGBColor(part(from.0, to.0), part(from.1, to.1), part(from.2, to.2))
    };
    match (value.is_nan(), signed) {
        (true, _) => GRID,
        (false, true) if value < 0.0 => mix(RGBColor(247, 247, 247), BLUE, (-value).min(1.0)),
        (false, true) => mix(RGBColor(247, 247, 247), VERMILION, value.min(1.0)),
        (false, false) => ViridisRGB.get_color(value.clamp(0.0, 1.0)),
    }
}
