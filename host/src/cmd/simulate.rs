//! `rate2spike simulate`: spiking trials with every option of the published
//! simulation.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use rate2spike_core::decision::Evidence;
use rate2spike_core::trial::SpikeHash;
use rayon::prelude::*;
use serde::Serialize;

use super::neuron_args::NeuronArgs;
use super::number::{above_0, trials};
use super::perturbation::{PerturbationArgs, Units};
use super::plot::PlotFile;
use super::{CommandError, lambda_of, read_model, spiking_network, task_of};
use crate::convert::one_to_one;
use crate::formats::disk;
use crate::formats::rate_model::{ModelError, read_mat};
use crate::formats::recording::{Layout, RecordingFile, RecordingFormat};
use crate::formats::task;
use crate::print::console::Console;
use crate::print::number::{hexadecimal, shown};
use crate::print::path::lossy;
use crate::report::figures::output::outputs;
use crate::report::figures::raster::raster;
use crate::report::observe::{Observation, Trials, Watched};
use crate::spiking::experiment::task_trial;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::record::{RecordedTrial, Recording, Stimulation};
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
    #[arg(long, value_parser = above_0)]
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
    /// Artificial stimulation from START to before END, in steps counted from 1 or in ms; units counted from 1: exc:2000:6000:1-20,35 or exc:100ms:300ms:1-20
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
    #[arg(long, value_name = "TASK", value_parser = task::parse, help = crate::task::help_of_another())]
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

/// `exc|inh:START:END:UNITS`: times in steps counted from 1 or in ms, units counted
/// from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct StimulationArg {
    excite: bool,
    start: Moment,
    end: Moment,
    units: Units,
}

/// A moment of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// A step, counted from 1.
    Step(u32),
    /// A time from the trial's start, ms.
    Ms(f64),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let moment = match text.strip_suffix("ms") {
            Some(ms) => ms.trim().parse().ok().map(Moment::Ms),
            None => text.parse().ok().map(Moment::Step),
        };
        match moment {
            Some(Moment::Step(0)) => Err("step 0: steps are counted from 1".into()),
            Some(Moment::Ms(ms)) if !(0.0..=1e9).contains(&ms) => {
                Err(format!("'{text}' is no time in a trial"))
            }
            Some(moment) => Ok(moment),
            None => Err(format!(
                "'{text}' is neither a step, such as 2000, nor a time, such as 100ms"
            )),
        }
    }
}

impl Moment {
    /// The step that begins at the moment, counted from 1.
    fn step(self, step_ms: f64) -> u32 {
        match self {
            Moment::Step(step) => step,
            // At most 10⁹ ms, and a step of at least 0.01 ms: the cast saturates.
            Moment::Ms(ms) => ((ms / step_ms).round() as u32).saturating_add(1),
        }
    }
}

impl StimulationArg {
    /// The stimulation of a trial of this many steps.
    fn within(&self, steps: u32, step_ms: f64) -> Result<Stimulation, CommandError> {
        let (start, end) = (self.start.step(step_ms), self.end.step(step_ms));
        if start >= end || end > steps + 1 {
            return Err(CommandError::Usage(format!(
                "--stimulate: the window from step {start} to before {end} is not within the trial, which has steps 1 to {steps} of {} ms ({} ms)",
                shown(step_ms),
                shown(f64::from(steps) * step_ms)
            )));
        }
        Ok(Stimulation {
            excite: self.excite,
            start,
            end,
            units: self.units.0.clone(),
        })
    }
}

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
        let (start, end) = (start.parse()?, end.parse()?);
        let empty = match (start, end) {
            (Moment::Step(start), Moment::Step(end)) => start >= end,
            (Moment::Ms(start), Moment::Ms(end)) => start >= end,
            _ => return Err("give START and END both in steps, or both in ms".into()),
        };
        if empty {
            return Err(format!(
                "the window {text} is empty: it ends before it starts"
            ));
        }
        Ok(Self {
            excite,
            start,
            end,
            units: units.parse()?,
        })
    }
}

/// One trial to run: its input and, if the task made it, its label.
struct Shown {
    /// Channels × samples.
    input: Vec<f64>,
    label: Option<i16>,
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
    mean_rate_hz: f64,
    spikes: usize,
    spike_hash: String,
    #[serde(serialize_with = "lossy")]
    output: Option<&'a Path>,
    #[serde(serialize_with = "lossy")]
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
    /// Steps of a trial.
    steps: u32,
    stimulation: Option<Stimulation>,
    /// Units whose spikes reach nobody and are not recorded.
    silenced: Vec<usize>,
    /// One a unit.
    inhibitory: Vec<bool>,
}

