//! `rate2spike train`: task → rate model.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::CommandError;
use super::bars::{EnsembleBar, TrainingBar, Warned};
use super::gpu::PlaceArgs;
use super::options::OptionArgs;
use super::shared::read_model;
use crate::formats::losses::LossesFile;
use crate::formats::task;
use crate::number::counted;
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::rate::activation::ActivationKind;
use crate::rate::evaluation::{EVALUATION_TRIALS, EvaluationTrials, evaluate};
use crate::rate::gpu::device::Gpu;
use crate::rate::options::RateOptions;
use crate::session::{Session, SessionError, TrainReport};
use crate::sweep::seeds::Seeds;
use crate::task::Task;
use crate::task::description::Part;

/// Train a rate network, with the published code's flags
///
/// Example:  rate2spike train --task go-nogo --N 200 --act lif --output_dir .
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct TrainArgs {
    /// Train a network, or evaluate the one in --model
    #[arg(long, value_enum, ignore_case = true, default_value = "train")]
    pub mode: Mode,
    /// Model to evaluate, with --mode eval
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// The task
    #[arg(long, value_name = "TASK", value_parser = task::parse, help = crate::task::help())]
    pub task: Option<Task>,
    /// Folder below which the model is saved, as models/TASK/…/Task_….mat
    #[arg(
        long = "output_dir",
        short = 'o',
        visible_aliases = ["output-dir", "output"],
        value_name = "DIR",
        default_value = "."
    )]
    pub output_dir: PathBuf,
    /// The network and its training
    #[command(flatten)]
    pub options: OptionArgs,
    /// Train a network of each of these seeds, on all cores, or all at once on a GPU; instead of --seed
    #[arg(long, value_name = "FIRST..LAST", conflicts_with = "seed")]
    pub seeds: Option<Seeds>,
    /// Write a check point every N updates, and on Ctrl-C or SIGTERM; 0: only then
    #[arg(
        long,
        visible_alias = "checkpoint_every",
        value_name = "N",
        default_value_t = 0
    )]
    pub checkpoint_every: usize,
    /// Go on from the check point of the same options, where there is one
    #[arg(long)]
    pub resume: bool,
    /// Write the losses as they come to this file (seed, update, loss, evaluation)
    #[arg(long, value_name = "FILE.csv")]
    pub losses: Option<PathBuf>,
    /// Where to train
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// The training flags of the published code.
const PUBLISHED: [&str; 8] = [
    "n_trials",
    "gain",
    "P_inh",
    "P_rec",
    "som_N",
    "loss_fn",
    "apply_dale",
    "decay_taus",
];

/// The mode of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Train and save a network
    Train,
    /// Score a saved network
    Eval,
}

impl TrainArgs {
    /// The session without the file of the losses.
    fn session(&self, console: &Console) -> Result<Session, CommandError> {
        Ok(Session {
            output: self.output_dir.clone(),
            checkpoint_every: self.checkpoint_every,
            resume: self.resume,
            losses: None,
            from: self.options.from(console)?,
        })
    }

    /// The file of the losses.
    fn losses(&self) -> Result<Option<Mutex<LossesFile>>, CommandError> {
        let open = |path: &PathBuf| {
            if self.resume {
                LossesFile::resume(path)
            } else {
                LossesFile::create(path)
            }
        };
        Ok(self.losses.as_ref().map(open).transpose()?.map(Mutex::new))
    }

    /// Flags that have no effect in this mode are errors; those of the published code
    /// are mentioned.
    fn check_mode(&self, console: &Console) -> Result<(), CommandError> {
        if self.mode == Mode::Train {
            return match self.model {
                Some(_) => Err(CommandError::Usage(
                    "--model is the model of --mode eval; --from MODEL begins a training with one"
                        .into(),
                )),
                None => Ok(()),
            };
        }
        let own = [
            ("--seeds", self.seeds.is_some()),
            ("--resume", self.resume),
            ("--checkpoint-every", self.checkpoint_every > 0),
            ("--losses", self.losses.is_some()),
            ("--from", self.options.from.is_some()),
        ];
        let flags = self.options.training.given.flags();
        let (published, others): (Vec<&str>, Vec<&str>) = flags
            .filter(|flag| *flag != "loss_fn")
            .partition(|flag| PUBLISHED.contains(flag));
        let others = others.into_iter().map(|flag| format!("--{flag}"));
        let given = own.into_iter().filter(|(_, given)| *given);
        let useless: Vec<String> = given
            .map(|(flag, _)| flag.to_string())
            .chain(others)
            .collect();
        if !useless.is_empty() {
            return Err(CommandError::Usage(format!(
                "{} has no effect with --mode eval; leave it out",
                useless.join(", ")
            )));
        }
        if !published.is_empty() {
            console.note(format!(
                "--{} has no effect with --mode eval",
                published.join(", --")
            ));
        }
        Ok(())
    }
}

