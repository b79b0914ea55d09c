//! The denoiser that a network implies, against the exact one of the law that it was trained on.

use super::manifold::Foot;
use super::{ROUNDING, Resolved};
use crate::drift::{Channel, Denoise, Trained, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::network::Field;
use crate::scenario_file::{DataLaw, World};
use nalgebra::DVector;

/// Most times at which they are compared.
const MOST_TIMES: usize = 40;

/// |E_learned − E_exact| of the data given x, along the run: series `denoiser_sigma` and `denoiser_error`; the last of them, and its
/// part normal to the manifold at the nearest point of x/a, where there is one: `end_denoiser_error`, `end_denoiser_normal`.
///
/// *Accuracy*: bars are the change from the rougher run. Unknown where x holds no data, or nothing else.
///
/// *Errors*: as [`crate::manifold::Manifold::nearest`].
pub fn compare(resolved: &Resolved<'_>, facts: &mut Facts) -> Result<()> {
    let world = resolved.world;
    let (Some(model), Some(law)) = (world.network(), &world.trained_on) else { return Ok(()) };
    let last = resolved.last();
    let estimated = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
    for k in (0..last).step_by(last.div_ceil(MOST_TIMES)).chain([last]) {
        let s = resolved.times[k];
        let (a, b) = model.trained.convention.levels.coefficients(s);
        let known = a > 0.0 && b > 0.0;
        let errors = [resolved.state(k), &resolved.rough.states[k]].map(|x| match known {
            true => error(&model.trained, law, s, x),
            false => DVector::from_element(world.dim, f64::NAN),
        });
        let [fine, rough] = &errors;
        let bar = (fine - rough).norm() + ROUNDING * (1.0 + fine.norm());
        let size = estimated(fine.norm(), bar);
        facts.push("denoiser_sigma", Quantity::exact(b / a));
        facts.push("denoiser_error", size);
        if k == last {
            facts.set("end_denoiser_error", size);
            if let Some(normal) = normal_part(world, s, resolved.state(k), fine)? {
                facts.set("end_denoiser_normal", estimated(normal, bar));
            }
        }
    }
    Ok(())
}

fn error(trained: &Trained<Field>, law: &DataLaw, s: f64, x: &DVector<f64>) -> DVector<f64> {
    let (a, b) = trained.convention.levels.coefficients(s);
    let mut exact = vec![0.0; x.len()];
    law.denoiser.denoise(Channel { signal: a, noise_variance: b * b }, x.as_slice(), &mut exact);
    let learned = trained.denoised_value(s, x.as_slice(), &mut Workspace::default());
    DVector::from_vec(learned) - DVector::from_vec(exact)
}

fn normal_part(
    world: &World,
    s: f64,
    x: &DVector<f64>,
    error: &DVector<f64>,
) -> Result<Option<f64>> {
    let Some(manifold) = &world.manifold else { return Ok(None) };
    let foot = Foot::of(world, manifold, s, x)?;
    Ok(Some(foot.normal.tr_mul(error).norm()))
}
