//! Symbolic derivatives against duals, and formulas against their own text, on random expressions.

use driftproof::formula::{Formula, Names};
use driftproof::scalar::{TANGENT_LANES, Tangents};
use nalgebra::SVector;
use num_dual::{Dual, Dual64};
use quickcheck::{Arbitrary, Gen};

/// Random expressions are compared up to this share of their size: the conditioning of a dozen nested operations on
/// numbers between 0.1 and 1e6, worse ones being set aside by [`probed`].
const CONDITIONED: f64 = 1e-8;

fn table() -> Names {
    let mut names = Names::default();
    names.number("a").unwrap();
    names.number("b").unwrap();
    names.vector("v", 2).unwrap();
    names.constant("c", 1.75).unwrap();
    names.helper("h", "a*b + c").unwrap();
    names
}

/// An expression with its variables a, b and v, written with more parentheses than needed.
#[derive(Clone, Debug)]
struct Expression(String);

impl Expression {
    fn draw(g: &mut Gen, depth: usize) -> String {
        let leaf = depth == 0 || u8::arbitrary(g) % 6 == 0;
        if leaf {
            let leaves =
                ["a", "b", "v[0]", "v[1]", "h", "c", "0", "1", "2", "0.5", "3", "pi", "1e-2"];
            return (*g.choose(&leaves).unwrap()).to_owned();
        }
        let one = Self::draw(g, depth - 1);
        let two = Self::draw(g, depth - 1);
        match u8::arbitrary(g) % 12 {
            0 | 1 => format!("({one} + {two})"),
            2 | 3 => format!("({one} - {two})"),
            4 | 5 => format!("({one})*({two})"),
            6 => format!("({one})/(2 + ({two})^2)"),
            7 => format!("-({one})^{}", g.choose(&["2", "3", "-1", "1", "0", "4"]).unwrap()),
            8 => format!("(1.5 + sin({one}))^({two})"),
            9 => {
                let calls = [
                    "if(ONE < TWO, ONE, TWO + 1)",
                    "if(ONE < 0 and not TWO >= 1, TWO, ONE*2)",
                    "min(ONE, TWO)",
                    "max(ONE, TWO, 0.25)",
                    "atan2(ONE, 3 + cos(TWO))",
                    "sum(i in 0..3, (ONE)*i - v[0]*(TWO))",
                    "dot(v, [ONE, TWO])",
                    "norm2([ONE, TWO])",
                    "norm([1 + (ONE)^2, TWO])",
                ];
                g.choose(&calls).unwrap().replace("ONE", &one).replace("TWO", &two)
            }
            _ => {
                let functions = [
                    "sin(ONE)",
                    "cos(ONE)",
                    "tanh(ONE)",
                    "atan(ONE)",
                    "sigmoid(ONE)",
                    "softplus(ONE)",
                    "erf(ONE)",
                    "abs(ONE)",
                    "exp(-(ONE)^2)",
                    "expm1(sin(ONE))",
                    "log1p((ONE)^2)",
                    "log(1 + exp(ONE))",
                    "sqrt(1 + (ONE)^2)",
                    "asin(tanh(ONE)/2)",
                    "acos(sin(ONE)/2)",
                    "tan(sin(ONE))",
                    "sinh(sin(ONE))",
                    "cosh(sin(ONE))",
                    "bessel_ratio(2, ONE)",
                    "bessel_ratio(5, sin(ONE))",
                    "sign(ONE)*(ONE)",
                    "(2 + sin(ONE))^1.5",
                ];
                g.choose(&functions).unwrap().replace("ONE", &one)
            }
        }
    }
}

impl Arbitrary for Expression {
    fn arbitrary(g: &mut Gen) -> Self {
        let depth = usize::from(u8::arbitrary(g) % 6);
        Self(Self::draw(g, depth))
    }
}

/// A point in [−2, 2]⁴, of four bytes.
fn point(bytes: (u8, u8, u8, u8)) -> [f64; 4] {
    let at = |byte: u8, shift: f64| (f64::from(byte) + shift) / 64.0 - 2.0;
    [at(bytes.0, 0.37), at(bytes.1, 0.71), at(bytes.2, 0.13), at(bytes.3, 0.59)]
}

