//! The record of a finished training: the model that it saved, for a command that was
//! ended after the training and goes on.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::SessionError;
use super::report::TrainReport;
use crate::formats::disk::{self, DiskError};
use crate::formats::history::History;
use crate::formats::rate_model::RateModelFile;
use crate::rate::checkpoint::{CheckpointError, fingerprint};
use crate::rate::network::RateNetwork;

/// The end of a training, in JSON beside its check point.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// Check sum of the numbers of the network.
    network: u32,
    /// The summary of the training. The model lies beside the record.
    report: TrainReport,
}

impl Record {
    /// The record of a training that ended with this report and this network.
    pub fn new(report: &TrainReport, network: &RateNetwork) -> Self {
        Self {
            network: fingerprint(network),
            report: report.clone(),
        }
    }

    /// Reads the record at `path`; `None` where there is no file.
    ///
    /// # Errors
    /// [`SessionError::Checkpoint`] if the file is something else.
    pub fn read(path: &Path) -> Result<Option<Self>, SessionError> {
        if !path.exists() {
            return Ok(None);
        }
        let record = serde_json::from_slice(&disk::read(path)?);
        record.map(Some).map_err(|_| SessionError::Checkpoint {
            path: path.into(),
            source: CheckpointError::Foreign,
        })
    }

    /// Writes the record to `path`.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), DiskError> {
        let text = serde_json::to_vec_pretty(self).expect("plain numbers and names");
        disk::write(path, &text)
    }

    /// Whether the training had this number of random starts.
    pub fn is_of(&self, starts: usize) -> bool {
        self.report.starts == starts
    }

    /// The recorded model and its network; `None` unless the model and its history are
    /// there and whole. `path` is the record's.
    pub fn model(&self, path: &Path) -> Option<(PathBuf, RateNetwork)> {
        let model = path.with_file_name(self.report.model.file_name()?);
        let network = RateModelFile::read(&model).ok()?.network;
        History::of(&model).ok()??;
        (fingerprint(&network) == self.network).then_some((model, network))
    }

    /// The summary of the training, whose model is `model`.
    pub fn report(&self, model: &Path) -> TrainReport {
        TrainReport {
            model: model.into(),
            ..self.report.clone()
        }
    }
}
