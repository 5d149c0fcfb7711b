//! `rate2spike train`: task → rate model.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Instant;

use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::gpu::{self, PlaceArgs};
use super::training::{Plan, TrainReport, TrainingBar, stop_on_interrupt};
use super::{CommandError, print_json, progress, task_of};
use crate::formats::losses::LossesFile;
use crate::formats::rate_model::RateModelFile;
use crate::rate::activation::ActivationKind;
use crate::rate::gpu::device::Gpu;
use crate::rate::options::{DecayTaus, Loss, RateOptions, WeightStart};
use crate::rate::training::{EVALUATION_TRIALS, EvaluationTrials, evaluate};
use crate::task::{self, Task};

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
    /// Task: go-nogo, xor, mante, delayed-match, oscillation, or a FILE.toml with one of your own
    #[arg(long, value_name = "TASK", value_parser = task::parse)]
    pub task: Option<Task>,
    /// Folder below which the model is saved, as models/TASK/…/Task_….mat
    #[arg(
        long = "output_dir",
        visible_alias = "output",
        value_name = "DIR",
        default_value = "."
    )]
    pub output_dir: PathBuf,
    /// The network and its training
    #[command(flatten)]
    pub options: OptionArgs,
    /// Train a network of each of these seeds, on all cores, or all at once on a GPU; instead of --seed
    #[arg(long, value_name = "FIRST..LAST")]
    pub seeds: Option<Seeds>,
    /// Write a check point every so many updates, and on Ctrl-C; 0: on Ctrl-C only
    #[arg(long, value_name = "N", default_value_t = 0)]
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
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Train and save a network
    Train,
    /// Score a saved network
    Eval,
}

/// The network and its training; shared with `pipeline`.
#[derive(Clone, Debug, Args)]
pub struct OptionArgs {
    /// Number of units
    #[arg(
        long = "N",
        visible_alias = "units",
        default_value_t = 200,
        value_name = "N"
    )]
    pub units: usize,
    /// Activation [default: sigmoid for train, lif for pipeline]
    #[arg(long, value_enum, ignore_case = true)]
    pub act: Option<ActivationKind>,
    /// Everything else
    #[command(flatten)]
    pub training: TrainingArgs,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Begin with a trained model, for a harder task with the same inputs
    #[arg(long, value_name = "MODEL.mat")]
    pub from: Option<PathBuf>,
}

/// What is trained and how, beside task, size, activation and seed; shared with
/// `sweep`.
#[derive(Clone, Debug, Args)]
pub struct TrainingArgs {
    /// Most updates; the published code makes one a trial [default: 6000]
    #[arg(long = "n_trials", visible_alias = "updates", value_name = "N")]
    pub n_trials: Option<usize>,
    /// Probability that a unit is inhibitory
    #[arg(
        long = "P_inh",
        allow_negative_numbers = true,
        visible_alias = "p-inh",
        default_value_t = 0.2,
        value_name = "P"
    )]
    pub p_inh: f64,
    /// Probability of a recurrent connection at the start [default: 0.2, and 40 a unit with --act lif]
    #[arg(
        long = "P_rec",
        allow_negative_numbers = true,
        visible_alias = "p-rec",
        value_name = "P"
    )]
    pub p_rec: Option<f64>,
    /// Inhibitory units that receive no inhibition
    #[arg(
        long = "som_N",
        visible_alias = "som",
        default_value_t = 0,
        value_name = "N"
    )]
    pub som_units: usize,
    /// Dale's principle: True or False
    #[arg(
        long = "apply_dale", visible_alias = "dale", value_name = "BOOL", default_value = "True",
        value_parser = truth, action = clap::ArgAction::Set
    )]
    pub apply_dale: bool,
    /// Spread of the recurrent weights at the start [default: 1.5, and 9 with --act lif]
    #[arg(long, allow_negative_numbers = true)]
    pub gain: Option<f64>,
    /// Distribution of the recurrent weights at the start [default: gaussian, and balanced with --act lif]
    #[arg(long = "w_dist", visible_alias = "start", value_enum)]
    pub start: Option<WeightStart>,
    /// Loss
    #[arg(
        long = "loss_fn",
        visible_alias = "loss",
        value_enum,
        ignore_case = true,
        default_value = "l2"
    )]
    pub loss_fn: Loss,
    /// Synaptic decay times in steps of 5 ms: one, or the ends of a range to train in
    #[arg(
        long = "decay_taus", visible_alias = "taus", num_args = 1..=2, allow_negative_numbers = true,
        default_values_t = [4.0, 20.0], value_name = "TAU"
    )]
    pub decay_taus: Vec<f32>,
    /// Trials of an update [default: 1, and 8 with --act lif]
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,
    /// Adam's learning rate
    #[arg(
        long = "learning_rate",
        visible_alias = "rate",
        default_value_t = 0.01,
        allow_negative_numbers = true
    )]
    pub learning_rate: f64,
    /// Updates with a falling rate after the criterion is met [default: 0, and 600 with --act lif]
    #[arg(long, value_name = "N")]
    pub settle: Option<usize>,
    /// Fluctuations of the rates while training, as those of spike trains [default: 0, and 1 with --act lif]
    #[arg(long, value_name = "C", allow_negative_numbers = true)]
    pub fluctuations: Option<f32>,
    /// The same in the updates of --settle [default: as --fluctuations where it is given, else 0, and 2.5 with --act lif]
    #[arg(
        long = "settle_fluctuations",
        visible_alias = "settle-fluctuations",
        value_name = "C",
        allow_negative_numbers = true
    )]
    pub settle_fluctuations: Option<f32>,
}

