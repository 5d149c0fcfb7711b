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
//! | `Erase` | `Erased`; the board has no network from here on |
//! | `Write` | `Written`; the next other request reads the network anew |
//!
//! Every request can be answered by `Refused`.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod frame;
pub mod message;

pub use frame::{FrameError, Receiver, decode, encode};
pub use message::{Answer, Request};

/// Version of the messages; a board answers a frame of another one with
/// [`FrameError::Version`].
pub const VERSION: u8 = 1;
