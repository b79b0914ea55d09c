//! Samplers and quadrature against exact marginals; every test of a sampler rejects a wrong one.

mod common;

use driftproof::manifold::{
    Arc, Chart, Component, Density, Ellipse, Family, Flat, Graph, Law, Manifold, Motion, Piece,
    Sphere, Torus, Wave,
};
use driftproof::random::{Knobs, Stream};
use nalgebra::DMatrix;
use statrs::distribution::{Beta, ContinuousCDF, Normal};
use std::f64::consts::{PI, TAU};

const N: usize = 20_000;

/// Kolmogorov's statistic √n sup|F_n − F|.
fn kolmogorov(mut values: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let gap = |(i, &x): (usize, &f64)| {
        let f = cdf(x);
        (f - i as f64 / n).max((i as f64 + 1.0) / n - f)
    };
    n.sqrt() * values.iter().enumerate().map(gap).fold(0.0, f64::max)
}

/// Exceeded with probability 2 exp(−2·2.23²) ≈ 1e-4 under the right law.
const CRITICAL: f64 = 2.23;

/// The right values pass, the wrong ones fail the same test.
fn assert_law(name: &str, right: Vec<f64>, wrong: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    let (passed, failed) = (kolmogorov(right, &cdf), kolmogorov(wrong, &cdf));
    assert!(passed < CRITICAL, "{name}: {passed} for the right sampler");
    assert!(failed > CRITICAL, "{name}: {failed} does not reject the wrong sampler");
}

/// x ↦ ∫_from^x f / ∫_from^to f: Simpson's rule in 2000 cells, linear within a cell (error about 1e-7).
fn share(f: impl Fn(f64) -> f64, from: f64, to: f64) -> impl Fn(f64) -> f64 {
    const CELLS: usize = 2000;
    let h = (to - from) / CELLS as f64;
    let mut sums = vec![0.0];
    for i in 0..CELLS {
        let at = |k: f64| f(from + h * (i as f64 + k));
        sums.push(sums[i] + (at(0.0) + 4.0 * at(0.5) + at(1.0)) / 6.0);
    }
    move |x| {
        let t = ((x - from) / h).clamp(0.0, CELLS as f64);
        let i = (t as usize).min(CELLS - 1);
        (sums[i] + (t - i as f64) * (sums[i + 1] - sums[i])) / sums[CELLS]
    }
}

fn parameters(manifold: &Manifold, density: &Density, index: usize) -> Vec<f64> {
    let places = manifold.sample_places(density, N, Stream::root(2).named("law")).unwrap();
    places.into_iter().map(|place| place.u[index]).collect()
}

fn uniforms(from: f64, to: f64) -> Vec<f64> {
    Stream::root(3).uniforms(N).into_iter().map(|t| from + (to - from) * t).collect()
}

fn new(chart: Chart) -> Manifold {
    Manifold::new(chart).unwrap()
}

#[test]
fn sphere_coordinates_are_beta() {
    for dim in [1, 2, 5, 8] {
        let sphere = new(Chart::Sphere(Sphere { dim, radius: 2.0 }));
        let motion = Motion::random(dim + 1, dim + 4, Stream::root(1)).unwrap();
        let points =
            Law::uniform(sphere.moved(&motion).unwrap()).sample(N, Stream::root(7)).unwrap();
        let along =
            motion.matrix() * DMatrix::from_element(dim + 1, 1, 1.0 / (dim as f64 + 1.0).sqrt());
        let heights: Vec<f64> =
            points.column_iter().map(|x| (1.0 + x.dot(&along) / 2.0) / 2.0).collect();
        // (1 + ⟨e, x⟩/R)/2 ~ Beta(k/2, k/2); the wrong sampler has one dimension more.
        let wrong = new(Chart::Sphere(Sphere { dim: dim + 1, radius: 1.0 }));
        let wrong = parameters(&wrong, &Density::Uniform, 0).into_iter().map(|x| (1.0 + x) / 2.0);
        let beta = Beta::new(dim as f64 / 2.0, dim as f64 / 2.0).unwrap();
        assert_law("sphere", heights, wrong.collect(), |x| beta.cdf(x));
    }
}

