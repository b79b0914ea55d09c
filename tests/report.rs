//! Pages and figures: the golden chapter, what drawings survive, agreement of records, pages without a network.

use driftproof::campaign;
use driftproof::claims;
use driftproof::experiments;
use driftproof::facts::Facts;
use driftproof::figure::{Axis, Cell, Figure, Ink, Layer, Mark, Panel, Table};
use driftproof::record::{
    Chapter, ClaimRecord, DataRecord, FILE_NAME, Parameters, Record, Relation, Schema, Timing,
    TrajectoryRecord, Versions, read_chapter,
};
use driftproof::report::gallery::{self, compare};
use driftproof::report::{draw, run};
use driftproof::verdict::{Judgement, Verdict};
use quickcheck::{Arbitrary, Gen, QuickCheck, TestResult};
use resvg::tiny_skia::Pixmap;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Where the golden chapter lies, under the root of the package.
const GOLDEN: &str = "tests/golden";

/// The values of a function on [0, 1].
fn values(n: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..n).map(|k| f(k as f64 / (n - 1) as f64)).collect()
}

/// Every mark, scale and ink that there is.
fn every_mark() -> Figure {
    let t = values(24, |t| t);
    let circle = (values(24, |t| (3.0 * t).cos()), values(24, |t| (3.0 * t).sin()));
    let growth = Panel::new("Growth", Axis::new("time"), Axis::log("angle (radians)"))
        .with("bound", Ink::Bound, Mark::line(t.clone(), values(24, |t| (-5.0 * t).exp())))
        .with(
            "measured",
            Ink::Measured,
            Mark::points_with_bars(
                t.clone(),
                values(24, |t| 0.5 * (-6.0 * t).exp()),
                values(24, |t| 0.2 * (-6.0 * t).exp()),
            ),
        )
        .with(
            "null band",
            Ink::Null,
            Mark::Band {
                x: t.clone(),
                low: values(24, |t| 0.01 + 0.01 * t),
                high: values(24, |t| 0.03 + 0.03 * t),
            },
        );
    let plane = Panel::plane("Arc")
        .with("data", Ink::Data, Mark::points(circle.0.clone(), circle.1.clone()))
        .with(
            "score",
            Ink::Score,
            Mark::Arrows {
                x: circle.0.clone(),
                y: circle.1.clone(),
                dx: values(24, |t| 0.2 * (3.0 * t).cos()),
                dy: values(24, |t| 0.2 * (3.0 * t).sin()),
                headless: false,
            },
        )
        .with(
            "top Lyapunov vector",
            Ink::Lyapunov,
            Mark::Arrows {
                x: circle.0,
                y: circle.1,
                dx: values(24, |t| -0.2 * (3.0 * t).sin()),
                dy: values(24, |t| 0.2 * (3.0 * t).cos()),
                headless: true,
            },
        );
    let histogram = Panel::new("Angles", Axis::new("angle (degrees)"), Axis::new("share"))
        .with(
            "end points",
            Ink::Series(0),
            Mark::histogram(&values(40, |t| 90.0 * t * t), 0.0, 90.0, 9),
        )
        .with("median", Ink::Predicted, Mark::Rule { at: 22.5, vertical: true });
    let classes = Panel::new("Classes", Axis::of("", ["ODE", "SDE"]), Axis::new("shift / σ"))
        .with("off", Ink::Normal, Mark::points(vec![0.0, 1.0], vec![1.0, 2.0]))
        .with("along", Ink::Tangent, Mark::points(vec![0.1, 1.1], vec![1.5, f64::NAN]));
    let image = Panel { equal: true, ..Panel::new("Image", Axis::hidden(), Axis::hidden()) }.with(
        "",
        Ink::Data,
        Mark::Raster {
            extent: [0.0, 4.0, 0.0, 4.0],
            columns: 4,
            values: values(16, |t| (9.0 * t).sin()),
            signed: true,
        },
    );
    let words =
        Panel::new("Words", Axis::new("x₁").from_to(0.0, 1.0), Axis::new("x₂").from_to(0.0, 1.0))
            .with(
                "",
                Ink::Guide,
                Mark::Words { x: vec![0.5], y: vec![0.5], words: vec!["λ₁ τ ‖J‖".into()] },
            )
            .with(
                "leaves the frame",
                Ink::Ramp(500),
                Mark::dashed(vec![-1.0, 2.0], vec![0.2, 0.9]),
            );
    Figure::new("every-mark", "Every mark", vec![growth, plane, histogram, classes, image, words])
        .in_columns(3)
        .says("All marks, with $\\sigma_{\\min} > 0$.", "Anything true.")
}

