//! Two thick moons in the plane: g by two formulas.

use super::{picture, side_by_side};
use crate::drift::{Atoms, Channel, Denoise, Drift, GaussianPath, LearningError, Schedule};
use crate::error::Result;
use crate::facts::Quantity;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::{Method, Sampler, StepWorkspace, uniform_times};
use crate::manifold::{Law, Manifold};
use crate::observe::limits::power;
use crate::random::Stream;
use crate::record::{Chapter, Relation};
use crate::response::{AccruedPoints, CarriedPoints, DensityAt, NoisyLaw};

/// Standard deviation of the noise on the data.
pub const THICKNESS: f64 = 0.15;

/// Generating time at which densities are compared.
pub const END: f64 = 0.98;

/// Quadrature nodes on each moon: 0.1 apart at most, closer than the thickness.
const NODES: usize = 48;

/// Runge–Kutta steps of the maps.
pub const STEPS: usize = 100;

/// Where the density is a smaller share of its largest value, nothing is drawn.
pub const LEAST_DENSITY: f64 = 1e-4;

/// The model: flow matching to the moons, with an error of its velocity.
pub struct Moons {
    /// The moons.
    pub manifold: Manifold,
    /// Their thick law, by quadrature.
    pub law: Atoms,
    /// w.
    pub error: LearningError,
}

/// Points of a rectangle, row by row, the upper row first.
pub struct Grid {
    /// Left, right, lower and upper end; points are at the middle of cells.
    pub extent: [f64; 4],
    /// Points in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
}

impl Grid {
    /// The points, `2×N`.
    pub fn points(&self) -> Vec<f64> {
        let [left, right, low, high] = self.extent;
        let cell = |i: usize, n: usize| (i as f64 + 0.5) / n as f64;
        let point = |k: usize| {
            let (row, column) = (k / self.columns, k % self.columns);
            let x = left + (right - left) * cell(column, self.columns);
            [x, high - (high - low) * cell(row, self.rows)]
        };
        (0..self.columns * self.rows).flat_map(point).collect()
    }

    /// The area of a cell.
    pub fn cell(&self) -> f64 {
        let [left, right, low, high] = self.extent;
        (right - left) * (high - low) / (self.columns * self.rows) as f64
    }
}

/// The points of a grid where a density matters, and how to fill a picture from values at them.
pub struct Seen {
    /// Their indices.
    indices: Vec<usize>,
    /// All points of the grid.
    count: usize,
    /// The points that matter, `2×n`.
    pub points: Vec<f64>,
    /// The density at each of them.
    pub density: Vec<f64>,
}

impl Seen {
    /// Where `density` is above `share` of its largest value on the grid.
    pub fn new(grid: &Grid, share: f64, density: impl Fn(&[f64]) -> f64) -> Self {
        let all = grid.points();
        let values: Vec<f64> = all.chunks_exact(2).map(density).collect();
        let most = values.iter().copied().fold(0.0, f64::max);
        let indices: Vec<usize> = (0..values.len()).filter(|i| values[*i] > share * most).collect();
        Self {
            points: indices.iter().flat_map(|i| [all[2 * i], all[2 * i + 1]]).collect(),
            density: indices.iter().map(|i| values[*i]).collect(),
            count: values.len(),
            indices,
        }
    }

    /// Values on the whole grid, with gaps where nothing is seen.
    pub fn fill(&self, values: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let mut all = vec![f64::NAN; self.count];
        self.indices.iter().zip(values).for_each(|(i, value)| all[*i] = value);
        all
    }
}

impl Moons {
    /// With the error of that stream.
    ///
    /// *Errors*: never for the constants used here.
    pub fn new(stream: Stream) -> Result<Self> {
        let manifold = Manifold::moons(1.0)?;
        let (points, weights) = Law::uniform(manifold.clone()).quadrature(NODES)?;
        let law = Atoms::quadrature(2, points.as_slice(), &weights, THICKNESS)?;
        let error = LearningError::fourier(2, 4, 1.0, 1.0, stream.named("error"));
        Ok(Self { manifold, law, error })
    }

