//! Trials of a spiking network with the options of the published simulation: an input
//! and a start of the user's own, a stimulation, downsampled input, silenced units.

use rate2spike_core::decision::Evidence;
use rate2spike_core::trial::{Clock, SpikeHash};
use rayon::prelude::*;

use super::experiment::{Grader, Outcome, Score, task_trial};
use super::network::SpikingNetwork;
use super::record::{RecordedTrial, Recording};
use super::stimulation::{Stimulation, StimulationError, StimulationPlan};
use super::time_step::TimeStep;
use crate::task::Task;
use crate::task::definition::kept_samples;
use crate::task::samples::is_graded;

/// The input of a simulation.
#[derive(Clone, Debug)]
pub enum Stimuli {
    /// The trials of a task.
    Task(Task),
    /// Inputs that are shown one after the other, and from the first one again: channels
    /// × samples each, channel by channel. There is at least one, and all are equally long.
    Given(Vec<Vec<f64>>),
}

/// The numbers in which a simulation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Precision {
    /// Double precision
    F64,
    /// Single precision
    F32,
}

/// Trials to simulate.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The network.
    pub network: SpikingNetwork,
    /// The time step.
    pub step: TimeStep,
    /// Length of an input sample.
    pub sample_ms: f64,
    /// The input.
    pub stimuli: Stimuli,
    /// Every how many samples of the input are shown.
    pub downsample: u32,
    /// Potentials at the start, mV; drawn if absent.
    pub start_mv: Option<Vec<f64>>,
    /// The stimulation.
    pub stimulation: Option<Stimulation>,
    /// Units whose spikes are not recorded, since they reach nothing.
    pub silenced: Vec<usize>,
    /// The precision.
    pub precision: Precision,
    /// Steps between two recordings of potentials and rates; zero for none.
    pub record_every: u32,
    /// Seed of trials, start and noise.
    pub seed: u64,
}

/// A trial that was simulated.
#[derive(Clone, Debug)]
pub struct SimulatedTrial {
    /// The right answer, if the trial is one of a task.
    pub label: Option<i16>,
    /// What was recorded.
    pub record: RecordedTrial,
    /// The score; without a label no answer is right.
    pub outcome: Outcome,
}

/// A simulation whose trials are too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--downsample {every} keeps one sample of {samples}; give at most {}", samples - 1)]
pub struct DownsampleError {
    /// Every how many samples one is kept.
    pub every: u32,
    /// Samples of the input.
    pub samples: usize,
}

/// Checks that `step` shows at least two samples of a trial of `task`.
///
/// # Errors
/// [`DownsampleError`].
pub fn check_downsample(task: &Task, step: &TimeStep) -> Result<(), DownsampleError> {
    match kept_samples(task.samples(), step.every()) {
        0 => Err(DownsampleError {
            every: step.every() as u32,
            samples: task.samples() + 1,
        }),
        _ => Ok(()),
    }
}

impl Simulation {
    /// Steps of a trial: one sample fewer than the input has, since the last step falls
    /// into the last sample.
    ///
    /// # Errors
    /// [`DownsampleError`], if less than two samples are left.
    pub fn steps(&self) -> Result<u32, DownsampleError> {
        let samples = match &self.stimuli {
            Stimuli::Task(task) => task.samples() + 1,
            Stimuli::Given(inputs) => inputs.first().map_or(0, Vec::len) / self.network.channels,
        };
        let kept = samples.div_ceil(self.downsample as usize);
        if kept < 2 {
            let every = self.downsample;
            return Err(DownsampleError { every, samples });
        }
        Ok((kept as u32 - 1) * self.step.steps_per_sample(self.sample_ms))
    }

    /// Stimulates the units of `plan` in trials of `steps` steps.
    ///
    /// # Errors
    /// [`StimulationError`], if the network or the trial does not have what is stimulated.
    pub fn stimulate(
        &mut self,
        plan: &StimulationPlan,
        steps: u32,
    ) -> Result<(), StimulationError> {
        let stimulation = plan.within(self.network.units, steps, self.step.ms)?;
        self.stimulation = Some(stimulation);
        Ok(())
    }

    /// Simulates `trials` trials of `steps` steps on all cores; `each` gets them in order.
    /// One trial a thread is in memory.
    ///
    /// # Errors
    /// The first error of `each`.
    pub fn run<E>(
        &self,
        trials: usize,
        steps: u32,
        mut each: impl FnMut(u64, &SimulatedTrial) -> Result<(), E>,
    ) -> Result<Vec<Outcome>, E> {
        let mut outcomes = Vec::with_capacity(trials);
        let width = rayon::current_num_threads();
        for first in (0..trials).step_by(width) {
            let some = first as u64..(first + width).min(trials) as u64;
            let simulated: Vec<SimulatedTrial> = some
                .clone()
                .into_par_iter()
                .map(|index| self.trial(index, steps))
                .collect();
            for (index, trial) in some.zip(&simulated) {
                outcomes.push(trial.outcome);
                each(index, trial)?;
            }
        }
        Ok(outcomes)
    }

