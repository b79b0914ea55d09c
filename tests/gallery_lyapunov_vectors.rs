//! What the figures on Lyapunov vectors must obey: symmetries, closed forms, and agreement of two computations.

use driftproof::drift::{Atoms, Channel, Denoise};
use driftproof::experiments::along::{Along, largest_bend};
use driftproof::experiments::curve::{Curve, End};
use driftproof::experiments::lyapunov_vectors::histograms::{aligned, orthogonal};
use driftproof::experiments::lyapunov_vectors::places::{
    arc_position, fails_at_tips, half_line_gamma, to_medial_axis,
};
use driftproof::facts::{Grade, Quantity};
use driftproof::flow::{Method, Sampler};
use driftproof::observe::posterior_moments_certify_alignment::Run;
use driftproof::random::Stream;
use driftproof::record::Relation;
use driftproof::scenario::canonical;
use nalgebra::{DMatrix, Vector2};
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

const STREAM: &str = "test";

/// How far the distribution function of the library for closed forms is off in the tails: 1.4e-10 of Φ(−3/2).
const DISTRIBUTION: f64 = 2e-10;

fn starts(curve: &Curve, count: usize) -> Vec<Vector2<f64>> {
    curve.starts(count, Stream::root(3).named(STREAM)).unwrap()
}

#[test]
fn over_a_circle_every_top_vector_is_tangent() {
    // T6.5: J = (ρ_T/ρ_0)(I − rrᵀ) + J_r rrᵀ, and directions are kept.
    let circle = Curve::circle(1.0).unwrap();
    let starts = starts(&circle, 40);
    for (end, start) in circle.ends(0.1, &starts).unwrap().iter().zip(&starts) {
        assert!(end.angle() < 1e-6, "{}°", end.angle());
        assert!(end.state.perp(start).abs() < 1e-9 * start.norm());
        // The score of a rotationally symmetric law is radial: no part of it is tangent.
        assert!(end.tangent_share() < 1e-9 && end.overlap() < 1e-7);
        assert!(end.gap > 1.0);
    }
}

#[test]
fn the_slope_over_a_circle_is_that_of_the_closed_form() {
    // κ = η = 0 and l_T = l_0 J_r/J_T (T6.5), with J_r and J_T from the flow of two neighbours: the Jacobian itself.
    let circle = Curve::circle(1.0).unwrap();
    let (start, line) = (Vector2::new(2.5, 0.0), Vector2::new(0.3, 1.0));
    let along = Along::new(&circle, 0.1, start, line).unwrap();
    let (_, jacobian) = circle.carry(&circle.sampler(0.1), &[start]).unwrap().remove(0);
    let expected = 0.3 * jacobian[(0, 0)] / jacobian[(1, 1)];
    let last = along.slope.len() - 1;
    assert!((along.slope[0].abs() - 0.3).abs() < 1e-12);
    assert!((along.slope[last].abs() - expected).abs() < 1e-9);
    assert!(along.kappa.iter().chain(&along.eta).all(|k| *k < 1e-7));
    // (R) is attained where κ = η = 0, up to what is allowed for between the times of the grid.
    let bound = along.riccati.unwrap();
    assert_eq!(bound.first, 0);
    let ratio = bound.y[last] / expected;
    assert!((1.0..1.1).contains(&ratio), "{ratio}");
}

#[test]
fn a_flow_run_backwards_tells_the_same_vectors() {
    for curve in [Curve::moons().unwrap(), Curve::ellipse().unwrap()] {
        let ends = curve.ends(0.1, &starts(&curve, 24)).unwrap();
        let states: Vec<_> = ends.iter().map(|e| e.state).collect();
        for (forth, back) in ends.iter().zip(&curve.ends_at(0.1, &states).unwrap()) {
            assert!(forth.top.perp(&back.top).abs() < 1e-3, "{}", forth.top.perp(&back.top));
            assert!((forth.gap - back.gap).abs() < 1e-2);
            assert_eq!(forth.score, back.score);
        }
    }
}

#[test]
fn twice_as_many_steps_change_no_picture() {
    let moons = Curve::moons().unwrap();
    let starts = starts(&moons, 40);
    let coarse = moons.carry(&moons.sampler(0.02), &starts).unwrap();
    let fine = moons.carry(&moons.sampler(0.02).refined(), &starts).unwrap();
    for ((y, j), (z, k)) in coarse.iter().zip(&fine) {
        assert!(
            (y - z).norm() < 1e-4 && (j - k).norm() < 1e-3 * k.norm(),
            "{} {}",
            (y - z).norm(),
            (j - k).norm()
        );
    }
}

