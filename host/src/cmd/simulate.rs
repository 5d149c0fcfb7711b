//! `rate2spike simulate`: spiking trials with every option of the published
//! simulation.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use rate2spike_core::decision::Evidence;
use rate2spike_core::trial::SpikeHash;
use rayon::prelude::*;
use serde::Serialize;

use super::console::Console;
use super::perturbation::{PerturbationArgs, Units};
use super::plot::PlotFile;
use super::recording::{Format, Recorded};
use super::{CommandError, NeuronArgs, hexadecimal, lambda_of, spiking_network, task_of, trials};
use crate::convert::one_to_one;
use crate::formats::rate_model::{ModelError, RateModelFile, read_mat};
use crate::formats::task;
use crate::report::figures::output::outputs;
use crate::report::figures::raster::raster;
use crate::report::observe::{self, Trials};
use crate::spiking::experiment::task_trial;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::record::{Record, Recording, Stimulation};
use crate::spiking::time_step::TimeStep;
use crate::task::Task;

/// Simulate the spiking network of a rate model, and record it
///
/// Example:  rate2spike simulate MODEL.mat --lambda 25 --trials 10 -o spikes.mat
///
/// Writes spk_unit and spk_step (counted from 1), out (trials x steps) and, with
/// --record-every K, v and rs (units x recorded steps) with v_idx and rs_idx. An
/// .npz has the same names; a .csv the spikes, with the output in FILE_out.csv and
/// the firing rates in FILE_rates.csv.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct SimulateArgs {
    /// The rate model
    #[arg(value_name = "MODEL.mat")]
    pub model: PathBuf,
    /// Scaling factor [default: the model's]
    #[arg(long, allow_negative_numbers = true)]
    pub lambda: Option<f64>,
    /// The neuron and the time step
    #[command(flatten)]
    pub neuron: NeuronArgs,
    /// Precision
    #[arg(long, value_enum, default_value = "f64")]
    pub arithmetic: ArithmeticArg,
    /// Input from a .mat file: variable u, inputs x samples of 5 ms
    #[arg(long, value_name = "U.mat")]
    pub input: Option<PathBuf>,
    /// Start potentials from a .mat file: variable v0, one a unit, mV
    #[arg(long, value_name = "V0.mat")]
    pub v0: Option<PathBuf>,
    /// Artificial stimulation, steps and units counted from 1: exc:2000:6000:1-20,35
    #[arg(long, value_name = "exc|inh:START:END:UNITS")]
    pub stimulate: Option<StimulationArg>,
    /// Use the weights before training, as a control
    #[arg(long)]
    pub initial_weights: bool,
    /// Perturbations of the network
    #[command(flatten)]
    pub perturbation: PerturbationArgs,
    /// Trials
    #[arg(long, default_value = "1", value_parser = trials)]
    pub trials: usize,
    /// Record potentials and filtered rates every K steps
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub record_every: u32,
    /// Where the recording goes: .mat, .npz or .csv
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Draw the spikes in one trial of each answer, and the outputs beside them: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
    /// The task, where the file's name does not say it
    #[arg(long, value_name = "TASK", value_parser = task::parse)]
    pub task: Option<Task>,
    /// Seed of trials, start and noise
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Precision of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ArithmeticArg {
    /// Double precision
    F64,
    /// Single precision
    F32,
}

/// `exc|inh:START:END:UNITS`, everything counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct StimulationArg(Stimulation);

impl FromStr for StimulationArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [mode, start, end, units] = text.split(':').collect::<Vec<_>>()[..] else {
            return Err("give exc|inh:START:END:UNITS, for instance exc:2000:6000:1-20".into());
        };
        let excite = match mode {
            "exc" => true,
            "inh" => false,
            _ => return Err(format!("'{mode}' is neither exc nor inh")),
        };
        let step = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| format!("'{text}' is not a number of steps"))
        };
        let (start, end) = (step(start)?, step(end)?);
        if start >= end {
            return Err(format!(
                "the window from step {start} to before {end} is empty"
            ));
        }
        let Units(units) = units.parse()?;
        Ok(Self(Stimulation {
            excite,
            start,
            end,
            units,
        }))
    }
}

