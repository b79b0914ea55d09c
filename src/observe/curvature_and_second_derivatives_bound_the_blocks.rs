//! Flows and maps with an invariant sphere or plane, for T2.3.

use super::Observation;
use super::frames::blocks_by_projector;
use crate::drift::{Drift, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::linalg::{
    complement, frame_from_normals, least_singular_value, spectral_norm, symmetric_eigen,
};
use crate::random::Knobs;
use crate::scalar::{Scalar, TANGENT_LANES, Tangents, seeded};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;
use serde::Serialize;

/// Intervals of the segment [p, x] on which the second derivative is sampled.
const SEGMENT: usize = 16;

/// A field on R^{inner + flat} that leaves M = {|x| = 1 (curved) or all of R^inner, z = 0} invariant:
///
/// x-part: L x + (1 − |x|²)(B x + a + ⟨a, x⟩ x) [curved] + z_1 E x;
/// z-part: −N z + k |z|²/(|z|² + ε²) M x + h x_1 z_1 e_1.
///
/// With h alone on a flat, H = |h| everywhere and κ = |h z_1| attains its bound.
///
/// The vector a makes the foot point slip against the flow and bends the field
/// in the same sense, so that neither H nor K alone bounds κ.
///
/// On M the Jacobian has no cross terms from the z-part at all, whatever k and ε
/// (C3): only the second derivative knows of them. L is skew for a flow on the
/// sphere, orthogonal for a map of the sphere.
#[derive(Clone, Serialize)]
struct Invariant {
    curved: bool,
    inner: usize,
    flat: usize,
    linear: DMatrix<f64>,
    bowl: DMatrix<f64>,
    slip: Vec<f64>,
    coupling: DMatrix<f64>,
    normal: DMatrix<f64>,
    lift: DMatrix<f64>,
    strength: f64,
    width: f64,
    shear: f64,
}

impl Drift for Invariant {
    fn dim(&self) -> usize {
        self.inner + self.flat
    }

    fn velocity<S: Scalar>(&self, _: S, y: &[S], out: &mut [S]) {
        let (x, z) = y.split_at(self.inner);
        let square = |v: &[S]| v.iter().map(|a| *a * *a).sum::<S>();
        let apply = |m: &DMatrix<f64>, v: &[S], r: usize| -> S {
            v.iter().enumerate().map(|(c, a)| *a * m[(r, c)]).sum()
        };
        let bowl = if self.curved { -square(x) + 1.0 } else { S::from(0.0) };
        let along: S = x.iter().zip(&self.slip).map(|(x, a)| *x * *a).sum();
        let shape = square(z) / (square(z) + self.width * self.width) * self.strength;
        for (r, o) in out.iter_mut().enumerate() {
            *o = if r < self.inner {
                let coupled = z[0] * apply(&self.coupling, x, r);
                let slip = along * x[r] + self.slip[r];
                apply(&self.linear, x, r) + bowl * (apply(&self.bowl, x, r) + slip) + coupled
            } else {
                let r = r - self.inner;
                let sheared = if r == 0 { x[0] * z[0] * self.shear } else { S::from(0.0) };
                shape * apply(&self.lift, x, r) - apply(&self.normal, z, r) + sheared
            };
        }
    }
}

impl Invariant {
    /// The nearest point of M, its tangent and normal frames, and the distance.
    fn foot(&self, y: &DVector<f64>) -> (DVector<f64>, DMatrix<f64>, DMatrix<f64>, f64) {
        let mut p = y.clone();
        p.rows_mut(self.inner, self.flat).fill(0.0);
        if self.curved {
            p /= p.norm();
        }
        let mut normal = DMatrix::zeros(self.dim(), self.flat);
        for i in 0..self.flat {
            normal[(self.inner + i, i)] = 1.0;
        }
        if self.curved {
            normal = normal.insert_column(0, 0.0);
            normal.set_column(0, &p);
        }
        let distance = (y - &p).norm();
        (p, complement(&normal), normal, distance)
    }

    /// P' along the foot point of a state moving with velocity v: P = I − n nᵀ − (flat part).
    fn projector_rate(&self, y: &DVector<f64>, v: &DVector<f64>) -> DMatrix<f64> {
        let d = self.dim();
        if !self.curved {
            return DMatrix::zeros(d, d);
        }
        let (n, speed) = self.foot_velocity(y, v);
        -(&speed * n.transpose() + &n * speed.transpose())
    }

    /// The foot point and its velocity p'.
    fn foot_velocity(&self, y: &DVector<f64>, v: &DVector<f64>) -> (DVector<f64>, DVector<f64>) {
        let (p, ..) = self.foot(y);
        let mut inner = v.clone();
        inner.rows_mut(self.inner, self.flat).fill(0.0);
        if self.curved {
            let radius = y.rows(0, self.inner).norm();
            inner = (&inner - &p * p.dot(&inner)) / radius;
        }
        (p, inner)
    }

    /// sup ‖D²v‖ over [p, y]: at every sampled point the square root of λ_max(Σ_k H_k²), which
    /// bounds |D²v[u, w]| over unit vectors; the bar covers what lies between the points.
    fn second_derivative(&self, p: &DVector<f64>, y: &DVector<f64>) -> Quantity {
        let norms: Vec<f64> = (0..=SEGMENT)
            .map(|i| {
                let at = p + (y - p) * (i as f64 / SEGMENT as f64);
                let squares = self.hessians(&at).into_iter().map(|h| &h * &h);
                let sum = squares.fold(DMatrix::zeros(self.dim(), self.dim()), |s, h| s + h);
                symmetric_eigen(&sum).0[0].max(0.0).sqrt()
            })
            .collect();
        let largest = norms.iter().copied().fold(0.0, f64::max);
        let jump = norms.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        // A smooth maximum between two samples exceeds the larger by at most about a quarter of the jump.
        Quantity::new(largest + 0.25 * jump, 0.0, Grade::Estimated)
    }

    /// The Hessians of the components, by duals of duals.
    fn hessians(&self, at: &DVector<f64>) -> Vec<DMatrix<f64>> {
        let d = self.dim();
        let mut hessians = vec![DMatrix::zeros(d, d); d];
        let zero = Dual::new(Tangents::from(0.0), Tangents::from(0.0));
        for i in 0..d {
            for first in (0..d).step_by(TANGENT_LANES) {
                let y: Vec<Dual<Tangents>> = (0..d)
                    .map(|j| Dual::new(seeded(at[j], j, first), Tangents::from(f64::from(i == j))))
                    .collect();
                let mut out = vec![zero; d];
                self.velocity(zero, &y, &mut out);
                for (hessian, o) in hessians.iter_mut().zip(&out) {
                    if let Some(eps) = o.eps.eps.0 {
                        for lane in 0..TANGENT_LANES.min(d - first) {
                            hessian[(i, first + lane)] = eps[lane];
                        }
                    }
                }
            }
        }
        hessians
    }

    fn value(&self, y: &DVector<f64>) -> DVector<f64> {
        let mut out = DVector::zeros(self.dim());
        self.velocity(0.0, y.as_slice(), out.as_mut_slice());
        out
    }

    fn derivative(&self, y: &DVector<f64>) -> DMatrix<f64> {
        self.jacobian(0.0, y.as_slice(), &mut Workspace::default())
    }
}

#[derive(Serialize)]
struct World {
    flow: Invariant,
    map: Invariant,
    point: Vec<f64>,
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let curved = knobs.unit() > 0.3;
    let inner = knobs.count(2, 4);
    let flat = knobs.count(1, 3);
    let distance = knobs.log_range(0.002, 1.6);
    let (bowl, coupling) = (knobs.range(0.0, 1.5), knobs.range(0.0, 1.0));
    let (compression, strength) = (knobs.range(0.2, 2.0), knobs.range(0.0, 1.0));
    let width = knobs.log_range(0.05, 2.0);
    let slip = knobs.range(0.0, 2.0);
    // Some worlds have the slip alone: there the curvature term cannot be left out.
    let alone = f64::from(!curved || knobs.unit() < 0.6);
    // On some flats the shear is alone: there the bounds on κ and on the cross block of the map are attained.
    let sheared = !curved && knobs.unit() < 0.5;
    let shear = if sheared { knobs.range(0.1, 2.0) } else { 0.0 };
    let (flat, alone) = if sheared { (1, 0.0) } else { (flat, alone) };
    let stream = knobs.stream("invariant");
    let random = |name: &str, r: usize, c: usize| {
        DMatrix::from_vec(r, c, stream.named(name).normals(r * c)) / (c as f64).sqrt()
    };
    let skew = {
        let g = random("linear", inner, inner);
        (&g - g.transpose()) * 0.5
    };
    let mut flow = Invariant {
        curved,
        inner,
        flat,
        linear: if curved { skew } else { random("linear", inner, inner) },
        bowl: (DMatrix::identity(inner, inner) + random("bowl", inner, inner) * bowl) * alone,
        slip: random("slip", inner, 1).iter().map(|a| a * slip).collect(),
        coupling: random("coupling", inner, inner) * (coupling * alone),
        normal: DMatrix::identity(flat, flat) * compression + random("normal", flat, flat) * 0.2,
        lift: random("lift", flat, inner),
        strength: strength * alone,
        width,
        shear,
    };
    let dim = inner + flat;
    let offsets = stream.named("point").normals(2 * dim);
    let start = DVector::from_column_slice(&offsets[..dim]);
    let (p, _, normal, _) = flow.foot(&start);
    if curved && alone == 0.0 {
        // Tangential at the foot point, where its slip and its bend of the normal block add up.
        let along: f64 = (0..inner).map(|i| flow.slip[i] * p[i]).sum();
        (0..inner).for_each(|i| flow.slip[i] -= along * p[i]);
    }
    // A map of the same shape: on the sphere an isometry, and a contraction towards it.
    let isometry = frame_from_normals(inner, inner, &stream.named("turn").normals(inner * inner));
    let map = Invariant {
        linear: if curved { isometry.clone() } else { isometry * 1.2 },
        bowl: &flow.bowl * 0.3,
        slip: flow.slip.iter().map(|a| 0.3 * a).collect(),
        normal: &flow.normal * -0.3,
        ..flow.clone()
    };
    let toward = &normal * DVector::from_column_slice(&offsets[dim..dim + normal.ncols()]);
    let mut point = &p + &toward * (distance / toward.norm());
    if curved && point.rows(0, inner).dot(&p.rows(0, inner)) < 0.0 {
        // Past the centre the nearest point would be another one: stay on this side.
        point = &p - &toward * (distance / toward.norm());
    }
    let facts = measure(&flow, &map, &point)?;
    let labels = Labels::of(if curved { "invariant sphere" } else { "invariant plane" });
    let world = World { flow, map, point: point.as_slice().to_vec() };
    Ok(Observation::new(&world, facts).labelled(labels))
}

fn measure(flow: &Invariant, map: &Invariant, x: &DVector<f64>) -> Result<Facts> {
    let mut facts = Facts::new();
    let (p, tangent, normal, r) = flow.foot(x);
    let exact = |value: f64| Quantity::new(value, 1e-12 * (1.0 + value.abs()), Grade::Symbolic);
    let curvature = f64::from(flow.curved);
    facts.set("curvature", Quantity::exact(curvature));
    facts.set("reach", Quantity::exact(if flow.curved { 1.0 } else { 1e9 }));
    facts.set("distance", exact(r));
    facts.set("second_derivative", flow.second_derivative(&p, x));

    let v = flow.value(x);
    let still = DMatrix::zeros(x.len(), x.len());
    let here =
        blocks_by_projector(&flow.derivative(x), &tangent, &normal, &flow.projector_rate(x, &v))?;
    let a = flow.derivative(&p);
    let on = blocks_by_projector(&a, &tangent, &normal, &still)?;
    facts.set("gamma", exact(here.gamma));
    facts.set("kappa", exact(here.kappa));
    facts.set("eta", exact(here.eta));
    facts.set("gamma_on", exact(on.gamma));
    facts.set("kappa_on", exact(on.kappa));
    facts.set("eta_on", exact(on.eta));
    let (_, foot_velocity) = flow.foot_velocity(x, &v);
    facts.set("foot_slip", exact((foot_velocity - flow.value(&p)).norm()));

    let (image, q) = (map.value(x), map.value(&p));
    let (p1, tangent1, normal1, r1) = map.foot(&image);
    let (_, tangent_q, normal_q, _) = map.foot(&q);
    let (off, on) = (map.derivative(x), map.derivative(&p));
    facts.set("map_second_derivative", map.second_derivative(&p, x));
    facts.set("map_distance_after", exact(r1));
    let chord = (p1 - q).norm();
    facts.set("map_foot_distance", exact(chord));
    // On the unit sphere an arc; arcsine has no slope at the chord 2 of antipodes.
    let arc = if flow.curved { 2.0 * (0.5 * chord).min(1.0).asin() } else { chord };
    let steepness =
        if flow.curved { (1.0 - 0.25 * chord * chord).max(1e-12).sqrt().recip() } else { 1.0 };
    facts.set("map_foot_arc", exact(arc).widened(1e-12 * steepness));
    facts.set("map_norm", exact(spectral_norm(&on)?));
    facts.set("map_tangent_norm", exact(spectral_norm(&(&on * &tangent))?));
    facts.set("map_normal_norm", exact(spectral_norm(&(&on * &normal))?));
    facts.set("map_tt", exact(least_singular_value(&(tangent1.tr_mul(&off) * &tangent))?));
    facts.set("map_nn", exact(spectral_norm(&(normal1.tr_mul(&off) * &normal))?));
    facts.set("map_nt", exact(spectral_norm(&(normal1.tr_mul(&off) * &tangent))?));
    facts.set("map_tn", exact(spectral_norm(&(tangent1.tr_mul(&off) * &normal))?));
    facts.set("map_tt_on", exact(least_singular_value(&(tangent_q.tr_mul(&on) * &tangent))?));
    facts.set("map_nn_on", exact(spectral_norm(&(normal_q.tr_mul(&on) * &normal))?));
    facts.set("map_tn_on", exact(spectral_norm(&(tangent_q.tr_mul(&on) * &normal))?));
    Ok(facts)
}
