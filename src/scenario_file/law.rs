//! Laws of a file.

use super::format::{File, Law as LawName};
use super::located::{At, Value};
use super::reader::Reader;
use super::shape::chart;
use crate::drift::{Atoms, Denoiser, Gaussian, Moved, Sphere, Thick};
use crate::error::Result;
use crate::manifold::{Chart, Density, Law, Manifold, Piece};
use crate::points::{Columns, PointSet, Scaling};
use crate::random::Stream;
use crate::scenario::sphere_radius;
use nalgebra::DMatrix;

/// Atoms drawn where neither a closed form nor a quadrature rule serves.
const SAMPLES: usize = 1500;

/// Distance of quadrature nodes, in units of the last noise level.
const SPACING: f64 = 0.35;

/// Most nodes of a quadrature rule on a curve, and along each axis of a surface.
const MOST_NODES: (usize, usize) = (3000, 64);

/// The law of the data: its posterior means, and how it is drawn from.
#[derive(Clone, Debug)]
pub struct DataLaw {
    /// The exact denoiser.
    pub denoiser: Denoiser,
    origin: Origin,
}

/// Where draws come from.
#[derive(Clone, Debug)]
enum Origin {
    /// A law on a manifold.
    Law(Law),
    /// Points with their log weights, and a thickness.
    Points(PointSet, f64),
    /// Mean and deviations of independent coordinates.
    Normal(Vec<f64>, Vec<f64>),
}

/// D, of a file that declares no state.
pub(super) fn ambient(reader: &Reader<'_>, file: &File) -> Result<usize> {
    match file.law.as_ref().map(|law| &law.value) {
        Some(LawName::Samples { file: name, .. }) => Ok(points(reader, name)?.dim()),
        Some(LawName::DataSet { name, .. }) => Ok(built_in(reader, name)?.dim()),
        Some(LawName::Gaussian { mean, .. }) if !mean.is_empty() => Ok(mean.len()),
        Some(LawName::Atoms { points, .. }) if !points.is_empty() => Ok(points[0].value.len()),
        Some(LawName::Tilt { direction, .. }) if !direction.is_empty() => Ok(direction.len()),
        _ => match &file.manifold {
            Some(shape) => Ok(chart(reader, shape)?.ambient()),
            None => {
                let problem = "nothing tells how many coordinates there are";
                reader.refuse(&file.model.span, problem, "add a manifold, or [state]")
            }
        },
    }
}

/// The points of a data file; relative paths start at the folder of the scenario file.
fn points(reader: &Reader<'_>, file: &At<String>) -> Result<PointSet> {
    let path = reader.source.beside(&file.value);
    reader.located(&file.span, PointSet::read(&path, Columns::Points, Scaling::None))
}

/// The points of a data set that comes with the library.
fn built_in(reader: &Reader<'_>, name: &At<String>) -> Result<PointSet> {
    reader.located(&name.span, PointSet::named(&name.value, Scaling::None))
}

impl DataLaw {
    /// The law of a file; `sigma_end` decides how fine a quadrature rule is.
    pub(super) fn new(
        reader: &Reader<'_>,
        law: &At<LawName>,
        manifold: Option<&Manifold>,
        dim: usize,
        sigma_end: f64,
        stream: Stream,
        notes: &mut Vec<String>,
    ) -> Result<Self> {
        let thick = |thickness: &Option<At<Value>>| {
            thickness.as_ref().map_or(Ok(0.0), |value| reader.not_negative(value))
        };
        let located = |made: Result<Self>| reader.located(&law.span, made);
        let fits = |found: usize| match found == dim {
            true => Ok(()),
            false => {
                let problem = format!("a law in {found} coordinates; the state has {dim}");
                reader.refuse(&law.span, problem, "a state of as many coordinates as the data")
            }
        };
        let (density, thickness) = match &law.value {
            LawName::Samples { file: name, thickness } | LawName::DataSet { name, thickness } => {
                let set = match &law.value {
                    LawName::DataSet { .. } => built_in(reader, name)?,
                    _ => points(reader, name)?,
                };
                let thickness = thick(thickness)?;
                fits(set.dim())?;
                notes.extend(set.notes.iter().map(|note| format!("{}: {note}", set.name)));
                return located(Self::of_points(set, thickness));
            }
            LawName::Atoms { points, weights, thickness } => {
                if points.is_empty() {
                    return reader.refuse(&law.span, "no points", "points = [[0.0, 1.0]]");
                }
                let each = points.iter().map(|point| reader.vector(point, dim));
                let columns = each.collect::<Result<Vec<_>>>()?.concat();
                let points = DMatrix::from_vec(dim, points.len(), columns);
                let mut set = PointSet::of_points("atoms", points);
                if let Some(weights) = weights {
                    set.log_weights = log_weights(reader, weights, set.len())?;
                }
                return located(Self::of_points(set, thick(thickness)?));
            }
            LawName::Gaussian { mean, deviations } => {
                let as_vector =
                    |values: &Vec<At<Value>>| At { value: values.clone(), span: law.span.clone() };
                let mean = reader.vector(&as_vector(mean), dim)?;
                reader.vector(&as_vector(deviations), dim)?;
                let deviations = deviations
                    .iter()
                    .map(|d| reader.not_negative(d))
                    .collect::<Result<Vec<_>>>()?;
                let variances = deviations.iter().map(|d| d * d).collect();
                let made = Gaussian::new(mean.clone(), DMatrix::identity(dim, dim), variances);
                return located(made.map(|gaussian| Self {
                    denoiser: gaussian.into(),
                    origin: Origin::Normal(mean, deviations),
                }));
            }
            LawName::Uniform { thickness } => (Density::Uniform, thick(thickness)?),
            LawName::Tilt { direction, thickness } => {
                let direction = reader.numbers(direction)?;
                fits(direction.len())?;
                (Density::Tilt { direction }, thick(thickness)?)
            }
        };
        let Some(manifold) = manifold else {
            let problem = "a density is one on a manifold, and there is none";
            return reader.refuse(&law.span, problem, "add a manifold, as [manifold.circle]");
        };
        if manifold.pieces().iter().any(is_unbounded) {
            let problem = "a flat has no uniform law";
            return reader.refuse(&law.span, problem, "[manifold.cuboid], or [law.gaussian]");
        }
        let law = Law::OnManifold { manifold: manifold.clone(), density, thickness };
        located(Self::on_manifold(law, sigma_end, stream, notes))
    }

