//! Hands the progress of a training on to its display, and writes the file of losses.

use std::sync::{Mutex, PoisonError};

use crate::formats::disk::DiskError;
use crate::formats::losses::LossesFile;
use crate::rate::evaluation::Evaluation;
use crate::rate::training::Progress;

/// Hands progress on, and writes each loss once its evaluation is known.
pub struct Watched<'a, P: Progress> {
    shown: &'a mut P,
    seed: u64,
    losses: Option<&'a Mutex<LossesFile>>,
    /// Update and loss that are not in the file yet: an evaluation may follow.
    latest: Option<(usize, f32)>,
    failed: Option<DiskError>,
}

impl<'a, P: Progress> Watched<'a, P> {
    /// The progress of the training with this seed.
    pub fn new(shown: &'a mut P, seed: u64, losses: Option<&'a Mutex<LossesFile>>) -> Self {
        Self {
            shown,
            seed,
            losses,
            latest: None,
            failed: None,
        }
    }

    /// Called when the training goes on after `updates`. The file may hold later updates,
    /// which are removed.
    pub fn catch_up(&mut self, updates: usize) {
        self.write_losses(|file, seed| file.forget_from(seed, updates));
        self.shown.resumed(updates);
    }

    /// Called after an update and its evaluation.
    ///
    /// # Errors
    /// The first failure of the file of the losses.
    pub fn check(&mut self) -> Result<(), DiskError> {
        self.flush(None);
        self.failed.take().map_or(Ok(()), Err)
    }

    fn write_losses(&mut self, write: impl Fn(&mut LossesFile, u64) -> Result<(), DiskError>) {
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
}

impl<P: Progress> Progress for Watched<'_, P> {
    fn updated(&mut self, update: usize, loss: f32) {
        self.latest = Some((update, loss));
        self.shown.updated(update, loss);
    }

    fn evaluated(&mut self, update: usize, evaluation: &Evaluation) {
        self.flush(Some(evaluation));
        self.shown.evaluated(update, evaluation);
    }

    fn warned(&mut self, sentence: &str) {
        self.shown.warned(sentence);
    }

    fn stops(&mut self) -> bool {
        self.shown.stops()
    }
}

/// Hands on the progress of one of several trainings at once: each warning, and the updates
/// of the first training.
pub struct OneOfSeveral<'a, 'p, P: Progress> {
    shown: &'a Mutex<&'p mut P>,
    first: bool,
}

impl<'a, 'p, P: Progress> OneOfSeveral<'a, 'p, P> {
    /// The progress of a training; `first` if it is the first one.
    pub fn new(shown: &'a Mutex<&'p mut P>, first: bool) -> Self {
        Self { shown, first }
    }

    fn shown<T>(&self, show: impl FnOnce(&mut P) -> T) -> T {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        show(&mut shown)
    }
}

impl<P: Progress> Progress for OneOfSeveral<'_, '_, P> {
    fn updated(&mut self, update: usize, loss: f32) {
        if self.first {
            self.shown(|shown| shown.updated(update, loss));
        }
    }

    fn evaluated(&mut self, update: usize, evaluation: &Evaluation) {
        if self.first {
            self.shown(|shown| shown.evaluated(update, evaluation));
        }
    }

    fn warned(&mut self, sentence: &str) {
        self.shown(|shown| shown.warned(sentence));
    }

    fn stops(&mut self) -> bool {
        self.shown(|shown| shown.stops())
    }
}
