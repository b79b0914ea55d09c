//! Laws of data worlds: decoding, round trips, denoisers against their laws, starts and grids.

use driftproof::campaign;
use driftproof::claims;
use driftproof::drift::{Atoms, Channel, Denoise, Denoiser};
use driftproof::manifold::{Density, Family, Law};
use driftproof::observe::UNNAMED;
use driftproof::random::{Knobs, Stream};
use driftproof::scenario::{Corner, Labels, STEPS, Scenario};
use nalgebra::DVector;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

/// Knobs of a world, as campaigns draw them.
const KNOBS: usize = 48;

/// Families whose worlds are cheap to build: the reach is a closed form.
const CHEAP: [Family; 8] = [
    Family::Circle,
    Family::Ellipse,
    Family::Sphere,
    Family::Flat,
    Family::FlatTorus,
    Family::Torus,
    Family::Arc,
    Family::Cuboid,
];

fn world(families: &[Family], index: u64) -> Scenario {
    let mut knobs = Knobs::draw(Stream::root(8).named("worlds").indexed(index), KNOBS);
    Scenario::decode(&mut knobs, families).unwrap()
}

fn posterior_mean(denoiser: &Denoiser, sigma: f64, y: &[f64]) -> DVector<f64> {
    let mut mean = DVector::zeros(y.len());
    denoiser.denoise(Channel::canonical(sigma), y, mean.as_mut_slice());
    mean
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_knobs_are_a_world(values in vec(prop_oneof![
        Just(0.0), Just(1.0), 0.0..1.0_f64, Just(f64::NAN), Just(f64::INFINITY), Just(-3.0),
    ], 0..KNOBS)) {
        let world = Scenario::decode(&mut Knobs::new(&values), &CHEAP).unwrap();
        prop_assert!(0.0 < world.sigma_end && world.sigma_end < world.sigma_start);
        prop_assert_eq!(world.start.len(), world.manifold().ambient());
        prop_assert!(world.manifold().dim() < world.start.len());
        prop_assert!(world.start.iter().all(|x| x.is_finite()));
        prop_assert_eq!(world.denoiser().unwrap().dim(), world.start.len());
    }
}

#[test]
fn every_family_is_a_world_at_its_plainest_and_at_the_other_end() {
    for family in Family::ALL {
        for value in [0.0, 1.0] {
            let knobs = vec![value; KNOBS];
            let world = Scenario::decode(&mut Knobs::new(&knobs), &[family]).unwrap();
            assert_eq!(world.family, family);
            assert_eq!(world.manifold().dim(), world.plane(world.manifold().dim()).ncols());
        }
    }
    let plain = Scenario::decode(&mut Knobs::new(&[]), &Family::ALL).unwrap();
    assert_eq!((plain.family, plain.start.len()), (Family::Circle, 2));
    assert_eq!(plain.manifold().reach().value, 1.0);
}

#[test]
fn a_world_survives_serialisation() {
    for index in 0..40 {
        let world = world(&CHEAP, index);
        let text = serde_json::to_string(&world).unwrap();
        let back: Scenario = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
        assert_eq!((&back.start, &back.law), (&world.start, &world.law));
        // Also what is derived from it: the posterior mean, to the last bit.
        let mean = |w: &Scenario| posterior_mean(&w.denoiser().unwrap(), w.sigma_end, &w.start);
        assert_eq!(mean(&back), mean(&world));
    }
}

#[test]
fn worlds_have_dimensions_2_to_64_and_meet_boundaries() {
    let worlds: Vec<Scenario> = (0..150).map(|index| world(&CHEAP, index)).collect();
    for ambient in [2, 3, 4, 6, 10, 16, 64] {
        let count = worlds.iter().filter(|w| w.start.len() == ambient).count();
        assert!(count >= 5, "{count} of 150 worlds in R^{ambient}");
    }
    let largest = worlds.iter().map(|w| w.manifold().dim()).max().unwrap();
    assert!(largest >= 8, "intrinsic dimension up to {largest}");
    let bounded = |w: &&Scenario| w.manifold().nearest(&w.start).unwrap().boundary;
    assert!(worlds.iter().filter(bounded).count() >= 5, "starts beyond a boundary");
}

