//! A rate model: its variables, its rates, and the ways to the other forms.

use std::path::{Path, PathBuf};

use numpy::PyArrayDyn;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rate2spike::convert::choice::StepChoice;
use rate2spike::convert::search::default_lambdas;
use rate2spike::formats::history::History;
use rate2spike::formats::mat::Value;
use rate2spike::formats::rate_model::{RateModelFile, file_name};
use rate2spike::quantize::ArithmeticName;
use rate2spike::quantize::longest_step::DeployedStep;
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::batch::Batch;
use rate2spike::rate::evaluation::Evaluation;
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::{DecayTaus, RateOptions};
use rate2spike::rate::recurrence;
use rate2spike::rate::training::Trained;
use rate2spike::readout::Readout;
use rate2spike::report::observe::ObservedTrials;
use rate2spike::report::story::{ReportInput, tell};
use rate2spike::task::Task as HostTask;
use rate2spike::task::definition::Trial;

use super::arrays::{Numbers, array, variable};
use super::conversion::ConversionOptions;
use super::fault::{Fault, Outcome, warn, warn_all};
use super::figure::Report;
use super::network::Network;
use super::options::{NeuronOptions, choice};
use super::progress::Watch;
use super::simulation::{SimulationOptions, checked_lambda};
use super::task::{Task, checked_trials};

/// A trained rate network, with its variables under the published names. `train` and
/// `load` make one.
#[pyclass(module = "rate2spike")]
pub struct Model {
    /// The variables and the network.
    pub file: RateModelFile,
    /// How the network came about.
    pub history: Option<History>,
    /// The task of the training; `None` for a model from a file, which names its own.
    pub task: Option<HostTask>,
    /// Whether the training met its criterion; `None` for a model from a file.
    pub success: Option<bool>,
}

impl Model {
    /// The task on which the model is run: `asked`, or the model's.
    pub fn task(&self, asked: Option<&HostTask>) -> Outcome<HostTask> {
        Ok(self.file.task_or(asked.or(self.task.as_ref()))?)
    }

    fn weights_of<'py>(
        &self,
        py: Python<'py>,
        network: &RateNetwork,
    ) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let weights = network.effective_weights();
        let weights = weights.into_iter().map(f64::from).collect();
        array(py, &[network.units, network.units], weights)
    }
}

#[pymethods]
impl Model {
    /// Number of units, N.
    #[getter]
    fn units(&self) -> usize {
        self.file.network.units
    }

    /// Number of input channels.
    #[getter]
    fn channels(&self) -> usize {
        self.file.network.channels
    }

    /// Number of outputs.
    #[getter]
    fn outputs(&self) -> usize {
        self.file.network.readout.outputs()
    }

    /// Length of an input sample, ms.
    #[getter]
    fn sample_ms(&self) -> f64 {
        self.file.network.sample_ms
    }

    /// The file of the model. For a model that was never saved, the name that it would have.
    #[getter]
    fn path(&self) -> PathBuf {
        self.file.path.clone()
    }

    /// Whether the training met its criterion; `None` for a model from a file.
    #[getter]
    fn success(&self) -> Option<bool> {
        self.success
    }

    /// The task of the model.
    #[getter(task)]
    fn own_task(&self) -> Outcome<Task> {
        self.task(None).map(Task)
    }

