//! From values to positions along an axis, and where its ticks are.

use crate::experiments::words::{shortened, superscript};
use crate::figure::{Axis, Layer, Mark, Panel};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// Room beyond the outermost marks, as a share of what they span.
const PADDING: f64 = 0.04;

/// Numbers as large as this have no place: differences of larger ones could be infinite.
const LARGEST: f64 = 1e150;

/// Ticks that are aimed at.
const TICKS: f64 = 6.0;

/// Fewer ticks do not say what an axis spans.
const FEWEST: usize = 3;

/// Letters of a category that are shown.
pub const LONGEST: usize = 48;

/// An axis with its range, linear or in powers of ten.
#[derive(Clone, Debug)]
pub struct Scale {
    log: bool,
    /// The ends, logarithms for a log axis.
    ends: (f64, f64),
    categories: Vec<String>,
}

/// The two scales of a panel.
pub fn of_panel(panel: &Panel) -> (Scale, Scale) {
    let extent = |axis: &Axis, of: fn(&Layer) -> Vec<f64>| {
        Scale::new(axis, panel.layers.iter().flat_map(of), is_raster(panel))
    };
    let (x, y) = (extent(&panel.x, across), extent(&panel.y, up));
    if has_equal_units(panel) { equal(panel, x, y) } else { (x, y) }
}

/// Whether a unit of x is as long as one of y: it is no length on a logarithmic axis.
pub fn has_equal_units(panel: &Panel) -> bool {
    panel.equal && !panel.x.log && !panel.y.log
}

/// Images fill their panel.
fn is_raster(panel: &Panel) -> bool {
    panel.layers.iter().any(|layer| matches!(layer.mark, Mark::Raster { .. }))
}

/// What a layer needs of the horizontal axis.
fn across(layer: &Layer) -> Vec<f64> {
    match &layer.mark {
        Mark::Arrows { x, dx, headless, .. } => arrow_ends(x, dx, *headless),
        Mark::Steps { edges, .. } => edges.clone(),
        Mark::Raster { extent, .. } => extent[..2].to_vec(),
        Mark::Rule { at, vertical } => {
            if *vertical {
                vec![*at]
            } else {
                Vec::new()
            }
        }
        Mark::Points { x, .. }
        | Mark::Line { x, .. }
        | Mark::Band { x, .. }
        | Mark::Words { x, .. } => x.clone(),
    }
}

/// What a layer needs of the vertical axis.
fn up(layer: &Layer) -> Vec<f64> {
    match &layer.mark {
        Mark::Arrows { y, dy, headless, .. } => arrow_ends(y, dy, *headless),
        Mark::Steps { heights, .. } => heights.iter().copied().chain([0.0]).collect(),
        Mark::Raster { extent, .. } => extent[2..].to_vec(),
        Mark::Rule { at, vertical } => {
            if *vertical {
                Vec::new()
            } else {
                vec![*at]
            }
        }
        Mark::Band { low, high, .. } => low.iter().chain(high).copied().collect(),
        Mark::Points { y, bars, .. } if !bars.is_empty() => {
            let ends = y.iter().zip(bars).flat_map(|(y, bar)| [y - bar, y + bar]);
            ends.chain(y.iter().copied()).collect()
        }
        Mark::Points { y, .. } | Mark::Line { y, .. } | Mark::Words { y, .. } => y.clone(),
    }
}

fn arrow_ends(tail: &[f64], step: &[f64], headless: bool) -> Vec<f64> {
    let ends = |(tail, step): (&f64, &f64)| match headless {
        true => [tail - 0.5 * step, tail + 0.5 * step],
        false => [*tail, tail + step],
    };
    tail.iter().zip(step).flat_map(ends).collect()
}

/// Widens one of the axes, so that a unit of x is as long as one of y where the panel is between 0.6 and 1.1 as high as wide;
/// an image may be as flat or as high as it is, within reason.
fn equal(panel: &Panel, x: Scale, y: Scale) -> (Scale, Scale) {
    let (width, height) = (x.ends.1 - x.ends.0, y.ends.1 - y.ends.0);
    let (flattest, highest) = if is_raster(panel) { (0.05, 4.0) } else { (0.6, 1.1) };
    let shape = (height / width).clamp(flattest, highest);
    let widened = |scale: Scale, size: f64| {
        let middle = 0.5 * (scale.ends.0 + scale.ends.1);
        Scale { ends: (middle - 0.5 * size, middle + 0.5 * size), ..scale }
    };
    if height / width < shape {
        (x, widened(y, width * shape))
    } else {
        (widened(x, height / shape), y)
    }
}

