//! The fidelity report, compiled from the host's source; `import` uses it.

#[path = "../../../host/src/export/fidelity.rs"]
pub mod fidelity;
