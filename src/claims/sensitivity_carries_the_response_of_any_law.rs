//! T1.1: the response of any law, with a density or without, is −div(ρδ).

use super::agreement::{Relative, agree};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the size of the terms, decide nothing: for derivatives by duals,
const EXACT: f64 = 1e-6;

/// and for differences in ε.
const DIFFERENCES: f64 = 2e-2;

/// Slopes smaller than this are compared with it instead of their own size.
const LEAST_SIZE: f64 = 1e-3;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "sensitivity_carries_the_response_of_any_law",
    theory: &["T1.1"],
    summary: "An error moves the mean of every smooth function by the mean of its gradient along the sensitivity, \
              for every start law, atoms included, and along every noise path",
    page: include_str!("../../theorems/sensitivity_carries_the_response_of_any_law.md"),
    least_in_scope: 0.6,
    mutants: &[
        Mutant { name: "error_of_the_last_map_only", what: "δ_K = w_{K−1}" },
        Mutant { name: "jacobians_dropped", what: "δ_{k+1} = δ_k + w_k" },
        Mutant { name: "jacobians_transposed", what: "δ_{k+1} = dF_kᵀ δ_k + w_k" },
        Mutant { name: "error_before_the_map", what: "δ_{k+1} = dF_k (δ_k + w_k)" },
        Mutant { name: "sign_flipped", what: "μ = +div(ρδ)" },
        Mutant { name: "weights_dropped", what: "all atoms of the law count alike" },
        Mutant { name: "noise_redrawn", what: "the perturbed run draws its own noise" },
        Mutant {
            name: "without_H1",
            what: "also for functions with a kink where the law has an atom",
        },
        Mutant { name: "without_H2", what: "also when the start law moves with ε, with δ_0 = 0" },
    ],
    margins,
};

/// One atom of the law: what its orbit meets.
struct Atom<'a> {
    dim: usize,
    /// Column-major, one for each map.
    jacobians: &'a [Quantity],
    errors: &'a [Quantity],
    /// One for each test function.
    gradients: &'a [Quantity],
}

const ZERO: Quantity = Quantity { value: 0.0, bar: 0.0, grade: crate::facts::Grade::Symbolic };

fn inner(a: &[Quantity], b: &[Quantity]) -> Quantity {
    a.iter().zip(b).fold(ZERO, |sum, (a, b)| sum + *a * *b)
}

fn size(a: &[Quantity]) -> f64 {
    a.iter().map(|a| a.value * a.value).sum::<f64>().sqrt()
}

impl Atom<'_> {
    /// δ_K, by the recursion.
    fn sensitivity(&self, v: Variant) -> Vec<Quantity> {
        let n = self.dim;
        let mut delta = vec![ZERO; n];
        let pairs = self.jacobians.chunks_exact(n * n).zip(self.errors.chunks_exact(n));
        for (jacobian, error) in pairs {
            let sum = |a: &[Quantity]| -> Vec<Quantity> {
                a.iter().zip(error).map(|(a, w)| *a + *w).collect()
            };
            let image = |d: &[Quantity]| -> Vec<Quantity> {
                let entry = |i: usize, j: usize| match v.is("jacobians_transposed") {
                    true => jacobian[j + i * n],
                    false => jacobian[i + j * n],
                };
                (0..n).map(|i| (0..n).fold(ZERO, |s, j| s + entry(i, j) * d[j])).collect()
            };
            delta = match () {
                () if v.is("error_of_the_last_map_only") => error.to_vec(),
                () if v.is("jacobians_dropped") => sum(&delta),
                () if v.is("error_before_the_map") => image(&sum(&delta)),
                () => sum(&image(&delta)),
            };
        }
        delta
    }
}

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let count = |name: &str| facts.get(name).value as usize;
    let (dim, maps, tests) = (count("dim"), count("maps"), count("test_functions"));
    let (weights, values) = (facts.series("weight"), facts.series("value"));
    let atoms = weights.len();
    let (jacobians, errors) = (facts.series("jacobian"), facts.series("map_error"));
    let (gradients, kinks) = (facts.series("gradient"), facts.series("kink"));
    let complete = jacobians.len() == atoms * maps * dim * dim
        && errors.len() == atoms * maps * dim
        && gradients.len() == atoms * tests * dim
        && values.len() == tests * 4 * atoms
        && kinks.len() == atoms
        && facts.series("dual_slope").len() == tests;
    if dim == 0 || maps == 0 || atoms == 0 || !complete {
        return Judgement::default();
    }
    let atom = |i: usize| Atom {
        dim,
        jacobians: &jacobians[i * maps * dim * dim..][..maps * dim * dim],
        errors: &errors[i * maps * dim..][..maps * dim],
        gradients: &gradients[i * tests * dim..][..tests * dim],
    };
    let orbits: Vec<(Atom, Vec<Quantity>)> = (0..atoms)
        .map(|i| {
            let atom = atom(i);
            let delta = atom.sensitivity(v);
            (atom, delta)
        })
        .collect();
    let weight = |i: usize| match v.is("weights_dropped") {
        true => Quantity::exact((atoms as f64).recip()),
        false => weights[i],
    };
    let step = facts.get("step");
    let redrawn = facts.series("value_redrawn");
    let at = |test: usize, epsilon: usize, i: usize| {
        let place = (test * 4 + epsilon) * atoms + i;
        if v.is("noise_redrawn") && redrawn.len() == values.len() {
            return redrawn[place];
        }
        values[place]
    };
    let mut conclusions = Vec::new();
    for test in 0..tests {
        let (mut predicted, mut terms, mut measured) = (ZERO, LEAST_SIZE, ZERO);
        for (i, (atom, delta)) in orbits.iter().enumerate() {
            let gradient = &atom.gradients[test * dim..][..dim];
            predicted = predicted + weight(i) * inner(gradient, delta);
            terms += weight(i).value * size(gradient) * size(delta);
            let slope = slope([0, 1, 2, 3].map(|e| at(test, e, i)), step);
            // Central differences do not see that the two one-sided derivatives differ.
            let bar = slope.bar + size(gradient) * kinks[i].value;
            measured = measured + weights[i] * Quantity { bar, ..slope };
        }
        let predicted = predicted * v.scale("sign_flipped", -1.0);
        let judge = |name: &str, measured: Quantity, resolution: f64| {
            let name = format!("{name} of test function {test}");
            agree(name, &[measured], &[predicted], Relative::To(terms), resolution)
        };
        conclusions.push(judge("(a) derivative", facts.series("dual_slope")[test], EXACT));
        conclusions.push(judge("(b) difference quotient", measured, DIFFERENCES));
    }
    let hypotheses = vec![
        Margin::condition("H1 test functions and maps are C¹", facts.get("ramp").value == 0.0),
        Margin::condition("H2 the start law is fixed", facts.get("start_moves").value == 0.0),
    ];
    Judgement { hypotheses, conclusions }
}

/// The derivative at 0 from the values at −h, −h/2, h/2, h, by extrapolation.
///
/// The bar is the difference of the two quotients, some 3/(h/length)² times the error left, and rounding.
fn slope(values: [Quantity; 4], step: Quantity) -> Quantity {
    let [far_back, back, ahead, far_ahead] = values;
    let (coarse, fine) = ((far_ahead - far_back) / (step * 2.0), (ahead - back) / step);
    let value = (fine.value * 4.0 - coarse.value) / 3.0;
    let rounding = 2.0 * (fine.bar + coarse.bar);
    Quantity::new(value, (fine.value - coarse.value).abs() + rounding, fine.grade)
}
