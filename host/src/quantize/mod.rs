//! Spiking → core's fixed-point numbers, and what was lost.
//!
//! No other module knows both millivolts and bits. The formats are those of
//! [`rate2spike_core::arithmetic`] and [`rate2spike_core::blob`].
//!
//! A receiving unit's weights share one scale, which is chosen so that the
//! unit's 16-bit gain is an integer to begin with: the area of a spike's
//! current then has only the error of the 8-bit weight, whatever the
//! rounding of the decay factors. The readout has a small bank of filters
//! instead of one a unit; a unit feeds the two whose time constants bracket its
//! own, in shares that keep the area and the mean delay of its response.
//!
//! A start of the potentials above the threshold, such as the published one, ends at
//! the threshold here.

mod decay;
mod error;
pub mod floating;
pub mod longest_step;
pub mod perturb;
mod readout;
pub mod report;
pub mod rounding;
pub mod saturation;
pub mod scores;

use clap::ValueEnum;
use fixed::types::{I4F12, I6F10};
use rate2spike_core::arithmetic::{Arithmetic, DRIVE_FRACTION_BITS, FACTOR_SHIFT, Fixed};
use rate2spike_core::blob::{self, BlobError, Deployed, Payload, SelfTest, Shared, Stored};
use rate2spike_core::decision::{Decision, Kind, MOST_OUTPUTS};
use rate2spike_core::network::MOST_INPUTS;
use rate2spike_core::neuron::{Membrane, Scheme};
use rate2spike_core::noise::DEVIATE_SD;

use crate::readout::Readout;
use crate::spiking::experiment::clock;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::{Deployable, Memory};
use crate::task::Task;
use decay::{Decay, Decays, area};
pub use error::QuantizeError;
use error::{MOST_CURRENT_MV, MOST_UNIT_MV};
use report::{Loss, Losses};
use rounding::Rounded;

/// Largest size of a constant drive, mV.
const MOST_DRIVE_MV: f64 = 60.0;

/// Most bytes of a class's name in a deployed network.
const MOST_NAME_BYTES: usize = 24;

/// Seed of the self-test.
const SELF_TEST_SEED: u64 = 0x5EED;

/// The numbers of a deployed network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ArithmeticName {
    /// Integers of 32 bits: each board, and the faster one
    #[default]
    Fixed,
    /// Floating point of 32 bits: boards with a floating-point unit
    F32,
}

impl ArithmeticName {
    /// The numbers of a deployed network with these bytes.
    pub fn of(blob: &[u8]) -> Self {
        match blob::arithmetic(blob) {
            f32::ARITHMETIC => ArithmeticName::F32,
            _ => ArithmeticName::Fixed,
        }
    }

    /// The numbers in words.
    pub fn words(self) -> &'static str {
        match self {
            ArithmeticName::Fixed => Fixed::NAME,
            ArithmeticName::F32 => f32::NAME,
        }
    }
}

/// A network as a blob, and what it lost.
#[derive(Clone, Debug)]
pub struct Quantized {
    /// The blob.
    pub bytes: Vec<u8>,
    /// The errors of quantization, quantity by quantity.
    pub losses: Losses,
    /// The values that the fixed-point form changes by more than a tenth.
    pub rounded: Vec<Rounded>,
}

/// The tables of a deployed network.
#[derive(Clone, Debug, Default)]
struct Tables {
    units: Vec<u8>,
    input_weights: Vec<u8>,
    starts: Vec<u8>,
    synapses: Vec<u8>,
    filters: Vec<u8>,
    readout: Vec<u8>,
    output_offsets: Vec<u8>,
}

/// What a deployed network says of its task, whatever its numbers are.
struct Described<'a> {
    task: &'a Task,
    step: &'a TimeStep,
    lambda: f64,
    outputs: usize,
    pulses: Vec<u8>,
    class_names: Vec<u8>,
    sensor_channels: u8,
    preprocessing: Vec<u8>,
}

impl<'a> Described<'a> {
    fn new(network: &SpikingNetwork, task: &'a Task, step: &'a TimeStep) -> Self {
        let (sensor_channels, preprocessing) = preprocessing(task);
        Self {
            task,
            step,
            lambda: network.lambda,
            outputs: network.readout.outputs(),
            pulses: self_test_pulses(task),
            class_names: class_names(task),
            sensor_channels,
            preprocessing,
        }
    }

