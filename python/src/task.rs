//! Tasks: built-in ones, files, and arrays.

use std::path::{Path, PathBuf};

use numpy::PyArrayDyn;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rate2spike::data::{self, Settings};
use rate2spike::formats::task::parse;
use rate2spike::number;
use rate2spike::random::Stream;
use rate2spike::task::Task as HostTask;
use rate2spike::task::definition::Trial;
use rate2spike::task::description::Part;

use super::arrays::{Numbers, array};
use super::fault::{Fault, Outcome};

/// A task: what a trial shows, and which answer is right. `task` and `data` make one.
#[pyclass(frozen, module = "rate2spike")]
pub struct Task(pub HostTask);

/// The part of a data set that this word names.
fn part(word: &str) -> Outcome<Part> {
    let found = Part::ALL.into_iter().find(|part| part.name() == word);
    found.ok_or_else(|| Fault::Value(format!("part = {word}: give train, validation or test")))
}

/// A number of trials, which must be in the range of the command line.
pub fn checked_trials(trials: usize) -> Outcome<usize> {
    let checked = number::trials(&trials.to_string());
    checked.map_err(|reason| Fault::Value(format!("trials = {trials}: {reason}")))
}

impl Task {
    /// The task that an argument names: a task, or the text that the command line takes.
    pub fn of(value: &Bound<PyAny>) -> Outcome<HostTask> {
        if let Ok(task) = value.cast::<Task>() {
            return Ok(task.get().0.clone());
        }
        let path: PathBuf = value.extract().map_err(|_| {
            Fault::Value(format!(
                "task = {value}: give the name of a task, a file, or what task() or data() returned"
            ))
        })?;
        let text = path.to_string_lossy();
        let is_file = path.extension().is_some_and(|extension| {
            ["toml", "npz", "ts"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        });
        if is_file && !path.exists() {
            return Err(Fault::Missing(format!(
                "cannot read {text}: there is no such file"
            )));
        }
        value.py().detach(|| parse(&text)).map_err(Fault::Value)
    }

    /// The task of an argument that may be absent.
    pub fn asked(value: Option<&Bound<PyAny>>) -> Outcome<Option<HostTask>> {
        value.map(Self::of).transpose()
    }
}

#[pymethods]
impl Task {
    /// The name, as in commands and in the names of files.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Number of input channels.
    #[getter]
    fn channels(&self) -> usize {
        self.0.channels()
    }

    /// Number of outputs.
    #[getter]
    fn outputs(&self) -> usize {
        self.0.definition().outputs
    }

    /// Number of samples of a trial.
    #[getter]
    fn samples(&self) -> usize {
        self.0.samples()
    }

    /// Length of a sample, ms.
    #[getter]
    fn sample_ms(&self) -> f64 {
        self.0.sample_ms()
    }

    /// First sample of the window in which the answer is read, and the sample after its last.
    #[getter]
    fn window(&self) -> (usize, usize) {
        let definition = self.0.definition();
        let sample = |ms: f64| (ms / definition.sample_ms).round() as usize;
        let (first, end) = definition.mean_ms;
        (sample(first), sample(end).min(definition.samples))
    }

    /// The answers: number to word.
    #[getter]
    fn answers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let answers = PyDict::new(py);
        for answer in &self.0.definition().answers {
            answers.set_item(answer.label, &answer.name)?;
        }
        Ok(answers)
    }

