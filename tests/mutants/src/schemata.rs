//! One file of source with all its mutants inside, each behind the switch.
//!
//! A mutant of cargo-mutants is a stretch of text and its replacement. Its site is the smallest
//! piece of syntax in which a choice can stand: a whole chain of operators (so that precedence is
//! that of the replaced text), a match, a guard, a struct expression, a function body.

use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Stmt};

/// What cargo-mutants lists, with its place in the file in bytes.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its number, from 1.
    pub number: usize,
    pub genre: String,
    pub span: Range<usize>,
    pub replacement: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Body,
    Guard,
    /// A statement of its own: no parentheses around it.
    MatchStatement,
    Match,
    Struct,
    Operators,
}

impl Kind {
    fn carries(self, genre: &str) -> bool {
        match genre {
            "FnValue" => self == Kind::Body,
            "MatchArmGuard" => self == Kind::Guard,
            "MatchArm" => matches!(self, Kind::Match | Kind::MatchStatement),
            "StructField" => self == Kind::Struct,
            _ => self == Kind::Operators,
        }
    }
}

/// A rewritten file: its text, where each mutant stands in it, and the site of each.
#[derive(Default)]
pub struct Rewritten {
    pub text: String,
    pub alternatives: Vec<(Range<usize>, usize)>,
    pub sites: Vec<(usize, usize)>,
    /// Mutants whose text does not parse.
    pub broken: Vec<usize>,
}

/// Rewrites `source` with these mutants; sites are numbered from `first_site`.
pub fn rewrite(source: &str, mutants: &[Mutant], first_site: &mut usize) -> Rewritten {
    let file = syn::parse_file(source).expect("the source parses");
    let mut finder = Finder::default();
    finder.visit_file(&file);
    let mut found: Vec<(Range<usize>, Kind, Vec<&Mutant>)> =
        finder.sites.into_iter().map(|(range, kind)| (range, kind, Vec::new())).collect();
    for mutant in mutants {
        let holds =
            |range: &Range<usize>| range.start <= mutant.span.start && mutant.span.end <= range.end;
        let sites = found.iter_mut().filter(|s| s.1.carries(&mutant.genre) && holds(&s.0));
        // None in constants, which no run-time switch can change.
        if let Some(site) = sites.min_by_key(|site| site.0.len()) {
            site.2.push(mutant);
        }
    }
    found.retain(|site| !site.2.is_empty());
    found.sort_by_key(|(range, kind, _)| (range.start, std::cmp::Reverse(range.end), *kind));
    let mut out = Rewritten::default();
    let mut queue = found.into_iter().peekable();
    emit(source, 0..source.len(), &mut queue, first_site, &mut out);
    out
}

type Sites<'a> = std::iter::Peekable<std::vec::IntoIter<(Range<usize>, Kind, Vec<&'a Mutant>)>>;

fn emit(
    source: &str,
    range: Range<usize>,
    queue: &mut Sites<'_>,
    next: &mut usize,
    out: &mut Rewritten,
) {
    let mut at = range.start;
    while let Some((span, kind, mutants)) = queue.next_if(|site| site.0.end <= range.end) {
        let site = *next;
        *next += 1;
        out.text.push_str(&source[at..span.start]);
        at = span.end;
        let mut alternatives = Vec::new();
        for mutant in mutants {
            let text = [
                &source[span.start..mutant.span.start],
                &mutant.replacement,
                &source[mutant.span.end..span.end],
            ]
            .concat();
            // The value of a function may be of any form that parses; the compiler judges it.
            let text = if kind == Kind::Body { mutant.replacement.clone() } else { text };
            match syn::parse_str::<Expr>(&text) {
                Ok(_) => alternatives.push((mutant.number, text)),
                Err(_) => out.broken.push(mutant.number),
            }
        }
        let body = kind == Kind::Body;
        let bare = body || kind == Kind::MatchStatement;
        let (open, close) = if bare { ("", "") } else { ("(", ")") };
        out.text += &format!("{open}match crate::mutant_switch::at({site}) {{ 0 => {{");
        if !body {
            // At the head of a block `match … {} * x` would be read as a statement and a dereference.
            out.text.push('(');
            emit(source, span.clone(), queue, next, out);
            out.text.push(')');
        }
        for (number, text) in alternatives {
            let (before, after) = if body { ("return ", "") } else { ("(", ")") };
            // A line of its own, which is what the compiler quotes.
            out.text += &format!("}} {number} => {{{before}\n");
            out.alternatives.push((out.text.len()..out.text.len() + text.len(), number));
            out.sites.push((number, site));
            out.text += &format!("{text}\n{after}");
        }
        out.text += &format!("}} _ => unreachable!() }}{close}");
        if body {
            out.text.push(' ');
            emit(source, span, queue, next, out);
        }
    }
    out.text.push_str(&source[at..range.end]);
}

/// Finds where a choice can stand. Constants and patterns are passed over.
#[derive(Default)]
struct Finder {
    sites: Vec<(Range<usize>, Kind)>,
    in_chain: bool,
}

impl Finder {
    fn site(&mut self, node: &impl Spanned, kind: Kind) {
        self.sites.push((node.span().byte_range(), kind));
    }

    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        if signature.constness.is_some() {
            return;
        }
        // Two values of one `impl Trait` are of two types.
        let opaque = signature.output.span().source_text().is_some_and(|t| t.contains("impl "));
        if let (Some(first), Some(last), false) = (block.stmts.first(), block.stmts.last(), opaque)
        {
            let range = first.span().byte_range().start..last.span().byte_range().end;
            self.sites.push((range, Kind::Body));
        }
        self.visit_block(block);
    }
}

/// `if let … && …` binds names, and cannot be moved into a choice as a whole.
fn binds(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(b) => binds(&b.left) || binds(&b.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        let chained =
            matches!(expr, Expr::Binary(_) | Expr::Unary(_) | Expr::Cast(_)) && !binds(expr);
        if chained && !self.in_chain {
            self.site(expr, Kind::Operators);
        }
        let outer = std::mem::replace(&mut self.in_chain, chained);
        match expr {
            Expr::Match(_) => self.site(expr, Kind::Match),
            Expr::Struct(_) => self.site(expr, Kind::Struct),
            _ => (),
        }
        visit::visit_expr(self, expr);
        self.in_chain = outer;
    }

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        let before = self.sites.len();
        visit::visit_stmt(self, stmt);
        if let Stmt::Expr(Expr::Match(_), None) = stmt {
            self.sites[before].1 = Kind::MatchStatement;
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let Some((_, guard)) = &arm.guard {
            self.site(guard, Kind::Guard);
        }
        visit::visit_arm(self, arm);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.body(&item.sig, &item.block);
    }
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.body(&item.sig, &item.block);
    }
    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(&item.sig, block);
        }
    }
    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_angle_bracketed_generic_arguments(
        &mut self,
        _: &'ast syn::AngleBracketedGenericArguments,
    ) {
    }
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
}