    /// The score of trials of `steps` steps.
    pub fn score(&self, outcomes: &[Outcome], steps: u32) -> Score {
        let seconds = f64::from(steps) * self.step.ms / 1000.0;
        let score = Score::of(outcomes, self.network.units, seconds);
        match &self.stimuli {
            Stimuli::Task(task) => {
                score.graded(task, self.downsample as usize, self.seed, outcomes)
            }
            Stimuli::Given(_) => score,
        }
    }

    fn trial(&self, index: u64, steps: u32) -> SimulatedTrial {
        let (input, label) = self.shown(index);
        let recording = Recording {
            network: &self.network,
            step: self.step,
            input: &input,
            clock: Clock {
                steps_per_sample: self.step.steps_per_sample(self.sample_ms),
                steps,
            },
            start_mv: self.start_mv.as_deref(),
            stimulation: self.stimulation.as_ref(),
            seed: self.seed,
            trial: index,
            every: self.record_every,
        };
        let mut record = match self.precision {
            Precision::F64 => recording.run::<f64>(),
            Precision::F32 => recording.run::<f32>(),
        };
        let spikes = &mut record.spikes;
        spikes.retain(|(_, unit)| !self.silenced.contains(&(*unit as usize)));
        SimulatedTrial {
            outcome: self.outcome(index, label, &record),
            label,
            record,
        }
    }

    /// The input of a trial, channel by channel, and its label.
    fn shown(&self, index: u64) -> (Vec<f64>, Option<i16>) {
        let (input, label) = match &self.stimuli {
            Stimuli::Given(inputs) => {
                let place = (index % inputs.len().max(1) as u64) as usize;
                (inputs.get(place).cloned().unwrap_or_default(), None)
            }
            Stimuli::Task(task) => {
                let trial = task_trial(task, self.seed, index);
                // One sample more than the task has, as in the published
                // scripts: the last step falls into it.
                let input = trial
                    .input
                    .chunks_exact(task.samples())
                    .flat_map(|channel| channel.iter().chain(channel.last()))
                    .map(|&u| f64::from(u))
                    .collect();
                (input, Some(trial.label))
            }
        };
        let samples = input.len() / self.network.channels;
        let every = self.downsample as usize;
        let input = input
            .chunks_exact(samples)
            .flat_map(|u| u.iter().copied().step_by(every))
            .collect();
        (input, label)
    }

