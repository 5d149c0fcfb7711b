//! The host's file formats that are fuzzed, from its sources: the rest of the
//! host would bring a training library.

#[path = "../../../host/src/formats/kind.rs"]
pub mod kind;
#[path = "../../../host/src/formats/mat/mod.rs"]
pub mod mat;
#[path = "../../../host/src/formats/nir/mod.rs"]
pub mod nir;
