//! Divergences and their derivatives along tangents: closed forms, and every fast path against nested duals.

use driftproof::drift::kernel::{Centres, Level};
use driftproof::drift::{
    Atoms, Canonical, Channel, Denoise, Denoiser, Drift, GaussianPath, Lanes, Moved, Product,
    Schedule, Thick, Workspace,
};
use driftproof::random::Stream;
use driftproof::scalar::Scalar;
use nalgebra::DMatrix;
use rand::RngExt;

/// Independent numbers in (−1, 1).
fn numbers(name: &str, count: usize) -> Vec<f64> {
    let mut rng = Stream::root(11).named(name).rng();
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn lanes(trajectories: usize, tangents: usize) -> Lanes {
    Lanes { trajectories, tangents }
}

/// v_i = x_i² x_{i+1} + t x_{i+2}, indices modulo n: div v = 2 Σ x_i x_{i+1}, ∂_j div v = 2 (x_{j−1} + x_{j+1}).
struct Ring(usize);

impl Drift for Ring {
    fn dim(&self) -> usize {
        self.0
    }
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let n = self.0;
        for i in 0..n {
            out[i] = x[i] * x[i] * x[(i + 1) % n] + t * x[(i + 2) % n];
        }
    }
}

impl Ring {
    fn divergence(&self, x: &[f64], tangents: &[f64]) -> Vec<f64> {
        let n = self.0;
        let mut out = vec![2.0 * (0..n).map(|i| x[i] * x[(i + 1) % n]).sum::<f64>()];
        for v in tangents.chunks_exact(n) {
            let slope = |j: usize| 2.0 * (x[(j + n - 1) % n] + x[(j + 1) % n]) * v[j];
            out.push((0..n).map(slope).sum());
        }
        out
    }
}

/// Values and divergences of a push.
fn pushed<F: Drift>(field: &F, t: f64, block: &[f64], lanes: Lanes) -> (Vec<f64>, Vec<f64>) {
    let mut out = vec![f64::NAN; block.len()];
    let mut divergence = vec![f64::NAN; lanes.columns()];
    let mut work = Workspace::default();
    field.push_with_divergence(t, block, lanes, &mut out, &mut divergence, &mut work);
    (out, divergence)
}

#[test]
fn nested_duals_give_the_closed_form() {
    for dim in [3, 8, 11, 17] {
        for tangents in [0, 1, 3, 9] {
            let lanes = lanes(3, tangents);
            let block = numbers(&format!("ring {dim} {tangents}"), dim * lanes.columns());
            let field = Ring(dim);
            let (out, divergence) = pushed(&field, 0.7, &block, lanes);
            let trajectories = block.chunks_exact(dim * (1 + tangents));
            for (from, ours) in trajectories.zip(divergence.chunks_exact(1 + tangents)) {
                let (x, v) = from.split_at(dim);
                for (ours, exact) in ours.iter().zip(field.divergence(x, v)) {
                    let bar = 4.0 * dim as f64 * f64::EPSILON; // 4 D terms below 1
                    assert!((ours - exact).abs() <= bar, "D {dim}: {ours} against {exact}");
                }
            }
            let mut plain = vec![0.0; block.len()];
            field.push(0.7, &block, lanes, &mut plain, &mut Workspace::default());
            let bar = 8.0 * f64::EPSILON; // two orders of the same few products below 1
            assert!(out.iter().zip(&plain).all(|(a, b)| (a - b).abs() <= bar));
        }
    }
}

/// A law without its fast paths.
struct Defined<'a, N>(&'a N);

impl<N: Denoise> Denoise for Defined<'_, N> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        self.0.denoise(channel, x, out);
    }
    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        self.0.log_density(channel, x)
    }
}

/// One random mixture, a channel, states with tangents.
struct World {
    atoms: Atoms,
    channel: Channel<f64>,
    lanes: Lanes,
    block: Vec<f64>,
}

impl World {
    fn new(dim: usize, count: usize, lanes: Lanes, thickness: f64, noise: f64) -> Self {
        let name = format!("{dim} {count} {lanes:?} {thickness} {noise}");
        let mut points = numbers(&format!("points {name}"), dim * count);
        points.iter_mut().for_each(|p| *p += 3.0); // Not centred.
        let weights = numbers(&format!("weights {name}"), count);
        let atoms = Atoms::new(dim, points, Some(weights), thickness).unwrap();
        let signal = 0.8;
        let mut block = numbers(&format!("block {name}"), dim * lanes.columns());
        for (t, trajectory) in block.chunks_exact_mut(dim * (1 + lanes.tangents)).enumerate() {
            let atom = &atoms.points()[(t * 31) % count * dim..];
            let state = trajectory[..dim].iter_mut().zip(atom);
            state.for_each(|(x, p)| *x = signal * p + noise * *x);
        }
        let channel = Channel { signal, noise_variance: noise * noise };
        Self { atoms, channel, lanes, block }
    }

