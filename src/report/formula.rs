//! Formulas as they are written in text, `l ≤ (γ + √(γ² − 4κη))/(2η)` → LaTeX.

/// Names of functions, set upright.
const FUNCTIONS: &[&str] = &[
    "arccot", "arcosh", "arcsin", "arctan", "artanh", "atan", "cos", "cosh", "cot", "coth", "cov",
    "Cov", "det", "diag", "dim", "dist", "div", "erf", "erfc", "exp", "grad", "id", "ierfc", "ker",
    "log", "ln", "max", "median", "min", "range", "rank", "rch", "sign", "sin", "sinh", "span",
    "sup", "supp", "tan", "tanh", "tr", "vol",
];

/// LaTeX of a formula in Unicode: raised and lowered letters, roots, accents, matrices `[[a, b], [c, d]]`, names of
/// functions and of indices upright, `|` between blanks as "given", several blanks as a wide one.
///
/// LaTeX stays what it is. Braces group in formulas with a command of LaTeX and after `_` and `^`; elsewhere they are
/// those of a set.
pub fn latex(formula: &str) -> String {
    Reader { rest: formula, grouping: formula.contains('\\') }.all()
}

struct Reader<'a> {
    rest: &'a str,
    /// Whether braces are those of LaTeX.
    grouping: bool,
}

impl<'a> Reader<'a> {
    fn all(mut self) -> String {
        let mut out = String::with_capacity(2 * self.rest.len());
        while let Some(next) = self.peek() {
            self.piece(next, &mut out);
        }
        out
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    /// What stands between a bracket, which comes next, and its partner, or the end.
    fn bracketed(&mut self, open: char, close: char) -> &'a str {
        let mut depth = 0;
        let end = self.rest.char_indices().find(|(_, c)| {
            depth += i32::from(*c == open) - i32::from(*c == close);
            depth == 0
        });
        let (start, end) = (open.len_utf8(), end.map_or(self.rest.len(), |(at, _)| at));
        let inside = &self.rest[start..end.max(start)];
        self.rest = self.rest.get(end + close.len_utf8()..).unwrap_or_default();
        inside
    }

    fn nested(&self, inside: &str) -> String {
        Reader { rest: inside, grouping: self.grouping }.all()
    }

    fn piece(&mut self, next: char, out: &mut String) {
        if superscript(next).is_some() {
            let raised = self.take_while(|c| superscript(c).is_some());
            let raised: String = raised.chars().filter_map(superscript).collect();
            return out.push_str(&format!("^{{{raised}}}"));
        }
        if subscript(next).is_some() {
            let lowered = self.take_while(|c| subscript(c).is_some());
            let lowered: String = lowered.chars().filter_map(subscript).collect();
            return out.push_str(&format!("_{{{lowered}}}"));
        }
        if self.rest.starts_with("[[") {
            return self.matrix(out);
        }
        match next {
            '\\' => {
                out.push_str(self.take(1));
                match self.peek() {
                    Some(c) if c.is_ascii_alphabetic() => {
                        out.push_str(self.take_while(|c| c.is_ascii_alphabetic()));
                    }
                    Some(c) => out.push_str(self.take(c.len_utf8())),
                    None => {}
                }
            }
            '_' | '^' => {
                out.push_str(self.take(1));
                out.push_str(&self.index());
            }
            '√' => {
                self.take(next.len_utf8());
                let inside = match self.peek() {
                    Some('(') => self.bracketed('(', ')'),
                    Some('{') if self.grouping => self.bracketed('{', '}'),
                    _ => self.atom(),
                };
                out.push_str(&format!("\\sqrt{{{}}}", self.nested(inside)));
            }
            c if c.is_ascii_alphabetic() => self.word(out),
            c if c.is_whitespace() => {
                let blank = self.take_while(char::is_whitespace);
                let wide = blank.len() > 1 && !blank.contains('\n');
                let given = out.ends_with(|c| c != ' ') && self.rest.starts_with("| ");
                out.push_str(if wide { "\\quad " } else { " " });
                if given {
                    self.take(1);
                    out.push_str("\\mid");
                }
            }
            '{' | '}' if !self.grouping => {
                out.push('\\');
                out.push_str(self.take(1));
            }
            'Σ' if self.rest.starts_with("Σ_") => self.replace(next, "\\sum", out),
            'Ã' => self.replace(next, "\\tilde{A}", out),
            '½' => self.replace(next, "\\tfrac{1}{2}", out),
            '…' => self.replace(next, "\\dots ", out),
            '⋯' => self.replace(next, "\\cdots ", out),
            '·' => self.replace(next, "\\cdot ", out),
            '~' => self.replace(next, "\\sim ", out),
            '*' => self.replace(next, "^{*}", out),
            '%' if !self.grouping => self.replace(next, "\\%", out),
            c => self.replace(c, c.encode_utf8(&mut [0; 4]), out),
        }
    }

