//! Laws of a file.

use super::format::{File, Law as LawName, Manifold as Shape};
use super::located::{At, Value};
use super::reader::Reader;
use super::samples::{built_in, points};
use super::shape::chart;
use crate::drift::{Atoms, Denoiser, Gaussian, Moved, Sphere, Thick};
use crate::error::Result;
use crate::manifold::{Chart, Density, Law, Manifold, Piece};
use crate::points::PointSet;
use crate::random::{Stream, chosen};
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
    /// Laws on manifolds, with the share of each.
    Laws(Vec<(f64, Law)>),
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
        _ => match file.manifold.as_ref() {
            Some(At { value: Shape::Samples { file: name, .. }, .. }) => {
                Ok(points(reader, name)?.dim())
            }
            Some(At { value: Shape::DataSet { name, .. }, .. }) => {
                Ok(built_in(reader, name)?.dim())
            }
            Some(shape) => Ok(chart(reader, shape)?.ambient()),
            None => {
                let problem = "nothing tells how many coordinates there are";
                reader.refuse(&file.model.span, problem, "add a manifold, or [state]")
            }
        },
    }
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
        let mut shares = None;
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
                    set.log_weights = log_weights(reader, weights, set.len(), "points")?;
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
            LawName::Uniform { weights, thickness } => {
                shares = weights.as_ref();
                (Density::Uniform, thick(thickness)?)
            }
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
        let on = |manifold: Manifold| {
            let law = Law::OnManifold { manifold, density: density.clone(), thickness };
            law.check().map(|()| law)
        };
        let parts = match shares {
            None => vec![(1.0, reader.located(&law.span, on(manifold.clone()))?)],
            Some(weights) => {
                let pieces = manifold.pieces();
                let logs = log_weights(reader, weights, pieces.len(), "parts")?;
                let part = |(piece, log): (&Piece, &f64)| {
                    let alone = Manifold::union(vec![piece.clone()]);
                    Ok((log.exp(), reader.located(&law.span, alone.and_then(on))?))
                };
                pieces.iter().zip(&logs).map(part).collect::<Result<_>>()?
            }
        };
        located(Self::on_manifolds(parts, thickness, sigma_end, stream, notes))
    }

    fn of_points(set: PointSet, thickness: f64) -> Result<Self> {
        let entries = set.points.as_slice().to_vec();
        let atoms = Atoms::new(set.dim(), entries, Some(set.log_weights.clone()), thickness)?;
        Ok(Self { denoiser: atoms.into(), origin: Origin::Points(set, thickness) })
    }

    /// A closed form, a quadrature rule, or samples that then are the law: of laws, each with its share.
    fn on_manifolds(
        parts: Vec<(f64, Law)>,
        thickness: f64,
        sigma_end: f64,
        stream: Stream,
        notes: &mut Vec<String>,
    ) -> Result<Self> {
        if let [(_, law @ Law::OnManifold { manifold, density: Density::Uniform, .. })] = &parts[..]
            && let Some(radius) = sphere_radius(manifold)
        {
            let sphere = Sphere::new(manifold.dim() + 1, radius)?;
            let motion = &manifold.pieces()[0].motion;
            let centre = motion.apply(&vec![0.0; motion.chart_dim()]);
            let moved = Moved::new(sphere.into(), motion.matrix(), centre)?;
            let denoiser = Thick::new(moved.into(), thickness)?.into();
            return Ok(Self { denoiser, origin: Origin::Laws(vec![(1.0, law.clone())]) });
        }
        let blur = sigma_end.hypot(thickness);
        let (mut points, mut weights, mut farthest) = (Vec::new(), Vec::new(), 0.0_f64);
        let mut dim = 0;
        for (k, (share, law)) in parts.iter().enumerate() {
            let Law::OnManifold { manifold, density, .. } = law else {
                unreachable!("made with a manifold")
            };
            dim = manifold.dim();
            let (nodes, of) = if dim <= 2 {
                let (count, distance) = rule(manifold, blur)?;
                farthest = farthest.max(distance);
                law.quadrature(count)?
            } else {
                let (manifold, density) = (manifold.clone(), density.clone());
                let plain = Law::OnManifold { manifold, density, thickness: 0.0 };
                let stream = if k == 0 { stream } else { stream.indexed(k as u64) };
                (plain.sample(SAMPLES, stream)?, vec![(SAMPLES as f64).recip(); SAMPLES])
            };
            points.extend_from_slice(nodes.as_slice());
            weights.extend(of.into_iter().map(|weight| share * weight));
        }
        let ambient = points.len() / weights.len();
        if dim <= 2 {
            let distance = match farthest >= 0.01 {
                true => format!("about {farthest:.2}"),
                false => "less than 0.01".to_owned(),
            };
            notes.push(format!(
                "the law is a quadrature rule of {} nodes, at distances of {distance} of the last noise level",
                weights.len(),
            ));
            let atoms = Atoms::quadrature(ambient, &points, &weights, thickness)?;
            return Ok(Self { denoiser: atoms.into(), origin: Origin::Laws(parts) });
        }
        notes.push(format!("{} draws from the law stand for it", weights.len()));
        let points = DMatrix::from_vec(ambient, weights.len(), points);
        let mut set = PointSet::of_points("draws", points);
        set.log_weights = weights.iter().map(|weight| weight.ln()).collect();
        Self::of_points(set, thickness)
    }

    /// `count` independent draws.
    ///
    /// *Errors*: as [`Law::sample`].
    pub fn draw(&self, count: usize, stream: Stream) -> Result<Vec<Vec<f64>>> {
        let noise = |i: usize, dim: usize| stream.named("noise").indexed(i as u64).normals(dim);
        Ok(match &self.origin {
            Origin::Laws(parts) => {
                let drawn = |(k, (_, law)): (usize, &(f64, Law))| {
                    law.sample(count, if k == 0 { stream } else { stream.indexed(k as u64) })
                };
                let drawn = parts.iter().enumerate().map(drawn).collect::<Result<Vec<_>>>()?;
                let uniforms = stream.named("part").uniforms(count);
                let one = |(i, uniform): (usize, &f64)| {
                    let part = chosen(*uniform, parts.iter().map(|(share, _)| *share));
                    drawn[part].column(i).iter().copied().collect()
                };
                uniforms.iter().enumerate().map(one).collect()
            }
            Origin::Points(set, thickness) => {
                let uniforms = stream.named("atom").uniforms(count);
                let one = |(i, uniform): (usize, &f64)| {
                    let atom = set.points.column(set.drawn(*uniform));
                    let noise = noise(i, set.dim());
                    atom.iter().zip(noise).map(|(x, z)| x + thickness * z).collect()
                };
                uniforms.iter().enumerate().map(one).collect()
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

/// Nodes along each axis of a rule on a curve or surface, and their distance in units of the blur.
fn rule(manifold: &Manifold, blur: f64) -> Result<(usize, f64)> {
    let volume = manifold.volume(200)?;
    let (most, least) = match manifold.dim() {
        1 => (MOST_NODES.0, 50),
        _ => (MOST_NODES.1, 24),
    };
    let wanted = volume.powf(1.0 / manifold.dim() as f64) / (SPACING * blur);
    let nodes = (wanted as usize).clamp(least, most);
    Ok((nodes, SPACING * wanted / nodes as f64))
}

fn log_weights(
    reader: &Reader<'_>,
    weights: &At<Vec<At<Value>>>,
    count: usize,
    of: &str,
) -> Result<Vec<f64>> {
    if weights.value.len() != count {
        let problem = format!("{} weights for {count} {of}", weights.value.len());
        return reader.refuse(&weights.span, problem, "one positive number for each");
    }
    let each = weights.value.iter().map(|weight| reader.positive(weight));
    let each = each.collect::<Result<Vec<_>>>()?;
    let total: f64 = each.iter().sum();
    Ok(each.iter().map(|weight| (weight / total).ln()).collect())
}

fn is_unbounded(piece: &Piece) -> bool {
    matches!(&piece.chart, Chart::Flat(flat) if !flat.bounded)
}