    /// Trials of the parts of a data set: a dictionary of train, validation and test.
    /// `None` for a task that draws its trials.
    #[getter]
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(recorded) = self.0.recorded() else {
            return Ok(None);
        };
        let parts = PyDict::new(py);
        for part in Part::ALL {
            parts.set_item(part.name(), recorded.description.parts[part as usize])?;
        }
        Ok(Some(parts))
    }

    /// Draws trials: see `rate2spike.trials`.
    fn _draw<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        seed: u64,
        first: u64,
        part: Option<&str>,
    ) -> Outcome<Bound<'py, PyDict>> {
        let n = checked_trials(n)?;
        let task = match part.map(self::part).transpose()? {
            Some(_) if self.0.recorded().is_none() => {
                return Err(Fault::Value(format!(
                    "part: {} draws its trials and has no parts; leave it out",
                    self.0.name()
                )));
            }
            Some(part) => self.0.on(part),
            None => self.0.clone(),
        };
        let drawn: Vec<Trial> = py.detach(|| {
            let indices = first..first.saturating_add(n as u64);
            indices
                .map(|index| task.draw(seed, Stream::Spiking, index))
                .collect()
        });
        let (samples, outputs) = (task.samples(), self.outputs());
        let all = |of: fn(&Trial) -> &[f32]| -> Vec<f32> {
            drawn
                .iter()
                .flat_map(|trial| of(trial).iter().copied())
                .collect()
        };
        let shape = [n, outputs, samples];
        let trials = PyDict::new(py);
        let inputs = all(|trial| &trial.input);
        trials.set_item("inputs", array(py, &[n, task.channels(), samples], inputs)?)?;
        trials.set_item("targets", array(py, &shape, all(|trial| &trial.target))?)?;
        let has_mask = drawn.iter().all(|trial| trial.mask.is_some());
        let masks = all(|trial| trial.mask.as_deref().unwrap_or_default());
        let masks = has_mask.then(|| array(py, &shape, masks)).transpose()?;
        trials.set_item("masks", masks)?;
        let labels: Vec<i64> = drawn.iter().map(|trial| trial.label.into()).collect();
        trials.set_item("labels", array(py, &[n], labels)?)?;
        Ok(trials)
    }

    /// Recordings as the network is shown them: scaled as the training part was, and
    /// with the tail. `recordings` is trials × channels × samples, with at most the samples
    /// of the data set. Returns trials × channels × samples of a trial.
    fn _shown<'py>(&self, recordings: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyArrayDyn<f32>>> {
        let Some(recorded) = self.0.recorded() else {
            return Err(Fault::Value(format!(
                "{} draws its trials and scales none; give the inputs as they are",
                self.0.name()
            )));
        };
        let description = &recorded.description;
        let channels = description.channels.len();
        let (trials, length) = Numbers::of(recordings, "inputs")?.inputs(channels)?;
        // A recorded sample is held for several samples of the network.
        let longest = description.recorded / description.hold;
        if length > longest {
            return Err(Fault::Value(format!(
                "inputs has {length} samples, but the longest recording of the training had {longest}; cut them"
            )));
        }
        let show =
            |trial: &Vec<f64>| data::shown(description, length, |t, k| trial[k * length + t]);
        let values: Vec<f32> = trials.iter().flat_map(show).collect();
        let shape = [trials.len(), self.channels(), self.samples()];
        Ok(array(recordings.py(), &shape, values)?)
    }

    fn __repr__(&self) -> String {
        format!(
            "Task({}: {} channels, {} outputs, {} samples of {} ms)",
            self.name(),
            self.channels(),
            self.outputs(),
            self.samples(),
            self.sample_ms()
        )
    }
}

/// The task that `name` names: a built-in one, or a file. See `rate2spike.task`.
#[pyfunction]
pub fn task(name: &Bound<PyAny>) -> Outcome<Task> {
    Task::of(name).map(Task)
}

/// The task of a data set in the bytes of an `.npz`. `settings` is TOML, as in the file
/// beside a data set.
#[pyfunction]
pub fn data_set(
    py: Python,
    name: &str,
    archive: Vec<u8>,
    settings: &str,
    seed: u64,
) -> Outcome<Task> {
    let settings: Settings = toml::from_str(settings)?;
    let task = py.detach(|| {
        let opened = data::read_bytes(Path::new(name), archive, settings)?;
        opened.task(seed)
    });
    Ok(Task(task?))
}
