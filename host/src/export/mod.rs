//! Writes the spiking network for other simulators and chips, and reports which of its
//! properties each of them has; writes a deployed network as logic.

pub mod c;
pub mod fidelity;
pub mod folder;
pub mod nir;
pub mod script;
pub mod verilog;

/// A network that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The quadratic neuron.
    #[error(
        "NIR, Brian2's script and NEST's have the leaky neuron only, and this one is quadratic: export the leaky one"
    )]
    Quadratic,
    /// The logic does not have what the network needs.
    #[error(transparent)]
    Logic(#[from] verilog::Refusal),
    /// A number that the file cannot hold.
    #[error("the graph cannot be written: {0}")]
    Format(#[from] hdf5_pure::Error),
}
