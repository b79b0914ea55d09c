//! Formulas as text that reads back.

use super::Formula;
use super::graph::{Graph, Id, Node};
use std::fmt;

/// Widest text of one part, beyond which [`Formula`] shows it as a helper.
const WIDEST: usize = 2000;

/// Columns of a formula in a file or on a page before its parts become helpers.
pub const LINE: usize = 400;

/// Deepest nesting of one text, well within what the parser reads.
const DEEPEST: usize = 50;

/// How tightly a text holds together: operands that are looser than their operator asks for get parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Sum,
    Product,
    Negative,
    Power,
    Atom,
}

use Tightness::{Atom, Negative, Power, Product, Sum};

/// The text of a node.
#[derive(Clone)]
struct Piece {
    text: String,
    tightness: Tightness,
    depth: usize,
}

/// A formula as text.
///
/// It displays as lines of the form `name = expression` for the helpers, and the value after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Names and texts of the parts that would be too long where they are used, each after those that it uses.
    pub helpers: Vec<(String, String)>,
    /// The text of each component.
    pub components: Vec<String>,
    /// False when the value is one number.
    is_vector: bool,
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in &self.helpers {
            writeln!(f, "{name} = {text}")?;
        }
        match self.is_vector {
            true => write!(f, "[{}]", self.components.join(", ")),
            false => write!(f, "{}", self.components.concat()),
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(WIDEST).fmt(f)
    }
}

impl Formula {
    /// The formula in its own syntax, simplified; parts wider than `widest` characters become helpers.
    ///
    /// Read back, it has the same values up to rounding.
    ///
    /// ```
    /// # let mut names = driftproof::formula::Names::default();
    /// names.vector("x", 2)?;
    /// let slope = names.formula("exp(-norm2(x)/2)")?.derivative(0);
    /// assert_eq!(slope.to_string(), "-exp(-(x[0]^2 + x[1]^2)/2)*x[0]");
    /// # Ok::<(), driftproof::formula::Mistake>(())
    /// ```
    pub fn print(&self, widest: usize) -> Printed {
        let graph = &self.graph;
        let mut uses = vec![0u32; graph.len()];
        let reached = graph.reached(&self.outputs);
        let used = (0..graph.len()).filter(|id| reached[*id]);
        used.clone().for_each(|id| graph.node(id as Id).operands(|a| uses[a as usize] += 1));
        let ends: Vec<bool> = (0..graph.len()).map(|id| uses[id] == 0).collect();
        self.outputs.iter().for_each(|id| uses[*id as usize] += 1);
        let prefix = ["h", "part", "helper_", "helper__"]
            .into_iter()
            .find(|prefix| !self.variables.iter().any(|name| name.starts_with(prefix)))
            .unwrap_or("helper___");
        let mut pieces: Vec<Option<Piece>> = vec![None; graph.len()];
        let mut helpers = Vec::new();
        for id in used {
            let mut piece = piece(graph, id as Id, &self.variables, &pieces);
            let is_long = piece.text.len() > widest.max(32) || piece.depth > DEEPEST;
            if is_long && !ends[id] {
                let name = format!("{prefix}{}", helpers.len() + 1);
                helpers.push((name.clone(), piece.text));
                piece = Piece { text: name, tightness: Atom, depth: 0 };
            }
            pieces[id] = Some(piece);
            // What nobody needs any more is dropped: the texts together may be far longer than the graph.
            graph.node(id as Id).operands(|a| {
                uses[a as usize] -= 1;
                if uses[a as usize] == 0 {
                    pieces[a as usize] = None;
                }
            });
        }
        let text =
            |id: &Id| pieces[*id as usize].as_ref().map_or(String::new(), |p| p.text.clone());
        let components = self.outputs.iter().map(text).collect();
        Printed { helpers, components, is_vector: self.outputs.len() != 1 }
    }
}

