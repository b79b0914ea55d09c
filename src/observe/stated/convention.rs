//! Whether samples of a network under the convention of a file are nearest to the law of the file.

use crate::flow::Method;
use crate::observe::model::conventions::{self, Tried};
use crate::observe::model::space::Space;
use crate::observe::model::{LARGE, Model};
use crate::points::PointSet;
use crate::scenario_file::{TrainedModel, World};
use nalgebra::DMatrix;

/// Samples of each convention; fewer of networks that are [`LARGE`].
const SAMPLES: (usize, usize) = (200, 24);

/// Steps of the flow that samples; rivals have their own number.
const STEPS: usize = 100;

/// Rivals of the convention that fit the law better, or as well: nothing without a network and its law.
pub fn rivals(world: &World) -> Vec<String> {
    let (Some(model), Some(law)) = (world.network(), &world.trained_on) else { return Vec::new() };
    let TrainedModel { trained, preset, sigma_data, .. } = model;
    let count = if trained.network.multiply_adds() > LARGE { SAMPLES.1 } else { SAMPLES.0 };
    let stream = world.stream.named("conventions");
    let Ok(draws) = law.draw(count, stream.named("law")) else { return Vec::new() };
    let points = DMatrix::from_vec(world.dim, count, draws.concat());
    let set = PointSet::of_points("draws of the law", points);
    let flow = Model {
        trained,
        space: Space::Flat,
        method: Method::Rk4,
        steps: STEPS,
        span: trained.convention.span(),
    };
    let all = trained.convention.rivals(preset, *sigma_data);
    let found = conventions::compare(&flow, all, &set, count, stream);
    let told = |tried: &Tried, what: &str| {
        format!(
            "the convention {} {what} {}: energy distance {:.3} of its samples to the law, {:.3} of the stated one",
            tried.name, found.declared.name, tried.distance.value, found.declared.distance.value
        )
    };
    let better = found.better().map(|tried| told(tried, "fits the law better than"));
    let alike = found.alike().into_iter().map(|tried| told(tried, "cannot be told from"));
    better.into_iter().chain(alike).collect()
}