fn golden() -> Chapter {
    let mut chapter =
        Chapter::new("golden", "A golden chapter", "Made by hand, to hold the *look* of pages.", 7);
    chapter.versions.driftproof = "0".to_owned();
    chapter.versions = Versions { target: "any".into(), cores: 2, ..chapter.versions };
    (chapter.versions.rustc, chapter.versions.vectors) = ("1.0.0".into(), "portable".into());
    chapter.figures.push(every_mark());
    let mut table = Table::new("numbers", "Numbers", "Bars show.", ["what", "how much $x^2$"]);
    table.rows.push(vec!["a | b".into(), Cell::Number { value: 2.5, bar: 0.002 }]);
    table.rows.push(vec!["none".into(), Cell::Number { value: f64::NAN, bar: 0.0 }]);
    chapter.tables.push(table);
    chapter.find(Relation::Contradicts, "every-mark", "the claim that $x ≤ 1$", "a point at 2");
    chapter
}

#[test]
fn the_golden_chapter_is_drawn_as_it_lies_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("UPDATE_README").is_some() {
        for (path, bytes) in gallery::chapter(&golden(), None).unwrap() {
            let name = path.strip_prefix("golden/").unwrap();
            std::fs::create_dir_all(&root).unwrap();
            std::fs::write(root.join(name), bytes).unwrap();
        }
    }
    // From its record alone.
    let chapter = read_chapter(&root.join(FILE_NAME)).unwrap();
    let mut compared = 0;
    for (path, bytes) in gallery::chapter(&chapter, None).unwrap() {
        let stored = std::fs::read(root.join(path.strip_prefix("golden/").unwrap())).unwrap();
        if path.ends_with("png") {
            // Rasters may differ in the last bit between processors.
            assert_eq!(stored[..24], bytes[..24], "{path}: another size");
            continue;
        }
        assert!(
            stored == bytes,
            "{path} differs: UPDATE_README=1 cargo test --release --test report makes it anew"
        );
        compared += 1;
    }
    assert_eq!(compared, 6); // record, page twice, drawing, numbers of a figure and of a table
}

#[test]
fn the_committed_gallery_is_what_its_records_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
    let mut chapters = Vec::new();
    for experiment in experiments::ALL {
        let chapter = read_chapter(&root.join(experiment.name).join(FILE_NAME)).unwrap();
        let figures = chapter.figures.iter().map(|figure| figure.name.as_str());
        let mut named: Vec<&str> =
            figures.chain(chapter.tables.iter().map(|table| table.name.as_str())).collect();
        let mut listed = experiment.figures.to_vec();
        named.sort_unstable();
        listed.sort_unstable();
        assert_eq!(named, listed, "{}", experiment.name);
        for finding in &chapter.findings {
            // A figure may be followed by others that continue it.
            let there = named.iter().any(|name| name.starts_with(&finding.figure));
            assert!(there, "{}: {}", experiment.name, finding.figure);
        }
        chapters.push(chapter);
    }
    let drawn = chapters.iter().flat_map(|chapter| gallery::chapter(chapter, None).unwrap());
    let mut whole = 0;
    let mut paths = Vec::new();
    for (path, bytes) in drawn.chain(gallery::front(&chapters).unwrap()) {
        let stored = std::fs::read(root.join(&path)).unwrap_or_default();
        let same = if path.ends_with("png") { alike(&stored, &bytes) } else { stored == bytes };
        assert!(same, "reports/{path} is stale: driftproof report --redraw");
        whole += stored.len();
        paths.push(root.join(path));
    }
    assert!(whole < 12_000_000, "{whole} bytes");
    for experiment in experiments::ALL {
        for file in std::fs::read_dir(root.join(experiment.name)).unwrap() {
            let file = file.unwrap().path();
            assert!(paths.contains(&file), "{} belongs to no record", file.display());
        }
    }
}

