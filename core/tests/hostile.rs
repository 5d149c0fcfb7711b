//! Blobs that were written are read back; blobs that were changed do no harm. The
//! check sum notices a change by accident. A change on purpose, with a right check
//! sum, gives another network or a refusal.

use std::path::Path;

use crc::{CRC_32_ISO_HDLC, Crc};
use fixed::types::{I4F12, I11F21};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use rate2spike_core::Fixed;
use rate2spike_core::blob::{
    self, BlobError, Deployed, FILTER_BYTES, HEADER_BYTES, INPUT_WEIGHT_BYTES, OFFSET_BYTES,
    PULSE_BYTES, Payload, SelfTest, Shared, Stored, UNIT_BYTES,
};
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::decision::MOST_OUTPUTS;
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::{MOST_INPUTS, Network};
use rate2spike_core::noise::Noise;
use rate2spike_core::preprocessing::{ChainState, Operation};
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{State, StateMemory};

/// Miri is some thousand times slower, and sees enough in a part.
const STRIDE: usize = if cfg!(miri) { 1009 } else { 1 };

/// Steps that are run of a network that was not refused.
const STEPS: u32 = if cfg!(miri) { 2 } else { 20 };

fn frozen(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read(folder.join(name)).expect("a frozen network")
}

/// Gives the bytes a right check sum, and the length of what is there.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let Some((head, payload)) = bytes.split_at_mut_checked(HEADER_BYTES) else {
        return bytes;
    };
    head[8..12].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&head[..12]);
    digest.update(payload);
    head[12..16].copy_from_slice(&digest.finalize().to_le_bytes());
    bytes
}

/// Reads the bytes and, if they are a network, runs some steps of it; true if
/// they are one.
fn survives(bytes: &[u8]) -> bool {
    match blob::arithmetic(bytes) {
        f32::ARITHMETIC => steps::<f32>(bytes),
        _ => steps::<Fixed>(bytes),
    }
}

/// The same in numbers `A`.
fn steps<A: Stored>(bytes: &[u8]) -> bool {
    let Ok(network) = Deployed::<A>::of(bytes) else {
        return false;
    };
    let constants = network.constants();
    let mut state_blocks = vec![Block::<A>::default(); blocks(constants.units)];
    let mut readout = vec![ReadoutBlock::default(); network.banks().blocks()];
    let mut waiting = vec![Waiting::default(); constants.units];
    let mut outputs = vec![A::ZERO; constants.outputs];
    let mut noise = Noise::new(1, 0);
    let mut state = State::start(
        &network,
        StateMemory {
            blocks: &mut state_blocks,
            readout: &mut readout,
            waiting: &mut waiting,
            outputs: &mut outputs,
        },
        &mut noise,
    )
    .expect("as much memory as it has units");
    let mut chain_state = ChainState::default();
    for step in 1..=STEPS {
        let sample = network.payload().clock.sample(step);
        state.set_input(&network, &network.self_test_input(sample));
        if let Some(chain) = network.preprocessing() {
            let value = i32::MIN.wrapping_add(step.wrapping_mul(0x2345_6789).cast_signed());
            let input = chain.apply(&mut chain_state, &[value; 32]);
            assert_eq!(input.len(), constants.inputs);
            let input: Vec<A::Input> = input.into_iter().map(A::input).collect();
            state.set_input(&network, &input);
        }
        state.step(&network, &mut noise);
        assert_eq!(state.outputs().len(), constants.outputs);
        assert!(state.fired().all(|unit| unit < constants.units));
    }
    true
}

/// Words that are the same each time.
fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    move |most| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % most
    }
}