    /// The blob of these tables, with its self-test.
    ///
    /// # Errors
    /// The fault of a number that the reader refuses.
    fn bytes<A: Stored>(
        &self,
        shared: Shared<A>,
        decision: Decision<A>,
        tables: &Tables,
    ) -> Result<Vec<u8>, BlobError> {
        let task = self.task;
        let mut payload = Payload {
            task: task.name().as_bytes(),
            step_ns: (self.step.ms * 1e6).round() as u32,
            lambda_thousandths: (self.lambda * 1000.0).round() as u32,
            shared,
            clock: clock(task, self.step),
            decision,
            self_test: SelfTest {
                seed: SELF_TEST_SEED,
                spike_hash: 0,
                pulses: &self.pulses,
            },
            units: &tables.units,
            input_weights: &tables.input_weights,
            starts: &tables.starts,
            synapses: &tables.synapses,
            filters: &tables.filters,
            readout: &tables.readout,
            task_hash: Some(task.fingerprint()),
            outputs: self.outputs as u8,
            output_offsets: &tables.output_offsets,
            class_names: &self.class_names,
            sensor_channels: self.sensor_channels,
            preprocessing: &self.preprocessing,
            parts_seed: task.recorded().map(|recorded| recorded.description.seed),
        };
        let unproven = bytes(&payload);
        payload.self_test.spike_hash = self_test::<A>(&Deployed::of(&unproven)?);
        Ok(bytes(&payload))
    }
}

/// The fixed-point form of `network` for `task`, with steps of `step`.
///
/// # Errors
/// [`QuantizeError`].
pub fn quantize(
    network: &SpikingNetwork,
    task: &Task,
    step: &TimeStep,
) -> Result<Quantized, QuantizeError> {
    step.check_sample(task.sample_ms())?;
    let unit_mv = unit_mv(network, step)?;
    let measured = measured_in(unit_mv, network);
    check(&measured, step, unit_mv)?;
    let network = &SpikingNetwork {
        readout: divided(&network.readout, saturation::divisor(network, task, step)),
        ..measured
    };
    let mut losses = Losses::default();
    let decays = Decays::new(network, step, &mut losses)?;
    let (tables, weight_shift) = tables(network, step, &decays, &mut losses)?;
    let readout = readout::Bank::new(network, step, &decays, &mut losses)?;
    let shared = Shared {
        unit_mv: unit_mv as u8,
        threshold: Fixed::saturating_from_num(network.neuron.threshold_mv * unit_mv),
        weight_shift,
        readout_shift: readout.shift,
        ..shared(network, step, &decays, &mut losses)?
    };
    for loss in [&mut losses.bias_mv, &mut losses.input_weight_mv] {
        *loss = loss.times(unit_mv);
    }
    let tables = Tables {
        filters: readout.filters,
        readout: readout.rows,
        output_offsets: output_offsets(&network.readout.offset),
        ..tables
    };
    let described = Described::new(network, task, step);
    let bytes = described.bytes(shared, decision(task, step), &tables);
    let bytes = bytes.expect("a blob that was just written is valid");
    let neuron = &network.neuron;
    let noise_bits = noise_bits(neuron, step);
    let noise_mv = neuron.noise_mv * unit_mv;
    let kept = noise_bits.round() / noise_bits;
    let refractory_ms = f64::from(shared.refractory_steps) * step.ms;
    let rounded = [
        Rounded::of("--noise", "mV", noise_mv, noise_mv * kept),
        Rounded::of("--refractory", "ms", neuron.refractory_ms, refractory_ms),
    ];
    Ok(Quantized {
        bytes,
        losses,
        rounded: rounded.into_iter().flatten().collect(),
    })
}

fn bytes<A: Stored>(payload: &Payload<A>) -> Vec<u8> {
    let tables = [
        payload.units,
        payload.input_weights,
        payload.starts,
        payload.synapses,
        payload.filters,
        payload.readout,
        payload.self_test.pulses,
        payload.output_offsets,
        payload.class_names,
        payload.preprocessing,
    ];
    // Every other field takes at most ten bytes as a varint.
    let room = tables.iter().map(|table| table.len()).sum::<usize>() + 1024;
    let mut buffer = vec![0; room];
    blob::write(payload, &mut buffer)
        .expect("the buffer was made large enough")
        .to_vec()
}