#[test]
fn compression_at_a_tip_is_the_variance_of_half_a_gaussian() {
    let normal = Normal::standard();
    let moons = Curve::moons().unwrap();
    let sigma = 0.02;
    for z in [-1.5_f64, -0.5, 0.0, 0.7, 2.0] {
        let hazard = normal.pdf(z) / normal.cdf(z);
        let closed = 1.0 - z * hazard - hazard * hazard;
        assert!((half_line_gamma(z) - closed).abs() < 10.0 * DISTRIBUTION, "{z}");
        // The right tip of the lower moon, (2, ½), where the arc runs down: σ is a fiftieth of its radius.
        let state = match z > 0.0 {
            true => {
                let (sin, cos) = (-z * sigma).sin_cos();
                Vector2::new(1.0 + cos, 0.5 + sin)
            }
            false => Vector2::new(2.0, 0.5 - z * sigma),
        };
        let end = End::at(&moons, sigma, state, Vector2::new(0.0, 1.0), 0.0).unwrap();
        assert!((end.gamma - closed).abs() < 0.01, "{z}: {} against {closed}", end.gamma);
        assert!((arc_position(&moons, &end) - z).abs() < 1e-6, "{}", arc_position(&moons, &end));
    }
}

#[test]
fn the_medial_axis_of_the_ellipse_is_where_two_points_are_nearest() {
    let ellipse = Curve::ellipse().unwrap();
    // a = 3/2, b = 3/4: the axis ends at (a² − b²)/a = 9/8.
    for (x, is_on) in [(0.0, true), (0.6, true), (1.1, true), (1.2, false)] {
        let gap = ellipse.manifold.nearest(&[x, 1e-7]).unwrap().gap();
        assert_eq!(gap < 1e-5, is_on, "{x}: {gap}");
        assert_eq!(to_medial_axis(&Vector2::new(x, 0.0)) < 1e-12, is_on);
    }
    assert!((to_medial_axis(&Vector2::new(-1.125 - 0.3, 0.4)) - 0.5).abs() < 1e-15);
}

#[test]
fn blocks_along_an_orbit_are_those_of_the_checkers() {
    // The observer of T2.5 measures the same orbit in its own way.
    for curve in [Curve::moons().unwrap(), Curve::ellipse().unwrap()] {
        let start = starts(&curve, 1)[0];
        let along = Along::new(&curve, 0.05, start, Vector2::new(0.6, 0.8)).unwrap();
        let facts = Run {
            manifold: &curve.manifold,
            denoiser: &curve.denoiser,
            flow: &canonical(&curve.denoiser),
            sampler: &curve.sampler(0.05),
            start: start.as_slice(),
            plane: &DMatrix::from_column_slice(2, 1, &[0.6, 0.8]),
        }
        .measure()
        .unwrap();
        for k in 0..along.time.len() {
            let close = |name: &str, ours: f64| {
                let theirs = facts.series(name)[k];
                let off = (ours - theirs.value).abs();
                assert!(off < 1e-6 + 10.0 * theirs.bar, "{name} at {k}: {ours} and {theirs:?}");
            };
            close("gamma", along.gamma[k]);
            close("slope", along.slope[k].abs());
            // κ and η are |c ∓ ω|, so the larger is |c| + |ω|; the other one tells which is which.
            let (low, high) = (along.kappa[k].min(along.eta[k]), along.kappa[k].max(along.eta[k]));
            let parts = [0.5 * (high - low), 0.5 * (high + low)];
            let cross = facts.series("cross_moment")[k].value;
            let nearest = parts.iter().map(|p| (p - cross).abs()).fold(f64::INFINITY, f64::min);
            assert!(nearest < 1e-5 * (1.0 + cross), "cross at {k}: {cross} of {parts:?}");
        }
    }
}

