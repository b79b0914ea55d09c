//! Figures and tables as data: what is drawn, apart from how.
//!
//! An experiment makes them, a record keeps them, [`crate::report`] draws them; nothing is computed again to draw a figure,
//! and the numbers behind it are in it.

pub(crate) mod rounding;
mod table;

pub use rounding::rounded;
pub use table::{Cell, Table};

use serde::{Deserialize, Serialize};

/// One figure: panels in rows, and what to see in them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Name of its files, in kebab-case.
    pub name: String,
    /// What it is.
    pub title: String,
    /// What to see.
    pub caption: String,
    /// What it does not show.
    pub not_shown: String,
    /// Panels beside each other; those of the next row follow.
    pub columns: usize,
    /// From left to right, then down.
    pub panels: Vec<Panel>,
    /// Numbers made again on another machine may differ by so much, as a share of what their layer spans.
    ///
    /// Beside the error bars that points have. Rounding alone gives 1e-6: six digits are kept.
    pub tolerance: f64,
}

/// One pair of axes and what is drawn between them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// What sets it apart from the other panels; may be empty.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// One unit is as long across as it is up: for pictures of the state space.
    #[serde(default)]
    pub equal: bool,
    /// Later layers are drawn over earlier ones.
    pub layers: Vec<Layer>,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Quantity and unit, e.g. `angle to the tangent (degrees)`.
    pub label: String,
    /// Powers of ten are at equal distances; what is not positive is not drawn.
    #[serde(default)]
    pub log: bool,
    /// The range shown; by default what the layers need.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
    /// Names at 0, 1, 2, … in place of numbers.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Drawn without line, ticks and numbers: for images.
    #[serde(default)]
    pub hidden: bool,
}

/// Marks of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Its entry in the legend; without one when empty. Layers of one name share an entry.
    pub name: String,
    /// What it stands for, which decides the colour.
    pub ink: Ink,
    /// The marks.
    pub mark: Mark,
}

/// What a layer stands for: the same thing has the same colour, dash and marker in every figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ink {
    /// The data, their manifold.
    Data,
    /// Samples, trajectories and other measurements of the model.
    Measured,
    /// Lyapunov vectors, and what is measured of them.
    Lyapunov,
    /// Tangent directions, and parts along the manifold.
    Tangent,
    /// Normal directions, and parts off the manifold.
    Normal,
    /// The score.
    Score,
    /// A learning error.
    Error,
    /// A bound of the theory.
    Bound,
    /// A closed form.
    Predicted,
    /// The null hypothesis, a method to compare with.
    Null,
    /// Guides for the eye.
    Guide,
    /// The n-th of several of one kind, 0 to 5.
    Series(u8),
    /// The n-th of so many that are in order (0 to 1): a colour between two ends.
    Ramp(Share),
}

/// A share in thousandths, 0 to 1000.
pub type Share = u16;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dash {
    /// Without gaps.
    #[default]
    Solid,
    /// In strokes.
    Dashed,
    /// In points.
    Dotted,
}

/// What is drawn. Numbers that are not finite make gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Markers.
    Points {
        /// Where.
        #[serde(with = "rounding")]
        x: Vec<f64>,
        /// Where.
        #[serde(with = "rounding")]
        y: Vec<f64>,
        /// Vertical error bars, half their length; none when empty.
        #[serde(with = "rounding", default)]
        bars: Vec<f64>,
    },
    /// A line through points.
    Line {
        /// Where.
        #[serde(with = "rounding")]
        x: Vec<f64>,
        /// Where.
        #[serde(with = "rounding")]
        y: Vec<f64>,
        /// How.
        #[serde(default)]
        dash: Dash,
    },
    /// The area between two curves.
    Band {
        /// Where.
        #[serde(with = "rounding")]
        x: Vec<f64>,
        /// The lower curve.
        #[serde(with = "rounding")]
        low: Vec<f64>,
        /// The upper curve.
        #[serde(with = "rounding")]
        high: Vec<f64>,
    },
    /// Arrows.
    Arrows {
        /// Their tails.
        #[serde(with = "rounding")]
        x: Vec<f64>,
        /// Their tails.
        #[serde(with = "rounding")]
        y: Vec<f64>,
        /// From tail to head.
        #[serde(with = "rounding")]
        dx: Vec<f64>,
        /// From tail to head.
        #[serde(with = "rounding")]
        dy: Vec<f64>,
        /// Without heads, the tail in the middle: directions of lines.
        #[serde(default)]
        headless: bool,
    },
    /// A histogram.
    Steps {
        /// One more than there are heights.
        #[serde(with = "rounding")]
        edges: Vec<f64>,
        /// Heights.
        #[serde(with = "rounding")]
        heights: Vec<f64>,
    },
    /// Values on a grid, or an image.
    Raster {
        /// Left, right, lower and upper end of the grid.
        extent: [f64; 4],
        /// Points in a row.
        columns: usize,
        /// Row by row, the upper row first.
        #[serde(with = "rounding")]
        values: Vec<f64>,
        /// Colours run from −m to m, m the largest |value|, with the middle at 0; else from the least to the most.
        #[serde(default)]
        signed: bool,
    },
    /// A line across the panel.
    Rule {
        /// Where.
        at: f64,
        /// Vertical, at this x; else horizontal, at this y.
        vertical: bool,
    },
    /// Words at points.
    Words {
        /// The middle of each.
        #[serde(with = "rounding")]
        x: Vec<f64>,
        /// The middle of each.
        #[serde(with = "rounding")]
        y: Vec<f64>,
        /// One a point.
        words: Vec<String>,
    },
}

