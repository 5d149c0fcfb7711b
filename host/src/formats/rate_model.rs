//! A rate model as the published code saves it: its variables, its path and its
//! name, so that its scripts open our files and we open its.

use std::path::{Path, PathBuf};

use super::disk::{self, DiskError};
use super::mat::{Array, Elements, MatError, MatFile, Value};
use super::model_checks::{self, Reader};
pub use super::model_error::ModelError;
use super::names::{self, DIRECT, SAMPLE, TASK};
use super::nir;
use crate::data;
use crate::rate::evaluation::{EVALUATION_TRIALS, Evaluation};
use crate::rate::network::RateNetwork;
use crate::rate::options::{DecayTaus, RateOptions};
use crate::rate::shown::{ShownTrial, ShownTrials};
use crate::rate::training::Trained;
use crate::readout::Readout;
use crate::task::{SAMPLE_MS, Task};

/// A model file: the network, the start of its weights, and everything else
/// that the file holds.
#[derive(Clone, Debug)]
pub struct RateModelFile {
    /// Where it lies.
    pub path: PathBuf,
    /// All its variables.
    pub variables: MatFile,
    /// The trained network.
    pub network: RateNetwork,
}

/// The numbers of a network from the variables of `file`; `path` is for errors.
///
/// # Errors
/// The first problem that [`model_checks::check`] finds.
pub fn network(path: &Path, file: &MatFile) -> Result<RateNetwork, ModelError> {
    let model_checks::Checked { network, problems } = model_checks::check(path, file);
    match problems.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(network.expect("a network without problems is there")),
    }
}

/// The task that the variables of the file at `path` carry.
///
/// # Errors
/// [`ModelError::OwnTask`], if the variable is not a task of this version.
pub fn own_task(path: &Path, file: &MatFile) -> Result<Option<Task>, ModelError> {
    if file.get(TASK).is_err() {
        return Ok(None);
    }
    let failed = |reason: String| ModelError::OwnTask {
        path: path.into(),
        reason,
    };
    let text = file.text(TASK).map_err(|error| failed(error.to_string()))?;
    let task = serde_json::from_str(&text);
    Ok(Some(task.map_err(|error| failed(error.to_string()))?))
}

impl RateModelFile {
    /// Number of updates of the training; `None` if the file does not say.
    pub fn updates(&self) -> Option<u64> {
        let last = self.variables.scalar(names::LAST_UPDATE).ok()?;
        (last >= 0.0).then_some((last + 1.0) as u64)
    }

    /// The λ that an earlier conversion stored; see [`model_checks::stored_lambda`].
    ///
    /// # Errors
    /// If the variable is there and is neither a positive number nor NaN.
    pub fn stored_lambda(&self) -> Result<Option<f64>, ModelError> {
        model_checks::stored_lambda(&self.path, &self.variables)
    }

    /// What is done to the numbers of the model, and should be known.
    pub fn warnings(&self) -> Vec<String> {
        let network = &self.network;
        let negative = network.w.iter().filter(|&&w| w < 0.0).count();
        if !network.dale || negative == 0 {
            return Vec::new();
        }
        vec![format!(
            "{}: {negative} of {} recurrent weights are negative and act as 0: under Dale's principle, by which m gives each unit its sign, relu is applied to w",
            self.path.display(),
            network.w.len()
        )]
    }

