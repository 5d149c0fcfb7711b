//! A task as the stages hold it.

use std::hash::Hasher;
use std::sync::Arc;

use rand::RngExt;
use rand_pcg::Pcg64;
use rate2spike_core::decision::{Decision, Kind, Window};

use super::definition::{Definition, Draw, Recorded, Thresholds, Trial};
use super::description::{Description, Part};
use crate::random::{Stream, generator};

/// A task: a [`Definition`] that its copies share, and the part of a data set on
/// which this copy is scored.
#[derive(Clone, Debug)]
pub struct Task {
    definition: Arc<Definition>,
    part: Part,
}

impl Task {
    /// A task with this definition.
    pub fn new(definition: Definition) -> Self {
        Self {
            definition: Arc::new(definition),
            part: Part::Test,
        }
    }

    /// The definition that the stages ask.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// True for a task of the table of built-in tasks.
    pub fn is_built_in(&self) -> bool {
        matches!(self.definition.draw, Draw::Generator(_))
    }

    /// The name: the published one where there is one.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// Number of input channels.
    pub fn channels(&self) -> usize {
        self.definition.channels
    }

    /// Number of samples of a trial.
    pub fn samples(&self) -> usize {
        self.definition.samples
    }

    /// Length of an input sample.
    pub fn sample_ms(&self) -> f64 {
        self.definition.sample_ms
    }

    /// Length of a trial in seconds.
    pub fn seconds(&self) -> f64 {
        self.definition.samples as f64 * self.definition.sample_ms / 1000.0
    }

    /// The word for an answer of this task.
    pub fn label_name(&self, label: i16) -> &str {
        let answers = &self.definition.answers;
        let answer = answers.iter().find(|answer| answer.label == label);
        answer.map_or("unknown", |answer| &answer.name)
    }

    /// A 64-bit FNV-1a hash of all that the task is made of: a network carries it,
    /// so that a task that changed under the same name is noticed.
    pub fn fingerprint(&self) -> u64 {
        let text = serde_json::to_string(&*self.definition).expect("numbers and strings");
        let mut hasher = fnv::FnvHasher::default();
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// The data set of the task, if it has one.
    pub fn recorded(&self) -> Option<&Recorded> {
        match &self.definition.draw {
            Draw::Data(recorded) => Some(recorded),
            _ => None,
        }
    }

    /// The same task, to be scored on this part of its data set. A built-in task and
    /// one of pulses have no parts.
    pub fn on(&self, part: Part) -> Self {
        Self {
            part,
            ..self.clone()
        }
    }

    /// What a user of the task's data set must know of it, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let recorded = self.recorded();
        let trials = recorded.and_then(|recorded| recorded.trials.as_ref());
        trials.map_or_else(Vec::new, |trials| trials.warnings())
    }

    /// The same task under another name, if it is a data set: a file may have been renamed.
    pub fn named(&self, name: &str) -> Self {
        let Some(recorded) = self.recorded() else {
            return self.clone();
        };
        let mut recorded = recorded.clone();
        recorded.description.name = name.into();
        let task = recorded.task();
        task.map_or_else(|_| self.clone(), |task| task.on(self.part))
    }

    /// Number of trials of the part on which the task is scored; `None` if there is no
    /// end of trials.
    pub fn trials(&self) -> Option<usize> {
        let recorded = self.recorded()?;
        Some(recorded.description.parts[self.part as usize])
    }

    /// Trials of a score for which `asked` were asked: a data set shows each trial of
    /// the part once.
    pub fn scored(&self, asked: usize) -> usize {
        self.trials().unwrap_or(asked)
    }

    /// The same task, with the parts that `seed` draws.
    pub fn seeded(&self, seed: u64) -> Self {
        let trials = self
            .recorded()
            .and_then(|recorded| recorded.trials.as_ref());
        let Some(trials) = trials else {
            return self.clone();
        };
        let task = trials.seeded(seed).task();
        // Another draw changes no size.
        task.map_or_else(|_| self.clone(), |task| task.on(self.part))
    }

