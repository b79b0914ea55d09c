//! Curves by equations, traced so that their lengths are known.

use super::zeros::Zeros;
use nalgebra::{DMatrix, DVector};

/// Most radians by which the tangent turns in a step: places by length are then right to some 10⁻⁸ of the radius of curvature.
const TURN: f64 = 0.05;

/// Longest and shortest step, in units of the region.
const STEP: (f64, f64) = (0.02, 1e-7);

/// Most steps along one curve.
const MOST_STEPS: usize = 100_000;

/// A step is taken in two parts, of which this is the first: not a half, lest both ends of a ripple look alike there too.
const FIRST: f64 = 0.38;

/// The lengths of the two parts add up to that of the whole, to this share of it.
const ADDS_UP: f64 = 1e-5;

/// How far beside a step a point of the same curve may lie, in units of the step, besides what the step bends.
const BESIDE: f64 = 1e-3;

/// Halvings by which the place is found where a curve leaves the region.
const HALVINGS: usize = 40;

/// A connected curve within the region, as points with unit tangents, in order.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    points: Vec<Point>,
    /// Whether the last point is the first again.
    pub closed: bool,
}

#[derive(Clone, Debug)]
struct Point {
    x: DVector<f64>,
    tangent: DVector<f64>,
    /// Length from the first point.
    along: f64,
}

impl Point {
    /// The point of that position. Gradients and tangent in this order have a determinant of that sign: it is constant along
    /// a curve, and another one on the next strand of the same equation.
    fn at<Z: Zeros>(zeros: &Z, x: Vec<f64>, sign: f64, along: f64) -> Option<Self> {
        let tangent = zeros.tangents(&x)?.column(0).into_owned();
        let gradients = zeros.gradients(&x).1;
        let last = gradients.nrows();
        let row = |r: usize, c: usize| if r < last { gradients[(r, c)] } else { tangent[c] };
        let determinant = DMatrix::from_fn(last + 1, last + 1, row).determinant();
        let tangent = if determinant * sign < 0.0 { -tangent } else { tangent };
        Some(Self { x: DVector::from_vec(x), tangent, along })
    }

    /// The point a step ahead; none where the tangent turns too much on the way.
    fn part<Z: Zeros>(&self, zeros: &Z, sign: f64, step: f64) -> Option<Self> {
        let x = zeros.solved((&self.x + &self.tangent * step).as_slice())?;
        let next = Self::at(zeros, x, sign, self.along)?;
        let chord = (&next.x - &self.x).norm();
        let turn = self.turn(&next);
        let fits = turn < TURN && (chord - step).abs() < TURN * step;
        fits.then(|| Self { along: self.along + arc(chord, turn), ..next })
    }

    /// The points a part of the step and the whole step ahead; none where these two do not tell what lies between.
    fn ahead<Z: Zeros>(&self, zeros: &Z, sign: f64, step: f64) -> Option<[Self; 2]> {
        let whole = self.part(zeros, sign, step)?;
        let first = self.part(zeros, sign, FIRST * step)?;
        let turn = first.turn(&whole);
        let along = first.along + arc((&whole.x - &first.x).norm(), turn);
        let fits = turn < TURN && (along - whole.along).abs() < ADDS_UP * step;
        fits.then_some([first, Self { along, ..whole }])
    }

    /// The angle between the tangents.
    fn turn(&self, other: &Self) -> f64 {
        2.0 * (0.5 * (&self.tangent - &other.tangent).norm()).min(1.0).asin()
    }

    /// Whether another point of the set lies on the step from here to the next.
    fn meets(&self, next: &Self, other: &Self) -> bool {
        let away = &other.x - &self.x;
        let step = (&next.x - &self.x).dot(&self.tangent);
        let (along, beside) = (away.dot(&self.tangent), BESIDE * step);
        let off = (&away - &self.tangent * along).norm();
        (-beside..=step + beside).contains(&along)
            && off <= TURN * along.abs() + beside
            && self.tangent.dot(&other.tangent) > 0.5
    }
}

/// The length of an arc by its chord and its turn: exact on circles.
fn arc(chord: f64, turn: f64) -> f64 {
    let half = 0.5 * turn;
    if half > 1e-6 { chord * half / half.sin() } else { chord }
}

impl Curve {
    /// Its length.
    pub fn length(&self) -> f64 {
        self.points[self.points.len() - 1].along
    }

