//! Deployed networks with several outputs, and with a sensor in front of them.

use rate2spike::quantize::self_test;
use rate2spike::task::Task;
use rate2spike_core::blob::{self, Deployed};
use rate2spike_core::decision::{Kind, Window};
use rate2spike_core::preprocessing::Operation;

use crate::untrained;

/// The same network with this number of outputs. Each further output has the weights of
/// other units.
pub fn with_outputs(bytes: &[u8], outputs: u8) -> Vec<u8> {
    changed(bytes, |payload| {
        let frozen = payload.readout.to_vec();
        let rows: Vec<&[u8]> = frozen.chunks_exact(blob::readout_bytes(1)).collect();
        let mut readout = Vec::new();
        for (unit, row) in rows.iter().enumerate() {
            readout.push(row[0]);
            for k in 0..usize::from(outputs) {
                readout.extend(&rows[(unit + 13 * k) % rows.len()][1..]);
            }
        }
        payload.readout = Vec::leak(readout);
        payload.outputs = outputs;
    })
}

/// The same network with this number of input channels, whose weights are those of its
/// first channel.
pub fn with_channels(bytes: &[u8], channels: u8) -> Vec<u8> {
    changed(bytes, |payload| {
        let before = usize::from(payload.shared.inputs) * blob::INPUT_WEIGHT_BYTES;
        let rows = payload.input_weights.chunks_exact(before);
        let first = rows.map(|row| &row[..blob::INPUT_WEIGHT_BYTES]);
        let weights: Vec<u8> = first
            .flat_map(|weight| weight.repeat(channels.into()))
            .collect();
        payload.input_weights = Vec::leak(weights);
        payload.shared.inputs = channels;
    })
}

/// The same network with biases so far below the threshold that no unit fires.
pub fn silent(bytes: &[u8]) -> Vec<u8> {
    changed(bytes, |payload| {
        let mut units = payload.units.to_vec();
        for row in units.chunks_exact_mut(blob::UNIT_BYTES) {
            // The bias is the last number of a row, in 1/32 mV.
            row[blob::UNIT_BYTES - 2..].copy_from_slice(&(-50i16 * 32).to_le_bytes());
        }
        payload.units = Vec::leak(units);
    })
}

/// The same network, with the inputs themselves in place of a sensor.
pub fn without_preprocessing(bytes: &[u8]) -> Vec<u8> {
    changed(bytes, |payload| {
        payload.sensor_channels = 0;
        payload.preprocessing = &[];
    })
}

/// Channels of the sensor of [`sensor_network`].
pub const SENSOR_CHANNELS: usize = 6;

/// A network of four classes, whose four inputs are computed from a sensor with
/// [`SENSOR_CHANNELS`] channels. A trial has this number of samples.
pub fn sensor_network(units: usize, samples: u32) -> Vec<u8> {
    let filter = |from, to, ms: f64| {
        let factor = (65536.0 * -(-5.0 / ms).exp_m1()).round() as u16;
        (from, to, factor)
    };
    let (from, to, factor) = filter(1, 9, 50.0);
    let high = Operation::HighPass { from, to, factor };
    let (from, to, factor) = filter(10, 10, 20.0);
    let low = Operation::LowPass { from, to, factor };
    let scale = |from, to, factor, shift| Operation::Scale {
        from,
        to,
        offset: 100,
        factor,
        shift,
    };
    let operations = [
        Operation::Magnitude {
            from: 0,
            to: 8,
            count: 3,
        },
        high,
        Operation::LogEnergy {
            from: 3,
            to: 10,
            count: 3,
        },
        low,
        Operation::Difference { from: 5, to: 11 },
        scale(8, 0, 3, 1),
        scale(9, 1, 5, 0),
        scale(10, 2, 1, 3),
        scale(11, 3, -7, 2),
    ];
    let chain: Vec<u8> = operations
        .into_iter()
        .flat_map(Operation::to_bytes)
        .collect();
    let bytes = with_outputs(&untrained(Task::mante(), units, 0.5), 4);
    changed(&bytes, |payload| {
        payload.sensor_channels = SENSOR_CHANNELS as u8;
        payload.preprocessing = Vec::leak(chain);
        payload.class_names = b"walk\nrun\nrest\njump";
        payload.output_offsets = &[0, 0, 0, 0, 0, 0, 0x80, 0xff, 0, 0, 0x20, 0, 0, 0, 0, 0];
        payload.clock.steps = samples * payload.clock.steps_per_sample;
        let mean = Window {
            first: payload.clock.steps / 2,
            last: payload.clock.steps,
        };
        payload.decision.kind = Kind::Class;
        payload.decision.mean = mean;
    })
}

/// A network of four classes, whose four inputs are scaled from the last of `channels` analog
/// inputs of 12 bits. A trial has this number of samples.
pub fn analog_network(units: usize, samples: u32, channels: u8) -> Vec<u8> {
    let from = channels - 1;
    let scales = [(0, 0, 4), (1, 4095, -4), (2, 2048, 8), (3, 2048, -8)];
    // The input that lies where the value is read is written last.
    let (last, others): (Vec<_>, Vec<_>) = scales.into_iter().partition(|(to, ..)| *to == from);
    let chain: Vec<u8> = others
        .into_iter()
        .chain(last)
        .map(|(to, offset, factor)| Operation::Scale {
            from,
            to,
            offset,
            factor,
            shift: 0,
        })
        .flat_map(Operation::to_bytes)
        .collect();
    changed(&sensor_network(units, samples), |payload| {
        payload.sensor_channels = channels;
        payload.preprocessing = Vec::leak(chain);
    })
}

/// The integers of the sensor in a trial, sample by sample.
pub fn sensor_trial(samples: u32, trial: u32) -> Vec<i32> {
    let value = |sample: u32, channel: u32| {
        let phase = sample * (37 + 11 * channel + 29 * trial);
        (phase % 4001).cast_signed() - 2000 + 150 * channel.cast_signed()
    };
    (0..samples)
        .flat_map(|sample| (0..SENSOR_CHANNELS as u32).map(move |channel| value(sample, channel)))
        .collect()
}

/// The network with a changed payload; its self-test has the hash of its spikes.
fn changed(bytes: &[u8], change: impl FnOnce(&mut blob::Payload)) -> Vec<u8> {
    let deployed = Deployed::read(bytes).expect("a network");
    let mut payload = *deployed.payload();
    change(&mut payload);
    let written = |payload: &blob::Payload| {
        let mut buffer = vec![0; 4 * bytes.len() + 4096];
        let blob = blob::write(payload, &mut buffer).expect("the buffer is large enough");
        blob.to_vec()
    };
    let unproven = written(&payload);
    let unproven = Deployed::read(&unproven).expect("what was written");
    payload.self_test.spike_hash = self_test(&unproven);
    written(&payload)
}
