//! The world of a file drawn: its first two coordinates, and the conditions along the first trajectory.

use super::TrajectoryFacts;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::scenario_file::World;

/// States of a trajectory that are drawn.
pub const POINTS: usize = 2000;

/// Trajectories that are drawn.
const DRAWN: usize = 12;

/// Points of the manifold that are drawn.
const SCATTERED: usize = 600;

/// What can be drawn of a world.
pub fn figures(world: &World, measured: &[TrajectoryFacts]) -> Vec<Figure> {
    let mut figures = Vec::new();
    if world.dim >= 2 {
        figures.push(states(world, measured));
    }
    figures.extend(measured.first().and_then(conditions));
    figures
}

fn states(world: &World, measured: &[TrajectoryFacts]) -> Figure {
    let axis = |i: usize| Axis::new(world.coordinates[i].clone());
    let mut panel = Panel { equal: world.manifold.is_some(), ..Panel::new("", axis(0), axis(1)) };
    let shown = world
        .manifold
        .as_ref()
        .and_then(|manifold| manifold.scattered(SCATTERED, world.stream.named("picture")).ok());
    if let Some(points) = shown {
        let (x, y) = points.iter().map(|p| (p[0], p[1])).unzip();
        panel = panel.with("manifold", Ink::Data, Mark::points(x, y));
    }
    for trajectory in measured.iter().take(DRAWN) {
        let (x, y): (Vec<f64>, Vec<f64>) =
            trajectory.states.iter().map(|state| (state[0], state[1])).unzip();
        let is_map = matches!(world.system, crate::scenario_file::System::Map(_));
        let mark = if is_map { Mark::points(x, y) } else { Mark::line(x, y) };
        panel = panel.with("trajectories", Ink::Measured, mark);
    }
    let figure = Figure::new("states", "Where the trajectories go", vec![panel]);
    figure.says(
        match world.system.levels(world.system.begins()) {
            Some(_) => "The first two coordinates of x = a·data + b·noise, not divided by a.",
            None => "The first two coordinates.",
        },
        match world.dim {
            2 => String::new(),
            dim => format!("The other {} coordinates.", dim - 2),
        },
    )
}

/// γ, κ, η and the slope of the carried plane.
fn conditions(first: &TrajectoryFacts) -> Option<Figure> {
    let values = |name: &str| -> Vec<f64> {
        first.facts.series(name).iter().map(|quantity| quantity.value).collect()
    };
    let time = values("time");
    if time.is_empty() {
        return None;
    }
    let line = |name: &str| Mark::line(time.clone(), values(name));
    let rates = Panel::new("rates", Axis::new("time since the start"), Axis::new("per time"))
        .with("γ, relative normal compression", Ink::Normal, line("gamma"))
        .with("κ, from tangents to normals", Ink::Error, line("kappa"))
        .with("η, from normals to tangents", Ink::Tangent, line("eta"));
    let slope = Panel::new("plane", Axis::new("time since the start"), Axis::log("slope")).with(
        "slope of the carried plane",
        Ink::Lyapunov,
        line("slope"),
    );
    let figure =
        Figure::new("conditions", "The alignment condition along the run", vec![rates, slope]);
    Some(figure.says(
        "Planes are drawn to the tangent planes where γ is large against κ and η; the slope is the tangent of their largest angle.",
        "Other trajectories; the bars are in the record.",
    ))
}
