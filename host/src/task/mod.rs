//! The tasks: the input of a trial, and the rule that reads an answer off the output
//! of a network.
//!
//! [`definition`] is what a task is made of, [`Task`] is a definition that its copies
//! share, [`built_in`] is the table of built-in tasks, and [`pulses`] makes a task from a
//! TOML file of the user's. [`description`] is what a model keeps of a data set, whose
//! trials [`crate::data`] reads; [`preprocessing`] makes inputs from recorded integers.

pub mod built_in;
pub mod definition;
pub mod description;
mod form;
mod handle;
pub mod preprocessing;
pub mod pulses;
mod recorded;
pub mod samples;
mod spec;

pub use built_in::{help, help_of_another, help_of_several, names, unknown};
pub use definition::{Answer, Definition, Draw, Recorded, SAMPLE_MS, Thresholds, Trial, Trials};
pub use handle::Task;
