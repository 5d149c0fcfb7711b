//! What a network is told of a data set, and its trials.

use std::sync::Arc;

use rate2spike_core::preprocessing::{Chain, ChainState};
use rayon::prelude::*;

use super::DataError;
use super::opened::{Opened, name};
use super::parts::{self, Parts};
use super::set::{Answers, Moments};
use super::settings::{Scaling, Settings};
use crate::task::description::{Channel, Description, Goal, LONGEST, Part};
use crate::task::preprocessing::{self, Feature, Input};
use crate::task::{Definition, Recorded, Trial, Trials};

/// Silence after a recording in which its class is read, where none is asked for.
const TAIL_MS: f64 = 100.0;

/// Samples of a recording beyond which its class is read in the whole trial: a network does
/// not keep until the tail what it saw so long before (docs/experiments.md).
const MANY_SAMPLES: usize = 100;

/// Integers in a standard deviation of a channel whose recorded numbers are not whole.
const STEPS_OF_DEVIATION: f64 = 8192.0;

/// Largest integer that a recorded number becomes in the training part where no
/// resolution is given; others have room up to 32 bits.
const LARGEST_INTEGER: f64 = 268_435_456.0;

/// Size of a step of a logarithm.
const LOG_STEP: f64 = 1.0 / 4096.0;

/// The times of a trial, in samples of the network.
pub(super) struct Times {
    pub(super) sample_ms: f64,
    pub(super) hold: usize,
    pub(super) recorded: usize,
    pub(super) tail: usize,
    pub(super) window: (usize, usize),
}

