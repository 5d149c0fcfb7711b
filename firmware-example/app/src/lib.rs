//! The firmware, without the chip.
//!
//! A [`Board`] has a clock, a serial line, a button and a light. A [`Store`] is
//! the flash in which the network lies, apart from the firmware, with room for a
//! second network ([`slots`]). [`run`] checks the network, reads it in place, and
//! does one of three things:
//!
//! - without a host on the line it runs the network in real time: a sensor or the button
//!   is the input, and light, pins and line show the answer ([`demo`]);
//! - with a host on the line it answers requests ([`server`],
//!   [`rate2spike_protocol`]), and runs measured trials ([`trial`]);
//! - without a network it reports the reason on the line and with the light
//!   ([`trouble`]), and waits for a network.
//!
//! The `main` of a board makes a board, a store and a [`Memory`], and calls
//! [`run`].

#![no_std]
#![forbid(unsafe_code)]

pub mod board;
pub mod crystal;
pub mod demo;
pub mod input;
pub mod line;
pub mod log;
pub mod memory;
pub mod pace;
pub mod prepared;
pub mod server;
pub mod slots;
pub mod trial;
pub mod trouble;

pub use board::{Board, Cores, Counter, Restart, Store};
pub use memory::Memory;

use rate2spike_protocol::{Receiver, record};
use server::{Held, Left};

/// Runs until the board is switched off.
pub fn run<B: Board, S: Store, const UNITS: usize>(
    board: &mut B,
    store: &mut S,
    memory: &mut Memory<UNITS>,
) {
    let mut receiver = Receiver::new();
    line::explain(board);
    let limits = memory::limits::<UNITS>(record::room(store.slot_bytes()));
    while board.is_on() {
        let place = slots::place(store.bytes(), store.slot_bytes(), &limits);
        let network = match place.and_then(|place| store.copy(place)) {
            Some(copy) => memory::held(copy, &limits),
            None => slots::held(store.bytes(), store.slot_bytes(), &limits),
        };
        match &network {
            Ok(any) => memory.prepare(any),
            Err(fault) => log::fault(fault),
        }
        let held = Held { network, limits };
        let left = server::serve(board, &mut receiver, memory, &held);
        if let Left::Erase(bytes) = left {
            server::replace(board, store, &mut receiver, &limits, bytes);
        }
    }
}
