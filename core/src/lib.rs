#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[cfg(test)]
mod testing;

// In the order in which one learns them.

pub mod lanes;

pub mod arithmetic;

pub mod neuron;

pub mod network;

pub mod noise;

pub mod block;

pub mod delivery;

pub mod refractory;

pub mod halves;

pub mod prepared;

mod units;

mod readout;

pub mod step;

pub mod trial;

pub mod decision;

pub mod preprocessing;

pub mod blob;

pub mod stepwise;

pub use arithmetic::{Arithmetic, Fixed};
pub use network::{Constants, Network};
pub use step::State;
