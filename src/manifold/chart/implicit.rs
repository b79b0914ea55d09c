//! Manifolds by equations.

use super::super::nearest::extent;
use super::super::scatter::{Scatter, compass};
use super::traced::{Curve, traced};
use super::written::{Written, check_range};
use super::zeros::Zeros;
use super::{Axis, Chart, Patch};
use crate::error::{Error, Result};
use crate::formula::{Formula, Workspace};
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// Gradients are dependent where their least singular value is this share of the largest that they have anywhere.
const SINGULAR: f64 = 1e-6;

/// Points of the manifold that are looked at when it is made.
const LOOKED_AT: usize = 400;

/// Points from which curves are traced.
const TRACED_FROM: usize = 1600;

/// A variable of the equations, and where the manifold is looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name in the equations.
    pub name: String,
    /// Least value of the box whose points are moved onto the manifold.
    pub from: f64,
    /// Its largest value.
    pub to: f64,
}

/// Variables, and formulas that are 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ImplicitParams {
    variables: Vec<Variable>,
    #[serde(flatten)]
    equations: Written,
}

/// The set of the points at which c formulas of n variables are 0, of dimension n − c.
///
/// Its parameters are points of the space around it, which Newton's method moves onto it along its normals: the tangent space is the
/// kernel of the gradients. A curve is measured by its length, as far as it lies within the ranges of the variables; on surfaces and
/// beyond volumes are not known.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "ImplicitParams", into = "ImplicitParams")]
pub struct Implicit {
    params: ImplicitParams,
    formula: Formula,
    /// The largest distance from 0 that was seen.
    size: f64,
    /// The curves within the ranges, once they are asked for.
    curves: OnceLock<Option<Vec<Curve>>>,
}

impl PartialEq for Implicit {
    fn eq(&self, other: &Self) -> bool {
        self.params == other.params
    }
}

impl From<Implicit> for ImplicitParams {
    fn from(implicit: Implicit) -> Self {
        implicit.params
    }
}

impl TryFrom<ImplicitParams> for Implicit {
    type Error = Error;
    fn try_from(params: ImplicitParams) -> Result<Self> {
        let names = params.variables.iter().map(|variable| variable.name.as_str());
        let formula = params.equations.parse("equations", names)?;
        Self::new(params.variables, formula)
    }
}

impl Implicit {
    /// The zeros of a formula of these variables, in this order.
    ///
    /// *Errors*: [`Error::Input`] when there are too many equations, a range is degenerate, no point is found, or gradients are
    /// dependent at one.
    pub fn new(variables: Vec<Variable>, formula: Formula) -> Result<Self> {
        let bad = |problem: String, hint: &str| Err(Error::input("equations", problem, hint));
        let (n, c) = (variables.len(), formula.dim());
        if c >= n {
            let problem = format!("{c} equations for {n} coordinates leave no dimension");
            return bad(problem, "fewer equations");
        }
        for Variable { name, from, to } in &variables {
            check_range("equations", name, *from, *to)?;
        }
        let params = ImplicitParams { variables, equations: Written::of(&formula) };
        let mut made = Self { params, formula, size: 0.0, curves: OnceLock::new() };
        made.size = made.look()?;
        Ok(made)
    }