/// Runs the command.
pub fn run(args: &TrainArgs, console: &Console) -> Result<(), CommandError> {
    args.check_mode(console)?;
    match args.mode {
        Mode::Train => run_training(args, console),
        Mode::Eval => run_evaluation(args, console),
    }
}

fn run_training(args: &TrainArgs, console: &Console) -> Result<(), CommandError> {
    let task = args
        .task
        .as_ref()
        .ok_or_else(|| CommandError::Usage("--task is needed to train".into()))?;
    let options = args.options.options(task, ActivationKind::Sigmoid)?;
    if let Some(gpu) = args.place.gpu(console)? {
        return train_on(&gpu, args, &options, console);
    }
    let starts = args.options.restarts.starts(&options)?;
    let mut session = args.session(console)?;
    session.check(&options)?;
    // Opened last: nothing is left of a command that fails before its first update.
    session.losses = args.losses()?;
    console.warn_all(options.task.warnings());
    match &args.seeds {
        Some(seeds) => {
            let train = |options: &RateOptions| {
                let finished = session.train(options, starts, &mut Warned(console))?;
                Ok(finished.report)
            };
            train_many(console, &options, seeds, train)
        }
        None => train_one(args, &session, &options, starts, console),
    }
}

fn train_one(
    args: &TrainArgs,
    session: &Session,
    options: &RateOptions,
    starts: usize,
    console: &Console,
) -> Result<(), CommandError> {
    let mut bar = TrainingBar::new(options.updates, console);
    let finished = session.train(options, starts, &mut bar)?;
    drop(bar);
    report_one(args, &finished.report, &options.task, console)
}

/// Trains a network, or one of each seed, on a GPU.
fn train_on(
    gpu: &Gpu,
    args: &TrainArgs,
    options: &RateOptions,
    console: &Console,
) -> Result<(), CommandError> {
    if args.resume
        || args.checkpoint_every > 0
        || args.losses.is_some()
        || args.options.from.is_some()
        || args.options.restarts.restarts > 1
    {
        let message =
            "--resume, --checkpoint-every, --losses, --from and --restarts need --backend cpu";
        return Err(CommandError::Usage(message.into()));
    }
    let started = Instant::now();
    let seeds = match &args.seeds {
        Some(seeds) => seeds.range().collect(),
        None => vec![options.seed],
    };
    let bar = EnsembleBar::new(options.updates, seeds.len(), console);
    let session = args.session(console)?;
    let mut results = session.train_on(gpu, options, &seeds, bar)?;
    if args.seeds.is_none() {
        return report_one(args, &results.remove(0)?, &options.task, console);
    }
    for report in results.iter().flatten() {
        print_report(report, &options.task, console);
    }
    report_many(console, started, results)
}

fn report_one(
    args: &TrainArgs,
    report: &TrainReport,
    task: &Task,
    console: &Console,
) -> Result<(), CommandError> {
    console.json(report);
    print_report(report, task, console);
    if report.success {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "the criterion was not met; the model is saved all the same. {}",
        args.options.advice()
    )))
}

#[derive(Serialize)]
struct NetworksReport {
    trained: usize,
    networks: Vec<TrainReport>,
    failures: Vec<String>,
    seconds: f64,
}