impl Scale {
    fn new(axis: &Axis, values: impl Iterator<Item = f64>, fills: bool) -> Self {
        let scale = Self { log: axis.log, ends: (0.0, 1.0), categories: axis.categories.clone() };
        let place = |value: f64| if axis.log { value.log10() } else { value };
        let ends = match (axis.range, axis.categories.len()) {
            (Some([least, most]), _) => match (place(least), place(most)) {
                // A range that is none, as a damaged record may have.
                (least, most) if !(most - least).is_normal() => padded(least, least, 0.0),
                ends => ends,
            },
            (None, names) if names > 0 => (-0.5, names as f64 - 0.5),
            _ => {
                let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
                for value in values.map(place).filter(|value| value.abs() < LARGEST) {
                    (least, most) = (least.min(value), most.max(value));
                }
                padded(least, most, if fills { 0.0 } else { PADDING })
            }
        };
        Self { ends, ..scale }
    }

    /// How much the axis spans; decades for a log axis.
    pub fn span(&self) -> f64 {
        self.ends.1 - self.ends.0
    }

    /// The place of a value between the ends, 0 to 1 inside; None where there is none.
    pub fn share(&self, value: f64) -> Option<f64> {
        let value = if self.log { value.log10() } else { value };
        let share = (value - self.ends.0) / self.span();
        share.is_finite().then_some(share)
    }

    /// Where the ticks are.
    pub fn ticks(&self) -> Vec<f64> {
        if !self.categories.is_empty() {
            return (0..self.categories.len()).map(|nth| nth as f64).collect();
        }
        let ticks =
            if self.log { self.log_ticks() } else { linear_ticks(self.ends.0, self.ends.1) };
        // The room beyond the largest numbers reaches past what numbers can be.
        let has_place = |tick: &f64| tick.is_finite() && self.share(*tick).is_some();
        ticks.into_iter().filter(has_place).collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let (first, last) = (self.ends.0.ceil() as i32, self.ends.1.floor() as i32);
        let stride = ((f64::from(last - first) / (TICKS + 1.0)).ceil() as usize).max(1);
        if last - first >= 2 {
            return (first..=last).step_by(stride).map(|decade| 10_f64.powi(decade)).collect();
        }
        let inside = |tick: &f64| (self.ends.0..=self.ends.1).contains(&tick.log10());
        for parts in [&[1.0, 2.0, 5.0][..], &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]] {
            let decades = first - 1..=last + 1;
            let all = decades.flat_map(|decade| parts.iter().map(move |p| p * 10_f64.powi(decade)));
            let ticks: Vec<f64> = all.filter(inside).collect();
            if ticks.len() >= FEWEST {
                return ticks;
            }
        }
        linear_ticks(10_f64.powf(self.ends.0), 10_f64.powf(self.ends.1))
    }

    /// From one value to another, as a range of its own.
    pub fn between(least: f64, most: f64) -> Self {
        Self::new(&Axis::default().from_to(least, most), std::iter::empty(), true)
    }

    /// What a tick says.
    pub fn say(&self, value: f64) -> String {
        if !self.categories.is_empty() {
            let nth = value.round();
            let name = (nth >= 0.0).then(|| self.categories.get(nth as usize)).flatten();
            return name.map(|name| shortened(name, LONGEST)).unwrap_or_default();
        }
        let step = match self.log {
            true => value,
            false => match self.ticks().as_slice() {
                [first, second, ..] => second - first,
                _ => value,
            },
        };
        // All powers of one axis are written alike.
        let plain = !self.log || (self.ends.0 > -3.5 && self.ends.1 < 4.5);
        number(value, step, plain)
    }
}

