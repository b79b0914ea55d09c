//! Laws of data: densities on manifolds, thickened or not, and laws without a manifold.

use super::chart::{Axis, check_length, check_storage};
use super::sampling::Sampler;
use super::scatter::Scatter;
use super::{Manifold, Piece, Place};
use crate::error::{Error, Result};
use crate::random::{Stream, unit_vector};
use nalgebra::{DMatrix, DVector};
use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// A smooth density on a manifold, with respect to volume, up to its constant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "density", rename_all = "kebab-case")]
pub enum Density {
    /// Constant.
    #[default]
    Uniform,
    /// exp⟨c, x⟩: the von Mises–Fisher law on a sphere.
    Tilt {
        /// The vector c, in R^D.
        direction: Vec<f64>,
    },
    /// exp(strength Σ cos⟨w_i, x_i⟩) over the factors of a product, in the coordinates of each piece before it
    /// is moved: ridges of high density, many where the waves are short.
    Ripples {
        /// The vectors w_i one after the other.
        frequency: Vec<f64>,
        /// Strength; 0 is uniform.
        strength: f64,
    },
    /// exp(strength·cos u) of one angle parameter u of every piece.
    Cosine {
        /// Index of the parameter; its axis must be an angle.
        axis: usize,
        /// Strength; 0 is uniform.
        strength: f64,
    },
}

/// One Gaussian N(mean, width² I) of a mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Weight, up to the common constant.
    pub weight: f64,
    /// Mean, in R^D.
    pub mean: Vec<f64>,
    /// Standard deviation in every direction.
    pub width: f64,
}

/// A law of data points in R^D.
///
/// ```
/// use driftproof::manifold::Law;
/// use driftproof::random::Stream;
/// // Density ∝ (1 − |x|²)² on the unit disc: E|x|² = (D/2)/(D/2 + k + 1) = 1/4.
/// let disc = Law::Ball { dim: 2, radius: 1.0, power: 2.0 };
/// let points = disc.sample(4000, Stream::root(1)).unwrap();
/// let mean = points.column_iter().map(|x| x.norm_squared()).sum::<f64>() / 4000.0;
/// assert!((mean - 0.25).abs() < 5.0 * 0.2 / 4000_f64.sqrt());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "law", rename_all = "kebab-case")]
pub enum Law {
    /// A density on a manifold, plus Gaussian noise in all of R^D.
    OnManifold {
        /// The manifold.
        manifold: Manifold,
        /// The density by volume.
        density: Density,
        /// Standard deviation of the noise in every direction; 0 for none.
        thickness: f64,
    },
    /// Density ∝ Π(1 − (x_i/half_width)²)^power on a cube.
    Cube {
        /// Dimension D.
        dim: usize,
        /// Half width of the cube.
        half_width: f64,
        /// The power k ≥ 0; the density vanishes to that order at the faces.
        power: f64,
    },
    /// Density ∝ (1 − |x/radius|²)^power on a ball.
    Ball {
        /// Dimension D.
        dim: usize,
        /// Radius of the ball.
        radius: f64,
        /// The power k ≥ 0; the density vanishes to that order at the sphere.
        power: f64,
    },
    /// A mixture of isotropic Gaussians.
    Mixture {
        /// The components.
        components: Vec<Component>,
    },
}

impl Law {
    /// The uniform law of a manifold.
    pub fn uniform(manifold: Manifold) -> Self {
        Self::OnManifold { manifold, density: Density::Uniform, thickness: 0.0 }
    }

    /// Dimension D of the points.
    pub fn ambient(&self) -> usize {
        match self {
            Self::OnManifold { manifold, .. } => manifold.ambient(),
            Self::Cube { dim, .. } | Self::Ball { dim, .. } => *dim,
            Self::Mixture { components } => components.first().map_or(0, |c| c.mean.len()),
        }
    }

