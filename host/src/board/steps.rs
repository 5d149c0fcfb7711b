//! The cycles of each step of a trial on a board, from the spikes of the same trial on the
//! desktop.
//!
//! A step takes the cycles of its parts ([`Cost`]). On a board whose flash has a cache, it
//! also waits for each line that is not there: the trial's reads of the network go through
//! a model of the cache, in their order.

use std::ops::Range;

use rate2spike_core::blob::{Deployed, START_BYTES};
use rate2spike_core::halves::second_half;
use rate2spike_core::network::Network;
use rate2spike_core::prepared::units_a_step;
use rate2spike_core::preprocessing::OPERATION_BYTES;
use rate2spike_core::step::FADE_STEPS;

use super::cache::{FlashCache, Lines};
use super::session::{reach, spikes};
use super::target::{Cost, Target};
use crate::spiking::experiment::Experiment;
use crate::spiking::trial::{Deployable, Input};

/// The cycles of a step, part by part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The input: drives that are computed for a coming one, or taken where it begins.
    pub input: f64,
    /// Number of units whose drives are computed.
    pub prepared: usize,
    /// The spikes, and the units whose refractory time ends.
    pub spikes: f64,
    /// The wait for flash.
    pub flash: f64,
    /// Number of units that fire.
    pub fired: usize,
    /// Number of synapses that their spikes reach.
    pub reached: usize,
}

impl Step {
    /// All cycles that depend on the trial.
    pub fn total(&self) -> f64 {
        self.input + self.spikes + self.flash
    }
}

/// Cycles of every step beside the input, the spikes and the wait for flash.
pub fn quiet<A: Deployable>(cost: &Cost, network: &Deployed<A>) -> f64 {
    let filters = network.banks().filters_in_all();
    cost.step + cost.filter * filters as f64 + cost.unit * network.constants().units as f64
}

/// The reads of a network in flash.
struct Flash<'n> {
    cache: FlashCache,
    lines: Lines,
    /// Address of the network.
    address: usize,
    bytes: &'n [u8],
}

impl Flash<'_> {
    /// Reads a part of the network.
    fn read(&mut self, part: &[u8]) -> usize {
        let offset = part
            .as_ptr()
            .addr()
            .wrapping_sub(self.bytes.as_ptr().addr());
        // A part that lies elsewhere is empty.
        if offset >= self.bytes.len() {
            return 0;
        }
        self.lines.read(self.address + offset, part.len())
    }
}

/// The trials of a network on a board.
pub struct BoardTrials<'a, 'n, A: Deployable> {
    cost: Cost,
    cores: usize,
    experiment: &'a Experiment<'a, Deployed<'n, A>>,
    flash: Option<Flash<'a>>,
    /// Synapses that a spike of each unit reaches.
    reaches: Vec<usize>,
}

impl<'a, 'n, A: Deployable> BoardTrials<'a, 'n, A> {
    /// The trials of `experiment` on `target`; the network is read from `bytes`.
    pub fn new(
        target: &Target,
        experiment: &'a Experiment<'a, Deployed<'n, A>>,
        bytes: &'a [u8],
    ) -> Self {
        let network = experiment.network;
        let units = network.constants().units;
        Self {
            cost: target.cost,
            cores: target.cores,
            experiment,
            flash: target.cache_of(bytes.len()).map(|cache| Flash {
                cache,
                lines: Lines::new(&cache),
                address: target.network_address as usize,
                bytes,
            }),
            reaches: (0..units).map(|unit| reach(network, unit)).collect(),
        }
    }

    /// The steps of the `index`-th trial, in their order.
    pub fn steps(&mut self, index: u64) -> Vec<Step> {
        let experiment = self.experiment;
        let (network, clock) = (experiment.network, experiment.clock);
        let constants = network.constants();
        let trial = experiment.trial(index);
        let input: Input<fixed::types::I4F12> = Input::of_trial(experiment.task.channels(), &trial);
        let spikes = spikes(experiment, index);
        let mut later = spikes.as_slice();
        let waited = u32::from(constants.refractory_steps) + 1;
        let mut steps: Vec<Step> = Vec::with_capacity(clock.steps as usize);
        let mut ready = 0;
        let mut released = vec![0usize; clock.steps as usize + waited as usize + 1];
        let inputs = self.inputs(&input);
        self.start();
        for (step, mut cycles) in (1..=clock.steps).zip(inputs) {
            let fired = later.iter().take_while(|(at, _)| *at == step).count();
            let (now, rest) = later.split_at(fired);
            later = rest;
            released[(step + waited) as usize] += fired;
            cycles.spikes = self.cost.release * released[step as usize] as f64;
            if step == waited {
                cycles.spikes += self.cost.end_start * constants.units as f64;
            }
            if step.is_multiple_of(FADE_STEPS.into()) {
                cycles.spikes += self.cost.fade * constants.units as f64;
            }
            let reaches = now.iter().map(|&(_, unit)| self.reaches[usize::from(unit)]);
            (cycles.fired, cycles.reached) = (now.len(), reaches.sum());
            cycles.spikes += self.cost.spike * cycles.fired as f64;
            cycles.spikes += self.cost.synapse * cycles.reached as f64;
            cycles.flash = self.wait(ready..ready + cycles.prepared, now);
            ready = if cycles.prepared == 0 {
                0
            } else {
                ready + cycles.prepared
            };
            steps.push(cycles);
        }
        steps
    }

