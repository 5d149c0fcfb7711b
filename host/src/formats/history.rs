//! How a model came about, in a file beside it: `MODEL.json` has its options
//! and what the evaluations of its training found.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{self, DiskError};
use super::names;
use super::rate_model::RateModelFile;
use crate::print::path::lossy;
use crate::rate::evaluation::Evaluated;
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;

/// The training of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Version of the program that trained it.
    pub version: String,
    /// The options of the training.
    pub options: RateOptions,
    /// The model that the training began with, if it did not begin at random.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "lossy"
    )]
    pub from: Option<PathBuf>,
    /// Every evaluation of the training, in order.
    pub evaluations: Vec<Evaluated>,
}

/// A file that is there and no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The text is not a history.
    #[error(
        "{path}: {source}; it should say how the model beside it was trained: remove it, or train again"
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl History {
    /// Writes it beside `model`.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn write(&self, model: &Path) -> Result<(), DiskError> {
        let mut text = serde_json::to_string_pretty(self).expect("plain numbers and strings");
        text.push('\n');
        disk::write(&model.with_extension("json"), text.as_bytes())
    }

    /// Whether this is the training of `model`: its size, its activation, the number of its
    /// updates and the weights that it began with. A training that began with another model
    /// has no weights that are known from its options.
    pub fn is_of(&self, model: &RateModelFile) -> bool {
        let (options, network) = (&self.options, &model.network);
        let alike = options.units == network.units
            && options.activation == network.activation
            && options.task.channels() == network.channels
            && options.taus.numbers() == network.taus.numbers();
        let losses = model.variables.vector(names::LOSSES);
        if !alike || losses.is_ok_and(|losses| losses.len() != options.updates) {
            return false;
        }
        let start = || RateNetwork::start(options).w;
        match model.initial() {
            Ok(initial) if self.from.is_none() => initial.w == start(),
            _ => true,
        }
    }

    /// Reads the history of `model`, if there is one beside it.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn of(model: &Path) -> Result<Option<Self>, HistoryError> {
        let path = model.with_extension("json");
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = disk::read(&path)?;
        match serde_json::from_slice(&bytes) {
            Ok(history) => Ok(Some(history)),
            Err(source) => Err(HistoryError::Json { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::evaluation::Evaluation;
    use crate::task::Task;

    #[test]
    fn a_history_is_read_as_it_was_written_and_a_foreign_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = folder.path().join("model.mat");
        assert_eq!(History::of(&model).expect("none"), None);
        let history = History {
            version: "1".into(),
            options: RateOptions::published(Task::xor(), 30),
            from: None,
            evaluations: vec![Evaluated::new(101, &Evaluation::default())],
        };
        history.write(&model).expect("a writable folder");
        assert_eq!(History::of(&model).expect("a history"), Some(history));
        std::fs::write(model.with_extension("json"), "{}").expect("a writable folder");
        let error = History::of(&model).expect_err("no history").to_string();
        assert!(
            error.contains("model.json") && error.contains("train again"),
            "{error}"
        );
    }
}
