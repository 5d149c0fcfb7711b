//! The host's fidelity report, from its source, which `import` fills in too.

#[path = "../../../host/src/export/fidelity.rs"]
pub mod fidelity;
