//! `rate2spike`: train a continuous rate network, carry it onto spiking
//! neurons, quantize it for a microcontroller.
//!
//! ```text
//! task ─Trial→ rate ─RateNetwork→ convert ─SpikingNetwork→ quantize ─bytes→ rate2spike_core::blob
//! ```
//!
//! The modules are the stages; [`cmd`] has one file a subcommand, and leaves
//! the work to them. Method: Kim R., Li Y., Sejnowski T.J., PNAS
//! 116:22811–22820 (2019), doi 10.1073/pnas.1905926116.

pub mod archive;
pub mod board;
pub mod cmd;
pub mod convert;
pub mod data;
pub mod ending;
pub mod export;
pub mod formats;
pub mod import;
pub mod in_use;
pub mod interrupt;
pub mod number;
pub mod print;
pub mod quantize;
pub mod random;
pub mod rate;
pub mod readout;
pub mod report;
pub mod route;
pub mod session;
pub mod shell_word;
pub mod spiking;
pub mod statistics;
pub mod sweep;
pub mod task;
pub mod text;
pub mod watch;
