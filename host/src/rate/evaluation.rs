//! Evaluation: the scores of a rate network by the published criterion and by the
//! strict one.

use std::sync::Arc;

use rate2spike_core::decision::{Evidence, Kind};
use serde::{Deserialize, Deserializer, Serialize};

use super::batch::{Batch, TrialRange};
use super::connections::Connections;
use super::loss::{Objective, OneTrial};
use super::network::RateNetwork;
use super::options::{Loss, is_recorded};
use super::recurrence;
use super::sparse;
use crate::random::Stream;
use crate::statistics::Accuracy;
use crate::task::samples::{Graded, SampleSums, is_graded, spread};
use crate::task::{Task, Trial};

/// Updates between two evaluations.
pub const EVALUATE_EVERY: usize = 100;

/// Trials of an evaluation.
pub const EVALUATION_TRIALS: usize = 100;

/// The scores of a rate network over some trials. Where each sample has a label, shares are
/// those of the right samples; where the outputs follow a target, they are R².
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Share of right answers by the published criterion.
    pub accuracy: f64,
    /// Share of right answers by the strict criterion.
    pub strict: f64,
    /// Mean loss.
    pub loss: f64,
    /// Sums over the samples, where the task is scored sample by sample.
    pub samples: SampleSums,
    /// Label and answer of each trial.
    pub answers: Vec<(i16, i16)>,
    /// Outputs of the first trials, at most [`EVALUATION_TRIALS`]; trials × (T − 1).
    pub outputs: Vec<f32>,
    /// The right answers of the same trials.
    pub labels: Vec<i16>,
}

/// The scores of an evaluation during a training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The update before it, counted from 0.
    pub update: usize,
    /// Mean loss; JSON has null where it is not finite.
    #[serde(deserialize_with = "number_or_null")]
    pub loss: f64,
    /// Share of right answers by the published criterion.
    pub accuracy: f64,
    /// Share of right answers by the strict criterion.
    pub strict: f64,
}

fn number_or_null<'a, D: Deserializer<'a>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl Evaluated {
    /// The scores of the evaluation after `update`.
    pub fn new(update: usize, evaluation: &Evaluation) -> Self {
        Self {
            update,
            loss: evaluation.loss,
            accuracy: evaluation.accuracy,
            strict: evaluation.strict,
        }
    }

    /// Whether the other scores are better: a higher accuracy, or an equal one with a lower loss.
    pub fn is_beaten_by(&self, other: &Self) -> bool {
        other.accuracy > self.accuracy
            || (other.accuracy == self.accuracy && other.loss < self.loss)
    }
}

/// The trials of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct EvaluationTrials {
    /// Seed of the trials' stream.
    pub seed: u64,
    /// Place of the first trial in the stream.
    pub first: u64,
    /// Number of trials.
    pub trials: usize,
    /// Strength of the fluctuations of r.
    pub fluctuations: f32,
}

impl EvaluationTrials {
    /// First trial of a score after the training: far from those of the
    /// evaluations that ended it.
    pub const FRESH: u64 = 1 << 40;

    /// Trials for a score after the training.
    pub fn fresh(seed: u64, trials: usize, fluctuations: f32) -> Self {
        Self {
            seed,
            first: Self::FRESH,
            trials,
            fluctuations,
        }
    }
}

/// Scores `network` on these trials.
pub fn evaluate(
    network: &RateNetwork,
    task: &Task,
    loss: Loss,
    trials: EvaluationTrials,
) -> Evaluation {
    let activation = network.activation.activation();
    let sparse = Connections::if_sparse(network).map(Arc::new);
    let sparse = sparse.map(|connections| sparse::Parameters::of(network, connections));
    let dense = network.parameters();
    let objective = Objective::new(task, loss);
    // A data set has a validation part for choices and a test part for scores.
    let stream = if is_recorded(task) && trials.first >= EvaluationTrials::FRESH {
        Stream::Fresh
    } else {
        Stream::Evaluation
    };
    let mut evaluation = Evaluation::default();
    // Some at a time: fast, and small in memory.
    let most = if sparse.is_some() { 32 } else { 10 };
    let mut done = 0;
    while done < trials.trials {
        let count = (trials.trials - done).min(most);
        let range = TrialRange {
            stream,
            first: trials.first + done as u64,
            trials: count,
            fluctuating: trials.fluctuations > 0.0,
            jitter: 0.0,
        };
        let strength = trials.fluctuations;
        let (batch, outputs) = match &sparse {
            Some(parameters) => {
                let batch = Batch::draw_words(network, task, trials.seed, range);
                let outputs = sparse::outputs(parameters, &activation, strength, &batch);
                (batch, outputs)
            }
            None => {
                let batch = Batch::draw(network, task, trials.seed, range);
                let outputs = recurrence::outputs(&dense, &activation, strength, &batch);
                (batch, outputs)
            }
        };
        evaluation.add_trials(AnsweredTrials {
            task,
            objective: &objective,
            outputs: &outputs,
            target: &batch.target,
            mask: batch.mask.as_deref(),
            labels: &batch.labels,
        });
        done += count;
    }
    let shown = (0..trials.trials as u64).map(|k| task.draw(trials.seed, stream, trials.first + k));
    evaluation.finished(task, trials.trials, shown)
}

