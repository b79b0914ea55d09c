//! Compression and cross derivatives along a flow: what the alignment theorem T2.1 asks for.

use super::manifold::Foot;
use super::{ROUNDING, Resolved};
use crate::drift::{Drift, Lanes, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Sampler, StepWorkspace};
use crate::linalg::{largest_angle, mu_max, spectral_norm, symmetric_norm};
use crate::lyapunov::qr_history;
use crate::manifold::Manifold;
use crate::observe::frames::{blocks_by_projector, slope_over};
use crate::scenario_file::Velocity;
use nalgebra::{DMatrix, DVector};

/// Most times at which they are measured.
const MOST_TIMES: usize = 240;

/// Share of a step that difference quotients of the projector take.
const STEP_SHARE: f64 = 1.0 / 32.0;

/// A projector that turns by more than this between two times has jumped.
const LARGEST_TURN: f64 = 0.3;

/// Longer runs are not judged: their planes are kept.
const MOST_STEPS: usize = 20_000;

/// A flow beside a manifold.
struct Along<'a> {
    resolved: &'a Resolved<'a>,
    velocity: &'a Velocity,
    manifold: &'a Manifold,
    /// 1 or −1: which way time runs.
    forward: f64,
}

/// The facts of T2.1 along the run, with their extremes in `facts`; or why there are none.
///
/// *Accuracy*: P' is a fourth-order difference along the flow itself, and its bar the change from twice the step. The bar
/// of A is its change from the rougher run to the finer one.
///
/// *Errors*: as [`Manifold::nearest`].
pub fn along(
    resolved: &Resolved<'_>,
    velocity: &Velocity,
    facts: &mut Facts,
) -> Result<std::result::Result<Facts, String>> {
    let (world, last) = (resolved.world, resolved.last());
    let manifold = world.manifold.as_ref().expect("asked for where there is one");
    if last > MOST_STEPS {
        return Ok(Err(format!("more than {MOST_STEPS} steps")));
    }
    if let Some(why) = resolved.without_data() {
        return Ok(Err(why));
    }
    let forward = (resolved.times[last] - resolved.times[0]).signum();
    let flow = Along { resolved, velocity, manifold, forward };
    let rough = qr_history(resolved.rough.cocycle, resolved.plane);
    let planes = qr_history(resolved.best().cocycle, resolved.plane);
    let mut found = Facts::new();
    let mut before: Option<Foot> = None;
    let mut trouble = None;
    for k in (0..last).step_by(last.div_ceil(MOST_TIMES)).chain([last]) {
        let t = resolved.times[k];
        let foot = Foot::of(world, manifold, t, resolved.state(k))?;
        if foot.nearest.boundary {
            trouble.get_or_insert(format!("nearest points reach the boundary at time {t:.4}"));
        }
        if let Some(before) = &before
            && before.nearest.place.piece != foot.nearest.place.piece
        {
            let problem =
                "nearest points pass from one part of the manifold to another before time";
            trouble.get_or_insert(format!("{problem} {t:.4}"));
        }
        if let Some(before) = &before
            && largest_angle(&before.tangent, &foot.tangent)? > LARGEST_TURN
        {
            let problem = "tangent planes of nearest points jump, or turn fast, before time";
            trouble.get_or_insert(format!("{problem} {t:.4}"));
        }
        let turned = foot.turned_from(&Foot::of(world, manifold, t, &resolved.rough.states[k])?)?;
        flow.blocks(k, (&foot, turned), &mut found)?;
        flow.slope(k, (&foot, turned), (&planes[2 * k], &rough[k]), &mut found)?;
        before = Some(foot);
    }
    extremes(&found, facts);
    Ok(trouble.map_or(Ok(found), Err))
}