    fn of_points(set: PointSet, thickness: f64) -> Result<Self> {
        let entries = set.points.as_slice().to_vec();
        let atoms = Atoms::new(set.dim(), entries, Some(set.log_weights.clone()), thickness)?;
        Ok(Self { denoiser: atoms.into(), origin: Origin::Points(set, thickness) })
    }

    /// A closed form, a quadrature rule, or samples that then are the law.
    fn on_manifold(
        law: Law,
        sigma_end: f64,
        stream: Stream,
        notes: &mut Vec<String>,
    ) -> Result<Self> {
        law.check()?;
        let Law::OnManifold { manifold, density, thickness } = &law else {
            unreachable!("made with a manifold")
        };
        if let (Some(radius), Density::Uniform) = (sphere_radius(manifold), density) {
            let sphere = Sphere::new(manifold.dim() + 1, radius)?;
            let motion = &manifold.pieces()[0].motion;
            let centre = motion.apply(&vec![0.0; motion.chart_dim()]);
            let moved = Moved::new(sphere.into(), motion.matrix(), centre)?;
            let denoiser = Thick::new(moved.into(), *thickness)?.into();
            return Ok(Self { denoiser, origin: Origin::Law(law) });
        }
        let blur = sigma_end.hypot(*thickness);
        if manifold.dim() <= 2 {
            let volume = manifold.volume(200)?;
            let (most, least) = match manifold.dim() {
                1 => (MOST_NODES.0, 50),
                _ => (MOST_NODES.1, 24),
            };
            let wanted = volume.powf(1.0 / manifold.dim() as f64) / (SPACING * blur);
            let nodes = (wanted as usize).clamp(least, most);
            let (points, weights) = law.quadrature(nodes)?;
            notes.push(format!(
                "the law is a quadrature rule of {} nodes, at distances of about {:.2} of the last noise level",
                points.ncols(),
                SPACING * wanted / nodes as f64
            ));
            let atoms = Atoms::quadrature(points.nrows(), points.as_slice(), &weights, *thickness)?;
            return Ok(Self { denoiser: atoms.into(), origin: Origin::Law(law) });
        }
        let plain = Law::OnManifold {
            manifold: manifold.clone(),
            density: density.clone(),
            thickness: 0.0,
        };
        let points = plain.sample(SAMPLES, stream)?;
        notes.push(format!("{SAMPLES} draws from the law stand for it"));
        Self::of_points(PointSet::of_points("draws", points), *thickness)
    }

    /// `count` independent draws.
    ///
    /// *Errors*: as [`Law::sample`].
    pub fn draw(&self, count: usize, stream: Stream) -> Result<Vec<Vec<f64>>> {
        let noise = |i: usize, dim: usize| stream.named("noise").indexed(i as u64).normals(dim);
        Ok(match &self.origin {
            Origin::Law(law) => {
                let points = law.sample(count, stream)?;
                points.column_iter().map(|point| point.iter().copied().collect()).collect()
            }
            Origin::Points(set, thickness) => {
                let chosen = stream.named("atom").uniforms(count);
                let one = |(i, uniform): (usize, &f64)| {
                    let atom = set.points.column(set.drawn(*uniform));
                    let noise = noise(i, set.dim());
                    atom.iter().zip(noise).map(|(x, z)| x + thickness * z).collect()
                };
                chosen.iter().enumerate().map(one).collect()
            }
            Origin::Normal(mean, deviations) => {
                let one = |i: usize| {
                    let entries = mean.iter().zip(deviations).zip(noise(i, mean.len()));
                    entries.map(|((m, d), z)| m + d * z).collect()
                };
                (0..count).map(one).collect()
            }
        })
    }
}

fn log_weights(
    reader: &Reader<'_>,
    weights: &At<Vec<At<Value>>>,
    count: usize,
) -> Result<Vec<f64>> {
    if weights.value.len() != count {
        let problem = format!("{} weights for {count} points", weights.value.len());
        return reader.refuse(&weights.span, problem, "one positive number for each point");
    }
    let each = weights.value.iter().map(|weight| reader.positive(weight));
    let each = each.collect::<Result<Vec<_>>>()?;
    let total: f64 = each.iter().sum();
    Ok(each.iter().map(|weight| (weight / total).ln()).collect())
}

fn is_unbounded(piece: &Piece) -> bool {
    matches!(&piece.chart, Chart::Flat(flat) if !flat.bounded)
}
