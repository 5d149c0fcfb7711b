//! A data set as its files have it, checked: numbers, answers, parts.

use std::path::PathBuf;

use rayon::prelude::*;

use super::DataError;
use super::array::Array;
use super::settings::Settings;
use crate::task::description::{Goal, Part};

/// The recorded numbers: trials × samples × channels.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    pub(super) array: Array,
    /// The place of each trial's first number.
    pub(super) first: Vec<usize>,
    /// Numbers from one sample to the next.
    pub(super) sample: usize,
    /// Numbers from one channel to the next.
    pub(super) channel: usize,
}

impl Inputs {
    /// The number of this trial, sample and channel.
    pub(super) fn at(&self, trial: usize, sample: usize, channel: usize) -> f64 {
        let place = self.first[trial] + sample * self.sample + channel * self.channel;
        self.array.at(place)
    }
}

/// The answers of a data set.
#[derive(Clone, Debug)]
pub(super) enum Answers {
    /// The class of each trial.
    Classes(Vec<i16>),
    /// The class in each sample, trials × samples of the longest; −1: no class.
    Labels { labels: Vec<i16>, samples: usize },
    /// Targets, trials × samples × outputs, and the weight of each in the loss.
    Targets {
        targets: Box<Inputs>,
        outputs: usize,
        mask: Option<Box<Inputs>>,
    },
}

/// The name of a trial in an error.
#[derive(Clone, Debug)]
pub(super) enum Names {
    /// Each trial has its number in the file at this path.
    Numbers(PathBuf),
    /// Each trial has the name of its file, or of its file and line.
    Each(Vec<String>),
}

/// A data set as its files have it.
#[derive(Clone, Debug)]
pub(super) struct DataSet {
    /// The path, as it was given.
    pub(super) path: PathBuf,
    pub(super) names: Names,
    pub(super) channels: Vec<String>,
    pub(super) classes: Vec<String>,
    pub(super) inputs: Inputs,
    /// Samples of each trial.
    pub(super) lengths: Vec<usize>,
    pub(super) answers: Answers,
    /// The part of each trial, where the files say it.
    pub(super) split: Option<Vec<Part>>,
    /// What the files say of the settings.
    pub(super) said: Settings,
    /// Warnings of the reader.
    pub(super) remarks: Vec<String>,
}

/// The numbers of one channel in one or more trials.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Number of numbers.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// Sum of the squares of their distances from the mean.
    pub squares: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Moments {
    /// Adds a number (Welford 1962, doi 10.1080/00401706.1962.10490022).
    pub(super) fn add(&mut self, x: f64) {
        if self.count == 0.0 {
            (self.least, self.most) = (x, x);
        }
        self.count += 1.0;
        let distance = x - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (x - self.mean);
        self.least = self.least.min(x);
        self.most = self.most.max(x);
    }

    /// The moments of these numbers and of those together.
    pub fn and(self, other: &Self) -> Self {
        if self.count == 0.0 || other.count == 0.0 {
            return if self.count == 0.0 { *other } else { self };
        }
        let count = self.count + other.count;
        let distance = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + distance * other.count / count,
            squares: self.squares
                + other.squares
                + distance * distance * self.count * other.count / count,
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }

    /// The moments of numbers that are `factor` times as large; `factor` is above 0.
    pub fn times(self, factor: f64) -> Self {
        Self {
            count: self.count,
            mean: self.mean * factor,
            squares: self.squares * factor * factor,
            least: self.least * factor,
            most: self.most * factor,
        }
    }

    /// The standard deviation.
    pub fn deviation(&self) -> f64 {
        (self.squares / self.count.max(1.0)).sqrt()
    }
}

/// What one look at all numbers finds.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    /// Hash of all numbers, answers and lengths.
    pub(super) hash: u64,
    /// Moments of each channel in each trial, trial by trial.
    pub(super) moments: Vec<Moments>,
    /// Sample, channel and value of the first number of a trial that is not finite.
    pub(super) odd: Vec<Option<(usize, usize, f64)>>,
    /// Numbers that are not finite.
    pub(super) not_finite: usize,
    /// Whether all numbers are whole and have 32 bits.
    pub(super) whole: bool,
}

