//! What a data set does not say itself: flags, or a TOML file beside it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DataError;
use super::error::regular;
use crate::ending::ends_in;
use crate::task::description::check_sample;
use crate::task::preprocessing::Feature;
use crate::text::decoded;

/// A settings file with every field, for people: `rate2spike data --help` prints it.
pub const EXAMPLE: &str = r#"sample_ms = 20            # length of a recorded sample, whole ms, 1 to 100
scaling = "standard"      # "none", or a list with a word for each input
tail_ms = 100             # silence after a recording, in which the class is read
window_ms = 100           # the answer is the mean over the last 100 ms
classes = ["rest", "walk"]  # names, or for a folder the folders to take
time_column = "t"         # of each CSV: name or number of a column that is no input
resolution = 0.001        # recorded size of one in the integers that a board takes;
                          # 1 for whole numbers
# Inputs made of the channels, in place of all channels as they are:
inputs = ["x", { difference = "x" }, { low_pass = "x", ms = 200 },
          { high_pass = "x", ms = 200 }, { magnitude = ["x", "y"] },
          { log_energy = ["x", "y"] }]
"#;

/// The scaling of an input, fitted on the training part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// The input is the recorded number, or the feature, as it is.
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

/// One word for all inputs, or one for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "scaling is \"standard\", \"none\", or a list with one of them for each input"
)]
pub enum Scalings {
    /// All inputs.
    All(Scaling),
    /// Each input.
    Each(Vec<Scaling>),
}

/// A column of a CSV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a column is a name of the header, or a number from 1"
)]
pub enum Column {
    /// The number of the column, from 1.
    Number(usize),
    /// The name in the header.
    Name(String),
}

/// An input of the network, made of channels, which are named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum NamedFeature {
    /// See [`Feature::Channel`].
    Channel(String),
    /// See [`Feature::Difference`].
    Difference {
        /// The channel.
        difference: String,
    },
    /// See [`Feature::LowPass`].
    LowPass {
        /// The channel.
        low_pass: String,
        /// Time constant.
        ms: f64,
    },
    /// See [`Feature::HighPass`].
    HighPass {
        /// The channel.
        high_pass: String,
        /// Time constant.
        ms: f64,
    },
    /// See [`Feature::Magnitude`].
    Magnitude {
        /// The channels.
        magnitude: Vec<String>,
    },
    /// See [`Feature::LogEnergy`].
    LogEnergy {
        /// The channels.
        log_energy: Vec<String>,
    },
}

impl NamedFeature {
    /// The feature, and its name as an input, among channels of these names.
    fn found(&self, channels: &[String]) -> Result<(String, Feature), String> {
        let place = |name: &String| {
            let place = channels.iter().position(|channel| channel == name);
            place.ok_or_else(|| {
                format!(
                    "inputs: there is no channel {name}; the channels are {}",
                    channels.join(", ")
                )
            })
        };
        let group =
            |names: &[String]| -> Result<Vec<usize>, String> { names.iter().map(place).collect() };
        Ok(match self {
            Self::Channel(name) => (name.clone(), Feature::Channel(place(name)?)),
            Self::Difference { difference } => (
                format!("difference of {difference}"),
                Feature::Difference(place(difference)?),
            ),
            Self::LowPass { low_pass, ms } => (
                format!("low pass of {low_pass}"),
                Feature::LowPass {
                    channel: place(low_pass)?,
                    ms: *ms,
                },
            ),
            Self::HighPass { high_pass, ms } => (
                format!("high pass of {high_pass}"),
                Feature::HighPass {
                    channel: place(high_pass)?,
                    ms: *ms,
                },
            ),
            Self::Magnitude { magnitude } => (
                format!("magnitude of {}", magnitude.join(" ")),
                Feature::Magnitude(group(magnitude)?),
            ),
            Self::LogEnergy { log_energy } => (
                format!("energy of {}", log_energy.join(" ")),
                Feature::LogEnergy(group(log_energy)?),
            ),
        })
    }
}

/// What a data set does not say itself; what is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Length of a sample for the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_ms: Option<f64>,
    /// The scaling of the inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scalings>,
    /// Silence after a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail_ms: Option<f64>,
    /// Length of the decision window, which ends with the trial; in a data set with
    /// labels for each sample, with the recording. The usual one is the tail, or the whole trial
    /// of a long recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<f64>,
    /// The names of the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// A column of each CSV that is no input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_column: Option<Column>,
    /// The recorded size of one in the integers that a board takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<f64>,
    /// The inputs of the network; the channels as they are where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<NamedFeature>>,
}

