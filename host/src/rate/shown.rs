//! The first and the last trial of a training, which the published code saves with a
//! model.

use super::batch::{Batch, TrialRange};
use super::network::RateNetwork;
use super::options::RateOptions;
use super::recurrence;
use super::training::Trained;
use crate::random::Stream;
use crate::task::Trial;

/// One trial of a network.
#[derive(Clone, Debug)]
pub struct ShownTrial {
    /// Input and target.
    pub trial: Trial,
    /// x, samples × N.
    pub currents: Vec<f32>,
    /// The rates, samples × N.
    pub rates: Vec<f32>,
    /// The output, one sample fewer × outputs.
    pub output: Vec<f32>,
}

/// The first and the last trial of a training.
#[derive(Clone, Debug)]
pub struct ShownTrials {
    /// The first trial, by the network before its training.
    pub first: ShownTrial,
    /// The first trial of the last update, by the trained network.
    pub last: ShownTrial,
}

impl ShownTrials {
    /// Runs both trials.
    pub fn of(options: &RateOptions, trained: &Trained) -> Self {
        let last = (trained.losses.len() - 1) * options.batch;
        Self {
            first: ShownTrial::run(&trained.start, options, 0),
            last: ShownTrial::run(&trained.network, options, last as u64),
        }
    }
}

impl ShownTrial {
    fn run(network: &RateNetwork, options: &RateOptions, index: u64) -> Self {
        let task = &options.task;
        let range = TrialRange {
            stream: Stream::Training,
            first: index,
            trials: 1,
            fluctuating: options.fluctuations > 0.0,
            jitter: 0.0,
        };
        let batch = Batch::draw(network, task, options.seed, range);
        let parameters = network.parameters();
        let activation = network.activation.activation();
        let (output, run) =
            recurrence::forward(&parameters, &activation, options.fluctuations, &batch);
        Self {
            trial: task.draw(options.seed, Stream::Training, index),
            currents: run.currents(&parameters, &batch),
            rates: run.rates().to_vec(),
            output,
        }
    }
}