/// Runs the command.
pub fn run(args: &SimulateArgs, console: &Console) -> Result<(), CommandError> {
    let simulation = Simulation::new(args, console)?;
    let mut recording = match &args.output {
        Some(path) => Some(RecordingFile::new(path, simulation.layout())?),
        None => None,
    };
    let trials = simulation.task.as_ref().map(|task| Trials {
        task: task.clone(),
        seed: args.seed,
        count: args.trials,
    });
    let mut seen = match (&args.plot, &trials) {
        (Some(_), Some(trials)) => {
            let (units, step) = (simulation.network.units, simulation.step.ms);
            Some(Watched::new(trials, units, step))
        }
        _ => None,
    };
    let mut totals = Totals::default();
    let width = rayon::current_num_threads();
    // One trial a thread is in memory.
    for first in (0..args.trials).step_by(width) {
        let some = first as u64..(first + width).min(args.trials) as u64;
        let runs: Vec<(Shown, RecordedTrial)> = some
            .clone()
            .into_par_iter()
            .map(|index| {
                let shown = simulation.shown(index);
                let record = simulation.record(&shown, index);
                (shown, record)
            })
            .collect();
        for (index, (shown, record)) in some.zip(&runs) {
            totals.add(simulation.answers(shown, record), record);
            if let Some(recording) = &mut recording {
                recording.add(record, shown.label)?;
            }
            if let Some(seen) = &mut seen {
                seen.add_record(index, record, &simulation.step);
            }
        }
    }
    let mut files = match recording {
        Some(recording) => recording.write()?,
        None => Vec::new(),
    };
    if let (Some(plot), Some(seen), Some(trials)) = (&args.plot, seen, &trials) {
        files.extend(simulation.plot(plot, trials, &seen.end())?);
    }
    simulation.report(&totals, files, console);
    Ok(())
}

/// Sums over the trials.
#[derive(Default)]
struct Totals {
    trials: usize,
    /// Trials with an answer, and those that are right by the published and by the
    /// strict criterion.
    answered: usize,
    correct: usize,
    strict: usize,
    spikes: usize,
    hash: SpikeHash,
}

impl Totals {
    fn add(&mut self, answer: Option<(bool, bool)>, record: &RecordedTrial) {
        self.trials += 1;
        if let Some((correct, strict)) = answer {
            self.answered += 1;
            self.correct += usize::from(correct);
            self.strict += usize::from(strict);
        }
        self.spikes += record.spikes.len();
        let mut trial = SpikeHash::default();
        for &(step, unit) in &record.spikes {
            trial.add(step, unit as usize);
        }
        self.hash.add_hash(trial.value());
    }

    /// The share of `right` in all trials, if all were answered.
    fn share(&self, right: usize) -> Option<f64> {
        (self.answered == self.trials).then(|| right as f64 / self.trials as f64)
    }
}

impl<'a> Simulation<'a> {
    fn new(args: &'a SimulateArgs, console: &Console) -> Result<Self, CommandError> {
        let model = read_model(&args.model, console)?;
        let lambda = lambda_of(&model, args.lambda)?;
        let neuron = args.neuron.spiking.for_model(&model, args.lambda, console);
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
        if let Some(stimulation) = &args.stimulate {
            stimulation.units.check("--stimulate", network.units)?;
        }
        if let Some(path) = &args.output {
            RecordingFormat::of(path)?;
            disk::check_rewritable(path)?;
        }
        if let Some(plot) = &args.plot {
            plot.check()?;
            plot.check_beside("outputs")?;
            if input.is_some() || args.neuron.downsample.is_some() {
                let message = "--plot draws trials of a task in their own time; leave --input and --downsample out";
                return Err(CommandError::Usage(message.into()));
            }
        }
        let mut simulation = Self {
            args,
            network,
            step: args.neuron.step(&neuron)?,
            task,
            input,
            start_mv,
            steps: 0,
            stimulation: None,
            silenced: perturbation.silenced,
            inhibitory: model.network.inhibitory,
        };
        simulation.steps = simulation.trial_steps()?;
        simulation.check_recording()?;
        let step_ms = simulation.step.ms;
        let stimulation = args.stimulate.as_ref();
        simulation.stimulation = stimulation
            .map(|stimulation| stimulation.within(simulation.steps, step_ms))
            .transpose()?;
        Ok(simulation)
    }

    /// Refuses a recording that would be written nowhere.
    fn check_recording(&self) -> Result<(), CommandError> {
        let Some(every) = self.args.record_every else {
            return Ok(());
        };
        let format = self.args.output.as_deref().map(RecordingFormat::of);
        let message = match format.transpose()? {
            None => "--record-every records into a file; give -o FILE.mat or FILE.npz".into(),
            Some(RecordingFormat::Csv) => {
                "--record-every: a .csv has no place for potentials; give -o FILE.mat or FILE.npz"
                    .into()
            }
            _ if every.get() > self.steps => format!(
                "--record-every {every}: the trial has {} steps; give at most that",
                self.steps
            ),
            _ => return Ok(()),
        };
        Err(CommandError::Usage(message))
    }

