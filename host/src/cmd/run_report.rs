//! The result of a run of a deployed network, on the desktop or on a board.

use std::path::Path;

use serde::Serialize;

use crate::number::hexadecimal;
use crate::print::path::lossy;
use crate::spiking::confusion::{ClassScore, per_class};
use crate::spiking::experiment::{Outcome, Score};
use crate::statistics::Interval;
use crate::task::Task;

/// The result of a run.
#[derive(Serialize)]
pub struct RunReport<'a> {
    /// File of the network.
    #[serde(serialize_with = "lossy")]
    pub network: &'a Path,
    /// Name of the task.
    pub task: String,
    /// Number of trials.
    pub trials: usize,
    /// Share of right answers by the published criterion.
    pub accuracy: f64,
    /// 95 % interval of the accuracy.
    pub interval: Interval,
    /// Share of right answers by the strict criterion.
    pub strict: f64,
    /// The answers to each class; empty for a task without classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub per_class: Vec<ClassScore>,
    /// Mean firing rate of a unit, Hz.
    pub mean_rate_hz: f64,
    /// Hash of the trials' hashes, 16 hexadecimal digits.
    pub spike_hash: String,
    /// `passed`; a network that fails its self-test is not run.
    pub self_test: &'static str,
}

impl<'a> RunReport<'a> {
    /// The report of the trials `outcomes` and their score.
    pub fn new(network: &'a Path, task: &Task, outcomes: &[Outcome], score: &Score) -> Self {
        Self {
            network,
            task: task.name().into(),
            trials: score.trials,
            accuracy: score.accuracy(),
            interval: Interval::wilson(score.correct, score.trials),
            strict: score.strict_accuracy(),
            per_class: per_class(task, outcomes),
            mean_rate_hz: score.mean_rate_hz,
            spike_hash: hexadecimal(score.spike_hash),
            self_test: "passed",
        }
    }

    /// A line for each class: the share of right answers, and the answers by class.
    pub fn class_lines(&self) -> impl Iterator<Item = String> {
        self.per_class.iter().map(|class| {
            let recall = class
                .recall
                .map_or("none".into(), |recall| format!("{recall:.3}"));
            let answers: Vec<String> = class.answers.iter().map(usize::to_string).collect();
            format!(
                "class {}: recall {recall}, answers {}",
                class.class,
                answers.join(" ")
            )
        })
    }
}
