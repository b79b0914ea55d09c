//! Manifolds of scenario files that are given by formulas, against the same ones by name.

use driftproof::campaign::scenario::run_file;
use driftproof::facts::Facts;
use driftproof::manifold::Manifold;
use driftproof::scenario_file::World;
use std::path::PathBuf;
use tempfile::{TempDir, tempdir};

/// Formulas and closed forms agree to rounding, which difference quotients of projectors amplify.
const SAME: f64 = 1e-9;

const PLANE: &str = r#"
[state]
names = ["x", "y"]
[model.ode]
drift = ["-y + 0.3*x*(1 - x^2/4 - y^2)", "0.25*x - 0.4*y^3"]
from = 0
to = 1.5
[sampler.fixed]
method = "rk4"
steps = 150
[start]
points = [[2.3, 0.2], [-0.4, 1.2], [1.1, -0.5]]
plane = [[0.3, 1]]
"#;

const SPACE: &str = r#"
[state]
names = ["x", "y", "z"]
[model.ode]
drift = ["-y - 0.1*z", "x + 0.1*z*x", "-0.3*z + 0.1*x*y"]
from = 0
to = 1.2
[sampler.fixed]
method = "rk4"
steps = 120
[start]
points = [[2.4, 0.1, 0.6], [-0.5, 1.9, -0.9], [1.5, -1, 0.1]]
plane = [[0.1, 1, 0.2], [0.3, 0, 1]]
"#;

fn written(folder: &TempDir, world: &str, manifold: &str) -> PathBuf {
    let path = folder.path().join("world.toml");
    std::fs::write(&path, format!("{world}\n{manifold}")).unwrap();
    path
}

/// Everything that is measured, and the manifold.
fn measured(world: &str, manifold: &str) -> (Vec<Facts>, Manifold) {
    let folder = tempdir().unwrap();
    let path = written(&folder, world, manifold);
    let found = run_file(&path).unwrap();
    let facts = found.trajectories.into_iter().map(|trajectory| {
        assert_eq!(trajectory.error, None);
        assert!(!trajectory.claims.is_empty(), "{:?}", trajectory.silent);
        trajectory.facts
    });
    (facts.collect(), World::read(&path).unwrap().0.manifold.unwrap())
}

/// Both give the same facts, each to so much of its size.
fn assert_same(world: &str, by_name: &str, by_formulas: &str) {
    let ((named, known), (stated, made)) = (measured(world, by_name), measured(world, by_formulas));
    assert_eq!(known.dim(), made.dim());
    let mut compared = 0;
    for (named, stated) in named.iter().zip(&stated) {
        for (name, series) in named.iter() {
            let others = stated.series(name);
            assert_eq!(series.len(), others.len(), "{name}");
            for (a, b) in series.iter().zip(others) {
                let off = (a.value - b.value).abs();
                assert!(off <= SAME * a.value.abs().max(1.0), "{name}: {} {}", a.value, b.value);
                compared += 1;
            }
        }
    }
    assert!(compared > 1000, "{compared}");
    // Sampled curvature is a lower bound that comes near.
    let (exact, sampled) = (known.curvature().value, made.curvature());
    assert!(sampled.value <= exact * (1.0 + 1e-9) && sampled.value >= exact * (1.0 - 1e-4));
    assert!(sampled.grade > known.curvature().grade);
}

#[test]
fn an_ellipse_by_its_chart_has_the_facts_of_the_built_in_one() {
    let chart = r#"
        [manifold.chart]
        point = ["2*cos(2*pi*t)", "sin(2*pi*t)"]
        coordinates = { t = { from = -0.5, to = 0.5, periodic = true } }"#;
    assert_same(PLANE, "[manifold.ellipse]\na = 2\nb = 1", chart);
}

