//! The messages between the command line and a network in logic, where a state machine
//! reads and writes them: `logic/rtl/line.v`.
//!
//! ```text
//! command   four bytes: "R2S" and a letter
//! answer    a5, a letter, the bytes of its kind, and the CRC-8 of letter and bytes
//! ```
//!
//! | command | answers |
//! |---|---|
//! | [`IDENTIFY`] | [`Answer::Identity`] |
//! | [`LOAD`], then an image | [`Answer::Loaded`] |
//! | [`SELF_TEST`] | [`Answer::Done`], if the network in flash is whole |
//! | [`RUN`] | [`Answer::Done`] |
//! | [`RUN_WITH_SPIKES`] | [`Answer::Spike`] for each, then [`Answer::Done`] |
//! | [`RUN_WITH_OUTPUTS`] | [`Answer::Output`] for each step, then [`Answer::Done`] |
//!
//! A command that comes while the logic works is dropped.

/// Asks which network the logic holds.
pub const IDENTIFY: [u8; 4] = *b"R2SI";
/// Announces the image of a network or of a trial.
pub const LOAD: [u8; 4] = *b"R2SL";
/// Loads the network from flash again and runs its self-test.
pub const SELF_TEST: [u8; 4] = *b"R2ST";
/// Runs the trial that was loaded.
pub const RUN: [u8; 4] = *b"R2SR";
/// The same; each spike is sent.
pub const RUN_WITH_SPIKES: [u8; 4] = *b"R2SS";
/// The same; the output of each step is sent.
pub const RUN_WITH_OUTPUTS: [u8; 4] = *b"R2SO";

/// First byte of an answer.
const START: u8 = 0xa5;

/// Bytes of the longest answer, without its start.
const MOST_BYTES: usize = 23;

/// From the logic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`IDENTIFY`].
    Identity(Identity),
    /// The image was read.
    Loaded {
        /// The fault, or 0.
        code: u8,
        /// Check sum in the header of the image.
        checksum: u32,
    },
    /// A spike of the trial that runs.
    Spike {
        /// The step.
        step: u32,
        /// The unit that fired.
        unit: u16,
    },
    /// The output of a step.
    Output {
        /// The step.
        step: u32,
        /// The output, in the bits of [`rate2spike_core::Fixed`].
        value: i32,
    },
    /// The trial is over.
    Done(Outcome),
}

/// What the logic is and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The fault of the network that was loaded last, or 0.
    pub code: u8,
    /// Check sum in the header of the image that was loaded last.
    pub checksum: u32,
    /// Clocks in a second.
    pub clock_hz: u32,
    /// Address bits of the memories: rows, table, synapses, input values.
    pub bits: [u8; 4],
}

/// What a trial came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Hash of the spikes.
    pub spike_hash: u64,
    /// Number of spikes, modulo 2²⁴.
    pub spikes: u32,
    /// True if the answer is right by the published criterion.
    pub correct: bool,
    /// True if the answer is right by the strict criterion.
    pub strict: bool,
    /// The answer that the output gives.
    pub answer: i8,
    /// Clocks of all steps, modulo 2³².
    pub clocks: u32,
    /// Clocks of the first step, at most 65,535.
    pub first: u16,
    /// Clocks of the slowest of the others, at most 65,535.
    pub worst: u16,
}

/// Finds answers in what comes over the line.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    bytes: [u8; MOST_BYTES],
    count: usize,
    started: bool,
}

impl Receiver {
    /// Takes the next byte of the line; the answer that it ends, if it ends one. Bytes
    /// that are no answer are dropped.
    pub fn push(&mut self, byte: u8) -> Option<Answer> {
        if !self.started {
            self.started = byte == START;
            return None;
        }
        if let Some(place) = self.bytes.get_mut(self.count) {
            *place = byte;
            self.count += 1;
        }
        let bytes = self.bytes.get(..self.count).unwrap_or_default();
        let wanted = bytes.first().and_then(|letter| length(*letter));
        if wanted.is_some_and(|wanted| bytes.len() <= wanted) {
            return None;
        }
        let answer = decode(bytes);
        self.count = 0;
        self.started = byte == START && answer.is_none();
        answer
    }
}

