//! `*.snn`: a deployed network on disk. The file holds the bytes of
//! [`rate2spike_core::blob`] and nothing else.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use rate2spike_core::Fixed;
use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::blob::{self, BlobError, Deployed, LAYOUT, MAGIC, OLDEST_LAYOUT, Stored};

use super::disk::{self, DiskError};
use super::kind;
use crate::quantize::self_test;
use crate::task::Task;

/// A file that is not a deployed network, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SnnError {
    /// The file cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file is of another kind.
    #[error(
        "{path}: this is {kind} and not a deployed network (.snn); `rate2spike quantize` makes one of a rate model"
    )]
    Kind {
        /// The file.
        path: PathBuf,
        /// The kind of file.
        kind: &'static str,
    },
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
        /// The name that is stored.
        task: String,
    },
    /// A network that was trained on a data set, which is not given.
    #[error(
        "{path}: trained on the data set '{task}'; give its file or folder with --task, or with --data"
    )]
    Data {
        /// The file.
        path: PathBuf,
        /// The name of the data set.
        task: String,
    },
    /// The network answers another task than the one that was asked for.
    #[error("{path}: the network answers {task}, and not {asked}; give its own task with --task")]
    OtherTask {
        /// The file.
        path: PathBuf,
        /// The network's task.
        task: String,
        /// The task that was asked for.
        asked: String,
    },
    /// The task has another description than the one that the network was made for.
    #[error(
        "{path}: the network was made for another description of the task {task} (hash {stored:016x}, and not {found:016x}): the task has changed since; give the description of that time with --task, or quantize the model again"
    )]
    ChangedTask {
        /// The file.
        path: PathBuf,
        /// The task.
        task: String,
        /// The hash in the file.
        stored: u64,
        /// The hash of the present description.
        found: u64,
    },
    /// A data set that is not the one of the training.
    #[error(
        "{path}: the data set {data} is not the one of the training (hash {stored:016x}, and not {found:016x}): it, or the settings beside it, has changed since; give the file of that time, with its settings, with --task or --data"
    )]
    ChangedData {
        /// The file.
        path: PathBuf,
        /// The data set.
        data: String,
        /// The hash in the file.
        stored: u64,
        /// The hash of the data set.
        found: u64,
    },
    /// The self-test does not give the stored spikes.
    #[error(
        "{path}: the self-test gives spike hash {found:016x}, but {stored:016x} is stored: the network was made by a version that steps differently; quantize the model again"
    )]
    SelfTest {
        /// The file.
        path: PathBuf,
        /// The hash in the file.
        stored: u64,
        /// The hash of the spikes.
        found: u64,
    },
    /// A trial of another length than the task's.
    #[error(
        "{path}: {steps} steps of {step_ns} ns, {steps_per_sample} of them a sample, are not a trial of '{task}', which has {samples} samples of {sample_ms} ms; quantize the model again"
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
        /// Length of a sample.
        sample_ms: f64,
    },
}

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
            "layout version {layout}, but this version reads {OLDEST_LAYOUT} to {LAYOUT}; quantize the model again"
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
        BlobError::Arithmetic(f32::ARITHMETIC) => {
            "its numbers are f32, and only fixed point is taken here: quantize the model without --arithmetic f32"
                .into()
        }
        BlobError::Arithmetic(Fixed::ARITHMETIC) => {
            "its numbers are fixed point, and only f32 is taken here".into()
        }
        BlobError::Arithmetic(kind) => format!(
            "its numbers are of kind {kind}, which this version does not know: quantize the model again"
        ),
    }
}

/// A deployed network: its bytes, which were checked, and the file that holds them.
#[derive(Clone, Debug)]
pub struct NetFile<A: Arithmetic = Fixed> {
    path: PathBuf,
    bytes: Vec<u8>,
    numbers: PhantomData<A>,
}

/// A deployed network in one of the kinds of numbers.
#[derive(Clone, Debug)]
pub enum AnyNetFile {
    /// Fixed point.
    Fixed(NetFile),
    /// f32.
    Float(NetFile<f32>),
}

impl AnyNetFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`SnnError::Disk`], [`SnnError::Kind`] or [`SnnError::Blob`].
    pub fn read(path: &Path) -> Result<Self, SnnError> {
        Self::new(path, disk::read(path)?)
    }

    /// The network in the bytes of the file at `path`.
    ///
    /// # Errors
    /// [`SnnError::Kind`] or [`SnnError::Blob`].
    pub fn new(path: &Path, bytes: Vec<u8>) -> Result<Self, SnnError> {
        match blob::arithmetic(&bytes) {
            f32::ARITHMETIC => NetFile::of(path, bytes).map(Self::Float),
            _ => NetFile::of(path, bytes).map(Self::Fixed),
        }
    }
}

impl NetFile {
    /// Reads a file of a network in fixed point.
    ///
    /// # Errors
    /// [`SnnError::Disk`], [`SnnError::Kind`] or [`SnnError::Blob`].
    pub fn read(path: &Path) -> Result<Self, SnnError> {
        Self::new(path, disk::read(path)?)
    }