    /// Reads a model.
    ///
    /// # Errors
    /// If the file is not a rate model.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        Self::from_variables(path, read_mat(path)?)
    }

    /// Reads a model whose conversion is to be replaced: a damaged λ, calibration or
    /// refitted readout is left out instead of being refused.
    ///
    /// # Errors
    /// If the file is not a rate model.
    pub fn read_to_convert_again(path: &Path) -> Result<Self, ModelError> {
        let mut variables = read_mat(path)?;
        model_checks::remove_damaged_conversion(path, &mut variables);
        Self::from_variables(path, variables)
    }

    /// The model of a network that was trained with these options, in memory. `path` is
    /// its name in errors, and where [`RateModelFile::write`] writes it.
    ///
    /// # Errors
    /// If the network is no model, as after a training that diverged.
    pub fn of_training(
        path: &Path,
        options: &RateOptions,
        trained: &Trained,
    ) -> Result<Self, ModelError> {
        let shown = ShownTrials::of(options, trained);
        Self::from_variables(path, variables(options, trained, &shown))
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.path, &self.variables, self.network.units)
    }

    /// The model in the variables of the file at `path`.
    ///
    /// # Errors
    /// [`ModelError`], if the variables are no model.
    pub fn from_variables(path: &Path, variables: MatFile) -> Result<Self, ModelError> {
        let network = network(path, &variables)?;
        Ok(Self {
            path: path.into(),
            variables,
            network,
        })
    }

    /// The same network with its weights before training, `w0`.
    ///
    /// # Errors
    /// If the file has no usable `w0`.
    pub fn initial(&self) -> Result<RateNetwork, ModelError> {
        self.reader()
            .initial(&self.network)?
            .ok_or_else(|| ModelError::Mat {
                path: self.path.clone(),
                source: MatError::Missing {
                    name: names::W0.into(),
                },
            })
    }

    /// The task: from the model's own variable, else from a file name of the
    /// published form, `Task_NAME_N_…`.
    ///
    /// # Errors
    /// [`ModelError::OwnTask`], [`ModelError::Inputs`] or [`ModelError::Task`].
    pub fn task(&self) -> Result<Task, ModelError> {
        let own = self.own_task()?.map(|own| self.opened(own)).transpose()?;
        let task = own
            .or_else(|| named_task(&self.path))
            .ok_or_else(|| ModelError::Task {
                path: self.path.clone(),
            })?;
        if task.channels() != self.network.channels {
            return Err(ModelError::Inputs {
                path: self.path.clone(),
                task: task.name().into(),
                wanted: task.channels(),
                found: self.network.channels,
            });
        }
        let (found, wanted) = (self.network.readout.outputs(), task.definition().outputs);
        if found != wanted {
            return Err(ModelError::Outputs {
                path: self.path.clone(),
                task: task.name().into(),
                wanted,
                found,
            });
        }
        Ok(task)
    }

    /// `task` with the trials of its data set, if it has one.
    fn opened(&self, task: Task) -> Result<Task, ModelError> {
        data::opened(task).map_err(|source| ModelError::Data {
            path: self.path.clone(),
            source: Box::new(source),
        })
    }

    /// The task on which the model is scored: `given`, else the model's own.
    ///
    /// # Errors
    /// [`ModelError::ChangedTask`], [`ModelError::ForeignTask`] or
    /// [`ModelError::OtherTask`] for `given`, else the
    /// errors of [`RateModelFile::task`].
    pub fn task_or(&self, given: Option<&Task>) -> Result<Task, ModelError> {
        let Some(task) = given else {
            return self.task();
        };
        let own = self.own_task()?;
        if let Some(recorded) = own.as_ref().and_then(Task::recorded) {
            let task = task.described(&recorded.description);
            return task.map_err(|reason| ModelError::OtherData {
                path: self.path.clone(),
                reason,
            });
        }
        if own
            .as_ref()
            .is_some_and(|own| own.name() == task.name() && own != task)
        {
            return Err(ModelError::ChangedTask {
                path: self.path.clone(),
                task: task.name().into(),
            });
        }
        // The published files go by their name.
        let own = own.or_else(|| named_task(&self.path));
        if let Some(own) = own.filter(|own| own.name() != task.name()) {
            return Err(ModelError::ForeignTask {
                path: self.path.clone(),
                own: own.name().into(),
                task: task.name().into(),
            });
        }
        if task.channels() == self.network.channels && task.sample_ms() != self.network.sample_ms {
            return Err(ModelError::OtherStep {
                path: self.path.clone(),
                found: self.network.sample_ms,
                task: task.name().into(),
                wanted: task.sample_ms(),
            });
        }
        if task.channels() == self.network.channels {
            return Ok(task.clone());
        }
        Err(ModelError::OtherTask {
            path: self.path.clone(),
            found: self.network.channels,
            task: task.name().into(),
            wanted: task.channels(),
        })
    }

    /// The task that the model itself carries. A data set is not opened.
    ///
    /// # Errors
    /// [`ModelError::OwnTask`], if the variable is not a task of this version.
    pub fn own_task(&self) -> Result<Option<Task>, ModelError> {
        own_task(&self.path, &self.variables)
    }

    /// The variables `w_out_spiking`, K × N, and `b_out_spiking`, 1 × K, which a single output
    /// does not have; `None` where the file has no `w_out_spiking`.
    ///
    /// # Errors
    /// If one of them has another size or a value that is not finite.
    pub fn refitted_rows(&self) -> Result<Option<Readout<f32>>, ModelError> {
        let outputs = self.network.readout.outputs();
        self.reader().refitted_readout(outputs)
    }

    /// The variable `unit_calibration`, 3 × N, row by row: scales in mV, offsets in mV
    /// and λ. `None` where the file does not have it.
    ///
    /// # Errors
    /// If the variable has another size, a value that is not finite, or a scale or a λ
    /// that is not positive.
    pub fn calibration_rows(&self) -> Result<Option<Vec<f32>>, ModelError> {
        self.reader().calibration()
    }

    /// Whether a calibrated network keeps the offset of its output.
    ///
    /// # Errors
    /// If the variable is there and neither 0 nor 1.
    pub fn keeps_offset(&self) -> Result<bool, ModelError> {
        self.reader().keeps_offset()
    }

    /// Sets the variable `name`, `rows` × N, given row by row.
    pub fn set_unit_rows(&mut self, name: &str, rows: usize, values: &[f32]) {
        let units = self.network.units;
        self.variables.insert(name, matrix(rows, units, values));
    }

    /// Checks that the file can be written back, before a search is made for it.
    ///
    /// # Errors
    /// If it holds a variable that the format does not.
    pub fn check_writable(&self) -> Result<(), ModelError> {
        let checked = self.variables.check_writable();
        checked.map_err(|source| ModelError::Mat {
            path: self.path.clone(),
            source,
        })
    }

    /// Writes the file with its present variables.
    ///
    /// # Errors
    /// If it cannot be written; the old file is then as it was.
    pub fn write(&self) -> Result<(), ModelError> {
        write_mat(&self.path, &self.variables)
    }
}

