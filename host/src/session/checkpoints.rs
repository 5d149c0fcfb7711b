//! Check points in their files. The name of a file carries the fingerprint of the
//! training's options, task and first network: trainings with other options never
//! meet in one file.

use std::path::{Path, PathBuf};

use super::error::SessionError;
use crate::formats::disk::{self, DiskError};
use crate::formats::rate_model;
use crate::rate::checkpoint::{self, CheckpointError};
use crate::rate::options::RateOptions;
use crate::rate::training::{Progress, Training};

/// The extension of the names of check points.
pub const EXTENSION: &str = "checkpoint";

/// The check point of a training, there or not.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The check point's file.
    pub path: PathBuf,
    /// The beginning of the names of all check points of this task, size, activation and
    /// seed.
    family: String,
}

impl Checkpoint {
    /// The check point of `training` below the folder `output`.
    pub fn new(output: &Path, training: &Training) -> Self {
        let options = training.options();
        let folder = rate_model::folder(output, options);
        let family = rate_model::file_name(options, &format!("seed_{}", options.seed));
        let family = family.trim_end_matches(".mat").to_string();
        let fingerprint = checkpoint::name(options, training.start());
        Self {
            path: folder.join(format!("{family}_{fingerprint}.{EXTENSION}")),
            family,
        }
    }

    /// Checks that the file, if it is there, belongs to `training`, which has not begun:
    /// a file of anything else is never overwritten.
    ///
    /// # Errors
    /// If it is something else.
    pub fn check(&self, training: Training) -> Result<(), SessionError> {
        self.read(training).map(drop)
    }

    /// Takes `training`, which has not begun, to where its check point left it. Without
    /// a check point it starts at the first update.
    ///
    /// # Errors
    /// If the file is there and something else.
    pub fn resume(
        &self,
        training: Training,
        progress: &mut impl Progress,
    ) -> Result<Training, SessionError> {
        if !self.path.exists() {
            for sentence in self.others(training.options()) {
                progress.warned(&sentence);
            }
        }
        self.read(training)
    }

    fn read(&self, training: Training) -> Result<Training, SessionError> {
        if !self.path.exists() {
            return Ok(training);
        }
        let bytes = disk::read(&self.path)?;
        let resumed = training.resumed(&bytes);
        resumed.map_err(|source| SessionError::Checkpoint {
            path: self.path.clone(),
            source,
        })
    }

    /// A sentence on each check point beside this one that another training of the same
    /// task, size, activation and seed has left.
    fn others(&self, options: &RateOptions) -> Vec<String> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let files = disk::list(folder).unwrap_or_default();
        let others = files.into_iter().filter(|path| {
            let extension = path.extension();
            file_name(path).starts_with(&format!("{}_", self.family))
                && extension.is_some_and(|found| found == EXTENSION)
        });
        let sentence = |path: PathBuf| {
            let bytes = disk::read(&path).ok()?;
            let differences = match checkpoint::differences_of(&bytes, options) {
                Ok(differences) if differences.is_empty() => "another --from".into(),
                Ok(differences) => differences.join(", "),
                Err(CheckpointError::Version(version)) => format!("version {version}"),
                Err(_) => return None,
            };
            Some(format!(
                "there is no check point of these options; {} has other ones ({differences}) and stays as it is",
                path.display()
            ))
        };
        others.filter_map(sentence).collect()
    }

    /// Writes the present state of `training`.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn write(&self, training: &Training) -> Result<(), DiskError> {
        disk::write(&self.path, &training.to_bytes())
    }

    /// The file that records the end of this training for a command that goes on after
    /// it.
    pub fn record(&self) -> PathBuf {
        self.path.with_extension("finished")
    }

    /// Removes the file, if it is there.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn remove(&self) -> Result<(), DiskError> {
        disk::remove_if_there(&self.path)
    }
}

/// The name of a file without its folder.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
