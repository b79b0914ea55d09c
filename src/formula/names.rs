//! The names that formulas may use, and what they mean.

use super::Formula;
use super::function::reserved;
use super::graph::Id;
use super::lexer::{shortened, word};
use super::mistake::{Mistake, Parsed, Span, listed, nearest};
use super::parser::parse;
use super::resolve::{Resolver, Value};
use super::syntax::Syntax;
use std::ops::Range;

/// Most numbers that the variables of one table hold together.
const MOST_SLOTS: usize = 1 << 16;

/// The meaning of a name.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    Number(usize),
    Vector(Range<usize>),
    Constant(f64),
    Helper(Syntax),
}

/// A table of variables, constants and helper expressions.
///
/// Variables take slots in the order in which they are declared; formulas are evaluated on the numbers in these slots.
/// Helpers may use each other in any order, and are evaluated once in each call.
///
/// ```
/// use driftproof::formula::Names;
/// let mut names = Names::default();
/// names.number("t")?;
/// names.vector("x", 2)?;
/// names.helper("r", "norm(x - centre)")?;
/// names.helper("centre", "[shift, 0]")?;
/// names.constant("shift", 1.0)?;
/// let formula = names.formula("t + r^2")?;
/// assert_eq!(formula.values(&[10.0, 4.0, 4.0]), [35.0]); // 10 + (4 − 1)² + 4²
/// # Ok::<(), driftproof::formula::Mistake>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Names {
    entries: Vec<(String, Meaning)>,
    slots: usize,
}

impl Names {
    /// Declares a variable that is one number.
    ///
    /// *Errors*: a name that is taken, reserved, or not a name; the same for the other declarations.
    pub fn number(&mut self, name: &str) -> Result<(), Mistake> {
        self.declare(name, Meaning::Number(self.slots), 1)
    }

    /// Declares a variable that is a vector with `size` components.
    pub fn vector(&mut self, name: &str, size: usize) -> Result<(), Mistake> {
        if size == 0 || size > MOST_SLOTS {
            return Err(Mistake::new(
                Span::new(0, name.len()),
                format!("the vector {} has {size} components", shortened(name)),
                format!("choose a size from 1 to {MOST_SLOTS}"),
            ));
        }
        self.declare(name, Meaning::Vector(self.slots..self.slots + size), size)
    }

    /// Declares a constant.
    pub fn constant(&mut self, name: &str, value: f64) -> Result<(), Mistake> {
        if !value.is_finite() {
            return Err(Mistake::new(
                Span::new(0, name.len()),
                format!("the constant {} is {value}", shortened(name)),
                "write a finite number",
            ));
        }
        self.declare(name, Meaning::Constant(value), 0)
    }

    /// Declares a helper: a name for the value of an expression, which may use names that are declared later.
    pub fn helper(&mut self, name: &str, text: &str) -> Result<(), Mistake> {
        let syntax = parse(text).map_err(|mistake| mistake.within(Some(name)))?;
        self.declare(name, Meaning::Helper(syntax), 0)
    }

    fn declare(&mut self, name: &str, meaning: Meaning, slots: usize) -> Result<(), Mistake> {
        let span = Span::new(0, name.len());
        let shown = shortened(name);
        if name.is_empty()
            || name.starts_with(|c: char| c.is_ascii_digit())
            || word(name) < name.len()
        {
            return Err(Mistake::new(
                span,
                format!("{shown:?} is not a name"),
                "names are made of the letters a-z and A-Z, digits and _, and start with no digit",
            ));
        }
        if reserved(name) {
            let hint = format!("choose another one, such as {name}_1");
            return Err(Mistake::new(span, format!("{name} is a word of the language"), hint));
        }
        if self.find(name).is_some() {
            let hint = format!("rename one of the two, say to {shown}_1");
            return Err(Mistake::new(span, format!("{shown} is defined twice"), hint));
        }
        if self.slots + slots > MOST_SLOTS {
            let problem = format!("the variables hold more than {MOST_SLOTS} numbers");
            return Err(Mistake::new(span, problem, "use smaller vectors"));
        }
        self.slots += slots;
        self.entries.push((name.to_owned(), meaning));
        Ok(())
    }

    pub(crate) fn find(&self, name: &str) -> Option<(usize, &Meaning)> {
        let at = self.entries.iter().position(|(other, _)| other == name)?;
        Some((at, &self.entries[at].1))
    }

    /// Where a variable is among the numbers that formulas are evaluated on.
    ///
    /// ```
    /// # let mut names = driftproof::formula::Names::default();
    /// names.number("t")?;
    /// names.vector("x", 3)?;
    /// assert_eq!(names.slots_of("x"), Some(1..4));
    /// # Ok::<(), driftproof::formula::Mistake>(())
    /// ```
    pub fn slots_of(&self, name: &str) -> Option<Range<usize>> {
        match self.find(name)?.1 {
            Meaning::Number(slot) => Some(*slot..slot + 1),
            Meaning::Vector(slots) => Some(slots.clone()),
            _ => None,
        }
    }

