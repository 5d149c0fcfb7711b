//! A board's flash with any content: the board finds the same network before and after a
//! failed replacement, and a whole replacement gives the new network.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rate2spike_app::Store;
use rate2spike_app::memory::limits;
use rate2spike_app::slots::{self, Replacement};
use rate2spike_core::blob::Deployed;
use rate2spike_protocol::message::FlashFault;
use rate2spike_protocol::record;

const SLOT: usize = 0x4000;
const SECTOR: usize = 4096;

static NETWORK: &[u8] = include_bytes!("../../core/tests/golden/xor.snn");

struct Flash(Vec<u8>);

impl Store for Flash {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn slot_bytes(&self) -> usize {
        SLOT
    }

    fn erase(&mut self, offset: usize, bytes: usize) -> Result<(), FlashFault> {
        let end = (offset + bytes).next_multiple_of(SECTOR);
        self.0[offset..end].fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashFault> {
        for (place, byte) in self.0[offset..].iter_mut().zip(bytes) {
            *place &= byte;
        }
        Ok(())
    }
}

/// A flash of two slots, each with or without a network, and with pieces of `data`.
fn flash(data: &[u8]) -> Flash {
    let mut bytes = vec![0xff; 2 * SLOT];
    let (network, data) = match data.split_first() {
        Some((choice, data)) => (choice & 3, data),
        None => (0, data),
    };
    for (slot, bit) in [(0, 1), (SLOT, 2)] {
        if network & bit != 0 {
            bytes[slot..slot + NETWORK.len()].copy_from_slice(NETWORK);
        }
    }
    // Each piece has two bytes for its place and eight bytes of content.
    for piece in data.chunks_exact(10) {
        let at = usize::from(u16::from_le_bytes([piece[0], piece[1]])) % (2 * SLOT - 8);
        bytes[at..at + 8].copy_from_slice(&piece[2..]);
    }
    Flash(bytes)
}

fuzz_target!(|data: &[u8]| {
    let mut flash = flash(data);
    let limits = limits::<256>(record::room(SLOT));
    let held = |flash: &Flash| {
        slots::held(&flash.0, SLOT, &limits)
            .ok()
            .map(|network| network.checksum())
    };
    let before = held(&flash);
    let bytes = NETWORK.len() as u32;
    let Ok(mut replacement) = Replacement::begin(&mut flash, &limits, bytes) else {
        assert_eq!(held(&flash), before, "nothing was erased");
        return;
    };
    assert_eq!(held(&flash), before, "the old network is in the other slot");
    let mut padded = NETWORK.to_vec();
    padded.resize(NETWORK.len().next_multiple_of(4), 0xff);
    replacement
        .write(&mut flash, 0, &padded)
        .expect("it was erased");
    replacement
        .finish(&mut flash, &limits)
        .expect("it is whole");
    let wanted = Deployed::read(NETWORK)
        .expect("a frozen network")
        .checksum();
    assert_eq!(held(&flash), Some(wanted));
});
