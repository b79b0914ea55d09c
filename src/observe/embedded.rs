//! Planar fields as blocks in R^D, run in stages.

use super::resolved::{Resolved, Stage as Leg};
use crate::drift::{Drift, Embedded, Lanes, Stage, Workspace};
use crate::error::Result;
use crate::flow::{Maps, Method, Sampler, uniform_times};
use crate::linalg::frame_from_normals;
use crate::random::Stream;
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};

/// Intervals of the time grid of a stage, a multiple of 4: quarter points.
pub const STEPS: usize = 96;

/// Directions of either kind in which blocks and Jacobians are measured; further ones move like the last.
const MEASURED: usize = 2;

/// The axes of M, and of the first directions of either kind.
pub struct Frame {
    /// U_T, `D×d`.
    pub tangent: DMatrix<f64>,
    /// U_N, `D×(D−d)`.
    pub normal: DMatrix<f64>,
    /// The first of both, in which blocks are measured.
    pub measured: DMatrix<f64>,
    /// How many of the measured ones are tangent.
    pub tangents: usize,
}

impl Frame {
    /// Random axes of R^dim, the first `d` of them tangent.
    pub fn new(axes: Stream, dim: usize, d: usize) -> Self {
        let all = frame_from_normals(dim, dim, &axes.normals(dim * dim));
        let (tangents, normals) = (d.min(MEASURED), (dim - d).min(MEASURED));
        let chosen: Vec<usize> = (0..tangents).chain(d..d + normals).collect();
        Self {
            tangent: all.columns(0, d).into_owned(),
            normal: all.columns(d, dim - d).into_owned(),
            measured: all.select_columns(&chosen),
            tangents,
        }
    }

    /// The state at (x, y) in the plane of the block.
    pub fn start(&self, [x, y]: [f64; 2]) -> Vec<f64> {
        (self.tangent.column(0) * x + self.normal.column(0) * y).as_slice().to_vec()
    }

    /// The T→T block of a matrix in the measured directions.
    pub fn tangent_block(&self, m: &DMatrix<f64>) -> DMatrix<f64> {
        m.view((0, 0), (self.tangents, self.tangents)).into_owned()
    }

    /// Its N→N block.
    pub fn normal_block(&self, m: &DMatrix<f64>) -> DMatrix<f64> {
        let normals = m.nrows() - self.tangents;
        m.view((self.tangents, self.tangents), (normals, normals)).into_owned()
    }
}

/// A flow in its axes, ready to run.
pub struct Prepared {
    fields: Vec<Embedded>,
    /// Each with its refinement, all of as many steps.
    samplers: Vec<(Sampler, Sampler)>,
}

impl Prepared {
    /// The fields of these stages as blocks in that frame, each with a grid of so many steps and its refinement.
    pub fn new(stages: &[Stage], frame: &Frame, steps: usize) -> Result<Self> {
        let embed = |stage: &Stage| {
            let normal = frame.normal.column(0).into_owned();
            Embedded::new(stage.field, frame.tangent.clone(), normal)
        };
        let fields = stages.iter().map(embed).collect::<Result<_>>()?;
        let sampler = |stage: &Stage| {
            let times = uniform_times(0.0, stage.duration, steps);
            let sampler = Sampler::new(Method::DormandPrince, times);
            let refined = sampler.refined();
            (sampler, refined)
        };
        Ok(Self { fields, samplers: stages.iter().map(sampler).collect() })
    }

    /// The orbit from a start, through all stages.
    pub fn run(&self, start: &[f64]) -> Result<Resolved<'_, Embedded>> {
        let legs = self.fields.iter().zip(&self.samplers);
        let legs: Vec<_> =
            legs.map(|(drift, (sampler, refined))| Leg { drift, sampler, refined }).collect();
        Resolved::staged(&legs, start)
    }

    /// The times of the whole grid with the field that acts there, the later one where two meet.
    pub fn times(&self) -> Vec<(f64, &Embedded)> {
        let mut begin = 0.0;
        let mut times: Vec<(f64, &Embedded)> = Vec::new();
        for (field, (sampler, _)) in self.fields.iter().zip(&self.samplers) {
            times.pop();
            times.extend(sampler.times().iter().map(|t| (begin + t, field)));
            begin = times.last().map_or(begin, |(t, _)| *t);
        }
        times
    }
}

/// The steps of all stages, without an error.
impl Maps for Prepared {
    fn dim(&self) -> usize {
        self.fields[0].dim()
    }

    fn maps(&self) -> usize {
        self.samplers.iter().map(|(sampler, _)| sampler.maps()).sum()
    }

    fn map<S: Scalar>(&self, k: usize, _: S, x: &mut [S]) {
        // Every stage has its grid.
        let steps = self.samplers[0].0.maps();
        let (stage, k) = (k / steps, k % steps);
        self.samplers[stage].0.map(&self.fields[stage], k, x);
    }
}

/// A flow beside its exact one, which is that of error size 0.
pub struct Beside<'a> {
    /// The exact flow.
    pub exact: &'a Prepared,
    /// The flow with an error, of as many steps.
    pub flow: &'a Prepared,
}

impl Maps for Beside<'_> {
    fn dim(&self) -> usize {
        self.exact.dim()
    }

    fn maps(&self) -> usize {
        self.exact.maps()
    }

    fn map<S: Scalar>(&self, k: usize, epsilon: S, x: &mut [S]) {
        match epsilon.re() == 0.0 {
            true => self.exact.map(k, epsilon, x),
            false => self.flow.map(k, epsilon, x),
        }
    }
}

/// Uᵀ A U for the columns of a frame.
pub fn jacobian_in_frame(
    field: &Embedded,
    state: &DVector<f64>,
    frame: &DMatrix<f64>,
) -> DMatrix<f64> {
    let mut block = frame.clone().insert_column(0, 0.0);
    block.set_column(0, state);
    let (mut out, lanes) = (block.clone(), Lanes::single(frame.ncols()));
    field.push(0.0, block.as_slice(), lanes, out.as_mut_slice(), &mut Workspace::default());
    frame.tr_mul(&out.remove_column(0))
}
