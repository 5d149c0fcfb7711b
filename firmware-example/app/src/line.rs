//! Answers over the serial line.

use rate2spike_protocol::Answer;
use rate2spike_protocol::frame::{self, LINE_BYTES};
use rate2spike_protocol::message::Refusal;

use crate::board::Board;

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
