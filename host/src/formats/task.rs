//! A task on the command line and in a file: a built-in one by its name, one of
//! the user's own as TOML.

use std::path::{Path, PathBuf};

use super::disk::{self, DiskError};
use crate::task::pulses::{Spec, SpecError};
use crate::task::{self, Task};

/// A task that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TaskFileError {
    /// The file cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The text is not TOML, or has other fields.
    #[error("{path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// A value makes no sense.
    #[error("{path}: {source}")]
    Value {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SpecError,
    },
}

/// The task that a command line names: a built-in one, or a file.
///
/// # Errors
/// A sentence, if there is no such task.
pub fn parse(text: &str) -> Result<Task, String> {
    if Path::new(text)
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        return read(Path::new(text)).map_err(|error| error.to_string());
    }
    Task::from_name(text).ok_or_else(|| task::unknown(text))
}

/// The task in `path`.
///
/// # Errors
/// If the file cannot be read, or describes no task.
pub fn read(path: &Path) -> Result<Task, TaskFileError> {
    let bytes = disk::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let spec: Spec = toml::from_str(&text).map_err(|source| TaskFileError::Toml {
        path: path.into(),
        source: Box::new(source),
    })?;
    spec.task().map_err(|source| TaskFileError::Value {
        path: path.into(),
        source,
    })
}
