//! Small pictures of the counterexamples, in the plane where they happen.

use super::counterexamples::{SHIFT, STEEPNESS, Shown, Value, World};
use crate::drift::{
    Canonical, Counterexample, Drift, Embedded, Gaussian, PlaneField, Sphere, Stage,
};
use crate::error::Result;
use crate::experiments::words::number;
use crate::figure::{Dash, Ink, Mark, Panel};
use crate::flow::{Method, Sampler, Trajectory, geometric_times, uniform_times};
use crate::lyapunov::qr_history;
use crate::observe::alignment_and_robustness_are_independent::{Ridge, Slab};
use nalgebra::{DMatrix, dmatrix, dvector};

/// Steps of each stage of an orbit that is drawn.
const STEPS: usize = 60;

/// Directions drawn along an orbit, without the one at its end.
const DIRECTIONS: usize = 5;

/// Length of a direction as a share of the width of its picture, and that of the predicted one at the end.
const LENGTHS: (f64, f64) = (0.13, 0.34);

/// A picture with a prediction and what is measured in its title.
pub(super) fn panel(shown: &Shown) -> Result<Panel> {
    let panel = match &shown.world {
        World::Planar(world) => {
            planar(&shown.values, world.number, &world.example, world.span, world.start_slope)?
        }
        World::Sphere { radius, sigma, slope } => sphere(*radius, *sigma, *slope)?,
        World::Ridge(ridge) => on_ridge(ridge)?,
        World::Slab(slab) => off_slab(slab)?,
    };
    let Some(Value { symbol, predicted, measured, .. }) = shown.values.last() else {
        return Ok(panel);
    };
    let (measured, predicted) = (number(measured.value, 3), number(predicted.value, 3));
    let title = format!("{}: {symbol} = {measured} (predicted {predicted})", shown.number);
    Ok(Panel { title, ..panel })
}

/// Where the picture is taken: half width, lower and upper end, the main orbit's start, and those of the others.
struct View {
    half: f64,
    low: f64,
    high: f64,
    main: [f64; 2],
    others: Vec<[f64; 2]>,
}

impl View {
    fn of(example: &Counterexample) -> Self {
        let above = |y: f64, xs: &[f64]| xs.iter().map(|x| [*x, y]).collect::<Vec<_>>();
        let compressing = Self {
            half: 1.0,
            low: -0.35,
            high: 1.35,
            main: [0.0, 1.0],
            others: above(1.0, &[-0.8, -0.4, 0.4, 0.8]),
        };
        match example {
            Counterexample::IsotropicCompression { .. } => Self {
                main: [0.75, 0.9],
                others: vec![[-0.8, 0.9], [-0.3, 1.1], [0.3, 1.1], [-0.8, 0.3], [0.8, 0.3]],
                ..compressing
            },
            Counterexample::NormalExpansion { .. } => Self {
                main: [0.0, 0.13],
                others: above(0.13, &[-0.8, -0.4, 0.4, 0.8]),
                ..compressing
            },
            Counterexample::Expansion { .. } => Self {
                main: [0.09, 0.3],
                others: vec![[-0.1, 0.3], [-0.04, 0.4], [0.04, 0.4], [0.0, 0.2]],
                ..compressing
            },
            Counterexample::HiddenShear { .. } => Self {
                main: [0.0, 0.5],
                others: above(0.5, &[-0.8, -0.4, 0.4, 0.8]),
                ..compressing
            },
            Counterexample::Feedback { .. } => Self { main: [0.5, 1.0], ..compressing },
            Counterexample::Turning { .. } => Self {
                half: 1.2,
                low: -1.0,
                high: 1.2,
                main: [0.9, 0.2],
                others: vec![[0.5, -0.6], [-0.5, 0.8], [-0.9, -0.1]],
            },
            _ => compressing,
        }
    }
}

/// One orbit in the plane, through all stages.
struct Orbit {
    x: Vec<f64>,
    y: Vec<f64>,
    directions: Vec<DMatrix<f64>>,
}

fn orbit(stages: &[Stage], start: [f64; 2], line: &DMatrix<f64>) -> Result<Orbit> {
    let mut orbit = Orbit { x: vec![start[0]], y: vec![start[1]], directions: vec![line.clone()] };
    let (mut state, mut line) = (start.to_vec(), line.clone());
    for stage in stages {
        let field = in_plane(stage.field)?;
        let sampler =
            Sampler::new(Method::DormandPrince, uniform_times(0.0, stage.duration, STEPS));
        let trajectory = Trajectory::from(&field, &sampler, &state)?;
        let lines = qr_history(&trajectory, &line);
        for (at, line) in trajectory.states.iter().zip(&lines).skip(1) {
            orbit.x.push(at[0]);
            orbit.y.push(at[1]);
            orbit.directions.push(line.clone());
        }
        state = trajectory.end().as_slice().to_vec();
        line = lines[lines.len() - 1].clone();
    }
    Ok(orbit)
}