#[test]
fn ellipse_is_uniform_in_arclength() {
    let ellipse = new(Chart::Ellipse(Ellipse { a: 2.0, b: 0.8 }));
    let speed = |t: f64| (2.0 * t.sin()).hypot(0.8 * t.cos());
    let angles = parameters(&ellipse, &Density::Uniform, 0);
    assert_law("ellipse", angles, uniforms(0.0, TAU), share(speed, 0.0, TAU));
}

#[test]
fn torus_tube_angle_has_density_proportional_to_the_distance_from_the_axis() {
    let torus = new(Chart::Torus(Torus { major: 2.0, minor: 1.0 }));
    let angles = parameters(&torus, &Density::Uniform, 1);
    let cdf = |t: f64| (2.0 * t + t.sin()) / (2.0 * TAU); // ∫(R + r cos)/(2πR)
    assert_law("torus", angles, uniforms(0.0, TAU), cdf);
    let around = parameters(&torus, &Density::Uniform, 0);
    let wrong = parameters(&torus, &Density::Uniform, 1);
    assert_law("torus, around", around, wrong, |t| t / TAU);
}

#[test]
fn graph_is_uniform_in_arclength() {
    let wave = Wave { frequency: vec![2.0], phase: 0.3, amplitude: vec![0.6, 0.8] };
    let graph = new(Chart::Graph(Graph { half_widths: vec![1.5], height: 2, waves: vec![wave] }));
    let speed = |x: f64| 1.0_f64.hypot(2.0 * (2.0 * x + 0.3).sin());
    let base = parameters(&graph, &Density::Uniform, 0);
    assert_law("graph", base, uniforms(-1.5, 1.5), share(speed, -1.5, 1.5));
}

#[test]
fn tilt_and_cosine_agree_on_the_circle() {
    // exp⟨(c, 0), x⟩ with c = 1 on a circle of radius 2 is exp(2 cos t).
    let circle = new(Chart::circle(2.0));
    let cdf = share(|t: f64| (2.0 * t.cos()).exp(), 0.0, TAU);
    let tilt = Density::Tilt { direction: vec![1.0, 0.0] };
    assert_law("tilt", parameters(&circle, &tilt, 0), uniforms(0.0, TAU), &cdf);
    let cosine = Density::Cosine { axis: 0, strength: 2.0 };
    let weaker = Density::Cosine { axis: 0, strength: 1.7 };
    let wrong = parameters(&circle, &weaker, 0);
    assert_law("cosine", parameters(&circle, &cosine, 0), wrong, cdf);
}

#[test]
fn tilted_sphere_is_von_mises_fisher() {
    // Height w on S² has density ∝ exp(κw), κ = R|c| = 3.
    let sphere = new(Chart::Sphere(Sphere { dim: 2, radius: 1.5 }));
    let draw = |c: f64| {
        let direction = vec![0.0, 0.6 * c, 0.8 * c];
        let law = Law::OnManifold {
            manifold: sphere.clone(),
            density: Density::Tilt { direction },
            thickness: 0.0,
        };
        let points = law.sample(N, Stream::root(4)).unwrap();
        points.column_iter().map(|x| (0.6 * x[1] + 0.8 * x[2]) / 1.5).collect::<Vec<f64>>()
    };
    let cdf = |w: f64| ((3.0 * w).exp() - (-3.0_f64).exp()) / (3.0_f64.exp() - (-3.0_f64).exp());
    assert_law("von Mises–Fisher", draw(2.0), draw(1.7), cdf);
}

