//! `rate2spike sweep`: many networks by one command.

use std::path::{Path, PathBuf};

use clap::Args;
use rate2spike_core::neuron::Scheme;
use serde::Serialize;

use super::CommandError;
use super::options::{RestartArgs, TrainingArgs};
use super::warnings::Warnings;
use crate::convert::choice::EquationChoice;
use crate::convert::lambdas::Lambdas;
use crate::convert::search::default_lambdas;
use crate::formats::disk;
use crate::formats::task;
use crate::number::{above_0, trials};
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::quantize::longest_step::DEPLOYED_STEP_MS;
use crate::rate::activation::ActivationKind;
use crate::report::figures::OF_A_SWEEP;
use crate::report::picture;
use crate::shell_word::path_word;
use crate::spiking::neuron::{Equation, Neuron};
use crate::spiking::time_step::TimeStep;
use crate::sweep::folder::keep;
use crate::sweep::plan::{Calibrate, Cell, NeuronOptions, SweepPlan};
use crate::sweep::row::Row;
use crate::sweep::rows;
use crate::sweep::run::Work;
use crate::sweep::seeds::SeedRange;
use crate::sweep::slurm::{JobArray, JobShare};
use crate::sweep::summary::{CellSummary, summarize, table};
use crate::sweep::{self, SweepError};
use crate::task::Task;

/// Train, convert, quantize and score many networks, and write a row for each
///
/// Example:  rate2spike sweep --task go-nogo --n 50,100,200 --seeds 20 --act sigmoid,lif -o sweep
///
/// Each combination of a task, a size and an activation is a cell, which is run with
/// every seed, as `rate2spike pipeline` does. The rows are written to rows.csv and rows.jsonl in the folder; success.svg
/// and success.png show the share of each cell that succeeds as deployed networks. A
/// sweep that was stopped goes on from there when the same command is given again.
///
/// On a cluster:  rate2spike sweep … -o sweep --slurm 40, and after the last job
/// rate2spike sweep --merge sweep
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct SweepArgs {
    /// The tasks
    #[arg(
        long,
        value_name = "TASK",
        value_parser = task::parse,
        help = crate::task::help_of_several(),
        value_delimiter = ',',
        required_unless_present_any = ["merge", "share"]
    )]
    pub task: Vec<Task>,
    /// Numbers of units, with commas between
    #[arg(
        long,
        visible_aliases = ["N", "units"],
        value_delimiter = ',',
        default_value = "200"
    )]
    pub n: Vec<usize>,
    /// Activations, with commas between
    #[arg(
        long,
        value_enum,
        ignore_case = true,
        value_delimiter = ',',
        default_value = "lif"
    )]
    pub act: Vec<ActivationKind>,
    /// Networks of each cell: their number, or their seeds as FIRST..LAST
    #[arg(long, default_value = "10")]
    pub seeds: SeedRange,
    /// The training of every network
    #[command(flatten)]
    pub training: TrainingArgs,
    /// How often each training begins
    #[command(flatten)]
    pub restarts: RestartArgs,
    /// Scaling factors to search [default: 50 with lif, 20:5:75 with sigmoid, else 4:2:26]
    #[arg(long)]
    pub lambdas: Option<Lambdas>,
    /// Calibrate each unit in place of a search, and fit the readout to the spikes, as convert --calibrate --refit-readout does [default: with lif, if a network does not answer well enough without it]
    #[arg(long, conflicts_with = "lambdas")]
    pub calibrate: bool,
    /// The neuron
    #[command(flatten)]
    pub neuron: EquationChoice,
    /// Trials of each scaling factor in a search
    #[arg(long, default_value = "100", value_parser = trials)]
    pub search_trials: usize,
    /// Trials of each score
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// Time step of the deployed networks in ms
    #[arg(long, value_name = "MS", default_value_t = DEPLOYED_STEP_MS, value_parser = above_0)]
    pub dt: f64,
    /// Folder of the rows
    #[arg(
        long = "output-dir",
        short = 'o',
        visible_aliases = ["output_dir", "output"],
        value_name = "DIR",
        default_value = "sweep"
    )]
    pub output_dir: PathBuf,
    /// Submit the sweep to Slurm as a job array with this number of elements
    #[arg(long, value_name = "ELEMENTS", value_parser = elements)]
    pub slurm: Option<usize>,
    /// A further option for Slurm, such as --slurm-option=--partition=short; may be repeated
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub slurm_option: Vec<String>,
    /// Join the rows of a job array, and print the summary
    #[arg(long, value_name = "DIR", conflicts_with_all = ["slurm", "share"])]
    pub merge: Option<PathBuf>,
    /// Run one share of the sweep that is planned in the folder
    #[arg(long, value_name = "K/OF", hide = true, conflicts_with = "slurm")]
    pub share: Option<JobShare>,
}