    fn replace(&mut self, next: char, by: &str, out: &mut String) {
        self.take(next.len_utf8());
        match self.accent() {
            Some(accent) => out.push_str(&format!("{accent}{{{by}}}")),
            None => out.push_str(by),
        }
    }

    /// A combining mark that comes next.
    fn accent(&mut self) -> Option<&'static str> {
        let accent = match self.peek()? {
            '\u{302}' => "\\hat",
            '\u{303}' => "\\tilde",
            '\u{304}' => "\\bar",
            _ => return None,
        };
        self.take(2);
        Some(accent)
    }

    /// A letter or number with its index.
    fn atom(&mut self) -> &'a str {
        let all = self.rest;
        self.take_while(char::is_alphanumeric);
        if self.rest.starts_with('_') {
            self.take(1);
            match self.peek() {
                Some('{') => _ = self.bracketed('{', '}'),
                _ => _ = self.take_while(char::is_alphanumeric),
            }
        }
        &all[..all.len() - self.rest.len()]
    }

    /// What follows `_` or `^`, in braces.
    fn index(&mut self) -> String {
        match self.peek() {
            None | Some('\\') => String::new(),
            Some('{') => {
                let inside = self.bracketed('{', '}');
                format!("{{{}}}", self.nested(inside))
            }
            Some(c) if c.is_ascii_alphabetic() => {
                let word = self.take_while(|c| c.is_ascii_alphabetic());
                // Blocks and running indices are symbols, other words are names.
                let symbols = word.len() == 1
                    || word.chars().all(|c| "TN".contains(c))
                    || word.chars().all(|c| "ijk".contains(c));
                match symbols {
                    true => format!("{{{word}}}"),
                    false => format!("{{\\mathrm{{{word}}}}}"),
                }
            }
            Some(c) if c.is_ascii_digit() => {
                format!("{{{}}}", self.take_while(|c| c.is_ascii_digit()))
            }
            Some(c) => format!("{{{}}}", self.take(c.len_utf8())),
        }
    }

    fn word(&mut self, out: &mut String) {
        let word = self.take_while(|c| c.is_ascii_alphabetic());
        if FUNCTIONS.contains(&word) {
            out.push_str(&format!("\\operatorname{{{word}}}"));
        } else if word == "II" {
            out.push_str("\\mathrm{II}");
        } else if let Some(accent) = self.accent() {
            let (before, last) = word.split_at(word.len() - 1);
            out.push_str(&format!("{before}{accent}{{{last}}}"));
        } else {
            out.push_str(word);
        }
    }

    /// `[[a, b], [c, d]]`.
    fn matrix(&mut self, out: &mut String) {
        let mut inside = Reader { rest: self.bracketed('[', ']'), grouping: self.grouping };
        let mut rows = Vec::new();
        while inside.rest.starts_with('[') {
            let row = inside.bracketed('[', ']');
            rows.push(row.split(", ").map(|entry| self.nested(entry)).collect::<Vec<_>>());
            inside.take_while(|c| ", ".contains(c));
        }
        let rows: Vec<String> = rows.iter().map(|row| row.join(" & ")).collect();
        out.push_str(&format!("\\begin{{pmatrix}}{}\\end{{pmatrix}}", rows.join(" \\\\ ")));
    }
}