#[test]
fn a_torus_by_its_chart_has_the_facts_of_the_built_in_one() {
    let chart = r#"
        [let]
        ring = 2
        [manifold.chart]
        point = "[rim*cos(v), rim*sin(v), 0.8*sin(u)]"
        [manifold.chart.coordinates]
        u = { from = 0, to = "2*pi", periodic = true }
        v = { from = 0, to = "2*pi", periodic = true }"#;
    let chart = chart.replace("rim", "(ring + 0.8*cos(u))");
    assert_same(SPACE, "[manifold.torus]\nmajor = 2\nminor = 0.8", &chart);
}

#[test]
fn an_ellipse_by_its_equation_has_the_facts_of_the_built_in_one() {
    let equation = r#"
        [let]
        a = 2
        [manifold.implicit]
        equations = "(x/a)^2 + y^2 - 1"
        within = [[-3, 3], [-3, 3]]"#;
    assert_same(PLANE, "[manifold.ellipse]\na = 2\nb = 1", equation);
}

#[test]
fn a_sphere_and_a_circle_in_space_by_their_equations_have_the_facts_of_the_built_in_ones() {
    // The gradient of the square of the equation vanishes on the sphere, that of its exponential does not.
    let sphere = r#"
        [manifold.implicit]
        equations = "exp(x^2 + y^2 + z^2 - 2.25) - 1"
        within = [[-2, 2], [-2, 2], [-2, 2]]"#;
    assert_same(SPACE, "[manifold.sphere]\ndim = 2\nradius = 1.5", sphere);
    let circle = r#"
        [manifold.implicit]
        equations = ["x^2 + y^2 + z^2 - 2.25", "z"]
        within = [[-2, 2], [-2, 2], [-2, 2]]"#;
    let line = SPACE.replace("plane = [[0.1, 1, 0.2], [0.3, 0, 1]]", "plane = [[0.1, 1, 0.2]]");
    assert_same(&line, "[manifold.circle]\nradius = 1.5", circle);
}

#[test]
fn a_law_on_a_chart_is_that_on_the_same_arc() {
    // Half a circle of radius 2 by its height: speed 2/√(4 − h²) is not even, the law is.
    let world = |manifold: &str| {
        let text = format!(
            "[law.uniform]\n[model.path]\nschedule = {{ ve = {{ sigma_min = 0.01, sigma_max = 10 }} }}\n\
             sigma_start = 1\nsigma_end = 0.3\n[sampler.fixed]\nmethod = 'heun'\nsteps = 40\n[start]\n\
             points = [[1.3, 0.4], [2.2, -1.1]]\n{manifold}"
        );
        let folder = tempdir().unwrap();
        let path = written(&folder, "", &text);
        let found = run_file(&path).unwrap();
        let ends = found.trajectories.iter().flat_map(|t| t.facts.series("end_state").to_vec());
        ends.map(|end| end.value).collect::<Vec<_>>()
    };
    let named = world("[manifold.arc]\nradius = 2\nfrom = -1\nto = 1");
    let chart = world(
        "[manifold.chart]\npoint = ['sqrt(4 - h^2)', 'h']\n\
         coordinates = { h = { from = '-2*sin(1)', to = '2*sin(1)' } }",
    );
    for (a, b) in named.iter().zip(&chart) {
        assert!((a - b).abs() < 1e-9, "{named:?} {chart:?}");
    }
}

#[test]
fn formulas_of_a_manifold_are_read_back_from_a_record() {
    let chart = "[manifold.chart]\npoint = ['u*cos(u)', 'u*sin(u)']\ncoordinates = { u = { from = 1, to = 6 } }";
    let equation =
        "[manifold.implicit]\nequations = 'x^2/4 + y^2 + 0.1*x*y - 1'\nwithin = [[-3, 3], [-3, 3]]";
    for manifold in [chart, equation] {
        let (_, made) = measured(PLANE, manifold);
        let text = serde_json::to_string(&made).unwrap();
        let again: Manifold = serde_json::from_str(&text).unwrap();
        assert_eq!(again, made);
        for y in [[1.0, 2.0], [-3.0, 0.5], [0.1, -4.0]] {
            let (a, b) = (made.nearest(&y).unwrap(), again.nearest(&y).unwrap());
            assert!((a.point - b.point).norm() < 1e-13);
        }
    }
}
