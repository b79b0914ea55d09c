//! Where the states of a model live, and the tangent map within.

use crate::error::Result;
use crate::linalg::{complement, singular_values, spectral_norm};
use nalgebra::{DMatrix, DVector};

/// The space of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// R^D.
    Flat,
    /// The unit sphere S^{D−1}.
    Sphere,
    /// The product of D/2 unit circles.
    Torus,
}

impl Space {
    /// Brings a state onto the space, by the radial projection of each factor.
    pub fn normalise(self, x: &mut [f64]) {
        let width = match self {
            Self::Flat => return,
            Self::Sphere => x.len(),
            Self::Torus => 2,
        };
        for factor in x.chunks_mut(width) {
            let norm = factor.iter().map(|x| x * x).sum::<f64>().sqrt();
            factor.iter_mut().for_each(|x| *x /= norm);
        }
    }

    /// Orthonormal tangent vectors of the space at a state near it, as columns.
    pub fn tangent(self, x: &DVector<f64>) -> DMatrix<f64> {
        let dim = x.len();
        match self {
            Self::Flat => DMatrix::identity(dim, dim),
            Self::Sphere => complement(&DMatrix::from_columns(&[x.normalize()])),
            Self::Torus => {
                let mut frame = DMatrix::zeros(dim, dim / 2);
                for i in 0..dim / 2 {
                    let radius = x[2 * i].hypot(x[2 * i + 1]);
                    frame[(2 * i, i)] = -x[2 * i + 1] / radius;
                    frame[(2 * i + 1, i)] = x[2 * i] / radius;
                }
                frame
            }
        }
    }

    /// log singular values of the tangent map within the space, and the share of tangent vectors that leave it:
    /// ‖P_⊥ J U‖/‖J U‖, which is 0 for a flow of the space.
    ///
    /// *Errors*: of the factorisations.
    pub fn intrinsic(
        self,
        jacobian: &DMatrix<f64>,
        start: &DVector<f64>,
        end: &DVector<f64>,
    ) -> Result<(Vec<f64>, f64)> {
        let (from, to) = (self.tangent(start), self.tangent(end));
        let pushed = jacobian * from;
        let inside = to.tr_mul(&pushed);
        let leaves = spectral_norm(&(&pushed - &to * &inside))? / spectral_norm(&pushed)?;
        Ok((singular_values(&inside)?.iter().map(|s| s.ln()).collect(), leaves))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    #[test]
    fn a_turn_and_a_stretch_along_the_normal_are_seen_apart() {
        // A quarter turn about e_3 takes e_1 to e_2; its normal is stretched by 5, which is none of the sphere's business.
        let (start, end) =
            (DVector::from_vec(vec![1.0, 0.0, 0.0]), DVector::from_vec(vec![0.0, 1.0, 0.0]));
        let turn = dmatrix![0.0, -2.0, 0.0; 5.0, 0.0, 0.0; 0.0, 0.0, 3.0];
        let (growth, leaves) = Space::Sphere.intrinsic(&turn, &start, &end).unwrap();
        assert!((growth[0] - 3_f64.ln()).abs() < 1e-12 && (growth[1] - 2_f64.ln()).abs() < 1e-12);
        assert!(leaves < 1e-12);
        // e_3 now also leaves along the normal e_2, as long as it stays.
        let shear = dmatrix![0.0, -2.0, 0.0; 5.0, 0.0, 3.0; 0.0, 0.0, 3.0];
        let (_, leaves) = Space::Sphere.intrinsic(&shear, &start, &end).unwrap();
        assert!((leaves - 0.5_f64.sqrt()).abs() < 1e-12, "{leaves}");
    }

    #[test]
    fn circles_of_a_torus_have_their_own_growth() {
        let at = DVector::from_vec(vec![0.6, 0.8, 1.0, 0.0]);
        let mut stretch = DMatrix::identity(4, 4);
        stretch[(3, 3)] = 0.5;
        let (growth, leaves) = Space::Torus.intrinsic(&stretch, &at, &at).unwrap();
        assert!(
            growth[0].abs() < 1e-14 && (growth[1] - 0.5_f64.ln()).abs() < 1e-14 && leaves < 1e-14
        );
        let mut state = [3.0, 4.0, 0.0, -2.0];
        Space::Torus.normalise(&mut state);
        assert_eq!(state, [0.6, 0.8, 0.0, -1.0]);
    }
}