#[test]
fn every_single_bit_that_flips_is_noticed() {
    for name in ["go-nogo.snn", "mante.snn", "xor.snn"] {
        let mut bytes = frozen(name);
        assert!(Deployed::read(&bytes).is_ok(), "{name}");
        for bit in (0..8 * bytes.len()).step_by(STRIDE) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Deployed::read(&bytes).is_err(), "{name}, bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn a_flipped_bit_of_a_network_in_f32_is_noticed() {
    let mut bytes = frozen("f32/xor.snn");
    assert!(survives(&bytes));
    // The whole header, and then some of the bytes behind it.
    let header = 0..8 * HEADER_BYTES;
    let rest = (8 * HEADER_BYTES..8 * bytes.len()).step_by(7);
    for bit in header.chain(rest).step_by(STRIDE) {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Deployed::<f32>::of(&bytes).is_err(), "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_blob_cut_anywhere_is_short() {
    fn check<A: Stored>(bytes: &[u8], stride: usize) {
        for length in (0..bytes.len()).step_by(stride) {
            match Deployed::<A>::of(&bytes[..length]) {
                Err(BlobError::Short { needed, found }) => assert!(needed > found),
                other => panic!("{length}: {other:?}"),
            }
        }
    }
    check::<Fixed>(&frozen("xor.snn"), STRIDE);
    check::<f32>(&frozen("f32/xor.snn"), 7 * STRIDE);
}

/// The beginning of one and the end of another.
#[test]
fn two_blobs_in_one_are_noticed() {
    let (xor, mante) = (frozen("xor.snn"), frozen("mante.snn"));
    for (first, second) in [(&xor, &mante), (&mante, &xor)] {
        for at in (1..first.len()).step_by(STRIDE) {
            let joined: Vec<u8> = first
                .iter()
                .take(at)
                .chain(second.iter().skip(at))
                .copied()
                .collect();
            // The two blobs begin alike, so that a cut near the start gives a whole one.
            let whole = joined.starts_with(first) || joined.starts_with(second);
            assert_eq!(Deployed::read(&joined).is_ok(), whole, "{at}");
        }
    }
}

#[test]
fn a_changed_byte_with_a_right_check_sum_does_no_harm() {
    changed_bytes_do_no_harm("xor.snn", 37);
    changed_bytes_do_no_harm("f32/xor.snn", 211);
}

fn changed_bytes_do_no_harm(name: &str, stride: usize) {
    let bytes = frozen(name);
    let (mut refused, mut taken) = (0, 0);
    // The numbers that all units share, and then some of the tables'.
    let places = (HEADER_BYTES..300).chain((300..bytes.len()).step_by(stride));
    for at in places.step_by(STRIDE) {
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff, bytes[at] ^ 0x10] {
            let mut changed = bytes.clone();
            changed[at] = value;
            match survives(&sealed(changed)) {
                true => taken += 1,
                false => refused += 1,
            }
        }
    }
    if !cfg!(miri) {
        // Both happen: a weight may be anything, a length may not.
        assert!(
            refused > 50 && taken > 50,
            "{refused} refused, {taken} taken"
        );
    }
}

#[test]
fn pieces_put_together_with_a_right_check_sum_do_no_harm() {
    let sources = ["go-nogo.snn", "mante.snn", "xor.snn", "f32/xor.snn"].map(frozen);
    let mut random = random();
    for _ in 0..20_000 / STRIDE {
        let mut bytes = sources[random(4)].clone();
        for _ in 0..=random(3) {
            let other = &sources[random(4)];
            let (from, length) = (random(other.len()), random(64));
            let piece = &other[from..other.len().min(from + length)];
            // In the place of as many bytes, of fewer, or of more.
            let at = HEADER_BYTES + random(bytes.len() - HEADER_BYTES);
            let end = bytes.len().min(at + random(64));
            bytes.splice(at..end, piece.iter().copied());
        }
        survives(&sealed(bytes));
    }
}

#[test]
fn random_payloads_do_no_harm() {
    let mut random = random();
    let head = frozen("xor.snn")[..HEADER_BYTES].to_vec();
    for _ in 0..100_000 / STRIDE {
        let mut bytes = head.clone();
        bytes.extend((0..random(200)).map(|_| [0, 0xff, random(256)][random(3)] as u8));
        assert!(!survives(&sealed(bytes)));
    }
}

/// A trial of no length, and a step of none: rates and paces are quotients by
/// them.
#[test]
fn a_trial_or_a_step_without_a_length_is_refused() {
    let bytes = frozen("xor.snn");
    let network = Deployed::read(&bytes).expect("a frozen network");
    let mut timeless = *network.payload();
    timeless.step_ns = 0;
    let mut empty = *network.payload();
    empty.clock.steps = 0;
    for payload in [timeless, empty] {
        let mut buffer = vec![0; bytes.len() + 8];
        let blob = blob::write(&payload, &mut buffer).expect("it fits");
        assert!(matches!(Deployed::read(blob), Err(BlobError::Range { .. })));
    }
}

/// The tables and numbers of a payload, which borrows them.
#[derive(Clone, Debug)]
struct Written {
    task: Vec<u8>,
    shared: Shared,
    steps: u32,
    seed: u64,
    units: Vec<u8>,
    input_weights: Vec<u8>,
    starts: Vec<u8>,
    synapses: Vec<u8>,
    filters: Vec<u8>,
    readout: Vec<u8>,
    pulses: Vec<u8>,
    task_hash: Option<u64>,
    outputs: u8,
    output_offsets: Vec<u8>,
    class_names: Vec<u8>,
    sensor_channels: u8,
    preprocessing: Vec<u8>,
    parts_seed: Option<u64>,
}

impl Written {
    /// The payload; the fields that are not varied are those of a frozen network.
    fn payload<'a>(&'a self, frozen: &Payload<'a>) -> Payload<'a> {
        let mut payload = *frozen;
        payload.task = &self.task;
        payload.shared = self.shared;
        payload.clock.steps = self.steps;
        payload.self_test = SelfTest {
            seed: self.seed,
            spike_hash: !self.seed,
            pulses: &self.pulses,
        };
        payload.units = &self.units;
        payload.input_weights = &self.input_weights;
        payload.starts = &self.starts;
        payload.synapses = &self.synapses;
        payload.filters = &self.filters;
        payload.readout = &self.readout;
        payload.task_hash = self.task_hash;
        payload.outputs = self.outputs;
        payload.output_offsets = &self.output_offsets;
        payload.class_names = &self.class_names;
        payload.parts_seed = self.parts_seed;
        payload.sensor_channels = self.sensor_channels;
        payload.preprocessing = &self.preprocessing;
        payload
    }

    fn bytes(&self) -> Vec<u8> {
        let frozen = frozen("xor.snn");
        let frozen = Deployed::read(&frozen).expect("a frozen network");
        let payload = self.payload(frozen.payload());
        let mut buffer = vec![0; 1 << 16];
        blob::write(&payload, &mut buffer)
            .expect("the buffer is large enough")
            .to_vec()
    }
}

/// Numbers that all units share, of a network of this size.
fn shared(units: usize, inputs: usize) -> impl Strategy<Value = Shared> {
    let fixed = || any::<i32>().prop_map(I11F21::from_bits);
    let factors = (any::<i16>(), any::<i16>(), any::<i16>());
    let potentials = (fixed(), fixed(), fixed(), fixed());
    let rest = (any::<bool>(), any::<u8>(), 0u16..u16::MAX, 0u8..24, 0u8..16);
    (factors, potentials, rest).prop_map(move |(factors, potentials, rest)| {
        let (leak, rise_decay, noise_gain) = factors;
        let (threshold, reset, low, high) = potentials;
        let (double_filter, unit_mv, refractory_steps, weight_shift, readout_shift) = rest;
        Shared {
            units: units as u16,
            inputs: inputs as u8,
            double_filter,
            leak,
            rise_decay,
            noise_gain,
            unit_mv,
            threshold,
            reset,
            start: (low, high),
            refractory_steps,
            weight_shift,
            readout_shift,
        }
    })
}

/// Where the synapses of each unit begin, and the synapses: distances from one
/// target to the next, and weights.
fn columns(units: usize) -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let column = btree_set(0..units, 0..=units).prop_flat_map(|targets| {
        let count = targets.len();
        (Just(targets), vec(any::<u8>(), count))
    });
    vec(column, units).prop_map(|columns| {
        let (mut starts, mut synapses, mut count) = (Vec::new(), Vec::new(), 0u32);
        for (targets, weights) in columns {
            starts.extend(count.to_le_bytes());
            count += targets.len() as u32;
            let mut last = 0;
            for (target, weight) in targets.into_iter().zip(weights) {
                synapses.extend([(target - last) as u8, weight]);
                last = target;
            }
        }
        starts.extend(count.to_le_bytes());
        (starts, synapses)
    })
}