    /// Refuses degenerate parameters.
    ///
    /// *Errors*: [`Error::Input`] for negative thickness, weights or powers, for
    /// lengths that are not positive, shapes that do not fit, a cosine of
    /// what is not an angle.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::OnManifold { manifold, density, thickness } => {
                manifold.check_volume()?;
                check_not_negative("thickness", *thickness)?;
                density.check(manifold)
            }
            Self::Cube { dim, half_width: length, power }
            | Self::Ball { dim, radius: length, power } => {
                if *dim == 0 {
                    return Err(Error::input("law", "has dimension 0", "give dim ≥ 1"));
                }
                check_length("law width", *length)?;
                check_not_negative("law power", *power)
            }
            Self::Mixture { components } => {
                let dim = self.ambient();
                if dim == 0 || components.iter().map(|c| c.weight).sum::<f64>() <= 0.0 {
                    let problem = "has no dimension or no weight";
                    return Err(Error::input("mixture", problem, "give components of weight > 0"));
                }
                for component in components {
                    check_not_negative("mixture weight", component.weight)?;
                    check_not_negative("mixture width", component.width)?;
                    let finite = component.mean.iter().all(|x| x.is_finite());
                    if component.mean.len() != dim || !finite {
                        let problem = "means have different lengths, or are not finite";
                        return Err(Error::input("mixture", problem, "give means in one space"));
                    }
                }
                Ok(())
            }
        }
    }

    /// `n` independent points of the law, as columns: `D×n`.
    ///
    /// Point i comes from the stream's i-th child, so it does not depend on `n`.
    ///
    /// *Errors*: as [`Law::check`]; when D·n exceeds 1e8; [`Error::Numeric`] when
    /// the density is too peaked for rejection sampling.
    pub fn sample(&self, n: usize, stream: Stream) -> Result<DMatrix<f64>> {
        self.check()?;
        check_storage("sample", self.ambient(), n)?;
        let mut points = DMatrix::zeros(self.ambient(), n);
        let sampler = match self {
            Self::OnManifold { manifold, density, .. } => Some(Sampler::new(manifold, density)),
            _ => None,
        };
        for (i, mut column) in points.column_iter_mut().enumerate() {
            let mut rng = stream.indexed(i as u64).rng();
            let point = match (self, &sampler) {
                (Self::OnManifold { manifold, thickness, .. }, Some(sampler)) => {
                    let place = sampler.draw(&mut rng)?;
                    let mut point = manifold.point(&place).as_slice().to_vec();
                    if *thickness > 0.0 {
                        add_noise(&mut point, *thickness, &mut rng);
                    }
                    point
                }
                _ => self.draw_free(&mut rng)?,
            };
            column.copy_from_slice(&point);
        }
        Ok(points)
    }

    /// One point of a law without a manifold.
    fn draw_free(&self, rng: &mut impl Rng) -> Result<Vec<f64>> {
        match self {
            // x = 2B − 1 with B ~ Beta(k+1, k+1).
            Self::Cube { dim, half_width, power } => {
                let beta = beta(power + 1.0, power + 1.0)?;
                Ok((0..*dim).map(|_| half_width * (2.0 * beta.sample(rng) - 1.0)).collect())
            }
            // |x|² ~ Beta(D/2, k+1), direction uniform.
            Self::Ball { dim, radius, power } => {
                let rho = radius * beta(*dim as f64 / 2.0, power + 1.0)?.sample(rng).sqrt();
                Ok(unit_vector(rng, *dim).into_iter().map(|x| rho * x).collect())
            }
            Self::Mixture { components } => {
                let total: f64 = components.iter().map(|c| c.weight).sum();
                let mut left = rng.random::<f64>() * total;
                let mut chosen = &components[0];
                for component in components.iter().filter(|c| c.weight > 0.0) {
                    chosen = component;
                    left -= component.weight;
                    if left < 0.0 {
                        break;
                    }
                }
                let mut point = chosen.mean.clone();
                add_noise(&mut point, chosen.width, rng);
                Ok(point)
            }
            Self::OnManifold { .. } => Err(Error::numeric("sampling", "a manifold has a sampler")),
        }
    }

    /// Points (`D×N`) and weights (sum 1) of a law on a manifold, without its thickness:
    /// E f(x − noise) ≈ Σ w_i f(x_i).
    ///
    /// *Errors*: as [`Manifold::quadrature`]; [`Error::Input`] for a law without manifold.
    pub fn quadrature(&self, per_axis: usize) -> Result<(DMatrix<f64>, Vec<f64>)> {
        self.check()?;
        let Self::OnManifold { manifold, density, .. } = self else {
            let problem = "is known for laws on manifolds only";
            return Err(Error::input("quadrature", problem, "use samples instead"));
        };
        let sampler = Sampler::new(manifold, density);
        let places = manifold.weighted_places(per_axis)?;
        let logs: Vec<f64> = places.iter().map(|(place, _)| sampler.log_density(place)).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let raw = places.iter().zip(&logs).map(|((_, weight), log)| weight * (log - top).exp());
        let mut weights: Vec<f64> = raw.collect();
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        let mut points = DMatrix::zeros(manifold.ambient(), places.len());
        for (mut column, (place, _)) in points.column_iter_mut().zip(&places) {
            column.copy_from(&manifold.point(place));
        }
        Ok((points, weights))
    }
}

