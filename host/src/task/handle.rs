//! A task as the stages hold it.

use std::hash::Hasher;
use std::sync::Arc;

use rand_pcg::Pcg64;
use rate2spike_core::decision::{Decision, Kind, Window};

use super::definition::{Definition, Draw, Thresholds, Trial};

/// A task: a [`Definition`] that its copies share.
#[derive(Clone, Debug)]
pub struct Task(Arc<Definition>);

impl Task {
    /// A task with this definition.
    pub fn new(definition: Definition) -> Self {
        Self(Arc::new(definition))
    }

    /// The definition that the stages ask.
    pub fn definition(&self) -> &Definition {
        &self.0
    }

    /// True for a task of the table of built-in tasks.
    pub fn is_built_in(&self) -> bool {
        matches!(self.0.draw, Draw::Generator(_))
    }

    /// The name: the published one where there is one.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Number of input channels.
    pub fn channels(&self) -> usize {
        self.0.channels
    }

    /// Number of samples of a trial.
    pub fn samples(&self) -> usize {
        self.0.samples
    }

    /// Length of an input sample.
    pub fn sample_ms(&self) -> f64 {
        self.0.sample_ms
    }

    /// Length of a trial in seconds.
    pub fn seconds(&self) -> f64 {
        self.0.samples as f64 * self.0.sample_ms / 1000.0
    }

    /// The word for an answer of this task.
    pub fn label_name(&self, label: i16) -> &str {
        let answers = &self.0.answers;
        let answer = answers.iter().find(|answer| answer.label == label);
        answer.map_or("unknown", |answer| &answer.name)
    }

    /// A 64-bit FNV-1a hash of all that the task is made of: a network carries it,
    /// so that a task that changed under the same name is noticed.
    pub fn fingerprint(&self) -> u64 {
        let text = serde_json::to_string(&*self.0).expect("numbers and strings");
        let mut hasher = fnv::FnvHasher::default();
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// Draws a trial.
    pub fn trial(&self, random: &mut Pcg64) -> Trial {
        match &self.0.draw {
            Draw::Generator(draw) => draw(&self.0, random),
            Draw::Pulses { spec, draw } => draw(spec, &self.0, random),
        }
    }

    /// The rule that reads the answer off a spiking network's output, with time steps of
    /// `step_ms`.
    pub fn decision(&self, step_ms: f64) -> Decision<f64> {
        let task = &self.0;
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
        let task = &self.0;
        let entries = |ms: f64| (ms / task.sample_ms).round() as u32;
        let end = task.samples as u32 - 1;
        self.rule(
            task.sample_ms,
            Window {
                first: task.rate_response as u32 + 1,
                last: end,
            },
            Window {
                first: entries(task.mean_ms.0),
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
        } = self.0.thresholds;
        let kind = match self.0.kind {
            Kind::Rhythm { period } => {
                let steps = f64::from(period) * self.0.sample_ms / step_ms;
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
