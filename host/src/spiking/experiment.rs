//! Scores a network over trials of its task, with core's step.

use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::{Decision, Evidence, Kind};
use rate2spike_core::network::{Network, Tables};
use rate2spike_core::step::State;
use rate2spike_core::trial::{Clock, SpikeHash};
use rayon::prelude::*;

use super::network::SpikingNetwork;
use super::tables::Float;
use super::time_step::TimeStep;
use super::trial::{Deployable, FromInput, Input, Memory, OutputNumber, Presentation};
use crate::random::Stream;
use crate::statistics::{Accuracy, Interval, Paired};
use crate::task::definition::kept_samples;
use crate::task::samples::{Graded, SampleSums, is_graded, spread, wanted};
use crate::task::{Task, Trial};

/// The outcome of one trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The answer is right by the published criterion.
    pub correct: bool,
    /// The answer is right by the strict criterion.
    pub strict: bool,
    /// The right answer.
    pub label: i16,
    /// The answer.
    pub answer: i16,
    /// Number of spikes.
    pub spikes: u64,
    /// Hash of the spikes.
    pub spike_hash: u64,
    /// The score sample by sample, where the task has one.
    pub samples: SampleSums,
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
    /// The score sample by sample, where the task has one.
    pub graded: Option<GradedScore>,
}

/// A score sample by sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GradedScore {
    /// Each sample has a label: the mean over the trials of the share of right samples.
    Labels(f64),
    /// The outputs follow a target.
    Target {
        /// Share of the target's variance that the outputs explain.
        r2: f64,
        /// Root mean square of the distance from the target.
        error: f64,
    },
}

impl GradedScore {
    /// The score of trials whose sums are these: the first trials of `task` with this seed, of
    /// which every `every`-th sample was shown.
    fn of(task: &Task, every: usize, seed: u64, trials: &[SampleSums]) -> Option<Self> {
        match task.definition().kind {
            Kind::Label => {
                let shares = trials.iter().map(SampleSums::share).sum::<f64>();
                Some(Self::Labels(shares / trials.len() as f64))
            }
            Kind::Track => {
                let sums = trials.iter().fold(SampleSums::default(), SampleSums::and);
                Some(Self::Target {
                    r2: sums.r2(spread_of_targets(task, every, seed, trials.len())),
                    error: sums.error(),
                })
            }
            _ => None,
        }
    }
}

impl Score {
    /// The score of trials of `seconds` each, by a network of `units` units.
    pub fn of(outcomes: &[Outcome], units: usize, seconds: f64) -> Self {
        let mut hash = SpikeHash::default();
        outcomes
            .iter()
            .for_each(|outcome| hash.add_hash(outcome.spike_hash));
        let spikes: u64 = outcomes.iter().map(|outcome| outcome.spikes).sum();
        Self {
            trials: outcomes.len(),
            correct: outcomes.iter().filter(|outcome| outcome.correct).count(),
            strict: outcomes.iter().filter(|outcome| outcome.strict).count(),
            mean_rate_hz: spikes as f64 / (seconds * units as f64 * outcomes.len() as f64),
            spike_hash: hash.value(),
            graded: None,
        }
    }

    /// The same score with that of the samples. `outcomes` are those of the first trials of
    /// `task` with this seed, of which every `every`-th sample was shown.
    pub fn graded(self, task: &Task, every: usize, seed: u64, outcomes: &[Outcome]) -> Self {
        let sums: Vec<SampleSums> = outcomes.iter().map(|outcome| outcome.samples).collect();
        Self {
            graded: GradedScore::of(task, every, seed, &sums),
            ..self
        }
    }

    /// Share of right answers by the published criterion; of right samples, where each
    /// sample has a label; R², where the outputs follow a target.
    pub fn accuracy(&self) -> f64 {
        match self.graded {
            Some(GradedScore::Labels(share)) => share,
            Some(GradedScore::Target { r2, .. }) => r2,
            None => self.correct as f64 / self.trials as f64,
        }
    }

    /// The same by the strict criterion.
    pub fn strict_accuracy(&self) -> f64 {
        match self.graded {
            Some(_) => self.accuracy(),
            None => self.strict as f64 / self.trials as f64,
        }
    }

    /// The 95 % interval of the accuracy; `None` for R². The samples of a trial depend on
    /// each other, so that the interval is calculated as if each trial were one observation.
    pub fn interval(&self) -> Option<Interval> {
        let right = match self.graded {
            Some(GradedScore::Labels(share)) => (share * self.trials as f64).round() as usize,
            Some(GradedScore::Target { .. }) => return None,
            None => self.correct,
        };
        Some(Interval::wilson(right, self.trials))
    }
}

/// The difference between the answers of two forms of a network to the same
/// trials.
pub fn paired(before: &[Outcome], after: &[Outcome]) -> Paired {
    let pairs = before.iter().zip(after);
    Paired::of(pairs.map(|(before, after)| (before.correct, after.correct)))
}

