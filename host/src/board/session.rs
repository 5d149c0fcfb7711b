//! Runs trials on a board, and compares them with the same trials on the desktop.

use rate2spike_core::blob::Deployed;
use rate2spike_core::network::{Network, Target};
use rate2spike_protocol::message::{self, Cycles};

use super::BoardError;
use super::client::{Client, SampleBytes};
use crate::spiking::experiment::{Experiment, Grader, Outcome};
use crate::spiking::trial::{Deployable, Input, Memory};
use crate::task::samples::is_graded;

/// The outcomes of one trial on the board and on the desktop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The outcome on the board.
    pub board: Outcome,
    /// The outcome on the desktop.
    pub desktop: Outcome,
    /// Cycles of the board's steps.
    pub cycles: Cycles,
    /// Number of steps in which a readout filter was at the end of its range.
    pub saturated_steps: u32,
}

/// The first difference between a trial on the board and the same trial on the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parting {
    /// Number of equal spikes before the difference.
    pub equal_spikes: usize,
    /// Step and unit of the next spike on the board.
    pub board: Option<(u32, u16)>,
    /// Step and unit of the next spike on the desktop.
    pub desktop: Option<(u32, u16)>,
}

/// What a board reports during a trial.
pub enum Reported<'a> {
    /// Nothing.
    Nothing,
    /// Step and unit of each spike.
    Spikes(&'a mut dyn FnMut(u32, u16)),
    /// Step and bits of the outputs at the end of each sample.
    Outputs(&'a mut dyn FnMut(u32, &[i32])),
}

/// A board that runs trials of networks in numbers `A`.
pub trait Runs<A: Deployable> {
    /// Runs the `index`-th trial of `experiment`, of which it reports something.
    ///
    /// # Errors
    /// If the board refuses the trial or does not answer.
    fn run_trial(
        &mut self,
        experiment: &Experiment<Deployed<A>>,
        index: u64,
        reported: Reported,
    ) -> Result<message::Outcome, BoardError>;
}

impl<A: Deployable> Runs<A> for Client {
    fn run_trial(
        &mut self,
        experiment: &Experiment<Deployed<A>>,
        index: u64,
        reported: Reported,
    ) -> Result<message::Outcome, BoardError> {
        let (silent, input) = shown(experiment, index);
        match reported {
            Reported::Nothing => self.run(&silent, &input, |_, _| {}, |_, _| {}),
            Reported::Spikes(spiked) => {
                let trial = message::TrialRequest {
                    spikes: true,
                    ..silent
                };
                self.run(&trial, &input, spiked, |_, _| {})
            }
            Reported::Outputs(output) => {
                let trial = message::TrialRequest {
                    // A sample of 100 ms has at most 2000 steps.
                    output_every: experiment.clock.steps_per_sample as u16,
                    ..silent
                };
                self.run(&trial, &input, |_, _| {}, output)
            }
        }
    }
}

/// Runs the `index`-th trial on the board and on the desktop.
///
/// # Errors
/// The errors of [`Runs::run_trial`].
pub fn pair<A: Deployable>(
    board: &mut impl Runs<A>,
    experiment: &Experiment<Deployed<A>>,
    memory: &mut Memory<A>,
    index: u64,
) -> Result<Pair, BoardError> {
    let desktop = experiment.outcome(memory, index);
    let trial = experiment.trial(index);
    let every = experiment.clock.steps_per_sample;
    let mut grader = Grader::new(&trial, experiment.task.samples(), every);
    let mut seen = 0;
    let mut output = |step, bits: &[i32]| {
        let outputs: Vec<A> = bits.iter().map(|&bits| A::from_bits(bits)).collect();
        seen += usize::from(outputs.len() == experiment.network.banks().count);
        grader.see(step, &outputs);
    };
    let reported = match is_graded(&experiment.task) {
        true => Reported::Outputs(&mut output),
        false => Reported::Nothing,
    };
    let found = board.run_trial(experiment, index, reported)?;
    // A board that does not send all outputs is compared by its spikes alone, on which
    // the outputs depend.
    let samples = match seen {
        0 => desktop.samples,
        _ => grader.sums(),
    };
    Ok(Pair {
        board: Outcome {
            correct: found.correct,
            strict: found.strict,
            samples,
            label: trial.label,
            answer: found.answer,
            spikes: found.spikes.into(),
            spike_hash: found.spike_hash,
        },
        desktop,
        cycles: found.cycles,
        saturated_steps: found.saturated_steps,
    })
}

/// Runs the `index`-th trial again on the board and on the desktop, and compares the
/// spikes; `None` if all are equal.
///
/// # Errors
/// The errors of [`Runs::run_trial`].
pub fn parting<A: Deployable>(
    board: &mut impl Runs<A>,
    experiment: &Experiment<Deployed<A>>,
    index: u64,
) -> Result<Option<Parting>, BoardError> {
    let desktop = spikes(experiment, index);
    let mut found = Vec::new();
    let mut spiked = |step, unit| {
        // One spike more than on the desktop is enough to know that they differ.
        if found.len() <= desktop.len() {
            found.push((step, unit));
        }
    };
    board.run_trial(experiment, index, Reported::Spikes(&mut spiked))?;
    if found == desktop {
        return Ok(None);
    }
    let equal_spikes = found
        .iter()
        .zip(&desktop)
        .take_while(|(a, b)| a == b)
        .count();
    Ok(Some(Parting {
        equal_spikes,
        board: found.get(equal_spikes).copied(),
        desktop: desktop.get(equal_spikes).copied(),
    }))
}

/// The `index`-th trial and its input: the integers of a data set, which the network's own
/// preprocessing turns into inputs, or the inputs of another task.
fn shown<A: Deployable>(
    experiment: &Experiment<Deployed<A>>,
    index: u64,
) -> (message::TrialRequest, SampleBytes) {
    let (input, label) = input(experiment, index);
    let integers = experiment.task.integers(index);
    let samples = match (experiment.network.preprocessing(), integers) {
        (Some(chain), Some(integers)) => SampleBytes::of_sensor(chain.channels(), &integers),
        _ => {
            let bits: Vec<i16> = input.values().iter().map(|u| u.to_bits()).collect();
            SampleBytes::of_input(experiment.task.channels(), &bits)
        }
    };
    let trial = message::TrialRequest {
        seed: experiment.seed,
        index,
        samples: samples.count(),
        label,
        spikes: false,
        output_every: 0,
        live: false,
    };
    (trial, samples)
}

fn input<A: Deployable>(
    experiment: &Experiment<Deployed<A>>,
    index: u64,
) -> (Input<fixed::types::I4F12>, i16) {
    let trial = experiment.trial(index);
    let input = Input::of_trial(experiment.task.channels(), &trial);
    (input, trial.label)
}

/// The number of synapses that a spike of `unit` reaches.
pub fn reach<A: Deployable>(network: &Deployed<A>, unit: usize) -> usize {
    let mut count = 0;
    network.each_target(unit, |_: Target, _: A| count += 1);
    count
}

/// Step and unit of each spike of the `index`-th trial on the desktop.
pub fn spikes<A: Deployable>(experiment: &Experiment<Deployed<A>>, index: u64) -> Vec<(u32, u16)> {
    let trial = experiment.trial(index);
    let mut memory = Memory::of(experiment.network);
    let mut spikes = Vec::new();
    experiment.watch(&mut memory, index, &trial, |step, state| {
        spikes.extend(state.fired().map(|unit| (step, unit as u16)));
    });
    spikes
}
