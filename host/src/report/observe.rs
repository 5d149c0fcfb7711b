//! Runs the three forms of a network on the same trials, and keeps their outputs,
//! activity and spikes for the figures.
//!
//! Outputs and activity are sampled once an input sample, as the rate
//! network is, so that the three forms share one axis of time.

use std::ops::Range;

use rate2spike_core::blob::Deployed;
use rayon::prelude::*;

use crate::random::Stream;
use crate::rate::batch::{Batch, TrialRange};
use crate::rate::network::RateNetwork;
use crate::rate::recurrence;
use crate::spiking::experiment::{Experiment, clock, task_trial};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::record::{RecordedTrial, Recording};
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::{Deployable, Memory};
use crate::task::Task;

/// Number of trials that are searched for the times of the stimulus.
const STIMULUS_TRIALS: usize = 20;

/// Trials of the rate network that run at once.
const RATE_BATCH: usize = 10;

/// The trials on which the forms are run.
#[derive(Clone, Debug)]
pub struct ObservedTrials {
    /// The task.
    pub task: Task,
    /// Seed of the trials.
    pub seed: u64,
    /// Number of trials.
    pub count: usize,
}

impl ObservedTrials {
    /// The right answers that occur in these trials, each once, the highest first.
    pub fn labels(&self) -> Vec<i16> {
        let all = (0..self.count as u64).map(|index| self.label(index));
        let mut labels: Vec<i16> = all.collect();
        labels.sort_unstable_by(|a, b| b.cmp(a));
        labels.dedup();
        labels
    }

    fn label(&self, index: u64) -> i16 {
        task_trial(&self.task, self.seed, index).label
    }

    /// The times, in s, in which an input of the trial is on. An input that is on during
    /// the whole trial, such as a context, does not count.
    pub fn stimulus_of(&self, index: u64) -> Vec<Range<f64>> {
        self.spans([index].into_iter())
    }

    /// The times, in s, in which an input is on in at least one of the first trials.
    pub fn stimulus(&self) -> Vec<Range<f64>> {
        self.spans(0..self.count.min(STIMULUS_TRIALS) as u64)
    }

    fn spans(&self, indices: impl Iterator<Item = u64>) -> Vec<Range<f64>> {
        let samples = self.task.samples();
        let mut on = vec![false; samples];
        for index in indices {
            let trial = task_trial(&self.task, self.seed, index);
            for values in trial.input.chunks_exact(samples) {
                if values.iter().all(|&u| u != 0.0) {
                    continue;
                }
                on.iter_mut()
                    .zip(values)
                    .for_each(|(on, &u)| *on |= u != 0.0);
            }
        }
        let second = |t: usize| t as f64 * self.task.sample_ms() / 1000.0;
        let mut spans: Vec<Range<f64>> = Vec::new();
        for t in (0..samples).filter(|&t| on[t]) {
            match spans.last_mut() {
                Some(span) if on[t.saturating_sub(1)] && t > 0 => span.end = second(t + 1),
                _ => spans.push(second(t)..second(t + 1)),
            }
        }
        spans
    }

    /// The index of the first trial with this answer.
    pub fn first(&self, label: i16) -> Option<u64> {
        (0..self.count as u64).find(|&index| self.label(index) == label)
    }

    /// The time at the end of each sample, s.
    pub fn times_s(&self) -> Vec<f64> {
        let samples = 1..=self.task.samples();
        samples
            .map(|t| t as f64 * self.task.sample_ms() / 1000.0)
            .collect()
    }
}

/// Mean and spread over trials, with one entry for each sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    trials: usize,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Course {
    /// Adds the values of one trial.
    pub fn add(&mut self, values: impl ExactSizeIterator<Item = f64>) {
        self.sums.resize(values.len(), 0.0);
        self.squares.resize(values.len(), 0.0);
        self.trials += 1;
        for (k, value) in values.enumerate() {
            self.sums[k] += value;
            self.squares[k] += value * value;
        }
    }

    /// The mean of each sample over the trials.
    pub fn means(&self) -> Vec<f64> {
        self.sums
            .iter()
            .map(|sum| sum / self.trials as f64)
            .collect()
    }

    /// The standard deviation of each sample over the trials.
    pub fn deviations(&self) -> Vec<f64> {
        let n = self.trials as f64;
        let pairs = self.sums.iter().zip(&self.squares);
        pairs
            .map(|(sum, square)| (square / n - (sum / n).powi(2)).max(0.0).sqrt())
            .collect()
    }
}