    /// The weights that act: relu(w) · m ∘ som_m under Dale's principle; N × N, entry
    /// [i, j] from unit j to unit i.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        self.weights_of(py, &self.file.network)
    }

    /// The same before the training.
    #[getter]
    fn initial_weights<'py>(&self, py: Python<'py>) -> Outcome<Bound<'py, PyArrayDyn<f64>>> {
        Ok(self.weights_of(py, &self.file.initial()?)?)
    }

    /// Decay times of the synapses, ms; N.
    #[getter]
    fn decay_ms<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let decays = self.file.network.decay_ms();
        array(py, &[decays.len()], decays)
    }

    /// True for inhibitory units; N.
    #[getter]
    fn inhibitory<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<bool>>> {
        let inhibitory = self.file.network.inhibitory.clone();
        array(py, &[inhibitory.len()], inhibitory)
    }

    /// The names of the variables, in the order of the file.
    fn keys(&self) -> Vec<String> {
        let variables = self.file.variables.variables();
        variables.map(|(name, _)| name.to_string()).collect()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match self.file.variables.get(name) {
            Ok(Value::Array(found)) => variable(py, found),
            _ => {
                let all = self.keys().join(", ");
                Err(PyKeyError::new_err(format!(
                    "{name}: the model has no such variable of numbers; it has {all}"
                )))
            }
        }
    }

    fn __contains__(&self, name: &str) -> bool {
        self.file.variables.get(name).is_ok()
    }

    fn __repr__(&self) -> String {
        let network = &self.file.network;
        format!(
            "Model({}: {} units, {} channels, {} outputs, {})",
            self.file.path.display(),
            network.units,
            network.channels,
            network.readout.outputs(),
            network.activation.name()
        )
    }

    /// Writes the model as .mat, and its history as .json beside it. Returns the path.
    fn save(&mut self, py: Python, path: PathBuf) -> Outcome<PathBuf> {
        if path.extension().is_none_or(|extension| extension != "mat") {
            return Err(Fault::Value(format!(
                "{}: models are written as .mat; give a name that ends in it",
                path.display()
            )));
        }
        let file = RateModelFile {
            path: path.clone(),
            ..self.file.clone()
        };
        py.detach(|| {
            file.write()?;
            match &self.history {
                Some(history) => Ok(history.write(&path)?),
                None => Ok::<_, Fault>(()),
            }
        })?;
        self.file = file;
        Ok(path)
    }

    /// Runs the rate network: see `rate2spike.Model.rates`.
    fn rates<'py>(&self, inputs: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
        let py = inputs.py();
        let network = &self.file.network;
        let (trials, samples) = Numbers::of(inputs, "inputs")?.inputs(network.channels)?;
        let (n, k, b) = (network.units, network.readout.outputs(), trials.len());
        let (currents, rates, outputs) = py.detach(|| {
            let shown = trials.iter().map(|trial| Trial {
                input: trial.iter().map(|&u| u as f32).collect(),
                target: vec![0.0; k * samples],
                mask: None,
                label: 0,
            });
            let shown: Vec<Trial> = shown.collect();
            let batch = Batch::of_trials(network, samples, &shown);
            let parameters = network.parameters();
            let activation = network.activation.activation();
            let (outputs, run) = recurrence::forward(&parameters, &activation, 0.0, &batch);
            (
                run.currents(&parameters, &batch),
                run.rates().to_vec(),
                outputs,
            )
        });
        // T × B × N become B × N × T.
        let by_trial = |values: &[f32]| -> Vec<f64> {
            let place = |b: usize, i: usize, t: usize| (t * trials.len() + b) * n + i;
            let all = (0..b).flat_map(|b| (0..n).map(move |i| (b, i)));
            let rows = all.flat_map(|(b, i)| (0..samples).map(move |t| place(b, i, t)));
            rows.map(|place| values[place].into()).collect()
        };
        // B × (T − 1) × K become B × K × (T − 1).
        let steps = samples - 1;
        let all = (0..b).flat_map(|b| (0..k).map(move |k| (b, k)));
        let places = all.flat_map(|(b, o)| (0..steps).map(move |t| (b * steps + t) * k + o));
        let outputs: Vec<f64> = places.map(|place| outputs[place].into()).collect();
        let class = py.import("rate2spike._results")?.getattr("Rates")?;
        Ok(class.call1((
            array(py, &[b, n, samples], by_trial(&currents))?,
            array(py, &[b, n, samples], by_trial(&rates))?,
            array(py, &[b, k, steps], outputs)?,
        ))?)
    }

    /// Chooses λ, or calibrates: see `rate2spike.Model.convert`.
    fn _convert<'py>(
        &mut self,
        py: Python<'py>,
        options: ConversionOptions,
    ) -> Outcome<Bound<'py, PyAny>> {
        options.run(py, self)
    }

    /// Simulates the spiking network: see `rate2spike.Model.simulate`.
    fn _simulate<'py>(
        &self,
        py: Python<'py>,
        options: SimulationOptions<'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        options.run(py, self)
    }

    /// The deployed network: see `rate2spike.Model.quantize`.
    #[pyo3(signature = (dt, scaling_factor, task, seed, neuron, progress))]
    #[allow(clippy::too_many_arguments)] // The arguments of a function of Python.
    fn _quantize(
        &self,
        py: Python,
        dt: &Bound<PyAny>,
        scaling_factor: Option<f64>,
        task: Option<&Bound<PyAny>>,
        seed: u64,
        neuron: &Bound<PyDict>,
        progress: Option<Py<PyAny>>,
    ) -> Outcome<Network> {
        let step: DeployedStep = dt
            .str()?
            .to_string()
            .parse()
            .map_err(|reason| Fault::Value(format!("dt = {dt}: {reason}")))?;
        let neuron = NeuronOptions::of(Some(neuron))?.choice()?.neuron;
        let lambda = checked_lambda(scaling_factor)?;
        let spiking = self.file.spiking(lambda, &neuron)?;
        warn_all(py, spiking.warnings)?;
        let task = self.task(Task::asked(task)?.as_ref())?;
        let mut watch = Watch::new(progress);
        let (step, quantized) = py.detach(|| {
            let network = &spiking.network;
            let mut fault = Ok(());
            let looked = |_, trials| {
                if fault.is_ok() {
                    fault = watch.trials(trials);
                }
            };
            let fixed = ArithmeticName::Fixed;
            let (step, _) = step.find(network, &task, fixed, seed, looked)?;
            fault?;
            Ok::<_, Fault>((step, fixed.quantize(network, &task, &step)?))
        })?;
        warn_all(
            py,
            StepChoice::compared_with_deployed(&self.file, lambda, &step),
        )?;
        let path = self.file.path.with_extension("snn");
        Network::new(&path, quantized.bytes, Some(task), Some(quantized.losses))
    }

    /// The page of figures: see `rate2spike.Model.report`.
    fn _report(
        &self,
        py: Python,
        trials: usize,
        seed: u64,
        scaling_factor: Option<f64>,
        network: Option<&Network>,
        task: Option<&Bound<PyAny>>,
    ) -> Outcome<Report> {
        let task = self.task(Task::asked(task)?.as_ref())?;
        let neuron = NeuronOptions::default().choice()?.neuron;
        let spiking = self
            .file
            .spiking(checked_lambda(scaling_factor)?, &neuron)?;
        warn_all(py, spiking.warnings)?;
        let own = self.file.stored_lambda().ok().flatten();
        let shown = match self.file.network.activation {
            ActivationKind::Lif => ActivationKind::Sigmoid,
            other => other,
        };
        let calibration = self.file.calibration()?;
        let input = ReportInput {
            history: self.history.clone(),
            // A calibration belongs to the λ of the file.
            calibration: calibration.filter(|_| own == Some(spiking.network.lambda)),
            spiking: spiking.network,
            model: self.file.clone(),
            deployed: network.map(Network::named_bytes),
            lambdas: default_lambdas(shown),
            trials: ObservedTrials {
                count: task.scored(checked_trials(trials)?),
                task,
                seed,
            },
        };
        let mut watch = Watch::new(None);
        let told = py.detach(|| tell(&input, || drop(watch.trials(0))))?;
        watch.end()?;
        Ok(Report::new(&told.0))
    }
}

