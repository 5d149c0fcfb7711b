//! Training sessions: trainings from their start or from a check point to the saved
//! model.
//!
//! ```text
//! RateOptions ─Session::train→ Finished (Trained, model in its file, history beside it)
//! ```
//!
//! [`checkpoints`] finds and writes check points, `watched` takes the losses to
//! their file.

pub mod checkpoints;
mod watched;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use serde::Serialize;

use crate::formats::disk::{self, DiskError};
use crate::formats::history::History;
use crate::formats::losses::LossesFile;
use crate::formats::rate_model::{self, ModelError, RateModelFile};
use crate::interrupt::{self, Orderly};
use crate::print::path::lossy;
use crate::rate::checkpoint::CheckpointError;
use crate::rate::network::RateNetwork;
use crate::rate::options::{DecayTaus, RateOptions};
use crate::rate::training::{Progress, Trained, Training};
use checkpoints::Checkpoint;
use watched::Watched;

/// Where trainings leave their files, and how they go on after a stop.
#[derive(Debug, Default)]
pub struct Session {
    /// Folder below which models and check points are saved.
    pub output: PathBuf,
    /// Updates between two check points; zero: only when interrupted.
    pub checkpoint_every: usize,
    /// Go on from the check point of the same options, where there is one.
    pub resume: bool,
    /// The losses as they come.
    pub losses: Option<Mutex<LossesFile>>,
    /// The model to begin with, instead of a network at random.
    pub from: Option<RateModelFile>,
}

/// A training that came to its end.
#[derive(Debug)]
pub struct Finished {
    /// The network and how it came about.
    pub trained: Trained,
    /// The saved model.
    pub model: PathBuf,
    /// The summary of the training.
    pub report: TrainReport,
}

/// A network that was trained and saved, as `train --json` prints it.
#[derive(Clone, Debug, Serialize)]
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
    #[serde(serialize_with = "lossy")]
    pub model: PathBuf,
}

/// A training that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A model that cannot be saved.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A check point that cannot be used.
    #[error("{path}: {source}")]
    Checkpoint {
        /// The check point.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
    /// A model to begin with that is of another kind.
    #[error(
        "--from {path}: its {what} is {found}, but {wanted} is asked for; both must be the same"
    )]
    OtherStart {
        /// The model.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// In the model.
        found: String,
        /// In the options.
        wanted: String,
    },
    /// A loss that is not finite.
    #[error(
        "the training with seed {seed} diverged after {updates} updates (loss {loss}); use a smaller --learning_rate or another --seed"
    )]
    Diverged {
        /// The seed.
        seed: u64,
        /// Updates made.
        updates: usize,
        /// The last loss.
        loss: f32,
    },
    /// Ctrl-C or SIGTERM.
    #[error(
        "interrupted after {updates} updates; the same command with --resume goes on from {checkpoint}"
    )]
    Interrupted {
        /// Updates made.
        updates: usize,
        /// The check point.
        checkpoint: PathBuf,
    },
    /// Ctrl-C or SIGTERM before the first update.
    #[error("interrupted before the training with seed {seed} began; give the same command again")]
    NotBegun {
        /// The seed.
        seed: u64,
    },
    /// A model that is saved somewhere else.
    #[error("{error}. The trained network is not lost: it is in {path}; move it from there")]
    Elsewhere {
        /// Why it is not where it should be.
        error: Box<ModelError>,
        /// Where it is.
        path: PathBuf,
    },
}

impl TrainReport {
    /// The summary of a network that was trained in `seconds`.
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

impl Session {
    /// Checks everything that can be known before a training of these options: the
    /// model to begin with, the folder, and the check point.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn check(&self, options: &RateOptions) -> Result<(), SessionError> {
        let training = self.untrained(options)?;
        disk::check_writable(&rate_model::folder(&self.output, options))?;
        let checkpoint = Checkpoint::new(&self.output, &training);
        checkpoint.check(training)
    }

    /// Trains a network and saves it; its check point is then removed.
    ///
    /// # Errors
    /// If something cannot be read or written, if the training diverged or was
    /// interrupted.
    pub fn train(
        &self,
        options: &RateOptions,
        progress: &mut impl Progress,
    ) -> Result<Finished, SessionError> {
        let started = Instant::now();
        let _orderly = Orderly::begin();
        if interrupt::asked() {
            return Err(SessionError::NotBegun { seed: options.seed });
        }
        let folder = rate_model::folder(&self.output, options);
        let training = self.untrained(options)?;
        let checkpoint = Checkpoint::new(&self.output, &training);
        let training = if self.resume {
            checkpoint.resume(training, progress)?
        } else {
            checkpoint.check(self.untrained(options)?)?;
            training
        };
        // Space that is missing at the end would cost the whole training.
        let reserve = disk::reserve(&folder, rate_model::most_bytes(options))?;
        let trained = self.run(training, &checkpoint, progress)?;
        drop(reserve);
        let model = self.save(options, &trained)?;
        checkpoint.remove()?;
        let seconds = started.elapsed().as_secs_f64();
        Ok(Finished {
            report: TrainReport::new(options, &trained, seconds, model.clone()),
            trained,
            model,
        })
    }

