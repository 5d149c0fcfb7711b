//! The result of a run of a deployed network, on the desktop or on a board.

use std::path::Path;

use serde::Serialize;

use crate::number::hexadecimal;
use crate::print::path::lossy;
use crate::spiking::confusion::{ClassScore, answers, per_class};
use crate::spiking::experiment::{Outcome, Score};
use crate::statistics::{Accuracy, Interval};
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
    /// 95 % interval of the accuracy; null for R².
    pub interval: Option<Interval>,
    /// Share of right answers by the strict criterion.
    pub strict: f64,
    /// R², where the outputs follow a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Root mean square of the distance from that target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
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
        let accuracy = Accuracy::from(score);
        Self {
            network,
            task: task.name().into(),
            trials: score.trials,
            accuracy: score.accuracy(),
            interval: score.interval(),
            strict: score.strict_accuracy(),
            r2: accuracy.r2,
            error: accuracy.error,
            per_class: per_class(task, answers(outcomes)),
            mean_rate_hz: score.mean_rate_hz,
            spike_hash: hexadecimal(score.spike_hash),
            self_test: "passed",
        }
    }

    fn scores(&self) -> Accuracy {
        Accuracy {
            accuracy: self.accuracy,
            strict: self.strict,
            r2: self.r2,
            error: self.error,
        }
    }

    /// The first number of the score with its name, and with `interval` behind it.
    pub fn first(&self, interval: &str) -> String {
        let (scores, [name, _]) = (self.scores(), self.scores().heads());
        format!("{name} {:.3}{interval}", scores.cells()[0])
    }

    /// The second number of the score with its name.
    pub fn second(&self) -> String {
        let (scores, [_, name]) = (self.scores(), self.scores().heads());
        format!("{name} {:.3}", scores.cells()[1])
    }

    /// A line for each class: the share of right answers, and the answers by class.
    pub fn class_lines(&self) -> impl Iterator<Item = String> {
        self.per_class.iter().map(ClassScore::line)
    }
}
