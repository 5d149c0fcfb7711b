//! Bytes from the serial line, and answers over it.

use rate2spike_protocol::Answer;
use rate2spike_protocol::frame::{self, LINE_BYTES};
use rate2spike_protocol::message::Refusal;

use crate::board::{Board, Restart};

/// Milliseconds without a byte after which the board returns to its work without a
/// host.
const QUIET_MS: u32 = 5000;

/// Cycles of a nap while the board waits for a byte: a thousandth of a second, in which
/// no more than twelve bytes arrive.
pub fn nap<B: Board>(board: &mut B) {
    let cycles = board.clock_hz() / 1000;
    board.rest(cycles);
}

/// Waits for a byte; `None` after [`QUIET_MS`].
pub fn next<B: Board>(board: &mut B) -> Option<u8> {
    next_within(board, QUIET_MS)
}

/// Waits for a byte; `None` after this number of milliseconds.
pub fn next_within<B: Board>(board: &mut B, milliseconds: u32) -> Option<u8> {
    let start = board.cycles();
    let most = (board.clock_hz() / 1000).saturating_mul(milliseconds);
    while board.is_on() && board.cycles().wrapping_sub(start) < most {
        if let Some(byte) = board.receive() {
            return Some(byte);
        }
        nap(board);
    }
    None
}

/// Sends a sentence for people, which the protocol reads as an empty frame.
pub fn say<B: Board>(board: &mut B, parts: &[&[u8]]) {
    let all = [b"rate2spike ".as_slice()]
        .into_iter()
        .chain(parts.iter().copied());
    for part in all.chain([b"\r\n\0".as_slice()]) {
        part.iter().for_each(|&byte| board.send(byte));
    }
}

/// Says why the board started anew, if nobody wanted it to.
pub fn explain<B: Board>(board: &mut B) {
    let name = B::NAME.as_bytes();
    match board.restarted() {
        None => {}
        Some(Restart::Watchdog) => say(board, &[name, b": started anew: it stood still"]),
        Some(Restart::Panic { file, line }) => {
            let mut digits = [0; 6];
            let line = number(line.try_into().unwrap_or(i16::MAX), &mut digits);
            let place = [
                name,
                b": started anew: panic at ",
                file.as_bytes(),
                b":",
                line,
            ];
            say(board, &place);
        }
    }
}

/// The digits of a number, with its sign.
pub fn number(value: i16, digits: &mut [u8; 6]) -> &[u8] {
    let mut left = value.unsigned_abs();
    let mut from = digits.len();
    while from > 1 {
        from -= 1;
        digits[from] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        from -= 1;
        digits[from] = b'-';
    }
    digits.get(from..).unwrap_or(&[])
}

/// Sends an answer.
pub fn send<B: Board>(board: &mut B, answer: &Answer) {
    let mut line = [0; LINE_BYTES];
    if let Some(bytes) = frame::encode(answer, &mut line) {
        bytes.iter().for_each(|&byte| board.send(byte));
    }
}

/// Sends a refusal.
pub fn refuse<B: Board>(board: &mut B, refusal: Refusal) {
    send(board, &Answer::Refused(refusal));
}
