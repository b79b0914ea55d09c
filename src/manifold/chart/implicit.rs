//! Manifolds by equations.

use super::super::nearest::extent;
use super::super::scatter::{Scatter, compass};
use super::jet::first_order;
use super::{Axis, Chart, Patch};
use crate::error::{Error, Result};
use crate::formula::{Formula, Names, Workspace};
use crate::linalg::{Svd, svd};
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

/// Columns of a formula before its parts become helpers.
const WIDEST: usize = 400;

/// Gradients are dependent where their least singular value is this share of the largest that they have anywhere.
const SINGULAR: f64 = 1e-6;

/// Steps onto the manifold; they converge quadratically.
const STEPS: usize = 50;

/// Steps on a carrier: each gives one more order of derivatives, and carriers have at most three.
const ORDERS: usize = 4;

/// Points of the manifold that are looked at when it is made.
const LOOKED_AT: usize = 400;

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
    /// Names and texts of parts of the formulas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    helpers: Vec<(String, String)>,
    equations: Vec<String>,
}

/// The set of the points at which c formulas of n variables are 0, of dimension n − c.
///
/// Its parameters are points of the space around it, which Newton's method moves onto it along its normals: the tangent space is the
/// kernel of the gradients. Its volume is not known, so that nothing is drawn from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "ImplicitParams", into = "ImplicitParams")]
pub struct Implicit {
    params: ImplicitParams,
    formula: Formula,
    /// The largest distance from 0 that was seen.
    size: f64,
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
        let bad = |mistake: crate::formula::Mistake| {
            Error::input("equations", mistake.problem, "formulas of its variables")
        };
        let names: Vec<&str> = params.variables.iter().map(|v| v.name.as_str()).collect();
        let table = table(&names, &params.helpers).map_err(bad)?;
        let texts: Vec<&str> = params.equations.iter().map(String::as_str).collect();
        let formula = table.field(&texts).map_err(|(_, mistake)| bad(mistake))?;
        Self::new(params.variables, formula)
    }
}

