//! What the counterexamples of T7 do, in closed form, by hand.
//!
//! Written apart from their fields in the computing tower.

use super::Variant;
use crate::facts::Facts;

/// The counterexamples of T7; their place here is the fact `counterexample`. C6 is C1; there is no C11.
pub const NUMBERS: [&str; 15] = [
    "C1", "C1b", "C1c", "C2", "C2b", "C3", "C4", "C4b", "C5", "C7", "C8", "C9", "C10", "C12", "C13",
];

/// A counterexample with its parameters, in the wording of one variant.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Its number.
    pub number: &'static str,
    /// Its parameters, in the order of their names.
    pub parameters: [f64; 3],
    /// τ.
    pub span: f64,
    /// (x, y) at the start.
    pub start: [f64; 2],
    /// l_0; not finite where E_0 contains the normal direction.
    pub slope: f64,
    wording: Variant,
}

impl Example {
    /// The counterexample that the facts name.
    pub fn of(facts: &Facts, wording: Variant) -> Option<Self> {
        let place = facts.get("counterexample").value;
        let number = (place >= 0.0).then(|| NUMBERS.get(place as usize)).flatten()?;
        let read = |name: &str, i: usize| facts.series(name).get(i).map_or(0.0, |p| p.value);
        Some(Self {
            number,
            parameters: [0, 1, 2].map(|i| read("parameters", i)),
            span: facts.get("span").value,
            start: [0, 1].map(|i| read("start", i)),
            slope: facts.get("start_slope").value,
            wording,
        })
    }

    /// J(t) in the plane of the block, rows x and y.
    pub fn map(&self, t: f64) -> [[f64; 2]; 2] {
        let [c, k, h] = self.parameters;
        let (decay, wrong) = ((-c * t).exp(), |mutant| self.wording.is(mutant));
        // (1 − e^{−ct})/c without cancellation.
        let lag = -(-c * t).exp_m1() / c;
        match self.number {
            "C1" => [[decay, 0.0], [0.0, decay]],
            "C1b" if wrong("expansion_sign_flipped") => [[1.0, 0.0], [0.0, decay]],
            "C1b" => [[1.0, 0.0], [0.0, (c * t).exp()]],
            "C2" if wrong("shear_limit_is_k") => [[1.0, 0.0], [k * c * lag, decay]],
            "C2" => [[1.0, 0.0], [k * lag, decay]],
            "C2b" => {
                let late = (t - (self.span - h)).max(0.0);
                let before = (-c * (t - late)).exp();
                let attenuated = if wrong("late_shear_attenuated") { before } else { 1.0 };
                [[1.0, 0.0], [k * late / h * attenuated, before]]
            }
            // On x = 0: y = y_0 e^{−ct} and the slope of a tangent vector is ∫ φ(y) e^{−c(t−s)} ds.
            "C3" => {
                let (start, end) = (self.start[1], self.start[1] * decay);
                // atan(a) − atan(b) for a > b > 0, without cancellation.
                let turned = ((start - end) * h).atan2(h * h + start * end);
                [[1.0, 0.0], [k / c * end / h * turned, decay]]
            }
            "C4" => [[1.0, -k * lag], [0.0, decay]],
            "C4b" => {
                let q = self.turning_rate();
                let (sin, cos) = (q * t).sin_cos();
                let (fade, half) = ((-0.5 * c * t).exp(), 0.5 * c / q * sin);
                [
                    [fade * (cos + half), -fade * h / q * sin],
                    [fade * k / q * sin, fade * (cos - half)],
                ]
            }
            "C7" => [[(2.0 * c * t).exp(), 0.0], [0.0, (c * t).exp()]],
            "C9" if wrong("error_slope_dropped") => [[1.0, 0.0], [0.0, decay]],
            "C9" => {
                let phase = self.start[0] * k / h;
                [[1.0, 0.0], [k * phase.cos() * lag, decay]]
            }
            _ => [[1.0, 0.0], [0.0, decay]],
        }
    }

    /// What tangent and normal directions outside the block are multiplied by.
    pub fn others(&self, t: f64) -> [f64; 2] {
        let c = self.parameters[0];
        match self.number {
            "C1" => [(-c * t).exp(); 2],
            "C1b" | "C2b" | "C7" => {
                let map = self.map(t);
                [map[0][0], map[1][1]]
            }
            _ => [1.0, (-c * t).exp()],
        }
    }

    /// (γ, κ, η) at time t on the way, and at the foot point on M.
    pub fn blocks(&self, t: f64) -> ([f64; 3], [f64; 3]) {
        let [c, k, h] = self.parameters;
        let twice = |blocks| (blocks, blocks);
        match self.number {
            "C1" => twice([0.0; 3]),
            "C1b" => twice([-c, 0.0, 0.0]),
            "C2" => twice([c, k, 0.0]),
            // The times of a grid are rounded.
            "C2b" if t >= (self.span - h) * (1.0 - 1e-12) => twice([0.0, k / h, 0.0]),
            "C3" => {
                let square = (self.start[1] * (-c * t).exp()).powi(2);
                ([c, k * square / (square + h * h), 0.0], [c, 0.0, 0.0])
            }
            "C4" => twice([c, 0.0, k]),
            "C4b" => twice([c, k, h]),
            "C9" => twice([c, (k * (self.start[0] * k / h).cos()).abs(), 0.0]),
            _ => twice([c, 0.0, 0.0]),
        }
    }

