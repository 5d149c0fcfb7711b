//! A deployed network. The bytes are read as they are, and once more with a right check
//! sum, which a fuzzer does not find. If they are a network, some of its steps are run.

#![no_main]

use crc::{CRC_32_ISO_HDLC, Crc};
use libfuzzer_sys::fuzz_target;
use rate2spike_core::Fixed;
use rate2spike_core::blob::{Deployed, HEADER_BYTES, LAYOUT, MAGIC, OLDEST_LAYOUT, Stored};
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{State, StateMemory};

/// Steps that are run.
const STEPS: u32 = 8;

/// Networks with more units are read and not run, because their steps run the same code.
const MOST_UNITS: usize = 256;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A blob of this layout and kind of number with this payload and a right check sum.
fn sealed(layout: u16, arithmetic: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(layout.to_le_bytes());
    bytes.extend(arithmetic.to_le_bytes());
    bytes.extend((payload.len() as u32).to_le_bytes());
    let mut digest = CRC.digest();
    digest.update(&bytes);
    digest.update(payload);
    bytes.extend(digest.finalize().to_le_bytes());
    bytes.extend(payload);
    bytes
}

fn run<A: Stored>(bytes: &[u8]) {
    let Ok(network) = Deployed::<A>::of(bytes) else {
        return;
    };
    assert!(network.length() <= bytes.len());
    let units = network.constants().units;
    if units > MOST_UNITS {
        return;
    }
    let mut states = vec![Block::<A>::default(); blocks(units)];
    let mut readout = vec![ReadoutBlock::default(); network.banks().blocks()];
    let mut waiting = vec![Waiting::default(); units];
    let mut outputs = vec![A::ZERO; network.constants().outputs];
    let mut noise = Noise::new(1, 0);
    let state = State::start(
        &network,
        StateMemory {
            blocks: &mut states,
            readout: &mut readout,
            waiting: &mut waiting,
            outputs: &mut outputs,
        },
        &mut noise,
    );
    let mut state = state.expect("as much memory as it has units");
    for step in 1..=STEPS {
        let sample = network.payload().clock.sample(step);
        state.set_input(&network, &network.self_test_input(sample));
        state.step(&network, &mut noise);
        assert!(state.fired().all(|unit| unit < units));
        assert_eq!(state.outputs().len(), network.constants().outputs);
    }
}

fuzz_target!(|data: &[u8]| {
    run::<Fixed>(data);
    run::<f32>(data);
    if let Some(payload) = data.get(HEADER_BYTES..) {
        for layout in OLDEST_LAYOUT..=LAYOUT {
            run::<Fixed>(&sealed(layout, Fixed::ARITHMETIC, payload));
        }
        run::<f32>(&sealed(LAYOUT, f32::ARITHMETIC, payload));
    }
});
