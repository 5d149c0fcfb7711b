//! The firmware, without the chip.
//!
//! A [`Board`] has a clock, a serial line, a button and a light; a [`Store`]
//! is the flash in which the network lies, apart from the firmware, with room for
//! a second one ([`slots`]). [`run`] checks the network and reads it in place. With a network, and with
//! nobody on the line, it runs in real time: the button is the cue, the light
//! the answer ([`demo`]). With a host on the line it does what the
//! [`rate2spike_protocol`] says ([`server`]). Without a network it says so on
//! the line and with the light ([`trouble`]), and waits for one.
//!
//! A board's `main` makes the three parts and calls [`run`].

#![no_std]
#![forbid(unsafe_code)]

pub mod board;
pub mod demo;
pub mod log;
pub mod memory;
pub mod server;
pub mod slots;
pub mod trial;
pub mod trouble;

pub use board::{Board, Counter, Store};
pub use memory::Memory;

use rate2spike_protocol::{Receiver, record};
use server::Left;

/// Runs for ever, or as long as the board is on.
pub fn run<B: Board, S: Store, const UNITS: usize, const VALUES: usize>(
    board: &mut B,
    store: &mut S,
    memory: &mut Memory<UNITS, VALUES>,
) {
    let mut receiver = Receiver::new();
    let limits = memory::limits::<UNITS, VALUES>(record::room(store.slot_bytes()));
    while board.is_on() {
        let network = slots::held(store.bytes(), store.slot_bytes(), &limits);
        if let Err(fault) = network {
            log::fault(&fault);
        }
        let left = server::serve(board, &mut receiver, memory, &network, &limits);
        if let Left::Erase(bytes) = left {
            server::replace(board, store, &mut receiver, &limits, bytes);
        }
    }
}
