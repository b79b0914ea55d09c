//! Manifolds and schedules of a file.

use super::format::{
    CoordinateRange, Manifold as ManifoldName, Schedule as ScheduleName, UnionPart,
};
use super::located::At;
use super::reader::Reader;
use super::samples::{built_in, points, ridge};
use crate::drift::Schedule;
use crate::error::Result;
use crate::manifold::{
    self as shapes, Chart, Coordinate, Implicit, Manifold, Motion, Piece, Variable,
};

/// The most dimensions of a sphere or a flat.
const MOST_DIMENSIONS: u32 = 256;

/// The manifold of a file, in the first coordinates of R^`dim`.
pub(super) fn manifold(
    reader: &Reader<'_>,
    shape: Option<&At<ManifoldName>>,
    dim: usize,
) -> Result<Option<Manifold>> {
    let Some(shape) = shape else { return Ok(None) };
    let made = chart(reader, shape)?;
    if made.ambient() > dim {
        let problem = format!("a manifold in {} coordinates; the state has {dim}", made.ambient());
        return reader.refuse(&shape.span, problem, "a state of more coordinates");
    }
    if made.dim() == dim {
        let problem = "the manifold fills the whole space: nothing is normal to it";
        return reader.refuse(&shape.span, problem, "a manifold of lower dimension");
    }
    if made.ambient() == dim {
        return Ok(Some(made));
    }
    let motion = Motion::identity(made.ambient(), dim);
    let moved = motion.and_then(|motion| made.moved(&motion));
    reader.located(&shape.span, moved).map(Some)
}

/// The manifold in its own space.
pub(super) fn chart(reader: &Reader<'_>, shape: &At<ManifoldName>) -> Result<Manifold> {
    use ManifoldName as M;
    let made = match &shape.value {
        M::Circle { radius } => Manifold::new(Chart::circle(reader.positive(radius)?)),
        M::Ellipse { a, b } => Manifold::new(Chart::Ellipse(shapes::Ellipse {
            a: reader.positive(a)?,
            b: reader.positive(b)?,
        })),
        M::Sphere { dim, radius } => Manifold::new(Chart::Sphere(shapes::Sphere {
            dim: reader.count(dim, 1, MOST_DIMENSIONS)?,
            radius: reader.positive(radius)?,
        })),
        M::Torus { major, minor } => {
            let (large, small) = (reader.positive(major)?, reader.positive(minor)?);
            if small >= large {
                let problem = format!("the tube of radius {small} meets itself around {large}");
                return reader.refuse(&minor.span, problem, "minor less than major");
            }
            Manifold::new(Chart::Torus(shapes::Torus { major: large, minor: small }))
        }
        M::FlatTorus { radii } => {
            let lengths = radii.iter().map(|r| reader.positive(r)).collect::<Result<Vec<_>>>()?;
            if lengths.is_empty() {
                let problem = "a product of no circles";
                return reader.refuse(&shape.span, problem, "radii = [1.0, 2.0]");
            }
            Manifold::new(Chart::flat_torus(&lengths))
        }
        M::Arc { radius, from, to } => {
            let (first, last) = (reader.number(from)?, reader.number(to)?);
            if last <= first || last - first >= std::f64::consts::TAU {
                let problem = format!("angles from {first} to {last}");
                let hint = "a last angle above the first by less than 2*pi; circle for the whole";
                return reader.refuse(&to.span, problem, hint);
            }
            Manifold::new(Chart::Arc(shapes::Arc {
                radius: reader.positive(radius)?,
                from: first,
                to: last,
            }))
        }
        M::Moons { radius } => Manifold::moons(reader.positive(radius)?),
        M::SwissRoll { inner, growth, angle, half_width } => {
            let spiral = shapes::Spiral {
                inner: reader.positive(inner)?,
                growth: reader.positive(growth)?,
                angle: reader.positive(angle)?,
            };
            Manifold::new(Chart::swiss_roll(spiral, reader.positive(half_width)?))
        }
        M::Flat { dim } => {
            let half_widths = vec![1.0; reader.count(dim, 1, MOST_DIMENSIONS)?];
            Manifold::new(Chart::Flat(shapes::Flat { half_widths, bounded: false }))
        }
        M::Cuboid { half_widths } => {
            let half_widths =
                half_widths.iter().map(|w| reader.positive(w)).collect::<Result<Vec<_>>>()?;
            if half_widths.is_empty() {
                let problem = "a box of no dimension";
                return reader.refuse(&shape.span, problem, "half_widths = [1.0]");
            }
            Manifold::new(Chart::Flat(shapes::Flat { half_widths, bounded: true }))
        }
        M::Chart { coordinates, point } => {
            let ranges = coordinates.iter().map(|(name, range)| coordinate(reader, name, range));
            let ranges = ranges.collect::<Result<Vec<_>>>()?;
            let named =
                |key: &toml::Spanned<String>| At { value: key.get_ref().clone(), span: key.span() };
            let names: Vec<At<String>> = coordinates.keys().map(named).collect();
            let formula = reader.formula_of(&names, point)?;
            let made = reader.located(&point.span, shapes::Stated::new(ranges, formula))?;
            Manifold::new(Chart::Stated(made))
        }
        M::Implicit { equations, within } => {
            let names = &reader.coordinates;
            if names.is_empty() {
                let problem = "equations need names for the state";
                let hint = "add [state] with names = [\"x\", \"y\"]";
                return reader.refuse(&equations.span, problem, hint);
            }
            if within.value.len() != names.len() {
                let problem = format!("{} ranges; expected {}", within.value.len(), names.len());
                return reader.refuse(&within.span, problem, "one range for each coordinate");
            }
            let ranges = within.value.iter().zip(names).map(|(range, name)| {
                let [from, to] = reader.vector(range, 2)?[..] else { unreachable!("it has two") };
                if from >= to {
                    let problem = format!("{name} is looked for from {from} to {to}");
                    return reader.refuse(&range.span, problem, "an end above the start");
                }
                Ok(Variable { name: name.clone(), from, to })
            });
            let ranges = ranges.collect::<Result<Vec<_>>>()?;
            let formula = reader.formula_of_state(equations)?;
            let made = reader.located(&equations.span, Implicit::new(ranges, formula))?;
            Manifold::new(Chart::Implicit(made))
        }
        M::Samples { file, dimension, neighbours } => {
            return ridge(reader, &points(reader, file)?, dimension, neighbours.as_ref());
        }
        M::DataSet { name, dimension, neighbours } => {
            return ridge(reader, &built_in(reader, name)?, dimension, neighbours.as_ref());
        }
        M::Union(parts) => return union(reader, shape, parts),
    };
    reader.located(&shape.span, made)
}

