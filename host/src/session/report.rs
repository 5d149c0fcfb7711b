//! The summary of a training.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::print::path::lossy;
use crate::rate::options::RateOptions;
use crate::rate::training::Trained;

/// A network that was trained and saved, as `train --json` prints it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrainReport {
    /// Seed of everything random; that of the start that was kept.
    pub seed: u64,
    /// Number of random starts.
    #[serde(default)]
    pub starts: usize,
    /// True if the criterion was met; a data set has none, and its training succeeds if
    /// its loss stays finite.
    pub success: bool,
    /// True if the network is the one that did best on the validation part.
    #[serde(skip)]
    pub validated: bool,
    /// Networks that met the criterion until one of them spiked well enough.
    #[serde(default)]
    pub tries: usize,
    /// Updates made.
    pub updates: usize,
    /// Trials shown: updates times the batch.
    pub trials: usize,
    /// Accuracy in the last evaluation.
    pub accuracy: f64,
    /// Strict accuracy in the last evaluation.
    pub strict: f64,
    /// Mean loss in the last evaluation.
    pub loss: f64,
    /// Wall-clock time of this run.
    pub seconds: f64,
    /// The saved model.
    #[serde(serialize_with = "lossy")]
    pub model: PathBuf,
}

impl TrainReport {
    /// The summary of a network that was trained in `seconds`.
    pub fn new(options: &RateOptions, trained: &Trained, seconds: f64, model: PathBuf) -> Self {
        Self {
            seed: options.seed,
            starts: 1,
            success: trained.success,
            validated: options.validated(),
            tries: trained.tries,
            updates: trained.losses.len(),
            trials: trained.losses.len() * options.batch,
            accuracy: trained.evaluation.accuracy,
            strict: trained.evaluation.strict,
            loss: trained.evaluation.loss,
            seconds,
            model,
        }
    }

    /// The same summary of a training from `starts` random starts.
    pub fn of_starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }
}
