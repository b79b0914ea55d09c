//! The fast path of finite mixtures: posterior means of many states, and posterior covariances times tangents.
//!
//! For a channel (a, b²) and atoms p_i of deviation s, let b_t² = b² + a²s² and
//! w_i ∝ exp(log w_i + (a/b_t²) ⟨x, p_i⟩ − (a²/(2 b_t²)) |p_i|²), m = Σ w_i p_i,
//! C = Σ w_i (p_i − m)(p_i − m)ᵀ. The posterior mean is (b²/b_t²) m + (a s²/b_t²) x,
//! its Jacobian (b²/b_t²)(a/b_t²) C + (a s²/b_t²) I. Atoms are constant, states and
//! tangents many, so this is matrix products: atoms are centred and packed once
//! ([`Centres`]), and then there are three ways to the same numbers, chosen by cost.
//!
//! - D ≤ 4: all sums of a few states in registers (`small`, `sweeps`).
//! - few tangents: products with all atoms, weighted, and back (`tangents`).
//! - many tangents: the covariance, as a symmetric product, then tangents times it.
//!
//! The trace of the Jacobian is (b²/b_t²)(a/b_t²) tr C + D a s²/b_t², and its derivative along v
//! (b²/b_t²)(a/b_t²)² ⟨k, v⟩ with k = Σ w_i |p_i − m|² (p_i − m): one vector a state serves all tangents (`thirds`).
//!
//! *Rounding*: sums run over atoms in a fixed order for each column, so a
//! trajectory's numbers do not depend on those beside it, nor on threads.
//! Atoms are left out only where their weight is exactly 0, below e^−708 of the
//! largest, so leaving them out changes nothing. Log weights come from inner
//! products while these lose less than 2^12 roundings, and from differences
//! beyond; deviations are taken from the mean, or from the likeliest atom, before
//! they are multiplied.

mod centres;
mod pack;
mod product;
mod push;
mod room;
mod simd;
mod small;
mod softmax;
mod states;
mod sweeps;
mod tangents;
mod thirds;

pub use centres::Centres;
pub use product::product;
pub use simd::Level;
pub use softmax::{LEAST_EXPONENT, exponentials};
