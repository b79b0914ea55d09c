//! Laws of bodies: their gauge, boundary, density and masses, against closed forms and differences.

use driftproof::manifold::{Body, Outline};
use driftproof::random::Stream;
use driftproof::special::gauss_legendre;
use nalgebra::{DMatrix, DVector};
use std::f64::consts::{PI, TAU};

const HALF_AXES: [f64; 5] = [1.4, 0.6, 0.9, 2.0, 1.1];
const COSINES: [f64; 3] = [0.2, -0.1, 0.05];
const SINES: [f64; 3] = [0.1, 0.15, -0.08];
const RADIUS: f64 = 1.7;

fn star(order: i32) -> Body {
    let outline =
        Outline::Star { radius: RADIUS, cosines: COSINES.to_vec(), sines: SINES.to_vec() };
    Body::new(vec![0.4, -0.3], outline, order).unwrap()
}

/// r, r' and r'' of the star, term by term.
fn star_radius(angle: f64) -> [f64; 3] {
    let mut r = [1.0, 0.0, 0.0];
    for (i, (c, s)) in COSINES.iter().zip(SINES).enumerate() {
        let m = i as f64 + 1.0;
        let (sin, cos) = (m * angle).sin_cos();
        r[0] += c * cos + s * sin;
        r[1] += m * (s * cos - c * sin);
        r[2] -= m * m * (c * cos + s * sin);
    }
    r.map(|r| RADIUS * r)
}

fn mirror(dim: usize) -> DVector<f64> {
    DVector::from_fn(dim, |i, _| 1.0 + i as f64).normalize()
}

fn ellipsoid(dim: usize, order: i32) -> Body {
    let outline = Outline::Ellipsoid {
        half_axes: HALF_AXES[..dim].to_vec(),
        mirror: mirror(dim).as_slice().to_vec(),
    };
    Body::new((0..dim).map(|i| 0.2 * i as f64 - 0.1).collect(), outline, order).unwrap()
}

fn centre(body: &Body) -> DVector<f64> {
    DVector::from_column_slice(body.centre())
}

/// Some directions of each of bodies in 2, 3 and 5 dimensions, of every order.
fn cases() -> Vec<(Body, Vec<DVector<f64>>)> {
    let bodies = [star(0), star(1), star(2), ellipsoid(2, 1), ellipsoid(3, 2), ellipsoid(5, 0)];
    let directions = |body: &Body| {
        let all = body.directions(7, Stream::root(3));
        all.into_iter().map(|(direction, _)| DVector::from_vec(direction)).collect()
    };
    bodies.into_iter().map(|body| (body.clone(), directions(&body))).collect()
}

fn close(ours: f64, exact: f64, tolerance: f64) {
    assert!((ours - exact).abs() <= tolerance * (1.0 + exact.abs()), "{ours} against {exact}");
}

#[test]
fn the_boundary_is_where_the_outline_says_and_rays_end_at_the_centre() {
    for (body, directions) in cases() {
        let c = centre(&body);
        for direction in directions {
            let edge = DVector::from_vec(body.boundary_point(direction.as_slice()).point) - &c;
            let expected = match body.outline() {
                Outline::Star { .. } => {
                    &direction * star_radius(direction[1].atan2(direction[0]))[0]
                }
                Outline::Ellipsoid { half_axes, mirror } => {
                    let (v, dim) = (DVector::from_column_slice(mirror), c.len());
                    let axes = DVector::from_column_slice(half_axes);
                    let turn = DMatrix::identity(dim, dim) - &v * v.transpose() * 2.0;
                    turn * DMatrix::from_diagonal(&axes) * &direction
                }
            };
            assert!((&edge - expected).norm() < 1e-14, "{body:?}");
            for depth in [0.0, 0.3, 0.9] {
                let x = body.at_depth(direction.as_slice(), depth);
                let offset = DVector::from_column_slice(&x) - &c;
                assert!((offset - &edge * (1.0 - depth)).norm() < 1e-14);
                // Homogeneous of degree 1, and 1 on the boundary.
                close(body.gauge_square(&x), (1.0 - depth).powi(2), 1e-13);
            }
            assert_eq!(body.at_depth(direction.as_slice(), 1.0), body.centre());
        }
    }
}