#[test]
fn the_posterior_mean_is_no_farther_out_than_the_data() {
    for index in 0..60 {
        let world = world(&CHEAP, index);
        let denoiser = world.denoiser().unwrap();
        // max |x| and max ⟨x, e⟩ over the support, from a dense rule or the law's own atoms.
        let points: Vec<DVector<f64>> = match &denoiser {
            Denoiser::Atoms(atoms) => atoms
                .points()
                .chunks_exact(world.start.len())
                .map(DVector::from_column_slice)
                .collect(),
            _ => world
                .law
                .sample(4000, Stream::root(1))
                .unwrap()
                .column_iter()
                .map(|c| c.into_owned())
                .collect(),
        };
        let exact = matches!(denoiser, Denoiser::Atoms(_));
        let start = DVector::from_column_slice(&world.start);
        for stretch in [0.0, 0.5, 1.0, 3.0] {
            let y = &start * stretch;
            for sigma in [world.sigma_end, world.sigma_start] {
                let mean = posterior_mean(&denoiser, sigma, y.as_slice());
                assert!(mean.iter().all(|m| m.is_finite()));
                if !exact {
                    // A sphere: the ball around its centre.
                    let centre = world.manifold().nearest(mean.as_slice()).unwrap();
                    let radius = world.manifold().reach().value;
                    assert!(centre.distance <= radius * (1.0 + 1e-12), "world {index}");
                    continue;
                }
                // The support function in the direction of the mean, of y and of one axis.
                let mut axis = DVector::zeros(y.len());
                axis[0] = 1.0;
                for direction in [mean.clone(), y.clone(), axis] {
                    let most =
                        points.iter().map(|x| x.dot(&direction)).fold(f64::NEG_INFINITY, f64::max);
                    let room = 1e-12 * direction.norm() * (1.0 + mean.norm());
                    assert!(mean.dot(&direction) <= most + room, "world {index} at σ = {sigma}");
                }
            }
        }
    }
}

/// The denoiser of the same law from `nodes` nodes per axis.
fn by_quadrature(law: &Law, nodes: usize) -> Denoiser {
    let (points, weights) = law.quadrature(nodes).unwrap();
    Atoms::quadrature(points.nrows(), points.as_slice(), &weights, 0.0).unwrap().into()
}

fn nodes(world: &Scenario) -> usize {
    serde_json::to_value(world).unwrap()["nodes"].as_u64().unwrap() as usize
}

#[test]
fn doubling_the_nodes_on_a_curve_changes_no_posterior_mean() {
    let mut met = 0;
    for index in 0..24 {
        let world = world(&[Family::Ellipse, Family::Arc, Family::ClosedCurve], index);
        let (denoiser, doubled) =
            (world.denoiser().unwrap(), by_quadrature(&world.law, 2 * nodes(&world)));
        met += 1;
        // At the smallest noise the rule is coarsest; one σ off the curve, as a trajectory ends.
        let foot = world.manifold().nearest(&world.start).unwrap();
        let off = DVector::from_column_slice(&world.start) - &foot.point;
        let y = &foot.point + off * (world.sigma_end / world.sigma_start);
        for sigma in [world.sigma_end, 2.0 * world.sigma_end] {
            let change = (posterior_mean(&denoiser, sigma, y.as_slice())
                - posterior_mean(&doubled, sigma, y.as_slice()))
            .norm();
            assert!(change < 1e-8, "world {index} ({:?}): {change:e}", world.family);
        }
    }
    assert_eq!(met, 24);
}

