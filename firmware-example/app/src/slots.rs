//! Two slots for networks, so that one network is whole whenever the power is cut.
//!
//! An image puts its network at the start of the first slot. A network that
//! arrives over the line goes into the slot that is not in use; once it is whole,
//! a [`Record`] behind it says that it is newer. When the board starts, it looks
//! at the networks that are whole and fit into its memory, and takes
//!
//! 1. the network of the first slot, if it has no record: an image put it there,
//!    and erased the old record;
//! 2. else the network with the newer record;
//! 3. else the network of the second slot, whose record was not yet written.
//!
//! A replacement has four parts, and the power may be cut within each of them:
//!
//! 1. The network in use gets a record, if it has none and lies in the first slot,
//!    so that the new record can be newer.
//! 2. Zeros spoil the first bytes of the network in the other slot, and its flash
//!    is erased. Without the zeros, a network whose record is already erased would
//!    look like the network of an image.
//! 3. The new network is written. The check sum in its header is wrong until the
//!    network is whole.
//! 4. The new network is checked and gets its record.
//!
//! Only an image can hold a network that is larger than a slot. Such a network
//! leaves no room for a second one, and only an image can replace it.

use core::ops::Range;

use rate2spike_core::blob::MAGIC;
use rate2spike_protocol::message::{FlashFault, Limits, NetworkFault, Refusal};
use rate2spike_protocol::record::{self, RECORD_BYTES, Record};

use crate::board::Store;
use crate::memory::{self, AnyNetwork};

/// A network in a slot.
struct Found<'s> {
    network: AnyNetwork<'s>,
    record: Option<Record>,
}

/// The networks in the two slots.
struct Survey<'s> {
    first: Result<Found<'s>, NetworkFault>,
    second: Result<Found<'s>, NetworkFault>,
}

/// One of the two slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    First,
    Second,
}

impl Slot {
    fn start(self, slot_bytes: usize) -> usize {
        match self {
            Slot::First => 0,
            Slot::Second => slot_bytes,
        }
    }
}

/// The network at the beginning of `area`, and its record, which lies in the
/// first `slot_bytes` bytes if there is one.
fn find<'s>(area: &'s [u8], slot_bytes: usize, limits: &Limits) -> Result<Found<'s>, NetworkFault> {
    let network = memory::held(area, limits)?;
    let record = area
        .get(..slot_bytes)
        .and_then(|slot| slot.get(record::place(network.length())..))
        .and_then(<[u8]>::first_chunk)
        .and_then(Record::from_bytes)
        .filter(|record| record.checksum == network.checksum());
    Ok(Found { network, record })
}

impl<'s> Survey<'s> {
    /// Looks at both slots. A network from an image may reach into the second slot.
    fn of(bytes: &'s [u8], slot_bytes: usize, limits: &Limits) -> Self {
        let second = bytes.get(slot_bytes..).unwrap_or(&[]);
        let second = second.get(..slot_bytes).unwrap_or(second);
        Self {
            first: find(bytes, slot_bytes, limits),
            second: find(second, slot_bytes, limits),
        }
    }

    /// The slot in use.
    fn choice(&self) -> Option<Slot> {
        match (&self.first, &self.second) {
            (Ok(first), Ok(second)) => match (&first.record, &second.record) {
                (Some(old), Some(new)) if new.is_newer_than(old) => Some(Slot::Second),
                _ => Some(Slot::First),
            },
            (Ok(_), Err(_)) => Some(Slot::First),
            (Err(_), Ok(_)) => Some(Slot::Second),
            (Err(_), Err(_)) => None,
        }
    }

    /// The number after all sequence numbers in the flash.
    fn next_sequence(&self) -> u32 {
        let record = |found: &Result<Found, NetworkFault>| found.as_ref().ok()?.record;
        let newest = match (record(&self.first), record(&self.second)) {
            (Some(first), Some(second)) if second.is_newer_than(&first) => Some(second),
            (first, second) => first.or(second),
        };
        newest.map_or(1, |record| record.sequence.wrapping_add(1))
    }
}

/// The place of the network that the board runs, if there is one.
pub fn place(bytes: &[u8], slot_bytes: usize, limits: &Limits) -> Option<Range<usize>> {
    let survey = Survey::of(bytes, slot_bytes, limits);
    let slot = survey.choice()?;
    let found = match slot {
        Slot::First => survey.first,
        Slot::Second => survey.second,
    };
    let start = slot.start(slot_bytes);
    Some(start..start + found.ok()?.network.length())
}

