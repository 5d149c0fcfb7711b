//! A task made of pulses, from the description in a [`Spec`]: its checks, and its trials.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use super::definition::{Answer, Definition, Draw, SAMPLE_MS, Thresholds, Trial};
use super::handle::Task;
pub use super::spec::{EXAMPLE, Spec};
use super::spec::{Pulse, Rule};

/// Largest size of an input, summed over the pulses that overlap. The fixed-point
/// network takes less than 8: four standard deviations of the noise have room.
const LARGEST: f32 = 4.0;

/// Largest standard deviation of the noise, of all pulses that overlap together.
const LARGEST_NOISE: f64 = 1.0;

/// Part of the sum of the sizes below which a sum of values is rounding error and
/// counts as 0. Single precision has seven digits.
const ROUNDING: f64 = 1e-6;

/// Longest trial, in samples.
const LONGEST: usize = 4000;

/// Most combinations of the pulses' values: each is looked at once.
const MOST_COMBINATIONS: usize = 100_000;

/// A value of a task that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// A name that is no part of a file's name.
    #[error("name = \"{0}\"; give letters, digits and hyphens, at most 32")]
    Name(String),
    /// The name of a built-in task.
    #[error("name = \"{0}\" is the name of a built-in task; give another one")]
    TakenName(String),
    /// A number out of range.
    #[error("{name} = {value}; give {wanted}")]
    Number {
        /// The field.
        name: String,
        /// The value of the field.
        value: f64,
        /// The values that are possible.
        wanted: &'static str,
    },
    /// A time between two samples.
    #[error("{name} = {value}; give a multiple of 5 ms, at most the trial's {most}")]
    Time {
        /// The field.
        name: String,
        /// The value of the field.
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
    /// Every trial has the same label.
    #[error(
        "the label of rule \"{rule}\" is {label} in every trial, so that an accuracy would say nothing; give values that lead to both labels"
    )]
    OneAnswer {
        /// The rule.
        rule: &'static str,
        /// The only label.
        label: i16,
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
        self.check_overlaps(samples as usize)?;
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
        // Without a window the mean is taken over the second half of the target.
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
            draw: Draw::Pulses {
                spec: Box::new(self),
                draw: Spec::trial,
            },
        })
    }

    fn check_name(&self) -> Result<(), SpecError> {
        let usual = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.chars().all(usual) {
            return Err(SpecError::Name(self.name.clone()));
        }
        match Task::from_name(&self.name) {
            Some(_) => Err(SpecError::TakenName(self.name.clone())),
            None => Ok(()),
        }
    }

    fn check_pulse(&self, name: &str, pulse: &Pulse) -> Result<(), SpecError> {
        if !(1..=self.channels).contains(&pulse.channel) {
            let field = format!("{name}: channel");
            return Err(number(
                &field,
                pulse.channel as f64,
                "1 or more, and at most `channels`, the number of inputs",
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
        if !(0.0..=LARGEST_NOISE).contains(&f64::from(pulse.noise)) {
            return Err(number(
                &format!("{name}: noise"),
                f64::from(pulse.noise),
                "0 to 1",
            ));
        }
        Ok(())
    }

    /// Where pulses of a channel overlap, their sum has the range of one pulse.
    fn check_overlaps(&self, samples: usize) -> Result<(), SpecError> {
        /// What begins and ends at a sample: largest and smallest sum, and variance.
        #[derive(Clone, Copy, Default)]
        struct Change {
            high: f64,
            low: f64,
            variance: f64,
        }
        let sample = |ms: f64| (ms / SAMPLE_MS).round() as usize;
        let largest = f64::from(LARGEST);
        for channel in 1..=self.channels {
            let mut changes = vec![Change::default(); samples + 1];
            for pulse in self.pulses.iter().filter(|pulse| pulse.channel == channel) {
                let values = || pulse.values.iter().map(|&value| f64::from(value));
                let change = Change {
                    high: values().fold(f64::NEG_INFINITY, f64::max),
                    low: values().fold(f64::INFINITY, f64::min),
                    variance: f64::from(pulse.noise).powi(2),
                };
                let end = pulse.onset_ms + pulse.duration_ms;
                for (at, sign) in [(sample(pulse.onset_ms), 1.0), (sample(end), -1.0)] {
                    changes[at].high += sign * change.high;
                    changes[at].low += sign * change.low;
                    changes[at].variance += sign * change.variance;
                }
            }
            let mut sum = Change::default();
            for (k, change) in changes.iter().enumerate() {
                sum.high += change.high;
                sum.low += change.low;
                sum.variance += change.variance;
                let place = format!("channel {channel} at {} ms", k as f64 * SAMPLE_MS);
                let furthest = if sum.high > -sum.low {
                    sum.high
                } else {
                    sum.low
                };
                if furthest.abs() > largest + ROUNDING {
                    let name = format!("{place}: the largest sum of the pulses that overlap");
                    return Err(number(&name, furthest, "values whose sums are -4 to 4"));
                }
                let noise = sum.variance.max(0.0).sqrt();
                if noise > LARGEST_NOISE + ROUNDING {
                    let name = format!("{place}: noise of the pulses that overlap, together");
                    return Err(number(
                        &name,
                        noise,
                        "a root of the sum of squares of 0 to 1",
                    ));
                }
            }
        }
        Ok(())
    }

    /// No combination of values has an undecided label, and not all have the same.
    fn check_labels(&self) -> Result<(), SpecError> {
        let rule = match self.target.rule {
            Rule::Product => "product",
            Rule::Sum => "sum",
            Rule::Any => return self.check_detection(),
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
        let labels: Vec<i16> = combinations.iter().map(|c| self.label(c)).collect();
        if let Some(k) = labels.iter().position(|&label| label == 0) {
            let values = combinations.swap_remove(k);
            return Err(SpecError::NoSign { rule, values });
        }
        match labels[0] {
            label if labels.iter().all(|other| *other == label) => {
                Err(SpecError::OneAnswer { rule, label })
            }
            _ => Ok(()),
        }
    }

    /// A pulse can be shown, and a trial without one is possible.
    fn check_detection(&self) -> Result<(), SpecError> {
        let mut pulses = self.pulses.iter();
        let silent = pulses.clone().all(|pulse| pulse.values.contains(&0.0));
        let shown = pulses.any(|pulse| pulse.values.iter().any(|value| *value != 0.0));
        match (silent, shown) {
            (true, true) => Ok(()),
            (_, shown) => Err(SpecError::OneAnswer {
                rule: "any",
                label: shown.into(),
            }),
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

    fn label(&self, values: &[f32]) -> i16 {
        let sign = |x: f64| i16::from(x > 0.0) - i16::from(x < 0.0);
        match self.target.rule {
            Rule::Product => values.iter().map(|&value| sign(value.into())).product(),
            Rule::Sum => {
                let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
                let sizes: f64 = values.iter().map(|&value| f64::from(value.abs())).sum();
                if sum.abs() <= ROUNDING * sizes {
                    return 0;
                }
                sign(sum)
            }
            Rule::Any => i16::from(values.iter().any(|value| *value != 0.0)),
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
    fn trial(&self, task: &Definition, random: &mut Pcg64) -> Trial {
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
            mask: None,
            label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::{Decision, Target};
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
        // Without a window the mean is taken over the second half of the target.
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
            assert_eq!(trial.label, i16::from(shown));
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

    /// The second pulse on the first one's channel, half on top of it.
    fn overlapping(first: &str, second: &str) -> Result<Task, SpecError> {
        let text = SAME_SIGN.replace("channel = 2", "channel = 1");
        let text = text.replace("onset_ms = 450", "onset_ms = 300");
        let text = text.replacen("values = [1, -1]", first, 1);
        spec(&text.replacen("values = [1, -1]", second, 1)).task()
    }

    #[test]
    fn pulses_that_overlap_have_the_range_of_one_pulse_together() {
        assert!(overlapping("values = [2, -2]", "values = [2, -1]").is_ok());
        // The largest sum counts, and not the sum of the largest sizes.
        assert!(overlapping("values = [3, 0.5]", "values = [-3, 1]").is_ok());
        for (first, second, part) in [
            (
                "values = [3, -1]",
                "values = [2, -1]",
                "300 ms: the largest sum of the pulses that overlap = 5",
            ),
            ("values = [1, -3]", "values = [1, -2]", "= -5"),
            (
                "values = [2, -2]\nnoise = 0.8",
                "values = [1, -1.5]\nnoise = 0.8",
                "noise of the pulses that overlap, together = 1.13",
            ),
        ] {
            let error = overlapping(first, second).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
        // One after the other is no overlap.
        let text = SAME_SIGN.replace("channel = 2", "channel = 1");
        let text = text.replace("onset_ms = 450", "onset_ms = 400");
        assert!(spec(&text.replace("[1, -1]", "[4, -4]")).task().is_ok());
    }

    #[test]
    fn a_task_with_one_possible_answer_is_refused() {
        for (rule, values, label) in [
            ("product", "[1, 2]", "1"),
            ("product", "[-1]", "1"),
            ("sum", "[-1, -2]", "-1"),
            ("any", "[1, 2]", "1"),
            ("any", "[0]", "0"),
        ] {
            let text = SAME_SIGN
                .replace("[1, -1]", values)
                .replace("product", rule);
            let error = spec(&text).task().expect_err(rule).to_string();
            let part = format!("rule \"{rule}\" is {label} in every trial");
            assert!(error.contains(&part), "{error}");
        }
    }

    #[test]
    fn a_sum_that_is_rounding_error_is_undecided() {
        let text = SAME_SIGN.replace("product", "sum");
        let text = text.replacen("values = [1, -1]", "values = [0.1, 1]", 1);
        let text = text.replacen(
            "[target]",
            "[[pulse]]\nchannel = 1\nonset_ms = 600\nduration_ms = 50\nvalues = [0.2]\n[target]",
            1,
        );
        let text = text.replace("values = [1, -1]", "values = [-0.3]");
        let error = spec(&text).task().expect_err("0.1 - 0.3 + 0.2").to_string();
        assert!(error.contains("give 0"), "{error}");
    }

    /// The names of the fields below `value`.
    fn fields(value: &toml::Value, found: &mut std::collections::BTreeSet<String>) {
        match value {
            toml::Value::Table(table) => {
                for (name, value) in table {
                    found.insert(name.clone());
                    fields(value, found);
                }
            }
            toml::Value::Array(array) => array.iter().for_each(|value| fields(value, found)),
            _ => {}
        }
    }

    #[test]
    fn the_example_of_the_help_is_a_task_and_has_every_field() {
        let spec = spec(EXAMPLE);
        // Written out, a task has all fields: those that may be left out are set here.
        let written = toml::Value::try_from(&spec).expect("a table");
        let (mut all, mut shown) = (Default::default(), Default::default());
        fields(&written, &mut all);
        fields(&toml::from_str(EXAMPLE).expect("TOML"), &mut shown);
        assert_eq!(all, shown);
        let decision = &spec.decision;
        assert!(decision.response_ms.is_some() && decision.mean_ms.is_some());
        assert!(decision.threshold.is_some());
        spec.task().expect("a task");
    }

    mod round_trips {
        use super::*;
        use proptest::prelude::*;

        /// A time of whole samples in the part of a trial between `from` and `to`.
        fn sample(from: usize, to: usize) -> impl Strategy<Value = f64> {
            (from..to).prop_map(|k| k as f64 * SAMPLE_MS)
        }

        prop_compose! {
            /// A pulse of a trial of 100 samples with three channels.
            fn pulse()(
                channel in 1usize..=3,
                onset_ms in sample(0, 60),
                duration_ms in sample(1, 40),
                size in 0.01f32..1.0,
                other in -1.0f32..0.0,
                noise in prop_oneof![Just(0.0f32), 0.0f32..0.4],
                detected in any::<bool>(),
            ) -> Pulse {
                let values = if detected { vec![0.0, size] } else { vec![size, other] };
                Pulse { channel, onset_ms, duration_ms, values, noise }
            }
        }

        prop_compose! {
            /// Mostly a valid task.
            fn task_file()(
                name in "[a-z][a-z0-9-]{0,12}",
                pulses in prop::collection::vec(pulse(), 1..4),
                rule in prop_oneof![Just(Rule::Product), Just(Rule::Sum), Just(Rule::Any)],
                onset_ms in sample(20, 60),
                duration_ms in sample(2, 40),
                response_ms in prop::option::of(sample(10, 90)),
                threshold in prop::option::of(0.3f64..1.0),
                mean in prop::option::of((sample(10, 50), sample(50, 100))),
            ) -> Spec {
                Spec {
                    name,
                    channels: 3,
                    duration_ms: 500.0,
                    pulses,
                    target: Target { rule, onset_ms, duration_ms },
                    decision: Decision {
                        response_ms,
                        mean_ms: mean.map(|(from, to)| [from, to]),
                        threshold,
                    },
                }
            }
        }

        proptest! {
            #[test]
            fn a_task_is_the_same_after_toml_and_after_json(
                spec in task_file().prop_filter("a task", |spec| spec.clone().task().is_ok())
            ) {
                let task = spec.clone().task().expect("filtered");
                let text = toml::to_string(&spec).expect("TOML");
                let read: Spec = toml::from_str(&text).expect("a task file");
                prop_assert_eq!(&read, &spec);
                let read = read.task().expect("the same task");
                prop_assert_eq!(&read, &task);
                prop_assert_eq!(read.fingerprint(), task.fingerprint());
                let text = serde_json::to_string(&task).expect("JSON");
                let read: Task = serde_json::from_str(&text).expect("a task");
                prop_assert_eq!(&read, &task);
                prop_assert_eq!(read.fingerprint(), task.fingerprint());
            }
        }
    }

    #[test]
    fn wrong_values_name_the_field_and_the_way_out() {
        for (from, to, part) in [
            ("same-sign", "xor", "the name of a built-in task"),
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
