//! A task of the user's own, from a TOML file:
//!
//! ```toml
//! name = "same-sign"
//! channels = 2
//! duration_ms = 1000
//!
//! [[pulse]]
//! channel = 1
//! onset_ms = 200
//! duration_ms = 200
//! values = [1, -1]        # one of them in each trial
//!
//! [[pulse]]
//! channel = 2
//! onset_ms = 450
//! duration_ms = 200
//! values = [1, -1]
//! noise = 0.1             # standard deviation of each sample, 0 if left out
//!
//! [target]
//! rule = "product"        # the label: sign of the values' product; or "sum", "any"
//! onset_ms = 700
//! duration_ms = 300
//!
//! [decision]              # may be left out
//! response_ms = 800       # where the published criterion begins
//! mean_ms = [800, 1000]   # window of the strict one
//! threshold = 0.5         # of the mean, in it
//! ```
//!
//! Times are whole samples of 5 ms. The label of "product" and "sum" is 1 or −1;
//! that of "any" is 1 if a value is not zero, else 0.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;
use serde::{Deserialize, Serialize};

use super::{Answer, Definition, Draw, SAMPLE_MS, Task, Thresholds, Trial};

/// Largest size of an input: the fixed-point network takes less than 8.
const LARGEST: f32 = 4.0;

/// Longest trial, in samples.
const LONGEST: usize = 4000;

/// Most combinations of the pulses' values: each is looked at once.
const MOST_COMBINATIONS: usize = 100_000;

/// A task as its file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    name: String,
    channels: usize,
    duration_ms: f64,
    #[serde(rename = "pulse")]
    pulses: Vec<Pulse>,
    target: Target,
    #[serde(default)]
    decision: Decision,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pulse {
    channel: usize,
    onset_ms: f64,
    duration_ms: f64,
    values: Vec<f32>,
    #[serde(default)]
    noise: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    rule: Rule,
    onset_ms: f64,
    duration_ms: f64,
}

/// How the label follows from the values of the pulses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rule {
    Product,
    Sum,
    Any,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    #[serde(skip_serializing_if = "Option::is_none")]
    response_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_ms: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
}

/// A value of a task that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// A name that is no part of a file's name.
    #[error("name = \"{0}\"; give letters, digits and hyphens, at most 32")]
    Name(String),
    /// The name of another task is in it, and models are told by it.
    #[error("name = \"{0}\" contains the name of the task {1}; give another one")]
    TakenName(String, String),
    /// A number out of range.
    #[error("{name} = {value}; give {wanted}")]
    Number {
        /// The field.
        name: String,
        /// Its value.
        value: f64,
        /// What it can be.
        wanted: &'static str,
    },
    /// A time between two samples.
    #[error("{name} = {value}; give a multiple of 5 ms, at most the trial's {most}")]
    Time {
        /// The field.
        name: String,
        /// Its value.
        value: f64,
        /// The trial's length.
        most: f64,
    },
    /// Nothing to draw from.
    #[error("{0} is empty; give the values that a trial can have")]
    NoValues(String),
    /// A label that is neither 1 nor −1.
    #[error(
        "rule \"{rule}\": the values {values:?} give 0, which is neither 1 nor -1; change the values, or take \"any\""
    )]
    NoSign {
        /// The rule.
        rule: &'static str,
        /// Values of the pulses.
        values: Vec<f32>,
    },
}

impl Spec {
    /// The task, checked.
    ///
    /// # Errors
    /// If a value makes no sense.
    pub fn task(self) -> Result<Task, SpecError> {
        Ok(Task::new(self.definition()?))
    }