/// Seeds from the first to the last one, both included.
#[derive(Clone, Debug, PartialEq)]
pub struct Seeds(pub RangeInclusive<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text
            .split_once("..")
            .ok_or("give FIRST..LAST, for instance 1..8")?;
        match (first.parse(), last.trim_start_matches('=').parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self(first..=last)),
            _ => Err(format!(
                "'{text}' is not a range of seeds; give FIRST..LAST"
            )),
        }
    }
}

impl TrainArgs {
    fn plan(&self) -> Result<Plan, CommandError> {
        let losses = match &self.losses {
            Some(path) if self.resume => Some(LossesFile::resume(path)?),
            Some(path) => Some(LossesFile::create(path)?),
            None => None,
        };
        Ok(Plan {
            output: self.output_dir.clone(),
            checkpoint_every: self.checkpoint_every,
            resume: self.resume,
            losses: losses.map(Mutex::new),
            from: self.options.from()?,
        })
    }
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "t" | "y" | "1" => Ok(true),
        "no" | "false" | "f" | "n" | "0" => Ok(false),
        _ => Err("give True or False".into()),
    }
}

impl OptionArgs {
    /// The model to begin with.
    pub fn from(&self) -> Result<Option<RateModelFile>, CommandError> {
        let model = self.from.as_deref().map(RateModelFile::read);
        Ok(model.transpose()?)
    }

    /// Checked options; `default` is the activation where none is given.
    pub fn options(
        &self,
        task: Task,
        default: ActivationKind,
    ) -> Result<RateOptions, CommandError> {
        let activation = self.act.unwrap_or(default);
        self.training
            .options(task, self.units, activation, self.seed)
    }
}

impl TrainingArgs {
    /// Checked options of one network.
    pub fn options(
        &self,
        task: Task,
        units: usize,
        activation: ActivationKind,
        seed: u64,
    ) -> Result<RateOptions, CommandError> {
        let taus = DecayTaus::from_numbers(&self.decay_taus)
            .ok_or_else(|| CommandError::Usage("--decay_taus takes one or two numbers".into()))?;
        let default = RateOptions::defaults(task, units, activation);
        let options = RateOptions {
            p_inh: self.p_inh,
            p_rec: self.p_rec.unwrap_or(default.p_rec),
            som_units: self.som_units,
            dale: self.apply_dale,
            gain: self.gain.unwrap_or(default.gain),
            start: self.start.unwrap_or(default.start),
            loss: self.loss_fn,
            taus,
            updates: self.n_trials.unwrap_or(default.updates),
            batch: self.batch.unwrap_or(default.batch),
            learning_rate: self.learning_rate,
            settle: self.settle.unwrap_or(default.settle),
            fluctuations: self.fluctuations.unwrap_or(default.fluctuations),
            settle_fluctuations: self
                .settle_fluctuations
                .or(self.fluctuations)
                .unwrap_or(default.settle_fluctuations),
            seed,
            ..default
        };
        Ok(options.checked()?)
    }
}

/// Runs the command.
pub fn run(args: &TrainArgs) -> Result<(), CommandError> {
    match args.mode {
        Mode::Train => run_training(args),
        Mode::Eval => run_evaluation(args),
    }
}

fn run_training(args: &TrainArgs) -> Result<(), CommandError> {
    let task = args
        .task
        .ok_or_else(|| CommandError::Usage("--task is needed to train".into()))?;
    let options = args.options.options(task, ActivationKind::Sigmoid)?;
    if let Some(gpu) = args.place.gpu()? {
        return train_on(&gpu, args, &options);
    }
    stop_on_interrupt();
    let plan = args.plan()?;
    match &args.seeds {
        Some(seeds) => train_many(args, &plan, &options, seeds),
        None => train_one(args, &plan, &options),
    }
}

