//! The judges of flows that map quantiles, on facts written by hand: every predicted number is
//! computed here by quadrature of the definition.

use driftproof::claims::radial_law::RadialLaw;
use driftproof::claims::{find, segment_flow_is_a_quantile_map::NoisySegment};
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::verdict::{Judgement, Margin, Verdict};
use std::f64::consts::{FRAC_PI_2, PI, SQRT_2};

fn facts(table: &[(&str, &[f64])]) -> Facts {
    let mut facts = Facts::new();
    for (name, values) in table {
        facts.set_series(name, values.iter().map(|v| Quantity::exact(*v)).collect());
    }
    facts
}

/// A number half of a bar beside the one expected.
fn beside(expected: f64, bar: f64) -> Quantity {
    Quantity::new(expected + 0.5 * bar, bar, Grade::Estimated)
}

#[track_caller]
fn margin<'a>(judgement: &'a Judgement, name: &str) -> &'a Margin {
    let found = judgement.conclusions.iter().find(|m| m.name == name);
    found.unwrap_or_else(|| panic!("{name} is not among {judgement:#?}"))
}

#[track_caller]
fn assert_half(judgement: &Judgement, name: &str) {
    let slack = margin(judgement, name).slack;
    assert!((slack - 0.5).abs() < 1e-2, "{name}: {slack}");
}

fn simpson(low: f64, high: f64, panels: i32, f: impl Fn(f64) -> f64) -> f64 {
    let h = (high - low) / f64::from(panels);
    let weight = |k: i32| match k {
        0 => 1.0,
        k if k == panels => 1.0,
        k if k % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=panels).map(|k| weight(k) * f(low + h * f64::from(k))).sum::<f64>() * h / 3.0
}

/// The root of an increasing function.
fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if f(middle) < 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// ∫ over u in [−h, h] of g((x − u)/σ), over 2h.
fn over_segment(h: f64, sigma: f64, x: f64, g: impl Fn(f64) -> f64) -> f64 {
    simpson(-h, h, 4000, |u| g((x - u) / sigma)) / (2.0 * h)
}

