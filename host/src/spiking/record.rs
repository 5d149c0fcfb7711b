//! One spiking trial, with everything that the published simulation offers and
//! everything that it records.

use rand::RngExt;
use rate2spike_core::network::Network;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::noise::Noise;
use rate2spike_core::step::State;
use rate2spike_core::trial::Clock;

use super::network::SpikingNetwork;
use super::tables::Float;
use super::time_step::TimeStep;
use super::trial::{Input, Memory};
use crate::random::{Stream, generator};

/// What a spike looks like in a recorded potential, mV, as in the published
/// code.
const SPIKE_MV: f64 = 30.0;

/// What an artificial stimulation adds or takes in a step, mV.
const STIMULUS_MV: f64 = 0.5;

/// An artificial ("optogenetic") stimulation: in each step of the window, with
/// probability ½, the units are moved by 0.5 mV together.
#[derive(Clone, Debug, PartialEq)]
pub struct Stimulation {
    /// Towards the threshold, or away from it.
    pub excite: bool,
    /// First step, counted from 1.
    pub start: u32,
    /// The step after the last.
    pub end: u32,
    /// Units, counted from 0.
    pub units: Vec<usize>,
}

/// A trial to record.
#[derive(Clone, Debug)]
pub struct Recording<'a> {
    /// The network.
    pub network: &'a SpikingNetwork,
    /// The time step.
    pub step: TimeStep,
    /// Input: channels × samples, channel by channel.
    pub input: &'a [f64],
    /// Steps of the trial.
    pub steps: u32,
    /// Potentials at the start, mV; drawn if absent.
    pub start_mv: Option<&'a [f64]>,
    /// Stimulation.
    pub stimulation: Option<&'a Stimulation>,
    /// Seed of noise, start and stimulation.
    pub seed: u64,
    /// Number of the trial.
    pub trial: u64,
    /// Record potentials and filtered rates every so many steps; zero: not at
    /// all.
    pub every: u32,
}

/// What was recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Step (counted from 1) and unit (from 0) of every spike, in order.
    pub spikes: Vec<(u32, u32)>,
    /// Output at every step.
    pub output: Vec<f64>,
    /// Steps at which potentials and rates were recorded.
    pub sampled: Vec<u32>,
    /// Potentials there, mV, all units of a step together; 30 in a spike.
    pub potentials: Vec<f64>,
    /// Filtered rates there, Hz.
    pub rates: Vec<f64>,
}

impl Recording<'_> {
    /// Runs the trial in `f64` or `f32`.
    pub fn run<A: Float>(&self) -> Record {
        let tables = self.network.tables::<A>(&self.step);
        let network = tables.tables();
        let input = Input::<A>::new(self.network.channels, self.input);
        let mut memory = Memory::of(&network);
        let mut noise = Noise::new(self.seed, self.trial);
        let mut state = memory.start(&network, &mut noise);
        for (unit, &v) in self.start_mv.iter().copied().flatten().enumerate() {
            state.set_potential(unit, A::from_f64(v));
        }
        let mut refractory = self
            .published()
            .then(|| PublishedRefractory::new(self.network, &self.step));
        let mut flips = generator(self.seed, Stream::Stimulation, self.trial);
        let clock = Clock {
            steps_per_sample: self.step.steps_per_sample,
            steps: self.steps,
        };
        let mut record = Record::default();
        let mut sample = None;
        for step in 1..=self.steps {
            let now = clock.sample(step);
            if sample != Some(now) {
                state.set_input(&network, input.at(now));
                sample = Some(now);
            }
            if let Some(refractory) = &mut refractory {
                refractory.end_early(step, &mut state, network.constants().leak);
            }
            match self
                .stimulation
                .filter(|s| (s.start..s.end).contains(&step))
            {
                Some(stimulation) if flips.random_bool(0.5) => {
                    let move_by = if stimulation.excite {
                        STIMULUS_MV
                    } else {
                        -STIMULUS_MV
                    };
                    state.step_stimulated(&network, &mut noise, |unit, v| {
                        let moved = stimulation.units.contains(&unit);
                        if moved {
                            v.plus(A::from_f64(move_by))
                        } else {
                            v
                        }
                    });
                }
                _ => state.step(&network, &mut noise),
            }
            if let Some(refractory) = &mut refractory {
                refractory.fired(step, &state);
            }
            self.take(step, &state, &mut record);
        }
        record
    }

    /// Whether the trial is one of the published simulation, whose refractory
    /// time ends by a comparison of rounded times.
    fn published(&self) -> bool {
        self.step.scheme == Scheme::Euler
    }

    fn take<A: Float>(&self, step: u32, state: &State<A>, record: &mut Record) {
        record
            .spikes
            .extend(state.fired().map(|unit| (step, unit as u32)));
        record.output.push(state.output().to_f64());
        if self.every == 0 || !step.is_multiple_of(self.every) {
            return;
        }
        record.sampled.push(step);
        let first = record.potentials.len();
        for unit in 0..self.network.units {
            record.potentials.push(state.potential(unit).to_f64());
            record.rates.push(state.filtered(unit).to_f64());
        }
        state
            .fired()
            .for_each(|unit| record.potentials[first + unit] = SPIKE_MV);
    }
}

/// The published code integrates a membrane in step i if `dt·i > tlast + tref`.
/// In exact numbers that begins one step after the refractory time; where the
/// rounding of doubles makes the equality of the step before look like
/// "greater", it begins there (in 0.7 % of the spikes at the published step).
struct PublishedRefractory {
    step_s: f64,
    refractory_s: f64,
    refractory_steps: u32,
    /// Time of each unit's last spike, as the published code adds it up.
    last_s: Vec<f64>,
    /// Its step.
    last_step: Vec<u32>,
    /// Units that fired, by step modulo the refractory steps.
    ring: Vec<Vec<usize>>,
}

impl PublishedRefractory {
    fn new(network: &SpikingNetwork, step: &TimeStep) -> Self {
        let refractory_steps = u32::from(network.refractory_steps(step));
        let mut ring = vec![Vec::new(); refractory_steps.max(1) as usize];
        // At the start every unit is refractory.
        ring[0] = (0..network.units).collect();
        Self {
            step_s: step.ms / 1000.0,
            refractory_s: network.neuron.refractory_ms / 1000.0,
            refractory_steps,
            last_s: vec![0.0; network.units],
            last_step: vec![0; network.units],
            ring,
        }
    }

    fn end_early<A: Float>(&mut self, step: u32, state: &mut State<A>, leak: A) {
        let Some(spike_step) = step.checked_sub(self.refractory_steps) else {
            return;
        };
        if self.refractory_steps == 0 {
            return;
        }
        let now_s = self.step_s * f64::from(step);
        for &unit in &self.ring[self.slot(spike_step)] {
            let over = now_s > self.last_s[unit] + self.refractory_s;
            if over && self.last_step[unit] == spike_step {
                state.end_refractory(unit, leak);
            }
        }
    }

    fn fired<A: Float>(&mut self, step: u32, state: &State<A>) {
        let slot = self.slot(step);
        self.ring[slot].clear();
        let now_s = self.step_s * f64::from(step);
        for unit in state.fired() {
            self.last_s[unit] += now_s - self.last_s[unit];
            self.last_step[unit] = step;
            self.ring[slot].push(unit);
        }
    }

    fn slot(&self, step: u32) -> usize {
        (step as usize) % self.ring.len()
    }
}
