//! Training: updates until the published criterion is met.

use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use rate2spike_core::decision::{Evidence, Kind};
use serde::{Deserialize, Deserializer, Serialize};

use super::activation::Activation;
use super::batch::{Batch, TrialRange};
use super::model::{Drive, RateModel, loss, target};
use super::network::RateNetwork;
use super::optimizer::RateAdam;
use super::options::{Loss, RateOptions};
use super::recurrence::{self, Parameters};
use super::settling::Settling;
use crate::random::Stream;
use crate::task::Task;

/// The back end on the CPU.
pub type Cpu = Flex;

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

/// A trained network and how it came about.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network.
    pub network: RateNetwork,
    /// Weights before training, as the published code saves them.
    pub start: RateNetwork,
    /// True if the criterion was met.
    pub success: bool,
    /// Loss of every update.
    pub losses: Vec<f32>,
    /// The last evaluation.
    pub evaluation: Evaluation,
    /// Every evaluation, in order.
    pub evaluations: Vec<Evaluated>,
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

/// Receives the progress of a training.
pub trait Progress {
    /// Called before the first update of a training that goes on from a check point,
    /// with the number of updates that it has behind it.
    fn resumed(&mut self, _updates: usize) {}
    /// Called after each update.
    fn updated(&mut self, update: usize, loss: f32);
    /// Called after each evaluation.
    fn evaluated(&mut self, update: usize, evaluation: &Evaluation);
    /// Called when something beside the training goes wrong; the training goes on.
    fn warned(&mut self, _sentence: &str) {}
}

/// Watches nothing.
impl Progress for () {
    fn updated(&mut self, _update: usize, _loss: f32) {}
    fn evaluated(&mut self, _update: usize, _evaluation: &Evaluation) {}
}

/// The network as it is trained.
pub(super) type Trainable = RateModel<Autodiff<Cpu>>;

/// Trains a network of these options.
pub fn train(options: &RateOptions, progress: &mut impl Progress) -> Trained {
    let mut training = Training::new(options.clone());
    loop {
        if let Some(trained) = training.advance(progress) {
            return trained;
        }
    }
}

/// A training under way. Every update draws its trials and its noise from the
/// seed and from its own number, so that nothing else has to be remembered.
pub struct Training {
    pub(super) options: RateOptions,
    activation: Activation,
    pub(super) start: RateNetwork,
    /// The numbers of the model at the last evaluation.
    network: RateNetwork,
    pub(super) model: Trainable,
    pub(super) adam: RateAdam<Cpu>,
    /// Loss of every update so far.
    pub(super) losses: Vec<f32>,
    /// How far the network has settled.
    pub(super) settling: Settling,
    /// Every evaluation so far.
    pub(super) evaluations: Vec<Evaluated>,
}

impl Training {
    /// Before the first update.
    pub fn new(options: RateOptions) -> Self {
        let start = RateNetwork::start(&options);
        Self::of_network(options, start)
    }

    /// Before the first update of a network that has learned something else,
    /// with as many units and channels as `options` say.
    pub fn of_network(options: RateOptions, start: RateNetwork) -> Self {
        Self {
            activation: options.activation.activation(),
            network: start.clone(),
            model: Trainable::new(&start),
            start,
            adam: RateAdam::new(),
            losses: Vec::new(),
            settling: Settling::default(),
            evaluations: Vec::new(),
            options,
        }
    }

    /// What is trained.
    pub fn options(&self) -> &RateOptions {
        &self.options
    }

    /// The network before the first update.
    pub fn start(&self) -> &RateNetwork {
        &self.start
    }

    /// Number of updates so far.
    pub fn updates(&self) -> usize {
        self.losses.len()
    }

    /// One update, and the evaluation that may follow it. Returns the network
    /// if the training is over.
    pub fn advance(&mut self, progress: &mut impl Progress) -> Option<Trained> {
        let update = self.losses.len();
        let loss = self.update();
        self.losses.push(loss);
        progress.updated(update, loss);

        let last = update + 1 == self.options.updates || !loss.is_finite();
        if !last && !self.settling.due(&self.options, update) {
            return None;
        }
        self.model.store(&mut self.network);
        let evaluation = self.evaluate(update);
        progress.evaluated(update, &evaluation);
        self.evaluations.push(Evaluated::new(update, &evaluation));
        let success = self
            .settling
            .judge(&self.options, update, &evaluation, last)?;
        Some(Trained {
            network: self.network.clone(),
            start: self.start.clone(),
            success,
            losses: std::mem::take(&mut self.losses),
            evaluation,
            evaluations: std::mem::take(&mut self.evaluations),
        })
    }

    /// The next update, without the evaluation that may follow it; returns the
    /// loss, which the caller keeps.
    pub fn update(&mut self) -> f32 {
        let update = self.losses.len();
        let options = &self.options;
        let fluctuations = self.settling.fluctuations(options);
        let batch = Batch::draw(
            &self.network,
            &options.task,
            options.seed,
            TrialRange {
                stream: Stream::Training,
                first: (update * options.batch) as u64,
                trials: options.batch,
                fluctuating: fluctuations > 0.0,
            },
        );
        let target = target(&batch);
        let drive = Drive {
            activation: self.activation.clone(),
            fluctuations,
            batch,
        };
        let value = loss(self.model.forward(Arc::new(drive)), target, options.loss);
        let rate = self.settling.learning_rate(options, update);
        self.model = self.adam.step(rate, self.model.clone(), value.clone());
        value.into_scalar()
    }