    /// The steps of a trial with this input, without its spikes. The first sample is set before
    /// the trial's first step. Each further one is read in the step behind the one with which
    /// the sample before it begins; the steps from there on compute its drives, a part each.
    fn inputs(&self, input: &Input<fixed::types::I4F12>) -> Vec<Step> {
        let (cost, network) = (&self.cost, self.experiment.network);
        let (clock, constants) = (self.experiment.clock, network.constants());
        let operations = network.payload().preprocessing.len() / OPERATION_BYTES;
        let of_core = match self.cores {
            1 => constants.units,
            _ => constants.units - second_half(network),
        };
        let mut steps = vec![Step::default(); clock.steps as usize];
        if let Some(first) = steps.first_mut() {
            first.input = cost.take * constants.units as f64;
        }
        let at = |step: u32| step as usize - 1;
        let begins = |step: &u32| clock.sample(*step) != clock.sample(step - 1);
        // The step that reads the next sample. A sample of the first step is set before it.
        let mut read = if begins(&1) { 2 } else { 1 };
        for first in (2..=clock.steps).filter(begins) {
            let sample = clock.sample(first);
            steps[at(read)].input += cost.operation * operations as f64;
            if input.at(sample) != input.at(sample - 1) {
                steps[at(read)].input += cost.sample(constants.inputs);
                let part = self.cores * units_a_step(of_core, first - read);
                let mut left = constants.units;
                let mut step = read;
                while left > 0 {
                    let part = if step == first { left } else { part.min(left) };
                    let preparing = &mut steps[at(step)];
                    preparing.prepared += part;
                    preparing.input += cost.part + cost.input(constants.inputs) * part as f64;
                    left -= part;
                    step += 1;
                }
                steps[at(first)].input += cost.take * constants.units as f64;
            }
            read = first + 1;
        }
        steps
    }

    /// Reads what a trial reads before its first step.
    fn start(&mut self) {
        if let Some(flash) = &mut self.flash {
            let payload = self.experiment.network.payload();
            flash.read(payload.units);
            flash.read(payload.filters);
        }
    }

    /// Cycles for which a step waits for flash. The flash serves one core after the other, so
    /// that the waits of two cores add up.
    fn wait(&mut self, prepared: Range<usize>, fired: &[(u32, u16)]) -> f64 {
        let Some(flash) = &mut self.flash else {
            return 0.0;
        };
        let network = self.experiment.network;
        let payload = network.payload();
        let mut misses = 0;
        let row = A::INPUT_WEIGHT_BYTES * network.constants().inputs;
        let weights = payload.input_weights.chunks(row.max(1));
        let rows = payload.units.chunks(A::UNIT_BYTES).zip(weights);
        for (unit, weights) in rows.skip(prepared.start).take(prepared.len()) {
            misses += flash.read(unit) + flash.read(weights);
        }
        for &(_, unit) in fired {
            let [starts, synapses, readout] = spike_parts(network, unit.into());
            misses += flash.read(starts) + flash.read(synapses) + flash.read(readout);
        }
        flash.cache.miss_cycles * misses as f64
    }
}

/// The bytes of the network that a spike of `unit` reads.
fn spike_parts<'a, A: Deployable>(network: &Deployed<'a, A>, unit: usize) -> [&'a [u8]; 3] {
    let payload = network.payload();
    let part = |table: &'a [u8], from: usize, to: usize| table.get(from..to).unwrap_or_default();
    let starts = part(payload.starts, START_BYTES * unit, START_BYTES * (unit + 2));
    let place = |at: usize| {
        let bytes = starts.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
    };
    let row = A::readout_bytes(network.constants().outputs);
    [
        starts,
        part(
            payload.synapses,
            A::SYNAPSE_BYTES * place(0),
            A::SYNAPSE_BYTES * place(START_BYTES),
        ),
        part(payload.readout, row * unit, row * (unit + 1)),
    ]
}