    /// Before the first update.
    fn untrained(&self, options: &RateOptions) -> Result<Training, SessionError> {
        Ok(match &self.from {
            Some(model) => Training::of_network(options.clone(), begin_with(model, options)?),
            None => Training::new(options.clone()),
        })
    }

    /// Update by update to the end, with check points.
    fn run(
        &self,
        mut training: Training,
        checkpoint: &Checkpoint,
        progress: &mut impl Progress,
    ) -> Result<Trained, SessionError> {
        let seed = training.options().seed;
        let mut watched = Watched::new(progress, seed, self.losses.as_ref());
        watched.catch_up(training.updates());
        let mut unwritten = false;
        loop {
            let done = training.advance(&mut watched);
            watched.check()?;
            if let Some(trained) = done {
                return Ok(trained);
            }
            let updates = training.updates();
            let interrupted = interrupt::asked();
            let due = self.checkpoint_every > 0 && updates.is_multiple_of(self.checkpoint_every);
            if !due && !interrupted {
                continue;
            }
            match checkpoint.write(&training) {
                Ok(()) => unwritten = false,
                Err(error) if interrupted => return Err(error.into()),
                // The one before is still there, and space may come back.
                Err(error) if !unwritten => {
                    unwritten = true;
                    watched.warned(&format!(
                        "{error}; the training goes on without check points"
                    ));
                }
                Err(_) => {}
            }
            if interrupted {
                return Err(SessionError::Interrupted {
                    updates,
                    checkpoint: checkpoint.path.clone(),
                });
            }
        }
    }

    /// Saves a network with its history, unless its training diverged.
    ///
    /// # Errors
    /// If it diverged or cannot be written.
    pub fn save(&self, options: &RateOptions, trained: &Trained) -> Result<PathBuf, SessionError> {
        if let Some(&loss) = trained.losses.last().filter(|loss| !loss.is_finite()) {
            return Err(SessionError::Diverged {
                seed: options.seed,
                updates: trained.losses.len(),
                loss,
            });
        }
        let model = match rate_model::save(&self.output, options, trained) {
            Ok(path) => path,
            Err(error @ ModelError::Disk(_)) => return Err(rescue(options, trained, error)),
            Err(error) => return Err(error.into()),
        };
        let history = History {
            version: env!("CARGO_PKG_VERSION").into(),
            options: options.clone(),
            from: self.from.as_ref().map(|model| model.path.clone()),
            evaluations: trained.evaluations.clone(),
        };
        history.write(&model)?;
        Ok(model)
    }
}

/// The network of `model`, if it is one of these options.
fn begin_with(model: &RateModelFile, options: &RateOptions) -> Result<RateNetwork, SessionError> {
    let network = &model.network;
    let taus = |taus: DecayTaus| format!("{:?}", taus.numbers());
    let pairs = [
        (
            "number of units",
            network.units.to_string(),
            options.units.to_string(),
        ),
        (
            "number of inputs",
            network.channels.to_string(),
            options.task.channels().to_string(),
        ),
        (
            "activation",
            network.activation.name().into(),
            options.activation.name().into(),
        ),
        ("decay_taus", taus(network.taus), taus(options.taus)),
        (
            "apply_dale",
            dale_of(network).unwrap_or(options.dale).to_string(),
            options.dale.to_string(),
        ),
    ];
    for (what, found, wanted) in pairs {
        if found != wanted {
            return Err(SessionError::OtherStart {
                path: model.path.clone(),
                what,
                found,
                wanted,
            });
        }
    }
    Ok(RateNetwork {
        dale: options.dale,
        ..network.clone()
    })
}

/// Whether Dale's principle holds for the weights of `network`; `None` where they
/// are the same with and without it.
fn dale_of(network: &RateNetwork) -> Option<bool> {
    let signs = network.inhibitory.contains(&true);
    let negative = network.w.iter().any(|&w| w < 0.0);
    (signs || negative).then_some(network.dale)
}

/// Saves a network that cannot be saved where it should be among the system's
/// temporary files, and says so.
fn rescue(options: &RateOptions, trained: &Trained, error: ModelError) -> SessionError {
    let Ok(folder) = tempfile::Builder::new().prefix("rate2spike-").tempdir() else {
        return error.into();
    };
    match rate_model::save(folder.path(), options, trained) {
        Ok(path) => {
            // The folder stays when the program ends.
            let _: PathBuf = folder.keep();
            let error = Box::new(error);
            SessionError::Elsewhere { error, path }
        }
        Err(_) => error.into(),
    }
}

/// The name of a file without its folder, for messages.
fn name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
