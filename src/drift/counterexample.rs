//! Fields on which a naive wording of the theory fails (T7): planar examples, and their block in R^D.

use super::Drift;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

/// A counterexample of T7 with its parameters; rates are per time, M is the line or plane y = 0.
///
/// The numbers C1 to C13 are those of `theorems/compression_alone_does_not_align.md` and
/// `theorems/alignment_and_robustness_are_independent.md`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "counterexample")]
pub enum Counterexample {
    /// C1 = C6: v = −c z, compression without a relative gap.
    IsotropicCompression {
        /// c.
        rate: f64,
    },
    /// C1b: diag(0, c), a gap of the wrong sign.
    NormalExpansion {
        /// c.
        rate: f64,
    },
    /// C2: [[0, 0], [k, −c]], compression with a shear.
    Shear {
        /// c.
        rate: f64,
        /// k.
        shear: f64,
    },
    /// C2b: diag(0, −c), then a shear by k in all, at rest otherwise, during the last h, or all the time when it is shorter.
    LateShear {
        /// c.
        rate: f64,
        /// k.
        shear: f64,
        /// h.
        last: f64,
    },
    /// C3: y' = −c y + φ(y) x with φ = k y²/(y² + e²): on y = 0 the Jacobian is diag(0, −c) exactly.
    HiddenShear {
        /// c.
        rate: f64,
        /// k.
        shear: f64,
        /// e.
        width: f64,
    },
    /// C4: [[0, −h], [0, −c]]: planes steeper than c/h pass through the normal direction.
    Feedback {
        /// c.
        rate: f64,
        /// h.
        feedback: f64,
    },
    /// C4b: [[0, −η], [κ, −γ]] with 4κη > γ²: every plane turns for ever.
    Turning {
        /// γ.
        rate: f64,
        /// κ.
        shear: f64,
        /// η.
        feedback: f64,
    },
    /// C5 (from a plane that contains a normal direction) and C13 (for a short time): diag(0, −c).
    NormalCompression {
        /// c.
        rate: f64,
    },
    /// C7: diag(2c, c), alignment without robustness.
    Expansion {
        /// c.
        rate: f64,
    },
    /// C8: diag(0, −c), the error at work during the last h only, or all the time when it is shorter.
    LateError {
        /// c.
        rate: f64,
        /// h.
        last: f64,
    },
    /// C9: diag(0, −c) with the error (0, e sin(kx/e)), small in C⁰ and not in C¹.
    Ripple {
        /// c.
        rate: f64,
        /// k, the slope of the error.
        slope: f64,
        /// e, its height.
        height: f64,
    },
}

/// A field that rests in time, for some time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The field.
    pub field: PlaneField,
    /// For how long it acts.
    pub duration: f64,
}

/// x' = p x − h y + a, y' = q y + k x + l y²/(y² + w²) x + e sin(f x) + b.
///
/// ```
/// use driftproof::drift::PlaneField;
/// let field = PlaneField { normal_rate: -2.0, shear: 0.5, ..PlaneField::default() };
/// assert_eq!(field.at(4.0, 3.0), [0.0, -4.0]); // (0, −2·3 + ½·4)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlaneField {
    /// p.
    pub tangent_rate: f64,
    /// q.
    pub normal_rate: f64,
    /// k, from x to y.
    pub shear: f64,
    /// h, from y to x.
    pub feedback: f64,
    /// l, a shear that acts off the line y = 0 only.
    pub lift: f64,
    /// w > 0, the distance from it at which half of it acts.
    pub width: f64,
    /// e.
    pub ripple: f64,
    /// f.
    pub frequency: f64,
    /// (a, b).
    pub push: [f64; 2],
}

impl Default for PlaneField {
    /// The field at rest.
    fn default() -> Self {
        Self {
            tangent_rate: 0.0,
            normal_rate: 0.0,
            shear: 0.0,
            feedback: 0.0,
            lift: 0.0,
            width: 1.0,
            ripple: 0.0,
            frequency: 0.0,
            push: [0.0; 2],
        }
    }
}