/// The union of parts, in a space that holds all of them.
fn union(
    reader: &Reader<'_>,
    shape: &At<ManifoldName>,
    parts: &[At<UnionPart>],
) -> Result<Manifold> {
    if parts.len() < 2 {
        let problem = format!("a union of {} part", parts.len());
        return reader.refuse(&shape.span, problem, "two parts at least, each with its shape");
    }
    let made = parts.iter().map(|part| chart(reader, &part.value.shape));
    let made = made.collect::<Result<Vec<_>>>()?;
    let sizes = parts.iter().zip(&made).map(|(part, made)| {
        made.ambient().max(part.value.shift.as_ref().map_or(0, |shift| shift.value.len()))
    });
    let ambient = sizes.max().expect("there are two");
    let mut pieces = Vec::new();
    for (part, made) in parts.iter().zip(&made) {
        if made.dim() != pieces.first().map_or(made.dim(), |first: &Piece| first.chart.dim()) {
            let problem = format!(
                "a part of dimension {}; the first has dimension {}",
                made.dim(),
                pieces[0].chart.dim()
            );
            return reader.refuse(&part.value.shape.span, problem, "parts of one dimension");
        }
        let shift = match &part.value.shift {
            Some(shift) => reader.vector(shift, ambient)?,
            None => vec![0.0; ambient],
        };
        let motion = Motion::identity(made.ambient(), ambient)
            .and_then(|motion| motion.shifted(&shift))
            .and_then(|motion| made.moved(&motion));
        pieces.extend_from_slice(reader.located(&part.span, motion)?.pieces());
    }
    let union = reader.located(&shape.span, Manifold::union(pieces))?;
    let gap = union.gap();
    if gap.value <= gap.bar {
        let problem = "parts of the union meet, or nearly so: there nothing is tangent";
        return reader.refuse(&shape.span, problem, "parts at a distance, by their shifts");
    }
    Ok(union)
}

/// A coordinate of a chart.
fn coordinate(
    reader: &Reader<'_>,
    name: &toml::Spanned<String>,
    range: &At<CoordinateRange>,
) -> Result<Coordinate> {
    let CoordinateRange { from, to, periodic } = &range.value;
    let (first, last) = (reader.number(from)?, reader.number(to)?);
    if first >= last {
        let problem = format!("{} ranges from {first} to {last}", name.get_ref());
        return reader.refuse(&to.span, problem, "an end above the start");
    }
    let (name, periodic) = (name.get_ref().clone(), *periodic);
    Ok(Coordinate { name, from: first, to: last, periodic })
}

/// The schedule of a path.
pub(super) fn schedule(reader: &Reader<'_>, name: &At<ScheduleName>) -> Result<Schedule> {
    use ScheduleName as S;
    let made = match &name.value {
        S::FlowMatching => Schedule::FlowMatching,
        S::Trigonometric => Schedule::Trigonometric,
        S::VpLinear { beta_min, beta_max } => Schedule::VpLinear {
            beta_min: reader.number(beta_min)?,
            beta_max: reader.number(beta_max)?,
        },
        S::VpCosine { offset } => Schedule::VpCosine { offset: reader.number(offset)? },
        S::SubVp { beta_min, beta_max } => Schedule::SubVp {
            beta_min: reader.number(beta_min)?,
            beta_max: reader.number(beta_max)?,
        },
        S::Ve { sigma_min, sigma_max } => Schedule::Ve {
            sigma_min: reader.number(sigma_min)?,
            sigma_max: reader.number(sigma_max)?,
        },
        S::Edm { sigma_min, sigma_max, rho } => Schedule::Edm {
            sigma_min: reader.number(sigma_min)?,
            sigma_max: reader.number(sigma_max)?,
            rho: reader.count(rho, 1, 100)? as i32,
        },
    };
    reader.located(&name.span, made.validate())?;
    Ok(made)
}