    fn definition(self) -> Result<Definition, SpecError> {
        self.check_name()?;
        if !(1..=8).contains(&self.channels) {
            return Err(number("channels", self.channels as f64, "1 to 8"));
        }
        let samples = (self.duration_ms / SAMPLE_MS).round();
        if !(20.0..=LONGEST as f64).contains(&samples) {
            return Err(number("duration_ms", self.duration_ms, "100 to 20000"));
        }
        self.time("duration_ms", self.duration_ms)?;
        for (index, pulse) in self.pulses.iter().enumerate() {
            self.check_pulse(&format!("pulse {}", index + 1), pulse)?;
        }
        self.check_labels()?;
        let target = &self.target;
        let from = self.time("target.onset_ms", target.onset_ms)?;
        let to = self.time(
            "target.onset_ms + duration_ms",
            target.onset_ms + target.duration_ms,
        )?;
        if from >= to {
            return Err(number(
                "target.duration_ms",
                target.duration_ms,
                "at least 5",
            ));
        }
        let (kind, usual, answers) = match target.rule {
            Rule::Any => (
                Kind::Detection,
                Thresholds::DETECTION,
                [Answer::new(1, "yes"), Answer::new(0, "no")],
            ),
            Rule::Product | Rule::Sum => (
                Kind::Sign,
                Thresholds::SIGN,
                [Answer::new(1, "positive"), Answer::new(-1, "negative")],
            ),
        };
        let decision = &self.decision;
        let response_ms = decision.response_ms.unwrap_or(target.onset_ms);
        let response = self.time("decision.response_ms", response_ms)?;
        if response + 1 >= samples as usize {
            return Err(number(
                "decision.response_ms",
                response_ms,
                "a time before the end of the trial",
            ));
        }
        // By default the second half of the target.
        let end = target.onset_ms + target.duration_ms;
        let half = SAMPLE_MS * ((target.onset_ms + target.duration_ms / 2.0) / SAMPLE_MS).floor();
        let [mean_from, mean_to] = decision.mean_ms.unwrap_or([half, end]);
        self.time("decision.mean_ms[0]", mean_from)?;
        self.time("decision.mean_ms[1]", mean_to)?;
        if mean_from >= mean_to {
            return Err(number(
                "decision.mean_ms[0]",
                mean_from,
                "a time before decision.mean_ms[1]",
            ));
        }
        let threshold = decision.threshold.unwrap_or(usual.mean_high);
        if !(usual.mean_low..1.0).contains(&threshold) {
            return Err(number("decision.threshold", threshold, "0.3 to below 1"));
        }
        Ok(Definition {
            name: self.name.clone(),
            channels: self.channels,
            outputs: 1,
            samples: samples as usize,
            sample_ms: SAMPLE_MS,
            kind,
            rate_response: response,
            response_ms,
            mean_ms: (mean_from, mean_to),
            thresholds: Thresholds {
                mean_high: threshold,
                ..usual
            },
            answers: answers.into(),
            least_trials: 0,
            draw: Draw::Pulses(Box::new(self)),
        })
    }

    fn check_name(&self) -> Result<(), SpecError> {
        let usual = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.chars().all(usual) {
            return Err(SpecError::Name(self.name.clone()));
        }
        let lower = self.name.to_lowercase();
        match Task::built_in()
            .into_iter()
            .find(|task| lower.contains(task.name()))
        {
            Some(task) => Err(SpecError::TakenName(self.name.clone(), task.name().into())),
            None => Ok(()),
        }
    }

    fn check_pulse(&self, name: &str, pulse: &Pulse) -> Result<(), SpecError> {
        if !(1..=self.channels).contains(&pulse.channel) {
            let field = format!("{name}: channel");
            return Err(number(
                &field,
                pulse.channel as f64,
                "one of the channels, from 1",
            ));
        }
        let from = self.time(&format!("{name}: onset_ms"), pulse.onset_ms)?;
        let end = pulse.onset_ms + pulse.duration_ms;
        let to = self.time(&format!("{name}: onset_ms + duration_ms"), end)?;
        if from >= to {
            let field = format!("{name}: duration_ms");
            return Err(number(&field, pulse.duration_ms, "at least 5"));
        }
        if pulse.values.is_empty() {
            return Err(SpecError::NoValues(format!("{name}: values")));
        }
        let small = |value: &&f32| !(-LARGEST..=LARGEST).contains(*value);
        if let Some(value) = pulse.values.iter().find(small) {
            return Err(number(
                &format!("{name}: values"),
                f64::from(*value),
                "-4 to 4",
            ));
        }
        if !(0.0..=1.0).contains(&pulse.noise) {
            return Err(number(
                &format!("{name}: noise"),
                f64::from(pulse.noise),
                "0 to 1",
            ));
        }
        Ok(())
    }

