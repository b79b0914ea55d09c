//! The worlds of the counterexamples, with the numbers that their closed forms predict.

use super::{ALIGNMENT, ROBUSTNESS, SHIFT, SLOPE, STEEPNESS, Shown, Value, World};
use crate::claims::Variant;
use crate::claims::counterexample_maps::Example;
use crate::drift::Counterexample as C;
use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity};
use crate::observe::alignment_and_robustness_are_independent::{Ridge, STEPS, Slab};
use crate::observe::observe;
use crate::observe::planar::PlanarWorld;
use crate::random::{Knobs, Stream};

/// A planar world in R⁵ with two tangent directions, τ given.
fn planar(number: &'static str, example: C, span: f64, slope: f64) -> PlanarWorld {
    let mut world = PlanarWorld::new(number, example, span, slope, &mut Knobs::new(&[0.3]));
    (world.dim, world.tangent) = (5, 2);
    world
}

/// All of them, in the order of their numbers.
pub fn all() -> Result<Vec<Shown>> {
    let hidden = C::HiddenShear { rate: 3.0, shear: 2.0, width: 5e-4 };
    let mut hidden = planar("C3", hidden, 1.0, 0.0);
    hidden.start = [0.0, 0.5];
    let ripple = C::Ripple { rate: 4.0, slope: 2.0, height: 0.01 };
    let mut ripple = planar("C9", ripple, 1.0, 0.05).with_error();
    // An eighth of a wave, where the error and its slope are both there.
    ripple.start = [std::f64::consts::FRAC_PI_4 * 0.01 / 2.0, 1.0];
    let angles = |world, against, naive| angle(world, ALIGNMENT, against, naive);
    let moved = |world: PlanarWorld, against, naive| {
        let mut shown = angle(world.with_error(), ROBUSTNESS, against, naive)?;
        let predicted = closed(example(&shown.facts).map_or(f64::NAN, |e| e.displacement()));
        let measured = shown.facts.get("displacement_across");
        shown.values.push(Value { name: "shift across M", symbol: SHIFT, predicted, measured });
        Ok::<Shown, Error>(shown)
    };
    let isotropic = C::IsotropicCompression { rate: 9.0 };
    let mild = C::IsotropicCompression { rate: 2.0 };
    let mut sixth = moved(
        planar("C1", mild, 1.0, 0.5),
        "robustness implies alignment",
        "robustness_implies_alignment",
    )?;
    sixth.number = "C6";
    Ok(vec![
        angles(
            planar("C1", isotropic, 1.0, 0.7),
            "compression aligns",
            "absolute_compression_aligns",
        )?,
        angles(
            planar("C1b", C::NormalExpansion { rate: 2.0 }, 1.0, 0.2),
            "vanishing cross derivatives align",
            "vanishing_cross_derivatives_align",
        )?,
        small_sphere()?,
        angles(
            planar("C2", C::Shear { rate: 6.0, shear: 4.0 }, 1.0, 0.3),
            "total compression aligns",
            "total_compression_aligns",
        )?,
        angles(
            planar("C2b", C::LateShear { rate: 8.0, shear: 0.7, last: 0.05 }, 1.0, 0.3),
            "compression at most times aligns",
            "compression_at_most_times_aligns",
        )?,
        angles(hidden, "the Jacobian on the manifold suffices", "jacobian_on_manifold_suffices")?,
        turning(
            planar("C4", C::Feedback { rate: 2.0, feedback: 1.5 }, 0.4, 3.0),
            "every start slope shrinks",
            "every_start_slope_shrinks",
        )?,
        turning(
            planar("C4b", C::Turning { rate: 0.5, shear: 0.8, feedback: 0.9 }, 2.0, 0.4),
            "cross terms only add up",
            "cross_terms_add_linearly",
        )?,
        normal_start()?,
        sixth,
        moved(
            planar("C7", C::Expansion { rate: 1.0 }, 1.0, 0.1),
            "alignment implies robustness",
            "alignment_implies_robustness",
        )?,
        moved(
            planar("C8", C::LateError { rate: 8.0, last: 0.02 }, 1.0, 0.5),
            "compression attenuates every error",
            "compression_attenuates_every_error",
        )?,
        moved(ripple, "errors small in C⁰ keep alignment", "c0_small_errors_keep_alignment")?,
        ridge()?,
        slab()?,
        angles(
            planar("C13", C::NormalCompression { rate: 0.1 }, 1.0, 0.5),
            "a compression factor above 1 aligns",
            "compression_factor_above_one_aligns",
        )?,
    ])
}