    /// Its point at that length from the first one.
    pub fn point<Z: Zeros>(&self, zeros: &Z, along: f64) -> Option<Vec<f64>> {
        let after = self.points.partition_point(|point| point.along < along);
        let k = after.clamp(1, self.points.len() - 1);
        let (a, b) = (&self.points[k - 1], &self.points[k]);
        let length = b.along - a.along;
        let t = (along - a.along) / length;
        // The cubic with the speeds 1 at both ends.
        let (s, bend) = (1.0 - t, t * (1.0 - t));
        let x = &a.x * (s * s * (1.0 + 2.0 * t))
            + &b.x * (t * t * (1.0 + 2.0 * s))
            + (&a.tangent * s - &b.tangent * t) * (bend * length);
        zeros.solved(x.as_slice())
    }

    /// A bound of ⟨c, x⟩ over its points.
    pub fn support(&self, c: &[f64]) -> f64 {
        let longest = self.points.windows(2).map(|w| w[1].along - w[0].along).fold(0.0, f64::max);
        let c = DVector::from_column_slice(c);
        let most =
            self.points.iter().map(|point| c.dot(&point.x)).fold(f64::NEG_INFINITY, f64::max);
        most + 0.5 * longest * c.norm()
    }

    fn passes(&self, point: &Point) -> bool {
        self.points.windows(2).any(|step| step[0].meets(&step[1], point))
    }
}

/// The curves of a set of dimension 1 on which these points lie, as far as they are `inside`, which is asked some times a step; none
/// where one cannot be followed.
pub(super) fn traced<Z: Zeros>(
    zeros: &Z,
    points: &[Vec<f64>],
    inside: impl Fn(&[f64]) -> bool,
) -> Option<Vec<Curve>> {
    let mut curves: Vec<Curve> = Vec::new();
    for x in points.iter().filter(|x| inside(x)) {
        let start = Point::at(zeros, x.clone(), 1.0, 0.0)?;
        if curves.iter().any(|curve| curve.passes(&start)) {
            continue;
        }
        let (mut points, closed) = followed(zeros, &start, 1.0, &inside)?;
        if !closed {
            let back = Point { tangent: -&start.tangent, ..start };
            let (backwards, _) = followed(zeros, &back, -1.0, &inside)?;
            let before = backwards[backwards.len() - 1].along;
            let turned = |p: Point| Point { tangent: -p.tangent, along: before - p.along, x: p.x };
            let shifted = |p: Point| Point { along: before + p.along, ..p };
            let onwards = points.into_iter().map(shifted);
            points = backwards.into_iter().skip(1).rev().map(turned).chain(onwards).collect();
        }
        // What leaves at once touches the region only.
        if points.len() > 1 {
            curves.push(Curve { points, closed });
        }
    }
    (!curves.is_empty()).then_some(curves)
}

/// The points from a start on, until the curve is closed, which comes back, or leaves the region.
fn followed<Z: Zeros>(
    zeros: &Z,
    start: &Point,
    sign: f64,
    inside: &impl Fn(&[f64]) -> bool,
) -> Option<(Vec<Point>, bool)> {
    let span = zeros.span();
    let (mut step, mut points) = (STEP.0 * span, vec![start.clone()]);
    while points.len() < MOST_STEPS && step > STEP.1 * span {
        let last = &points[points.len() - 1];
        let Some([first, next]) = last.ahead(zeros, sign, step) else {
            step *= 0.5;
            continue;
        };
        if points.len() > 2 && last.meets(&next, start) {
            let chord = (&start.x - &last.x).norm();
            let along = last.along + arc(chord, last.turn(start));
            points.push(Point { along, ..start.clone() });
            return Some((points, true));
        }
        if !inside(first.x.as_slice()) || !inside(next.x.as_slice()) {
            points.extend(edge(zeros, last, sign, step, inside));
            return Some((points, false));
        }
        if last.turn(&next) < TURN / 3.0 {
            step = (1.5 * step).min(STEP.0 * span);
        }
        points.push(next);
    }
    None
}

/// The last point inside, on the way of a step that leaves the region.
fn edge<Z: Zeros>(
    zeros: &Z,
    last: &Point,
    sign: f64,
    step: f64,
    inside: &impl Fn(&[f64]) -> bool,
) -> Option<Point> {
    let (mut low, mut high, mut found) = (0.0, step, None);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        match last.part(zeros, sign, middle).filter(|next| inside(next.x.as_slice())) {
            Some(next) => (low, found) = (middle, Some(next)),
            None => high = middle,
        }
    }
    found
}
