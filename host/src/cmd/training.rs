//! Runs trainings to their end: with check points, with the losses in a file,
//! and one or many at a time.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;

use super::CommandError;
use super::console::Console;
use crate::formats::disk;
use crate::formats::history::History;
use crate::formats::losses::LossesFile;
use crate::formats::rate_model::{self, ModelError, RateModelFile};
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;
use crate::rate::training::Evaluated;
use crate::rate::training::{Evaluation, Progress, Trained, Training};

/// Set by Ctrl-C; a training then writes a check point and stops.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Lets Ctrl-C stop trainings at their next update; a second one ends the
/// program at once.
pub fn stop_on_interrupt() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(1);
        }
    };
    // Without a handler Ctrl-C ends the program: no reason not to train.
    let _ = ctrlc::set_handler(handler);
}

/// Where trainings leave their files, and how they go on after a stop.
#[derive(Debug, Default)]
pub struct Plan {
    /// Folder below which models and check points are saved.
    pub output: PathBuf,
    /// Updates between two check points; zero: only when interrupted.
    pub checkpoint_every: usize,
    /// Go on from the check point, where there is one.
    pub resume: bool,
    /// The losses as they come.
    pub losses: Option<Mutex<LossesFile>>,
    /// The model to begin with, instead of a network at random.
    pub from: Option<RateModelFile>,
}

/// A network that was trained and saved.
#[derive(Debug, Serialize)]
pub struct TrainReport {
    /// Seed of everything random.
    pub seed: u64,
    /// Whether the criterion was met.
    pub success: bool,
    /// Updates made.
    pub updates: usize,
    /// Trials shown: updates times the batch.
    pub trials: usize,
    /// Accuracy in the last evaluation.
    pub accuracy: f64,
    /// Strict accuracy there.
    pub strict: f64,
    /// Mean loss there.
    pub loss: f64,
    /// Wall-clock time of this run.
    pub seconds: f64,
    /// The saved model.
    #[serde(serialize_with = "super::console::lossy")]
    pub model: PathBuf,
}

impl TrainReport {
    /// Of a network that was trained in so many seconds.
    pub fn new(options: &RateOptions, trained: &Trained, seconds: f64, model: PathBuf) -> Self {
        Self {
            seed: options.seed,
            success: trained.success,
            updates: trained.losses.len(),
            trials: trained.losses.len() * options.batch,
            accuracy: trained.evaluation.accuracy,
            strict: trained.evaluation.strict,
            loss: trained.evaluation.loss,
            seconds,
            model,
        }
    }
}

impl Plan {
    /// Trains a network and saves it; the check point is then removed.
    ///
    /// # Errors
    /// If something cannot be read or written, if the training diverged or was
    /// interrupted.
    pub fn train(
        &self,
        options: &RateOptions,
        bar: &mut impl Progress,
        console: &Console,
    ) -> Result<(Trained, TrainReport), CommandError> {
        let started = Instant::now();
        let folder = rate_model::folder(&self.output, options);
        // Space that is missing at the end would cost the whole training.
        let reserve = disk::reserve(&folder, rate_model::most_bytes(options))?;
        let checkpoint = checkpoint_path(&self.output, options);
        let mut training = self.start(options, &checkpoint)?;
        let mut watched = Watched {
            bar,
            seed: options.seed,
            losses: self.losses.as_ref(),
            latest: None,
            evaluations: Vec::new(),
            failed: None,
        };
        watched.catch_up(training.updates());
        let mut unwritten = Unwritten::default();
        let trained = loop {
            let done = training.advance(&mut watched);
            watched.check()?;
            if let Some(trained) = done {
                break trained;
            }
            let interrupted = INTERRUPTED.load(Ordering::Relaxed);
            let due = self.checkpoint_every > 0 && training.updates() % self.checkpoint_every == 0;
            if due || interrupted {
                let written = disk::write(&checkpoint, &training.to_bytes());
                match written {
                    Err(error) if interrupted => return Err(error.into()),
                    Err(error) => unwritten.note(&error, console),
                    Ok(()) => unwritten = Unwritten::default(),
                }
            }
            if interrupted {
                return Err(CommandError::Failed(format!(
                    "interrupted after {} updates; the same command with --resume goes on from {}",
                    training.updates(),
                    checkpoint.display()
                )));
            }
        };
        drop(reserve);
        let model = save(&self.output, options, &trained)?;
        let history = History {
            version: env!("CARGO_PKG_VERSION").into(),
            options: options.clone(),
            from: self.from.as_ref().map(|model| model.path.clone()),
            evaluations: watched.evaluations,
        };
        history.write(&model)?;
        disk::remove_if_there(&checkpoint)?;
        let seconds = started.elapsed().as_secs_f64();
        let report = TrainReport::new(options, &trained, seconds, model);
        Ok((trained, report))
    }