    /// Looks at points of the manifold; the largest distance from 0.
    fn look(&self) -> Result<f64> {
        let axes = self.axes();
        let places = Scatter::new(&Chart::Implicit(self.clone()), 0, LOOKED_AT).places;
        let steepness = |u: &[f64]| -> Option<(f64, f64)> {
            let values = self.split(&self.solved(u)?)?.values;
            Some((values[values.len() - 1], values[0]))
        };
        let least = |u: &[f64]| steepness(u).map_or(f64::INFINITY, |(least, _)| least);
        let seen: Vec<_> = places.iter().filter_map(|u| Some((u, steepness(u)?))).collect();
        let Some((start, _)) = seen.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0)) else {
            let problem = "no point of the manifold was found from those of the box";
            return Err(Error::input("equations", problem, "equations with zeros within the box"));
        };
        let largest = seen.iter().map(|(_, (_, most))| *most).fold(0.0, f64::max);
        let step = self.span() / 16.0;
        let (u, found) = compass(&axes, start, step, 1e-9 * step, least);
        if found <= SINGULAR * largest {
            let at = self.solved(&u).unwrap_or(u);
            let one = |(variable, x): (&Variable, &f64)| format!("{} = {x:.6}", variable.name);
            let at: Vec<String> = self.params.variables.iter().zip(&at).map(one).collect();
            let problem = format!("gradients vanish or are dependent at {}", at.join(", "));
            let hint = "equations whose gradients are independent wherever they hold";
            return Err(Error::input("equations", problem, hint));
        }
        let norm = |x: &Vec<f64>| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        Ok(places.iter().map(norm).fold(0.0, f64::max))
    }

    /// The curves within the ranges; none of what is no curve, or cannot be followed.
    fn curves(&self) -> Option<&[Curve]> {
        let trace = || {
            let places = Scatter::new(&Chart::Implicit(self.clone()), 0, TRACED_FROM).places;
            let within =
                |(variable, x): (&Variable, &f64)| variable.from <= *x && *x <= variable.to;
            traced(self, &places, |x| self.params.variables.iter().zip(x).all(within))
        };
        if self.dim() != 1 {
            return None;
        }
        self.curves.get_or_init(trace).as_deref()
    }

    /// The length of a curve within the ranges of the variables; none of what is no curve, has corners, lies outside of them, or is
    /// too long to be followed.
    ///
    /// *Accuracy*: 10⁻⁶ of it, 10⁻⁸ where it does not ripple. Of pieces so many and small that none of 1600 scattered points leads
    /// to them, nothing is known.
    pub fn length(&self) -> Option<f64> {
        Some(self.curves()?.iter().map(Curve::length).sum())
    }

    /// The lengths of the pieces of a curve, and whether they are closed.
    pub(crate) fn pieces(&self) -> Vec<(f64, bool)> {
        let curves = self.curves().unwrap_or_default().iter();
        curves.map(|curve| (curve.length(), curve.closed)).collect()
    }

    /// The point of a piece at a share in [0, 1] of its length.
    pub(crate) fn at(&self, piece: usize, share: f64) -> Option<Vec<f64>> {
        let curve = self.curves()?.get(piece)?;
        curve.point(self, share * curve.length())
    }

    /// The point at a share in [0, 1] of the whole length, piece after piece.
    pub(crate) fn at_share(&self, share: f64) -> Option<Vec<f64>> {
        let curves = self.curves()?;
        let mut along = share * self.length()?;
        let past = |curve: &&Curve| {
            let here = along <= curve.length();
            along -= if here { 0.0 } else { curve.length() };
            here
        };
        // The lengths sum to the whole up to rounding only.
        let curve = curves.iter().find(past).unwrap_or(&curves[curves.len() - 1]);
        curve.point(self, along)
    }

    /// The functions with kinks or jumps in its formulas.
    pub fn kinks(&self) -> &[crate::formula::Kink] {
        self.formula.kinks()
    }
}

impl Zeros for Implicit {
    fn sizes(&self) -> (usize, usize) {
        (self.params.variables.len(), self.formula.dim())
    }
    fn values<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        self.formula.evaluate(x, &mut Workspace::default(), out);
    }
    fn span(&self) -> f64 {
        self.axes().iter().map(extent).fold(f64::INFINITY, f64::min)
    }
}

impl Patch for Implicit {
    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn ambient(&self) -> usize {
        self.params.variables.len()
    }
    fn dim(&self) -> usize {
        self.ambient() - self.formula.dim()
    }
    fn axes(&self) -> Vec<Axis> {
        let axis = |variable: &Variable| Axis::Ambient { from: variable.from, to: variable.to };
        self.params.variables.iter().map(axis).collect()
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let real: Vec<f64> = u.iter().map(|u| u.re()).collect();
        self.retract(u, self.solved(&real), out);
    }
    fn stretch(&self) -> f64 {
        if self.dim() == 1 { 1.0 } else { f64::INFINITY }
    }
    fn support(&self, c: &[f64]) -> f64 {
        match self.curves() {
            Some(curves) => {
                curves.iter().map(|curve| curve.support(c)).fold(f64::NEG_INFINITY, f64::max)
            }
            None => self.size * c.iter().map(|c| c * c).sum::<f64>().sqrt(),
        }
    }
}
