//! Manifolds of scenario files that are given by formulas, against the same ones by name.

use driftproof::campaign::scenario::run_file;
use driftproof::facts::{Facts, Grade};
use driftproof::manifold::Manifold;
use driftproof::scenario_file::{Source, World};
use driftproof::special::bessel_ratio_taylor;
use std::f64::consts::TAU;
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

/// Both have the same facts, each to so much of its size.
fn assert_equal(named: &[Facts], stated: &[Facts], within: f64, least: usize) {
    let mut compared = 0;
    for (named, stated) in named.iter().zip(stated) {
        for (name, series) in named.iter() {
            let others = stated.series(name);
            assert_eq!(series.len(), others.len(), "{name}");
            for (a, b) in series.iter().zip(others) {
                let off = (a.value - b.value).abs();
                assert!(off <= within * a.value.abs().max(1.0), "{name}: {} {}", a.value, b.value);
                compared += 1;
            }
        }
    }
    assert!(compared > least, "{compared}");
}

/// By formulas a manifold has the facts that it has by its name, and a sampled curvature, a lower bound that comes near.
fn assert_same(world: &str, by_name: &str, by_formulas: &str) {
    let ((named, known), (stated, made)) = (measured(world, by_name), measured(world, by_formulas));
    assert_eq!(known.dim(), made.dim());
    assert_equal(&named, &stated, SAME, 1000);
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
fn a_saddle_bends_most_between_its_axes() {
    // z = k u v: at 0 the second fundamental form is 2k ab along (a, b), k at most, and it is less elsewhere.
    let folder = tempdir().unwrap();
    let chart = "[manifold.chart]\npoint = ['u', 'v', '1.5*u*v']\n\
                 coordinates = { u = { from = -1, to = 1 }, v = { from = -1, to = 1 } }";
    let manifold = World::read(&written(&folder, SPACE, chart)).unwrap().0.manifold.unwrap();
    let curvature = manifold.curvature();
    assert!((curvature.value - 1.5).abs() <= curvature.bar + 1e-6, "{curvature:?}");
    assert!(curvature.bar < 0.1, "{curvature:?}");
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

/// The flow from the uniform law of a manifold; more keys of that law.
fn path(law: &str, manifold: &str) -> String {
    format!(
        "[law.uniform]\n{law}\n[model.path]\nschedule = {{ ve = {{ sigma_min = 0.01, sigma_max = 10 }} }}\n\
         sigma_start = 1\nsigma_end = 0.3\n[sampler.fixed]\nmethod = 'heun'\nsteps = 40\n[start]\n\
         points = [[1.3, 0.4], [2.2, -1.1]]\n{manifold}"
    )
}

/// Where the flow from such a law ends.
fn ends(law: &str, manifold: &str) -> Vec<f64> {
    let folder = tempdir().unwrap();
    let found = run_file(&written(&folder, "", &path(law, manifold))).unwrap();
    let ends = found.trajectories.iter().flat_map(|t| t.facts.series("end_state").to_vec());
    ends.map(|end| end.value).collect()
}

fn assert_near(a: &[f64], b: &[f64]) {
    assert_within(a, b, 1e-9);
}

fn assert_within(a: &[f64], b: &[f64], most: f64) {
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() < most, "{a:?} {b:?}");
    }
    assert!(!a.is_empty() && a.len() == b.len());
}

#[test]
fn a_law_on_a_chart_is_that_on_the_same_arc() {
    // Half a circle of radius 2 by its height: speed 2/√(4 − h²) is not even, the law is.
    let chart = "[manifold.chart]\npoint = ['sqrt(4 - h^2)', 'h']\n\
         coordinates = { h = { from = '-2*sin(1)', to = '2*sin(1)' } }";
    assert_near(&ends("", "[manifold.arc]\nradius = 2\nfrom = -1\nto = 1"), &ends("", chart));
}