/// One trial to run: its input and, if the task made it, its label.
struct Shown {
    /// Channels × samples.
    input: Vec<f64>,
    label: Option<i8>,
}

#[derive(Serialize)]
struct SimulateReport<'a> {
    #[serde(serialize_with = "super::console::lossy")]
    model: &'a Path,
    lambda: f64,
    dt_ms: f64,
    trials: usize,
    accuracy: Option<f64>,
    strict: Option<f64>,
    mean_rate_hz: f64,
    spikes: usize,
    spike_hash: String,
    #[serde(serialize_with = "super::console::lossy")]
    output: Option<&'a Path>,
    #[serde(serialize_with = "super::console::lossy")]
    files: Vec<PathBuf>,
}

/// Everything that the trials share.
struct Simulation<'a> {
    args: &'a SimulateArgs,
    network: SpikingNetwork,
    step: TimeStep,
    task: Option<Task>,
    /// Channels × samples, from a file.
    input: Option<Vec<f64>>,
    start_mv: Option<Vec<f64>>,
    /// Of the file that the recording goes to.
    format: Option<Format>,
    /// Units whose spikes reach nobody and are not recorded.
    silenced: Vec<usize>,
    /// One a unit.
    inhibitory: Vec<bool>,
}

/// Runs the command.
pub fn run(args: &SimulateArgs, console: &Console) -> Result<(), CommandError> {
    let simulation = Simulation::new(args, console)?;
    let runs: Vec<(Shown, Record)> = (0..args.trials as u64)
        .into_par_iter()
        .map(|index| {
            let shown = simulation.shown(index);
            let record = simulation.record(&shown, index);
            (shown, record)
        })
        .collect();
    let mut files = match (&args.output, &simulation.format) {
        (Some(output), Some(format)) => simulation.recorded(&runs).write(output, *format)?,
        _ => Vec::new(),
    };
    if let Some(plot) = &args.plot {
        files.extend(simulation.plot(plot, &runs)?);
    }
    simulation.report(&runs, files, console);
    Ok(())
}

impl<'a> Simulation<'a> {
    fn new(args: &'a SimulateArgs, console: &Console) -> Result<Self, CommandError> {
        let model = RateModelFile::read(&args.model)?;
        let lambda = lambda_of(&model, args.lambda)?;
        let neuron = args.neuron.neuron()?;
        let mut network = if args.initial_weights {
            let network = one_to_one(&model.initial()?, lambda, neuron);
            network.map_err(|source| CommandError::Convert {
                path: args.model.clone(),
                source,
            })?
        } else {
            spiking_network(&model, lambda, neuron, console)?
        };
        let perturbation = args.perturbation.perturbation(network.units)?;
        perturbation.apply(&mut network, &model.network.inhibitory, args.seed);
        let input = args
            .input
            .as_deref()
            .map(|path| read_input(path, &network))
            .transpose()?;
        let start_mv = args
            .v0
            .as_deref()
            .map(|path| read_start(path, &network))
            .transpose()?;
        // With an input of the user's own there need not be a task to score.
        let task = match (&input, &args.task) {
            (Some(_), None) => None,
            _ => Some(task_of(&model, args.task.as_ref())?),
        };
        if let Some(StimulationArg(stimulation)) = &args.stimulate {
            Units(stimulation.units.clone()).check("--stimulate", network.units)?;
        }
        let format = args.output.as_deref().map(Format::of).transpose()?;
        if let Some(plot) = &args.plot {
            plot.check()?;
            plot.check_beside("outputs")?;
            if input.is_some() || args.neuron.downsample.is_some() {
                let message = "--plot draws trials of a task in their own time; leave --input and --downsample out";
                return Err(CommandError::Usage(message.into()));
            }
        }
        Ok(Self {
            args,
            network,
            step: args.neuron.step()?,
            task,
            input,
            start_mv,
            format,
            silenced: perturbation.silenced,
            inhibitory: model.network.inhibitory,
        })
    }

