//! Bytes from the serial line, and answers over it.

use rate2spike_protocol::Answer;
use rate2spike_protocol::frame::{self, LINE_BYTES};
use rate2spike_protocol::message::Refusal;

use crate::board::Board;

/// Seconds without a byte after which the board returns to its work without a
/// host.
const QUIET_S: u32 = 5;

/// Waits for a byte; `None` after [`QUIET_S`] seconds.
pub fn next<B: Board>(board: &mut B) -> Option<u8> {
    let start = board.cycles();
    let quiet = board.clock_hz().saturating_mul(QUIET_S);
    while board.is_on() && board.cycles().wrapping_sub(start) < quiet {
        if let Some(byte) = board.receive() {
            return Some(byte);
        }
    }
    None
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