/// Reads a rate model. See `rate2spike.load`.
#[pyfunction]
#[pyo3(signature = (path, task=None))]
pub fn load(py: Python, path: PathBuf, task: Option<&Bound<PyAny>>) -> Outcome<Model> {
    let file = py.detach(|| RateModelFile::read(&path))?;
    warn_all(py, file.warnings())?;
    let task = Task::asked(task)?;
    if let Some(task) = &task {
        file.task_or(Some(task))?;
    }
    let history = match History::of(&path) {
        Ok(history) => history,
        Err(error) => {
            warn(py, &error.to_string())?;
            None
        }
    };
    Ok(Model {
        file,
        history,
        task,
        success: None,
    })
}

/// The weights of a network that was trained elsewhere.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Weights<'py> {
    w: Bound<'py, PyAny>,
    w_in: Bound<'py, PyAny>,
    w_out: Bound<'py, PyAny>,
    b_out: Option<Bound<'py, PyAny>>,
    act: String,
    decay_ms: f64,
    inhibitory: Option<Vec<bool>>,
}

/// A model of weights that were trained elsewhere. See `rate2spike.model_from_weights`.
#[pyfunction]
pub fn model_from_weights(task: &Bound<PyAny>, weights: Weights) -> Outcome<Model> {
    let task = Task::of(task)?;
    let w = Numbers::of(&weights.w, "w")?;
    let n = w.shape.first().copied().unwrap_or(0);
    let (channels, outputs) = (task.channels(), task.definition().outputs);
    let single = |values: Vec<f64>| -> Vec<f32> { values.iter().map(|&x| x as f32).collect() };
    let w = single(w.shaped("w", &[n, n])?);
    let w_in = Numbers::of(&weights.w_in, "w_in")?.shaped("w_in", &[n, channels])?;
    let w_out = Numbers::of(&weights.w_out, "w_out")?.shaped("w_out", &[outputs, n])?;
    let b_out = match &weights.b_out {
        Some(b_out) => Numbers::of(b_out, "b_out")?.shaped("b_out", &[outputs])?,
        None => vec![0.0; outputs],
    };
    let dale = weights.inhibitory.is_some();
    let inhibitory = weights.inhibitory.unwrap_or_else(|| vec![false; n]);
    if inhibitory.len() != n {
        return Err(Fault::Value(format!(
            "inhibitory has {} entries, but w has {n} units",
            inhibitory.len()
        )));
    }
    let signs = |k: usize| if inhibitory[k % n] { -1.0f32 } else { 1.0 };
    if let Some(k) = (0..w.len()).find(|&k| dale && w[k] * signs(k) < 0.0) {
        return Err(Fault::Value(format!(
            "w[{}, {}] = {}: unit {} is {}; give each unit weights of one sign, or leave inhibitory out",
            k / n,
            k % n,
            w[k],
            k % n,
            if inhibitory[k % n] {
                "inhibitory"
            } else {
                "excitatory"
            }
        )));
    }
    let activation = choice("act", &weights.act)?;
    let steps = (weights.decay_ms / task.sample_ms()) as f32;
    let options = RateOptions {
        dale,
        taus: DecayTaus::Fixed(steps),
        updates: 1,
        ..RateOptions::defaults(task.clone(), n, activation)
    }
    .checked()?;
    let network = RateNetwork {
        // Under Dale's principle the file holds sizes, and m the signs.
        w: if dale {
            w.iter().map(|w| w.abs()).collect()
        } else {
            w
        },
        w_in: single(w_in),
        readout: Readout {
            weights: single(w_out),
            offset: single(b_out),
        },
        inhibitory,
        som_mask: vec![1.0; n * n],
        ..RateNetwork::start(&options)
    };
    let trained = Trained {
        start: network.clone(),
        network,
        success: false,
        losses: vec![0.0],
        evaluation: Evaluation::default(),
        evaluations: Vec::new(),
        tries: 1,
    };
    let name = file_name(&options, "in_memory");
    Ok(Model {
        file: RateModelFile::of_training(Path::new(&name), &options, &trained)?,
        history: None,
        task: Some(task),
        success: None,
    })
}
