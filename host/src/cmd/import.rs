//! `rate2spike import`: turns a NIR graph into a deployed network.

use std::path::{Path, PathBuf};

use clap::Args;
use rate2spike_core::Fixed;
use rate2spike_core::neuron::Scheme;
use serde::Serialize;

use super::CommandError;
use super::export::print_fidelity;
use super::shared::ScoreArgs;
use super::warnings::Warnings;
use crate::export::fidelity::Fidelity;
use crate::formats::disk;
use crate::formats::nir::read::ReadGraph;
use crate::formats::task;
use crate::import::nir::{Unsaid, network};
use crate::number::{above_0, counted, hexadecimal, up_to_1000};
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::quantize::longest_step::DEPLOYED_STEP_MS;
use crate::quantize::quantize;
use crate::quantize::scores::{Scores, Scoring};
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::TimeStep;
use crate::statistics::Accuracy;
use crate::task::Task;

/// Turn a NIR graph of one recurrent population into a fixed-point network
///
/// Example:  rate2spike import net.nir --task go-nogo -o net.snn
///
/// The graph is made of Input, Linear or Affine, LIF or CubaLIF, LI and Output. Prints
/// which properties are taken exactly, which nearly, and which the graph does not have. A
/// graph that `export` wrote becomes the same network with --noise 0.1 --start 30.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ImportArgs {
    /// The graph
    #[arg(value_name = "FILE.nir")]
    pub graph: PathBuf,
    /// The deployed network
    #[arg(short, long, value_name = "NET.snn")]
    pub output: PathBuf,
    /// The task that the network answers
    #[arg(long, value_name = "TASK", value_parser = task::parse)]
    pub task: Task,
    /// Time step in ms
    #[arg(long, value_name = "MS", default_value_t = DEPLOYED_STEP_MS, value_parser = above_0)]
    pub dt: f64,
    /// Refractory time in ms
    #[arg(long, value_name = "MS", default_value_t = Neuron::LIF.refractory_ms, value_parser = up_to_1000)]
    pub refractory: f64,
    /// Standard deviation of the membrane noise of 0.05 ms, in mV of a threshold 25 mV above the reset
    #[arg(
        long,
        value_name = "MV",
        default_value_t = 0.0,
        value_parser = up_to_1000
    )]
    pub noise: f64,
    /// Potentials start between the reset, -65 mV, and this [default: at the reset]
    #[arg(long, value_name = "MV", default_value_t = Neuron::LIF.reset_mv, value_parser = start)]
    pub start: f64,
    /// Decay of the synapses in ms, if the graph's spikes act at once
    #[arg(long, value_name = "MS", value_parser = synapse)]
    pub synapse: Option<f64>,
    /// The trials of the score
    #[command(flatten)]
    pub score: ScoreArgs,
}

#[derive(Serialize)]
struct ImportReport<'a> {
    #[serde(serialize_with = "lossy")]
    network: &'a Path,
    task: String,
    units: usize,
    dt_ms: f64,
    trials: usize,
    /// Score in f64.
    before: Accuracy,
    /// Score in fixed point.
    after: Accuracy,
    blob_bytes: usize,
    spike_hash: String,
    fidelity: Vec<Fidelity>,
}

/// Runs the command.
pub fn run(args: &ImportArgs, console: &Console) -> Result<(), CommandError> {
    let step = TimeStep::new(args.dt, Scheme::Exact)?;
    let unsaid = Unsaid {
        refractory_ms: args.refractory,
        noise_mv: args.noise,
        start_mv: args.start,
        synapse_ms: args.synapse,
    };
    let bytes = disk::read(&args.graph)?;
    let graph = ReadGraph::from_bytes(&bytes).map_err(|source| CommandError::Nir {
        path: args.graph.clone(),
        source: Box::new(source),
    })?;
    let imported = network(&graph, &unsaid).map_err(|source| CommandError::Import {
        path: args.graph.clone(),
        source,
    })?;
    let (network, task) = (&imported.network, &args.task);
    if network.channels != task.channels() {
        return Err(CommandError::Usage(format!(
            "{}: the graph has {} inputs, but {} has {}; give the task that it was trained for",
            args.graph.display(),
            network.channels,
            task.name(),
            task.channels()
        )));
    }
    let quantized = quantize(network, task, &step).map_err(|source| CommandError::Import {
        path: args.graph.clone(),
        source: imported.not_quantized(source, step.ms),
    })?;
    disk::write(&args.output, &quantized.bytes)?;
    let ScoreArgs { trials, seed } = args.score;
    let scores = Scores::of::<Fixed>(
        network,
        &quantized.bytes,
        &Scoring {
            task,
            step: &step,
            seed: seed.seed,
            trials,
        },
    );
    let mut warnings = Warnings::default();
    warnings.of_data(task);
    warnings.of_score(task, &scores.after);
    warnings.of_rounding(&quantized.rounded);
    let report = ImportReport {
        network: &args.output,
        task: task.name().into(),
        units: network.units,
        dt_ms: step.ms,
        trials,
        before: (&scores.before).into(),
        after: (&scores.after).into(),
        blob_bytes: quantized.bytes.len(),
        spike_hash: hexadecimal(scores.after.spike_hash),
        fidelity: imported.fidelity,
    };
    warnings.say(console);
    console.json(&report);
    print_fidelity(&report.fidelity, console);
    let [first, second] = report.after.heads();
    console.say(format!(
        "{:<20} {first:>12}  {second:>6}",
        format!("{} of {}", counted(report.trials, "trial"), report.task)
    ));
    for (form, score) in [("f64", report.before), ("fixed point", report.after)] {
        let [first, second] = score.cells();
        console.say(format!("{form:<20} {first:>12.3}  {second:>6.3}"));
    }
    console.say(format!(
        "{}: {} units, {} bytes, steps of {} ms, spike hash {}",
        report.network.display(),
        report.units,
        report.blob_bytes,
        report.dt_ms,
        report.spike_hash
    ));
    Ok(())
}

/// Reads the highest start potential, in mV.
fn start(text: &str) -> Result<f64, String> {
    let reset = Neuron::LIF.reset_mv;
    match text.parse() {
        Ok(mv) if (reset..=100.0).contains(&mv) => Ok(mv),
        _ => Err(format!("give {reset} to 100 mV")),
    }
}

/// Reads the decay time of a synapse, in ms.
fn synapse(text: &str) -> Result<f64, String> {
    match above_0(text) {
        Ok(ms) if ms <= 1000.0 => Ok(ms),
        _ => Err("give a time above 0, at most 1000 ms".into()),
    }
}
