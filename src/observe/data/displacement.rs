//! One trajectory of the exact flow with the displacements that errors of its velocity cause.

use crate::drift::{
    Denoiser, Drift, GaussianPath, InVelocity, Inexact, Lanes, LearningError, Schedule, Workspace,
};
use crate::error::{Error, Result};
use crate::flow::{Method, Sampler, StepWorkspace};
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};

/// The exact flow on a schedule, and the grid on which it is run and looked at.
pub struct Model<'a> {
    /// The posterior mean of the data.
    pub denoiser: &'a Denoiser,
    /// The schedule.
    pub schedule: Schedule,
    /// Noise levels σ = b/a of the grid, decreasing.
    pub sigmas: Vec<f64>,
    /// Indices into the grid at which the state is looked at, increasing.
    pub marks: Vec<usize>,
}

/// A state and its displacements at one noise level, in canonical coordinates y = x/a.
pub struct Displaced {
    /// The state of the exact flow.
    pub state: DVector<f64>,
    /// `D×m`: dy/dε for each error.
    pub displacements: DMatrix<f64>,
    /// The states of the flows with each error at its finite size.
    pub inexact: Vec<DVector<f64>>,
}

/// δ' = A δ + w for several errors w: tangents that are pushed and forced.
struct Forced<'a, 'b> {
    exact: &'a GaussianPath<'b, Denoiser>,
    errors: &'a [InVelocity<'b, LearningError>],
}

impl Drift for Forced<'_, '_> {
    fn dim(&self) -> usize {
        self.exact.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        self.exact.velocity(s, x, out);
    }

    fn push(&self, s: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        self.exact.push(s, block, lanes, out, work);
        let dim = self.dim();
        let mut w = vec![0.0; dim];
        for (error, out) in self.errors.iter().zip(out[dim..].chunks_exact_mut(dim)) {
            error.velocity(s, &block[..dim], &mut w);
            out.iter_mut().zip(&w).for_each(|(out, w)| *out += w);
        }
    }
}

