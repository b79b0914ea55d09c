//! The language of formulas: precedence, functions, vectors, helpers, on every number type.

use driftproof::formula::{Formula, Mistake, Names, Workspace};
use driftproof::scalar::{Scalar, SecondTangents, Tangents};
use driftproof::special::bessel_ratio_taylor;
use nalgebra::SVector;
use num_dual::{Derivative, Dual};

/// Rounding of a handful of operations.
const ROUNDING: f64 = 4e-15;

fn table() -> Names {
    let mut names = Names::default();
    names.number("x").unwrap();
    names.number("y").unwrap();
    names.vector("v", 3).unwrap();
    names.vector("w", 3).unwrap();
    names
}

/// x, y, v and w.
const POINT: [f64; 8] = [0.7, -1.3, 1.0, 2.0, 4.0, 0.5, -0.25, 3.0];

fn value(text: &str) -> f64 {
    let formula = table().formula(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
    assert_eq!(formula.dim(), 1, "{text}");
    formula.values(&POINT)[0]
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= ROUNDING * (a.abs() + b.abs() + 1e-300) || (a.is_nan() && b.is_nan())
}

#[track_caller]
fn same(text: &str, expected: f64) {
    let found = value(text);
    assert!(close(found, expected), "{text}: {found} in place of {expected}");
}

#[test]
fn precedence_is_that_of_mathematics() {
    let (x, y) = (POINT[0], POINT[1]);
    for (text, expected) in [
        ("-x^2", -(x * x)),
        ("(-x)^2", x * x),
        ("2^3^2", 512.0),
        ("(2^3)^2", 64.0),
        ("2^-1", 0.5),
        ("2^-x^2", 2f64.powf(-(x * x))),
        ("-2^-2", -0.25),
        ("1e-3*x", 1e-3 * x),
        ("1E3*x", 1e3 * x),
        (".5*x", 0.5 * x),
        ("5.*x", 5.0 * x),
        ("1 - 2 - 3", -4.0),
        ("1 - (2 - 3)", 2.0),
        ("8/4/2", 1.0),
        ("8/(4/2)", 4.0),
        ("2*3/4*5", 7.5),
        ("x + y*x", x + y * x),
        ("x - y*x^2", x - y * x * x),
        ("2*-x", -2.0 * x),
        ("x - -y", x + y),
        ("+x", x),
        ("--x", x),
        ("-x*y", -(x * y)),
        ("-x/y", -(x / y)),
        ("x^2*y", x * x * y),
        ("x/y^2", x / (y * y)),
        ("x/y*x", x / y * x),
        ("v[1]^2", 4.0),
        ("-v[1]^2", -4.0),
        ("2^v[2]", 16.0),
        ("if(x < y or x > 0 and y < 0, 1, 2)", 1.0),
        ("if((x < y or x > 0) and y > 0, 1, 2)", 2.0),
        ("if(not x < y and y < 0, 1, 2)", 1.0),
        ("if(not (x < y or y < 0), 1, 2)", 2.0),
        ("if(x + 1 < 2*y + 5, 1, 2)", 1.0),
    ] {
        same(text, expected);
    }
}

#[test]
fn every_comparison_compares() {
    for (text, outcomes) in [
        ("<", [1.0, 0.0, 0.0]),
        ("<=", [1.0, 1.0, 0.0]),
        (">", [0.0, 0.0, 1.0]),
        (">=", [0.0, 1.0, 1.0]),
        ("==", [0.0, 1.0, 0.0]),
        ("!=", [1.0, 0.0, 1.0]),
    ] {
        let formula = table().formula(&format!("if(x {text} y, 1, 0)")).unwrap();
        let mut point = POINT;
        for (x, outcome) in [-2.0, -1.3, 5.0].into_iter().zip(outcomes) {
            point[0] = x;
            assert_eq!(formula.values(&point), [outcome], "{x} {text} -1.3");
        }
    }
}

type Plain = fn(f64) -> f64;

/// Every function of one number with its counterpart of libm, or its definition by such.
const FUNCTIONS: &[(&str, Plain)] = &[
    ("exp", libm::exp),
    ("log", libm::log),
    ("sqrt", libm::sqrt),
    ("sin", libm::sin),
    ("cos", libm::cos),
    ("tan", libm::tan),
    ("asin", libm::asin),
    ("acos", libm::acos),
    ("atan", libm::atan),
    ("sinh", libm::sinh),
    ("cosh", libm::cosh),
    ("tanh", libm::tanh),
    ("expm1", libm::expm1),
    ("log1p", libm::log1p),
    ("erf", libm::erf),
    ("abs", libm::fabs),
    ("floor", libm::floor),
    ("sign", |x| if x == 0.0 { 0.0 } else { libm::copysign(1.0, x) }),
    ("sigmoid", |x| 0.5 + 0.5 * libm::tanh(x / 2.0)),
    ("softplus", |x| libm::fmax(x, 0.0) + libm::log1p(libm::exp(-libm::fabs(x)))),
];

#[test]
fn functions_equal_those_of_libm() {
    let names = table();
    for (name, plain) in FUNCTIONS {
        let formula = names.formula(&format!("{name}(x)")).unwrap();
        for x in [-3.0, -0.9, -0.1, -1e-9, 0.0, 1e-12, 0.3, 0.999, 1.5, 20.0] {
            let mut point = POINT;
            point[0] = x;
            let (found, expected) = (formula.values(&point)[0], plain(x));
            if expected.is_nan() {
                assert!(found.is_nan(), "{name}({x}) = {found}");
                continue;
            }
            // sigmoid by tanh cancels; the others differ by the last bits of two libraries.
            let size = if *name == "sigmoid" { 1.0 } else { expected.abs() };
            assert!(
                found == expected || (found - expected).abs() <= ROUNDING * size,
                "{name}({x}): {found}, {expected}"
            );
        }
    }
}

#[test]
fn functions_of_two_numbers_equal_those_of_libm() {
    for (text, expected) in [
        ("atan2(x, y)", libm::atan2(0.7, -1.3)),
        ("atan2(y, x)", libm::atan2(-1.3, 0.7)),
        ("atan2(0, y)", std::f64::consts::PI),
        ("x^2.5", libm::pow(0.7, 2.5)),
        ("x^y", libm::pow(0.7, -1.3)),
        ("3^y", libm::pow(3.0, -1.3)),
        ("x^0.5", libm::sqrt(0.7)),
        ("y^3", -1.3 * 1.3 * 1.3),
        ("y^-3", -1.0 / (1.3 * 1.3 * 1.3)),
        ("y^10", libm::pow(1.3, 10.0)),
        ("min(x, y)", -1.3),
        ("max(x, y, 5)", 5.0),
        ("min(v)", 1.0),
        ("max(w)", 3.0),
        ("pi", std::f64::consts::PI),
        ("e^x", libm::exp(0.7)),
    ] {
        same(text, expected);
    }
}

#[test]
fn bessel_ratios_have_their_closed_forms() {
    let langevin = 1.0 / libm::tanh(2.5) - 1.0 / 2.5; // A_3
    same("bessel_ratio(3, 2.5)", langevin);
    same("bessel_ratio(3, -2.5)", -langevin);
    same("bessel_ratio(1, x)", libm::tanh(0.7)); // A_1
    same("bessel_ratio(2, 0)", 0.0);
    same("bessel_quotient(2, x)", bessel_ratio_taylor(2, 0.7)[0]);
    // I1(1)/I0(1) by their power series, 0.565159103992485/1.26606587775201.
    let series = |first: usize| -> f64 {
        let mut term = if first == 0 { 1.0 } else { 0.5 };
        let mut sum = term;
        for k in 1..30 {
            term *= 0.25 / (k * (k + first)) as f64;
            sum += term;
        }
        sum
    };
    same("bessel_ratio(2, 1)", series(1) / series(0));
}

#[test]
fn vectors_and_sums_mean_what_they_say() {
    for (text, expected) in [
        ("dot(v, w)", 0.5 - 0.5 + 12.0),
        ("norm2(v)", 21.0),
        ("norm(v)", 21f64.sqrt()),
        ("sum(v)", 7.0),
        ("sum(i in 0..3, v[i])", 7.0),
        ("sum(i in 1..3, v[i])", 6.0),
        ("sum(i in 0..0, v[i])", 0.0),
        ("sum(i in 0..3, i*v[i])", 10.0),
        ("sum(i in 0..3, sum(j in 0..i, v[i]*w[j]))", 2.0 * 0.5 + 4.0 * 0.25),
        ("product(i in 0..3, v[i])", 8.0),
        ("product(i in 1..6, i)", 120.0),
        ("v[3 - 1]", 4.0),
        ("(v + w)[2]", 7.0),
        ("[x, y, 3][2]", 3.0),
        ("norm2(2*v - w/0.5)", 1.0 + 4.5 * 4.5 + 4.0),
        ("dot(-v, [1, 1, 1])", -7.0),
        ("sum(vector(i in 0..3, v[i]^2))", 21.0),
        ("sum(if(x > 0, v, w))", 7.0),
        ("sum(i in 0..3, if(i == 0, 0, v[i]/i))", 2.0 + 2.0),
        ("sum(i in 0..3, if(i > 0, v[i - 1], 10))", 13.0),
        ("sum(i in 0..3, if(i > 0 and v[i - 1] > 1.5, 1, 0))", 1.0),
        ("sum(i in 0..3, if(i == 0 or 1/i > 0.7, 1, 0))", 2.0),
    ] {
        same(text, expected);
    }
    assert_eq!(table().formula("2*v").unwrap().values(&POINT), [2.0, 4.0, 8.0]);
    assert_eq!(table().formula("[x]").unwrap().dim(), 1);
}

#[test]
fn helpers_come_in_any_order() {
    let mut names = Names::default();
    names.helper("total", "kinetic + well").unwrap();
    names.helper("well", "depth*norm2(shifted)").unwrap();
    names.helper("shifted", "x - centre").unwrap();
    names.helper("centre", "[1, -depth]").unwrap();
    names.number("p").unwrap();
    names.vector("x", 2).unwrap();
    names.helper("kinetic", "p^2/(2*mass)").unwrap();
    names.constant("mass", 2.0).unwrap();
    names.constant("depth", 3.0).unwrap();
    let formula = names.formula("total + mass").unwrap();
    // p²/4 + 3 ((x0 − 1)² + (x1 + 3)²) + 2
    assert_eq!(formula.values(&[4.0, 2.0, -1.0]), [4.0 + 3.0 * (1.0 + 4.0) + 2.0]);
    assert_eq!(names.slots_of("x"), Some(1..3));
    assert_eq!(names.slots_of("mass"), None);
}

#[test]
fn long_chains_of_helpers_are_no_recursion() {
    let mut names = Names::default();
    names.number("x").unwrap();
    names.helper("h0", "x + 1").unwrap();
    for i in 1..3000 {
        names.helper(&format!("h{i}"), &format!("h{} + 1", i - 1)).unwrap();
    }
    assert_eq!(names.formula("h2999").unwrap().values(&[0.0]), [3000.0]);
    names.check().unwrap();
}

#[test]
fn doubling_helpers_are_evaluated_once() {
    // Written out this has 2^60 leaves; with equal parts as one it has 120 nodes.
    let mut names = Names::default();
    names.number("x").unwrap();
    names.helper("h0", "sin(x)").unwrap();
    for i in 1..60 {
        names.helper(&format!("h{i}"), &format!("sin(h{0})*cos(h{0}) + h{0}", i - 1)).unwrap();
    }
    let formula = names.formula("h59").unwrap();
    let expected = (1..60).fold(0.4f64.sin(), |h, _| h.sin() * h.cos() + h);
    assert!(close(formula.values(&[0.4])[0], expected));
    assert!(formula.derivative(0).values(&[0.4])[0].is_finite());
    // And printed with helpers it is no longer than that either.
    assert!(formula.derivative(0).to_string().len() < 2_000_000);
}

/// Formulas that use everything, smooth at POINT.
const RICH: &[&str] = &[
    "x^3*y - 2*x/y + 1/x",
    "exp(-x^2)*sin(y) + cos(x*y)/tan(x)",
    "asin(x) + acos(x/2) + atan(y)",
    "sinh(x)*cosh(y) - tanh(x*y)",
    "expm1(x) + log1p(x) + log(x) + sqrt(x)",
    "sigmoid(3*x)*softplus(-y) + erf(x - y)",
    "abs(y)*sign(y) + floor(3*x)*x",
    "min(x, y^2, 3) + max(v) - max(x, y)",
    "atan2(y, x) + atan2(v[0], -w[0]) + atan2(x, 0*y)",
    "x^2.5 + x^y + 2^x + x^-2.5",
    "bessel_ratio(2, x) + bessel_ratio(3, 3*y) + bessel_quotient(4, x)",
    "dot(v, w)/norm(v) + norm2(w - v)",
    "sum(i in 0..3, exp(-(v[i] - w[i])^2/2))",
    "if(x < y, x*y, if(y < 0, x^2, y^2)) + (x - y)^7",
    "2*(x - y) - 3*(y - x*y) + (3 - x)*4 + x/5 + 6/y",
];

fn lanes(point: &[f64]) -> Vec<Tangents> {
    let lane = |(i, value): (usize, &f64)| {
        let mut eps = SVector::<f64, 8>::zeros();
        eps[i] = 1.0;
        Tangents::new(*value, Derivative::some(eps))
    };
    point.iter().enumerate().map(lane).collect()
}

fn agree<S: Scalar>(lift: impl Fn(&[f64]) -> Vec<S>) {
    let names = table();
    for text in RICH {
        let formula = names.formula(text).unwrap();
        let (plain, carried) = (formula.values(&POINT)[0], formula.values(&lift(&POINT))[0].re());
        // The powers and quotients of duals round a few times more.
        assert!(
            (plain - carried).abs() <= 1e-14 * (1.0 + plain.abs()),
            "{text}: {plain}, {carried}"
        );
    }
}

#[test]
fn values_equal_the_value_part_of_every_carrier() {
    agree(|point| point.iter().map(|x| Dual::new(*x, 1.0)).collect());
    agree(lanes);
    agree(|point| {
        lanes(point).into_iter().map(|x| SecondTangents::new(x, Tangents::from(1.0))).collect()
    });
    agree(|point| {
        point
            .iter()
            .map(|x| Dual::new(Dual::new(Dual::new(*x, 1.0), Dual::new(1.0, 0.5)), Dual::from(0.2)))
            .collect()
    });
}

#[test]
fn derivatives_survive_where_those_of_plain_duals_fail() {
    let names = table();
    for (text, x, expected) in [
        ("tanh(x)", 800.0, 0.0),
        ("sigmoid(x)", -800.0, 0.0),
        ("softplus(x)", 800.0, 1.0),
        ("x^1.5", 0.0, 0.0),
        ("x^2", 0.0, 0.0),
        ("x^3", 0.0, 0.0),
        ("x^-1", 1e-80, -1e160),
        ("x^2.0000000000000004", 3.0, 6.0),
        ("atan2(1, x)", 0.0, -1.0),
        ("if(x > 0, sqrt(x), 0)", -1.0, 0.0),
        ("bessel_ratio(2, x)", 0.0, 0.5),
    ] {
        let formula = names.formula(text).unwrap();
        let mut point = POINT.map(Dual::from);
        point[0] = Dual::new(x, 1.0);
        let slope = formula.values(&point)[0].eps;
        assert!((slope - expected).abs() <= 1e-13 * expected.abs(), "{text} at {x}: {slope}");
    }
}

#[test]
fn what_is_unknown_is_not_the_other_branch() {
    for text in [
        "if(log(y) < 1, 1, 2)",
        "if(not log(y) < 1, 1, 2)",
        "min(1, log(y))",
        "max(log(y), 1)",
        "if(log(y) < 1 or x > 0, 1, 2)",
    ] {
        assert!(value(text).is_nan(), "{text}");
    }
    // But a branch that is not taken may be undefined.
    same("if(y > 0, log(y), 5)", 5.0);
}

#[test]
fn kinks_are_listed_with_their_places() {
    let mut names = table();
    names.helper("bent", "2*max(x, y)").unwrap();
    names.helper("unused", "abs(x)").unwrap();
    let text = "bent + if(x < 0, 1, x) + abs(-3)*sum(i in 0..3, abs(v[i])) + norm(v)";
    let formula = names.formula(text).unwrap();
    let found: Vec<_> = formula
        .kinks()
        .iter()
        .map(|kink| match kink.helper.as_deref() {
            Some(helper) => {
                (kink.name, format!("{helper}: {}", &"2*max(x, y)"[kink.span.start..kink.span.end]))
            }
            None => (kink.name, text[kink.span.start..kink.span.end].to_owned()),
        })
        .collect();
    let expected = [
        ("max", "bent: max(x, y)"),
        ("if", "if(x < 0, 1, x)"),
        ("abs", "abs(v[i])"),
        ("norm", "norm(v)"),
    ];
    assert_eq!(found, expected.map(|(name, place)| (name, place.to_owned())));
    assert!(!formula.is_smooth());
    assert!(names.formula("sqrt(x) + abs(-2) + if(1 < 2, x, y)").unwrap().is_smooth());
}

#[test]
fn workspaces_serve_any_formula() {
    let names = table();
    let mut work = Workspace::default();
    let formulas: Vec<Formula> = RICH.iter().map(|text| names.formula(text).unwrap()).collect();
    for formula in formulas.iter().chain(formulas.iter().rev()) {
        let mut values = [f64::NAN];
        formula.evaluate(&POINT, &mut work, &mut values);
        assert_eq!(values.to_vec(), formula.values(&POINT));
    }
}

#[test]
fn fields_share_their_parts_and_say_which_text_is_wrong() {
    let names = table();
    let field = names.field(&["x*y", "x*y + 1", "v[0]"]).unwrap();
    assert_eq!(field.values(&POINT), [POINT[0] * POINT[1], POINT[0] * POINT[1] + 1.0, 1.0]);
    let (at, mistake): (usize, Mistake) = names.field(&["x", "v"]).unwrap_err();
    assert_eq!((at, mistake.span.start, mistake.span.end), (1, 0, 1));
}

#[test]
fn hostile_texts_are_mistakes_and_no_panics() {
    let names = table();
    let deep = |left: &str, right: &str| left.repeat(100_000) + "x" + &right.repeat(100_000);
    for text in [
        deep("(", ")"),
        deep("-", ""),
        deep("sin(", ")"),
        deep("[", "]"),
        deep("2^", ""),
        deep("not ", ""),
        deep("", "[0]"),
        deep("if(x<1,", ",2)"),
        deep("sum(i in 0..2,", ")"),
        "(".repeat(1_000_000),
        "9".repeat(1000),
        "1e999999999".to_owned(),
        format!("x^{}", "9".repeat(400)),
        "x".repeat(100_000),
        "x + é".to_owned(),
        "日本 + x".to_owned(),
        "x \u{0} y".to_owned(),
        "\u{202e}x".to_owned(),
        "x +".to_owned(),
        "sum(i in 0..1000000000, x)".to_owned(),
        "sum(i in 0..50000, sum(j in 0..50000, x))".to_owned(),
        "sum(i in 0..1e300, x)".to_owned(),
        "v[1e300]".to_owned(),
        "v[0 - 1]".to_owned(),
        "x^x^".to_owned(),
        "1..2".to_owned(),
        "..".to_owned(),
        "5..".to_owned(),
        "1.e".to_owned(),
        "1e+".to_owned(),
        "sum(".to_owned(),
        "sum(i".to_owned(),
        "sum(i in".to_owned(),
        "sum(i in 0".to_owned(),
        "sum(i in 0..".to_owned(),
        "sum(i in 0..3".to_owned(),
        "sum(i in 0..3,".to_owned(),
        "x".to_owned() + &"+x".repeat(600_000),
    ] {
        match names.formula(&text) {
            Ok(formula) => panic!(
                "{}... is read as a formula of {} parts",
                &text[..20.min(text.len())],
                formula.dim()
            ),
            Err(mistake) => {
                assert!(mistake.span.start <= mistake.span.end && mistake.span.end <= text.len());
                assert!(
                    text.is_char_boundary(mistake.span.start)
                        && text.is_char_boundary(mistake.span.end)
                );
                assert!(mistake.problem.len() < 300 && mistake.hint.len() < 300, "{mistake}");
            }
        }
    }
    // Long, but flat.
    let long = "x".to_owned() + &"+v[0]*x".repeat(20_000);
    // v[0] is 1; twenty thousand additions round.
    assert!((names.formula(&long).unwrap().values(&POINT)[0] / 20_001.0 - 0.7).abs() < 1e-11);
    let long = "x".to_owned() + &"*1.0001".repeat(20_000);
    assert!(
        (names.formula(&long).unwrap().values(&POINT)[0] / (0.7 * 1.0001f64.powi(20_000)) - 1.0)
            .abs()
            < 1e-10
    );
}
