//! `rate2spike simulate`: spiking trials with every option of the published
//! simulation.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::CommandError;
use super::perturbation::PerturbationArgs;
use super::plot::PlotFile;
use super::shared::{SeedArgs, TaskArgs, read_model};
use super::warnings::Warnings;
use crate::convert::choice::StepChoice;
use crate::formats::disk;
use crate::formats::rate_model::RateModelFile;
use crate::formats::recording::{Layout, RecordingFile, RecordingFormat};
use crate::formats::simulation_input::{read_input, read_start};
use crate::number::{counted, hexadecimal, lambda, shown, trials};
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::report::figures::output::outputs;
use crate::report::figures::raster::raster;
use crate::report::observe::{ObservedTrials, Watched};
use crate::spiking::simulation::{Precision, Simulation, Stimuli};
use crate::spiking::stimulation::StimulationPlan;
use crate::statistics::Accuracy;

/// Simulate the spiking network of a rate model, and record it
///
/// Example:  rate2spike simulate MODEL.mat --lambda 25 --trials 10 -o spikes.mat
///
/// Writes spk_unit and spk_step (counted from 1), out (trials x steps) and, with
/// --record-every K, v and rs (units x recorded steps) with v_idx and rs_idx. An
/// .npz has the same names; a .csv the spikes, with the output in FILE_out.csv and
/// the firing rates in FILE_rates.csv.
///
/// The neuron and the time step are those of the model's conversion, or else the
/// published ones, where no flag says otherwise.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct SimulateArgs {
    /// The rate model
    #[arg(value_name = "MODEL.mat")]
    pub model: PathBuf,
    /// Scaling factor [default: the model's]
    #[arg(long, value_parser = lambda)]
    pub lambda: Option<f64>,
    /// The neuron and the time step
    #[command(flatten)]
    pub step: StepChoice,
    /// Precision
    #[arg(long, value_enum, default_value = "f64")]
    pub arithmetic: Precision,
    /// Input from a .mat file: variable u, inputs x samples of 5 ms
    #[arg(long, value_name = "U.mat")]
    pub input: Option<PathBuf>,
    /// Start potentials from a .mat file: variable v0, one a unit, mV
    #[arg(long, value_name = "V0.mat")]
    pub v0: Option<PathBuf>,
    /// Artificial stimulation from START to before END, in steps counted from 1 or in ms; units counted from 1: exc:2000:6000:1-20,35 or exc:100ms:300ms:1-20
    #[arg(long, value_name = "exc|inh:START:END:UNITS")]
    pub stimulate: Option<StimulationPlan>,
    /// Use the weights before training, as a control
    #[arg(long)]
    pub initial_weights: bool,
    /// Perturbations of the network
    #[command(flatten)]
    pub perturbation: PerturbationArgs,
    /// Trials
    #[arg(long, default_value = "1", value_parser = trials)]
    pub trials: usize,
    /// Record potentials and filtered rates every K steps, into the .mat or .npz of --output
    #[arg(long, value_name = "K")]
    pub record_every: Option<NonZeroU32>,
    /// Where the recording goes: .mat, .npz or .csv
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Draw the spikes in one trial of each answer, and the outputs beside them: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
    /// The task
    #[command(flatten)]
    pub task: TaskArgs,
    /// The seed
    #[command(flatten)]
    pub seed: SeedArgs,
}

#[derive(Serialize)]
struct SimulateReport<'a> {
    #[serde(serialize_with = "lossy")]
    model: &'a Path,
    lambda: f64,
    dt_ms: f64,
    trials: usize,
    accuracy: Option<f64>,
    strict: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r2: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<f64>,
    mean_rate_hz: f64,
    spikes: u64,
    spike_hash: String,
    #[serde(serialize_with = "lossy")]
    output: Option<&'a Path>,
    #[serde(serialize_with = "lossy")]
    files: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(args: &SimulateArgs, console: &Console) -> Result<(), CommandError> {
    let model = read_model(&args.model, console)?;
    let mut simulation = simulation(args, &model, console)?;
    check_files(args)?;
    let steps = simulation.steps()?;
    check_recording(args, steps)?;
    if let Some(plan) = &args.stimulate {
        simulation.stimulate(plan, steps)?;
    }
    let (units, step) = (simulation.network.units, simulation.step);
    let mut recording = match &args.output {
        Some(path) => Some(RecordingFile::new(
            path,
            Layout {
                outputs: simulation.network.readout.outputs(),
                units,
                trials: args.trials,
                steps: steps as usize,
                step_ms: step.ms,
                every: args.record_every.map(NonZeroU32::get),
                lambda: simulation.network.lambda,
            },
        )?),
        None => None,
    };
    let drawn = match (&args.plot, &simulation.stimuli) {
        (Some(plot), Stimuli::Task(task)) => Some((
            plot,
            ObservedTrials {
                task: task.clone(),
                seed: args.seed.seed,
                count: args.trials,
            },
        )),
        _ => None,
    };
    let mut seen = drawn
        .as_ref()
        .map(|(_, trials)| Watched::new(trials, units, step.ms));
    let outcomes = simulation.run(args.trials, steps, |index, trial| {
        if let Some(recording) = &mut recording {
            recording.add(&trial.record, trial.label)?;
        }
        if let Some(seen) = &mut seen {
            seen.add_record(index, &trial.record, &step);
        }
        Ok::<(), CommandError>(())
    })?;
    let mut files = match recording {
        Some(recording) => recording.write()?,
        None => Vec::new(),
    };
    if let (Some((plot, trials)), Some(seen)) = (&drawn, seen) {
        let seen = seen.end();
        let spikes = raster(trials, &seen, &model.network.inhibitory);
        let outputs = outputs(trials, &[("spiking network", &seen)]);
        files.extend(plot.write_both(&spikes, "outputs", &outputs)?);
    }
    let score = simulation.score(&outcomes, steps);
    let scored = matches!(simulation.stimuli, Stimuli::Task(_));
    let accuracy = Accuracy::from(&score);
    let report = SimulateReport {
        model: &args.model,
        lambda: simulation.network.lambda,
        dt_ms: shown(step.ms),
        trials: score.trials,
        accuracy: scored.then(|| score.accuracy()),
        strict: scored.then(|| score.strict_accuracy()),
        r2: accuracy.r2,
        error: accuracy.error,
        mean_rate_hz: score.mean_rate_hz,
        spikes: outcomes.iter().map(|outcome| outcome.spikes).sum(),
        spike_hash: hexadecimal(score.spike_hash),
        output: args.output.as_deref(),
        files,
    };
    if let Stimuli::Task(task) = &simulation.stimuli {
        let mut warnings = Warnings::default();
        warnings.of_data(task);
        warnings.of_silence(score.mean_rate_hz, score.trials);
        warnings.say(console);
    }
    console.json(&report);
    print(&report, console);
    Ok(())
}