/// Bytes of the answer with this letter, without the check sum.
fn length(letter: u8) -> Option<usize> {
    match letter {
        b'i' => Some(14),
        b'l' => Some(6),
        b's' => Some(7),
        b'o' => Some(9),
        b'd' => Some(21),
        _ => None,
    }
}

/// CRC-8 with the polynomial 07.
pub fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| {
            let shifted = crc << 1;
            if crc & 0x80 != 0 {
                shifted ^ 0x07
            } else {
                shifted
            }
        })
    })
}

/// The answer in letter, bytes and check sum; `None` if it is damaged.
fn decode(bytes: &[u8]) -> Option<Answer> {
    let (checksum, body) = bytes.split_last()?;
    let (letter, rest) = body.split_first()?;
    if length(*letter)? != body.len() || crc8(body) != *checksum {
        return None;
    }
    let u16_at = |at: usize| Some(u16::from_le_bytes(*rest.get(at..)?.first_chunk()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(*rest.get(at..)?.first_chunk()?));
    let code = *rest.first()?;
    Some(match letter {
        b'i' => Answer::Identity(Identity {
            code,
            checksum: u32_at(1)?,
            clock_hz: u32_at(5)?,
            bits: *rest.get(9..)?.first_chunk()?,
        }),
        b'l' => Answer::Loaded {
            code,
            checksum: u32_at(1)?,
        },
        b's' => Answer::Spike {
            step: u32_at(0)?,
            unit: u16_at(4)?,
        },
        b'o' => Answer::Output {
            step: u32_at(0)?,
            value: u32_at(4)?.cast_signed(),
        },
        _ => Answer::Done(Outcome {
            correct: code & 2 != 0,
            strict: code & 4 != 0,
            // Two bits with a sign.
            answer: ((code << 3).cast_signed()) >> 6,
            spike_hash: u64::from_le_bytes(*rest.get(1..)?.first_chunk()?),
            spikes: u32_at(9)? & 0xff_ffff,
            clocks: u32_at(12)?,
            first: u16_at(16)?,
            worst: u16_at(18)?,
        }),
    })
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn sent(body: &[u8]) -> Vec<u8> {
        let mut bytes = std::vec![START];
        bytes.extend(body);
        bytes.push(crc8(body));
        bytes
    }

    fn received(bytes: &[u8]) -> Vec<Answer> {
        let mut receiver = Receiver::default();
        bytes
            .iter()
            .filter_map(|byte| receiver.push(*byte))
            .collect()
    }

    #[test]
    fn the_check_sum_is_the_published_one() {
        assert_eq!(crc8(b"123456789"), 0xf4);
    }

    #[test]
    fn answers_are_found_between_other_bytes() {
        let spike = sent(b"s\x07\0\0\0\x09\x01");
        let wanted = Answer::Spike { step: 7, unit: 265 };
        let mut bytes = b"noise".to_vec();
        bytes.extend(&spike);
        bytes.extend([START, b'?']);
        bytes.extend(&spike);
        assert_eq!(received(&bytes), [wanted, wanted]);
    }

    #[test]
    fn an_answer_with_a_wrong_bit_is_dropped_and_the_next_one_is_read() {
        let output = sent(b"o\x01\0\0\0\xff\xff\xff\xff");
        for at in 0..output.len() {
            let mut bytes = output.clone();
            bytes[at] ^= 1;
            assert_eq!(received(&bytes), []);
            bytes.extend([0; MOST_BYTES]);
            bytes.extend(&output);
            let found = received(&bytes);
            assert_eq!(found, [Answer::Output { step: 1, value: -1 }], "{at}");
        }
    }

    #[test]
    fn the_flags_of_an_outcome_have_their_places() {
        let mut body = b"d".to_vec();
        body.push(0b0001_1010);
        body.extend(5u64.to_le_bytes());
        body.extend([6, 0, 0]);
        body.extend(7u32.to_le_bytes());
        body.extend([8, 0, 9, 0]);
        body.push(0);
        body.truncate(21);
        let Some(Answer::Done(outcome)) = received(&sent(&body)).pop() else {
            panic!("an outcome");
        };
        assert!(outcome.correct && !outcome.strict && outcome.answer == -1);
        assert_eq!(
            (outcome.spike_hash, outcome.spikes, outcome.clocks),
            (5, 6, 7)
        );
        assert_eq!((outcome.first, outcome.worst), (8, 9));
    }
}
