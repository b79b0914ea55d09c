//! Trajectories onto spheres and circles in up to many dimensions, with the stretches on both sides of the gap.

use super::super::median;
use super::{LEVELS, sampler};
use crate::claims::radial_law::RadialLaw;
use crate::drift::{Canonical, Denoiser, Lanes, Moved, Sphere};
use crate::error::Result;
use crate::facts::Quantity;
use crate::flow::StepWorkspace;
use crate::linalg::dot;
use crate::random::{Stream, unit_vector};
use nalgebra::DMatrix;
use rayon::prelude::*;

/// What grows with the dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The unit sphere S^{D−1} in R^D: one normal direction, the radius.
    Sphere,
    /// The unit circle in the first two of D coordinates: one tangent direction.
    Circle,
}

/// One trajectory at all noise levels.
struct Track {
    /// Largest normal over tangential stretch.
    ratio: Vec<f64>,
    /// Tangent of the angle of a random plane.
    slope: Vec<f64>,
    /// |y| at the start and at the end.
    radii: [f64; 2],
}

/// The tracks of one family in one dimension.
pub struct Onset {
    /// D.
    pub dim: usize,
    tracks: Vec<Track>,
}

impl Onset {
    /// Runs the family in dimension D, from typical starts.
    ///
    /// *Errors*: never for D ≥ 2.
    pub fn new(family: Family, dim: usize, trajectories: usize, stream: Stream) -> Result<Self> {
        let law: Denoiser = match family {
            Family::Sphere => Sphere::new(dim, 1.0)?.into(),
            Family::Circle => {
                let frame = DMatrix::identity(dim, 2);
                Moved::new(Sphere::new(2, 1.0)?.into(), frame, vec![0.0; dim])?.into()
            }
        };
        let track = |i: usize| track(family, &law, dim, stream.indexed(i as u64));
        Ok(Self { dim, tracks: (0..trajectories).into_par_iter().map(track).collect() })
    }

    /// Median ratio of the largest normal to the tangential stretch at each noise level.
    pub fn ratios(&self) -> Vec<Quantity> {
        self.medians(|track| &track.ratio)
    }

    /// Median tangent of the angle of a random plane at each noise level.
    pub fn slopes(&self) -> Vec<Quantity> {
        self.medians(|track| &track.slope)
    }

    fn medians(&self, of: impl Fn(&Track) -> &Vec<f64>) -> Vec<Quantity> {
        let at =
            |k: usize| median(&self.tracks.iter().map(|track| of(track)[k]).collect::<Vec<_>>());
        (0..self.tracks[0].ratio.len()).map(at).collect()
    }

    /// Largest relative difference of J_r/J_T at the end from the radial quantile map of a sphere.
    pub(super) fn off_the_quantile_map(&self) -> f64 {
        let law = |sigma: f64| RadialLaw { dim: self.dim, radius: 1.0, sigma };
        let (start, end) = (law(LEVELS.0), law(LEVELS.1));
        let off = |track: &Track| {
            let [from, to] = track.radii;
            let radial = start.density(from) / end.density(to);
            let last = track.ratio.len() - 1;
            (track.ratio[last] / (radial * from / to) - 1.0).abs()
        };
        self.tracks.iter().map(off).fold(0.0, f64::max)
    }
}

/// One trajectory with a radial tangent, one along the manifold, and one out of the span.
fn track(family: Family, law: &Denoiser, dim: usize, stream: Stream) -> Track {
    let span = if family == Family::Sphere { dim } else { 2 };
    let mut rng = stream.named("point").rng();
    let mut start = unit_vector(&mut rng, span);
    start.resize(dim, 0.0);
    let noise = stream.named("noise").normals(dim);
    start.iter_mut().zip(&noise).for_each(|(y, z)| *y += LEVELS.0 * z);

    let inside = dot(&start[..span], &start[..span]).sqrt();
    let mut radial: Vec<f64> = start[..span].iter().map(|y| y / inside).collect();
    radial.resize(dim, 0.0);
    // Any direction of the span orthogonal to the radius.
    let mut along = vec![0.0; dim];
    let (first, second) = (radial[0], radial[1]);
    let size = first.hypot(second);
    (along[0], along[1]) = (-second / size, first / size);
    let mut block = [start.clone(), radial.clone(), along.clone()].concat();
    let mut tangents = 2;
    if family == Family::Circle {
        if dim > 2 {
            block.extend((0..dim).map(|i| f64::from(u8::from(i == 2))));
            tangents += 1;
        }
        // The random line itself.
        block.extend(unit_vector(&mut stream.named("plane").rng(), dim));
        tangents += 1;
    }
    // A random hyperplane is known by its normal m: its slope over the tangents is l = |m_T|/|m_r|, and J/J_T takes l to l J_r/J_T.
    let normal = unit_vector(&mut stream.named("plane").rng(), dim);
    let up = dot(&normal, &radial);
    let slope = (1.0 - up * up).max(0.0).sqrt() / up.abs();

    let (sampler, lanes) = (sampler(), Lanes::single(tangents));
    let mut work = StepWorkspace::default();
    let mut out = Track { ratio: vec![1.0], slope: Vec::new(), radii: [inside, 0.0] };
    let column = |block: &[f64], i: usize| -> Vec<f64> { block[i * dim..(i + 1) * dim].to_vec() };
    let lean = |block: &[f64], ratio: f64| match family {
        Family::Sphere => slope * ratio,
        Family::Circle => {
            let line = column(block, tangents);
            let tangent = dot(&line, &along);
            (dot(&line, &line) - tangent * tangent).max(0.0).sqrt() / tangent.abs()
        }
    };
    out.slope.push(lean(&block, 1.0));
    for k in 0..sampler.maps() {
        sampler.step(&Canonical { denoiser: law }, k, &mut block, lanes, &mut work);
        let stretch = |i: usize, direction: &[f64]| dot(&column(&block, i), direction).abs();
        let mut normal = stretch(1, &radial);
        if family == Family::Circle && dim > 2 {
            normal = normal.max(block[3 * dim + 2].abs());
        }
        let ratio = normal / stretch(2, &along);
        out.ratio.push(ratio);
        out.slope.push(lean(&block, ratio));
    }
    out.radii[1] = dot(&block[..span], &block[..span]).sqrt();
    out
}
