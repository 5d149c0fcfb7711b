//! What a data set holds, for people and scripts.

use serde::Serialize;

use super::opened::Opened;
use super::parts;
use crate::task::description::{Goal, Part};

/// What a data set holds.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The path, as it was given.
    pub path: String,
    /// Hash of all numbers.
    pub hash: String,
    /// What a network is asked for.
    pub goal: Goal,
    /// Number of trials.
    pub trials: usize,
    /// Number of channels.
    pub channels: usize,
    /// Samples of the longest trial.
    pub samples: usize,
    /// Samples of the shortest trial.
    pub shortest: usize,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Number of outputs.
    pub outputs: usize,
    /// Length of a sample.
    pub sample_ms: f64,
    /// Trials for training, for choices, and for scores.
    pub parts: [usize; 3],
    /// True if the files say the part of each trial.
    pub parts_given: bool,
    /// The classes, with their trials.
    pub per_class: Vec<ClassSummary>,
    /// The channels, with their numbers.
    pub per_channel: Vec<ChannelSummary>,
    /// The recorded size of one in the integers that a board takes; `None` if the one that
    /// is given does not fit.
    pub resolution: Option<f64>,
    /// The inputs of a network, made of the channels.
    pub inputs: Vec<String>,
    /// Numbers that are missing, not a number, or infinite.
    pub not_finite: usize,
    /// All that is wrong.
    pub problems: Vec<String>,
}

/// A class and its trials.
#[derive(Clone, Debug, Serialize)]
pub struct ClassSummary {
    /// The name.
    pub name: String,
    /// Trials of the class, or in which it is a label.
    pub trials: usize,
    /// The same in each part.
    pub parts: [usize; 3],
}

/// A channel and its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelSummary {
    /// The name.
    pub name: String,
    /// The smallest number.
    pub least: f64,
    /// The largest number.
    pub most: f64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

impl Opened {
    /// What the data set holds, with the parts that `seed` draws.
    pub fn summary(&self, seed: u64) -> Summary {
        let set = &*self.set;
        let parts = parts::parts(set, seed);
        let mut per_class: Vec<ClassSummary> = set
            .classes
            .iter()
            .map(|name| ClassSummary {
                name: name.clone(),
                trials: 0,
                parts: [0; 3],
            })
            .collect();
        for part in Part::ALL {
            for &trial in parts.of(part) {
                for class in set.classes_in(trial as usize) {
                    if let Some(class) = per_class.get_mut(class as usize) {
                        class.trials += 1;
                        class.parts[part as usize] += 1;
                    }
                }
            }
        }
        let channel = |(k, name): (usize, &String)| {
            let moments = self.moments(k, 0..set.trials() as u32);
            ChannelSummary {
                name: name.clone(),
                least: moments.least,
                most: moments.most,
                mean: moments.mean,
                deviation: moments.deviation(),
            }
        };
        let problems = self.problems(seed);
        let features = self.settings.features(&set.channels).unwrap_or_default();
        Summary {
            resolution: self.resolution(&parts).ok(),
            inputs: features.into_iter().map(|(name, _)| name).collect(),
            path: set.path.display().to_string(),
            hash: self.hash(),
            goal: set.goal(),
            trials: set.trials(),
            channels: set.channels.len(),
            samples: set.longest(),
            shortest: set.lengths.iter().copied().min().unwrap_or(0),
            classes: set.classes.clone(),
            outputs: set.outputs(),
            sample_ms: self.sample_ms(),
            parts: parts.counts(),
            parts_given: set.split.is_some(),
            per_class,
            per_channel: set.channels.iter().enumerate().map(channel).collect(),
            not_finite: self.survey.not_finite,
            problems: problems.iter().map(ToString::to_string).collect(),
        }
    }
}
