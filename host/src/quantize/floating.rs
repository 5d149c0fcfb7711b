//! Spiking → core's f32, and what was lost.
//!
//! The numbers are those of the simulation in f32. The readout has the bank of filters of
//! the fixed-point form, and the potentials start between reset and threshold as there.

use rate2spike_core::blob::{Shared, floating};
use rate2spike_core::neuron::Membrane;
use rate2spike_core::noise::DEVIATE_SD;

use super::readout::{bank_taus, response_error, share};
use super::report::{Loss, Losses};
use super::scores::shipped_start;
use super::{ArithmeticName, Described, QuantizeError, Quantized, Tables, check_form, quantize};
use crate::spiking::experiment::decision;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;
use crate::task::Task;

impl ArithmeticName {
    /// `network` for `task` in these numbers, with steps of `step`.
    ///
    /// # Errors
    /// [`QuantizeError`].
    pub fn quantize(
        self,
        network: &SpikingNetwork,
        task: &Task,
        step: &TimeStep,
    ) -> Result<Quantized, QuantizeError> {
        match self {
            ArithmeticName::Fixed => quantize(network, task, step),
            ArithmeticName::F32 => quantize_f32(network, task, step),
        }
    }
}

/// The f32 form of `network` for `task`, with steps of `step`.
///
/// # Errors
/// [`QuantizeError`].
pub fn quantize_f32(
    network: &SpikingNetwork,
    task: &Task,
    step: &TimeStep,
) -> Result<Quantized, QuantizeError> {
    step.check_sample(task.sample_ms())?;
    check(network, step)?;
    let network = &shipped_start(network);
    let neuron = &network.neuron;
    let factors: Vec<_> = (0..network.units)
        .map(|unit| network.factors(unit, step))
        .collect();
    let noise_gain = step.noise_mv(neuron) / DEVIATE_SD;
    let biases: Vec<f64> = network.biases_mv().collect();
    // Weights are areas in mV·s; core counts in steps.
    let rise_gain = |gain: f64| gain * 1000.0 / step.ms;
    let units = factors.iter().zip(&biases).flat_map(|(f, &bias)| {
        let gain = rise_gain(f.rise_gain);
        [f.synapse_decay, gain, f.gain, f.lag, bias]
    });
    let (starts, synapses) = columns(network);
    let readout = Readout::new(network, step);
    let shared = Shared {
        units: network.units as u16,
        inputs: network.channels as u8,
        double_filter: neuron.rise_ms > 0.0,
        leak: factors[0].leak as f32,
        rise_decay: factors[0].rise_decay as f32,
        noise_gain: noise_gain as f32,
        unit_mv: 1,
        threshold: neuron.threshold_mv as f32,
        reset: neuron.reset_mv as f32,
        start: (neuron.reset_mv as f32, neuron.start_mv as f32),
        refractory_steps: network.refractory_steps(step),
        weight_shift: 0,
        readout_shift: 0,
    };
    let tables = Tables {
        units: numbers(units),
        input_weights: numbers(network.input_weights.iter().copied()),
        starts,
        synapses,
        filters: readout.filters,
        readout: readout.rows,
        output_offsets: match network.readout.offset.iter().all(|&offset| offset == 0.0) {
            true => Vec::new(),
            false => numbers(network.readout.offset.iter().copied()),
        },
    };
    let described = Described::new(network, task, step);
    let bytes = described.bytes(shared, decision::<f32>(task, step), &tables);
    let bytes = bytes.map_err(QuantizeError::Float)?;
    let decay = |exact: f64| f64::from(exact as f32).ln_1p() / exact.ln_1p() - 1.0;
    let largest = |row: &[f64]| row.iter().fold(f64::MIN_POSITIVE, |m, w| m.max(w.abs()));
    let rows = network.weights.chunks_exact(network.units);
    let losses = Losses {
        weight: Loss::of(rows.flat_map(|row| {
            let scale = largest(row);
            row.iter().map(move |&w| rounding(w) / scale)
        })),
        tau_synapse: Loss::of(factors.iter().map(|f| decay(f.synapse_decay))),
        tau_rise: Loss::of(
            (neuron.rise_ms > 0.0)
                .then(|| decay(factors[0].rise_decay))
                .into_iter(),
        ),
        tau_membrane: Loss::of([decay(-factors[0].leak)].into_iter()),
        noise: Loss::of(
            (noise_gain > 0.0)
                .then(|| rounding(noise_gain) / noise_gain)
                .into_iter(),
        ),
        bias_mv: Loss::of(biases.iter().map(|&bias| rounding(bias))),
        input_weight_mv: Loss::of(network.input_weights.iter().map(|&w| rounding(w))),
        readout_weight: Loss::of({
            let scale = largest(&network.readout.weights);
            let weights = network.readout.weights.iter();
            weights.map(move |&w| rounding(w) / scale)
        }),
        readout_filter: readout.response,
    };
    Ok(Quantized {
        bytes,
        losses,
        rounded: Vec::new(),
    })
}

