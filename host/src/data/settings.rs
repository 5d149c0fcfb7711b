//! What a data set does not say itself: flags, or a TOML file beside it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DataError;
use crate::task::description::check_sample;

/// A settings file with every field, for people: `rate2spike data --help` prints it.
pub const EXAMPLE: &str = r#"sample_ms = 20            # length of a sample for the network, whole ms, 1 to 100; 5
scaling = "standard"      # "none", or a list with a word for each channel
tail_ms = 100             # silence after a recording, in which the class is read
window_ms = 100           # the answer is the mean over the last 100 ms
classes = ["rest", "walk"]  # names, or for a folder the folders to take
time_column = "t"         # of each CSV: name or number of a column that is no input
"#;

/// The scaling of a channel, fitted on the training part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// The recorded number is the input.
    None,
    /// Mean 0 and standard deviation 1.
    Standard,
}

impl std::str::FromStr for Scaling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "standard" => Ok(Self::Standard),
            _ => Err(format!("'{text}' is no scaling; give standard or none")),
        }
    }
}

/// One word for all channels, or one for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalings {
    /// All channels.
    All(Scaling),
    /// Each channel.
    Each(Vec<Scaling>),
}

/// A column of a CSV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// The number of the column, from 1.
    Number(usize),
    /// The name in the header.
    Name(String),
}

/// What a data set does not say itself; what is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Length of a sample for the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_ms: Option<f64>,
    /// The scaling of the channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scalings>,
    /// Silence after a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail_ms: Option<f64>,
    /// Length of the decision window, which ends with the trial; in a data set with
    /// labels for each sample, with the recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<f64>,
    /// The names of the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// A column of each CSV that is no input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_column: Option<Column>,
}

impl Settings {
    /// The settings in the TOML file of the data set `path`, where there is one.
    ///
    /// # Errors
    /// [`DataError::Read`] or [`DataError::Settings`].
    pub fn beside(path: &Path) -> Result<Self, DataError> {
        let file = file_of(path);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(source) => return Err(DataError::read(&file, source)),
        };
        toml::from_str(&text).map_err(|error| DataError::Settings {
            path: file,
            reason: error.to_string(),
        })
    }

    /// These settings, and those of `other` where these say nothing.
    pub fn or(self, other: Self) -> Self {
        Self {
            sample_ms: self.sample_ms.or(other.sample_ms),
            scaling: self.scaling.or(other.scaling),
            tail_ms: self.tail_ms.or(other.tail_ms),
            window_ms: self.window_ms.or(other.window_ms),
            classes: self.classes.or(other.classes),
            time_column: self.time_column.or(other.time_column),
        }
    }

    /// The scaling of each of `channels` channels.
    pub(super) fn scalings(&self, channels: usize) -> Result<Vec<Scaling>, String> {
        match &self.scaling {
            None => Ok(vec![Scaling::Standard; channels]),
            Some(Scalings::All(scaling)) => Ok(vec![*scaling; channels]),
            Some(Scalings::Each(scalings)) if scalings.len() == channels => Ok(scalings.clone()),
            Some(Scalings::Each(scalings)) => Err(format!(
                "scaling has {} words, but there are {channels} channels; give one word for all, or one for each",
                scalings.len()
            )),
        }
    }

    /// Samples of `ms`, in samples of `sample_ms`.
    pub(super) fn samples(name: &str, ms: f64, sample_ms: f64) -> Result<usize, String> {
        check_sample(sample_ms)?;
        let samples = (ms / sample_ms).round();
        if ms >= 0.0 && (samples * sample_ms - ms).abs() < 1e-6 && samples < 1e6 {
            return Ok(samples as usize);
        }
        Err(format!(
            "{name} = {ms}; give a multiple of sample_ms = {sample_ms}"
        ))
    }
}

/// The TOML file of a data set: `NAME.toml` for `NAME.npz`, for the folder `NAME`, and
/// for `NAME_TRAIN.ts` and `NAME_TEST.ts`.
pub fn file_of(path: &Path) -> PathBuf {
    let name = stem(path);
    path.with_file_name(format!("{name}.toml"))
}

/// The name of a data set: that of the file or the folder, without `.npz`, `_TRAIN.ts`
/// or `_TEST.ts`.
pub fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path
        .extension()
        .map(|extension| extension.to_ascii_lowercase());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match extension
        .as_deref()
        .and_then(|extension| extension.to_str())
    {
        Some("npz") => stem.into_owned(),
        Some("ts") => {
            let parts = ["_TRAIN", "_TEST"].into_iter();
            let mut short = parts.filter_map(|part| stem.strip_suffix(part));
            short.next().unwrap_or(&stem).into()
        }
        _ => name.into_owned(),
    }
}
