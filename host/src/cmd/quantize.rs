//! `rate2spike quantize`: rate model → deployed network.

use std::path::{Path, PathBuf};

use clap::Args;
use rate2spike_core::blob::Deployed;
use serde::Serialize;

use super::deployed_step::find_step;
use super::neuron_args::SpikingArgs;
use super::number::{above_0, trials};
use super::warnings::Warnings;
use super::{CommandError, lambda_of, read_model, spiking_network, task_of};
use crate::formats::disk;
use crate::formats::task;
use crate::print::console::Console;
use crate::print::number::{hexadecimal, shown};
use crate::print::path::lossy;
use crate::quantize::longest_step::{Comparison, DEPLOYED_STEP_MS, DeployedStep};
use crate::quantize::report::Losses;
use crate::quantize::{Quantized, quantize};
use crate::spiking::experiment::{Experiment, Outcome, Score, score_f64};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;
use crate::statistics::{Accuracy, Interval};
use crate::task::Task;

/// Write a rate model as fixed-point network for a microcontroller, and say what was lost
///
/// Example:  rate2spike quantize MODEL.mat -o net.snn --dt 0.5
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct QuantizeArgs {
    /// The rate model
    #[arg(value_name = "MODEL.mat")]
    pub model: PathBuf,
    /// The deployed network
    #[arg(short, long, value_name = "NET.snn")]
    pub output: PathBuf,
    /// Scaling factor [default: the model's]
    #[arg(long, value_parser = above_0)]
    pub lambda: Option<f64>,
    /// Time step in ms; auto: the longest that costs at most a point of accuracy against 0.05 ms
    #[arg(long, value_name = "MS|auto", default_value_t = DeployedStep::Given(DEPLOYED_STEP_MS))]
    pub dt: DeployedStep,
    /// Trials of the comparison before and after
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// The task
    #[arg(long, value_name = "TASK", value_parser = task::parse, help = crate::task::help_of_another())]
    pub task: Option<Task>,
    /// Seed of the trials
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The neuron
    #[command(flatten)]
    pub spiking: SpikingArgs,
}

#[derive(Serialize)]
struct QuantizeReport<'a> {
    #[serde(serialize_with = "lossy")]
    network: &'a Path,
    task: String,
    lambda: f64,
    dt_ms: f64,
    trials: usize,
    before: Accuracy,
    after: Accuracy,
    blob_bytes: usize,
    spike_hash: String,
    losses: Losses,
    /// The steps that `--dt auto` compared with 0.05 ms.
    steps: Vec<Comparison>,
    warnings: Warnings,
}

/// The quantization of a network into a file, with a score before and after.
pub struct Quantization<'a> {
    /// The file with the network.
    pub source: &'a Path,
    /// The file to write.
    pub output: &'a Path,
    /// The task of the network.
    pub task: &'a Task,
    /// The step that ships.
    pub step: &'a TimeStep,
    /// Seed of the trials.
    pub seed: u64,
    /// Trials of each score.
    pub trials: usize,
}

/// A quantized network, and its scores.
pub struct Scored {
    /// The blob, and what was lost.
    pub quantized: Quantized,
    /// The score in f64, at the same step.
    pub before: Score,
    /// The trials in fixed point.
    pub outcomes: Vec<Outcome>,
    /// Score of the trials in fixed point.
    pub after: Score,
    /// Warnings about the number of trials.
    pub warnings: Warnings,
}