fn close(a: f64, b: f64, size: f64) -> bool {
    (a - b).abs() <= CONDITIONED * (size + a.abs() + b.abs())
}

/// The derivatives of order up to two along one direction and one variable: f, ∂f, D f, ∂ D f, with D = ∂ by `slot`.
fn duals(formula: &Formula, point: [f64; 4], slot: usize, other: usize) -> [f64; 4] {
    let unit = |i: usize, j: usize| f64::from(u8::from(i == j));
    let seed: Vec<Dual<Dual64>> = (0..4)
        .map(|i| Dual::new(Dual64::new(point[i], unit(i, slot)), Dual64::new(unit(i, other), 0.0)))
        .collect();
    let value = formula.values(&seed)[0];
    [value.re.re, value.re.eps, value.eps.re, value.eps.eps]
}

/// A random formula that is well-conditioned at the point: moving the point by rounding moves no derivative by more
/// than rounding. Kinks nearby, and towers of powers, fail this.
fn probed(text: &str, point: [f64; 4]) -> Option<(Formula, f64)> {
    let formula = table().formula(text).ok()?;
    let mut size: f64 = 0.0;
    for (slot, other) in [(0, 1), (2, 3), (0, 0), (3, 3)] {
        let here = duals(&formula, point, slot, other);
        for sign in [-1.0, 1.0] {
            let there = duals(
                &formula,
                point.map(|x| x * (1.0 + sign * 1e-12) + sign * 1e-12),
                slot,
                other,
            );
            for (a, b) in here.into_iter().zip(there) {
                size = size.max(a.abs());
                if !(a.is_finite()
                    && (a - b).abs() <= 0.1 * CONDITIONED * (1.0 + a.abs())
                    && a.abs() < 1e6)
                {
                    return None;
                }
            }
        }
    }
    Some((formula, 1.0 + size))
}

/// Runs a law on random expressions until 400 of them were fit for it.
fn hold(seed: u64, law: impl Fn(&Formula, [f64; 4], f64) -> Result<(), String>) {
    let mut g = Gen::from_size_and_seed(64, seed);
    let mut fit = 0;
    for _ in 0..20_000 {
        let expression = Expression::arbitrary(&mut g).0;
        let point = point(Arbitrary::arbitrary(&mut g));
        let Some((formula, size)) = probed(&expression, point) else { continue };
        if let Err(reason) = law(&formula, point, size) {
            panic!("{expression} at {point:?}: {reason}");
        }
        fit += 1;
        if fit == 400 {
            return;
        }
    }
    panic!("only {fit} of 20000 random expressions were well-conditioned");
}

#[test]
fn symbolic_derivatives_equal_duals() {
    hold(1, |formula, point, size| {
        for slot in 0..4 {
            let (dual, symbolic) = (duals(formula, point, slot, 0)[1], formula.derivative(slot));
            let found = symbolic.values(&point)[0];
            if !close(dual, found, size) {
                return Err(format!("slope {dual} by duals, {found} by {symbolic}"));
            }
        }
        Ok(())
    });
}

#[test]
fn second_symbolic_derivatives_equal_duals_of_duals() {
    hold(2, |formula, point, size| {
        for (slot, other) in [(0, 1), (2, 3), (1, 1), (3, 3)] {
            let dual = duals(formula, point, slot, other)[3];
            let found = formula.derivative(slot).derivative(other).values(&point)[0];
            let mixed = formula.derivative(other).derivative(slot).values(&point)[0];
            if !close(dual, found, size) || !close(mixed, found, size) {
                return Err(format!("{dual} by duals of duals, {found} and {mixed} by formulas"));
            }
        }
        Ok(())
    });
}

#[test]
fn duals_of_a_symbolic_derivative_equal_duals_of_duals() {
    hold(3, |formula, point, size| {
        let second = duals(formula, point, 0, 3)[3];
        let slope = duals(&formula.derivative(0), point, 3, 0)[1];
        close(second, slope, size).then_some(()).ok_or(format!("{second} and {slope}"))
    });
}