/// The shortest text that reads back as the same number.
fn digits(value: f64) -> String {
    match value {
        std::f64::consts::PI => "pi".to_owned(),
        std::f64::consts::E => "e".to_owned(),
        _ => {
            let text = format!("{value:?}");
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
    }
}

fn piece(graph: &Graph, id: Id, variables: &[String], pieces: &[Option<Piece>]) -> Piece {
    let mut depth = 0;
    graph.node(id).operands(|a| {
        depth = depth.max(pieces[a as usize].as_ref().map_or(0, |piece| piece.depth + 1));
    });
    let whole = |id: Id| pieces[id as usize].as_ref().map_or("", |piece| piece.text.as_str());
    let at_least = |id: Id, tightness: Tightness| match &pieces[id as usize] {
        Some(piece) if piece.tightness < tightness => format!("({})", piece.text),
        _ => whole(id).to_owned(),
    };
    let call = |name: &str, parts: &[Id]| {
        let parts: Vec<&str> = parts.iter().map(|id| whole(*id)).collect();
        (format!("{name}({})", parts.join(", ")), Atom)
    };
    let negative = |id: Id| graph.constant(id).filter(|value| value.is_sign_negative());
    let (text, tightness) = match graph.node(id) {
        Node::Number(bits) => {
            let value = f64::from_bits(bits);
            (digits(value), if value.is_sign_negative() { Negative } else { Atom })
        }
        Node::Variable(slot) => (variables[slot as usize].clone(), Atom),
        Node::Add(a, b) => match negative(b) {
            Some(value) => (format!("{} - {}", whole(a), digits(-value)), Sum),
            None => (format!("{} + {}", whole(a), at_least(b, Product)), Sum),
        },
        Node::Sub(a, b) => (format!("{} - {}", whole(a), at_least(b, Product)), Sum),
        Node::Mul(a, b) => (format!("{}*{}", at_least(a, Product), at_least(b, Power)), Product),
        Node::Div(a, b) => (format!("{}/{}", at_least(a, Product), at_least(b, Power)), Product),
        Node::Neg(a) => {
            let looser =
                pieces[a as usize].as_ref().map_or(Negative, |piece| piece.tightness.min(Negative));
            (format!("-{}", at_least(a, Product)), looser.max(Product))
        }
        Node::Integer(a, n) => (format!("{}^{n}", at_least(a, Atom)), Power),
        Node::Power(a, b) => (format!("{}^{}", at_least(a, Atom), at_least(b, Power)), Power),
        Node::Min(a, b) => call("min", &[a, b]),
        Node::Max(a, b) => call("max", &[a, b]),
        Node::Angle(y, x) => call("atan2", &[y, x]),
        Node::Apply(function, a) => match function.order() {
            Some(n) => (format!("{}({n}, {})", function.name(), whole(a)), Atom),
            None => call(function.name(), &[a]),
        },
        Node::Choose(comparison, [a, b, then, otherwise]) => {
            let symbol = comparison.symbol();
            let parts = [a, b, then, otherwise].map(whole);
            (format!("if({} {symbol} {}, {}, {})", parts[0], parts[1], parts[2], parts[3]), Atom)
        }
    };
    // Chains of sums and products are flat, whatever their length.
    let chain =
        matches!(graph.node(id), Node::Add(..) | Node::Sub(..) | Node::Mul(..) | Node::Div(..));
    let leaning = chain && !text.starts_with('(');
    let depth = if leaning { flat_depth(graph, id, pieces, depth) } else { depth };
    Piece { text, tightness, depth }
}

/// The nesting of a chain, whose left operand stands on the same level.
fn flat_depth(graph: &Graph, id: Id, pieces: &[Option<Piece>], bound: usize) -> usize {
    let mut depths = Vec::new();
    graph
        .node(id)
        .operands(|a| depths.push(pieces[a as usize].as_ref().map_or(0, |piece| piece.depth)));
    match depths[..] {
        [left, right] => left.max(right + 1),
        _ => bound,
    }
}
