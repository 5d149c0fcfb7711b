//! The board reports that it has no network.
//!
//! On the line it sends a sentence that ends with a zero byte, which the protocol
//! reads as an empty frame. With the light it flashes a number of times, and
//! pauses:
//!
//! | flashes | the network's flash |
//! |---|---|
//! | 1 | does not begin with a network |
//! | 2 | holds a network without its end |
//! | 3 | holds a network of another layout version |
//! | 4 | holds a damaged network: the check sum is wrong |
//! | 5 | holds a malformed network |
//! | 6 | holds a network that is too large for this firmware |
//! | 7 | was erased |
//! | 8 | holds a network in f32, which this firmware does not step |

use rate2spike_core::blob::BlobError;
use rate2spike_protocol::message::NetworkFault;

use crate::board::Board;
use crate::line::{nap, say};

/// Length of a flash and of the dark after it, in ms.
const FLASH_MS: u32 = 200;

/// Length of the pause between two rounds, in flashes.
const PAUSE: u32 = 6;

fn described(fault: &NetworkFault) -> (u32, &'static str) {
    match fault {
        NetworkFault::Blob(BlobError::Magic(_)) => (1, "nothing there"),
        NetworkFault::Blob(BlobError::Short { .. }) => (2, "cut"),
        NetworkFault::Blob(BlobError::Layout(_)) => (3, "another layout version"),
        NetworkFault::Blob(BlobError::Checksum { .. }) => (4, "check sum is wrong"),
        NetworkFault::Blob(BlobError::Arithmetic(_)) => {
            (8, "its numbers are not those of this firmware")
        }
        NetworkFault::Blob(_) => (5, "malformed"),
        NetworkFault::Units { .. } => (6, "too many units"),
        NetworkFault::Filters { .. } => (6, "too many readout filters"),
        NetworkFault::Erased => (7, "erased"),
    }
}

/// Reports until a byte arrives on the line, and returns it; `None` once the
/// board is switched off.
#[inline(never)]
pub fn report<B: Board>(board: &mut B, fault: &NetworkFault) -> Option<u8> {
    let (flashes, sentence) = described(fault);
    while board.is_on() {
        say(
            board,
            &[B::NAME.as_bytes(), b": no network: ", sentence.as_bytes()],
        );
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

/// Waits `ms` milliseconds, or until a byte arrives.
fn wait<B: Board>(board: &mut B, ms: u32) -> Option<u8> {
    let start = board.cycles();
    let length = board.clock_hz() / 1000 * ms;
    while board.is_on() && board.cycles().wrapping_sub(start) < length {
        if let Some(byte) = board.receive() {
            return Some(byte);
        }
        nap(board);
    }
    None
}