    fn shown(&self, index: u64) -> Shown {
        let (input, label) = match (&self.input, &self.task) {
            (Some(input), _) => (input.clone(), None),
            (None, Some(task)) => {
                let trial = task_trial(task, self.args.seed, index);
                // One sample more than the task has, as in the published
                // scripts: the last step falls into it.
                let input = trial
                    .input
                    .chunks_exact(task.samples())
                    .flat_map(|channel| channel.iter().chain(channel.last()))
                    .map(|&u| f64::from(u))
                    .collect();
                (input, Some(trial.label))
            }
            (None, None) => unreachable!("without an input there is a task"),
        };
        let every = self.args.neuron.downsample.unwrap_or(1) as usize;
        let samples = input.len() / self.network.channels;
        let input = input
            .chunks_exact(samples)
            .flat_map(|u| u.iter().copied().step_by(every))
            .collect();
        Shown { input, label }
    }

    fn steps(&self, shown: &Shown) -> u32 {
        let samples = shown.input.len() / self.network.channels;
        (samples as u32 - 1) * self.step.steps_per_sample
    }

    fn record(&self, shown: &Shown, index: u64) -> Record {
        let recording = Recording {
            network: &self.network,
            step: self.step,
            input: &shown.input,
            steps: self.steps(shown),
            start_mv: self.start_mv.as_deref(),
            stimulation: self.args.stimulate.as_ref().map(|arg| &arg.0),
            seed: self.args.seed,
            trial: index,
            every: self.args.record_every,
        };
        let mut record = match self.args.arithmetic {
            ArithmeticArg::F64 => recording.run::<f64>(),
            ArithmeticArg::F32 => recording.run::<f32>(),
        };
        record
            .spikes
            .retain(|(_, unit)| !self.silenced.contains(&(*unit as usize)));
        record
    }

    /// Whether a trial is right, by the published and by the strict criterion.
    fn answers(&self, shown: &Shown, record: &Record) -> Option<(bool, bool)> {
        let decision = self.task.as_ref()?.decision(self.step.ms);
        let label = shown.label?;
        let mut evidence = Evidence::default();
        for (step, &output) in (1..).zip(&record.output) {
            evidence.see(&decision, step, output);
        }
        Some((
            decision.correct(label, &evidence),
            decision.strictly_correct(label, &evidence),
        ))
    }

    fn recorded<'r>(&'r self, runs: &'r [(Shown, Record)]) -> Recorded<'r> {
        Recorded {
            network: &self.network,
            step_ms: self.step.ms,
            steps: self.steps(&runs[0].0) as usize,
            records: runs.iter().map(|(_, record)| record).collect(),
            labels: runs.iter().map(|(shown, _)| shown.label).collect(),
            sampled: self.args.record_every > 0,
        }
    }

    /// Draws the spikes, and the outputs beside them.
    fn plot(
        &self,
        file: &PlotFile,
        runs: &[(Shown, Record)],
    ) -> Result<Vec<PathBuf>, CommandError> {
        let Some(task) = &self.task else {
            return Ok(Vec::new());
        };
        let trials = Trials {
            task: task.clone(),
            seed: self.args.seed,
            count: runs.len(),
        };
        let records = runs.iter().map(|(_, record)| record);
        let seen = observe::recorded(&trials, &self.step, self.network.units, records);
        let spikes = raster(&trials, &seen, &self.inhibitory);
        let outputs = outputs(&trials, &[("spiking network", &seen)]);
        Ok(vec![
            file.write(&spikes)?,
            file.beside("outputs").write(&outputs)?,
        ])
    }