    /// Steps of a trial: one sample fewer than the input has, since the last step
    /// falls into the last sample.
    fn trial_steps(&self) -> Result<u32, CommandError> {
        let samples = match (&self.input, &self.task) {
            (Some(input), _) => input.len() / self.network.channels,
            (None, Some(task)) => task.samples() + 1,
            (None, None) => unreachable!("without an input there is a task"),
        };
        let every = self.args.neuron.downsample.unwrap_or(1);
        let kept = samples.div_ceil(every as usize);
        if kept < 2 {
            return Err(CommandError::Usage(format!(
                "--downsample {every} keeps one sample of {samples}; give at most {}",
                samples - 1
            )));
        }
        Ok((kept as u32 - 1) * self.step.steps_per_sample)
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

    fn record(&self, shown: &Shown, index: u64) -> RecordedTrial {
        let recording = Recording {
            network: &self.network,
            step: self.step,
            input: &shown.input,
            steps: self.steps,
            start_mv: self.start_mv.as_deref(),
            stimulation: self.stimulation.as_ref(),
            seed: self.args.seed,
            trial: index,
            every: self.args.record_every.map_or(0, NonZeroU32::get),
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

    /// True for a right answer, by the published and by the strict criterion.
    fn answers(&self, shown: &Shown, record: &RecordedTrial) -> Option<(bool, bool)> {
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

    fn layout(&self) -> Layout {
        Layout {
            units: self.network.units,
            trials: self.args.trials,
            steps: self.steps as usize,
            step_ms: self.step.ms,
            every: self.args.record_every.map(NonZeroU32::get),
            lambda: self.network.lambda,
        }
    }

    /// Draws the spikes, and the outputs beside them.
    fn plot(
        &self,
        file: &PlotFile,
        trials: &Trials,
        seen: &Observation,
    ) -> Result<Vec<PathBuf>, CommandError> {
        let spikes = raster(trials, seen, &self.inhibitory);
        let outputs = outputs(trials, &[("spiking network", seen)]);
        Ok(vec![
            file.write(&spikes)?,
            file.beside("outputs").write(&outputs)?,
        ])
    }

    fn report(&self, totals: &Totals, files: Vec<PathBuf>, console: &Console) {
        let seconds = f64::from(self.steps) * self.step.ms / 1000.0;
        let unit_seconds = seconds * (self.network.units * totals.trials) as f64;
        let report = SimulateReport {
            model: &self.args.model,
            lambda: self.network.lambda,
            dt_ms: shown(self.step.ms),
            trials: totals.trials,
            accuracy: totals.share(totals.correct),
            strict: totals.share(totals.strict),
            mean_rate_hz: totals.spikes as f64 / unit_seconds,
            spikes: totals.spikes,
            spike_hash: hexadecimal(totals.hash.value()),
            output: self.args.output.as_deref(),
            files,
        };
        console.json(&report);
        let mut text = format!(
            "{} trials with lambda {} and steps of {} ms: {} spikes, {:.1} Hz",
            report.trials,
            shown(report.lambda),
            report.dt_ms,
            report.spikes,
            report.mean_rate_hz
        );
        if let (Some(accuracy), Some(strict)) = (report.accuracy, report.strict) {
            text += &format!(", accuracy {accuracy:.3}, strict {strict:.3}");
        }
        console.say(format!("{text}, spike hash {}", report.spike_hash));
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

    fn parsed(text: &str) -> StimulationArg {
        text.parse().expect("a stimulation")
    }

    #[test]
    fn a_stimulation_counts_units_and_steps_from_one() {
        let arg = parsed("inh:10:20:1-3,7");
        let stimulation = arg.within(100, 0.05).expect("it is within the trial");
        assert_eq!(stimulation.units, [0, 1, 2, 6]);
        assert!(!stimulation.excite && stimulation.start == 10 && stimulation.end == 20);
        for wrong in [
            "exc:10:20",
            "up:1:2:1",
            "exc:5:5:1",
            "exc:0:5:1",
            "exc:1:2:0",
            "exc:1:2:3-1",
            "exc:a:2:1",
            "exc:1:2ms:1",
            "exc:3ms:2ms:1",
            "exc:-1ms:2ms:1",
            "exc:nanms:2ms:1",
        ] {
            assert!(wrong.parse::<StimulationArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_window_in_ms_is_one_in_steps() {
        let within = |text: &str| parsed(text).within(20_000, 0.05);
        let (ms, steps) = (within("exc:100ms:300ms:1"), within("exc:2001:6001:1"));
        assert_eq!(ms.expect("a window"), steps.expect("a window"));
        // From the first step to the last.
        let whole = within("exc:0ms:1000ms:1").expect("a window");
        assert_eq!((whole.start, whole.end), (1, 20_001));
    }

    #[test]
    fn a_window_outside_of_the_trial_is_an_error_that_says_its_steps() {
        for outside in [
            "exc:30000:40000:1",
            "exc:19000:21000:1",
            "exc:2000ms:3000ms:1",
        ] {
            let error = parsed(outside).within(20_000, 0.05).expect_err(outside);
            let message = error.to_string();
            assert!(
                message.contains("steps 1 to 20000 of 0.05 ms (1000 ms)"),
                "{message}"
            );
        }
    }
}
