//! What formulas say when they are wrong: each mistake with its place, what was expected, and what to write instead.

use driftproof::formula::{Mistake, Names, Position, Span};

fn table() -> Names {
    let mut names = Names::default();
    names.number("t").unwrap();
    names.number("speed").unwrap();
    names.vector("x", 3).unwrap();
    names.vector("y", 2).unwrap();
    names.constant("sigma", 2.0).unwrap();
    names.helper("drift", "-x").unwrap();
    names
}

/// Text, the part of it that is marked, and pieces of problem and hint.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    // Characters and numbers.
    ("", "", "is empty", "write 0"),
    ("  ", "  ", "is empty", "write 0"),
    ("t $ 2", "$", "'$' is not part of a formula", "numbers, names"),
    ("t**2", "**", "`**` is not part", "^"),
    ("2×t", "×", "`×` is not part", "write *"),
    ("t − 1", "−", "is not part", "plain minus sign"),
    ("t²", "²", "is not part", "^2"),
    ("cos(π*t)", "π", "is not part", "write pi"),
    ("t + σ", "σ", "is not part", "a-z"),
    ("if(t = 1, 2, 3)", "=", "`=` is not part", "=="),
    ("if(t > 0 && t < 1, 2, 3)", "&&", "is not part", "`and`"),
    ("if(t < 0 || t > 1, 2, 3)", "||", "is not part", "`or`"),
    ("t % 2", "%", "is not part", "floor"),
    ("1.2.3", "1.2.3", "two decimal points", "1.25"),
    ("1e999*t", "1e999", "too large", "1.79e308"),
    // Operators and parentheses.
    ("2t", "2t", "no operator between 2 and t", "2*t"),
    ("t speed", "t speed", "no operator between t and speed", "t*speed"),
    ("2(t + 1)", "2(", "no operator between 2 and (...)", "2*(...)"),
    ("(t + 1)(t - 1)", "(t + 1)(", "no operator between (t + 1) and (...)", "(t + 1)*(...)"),
    ("sin(t)cos(t)", "sin(t)cos", "no operator between sin(t) and cos", "sin(t)*cos"),
    ("2e", "2e", "no operator between 2 and e", "2*e"),
    ("t +", "", "the formula ends; expected a number, a name or `(`", "add what is missing"),
    ("* t", "*", "found `*`; expected a number", "delete the operator"),
    ("t + * 2", "*", "found `*`; expected a number", "add what is missing"),
    ("(t + 1", "(", "expected `)` to close `(`", "add `)`"),
    ("[t, 1", "[", "expected `]` to close `[`", "add `]`"),
    ("(t + 1]", "]", "found `]`; expected `)`", "add `)`"),
    ("t + 1)", ")", "`)` closes nothing", "delete it"),
    ("t, 1", ",", "outside of a call or a list", "[a, b]"),
    ("0..3", "..", "outside of a range", "sum(i in 0..3"),
    ("()", ")", "found `)`; expected a number", "add what is missing"),
    // Names.
    ("sped*t", "sped", "sped is not defined", "did you mean speed?"),
    ("Sigma", "Sigma", "Sigma is not defined", "did you mean sigma?"),
    ("quux + 1", "quux", "quux is not defined", "known names are t, speed, x, y, sigma, drift"),
    ("sine(t)", "sine", "there is no function sine", "did you mean sin(x)?"),
    ("ln(t)", "ln", "there is no function ln", "did you mean log(x)?"),
    ("arctan2(t, 1)", "arctan2", "there is no function", "atan2(y, x)"),
    ("pow(t, 2)", "pow", "there is no function pow", "x^y"),
    ("xyzzy(t)", "xyzzy", "there is no function", "functions are exp, log"),
    ("t(speed + 1)", "t", "t is not a function", "t*(...)"),
    ("x(1)", "x", "x is not a function", "x[i]"),
    ("sin t", "sin", "sin is a function; expected its arguments", "sin(x)"),
    ("2*atan2", "atan2", "atan2 is a function", "atan2(y, x)"),
    ("t + and", "and", "found `and`; expected a number", "word of the language"),
    // Arguments.
    ("sin()", "sin()", "sin takes 1 argument, found 0", "sin(x)"),
    ("exp(t, 2)", "exp(t, 2)", "exp takes 1 argument, found 2", "exp(x)"),
    ("atan2(t)", "atan2(t)", "atan2 takes 2 arguments, found 1", "atan2(y, x)"),
    ("min()", "min()", "min takes at least 1 argument, found 0", "min(a, b)"),
    (
        "if(t > 0, 1)",
        "if(t > 0, 1)",
        "if takes 3 arguments, found 2",
        "if(condition, then, otherwise)",
    ),
    ("bessel_ratio(0, t)", "0", "is 0; expected 1 to 100000", "I1/I0"),
    ("bessel_ratio(t, 1)", "t", "depends on a variable", "constants"),
    ("product(x)", "product(x)", "product takes an index and a range", "product(i in 0..3"),
    // Conditions.
    ("t + (t > 0)", "(t > 0)", "expected a number, found a condition", "if(condition, 1, 0)"),
    ("abs(t > 0)", "t > 0", "abs takes numbers, found a condition", "if(condition, 1, 0)"),
    ("t > 0", "t > 0", "expected a number, found a condition", "if(condition, 1, 0)"),
    ("if(t, 1, 2)", "t", "expected a condition", "t > 0|x > 0"),
    ("if(0 < t < 1, 1, 2)", "0 < t <", "cannot be chained", "0 < t and t < ..."),
    ("if(t > 0, x, y)", "x, y", "branches have 3 and 2 components", "same size"),
    ("if(t > 0, x, 1)", "x, 1", "branches have 3 and 1 components", "same size"),
    // Vectors.
    ("exp(x)", "x", "expected a number, found a vector with 3 components", "x[0]"),
    ("x*x", "x", "two vectors have no product", "dot(x, y)"),
    ("1/x", "x", "cannot divide by a vector", "norm(x)"),
    ("x^2", "x", "expected a number, found a vector", "x[0]"),
    ("x + y", "x + y", "a vector with 3 components and a vector with 2 components", "same size"),
    ("x + 1", "x + 1", "a vector with 3 components and a number", "same size"),
    ("dot(x, y)", "dot(x, y)", "vectors of one size, found 3 and 2", "same size"),
    ("norm(t)", "t", "expected a vector, found a number", "[a, b]"),
    ("t[0]", "t", "a number has no components", "delete the index"),
    ("x[3]", "3", "the index is 3; the vector has components 0 to 2", "counted from 0"),
    ("x[0 - 1]", "0 - 1", "the index is -1", "change the index"),
    ("x[0.5]", "0.5", "the index is 0.5; expected a whole number", "floor"),
    ("x[t]", "t", "the index depends on a variable", "index of a sum"),
    ("x[0][0]", "[", "only one index", "vector of its own"),
    ("[]", "[]", "no components", "[a, b]"),
    ("[x, x]", "x", "expected a number, found a vector", "x[0]"),
    // Sums.
    ("sum(i in 0..4, x[i])", "i", "the index is 3", "counted from 0"),
    ("sum(i 0..3, x[i])", "0", "expected `in` after the index i", "sum(i in 0..3"),
    ("sum(i in 0, x[i])", ",", "expected `..`", "0, 1, 2"),
    ("sum(i in 0..3 x[i])", "3 x", "no operator between 3 and x", "3*x"),
    ("sum(i in 0..3)", ")", "expected `,` after the range", "sum(i in 0..3"),
    ("sum(i in 3..0, x[i])", "3..0", "is descending", "smaller end first"),
    ("vector(i in 1..1, t)", "1..1", "is empty", "0..3"),
    ("sum(i in 0..t, t)", "t", "the end of the range depends on a variable", "constants"),
    ("sum(t in 0..3, t)", "t", "already the name of something else", "another letter"),
    ("sum(i in 0..2, sum(i in 0..2, i))", "i", "already the name", "another letter"),
    ("sum(pi in 0..3, pi)", "pi", "word of the language", "such as i"),
    ("sum(i in 0..3, i) + i", "i", "i is not defined", "pi"),
    ("sum(i in 0..9999999, t)", "t", "more than 524288 parts", "shorter ranges"),
    // Constants.
    ("t + 1/0", "1/0", "this constant part is inf; expected a finite value", "divisions by 0"),
    ("log(-sigma)*t", "log(-sigma)", "not a number; expected a finite", "domain"),
];

