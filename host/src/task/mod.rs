//! The tasks: the input of a trial, and the rule that reads an answer off the output
//! of a network.
//!
//! [`definition`] is what a task is made of, [`Task`] is a definition that its copies
//! share, [`built_in`] is the table of built-in tasks, and [`pulses`] makes a task from a
//! TOML file of the user's.

pub mod built_in;
pub mod definition;
mod form;
mod handle;
pub mod pulses;
mod spec;

pub use built_in::{help, help_of_another, help_of_several, names, unknown};
pub use definition::{Answer, Definition, Draw, SAMPLE_MS, Thresholds, Trial};
pub use handle::Task;