impl Figure {
    /// A figure of one row, with the tolerance of rounding.
    pub fn new(name: &str, title: &str, panels: Vec<Panel>) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            columns: panels.len().max(1),
            panels,
            tolerance: 1e-6,
            ..Self::default()
        }
    }

    /// The same, with what to see and what is not shown.
    pub fn says(mut self, caption: impl Into<String>, not_shown: impl Into<String>) -> Self {
        (self.caption, self.not_shown) = (caption.into(), not_shown.into());
        self
    }

    /// The same, with so many panels in a row.
    pub fn in_columns(self, columns: usize) -> Self {
        Self { columns, ..self }
    }

    /// The same, with numbers that may differ by so much between machines.
    pub fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }
}

impl Panel {
    /// An empty panel.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, ..Self::default() }
    }

    /// An empty picture of the plane, one unit as long across as up.
    pub fn plane(title: impl Into<String>) -> Self {
        let axis = |label: &str| Axis::new(label);
        Self { equal: true, ..Self::new(title, axis("x₁"), axis("x₂")) }
    }

    /// The same with one more layer.
    pub fn with(mut self, name: &str, ink: Ink, mark: Mark) -> Self {
        self.layers.push(Layer { name: name.to_owned(), ink, mark });
        self
    }
}

impl Axis {
    /// An axis of numbers.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// An axis of powers of ten.
    pub fn log(label: impl Into<String>) -> Self {
        Self { log: true, ..Self::new(label) }
    }

    /// An axis of names, at 0, 1, 2, ….
    pub fn of<S: Into<String>>(
        label: impl Into<String>,
        categories: impl IntoIterator<Item = S>,
    ) -> Self {
        Self { categories: categories.into_iter().map(Into::into).collect(), ..Self::new(label) }
    }

    /// The same, from one value to another.
    pub fn from_to(self, least: f64, most: f64) -> Self {
        Self { range: Some([least, most]), ..self }
    }

    /// An axis that is not drawn.
    pub fn hidden() -> Self {
        Self { hidden: true, ..Self::default() }
    }
}

impl Mark {
    /// Markers without bars.
    pub fn points(x: Vec<f64>, y: Vec<f64>) -> Self {
        Self::Points { x, y, bars: Vec::new() }
    }

    /// Markers with error bars of that half length.
    pub fn points_with_bars(x: Vec<f64>, y: Vec<f64>, bars: Vec<f64>) -> Self {
        Self::Points { x, y, bars }
    }

    /// A line without gaps.
    pub fn line(x: Vec<f64>, y: Vec<f64>) -> Self {
        Self::Line { x, y, dash: Dash::Solid }
    }

    /// A dashed line.
    pub fn dashed(x: Vec<f64>, y: Vec<f64>) -> Self {
        Self::Line { x, y, dash: Dash::Dashed }
    }

    /// A histogram of the values in equal bins over a range, as shares of all values; those outside are in no bin.
    ///
    /// ```
    /// use driftproof::figure::Mark;
    /// let Mark::Steps { edges, heights } = Mark::histogram(&[0.1, 0.2, 0.9, 7.0], 0.0, 1.0, 2) else { panic!() };
    /// assert_eq!((edges, heights), (vec![0.0, 0.5, 1.0], vec![0.5, 0.25]));
    /// ```
    pub fn histogram(values: &[f64], least: f64, most: f64, bins: usize) -> Self {
        let width = (most - least) / bins as f64;
        let mut heights = vec![0.0; bins];
        for value in values {
            let bin = (value - least) / width;
            if bin >= 0.0 && *value <= most {
                heights[(bin as usize).min(bins - 1)] += 1.0 / values.len() as f64;
            }
        }
        let edges = (0..=bins).map(|edge| least + edge as f64 * width).collect();
        Self::Steps { edges, heights }
    }

    /// Values with the names that columns of them have in a table: coordinates first.
    pub fn columns(&self) -> Vec<(&'static str, &[f64])> {
        match self {
            Self::Points { x, y, bars } if bars.is_empty() => vec![("x", x), ("y", y)],
            Self::Points { x, y, bars } => vec![("x", x), ("y", y), ("bar", bars)],
            Self::Line { x, y, .. } | Self::Words { x, y, .. } => vec![("x", x), ("y", y)],
            Self::Band { x, low, high } => vec![("x", x), ("low", low), ("high", high)],
            Self::Arrows { x, y, dx, dy, .. } => {
                vec![("x", x), ("y", y), ("dx", dx), ("dy", dy)]
            }
            Self::Steps { edges, heights } => vec![("edge", edges), ("height", heights)],
            Self::Raster { values, .. } => vec![("value", values)],
            Self::Rule { at, .. } => vec![("at", std::slice::from_ref(at))],
        }
    }
}
