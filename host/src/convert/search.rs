//! The search for λ: the network is simulated with each candidate, and the
//! first of the best wins, as in the published code.

use serde::Serialize;

use super::{ConvertError, Neuron, SpikingNetwork, TimeStep};
use crate::rate::network::RateNetwork;
use crate::simulate::{Experiment, Score, clock, decision};
use crate::statistics::Interval;
use crate::task::Task;

/// The published candidates, 20:5:75.
pub const PUBLISHED_LAMBDAS: (f64, f64, f64) = (20.0, 5.0, 75.0);

/// What to search.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    /// The rate network.
    pub network: &'a RateNetwork,
    /// Its task.
    pub task: Task,
    /// The neuron.
    pub neuron: Neuron,
    /// The time step.
    pub step: TimeStep,
    /// Candidates.
    pub lambdas: &'a [f64],
    /// Trials of each candidate: the same ones for all.
    pub trials: usize,
    /// Seed of the trials.
    pub seed: u64,
}

/// The score of one candidate.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Candidate {
    /// λ.
    pub lambda: f64,
    /// Share of right answers by the published criterion.
    pub accuracy: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// Share of right answers by the strict criterion.
    pub strict: f64,
    /// Mean firing rate, Hz.
    pub mean_rate_hz: f64,
}

impl Search<'_> {
    /// Scores the candidates one after the other; `scored` sees each.
    ///
    /// # Errors
    /// If a λ is not positive or the network not finite.
    pub fn run(&self, mut scored: impl FnMut(&Candidate)) -> Result<Vec<Candidate>, ConvertError> {
        self.lambdas
            .iter()
            .map(|&lambda| {
                let network = SpikingNetwork::new(self.network, lambda, self.neuron)?;
                let score = score_f32(&network, self.task, &self.step, self.seed, self.trials);
                let candidate = Candidate {
                    lambda,
                    accuracy: score.accuracy(),
                    interval: Interval::wilson(score.correct, score.trials),
                    strict: score.strict_accuracy(),
                    mean_rate_hz: score.mean_rate_hz,
                };
                scored(&candidate);
                Ok(candidate)
            })
            .collect()
    }
}

/// The first of the best candidates.
pub fn best(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates.iter().reduce(|best, next| {
        if next.accuracy > best.accuracy {
            next
        } else {
            best
        }
    })
}

/// Scores a spiking network in single precision, the fast one.
pub fn score_f32(
    network: &SpikingNetwork,
    task: Task,
    step: &TimeStep,
    seed: u64,
    trials: usize,
) -> Score {
    score::<f32>(network, task, step, seed, trials)
}

/// Scores a spiking network in double precision.
pub fn score_f64(
    network: &SpikingNetwork,
    task: Task,
    step: &TimeStep,
    seed: u64,
    trials: usize,
) -> Score {
    score::<f64>(network, task, step, seed, trials)
}

fn score<A: super::Float>(
    network: &SpikingNetwork,
    task: Task,
    step: &TimeStep,
    seed: u64,
    trials: usize,
) -> Score {
    let tables = network.tables::<A>(step);
    let experiment = Experiment {
        network: &tables.tables(),
        task,
        decision: decision(task, step),
        clock: clock(task, step),
        step_ms: step.ms,
        seed,
    };
    experiment.score(trials)
}
