//! The host as a Python package: `rate2spike._native`.
//!
//! Each file is one subject of the package. The Python folder `rate2spike` beside this
//! one has the results as data classes, the classifier, the published function, and the
//! type stubs.

mod arrays;
mod board;
mod conversion;
mod fault;
mod figure;
mod model;
mod network;
mod options;
mod progress;
mod simulation;
mod spikes;
mod task;
mod training;

use std::ffi::OsString;

use pyo3::prelude::*;

/// The compiled part of the package `rate2spike`.
#[pymodule]
mod _native {
    use super::{OsString, Python, pyfunction};

    #[pymodule_export]
    use super::board::Board;
    #[pymodule_export]
    use super::figure::{Drawings, Figure, Report};
    #[pymodule_export]
    use super::model::{Model, load, model_from_weights};
    #[pymodule_export]
    use super::network::{Network, load_network};
    #[pymodule_export]
    use super::task::{Task, data_set, task};
    #[pymodule_export]
    use super::training::train;

    /// The command `rate2spike` with these words; returns the exit status.
    #[pyfunction]
    fn command(py: Python, words: Vec<OsString>) -> u8 {
        py.detach(|| rate2spike::cmd::command_line::run(words))
    }
}