    /// The divergences at one instruction set.
    fn fast(&self, level: Level) -> Vec<f64> {
        let Self { atoms, channel, lanes, block } = self;
        let (points, weights) = (atoms.points(), atoms.log_weights());
        let thickness = atoms.thickness();
        let centres = Centres::with_level(level, atoms.dim(), points, weights, thickness);
        let (mut out, mut plain) = (vec![f64::NAN; block.len()], vec![f64::NAN; block.len()]);
        let mut divergence = vec![f64::NAN; lanes.columns()];
        let work = &mut Vec::new();
        centres.push_with_divergence(*channel, block, *lanes, &mut out, &mut divergence, work);
        centres.push(*channel, block, *lanes, &mut plain, work);
        assert_eq!(out, plain, "means and products are those of the push, to the bit");
        divergence
    }

    /// By nested duals.
    fn defined(&self) -> Vec<f64> {
        of_law(&Defined(&self.atoms), self.channel, &self.block, self.lanes).1
    }

    /// The largest error, in units of what the terms of each sum can be.
    fn error(&self, ours: &[f64], exact: &[f64]) -> f64 {
        let dim = self.atoms.dim();
        let a = self.channel.signal;
        let variance = self.channel.noise_variance + a * a * self.atoms.thickness().powi(2);
        let width = dim * (1 + self.lanes.tangents);
        let columns = 1 + self.lanes.tangents;
        let mut worst = 0.0_f64;
        for (t, block) in self.block.chunks_exact(width).enumerate() {
            let (ours, exact) = (&ours[t * columns..][..columns], &exact[t * columns..][..columns]);
            let divergence = exact[0].max(f64::MIN_POSITIVE);
            for (k, v) in block.chunks_exact(dim).enumerate() {
                // A term of a derivative is a term of the divergence times (a/b_t²) ⟨p − m, v⟩, |p − m| ≤ 2√D.
                let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
                let slope = a / variance * 2.0 * (dim as f64).sqrt() * norm;
                let scale = if k == 0 { divergence } else { divergence * slope };
                let error = (ours[k] - exact[k]).abs() / scale;
                worst = worst.max(if error.is_nan() { f64::INFINITY } else { error });
            }
        }
        worst
    }
}

/// Values and divergences of a law's push.
fn of_law<N: Denoise>(
    law: &N,
    channel: Channel<f64>,
    block: &[f64],
    lanes: Lanes,
) -> (Vec<f64>, Vec<f64>) {
    let mut out = vec![f64::NAN; block.len()];
    let mut divergence = vec![f64::NAN; lanes.columns()];
    let mut work = Workspace::default();
    law.push_with_divergence(channel, block, lanes, &mut out, &mut divergence, &mut work);
    (out, divergence)
}

/// 2^12 roundings in a log weight, and as many in what it multiplies.
const ROUNDING: f64 = 4e-12;

fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for (i, dim) in [1, 2, 3, 4, 5, 7, 16, 24, 31, 64].into_iter().enumerate() {
        for (j, count) in [1, 2, 7, 193].into_iter().enumerate() {
            for (l, (thickness, noise)) in
                [(0.0, 0.5), (0.3, 0.2), (0.0, 1e-2), (0.0, 30.0), (0.05, 0.6)]
                    .into_iter()
                    .enumerate()
            {
                let (a, b) = ([1, 3, 9][(i + l) % 3], [1, 0, 2, 5, 20][(i + j + l) % 5]);
                worlds.push(World::new(dim, count, lanes(a, b), thickness, noise));
            }
        }
    }
    worlds.push(World::new(6, 400, lanes(40, 3), 0.1, 0.8));
    worlds.push(World::new(2, 1000, lanes(40, 2), 0.0, 0.2));
    worlds
}

#[test]
fn every_instruction_set_agrees_with_nested_duals() {
    let mut lively = 0;
    for world in worlds() {
        let defined = world.defined();
        for level in Level::available() {
            let error = world.error(&world.fast(level), &defined);
            let (dim, count) = (world.atoms.dim(), world.atoms.log_weights().len());
            let case = format!("D {dim}, {count} atoms, {:?}, {:?}", world.lanes, world.channel);
            assert!(error < ROUNDING, "{level:?}, {case}: off by {error:e}");
        }
        let columns = 1 + world.lanes.tangents;
        let slopes = defined.iter().enumerate().filter(|(k, _)| k % columns > 0);
        lively += usize::from(slopes.into_iter().any(|(_, slope)| slope.abs() > 1e-3));
    }
    assert!(lively > 50, "in {lively} worlds a derivative is not nearly 0");
}