#[test]
fn tilt_of_a_product_acts_on_each_factor() {
    // Circle × interval [−2, 2], moved: the interval's coordinate has density ∝ e^h.
    let segment = Chart::Flat(Flat { half_widths: vec![2.0], bounded: true });
    let chart = Chart::Product { factors: vec![Chart::circle(1.0), segment] };
    let motion = Motion::random(3, 5, Stream::root(9)).unwrap();
    let tilt =
        (motion.matrix() * DMatrix::from_column_slice(3, 1, &[1.0, 0.0, 1.0])).as_slice().to_vec();
    let cylinder = Manifold::embedded(chart, motion).unwrap();
    let density = Density::Tilt { direction: tilt };
    let cdf = |h: f64| (h.exp() - (-2.0_f64).exp()) / (2.0_f64.exp() - (-2.0_f64).exp());
    assert_law("height", parameters(&cylinder, &density, 1), uniforms(-2.0, 2.0), cdf);
    let cdf = share(|t: f64| t.cos().exp(), 0.0, TAU);
    assert_law("angle", parameters(&cylinder, &density, 0), uniforms(0.0, TAU), cdf);
}

#[test]
fn ripples_act_on_each_factor_before_it_is_moved() {
    // Circle × interval [−2, 2], moved: density ∝ exp(1.5 cos(3 cos t)) around and exp(1.5 cos 4h) along.
    let segment = Chart::Flat(Flat { half_widths: vec![2.0], bounded: true });
    let chart = Chart::Product { factors: vec![Chart::circle(1.0), segment] };
    let motion = Motion::random(3, 5, Stream::root(9)).unwrap();
    let cylinder = Manifold::embedded(chart, motion).unwrap();
    let density = Density::Ripples { frequency: vec![3.0, 0.0, 4.0], strength: 1.5 };
    let along = |h: f64| (1.5 * (4.0 * h).cos()).exp();
    let heights = parameters(&cylinder, &density, 1);
    assert_law("height", heights, uniforms(-2.0, 2.0), share(along, -2.0, 2.0));
    let around = |t: f64| (1.5 * (3.0 * t.cos()).cos()).exp();
    let angles = parameters(&cylinder, &density, 0);
    assert_law("angle", angles, uniforms(0.0, TAU), share(around, 0.0, TAU));
    // As drawn for worlds: the phase reaches from −8 to 8 on either factor.
    let drawn = Density::ripples(&cylinder, 8.0, 1.5, Stream::root(3));
    let Density::Ripples { frequency, .. } = drawn else { panic!("ripples") };
    assert!((frequency[0].hypot(frequency[1]) - 8.0).abs() < 1e-12);
    assert!((2.0 * frequency[2].abs() - 8.0).abs() < 1e-12);
}

/// |share − expected| in standard deviations of a binomial share.
fn deviations(hits: usize, n: usize, expected: f64) -> f64 {
    (hits as f64 / n as f64 - expected).abs() / (expected * (1.0 - expected) / n as f64).sqrt()
}

#[test]
fn pieces_of_a_union_get_their_share_of_the_mass() {
    let union = |radius: f64, shift: f64| {
        let home = Motion::identity(2, 2).unwrap();
        let away = home.clone().shifted(&[shift, 0.0]).unwrap();
        let small = Piece { chart: Chart::Ellipse(Ellipse { a: 1.0, b: 1.0 }), motion: home };
        Manifold::union(vec![small, Piece { chart: Chart::circle(radius), motion: away }]).unwrap()
    };
    let on_first = |manifold: &Manifold, density: &Density| {
        let places = manifold.sample_places(density, N, Stream::root(6)).unwrap();
        places.iter().filter(|place| place.piece == 0).count()
    };
    // Lengths 1 : 3.
    let hits = on_first(&union(3.0, 9.0), &Density::Uniform);
    assert!(deviations(hits, N, 0.25) < 4.0 && deviations(hits, N, 0.3) > 4.0);
    // Equal circles 1 apart under exp(x): the second has e times the mass.
    let hits = on_first(&union(1.0, 1.0), &Density::Tilt { direction: vec![1.0, 0.0] });
    let expected = 1.0 / (1.0 + 1.0_f64.exp());
    assert!(deviations(hits, N, expected) < 4.0 && deviations(hits, N, 0.5) > 4.0);
}

