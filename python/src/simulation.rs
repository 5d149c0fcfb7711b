//! Trials of the spiking network of a model, in floating point.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rate2spike::convert::choice::StepChoice;
use rate2spike::number::above_0;
use rate2spike::report::observe::{ObservedTrials, Watched};
use rate2spike::spiking::perturb::Perturbation;
use rate2spike::spiking::simulation::{Precision, Simulation, Stimuli};
use rate2spike::spiking::stimulation::StimulationPlan;
use rate2spike::task::Task as HostTask;

use super::arrays::Numbers;
use super::fault::{Fault, Outcome, warn_all};
use super::figure::Drawings;
use super::model::Model;
use super::options::{NeuronOptions, choice};
use super::progress::Watch;
use super::spikes::{Recorded, Setting};
use super::task::{Task, checked_trials};

/// The options of a simulation; see `Model.simulate`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct SimulationOptions<'py> {
    inputs: Option<Bound<'py, PyAny>>,
    task: Option<Bound<'py, PyAny>>,
    trials: Option<usize>,
    scaling_factor: Option<f64>,
    precision: String,
    v0: Option<Bound<'py, PyAny>>,
    /// exc or inh, begin and end, units counted from 0.
    stimulate: Option<(String, String, String, Vec<usize>)>,
    initial_weights: bool,
    record_every: Option<u32>,
    seed: u64,
    progress: Option<Py<PyAny>>,
    perturbation: PerturbationOptions,
    neuron: Bound<'py, PyDict>,
}

/// Perturbations of a network; units are counted from 0.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct PerturbationOptions {
    scale: Vec<(String, f64)>,
    no_autapses: bool,
    shuffle: bool,
    silence: Vec<usize>,
}

/// Units, checked; `name` is the argument.
fn checked_units(name: &str, chosen: &[usize], units: usize) -> Outcome<()> {
    match chosen.iter().find(|unit| **unit >= units) {
        Some(unit) => Err(Fault::Value(format!(
            "{name}: unit {unit} of a network of {units} units; units are counted from 0"
        ))),
        None => Ok(()),
    }
}

impl PerturbationOptions {
    /// The perturbation of a network of this number of units.
    ///
    /// # Errors
    /// If a unit is not there, or a factor out of range.
    pub fn perturbation(&self, units: usize) -> Outcome<Perturbation> {
        checked_units("silence", &self.silence, units)?;
        let scale = |(class, factor): &(String, f64)| {
            let parsed = format!("{class}:{factor}").parse();
            parsed.map_err(|reason: String| Fault::Value(format!("scale: {reason}")))
        };
        let mut silenced = self.silence.clone();
        silenced.sort_unstable();
        silenced.dedup();
        Ok(Perturbation {
            scales: self.scale.iter().map(scale).collect::<Outcome<_>>()?,
            no_autapses: self.no_autapses,
            shuffle: self.shuffle,
            silenced,
        })
    }
}

/// The λ of an argument, above 0.
pub fn checked_lambda(lambda: Option<f64>) -> Outcome<Option<f64>> {
    let check = |x: f64| {
        let checked = above_0(&x.to_string());
        checked.map_err(|reason| Fault::Value(format!("scaling_factor = {x}: {reason}")))
    };
    lambda.map(check).transpose()
}

