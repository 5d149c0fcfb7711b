//! Runs core's step over trials and records; there is no other simulator.

use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::{Decision, Evidence};
use rate2spike_core::network::{Network, Tables};
use rate2spike_core::noise::Noise;
use rate2spike_core::step::{Block, ReadoutBlock, State, Waiting, blocks};
use rate2spike_core::trial::{self, Clock, SpikeHash};
use rayon::prelude::*;

use crate::convert::{Float, TimeStep};
use crate::rate::network::{Stream, generator};
use crate::task::{Task, Trial};

/// The memory of a [`State`].
#[derive(Debug)]
pub struct Memory<A: Arithmetic> {
    /// One for every [`rate2spike_core::step::LANES`] units.
    pub blocks: Vec<Block<A>>,
    /// One for every [`rate2spike_core::step::LANES`] readout filters.
    pub readout: Vec<ReadoutBlock<A>>,
    /// One a unit.
    pub waiting: Vec<Waiting>,
}

impl<A: Arithmetic> Memory<A> {
    /// Enough for `network`.
    pub fn of<N: Network<Number = A>>(network: &N) -> Self {
        let units = network.constants().units;
        Self {
            blocks: vec![Block::default(); blocks(units)],
            readout: vec![ReadoutBlock::default(); blocks(network.readout_filters())],
            waiting: vec![Waiting::default(); units],
        }
    }

    /// The start of a trial.
    pub fn start<N: Network<Number = A>>(
        &mut self,
        network: &N,
        noise: &mut Noise,
    ) -> State<'_, A> {
        State::start(
            network,
            &mut self.blocks,
            &mut self.readout,
            &mut self.waiting,
            noise,
        )
        .expect("the memory was made for this network")
    }
}

/// The value of an input channel, in a network's numbers.
pub trait FromInput: Copy + Default + Send + Sync {
    /// Rounds to nearest; fixed point saturates.
    fn from_input(u: f64) -> Self;
}

impl<A: Float> FromInput for A {
    fn from_input(u: f64) -> Self {
        A::from_f64(u)
    }
}

impl FromInput for fixed::types::I4F12 {
    fn from_input(u: f64) -> Self {
        Self::saturating_from_num(u)
    }
}

/// The input of a trial, sample by sample; the last sample lasts to the end.
#[derive(Clone, Debug)]
pub struct Input<U> {
    channels: usize,
    values: Vec<U>,
}

impl<U: FromInput> Input<U> {
    /// From channels × samples, channel by channel.
    pub fn new(channels: usize, input: &[f64]) -> Self {
        let samples = input.len() / channels;
        let values = (0..samples)
            .flat_map(|t| (0..channels).map(move |k| input[k * samples + t]))
            .map(U::from_input)
            .collect();
        Self { channels, values }
    }

    /// That of `trial`.
    pub fn of_trial(channels: usize, trial: &Trial) -> Self {
        let values: Vec<f64> = trial.input.iter().map(|&u| u.into()).collect();
        Self::new(channels, &values)
    }

    /// All values, sample by sample.
    pub fn values(&self) -> &[U] {
        &self.values
    }

    /// All channels in `sample`.
    pub fn at(&self, sample: u32) -> &[U] {
        let last = self.values.len() / self.channels - 1;
        let sample = (sample as usize).min(last);
        &self.values[sample * self.channels..(sample + 1) * self.channels]
    }
}

/// What a trial came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// By the published criterion.
    pub correct: bool,
    /// By the strict criterion.
    pub strict: bool,
    /// Number of spikes.
    pub spikes: u64,
    /// Hash of the spikes.
    pub spike_hash: u64,
}

/// Scores over many trials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Number of trials.
    pub trials: usize,
    /// Right answers by the published criterion.
    pub correct: usize,
    /// Right answers by the strict criterion.
    pub strict: usize,
    /// Mean firing rate of a unit, Hz.
    pub mean_rate_hz: f64,
    /// Hash of the trials' hashes in their order.
    pub spike_hash: u64,
}

impl Score {
    /// Share of right answers by the published criterion.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.trials as f64
    }

    /// Share of right answers by the strict criterion.
    pub fn strict_accuracy(&self) -> f64 {
        self.strict as f64 / self.trials as f64
    }
}

/// A network, the task that it answers, and how time is cut.
#[derive(Clone, Copy, Debug)]
pub struct Experiment<'a, N: Network> {
    /// The network.
    pub network: &'a N,
    /// The task.
    pub task: Task,
    /// The decision, in the network's numbers.
    pub decision: Decision<N::Number>,
    /// Length of a trial.
    pub clock: Clock,
    /// Length of a step, ms.
    pub step_ms: f64,
    /// Seed of trials and noise.
    pub seed: u64,
}

/// A task's decision in the numbers of a floating-point network.
pub fn decision<A: Float>(task: Task, step: &TimeStep) -> Decision<A> {
    let rule = task.decision(step.ms);
    Decision {
        kind: rule.kind,
        extremes: rule.extremes,
        high: A::from_f64(rule.high),
        low: A::from_f64(rule.low),
        mean: rule.mean,
        mean_high: A::from_f64(rule.mean_high),
        mean_low: A::from_f64(rule.mean_low),
    }
}

