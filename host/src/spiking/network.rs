//! The spiking network in millivolts and milliseconds.

use rate2spike_core::neuron::{Filter, StepFactors};

use super::neuron::Neuron;
use super::time_step::TimeStep;
use crate::readout::Readout;

/// A spiking network in mV and ms. N units, K input channels; matrices are row
/// by row.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikingNetwork {
    /// The neuron.
    pub neuron: Neuron,
    /// N.
    pub units: usize,
    /// K.
    pub channels: usize,
    /// Area of the current that a spike of j causes in i, mV·s, N × N.
    pub weights: Vec<f64>,
    /// mV per unit of input, N × K.
    pub input_weights: Vec<f64>,
    /// Constant current of each unit beside the neuron's own, mV, N.
    pub offset_mv: Vec<f64>,
    /// Weights: area of a spike's contribution to an output, s, outputs × N. The offset
    /// of a single output is 0: the published conversion leaves that of the rate network
    /// out.
    pub readout: Readout<f64>,
    /// Decay time constants of the synapses, ms, N.
    pub decay_ms: Vec<f64>,
    /// λ.
    pub lambda: f64,
}

impl SpikingNetwork {
    /// Constant current of each unit, mV, N.
    pub fn biases_mv(&self) -> impl Iterator<Item = f64> {
        let bias = self.neuron.bias_mv;
        self.offset_mv.iter().map(move |offset| bias + offset)
    }

    /// The factors of one step for `unit`.
    pub fn factors(&self, unit: usize, step: &TimeStep) -> StepFactors {
        step.factors(&self.neuron, self.decay_ms[unit])
    }

    /// Steps after a spike in which a membrane feels its noise only.
    pub fn refractory_steps(&self, step: &TimeStep) -> u16 {
        (self.neuron.refractory_ms / step.ms)
            .round()
            .min(f64::from(u16::MAX - 1)) as u16
    }

    /// The synapse's filter.
    pub fn filter(&self) -> Filter {
        if self.neuron.rise_ms > 0.0 {
            Filter::Double
        } else {
            Filter::Single
        }
    }
}
