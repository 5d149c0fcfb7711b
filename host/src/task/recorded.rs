//! A task whose trials were recorded: a description of the data set, and the
//! trials, which a reader of files gives it.
//!
//! Each trial has the same number of samples. A recording that is shorter than the
//! longest one begins later, so that all end together; a tail of silence follows.

use super::definition::{Answer, Definition, Draw, Recorded, Thresholds, Trial};
use super::description::Part;
use super::handle::Task;

impl Recorded {
    /// The task of this data set.
    ///
    /// # Errors
    /// A sentence, if a number of the description is out of range.
    pub fn task(self) -> Result<Task, String> {
        self.description.check()?;
        let description = &self.description;
        let (first, end) = description.window;
        let ms = |samples: usize| samples as f64 * description.sample_ms;
        let classes = description.classes.iter().zip(0i16..);
        let mut answers: Vec<Answer> = classes.map(|(name, k)| Answer::new(k, name)).collect();
        if answers.is_empty() {
            answers.push(Answer::new(0, "target"));
        }
        Ok(Task::new(Definition {
            name: description.name.clone(),
            channels: description.inputs.len(),
            outputs: description.outputs,
            samples: description.recorded + description.tail,
            sample_ms: description.sample_ms,
            kind: description.goal.kind(),
            rate_response: first,
            response_ms: ms(first),
            mean_ms: (ms(first), ms(end)),
            thresholds: Thresholds::SIGN,
            answers,
            least_trials: 0,
            draw: Draw::Data(Box::new(self)),
        }))
    }

    /// The trial in this place of a part.
    pub(super) fn trial(&self, task: &Definition, part: Part, place: u64) -> Trial {
        let count = self.description.parts[part as usize].max(1) as u64;
        let trials = self.trials.as_ref();
        // `formats` opens the data set of a model before anything is drawn.
        let trials = trials.expect("a data set is opened before its trials are drawn");
        trials.trial(task, part, (place % count) as usize)
    }

    /// The integers of the trial in this place of a part, sample by sample.
    pub(super) fn integers(&self, part: Part, place: u64) -> Option<Vec<i32>> {
        let count = self.description.parts[part as usize].max(1) as u64;
        let trials = self.trials.as_ref()?;
        Some(trials.integers(part, (place % count) as usize))
    }

    /// The training trial in this place, in an order that the seed gives: each trial
    /// comes once before any comes again.
    pub(super) fn shuffled(&self, task: &Definition, seed: u64, place: u64) -> Trial {
        let count = self.description.parts[Part::Train as usize].max(1) as u64;
        let (round, place) = (place / count, place % count);
        let key = mixed(seed ^ mixed(round));
        self.trial(task, Part::Train, permuted(place, count, key))
    }
}

/// Another number for each number: the finalizer of SplitMix64 (Steele, Lea & Flood
/// 2014, doi 10.1145/2660193.2660195).
fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A permutation of `0..count` without a table: a Feistel network of four rounds over
/// the next power of four, repeated until the number is below `count`.
fn permuted(place: u64, count: u64, key: u64) -> u64 {
    let bits = (u64::BITS - count.saturating_sub(1).leading_zeros())
        .div_ceil(2)
        .max(1);
    let mask = (1u64 << bits) - 1;
    let mut number = place;
    loop {
        let (mut left, mut right) = (number >> bits, number & mask);
        for round in 0..4 {
            let hashed = mixed(key.wrapping_add(round << 32) ^ right);
            (left, right) = (right, left ^ (hashed & mask));
        }
        number = left << bits | right;
        if number < count {
            return number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::description::{Channel, Description, Goal};
    use crate::task::preprocessing::{Feature, Input};

    #[test]
    fn each_round_of_a_training_shows_each_trial_once_in_another_order() {
        for count in [1, 2, 3, 40, 1000] {
            let order = |key| -> Vec<u64> { (0..count).map(|k| permuted(k, count, key)).collect() };
            for key in 0..3 {
                let mut all = order(mixed(key));
                all.sort_unstable();
                assert!(all.into_iter().eq(0..count), "{count}");
            }
            if count >= 40 {
                assert_ne!(order(mixed(0)), order(mixed(1)));
            }
        }
    }

    fn description() -> Description {
        Description {
            name: "sines".into(),
            hash: "0".repeat(16),
            goal: Goal::Class,
            classes: vec!["a".into(), "b".into()],
            outputs: 2,
            channels: vec![Channel {
                name: "x".into(),
                silence: 5,
            }],
            resolution: 0.5,
            inputs: vec![Input {
                name: "x".into(),
                of: Feature::Channel(0),
                lift: 0,
                offset: 5,
                factor: 3,
                shift: 1,
            }],
            sample_ms: 20.0,
            hold: 1,
            recorded: 40,
            tail: 5,
            window: (40, 45),
            seed: 1,
            parts: [8, 2, 4],
        }
    }

    fn recorded(description: Description) -> Recorded {
        Recorded {
            description,
            path: "sines.npz".into(),
            trials: None,
        }
    }

    #[test]
    fn a_description_comes_back_from_a_model_and_is_the_same_task_in_another_place() {
        let task = recorded(description()).task().expect("a task");
        let text = serde_json::to_string(&task).expect("text");
        let back: Task = serde_json::from_str(&text).expect("a task");
        assert_eq!(back, task);
        let moved = Recorded {
            path: "elsewhere.npz".into(),
            ..recorded(description())
        };
        let moved = moved.task().expect("a task");
        assert_eq!(moved, task);
        assert_eq!(moved.fingerprint(), task.fingerprint());
        let mut other = description();
        other.inputs[0].factor = 4;
        let other = recorded(other).task().expect("a task");
        assert!(other != task && other.fingerprint() != task.fingerprint());
    }

    #[test]
    fn a_description_out_of_range_is_no_task() {
        type Change = fn(&mut Description);
        let changes: [(Change, &str); 8] = [
            (|d| d.outputs = 0, "outputs"),
            (|d| d.channels.clear(), "channels"),
            (|d| d.recorded = usize::MAX, "samples"),
            (|d| d.window = (45, 45), "window"),
            (|d| d.sample_ms = 0.5, "sample_ms"),
            (|d| d.resolution = f64::NAN, "resolution"),
            (|d| d.inputs[0].of = Feature::Channel(1), "channel 1"),
            (|d| d.inputs.clear(), "inputs"),
        ];
        for (change, part) in changes {
            let mut changed = description();
            change(&mut changed);
            let error = recorded(changed).task().expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }
}