impl PlaneField {
    /// (x', y').
    pub fn at<S: Scalar>(&self, x: S, y: S) -> [S; 2] {
        let square = y * y;
        let share = square / (square + self.width * self.width);
        let along = x * self.tangent_rate - y * self.feedback + self.push[0];
        let across = y * self.normal_rate + x * self.shear + share * x * self.lift;
        [along, across + (x * self.frequency).sin() * self.ripple + self.push[1]]
    }
}

impl Counterexample {
    /// Its number in T7; C5, C6 and C13 share a field with others and are told apart by how it is run.
    pub fn number(&self) -> &'static str {
        match self {
            Self::IsotropicCompression { .. } => "C1",
            Self::NormalExpansion { .. } => "C1b",
            Self::Shear { .. } => "C2",
            Self::LateShear { .. } => "C2b",
            Self::HiddenShear { .. } => "C3",
            Self::Feedback { .. } => "C4",
            Self::Turning { .. } => "C4b",
            Self::NormalCompression { .. } => "C5",
            Self::Expansion { .. } => "C7",
            Self::LateError { .. } => "C8",
            Self::Ripple { .. } => "C9",
        }
    }

    /// Its parameters, in the order of their names.
    pub fn parameters(&self) -> Vec<f64> {
        match *self {
            Self::IsotropicCompression { rate }
            | Self::NormalExpansion { rate }
            | Self::NormalCompression { rate }
            | Self::Expansion { rate } => vec![rate],
            Self::Shear { rate, shear } => vec![rate, shear],
            Self::LateShear { rate, shear, last } => vec![rate, shear, last],
            Self::HiddenShear { rate, shear, width } => vec![rate, shear, width],
            Self::Feedback { rate, feedback } => vec![rate, feedback],
            Self::Turning { rate, shear, feedback } => vec![rate, shear, feedback],
            Self::LateError { rate, last } => vec![rate, last],
            Self::Ripple { rate, slope, height } => vec![rate, slope, height],
        }
    }

    /// The exact field during a time `span`.
    pub fn stages(&self, span: f64) -> Vec<Stage> {
        let rest = PlaneField::default();
        let compressing = |rate: f64| PlaneField { normal_rate: -rate, ..rest };
        let whole = |field| vec![Stage { field, duration: span }];
        match *self {
            Self::IsotropicCompression { rate } => {
                whole(PlaneField { tangent_rate: -rate, ..compressing(rate) })
            }
            Self::NormalExpansion { rate } => whole(compressing(-rate)),
            Self::Shear { rate, shear } => whole(PlaneField { shear, ..compressing(rate) }),
            Self::LateShear { rate, shear, last } => {
                let last = last.min(span);
                let sheared = PlaneField { shear: shear / last, ..rest };
                vec![
                    Stage { field: compressing(rate), duration: span - last },
                    Stage { field: sheared, duration: last },
                ]
            }
            Self::HiddenShear { rate, shear, width } => {
                whole(PlaneField { lift: shear, width, ..compressing(rate) })
            }
            Self::Feedback { rate, feedback } => {
                whole(PlaneField { feedback, ..compressing(rate) })
            }
            Self::Turning { rate, shear, feedback } => {
                whole(PlaneField { shear, feedback, ..compressing(rate) })
            }
            Self::NormalCompression { rate } | Self::Ripple { rate, .. } => {
                whole(compressing(rate))
            }
            Self::Expansion { rate } => {
                whole(PlaneField { tangent_rate: 2.0 * rate, normal_rate: rate, ..rest })
            }
            Self::LateError { rate, last } => [(span - last).max(0.0), last.min(span)]
                .map(|duration| Stage { field: compressing(rate), duration })
                .to_vec(),
        }
    }

    /// The largest size of its error, and for how long it acts during a time `span`.
    pub fn error(&self, span: f64) -> (f64, f64) {
        match *self {
            Self::Ripple { height, .. } => (height, span),
            Self::LateError { last, .. } => (1.0, last.min(span)),
            _ => (1.0, span),
        }
    }

    /// The field with its error: that of C8 and C9, and a unit push across M for all others.
    pub fn perturbed(&self, span: f64) -> Vec<Stage> {
        let mut stages = self.stages(span);
        let first = usize::from(matches!(self, Self::LateError { .. }));
        for Stage { field, .. } in &mut stages[first..] {
            match *self {
                Self::Ripple { slope, height, .. } => {
                    (field.ripple, field.frequency) = (height, slope / height);
                }
                _ => field.push = [0.0, 1.0],
            }
        }
        stages
    }
}

