//! Manifolds that data are known to lie on, by name.

use crate::error::{Error, Result};
use crate::manifold::{Chart, Manifold, Sphere};

/// Names that there are.
const NAMES: &str = "moons, circle, sphere, with a radius as in sphere:0.5";

/// The manifold of that name in R^D, of radius 1 or the one after the colon.
///
/// *Errors*: [`Error::Input`] for an unknown name, a radius that is not positive, or another dimension.
pub fn manifold(name: &str, dim: usize) -> Result<Manifold> {
    let shown: String = name.chars().take(40).collect();
    let refuse = |problem: String| Err(Error::input(format!("--manifold {shown}"), problem, NAMES));
    let (kind, radius) = name.split_once(':').unwrap_or((name, "1"));
    let radius: f64 = match radius.parse() {
        Ok(radius) if radius > 0.0 && radius < 1e50 => radius,
        _ => return refuse("the radius is not a positive number".to_owned()),
    };
    let fits = |expected: usize| match dim == expected {
        true => Ok(()),
        false => refuse(format!("lies in R^{expected}, the network's states in R^{dim}"))
            .map(|_: Manifold| ()),
    };
    match kind {
        "moons" => {
            fits(2)?;
            Manifold::moons(radius)
        }
        "circle" => {
            fits(2)?;
            Manifold::new(Chart::Sphere(Sphere { dim: 1, radius }))
        }
        "sphere" if dim > 1 => Manifold::new(Chart::Sphere(Sphere { dim: dim - 1, radius })),
        _ => refuse("there is none of this name".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_manifolds_have_their_reach_and_others_are_refused() {
        assert!((manifold("moons", 2).unwrap().reach_at_least() - 0.25).abs() < 1e-12);
        assert!((manifold("sphere:0.5", 3).unwrap().reach_at_least() - 0.5).abs() < 1e-12);
        for (bad, dim) in [
            ("moons", 3),
            ("moon", 2),
            ("sphere:-1", 3),
            ("sphere:x", 3),
            ("circle", 4),
            ("sphere", 1),
        ] {
            assert!(manifold(bad, dim).unwrap_err().is_input(), "{bad}");
        }
    }
}