/// Runs the self-test of a blob; returns the hash of its spikes.
pub fn self_test<A: Stored>(deployed: &Deployed<A>) -> u64 {
    deployed
        .self_test(Memory::of(deployed).all())
        .expect("the memory was made for this network")
}

/// The offset of each output; empty if all are zero.
fn output_offsets(offsets: &[f64]) -> Vec<u8> {
    if offsets.iter().all(|&offset| offset == 0.0) {
        return Vec::new();
    }
    let bytes = |&offset| output(offset).to_le_bytes();
    offsets.iter().flat_map(bytes).collect()
}

/// The names of a task's classes, each shortened to [`MOST_NAME_BYTES`]; empty for
/// a task without classes.
fn class_names(task: &Task) -> Vec<u8> {
    let definition = task.definition();
    if !matches!(definition.kind, Kind::Class | Kind::Label) {
        return Vec::new();
    }
    let names: Vec<String> = definition
        .answers
        .iter()
        .map(|answer| {
            let name = answer.name.replace(char::is_control, " ");
            name[..name.floor_char_boundary(MOST_NAME_BYTES)].into()
        })
        .collect();
    names.join("\n").into_bytes()
}

/// The number of channels of a data set, and the chain from their integers to the inputs of
/// the network; nothing for another task.
fn preprocessing(task: &Task) -> (u8, Vec<u8>) {
    let Some(recorded) = task.recorded() else {
        return (0, Vec::new());
    };
    let description = &recorded.description;
    let chain = description.preprocessing();
    let chain = chain.expect("the description was checked when the task was made");
    (description.channels.len() as u8, chain)
}

/// One pulse a channel, one after the other: every input weight takes part.
fn self_test_pulses(task: &Task) -> Vec<u8> {
    let channels = task.channels();
    let length = task.samples() / (channels + 1);
    (0..channels)
        .flat_map(|k| {
            let (first, end) = ((k + 1) * length / 2, (k + 2) * length / 2);
            let mut pulse = vec![k as u8];
            pulse.extend((first as u16).to_le_bytes());
            pulse.extend((end as u16).to_le_bytes());
            pulse.extend(I4F12::ONE.to_le_bytes());
            pulse
        })
        .collect()
}

/// Refuses a time step in which a synapse's decay, the rise or the membrane has
/// no fixed-point form. It needs no network, so that it can be asked before one
/// is trained.
///
/// # Errors
/// [`QuantizeError::FastDecay`] or [`QuantizeError::SlowDecay`].
pub fn check_decays(neuron: &Neuron, decay_ms: f64, step: &TimeStep) -> Result<(), QuantizeError> {
    let factors = step.factors(neuron, decay_ms);
    let synapse = factors.synapse_decay;
    Decay::new(synapse, "a synaptic decay time", decay_ms, step.ms)?;
    Decay::new(-factors.leak, "the membrane time", neuron.tau_m_ms, step.ms)?;
    if neuron.rise_ms > 0.0 {
        Decay::new(factors.rise_decay, "the rise time", neuron.rise_ms, step.ms)?;
    }
    Ok(())
}

/// Checks what a blob asks for with numbers of any kind.
fn check_form(network: &SpikingNetwork, step: &TimeStep) -> Result<(), QuantizeError> {
    if step.scheme != Scheme::Exact {
        return Err(QuantizeError::Scheme);
    }
    if network.readout.outputs() > MOST_OUTPUTS {
        return Err(QuantizeError::Outputs(network.readout.outputs()));
    }
    if network.channels > MOST_INPUTS {
        return Err(QuantizeError::Channels(network.channels));
    }
    Ok(())
}

fn check(network: &SpikingNetwork, step: &TimeStep, unit_mv: f64) -> Result<(), QuantizeError> {
    match network.neuron.membrane {
        Membrane::Leaky => {}
        Membrane::Quadratic => return Err(QuantizeError::Quadratic),
    }
    check_form(network, step)?;
    for (unit, bias) in biases_above_threshold(network).enumerate() {
        let weights = &network.input_weights[unit * network.channels..][..network.channels];
        let limit = f64::from(I6F10::MAX);
        if let Some(&value) = weights.iter().find(|w| w.abs() > limit) {
            return Err(QuantizeError::Voltage {
                name: "input weight",
                unit,
                value: value * unit_mv,
                limit: limit * unit_mv,
            });
        }
        if bias.abs() > MOST_DRIVE_MV {
            return Err(QuantizeError::Voltage {
                name: "distance between bias and threshold",
                unit,
                value: bias * unit_mv,
                limit: MOST_DRIVE_MV * unit_mv,
            });
        }
    }
    Ok(())
}

