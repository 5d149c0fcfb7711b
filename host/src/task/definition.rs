//! The parts of a task: one struct for the built-in tasks and for the user's own.

use std::sync::Arc;

use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;
use serde::{Serialize, Serializer};

use super::description::{Description, Part};
use super::spec::Spec;

/// Length of an input sample of the published tasks, and of a step of the
/// published rate network.
pub const SAMPLE_MS: f64 = 5.0;

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Input: channels × samples, channel by channel.
    pub input: Vec<f32>,
    /// The wanted output: outputs × samples, output by output.
    pub target: Vec<f32>,
    /// Weight of each value of the target in the loss: outputs × samples, output
    /// by output. `None`: all weigh the same.
    pub mask: Option<Vec<f32>>,
    /// The right answer, one of [`Definition::answers`].
    pub label: i16,
}

/// Samples of a trial that are left where every `every`-th one of `samples` is shown. The
/// published simulation shows one sample more than there are steps for.
pub fn kept_samples(samples: usize, every: usize) -> usize {
    (samples + 1).div_ceil(every) - 1
}

impl Trial {
    /// Every `every`-th of `samples` samples, and the target at the end of each of them.
    pub fn downsampled(self, samples: usize, every: usize) -> Self {
        if every == 1 {
            return self;
        }
        let kept = kept_samples(samples, every);
        let shown = |row: &[f32]| -> Vec<f32> {
            let row = row.iter().chain(row.last());
            row.step_by(every).copied().collect()
        };
        let ends = |row: &[f32]| -> Vec<f32> {
            (1..=kept).map(|sample| row[sample * every - 1]).collect()
        };
        let rows = |all: &[f32], of_row: &dyn Fn(&[f32]) -> Vec<f32>| {
            all.chunks_exact(samples).flat_map(of_row).collect()
        };
        Self {
            input: rows(&self.input, &shown),
            target: rows(&self.target, &ends),
            mask: self.mask.map(|mask| rows(&mask, &ends)),
            label: self.label,
        }
    }
}

/// The facts of a task that the stages use.
#[derive(Debug, Serialize)]
pub struct Definition {
    /// The name in commands, and in the names of model files.
    pub name: String,
    /// Number of input channels.
    pub channels: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// Number of samples of a trial.
    pub samples: usize,
    /// Length of a sample; a step of the rate network is as long.
    pub sample_ms: f64,
    /// The meaning of the output. The period of a rhythm is in samples.
    pub kind: Kind,
    /// First entry of the rate network's output that the published criterion
    /// looks at.
    pub rate_response: usize,
    /// Time at which the published criterion of the spiking network begins.
    pub response_ms: f64,
    /// Window of the strict criterion.
    pub mean_ms: (f64, f64),
    /// Sizes of the output that count as an answer.
    pub thresholds: Thresholds,
    /// The possible answers.
    pub answers: Vec<Answer>,
    /// Trials before which the criterion does not end a training.
    pub least_trials: usize,
    /// How a trial is drawn.
    pub draw: Draw,
}

/// Sizes of the output that count as an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Thresholds {
    /// Published criterion: an extreme above this is an answer. A rhythm swings
    /// beyond this on both sides.
    pub high: f64,
    /// Published criterion: without an answer, no extreme reaches this.
    pub low: f64,
    /// Strict criterion: a mean above this is an answer.
    pub mean_high: f64,
    /// Strict criterion: without an answer, the size of the mean stays below
    /// this.
    pub mean_low: f64,
}

impl Thresholds {
    /// An answer of Go-NoGo and no answer, as published; the strict criterion asks
    /// the mean for the same.
    pub const DETECTION: Thresholds = Thresholds {
        high: 0.7,
        low: 0.3,
        mean_high: 0.7,
        mean_low: 0.3,
    };

    /// An answer of xor and of mante, as published; the strict criterion asks the
    /// mean for 0.5.
    pub const SIGN: Thresholds = Thresholds {
        mean_high: 0.5,
        ..Thresholds::DETECTION
    };