/// The behaviour of one form of the network in the trials of one answer.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The output.
    pub output: Course,
    /// The activity of all units, samples × units: rates of the rate network,
    /// filtered spikes over the unit's λ of the spiking one; empty for the deployed
    /// network.
    pub activity: Course,
}

/// The behaviour of one form of the network.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// One group for each answer, in the order of [`ObservedTrials::labels`].
    pub groups: Vec<Group>,
    /// Smallest and largest x of each unit; empty except for the rate network.
    pub drives: Vec<(f64, f64)>,
    /// Mean firing rate of each unit, Hz; empty for the rate network.
    pub rates_hz: Vec<f64>,
    /// Spikes of the first trial of each answer: the step, counted from 1, and the unit.
    pub spikes: Vec<Vec<(u32, u32)>>,
    /// Length of a step of the spikes, ms.
    pub step_ms: f64,
}

/// The output that is shown for the trials of an answer: that of its class where each class
/// has one, else the first.
pub fn shown_output(task: &Task, label: i16) -> usize {
    let outputs = task.definition().outputs;
    usize::try_from(label)
        .ok()
        .filter(|&k| outputs > 1 && k < outputs)
        .unwrap_or(0)
}

/// Runs the rate network; `fluctuations` is the strength that its training used.
pub fn rate(network: &RateNetwork, fluctuations: f32, trials: &ObservedTrials) -> Observation {
    let labels = trials.labels();
    let (parameters, activation) = (network.parameters(), network.activation.activation());
    let mut groups = vec![Group::default(); labels.len()];
    let (n, samples) = (network.units, trials.task.samples());
    let width = network.readout.outputs();
    let mut drives = vec![(f64::INFINITY, f64::NEG_INFINITY); n];
    for first in (0..trials.count).step_by(RATE_BATCH) {
        let batch = Batch::draw(
            network,
            &trials.task,
            trials.seed,
            TrialRange {
                stream: Stream::Spiking,
                first: first as u64,
                trials: RATE_BATCH.min(trials.count - first),
                fluctuating: fluctuations > 0.0,
                jitter: 0.0,
            },
        );
        let (outputs, run) = recurrence::forward(&parameters, &activation, fluctuations, &batch);
        // r: T × B × N.
        let rates = run.rates();
        for (b, (label, output)) in batch
            .labels
            .iter()
            .zip(outputs.chunks_exact((samples - 1) * width))
            .enumerate()
        {
            let group = &mut groups[place(&labels, *label)];
            let own = shown_output(&trials.task, *label);
            let own = output.chunks_exact(width).map(|row| f64::from(row[own]));
            group.output.add(own);
            let row = |t: usize| rates[(t * batch.trials + b) * n..][..n].iter();
            let activity: Vec<f64> = (0..samples).flat_map(row).map(|&r| f64::from(r)).collect();
            group.activity.add(activity.into_iter());
        }
        let currents = run.currents(&parameters, &batch);
        for (drive, &x) in (0..n).cycle().zip(&currents) {
            let (low, high) = &mut drives[drive];
            (*low, *high) = (low.min(x.into()), high.max(x.into()));
        }
    }
    Observation {
        groups,
        drives,
        ..Observation::default()
    }
}

/// Runs the spiking network at the published step; `lambdas` holds the λ of each unit,
/// Hz.
pub fn spiking(network: &SpikingNetwork, lambdas: &[f64], trials: &ObservedTrials) -> Observation {
    let step = TimeStep::PUBLISHED;
    let clock = clock(&trials.task, &step);
    let record = |index: u64| {
        let trial = task_trial(&trials.task, trials.seed, index);
        let input: Vec<f64> = trial.input.iter().map(|&u| u.into()).collect();
        Recording {
            network,
            step,
            input: &input,
            clock,
            start_mv: None,
            stimulation: None,
            seed: trials.seed,
            trial: index,
            every: clock.steps_per_sample,
        }
        .run::<f64>()
    };
    // A filtered spike has the area one, so that its unit is Hz.
    let activity = |record: &RecordedTrial| {
        let rates = record.rates.iter().zip(lambdas.iter().cycle());
        rates.map(|(rate, lambda)| rate / lambda).collect()
    };
    let shown = |index| {
        let record = record(index);
        OneTrial {
            activity: activity(&record),
            output: shown_of(trials, index, &record, clock.steps_per_sample),
            spikes: record.spikes,
        }
    };
    watch(trials, network.units, step.ms, shown)
}