fn in_plane(field: PlaneField) -> Result<Embedded> {
    Embedded::new(field, dmatrix![1.0; 0.0], dvector![0.0, 1.0])
}

fn line_of(slope: f64) -> DMatrix<f64> {
    match slope.is_finite() {
        true => dmatrix![1.0; slope] / slope.hypot(1.0),
        false => dmatrix![0.0; 1.0],
    }
}

/// Some directions along an orbit, of length `long`, and the one at its end.
fn directions(orbit: &Orbit, long: f64) -> Mark {
    let last = orbit.x.len() - 1;
    let places: Vec<usize> = (0..=DIRECTIONS).map(|k| last * k / DIRECTIONS).collect();
    let at = |of: &dyn Fn(usize) -> f64| places.iter().map(|k| of(*k)).collect::<Vec<f64>>();
    Mark::Arrows {
        x: at(&|k| orbit.x[k]),
        y: at(&|k| orbit.y[k]),
        dx: at(&|k| long * orbit.directions[k][0]),
        dy: at(&|k| long * orbit.directions[k][1]),
        headless: true,
    }
}

/// One direction at one place.
fn arrow([x, y]: [f64; 2], [dx, dy]: [f64; 2], headless: bool) -> Mark {
    Mark::Arrows { x: vec![x], y: vec![y], dx: vec![dx], dy: vec![dy], headless }
}

fn window(mut panel: Panel, half: f64, low: f64, high: f64) -> Panel {
    panel.x.range = Some([-half, half]);
    panel.y.range = Some([low, high]);
    panel
}

fn planar(
    values: &[Value],
    number: &str,
    example: &Counterexample,
    span: f64,
    slope: f64,
) -> Result<Panel> {
    let view = View::of(example);
    let (stages, line) = (example.stages(span), line_of(slope));
    let mut panel = window(Panel::plane(""), view.half, view.low, view.high);
    for start in &view.others {
        let Orbit { x, y, .. } = orbit(&stages, *start, &line)?;
        panel = panel.with("orbits", Ink::Guide, Mark::line(x, y));
    }
    let support = Mark::line(vec![-view.half, view.half], vec![0.0, 0.0]);
    panel = panel.with("manifold", Ink::Data, support);
    // C9 has its plane carried by the flow with the error.
    let with_error = example.perturbed(span);
    let carried =
        if matches!(example, Counterexample::Ripple { .. }) { &with_error } else { &stages };
    let main = orbit(carried, view.main, &line)?;
    let end = [main.x[main.x.len() - 1], main.y[main.y.len() - 1]];
    let (short, long) = (2.0 * LENGTHS.0 * view.half, 2.0 * LENGTHS.1 * view.half);
    panel = panel.with("one orbit", Ink::Measured, Mark::line(main.x.clone(), main.y.clone()));
    // Predicted slopes say how steep the end is, up to its sign.
    if let Some(value) = values.iter().find(|v| v.symbol == STEEPNESS) {
        let sign = &main.directions[main.directions.len() - 1];
        let sign = (sign[0] * sign[1]).signum();
        let (x, y) = (value.predicted.value.hypot(1.0).recip(), value.predicted.value);
        let y = x * y;
        let mark = arrow(end, [long * x, long * sign * y], true);
        panel = panel.with("predicted direction", Ink::Predicted, mark);
    }
    panel = panel.with("carried direction", Ink::Lyapunov, directions(&main, short));
    if matches!(number, "C1" | "C7" | "C8" | "C9") && values.iter().any(|v| v.symbol == SHIFT) {
        // An error small enough for the picture; what is measured is per unit of the error.
        let moved = orbit(&scaled(&with_error, example), view.main, &line)?;
        let mark = Mark::Line { x: moved.x, y: moved.y, dash: Dash::Dashed };
        panel = panel.with("with error", Ink::Error, mark);
    }
    Ok(panel)
}

/// The error of a unit push at a size that fits into a picture.
fn scaled(stages: &[Stage], example: &Counterexample) -> Vec<Stage> {
    let size = match example {
        Counterexample::Ripple { .. } => 1.0,
        Counterexample::LateError { .. } => 8.0,
        _ => 0.3,
    };
    let mut stages = stages.to_vec();
    stages.iter_mut().for_each(|s| s.field.push = s.field.push.map(|b| size * b));
    stages
}

