//! The scores of a network before and after it was quantized.

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;

use super::ArithmeticName;
use crate::spiking::experiment::{Experiment, Outcome, Score, score_f64};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::Deployable;
use crate::task::Task;

/// The trials of a score.
#[derive(Clone, Copy, Debug)]
pub struct Scoring<'a> {
    /// The task of the network.
    pub task: &'a Task,
    /// The step that ships.
    pub step: &'a TimeStep,
    /// Seed of the trials.
    pub seed: u64,
    /// Number of trials.
    pub trials: usize,
}

/// The same trials by both forms of a network.
#[derive(Clone, Debug)]
pub struct Scores {
    /// The score in f64, at the same step and with the same start.
    pub before: Score,
    /// The trials of the deployed network.
    pub outcomes: Vec<Outcome>,
    /// The score of these trials.
    pub after: Score,
}

impl Scores {
    /// Scores `network`, and the blob in numbers `A` that was made of it.
    pub fn of<A: Deployable>(network: &SpikingNetwork, blob: &[u8], scoring: &Scoring) -> Self {
        let &Scoring {
            task,
            step,
            seed,
            trials,
        } = scoring;
        let (outcomes, after) = scored::<A>(blob, task, seed, trials);
        let network = &shipped_start(network);
        Self {
            before: score_f64(network, task, step, seed, trials),
            after,
            outcomes,
        }
    }
}

impl ArithmeticName {
    /// The first `trials` trials of a deployed network in these numbers, and their score.
    pub fn scored(
        self,
        blob: &[u8],
        task: &Task,
        seed: u64,
        trials: usize,
    ) -> (Vec<Outcome>, Score) {
        match self {
            ArithmeticName::Fixed => scored::<Fixed>(blob, task, seed, trials),
            ArithmeticName::F32 => scored::<f32>(blob, task, seed, trials),
        }
    }
}

fn scored<A: Deployable>(
    blob: &[u8],
    task: &Task,
    seed: u64,
    trials: usize,
) -> (Vec<Outcome>, Score) {
    let deployed = Deployed::<A>::of(blob).expect("a blob that was just written is valid");
    let experiment = Experiment::deployed(&deployed, task, seed);
    let outcomes = experiment.outcomes(0, trials);
    let score = experiment.summary(&outcomes);
    (outcomes, score)
}

/// The network with the start of its fixed-point form: between reset and threshold.
pub fn shipped_start(network: &SpikingNetwork) -> SpikingNetwork {
    let neuron = network.neuron;
    SpikingNetwork {
        neuron: Neuron {
            start_mv: neuron.start_mv.min(neuron.threshold_mv),
            ..neuron
        },
        ..network.clone()
    }
}
