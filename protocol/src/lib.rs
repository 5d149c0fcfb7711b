//! The messages between the command line and a board, over a serial line.
//!
//! The host sends a [`Request`], and the board sends one [`Answer`]. A trial that
//! runs has more: [`Answer::Want`], which the host replies to with a piece of the
//! input, [`Answer::Spikes`] and [`Answer::Output`]. A
//! message travels in a [`frame`]: any bytes can arrive on the line, and only
//! whole frames are read.
//!
//! | request | answers |
//! |---|---|
//! | `Identify` | `Identity` |
//! | `SelfTest` | `SelfTest` |
//! | `Run` | `Want`, `Spikes` and `Output` during the trial, then `Done` |
//! | `Load` | none of its own: the trial goes on |
//! | `Erase` | `Erased`; from here on the board runs nothing, but keeps its network |
//! | `Write` | `Written`; the next `Identify` takes the new network, if it is whole |
//!
//! The board can answer every request with `Refused`. A board has flash for two
//! networks, so that one of them is whole at any moment; a [`record`] says which
//! one is newer.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod frame;
pub mod logic;
pub mod message;
pub mod record;

pub use frame::{FrameError, Receiver, VERSION, decode, encode};
pub use message::{Answer, Request};
