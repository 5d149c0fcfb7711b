//! What a network is told of a data set, and its trials.

use std::sync::Arc;

use super::DataError;
use super::opened::{Opened, name};
use super::parts::{self, Parts};
use super::set::{Answers, Moments};
use super::settings::{Scaling, Settings};
use crate::task::description::{Channel, Description, Goal, Part};
use crate::task::{Definition, Recorded, Trial, Trials};

/// Silence after a recording in which its class is read, where none is asked for.
const TAIL_MS: f64 = 100.0;

/// Largest size of an input: a fixed-point network takes less than 8.
const LARGEST: f64 = 7.999;

/// The times of a trial, in samples.
pub(super) struct Times {
    pub(super) sample_ms: f64,
    pub(super) tail: usize,
    pub(super) window: (usize, usize),
}

impl Opened {
    /// The times that the settings ask for.
    pub(super) fn times(&self, parts: &Parts) -> Result<Times, String> {
        let sample_ms = self.sample_ms();
        let goal = self.set.goal();
        let samples = |name, ms: Option<f64>| {
            let samples = ms.map(|ms| Settings::samples(name, ms, sample_ms));
            samples.transpose()
        };
        crate::task::description::check_sample(sample_ms)?;
        let tail = match (samples("tail_ms", self.settings.tail_ms)?, goal) {
            (Some(tail), Goal::Class) => tail,
            (None, Goal::Class) => (TAIL_MS / sample_ms).ceil() as usize,
            // The rate network has no output in its last sample.
            (tail, Goal::Label | Goal::Track) => tail.unwrap_or(1).max(1),
        };
        let recorded = self.set.longest();
        let end = match goal {
            Goal::Class => recorded + tail,
            Goal::Label | Goal::Track => recorded,
        };
        let usual = match goal {
            Goal::Class if tail > 0 => tail,
            Goal::Class => (TAIL_MS / sample_ms).ceil() as usize,
            Goal::Label => self.last_labels(parts),
            Goal::Track => recorded,
        };
        let window = samples("window_ms", self.settings.window_ms)?;
        if let Some(window) = window.filter(|window| !(1..=end).contains(window)) {
            return Err(format!(
                "window_ms = {}; give {sample_ms} to {}",
                window as f64 * sample_ms,
                end as f64 * sample_ms
            ));
        }
        let window = window.unwrap_or(usual.min(end));
        Ok(Times {
            sample_ms,
            tail,
            window: (end - window, end),
        })
    }

    /// The samples at the end of a recording that have the same label in each training
    /// trial.
    fn last_labels(&self, parts: &Parts) -> usize {
        let Answers::Labels { labels, samples } = &self.set.answers else {
            return 1;
        };
        let run = |&trial: &u32| {
            let first = trial as usize * samples;
            let own = &labels[first..first + self.set.lengths[trial as usize]];
            own.iter()
                .rev()
                .take_while(|label| Some(*label) == own.last())
                .count()
        };
        let runs = parts.of(Part::Train).iter().map(run);
        runs.min().unwrap_or(1).max(1)
    }

    /// The numbers of a channel in these trials.
    pub(super) fn moments(&self, channel: usize, trials: impl Iterator<Item = u32>) -> Moments {
        let channels = self.set.channels.len();
        trials.fold(Moments::default(), |all, trial| {
            all.and(&self.survey.moments[trial as usize * channels + channel])
        })
    }

    /// All that a model keeps of the data set.
    pub(super) fn description(&self, seed: u64, parts: &Parts) -> Result<Description, DataError> {
        let set = &*self.set;
        let failed = |reason| DataError::Settings {
            path: set.path.clone(),
            reason,
        };
        let times = self.times(parts).map_err(failed)?;
        let scalings = self.settings.scalings(set.channels.len()).map_err(failed)?;
        let channel = |(k, (name, scaling)): (usize, (&String, Scaling))| {
            let train = self.moments(k, parts.of(Part::Train).iter().copied());
            let deviation = train.deviation();
            let (offset, scale) = match scaling {
                Scaling::None => (0.0, 1.0),
                // A constant channel stays one.
                Scaling::Standard if deviation == 0.0 => (train.mean, 1.0),
                Scaling::Standard => (train.mean, 1.0 / deviation),
            };
            Channel {
                name: name.clone(),
                offset,
                scale,
            }
        };
        let channels = set.channels.iter().zip(scalings).enumerate();
        Ok(Description {
            name: name(&set.path),
            hash: self.hash(),
            goal: set.goal(),
            classes: set.classes.clone(),
            outputs: set.outputs(),
            channels: channels.map(channel).collect(),
            sample_ms: times.sample_ms,
            recorded: set.longest(),
            tail: times.tail,
            window: times.window,
            seed,
            parts: parts.counts(),
        })
    }
}

