//! Where trajectories start, and the planes that they carry.

use super::build::Builder;
use super::format::Model;
use super::law::DataLaw;
use super::world::{System, World};
use crate::drift::Drift;
use crate::error::Result;
use crate::linalg::{frame_from_normals, orthonormalise};
use crate::manifold::Manifold;
use crate::random::Stream;
use nalgebra::DMatrix;

/// Most trajectories of a run.
const MOST_STARTS: u32 = 1000;

/// States that hold less of the data than this, to one part of noise, are drawn without them.
const FAINT: f64 = 0.05;

/// Share of a direction that is new to a plane, at least.
const LEAST_NEW: f64 = 1e-9;

impl Builder<'_> {
    /// The starts, one for each trajectory.
    pub(super) fn starts(
        &self,
        system: &System,
        law: Option<&DataLaw>,
        dim: usize,
        stream: Stream,
    ) -> Result<Vec<Vec<f64>>> {
        let (reader, start) = (self.reader, &self.file.start);
        match (&start.value.points, &start.value.draws) {
            (Some(points), None) => {
                if points.value.is_empty() || points.value.len() > MOST_STARTS as usize {
                    let problem =
                        format!("{} starts; expected 1 to {MOST_STARTS}", points.value.len());
                    return reader.refuse(&points.span, problem, "points = [[1.0, 0.5]]");
                }
                points.value.iter().map(|point| reader.vector(point, dim)).collect()
            }
            (None, Some(draws)) => {
                let count = reader.count(draws, 1, MOST_STARTS)?;
                let Some((a, b)) = system.levels(system.begins()) else {
                    let problem =
                        "only a model.path or a model.network has noise to draw starts from";
                    return reader.refuse(&draws.span, problem, "points = [[1.0, 0.5]]");
                };
                let data = match law {
                    Some(law) => law.draw(count, stream.named("data")),
                    None if a > FAINT * b => {
                        let problem = format!(
                            "the first states hold {:.3} of data for 1 of noise, and there is no law of the data",
                            a / b
                        );
                        let hint = "add [law.samples], points, or an earlier first time";
                        return reader.refuse(&draws.span, problem, hint);
                    }
                    None => Ok(vec![vec![0.0; dim]; count]),
                };
                let data = reader.located(&draws.span, data)?;
                let noisy = |(i, mut x): (usize, Vec<f64>)| {
                    let noise = stream.named("noise").indexed(i as u64).normals(dim);
                    x.iter_mut().zip(noise).for_each(|(x, z)| *x = a * *x + b * z);
                    x
                };
                Ok(data.into_iter().enumerate().map(noisy).collect())
            }
            (Some(_), Some(draws)) => {
                reader.refuse(&draws.span, "points and draws", "delete one of the two")
            }
            (None, None) => {
                let problem = "no start is given";
                reader.refuse(&start.span, problem, "points = [[…]], or draws = 8 on a path")
            }
        }
    }

    /// The planes, and whether they were drawn.
    pub(super) fn planes(
        &self,
        manifold: Option<&Manifold>,
        dim: usize,
        count: usize,
        stream: Stream,
    ) -> Result<(Vec<DMatrix<f64>>, bool)> {
        let reader = self.reader;
        let Some(plane) = &self.file.start.value.plane else {
            let wanted = manifold.map_or(dim, Manifold::dim);
            let draw = |i: usize| {
                let stream = stream.named("plane").indexed(i as u64);
                frame_from_normals(dim, wanted, &stream.normals(dim * wanted))
            };
            return Ok(((0..count).map(draw).collect(), true));
        };
        let Some(manifold) = manifold else {
            let problem = "a plane is compared with the tangents of a manifold, and there is none";
            return reader.refuse(&plane.span, problem, "add a manifold, or delete the plane");
        };
        if plane.value.len() != manifold.dim() {
            let problem = format!(
                "{} vectors; expected {}, the dimension of the manifold",
                plane.value.len(),
                manifold.dim()
            );
            return reader.refuse(
                &plane.span,
                problem,
                "as many vectors as the manifold has dimensions",
            );
        }
        let mut basis = DMatrix::zeros(dim, manifold.dim());
        for (i, direction) in plane.value.iter().enumerate() {
            basis.column_mut(i).copy_from_slice(&reader.vector(direction, dim)?);
        }
        let lengths: Vec<f64> = basis.column_iter().map(|column| column.norm()).collect();
        let mut frame = basis.clone();
        let new = orthonormalise(&mut frame);
        let dependent =
            new.iter().zip(&lengths).position(|(log, length)| log.exp() <= LEAST_NEW * length);
        if let Some(at) = dependent {
            let problem = "this vector is 0, or lies in the span of those before it";
            return reader.refuse(&plane.value[at].span, problem, "independent vectors");
        }
        Ok((vec![frame; count], false))
    }
    /// Refuses a field that is not finite where it is first looked at.
    pub(super) fn look_at_start(&self, world: &World) -> Result<()> {
        let Some(field) = world.formulas() else { return Ok(()) };
        let (span, time) = match (&self.file.model.value, &world.system) {
            (Model::Ode { drift, .. }, System::Flow { span, .. }) => (&drift.span, span.0),
            (Model::Map { image, .. }, _) => (&image.span, 0.0),
            _ => return Ok(()),
        };
        for start in &world.starts {
            let mut value = vec![0.0; world.dim];
            field.velocity(time, start, &mut value);
            if let Some(at) = value.iter().position(|v| !v.is_finite()) {
                let problem = format!(
                    "component {at} is {} at the start {start:?}, time {time}; expected a finite number",
                    value[at]
                );
                let hint = "another start, or a formula that is defined there";
                return self.reader.refuse(span, problem, hint);
            }
        }
        Ok(())
    }
}
