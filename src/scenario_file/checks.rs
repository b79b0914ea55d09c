//! What a file expects of its world, and whether it is so.

use super::expectation::{Comparison, Expectation, Subject, Wording};
use super::format::{Check, on};
use super::located::At;
use super::reader::Reader;
use super::world::{System, World};
use crate::error::Result;
use crate::formula::closest;

/// Claims that are judged on the worlds of files.
pub const CLAIMS: [&str; 3] = [
    "relative_compression_forces_alignment",
    "compressing_maps_force_alignment",
    "posterior_moments_certify_alignment",
];

/// The wrong wordings of each of them that may be judged in its place.
pub const WORDINGS: [&[&str]; 3] = [
    &[
        "gamma_doubled",
        "cross_terms_dropped",
        "frame_rotation_ignored",
        "eta_dropped",
        "eta_sign_flipped",
        "kappa_halved",
        "absolute_compression",
        "without_H1",
    ],
    &[
        "cross_terms_dropped",
        "start_forgotten",
        "tangent_contraction_ignored",
        "back_terms_dropped",
        "norms_exchanged",
        "cone_narrowed",
        "without_H1",
    ],
    &[
        "cross_moments_dropped",
        "gamma_doubled",
        "start_forgotten",
        "normal_variance_bound_halved",
        "lever_dropped",
        "turning_halved",
        "tube_ignored",
    ],
];

/// A number that is measured on a trajectory.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// Its name in files and records.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Whether there is one for each coordinate.
    pub each: bool,
    needs: Needs,
}

/// What a fact is known of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    Formulas,
    Transient,
    Manifold,
    FlowAndManifold,
    Errors,
    ErrorsAndManifold,
    Training,
    TrainingAndManifold,
}

const fn fact(name: &'static str, each: bool, needs: Needs, meaning: &'static str) -> Fact {
    Fact { name, meaning, each, needs }
}

/// All of them; series along a trajectory are in the record and cannot be checked.
pub const FACTS: &[Fact] = &[
    fact("end_state", true, Needs::Nothing, "the last state"),
    fact(
        "log_growth",
        true,
        Needs::Nothing,
        "log singular values of the tangent map of the whole run, decreasing",
    ),
    fact(
        "finite_exponent",
        true,
        Needs::Nothing,
        "log_growth per time, per map, or on a path per unit of log σ",
    ),
    fact(
        "volume_exponent",
        false,
        Needs::Nothing,
        "growth of log |det| of the tangent map, per the same unit",
    ),
    fact("exponent", true, Needs::Transient, "asymptotic Lyapunov exponents, decreasing"),
    fact("exponent_sum", false, Needs::Transient, "their sum"),
    fact(
        "jacobian_difference",
        false,
        Needs::Formulas,
        "largest relative difference of Jacobians by dual numbers and by symbolic derivatives",
    ),
    fact(
        "end_distance",
        false,
        Needs::Manifold,
        "distance of the last state from the manifold; on a path of x/a",
    ),
    fact(
        "end_angle",
        false,
        Needs::Manifold,
        "largest angle of the carried plane to the tangent plane at the end, in radians",
    ),
    fact("end_slope", false, Needs::Manifold, "its tangent"),
    fact(
        "singular_angle",
        false,
        Needs::Manifold,
        "largest angle of the leading end-point singular vectors to the tangent plane, in radians",
    ),
    fact(
        "singular_gap",
        false,
        Needs::Manifold,
        "log_growth of the last tangent pair less that of the next",
    ),
    fact(
        "least_gamma",
        false,
        Needs::FlowAndManifold,
        "least relative normal compression γ along the run",
    ),
    fact(
        "largest_kappa",
        false,
        Needs::FlowAndManifold,
        "largest cross derivative κ from tangents to normals",
    ),
    fact(
        "largest_eta",
        false,
        Needs::FlowAndManifold,
        "largest cross derivative η from normals to tangents",
    ),
    fact("displacement", false, Needs::Errors, "how far the errors move the last state"),
    fact(
        "displacement_normal",
        false,
        Needs::ErrorsAndManifold,
        "its part normal to the manifold, where the exact run ends",
    ),
    fact("displacement_tangent", false, Needs::ErrorsAndManifold, "its part along the manifold"),
    fact(
        "end_denoiser_error",
        false,
        Needs::Training,
        "distance of the data that a network predicts at the end from the posterior mean of its law",
    ),
    fact(
        "end_denoiser_normal",
        false,
        Needs::TrainingAndManifold,
        "its part normal to the manifold",
    ),
];

impl Fact {
    /// Why it is not known of a world.
    fn missing(&self, world: &World) -> Option<&'static str> {
        let manifold = world.manifold.is_some();
        let is_flow = matches!(world.system, System::Flow { .. });
        let errors = !world.errors().is_empty();
        let training = world.trained_on.is_some();
        let (ok, reason) = match self.needs {
            Needs::Nothing => (true, ""),
            Needs::Formulas => (world.formulas().is_some(), "needs a model of formulas"),
            Needs::Transient => (world.transient.is_some(), "needs [exponents] with a transient"),
            Needs::Manifold => (manifold, "needs a manifold"),
            Needs::FlowAndManifold => (manifold && is_flow, "needs a flow and a manifold"),
            Needs::Errors => (errors, "needs [[errors]]"),
            Needs::ErrorsAndManifold => (manifold && errors, "needs [[errors]] and a manifold"),
            Needs::Training => (training, "needs a model.network and its law"),
            Needs::TrainingAndManifold => {
                (manifold && training, "needs a model.network, its law and a manifold")
            }
        };
        (!ok).then_some(reason)
    }
}