    /// From the check point, or from the first update where there is none.
    fn start(&self, options: &RateOptions, checkpoint: &Path) -> Result<Training, CommandError> {
        let training = match &self.from {
            Some(model) => Training::of_network(options.clone(), begin_with(model, options)?),
            None => Training::new(options.clone()),
        };
        if !self.resume || !checkpoint.exists() {
            return Ok(training);
        }
        let bytes = disk::read(checkpoint)?;
        let resumed = training.resumed(&bytes);
        resumed.map_err(|source| CommandError::Checkpoint {
            path: checkpoint.into(),
            source,
        })
    }
}

/// The network of `model`, if it is one of these options.
fn begin_with(model: &RateModelFile, options: &RateOptions) -> Result<RateNetwork, CommandError> {
    let network = &model.network;
    let differs = |what: &str, found: String, wanted: String| {
        CommandError::Usage(format!(
            "--from {}: its {what} is {found}, but {wanted} is asked for; both must be the same",
            model.path.display()
        ))
    };
    let (channels, name) = (options.task.channels(), network.activation.name());
    if network.units != options.units {
        let wanted = options.units.to_string();
        return Err(differs(
            "number of units",
            network.units.to_string(),
            wanted,
        ));
    }
    if network.channels != channels {
        return Err(differs(
            "number of inputs",
            network.channels.to_string(),
            channels.to_string(),
        ));
    }
    if network.activation != options.activation {
        return Err(differs(
            "activation",
            name.into(),
            options.activation.name().into(),
        ));
    }
    if network.taus != options.taus {
        let text = |taus: crate::rate::options::DecayTaus| format!("{:?}", taus.numbers());
        return Err(differs(
            "decay_taus",
            text(network.taus),
            text(options.taus),
        ));
    }
    Ok(RateNetwork {
        dale: options.dale,
        ..network.clone()
    })
}

/// Where the check point of a training lies.
fn checkpoint_path(output: &Path, options: &RateOptions) -> PathBuf {
    let name = rate_model::file_name(options, &format!("seed_{}", options.seed));
    rate_model::folder(output, options)
        .join(name)
        .with_extension("checkpoint")
}

/// Saves a network below `output`, unless its training diverged.
pub(super) fn save(
    output: &Path,
    options: &RateOptions,
    trained: &Trained,
) -> Result<PathBuf, CommandError> {
    if let Some(loss) = trained.losses.last().filter(|loss| !loss.is_finite()) {
        return Err(CommandError::Failed(format!(
            "the training with seed {} diverged after {} updates (loss {loss}); use a smaller --learning_rate or another --seed",
            options.seed,
            trained.losses.len(),
        )));
    }
    match rate_model::save(output, options, trained) {
        Ok(path) => Ok(path),
        Err(error @ ModelError::Disk(_)) => Err(rescue(options, trained, error)),
        Err(error) => Err(error.into()),
    }
}