    /// A vector of the plane that spans E(t) together with tangent directions.
    pub fn direction(&self, t: f64) -> [f64; 2] {
        let start = if self.slope.is_finite() { [1.0, self.slope] } else { [0.0, 1.0] };
        self.map(t).map(|row| row[0] * start[0] + row[1] * start[1])
    }

    /// The displacement across M that the error of this counterexample causes by time τ.
    pub fn displacement(&self) -> f64 {
        let ([c, k, h], span) = (self.parameters, self.span);
        let lag = |time: f64| -(-c * time).exp_m1() / c;
        match self.number {
            "C7" => (c * span).exp_m1() / c,
            "C8" if self.wording.is("late_error_attenuated") => k * (-c * span).exp(),
            "C8" => lag(k),
            "C9" => h * (self.start[0] * k / h).sin() * lag(span),
            _ if self.wording.is("displacement_uncompressed") => span,
            _ => lag(span),
        }
    }

    /// True where C4 and C4b are what they are meant to be: the start beyond c/h, and 4κη > γ².
    pub fn turns_over(&self) -> Option<f64> {
        let [c, k, h] = self.parameters;
        match self.number {
            "C4" => Some(1.0 - c / (k * self.slope)),
            "C4b" => Some(1.0 - c * c / (4.0 * k * h)),
            _ => None,
        }
    }

    /// The times at which E is normal: the first, and the time between two of them.
    pub fn normal_times(&self) -> Option<(f64, f64)> {
        let ([c, k, h], l) = (self.parameters, self.slope);
        match self.number {
            "C4" if self.wording.is("normal_time_without_start") => {
                Some(((1.0 + c / k).ln() / c, f64::INFINITY))
            }
            "C4" => Some((-(-c / (k * l)).ln_1p() / c, f64::INFINITY)),
            "C4b" => {
                let q = self.turning_rate();
                let l = if self.wording.is("turning_from_the_tangent") { 0.0 } else { l };
                Some((q.atan2(h * l - 0.5 * c) / q, std::f64::consts::PI / q))
            }
            _ => None,
        }
    }

    /// q = √(κη − γ²/4) of C4b; not a number where it does not turn.
    fn turning_rate(&self) -> f64 {
        let [c, k, h] = self.parameters;
        (k * h - 0.25 * c * c).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Quantity;

    /// An example by number, with τ = 1 and a start at x = 0.
    fn example(number: &str, parameters: [f64; 3], slope: f64) -> Example {
        let mut facts = Facts::new();
        let place = NUMBERS.iter().position(|n| *n == number).unwrap();
        facts.set("counterexample", Quantity::exact(place as f64));
        facts.set_series("parameters", parameters.map(Quantity::exact).to_vec());
        facts.set_series("start", vec![Quantity::exact(0.0), Quantity::exact(0.5)]);
        facts.set("span", Quantity::exact(1.0));
        facts.set("start_slope", Quantity::exact(slope));
        Example::of(&facts, Variant::STATED).unwrap()
    }

    #[test]
    fn the_hidden_shear_has_the_numbers_of_the_theory() {
        // c = 3, k = 2, y_0 = ½: the limit of a thin layer is (k/c)(1 − e^{−c}) = 0.63348, and e = 1 leaves 0.0073.
        let slope = |e: f64| example("C3", [3.0, 2.0, e], 0.0).map(1.0)[1][0];
        assert!((slope(1e-9) - 2.0 / 3.0 * -(-3.0_f64).exp_m1()).abs() < 1e-12);
        assert!((slope(5e-4) - 0.6334).abs() < 5e-5 && (slope(1.0) - 0.0073).abs() < 5e-5);
    }

    #[test]
    fn a_plane_is_normal_when_its_direction_says_so() {
        for example in [example("C4", [2.0, 1.5, 0.0], 3.0), example("C4b", [0.5, 0.8, 0.9], 0.4)] {
            let (time, _) = example.normal_times().unwrap();
            assert!(example.direction(time)[0].abs() < 1e-15);
            assert!(example.direction(0.9 * time)[0] > 0.0);
        }
    }

    #[test]
    fn maps_compose() {
        for (number, parameters) in
            [("C2", [2.0, 0.7, 0.0]), ("C4", [1.0, 0.6, 0.0]), ("C4b", [0.5, 0.8, 0.9])]
        {
            let e = example(number, parameters, 0.3);
            let (half, whole) = (e.map(0.5), e.map(1.0));
            for (r, row) in whole.iter().enumerate() {
                for (c, entry) in row.iter().enumerate() {
                    let product = half[r][0] * half[0][c] + half[r][1] * half[1][c];
                    assert!((product - entry).abs() < 1e-15, "{number} {r} {c}");
                }
            }
        }
    }
}
