//! The errors of a rate model's file.

use std::path::PathBuf;

use super::disk::DiskError;
use super::mat::MatError;
use super::names::TASK;
use crate::data::DataError;
use crate::task;

/// A file that is not a rate model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file is not a readable MAT-file, or a variable is missing or of the wrong
    /// kind.
    #[error("{path}: {source}")]
    Mat {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: MatError,
    },
    /// A NIR graph.
    #[error(
        "{path}: a NIR graph and no rate model: `rate2spike import {path} --task TASK -o NET.snn` makes a deployed network of it"
    )]
    Nir {
        /// The file.
        path: PathBuf,
    },
    /// A variable has the wrong size.
    #[error(
        "{path}: {name} is {found}, but with N = {units} it must be {wanted}; is it a model of the published code?"
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: &'static str,
        /// The size that it has.
        found: String,
        /// The size that it should have.
        wanted: String,
        /// N.
        units: usize,
    },
    /// A variable has a value that makes no sense.
    #[error("{path}: {name} = {value}; {wanted}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: &'static str,
        /// The value that it has.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A variable is stored more than once.
    #[error(
        "{path}: {name} is stored twice, and which of the two counts is not known: save it once"
    )]
    Twice {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: String,
    },
    /// The file does not say which task it was trained for.
    #[error(
        "{path}: neither the file nor its name says the task that the network was trained for; give it with --task (a name: {names}, or a FILE.toml)", names = task::names()
    )]
    Task {
        /// The file.
        path: PathBuf,
    },
    /// The variable that holds the task cannot be read.
    #[error("{path}: {TASK}: {reason}; give the task with --task")]
    OwnTask {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The given task has the name of the model's, and another description.
    #[error(
        "{path}: the task {task} is not the one that the network was trained for: its file has changed since; leave --task out, or give the description another name and train again"
    )]
    ChangedTask {
        /// The file.
        path: PathBuf,
        /// The task.
        task: String,
    },
    /// The given task is not the one that the network was trained for.
    #[error(
        "{path}: the network was trained for the task {own}, and not for {task}: leave --task out"
    )]
    ForeignTask {
        /// The file.
        path: PathBuf,
        /// The task of the model.
        own: String,
        /// The given task.
        task: String,
    },
    /// The network has other inputs than the given task.
    #[error(
        "{path}: the network has {found} inputs, but {task} has {wanted}; give the task that it was trained for"
    )]
    OtherTask {
        /// The file.
        path: PathBuf,
        /// Inputs of the network.
        found: usize,
        /// The task.
        task: String,
        /// Inputs of the task.
        wanted: usize,
    },
    /// The given data set is not that of the model.
    #[error("{path}: {reason}")]
    OtherData {
        /// The file of the model.
        path: PathBuf,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// The network has other steps than the given task.
    #[error(
        "{path}: the network was trained with steps of {found} ms, but {task} has samples of {wanted} ms; give the task that it was trained for"
    )]
    OtherStep {
        /// The file.
        path: PathBuf,
        /// Length of a step.
        found: f64,
        /// The task.
        task: String,
        /// Length of a sample of the task.
        wanted: f64,
    },
    /// The data set of the model cannot be read.
    #[error(
        "{path}: its data set: {source}. If the data set lies elsewhere now, give it with --task"
    )]
    Data {
        /// The file of the model.
        path: PathBuf,
        /// Why.
        source: Box<DataError>,
    },
    /// The network has other inputs than its task.
    #[error(
        "{path}: the network has {found} inputs, but its task {task} has {wanted}; give the task that it was trained for with --task"
    )]
    Inputs {
        /// The file.
        path: PathBuf,
        /// The task.
        task: String,
        /// Inputs of the task.
        wanted: usize,
        /// Columns of w_in.
        found: usize,
    },
    /// The network has other outputs than its task.
    #[error(
        "{path}: the network has {found} outputs, but its task {task} has {wanted}; give the task that it was trained for with --task"
    )]
    Outputs {
        /// The file.
        path: PathBuf,
        /// The task.
        task: String,
        /// Outputs of the task.
        wanted: usize,
        /// Rows of w_out.
        found: usize,
    },
}
