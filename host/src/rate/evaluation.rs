//! Evaluation: the scores of a rate network by the published criterion and by the
//! strict one.

use std::sync::Arc;

use rate2spike_core::decision::{Evidence, Kind};
use serde::{Deserialize, Deserializer, Serialize};

use super::batch::{Batch, TrialRange};
use super::loss::{Objective, OneTrial};
use super::network::RateNetwork;
use super::options::{Loss, is_recorded};
use super::recurrence;
use super::sparse::{self, connections::Connections};
use crate::random::Stream;
use crate::task::Task;

/// Updates between two evaluations.
pub const EVALUATE_EVERY: usize = 100;

/// Trials of an evaluation.
pub const EVALUATION_TRIALS: usize = 100;

/// The scores of a rate network over some trials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Share of right answers by the published criterion.
    pub accuracy: f64,
    /// Share of right answers by the strict criterion.
    pub strict: f64,
    /// Mean loss.
    pub loss: f64,
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
        evaluation.add_trials(Shown {
            task,
            objective: &objective,
            outputs: &outputs,
            target: &batch.target,
            mask: batch.mask.as_deref(),
            labels: &batch.labels,
        });
        done += count;
    }
    evaluation.divided_by(trials.trials)
}

/// Trials that a network was shown, and its answers.
pub(super) struct Shown<'a> {
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
    /// Turns sums over `trials` trials into means.
    pub(super) fn divided_by(mut self, trials: usize) -> Self {
        self.accuracy /= trials as f64;
        self.strict /= trials as f64;
        self.loss /= trials as f64;
        self
    }

    /// Scores outputs against targets, and adds up.
    pub(super) fn add_trials(&mut self, shown: Shown) {
        let Shown {
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
            let (correct, strict) = answers(task, &trial);
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
/// zero or one, or the share of right samples where each sample has a label.
fn answers(task: &Task, trial: &OneTrial) -> (f64, f64) {
    let decision = task.rate_decision();
    if decision.kind == Kind::Label {
        let share = right_samples(trial);
        return (share, share);
    }
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
    )
}

/// Share of the samples whose largest output is that of their class, of those that the mask
/// lets count.
fn right_samples(trial: &OneTrial) -> f64 {
    let k = trial.classes;
    let (mut right, mut all) = (0.0, 0.0);
    let rows = trial
        .outputs
        .chunks_exact(k)
        .zip(trial.target.chunks_exact(k));
    for (sample, (outputs, target)) in rows.enumerate() {
        let class = largest(target);
        let weight = trial.mask.map_or(1.0, |mask| mask[sample * k + class]) * target[class];
        all += f64::from(weight);
        if largest(outputs) == class {
            right += f64::from(weight);
        }
    }
    if all == 0.0 { 0.0 } else { right / all }
}

/// The place of the largest value, the first one of equal ones.
fn largest(values: &[f32]) -> usize {
    let mut largest = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[largest] {
            largest = place;
        }
    }
    largest
}
