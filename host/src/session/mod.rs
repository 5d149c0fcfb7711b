//! Training sessions: trainings from their start or from a check point to the saved
//! model.
//!
//! ```text
//! RateOptions ─Session::train→ Finished (Trained, model in its file, history beside it)
//! ```
//!
//! [`checkpoints`] finds and writes check points, `record` notes the end of a
//! training for a command that goes on after it, and `watched` writes the losses to
//! their file.

pub mod checkpoints;
mod error;
pub mod on_gpu;
mod record;
mod report;
mod watched;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use crate::formats::disk::{self, DiskError};
use crate::formats::history::History;
use crate::formats::losses::LossesFile;
use crate::formats::rate_model::{self, ModelError, RateModelFile};
use crate::interrupt::{self, Orderly};
use crate::rate::network::RateNetwork;
use crate::rate::options::{DecayTaus, RateOptions};
use crate::rate::restarts::{Kept, race, starts};
use crate::rate::shown::ShownTrials;
use crate::rate::training::{Progress, Trained, Training};
use checkpoints::Checkpoint;
pub use error::SessionError;
use record::Record;
pub use report::TrainReport;
use watched::{OneOfSeveral, Watched};

/// The places of the files of trainings, and the way in which they go on after a stop.
#[derive(Debug, Default)]
pub struct Session {
    /// Folder below which models and check points are saved.
    pub output: PathBuf,
    /// Updates between two check points; with zero a check point is written only on a
    /// signal.
    pub checkpoint_every: usize,
    /// True to go on from the check point of the same options, where there is one.
    pub resume: bool,
    /// The file of the losses.
    pub losses: Option<Mutex<LossesFile>>,
    /// The model to begin with; `None` for a random network.
    pub from: Option<RateModelFile>,
}

/// A training that came to its end.
#[derive(Debug)]
pub struct Finished {
    /// The trained network.
    pub network: RateNetwork,
    /// The saved model.
    pub model: PathBuf,
    /// The summary of the training.
    pub report: TrainReport,
    /// The options of the training; those of the start that was kept, where there were
    /// several.
    pub options: RateOptions,
    /// That of the first start.
    checkpoint: Checkpoint,
}

/// A training on its way.
struct Running {
    training: Training,
    checkpoint: Checkpoint,
    /// Updates that the check point has behind it; 0 without one.
    written: usize,
    /// True while the check points cannot be written.
    unwritten: bool,
}

impl Running {
    /// Writes the check point, unless it is the present one.
    fn write(&mut self) -> Result<(), DiskError> {
        let updates = self.training.updates();
        if updates > self.written {
            self.checkpoint.write(&self.training)?;
            self.written = updates;
        }
        Ok(())
    }
}

impl AsMut<Training> for Running {
    fn as_mut(&mut self) -> &mut Training {
        &mut self.training
    }
}