impl Quantization<'_> {
    /// Quantizes `network`, writes it and scores it.
    pub fn scored(&self, network: &SpikingNetwork) -> Result<Scored, CommandError> {
        let (task, step) = (self.task, self.step);
        let quantized = quantize(network, task, step).map_err(|source| CommandError::Quantize {
            path: self.source.into(),
            source,
        })?;
        disk::write(self.output, &quantized.bytes)?;
        let before = score_f64(network, task, step, self.seed, self.trials);
        let deployed =
            Deployed::read(&quantized.bytes).expect("a blob that was just written is valid");
        let experiment = Experiment::deployed(&deployed, task, self.seed);
        let outcomes = experiment.outcomes(0, self.trials);
        let after = experiment.summary(&outcomes);
        let mut warnings = Warnings::default();
        let interval = Interval::wilson(after.correct, after.trials);
        warnings.of_trials(after.accuracy(), interval, after.trials);
        Ok(Scored {
            quantized,
            before,
            outcomes,
            after,
            warnings,
        })
    }
}

/// Runs the command.
pub fn run(args: &QuantizeArgs, console: &Console) -> Result<(), CommandError> {
    let model = read_model(&args.model, console)?;
    let task = task_of(&model, args.task.as_ref())?;
    let lambda = lambda_of(&model, args.lambda)?;
    let neuron = args.spiking.for_model(&model, args.lambda, console);
    let network = spiking_network(&model, lambda, neuron, console)?;
    let (step, steps) = find_step(args.dt, &network, &task, args.seed, console)?;
    let quantization = Quantization {
        source: &args.model,
        output: &args.output,
        task: &task,
        step: &step,
        seed: args.seed,
        trials: args.trials,
    };
    let Scored {
        quantized,
        before,
        outcomes,
        after,
        mut warnings,
    } = quantization.scored(&network)?;
    if step.ms > TimeStep::PUBLISHED.ms {
        let tables = network.tables::<f64>(&TimeStep::PUBLISHED);
        let tables = tables.tables();
        let published = Experiment::floating(&tables, &task, &TimeStep::PUBLISHED, args.seed);
        warnings.of_step(step.ms, &published.outcomes(0, args.trials), &outcomes);
    }
    let report = QuantizeReport {
        network: &args.output,
        task: task.name().into(),
        lambda,
        dt_ms: step.ms,
        trials: args.trials,
        before: (&before).into(),
        after: (&after).into(),
        blob_bytes: quantized.bytes.len(),
        spike_hash: hexadecimal(after.spike_hash),
        losses: quantized.losses,
        steps,
        warnings,
    };
    console.json(&report);
    report.warnings.say(console);
    print(&report, console);
    Ok(())
}

fn print(report: &QuantizeReport, console: &Console) {
    print_steps(&report.steps, console);
    console.say("what was lost           largest       rms  unit");
    for (name, unit, loss) in report.losses.rows() {
        console.say(format!(
            "{name:<22}  {:>8.5}  {:>8.5}  {unit}",
            loss.largest, loss.rms
        ));
    }
    console.say("");
    console.say(format!(
        "over {} trials          accuracy  strict",
        report.trials
    ));
    console.say(format!(
        "f64, exact           {:>12.3}  {:>6.3}",
        report.before.accuracy, report.before.strict
    ));
    console.say(format!(
        "fixed point          {:>12.3}  {:>6.3}",
        report.after.accuracy, report.after.strict
    ));
    console.say(format!(
        "{}: {} bytes, lambda {}, steps of {} ms, spike hash {}",
        report.network.display(),
        report.blob_bytes,
        shown(report.lambda),
        report.dt_ms,
        report.spike_hash
    ));
}

/// The comparisons that `--dt auto` made.
pub fn print_steps(steps: &[Comparison], console: &Console) {
    if steps.is_empty() {
        return;
    }
    console.say("dt (ms)  trials  accuracy less that at 0.05 ms");
    for step in steps {
        let verdict = if step.taken { "taken" } else { "not taken" };
        if step.trials == 0 {
            console.say(format!("{:>7}  has no fixed-point form", step.dt_ms));
            continue;
        }
        console.say(format!(
            "{:>7}  {:>6}  {:>+6.4}, {:>+6.4} to {:>+6.4} (99.5 % each)  {verdict}",
            step.dt_ms, step.trials, step.difference, step.between.0, step.between.1
        ));
    }
    console.say("");
}