#[test]
fn printed_formulas_read_back() {
    hold(4, |formula, point, size| {
        for formula in [formula.clone(), formula.derivative(0), formula.derivative(3).derivative(0)]
        {
            for widest in [32, 200, 5000] {
                let printed = formula.print(widest);
                let mut names = Names::default();
                names.number("a").unwrap();
                names.number("b").unwrap();
                names.vector("v", 2).unwrap();
                for (name, text) in &printed.helpers {
                    names.helper(name, text).map_err(|mistake| format!("{mistake} in {text}"))?;
                }
                let text = &printed.components[0];
                let again =
                    names.formula(text).map_err(|mistake| format!("{mistake} in {printed}"))?;
                let (before, after) = (formula.values(&point)[0], again.values(&point)[0]);
                if !close(before, after, size) {
                    return Err(format!("{before} became {after} after {printed}"));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn values_of_duals_are_values() {
    hold(5, |formula, point, _| {
        let plain = formula.values(&point)[0];
        let lanes: Vec<Tangents> = (0..4).map(|i| Tangents::from(point[i]).derivative(i)).collect();
        for value in [duals(formula, point, 0, 1)[0], formula.values(&lanes)[0].re] {
            if !close(plain, value, 1.0) {
                return Err(format!("{plain} and {value}"));
            }
        }
        Ok(())
    });
}

#[test]
fn jacobians_equal_tangents() {
    let mut names = table();
    names.vector("x", 3).unwrap();
    let texts = ["x[0]*x[1]^2 - a*x[2]", "sin(x[2])/x[0] + h", "exp(-norm2(x)) + v[1]*x[1]"];
    let field = names.field(&texts).unwrap();
    let point = [0.3, -0.7, 1.1, 0.2, 0.9, -1.4, 0.6];
    let seed: Vec<Tangents> = (0..7)
        .map(|i| {
            let x = Tangents::from(point[i]);
            if i < 4 { x } else { x.derivative(i - 4) }
        })
        .collect();
    let (by_duals, symbolic) = (field.values(&seed), field.jacobian(4..7).values(&point));
    for (i, row) in by_duals.iter().enumerate() {
        let row = row.eps.0.unwrap_or_else(SVector::<f64, TANGENT_LANES>::zeros);
        for j in 0..3 {
            // Not symmetric, so that a transposed Jacobian shows.
            let entry = symbolic[3 * j + i];
            assert!((row[j] - entry).abs() < 1e-14, "({i}, {j}): {} and {entry}", row[j]);
        }
    }
}

/// Derivatives as a textbook writes them.
#[test]
fn derivatives_are_simplified() {
    let mut names = Names::default();
    names.number("x").unwrap();
    names.number("y").unwrap();
    names.number("z").unwrap();
    for (text, slope) in [
        ("7", "0"),
        ("y", "0"),
        ("x", "1"),
        ("x*x*x", "3*x^2"),
        ("10*(y - x)", "-10"),
        ("x*(28 - z) - y", "28 - z"),
        ("3*x*y + x", "3*y + 1"),
        ("x^2/2", "x"),
        ("sin(2*x)", "cos(2*x)*2"),
        ("-cos(x)", "sin(x)"),
        ("log(x)", "1/x"),
        ("1/x", "-1/x/x"),
        ("sqrt(x)", "1/(2*sqrt(x))"),
        ("exp(-x^2/2)", "-exp(-x^2/2)*x"),
        ("tanh(x)", "1 - tanh(x)^2"),
        ("softplus(x)", "sigmoid(x)"),
        ("erf(y)", "0"),
        ("abs(x)", "sign(x)"),
        ("max(x, y)", "if(x >= y, 1, 0)"),
        ("if(x < 0, x^2, y)", "if(x < 0, 2*x, 0)"),
        ("x + x + 2*x - y + y", "4"),
        ("(x + y)^3", "3*(x + y)^2"),
        ("x^2.5", "2.5*x^1.5"),
        ("atan2(y, x)", "-y/(x^2 + y^2)"),
    ] {
        let found = names.formula(text).unwrap().derivative(0).to_string();
        assert_eq!(
            found.replace("cos(2*x)*2", "2*cos(2*x)"),
            slope.replace("cos(2*x)*2", "2*cos(2*x)"),
            "{text}"
        );
    }
}

/// The value of a formula at one point of its own, by the whole of its syntax.
#[test]
fn formulas_print_as_they_are_written() {
    let names = table();
    for text in [
        "a + b*(a - 3)",
        "-a^2",
        "(-a)^2*b",
        "(a^2)^b",
        "a^b^2",
        "a - (b - v[0])/2",
        "a/(b*v[1])",
        "a/b*v[1]",
        "2^-a",
        "atan2(a, -b)",
        "if(a < b, -1.5, 1e-20*a)",
        "bessel_quotient(3, a)",
        "min(a, max(b, 1e+300*a))",
        "pi*a + e",
        "(a + b)*(a - b)",
        "-(a + b)",
        "a*(b*v[0])",
    ] {
        let once = names.formula(text).unwrap().to_string();
        let twice = names.formula(&once).unwrap().to_string();
        assert_eq!(once, twice, "{text}");
        let point = [1.3, 0.4, -0.6, 2.2];
        let (a, b) = (
            names.formula(text).unwrap().values(&point),
            names.formula(&once).unwrap().values(&point),
        );
        assert!((a[0] - b[0]).abs() <= 4e-16 * a[0].abs(), "{text}: {} and {}", a[0], b[0]);
    }
    for text in [
        "a + b*(a - 3)",
        "-a^2",
        "a/(b*v[1])",
        "a^b^2",
        "(a + b)*(a - b)",
        "-(a + b)",
        "min(a, max(b, 1))",
    ] {
        assert_eq!(names.formula(text).unwrap().to_string(), text);
    }
    assert_eq!(names.formula("[a, 1]").unwrap().to_string(), "[a, 1]");
}

/// A derivative that is wrong by a sign, a factor or an argument is seen by the same comparison.
#[test]
fn wrong_derivatives_are_caught() {
    let names = table();
    let point = [0.6, -0.4, 0.9, 1.2];
    for (text, wrong) in [
        ("cos(a)", "sin(a)"),
        ("a^3", "2*a^2"),
        ("a/b", "b"),
        ("tanh(a)", "1 + tanh(a)^2"),
        ("sigmoid(a)", "sigmoid(a)"),
        ("bessel_ratio(2, a)", "1 - bessel_ratio(2, a)^2"),
        ("erf(a)", "exp(-a^2)"),
        ("min(a, b)", "1"),
        ("a^b", "b*a^b"),
    ] {
        let dual = duals(&names.formula(text).unwrap(), point, 0, 1)[1];
        let right = names.formula(text).unwrap().derivative(0).values(&point)[0];
        assert!(close(dual, right, 1.0), "{text}: {dual} and {right}");
        let wrong = names.formula(wrong).unwrap().values(&point)[0];
        assert!(!close(dual, wrong, 1.0), "{text}: a wrong slope passes");
    }
}

/// Slopes at points where the rule of the textbook loses digits, from closed forms.
#[test]
fn slopes_of_the_bessel_ratio_are_those_of_the_special_function() {
    let mut names = Names::default();
    names.number("k").unwrap();
    for n in [1, 2, 3, 7, 40] {
        let formula = names.formula(&format!("bessel_ratio({n}, k)")).unwrap();
        for k in [0.0, 1e-3, 0.7, 5.0, 30.0] {
            let expected = driftproof::special::bessel_ratio_slope(n, k);
            let found = formula.derivative(0).values(&[k])[0];
            let by_duals = formula.values(&[Dual64::new(k, 1.0)])[0].eps;
            // g_{n+2} − g_n cancels by κ at large κ.
            let bar = 1e-14 * (1.0 + k);
            assert!(
                (found - expected).abs() <= bar && (by_duals - expected).abs() <= bar,
                "A_{n}'({k})"
            );
        }
    }
}
