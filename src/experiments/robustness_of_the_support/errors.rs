//! Every model class with every kind of error, measured once for several figures.

use super::study::{Response, Study};
use crate::drift::Parametrisation;
use crate::error::Result;
use crate::experiments::model_class::Class;
use crate::figure::{Axis, Ink};

/// Every class with every error that it can have.
pub struct All {
    rows: Vec<(Class, Parametrisation, Response)>,
}

impl All {
    /// Measures them.
    ///
    /// *Errors*: as [`Study::measure`].
    pub fn measure(study: &Study) -> Result<Self> {
        let mut rows = Vec::new();
        for class in Class::ALL {
            for parametrisation in Parametrisation::ALL {
                if class.predicts(parametrisation) {
                    rows.push((class, parametrisation, study.measure(class, parametrisation)?));
                }
            }
        }
        Ok(Self { rows })
    }

    /// What was measured of one.
    pub fn of(&self, class: Class, parametrisation: Parametrisation) -> Option<&Response> {
        let found =
            |row: &&(Class, Parametrisation, Response)| (row.0, row.1) == (class, parametrisation);
        self.rows.iter().find(found).map(|row| &row.2)
    }

    /// Everything that was measured.
    pub fn responses(&self) -> impl Iterator<Item = &Response> {
        self.rows.iter().map(|row| &row.2)
    }

    /// What was measured for one kind of error.
    pub fn rows_of(
        &self,
        parametrisation: Parametrisation,
    ) -> impl Iterator<Item = (Class, &Response)> {
        self.rows.iter().filter(move |row| row.1 == parametrisation).map(|row| (row.0, &row.2))
    }
}

/// As axes and titles say it.
pub fn error_of(parametrisation: Parametrisation) -> &'static str {
    match parametrisation {
        Parametrisation::Denoiser => "error of the denoiser",
        Parametrisation::Noise => "error of the noise prediction",
        Parametrisation::Score => "error of the score",
        Parametrisation::Velocity => "error of the velocity",
    }
}

/// Names of the classes on axes.
const SHORT_NAMES: [&str; 5] = ["ODE", "SDE", "FM", "OT", "SI"];

/// The axis of the classes, each at its place.
pub fn class_axis() -> Axis {
    Axis::of("model class", SHORT_NAMES).from_to(-0.5, 4.5)
}

/// What the names on that axis stand for.
pub fn classes() -> String {
    let names = Class::ALL.iter().zip(SHORT_NAMES);
    names.map(|(class, short)| format!("{short} {}", class.name())).collect::<Vec<_>>().join(", ")
}

/// Size of an error, with its unit: that of the data is 1.
pub fn size_axis(parametrisation: Parametrisation) -> Axis {
    let unit = match parametrisation {
        Parametrisation::Denoiser => "length",
        Parametrisation::Noise => "no unit",
        Parametrisation::Score => "1/length",
        Parametrisation::Velocity => "length/time",
    };
    Axis::log(format!("size ε ({unit})"))
}

/// The median |w_N| of a random error of unit root mean square in D dimensions, taken as Gaussian, in codimension 1.
pub fn normal_share(dim: usize) -> f64 {
    0.674_489_750_196_081_7 / (dim as f64).sqrt()
}

/// As tables and captions say it.
pub fn name_of(parametrisation: Parametrisation) -> &'static str {
    error_of(parametrisation).trim_start_matches("error of the ")
}

/// The same kind of error has the same colour where kinds are drawn together.
pub fn ink_of_kind(parametrisation: Parametrisation) -> Ink {
    let nth = Parametrisation::ALL.iter().position(|other| *other == parametrisation);
    Ink::Series(nth.unwrap_or(0) as u8)
}

/// The same class has the same colour in every figure.
pub fn ink_of(class: Class) -> Ink {
    Ink::Series(class.place() as u8)
}