fn superscript(c: char) -> Option<char> {
    Some(match c {
        '⁰' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁴'..='⁹' => char::from_digit(c as u32 - '⁴' as u32 + 4, 10)?,
        '⁺' => '+',
        '⁻' => '-',
        'ⁿ' => 'n',
        'ᵀ' => 'T',
        _ => return None,
    })
}

fn subscript(c: char) -> Option<char> {
    Some(match c {
        '₀'..='₉' => char::from_digit(c as u32 - '₀' as u32, 10)?,
        '₊' => '+',
        '₋' => '-',
        'ᵢ' => 'i',
        'ⱼ' => 'j',
        'ₖ' => 'k',
        'ₘ' => 'm',
        'ₙ' => 'n',
        'ₜ' => 't',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::latex;

    #[test]
    fn raised_and_lowered_signs_become_indices() {
        assert_eq!(latex("x⁻¹⁰ + x₁₂ + λᵢ"), "x^{-10} + x_{12} + λ_{i}");
        assert_eq!(latex("U_{k+1}ᵀ dF⁻ᵀ ⟨δ,n⟩₊^{k+1}"), "U_{k+1}^{T} dF^{-T} ⟨δ,n⟩_{+}^{k+1}");
        assert_eq!(latex("y_- ≤ y_∓, t*"), "y_{-} ≤ y_{∓}, t^{*}");
    }

    #[test]
    fn names_are_upright_and_symbols_are_not() {
        assert_eq!(latex("λ_max(C)"), "λ_{\\mathrm{max}}(C)");
        assert_eq!(latex("J^k_TT + R_kk + κ_on"), "J^{k}_{TT} + R_{kk} + κ_{\\mathrm{on}}");
        assert_eq!(
            latex("tan θ + dist(E, M)"),
            "\\operatorname{tan} θ + \\operatorname{dist}(E, M)"
        );
        assert_eq!(latex("s^{min(0, p−1)}"), "s^{\\operatorname{min}(0, p−1)}");
    }

    #[test]
    fn a_root_covers_its_bracket_or_its_letter_with_its_index() {
        assert_eq!(latex("√(γ² − 4κη)/2"), "\\sqrt{γ^{2} − 4κη}/2");
        assert_eq!(latex("√((a) + √(b))"), "\\sqrt{(a) + \\sqrt{b}}");
        assert_eq!(latex("√λ_i + √Δ (τ)"), "\\sqrt{λ_{i}} + \\sqrt{Δ} (τ)");
    }

    #[test]
    fn accents_matrices_sets_sums_and_conditions() {
        assert_eq!(latex("Ã_NT + r\u{304} + λ\u{302}"), "\\tilde{A}_{NT} + \\bar{r} + \\hat{λ}");
        assert_eq!(latex("[[0, −η], [κ, −γ]]"), "\\begin{pmatrix}0 & −η \\\\ κ & −γ\\end{pmatrix}");
        assert_eq!(latex("{x : |x| ≤ 1}"), "\\{x : |x| ≤ 1\\}");
        assert_eq!(latex("Σ_{i≤k} Σ"), "\\sum_{i≤k} Σ");
        assert_eq!(latex("E[X | y]"), "E[X \\mid y]");
    }

    #[test]
    fn latex_stays_what_it_is() {
        for formula in ["\\frac{a}{b}_{c}", "\\tan θ", "x_\\perp", "\\{x\\}"] {
            assert_eq!(latex(formula).replace("{c}", "c"), formula.replace("{c}", "c"));
        }
    }
}
