//! One claim of a run: its statement, its figure, its tables.

use super::{Section, command};
use crate::claims;
use crate::experiments::words::shortened;
use crate::figure::{Axis, Cell, Figure, Ink, Mark, Panel, Table};
use crate::record::{ClaimRecord, ClaimSummary, FormSummary, Record};

/// Conclusions that a panel shows; those with the least room, or the largest misfit.
const SHOWN: usize = 10;

/// Names on an axis are cut to so many letters.
const LETTERS: usize = 26;

pub fn section(record: &Record, checked: &ClaimRecord) -> Section {
    let s = &checked.summary;
    let claim = claims::find(&s.claim);
    Section {
        name: s.claim.clone(),
        statement: claim.map_or("", |claim| claim.statement()).to_owned(),
        found: found(s),
        figures: figure(checked).into_iter().collect(),
        tables: tables(record, s),
        command: command(record, s),
    }
}

fn found(s: &ClaimSummary) -> String {
    let mut text = format!(
        "In {} worlds: {} met every hypothesis, {} were out of scope, {} undecided, **{} violated**.",
        s.worlds, s.in_scope, s.out_of_scope, s.undecided, s.violated
    );
    if let Some(extreme) = &s.least_room {
        text.push_str(&format!(
            " The least room, {:.3e}, is that of *{}* in world {}.",
            extreme.value, extreme.conclusion, extreme.index
        ));
    }
    if let Some(extreme) = &s.largest_misfit {
        text.push_str(&format!(
            " The largest misfit, {:.3} of the bars, is that of *{}* in world {}.",
            extreme.value, extreme.conclusion, extreme.index
        ));
    }
    text
}

/// How much room there is, both sides against each other, and the tightest world.
fn figure(checked: &ClaimRecord) -> Option<Figure> {
    let s = &checked.summary;
    let tightest = checked
        .worlds
        .iter()
        .find(|world| s.tightest.as_ref().is_some_and(|tightest| tightest.index == world.index));
    let picture = tightest.and_then(|world| world.detail.as_ref()?.picture.clone());
    let pictured = picture.is_some();
    let errs = picture.iter().flat_map(|panel| &panel.layers).any(|layer| layer.ink == Ink::Error);
    let panels: Vec<Panel> = [
        spread(
            &s.conclusions,
            |form| form.room.as_ref(),
            "Room of inequalities",
            "(right − left)/scale",
            0.0,
        ),
        spread(
            &s.conclusions,
            |form| form.misfit.as_ref(),
            "Misfit of equalities",
            "|difference| / bars",
            1.0,
        ),
        both_sides(&s.conclusions),
        picture.map(|panel| Panel { title: format!("Tightest world, {}", panel.title), ..panel }),
    ]
    .into_iter()
    .flatten()
    .collect();
    if panels.is_empty() {
        return None;
    }
    let world = s.tightest.as_ref().map_or(String::new(), |tightest| {
        format!(" The tightest world is number {} (*{}*).", tightest.index, tightest.conclusion)
    });
    let error = match errs {
        true => {
            " Its error: orbits with it are dashed, arrows show what it adds in the last map, to a scale of their own."
        }
        false => "",
    };
    let caption = format!(
        "Worlds in scope. *Room* is what inequalities leave, bars not added: all of it lies right of 0, up to rounding where \
         a bound is attained. *Misfit* is the difference of equalities in units of their bars: all of it lies left of 1. \
         Left against right side: inequalities hold on and below the 1:1 line, equalities on it.{world}{error}"
    );
    let mut not_shown = "Conclusions beyond the ten tightest, numbers that are not positive on logarithmic axes, worlds out \
         of scope."
        .to_owned();
    if !pictured {
        not_shown.push_str(
            " The tightest world has no picture: it has no orbits towards data or around a manifold.",
        );
    }
    let figure = Figure::new(&s.claim, "What its worlds show", panels).says(caption, not_shown);
    Some(figure.in_columns(2))
}