/// The readout of a network.
#[derive(Clone, Debug)]
struct WrittenReadout {
    outputs: u8,
    filters: Vec<u8>,
    /// For each unit the first filter that it feeds, and two weights an output.
    rows: Vec<u8>,
    offsets: Vec<u8>,
    class_names: Vec<u8>,
}

fn readout(units: usize) -> impl Strategy<Value = WrittenReadout> {
    let most = MOST_OUTPUTS as u8;
    let outputs = prop_oneof![3 => Just(1), 3 => 2u8..5, 1 => 5..=most];
    (outputs, 2usize..16).prop_flat_map(move |(outputs, filters)| {
        let count = usize::from(outputs);
        let row = (0..filters as u8 - 1, vec(any::<u8>(), 4 * count));
        let rows = vec(row, units).prop_map(|rows| {
            rows.into_iter()
                .flat_map(|(first, weights)| [&[first][..], &weights].concat())
                .collect()
        });
        let offsets = prop_oneof![Just(Vec::new()), vec(any::<u8>(), OFFSET_BYTES * count)];
        let names = vec("[a-z]{0,5}", count).prop_map(|names| names.join("\n").into_bytes());
        let names = prop_oneof![Just(Vec::new()), names];
        let filters = vec(any::<u8>(), filters * FILTER_BYTES);
        (filters, rows, offsets, names).prop_map(move |(filters, rows, offsets, class_names)| {
            WrittenReadout {
                outputs,
                filters,
                rows,
                offsets,
                class_names,
            }
        })
    })
}