#[test]
fn a_sphere_beside_a_torus_gets_the_share_of_its_area() {
    let home = Motion::identity(3, 3).unwrap();
    let away = home.clone().shifted(&[6.0, 0.0, 0.0]).unwrap();
    let sphere = Piece { chart: Chart::Sphere(Sphere { dim: 2, radius: 1.5 }), motion: home };
    let torus = Piece { chart: Chart::Torus(Torus { major: 2.0, minor: 0.5 }), motion: away };
    let union = Manifold::union(vec![sphere, torus]).unwrap();
    let places = union.sample_places(&Density::Uniform, N, Stream::root(6)).unwrap();
    let hits = places.iter().filter(|place| place.piece == 0).count();
    // 4πr² beside 4π²Rr'.
    let expected = 2.25 / (2.25 + PI);
    assert!(deviations(hits, N, expected) < 4.0, "{hits}");
}

#[test]
fn compact_densities_have_beta_marginals() {
    for power in [0.0, 1.0, 2.5] {
        let cube = |power: f64| {
            let law = Law::Cube { dim: 3, half_width: 2.0, power };
            let points = law.sample(N, Stream::root(1)).unwrap();
            points.row(2).iter().map(|x| x / 2.0).collect::<Vec<f64>>()
        };
        // By quadrature of (1−x²)^k itself, not by the Beta law that the sampler uses.
        let cdf = share(|x: f64| (1.0 - x * x).max(0.0).powf(power), -1.0, 1.0);
        assert_law("cube", cube(power), cube(power + 0.6), cdf);
        let ball = |power: f64| {
            let law = Law::Ball { dim: 4, radius: 0.5, power };
            law.sample(N, Stream::root(2)).unwrap()
        };
        let radii = |m: DMatrix<f64>| m.column_iter().map(|x| 2.0 * x.norm()).collect::<Vec<_>>();
        let cdf = share(|r: f64| r.powi(3) * (1.0 - r * r).max(0.0).powf(power), 0.0, 1.0);
        assert_law("ball", radii(ball(power)), radii(ball(power + 0.6)), cdf);
        // The marginal of a coordinate is ∝ (1−x²)^{k + (D−1)/2}.
        let first = |m: DMatrix<f64>| m.row(0).iter().map(|x| 2.0 * x).collect::<Vec<f64>>();
        let cdf = share(|x: f64| (1.0 - x * x).max(0.0).powf(power + 1.5), -1.0, 1.0);
        assert_law("ball, coordinate", first(ball(power)), first(ball(power + 1.5)), cdf);
    }
}

#[test]
fn mixture_and_thickness_are_gaussian() {
    let component = |weight, at: f64, width| Component { weight, mean: vec![at, 0.0], width };
    let mixture = |width| {
        let components = vec![component(1.0, -1.0, 0.5), component(3.0, 2.0, width)];
        let points = Law::Mixture { components }.sample(N, Stream::root(8)).unwrap();
        points.row(0).iter().copied().collect::<Vec<f64>>()
    };
    let normal = Normal::standard();
    let cdf = |x: f64| 0.25 * normal.cdf((x + 1.0) / 0.5) + 0.75 * normal.cdf(x - 2.0);
    assert_law("mixture", mixture(1.0), mixture(1.2), cdf);
    let flat = Chart::Flat(Flat { half_widths: vec![1.0], bounded: false });
    let line = Manifold::embedded(flat, Motion::identity(1, 3).unwrap()).unwrap();
    let off = |thickness| {
        let law = Law::OnManifold { manifold: line.clone(), density: Density::Uniform, thickness };
        let points = law.sample(N, Stream::root(8)).unwrap();
        points.row(2).iter().map(|x| x / 0.3).collect::<Vec<f64>>()
    };
    assert_law("thickness", off(0.3), off(0.35), |x| normal.cdf(x));
}

