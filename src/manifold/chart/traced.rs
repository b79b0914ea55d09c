//! Curves by equations, traced so that their lengths are known.

use super::zeros::Zeros;
use nalgebra::DVector;

/// Most radians by which the tangent turns in a step: places by length are then right to some 10⁻⁸ of the radius of curvature.
const TURN: f64 = 0.05;

/// Longest and shortest step, in units of the region.
const STEP: (f64, f64) = (0.02, 1e-7);

/// Most steps along one curve.
const MOST_STEPS: usize = 100_000;

/// How far beside a step a point of the same curve may lie, in units of the region, besides what the step bends.
const BESIDE: f64 = 1e-6;

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
    /// The point of that position, with its tangent in this direction.
    fn at<Z: Zeros>(zeros: &Z, x: Vec<f64>, direction: &DVector<f64>, along: f64) -> Option<Self> {
        let tangent = zeros.tangents(&x)?.column(0).into_owned();
        let tangent = if tangent.dot(direction) < 0.0 { -tangent } else { tangent };
        Some(Self { x: DVector::from_vec(x), tangent, along })
    }

    /// The point a step ahead; none where the tangent turns too much on the way.
    fn ahead<Z: Zeros>(&self, zeros: &Z, step: f64) -> Option<Self> {
        let x = zeros.solved((&self.x + &self.tangent * step).as_slice())?;
        let next = Self::at(zeros, x, &self.tangent, self.along)?;
        let chord = (&next.x - &self.x).norm();
        let turn = self.turn(&next);
        let fits = turn < TURN && (chord - step).abs() < TURN * step;
        fits.then(|| Self { along: self.along + arc(chord, turn), ..next })
    }

    /// The angle between the tangents.
    fn turn(&self, other: &Self) -> f64 {
        2.0 * (0.5 * (&self.tangent - &other.tangent).norm()).min(1.0).asin()
    }

    /// Whether a point of the set lies on the step from here to the next.
    fn meets(&self, next: &Self, x: &DVector<f64>, beside: f64) -> bool {
        let away = x - &self.x;
        let along = away.dot(&self.tangent);
        let off = (&away - &self.tangent * along).norm();
        along >= -beside
            && along <= (&next.x - &self.x).dot(&self.tangent) + beside
            && off <= TURN * along.abs() + beside
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

    /// The largest distance from 0 that its points can have.
    pub fn farthest(&self) -> f64 {
        let longest = self.points.windows(2).map(|w| w[1].along - w[0].along).fold(0.0, f64::max);
        self.points.iter().map(|point| point.x.norm()).fold(0.0, f64::max) + 0.5 * longest
    }

    fn passes(&self, x: &DVector<f64>, beside: f64) -> bool {
        self.points.windows(2).any(|step| step[0].meets(&step[1], x, beside))
    }
}

/// The curves of a set of dimension 1 on which these points lie, as far as they are `inside`; none where one cannot be followed.
pub(super) fn traced<Z: Zeros>(
    zeros: &Z,
    points: &[Vec<f64>],
    inside: impl Fn(&[f64]) -> bool,
) -> Option<Vec<Curve>> {
    let beside = BESIDE * zeros.span();
    let mut curves: Vec<Curve> = Vec::new();
    for x in points.iter().filter(|x| inside(x)) {
        let start = DVector::from_column_slice(x);
        if curves.iter().any(|curve| curve.passes(&start, beside)) {
            continue;
        }
        let direction = zeros.tangents(x)?.column(0).into_owned();
        let (forwards, closed) = followed(zeros, x, &direction, &inside)?;
        if closed {
            curves.push(Curve { points: forwards, closed });
            continue;
        }
        let (backwards, _) = followed(zeros, x, &-direction, &inside)?;
        let before = backwards[backwards.len() - 1].along;
        let turned = |p: Point| Point { tangent: -p.tangent, along: before - p.along, x: p.x };
        let shifted = |p: Point| Point { along: before + p.along, ..p };
        let mut all: Vec<Point> = backwards.into_iter().skip(1).rev().map(turned).collect();
        all.extend(forwards.into_iter().map(shifted));
        curves.push(Curve { points: all, closed });
    }
    (!curves.is_empty()).then_some(curves)
}

/// The points from `x` on in a direction, until the curve is closed, which comes back, or leaves the region.
fn followed<Z: Zeros>(
    zeros: &Z,
    x: &[f64],
    direction: &DVector<f64>,
    inside: &impl Fn(&[f64]) -> bool,
) -> Option<(Vec<Point>, bool)> {
    let (span, first) = (zeros.span(), Point::at(zeros, x.to_vec(), direction, 0.0)?);
    let (mut step, mut points) = (STEP.0 * span, vec![first.clone()]);
    while points.len() < MOST_STEPS && step > STEP.1 * span {
        let last = &points[points.len() - 1];
        let Some(next) = last.ahead(zeros, step) else {
            step *= 0.5;
            continue;
        };
        let back = points.len() > 2 && first.tangent.dot(&last.tangent) > 0.5;
        if back && last.meets(&next, &first.x, BESIDE * span) {
            let chord = (&first.x - &last.x).norm();
            let along = last.along + arc(chord, last.turn(&first));
            points.push(Point { along, ..first });
            return Some((points, true));
        }
        if !inside(next.x.as_slice()) {
            points.extend(edge(zeros, last, step, inside));
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
    step: f64,
    inside: &impl Fn(&[f64]) -> bool,
) -> Option<Point> {
    let (mut low, mut high, mut found) = (0.0, step, None);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        match last.ahead(zeros, middle).filter(|next| inside(next.x.as_slice())) {
            Some(next) => (low, found) = (middle, Some(next)),
            None => high = middle,
        }
    }
    found
}
