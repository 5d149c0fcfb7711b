//! The spiking network in core's terms, in floating point.

use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::network::{Constants, Tables};
use rate2spike_core::neuron::{FilterFactors, StepFactors, UnitFactors};
use rate2spike_core::noise::DEVIATE_SD;

use super::network::SpikingNetwork;
use super::time_step::TimeStep;

impl SpikingNetwork {
    /// The same network in core's terms, in floating point.
    pub fn tables<A: Float>(&self, step: &TimeStep) -> OwnedTables<A> {
        let factors: Vec<StepFactors> = (0..self.units).map(|i| self.factors(i, step)).collect();
        let neuron = &self.neuron;
        let filter = |f: &StepFactors| FilterFactors {
            synapse_decay: A::from_f64(f.synapse_decay),
            // Weights are areas in mV·s; core counts in steps.
            rise_gain: A::from_f64(f.rise_gain * 1000.0 / step.ms),
        };
        let floats = |values: &[f64]| values.iter().map(|&x| A::from_f64(x)).collect();
        let mut starts = vec![0];
        let mut targets = Vec::new();
        for j in 0..self.units {
            let column = (0..self.units).map(|i| (i as u32, self.weights[i * self.units + j]));
            targets.extend(
                column
                    .filter(|(_, w)| *w != 0.0)
                    .map(|(i, w)| (i, A::from_f64(w))),
            );
            starts.push(targets.len());
        }
        OwnedTables {
            constants: Constants {
                units: self.units,
                inputs: self.channels,
                outputs: self.readout.outputs(),
                membrane: neuron.membrane,
                filter: self.filter(),
                leak: A::from_f64(factors[0].leak),
                rise_decay: A::from_f64(factors[0].rise_decay),
                noise_gain: A::from_f64(step.noise_mv(neuron) / DEVIATE_SD),
                threshold: A::from_f64(neuron.threshold_mv),
                reset: A::from_f64(neuron.reset_mv),
                refractory_steps: self.refractory_steps(step),
                start: (A::from_f64(neuron.reset_mv), A::from_f64(neuron.start_mv)),
            },
            units: factors
                .iter()
                .zip(self.biases_mv())
                .map(|(f, bias)| UnitFactors {
                    filter: filter(f),
                    gain: A::from_f64(f.gain),
                    lag: A::from_f64(f.lag),
                    bias: A::from_f64(bias),
                })
                .collect(),
            input_weights: floats(&self.input_weights),
            starts,
            targets,
            readout: factors.iter().map(filter).collect(),
            readout_weights: floats(&self.readout.weights),
            output_offsets: floats(&self.readout.offset),
        }
    }
}

/// A floating-point number of core.
pub trait Float:
    Arithmetic<Factor = Self, Fine = Self, Input = Self, InputWeight = Self, Sum = Self>
    + Default
    + Send
    + Sync
{
    /// Rounds to nearest.
    fn from_f64(x: f64) -> Self;
    /// Converts to `f64` without rounding.
    fn to_f64(self) -> f64;
}

impl Float for f64 {
    fn from_f64(x: f64) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        self
    }
}

impl Float for f32 {
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    fn to_f64(self) -> f64 {
        self.into()
    }
}

/// The memory behind [`Tables`].
#[derive(Clone, Debug)]
pub struct OwnedTables<A: Float> {
    constants: Constants<A>,
    units: Vec<UnitFactors<A>>,
    input_weights: Vec<A>,
    starts: Vec<usize>,
    targets: Vec<(u32, A)>,
    readout: Vec<FilterFactors<A>>,
    readout_weights: Vec<A>,
    output_offsets: Vec<A>,
}

impl<A: Float> OwnedTables<A> {
    /// The network that core steps.
    pub fn tables(&self) -> Tables<'_, A> {
        Tables {
            constants: self.constants,
            units: &self.units,
            input_weights: &self.input_weights,
            starts: &self.starts,
            targets: &self.targets,
            readout: &self.readout,
            readout_weights: &self.readout_weights,
            output_offsets: &self.output_offsets,
            readout_spike: A::OUTPUT_ONE,
        }
    }
}