#[test]
fn samples_agree_with_quadrature_on_random_curves_and_surfaces() {
    for family in [Family::ClosedCurve, Family::ClosedSurface, Family::Graph, Family::SwissRoll] {
        let knobs = [0.3, 0.4, 0.5, 0.6, 0.9, 0.7, 0.2];
        let manifold = Manifold::draw(family, 5, &mut Knobs::new(&knobs)).unwrap();
        let density = Density::Tilt { direction: vec![0.5, -0.4, 0.3, 0.2, 0.1] };
        let law = Law::OnManifold { manifold, density, thickness: 0.0 };
        let points = law.sample(N, Stream::root(12)).unwrap();
        let (nodes, weights) = law.quadrature(48).unwrap();
        let (finer, finer_weights) = law.quadrature(64).unwrap();
        for i in 0..5 {
            let moment = |m: &DMatrix<f64>, w: &[f64], k: i32| {
                m.row(i).iter().zip(w).map(|(x, w)| w * x.powi(k)).sum::<f64>()
            };
            let exact = moment(&nodes, &weights, 1);
            assert!((exact - moment(&finer, &finer_weights, 1)).abs() < 1e-9, "{family:?}");
            let variance = moment(&nodes, &weights, 2) - exact * exact;
            let error = (points.row(i).mean() - exact).abs();
            assert!(error <= 4.5 * (variance.max(0.0) / N as f64).sqrt() + 1e-9, "{family:?} {i}");
        }
    }
}

#[test]
fn quadrature_gives_published_volumes_and_moments() {
    let volume = |chart: Chart, n: usize| new(chart).volume(n).unwrap();
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} is not {b}");
    // Perimeter of the ellipse (2, 1): 8 E(3/4) = 9.688448220547675.
    close(volume(Chart::Ellipse(Ellipse { a: 2.0, b: 1.0 }), 80), 9.688_448_220_547_675);
    close(volume(Chart::Torus(Torus { major: 2.0, minor: 0.5 }), 16), 4.0 * PI * PI); // 4π²Rr
    close(volume(Chart::Sphere(Sphere { dim: 2, radius: 3.0 }), 5), 36.0 * PI);
    close(volume(Chart::Sphere(Sphere { dim: 1, radius: 3.0 }), 5), 6.0 * PI);
    close(volume(Chart::Arc(Arc { radius: 2.0, from: 0.5, to: 2.5 }), 3), 4.0);
    close(Manifold::moons(1.0).unwrap().volume(4).unwrap(), TAU);
    let (points, weights) =
        new(Chart::Sphere(Sphere { dim: 2, radius: 3.0 })).quadrature(8).unwrap();
    close(weights.iter().sum(), 1.0);
    for i in 0..3 {
        // E x_i² = R²/3, E x_i⁴ = R⁴/5.
        let moment = |k: i32| points.row(i).iter().zip(&weights).map(|(x, w)| w * x.powi(k)).sum();
        close(moment(2), 3.0);
        close(moment(4), 81.0 / 5.0);
    }
}

#[test]
fn points_depend_on_their_index_alone() {
    let law = Law::uniform(Manifold::moons(1.0).unwrap());
    let few = law.sample(5, Stream::root(1)).unwrap();
    let many = law.sample(9, Stream::root(1)).unwrap();
    assert_eq!(few, many.columns(0, 5));
    assert_ne!(few, law.sample(5, Stream::root(2)).unwrap());
    assert_eq!(law.sample(0, Stream::root(1)).unwrap().shape(), (2, 0));
}