    /// The network in fixed point in the bytes of the file at `path`.
    ///
    /// # Errors
    /// [`SnnError::Kind`] or [`SnnError::Blob`].
    pub fn new(path: &Path, bytes: Vec<u8>) -> Result<Self, SnnError> {
        Self::of(path, bytes)
    }
}

impl<A: Stored> NetFile<A> {
    /// The network in the bytes of the file at `path`.
    ///
    /// # Errors
    /// [`SnnError::Kind`] or [`SnnError::Blob`].
    pub fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, SnnError> {
        let path = path.to_path_buf();
        let start = bytes.len().min(MAGIC.len());
        if start == 0 || bytes[..start] != MAGIC[..start] {
            let kind = kind::name(&bytes);
            return Err(SnnError::Kind { path, kind });
        }
        match Deployed::<A>::of(&bytes) {
            Ok(_) => Ok(Self {
                path,
                bytes,
                numbers: PhantomData,
            }),
            Err(fault) => Err(SnnError::Blob { path, fault }),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All bytes of the file; a blob may be followed by others.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The network, which borrows the bytes.
    pub fn deployed(&self) -> Deployed<'_, A> {
        Deployed::of(&self.bytes).expect("the bytes were checked")
    }

    /// The task that the network answers: `asked`, where the network has that name,
    /// or the built-in one. A data set may have been renamed: its hash decides.
    ///
    /// # Errors
    /// [`SnnError::Task`], [`SnnError::OtherTask`], [`SnnError::ChangedTask`], or
    /// [`SnnError::Clock`]: a blob could ask for trials of any length.
    pub fn task(&self, asked: Option<&Task>) -> Result<Task, SnnError> {
        let deployed = self.deployed();
        let payload = deployed.payload();
        let name = String::from_utf8_lossy(payload.task).into_owned();
        let inputs = usize::from(payload.shared.inputs);
        let of_data = |task: &Task| task.recorded().is_some() && payload.parts_seed.is_some();
        if let Some(asked) = asked.filter(|task| task.name() != name && !of_data(task)) {
            return Err(SnnError::OtherTask {
                path: self.path.clone(),
                task: name,
                asked: asked.name().into(),
            });
        }
        let own = asked;
        let own = own.map(|task| match payload.parts_seed {
            Some(seed) => task.seeded(seed).named(&name),
            None => task.clone(),
        });
        let task = own.or_else(|| Task::from_name(&name));
        let Some(task) = task else {
            let path = self.path.clone();
            return Err(match payload.parts_seed {
                Some(_) => SnnError::Data { path, task: name },
                None => SnnError::Task { path, task: name },
            });
        };
        let found = task.fingerprint();
        if let Some(stored) = payload.task_hash.filter(|stored| *stored != found) {
            if let Some(recorded) = task.recorded() {
                return Err(SnnError::ChangedData {
                    path: self.path.clone(),
                    data: recorded.path.clone(),
                    stored,
                    found,
                });
            }
            return Err(SnnError::ChangedTask {
                path: self.path.clone(),
                task: name,
                stored,
                found,
            });
        }
        if task.channels() != inputs {
            let path = self.path.clone();
            return Err(SnnError::Task { path, task: name });
        }
        self.check_clock(&deployed, &task)?;
        match asked {
            Some(asked) if *asked != task && task.recorded().is_none() => {
                Err(SnnError::OtherTask {
                    path: self.path.clone(),
                    task: name,
                    asked: asked.name().into(),
                })
            }
            _ => Ok(task),
        }
    }

    /// The task, after the self-test gave the stored spikes. The self-test is not
    /// run where the trial is no trial of the task: such a trial could take any
    /// time.
    ///
    /// # Errors
    /// The errors of [`Self::task`], and [`SnnError::SelfTest`].
    pub fn tested_task(&self, asked: Option<&Task>) -> Result<Task, SnnError> {
        let task = self.task(asked)?;
        let deployed = self.deployed();
        let (stored, found) = (
            deployed.payload().self_test.spike_hash,
            self_test(&deployed),
        );
        if stored == found {
            return Ok(task);
        }
        Err(SnnError::SelfTest {
            path: self.path.clone(),
            stored,
            found,
        })
    }

    fn check_clock(&self, deployed: &Deployed<A>, task: &Task) -> Result<(), SnnError> {
        let (clock, step_ns) = (deployed.payload().clock, deployed.payload().step_ns);
        let per_sample = u64::from(clock.steps_per_sample);
        // A step is stored in whole nanoseconds.
        let sample_ns = (task.sample_ms() * 1e6).round() as u64;
        let is_sample = (u64::from(step_ns) * per_sample).abs_diff(sample_ns) <= per_sample;
        let is_trial = u64::from(clock.steps) == per_sample * task.samples() as u64;
        if is_sample && is_trial {
            return Ok(());
        }
        Err(SnnError::Clock {
            path: self.path.clone(),
            steps: clock.steps,
            step_ns,
            steps_per_sample: clock.steps_per_sample,
            task: task.name().into(),
            samples: task.samples(),
            sample_ms: task.sample_ms(),
        })
    }
}