    fn outcome(&self, index: u64, label: Option<i16>, record: &RecordedTrial) -> Outcome {
        let mut hash = SpikeHash::default();
        for &(step, unit) in &record.spikes {
            hash.add(step, unit as usize);
        }
        let mut outcome = Outcome {
            spikes: record.spikes.len() as u64,
            spike_hash: hash.value(),
            ..Outcome::default()
        };
        if let (Stimuli::Task(task), Some(label)) = (&self.stimuli, label) {
            let decision = task.decision(self.step.ms);
            let mut evidence = Evidence::default();
            let kept = self.downsample as usize;
            let trial = task_trial(task, self.seed, index).downsampled(task.samples(), kept);
            let samples = kept_samples(task.samples(), kept);
            let every = self.step.steps_per_sample(self.sample_ms);
            let mut grader = is_graded(task).then(|| Grader::new(&trial, samples, every));
            for (step, outputs) in (1..).zip(record.output.chunks(record.outputs)) {
                evidence.see(&decision, step, outputs);
                if let Some(grader) = &mut grader {
                    grader.see(step, outputs);
                }
            }
            if let Some(grader) = grader {
                outcome.samples = grader.sums();
            }
            outcome.label = label;
            outcome.answer = decision.answer(&evidence);
            outcome.correct = decision.correct(label, &evidence);
            outcome.strict = decision.strictly_correct(label, &evidence);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::readout::Readout;
    use crate::spiking::neuron::Neuron;

    /// Two units without synapses, of which only the second gets enough current to fire.
    fn simulation(stimuli: Stimuli, channels: usize) -> Simulation {
        Simulation {
            network: SpikingNetwork {
                neuron: Neuron {
                    noise_mv: 0.0,
                    start_mv: -65.0,
                    ..Neuron::LIF
                },
                units: 2,
                channels,
                weights: vec![0.0; 4],
                input_weights: vec![0.0; 2 * channels],
                offset_mv: vec![-1.0, 20.0],
                readout: Readout::single(vec![0.0, 0.02], 0.0),
                decay_ms: vec![20.0; 2],
                lambda: 50.0,
            },
            step: TimeStep::PUBLISHED,
            sample_ms: 5.0,
            stimuli,
            downsample: 1,
            start_mv: None,
            stimulation: None,
            silenced: Vec::new(),
            precision: Precision::F64,
            record_every: 0,
            seed: 1,
        }
    }

    fn spikes_of(simulation: &Simulation, trials: usize) -> Vec<Vec<(u32, u32)>> {
        let steps = simulation.steps().expect("it is long enough");
        let mut all = Vec::new();
        let done = simulation.run::<Infallible>(trials, steps, |index, trial| {
            assert_eq!(index as usize, all.len());
            all.push(trial.record.spikes.clone());
            Ok(())
        });
        let Ok(outcomes) = done;
        let counts: Vec<u64> = all.iter().map(|spikes| spikes.len() as u64).collect();
        assert!(outcomes.iter().map(|outcome| outcome.spikes).eq(counts));
        all
    }

    #[test]
    fn a_given_input_lasts_one_sample_less_than_it_has() {
        let given = simulation(Stimuli::Given(vec![vec![0.0; 2 * 21]]), 2);
        assert_eq!(given.steps(), Ok(20 * 100));
        let task = simulation(Stimuli::Task(Task::go_nogo()), 1);
        assert_eq!(task.steps(), Ok(200 * 100));
    }

    #[test]
    fn downsampled_input_keeps_every_kth_sample_of_each_channel() {
        let input: Vec<f64> = (0..2 * 7).map(f64::from).collect();
        let mut given = simulation(Stimuli::Given(vec![input]), 2);
        given.downsample = 3;
        let (shown, label) = given.shown(0);
        assert_eq!((shown, label), (vec![0.0, 3.0, 6.0, 7.0, 10.0, 13.0], None));
        assert_eq!(given.steps(), Ok(2 * 100));
        given.downsample = 7;
        let error = given.steps().expect_err("one sample is left");
        assert_eq!((error.every, error.samples), (7, 7));
    }

    #[test]
    fn the_last_sample_of_a_task_is_shown_once_more() {
        let (shown, label) = simulation(Stimuli::Task(Task::go_nogo()), 1).shown(3);
        let trial = task_trial(&Task::go_nogo(), 1, 3);
        let first: Vec<f64> = trial.input.iter().map(|&u| u.into()).collect();
        assert_eq!(shown[..200], first);
        assert_eq!((shown.len(), shown[200]), (201, shown[199]));
        assert_eq!(label, Some(trial.label));
    }

    #[test]
    fn a_unit_with_enough_current_fires_and_a_silenced_one_is_left_out() {
        let mut given = simulation(Stimuli::Given(vec![vec![0.0; 21]]), 1);
        let spikes = spikes_of(&given, 3);
        assert!(spikes.iter().all(|trial| !trial.is_empty()));
        assert!(spikes.iter().flatten().all(|&(_, unit)| unit == 1));
        given.silenced = vec![1];
        assert_eq!(spikes_of(&given, 3), vec![vec![]; 3]);
    }

    #[test]
    fn an_error_of_the_receiver_ends_the_simulation() {
        let given = simulation(Stimuli::Given(vec![vec![0.0; 3]]), 1);
        let mut seen = 0;
        let done = given.run(100, 200, |_, _| {
            seen += 1;
            Err("full")
        });
        assert_eq!((done.err(), seen), (Some("full"), 1));
    }

    #[test]
    fn potentials_are_recorded_every_kth_step_and_are_30_mv_in_a_spike() {
        let mut given = simulation(Stimuli::Given(vec![vec![0.0; 5]]), 1);
        given.record_every = 50;
        let record = given.trial(0, 400).record;
        assert_eq!(record.sampled, [50, 100, 150, 200, 250, 300, 350, 400]);
        assert_eq!(record.output.len(), 400);
        assert_eq!((record.potentials.len(), record.rates.len()), (16, 16));
        let mut fine = given.clone();
        fine.record_every = 1;
        let every_step = fine.trial(0, 400).record;
        for (step, unit) in &every_step.spikes {
            let at = 2 * (*step as usize - 1) + *unit as usize;
            assert_eq!(every_step.potentials[at], 30.0);
        }
        assert_eq!(every_step.spikes, record.spikes);
        for (row, &step) in record.sampled.iter().enumerate() {
            let there = &every_step.potentials[2 * (step as usize - 1)..][..2];
            assert_eq!(&record.potentials[2 * row..][..2], there);
        }
    }

    #[test]
    fn start_potentials_are_those_that_are_given() {
        let mut given = simulation(Stimuli::Given(vec![vec![0.0; 5]]), 1);
        given.record_every = 1;
        given.start_mv = Some(vec![-41.0, -50.0]);
        let first = given.trial(0, 1).record.potentials;
        // Both units are refractory at the start, and keep their potentials.
        assert_eq!(first, [-41.0, -50.0]);
    }
}
