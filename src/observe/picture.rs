//! Worlds as pictures: where the data lie, where trajectories go, and which directions they single out at the end.

mod models;

pub use models::{ORBITS, STEPS, Scene, Size, of_flow, of_model, samples, scattered};

use crate::drift::{Channel, Denoise, Denoiser};
use crate::error::Result;
use crate::figure::{Axis, Ink, Mark, Panel};
use crate::flow::{Sampler, Trajectory};
use crate::linalg::symmetric_eigen;
use crate::lyapunov::{product, spectrum};
use crate::random::Stream;
use crate::scenario::{Scenario, canonical};
use nalgebra::{DMatrix, DVector};

/// Points of the data, trajectories, and states of a trajectory that are drawn.
const SIZES: (usize, usize, usize) = (400, 12, 40);

/// The plane that a world is drawn in: its own, or that of the two largest variances of its data.
pub struct View {
    centre: DVector<f64>,
    /// `D×2`.
    frame: DMatrix<f64>,
    /// Where the mean of the points is seen.
    middle: [f64; 2],
    /// How far the data reach, the unit of arrows.
    pub reach: f64,
}

impl View {
    /// The view of points, the columns of a matrix of at least two rows.
    pub fn of(points: &DMatrix<f64>) -> Self {
        let dim = points.nrows();
        let mean = points.column_mean();
        let mut centred = points.clone();
        centred.column_iter_mut().for_each(|mut point| point -= &mean);
        let (centre, frame, middle) = match dim {
            2 => (DVector::zeros(2), DMatrix::identity(2, 2), [mean[0], mean[1]]),
            _ => {
                // Largest variances first.
                let (_, axes) = symmetric_eigen(&(&centred * centred.transpose()));
                (mean, axes.columns(0, 2).into_owned(), [0.0, 0.0])
            }
        };
        let reach = centred.column_iter().map(|point| point.norm()).fold(0.0, f64::max);
        Self { centre, frame, middle, reach }
    }

    /// Where a point is seen.
    pub fn point(&self, x: &DVector<f64>) -> [f64; 2] {
        self.direction(&(x - &self.centre))
    }

    /// The point of the plane that is seen there.
    fn lifted(&self, at: [f64; 2]) -> DVector<f64> {
        &self.centre + &self.frame * DVector::from_column_slice(&at)
    }

    /// How a direction is seen.
    pub fn direction(&self, v: &DVector<f64>) -> [f64; 2] {
        let seen = self.frame.transpose() * v;
        [seen[0], seen[1]]
    }

    /// Axes of this view.
    fn panel(&self, title: String) -> Panel {
        let label = |nth: usize| match self.frame.nrows() {
            2 => format!("x{}", ['₁', '₂'][nth]),
            dim => format!("principal axis {} of {dim}", nth + 1),
        };
        Panel { equal: true, ..Panel::new(title, Axis::new(label(0)), Axis::new(label(1))) }
    }
}

/// Arrows of one kind.
#[derive(Default)]
struct Arrows {
    x: Vec<f64>,
    y: Vec<f64>,
    dx: Vec<f64>,
    dy: Vec<f64>,
}

impl Arrows {
    fn push(&mut self, view: &View, at: &DVector<f64>, direction: &DVector<f64>) {
        let ([x, y], [dx, dy]) = (view.point(at), view.direction(direction));
        self.x.push(x);
        self.y.push(y);
        self.dx.push(dx);
        self.dy.push(dy);
    }

    fn mark(self, headless: bool) -> Mark {
        let Self { x, y, dx, dy } = self;
        Mark::Arrows { x, y, dx, dy, headless }
    }
}

/// The flow of a data world: data, trajectories of which the first is the one that was judged, and at their ends the top
/// Lyapunov vector, the tangent that is nearest to it, and the score.
///
/// *Errors*: as [`Scenario::denoiser`], [`Trajectory::from`] and [`spectrum`].
pub fn of_scenario(scenario: &Scenario) -> Result<Panel> {
    let denoiser = scenario.denoiser()?;
    let (points, paths, _) = SIZES;
    let stream = Stream::root(0).named("picture");
    let data = scenario.law.sample(points, stream.named("data"))?;
    let view = View::of(&data);
    let noise = stream.named("noise");
    let mut starts = vec![scenario.start.clone()];
    for nth in 1..paths {
        let mut start: Vec<f64> = data.column(nth).iter().copied().collect();
        let noise = noise.indexed(nth as u64).normals(start.len());
        start.iter_mut().zip(noise).for_each(|(x, n)| *x += scenario.sigma_start * n);
        starts.push(start);
    }
    let tangent = |y: &DVector<f64>| -> Result<DMatrix<f64>> {
        let manifold = scenario.manifold();
        Ok(manifold.tangent_frame(&manifold.nearest(y.as_slice())?.place))
    };
    let flow = Flow { denoiser: &denoiser, sampler: &scenario.sampler(), starts: &starts };
    flow.draw(&view, &data, &tangent)
}

/// What is run for a picture.
struct Flow<'a> {
    denoiser: &'a Denoiser,
    sampler: &'a Sampler,
    starts: &'a [Vec<f64>],
}

impl Flow<'_> {
    fn draw(
        &self,
        view: &View,
        data: &DMatrix<f64>,
        tangent: &dyn Fn(&DVector<f64>) -> Result<DMatrix<f64>>,
    ) -> Result<Panel> {
        let drift = canonical(self.denoiser);
        let sigma = *self.sampler.times().last().expect("a sampler has a start");
        let unit = 0.25 * view.reach;
        let (mut top, mut along, mut scores) =
            (Arrows::default(), Arrows::default(), Arrows::default());
        let title = format!("down to σ = {sigma:.3}");
        let (x, y) = seen(view, data.column_iter().map(|point| point.into_owned()));
        let mut panel = view.panel(title).with("data", Ink::Data, Mark::points(x, y));
        for (nth, start) in self.starts.iter().enumerate() {
            let path = Trajectory::from(&drift, self.sampler, start)?;
            let stride = path.states.len().div_ceil(SIZES.2);
            let last = path.states.len() - 1;
            let kept = (0..=last).filter(|k| k % stride == 0 || *k == last);
            let (x, y) = seen(view, kept.map(|k| path.states[k].clone()));
            let (name, ink) = match nth {
                0 => ("trajectory judged", Ink::Measured),
                _ => ("other trajectories", Ink::Guide),
            };
            panel = panel.with(name, ink, Mark::line(x, y));

            let end = path.end();
            let vector = spectrum(&product(&path))?.end_vectors.column(0) * unit;
            top.push(view, end, &vector);
            let frame = tangent(end)?;
            let nearest = &frame * (frame.transpose() * &vector);
            if nearest.norm() > 0.0 {
                along.push(view, end, &(&nearest * (0.7 * unit / nearest.norm())));
            }
            let mut mean = vec![0.0; end.len()];
            self.denoiser.denoise(Channel::canonical(sigma), end.as_slice(), &mut mean);
            let score = DVector::from_vec(mean) - end;
            if score.norm() > 0.0 {
                scores.push(view, end, &(&score * (0.5 * unit / score.norm())));
            }
        }
        Ok(panel
            .with("top Lyapunov vector", Ink::Lyapunov, top.mark(true))
            .with("nearest tangent", Ink::Tangent, along.mark(true))
            .with("direction of the score", Ink::Score, scores.mark(false)))
    }
}

fn seen(view: &View, points: impl Iterator<Item = DVector<f64>>) -> (Vec<f64>, Vec<f64>) {
    points.map(|point| view.point(&point)).map(|[x, y]| (x, y)).unzip()
}