/// The input that a network sees of a recording of `length` samples, at most those of the
/// longest one: each channel scaled, the recording's end where the longest one ends, and
/// the tail. Channels × samples, channel by channel. `recorded` gives the number of a
/// sample and a channel.
pub fn shown(
    description: &Description,
    length: usize,
    recorded: impl Fn(usize, usize) -> f64,
) -> Vec<f32> {
    let samples = description.recorded + description.tail;
    let start = description.recorded.saturating_sub(length);
    let mut input = vec![0.0; description.channels.len() * samples];
    let rows = input.chunks_exact_mut(samples).enumerate();
    for ((k, row), channel) in rows.zip(&description.channels) {
        for (t, u) in row[start..].iter_mut().take(length).enumerate() {
            let scaled = (recorded(t, k) - channel.offset) * channel.scale;
            *u = scaled.clamp(-LARGEST, LARGEST) as f32;
        }
    }
    input
}

/// The trials of a data set, with their parts and their scaling.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) opened: Opened,
    pub(super) description: Description,
    pub(super) parts: Parts,
}

impl Opened {
    /// The data set of `description`, with the trials of this one.
    pub(super) fn again(&self, description: &Description) -> Result<Recorded, DataError> {
        let found = self.hash();
        let parts = parts::parts(&self.set, description.seed);
        if found != description.hash || parts.counts() != description.parts {
            return Err(DataError::Changed {
                path: self.set.path.clone(),
                found,
                stored: description.hash.clone(),
            });
        }
        Ok(self.recorded(description.clone(), parts))
    }

    /// The data set with its trials drawn by `description`.
    pub(super) fn recorded(&self, description: Description, parts: Parts) -> Recorded {
        Recorded {
            path: self.set.path.display().to_string(),
            trials: Some(Arc::new(Drawn {
                opened: self.clone(),
                description: description.clone(),
                parts,
            })),
            description,
        }
    }
}

impl Trials for Drawn {
    fn trial(&self, task: &Definition, part: Part, place: usize) -> Trial {
        let trial = self.parts.of(part)[place] as usize;
        let set = &*self.opened.set;
        let description = &self.description;
        let (_, mut target) = task.blank();
        let (length, samples) = (set.lengths[trial], task.samples);
        let input = shown(description, length, |t, k| set.inputs.at(trial, t, k));
        let start = description.recorded - length;
        let mut mask = vec![0.0; target.len()];
        let (first, end) = description.window;
        match &set.answers {
            Answers::Classes(labels) => {
                for row in mask.chunks_exact_mut(samples) {
                    row[first..end].fill(1.0);
                }
                let own = labels[trial] as usize * samples;
                target[own + first..own + end].fill(1.0);
            }
            Answers::Labels {
                labels,
                samples: width,
            } => {
                for t in 0..length {
                    let label = labels[trial * width + t];
                    if label < 0 {
                        continue;
                    }
                    let at = start + t;
                    mask.iter_mut()
                        .skip(at)
                        .step_by(samples)
                        .for_each(|m| *m = 1.0);
                    target[label as usize * samples + at] = 1.0;
                }
            }
            Answers::Targets {
                targets,
                outputs,
                mask: weights,
            } => {
                for k in 0..*outputs {
                    for t in 0..length {
                        let weight = weights.as_ref().map_or(1.0, |w| w.at(trial, t, k)) as f32;
                        let at = k * samples + start + t;
                        mask[at] = weight;
                        // Without a weight there need not be a number.
                        if weight != 0.0 {
                            target[at] = targets.at(trial, t, k) as f32;
                        }
                    }
                }
            }
        }
        Trial {
            input,
            target,
            mask: Some(mask),
            label: set.class(trial),
        }
    }

    fn seeded(&self, seed: u64) -> Recorded {
        let parts = parts::parts(&self.opened.set, seed);
        let description = self.opened.description(seed, &parts);
        let description = description.expect("another draw of the parts has the same times");
        self.opened.recorded(description, parts)
    }

    fn described(&self, description: &Description) -> Result<Recorded, String> {
        let recorded = self.opened.again(description);
        recorded.map_err(|error| error.to_string())
    }
}
