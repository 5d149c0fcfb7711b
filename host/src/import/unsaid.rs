//! The properties of our network that a graph does not have.

use crate::export::fidelity::{Fidelity, unsupported};

/// The numbers that our network has and a graph does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsaid {
    /// Refractory time, ms.
    pub refractory_ms: f64,
    /// Standard deviation of the noise of 0.05 ms, mV.
    pub noise_mv: f64,
    /// Potentials start between the reset and this, mV.
    pub start_mv: f64,
    /// Decay of the synapses if the graph's spikes act at once, ms.
    pub synapse_ms: Option<f64>,
}

impl Unsaid {
    /// The lines of the fidelity report on these properties.
    pub(super) fn fidelity(&self) -> Vec<Fidelity> {
        let mut report = Vec::new();
        if self.refractory_ms > 0.0 {
            report.push(unsupported(
                "refractory time",
                "NIR has none: --refractory sets it, 0 for none",
            ));
        }
        if self.noise_mv > 0.0 {
            report.push(unsupported(
                "membrane noise",
                "NIR has none: --noise sets it",
            ));
        }
        report.push(unsupported(
            "start potentials",
            "NIR has none: drawn between the reset and --start",
        ));
        report.push(unsupported("decision", "NIR has none: the task has one"));
        report
    }
}