fn problem(text: &str) -> Mistake {
    match table().formula(text) {
        Ok(formula) => panic!("{text} is read as {formula}"),
        Err(mistake) => mistake,
    }
}

#[test]
fn every_mistake_has_its_place_its_reason_and_a_way_out() {
    for (text, marked, reason, hint) in MISTAKES {
        let mistake = problem(text);
        let found = &text[mistake.span.start..mistake.span.end];
        assert_eq!(found, *marked, "{text}: {mistake}");
        assert!(mistake.problem.contains(reason), "{text}: {mistake}");
        assert!(hint.split('|').any(|hint| mistake.hint.contains(hint)), "{text}: {mistake}");
        assert_eq!(mistake.helper, None);
    }
}

#[test]
fn deep_nesting_is_a_mistake() {
    let text = "(".repeat(101) + "t" + &")".repeat(101);
    let mistake = problem(&text);
    assert_eq!(mistake.span, Span::new(100, 101));
    assert!(mistake.problem.contains("more than 100 deep"), "{mistake}");
    let text = "(".repeat(99) + "t" + &")".repeat(99);
    assert_eq!(table().formula(&text).unwrap().to_string(), "t");
}

#[test]
fn cycles_are_named() {
    let mut names = table();
    names.helper("a", "t + b").unwrap();
    names.helper("b", "2*c").unwrap();
    names.helper("c", "1 + a^2").unwrap();
    names.helper("outside", "a + 1").unwrap();
    names.helper("self", "self + 1").unwrap();
    let mistake = names.formula("outside").unwrap_err();
    assert_eq!(mistake.problem, "helpers are defined by each other: a -> b -> c -> a");
    assert_eq!((mistake.helper.as_deref(), mistake.span), (Some("c"), Span::new(4, 5)));
    let mistake = names.formula("self").unwrap_err();
    assert_eq!(mistake.problem, "helpers are defined by each other: self -> self");
    assert_eq!((mistake.helper.as_deref(), mistake.span), (Some("self"), Span::new(0, 4)));
    assert!(names.formula("t + drift[0]").is_ok());
    assert!(names.check().unwrap_err().problem.contains("each other"));
}