/// A planar field as a block in R^D: x along the first tangent direction, y along the first normal one.
///
/// The other tangent directions move at the tangent rate, the other normal ones at the normal rate.
#[derive(Clone, Debug)]
pub struct Embedded {
    field: PlaneField,
    tangent: DMatrix<f64>,
    normal: DVector<f64>,
}

impl Embedded {
    /// The block in the plane of the first column of `tangent` (`D×d`, orthonormal) and the unit vector `normal`.
    ///
    /// *Errors*: [`Error::Input`] for sizes that do not fit.
    pub fn new(field: PlaneField, tangent: DMatrix<f64>, normal: DVector<f64>) -> Result<Self> {
        if tangent.ncols() == 0 || tangent.nrows() != normal.len() {
            let problem = format!("a {:?} frame, a normal of {}", tangent.shape(), normal.len());
            return Err(Error::input("embedded field", problem, "give d ≥ 1 columns of length D"));
        }
        Ok(Self { field, tangent, normal })
    }
}

impl Drift for Embedded {
    fn dim(&self) -> usize {
        self.normal.len()
    }

    fn velocity<S: Scalar>(&self, _: S, z: &[S], out: &mut [S]) {
        let along = |v: &[f64]| z.iter().zip(v).map(|(z, v)| *z * *v).sum::<S>();
        let (p, q) = (self.field.tangent_rate, self.field.normal_rate);
        out.iter_mut().zip(z).for_each(|(o, z)| *o = *z * q);
        let dim = self.normal.len();
        let mut add = |v: &[f64], size: S| {
            out.iter_mut().zip(v).for_each(|(o, v)| *o += size * *v);
        };
        for direction in self.tangent.as_slice().chunks_exact(dim) {
            add(direction, along(direction) * (p - q));
        }
        let first = &self.tangent.as_slice()[..dim];
        let (x, y) = (along(first), along(self.normal.as_slice()));
        let [vx, vy] = self.field.at(x, y);
        add(first, vx - x * p);
        add(self.normal.as_slice(), vy - y * q);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_of_a_plane_field_has_its_term() {
        let field = PlaneField {
            tangent_rate: 2.0,
            normal_rate: -3.0,
            shear: 0.5,
            feedback: 0.25,
            lift: 0.2,
            width: 2.0,
            ripple: 0.1,
            frequency: 4.0,
            push: [0.01, 0.02],
        };
        // x' = λ x − β y + p; y' = μ y + b x + c x y²/(y² + w²) + A sin(ω x) + q, at (0.75, 1.5): y²/(y² + w²) = 0.36.
        let [along, across] = field.at(0.75, 1.5);
        assert!((along - (1.5 - 0.375 + 0.01)).abs() < 1e-15);
        let wanted = -4.5 + 0.375 + 0.36 * 0.75 * 0.2 + 0.1 * 3.0_f64.sin() + 0.02;
        assert!((across - wanted).abs() < 1e-15);
    }

    #[test]
    fn stages_fill_the_time_also_when_it_is_shorter_than_the_last_of_them() {
        let late = [
            Counterexample::LateShear { rate: 2.0, shear: 0.5, last: 3.0 },
            Counterexample::LateError { rate: 2.0, last: 3.0 },
        ];
        for (field, span) in late.iter().flat_map(|field| [1.0, 3.0, 4.0].map(|span| (field, span)))
        {
            let stages = field.perturbed(span);
            assert!(stages.iter().all(|stage| stage.duration >= 0.0), "{field:?} for {span}");
            assert_eq!(stages.iter().map(|stage| stage.duration).sum::<f64>(), span);
            let shear = stages.iter().map(|stage| stage.field.shear * stage.duration).sum::<f64>();
            assert!(shear == 0.0 || (shear - 0.5).abs() < 1e-15, "{field:?} for {span}: {shear}");
        }
        assert_eq!(late[1].error(1.0), (1.0, 1.0));
        assert_eq!(late[1].error(4.0), (1.0, 3.0));
    }
}
