//! A world in words: what is integrated, with every default filled in.

use super::field::{ErrorShape, Exact, FormulaField, Velocity};
use super::world::{Stepping, System, World};
use crate::drift::NoiseLevels;
use crate::flow::Scheme;
use crate::formula::{LINE, Printed};
use crate::manifold::Manifold;
use std::fmt::Write;

/// Longer lists are told by their length.
const LONGEST: usize = 20;

/// The resolved world, line by line, with what weakens its evidence.
pub fn explained(world: &World, weaknesses: &[String]) -> String {
    let mut text = format!("{}\n", world.name);
    if !world.about.is_empty() {
        let _ = writeln!(text, "{}", world.about.trim());
    }
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<12} {value}");
    };
    line("state", format!("{} in R^{}", world.coordinates.join(", "), world.dim));
    let states = "x = a·data + b·noise, s = 0 for noise and 1 for data";
    if let Some(model) = world.network() {
        let convention = &model.trained.convention;
        let levels = match &convention.levels {
            NoiseLevels::Formula(schedule) => format!("{schedule:?}"),
            NoiseLevels::Table(_) => "of a table".to_owned(),
        };
        let (law, rivals) = match world.trained_on {
            Some(_) => ("draws are noisy data of it, and its exact denoiser is compared", "a run"),
            None => (
                "none: draws are noise alone, and the denoiser is compared with no other",
                "`driftproof model --data`",
            ),
        };
        line("network", model.about.clone());
        line(
            "convention",
            format!("{}, as the file states it; {rivals} tries its rivals", convention.name),
        );
        line("levels", format!("{levels}, {states}; W = a*b' - a'*b"));
        line("law", law.to_owned());
    }
    match &world.system {
        System::Flow { velocity, span, steps } => {
            line("time", format!("from {} to {}", span.0, span.1));
            line("velocity", velocity_of(velocity));
            line(
                "steps",
                match steps {
                    Stepping::Fixed(method, times) => format!(
                        "{} of {method:?}{}; compared with twice as many",
                        times.len() - 1,
                        if world.path.is_some() { ", equal in log σ" } else { ", equal in time" },
                    ),
                    Stepping::Adaptive(tolerance) => format!(
                        "of DormandPrince, chosen for a local error of {tolerance:e} of 1 + |x|; compared with twice as many"
                    ),
                },
            );
        }
        System::Map(map) => line("map", format!("applied {} times", map.maps)),
        System::Noisy { scheme, times, .. } => {
            line(
                "steps",
                format!(
                    "{} of {scheme:?}, equal in log σ{}",
                    times.len() - 1,
                    if *scheme == Scheme::Ddim { "" } else { "; the noise of each is drawn once" },
                ),
            );
        }
    }
    if let Some((schedule, _)) = &world.path {
        line("schedule", format!("{schedule:?}, {states}"));
    }
    for error in world.errors() {
        let field = match &error.field {
            ErrorShape::Formula(field) => field.formula().print(LINE).to_string(),
            ErrorShape::Waves(field) => format!("a sum of {} waves", field.waves().len()),
        };
        line("error", format!("{} times {field} in the {:?}", error.size, error.prediction));
    }
    match &world.manifold {
        Some(manifold) => {
            line("manifold", format!("of dimension {}: {}", manifold.dim(), pieces(manifold)))
        }
        None => line(
            "manifold",
            "none: angles, distances and the conditions are not measured".to_owned(),
        ),
    }
    for start in world.starts.iter().take(3) {
        line("start", format!("{start:?}"));
    }
    if world.starts.len() > 3 {
        line("", format!("and {} more", world.starts.len() - 3));
    }
    if world.manifold.is_some() {
        let drawn = if world.random_planes { "drawn for each start" } else { "as given" };
        line("plane", format!("{drawn}, of dimension {}", world.planes[0].ncols()));
    }
    match world.transient {
        Some(transient) => {
            line("exponents", format!("averages after {transient}, bars from 20 blocks"))
        }
        None => line("exponents", "of the whole run only".to_owned()),
    }
    line("seed", world.seed.to_string());
    for free in &world.free {
        line("free", free.to_string());
    }
    for check in &world.checks {
        line("expected", check.words.clone());
    }
    for weakness in weaknesses {
        line("weakness", weakness.clone());
    }
    if let Some(field) = world.formulas() {
        let _ = write!(text, "\n{}", formulas(world, field));
    }
    text
}

fn velocity_of(velocity: &Velocity) -> String {
    match &velocity.exact {
        Exact::Formula(field) => format!(
            "of formulas, {}{}",
            if field.is_timed() { "which depend on time" } else { "autonomous" },
            if velocity.errors.is_empty() { "" } else { ", with errors" },
        ),
        Exact::Network(model) => format!(
            "{}{}",
            model.trained.convention.velocity(),
            if velocity.errors.is_empty() { "" } else { ", with errors" },
        ),
        Exact::Path(..) => "(b'/b) x + (a' − a b'/b) E[data | x], the exact denoiser".to_owned(),
    }
}

/// The formulas, with definitions put in and simplified.
fn formulas(world: &World, field: &FormulaField) -> String {
    let Printed { helpers, components, .. } = field.formula().print(LINE);
    let mut text = String::new();
    for (name, helper) in helpers {
        let _ = writeln!(text, "{name} = {helper}");
    }
    let sign = if matches!(world.system, System::Map(_)) { " ←" } else { "' =" };
    for (name, component) in world.coordinates.iter().zip(components) {
        let _ = writeln!(text, "{name}{sign} {component}");
    }
    text
}

/// The symbolic Jacobian of the formulas that move the state, entry by entry; None without formulas.
pub fn jacobian(world: &World) -> Option<String> {
    let field = world.formulas()?;
    let Printed { helpers, components, .. } = field.symbolic().print(LINE);
    let mut text = String::new();
    for (name, helper) in helpers {
        let _ = writeln!(text, "{name} = {helper}");
    }
    let dim = world.dim;
    for (at, entry) in components.iter().enumerate() {
        let (column, row) = (at / dim, at % dim);
        let (of, by) = (&world.coordinates[row], &world.coordinates[column]);
        let moved =
            if matches!(world.system, System::Map(_)) { of.clone() } else { format!("{of}'") };
        let _ = writeln!(text, "∂{moved}/∂{by} = {entry}");
    }
    Some(text)
}

/// The charts of a manifold with their parameters, without where they were moved to.
fn pieces(manifold: &Manifold) -> String {
    let whole = serde_json::to_value(manifold).expect("a manifold is plain data");
    let told = |piece: &serde_json::Value| {
        let parameters = piece["chart"].as_object().into_iter().flatten();
        let words = parameters.map(|(key, value)| match value {
            serde_json::Value::String(word) => word.clone(),
            serde_json::Value::Array(all) if all.len() > LONGEST => format!("{} {key}", all.len()),
            _ => format!("{key} {value}"),
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let pieces: Vec<String> = whole["pieces"].as_array().into_iter().flatten().map(told).collect();
    pieces.join("; ")
}
