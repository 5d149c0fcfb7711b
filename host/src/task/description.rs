//! The description of a data set: all that a model file keeps of it.

use rate2spike_core::decision::{Kind, MOST_OUTPUTS};
use rate2spike_core::network::MOST_INPUTS;
use rate2spike_core::preprocessing::MOST_VALUES;
use serde::{Deserialize, Serialize};

use super::preprocessing::{self, Input};

/// Longest trial with its tail, in samples.
pub const LONGEST: usize = 20_000;

/// Shortest and longest sample, ms. A sample is a whole number of ms, so that each
/// usual time step divides it.
pub const SAMPLES_MS: (f64, f64) = (1.0, 100.0);

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Trials that a network is trained on.
    Train,
    /// Trials by which a training stops, and by which anything is chosen.
    Validation,
    /// Trials of the scores.
    Test,
}

impl Part {
    /// All parts, in the order of their numbers.
    pub const ALL: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

    /// The word for people and files.
    pub fn name(self) -> &'static str {
        ["train", "validation", "test"][self as usize]
    }
}

/// What a network is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// The class of the trial.
    Class,
    /// A class in each sample.
    Label,
    /// Outputs that follow a target.
    Track,
}

impl Goal {
    /// The meaning of the outputs.
    pub fn kind(self) -> Kind {
        match self {
            Goal::Class => Kind::Class,
            Goal::Label => Kind::Label,
            Goal::Track => Kind::Track,
        }
    }
}

/// A recorded channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The name.
    pub name: String,
    /// The integer of a sample without a recording.
    pub silence: i32,
}

/// All that a model file keeps of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The name of the task.
    pub name: String,
    /// Hash of all recorded numbers, 16 hexadecimal digits.
    pub hash: String,
    /// What a network is asked for.
    pub goal: Goal,
    /// The names of the classes; empty for [`Goal::Track`].
    pub classes: Vec<String>,
    /// Number of outputs.
    pub outputs: usize,
    /// The recorded channels.
    pub channels: Vec<Channel>,
    /// The recorded size of one in the integers that a board takes.
    pub resolution: f64,
    /// The inputs of the network, made from the integers of the channels.
    pub inputs: Vec<Input>,
    /// Length of a sample of the network.
    pub sample_ms: f64,
    /// The samples of the network for which a recorded one is held.
    pub hold: usize,
    /// Samples of the longest recording, as they are held.
    pub recorded: usize,
    /// Samples of silence after a recording.
    pub tail: usize,
    /// First sample of the decision window, and the sample after its last.
    pub window: (usize, usize),
    /// The seed by which the parts were drawn.
    pub seed: u64,
    /// Trials for training, for choices, and for scores.
    pub parts: [usize; 3],
}

impl Description {
    /// Checks each number.
    ///
    /// # Errors
    /// A sentence, if one is out of range.
    pub(super) fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                return Ok(());
            }
            Err(format!(
                "data set {}: {name} = {value}; give {least} to {most}",
                self.name
            ))
        };
        within("channels", self.channels.len(), 1, MOST_VALUES)?;
        within("inputs", self.inputs.len(), 1, MOST_INPUTS)?;
        within("outputs", self.outputs, 1, MOST_OUTPUTS)?;
        within("hold", self.hold, 1, self.recorded.max(1))?;
        within(
            "samples",
            self.recorded.saturating_add(self.tail),
            2,
            LONGEST,
        )?;
        within(
            "end of the window",
            self.window.1,
            1,
            self.recorded + self.tail,
        )?;
        within("start of the window", self.window.0, 0, self.window.1 - 1)?;
        if self.goal != Goal::Track {
            within("classes", self.classes.len(), self.outputs, self.outputs)?;
        }
        check_sample(self.sample_ms).map_err(|why| format!("data set {}: {why}", self.name))?;
        let named = |why| format!("data set {}: {why}", self.name);
        if !(self.resolution > 0.0 && self.resolution.is_finite()) {
            return Err(named(format!(
                "resolution = {}; give a number above 0",
                self.resolution
            )));
        }
        self.preprocessing().map(|_| ()).map_err(named)
    }

    /// The bytes of the chain from the integers of the channels to the inputs.
    ///
    /// # Errors
    /// A sentence, if the chain has no room for the features.
    pub fn preprocessing(&self) -> Result<Vec<u8>, String> {
        preprocessing::bytes(self.channels.len(), &self.inputs, self.sample_ms)
    }
}

/// Checks the length of a sample.
///
/// # Errors
/// A sentence.
pub fn check_sample(sample_ms: f64) -> Result<(), String> {
    let (least, most) = SAMPLES_MS;
    if (least..=most).contains(&sample_ms) && sample_ms.fract() == 0.0 {
        return Ok(());
    }
    Err(format!(
        "sample_ms = {sample_ms}; give a whole number of ms, {least} to {most}"
    ))
}