/// The unit whose currents could lie furthest apart, and how far in mV. No unit
/// fires faster than its refractory time allows, so that the weights bound the
/// currents.
fn most_current(network: &SpikingNetwork, step: &TimeStep) -> Option<(usize, f64)> {
    let steps_between_spikes = f64::from(network.refractory_steps(step)) + 1.0;
    let most_hz = 1000.0 / (steps_between_spikes * step.ms);
    let rows = network.weights.chunks_exact(network.units).enumerate();
    let currents = rows.map(|(unit, row)| {
        // Two spikes can follow each other at once at the start of a trial; a
        // single spike's peak, area over τ, is added for them.
        let most_hz = most_hz + 1000.0 / network.decay_ms[unit];
        let (excitation, inhibition) =
            row.iter().fold(
                (0.0, 0.0),
                |(e, i), &w| {
                    if w > 0.0 { (e + w, i) } else { (e, i - w) }
                },
            );
        (unit, (excitation + inhibition) * most_hz)
    });
    currents.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The voltage, mV, that one mV of the fixed-point format stands for, so that every
/// current and every input weight fits: a power of two, one wherever possible. Networks without Dale's
/// principle, and those of relu and softplus, have currents of some thousand mV
/// that excitation and inhibition never reach alone.
fn unit_mv(network: &SpikingNetwork, step: &TimeStep) -> Result<f64, QuantizeError> {
    let (unit, current_mv) = most_current(network, step).unwrap_or_default();
    let whole = |wanted: f64| wanted.log2().ceil().exp2();
    if whole(current_mv / MOST_CURRENT_MV) > MOST_UNIT_MV {
        return Err(QuantizeError::Current { unit, current_mv });
    }
    let weights = network.input_weights.iter();
    let input_mv = weights.fold(0.0, |most: f64, w| most.max(w.abs()));
    let wanted = (current_mv / MOST_CURRENT_MV).max(input_mv / f64::from(I6F10::MAX));
    Ok(whole(wanted).clamp(1.0, MOST_UNIT_MV))
}

/// The same network with potentials and currents in units of `unit_mv`: a leaky
/// membrane is linear up to its threshold, so that the spikes stay where they
/// are.
fn measured_in(unit_mv: f64, network: &SpikingNetwork) -> SpikingNetwork {
    let smaller = |values: &[f64]| values.iter().map(|value| value / unit_mv).collect();
    let neuron = network.neuron;
    SpikingNetwork {
        neuron: Neuron {
            bias_mv: neuron.bias_mv / unit_mv,
            threshold_mv: neuron.threshold_mv / unit_mv,
            reset_mv: neuron.reset_mv / unit_mv,
            start_mv: neuron.start_mv / unit_mv,
            noise_mv: neuron.noise_mv / unit_mv,
            ..neuron
        },
        weights: smaller(&network.weights),
        input_weights: smaller(&network.input_weights),
        offset_mv: smaller(&network.offset_mv),
        ..network.clone()
    }
}

/// A readout whose outputs are smaller by `divisor`.
fn divided(readout: &Readout<f64>, divisor: f64) -> Readout<f64> {
    let smaller = |values: &[f64]| values.iter().map(|value| value / divisor).collect();
    Readout {
        weights: smaller(&readout.weights),
        offset: smaller(&readout.offset),
    }
}

/// The tables of the units and of the synapses, and the shift of the weights.
fn tables(
    network: &SpikingNetwork,
    step: &TimeStep,
    decays: &Decays,
    losses: &mut Losses,
) -> Result<(Tables, u8), QuantizeError> {
    let n = network.units;
    let weight_shift = weight_shift(network, step, decays);
    let mut gains = Vec::with_capacity(n);
    let mut quantized = vec![0i8; n * n];
    let mut errors = Vec::new();
    for (unit, row) in network.weights.chunks_exact(n).enumerate() {
        let scale = RowScale::new(network, step, decays, unit, weight_shift);
        for (q, &w) in quantized[unit * n..].iter_mut().zip(row) {
            let exact = w / scale.weight;
            *q = exact.round().clamp(-127.0, 127.0) as i8;
            if w != 0.0 {
                errors.push((f64::from(*q) - exact) * scale.weight / scale.largest);
            }
        }
        gains.push(scale.gain);
    }
    losses.weight = Loss::of(errors.into_iter());

    let biases: Vec<i16> = biases_above_threshold(network).map(drive_bits).collect();
    let exact = biases_above_threshold(network).zip(&biases);
    losses.bias_mv = Loss::of(exact.map(|(exact, &bits)| f64::from(bits) / 32.0 - exact));
    let units = (0..n)
        .flat_map(|unit| [decays.synapses[unit].bits, gains[unit], biases[unit]])
        .flat_map(i16::to_le_bytes)
        .collect();
    let inputs: Vec<I6F10> = network
        .input_weights
        .iter()
        .map(|&w| I6F10::saturating_from_num(w))
        .collect();
    losses.input_weight_mv = Loss::of(
        inputs
            .iter()
            .zip(&network.input_weights)
            .map(|(q, w)| q.to_num::<f64>() - w),
    );
    let (starts, synapses) = columns(&quantized, n);
    let tables = Tables {
        units,
        input_weights: inputs.iter().flat_map(|w| w.to_le_bytes()).collect(),
        starts,
        synapses,
        ..Tables::default()
    };
    Ok((tables, weight_shift))
}

/// The bias of each unit as the format counts it, mV.
fn biases_above_threshold(network: &SpikingNetwork) -> impl Iterator<Item = f64> {
    let threshold = network.neuron.threshold_mv;
    network.biases_mv().map(move |bias| bias - threshold)
}

fn drive_bits(mv: f64) -> i16 {
    (mv * f64::from(1u32 << DRIVE_FRACTION_BITS)).round() as i16
}

/// Columns of targets: the gap to the target before, and the weight. A gap
/// beyond a byte is bridged by weights of zero.
fn columns(weights: &[i8], n: usize) -> (Vec<u8>, Vec<u8>) {
    let mut starts = Vec::with_capacity((n + 1) * blob::START_BYTES);
    let mut synapses = Vec::new();
    for j in 0..n {
        starts.extend(((synapses.len() / blob::SYNAPSE_BYTES) as u32).to_le_bytes());
        let mut at = 0;
        for i in (0..n).filter(|&i| weights[i * n + j] != 0) {
            while i - at > 255 {
                synapses.extend([255, 0]);
                at += 255;
            }
            synapses.extend([(i - at) as u8, weights[i * n + j] as u8]);
            at = i;
        }
    }
    starts.extend(((synapses.len() / blob::SYNAPSE_BYTES) as u32).to_le_bytes());
    (starts, synapses)
}

/// The largest shift with which no rise can leave 32 bits: the more bits, the
/// finer the decay of small rises. The single filter has no rise.
fn weight_shift(network: &SpikingNetwork, step: &TimeStep, decays: &Decays) -> u8 {
    let Some(rise) = decays.rise else {
        return FACTOR_SHIFT as u8;
    };
    let spacing = f64::from(network.refractory_steps(step)) + 1.0;
    // A unit that fires as fast as it can, and once more at the start.
    let arrivals = 1.0 / -(spacing * rise.value().ln_1p()).exp_m1() + 1.0;
    let widest = network
        .weights
        .chunks_exact(network.units)
        .map(|row| {
            let largest = row.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
            let sum: f64 = row.iter().map(|w| w.abs()).sum();
            if largest > 0.0 { sum / largest } else { 0.0 }
        })
        .fold(1.0, f64::max);
    let bits = (f64::from(i32::MAX) / (widest * 127.0 * arrivals))
        .log2()
        .floor();
    bits.clamp(8.0, 20.0) as u8
}

/// The scale of a receiving unit's weights.
struct RowScale {
    /// Weight in mV·s of one unit of the 8-bit weight.
    weight: f64,
    /// Largest weight of the row, mV·s.
    largest: f64,
    /// The unit's gain.
    gain: i16,
}

impl RowScale {
    fn new(
        network: &SpikingNetwork,
        step: &TimeStep,
        decays: &Decays,
        unit: usize,
        shift: u8,
    ) -> Self {
        let row = &network.weights[unit * network.units..(unit + 1) * network.units];
        let largest = row.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
        // mV·s that one unit of weight and one unit of gain stand for.
        let unit_weight =
            unit_area(network, step, decays, unit, shift) / f64::from(1u32 << Fixed::FRAC_NBITS);
        let gain = (largest / (127.0 * unit_weight))
            .ceil()
            .clamp(1.0, f64::from(i16::MAX));
        Self {
            weight: gain * unit_weight,
            largest: largest.max(unit_weight),
            gain: gain as i16,
        }
    }
}

/// The worth of an amount of `2^shift` in a rise with a gain of one, in bits of the
/// current: its area in bits · steps over that of a unit weight in
/// floating point, so that both have the same area.
fn unit_area(
    network: &SpikingNetwork,
    step: &TimeStep,
    decays: &Decays,
    unit: usize,
    shift: u8,
) -> f64 {
    let exact = network.factors(unit, step);
    let rise = decays.rise.map(|_| exact.rise_decay);
    let exact_area = exact.rise_gain * 1000.0 / step.ms * area(rise, exact.synapse_decay);
    let amount = f64::from(shift) - f64::from(FACTOR_SHIFT);
    amount.exp2() * decays.area(decays.synapses[unit]) / exact_area
}

/// What all units share, in one-millivolt units of potential. The shifts of the weights and
/// of the readout are zero: their tables are made apart.
fn shared(
    network: &SpikingNetwork,
    step: &TimeStep,
    decays: &Decays,
    losses: &mut Losses,
) -> Result<Shared, QuantizeError> {
    let neuron = &network.neuron;
    let exact = network.factors(0, step);
    let leak = Decay::new(-exact.leak, "the membrane time", neuron.tau_m_ms, step.ms)?;
    losses.tau_membrane = Loss::of([leak.tau_error()].into_iter());
    let noise_bits = noise_bits(neuron, step);
    if noise_bits > f64::from(i16::MAX) {
        return Err(QuantizeError::Noise(step.noise_mv(neuron)));
    }
    if noise_bits > 0.0 {
        losses.noise = Loss::of([noise_bits.round() / noise_bits - 1.0].into_iter());
    }
    Ok(Shared {
        units: network.units as u16,
        inputs: network.channels as u8,
        double_filter: decays.rise.is_some(),
        leak: -leak.bits,
        rise_decay: decays.rise.map_or(0, |rise| rise.bits),
        noise_gain: noise_bits.round() as i16,
        unit_mv: 1,
        threshold: Fixed::saturating_from_num(neuron.threshold_mv),
        reset: potential(neuron.reset_mv, neuron),
        start: (
            potential(neuron.reset_mv, neuron),
            // With the published start at 30 mV, 73 % of the units fire in the first step,
            // which then takes as long as a dozen others.
            potential(neuron.start_mv.min(neuron.threshold_mv), neuron),
        ),
        refractory_steps: network.refractory_steps(step),
        weight_shift: 0,
        readout_shift: 0,
    })
}

/// The noise of a step in bits, before rounding.
fn noise_bits(neuron: &Neuron, step: &TimeStep) -> f64 {
    step.noise_mv(neuron) / DEVIATE_SD * f64::from(1u32 << Fixed::FRAC_NBITS)
}

/// Refuses, before a network is trained, a noise that has no fixed-point form in the usual
/// unit of potentials.
///
/// # Errors
/// [`QuantizeError::Noise`].
pub fn check_noise(neuron: &Neuron, step: &TimeStep) -> Result<(), QuantizeError> {
    if noise_bits(neuron, step) > f64::from(i16::MAX) {
        return Err(QuantizeError::Noise(step.noise_mv(neuron)));
    }
    Ok(())
}

/// A potential, counted from the threshold.
fn potential(mv: f64, neuron: &Neuron) -> Fixed {
    Fixed::saturating_from_num(mv - neuron.threshold_mv)
}

/// An output in fixed point.
fn output(x: f64) -> Fixed {
    Fixed::saturating_from_num(x * Fixed::OUTPUT_ONE.to_num::<f64>())
}

/// A task's decision in fixed point.
pub fn decision(task: &Task, step: &TimeStep) -> Decision<Fixed> {
    let rule = task.decision(step.ms);
    Decision {
        kind: rule.kind,
        extremes: rule.extremes,
        high: output(rule.high),
        low: output(rule.low),
        mean: rule.mean,
        mean_high: output(rule.mean_high),
        mean_low: output(rule.mean_low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Readout;
    use crate::spiking::experiment::Experiment;

    /// Two units: the first excites the second, the second inhibits itself.
    fn network() -> SpikingNetwork {
        SpikingNetwork {
            neuron: Neuron::LIF,
            units: 2,
            channels: 1,
            weights: vec![0.0, 0.0, 0.5, -0.25],
            input_weights: vec![1.0, -2.5],
            offset_mv: vec![0.0, 1.5],
            readout: Readout::single(vec![0.02, -0.01], 0.0),
            decay_ms: vec![20.0, 100.0],
            lambda: 50.0,
        }
    }

    fn step(ms: f64) -> TimeStep {
        TimeStep::new(ms, Scheme::Exact).expect("a time step")
    }

    #[test]
    fn the_largest_weight_of_a_row_fills_its_bits_and_the_others_follow() {
        let bytes = quantize(&network(), &Task::go_nogo(), &step(0.1))
            .expect("it fits")
            .bytes;
        let deployed = Deployed::read(&bytes).expect("a valid blob");
        let weights: Vec<i8> = deployed
            .payload()
            .synapses
            .chunks_exact(blob::SYNAPSE_BYTES)
            .map(|synapse| synapse[1] as i8)
            .collect();
        let (from_first, from_second) = (weights[0], weights[1]);
        assert!((126..=127).contains(&from_first), "{weights:?}");
        // Half as large; both were rounded to nearest.
        assert!((62..=64).contains(&-from_second), "{weights:?}");
    }

    #[test]
    fn equal_networks_give_equal_bytes_and_pass_their_own_self_test() {
        let made = || {
            quantize(&network(), &Task::go_nogo(), &step(0.1))
                .expect("it fits")
                .bytes
        };
        assert!(made() == made());
        let bytes = made();
        let deployed = Deployed::read(&bytes).expect("a valid blob");
        assert_eq!(
            deployed.payload().self_test.spike_hash,
            self_test(&deployed)
        );
        assert_eq!(deployed.payload().lambda_thousandths, 50_000);
        assert_eq!(deployed.payload().step_ns, 100_000);
    }

    #[test]
    fn a_unit_of_voltage_is_the_smallest_power_of_two_that_holds_every_current() {
        let unit = |factor: f64| {
            let mut network = network();
            network.weights.iter_mut().for_each(|w| *w *= factor);
            unit_mv(&network, &step(0.1))
        };
        assert_eq!(unit(1.0), Ok(1.0));
        let (_, current) = most_current(&network(), &step(0.1)).expect("a unit");
        for wanted in [2.0, 8.0, 64.0] {
            assert_eq!(unit(0.99 * wanted * MOST_CURRENT_MV / current), Ok(wanted));
        }
        let error = unit(1.01 * MOST_UNIT_MV * MOST_CURRENT_MV / current);
        assert!(
            matches!(error, Err(QuantizeError::Current { unit: 1, .. })),
            "{error:?}"
        );
    }

    #[test]
    fn what_has_no_fixed_point_form_is_refused_by_its_name() {
        let wrong = |change: fn(&mut SpikingNetwork)| {
            let mut network = network();
            change(&mut network);
            let error =
                quantize(&network, &Task::go_nogo(), &step(0.1)).expect_err("it does not fit");
            error.to_string()
        };
        for (message, part) in [
            (wrong(|n| n.neuron = Neuron::QIF), "quadratic"),
            (wrong(|n| n.offset_mv[1] = 100.0), "unit 1"),
            (wrong(|n| n.decay_ms[0] = 1000.0), "use a step of 0.2 ms"),
            (wrong(|n| n.decay_ms[0] = 1e9), "at most 6553 ms"),
            (wrong(|n| n.decay_ms[0] = 0.1), "use a step of 0.05 ms"),
            (wrong(|n| n.decay_ms[0] = 1e-9), "at least 0.0145 ms"),
            (wrong(|n| n.neuron.noise_mv = 1e5), "noise"),
        ] {
            assert!(message.contains(part), "no '{part}' in: {message}");
        }
        let euler = quantize(&network(), &Task::go_nogo(), &TimeStep::PUBLISHED);
        assert_eq!(euler.err(), Some(QuantizeError::Scheme));
    }

    #[test]
    fn a_value_that_vanishes_in_fixed_point_is_named_with_what_it_became() {
        let rounded = |change: fn(&mut Neuron)| {
            let mut network = network();
            change(&mut network.neuron);
            let made = quantize(&network, &Task::go_nogo(), &step(0.5)).expect("it fits");
            made.rounded.iter().map(ToString::to_string).collect()
        };
        let none: Vec<String> = rounded(|_| {});
        assert!(none.is_empty(), "{none:?}");
        let none: Vec<String> = rounded(|neuron| neuron.noise_mv = 0.0);
        assert!(none.is_empty(), "{none:?}");
        let noise: Vec<String> = rounded(|neuron| neuron.noise_mv = 0.0001);
        assert_eq!(noise, ["--noise 0.0001 mV has become 0 mV in fixed point"]);
        let refractory: Vec<String> = rounded(|neuron| neuron.refractory_ms = 0.04);
        assert_eq!(
            refractory,
            ["--refractory 0.04 ms has become 0 ms in fixed point"]
        );
    }

    /// A training that may reach 100 ms has no use for a step of 0.01 ms.
    #[test]
    fn a_step_that_no_decay_has_is_known_without_a_network() {
        let checked = |decay_ms, ms| check_decays(&Neuron::LIF, decay_ms, &step(ms));
        assert!(checked(100.0, 0.02).is_ok() && checked(20.0, 1.0).is_ok());
        let error = checked(100.0, 0.01).expect_err("too slow for 16 bits");
        assert!(matches!(error, QuantizeError::SlowDecay { .. }), "{error}");
    }

    #[test]
    fn several_outputs_keep_their_proportions_and_offsets() {
        let mut network = network();
        network.readout = Readout {
            weights: vec![0.02, -0.01, 0.04, -0.02, -0.01, 0.005],
            offset: vec![0.0, 0.5, -1.25],
        };
        let task = Task::go_nogo();
        let bytes = quantize(&network, &task, &step(0.1))
            .expect("it fits")
            .bytes;
        let deployed = Deployed::read(&bytes).expect("a valid blob");
        assert_eq!(deployed.payload().outputs, 3);
        let experiment = Experiment::deployed(&deployed, &task, 1);
        let mut largest: f64 = 0.0;
        let trial = experiment.trial(0);
        experiment.watch(&mut Memory::of(&deployed), 0, &trial, |step, state| {
            let one = Fixed::OUTPUT_ONE.to_num::<f64>();
            let value = |k: usize| state.outputs()[k].to_num::<f64>() / one;
            let first = value(0);
            largest = largest.max(first.abs());
            assert!((value(1) - (0.5 + 2.0 * first)).abs() < 0.01, "step {step}");
            assert!(
                (value(2) - (-1.25 - 0.5 * first)).abs() < 0.01,
                "step {step}"
            );
        });
        assert!(largest > 0.05, "{largest}");
    }

    #[test]
    fn a_gap_beyond_a_byte_is_bridged_by_weights_of_zero() {
        let n = 600;
        let mut weights = vec![0i8; n * n];
        weights[599 * n] = 5;
        let (starts, synapses) = columns(&weights, n);
        assert_eq!(synapses, [255, 0, 255, 0, 89, 5]);
        assert_eq!(starts.len(), (n + 1) * blob::START_BYTES);
    }

    #[test]
    fn the_self_test_has_a_pulse_in_each_channel_one_after_the_other() {
        for task in [Task::go_nogo(), Task::xor(), Task::mante()] {
            let pulses = self_test_pulses(&task);
            let pulses: Vec<&[u8]> = pulses.chunks_exact(7).collect();
            assert_eq!(pulses.len(), task.channels());
            let place =
                |at: usize, k: usize| u16::from_le_bytes([pulses[k][at], pulses[k][at + 1]]);
            for (k, pulse) in pulses.iter().enumerate() {
                assert_eq!(usize::from(pulse[0]), k);
                assert!(place(1, k) < place(3, k) && usize::from(place(3, k)) <= task.samples());
            }
        }
    }
}
