//! Angles, distances and displacements against the manifold of a world.

use super::{ROUNDING, Resolved};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::linalg::{complement, largest_angle};
use crate::lyapunov::{Spectrum, qr_sweep};
use crate::manifold::{Manifold, Nearest};
use crate::scenario_file::World;
use nalgebra::{DMatrix, DVector};

/// The nearest point to a state, with frames of its tangent and normal space.
pub struct Foot {
    /// The nearest point; on a path to x/a.
    pub nearest: Nearest,
    /// `D×d`.
    pub tangent: DMatrix<f64>,
    /// `D×(D−d)`.
    pub normal: DMatrix<f64>,
    /// ‖II‖ there.
    pub bend: f64,
}

impl Foot {
    /// That of a state at a time.
    ///
    /// *Errors*: as [`Manifold::nearest`].
    pub fn of(world: &World, manifold: &Manifold, time: f64, x: &DVector<f64>) -> Result<Self> {
        let nearest = manifold.nearest((x / world.signal(time)).as_slice())?;
        let tangent = manifold.tangent_frame(&nearest.place);
        let normal = complement(&tangent);
        let bend = manifold.curvature_at(&nearest.place);
        Ok(Self { nearest, tangent, normal, bend })
    }

    /// How far the tangent plane may be turned: from where the rougher run has its foot, and by what the search leaves.
    ///
    /// *Errors*: as [`largest_angle`].
    pub fn turned_from(&self, rough: &Self) -> Result<f64> {
        let left = self.bend * self.nearest.residual;
        Ok(largest_angle(&self.tangent, &rough.tangent)? + left + ROUNDING)
    }
}

/// Where the run ends: how far off the manifold, and at what angles to it; `spectra` of both resolutions.
pub fn alignment(
    resolved: &Resolved<'_>,
    spectra: Option<&[Spectrum; 2]>,
    facts: &mut Facts,
) -> Result<()> {
    let (world, last) = (resolved.world, resolved.last());
    let manifold = world.manifold.as_ref().expect("asked for where there is one");
    let (end, time) = (resolved.state(last), resolved.times[last]);
    let foot = Foot::of(world, manifold, time, end)?;
    let rough = Foot::of(world, manifold, time, &resolved.rough.states[last])?;
    let turned = foot.turned_from(&rough)?;
    let off = resolved.off(last) / world.signal(time);
    let estimated = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
    facts.set("end_distance", estimated(foot.nearest.distance, off));
    facts.set("end_is_interior", Quantity::exact(f64::from(!foot.nearest.boundary)));

    let carried = |run: &super::Run<'_>| qr_sweep(run.cocycle, resolved.plane).frame;
    let (fine, rough) = (carried(resolved.best()), carried(&resolved.rough));
    let angle = largest_angle(&fine, &foot.tangent)?;
    let bar = largest_angle(&fine, &rough)? + turned;
    let angle = estimated(angle, bar);
    facts.set("end_angle", angle);
    let slope = angle.value.tan();
    facts.set("end_slope", estimated(slope, angle.bar * (1.0 + slope * slope)));

    let d = manifold.dim();
    if let Some([fine, rough]) = spectra {
        let top = |vectors: &DMatrix<f64>| vectors.columns(0, d).into_owned();
        let frame = top(&fine.end_vectors);
        let logs = facts.series("log_growth");
        let gap = logs[d - 1] - logs[d];
        // Wedin: rounding of the product over its gap.
        let relative = (fine.log_growth[0] - fine.log_growth[d - 1]).exp();
        let wedin = ROUNDING * world.dim as f64 * relative / (1.0 - (-gap.value).exp());
        let bar = largest_angle(&frame, &top(&rough.end_vectors))? + turned + 2.0 * wedin.abs();
        facts.set("singular_angle", estimated(largest_angle(&frame, &foot.tangent)?, bar));
        facts.set("singular_gap", gap);
    }
    Ok(())
}

/// How far errors move the last state, in all and in the frame where the exact run ends: `exact`, at both resolutions.
pub fn displacement(
    resolved: &Resolved<'_>,
    [exact, rough]: [&DVector<f64>; 2],
    facts: &mut Facts,
) -> Result<()> {
    let (world, last) = (resolved.world, resolved.last());
    let moved = resolved.state(last) - exact;
    let bar = (exact - rough).norm() + resolved.off(last);
    let length = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
    facts.set("displacement", length(moved.norm(), bar));
    if let Some(manifold) = &world.manifold {
        let foot = |end| Foot::of(world, manifold, resolved.times[last], end);
        let (foot, rough) = (foot(exact)?, foot(rough)?);
        let bar = bar + moved.norm() * foot.turned_from(&rough)?;
        facts.set("displacement_normal", length(foot.normal.tr_mul(&moved).norm(), bar));
        facts.set("displacement_tangent", length(foot.tangent.tr_mul(&moved).norm(), bar));
    }
    Ok(())
}