    /// A swing to half of the sine's height on both sides; ours.
    pub const RHYTHM: Thresholds = Thresholds {
        high: 0.5,
        ..Thresholds::SIGN
    };
}

/// A possible answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The number of the answer in a trial.
    pub label: i16,
    /// The word for people.
    #[serde(skip)]
    pub name: String,
    /// The word in a model file, where the published code saves words instead of
    /// numbers.
    #[serde(skip)]
    pub published: Option<&'static str>,
}

impl Answer {
    /// An answer that a model file holds as its number.
    pub fn new(label: i16, name: &str) -> Self {
        Self {
            label,
            name: name.into(),
            published: None,
        }
    }
}

/// How a trial is drawn.
#[derive(Clone, Debug)]
pub enum Draw {
    /// A function draws it.
    Generator(fn(&Definition, &mut Pcg64) -> Trial),
    /// Pulses make it, which a file of the user describes.
    Pulses {
        /// The description.
        spec: Box<Spec>,
        /// The function that draws a trial of these pulses.
        draw: fn(&Spec, &Definition, &mut Pcg64) -> Trial,
    },
    /// A data set has it.
    Data(Box<Recorded>),
}

/// The recorded trials.
pub trait Trials: std::fmt::Debug + Send + Sync {
    /// The trial in this place of a part, as the task shows it.
    fn trial(&self, task: &Definition, part: Part, place: usize) -> Trial;

    /// The integers of the trial in this place of a part, which a board takes: samples ×
    /// channels, sample by sample.
    fn integers(&self, part: Part, place: usize) -> Vec<i32>;

    /// The same data set, with the parts that another seed draws and the scaling of
    /// the channels that belongs to them.
    fn seeded(&self, seed: u64) -> Recorded;

    /// What a user of the data set must know of it, in sentences.
    fn warnings(&self) -> Vec<String>;

    /// The same data set, with the parts, the scaling and the times of `description`.
    ///
    /// # Errors
    /// A sentence, if it is another data set.
    fn described(&self, description: &Description) -> Result<Recorded, String>;
}

/// A data set as the source of a task's trials.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// All but the trials.
    pub description: Description,
    /// The file or the folder, as it was given.
    pub path: String,
    /// The trials. `None` in a task that a model file describes, until its data set is
    /// opened.
    pub trials: Option<Arc<dyn Trials>>,
}

/// A function has no description; the task's other fields stand for it.
impl Serialize for Draw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Draw::Generator(_) => serializer.serialize_str("built in"),
            Draw::Pulses { spec, .. } => spec.serialize(serializer),
            Draw::Data(recorded) => recorded.description.serialize(serializer),
        }
    }
}

impl Definition {
    /// Input and target of a trial, all zero.
    pub fn blank(&self) -> (Vec<f32>, Vec<f32>) {
        (
            vec![0.0; self.channels * self.samples],
            vec![0.0; self.outputs * self.samples],
        )
    }

    /// The samples `range` of a channel, in the input of a trial.
    pub fn section<'a>(
        &self,
        input: &'a mut [f32],
        channel: usize,
        range: std::ops::Range<usize>,
    ) -> &'a mut [f32] {
        &mut input[channel * self.samples + range.start..channel * self.samples + range.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_downsampled_trial_has_every_kth_sample_and_the_target_at_its_end() {
        let trial = Trial {
            input: vec![
                0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0,
            ],
            target: vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
            mask: Some(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            label: 1,
        };
        assert_eq!(trial.clone().downsampled(6, 1), trial);
        let third = trial.downsampled(6, 3);
        // The last sample is shown for a moment.
        assert_eq!(third.input, [0.0, 3.0, 5.0, 10.0, 13.0, 15.0]);
        assert_eq!(third.target, [0.2, 0.5]);
        assert_eq!(third.mask, Some(vec![3.0, 6.0]));
        assert_eq!(
            [1, 3, 4, 7].map(|every| kept_samples(6, every)),
            [6, 2, 1, 0]
        );
    }
}