#[test]
fn normals_slopes_and_coefficients_are_those_of_the_density_at_the_boundary() {
    for (body, directions) in cases() {
        for direction in directions {
            let edge = body.boundary_point(direction.as_slice());
            let (z, n) =
                (DVector::from_vec(edge.point.clone()), DVector::from_vec(edge.normal.clone()));
            // ∇(q²) by central differences, error h².
            let h = 1e-5;
            let gradient = DVector::from_fn(z.len(), |i, _| {
                let at = |h: f64| {
                    let mut x = z.clone();
                    x[i] += h;
                    body.gauge_square(x.as_slice())
                };
                (at(h) - at(-h)) / (2.0 * h)
            });
            close(edge.slope, gradient.norm(), 1e-8);
            assert!((&n * edge.slope - gradient).norm() < 1e-8 * edge.slope);
            // ρ(z − s n) = c s^k (1 + O(s)).
            let s: f64 = 1e-6;
            let inside = body.density((&z - &n * s).as_slice());
            close(inside / s.powi(body.order()) / edge.coefficient, 1.0, 1e-4);
            assert_eq!(body.density((&z + &n * s).as_slice()), 0.0);
            // A cone over dS has the volume ⟨z − c, n⟩ dS/D, and per direction `stretch`/D.
            let height = n.dot(&(&z - centre(&body)));
            close(edge.area * height, body.stretch(direction.as_slice()), 1e-12);
        }
    }
}

#[test]
fn directions_share_the_surface_of_the_sphere() {
    for (body, surface) in
        [(star(0), TAU), (ellipsoid(3, 0), 4.0 * PI), (ellipsoid(5, 0), 8.0 * PI * PI / 3.0)]
    {
        let directions = body.directions(11, Stream::root(1));
        assert_eq!(directions.len(), 11);
        close(directions.iter().map(|(_, weight)| weight).sum(), surface, 1e-13);
        for (direction, weight) in &directions {
            assert_eq!(direction.len(), body.dim());
            close(direction.iter().map(|x| x * x).sum(), 1.0, 1e-14);
            close(*weight, surface / 11.0, 1e-14);
        }
    }
    // In the plane evenly: sums of cos mθ vanish for m < 11.
    for m in 1..11 {
        let angle = |d: &[f64]| f64::from(m) * d[1].atan2(d[0]);
        let waves = star(0).directions(11, Stream::root(1));
        let sum: f64 = waves.iter().map(|(d, _)| angle(d).cos()).sum();
        assert!(sum.abs() < 1e-12, "{m}: {sum}");
    }
}

#[test]
fn masses_are_integrals_of_the_density_and_add_up_to_one() {
    let rule = gauss_legendre(40);
    for (body, directions) in cases() {
        for direction in directions {
            let u = direction.as_slice();
            for t in [0.2, 0.7, 1.0] {
                // ∫_0^t ρ stretch (1 − s)^{D−1} ds by the midpoint rule.
                let steps = 4000;
                let along = |k: i32| {
                    let s = t * (f64::from(k) + 0.5) / f64::from(steps);
                    body.density(&body.at_depth(u, s)) * (1.0 - s).powi(body.dim() as i32 - 1)
                };
                let sum: f64 = (0..steps).map(along).sum::<f64>() * t / f64::from(steps);
                close(body.mass_above(u, t, &rule) / (sum * body.stretch(u)), 1.0, 1e-6);
            }
        }
        // All directions of an ellipsoid weigh the same; a star is smooth in its angle.
        let all = body.directions(200, Stream::root(2));
        let mass: f64 = all.iter().map(|(u, weight)| weight * body.mass_above(u, 1.0, &rule)).sum();
        close(mass, 1.0, 1e-12);
    }
    // And without rays, on a grid of the plane, whose edge costs h² where the density vanishes to order 2.
    for body in [star(2), ellipsoid(2, 2)] {
        let (half, cells) = (4.0, 800);
        let at = |i: i32| half * (2.0 * (f64::from(i) + 0.5) / f64::from(cells) - 1.0);
        let column =
            |i: i32| -> f64 { (0..cells).map(|j| body.density(&[at(i), at(j)])).sum::<f64>() };
        let cell = (2.0 * half / f64::from(cells)).powi(2);
        close((0..cells).map(column).sum::<f64>() * cell, 1.0, 1e-4);
    }
}

#[test]
fn the_layer_is_the_least_radius_of_curvature_or_of_the_body_over_its_dimensions() {
    let ball = |dim: usize| {
        let outline = Outline::Ellipsoid { half_axes: vec![1.5; dim], mirror: vec![0.0; dim] };
        Body::new(vec![0.0; dim], outline, 0).unwrap().layer(16)
    };
    close(ball(2), 1.5, 1e-15);
    close(ball(4), 0.5, 1e-15);
    // a²/b at the ends of the longest axis.
    close(ellipsoid(2, 0).layer(16), 0.36 / 1.4, 1e-15);
    close(ellipsoid(5, 0).layer(16), (0.6_f64 / 4.0).min(0.36 / 2.0), 1e-15);
    let count = 500;
    let least = (0..count).map(|i| {
        let [r, d, dd] = star_radius(TAU * f64::from(i) / f64::from(count));
        r.min((r * r + d * d).powf(1.5) / (r * r + 2.0 * d * d - r * dd).abs())
    });
    close(star(0).layer(count as usize), least.fold(f64::INFINITY, f64::min), 1e-12);
}