/// Trains a network of each seed, on all cores.
fn train_many(
    console: &Console,
    options: &RateOptions,
    seeds: &Seeds,
    train: impl Fn(&RateOptions) -> Result<TrainReport, SessionError> + Sync,
) -> Result<(), CommandError> {
    let started = Instant::now();
    let template = "network {pos}/{len} [{elapsed}, {eta} left]";
    let seeds: Vec<u64> = seeds.range().collect();
    let bar = console.progress(seeds.len() as u64, template);
    bar.tick();
    // One at a time for each thread, in the order of the seeds.
    let results: Vec<Result<TrainReport, SessionError>> = seeds
        .into_par_iter()
        .with_max_len(1)
        .map(|seed| {
            let result = train(&options.with_seed(seed));
            if let Ok(report) = &result {
                bar.suspend(|| print_report(report, &options.task, console));
            }
            bar.inc(1);
            result
        })
        .collect();
    bar.finish_and_clear();
    report_many(console, started, results)
}

fn report_many(
    console: &Console,
    started: Instant,
    results: Vec<Result<TrainReport, SessionError>>,
) -> Result<(), CommandError> {
    let (mut networks, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(report) => networks.push(report),
            Err(error) => failures.push(error.to_string()),
        }
    }
    let report = NetworksReport {
        trained: networks.iter().filter(|report| report.success).count(),
        networks,
        failures,
        seconds: started.elapsed().as_secs_f64(),
    };
    let all = report.networks.len() + report.failures.len();
    console.json(&report);
    console.say(format!(
        "{} of {all} networks trained in {:.1} s",
        report.trained, report.seconds
    ));
    if report.trained == all {
        return Ok(());
    }
    let mut message = format!(
        "{} of {all} networks did not meet the criterion",
        all - report.trained
    );
    for failure in &report.failures {
        message.push_str("\n  ");
        message.push_str(failure);
    }
    Err(CommandError::Failed(message))
}

/// Trials of an evaluation; the validation part of a data set may have fewer.
fn evaluated_trials(task: &Task) -> usize {
    task.on(Part::Validation)
        .scored(EVALUATION_TRIALS)
        .min(EVALUATION_TRIALS)
}

fn print_report(report: &TrainReport, task: &Task, console: &Console) {
    let verdict = match (report.validated, report.success) {
        (true, _) => "best network on the validation part",
        (false, true) => "criterion met",
        (false, false) => "criterion not met",
    };
    let starts = match report.starts {
        0 | 1 => String::new(),
        starts => format!(", one of {starts} starts"),
    };
    console.say(format!(
        "seed {}{starts}: {verdict} after {} updates in {:.1} s: accuracy {:.2}, strict {:.2}, loss {:.2} over {}",
        report.seed,
        report.updates,
        report.seconds,
        report.accuracy,
        report.strict,
        report.loss,
        counted(evaluated_trials(task), "trial")
    ));
    console.say(report.model.display());
}

#[derive(Serialize)]
struct EvaluationReport<'a> {
    #[serde(serialize_with = "lossy")]
    model: &'a PathBuf,
    task: String,
    trials: usize,
    accuracy: f64,
    strict: f64,
    loss: f64,
}

fn run_evaluation(args: &TrainArgs, console: &Console) -> Result<(), CommandError> {
    let path = args.model.as_ref().ok_or_else(|| {
        CommandError::Usage("--mode eval scores the model in --model FILE".into())
    })?;
    let file = read_model(path, console)?;
    let task = file.task_or(args.task.as_ref())?;
    let trials = EvaluationTrials {
        seed: args.options.seed(),
        first: 0,
        trials: EVALUATION_TRIALS,
        fluctuations: 0.0,
    };
    let options = args.options.options(&task, file.network.activation)?;
    let evaluation = evaluate(&file.network, &task, options.loss, trials);
    if !evaluation.loss.is_finite() {
        return Err(CommandError::Failed(format!(
            "{}: the loss is {}: the activity of the network grows beyond every number; train again",
            path.display(),
            evaluation.loss
        )));
    }
    let report = EvaluationReport {
        model: path,
        task: task.name().into(),
        trials: evaluated_trials(&task),
        accuracy: evaluation.accuracy,
        strict: evaluation.strict,
        loss: evaluation.loss,
    };
    console.json(&report);
    console.say(format!(
        "{} on {}: accuracy {:.2}, strict {:.2}, loss {:.2} over {}",
        path.display(),
        report.task,
        report.accuracy,
        report.strict,
        report.loss,
        counted(report.trials, "trial")
    ));
    Ok(())
}
