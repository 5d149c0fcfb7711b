//! One file format a file.

pub mod disk;
pub mod history;
pub mod image;
pub mod losses;
pub mod mat;
pub mod nir;
pub mod npz;
pub mod rate_model;
pub mod snn;