/// The expectations of a file.
pub(super) fn read(
    reader: &Reader<'_>,
    checks: &[At<Check>],
    world: &World,
) -> Result<Vec<Expectation>> {
    checks.iter().map(|check| one(reader, check, world)).collect()
}

fn one(reader: &Reader<'_>, check: &At<Check>, world: &World) -> Result<Expectation> {
    let At { value, span } = check;
    let last = world.starts.len() as u32 - 1;
    let trajectory = value.trajectory.as_ref().map(|nth| reader.count(nth, 0, last)).transpose()?;
    match (&value.fact, &value.claim) {
        (Some(name), None) => {
            if let Some(wording) = &value.wording {
                let problem = "a wording is one of a claim, and this check is of a fact";
                return reader.refuse(&wording.span, problem, "delete it");
            }
            if let Some(verdict) = &value.verdict {
                let problem = "a verdict is one of a claim, and this check is of a fact";
                return reader.refuse(
                    &verdict.span,
                    problem,
                    "equals and within, at_most or at_least",
                );
            }
            let (fact, component) = named(reader, name, world)?;
            let comparison = Comparison::read(reader, check)?;
            let words = match comparison {
                Comparison::Equals(value, within) => format!("{value:?} ± {within:?}"),
                Comparison::AtMost(most) => format!("at most {most:?}"),
                Comparison::AtLeast(least) => format!("at least {least:?}"),
            };
            let words = format!("{} is {words}{}", name.value, on(trajectory));
            let subject = Subject::Fact(fact, component, comparison);
            Ok(Expectation { subject, trajectory, words })
        }
        (None, Some(claim)) => {
            let numbers = [&value.equals, &value.within, &value.at_most, &value.at_least];
            if let Some(number) = numbers.into_iter().flatten().next() {
                let problem = "a claim is not compared with a number";
                return reader.refuse(&number.span, problem, "verdict = \"holds\"");
            }
            let Some(nth) = CLAIMS.into_iter().position(|id| id == claim.value) else {
                let problem =
                    format!("{:?} is no claim that is judged on scenario files", claim.value);
                let near = closest(&claim.value, CLAIMS.into_iter());
                return reader.refuse(&claim.span, problem, near.unwrap_or(CLAIMS.join(", ")));
            };
            let Some(verdict) = &value.verdict else {
                return reader.refuse(span, "no verdict is expected", "verdict = \"holds\"");
            };
            let wrong = value.wording.as_ref().map(|name| wording(reader, nth, name));
            let said = Wording { claim: CLAIMS[nth], wrong: wrong.transpose()? };
            let subject = Subject::Claim(said, verdict.value);
            let words = verdict.value.of(&said.name(), trajectory);
            Ok(Expectation { subject, trajectory, words })
        }
        (Some(_), Some(claim)) => reader.refuse(
            &claim.span,
            "a check of a fact and of a claim",
            "one [[checks]] for each",
        ),
        (None, None) => {
            reader.refuse(span, "a check of nothing", "fact = \"end_state[0]\", or a claim")
        }
    }
}

/// A wrong wording of the claim of that number.
fn wording(reader: &Reader<'_>, nth: usize, name: &At<String>) -> Result<&'static str> {
    let known = WORDINGS[nth];
    if let Some(found) = known.iter().find(|known| **known == name.value) {
        return Ok(found);
    }
    let problem = format!("{:?} is no wrong wording of {}", name.value, CLAIMS[nth]);
    let near = closest(&name.value, known.iter().copied());
    reader.refuse(&name.span, problem, near.unwrap_or(known.join(", ")))
}

/// A fact by its name, with a component in brackets where it has several.
fn named(reader: &Reader<'_>, name: &At<String>, world: &World) -> Result<(&'static str, usize)> {
    let (stem, index) = match name.value.split_once('[') {
        Some((stem, rest)) => (stem, rest.strip_suffix(']')),
        None => (name.value.as_str(), None),
    };
    let Some(fact) = FACTS.iter().find(|fact| fact.name == stem) else {
        let names = || FACTS.iter().map(|fact| fact.name);
        let hint = closest(stem, names()).unwrap_or(names().collect::<Vec<_>>().join(", "));
        return reader.refuse(&name.span, format!("{stem:?} is no fact that is measured"), hint);
    };
    if let Some(reason) = fact.missing(world) {
        let problem = format!("{stem} {reason}");
        return reader.refuse(&name.span, problem, "another fact, or add what it needs");
    }
    match (fact.each, name.value.contains('['), index.map(str::parse::<usize>)) {
        (true, true, Some(Ok(index))) if index < world.dim => Ok((fact.name, index)),
        (true, ..) => {
            let problem = format!("{} has components 0 to {}", stem, world.dim - 1);
            reader.refuse(&name.span, problem, format!("\"{stem}[0]\""))
        }
        (false, false, _) => Ok((fact.name, 0)),
        (false, true, _) => {
            reader.refuse(&name.span, format!("{stem} is one number"), format!("\"{stem}\""))
        }
    }
}
