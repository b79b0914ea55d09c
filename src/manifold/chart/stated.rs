//! Charts by formulas.

use super::super::nearest::extent;
use super::super::scatter::compass;
use super::jet::first_order;
use super::written::{Written, check_range};
use super::{Axis, Patch};
use crate::error::{Error, Result};
use crate::formula::{Formula, Workspace};
use crate::linalg::singular_values;
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Places along each coordinate, at most, at which a chart is looked at when it is made.
const LOOKED_AT: usize = 256;

/// Of all coordinates together.
const MOST_LOOKED_AT: usize = 4096;

/// Room above the largest volume density and distance that were seen.
const ROOM: f64 = 1.1;

/// Tangents are dependent where the least singular value of the Jacobian is this share of the largest that it has anywhere.
const DEGENERATE: f64 = 1e-7;

/// Ends of a period that are farther apart than this share of the size are no period.
const CLOSED: f64 = 1e-9;

/// What a coordinate of a stated chart ranges over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coordinate {
    /// Its name in the formulas.
    pub name: String,
    /// Its least value.
    pub from: f64,
    /// Its largest value.
    pub to: f64,
    /// Whether the largest value is the least one again; else both are boundary.
    pub periodic: bool,
}

/// Coordinates and the formulas of the point that they name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StatedParams {
    coordinates: Vec<Coordinate>,
    #[serde(flatten)]
    point: Written,
}

/// A chart by formulas of its coordinates.
///
/// Volume and size are bounded by what is seen on a grid, with some room: no proof. That points with different coordinates
/// are different is not checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "StatedParams", into = "StatedParams")]
pub struct Stated {
    params: StatedParams,
    formula: Formula,
    seen: Seen,
}

/// Measures of a chart, from a grid.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The largest volume density.
    volume: f64,
    /// The largest distance from 0.
    size: f64,
    /// The fastest turn of a tangent along a coordinate, in turns per range.
    turns: f64,
}

impl PartialEq for Stated {
    fn eq(&self, other: &Self) -> bool {
        self.params == other.params
    }
}

impl From<Stated> for StatedParams {
    fn from(stated: Stated) -> Self {
        stated.params
    }
}

impl TryFrom<StatedParams> for Stated {
    type Error = Error;
    fn try_from(params: StatedParams) -> Result<Self> {
        let names = params.coordinates.iter().map(|coordinate| coordinate.name.as_str());
        let formula = params.point.parse("chart", names)?;
        Self::new(params.coordinates, formula)
    }
}

impl Stated {
    /// The chart of a formula whose variables are these coordinates, in this order.
    ///
    /// *Errors*: [`Error::Input`] when there are too few formulas, a range is degenerate or no period, a value is not finite,
    /// or tangents are dependent.
    pub fn new(coordinates: Vec<Coordinate>, formula: Formula) -> Result<Self> {
        let bad = |problem: String, hint: &str| Err(Error::input("chart", problem, hint));
        let (d, n) = (coordinates.len(), formula.dim());
        if d == 0 || n <= d {
            let problem = format!("{n} formulas of {d} coordinates");
            return bad(problem, "more formulas than coordinates, and a coordinate at least");
        }
        for Coordinate { name, from, to, .. } in &coordinates {
            check_range("chart", name, *from, *to)?;
        }
        let params = StatedParams { coordinates, point: Written::of(&formula) };
        let seen = Seen { volume: 0.0, size: 0.0, turns: 0.0 };
        let mut made = Self { params, formula, seen };
        made.seen = made.look()?;
        Ok(made)
    }

    /// The value of a coordinate whose axis stands at u: periods are angles inside.
    fn value<S: Scalar>(coordinate: &Coordinate, u: S) -> S {
        match coordinate.periodic {
            true => u * ((coordinate.to - coordinate.from) / TAU) + coordinate.from,
            false => u,
        }
    }