impl Settings {
    /// The settings in the TOML file of the data set `path`, where there is one.
    ///
    /// # Errors
    /// [`DataError::Read`] or [`DataError::Settings`].
    pub fn beside(path: &Path) -> Result<Self, DataError> {
        let Some(file) = file_beside(path)? else {
            return Ok(Self::default());
        };
        regular(&file)?;
        let bytes = std::fs::read(&file).map_err(|source| DataError::read(&file, source))?;
        let failed = |reason: String| DataError::Settings {
            path: file.clone(),
            reason,
        };
        let text = decoded(&bytes).ok_or_else(|| {
            failed("settings are a text in UTF-8 or UTF-16 (TOML); write the file again".into())
        })?;
        toml::from_str(&text).map_err(|error| failed(error.to_string()))
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
            resolution: self.resolution.or(other.resolution),
            inputs: self.inputs.or(other.inputs),
        }
    }

    /// The name and the feature of each input, among channels of these names.
    pub(super) fn features(&self, channels: &[String]) -> Result<Vec<(String, Feature)>, String> {
        match &self.inputs {
            Some(inputs) if inputs.is_empty() => {
                Err("inputs is empty; name at least one channel".into())
            }
            Some(inputs) => inputs.iter().map(|input| input.found(channels)).collect(),
            None => {
                let named = channels.iter().zip(0..);
                Ok(named
                    .map(|(name, k)| (name.clone(), Feature::Channel(k)))
                    .collect())
            }
        }
    }

    /// The scaling of each of `inputs` inputs.
    pub(super) fn scalings(&self, inputs: usize) -> Result<Vec<Scaling>, String> {
        match &self.scaling {
            None => Ok(vec![Scaling::Standard; inputs]),
            Some(Scalings::All(scaling)) => Ok(vec![*scaling; inputs]),
            Some(Scalings::Each(scalings)) if scalings.len() == inputs => Ok(scalings.clone()),
            Some(Scalings::Each(scalings)) => Err(format!(
                "scaling has {} words, but there are {inputs} inputs; give one word for all, or one for each",
                scalings.len()
            )),
        }
    }

    /// The number of the network's samples, of `sample_ms` each and at most `most`, in `ms`.
    pub(super) fn samples(
        (name, ms): (&str, f64),
        sample_ms: f64,
        most: usize,
    ) -> Result<usize, String> {
        check_sample(sample_ms)?;
        let largest = most as f64 * sample_ms;
        if ms > largest {
            return Err(format!("{name} = {ms}; give at most {largest}"));
        }
        let samples = (ms / sample_ms).round();
        if ms >= 0.0 && (samples * sample_ms - ms).abs() < 1e-6 {
            return Ok(samples as usize);
        }
        Err(format!("{name} = {ms}; give a multiple of {sample_ms}"))
    }
}

/// The TOML file of the data set `path` that is there, however `.toml` is written; a link
/// to no file counts.
///
/// # Errors
/// [`DataError::Settings`], if two files differ only in this.
pub fn file_beside(path: &Path) -> Result<Option<PathBuf>, DataError> {
    let usual = file_of(path);
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let stem = stem(path);
    let is_settings = |name: &String| {
        let extension = name
            .strip_prefix(&stem)
            .and_then(|rest| rest.strip_prefix('.'));
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
    };
    let mut found: Vec<String> = match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(is_settings)
            .collect(),
        // A folder whose files may be read, and not listed.
        Err(_) => return Ok(usual.symlink_metadata().is_ok().then_some(usual)),
    };
    found.sort();
    match &found[..] {
        [] => Ok(None),
        [name] => Ok(Some(path.with_file_name(name))),
        [first, second, ..] => Err(DataError::Settings {
            path: path.with_file_name(first),
            reason: format!("the settings could also be those in {second}; remove one of them"),
        }),
    }
}

/// What is wrong with the names of classes or channels; `None` if each has its own.
pub(super) fn odd_name(names: &[String]) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    names.iter().zip(1..).find_map(|(name, number)| {
        if name.trim().is_empty() {
            return Some(format!("name {number} is empty; give each a name"));
        }
        let again = !seen.insert(name.as_str());
        again.then(|| format!("the name '{name}' is there twice; give each its own name"))
    })
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
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if ends_in(path, "npz") {
        stem.into_owned()
    } else if ends_in(path, "ts") {
        let parts = ["_TRAIN", "_TEST"].into_iter();
        let mut short = parts.filter_map(|part| stem.strip_suffix(part));
        short.next().unwrap_or(&stem).into()
    } else {
        name.into_owned()
    }
}