/// Whether two images show the same: the edges of letters may be rounded otherwise on another machine.
fn alike(a: &[u8], b: &[u8]) -> bool {
    let (Ok(a), Ok(b)) = (Pixmap::decode_png(a), Pixmap::decode_png(b)) else { return false };
    let far = a.data().iter().zip(b.data()).filter(|(a, b)| a.abs_diff(**b) > 48).count();
    (a.width(), a.height()) == (b.width(), b.height()) && far * 1000 <= a.data().len()
}

#[test]
fn drawings_and_pages_ask_nothing_of_the_network() {
    let files = gallery::chapter(&golden(), None).unwrap();
    let page = files.iter().find(|(path, _)| path.ends_with("html")).unwrap();
    let text = String::from_utf8(page.1.clone()).unwrap();
    for asks in ["<script", "src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!text.contains(asks), "{asks}");
    }
    assert!(
        text.contains("<math>")
            && text.contains("<img src=\"every-mark.svg\"")
            && !text.contains('$')
    );
}

/// A record of these claims with seed 1 and 12 worlds each.
fn record_of(claims: Vec<ClaimRecord>) -> Record {
    Record {
        schema: Schema::current(),
        versions: Versions::current(),
        parameters: Parameters {
            claims: claims.iter().map(|claim| claim.summary.claim.clone()).collect(),
            data: Vec::new(),
            normals: false,
            scale: "none".into(),
            worlds: 12,
            world: None,
            seed: 1,
        },
        interrupted: false,
        claims,
        data: Vec::new(),
        scenario: None,
        timing: Timing { threads: 1, seconds: 0.0, claims: BTreeMap::new() },
    }
}

#[test]
fn the_page_of_a_run_tells_of_every_claim_and_its_links_lead_somewhere() {
    let claim = claims::find("tangential_alignment_bounds_score_overlap").unwrap();
    let results = campaign::run(claim, 1, 12, &AtomicBool::new(false), &|| ());
    let record = record_of(vec![campaign::record(claim, 1, &results)]);
    let files = run::files(&record).unwrap();
    let text_of = |name: &str| {
        let file = files.iter().find(|(path, _)| path == name).unwrap();
        String::from_utf8(file.1.clone()).unwrap()
    };
    let page = text_of(run::PAGE);
    for link in page.split("href=\"#").skip(1) {
        let name = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{name}\"")), "#{name} leads nowhere");
    }
    for mutant in claim.mutants {
        assert!(page.contains(mutant.name), "{}", mutant.name);
    }
    assert!(!page.contains("<script") && !page.contains("href=\"http"));
    let markdown = text_of("report.md");
    assert!(markdown.contains(&format!("(figures/{}.svg)", claim.id)), "{markdown}");
    assert!(markdown.contains(&format!("driftproof check {} --worlds 12 --seed 1", claim.id)));
}

/// A layer of any kind with any numbers.
#[derive(Clone, Debug)]
struct AnyLayer(Layer);

impl Arbitrary for AnyLayer {
    fn arbitrary(g: &mut Gen) -> Self {
        let n = usize::arbitrary(g) % 6;
        let mut series = |n: usize| (0..n).map(|_| f64::arbitrary(g)).collect::<Vec<f64>>();
        let (a, b, c, d) = (series(n), series(n), series(n), series(n));
        let (edges, cells, corners) = (series(n + 1), series(6), series(4));
        let (kind, flag) = (u8::arbitrary(g) % 8, bool::arbitrary(g));
        let mark = match kind {
            0 => Mark::Points { x: a, y: b, bars: if flag { c } else { Vec::new() } },
            1 => Mark::line(a, b),
            2 => Mark::Band { x: a, low: b, high: c },
            3 => Mark::Arrows { x: a, y: b, dx: c, dy: d, headless: flag },
            4 => Mark::Steps { edges, heights: a },
            5 => Mark::Raster {
                extent: corners.try_into().expect("four of them"),
                columns: 3,
                values: cells,
                signed: flag,
            },
            6 => Mark::Rule { at: f64::arbitrary(g), vertical: flag },
            _ => Mark::Words { x: a, y: b, words: vec!["<&>".to_owned(); n] },
        };
        Self(Layer { name: "any".into(), ink: Ink::Series(u8::arbitrary(g)), mark })
    }
}

