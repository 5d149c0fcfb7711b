//! The spiking network: neuron, time step, network, the tables that core steps,
//! and trials.
//!
//! [`network::SpikingNetwork`] counts in mV and ms. [`tables`] turns it into
//! core's factors in floating point; `quantize` turns it into fixed point. An
//! [`experiment::Experiment`] scores either over trials of a task;
//! [`record::Recording`] runs one trial and keeps what happened in it.

pub mod confusion;
pub mod experiment;
pub mod network;
pub mod neuron;
pub mod perturb;
pub mod record;
pub mod simulation;
pub mod stimulation;
pub mod tables;
pub mod time_step;
pub mod trial;
pub mod units;
