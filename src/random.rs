//! Named, counter-based random streams, and the knobs that worlds are decoded from.
//!
//! Every random number belongs to a stream reached by names and indices from
//! one seed, so a world is the same whatever the thread count or the order in
//! which worlds are visited.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// A place in the tree of random streams.
///
/// ```
/// use driftproof::random::Stream;
/// let worlds = Stream::root(7).named("worlds");
/// // The same path gives the same numbers, another index gives others.
/// assert_eq!(worlds.indexed(3).normals(2), worlds.indexed(3).normals(2));
/// assert_ne!(worlds.indexed(3).normals(2), worlds.indexed(4).normals(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stream {
    key: u64,
}

/// The finaliser of SplitMix64: a bijection of u64 whose output bits all depend on all input bits.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// FNV-1a: stable across releases and platforms, unlike std's hasher.
pub fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Stream {
    /// The root stream of a seed.
    pub fn root(seed: u64) -> Self {
        Self { key: mix(seed.wrapping_add(0x9E37_79B9_7F4A_7C15)) }
    }

    /// The child stream of that name.
    pub fn named(self, name: &str) -> Self {
        Self { key: mix(self.key ^ mix(hash(name.bytes()))) }
    }

    /// The child stream of that index.
    pub fn indexed(self, index: u64) -> Self {
        Self { key: mix(self.key.wrapping_add(mix(index ^ 0xA076_1D64_78BD_642F))) }
    }

    /// A generator at the start of this stream.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.key)
    }

    /// The first `n` standard normal numbers of this stream.
    pub fn normals(self, n: usize) -> Vec<f64> {
        let mut rng = self.rng();
        (0..n).map(|_| rng.sample(StandardNormal)).collect()
    }

    /// The first `n` numbers of this stream, uniform in [0, 1).
    pub fn uniforms(self, n: usize) -> Vec<f64> {
        let mut rng = self.rng();
        (0..n).map(|_| rng.random()).collect()
    }
}

/// The parameters of a world as numbers in [0, 1], read in order.
///
/// Decoding is total: every sequence of numbers is a world, missing numbers
/// read as 0, and 0 stands for the plainest choice, so that a campaign draws
/// knobs, a property test shrinks them, and a search moves them.
///
/// ```
/// use driftproof::random::Knobs;
/// let mut knobs = Knobs::new(&[0.5, 0.999]);
/// assert_eq!(knobs.range(1.0, 3.0), 2.0);
/// assert_eq!(knobs.count(2, 5), 5);
/// assert_eq!(knobs.pick(&["plain", "fancy"]), "plain"); // past the end: 0
/// ```
#[derive(Clone, Debug)]
pub struct Knobs {
    values: Vec<f64>,
    read: usize,
    /// Which of those read choose among things, and do not move one.
    discrete: Vec<usize>,
    /// A factor of all time steps, and whether there were any.
    refinement: usize,
    has_steps: bool,
}

impl Knobs {
    /// Knobs at these positions; anything outside [0, 1] is pulled into it.
    pub fn new(values: &[f64]) -> Self {
        let clean = |v: &f64| if v.is_finite() { v.clamp(0.0, 1.0) } else { 0.0 };
        let values = values.iter().map(clean).collect();
        Self { values, read: 0, discrete: Vec::new(), refinement: 1, has_steps: false }
    }

    /// `n` knobs drawn uniformly from a stream.
    pub fn draw(stream: Stream, n: usize) -> Self {
        Self::new(&stream.uniforms(n))
    }

    /// The same world, integrated with so many times the steps.
    pub fn refined(self, factor: usize) -> Self {
        Self { refinement: factor.max(1), ..self }
    }

    /// How many time steps to take where a world is usually integrated with `usual` of them; 1 for the cuts of each step.
    pub fn steps(&mut self, usual: usize) -> usize {
        self.has_steps = true;
        usual * self.refinement
    }

    /// Whether the world that was read has time steps.
    pub fn has_steps(&self) -> bool {
        self.has_steps
    }

    /// How many knobs were read.
    pub fn read(&self) -> usize {
        self.read
    }

    /// Whether the world moves with this knob: false of those that count, pick, seed, or were not read.
    pub fn moves(&self, knob: usize) -> bool {
        knob < self.read && !self.discrete.contains(&knob)
    }

    /// The next knob, in [0, 1].
    pub fn unit(&mut self) -> f64 {
        let value = self.values.get(self.read).copied().unwrap_or(0.0);
        self.read += 1;
        value
    }

    /// A number in [low, high]; 0 gives `low`.
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// A positive number in [low, high], uniform in its logarithm; 0 gives `low`.
    pub fn log_range(&mut self, low: f64, high: f64) -> f64 {
        (low.ln() + self.unit() * (high / low).ln()).exp()
    }

    /// A whole number in low..=high; 0 gives `low`.
    pub fn count(&mut self, low: usize, high: usize) -> usize {
        self.discrete.push(self.read);
        let n = (high - low + 1) as f64;
        (low + (self.unit() * n) as usize).min(high)
    }

    /// One of the choices; 0 gives the first.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.count(0, choices.len() - 1)]
    }

    /// A random stream whose seed is this knob.
    pub fn stream(&mut self, name: &str) -> Stream {
        self.discrete.push(self.read);
        Stream::root(self.unit().to_bits()).named(name)
    }
}

/// The part that a number uniform in [0, 1) falls into, of parts with these shares of 1.
///
/// ```
/// use driftproof::random::chosen;
/// assert_eq!([0.1, 0.3, 0.9].map(|u| chosen(u, [0.25, 0.5, 0.25].into_iter())), [0, 1, 2]);
/// ```
pub fn chosen(uniform: f64, mut shares: impl ExactSizeIterator<Item = f64>) -> usize {
    let last = shares.len().saturating_sub(1);
    let mut below = 0.0;
    let past = |share: f64| {
        below += share;
        uniform < below
    };
    // The shares sum to 1 up to rounding only.
    shares.position(past).unwrap_or(last)
}

/// A uniformly distributed point of the sphere S^{n-1}, from a generator.
pub fn unit_vector(rng: &mut impl Rng, n: usize) -> Vec<f64> {
    loop {
        let x: Vec<f64> = (0..n).map(|_| rng.sample(StandardNormal)).collect();
        let norm = x.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm > 1e-12 {
            return x.iter().map(|v| v / norm).collect();
        }
    }
}
