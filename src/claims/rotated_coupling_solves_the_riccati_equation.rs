//! T6.7: a linear coupling with a rotation, the exact test of the Riccati equation.

use super::riccati::{Coefficients, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::linalg::{eigenvalues, inverse, spectral_norm};
use crate::verdict::{Judgement, Margin};
use nalgebra::DMatrix;

/// Wider bars than this, relative or in radians, decide nothing.
const RESOLUTION: f64 = 1e-6;

/// The same for integrals over tabulated coefficients: the Riccati equation and its bound.
const TABLE_RESOLUTION: f64 = 1e-3;

/// Rounding of the closed forms, relative to their size over the clearance of H1.
const ROUNDING: f64 = 1e-12;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "rotated_coupling_solves_the_riccati_equation",
    theory: &["T6.7"],
    summary: "In a rotated linear coupling the slope of a propagated plane solves the Riccati equation of its \
              non-symmetric rate matrix, and the top subspace is a coordinate plane",
    page: include_str!("../../theorems/rotated_coupling_solves_the_riccati_equation.md"),
    least_in_scope: 0.4,
    mutants: &[
        Mutant { name: "kappa_eta_exchanged", what: "the blocks of Aᵀ instead of A" },
        Mutant {
            name: "inverse_dropped", what: "A = M − I: the flow is not followed back to x_0"
        },
        Mutant { name: "rotation_ignored", what: "R = I, as in the optimal coupling" },
        Mutant { name: "quadratic_term_dropped", what: "L' = Ã_NT + (Ã_NN − Ã_TT) L" },
        Mutant { name: "quadratic_sign_flipped", what: "L' = … + Ã_TN L²" },
        Mutant { name: "cross_term_halved", what: "κ/2 is enough in the bound" },
        Mutant { name: "start_vectors_are_axes", what: "also V_d is the coordinate plane" },
        Mutant { name: "pole_ignored", what: "the bound past the pole of its solution" },
        Mutant { name: "without_H2", what: "E(t) has a finite slope at all times" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let variances: Vec<f64> = facts.series("variance").iter().map(|q| q.value).collect();
    let (dim, d) = (variances.len(), facts.get("tangent").value as usize);
    let table = |name: &str, rows: usize, columns: usize| {
        let series = facts.series(name);
        (series.len() == rows * columns)
            .then(|| DMatrix::from_iterator(rows, columns, series.iter().map(|q| q.value)))
    };
    let (Some(rotation), Some(graph)) =
        (table("rotation", dim, dim), table("start_graph", dim.saturating_sub(d), d))
    else {
        return Judgement::default();
    };
    if d == 0 || d >= dim {
        return Judgement::default();
    }
    let root = DMatrix::from_fn(dim, dim, |r, c| f64::from(r == c) * variances[r].sqrt());
    let mut closed = Closed { map: &root * rotation, d, graph };

    let gap = variances[d - 1].sqrt() - variances[d].sqrt();
    let zero = Quantity::exact(0.0);
    let clear = |matrix: DMatrix<f64>| Quantity::new(clearance(&matrix), 1e-6, Grade::Symbolic);
    let hypotheses = vec![
        Margin::at_most("H1 J(t) nonsingular on the way", zero, clear(closed.map.clone())),
        Margin::at_most("H2 E(t) transversal on the way", zero, clear(closed.transport())),
        Margin::at_most("H3 gap at d", zero, Quantity::new(gap, 1e-6, Grade::Symbolic)),
    ];
    if v.is("rotation_ignored") {
        closed.map = root;
    }
    let conclusions = conclusions(facts, v, &closed, &variances).unwrap_or_default();
    Judgement { hypotheses, conclusions }
}

/// J(t) = (1 − t) I + tM with the plane it carries.
struct Closed {
    map: DMatrix<f64>,
    d: usize,
    graph: DMatrix<f64>,
}

impl Closed {
    /// J(t).
    fn jacobian(&self, t: f64) -> DMatrix<f64> {
        DMatrix::identity(self.map.nrows(), self.map.nrows()) * (1.0 - t) + &self.map * t
    }

    /// A(t) = J'J⁻¹.
    fn rate(&self, t: f64) -> Option<DMatrix<f64>> {
        let velocity = &self.map - DMatrix::identity(self.map.nrows(), self.map.nrows());
        Some(velocity * inverse(&self.jacobian(t)).ok()?)
    }

    /// M_TT + M_TN L_0: the plane is transversal while (1 − t) I + t times this is nonsingular.
    fn transport(&self) -> DMatrix<f64> {
        let (d, n) = (self.d, self.map.nrows() - self.d);
        self.map.view((0, 0), (d, d)) + self.map.view((0, d), (d, n)) * &self.graph
    }

    /// L(t) = (J_NT + J_NN L_0)(J_TT + J_TN L_0)⁻¹.
    fn slope(&self, t: f64) -> Option<DMatrix<f64>> {
        let (j, d) = (self.jacobian(t), self.d);
        let n = j.nrows() - d;
        let top = j.view((0, 0), (d, d)) + j.view((0, d), (d, n)) * &self.graph;
        let bottom = j.view((d, 0), (n, d)) + j.view((d, d), (n, n)) * &self.graph;
        Some(bottom * inverse(&top).ok()?)
    }
}

/// How far the spectrum of a matrix stays from (−∞, 0], relative to its norm; negative when it does not.
fn clearance(matrix: &DMatrix<f64>) -> f64 {
    let size = matrix.norm();
    let distance = |&(re, im): &(f64, f64)| match re > 0.0 {
        true => re.hypot(im),
        // On the half-line, up to the imaginary part that rounding gives to a double eigenvalue.
        false if im.abs() <= 1e-8 * size => re.min(-1e-5 * size),
        false => im.abs(),
    };
    let spectrum = eigenvalues(matrix).unwrap_or_default();
    spectrum.iter().map(distance).reduce(f64::min).unwrap_or(f64::NAN) / size
}

fn conclusions(
    facts: &Facts,
    v: Variant,
    closed: &Closed,
    variances: &[f64],
) -> Option<Vec<Margin>> {
    let times = facts.series("time");
    let last = times.len().checked_sub(1)?;
    let (d, dim) = (closed.d, closed.map.nrows());
    let exact = |x: f64, size: f64| Quantity::new(x, ROUNDING * size, Grade::Symbolic);
    let mut conclusions = Vec::new();

    // (a) The rate matrix half-way, entry by entry, and its cross blocks.
    let t = times[last / 2].value;
    let rate = closed.rate(if v.is("inverse_dropped") { 0.0 } else { t })?;
    let rate = if v.is("kappa_eta_exchanged") { rate.transpose() } else { rate };
    let size = rate.norm();
    for (i, predicted) in rate.iter().enumerate() {
        let off = (facts.at("rate_matrix", i) - exact(*predicted, size)).abs();
        conclusions.push(at_most("(a) entries of A", off, exact(0.0, size), size, RESOLUTION));
    }
    for (name, corner, shape) in [("kappa", (d, 0), (dim - d, d)), ("eta", (0, d), (d, dim - d))] {
        let norm = spectral_norm(&rate.view(corner, shape).into_owned()).ok()?;
        let off = (*facts.series(name).get(last / 2)? - exact(norm, size)).abs();
        conclusions.push(at_most(format!("(a) {name}"), off, exact(0.0, size), size, RESOLUTION));
    }

    // (b) The slope in closed form, (c) the Riccati bound on it.
    let half = v.scale("cross_term_halved", 0.5);
    let cross: Vec<Quantity> = facts.series("kappa").iter().map(|q| *q * half).collect();
    let (gamma, eta) = (facts.series("gamma"), facts.series("eta"));
    let slope = facts.series("slope");
    let zero = Quantity::exact(0.0);
    conclusions.push(Margin::at_most("(b) transversal", zero, facts.get("least_transversality")));
    let start = slope.first().filter(|_| slope.len() == times.len())?;
    let coefficients = Coefficients { times, gamma, kappa: &cross, eta };
    let bound = riccati_bound(coefficients, start.value + start.bar)?;
    for quarter in 1..=4 {
        let k = last * quarter / 4;
        let l = spectral_norm(&closed.slope(times[k].value)?).ok()?;
        let predicted = exact(l, 1.0 + l * l);
        conclusions.push(Margin::equal(
            format!("(b) slope at {quarter}/4"),
            slope[k],
            predicted,
            RESOLUTION,
        ));
        if bound.exists || v.is("pole_ignored") {
            let y = Quantity::rounded(bound.y[k], 1e3);
            let scale = y.value.abs().max(slope[k].value);
            let name = format!("(c) bound at {quarter}/4");
            conclusions.push(at_most(name, slope[k], y, scale, TABLE_RESOLUTION));
        }
    }

    // (d) In the plane the equation is exact, with signs.
    if dim == 2 {
        let signed = facts.series("signed_slope");
        if signed.len() != times.len() {
            return None;
        }
        let solution = scalar_riccati(facts, v, signed.first()?.value)?;
        for (k, solved) in solution {
            let scale = 1.0 + solved.value.abs();
            let off = (signed[k] - solved).abs();
            let name = format!("(d) scalar equation at t = {:.2}", times[k].value);
            conclusions.push(at_most(name, off, Quantity::exact(0.0), scale, TABLE_RESOLUTION));
        }
    }

    // (e) The end: singular values √λ, W_d the coordinate plane, V_d its image under Rᵀ.
    for (i, lambda) in variances.iter().enumerate() {
        let measured = facts.at("singular_value", i);
        let predicted = exact(lambda.sqrt(), variances[0].sqrt());
        conclusions.push(Margin::equal("(e) singular value", measured, predicted, RESOLUTION));
    }
    let start = match v.is("start_vectors_are_axes") {
        true => "start_angle_to_axes",
        false => "start_angle_to_turned_axes",
    };
    for name in ["end_angle_to_axes", start] {
        let angle = facts.get(name);
        conclusions.push(at_most(
            format!("(e) {name}"),
            angle,
            Quantity::exact(0.0),
            1.0,
            RESOLUTION,
        ));
    }
    Some(conclusions)
}

/// L' = Ã_NT + (Ã_NN − Ã_TT) L − Ã_TN L² from L(0) = `start`, by Runge–Kutta on the tabulated entries:
/// the solution half-way and at the end, with the changes at twice and four times the step as bar.
fn scalar_riccati(facts: &Facts, v: Variant, start: f64) -> Option<Vec<(usize, Quantity)>> {
    let times = facts.series("time");
    let (nt, tn) = match v.is("kappa_eta_exchanged") {
        true => ("rate_tn", "rate_nt"),
        false => ("rate_nt", "rate_tn"),
    };
    let [nt, tn, tt, nn] = [nt, tn, "rate_tt", "rate_nn"].map(|name| facts.series(name));
    if [nt, tn, tt, nn].iter().any(|s| s.len() != times.len()) {
        return None;
    }
    let quadratic =
        v.scale("quadratic_term_dropped", 0.0) * v.scale("quadratic_sign_flipped", -1.0);
    // L = u/w: the linear system of the equation, which a steep slope does not disturb.
    let rate = |k: usize, (u, w): (f64, f64)| {
        let half = 0.5 * (nn[k].value - tt[k].value);
        (nt[k].value * w + half * u, quadratic * tn[k].value * u - half * w)
    };
    let moved = |(u, w): (f64, f64), h: f64, (du, dw): (f64, f64)| (u + h * du, w + h * dw);
    // A step spans 2·half intervals of the table, whose middle is the method's.
    let solve = |half: usize, to: usize| {
        let mut x = (start, 1.0);
        for k in (0..to).step_by(2 * half) {
            let h = times[k + 2 * half].value - times[k].value;
            let k1 = rate(k, x);
            let k2 = rate(k + half, moved(x, 0.5 * h, k1));
            let k3 = rate(k + half, moved(x, 0.5 * h, k2));
            let k4 = rate(k + 2 * half, moved(x, h, k3));
            for (weight, slope) in [(1.0, k1), (2.0, k2), (2.0, k3), (1.0, k4)] {
                x = moved(x, h * weight / 6.0, slope);
            }
        }
        x.0 / x.1
    };
    let last = times.len() - 1;
    let at = |k: usize| {
        let [fine, coarse, coarsest] = [1, 2, 4].map(|half| solve(half, k));
        // Order 4: the second difference is 16 times the first, unless the steps are still too long.
        let bar = (fine - coarse).abs() + (coarse - coarsest).abs() / 16.0 + ROUNDING;
        (k, Quantity::new(fine, bar, Grade::Estimated))
    };
    Some(vec![at(last / 2), at(last)])
}

fn at_most(
    name: impl Into<String>,
    left: Quantity,
    right: Quantity,
    scale: f64,
    resolution: f64,
) -> Margin {
    Margin::attained(name, left, right, scale.max(f64::MIN_POSITIVE), resolution)
}
