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
    /// Folder of the gallery [default: reports], or of the page [default: that of its record]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
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
        let beside = path.parent().unwrap_or(Path::new(""));
        let folder = options.out.as_deref().unwrap_or(beside);
        super::pool(options.threads)?.install(|| write_page(folder, &record))?;
        print(&format!("{}\n", folder.join(page::PAGE).display()))?;
        return Ok(Exit::Stands);
    }
    let folder = options.out.as_deref().unwrap_or(Path::new("reports"));
    let wanted = wanted(&options.only)?;
    if options.check {
        return check(options, folder, &wanted);
    }
    let pool = super::pool(options.threads)?;
    record::check_writable(folder)?;
    // A record that cannot be read would spoil the end of a long run, unless that run replaces it.
    let anew = |name: &str| {
        let mut whole = wanted.iter().filter(|(_, only)| only.is_empty() && !options.redraw);
        whole.any(|(experiment, _)| experiment.name == name)
    };
    let before = all_stored(folder, anew)?;
    let mut shown = String::new();
    for (nth, (experiment, only)) in wanted.iter().enumerate() {
        let place = (nth + 1, wanted.len());
        let old = before.iter().find(|old| old.name == experiment.name);
        if let Some(old) = old.filter(|_| !only.is_empty() && !options.redraw) {
            of_seed(old, options.seed)?;
        }
        let chapter = match options.redraw {
            true => stored(folder, experiment)?,
            false => pool.install(|| compute(experiment, options.seed, place))?,
        };
        // Drawn as a reader of the record draws it: to six digits.
        let chapter = record::as_stored(&chapter);
        shown += &write(folder, old, &chapter, only)?;
    }
    if wanted.iter().any(|(_, only)| only.is_empty()) {
        // The front page tells of all chapters that are there.
        write_files(folder, gallery::front(&all_stored(folder, |_| false)?)?)?;
        shown += &format!("begin at {}\n", folder.join("index.html").display());
    }
    print(&shown)?;
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

/// Writes the files of a chapter, or of some figures of it, and tells what they are.
fn write(
    folder: &Path,
    old: Option<&Chapter>,
    chapter: &Chapter,
    only: &[String],
) -> Result<String> {
    if only.is_empty() {
        let files = gallery::chapter(chapter, None)?;
        let stale: Vec<PathBuf> = match old {
            Some(old) => {
                gallery::paths(old).filter(|path| is_inside(path)).map(|p| folder.join(p)).collect()
            }
            None => Vec::new(),
        };
        let new: Vec<PathBuf> = files.iter().map(|(path, _)| folder.join(path)).collect();
        write_files(folder, files)?;
        // Figures that are made no more; one that is gone already needs nothing.
        for path in stale.iter().filter(|path| !new.contains(path)) {
            let _ = std::fs::remove_file(path);
        }
        let count = chapter.figures.len() + chapter.tables.len();
        return Ok(format!("{}: {count} figures and tables written\n", chapter.name));
    }
    let mut told = String::new();
    for name in only {
        let files = gallery::chapter(chapter, Some(name))?;
        let agrees = |old: &Chapter| gallery::same(old, chapter, name);
        if !old.is_none_or(agrees) {
            let problem = format!("the record in {} holds another one", folder.display());
            let hint =
                format!("--only {} to make the chapter anew, or another --out", chapter.name);
            return Err(Error::input(format!("--only {name}"), problem, hint));
        }
        let paths: Vec<String> =
            files.iter().map(|(path, _)| folder.join(path).display().to_string()).collect();
        write_files(folder, files)?;
        told += &format!("{}\n", paths.join("\n"));
    }
    Ok(told)
}

/// Refuses a record of another seed.
fn of_seed(old: &Chapter, seed: u64) -> Result<()> {
    if old.seed == seed {
        return Ok(());
    }
    let problem = format!("the record of {} was made with seed {}", old.name, old.seed);
    Err(Error::input("--seed", problem, format!("--seed {}", old.seed)))
}

/// Writes the page of a run with its figures.
pub fn write_page(folder: &Path, record: &Record) -> Result<()> {
    write_files(folder, page::files(record)?)
}

/// Writes files into a folder, and none outside.
pub fn write_files(folder: &Path, files: Vec<gallery::File>) -> Result<()> {
    // Names come from records: none may lead out of the folder. Nothing is written when one does.
    for (path, _) in &files {
        if !is_inside(path) {
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

/// Whether a path stays in the folder that it is joined to.
fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn stored(folder: &Path, experiment: &Experiment) -> Result<Chapter> {
    record::read_chapter(&folder.join(experiment.name).join(record::FILE_NAME))
}

/// The chapters that have a record, in the order of the gallery; without damaged ones that do not matter.
fn all_stored(folder: &Path, spared: impl Fn(&str) -> bool) -> Result<Vec<Chapter>> {
    let there =
        |experiment: &&Experiment| folder.join(experiment.name).join(record::FILE_NAME).exists();
    let read = |experiment: &Experiment| match stored(folder, experiment) {
        Err(_) if spared(experiment.name) => None,
        read => Some(read),
    };
    experiments::ALL.iter().filter(there).filter_map(read).collect()
}

/// Computes again and compares with the records.
fn check(options: &Options, folder: &Path, wanted: &[Wanted]) -> Result<Exit> {
    let pool = super::pool(options.threads)?;
    // Every record is read before anything is computed.
    let old: Vec<Chapter> =
        wanted.iter().map(|(experiment, _)| stored(folder, experiment)).collect::<Result<_>>()?;
    old.iter().try_for_each(|old| of_seed(old, options.seed))?;
    let (mut text, mut differ) = (String::new(), 0);
    for (nth, ((experiment, only), old)) in wanted.iter().zip(&old).enumerate() {
        let new = pool.install(|| compute(experiment, options.seed, (nth + 1, wanted.len())))?;
        let new = record::as_stored(&new);
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
        _ => format!("{differ} of these differ; {} report makes them anew", program()),
    };
    print(&format!("{text}{verdict}\n"))?;
    Ok(if differ == 0 { Exit::Stands } else { Exit::Counterexample })
}
