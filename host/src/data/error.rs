//! Why a data set cannot be used: each error names the file, the place in it, the
//! value, and the way out.

use std::io;
use std::path::{Path, PathBuf};

/// A data set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or a folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path names no data set.
    #[error(
        "{path}: this is no data set; give a FILE.npz, a NAME_TRAIN.ts, or a folder with one folder a class and one CSV a recording"
    )]
    Kind {
        /// The path.
        path: PathBuf,
    },
    /// An archive or an array in a form that NumPy does not write.
    #[error("{path}: {array}: {reason}")]
    Array {
        /// The file.
        path: PathBuf,
        /// The array.
        array: String,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// An array of another shape.
    #[error("{path}: {array} has the shape {found:?}, but {wanted}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The array.
        array: &'static str,
        /// The shape that it has.
        found: Vec<usize>,
        /// The shape that it must have, and why.
        wanted: String,
    },
    /// A value of one trial.
    #[error("{place}: {what} = {value}; {wanted}")]
    Value {
        /// The file and the trial.
        place: String,
        /// The array, with the sample and the channel.
        what: String,
        /// The value.
        value: String,
        /// The way out.
        wanted: String,
    },
    /// A line of a text.
    #[error("{path}, line {line}: {reason}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// A cell of a CSV.
    #[error("{path}, line {line}, column {column}: {reason}")]
    Cell {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// The files of a folder do not fit together, or there are none.
    #[error("{path}: {reason}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// The settings beside a data set.
    #[error("{path}: {reason}")]
    Settings {
        /// The TOML file, or the data set where a flag is wrong.
        path: PathBuf,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// A class without trials in the training part.
    #[error(
        "{path}: no trial of the training part has the class {class}; record some, move some into the training part, or leave the class out"
    )]
    NoClass {
        /// The file.
        path: PathBuf,
        /// The class.
        class: String,
    },
    /// A part without trials.
    #[error("{path}: no trial is in the {part} part; {wanted}")]
    NoPart {
        /// The file.
        path: PathBuf,
        /// The part.
        part: &'static str,
        /// The way out.
        wanted: &'static str,
    },
    /// More than a network has room for.
    #[error("{path}: {found} {what}, but a network has at most {most}; {wanted}")]
    TooMany {
        /// The file.
        path: PathBuf,
        /// The number that was found.
        found: usize,
        /// What is counted.
        what: &'static str,
        /// The largest number.
        most: usize,
        /// The way out.
        wanted: &'static str,
    },
    /// A data set that is not the one of the training.
    #[error(
        "{path}: the data set has changed since the network was trained: its hash is {found}, and was {stored}; give the file of that time with --task, or train again"
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The present hash.
        found: String,
        /// The hash in the model.
        stored: String,
    },
    /// A number of the task is out of range.
    #[error("{path}: {reason}")]
    Task {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl DataError {
    /// A file that cannot be read.
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.into(),
            source,
        }
    }
}

/// Checks that the path leads to a regular file: a pipe would be waited for, and a device
/// has no end.
pub(super) fn regular(path: &Path) -> Result<(), DataError> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => Err(DataError::Folder {
            path: path.into(),
            reason: "this is a folder, a pipe or a device; give a file on a disk".into(),
        }),
        Err(_) if path.is_symlink() => Err(DataError::Folder {
            path: path.into(),
            reason: "this link leads to no file; remove it, or make the file".into(),
        }),
        Err(source) => Err(DataError::read(path, source)),
    }
}
