//! What weakens the evidence of a world.

use super::field::ErrorShape;
use super::world::World;
use crate::facts::Grade;
use crate::formula::Kink;
use crate::manifold::{Chart, Manifold, Ridge};

impl World {
    /// What a reader of the results should know; estimated curvature is computed when this is asked for.
    pub fn weaknesses(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        notes.extend(self.kinks());
        let Some(manifold) = &self.manifold else { return notes };
        let ridges = manifold.pieces().iter().filter_map(|piece| match &piece.chart {
            Chart::Ridge(ridge) => Some(of_samples(ridge)),
            _ => None,
        });
        let before = notes.len();
        notes.extend(ridges);
        let curvature = manifold.curvature();
        if curvature.grade >= Grade::Estimated {
            let bound = if notes.len() > before { "about" } else { "at least" };
            notes.push(format!(
                "the curvature of the manifold is estimated: {bound} {:.4}",
                curvature.value
            ));
        }
        notes
    }

    /// The functions with kinks or jumps in its formulas.
    fn kinks(&self) -> Vec<String> {
        let of_model = self.formulas().map(|field| (field, "in the formulas of the model"));
        let of_errors = self.errors().iter().filter_map(|error| match &error.field {
            ErrorShape::Formula(field) => Some((field, "in the formula of an error")),
            ErrorShape::Waves(_) => None,
        });
        let of_fields = of_model
            .into_iter()
            .chain(of_errors)
            .map(|(field, there)| (field.formula().kinks(), there));
        let pieces = self.manifold.as_ref().map_or(&[][..], Manifold::pieces);
        let of_charts = pieces.iter().filter_map(|piece| match &piece.chart {
            Chart::Stated(chart) => Some((chart.kinks(), "in the formulas of the chart")),
            Chart::Implicit(chart) => Some((chart.kinks(), "in the equations of the manifold")),
            _ => None,
        });
        let told = |(kinks, there): (&[Kink], &str)| -> Vec<String> {
            let one = |kink: &Kink| {
                let place = match &kink.helper {
                    Some(helper) => format!("in the definition of {helper}"),
                    None => there.to_owned(),
                };
                let name = &kink.name;
                format!("{name} ({place}) has kinks or jumps: derivatives are those of its pieces")
            };
            kinks.iter().map(one).collect()
        };
        let of_network = self.network().into_iter().flat_map(|model| &model.kinks);
        let of_network = of_network
            .map(|kink| format!("the network is not smooth, where the theory asks for C²: {kink}"));
        of_fields.chain(of_charts).flat_map(told).chain(of_network).collect()
    }
}

/// What it means that samples are all that is known of a manifold.
fn of_samples(ridge: &Ridge) -> String {
    let width = ridge.width();
    format!(
        "the manifold is estimated from {} samples alone, which spread {:.1} times as far along it as across: it is the ridge of \
         their density under a Gaussian kernel of deviation {width:.4}, and lies inside its bends by about {:.2e} times their \
         curvature; all bars reach what is measured under a kernel twice as wide",
        ridge.samples(),
        ridge.ratio().sqrt(),
        0.5 * width * width,
    )
}
