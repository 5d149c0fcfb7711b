//! A deployed network, run in core's fixed point.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rate2spike::formats::disk;
use rate2spike::formats::snn::{NetFile, SnnError};
use rate2spike::quantize::perturb::perturbed;
use rate2spike::quantize::report::Losses;
use rate2spike::quantize::self_test;
use rate2spike::report::observe::{ObservedTrials, Watched};
use rate2spike::spiking::experiment::{Outcome as TrialOutcome, Score, task_trial};
use rate2spike::spiking::perturb::Perturbation;
use rate2spike::spiking::record::RecordedTrial;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::spiking::trial::{Input, Memory, Presentation};
use rate2spike::task::Task as HostTask;
use rate2spike_core::arithmetic::{Arithmetic, Fixed};
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Evidence;
use rate2spike_core::network::Network as _;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::preprocessing::Chain;
use rate2spike_core::trial::{Clock, SpikeHash};
use rayon::prelude::*;

use super::arrays::Numbers;
use super::board::Board;
use super::fault::{Fault, Outcome};
use super::figure::Drawings;
use super::progress::Watch;
use super::simulation::PerturbationOptions;
use super::spikes::{Recorded, Setting};
use super::task::{Task, checked_trials};

/// A network in fixed point, as a board has it. `Model.quantize` and `load_network` make
/// one.
#[pyclass(frozen, module = "rate2spike")]
pub struct Network {
    file: NetFile,
    task: Option<HostTask>,
    losses: Option<Losses>,
}

/// An output as a number: 1.0 is [`Arithmetic::OUTPUT_ONE`].
pub fn output(bits: Fixed) -> f64 {
    f64::from(bits.to_bits()) / f64::from(Fixed::OUTPUT_ONE.to_bits())
}

/// The trials of a run.
struct Shown {
    /// The input of each trial; `None` for the trials of the task.
    inputs: Option<Vec<Vec<f64>>>,
    trials: usize,
    clock: Clock,
    seed: u64,
    silenced: Vec<usize>,
}

impl Network {
    /// The network in `bytes`; `path` is its name.
    pub fn new(
        path: &Path,
        bytes: Vec<u8>,
        task: Option<HostTask>,
        losses: Option<Losses>,
    ) -> Outcome<Self> {
        let file = NetFile::new(path, bytes)?;
        Ok(Self { file, task, losses })
    }

    /// The name and the bytes.
    pub fn named_bytes(&self) -> (PathBuf, Vec<u8>) {
        (self.file.path().into(), self.file.bytes().to_vec())
    }

    /// Runs the `index`-th trial.
    fn trial(
        &self,
        network: &Deployed,
        shown: &Shown,
        index: u64,
    ) -> (RecordedTrial, Option<i16>, TrialOutcome) {
        let channels = network.constants().inputs;
        let (input, label) = match (&shown.inputs, &self.task) {
            (Some(inputs), _) => {
                let place = index as usize % inputs.len();
                (Input::new(channels, &inputs[place]), None)
            }
            (None, Some(task)) => {
                let trial = task_trial(task, shown.seed, index);
                (Input::of_trial(channels, &trial), Some(trial.label))
            }
            (None, None) => (Input::new(channels, &vec![0.0; channels]), None),
        };
        let decision = &network.payload().decision;
        let mut record = RecordedTrial {
            outputs: network.constants().outputs,
            ..RecordedTrial::default()
        };
        let (mut evidence, mut hash) = (Evidence::default(), SpikeHash::default());
        let presentation = Presentation {
            network,
            clock: shown.clock,
            input: &input,
            seed: shown.seed,
            index,
        };
        presentation.watch(&mut Memory::of(network), |step, state| {
            for unit in state.fired().filter(|unit| !shown.silenced.contains(unit)) {
                hash.add(step, unit);
                record.spikes.push((step, unit as u32));
            }
            let outputs = state.outputs();
            record
                .output
                .extend(outputs.iter().map(|&bits| output(bits)));
            evidence.see(decision, step, outputs);
        });
        let outcome = TrialOutcome {
            correct: label.is_some_and(|label| decision.correct(label, &evidence)),
            strict: label.is_some_and(|label| decision.strictly_correct(label, &evidence)),
            label: label.unwrap_or_default(),
            answer: decision.answer(&evidence),
            spikes: record.spikes.len() as u64,
            spike_hash: hash.value(),
            ..TrialOutcome::default()
        };
        (record, label, outcome)
    }
}

