//! `rate2spike train`: task → rate model.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;

use super::gpu::{self, PlaceArgs};
use super::{CommandError, print_json, progress, task_of};
use crate::formats::disk;
use crate::formats::rate_model::{self, RateModelFile};
use crate::rate::activation::ActivationKind;
use crate::rate::options::{DecayTaus, Loss, RateOptions, WeightStart};
use crate::rate::training::{
    EVALUATION_TRIALS, Evaluation, EvaluationTrials, Progress, Trained, evaluate, train,
};
use crate::task::Task;

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
    /// Task
    #[arg(long, value_enum, ignore_case = true)]
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
    /// Most updates; the published code makes one a trial [default: 6000]
    #[arg(long = "n_trials", visible_alias = "updates", value_name = "N")]
    pub n_trials: Option<usize>,
    /// Number of units
    #[arg(
        long = "N",
        visible_alias = "units",
        default_value_t = 200,
        value_name = "N"
    )]
    pub units: usize,
    /// Probability that a unit is inhibitory
    #[arg(
        long = "P_inh",
        allow_negative_numbers = true,
        visible_alias = "p-inh",
        default_value_t = 0.2,
        value_name = "P"
    )]
    pub p_inh: f64,
    /// Probability of a recurrent connection at the start
    #[arg(
        long = "P_rec",
        allow_negative_numbers = true,
        visible_alias = "p-rec",
        default_value_t = 0.2,
        value_name = "P"
    )]
    pub p_rec: f64,
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
    /// Spread of the recurrent weights at the start
    #[arg(long, default_value_t = 1.5, allow_negative_numbers = true)]
    pub gain: f64,
    /// Distribution of the recurrent weights at the start
    #[arg(
        long = "w_dist",
        visible_alias = "start",
        value_enum,
        default_value = "gaussian"
    )]
    pub start: WeightStart,
    /// Activation [default: sigmoid for train, lif for pipeline]
    #[arg(long, value_enum, ignore_case = true)]
    pub act: Option<ActivationKind>,
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
    /// Fluctuations of the rates while training, as those of spike trains [default: 0, and 1 with --act lif]
    #[arg(long, value_name = "C", allow_negative_numbers = true)]
    pub fluctuations: Option<f32>,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "t" | "y" | "1" => Ok(true),
        "no" | "false" | "f" | "n" | "0" => Ok(false),
        _ => Err("give True or False".into()),
    }
}

impl OptionArgs {
    /// Checked options; `default` is the activation where none is given.
    pub fn options(
        &self,
        task: Task,
        default: ActivationKind,
    ) -> Result<RateOptions, CommandError> {
        let activation = self.act.unwrap_or(default);
        let lif = activation == ActivationKind::Lif;
        let taus = DecayTaus::from_numbers(&self.decay_taus)
            .ok_or_else(|| CommandError::Usage("--decay_taus takes one or two numbers".into()))?;
        let options = RateOptions {
            task,
            units: self.units,
            p_inh: self.p_inh,
            p_rec: self.p_rec,
            som_units: self.som_units,
            dale: self.apply_dale,
            gain: self.gain,
            start: self.start,
            activation,
            loss: self.loss_fn,
            taus,
            updates: self.n_trials.unwrap_or(6000),
            batch: self.batch.unwrap_or(if lif { 8 } else { 1 }),
            learning_rate: self.learning_rate,
            fluctuations: self.fluctuations.unwrap_or(if lif { 1.0 } else { 0.0 }),
            seed: self.seed,
        };
        Ok(options.checked()?)
    }
}

/// A bar with the loss and the last evaluation.
pub struct TrainingBar {
    bar: ProgressBar,
    evaluation: String,
}

impl TrainingBar {
    /// For so many updates.
    pub fn new(updates: usize, json: bool) -> Self {
        let template = "train {pos}/{len} [{elapsed}, at most {eta} left, {per_sec}] {msg}";
        Self {
            bar: progress(updates as u64, template, json),
            evaluation: String::new(),
        }
    }
}