#[test]
fn a_law_on_a_curve_by_its_equation_is_that_on_the_built_in_curve() {
    let by = |equation: &str, within: &str| {
        let state = "[state]\nnames = ['x', 'y']\n";
        format!("{state}[manifold.implicit]\nequations = '{equation}'\nwithin = {within}")
    };
    let box_of = "[[-3, 3], [-3, 3]]";
    for (named, equation) in [
        ("[manifold.circle]\nradius = 1.5", "exp(x^2 + y^2 - 2.25) - 1"),
        ("[manifold.ellipse]\na = 2\nb = 1", "x^2/4 + y^2 - 1"),
    ] {
        assert_within(&ends("", named), &ends("", &by(equation, box_of)), 1e-6);
    }
    // The law of an arc lies within the ranges, and the curve goes beyond.
    let arc = "[manifold.arc]\nradius = 2\nfrom = '-pi/3'\nto = 'pi/3'";
    assert_within(&ends("", arc), &ends("", &by("x^2 + y^2 - 4", "[[1, 3], [-3, 3]]")), 1e-6);
    // Half the mass of two circles of the same size is on each; a third of it where one is twice the other.
    let two = "((x - 2)^2 + y^2 - 0.25)*((x + 2)^2 + y^2 - 1)";
    let union = "[[manifold.union]]\nshape.circle = { radius = 0.5 }\nshift = [2, 0]\n\
        [[manifold.union]]\nshape.circle = { radius = 1 }\nshift = [-2, 0]";
    assert_within(&ends("", union), &ends("", &by(two, "[[-4, 4], [-4, 4]]")), 1e-6);
}

#[test]
fn the_union_of_two_half_circles_has_the_facts_of_two_moons() {
    let union = "[[manifold.union]]\nshape.arc = { radius = 1.2, from = 0, to = 'pi' }\n\
        [[manifold.union]]\nshape.arc = { radius = 1.2, from = 'pi', to = '2*pi' }\nshift = [1.2, 0.6]";
    let charts = "[[manifold.union]]\n\
        shape.chart = { point = ['1.2*cos(t)', '1.2*sin(t)'], coordinates = { t = { from = 0, to = 'pi' } } }\n\
        [[manifold.union]]\nshift = [0, 0.6]\n\
        shape.chart = { point = ['1.2 - 1.2*cos(t)', '-1.2*sin(t)'], coordinates = { t = { from = 0, to = 'pi' } } }";
    let (named, moons) = measured(&path("", "[manifold.moons]\nradius = 1.2"), "");
    for (text, curvature) in [(union, 0.0), (charts, 1e-4)] {
        let (stated, made) = measured(&path("", text), "");
        assert_equal(&named, &stated, SAME, 300);
        assert!((made.curvature().value - moons.curvature().value).abs() <= curvature);
        // The tip of each moon is half a radius from the other moon.
        assert!((made.gap().value - 0.6).abs() < 1e-9, "{:?}", made.gap());
    }
}

#[test]
fn weights_of_a_law_mix_its_parts() {
    let union = "[[manifold.union]]\nshape.arc = { radius = 1, from = 0, to = 3 }\n\
        [[manifold.union]]\nshape.circle = { radius = 0.5 }\nshift = [0, -2]";
    // By volume: lengths 3 and π.
    assert_near(&ends("weights = [3, 'pi']", union), &ends("", union));
    let other = ends("weights = [1, 3]", union);
    assert!((other[1] - ends("", union)[1]).abs() > 0.01);
    // A part without weight, nearly.
    let alone = ends("", "[manifold.arc]\nradius = 1\nfrom = 0\nto = 3");
    assert_near(&ends("weights = [1, 1e-12]", union), &alone);
}

#[test]
fn a_part_of_a_union_is_nearest_where_it_is_nearer() {
    let text = "[[manifold.union]]\nshape.circle = { radius = 1 }\n\
        [[manifold.union]]\nshape.circle = { radius = 0.5 }\nshift = [4, 0]";
    let (_, made) = measured(&path("", text), "");
    for (x, distance, part) in [(2.0, 1.0, 0), (2.24, 1.24, 0), (2.26, 1.24, 1), (4.2, 0.3, 1)] {
        let foot = made.nearest(&[x, 0.0]).unwrap();
        assert!((foot.distance - distance).abs() < 1e-14 && foot.place.piece == part, "{x}");
    }
    // On the medial axis between them neither is nearer.
    assert_eq!(made.nearest(&[2.25, 0.0]).unwrap().gap(), 0.0);
    assert_eq!(made.reach().value, 0.5);
    // A run that passes there is not judged.
    let across = r#"
        state.names = ["x", "y"]
        model.ode = { drift = ["1", "0"], from = 0, to = 1 }
        sampler.fixed = { method = "rk4", steps = 20 }
        start = { points = [[1.72, 0]], plane = [[0, 1]] }"#;
    let folder = tempdir().unwrap();
    let found = run_file(&written(&folder, across, text)).unwrap();
    let why = found.trajectories[0].why_silent("relative_compression_forces_alignment").unwrap();
    assert!(why.contains("from one part of the manifold to another before time 0.55"), "{why}");
}