#[test]
fn mistakes_in_helpers_say_which() {
    let mut names = table();
    let mistake = names.helper("bad", "2*(t").unwrap_err();
    assert_eq!((mistake.helper.as_deref(), mistake.span), (Some("bad"), Span::new(2, 3)));
    names.helper("late", "1 + sped").unwrap();
    let mistake = names.formula("t + late").unwrap_err();
    assert_eq!((mistake.helper.as_deref(), mistake.span), (Some("late"), Span::new(4, 8)));
    assert!(mistake.hint.contains("did you mean speed?"));
    // No formula uses it, but a check finds it.
    assert!(names.formula("t").is_ok());
    assert_eq!(names.check().unwrap_err().helper.as_deref(), Some("late"));
}

#[test]
fn wrong_names_are_mistakes() {
    let mut names = table();
    for (name, reason) in [
        ("", "is not a name"),
        ("2x", "is not a name"),
        ("a b", "is not a name"),
        ("σ", "is not a name"),
        ("x[0]", "is not a name"),
        ("sin", "word of the language"),
        ("e", "word of the language"),
        ("in", "word of the language"),
        ("if", "word of the language"),
        ("t", "defined twice"),
        ("drift", "defined twice"),
    ] {
        let mistake = names.number(name).unwrap_err();
        assert!(mistake.problem.contains(reason), "{name}: {mistake}");
        assert_eq!(mistake.span, Span::new(0, name.len()));
        assert!(names.helper(name, "1").is_err());
    }
    assert!(names.vector("empty", 0).unwrap_err().problem.contains("0 components"));
    assert!(names.vector("huge", usize::MAX).unwrap_err().hint.contains("65536"));
    assert!(names.constant("c", f64::NAN).unwrap_err().problem.contains("NaN"));
    assert!(names.number("e1").is_ok());
}

#[test]
fn places_are_counted_as_editors_do() {
    let text = "1 +\n  é + sped";
    let mistake = problem("1 +\n  2 + sped");
    let origin = Position { line: 12, column: 9 };
    assert_eq!(mistake.span.position("1 +\n  2 + sped", origin), Position { line: 13, column: 7 });
    // A column is a character, not a byte.
    let at = text.find("sped").unwrap();
    assert_eq!(Span::new(at, at + 4).position(text, origin), Position { line: 13, column: 7 });
    assert_eq!(Span::new(0, 1).position(text, origin), origin);
}

#[test]
fn mistakes_become_errors_of_bad_input() {
    let error = problem("2t").into_error("world.toml:3:9");
    assert!(error.is_input());
    let shown = error.to_string();
    assert_eq!(
        shown,
        "world.toml:3:9: no operator between 2 and t\n  try: write the multiplication out: 2*t"
    );
}