#[test]
fn a_misplaced_or_weakened_result_is_seen() {
    for dim in [2, 7] {
        let world = World::new(dim, 193, lanes(3, 2), 0.1, 0.6);
        let (right, exact) = (world.fast(Level::best()), world.defined());
        assert!(world.error(&right, &exact) < ROUNDING);
        let mut turned = right.clone();
        turned.rotate_left(3); // Every trajectory in its neighbour's place.
        assert!(world.error(&turned, &exact) > 1e-3);
        for k in 0..3 {
            let mut weakened = right.clone();
            weakened[3 + k] *= 1.0 - 1e-6;
            let seen = world.error(&weakened, &exact);
            assert!(seen > 100.0 * ROUNDING, "D {dim}, entry {k}: {seen:e}");
        }
    }
}

#[test]
fn a_trajectory_does_not_depend_on_those_beside_it() {
    for (dim, tangents) in [(2, 1), (3, 2), (6, 1), (20, 12)] {
        let world = World::new(dim, 193, lanes(50, tangents), 0.1, 0.5);
        let together = world.fast(Level::best());
        let blocks = world.block.chunks(dim * (1 + tangents));
        for (block, expected) in blocks.zip(together.chunks(1 + tangents)) {
            let alone = of_law(&world.atoms, world.channel, block, lanes(1, tangents)).1;
            assert_eq!(alone, expected, "to the bit, D {dim}, {tangents} tangents");
        }
    }
}

#[test]
fn composed_laws_pass_the_divergence_on() {
    let points = |dim: usize| Atoms::new(dim, numbers("law", dim * 40), None, 0.1).unwrap();
    let (sin, cos) = 0.4_f64.sin_cos();
    let frame = DMatrix::from_row_slice(3, 2, &[cos, -sin, sin, cos, 0.0, 0.0]);
    let moved = Moved::new(points(2).into(), frame, vec![1.0, -2.0, 0.5]).unwrap();
    let thick = Thick::new(moved.clone().into(), 0.3).unwrap();
    let product = Product::new(vec![points(2).into(), points(1).into()]).unwrap();
    let laws: [Denoiser; 4] = [points(3).into(), moved.into(), thick.into(), product.into()];
    let channel = Channel { signal: 0.7, noise_variance: 0.2 };
    for law in laws {
        for tangents in [0, 2] {
            let block = numbers("composed", 3 * 4 * (1 + tangents));
            let lanes = lanes(4, tangents);
            let (out, divergence) = of_law(&law, channel, &block, lanes);
            let (means, exact) = of_law(&Defined(&law), channel, &block, lanes);
            // Numbers below 4, by fewer than 2^12 roundings.
            let close =
                |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < ROUNDING);
            assert!(close(&out, &means) && close(&divergence, &exact), "{law:?}");
        }
    }
}

#[test]
fn paths_combine_the_divergence_as_they_combine_the_mean() {
    let atoms = Atoms::new(3, numbers("path", 90), Some(numbers("logs", 30)), 0.1).unwrap();
    let defined = Defined(&atoms);
    for tangents in [0, 1, 4] {
        let lanes = lanes(5, tangents);
        let block = numbers("block", 3 * lanes.columns());
        let compare = |fast: (Vec<f64>, Vec<f64>), exact: (Vec<f64>, Vec<f64>), what: &str| {
            let pairs = fast.0.iter().zip(&exact.0).chain(fast.1.iter().zip(&exact.1));
            for (a, b) in pairs {
                assert!((a - b).abs() < ROUNDING * (1.0 + b.abs()), "{what}: {a} against {b}");
            }
        };
        for schedule in [
            Schedule::FlowMatching,
            Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 },
            Schedule::Ve { sigma_min: 0.05, sigma_max: 3.0 },
        ] {
            let fast = pushed(&GaussianPath { schedule, denoiser: &atoms }, 0.6, &block, lanes);
            let slow = GaussianPath { schedule, denoiser: &defined };
            compare(fast, pushed(&Velocity(&slow), 0.6, &block, lanes), "path");
        }
        let fast = pushed(&Canonical { denoiser: &atoms }, 0.4, &block, lanes);
        let slow = Canonical { denoiser: &defined };
        compare(fast, pushed(&Velocity(&slow), 0.4, &block, lanes), "canonical");
    }
}

/// A field without its fast paths.
struct Velocity<'a, F>(&'a F);

impl<F: Drift> Drift for Velocity<'_, F> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.0.velocity(t, x, out);
    }
}

#[test]
fn a_state_that_is_not_a_number_gives_no_number() {
    for dim in [2, 9] {
        let mut world = World::new(dim, 30, lanes(2, 2), 0.0, 0.5);
        world.block[0] = f64::NAN;
        let (_, divergence) = of_law(&world.atoms, world.channel, &world.block, world.lanes);
        let (first, second) = divergence.split_at(3);
        assert!(first.iter().all(|x| x.is_nan()) && second.iter().all(|x| x.is_finite()));
    }
}