/// Saves a network that cannot be saved where it should be among the system's
/// temporary files, and says so.
fn rescue(options: &RateOptions, trained: &Trained, error: ModelError) -> CommandError {
    let folder = match tempfile::Builder::new().prefix("rate2spike-").tempdir() {
        Ok(folder) => folder,
        Err(_) => return error.into(),
    };
    match rate_model::save(folder.path(), options, trained) {
        Ok(path) => {
            // It stays.
            let _ = folder.keep();
            CommandError::Failed(format!(
                "{error}. The trained network is not lost: it is in {}; move it from there",
                path.display()
            ))
        }
        Err(_) => error.into(),
    }
}

/// Check points that could not be written. A training goes on without them: the
/// one before is still there, and space may come back.
#[derive(Default)]
struct Unwritten {
    noted: bool,
}

impl Unwritten {
    fn note(&mut self, error: &disk::DiskError, console: &Console) {
        if !self.noted {
            console.warn(format!(
                "{error}; the training goes on without check points"
            ));
        }
        self.noted = true;
    }
}

/// A training's progress, on its way to a bar and to the file of the losses.
struct Watched<'a, P: Progress> {
    bar: &'a mut P,
    seed: u64,
    losses: Option<&'a Mutex<LossesFile>>,
    /// Update and loss that the file has not got yet: its evaluation may
    /// follow.
    latest: Option<(usize, f32)>,
    evaluations: Vec<Evaluated>,
    failed: Option<disk::DiskError>,
}

impl<P: Progress> Watched<'_, P> {
    /// The file may hold updates that come after the check point.
    fn catch_up(&mut self, updates: usize) {
        self.write_losses(|file, seed| file.forget_from(seed, updates));
        self.bar.resumed(updates);
    }

    fn write_losses(
        &mut self,
        write: impl Fn(&mut LossesFile, u64) -> Result<(), disk::DiskError>,
    ) {
        let Some(file) = self.losses else { return };
        let mut file = file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Err(error) = write(&mut file, self.seed) {
            self.failed.get_or_insert(error);
        }
    }

    fn flush(&mut self, evaluation: Option<&Evaluation>) {
        if let Some((update, loss)) = self.latest.take() {
            self.write_losses(|file, seed| file.add(seed, update, loss, evaluation));
        }
    }

    /// After an update and its evaluation.
    fn check(&mut self) -> Result<(), CommandError> {
        self.flush(None);
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }
}

impl<P: Progress> Progress for Watched<'_, P> {
    fn updated(&mut self, update: usize, loss: f32) {
        self.latest = Some((update, loss));
        self.bar.updated(update, loss);
    }

    fn evaluated(&mut self, update: usize, evaluation: &Evaluation) {
        self.flush(Some(evaluation));
        self.evaluations.push(Evaluated::new(update, evaluation));
        self.bar.evaluated(update, evaluation);
    }
}

/// A bar with the loss and the last evaluation.
pub struct TrainingBar {
    bar: ProgressBar,
    evaluation: String,
}

impl TrainingBar {
    /// For so many updates.
    pub fn new(updates: usize, console: &Console) -> Self {
        let template = "train {pos}/{len} [{elapsed}, at most {eta} left, {per_sec}] {msg}";
        Self {
            bar: console.progress(updates as u64, template),
            evaluation: String::new(),
        }
    }
}

impl Progress for TrainingBar {
    fn resumed(&mut self, updates: usize) {
        self.bar.set_position(updates as u64);
        self.bar.reset_eta();
    }

    fn updated(&mut self, update: usize, loss: f32) {
        if update.is_multiple_of(10) {
            self.bar
                .set_message(format!("loss {loss:.2}{}", self.evaluation));
        }
        self.bar.inc(1);
    }

    fn evaluated(&mut self, _update: usize, evaluation: &Evaluation) {
        self.evaluation = format!(
            "; evaluation: loss {:.2}, accuracy {:.2}",
            evaluation.loss, evaluation.accuracy
        );
    }
}

impl Drop for TrainingBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