    /// The exact velocity.
    pub fn path(&self) -> GaussianPath<'_, Atoms> {
        GaussianPath { schedule: Schedule::FlowMatching, denoiser: &self.law }
    }

    /// The law at time `t`.
    pub fn law_at(&self, t: f64) -> NoisyLaw<'_, Atoms> {
        let (a, b) = Schedule::FlowMatching.coefficients(t);
        NoisyLaw { denoiser: &self.law, channel: Channel { signal: a, noise_variance: b * b } }
    }

    /// ρ at the end, in closed form.
    pub fn density(&self, y: &[f64]) -> f64 {
        let law = self.law_at(END);
        self.law.log_density(law.channel, y).exp()
    }

    /// So many steps from noise to data.
    pub fn forward(&self, steps: usize) -> Sampler {
        Sampler::new(Method::Rk4, uniform_times(0.0, END, steps))
    }

    fn back(&self, steps: usize) -> Sampler {
        Sampler::new(Method::Rk4, uniform_times(END, 0.0, steps))
    }

    /// log ρ and g at fixed points of the end time, by δ, div δ and s (T1.3 (i)–(iii)); of any field and error.
    pub fn carried<V: Drift, W: Drift>(
        &self,
        points: &[f64],
        steps: usize,
        drift: &V,
        error: &W,
    ) -> Vec<(DensityAt, [f64; 2])> {
        let (sampler, noise) = (self.back(steps), self.law_at(0.0));
        side_by_side(2, points, |points| {
            let mut carried = CarriedPoints::new(2, points);
            carried.run(&sampler, drift, error, &mut StepWorkspace::default());
            let at = |i: usize| (carried.at_start(i, &noise), [0, 1].map(|j| carried.state(i)[j]));
            (0..carried.count()).map(at).collect()
        })
    }

    /// g at the same points from the error and the score alone (T1.3 (iv)).
    pub fn accrued(&self, points: &[f64], steps: usize) -> Vec<f64> {
        let sampler = self.back(steps);
        side_by_side(2, points, |points| {
            let mut accrued = AccruedPoints::new(2, points);
            let path = (Schedule::FlowMatching, &self.path());
            accrued.run(&sampler, path, &self.error, &mut StepWorkspace::default());
            (0..accrued.count()).map(|i| accrued.accrued(i)).collect()
        })
    }

    /// g by both formulas.
    pub fn both(&self, points: &[f64], steps: usize) -> (Vec<f64>, Vec<f64>) {
        let carried = self.carried(points, steps, &self.path(), &self.error);
        (carried.iter().map(|(at, _)| at.response).collect(), self.accrued(points, steps))
    }

    /// The part of the plane that is drawn.
    pub fn grid(&self) -> Grid {
        Grid { extent: [-1.6, 2.6, -1.1, 1.6], columns: 63, rows: 41 }
    }

    /// The curve, as two lines with a gap.
    pub fn curve(&self) -> Mark {
        let arc = |centre: [f64; 2], sign: f64| {
            (0..=40).map(move |i| {
                let angle = std::f64::consts::PI * f64::from(i) / 40.0;
                (centre[0] + angle.cos(), centre[1] + sign * angle.sin())
            })
        };
        let upper = arc([0.0, 0.0], 1.0);
        let all = upper.chain([(f64::NAN, f64::NAN)]).chain(arc([1.0, 0.5], -1.0));
        let (x, y) = all.unzip();
        Mark::line(x, y)
    }
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::abs).fold(0.0, f64::max)
}

/// Whether two formulas differ, as a share of the response, by no more than their solver, of order 4 in the step.
pub fn same_response(apart: f64, order: Quantity) -> Relation {
    let of_the_solver = order.value + order.bar >= 3.5;
    match apart.is_finite() && order.value.is_finite() {
        false => Relation::Open,
        true if apart < 1e-4 && of_the_solver => Relation::Agrees,
        true => Relation::Contradicts,
    }
}

