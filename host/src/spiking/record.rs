//! One spiking trial with the options of the published simulation, and what it
//! records.

use rate2spike_core::network::Network;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::step::State;
use rate2spike_core::trial::Clock;

use super::network::SpikingNetwork;
use super::stimulation::{Stimulation, Stimulus};
use super::tables::Float;
use super::time_step::TimeStep;
use super::trial::{Input, Memory, Presentation};

/// The potential that is recorded in a step with a spike, mV, as in the
/// published code.
const SPIKE_MV: f64 = 30.0;

/// A trial to record.
#[derive(Clone, Debug)]
pub struct Recording<'a> {
    /// The network.
    pub network: &'a SpikingNetwork,
    /// The time step.
    pub step: TimeStep,
    /// Input: channels × samples, channel by channel.
    pub input: &'a [f64],
    /// Length of the trial and of an input sample, in steps.
    pub clock: Clock,
    /// Potentials at the start, mV; drawn if absent.
    pub start_mv: Option<&'a [f64]>,
    /// Stimulation.
    pub stimulation: Option<&'a Stimulation>,
    /// Seed of noise, start and stimulation.
    pub seed: u64,
    /// Number of the trial.
    pub trial: u64,
    /// Steps between two recordings of potentials and filtered rates; zero for
    /// no such recording.
    pub every: u32,
}

/// The recording of a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordedTrial {
    /// Step (counted from 1) and unit (from 0) of every spike, in order.
    pub spikes: Vec<(u32, u32)>,
    /// Number of outputs.
    pub outputs: usize,
    /// The outputs at every step, all outputs of a step together.
    pub output: Vec<f64>,
    /// Steps at which potentials and rates were recorded.
    pub sampled: Vec<u32>,
    /// Potentials there, mV, all units of a step together; 30 in a spike.
    pub potentials: Vec<f64>,
    /// Filtered rates there, Hz.
    pub rates: Vec<f64>,
    /// Synaptic currents there, mV.
    pub currents: Vec<f64>,
}

impl Recording<'_> {
    /// Runs the trial in `f64` or `f32`.
    pub fn run<A: Float>(&self) -> RecordedTrial {
        let tables = self.network.tables::<A>(&self.step);
        let network = tables.tables();
        let input = Input::<A>::new(self.network.channels, self.input);
        let mut memory = Memory::of(&network);
        let presentation = Presentation {
            network: &network,
            clock: self.clock,
            input: &input,
            seed: self.seed,
            index: self.trial,
        };
        let mut run = presentation.start(&mut memory);
        for (unit, &v) in self.start_mv.iter().copied().flatten().enumerate() {
            run.state_mut().set_potential(unit, A::from_f64(v));
        }
        let mut refractory = self
            .published()
            .then(|| PublishedRefractory::new(self.network, &self.step));
        let stimulation = self.stimulation;
        let mut stimulus = stimulation.map(|it| Stimulus::new(it, self.seed, self.trial));
        let mut record = RecordedTrial {
            outputs: network.constants().outputs,
            ..RecordedTrial::default()
        };
        while !run.is_over() {
            let step = run.now() + 1;
            if let Some(refractory) = &mut refractory {
                refractory.end_early(step, run.state_mut(), network.constants().leak);
            }
            let moves = stimulus.as_mut().is_some_and(|it| it.acts(step));
            match &stimulus {
                Some(stimulus) if moves => run
                    .step_stimulated(|sample| input.at(sample), |unit, v| stimulus.moved(unit, v)),
                _ => run.step(|sample| input.at(sample)),
            };
            if let Some(refractory) = &mut refractory {
                refractory.fired(step, run.state());
            }
            self.take(step, run.state(), &mut record);
        }
        record
    }

    /// True for a trial of the published simulation, whose refractory time ends by
    /// a comparison of rounded times.
    fn published(&self) -> bool {
        self.step.scheme == Scheme::Euler
    }

    fn take<A: Float>(&self, step: u32, state: &State<A>, record: &mut RecordedTrial) {
        record
            .spikes
            .extend(state.fired().map(|unit| (step, unit as u32)));
        let outputs = state.outputs().iter();
        record.output.extend(outputs.map(|output| output.to_f64()));
        if self.every == 0 || !step.is_multiple_of(self.every) {
            return;
        }
        record.sampled.push(step);
        let first = record.potentials.len();
        for unit in 0..self.network.units {
            record.potentials.push(state.potential(unit).to_f64());
            record.rates.push(state.filtered(unit).to_f64());
            record.currents.push(state.current(unit).to_f64());
        }
        state
            .fired()
            .for_each(|unit| record.potentials[first + unit] = SPIKE_MV);
    }
}

/// The published code integrates a membrane in step i if `dt·i > tlast + tref`. In exact
/// numbers a unit is integrated again one step after its refractory time. The rounding of
/// doubles makes it start one step earlier in 0.7 % of the spikes at the published step.
struct PublishedRefractory {
    step_s: f64,
    refractory_s: f64,
    refractory_steps: u32,
    /// Time of each unit's last spike, as the published code adds it up.
    last_s: Vec<f64>,
    /// Step of each unit's last spike.
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
