//! Every counterexample of T7: what it predicts, what is measured, what the checkers say of it.

mod worlds;

pub use worlds::{all, first_zero};

use super::pictures;
use crate::claims;
use crate::error::{Error, Result};
use crate::experiments::relation::below;
use crate::experiments::words::number;
use crate::facts::{Facts, Quantity};
use crate::figure::{Cell, Figure, Panel, Table};
use crate::observe::alignment_and_robustness_are_independent::{Ridge, Slab};
use crate::observe::planar::PlanarWorld;
use crate::record::{Chapter, Relation};
use crate::verdict::Verdict;

/// The claims that state what the counterexamples do.
const ALIGNMENT: &str = "compression_alone_does_not_align";
const ROBUSTNESS: &str = "alignment_and_robustness_are_independent";

/// Panels of a figure.
const PANELS: usize = 6;

/// The value that most of them predict.
const SLOPE: &str = "slope of the end plane";

/// What a shift across the manifold, and a slope, are called in the title of a picture.
pub(super) const SHIFT: &str = "shift";
pub(super) const STEEPNESS: &str = "slope";

/// Misfit, in units of the bars, above which a prediction is off.
const MISFIT: f64 = 1.0;

/// A counterexample as it is run.
pub enum World {
    /// A field of the plane, as a block in R⁵.
    Planar(Box<PlanarWorld>),
    /// C1c, in the plane: facts of the flow to a small circle, and its parameters.
    Sphere {
        /// Its radius.
        radius: f64,
        /// The first and the last noise level.
        sigma: [f64; 2],
        /// Slope of the end plane.
        slope: f64,
    },
    /// C10.
    Ridge(Ridge),
    /// C12.
    Slab(Slab),
}

impl World {
    fn dim(&self) -> usize {
        match self {
            Self::Planar(world) => world.dim,
            Self::Sphere { .. } => 2,
            Self::Ridge(ridge) => ridge.dim,
            Self::Slab(_) => 1,
        }
    }
}

/// The dimensions in which counterexamples are run, in words.
fn dimensions(all: &[Shown]) -> String {
    let other = all.iter().filter(|shown| shown.world.dim() != 5);
    let other: Vec<String> =
        other.map(|shown| format!("{} in {}", shown.number, shown.world.dim())).collect();
    match other.is_empty() {
        true => "five dimensions".to_owned(),
        false => format!("five dimensions ({})", other.join(", ")),
    }
}

/// A counterexample with its numbers.
pub struct Shown {
    /// Its number in T7.
    pub number: &'static str,
    /// The wording that it refutes.
    pub against: &'static str,
    /// The name of that wording as a mutant of a claim.
    naive: &'static str,
    /// The claim with the closed forms.
    claim: &'static str,
    /// What is predicted and measured.
    pub values: Vec<Value>,
    facts: Facts,
    /// What is run.
    pub world: World,
}

/// One prediction.
pub struct Value {
    /// What it is.
    pub name: &'static str,
    /// A word for it.
    pub symbol: &'static str,
    /// With a bar where only bounds are known.
    pub predicted: Quantity,
    /// With its bar.
    pub measured: Quantity,
}