impl SimulationOptions<'_> {
    /// Simulates the trials.
    ///
    /// # Errors
    /// If an option makes no sense, or at Ctrl-C.
    pub fn run<'py>(mut self, py: Python<'py>, model: &Model) -> Outcome<Bound<'py, PyAny>> {
        let choice = NeuronOptions::of(Some(&self.neuron))?.choice()?;
        let lambda = checked_lambda(self.scaling_factor)?;
        let task = Task::asked(self.task.as_ref())?;
        let mut simulation = self.simulation(py, model, &choice, lambda, task)?;
        let trials = match (self.trials, &simulation.stimuli) {
            (Some(trials), _) => checked_trials(trials)?,
            (None, Stimuli::Given(inputs)) => inputs.len(),
            (None, Stimuli::Task(_)) => 1,
        };
        let steps = simulation.steps()?;
        if self
            .record_every
            .is_some_and(|every| !(1..=steps).contains(&every))
        {
            return Err(Fault::Value(format!(
                "record_every = {}: the trial has {steps} steps; give 1 to {steps}",
                simulation.record_every
            )));
        }
        if let Some((mode, start, end, units)) = &self.stimulate {
            checked_units("stimulate", units, simulation.network.units)?;
            let units: Vec<String> = units.iter().map(|unit| (unit + 1).to_string()).collect();
            let text = format!("{mode}:{start}:{end}:{}", units.join(","));
            let plan: StimulationPlan = text
                .parse()
                .map_err(|reason: String| Fault::Value(format!("stimulate: {reason}")))?;
            simulation.stimulate(&plan, steps)?;
        }
        let shown = match &simulation.stimuli {
            Stimuli::Task(task) if simulation.downsample == 1 => Some(ObservedTrials {
                task: task.clone(),
                seed: simulation.seed,
                count: trials,
            }),
            _ => None,
        };
        let (units, step) = (simulation.network.units, simulation.step);
        let mut watch = Watch::new(self.progress.take());
        let mut recorded = Recorded::default();
        let seen = py.detach(|| {
            let mut seen = shown
                .as_ref()
                .map(|trials| Watched::new(trials, units, step.ms));
            simulation.run(trials, steps, |index, trial| {
                recorded.add(&trial.record, trial.label, trial.outcome);
                if let Some(seen) = &mut seen {
                    seen.add_record(index, &trial.record, &step);
                }
                watch.trials(index as usize + 1)
            })?;
            Ok::<_, Fault>(seen.map(Watched::end))
        })?;
        let score = simulation.score(recorded.outcomes(), steps);
        let setting = Setting {
            units,
            outputs: simulation.network.readout.outputs(),
            steps: steps as usize,
            step_ms: step.ms,
            lambda: simulation.network.lambda,
            spike_hash: score.spike_hash,
            mean_rate_hz: score.mean_rate_hz,
        };
        let drawings = shown.zip(seen).map(|(trials, seen)| Drawings {
            trials,
            seen,
            inhibitory: model.file.network.inhibitory.clone(),
        });
        Ok(recorded.spikes(py, &setting, drawings)?)
    }

    fn simulation(
        &self,
        py: Python,
        model: &Model,
        step: &StepChoice,
        lambda: Option<f64>,
        task: Option<HostTask>,
    ) -> Outcome<Simulation> {
        let file = &model.file;
        let spiking = if self.initial_weights {
            file.untrained_spiking(lambda, &step.neuron)?
        } else {
            file.spiking(lambda, &step.neuron)?
        };
        warn_all(py, spiking.warnings)?;
        let mut network = spiking.network;
        let perturbation = self.perturbation.perturbation(network.units)?;
        perturbation.apply(&mut network, &file.network.inhibitory, self.seed);
        let step = step.for_model(file, lambda);
        let (time_step, sample_ms) = (step.step(&network.neuron)?, file.network.sample_ms);
        time_step.check_sample(sample_ms)?;
        warn_all(py, StepChoice::compared(file, lambda, &time_step))?;
        let start = self
            .v0
            .as_ref()
            .map(|v0| Numbers::of(v0, "v0")?.shaped("v0", &[network.units]));
        let stimuli = match &self.inputs {
            Some(inputs) => {
                let inputs = Numbers::of(inputs, "inputs")?.inputs(network.channels)?;
                Stimuli::Given(inputs.0)
            }
            None => Stimuli::Task(model.task(task.as_ref())?),
        };
        Ok(Simulation {
            step: time_step,
            sample_ms,
            stimuli,
            downsample: step.downsample.unwrap_or(1),
            start_mv: start.transpose()?,
            stimulation: None,
            silenced: perturbation.silenced,
            precision: choice::<Precision>("precision", &self.precision)?,
            record_every: self.record_every.unwrap_or(0),
            seed: self.seed,
            network,
        })
    }
}
