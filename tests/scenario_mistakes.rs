//! What is said of mistakes in scenario files: file, line, column, the offending text, what was expected, what to try.

mod support;

use driftproof::scenario_file::{Source, World};
use std::path::PathBuf;
use support::{run, stderr, stdout};
use tempfile::tempdir;

/// Fewer cases than this would not be a test of messages.
const LEAST_CASES: usize = 60;

const ODE: &str = r#"
title = "A spiral"
[state]
names = ["x", "y"]
[let]
rate = 0.5
turn = "2*pi"
speed = "rate*x"
[manifold.flat]
dim = 1
[model.ode]
drift = ["-rate*x - turn*y", "turn*x - rate*y"]
time = "t"
from = 0
to = 1
[sampler.fixed]
method = "rk4"
steps = 100
[start]
points = [[1, 0.5]]
plane = [[1, 0.25]]
[[errors]]
prediction = "velocity"
size = 0.1
field.constant = [0, 1]
[[checks]]
fact = "end_state[0]"
equals = 0
within = 10
"#;

const MAP: &str = r#"
[state]
vector = { name = "x", size = 2 }
[model.map]
image = ["1 - 1.4*x[0]^2 + x[1]", "0.3*x[0]"]
maps = 100
[start]
points = [[0.1, 0.1]]
[exponents]
transient = 10
[[checks]]
fact = "exponent[0]"
at_least = 0
"#;

const PATH: &str = r#"
[manifold.arc]
radius = 1
from = 0
to = 2
[law.uniform]
thickness = 0
[model.path]
schedule = { ve = { sigma_min = 0.01, sigma_max = 10 } }
sigma_start = 0.5
sigma_end = 0.1
[sampler.fixed]
method = "heun"
steps = 20
[start]
draws = 2
[[checks]]
claim = "relative_compression_forces_alignment"
verdict = "holds"
"#;

const NETWORK: &str = concat!(
    r#"
[manifold.moons]
radius = 1
[model.network]
file = ""#,
    env!("CARGO_MANIFEST_DIR"),
    r#"/data/models/moons_vp_eps_mlp3x128.ts17.onnx"
preset = "vp-linear"
predicts = "eps"
from = 0
to = 0.999
[sampler.fixed]
method = "heun"
steps = 20
[start]
draws = 2
[[checks]]
fact = "end_distance"
at_most = 10
"#
);

