//! The decay factors of synapses and membranes in fixed point.

use super::error::QuantizeError;
use super::report::{Loss, Losses};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;

/// A decay factor in 16 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decay {
    /// In 2⁻¹⁶.
    pub(super) bits: i16,
    /// The factor before rounding.
    exact: f64,
}

impl Decay {
    /// `factor` is a relative change, for instance e^{−dt/τ} − 1.
    pub(super) fn new(
        factor: f64,
        name: &'static str,
        time_ms: f64,
        step_ms: f64,
    ) -> Result<Self, QuantizeError> {
        let bits = (factor * 65536.0).round();
        if bits.abs() > f64::from(i16::MAX) {
            return Err(QuantizeError::FastDecay {
                name,
                time_ms,
                step_ms,
            });
        }
        // Coarser than this and the time constant would be off by more than 5 %.
        if bits.abs() < 10.0 {
            return Err(QuantizeError::SlowDecay {
                name,
                time_ms,
                step_ms,
            });
        }
        Ok(Self {
            bits: bits as i16,
            exact: factor,
        })
    }

    pub(super) fn value(self) -> f64 {
        f64::from(self.bits) / 65536.0
    }

    /// Relative error of the time constant.
    pub(super) fn tau_error(self) -> f64 {
        self.exact.ln_1p() / self.value().ln_1p() - 1.0
    }
}

/// The decay factors of a network.
#[derive(Clone, Debug)]
pub(super) struct Decays {
    pub(super) rise: Option<Decay>,
    /// One a unit.
    pub(super) synapses: Vec<Decay>,
}

impl Decays {
    pub(super) fn new(
        network: &SpikingNetwork,
        step: &TimeStep,
        losses: &mut Losses,
    ) -> Result<Self, QuantizeError> {
        let neuron = &network.neuron;
        let rise = (neuron.rise_ms > 0.0)
            .then(|| {
                let factor = network.factors(0, step).rise_decay;
                Decay::new(factor, "the rise time", neuron.rise_ms, step.ms)
            })
            .transpose()?;
        let synapses: Vec<Decay> = (0..network.units)
            .map(|unit| {
                let factor = network.factors(unit, step).synapse_decay;
                Decay::new(
                    factor,
                    "a synaptic decay time",
                    network.decay_ms[unit],
                    step.ms,
                )
            })
            .collect::<Result<_, _>>()?;
        losses.tau_synapse = Loss::of(synapses.iter().map(|decay| decay.tau_error()));
        losses.tau_rise = Loss::of(rise.iter().map(|decay| decay.tau_error()));
        Ok(Self { rise, synapses })
    }

    /// Area of a current, in bits · steps, that one unit of the rise's top 16
    /// bits causes with a gain of one.
    pub(super) fn area(&self, synapse: Decay) -> f64 {
        area(self.rise.map(Decay::value), synapse.value())
    }
}

/// Sum over all steps of a current that one unit of rise causes, per unit of
/// gain.
pub(super) fn area(rise_decay: Option<f64>, synapse_decay: f64) -> f64 {
    rise_decay.map_or(1.0, |decay| -1.0 / decay) / -synapse_decay
}
