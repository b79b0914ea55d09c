//! Compression and cross derivatives along a flow: what the alignment theorem T2.1 asks for.

use super::manifold::Foot;
use super::{ROUNDING, Resolved};
use crate::drift::{Drift, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Sampler, StepWorkspace};
use crate::linalg::{largest_angle, mu_max, spectral_norm, symmetric_norm};
use crate::lyapunov::qr_history;
use crate::observe::frames::{blocks_by_projector, slope_over};
use crate::scenario_file::Velocity;
use nalgebra::{DMatrix, DVector};

/// Most times at which they are measured.
const MOST_TIMES: usize = 240;

/// Share of a step that difference quotients of the projector take.
const STEP_SHARE: f64 = 1.0 / 32.0;

/// A projector that turns by more than this between two times has jumped.
const LARGEST_TURN: f64 = 0.3;

/// States whose planes are kept; longer runs are not judged.
const MOST_STATES: usize = 20_000;

/// The facts of T2.1 along the run, with their extremes in `facts`; or why there are none.
///
/// *Accuracy*: P' is a fourth-order difference along the flow itself, and its bar the change from twice the step. The bar
/// of A is its change from the rougher run to the finer one.
///
/// *Errors*: as [`crate::manifold::Manifold::nearest`].
pub fn along(
    resolved: &Resolved<'_>,
    velocity: &Velocity,
    facts: &mut Facts,
) -> Result<std::result::Result<Facts, String>> {
    let world = resolved.world;
    let manifold = world.manifold.as_ref().expect("asked for where there is one");
    let last = resolved.last();
    if last > MOST_STATES {
        return Ok(Err(format!("more than {MOST_STATES} steps")));
    }
    let stride = last.div_ceil(MOST_TIMES);
    let forward = (resolved.times[last] - resolved.times[0]).signum();
    let rough = qr_history(resolved.rough.cocycle, resolved.plane);
    let planes = qr_history(resolved.best().cocycle, resolved.plane);
    let mut t21 = Facts::new();
    let mut before: Option<Foot> = None;
    let mut trouble = None;
    let indices = (0..last).step_by(stride).chain([last]);
    for k in indices {
        let (t, x) = (resolved.times[k], resolved.state(k));
        let foot = Foot::of(world, manifold, t, x)?;
        if foot.nearest.boundary {
            trouble.get_or_insert(format!("nearest points reach the boundary at time {t:.4}"));
        }
        if let Some(before) = &before
            && largest_angle(&before.tangent, &foot.tangent)? > LARGEST_TURN
        {
            trouble.get_or_insert(format!(
                "tangent planes of nearest points jump, or turn fast, before time {t:.4}"
            ));
        }
        let mut work = Workspace::default();
        let a = velocity.jacobian(t, x.as_slice(), &mut work) * forward;
        let other = velocity.jacobian(t, resolved.rough.states[k].as_slice(), &mut work) * forward;
        let size = spectral_norm(&a)?;
        let turned = foot.turned(resolved.off(k) / world.signal(t));
        let bar = spectral_norm(&(&a - other))? + ROUNDING * (1.0 + size) + 2.0 * size * turned;
        let h = {
            let (left, right) = (k.max(1) - 1, (k + 1).min(last));
            let steps = (resolved.times[right] - resolved.times[left]) / (right - left) as f64;
            steps * STEP_SHARE
        };
        let (rate, rate_bar) = projector_rate(resolved, velocity, t, x, h)?;
        let (rate, rate_bar) = (rate * forward, rate_bar + ROUNDING * foot.bend / h.abs());
        let (ut, un) = (&foot.tangent, &foot.normal);
        let blocks = blocks_by_projector(&a, ut, un, &rate)?;
        let estimated = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
        let turning = rate_bar + 2.0 * symmetric_norm(&rate) * turned;
        t21.push("time", Quantity::exact((t - resolved.times[0]) * forward));
        t21.push("gamma", estimated(blocks.gamma, 2.0 * bar));
        t21.push("kappa", estimated(blocks.kappa, bar + turning));
        t21.push("eta", estimated(blocks.eta, bar + turning));
        let of_a = spectral_norm(&(un.tr_mul(&a) * ut))?;
        t21.push("kappa_of_a", estimated(of_a, bar));
        t21.push("normal_compression", estimated(-mu_max(&(un.tr_mul(&a) * un)), bar));
        let (plane, rough) = (&planes[2 * k], &rough[k]);
        let (l, l_rough) = (slope_over(plane, ut, un)?, slope_over(rough, ut, un)?);
        let slope_bar = (l - l_rough).abs() + turned * (1.0 + l * l);
        t21.push("slope", estimated(l, slope_bar));
        if k == last {
            let angle_bar = largest_angle(plane, rough)? + turned;
            let angle = largest_angle(plane, ut)?;
            t21.set("end_sine", estimated(angle.sin(), angle_bar));
        }
        before = Some(foot);
    }
    for (name, of, least) in [
        ("least_gamma", "gamma", true),
        ("largest_kappa", "kappa", false),
        ("largest_eta", "eta", false),
    ] {
        let all = t21.series(of).iter().copied();
        let extreme = match least {
            true => all.reduce(Quantity::min),
            false => all.reduce(Quantity::max),
        };
        facts.set(name, extreme.unwrap_or(Quantity::UNKNOWN));
    }
    for name in ["time", "gamma", "kappa", "eta", "slope"] {
        facts.set_series(name, t21.series(name).to_vec());
    }
    Ok(match trouble {
        Some(trouble) => Err(trouble),
        None => Ok(t21),
    })
}

/// dP/dt along the flow by differences of two step sizes, and how far the finer may be off.
fn projector_rate(
    resolved: &Resolved<'_>,
    velocity: &Velocity,
    t: f64,
    x: &DVector<f64>,
    h: f64,
) -> Result<(DMatrix<f64>, f64)> {
    let world = resolved.world;
    let manifold = world.manifold.as_ref().expect("asked for where there is one");
    let projector = |steps: f64| -> Result<DMatrix<f64>> {
        let time = t + steps * h;
        let mut state = x.clone();
        let lanes = crate::drift::Lanes::single(0);
        let step = Sampler::new(Method::Rk4, vec![t, time]);
        step.step(velocity, 0, state.as_mut_slice(), lanes, &mut StepWorkspace::default());
        let nearest = manifold.nearest((state / world.signal(time)).as_slice())?;
        let tangent = manifold.tangent_frame(&nearest.place);
        Ok(&tangent * tangent.transpose())
    };
    let difference = |s: f64| -> Result<DMatrix<f64>> {
        let (near, far) =
            (projector(s)? - projector(-s)?, projector(2.0 * s)? - projector(-2.0 * s)?);
        Ok((near * 8.0 - far) / (12.0 * h * s))
    };
    let (fine, rough) = (difference(1.0)?, difference(2.0)?);
    let bar = symmetric_norm(&(&fine - rough));
    Ok((fine, bar))
}