impl Model<'_> {
    /// The trajectory from the canonical state `start`, with each of the errors at size `epsilon` to first order
    /// and in full.
    ///
    /// *Errors*: [`Error::Numeric`] when a state or displacement is not finite.
    pub fn run(
        &self,
        start: &[f64],
        errors: &[InVelocity<'_, LearningError>],
        epsilon: f64,
    ) -> Result<Vec<Displaced>> {
        let (dim, count) = (start.len(), errors.len());
        let times = self.sigmas.iter().map(|sigma| self.schedule.time_at_sigma(*sigma)).collect();
        let sampler = Sampler::new(Method::Rk4, times);
        let path = GaussianPath { schedule: self.schedule, denoiser: self.denoiser };
        let mut exact = vec![0.0; dim * (1 + count)];
        self.enter(start, &mut exact[..dim]);
        let forced = Forced { exact: &path, errors };
        let exact = self.blocks(&sampler, &forced, exact, Lanes::single(count))?;
        let inexact = errors
            .iter()
            .map(|error| {
                let mut state = vec![0.0; dim];
                self.enter(start, &mut state);
                let drift = Inexact { exact: &path, error, epsilon };
                self.blocks(&sampler, &drift, state, Lanes::single(0))
            })
            .collect::<Result<Vec<_>>>()?;
        let at_mark = |(mark, block): (usize, &Vec<f64>)| Displaced {
            state: DVector::from_column_slice(&block[..dim]),
            displacements: DMatrix::from_column_slice(dim, count, &block[dim..]),
            inexact: inexact.iter().map(|run| DVector::from_column_slice(&run[mark])).collect(),
        };
        Ok(exact.iter().enumerate().map(at_mark).collect())
    }

    /// x = a y at the first noise level.
    fn enter(&self, canonical: &[f64], out: &mut [f64]) {
        let (a, _) = self.schedule.coefficients(self.schedule.time_at_sigma(self.sigmas[0]));
        out.iter_mut().zip(canonical).for_each(|(x, y)| *x = a * y);
    }

    /// The blocks at the marks, divided by a.
    fn blocks(
        &self,
        sampler: &Sampler,
        drift: &impl Drift,
        mut block: Vec<f64>,
        lanes: Lanes,
    ) -> Result<Vec<Vec<f64>>> {
        let (mut work, mut seen) = (StepWorkspace::default(), Vec::new());
        for k in 0..=sampler.maps() {
            if self.marks.contains(&k) {
                let (a, _) = self.schedule.coefficients(sampler.times()[k]);
                if !block.iter().all(|x| x.is_finite()) {
                    let problem = format!("not finite at noise level {:e}", self.sigmas[k]);
                    return Err(Error::numeric("displacement by errors", problem));
                }
                seen.push(block.iter().map(|x| x / a).collect());
            }
            if k < sampler.maps() {
                sampler.step(drift, k, &mut block, lanes, &mut work);
            }
        }
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{Atoms, Parametrisation, push_generic};
    use crate::flow::{InexactFlow, Orbit, geometric_times};
    use crate::random::Stream;
    use crate::response::sensitivities;
    use crate::scalar::Tangents;

    const SCHEDULE: Schedule = Schedule::FlowMatching;

    fn run(
        denoiser: &Denoiser,
        start: &[f64],
        error: &LearningError,
        parametrisation: Parametrisation,
    ) -> Displaced {
        let sigmas = geometric_times(8.0, 0.125, 64);
        let model = Model { denoiser, schedule: SCHEDULE, sigmas, marks: vec![64] };
        let error = InVelocity { error, parametrisation, schedule: SCHEDULE };
        model.run(start, &[error], 0.1).unwrap().remove(0)
    }

    #[test]
    fn displacements_over_one_point_are_in_closed_form() {
        // D = p, so that (δ/σ)' = −e_D/σ² along dy/dσ = (y − D)/σ; e_D is e, −σe, σ²e/(1 + σ), σe/(1 + σ).
        let denoiser = Atoms::new(2, vec![3.0, -1.0], None, 0.0).unwrap().into();
        let e = [0.6, -0.8];
        let (from, to) = (8.0_f64, 0.125_f64);
        let expected = [
            (Parametrisation::Denoiser, 1.0 - to / from),
            (Parametrisation::Noise, -to * (from / to).ln()),
            (Parametrisation::Score, to * ((1.0 + from) / (1.0 + to)).ln()),
            (Parametrisation::Velocity, to * (from / (1.0 + from) * (1.0 + to) / to).ln()),
        ];
        for (parametrisation, factor) in expected {
            let seen = run(&denoiser, &[5.0, 2.0], &LearningError::constant(&e), parametrisation);
            for (i, e) in e.iter().enumerate() {
                // RK4 in steps of log σ of 0.065.
                let first_order = seen.displacements[(i, 0)];
                assert!((first_order - factor * e).abs() < 1e-5, "{parametrisation:?}");
                // The field is affine in the state, so the first order is all.
                let in_full = seen.inexact[0][i] - seen.state[i];
                assert!((in_full - 0.1 * first_order).abs() < 1e-12, "{parametrisation:?}");
            }
        }
    }

    #[test]
    fn the_fast_push_of_an_inexact_field_is_that_of_its_velocity() {
        let stream = Stream::root(22);
        let atoms: Denoiser = Atoms::new(3, stream.normals(30), None, 0.0).unwrap().into();
        let exact = GaussianPath { schedule: SCHEDULE, denoiser: &atoms };
        let error = &LearningError::fourier(3, 5, 1.5, 1.0, stream.named("field"));
        let inexact = Inexact { exact: &exact, error, epsilon: 0.3 };
        let (block, lanes) = (stream.named("block").normals(12), Lanes::single(3));
        let (mut fast, mut generic) = (vec![0.0; 12], vec![0.0; 12]);
        let mut work = Workspace::default();
        inexact.push(0.6, &block, lanes, &mut fast, &mut work);
        let field = |x: &[Tangents], v: &mut [Tangents]| inexact.velocity(0.6.into(), x, v);
        push_generic(3, &block, lanes, &mut generic, &mut work, field);
        let pairs = fast.iter().zip(&generic);
        assert!(pairs.clone().all(|(f, g)| (f - g).abs() < 1e-10), "{fast:?} {generic:?}");
    }

    #[test]
    fn pushed_and_forced_tangents_are_the_sensitivities_by_duals_in_epsilon() {
        let stream = Stream::root(21);
        let atoms: Denoiser = Atoms::new(3, stream.normals(30), None, 0.0).unwrap().into();
        let field = LearningError::fourier(3, 5, 1.5, 1.0, stream.named("field"));
        let start: Vec<f64> = stream.named("start").normals(3).iter().map(|z| 8.0 * z).collect();
        for parametrisation in Parametrisation::ALL {
            let seen = run(&atoms, &start, &field, parametrisation);
            let error = InVelocity { error: &field, parametrisation, schedule: SCHEDULE };
            let drift = GaussianPath { schedule: SCHEDULE, denoiser: &atoms };
            let times: Vec<f64> = geometric_times(8.0, 0.125, 64)
                .iter()
                .map(|s| SCHEDULE.time_at_sigma(*s))
                .collect();
            let (first, last) = (times[0], times[64]);
            let sampler = Sampler::new(Method::Rk4, times);
            let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
            let entered: Vec<f64> = start.iter().map(|y| first * y).collect();
            let (state, delta) = sensitivities(&maps, &entered).unwrap().remove(64);
            assert!((state / last - &seen.state).norm() < 1e-9);
            let missed = (delta / last - seen.displacements.column(0)).norm();
            assert!(missed < 1e-9 * (1.0 + seen.displacements.norm()), "{missed}");
            assert!(seen.displacements.norm() > 1e-3);
            let orbit = Orbit::from(&maps, 0.1, &entered).unwrap();
            let missed = (orbit.end() / last - &seen.inexact[0]).norm();
            assert!(missed < 1e-9 * (1.0 + seen.state.norm()), "{missed}");
        }
    }
}
