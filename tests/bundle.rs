//! Trajectories side by side against the same trajectories one by one.

use driftproof::drift::{Atoms, GaussianPath, Schedule};
use driftproof::flow::{Bundle, Method, Sampler, StepWorkspace, Trajectory, uniform_times};
use driftproof::linalg::frame_from_normals;
use driftproof::lyapunov::qr_sweep;
use nalgebra::DMatrix;

#[test]
fn a_bundle_is_its_trajectories_with_their_sweeps() {
    let (dim, trajectories) = (3, 4);
    let points: Vec<f64> = (0..20 * dim).map(|i| (i as f64 * 0.7).sin()).collect();
    let atoms = Atoms::new(dim, points, None, 0.1).unwrap();
    let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &atoms };
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, 0.9, 6));
    let starts: Vec<f64> = (0..trajectories * dim).map(|i| (i as f64 * 1.3).cos()).collect();
    for tangents in [0, 1, 2] {
        let normals: Vec<f64> = (0..dim * tangents).map(|i| (i as f64 * 2.1).sin() + 0.1).collect();
        let frame = match tangents {
            0 => DMatrix::zeros(dim, 0),
            _ => frame_from_normals(dim, tangents, &normals),
        };
        let mut bundle = Bundle::new(dim, &starts, &frame);
        let mut work = StepWorkspace::default();
        (0..sampler.maps()).for_each(|k| bundle.step(&sampler, &drift, k, &mut work));
        assert_eq!(
            (bundle.lanes().trajectories, bundle.lanes().tangents),
            (trajectories, tangents)
        );
        for (t, start) in starts.chunks_exact(dim).enumerate() {
            let orbit = Trajectory::from(&drift, &sampler, start).unwrap();
            let near = |measured: &[f64], expected: &[f64]| {
                assert_eq!(measured.len(), expected.len());
                for (m, e) in measured.iter().zip(expected) {
                    // Sums in another order.
                    assert!((m - e).abs() < 1e-10, "trajectory {t}, {tangents} tangents: {m} {e}");
                }
            };
            near(bundle.state(t), orbit.end().as_slice());
            if tangents > 0 {
                let sweep = qr_sweep(&orbit, &frame);
                near(bundle.frame(t), sweep.frame.as_slice());
                near(bundle.log_growth(t), &sweep.log_growth);
            } else {
                assert!(bundle.frame(t).is_empty() && bundle.log_growth(t).is_empty());
            }
        }
    }
}

#[test]
fn a_refined_grid_has_the_middles_too() {
    let sampler = Sampler::new(Method::Euler, vec![0.0, 1.0, 4.0]);
    assert_eq!(sampler.refined().times(), [0.0, 0.5, 1.0, 2.5, 4.0]);
}