/// A circle of that radius by its samples, and by its name with radius `named`.
fn circles(count: usize, radius: f64, named: f64) -> ((Vec<Facts>, Manifold), Vec<Facts>) {
    let folder = tempdir().unwrap();
    let rows = (0..count).map(|i| {
        let t = TAU * i as f64 / count as f64;
        format!("{:?},{:?}\n", radius * t.cos(), radius * t.sin())
    });
    std::fs::write(folder.path().join("circle.csv"), rows.collect::<String>()).unwrap();
    let samples = format!(
        "[manifold.samples]\nfile = {:?}\ndimension = 1\nneighbours = 8",
        folder.path().join("circle.csv")
    );
    let world = PLANE
        .replace("steps = 150", "steps = 40")
        .replace("[[2.3, 0.2], [-0.4, 1.2], [1.1, -0.5]]", "[[1.9, 0.2], [-0.4, 1.1]]");
    let known = measured(&world, &format!("[manifold.circle]\nradius = {named:?}")).0;
    (measured(&world, &samples), known)
}

#[test]
fn a_circle_by_samples_has_the_facts_of_its_ridge_and_bars_that_reach_those_of_the_circle() {
    let (count, radius) = (120, 1.5);
    // The chord over four steps, over the root of 3, is the width; the mean of a von Mises law is where the ridge lies.
    let width = 2.0 * radius * (2.0 * TAU / count as f64).sin() / 3.0_f64.sqrt();
    let ridge = (0..100).fold(radius, |r, _| {
        let kappa = r * radius / (width * width);
        radius * kappa * bessel_ratio_taylor(2, kappa * kappa)[0]
    });
    let ((stated, made), of_ridge) = circles(count, radius, ridge);
    assert!((made.curvature().value - 1.0 / ridge).abs() < 1e-6, "{:?}", made.curvature());
    assert_eq!((made.reach_at_least(), made.curvature_at_most()), (0.0, f64::INFINITY));
    // Rounding of Newton's method, which difference quotients of projectors amplify.
    assert_equal(&of_ridge, &stated, 1e-7, 300);
    let of_circle = circles(count, radius, radius).1;
    for (known, stated) in of_circle.iter().zip(&stated) {
        for (name, series) in stated.iter() {
            for (a, b) in series.iter().zip(known.series(name)) {
                assert!(a.grade >= Grade::Estimated);
                let off = (a.value - b.value).abs();
                assert!(off <= a.bar + b.bar, "{name}: {a:?} {b:?}");
            }
        }
        let distance = stated.get("end_distance");
        assert!(distance.bar < 2.0 * width * width, "{distance:?}");
    }
}

#[test]
fn paths_of_samples_are_whole_in_files_that_lie_elsewhere() {
    let text = "[let]\nsamples = 3\n[law.samples]\nfile = \"a.csv\"\n[[manifold.union]]\n\
        shape.samples = { file = \"b.csv\", dimension = 1 }\n[[manifold.union]]\n\
        [manifold.union.shape.samples]\nfile = \"c.csv\"\ndimension = 1\n";
    let source = Source { path: "folder/world.toml".into(), text: text.to_owned() };
    let moved = source.with(&[], &[], &[("claim", "none".into())]).unwrap();
    let folder = std::path::absolute("folder").unwrap();
    for name in ["a.csv", "b.csv", "c.csv"] {
        assert!(moved.contains(folder.join(name).to_str().unwrap()), "{moved}");
    }
}

#[test]
fn formulas_of_a_manifold_are_read_back_from_a_record() {
    let chart = "[manifold.chart]\npoint = ['u*cos(u)', 'u*sin(u)']\ncoordinates = { u = { from = 1, to = 6 } }";
    let equation =
        "[manifold.implicit]\nequations = 'x^2/4 + y^2 + 0.1*x*y - 1'\nwithin = [[-3, 3], [-3, 3]]";
    let union = format!(
        "[[manifold.union]]\nshape.{}\n[[manifold.union]]\nshift = [9, 9]\nshape.{}",
        "circle = { radius = 1 }", "ellipse = { a = 2, b = 1 }"
    );
    for manifold in [chart, equation, &union] {
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