fn check(network: &SpikingNetwork, step: &TimeStep) -> Result<(), QuantizeError> {
    match network.neuron.membrane {
        Membrane::Leaky => {}
        Membrane::Quadratic => return Err(QuantizeError::QuadraticFloat),
    }
    check_form(network, step)
}

/// The error of a number in f32.
fn rounding(exact: f64) -> f64 {
    f64::from(exact as f32) - exact
}

/// Numbers as bytes.
fn numbers(values: impl Iterator<Item = f64>) -> Vec<u8> {
    values.flat_map(|x| (x as f32).to_le_bytes()).collect()
}

/// Columns of targets: the gap to the target before, and the weight.
fn columns(network: &SpikingNetwork) -> (Vec<u8>, Vec<u8>) {
    let n = network.units;
    let (mut starts, mut synapses) = (Vec::new(), Vec::new());
    let start = |synapses: &[u8]| (synapses.len() / floating::SYNAPSE_BYTES) as u32;
    for from in 0..n {
        starts.extend(start(&synapses).to_le_bytes());
        let mut last = 0;
        for to in 0..n {
            let weight = network.weights[to * n + from] as f32;
            if weight != 0.0 {
                synapses.extend(((to - last) as u16).to_le_bytes());
                synapses.extend(weight.to_le_bytes());
                last = to;
            }
        }
    }
    starts.extend(start(&synapses).to_le_bytes());
    (starts, synapses)
}

/// The readout as the blob has it.
struct Readout {
    /// Decay and gain of each filter.
    filters: Vec<u8>,
    /// First filter of each unit, and two weights for each output.
    rows: Vec<u8>,
    /// The error of the filters' responses.
    response: Loss,
}

impl Readout {
    fn new(network: &SpikingNetwork, step: &TimeStep) -> Self {
        let taus = bank_taus(&network.decay_ms);
        let filters = taus.iter().flat_map(|&tau_ms| {
            let factors = step.factors(&network.neuron, tau_ms);
            [factors.synapse_decay, factors.rise_gain * 1000.0 / step.ms]
        });
        let mut rows = Vec::new();
        for (unit, &tau) in network.decay_ms.iter().enumerate() {
            let shares = network.readout.rows().map(|(row, _)| row[unit]);
            let shares = shares.map(|weight| share(&taus, tau, weight));
            rows.push(share(&taus, tau, 1.0).first as u8);
            rows.extend(numbers(shares.flat_map(|share| share.weights)));
        }
        let rise_ms = network.neuron.rise_ms;
        let errors = network.decay_ms.iter().map(|&tau| {
            let share = share(&taus, tau, 1.0);
            response_error(&taus, &share, tau, rise_ms)
        });
        Self {
            response: Loss::of(errors),
            filters: numbers(filters),
            rows,
        }
    }
}
