//! `*.snn`: the deployed network on disk, the bytes of
//! [`rate2spike_core::blob`] and nothing else.

use std::path::{Path, PathBuf};

use rate2spike_core::blob::{BlobError, Deployed, LAYOUT};

use crate::task::Task;

/// A file that is not a deployed network.
#[derive(Debug, thiserror::Error)]
pub enum SnnError {
    /// The blob is damaged or foreign.
    #[error("{path}: {}", explain(.fault))]
    Blob {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: BlobError,
    },
    /// A task that this version does not know.
    #[error(
        "{path}: made for the task '{task}', which this version does not know; if it is one of your own, give its file with --task, else use the version that made it"
    )]
    Task {
        /// The file.
        path: PathBuf,
        /// As stored.
        task: String,
    },
    /// A trial of another length than the task's.
    #[error(
        "{path}: {steps} steps of {step_ns} ns, {steps_per_sample} of them a sample, are no trial of '{task}', which has {samples} samples of 5 ms; quantize the model again"
    )]
    Clock {
        /// The file.
        path: PathBuf,
        /// Steps of the trial.
        steps: u32,
        /// Length of a step.
        step_ns: u32,
        /// Steps of a sample.
        steps_per_sample: u32,
        /// The task.
        task: String,
        /// Samples of its trial.
        samples: usize,
    },
}

/// Length of an input sample.
const SAMPLE_NS: u64 = 5_000_000;

/// What an error means for the user.
pub fn explain(error: &BlobError) -> String {
    match error {
        BlobError::Short { needed, found } => format!(
            "{found} bytes, but the network has {needed}: the file was cut; write it again with `rate2spike quantize`"
        ),
        BlobError::Magic(magic) => format!(
            "begins with {magic:02x?} and not with \"R2SN\": not a deployed network; `rate2spike quantize` makes one"
        ),
        BlobError::Layout(layout) => format!(
            "layout version {layout}, but this version reads {LAYOUT}; quantize the model again"
        ),
        BlobError::Checksum { stored, computed } => format!(
            "check sum {computed:08x}, but {stored:08x} is stored: the file is damaged; write it again with `rate2spike quantize`"
        ),
        BlobError::Payload => {
            "the payload does not decode: written by another version; quantize the model again"
                .into()
        }
        BlobError::Table {
            table,
            needed,
            found,
        } => format!(
            "table {table:?} has {found} bytes and not {needed}: written by another version; quantize the model again"
        ),
        BlobError::Range { table, row } => format!(
            "row {row} of table {table:?} is out of range: written by another version; quantize the model again"
        ),
    }
}

/// Checks the bytes of `path`.
///
/// # Errors
/// [`SnnError::Blob`].
pub fn read<'a>(path: &Path, bytes: &'a [u8]) -> Result<Deployed<'a>, SnnError> {
    Deployed::read(bytes).map_err(|fault| SnnError::Blob {
        path: path.into(),
        fault,
    })
}

/// The task that a network answers: `asked`, where the network has that name, or
/// the built-in one.
///
/// # Errors
/// [`SnnError::Task`], or [`SnnError::Clock`]: a blob could ask for trials of any
/// length.
pub fn task(path: &Path, deployed: &Deployed, asked: Option<&Task>) -> Result<Task, SnnError> {
    let name = String::from_utf8_lossy(deployed.payload().task).into_owned();
    let inputs = usize::from(deployed.payload().shared.inputs);
    let own = asked.filter(|task| task.name() == name).cloned();
    let task = own
        .or_else(|| Task::from_name(&name))
        .filter(|task| task.channels() == inputs)
        .ok_or_else(|| SnnError::Task {
            path: path.into(),
            task: name,
        })?;
    let (clock, step_ns) = (deployed.payload().clock, deployed.payload().step_ns);
    let per_sample = u64::from(clock.steps_per_sample);
    // A step is stored in whole nanoseconds.
    let is_sample = (u64::from(step_ns) * per_sample).abs_diff(SAMPLE_NS) <= per_sample;
    let is_trial = u64::from(clock.steps) == per_sample * task.samples() as u64;
    if is_sample && is_trial {
        return Ok(task);
    }
    Err(SnnError::Clock {
        path: path.into(),
        steps: clock.steps,
        step_ns,
        steps_per_sample: clock.steps_per_sample,
        task: task.name().into(),
        samples: task.samples(),
    })
}
