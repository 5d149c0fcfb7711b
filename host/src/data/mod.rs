//! Data sets: recorded trials from files, checked, as the trials of a task.
//!
//! ```text
//! FILE.npz, NAME_TRAIN.ts, or a folder of CSVs ─read→ DataSet ─task→ Task
//! ```
//!
//! The numbers stay where they are, in memory or in a mapped file, and are scaled when
//! a trial is drawn.

mod array;
mod error;
mod folder;
mod npz;
mod opened;
mod parts;
mod recordings;
mod set;
pub mod settings;
mod summary;
mod trials;
mod ts;
mod write;

pub use error::DataError;
pub use folder::{Own, recording};
pub use npz::MOST_COMPRESSED;
pub use opened::{Opened, SEED, is_path, opened, read, read_bytes, task, task_again};
pub use settings::Settings;
pub use summary::{ChannelSummary, ClassSummary, Summary};
pub use trials::{held, padded, shown};