impl Finished {
    /// Removes the check point and the record of the training: the command needs
    /// neither any more.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn forget(&self) -> Result<(), DiskError> {
        self.checkpoint.remove()?;
        disk::remove_if_there(&self.checkpoint.record())
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
        let checkpoint = Checkpoint::new(&self.output, &training);
        checkpoint.check(training)?;
        Record::read(&checkpoint.record())?;
        Ok(disk::check_writable(&rate_model::folder(
            &self.output,
            options,
        ))?)
    }

    /// Trains a network from `count` random starts, keeps the first one that meets the
    /// criterion, and saves it; the check points are then removed.
    ///
    /// # Errors
    /// If something cannot be read or written, if the training diverged or was
    /// interrupted.
    pub fn train(
        &self,
        options: &RateOptions,
        count: usize,
        progress: &mut (impl Progress + Send),
    ) -> Result<Finished, SessionError> {
        let _orderly = Orderly::begin();
        let (finished, _) = self.train_from(options, count, |_, _| 1.0, progress)?;
        finished.checkpoint.remove()?;
        Ok(finished)
    }

    /// Trains a network and saves no model. Check points are written as for
    /// [`train`](Self::train), and the last one is removed at the end.
    ///
    /// # Errors
    /// See [`train`](Self::train); [`SessionError::Diverged`] too.
    pub fn train_unsaved(
        &self,
        options: &RateOptions,
        progress: &mut impl Progress,
    ) -> Result<Trained, SessionError> {
        let mut running = self.begun(options, progress)?;
        self.say_if_new(std::slice::from_ref(&running), progress);
        let trained = self.run(&mut running, progress)?;
        check_finite(options, &trained)?;
        running.checkpoint.remove()?;
        Ok(trained)
    }

    /// Trains as [`train`](Self::train) does, for a command that goes on after the training.
    /// The check point of the first start stays, and so does a record that names the model,
    /// until [`Finished::forget`]. Where the session resumes and the recorded model is there
    /// and whole, nothing is trained. `grade` says of each of several starts how good
    /// a network is, from 0 to 1, that was trained with these options and meets the criterion.
    ///
    /// # Errors
    /// See [`train`](Self::train).
    pub fn train_first(
        &self,
        options: &RateOptions,
        count: usize,
        grade: impl Fn(&RateOptions, &RateNetwork) -> f64,
        progress: &mut (impl Progress + Send),
    ) -> Result<Finished, SessionError> {
        let _orderly = Orderly::begin();
        let training = self.untrained(options)?;
        let checkpoint = Checkpoint::new(&self.output, &training);
        let record = checkpoint.record();
        if self.resume
            && let Some(found) = Record::read(&record)?
        {
            match found.model(&record) {
                _ if !found.is_of(count) => progress.warned(&format!(
                    "{} is the record of another number of --restarts; the network is trained again",
                    record.display()
                )),
                Some((model, network)) => {
                    let report = found.report(&model);
                    return Ok(Finished {
                        options: options.with_seed(report.seed),
                        report,
                        network,
                        model,
                        checkpoint,
                    });
                }
                None => progress.warned(&format!(
                    "the model that {} names is not there or not whole; the network is trained again",
                    record.display()
                )),
            }
        }
        let (finished, trained) = self.train_from(options, count, grade, progress)?;
        Record::new(&finished.report, &trained.network).write(&record)?;
        Ok(finished)
    }

    fn train_from<P: Progress + Send>(
        &self,
        options: &RateOptions,
        count: usize,
        grade: impl Fn(&RateOptions, &RateNetwork) -> f64,
        progress: &mut P,
    ) -> Result<(Finished, Trained), SessionError> {
        let started = Instant::now();
        if interrupt::asked() {
            return Err(SessionError::NotBegun { seed: options.seed });
        }
        let mut all = Vec::new();
        for options in starts(options, count) {
            all.push(self.begun(&options, progress)?);
        }
        self.say_if_new(&all, progress);
        // Space that is missing at the end would cost the whole training.
        let folder = rate_model::folder(&self.output, options);
        let reserve = disk::reserve(&folder, rate_model::most_bytes(options))?;
        let checkpoint = all[0].checkpoint.clone();
        let Kept { options, trained } = self.run_all(&mut all, grade, progress)?;
        drop(reserve);
        let model = self.save(&options, &trained)?;
        let report = TrainReport::new(
            &options,
            &trained,
            started.elapsed().as_secs_f64(),
            model.clone(),
        );
        let finished = Finished {
            report: report.of_starts(count),
            network: trained.network.clone(),
            options,
            model,
            checkpoint,
        };
        Ok((finished, trained))
    }

    /// The training of these options before its first update, or where its check point left
    /// it if the session resumes.
    fn begun(
        &self,
        options: &RateOptions,
        progress: &mut impl Progress,
    ) -> Result<Running, SessionError> {
        let training = self.untrained(options)?;
        let checkpoint = Checkpoint::new(&self.output, &training);
        let training = if self.resume {
            checkpoint.resume(training, progress)?
        } else {
            checkpoint.check(self.untrained(options)?)?;
            training
        };
        let mut watched = Watched::new(progress, options.seed, self.losses.as_ref());
        watched.catch_up(training.updates());
        watched.check()?;
        Ok(Running {
            written: training.updates(),
            training,
            checkpoint,
            unwritten: false,
        })
    }

    /// Says that a session which should resume found no check point of any of these starts.
    fn say_if_new(&self, all: &[Running], progress: &mut impl Progress) {
        let is_new = all.iter().all(|running| running.training.updates() == 0);
        if !self.resume || !is_new {
            return;
        }
        let options = all[0].training.options();
        progress.warned(&format!(
            "no check point of seed {} was found in {}; the training starts from its beginning",
            options.seed,
            rate_model::folder(&self.output, options).display()
        ));
    }

    /// The training before its first update.
    fn untrained(&self, options: &RateOptions) -> Result<Training, SessionError> {
        Ok(match &self.from {
            Some(model) => Training::of_network(options.clone(), begin_with(model, options)?),
            None => Training::new(options.clone()),
        })
    }

    /// Trains update by update to the end, and writes check points.
    fn run(
        &self,
        running: &mut Running,
        progress: &mut impl Progress,
    ) -> Result<Trained, SessionError> {
        let trained = self.run_until(usize::MAX, running, progress)?;
        Ok(trained.expect("the training ends after its last update"))
    }

    /// Trains from several starts, keeps the first one that meets the criterion and is
    /// good, or the best, and removes the check points of all but the first.
    fn run_all<P: Progress + Send>(
        &self,
        all: &mut [Running],
        grade: impl Fn(&RateOptions, &RateNetwork) -> f64,
        progress: &mut P,
    ) -> Result<Kept, SessionError> {
        let first = all[0].training.options().seed;
        let shown = Mutex::new(progress);
        let advance = |running: &mut Running, until| {
            let is_first = running.training.options().seed == first;
            let mut progress = OneOfSeveral::new(&shown, is_first);
            self.run_until(until, running, &mut progress)
        };
        let raced = race(all, advance, |running, trained| {
            grade(running.training.options(), &trained.network)
        });
        if matches!(raced, Err(SessionError::Interrupted { .. })) {
            // A start that had made its round has not seen the signal.
            all.iter_mut().try_for_each(Running::write)?;
        }
        let (place, trained) = raced?;
        for running in &all[1..] {
            running.checkpoint.remove()?;
        }
        Ok(Kept {
            options: all[place].training.options().clone(),
            trained,
        })
    }

    /// Trains until `until` updates are made or the training ends.
    fn run_until(
        &self,
        until: usize,
        running: &mut Running,
        progress: &mut impl Progress,
    ) -> Result<Option<Trained>, SessionError> {
        let seed = running.training.options().seed;
        let mut watched = Watched::new(progress, seed, self.losses.as_ref());
        while running.training.updates() < until {
            let done = running.training.advance(&mut watched);
            watched.check()?;
            if done.is_some() {
                return Ok(done);
            }
            let updates = running.training.updates();
            let interrupted = interrupt::asked() || watched.stops();
            let due = self.checkpoint_every > 0 && updates.is_multiple_of(self.checkpoint_every);
            if !due && !interrupted {
                continue;
            }
            match running.write() {
                Ok(()) => running.unwritten = false,
                Err(error) if interrupted => return Err(error.into()),
                // The one before is still there, and space may come back.
                Err(error) if !running.unwritten => {
                    running.unwritten = true;
                    watched.warned(&format!(
                        "{error}; the training goes on without check points"
                    ));
                }
                Err(_) => {}
            }
            if interrupted {
                return Err(SessionError::Interrupted {
                    updates,
                    checkpoint: running.checkpoint.path.clone(),
                });
            }
        }
        Ok(None)
    }

    /// Saves a network with its history, unless its training diverged.
    ///
    /// # Errors
    /// If it diverged or cannot be written.
    pub fn save(&self, options: &RateOptions, trained: &Trained) -> Result<PathBuf, SessionError> {
        check_finite(options, trained)?;
        let shown = ShownTrials::of(options, trained);
        let model = match rate_model::save(&self.output, options, trained, &shown) {
            Ok(path) => path,
            Err(error @ ModelError::Disk(_)) => return Err(rescue(options, trained, error)),
            Err(error) => return Err(error.into()),
        };
        self.history(options, trained).write(&model)?;
        Ok(model)
    }

    /// The history of a trained network.
    pub fn history(&self, options: &RateOptions, trained: &Trained) -> History {
        History {
            version: env!("CARGO_PKG_VERSION").into(),
            options: options.clone(),
            from: self.from.as_ref().map(|model| model.path.clone()),
            evaluations: trained.evaluations.clone(),
        }
    }
}