pub(super) fn add(chapter: &mut Chapter) -> Result<()> {
    let all = all()?;
    let panels = all.iter().map(pictures::panel).collect::<Result<Vec<Panel>>>()?;
    let judged = all.iter().map(judge).collect::<Result<Vec<_>>>()?;
    let many = all.len().div_ceil(PANELS);
    let parts = panels.chunks(PANELS).zip(all.chunks(PANELS)).zip(judged.chunks(PANELS));
    for (i, ((panels, shown), judged)) in parts.enumerate() {
        let name = format!("counterexamples-{}", i + 1);
        let title = format!("Counterexamples to weaker conditions ({} of {many})", i + 1);
        let each = |(shown, judged): (&Shown, &Judged)| {
            let values: Vec<String> = shown.values.iter().map(Value::words).collect();
            let refutes = match judged.naive {
                Verdict::Violated => "refutes",
                _ => "does not refute",
            };
            let aligned = match judged.aligned {
                Some(true) => "; ends aligned",
                Some(false) => "; ends not aligned",
                None => "",
            };
            let (number, against) = (shown.number, shown.against);
            format!("{number} {refutes} “{against}”: {}{aligned}", values.join("; "))
        };
        let caption = format!(
            "Each picture: orbits in the plane where it happens, the manifold, and along one orbit the direction that the flow \
             carries along, at its end over the predicted one. {}.",
            shown.iter().zip(judged).map(each).collect::<Vec<_>>().join(". ")
        );
        let hidden = format!(
            "The pictures are of one plane; the numbers are measured in {}, those in five in random axes, with bars in the table. What is \
             refuted is a wording without one hypothesis; that the hypothesis is necessary is not shown.",
            dimensions(shown)
        );
        let figure = Figure::new(&name, &title, panels.to_vec()).says(caption, hidden);
        let columns = if shown.len() > PANELS - 2 { 3 } else { 2 };
        chapter.figures.push(figure.in_columns(columns).within(1e-4));
    }
    chapter.tables.push(table(&all, &judged));
    find(chapter, &all, &judged);
    Ok(())
}

/// Verdicts on one counterexample.
struct Judged {
    /// Of the claim with its closed forms.
    stated: Verdict,
    /// Of the wording that it refutes.
    naive: Verdict,
    /// Of T2.1, where it speaks of this world, and whether the plane ends aligned (sine at most 0.1).
    riccati: Option<Verdict>,
    aligned: Option<bool>,
}

fn judge(shown: &Shown) -> Result<Judged> {
    let claim = |id: &str| {
        claims::find(id)
            .ok_or_else(|| Error::input(id, "is not a claim", "driftproof claims lists them"))
    };
    let own = claim(shown.claim)?;
    let mutant = own.mutant(shown.naive).ok_or_else(|| {
        Error::input(shown.naive, "is not a mutant of the claim", "see the page of the claim")
    })?;
    let planar = matches!(shown.world, World::Planar(_));
    let riccati = claim("relative_compression_forces_alignment")?;
    let sine = shown.facts.get("end_sine");
    Ok(Judged {
        stated: own.judge(&shown.facts).verdict(),
        naive: own.judge_mutant(&shown.facts, mutant).verdict(),
        riccati: planar.then(|| riccati.judge(&shown.facts).verdict()),
        aligned: sine.value.is_finite().then_some(sine.value <= 0.1),
    })
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Violated => "violated",
        Verdict::Undecided => "undecided",
        Verdict::OutOfScope => "out of scope",
    }
}

fn table(all: &[Shown], judged: &[Judged]) -> Table {
    let fallen = judged.iter().filter(|j| j.riccati == Some(Verdict::Violated)).count();
    let caption = format!(
        "Counterexamples of the theory page (T7), each to a condition that leaves something out. C6 is C1; there is no C11. The \
         measured numbers come from flows in {}, their bars from two resolutions and \
         rounding. The closed forms (all of them, not only the number shown) are judged by the claims of this program; the refuted \
         wording is a mutant there. T2.1, the sufficient condition, is violated in {fallen} of them: where it holds, its bound is \
         no smaller than the angle; elsewhere it does not apply. It says nothing of shifts (C6 to C9).",
        dimensions(all)
    );
    let head = [
        "number",
        "refutes",
        "number shown",
        "predicted",
        "measured",
        "closed forms",
        "refuted wording",
        "T2.1",
        "ends aligned",
    ];
    let mut table =
        Table::new("counterexamples", "Counterexamples: predicted and measured", caption, head);
    for (shown, judged) in all.iter().zip(judged) {
        for (i, value) in shown.values.iter().enumerate() {
            let first = |words: &str| Cell::from(if i == 0 { words } else { "" });
            table.rows.push(vec![
                first(shown.number),
                first(shown.against),
                Cell::from(value.name),
                predicted(value.predicted),
                Cell::from(value.measured),
                first(words(judged.stated)),
                first(words(judged.naive)),
                first(judged.riccati.map_or("not of this kind", words)),
                first(match judged.aligned {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "no plane",
                }),
            ]);
        }
    }
    // Differences between machines are of the size of the bars, which stand beside the numbers.
    table.tolerance = 1e-5;
    table
}

