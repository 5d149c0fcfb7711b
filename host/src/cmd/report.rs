//! `rate2spike report`: the figures of a run, and the page that holds them.

use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::CommandError;
use super::shared::{ScoreArgs, SpikingArgs, TaskArgs, read_model};
use super::warnings::Warnings;
use crate::convert::lambdas::Lambdas;
use crate::convert::search::default_lambdas;
use crate::formats::disk;
use crate::formats::history::History;
use crate::formats::outputs::Outputs;
use crate::formats::snn::SnnError;
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::rate::activation::ActivationKind;
use crate::report::figures::{self, Figure, OF_A_SWEEP};
use crate::report::files::{deployed_beside, find_model};
use crate::report::observe::ObservedTrials;
use crate::report::page::{self, Page};
use crate::report::picture;
use crate::report::story::{self, Numbers, ReportInput};
use crate::sweep::page::Extent;
use crate::sweep::plan::SweepPlan;
use crate::sweep::summary::{CellSummary, summarize};
use crate::sweep::{self, rows};

/// Write a page with the figures of a run
///
/// Example:  rate2spike report models/go-nogo
///
/// DIR is searched for one rate model; the deployed network (.snn) and the history
/// (.json) beside it are used if they are there. Writes MODEL.html, which needs no
/// internet connection, and the figures as SVG and PNG. For the folder of a sweep the
/// page has the table and the figure of the sweep.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ReportArgs {
    /// A folder with one rate model in or below it, a rate model, or the folder of a sweep
    #[arg(value_name = "DIR|MODEL.mat")]
    pub run: PathBuf,
    /// The page [default: the model's name with .html]
    #[arg(short, long, value_name = "FILE.html")]
    pub output: Option<PathBuf>,
    /// Folder of the figures [default: the page's name with _figures]
    #[arg(long, value_name = "DIR")]
    pub figures: Option<PathBuf>,
    /// The spiking network
    #[command(flatten)]
    pub spiking: SpikingArgs,
    /// Candidates of the search that is shown [default: 20:5:75 with lif and sigmoid, else 4:2:26]
    #[arg(long)]
    pub lambdas: Option<Lambdas>,
    /// The trials of the scores and figures
    #[command(flatten)]
    pub score: ScoreArgs,
    /// The task
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Serialize)]
struct ReportReport<'a> {
    #[serde(serialize_with = "lossy")]
    model: &'a Path,
    lambda: f64,
    trials: usize,
    #[serde(flatten)]
    numbers: Numbers,
    #[serde(serialize_with = "lossy")]
    page: &'a Path,
    #[serde(serialize_with = "lossy")]
    figures: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(args: &ReportArgs, console: &Console) -> Result<(), CommandError> {
    if sweep::page::is_sweep(&args.run) {
        return report_sweep(args, console);
    }
    let path = find_model(&args.run)?;
    let page_path = args
        .output
        .clone()
        .unwrap_or_else(|| path.with_extension("html"));
    let folder = args.figures.clone().unwrap_or_else(|| {
        let stem = page_path.file_stem().unwrap_or_default().to_string_lossy();
        page_path.with_file_name(format!("{stem}_figures"))
    });
    let mut files = Outputs::new();
    files.reads("MODEL.mat", &path);
    for beside in ["snn", "json"] {
        let flag = format!("the .{beside} beside MODEL.mat");
        files.reads(flag, &path.with_extension(beside));
    }
    match args.output {
        Some(_) => files.writes("--output", &page_path)?,
        None => files.derives("--output", &page_path, page::is_ours)?,
    }
    picture::check(&folder, &figures::OF_A_RUN)?;
    let input = read(args, &path, console)?;
    disk::check_writable(&folder)?;
    let (page, numbers) = write_page(&input, &page_path, console)?;
    let report = ReportReport {
        model: &path,
        lambda: input.spiking.lambda,
        trials: args.score.trials,
        numbers,
        page: &page_path,
        figures: write_figures(&folder, &page)?,
    };
    console.json(&report);
    console.say(page.lead);
    console.say(format!("page     {}", report.page.display()));
    console.say(format!(
        "figures  {} files in {}",
        report.figures.len(),
        folder.display()
    ));
    Ok(())
}

/// Writes the page of `input` to `path`.
pub fn write_page(
    input: &ReportInput,
    path: &Path,
    console: &Console,
) -> Result<(Page, Numbers), CommandError> {
    let bar = console.progress(story::PARTS, "part {pos}/{len} of the report [{elapsed}]");
    let told = story::tell(input, || bar.inc(1)).map_err(|source| CommandError::Convert {
        path: input.model.path.clone(),
        source,
    })?;
    bar.finish_and_clear();
    disk::write(path, told.0.html().as_bytes())?;
    Ok(told)
}