fn train_one(args: &TrainArgs, plan: &Plan, options: &RateOptions) -> Result<(), CommandError> {
    let mut bar = TrainingBar::new(options.updates, args.json);
    let (_, report) = plan.train(options, &mut bar)?;
    drop(bar);
    report_one(args, &report)
}

/// Trains a network, or one of each seed, on a GPU.
fn train_on(gpu: &Gpu, args: &TrainArgs, options: &RateOptions) -> Result<(), CommandError> {
    if args.resume
        || args.checkpoint_every > 0
        || args.losses.is_some()
        || args.options.from.is_some()
    {
        let message = "--resume, --checkpoint-every, --losses and --from need --backend cpu";
        return Err(CommandError::Usage(message.into()));
    }
    let started = Instant::now();
    let seeds = match &args.seeds {
        Some(Seeds(seeds)) => seeds.clone().collect(),
        None => vec![options.seed],
    };
    let mut results = gpu::train(gpu, args, options, &seeds)?;
    if args.seeds.is_none() {
        return report_one(args, &results.remove(0)?);
    }
    if !args.json {
        results.iter().flatten().for_each(print_report);
    }
    report_many(args, started, results)
}

fn report_one(args: &TrainArgs, report: &TrainReport) -> Result<(), CommandError> {
    if args.json {
        print_json(report);
    } else {
        print_report(report);
    }
    if report.success {
        return Ok(());
    }
    Err(CommandError::Failed(
        "the criterion was not met; the model is saved all the same. Try more --n_trials or another --seed".into(),
    ))
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
    args: &TrainArgs,
    plan: &Plan,
    options: &RateOptions,
    Seeds(seeds): &Seeds,
) -> Result<(), CommandError> {
    let started = Instant::now();
    let template = "network {pos}/{len} [{elapsed}, {eta} left]";
    let bar = progress(seeds.end() - seeds.start() + 1, template, args.json);
    bar.tick();
    // One at a time for each thread, in the order of the seeds.
    let results: Vec<Result<TrainReport, CommandError>> = seeds
        .clone()
        .collect::<Vec<u64>>()
        .into_par_iter()
        .with_max_len(1)
        .map(|seed| {
            let options = RateOptions {
                seed,
                ..options.clone()
            };
            let result = plan.train(&options, &mut ()).map(|(_, report)| report);
            if let Ok(report) = &result
                && !args.json
            {
                bar.suspend(|| print_report(report));
            }
            bar.inc(1);
            result
        })
        .collect();
    bar.finish_and_clear();
    report_many(args, started, results)
}

fn report_many(
    args: &TrainArgs,
    started: Instant,
    results: Vec<Result<TrainReport, CommandError>>,
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
    if args.json {
        print_json(&report);
    } else {
        println!(
            "{} of {all} networks trained in {:.1} s",
            report.trained, report.seconds
        );
    }
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

fn print_report(report: &TrainReport) {
    let verdict = if report.success { "met" } else { "not met" };
    println!(
        "seed {}: criterion {verdict} after {} updates in {:.1} s: accuracy {:.2}, strict {:.2}, loss {:.2} over {EVALUATION_TRIALS} trials",
        report.seed, report.updates, report.seconds, report.accuracy, report.strict, report.loss
    );
    println!("{}", report.model.display());
}

#[derive(Serialize)]
struct EvaluationReport<'a> {
    model: &'a PathBuf,
    task: &'static str,
    trials: usize,
    accuracy: f64,
    strict: f64,
    loss: f64,
}

fn run_evaluation(args: &TrainArgs) -> Result<(), CommandError> {
    let path = args.model.as_ref().ok_or_else(|| {
        CommandError::Usage("--mode eval scores the model in --model FILE".into())
    })?;
    let file = RateModelFile::read(path)?;
    let task = task_of(&file, args.task)?;
    let trials = EvaluationTrials {
        seed: args.options.seed,
        first: 0,
        trials: EVALUATION_TRIALS,
        fluctuations: 0.0,
    };
    let evaluation = evaluate(&file.network, task, args.options.training.loss_fn, trials);
    let report = EvaluationReport {
        model: path,
        task: task.name(),
        trials: EVALUATION_TRIALS,
        accuracy: evaluation.accuracy,
        strict: evaluation.strict,
        loss: evaluation.loss,
    };
    if args.json {
        print_json(&report);
    } else {
        println!(
            "{} on {}: accuracy {:.2}, strict {:.2}, loss {:.2} over {} trials",
            path.display(),
            report.task,
            report.accuracy,
            report.strict,
            report.loss,
            report.trials
        );
    }
    Ok(())
}