/// A closed form, to rounding.
fn closed(value: f64) -> Quantity {
    Quantity::rounded(value, 1e3)
}

fn example(facts: &Facts) -> Option<Example> {
    Example::of(facts, Variant::STATED)
}

/// A planar world with its slope at the end.
fn angle(
    world: PlanarWorld,
    claim: &'static str,
    against: &'static str,
    naive: &'static str,
) -> Result<Shown> {
    let facts = world.measure()?;
    let direction = example(&facts).map(|e| e.direction(e.span));
    let predicted = closed(direction.map_or(f64::NAN, |[x, y]| (y / x).abs()));
    let measured = facts.series("slope").last().copied().unwrap_or(Quantity::UNKNOWN);
    let values = vec![Value { name: SLOPE, symbol: STEEPNESS, predicted, measured }];
    let number = world.number;
    Ok(Shown {
        number,
        against,
        naive,
        claim,
        values,
        facts,
        world: World::Planar(Box::new(world)),
    })
}

/// A planar world whose plane passes the normal direction, with the time at which it does.
fn turning(world: PlanarWorld, against: &'static str, naive: &'static str) -> Result<Shown> {
    let mut shown = angle(world, ALIGNMENT, against, naive)?;
    let times = example(&shown.facts).and_then(|e| e.normal_times());
    let predicted = closed(times.map_or(f64::NAN, |t| t.0));
    let measured = first_zero(shown.facts.series("time"), shown.facts.series("cosine"));
    shown.values =
        vec![Value { name: "time at which E is normal", symbol: "time", predicted, measured }];
    Ok(shown)
}

/// Where a series first changes its sign: by the secant, whose error is at most an eighth of the second difference
/// there over the slope; twice that for how the second derivative changes.
pub fn first_zero(times: &[Quantity], series: &[Quantity]) -> Quantity {
    let change = series.windows(2).position(|w| w[0].value > 0.0 && w[1].value <= 0.0);
    let Some(k) = change.filter(|k| *k > 0 && k + 2 < series.len()) else {
        return Quantity::UNKNOWN;
    };
    let at = |i: usize| series[i].value;
    let (fall, step) = (at(k) - at(k + 1), times[k + 1].value - times[k].value);
    let bent = |i: usize| (at(i - 1) - 2.0 * at(i) + at(i + 1)).abs();
    let off = 0.25 * bent(k).max(bent(k + 1)) + series[k].bar.max(series[k + 1].bar);
    let value = times[k].value + step * at(k) / fall;
    Quantity::new(value, step * off / fall, Grade::Estimated)
}

/// C5: the angle in place of the slope, which is infinite.
fn normal_start() -> Result<Shown> {
    let world = planar("C5", C::NormalCompression { rate: 7.0 }, 1.0, f64::INFINITY);
    let mut shown =
        angle(world, ALIGNMENT, "every start plane aligns", "every_start_plane_aligns")?;
    let cosine = shown.facts.series("cosine").last().copied().unwrap_or(Quantity::UNKNOWN);
    shown.values = vec![Value {
        name: "cosine of the end angle",
        symbol: "cos",
        predicted: Quantity::exact(0.0),
        measured: cosine,
    }];
    Ok(shown)
}