    fn evaluate(&self, update: usize) -> Evaluation {
        let trials = EvaluationTrials {
            seed: self.options.seed,
            first: (update * EVALUATION_TRIALS) as u64,
            trials: EVALUATION_TRIALS,
            fluctuations: self.settling.test_fluctuations(&self.options, update),
        };
        evaluate(&self.network, &self.options.task, self.options.loss, trials)
    }
}

/// Which trials an evaluation uses.
#[derive(Clone, Copy, Debug)]
pub struct EvaluationTrials {
    /// Seed of their stream.
    pub seed: u64,
    /// The first one's place in the stream.
    pub first: u64,
    /// How many.
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

/// Scores `network`.
pub fn evaluate(
    network: &RateNetwork,
    task: &Task,
    loss: Loss,
    trials: EvaluationTrials,
) -> Evaluation {
    let activation = network.activation.activation();
    let parameters = network.parameters();
    let mut evaluation = Evaluation::default();
    // Ten at a time: fast, and small in memory.
    let mut done = 0;
    while done < trials.trials {
        let count = (trials.trials - done).min(10);
        let batch = Batch::draw(
            network,
            task,
            trials.seed,
            TrialRange {
                stream: Stream::Evaluation,
                first: trials.first + done as u64,
                trials: count,
                fluctuating: trials.fluctuations > 0.0,
            },
        );
        let outputs = recurrence::outputs(&parameters, &activation, trials.fluctuations, &batch);
        evaluation.add(task, loss, &batch, outputs);
        done += count;
    }
    evaluation.divided_by(trials.trials)
}

impl RateNetwork {
    /// What the recurrence depends on.
    pub fn parameters(&self) -> Parameters {
        Parameters {
            w: self.effective_weights(),
            readout: self.readout.clone(),
            tau: self
                .decay_steps()
                .into_iter()
                .map(|tau| tau as f32)
                .collect(),
        }
    }
}

/// Trials that a network was shown, and its answers.
pub(super) struct Shown<'a> {
    pub task: &'a Task,
    pub loss: Loss,
    /// Outputs, trials × (T − 1).
    pub outputs: &'a [f32],
    /// The outputs that are wanted, trials × (T − 1).
    pub target: &'a [f32],
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

    fn add(&mut self, task: &Task, loss: Loss, batch: &Batch, outputs: Vec<f32>) {
        self.add_trials(Shown {
            task,
            loss,
            outputs: &outputs,
            target: &batch.target,
            labels: &batch.labels,
        });
    }

    /// Scores outputs against targets, and adds up.
    pub(super) fn add_trials(&mut self, shown: Shown) {
        let Shown {
            task,
            loss,
            outputs,
            target,
            labels,
        } = shown;
        let length = task.samples() - 1;
        let rows = outputs.chunks_exact(length);
        for ((row, target), &label) in rows.zip(target.chunks_exact(length)).zip(labels) {
            let (correct, strict) = answers(task, row, label);
            self.accuracy += f64::from(u8::from(correct));
            self.strict += f64::from(u8::from(strict));
            let errors = row.iter().zip(target).map(|(o, z)| f64::from(o - z));
            self.loss += match loss {
                Loss::L1 => errors.map(f64::abs).sum::<f64>(),
                Loss::L2 => errors.map(|e| e * e).sum::<f64>().sqrt(),
            };
            if self.labels.len() < EVALUATION_TRIALS {
                self.labels.push(label);
                self.outputs.extend_from_slice(row);
            }
        }
    }
}

/// Whether a rate network's output answers `label`: by the published
/// criterion, and by the strict one.
fn answers(task: &Task, output: &[f32], label: i16) -> (bool, bool) {
    let decision = task.rate_decision();
    let mut evidence = Evidence::default();
    for (step, o) in (1..).zip(output) {
        evidence.see(&decision, step, &[f64::from(*o)]);
    }
    // The published score of a rate network's no-go looks at the size of the
    // output, that of a spiking one at its height.
    let no_go = label == 0 && matches!(decision.kind, Kind::Detection | Kind::Sign);
    let low_enough = !no_go || evidence.lowest > -decision.low;
    (
        decision.correct(label, &evidence) && low_enough,
        decision.strictly_correct(label, &evidence),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::settling::{MOST_SETTLINGS, criterion};

    /// Whether each evaluation met the criterion.
    struct Met(RateOptions, Vec<bool>);

    impl Progress for Met {
        fn updated(&mut self, _update: usize, _loss: f32) {}
        fn evaluated(&mut self, update: usize, evaluation: &Evaluation) {
            self.1.push(criterion(&self.0, update, evaluation));
        }
    }

    #[test]
    fn a_network_that_fails_under_strong_fluctuations_settles_again_and_again_and_then_no_more() {
        let options = RateOptions {
            dale: false,
            p_rec: 0.4,
            updates: 3000,
            batch: 8,
            settle: 1,
            // More than any network could stand.
            settle_fluctuations: 1e4,
            ..RateOptions::published(Task::go_nogo(), 30)
        };
        let mut met = Met(options.clone(), Vec::new());
        let trained = train(&options, &mut met);
        assert!(trained.success && trained.losses.len() < options.updates);
        // Each settling begins with an evaluation that is met. The test after it is
        // not met, except the last one.
        let first = met.1.iter().position(|&met| met).expect("it trains");
        let settled: Vec<bool> = met.1[first..].to_vec();
        assert_eq!(
            settled.iter().filter(|&&met| met).count(),
            MOST_SETTLINGS + 1,
            "{settled:?}"
        );
        assert_eq!(settled.last_chunk(), Some(&[true, true]), "{settled:?}");
    }
}
