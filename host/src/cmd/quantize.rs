//! `rate2spike quantize`: rate model → deployed network.

use std::path::{Path, PathBuf};

use clap::Args;
use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use serde::Serialize;

use super::CommandError;
use super::deployed_step::find_step;
use super::shared::{ModelArgs, ScoreArgs, TaskArgs};
use super::warnings::Warnings;
use crate::convert::choice::StepChoice;
use crate::formats::disk;
use crate::number::{counted, hexadecimal, shown};
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::quantize::ArithmeticName;
use crate::quantize::longest_step::{Comparison, DEPLOYED_STEP_MS, DeployedStep};
use crate::quantize::report::Losses;
use crate::quantize::scores::{Scores, Scoring, shipped_start};
use crate::spiking::experiment::{Experiment, outcomes_f64};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;
use crate::statistics::Accuracy;

/// Write a rate model as a network for a microcontroller, and say how much was lost
///
/// Example:  rate2spike quantize MODEL.mat -o net.snn --dt 0.5
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct QuantizeArgs {
    /// The rate model, and its spiking network
    #[command(flatten)]
    pub model: ModelArgs,
    /// The deployed network
    #[arg(short, long, value_name = "NET.snn")]
    pub output: PathBuf,
    /// Time step in ms; auto: the longest that costs at most a point of accuracy against 0.05 ms
    #[arg(long, value_name = "MS|auto", default_value_t = DeployedStep::Given(DEPLOYED_STEP_MS))]
    pub dt: DeployedStep,
    /// The numbers of the network
    #[arg(long, value_name = "NUMBERS", default_value = "fixed")]
    pub arithmetic: ArithmeticName,
    /// The trials before and after
    #[command(flatten)]
    pub score: ScoreArgs,
    /// The task
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Serialize)]
struct QuantizeReport<'a> {
    #[serde(serialize_with = "lossy")]
    network: &'a Path,
    task: String,
    lambda: f64,
    arithmetic: &'static str,
    dt_ms: f64,
    trials: usize,
    before: Accuracy,
    after: Accuracy,
    blob_bytes: usize,
    spike_hash: String,
    losses: Losses,
    /// The steps that `--dt auto` compared with 0.05 ms.
    steps: Vec<Comparison>,
}

/// Runs the command.
pub fn run(args: &QuantizeArgs, console: &Console) -> Result<(), CommandError> {
    let (model, network) = args.model.read(console)?;
    let task = args.task.of(&model)?;
    let ScoreArgs { trials, seed } = args.score;
    let trials = task.scored(trials);
    let numbers = args.arithmetic;
    let (step, steps) = find_step(args.dt, &network, &task, numbers, seed.seed, console)?;
    let lambda = args.model.spiking.lambda;
    console.warn_all(StepChoice::compared_with_deployed(&model, lambda, &step));
    let quantized = numbers.quantize(&network, &task, &step);
    let quantized = quantized.map_err(|source| CommandError::Quantize {
        path: args.model.model.clone(),
        source,
    })?;
    disk::write(&args.output, &quantized.bytes)?;
    let scoring = Scoring {
        task: &task,
        step: &step,
        seed: seed.seed,
        trials,
    };
    let scores = match args.arithmetic {
        ArithmeticName::Fixed => Scores::of::<Fixed>(&network, &quantized.bytes, &scoring),
        ArithmeticName::F32 => Scores::of::<f32>(&network, &quantized.bytes, &scoring),
    };
    let mut warnings = Warnings::default();
    warnings.of_data(&task);
    warnings.of_score(&task, &scores.after);
    warnings.of_rounding(&quantized.rounded);
    // The range of f32 has no end that an output reaches.
    if args.arithmetic == ArithmeticName::Fixed {
        let deployed = Deployed::read(&quantized.bytes);
        let deployed = deployed.expect("a blob that was just written is valid");
        let experiment = Experiment::deployed(&deployed, &task, seed.seed);
        warnings.of_saturation(&experiment, scores.after.trials);
    }
    let simulated = |network: &SpikingNetwork| {
        outcomes_f64(network, &task, &TimeStep::PUBLISHED, seed.seed, trials)
    };
    warnings.of_drop(step.ms, &simulated(&network), &scores.outcomes, || {
        simulated(&shipped_start(&network))
    });
    let report = QuantizeReport {
        network: &args.output,
        task: task.name().into(),
        lambda: network.lambda,
        arithmetic: args.arithmetic.words(),
        dt_ms: step.ms,
        trials,
        before: (&scores.before).into(),
        after: (&scores.after).into(),
        blob_bytes: quantized.bytes.len(),
        spike_hash: hexadecimal(scores.after.spike_hash),
        losses: quantized.losses,
        steps,
    };
    warnings.say(console);
    console.json(&report);
    print(&report, console);
    Ok(())
}

/// An error as people read it.
fn plain(error: f64) -> String {
    match error < 1e-5 && error > 0.0 {
        true => format!("{error:.0e}"),
        false => format!("{error:.5}"),
    }
}

fn print(report: &QuantizeReport, console: &Console) {
    print_steps(&report.steps, console);
    console.say("what was lost           largest       rms  unit");
    for (name, unit, loss) in report.losses.rows() {
        console.say(format!(
            "{name:<22}  {:>8}  {:>8}  {unit}",
            plain(loss.largest),
            plain(loss.rms)
        ));
    }
    console.say("");
    let [first, second] = report.after.heads();
    console.say(format!(
        "{:<20} {first:>12}  {second:>6}",
        format!("over {}", counted(report.trials, "trial"))
    ));
    for (form, score) in [
        ("f64, exact", report.before),
        (report.arithmetic, report.after),
    ] {
        let [first, second] = score.cells();
        console.say(format!("{form:<20} {first:>12.3}  {second:>6.3}"));
    }
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
            console.say(format!("{:>7}  has no form in these numbers", step.dt_ms));
            continue;
        }
        console.say(format!(
            "{:>7}  {:>6}  {:>+6.4}, {:>+6.4} to {:>+6.4} (99.5 % each)  {verdict}",
            step.dt_ms, step.trials, step.difference, step.between.0, step.between.1
        ));
    }
    console.say("");
}