impl Opened {
    /// The times that the settings ask for.
    pub(super) fn times(&self, parts: &Parts) -> Result<Times, String> {
        crate::task::description::check_sample(self.sample_ms())?;
        let hold = self.hold();
        let sample_ms = self.sample_ms() / hold as f64;
        let goal = self.set.goal();
        let recorded = self.set.longest() * hold;
        let samples = |name, ms: Option<f64>, most| {
            let samples = ms.map(|ms| Settings::samples((name, ms), sample_ms, most));
            samples.transpose()
        };
        let most = LONGEST.saturating_sub(recorded);
        let tail = match (samples("tail_ms", self.settings.tail_ms, most)?, goal) {
            (Some(tail), Goal::Class) => tail,
            (None, Goal::Class) => (TAIL_MS / sample_ms).ceil() as usize,
            // The rate network has no output in its last sample.
            (tail, Goal::Label | Goal::Track) => tail.unwrap_or(1).max(1),
        };
        let end = match goal {
            Goal::Class => recorded + tail,
            Goal::Label | Goal::Track => recorded,
        };
        let usual = match goal {
            Goal::Class if self.set.longest() > MANY_SAMPLES => end,
            Goal::Class if tail > 0 => tail,
            Goal::Class => (TAIL_MS / sample_ms).ceil() as usize,
            Goal::Label => self.last_labels(parts) * hold,
            Goal::Track => recorded,
        };
        let window = samples("window_ms", self.settings.window_ms, usize::MAX)?;
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
            hold,
            recorded,
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

    /// The recorded size of one in the integers that a board takes.
    pub(super) fn resolution(&self, parts: &Parts) -> Result<f64, String> {
        let channels = 0..self.set.channels.len();
        let train = channels.map(|k| self.moments(k, parts.of(Part::Train).iter().copied()));
        let (mut least_deviation, mut largest) = (f64::INFINITY, 0f64);
        for moments in train {
            largest = largest.max(moments.least.abs()).max(moments.most.abs());
            if moments.deviation() > 0.0 {
                least_deviation = least_deviation.min(moments.deviation());
            }
        }
        let (limit, usual) = (
            f64::from(i32::MAX),
            self.usual_resolution(least_deviation, largest),
        );
        match self.settings.resolution {
            None if largest / usual > limit => Err(format!(
                "the recorded number {largest} is too large for the integers of a board; divide the recorded numbers by a power of ten"
            )),
            None => Ok(usual),
            Some(given) if !(given > 0.0 && given.is_finite()) => {
                Err(format!("resolution = {given}; give a number above 0"))
            }
            Some(given) if largest / given > limit => Err(format!(
                "resolution = {given}: the recorded number {largest} becomes larger than 32 bits; give at least {}",
                largest / limit
            )),
            Some(given) => Ok(given),
        }
    }

    /// The channels from which the network learns nothing: constant ones, and those whose
    /// signal is lost when their numbers become integers.
    pub(super) fn silent_channels(&self, parts: &Parts) -> Vec<String> {
        let channels = &self.set.channels;
        let (Ok(resolution), Ok(features)) =
            (self.resolution(parts), self.settings.features(channels))
        else {
            return Vec::new();
        };
        let train = parts.of(Part::Train);
        let fault = |k: usize| {
            let name = &channels[k];
            let moments = self.moments(k, train.iter().copied());
            let deviation = moments.deviation();
            if moments.count == 0.0 {
                return None;
            }
            if moments.least == moments.most {
                return Some(format!(
                    "{name} has the same number, {}, in the whole training part, from which a network learns nothing; leave it out, or name the others with inputs",
                    moments.least
                ));
            }
            if resolution <= deviation / 4.0 || self.is_exact(k, resolution, train) {
                return None;
            }
            let way = match self.settings.resolution {
                Some(_) => format!("give a resolution of at most {}", deviation / 4.0),
                None => "subtract the mean of the channel, and divide by its deviation".into(),
            };
            Some(format!(
                "resolution = {resolution} removes the signal of {name}, whose deviation over the training part is {deviation}: the network would see a constant; {way}"
            ))
        };
        let used = |k: &usize| {
            features
                .iter()
                .any(|(_, feature)| feature.channels().contains(k))
        };
        (0..channels.len()).filter(used).filter_map(fault).collect()
    }

    /// Whether each number of a channel in these trials is a multiple of the resolution.
    fn is_exact(&self, channel: usize, resolution: f64, trials: &[u32]) -> bool {
        trials.iter().all(|&trial| {
            let trial = trial as usize;
            let mut samples = 0..self.set.lengths[trial];
            samples.all(|t| (self.set.inputs.at(trial, t, channel) / resolution).fract() == 0.0)
        })
    }

    /// One for whole numbers. For others, a power of two that is fine against the channel
    /// with the smallest deviation, as far as the largest number still has 32 bits.
    fn usual_resolution(&self, least_deviation: f64, largest: f64) -> f64 {
        if self.survey.whole {
            return 1.0;
        }
        let fine = (least_deviation.min(largest) / STEPS_OF_DEVIATION)
            .log2()
            .floor();
        let coarse = (largest / LARGEST_INTEGER).log2().ceil();
        fine.max(coarse).clamp(-100.0, 100.0).exp2()
    }

    /// All that a model keeps of the data set.
    pub(super) fn description(&self, seed: u64, parts: &Parts) -> Result<Description, DataError> {
        let set = &*self.set;
        let failed = |reason| DataError::Settings {
            path: set.path.clone(),
            reason,
        };
        let times = self.times(parts).map_err(failed)?;
        let resolution = self.resolution(parts).map_err(failed)?;
        let features = self.settings.features(&set.channels).map_err(failed)?;
        let scalings = self.settings.scalings(features.len()).map_err(failed)?;
        let channels: Vec<Channel> = set
            .channels
            .iter()
            .enumerate()
            .map(|(k, name)| {
                // A channel that is not scaled is silent at zero.
                let plain = features
                    .iter()
                    .zip(&scalings)
                    .any(|((_, feature), scaling)| {
                        *feature == Feature::Channel(k) && *scaling == Scaling::None
                    });
                let train = self.integer_moments(k, resolution, parts);
                Channel {
                    name: name.clone(),
                    silence: if plain { 0 } else { train.mean.round() as i32 },
                }
            })
            .collect();
        let moments = self.feature_moments(&features, resolution, &times, parts);
        let moments = moments.map_err(failed)?;
        let input = |(((name, of), scaling), moments): (((String, Feature), Scaling), Moments)| {
            let deviation = moments.deviation();
            let unit = match of {
                Feature::LogEnergy(_) => LOG_STEP,
                _ => resolution,
            };
            let (mean, size) = match scaling {
                Scaling::None => (0.0, unit),
                // A constant input stays one.
                Scaling::Standard if deviation == 0.0 => (moments.mean, unit),
                Scaling::Standard => (moments.mean, 1.0 / deviation),
            };
            Input::scaled(name, of, mean, size)
        };
        let inputs = features.into_iter().zip(scalings).zip(moments);
        Ok(Description {
            name: name(&set.path),
            hash: self.hash(),
            goal: set.goal(),
            classes: set.classes.clone(),
            outputs: set.outputs(),
            channels,
            resolution,
            inputs: inputs.map(input).collect(),
            sample_ms: times.sample_ms,
            hold: times.hold,
            recorded: times.recorded,
            tail: times.tail,
            window: times.window,
            seed,
            parts: parts.counts(),
        })
    }

    /// The moments of a channel in the training part, in integers.
    fn integer_moments(&self, channel: usize, resolution: f64, parts: &Parts) -> Moments {
        let train = self.moments(channel, parts.of(Part::Train).iter().copied());
        train.times(1.0 / resolution)
    }

    /// The moments of each feature in the training part, in integers.
    fn feature_moments(
        &self,
        features: &[(String, Feature)],
        resolution: f64,
        times: &Times,
        parts: &Parts,
    ) -> Result<Vec<Moments>, String> {
        let channels = self.set.channels.len();
        let train = parts.of(Part::Train);
        let is_channel = |(_, feature): &(String, Feature)| matches!(feature, Feature::Channel(_));
        if features.iter().all(is_channel) {
            let of_channel = |(_, feature): &(String, Feature)| {
                let Feature::Channel(k) = feature else {
                    return Moments::default();
                };
                self.integer_moments(*k, resolution, parts)
            };
            return Ok(features.iter().map(of_channel).collect());
        }
        let all: Vec<&Feature> = features.iter().map(|(_, feature)| feature).collect();
        for feature in &all {
            preprocessing::check(feature, channels)?;
        }
        let (operations, places) = preprocessing::computed(channels, &all, times.sample_ms)?;
        let bytes = preprocessing::written(&operations);
        let chain = Chain::read(channels, 0, &bytes)
            .map_err(|found| format!("inputs take {found} operations; leave some out"))?;
        let of_trial = |trial: &u32| {
            let mut state = ChainState::default();
            let mut moments = vec![Moments::default(); places.len()];
            for t in 0..self.set.lengths[*trial as usize] {
                let sample: Vec<i32> = (0..channels)
                    .map(|k| integer(self.set.inputs.at(*trial as usize, t, k), resolution))
                    .collect();
                for _ in 0..times.hold {
                    let table = chain.table(&mut state, &sample);
                    for (moments, place) in moments.iter_mut().zip(&places) {
                        moments.add(table[usize::from(*place)].into());
                    }
                }
            }
            moments
        };
        let of_trials: Vec<Vec<Moments>> = train.par_iter().map(of_trial).collect();
        let joined = |k: usize| {
            let each = of_trials.iter().map(|moments| moments[k]);
            each.fold(Moments::default(), |all, one| all.and(&one))
        };
        Ok((0..places.len()).map(joined).collect())
    }
}

/// The integer that a board takes for a recorded number.
fn integer(recorded: f64, resolution: f64) -> i32 {
    (recorded / resolution).round() as i32
}

/// The samples that a board takes for a recording of any length: each recorded sample is
/// held, and its numbers are integers. Both are samples × channels, sample by sample.
pub fn held(description: &Description, recorded: &[f32]) -> Vec<f32> {
    let channels = description.channels.len().max(1);
    recorded
        .chunks_exact(channels)
        .flat_map(|sample| std::iter::repeat_n(sample, description.hold))
        .flatten()
        .map(|&x| integer(x.into(), description.resolution) as f32)
        .collect()
}

/// The samples that a board takes for a recording that is shorter than a trial, as
/// training shows it: it ends where the longest recording of the data set ends,
/// with silence before it and behind it. One that is longer than that begins with its trial.
pub fn padded(description: &Description, recorded: &[f32]) -> Vec<f32> {
    let mut samples = held(description, recorded);
    let channels = description.channels.iter();
    let silence: Vec<f32> = channels.map(|channel| channel.silence as f32).collect();
    let held = samples.len() / silence.len().max(1);
    let before = description.recorded.saturating_sub(held);
    samples.splice(..0, silence.repeat(before));
    let trial = description.recorded + description.tail;
    samples.extend(silence.repeat(trial.saturating_sub(before + held)));
    samples
}

/// The integers that a board takes for a recording of `length` samples: samples × channels,
/// sample by sample. Each recorded sample is held. The recording ends where the longest one
/// ends; before it and in the tail there is silence. A recording longer than the longest one
/// is cut. `recorded` gives the number of a sample and a channel.
pub fn integers(
    description: &Description,
    length: usize,
    recorded: impl Fn(usize, usize) -> f64,
) -> Vec<i32> {
    let held = length.saturating_mul(description.hold);
    let start = description.recorded.saturating_sub(held);
    let mut integers = Vec::new();
    for t in 0..description.recorded + description.tail {
        let sample = t.checked_sub(start).map(|t| t / description.hold.max(1));
        let sample = sample.filter(|sample| t < description.recorded && *sample < length);
        let channels = description.channels.iter().enumerate();
        integers.extend(channels.map(|(k, channel)| match sample {
            Some(sample) => integer(recorded(sample, k), description.resolution),
            None => channel.silence,
        }));
    }
    integers
}

/// The input that a network sees of [`integers`]: inputs × samples, input by input. All
/// zero, if the description has no chain.
pub fn inputs(description: &Description, integers: &[i32]) -> Vec<f32> {
    let samples = description.recorded + description.tail;
    let channels = description.channels.len();
    let mut inputs = vec![0.0; description.inputs.len() * samples];
    let bytes = description.preprocessing().unwrap_or_default();
    let Ok(chain) = Chain::read(channels, description.inputs.len(), &bytes) else {
        return inputs;
    };
    let mut state = ChainState::default();
    for (t, sample) in integers.chunks_exact(channels.max(1)).enumerate() {
        for (k, u) in chain.apply(&mut state, sample).iter().enumerate() {
            inputs[k * samples + t] = u.to_num();
        }
    }
    inputs
}

/// The input that a network sees of a recording of `length` samples: its numbers as
/// integers, through the preprocessing.
pub fn shown(
    description: &Description,
    length: usize,
    recorded: impl Fn(usize, usize) -> f64,
) -> Vec<f32> {
    inputs(description, &integers(description, length, recorded))
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
        let (length, samples, hold) = (set.lengths[trial], task.samples, description.hold);
        let input = inputs(description, &self.integers(part, place));
        let start = description.recorded - length * hold;
        // The last of the samples that hold a recorded one.
        let last = |t: usize| start + t * hold + hold - 1;
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
                    let at = last(t);
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
                        let at = k * samples + last(t);
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

    fn integers(&self, part: Part, place: usize) -> Vec<i32> {
        let trial = self.parts.of(part)[place] as usize;
        let set = &*self.opened.set;
        let recorded = |t, k| set.inputs.at(trial, t, k);
        integers(&self.description, set.lengths[trial], recorded)
    }

    fn seeded(&self, seed: u64) -> Recorded {
        let parts = parts::parts(&self.opened.set, seed);
        let description = self.opened.description(seed, &parts);
        let description = description.expect("another draw of the parts has the same times");
        self.opened.recorded(description, parts)
    }

    fn warnings(&self) -> Vec<String> {
        self.opened.warnings(&self.parts)
    }

    fn described(&self, description: &Description) -> Result<Recorded, String> {
        let recorded = self.opened.again(description);
        recorded.map_err(|error| error.to_string())
    }
}