/// Scores `network` on `trials` of `task` without noise.
pub fn evaluate_without_noise(network: &RateNetwork, task: &Task, trials: &[Trial]) -> Evaluation {
    let activation = network.activation.activation();
    let parameters = network.parameters();
    let objective = Objective::new(task, Loss::by_default(task));
    let mut evaluation = Evaluation::default();
    for some in trials.chunks(10) {
        let batch = Batch::of_trials(network, task.samples(), some);
        evaluation.add_trials(AnsweredTrials {
            task,
            objective: &objective,
            outputs: &recurrence::outputs(&parameters, &activation, 0.0, &batch),
            target: &batch.target,
            mask: batch.mask.as_deref(),
            labels: &batch.labels,
        });
    }
    let shown = trials.iter().cloned();
    evaluation.finished(task, trials.len(), shown)
}

/// Trials that a network was shown, and its answers.
pub(super) struct AnsweredTrials<'a> {
    pub task: &'a Task,
    pub objective: &'a Objective,
    /// Outputs, trials × (T − 1) × K.
    pub outputs: &'a [f32],
    /// The outputs that are wanted, trials × (T − 1) × K.
    pub target: &'a [f32],
    /// Weight of each of them, trials × (T − 1) × K; `None` if all weigh the same.
    pub mask: Option<&'a [f32]>,
    /// The right answers.
    pub labels: &'a [i16],
}

impl Evaluation {
    /// The scores on `task`, as those of a spiking network.
    pub fn scores(&self, task: &Task) -> Accuracy {
        let follows = task.definition().kind == Kind::Track;
        Accuracy {
            accuracy: self.accuracy,
            strict: self.strict,
            r2: follows.then_some(self.accuracy),
            error: follows.then(|| self.samples.error()),
        }
    }

    /// Turns sums over `trials` trials into scores. `shown` are these trials.
    fn finished(self, task: &Task, trials: usize, shown: impl Iterator<Item = Trial>) -> Self {
        let mut scores = self.divided_by(trials);
        if task.definition().kind == Kind::Track {
            scores.accuracy = scores.samples.r2(spread(task, task.samples(), shown));
            scores.strict = scores.accuracy;
        }
        scores
    }

    /// Turns sums over `trials` trials into means.
    pub(super) fn divided_by(mut self, trials: usize) -> Self {
        self.accuracy /= trials as f64;
        self.strict /= trials as f64;
        self.loss /= trials as f64;
        self
    }

    /// Scores outputs against targets, and adds up.
    pub(super) fn add_trials(&mut self, shown: AnsweredTrials) {
        let AnsweredTrials {
            task,
            objective,
            outputs,
            target,
            mask,
            labels,
        } = shown;
        let classes = task.definition().outputs;
        let length = (task.samples() - 1) * classes;
        for (place, &label) in labels.iter().enumerate() {
            let range = place * length..(place + 1) * length;
            let trial = OneTrial {
                outputs: &outputs[range.clone()],
                target: &target[range.clone()],
                mask: mask.map(|mask| &mask[range]),
                label,
                classes,
            };
            let sums = sums(&trial);
            let (correct, strict, answer) = answers(task, &trial);
            let (correct, strict) = match task.definition().kind {
                Kind::Label => (sums.share(), sums.share()),
                _ => (correct, strict),
            };
            self.answers.push((label, answer));
            if is_graded(task) {
                self.samples = self.samples.and(&sums);
            }
            self.accuracy += correct;
            self.strict += strict;
            self.loss += objective.of_trial(&trial);
            if self.labels.len() < EVALUATION_TRIALS {
                self.labels.push(label);
                self.outputs.extend_from_slice(trial.outputs);
            }
        }
    }
}

/// Judges the outputs of a rate network by the published criterion, and by the strict one:
/// zero or one. The third number is the answer.
fn answers(task: &Task, trial: &OneTrial) -> (f64, f64, i16) {
    let decision = task.rate_decision();
    let mut evidence = Evidence::default();
    for (step, outputs) in (1..).zip(trial.outputs.chunks_exact(trial.classes)) {
        let wide: Vec<f64> = outputs.iter().map(|&o| o.into()).collect();
        evidence.see(&decision, step, &wide);
    }
    // The published score of a rate network's no-go looks at the size of the
    // output, that of a spiking one at its height.
    let label = trial.label;
    let no_go = label == 0 && matches!(decision.kind, Kind::Detection | Kind::Sign);
    let low_enough = !no_go || evidence.lowest > -decision.low;
    let one = |right: bool| f64::from(u8::from(right));
    (
        one(decision.correct(label, &evidence) && low_enough),
        one(decision.strictly_correct(label, &evidence)),
        decision.answer(&evidence),
    )
}

/// The sums over the samples of a trial.
fn sums(trial: &OneTrial) -> SampleSums {
    let k = trial.classes;
    let mut sums = SampleSums::default();
    for (sample, outputs) in trial.outputs.chunks_exact(k).enumerate() {
        sums.add(outputs.iter().enumerate().map(|(output, &o)| {
            let place = sample * k + output;
            Graded {
                output: o.into(),
                target: trial.target[place].into(),
                weight: trial.mask.map_or(1.0, |mask| mask[place].into()),
            }
        }));
    }
    sums
}
