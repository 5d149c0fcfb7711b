//! What the command line and a board say to each other over a serial line.
//!
//! The host sends a [`Request`], the board sends [`Answer`]s; none but
//! [`Answer::Spikes`] and [`Answer::Output`] is followed by another one. A
//! message travels in a [`frame`]: anything can arrive on the line, and only
//! whole frames are looked at.
//!
//! | request | answers |
//! |---|---|
//! | `Identify` | `Identity` |
//! | `SelfTest` | `SelfTest` |
//! | `Load` | `Loaded` |
//! | `Run` | `Spikes` and `Output` as they come, then `Done` |
//! | `Erase` | `Erased`; the board runs nothing from here on, but keeps its network |
//! | `Write` | `Written`; the next `Identify` takes the new network, if it is whole |
//!
//! Every request can be answered by `Refused`. A board has flash for two
//! networks, so that one is whole at any moment; [`record`] is how it tells
//! which one is the newer.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod frame;
pub mod message;
pub mod record;

pub use frame::{FrameError, Receiver, VERSION, decode, encode};
pub use message::{Answer, Request};
