//! Small networks for the tests of several modules, and the memory to run them.

use std::vec;
use std::vec::Vec;

use crate::arithmetic::Arithmetic;
use crate::block::{Block, ReadoutBlock};
use crate::lanes::blocks;
use crate::network::{Constants, Network, Tables};
use crate::neuron::{Filter, FilterFactors, Membrane, Scheme, TimeConstants, UnitFactors};
use crate::noise::Noise;
use crate::refractory::Waiting;
use crate::step::{StartError, State, StateMemory};

/// Membrane time constant of the test neuron, in steps.
pub const TAU_M: f64 = 100.0;
/// Threshold of the test neuron.
pub const THRESHOLD: f64 = 1.0;
/// Refractory time of the test neuron, in steps.
pub const REFRACTORY_STEPS: u16 = 5;

const TIMES: TimeConstants = TimeConstants {
    membrane: TAU_M,
    rise: Some(4.0),
    decay: 40.0,
};

/// A network of leaky neurons without noise. They start at the reset potential,
/// which is zero, and each has one input channel of weight one.
#[derive(Clone, Debug)]
pub struct Net {
    pub constants: Constants<f64>,
    pub units: Vec<UnitFactors<f64>>,
    pub input_weights: Vec<f64>,
    pub starts: Vec<usize>,
    pub targets: Vec<(u32, f64)>,
    pub readout: Vec<FilterFactors<f64>>,
    pub readout_weights: Vec<f64>,
    pub output_offsets: Vec<f64>,
}

impl Net {
    /// `units` neurons without synapses and with the double filter.
    pub fn unconnected(units: usize) -> Self {
        let factors = TIMES.step(Scheme::Exact);
        let filter = FilterFactors {
            synapse_decay: factors.synapse_decay,
            rise_gain: factors.rise_gain,
        };
        let unit = UnitFactors {
            filter,
            gain: factors.gain,
            lag: factors.lag,
            bias: 0.0,
        };
        Self {
            constants: Constants {
                units,
                inputs: 1,
                outputs: 1,
                membrane: Membrane::Leaky,
                filter: Filter::Double,
                leak: factors.leak,
                rise_decay: factors.rise_decay,
                noise_gain: 0.0,
                threshold: THRESHOLD,
                reset: 0.0,
                refractory_steps: REFRACTORY_STEPS,
                start: (0.0, 0.0),
            },
            units: vec![unit; units],
            input_weights: vec![1.0; units],
            starts: vec![0; units + 1],
            targets: Vec::new(),
            readout: vec![filter; units],
            readout_weights: vec![1.0; units],
            output_offsets: vec![0.0],
        }
    }

    /// Adds synapses of the weights `targets`, in ascending order, from `from`.
    pub fn connect(mut self, from: usize, targets: &[(u32, f64)]) -> Self {
        let end = self.starts[from + 1];
        self.targets.splice(end..end, targets.iter().copied());
        self.starts[from + 1..]
            .iter_mut()
            .for_each(|start| *start += targets.len());
        self
    }

    /// The network that core steps.
    pub fn tables(&self) -> Tables<'_, f64> {
        Tables {
            constants: self.constants,
            units: &self.units,
            input_weights: &self.input_weights,
            starts: &self.starts,
            targets: &self.targets,
            readout: &self.readout,
            readout_weights: &self.readout_weights,
            output_offsets: &self.output_offsets,
            readout_spike: 1.0,
        }
    }
}

/// The memory of a state.
pub struct Memory<A: Arithmetic> {
    pub blocks: Vec<Block<A>>,
    pub readout: Vec<ReadoutBlock<A>>,
    pub waiting: Vec<Waiting>,
    pub outputs: Vec<A>,
}

impl<A: Arithmetic> Memory<A> {
    /// Enough for `network`.
    pub fn of<N: Network<Number = A>>(network: &N) -> Self {
        let units = network.constants().units;
        Self {
            blocks: vec![Block::default(); blocks(units)],
            readout: vec![ReadoutBlock::default(); network.banks().blocks()],
            waiting: vec![Waiting::default(); units],
            outputs: vec![A::ZERO; network.constants().outputs],
        }
    }

    /// All of it.
    pub fn all(&mut self) -> StateMemory<'_, A> {
        StateMemory {
            blocks: &mut self.blocks,
            readout: &mut self.readout,
            waiting: &mut self.waiting,
            outputs: &mut self.outputs,
        }
    }

    /// Starts `network`.
    pub fn start<N: Network<Number = A>>(
        &mut self,
        network: &N,
        noise: &mut Noise,
    ) -> Result<State<'_, A>, StartError> {
        State::start(network, self.all(), noise)
    }
}
