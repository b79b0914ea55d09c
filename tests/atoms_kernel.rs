//! The fast path of finite mixtures against the definition, instruction set by instruction set.

use driftproof::drift::kernel::{Centres, LEAST_EXPONENT, Level, exponentials, product};
use driftproof::drift::{Atoms, Channel, Denoise, Lanes, Workspace};
use driftproof::random::Stream;
use driftproof::scalar::{TANGENT_LANES, Tangents};
use nalgebra::{DMatrix, SVector};
use num_dual::Derivative;
use rand::RngExt;

/// Independent numbers in (−1, 1).
fn numbers(name: &str, count: usize) -> Vec<f64> {
    let mut rng = Stream::root(7).named(name).rng();
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// One random world: a mixture, a channel, states with tangents.
struct World {
    atoms: Atoms,
    thickness: f64,
    channel: Channel<f64>,
    lanes: Lanes,
    block: Vec<f64>,
}

impl World {
    fn new(dim: usize, count: usize, lanes: Lanes, thickness: f64, noise: f64, away: f64) -> Self {
        let name = format!("{dim} {count} {lanes:?} {thickness} {noise} {away}");
        let mut points = numbers(&format!("points {name}"), dim * count);
        points.iter_mut().for_each(|p| *p += 3.0); // Not centred.
        let weights = numbers(&format!("weights {name}"), count);
        let atoms = Atoms::new(dim, points, Some(weights), thickness).unwrap();
        let signal = 0.8;
        let mut block = numbers(&format!("block {name}"), dim * lanes.columns());
        for (t, trajectory) in block.chunks_exact_mut(dim * (1 + lanes.tangents)).enumerate() {
            let atom = &atoms.points()[(t * 31) % count * dim..];
            for (x, p) in trajectory[..dim].iter_mut().zip(atom) {
                *x = signal * p + (noise + away) * *x;
            }
        }
        Self {
            atoms,
            thickness,
            channel: Channel { signal, noise_variance: noise * noise },
            lanes,
            block,
        }
    }

    fn pushed(&self, level: Level) -> Vec<f64> {
        let Self { atoms, channel, lanes, block, .. } = self;
        let (points, weights) = (atoms.points(), atoms.log_weights());
        let centres = Centres::with_level(level, atoms.dim(), points, weights, self.thickness);
        let mut out = vec![f64::NAN; block.len()];
        centres.push(*channel, block, *lanes, &mut out, &mut Vec::new());
        out
    }

    /// By duals through [`Denoise::denoise`]: the definition.
    fn defined(&self) -> Vec<f64> {
        let (dim, k) = (self.atoms.dim(), self.lanes.tangents);
        let mut out = Vec::new();
        for trajectory in self.block.chunks_exact(dim * (1 + k)) {
            let (state, tangents) = trajectory.split_at(dim);
            let mut value = vec![0.0; dim];
            self.atoms.denoise(self.channel, state, &mut value);
            out.extend(value);
            for tangents in tangents.chunks(dim * TANGENT_LANES) {
                let dual = |d: usize| {
                    let mut eps = SVector::<f64, TANGENT_LANES>::zeros();
                    for (j, v) in tangents.chunks_exact(dim).enumerate() {
                        eps[j] = v[d];
                    }
                    Tangents::new(state[d], Derivative::some(eps))
                };
                let x: Vec<Tangents> = (0..dim).map(dual).collect();
                let mut mean = x.clone();
                self.atoms.denoise(self.channel.lift(), &x, &mut mean);
                for j in 0..tangents.len() / dim {
                    out.extend(mean.iter().map(|m| m.eps.0.map_or(0.0, |eps| eps[j])));
                }
            }
        }
        out
    }

    /// The largest difference of means and of products.
    ///
    /// A log weight is off by `condition` roundings at most, and by what rounding the state does to it.
    fn errors(&self, ours: &[f64]) -> (f64, f64) {
        let dim = self.atoms.dim();
        let a = self.channel.signal;
        let spread = self.channel.noise_variance + a * a * self.thickness * self.thickness;
        // Entries of (a/b_t²) C are at most a/b_t², for points in the unit cube.
        let scale = (a / spread).min(1.0);
        let (mut mean, mut product) = (0.0_f64, 0.0_f64);
        for (column, (a, b)) in ours.chunks(dim).zip(self.defined().chunks(dim)).enumerate() {
            let norm = b.iter().map(|b| b * b).sum::<f64>().sqrt();
            for (a, b) in a.iter().zip(b) {
                let error = if (a - b).is_nan() { f64::INFINITY } else { (a - b).abs() };
                if column % (1 + self.lanes.tangents) == 0 {
                    mean = mean.max(error / norm.max(1.0));
                } else {
                    product = product.max(error / norm.max(scale));
                }
            }
        }
        (mean, product)
    }
}

fn lanes(trajectories: usize, tangents: usize) -> Lanes {
    Lanes { trajectories, tangents }
}

/// Means and products may differ by this: 2^12 roundings in a log weight, and as many in what it multiplies.
const ROUNDING: f64 = 4e-12;

fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    let dims = [1, 2, 3, 4, 5, 7, 8, 17, 24, 31, 64, 69];
    for (i, dim) in dims.into_iter().enumerate() {
        for (j, count) in [1, 2, 7, 193].into_iter().enumerate() {
            for (l, (thickness, noise, away)) in [
                (0.0, 0.5, 0.0),
                (0.3, 0.2, 0.0),
                (0.0, 1e-3, 0.0),
                (0.0, 300.0, 0.0),
                (0.05, 0.01, 20.0),
                (0.0, 0.02, 50.0),
            ]
            .into_iter()
            .enumerate()
            {
                let (a, b) = ([1, 3, 9][(i + l) % 3], [0, 1, 2, 5, 8, 20][(i + j + l) % 6]);
                worlds.push(World::new(dim, count, lanes(a, b), thickness, noise, away));
            }
        }
    }
    // Log weights of a thousand and more, beyond all exponents, though not so large that they are taken from differences.
    for dim in [1, 2, 4, 5, 7, 8] {
        worlds.push(World::new(dim, 193, lanes(9, 2), 0.0, 0.1, 48.0 / dim as f64));
    }
    worlds.push(World::new(12, 1000, lanes(40, 3), 0.1, 0.3, 0.0));
    // By the covariance, from more atoms than are summed over at a time.
    worlds.push(World::new(12, 1000, lanes(3, 8), 0.1, 0.3, 0.0));
    worlds.push(World::new(2, 1000, lanes(40, 2), 0.0, 0.05, 0.0));
    worlds
}