/// FNV-1a over whole numbers of 64 bits.
fn hashed(hash: u64, bits: u64) -> u64 {
    (hash ^ bits)
        .wrapping_mul(0x0000_0100_0000_01b3)
        .rotate_left(23)
}

/// What one output is to do in one sample.
struct WeightedTarget {
    trial: usize,
    sample: usize,
    output: usize,
    value: f64,
    weight: f64,
}

/// The least and the largest number; `None` without a number.
pub(super) type Range = Option<(f64, f64)>;

/// The range of the numbers of both.
pub(super) fn joined(a: Range, b: Range) -> Range {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        _ => a.or(b),
    }
}

/// Largest target and largest weight of a target: a loss squares them in 32 bits.
const LARGEST_TARGET: f64 = 1e6;

/// Start of a hash.
const START: u64 = 0xcbf2_9ce4_8422_2325;

impl DataSet {
    pub(super) fn trials(&self) -> usize {
        self.lengths.len()
    }

    /// Samples of the longest trial.
    pub(super) fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }

    pub(super) fn goal(&self) -> Goal {
        match self.answers {
            Answers::Classes(_) => Goal::Class,
            Answers::Labels { .. } => Goal::Label,
            Answers::Targets { .. } => Goal::Track,
        }
    }

    pub(super) fn outputs(&self) -> usize {
        match &self.answers {
            Answers::Targets { outputs, .. } => *outputs,
            _ => self.classes.len(),
        }
    }

    /// File and trial, for an error.
    pub(super) fn place(&self, trial: usize) -> String {
        match &self.names {
            Names::Numbers(path) => format!("{}: trial {trial} (counted from 0)", path.display()),
            Names::Each(names) => names[trial].clone(),
        }
    }

    /// Looks at each number once.
    pub(super) fn survey(&self) -> Survey {
        let channels = self.channels.len();
        let looks: Vec<_> = (0..self.trials())
            .into_par_iter()
            .map(|trial| {
                let mut hash = hashed(START, self.lengths[trial] as u64);
                let mut moments = vec![Moments::default(); channels];
                let (mut odd, mut not_finite, mut whole) = (None, 0, true);
                for t in 0..self.lengths[trial] {
                    for (k, moments) in moments.iter_mut().enumerate() {
                        let x = self.inputs.at(trial, t, k);
                        hash = hashed(hash, x.to_bits());
                        if x.is_finite() {
                            whole &= x.fract() == 0.0 && x.abs() <= f64::from(i32::MAX);
                            moments.add(x);
                        } else {
                            odd = odd.or(Some((t, k, x)));
                            not_finite += 1;
                        }
                    }
                }
                hash = self.hash_answer(hash, trial);
                (hash, moments, odd, not_finite, whole)
            })
            .collect();
        let mut survey = Survey {
            hash: hashed(hashed(START, channels as u64), self.outputs() as u64),
            moments: Vec::with_capacity(looks.len() * channels),
            odd: Vec::with_capacity(looks.len()),
            not_finite: 0,
            whole: true,
        };
        for (hash, moments, odd, not_finite, whole) in looks {
            survey.whole &= whole;
            survey.hash = hashed(survey.hash, hash);
            survey.moments.extend(moments);
            survey.odd.push(odd);
            survey.not_finite += not_finite;
        }
        survey
    }

    fn hash_answer(&self, mut hash: u64, trial: usize) -> u64 {
        let length = self.lengths[trial];
        match &self.answers {
            Answers::Classes(labels) => hash = hashed(hash, labels[trial] as u64),
            Answers::Labels { labels, samples } => {
                for label in &labels[trial * samples..trial * samples + length] {
                    hash = hashed(hash, *label as u64);
                }
            }
            Answers::Targets {
                targets,
                outputs,
                mask,
            } => {
                for numbers in [Some(targets), mask.as_ref()].into_iter().flatten() {
                    for (t, k) in (0..length).flat_map(|t| (0..*outputs).map(move |k| (t, k))) {
                        hash = hashed(hash, numbers.at(trial, t, k).to_bits());
                    }
                }
            }
        }
        match &self.split {
            Some(split) => hashed(hash, split[trial] as u64),
            None => hash,
        }
    }

    /// The class by which trials are counted and parts are drawn; 0 for targets. With
    /// labels for each sample it is the last one.
    pub(super) fn class(&self, trial: usize) -> i16 {
        match &self.answers {
            Answers::Classes(labels) => labels[trial],
            Answers::Labels { labels, samples } => {
                let own = &labels[trial * samples..trial * samples + self.lengths[trial]];
                own.iter()
                    .rev()
                    .find(|label| **label >= 0)
                    .map_or(0, |label| *label)
            }
            Answers::Targets { .. } => 0,
        }
    }

    /// The classes in this trial.
    pub(super) fn classes_in(&self, trial: usize) -> Vec<i16> {
        match &self.answers {
            Answers::Classes(labels) => vec![labels[trial]],
            Answers::Labels { labels, samples } => {
                let own = &labels[trial * samples..trial * samples + self.lengths[trial]];
                let mut found: Vec<i16> = own.iter().copied().filter(|label| *label >= 0).collect();
                found.sort_unstable();
                found.dedup();
                found
            }
            Answers::Targets { .. } => Vec::new(),
        }
    }

    /// Each target of these trials, with its weight; nothing without targets.
    fn targets(&self, trials: impl Iterator<Item = usize>) -> impl Iterator<Item = WeightedTarget> {
        let answers = match &self.answers {
            Answers::Targets {
                targets,
                outputs,
                mask,
            } => Some((targets, *outputs, mask)),
            _ => None,
        };
        let of_trial = move |trial| {
            answers
                .into_iter()
                .flat_map(move |(targets, outputs, mask)| {
                    let places = 0..self.lengths[trial] * outputs;
                    places.map(move |place| {
                        let (sample, output) = (place / outputs, place % outputs);
                        WeightedTarget {
                            trial,
                            sample,
                            output,
                            value: targets.at(trial, sample, output),
                            weight: mask
                                .as_ref()
                                .map_or(1.0, |mask| mask.at(trial, sample, output)),
                        }
                    })
                })
        };
        trials.flat_map(of_trial)
    }

    /// The first target or weight of a target that is no number, or too large.
    pub(super) fn odd_target(&self) -> Option<DataError> {
        self.targets(0..self.trials()).find_map(|target| {
            let WeightedTarget { value, weight, .. } = target;
            let (name, value, wanted) = match (value.is_finite(), weight) {
                (false, weight) if weight != 0.0 => {
                    ("targets", value, "give a number, or a mask of 0 there")
                }
                (_, weight) if !(0.0..=LARGEST_TARGET).contains(&weight) => {
                    ("mask", weight, "give a weight, 0 to 1000000")
                }
                (true, weight) if weight != 0.0 && value.abs() > LARGEST_TARGET => (
                    "targets",
                    value,
                    "give numbers of at most 1000000; divide the targets by their standard deviation",
                ),
                _ => return None,
            };
            Some(DataError::Value {
                place: self.place(target.trial),
                what: format!("{name} of output {} in sample {}", target.output, target.sample),
                value: value.to_string(),
                wanted: wanted.into(),
            })
        })
    }

    /// The smallest and the largest target with a weight of each output in these trials;
    /// `None` for an output without one. Empty without targets.
    pub(super) fn target_ranges(&self, trials: &[u32]) -> Vec<Range> {
        let outputs = match &self.answers {
            Answers::Targets { outputs, .. } => *outputs,
            _ => 0,
        };
        let mut ranges: Vec<Range> = vec![None; outputs];
        let targets = self.targets(trials.iter().map(|&trial| trial as usize));
        for target in targets.filter(|target| target.weight != 0.0) {
            let range = &mut ranges[target.output];
            *range = joined(*range, Some((target.value, target.value)));
        }
        ranges
    }
}