#[test]
fn any_numbers_can_be_drawn() {
    fn drawn(layers: Vec<AnyLayer>, log: (bool, bool), equal: bool) -> TestResult {
        let axis = |log| Axis { log, ..Axis::new("<a>") };
        let layers = layers.into_iter().map(|layer| layer.0).collect();
        let panel = Panel { equal, layers, ..Panel::new("t", axis(log.0), axis(log.1)) };
        match draw::svg(&Figure::new("any", "any", vec![panel])) {
            Ok(svg) => TestResult::from_bool(
                !svg.contains("NaN") && svg.ends_with("</svg>\n") && height_of(&svg) < 4000,
            ),
            Err(error) => TestResult::error(error.to_string()),
        }
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(30, 1))
        .tests(400)
        .quickcheck(drawn as fn(Vec<AnyLayer>, (bool, bool), bool) -> TestResult);
}

/// The height that a drawing asks for, in pixels.
fn height_of(svg: &str) -> u32 {
    let rest = svg.split(" height=\"").nth(1).expect("a drawing has a height");
    rest.split('"').next().and_then(|number| number.parse().ok()).expect("a whole number")
}

#[test]
fn figures_that_cannot_be_drawn_say_why() {
    let uneven = Panel::plane("p").with("l", Ink::Data, Mark::line(vec![0.0, 1.0], vec![0.0]));
    let message = draw::svg(&Figure::new("f", "", vec![uneven])).unwrap_err().to_string();
    assert!(message.contains("f: p (l): series of different lengths"), "{message}");
    assert!(draw::svg(&Figure::new("f", "", Vec::new())).is_err());
    let words = Mark::Words { x: vec![0.0], y: vec![0.0], words: vec!["a".into(), "b".into()] };
    let worded = Panel::plane("p").with("", Ink::Data, words);
    assert!(draw::svg(&Figure::new("f", "", vec![worded])).is_err());
    // Ranges that are none, and numbers that cannot be divided into steps, are drawn all the same.
    for range in [[0.0, 5e-324], [1.0, 1.0], [f64::NAN, 1.0], [2.0, 1.0]] {
        let axis = || Axis::new("").from_to(range[0], range[1]);
        let line = Mark::line(vec![0.0, 5e-324], vec![1e-320, 0.0]);
        let panel = Panel::new("", axis(), Axis::new("")).with("", Ink::Data, line);
        assert!(draw::svg(&Figure::new("f", "", vec![panel])).is_ok(), "{range:?}");
    }
    // A name of any length leaves room for what it names.
    let names = ["a".to_owned(), "ü".repeat(100_000)];
    let panel = Panel::new("", Axis::new(""), Axis::of("", names));
    let drawn = draw::svg(&Figure::new("f", "", vec![panel])).unwrap();
    assert!(drawn.len() < 20_000 && drawn.contains(&format!("{}…", "ü".repeat(47))));
}