/// Distributions of one number, a row a conclusion.
fn spread(
    forms: &[FormSummary],
    of: impl Fn(&FormSummary) -> Option<&crate::record::Distribution>,
    title: &str,
    label: &str,
    limit: f64,
) -> Option<Panel> {
    let mut known: Vec<(&FormSummary, [f64; 7])> =
        forms.iter().filter_map(|form| Some((form, of(form)?.quantiles))).collect();
    // The tightest first: least room, or largest misfit.
    let tight = |q: &[f64; 7]| if limit == 0.0 { q[0] } else { -q[6] };
    known.sort_by(|(_, a), (_, b)| tight(a).total_cmp(&tight(b)));
    known.truncate(SHOWN);
    known.reverse();
    if known.is_empty() {
        return None;
    }
    let names = known.iter().map(|(form, _)| shortened(&form.form, LETTERS));
    let mut panel = Panel::new(title, Axis::new(label), Axis::of("", names));
    for (row, (_, q)) in known.iter().enumerate() {
        let at = vec![row as f64; 2];
        panel = panel
            .with("least to most", Ink::Guide, Mark::line(vec![q[0], q[6]], at.clone()))
            .with("middle half", Ink::Measured, Mark::line(vec![q[2], q[4]], at));
    }
    let rows: Vec<f64> = (0..known.len()).map(|row| row as f64).collect();
    let column = |nth: usize| known.iter().map(|(_, q)| q[nth]).collect::<Vec<f64>>();
    let tightest = if limit == 0.0 { 0 } else { 6 };
    Some(
        panel
            .with("median", Ink::Measured, Mark::points(column(3), rows.clone()))
            .with("tightest", Ink::Lyapunov, Mark::points(column(tightest), rows))
            .with("limit", Ink::Bound, Mark::Rule { at: limit, vertical: true }),
    )
}

/// Left against right, or measured against predicted, on logarithmic axes.
fn both_sides(forms: &[FormSummary]) -> Option<Panel> {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    let mut marks = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for form in forms {
        let of_kind = &mut marks[usize::from(form.misfit.is_some())];
        for (&left, &right) in form.pairs.left.iter().zip(&form.pairs.right) {
            if left > 0.0 && right > 0.0 {
                of_kind.0.push(right);
                of_kind.1.push(left);
                (least, most) = (least.min(left).min(right), most.max(left).max(right));
            }
        }
    }
    if most <= 0.0 {
        return None;
    }
    // Rounding around zero is of no interest.
    let least = least.max(1e-12 * most);
    let axis = |label: &str| Axis::log(label).from_to(least / 1.5, most * 1.5);
    let mut panel =
        Panel::new("Both sides", axis("right side, predicted"), axis("left side, measured"));
    let [inequalities, equalities] = marks;
    for (name, ink, (x, y)) in [
        ("inequality", Ink::Series(0), thin(inequalities)),
        ("equality", Ink::Series(2), thin(equalities)),
    ] {
        if !x.is_empty() {
            panel = panel.with(name, ink, Mark::points(x, y));
        }
    }
    let ends = vec![least / 1.5, most * 1.5];
    Some(panel.with("1:1", Ink::Bound, Mark::line(ends.clone(), ends)))
}

/// At most 600 of them, evenly.
fn thin((x, y): (Vec<f64>, Vec<f64>)) -> (Vec<f64>, Vec<f64>) {
    let stride = x.len().div_ceil(600).max(1);
    (x.into_iter().step_by(stride).collect(), y.into_iter().step_by(stride).collect())
}

fn tables(record: &Record, s: &ClaimSummary) -> Vec<Table> {
    let id = &s.claim;
    let named = |part: &str| format!("{id}-{part}");
    let mut hypotheses = Table::new(
        &named("hypotheses"),
        "Hypotheses",
        "In how many worlds each was met beyond doubt, among those that could be computed.",
        ["hypothesis", "met", "not met or undecided", "least slack"],
    );
    for form in &s.hypotheses {
        let count = form.room.as_ref().map_or(form.met, |room| room.count.max(form.met));
        hypotheses.rows.push(vec![
            form.form.as_str().into(),
            form.met.into(),
            count.saturating_sub(form.met).into(),
            form.least_slack.into(),
        ]);
    }
    let mut mutants = Table::new(
        &named("mutants"),
        "Wrong versions",
        "Each is a wrong statement that some world must refute.",
        ["wrong version", "what is wrong", "refuted by", "first world", "repeat"],
    );
    let what = |name: &str| {
        claims::find(id).and_then(|claim| claim.mutant(name)).map_or("", |mutant| mutant.what)
    };
    let seed = record.parameters.seed;
    for mutant in &s.mutants {
        let repeat = mutant.first.map_or(String::new(), |world| {
            format!("`driftproof check {id} --world {world} --seed {seed}`")
        });
        mutants.rows.push(vec![
            Cell::Words(format!("`{}`", mutant.name)),
            what(&mutant.name).into(),
            mutant.refuted_by.into(),
            mutant.first.map_or(Cell::from("–"), Cell::from),
            repeat.into(),
        ]);
    }
    let mut families = Table::new(
        &named("families"),
        "Kinds of worlds",
        "Families, and hard corners (a world may have several).",
        ["kind", "worlds", "in scope", "hold", "undecided", "violated"],
    );
    for group in s.families.iter().chain(&s.corners) {
        families.rows.push(vec![
            group.name.as_str().into(),
            group.worlds.into(),
            group.in_scope.into(),
            group.holds.into(),
            group.undecided.into(),
            group.violated.into(),
        ]);
    }
    [hypotheses, mutants, families].into_iter().filter(|table| !table.rows.is_empty()).collect()
}