    /// The task that `description` tells of, with the trials of this one.
    ///
    /// # Errors
    /// A sentence, if this task has another data set, or none.
    pub fn described(&self, description: &Description) -> Result<Self, String> {
        let trials = self
            .recorded()
            .and_then(|recorded| recorded.trials.as_ref());
        let trials = trials.ok_or_else(|| {
            format!(
                "{} is no data set, but the network was trained on one: give it with --task",
                self.name()
            )
        })?;
        trials.described(description)?.task()
    }

    /// Draws a trial at random; from a data set one of the training part.
    pub fn trial(&self, random: &mut Pcg64) -> Trial {
        let task = &*self.definition;
        match &task.draw {
            Draw::Generator(draw) => draw(task, random),
            Draw::Pulses { spec, draw } => draw(spec, task, random),
            Draw::Data(recorded) => recorded.trial(task, Part::Train, random.random()),
        }
    }

    /// The `index`-th trial of a stream. A data set gives training, evaluation and
    /// scores the trials of their parts, in the order of the index; those of the
    /// training part are shuffled by the seed.
    pub fn draw(&self, seed: u64, stream: Stream, index: u64) -> Trial {
        let task = &*self.definition;
        let Draw::Data(recorded) = &task.draw else {
            return self.trial(&mut generator(seed, stream, index));
        };
        match stream {
            Stream::Training => recorded.shuffled(task, seed, index),
            Stream::Evaluation => recorded.trial(task, Part::Validation, index),
            // The files may hold one class after the other.
            _ if self.part == Part::Train => recorded.shuffled(task, seed, index),
            _ => recorded.trial(task, self.part, index),
        }
    }

    /// The integers of the sensor in the `index`-th trial of a score, samples × channels,
    /// sample by sample; `None` for a task that is no data set.
    pub fn integers(&self, index: u64) -> Option<Vec<i32>> {
        self.recorded()?.integers(self.part, index)
    }

    /// The rule that reads the answer off a spiking network's output, with time steps of
    /// `step_ms`.
    pub fn decision(&self, step_ms: f64) -> Decision<f64> {
        let task = &*self.definition;
        let steps = |ms: f64| (ms / step_ms).round() as u32;
        let end = steps(task.samples as f64 * task.sample_ms);
        self.rule(
            step_ms,
            Window {
                first: steps(task.response_ms),
                last: end,
            },
            Window {
                first: steps(task.mean_ms.0),
                last: steps(task.mean_ms.1).min(end),
            },
        )
    }

    /// The rule that reads the answer off the rate network's output. The first entry of
    /// the output is the end of the first sample: entry k is step k + 1 of the windows.
    pub fn rate_decision(&self) -> Decision<f64> {
        let task = &*self.definition;
        let entries = |ms: f64| (ms / task.sample_ms).round() as u32;
        let end = task.samples as u32 - 1;
        let first = match task.kind {
            // A label belongs to its own sample alone.
            Kind::Class | Kind::Label | Kind::Track => entries(task.mean_ms.0) + 1,
            _ => entries(task.mean_ms.0),
        };
        self.rule(
            task.sample_ms,
            Window {
                first: task.rate_response as u32 + 1,
                last: end,
            },
            Window {
                first: first.min(end),
                last: entries(task.mean_ms.1).min(end),
            },
        )
    }

    fn rule(&self, step_ms: f64, extremes: Window, mean: Window) -> Decision<f64> {
        let Thresholds {
            high,
            low,
            mean_high,
            mean_low,
        } = self.definition.thresholds;
        let kind = match self.definition.kind {
            Kind::Rhythm { period } => {
                let steps = f64::from(period) * self.definition.sample_ms / step_ms;
                let period = steps.round() as u32;
                Kind::Rhythm { period }
            }
            kind => kind,
        };
        Decision {
            kind,
            extremes,
            high,
            low,
            mean,
            mean_high,
            mean_low,
        }
    }
}