/// Refuses a network whose training diverged.
fn check_finite(options: &RateOptions, trained: &Trained) -> Result<(), SessionError> {
    match trained.losses.last() {
        Some(&loss) if !loss.is_finite() => Err(SessionError::Diverged {
            seed: options.seed,
            updates: trained.losses.len(),
            loss,
        }),
        _ => Ok(()),
    }
}

/// The network of `model`, if its sizes and activation are those of `options`.
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
    match rate_model::save(
        folder.path(),
        options,
        trained,
        &ShownTrials::of(options, trained),
    ) {
        Ok(path) => {
            // The folder stays when the program ends.
            let _: PathBuf = folder.keep();
            let error = Box::new(error);
            SessionError::Elsewhere { error, path }
        }
        Err(_) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    #[test]
    fn a_check_point_is_written_once_for_the_same_updates() {
        let folder = tempfile::tempdir().expect("a folder");
        let session = Session {
            output: folder.path().into(),
            ..Session::default()
        };
        let options = RateOptions::published(Task::go_nogo(), 10);
        let running = session.begun(&options, &mut ());
        let mut running = running.expect("a new training");
        let path = running.checkpoint.path.clone();
        let mut written = || {
            running.write().expect("a writable folder");
            let written = path.exists();
            disk::remove_if_there(&path).expect("a file of ours");
            (written, running.training.advance(&mut ()).is_some())
        };
        // Before the first update there is nothing to write.
        assert_eq!(written(), (false, false));
        assert_eq!(written(), (true, false));
        running.write().expect("a writable folder");
        assert!(path.exists());
        disk::remove_if_there(&path).expect("a file of ours");
        running.write().expect("a writable folder");
        assert!(!path.exists(), "these updates were written");
    }
}