fn print(report: &SimulateReport, console: &Console) {
    let mut text = format!(
        "{} with lambda {} and steps of {} ms: {} spikes, {:.1} Hz",
        counted(report.trials, "trial"),
        shown(report.lambda),
        report.dt_ms,
        report.spikes,
        report.mean_rate_hz
    );
    if let (Some(accuracy), Some(strict)) = (report.accuracy, report.strict) {
        let accuracy = Accuracy {
            accuracy,
            strict,
            r2: report.r2,
            error: report.error,
        };
        text += &format!(", {}", accuracy.words());
    }
    console.say(format!("{text}, spike hash {}", report.spike_hash));
}

/// The simulation that the flags ask for.
fn simulation(
    args: &SimulateArgs,
    model: &RateModelFile,
    console: &Console,
) -> Result<Simulation, CommandError> {
    let spiking = if args.initial_weights {
        model.untrained_spiking(args.lambda, &args.step.neuron)?
    } else {
        model.spiking(args.lambda, &args.step.neuron)?
    };
    console.warn_all(spiking.warnings);
    let mut network = spiking.network;
    let perturbation = args.perturbation.perturbation(network.units)?;
    perturbation.apply(&mut network, &model.network.inhibitory, args.seed.seed);
    let input = args.input.as_deref();
    let input = input.map(|path| read_input(path, network.channels));
    let start = args.v0.as_deref();
    let start = start.map(|path| read_start(path, network.units));
    let chosen = args.step.for_model(model, args.lambda);
    let (step, sample_ms) = (chosen.step(&network.neuron)?, model.network.sample_ms);
    step.check_sample(sample_ms)?;
    if args.plot.is_some() && (args.input.is_some() || chosen.downsample.is_some()) {
        let message =
            "--plot draws trials of a task in their own time; leave --input and --downsample out";
        return Err(CommandError::Usage(message.into()));
    }
    console.warn_all(StepChoice::compared(model, args.lambda, &step));
    Ok(Simulation {
        step,
        sample_ms,
        stimuli: match input.transpose()? {
            Some(input) => Stimuli::Given(vec![input]),
            None => Stimuli::Task(args.task.of(model)?),
        },
        downsample: chosen.downsample.unwrap_or(1),
        start_mv: start.transpose()?,
        stimulation: None,
        silenced: perturbation.silenced,
        precision: args.arithmetic,
        record_every: args.record_every.map_or(0, NonZeroU32::get),
        seed: args.seed.seed,
        network,
    })
}

/// Checks, before the work, that the files can be written.
fn check_files(args: &SimulateArgs) -> Result<(), CommandError> {
    if let Some(path) = &args.output {
        RecordingFormat::of(path)?;
        disk::check_rewritable(path)?;
    }
    if let Some(plot) = &args.plot {
        plot.check()?;
        plot.check_beside("outputs")?;
    }
    Ok(())
}

/// Refuses a recording that would be written nowhere.
fn check_recording(args: &SimulateArgs, steps: u32) -> Result<(), CommandError> {
    let Some(every) = args.record_every else {
        return Ok(());
    };
    let format = args.output.as_deref().map(RecordingFormat::of);
    let message = match format.transpose()? {
        None => "--record-every records into a file; give -o FILE.mat or FILE.npz".into(),
        Some(RecordingFormat::Csv) => {
            "--record-every: a .csv has no place for potentials; give -o FILE.mat or FILE.npz"
                .into()
        }
        _ if every.get() > steps => {
            format!("--record-every {every}: the trial has {steps} steps; give at most that")
        }
        _ => return Ok(()),
    };
    Err(CommandError::Usage(message))
}