/// A task as the model file holds it.
fn task_text(task: &Task) -> String {
    serde_json::to_string(task).expect("numbers and strings")
}

/// The built-in task that a file name of the published form names.
fn named_task(path: &Path) -> Option<Task> {
    let name = path.file_name()?.to_str()?;
    let (task, _) = name.strip_prefix("Task_")?.split_once("_N_")?;
    Task::from_name(task)
}

/// Reads a MAT-file.
///
/// # Errors
/// If it cannot be read.
pub fn read_mat(path: &Path) -> Result<MatFile, ModelError> {
    parse_mat(path, &disk::read(path)?)
}

/// The variables in the bytes of the file at `path`.
///
/// # Errors
/// [`ModelError`], if the bytes are not a MAT-file.
pub fn parse_mat(path: &Path, bytes: &[u8]) -> Result<MatFile, ModelError> {
    if nir::is_graph(bytes) {
        return Err(ModelError::Nir { path: path.into() });
    }
    MatFile::from_bytes(bytes).map_err(|source| ModelError::Mat {
        path: path.into(),
        source,
    })
}

/// Writes a MAT-file.
///
/// # Errors
/// If it cannot be written; an old file is then as it was.
pub fn write_mat(path: &Path, file: &MatFile) -> Result<(), ModelError> {
    let bytes = file.to_bytes().map_err(|source| ModelError::Mat {
        path: path.into(),
        source,
    })?;
    Ok(disk::write(path, &bytes)?)
}

/// The folder of a model below `output`, as the published code names it.
pub fn folder(output: &Path, options: &RateOptions) -> PathBuf {
    let mut folder = output.join("models").join(options.task.name());
    if !options.dale {
        folder.push("NoDale");
    }
    let taus = match options.taus {
        DecayTaus::Fixed(tau) => format!("Tau_{tau:?}"),
        DecayTaus::Trained(low, high) => format!("Taus_{low:?}_{high:?}"),
    };
    folder.join(format!("P_rec_{:?}_{taus}", options.p_rec))
}

/// The name of a model that was saved at `time` (`YYYY_MM_DD_HHMMSS`).
pub fn file_name(options: &RateOptions, time: &str) -> String {
    let taus = match options.taus {
        DecayTaus::Fixed(tau) => format!("Tau_{tau:?}"),
        DecayTaus::Trained(low, high) => format!("Taus_{low:?}_{high:?}"),
    };
    format!(
        "Task_{}_N_{}_{taus}_Act_{}_{time}.mat",
        options.task.name(),
        options.units,
        options.activation.name()
    )
}