#[pymethods]
impl Network {
    /// Number of units.
    #[getter]
    fn units(&self) -> usize {
        self.file.deployed().constants().units
    }

    /// Number of input channels.
    #[getter]
    fn channels(&self) -> usize {
        self.file.deployed().constants().inputs
    }

    /// Number of outputs.
    #[getter]
    fn outputs(&self) -> usize {
        self.file.deployed().constants().outputs
    }

    /// Number of integers of a sensor's sample; 0 for a network without a preprocessing.
    #[getter]
    fn sensors(&self) -> usize {
        self.file
            .deployed()
            .preprocessing()
            .map_or(0, Chain::channels)
    }

    /// Number of synapses.
    #[getter]
    fn synapses(&self) -> usize {
        self.file.deployed().synapses()
    }

    /// Length of a time step, ms.
    #[getter]
    fn dt_ms(&self) -> f64 {
        f64::from(self.file.deployed().payload().step_ns) / 1e6
    }

    /// Time steps of an input sample.
    #[getter]
    fn steps_per_sample(&self) -> u32 {
        self.file.deployed().payload().clock.steps_per_sample
    }

    /// Time steps of a trial of the task.
    #[getter]
    fn steps(&self) -> u32 {
        self.file.deployed().payload().clock.steps
    }

    /// λ, to a thousandth.
    #[getter]
    fn scaling_factor(&self) -> f64 {
        f64::from(self.file.deployed().payload().lambda_thousandths) / 1000.0
    }

    /// The name of the task.
    #[getter]
    fn task_name(&self) -> String {
        String::from_utf8_lossy(self.file.deployed().payload().task).into()
    }

    /// The names of the classes, in the order of their numbers; empty without classes.
    #[getter]
    fn class_names(&self) -> Vec<String> {
        let deployed = self.file.deployed();
        let names = (0..).map_while(|label| deployed.class_name(label));
        names
            .map(|name| String::from_utf8_lossy(name).into())
            .collect()
    }