impl Progress for TrainingBar {
    fn updated(&mut self, update: usize, loss: f32) {
        if update.is_multiple_of(10) {
            self.bar
                .set_message(format!("loss {loss:.2}{}", self.evaluation));
        }
        self.bar.inc(1);
    }

    fn evaluated(&mut self, _update: usize, evaluation: &Evaluation) {
        self.evaluation = format!(
            "; evaluation: loss {:.2}, accuracy {:.2}",
            evaluation.loss, evaluation.accuracy
        );
    }
}

impl Drop for TrainingBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[derive(Serialize)]
struct TrainReport {
    success: bool,
    trials: usize,
    accuracy: f64,
    strict: f64,
    loss: f64,
    seconds: f64,
    model: PathBuf,
}

/// Runs the command.
pub fn run(args: &TrainArgs) -> Result<(), CommandError> {
    match args.mode {
        Mode::Train => run_training(args),
        Mode::Eval => run_evaluation(args),
    }
}

/// Trains a network and saves it below `output`.
pub fn train_and_save(
    options: &RateOptions,
    output: &std::path::Path,
    json: bool,
) -> Result<(Trained, PathBuf), CommandError> {
    disk::check_writable(output)?;
    let trained = train(options, &mut TrainingBar::new(options.updates, json));
    let model = save_trained(options, &trained, output)?;
    Ok((trained, model))
}

/// Saves a network below `output`, unless its training diverged.
pub fn save_trained(
    options: &RateOptions,
    trained: &Trained,
    output: &std::path::Path,
) -> Result<PathBuf, CommandError> {
    if trained.losses.last().is_some_and(|loss| !loss.is_finite()) {
        return Err(CommandError::Failed(format!(
            "the training diverged after {} updates (loss {}); use a smaller --learning_rate or another --seed",
            trained.losses.len(),
            trained.losses.last().copied().unwrap_or(f32::NAN),
        )));
    }
    Ok(rate_model::save(output, options, trained)?)
}

fn run_training(args: &TrainArgs) -> Result<(), CommandError> {
    let task = args
        .task
        .ok_or_else(|| CommandError::Usage("--task is needed to train".into()))?;
    let options = args.options.options(task, ActivationKind::Sigmoid)?;
    let gpu = args.place.gpu()?;
    let started = std::time::Instant::now();
    let (trained, model) = match (&gpu, &args.place.seeds) {
        (None, None) => train_and_save(&options, &args.output_dir, args.json)?,
        (None, Some(_)) => {
            let message = "--seeds trains several networks at once on a GPU; give --backend cuda";
            return Err(CommandError::Usage(message.into()));
        }
        (Some(gpu), Some(seeds)) => {
            disk::check_writable(&args.output_dir)?;
            return gpu::run(gpu, &options, &seeds.0, &args.output_dir, args.json);
        }
        (Some(gpu), None) => {
            disk::check_writable(&args.output_dir)?;
            let trained = gpu::train(gpu, &options, &[options.seed], args.json).remove(0);
            let model = save_trained(&options, &trained, &args.output_dir)?;
            (trained, model)
        }
    };
    let report = TrainReport {
        success: trained.success,
        trials: trained.losses.len(),
        accuracy: trained.evaluation.accuracy,
        strict: trained.evaluation.strict,
        loss: trained.evaluation.loss,
        seconds: started.elapsed().as_secs_f64(),
        model,
    };
    if args.json {
        print_json(&report);
    } else {
        let verdict = if report.success {
            "criterion met"
        } else {
            "criterion not met"
        };
        println!(
            "{verdict} after {} updates in {:.1} s: accuracy {:.2}, strict {:.2}, loss {:.2} over {EVALUATION_TRIALS} trials",
            report.trials, report.seconds, report.accuracy, report.strict, report.loss
        );
        println!("{}", report.model.display());
    }
    if !report.success {
        return Err(CommandError::Failed(
            "the criterion was not met; the model is saved all the same. Try more --n_trials or another --seed".into(),
        ));
    }
    Ok(())
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
    let evaluation = evaluate(&file.network, task, args.options.loss_fn, trials);
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
