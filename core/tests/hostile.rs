//! Blobs that somebody has changed: by accident, which the check sum notices,
//! or on purpose and with a right check sum, which must do no harm.

use std::path::Path;

use crc::{CRC_32_ISO_HDLC, Crc};
use rate2spike_core::Fixed;
use rate2spike_core::blob::{BlobError, Deployed, HEADER_BYTES};
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
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
    let Ok(network) = Deployed::read(bytes) else {
        return false;
    };
    let constants = network.constants();
    let mut state_blocks = vec![Block::<Fixed>::default(); blocks(constants.units)];
    let mut readout = vec![ReadoutBlock::default(); blocks(network.readout_filters())];
    let mut waiting = vec![Waiting::default(); constants.units];
    let mut noise = Noise::new(1, 0);
    let mut state = State::start(
        &network,
        StateMemory {
            blocks: &mut state_blocks,
            readout: &mut readout,
            waiting: &mut waiting,
        },
        &mut noise,
    )
    .expect("as much memory as it has units");
    for step in 1..=STEPS {
        let sample = network.payload().clock.sample(step);
        state.set_input(&network, &network.self_test_input(sample));
        state.step(&network, &mut noise);
        let _ = state.output();
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
fn a_blob_cut_anywhere_is_short() {
    let bytes = frozen("xor.snn");
    for length in (0..bytes.len()).step_by(STRIDE) {
        match Deployed::read(&bytes[..length]) {
            Err(BlobError::Short { needed, found }) => assert!(needed > found),
            other => panic!("{length}: {other:?}"),
        }
    }
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
            // They begin alike.
            let whole = joined.starts_with(first) || joined.starts_with(second);
            assert_eq!(Deployed::read(&joined).is_ok(), whole, "{at}");
        }
    }
}

#[test]
fn a_changed_byte_with_a_right_check_sum_does_no_harm() {
    let bytes = frozen("xor.snn");
    let (mut refused, mut taken) = (0, 0);
    // The numbers that all units share, and then some of the tables'.
    let places = (HEADER_BYTES..300).chain((300..bytes.len()).step_by(37));
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
    let sources = ["go-nogo.snn", "mante.snn", "xor.snn"].map(frozen);
    let mut random = random();
    for _ in 0..20_000 / STRIDE {
        let mut bytes = sources[random(3)].clone();
        for _ in 0..=random(3) {
            let other = &sources[random(3)];
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
        let blob = rate2spike_core::blob::write(&payload, &mut buffer).expect("it fits");
        assert!(matches!(Deployed::read(blob), Err(BlobError::Range { .. })));
    }
}
