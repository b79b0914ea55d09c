//! The examples that come with the command.

/// An example.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// Its name, the stem of its file under `examples/scenarios`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(Template {
            name: $name,
            text: include_str!(concat!("../../examples/scenarios/", $name, ".toml")),
        }),*]
    };
}

/// All of them.
pub const TEMPLATES: &[Template] = templates![
    "alignment-without-robustness",
    "ancestral-sampling",
    "chart-of-a-torus",
    "circle-by-samples",
    "ddim",
    "earthquakes-on-the-sphere",
    "ellipse",
    "equation-of-an-ellipse",
    "free-coupling",
    "gaussian-path",
    "henon-map",
    "late-error",
    "lorenz-63",
    "own-drift",
    "rotating-linear-flow",
    "swiss-roll",
    "torus",
    "trained-moons",
    "two-moons",
    "uniform-sphere",
    "union-of-circles",
    "without-a-low-start",
    "without-relative-compression",
    "without-small-cross-derivatives",
    "without-small-derivatives-of-the-error",
    "without-small-second-derivatives",
    "without-transversality",
];

/// Files that examples name, as seen from them, and their bytes.
const BESIDE: [(&str, &[u8]); 2] = [
    (
        "../../data/models/moons_vp_eps_mlp3x128.ts17.onnx",
        include_bytes!("../../data/models/moons_vp_eps_mlp3x128.ts17.onnx"),
    ),
    ("circle-by-samples.csv", include_bytes!("../../examples/scenarios/circle-by-samples.csv")),
];

/// The example of that name.
pub fn template(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

impl Template {
    /// The example for a folder of its own: its text, and the file that has to lie beside it, where it names one.
    pub fn apart(&self) -> (String, Option<(&'static str, &'static [u8])>) {
        let Some((path, bytes)) = BESIDE.into_iter().find(|(path, _)| self.text.contains(path))
        else {
            return (self.text.to_owned(), None);
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        (self.text.replace(path, name), Some((name, bytes)))
    }

    /// Its title.
    pub fn title(&self) -> &'static str {
        let line = self.text.lines().find_map(|line| line.strip_prefix("title = \""));
        line.and_then(|rest| rest.strip_suffix('"')).unwrap_or(self.name)
    }
}