    /// What each slot is called in a formula.
    pub(crate) fn slot_names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.slots);
        for (name, meaning) in &self.entries {
            match meaning {
                Meaning::Number(_) => names.push(name.clone()),
                Meaning::Vector(slots) => {
                    names.extend((0..slots.len()).map(|i| format!("{name}[{i}]")));
                }
                _ => (),
            }
        }
        names
    }

    /// The mistake of a name that is not in the table.
    pub(crate) fn unknown<'a>(
        &'a self,
        name: &str,
        span: Span,
        indices: impl Iterator<Item = &'a str>,
    ) -> Mistake {
        let known: Vec<&str> =
            self.entries.iter().map(|(name, _)| name.as_str()).chain(indices).collect();
        let constants = known.iter().copied().chain(["pi", "e"]);
        let hint = match nearest(name, constants.clone()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("known names are {}", listed(constants)),
        };
        Mistake::new(span, format!("{} is not defined", shortened(name)), hint)
    }

    /// A formula over these names: a number or a vector.
    ///
    /// *Errors*: the first mistake in its text, or in a helper that it uses.
    pub fn formula(&self, text: &str) -> Result<Formula, Mistake> {
        let syntax = parse(text)?;
        let mut resolver = Resolver::new(self);
        self.resolve_helpers(&mut resolver, &syntax)?;
        let value = resolver.value(&syntax)?;
        Ok(resolver.finish(&[value]))
    }

    /// Several numbers as one vector-valued formula, such as the components of a field; their common parts are
    /// evaluated once. A mistake comes with the number of the text that has it.
    ///
    /// ```
    /// # let mut names = driftproof::formula::Names::default();
    /// names.vector("x", 2)?;
    /// let field = names.field(&["x[1]", "-sin(x[0])"]).unwrap();
    /// assert_eq!(field.values(&[0.0, 3.0]), [3.0, 0.0]);
    /// assert_eq!(names.field(&["x[1]", "2x[0]"]).unwrap_err().0, 1);
    /// # Ok::<(), driftproof::formula::Mistake>(())
    /// ```
    pub fn field(&self, texts: &[&str]) -> Result<Formula, (usize, Mistake)> {
        let mut resolver = Resolver::new(self);
        let mut values = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let value = parse(text).and_then(|syntax| {
                self.resolve_helpers(&mut resolver, &syntax)?;
                resolver.number(&syntax).map(Value::Number)
            });
            values.push(value.map_err(|mistake| (at, mistake))?);
        }
        Ok(resolver.finish(&values))
    }

    /// Checks every helper, also those that no formula uses.
    pub fn check(&self) -> Result<(), Mistake> {
        let mut resolver = Resolver::new(self);
        for (at, (name, meaning)) in self.entries.iter().enumerate() {
            if let Meaning::Helper(syntax) = meaning {
                self.resolve_helpers(&mut resolver, syntax).map_err(|mistake| {
                    match mistake.helper {
                        Some(_) => mistake,
                        None => mistake.within(Some(name)),
                    }
                })?;
                if resolver.helper(at).is_none() {
                    self.resolve_helper(&mut resolver, at)?;
                }
            }
        }
        Ok(())
    }

    /// The helpers that a text names, each with its span, in the order of the text.
    fn uses(&self, syntax: &Syntax) -> Vec<(usize, Span)> {
        let mut found = Vec::new();
        syntax.names(&mut |name, span| {
            if let Some((at, Meaning::Helper(_))) = self.find(name) {
                found.push((at, span));
            }
        });
        found
    }

    fn resolve_helper<'a>(&'a self, resolver: &mut Resolver<'a>, at: usize) -> Parsed<()> {
        let (name, Meaning::Helper(syntax)) = &self.entries[at] else { return Ok(()) };
        resolver.enter(Some(name));
        let value = resolver.value(syntax)?;
        resolver.enter(None);
        resolver.define(at, value);
        Ok(())
    }

    /// Resolves what the text needs, each helper after those that it uses; without recursion, for chains of any length.
    fn resolve_helpers<'a>(&'a self, resolver: &mut Resolver<'a>, syntax: &Syntax) -> Parsed<()> {
        // A helper under way, and those of its uses that are still to be looked at.
        let mut path = vec![(None, self.uses(syntax))];
        while let Some((owner, uses)) = path.last_mut() {
            let owner = *owner;
            let Some((next, span)) = uses.pop() else {
                path.pop();
                if let Some(done) = owner {
                    self.resolve_helper(resolver, done)?;
                }
                continue;
            };
            if resolver.helper(next).is_some() {
                continue;
            }
            if let Some(start) = path.iter().position(|(owner, _)| *owner == Some(next)) {
                let cycle = path[start..].iter().filter_map(|(owner, _)| *owner).chain([next]);
                let cycle: Vec<&str> = cycle.map(|at| self.entries[at].0.as_str()).collect();
                let shown =
                    if cycle.len() > 12 { listed(cycle.into_iter()) } else { cycle.join(" -> ") };
                let mistake = Mistake::new(
                    span,
                    format!("helpers are defined by each other: {shown}"),
                    "define one of them without the others",
                );
                return Err(mistake.within(owner.map(|at| self.entries[at].0.as_str())));
            }
            let Meaning::Helper(syntax) = &self.entries[next].1 else { continue };
            let uses = self.uses(syntax);
            path.push((Some(next), uses));
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The nodes of a value.
impl Value {
    pub(crate) fn ids(&self) -> &[Id] {
        match self {
            Self::Number(id) => std::slice::from_ref(id),
            Self::Vector(ids) => ids,
        }
    }
}
