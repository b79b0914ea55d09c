//! Manifolds and laws.

use super::Point;
use crate::scenario_file::located::{At, Components, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A manifold by name.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Manifold {
    /// The circle about 0 in the plane.
    Circle {
        /// Its radius.
        radius: At<Value>,
    },
    /// The ellipse x²/a² + y²/b² = 1.
    Ellipse {
        /// Half axis along x.
        a: At<Value>,
        /// Half axis along y.
        b: At<Value>,
    },
    /// The sphere about 0, of dimension `dim` in `dim` + 1 coordinates.
    Sphere {
        /// Its dimension.
        dim: At<u32>,
        /// Its radius.
        radius: At<Value>,
    },
    /// The torus of revolution in space.
    Torus {
        /// Radius of the circle of centres.
        major: At<Value>,
        /// Radius of the tube, less than `major`.
        minor: At<Value>,
    },
    /// A product of circles, each in two coordinates.
    FlatTorus {
        /// Radii of the circles.
        radii: Vec<At<Value>>,
    },
    /// An arc of a circle about 0 in the plane, with two ends.
    Arc {
        /// Radius of the circle.
        radius: At<Value>,
        /// First angle, in radians.
        from: At<Value>,
        /// Last angle, in radians.
        to: At<Value>,
    },
    /// Two half circles: the upper one about 0, the lower one about (1, 1/2) times the radius.
    Moons {
        /// Radius of both.
        radius: At<Value>,
    },
    /// The spiral (inner + growth·t)(cos t, sin t), 0 ≤ t ≤ angle, times an interval of the third coordinate.
    SwissRoll {
        /// Radius of the inner end.
        inner: At<Value>,
        /// Growth of the radius per radian.
        growth: At<Value>,
        /// Total angle, in radians.
        angle: At<Value>,
        /// Half the length of the interval.
        half_width: At<Value>,
    },
    /// The space of the first `dim` coordinates.
    Flat {
        /// Its dimension.
        dim: At<u32>,
    },
    /// A box in the first coordinates, with boundary.
    Cuboid {
        /// Half its width along each of them.
        half_widths: Vec<At<Value>>,
    },
    /// The points that formulas give for coordinates in their ranges, an immersion; its curvature is sampled.
    Chart {
        /// The coordinates, which the formulas use.
        #[schemars(with = "BTreeMap<String, CoordinateRange>")]
        coordinates: BTreeMap<toml::Spanned<String>, At<CoordinateRange>>,
        /// The point: one formula for each of the first coordinates of the state, or one whose value is a vector.
        point: At<Components>,
    },
    /// The states at which formulas of them are 0, with independent gradients; its curvature is sampled.
    Implicit {
        /// The formulas, or one whose value is a vector: as many as the manifold has normal directions.
        equations: At<Components>,
        /// For each coordinate of the state a range, in which the manifold is looked for; it may go beyond, a law on it does not,
        /// which smooth curves have.
        within: At<Vec<Point>>,
    },
    /// The ridge of the rows of a file: a smooth manifold through their local means, by local principal components.
    Samples {
        /// A .npy or .csv file; relative paths start at the folder of the scenario file.
        file: At<String>,
        /// The dimension of the manifold.
        dimension: At<u32>,
        /// How many nearest rows are averaged over: the kernel has the spread of so many, in the median; 2·4^dimension when
        /// it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        neighbours: Option<At<u32>>,
    },
    /// The ridge of the rows of a data set that comes with the command.
    DataSet {
        /// The name of its file, as `mesh_bunny_5000pts_with_normals.npy`.
        name: At<String>,
        /// The dimension of the manifold.
        dimension: At<u32>,
        /// As in `samples`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        neighbours: Option<At<u32>>,
    },
    /// Manifolds of one dimension, which do not meet.
    Union(Vec<At<UnionPart>>),
}

/// A part of a union.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnionPart {
    /// The manifold.
    pub shape: At<Manifold>,
    /// What is added to its points; nothing when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<Point>,
}

/// What a coordinate of a chart ranges over.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoordinateRange {
    /// Its least value.
    pub from: At<Value>,
    /// Its largest value.
    pub to: At<Value>,
    /// Whether the largest value is the least one again; else both are boundary.
    #[serde(default)]
    pub periodic: bool,
}

/// The law of the data.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Law {
    /// The uniform law of the manifold.
    Uniform {
        /// How much of it lies on each part of a union; as much as the part has volume when they are not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights: Option<At<Vec<At<Value>>>>,
        /// Standard deviation of Gaussian noise in every direction; 0 when it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thickness: Option<At<Value>>,
    },
    /// Density exp⟨direction, x⟩ on the manifold: the von Mises–Fisher law on a sphere.
    Tilt {
        /// One number for each coordinate.
        direction: Vec<At<Value>>,
        /// Standard deviation of Gaussian noise in every direction; 0 when it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thickness: Option<At<Value>>,
    },
    /// The rows of a file as atoms.
    Samples {
        /// A .npy or .csv file; relative paths start at the folder of the scenario file.
        file: At<String>,
        /// Standard deviation of Gaussian noise in every direction; 0 when it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thickness: Option<At<Value>>,
    },
    /// The rows of a data set that comes with the command, as atoms.
    DataSet {
        /// The name of its file, as `s2_vega_earthquakes_xyz.npy`.
        name: At<String>,
        /// Standard deviation of Gaussian noise in every direction; 0 when it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thickness: Option<At<Value>>,
    },
    /// The normal law with independent coordinates.
    Gaussian {
        /// Mean of each coordinate.
        mean: Vec<At<Value>>,
        /// Standard deviation of each coordinate, at least 0.
        deviations: Vec<At<Value>>,
    },
    /// Points with weights.
    Atoms {
        /// The points.
        points: Vec<Point>,
        /// One positive weight for each; equal ones when they are not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights: Option<At<Vec<At<Value>>>>,
        /// Standard deviation of Gaussian noise in every direction; 0 when it is not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thickness: Option<At<Value>>,
    },
}
