//! The file formats that are fuzzed, compiled from the host's sources. The whole host would
//! bring a training library as a dependency.

#[path = "../../../host/src/formats/kind.rs"]
pub mod kind;
#[path = "../../../host/src/formats/mat/mod.rs"]
pub mod mat;
#[path = "../../../host/src/formats/nir/mod.rs"]
pub mod nir;