/// Pulses of the self-test on any of the channels.
fn pulses(inputs: usize) -> impl Strategy<Value = Vec<u8>> {
    let most = if inputs == 0 { 0 } else { 4 };
    let pulse = (0..inputs.max(1) as u8, any::<[u8; PULSE_BYTES - 1]>());
    vec(pulse, 0..=most).prop_map(|pulses| {
        pulses
            .into_iter()
            .flat_map(|(channel, rest)| [&[channel][..], &rest].concat())
            .collect()
    })
}

/// Channels of a sensor and the operations on them; often none.
fn preprocessing() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let places = || (0u8..32, 0u8..32);
    let scale = (places(), any::<i32>(), any::<i32>(), 0u8..32).prop_map(
        |((from, to), offset, factor, shift)| Operation::Scale {
            from,
            to,
            offset,
            factor,
            shift,
        },
    );
    let magnitude = (places(), 1u8..4).prop_map(|((from, to), count)| Operation::Magnitude {
        from: from.min(32 - count),
        to,
        count,
    });
    let energy = (places(), 1u8..4).prop_map(|((from, to), count)| Operation::LogEnergy {
        from: from.min(32 - count),
        to,
        count,
    });
    let difference = places().prop_map(|(from, to)| Operation::Difference { from, to });
    let filter =
        (places(), 1u16.., any::<bool>()).prop_map(|((from, to), factor, is_high)| match is_high {
            true => Operation::HighPass { from, to, factor },
            false => Operation::LowPass { from, to, factor },
        });
    let operation = prop_oneof![scale, magnitude, energy, difference, filter];
    let operations = vec(operation, 0..8).prop_map(|operations| {
        let rows = operations.into_iter().flat_map(Operation::to_bytes);
        rows.collect()
    });
    prop_oneof![Just((0, Vec::new())), (1u8..=32, operations)]
}

/// A network that can be written.
fn written() -> impl Strategy<Value = Written> {
    (1usize..40, 0..=MOST_INPUTS).prop_flat_map(|(units, inputs)| {
        let names = (vec(any::<u8>(), 0..20), 1u32..1000, any::<u64>());
        let tables = (
            vec(any::<u8>(), units * UNIT_BYTES),
            vec(any::<u8>(), units * inputs * INPUT_WEIGHT_BYTES),
        );
        (
            names,
            shared(units, inputs),
            tables,
            columns(units),
            readout(units),
            pulses(inputs),
            (any::<[Option<u64>; 2]>(), preprocessing()),
        )
            .prop_map(
                |(names, shared, tables, columns, readout, pulses, (numbers, preprocessing))| {
                    let [task_hash, parts_seed] = numbers;
                    let (task, steps, seed) = names;
                    let (units, input_weights) = tables;
                    let (starts, synapses) = columns;
                    Written {
                        task,
                        shared,
                        steps,
                        seed,
                        units,
                        input_weights,
                        starts,
                        synapses,
                        filters: readout.filters,
                        readout: readout.rows,
                        pulses,
                        task_hash,
                        outputs: readout.outputs,
                        output_offsets: readout.offsets,
                        class_names: readout.class_names,
                        sensor_channels: preprocessing.0,
                        preprocessing: preprocessing.1,
                        parts_seed,
                    }
                },
            )
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 128 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_payload_that_was_written_is_read_back_the_same(
        network in written(),
        behind in vec(any::<u8>(), 0..8),
    ) {
        let frozen = frozen("xor.snn");
        let frozen = Deployed::read(&frozen).expect("a frozen network");
        let payload = network.payload(frozen.payload());
        let bytes = network.bytes();
        let longer = [&bytes[..], &behind].concat();
        let read = Deployed::read(&longer).expect("it was written");
        prop_assert_eq!(read.payload(), &payload);
        prop_assert_eq!(read.length(), bytes.len());
        prop_assert!(survives(&bytes));
    }

    #[test]
    fn a_damaged_blob_is_refused_and_one_with_a_right_check_sum_does_no_harm(
        network in written(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = network.bytes();
        let mut bytes = whole.clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        // Bytes 6 and 7 of the header are covered as well.
        prop_assert_eq!(Deployed::read(&bytes).is_ok(), bytes == whole);
        survives(&sealed(bytes.clone()));
        bytes.truncate(cut.index(whole.len()));
        prop_assert!(Deployed::read(&bytes).is_err());
        survives(&sealed(bytes));
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(!survives(&bytes));
        survives(&sealed(bytes));
    }

    #[test]
    fn the_input_of_a_self_test_has_a_value_for_each_channel(
        network in written(),
        sample in any::<u32>(),
    ) {
        let bytes = network.bytes();
        let read = Deployed::read(&bytes).expect("it was written");
        let input = read.self_test_input(sample);
        prop_assert_eq!(input.len(), usize::from(network.shared.inputs));
        if network.pulses.is_empty() {
            prop_assert!(input.iter().all(|&u| u == I4F12::ZERO));
        }
    }
}