/// Names of variables, a vector's as x[0], x[1], …, and of helpers.
fn table(
    variables: &[&str],
    helpers: &[(String, String)],
) -> std::result::Result<Names, crate::formula::Mistake> {
    let mut names = Names::default();
    match variables.first().and_then(|name| name.strip_suffix("[0]")) {
        Some(vector) => names.vector(vector, variables.len())?,
        None => variables.iter().try_for_each(|name| names.number(name))?,
    }
    helpers.iter().try_for_each(|(name, text)| names.helper(name, text))?;
    Ok(names)
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
            if !(from.is_finite() && to.is_finite() && from < to) {
                let problem = format!("{name} is looked for from {from} to {to}");
                return bad(problem, "a finite range whose end is above its start");
            }
        }
        let printed = formula.print(WIDEST);
        let (helpers, equations) = (printed.helpers, printed.components);
        let params = ImplicitParams { variables, helpers, equations };
        let mut made = Self { params, formula, size: 0.0 };
        made.size = made.look()?;
        Ok(made)
    }

    /// Looks at points of the manifold; the largest distance from 0.
    fn look(&self) -> Result<f64> {
        let axes = self.axes();
        let places = Scatter::new(&Chart::Implicit(self.clone()), 0, LOOKED_AT).places;
        let steepness = |u: &[f64]| -> Option<(f64, f64)> {
            let values = self.split(&self.settled(u)?)?.values;
            Some((values[values.len() - 1], values[0]))
        };
        let least = |u: &[f64]| steepness(u).map_or(f64::INFINITY, |(least, _)| least);
        let start = places.iter().min_by(|a, b| least(a).total_cmp(&least(b)));
        let Some(start) = start else {
            let problem = "no point of the manifold was found from those of the box";
            return Err(Error::input("equations", problem, "equations with zeros within the box"));
        };
        let largest = places.iter().filter_map(|u| steepness(u)).map(|(_, most)| most);
        let largest = largest.fold(0.0, f64::max);
        let step = axes.iter().map(extent).fold(f64::INFINITY, f64::min) / 16.0;
        let (u, found) = compass(&axes, start, step, 1e-9 * step, least);
        if found <= SINGULAR * largest {
            let at = self.settled(&u).unwrap_or(u);
            let one = |(variable, x): (&Variable, &f64)| format!("{} = {x:.6}", variable.name);
            let at: Vec<String> = self.params.variables.iter().zip(&at).map(one).collect();
            let problem = format!("gradients vanish or are dependent at {}", at.join(", "));
            let hint = "equations whose gradients are independent wherever they hold";
            return Err(Error::input("equations", problem, hint));
        }
        let norm = |x: &Vec<f64>| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        Ok(places.iter().map(norm).fold(0.0, f64::max))
    }

    /// The values of the formulas, and their gradients as rows.
    fn gradients(&self, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let mut work = Workspace::default();
        let values = |x: &[_], out: &mut [_]| self.formula.evaluate(x, &mut work, out);
        first_order(self.formula.dim(), x, values)
    }

    /// The functions with kinks or jumps in its formulas.
    pub fn kinks(&self) -> &[crate::formula::Kink] {
        self.formula.kinks()
    }

    fn split(&self, x: &[f64]) -> Option<Svd> {
        svd(&self.gradients(x).1).ok()
    }

    /// Moves a point onto the manifold, by the shortest steps that solve the linearised equations.
    pub(crate) fn settled(&self, u: &[f64]) -> Option<Vec<f64>> {
        let mut x = DVector::from_column_slice(u);
        let span = self.axes().iter().map(extent).fold(f64::INFINITY, f64::min);
        let mut polished = 0;
        for _ in 0..STEPS {
            let (values, gradients) = self.gradients(x.as_slice());
            let step = inverse(&svd(&gradients).ok()?)? * values;
            let length = step.norm();
            // Far from it a step may go anywhere.
            x -= &step * (0.5 * span / length).min(1.0);
            if length <= 1e-6 * span {
                polished += 1;
            }
            // Quadratic convergence: after two more steps rounding is left.
            if polished == 3 {
                return Some(x.as_slice().to_vec());
            }
        }
        None
    }

    /// An orthonormal basis of the tangent space at a point, `n×d`.
    pub(crate) fn tangents(&self, u: &[f64]) -> Option<DMatrix<f64>> {
        let normals = self.split(u)?.right;
        Some(crate::linalg::complement(&normals))
    }
}

/// The pseudoinverse, of full rank.
fn inverse(parts: &Svd) -> Option<DMatrix<f64>> {
    let Svd { left, values, right } = parts;
    if !values.iter().all(|value| *value > 0.0) {
        return None;
    }
    let mut scaled = right.clone();
    for (mut column, value) in scaled.column_iter_mut().zip(values.iter()) {
        column /= *value;
    }
    Some(scaled * left.transpose())
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
    /// Defined as the point to which u moves, with the normals there kept fixed: a retraction, so that tangents and second
    /// fundamental forms are those of the manifold.
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let real: Vec<f64> = u.iter().map(|u| u.re()).collect();
        let settled = self.settled(&real).and_then(|x| Some((inverse(&self.split(&x)?)?, x)));
        let Some((inverse, x)) = settled else {
            return out.fill(S::from(f64::NAN));
        };
        for ((out, u), (x, real)) in out.iter_mut().zip(u).zip(x.iter().zip(&real)) {
            *out = *u + (x - real);
        }
        let (mut work, mut values) = (Workspace::default(), vec![S::from(0.0); inverse.ncols()]);
        for _ in 0..ORDERS {
            self.formula.evaluate(out, &mut work, &mut values);
            for (out, row) in out.iter_mut().zip(inverse.row_iter()) {
                row.iter().zip(&values).for_each(|(a, f)| *out -= *f * *a);
            }
        }
    }
    fn stretch(&self) -> f64 {
        f64::INFINITY
    }
    fn support(&self, c: &[f64]) -> f64 {
        self.size * c.iter().map(|c| c * c).sum::<f64>().sqrt()
    }
}