/// C1c: the flow to a small circle, by the observer of the claim; the slope that it starts with is an upper bound, and nearly kept.
fn small_sphere() -> Result<Shown> {
    // The third of ten numbers, n = 2, and the other knobs somewhere in their ranges.
    let seen = observe(ALIGNMENT, &mut Knobs::new(&[0.25, 0.0, 0.65, 0.3, 0.2, 0.43, 0.1]))?;
    let facts = seen.facts;
    let read =
        |name: &str| seen.world.get(name).and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN);
    let (radius, slope) = (read("radius"), read("start_slope"));
    let sigma = [read("sigma_start"), read("sigma_end")];
    let measured = facts.series("slope").last().copied().unwrap_or(Quantity::UNKNOWN);
    // Between both bounds of the claim; half their distance is how vague the prediction is.
    let widest = facts.get("widest").value / facts.get("ambient").value;
    let least = slope * (-0.25 * ((radius / sigma[1]).powi(2) * widest).powi(2)).exp();
    let predicted = Quantity::new(0.5 * (least + slope), 0.5 * (slope - least), Grade::Symbolic);
    Ok(Shown {
        number: "C1c",
        against: "flows from noise to data align",
        naive: "generative_flows_align",
        claim: ALIGNMENT,
        values: vec![Value { name: SLOPE, symbol: STEEPNESS, predicted, measured }],
        facts,
        world: World::Sphere { radius, sigma, slope },
    })
}

fn ridge() -> Result<Shown> {
    let ridge = Ridge {
        dim: 4,
        tangent: 2,
        thickness: 0.05,
        sigma_start: 5.0,
        sigma_end: 0.02,
        start_slope: 0.8,
        offset: 0.0,
        stream: Stream::root(5),
        steps: STEPS,
    };
    let facts = ridge.observe()?.facts;
    // l = l_0 √((s² + σ²)/(s² + σ_0²)) √((1 + σ_0²)/(1 + σ²)), overlap √(1 − f l²/(1 + l²)).
    let shrunk = |variance: f64| {
        let (from, to) = (ridge.sigma_start.powi(2), ridge.sigma_end.powi(2));
        ((variance + to) / (variance + from)).sqrt()
    };
    let slope = ridge.start_slope * shrunk(ridge.thickness.powi(2)) / shrunk(1.0);
    let part = facts.get("share").value * slope * slope / (1.0 + slope * slope);
    let values = vec![
        Value {
            name: SLOPE,
            symbol: STEEPNESS,
            predicted: closed(slope),
            measured: facts.get("slope"),
        },
        Value {
            name: "overlap |P_E s|/|s|",
            symbol: "overlap",
            predicted: closed((1.0 - part).sqrt()),
            measured: facts.get("overlap"),
        },
    ];
    Ok(Shown {
        number: "C10",
        against: "an aligned plane is orthogonal to the score",
        naive: "score_orthogonality_is_alignment",
        claim: ROBUSTNESS,
        values,
        facts,
        world: World::Ridge(ridge),
    })
}

fn slab() -> Result<Shown> {
    let slab =
        Slab { rate: 1.5, span: 1.0, constant: 0.6, gradient: 0.2, size: 0.01, steps: STEPS };
    let facts = slab.observe()?.facts;
    // ½ Σ (1 ∓ g_±)_+, g_± = e^{−εbτ}(±1 − εa ∫ e^{(εb−c)t} dt), over ε.
    let Slab { rate, span, constant, gradient, size, .. } = slab;
    let m = size * gradient - rate;
    let grown = (m * span).exp_m1() / m;
    let lost = |end: f64| {
        let pulled = (-size * gradient * span).exp() * (end - size * constant * grown);
        0.5 * (1.0 - end * pulled).max(0.0)
    };
    let predicted = closed((lost(1.0) + lost(-1.0)) / size);
    let measured = facts.get("mass_outside") / Quantity::exact(size);
    Ok(Shown {
        number: "C12",
        against: "a response on the support keeps the mass on it",
        naive: "response_on_support_keeps_mass",
        claim: ROBUSTNESS,
        values: vec![Value {
            name: "mass off the slab, over ε",
            symbol: "mass/ε",
            predicted,
            measured,
        }],
        facts,
        world: World::Slab(slab),
    })
}