/// The largest number of elements of a job array in Slurm.
const MOST_ELEMENTS: usize = 4_000_000;

/// The number of elements of a job array.
fn elements(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(elements @ 1..=MOST_ELEMENTS) => Ok(elements),
        _ => Err(format!(
            "give a whole number of elements, at least 1 and at most {MOST_ELEMENTS}, the largest array of Slurm"
        )),
    }
}

impl SweepArgs {
    /// The plan of these options.
    fn plan(&self) -> Result<SweepPlan, CommandError> {
        let tasks: Vec<&str> = self.task.iter().map(Task::name).collect();
        let units: Vec<String> = self.n.iter().map(usize::to_string).collect();
        let activations: Vec<&str> = self.act.iter().map(|act| act.name()).collect();
        no_repeat("--task", &tasks)?;
        no_repeat("--n", &units)?;
        no_repeat("--act", &activations)?;
        let neuron = NeuronOptions::of(&self.neuron.over(&Neuron::LIF));
        let seeds = self.seeds.0.range();
        let mut cells = Vec::new();
        for task in &self.task {
            for &units in &self.n {
                for &activation in &self.act {
                    let lambdas = match &self.lambdas {
                        Some(Lambdas(lambdas)) => lambdas.clone(),
                        None => default_lambdas(activation),
                    };
                    let by_default = activation == ActivationKind::Lif
                        && self.lambdas.is_none()
                        && neuron.equation == Equation::Lif;
                    let calibrate = match (self.calibrate, by_default) {
                        (true, _) => Calibrate::Always,
                        (false, true) => Calibrate::IfNeeded,
                        (false, false) => Calibrate::Never,
                    };
                    let options = self
                        .training
                        .options(task, units, activation, *seeds.start())?;
                    cells.push(Cell {
                        restarts: self.restarts.starts(&options)?,
                        options,
                        neuron,
                        lambdas,
                        calibrate,
                    });
                }
            }
        }
        Ok(SweepPlan {
            cells,
            first_seed: *seeds.start(),
            last_seed: *seeds.end(),
            search_trials: self.search_trials,
            trials: self.trials,
            step_ms: self.dt,
        })
    }
}

/// Refuses a value that a flag has twice: its networks would be trained twice, and counted
/// as other ones.
fn no_repeat<T: PartialEq + std::fmt::Display>(
    flag: &str,
    values: &[T],
) -> Result<(), CommandError> {
    let repeated = (1..values.len()).find(|&k| values[..k].contains(&values[k]));
    repeated.map_or(Ok(()), |k| {
        let message = format!("{flag} has {} twice; give each value once", values[k]);
        Err(CommandError::Usage(message))
    })
}

/// The result of a sweep.
#[derive(Debug, Serialize)]
struct SweepReport<'a> {
    #[serde(serialize_with = "lossy")]
    rows: PathBuf,
    networks: usize,
    missing: usize,
    cells: &'a [CellSummary],
    #[serde(serialize_with = "lossy")]
    figures: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(args: &SweepArgs, console: &Console) -> Result<(), CommandError> {
    if let Some(folder) = &args.merge {
        return merge(folder, console);
    }
    if let Some(share) = args.share {
        let folder = &args.output_dir;
        let plan = SweepPlan::read(folder)?;
        let rows = run_networks(&plan, folder, Some(share), console)?;
        // The figure is drawn when the shares are joined.
        print_report(&plan, folder, &rows, Vec::new(), console);
        return Ok(());
    }
    let plan = args.plan()?;
    TimeStep::new(plan.step_ms, Scheme::Exact)?;
    keep(&plan, &args.output_dir)?;
    if let Some(elements) = args.slurm {
        return submit(args, elements, console);
    }
    let rows = run_networks(&plan, &args.output_dir, None, console)?;
    report(&plan, &args.output_dir, &rows, console)
}

