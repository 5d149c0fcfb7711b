//! The longest time step that a network can be deployed with.
//!
//! A chip's time goes with the number of steps. A longer step is worth taking
//! as long as the answers stay right: its accuracy, in the chip's numbers, must not be
//! below that of the exact network at 0.05 ms, which begins as a chip does, by more than [`MARGIN`].

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;
use serde::Serialize;

use super::ArithmeticName;
use super::scores::shipped_start;
use crate::random::{Stream, seed_of};
use crate::spiking::experiment::{Experiment, Outcome, paired};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::{PUBLISHED_STEP_MS, StepError, TimeStep};
use crate::spiking::trial::Deployable;
use crate::task::Task;
use crate::task::description::Part;

/// Time step of a deployed network where none is asked for, ms.
pub const DEPLOYED_STEP_MS: f64 = 0.1;

/// The time step of a deployed network, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DeployedStep {
    /// The longest that costs at most a point of accuracy.
    Auto,
    /// A length, ms.
    Given(f64),
}

impl DeployedStep {
    /// The step to begin with, before there is a network.
    ///
    /// # Errors
    /// [`StepError::Length`].
    pub fn first(self) -> Result<TimeStep, StepError> {
        let ms = match self {
            DeployedStep::Auto => PUBLISHED_STEP_MS,
            DeployedStep::Given(ms) => ms,
        };
        TimeStep::new(ms, Scheme::Exact)
    }

    /// The step, and the comparisons by which it was found. `looked` sees the
    /// step that is compared, ms, and the trials that were compared so far.
    ///
    /// # Errors
    /// [`StepError::Length`].
    pub fn find(
        self,
        network: &SpikingNetwork,
        task: &Task,
        numbers: ArithmeticName,
        seed: u64,
        looked: impl FnMut(f64, usize),
    ) -> Result<(TimeStep, Vec<Comparison>), StepError> {
        if self != DeployedStep::Auto {
            return Ok((self.first()?, Vec::new()));
        }
        // Other trials than those of the scores that follow.
        let task = &task.on(Part::Validation);
        let seed = seed_of(seed, Stream::TimeSteps);
        let comparisons = compare_steps(network, task, numbers, seed, looked);
        let taken = comparisons.iter().find(|comparison| comparison.taken);
        let ms = taken.map_or(PUBLISHED_STEP_MS, |taken| taken.dt_ms);
        Ok((TimeStep::new(ms, Scheme::Exact)?, comparisons))
    }
}

/// Accuracy that a longer step may cost.
pub const MARGIN: f64 = 0.01;

/// Steps that are tried, ms, the longest first.
const STEPS_MS: [f64; 5] = [1.0, 0.5, 0.25, 0.2, 0.1];

/// Quantile of the normal distribution for 99.5 %: the confidence of each look.
const CONFIDENCE: f64 = 2.575_829;

/// Trials between two looks.
const LOOK: usize = 500;

/// The most trials of a comparison. A step that is not shown to be good enough by
/// then is not taken.
pub const MOST_TRIALS: usize = 10_000;

/// A step, as it was compared with 0.05 ms on the same trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The step.
    pub dt_ms: f64,
    /// Trials that it took to tell; 0 if the network has no form in these numbers at this step.
    pub trials: usize,
    /// Accuracy in the chip's numbers minus accuracy at 0.05 ms.
    pub difference: f64,
    /// Lower and upper end of the difference, each with 99.5 % confidence.
    pub between: (f64, f64),
    /// True if the step is good enough.
    pub taken: bool,
}

