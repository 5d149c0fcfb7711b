//! Turns networks of other programs into ours, or says why that is impossible.
//!
//! A NIR graph is read by [`crate::formats::nir::read`], laid out on one level
//! (`flat`), walked from its input to its neurons and on to its output
//! (`ways`), and turned into a network ([`nir`]).

mod flat;
pub mod nir;
mod numbers;
mod path;
mod population;
mod synapse;
#[cfg(test)]
mod tests;
pub mod unsaid;
mod ways;

use crate::quantize::QuantizeError;

/// The longest time constant that is accepted, s. The slowest synapses and membranes of the
/// field have about 100 ms. Programs that count in milliseconds write 5 to 100, and are
/// recognized by this limit.
pub const MOST_TIME_S: f64 = 1.0;

/// A graph that our network cannot express. Nodes are named as in the graph; the name of an
/// inner graph comes before the names of its nodes.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// No node of a kind, or several.
    #[error("{found} {what} nodes{names}; a network has one")]
    Count {
        /// The kind.
        what: &'static str,
        /// The number of nodes.
        found: usize,
        /// Their names, in brackets.
        names: String,
    },
    /// A node of a type that our network does not have.
    #[error(
        "node '{node}' is {kind}: a network is made of Input, Linear or Affine, LIF or CubaLIF, LI, Output, and graphs of these"
    )]
    Kind {
        /// The node.
        node: String,
        /// The type found.
        kind: String,
    },
    /// Two nodes that have the same name on one level.
    #[error(
        "two nodes are called '{0}', one of them in an inner graph: give one of them another name"
    )]
    Twice(String),
    /// An inner graph without one input and one output.
    #[error("node '{node}' is a graph with {found} {kind} nodes; edges lead to a graph with one")]
    Ends {
        /// The node.
        node: String,
        /// The kind.
        kind: &'static str,
        /// The number of nodes.
        found: usize,
    },
    /// An edge to or from a node that is missing.
    #[error(
        "an edge from '{from}' to '{to}': no node is called '{missing}' (links inside the file are not followed)"
    )]
    Edge {
        /// The name at its beginning.
        from: String,
        /// The name at its end.
        to: String,
        /// The name without a node.
        missing: String,
    },
    /// A node that leads to several nodes, or to no node.
    #[error("node '{node}' leads to {found} nodes; only '{spiking}' may lead to more than one")]
    Branch {
        /// The node.
        node: String,
        /// The number of nodes behind it.
        found: usize,
        /// The spiking node.
        spiking: String,
    },
    /// Nodes that lead to each other without a neuron between.
    #[error("node '{0}' leads back to itself, and no neuron is between")]
    Circle(String),
    /// Nodes that lead from the input to the output.
    #[error("node '{0}' leads from the input past the neurons to the output")]
    Bypass(String),
    /// No way between two nodes, or several.
    #[error("{found} ways from '{from}' to '{to}'; {wanted}")]
    Ways {
        /// The node at the beginning.
        from: String,
        /// The node at the end.
        to: String,
        /// The number of ways.
        found: usize,
        /// The possible number.
        wanted: &'static str,
    },
    /// No matrix between two nodes, or several.
    #[error("{found} weight matrices between '{from}' and '{to}'; give one Linear or Affine")]
    Matrices {
        /// The node before them.
        from: String,
        /// The node behind them.
        to: String,
        /// The number of matrices.
        found: usize,
    },
    /// Numbers with a wrong count or size.
    #[error("node '{node}': '{name}' is {found}, but must be {wanted}")]
    Shape {
        /// The node.
        node: String,
        /// The numbers.
        name: String,
        /// Their count or size.
        found: String,
        /// The count or size that is wanted.
        wanted: String,
    },
    /// A number that differs from unit to unit, and that our units share.
    #[error(
        "node '{node}': '{name}' differs from unit to unit ({} and {}); our units share it",
        short(*.first),
        short(*.other)
    )]
    Differs {
        /// The node.
        node: String,
        /// The number.
        name: &'static str,
        /// One value.
        first: f64,
        /// Another.
        other: f64,
    },
    /// A number that is impossible, or that our network cannot have.
    #[error("node '{node}': '{name}' is {}; {wanted}", short(*.value))]
    Value {
        /// The node.
        node: String,
        /// The number.
        name: &'static str,
        /// The value found.
        value: f64,
        /// The values that are possible.
        wanted: &'static str,
    },
    /// A time that is too long to be given in seconds.
    #[error(
        "node '{node}': '{name}' is {} s, and at most {most} s are taken: NIR counts times in seconds; if these are milliseconds, divide them by 1000",
        short(*.seconds),
        most = MOST_TIME_S
    )]
    Time {
        /// The node.
        node: String,
        /// The time constant.
        name: &'static str,
        /// The value found, as NIR reads it.
        seconds: f64,
    },
    /// Spikes that count as 1 for one time step; NIR's have the area 1 s.
    #[error(
        "node '{node}': 'r' is {}, the membrane's time constant in steps of {step_ms} ms: this graph counts a spike as 1 for one step, as snnTorch does, and NIR as a pulse of area 1 s. Taken as NIR its spikes would weigh {} times as much: set 'r' and 'w_in' to 1, multiply the weights that lead to the node by the old r · w_in, and all weights that spikes pass by {step_s}",
        short(*.r),
        (1.0 / .step_s).round()
    )]
    OneStep {
        /// The node.
        node: String,
        /// One of its resistances.
        r: f64,
        /// The step, ms.
        step_ms: f64,
        /// The step, s.
        step_s: f64,
    },
    /// A weight or bias that is infinite in our units.
    #[error(
        "node '{node}': a weight or bias is {value} in mV of a threshold 25 mV above the reset; scale the graph so that weights and threshold are of similar size"
    )]
    Infinite {
        /// The node.
        node: String,
        /// The value.
        value: f64,
    },
    /// Spikes that act at once.
    #[error(
        "node '{0}': spikes reach the membranes without a synapse, which our units have; give --synapse MS to put one there"
    )]
    NoSynapse(String),
    /// A decay time that is given beside that of the graph.
    #[error(
        "node '{0}': the graph has the filter of its synapses, so that --synapse does nothing; leave it out"
    )]
    OwnSynapse(String),
    /// A filter of more than two stages.
    #[error("{found} filters between '{from}' and '{to}'; our synapses have a rise and a decay")]
    Stages {
        /// The node before them.
        from: String,
        /// The node behind them.
        to: String,
        /// The number of filters.
        found: usize,
    },
    /// No units, or too many.
    #[error("node '{node}': {units} units; 1 to 4096 are possible")]
    Units {
        /// The node.
        node: String,
        /// The number of units.
        units: usize,
    },
    /// Currents that the fixed-point format does not hold.
    #[error(
        "node '{node}': the synapses of unit {unit} could add up to {} mV of a threshold 25 mV above the reset, which the fixed-point format does not hold. In NIR a spike is a pulse of area 1 s: if the graph's weights are for spikes that are 1 for one step of {step_ms} ms, multiply them by {step_s}",
        short(.current_mv.round())
    )]
    Current {
        /// The node of the weights.
        node: String,
        /// The receiving unit.
        unit: usize,
        /// Largest possible current, mV.
        current_mv: f64,
        /// The step of the deployed network, ms.
        step_ms: f64,
        /// The step of the deployed network, s.
        step_s: f64,
    },
    /// A bias or an input weight that the fixed-point format does not hold.
    #[error(
        "{name} of unit {unit} is {} mV of a threshold 25 mV above the reset, beyond the ±{limit:.0} mV of the fixed-point format; scale the graph so that weights and threshold are of similar size",
        short(*.value)
    )]
    Voltage {
        /// The number's name.
        name: &'static str,
        /// The unit.
        unit: usize,
        /// The value, mV.
        value: f64,
        /// The largest value, mV.
        limit: f64,
    },
    /// Another number that the fixed-point format does not hold.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
}

/// The number as short text: the shortest text that means the same number in 32 bits, as
/// most graphs hold numbers, or else seven digits.
fn short(value: f64) -> String {
    /// Numbers outside of this have an exponent.
    const PLAIN: std::ops::Range<f64> = 1e-5..1e9;
    let single = value as f32;
    let plain = value == 0.0 || PLAIN.contains(&value.abs());
    match (f64::from(single) == value, plain) {
        (true, true) => single.to_string(),
        (true, false) => format!("{single:e}"),
        (false, plain) => {
            let digits = format!("{value:.6e}");
            match digits.parse::<f64>() {
                Ok(rounded) if plain => rounded.to_string(),
                Ok(rounded) => format!("{rounded:e}"),
                Err(_) => digits,
            }
        }
    }
}