impl Along<'_> {
    /// γ, κ and η at the time of that number, over a foot that may be turned by so much.
    fn blocks(&self, k: usize, (foot, turned): (&Foot, f64), found: &mut Facts) -> Result<()> {
        let (resolved, t) = (self.resolved, self.resolved.times[k]);
        let jacobian = |x: &DVector<f64>| {
            self.velocity.jacobian(t, x.as_slice(), &mut Workspace::default()) * self.forward
        };
        let a = jacobian(resolved.state(k));
        let size = spectral_norm(&a)?;
        let change = spectral_norm(&(&a - jacobian(&resolved.rough.states[k])))?;
        let bar = change + ROUNDING * (1.0 + size) + 2.0 * size * turned;
        let h = self.step(k) * STEP_SHARE;
        let (rate, rate_bar) = self.projector_rate(k, h)?;
        let rate_bar = rate_bar + ROUNDING * foot.bend / h.abs();
        let turning = rate_bar + 2.0 * symmetric_norm(&rate) * turned;
        let (ut, un) = (&foot.tangent, &foot.normal);
        let blocks = blocks_by_projector(&a, ut, un, &rate)?;
        let mut push = |name: &str, value: f64, bar: f64| {
            found.push(name, Quantity::new(value, bar, Grade::Estimated));
        };
        push("gamma", blocks.gamma, 2.0 * bar);
        push("kappa", blocks.kappa, bar + turning);
        push("eta", blocks.eta, bar + turning);
        push("kappa_of_a", spectral_norm(&(un.tr_mul(&a) * ut))?, bar);
        push("normal_compression", -mu_max(&(un.tr_mul(&a) * un)), bar);
        found.push("time", Quantity::exact((t - resolved.times[0]) * self.forward));
        Ok(())
    }

    /// The slope of the carried plane, at both resolutions.
    fn slope(
        &self,
        k: usize,
        (foot, turned): (&Foot, f64),
        (fine, rough): (&DMatrix<f64>, &DMatrix<f64>),
        found: &mut Facts,
    ) -> Result<()> {
        let (ut, un) = (&foot.tangent, &foot.normal);
        let (l, l_rough) = (slope_over(fine, ut, un)?, slope_over(rough, ut, un)?);
        let bar = (l - l_rough).abs() + turned * (1.0 + l * l);
        found.push("slope", Quantity::new(l, bar, Grade::Estimated));
        if k == self.resolved.last() {
            let bar = largest_angle(fine, rough)? + turned;
            let sine = largest_angle(fine, ut)?.sin();
            found.set("end_sine", Quantity::new(sine, bar, Grade::Estimated));
        }
        Ok(())
    }

    /// The mean step to either side of a time.
    fn step(&self, k: usize) -> f64 {
        let times = self.resolved.times;
        let (left, right) = (k.saturating_sub(1), (k + 1).min(self.resolved.last()));
        (times[right] - times[left]) / (right - left) as f64
    }

    /// dP/dτ along the flow by differences of steps h and 2h, τ increasing, and how far the finer may be off.
    fn projector_rate(&self, k: usize, h: f64) -> Result<(DMatrix<f64>, f64)> {
        let (world, t) = (self.resolved.world, self.resolved.times[k]);
        let projector = |steps: f64| -> Result<DMatrix<f64>> {
            let time = t + steps * h;
            let mut state = self.resolved.state(k).clone();
            let step = Sampler::new(Method::Rk4, vec![t, time]);
            let work = &mut StepWorkspace::default();
            step.step(self.velocity, 0, state.as_mut_slice(), Lanes::single(0), work);
            let nearest = self.manifold.nearest((state / world.signal(time)).as_slice())?;
            let tangent = self.manifold.tangent_frame(&nearest.place);
            Ok(&tangent * tangent.transpose())
        };
        let across = |s: f64| -> Result<DMatrix<f64>> { Ok(projector(s)? - projector(-s)?) };
        let (one, two, four) = (across(1.0)?, across(2.0)?, across(4.0)?);
        let fine = (one * 8.0 - &two) * (self.forward / (12.0 * h));
        let rough = (two * 8.0 - four) * (self.forward / (24.0 * h));
        let bar = symmetric_norm(&(&fine - rough));
        Ok((fine, bar))
    }
}

/// The least γ, the largest κ and η, and the series themselves.
fn extremes(found: &Facts, facts: &mut Facts) {
    let all = |name: &str| found.series(name).iter().copied();
    let least = all("gamma").reduce(Quantity::min);
    facts.set("least_gamma", least.unwrap_or(Quantity::UNKNOWN));
    for (name, of) in [("largest_kappa", "kappa"), ("largest_eta", "eta")] {
        facts.set(name, all(of).reduce(Quantity::max).unwrap_or(Quantity::UNKNOWN));
    }
    for name in ["time", "gamma", "kappa", "eta", "slope"] {
        facts.set_series(name, found.series(name).to_vec());
    }
}