#[test]
fn every_instruction_set_agrees_with_the_definition() {
    for world in worlds() {
        for level in Level::available() {
            let (mean, product) = world.errors(&world.pushed(level));
            let (dim, count) = (world.atoms.dim(), world.atoms.log_weights().len());
            let case = format!("D {dim}, {count} atoms, {:?}, {:?}", world.lanes, world.channel);
            assert!(mean < ROUNDING, "{level:?}, {case}: means off by {mean:e}");
            assert!(product < ROUNDING, "{level:?}, {case}: products off by {product:e}");
        }
    }
}

#[test]
fn a_transposed_or_misplaced_result_is_seen() {
    let world = World::new(7, 193, lanes(3, 5), 0.1, 0.5, 0.0);
    let right = world.pushed(Level::best());
    let mut swapped = right.clone();
    swapped.rotate_left(7); // Every column in its neighbour's place.
    assert!(world.errors(&swapped).1 > 1e-3);
    let mut transposed = right.clone();
    for trajectory in transposed.chunks_exact_mut(42) {
        let square = DMatrix::from_column_slice(5, 7, &trajectory[7..]).transpose();
        trajectory[7..].copy_from_slice(square.as_slice());
    }
    assert!(world.errors(&transposed).1 > 1e-3);
    assert!(world.errors(&right).1 < ROUNDING);
}

#[test]
fn a_trajectory_does_not_depend_on_those_beside_it() {
    for (dim, tangents) in [(2, 2), (6, 1), (20, 3), (20, 12)] {
        let world = World::new(dim, 193, lanes(50, tangents), 0.1, 0.3, 0.0);
        let together = world.pushed(Level::best());
        let width = dim * (1 + tangents);
        for (block, expected) in world.block.chunks(width).zip(together.chunks(width)) {
            let mut alone = vec![0.0; width];
            let mut work = Workspace::default();
            let single = Lanes::single(tangents);
            world.atoms.push(world.channel, block, single, &mut alone, &mut work);
            assert_eq!(alone, expected, "to the bit, D {dim}, {tangents} tangents");
        }
    }
}

