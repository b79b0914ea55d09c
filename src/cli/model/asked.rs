//! What is asked of a trained network, checked before anything is computed.

use super::{Options, Where};
use crate::drift::{Convention, Prediction, Trained};
use crate::error::{Error, Result};
use crate::manifold::Manifold;
use crate::network::{Field, Network, Opened};
use crate::points::{Columns, PointSet, Scaling};
use std::path::Path;

/// Everything that the options ask for, checked.
pub struct Asked {
    /// The network under its convention.
    pub trained: Trained<Field>,
    /// The data, in the units of the network.
    pub data: Option<PointSet>,
    /// What they lie on, where that is known.
    pub manifold: Option<Manifold>,
    /// Rows and columns of an image.
    pub shape: Option<(usize, usize)>,
    /// What was asked for, in words.
    pub about: String,
}

/// Reads and checks everything before anything is computed.
pub fn asked(options: &Options) -> Result<Asked> {
    let predicts = Prediction::named(&options.predicts, options.sigma_data)?;
    let convention = Convention::preset(&options.preset, predicts, options.time.as_deref())?;
    let ports = (options.state.as_deref(), options.time_input.as_deref());
    let Opened { field, about, kinks } = Network::open(&options.file, ports.0, ports.1)?;
    let mut about = format!(
        "Network: {about}. Convention: {}; the network's time is {}; dx/ds = `{}`. ",
        convention.name,
        convention.time.formula(),
        convention.velocity(),
    );
    if !kinks.is_empty() {
        about += &format!(
            "**Not smooth**, where the theory asks for C², or speaks of the maps (T2.2): {}. ",
            kinks.join("; ")
        );
    }
    let dim = field.dim();
    let shape = shape(options.shape.as_deref(), dim)?;
    let data = options.data.as_deref().map(|path| data(path, options, dim)).transpose()?;
    let manifold =
        options.manifold.as_deref().map(|name| super::known::manifold(name, dim)).transpose()?;
    if let Some(d) = options.dimension
        && !(1..dim).contains(&d)
    {
        let problem = format!("{d} is not between 1 and {}", dim.saturating_sub(1));
        return Err(Error::input("--dimension", problem, "the dimension of the data"));
    }
    if options.space == Where::Torus && !dim.is_multiple_of(2) {
        let problem = format!("{dim} coordinates are no product of circles");
        return Err(Error::input(
            "--space torus",
            problem,
            "a network of states (cos, sin, cos, sin, …)",
        ));
    }
    Ok(Asked { trained: Trained { network: field, convention }, data, manifold, shape, about })
}

fn shape(asked: Option<&str>, dim: usize) -> Result<Option<(usize, usize)>> {
    let Some(text) = asked else { return Ok(None) };
    let sides: Option<(usize, usize)> =
        text.split_once('x').and_then(|(h, w)| Some((h.parse().ok()?, w.parse().ok()?)));
    match sides {
        Some((h, w)) if h.checked_mul(w) == Some(dim) => Ok(Some((h, w))),
        _ => {
            let problem = format!("{text:?} is not a height and width of {dim} numbers");
            Err(Error::input("--shape", problem, "as in --shape 28x28"))
        }
    }
}

fn data(path: &Path, options: &Options, dim: usize) -> Result<PointSet> {
    let mut set = PointSet::read(path, Columns::Points, Scaling::None)?;
    if set.dim() != dim {
        let problem = format!("points have {} numbers, the network's state {dim}", set.dim());
        return Err(Error::file(path, problem, "the data on which the network was trained"));
    }
    if !(options.divide.is_finite() && options.divide != 0.0 && options.shift.is_finite()) {
        let problem = format!("data/{} + {} is not a scaling", options.divide, options.shift);
        return Err(Error::input("--divide and --shift", problem, "as in --divide 8 --shift -1"));
    }
    set.points.iter_mut().for_each(|x| *x = *x / options.divide + options.shift);
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        assert_eq!(shape(Some("8x8"), 64).unwrap(), Some((8, 8)));
        assert_eq!(shape(None, 64).unwrap(), None);
        for bad in ["8", "8x9", "x8", "-8x-8", "9999999999999999999x8", "4294967296x4294967296"] {
            assert!(shape(Some(bad), 64).unwrap_err().to_string().contains("--shape"), "{bad}");
        }
    }
}