/// A file, what is replaced in it, by what (the offending text between « and »), and pieces of the message.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    // The text is no TOML.
    (ODE, "rate = 0.5", "rate = «=» 0.5", &["no TOML", "quotes around"]),
    (ODE, "rate = 0.5", "rate = 0.5\n«rate» = 1", &["stands here twice"]),
    (ODE, "dim = 1", "dim = 1\n«dim» = 2", &["stands here twice"]),
    (ODE, "to = 1\n", "to = «tomorrow»\n", &["no TOML"]),
    // Unknown keys and kinds, with the nearest known one.
    (ODE, "[model.ode]\ndrift", "[model.ode]\n«drfit»", &["unknown key `drfit`", "try: drift"]),
    (
        ODE,
        "steps = 100",
        "«setps» = 100",
        &["unknown key `setps`; expected method, steps", "try: steps"],
    ),
    (ODE, "title =", "«titel» =", &["unknown key `titel`", "try: title"]),
    (ODE, "[start]", "[«strat»]", &["unknown key `strat`", "try: start"]),
    (ODE, "[sampler.fixed]", "[sampler.«fixd»]", &["unknown kind `fixd`", "try: fixed"]),
    (ODE, "[manifold.flat]", "[manifold.«flatt»]", &["unknown kind `flatt`", "try: flat"]),
    (
        ODE,
        "[model.ode]",
        "[model.«odd»]",
        &["unknown kind `odd`; expected ode, map, path, network", "try: ode"],
    ),
    (ODE, "method = \"rk4\"", "method = «\"rk5\"»", &["unknown kind `rk5`", "try: rk4"]),
    (
        ODE,
        "prediction = \"velocity\"",
        "prediction = «\"velocty\"»",
        &["unknown kind `velocty`", "try: velocity"],
    ),
    (PATH, "ve = {", "«vee» = {", &["unknown kind `vee`", "try: ve"]),
    (PATH, "verdict = \"holds\"", "verdict = «\"hold\"»", &["unknown kind `hold`", "try: holds"]),
    (
        PATH,
        "radius = 1",
        "radius = 1\n«centre» = 0",
        &["unknown key `centre`; expected radius, from, to"],
    ),
    (
        ODE,
        "title = \"A spiral\"",
        "title = \"A spiral\"\n«sampling» = 3",
        &["unknown key `sampling`", "expected title"],
    ),
    (
        ODE,
        "[manifold.flat]",
        "[free]\nrate = { low = 0, high = 1, «step» = 2 }\n[manifold.flat]",
        &["unknown key `step`; expected low, high, scale"],
    ),
    (
        ODE,
        "[manifold.flat]",
        "[free]\nrate = { low = 0.1, high = 1, scale = «\"loog\"» }\n[manifold.flat]",
        &["unknown kind `loog`", "try: log"],
    ),
    // Free constants.
    (
        ODE,
        "[manifold.flat]",
        "[free]\n«raet» = { low = 0, high = 1 }\n[manifold.flat]",
        &["`raet` is free, but [let] gives it no value", "try: rate"],
    ),
    (
        ODE,
        "[manifold.flat]",
        "[free]\nrate = { low = 1, high = «1» }\n[manifold.flat]",
        &["a range from 1 to 1", "high above low"],
    ),
    (
        ODE,
        "[manifold.flat]",
        "[free]\nrate = { low = «0», high = 1, scale = \"log\" }\n[manifold.flat]",
        &["a range from 0 has no logarithm", "scale = \"linear\""],
    ),
    (
        ODE,
        "[manifold.flat]",
        "[free]\nrate = «{ low = 1, high = 2 }»\n[manifold.flat]",
        &["[let] gives rate = 0.5, out of its range 1 to 2"],
    ),
    (
        ODE,
        "speed = \"rate*x\"",
        "speed = \"rate*«x»\"\n[free]\nspeed = { low = 1, high = 2 }",
        &["expected a constant"],
    ),
    (
        ODE,
        "[manifold.flat]",
        "[free]\nrate = { low = 0, high = \"«fast»\" }\n[manifold.flat]",
        &["fast is not defined"],
    ),
    (
        PATH,
        "verdict = \"holds\"",
        "wording = «\"without_H2\"»\nverdict = \"holds\"",
        &["is no wrong wording of relative_compression", "try: without_H1"],
    ),
    (
        MAP,
        "at_least = 0",
        "at_least = 0\nwording = «\"without_H1\"»",
        &["a wording is one of a claim", "delete it"],
    ),
    (
        ODE,
        "[sampler.fixed]\nmethod = \"rk4\"",
        "[sampler.ddim]",
        &["only a model.path has noise levels to step between", "[sampler.adaptive]"],
    ),
    // Charts.
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = [\"cos(u)\", \"sin(u)\"]\ncoordinates = { u = { from = 1, to = «1» } }",
        &["u ranges from 1 to 1", "above the start"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = [\"cos(u)\", \"sin(u)\"]\ncoordinates = { u = { from = 0, to = 2, «period» = true } }",
        &["unknown key `period`; expected from, to, periodic"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = [\"cos(u)\", \"sin(u)\"]\ncoordinates = { u = «{ from = 0 }» }",
        &["the key `to` is missing"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = «[\"u^3\", \"u^2\"]»\ncoordinates = { u = { from = -1, to = 1 } }",
        &["no immersion: tangents are dependent at u = ", "other coordinates"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = «[\"log(u)\", \"u\"]»\ncoordinates = { u = { from = 0, to = 1 } }",
        &["not finite at u = 0.0", "on the whole range"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = «[\"cos(u)\", \"sin(u)\"]»\ncoordinates = { u = { from = 0, to = 3, periodic = true } }",
        &["u = 0 and u = 3 are not the same smooth point", "a whole period"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = [\"cos(u)\", \"sin(«w»)\"]\ncoordinates = { u = { from = 0, to = 3 } }",
        &["w is not defined"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = «[\"cos(u)\"]»\ncoordinates = { u = { from = 0, to = 3 } }",
        &["1 formulas of 1 coordinates", "more formulas than coordinates"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = [\"cos(rate)\", \"sin(rate)\"]\ncoordinates = { rate = { from = 0, to = 3 } }",
        &["rate is defined twice"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = [\"cos(exp)\", \"sin(exp)\"]\ncoordinates = { «exp» = { from = 0, to = 3 } }",
        &["exp is a word of the language"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.chart]\npoint = [\"cos(u)\", \"sin(u)\", \"u\"]\ncoordinates = { u = { from = 0, to = 3 } }",
        &["a manifold in 3 coordinates; the state has 2"],
    ),
    // Manifolds by equations.
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.implicit]\nequations = \"x^2 + y^2 - 1\"\nwithin = «[[-3, 3]]»",
        &["1 ranges; expected 2", "one range for each coordinate"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.implicit]\nequations = \"x^2 + y^2 - 1\"\nwithin = [«[3, 3]», [-3, 3]]",
        &["x is looked for from 3 to 3", "above the start"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.implicit]\nequations = \"x^2 + y^2 - 1\"\nwithin = [[-3, 3], «[3]»]",
        &["1 numbers; expected 2"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.implicit]\nequations = «[\"x\", \"y\"]»\nwithin = [[-3, 3], [-3, 3]]",
        &["2 equations for 2 coordinates leave no dimension", "fewer equations"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.implicit]\nequations = «\"x^2 + y^2 + 1\"»\nwithin = [[-3, 3], [-3, 3]]",
        &["no point of the manifold was found"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.implicit]\nequations = «\"x*y\"»\nwithin = [[-3, 3], [-3, 3]]",
        &["gradients vanish or are dependent at x = ", "independent wherever they hold"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.implicit]\nequations = \"x^2 + «z» - 1\"\nwithin = [[-3, 3], [-3, 3]]",
        &["z is not defined"],
    ),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.implicit]\nequations = \"x^2 + «t» - 1\"\nwithin = [[-3, 3], [-3, 3]]",
        &["t is not defined"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[state]\nnames = [\"x\", \"y\", \"z\"]\n[manifold.implicit]\nequations = \"x^2 + y^2 + z^2 - 1\"\nwithin = [[-3, 3], [-3, 3], [-3, 3]]",
        &["on surfaces by equations", "a chart of it"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[manifold.implicit]\nequations = «\"x^2 + y^2 - 1\"»\nwithin = [[-3, 3], [-3, 3]]",
        &["equations need names for the state", "[state]"],
    ),
    // Missing keys.
    (
        ODE,
        "[sampler.fixed]\nmethod = \"rk4\"",
        "«[sampler.fixed]»",
        &["the key `method` is missing", "add method"],
    ),
    (ODE, "to = 1\n", "", &["the key `to` is missing"]),
    (ODE, "size = 0.1\n", "", &["the key `size` is missing"]),
    (MAP, "maps = 100\n", "", &["the key `maps` is missing"]),
    (PATH, "sigma_end = 0.1\n", "", &["the key `sigma_end` is missing"]),
    (PATH, "[start]\ndraws = 2\n", "", &["the key `start` is missing"]),
    (
        ODE,
        "[sampler.fixed]\nmethod = \"rk4\"\nsteps = 100\n",
        "",
        &["a flow needs its steps", "[sampler.fixed]"],
    ),
    (ODE, "[state]\nnames = [\"x\", \"y\"]\n", "", &["formulas need names", "[state]"]),
    (PATH, "[law.uniform]\nthickness = 0\n", "", &["a path needs the law"]),
    (PATH, "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2\n", "", &["how many coordinates"]),
    (PATH, "draws = 2", "", &["no start is given", "draws = 8"]),
    (ODE, "equals = 0\nwithin = 10", "equals = «0»", &["how far from this", "within = 0.01"]),
    (ODE, "equals = 0\nwithin = 10", "within = «1»", &["within what", "equals"]),
    (ODE, "equals = 0\nwithin = 10", "", &["compared with nothing", "at_most"]),
    (PATH, "verdict = \"holds\"", "", &["no verdict is expected"]),
    (
        PATH,
        "claim = \"relative_compression_forces_alignment\"\nverdict = \"holds\"",
        "",
        &["a check of nothing"],
    ),
    // Wrong types.
    (ODE, "steps = 100", "steps = «\"many\"»", &["found string \"many\"; expected a whole number"]),
    (ODE, "steps = 100", "steps = «-3»", &["expected a whole number of at least 0"]),
    (
        ODE,
        "steps = 100",
        "steps = «10.5»",
        &["found floating point `10.5`; expected a whole number"],
    ),
    (
        ODE,
        "size = 0.1",
        "size = «true»",
        &["found boolean `true`; expected a number, or a formula"],
    ),
    (ODE, "points = [[1, 0.5]]", "points = [«1», 0.5]", &["found integer `1`; expected a list"]),
    (ODE, "time = \"t\"", "time = «3»", &["found integer `3`; expected text between quotes"]),
    (ODE, "names = [\"x\", \"y\"]", "names = «\"x\"»", &["expected a list"]),
    (
        ODE,
        "drift = [\"-rate*x - turn*y\", \"turn*x - rate*y\"]",
        "drift = «3»",
        &["a list of formulas, or one formula"],
    ),
    (
        PATH,
        "schedule = { ve = { sigma_min = 0.01, sigma_max = 10 } }",
        "schedule = «\"ve\"»",
        &["a name alone; expected a table"],
    ),
    (
        PATH,
        "schedule = { ve = { sigma_min = 0.01, sigma_max = 10 } }",
        "schedule = «3»",
        &["expected a kind by name"],
    ),
    (ODE, "[manifold.flat]\ndim = 1", "«[manifold]»", &["an empty table", "after a dot"]),
    (
        ODE,
        "[manifold.flat]\ndim = 1",
        "[manifold.flat]\ndim = 1\n[manifold.circle]\nradius = 1",
        &["two kinds in one table"],
    ),
    // Formulas.
    (ODE, "-rate*x - turn*y", "-rate*x - «tern»*y", &["tern is not defined", "turn"]),
    (ODE, "-rate*x - turn*y", "-rate*x «**» y", &["`**` is not part of a formula", "x^2"]),
    (ODE, "-rate*x - turn*y", "«2x»", &["no operator between 2 and x", "2*x"]),
    (ODE, "-rate*x - turn*y", "«sn»(x)", &["sn", "sin"]),
    (ODE, "-rate*x - turn*y", "«sin(x, y)»", &["sin takes 1 argument, found 2"]),
    (ODE, "-rate*x - turn*y", "(x + y", &["("]),
    (ODE, "\"rate*x\"", "\"«ratte»*x\"", &["ratte is not defined", "rate"]),
    (ODE, "\"rate*x\"", "\"«speed» + 1\"", &["defined by each other: speed -> speed"]),
    (ODE, "\"2*pi\"", "\"«1/0»\"", &["this constant part is inf"]),
    (ODE, "rate = 0.5", "rate = «nan»", &["NaN", "finite"]),
    (ODE, "rate = 0.5", "«sin» = 0.5", &["sin is a word of the language", "sin_1"]),
    (ODE, "rate = 0.5", "«x» = 0.5", &["x is defined twice"]),
    (ODE, "names = [\"x\", \"y\"]", "names = [\"x\", \"«x»\"]", &["x is defined twice"]),
    (ODE, "names = [\"x\", \"y\"]", "names = [\"x\", \"«2y»\"]", &["not a name"]),
    (ODE, "time = \"t\"", "time = \"«x»\"", &["x is defined twice"]),
    (ODE, "to = 1\n", "to = \"«x»\"\n", &["x is not defined", "expected a constant"]),
    (ODE, "to = 1\n", "to = «\"[1, 2]\"»\n", &["a vector of 2; expected a number"]),
    (MAP, "\"0.3*x[0]\"", "\"0.3*x[«2»]\"", &["the index is 2", "counted from 0"]),
    (MAP, "\"0.3*x[0]\"", "\"«x»\"", &["expected a number, found a vector"]),
    // Dimensions.
    (
        ODE,
        "drift = [\"-rate*x - turn*y\", \"turn*x - rate*y\"]",
        "drift = «[\"-x\"]»",
        &["1 formulas for 2 coordinates", "x, y"],
    ),
    (
        MAP,
        "image = [\"1 - 1.4*x[0]^2 + x[1]\", \"0.3*x[0]\"]",
        "image = «\"x[0]\"»",
        &["1 components for 2 coordinates"],
    ),
    (ODE, "points = [[1, 0.5]]", "points = [«[1, 0.5, 2]»]", &["3 numbers; expected 2"]),
    (ODE, "plane = [[1, 0.25]]", "plane = «[[1, 0.25], [0, 1]]»", &["2 vectors; expected 1"]),
    (ODE, "plane = [[1, 0.25]]", "plane = [«[0, 0]»]", &["this vector is 0"]),
    (ODE, "field.constant = [0, 1]", "«field».constant = [0, 1, 2]", &["3 numbers; expected 2"]),
    (ODE, "dim = 1", "dim = 2", &["fills the whole space"]),
    (ODE, "dim = 1", "dim = 3", &["a manifold in 3 coordinates; the state has 2"]),
    (MAP, "size = 2", "size = «0»", &["a state of 0 coordinates"]),
    (MAP, "size = 2", "size = «100000»", &["a state of 100000 coordinates", "1 to 256"]),
    (ODE, "end_state[0]", "end_state[5]", &["components 0 to 1"]),
    (ODE, "end_state[0]", "end_state", &["components 0 to 1", "end_state[0]"]),
    (ODE, "end_state[0]", "end_angle[0]", &["end_angle is one number"]),
    // Values outside of their range.
    (PATH, "radius = 1", "radius = «-1»", &["-1; expected more than 0"]),
    (PATH, "radius = 1", "radius = «inf»", &["finite"]),
    (PATH, "thickness = 0", "thickness = «-0.1»", &["expected 0 or more"]),
    (PATH, "from = 0\nto = 2", "from = 2\nto = «1»", &["angles from 2 to 1"]),
    (PATH, "sigma_end = 0.1", "sigma_end = «0.9»", &["not below its start"]),
    (PATH, "sigma_end = 0.1", "sigma_end = «0.001»", &["no noise level of this schedule"]),
    (PATH, "sigma_min = 0.01", "sigma_min = 20", &["schedule sigma", "0 < sigma_min < sigma_max"]),
    (ODE, "to = 1\n", "to = «0»\n", &["where it starts"]),
    (ODE, "steps = 100", "steps = «2»", &["2; expected 4 to"]),
    (
        ODE,
        "[sampler.fixed]\nmethod = \"rk4\"\nsteps = 100",
        "[sampler.adaptive]\ntolerance = «1.5»",
        &["1e-13 to 1e-2"],
    ),
    (MAP, "maps = 100", "maps = «0»", &["0; expected 1 to"]),
    (MAP, "transient = 10", "transient = «99»", &["nine tenths"]),
    (PATH, "draws = 2", "draws = «0»", &["0; expected 1 to 1000"]),
    (ODE, "within = 10", "within = «0»", &["expected more than 0"]),
    // What is not finite, with the place in time and space.
    (ODE, "-rate*x - turn*y", "1/(x - 1)", &["component 0 is inf at the start [1.0, 0.5], time 0"]),
    (ODE, "-rate*x - turn*y", "log(-x)", &["component 0 is NaN at the start [1.0, 0.5]"]),
    // What does not belong together.
    (ODE, "[start]", "[exponents]\ntransient = 0\n[start]", &["depends on time", "no limit"]),
    (
        ODE,
        "points = [[1, 0.5]]",
        "draws = «3»",
        &["only a model.path or a model.network has noise to draw"],
    ),
    (PATH, "draws = 2", "draws = «2»\npoints = [[0, 1]]", &["points and draws"]),
    (
        MAP,
        "[start]",
        "[sampler.fixed]\nmethod = \"rk4\"\nsteps = 10\n[start]",
        &["a map is applied as it is"],
    ),
    (
        MAP,
        "[exponents]",
        "[[errors]]\nprediction = \"velocity\"\nsize = 1\nfield.constant = [0, 1]\n[exponents]",
        &["which a map has not"],
    ),
    (
        ODE,
        "prediction = \"velocity\"",
        "prediction = «\"score\"»",
        &["predicts its velocity and nothing else"],
    ),
    (ODE, "[start]", "[law.uniform]\n[start]", &["only a model.path or a model.network has a law"]),
    (
        ODE,
        "[sampler.fixed]\nmethod = \"rk4\"\nsteps = 100",
        "[sampler.stochastic]\nscheme = \"ancestral\"\nsteps = 10",
        &["only a model.path has noise levels"],
    ),
    (
        MAP,
        "points = [[0.1, 0.1]]",
        "points = [[0.1, 0.1]]\nplane = «[[1, 0]]»",
        &["there is none", "add a manifold"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[state]\nnames = [\"x\", \"y\"]\n[manifold.flat]\ndim = 1",
        &["a flat has no uniform law", "cuboid"],
    ),
    (
        PATH,
        "[law.uniform]\nthickness = 0",
        "[law.samples]\nfile = «\"absent.npy\"»",
        &["absent.npy", "cannot be read"],
    ),
    (
        PATH,
        "[law.uniform]\nthickness = 0",
        "[law.samples]\nfile = «\"data.txt\"»",
        &["not a format that is read"],
    ),
    (
        PATH,
        "[law.uniform]\nthickness = 0",
        "[law.atoms]\npoints = [[0, 1], [1, 0]]\nweights = «[1]»",
        &["1 weights for 2 points"],
    ),
    // Trained networks.
    (NETWORK, "file =", "«flie» =", &["unknown key `flie`", "try: file"]),
    (NETWORK, "preset = \"vp-linear\"\n", "", &["the key `preset` is missing"]),
    (NETWORK, "\"vp-linear\"", "«\"vp-liner\"»", &["there is none of this name", "vp-cosine"]),
    (NETWORK, "\"vp-linear\"", "«\"table:absent.csv\"»", &["folder/absent.csv", "cannot be read"]),
    (NETWORK, "\"eps\"", "«\"epsilon\"»", &["prediction \"epsilon\"", "edm-f"]),
    (NETWORK, "\"eps\"", "«\"edm-f\"»", &["add sigma_data"]),
    (NETWORK, "\"eps\"", "\"eps\"\nsigma_data = «0.5»", &["only predicts = \"edm-f\" uses it"]),
    (NETWORK, "\"eps\"", "\"edm-f\"\nsigma_data = «0»", &["0; expected more than 0"]),
    (NETWORK, "from = 0", "time = «\"tau\"»\nfrom = 0", &["time \"tau\"", "log-sigma/4"]),
    (NETWORK, "from = 0", "state = \"y\"\nfrom = 0", &["no input"]),
    (NETWORK, "from = 0", "from = «-0.5»", &["expected a generating time", "from 0 to 0.999"]),
    (NETWORK, "to = 0.999", "to = «1»", &["coefficients of this convention are not finite"]),
    (NETWORK, "from = 0\nto = 0.999", "from = 0.9\nto = «0.1»", &["not after its start 0.9"]),
    (NETWORK, "from = 0", "from = 0.8", &["there is no law of the data", "add [law.samples]"]),
    (NETWORK, "ts17.onnx", "ts18.onnx", &["ts18.onnx: No such file", "check the path"]),
    (
        NETWORK,
        "[manifold.moons]\nradius = 1",
        "[manifold.sphere]\nradius = 1\ndim = 2",
        &["a manifold in 3 coordinates; the state has 2"],
    ),
    (
        NETWORK,
        "[manifold.moons]",
        "[state]\nnames = [\"x\", \"y\", \"z\"]\n[manifold.moons]",
        &["a network of 2 numbers; the state has 3"],
    ),
    (
        NETWORK,
        "[model.network]",
        "[model.ode]\ndrift = [\"0\", \"0\"]\nfrom = 0\nto = 1\n[model.network]",
        &["two kinds in one table"],
    ),
    (
        NETWORK,
        "[manifold.moons]",
        "[law.gaussian]\nmean = [0, 0, 0]\ndeviations = [1, 1, 1]\n[manifold.moons]",
        &["3 numbers; expected 2"],
    ),
    (NETWORK, "end_distance", "end_denoiser_error", &["needs a model.network and its law"]),
    (NETWORK, "[start]", "[exponents]\ntransient = 0\n[start]", &["depends on time"]),
    // Checks.
    (ODE, "end_state[0]", "ned_state[0]", &["no fact that is measured", "end_state"]),
    (ODE, "end_state[0]", "exponent[0]", &["exponent needs [exponents]"]),
    (MAP, "exponent[0]", "end_angle", &["end_angle needs a manifold"]),
    (
        PATH,
        "claim = \"relative_compression_forces_alignment\"",
        "claim = «\"relative_compression_forces_alignmnt\"»",
        &["no claim that is judged", "try: relative_compression_forces_alignment"],
    ),
    (
        PATH,
        "verdict = \"holds\"",
        "verdict = \"holds\"\nat_most = «1»",
        &["not compared with a number"],
    ),
    (ODE, "within = 10", "within = 10\nat_most = 1", &["several comparisons"]),
    (ODE, "within = 10", "within = 10\ntrajectory = «7»", &["7; expected 0 to"]),
    (ODE, "within = 10", "within = 10\nverdict = «\"holds\"»", &["a verdict is one of a claim"]),
    (ODE, "within = 10", "within = 10\nclaim = «\"x\"»", &["a check of a fact and of a claim"]),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[manifold.samples]\nfile = «\"absent.csv\"»\ndimension = 1",
        &["cannot be read"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[manifold.data-set]\nname = «\"earthquakes\"»\ndimension = 2",
        &["no data set of this name"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[manifold.data-set]\nname = \"s2_vega_earthquakes_xyz.npy\"\ndimension = «3»",
        &["dimension 3 among samples of R^3"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[manifold.data-set]\nname = \"s2_vega_earthquakes_xyz.npy\"\ndimension = 2\nneighbours = «1»",
        &["1; expected 2 to"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[[manifold.union]]\nshape.«arcs» = { radius = 1, from = 0, to = 1 }",
        &["unknown kind `arcs`", "try: arc"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[[manifold.union]]\nshape.circle = { radius = 1 }\n«shft» = [1, 0]",
        &["unknown key `shft`", "try: shift"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "manifold.union = [{ shape.circle = { radius = 1 } }]",
        &["a union of 1 part"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[[manifold.union]]\nshape.circle = { radius = 1 }\n[[manifold.union]]\nshape = «{ sphere = { dim = 2, radius = 1 } }»",
        &["a part of dimension 2; the first has dimension 1"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[[manifold.union]]\nshape.circle = { radius = 1 }\n[[manifold.union]]\nshape.circle = { radius = 1 }\nshift = «[3]»",
        &["expected 2"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[[manifold.union]]\nshape.circle = { radius = 1 }\n[[manifold.union]]\nshape.circle = { radius = 1 }\nshift = [1, 0]",
        &["parts of the union meet"],
    ),
    (
        PATH,
        "[manifold.arc]\nradius = 1\nfrom = 0\nto = 2",
        "[[manifold.union]]\nshape.circle = { radius = 1 }\n[[manifold.union]]\nshift = [1, 0]",
        &["the key `shape` is missing"],
    ),
    (PATH, "[law.uniform]", "[law.uniform]\nweights = «[1, 2]»", &["2 weights for 1 parts"]),
];

fn read(text: String) -> Result<World, String> {
    let source = Source { path: PathBuf::from("folder/world.toml"), text };
    let file = source.parse().map_err(|error| error.to_string())?;
    World::of(&source, &file).map_err(|error| error.to_string())
}

#[test]
fn the_files_without_mistakes_are_read() {
    for text in [ODE, MAP, PATH, NETWORK] {
        read(text.to_owned()).unwrap();
    }
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_to_try() {
    assert!(CASES.len() >= LEAST_CASES);
    let mut wrong = Vec::new();
    for (base, old, new, pieces) in CASES {
        assert_eq!(base.matches(old).count(), 1, "{old:?} is in the file once");
        let marked = base.replacen(old, new, 1);
        let text = marked.replace(['«', '»'], "");
        let message = match read(text.clone()) {
            Ok(_) => {
                wrong.push(format!("{new:?} is accepted"));
                continue;
            }
            Err(message) => message,
        };
        let mut lacks: Vec<String> = pieces
            .iter()
            .filter(|piece| !message.contains(**piece))
            .map(|p| format!("{p:?}"))
            .collect();
        if !message.contains("try: ") {
            lacks.push("what to try".to_owned());
        }
        if let (Some(start), Some(end)) = (marked.find('«'), marked.find('»')) {
            let before = &marked[..start];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
            let place = format!("folder/world.toml:{line}:{column}: ");
            if !message.starts_with(&place) {
                lacks.push(place);
            }
            // The offending text is marked from its first character to its last, or on a line of its own.
            let offending = &marked[start + '«'.len_utf8()..end];
            let marks = "^".repeat(offending.chars().count());
            if !message.contains(&format!(" {marks}\n")) {
                lacks.push(format!("{marks} below {offending:?}"));
            }
        } else if !message.starts_with("folder/world.toml:") {
            lacks.push("a place".to_owned());
        }
        if !lacks.is_empty() {
            wrong.push(format!("{new:?} lacks {}:\n{message}", lacks.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.join("\n\n"));
}

#[test]
fn commands_refuse_with_one_error_exit_code_2_and_write_nothing() {
    let folder = tempdir().unwrap();
    let bad = ODE.replace("turn*y", "tern*y");
    std::fs::write(folder.path().join("bad.toml"), bad).unwrap();
    std::fs::write(folder.path().join("fixed.toml"), ODE).unwrap();
    std::fs::write(folder.path().join("bytes.toml"), [0xff, 0xfe, 0x00]).unwrap();
    std::fs::write(folder.path().join("empty.toml"), "").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["run", "bad.toml"], "bad.toml:12:21"),
        (&["explain", "bad.toml"], "bad.toml:12:21"),
        (&["check", "--scenario", "bad.toml"], "bad.toml:12:21"),
        (&["run", "absent.toml"], "cannot be read"),
        (&["run", "bytes.toml"], "cannot be read"),
        (&["run", "empty.toml"], "empty.toml:1:1"),
        (&["run", "."], "not a regular file"),
        (&["run"], "<FILE>"),
        (&["new", "lorentz"], "none of this name"),
        (&["check", "--scenario", "bad.toml", "--worlds", "3"], "--worlds"),
        (&["check", "nonsense", "--scenario", "bad.toml"], "no claim of that name"),
        (&["explore", "T2.1", "--scenario", "bad.toml"], "bad.toml:12:21"),
        (&["explore", "T2.1", "--scenario", "absent.toml"], "cannot be read"),
        (&["explore", "T2.1", "--scenario", "fixed.toml"], "no constant is free"),
        (&["explore", "T3", "--scenario", "fixed.toml"], "is not judged on scenario files"),
        (&["explore", "T2.1", "--archive", "--scenario", "bad.toml"], "--archive"),
    ];
    for (arguments, named) in cases {
        let output = run(folder.path(), arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(named), "{arguments:?} does not name {named}: {message}");
        assert_eq!(message.matches("error:").count(), 1, "{message}");
        assert!(stdout(&output).is_empty(), "{arguments:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4, "{arguments:?}");
    }
}