/// A closed form without its rounding, or the middle of an interval with its half length.
fn predicted(value: Quantity) -> Cell {
    match value.bar <= 1e-9 * value.value.abs() {
        true => Cell::from(value.value),
        false => Cell::from(value),
    }
}

fn find(chapter: &mut Chapter, all: &[Shown], judged: &[Judged]) {
    let values: Vec<&Value> = all.iter().flat_map(|s| &s.values).collect();
    let met = values.iter().filter(|v| v.is_met()).count();
    let stand = judged.iter().filter(|j| j.stated == Verdict::Holds).count();
    let fall = judged.iter().filter(|j| j.naive == Verdict::Violated).count();
    let good = met == values.len() && stand == all.len() && fall == all.len();
    chapter.find(
        if good { Relation::Agrees } else { Relation::Contradicts },
        "counterexamples",
        "T7: every weaker wording of the sufficient condition, with something left out, fails in some field, by the number predicted in closed form.",
        format!(
            "{met} of {} predicted numbers are met within their bars; the closed forms of {stand} of {} counterexamples hold, and the \
             wordings that {fall} of them refute are violated.",
            values.len(),
            all.len()
        ),
    );
    let side = |number: &str| {
        let place = all.iter().position(|shown| shown.number == number)?;
        let shift = all[place].values.iter().find(|value| value.symbol == SHIFT)?.measured;
        // Of a flow at rest the shift is the time that the unit error has acted.
        let World::Planar(world) = &all[place].world else { return None };
        Some(Side { aligned: judged[place].aligned?, shift, at_rest: world.span })
    };
    let (expansion, isotropic) = (side("C7"), side("C6"));
    let words = |name: &str, side: &Option<Side>| match side {
        Some(Side { aligned, shift, at_rest }) => format!(
            "{name} ends {} and shifts by {} for each unit of the error ({at_rest} at rest)",
            if *aligned { "aligned" } else { "not aligned" },
            number(shift.value, 4),
        ),
        None => format!("{name} was not measured"),
    };
    chapter.find(
        claim_of_alignment(expansion.as_ref(), isotropic.as_ref()),
        "counterexamples",
        "Paper: alignment of the top Lyapunov vectors leads to robustness of the support.",
        format!(
            "{}; {}. T4 bounds shifts by compression across the manifold, not by alignment.",
            words("C7", &expansion),
            words("C6", &isotropic)
        ),
    );
}

/// Whether a flow ends aligned, and how far a unit error moves it across the manifold.
pub struct Side {
    /// The sine of the end plane is at most 0.1.
    pub aligned: bool,
    /// The shift across M.
    pub shift: Quantity,
    /// That of a flow at rest.
    pub at_rest: f64,
}

/// What one flow that is to be aligned without robustness, and one that is to be robust without alignment, say of "alignment leads
/// to robustness": not by itself, and not only, if both are so.
pub fn claim_of_alignment(expansion: Option<&Side>, isotropic: Option<&Side>) -> Relation {
    let (Some(expansion), Some(isotropic)) = (expansion, isotropic) else { return Relation::Open };
    let grows = |side: &Side| below(Quantity::exact(side.at_rest), side.shift.abs());
    let damped = |side: &Side| below(side.shift.abs(), Quantity::exact(side.at_rest));
    match (expansion.aligned && grows(expansion), !isotropic.aligned && damped(isotropic)) {
        (true, _) | (_, true) => Relation::Sharpens,
        _ if [expansion, isotropic].iter().all(|side| side.aligned == damped(side)) => {
            Relation::Agrees
        }
        _ => Relation::Open,
    }
}

impl Value {
    fn is_met(&self) -> bool {
        let Quantity { value, bar, .. } = self.measured;
        (value - self.predicted.value).abs() <= MISFIT * (bar + self.predicted.bar)
    }

    fn words(&self) -> String {
        let (measured, predicted) =
            (number(self.measured.value, 4), number(self.predicted.value, 4));
        format!("{} {measured} (predicted {predicted})", self.name)
    }
}