/// The range of the marks and some room; something where there are none, or only one place.
fn padded(least: f64, most: f64, padding: f64) -> (f64, f64) {
    if least > most {
        return (0.0, 1.0);
    }
    let span = most - least;
    // Subnormal numbers cannot be divided into steps.
    if span <= (1e-12 * least.abs().max(most.abs())).max(f64::MIN_POSITIVE * 1e9) {
        let room = if least == 0.0 { 1.0 } else { 0.5 * least.abs().min(1.0) };
        return (least - room, most + room);
    }
    (least - padding * span, most + padding * span)
}

fn linear_ticks(least: f64, most: f64) -> Vec<f64> {
    let raw = (most - least) / TICKS;
    let power = 10_f64.powf(raw.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|part| part * power);
    let ticks = |step: f64| -> Vec<f64> {
        let (first, last) = ((least / step).ceil() as i64, (most / step).floor() as i64);
        // Rounding far from 0 must not make a comb of ticks.
        (first..=last.min(first.saturating_add(20))).map(|nth| nth as f64 * step).collect()
    };
    let wide = steps.iter().position(|step| *step >= raw * 0.999).unwrap_or(steps.len() - 1);
    match ticks(steps[wide]) {
        few if few.len() < FEWEST && wide > 0 => ticks(steps[wide - 1]),
        enough => enough,
    }
}

/// A number as short as the distance of its neighbours allows.
fn number(value: f64, step: f64, plain: bool) -> String {
    if value == 0.0 || value.abs() < 1e-9 * step.abs() {
        return "0".to_owned();
    }
    let size = value.abs().max(step.abs());
    if plain && (1e-3..1e5).contains(&size) && step.abs() >= 1e-4 {
        let decimals = (-(step.abs() * 1.0001).log10().floor()).max(0.0) as usize;
        return format!("{value:.decimals$}").replace('-', "−");
    }
    let exponent = value.abs().log10().floor();
    let mantissa = value / 10_f64.powf(exponent);
    let rest = (exponent - (step.abs() * 1.0001).log10().floor()).max(0.0) as usize;
    let power = superscript(exponent as i32);
    match format!("{mantissa:.rest$}").replace('-', "−") {
        one if one == "1" => format!("10{power}"),
        mantissa => format!("{mantissa}·10{power}"),
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = self.share(*value).unwrap_or(0.0);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks()
    }

    fn range(&self) -> Range<f64> {
        self.ends.0..self.ends.1
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        self.say(*value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(log: bool, least: f64, most: f64) -> Scale {
        Scale { log, ends: (least, most), categories: Vec::new() }
    }

    fn said(scale: &Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|tick| scale.say(tick)).collect()
    }

    #[test]
    fn ticks_are_round_numbers_and_say_no_more_than_they_must() {
        assert_eq!(said(&scale(false, -0.03, 1.02)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(said(&scale(false, -40.0, 41.0)), ["−40", "−20", "0", "20", "40"]);
        assert_eq!(said(&scale(false, 0.0, 4.1e-5)), ["0", "10⁻⁵", "2·10⁻⁵", "3·10⁻⁵", "4·10⁻⁵"]);
        assert_eq!(said(&scale(true, -4.2, 0.1)), ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        assert_eq!(said(&scale(true, -0.5, 0.8)), ["0.5", "1", "2", "5"]);
        assert_eq!(said(&scale(true, 0.28, 0.72)), ["2", "3", "5"]);
        assert_eq!(said(&scale(false, 0.55, 2.95)), ["1.0", "1.5", "2.0", "2.5"]);
    }

    #[test]
    fn an_axis_has_three_ticks_at_least() {
        for nth in 0..400 {
            let (least, span) = (0.37 * f64::from(nth % 20) - 3.0, 0.13 * f64::from(1 + nth / 20));
            for log in [false, true] {
                let scale = scale(log, least, least + span);
                let ticks = scale.ticks();
                assert!((3..=10).contains(&ticks.len()), "{scale:?}: {ticks:?}");
            }
        }
    }

    #[test]
    fn places_are_shares_of_the_axis() {
        assert_eq!(scale(false, 1.0, 3.0).share(2.0), Some(0.5));
        assert_eq!(scale(true, -2.0, 2.0).share(1.0), Some(0.5));
        assert_eq!(scale(true, -2.0, 2.0).share(0.0), None);
        assert_eq!(scale(false, 1.0, 3.0).share(f64::NAN), None);
    }
}
