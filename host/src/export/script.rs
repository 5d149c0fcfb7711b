//! The network and one of its trials for Brian2 and NEST: a script, and its numbers in an
//! `.npz` of the same name.

use rate2spike_core::neuron::Membrane;
use rate2spike_core::noise::Noise;
use rate2spike_core::trial::Clock;

use super::ExportError;
use super::fidelity::{Fidelity, approximate, faithful, unsupported};
use crate::formats::npz::{Npz, Values};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::Memory;

/// The simulator that runs the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulator {
    /// Brian2.
    Brian2,
    /// NEST.
    Nest,
}

/// A trial: the input of the network, and the seed of its random numbers.
#[derive(Clone, Debug)]
pub struct ScriptTrial {
    /// Channels × samples, channel by channel.
    pub input: Vec<f64>,
    /// Length of the trial and of an input sample, in steps.
    pub clock: Clock,
    /// Seed of the start potentials.
    pub seed: u64,
    /// Number of the trial.
    pub index: u64,
}

impl Simulator {
    /// The script, which finds its numbers by its own file name.
    pub fn script(self) -> &'static str {
        match self {
            Simulator::Brian2 => include_str!("brian2.py"),
            Simulator::Nest => include_str!("nest.py"),
        }
    }

    /// True if `bytes` are a script for this simulator, from any version of this program.
    pub fn wrote(self, bytes: &[u8]) -> bool {
        let first_line = self.script().lines().next().unwrap_or_default();
        bytes.starts_with(first_line.as_bytes())
    }

    /// The fidelity report of the script.
    pub fn fidelity(self) -> Vec<Fidelity> {
        match self {
            Simulator::Brian2 => vec![
                faithful("membrane and filters", "the factors of our exact step"),
                faithful(
                    "weights and delivery",
                    "a spike reaches its targets within the step",
                ),
                faithful("refractory time", "counted in steps for each unit"),
                faithful("input", "held for a sample, changed at the same steps"),
                faithful("start", "the potentials of this trial"),
                faithful(
                    "membrane noise",
                    "off by default; --noise adds the same process, with other random numbers",
                ),
                faithful("readout", "the same two filters; --output writes it"),
                unsupported("decision", "the script prints spikes and no answer"),
            ],
            Simulator::Nest => vec![
                faithful(
                    "membrane and filters",
                    "iaf_psc_exp_multisynapse, integrated exactly; the double filter is the difference of its two ports",
                ),
                approximate(
                    "delivery",
                    "NEST has no delay below a step: currents are sent with the size that they have one step later, and the membrane gets the first step of each one step late",
                ),
                faithful("refractory time", "t_ref"),
                faithful("input", "held for a sample, changed at the same steps"),
                faithful(
                    "start",
                    "the potentials of this trial, held for the first refractory time",
                ),
                unsupported("membrane noise", "off; NEST's noise is a current"),
                faithful(
                    "readout",
                    "--output writes the same two filters of NEST's spikes",
                ),
                unsupported("decision", "the script prints spikes and no answer"),
            ],
        }
    }
}

/// The numbers beside the script.
///
/// # Errors
/// [`ExportError::Quadratic`].
pub fn numbers(
    network: &SpikingNetwork,
    step: &TimeStep,
    trial: &ScriptTrial,
) -> Result<Npz, ExportError> {
    if network.neuron.membrane != Membrane::Leaky {
        return Err(ExportError::Quadratic);
    }
    let (n, neuron) = (network.units, &network.neuron);
    let factors: Vec<_> = (0..n).map(|unit| network.factors(unit, step)).collect();
    let mut file = Npz::new();
    for (name, value) in [
        ("dt_ms", step.ms),
        ("tau_m_ms", neuron.tau_m_ms),
        ("rise_ms", neuron.rise_ms),
        ("threshold_mv", neuron.threshold_mv),
        ("reset_mv", neuron.reset_mv),
        ("noise_mv", step.noise_mv(neuron)),
        ("lambda_hz", network.lambda),
        ("leak", factors[0].leak),
        ("rise_decay", factors[0].rise_decay),
    ] {
        file.number(name, value);
    }
    for (name, value) in [
        ("steps", trial.clock.steps),
        ("steps_per_sample", trial.clock.steps_per_sample),
        ("refractory_steps", network.refractory_steps(step).into()),
    ] {
        file.insert(name, &[], Values::I64(vec![value.into()]));
    }
    let weights = network.weights.clone();
    file.insert("weights_mv_s", &[n, n], Values::F64(weights));
    let input_weights = network.input_weights.clone();
    file.insert(
        "input_weights_mv",
        &[n, network.channels],
        Values::F64(input_weights),
    );
    let readout = &network.readout;
    match readout.offset[..] {
        [offset] => {
            file.vector("readout_s", readout.weights.clone());
            file.number("output_offset", offset);
        }
        _ => {
            let weights = Values::F64(readout.weights.clone());
            file.insert("readout_s", &[readout.outputs(), n], weights);
            file.vector("output_offset", readout.offset.clone());
        }
    }
    file.vector("decay_ms", network.decay_ms.clone());
    file.vector("bias_mv", network.biases_mv().collect());
    file.vector(
        "synapse_decay",
        factors.iter().map(|f| f.synapse_decay).collect(),
    );
    // Weights are areas in mV·s; the step of the script counts time in steps.
    let gains = factors.iter().map(|f| f.rise_gain * 1000.0 / step.ms);
    file.vector("rise_gain", gains.collect());
    file.vector("gain", factors.iter().map(|f| f.gain).collect());
    file.vector("lag", factors.iter().map(|f| f.lag).collect());
    file.vector("start_mv", start_mv(network, step, trial));
    let samples = trial.input.len() / network.channels;
    file.insert(
        "input",
        &[network.channels, samples],
        Values::F64(trial.input.clone()),
    );
    Ok(file)
}

/// Potentials at the start of the trial.
fn start_mv(network: &SpikingNetwork, step: &TimeStep, trial: &ScriptTrial) -> Vec<f64> {
    let tables = network.tables::<f64>(step);
    let network_tables = tables.tables();
    let mut memory = Memory::of(&network_tables);
    let mut noise = Noise::new(trial.seed, trial.index);
    let state = memory.start(&network_tables, &mut noise);
    (0..network.units)
        .map(|unit| state.potential(unit))
        .collect()
}