/// About the bytes of a model with these options, and not fewer than it has.
pub fn most_bytes(options: &RateOptions) -> usize {
    /// Names and sizes of the variables.
    const AROUND: usize = 4096;
    /// An f32 and an f64.
    const SINGLE: usize = 4;
    const DOUBLE: usize = 8;
    /// A letter of a text.
    const LETTER: usize = 2;
    let (n, samples) = (options.units, options.task.samples());
    let (channels, k) = (options.task.channels(), options.task.definition().outputs);
    // w0, w, m and som_m; x0, r0, x and r; w_in0, w_in, w_out and four rows or columns; o.
    let singles = 4 * n * n + 4 * n * samples + (2 * channels + k + 4) * n + k * samples;
    // u, target, losses; the outputs and labels of an evaluation.
    let doubles =
        (channels + k) * samples + options.updates + EVALUATION_TRIALS * (k * samples + 1);
    AROUND + SINGLE * singles + DOUBLE * doubles + LETTER * task_text(&options.task).len()
}

/// Saves a trained network below `output`, under the published name; returns
/// the path. Where a file of that name was saved in the same second, the name
/// takes the next free one.
///
/// # Errors
/// If it cannot be written.
pub fn save(
    output: &Path,
    options: &RateOptions,
    trained: &Trained,
    shown: &ShownTrials,
) -> Result<PathBuf, ModelError> {
    let folder = folder(output, options);
    let file = variables(options, trained, shown);
    let mut time = jiff::Zoned::now().datetime();
    loop {
        let name = file_name(options, &time.strftime("%Y_%m_%d_%H%M%S").to_string());
        let path = folder.join(name);
        let bytes = file.to_bytes().map_err(|source| ModelError::Mat {
            path: path.clone(),
            source,
        })?;
        match disk::write_new(&path, &bytes) {
            Ok(()) => return Ok(path),
            Err(DiskError::Write { source, .. })
                if source.kind() == std::io::ErrorKind::AlreadyExists =>
            {
                time = time.saturating_add(jiff::ToSpan::second(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A matrix given row by row.
fn matrix<T: Copy>(rows: usize, columns: usize, values: &[T]) -> Value
where
    Elements: From<Vec<T>>,
{
    let by_column = (0..rows * columns)
        .map(|k| values[k % rows * columns + k / rows])
        .collect();
    Value::matrix(rows, columns, by_column)
}

/// samples × units × 1, as the published code saves trajectories; also samples × outputs × 1.
fn trajectory(samples: usize, units: usize, values: &[f32]) -> Value {
    let by_column: Vec<f32> = (0..samples * units)
        .map(|k| values[k % samples * units + k / samples])
        .collect();
    let array = Array::new(vec![samples, units, 1], Elements::from(by_column))
        .expect("as many values as samples and units");
    Value::Array(array)
}

/// One trial of a network in the variables of the published code.
struct TrialValues {
    x: Value,
    r: Value,
    o: Value,
    u: Value,
    target: Value,
}

impl TrialValues {
    fn new(network: &RateNetwork, options: &RateOptions, shown: &ShownTrial) -> Self {
        let (samples, units) = (options.task.samples(), network.units);
        let double = |values: &[f32]| -> Vec<f64> { values.iter().map(|&x| x.into()).collect() };
        let (input, target) = (double(&shown.trial.input), double(&shown.trial.target));
        let outputs = network.readout.outputs();
        Self {
            x: trajectory(samples, units, &shown.currents),
            r: trajectory(samples, units, &shown.rates),
            o: trajectory(samples - 1, outputs, &shown.output),
            u: matrix(options.task.channels(), samples, &input),
            target: match outputs {
                1 => Value::row(target),
                _ => matrix(outputs, samples, &target),
            },
        }
    }
}

/// All variables of the published code, in its order.
fn variables(options: &RateOptions, trained: &Trained, shown: &ShownTrials) -> MatFile {
    let (network, start) = (&trained.network, &trained.start);
    let (n, k) = (network.units, network.readout.outputs());
    let last = trained.losses.len() - 1;
    let first_run = TrialValues::new(start, options, &shown.first);
    let last_run = TrialValues::new(network, options, &shown.last);
    let mut losses: Vec<f64> = trained.losses.iter().map(|&loss| loss.into()).collect();
    losses.resize(options.updates, 0.0);
    let signs = network.signs();
    let m: Vec<f32> = (0..n * n)
        .map(|k| if k / n == k % n { signs[k % n] } else { 0.0 })
        .collect();
    let excitatory: Vec<bool> = network
        .inhibitory
        .iter()
        .map(|inhibitory| !inhibitory)
        .collect();
    let taus: Vec<f64> = network
        .taus
        .numbers()
        .iter()
        .map(|&tau| tau.into())
        .collect();
    let evaluation = &trained.evaluation;
    let outputs: Vec<f64> = evaluation.outputs.iter().map(|&o| o.into()).collect();

    let mut file = MatFile::new();
    let mut put = |name: &str, value: Value| file.insert(name, value);
    put(names::X0, first_run.x);
    put(names::R0, first_run.r);
    put(names::W0, matrix(n, n, &start.w));
    put(names::TAUS_GAUS0, Value::column(start.tau_theta.clone()));
    put(names::W_IN0, matrix(n, network.channels, &start.w_in));
    put(names::U, last_run.u);
    put(names::O, last_run.o);
    put(names::W, matrix(n, n, &network.w));
    put(names::X, last_run.x);
    put(names::TARGET, last_run.target);
    put(names::W_OUT, matrix(k, n, &network.readout.weights));
    put(names::R, last_run.r);
    put(names::M, matrix(n, n, &m));
    put(names::SOM_M, matrix(n, n, &network.som_mask));
    put(names::UNITS, Value::scalar(n as i64));
    put(names::EXC, Value::column(excitatory));
    put(names::INH, Value::column(network.inhibitory.clone()));
    put(names::W_IN, matrix(n, network.channels, &network.w_in));
    put(names::B_OUT, Value::row(network.readout.offset.clone()));
    put(names::SOM_UNITS, Value::scalar(network.som_units as i64));
    put(names::LOSSES, Value::row(losses));
    put(names::TAUS, Value::row(taus));
    put(names::EVAL_ACCURACY, Value::scalar(evaluation.accuracy));
    put(names::EVAL_LOSS, Value::scalar(evaluation.loss));
    put(
        names::EVAL_OUTPUTS,
        matrix(
            evaluation.labels.len(),
            (options.task.samples() - 1) * k,
            &outputs,
        ),
    );
    put(names::EVAL_LABELS, labels(&options.task, evaluation));
    put(names::TAUS_GAUS, Value::column(network.tau_theta.clone()));
    put(names::LAST_UPDATE, Value::scalar(last as i64));
    put(names::ACTIVATION, Value::text(network.activation.name()));
    put(TASK, Value::text(&task_text(&options.task)));
    if network.direct_inputs {
        put(DIRECT, Value::scalar(1.0));
    }
    if network.sample_ms != SAMPLE_MS {
        put(SAMPLE, Value::scalar(network.sample_ms));
    }
    file
}

/// The labels of an evaluation: numbers, or one row of letters each where the
/// published code saves words, which are equally long.
fn labels(task: &Task, evaluation: &Evaluation) -> Value {
    let answers = &task.definition().answers;
    let word = |label: i16| {
        let answer = answers.iter().find(|answer| answer.label == label)?;
        Some(answer.published?.encode_utf16().collect())
    };
    let labels = evaluation.labels.iter();
    let words: Option<Vec<Vec<u16>>> = labels.clone().map(|&label| word(label)).collect();
    let Some(words) = words.filter(|words| !words.is_empty()) else {
        return Value::row(labels.map(|&label| f64::from(label)).collect());
    };
    let letters = words[0].len();
    let by_column = (0..letters)
        .flat_map(|k| words.iter().map(move |word| word[k]))
        .collect();
    let array = Array::new(vec![words.len(), letters], Elements::Char(by_column));
    Value::Array(array.expect("words of the same length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_name_of_the_published_form_names_a_task() {
        let named = |path: &str| named_task(Path::new(path)).map(|task| task.name().to_string());
        assert_eq!(named("a/Task_xor_N_200_Taus.mat"), Some("xor".into()));
        let delayed = named("xor-runs/Task_delayed-match_N_20_Tau_4.0.mat");
        assert_eq!(delayed, Some("delayed-match".into()));
        for other in [
            "xor/net.mat",
            "models/xor/Task_own_N_2.mat",
            "Task_xor.mat",
            "xor_N_200.mat",
            "Task_xor_N_3/net.mat",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