    fn report(&self, runs: &[(Shown, Record)], files: Vec<PathBuf>, console: &Console) {
        let answers: Option<Vec<(bool, bool)>> = runs
            .iter()
            .map(|(shown, record)| self.answers(shown, record))
            .collect();
        let share = |right: fn(&(bool, bool)) -> bool| {
            let count = |all: &Vec<(bool, bool)>| all.iter().filter(|a| right(a)).count();
            answers
                .as_ref()
                .map(|all| count(all) as f64 / runs.len() as f64)
        };
        let spikes: usize = runs.iter().map(|(_, record)| record.spikes.len()).sum();
        let seconds = f64::from(self.steps(&runs[0].0)) * self.step.ms / 1000.0;
        let mut hash = SpikeHash::default();
        for (_, record) in runs {
            let mut trial = SpikeHash::default();
            record
                .spikes
                .iter()
                .for_each(|&(step, unit)| trial.add(step, unit as usize));
            hash.add_hash(trial.value());
        }
        let report = SimulateReport {
            model: &self.args.model,
            lambda: self.network.lambda,
            dt_ms: self.step.ms,
            trials: runs.len(),
            accuracy: share(|answer| answer.0),
            strict: share(|answer| answer.1),
            mean_rate_hz: spikes as f64 / (seconds * (self.network.units * runs.len()) as f64),
            spikes,
            spike_hash: hexadecimal(hash.value()),
            output: self.args.output.as_deref(),
            files,
        };
        let score = match (report.accuracy, report.strict) {
            (Some(accuracy), Some(strict)) => {
                format!(", accuracy {accuracy:.3}, strict {strict:.3}")
            }
            _ => String::new(),
        };
        console.say(format!(
            "{} trials with lambda {} and steps of {} ms: {} spikes, {:.1} Hz{score}, spike hash {}",
            report.trials,
            report.lambda,
            report.dt_ms,
            report.spikes,
            report.mean_rate_hz,
            report.spike_hash
        ));
        console.json(&report);
    }
}

/// Channels × samples, channel by channel.
fn read_input(path: &Path, network: &SpikingNetwork) -> Result<Vec<f64>, CommandError> {
    let (rows, columns, values) = matrix(path, "u")?;
    if rows != network.channels || columns < 2 {
        return Err(CommandError::Failed(format!(
            "{}: u is {rows} x {columns}, but the network takes {} inputs and at least 2 samples of 5 ms",
            path.display(),
            network.channels
        )));
    }
    finite(path, "u", &values)?;
    Ok((0..rows * columns)
        .map(|k| values[k % columns * rows + k / columns])
        .collect())
}

fn read_start(path: &Path, network: &SpikingNetwork) -> Result<Vec<f64>, CommandError> {
    let (rows, columns, values) = matrix(path, "v0")?;
    if values.len() != network.units || (rows != 1 && columns != 1) {
        return Err(CommandError::Failed(format!(
            "{}: v0 is {rows} x {columns}, but the network has {} units",
            path.display(),
            network.units
        )));
    }
    finite(path, "v0", &values)?;
    Ok(values)
}

fn matrix(path: &Path, name: &str) -> Result<(usize, usize, Vec<f64>), CommandError> {
    let file = read_mat(path)?;
    Ok(file.matrix(name).map_err(|source| ModelError::Mat {
        path: path.into(),
        source,
    })?)
}

fn finite(path: &Path, name: &str, values: &[f64]) -> Result<(), CommandError> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(CommandError::Failed(format!(
            "{}: entry {} of {name} is {}; every entry must be finite",
            path.display(),
            index + 1,
            values[index]
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stimulation_counts_units_from_one() {
        let StimulationArg(stimulation) = "inh:10:20:1-3,7".parse().expect("a stimulation");
        assert_eq!(stimulation.units, [0, 1, 2, 6]);
        assert!(!stimulation.excite && stimulation.start == 10 && stimulation.end == 20);
        for wrong in [
            "exc:10:20",
            "up:1:2:1",
            "exc:5:5:1",
            "exc:1:2:0",
            "exc:1:2:3-1",
            "exc:a:2:1",
        ] {
            assert!(wrong.parse::<StimulationArg>().is_err(), "{wrong}");
        }
    }
}
