//! The record that a board writes behind a network that arrived over the line.
//!
//! ```text
//! offset  bytes
//!      0  4      magic "R2SQ"
//!      4  4      sequence number, little endian: the higher one is the newer
//!      8  4      check sum in the header of the network before it
//!     12  4      CRC-32 (ISO-HDLC) of bytes 0 to 12
//! ```
//!
//! The record lies at [`place`], and is written when the network before it is whole.
//! A network that an image put there has no record: the image erases it.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// The first four bytes.
pub const MAGIC: [u8; 4] = *b"R2SQ";

/// Bytes of a record.
pub const RECORD_BYTES: usize = 16;

/// The largest number of bytes that the flash of any board writes at once. A record
/// has a page of this size for itself, so that writing it leaves the network alone.
pub const PAGE_BYTES: usize = 256;

static CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// Where the record of a network lies, in bytes from the network's first byte, if
/// the network has `network_bytes` bytes.
pub const fn place(network_bytes: usize) -> usize {
    network_bytes.next_multiple_of(PAGE_BYTES)
}

/// Most bytes of a network with a record in a slot of flash.
pub const fn room(slot_bytes: usize) -> usize {
    slot_bytes.saturating_sub(PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES
}

/// Says which network was written, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Counts the networks that were written.
    pub sequence: u32,
    /// Check sum in the network's header.
    pub checksum: u32,
}

impl Record {
    /// The record's bytes, as they lie in flash.
    pub fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = CRC.checksum(&bytes[..12]);
        bytes[12..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// From flash; `None` if this is no whole record.
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let [_, _, _, _, s0, s1, s2, s3, c0, c1, c2, c3, ..] = *bytes;
        let record = Self {
            sequence: u32::from_le_bytes([s0, s1, s2, s3]),
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
        };
        (record.to_bytes() == *bytes).then_some(record)
    }

    /// True if this one was written after the other; numbers start again
    /// behind the highest.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.sequence.wrapping_sub(other.sequence) as i32 > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record = Record {
        sequence: 0x0102_0304,
        checksum: 0xa5b6_c7d8,
    };

    #[test]
    fn a_record_comes_out_as_it_went_in_and_no_flipped_bit_passes() {
        let bytes = RECORD.to_bytes();
        assert_eq!(Record::from_bytes(&bytes), Some(RECORD));
        for bit in 0..8 * RECORD_BYTES {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::from_bytes(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn numbers_start_again_behind_the_highest() {
        let at = |sequence| Record { sequence, ..RECORD };
        assert!(at(2).is_newer_than(&at(1)));
        assert!(!at(1).is_newer_than(&at(1)));
        assert!(!at(1).is_newer_than(&at(2)));
        assert!(at(0).is_newer_than(&at(u32::MAX)));
    }

    #[test]
    fn a_network_that_fits_leaves_a_page_for_its_record() {
        for slot in [4096, 5000, 0x2_0000] {
            let most = room(slot);
            for bytes in [1, most - 255, most] {
                assert!(place(bytes) >= bytes);
                assert!(place(bytes) + PAGE_BYTES <= slot, "{bytes} in {slot}");
            }
        }
    }
}
