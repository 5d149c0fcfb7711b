//! A recurrent network of integrate-and-fire neurons, stepped in floating
//! point or in fixed point, without an allocator and without an operating
//! system.
//!
//! The modules in the order of the pipeline: [`arithmetic`] says what numbers
//! a step is made of, [`factors`] turns time constants into the factors of one
//! time step, [`network`] is what stays fixed during a run, [`noise`] draws the
//! membrane noise, [`step`] advances the network by one time step, [`trial`]
//! runs it through a trial, [`decision`] reads an answer off the output, and
//! [`blob`] is the network as bytes.
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

pub mod arithmetic;
pub mod blob;
pub mod decision;
pub mod factors;
pub mod network;
pub mod noise;
pub mod step;
pub mod trial;

pub use arithmetic::{Arithmetic, Fixed};
pub use network::{Constants, Network};
pub use step::State;