    /// The bytes of the .snn, as they lie in a board's flash.
    #[getter]
    fn bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.file.bytes())
    }

    /// The errors of the quantization: for each quantity its largest error, its root mean
    /// square, and the unit. `None` for a network from a file.
    #[getter]
    fn losses<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(losses) = &self.losses else {
            return Ok(None);
        };
        let all = PyDict::new(py);
        for (name, unit, loss) in losses.rows() {
            all.set_item(name, (loss.largest, loss.rms, unit))?;
        }
        Ok(Some(all))
    }

    /// Writes the network to a file. Returns the path.
    fn save(&self, py: Python, path: PathBuf) -> Outcome<PathBuf> {
        if path.extension().is_none_or(|extension| extension != "snn") {
            return Err(Fault::Value(format!(
                "{}: deployed networks are written as .snn; give a name that ends in it",
                path.display()
            )));
        }
        py.detach(|| disk::write(&path, self.file.bytes()))?;
        Ok(path)
    }

    /// Runs the trial that the network carries, and says whether its spikes are those that
    /// are stored.
    fn self_test(&self, py: Python) -> bool {
        py.detach(|| {
            let deployed = self.file.deployed();
            self_test(&deployed) == deployed.payload().self_test.spike_hash
        })
    }

    /// Starts a trial that goes step by step: see `rate2spike.Network.start`.
    #[pyo3(signature = (seed=1, trial=0))]
    fn start(&self, seed: u64, trial: u64) -> Outcome<Board> {
        Board::start(Arc::from(self.file.bytes()), seed, trial)
    }

    /// Runs trials: see `rate2spike.Network.run`.
    fn _run<'py>(
        &self,
        py: Python<'py>,
        inputs: Option<&Bound<'py, PyAny>>,
        trials: Option<usize>,
        seed: u64,
        perturbation: PerturbationOptions,
        progress: Option<Py<PyAny>>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let deployed = self.file.deployed();
        let (units, channels) = (deployed.constants().units, deployed.constants().inputs);
        let perturbation = perturbation.perturbation(units)?;
        let changed;
        let network = if perturbation == Perturbation::default() {
            deployed
        } else {
            let bytes = perturbed(&deployed, &perturbation)?;
            changed = NetFile::new(self.file.path(), bytes)?;
            changed.deployed()
        };
        let mut clock = network.payload().clock;
        let inputs = inputs.map(|inputs| Numbers::of(inputs, "inputs")?.inputs(channels));
        let inputs = inputs.transpose()?.map(|(inputs, samples)| {
            clock.steps = clock.steps_per_sample.saturating_mul(samples as u32);
            inputs
        });
        let trials = match (trials, &inputs, &self.task) {
            (None, Some(inputs), _) => inputs.len(),
            (Some(trials), Some(_), _) => checked_trials(trials)?,
            (trials, None, Some(task)) => task.scored(checked_trials(trials.unwrap_or(100))?),
            (_, None, None) => {
                return Err(Fault::Value(format!(
                    "the network was made for the task {}, which is not a built-in one: give inputs, or load the network with its task",
                    self.task_name()
                )));
            }
        };
        let shown = Shown {
            inputs,
            trials,
            clock,
            seed,
            silenced: perturbation.silenced,
        };
        let step = TimeStep {
            ms: self.dt_ms(),
            scheme: Scheme::Exact,
            rescaled_noise: true,
        };
        let drawn = match (&shown.inputs, &self.task) {
            (None, Some(task)) => Some(ObservedTrials {
                task: task.clone(),
                seed,
                count: trials,
            }),
            _ => None,
        };
        let mut watch = Watch::new(progress);
        let mut recorded = Recorded::default();
        let seen = py.detach(|| {
            let mut seen = drawn
                .as_ref()
                .map(|drawn| Watched::new(drawn, units, step.ms));
            let width = rayon::current_num_threads();
            for first in (0..shown.trials).step_by(width) {
                let some = first..(first + width).min(shown.trials);
                let run = |index| self.trial(&network, &shown, index as u64);
                let records: Vec<_> = some.clone().into_par_iter().map(run).collect();
                for (index, (record, label, outcome)) in some.zip(&records) {
                    recorded.add(record, *label, *outcome);
                    if let Some(seen) = &mut seen {
                        seen.add_record(index as u64, record, &step);
                    }
                    watch.trials(index + 1)?;
                }
            }
            Ok::<_, Fault>(seen.map(Watched::end))
        })?;
        let seconds = f64::from(clock.steps) * step.ms / 1000.0;
        let score = Score::of(recorded.outcomes(), units, seconds);
        let setting = Setting {
            units,
            outputs: network.constants().outputs,
            steps: clock.steps as usize,
            step_ms: step.ms,
            lambda: self.scaling_factor(),
            spike_hash: score.spike_hash,
            mean_rate_hz: score.mean_rate_hz,
        };
        let drawings = drawn.zip(seen).map(|(trials, seen)| Drawings {
            trials,
            seen,
            inhibitory: vec![false; units],
        });
        Ok(recorded.spikes(py, &setting, drawings)?)
    }

    fn __repr__(&self) -> String {
        format!(
            "Network({}: {} units, {} synapses, {} outputs, steps of {} ms, {} bytes)",
            self.task_name(),
            self.units(),
            self.synapses(),
            self.outputs(),
            self.dt_ms(),
            self.file.bytes().len()
        )
    }
}

/// Reads a deployed network. See `rate2spike.load_network`.
#[pyfunction]
#[pyo3(signature = (path, task=None))]
pub fn load_network(py: Python, path: PathBuf, task: Option<&Bound<PyAny>>) -> Outcome<Network> {
    let asked = Task::asked(task)?;
    let (file, task) = py.detach(|| {
        let file = NetFile::read(&path)?;
        let task = match file.tested_task(asked.as_ref()) {
            Ok(task) => Some(task),
            // A task of the user's own: the network runs with inputs.
            Err(SnnError::Task { .. }) if asked.is_none() => None,
            Err(error) => return Err(error),
        };
        Ok((file, task))
    })?;
    Ok(Network {
        file,
        task,
        losses: None,
    })
}