#[derive(Serialize)]
struct SweepPageReport<'a> {
    #[serde(serialize_with = "lossy")]
    sweep: &'a Path,
    networks: usize,
    missing: usize,
    cells: &'a [CellSummary],
    #[serde(serialize_with = "lossy")]
    page: &'a Path,
    #[serde(serialize_with = "lossy")]
    figures: Vec<PathBuf>,
}

/// Writes the page of a sweep: its table and its figure.
fn report_sweep(args: &ReportArgs, console: &Console) -> Result<(), CommandError> {
    let folder = &args.run;
    let path = args.output.clone();
    let path = path.unwrap_or_else(|| folder.join("sweep.html"));
    let figures = args.figures.as_deref().unwrap_or(folder);
    picture::check(figures, &[OF_A_SWEEP])?;
    let plan = SweepPlan::read(folder)?;
    let rows = rows::read_all(folder, &plan)?;
    let mut files = Outputs::new();
    files.reads("the plan of the sweep", &SweepPlan::path(folder));
    for record in rows::files(folder)? {
        files.reads("a record of the sweep", &record);
        files.reads("a table of the sweep", &record.with_extension("csv"));
    }
    match args.output {
        Some(_) => files.writes("--output", &path)?,
        None => files.derives("--output", &path, page::is_ours)?,
    }
    disk::check_writable(figures)?;
    let cells = summarize(&plan, &rows);
    let mut warnings = Warnings::default();
    warnings.of_silent_networks(&rows);
    if rows.is_empty() {
        warnings.of_no_rows(folder);
    }
    warnings.say(console);
    let extent = Extent {
        networks: rows.len(),
        missing: rows::missing(&plan, &rows).len(),
    };
    let figure = sweep::page::figure(&plan, &cells);
    let page = sweep::page::page(&plan, &cells, extent, figure);
    let files = write_figures(figures, &page)?;
    disk::write(&path, page.html().as_bytes())?;
    console.say(page.lead);
    console.say(format!("page     {}", path.display()));
    for file in &files {
        console.say(format!("figure   {}", file.display()));
    }
    console.json(&SweepPageReport {
        sweep: folder,
        networks: extent.networks,
        missing: extent.missing,
        cells: &cells,
        page: &path,
        figures: files,
    });
    Ok(())
}

/// Writes the figures of `page` into `folder`, each as SVG and as PNG.
fn write_figures(folder: &Path, page: &Page) -> Result<Vec<PathBuf>, CommandError> {
    let figures: Vec<&Figure> = page.figures().collect();
    let files: Vec<[PathBuf; 2]> = figures
        .par_iter()
        .map(|figure| picture::write(folder, figure))
        .collect::<Result<_, _>>()?;
    Ok(files.into_iter().flatten().collect())
}

/// The candidates of the search that the page shows. A network of `lif` has one λ of its
/// own; the page shows it among the candidates of a sigmoid.
fn shown_lambdas(activation: ActivationKind) -> Vec<f64> {
    match activation {
        ActivationKind::Lif => default_lambdas(ActivationKind::Sigmoid),
        other => default_lambdas(other),
    }
}

fn read(args: &ReportArgs, path: &Path, console: &Console) -> Result<ReportInput, CommandError> {
    let model = read_model(path, console)?;
    let task = args.task.of(&model)?;
    let trials = ObservedTrials {
        count: task.scored(args.score.trials),
        task,
        seed: args.score.seed.seed,
    };
    let spiking = args.spiking.network(&model, console)?;
    let own = model.stored_lambda().ok().flatten();
    let lambdas = match &args.lambdas {
        Some(lambdas) => lambdas.0.clone(),
        None => shown_lambdas(model.network.activation),
    };
    let history = History::of(path)?.filter(|history| {
        let own = history.is_of(&model);
        if !own {
            console.warn(format!(
                "{}: it tells of another training than that of {}, and the page leaves it out",
                path.with_extension("json").display(),
                path.display()
            ));
        }
        own
    });
    let deployed = match deployed_beside(path, &trials.task) {
        Err(fault @ (SnnError::OtherTask { .. } | SnnError::ChangedTask { .. })) => {
            let snn = path.with_extension("snn");
            let (task, snn) = (trials.task.name(), snn.display());
            console.warn(match fault {
                SnnError::OtherTask { task: other, .. } => format!(
                    "{snn}: another network than the model: it answers {other}, and the model {task}; the page leaves it out"
                ),
                _ => format!(
                    "{snn}: another network than the model: it was made for another description of {task}; the page leaves it out"
                ),
            });
            None
        }
        found => found?,
    };
    Ok(ReportInput {
        history,
        // A calibration belongs to the λ of the file, which is the median of the units' λ.
        calibration: model.calibration()?.filter(|_| own == Some(spiking.lambda)),
        spiking,
        model,
        deployed,
        lambdas,
        trials,
    })
}