#[test]
fn the_closed_form_of_a_circle_agrees_with_quadrature_and_that_of_a_sphere_with_samples() {
    let (mut circles, mut spheres) = (0, 0);
    for index in 0..60 {
        let world = world(&[Family::Circle, Family::Sphere], index);
        let Law::OnManifold { density, .. } = &world.law else { unreachable!() };
        let denoiser = world.denoiser().unwrap();
        if *density != Density::Uniform {
            assert!(!matches!(denoiser, Denoiser::Moved(_)), "a tilt has no closed form here");
            continue;
        }
        assert!(matches!(denoiser, Denoiser::Moved(_)));
        let sigma = world.sigma_start;
        let exact = posterior_mean(&denoiser, sigma, &world.start);
        if world.family == Family::Circle {
            circles += 1;
            let by_rule = posterior_mean(&by_quadrature(&world.law, 400), sigma, &world.start);
            assert!((exact - by_rule).norm() < 1e-12, "world {index}");
            continue;
        }
        // Self-normalised importance weights of independent samples: five standard errors a coordinate.
        let samples = world.law.sample(20_000, Stream::root(index)).unwrap();
        let y = DVector::from_column_slice(&world.start);
        let logs: Vec<f64> = samples
            .column_iter()
            .map(|x| -(&y - x).norm_squared() / (2.0 * sigma * sigma))
            .collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logs.iter().map(|l| (l - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        let effective = total * total / weights.iter().map(|w| w * w).sum::<f64>();
        if effective < 300.0 {
            continue;
        }
        spheres += 1;
        for i in 0..y.len() {
            let mean =
                (0..weights.len()).map(|j| weights[j] * samples[(i, j)]).sum::<f64>() / total;
            let spread = |j: usize| (weights[j] * (samples[(i, j)] - mean) / total).powi(2);
            let error = (0..weights.len()).map(spread).sum::<f64>().sqrt();
            let difference = (mean - exact[i]).abs();
            assert!(difference <= 5.0 * error + 1e-12, "world {index}, axis {i}: {difference}");
        }
    }
    assert!(circles >= 10 && spheres >= 10, "{circles} circles, {spheres} spheres");
}

#[test]
fn a_world_starts_within_the_noise_of_its_manifold() {
    // |y − p| ≤ |y − x| = σ|ξ|, and |ξ| ≤ √D + 4 but for one in about 3000.
    for index in 0..150 {
        let world = world(&CHEAP, index);
        let foot = world.manifold().nearest(&world.start).unwrap();
        let most = world.sigma_start * ((world.start.len() as f64).sqrt() + 4.0);
        assert!(foot.distance <= most, "world {index}: {} beyond {most}", foot.distance);
    }
}

#[test]
fn the_sampler_runs_down_from_the_start_noise_to_the_end_noise_in_equal_ratios() {
    for index in 0..20 {
        let world = world(&CHEAP, index);
        let sampler = world.sampler();
        let times = sampler.times();
        assert_eq!(times.len(), STEPS + 1);
        assert!((times[0] / world.sigma_start - 1.0).abs() < 1e-14);
        assert!((times[STEPS] / world.sigma_end - 1.0).abs() < 1e-12);
        let ratio = (world.sigma_end / world.sigma_start).powf(1.0 / STEPS as f64);
        assert!(times.windows(2).all(|w| (w[1] / w[0] / ratio - 1.0).abs() < 1e-12));
    }
}

#[test]
fn two_hundred_worlds_of_a_data_claim_meet_every_corner() {
    let claim = claims::find("posterior_moments_certify_alignment").unwrap();
    let corners: BTreeSet<Corner> = (0..200)
        .flat_map(|index| {
            let mut knobs = campaign::knobs(claim, 1, index);
            Scenario::decode(&mut knobs, &Family::ALL).unwrap().labels().corners
        })
        .collect();
    assert_eq!(corners, BTreeSet::from(Corner::ALL));
    // Those whose observers choose among kinds of worlds first.
    for id in ["relative_compression_forces_alignment", "tangential_alignment_bounds_score_overlap"]
    {
        let claim = claims::find(id).unwrap();
        let worlds = campaign::run_frugally(claim, 1, 200, &AtomicBool::new(false), &|| ());
        let summary = campaign::summarise(claim, &worlds);
        let met: Vec<&str> = summary.corners.iter().map(|corner| corner.name.as_str()).collect();
        assert_eq!(met, Corner::ALL.map(Corner::name), "{id}");
        assert!(summary.corners.iter().all(|corner| corner.in_scope > 0), "{id}");
    }
}

#[test]
fn every_observer_says_what_kind_of_world_it_is() {
    for claim in claims::ALL {
        for index in 0..3 {
            let seen = campaign::judge_world(claim, 1, index).observed;
            assert!(seen.is_ok_and(|seen| seen.labels.family != UNNAMED), "{}", claim.id);
        }
    }
}

/// Worlds of every kind of law and dimension, with the length that noise is measured in.
fn many() -> Vec<(Scenario, f64)> {
    let families: Vec<Family> = CHEAP.into_iter().chain([Family::Product]).collect();
    let lengths = |world: Scenario| {
        let reach = world.manifold().reach().value;
        (world, reach.min(2.0))
    };
    (0..240).map(|index| lengths(world(&families, index))).collect()
}

fn density(world: &Scenario) -> &Density {
    let Law::OnManifold { density, .. } = &world.law else { unreachable!() };
    density
}

#[test]
fn noise_is_measured_in_the_length_on_which_the_manifold_bends_and_grids_follow_its_dimension() {
    // Least and most end noise, and worlds met, of: closed forms, curves, surfaces, more dimensions.
    let ranges = [(0.02, 0.1), (0.02, 0.1), (0.15, 0.25), (0.3, 0.4)];
    let mut ends: [Vec<f64>; 4] = Default::default();
    let mut starts = Vec::new();
    for (world, length) in many() {
        let denoiser = world.denoiser().unwrap();
        let kind = match (&denoiser, world.manifold().dim()) {
            (Denoiser::Moved(_), _) => 0,
            (_, 1) => 1,
            (_, 2) => 2,
            _ => 3,
        };
        let atoms = match &denoiser {
            Denoiser::Atoms(atoms) => atoms.points().len() / world.start.len(),
            _ => 0,
        };
        match kind {
            0 => assert_eq!(nodes(&world), 0),
            // Nodes a third of the end noise apart, unless they are very many.
            1 => {
                let spacing = world.manifold().volume(400).unwrap() / nodes(&world) as f64;
                let apart = spacing / world.sigma_end;
                assert!(apart < 0.36 || nodes(&world) == 3000, "{apart}");
                assert!(apart > 0.34 || nodes(&world) == 50, "{apart}");
            }
            2 => assert!(nodes(&world) == 48 && atoms >= 48 * 48, "{atoms} atoms"),
            _ => assert_eq!((nodes(&world), atoms), (0, 1500)),
        }
        ends[kind].push(world.sigma_end / length);
        starts.push(world.sigma_start / length);
    }
    let spans = |values: &[f64], (least, most): (f64, f64)| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        assert!(low >= least * (1.0 - 1e-12) && high <= most * (1.0 + 1e-12), "{low} {high}");
        // Of n uniform numbers both ends meet these fifths but for 2 · 0.8ⁿ.
        assert!(values.len() >= 20, "{}", values.len());
        let (first, last) = (least * (most / least).powf(0.2), least * (most / least).powf(0.8));
        assert!(low < first && high > last, "{low} {high} of {least}..{most}");
    };
    ends.iter().zip(ranges).for_each(|(ends, range)| spans(ends, range));
    spans(&starts, (0.4, 1.5));
}

#[test]
fn tilts_are_of_size_one_half() {
    let squares: Vec<f64> = many()
        .iter()
        .filter_map(|(world, _)| match density(world) {
            Density::Tilt { direction } => Some(direction.iter().map(|c| 4.0 * c * c).sum()),
            _ => None,
        })
        .collect();
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    // Mean 1 with variance 2/D ≤ 1 each: five standard errors.
    assert!(squares.len() >= 30, "{}", squares.len());
    assert!((mean - 1.0).abs() < 5.0 / (squares.len() as f64).sqrt(), "{mean}");
}

#[test]
fn corners_are_what_they_say() {
    let mut curved = [0; 2];
    let families = [Family::Ellipse, Family::Arc, Family::Torus, Family::ClosedCurve];
    for index in 0..300 {
        let world = world(&families, index);
        let corners = world.labels().corners;
        let has = |corner: Corner| corners.contains(&corner);
        let manifold = world.manifold();
        let curvature = manifold.curvature().value;
        assert_eq!(has(Corner::ThinReach), manifold.reach().value < 0.5 / curvature);
        assert_eq!(has(Corner::Boundary), manifold.nearest(&world.start).unwrap().boundary);
        assert_eq!(has(Corner::ManyModes), matches!(density(&world), Density::Ripples { .. }));
        assert_eq!(has(Corner::HighDimension), world.start.len() >= 64);
        let points = world.law.sample(2000, Stream::root(2)).unwrap();
        let mean = points.column_mean();
        let square = points.column_iter().map(|x| (x - &mean).norm_squared()).sum::<f64>() / 2000.0;
        let against = curvature * square.sqrt() / 4.0;
        // The world takes its spread from 32 points: bounded laws, within a third always.
        if !(0.7..1.4).contains(&against) {
            curved[usize::from(against > 1.0)] += 1;
            assert_eq!(has(Corner::HighCurvature), against > 1.0, "world {index}: {against}");
        }
    }
    assert!(curved[0] >= 50 && curved[1] >= 5, "without and with high curvature: {curved:?}");
    let names = ["high curvature", "thin reach", "boundary", "many modes", "D ≥ 64"];
    assert_eq!(Corner::ALL.map(Corner::name), names);
    assert!(Labels::of("a").meant_in_scope && !Labels::against("a").meant_in_scope);
}