/// C1c: orbits to a small circle keep the slope of a line over the tangent.
fn sphere(radius: f64, [from, to]: [f64; 2], slope: f64) -> Result<Panel> {
    let law = Sphere::new(2, radius)?;
    let flow = Canonical { denoiser: &law };
    let sampler = Sampler::new(Method::DormandPrince, geometric_times(from, to, STEPS));
    let far = from * 2.0_f64.sqrt();
    // What happens near the end is seen in a window of some of the last noise levels.
    let half = 4.5 * to;
    let mut panel = window(Panel::plane(""), half, -half, half);
    for k in 0..7 {
        let (y, x) = (0.3 + std::f64::consts::TAU * f64::from(k) / 7.0).sin_cos();
        let trajectory = Trajectory::from(&flow, &sampler, &[far * x, far * y])?;
        let at = |i: usize| trajectory.states.iter().map(|s| s[i]).collect::<Vec<f64>>();
        panel = panel.with("orbits", Ink::Guide, Mark::line(at(0), at(1)));
        // Tangent (−y, x), outward normal (x, y).
        let line =
            DMatrix::from_column_slice(2, 1, &[slope * x - y, slope * y + x]) / slope.hypot(1.0);
        let lines = qr_history(&trajectory, &line);
        let (end, last) = (trajectory.end(), &lines[lines.len() - 1]);
        let (end, long) = ([end[0], end[1]], LENGTHS.1 * half);
        let predicted = arrow(end, [2.0 * long * line[0], 2.0 * long * line[1]], true);
        panel = panel.with("predicted direction", Ink::Predicted, predicted).with(
            "carried direction",
            Ink::Lyapunov,
            arrow(end, [long * last[0], long * last[1]], true),
        );
    }
    let turn: Vec<(f64, f64)> =
        (0..=60).map(|k| (std::f64::consts::TAU * f64::from(k) / 60.0).sin_cos()).collect();
    let (x, y) = turn.iter().map(|(sin, cos)| (radius * cos, radius * sin)).unzip();
    Ok(panel.with("manifold", Ink::Data, Mark::line(x, y)))
}

/// C10: lines carried to the ridge of a thin Gaussian are tangent to it, and so is the score.
fn on_ridge(ridge: &Ridge) -> Result<Panel> {
    let variances = vec![1.0, ridge.thickness * ridge.thickness];
    let law = Gaussian::new(vec![0.0; 2], DMatrix::identity(2, 2), variances)?;
    let flow = Canonical { denoiser: &law };
    let levels = geometric_times(ridge.sigma_start, ridge.sigma_end, STEPS);
    let sampler = Sampler::new(Method::DormandPrince, levels);
    let scale = ridge.sigma_start.hypot(1.0);
    let line = line_of(ridge.start_slope);
    let mut panel = window(Panel::plane(""), 1.5, -0.9, 0.9);
    // Three deviations of the data to either side, so that what lies along the ridge can be seen on it.
    let thick = 3.0 * ridge.thickness;
    let band = Mark::Band { x: vec![-1.5, 1.5], low: vec![-thick; 2], high: vec![thick; 2] };
    panel = panel.with("ridge", Ink::Data, band);
    for x in [-1.1, -0.55, 0.55, 1.1] {
        let trajectory = Trajectory::from(&flow, &sampler, &[x * scale, 0.0])?;
        let (end, lines) = (trajectory.end(), qr_history(&trajectory, &line));
        let mut velocity = [0.0; 2];
        flow.velocity(ridge.sigma_end, end.as_slice(), &mut velocity);
        // dy/dσ = −σ s.
        let score = velocity.map(|v| -v / ridge.sigma_end);
        let (at, last) = ([end[0], end[1]], &lines[lines.len() - 1]);
        panel = panel
            .with(
                "carried direction",
                Ink::Lyapunov,
                arrow(at, [0.4 * last[0], 0.4 * last[1]], true),
            )
            .with("score", Ink::Score, arrow(at, score.map(|s| 0.4 * s), false));
    }
    Ok(panel)
}

/// C12: the boundary of a slab, and where an error moves it.
fn off_slab(slab: &Slab) -> Result<Panel> {
    // An error that can be seen: twenty times the one that is measured.
    let size = 20.0 * slab.size;
    let mut panel = window(Panel::plane(""), 1.6, -1.5, 1.7);
    for (part, name, ink) in [(0.0, "boundary", Ink::Data), (size, "with error", Ink::Error)] {
        let field = PlaneField {
            normal_rate: -slab.rate + part * slab.gradient,
            push: [0.0, part * slab.constant],
            ..PlaneField::default()
        };
        // The boundary of the exact flow starts at ±e^{cτ}.
        let edge = (slab.rate * slab.span).exp();
        for sign in [-1.0, 1.0] {
            let stage = Stage { field, duration: slab.span };
            let Orbit { y, .. } = orbit(&[stage], [0.0, sign * edge], &line_of(0.0))?;
            let end = y[y.len() - 1];
            let mark = Mark::Line {
                x: vec![-1.6, 1.6],
                y: vec![end, end],
                dash: if part > 0.0 { Dash::Dashed } else { Dash::Solid },
            };
            panel = panel.with(name, ink, mark);
        }
    }
    Ok(panel)
}