#[test]
fn records_agree_within_bars_and_tolerances_and_no_further() {
    let chapter = |y: f64, bar: f64, tolerance: f64| {
        let marks = Mark::points_with_bars(vec![0.0, 1.0], vec![0.0, y], vec![0.0, bar]);
        let panel = Panel::plane("").with("m", Ink::Measured, marks);
        let mut chapter = Chapter::new("c", "", "", 1);
        chapter.figures.push(Figure::new("f", "", vec![panel]).within(tolerance));
        chapter
    };
    let misfit = |a: &Chapter, b: &Chapter| compare(a, b)[0].misfit;
    assert_eq!(misfit(&chapter(2.0, 0.0, 1e-6), &chapter(2.0, 0.0, 1e-6)), 0.0);
    // Half of the two bars; the tolerance is a share of a span of about 2.
    assert!((misfit(&chapter(2.0, 0.1, 0.0), &chapter(2.1, 0.1, 0.0)) - 0.5).abs() < 1e-3);
    assert!((misfit(&chapter(2.0, 0.0, 0.1), &chapter(2.1, 0.0, 0.1)) - 0.1 / 0.21).abs() < 1e-4);
    assert!(misfit(&chapter(2.0, 0.0, 1e-6), &chapter(-2.0, 0.0, 1e-6)) > 1.0);
    assert_eq!(misfit(&chapter(2.0, 0.0, 1.0), &chapter(f64::NAN, 0.0, 1.0)), f64::INFINITY);
    let mut other = chapter(2.0, 0.0, 1e-6);
    other.figures[0].name = "g".to_owned();
    let found = compare(&chapter(2.0, 0.0, 1e-6), &other);
    let other = found.iter().filter(|agreement| agreement.misfit == f64::INFINITY).count();
    assert!(found.len() == 3 && other == 2); // both figures; the findings are alike: there are none
    // On a logarithmic axis the tolerance is a share of the decades, and rounding errors are all alike.
    let on_log = |y: f64| {
        let line = Mark::line(vec![0.0, 1.0, 2.0], vec![1.0, 1e-8, y]);
        let panel = Panel::new("", Axis::new(""), Axis::log("")).with("m", Ink::Measured, line);
        let mut chapter = Chapter::new("c", "", "", 1);
        chapter.figures.push(Figure::new("f", "", vec![panel]).within(0.05));
        chapter
    };
    assert!((misfit(&on_log(1e-4), &on_log(2e-4)) - 2_f64.log10() / (0.05 * 8.0)).abs() < 1e-9);
    assert!(misfit(&on_log(1e-4), &on_log(1e-5)) > 1.0);
    assert!(
        misfit(&on_log(2e-13), &on_log(8e-13)) < 1.0 && misfit(&on_log(0.0), &on_log(1e-4)) > 1.0
    );
    // A bar that grows excuses neither the value nor itself.
    assert!(misfit(&chapter(2.0, 0.1, 0.0), &chapter(2.5, 100.0, 0.0)) > 1.0);
    assert!(misfit(&chapter(2.0, 0.1, 0.0), &chapter(2.0, 100.0, 0.0)) > 1.0);
}

#[test]
fn a_finding_that_comes_out_another_way_does_not_agree() {
    let (old, mut new) = (golden(), golden());
    let of = |new: &Chapter| compare(&old, new).pop().unwrap().misfit;
    new.findings[0].found = "a point at 2.1".into();
    assert_eq!(of(&new), 0.0);
    new.findings[0].relation = Relation::Agrees;
    assert_eq!(of(&new), f64::INFINITY);
}

#[test]
fn pages_take_words_of_a_record_for_words() {
    let mut chapter = golden();
    chapter.figures[0].caption =
        "[here](javascript:alert) ![pixel](http://somewhere/x.png) [there](http://somewhere) <marquee>"
            .into();
    let files = gallery::chapter(&chapter, None).unwrap();
    let page = files.iter().find(|(path, _)| path.ends_with("html")).unwrap();
    let text = String::from_utf8(page.1.clone()).unwrap();
    for wrong in ["javascript", "somewhere", "<marquee>"] {
        assert!(!text.contains(wrong), "{wrong}");
    }
}

#[test]
fn the_page_of_a_run_tells_of_violated_trajectories_and_of_odd_names() {
    let mut record = record_of(Vec::new());
    let judged = TrajectoryRecord {
        claim: "adiabatic_gap_forces_alignment".into(),
        dimension: 2,
        verdict: Verdict::Violated,
        judgement: Judgement::default(),
    };
    record.data.push(DataRecord {
        name: "a_b*.npy".into(),
        notes: vec!["costs $\\nonsense$".into()],
        world: serde_json::Value::Null,
        facts: Facts::new(),
        trajectories: vec![judged],
        error: Some("no [end](http://somewhere)".into()),
    });
    let files = run::files(&record).unwrap();
    let page = files.iter().find(|(path, _)| path == run::PAGE).unwrap();
    let text = String::from_utf8(page.1.clone()).unwrap();
    assert!(text.contains("1 trajectories over a_b*.npy violate a claim"), "{text}");
    assert!(text.contains("costs $\\nonsense$") && !text.contains("href=\"http"));
}

#[test]
fn tables_agree_cell_by_cell() {
    let (old, mut new) = (golden(), golden());
    let of = |new: &Chapter| compare(&old, new).remove(1);
    assert_eq!(of(&new).misfit, 0.0);
    new.tables[0].rows[0][1] = Cell::Number { value: 2.501, bar: 0.002 };
    assert!((of(&new).misfit - 0.25).abs() < 0.01); // 0.001 of 0.004
    new.tables[0].rows[0][0] = "τ".into();
    assert_eq!(of(&new).misfit, f64::INFINITY);
    assert_eq!(of(&new).at, "row 1, column `what`");
}