    /// No combination of values may have an undecided label.
    fn check_labels(&self) -> Result<(), SpecError> {
        let rule = match self.target.rule {
            Rule::Any => return Ok(()),
            Rule::Product => "product",
            Rule::Sum => "sum",
        };
        // Counted before they are made.
        let counts = self.pulses.iter().map(|pulse| pulse.values.len());
        let count = counts.fold(1usize, usize::saturating_mul);
        if count > MOST_COMBINATIONS {
            return Err(number(
                "combinations of the pulses' values",
                count as f64,
                "at most 100000: fewer pulses or values",
            ));
        }
        let mut combinations: Vec<Vec<f32>> = vec![Vec::new()];
        for pulse in &self.pulses {
            let longer = |so_far: &Vec<f32>| -> Vec<Vec<f32>> {
                let values = pulse.values.iter();
                values
                    .map(|value| [&so_far[..], &[*value]].concat())
                    .collect()
            };
            combinations = combinations.iter().flat_map(longer).collect();
        }
        match combinations
            .into_iter()
            .find(|values| self.label(values) == 0)
        {
            Some(values) => Err(SpecError::NoSign { rule, values }),
            None => Ok(()),
        }
    }

    fn time(&self, name: &str, ms: f64) -> Result<usize, SpecError> {
        let samples = (ms / SAMPLE_MS).round();
        let whole = (samples * SAMPLE_MS - ms).abs() < 1e-6;
        if whole && (0.0..=self.duration_ms).contains(&ms) {
            return Ok(samples as usize);
        }
        Err(SpecError::Time {
            name: name.into(),
            value: ms,
            most: self.duration_ms,
        })
    }

    fn label(&self, values: &[f32]) -> i8 {
        let sign = |x: f32| {
            if x > 0.0 {
                1
            } else if x < 0.0 {
                -1
            } else {
                0
            }
        };
        match self.target.rule {
            Rule::Product => values.iter().map(|value| sign(*value)).product(),
            Rule::Sum => sign(values.iter().sum()),
            Rule::Any => i8::from(values.iter().any(|value| *value != 0.0)),
        }
    }
}

fn number(name: &str, value: f64, wanted: &'static str) -> SpecError {
    SpecError::Number {
        name: name.into(),
        value,
        wanted,
    }
}