/// The network that the board runs.
///
/// # Errors
/// The fault of the first slot, if neither slot holds a network.
pub fn held<'s>(
    bytes: &'s [u8],
    slot_bytes: usize,
    limits: &Limits,
) -> Result<AnyNetwork<'s>, NetworkFault> {
    let survey = Survey::of(bytes, slot_bytes, limits);
    let chosen = match survey.choice() {
        Some(Slot::Second) => survey.second,
        Some(Slot::First) | None => survey.first,
    };
    chosen.map(|found| found.network)
}

/// A network on its way into the slot that is not in use.
pub struct Replacement {
    slot: Slot,
    /// Bytes of the network.
    bytes: usize,
    /// Bytes written so far.
    written: usize,
}

impl Replacement {
    /// Makes room for a network of `bytes` bytes.
    ///
    /// # Errors
    /// The flash has no room, or fails.
    pub fn begin(store: &mut impl Store, limits: &Limits, bytes: u32) -> Result<Self, Refusal> {
        if bytes > limits.network_bytes {
            return Err(Refusal::Range);
        }
        let slot_bytes = store.slot_bytes();
        let slot = match adopt(store, limits)? {
            Some(Slot::First) => Slot::Second,
            Some(Slot::Second) | None => Slot::First,
        };
        let (start, bytes) = (slot.start(slot_bytes), bytes as usize);
        if store.bytes().get(start..start + MAGIC.len()) == Some(&MAGIC) {
            program(store, start, &[0; MAGIC.len()])?;
        }
        store
            .erase(start, record::place(bytes) + RECORD_BYTES)
            .map_err(Refusal::Flash)?;
        Ok(Self {
            slot,
            bytes,
            written: 0,
        })
    }

    /// Writes a part of the network.
    ///
    /// # Errors
    /// The part lies outside the erased flash, is not aligned, or the flash fails.
    pub fn write(
        &mut self,
        store: &mut impl Store,
        offset: u32,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        let offset = offset as usize;
        let end = offset.checked_add(bytes.len()).ok_or(Refusal::Range)?;
        let aligned = offset.is_multiple_of(4) && bytes.len().is_multiple_of(4);
        if !aligned || end > self.bytes.next_multiple_of(4) {
            return Err(Refusal::Range);
        }
        let start = self.slot.start(store.slot_bytes());
        program(store, start + offset, bytes)?;
        self.written = self.written.max(end);
        Ok(())
    }

    /// Takes the new network into use, if it is whole and fits into the memory.
    /// Otherwise the old network stays in use.
    ///
    /// # Errors
    /// The fault of a network that was written to its end.
    pub fn finish(self, store: &mut impl Store, limits: &Limits) -> Result<(), Refusal> {
        let slot_bytes = store.slot_bytes();
        let survey = Survey::of(store.bytes(), slot_bytes, limits);
        let sequence = survey.next_sequence();
        let written = match self.slot {
            Slot::First => survey.first,
            Slot::Second => survey.second,
        };
        let network = match written {
            Ok(written) => written.network,
            Err(fault) if self.written >= self.bytes => return Err(Refusal::NoNetwork(fault)),
            Err(_) => return Ok(()),
        };
        let record = Record {
            sequence,
            checksum: network.checksum(),
        };
        let place = self.slot.start(slot_bytes) + record::place(network.length());
        program(store, place, &record.to_bytes())
    }
}

/// Finds the slot in use, and gives its network a record if it needs one.
fn adopt(store: &mut impl Store, limits: &Limits) -> Result<Option<Slot>, Refusal> {
    let slot_bytes = store.slot_bytes();
    let survey = Survey::of(store.bytes(), slot_bytes, limits);
    let slot = survey.choice();
    let sequence = survey.next_sequence();
    if let (Some(Slot::First), Ok(first)) = (slot, &survey.first) {
        let place = record::place(first.network.length());
        if first.network.length() > record::room(slot_bytes) {
            return Err(Refusal::Large);
        }
        if first.record.is_none() {
            let record = Record {
                sequence,
                checksum: first.network.checksum(),
            };
            program(store, place, &record.to_bytes())?;
        }
    }
    Ok(slot)
}

/// Writes, and compares the flash with the bytes.
fn program(store: &mut impl Store, offset: usize, bytes: &[u8]) -> Result<(), Refusal> {
    store.write(offset, bytes).map_err(Refusal::Flash)?;
    if store.bytes().get(offset..offset + bytes.len()) != Some(bytes) {
        return Err(Refusal::Flash(FlashFault::Differs));
    }
    Ok(())
}
