//! The range of the outputs in fixed point, which ends at 32 times the output that a task
//! calls one.
//!
//! A filter of the readout stops at the end of its range, and a sum of filters beyond the
//! range wraps: the output is then wrong. The largest of several outputs stays the largest
//! if all outputs are divided by one number; so the outputs of a classifier are divided
//! until they fit.

use rate2spike_core::arithmetic::LARGEST_OUTPUT;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Kind;
use rayon::prelude::*;

use crate::spiking::experiment::Experiment;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::{Deployable, Memory};
use crate::task::Task;
use crate::task::description::Part;

/// Part of the range that a classifier's outputs take in its training part. What a board
/// will see may lead to outputs that are larger.
const USUAL_SHARE: f64 = 0.25;

/// Most trials of the training part that are looked at.
const LOOKED_AT: usize = 50;

/// Most trials of a score that are looked at.
const WATCHED: usize = 20;

/// Steps in which the readout leaves its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// Number of such steps.
    pub steps: u64,
    /// Number of trials that were looked at.
    pub trials: usize,
}

impl Beyond {
    /// Looks at some of the first `trials` trials of a score.
    pub fn of<A: Deployable>(experiment: &Experiment<Deployed<A>>, trials: usize) -> Self {
        let of_trial = |memory: &mut Memory<A>, index| {
            let mut steps = 0;
            experiment.watch(memory, index, &experiment.trial(index), |_, state| {
                steps += u64::from(state.readout_leaves_range(experiment.network));
            });
            steps
        };
        let steps = spread(trials, WATCHED)
            .map_init(|| Memory::of(experiment.network), of_trial)
            .sum();
        let trials = trials.min(WATCHED);
        Self { steps, trials }
    }
}

/// `most` of the trials, evenly spread: a data set often has its trials class by class.
fn spread(trials: usize, most: usize) -> impl IndexedParallelIterator<Item = u64> {
    let count = most.min(trials);
    (0..count)
        .into_par_iter()
        .map(move |k| (k * trials / count) as u64)
}

/// The power of two by which the outputs of `network` are to be divided, so that they fit
/// in the trials of the training part; 1 for a task whose outputs have a meaning
/// of their own.
pub(super) fn divisor(network: &SpikingNetwork, task: &Task, step: &TimeStep) -> f64 {
    let answers_largest = matches!(task.definition().kind, Kind::Class | Kind::Label);
    let is_open = task
        .recorded()
        .is_some_and(|recorded| recorded.trials.is_some());
    if !answers_largest || !is_open {
        return 1.0;
    }
    let task = task.on(Part::Train);
    let tables = network.tables::<f64>(step);
    let tables = tables.tables();
    let experiment = Experiment::floating(&tables, &task, step, 0);
    let largest = |memory: &mut Memory<f64>, index| {
        let mut largest = 0f64;
        experiment.watch(memory, index, &experiment.trial(index), |_, state| {
            let sizes = state.outputs().iter().map(|output| output.abs());
            largest = sizes.fold(largest, f64::max);
        });
        largest
    };
    let largest = spread(task.scored(LOOKED_AT), LOOKED_AT)
        .map_init(|| Memory::of(&tables), largest)
        .reduce(|| 0.0, f64::max);
    let parts = largest / (USUAL_SHARE * LARGEST_OUTPUT);
    parts.log2().ceil().max(0.0).exp2()
}