impl Manifold {
    /// Refuses a manifold on which volumes are not known: by samples, a surface by equations, a curve that cannot be followed.
    pub(super) fn check_volume(&self) -> Result<()> {
        if self.pieces().iter().all(|piece| piece.chart.has_volume()) {
            return Ok(());
        }
        let problem = "volumes on samples, on surfaces by equations, and on curves with corners, outside their ranges or too \
                       long to follow are not known, so that it has no law";
        Err(Error::input("manifold", problem, "a chart of it, or points as the law"))
    }

    /// About `n` points to look at: drawn evenly where volumes are known, else from an even scatter of its parameters.
    ///
    /// *Errors*: as [`Law::sample`].
    pub fn scattered(&self, n: usize, stream: Stream) -> Result<Vec<DVector<f64>>> {
        let places = if self.check_volume().is_ok() {
            self.sample_places(&Density::Uniform, n, stream)?
        } else {
            let each = n.div_ceil(self.pieces().len());
            let of = |(piece, found): (usize, &Piece)| {
                // A grid of two parameters has the square root along each.
                let per_axis = if found.chart.parameters() == 1 { each } else { each.isqrt() };
                let places = Scatter::new(&found.chart, per_axis, each).places;
                places.into_iter().map(move |u| Place { piece, u })
            };
            self.pieces().iter().enumerate().flat_map(of).collect()
        };
        Ok(places.iter().map(|place| self.point(place)).collect())
    }

    /// `n` independent places drawn from a density; place i does not depend on `n`.
    ///
    /// *Errors*: as [`Law::sample`].
    pub fn sample_places(&self, density: &Density, n: usize, stream: Stream) -> Result<Vec<Place>> {
        self.check_volume()?;
        density.check(self)?;
        check_storage("sample", self.ambient(), n)?;
        let sampler = Sampler::new(self, density);
        (0..n).map(|i| sampler.draw(&mut stream.indexed(i as u64).rng())).collect()
    }
}

impl Density {
    /// Ripples across the manifold in random directions, whose phase runs to about `phase` on either side.
    pub fn ripples(manifold: &Manifold, phase: f64, strength: f64, stream: Stream) -> Self {
        let mut frequency = Vec::new();
        for leaf in manifold.pieces().first().map_or(Vec::new(), |piece| piece.chart.leaves()) {
            let stream = stream.indexed(frequency.len() as u64);
            let direction = unit_vector(&mut stream.rng(), leaf.ambient());
            let reaches = leaf.support(&direction);
            frequency.extend(direction.into_iter().map(|x| phase * x / reaches));
        }
        Self::Ripples { frequency, strength }
    }

    /// Refuses a density that does not fit the manifold.
    fn check(&self, manifold: &Manifold) -> Result<()> {
        let bad = |problem: String, hint: &str| Err(Error::input("density", problem, hint));
        match self {
            Self::Uniform => Ok(()),
            Self::Tilt { direction } => {
                if direction.len() != manifold.ambient() || !direction.iter().all(|x| x.is_finite())
                {
                    let problem = format!("tilt needs {} finite numbers", manifold.ambient());
                    return bad(problem, "give one for each coordinate");
                }
                Ok(())
            }
            Self::Ripples { frequency, strength } => {
                let fits = |piece: &super::Piece| piece.chart.ambient() == frequency.len();
                if !manifold.pieces().iter().all(fits) || !frequency.iter().all(|w| w.is_finite()) {
                    let n = manifold.pieces().first().map_or(0, |piece| piece.chart.ambient());
                    let hint = "give one for each coordinate of the chart";
                    return bad(format!("ripples need {n} finite frequencies"), hint);
                }
                if !strength.is_finite() {
                    return bad(format!("strength {strength} is not finite"), "give a number");
                }
                Ok(())
            }
            Self::Cosine { axis, strength } => {
                let is_angle =
                    |piece: &super::Piece| piece.chart.axes().get(*axis) == Some(&Axis::Angle);
                if !manifold.pieces().iter().all(is_angle) {
                    return bad(format!("parameter {axis} is not an angle"), "see Chart::axes");
                }
                if !strength.is_finite() {
                    return bad(format!("strength {strength} is not finite"), "give a number");
                }
                Ok(())
            }
        }
    }
}

fn check_not_negative(what: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::input(what, format!("{value} is negative or not finite"), "give a number ≥ 0"))
}

fn beta(a: f64, b: f64) -> Result<Beta<f64>> {
    Beta::new(a, b).map_err(|problem| Error::input("law power", problem.to_string(), "lower it"))
}

fn add_noise(point: &mut [f64], width: f64, rng: &mut impl Rng) {
    for x in point {
        let normal: f64 = rng.sample(StandardNormal);
        *x += width * normal;
    }
}
