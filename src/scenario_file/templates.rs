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

/// The data file that lies beside an example: its name and its text.
const DATA: [(&str, &str, &str); 1] = [(
    "circle-by-samples",
    "circle-by-samples.csv",
    include_str!("../../examples/scenarios/circle-by-samples.csv"),
)];

/// The example of that name.
pub fn template(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

impl Template {
    /// The name and the text of the data file beside it, where it has one.
    pub fn data(&self) -> Option<(&'static str, &'static str)> {
        let found = DATA.iter().find(|(name, ..)| *name == self.name);
        found.map(|(_, file, text)| (*file, *text))
    }

    /// Its title.
    pub fn title(&self) -> &'static str {
        let line = self.text.lines().find_map(|line| line.strip_prefix("title = \""));
        line.and_then(|rest| rest.strip_suffix('"')).unwrap_or(self.name)
    }
}