/// Runs the networks of the sweep in `folder`, or of one share, that have no row yet;
/// returns all rows.
pub fn run_networks(
    plan: &SweepPlan,
    folder: &Path,
    share: Option<JobShare>,
    console: &Console,
) -> Result<Vec<Row>, CommandError> {
    let work = Work::open(plan, folder, share)?;
    let template = "network {pos}/{len} [{elapsed}, {eta} left] {wide_bar}";
    let bar = console.progress(work.networks as u64, template);
    bar.set_position(work.done as u64);
    bar.reset_eta();
    let rows = work.run(plan, || bar.inc(1));
    bar.finish_and_clear();
    Ok(rows?)
}

#[derive(Serialize)]
struct SubmitReport {
    job: String,
    elements: usize,
    #[serde(serialize_with = "lossy")]
    script: PathBuf,
}

fn submit(args: &SweepArgs, elements: usize, console: &Console) -> Result<(), CommandError> {
    let absolute = |path: &Path| {
        std::fs::canonicalize(path).map_err(|source| disk::DiskError::Read {
            path: path.into(),
            source,
        })
    };
    let folder = absolute(&args.output_dir)?;
    let program = absolute(&std::env::current_exe().unwrap_or_else(|_| "rate2spike".into()))?;
    let array = JobArray {
        folder: &folder,
        program: &program,
        elements,
        options: &args.slurm_option,
    };
    let (script, job) = array.submit()?;
    console.say(format!(
        "job {job} with {elements} elements: {}",
        script.display()
    ));
    console.say(format!(
        "when it is done: rate2spike sweep --merge {}",
        path_word(&args.output_dir)
    ));
    console.json(&SubmitReport {
        job,
        elements,
        script,
    });
    Ok(())
}

fn merge(folder: &Path, console: &Console) -> Result<(), CommandError> {
    picture::check(folder, &[OF_A_SWEEP])?;
    let plan = SweepPlan::read(folder)?;
    let rows = rows::merge(folder, &plan)?;
    report(&plan, folder, &rows, console)?;
    let missing = rows::missing(&plan, &rows).len();
    if missing == 0 {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "{}: {missing} of {} networks have no row yet; submit the sweep again, or run it here by its command without --slurm",
        folder.display(),
        rows.len() + missing
    )))
}

/// Draws the figure, and prints the summary.
fn report(
    plan: &SweepPlan,
    folder: &Path,
    rows: &[Row],
    console: &Console,
) -> Result<(), CommandError> {
    let figure = sweep::page::figure(plan, &summarize(plan, rows));
    let files = figure.map(|figure| picture::write(folder, &figure));
    let files = files.transpose()?.into_iter().flatten().collect();
    print_report(plan, folder, rows, files, console);
    Ok(())
}

fn print_report(
    plan: &SweepPlan,
    folder: &Path,
    rows: &[Row],
    figures: Vec<PathBuf>,
    console: &Console,
) {
    let mut warnings = Warnings::default();
    warnings.of_silent_networks(rows);
    warnings.say(console);
    let cells = summarize(plan, rows);
    let report = SweepReport {
        rows: rows::table(folder),
        networks: rows.len(),
        missing: rows::missing(plan, rows).len(),
        cells: &cells,
        figures,
    };
    console.json(&report);
    console.say(table(&cells));
    console.say("");
    console.say(format!(
        "Percent of the networks, with 95 % intervals. trained: the rate network met its criterion. f64, fixed: the spiking network is right in at least 95 % of {} trials",
        plan.trials
    ));
    console.say(format!("rows    {}", report.rows.display()));
    for file in &report.figures {
        console.say(format!("figure  {}", file.display()));
    }
}

impl From<SweepError> for CommandError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::OtherPlan { .. }
            | SweepError::Output(_)
            | SweepError::Step(_)
            | SweepError::TooManyNetworks { .. }
            | SweepError::TooManyTrials { .. } => CommandError::Usage(error.to_string()),
            _ => CommandError::Sweep(error),
        }
    }
}