/// Length of a trial of `task`.
pub fn clock(task: Task, step: &TimeStep) -> Clock {
    Clock {
        steps_per_sample: step.steps_per_sample,
        steps: task.samples() as u32 * step.steps_per_sample,
    }
}

/// The `index`-th trial of the spiking network: the same for every network,
/// time step and number type.
pub fn task_trial(task: Task, seed: u64, index: u64) -> Trial {
    task.trial(&mut generator(seed, Stream::Spiking, index))
}

impl<'a, 't, A: Float> Experiment<'a, Tables<'t, A>> {
    /// A floating-point network, with steps of `step`.
    pub fn floating(network: &'a Tables<'t, A>, task: Task, step: &TimeStep, seed: u64) -> Self {
        Self {
            network,
            task,
            decision: decision(task, step),
            clock: clock(task, step),
            step_ms: step.ms,
            seed,
        }
    }
}

impl<'a, 'b> Experiment<'a, Deployed<'b>> {
    /// A deployed network, which says itself how it answers and how long its
    /// steps are.
    pub fn deployed(network: &'a Deployed<'b>, task: Task, seed: u64) -> Self {
        let payload = network.payload();
        Self {
            network,
            task,
            decision: payload.decision,
            clock: payload.clock,
            step_ms: f64::from(payload.step_ns) / 1e6,
            seed,
        }
    }
}

impl<N> Experiment<'_, N>
where
    N: Network + Sync,
    N::Number: Send + Sync,
    <N::Number as Arithmetic>::Input: FromInput,
{
    /// Runs the `index`-th trial.
    pub fn outcome(&self, memory: &mut Memory<N::Number>, index: u64) -> Outcome {
        let trial = task_trial(self.task, self.seed, index);
        let input = Input::of_trial(self.task.channels(), &trial);
        // Vectors as wide as the machine has them, chosen when it runs.
        pulp::Arch::new().dispatch(TrialRun {
            experiment: self,
            memory,
            index,
            input,
            label: trial.label,
        })
    }

    #[inline(always)]
    fn run(
        &self,
        memory: &mut Memory<N::Number>,
        index: u64,
        input: &Input<<N::Number as Arithmetic>::Input>,
        label: i8,
    ) -> Outcome {
        let mut noise = Noise::new(self.seed, index);
        let mut state = memory.start(self.network, &mut noise);
        let (mut evidence, mut hash, mut spikes) = (Evidence::default(), SpikeHash::default(), 0);
        trial::run(
            self.network,
            &mut state,
            &mut noise,
            self.clock,
            |sample| input.at(sample),
            |step, state| {
                hash.add_step(step, state);
                spikes += state.fired().count() as u64;
                evidence.see(&self.decision, step, state.output());
            },
        );
        Outcome {
            correct: self.decision.correct(label, &evidence),
            strict: self.decision.strictly_correct(label, &evidence),
            spikes,
            spike_hash: hash.value(),
        }
    }

    /// Runs the trials `first..first + trials` on all cores; the result does
    /// not depend on their number.
    pub fn outcomes(&self, first: u64, trials: usize) -> Vec<Outcome> {
        (first..first + trials as u64)
            .into_par_iter()
            .map_init(
                || Memory::of(self.network),
                |memory, index| self.outcome(memory, index),
            )
            .collect()
    }

    /// Scores the first `trials` trials.
    pub fn score(&self, trials: usize) -> Score {
        self.summary(&self.outcomes(0, trials))
    }

    /// Adds up `outcomes`.
    pub fn summary(&self, outcomes: &[Outcome]) -> Score {
        let mut hash = SpikeHash::default();
        outcomes
            .iter()
            .for_each(|outcome| hash.add_hash(outcome.spike_hash));
        let spikes: u64 = outcomes.iter().map(|outcome| outcome.spikes).sum();
        let seconds = f64::from(self.clock.steps) * self.step_ms / 1000.0;
        let units = self.network.constants().units as f64;
        Score {
            trials: outcomes.len(),
            correct: outcomes.iter().filter(|outcome| outcome.correct).count(),
            strict: outcomes.iter().filter(|outcome| outcome.strict).count(),
            mean_rate_hz: spikes as f64 / (seconds * units * outcomes.len() as f64),
            spike_hash: hash.value(),
        }
    }
}

/// A trial, as [`pulp`] wants it: a closure would not be inlined into the
/// function that may use the wide vectors.
struct TrialRun<'a, 'n, N: Network> {
    experiment: &'a Experiment<'n, N>,
    memory: &'a mut Memory<N::Number>,
    index: u64,
    input: Input<<N::Number as Arithmetic>::Input>,
    label: i8,
}

impl<N> pulp::NullaryFnOnce for TrialRun<'_, '_, N>
where
    N: Network + Sync,
    N::Number: Send + Sync,
    <N::Number as Arithmetic>::Input: FromInput,
{
    type Output = Outcome;

    #[inline(always)]
    fn call(self) -> Outcome {
        self.experiment
            .run(self.memory, self.index, &self.input, self.label)
    }
}
