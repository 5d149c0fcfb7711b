//! Bytes on the line ↔ the body of one message.
//!
//! ```text
//! version (1) | body (postcard) | CRC-32 of both (4, little endian)    in COBS, then a zero
//! ```
//!
//! The check sum covers the version, and both keep their place in every
//! version, so that a foreign frame is known as one.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use serde::{Deserialize, Serialize};

/// Version of the messages. A board answers a frame of another version with
/// [`FrameError::Version`].
pub const VERSION: u8 = 3;

/// Most bytes of a message's body.
pub const BODY_BYTES: usize = 240;

/// Bytes of a frame beside the body.
const AROUND_BYTES: usize = 1 + 4;

/// Most bytes on the line for one message: COBS adds one up to 254 bytes, and
/// a zero ends the frame.
pub const LINE_BYTES: usize = BODY_BYTES + AROUND_BYTES + 2;

/// Without a table: a serial line is slower than any processor, and flash is
/// scarce.
static CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// Why a frame was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrameError {
    /// More bytes than a frame has.
    Long,
    /// Fewer bytes than a frame has, or no COBS.
    Broken,
    /// The check sum is wrong.
    Checksum,
    /// Another version of the protocol.
    Version {
        /// The frame's.
        found: u8,
    },
    /// The body is no message of this version.
    Body,
}

/// Writes the frame of `message` into `line`; `None` if the message's body
/// is longer than [`BODY_BYTES`].
pub fn encode<'l>(message: &impl Serialize, line: &'l mut [u8; LINE_BYTES]) -> Option<&'l [u8]> {
    let mut frame = [VERSION; BODY_BYTES + AROUND_BYTES];
    let body = postcard::to_slice(message, frame.get_mut(1..=BODY_BYTES)?).ok()?;
    let end = 1 + body.len();
    let checksum = CRC.checksum(frame.get(..end)?);
    frame
        .get_mut(end..end + 4)?
        .copy_from_slice(&checksum.to_le_bytes());
    let length = cobs::try_encode(frame.get(..end + 4)?, line).ok()?;
    *line.get_mut(length)? = 0;
    line.get(..=length)
}

/// The message of a frame's body, which it borrows.
///
/// # Errors
/// [`FrameError::Body`].
pub fn decode<'b, M: Deserialize<'b>>(body: &'b [u8]) -> Result<M, FrameError> {
    match postcard::take_from_bytes(body) {
        Ok((message, [])) => Ok(message),
        _ => Err(FrameError::Body),
    }
}

/// Collects bytes until a frame is whole.
#[derive(Debug)]
pub struct Receiver {
    line: [u8; LINE_BYTES],
    /// Bytes of the present frame so far, lost ones included.
    length: usize,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Receiver {
    /// Nothing received.
    pub const fn new() -> Self {
        Self {
            line: [0; LINE_BYTES],
            length: 0,
        }
    }

    /// Takes a byte; gives the body when a frame has ended. Empty frames are
    /// skipped, so that a zero can be sent to end whatever went before.
    pub fn push(&mut self, byte: u8) -> Option<Result<&[u8], FrameError>> {
        if byte != 0 {
            if let Some(place) = self.line.get_mut(self.length) {
                *place = byte;
            }
            self.length = self.length.saturating_add(1);
            return None;
        }
        match core::mem::take(&mut self.length) {
            0 => None,
            length => Some(self.body(length)),
        }
    }

    fn body(&mut self, length: usize) -> Result<&[u8], FrameError> {
        let line = self.line.get_mut(..length).ok_or(FrameError::Long)?;
        let length = cobs::decode_in_place(line).map_err(|_| FrameError::Broken)?;
        let frame = self.line.get(..length).ok_or(FrameError::Broken)?;
        let (checked, checksum) = frame.split_last_chunk().ok_or(FrameError::Broken)?;
        if CRC.checksum(checked) != u32::from_le_bytes(*checksum) {
            return Err(FrameError::Checksum);
        }
        match checked.split_first() {
            Some((&VERSION, body)) => Ok(body),
            Some((&found, _)) => Err(FrameError::Version { found }),
            None => Err(FrameError::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;
    use std::vec::Vec;

    fn line(message: &Request) -> Vec<u8> {
        let mut line = [0; LINE_BYTES];
        encode(message, &mut line).expect("it fits").to_vec()
    }

    /// What comes out when `bytes` arrive: lengths of bodies, and errors.
    fn received(bytes: &[u8]) -> Vec<Result<usize, FrameError>> {
        let mut receiver = Receiver::new();
        bytes
            .iter()
            .filter_map(|&byte| Some(receiver.push(byte)?.map(<[u8]>::len)))
            .collect()
    }

    #[test]
    fn a_message_comes_out_as_it_went_in() {
        let values: Vec<u8> = (0..=200).collect();
        let message = Request::Load {
            first: 7,
            values: &values,
        };
        let mut receiver = Receiver::new();
        let sent = line(&message);
        assert_eq!(
            sent.iter().filter(|&&byte| byte == 0).count(),
            1,
            "only at the end"
        );
        let (last, rest) = sent.split_last().expect("not empty");
        for &byte in rest {
            assert_eq!(receiver.push(byte), None);
        }
        let body = receiver.push(*last).expect("whole").expect("right");
        assert_eq!(decode(body), Ok(message));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let sent = line(&Request::Load {
            first: 7,
            values: &[1, 0, 0, 3],
        });
        for bit in 0..8 * sent.len() {
            let mut damaged = sent.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // The zero at the end may be gone; then another one ends the frame.
            damaged.push(0);
            let found = received(&damaged);
            assert!(found.iter().all(Result::is_err), "bit {bit}: {found:?}");
            assert!(!found.is_empty());
        }
    }

    #[test]
    fn the_line_recovers_after_a_zero() {
        let mut bytes = std::vec![0x55; 3 * LINE_BYTES];
        bytes.extend([0, 0, 0]);
        bytes.extend(line(&Request::Identify));
        assert_eq!(received(&bytes), [Err(FrameError::Long), Ok(1)]);
    }

    #[test]
    fn another_version_is_told_from_damage() {
        let mut frame = std::vec![VERSION + 1, 0];
        frame.extend(CRC.checksum(&frame).to_le_bytes());
        let mut bytes = [0; LINE_BYTES];
        let length = cobs::encode(&frame, &mut bytes);
        let found = VERSION + 1;
        assert_eq!(
            received(&bytes[..=length]),
            [Err(FrameError::Version { found })]
        );
    }

    #[test]
    fn a_message_that_is_too_long_is_not_sent() {
        let values = [0; BODY_BYTES];
        let message = Request::Load {
            first: 0,
            values: &values,
        };
        assert_eq!(encode(&message, &mut [0; LINE_BYTES]), None);
    }
}