impl Spec {
    /// Draws a trial of `task`, whose pulses these are.
    pub(super) fn trial(&self, task: &Definition, random: &mut Pcg64) -> Trial {
        let (mut input, mut target) = task.blank();
        let range = |onset_ms: f64, duration_ms: f64| {
            let sample = |ms: f64| (ms / task.sample_ms).round() as usize;
            sample(onset_ms)..sample(onset_ms + duration_ms)
        };
        let mut values = Vec::with_capacity(self.pulses.len());
        for pulse in &self.pulses {
            let value = pulse.values[random.random_range(0..pulse.values.len())];
            values.push(value);
            let shown = range(pulse.onset_ms, pulse.duration_ms);
            for u in task.section(&mut input, pulse.channel - 1, shown) {
                let noise: f32 = if pulse.noise > 0.0 {
                    StandardNormal.sample(random)
                } else {
                    0.0
                };
                *u += value + pulse.noise * noise;
            }
        }
        let label = self.label(&values);
        target[range(self.target.onset_ms, self.target.duration_ms)].fill(label.into());
        Trial {
            input,
            target,
            label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const SAME_SIGN: &str = r#"
        name = "same-sign"
        channels = 2
        duration_ms = 1000
        [[pulse]]
        channel = 1
        onset_ms = 200
        duration_ms = 200
        values = [1, -1]
        [[pulse]]
        channel = 2
        onset_ms = 450
        duration_ms = 200
        values = [1, -1]
        [target]
        rule = "product"
        onset_ms = 700
        duration_ms = 300
    "#;

    fn spec(text: &str) -> Spec {
        toml::from_str(text).expect("a task")
    }

    #[test]
    fn a_trial_has_its_pulses_and_the_label_of_its_rule() {
        let task = spec(SAME_SIGN).task().expect("a task");
        assert_eq!(
            (task.name(), task.channels(), task.samples()),
            ("same-sign", 2, 200)
        );
        let mut random = Pcg64::seed_from_u64(1);
        let mut seen = Vec::new();
        for _ in 0..40 {
            let trial = task.trial(&mut random);
            let (first, second) = (trial.input[50], trial.input[200 + 100]);
            assert_eq!(
                (trial.input[39], trial.input[80], trial.input[200 + 89]),
                (0.0, 0.0, 0.0)
            );
            assert_eq!(f32::from(trial.label), first * second);
            assert_eq!(
                (trial.target[139], trial.target[140]),
                (0.0, first * second)
            );
            seen.push(trial.label);
        }
        assert!(seen.contains(&1) && seen.contains(&-1));
        // By default the mean is taken over the second half of the target.
        let rule = task.decision(5.0);
        assert_eq!(
            (rule.extremes.first, rule.mean.first, rule.mean.last),
            (140, 170, 200)
        );
    }

    #[test]
    fn any_is_a_detection_whose_label_is_one_or_zero() {
        let text = SAME_SIGN
            .replace("same-sign", "any-pulse")
            .replace("[1, -1]", "[0, 2]")
            .replace("product", "any");
        let task = spec(&text).task().expect("a task");
        assert_eq!(task.decision(0.1).kind, Kind::Detection);
        assert_eq!((task.label_name(1), task.label_name(0)), ("yes", "no"));
        let mut random = Pcg64::seed_from_u64(1);
        for _ in 0..40 {
            let trial = task.trial(&mut random);
            let shown = trial.input.contains(&2.0);
            assert_eq!(trial.label, i8::from(shown));
            assert_eq!(trial.target[199], f32::from(u8::from(shown)));
        }
    }

    #[test]
    fn the_same_file_is_the_same_task_and_goes_through_json() {
        let (one, two) = (spec(SAME_SIGN).task(), spec(SAME_SIGN).task());
        assert_eq!(one, two);
        let task = one.expect("a task");
        let text = serde_json::to_string(&task).expect("text");
        assert_eq!(serde_json::from_str::<Task>(&text).expect("a task"), task);
    }

    #[test]
    fn many_values_are_refused_before_they_are_combined() {
        let values = vec!["1"; 100_000].join(",");
        let text = SAME_SIGN.replace("values = [1, -1]", &format!("values = [{values}]"));
        let spec: Spec = toml::from_str(&text).expect("a TOML file");
        let error = spec.task().expect_err("10¹⁰ combinations").to_string();
        assert!(error.contains("at most 100000"), "{error}");
    }

    /// Bytes changed, cut out and doubled, and numbers of every size.
    #[test]
    fn a_changed_file_is_a_task_with_sound_trials_or_an_error() {
        let mut random = Pcg64::seed_from_u64(17);
        let numbers = [
            "0",
            "-1",
            "1e308",
            "nan",
            "inf",
            "1e-9",
            "99999999999999999999",
            "5",
        ];
        let (mut tasks, mut errors) = (0, 0);
        for _ in 0..4000 {
            let mut bytes = SAME_SIGN.as_bytes().to_vec();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..bytes.len());
                let end = (at + random.random_range(1..12)).min(bytes.len());
                match random.random_range(0..4) {
                    0 => bytes[at] ^= 1 << random.random_range(0..8),
                    1 => drop(bytes.drain(at..end)),
                    2 => {
                        let piece = bytes[at..end].to_vec();
                        bytes.splice(at..at, piece);
                    }
                    _ => {
                        let number = numbers[random.random_range(0..numbers.len())];
                        let digits = bytes.iter().skip(at).take_while(|b| b.is_ascii_digit());
                        let length = digits.count();
                        bytes.splice(at..at + length, number.bytes());
                    }
                }
            }
            let spec = toml::from_str::<Spec>(&String::from_utf8_lossy(&bytes));
            let Some(task) = spec.ok().and_then(|spec| spec.task().ok()) else {
                errors += 1;
                continue;
            };
            tasks += 1;
            let trial = task.trial(&mut random);
            assert_eq!(trial.input.len(), task.channels() * task.samples());
            assert_eq!(trial.target.len(), task.samples());
            assert!(trial.input.iter().all(|u| u.is_finite()));
            assert!((-1..=1).contains(&trial.label));
        }
        assert!(
            tasks > 100 && errors > 1000,
            "{tasks} tasks, {errors} errors"
        );
    }

    #[test]
    fn wrong_values_name_the_field_and_the_way_out() {
        for (from, to, part) in [
            ("same-sign", "xor-again", "name of the task xor"),
            ("same-sign", "a b", "hyphens"),
            ("channels = 2", "channels = 0", "channels = 0; give 1 to 8"),
            ("channels = 2", "channels = 1", "pulse 2: channel = 2"),
            ("onset_ms = 450", "onset_ms = 452", "multiple of 5 ms"),
            ("onset_ms = 700", "onset_ms = 900", "the trial's 1000"),
            (
                "values = [1, -1]",
                "values = []",
                "pulse 1: values is empty",
            ),
            ("values = [1, -1]", "values = [1, 0]", "give 0"),
            ("values = [1, -1]", "values = [9]", "-4 to 4"),
        ] {
            let error = spec(&SAME_SIGN.replace(from, to))
                .task()
                .expect_err(part)
                .to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