#[test]
fn bad_laws_are_refused_as_input() {
    let circle = new(Chart::circle(1.0));
    let on = |density: Density, thickness: f64| Law::OnManifold {
        manifold: circle.clone(),
        density,
        thickness,
    };
    let component = |weight, width| Component { weight, mean: vec![0.0], width };
    let mixture = |components| Law::Mixture { components };
    let odd = Component { weight: 1.0, mean: vec![0.0, 1.0], width: 1.0 };
    for law in [
        on(Density::Uniform, -1.0),
        on(Density::Uniform, f64::NAN),
        on(Density::Tilt { direction: vec![1.0] }, 0.0),
        on(Density::Cosine { axis: 1, strength: 1.0 }, 0.0),
        on(Density::Ripples { frequency: vec![1.0], strength: 1.0 }, 0.0),
        on(Density::Ripples { frequency: vec![1.0, 0.0], strength: f64::NAN }, 0.0),
        on(Density::Cosine { axis: 0, strength: f64::INFINITY }, 0.0),
        Law::Cube { dim: 0, half_width: 1.0, power: 0.0 },
        Law::Cube { dim: 2, half_width: 0.0, power: 0.0 },
        Law::Ball { dim: 2, radius: 1.0, power: -0.5 },
        mixture(vec![]),
        mixture(vec![component(0.0, 1.0)]),
        mixture(vec![component(1.0, -1.0)]),
        mixture(vec![component(1.0, 1.0), odd]),
    ] {
        assert!(law.sample(1, Stream::root(0)).is_err_and(|e| e.is_input()), "{law:?}");
    }
    // A good law, but more numbers than may be stored.
    let good = Law::uniform(circle.clone());
    for n in [60_000_000, usize::MAX] {
        assert!(good.sample(n, Stream::root(0)).is_err_and(|e| e.is_input()));
    }
    assert!(circle.quadrature(0).is_err_and(|e| e.is_input()));
    assert!(circle.quadrature(usize::MAX).is_err_and(|e| e.is_input()));
    let sphere = new(Chart::Sphere(Sphere { dim: 3, radius: 1.0 }));
    assert!(sphere.quadrature(4).is_err_and(|e| e.is_input()));
    // So peaked that rejection cannot find it: an error, not an endless loop.
    let peaked = on(Density::Cosine { axis: 0, strength: 1e15 }, 0.0);
    assert!(peaked.sample(1, Stream::root(0)).is_err_and(|e| !e.is_input()));
}

#[test]
fn a_steep_tilt_of_a_union_weighs_the_places_of_all_pieces_alike() {
    // exp⟨c, x⟩ on two arcs of unlike size: means by the midpoint rule over both, against both ways to take them.
    let (tilt, shift) = ([0.7, -2.0], [1.0, -2.5]);
    let arcs = [
        (Arc { radius: 4.0, from: -1.9, to: 0.6 }, [0.0, 0.0]),
        (Arc { radius: 1.5, from: 0.2, to: 5.0 }, shift),
    ];
    let (mut mass, mut first, mut square) = (0.0, [0.0; 2], [0.0; 2]);
    for (arc, shift) in &arcs {
        let cells = 20_000;
        let step = (arc.to - arc.from) / f64::from(cells);
        for k in 0..cells {
            let (sin, cos) = (arc.from + step * (f64::from(k) + 0.5)).sin_cos();
            let x = [arc.radius * cos + shift[0], arc.radius * sin + shift[1]];
            let weight = (tilt[0] * x[0] + tilt[1] * x[1]).exp() * arc.radius * step;
            mass += weight;
            for i in 0..2 {
                first[i] += weight * x[i];
                square[i] += weight * x[i] * x[i];
            }
        }
    }
    let mean = first.map(|sum| sum / mass);
    let home = Motion::identity(2, 2).unwrap();
    let pieces = arcs.map(|(arc, shift)| Piece {
        chart: Chart::Arc(arc),
        motion: home.clone().shifted(&shift).unwrap(),
    });
    let law = Law::OnManifold {
        manifold: Manifold::union(pieces.to_vec()).unwrap(),
        density: Density::Tilt { direction: tilt.to_vec() },
        thickness: 0.0,
    };
    let (points, weights) = law.quadrature(60).unwrap();
    let samples = law.sample(N, Stream::root(4)).unwrap();
    for i in 0..2 {
        let by_rule: f64 = points.row(i).iter().zip(&weights).map(|(x, w)| x * w).sum();
        assert!((by_rule - mean[i]).abs() < 1e-6, "{by_rule} against {}", mean[i]);
        let error = ((square[i] / mass - mean[i] * mean[i]) / N as f64).sqrt();
        let sampled = samples.row(i).mean();
        assert!((sampled - mean[i]).abs() < 5.0 * error, "{sampled} against {}", mean[i]);
    }
}
