//! The errors of a training session.

use std::path::PathBuf;

use crate::formats::disk::DiskError;
use crate::formats::rate_model::ModelError;
use crate::rate::checkpoint::CheckpointError;

/// Most numbers of an array on a GPU, whose kernels count them in 32 bits.
pub(super) const MOST_NUMBERS: u64 = u32::MAX as u64;

/// A training that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A model that cannot be saved.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A check point that cannot be used.
    #[error("{path}: {source}")]
    Checkpoint {
        /// The check point.
        path: PathBuf,
        /// The reason.
        source: CheckpointError,
    },
    /// A model to begin with that is of another kind.
    #[error(
        "--from {path}: its {what} is {found}, but {wanted} is asked for; both must be the same"
    )]
    OtherStart {
        /// The model.
        path: PathBuf,
        /// The property that differs.
        what: &'static str,
        /// The property in the model.
        found: String,
        /// The property in the options.
        wanted: String,
    },
    /// A training that the kernels of a GPU do not do.
    #[error("{0} is trained on the CPU alone; give --backend cpu")]
    CpuAlone(&'static str),
    /// More networks than an array on a GPU has numbers.
    #[error(
        "{networks} networks of {units} units with a batch of {batch} are too many for one array on a GPU ({MOST_NUMBERS} numbers); give fewer --seeds or a smaller --batch"
    )]
    TooManyForGpu {
        /// Networks.
        networks: usize,
        /// Units of each.
        units: usize,
        /// Trials of an update.
        batch: usize,
    },
    /// A loss that is not finite.
    #[error(
        "the training with seed {seed} diverged after {updates} updates (loss {loss}); use a smaller --learning_rate or another --seed"
    )]
    Diverged {
        /// The seed.
        seed: u64,
        /// Updates made.
        updates: usize,
        /// The last loss.
        loss: f32,
    },
    /// Ctrl-C or SIGTERM during the training.
    #[error(
        "interrupted after {updates} updates; the same command with --resume goes on from {checkpoint}"
    )]
    Interrupted {
        /// Updates made.
        updates: usize,
        /// The check point.
        checkpoint: PathBuf,
    },
    /// Ctrl-C or SIGTERM before the first update.
    #[error("interrupted before the training with seed {seed} began; give the same command again")]
    NotBegun {
        /// The seed.
        seed: u64,
    },
    /// A model that is saved in another folder.
    #[error("{error}. The trained network is not lost: it is in {path}; move it from there")]
    Elsewhere {
        /// The reason why the model is not in its folder.
        error: Box<ModelError>,
        /// The place of the model.
        path: PathBuf,
    },
}