#[test]
fn states_side_by_side_in_low_dimension_are_as_alone() {
    for level in Level::available() {
        for dim in [1, 2, 3, 4] {
            // The second noise needs differences in place of inner products.
            for noise in [0.3, 1e-3] {
                let world = World::new(dim, 61, lanes(7, 2), 0.0, noise, 0.0);
                let atoms = &world.atoms;
                let (points, weights) = (atoms.points(), atoms.log_weights());
                let centres = Centres::with_level(level, dim, points, weights, 0.0);
                let together = world.pushed(level);
                let blocks = world.block.chunks(3 * dim).zip(together.chunks(3 * dim));
                for (block, expected) in blocks {
                    let mut alone = vec![f64::NAN; 3 * dim];
                    let (one, work) = (lanes(1, 2), &mut Vec::new());
                    centres.push(world.channel, block, one, &mut alone, work);
                    assert_eq!(alone, expected, "{level:?}, D {dim}, noise {noise}");
                }
            }
        }
    }
}

#[test]
fn posterior_covariances_are_those_of_the_push() {
    for dim in [1, 3, 6, 25, 64] {
        let world = World::new(dim, 193, lanes(1, dim), 0.2, 0.4, 0.0);
        let mut unit = world;
        for d in 0..dim {
            for e in 0..dim {
                unit.block[dim * (1 + d) + e] = f64::from(u8::from(d == e));
            }
        }
        let jacobian = unit.defined();
        let (mean, covariance) = unit.atoms.posterior(unit.channel, &unit.block[..dim]);
        let scale = unit.channel.noise_variance / unit.channel.signal;
        for (c, j) in covariance.iter().zip(&jacobian[dim..]) {
            assert!((c - scale * j).abs() < ROUNDING, "D {dim}");
        }
        assert!(mean.iter().zip(&jacobian).all(|(m, j)| (m - j).abs() < ROUNDING));
    }
}

#[test]
fn a_state_that_is_not_a_number_gives_no_number() {
    for dim in [2, 9] {
        let mut world = World::new(dim, 30, lanes(2, 2), 0.0, 0.5, 0.0);
        world.block[0] = f64::NAN;
        let out = world.pushed(Level::best());
        let (first, second) = out.split_at(dim * 3);
        assert!(first.iter().all(|x| x.is_nan()) && second.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn exponentials_are_within_one_ulp() {
    let fine = (0..400_000).map(|i| -1.8e-6 * f64::from(i));
    let coarse = (0..700_000).map(|i| -1e-3 * f64::from(i) - 0.33e-5);
    let x: Vec<f64> = fine.chain(coarse).filter(|x| *x >= LEAST_EXPONENT).collect();
    for level in Level::available() {
        let mut powers = x.clone();
        exponentials(level, &mut powers);
        for (x, power) in x.iter().zip(powers) {
            let exact = x.exp(); // Itself within half an ulp and a little.
            let ulps = (power.to_bits() as i64 - exact.to_bits() as i64).abs();
            assert!(ulps <= 1, "{level:?}: e^{x:e} is off by {ulps} ulp");
        }
        let mut edge = [0.0, f64::NAN, f64::NEG_INFINITY, -708.1, -1e300];
        exponentials(level, &mut edge);
        assert!(edge[0] == 1.0 && edge[1].is_nan() && edge[2..].iter().all(|e| *e == 0.0));
    }
}

#[test]
fn products_are_those_of_nalgebra() {
    for (rows, depth, columns) in
        [(1, 1, 1), (24, 3, 8), (25, 1, 9), (47, 50, 13), (8, 200, 3), (100, 31, 23)]
    {
        let a = numbers(&format!("a {rows} {depth}"), rows * depth);
        let b = numbers(&format!("b {depth} {columns}"), depth * columns);
        let exact = DMatrix::from_column_slice(rows, depth, &a)
            * DMatrix::from_column_slice(depth, columns, &b);
        for level in Level::available() {
            let ours = product(level, rows, depth, &a, &b);
            assert_eq!(ours.len(), rows * columns);
            for (x, y) in ours.iter().zip(exact.iter()) {
                let bar = 2.0 * depth as f64 * f64::EPSILON; // depth roundings of terms below 1
                assert!((x - y).abs() <= bar, "{level:?}, {rows}×{depth}×{columns}");
            }
        }
    }
}