#[test]
fn a_second_derivative_is_that_of_two_points() {
    // ±1 on the first axis: m_1 = tanh(x/σ²), m_1'' = −2 t(1 − t²)/σ⁴ at every height.
    let pair = Atoms::new(2, vec![-1.0, 0.0, 1.0, 0.0], None, 0.0).unwrap();
    for (sigma, x, y) in [(1.0_f64, 0.4_f64, 0.7), (0.6, -0.2, 0.0)] {
        let t = (x / (sigma * sigma)).tanh();
        let closed = (2.0 * t * (1.0 - t * t) / sigma.powi(4)).abs();
        assert!((largest_bend(&pair, sigma, Vector2::new(x, y)) - closed).abs() < 1e-12 * closed);
    }
    // Four points of a square, turned by 45°: the same law in other axes, the same norm.
    let mean = |points: [f64; 8], y: Vector2<f64>| {
        let law = Atoms::new(2, points.to_vec(), None, 0.0).unwrap();
        let mut m = [0.0; 2];
        law.denoise(Channel::canonical(0.8), y.as_slice(), &mut m);
        (largest_bend(&law, 0.8, y), Vector2::from(m).norm())
    };
    let h = std::f64::consts::FRAC_1_SQRT_2;
    let (one, size) = mean([h, h, -h, h, -h, -h, h, -h], Vector2::new(0.5, 0.1));
    let turned = Vector2::new(h * 0.4, h * 0.6);
    let (two, same) = mean([1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0], turned);
    assert!((size - same).abs() < 1e-12 && (one - two).abs() < 1e-4 * one, "{one} {two}");
}

#[test]
fn single_steps_and_whole_flows_agree() {
    let ellipse = Curve::ellipse().unwrap();
    let start = Vector2::new(1.7, -0.9);
    let along = Along::new(&ellipse, 0.1, start, Vector2::new(1.0, 0.0)).unwrap();
    let times = ellipse.sampler(0.1).times().to_vec();
    let whole = Sampler::new(Method::Rk4, times);
    let (end, jacobian) = ellipse.carry(&whole, &[start]).unwrap().remove(0);
    assert!((end - along.state[along.state.len() - 1]).norm() < 1e-12);
    let image = jacobian * Vector2::new(1.0, 0.0);
    let last = along.time.len() - 1;
    let (tangent, normal) = ellipse.frame(&along.feet[last].place);
    let image = Vector2::new(image[0], image[1]);
    let slope = (normal.dot(&image) / tangent.dot(&image)).abs();
    assert!((along.slope[last].abs() - slope).abs() < 1e-9 * slope);
}

#[test]
fn false_shares_change_what_is_said_of_alignment() {
    let share = |value: f64| Quantity::new(value, 0.02, Grade::Sampled);
    let of = |relation: fn(std::vec::IntoIter<Quantity>) -> Relation, shares: &[f64]| {
        relation(shares.iter().map(|s| share(*s)).collect::<Vec<_>>().into_iter())
    };
    assert_eq!(of(aligned, &[0.96, 0.99]), Relation::Agrees);
    assert_eq!(of(aligned, &[0.96, 0.8]), Relation::Sharpens);
    assert_eq!(of(aligned, &[0.96, 0.2]), Relation::Contradicts);
    assert_eq!(of(orthogonal, &[0.01, 0.0]), Relation::Agrees);
    assert_eq!(of(orthogonal, &[0.05, 0.0]), Relation::Sharpens);
    assert_eq!(of(orthogonal, &[0.8, 0.0]), Relation::Contradicts);
    assert_eq!(fails_at_tips(share(0.5), share(0.02)), Relation::Sharpens);
    assert_eq!(fails_at_tips(share(0.01), share(0.01)), Relation::Agrees);
    assert_eq!(fails_at_tips(share(0.5), share(0.8)), Relation::Contradicts);
    assert_eq!(fails_at_tips(Quantity::UNKNOWN, share(0.2)), Relation::Open);
}

#[test]
fn the_cross_term_at_an_end_is_that_along_the_orbit() {
    for curve in [Curve::moons().unwrap(), Curve::ellipse().unwrap()] {
        let start = starts(&curve, 1)[0];
        let along = Along::new(&curve, 0.05, start, Vector2::new(0.6, 0.8)).unwrap();
        let end = &curve.ends(0.05, &[start]).unwrap()[0];
        let last = along.kappa.len() - 1;
        assert!(
            (end.kappa - along.kappa[last]).abs() < 1e-9,
            "{} {}",
            end.kappa,
            along.kappa[last]
        );
        assert!((end.gamma - along.gamma[last]).abs() < 1e-9);
    }
}
