//! One file format a file.

pub mod disk;
pub mod elf;
pub mod history;
pub mod image;
pub mod journal;
pub mod kind;
pub mod losses;
pub mod mat;
pub mod model_checks;
pub mod model_error;
pub mod names;
pub mod nir;
pub mod npz;
pub mod outputs;
pub mod rate_model;
pub mod recording;
pub mod simulation_input;
pub mod snn;
pub mod task;
pub mod trial_arrays;