impl From<&Score> for Accuracy {
    fn from(score: &Score) -> Self {
        let (r2, error) = match score.graded {
            Some(GradedScore::Target { r2, error }) => (Some(r2), Some(error)),
            _ => (None, None),
        };
        Self {
            accuracy: score.accuracy(),
            strict: score.strict_accuracy(),
            r2,
            error,
        }
    }
}

/// A network, the task that it answers, and how time is cut.
#[derive(Clone, Debug)]
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
    /// Units whose spikes are not counted, since they reach no other unit.
    pub silenced: &'a [usize],
    /// True if the input is rounded as a board receives it.
    pub as_on_board: bool,
    /// Every how many samples of a trial are shown.
    pub every: usize,
}

/// A task's decision in the numbers of a floating-point network.
pub fn decision<A: Float>(task: &Task, step: &TimeStep) -> Decision<A> {
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
pub fn clock(task: &Task, step: &TimeStep) -> Clock {
    let steps_per_sample = step.steps_per_sample(task.sample_ms());
    Clock {
        steps_per_sample,
        steps: kept_samples(task.samples(), step.every()) as u32 * steps_per_sample,
    }
}

/// The `index`-th trial of the spiking network: the same for every network,
/// time step and number type.
pub fn task_trial(task: &Task, seed: u64, index: u64) -> Trial {
    task.draw(seed, Stream::Spiking, index)
}

/// The sum of squares against which the distance of the outputs from their targets is measured,
/// over the first `trials` trials, of which every `every`-th sample is shown.
pub fn spread_of_targets(task: &Task, every: usize, seed: u64, trials: usize) -> f64 {
    let samples = task.samples();
    let trials = 0..trials as u64;
    let shown = trials.map(|index| task_trial(task, seed, index).downsampled(samples, every));
    spread(task, kept_samples(samples, every), shown)
}

impl<'a, 't, A: Float> Experiment<'a, Tables<'t, A>> {
    /// A floating-point network, with steps of `step`.
    pub fn floating(network: &'a Tables<'t, A>, task: &Task, step: &TimeStep, seed: u64) -> Self {
        Self {
            network,
            task: task.clone(),
            decision: decision(task, step),
            clock: clock(task, step),
            step_ms: step.ms,
            seed,
            silenced: &[],
            as_on_board: false,
            every: step.every(),
        }
    }
}

impl<'a, 'b, A: Deployable> Experiment<'a, Deployed<'b, A>> {
    /// A deployed network, which says itself how it answers and how long its
    /// steps are.
    pub fn deployed(network: &'a Deployed<'b, A>, task: &Task, seed: u64) -> Self {
        let payload = network.payload();
        Self {
            network,
            task: task.clone(),
            decision: payload.decision,
            clock: payload.clock,
            step_ms: f64::from(payload.step_ns) / 1e6,
            seed,
            silenced: &[],
            as_on_board: true,
            every: 1,
        }
    }
}

/// Grades the outputs at the end of each sample of a trial.
#[derive(Clone, Debug)]
pub struct Grader<'t> {
    trial: &'t Trial,
    samples: usize,
    /// Steps of a sample.
    every: u32,
    /// Step and place of the next sample's end.
    next: (u32, usize),
    sums: SampleSums,
}

impl<'t> Grader<'t> {
    /// A grader of `trial`, which has this number of samples, each of `every` steps.
    pub fn new(trial: &'t Trial, samples: usize, every: u32) -> Self {
        Self {
            trial,
            samples,
            every,
            next: (every, 0),
            sums: SampleSums::default(),
        }
    }

    /// Sees the outputs after `step`.
    #[inline]
    pub fn see<A: OutputNumber>(&mut self, step: u32, outputs: &[A]) {
        let (next, sample) = self.next;
        if step != next {
            return;
        }
        self.next = (next + self.every, sample + 1);
        self.sums.add(outputs.iter().enumerate().map(|(k, output)| {
            let (target, weight) = wanted(self.trial, self.samples, k, sample);
            Graded {
                output: output.number(),
                target,
                weight,
            }
        }));
    }

    /// The sums over the samples that were seen.
    pub fn sums(&self) -> SampleSums {
        self.sums
    }
}

/// The numbers of a trial that its score needs.
struct Answer<'d, A: Arithmetic> {
    decision: &'d Decision<A>,
    silenced: &'d [usize],
    /// `None` where the samples are not graded.
    grader: Option<Grader<'d>>,
    evidence: Evidence<A>,
    hash: SpikeHash,
    spikes: u64,
}

impl<'d, A: Arithmetic + OutputNumber> Answer<'d, A> {
    fn new(decision: &'d Decision<A>, silenced: &'d [usize], grader: Option<Grader<'d>>) -> Self {
        Self {
            decision,
            silenced,
            grader,
            evidence: Evidence::default(),
            hash: SpikeHash::default(),
            spikes: 0,
        }
    }