/// Tries the steps from the longest on; the last entry is the one to take,
/// unless none of them is good enough. `looked` sees the step, ms, and the
/// trials that were compared so far.
pub fn compare_steps(
    network: &SpikingNetwork,
    task: &Task,
    numbers: ArithmeticName,
    seed: u64,
    mut looked: impl FnMut(f64, usize),
) -> Vec<Comparison> {
    let published = TimeStep::new(PUBLISHED_STEP_MS, Scheme::Exact).expect("a usual step");
    let tables = shipped_start(network).tables::<f32>(&published);
    let tables = tables.tables();
    let reference = Experiment::floating(&tables, task, &published, seed);
    let mut known: Vec<Outcome> = Vec::new();
    let mut comparisons = Vec::new();
    for ms in STEPS_MS {
        let step = TimeStep::new(ms, Scheme::Exact).expect("a usual step");
        let comparison = match numbers.quantize(network, task, &step) {
            Ok(quantized) => compare(ms, |first, trials| {
                if known.len() < first + trials {
                    known.extend(reference.outcomes(first as u64, trials));
                }
                let bytes = &quantized.bytes;
                let outcomes = match numbers {
                    ArithmeticName::Fixed => outcomes::<Fixed>(bytes, task, seed, first, trials),
                    ArithmeticName::F32 => outcomes::<f32>(bytes, task, seed, first, trials),
                };
                looked(ms, first + trials);
                (known[first..first + trials].to_vec(), outcomes)
            }),
            // A decay that 16 bits cannot hold at this step.
            Err(_) => Comparison {
                dt_ms: ms,
                trials: 0,
                difference: f64::NAN,
                between: (f64::NAN, f64::NAN),
                taken: false,
            },
        };
        comparisons.push(comparison);
        if comparison.taken {
            break;
        }
    }
    comparisons
}

/// The trials `first..first + trials` of a deployed network in numbers `A`.
fn outcomes<A: Deployable>(
    bytes: &[u8],
    task: &Task,
    seed: u64,
    first: usize,
    trials: usize,
) -> Vec<Outcome> {
    let deployed = Deployed::<A>::of(bytes).expect("a blob that was just written is valid");
    Experiment::deployed(&deployed, task, seed).outcomes(first as u64, trials)
}

/// Compares until it is clear, on trials that `outcomes` runs with the published
/// step and with this one.
fn compare(
    dt_ms: f64,
    mut outcomes: impl FnMut(usize, usize) -> (Vec<Outcome>, Vec<Outcome>),
) -> Comparison {
    let (mut gained, mut lost, mut trials) = (0.0, 0.0, 0);
    loop {
        let (published, longer) = outcomes(trials, LOOK);
        let paired = paired(&published, &longer);
        gained += paired.gained as f64;
        lost += paired.lost as f64;
        trials += LOOK;
        let n = trials as f64;
        let difference = (gained - lost) / n;
        // The variance of a difference of paired shares, with one more pair each way,
        // so that it is not zero where nothing differs yet.
        let variance = (gained + lost + 2.0) / n - difference * difference;
        let half = CONFIDENCE * (variance / n).sqrt();
        let between = (difference - half, difference + half);
        let taken = between.0 >= -MARGIN;
        if taken || between.1 < -MARGIN || trials >= MOST_TRIALS {
            return Comparison {
                dt_ms,
                trials,
                difference,
                between,
                taken,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outcomes of which the longer step has a share of `lost` percent wrong.
    fn losing(lost: usize) -> impl FnMut(usize, usize) -> (Vec<Outcome>, Vec<Outcome>) {
        let right = Outcome {
            correct: true,
            ..Outcome::default()
        };
        move |first, trials| {
            let longer = (first..first + trials).map(|trial| Outcome {
                correct: trial % 100 >= lost,
                ..right
            });
            (vec![right; trials], longer.collect())
        }
    }

    #[test]
    fn a_step_that_costs_more_than_the_margin_is_not_taken() {
        let equal = compare(0.5, losing(0));
        assert!(equal.taken && equal.trials < 2000, "{equal:?}");
        let worse = compare(0.5, losing(4));
        assert!(!worse.taken && worse.trials < 2000, "{worse:?}");
        assert!((worse.difference + 0.04).abs() < 1e-12);
        let undecided = compare(0.5, losing(1));
        assert!(!undecided.taken && undecided.trials == MOST_TRIALS);
    }
}