    /// Looks at a grid of places, and along lines of each coordinate.
    fn look(&self) -> Result<Seen> {
        let (axes, d) = (self.axes(), self.dim());
        let per_axis = (MOST_LOOKED_AT as f64).powf(1.0 / d as f64) as usize;
        // An odd number, so that middles and ends are looked at.
        let per_axis = per_axis.clamp(2, LOOKED_AT) / 2 * 2 + 1;
        let at = |axis: &Axis, share: f64| match *axis {
            Axis::Interval { from, to } => from + (to - from) * share,
            _ => TAU * share,
        };
        let total = per_axis.checked_pow(d as u32).unwrap_or(usize::MAX).min(2 * MOST_LOOKED_AT);
        let (mut volume, mut size) = (0.0_f64, 0.0_f64);
        let mut least: Option<(f64, Vec<f64>)> = None;
        let mut largest = 0.0_f64;
        for nth in 0..total {
            let mut rest = nth;
            let u: Vec<f64> = axes
                .iter()
                .map(|axis| {
                    let place = rest % per_axis;
                    rest /= per_axis;
                    at(axis, place as f64 / (per_axis - 1) as f64)
                })
                .collect();
            let (point, jacobian) = self.tangents(&u);
            if !point.iter().chain(jacobian.iter()).all(|x| x.is_finite()) {
                let problem = format!("a point or tangent is not finite at {}", self.named(&u));
                let hint = "formulas that are defined and smooth on the whole range";
                return Err(Error::input("chart", problem, hint));
            }
            let stretches = singular_values(&jacobian)?;
            volume = volume.max(stretches.iter().product());
            size = size.max(point.norm());
            largest = largest.max(stretches[0]);
            if least.as_ref().is_none_or(|(held, _)| stretches[d - 1] < *held) {
                least = Some((stretches[d - 1], u));
            }
        }
        let (_, start) = least.expect("a grid has a place");
        let spacing = axes.iter().map(extent).fold(f64::INFINITY, f64::min) / per_axis as f64;
        let thinnest = |u: &[f64]| {
            let stretches = singular_values(&self.tangents(u).1);
            stretches.map_or(f64::INFINITY, |stretches| stretches[d - 1])
        };
        let (u, value) = compass(&axes, &start, spacing, 1e-9 * spacing, thinnest);
        if value <= DEGENERATE * largest {
            let problem = format!(
                "it is no immersion: tangents are dependent at {}, by a share of {:.1e}",
                self.named(&u),
                value / largest
            );
            let hint = "a range without that place, or other coordinates";
            return Err(Error::input("chart", problem, hint));
        }
        let mut turns = 1.0_f64;
        for (k, axis) in axes.iter().enumerate() {
            for share in [0.17, 0.5, 0.83] {
                let line = |i: usize| -> Vec<f64> {
                    let place = |(j, other): (usize, &Axis)| match j == k {
                        true => at(axis, i as f64 / LOOKED_AT as f64),
                        false => at(other, share),
                    };
                    axes.iter().enumerate().map(place).collect()
                };
                self.check_period(k, &line(0), &line(LOOKED_AT), size)?;
                let tangent = |i: usize| self.tangents(&line(i)).1.column(k).normalize();
                let mut before = tangent(0);
                for i in 1..=LOOKED_AT {
                    let next = tangent(i);
                    let turn = 2.0 * (0.5 * (&next - &before).norm()).min(1.0).asin();
                    turns = turns.max(turn * LOOKED_AT as f64 / TAU);
                    before = next;
                }
            }
        }
        Ok(Seen { volume: ROOM * volume, size: ROOM * size, turns })
    }

    fn check_period(&self, k: usize, first: &[f64], last: &[f64], size: f64) -> Result<()> {
        let Coordinate { name, from, to, periodic } = &self.params.coordinates[k];
        if !periodic {
            return Ok(());
        }
        let ((x, first), (y, last)) = (self.tangents(first), self.tangents(last));
        let off = (x - y).amax();
        let turned = (&first - &last).amax();
        if off <= CLOSED * size && turned <= CLOSED.sqrt() * first.amax() {
            return Ok(());
        }
        let problem = format!("{name} = {from} and {name} = {to} are not the same smooth point");
        Err(Error::input("chart", problem, "a whole period, or periodic = false"))
    }

    /// A place by its coordinates.
    fn named(&self, u: &[f64]) -> String {
        let one = |(coordinate, u): (&Coordinate, &f64)| {
            format!("{} = {:.6}", coordinate.name, Self::value(coordinate, *u))
        };
        let all: Vec<String> = self.params.coordinates.iter().zip(u).map(one).collect();
        all.join(", ")
    }

    /// The point of a place, and its Jacobian.
    fn tangents(&self, u: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        first_order(self.ambient(), u, |input, out| self.point(input, out))
    }

    /// The functions with kinks or jumps in its formulas.
    pub fn kinks(&self) -> &[crate::formula::Kink] {
        self.formula.kinks()
    }
}

impl Patch for Stated {
    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn ambient(&self) -> usize {
        self.formula.dim()
    }
    fn dim(&self) -> usize {
        self.params.coordinates.len()
    }
    fn axes(&self) -> Vec<Axis> {
        let axis = |coordinate: &Coordinate| match coordinate {
            Coordinate { periodic: true, .. } => Axis::Angle,
            Coordinate { from, to, .. } => Axis::Interval { from: *from, to: *to },
        };
        self.params.coordinates.iter().map(axis).collect()
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let values: Vec<S> =
            self.params.coordinates.iter().zip(u).map(|(c, &u)| Self::value(c, u)).collect();
        self.formula.evaluate(&values, &mut Workspace::default(), out);
    }
    fn oscillations(&self) -> f64 {
        self.seen.turns
    }
    fn stretch(&self) -> f64 {
        self.seen.volume
    }
    fn support(&self, c: &[f64]) -> f64 {
        self.seen.size * c.iter().map(|c| c * c).sum::<f64>().sqrt()
    }
}