fn bell(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// Density, score and probability beyond x of hU + σξ.
fn segment(h: f64, sigma: f64, x: f64) -> (f64, f64, f64) {
    let density = over_segment(h, sigma, x, bell) / sigma;
    let slope = over_segment(h, sigma, x, |z| -z * bell(z)) / (sigma * sigma);
    let tail = over_segment(h, sigma, x, |z| 0.5 * libm::erfc(z / SQRT_2));
    (density, slope / density, tail)
}

#[test]
fn the_noisy_segment_is_its_definition() {
    for (h, sigma) in [(1.5, 0.5), (0.25, 2.0)] {
        let law = NoisySegment { half_length: h, sigma };
        for x in [0.1, 0.7, 1.9, 3.0] {
            let (density, score, tail) = segment(h, sigma, x);
            assert!((law.density(x) / density - 1.0).abs() < 1e-10);
            assert!((law.score(x) / score - 1.0).abs() < 1e-9);
            assert!((law.tail(x) / tail - 1.0).abs() < 1e-9);
            assert_eq!(law.density(-x), law.density(x));
            assert_eq!(law.score(-x), -law.score(x));
            assert_eq!(law.tail(-x), law.tail(x));
        }
    }
}

#[test]
fn the_judge_of_the_segment_predicts_quantiles_factors_and_arcs() {
    let (h, sigma, signal) = (1.5, [2.0, 0.5], [0.4, 0.8]);
    let start = segment(h, sigma[0], 1.8);
    let x = root(0.0, 6.0, |x| start.2 - segment(h, sigma[1], x).2);
    let mut world = facts(&[
        ("sigma", &sigma),
        ("signal", &signal),
        ("half_length", &[h]),
        ("points", &[0.0]),
        ("slope_start", &[0.3]),
        ("arc_spacing", &[0.1]),
        ("arc_sigma", &[0.4]),
        ("arc_size", &[2.0]),
        ("arc_observed", &[1.3, 0.2]),
        // Centre, radius, and angles from and to.
        ("arcs", &[0.25, -0.5, 1.5, 0.5, 2.5, -1.0, 0.5, 0.5, -1.0, 1.0]),
    ]);
    world.set_series("place", vec![Quantity::exact(1.8), beside(x, 1e-8)]);
    let off = 1e-4;
    world.set_series(
        "score",
        [start.1 + off, segment(h, sigma[1], x + 0.5e-8).1 - off].map(Quantity::exact).to_vec(),
    );
    let log = [start.0.ln() - off, segment(h, sigma[1], x + 0.5e-8).0.ln() + off];
    world.set_series("log_density", log.map(Quantity::exact).to_vec());
    // J = (a_T/a_0) f_0/f_T along the segment, (a_T/a_0) σ_T/σ_0 across; a slope by their quotient.
    let moved = segment(h, sigma[1], x + 0.5e-8).0;
    let stretch = start.0 / moved;
    let wide = |x: f64| beside(x, 5e-6 * x);
    world.set("segment_factor", wide(2.0 * stretch));
    world.set("flat_factor", wide(0.5));
    world.set("slope_end", wide(0.3 * 0.25 / stretch));
    world.set("leak", Quantity::exact(off));
    let posterior = {
        let arcs = [(0.25, -0.5, 1.5, 0.5, 2.5), (-1.0, 0.5, 0.5, -1.0, 1.0)];
        let sum = |g: &dyn Fn(f64, f64) -> f64| -> f64 {
            let one = |&(cx, cy, r, from, to): &(f64, f64, f64, f64, f64)| {
                r * simpson(from, to, 4000, |angle: f64| {
                    let (px, py) = (cx + r * angle.cos(), cy + r * angle.sin());
                    let square = (1.3_f64 - px).powi(2) + (0.2_f64 - py).powi(2);
                    g(px, py) * (-0.5 * square / 0.16).exp()
                })
            };
            arcs.iter().map(one).sum()
        };
        let mass = sum(&|_, _| 1.0);
        [sum(&|x, _| x) / mass, sum(&|_, y| y) / mass]
    };
    world.set_series("arc_mean", posterior.map(|m| Quantity::exact(m + off)).to_vec());
    let judgement = find("segment_flow_is_a_quantile_map").unwrap().judge(&world);
    let rooms = |name: &str, expected: &[f64]| {
        let found: Vec<f64> =
            judgement.conclusions.iter().filter(|m| m.name == name).map(|m| m.room).collect();
        assert_eq!(found.len(), expected.len(), "{name}");
        for (room, expected) in found.iter().zip(expected) {
            assert!((room - expected).abs() < 1e-8, "{name}: {room} is not {expected}");
        }
    };
    rooms("(a) score", &[-off * sigma[0], -off * sigma[1]]);
    rooms("(a) log density", &[-off, -off]);
    rooms("(c) mixed entries", &[-off / (2.0 * stretch)]);
    rooms("(e) posterior mean of an arc", &[-off / 0.4, -off / 0.4]);
    // The bar of the place moves its quantile by density times bar, and the factors by the score's.
    for name in ["(b) quantile", "(c) factor along the segment", "(d) slope to the flat"] {
        let slack = margin(&judgement, name).slack;
        assert!((0.5..0.52).contains(&slack), "{name}: {slack}");
    }
    assert_half(&judgement, "(c) flat factor");
    assert!((judgement.hypotheses[1].slack - 0.75).abs() < 1e-12);
    // Without flat directions nothing is said of slopes to them; uneven series say nothing.
    for name in ["flat_factor", "slope_start", "slope_end"] {
        world.set_series(name, vec![]);
    }
    let judgement = find("segment_flow_is_a_quantile_map").unwrap().judge(&world);
    assert!(judgement.conclusions.iter().all(|m| !m.name.contains("flat")));
    world.push("signal", Quantity::exact(1.0));
    let judgement = find("segment_flow_is_a_quantile_map").unwrap().judge(&world);
    assert_eq!(judgement.verdict(), Verdict::Undecided);
}

/// The density of |Ru + σξ| in the plane (n = 2) and in space (n = 3).
fn radial(n: usize, radius: f64, sigma: f64, rho: f64) -> f64 {
    let square = sigma * sigma;
    let c = rho * radius / square;
    let miss = (-0.5 * (rho - radius).powi(2) / square).exp();
    match n {
        // ρ/σ² e^{−(ρ−R)²/2σ²} times the mean of e^{c(cos θ − 1)}, by the trapezoidal rule.
        2 => {
            let nodes = 100 + 20 * c.sqrt() as i32;
            let angle = |k: i32| 2.0 * PI * f64::from(k) / f64::from(nodes);
            let mean = (0..nodes).map(|k| (c * (angle(k).cos() - 1.0)).exp()).sum::<f64>();
            rho / square * miss * mean / f64::from(nodes)
        }
        3 => rho / (radius * sigma) * miss * -(-2.0 * c).exp_m1() / (2.0 * PI).sqrt(),
        // n = 5: (ρ/R)² with cosh c − sinh c/c, e^{−c} taken out.
        _ => {
            let lost = (-2.0 * c).exp();
            let bracket = 0.5 * (1.0 + lost) - 0.5 * (1.0 - lost) / c;
            let factor = (2.0 / PI).sqrt() * rho * rho / (radius * radius * sigma);
            factor * miss * bracket
        }
    }
}

fn radial_tail(n: usize, radius: f64, sigma: f64, rho: f64, above: bool) -> f64 {
    let far = (radius * radius + n as f64 * sigma * sigma).sqrt() + 12.0 * sigma;
    let (low, high) = if above { (rho, far.max(rho + 12.0 * sigma)) } else { (1e-9, rho) };
    simpson(low, high, 2000, |r| radial(n, radius, sigma, r))
}

#[test]
fn radial_laws_are_their_closed_forms_in_two_three_and_five_dimensions() {
    for n in [2, 3, 5] {
        for (radius, sigma) in [(1.0, 0.5), (1.0, 0.02), (1.0, 3.0), (0.25, 1.0)] {
            let law = RadialLaw { dim: n, radius, sigma };
            for z in [-4.0, -1.0, 0.0, 2.0, 5.0] {
                let rho = law.centre() + z * sigma;
                if rho < 0.2 * sigma {
                    continue;
                }
                let ratio = law.density(rho) / radial(n, radius, sigma, rho);
                // Above 1e-11 the closed form of n = 5 cancels itself where c is small.
                let c = rho * radius / (sigma * sigma);
                let rounding = if n == 5 { 1e-11 + 1e-15 / (c * c) } else { 1e-11 };
                assert!((ratio - 1.0).abs() < rounding, "{n} {radius} {sigma} {z}: {ratio}");
            }
            for z in [-1.5, 1.5] {
                let rho = law.centre() + z * sigma;
                if rho > 0.0 && sigma > 0.1 {
                    let tail = radial_tail(n, radius, sigma, rho, z > 0.0);
                    assert!((law.tail(rho, z > 0.0) / tail - 1.0).abs() < 1e-8, "{n} {z}");
                }
            }
        }
    }
    // Without a sphere, in many dimensions: ρ^{n−1} e^{−ρ²/2} 2^{1−n/2}/Γ(n/2).
    let law = RadialLaw { dim: 200, radius: 0.0, sigma: 1.0 };
    for rho in [10.0_f64, 14.0, 18.0] {
        let log = 199.0 * rho.ln() - 0.5 * rho * rho - 99.0 * 2.0_f64.ln() - libm::lgamma(100.0);
        assert!((law.density(rho) / log.exp() - 1.0).abs() < 1e-11);
    }
}

/// The sphere of radius 1.2 in space, seen from σ = 20 down to 0.8.
#[test]
fn the_judge_of_the_sphere_predicts_quantiles_factors_and_slopes() {
    let (big_r, sigma) = (1.2, [20.0, 5.0, 0.8]);
    let first = 40.0; // above the centre, √(1.44 + 1200)
    let quantile = radial_tail(3, big_r, sigma[0], first, true);
    let follow = |s: f64| root(0.1, 100.0, |rho| quantile - radial_tail(3, big_r, s, rho, true));
    let (middle, last) = (follow(sigma[1]), follow(sigma[2]));
    let mut world = facts(&[
        ("sigma", &sigma),
        ("sphere_dim", &[3.0]),
        ("radius", &[big_r]),
        ("turn", &[1e-7]),
        ("points", &[0.0]),
        ("slope_start", &[0.3]),
        ("flat_slope_start", &[0.2]),
    ]);
    let bar = 5e-8;
    let distance = [Quantity::exact(first), beside(middle, bar), beside(last, bar)];
    world.set_series("distance", distance.to_vec());
    let last = last + 0.5 * bar;
    let radial_factor = radial(3, big_r, sigma[0], first) / radial(3, big_r, sigma[2], last);
    let (tangential, flat) = (last / first, sigma[2] / sigma[0]);
    let ratio = radial_factor / tangential;
    let wide = |x: f64| beside(x, 0.5e-6 * x);
    world.set("radial_factor", wide(radial_factor));
    world.set("tangential_factor", wide(tangential));
    world.set("flat_factor", wide(flat));
    world.set("leak", Quantity::exact(1e-9));
    world.set("slope_end", wide(0.3 * ratio));
    world.set("flat_slope_end", wide(0.2 * flat / tangential));
    world.set("singular_ratio", wide(ratio));
    let id = "sphere_flow_is_a_radial_quantile_map";
    let judgement = find(id).unwrap().judge(&world);
    for s in ["5.000e0", "8.000e-1"] {
        assert_half(&judgement, &format!("(b) quantile at σ = {s}"));
    }
    // Beside half of the measured bar stands the bar of the distance: shared differently by each.
    for (name, low, high) in [
        ("(c) radial factor", 0.5, 0.62),
        ("(c) tangential factor", 0.5, 0.62),
        ("(c) flat factor", 0.499, 0.501),
        ("(d) slope over the sphere", 0.5, 0.7),
        ("(d) slope to the flat", 0.5, 0.62),
        ("(d) singular value ratio", 0.5, 0.7),
    ] {
        let slack = margin(&judgement, name).slack;
        assert!((low..high).contains(&slack), "{name}: {slack}");
    }
    let room = |name: &str, expected: f64| {
        let room = margin(&judgement, name).room;
        assert!((room / expected - 1.0).abs() < 1e-6, "{name}: {room} is not {expected}");
    };
    room("(a) the direction turns", -1e-7);
    room("(c) mixed entries", -1e-9 / tangential);
    room("(d) radius contracts most", 1.0 - ratio);
    // (e): J_r/J_T against √(1 + 2w)/(1 + w), w = R²/(nσ²), from start to end.
    let profile = |s: f64| {
        let w = (big_r / s).powi(2) / 3.0;
        (1.0 + 2.0 * w).sqrt() / (1.0 + w)
    };
    let z = ((first / sigma[0]).powi(2) - 3.0) / 6.0_f64.sqrt();
    let allowed = (0.1 + 0.8 * z) / 3.0_f64.sqrt();
    let off = (ratio * profile(sigma[0]) / profile(sigma[2]) - 1.0).abs();
    room("(e) profile of a typical start", (allowed - off) / allowed.max(off));
    // It is stated from 10 R on, for |z| ≤ 2 and tails of at least a fiftieth.
    let stated = |sigma: [f64; 3], start: f64| {
        let mut world = world.clone();
        world.set_series("sigma", sigma.map(Quantity::exact).to_vec());
        let distance = [start, 8.0, 2.0].map(Quantity::exact);
        world.set_series("distance", distance.to_vec());
        let judgement = find(id).unwrap().judge(&world);
        judgement.conclusions.iter().any(|m| m.name.starts_with("(e)"))
    };
    assert!(stated([20.0, 5.0, 0.8], first));
    assert!(stated([12.0, 5.0, 0.8], 20.0) && !stated([11.9, 5.0, 0.8], 20.0));
    // z = 2 is |x|²/σ² = 3 + 2√6 = 7.899; the lower tail is a fiftieth near |x|²/σ² = 0.185.
    assert!(stated([20.0, 5.0, 0.8], 20.0 * 7.89_f64.sqrt()));
    assert!(!stated([20.0, 5.0, 0.8], 20.0 * 7.91_f64.sqrt()));
    assert!(stated([20.0, 5.0, 0.8], 20.0 * 0.19_f64.sqrt()));
    assert!(!stated([20.0, 5.0, 0.8], 20.0 * 0.18_f64.sqrt()));
    let count = |sigma: &[f64], distance: &[f64]| {
        let mut world = world.clone();
        world.set_series("sigma", sigma.iter().copied().map(Quantity::exact).collect());
        world.set_series("distance", distance.iter().copied().map(Quantity::exact).collect());
        find(id).unwrap().judge(&world).conclusions.len()
    };
    assert!(count(&[5.0, 0.8], &[10.0, 2.0]) > 0);
    assert_eq!((count(&[5.0, 0.8], &[10.0]), count(&[5.0], &[10.0]), count(&[], &[])), (0, 0, 0));
}

#[test]
fn the_judge_of_the_torus_predicts_circle_by_circle_and_sorts() {
    let (radii, start_sigma, end_sigma) = ([1.0, 0.5], 3.0_f64, 0.4);
    let starts = [5.0, 2.0]; // the first above its centre, the second below
    let bar = 1e-7;
    let ends: Vec<f64> = (0..2)
        .map(|i| {
            let above = starts[i] > (radii[i] * radii[i] + 2.0 * start_sigma * start_sigma).sqrt();
            assert_eq!(above, i == 0);
            let quantile = radial_tail(2, radii[i], start_sigma, starts[i], above);
            let sign = if above { 1.0 } else { -1.0 };
            root(0.01, 4.0, |rho| {
                sign * (quantile - radial_tail(2, radii[i], end_sigma, rho, above))
            })
        })
        .collect();
    let mut world = facts(&[
        ("radius", &radii),
        ("sigma_start", &[start_sigma]),
        ("sigma_end", &[end_sigma]),
        ("distance_start", &starts),
        ("points", &[0.0]),
        ("leak", &[1e-8]),
    ]);
    let ends: Vec<Quantity> = ends.iter().map(|x| beside(*x, bar)).collect();
    world.set_series("distance_end", ends.clone());
    let radial_factors: Vec<f64> = (0..2)
        .map(|i| {
            radial(2, radii[i], start_sigma, starts[i])
                / radial(2, radii[i], end_sigma, ends[i].value)
        })
        .collect();
    let tangential: Vec<f64> = (0..2).map(|i| ends[i].value / starts[i]).collect();
    let wide = |x: &f64| beside(*x, 5e-6 * x);
    world.set_series("radial_factor", radial_factors.iter().map(wide).collect());
    world.set_series("tangential_factor", tangential.iter().map(wide).collect());
    let mut union = [tangential.clone(), radial_factors.clone()].concat();
    union.sort_by(|a, b| b.total_cmp(a));
    world.set_series("singular_value", union.iter().map(wide).collect());
    let least = tangential[0].min(tangential[1]);
    let most = radial_factors[0].max(radial_factors[1]);
    let separated = least > most;
    let angle = if separated { 1e-8 } else { FRAC_PI_2 - 1e-8 };
    world.set("angle_to_tangents", Quantity::exact(angle));
    let judgement = find("torus_flow_factors_into_circles").unwrap().judge(&world);
    for i in 0..2 {
        assert_half(&judgement, &format!("(a) quantile of circle {i}"));
        for name in ["radial", "tangential"] {
            let slack = margin(&judgement, &format!("(b) {name} factor {i}")).slack;
            assert!((0.499..0.6).contains(&slack), "{name} {i}: {slack}");
        }
    }
    for k in 1..=4 {
        let slack = margin(&judgement, &format!("(c) singular value {k}")).slack;
        assert!((0.499..0.6).contains(&slack), "{k}: {slack}");
    }
    let room = margin(&judgement, "(b) entries off the diagonal").room;
    let largest = tangential[0].max(tangential[1]);
    assert!((room * largest / -1e-8 - 1.0).abs() < 1e-6);
    let room = margin(&judgement, "(d) top subspace").room;
    assert!((room / -1e-8 - 1.0).abs() < 1e-6, "{room}");
    world.push("radial_factor", Quantity::exact(1.0));
    let judgement = find("torus_flow_factors_into_circles").unwrap().judge(&world);
    assert!(judgement.conclusions.is_empty());
}
