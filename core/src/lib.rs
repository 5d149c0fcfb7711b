//! A recurrent network of integrate-and-fire neurons, stepped in floating
//! point or in fixed point, without an allocator and without an operating
//! system.
//!
//! The modules, in the order in which one learns them:
//!
//! | module | subject |
//! |---|---|
//! | [`lanes`] | the units that are stepped together |
//! | [`arithmetic`] | the numbers |
//! | [`neuron`] | the membrane, the synapse filter, and the factors of a time step |
//! | [`network`] | what stays fixed during a run |
//! | [`noise`] | the noise of the membranes |
//! | [`block`] | the state of some units, and their step |
//! | [`delivery`] | a spike reaches its targets |
//! | [`refractory`] | the pause after a spike |
//! | [`step`] | the state of a network, and its step |
//! | [`trial`] | step after step, with input |
//! | [`decision`] | an answer, read from the output |
//! | [`blob`] | the network as bytes |
//!
//! Nothing here knows a millisecond, a task file or a chip. A step contains no
//! division, no `exp` and no failure; in fixed point it gives the same bits on
//! every machine.
//!
//! The neuron, its constants and the order of updates follow Kim R., Li Y.,
//! Sejnowski T.J., *Simple framework for constructing functional spiking
//! recurrent neural networks*, PNAS 116:22811–22820 (2019),
//! doi 10.1073/pnas.1905926116.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod lanes;

pub mod arithmetic;

pub mod neuron;

pub mod network;

pub mod noise;

pub mod block;

pub mod delivery;

pub mod refractory;

pub mod step;

pub mod trial;

pub mod decision;

pub mod blob;

pub use arithmetic::{Arithmetic, Fixed};
pub use network::{Constants, Network};
pub use step::State;