/// The figure of both formulas.
pub fn two_formulas(chapter: &mut Chapter, moons: &Moons) -> Result<()> {
    let grid = moons.grid();
    let seen = Seen::new(&grid, LEAST_DENSITY, |y| moons.density(y));
    let (carried, accrued) = moons.both(&seen.points, STEPS);
    let difference: Vec<f64> = carried.iter().zip(&accrued).map(|(c, a)| c - a).collect();
    let (size, apart) = (largest(carried.iter().copied()), largest(difference.iter().copied()));

    // Every eighth point, with more and fewer steps.
    let few: Vec<f64> = seen.points.chunks_exact(2).step_by(8).flatten().copied().collect();
    let steps: Vec<usize> = vec![20, 30, 40, 60, 80, 120, 160];
    let errors: Vec<f64> = steps
        .iter()
        .map(|steps| {
            let (carried, accrued) = moons.both(&few, *steps);
            largest(carried.iter().zip(&accrued).map(|(c, a)| c - a))
        })
        .collect();
    let widths: Vec<f64> = steps.iter().map(|steps| END / *steps as f64).collect();
    let order = power(&widths, &errors);

    // E g = 0: the sum over the grid is spectrally accurate, its tail is cut.
    let mean = |of: &dyn Fn(f64) -> f64| -> f64 {
        carried.iter().zip(&seen.density).map(|(g, rho)| of(*g) * rho).sum::<f64>() * grid.cell()
    };
    let (net, whole) = (mean(&|g| g), mean(&|g| g.abs()));

    let with_curve = |panel: Panel| panel.with("moons", Ink::Data, moons.curve());
    let numbers: Vec<f64> = steps.iter().map(|steps| *steps as f64).collect();
    let guide: Vec<f64> = widths
        .iter()
        .map(|h| errors[errors.len() - 1] * (h / widths[widths.len() - 1]).powi(4))
        .collect();
    let convergence = Panel::new(
        "the difference is the solver's",
        Axis::log("Runge–Kutta steps"),
        Axis::log("largest |difference of g|"),
    )
    .with("slope −4", Ink::Guide, Mark::dashed(numbers.clone(), guide))
    .with("difference", Ink::Measured, Mark::points(numbers, errors));
    let logs = seen.fill(difference.iter().map(|d| d.abs().max(1e-16).log10()));
    let panels = vec![
        with_curve(picture(
            "g = −(div δ + ⟨δ, s⟩), T1.3 (i)–(iii)",
            &grid,
            seen.fill(carried.iter().copied()),
            true,
        )),
        with_curve(picture(
            "g = −∫(div w + ⟨w, s⟩) dt, T1.3 (iv)",
            &grid,
            seen.fill(accrued.iter().copied()),
            true,
        )),
        with_curve(picture("log₁₀ |difference|", &grid, logs, false)),
        convergence,
    ];
    let caption = format!(
        "The relative response $g$ at every point where the density is above {LEAST_DENSITY:.0e} of its largest value. The first \
         formula carries the sensitivity δ and its divergence and needs second derivatives of the velocity; the second \
         needs the error, its divergence and the score only. With {STEPS} steps they differ by at most {apart:.1e}, where \
         $|g|$ reaches {size:.1} (the ends of the colours: orange is more, blue is less); the difference falls with the step to the power {:.2} ± {:.2} (Runge–Kutta: 4). An error \
         only moves mass, so $\\int \\rho g = 0$: measured, it is {:.1e} of $\\int \\rho |g|$, {}. Nothing is drawn at random \
         but the error itself, so there are no bars; the resolution is the last panel.",
        order.value,
        order.bar,
        (net / whole).abs(),
        if (net / whole).abs() < 1e-2 {
            "the tail that is cut off"
        } else {
            "more than the tail that is cut off"
        },
    );
    let not_shown = "Formulas of one model, not of an error that was learned; where the density is smaller g is larger still, \
                     and says nothing about samples.";
    let figure = Figure::new("two-formulas", "The relative response g, computed two ways", panels)
        .says(caption, not_shown)
        .in_columns(2)
        .within(1e-4);
    chapter.figures.push(figure);
    chapter.find(
        same_response(apart / size, order),
        "two-formulas",
        "T1.3: −(div δ + ⟨δ, s⟩) and −∫(div w + ⟨w, s⟩) dt are the same response",
        format!(
            "largest difference {apart:.1e} over {} points with |g| up to {size:.1}, of order {:.2} ± {:.2} in the step",
            carried.len(),
            order.value,
            order.bar
        ),
    );
    Ok(())
}