    #[inline(always)]
    fn see(&mut self, step: u32, state: &State<A>, outputs: &[A]) {
        if self.silenced.is_empty() {
            self.hash.add_step(step, state);
            self.spikes += state.fired().count() as u64;
        } else {
            let heard = |unit: &usize| !self.silenced.contains(unit);
            for unit in state.fired().filter(heard) {
                self.hash.add(step, unit);
                self.spikes += 1;
            }
        }
        self.evidence.see(self.decision, step, outputs);
        if let Some(grader) = &mut self.grader {
            grader.see(step, outputs);
        }
    }

    fn outcome(self, label: i16) -> Outcome {
        Outcome {
            samples: self
                .grader
                .map_or(SampleSums::default(), |grader| grader.sums()),
            correct: self.decision.correct(label, &self.evidence),
            strict: self.decision.strictly_correct(label, &self.evidence),
            label,
            answer: self.decision.answer(&self.evidence),
            spikes: self.spikes,
            spike_hash: self.hash.value(),
        }
    }
}

impl<A: Float> Experiment<'_, Tables<'_, A>> {
    /// Runs and scores the `index`-th trial, and grades each of its samples.
    pub fn graded(&self, memory: &mut Memory<A>, index: u64) -> Outcome {
        let trial = self.trial(index);
        let grader = Grader::new(&trial, self.samples(), self.clock.steps_per_sample);
        let mut answer = Answer::new(&self.decision, self.silenced, Some(grader));
        self.watch(memory, index, &trial, |step, state| {
            answer.see(step, state, state.outputs());
        });
        answer.outcome(trial.label)
    }
}

impl Experiment<'_, Tables<'_, f64>> {
    /// Runs the `index`-th trial of a network with one output, and scores it as it is and with
    /// `offset` added to the output.
    pub fn outcomes_with_offset(
        &self,
        memory: &mut Memory<f64>,
        index: u64,
        offset: f64,
    ) -> [Outcome; 2] {
        let trial = self.trial(index);
        let new = || Answer::new(&self.decision, self.silenced, self.grader(&trial));
        let (mut plain, mut moved) = (new(), new());
        self.watch(memory, index, &trial, |step, state| {
            let outputs = state.outputs();
            plain.see(step, state, outputs);
            moved.see(step, state, &[outputs[0] + offset]);
        });
        [plain, moved].map(|answer| answer.outcome(trial.label))
    }
}

impl<N> Experiment<'_, N>
where
    N: Network + Sync,
    N::Number: Send + Sync + OutputNumber,
    <N::Number as Arithmetic>::Input: FromInput,
{
    /// The `index`-th trial, with the samples that are shown.
    pub fn trial(&self, index: u64) -> Trial {
        task_trial(&self.task, self.seed, index).downsampled(self.task.samples(), self.every)
    }

    /// Number of samples of a trial that are shown.
    pub fn samples(&self) -> usize {
        kept_samples(self.task.samples(), self.every)
    }

    /// Runs `trial`, the `index`-th; `observe` sees each step, which counts from
    /// 1, and its state.
    pub fn watch(
        &self,
        memory: &mut Memory<N::Number>,
        index: u64,
        trial: &Trial,
        observe: impl FnMut(u32, &State<N::Number>),
    ) {
        let channels = self.task.channels();
        let input = match self.as_on_board {
            true => Input::as_on_board(channels, trial),
            false => Input::of_trial(channels, trial),
        };
        Presentation {
            network: self.network,
            clock: self.clock,
            input: &input,
            seed: self.seed,
            index,
        }
        .watch(memory, observe);
    }

    /// The grader of `trial`; `None` where the samples are not graded.
    fn grader<'t>(&self, trial: &'t Trial) -> Option<Grader<'t>> {
        is_graded(&self.task)
            .then(|| Grader::new(trial, self.samples(), self.clock.steps_per_sample))
    }

    /// Runs and scores the `index`-th trial.
    pub fn outcome(&self, memory: &mut Memory<N::Number>, index: u64) -> Outcome {
        let trial = self.trial(index);
        let mut answer = Answer::new(&self.decision, self.silenced, self.grader(&trial));
        self.watch(memory, index, &trial, |step, state| {
            answer.see(step, state, state.outputs());
        });
        answer.outcome(trial.label)
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

    /// Adds up `outcomes`, those of the first trials.
    pub fn summary(&self, outcomes: &[Outcome]) -> Score {
        let seconds = f64::from(self.clock.steps) * self.step_ms / 1000.0;
        let score = Score::of(outcomes, self.network.constants().units, seconds);
        score.graded(&self.task, self.every, self.seed, outcomes)
    }
}

/// The first `trials` trials of a spiking network in double precision.
pub fn outcomes_f64(
    network: &SpikingNetwork,
    task: &Task,
    step: &TimeStep,
    seed: u64,
    trials: usize,
) -> Vec<Outcome> {
    let tables = network.tables::<f64>(step);
    Experiment::floating(&tables.tables(), task, step, seed).outcomes(0, trials)
}

/// Scores a spiking network in double precision.
pub fn score_f64(
    network: &SpikingNetwork,
    task: &Task,
    step: &TimeStep,
    seed: u64,
    trials: usize,
) -> Score {
    let tables = network.tables::<f64>(step);
    Experiment::floating(&tables.tables(), task, step, seed).score(trials)
}
