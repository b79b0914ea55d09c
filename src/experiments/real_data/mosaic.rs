//! Images side by side in one panel.

use crate::figure::{Axis, Ink, Mark, Panel};

/// Room for the names of rows, as a share of what the images take.
const ROOM: f64 = 0.2;

/// Rows of square images of one side as one raster, one pixel apart.
///
/// Each `signed` image is divided by its largest |entry|. Three digits are kept: a screen shows fewer.
///
/// *Panics* when an image has not side² entries, or rows have different lengths.
pub fn mosaic(rows: &[Vec<Vec<f64>>], side: usize, signed: bool) -> Mark {
    let (down, across) = (rows.len(), rows[0].len());
    let (height, width) = (down * (side + 1) - 1, across * (side + 1) - 1);
    let mut values = vec![f64::NAN; height * width];
    for (r, row) in rows.iter().enumerate() {
        assert_eq!(row.len(), across);
        for (c, image) in row.iter().enumerate() {
            assert_eq!(image.len(), side * side);
            let largest = image.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let unit = if signed && largest > 0.0 { largest } else { 1.0 };
            for (i, x) in image.iter().enumerate() {
                let (y, x_at) = (r * (side + 1) + i / side, c * (side + 1) + i % side);
                values[y * width + x_at] = (1000.0 * x / unit).round() / 1000.0;
            }
        }
    }
    Mark::Raster { extent: [0.0, width as f64, 0.0, height as f64], columns: width, values, signed }
}

/// A panel without axes, for images.
pub fn panel(title: impl Into<String>) -> Panel {
    Panel { equal: true, ..Panel::new(title, Axis::hidden(), Axis::hidden()) }
}

/// The same panel with a name at the left of each row of its images of that side.
pub fn with_rows(mut panel: Panel, names: &[&str], side: usize) -> Panel {
    let Some(Mark::Raster { extent, .. }) = panel.layers.first().map(|layer| &layer.mark) else {
        return panel;
    };
    let [_, width, _, height] = *extent;
    let room = ROOM * width;
    panel.x.range = Some([-room, width]);
    panel.y.range = Some([0.0, height]);
    let middle = |row: usize| height - (row * (side + 1)) as f64 - 0.5 * side as f64;
    let mark = Mark::Words {
        x: vec![-0.52 * room; names.len()],
        y: (0..names.len()).map(middle).collect(),
        words: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    panel.with("", Ink::Guide, mark)
}
