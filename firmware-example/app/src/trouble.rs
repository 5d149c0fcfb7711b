//! What the board says while it has no network.
//!
//! On the line: a sentence, and a zero, so that the protocol takes it for an
//! empty word. With the light: as many flashes as the list below says, then a
//! pause.
//!
//! | flashes | |
//! |---|---|
//! | 1 | nothing there: the flash does not begin with a network |
//! | 2 | cut |
//! | 3 | another layout version |
//! | 4 | damaged: the check sum is wrong |
//! | 5 | malformed |
//! | 6 | too large for this firmware |
//! | 7 | erased |

use rate2spike_core::blob::BlobError;
use rate2spike_protocol::message::NetworkFault;

use crate::board::Board;

/// Length of a flash and of the dark after it, in ms.
const FLASH_MS: u32 = 200;

/// Flashes' worth of dark between two rounds.
const PAUSE: u32 = 6;

fn described(fault: &NetworkFault) -> (u32, &'static str) {
    match fault {
        NetworkFault::Blob(BlobError::Magic(_)) => (1, "nothing there"),
        NetworkFault::Blob(BlobError::Short { .. }) => (2, "cut"),
        NetworkFault::Blob(BlobError::Layout(_)) => (3, "another layout version"),
        NetworkFault::Blob(BlobError::Checksum { .. }) => (4, "check sum is wrong"),
        NetworkFault::Blob(_) => (5, "malformed"),
        NetworkFault::Units { .. } => (6, "too many units"),
        NetworkFault::Filters { .. } => (6, "too many readout filters"),
        NetworkFault::Erased => (7, "erased"),
    }
}

/// Reports until a byte arrives, which is returned, or until the board is
/// switched off.
pub fn report<B: Board>(board: &mut B, fault: &NetworkFault) -> Option<u8> {
    let (flashes, sentence) = described(fault);
    while board.is_on() {
        for part in ["rate2spike ", B::NAME, ": no network: ", sentence, "\r\n\0"] {
            part.bytes().for_each(|byte| board.send(byte));
        }
        for half in 0..2 * flashes + PAUSE {
            board.set_light(half < 2 * flashes && half % 2 == 0);
            if let Some(byte) = wait(board, FLASH_MS) {
                board.set_light(false);
                return Some(byte);
            }
        }
    }
    None
}

/// Waits so many ms; less if a byte arrives.
fn wait<B: Board>(board: &mut B, ms: u32) -> Option<u8> {
    let start = board.cycles();
    let length = board.clock_hz() / 1000 * ms;
    while board.is_on() && board.cycles().wrapping_sub(start) < length {
        if let Some(byte) = board.receive() {
            return Some(byte);
        }
    }
    None
}
