//! The step loop allocates nothing once its scratch has grown: measured by counting allocations.

use driftproof::drift::{Atoms, Drift, GaussianPath, Schedule};
use driftproof::flow::{Bundle, Method, Sampler, StepWorkspace, uniform_times};
use driftproof::response::CarriedPoints;
use driftproof::scalar::Scalar;
use nalgebra::DMatrix;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting the calls of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(mut job: impl FnMut()) -> u64 {
    let before = ALLOCATIONS.get();
    job();
    ALLOCATIONS.get() - before
}

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1.0; 10]))) > 0);
}

#[test]
fn steps_allocate_only_the_first_time() {
    // In registers; by products; by the covariance.
    for (dim, tangents) in [(2, 2), (40, 3), (9, 9)] {
        let points: Vec<f64> = (0..50 * dim).map(|i| (i as f64 * 0.7).sin()).collect();
        let atoms = Atoms::new(dim, points, None, 0.1).unwrap();
        let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &atoms };
        let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, 0.9, 10));
        let starts: Vec<f64> = (0..13 * dim).map(|i| (i as f64 * 1.3).cos()).collect();
        let mut bundle = Bundle::new(dim, &starts, &DMatrix::identity(dim, tangents));
        let mut work = StepWorkspace::default();
        let mut step = |k: usize| allocations(|| bundle.step(&sampler, &drift, k, &mut work));
        assert!(step(0) > 0, "the first step grows the scratch");
        let later: u64 = (1..sampler.maps()).map(&mut step).sum();
        assert_eq!(later, 0, "D {dim}, {tangents} tangents");
    }
}

/// w(x) = sin x, entry by entry: differentiated by the default.
struct Ripple(usize);

impl Drift for Ripple {
    fn dim(&self) -> usize {
        self.0
    }
    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        out.iter_mut().zip(x).for_each(|(w, x)| *w = x.sin());
    }
}

#[test]
fn steps_with_densities_allocate_only_the_first_time() {
    for dim in [2, 40] {
        let points: Vec<f64> = (0..50 * dim).map(|i| (i as f64 * 0.7).sin()).collect();
        let atoms = Atoms::new(dim, points, None, 0.1).unwrap();
        let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &atoms };
        let sampler = Sampler::new(Method::Rk4, uniform_times(0.9, 0.0, 10));
        let starts: Vec<f64> = (0..13 * dim).map(|i| (i as f64 * 1.3).cos()).collect();
        let mut carried = CarriedPoints::new(dim, &starts);
        let mut work = StepWorkspace::default();
        let error = Ripple(dim);
        let mut step =
            |k: usize| allocations(|| carried.step(&sampler, &drift, &error, k, &mut work));
        assert!(step(0) > 0, "the first step grows the scratch");
        let later: u64 = (1..sampler.maps()).map(&mut step).sum();
        assert_eq!(later, 0, "D {dim}");
        // The other way round: the mixture as the error, the default as the drift.
        let mut step =
            |k: usize| allocations(|| carried.step(&sampler, &error, &drift, k, &mut work));
        step(0);
        assert_eq!((1..sampler.maps()).map(&mut step).sum::<u64>(), 0, "D {dim}");
    }
}
