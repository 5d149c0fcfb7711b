//! Networks of other programs as ours, or why they cannot be.

pub mod chains;
pub mod nir;

/// A graph that is no network of ours. Nodes are named as in the graph.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// Another number of nodes of a kind than one.
    #[error("{found} {what} nodes{names}; a network has one")]
    Count {
        /// Of which kind.
        what: &'static str,
        /// How many.
        found: usize,
        /// Their names, in brackets.
        names: String,
    },
    /// A node of a type that our network has nothing for.
    #[error(
        "node '{node}' is {kind}: a network is made of Input, Linear or Affine, LIF or CubaLIF, LI and Output"
    )]
    Kind {
        /// The node.
        node: String,
        /// Its type.
        kind: String,
    },
    /// An edge to or from nowhere.
    #[error("an edge from '{from}' to '{to}': no node is called '{missing}'")]
    Edge {
        /// Where it begins.
        from: String,
        /// Where it ends.
        to: String,
        /// The name without a node.
        missing: String,
    },
    /// A node that leads to more than one other, or to none.
    #[error("node '{node}' leads to {found} nodes; only '{spiking}' may lead to more than one")]
    Branch {
        /// The node.
        node: String,
        /// How many.
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
    /// Not one way where one is wanted.
    #[error("{found} ways from '{from}' to '{to}'; {wanted}")]
    Ways {
        /// Where they begin.
        from: String,
        /// Where they end.
        to: String,
        /// How many.
        found: usize,
        /// How many there can be.
        wanted: &'static str,
    },
    /// Not one matrix where one is wanted.
    #[error("{found} weight matrices between '{from}' and '{to}'; give one Linear or Affine")]
    Matrices {
        /// Where they begin.
        from: String,
        /// Where they end.
        to: String,
        /// How many.
        found: usize,
    },
    /// Numbers of another size.
    #[error("node '{node}': '{name}' is {found}, but must be {wanted}")]
    Shape {
        /// The node.
        node: String,
        /// The numbers.
        name: String,
        /// Their size.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// A number that units have of their own, and ours share.
    #[error(
        "node '{node}': '{name}' differs from unit to unit ({first} and {other}); our units share it"
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
    /// A number that makes no sense, or that we have nothing for.
    #[error("node '{node}': '{name}' is {value}; {wanted}")]
    Value {
        /// The node.
        node: String,
        /// The number.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it can be.
        wanted: &'static str,
    },
    /// Spikes that act at once.
    #[error(
        "node '{0}': spikes reach the membranes without a synapse, which our units have; give --synapse MS to put one there"
    )]
    NoSynapse(String),
    /// A filter of more than two stages.
    #[error("{found} filters between '{from}' and '{to}'; our synapses have a rise and a decay")]
    Stages {
        /// Where they begin.
        from: String,
        /// Where they end.
        to: String,
        /// How many.
        found: usize,
    },
    /// No units, or more than a spike can name.
    #[error("node '{node}': {units} units; 1 to 65,535 are possible")]
    Units {
        /// The node.
        node: String,
        /// How many.
        units: usize,
    },
}
