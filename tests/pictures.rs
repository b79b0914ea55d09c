//! Pictures of worlds: drawn without error, of the world that is observed, and small.

use driftproof::campaign::knobs;
use driftproof::claims::{self, Claim};
use driftproof::figure::{Mark, Panel};
use driftproof::observe::{observe, picture};

const SEED: u64 = 1;

/// Worlds of every claim that are drawn.
const WORLDS: usize = 12;

/// Claims whose worlds are matrices, linear systems, or fields at single states: nothing to draw.
const WITHOUT: &[&str] = &[
    "adiabatic_gap_forces_alignment",
    "curvature_and_second_derivatives_bound_the_blocks",
    "moving_frame_blocks_are_gauge_invariant",
    "qr_subspace_tracks_singular_subspace",
    "rotated_coupling_solves_the_riccati_equation",
];

fn drawn(claim: &Claim, world: usize) -> Option<Panel> {
    let panel = picture(claim.id, &mut knobs(claim, SEED, world));
    panel.unwrap_or_else(|e| panic!("world {world} of {}: {e}", claim.id))
}

fn numbers(mark: &Mark) -> Vec<&[f64]> {
    match mark {
        Mark::Points { x, y, bars } => vec![x, y, bars],
        Mark::Line { x, y, .. } => vec![x, y],
        Mark::Arrows { x, y, dx, dy, .. } => vec![x, y, dx, dy],
        _ => panic!("not a mark of a picture"),
    }
}

#[test]
fn worlds_with_orbits_have_pictures_of_finite_numbers() {
    for claim in claims::ALL.iter().filter(|claim| !WITHOUT.contains(&claim.id)) {
        let panels: Vec<Panel> = (0..WORLDS).filter_map(|world| drawn(claim, world)).collect();
        assert!(!panels.is_empty(), "no world of {} is drawn", claim.id);
        for panel in panels {
            let line = |mark: &Mark| matches!(mark, Mark::Line { x, .. } if !x.is_empty());
            let lines = panel.layers.iter().filter(|layer| line(&layer.mark)).count();
            assert!(lines > 0, "{}: no orbit", claim.id);
            let mut all = panel.layers.iter().flat_map(|layer| numbers(&layer.mark)).flatten();
            assert!(all.all(|x| x.is_finite()), "{}: {panel:?}", claim.id);
            let size = serde_json::to_string(&panel).unwrap().len();
            assert!(size < 40_000, "{}: {size} bytes", claim.id);
        }
    }
    for claim in claims::ALL.iter().filter(|claim| WITHOUT.contains(&claim.id)) {
        assert_eq!(drawn(claim, 0), None, "{} has a picture", claim.id);
    }
}

/// In the plane a state is seen where it is.
#[test]
fn the_orbit_judged_begins_where_the_world_does() {
    for id in [
        "normal_contraction_traps_perturbed_orbits",
        "normal_errors_and_cross_derivatives_bound_the_displacement",
    ] {
        let claim = claims::find(id).unwrap();
        let mut seen = 0;
        for world in 0..60 {
            let knobs = || knobs(claim, SEED, world);
            let described = observe(id, &mut knobs()).unwrap().world;
            let start = described["start"].as_array().unwrap();
            let Some(panel) = drawn(claim, world).filter(|_| start.len() == 2) else { continue };
            let orbit = panel.layers.iter().find(|layer| layer.name == "orbit judged").unwrap();
            let Mark::Line { x, y, .. } = &orbit.mark else { panic!("a line") };
            assert_eq!([x[0], y[0]], [&start[0], &start[1]].map(|x| x.as_f64().unwrap()));
            seen += 1;
        }
        assert!(seen > 0, "no planar world of {id}");
    }
}
