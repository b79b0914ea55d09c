//! `driftproof report`: the gallery, computed, drawn, or compared.

use super::stages::Stages;
use super::{Exit, print, program};
use crate::error::{Error, Result};
use crate::experiments::{self, Experiment, Setting};
use crate::record::{self, Chapter, Record};
use crate::report::{gallery, run as page};
use std::path::{Component, Path, PathBuf};

/// The options of `driftproof report`.
#[derive(clap::Args)]
pub struct Options {
    /// A chapter, or one figure of it; may be repeated
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Draw the page of this run in place of the gallery: a record.json that `check` wrote
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["only", "redraw", "check", "seed"])]
    pub run: Option<PathBuf>,
    /// Draw from the records in the folder; compute nothing
    #[arg(long, conflicts_with = "check")]
    pub redraw: bool,
    /// Compute again, write nothing, and say whether the numbers agree with the records in the folder
    #[arg(long)]
    pub check: bool,
    /// Folder of the gallery
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
    /// Seed of all random numbers
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u64,
    /// Worker threads, 1 to 1024; by default one a core
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// A chapter that is asked for, and the figures of it; all when empty.
type Wanted = (&'static Experiment, Vec<String>);

/// Makes, draws or compares what was asked for.
pub fn run(options: &Options) -> Result<Exit> {
    if let Some(path) = &options.run {
        let record = record::read(path)?;
        super::pool(options.threads)?.install(|| write_page(&options.out, &record))?;
        print(&format!("{}\n", options.out.join(page::PAGE).display()))?;
        return Ok(Exit::Stands);
    }
    let wanted = wanted(&options.only)?;
    if options.check {
        return check(options, &wanted);
    }
    let pool = super::pool(options.threads)?;
    record::check_writable(&options.out)?;
    let mut figures = 0;
    for (nth, (experiment, only)) in wanted.iter().enumerate() {
        let place = (nth + 1, wanted.len());
        let chapter = match options.redraw {
            true => stored(&options.out, experiment)?,
            false => pool.install(|| compute(experiment, options.seed, place))?,
        };
        // Drawn as a reader of the record draws it: to six digits.
        let chapter = record::as_stored(&chapter);
        figures += write(&options.out, &chapter, only)?;
    }
    // The front page tells of all chapters that are there.
    let chapters = all_stored(&options.out)?;
    let whole = wanted.iter().any(|(_, only)| only.is_empty());
    if whole {
        write_files(&options.out, gallery::front(&chapters)?)?;
    }
    let place = options.out.join("index.html");
    print(&format!("{figures} figures and tables written; begin at {}\n", place.display()))?;
    Ok(Exit::Stands)
}

/// The chapters that are asked for, in the order of the gallery.
fn wanted(only: &[String]) -> Result<Vec<Wanted>> {
    if only.is_empty() {
        return Ok(experiments::ALL.iter().map(|experiment| (experiment, Vec::new())).collect());
    }
    let mut wanted: Vec<Wanted> = Vec::new();
    for name in only {
        let (experiment, figure) = experiments::find(name)?;
        match wanted.iter_mut().find(|(other, _)| other.name == experiment.name) {
            Some((_, figures)) if figure.is_none() => figures.clear(),
            Some((_, figures)) if figures.is_empty() => {}
            Some((_, figures)) => figures.extend(figure.map(str::to_owned)),
            None => wanted.push((experiment, figure.map(str::to_owned).into_iter().collect())),
        }
    }
    Ok(wanted)
}

/// Runs an experiment, with progress.
fn compute(experiment: &Experiment, seed: u64, place: (usize, usize)) -> Result<Chapter> {
    let stages = Stages::begin(experiment.name, place);
    let begin = |stage: &str| stages.next(stage);
    let chapter = (experiment.run)(&Setting { seed, begin: &begin });
    let seconds = stages.end();
    let chapter = Chapter { seconds, ..chapter? };
    eprintln!("{}: {} figures ({:.1} s)", chapter.name, chapter.figures.len(), chapter.seconds);
    Ok(chapter)
}

/// Writes the files of a chapter and returns how many figures and tables they show.
fn write(folder: &Path, chapter: &Chapter, only: &[String]) -> Result<usize> {
    if only.is_empty() {
        write_files(folder, gallery::chapter(chapter, None)?)?;
        return Ok(chapter.figures.len() + chapter.tables.len());
    }
    for name in only {
        write_files(folder, gallery::chapter(chapter, Some(name))?)?;
    }
    Ok(only.len())
}

/// Writes the page of a run with its figures.
pub fn write_page(folder: &Path, record: &Record) -> Result<()> {
    write_files(folder, page::files(record)?)
}

fn write_files(folder: &Path, files: Vec<gallery::File>) -> Result<()> {
    // Names come from records: none may lead out of the folder. Nothing is written when one does.
    for (path, _) in &files {
        let inside = |part: Component| matches!(part, Component::Normal(_));
        if !Path::new(path).components().all(inside) {
            let problem = "a name in the record leads out of the folder";
            return Err(Error::input(path, problem, "a record that `driftproof` wrote"));
        }
    }
    for (path, bytes) in files {
        let (inside, name) = path.rsplit_once('/').unwrap_or(("", &path));
        record::write_file(&folder.join(inside), name, &bytes)?;
    }
    Ok(())
}

fn stored(folder: &Path, experiment: &Experiment) -> Result<Chapter> {
    record::read_chapter(&folder.join(experiment.name).join(record::FILE_NAME))
}

/// The chapters that have a record, in the order of the gallery.
fn all_stored(folder: &Path) -> Result<Vec<Chapter>> {
    let there =
        |experiment: &&Experiment| folder.join(experiment.name).join(record::FILE_NAME).exists();
    experiments::ALL.iter().filter(there).map(|experiment| stored(folder, experiment)).collect()
}

/// Computes again and compares with the records.
fn check(options: &Options, wanted: &[Wanted]) -> Result<Exit> {
    let pool = super::pool(options.threads)?;
    // Every record is read before anything is computed.
    let old: Vec<Chapter> = wanted
        .iter()
        .map(|(experiment, _)| stored(&options.out, experiment))
        .collect::<Result<_>>()?;
    let (mut text, mut differ) = (String::new(), 0);
    for (nth, ((experiment, only), old)) in wanted.iter().zip(&old).enumerate() {
        if old.seed != options.seed {
            return Err(Error::input(
                "--seed",
                format!("{} was made with seed {}", experiment.name, old.seed),
                format!("--seed {}", old.seed),
            ));
        }
        let new = pool.install(|| compute(experiment, options.seed, (nth + 1, wanted.len())))?;
        for found in gallery::compare(old, &new) {
            if !only.is_empty() && !only.contains(&found.name) {
                continue;
            }
            let agrees = found.misfit <= 1.0;
            differ += usize::from(!agrees);
            let word = if agrees { "agrees" } else { "DIFFERS" };
            text.push_str(&format!(
                "{word:8} {:40} {:9.3e}  {}\n",
                found.name, found.misfit, found.at
            ));
        }
    }
    let verdict = match differ {
        0 => {
            "all agree: the largest difference in units of what is allowed is at most 1".to_owned()
        }
        _ => format!("{differ} differ; {} report makes them anew", program()),
    };
    print(&format!("{text}{verdict}\n"))?;
    Ok(if differ == 0 { Exit::Stands } else { Exit::Counterexample })
}
