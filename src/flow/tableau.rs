//! Explicit Runge–Kutta tableaux: one constant a method.

use serde::{Deserialize, Serialize};

/// An explicit Runge–Kutta method: stages z_i = x + h Σ_j a_ij k_j at t + c_i h, step x + h Σ b_i k_i.
#[derive(Debug)]
pub struct Tableau {
    /// Strictly lower triangular rows a_i.
    pub a: &'static [&'static [f64]],
    /// Weights of the step.
    pub b: &'static [f64],
    /// Weights of the step minus those of an embedded method of lower order; empty when there is none.
    pub error: &'static [f64],
    /// Nodes.
    pub c: &'static [f64],
    /// Order of convergence.
    pub order: u32,
}

/// The methods by name. Euler in the canonical time σ is the DDIM sampler (T6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Order 1.
    Euler,
    /// The explicit trapezoidal rule, order 2.
    Heun,
    /// The classical Runge–Kutta method, order 4.
    Rk4,
    /// Dormand–Prince 5(4), order 5 with an embedded error estimate.
    DormandPrince,
}

impl Method {
    /// The coefficients of the method.
    pub fn tableau(self) -> &'static Tableau {
        match self {
            Self::Euler => &EULER,
            Self::Heun => &HEUN,
            Self::Rk4 => &RK4,
            Self::DormandPrince => &DORMAND_PRINCE,
        }
    }
}

const EULER: Tableau = Tableau { a: &[&[]], b: &[1.0], error: &[], c: &[0.0], order: 1 };

const HEUN: Tableau =
    Tableau { a: &[&[], &[1.0]], b: &[0.5, 0.5], error: &[], c: &[0.0, 1.0], order: 2 };

const RK4: Tableau = Tableau {
    a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    error: &[],
    c: &[0.0, 0.5, 0.5, 1.0],
    order: 4,
};

// Dormand & Prince, J. Comput. Appl. Math. 6 (1980), Table 2. The seventh stage only serves the error estimate.
const DORMAND_PRINCE: Tableau = Tableau {
    a: &[
        &[],
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
        &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
        &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
    ],
    b: &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0, 0.0],
    error: &[
        71.0 / 57600.0,
        0.0,
        -71.0 / 16695.0,
        71.0 / 1920.0,
        -17253.0 / 339200.0,
        22.0 / 525.0,
        -1.0 / 40.0,
    ],
    c: &[0.0, 1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0],
    order: 5,
};
