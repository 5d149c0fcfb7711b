//! Why a command fails, and the exit status of each cause.

use std::path::{Path, PathBuf};

use crate::board::BoardError;
use crate::board::bit_stream::BitStreamError;
use crate::board::firmware::FirmwareError;
use crate::board::preparation::PreparationError;
use crate::board::probe::ProbeError;
use crate::convert::ConvertError;
use crate::convert::spiking_model::SpikingModelError;
use crate::export::ExportError;
use crate::export::folder::FolderError;
use crate::formats::disk::DiskError;
use crate::formats::history::HistoryError;
use crate::formats::nir::read::NirError;
use crate::formats::outputs::OutputError;
use crate::formats::rate_model::ModelError;
use crate::formats::recording::RecordingError;
use crate::formats::simulation_input::InputError;
use crate::formats::snn::SnnError;
use crate::import::ImportError;
use crate::interrupt;
use crate::print::console::PrintError;
use crate::quantize::QuantizeError;
use crate::rate::options::OptionError;
use crate::report::files::FindError;
use crate::report::picture::PictureError;
use crate::route::{RouteError, way_out};
use crate::session::SessionError;
use crate::spiking::simulation::DownsampleError;
use crate::spiking::stimulation::StimulationError;
use crate::spiking::time_step::StepError;
use crate::sweep::SweepError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A wrong option; exit status 2.
    #[error("{0}")]
    Usage(String),
    /// A file that cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A model that cannot be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A history that cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A figure that cannot become a PNG.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A blob that cannot be read.
    #[error(transparent)]
    Snn(#[from] SnnError),
    /// A folder of exported files that cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A firmware that cannot be read, or that its board cannot run.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    /// A bit stream that could not be made or written.
    #[error(transparent)]
    BitStream(#[from] BitStreamError),
    /// A probe that did not do what was asked.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A board that did not do what was asked.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// A network that cannot be converted.
    #[error("{path}: {source}")]
    Convert {
        /// The model.
        path: PathBuf,
        /// Why.
        source: ConvertError,
    },
    /// A converted network that cannot be quantized.
    #[error("{path}: {source}{}", way_out(.source))]
    Quantize {
        /// The model.
        path: PathBuf,
        /// Why.
        source: QuantizeError,
    },
    /// A network that cannot be exported.
    #[error("{path}: {source}")]
    Export {
        /// The model.
        path: PathBuf,
        /// Why.
        source: ExportError,
    },
    /// A file that is not a NIR graph.
    #[error("{path}: {source}")]
    Nir {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<NirError>,
    },
    /// A graph that is no network of ours.
    #[error("{path}: {source}")]
    Import {
        /// The graph.
        path: PathBuf,
        /// Why.
        source: ImportError,
    },
    /// A training that did not come to its end.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A sweep that cannot go on.
    #[error(transparent)]
    Sweep(SweepError),
    /// Standard output or standard error cannot be written.
    #[error(transparent)]
    Print(#[from] PrintError),
    /// Ctrl-C, SIGTERM or SIGHUP between two stages; exit status 130.
    #[error("interrupted: {0}")]
    Interrupted(String),
    /// The run went through and its result is not what was asked for.
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    /// 2 for wrong usage, 130 for a command that a signal ended, else 1.
    pub fn exit_status(&self) -> u8 {
        match self {
            CommandError::Usage(_)
            | CommandError::Model(
                ModelError::ChangedTask { .. }
                | ModelError::ForeignTask { .. }
                | ModelError::OtherTask { .. },
            )
            | CommandError::Snn(SnnError::OtherTask { .. })
            | CommandError::Session(
                SessionError::OtherStart { .. }
                | SessionError::CpuAlone(_)
                | SessionError::TooManyForGpu { .. },
            )
            | CommandError::Convert {
                source: ConvertError::Lambda(_),
                ..
            } => 2,
            CommandError::Interrupted(_)
            | CommandError::Session(
                SessionError::Interrupted { .. } | SessionError::NotBegun { .. },
            ) => interrupt::STATUS,
            _ => 1,
        }
    }
}

impl CommandError {
    /// A route that does not lead through, with the model that it began at.
    pub fn of_route(model: &Path, error: RouteError) -> Self {
        let path = model.to_path_buf();
        match error {
            RouteError::Step(error) => error.into(),
            RouteError::Convert(source) => Self::Convert { path, source },
            RouteError::Quantize { source } => Self::Quantize { path, source },
            RouteError::Calibrate(_) | RouteError::NoCandidate => {
                Self::Failed(format!("{}: {error}", path.display()))
            }
        }
    }
}

impl From<RecordingError> for CommandError {
    fn from(error: RecordingError) -> Self {
        match error {
            RecordingError::Extension { .. } => CommandError::Usage(error.to_string()),
            RecordingError::Output(error) => error.into(),
            RecordingError::Disk(error) => error.into(),
            _ => CommandError::Failed(error.to_string()),
        }
    }
}

impl From<SpikingModelError> for CommandError {
    fn from(error: SpikingModelError) -> Self {
        match error {
            SpikingModelError::Model(error) => error.into(),
            SpikingModelError::Convert { path, source } => Self::Convert { path, source },
            SpikingModelError::NoLambda { .. } => Self::Usage(error.to_string()),
        }
    }
}

impl From<InputError> for CommandError {
    fn from(error: InputError) -> Self {
        match error {
            InputError::Model(error) => error.into(),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<FindError> for CommandError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Disk(error) => error.into(),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<DownsampleError> for CommandError {
    fn from(error: DownsampleError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StimulationError> for CommandError {
    fn from(error: StimulationError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<PreparationError> for CommandError {
    fn from(error: PreparationError) -> Self {
        match error {
            PreparationError::Board(error) => error.into(),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<OptionError> for CommandError {
    fn from(error: OptionError) -> Self {
        CommandError::Usage(error.to_string())
    }
}

impl From<StepError> for CommandError {
    fn from(error: StepError) -> Self {
        CommandError::Usage(error.to_string())
    }
}

impl From<OutputError> for CommandError {
    fn from(error: OutputError) -> Self {
        CommandError::Usage(error.to_string())
    }
}