/// Runs the deployed network.
pub fn deployed<A: Deployable>(network: &Deployed<A>, trials: &ObservedTrials) -> Observation {
    let payload = network.payload();
    let step_ms = f64::from(payload.step_ns) / 1e6;
    let experiment = Experiment::deployed(network, &trials.task, trials.seed);
    let shown = |index| {
        let mut memory = Memory::of(network);
        let own = shown_output(&trials.task, trials.label(index));
        let (mut output, mut spikes) = (Vec::new(), Vec::new());
        experiment.watch(
            &mut memory,
            index,
            &experiment.trial(index),
            |step, state| {
                let value = state.outputs().get(own).copied().unwrap_or(state.output());
                output.push(value.number());
                spikes.extend(state.fired().map(|unit| (step, unit as u32)));
            },
        );
        OneTrial {
            activity: Vec::new(),
            spikes,
            output: sampled(&output, payload.clock.steps_per_sample),
        }
    };
    watch(trials, usize::from(payload.shared.units), step_ms, shown)
}

/// The result of one trial of a spiking network.
struct OneTrial {
    output: Vec<f64>,
    activity: Vec<f64>,
    spikes: Vec<(u32, u32)>,
}

/// The output that is shown of a recorded trial, at the last step of each sample.
fn shown_of(trials: &ObservedTrials, index: u64, record: &RecordedTrial, every: u32) -> Vec<f64> {
    let own = shown_output(&trials.task, trials.label(index));
    let rows = record.output.chunks_exact(record.outputs.max(1));
    let values: Vec<f64> = rows
        .map(|row| row.get(own).copied().unwrap_or(0.0))
        .collect();
    sampled(&values, every)
}

/// The value at the last step of each sample, which has `every` steps.
fn sampled(values: &[f64], every: u32) -> Vec<f64> {
    let every = every as usize;
    values
        .iter()
        .skip(every - 1)
        .step_by(every)
        .copied()
        .collect()
}

fn place(labels: &[i16], label: i16) -> usize {
    labels
        .iter()
        .position(|l| *l == label)
        .expect("the labels are those of these trials")
}

/// Runs `show` over all trials, on all cores. Only a few trials are in memory at a time,
/// because the activity of a trial is large.
fn watch(
    trials: &ObservedTrials,
    units: usize,
    step_ms: f64,
    show: impl Fn(u64) -> OneTrial + Sync,
) -> Observation {
    let mut watched = Watched::new(trials, units, step_ms);
    let indices: Vec<u64> = (0..trials.count as u64).collect();
    for some in indices.chunks(16) {
        let shown: Vec<(u64, OneTrial)> =
            some.par_iter().map(|&index| (index, show(index))).collect();
        for (index, shown) in shown {
            watched.add(index, shown);
        }
    }
    watched.end()
}

/// An observation to which one trial after the other is added.
pub struct Watched<'a> {
    trials: &'a ObservedTrials,
    labels: Vec<i16>,
    firsts: Vec<Option<u64>>,
    observation: Observation,
}

impl<'a> Watched<'a> {
    /// An observation without a trial yet; `step_ms` is the length of a step.
    pub fn new(trials: &'a ObservedTrials, units: usize, step_ms: f64) -> Self {
        let labels = trials.labels();
        Self {
            trials,
            firsts: labels.iter().map(|label| trials.first(*label)).collect(),
            observation: Observation {
                groups: vec![Group::default(); labels.len()],
                rates_hz: vec![0.0; units],
                spikes: vec![Vec::new(); labels.len()],
                step_ms,
                ..Observation::default()
            },
            labels,
        }
    }

    /// Adds the `index`-th trial of a spiking network, as it was recorded.
    pub fn add_record(&mut self, index: u64, record: &RecordedTrial, step: &TimeStep) {
        let shown = OneTrial {
            activity: Vec::new(),
            spikes: record.spikes.clone(),
            output: shown_of(
                self.trials,
                index,
                record,
                step.steps_per_sample(self.trials.task.sample_ms()),
            ),
        };
        self.add(index, shown);
    }

    fn add(&mut self, index: u64, shown: OneTrial) {
        let at = place(&self.labels, self.trials.label(index));
        let observation = &mut self.observation;
        observation.groups[at].output.add(shown.output.into_iter());
        observation.groups[at]
            .activity
            .add(shown.activity.into_iter());
        for (_, unit) in &shown.spikes {
            observation.rates_hz[*unit as usize] += 1.0;
        }
        if self.firsts[at] == Some(index) {
            observation.spikes[at] = shown.spikes;
        }
    }

    /// The observation of all trials.
    pub fn end(mut self) -> Observation {
        let seconds = self.trials.task.seconds();
        let all = seconds * self.trials.count as f64;
        self.observation
            .rates_hz
            .iter_mut()
            .for_each(|rate| *rate /= all);
        self.observation
    }
}
